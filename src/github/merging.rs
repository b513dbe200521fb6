//! When a pull request may be merged: drafts, auto-merge, and the merge itself.

use http::Method;
use serde_json::json;

use super::GitHub;
use super::pulls::{PULLS, PullState};
use crate::failure::Result;
use crate::names::CommitSha;

/// Whether GitHub turned auto-merge on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Armed {
    /// It did.
    Yes,
    /// Nothing keeps the pull request from being merged, so there is nothing to wait for.
    NothingToWaitFor,
    /// The same, but for checks that nobody requires, and that are pending or failed.
    NothingRequired,
}

impl GitHub {
    /// Marks a draft as ready for review.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn mark_ready(&self, node_id: &str) -> Result<()> {
        let query = "mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { clientMutationId } }";
        self.writer.graphql(query, &json!({"id": node_id}), PULLS).await?;
        Ok(())
    }

    /// Turns a pull request into a draft.
    ///
    /// # Errors
    /// When GitHub refuses, as it does where drafts are not offered.
    pub async fn mark_draft(&self, node_id: &str) -> Result<()> {
        let query = "mutation($id: ID!) { convertPullRequestToDraft(input: {pullRequestId: $id}) { clientMutationId } }";
        self.writer.graphql(query, &json!({"id": node_id}), PULLS).await?;
        Ok(())
    }

    /// Turns auto-merge on.
    ///
    /// # Errors
    /// When GitHub refuses.
    pub async fn arm(&self, node_id: &str, method: &str) -> Result<Armed> {
        let query = "mutation($id: ID!, $method: PullRequestMergeMethod!) { enablePullRequestAutoMerge(\
                     input: {pullRequestId: $id, mergeMethod: $method}) { clientMutationId } }";
        match self.writer.graphql(query, &json!({"id": node_id, "method": method}), PULLS).await {
            Ok(_) => Ok(Armed::Yes),
            Err(refusal) if refusal.message.contains("clean status") => Ok(Armed::NothingToWaitFor),
            Err(refusal) if refusal.message.contains("unstable status") => Ok(Armed::NothingRequired),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Turns auto-merge off.
    ///
    /// # Errors
    /// When GitHub refuses.
    pub async fn disarm(&self, node_id: &str) -> Result<()> {
        let query = "mutation($id: ID!) { disablePullRequestAutoMerge(input: {pullRequestId: $id}) { clientMutationId } }";
        self.writer.graphql(query, &json!({"id": node_id}), PULLS).await?;
        Ok(())
    }

    /// Merges a pull request whose head is still `head`; `method` is `merge`, `squash` or `rebase`.
    ///
    /// # Errors
    /// When GitHub refuses, or the head is another now.
    pub async fn merge(&self, number: u64, head: &CommitSha, method: &str) -> Result<()> {
        let path = self.path(&format!("/pulls/{number}/merge"));
        let body = json!({"sha": head, "merge_method": method});
        match self.writer.write(&Method::PUT, &path, &body, "contents: write").await {
            Ok(_) => Ok(()),
            // An answer that was lost after GitHub acted.
            Err(refusal) => match self.pull_request(number).await {
                Ok(pull) if pull.state == PullState::Merged => Ok(()),
                _ => Err(refusal.into()),
            },
        }
    }
}
