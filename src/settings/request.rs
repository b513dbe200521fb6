//! What was asked, resolved: the types that the rest of the program reads.
//!
//! Every default is filled in and every name is legal. Nothing here reads anything; the values are
//! made by [`super::resolve`].

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use regex::Regex;
use schemars::JsonSchema;

use crate::failure::{Failure, Kind, Problem, Result};
use crate::names::{BranchName, RepoPath};
use crate::overlay::{NamedFile, PinRules};

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
    /// The same whatever was asked for, as far as the overlays are there: every pin has one owner among them.
    pub everywhere: Vec<Promotion>,
    /// Policy folders and mode.
    pub policy: PolicySettings,
    /// The pull request's manners.
    pub pull_request: PullRequestSettings,
    /// Windows in which nothing is promoted.
    pub freeze: Vec<Freeze>,
    /// The branch releases come from; absent: the default branch.
    pub trunk: Option<BranchName>,
    /// The branch the pull request goes to; absent: `trunk`.
    pub base: Option<BranchName>,
    /// What should be looked at, though nothing stops.
    pub warnings: Vec<Problem>,
    /// Settings that were read and are carried here, but that this version does not act on yet.
    pub not_yet: Vec<Problem>,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Decide, then make GitHub so.
    Run,
    /// Decide and show.
    Plan,
    /// Say of one release why it is or is not promoted, and when it could be.
    Explain,
}

/// One app on its way to one target.
#[derive(Debug, Clone)]
pub struct Promotion {
    /// The app's name; fit for a branch name.
    pub app: String,
    /// Labels of the app, for policy.
    pub app_labels: BTreeMap<String, String>,
    /// Where pins come from.
    pub source: Environment,
    /// Where they go.
    pub target: Environment,
    /// Which tags are releases of this app.
    pub tag_pattern: TagPattern,
    /// What is promoted.
    pub pins: PinRules,
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
    /// How many releases' evidence is looked at before the search is given up.
    pub window: u32,
    /// Whether releases with a prerelease part are candidates.
    pub prereleases: bool,
    /// Whether pins that only the source has are added to the target.
    pub add_missing: bool,
    /// Whether only tags whose signature GitHub verified are releases.
    pub require_signed_tag: bool,
    /// Targets of this app that must run the release first.
    pub after: Vec<String>,
    /// Manifests that an earlier step rendered, for policy.
    pub rendered: Option<Rendered>,
    /// Policy of this app and target.
    pub policy: PolicySettings,
    /// The manners of this app's and target's pull request.
    pub pull_request: PullRequestSettings,
    /// Windows in which this app and target is not promoted, those of the whole file included.
    pub freeze: Vec<Freeze>,
}

/// Folders of rendered manifests, in the workspace.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Rendered {
    /// As the target stands.
    pub before: RepoPath,
    /// As it will stand.
    pub after: RepoPath,
}

/// An overlay's name and folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// `staging`, `prod`, …
    pub name: String,
    /// Its folder.
    pub path: RepoPath,
    /// The files that make it.
    pub files: Vec<NamedFile>,
    /// Where it runs.
    pub region: Option<String>,
}

impl Environment {
    /// The files whose changes are changes of the overlay.
    #[must_use]
    pub fn watched(&self) -> Vec<RepoPath> {
        let mut paths: Vec<RepoPath> = self.files.iter().map(|named| named.path.clone()).collect();
        paths.sort();
        paths.dedup();
        paths
    }
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub enum EvidenceAt {
    /// The tagged commit.
    Tag,
    /// Also its direct parent, when the tagged commit changes only this app's image pins.
    Parent,
}

/// Policy folders at the base commit, and what a denial does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySettings {
    /// Folders with Rego.
    pub folders: Vec<RepoPath>,
    /// Whether the folders were asked for: one that is missing is then an error.
    pub named: bool,
    /// Folders with data for it.
    pub data: Vec<RepoPath>,
    /// What a denial does.
    pub mode: PolicyMode,
}

/// What a denial does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub enum PolicyMode {
    /// It blocks.
    Enforce,
    /// It is shown as a warning.
    Warn,
    /// No rule is asked.
    Off,
}

/// The pull request's manners.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// Whether to merge at once, with `auto_merge`, what nothing keeps from being merged.
    pub merge_at_once: bool,
}

/// How a pull request is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub enum MergeMethod {
    /// A merge commit.
    Merge,
    /// One commit.
    Squash,
    /// The commits on top of base.
    Rebase,
}

/// A window in which nothing is promoted.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Freeze {
    /// Its start, inclusive.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub from: Timestamp,
    /// Its end, exclusive.
    #[schemars(with = "String", extend("format" = "date-time"))]
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

/// What counts as a release where nothing else was asked: a version, alone or after `staging-`.
pub const DEFAULT_TAG_PATTERN: &str =
    r"^(?:staging[-/])?(?P<version>v?\d+\.\d+\.\d+(?:[-+.][0-9A-Za-z.-]+)?)$";

/// How many releases' evidence is looked at where nothing else was asked.
pub const DEFAULT_WINDOW: u32 = 30;

impl std::fmt::Display for Required {
    /// As it is written in an input.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Workflow(name) => write!(f, "workflow: {name}"),
            Self::Check { name, app: None } => write!(f, "check: {name}"),
            Self::Check { name, app: Some(app) } => write!(f, "check: {name}, app: {app}"),
            Self::Status { context, creator: None } => write!(f, "status: {context}"),
            Self::Status { context, creator: Some(who) } => write!(f, "status: {context}, creator: {who}"),
            Self::Deployment(environment) => write!(f, "deployment: {environment}"),
            Self::Any => f.write_str("any"),
        }
    }
}

impl TagPattern {
    /// Parses a regular expression, which must have a group `version`.
    pub fn parse(text: &str) -> Result<Self> {
        let regex = Regex::new(text).map_err(|error| {
            Failure::new(
                Kind::Settings,
                format!(
                    "{} is not a regular expression: {}",
                    super::values::shown(text),
                    first_reason(&error)
                ),
            )
            .hinted(format!(
                "see https://docs.rs/regex/latest/regex/#syntax; the default is `{DEFAULT_TAG_PATTERN}`"
            ))
        })?;
        if !regex.capture_names().flatten().any(|name| name == "version") {
            return Err(Failure::new(
                Kind::Settings,
                format!("{} has no group named `version`", super::values::shown(text)),
            )
            .hinted(format!("mark the version in it, as in `{DEFAULT_TAG_PATTERN}`")));
        }
        Ok(Self(regex))
    }

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
pub fn promotion_branch(app: &str, target: &str) -> Result<BranchName> {
    BranchName::parse(&format!("promote/{app}/{target}"))
}

/// The reason in regex's message, which is several lines with a picture.
fn first_reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it does not parse");
    last.trim().trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]
    use super::*;

    #[test]
    fn the_default_pattern_reads_versions_and_nothing_else() {
        let pattern = TagPattern::parse(DEFAULT_TAG_PATTERN).unwrap();
        for (tag, version) in [
            ("v1.8.0", Some("v1.8.0")),
            ("1.8.0-rc.1", Some("1.8.0-rc.1")),
            ("staging-v1.8.0", Some("v1.8.0")),
            ("staging/2.0.0+build.5", Some("2.0.0+build.5")),
            ("prod-v1.8.0", None),
            ("v1.8", None),
            ("v1.8.0\n", None),
        ] {
            assert_eq!(pattern.read(tag).map(|m| m.version), version, "{tag:?}");
        }
    }

    #[test]
    fn a_pattern_may_name_the_app() {
        let pattern = TagPattern::parse(r"^(?P<app>[a-z-]+)/(?P<version>v\d+)$").unwrap();
        assert_eq!(
            pattern.read("fraud-agent/v3"),
            Some(TagMatch { version: "v3", app: Some("fraud-agent") })
        );
    }

    #[test]
    fn a_bad_pattern_says_why_in_one_line() {
        let messages = |text: &str| TagPattern::parse(text).unwrap_err().problems()[0].message.clone();
        assert_eq!(messages("v(?P<version>"), "`v(?P<version>` is not a regular expression: unclosed group");
        assert_eq!(messages(r"^v\d+$"), r"`^v\d+$` has no group named `version`");
        assert!(messages("(?P<version>a{1000}{1000}{1000})").contains("size limit"));
    }
}
