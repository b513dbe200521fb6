//! What a pull request has beside branch, text and check: labels, reviewers, assignees, auto-merge.
//!
//! Courtesies, whose failure is a warning; what is there already is not asked for again.

use super::{Ground, first_line};
use crate::failure::{Kind, Result};
use crate::github::merging::Armed;
use crate::github::pulls::PullRequest;
use crate::names::CommitSha;
use crate::proposal::Proposal;
use crate::settings::MergeMethod;

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// What a person should read.
    pub(super) notes: Vec<String>,
    /// Whether GitHub had a problem, so that the next run should try again.
    pub(super) unfinished: bool,
    /// Whether auto-merge was turned off.
    pub(super) disarmed: bool,
}

impl Beside {
    /// Takes a failure for a note.
    pub(super) fn took<T>(&mut self, what: &str, result: Result<T>) -> Option<T> {
        result
            .inspect_err(|failure| {
                self.unfinished |= failure.kind() == Kind::Outage;
                self.notes.push(first_line(what, failure));
            })
            .ok()
    }
}

/// A method as GraphQL and as REST call it.
fn method(method: MergeMethod) -> (&'static str, &'static str) {
    match method {
        MergeMethod::Merge => ("MERGE", "merge"),
        MergeMethod::Squash => ("SQUASH", "squash"),
        MergeMethod::Rebase => ("REBASE", "rebase"),
    }
}

/// Those of `wanted` that are not among `there`; GitHub compares names without regard to capitals.
fn missing(wanted: &[String], there: &[String]) -> Vec<String> {
    let is_there = |name: &String| there.iter().any(|other| other.eq_ignore_ascii_case(name));
    wanted.iter().filter(|name| !is_there(name)).cloned().collect()
}

impl Ground<'_> {
    pub(super) async fn set_beside(
        &self,
        proposal: &Proposal,
        pull: &PullRequest,
        head: &CommitSha,
        beside: &mut Beside,
    ) {
        let labels = missing(&proposal.labels, &pull.labels);
        if !labels.is_empty() {
            let added = self.github.add_labels(pull.number, &labels).await;
            beside.took("labels could not be added", added);
        }
        self.ask_reviewers(proposal, pull, beside).await;
        let assignees = missing(&proposal.assignees, &pull.assignees);
        if !assignees.is_empty() {
            let assigned = self.github.assign(pull.number, &assignees).await;
            beside.took("nobody could be assigned", assigned);
        }
        self.arm_or_merge(proposal, pull, head, beside).await;
    }

    async fn ask_reviewers(&self, proposal: &Proposal, pull: &PullRequest, beside: &mut Beside) {
        let mut there = pull.reviewers.clone();
        // Nobody can review what they opened: they are not asked.
        there.push(pull.author.clone());
        let users = missing(&proposal.reviewers, &there);
        let teams = missing(&proposal.team_reviewers, &pull.teams);
        if users.is_empty() && teams.is_empty() {
            return;
        }
        let asked = self.github.request_reviews(pull.number, &users, &teams).await;
        let dropped = beside.took("reviews could not be requested", asked).unwrap_or_default();
        if !dropped.is_empty() {
            let names: Vec<_> = dropped.iter().map(|name| format!("`{}`", name.replace('`', "'"))).collect();
            beside.notes.push(format!(
                "GitHub did not accept these reviewers (they must be collaborators, or teams with access that the token may see): {}",
                names.join(", ")
            ));
        }
    }

    /// GitHub arms auto-merge only where something keeps the pull request from being merged now.
    pub(super) async fn arm_or_merge(
        &self,
        proposal: &Proposal,
        pull: &PullRequest,
        head: &CommitSha,
        beside: &mut Beside,
    ) {
        let Some((armed_as, merged_as)) = proposal.auto_merge.map(method).filter(|_| !pull.auto_merge) else {
            return;
        };
        let armed = self.github.arm(&pull.node_id, armed_as).await;
        match beside.took("auto-merge could not be turned on", armed) {
            None | Some(Armed::Yes) => return,
            Some(Armed::NothingToWaitFor) if proposal.merge_at_once => {
                let merged = self.github.merge(pull.number, head, merged_as).await;
                beside.took("the pull request could not be merged at once", merged);
                return;
            }
            Some(Armed::NothingToWaitFor | Armed::NothingRequired) => {}
        }
        beside.notes.push(format!(
            "auto-merge was not turned on: nothing that `{0}` requires keeps the pull request from being merged now, and GitHub then has nothing to wait for (require a review or the check `promotion` on `{0}`, or set `merge-at-once: true`)",
            proposal.base
        ));
    }
}
