//! The ledger of a plan: every release that the search looked at, with what it came to.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::Evidence;
use crate::names::CommitSha;

/// Every release that the search looked at, newest first, the chosen one last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Ledger {
    /// How many releases' evidence is looked at, at most.
    pub window: u32,
    /// Why the search ended.
    pub ended: SearchEnd,
    /// The releases.
    pub entries: Vec<Entry>,
    /// How many more were passed over without a look at their evidence, and are not listed.
    pub unlisted: u32,
}

/// Why the search for a release ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SearchEnd {
    /// A successful release was found.
    Found,
    /// All newer than what the target runs were looked at.
    Active,
    /// There are no more releases.
    Exhausted,
    /// The window was reached; older releases were not looked at.
    Window,
}

/// A release that the search looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Entry {
    /// The tag.
    pub tag: String,
    /// The version in it.
    pub version: String,
    /// The tagged commit, peeled.
    pub commit: CommitSha,
    /// What it came to.
    pub standing: Standing,
    /// What it lacks, each with where to see it; empty for a successful one.
    pub reasons: Vec<Reason>,
    /// When it is over, for one that soaks.
    #[schemars(with = "Option<String>")]
    pub soaks_until: Option<Timestamp>,
    /// What succeeded on it, as far as it was asked.
    pub evidence: Vec<Evidence>,
}

/// What the search made of a release; of several shortfalls, the one that takes most to mend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Everything that is required succeeded.
    Successful,
    /// Everything succeeded, and not long enough ago.
    Soaking,
    /// Some of what is required is still going on.
    Pending,
    /// Some of what is required has not run, or cannot count.
    Missing,
    /// Some of what is required failed, was cancelled, skipped, or disagrees.
    Failed,
    /// Its tag has no signature that GitHub verified.
    NotSigned,
    /// It is a prerelease, and nobody asked for those.
    Prerelease,
    /// No overlay carries it.
    NotCarried,
    /// Its commit is not on trunk.
    OffTrunk,
}

impl Standing {
    /// Whether GitHub is asked about a release that came to this; name and git rule out the others.
    pub fn is_of_evidence(self) -> bool {
        !matches!(self, Self::Prerelease | Self::NotCarried | Self::OffTrunk)
    }
}

/// One thing that speaks against a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reason {
    /// One clause, lower case, names in backticks.
    pub text: String,
    /// Where to see it.
    pub url: Option<String>,
}
