//! Workflows and their runs.

use jiff::Timestamp;

use super::checks::{Fresh, suite_for};
use super::{Answer, Call, Refusal, Reply, wrapped};
use crate::facts::{CheckRun, Job, Workflow, WorkflowRun};
use crate::shape;
use crate::state::{CheckRunState, RepoState, RunState, Site, World};

/// Adds a workflow run, its check suite, and a check run per job.
pub(crate) fn add(site: &mut Site, repo: &mut RepoState, mut fact: WorkflowRun) -> u64 {
    let fresh = site.next_id("workflow");
    let workflow = repo.workflow_of(&fact.path, fact.name.as_deref(), fresh);
    if fact.jobs.is_empty() {
        let job = Job { status: fact.status.clone(), conclusion: fact.conclusion.clone(), ..Job::default() };
        fact.jobs.push(job);
    }
    let suite = suite_for(site, repo, "github-actions", &fact.head_sha, Fresh::For(fact.head_branch.clone()));
    let id = site.next_id("run");
    let created_at = fact.created_at.unwrap_or(site.clock.now());
    let updated_at = fact.updated_at.unwrap_or(created_at);
    let last = repo.runs.iter().filter(|run| run.workflow == workflow).map(|run| run.number).max();
    let number = fact.run_number.unwrap_or(last.unwrap_or(0) + 1);
    for job in &fact.jobs {
        let mut check = CheckRun::new(&job.name, &fact.head_sha).app("github-actions");
        check.status.clone_from(&job.status);
        check.conclusion.clone_from(&job.conclusion);
        check.started_at = job.started_at.or(Some(created_at));
        check.completed_at = job.completed_at.or(Some(updated_at));
        let job = site.next_id("check-run");
        repo.add_check(CheckRunState { id: job, suite, created_at, fact: check, run: Some(id) });
    }
    repo.runs.push(RunState { id, workflow, suite, number, created_at, updated_at, fact, summary: None });
    id
}

pub(super) fn workflows(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let all: Vec<&(u64, Workflow)> = repo.workflows.iter().collect();
    Ok(wrapped(site, call, "workflows", all, |(id, workflow)| shape::workflow(site, repo, *id, workflow)))
}

/// A workflow by id or file name.
fn one<'a>(repo: &'a RepoState, call: &Call) -> Result<&'a (u64, Workflow), Refusal> {
    let wanted = call.param("workflow_id");
    let file = |path: &str| path.rsplit('/').next() == Some(wanted);
    let fits = |(id, workflow): &&(u64, Workflow)| id.to_string() == wanted || file(&workflow.path);
    repo.workflows.iter().find(fits).ok_or_else(Refusal::not_found)
}

pub(super) fn workflow(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let (id, workflow) = one(repo, call)?;
    Ok(Reply::ok(shape::workflow(site, repo, *id, workflow)))
}

/// Whether a time is inside GitHub's `created` filter: `>=T`, `<T`, `A..B`, a day, an instant.
fn within(filter: &str, at: Timestamp) -> bool {
    let instant = |text: &str, end_of_day: bool| -> Option<Timestamp> {
        if let Ok(at) = text.parse() {
            return Some(at);
        }
        let clock = if end_of_day { "T23:59:59Z" } else { "T00:00:00Z" };
        format!("{text}{clock}").parse().ok()
    };
    if let Some((from, until)) = filter.split_once("..") {
        let after = from == "*" || instant(from, false).is_none_or(|from| at >= from);
        return after && (until == "*" || instant(until, true).is_none_or(|until| at <= until));
    }
    for (sign, end_of_day) in [(">=", false), ("<=", true), (">", true), ("<", false)] {
        if let Some(text) = filter.strip_prefix(sign) {
            let Some(edge) = instant(text, end_of_day) else { return true };
            return match sign {
                ">=" => at >= edge,
                "<=" => at <= edge,
                ">" => at > edge,
                _ => at < edge,
            };
        }
    }
    match (instant(filter, false), instant(filter, true)) {
        (Some(from), Some(until)) => at >= from && at <= until,
        _ => true,
    }
}

fn filtered<'a>(repo: &'a RepoState, call: &Call, workflow: Option<u64>) -> Vec<&'a RunState> {
    let fits = |name: &str, value: Option<&str>| call.query(name).is_none_or(|wanted| value == Some(wanted));
    let mut found: Vec<&RunState> = repo
        .runs
        .iter()
        .filter(|run| workflow.is_none_or(|workflow| run.workflow == workflow))
        .filter(|run| {
            let fact = &run.fact;
            // `status` takes a conclusion too.
            let state = call.query("status").is_none_or(|wanted| {
                fact.status == wanted
                    || fact.status == "completed" && fact.conclusion.as_deref() == Some(wanted)
            });
            state
                && fits("head_sha", Some(&fact.head_sha))
                && fits("branch", fact.head_branch.as_deref())
                && fits("event", Some(&fact.event))
                && fits("actor", Some(&fact.actor))
                && call.query("created").is_none_or(|filter| within(filter, run.created_at))
        })
        .collect();
    found.sort_by_key(|run| std::cmp::Reverse((run.created_at, run.id)));
    found
}

pub(super) fn runs(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let found = filtered(repo, call, None);
    Ok(wrapped(site, call, "workflow_runs", found, |run| shape::run(site, repo, run, None)))
}

pub(super) fn runs_of_workflow(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let found = filtered(repo, call, Some(one(repo, call)?.0));
    Ok(wrapped(site, call, "workflow_runs", found, |run| shape::run(site, repo, run, None)))
}

fn run_of<'a>(repo: &'a RepoState, call: &Call) -> Result<&'a RunState, Refusal> {
    let id = call.number("run_id")?;
    repo.runs.iter().find(|run| run.id == id).ok_or_else(Refusal::not_found)
}

pub(super) fn run(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    Ok(Reply::ok(shape::run(site, repo, run_of(repo, call)?, None)))
}

pub(super) fn attempt(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let (run, attempt) = (run_of(repo, call)?, call.number("attempt_number")?);
    if attempt == 0 || attempt > run.fact.run_attempt {
        return Err(Refusal::not_found());
    }
    Ok(Reply::ok(shape::run(site, repo, run, Some(attempt))))
}

pub(super) fn jobs(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let run = run_of(repo, call)?;
    let found: Vec<&CheckRunState> =
        repo.check_runs.iter().filter(|check| check.run == Some(run.id)).collect();
    Ok(wrapped(site, call, "jobs", found, |check| shape::job(site, repo, run, check)))
}
