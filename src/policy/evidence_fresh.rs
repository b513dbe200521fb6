//! `evidence-fresh`: what proves the release is not older than 14 days. The world that it was tested
//! against moves on. A rollback is exempt: having run in the target is its evidence.

use jiff::SignedDuration;

use super::Subject;
use crate::plan::{Finding, Verdict};
use crate::proposal::markdown::time;

pub(super) const NAME: &str = "evidence-fresh";

/// How old evidence may be.
const FRESH: SignedDuration = SignedDuration::from_hours(14 * 24);

pub(super) fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    let plan = subject.plan;
    if plan.rollback || plan.proposed.is_none() {
        return Vec::new();
    }
    let found = |message: String| Finding {
        rule: NAME.to_owned(),
        level: Verdict::Warn,
        message,
        hint: Some(format!(
            "run it again on the tagged commit, or release a newer commit of `{}`",
            plan.app.name
        )),
        location: None,
    };
    if plan.evidence.is_empty() {
        return vec![found("no evidence is recorded for this release".to_owned())];
    }
    plan.evidence
        .iter()
        .filter_map(|evidence| match evidence.completed_at {
            None => Some(found(format!("nobody says when `{}` completed", evidence.name))),
            Some(at) if plan.now.duration_since(at) > FRESH => Some(found(format!(
                "`{}` completed on {}, more than 14 days before this promotion",
                evidence.name,
                time(at)
            ))),
            Some(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "tests may")]

    use super::*;
    use crate::plan::Plan;
    use crate::proposal::sample::{at, plan};

    fn messages(plan: &Plan) -> Vec<String> {
        findings(&Subject { plan, files: &[] }).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn fourteen_days_are_fresh_and_a_second_more_is_not() {
        let mut plan = plan();
        plan.evidence.truncate(1);
        plan.evidence[0].completed_at = Some(at("2026-11-08T16:40:00Z"));
        assert_eq!(messages(&plan), [""; 0]);
        plan.evidence[0].completed_at = Some(at("2026-11-08T16:39:59Z"));
        assert_eq!(
            messages(&plan),
            [
                "`Staging pipeline #412` completed on 2026-11-08 16:39 UTC, more than 14 days before this promotion"
            ]
        );
        plan.rollback = true;
        assert_eq!(messages(&plan), [""; 0]);
    }

    #[test]
    fn evidence_without_a_time_and_no_evidence_are_not_fresh() {
        let mut plan = plan();
        plan.evidence[1].completed_at = None;
        assert_eq!(messages(&plan), ["nobody says when `model-validation` completed"]);
        plan.evidence.clear();
        assert_eq!(messages(&plan), ["no evidence is recorded for this release"]);
    }

    #[test]
    fn what_is_said_does_not_age() {
        let mut plan = plan();
        plan.evidence[0].completed_at = Some(at("2026-01-01T00:00:00Z"));
        let first = messages(&plan);
        plan.now = at("2027-01-01T00:00:00Z");
        plan.evidence.truncate(1);
        assert_eq!(messages(&plan), first);
    }
}
