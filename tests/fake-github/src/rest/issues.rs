//! Labels, assignees, comments: what pull requests have because they are issues.

use serde_json::{Value, json};

use super::pulls::{BODY_LIMIT, set_state, wanted_state};
use super::{Answer, Call, Refusal, Reply, at_most, page};
use crate::shape;
use crate::state::{Comment, Issue, Label, RepoState, Site, World};
use crate::token::Level;

fn found<'a>(repo: &'a RepoState, call: &Call) -> Result<&'a Issue, Refusal> {
    repo.issue(call.number("issue_number")?).ok_or_else(Refusal::not_found)
}

fn found_mut<'a>(repo: &'a mut RepoState, call: &Call) -> Result<&'a mut Issue, Refusal> {
    repo.issue_mut(call.number("issue_number")?).ok_or_else(Refusal::not_found)
}

pub(super) fn get(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    Ok(Reply::ok(shape::issue(site, repo, found(repo, call)?)))
}

pub(super) fn update(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    at_most("Issue", "body", call.text("body"), BODY_LIMIT)?;
    let number = found(repo, call)?.number;
    if let Some(state) = wanted_state(call, "Issue")? {
        set_state(site, repo, number, state, &call.token.login)?;
    }
    let now = site.clock.now();
    let (labels, assignees) = (call.texts("labels"), call.texts("assignees"));
    may_make(repo, call, labels.iter().flatten())?;
    for name in labels.iter().flatten() {
        describe(site, repo, name)?;
    }
    let issue = found_mut(repo, call)?;
    if let Some(title) = call.text("title") {
        title.clone_into(&mut issue.title);
    }
    match call.body.get("body") {
        Some(Value::String(body)) => issue.body = Some(body.clone()),
        Some(Value::Null) => issue.body = None,
        _ => {}
    }
    if let Some(labels) = labels {
        issue.labels = labels;
    }
    if let Some(assignees) = assignees {
        issue.assignees = assignees;
    }
    issue.updated_at = now;
    Ok(Reply::ok(shape::issue(site, repo, found(repo, call)?)))
}

/// Adds a label to the repository where it is new, as GitHub does when an issue gets it.
pub(crate) fn describe(site: &mut Site, repo: &mut RepoState, name: &str) -> Result<(), Refusal> {
    if name.is_empty() || name.chars().count() > 50 {
        return Err(Refusal::custom("Label", Some("name"), "name is too long (maximum is 50 characters)"));
    }
    if !repo.labels.iter().any(|label| label.name.eq_ignore_ascii_case(name)) {
        let id = site.next_id("label");
        repo.labels.push(Label { id, name: name.to_owned(), color: "ededed".to_owned(), description: None });
    }
    Ok(())
}

/// Since 2025 a label that does not exist yet is made only for those who may write issues.
fn may_make<'l>(
    repo: &RepoState,
    call: &Call,
    mut names: impl Iterator<Item = &'l String>,
) -> Result<(), Refusal> {
    let is_new = |name: &String| !repo.labels.iter().any(|label| label.name.eq_ignore_ascii_case(name));
    if call.token.level("issues") >= Level::Write || !names.any(is_new) {
        return Ok(());
    }
    let mut refusal = Refusal::new(403, "You do not have permission to create labels on this repository.");
    refusal.errors.push(json!({ "resource": "Repository", "field": "label", "code": "unauthorized" }));
    Err(refusal.header("x-accepted-github-permissions", "issues=write; pull_requests=write"))
}

pub(super) fn labels(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    Ok(page(site, call, repo.labels.iter().collect(), |label: &Label| shape::label(site, repo, &label.name)))
}

pub(super) fn label(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let name = call.param("name");
    if !repo.labels.iter().any(|label| label.name.eq_ignore_ascii_case(name)) {
        return Err(Refusal::not_found());
    }
    Ok(Reply::ok(shape::label(site, repo, name)))
}

pub(super) fn create_label(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    let name = call.needed("Label", "name")?;
    if repo.labels.iter().any(|label| label.name.eq_ignore_ascii_case(name)) {
        return Err(Refusal::invalid("Label", "name", "already_exists"));
    }
    let color = call.text("color").unwrap_or("ededed");
    if color.len() != 6 || !color.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Refusal::invalid("Label", "color", "invalid"));
    }
    describe(site, repo, name)?;
    if let Some(label) = repo.labels.last_mut() {
        color.clone_into(&mut label.color);
        label.description = call.text("description").map(str::to_owned);
    }
    Ok(Reply::created(shape::label(site, repo, name)))
}

fn shown_labels(site: &Site, repo: &RepoState, call: &Call) -> Answer {
    let issue = found(repo, call)?;
    Ok(page(site, call, issue.labels.iter().collect(), |name: &String| shape::label(site, repo, name)))
}

pub(super) fn labels_of(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    shown_labels(site, repo, call)
}

/// The labels a body names: `{"labels": […]}` or a bare array.
fn given_labels(call: &Call) -> Result<Vec<String>, Refusal> {
    let bare = || {
        let items = call.body.as_array()?;
        Some(items.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    };
    call.texts("labels").or_else(bare).ok_or_else(|| Refusal::invalid("Label", "labels", "missing_field"))
}

pub(super) fn add_labels(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    found(repo, call)?;
    let given = given_labels(call)?;
    may_make(repo, call, given.iter())?;
    for name in given {
        describe(site, repo, &name)?;
        let issue = found_mut(repo, call)?;
        if !issue.labels.iter().any(|other| other.eq_ignore_ascii_case(&name)) {
            issue.labels.push(name);
        }
    }
    shown_labels(site, repo, call)
}

pub(super) fn set_labels(world: &mut World, call: &Call) -> Answer {
    let (_, repo) = world.changed(call)?;
    may_make(repo, call, given_labels(call)?.iter())?;
    found_mut(repo, call)?.labels.clear();
    add_labels(world, call)
}

pub(super) fn clear_labels(world: &mut World, call: &Call) -> Answer {
    let (_, repo) = world.changed(call)?;
    found_mut(repo, call)?.labels.clear();
    Ok(Reply::empty())
}

pub(super) fn remove_label(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    let issue = found_mut(repo, call)?;
    let name = call.param("name");
    let before = issue.labels.len();
    issue.labels.retain(|other| !other.eq_ignore_ascii_case(name));
    if issue.labels.len() == before {
        return Err(Refusal::new(404, "Label does not exist"));
    }
    shown_labels(site, repo, call)
}

pub(super) fn assign(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    let issue = found_mut(repo, call)?;
    // Logins that cannot be assigned are dropped without a word, as on GitHub.
    for login in call.texts("assignees").unwrap_or_default() {
        if site.people.contains_key(&login) && !issue.assignees.contains(&login) {
            issue.assignees.push(login);
        }
    }
    Ok(Reply::created(shape::issue(site, repo, found(repo, call)?)))
}

/// Of what happened to an issue: closing and opening again, becoming a draft and becoming ready.
pub(super) fn events(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let issue = found(repo, call)?;
    Ok(page(site, call, issue.events.iter().collect(), |event| shape::issue_event(site, repo, event)))
}

pub(super) fn comments(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let issue = found(repo, call)?;
    Ok(page(site, call, issue.comments.iter().collect(), |comment| {
        shape::comment(site, repo, issue, comment)
    }))
}

pub(super) fn add_comment(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    let body = call.needed("IssueComment", "body")?;
    at_most("IssueComment", "body", Some(body), BODY_LIMIT)?;
    if body.trim().is_empty() {
        return Err(Refusal::custom("IssueComment", Some("body"), "body can't be blank"));
    }
    let (id, now) = (site.next_id("comment"), site.clock.now());
    let issue = found_mut(repo, call)?;
    let author = call.token.login.clone();
    issue.comments.push(Comment { id, author, body: body.to_owned(), created_at: now, updated_at: now });
    let issue = found(repo, call)?;
    let shown = issue.comments.last().map(|comment| shape::comment(site, repo, issue, comment));
    Ok(Reply::created(shown.unwrap_or_else(|| json!({}))))
}

pub(super) fn edit_comment(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    let id = call.number("comment_id")?;
    let body = call.needed("IssueComment", "body")?.to_owned();
    at_most("IssueComment", "body", Some(&body), BODY_LIMIT)?;
    let now = site.clock.now();
    for issue in &mut repo.issues {
        if let Some(comment) = issue.comments.iter_mut().find(|comment| comment.id == id) {
            comment.body = body;
            comment.updated_at = now;
            let number = issue.number;
            let issue = repo.issue(number).ok_or_else(Refusal::not_found)?;
            let comment = issue.comments.iter().find(|comment| comment.id == id);
            return Ok(Reply::ok(
                comment.map_or(Value::Null, |found| shape::comment(site, repo, issue, found)),
            ));
        }
    }
    Err(Refusal::not_found())
}

pub(super) fn delete_comment(world: &mut World, call: &Call) -> Answer {
    let (_, repo) = world.changed(call)?;
    let id = call.number("comment_id")?;
    for issue in &mut repo.issues {
        if issue.comments.iter().any(|comment| comment.id == id) {
            issue.comments.retain(|comment| comment.id != id);
            return Ok(Reply::empty());
        }
    }
    Err(Refusal::not_found())
}
