//! Annotated tags, with what GitHub says of their signatures.

use http::StatusCode;
use serde::Deserialize;

use super::GitHub;
use crate::failure::Result;
use crate::names::CommitSha;
use crate::release::signature::TagObject;

impl GitHub {
    /// The object of an annotated tag; none where GitHub has no such object (any more).
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn tag_object(&self, object: &CommitSha) -> Result<Option<TagObject>> {
        let path = self.path(&format!("/git/tags/{object}"));
        let tag: WireTag = match self.reader.get(&path, "contents: read").await {
            Ok(tag) => tag,
            Err(refusal) if refusal.is(StatusCode::NOT_FOUND) => return Ok(None),
            Err(refusal) => return Err(refusal.into()),
        };
        let verification = tag.verification.unwrap_or_default();
        Ok(Some(TagObject {
            name: tag.tag,
            target: CommitSha::parse(&tag.object.sha)?,
            // An answer about another object says nothing of this one.
            verified: verification.verified && tag.sha == object.as_str(),
            reason: verification.reason.unwrap_or_else(|| "unknown".to_owned()),
        }))
    }
}

#[derive(Deserialize)]
struct WireTag {
    sha: String,
    tag: String,
    object: WireObject,
    verification: Option<WireVerification>,
}

#[derive(Deserialize)]
struct WireObject {
    sha: String,
}

#[derive(Deserialize, Default)]
struct WireVerification {
    #[serde(default)]
    verified: bool,
    reason: Option<String>,
}
