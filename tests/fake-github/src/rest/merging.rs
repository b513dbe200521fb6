//! Merging, and the "Update branch" button.

use git2::Oid;
use serde_json::json;

use super::pulls::found;
use super::{Answer, Call, Refusal, Reply};
use crate::shape;
use crate::state::{Happened, IssueState, RepoState, Site, World};
use crate::store::{Signer, full};

pub(super) fn merged(world: &mut World, call: &Call) -> Answer {
    let (_, repo) = world.seen(call)?;
    match found(repo, call)?.1.merged_at {
        Some(_) => Ok(Reply::empty()),
        None => Err(Refusal::not_found()),
    }
}

/// Writes a commit in GitHub's own name, signed.
fn github_commit(
    site: &Site,
    repo: &mut RepoState,
    login: &str,
    message: &str,
    tree: Oid,
    parents: &[Oid],
) -> Result<Oid, Refusal> {
    let (when, email) = (site.clock.now(), site.email(login));
    let oid = repo.store.write_commit(
        &Signer { name: login, email: &email, when },
        &Signer { name: "GitHub", email: "noreply@github.com", when },
        message,
        tree,
        parents,
    )?;
    repo.verified.insert(oid.to_string());
    Ok(oid)
}

/// How to merge, and under which words.
pub(crate) struct How<'a> {
    /// `merge`, `squash` or `rebase` (which is made as a squash here).
    pub method: &'a str,
    pub title: Option<&'a str>,
    pub message: Option<&'a str>,
}

/// Merges a pull request into its base; returns the new tip.
pub(crate) fn merge_pull(
    site: &mut Site,
    repo: &mut RepoState,
    number: u64,
    actor: &str,
    how: &How<'_>,
) -> Result<String, Refusal> {
    let issue = repo.issue(number).ok_or_else(Refusal::not_found)?.clone();
    let pull = issue.pull.clone().ok_or_else(Refusal::not_found)?;
    let refused = |message: &str| Err(Refusal::new(405, message));
    match shape::mergeable(repo, &issue, &pull).1 {
        "clean" => {}
        "draft" => return refused("Pull Request is still a draft"),
        "blocked" => {
            return refused("At least 1 approving review is required by reviewers with write access.");
        }
        _ => return refused("Pull Request is not mergeable"),
    }
    let base = repo.store.branch(&pull.base_ref).ok_or_else(Refusal::not_found)?;
    let head = full(&pull.head_sha).ok_or_else(Refusal::not_found)?;
    let Some(tree) = repo.store.merged_tree(base, head)? else {
        return refused("Pull Request is not mergeable");
    };
    let owner = &repo.owner;
    let squash = how.method != "merge";
    let title = how.title.map_or_else(
        || {
            if squash {
                format!("{} (#{number})", issue.title)
            } else {
                format!("Merge pull request #{number} from {owner}/{}", pull.head_ref)
            }
        },
        str::to_owned,
    );
    let rest = how.message.unwrap_or(if squash { "" } else { &issue.title });
    let message = if rest.is_empty() { title } else { format!("{title}\n\n{rest}") };
    let parents = if squash { vec![base] } else { vec![base, head] };
    let author = if squash { &issue.author } else { actor };
    let oid = github_commit(site, repo, author, &message, tree, &parents)?;
    repo.store.git.reference(&format!("refs/heads/{}", pull.base_ref), oid, true, "merge")?;
    let now = site.clock.now();
    if let Some(issue) = repo.issue_mut(number) {
        issue.state = IssueState::Closed;
        issue.closed_at = Some(now);
        issue.closed_by = Some(actor.to_owned());
        issue.updated_at = now;
        if let Some(pull) = issue.pull.as_mut() {
            pull.merged_at = Some(now);
            pull.merged_by = Some(actor.to_owned());
            pull.merge_commit_sha = Some(oid.to_string());
            pull.auto_merge = None;
        }
        issue.happened(site, Happened::Closed, actor);
    }
    Ok(oid.to_string())
}

pub(super) fn merge(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    let (issue, pull) = found(repo, call)?;
    let number = issue.number;
    if call.text("sha").is_some_and(|sha| sha != pull.head_sha) {
        return Err(Refusal::new(409, "Head branch was modified. Review and try the merge again."));
    }
    let method = call.text("merge_method").unwrap_or("merge");
    if !["merge", "squash", "rebase"].contains(&method) {
        return Err(Refusal::invalid("PullRequest", "merge_method", "invalid"));
    }
    let how = How { method, title: call.text("commit_title"), message: call.text("commit_message") };
    let sha = merge_pull(site, repo, number, &call.token.login, &how)?;
    Ok(Reply::ok(json!({ "sha": sha, "merged": true, "message": "Pull Request successfully merged" })))
}

/// Merges the base into the head, as the "Update branch" button does.
pub(crate) fn update_head(
    site: &Site,
    repo: &mut RepoState,
    number: u64,
    actor: &str,
) -> Result<String, Refusal> {
    let pull = repo.issue(number).and_then(|issue| issue.pull.clone()).ok_or_else(Refusal::not_found)?;
    let (Some(base), Some(head)) = (repo.store.branch(&pull.base_ref), repo.store.branch(&pull.head_ref))
    else {
        return Err(Refusal::not_found());
    };
    if repo.store.is_ancestor(&base.to_string(), &head.to_string()) {
        return Err(Refusal::unprocessable("There are no new commits on the base branch."));
    }
    let Some(tree) = repo.store.merged_tree(head, base)? else {
        return Err(Refusal::unprocessable("merge conflict between base and head"));
    };
    let message = format!("Merge branch '{}' into {}", pull.base_ref, pull.head_ref);
    let oid = github_commit(site, repo, actor, &message, tree, &[head, base])?;
    repo.store.git.reference(&format!("refs/heads/{}", pull.head_ref), oid, true, "update branch")?;
    Ok(oid.to_string())
}

pub(super) fn update_branch(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    let (issue, pull) = found(repo, call)?;
    let number = issue.number;
    if call.text("expected_head_sha").is_some_and(|sha| sha != pull.head_sha) {
        return Err(Refusal::unprocessable("expected head sha didn't match current head ref."));
    }
    update_head(site, repo, number, &call.token.login)?;
    let url = format!("{}/pull/{number}", repo.html(&site.base));
    Ok(Reply::json(202, json!({ "message": "Updating pull request branch.", "url": url })))
}
