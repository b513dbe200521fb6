//! Labels of a pull request, which GitHub makes out of nothing only for those who may.
//!
//! To add a label that the repository has, `pull-requests: write` is enough; to make one takes `issues: write`.

use http::Method;
use serde_json::json;

use super::GitHub;
use super::client::Refusal;
use super::pulls::PULLS;
use crate::failure::{Failure, Kind, Result};

impl GitHub {
    /// Adds labels, making those that are missing where the token may.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached; where labels are missing that the token may not make, the others
    /// are added all the same.
    pub async fn add_labels(&self, number: u64, labels: &[String]) -> Result<()> {
        match self.label(number, labels).await {
            Err(refusal) if may_not_make(&refusal) => {}
            other => return Ok(other?),
        }
        // One that is missing keeps the others from being added.
        let mut missing = Vec::new();
        for label in labels {
            match self.label(number, std::slice::from_ref(label)).await {
                Err(refusal) if may_not_make(&refusal) => missing.push(label.replace('`', "'")),
                other => other?,
            }
        }
        if missing.is_empty() { Ok(()) } else { Err(self.cannot_make(&missing)) }
    }

    async fn label(&self, number: u64, labels: &[String]) -> Result<(), Refusal> {
        let path = self.path(&format!("/issues/{number}/labels"));
        let body = json!({"labels": labels});
        self.writer
            .settled(async || self.writer.write(&Method::POST, &path, &body, PULLS).await)
            .await
            .map(drop)
    }

    fn cannot_make(&self, missing: &[String]) -> Failure {
        let names = missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let make = missing.iter().map(|name| format!("`gh label create \"{name}\"`"));
        Failure::new(
            Kind::GitHub,
            format!(
                "the repository has no label {names}, and the token of {} may not create one",
                self.writer.credential().source()
            ),
        )
        .hinted(format!(
            "create it once ({}), or grant `issues: write` to {}",
            make.collect::<Vec<_>>().join(", "),
            self.writer.credential().grantee()
        ))
    }
}

/// GitHub's words of 2025 for a label that would have to be made first.
fn may_not_make(refusal: &Refusal) -> bool {
    refusal.is(http::StatusCode::FORBIDDEN) && refusal.message.contains("permission to create labels")
}
