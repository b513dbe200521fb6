//! The pull request's title, which is also the subject of its commit.

use super::markdown::plain;
use crate::plan::Plan;

/// `Promote fraud-agent v1.8.0 to prod-eu`; a rollback says so.
///
/// One line of at most 256 characters, as GitHub wants it, that pings nobody and closes nothing.
pub fn title(plan: &Plan) -> String {
    titled(plan, |name| plain(name, 60))
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
