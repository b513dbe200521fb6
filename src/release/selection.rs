//! The ledger: every release looked at, newest first, and the one that is promoted.
//!
//! The walk stops at the first success, at what the target already runs, or at the window's end, and
//! says which. Every release passed over keeps its reason (rule 4).

use crate::plan::{Entry, Evidence, Ledger, PassedOver, Reason, SearchEnd, Standing};

use super::Release;
use super::shortfall::{Shortfall, standing};

/// How many releases are listed that were passed over without a look at their evidence; more are counted.
///
/// Ten thousand nightly builds must not make a plan that nobody can open.
const MOST_LISTED: usize = 100;

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
#[derive(Debug, Clone)]
pub struct Selection {
    /// The latest successful release, if there is one.
    pub chosen: Option<Candidate>,
    /// The others that were looked at, newest first.
    pub others: Vec<Candidate>,
    /// Everything that was looked at, as the plan has it.
    pub ledger: Ledger,
}

impl Candidate {
    /// Whether nothing speaks against it.
    pub fn is_successful(&self) -> bool {
        self.shortfalls.is_empty()
    }

    /// What its shortfalls come to.
    pub fn standing(&self) -> Standing {
        standing(&self.shortfalls)
    }

    /// All its shortfalls in one sentence.
    pub fn reason(&self) -> String {
        self.shortfalls.iter().map(|shortfall| shortfall.reason.as_str()).collect::<Vec<_>>().join("; ")
    }

    fn entry(&self) -> Entry {
        let reason =
            |shortfall: &Shortfall| Reason { text: shortfall.reason.clone(), url: shortfall.url.clone() };
        Entry {
            tag: self.release.tag.clone(),
            version: self.release.version.as_str().to_owned(),
            commit: self.release.commit.clone(),
            standing: self.standing(),
            reasons: self.shortfalls.iter().map(reason).collect(),
            soaks_until: self.shortfalls.iter().filter_map(|shortfall| shortfall.until).max(),
            evidence: self.evidence.clone(),
        }
    }
}

/// Returns the newest candidate without a shortfall, with the reason for each newer one passed over.
///
/// `candidates` are in order, newest first; order is version precedence, not tag date. `ended` is why no more were
/// looked at, where none of them is successful.
pub fn latest_successful(candidates: Vec<Candidate>, window: u32, ended: SearchEnd) -> Selection {
    let mut ledger = Ledger { window, ended, entries: Vec::new(), unlisted: 0 };
    let mut others = Vec::new();
    let mut listed = 0;
    for candidate in candidates {
        let entry = candidate.entry();
        listed += usize::from(!entry.standing.is_of_evidence());
        if entry.standing.is_of_evidence() || listed <= MOST_LISTED {
            ledger.entries.push(entry);
        } else {
            ledger.unlisted += 1;
        }
        if candidate.is_successful() {
            ledger.ended = SearchEnd::Found;
            return Selection { chosen: Some(candidate), others, ledger };
        }
        others.push(candidate);
    }
    Selection { chosen: None, others, ledger }
}

/// The releases of a ledger that were not chosen, with all reasons of each in one sentence.
pub fn passed_over(ledger: &Ledger) -> Vec<PassedOver> {
    let unsuccessful = ledger.entries.iter().filter(|entry| entry.standing != Standing::Successful);
    let passed = |entry: &Entry| {
        let reasons: Vec<&str> = entry.reasons.iter().map(|reason| reason.text.as_str()).collect();
        PassedOver {
            tag: entry.tag.clone(),
            reason: reasons.join("; "),
            url: entry.reasons.iter().find_map(|reason| reason.url.clone()),
        }
    };
    unsuccessful.map(passed).collect()
}

#[cfg(test)]
mod tests;
