//! What ran on a commit: check suites with their check and workflow runs, statuses, deployments.
//!
//! All is found by its commit or suite: a query over many commits of a great repository never searches all that ran.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Reading;
use super::connection::{bounded, descends, listed};
use super::fields::{Node, Out, Resolved, of, readable};
use super::project::{Arguments, needed};
use crate::shape;
use crate::state::{
    CheckRunState, CheckSuite, DeploymentState, RepoState, RunState, StatusState, World, stamp,
};

/// The fields of a commit that say what ran on it.
pub(super) fn of_commit(
    world: &World,
    reading: &Reading<'_>,
    name: &str,
    sha: &str,
    field: &str,
    arguments: &Arguments,
) -> Resolved {
    let repo = of(world, name)?;
    Ok(Some(match field {
        "checkSuites" => {
            readable(reading, repo, "checks")?;
            let filter = arguments.get("filterBy");
            let check = filter.and_then(|filter| filter.get("checkName")).and_then(Value::as_str);
            let named =
                |suite| check.is_none_or(|name| repo.checks_of(suite).any(|(_, run)| run.fact.name == name));
            let found = repo
                .suites_of(sha)
                .filter(|(_, suite)| by_app(world, filter, &suite.app) && named(suite))
                .map(|(at, _)| Node::Suite(name.to_owned(), at));
            bounded(world, field, "CheckSuiteConnection", found.collect(), arguments)?
        }
        "status" => {
            readable(reading, repo, "statuses")?;
            let latest = newest_statuses(repo, sha);
            let any = !latest.is_empty();
            Out::maybe(any.then(|| Node::Status(name.to_owned(), sha.to_owned(), latest)))
        }
        "deployments" => {
            readable(reading, repo, "deployments")?;
            let found = deployments(repo, sha, arguments);
            let nodes = found.into_iter().map(|at| Node::Deployment(name.to_owned(), at)).collect();
            bounded(world, field, "DeploymentConnection", nodes, arguments)?
        }
        "statusCheckRollup" => rollup(repo, sha),
        _ => return Ok(None),
    }))
}

/// GraphQL's `Int` has 32 bits: what does not fit is null, so that nobody relies on the numbers of runs and checks.
fn int(id: u64) -> Out {
    Out::Value(i32::try_from(id).map_or(Value::Null, |id| json!(id)))
}

fn by_app(world: &World, filter: Option<&Value>, app: &str) -> bool {
    let wanted = filter.and_then(|filter| filter.get("appId")).and_then(Value::as_u64);
    wanted.is_none_or(|id| world.site.apps.get(app) == Some(&id))
}

/// Positions of the newest status of each context, oldest first.
fn newest_statuses(repo: &RepoState, sha: &str) -> Vec<usize> {
    let mut seen = BTreeSet::new();
    let newest = repo.statuses_of(sha).rev().filter(|(_, status)| seen.insert(status.fact.context.as_str()));
    let mut positions: Vec<usize> = newest.map(|(at, _)| at).collect();
    positions.reverse();
    positions
}

fn deployments(repo: &RepoState, sha: &str, arguments: &Arguments) -> Vec<usize> {
    let environments = listed(arguments.get("environments"));
    let fits = |fact: &str| environments.as_ref().is_none_or(|wanted| wanted.contains(&fact));
    let here = repo.deployments_of(sha);
    let mut found: Vec<(usize, &DeploymentState)> =
        here.filter(|(_, deployment)| fits(&deployment.fact.environment)).collect();
    found.sort_by_key(|(_, deployment)| (deployment.created_at, deployment.id));
    if descends(arguments) {
        found.reverse();
    }
    found.into_iter().map(|(at, _)| at).collect()
}

fn rollup(repo: &RepoState, sha: &str) -> Out {
    let mut states: Vec<&str> = Vec::new();
    for (_, check) in repo.suites_of(sha).flat_map(|(_, suite)| repo.checks_of(suite)) {
        states.push(match (check.fact.status.as_str(), check.fact.conclusion.as_deref()) {
            ("completed", Some("success" | "neutral" | "skipped")) => "SUCCESS",
            ("completed", _) => "FAILURE",
            _ => "PENDING",
        });
    }
    for (_, status) in repo.statuses_of(sha) {
        states.push(match status.fact.state.as_str() {
            "success" => "SUCCESS",
            "pending" => "PENDING",
            _ => "FAILURE",
        });
    }
    let worst = ["FAILURE", "PENDING", "SUCCESS"].into_iter().find(|state| states.contains(state));
    Out::maybe(worst.map(|state| Node::Bag("StatusCheckRollup", vec![("state", Out::text(state))])))
}

/// A word of the state as a value of a GraphQL enum.
fn word(text: &str) -> Out {
    Out::text(text.to_uppercase())
}

fn perhaps(text: Option<&str>) -> Out {
    Out::Value(json!(text.filter(|text| !text.is_empty())))
}

fn time(at: Option<Timestamp>) -> Out {
    Out::Value(json!(at.map(stamp)))
}

const NULL: Out = Out::Value(Value::Null);

fn app(world: &World, slug: &str) -> Out {
    let shown = shape::app(&world.site, slug);
    let value = |name: &str| Out::Value(shown.get(name).cloned().unwrap_or(Value::Null));
    let fields = vec![
        ("id", value("node_id")),
        ("databaseId", value("id")),
        ("slug", value("slug")),
        ("name", value("name")),
        ("url", value("html_url")),
    ];
    Out::One(Node::Bag("App", fields))
}

/// The fields of a check suite.
pub(super) fn suite(
    world: &World,
    reading: &Reading<'_>,
    name: &str,
    at: usize,
    field: &str,
    arguments: &Arguments,
) -> Resolved {
    let repo = of(world, name)?;
    let Some(suite) = repo.check_suites.get(at) else { return Ok(Some(NULL)) };
    let html = repo.html(&world.site.base);
    Ok(Some(match field {
        "id" => Out::text(shape::node("CS", suite.id)),
        "databaseId" => int(suite.id),
        "app" => app(world, &suite.app),
        // GitHub keeps the name of a tag or a deleted branch too, but shows only a branch that is there.
        "branch" => {
            let branch = suite.head_branch.as_ref().filter(|branch| repo.store.branch(branch).is_some());
            Out::maybe(branch.map(|branch| Node::Ref(name.to_owned(), format!("refs/heads/{branch}"))))
        }
        "status" => word(shape::suite_state(repo, suite).0),
        "conclusion" => shape::suite_state(repo, suite).1.map_or(NULL, word),
        "createdAt" => time(Some(suite.created_at)),
        "updatedAt" => {
            let run = repo.run_of(suite).and_then(|at| repo.runs.get(at));
            time(Some(run.map_or(suite.created_at, |run| run.updated_at)))
        }
        "url" => Out::text(format!("{html}/commit/{}/checks?check_suite_id={}", suite.head_sha, suite.id)),
        "commit" => Out::One(Node::Commit(name.to_owned(), suite.head_sha.clone())),
        "workflowRun" => {
            readable(reading, repo, "actions")?;
            Out::maybe(repo.run_of(suite).map(|at| Node::Run(name.to_owned(), at)))
        }
        "checkRuns" => {
            let nodes = checks(world, repo, suite, arguments.get("filterBy"));
            let nodes = nodes.into_iter().map(|at| Node::Check(name.to_owned(), at)).collect();
            bounded(world, field, "CheckRunConnection", nodes, arguments)?
        }
        _ => return Ok(None),
    }))
}

/// Positions of the check runs of a suite that a filter lets through, oldest first.
fn checks(world: &World, repo: &RepoState, suite: &CheckSuite, filter: Option<&Value>) -> Vec<usize> {
    let given = |name: &str| filter.and_then(|filter| filter.get(name));
    let text = |name: &str| given(name).and_then(Value::as_str);
    let mut found: Vec<(usize, &CheckRunState)> = repo.checks_of(suite).collect();
    if text("checkType") == Some("LATEST") {
        let mut seen = BTreeSet::new();
        found.reverse();
        found.retain(|(_, check)| seen.insert(check.fact.name.as_str()));
        found.reverse();
    }
    let statuses = listed(given("statuses")).or_else(|| listed(given("status")));
    let conclusions = listed(given("conclusions"));
    found.retain(|(_, check)| {
        let among = |wanted: &Option<Vec<&str>>, word: Option<&str>| {
            let word = word.map(str::to_uppercase).unwrap_or_default();
            wanted.as_ref().is_none_or(|wanted| wanted.contains(&word.as_str()))
        };
        text("checkName").is_none_or(|name| check.fact.name == name)
            && by_app(world, filter, &check.fact.app)
            && among(&statuses, Some(&check.fact.status))
            && among(&conclusions, concluded(check))
    });
    found.into_iter().map(|(at, _)| at).collect()
}

fn concluded(check: &CheckRunState) -> Option<&str> {
    check.fact.conclusion.as_deref().filter(|_| check.fact.status == "completed")
}

/// The position of the suite with an id.
fn suite_at(repo: &RepoState, name: &str, id: u64) -> Out {
    let at = repo.check_suites.binary_search_by_key(&id, |suite| suite.id).ok();
    Out::maybe(at.map(|at| Node::Suite(name.to_owned(), at)))
}

/// The fields of a check run.
pub(super) fn check(world: &World, name: &str, at: usize, field: &str) -> Resolved {
    let repo = of(world, name)?;
    let Some(check) = repo.check_runs.get(at) else { return Ok(Some(NULL)) };
    let fact = &check.fact;
    let page = || shape::check_page(&world.site, repo, check);
    Ok(Some(match field {
        "id" => Out::text(shape::node("CR", check.id)),
        "databaseId" => int(check.id),
        "name" => Out::text(&fact.name),
        "status" => word(&fact.status),
        "conclusion" => concluded(check).map_or(NULL, word),
        "startedAt" => time(shape::check_times(check).0),
        "completedAt" => time(shape::check_times(check).1),
        "permalink" | "url" => Out::text(page()),
        "detailsUrl" => Out::text(fact.details_url.clone().unwrap_or_else(page)),
        "title" => Out::Value(json!(fact.title)),
        "summary" => Out::Value(json!(fact.summary)),
        "text" => Out::Value(json!(fact.text)),
        "externalId" => Out::Value(json!(fact.external_id)),
        "checkSuite" => suite_at(repo, name, check.suite),
        _ => return Ok(None),
    }))
}

/// The fields of a workflow run.
pub(super) fn run(world: &World, name: &str, at: usize, field: &str) -> Resolved {
    let repo = of(world, name)?;
    let Some(run) = repo.runs.get(at) else { return Ok(Some(NULL)) };
    let url = format!("{}/actions/runs/{}", repo.html(&world.site.base), run.id);
    Ok(Some(match field {
        "id" => Out::text(shape::node("WFR", run.id)),
        "databaseId" => int(run.id),
        "runNumber" => Out::Value(json!(run.number)),
        "event" => Out::text(&run.fact.event),
        "createdAt" => time(Some(run.created_at)),
        "updatedAt" => time(Some(run.updated_at)),
        "url" => Out::text(url),
        "workflow" => workflow(world, repo, run),
        "file" => Out::One(Node::Bag(
            "WorkflowRunFile",
            vec![
                ("id", Out::text(shape::node("WFRF", run.id))),
                ("path", Out::text(&run.fact.path)),
                ("url", Out::text(format!("{url}/workflow"))),
            ],
        )),
        "checkSuite" => suite_at(repo, name, run.suite),
        _ => return Ok(None),
    }))
}

fn workflow(world: &World, repo: &RepoState, run: &RunState) -> Out {
    let found = repo.workflows.iter().find(|(id, _)| *id == run.workflow);
    Out::maybe(found.map(|(id, workflow)| {
        let file = workflow.path.rsplit('/').next().unwrap_or_default();
        let url = format!("{}/actions/workflows/{file}", repo.html(&world.site.base));
        let fields = vec![
            ("id", Out::text(shape::node("W", id))),
            ("databaseId", int(*id)),
            ("name", Out::text(&workflow.name)),
            ("state", word(&workflow.state)),
            ("url", Out::text(url)),
        ];
        Node::Bag("Workflow", fields)
    }))
}

/// The fields of a commit's status: `latest` holds the positions of the newest of each context.
pub(super) fn status(
    world: &World,
    name: &str,
    sha: &str,
    latest: &[usize],
    field: &str,
    arguments: &Arguments,
) -> Resolved {
    let repo = of(world, name)?;
    let all: Vec<&StatusState> = latest.iter().filter_map(|at| repo.statuses.get(*at)).collect();
    Ok(Some(match field {
        "id" => Out::text(shape::node("ST", sha)),
        "state" => word(shape::combined_state(&all)),
        "commit" => Out::One(Node::Commit(name.to_owned(), sha.to_owned())),
        "contexts" => Out::Many(all.into_iter().map(|status| context(name, status)).collect()),
        "context" => {
            let wanted = needed(arguments, "name")?;
            let found = all.into_iter().find(|status| status.fact.context == wanted);
            Out::maybe(found.map(|status| context(name, status)))
        }
        _ => return Ok(None),
    }))
}

fn context(name: &str, status: &StatusState) -> Node {
    let fact = &status.fact;
    let fields = vec![
        ("id", Out::text(shape::node("SC", status.id))),
        ("context", Out::text(&fact.context)),
        ("state", word(&fact.state)),
        ("description", Out::Value(json!(fact.description))),
        ("targetUrl", perhaps(fact.target_url.as_deref())),
        ("createdAt", time(Some(status.created_at))),
        ("creator", Out::One(Node::Actor(fact.creator.clone()))),
        ("commit", Out::One(Node::Commit(name.to_owned(), fact.sha.clone()))),
    ];
    Node::Bag("StatusContext", fields)
}

/// The fields of a deployment.
pub(super) fn deployment(
    world: &World,
    name: &str,
    at: usize,
    field: &str,
    arguments: &Arguments,
) -> Resolved {
    let repo = of(world, name)?;
    let Some(deployment) = repo.deployments.get(at) else { return Ok(Some(NULL)) };
    let fact = &deployment.fact;
    Ok(Some(match field {
        "id" => Out::text(shape::node("DE", deployment.id)),
        "databaseId" => int(deployment.id),
        "environment" => Out::text(&fact.environment),
        "createdAt" => time(Some(deployment.created_at)),
        "updatedAt" => time(Some(changed_at(deployment))),
        "commitOid" => Out::text(&deployment.sha),
        "commit" => Out::One(Node::Commit(name.to_owned(), deployment.sha.clone())),
        "state" => Out::text(state_of(deployment, world.site.clock.now())),
        "description" => Out::Value(json!(fact.description)),
        "task" => Out::text(&fact.task),
        "creator" => Out::One(Node::Actor(fact.creator.clone())),
        // Only a branch or tag that is there; a commit is none.
        "ref" => {
            let full = ["heads", "tags"].map(|kind| format!("refs/{kind}/{}", fact.reference));
            let there = full.into_iter().find(|full| repo.store.git.find_reference(full).is_ok());
            Out::maybe(there.map(|full| Node::Ref(name.to_owned(), full)))
        }
        "latestStatus" => Out::maybe(statuses(deployment).into_iter().next()),
        "statuses" => bounded(world, field, "DeploymentStatusConnection", statuses(deployment), arguments)?,
        _ => return Ok(None),
    }))
}

fn changed_at(deployment: &DeploymentState) -> Timestamp {
    deployment.statuses.last().map_or(deployment.created_at, |(_, at, _)| *at)
}

/// GraphQL's word for the state of a deployment: one that succeeded is active, one that waits too long abandoned.
fn state_of(deployment: &DeploymentState, now: Timestamp) -> String {
    let waits = now.duration_since(changed_at(deployment)) < SignedDuration::from_mins(30);
    match deployment.statuses.last().map_or("pending", |(_, _, status)| status.state.as_str()) {
        "success" => "ACTIVE".to_owned(),
        "pending" if !waits => "ABANDONED".to_owned(),
        other => other.to_uppercase(),
    }
}

/// The statuses of a deployment, newest first.
fn statuses(deployment: &DeploymentState) -> Vec<Node> {
    let one = |(id, at, fact): &(u64, Timestamp, crate::facts::DeploymentStatus)| {
        let fields = vec![
            ("id", Out::text(shape::node("DES", id))),
            ("state", word(&fact.state)),
            ("createdAt", time(Some(*at))),
            ("updatedAt", time(Some(*at))),
            ("description", Out::text(&fact.description)),
            ("environment", Out::text(&deployment.fact.environment)),
            ("logUrl", perhaps(Some(&fact.log_url))),
            ("environmentUrl", perhaps(Some(&fact.environment_url))),
            ("creator", Out::One(Node::Actor(deployment.fact.creator.clone()))),
        ];
        Node::Bag("DeploymentStatus", fields)
    };
    deployment.statuses.iter().rev().map(one).collect()
}
