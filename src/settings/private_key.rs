//! The private key of a GitHub App, in whatever spelling a secret holds it.
//!
//! GitHub gives a file of PEM. Secrets hold it as it is, with `\n` typed out where its lines end, or as
//! one text of base64. Not a byte of what was given is shown, neither in an error nor in a debug print.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ring::signature::RsaKeyPair;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;

use super::values::{Parsed, Wrong};
use crate::secret::Secret;

/// A line shorter than this is not masked: it tells next to nothing, and would blot out the log.
const SHORT: usize = 8;

const EXPECTED: &str = "give it the whole .pem file that the App's page gave, from `-----BEGIN RSA PRIVATE KEY-----` to \
                        `-----END RSA PRIVATE KEY-----`: as it is, with `\\n` for the ends of lines, or in base64";

/// An RSA key that a GitHub App signs with.
#[derive(Clone)]
pub struct PrivateKey(Arc<RsaKeyPair>);

impl PrivateKey {
    /// Reads PEM of PKCS#1, as GitHub gives it, or of PKCS#8.
    pub(super) fn parse(text: &str) -> Parsed<Self> {
        let pair = pem(text).and_then(|pem| match PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok()? {
            PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()).ok(),
            PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).ok(),
            _ => None,
        });
        // What the libraries say of it is of no help, and might quote it.
        let wrong = || Wrong::new("this is not the private key of a GitHub App").hinted(EXPECTED);
        pair.map(|pair| Self(Arc::new(pair))).ok_or_else(wrong)
    }

    /// The key itself, for the signature that needs it.
    pub fn pair(&self) -> &RsaKeyPair {
        &self.0
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a log must hide of a key, or of what was given for one: its lines, in the spelling that was given
/// and as PEM. A runner hides by line.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Secret> {
    let pem = pem(text).unwrap_or_default();
    let alone = text.trim();
    let mut found: BTreeSet<&str> =
        pieces(text).chain(pieces(&pem)).filter(|line| line.len() >= SHORT).collect();
    // What is one line is hidden whole, as a token is.
    if !alone.contains(LINE_ENDS) && !alone.is_empty() {
        found.insert(alone);
    }
    let found: Vec<Secret> = found.into_iter().filter(|line| !is_marker(line)).map(Secret::new).collect();
    found.into_iter()
}

/// The PEM in a text, its lines ended as Unix ends them.
fn pem(text: &str) -> Option<String> {
    let decoded;
    let text = if text.contains("-----BEGIN ") {
        text
    } else {
        let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let base64: String = text.split_whitespace().collect();
        decoded =
            String::from_utf8(GeneralPurpose::new(&alphabet::STANDARD, config).decode(base64).ok()?).ok()?;
        decoded.as_str()
    };
    let text = text.replace("\\r", "").replace("\\n", "\n");
    Some(pieces(&text).flat_map(|line| [line, "\n"]).collect())
}

const LINE_ENDS: [char; 2] = ['\n', '\r'];

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(LINE_ENDS).map(str::trim).filter(|line| !line.is_empty())
}

/// `-----BEGIN RSA PRIVATE KEY-----` and its like, which are no secret.
fn is_marker(line: &str) -> bool {
    let inner = line.strip_prefix("-----").and_then(|line| line.strip_suffix("-----"));
    inner.is_some_and(|inner| inner.chars().all(|c| c.is_ascii_uppercase() || c == ' '))
}

#[cfg(test)]
mod tests;
