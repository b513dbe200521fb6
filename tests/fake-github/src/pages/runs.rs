//! Check runs, commit statuses and workflow runs with their job summaries.

use super::{Scene, escaped, mark, markdown};
use crate::state::{CheckRunState, StatusState, stamp};

/// A check run as a row of a list.
pub(super) fn check_row(scene: &Scene<'_>, check: &CheckRunState) -> String {
    let fact = &check.fact;
    let page = match check.run {
        Some(run) => format!("{}/actions/runs/{run}", scene.root),
        None => format!("{}/runs/{}", scene.root, check.id),
    };
    let title = fact.title.as_deref().or(fact.conclusion.as_deref()).unwrap_or(&fact.status);
    format!(
        "<div class=row>{} <b>{}</b> <span class=meta style=\"margin:0\">{} — {}</span>\
         <span class=r><a href=\"{page}\">Details</a></span></div>",
        mark(&fact.status, fact.conclusion.as_deref()),
        escaped(&fact.name),
        escaped(&fact.app),
        escaped(title),
    )
}

/// A commit status as a row of a list.
pub(super) fn status_row(status: &StatusState) -> String {
    let fact = &status.fact;
    let (state, conclusion) = match fact.state.as_str() {
        "pending" => ("pending", None),
        state => ("completed", Some(state)),
    };
    let link = fact.target_url.as_deref().map(|url| format!("<a href=\"{}\">Details</a>", escaped(url)));
    format!(
        "<div class=row>{} <b>{}</b> <span class=meta style=\"margin:0\">{}</span><span class=r>{}</span></div>",
        mark(state, conclusion),
        escaped(&fact.context),
        escaped(fact.description.as_deref().unwrap_or_default()),
        link.unwrap_or_default(),
    )
}

/// The page of a check run.
pub(super) fn check(scene: &Scene<'_>, id: u64) -> Option<String> {
    let check = scene.repo.check_runs.iter().find(|check| check.id == id)?;
    let fact = &check.fact;
    let text = |part: &Option<String>| part.as_deref().map(|part| markdown::rendered(part, &scene.root));
    let field = |annotation: &serde_json::Value, name: &str| {
        let value = annotation.get(name).cloned().unwrap_or_default();
        escaped(value.as_str().map_or_else(|| value.to_string(), str::to_owned).trim_matches('"'))
    };
    let annotations: String = fact
        .annotations
        .iter()
        .map(|annotation| {
            let (path, line) = (field(annotation, "path"), field(annotation, "start_line"));
            format!(
                "<div class=row><span class={}>{}</span><a class=mono href=\"{}/blob/{}/{path}#L{line}\">{path}:{line}</a><span>{}</span></div>",
                if field(annotation, "annotation_level") == "failure" { "failure" } else { "pending" },
                field(annotation, "annotation_level"),
                scene.root,
                fact.head_sha,
                field(annotation, "message"),
            )
        })
        .collect();
    let annotations = if annotations.is_empty() {
        annotations
    } else {
        format!("<h2>Annotations</h2><div class=box>{annotations}</div>")
    };
    Some(format!(
        "<h1>{} {}</h1><p class=meta>{} · {} · commit <a class=mono href=\"{}/commit/{sha}\">{}</a></p>\
         <div class=box><div class=head><b>{}</b></div><div class=\"body md\">{}{}</div></div>{annotations}",
        mark(&fact.status, fact.conclusion.as_deref()),
        escaped(&fact.name),
        escaped(&fact.app),
        escaped(fact.conclusion.as_deref().unwrap_or(&fact.status)),
        scene.root,
        fact.head_sha.get(..7).unwrap_or_default(),
        escaped(fact.title.as_deref().unwrap_or(&fact.name)),
        text(&fact.summary).unwrap_or_default(),
        text(&fact.text).unwrap_or_default(),
        sha = fact.head_sha,
    ))
}

/// The list of workflow runs, newest first.
pub(super) fn list(scene: &Scene<'_>) -> String {
    let rows: String = scene
        .repo
        .runs
        .iter()
        .rev()
        .map(|run| {
            let fact = &run.fact;
            format!(
                "<div class=row>{} <a href=\"{}/actions/runs/{}\"><b>{} #{}</b></a> <span class=ref>{}</span><span class=r>{}</span></div>",
                mark(&fact.status, fact.conclusion.as_deref()),
                scene.root,
                run.id,
                escaped(&workflow_name(scene, run.workflow)),
                run.number,
                escaped(fact.head_branch.as_deref().unwrap_or("—")),
                stamp(run.created_at),
            )
        })
        .collect();
    format!("<h1>Actions</h1><div class=box>{rows}</div>")
}

fn workflow_name(scene: &Scene<'_>, id: u64) -> String {
    let found = scene.repo.workflows.iter().find(|(other, _)| *other == id);
    found.map(|(_, workflow)| workflow.name.clone()).unwrap_or_default()
}

/// The page of a workflow run: its summary first.
pub(super) fn run(scene: &Scene<'_>, rest: &str) -> Option<String> {
    let id: u64 = rest.split('/').next()?.parse().ok()?;
    let run = scene.repo.runs.iter().find(|run| run.id == id)?;
    let fact = &run.fact;
    let jobs: String = scene
        .repo
        .check_runs
        .iter()
        .filter(|check| check.run == Some(id))
        .map(|check| {
            let state = check.fact.conclusion.as_deref().unwrap_or(&check.fact.status);
            format!(
                "<div class=row>{} {}<span class=r>{}</span></div>",
                mark(&check.fact.status, check.fact.conclusion.as_deref()),
                escaped(&check.fact.name),
                escaped(state)
            )
        })
        .collect();
    let summary = match run.summary.as_deref() {
        Some(text) => format!(
            "<div class=box><div class=head><b>Summary</b></div><div class=\"body md\">{}</div></div>",
            markdown::rendered(text, &scene.root)
        ),
        None => "<p class=meta>No job summary.</p>".to_owned(),
    };
    Some(format!(
        "<h1>{} {} <span class=n>#{}</span></h1><p class=meta>{} · attempt {} · <span class=ref>{}</span> · \
         <a class=mono href=\"{}/commit/{sha}\">{}</a> · {}</p>\
         <div class=cols><div>{summary}</div><aside><h3>Jobs</h3><div class=box>{jobs}</div></aside></div>",
        mark(&fact.status, fact.conclusion.as_deref()),
        escaped(&workflow_name(scene, run.workflow)),
        run.number,
        escaped(&fact.event),
        fact.run_attempt,
        escaped(fact.head_branch.as_deref().unwrap_or("—")),
        scene.root,
        fact.head_sha.get(..7).unwrap_or_default(),
        stamp(run.created_at),
        sha = fact.head_sha,
    ))
}
