//! Issues and pull requests: on GitHub, every pull request is an issue with a branch.

use jiff::Timestamp;

use super::Site;

/// An issue, and a pull request where `pull` is there.
#[derive(Clone, Debug)]
pub(crate) struct Issue {
    pub id: u64,
    pub number: u64,
    pub title: String,
    pub body: Option<String>,
    pub author: String,
    pub state: IssueState,
    pub labels: Vec<String>,
    pub assignees: Vec<String>,
    pub comments: Vec<Comment>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    pub closed_by: Option<String>,
    /// What happened to it, oldest first.
    pub events: Vec<IssueEvent>,
    pub pull: Option<Pull>,
}

/// Something that somebody did to an issue.
#[derive(Clone, Debug)]
pub(crate) struct IssueEvent {
    pub id: u64,
    pub what: Happened,
    pub actor: String,
    pub created_at: Timestamp,
}

/// What the events of an issue tell here, of all that GitHub's do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    Closed,
    Reopened,
    ConvertedToDraft,
    ReadyForReview,
}

impl Happened {
    /// The event's name, and the prefix of its node id.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Closed => ("closed", "CE"),
            Self::Reopened => ("reopened", "REE"),
            Self::ConvertedToDraft => ("convert_to_draft", "CTDE"),
            Self::ReadyForReview => ("ready_for_review", "RFRE"),
        }
    }
}

impl Issue {
    /// Adds an event of the present.
    pub fn happened(&mut self, site: &mut Site, what: Happened, actor: &str) {
        let (id, created_at) = (site.next_id("issue-event"), site.clock.now());
        self.events.push(IssueEvent { id, what, actor: actor.to_owned(), created_at });
    }

    /// Converts a pull request to a draft or marks it ready, whichever `what` is; what it is already is no event.
    pub fn mark(&mut self, site: &mut Site, what: Happened, actor: &str) {
        let draft = what == Happened::ConvertedToDraft;
        let Some(pull) = self.pull.as_mut().filter(|pull| pull.draft != draft) else { return };
        pull.draft = draft;
        self.happened(site, what, actor);
    }
}

/// Whether an issue is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IssueState {
    Open,
    Closed,
}

impl IssueState {
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// What a pull request has beyond an issue.
#[derive(Clone, Debug)]
pub(crate) struct Pull {
    pub id: u64,
    pub draft: bool,
    pub head_ref: String,
    pub head_sha: String,
    pub base_ref: String,
    pub base_sha: String,
    pub merged_at: Option<Timestamp>,
    pub merged_by: Option<String>,
    pub merge_commit_sha: Option<String>,
    pub reviewers: Vec<String>,
    pub teams: Vec<String>,
    pub reviews: Vec<Review>,
    pub auto_merge: Option<AutoMerge>,
}

/// A submitted review.
#[derive(Clone, Debug)]
pub(crate) struct Review {
    pub id: u64,
    pub author: String,
    /// `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`, `DISMISSED`
    pub state: String,
    pub body: String,
    pub commit_id: String,
    pub submitted_at: Timestamp,
}

/// An auto-merge that someone enabled.
#[derive(Clone, Debug)]
pub(crate) struct AutoMerge {
    pub enabled_by: String,
    pub method: String,
    pub commit_title: Option<String>,
    pub commit_message: Option<String>,
    pub enabled_at: Timestamp,
}

/// A comment below an issue.
#[derive(Clone, Debug)]
pub(crate) struct Comment {
    pub id: u64,
    pub author: String,
    pub body: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A label of the repository.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    pub id: u64,
    pub name: String,
    pub color: String,
    pub description: Option<String>,
}

impl Pull {
    /// `APPROVED`, `CHANGES_REQUESTED`, `REVIEW_REQUIRED`, or nothing where no review is required or given.
    pub fn decision(&self, required: usize) -> Option<&'static str> {
        let mut latest: Vec<(&str, &str)> = Vec::new();
        for review in self.reviews.iter().filter(|review| review.state != "COMMENTED") {
            latest.retain(|(author, _)| *author != review.author);
            latest.push((&review.author, &review.state));
        }
        let approvals = latest.iter().filter(|(_, state)| *state == "APPROVED").count();
        if latest.iter().any(|(_, state)| *state == "CHANGES_REQUESTED") {
            Some("CHANGES_REQUESTED")
        } else if approvals > 0 && approvals >= required {
            Some("APPROVED")
        } else if required > 0 {
            Some("REVIEW_REQUIRED")
        } else {
            None
        }
    }
}
