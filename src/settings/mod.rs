//! What was asked? Inputs, the event and the settings file, resolved into one [`Request`].
//!
//! Reads nothing itself: the environment comes from `runner/`, the file's text from `git.rs`, at
//! the base commit (rule 8).

use jiff::{SignedDuration, Timestamp};
use regex::Regex;

use crate::names::{BranchName, RepoPath};

/// Everything a run needs to know of what was asked, with every default filled in.
#[derive(Debug, Clone)]
pub struct Request {
    /// What to do.
    pub command: Command,
    /// Decide and show, write nothing.
    pub dry_run: bool,
    /// Why, in the words of whoever asked.
    pub reason: Option<String>,
    /// A tag, version or commit asked for by name.
    pub tag: Option<String>,
    /// What to promote where: one entry per app and target, in the order of the settings.
    pub promotions: Vec<Promotion>,
    /// Policy folders and mode.
    pub policy: PolicySettings,
    /// The pull request's manners.
    pub pull_request: PullRequestSettings,
    /// Windows in which nothing is promoted.
    pub freeze: Vec<Freeze>,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Decide, then make GitHub so.
    Run,
    /// Decide and show.
    Plan,
}

/// One app on its way to one target.
#[derive(Debug, Clone)]
pub struct Promotion {
    /// The app's name; fit for a branch name.
    pub app: String,
    /// Labels of the app, for policy.
    pub app_labels: std::collections::BTreeMap<String, String>,
    /// Where pins come from.
    pub source: Environment,
    /// Where they go.
    pub target: Environment,
    /// Which tags are releases of this app.
    pub tag_pattern: TagPattern,
    /// Key patterns (`image.{tag,digest}`); empty means the default set.
    pub pins: Vec<String>,
    /// The key of the carrying pin, where it is set.
    pub carries: Option<String>,
    /// Folders whose commits make the changelog; empty means the whole repository.
    pub changelog_paths: Vec<RepoPath>,
    /// The evidence that makes a release successful.
    pub evidence: Requirement,
    /// Which commit the evidence may be bound to.
    pub evidence_at: EvidenceAt,
    /// How long ago the evidence must have completed.
    pub soak: Option<SignedDuration>,
    /// Whether releases with a prerelease part are candidates.
    pub prereleases: bool,
    /// Whether pins that only the source has are added to the target.
    pub add_missing: bool,
}

/// An overlay's name and folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// `staging`, `prod`, …
    pub name: String,
    /// Its folder.
    pub path: RepoPath,
    /// Where it runs.
    pub region: Option<String>,
}

/// A regular expression with a group `version` and, optionally, a group `app`.
#[derive(Debug, Clone)]
pub struct TagPattern(pub(crate) Regex);

/// The evidence that makes a release successful.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// Nothing was asked: the workflow of the event, else of the source environment, else its deployment.
    Default,
    /// All of these.
    All(Vec<Required>),
}

/// One piece of required evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Required {
    /// A workflow, by file name or by name.
    Workflow(String),
    /// A check run.
    Check {
        /// Its name.
        name: String,
        /// The slug of the app that must have reported it.
        app: Option<String>,
    },
    /// A commit status.
    Status {
        /// Its context.
        context: String,
        /// The login that must have reported it.
        creator: Option<String>,
    },
    /// A deployment, by environment.
    Deployment(String),
    /// At least one success of any kind, and no failure.
    Any,
}

/// Which commit evidence may be bound to (rule 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceAt {
    /// The tagged commit.
    Tag,
    /// Also its direct parent, when the tagged commit changes only this app's image pins.
    Parent,
}

/// Policy folders at the base commit, and what a denial does.
#[derive(Debug, Clone)]
pub struct PolicySettings {
    /// Folders with Rego.
    pub folders: Vec<RepoPath>,
    /// Folders with data for it.
    pub data: Vec<RepoPath>,
    /// What a denial does.
    pub mode: PolicyMode,
}

/// What a denial does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyMode {
    /// It blocks.
    Enforce,
    /// It is shown as a warning.
    Warn,
    /// No rule is asked.
    Off,
}

/// The pull request's manners.
#[derive(Debug, Clone, Default)]
pub struct PullRequestSettings {
    /// Open as a draft even when nothing blocks.
    pub draft: bool,
    /// Labels to put on it.
    pub labels: Vec<String>,
    /// Users asked to review.
    pub reviewers: Vec<String>,
    /// Teams asked to review.
    pub team_reviewers: Vec<String>,
    /// Users it is assigned to.
    pub assignees: Vec<String>,
    /// How to merge it once it may be.
    pub auto_merge: Option<MergeMethod>,
}

/// How a pull request is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeMethod {
    /// A merge commit.
    Merge,
    /// One commit.
    Squash,
    /// The commits on top of base.
    Rebase,
}

/// A window in which nothing is promoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freeze {
    /// Its start, inclusive.
    pub from: Timestamp,
    /// Its end, exclusive.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

/// What a tag says when it matches a [`TagPattern`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagMatch<'tag> {
    /// The version, as written.
    pub version: &'tag str,
    /// The app, where the pattern names one.
    pub app: Option<&'tag str>,
}

impl TagPattern {
    /// Reads app and version out of a tag, or nothing where it is no release.
    pub fn read<'tag>(&self, tag: &'tag str) -> Option<TagMatch<'tag>> {
        let captures = self.0.captures(tag)?;
        Some(TagMatch {
            version: captures.name("version")?.as_str(),
            app: captures.name("app").map(|m| m.as_str()),
        })
    }

    /// The expression as written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// The branch a promotion lives on: `promote/<app>/<target>`.
pub fn promotion_branch(app: &str, target: &str) -> crate::failure::Result<BranchName> {
    BranchName::parse(&format!("promote/{app}/{target}"))
}
