//! What a GitHub App does itself: with its key it mints the token that writes, and takes it back in the end.
//!
//! Two requests are signed by the key, with a JWT that is good for minutes; all others carry the token, which opens
//! one repository, and ends by itself within an hour. Nothing is shown here: whoever mints must mask.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use ring::rand::SystemRandom;
use ring::signature::RSA_PKCS1_SHA256;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::client::{Address, Client, Credential, encoded};
use crate::failure::{Failure, Kind, Result};
use crate::names::RepoSlug;
use crate::secret::Secret;
use crate::settings::GitHubApp;

/// How far a JWT is dated back, in seconds: GitHub's clock may be behind, and refuses what comes from its future.
const DRIFT: u64 = 60;
/// How long a JWT is good for from now, in seconds; GitHub takes ten minutes at most.
const LIFETIME: u64 = 9 * 60;
/// The longest that a run waits to take its token back.
const PATIENCE: Duration = Duration::from_secs(10);

/// A token that an App's installation gave for one repository.
#[derive(Debug)]
pub struct InstallationToken {
    token: Secret,
    credential: Credential,
}

impl InstallationToken {
    /// Asks the App's installation on `repository` for a token that opens this repository alone.
    ///
    /// # Errors
    /// When the key is not the App's, the App is not installed there or suspended, and when GitHub cannot be reached.
    pub async fn mint(
        address: &Address,
        http: &crate::http::Client,
        app: &GitHubApp,
        repository: &RepoSlug,
    ) -> Result<Self> {
        let jwt = signed(app, now())?;
        let signature = Credential::Signature { app: app.id.clone(), repository: repository.clone() };
        let client = Client::new(address, &jwt, signature, http.clone())?;
        let (owner, name) = (encoded(&repository.owner), encoded(&repository.name));
        let installation: WireInstallation =
            client.get(&format!("/repos/{owner}/{name}/installation"), NEEDS).await?;
        let path = format!("/app/installations/{}/access_tokens", installation.id);
        let body = json!({"repositories": [repository.name]});
        let minted: WireToken = client.written(&Method::POST, &path, &body, NEEDS).await?;
        Ok(Self { token: Secret::new(minted.token), credential: installation.credential(app) })
    }

    /// The token, to be masked.
    pub fn secret(&self) -> &Secret {
        &self.token
    }

    /// A client that shows it.
    pub(super) fn client(&self, address: &Address, http: &crate::http::Client) -> Result<Client> {
        Client::new(address, &self.token, self.credential.clone(), http.clone())
    }

    /// Takes the token back, where GitHub answers soon; else it ends by itself within the hour.
    pub async fn revoke(&self, address: &Address, http: &crate::http::Client) {
        let revoked = async {
            let client = self.client(address, http)?;
            client.delete("/installation/token", NEEDS).await.map_err(Failure::from)
        };
        match tokio::time::timeout(PATIENCE, revoked).await {
            Ok(Ok(_)) => tracing::debug!("the App's token is revoked"),
            Ok(Err(failure)) => {
                // Its hint is for a run that was stopped by it.
                let why = failure.problems().first().map_or("", |problem| problem.message.as_str());
                tracing::info!(%why, "the App's token could not be revoked; it ends by itself within the hour");
            }
            Err(_) => {
                tracing::info!("GitHub is slow to revoke the App's token; it ends by itself within the hour");
            }
        }
    }
}

/// No permission: an App may do so by being one.
const NEEDS: &str = "";

/// Seconds since 1970 by this machine's clock.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The JWT by which an App is known to be itself, at a time in seconds since 1970.
///
/// <https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>
fn signed(app: &GitHubApp, now: u64) -> Result<Secret> {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(&json!({"alg": "RS256", "typ": "JWT"}));
    let claims = part(&json!({"iat": now.saturating_sub(DRIFT), "exp": now + LIFETIME, "iss": app.id}));
    let text = format!("{header}.{claims}");
    let key = app.key.pair();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).map_err(|_| {
        Failure::new(Kind::Machine, "this machine cannot sign with the key of `private-key`")
            .hinted("it gives no random numbers; run it on another")
    })?;
    Ok(Secret::new(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

#[derive(Deserialize)]
struct WireInstallation {
    id: u64,
    #[serde(default)]
    app_slug: String,
    #[serde(default)]
    html_url: String,
}

impl WireInstallation {
    /// Whose the token is, in words that the next act can have in it.
    fn credential(self, app: &GitHubApp) -> Credential {
        let plain = |slug: &String| {
            !slug.is_empty() && slug.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        };
        let name = Some(self.app_slug).filter(plain).unwrap_or_else(|| app.id.clone());
        let page = Url::parse(&self.html_url).ok().filter(|page| matches!(page.scheme(), "http" | "https"));
        Credential::Installation { app: name, page: page.map(String::from) }
    }
}

/// No `Debug`: it is a token.
#[derive(Deserialize)]
struct WireToken {
    token: String,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;
    use crate::settings::{Asked, Event, Inputs};

    fn app(id: &str) -> GitHubApp {
        let key = include_str!("../../tests/fixtures/app/test-key.pem");
        let inputs = Inputs::from_flags([("app-id", id), ("private-key", key)]);
        Asked::join(inputs, Inputs::default(), &Event::local()).unwrap().github_app().unwrap().clone()
    }

    #[test]
    fn a_jwt_says_who_signed_it_when_and_until_when() {
        for id in ["12345", "Iv23liGpD9h1sZxYQbCd"] {
            let app = app(id);
            let jwt = signed(&app, 1_800_000_000).unwrap();
            let [header, claims, signature] = jwt.expose().split('.').collect::<Vec<_>>().try_into().unwrap();
            let read = |part: &str| -> Value {
                serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
            };
            assert_eq!(read(header), json!({"alg": "RS256", "typ": "JWT"}));
            assert_eq!(read(claims), json!({"iat": 1_799_999_940_u64, "exp": 1_800_000_540_u64, "iss": id}));
            let public =
                UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, app.key.pair().public().as_ref());
            let text = format!("{header}.{claims}");
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            public.verify(text.as_bytes(), &signature).unwrap();
            assert!(public.verify(format!("{text}x").as_bytes(), &signature).is_err());
            assert_eq!(format!("{jwt:?}"), "***");
        }
    }

    #[test]
    fn an_app_is_named_by_what_is_plain_in_the_answer() {
        let named = |slug: &str, page: &str| {
            let wire = WireInstallation { id: 1, app_slug: slug.into(), html_url: page.into() };
            match wire.credential(&app("12345")) {
                Credential::Installation { app, page } => (app, page),
                other => unreachable!("{other:?}"),
            }
        };
        let page = "https://github.com/organizations/acme/settings/installations/1";
        assert_eq!(named("promoter", page), ("promoter".into(), Some(page.into())));
        assert_eq!(named("a`b\n::x", "javascript:alert(1)"), ("12345".into(), None));
        assert_eq!(named("", ""), ("12345".into(), None));
    }
}
