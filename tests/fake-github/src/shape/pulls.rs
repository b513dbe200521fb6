//! Pull requests and reviews.

use serde_json::{Value, json};

use super::{label, node, repo_whole, user};
use crate::state::{Issue, IssueState, Pull, RepoState, Review, Site, stamp};
use crate::store::full;

/// Whether a pull request can be merged now: GitHub's `mergeable` and `mergeable_state`.
pub(crate) fn mergeable(repo: &RepoState, issue: &Issue, pull: &Pull) -> (Option<bool>, &'static str) {
    if issue.state == IssueState::Closed {
        return (None, "unknown");
    }
    let (Some(base), Some(head)) = (repo.store.branch(&pull.base_ref), full(&pull.head_sha)) else {
        return (None, "unknown");
    };
    match repo.store.merged_tree(base, head) {
        Ok(Some(_)) => {}
        _ => return (Some(false), "dirty"),
    }
    let decision = pull.decision(repo.settings.required_approvals);
    if pull.draft {
        (Some(true), "draft")
    } else if decision == Some("CHANGES_REQUESTED")
        || decision == Some("REVIEW_REQUIRED")
        || repo.is_protected(&pull.base_ref) && decision != Some("APPROVED")
    {
        (Some(true), "blocked")
    } else {
        (Some(true), "clean")
    }
}

fn side(site: &Site, repo: &RepoState, name: &str, sha: &str) -> Value {
    json!({
        "label": format!("{}:{name}", repo.owner),
        "ref": name,
        "sha": sha,
        "user": user(site, &repo.owner),
        "repo": repo_whole(site, repo),
    })
}

/// `team`, as in lists of pull requests.
fn team(site: &Site, repo: &RepoState, slug: &str) -> Value {
    let mut shown = team_simple(site, repo, slug);
    if let Some(object) = shown.as_object_mut() {
        object.insert("parent".to_owned(), Value::Null);
    }
    shown
}

/// `team-simple`, which names no parent.
fn team_simple(site: &Site, repo: &RepoState, slug: &str) -> Value {
    let id = super::user_id(slug);
    let api = format!("{}/api/v3/organizations/1/team/{id}", site.base);
    json!({
        "id": id,
        "node_id": node("T", id),
        "url": api,
        "members_url": format!("{api}/members{{/member}}"),
        "name": slug,
        "description": null,
        "permission": "push",
        "privacy": "closed",
        "notification_setting": "notifications_enabled",
        "html_url": format!("{}/orgs/{}/teams/{slug}", site.base, repo.owner),
        "repositories_url": format!("{api}/repos"),
        "slug": slug,
        "type": "organization",
        "organization_id": 1,
    })
}

/// A label whose description is a text: in pull requests GitHub's description allows no null.
fn described(mut label: Value) -> Value {
    if let Some(text) = label.get_mut("description").filter(|text| text.is_null()) {
        *text = json!("");
    }
    label
}

/// `pull-request-simple`: the entry of a list.
pub(crate) fn pull_simple(site: &Site, repo: &RepoState, issue: &Issue) -> Value {
    let Some(pull) = &issue.pull else { return Value::Null };
    let (api, number) = (repo.api(&site.base), issue.number);
    let url = format!("{api}/pulls/{number}");
    let html = format!("{}/pull/{number}", repo.html(&site.base));
    let issue_url = format!("{api}/issues/{number}");
    let statuses = format!("{api}/statuses/{}", pull.head_sha);
    let people = |logins: &[String]| logins.iter().map(|login| user(site, login)).collect::<Vec<_>>();
    json!({
        "url": url,
        "id": pull.id,
        "node_id": node("PR", pull.id),
        "html_url": html,
        "diff_url": format!("{html}.diff"),
        "patch_url": format!("{html}.patch"),
        "issue_url": issue_url,
        "number": number,
        "state": issue.state.word(),
        "locked": false,
        "title": issue.title,
        "user": user(site, &issue.author),
        "body": issue.body,
        "created_at": stamp(issue.created_at),
        "updated_at": stamp(issue.updated_at),
        "closed_at": issue.closed_at.map(stamp),
        "merged_at": pull.merged_at.map(stamp),
        "merge_commit_sha": pull.merge_commit_sha,
        "assignee": issue.assignees.first().map(|login| user(site, login)),
        "assignees": people(&issue.assignees),
        "requested_reviewers": people(&pull.reviewers),
        "requested_teams": pull.teams.iter().map(|slug| team(site, repo, slug)).collect::<Vec<_>>(),
        "labels": issue.labels.iter().map(|name| described(label(site, repo, name))).collect::<Vec<_>>(),
        "milestone": null,
        "draft": pull.draft,
        "commits_url": format!("{url}/commits"),
        "review_comments_url": format!("{url}/comments"),
        "review_comment_url": format!("{api}/pulls/comments{{/number}}"),
        "comments_url": format!("{issue_url}/comments"),
        "statuses_url": statuses,
        "head": side(site, repo, &pull.head_ref, &pull.head_sha),
        "base": side(site, repo, &pull.base_ref, &pull.base_sha),
        "_links": {
            "self": { "href": url },
            "html": { "href": html },
            "issue": { "href": issue_url },
            "comments": { "href": format!("{issue_url}/comments") },
            "review_comments": { "href": format!("{url}/comments") },
            "review_comment": { "href": format!("{api}/pulls/comments{{/number}}") },
            "commits": { "href": format!("{url}/commits") },
            "statuses": { "href": statuses },
        },
        "author_association": "CONTRIBUTOR",
        "auto_merge": pull.auto_merge.as_ref().map(|auto| json!({
            "enabled_by": user(site, &auto.enabled_by),
            "merge_method": auto.method,
            "commit_title": auto.commit_title.clone().unwrap_or_default(),
            "commit_message": auto.commit_message.clone().unwrap_or_default(),
        })),
        "active_lock_reason": null,
    })
}

/// `pull-request`
pub(crate) fn pull(site: &Site, repo: &RepoState, issue: &Issue) -> Value {
    let mut shown = pull_simple(site, repo, issue);
    let (Some(pull), Some(object)) = (&issue.pull, shown.as_object_mut()) else { return shown };
    let files = repo.store.changes_since_fork(&pull.base_sha, &pull.head_sha).unwrap_or_default();
    let commits = full(&pull.head_sha)
        .and_then(|head| repo.store.between(full(&pull.base_sha), head).ok())
        .map_or(0, |commits| commits.len());
    let (can_merge, state) = mergeable(repo, issue, pull);
    if let Value::Object(more) = json!({
        "requested_teams": pull.teams.iter().map(|slug| team_simple(site, repo, slug)).collect::<Vec<_>>(),
        "merged": pull.merged_at.is_some(),
        "mergeable": can_merge,
        "rebaseable": can_merge,
        "mergeable_state": state,
        "merged_by": pull.merged_by.as_deref().map(|login| user(site, login)),
        "comments": issue.comments.len(),
        "review_comments": 0,
        "maintainer_can_modify": false,
        "commits": commits,
        "additions": files.iter().map(|file| file.additions).sum::<usize>(),
        "deletions": files.iter().map(|file| file.deletions).sum::<usize>(),
        "changed_files": files.len(),
    }) {
        object.extend(more);
    }
    shown
}

/// `pull-request-review`
pub(crate) fn review(site: &Site, repo: &RepoState, issue: &Issue, review: &Review) -> Value {
    let url = format!("{}/pulls/{}", repo.api(&site.base), issue.number);
    let html = format!("{}/pull/{}#pullrequestreview-{}", repo.html(&site.base), issue.number, review.id);
    json!({
        "id": review.id,
        "node_id": node("PRR", review.id),
        "user": user(site, &review.author),
        "body": review.body,
        "state": review.state,
        "html_url": html,
        "pull_request_url": url,
        "author_association": "MEMBER",
        "_links": { "html": { "href": html }, "pull_request": { "href": url } },
        "submitted_at": stamp(review.submitted_at),
        "commit_id": review.commit_id,
    })
}
