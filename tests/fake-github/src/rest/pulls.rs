//! Pull requests: listing, opening, changing.

use serde_json::Value;

use super::{Answer, Call, Refusal, Reply, at_most, page};
use crate::shape;
use crate::state::{Happened, Issue, IssueState, Pull, RepoState, Site, World};
use crate::store::full;
use crate::token::TokenKind;

/// Characters that a pull request, issue or comment body may have.
pub(crate) const BODY_LIMIT: usize = 65_536;

/// A pull request's issue, or GitHub's 404.
pub(super) fn found<'a>(repo: &'a RepoState, call: &Call) -> Result<(&'a Issue, &'a Pull), Refusal> {
    let issue = repo.issue(call.number("pull_number")?).ok_or_else(Refusal::not_found)?;
    let pull = issue.pull.as_ref().ok_or_else(Refusal::not_found)?;
    Ok((issue, pull))
}

pub(super) fn list(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let state = call.query("state").unwrap_or("open");
    let sort = call.query("sort").unwrap_or("created");
    let newest_first = match call.query("direction") {
        Some(direction) => direction == "desc",
        None => sort == "created",
    };
    // `head` without an owner is ignored, as on GitHub.
    let head = call.query("head").and_then(|head| head.split_once(':'));
    let mut issues: Vec<&Issue> = repo
        .issues
        .iter()
        .filter(|issue| state == "all" || issue.state.word() == state)
        .filter(|issue| {
            issue.pull.as_ref().is_some_and(|pull| {
                call.query("base").is_none_or(|base| pull.base_ref == base)
                    && head.is_none_or(|(owner, branch)| {
                        owner.eq_ignore_ascii_case(&repo.owner) && pull.head_ref == branch
                    })
            })
        })
        .collect();
    issues.sort_by_key(|issue| {
        (if sort == "updated" { issue.updated_at } else { issue.created_at }, issue.number)
    });
    if newest_first {
        issues.reverse();
    }
    Ok(page(site, call, issues, |issue| shape::pull_simple(site, repo, issue)))
}

pub(super) fn get(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let (issue, _) = found(repo, call)?;
    Ok(Reply::ok(shape::pull(site, repo, issue)))
}

/// A pull request that someone wants to open.
pub(crate) struct Wanted<'a> {
    pub title: &'a str,
    pub body: Option<&'a str>,
    pub head: &'a str,
    pub base: &'a str,
    pub draft: bool,
    pub author: &'a str,
}

/// Opens a pull request, or says why GitHub would not.
pub(crate) fn open(site: &mut Site, repo: &mut RepoState, wanted: &Wanted<'_>) -> Result<u64, Refusal> {
    let resource = "PullRequest";
    at_most(resource, "body", wanted.body, BODY_LIMIT)?;
    at_most(resource, "title", Some(wanted.title), 256)?;
    if wanted.title.trim().is_empty() {
        return Err(Refusal::invalid("Issue", "title", "missing_field"));
    }
    let head = match wanted.head.split_once(':') {
        Some((owner, branch)) if owner.eq_ignore_ascii_case(&repo.owner) => branch,
        Some(_) => return Err(Refusal::invalid(resource, "head", "invalid")),
        None => wanted.head,
    };
    let base = wanted.base;
    let base_tip = repo.store.branch(base).ok_or_else(|| Refusal::invalid(resource, "base", "invalid"))?;
    let head_tip = repo.store.branch(head).ok_or_else(|| Refusal::invalid(resource, "head", "invalid"))?;
    let same = |issue: &&Issue| {
        issue.state == IssueState::Open
            && issue.pull.as_ref().is_some_and(|pull| pull.head_ref == head && pull.base_ref == base)
    };
    if repo.issues.iter().any(|issue| same(&issue)) {
        let message = format!("A pull request already exists for {}:{head}.", repo.owner);
        return Err(Refusal::custom(resource, None, message));
    }
    let fork = repo.store.git.merge_base(base_tip, head_tip);
    if fork.is_err() {
        let message = format!("The {head} branch has no history in common with {base}");
        return Err(Refusal::custom(resource, None, message));
    }
    if repo.store.is_ancestor(&head_tip.to_string(), &base_tip.to_string()) {
        return Err(Refusal::custom(resource, None, format!("No commits between {base} and {head}")));
    }
    if wanted.draft && !repo.settings.drafts {
        return Err(Refusal::unprocessable("Draft pull requests are not supported in this repository."));
    }
    let (now, number) = (site.clock.now(), repo.next_number());
    repo.issues.push(Issue {
        id: site.next_id("issue"),
        number,
        title: wanted.title.to_owned(),
        body: wanted.body.map(str::to_owned),
        author: wanted.author.to_owned(),
        state: IssueState::Open,
        labels: Vec::new(),
        assignees: Vec::new(),
        comments: Vec::new(),
        created_at: now,
        updated_at: now,
        closed_at: None,
        closed_by: None,
        events: Vec::new(),
        pull: Some(Pull {
            id: site.next_id("pull"),
            draft: wanted.draft,
            head_ref: head.to_owned(),
            head_sha: head_tip.to_string(),
            base_ref: base.to_owned(),
            base_sha: base_tip.to_string(),
            merged_at: None,
            merged_by: None,
            merge_commit_sha: None,
            reviewers: Vec::new(),
            teams: Vec::new(),
            reviews: Vec::new(),
            auto_merge: None,
        }),
    });
    Ok(number)
}

pub(super) fn create(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    if call.token.kind == TokenKind::Actions && !repo.settings.actions_may_open_pull_requests {
        return Err(Refusal::new(403, "GitHub Actions is not permitted to create or approve pull requests."));
    }
    let wanted = Wanted {
        title: call.needed("PullRequest", "title")?,
        body: call.text("body"),
        head: call.needed("PullRequest", "head")?,
        base: call.needed("PullRequest", "base")?,
        draft: call.flag("draft").unwrap_or(false),
        author: &call.token.login,
    };
    let number = open(site, repo, &wanted)?;
    let issue = repo.issue(number).ok_or_else(Refusal::not_found)?;
    let mut reply = Reply::created(shape::pull(site, repo, issue));
    reply.headers.push(("location".to_owned(), format!("{}/pulls/{number}", repo.api(&site.base))));
    Ok(reply)
}

/// Opens or closes an issue or pull request again.
pub(crate) fn set_state(
    site: &mut Site,
    repo: &mut RepoState,
    number: u64,
    state: IssueState,
    actor: &str,
) -> Result<(), Refusal> {
    let now = site.clock.now();
    let issue = repo.issue(number).ok_or_else(Refusal::not_found)?;
    if issue.state == state {
        return Ok(());
    }
    if let (IssueState::Open, Some(pull)) = (state, &issue.pull) {
        let (head, base) = (repo.store.branch(&pull.head_ref), repo.store.branch(&pull.base_ref));
        let refused = |message: String| Err(Refusal::custom("PullRequest", Some("state"), message));
        let (Some(head), Some(base)) = (head, base) else {
            return refused(format!("The {} branch has been deleted.", pull.head_ref));
        };
        if pull.merged_at.is_some() {
            return refused("This pull request has been merged.".to_owned());
        }
        if repo.store.is_ancestor(&head.to_string(), &base.to_string()) {
            return refused(format!("There are no new commits on the {} branch.", pull.head_ref));
        }
        let again = |other: &Issue| {
            other.number != number
                && other.state == IssueState::Open
                && other
                    .pull
                    .as_ref()
                    .is_some_and(|other| other.head_ref == pull.head_ref && other.base_ref == pull.base_ref)
        };
        if repo.issues.iter().any(again) {
            return refused(format!("A pull request already exists for {}:{}.", repo.owner, pull.head_ref));
        }
    }
    let Some(issue) = repo.issue_mut(number) else { return Err(Refusal::not_found()) };
    issue.state = state;
    issue.updated_at = now;
    issue.closed_at = (state == IssueState::Closed).then_some(now);
    issue.closed_by = (state == IssueState::Closed).then(|| actor.to_owned());
    if let (IssueState::Closed, Some(pull)) = (state, issue.pull.as_mut()) {
        pull.auto_merge = None;
    }
    let what = if state == IssueState::Closed { Happened::Closed } else { Happened::Reopened };
    issue.happened(site, what, actor);
    Ok(())
}

/// The state a body asks for.
pub(super) fn wanted_state(call: &Call, resource: &str) -> Result<Option<IssueState>, Refusal> {
    match call.text("state") {
        None => Ok(None),
        Some("open") => Ok(Some(IssueState::Open)),
        Some("closed") => Ok(Some(IssueState::Closed)),
        Some(_) => Err(Refusal::invalid(resource, "state", "invalid")),
    }
}

pub(super) fn update(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    let number = found(repo, call)?.0.number;
    let resource = "PullRequest";
    at_most(resource, "body", call.text("body"), BODY_LIMIT)?;
    at_most(resource, "title", call.text("title"), 256)?;
    let base = match call.text("base") {
        None => None,
        Some(base) => {
            let tip = repo.store.branch(base).ok_or_else(|| Refusal::invalid(resource, "base", "invalid"))?;
            Some((base.to_owned(), tip.to_string()))
        }
    };
    if let Some(state) = wanted_state(call, resource)? {
        set_state(site, repo, number, state, &call.token.login)?;
    }
    let now = site.clock.now();
    let issue = repo.issue_mut(number).ok_or_else(Refusal::not_found)?;
    if let Some(title) = call.text("title") {
        title.clone_into(&mut issue.title);
    }
    match call.body.get("body") {
        Some(Value::String(body)) => issue.body = Some(body.clone()),
        Some(Value::Null) => issue.body = None,
        _ => {}
    }
    if let (Some((name, tip)), Some(pull)) = (base, issue.pull.as_mut()) {
        pull.base_ref = name;
        pull.base_sha = tip;
    }
    issue.updated_at = now;
    let issue = repo.issue(number).ok_or_else(Refusal::not_found)?;
    Ok(Reply::ok(shape::pull(site, repo, issue)))
}

pub(super) fn files(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let (_, pull) = found(repo, call)?;
    let files = repo.store.changes_since_fork(&pull.base_sha, &pull.head_sha)?;
    Ok(page(site, call, files, |file| shape::diff_entry(site, repo, &pull.head_sha, &file)))
}

pub(super) fn commits(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let (_, pull) = found(repo, call)?;
    let head = full(&pull.head_sha).ok_or_else(Refusal::not_found)?;
    let mut between = repo.store.between(full(&pull.base_sha), head)?;
    between.reverse();
    let found: Vec<_> = between.into_iter().filter_map(|oid| repo.store.git.find_commit(oid).ok()).collect();
    Ok(page(site, call, found, |commit| shape::commit(site, repo, &commit)))
}
