//! What the Actions runner gives a step, and what the step leaves behind.
//!
//! Names and rules are those of actions/runner (2.336.0): inputs as `INPUT_…` with spaces to `_` and dashes kept, file
//! commands as files, the event as a file. [`step`] lays a step out, [`Container`] starts an image for it, [`Running`]
//! waits for its end and reads back what the runner reads back.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;

use crate::repo::Repo;
use crate::traffic::Origin;

mod action;
mod commands;
mod container;
mod ended;
mod files;
mod paths;

pub use action::Action;
pub use commands::{Annotation, Said};
pub use container::{Container, Engine, Root};
pub use ended::{Ended, Running};
pub use files::{Left, file_command};
pub use paths::Paths;

/// The folders that the runner keeps in `_temp`, beside what steps put there.
const HOME: &str = "_github_home";
const WORKFLOW: &str = "_github_workflow";
const FILE_COMMANDS: &str = "_runner_file_commands";
const TEMP: &str = "_temp";

/// The folders and files of one step.
#[derive(Debug)]
pub struct Step {
    /// The environment to start the program with, and nothing else of the caller's.
    pub env: Vec<(String, String)>,
    folder: tempfile::TempDir,
}

/// What a step is started with.
#[derive(Clone, Debug)]
pub struct Launch<'a> {
    /// The event's name, `workflow_run`.
    pub event: &'a str,
    /// The event's payload.
    pub payload: &'a Value,
    /// `GITHUB_WORKSPACE`.
    pub workspace: &'a Path,
    /// The action's inputs, by the names of `action.yml`; the token is one of them.
    pub inputs: &'a [(&'a str, &'a str)],
    /// The workflow run that this step is part of.
    pub run_id: u64,
}

/// `INPUT_` and the name: spaces to `_`, upper case, dashes kept.
#[must_use]
pub fn input_name(name: &str) -> String {
    format!("INPUT_{}", name.replace(' ', "_").to_uppercase())
}

/// Lays out files and environment as the runner does; the workflow is `.github/workflows/promote.yml` on the default
/// branch.
pub fn step(repo: &Repo, launch: &Launch<'_>) -> anyhow::Result<Step> {
    repo.record_event(Origin::Delivered, launch.event, launch.payload);
    let folder = tempfile::Builder::new().prefix("runner-").tempdir()?;
    let root = folder.path();
    let temp = root.join(TEMP);
    for name in [HOME, WORKFLOW, FILE_COMMANDS] {
        std::fs::create_dir_all(temp.join(name))?;
    }
    std::fs::create_dir(root.join("_tool"))?;
    let event = temp.join(WORKFLOW).join("event.json");
    std::fs::write(&event, serde_json::to_vec_pretty(launch.payload)?)?;
    let command = |name: &str| -> anyhow::Result<String> {
        let path = temp.join(FILE_COMMANDS).join(format!("{name}_6f0a"));
        std::fs::write(&path, "")?;
        Ok(path.display().to_string())
    };
    let (full_ref, sha) = position(repo, launch)?;
    let full_name = repo.full_name();
    let (owner, _) = full_name.split_once('/').context("owner/name")?;
    let short = full_ref.trim_start_matches("refs/heads/").trim_start_matches("refs/tags/");
    let default = repo.with(|_, repo| Ok(repo.default_branch.clone()))?;
    let workflow_ref = format!("{full_name}/.github/workflows/promote.yml@refs/heads/{default}");
    let server = repo.server_url();
    let actor = launch.payload.pointer("/sender/login").and_then(Value::as_str).unwrap_or("alice");
    let kind = if full_ref.starts_with("refs/tags/") { "tag" } else { "branch" };
    let mut env: Vec<(String, String)> = [
        ("CI", "true".to_owned()),
        ("GITHUB_ACTIONS", "true".to_owned()),
        ("GITHUB_ACTION", "__promote".to_owned()),
        ("GITHUB_ACTOR", actor.to_owned()),
        ("GITHUB_ACTOR_ID", crate::shape::user_id(actor).to_string()),
        ("GITHUB_TRIGGERING_ACTOR", actor.to_owned()),
        ("GITHUB_API_URL", format!("{server}/api/v3")),
        ("GITHUB_GRAPHQL_URL", format!("{server}/api/graphql")),
        ("GITHUB_SERVER_URL", server.to_owned()),
        ("GITHUB_BASE_REF", String::new()),
        ("GITHUB_HEAD_REF", String::new()),
        ("GITHUB_ENV", command("set_env")?),
        ("GITHUB_OUTPUT", command("set_output")?),
        ("GITHUB_PATH", command("add_path")?),
        ("GITHUB_STATE", command("save_state")?),
        ("GITHUB_STEP_SUMMARY", command("step_summary")?),
        ("GITHUB_EVENT_NAME", launch.event.to_owned()),
        ("GITHUB_EVENT_PATH", event.display().to_string()),
        ("GITHUB_JOB", "promote".to_owned()),
        ("GITHUB_REF", full_ref.clone()),
        ("GITHUB_REF_NAME", short.to_owned()),
        ("GITHUB_REF_PROTECTED", "false".to_owned()),
        ("GITHUB_REF_TYPE", kind.to_owned()),
        ("GITHUB_REPOSITORY", full_name.to_owned()),
        ("GITHUB_REPOSITORY_ID", repo.id()?.to_string()),
        ("GITHUB_REPOSITORY_OWNER", owner.to_owned()),
        ("GITHUB_REPOSITORY_OWNER_ID", crate::shape::user_id(owner).to_string()),
        ("GITHUB_RETENTION_DAYS", "90".to_owned()),
        ("GITHUB_RUN_ATTEMPT", "1".to_owned()),
        ("GITHUB_RUN_ID", launch.run_id.to_string()),
        ("GITHUB_RUN_NUMBER", "1".to_owned()),
        ("GITHUB_SHA", sha.clone()),
        ("GITHUB_WORKFLOW", "Promote".to_owned()),
        ("GITHUB_WORKFLOW_REF", workflow_ref),
        ("GITHUB_WORKFLOW_SHA", sha),
        ("GITHUB_WORKSPACE", launch.workspace.display().to_string()),
        ("HOME", temp.join(HOME).display().to_string()),
        ("RUNNER_ARCH", "X64".to_owned()),
        ("RUNNER_ENVIRONMENT", "github-hosted".to_owned()),
        ("RUNNER_NAME", "GitHub Actions 1".to_owned()),
        ("RUNNER_OS", "Linux".to_owned()),
        ("RUNNER_TEMP", temp.display().to_string()),
        ("RUNNER_TOOL_CACHE", root.join("_tool").display().to_string()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    env.extend(launch.inputs.iter().map(|(name, value)| (input_name(name), (*value).to_owned())));
    Ok(Step { env, folder })
}

/// `GITHUB_REF` and `GITHUB_SHA` of an event: a push and a tag name their own, a deployment its ref, all others the
/// default branch's head.
fn position(repo: &Repo, launch: &Launch<'_>) -> anyhow::Result<(String, String)> {
    let text = |pointer: &str| launch.payload.pointer(pointer).and_then(Value::as_str);
    let default = repo.with(|_, repo| Ok(repo.default_branch.clone()))?;
    let full = match launch.event {
        "push" if text("/after").is_some_and(|sha| !sha.bytes().all(|byte| byte == b'0')) => {
            text("/ref").map(str::to_owned)
        }
        "create" => text("/ref").map(|tag| format!("refs/tags/{tag}")),
        "release" => text("/release/tag_name").map(|tag| format!("refs/tags/{tag}")),
        "workflow_dispatch" => text("/ref").map(str::to_owned),
        "deployment_status" => {
            let (name, sha) = (text("/deployment/ref"), text("/deployment/sha").unwrap_or_default());
            let name = name.map(|name| {
                let tag = format!("refs/tags/{name}");
                if repo.resolve(&tag).is_ok() { tag } else { format!("refs/heads/{name}") }
            });
            return Ok((name.unwrap_or_default(), sha.to_owned()));
        }
        _ => None,
    };
    let full = full.unwrap_or_else(|| format!("refs/heads/{default}"));
    let sha = repo.resolve(&full).unwrap_or_default();
    Ok((full, sha))
}

/// [`step`] for callers that want the environment alone; the folder is kept until the process ends.
pub fn runner_env(
    repo: &Repo,
    token: &str,
    event: &str,
    payload: &Value,
    workspace: &Path,
    inputs: &[(&str, &str)],
) -> anyhow::Result<Vec<(String, String)>> {
    let mut all = vec![("token", token)];
    all.extend(inputs.iter().copied().filter(|(name, _)| *name != "token"));
    let made = step(repo, &Launch { event, payload, workspace, inputs: &all, run_id: 9_000_000_001 })?;
    let _ = made.folder.keep();
    Ok(made.env)
}

impl Step {
    /// A variable of the environment.
    #[must_use]
    pub fn var(&self, name: &str) -> Option<&str> {
        self.env.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The folder that holds everything.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `RUNNER_TEMP` on the machine.
    #[must_use]
    pub fn temp(&self) -> PathBuf {
        self.folder().join(TEMP)
    }

    /// What the step put into `RUNNER_TEMP` and `HOME` and left there; the runner's own is not counted.
    pub fn left_behind(&self) -> anyhow::Result<Vec<PathBuf>> {
        let temp = self.temp();
        let mut found = Vec::new();
        for folder in [temp.clone(), temp.join(HOME), temp.join(WORKFLOW), temp.join(FILE_COMMANDS)] {
            for entry in std::fs::read_dir(folder)? {
                found.push(entry?.path());
            }
        }
        let own = [HOME, WORKFLOW, FILE_COMMANDS].map(|name| temp.join(name));
        let given = |path: &PathBuf| self.env.iter().any(|(_, value)| Path::new(value) == path);
        found.retain(|path| !own.contains(path) && !given(path));
        Ok(found)
    }

    /// Gives the step's folders and its workspace to a user, as a runner's own they are. Only root can; whoever else
    /// runs this is the runner's user already.
    pub fn give_to(&self, user: u32) -> anyhow::Result<()> {
        use std::os::unix::fs::MetadataExt as _;
        if std::fs::metadata("/proc/self")?.uid() != 0 {
            return Ok(());
        }
        let workspace = self.var("GITHUB_WORKSPACE").context("a step has a workspace")?;
        let mut left = vec![self.folder().to_owned(), PathBuf::from(workspace)];
        while let Some(path) = left.pop() {
            std::os::unix::fs::lchown(&path, Some(user), Some(user))?;
            if std::fs::symlink_metadata(&path)?.is_dir() {
                for entry in std::fs::read_dir(&path)? {
                    left.push(entry?.path());
                }
            }
        }
        Ok(())
    }

    /// The step's outputs, in order.
    pub fn outputs(&self) -> anyhow::Result<Vec<(String, String)>> {
        file_command(&files::text(self, "GITHUB_OUTPUT")?)
    }

    /// One output.
    pub fn output(&self, name: &str) -> anyhow::Result<Option<String>> {
        Ok(self.outputs()?.into_iter().rev().find(|(other, _)| other == name).map(|(_, value)| value))
    }

    /// The job summary.
    pub fn summary(&self) -> anyhow::Result<String> {
        files::text(self, "GITHUB_STEP_SUMMARY")
    }
}
