//! Workflows, their runs, their jobs.

use serde_json::{Value, json};

use super::checks::pulls_at;
use super::{node, repo_minimal, simple_commit, user};
use crate::facts::Workflow;
use crate::state::{CheckRunState, RepoState, RunState, Site, stamp};

/// `workflow`
pub(crate) fn workflow(site: &Site, repo: &RepoState, id: u64, workflow: &Workflow) -> Value {
    let (api, html) = (repo.api(&site.base), repo.html(&site.base));
    let file = workflow.path.rsplit('/').next().unwrap_or_default();
    let at = stamp(repo.created_at);
    json!({
        "id": id,
        "node_id": node("W", id),
        "name": workflow.name,
        "path": workflow.path,
        "state": workflow.state,
        "created_at": at,
        "updated_at": at,
        "url": format!("{api}/actions/workflows/{id}"),
        "html_url": format!("{html}/blob/{}/{}", repo.default_branch, workflow.path),
        "badge_url": format!("{html}/actions/workflows/{file}/badge.svg"),
    })
}

/// `workflow-run`, of the latest attempt or of an earlier one.
pub(crate) fn run(site: &Site, repo: &RepoState, run: &RunState, attempt: Option<u64>) -> Value {
    let (api, html) = (repo.api(&site.base), repo.html(&site.base));
    let (fact, id) = (&run.fact, run.id);
    let url = format!("{api}/actions/runs/{id}");
    let name = repo
        .workflows
        .iter()
        .find(|(other, _)| *other == run.workflow)
        .map(|(_, workflow)| workflow.name.clone());
    let latest = attempt.is_none_or(|attempt| attempt == fact.run_attempt);
    let attempt = attempt.unwrap_or(fact.run_attempt);
    let (status, conclusion) = if latest {
        let done = fact.status == "completed";
        (fact.status.as_str(), if done { json!(fact.conclusion) } else { Value::Null })
    } else {
        let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or_default();
        ("completed", json!(fact.earlier.get(index).map_or("failure", String::as_str)))
    };
    let head = simple_commit(repo, &fact.head_sha);
    let subject = head.get("message").and_then(Value::as_str).and_then(|text| text.lines().next());
    let title = fact.display_title.clone().or_else(|| subject.map(str::to_owned));
    let foreign = fact.head_repository.as_ref().filter(|name| **name != repo.full_name());
    json!({
        "id": id,
        "name": name,
        "node_id": node("WFR", id),
        "head_branch": fact.head_branch,
        "head_sha": fact.head_sha,
        "path": fact.path,
        "display_title": title.unwrap_or_default(),
        "run_number": run.number,
        "event": fact.event,
        "status": status,
        "conclusion": conclusion,
        "workflow_id": run.workflow,
        "check_suite_id": run.suite,
        "check_suite_node_id": node("CS", run.suite),
        "url": url,
        "html_url": format!("{html}/actions/runs/{id}"),
        "pull_requests": if foreign.is_some() { Vec::new() } else { pulls_at(site, repo, &fact.head_sha) },
        "created_at": stamp(run.created_at),
        "updated_at": stamp(run.updated_at),
        "actor": user(site, &fact.actor),
        "run_attempt": attempt,
        "referenced_workflows": [],
        "run_started_at": stamp(run.created_at),
        "triggering_actor": user(site, &fact.actor),
        "jobs_url": format!("{url}/jobs"),
        "logs_url": format!("{url}/logs"),
        "check_suite_url": format!("{api}/check-suites/{}", run.suite),
        "artifacts_url": format!("{url}/artifacts"),
        "cancel_url": format!("{url}/cancel"),
        "rerun_url": format!("{url}/rerun"),
        "previous_attempt_url": (attempt > 1).then(|| format!("{url}/attempts/{}", attempt - 1)),
        "workflow_url": format!("{api}/actions/workflows/{}", run.workflow),
        "head_commit": head,
        "repository": repo_minimal(site, repo),
        "head_repository": match foreign {
            None => repo_minimal(site, repo),
            Some(name) => fork(site, repo, name),
        },
    })
}

/// A fork that the fake does not hold: the repository's shape under another name.
fn fork(site: &Site, repo: &RepoState, full_name: &str) -> Value {
    let (owner, name) = full_name.split_once('/').unwrap_or((full_name, &repo.name));
    let mut shown = repo_minimal(site, repo);
    let here = repo.full_name();
    if let Some(object) = shown.as_object_mut() {
        for value in object.values_mut() {
            if let Value::String(text) = value {
                *text = text.replace(&here, full_name);
            }
        }
        let id = super::user_id(full_name);
        object.insert("id".to_owned(), json!(id));
        object.insert("node_id".to_owned(), json!(node("R", id)));
        object.insert("name".to_owned(), json!(name));
        object.insert("full_name".to_owned(), json!(full_name));
        object.insert("owner".to_owned(), user(site, owner));
        object.insert("fork".to_owned(), json!(true));
    }
    shown
}

/// `job`: the Actions side of a check run.
pub(crate) fn job(site: &Site, repo: &RepoState, run: &RunState, check: &CheckRunState) -> Value {
    let (api, html) = (repo.api(&site.base), repo.html(&site.base));
    let (fact, id) = (&check.fact, check.id);
    let done = fact.status == "completed";
    let name =
        repo.workflows.iter().find(|(other, _)| *other == run.workflow).map(|(_, flow)| flow.name.clone());
    json!({
        "id": id,
        "run_id": run.id,
        "workflow_name": name,
        "head_branch": run.fact.head_branch,
        "run_url": format!("{api}/actions/runs/{}", run.id),
        "run_attempt": run.fact.run_attempt,
        "node_id": node("CR", id),
        "head_sha": fact.head_sha,
        "url": format!("{api}/actions/jobs/{id}"),
        "html_url": format!("{html}/actions/runs/{}/job/{id}", run.id),
        "status": fact.status,
        "conclusion": if done { json!(fact.conclusion) } else { Value::Null },
        "created_at": stamp(run.created_at),
        "started_at": stamp(fact.started_at.unwrap_or(run.created_at)),
        "completed_at": done.then(|| stamp(fact.completed_at.unwrap_or(run.updated_at))),
        "name": fact.name,
        "steps": [],
        "check_run_url": format!("{api}/check-runs/{id}"),
        "labels": ["ubuntu-latest"],
        "runner_id": 1,
        "runner_name": "GitHub Actions 1",
        "runner_group_id": 2,
        "runner_group_name": "GitHub Actions",
    })
}
