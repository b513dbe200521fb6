//! Reviews, and who is asked for one.

use serde_json::json;

use super::pulls::{BODY_LIMIT, found};
use super::{Answer, Call, Refusal, Reply, at_most, page};
use crate::shape;
use crate::state::{RepoState, Review, Site, World};
use crate::token::TokenKind;

pub(super) fn list(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let (issue, pull) = found(repo, call)?;
    Ok(page(site, call, pull.reviews.iter().collect(), |review| shape::review(site, repo, issue, review)))
}

/// Adds a review; nobody may approve what they opened.
pub(crate) fn submit(
    site: &mut Site,
    repo: &mut RepoState,
    number: u64,
    author: &str,
    state: &str,
    body: &str,
) -> Result<u64, Refusal> {
    let (id, now) = (site.next_id("review"), site.clock.now());
    let issue = repo.issue_mut(number).ok_or_else(Refusal::not_found)?;
    if issue.author == author && state != "COMMENTED" {
        let what = if state == "APPROVED" { "approve" } else { "request changes on" };
        let mut refusal = Refusal::unprocessable("Unprocessable Entity");
        refusal.errors.push(json!(format!("Can not {what} your own pull request")));
        return Err(refusal);
    }
    let pull = issue.pull.as_mut().ok_or_else(Refusal::not_found)?;
    pull.reviewers.retain(|login| login != author);
    pull.reviews.push(Review {
        id,
        author: author.to_owned(),
        state: state.to_owned(),
        body: body.to_owned(),
        commit_id: pull.head_sha.clone(),
        submitted_at: now,
    });
    issue.updated_at = now;
    Ok(id)
}

pub(super) fn create(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    let number = found(repo, call)?.0.number;
    at_most("PullRequestReview", "body", call.text("body"), BODY_LIMIT)?;
    let state = match call.text("event") {
        Some("APPROVE") => "APPROVED",
        Some("REQUEST_CHANGES") => "CHANGES_REQUESTED",
        Some("COMMENT") | None => "COMMENTED",
        Some(_) => return Err(Refusal::invalid("PullRequestReview", "event", "invalid")),
    };
    if state == "APPROVED"
        && call.token.kind == TokenKind::Actions
        && !repo.settings.actions_may_open_pull_requests
    {
        return Err(Refusal::unprocessable("GitHub Actions is not permitted to approve pull requests."));
    }
    let body = call.text("body").unwrap_or_default();
    let id = submit(site, repo, number, &call.token.login, state, body)?;
    let (issue, pull) = found(repo, call)?;
    let review = pull.reviews.iter().find(|review| review.id == id).ok_or_else(Refusal::not_found)?;
    Ok(Reply::ok(shape::review(site, repo, issue, review)))
}

pub(super) fn requested(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let (issue, _) = found(repo, call)?;
    let shown = shape::pull_simple(site, repo, issue);
    Ok(Reply::ok(json!({
        "users": shown.get("requested_reviewers"),
        "teams": shown.get("requested_teams"),
    })))
}

pub(super) fn request(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    let (issue, _) = found(repo, call)?;
    let number = issue.number;
    let people = call.texts("reviewers").unwrap_or_default();
    let teams = call.texts("team_reviewers").unwrap_or_default();
    if people.iter().any(|login| login.eq_ignore_ascii_case(&issue.author)) {
        return Err(Refusal::unprocessable("Review cannot be requested from pull request author."));
    }
    let known = people.iter().all(|login| site.people.contains_key(login))
        && teams.iter().all(|team| repo.settings.teams.contains(team));
    if !known {
        return Err(Refusal::unprocessable(format!(
            "Reviews may only be requested from collaborators. One or more of the users or teams you \
             specified is not a collaborator of the {} repository.",
            repo.full_name()
        )));
    }
    let issue = repo.issue_mut(number).ok_or_else(Refusal::not_found)?;
    if let Some(pull) = issue.pull.as_mut() {
        for (list, more) in [(&mut pull.reviewers, people), (&mut pull.teams, teams)] {
            for name in more {
                if !list.contains(&name) {
                    list.push(name);
                }
            }
        }
    }
    let issue = repo.issue(number).ok_or_else(Refusal::not_found)?;
    Ok(Reply::created(shape::pull_simple(site, repo, issue)))
}

pub(super) fn unrequest(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    let number = found(repo, call)?.0.number;
    let (people, teams) = (call.texts("reviewers"), call.texts("team_reviewers"));
    if people.is_none() {
        return Err(Refusal::invalid("PullRequest", "reviewers", "missing_field"));
    }
    if let Some(pull) = repo.issue_mut(number).and_then(|issue| issue.pull.as_mut()) {
        pull.reviewers.retain(|login| !people.iter().flatten().any(|other| other == login));
        pull.teams.retain(|team| !teams.iter().flatten().any(|other| other == team));
    }
    let issue = repo.issue(number).ok_or_else(Refusal::not_found)?;
    Ok(Reply::ok(shape::pull_simple(site, repo, issue)))
}
