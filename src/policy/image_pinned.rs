//! `image-pinned`: the images of this promotion have a tag that stays what it is, or a digest.
//!
//! A moving tag means that what was tested and what will run are only the same by luck.

use super::{Subject, of_artifact};
use crate::overlay::is_moving;
use crate::plan::{ArtifactKind, ArtifactVersion, Finding, Verdict};

pub(super) const NAME: &str = "image-pinned";

pub(super) fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    let hint = format!(
        "whoever releases `{}` can set a tag of one build, or a digest, in {} and tag a new release",
        subject.plan.app.name,
        subject.source()
    );
    subject
        .artifacts(ArtifactKind::Image)
        .filter_map(|image| {
            let why = not_pinned(&image.to)?;
            let message = format!("image `{}` would run {why}", image.name);
            Some(of_artifact(NAME, Verdict::Deny, image, message, hint.clone()))
        })
        .collect()
}

/// Why a version may mean another image tomorrow.
fn not_pinned(version: &ArtifactVersion) -> Option<String> {
    if has_digest(version) {
        return None;
    }
    match tag_of(version) {
        "" => Some("without a tag, which means `latest`".to_owned()),
        tag if is_moving(tag) => Some(format!("`{tag}`, a tag that moves, without a digest")),
        _ => None,
    }
}

/// Whether a sha256 digest stands beside the tag, or in a one-string reference.
pub(super) fn has_digest(version: &ArtifactVersion) -> bool {
    let written = version.digest.as_deref().unwrap_or_default().trim();
    let inline = version.tag.as_deref().and_then(|tag| tag.rsplit_once('@')).map_or("", |(_, digest)| digest);
    [written, inline].into_iter().any(is_digest)
}

pub(super) fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The tag, also of a one-string reference: `ghcr.io:443/acme/agent:v1@sha256:…`.
fn tag_of(version: &ArtifactVersion) -> &str {
    let whole = version.tag.as_deref().unwrap_or_default().trim();
    let whole = whole.split_once('@').map_or(whole, |(before, _)| before);
    match whole.rsplit_once('/') {
        Some((_, last)) => last.split_once(':').map_or("", |(_, tag)| tag),
        None => whole.rsplit_once(':').map_or(whole, |(_, tag)| tag),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]

    use super::*;
    use crate::proposal::sample::{artifact, digest, plan, tagged};

    fn judged(to: ArtifactVersion) -> Vec<Finding> {
        let mut plan = plan();
        plan.artifacts = vec![artifact(ArtifactKind::Image, "ghcr.io/acme/agent", tagged("v1"), to, 9)];
        findings(&Subject { plan: &plan, files: &[] })
    }

    #[test]
    fn a_moving_tag_without_a_digest_is_denied() {
        for tag in [
            "latest",
            "Latest",
            "main",
            "master",
            "dev",
            "develop",
            "stable",
            "edge",
            "nightly",
            "prod",
            "staging",
            "",
            " ",
            "latest-alpine",
            "main-arm64",
            "stable_slim",
            "v3-latest",
            "latest-v3",
            "ghcr.io/acme/agent:latest",
            "localhost:5000/agent",
            "ghcr.io:443/acme/agent",
        ] {
            let found = judged(tagged(tag));
            assert_eq!(found.iter().map(|f| f.level).collect::<Vec<_>>(), [Verdict::Deny], "{tag:?}");
        }
        assert_eq!(judged(ArtifactVersion::default()).len(), 1);
    }

    #[test]
    fn a_tag_of_one_build_passes() {
        for tag in [
            "v1.8.0",
            "1.10",
            "2026-11-20",
            "3f1c9ab",
            "sha-3f1c9ab",
            "main-3f1c9ab",
            "nightly-20260901",
            "beta.2",
            "develop-412",
            "mainline",
            "latest-3f1c9ab",
            "ghcr.io/acme/agent:v1",
            "localhost:5000/agent:v1",
        ] {
            assert_eq!(judged(tagged(tag)), [], "{tag}");
        }
    }

    #[test]
    fn a_digest_pins_any_tag() {
        let to = |tag: Option<&str>, digest: &str| ArtifactVersion {
            tag: tag.map(str::to_owned),
            digest: Some(digest.to_owned()),
        };
        assert_eq!(judged(to(Some("latest"), &digest('a'))), []);
        assert_eq!(judged(to(None, &digest('a'))), []);
        assert_eq!(judged(tagged(&format!("ghcr.io/acme/agent:latest@{}", digest('b')))), []);
        assert_eq!(judged(to(Some("latest"), "sha256:short")).len(), 1);
        assert_eq!(judged(to(Some("latest"), "")).len(), 1);
    }

    #[test]
    fn the_finding_says_where_and_who_can_act() {
        let found = &judged(tagged("latest"))[0];
        assert_eq!(found.location.as_ref().unwrap().line, 9);
        assert_eq!(
            found.message,
            "image `ghcr.io/acme/agent` would run `latest`, a tag that moves, without a digest"
        );
        assert!(found.hint.as_ref().unwrap().contains("environments/staging/fraud-agent"));
    }
}
