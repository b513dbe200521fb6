//! Commits by the Git Data API, and the one ref move that publishes them.
//!
//! No author or committer is set, so that GitHub signs the commit. The move is a compare-and-swap
//! (`updateRefs` with `beforeOid`); where a server lacks it, the ref is read afresh and moved by REST.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::GitHub;
use super::client::{Refusal, encoded};
use crate::failure::{Failure, Kind, Result};
use crate::names::{BranchName, CommitSha};

/// A file of the commit to be made.
#[derive(Debug, Clone)]
pub struct NewFile<'a> {
    /// Path in the repository.
    pub path: &'a str,
    /// Git's mode.
    pub mode: u32,
    /// Its text.
    pub content: &'a str,
}

/// A commit as the API tells it.
#[derive(Debug, Clone)]
pub struct CommitMessage {
    /// The message.
    pub message: String,
    /// Its parents, the first one first.
    pub parents: Vec<CommitSha>,
}

const ZEROS: &str = "0000000000000000000000000000000000000000";
const CONTENTS: &str = "contents: write";

impl GitHub {
    /// Makes a commit of `files` on top of `parent`; it is on no branch yet.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn create_commit(
        &self,
        parent: &CommitSha,
        parent_tree: &str,
        files: &[NewFile<'_>],
        message: &str,
    ) -> Result<CommitSha> {
        let entries: Vec<_> = files
            .iter()
            .map(|file| json!({"path": file.path, "mode": format!("{:06o}", file.mode), "type": "blob", "content": file.content}))
            .collect();
        let body = json!({"base_tree": parent_tree, "tree": entries});
        let tree: WireObject =
            self.writer.written(&Method::POST, &self.path("/git/trees"), &body, CONTENTS).await?;
        let tree = CommitSha::parse(&tree.sha)?;
        let body = json!({"message": message, "tree": tree, "parents": [parent]});
        let commit: WireObject =
            self.writer.written(&Method::POST, &self.path("/git/commits"), &body, CONTENTS).await?;
        CommitSha::parse(&commit.sha)
    }

    /// Moves `branch` from `before` (absent: it must not exist) to `after`, or to nothing.
    ///
    /// # Errors
    /// [`Kind::LostRace`] when the branch is no longer where it was; else when GitHub refuses.
    pub async fn move_branch(
        &self,
        branch: &BranchName,
        before: Option<&CommitSha>,
        after: Option<&CommitSha>,
    ) -> Result<()> {
        let repository: WireRepository = self.writer.get(&self.path(""), "metadata: read").await?;
        if repository.node_id.is_empty() {
            return self.move_branch_by_rest(branch, before, after).await;
        }
        let query = "mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }";
        let or_zeros = |sha: Option<&CommitSha>| sha.map_or_else(|| ZEROS.to_owned(), ToString::to_string);
        let update = json!({
            "name": branch.full(), "beforeOid": or_zeros(before), "afterOid": or_zeros(after), "force": true,
        });
        let variables = json!({"input": {"repositoryId": repository.node_id, "refUpdates": [update]}});
        match self.writer.graphql(query, &variables, CONTENTS).await {
            Ok(_) => Ok(()),
            Err(refusal) if lacks_update_refs(&refusal) => {
                self.move_branch_by_rest(branch, before, after).await
            }
            Err(refusal) => self.moved_after_all(branch, before, after, refusal).await,
        }
    }

    async fn move_branch_by_rest(
        &self,
        branch: &BranchName,
        before: Option<&CommitSha>,
        after: Option<&CommitSha>,
    ) -> Result<()> {
        tracing::warn!(
            "this server has no `updateRefs`: the branch is moved by REST after a fresh read, which cannot compare"
        );
        let now = self.branch_head(branch).await?;
        if now.as_ref() != before {
            return Err(lost_race(branch));
        }
        let one = self.path(&format!("/git/refs/heads/{}", in_path(branch)));
        let done = match (before, after) {
            (_, None) => self.writer.delete(&one, CONTENTS).await,
            (None, Some(after)) => {
                let body = json!({"ref": branch.full(), "sha": after});
                self.writer.write(&Method::POST, &self.path("/git/refs"), &body, CONTENTS).await
            }
            (Some(_), Some(after)) => {
                self.writer.write(&Method::PATCH, &one, &json!({"sha": after, "force": true}), CONTENTS).await
            }
        };
        match done {
            Ok(_) => Ok(()),
            Err(refusal) => self.moved_after_all(branch, before, after, refusal).await,
        }
    }

    /// What a refused or unanswered move came to: the branch may be where it should, or where another put it.
    async fn moved_after_all(
        &self,
        branch: &BranchName,
        before: Option<&CommitSha>,
        after: Option<&CommitSha>,
        refusal: Refusal,
    ) -> Result<()> {
        match self.branch_head(branch).await {
            Ok(now) if now.as_ref() == after => Ok(()),
            Ok(now) if now.as_ref() != before => Err(lost_race(branch)),
            _ => {
                let refused = refusal.status.is_some_and(|status| !status.is_server_error());
                let failure = Failure::from(refusal);
                let unhinted = failure.problems().iter().all(|problem| problem.hints.is_empty());
                if !refused || !unhinted {
                    return Err(failure);
                }
                Err(failure.hinted(format!(
                    "a rule of the repository may forbid it: let {} make, move and delete branches below `promote/`",
                    self.writer.credential().source()
                )))
            }
        }
    }

    /// Where a branch is now.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn branch_head(&self, branch: &BranchName) -> Result<Option<CommitSha>> {
        let path = self.path(&format!("/git/ref/heads/{}", in_path(branch)));
        match self.writer.get::<WireRef>(&path, "contents: read").await {
            Ok(found) => CommitSha::parse(&found.object.sha).map(Some),
            Err(refusal) if refusal.is(http::StatusCode::NOT_FOUND) => Ok(None),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// The message of any commit the server has, also of one that is on no branch any more.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn commit_message(&self, commit: &CommitSha) -> Result<Option<CommitMessage>> {
        match self
            .reader
            .get::<WireCommit>(&self.path(&format!("/git/commits/{commit}")), "contents: read")
            .await
        {
            Ok(found) => {
                let parents = found.parents.iter().filter_map(|parent| CommitSha::parse(&parent.sha).ok());
                Ok(Some(CommitMessage { parents: parents.collect(), message: found.message }))
            }
            Err(refusal) if refusal.is(http::StatusCode::NOT_FOUND) => Ok(None),
            Err(refusal) => Err(refusal.into()),
        }
    }
}

/// A branch in an address: its slashes stay, all else that is special is encoded.
fn in_path(branch: &BranchName) -> String {
    branch.as_str().split('/').map(encoded).collect::<Vec<_>>().join("/")
}

/// Somebody else was quicker: looking again may help.
pub fn lost_race(branch: &BranchName) -> Failure {
    Failure::new(
        Kind::LostRace,
        format!("`{branch}` or its pull request was changed by somebody else while this run looked at it"),
    )
    .hinted("run it again: it will look afresh")
}

/// Older servers do not know the mutation; servers without GraphQL answer 404.
fn lacks_update_refs(refusal: &Refusal) -> bool {
    let unknown = ["updateRefs", "UpdateRefsInput"].iter().any(|name| refusal.message.contains(name))
        && ["doesn't exist", "isn't a defined", "not exist", "Unknown", "unknown", "Cannot query"]
            .iter()
            .any(|said| refusal.message.contains(said));
    refusal.is(http::StatusCode::NOT_FOUND) || refusal.is(http::StatusCode::NOT_IMPLEMENTED) || unknown
}

#[derive(Deserialize)]
struct WireRepository {
    #[serde(default)]
    node_id: String,
}

#[derive(Deserialize)]
struct WireRef {
    object: WireObject,
}

#[derive(Deserialize)]
struct WireObject {
    sha: String,
}

#[derive(Deserialize)]
struct WireCommit {
    message: String,
    #[serde(default)]
    parents: Vec<WireObject>,
}
