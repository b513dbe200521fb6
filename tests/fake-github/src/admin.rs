//! The admin API: the driving methods as JSON, for clients in other languages.
//!
//! It takes the same values as the Rust side (`facts.rs`), with kebab-case keys, and needs no token. README.md lists
//! the routes. Nothing here is recorded as traffic.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use anyhow::{Context as _, bail};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::app::register;
use crate::driver::{add_token, create_repo, inject, unknown_routes};
use crate::repo::Repo;
use crate::rest::{Refusal, Reply};
use crate::server::{Incoming, Shared, locked};
use crate::state::{Person, RepoSettings};

/// Answers `/_fake/…`.
pub(crate) fn answer(shared: &std::sync::Arc<Shared>, request: &Incoming) -> Reply {
    let path = crate::rest::operations::decoded(&request.path);
    let parts: Vec<&str> = path.trim_matches('/').split('/').skip(1).collect();
    let body = if request.body.is_empty() {
        Ok(json!({}))
    } else {
        serde_json::from_slice(&request.body).context("the body is no JSON")
    };
    let done = body.and_then(|body| match parts.as_slice() {
        ["repos", owner, name, rest @ ..] if !rest.is_empty() => {
            let full_name = format!("{owner}/{name}");
            if locked(&shared.world).repo(&full_name).is_none() {
                bail!("no repository `{full_name}`");
            }
            in_repo(&Repo::new(shared.clone(), &full_name), &request.method, rest, body)
        }
        _ => on_site(shared, &request.method, &parts, body),
    });
    match done {
        Ok(value) => Reply::ok(value),
        Err(error) => Refusal::new(422, format!("{error:#}")).into_reply(),
    }
}

fn read<T: DeserializeOwned>(body: Value) -> anyhow::Result<T> {
    Ok(serde_json::from_value(body)?)
}

fn text<'a>(body: &'a Value, name: &str) -> anyhow::Result<&'a str> {
    body.get(name).and_then(Value::as_str).with_context(|| format!("`{name}` is missing"))
}

fn on_site(
    shared: &std::sync::Arc<Shared>,
    method: &str,
    parts: &[&str],
    mut body: Value,
) -> anyhow::Result<Value> {
    match (method, parts) {
        ("POST", ["repos"]) => {
            let name = text(&body, "name")?.to_owned();
            let settings: RepoSettings = match body.get_mut("settings") {
                Some(settings) => read(settings.take())?,
                None => RepoSettings::default(),
            };
            create_repo(shared, &name, settings)?;
            Ok(json!({ "url": format!("{}/{name}", shared.base) }))
        }
        ("POST", ["tokens"]) => {
            add_token(shared, read(body)?);
            Ok(json!({}))
        }
        ("POST", ["apps"]) => {
            let id = register(&mut locked(&shared.world).site, read(body)?)?;
            Ok(json!({ "id": id }))
        }
        ("POST", ["people"]) => {
            let login = text(&body, "login")?;
            let name = body.get("name").and_then(Value::as_str).map(str::to_owned);
            let email = body.get("email").and_then(Value::as_str).map(str::to_owned);
            let email = email.unwrap_or_else(|| format!("{login}@users.noreply.github.com"));
            locked(&shared.world).site.people.insert(login.to_owned(), Person { name, email });
            Ok(json!({}))
        }
        ("POST", ["faults"]) => {
            inject(shared, read(body)?)?;
            Ok(json!({}))
        }
        ("DELETE", ["faults"]) => {
            locked(&shared.faults).clear();
            Ok(json!({}))
        }
        ("GET", ["held"]) => Ok(json!({ "requests": shared.held.load(Ordering::Relaxed) })),
        ("GET", ["traffic"]) => Ok(serde_json::to_value(shared.recorder.all())?),
        ("DELETE", ["traffic"]) => {
            shared.recorder.clear();
            Ok(json!({}))
        }
        ("GET", ["unknown-routes"]) => Ok(json!(unknown_routes(shared))),
        ("PUT", ["clock"]) => {
            let mut world = locked(&shared.world);
            if let Some(now) = body.get("now").and_then(Value::as_str) {
                world.site.clock.fix(now.parse()?);
            }
            if let Some(seconds) = body.get("advance-seconds").and_then(Value::as_i64) {
                world.site.clock.advance(jiff::SignedDuration::from_secs(seconds));
            }
            Ok(json!({ "now": crate::state::stamp(world.site.clock.now()) }))
        }
        ("PUT", ["rate-limit"]) => {
            let mut world = locked(&shared.world);
            if let Some(remaining) = body.get("remaining").and_then(Value::as_u64) {
                world.site.limits.remaining = remaining;
            }
            if let Some(reset) = body.get("reset").and_then(Value::as_str) {
                world.site.limits.reset = reset.parse()?;
            }
            Ok(json!({}))
        }
        ("PUT", ["page-cap"]) => {
            let cap = body.get("entries").and_then(Value::as_u64);
            locked(&shared.world).site.page_cap = cap.and_then(|cap| usize::try_from(cap).ok());
            Ok(json!({}))
        }
        _ => bail!("no such admin route"),
    }
}

fn in_repo(repo: &Repo, method: &str, parts: &[&str], body: Value) -> anyhow::Result<Value> {
    let word = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let id = |id: u64| json!({ "id": id });
    match (method, parts) {
        ("POST", ["commits"]) => Ok(json!({ "sha": repo.commit(&read(body)?)? })),
        ("POST", ["tags"]) => {
            let (name, target) = (text(&body, "name")?, text(&body, "target")?);
            let reason = body.get("verification").and_then(Value::as_str);
            let reason = reason.map(crate::tags::reason).transpose()?;
            match body.get("message").and_then(Value::as_str) {
                None if reason.is_some() => {
                    bail!("`verification` needs a `message`: only then is it annotated")
                }
                None => repo.tag(name, target)?,
                Some(message) => {
                    let tagger = body.get("tagger").and_then(Value::as_str).unwrap_or("alice");
                    repo.annotated_tag(name, target, message, tagger, None)?;
                    if let Some(reason) = reason {
                        repo.verify_tag(name, reason)?;
                    }
                }
            }
            Ok(json!({ "sha": repo.resolve(&format!("refs/tags/{name}"))? }))
        }
        ("PUT", ["refs"]) => {
            repo.set_ref(text(&body, "ref")?, text(&body, "target")?)?;
            Ok(json!({}))
        }
        ("DELETE", ["refs"]) => {
            repo.delete_ref(text(&body, "ref")?)?;
            Ok(json!({}))
        }
        ("PATCH", ["settings"]) => settings(repo, body),
        ("PUT", ["roles", login]) => {
            repo.set_role(login, text(&body, "role")?)?;
            Ok(json!({}))
        }
        ("POST", ["workflows"]) => Ok(id(repo.add_workflow(read(body)?)?)),
        ("POST", ["runs"]) => Ok(id(repo.add_workflow_run(read(body)?)?)),
        ("PATCH", ["runs", run]) => {
            let conclusion = body.get("conclusion").and_then(Value::as_str);
            repo.set_run(run.parse()?, text(&body, "status")?, conclusion)?;
            Ok(json!({}))
        }
        ("POST", ["runs", run, "summary"]) => {
            repo.set_job_summary(run.parse()?, text(&body, "markdown")?)?;
            Ok(json!({}))
        }
        ("POST", ["check-runs"]) => Ok(id(repo.add_check_run(read(body)?)?)),
        ("POST", ["statuses"]) => Ok(id(repo.add_status(read(body)?)?)),
        ("POST", ["deployments"]) => Ok(id(repo.add_deployment(read(body)?)?)),
        ("POST", ["deployments", deployment, "statuses"]) => {
            Ok(id(repo.add_deployment_status(deployment.parse()?, read(body)?)?))
        }
        ("POST", ["releases"]) => Ok(id(repo.add_release(read(body)?)?)),
        ("POST", ["pulls"]) => {
            let base = body.get("base").and_then(Value::as_str).unwrap_or("main");
            let author = body.get("author").and_then(Value::as_str).unwrap_or("alice");
            let number =
                repo.open_pull(author, text(&body, "head")?, base, text(&body, "title")?, &word("body"))?;
            Ok(json!({ "number": number }))
        }
        ("GET", ["pulls", number]) => repo.pull_json(number.parse()?),
        ("POST", ["pulls", number, act]) => on_pull(repo, number.parse()?, act, &body),
        ("POST", ["events", name]) => event(repo, name, &body),
        _ => bail!("no such admin route"),
    }
}

/// Changes the settings that the body names.
fn settings(repo: &Repo, body: Value) -> anyhow::Result<Value> {
    let changes: BTreeMap<String, Value> = read(body)?;
    let mut all = repo.with(|_, repo| Ok(serde_json::to_value(&repo.settings)?))?;
    if let Some(all) = all.as_object_mut() {
        all.extend(changes);
    }
    let wanted: RepoSettings = read(all.clone())?;
    repo.set(|settings| *settings = wanted)?;
    Ok(all)
}

fn on_pull(repo: &Repo, number: u64, act: &str, body: &Value) -> anyhow::Result<Value> {
    let word = |name: &str, default: &'static str| {
        body.get(name).and_then(Value::as_str).unwrap_or(default).to_owned()
    };
    let actor = word("actor", "alice");
    match act {
        "approve" => repo.approve(number, &actor).map(|id| json!({ "id": id })),
        "review" => repo
            .review(number, &actor, &word("state", "COMMENTED"), &word("body", ""))
            .map(|id| json!({ "id": id })),
        "close" => repo.close(number, &actor).map(|()| json!({})),
        "reopen" => repo.reopen(number, &actor).map(|()| json!({})),
        "merge" => repo.merge(number, &actor, &word("method", "merge")).map(|sha| json!({ "sha": sha })),
        "update-branch" => repo.update_branch(number, &actor).map(|sha| json!({ "sha": sha })),
        "comment" => repo.comment(number, &actor, &word("body", "")).map(|id| json!({ "id": id })),
        "label" => repo.label(number, text(body, "name")?).map(|()| json!({})),
        "edit" => repo.edit(number, text(body, "title")?, &word("body", "")).map(|()| json!({})),
        "ready" => repo.mark_ready(number, &actor).map(|()| json!({})),
        "draft" => repo.mark_draft(number, &actor).map(|()| json!({})),
        "auto-merge" => repo.enable_auto_merge(number, &actor, &word("method", "merge")).map(|()| json!({})),
        _ => bail!("no such admin route"),
    }
}

fn event(repo: &Repo, name: &str, body: &Value) -> anyhow::Result<Value> {
    let number =
        |name: &str| body.get(name).and_then(Value::as_u64).with_context(|| format!("`{name}` is missing"));
    match name {
        "workflow_run" => repo.event_workflow_run(number("run")?),
        "workflow_dispatch" => repo.event_workflow_dispatch(body.get("inputs").unwrap_or(&Value::Null)),
        "push" => match body.get("tag").and_then(Value::as_str) {
            Some(tag) => repo.event_push_tag(tag),
            None => repo.event_push_branch(text(body, "branch")?, text(body, "before")?),
        },
        "create" => repo.event_create_tag(text(body, "tag")?),
        "release" => repo.event_release(text(body, "tag")?),
        "schedule" => repo.event_schedule(text(body, "cron")?),
        "repository_dispatch" => {
            repo.event_repository_dispatch(text(body, "type")?, body.get("payload").unwrap_or(&Value::Null))
        }
        "deployment_status" => repo.event_deployment_status(number("deployment")?),
        "pull_request" => repo.event_pull_request(number("number")?, text(body, "action")?),
        _ => bail!("no such event"),
    }
}
