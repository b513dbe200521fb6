//! The plan: everything a promotion decided, as one value (`promotion/v1`).
//!
//! Policy is a function on it, Markdown is a view of it, the plan file is it. Fields are only ever
//! added within v1; what is unknown is `null` or absent, never guessed. It holds no effects and no
//! clock: `now` came in with the observation.

mod ledger;

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::names::{BranchName, CommitSha, RepoPath};
pub use ledger::{Entry, Ledger, Reason, SearchEnd, Standing};

/// The name and version of the plan's shape.
pub const SCHEMA: &str = "promotion/v1";

/// One app, one target, one decision.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Plan {
    /// Always `promotion/v1`.
    pub schema: &'static str,
    /// Always `promotion`.
    pub kind: &'static str,
    /// `app:source->target:tag`; `nothing` stands for the tag when nothing is proposed.
    pub id: String,
    /// When the observation was made.
    #[schemars(with = "String")]
    pub now: Timestamp,
    /// How proposed compares with active.
    pub direction: Direction,
    /// Whether this goes back on purpose.
    pub rollback: bool,
    /// Why somebody asked for it, where they said.
    pub reason: Option<String>,
    /// Where it happens.
    pub repository: Repository,
    /// What is promoted.
    pub app: App,
    /// Where the pins come from.
    pub source: Environment,
    /// Where the pins go.
    pub target: Environment,
    /// The release that the target's pins say runs now.
    pub active: Option<Release>,
    /// The release this promotion would run; absent when there is nothing to promote.
    pub proposed: Option<Release>,
    /// Newer releases that were not chosen, newest first.
    pub passed_over: Vec<PassedOver>,
    /// The whole search: every release looked at, with its reasons.
    pub ledger: Ledger,
    /// What makes the proposed release successful.
    pub evidence: Vec<Evidence>,
    /// What the changes mean, per image, model, prompt, chart or remote ref.
    pub artifacts: Vec<Artifact>,
    /// Every changed value, sorted by file and line.
    pub changes: Vec<Change>,
    /// Keys that one overlay has and the other lacks; never applied.
    pub drift: Vec<Drift>,
    /// What reaches production (on a rollback: what leaves it), newest first.
    pub commits: Vec<Commit>,
    /// Whether `commits` was cut, and where the whole list is.
    pub commits_truncated: bool,
    /// People.
    pub actors: Actors,
    /// The promotion pull request as it stands before this run.
    pub pull_request: PullRequest,
    /// Named exceptions from policy, each for this release only.
    pub overrides: Vec<Override>,
    /// The verdict, once policy has been asked; the input of policy has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyReport>,
}

/// How the proposed release compares with the active one by version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Newer than what runs now.
    Upgrade,
    /// Older than what runs now.
    Downgrade,
    /// The same release; other pins may differ.
    Same,
    /// What runs now is not a known release, or nothing is proposed.
    Unknown,
}

/// The repository and the base that the plan was made against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Repository {
    /// The user or organisation.
    pub owner: String,
    /// The repository's name.
    pub name: String,
    /// Its address for people, without a trailing slash: `https://github.com/acme/gitops`.
    pub url: String,
    /// The branch the pull request goes to.
    pub base: BranchName,
    /// The head of base when it was read.
    pub commit: CommitSha,
    /// The branch releases come from.
    pub trunk: BranchName,
}

/// The app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct App {
    /// Its name.
    pub name: String,
    /// Labels from the settings.
    pub labels: BTreeMap<String, String>,
}

/// One side of the promotion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Environment {
    /// `staging`, `prod`, …
    pub environment: String,
    /// The overlay's folder.
    pub path: RepoPath,
    /// The commit the overlay was read at.
    pub commit: CommitSha,
    /// Where it runs, from the settings.
    pub region: Option<String>,
}

/// A tag, its peeled commit, and the version in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Release {
    /// The tag's name; absent when the target runs a version that no tag names.
    pub tag: Option<String>,
    /// The version as written in the tag (or in the target's carrying pin).
    pub version: String,
    /// The tagged commit, peeled.
    pub commit: Option<CommitSha>,
    /// When the tag was made, for annotated tags.
    #[schemars(with = "Option<String>")]
    pub tagged_at: Option<Timestamp>,
    /// Whether GitHub verified the tag's signature, where it was asked.
    pub signed: Option<bool>,
}

/// A newer release and why it was not chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PassedOver {
    /// The tag.
    pub tag: String,
    /// One sentence, lower case, without a full stop; names in backticks.
    pub reason: String,
    /// Where to see it.
    pub url: Option<String>,
}

/// The kinds of evidence GitHub keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// A run of a GitHub Actions workflow.
    WorkflowRun,
    /// A check run of any app.
    CheckRun,
    /// A commit status.
    Status,
    /// A deployment's latest status.
    Deployment,
}

/// Something that ran against a commit and succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Evidence {
    /// What kind of thing ran.
    pub kind: EvidenceKind,
    /// Workflow name, check name, status context or environment.
    pub name: String,
    /// `success`, or what it was.
    pub conclusion: String,
    /// The commit it ran against.
    pub commit: CommitSha,
    /// Where to see it.
    pub url: Option<String>,
    /// When it completed.
    #[schemars(with = "Option<String>")]
    pub completed_at: Option<Timestamp>,
    /// The app or person that reported it.
    pub app: Option<String>,
    /// One line of what it said of itself (`golden set 0.94 ≥ 0.90`), where it said any.
    pub summary: Option<String>,
}

/// What kind of thing is versioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArtifactKind {
    /// A container image.
    Image,
    /// A model.
    Model,
    /// A prompt.
    Prompt,
    /// A Helm chart.
    Chart,
    /// A remote Kustomize resource.
    Remote,
    /// A pin that only the settings know.
    Other,
}

impl ArtifactKind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Model => "model",
            Self::Prompt => "prompt",
            Self::Chart => "chart",
            Self::Remote => "remote",
            Self::Other => "value",
        }
    }
}

/// One versioned thing before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Artifact {
    /// What it is.
    pub kind: ArtifactKind,
    /// The image's repository, the model's or chart's name, or the key.
    pub name: String,
    /// What the target has now.
    pub from: ArtifactVersion,
    /// What it will have.
    pub to: ArtifactVersion,
    /// Where it stands in the target.
    pub locations: Vec<Location>,
}

/// The version-bearing values of an artifact; a model's version stands in `tag`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ArtifactVersion {
    /// Tag or version.
    pub tag: Option<String>,
    /// `sha256:…`.
    pub digest: Option<String>,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Location {
    /// Path in the repository.
    pub file: RepoPath,
    /// 1-based line, in the file as it will stand.
    pub line: u32,
}

/// One changed value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// Path in the repository.
    pub file: RepoPath,
    /// Dotted key path; list items by identity: `images[name=acme/agent].newTag`.
    pub key: String,
    /// 1-based line, in the file as it will stand (where removed: as it stood).
    pub line: u32,
    /// The old value; absent when the key is added.
    pub before: Option<String>,
    /// The new value; absent when the key is removed.
    pub after: Option<String>,
}

/// Which overlay has the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Only the source.
    Source,
    /// Only the target.
    Target,
}

/// A key that one overlay has and the other lacks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Drift {
    /// The file that has it.
    pub file: RepoPath,
    /// The key.
    pub key: String,
    /// Which side has it.
    #[serde(rename = "in")]
    pub side: Side,
    /// Whether the key is a pin (listed as "not in prod").
    pub pin: bool,
}

/// A commit of the changelog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Commit {
    /// Its id.
    pub sha: CommitSha,
    /// The subject line, without type, scope and pull-request suffix when it is conventional.
    pub subject: String,
    /// The author's name (or login, where known).
    pub author: String,
    /// When it was committed.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// `feat`, `fix`, …; `other` for what follows no convention.
    #[serde(rename = "type")]
    pub kind: String,
    /// The scope in parentheses, where there is one.
    pub scope: Option<String>,
    /// Whether it is marked as a breaking change.
    pub breaking: bool,
    /// What `BREAKING CHANGE:` says.
    pub breaking_note: Option<String>,
    /// The pull request it came by, from `(#12)` at the end of its subject.
    pub pull_request: Option<u64>,
}

/// People.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Actors {
    /// Who started this run.
    pub requested_by: Option<String>,
    /// Authors of the promoted commits, sorted.
    pub authors: Vec<String>,
    /// Who approved the pull request.
    pub approvers: Vec<String>,
}

/// The promotion pull request as policy sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PullRequest {
    /// Its number, once it is open.
    pub number: Option<u64>,
    /// Its labels, sorted.
    pub labels: Vec<String>,
    /// The branch it goes to.
    pub base: BranchName,
}

/// A named exception from one rule, for one release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Override {
    /// The rule.
    pub rule: String,
    /// Why.
    pub reason: String,
    /// Who asked.
    pub requested_by: Option<String>,
}

/// The policy outcome, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing was said against it.
    Pass,
    /// Something should be looked at.
    Warn,
    /// A rule forbids it.
    Deny,
    /// A rule could not be evaluated, which is never a pass.
    Error,
}

impl Verdict {
    /// Whether the promotion must not be merged.
    pub fn blocks(self) -> bool {
        self >= Self::Deny
    }

    /// `pass`, `warn`, `deny` or `error`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Deny => "deny",
            Self::Error => "error",
        }
    }
}

/// What policy said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PolicyReport {
    /// The worst of the findings, as the mode lets it count.
    pub verdict: Verdict,
    /// How many rules passed.
    pub passed: u32,
    /// What rules said, worst first.
    pub findings: Vec<Finding>,
}

/// One thing a rule said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// The rule's name.
    pub rule: String,
    /// How bad it is.
    pub level: Verdict,
    /// One sentence, lower case; never a secret's value.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where.
    pub location: Option<Location>,
}

/// What became of a promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A pull request was opened.
    Created,
    /// The open pull request was brought up to date.
    Updated,
    /// It was up to date, or belongs to a person now.
    Unchanged,
    /// The old pull request was closed and a fresh one opened.
    Superseded,
    /// The pull request was closed: nothing is left to promote.
    Closed,
    /// The pull request is there and says what blocks it.
    Blocked,
    /// The target runs the latest successful release.
    NothingToPromote,
    /// The plan was shown, nothing was written.
    Planned,
}

impl Outcome {
    /// As the output `outcome` says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Superseded => "superseded",
            Self::Closed => "closed",
            Self::Blocked => "blocked",
            Self::NothingToPromote => "nothing-to-promote",
            Self::Planned => "planned",
        }
    }
}
