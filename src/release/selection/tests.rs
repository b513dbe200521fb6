#![allow(clippy::unwrap_used, reason = "tests may")]
//! The walk's end, and what must hold of a choice whatever was observed.

use proptest::prelude::*;

use super::*;
use crate::names::CommitSha;
use crate::release::version::Version;

fn candidate(patch: usize, shortfall: Option<Standing>) -> Candidate {
    let commit = CommitSha::parse(&"a".repeat(40)).unwrap();
    let tag = format!("v1.0.{patch}");
    let lacks = |standing| Shortfall::new(standing, format!("{tag} lacks"), "never");
    let shortfalls = shortfall.map(lacks).into_iter().collect();
    let version = Version::parse(&tag);
    let release = Release { tag, version, object: commit.clone(), commit, tagged_at: None, signed: None };
    Candidate { release, evidence: vec![], shortfalls }
}

#[test]
fn what_the_name_rules_out_is_counted_and_not_listed_for_ever() {
    let mut candidates: Vec<_> = (1..=400).rev().map(|n| candidate(n, Some(Standing::Prerelease))).collect();
    candidates.push(candidate(0, Some(Standing::Failed)));
    let selection = latest_successful(candidates, 30, SearchEnd::Exhausted);
    assert_eq!((selection.ledger.entries.len(), selection.ledger.unlisted), (MOST_LISTED + 1, 300));
    assert_eq!(passed_over(&selection.ledger).last().unwrap().tag, "v1.0.0");
    assert_eq!(selection.ledger.ended, SearchEnd::Exhausted);
}

proptest! {
    #[test]
    fn the_newest_success_is_chosen_and_every_newer_one_has_its_reason(outcomes in prop::collection::vec(any::<bool>(), 0..12)) {
        let lack = |ok: bool| (!ok).then_some(Standing::Failed);
        let candidates = outcomes.iter().enumerate().rev().map(|(patch, ok)| candidate(patch, lack(*ok))).collect();
        let selection = latest_successful(candidates, 30, SearchEnd::Exhausted);
        let expected = outcomes.iter().rposition(|ok| *ok);
        prop_assert_eq!(selection.chosen.map(|c| c.release.tag), expected.map(|patch| format!("v1.0.{patch}")));
        let passed = passed_over(&selection.ledger);
        prop_assert_eq!(passed.len(), outcomes.len() - expected.map_or(0, |patch| patch + 1));
        prop_assert_eq!(selection.ledger.ended == SearchEnd::Found, expected.is_some());
        for passed in passed {
            prop_assert_eq!(passed.reason, format!("{} lacks", passed.tag));
        }
    }
}
