//! Commit statuses.

use super::{Answer, Call, Refusal, Reply, at_most, page, page_of};
use crate::facts::Status;
use crate::shape;
use crate::state::{RepoState, Site, StatusState, World};

/// Adds a status to a commit.
pub(crate) fn add(site: &mut Site, repo: &mut RepoState, fact: Status) -> u64 {
    let id = site.next_id("status");
    let created_at = fact.created_at.unwrap_or(site.clock.now());
    repo.add_status(StatusState { id, created_at, fact });
    id
}

pub(super) fn create(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    let sha = call.param("sha");
    if repo.store.commit(sha).is_none() {
        return Err(Refusal::unprocessable(format!("No commit found for SHA: {sha}")));
    }
    let state = call.needed("Status", "state")?;
    if !["error", "failure", "pending", "success"].contains(&state) {
        return Err(Refusal::invalid("Status", "state", "invalid"));
    }
    at_most("Status", "description", call.text("description"), 140)?;
    let mut fact = Status::new(call.text("context").unwrap_or("default"), sha, state);
    fact.description = call.text("description").map(str::to_owned);
    fact.target_url = call.text("target_url").map(str::to_owned);
    fact.creator.clone_from(&call.token.login);
    let id = add(site, repo, fact);
    let status = repo.statuses.iter().find(|status| status.id == id).ok_or_else(Refusal::not_found)?;
    Ok(Reply::created(shape::status(site, repo, status)))
}

/// The commit's statuses, newest first.
fn of_commit<'a>(repo: &'a RepoState, call: &Call) -> Result<(String, Vec<&'a StatusState>), Refusal> {
    let sha = repo.store.resolve(call.param("ref")).ok_or_else(Refusal::not_found)?.id().to_string();
    let found = repo.statuses_of(&sha).rev().map(|(_, status)| status).collect();
    Ok((sha, found))
}

pub(super) fn list(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let (_, found) = of_commit(repo, call)?;
    Ok(page(site, call, found, |status| shape::status(site, repo, status)))
}

pub(super) fn combined(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let (sha, mut latest) = of_commit(repo, call)?;
    let mut seen = std::collections::BTreeSet::new();
    latest.retain(|status| seen.insert(status.fact.context.clone()));
    let (shown, headers) = page_of(site, call, latest.clone());
    let mut reply = Reply::ok(shape::combined(site, repo, &sha, &latest, &shown));
    reply.headers = headers;
    Ok(reply)
}
