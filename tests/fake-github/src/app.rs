//! GitHub Apps: who they are, where they are installed, and whether a signature is theirs.
//!
//! Of an App's key only the public half is here, as GitHub has it.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::rest::Refusal;
use crate::state::Site;
use crate::token::{Level, Token, TokenKind};

/// The longest that a signature may be good for, in seconds.
const LONGEST: i64 = 600;

/// A GitHub App that is registered, and installed on some repositories.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct App {
    /// Its name in addresses; `{slug}[bot]` is its account.
    pub slug: String,
    /// Its client id.
    pub client_id: String,
    /// The public half of its key as PEM of PKCS#1, `-----BEGIN RSA PUBLIC KEY-----`.
    pub public_key: String,
    /// What it is granted where it is installed; `metadata: read` comes with it.
    #[serde(default)]
    pub permissions: BTreeMap<String, Level>,
    /// Full names of the repositories it is installed on, each owner's an installation of its own.
    #[serde(default)]
    pub repositories: Vec<String>,
    /// Whether its installations are suspended.
    #[serde(default)]
    pub suspended: bool,
}

impl App {
    /// An App that is installed nowhere, and granted nothing but metadata.
    #[must_use]
    pub fn new(slug: &str, client_id: &str, public_key: &str) -> Self {
        Self {
            slug: slug.to_owned(),
            client_id: client_id.to_owned(),
            public_key: public_key.to_owned(),
            permissions: BTreeMap::new(),
            repositories: Vec::new(),
            suspended: false,
        }
    }

    /// Grants one permission.
    #[must_use]
    pub fn allow(mut self, permission: &str, level: Level) -> Self {
        self.permissions.insert(permission.to_owned(), level);
        self
    }

    /// Installs it on these repositories (full names).
    #[must_use]
    pub fn on(mut self, repositories: &[&str]) -> Self {
        self.repositories.extend(repositories.iter().map(|name| (*name).to_owned()));
        self
    }

    /// Suspends its installations.
    #[must_use]
    pub fn suspended(mut self) -> Self {
        self.suspended = true;
        self
    }

    /// Its account.
    pub(crate) fn login(&self) -> String {
        format!("{}[bot]", self.slug)
    }

    /// What its tokens are granted.
    pub(crate) fn granted(&self) -> BTreeMap<String, Level> {
        let mut granted = self.permissions.clone();
        granted.entry("metadata".to_owned()).or_insert(Level::Read);
        granted
    }

    /// The repositories of one owner that it is installed on.
    pub(crate) fn repositories_of(&self, owner: &str) -> Vec<&str> {
        let of = |name: &&str| name.split_once('/').is_some_and(|(its, _)| its.eq_ignore_ascii_case(owner));
        self.repositories.iter().map(String::as_str).filter(of).collect()
    }
}

/// An App as the site keeps it.
#[derive(Clone)]
pub(crate) struct Registered {
    pub app: App,
    pub id: u64,
    key: Vec<u8>,
    /// The id of its installation by owner.
    pub installations: BTreeMap<String, u64>,
}

/// Registers an App, or takes what it is now where its slug is known; returns its id.
pub(crate) fn register(site: &mut Site, app: App) -> anyhow::Result<u64> {
    let base64: String =
        app.public_key.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
    let key = STANDARD.decode(base64).context("the public key's PEM")?;
    if key.is_empty() || !app.public_key.contains("-----BEGIN RSA PUBLIC KEY-----") {
        bail!("the public key of `{}` is not PEM of PKCS#1", app.slug);
    }
    let id = site.app_id(&app.slug);
    let known = site.registered.iter().position(|known| known.id == id).map(|at| site.registered.remove(at));
    let mut installations = known.map(|known| known.installations).unwrap_or_default();
    for (owner, _) in app.repositories.iter().filter_map(|name| name.split_once('/')) {
        installations.entry(owner.to_lowercase()).or_insert_with(|| site.next_id("installation"));
    }
    installations.retain(|owner, _| !app.repositories_of(owner).is_empty());
    site.registered.push(Registered { app, id, key, installations });
    Ok(id)
}

/// The App whose signature a request shows, as a token that speaks for the App itself.
pub(crate) fn signed_by(site: &Site, header: Option<&str>) -> Result<Token, Refusal> {
    let undecodable = || Refusal::new(401, "A JSON web token could not be decoded");
    let (scheme, jwt) = header
        .and_then(|header| header.split_once(' '))
        .ok_or_else(|| Refusal::new(401, "Requires authentication"))?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(undecodable());
    }
    let (signed, signature) = jwt.trim().rsplit_once('.').ok_or_else(undecodable)?;
    let (head, claims) = signed.split_once('.').ok_or_else(undecodable)?;
    let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| undecodable());
    let json = |part: &str| serde_json::from_slice::<Value>(&bytes(part)?).map_err(|_| undecodable());
    let (head, claims) = (json(head)?, json(claims)?);
    if head.get("alg").and_then(Value::as_str) != Some("RS256") {
        return Err(undecodable());
    }
    let issuer = match claims.get("iss") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => return Err(Refusal::new(401, "'Issuer' claim ('iss') must be an Integer or a String")),
    };
    let is_it = |known: &&Registered| known.id.to_string() == issuer || known.app.client_id == issuer;
    let known =
        site.registered.iter().find(is_it).ok_or_else(|| Refusal::new(404, "Integration not found"))?;
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &known.key);
    key.verify(signed.as_bytes(), &bytes(signature)?).map_err(|_| undecodable())?;
    in_time(&claims, site.clock.signed())?;
    Ok(Token::bare("", &known.app.slug, TokenKind::App))
}

/// The times of a signature: GitHub's words for each.
fn in_time(claims: &Value, now: Timestamp) -> Result<(), Refusal> {
    let (claim, now) = (|name: &str| claims.get(name).and_then(Value::as_i64), now.as_second());
    if claim("iat").is_none_or(|issued| issued > now) {
        return Err(Refusal::new(
            401,
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
        ));
    }
    match claim("exp") {
        Some(end) if end > now + LONGEST => {
            Err(Refusal::new(401, "'Expiration time' claim ('exp') is too far in the future"))
        }
        Some(end) if end > now => Ok(()),
        _ => Err(Refusal::new(
            401,
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the \
             assertion expires",
        )),
    }
}
