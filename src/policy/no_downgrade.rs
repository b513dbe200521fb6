//! `no-downgrade`: the proposed version is not lower than the active one, unless this is a rollback.
//!
//! The release's version does not tell all: a release of a model keeps its image's tag, and what runs may not be
//! known at all. So each artifact's version is compared as well. That is a denial, unless the release as a whole
//! is known to be newer: then it may take back a model on purpose, and a reviewer is told.

use super::{Subject, of_artifact};
use crate::plan::{Artifact, Direction, Finding, Plan, Release, Verdict};
use crate::release::version::goes_back;

pub(super) const NAME: &str = "no-downgrade";

pub(super) fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    let plan = subject.plan;
    let Some(proposed) = plan.proposed.as_ref().filter(|_| !plan.rollback) else { return Vec::new() };
    let of_release = plan.active.as_ref().and_then(|active| release(plan, active, proposed));
    // Two commits have no order, though both may look like numbers.
    let is_commit = |artifact: &Artifact| {
        let commit = proposed.commit.as_ref().map(crate::names::CommitSha::as_str).unwrap_or_default();
        let tag = artifact.to.tag.as_deref().unwrap_or_default();
        tag.len() >= 7 && commit.starts_with(tag)
    };
    let back = plan.artifacts.iter().filter(|artifact| goes_back(artifact) && !is_commit(artifact));
    let back: Vec<Finding> = back.map(|back| artifact(plan, back)).collect();
    match plan.direction {
        // That the release goes back says it of all that is in it.
        Direction::Downgrade => of_release.into_iter().collect(),
        // What goes back says it better than two versions do, of which one may not run.
        _ if plan.active.as_ref().is_some_and(|active| active.tag.is_some()) && !back.is_empty() => back,
        _ => of_release.into_iter().chain(back).collect(),
    }
}

/// What the versions of the two releases say.
fn release(plan: &Plan, active: &Release, proposed: &Release) -> Option<Finding> {
    let target = &plan.target.environment;
    let (now, then) = (&active.version, &proposed.version);
    let (level, message, hint) = match plan.direction {
        Direction::Downgrade => (
            Verdict::Deny,
            format!("`{then}` is lower than `{now}`, which `{target}` runs"),
            format!("name a tag of `{now}` or later; to go back on purpose, revert the promotion of `{now}`"),
        ),
        Direction::Unknown => (
            Verdict::Warn,
            format!("`{then}` cannot be compared with `{now}`, which `{target}` says it runs"),
            format!(
                "which release `{target}` runs is not known: a reviewer should make sure that it is older than `{then}`"
            ),
        ),
        Direction::Upgrade | Direction::Same => return None,
    };
    let location = plan.artifacts.iter().flat_map(|artifact| &artifact.locations).next().cloned();
    Some(Finding { rule: NAME.to_owned(), level, message, hint: Some(hint), location })
}

/// An artifact of which the target has a newer version now.
fn artifact(plan: &Plan, back: &Artifact) -> Finding {
    let (target, version) =
        (&plan.target.environment, |tag: &Option<String>| tag.clone().unwrap_or_default());
    let (level, why) = match plan.direction {
        Direction::Upgrade => (Verdict::Warn, ", though the release is newer".to_owned()),
        Direction::Unknown => (Verdict::Deny, format!(", and which release `{target}` runs is not known")),
        Direction::Same | Direction::Downgrade => (Verdict::Deny, String::new()),
    };
    let (from, to) = (version(&back.from.tag), version(&back.to.tag));
    let message = format!("{} `{}` goes back from `{from}` to `{to}`{why}", back.kind.as_str(), back.name);
    let hint = match level {
        Verdict::Warn => format!("a reviewer should know that `{target}` loses `{from}`"),
        _ => format!(
            "name a release that has `{from}` or later; to go back on purpose, set `{to}` in `{target}` by a commit of its own"
        ),
    };
    of_artifact(NAME, level, back, message, hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ArtifactKind;
    use crate::proposal::sample::{artifact as artifact_of, plan, tagged};

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
    fn an_artifact_goes_back_only_in_a_rollback_or_where_the_release_is_known_to_be_newer() {
        for (from, to, direction, expected) in [
            ("3", "2", Direction::Unknown, Some(Verdict::Deny)),
            ("3", "2", Direction::Same, Some(Verdict::Deny)),
            ("3", "2", Direction::Upgrade, Some(Verdict::Warn)),
            ("2", "3", Direction::Unknown, None),
            ("2026-09-15", "2026-05-01", Direction::Unknown, Some(Verdict::Deny)),
            ("1.9.0", "v1.10.0", Direction::Unknown, None),
            ("main", "v1", Direction::Unknown, None),
        ] {
            let mut plan = plan();
            plan.active = None;
            plan.direction = direction;
            plan.artifacts = vec![artifact_of(ArtifactKind::Model, "scoring", tagged(from), tagged(to), 4)];
            let levels = |plan: &Plan| -> Option<Verdict> {
                let subject = Subject { plan, files: &[] };
                findings(&subject).first().map(|finding| finding.level)
            };
            assert_eq!(levels(&plan), expected, "{from} {to} {direction:?}");
            plan.rollback = true;
            assert_eq!(levels(&plan), None);
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
