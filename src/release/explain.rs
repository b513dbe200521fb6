//! Why a release is or is not promoted now, and when it could be: one paragraph.
//!
//! The same judgement that a run makes, in words; nothing is decided here.

use super::Release;
use super::shortfall::{Shortfall, code, minute, short};
use crate::plan::Evidence;

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
    Runs,
    /// The target runs a newer one.
    Behind {
        /// Its tag.
        runs: &'a str,
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
        /// How many releases a search looks at.
        window: u32,
    },
    /// It lacks something.
    Lacking {
        /// What.
        shortfalls: &'a [Shortfall],
        /// The tag of the release that is promoted in its place.
        instead: Option<&'a str>,
    },
}

/// The paragraph, in Markdown's plainest form: names in backticks.
pub fn paragraph(explained: &Explained<'_>) -> String {
    let Explained { app, target, release, fate } = explained;
    let what = format!("{} of {} (commit {})", code(&release.tag), code(app), short(&release.commit));
    let (tag, target) = (code(&release.tag), code(target));
    match fate {
        Fate::Runs => format!("{what} is what {target} runs now: there is nothing to promote."),
        Fate::Behind { runs } => format!(
            "{what} is not promoted to {target} now: {target} runs {}, which is newer, and a run never goes back by \
             itself. Asked for by name, it is proposed and the rule `no-downgrade` denies it.",
            code(runs)
        ),
        Fate::Promoted { evidence, next } => {
            let proofs: Vec<String> = evidence.iter().map(proof).collect();
            let proofs = if proofs.is_empty() { String::new() } else { format!(": {}", proofs.join(", ")) };
            let told = format!(
                "{what} is the latest successful release, and what is promoted to {target} now{proofs}."
            );
            std::iter::once(told).chain(next.iter().cloned()).collect::<Vec<_>>().join(" ")
        }
        Fate::Overtaken { by } => format!(
            "{what} is successful, and is not promoted to {target} now: {} is newer and successful, and is promoted in \
             its place. It can be promoted at any time by its name (`tag: {}`).",
            code(by),
            release.tag.replace('`', "'")
        ),
        Fate::OutOfSight { window } => format!(
            "{what} is successful, and is not promoted to {target} now: a search ends after {window} releases (`window`), \
             none of which is successful. It can be promoted at any time by its name, or with a wider `window`."
        ),
        Fate::Lacking { shortfalls, instead } => {
            let reasons: Vec<&str> = shortfalls.iter().map(|shortfall| shortfall.reason.as_str()).collect();
            let mut remedies: Vec<&str> =
                shortfalls.iter().map(|shortfall| shortfall.remedy.as_str()).collect();
            remedies.dedup();
            let instead = match instead {
                Some(other) => format!(" Until then {} is promoted in its place.", code(other)),
                None => " Until then nothing is promoted in its place.".to_owned(),
            };
            format!(
                "{what} is not promoted to {target} now: {}. {tag} can be promoted {}.{instead}",
                reasons.join("; "),
                remedies.join(", and ")
            )
        }
    }
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
        for (fate, expected) in [
            (Fate::Runs, "is what `prod` runs now: there is nothing to promote."),
            (Fate::Behind { runs: "v1.9.0" }, "runs `v1.9.0`, which is newer"),
            (
                Fate::Promoted { evidence: &[], next: &["It is proposed.".into()] },
                "promoted to `prod` now. It is proposed.",
            ),
            (Fate::Overtaken { by: "v1.9.0" }, "by its name (`tag: v1.8.0`)"),
            (Fate::OutOfSight { window: 30 }, "ends after 30 releases"),
            (
                Fate::Lacking { shortfalls: &soaks, instead: Some("v1.7.0") },
                "is not promoted to `prod` now: it soaks until 2026-11-22 13:05 UTC. `v1.8.0` can be promoted from \
                 2026-11-22 13:05 UTC on. Until then `v1.7.0` is promoted in its place.",
            ),
            (
                Fate::Lacking { shortfalls: &two, instead: None },
                "now: `Staging` #4 failed; `evals` is queued. `v1.8.0` can be promoted once it succeeds, and once `evals` \
                 has succeeded. Until then nothing",
            ),
        ] {
            let told = told(fate);
            assert!(told.starts_with("`v1.8.0` of `agent` (commit `aaaaaaa`) is "), "{told}");
            assert!(told.contains(expected) && !told.contains('\n'), "{told}");
        }
    }
}
