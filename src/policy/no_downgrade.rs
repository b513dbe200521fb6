//! `no-downgrade`: the proposed version is not lower than the active one, unless this is a rollback.

use super::Subject;
use crate::plan::{Direction, Finding, Verdict};

pub(super) const NAME: &str = "no-downgrade";

pub(super) fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    let plan = subject.plan;
    let (Some(active), Some(proposed)) = (&plan.active, &plan.proposed) else { return Vec::new() };
    if plan.rollback {
        return Vec::new();
    }
    let target = &plan.target.environment;
    let (now, then) = (&active.version, &proposed.version);
    let found = |level, message: String, hint: String| {
        let location = plan.artifacts.iter().flat_map(|artifact| &artifact.locations).next().cloned();
        vec![Finding { rule: NAME.to_owned(), level, message, hint: Some(hint), location }]
    };
    match plan.direction {
        Direction::Downgrade => found(
            Verdict::Deny,
            format!("`{then}` is lower than `{now}`, which `{target}` runs"),
            format!("name a tag of `{now}` or later; to go back on purpose, revert the promotion of `{now}`"),
        ),
        Direction::Unknown => found(
            Verdict::Warn,
            format!("`{then}` cannot be compared with `{now}`, which `{target}` says it runs"),
            format!("a reviewer should know that `{now}` is older than `{then}`"),
        ),
        Direction::Upgrade | Direction::Same => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proposal::sample::plan;

    #[test]
    fn only_a_rollback_may_go_down() {
        for (direction, rollback, expected) in [
            (Direction::Upgrade, false, None),
            (Direction::Same, false, None),
            (Direction::Downgrade, false, Some(Verdict::Deny)),
            (Direction::Downgrade, true, None),
            (Direction::Unknown, false, Some(Verdict::Warn)),
            (Direction::Unknown, true, None),
        ] {
            let mut plan = plan();
            plan.direction = direction;
            plan.rollback = rollback;
            let found = findings(&Subject { plan: &plan, files: &[] });
            assert_eq!(found.first().map(|finding| finding.level), expected, "{direction:?} {rollback}");
        }
    }

    #[test]
    fn a_first_promotion_is_no_downgrade() {
        let mut plan = plan();
        plan.active = None;
        plan.direction = Direction::Unknown;
        assert_eq!(findings(&Subject { plan: &plan, files: &[] }), []);
    }
}
