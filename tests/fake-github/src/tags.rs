//! Tags: made, and signed as far as GitHub tells.

use anyhow::{Context as _, bail};
use jiff::Timestamp;

use crate::repo::Repo;
use crate::store::Signer;

/// What GitHub may say of a signature: <https://docs.github.com/rest/git/tags>
const REASONS: &[&str] = &[
    "expired_key",
    "not_signing_key",
    "gpgverify_error",
    "gpgverify_unavailable",
    "unsigned",
    "unknown_signature_type",
    "no_user",
    "unverified_email",
    "bad_email",
    "unknown_key",
    "malformed_signature",
    "invalid",
    "valid",
    "bad_cert",
    "ocsp_pending",
    "ocsp_error",
    "ocsp_revoked",
];

/// GitHub's word for a reason.
pub(crate) fn reason(text: &str) -> anyhow::Result<&'static str> {
    let known = REASONS.iter().find(|known| **known == text).copied();
    known.with_context(|| format!("`{text}` is no reason: GitHub has {}", REASONS.join(", ")))
}

impl Repo {
    /// Makes a lightweight tag.
    pub fn tag(&self, name: &str, target: &str) -> anyhow::Result<()> {
        self.set_ref(&format!("refs/tags/{name}"), target)
    }

    /// Makes an annotated tag by a person, unsigned; returns the tag object's sha.
    pub fn annotated_tag(
        &self,
        name: &str,
        target: &str,
        message: &str,
        tagger: &str,
        at: Option<Timestamp>,
    ) -> anyhow::Result<String> {
        self.with(|site, repo| {
            let commit = repo.store.resolve(target).with_context(|| format!("no commit `{target}`"))?;
            let (email, when) = (site.email(tagger), at.unwrap_or(site.clock.now()));
            let signature = Signer { name: tagger, email: &email, when }.signature()?;
            Ok(repo.store.git.tag(name, commit.as_object(), &signature, message, true)?.to_string())
        })
    }

    /// Says what GitHub finds out about the signature of an annotated tag: `valid` verifies it, any other of
    /// GitHub's reasons (`unsigned`, `unknown_key`, …) does not.
    ///
    /// It is remembered for the tag object that the ref `name` points at now, and holds for its every ref.
    pub fn verify_tag(&self, name: &str, reason: &str) -> anyhow::Result<()> {
        let reason = self::reason(reason)?;
        self.with(|_, repo| {
            let full = format!("refs/tags/{name}");
            let oid = repo.store.git.refname_to_id(&full).with_context(|| format!("no tag `{name}`"))?;
            if repo.store.git.find_tag(oid).is_err() {
                bail!("`{name}` is a lightweight tag: only an annotated one can be signed");
            }
            repo.tag_verification.insert(oid.to_string(), reason);
            Ok(())
        })
    }
}
