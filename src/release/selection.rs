//! The ledger: every release looked at, newest first, and the one that is promoted.
//!
//! The walk stops at the first success, at what the target already runs, or at the window's end, and
//! says which. Every release passed over keeps its reason (rule 4).

use crate::plan::{Evidence, PassedOver};

use super::Release;
use super::evidence::{Shortfall, code};

/// How many releases are looked at before the search is given up.
pub const WINDOW: usize = 30;

/// A release with its evidence judged.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The release.
    pub release: Release,
    /// What speaks for it.
    pub evidence: Vec<Evidence>,
    /// What speaks against it; empty means successful.
    pub shortfalls: Vec<Shortfall>,
}

/// What the walk came to.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// The latest successful release, if there is one.
    pub chosen: Option<Candidate>,
    /// Newer ones, newest first, each with its reason.
    pub passed_over: Vec<PassedOver>,
}

impl Candidate {
    /// Whether nothing speaks against it.
    pub fn is_successful(&self) -> bool {
        self.shortfalls.is_empty()
    }

    /// All its shortfalls in one sentence.
    pub fn reason(&self) -> String {
        self.shortfalls.iter().map(|shortfall| shortfall.reason.as_str()).collect::<Vec<_>>().join("; ")
    }
}

/// Returns the newest candidate without a shortfall, with the reason for each newer one passed over.
///
/// `candidates` are in order, newest first; order is version precedence, not tag date.
pub fn latest_successful(candidates: Vec<Candidate>) -> Selection {
    let mut passed_over = Vec::new();
    for candidate in candidates {
        if candidate.is_successful() {
            return Selection { chosen: Some(candidate), passed_over };
        }
        passed_over.push(PassedOver {
            reason: candidate.reason(),
            url: candidate.shortfalls.iter().find_map(|shortfall| shortfall.url.clone()),
            tag: candidate.release.tag,
        });
    }
    Selection { chosen: None, passed_over }
}

/// The reason of a release whose commit is not on trunk.
pub fn off_trunk(trunk: &str) -> Shortfall {
    Shortfall { reason: format!("its commit is not on {}", code(trunk)), url: None }
}

/// The reason of a prerelease nobody asked for.
pub fn prerelease() -> Shortfall {
    Shortfall {
        reason: "it is a prerelease (`prereleases: true`, or its name, would make it a candidate)".into(),
        url: None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use super::*;
    use crate::names::CommitSha;
    use crate::release::version::Version;
    use proptest::prelude::*;

    fn candidate(patch: usize, successful: bool) -> Candidate {
        let commit = CommitSha::parse(&"a".repeat(40)).unwrap();
        let tag = format!("v1.0.{patch}");
        let shortfalls =
            if successful { vec![] } else { vec![Shortfall { reason: format!("{tag} failed"), url: None }] };
        let version = Version::parse(&tag);
        Candidate {
            release: Release { tag, version, object: commit.clone(), commit, tagged_at: None },
            evidence: vec![],
            shortfalls,
        }
    }

    proptest! {
        #[test]
        fn the_newest_success_is_chosen_and_every_newer_one_has_its_reason(outcomes in prop::collection::vec(any::<bool>(), 0..12)) {
            let candidates = outcomes.iter().enumerate().rev().map(|(patch, ok)| candidate(patch, *ok)).collect();
            let selection = latest_successful(candidates);
            let expected = outcomes.iter().rposition(|ok| *ok);
            prop_assert_eq!(selection.chosen.map(|c| c.release.tag), expected.map(|patch| format!("v1.0.{patch}")));
            prop_assert_eq!(selection.passed_over.len(), outcomes.len() - expected.map_or(0, |patch| patch + 1));
            for passed in selection.passed_over {
                prop_assert_eq!(passed.reason, format!("{} failed", passed.tag));
            }
        }
    }
}
