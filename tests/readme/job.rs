//! A job of the README run step by step, as the runner runs it: each action by what it does here, the product as
//! the real binary with a runner's environment, files and event.

use std::path::Path;
use std::process::{Command, Stdio};

use fake_github::runner::{Launch, Step as Files, step};
use serde_json::{Map, Value, json};

use crate::workflow::{Step, Workflow, filled};
use crate::world::{CLIENT_ID, JOB_TOKEN, PRIVATE_KEY, World};

/// What the step `acme/promote` ended with.
pub struct Ended {
    pub succeeded: bool,
    /// What it said on standard output and standard error.
    pub said: String,
    pub outputs: Map<String, Value>,
    pub summary: String,
}

/// Runs the job of a workflow that this event starts; the job's token must be there.
pub fn run(world: &World, workflow: &Workflow, payload: &Value) -> Ended {
    assert!(workflow.starts_on(workflow.event(), payload), "{} is not started", workflow.path);
    let folder = tempfile::tempdir().unwrap();
    let mut context = json!({
        "github": {"token": JOB_TOKEN, "event": payload},
        "vars": {"PROMOTE_CLIENT_ID": CLIENT_ID},
        "secrets": {"PROMOTE_PRIVATE_KEY": PRIVATE_KEY},
        "steps": {},
    });
    let mut ended = None;
    for step in &workflow.job.steps {
        let mut outputs = Map::new();
        match step.action.as_str() {
            "actions/checkout" => checkout(world, step, folder.path()),
            "acme/promote" => {
                let step = promote(world, workflow, step, &context, folder.path());
                outputs.clone_from(&step.outputs);
                ended = Some(step);
            }
            other => panic!("{}: `{other}` is not known here", workflow.path),
        }
        if let Some(id) = &step.id {
            context["steps"][id]["outputs"] = outputs.into();
        }
    }
    ended.expect("no step is acme/promote")
}

/// What actions/checkout leaves: one commit, no tags, and no credentials where it is told so.
fn checkout(world: &World, step: &Step, workspace: &Path) {
    assert_eq!(step.with, [("persist-credentials".to_owned(), "false".to_owned())]);
    let address = world.repo.url();
    let with_token = address.replacen("http://", &format!("http://x-access-token:{JOB_TOKEN}@"), 1);
    git(workspace, &["clone", "--quiet", "--depth", "1", "--no-tags", &with_token, "."]);
    git(workspace, &["remote", "set-url", "origin", &address]);
}

fn promote(world: &World, workflow: &Workflow, step: &Step, context: &Value, workspace: &Path) -> Ended {
    let inputs = inputs(step, context);
    let inputs: Vec<(&str, &str)> =
        inputs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let files = files(world, workflow, context, workspace, &inputs);
    let reference = format!("{}/{}@refs/heads/main", world.repo.full_name(), workflow.path);
    let output = Command::new(env!("CARGO_BIN_EXE_promote"))
        .current_dir(workspace)
        .env_clear()
        .envs(files.env.iter().cloned())
        .envs([("GITHUB_WORKFLOW", workflow.name.as_str()), ("GITHUB_WORKFLOW_REF", &reference)])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    let outputs = files.outputs().unwrap().into_iter().map(|(name, value)| (name, value.into()));
    Ended {
        succeeded: output.status.success(),
        said,
        outputs: outputs.collect(),
        summary: files.summary().unwrap(),
    }
}

fn files(
    world: &World,
    workflow: &Workflow,
    context: &Value,
    workspace: &Path,
    inputs: &[(&str, &str)],
) -> Files {
    let launch = Launch {
        event: workflow.event(),
        payload: &context["github"]["event"],
        workspace,
        inputs,
        run_id: world.started(workflow),
    };
    step(&world.repo, &launch).unwrap()
}

/// The inputs of the step: what `with` says, else the default of `action.yml`, else nothing.
fn inputs(step: &Step, context: &Value) -> Vec<(String, String)> {
    let action = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml")).unwrap();
    let action: Value = serde_yaml::from_str(&action).unwrap();
    let declared = action["inputs"].as_object().unwrap();
    for (name, _) in &step.with {
        assert!(declared.contains_key(name), "action.yml has no input `{name}`");
    }
    let value = |name: &String, input: &Value| {
        let with = step.with.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let value = with.or_else(|| input["default"].as_str()).unwrap_or_default();
        (name.clone(), filled(value, context))
    };
    declared.iter().map(|(name, input)| value(name, input)).collect()
}

fn git(folder: &Path, arguments: &[&str]) {
    let status =
        Command::new("git").args(arguments).current_dir(folder).stdin(Stdio::null()).status().unwrap();
    assert!(status.success(), "git {}", arguments[0]);
}
