//! History: commits, comparisons, the pull requests of a commit.

use serde_json::{Value, json};

use super::{Answer, Call, Refusal, Reply, page, page_of};
use crate::shape;
use crate::state::World;

fn unknown(reference: &str) -> Refusal {
    Refusal::unprocessable(format!("No commit found for SHA: {reference}"))
}

pub(super) fn list(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    if repo.store.refs("refs/heads/").is_empty() {
        return Err(Refusal::new(409, "Git Repository is empty."));
    }
    let reference = call.query("sha").unwrap_or(&repo.default_branch);
    let head = repo.store.resolve(reference).ok_or_else(Refusal::not_found)?.id();
    let time = |name: &str| call.query(name).and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let (since, until) = (time("since"), time("until"));
    let commits = match call.query("path").filter(|path| !path.is_empty()) {
        Some(path) => repo.store.touching(head, path)?,
        None => repo.store.between(None, head)?,
    };
    let found: Vec<_> = commits
        .into_iter()
        .filter_map(|oid| repo.store.git.find_commit(oid).ok())
        .filter(|commit| {
            let at = commit.committer().when().seconds();
            since.is_none_or(|since| at >= since.as_second())
                && until.is_none_or(|until| at <= until.as_second())
        })
        .collect();
    Ok(page(site, call, found, |commit| shape::commit(site, repo, &commit)))
}

pub(super) fn get(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let reference = call.param("ref");
    let commit = repo.store.resolve(reference).ok_or_else(|| unknown(reference))?;
    if call.accept.contains("sha") {
        let sha = commit.id().to_string().into_bytes();
        let body = super::ReplyBody::Bytes("application/vnd.github.sha; charset=utf-8", sha);
        return Ok(Reply { status: 200, headers: Vec::new(), body });
    }
    Ok(Reply::ok(shape::commit_with_files(site, repo, &commit)?))
}

pub(super) fn pulls(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let sha = call.param("commit_sha");
    let commit = repo.store.commit(sha).ok_or_else(|| unknown(sha))?.id().to_string();
    let on_trunk = repo
        .store
        .branch(&repo.default_branch)
        .is_some_and(|tip| repo.store.is_ancestor(&commit, &tip.to_string()));
    let found: Vec<_> = repo
        .issues
        .iter()
        .filter(|issue| {
            issue.pull.as_ref().is_some_and(|pull| {
                let inside = repo.store.is_ancestor(&commit, &pull.head_sha)
                    && !repo.store.is_ancestor(&commit, &pull.base_sha);
                let made_by_merge = pull.merge_commit_sha.as_deref() == Some(&commit);
                if on_trunk { pull.merged_at.is_some() && (inside || made_by_merge) } else { inside }
            })
        })
        .collect();
    Ok(page(site, call, found, |issue| shape::pull_simple(site, repo, issue)))
}

pub(super) fn compare(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let basehead = call.param("basehead");
    let (base_name, head_name) = basehead.split_once("...").ok_or_else(Refusal::not_found)?;
    let own = format!("{}:", repo.owner);
    let find = |name: &str| {
        repo.store.resolve(name.strip_prefix(own.as_str()).unwrap_or(name)).ok_or_else(Refusal::not_found)
    };
    let (base, head) = (find(base_name)?, find(head_name)?);
    let git = &repo.store.git;
    let fork = git
        .merge_base(base.id(), head.id())
        .map_err(|_| Refusal::new(404, format!("No common ancestor between {base_name} and {head_name}.")))?;
    let (ahead, behind) = git.graph_ahead_behind(head.id(), base.id())?;
    let status = match (ahead, behind) {
        (0, 0) => "identical",
        (_, 0) => "ahead",
        (0, _) => "behind",
        _ => "diverged",
    };
    let mut between = repo.store.between(Some(base.id()), head.id())?;
    between.reverse();
    let total = between.len();
    let paged = call.query("page").is_some() || call.query("per_page").is_some();
    let first_page = call.query("page").is_none_or(|page| page == "1");
    let (shown, headers) = if paged || site.page_cap.is_some() {
        page_of(site, call, between)
    } else {
        // Without paging GitHub lists 250 commits at most.
        (between.into_iter().take(250).collect(), Vec::new())
    };
    let commits = shown.into_iter().filter_map(|oid| git.find_commit(oid).ok());
    let commits: Vec<Value> = commits.map(|commit| shape::commit(site, repo, &commit)).collect();
    let fork = git.find_commit(fork)?;
    let files =
        if first_page { repo.store.changes(Some(&fork.tree()?), Some(&head.tree()?))? } else { Vec::new() };
    let at = head.id().to_string();
    let files: Vec<Value> =
        files.iter().take(300).map(|file| shape::diff_entry(site, repo, &at, file)).collect();
    let html = format!("{}/compare/{basehead}", repo.html(&site.base));
    let mut reply = Reply::ok(json!({
        "url": format!("{}/compare/{basehead}", repo.api(&site.base)),
        "html_url": html,
        "permalink_url": format!(
            "{}/compare/{owner}:{}...{owner}:{}", repo.html(&site.base), base.id(), head.id(), owner = repo.owner
        ),
        "diff_url": format!("{html}.diff"),
        "patch_url": format!("{html}.patch"),
        "base_commit": shape::commit(site, repo, &base),
        "merge_base_commit": shape::commit(site, repo, &fork),
        "status": status,
        "ahead_by": ahead,
        "behind_by": behind,
        "total_commits": total,
        "commits": commits,
        "files": files,
    }));
    reply.headers = headers;
    Ok(reply)
}
