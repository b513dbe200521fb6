//! What GitHub has of a promotion, as far as it matters to what must happen.

use super::Question;
use crate::names::CommitSha;
use crate::proposal::{CheckText, Conclusion, Draft};

/// What GitHub has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Existing {
    /// The promotion branch.
    pub branch: Option<Branch>,
    /// The open pull request from it.
    pub open: Option<OpenPull>,
    /// The pull request of the wanted release that a person closed without merging.
    pub closed: Option<ClosedPull>,
    /// The pull request that we closed, and whose head the branch still has.
    pub unswept: Option<u64>,
}

/// The promotion branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Its head: what a move starts from.
    pub head: CommitSha,
    /// What is on it that base lacks.
    pub content: Content,
}

/// What a promotion branch has that base lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Nothing: it was merged, or never written to.
    Nothing,
    /// Our one commit, possibly below merges of base ("Update branch").
    Ours {
        /// What its trailers say of the plan.
        digest: String,
        /// The release it is of.
        tag: String,
        /// The subject of its message, which is the title that we gave the pull request.
        subject: String,
        /// Our commit: the head, or below merges.
        commit: CommitSha,
        /// Whether base still has the files as they were when it was made.
        ground: Ground,
    },
    /// Somebody's work, named as the log names its author.
    Person(String),
}

impl Content {
    /// The release that our commit is of.
    pub fn tag(&self) -> Option<&str> {
        match self {
            Self::Ours { tag, .. } => Some(tag),
            Self::Nothing | Self::Person(_) => None,
        }
    }

    /// Our commit.
    pub fn commit(&self) -> Option<&CommitSha> {
        match self {
            Self::Ours { commit, .. } => Some(commit),
            Self::Nothing | Self::Person(_) => None,
        }
    }

    /// The title that we gave the pull request.
    pub fn subject(&self) -> Option<&str> {
        match self {
            Self::Ours { subject, .. } => Some(subject),
            Self::Nothing | Self::Person(_) => None,
        }
    }
}

/// Whether base still has the edited files as they were under our commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// It has.
    Same,
    /// It changed one of them: the commit must be rebuilt.
    Moved,
}

/// The open pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPull {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Its body.
    pub body: String,
    /// Whether it goes to the base that is wanted.
    pub place: Place,
    /// Whether it is a draft.
    pub draft: Draft,
    /// Whether it merges by itself once it may.
    pub armed: bool,
    /// Whether it has the label of a close of ours.
    pub marked: bool,
    /// Whether the release it is of may still be proposed.
    pub proof: Proof,
    /// Who approved it, once that was asked.
    pub approvals: Option<Approvals>,
    /// The check on its head, once that was asked.
    pub check: Option<Seen>,
    /// Who last made it a draft or ready, once that was asked.
    pub turned_by: Option<TurnedBy>,
}

impl OpenPull {
    pub(super) fn approvals(&self) -> Result<Approvals, Question> {
        self.approvals.ok_or(Question::Approvals)
    }

    pub(super) fn check(&self) -> Result<&Seen, Question> {
        self.check.as_ref().ok_or(Question::Check)
    }

    pub(super) fn turned_by(&self) -> Result<TurnedBy, Question> {
        self.turned_by.ok_or(Question::TurnedBy)
    }
}

/// Where an open pull request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// To the base that is wanted.
    Here,
    /// To another branch: `base` was set to another since.
    Elsewhere,
}

/// Whether what an open promotion was proposed on still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Its release was passed over now, or its tag is gone.
    Lost,
    /// Nothing speaks against it.
    Holds,
}

/// Who said yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Approvals {
    /// Whether anybody did.
    pub any: bool,
    /// Whether anybody did to a commit of another plan than the branch has now.
    pub of_another: bool,
}

/// Who last made a pull request a draft, or ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnedBy {
    /// A person.
    Person,
    /// We did, or nobody since it was opened.
    Us,
}

/// The check on a head, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// There is none.
    Missing,
    /// The token may not read it.
    Unreadable,
    /// None, but this one on our commit, below merges of base.
    Below(SeenCheck),
    /// This one.
    There(SeenCheck),
}

/// A check that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenCheck {
    /// Whether it is red.
    pub failed: bool,
    /// Its title.
    pub title: String,
    /// Its summary; a commit status has none.
    pub summary: Option<String>,
    /// Whether auto-merge was turned off because of it.
    pub disarmed: bool,
}

/// What fits into the description of a commit status, in characters.
pub const STATUS_LENGTH: usize = 140;

impl SeenCheck {
    /// Whether it says what `text` says.
    pub fn says(&self, text: &CheckText) -> bool {
        let title: String = match self.summary {
            Some(_) => text.title.clone(),
            None => text.title.chars().take(STATUS_LENGTH).collect(),
        };
        self.failed == (text.conclusion == Conclusion::Failure)
            && self.title.trim() == title.trim()
            && self.summary.as_ref().is_none_or(|summary| summary.trim() == text.summary.trim())
    }
}

/// A pull request that a person closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedPull {
    /// Its number.
    pub number: u64,
    /// The release it was for.
    pub tag: String,
}
