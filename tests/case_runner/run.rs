//! Runs the real binary on a made repository and keeps of its answer what does not vary.

use std::process::Command;

use anyhow::{Context as _, ensure};
use fake_github::Surface;
use fake_github::runner::{Launch, step};
use serde_json::{Map, Value};

use super::Expectations;
use super::case::{Case, Expect};
use super::history::{Made, Manner, TOKEN, made};

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

/// What a run left.
struct Ran {
    made: Made,
    /// The plan file.
    plans: String,
    /// The output `promotions`.
    promotions: String,
    stdout: String,
    stderr: String,
    code: i32,
}

/// Runs a case and writes down its plan.
pub fn plan_of(case: &Case) -> anyhow::Result<Expectations> {
    let ran = ran(case, Manner::Usual)?;
    let (diff, body) = shown(&ran.stdout);
    let said = said(&ran.stdout, &ran.stderr, ran.code);
    let found = [stable(&ran.plans, &ran.promotions)?, diff, body, said];
    Ok(found.map(|text| ran.made.normal.normal(&text)))
}

/// Runs a case and says what was chosen, and why nothing newer.
pub fn choice_of(case: &Case, manner: Manner) -> anyhow::Result<Expect> {
    let ran = ran(case, manner)?;
    let plans: Vec<Value> = match serde_json::from_str(&ran.plans).unwrap_or(Value::Array(Vec::new())) {
        Value::Array(plans) => plans,
        plan => vec![plan],
    };
    let normal = |text: &str| ran.made.normal.normal(text);
    let mut expect = Expect::default();
    let several = plans.len() > 1;
    let mut chosen = Vec::new();
    for plan in &plans {
        let of = if several { format!("{}: ", text(&plan["app"]["name"])) } else { String::new() };
        let to =
            if several { format!(" to {}", text(&plan["target"]["environment"])) } else { String::new() };
        let tag = plan["proposed"]["tag"].as_str().unwrap_or("nothing");
        chosen.push(format!("{of}{tag}{to}"));
        let ledger = &plan["ledger"];
        for entry in each(&ledger["entries"]).filter(|entry| entry["standing"] != "successful") {
            let reasons: Vec<&str> = each(&entry["reasons"]).map(|reason| text(&reason["text"])).collect();
            let line =
                format!("{of}{} ({}): {}", text(&entry["tag"]), text(&entry["standing"]), reasons.join("; "));
            expect.passed_over.push(normal(&line));
        }
        if ledger["unlisted"] != 0 {
            expect.passed_over.push(format!("{of}{} more", ledger["unlisted"]));
        }
        let evidence = each(&plan["evidence"]).map(|one| {
            let on = normal(text(&one["commit"]));
            let at = normal(one["completed_at"].as_str().unwrap_or("-"));
            format!("{of}{} {} on {on}, {at}", text(&one["kind"]), text(&one["name"]))
        });
        expect.evidence.extend(evidence);
        let ended = text(&ledger["ended"]);
        if ended != "found" {
            let before = expect.ended.take().map_or_else(String::new, |before| format!("{before}, "));
            expect.ended = Some(format!("{before}{of}{ended}"));
        }
        let (proposed, source) = (&plan["proposed"]["commit"], &plan["source"]["commit"]);
        if proposed.is_string() && proposed != source {
            expect.carried_by = Some(normal(text(source)));
        }
    }
    expect.chosen = (!chosen.is_empty()).then(|| chosen.join(", "));
    let said = said(&ran.stdout, &ran.stderr, ran.code);
    let lines = said.lines().filter(|line| !line.starts_with("hint: ") && !line.starts_with(' '));
    expect.said = lines.map(normal).collect();
    Ok(expect)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn each(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn ran(case: &Case, manner: Manner) -> anyhow::Result<Ran> {
    let made = made(case, manner)?;
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
    let code = output.status.code().context("the run was killed")?;
    Ok(Ran { made, plans, promotions, stdout, stderr, code })
}

fn wrote_nothing(made: &Made) -> anyhow::Result<()> {
    let traffic = made.github.traffic();
    let writes = traffic.iter().filter(|exchange| exchange.surface == Surface::Rest && exchange.is_write());
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
