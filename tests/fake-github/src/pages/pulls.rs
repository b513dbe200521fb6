//! Pull requests as a reviewer sees them.

use super::{Scene, code, diff, escaped, markdown, runs};
use crate::state::{Issue, Pull, stamp};

fn badge(issue: &Issue) -> (&'static str, &'static str) {
    match &issue.pull {
        Some(pull) if pull.merged_at.is_some() => ("merged", "Merged"),
        _ if issue.state.word() == "closed" => ("closed", "Closed"),
        Some(pull) if pull.draft => ("draft", "Draft"),
        _ => ("open", "Open"),
    }
}

/// The list of pull requests, newest first.
pub(super) fn list(scene: &Scene<'_>) -> String {
    let rows: String = scene
        .repo
        .issues
        .iter()
        .rev()
        .map(|issue| {
            let (class, word) = badge(issue);
            format!(
                "<div class=row><span class=\"badge {class}\">{word}</span><a href=\"{}/pull/{n}\"><b>{}</b></a>{}\
                 <span class=r>#{n} by {}</span></div>",
                scene.root,
                escaped(&issue.title),
                labels(scene, issue),
                escaped(&issue.author),
                n = issue.number,
            )
        })
        .collect();
    format!("<h1>Pull requests</h1><div class=box>{rows}</div>")
}

fn labels(scene: &Scene<'_>, issue: &Issue) -> String {
    let one = |name: &String| {
        let known = scene.repo.labels.iter().find(|label| label.name.eq_ignore_ascii_case(name));
        let color = known.map_or("ededed", |label| label.color.as_str());
        format!("<span class=label style=\"background:#{}\">{}</span>", escaped(color), escaped(name))
    };
    issue.labels.iter().map(one).collect()
}

/// The page of a pull request: the conversation, or its files.
pub(super) fn one(scene: &Scene<'_>, rest: &str, tab: Option<&str>) -> Option<String> {
    let (number, below) = rest.split_once('/').unwrap_or((rest, ""));
    let issue = scene.repo.issue(number.parse().ok()?)?;
    let pull = issue.pull.as_ref()?;
    let store = &scene.repo.store;
    let files = store.changes_since_fork(&pull.base_sha, &pull.head_sha).unwrap_or_default();
    let commits = crate::store::full(&pull.head_sha)
        .and_then(|head| store.between(crate::store::full(&pull.base_sha), head).ok())
        .unwrap_or_default();
    let tab = match (tab, below) {
        (Some("files"), _) | (_, "files") => "files",
        (Some("commits"), _) | (_, "commits") => "commits",
        _ => "",
    };
    let body = match tab {
        "files" => diff::shown(&files, &format!("{}/blob/{}", scene.root, pull.head_sha)),
        "commits" => code::commit_rows(scene, &commits),
        _ => conversation(scene, issue, pull, &commits),
    };
    let (class, word) = badge(issue);
    let here = format!("{}/pull/{}", scene.root, issue.number);
    let link = |name: &str, title: &str, count: usize| {
        let on = if tab == name { " class=on" } else { "" };
        let address = if name.is_empty() { here.clone() } else { format!("{here}/{name}") };
        format!("<a{on} href=\"{address}\">{title}<span class=c>{count}</span></a>")
    };
    Some(format!(
        "<h1>{} <span class=n>#{}</span></h1><p class=meta><span class=\"badge {class}\">{word}</span><b>{}</b> wants to merge \
         {} commit{} into <span class=ref>{}</span> from <span class=ref>{}</span></p><div class=tabs>{}{}{}</div>{body}",
        escaped(&issue.title),
        issue.number,
        escaped(&issue.author),
        commits.len(),
        if commits.len() == 1 { "" } else { "s" },
        escaped(&pull.base_ref),
        escaped(&pull.head_ref),
        link("", "Conversation", issue.comments.len()),
        link("commits", "Commits", commits.len()),
        link("files", "Files changed", files.len()),
    ))
}

fn comment_box(scene: &Scene<'_>, author: &str, at: &str, markdown_text: &str) -> String {
    let body = if markdown_text.trim().is_empty() {
        "<i class=neutral>No description provided.</i>".to_owned()
    } else {
        markdown::rendered(markdown_text, &scene.root)
    };
    format!(
        "<div class=box><div class=head><b>{}</b> commented {at}</div><div class=\"body md\">{body}</div></div>",
        escaped(author)
    )
}

fn conversation(scene: &Scene<'_>, issue: &Issue, pull: &Pull, commits: &[git2::Oid]) -> String {
    let body = issue.body.as_deref().unwrap_or_default();
    let mut out = comment_box(scene, &issue.author, &stamp(issue.created_at), body);
    for comment in &issue.comments {
        out.push_str(&comment_box(scene, &comment.author, &stamp(comment.created_at), &comment.body));
    }
    out.push_str(&code::commit_rows(scene, commits));
    for review in &pull.reviews {
        let words = review.state.to_lowercase().replace('_', " ");
        out.push_str(&format!(
            "<div class=box><div class=head><b>{}</b> {words} at {}</div></div>",
            escaped(&review.author),
            stamp(review.submitted_at)
        ));
    }
    let checks: String = scene
        .repo
        .check_runs
        .iter()
        .filter(|check| check.fact.head_sha == pull.head_sha)
        .map(|check| runs::check_row(scene, check))
        .chain(
            scene
                .repo
                .statuses
                .iter()
                .filter(|status| status.fact.sha == pull.head_sha)
                .map(runs::status_row),
        )
        .collect();
    if !checks.is_empty() {
        out.push_str(&format!("<div class=box><div class=head><b>Checks</b></div>{checks}</div>"));
    }
    let (_, state) = crate::shape::mergeable(scene.repo, issue, pull);
    let auto = if pull.auto_merge.is_some() { " · auto-merge enabled" } else { "" };
    out.push_str(&format!("<div class=box><div class=body>Merge state: <b>{state}</b>{auto}</div></div>"));
    let people = |list: &[String]| -> String {
        let names: String = list.iter().map(|login| format!("<div>{}</div>", escaped(login))).collect();
        if names.is_empty() { "<span class=neutral>None yet</span>".to_owned() } else { names }
    };
    let reviewers: Vec<String> = pull.reviewers.iter().chain(&pull.teams).cloned().collect();
    format!(
        "<div class=cols><div>{out}</div><aside><section><h3>Reviewers</h3>{}</section><section><h3>Assignees</h3>{}</section>\
         <section><h3>Labels</h3>{}</section></aside></div>",
        people(&reviewers),
        people(&issue.assignees),
        labels(scene, issue),
    )
}
