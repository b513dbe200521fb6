//! Runs the real binary on a made repository and keeps of its answer what does not vary.

use std::process::Command;

use anyhow::{Context as _, ensure};
use fake_github::Surface;
use fake_github::runner::{Launch, step};
use serde_json::{Map, Value};

use super::Expectations;
use super::case::Case;
use super::history::{Made, TOKEN, made};

/// What of a plan is expected; the rest is the same in every case, or varies.
const KEPT: [&str; 11] = [
    "id",
    "direction",
    "reason",
    "active",
    "proposed",
    "source",
    "passed_over",
    "evidence",
    "changes",
    "drift",
    "policy",
];

/// Runs a case.
pub fn plan_of(case: &Case) -> anyhow::Result<Expectations> {
    let made = made(case)?;
    let workspace = tempfile::tempdir()?;
    let filled: Vec<(&str, String)> = case
        .inputs
        .iter()
        .map(|(name, value)| Ok((name.as_str(), made.normal.filled(value)?)))
        .collect::<anyhow::Result<_>>()?;
    let mut inputs = vec![("token", TOKEN), ("command", "plan")];
    inputs.extend(filled.iter().map(|(name, value)| (*name, value.as_str())));
    let (event, payload) = &made.event;
    let launch =
        Launch { event, payload, workspace: workspace.path(), inputs: &inputs, run_id: made.promoting };
    let step = step(&made.repo, &launch)?;
    made.github.clear_traffic();
    let output = Command::new(env!("CARGO_BIN_EXE_promote"))
        .current_dir(workspace.path())
        .env_clear()
        .envs(step.env.iter().cloned())
        .output()?;
    let (stdout, stderr) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
    wrote_nothing(&made)?;

    let plans = std::fs::read_to_string(workspace.path().join("promote-plan.json")).unwrap_or_default();
    let promotions = step.output("promotions")?.unwrap_or_default();
    let (diff, body) = shown(&stdout);
    let code = output.status.code().context("the run was killed")?;
    let found = [stable(&plans, &promotions)?, diff, body, said(&stdout, &stderr, code)];
    Ok(found.map(|text| made.normal.normal(&text)))
}

fn wrote_nothing(made: &Made) -> anyhow::Result<()> {
    let traffic = made.github.traffic();
    let writes = traffic.iter().filter(|exchange| exchange.surface != Surface::Git && exchange.is_write());
    let writes: Vec<String> =
        writes.map(|exchange| format!("{} {}", exchange.method, exchange.path)).collect();
    ensure!(writes.is_empty(), "a plan wrote to GitHub: {writes:?}");
    let refs = made.repo.refs("refs/heads/promote/")?;
    ensure!(refs.is_empty(), "a plan made the branches {refs:?}");
    ensure!(made.repo.pulls()?.is_empty(), "a plan opened a pull request");
    let unknown = made.github.unknown_routes();
    ensure!(unknown.is_empty(), "the fake does not know {unknown:?}");
    Ok(())
}

/// The plan's stable part, or those of several promotions in a list; nulls are left out.
fn stable(plans: &str, promotions: &str) -> anyhow::Result<String> {
    if promotions.is_empty() {
        return Ok(String::new());
    }
    let plans: Vec<Value> = match serde_json::from_str(plans).context("the plan file")? {
        Value::Array(plans) => plans,
        plan => vec![plan],
    };
    let promotions: Vec<Value> = serde_json::from_str(promotions).context("the output `promotions`")?;
    let mut plans = plans.into_iter();
    let mut kept = Vec::new();
    for promotion in promotions {
        let mut one = Map::new();
        for name in ["app", "target", "outcome"] {
            one.insert(name.to_owned(), promotion[name].clone());
        }
        if promotion["outcome"].is_null() {
            one.insert("error".to_owned(), promotion["error"].clone());
        } else {
            let mut plan = plans.next().context("a plan for each promotion")?;
            for key in KEPT {
                one.insert(key.to_owned(), plan[key].take());
            }
        }
        kept.push(without_nulls(Value::Object(one)));
    }
    let kept = if kept.len() == 1 { kept.remove(0) } else { Value::Array(kept) };
    Ok(format!("{}\n", serde_json::to_string_pretty(&kept)?))
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key, without_nulls(value)))
                .collect(),
        ),
        Value::Array(all) => Value::Array(all.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

/// The diffs and bodies that a plan prints, each between two lines that stop workflow commands.
fn shown(stdout: &str) -> (String, String) {
    let (mut diff, mut body) = (String::new(), String::new());
    let mut block: Option<(String, String)> = None;
    for line in stdout.lines() {
        match &mut block {
            None => {
                block = line
                    .strip_prefix("::stop-commands::")
                    .map(|token| (format!("::{token}::"), String::new()));
            }
            Some((end, text)) if line == end => {
                let into = if text.starts_with("--- ") { &mut diff } else { &mut body };
                *into += text.trim_end();
                if !into.is_empty() {
                    *into += "\n";
                }
                block = None;
            }
            Some((_, text)) => {
                *text += line;
                *text += "\n";
            }
        }
    }
    (diff, body)
}

/// Errors as they are printed, and warnings: as the runner would show them, without what policy says (the
/// plan has that).
fn said(stdout: &str, stderr: &str, code: i32) -> String {
    let mut said = if code == 0 { String::new() } else { format!("exit code {code}\n") };
    let mut in_error = false;
    for line in stderr.lines() {
        in_error =
            line.starts_with("error: ") || in_error && (line.starts_with("hint: ") || line.starts_with(' '));
        if in_error || line.starts_with("hint: ") {
            said += &format!("{line}\n");
        }
    }
    for line in stdout.lines().filter(|line| line.starts_with("::warning ") || line.starts_with("::notice "))
    {
        if !line.contains("title=policy%3A") {
            let text = line.split_once(' ').map_or(line, |(_, text)| text);
            let text = text.split_once("::").map_or(text, |(_, text)| text);
            said += &format!("warning: {}\n", text.replace("%0A", "\n").replace("%25", "%"));
        }
    }
    said
}
