//! May it? Rules over the plan and the target's files, and their verdict.
//!
//! A rule is a pure function with a file of its own. It says what it found and never changes the plan;
//! how a denial counts is decided here, by the mode. What cannot be evaluated is an error, never a pass.

mod evidence_fresh;
mod image_digest;
mod image_pinned;
mod model_pinned;
mod no_downgrade;
mod no_plain_secrets;
mod secret_manifests;
mod token_shapes;

use crate::names::RepoPath;
use crate::overlay::OverlayFile;
use crate::plan::{Artifact, ArtifactKind, Finding, Location, Plan, PolicyReport, Verdict};
use crate::settings::{PolicyMode, PolicySettings};

/// What every rule may look at.
struct Subject<'a> {
    plan: &'a Plan,
    /// The target's files as they will stand after the promotion.
    files: &'a [OverlayFile],
}

/// A rule: its name and what it finds.
type Rule = (&'static str, fn(&Subject<'_>) -> Vec<Finding>);

/// The built-in rules, in the order in which findings of one level are listed.
const RULES: [Rule; 6] = [
    (image_pinned::NAME, image_pinned::findings),
    (image_digest::NAME, image_digest::findings),
    (model_pinned::NAME, model_pinned::findings),
    (no_downgrade::NAME, no_downgrade::findings),
    (evidence_fresh::NAME, evidence_fresh::findings),
    (no_plain_secrets::NAME, no_plain_secrets::findings),
];

/// The rule whose findings are of secrets: what it found must not be shown.
pub const NO_PLAIN_SECRETS: &str = no_plain_secrets::NAME;

/// What policy says of a plan.
///
/// `target_files` are the target overlay as it will stand after the promotion; `rego` names the `*.rego`
/// files found at the base commit below the policy folders. In mode `off` no rule is asked: zero
/// passed, nothing found. In mode `warn` a denial counts as a warning; an error stays an error.
pub fn report(
    plan: &Plan,
    target_files: &[OverlayFile],
    rego: &[RepoPath],
    settings: &PolicySettings,
) -> PolicyReport {
    if settings.mode == PolicyMode::Off {
        return PolicyReport { verdict: Verdict::Pass, passed: 0, findings: Vec::new() };
    }
    let subject = Subject { plan, files: target_files };
    let mut findings: Vec<Finding> = not_evaluated(rego).into_iter().collect();
    let mut passed = 0;
    for (_, rule) in RULES {
        let found = rule(&subject);
        passed += u32::from(found.is_empty());
        findings.extend(found);
    }
    if settings.mode == PolicyMode::Warn {
        for finding in findings.iter_mut().filter(|finding| finding.level == Verdict::Deny) {
            finding.level = Verdict::Warn;
        }
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    let verdict = findings.first().map_or(Verdict::Pass, |worst| worst.level);
    PolicyReport { verdict, passed, findings }
}

/// Rego that is there and cannot be asked must not look like Rego that agreed.
fn not_evaluated(rego: &[RepoPath]) -> Option<Finding> {
    let first = rego.first()?;
    let named: Vec<String> = rego.iter().take(5).map(|file| format!("`{file}`")).collect();
    let more = match rego.len().saturating_sub(named.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(Finding {
        rule: "rego".to_owned(),
        level: Verdict::Error,
        message: format!("this version cannot evaluate Rego yet, so {}{more} said nothing", named.join(", ")),
        hint: Some(
            "whoever maintains the workflow can set `policy-mode: off`, which promotes without any policy, \
             or point `policy` at a folder without `*.rego` files, which keeps the built-in rules"
                .to_owned(),
        ),
        location: Some(Location { file: first.clone(), line: 1 }),
    })
}

impl Subject<'_> {
    fn artifacts(&self, kind: ArtifactKind) -> impl Iterator<Item = &Artifact> {
        self.plan.artifacts.iter().filter(move |artifact| artifact.kind == kind)
    }

    /// Where a release's pins are corrected, in words.
    fn source(&self) -> String {
        format!("`{}`", self.plan.source.path)
    }
}

/// A finding of a rule about an artifact.
fn of_artifact(rule: &str, level: Verdict, artifact: &Artifact, message: String, hint: String) -> Finding {
    Finding {
        rule: rule.to_owned(),
        level,
        message,
        hint: Some(hint),
        location: artifact.locations.first().cloned(),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
