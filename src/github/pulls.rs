//! The promotion pull request and its check, as GitHub has them.

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::GitHub;
use super::client::{Refusal, encoded};
use super::git_data::lost_race;
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
    /// Its labels, sorted.
    pub labels: Vec<String>,
    /// The login of whoever opened it.
    pub author: String,
    /// Whether that is a bot.
    pub by_bot: bool,
    /// The logins of those who are asked to review it.
    pub reviewers: Vec<String>,
    /// The slugs of teams that are asked to review it.
    pub teams: Vec<String>,
    /// The logins of those it is assigned to.
    pub assignees: Vec<String>,
}

/// Something that happened to a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// GitHub's word for it: `closed`, `convert_to_draft`, `ready_for_review`, …
    pub what: String,
    /// The login of whoever did it, and its kind (`User`, `Bot`).
    pub by: Option<(String, String)>,
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
    /// The newest pull requests from `branch`, to whatever base, newest first: up to a page of them, and any open one.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn pull_requests(&self, branch: &BranchName) -> Result<Vec<PullRequest>> {
        Ok(self.pulls_of(branch).await?.into_iter().map(WirePull::into_pull).collect())
    }

    async fn pulls_of(&self, branch: &BranchName) -> Result<Vec<WirePull>, Refusal> {
        let head = encoded(&format!("{}:{branch}", self.slug.owner));
        let path = |state: &str| self.path(&format!("/pulls?state={state}&head={head}"));
        let newest = format!("{}&sort=created&direction=desc&per_page=100", path("all"));
        let needs = "pull-requests: read";
        let (mut pulls, goes_on) = self.writer.first_page::<WirePull>(&newest, needs).await?;
        if goes_on && !pulls.iter().any(|pull| pull.state == "open") {
            // One that was opened again may be older than all of these.
            pulls.extend(self.writer.list::<WirePull>(&path("open"), None, needs).await?);
        }
        // A fork may have a branch of the same name; some servers know no filter.
        let ours = |pull: &&WirePull| {
            let repository = pull.head.repo.as_ref().map(|repo| repo.full_name.as_str());
            let owner = pull.head.label.as_deref().and_then(|label| label.split(':').next());
            let here = match repository {
                Some(name) => name.eq_ignore_ascii_case(&self.slug.to_string()),
                // A fork that is gone is told by its owner.
                None => owner.is_none_or(|owner| owner.eq_ignore_ascii_case(&self.slug.owner)),
            };
            pull.head.name == branch.as_str() && here
        };
        let mut pulls: Vec<WirePull> = pulls.into_iter().filter(|pull| ours(&pull)).collect();
        pulls.sort_by_key(|pull| std::cmp::Reverse(pull.number));
        pulls.dedup_by_key(|pull| pull.number);
        Ok(pulls)
    }

    /// A pull request as it is now.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn pull_request(&self, number: u64) -> Result<PullRequest> {
        let path = self.path(&format!("/pulls/{number}"));
        Ok(self.writer.get::<WirePull>(&path, "pull-requests: read").await?.into_pull())
    }

    /// Opens a pull request; where drafts are not offered, a ready one. An open one that is already there is found.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn open_pull_request(&self, new: &NewPull<'_>) -> Result<(PullRequest, Opened)> {
        let mut answer = self.post_pull_request(new, new.draft).await;
        if let Err(refusal) = &answer
            && new.draft
            && refusal.is(StatusCode::UNPROCESSABLE_ENTITY)
            && !says_duplicate(refusal)
        {
            // In which words drafts are refused depends on the plan.
            answer = self.post_pull_request(new, false).await;
            if answer.is_ok() {
                tracing::warn!(
                    "this repository has no draft pull requests: it is opened as a ready one, and its failing check blocks it"
                );
            }
        }
        match answer {
            Ok(pull) => Ok((pull, Opened::Now)),
            // A duplicate: another run was quicker.
            Err(refusal) if refusal.is(StatusCode::UNPROCESSABLE_ENTITY) => {
                match self.open_from(new).await? {
                    Some(open) => Ok((open.into_pull(), Opened::Before)),
                    // The list does not show it yet.
                    None if says_duplicate(&refusal) => Err(lost_race(new.head)),
                    None => Err(refusal.into()),
                }
            }
            Err(refusal) => Err(refusal.into()),
        }
    }

    async fn post_pull_request(&self, new: &NewPull<'_>, draft: bool) -> Result<PullRequest, Refusal> {
        let body = json!({
            "title": new.title, "head": new.head, "base": new.base, "body": new.body, "draft": draft,
            "maintainer_can_modify": false,
        });
        let look = async || self.open_from(new).await;
        let path = self.path("/pulls");
        let post = async || self.writer.created::<WirePull>(&path, &body, PULLS, look).await;
        // Right after the branch was made, it may not be known everywhere.
        let for_good = |refusal: &Refusal| says_duplicate(refusal) || says_draft(refusal);
        Ok(self.writer.settled_unless(post, for_good).await?.into_pull())
    }

    /// The open pull request from its branch to its base.
    async fn open_from(&self, new: &NewPull<'_>) -> Result<Option<WirePull>, Refusal> {
        let is_it = |pull: &WirePull| pull.state == "open" && pull.base.name == new.base.as_str();
        Ok(self.pulls_of(new.head).await?.into_iter().find(is_it))
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

    /// Puts on the label of a close of ours; without leave to make it, the text alone says whose close it is.
    pub async fn mark_closed(&self, number: u64) {
        if let Err(failure) = self.add_labels(number, &[CLOSED_BY_US.to_owned()]).await {
            tracing::info!(%failure, "the pull request could not be labelled as closed by us; its text says so");
        }
    }

    /// Takes off the label of a close of ours.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn unmark_closed(&self, number: u64) -> Result<()> {
        let label = self.path(&format!("/issues/{number}/labels/{CLOSED_BY_US}"));
        match self.writer.delete(&label, PULLS).await {
            Err(refusal) if !refusal.is(StatusCode::NOT_FOUND) => Err(refusal.into()),
            // It could not be put there in the first place, or a person took it off.
            _ => Ok(()),
        }
    }

    /// Closes a pull request.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn close_pull_request(&self, number: u64) -> Result<()> {
        self.set_state(number, "closed").await
    }

    /// Opens a pull request again that was closed too soon.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn reopen_pull_request(&self, number: u64) -> Result<()> {
        self.set_state(number, "open").await
    }

    async fn set_state(&self, number: u64, state: &str) -> Result<()> {
        let path = self.path(&format!("/pulls/{number}"));
        self.writer.write(&Method::PATCH, &path, &json!({"state": state}), PULLS).await?;
        Ok(())
    }

    /// The messages of a pull request's commits, oldest first: also of one that is closed, and whose branch is gone.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn messages_of(&self, number: u64) -> Result<Vec<String>> {
        let path = self.path(&format!("/pulls/{number}/commits"));
        let commits: Vec<WirePullCommit> = match self.writer.list(&path, None, "pull-requests: read").await {
            Ok(commits) => commits,
            Err(refusal) if refusal.is(StatusCode::NOT_FOUND) => Vec::new(),
            Err(refusal) => return Err(refusal.into()),
        };
        Ok(commits.into_iter().map(|commit| commit.commit.message).collect())
    }

    /// What happened to a pull request, oldest first.
    ///
    /// The issue behind it says who closed it too, but reading that takes `issues: read`, which nothing else needs.
    /// None where the server does not tell.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn happened(&self, number: u64) -> Result<Option<Vec<Happened>>> {
        let path = self.path(&format!("/issues/{number}/events"));
        let events: Vec<WireEvent> = match self.writer.list(&path, None, "pull-requests: read").await {
            Ok(events) => events,
            Err(refusal) if refusal.is(StatusCode::NOT_FOUND) => return Ok(None),
            Err(refusal) => return Err(refusal.into()),
        };
        let by = |event: WireEvent| Happened {
            what: event.event,
            by: event.actor.map(|user| (user.login, user.kind)),
        };
        Ok(Some(events.into_iter().map(by).collect()))
    }
}

/// GitHub's words for a second one from the same branch to the same base.
fn says_duplicate(refusal: &Refusal) -> bool {
    refusal.message.contains("already exists")
}

fn says_draft(refusal: &Refusal) -> bool {
    refusal.message.to_lowercase().contains("draft")
}

#[derive(Deserialize)]
struct WirePull {
    number: u64,
    node_id: Option<String>,
    html_url: String,
    state: String,
    title: Option<String>,
    body: Option<String>,
    merged_at: Option<String>,
    draft: Option<bool>,
    auto_merge: Option<Value>,
    labels: Option<Vec<WireLabel>>,
    user: Option<WireUser>,
    requested_reviewers: Option<Vec<WireUser>>,
    requested_teams: Option<Vec<WireTeam>>,
    assignees: Option<Vec<WireUser>>,
    head: WireSide,
    base: WireSide,
}

#[derive(Deserialize)]
struct WireTeam {
    slug: String,
}

#[derive(Deserialize)]
struct WireSide {
    /// `owner:branch`, also where the repository is gone.
    label: Option<String>,
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
        let mut labels: Vec<String> = self.labels.into_iter().flatten().map(|label| label.name).collect();
        labels.sort();
        PullRequest {
            number: self.number,
            node_id: self.node_id.unwrap_or_default(),
            url: self.html_url,
            state,
            title: self.title.unwrap_or_default(),
            body: self.body.unwrap_or_default(),
            head: CommitSha::parse(&self.head.sha).ok(),
            base: self.base.name,
            draft: self.draft.unwrap_or_default(),
            auto_merge: self.auto_merge.is_some(),
            labels,
            by_bot: self.user.as_ref().is_some_and(WireUser::is_bot),
            author: self.user.map(|user| user.login).unwrap_or_default(),
            reviewers: self.requested_reviewers.into_iter().flatten().map(|user| user.login).collect(),
            teams: self.requested_teams.into_iter().flatten().map(|team| team.slug).collect(),
            assignees: self.assignees.into_iter().flatten().map(|user| user.login).collect(),
        }
    }
}

#[derive(Deserialize)]
struct WirePullCommit {
    commit: WireMessage,
}

#[derive(Deserialize)]
struct WireMessage {
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct WireEvent {
    event: String,
    actor: Option<WireUser>,
}

#[derive(Deserialize)]
pub(super) struct WireUser {
    pub(super) login: String,
    #[serde(rename = "type", default)]
    kind: String,
}

impl WireUser {
    fn is_bot(&self) -> bool {
        self.kind == "Bot" || self.login.ends_with("[bot]")
    }
}
