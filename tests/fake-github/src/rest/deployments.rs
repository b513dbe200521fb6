//! Deployments and what became of them.

use serde_json::{Value, json};

use super::{Answer, Call, Refusal, Reply, page};
use crate::facts::{Deployment, DeploymentStatus};
use crate::shape;
use crate::state::{DeploymentState, RepoState, Site, World};

/// Adds a deployment with its statuses.
pub(crate) fn add(site: &mut Site, repo: &mut RepoState, fact: Deployment) -> Result<u64, Refusal> {
    let missing = || Refusal::new(422, format!("No ref found for: {}", fact.reference));
    let sha = repo.store.resolve(&fact.reference).ok_or_else(missing)?.id().to_string();
    let id = site.next_id("deployment");
    let created_at = fact.created_at.unwrap_or(site.clock.now());
    let statuses = fact
        .statuses
        .iter()
        .map(|status| {
            (site.next_id("deployment-status"), status.created_at.unwrap_or(created_at), status.clone())
        })
        .collect();
    repo.add_deployment(DeploymentState { id, sha, created_at, fact, statuses });
    Ok(id)
}

pub(super) fn list(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let fits = |name: &str, value: &str| call.query(name).is_none_or(|wanted| wanted == value);
    let mut found: Vec<&DeploymentState> = repo
        .deployments
        .iter()
        .filter(|deployment| {
            fits("sha", &deployment.sha)
                && fits("ref", &deployment.fact.reference)
                && fits("task", &deployment.fact.task)
                && fits("environment", &deployment.fact.environment)
        })
        .collect();
    found.reverse();
    Ok(page(site, call, found, |deployment| shape::deployment(site, repo, deployment)))
}

pub(super) fn create(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    let mut fact =
        Deployment::new(call.text("environment").unwrap_or("production"), call.needed("Deployment", "ref")?);
    fact.description = call.text("description").map(str::to_owned);
    fact.creator.clone_from(&call.token.login);
    if let Some(task) = call.text("task") {
        task.clone_into(&mut fact.task);
    }
    fact.payload = call.body.get("payload").cloned().unwrap_or_else(|| json!({}));
    let id = add(site, repo, fact)?;
    Ok(Reply::created(shape::deployment(site, repo, one(repo, id)?)))
}

fn one(repo: &RepoState, id: u64) -> Result<&DeploymentState, Refusal> {
    repo.deployments.iter().find(|deployment| deployment.id == id).ok_or_else(Refusal::not_found)
}

pub(super) fn get(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    Ok(Reply::ok(shape::deployment(site, repo, one(repo, call.number("deployment_id")?)?)))
}

pub(super) fn statuses(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let deployment = one(repo, call.number("deployment_id")?)?;
    let newest_first = deployment.statuses.iter().rev().collect();
    Ok(page(site, call, newest_first, |status| shape::deployment_status(site, repo, deployment, status)))
}

pub(super) fn add_status(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    let id = call.number("deployment_id")?;
    let state = call.needed("DeploymentStatus", "state")?;
    let known = ["error", "failure", "inactive", "in_progress", "queued", "pending", "success"];
    if !known.contains(&state) {
        return Err(Refusal::invalid("DeploymentStatus", "state", "invalid"));
    }
    let text = |name: &str| call.text(name).unwrap_or_default().to_owned();
    let fact = DeploymentStatus {
        state: state.to_owned(),
        description: text("description"),
        log_url: text("log_url"),
        environment_url: text("environment_url"),
        created_at: None,
    };
    let (status, now) = (site.next_id("deployment-status"), site.clock.now());
    let found = repo.deployments.iter_mut().find(|deployment| deployment.id == id);
    found.ok_or_else(Refusal::not_found)?.statuses.push((status, now, fact));
    let deployment = one(repo, id)?;
    let shown = deployment.statuses.last().map(|last| shape::deployment_status(site, repo, deployment, last));
    Ok(Reply::created(shown.unwrap_or(Value::Null)))
}
