//! How findings become a verdict.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]

use super::*;
use crate::plan::ArtifactVersion;
use crate::proposal::sample::{artifact, digest, path, plan, tagged};

fn settings(mode: PolicyMode) -> PolicySettings {
    PolicySettings { folders: vec![path("policy")], data: Vec::new(), mode }
}

fn bad() -> Plan {
    let mut plan = plan();
    plan.artifacts = vec![artifact(ArtifactKind::Image, "agent", tagged("v1"), tagged("latest"), 9)];
    plan
}

#[test]
fn the_verdict_is_the_worst_finding_and_passed_counts_rules() {
    let mut clean = plan();
    clean.artifacts[0].to = ArtifactVersion { tag: Some("v1.8.0".into()), digest: Some(digest('a')) };
    let clean = report(&clean, &[], &[], &settings(PolicyMode::Enforce));
    assert_eq!((clean.verdict, clean.passed, clean.findings.len()), (Verdict::Pass, 6, 0));

    let typical = report(&plan(), &[], &[], &settings(PolicyMode::Enforce));
    assert_eq!((typical.verdict, typical.passed, typical.findings.len()), (Verdict::Warn, 5, 1));

    let denied = report(&bad(), &[], &[], &settings(PolicyMode::Enforce));
    assert_eq!((denied.verdict, denied.passed), (Verdict::Deny, 4));
    assert_eq!(
        denied.findings.iter().map(|f| f.rule.as_str()).collect::<Vec<_>>(),
        ["image-pinned", "image-digest"]
    );
}

#[test]
fn in_mode_warn_a_denial_is_a_warning() {
    let report = report(&bad(), &[], &[], &settings(PolicyMode::Warn));
    assert_eq!(report.verdict, Verdict::Warn);
    assert_eq!(report.findings.len(), 2);
}

#[test]
fn rego_that_cannot_be_evaluated_blocks_even_in_mode_warn() {
    for mode in [PolicyMode::Enforce, PolicyMode::Warn] {
        let report = report(&plan(), &[], &[path("policy/a.rego"), path("policy/b.rego")], &settings(mode));
        assert_eq!(report.verdict, Verdict::Error);
        assert_eq!(report.passed, 5);
        let first = &report.findings[0];
        assert_eq!(
            first.message,
            "this version cannot evaluate Rego yet, so `policy/a.rego`, `policy/b.rego` said nothing"
        );
        assert!(first.hint.as_ref().unwrap().contains("`policy-mode: off`"));
    }
}

#[test]
fn in_mode_off_no_rule_is_asked() {
    let report = report(&bad(), &[], &[path("policy/a.rego")], &settings(PolicyMode::Off));
    assert_eq!((report.verdict, report.passed, report.findings.len()), (Verdict::Pass, 0, 0));
}

#[test]
fn the_same_plan_gets_the_same_report() {
    let once = report(&bad(), &[], &[path("policy/a.rego")], &settings(PolicyMode::Enforce));
    assert_eq!(once, report(&bad(), &[], &[path("policy/a.rego")], &settings(PolicyMode::Enforce)));
}
