//! What a look at many commits at once rules out.
//!
//! Such a look tells what ran, and not all that decides whether it counts: whether a run came from a fork, whether a
//! check run by Actions is a job, which tag started a run. It holds all that could count and perhaps more. So a commit
//! on which something required has no success at all is ruled out; one that may be successful, and one of which nobody
//! could say why it is not, is not judged here.

use super::answers::says_nothing;
use super::facts::{CheckRun, Deployment, Run};
use super::{Judgement, OURS, Ran, Required, Rules, is_theirs, judge};

/// What a shortfall found here must be, to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// That there is one is certain.
    OfVerdict,
    /// Also whether something speaks against it or nothing ran: the parent is asked only in silence (rule 2).
    OfSilence,
}

/// How it stands with one requirement.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hope {
    /// It may be met.
    Some,
    /// It is not met, and what is there may not be the reason.
    Doubtful,
    /// It is not met: what is there is no success, and counts as far as can be seen.
    Failed,
    /// It is not met: something is there that counts for certain and is no success.
    Denied,
    /// Nothing is there that could count.
    Silent,
}

/// How far an answer counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    Certain,
    Likely,
    Unknown,
}

/// An answer: whether it is a success, and how far it counts.
type Seen = (bool, Weight);

/// The judgement of a commit that cannot be successful, by what a survey saw; none where it may be.
pub fn ruled_out(seen: &Ran, rules: &Rules<'_>, certainty: Certainty) -> Option<Judgement> {
    let hopes: Vec<Hope> = rules.required.iter().map(|required| hope(seen, rules, required)).collect();
    let is_hopeless = match certainty {
        Certainty::OfVerdict => {
            !hopes.contains(&Hope::Doubtful) && hopes.iter().any(|hope| *hope != Hope::Some)
        }
        Certainty::OfSilence => {
            hopes.contains(&Hope::Denied) || hopes.iter().all(|hope| *hope == Hope::Silent)
        }
    };
    let judgement = is_hopeless.then(|| judge(seen, rules))?;
    (!judgement.shortfalls.is_empty()).then_some(judgement)
}

fn hope(seen: &Ran, rules: &Rules<'_>, required: &Required) -> Hope {
    let answers: Vec<Seen> = match required {
        // What a workflow is called may be told otherwise there, as after a new name.
        Required::Workflow(workflow) if !Run::is_file(workflow) && !seen.runs.is_empty() => {
            let named = runs(seen, rules, |run| run.is_of(workflow));
            if named.is_empty() { vec![(false, Weight::Unknown)] } else { named }
        }
        Required::Workflow(workflow) => runs(seen, rules, |run| run.is_of(workflow)),
        Required::Check { name, app } => checks(seen, rules, |check| {
            check.name == *name && is_theirs(app.as_deref(), check.app.as_deref())
        }),
        Required::Status { context, creator } => statuses(seen, |name| name == context, creator.as_deref()),
        Required::Deployment(environment) => deployments(seen, |one| one.environment == *environment),
        // Jobs of workflow runs are judged as their run, and what was skipped says nothing.
        Required::Any => [
            runs(seen, rules, |run| !run.conclusion.as_deref().is_some_and(says_nothing)),
            checks(seen, rules, |check| {
                !check.is_by_actions()
                    && check.name != OURS
                    && !check.conclusion.as_deref().is_some_and(says_nothing)
            }),
            statuses(seen, |name| name != OURS, None),
            deployments(seen, |_| true),
        ]
        .concat(),
    };
    if answers.is_empty() {
        Hope::Silent
    } else if answers.contains(&(false, Weight::Certain)) {
        Hope::Denied
    } else if answers.iter().any(|(success, _)| *success) {
        Hope::Some
    } else if answers.contains(&(false, Weight::Unknown)) {
        Hope::Doubtful
    } else {
        Hope::Failed
    }
}

/// The runs that may count: of one that says its branch, all is known but whether it is a fork's, and a fork's is never
/// one of these events.
fn runs(seen: &Ran, rules: &Rules<'_>, wanted: impl Fn(&Run) -> bool) -> Vec<Seen> {
    let found = seen.runs.iter().filter(|run| wanted(run));
    found
        .filter_map(|run| {
            Some((succeeded(&run.status, run.conclusion.as_deref()), weight(run, seen, rules)?))
        })
        .collect()
}

fn weight(run: &Run, seen: &Ran, rules: &Rules<'_>) -> Option<Weight> {
    let speaks = run.speaks_for(rules, &seen.commit);
    match (run.counts(rules.promoting), &run.head_branch) {
        (false, _) => None,
        (true, Some(_)) => speaks.then_some(Weight::Certain),
        // A tag, or a branch that is gone.
        (true, None) => Some(if speaks { Weight::Likely } else { Weight::Unknown }),
    }
}

/// The check runs that may count; one by Actions stands below a run, whether it is a job of it or not.
fn checks(seen: &Ran, rules: &Rules<'_>, wanted: impl Fn(&CheckRun) -> bool) -> Vec<Seen> {
    let found = seen.checks.iter().filter(|check| wanted(check));
    let weighed = |check: &CheckRun| {
        let success = succeeded(&check.status, check.conclusion.as_deref());
        if !check.is_by_actions() {
            // Earlier ones of the same name are seen as well, and only the latest counts.
            return Some((success, Weight::Likely));
        }
        let run = seen.jobs.get(&check.id).and_then(|id| seen.runs.iter().find(|run| run.id == *id))?;
        let weight = weight(run, seen, rules)?;
        Some((success, if weight == Weight::Unknown { weight } else { Weight::Likely }))
    };
    found.filter_map(weighed).collect()
}

/// Of each context only the newest status is seen, whoever set it: below one that somebody else set may be the one that
/// is asked for.
fn statuses(seen: &Ran, wanted: impl Fn(&str) -> bool, creator: Option<&str>) -> Vec<Seen> {
    let found = seen.statuses.iter().filter(|status| wanted(&status.context));
    let weighed = |status: &super::Status| {
        let theirs = is_theirs(creator, status.creator.as_deref());
        (!theirs || status.state == "success", Weight::Certain)
    };
    found.map(weighed).collect()
}

/// Every deployment, since which of them count is known by the runs that made them.
fn deployments(seen: &Ran, wanted: impl Fn(&Deployment) -> bool) -> Vec<Seen> {
    let found = seen.deployments.iter().filter(|deployment| wanted(deployment));
    found
        .map(|deployment| {
            (deployment.statuses.iter().any(|status| status.state == "success"), Weight::Likely)
        })
        .collect()
}

fn succeeded(status: &str, conclusion: Option<&str>) -> bool {
    status == "completed" && conclusion == Some("success")
}
