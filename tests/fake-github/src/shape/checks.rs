//! Check runs, check suites, commit statuses and deployments.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{app, node, repo_minimal, simple_commit, user};
use crate::facts::DeploymentStatus;
use crate::state::{
    CheckRunState, CheckSuite, DeploymentState, IssueState, RepoState, Site, StatusState, stamp,
};

/// `pull-request-minimal` of every open pull request with this head.
pub(crate) fn pulls_at(site: &Site, repo: &RepoState, sha: &str) -> Vec<Value> {
    let api = repo.api(&site.base);
    let here = json!({ "id": repo.id, "url": api, "name": repo.name });
    repo.issues
        .iter()
        .filter(|issue| issue.state == IssueState::Open)
        .filter_map(|issue| issue.pull.as_ref().map(|pull| (issue.number, pull)))
        .filter(|(_, pull)| pull.head_sha == sha)
        .map(|(number, pull)| {
            json!({
                "url": format!("{api}/pulls/{number}"),
                "id": pull.id,
                "number": number,
                "head": { "ref": pull.head_ref, "sha": pull.head_sha, "repo": here },
                "base": { "ref": pull.base_ref, "sha": pull.base_sha, "repo": here },
            })
        })
        .collect()
}

/// The page of a check run.
pub(crate) fn check_page(site: &Site, repo: &RepoState, check: &CheckRunState) -> String {
    let html = repo.html(&site.base);
    match check.run {
        Some(run) => format!("{html}/actions/runs/{run}/job/{}", check.id),
        None => format!("{html}/runs/{}", check.id),
    }
}

/// When a check run started and completed, as far as it did.
pub(crate) fn check_times(check: &CheckRunState) -> (Option<Timestamp>, Option<Timestamp>) {
    let fact = &check.fact;
    let started = fact.started_at.or((fact.status != "queued").then_some(check.created_at));
    let completed = fact.completed_at.unwrap_or(check.created_at);
    (started, (fact.status == "completed").then_some(completed))
}

/// `check-run`
pub(crate) fn check_run(site: &Site, repo: &RepoState, check: &CheckRunState) -> Value {
    let (fact, id) = (&check.fact, check.id);
    let url = format!("{}/check-runs/{id}", repo.api(&site.base));
    let page = check_page(site, repo, check);
    let (started, completed) = check_times(check);
    json!({
        "id": id,
        "name": fact.name,
        "node_id": node("CR", id),
        "head_sha": fact.head_sha,
        "external_id": fact.external_id.clone().unwrap_or_default(),
        "url": url,
        "html_url": page,
        "details_url": fact.details_url.clone().unwrap_or_else(|| page.clone()),
        "status": fact.status,
        "conclusion": fact.conclusion.as_ref().filter(|_| fact.status == "completed"),
        "started_at": started.map(stamp),
        "completed_at": completed.map(stamp),
        "output": {
            "title": fact.title,
            "summary": fact.summary,
            "text": fact.text,
            "annotations_count": fact.annotations.len(),
            "annotations_url": format!("{url}/annotations"),
        },
        "check_suite": { "id": check.suite },
        "app": app(site, &fact.app),
        "pull_requests": pulls_at(site, repo, &fact.head_sha),
    })
}

/// `check-annotation` for each annotation of a check run.
pub(crate) fn annotations(site: &Site, repo: &RepoState, check: &CheckRunState) -> Vec<Value> {
    let sha = &check.fact.head_sha;
    let one = |given: &Value| {
        let field = |name: &str| given.get(name).cloned().unwrap_or(Value::Null);
        let path = given.get("path").and_then(Value::as_str).unwrap_or_default();
        json!({
            "path": path,
            "blob_href": format!("{}/blob/{sha}/{path}", repo.html(&site.base)),
            "start_line": field("start_line"),
            "end_line": field("end_line"),
            "start_column": field("start_column"),
            "end_column": field("end_column"),
            "annotation_level": field("annotation_level"),
            "title": field("title"),
            "message": field("message"),
            "raw_details": field("raw_details"),
        })
    };
    check.fact.annotations.iter().map(one).collect()
}

/// Status and conclusion of a suite: those of its workflow run, else the sum of its check runs.
pub(crate) fn suite_state<'a>(repo: &'a RepoState, suite: &'a CheckSuite) -> (&'a str, Option<&'a str>) {
    if let Some(run) = repo.run_of(suite).and_then(|at| repo.runs.get(at)) {
        let conclusion = run.fact.conclusion.as_deref().filter(|_| run.fact.status == "completed");
        return (&run.fact.status, conclusion);
    }
    let runs = || repo.checks_of(suite).map(|(_, check)| &check.fact);
    if suite.checks.is_empty() {
        return ("queued", None);
    }
    if runs().any(|run| run.status != "completed") {
        return ("in_progress", None);
    }
    let order =
        ["failure", "timed_out", "action_required", "cancelled", "stale", "success", "neutral", "skipped"];
    let worst = |word: &&str| runs().any(|run| run.conclusion.as_deref() == Some(*word));
    ("completed", order.into_iter().find(worst))
}

/// `check-suite`
pub(crate) fn check_suite(site: &Site, repo: &RepoState, suite: &CheckSuite) -> Value {
    let url = format!("{}/check-suites/{}", repo.api(&site.base), suite.id);
    let (status, conclusion) = suite_state(repo, suite);
    json!({
        "id": suite.id,
        "node_id": node("CS", suite.id),
        "head_branch": suite.head_branch,
        "head_sha": suite.head_sha,
        "status": status,
        "conclusion": conclusion,
        "url": url,
        "before": null,
        "after": suite.head_sha,
        "pull_requests": pulls_at(site, repo, &suite.head_sha),
        "app": app(site, &suite.app),
        "created_at": stamp(suite.created_at),
        "updated_at": stamp(suite.created_at),
        "rerequestable": true,
        "runs_rerequestable": true,
        "latest_check_runs_count": suite.checks.len(),
        "check_runs_url": format!("{url}/check-runs"),
        "head_commit": simple_commit(repo, &suite.head_sha),
        "repository": repo_minimal(site, repo),
    })
}

fn status_fields(site: &Site, repo: &RepoState, status: &StatusState) -> Value {
    let (fact, at) = (&status.fact, stamp(status.created_at));
    json!({
        "url": format!("{}/statuses/{}", repo.api(&site.base), fact.sha),
        "avatar_url": format!("{}/avatars/u/{}", site.base, super::user_id(&fact.creator)),
        "id": status.id,
        "node_id": node("SC", status.id),
        "state": fact.state,
        "description": fact.description,
        "target_url": fact.target_url,
        "context": fact.context,
        "created_at": at,
        "updated_at": at,
    })
}

/// `status`
pub(crate) fn status(site: &Site, repo: &RepoState, status: &StatusState) -> Value {
    let mut shown = status_fields(site, repo, status);
    if let Some(object) = shown.as_object_mut() {
        object.insert("creator".to_owned(), user(site, &status.fact.creator));
    }
    shown
}

/// The sum of the newest status of each context.
pub(crate) fn combined_state(latest: &[&StatusState]) -> &'static str {
    let any = |word: &str| latest.iter().any(|status| status.fact.state == word);
    if any("failure") || any("error") {
        "failure"
    } else if any("pending") || latest.is_empty() {
        "pending"
    } else {
        "success"
    }
}

/// `combined-commit-status`: `latest` holds the newest status of each context, `shown` the page of it.
pub(crate) fn combined(
    site: &Site,
    repo: &RepoState,
    sha: &str,
    latest: &[&StatusState],
    shown: &[&StatusState],
) -> Value {
    let api = repo.api(&site.base);
    json!({
        "state": combined_state(latest),
        "statuses": shown.iter().map(|status| {
            let mut fields = status_fields(site, repo, status);
            if let Some(object) = fields.as_object_mut() {
                object.insert("required".to_owned(), json!(false));
            }
            fields
        }).collect::<Vec<_>>(),
        "sha": sha,
        "total_count": latest.len(),
        "repository": repo_minimal(site, repo),
        "commit_url": format!("{api}/commits/{sha}"),
        "url": format!("{api}/commits/{sha}/status"),
    })
}

/// `deployment`
pub(crate) fn deployment(site: &Site, repo: &RepoState, deployment: &DeploymentState) -> Value {
    let (api, fact) = (repo.api(&site.base), &deployment.fact);
    let url = format!("{api}/deployments/{}", deployment.id);
    let last = deployment.statuses.last().map_or(deployment.created_at, |(_, at, _)| *at);
    json!({
        "url": url,
        "id": deployment.id,
        "node_id": node("DE", deployment.id),
        "sha": deployment.sha,
        "ref": fact.reference,
        "task": fact.task,
        "payload": fact.payload,
        "original_environment": fact.environment,
        "environment": fact.environment,
        "description": fact.description,
        "creator": user(site, &fact.creator),
        "created_at": stamp(deployment.created_at),
        "updated_at": stamp(last),
        "statuses_url": format!("{url}/statuses"),
        "repository_url": api,
        "transient_environment": false,
        "production_environment": fact.environment.starts_with("prod"),
    })
}

/// `deployment-status`
pub(crate) fn deployment_status(
    site: &Site,
    repo: &RepoState,
    deployment: &DeploymentState,
    (id, at, fact): &(u64, Timestamp, DeploymentStatus),
) -> Value {
    let api = repo.api(&site.base);
    let url = format!("{api}/deployments/{}", deployment.id);
    // GitHub's description wants addresses here, although GitHub itself may send an empty text.
    let log = if fact.log_url.is_empty() {
        format!("{}/actions", repo.html(&site.base))
    } else {
        fact.log_url.clone()
    };
    let mut shown = json!({
        "url": format!("{url}/statuses/{id}"),
        "id": id,
        "node_id": node("DES", id),
        "state": fact.state,
        "creator": user(site, &deployment.fact.creator),
        "description": fact.description,
        "environment": deployment.fact.environment,
        "target_url": log,
        "created_at": stamp(*at),
        "updated_at": stamp(*at),
        "deployment_url": url,
        "repository_url": api,
        "log_url": log,
    });
    if let (Some(shown), false) = (shown.as_object_mut(), fact.environment_url.is_empty()) {
        shown.insert("environment_url".to_owned(), json!(fact.environment_url));
    }
    shown
}
