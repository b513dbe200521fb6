//! `image-digest`: the images of this promotion have a sha256 digest. A registry can move any tag.

use super::image_pinned::has_digest;
use super::{Subject, of_artifact};
use crate::plan::{ArtifactKind, Finding, Verdict};

pub(super) const NAME: &str = "image-digest";

pub(super) fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    let hint =
        format!("record the digest beside the tag in {}, and it is promoted with it", subject.source());
    subject
        .artifacts(ArtifactKind::Image)
        .filter(|image| !has_digest(&image.to))
        .map(|image| {
            let message = match image.to.digest.as_deref().map(str::trim) {
                None | Some("") => format!("image `{}` has no digest", image.name),
                Some(other) => {
                    format!("image `{}` has `{other}` for a digest, which is no sha256", image.name)
                }
            };
            of_artifact(NAME, Verdict::Warn, image, message, hint.clone())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ArtifactVersion;
    use crate::proposal::sample::{artifact, digest, plan, tagged};

    #[test]
    fn an_image_without_a_digest_is_a_warning() {
        let mut plan = plan();
        for (to, expected) in [
            (tagged("v1"), Some("image `agent` has no digest")),
            (ArtifactVersion { tag: None, digest: Some(" ".into()) }, Some("image `agent` has no digest")),
            (
                ArtifactVersion { tag: None, digest: Some("md5:1".into()) },
                Some("image `agent` has `md5:1` for a digest, which is no sha256"),
            ),
            (ArtifactVersion { tag: None, digest: Some(digest('0')) }, None),
            (tagged(&format!("v1@{}", digest('0'))), None),
        ] {
            plan.artifacts = vec![
                artifact(ArtifactKind::Image, "agent", tagged("v0"), to, 9),
                artifact(ArtifactKind::Model, "scoring", tagged("1"), tagged("2"), 12),
            ];
            let found = findings(&Subject { plan: &plan, files: &[] });
            assert_eq!(
                found.first().map(|f| (f.level, f.message.as_str())),
                expected.map(|m| (Verdict::Warn, m))
            );
            assert!(found.len() < 2);
        }
    }
}
