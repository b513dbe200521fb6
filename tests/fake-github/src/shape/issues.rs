//! Issues, labels and comments.

use serde_json::{Value, json};

use super::{node, user, user_id};
use crate::state::{Comment, Issue, IssueEvent, RepoState, Site, stamp};

/// `label`, whether or not the repository describes it.
pub(crate) fn label(site: &Site, repo: &RepoState, name: &str) -> Value {
    let known = repo.labels.iter().find(|label| label.name.eq_ignore_ascii_case(name));
    let id = known.map_or_else(|| user_id(name), |label| label.id);
    json!({
        "id": id,
        "node_id": node("LA", id),
        "url": format!("{}/labels/{}", repo.api(&site.base), crate::rest::encoded(name)),
        "name": known.map_or(name, |label| label.name.as_str()),
        "color": known.map_or("ededed", |label| label.color.as_str()),
        "default": false,
        "description": known.and_then(|label| label.description.clone()),
    })
}

/// `issue`, which is also the issue's side of a pull request.
pub(crate) fn issue(site: &Site, repo: &RepoState, issue: &Issue) -> Value {
    let number = issue.number;
    let api = format!("{}/issues/{number}", repo.api(&site.base));
    let kind = if issue.pull.is_some() { "pull" } else { "issues" };
    let html = format!("{}/{kind}/{number}", repo.html(&site.base));
    let mut shown = json!({
        "url": api,
        "repository_url": repo.api(&site.base),
        "labels_url": format!("{api}/labels{{/name}}"),
        "comments_url": format!("{api}/comments"),
        "events_url": format!("{api}/events"),
        "html_url": html,
        "id": issue.id,
        "node_id": node("I", issue.id),
        "number": number,
        "title": issue.title,
        "user": user(site, &issue.author),
        "labels": issue.labels.iter().map(|name| label(site, repo, name)).collect::<Vec<_>>(),
        "state": issue.state.word(),
        "locked": false,
        "assignee": issue.assignees.first().map(|login| user(site, login)),
        "assignees": issue.assignees.iter().map(|login| user(site, login)).collect::<Vec<_>>(),
        "milestone": null,
        "comments": issue.comments.len(),
        "created_at": stamp(issue.created_at),
        "updated_at": stamp(issue.updated_at),
        "closed_at": issue.closed_at.map(stamp),
        "author_association": "CONTRIBUTOR",
        "active_lock_reason": null,
        "body": issue.body,
        "closed_by": issue.closed_by.as_deref().map(|login| user(site, login)),
        "state_reason": null,
    });
    if let (Some(pull), Some(object)) = (&issue.pull, shown.as_object_mut()) {
        object.insert("draft".to_owned(), json!(pull.draft));
        object.insert(
            "pull_request".to_owned(),
            json!({
                "url": format!("{}/pulls/{number}", repo.api(&site.base)),
                "html_url": html,
                "diff_url": format!("{html}.diff"),
                "patch_url": format!("{html}.patch"),
                "merged_at": pull.merged_at.map(stamp),
            }),
        );
    }
    shown
}

/// `state-change-issue-event`: a close, and whatever else changes where a pull request stands.
pub(crate) fn issue_event(site: &Site, repo: &RepoState, event: &IssueEvent) -> Value {
    let (name, prefix) = event.what.words();
    json!({
        "id": event.id,
        "node_id": node(prefix, event.id),
        "url": format!("{}/issues/events/{}", repo.api(&site.base), event.id),
        "actor": user(site, &event.actor),
        "event": name,
        "commit_id": null,
        "commit_url": null,
        "created_at": stamp(event.created_at),
        "performed_via_github_app": null,
    })
}

/// `issue-comment`
pub(crate) fn comment(site: &Site, repo: &RepoState, issue: &Issue, comment: &Comment) -> Value {
    let api = repo.api(&site.base);
    let kind = if issue.pull.is_some() { "pull" } else { "issues" };
    json!({
        "url": format!("{api}/issues/comments/{}", comment.id),
        "html_url": format!(
            "{}/{kind}/{}#issuecomment-{}", repo.html(&site.base), issue.number, comment.id
        ),
        "issue_url": format!("{api}/issues/{}", issue.number),
        "id": comment.id,
        "node_id": node("IC", comment.id),
        "user": user(site, &comment.author),
        "created_at": stamp(comment.created_at),
        "updated_at": stamp(comment.updated_at),
        "author_association": "CONTRIBUTOR",
        "body": comment.body,
    })
}
