//! Whether a tag is signed, as GitHub answers it: which keys are whose is known there alone.

use super::Release;
use super::shortfall::{Shortfall, code};
use crate::names::CommitSha;
use crate::plan::Standing;

/// An annotated tag's object, with what GitHub says of its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagObject {
    /// The name that was signed; a ref may be called otherwise.
    pub name: String,
    /// What it points at.
    pub target: CommitSha,
    /// Whether the signature is one that GitHub verified.
    pub verified: bool,
    /// Why, in GitHub's word: `valid`, `unsigned`, `unknown_key`, ...
    pub reason: String,
}

/// Whether GitHub verified the signature of a release's tag.
pub fn verified(release: &Release, tag: &TagObject) -> Result<(), Shortfall> {
    if !tag.verified {
        return Err(short_of_it(match tag.reason.as_str() {
            "unsigned" => "its tag has no signature".to_owned(),
            reason => {
                format!("GitHub did not verify its tag's signature: {}", code(&reason.replace('_', " ")))
            }
        }));
    }
    // A signed tag may be put under another name, and the signature stays good.
    if tag.name != release.tag {
        let why = format!("what is signed is the tag {}, put under another name", code(&tag.name));
        return Err(short_of_it(why));
    }
    if tag.target != release.commit {
        let why = "its tag was signed for another object than the commit that it stands for";
        return Err(short_of_it(why));
    }
    Ok(())
}

/// What a lightweight tag lacks.
pub fn lightweight() -> Shortfall {
    short_of_it("its tag is lightweight and has no signature")
}

/// What a tag lacks whose object GitHub does not have (any more).
pub fn gone() -> Shortfall {
    short_of_it("GitHub has no object of its tag, so that nothing is known of a signature")
}

fn short_of_it(why: impl Into<String>) -> Shortfall {
    let remedy = "under a tag with a signature that GitHub verifies (`git tag -s`)";
    Shortfall::new(Standing::NotSigned, why, remedy)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use super::*;
    use crate::release::version::Version;

    #[test]
    fn only_a_verified_signature_of_this_tag_on_this_commit_is_one() {
        let sha = |c: &str| CommitSha::parse(&c.repeat(40)).unwrap();
        let tag = "v1.8.0".to_owned();
        let release = Release {
            version: Version::parse(&tag),
            tag,
            commit: sha("a"),
            object: sha("b"),
            tagged_at: None,
            signed: None,
        };
        let good =
            TagObject { name: "v1.8.0".into(), target: sha("a"), verified: true, reason: "valid".into() };
        assert_eq!(verified(&release, &good), Ok(()));
        let unsigned = TagObject { verified: false, reason: "unsigned".into(), ..good.clone() };
        let unknown = TagObject { verified: false, reason: "unknown_key".into(), ..good.clone() };
        let renamed = TagObject { name: "v1.7.0".into(), ..good.clone() };
        let elsewhere = TagObject { target: sha("c"), ..good };
        for (tag, why) in [
            (&unsigned, "its tag has no signature"),
            (&unknown, "GitHub did not verify its tag's signature: `unknown key`"),
            (&renamed, "what is signed is the tag `v1.7.0`, put under another name"),
            (&elsewhere, "its tag was signed for another object than the commit that it stands for"),
        ] {
            assert_eq!(verified(&release, tag).unwrap_err().reason, why);
        }
    }
}
