//! Runs, check runs, statuses and deployments, each as an answer of one shape.
//!
//! What may not count at all is left out here; whether what is left agrees is asked in `evidence.rs`.

use std::collections::HashSet;

use jiff::Timestamp;

use super::super::shortfall::code;
use super::{CheckRun, Deployment, Ran, Rules, Run, Status};
use crate::plan::{Evidence, EvidenceKind};

/// One answer of any kind, in one shape.
pub(super) struct Answer {
    pub(super) evidence: Evidence,
    pub(super) state: State,
    pub(super) label: String,
    pub(super) since: Option<Timestamp>,
}

/// Whether something ended so without having tried anything.
pub(super) fn says_nothing(conclusion: &str) -> bool {
    matches!(conclusion, "skipped" | "neutral")
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Success,
    Pending,
    Not,
}

pub(super) fn run_answers(ran: &Ran, rules: &Rules<'_>, wanted: impl Fn(&Run) -> bool) -> Vec<Answer> {
    let speaks = |run: &Run| run.counts(rules.promoting) && run.speaks_for(rules, &ran.commit);
    let counted = ran.runs.iter().filter(|run| wanted(run) && speaks(run));
    counted
        .map(|run| {
            let label = format!("{} #{}", code(&run.name), run.number);
            let done = run.status == "completed";
            let conclusion = run.conclusion.clone().filter(|_| done).unwrap_or_else(|| run.status.clone());
            let evidence = Evidence {
                kind: EvidenceKind::WorkflowRun,
                name: format!("{} #{}", run.name, run.number),
                conclusion,
                commit: ran.commit.clone(),
                url: run.url.clone(),
                completed_at: run.updated_at.filter(|_| done),
                app: Some("github-actions".into()),
                summary: None,
            };
            answer(evidence, label, if done { Progress::Done } else { Progress::Going }, run.started_at)
        })
        .collect()
}

pub(super) fn check_answers(ran: &Ran, rules: &Rules<'_>, wanted: impl Fn(&CheckRun) -> bool) -> Vec<Answer> {
    // A job says of this release what its run may say of it.
    let of_a_run = |check: &CheckRun| {
        let run = ran.jobs.get(&check.id).and_then(|id| ran.runs.iter().find(|run| run.id == *id));
        run.is_some_and(|run| run.counts(rules.promoting) && run.speaks_for(rules, &ran.commit))
    };
    let real = |check: &&CheckRun| !check.is_by_actions() || of_a_run(check);
    ran.checks
        .iter()
        .filter(|check| wanted(check))
        .filter(real)
        .map(|check| {
            let done = check.status == "completed";
            let conclusion =
                check.conclusion.clone().filter(|_| done).unwrap_or_else(|| check.status.clone());
            let evidence = Evidence {
                kind: EvidenceKind::CheckRun,
                name: check.name.clone(),
                conclusion,
                commit: ran.commit.clone(),
                url: check.url.clone(),
                completed_at: check.completed_at.filter(|_| done),
                app: check.app.clone(),
                summary: check.title.clone(),
            };
            answer(
                evidence,
                code(&check.name),
                if done { Progress::Done } else { Progress::Going },
                check.started_at,
            )
        })
        .collect()
}

pub(super) fn status_answers(ran: &Ran, wanted: impl Fn(&Status) -> bool) -> Vec<Answer> {
    let mut seen = HashSet::new();
    // Newest first: of each context (and creator) only the newest speaks.
    let newest = ran.statuses.iter().filter(|status| seen.insert((&status.context, &status.creator)));
    newest
        .filter(|status| wanted(status))
        .map(|status| {
            let progress = if status.state == "pending" { Progress::Going } else { Progress::Done };
            let evidence = Evidence {
                kind: EvidenceKind::Status,
                name: status.context.clone(),
                conclusion: status.state.clone(),
                commit: ran.commit.clone(),
                url: status.url.clone(),
                completed_at: status.at,
                app: status.creator.clone(),
                summary: status.description.clone(),
            };
            answer(evidence, code(&status.context), progress, status.at)
        })
        .collect()
}

pub(super) fn deployment_answers(
    ran: &Ran,
    rules: &Rules<'_>,
    wanted: impl Fn(&Deployment) -> bool,
) -> Vec<Answer> {
    let mut environments = HashSet::new();
    ran.deployments
        .iter()
        .filter(|deployment| wanted(deployment) && deployment.objection(ran, rules).is_none())
        // Newest first: of each environment only the newest counts.
        .filter(|deployment| environments.insert(&deployment.environment))
        .map(|deployment| {
            // GitHub marks a deployment `inactive` when the next one succeeds; what counts is how it ended.
            let lasting = deployment.statuses.iter().find(|status| status.state != "inactive");
            let ended = lasting.or_else(|| deployment.statuses.first());
            let state = ended.map_or("pending", |status| status.state.as_str());
            let going = matches!(state, "pending" | "queued" | "in_progress" | "waiting");
            let evidence = Evidence {
                kind: EvidenceKind::Deployment,
                name: deployment.environment.clone(),
                conclusion: state.to_owned(),
                commit: ran.commit.clone(),
                url: ended.and_then(|status| status.url.clone()),
                completed_at: ended.and_then(|status| status.at),
                app: deployment.creator.clone(),
                summary: None,
            };
            let label = format!("the deployment to {}", code(&deployment.environment));
            answer(
                evidence,
                label,
                if going { Progress::Going } else { Progress::Done },
                deployment.created_at,
            )
        })
        .collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Going,
    Done,
}

fn answer(evidence: Evidence, label: String, progress: Progress, since: Option<Timestamp>) -> Answer {
    let state = match progress {
        Progress::Going => State::Pending,
        Progress::Done if evidence.conclusion == "success" => State::Success,
        Progress::Done => State::Not,
    };
    Answer { evidence, state, label, since }
}
