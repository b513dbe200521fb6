//! Check runs and check suites.

use jiff::Timestamp;
use serde_json::Value;

use super::{Answer, Call, Refusal, Reply, at_most, page, wrapped};
use crate::facts::CheckRun;
use crate::shape;
use crate::state::{CheckRunState, CheckSuite, RepoState, Site, World};
use crate::token::TokenKind;

/// Characters that a check run's summary and text may have.
const OUTPUT_LIMIT: usize = 65_535;
/// Annotations that one request may carry.
const ANNOTATIONS: usize = 50;

/// The suite of an app on a commit, making it when it is new.
pub(crate) fn suite_for(site: &mut Site, repo: &mut RepoState, app: &str, sha: &str, fresh: Fresh) -> u64 {
    let known = repo.suites_of(sha).find(|(_, suite)| suite.app == app);
    if let (Fresh::No, Some((_, suite))) = (&fresh, known) {
        return suite.id;
    }
    site.app_id(app);
    let head_branch = match fresh {
        Fresh::For(branch) => branch,
        Fresh::No => {
            let at = |(_, oid): &(String, git2::Oid)| oid.to_string() == sha;
            let found = repo.store.refs("refs/heads/").into_iter().find(at);
            found.map(|(name, _)| name.trim_start_matches("refs/heads/").to_owned())
        }
    };
    let (id, created_at) = (site.next_id("check-suite"), site.clock.now());
    let (app, head_sha) = (app.to_owned(), sha.to_owned());
    repo.add_suite(CheckSuite { id, app, head_sha, head_branch, created_at, checks: Vec::new() });
    id
}

/// Whether a suite is shared: every workflow run has one of its own, other apps one per commit.
pub(crate) enum Fresh {
    No,
    For(Option<String>),
}

/// Adds a check run in its app's suite.
pub(crate) fn add(site: &mut Site, repo: &mut RepoState, fact: CheckRun) -> u64 {
    let suite = suite_for(site, repo, &fact.app, &fact.head_sha, Fresh::No);
    let (id, created_at) = (site.next_id("check-run"), site.clock.now());
    repo.add_check(CheckRunState { id, suite, created_at, fact, run: None });
    id
}

fn time(call: &Call, name: &str) -> Result<Option<Timestamp>, Refusal> {
    match call.text(name) {
        None => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| Refusal::invalid("CheckRun", name, "invalid")),
    }
}

/// Writes what a body says into a check run.
fn write(call: &Call, fact: &mut CheckRun, now: Timestamp) -> Result<(), Refusal> {
    let output = call.body.get("output").filter(|output| !output.is_null());
    if let Some(output) = output {
        let text = |name: &str| output.get(name).and_then(Value::as_str);
        for name in ["title", "summary"] {
            if text(name).is_none() {
                return Err(Refusal::unprocessable(format!(
                    "Invalid request.\n\nNo subschema in \"anyOf\" matched.\n\"{name}\" wasn't supplied."
                )));
            }
        }
        at_most("CheckRun", "summary", text("summary"), OUTPUT_LIMIT)?;
        at_most("CheckRun", "text", text("text"), OUTPUT_LIMIT)?;
        at_most("CheckRun", "title", text("title"), 255)?;
        let annotations = output.get("annotations").and_then(Value::as_array).cloned().unwrap_or_default();
        check_annotations(&annotations)?;
        fact.title = text("title").map(str::to_owned);
        fact.summary = text("summary").map(str::to_owned);
        fact.text = text("text").map(str::to_owned);
        fact.annotations.extend(annotations);
    }
    let actions = call.body.get("actions").and_then(Value::as_array).cloned().unwrap_or_default();
    if actions.len() > 3 {
        return Err(Refusal::invalid("CheckRun", "actions", "invalid"));
    }
    fact.actions = actions;
    for (field, into) in [("external_id", &mut fact.external_id), ("details_url", &mut fact.details_url)] {
        if let Some(text) = call.text(field) {
            *into = Some(text.to_owned());
        }
    }
    if let Some(started) = time(call, "started_at")? {
        fact.started_at = Some(started);
    }
    if let Some(name) = call.text("name") {
        name.clone_into(&mut fact.name);
    }
    write_state(call, fact, now)
}

fn check_annotations(annotations: &[Value]) -> Result<(), Refusal> {
    if annotations.len() > ANNOTATIONS {
        return Err(Refusal::unprocessable(format!(
            "Invalid request.\n\nNo more than {ANNOTATIONS} items are allowed; {} were supplied.",
            annotations.len()
        )));
    }
    for annotation in annotations {
        let text = |name: &str| annotation.get(name).is_some_and(Value::is_string);
        let number = |name: &str| annotation.get(name).is_some_and(Value::is_u64);
        let level = annotation.get("annotation_level").and_then(Value::as_str);
        let level = matches!(level, Some("notice" | "warning" | "failure"));
        if !(text("path") && text("message") && number("start_line") && number("end_line") && level) {
            return Err(Refusal::unprocessable(
                "Invalid request.\n\nFor 'items', an annotation is malformed.",
            ));
        }
    }
    Ok(())
}

fn write_state(call: &Call, fact: &mut CheckRun, now: Timestamp) -> Result<(), Refusal> {
    if let Some(status) = call.text("status") {
        if !["queued", "in_progress", "completed", "waiting", "requested", "pending"].contains(&status) {
            return Err(Refusal::invalid("CheckRun", "status", "invalid"));
        }
        status.clone_into(&mut fact.status);
    }
    if let Some(conclusion) = call.text("conclusion") {
        let known = ["action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out"];
        if !known.contains(&conclusion) {
            return Err(Refusal::invalid("CheckRun", "conclusion", "invalid"));
        }
        fact.conclusion = Some(conclusion.to_owned());
        "completed".clone_into(&mut fact.status);
        fact.completed_at = Some(time(call, "completed_at")?.unwrap_or(now));
    }
    if fact.status == "completed" && fact.conclusion.is_none() {
        return Err(Refusal::unprocessable("Invalid request.\n\n\"conclusion\" wasn't supplied."));
    }
    Ok(())
}

/// The app of a token; people have none.
fn app_of(call: &Call) -> Result<String, Refusal> {
    match (call.token.kind, call.token.app_slug()) {
        (TokenKind::User, _) | (_, None) => Err(Refusal::new(403, "You must authenticate via a GitHub App.")),
        (_, Some(slug)) => Ok(slug.to_owned()),
    }
}

pub(super) fn create(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    let app = app_of(call)?;
    let (name, sha) = (call.needed("CheckRun", "name")?, call.needed("CheckRun", "head_sha")?);
    if repo.store.commit(sha).is_none() {
        return Err(Refusal::unprocessable(format!("No commit found for SHA: {sha}")));
    }
    let mut fact = CheckRun::new(name, sha).app(app).unfinished("queued");
    write(call, &mut fact, site.clock.now())?;
    let id = add(site, repo, fact);
    let check = one(repo, id)?;
    Ok(Reply::created(shape::check_run(site, repo, check)))
}

fn one(repo: &RepoState, id: u64) -> Result<&CheckRunState, Refusal> {
    repo.check_runs.iter().find(|check| check.id == id).ok_or_else(Refusal::not_found)
}

pub(super) fn get(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    Ok(Reply::ok(shape::check_run(site, repo, one(repo, call.number("check_run_id")?)?)))
}

pub(super) fn update(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    let app = app_of(call)?;
    let id = call.number("check_run_id")?;
    let now = site.clock.now();
    let mut fact = one(repo, id)?.fact.clone();
    if fact.app != app {
        return Err(Refusal::new(
            403,
            "Invalid app_id `".to_owned()
                + &app
                + "` - check run can only be modified by the GitHub App that created it.",
        ));
    }
    write(call, &mut fact, now)?;
    if let Some(check) = repo.check_runs.iter_mut().find(|check| check.id == id) {
        check.fact = fact;
    }
    Ok(Reply::ok(shape::check_run(site, repo, one(repo, id)?)))
}

pub(super) fn annotations(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let check = one(repo, call.number("check_run_id")?)?;
    Ok(page(site, call, shape::annotations(site, repo, check), |annotation| annotation))
}

fn commit_of(repo: &RepoState, call: &Call) -> Result<String, Refusal> {
    let reference = call.param("ref");
    let commit = repo.store.resolve(reference);
    let commit =
        commit.ok_or_else(|| Refusal::unprocessable(format!("No commit found for SHA: {reference}")))?;
    Ok(commit.id().to_string())
}

pub(super) fn of_commit(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let sha = commit_of(repo, call)?;
    let app_id = call.query("app_id").and_then(|text| text.parse::<u64>().ok());
    let mut found: Vec<&CheckRunState> = repo
        .check_runs
        .iter()
        .filter(|check| check.fact.head_sha == sha)
        .filter(|check| call.query("check_name").is_none_or(|name| check.fact.name == name))
        .filter(|check| call.query("status").is_none_or(|status| check.fact.status == status))
        .filter(|check| app_id.is_none_or(|id| site.apps.get(&check.fact.app) == Some(&id)))
        .collect();
    found.reverse();
    if call.query("filter").unwrap_or("latest") == "latest" {
        // The latest of each name within a suite.
        let mut seen = std::collections::BTreeSet::new();
        found.retain(|check| seen.insert((check.suite, check.fact.name.clone())));
    }
    Ok(wrapped(site, call, "check_runs", found, |check| shape::check_run(site, repo, check)))
}

pub(super) fn suites(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let sha = commit_of(repo, call)?;
    let app_id = call.query("app_id").and_then(|text| text.parse::<u64>().ok());
    let name = call.query("check_name");
    let found: Vec<&CheckSuite> = repo
        .check_suites
        .iter()
        .filter(|suite| suite.head_sha == sha)
        .filter(|suite| app_id.is_none_or(|id| site.apps.get(&suite.app) == Some(&id)))
        .filter(|suite| {
            let runs =
                |check: &CheckRunState| check.suite == suite.id && Some(check.fact.name.as_str()) == name;
            name.is_none() || repo.check_runs.iter().any(runs)
        })
        .collect();
    Ok(wrapped(site, call, "check_suites", found, |suite| shape::check_suite(site, repo, suite)))
}
