//! The pull request's title, which is also the subject of its commit.

use super::markdown::plain;
use crate::plan::Plan;

/// What GitHub takes for a title.
const MOST_CHARACTERS: usize = 256;

/// `Promote fraud-agent v1.8.0 to prod-eu`; a rollback says so.
///
/// One line of at most 256 characters, as GitHub wants it, that pings nobody and closes nothing.
pub fn title(plan: &Plan) -> String {
    // Marks that keep a name from pinging someone count as well, and may double it.
    let fits =
        |longest: &usize| titled(plan, |name| plain(name, *longest)).chars().count() <= MOST_CHARACTERS;
    let longest = [60, 45, 30].into_iter().find(fits).unwrap_or(15);
    titled(plan, |name| plain(name, longest))
}

/// The same words, with names written as the place needs them.
pub(super) fn titled(plan: &Plan, name: impl Fn(&str) -> String) -> String {
    let (app, target) = (name(&plan.app.name), name(&plan.target.environment));
    match &plan.proposed {
        Some(release) if plan.rollback => {
            format!("Roll back {app} to {} in {target}", name(&release.version))
        }
        Some(release) => format!("Promote {app} {} to {target}", name(&release.version)),
        None => format!("Nothing to promote for {app} to {target}"),
    }
}
