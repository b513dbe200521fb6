//! Why a release is or is not promoted now, and when it could be: one paragraph.
//!
//! The same judgement that a run makes, in words; nothing is decided here.

use super::Release;
use super::shortfall::{Shortfall, code, minute, short};
use crate::plan::Evidence;
use crate::settings::PolicyMode;

/// What is explained.
#[derive(Debug)]
pub struct Explained<'a> {
    /// The app.
    pub app: &'a str,
    /// The environment it would go to.
    pub target: &'a str,
    /// The release.
    pub release: &'a Release,
    /// How it stands.
    pub fate: Fate<'a>,
}

/// How a release stands.
#[derive(Debug)]
pub enum Fate<'a> {
    /// The target runs it.
    Runs {
        /// The tag of the newer release that is promoted now.
        newer: Option<&'a str>,
        /// What a run would do about values of it that the target lacks, in whole sentences.
        next: &'a [String],
    },
    /// The target runs a newer one.
    Behind {
        /// Its tag.
        runs: &'a str,
        /// What it lacks besides.
        shortfalls: &'a [Shortfall],
        /// What a denial of the way back does; `off` where the version is the same.
        policy: PolicyMode,
    },
    /// It is the latest successful release.
    Promoted {
        /// What makes it so.
        evidence: &'a [Evidence],
        /// What a run would do about it, in whole sentences.
        next: &'a [String],
    },
    /// It is successful, and a newer one is, too.
    Overtaken {
        /// The tag of that one.
        by: &'a str,
    },
    /// It is successful, and a search ends before it.
    OutOfSight {
        /// How many releases' evidence a search looks at.
        window: u32,
    },
    /// It lacks something.
    Lacking {
        /// What.
        shortfalls: &'a [Shortfall],
        /// What happens in its place.
        instead: Instead<'a>,
    },
}

/// What happens in the place of a release that lacks something.
#[derive(Debug, Clone, Copy)]
pub enum Instead<'a> {
    /// Nothing: the target stays as it is.
    Nothing,
    /// An older release is promoted until then.
    Older(&'a str),
    /// A newer one is promoted, also then.
    Newer(&'a str),
}

/// The paragraph, in Markdown's plainest form: names in backticks.
pub fn paragraph(explained: &Explained<'_>) -> String {
    let Explained { app, target, release, fate } = explained;
    let what = format!("{} of {} (commit {})", code(&release.tag), code(app), short(&release.commit));
    let target = code(target);
    match fate {
        Fate::Runs { newer: Some(newer), .. } => {
            format!(
                "{what} is what {target} runs now; {} is newer and successful, and is promoted.",
                code(newer)
            )
        }
        Fate::Runs { next: [], .. } => {
            format!("{what} is what {target} runs now: there is nothing to promote.")
        }
        Fate::Runs { next, .. } => {
            let told = format!("{what} is what {target} runs now, and {target} lacks some of its values.");
            with_next(told, next)
        }
        Fate::Behind { runs, shortfalls, policy } => {
            let by_name = by_name(shortfalls, *policy);
            format!(
                "{what} is not promoted to {target} now: {target} runs {}, which is newer, and a run never goes back by \
                 itself. {by_name}",
                code(runs)
            )
        }
        Fate::Promoted { evidence, next } => {
            let proofs: Vec<String> = evidence.iter().map(proof).collect();
            let proofs = if proofs.is_empty() { String::new() } else { format!(": {}", proofs.join(", ")) };
            let promoted = if next.is_empty() {
                format!("and nothing of it differs from what {target} has")
            } else {
                format!("and what is promoted to {target} now")
            };
            with_next(format!("{what} is the latest successful release, {promoted}{proofs}."), next)
        }
        Fate::Overtaken { by } => format!(
            "{what} is successful, and is not promoted to {target} now: {} is newer and successful, and is promoted in \
             its place. It can be promoted at any time by its name (`tag: {}`).",
            code(by),
            release.tag.replace('`', "'")
        ),
        Fate::OutOfSight { window } => format!(
            "{what} is successful, and is not promoted to {target} now: a search ends before it (`window: {window}`). It \
             can be promoted at any time by its name, or with a wider `window`."
        ),
        Fate::Lacking { shortfalls, instead } => {
            let what = format!("{what} is not promoted to {target} now: {}.", reasons(shortfalls));
            format!("{what} {}", mended(release, shortfalls, *instead))
        }
    }
}

/// Whether one that is behind could be had by its name.
fn by_name(shortfalls: &[Shortfall], policy: PolicyMode) -> String {
    match (shortfalls.is_empty(), policy) {
        (false, _) => format!("Nor can it be asked for by name: {}.", reasons(shortfalls)),
        (true, PolicyMode::Enforce) => {
            "Asked for by name, it is proposed as a way back, which the rule `no-downgrade` denies."
                .to_owned()
        }
        (true, _) => "Asked for by name, it is proposed.".to_owned(),
    }
}

/// When one that lacks something could be promoted, and what happens until then.
fn mended(release: &Release, shortfalls: &[Shortfall], instead: Instead<'_>) -> String {
    let mut remedies: Vec<&str> = shortfalls.iter().map(|shortfall| shortfall.remedy.as_str()).collect();
    remedies.dedup();
    let instead = match instead {
        Instead::Older(other) => format!("Until then {} is promoted in its place.", code(other)),
        Instead::Newer(other) => {
            format!("A search would then still choose {}, which is newer and successful.", code(other))
        }
        Instead::Nothing => "Until then no other release is promoted.".to_owned(),
    };
    format!("{} can be promoted {}. {instead}", code(&release.tag), remedies.join(", and "))
}

fn with_next(told: String, next: &[String]) -> String {
    std::iter::once(told).chain(next.iter().cloned()).collect::<Vec<_>>().join(" ")
}

fn reasons(shortfalls: &[Shortfall]) -> String {
    shortfalls.iter().map(|shortfall| shortfall.reason.as_str()).collect::<Vec<_>>().join("; ")
}

fn proof(evidence: &Evidence) -> String {
    let when = evidence.completed_at.map_or_else(String::new, |at| format!(" at {}", minute(at)));
    format!("{} succeeded{when}", code(&evidence.name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use super::*;
    use crate::names::CommitSha;
    use crate::plan::Standing;
    use crate::release::version::Version;

    fn told(fate: Fate<'_>) -> String {
        let commit = CommitSha::parse(&"a".repeat(40)).unwrap();
        let tag = "v1.8.0".to_owned();
        let version = Version::parse(&tag);
        let release = Release { tag, version, object: commit.clone(), commit, tagged_at: None, signed: None };
        paragraph(&Explained { app: "agent", target: "prod", release: &release, fate })
    }

    #[test]
    fn every_fate_is_one_paragraph_that_says_why_and_when() {
        let until = "2026-11-22T13:05:00Z".parse().unwrap();
        let soaks = [Shortfall::soaks(until)];
        let two = [
            Shortfall::new(Standing::Failed, "`Staging` #4 failed", "once it succeeds"),
            Shortfall::new(Standing::Pending, "`evals` is queued", "once `evals` has succeeded"),
        ];
        let behind = |shortfalls, policy| Fate::Behind { runs: "v1.9.0", shortfalls, policy };
        for (fate, expected) in [
            (Fate::Runs { newer: None, next: &[] }, "is what `prod` runs now: there is nothing to promote."),
            (
                Fate::Runs { newer: None, next: &["A run opens it.".into()] },
                "`prod` lacks some of its values. A run opens it.",
            ),
            (
                Fate::Runs { newer: Some("v1.9.0"), next: &[] },
                "`prod` runs now; `v1.9.0` is newer and successful, and is promoted.",
            ),
            (behind(&[], PolicyMode::Enforce), "a way back, which the rule `no-downgrade` denies."),
            (behind(&[], PolicyMode::Off), "Asked for by name, it is proposed."),
            (
                behind(&two, PolicyMode::Off),
                "Nor can it be asked for by name: `Staging` #4 failed; `evals` is queued.",
            ),
            (
                Fate::Promoted { evidence: &[], next: &["It is proposed.".into()] },
                "promoted to `prod` now. It is proposed.",
            ),
            (Fate::Promoted { evidence: &[], next: &[] }, "nothing of it differs from what `prod` has."),
            (Fate::Overtaken { by: "v1.9.0" }, "by its name (`tag: v1.8.0`)"),
            (Fate::OutOfSight { window: 30 }, "a search ends before it (`window: 30`)"),
            (
                Fate::Lacking { shortfalls: &soaks, instead: Instead::Older("v1.7.0") },
                "is not promoted to `prod` now: it soaks until 2026-11-22 13:05 UTC. `v1.8.0` can be promoted from \
                 2026-11-22 13:05 UTC on. Until then `v1.7.0` is promoted in its place.",
            ),
            (
                Fate::Lacking { shortfalls: &two, instead: Instead::Nothing },
                "now: `Staging` #4 failed; `evals` is queued. `v1.8.0` can be promoted once it succeeds, and once `evals` \
                 has succeeded. Until then no other release is promoted.",
            ),
            (
                Fate::Lacking { shortfalls: &two, instead: Instead::Newer("v1.9.0") },
                "A search would then still choose `v1.9.0`, which is newer and successful.",
            ),
        ] {
            let told = told(fate);
            assert!(told.starts_with("`v1.8.0` of `agent` (commit `aaaaaaa`) is "), "{told}");
            assert!(told.contains(expected) && !told.contains('\n'), "{told}");
        }
    }
}
