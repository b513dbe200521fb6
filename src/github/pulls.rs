//! The promotion pull request and its check, as GitHub has them.

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::encoded;
use super::{GitHub, set};
use crate::failure::Result;
use crate::names::{BranchName, CommitSha};

/// A pull request from the promotion branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// Its id for GraphQL.
    pub node_id: String,
    /// Its page.
    pub url: String,
    /// Where it stands.
    pub state: PullState,
    /// Its title.
    pub title: String,
    /// Its body; empty where there is none.
    pub body: String,
    /// The head it shows.
    pub head: Option<CommitSha>,
    /// The branch it goes to.
    pub base: String,
    /// Whether it is a draft.
    pub draft: bool,
    /// Whether it merges by itself once it may.
    pub auto_merge: bool,
    /// Its labels.
    pub labels: Vec<String>,
}

/// Where a pull request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullState {
    /// Waiting for review.
    Open,
    /// Closed without a merge.
    Closed,
    /// Merged.
    Merged,
}

/// What a new pull request says.
#[derive(Debug, Clone, Copy)]
pub struct NewPull<'a> {
    /// Its branch.
    pub head: &'a BranchName,
    /// Where it goes.
    pub base: &'a BranchName,
    /// Its title.
    pub title: &'a str,
    /// Its body.
    pub body: &'a str,
    /// Whether it is asked for as a draft.
    pub draft: bool,
}

/// Whether this run opened a pull request, or found it open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// This run.
    Now,
    /// Another run, or this one before its answer was lost.
    Before,
}

/// The label on a pull request that we closed ourselves, which is no person's refusal.
pub const CLOSED_BY_US: &str = "promote-superseded";

pub(super) const PULLS: &str = "pull-requests: write";

impl GitHub {
    /// Every pull request from `branch` to `base`, newest first.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn pull_requests(&self, branch: &BranchName, base: &BranchName) -> Result<Vec<PullRequest>> {
        let head = encoded(&format!("{}:{branch}", self.slug.owner));
        let path = self.path(&format!("/pulls?state=all&head={head}&base={}", encoded(base.as_str())));
        let pulls: Vec<WirePull> = self.writer.list(&path, None, "pull-requests: read").await?;
        // A fork may have a branch of the same name; some servers know no filter.
        let ours = |pull: &&WirePull| {
            let repository = pull.head.repo.as_ref().map(|repo| repo.full_name.as_str());
            pull.head.name == branch.as_str()
                && pull.base.name == base.as_str()
                && repository.is_none_or(|name| name.eq_ignore_ascii_case(&self.slug.to_string()))
        };
        let mut pulls: Vec<PullRequest> =
            pulls.into_iter().filter(|pull| ours(&pull)).map(WirePull::into_pull).collect();
        pulls.sort_by_key(|pull| std::cmp::Reverse(pull.number));
        Ok(pulls)
    }

    /// Opens a pull request; where drafts are not offered, a ready one. An open one that is already there is adopted.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn open_pull_request(&self, new: &NewPull<'_>) -> Result<(PullRequest, Opened)> {
        let mut body = json!({
            "title": new.title, "head": new.head, "base": new.base, "body": new.body, "draft": new.draft,
            "maintainer_can_modify": false,
        });
        let mut answer =
            self.writer.written::<WirePull>(&Method::POST, &self.path("/pulls"), &body, PULLS).await;
        if let Err(refusal) = &answer
            && new.draft
            && refusal.is(StatusCode::UNPROCESSABLE_ENTITY)
            && refusal.message.to_lowercase().contains("draft")
        {
            tracing::warn!(
                "this repository has no draft pull requests: it is opened as a ready one, and its failing check blocks it"
            );
            set(&mut body, "draft", Value::Bool(false));
            answer = self.writer.written::<WirePull>(&Method::POST, &self.path("/pulls"), &body, PULLS).await;
        }
        let refusal = match answer {
            Ok(pull) => return Ok((pull.into_pull(), Opened::Now)),
            Err(refusal) => refusal,
        };
        // A duplicate, or an answer that was lost after GitHub acted: look before giving up.
        let ambiguous = refusal
            .status
            .is_none_or(|status| status.is_server_error() || status == StatusCode::UNPROCESSABLE_ENTITY);
        if ambiguous {
            let open = self
                .pull_requests(new.head, new.base)
                .await?
                .into_iter()
                .find(|pull| pull.state == PullState::Open);
            if let Some(open) = open {
                return Ok((open, Opened::Before));
            }
        }
        Err(refusal.into())
    }

    /// Sets title and body.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn rewrite_pull_request(&self, number: u64, title: &str, body: &str) -> Result<()> {
        let path = self.path(&format!("/pulls/{number}"));
        self.writer.write(&Method::PATCH, &path, &json!({"title": title, "body": body}), PULLS).await?;
        Ok(())
    }

    /// Closes a pull request, and marks the close as ours.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn close_pull_request(&self, number: u64) -> Result<()> {
        // Before it is closed: a run that is cut short must not leave a close that looks like a person's.
        if let Err(failure) = self.add_labels(number, &[CLOSED_BY_US.to_owned()]).await {
            tracing::info!(%failure, "the pull request could not be labelled as closed by us; its text says so");
        }
        self.set_state(number, "closed").await
    }

    /// Opens a pull request again that was closed too soon.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn reopen_pull_request(&self, number: u64) -> Result<()> {
        let label = self.path(&format!("/issues/{number}/labels/{CLOSED_BY_US}"));
        self.set_state(number, "open").await?;
        match self.writer.delete(&label, PULLS).await {
            Err(refusal) if !refusal.is(StatusCode::NOT_FOUND) => Err(refusal.into()),
            // It could not be put there in the first place, or a person took it off.
            _ => Ok(()),
        }
    }

    async fn set_state(&self, number: u64, state: &str) -> Result<()> {
        let path = self.path(&format!("/pulls/{number}"));
        self.writer.write(&Method::PATCH, &path, &json!({"state": state}), PULLS).await?;
        Ok(())
    }

    /// Says something below a pull request.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn comment(&self, number: u64, text: &str) -> Result<()> {
        let path = self.path(&format!("/issues/{number}/comments"));
        self.writer.write(&Method::POST, &path, &json!({"body": text}), PULLS).await?;
        Ok(())
    }

    /// Whether anybody's latest review approves it.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn is_approved(&self, number: u64) -> Result<bool> {
        let path = self.path(&format!("/pulls/{number}/reviews"));
        let reviews: Vec<WireReview> = self.writer.list(&path, None, "pull-requests: read").await?;
        Ok(reviews.iter().any(|review| review.state == "APPROVED"))
    }

    /// The login and kind (`User`, `Bot`) of whoever closed a pull request last.
    ///
    /// The issue behind it says so too, but reading that takes `issues: read`, which nothing else needs.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn closed_by(&self, number: u64) -> Result<Option<(String, String)>> {
        let path = self.path(&format!("/issues/{number}/events"));
        let events: Vec<WireEvent> = self.writer.list(&path, None, "pull-requests: read").await?;
        let last = events.into_iter().rfind(|event| event.event == "closed");
        Ok(last.and_then(|event| event.actor).map(|user| (user.login, user.kind)))
    }

    /// Asks for reviews; people that GitHub does not accept (the author, strangers) are dropped one by one.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn request_reviews(
        &self,
        number: u64,
        users: &[String],
        teams: &[String],
    ) -> Result<Vec<String>> {
        let path = self.path(&format!("/pulls/{number}/requested_reviewers"));
        let all = json!({"reviewers": users, "team_reviewers": teams});
        match self.writer.write(&Method::POST, &path, &all, PULLS).await {
            Ok(_) => return Ok(Vec::new()),
            Err(refusal) if refusal.is(StatusCode::UNPROCESSABLE_ENTITY) => {}
            Err(refusal) => return Err(refusal.into()),
        }
        let users = users.iter().map(|user| (user, json!({"reviewers": [user]})));
        let teams = teams.iter().map(|team| (team, json!({"team_reviewers": [team]})));
        let mut dropped = Vec::new();
        for (name, body) in users.chain(teams) {
            match self.writer.write(&Method::POST, &path, &body, PULLS).await {
                Err(refusal) if refusal.is(StatusCode::UNPROCESSABLE_ENTITY) => dropped.push(name.clone()),
                other => drop(other?),
            }
        }
        Ok(dropped)
    }

    /// Assigns people.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn assign(&self, number: u64, people: &[String]) -> Result<()> {
        let path = self.path(&format!("/issues/{number}/assignees"));
        self.writer.write(&Method::POST, &path, &json!({"assignees": people}), PULLS).await?;
        Ok(())
    }

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

    /// Arms auto-merge.
    ///
    /// # Errors
    /// When GitHub refuses, as it does when the pull request could be merged right away.
    pub async fn enable_auto_merge(&self, node_id: &str, method: &str) -> Result<()> {
        let query = "mutation($id: ID!, $method: PullRequestMergeMethod!) { enablePullRequestAutoMerge(\
                     input: {pullRequestId: $id, mergeMethod: $method}) { clientMutationId } }";
        self.writer.graphql(query, &json!({"id": node_id, "method": method}), PULLS).await?;
        Ok(())
    }
}

#[derive(Deserialize)]
struct WirePull {
    number: u64,
    #[serde(default)]
    node_id: String,
    html_url: String,
    state: String,
    #[serde(default)]
    title: String,
    body: Option<String>,
    merged_at: Option<String>,
    #[serde(default)]
    draft: bool,
    auto_merge: Option<Value>,
    #[serde(default)]
    labels: Vec<WireLabel>,
    head: WireSide,
    base: WireSide,
}

#[derive(Deserialize)]
struct WireSide {
    #[serde(rename = "ref")]
    name: String,
    sha: String,
    repo: Option<WireRepository>,
}

#[derive(Deserialize)]
struct WireRepository {
    full_name: String,
}

#[derive(Deserialize)]
struct WireLabel {
    name: String,
}

impl WirePull {
    fn into_pull(self) -> PullRequest {
        let state = match (self.state.as_str(), self.merged_at.is_some()) {
            ("open", _) => PullState::Open,
            (_, true) => PullState::Merged,
            (_, false) => PullState::Closed,
        };
        let mut labels: Vec<String> = self.labels.into_iter().map(|label| label.name).collect();
        labels.sort();
        PullRequest {
            number: self.number,
            node_id: self.node_id,
            url: self.html_url,
            state,
            title: self.title,
            body: self.body.unwrap_or_default(),
            head: CommitSha::parse(&self.head.sha).ok(),
            base: self.base.name,
            draft: self.draft,
            auto_merge: self.auto_merge.is_some(),
            labels,
        }
    }
}

#[derive(Deserialize)]
struct WireReview {
    state: String,
}

#[derive(Deserialize)]
struct WireEvent {
    event: String,
    actor: Option<WireUser>,
}

#[derive(Deserialize)]
struct WireUser {
    login: String,
    #[serde(rename = "type", default)]
    kind: String,
}
