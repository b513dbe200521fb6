//! What a look at many commits at once rules out.
//!
//! Such a look tells what ran, and not all that decides whether it counts: whether a run came from a fork, whether a
//! check run by Actions is a job, which tag started a run. It holds all that could count and perhaps more. So a commit
//! on which something required has no success at all is ruled out for certain; one that may be successful is not judged
//! here.

use super::answers::{State, by_actions, deployment_answers};
use super::{CheckRun, Judgement, OURS, Ran, Required, Rules, Run, is_theirs, judge};

/// What a shortfall found here must be, to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// That there is one is certain; why, in a doubtful case, need not be.
    OfVerdict,
    /// Also whether something speaks against it or nothing ran: the parent is asked only in silence (rule 2).
    OfSilence,
}

/// How it stands with one requirement.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hope {
    /// It may be met.
    Some,
    /// It is not met, though what is there may not count.
    Doubtful,
    /// Nothing is there that could count.
    Silent,
    /// Something is there that counts and is no success.
    Denied,
}

/// The judgement of a commit that cannot be successful, by what a survey saw; none where it may be.
pub fn ruled_out(seen: &Ran, rules: &Rules<'_>, certainty: Certainty) -> Option<Judgement> {
    let hopes: Vec<Hope> = rules.required.iter().map(|required| hope(seen, rules, required)).collect();
    let is_hopeless = match certainty {
        Certainty::OfVerdict => hopes.iter().any(|hope| *hope != Hope::Some),
        Certainty::OfSilence => {
            hopes.contains(&Hope::Denied) || hopes.iter().all(|hope| *hope == Hope::Silent)
        }
    };
    let judgement = is_hopeless.then(|| judge(seen, rules))?;
    (!judgement.shortfalls.is_empty()).then_some(judgement)
}

fn hope(seen: &Ran, rules: &Rules<'_>, required: &Required) -> Hope {
    // Of a run that says its branch, all is known but whether it is a fork's; a fork's is never one of these events.
    let counts = |run: &Run| {
        run.counts(rules.promoting) && run.head_branch.is_some() && run.speaks_for(rules, &seen.commit)
    };
    // With `any`, what was skipped says nothing.
    let any = *required == Required::Any;
    let says = |conclusion: Option<&str>| !(any && matches!(conclusion, Some("skipped" | "neutral")));
    let runs = |wanted: &dyn Fn(&Run) -> bool| -> Vec<(bool, bool)> {
        let found = seen.runs.iter().filter(|run| wanted(run) && says(run.conclusion.as_deref()));
        found.map(|run| (succeeded(&run.status, run.conclusion.as_deref()), counts(run))).collect()
    };
    let checks = |wanted: &dyn Fn(&CheckRun) -> bool| -> Vec<(bool, bool)> {
        let found = seen.checks.iter().filter(|check| wanted(check) && says(check.conclusion.as_deref()));
        found
            .map(|check| (succeeded(&check.status, check.conclusion.as_deref()), !by_actions(check)))
            .collect()
    };
    // Of each context only the newest status is seen, whoever set it.
    let statuses = |context: Option<&str>, creator: Option<&str>| -> Vec<(bool, bool)> {
        let wanted = |name: &str| context.map_or(name != OURS, |context| context == name);
        let found = seen.statuses.iter().filter(|status| wanted(&status.context));
        // Below one that somebody else set may be the one that is asked for.
        let seen = |status: &super::Status| {
            let theirs = is_theirs(creator, status.creator.as_deref());
            (!theirs || status.state == "success", theirs)
        };
        found.map(seen).collect()
    };
    let deployments = |wanted: &dyn Fn(&str) -> bool| -> Vec<(bool, bool)> {
        let found = deployment_answers(seen, |deployment| wanted(&deployment.environment));
        found.into_iter().map(|answer| (answer.state == State::Success, true)).collect()
    };
    let answers = match required {
        Required::Workflow(workflow) => runs(&|run| run.is_of(workflow)),
        Required::Check { name, app } => {
            checks(&|check| check.name == *name && is_theirs(app.as_deref(), check.app.as_deref()))
        }
        Required::Status { context, creator } => statuses(Some(context), creator.as_deref()),
        Required::Deployment(environment) => deployments(&|name| name == environment),
        Required::Any => [
            runs(&|_| true),
            checks(&|check| !by_actions(check) && check.name != OURS),
            statuses(None, None),
            deployments(&|_| true),
        ]
        .concat(),
    };
    if answers.is_empty() {
        Hope::Silent
    } else if answers.iter().any(|(success, counts)| !success && *counts) {
        Hope::Denied
    } else if answers.iter().any(|(success, _)| *success) {
        Hope::Some
    } else {
        Hope::Doubtful
    }
}

fn succeeded(status: &str, conclusion: Option<&str>) -> bool {
    status == "completed" && conclusion == Some("success")
}
