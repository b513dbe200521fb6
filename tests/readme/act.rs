//! The README's workflows run by act, a runner that others wrote, with the product in its image.
//!
//! act takes the place of GitHub's runner: it reads the workflow, evaluates its expressions, finds each action,
//! starts the container and reads the file commands back. `.ci/act` says where act, the image and the container
//! engine are. What the workflows name as the product's action is `action.yml` as a release has it; GitHub's own
//! action is replaced by what stands in for it in `actions/`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use crate::job::Ended;
use crate::workflow::Workflow;
use crate::world::{CLIENT_ID, JOB_TOKEN, PRIVATE_KEY, World};

/// Makes the action as a release has it: its image is named, not built by each job.
fn released(folder: &Path) {
    let action = std::fs::read_to_string(root().join("action.yml")).unwrap();
    let (before, image) =
        action.split_once("\n  image: ").expect("action.yml names an image, or what builds it");
    let after = image.split_once('\n').map_or("", |(_, after)| after);
    let released = format!("{before}\n  image: docker://{}\n{after}", variable("ACT_IMAGE"));
    std::fs::create_dir(folder).unwrap();
    std::fs::write(folder.join("action.yml"), released).unwrap();
}

/// Runs a workflow for an event, and says how long it took.
pub fn run(world: &World, workflow: &Workflow, payload: &Value) -> (Ended, Duration) {
    let folder = tempfile::tempdir().unwrap();
    let event = folder.path().join("event.json");
    std::fs::write(&event, payload.to_string()).unwrap();
    let begun = Instant::now();
    let output = command(world, workflow, folder.path(), &event).output().unwrap();
    let took = begun.elapsed();
    assert_cleaned(&folder.path().join("cache"));
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (ended(output.status.success(), &text), took)
}

fn command(world: &World, workflow: &Workflow, folder: &Path, event: &Path) -> Command {
    let checkout = folder.join("repository");
    clone(world, &checkout);
    let cache = folder.join("cache");
    let github = &world.github;
    // A second limit than the runner's, since act has none: no run of these may hang CI.
    let mut act = Command::new("timeout");
    act.args(["--kill-after=10", "120"]).arg(variable("ACT")).arg(workflow.event());
    act.arg("-C").arg(&checkout).args(["-W", &workflow.path]).arg("-e").arg(event);
    act.args(["-P", "ubuntu-latest=-self-hosted", "--pull=false", "--rebuild=false", "--rm", "--json"]);
    act.args(["--no-skip-checkout", "--no-cache-server", "--container-daemon-socket", "-"]);
    act.args(["--actor", "alice", "--defaultbranch", "main"]).arg("--action-cache-path").arg(&cache);
    for (name, value) in [
        ("GITHUB_SERVER_URL", github.url().to_owned()),
        ("GITHUB_API_URL", github.api_url()),
        ("GITHUB_GRAPHQL_URL", github.graphql_url()),
        ("GITHUB_REPOSITORY", world.repo.full_name().to_owned()),
        ("GITHUB_RUN_ID", world.started(workflow).to_string()),
    ] {
        act.args(["--env", &format!("{name}={value}")]);
    }
    act.args([
        "-s",
        &format!("GITHUB_TOKEN={JOB_TOKEN}"),
        "-s",
        // On one line, as what is passed on by many hands is safest.
        &format!("PROMOTE_PRIVATE_KEY={}", PRIVATE_KEY.replace('\n', "\\n")),
    ]);
    act.args(["--var", &format!("PROMOTE_CLIENT_ID={CLIENT_ID}")]);
    let action = folder.join("action");
    released(&action);
    for step in &workflow.job.steps {
        let local = if step.action.starts_with("actions/") { stand_in(&step.action) } else { action.clone() };
        act.args(["--local-repository", &format!("{}={}", step.uses(), local.display())]);
    }
    // With steps on the host, act names the host's paths to the container but mounts them elsewhere.
    let (cache, more) = (cache.display(), std::env::var("ACT_CONTAINER_OPTIONS").unwrap_or_default());
    act.args(["--container-options", &format!("--network host -v {cache}:{cache} {more}")]);
    act.env_clear().env("HOME", folder.join("home"));
    for name in ["PATH", "DOCKER_HOST"] {
        act.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    act.stdin(Stdio::null());
    act
}

/// Reads what act says, a line of JSON each.
fn ended(succeeded: bool, text: &str) -> Ended {
    let mut ended = Ended { succeeded, said: String::new(), outputs: Map::new(), summary: String::new() };
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| Value::String(line.to_owned()));
        match (line["command"].as_str(), line["name"].as_str()) {
            (Some("set-output"), Some(name)) => {
                ended.outputs.insert(name.to_owned(), line["arg"].clone());
            }
            (Some("summary"), _) => ended.summary.push_str(line["content"].as_str().unwrap()),
            // act shows as JSON even what it was asked to mask.
            (Some("add-mask"), _) => {}
            _ => {
                ended.said += line["msg"].as_str().or_else(|| line.as_str()).unwrap_or_default().trim_end();
                ended.said.push('\n');
            }
        }
    }
    assert!(!ended.said.contains(JOB_TOKEN), "the token is shown:\n{}", ended.said);
    ended
}

/// act removes the workspace in the end; as an ordinary user it cannot where the container left folders of root's.
fn assert_cleaned(cache: &Path) {
    for entry in std::fs::read_dir(cache).into_iter().flatten() {
        let left = entry.unwrap().path().join("hostexecutor");
        assert!(!left.exists(), "{} could not be removed", left.display());
    }
}

fn clone(world: &World, into: &Path) {
    // act reads the workflow from a clone; what the job sees is what its own steps check out.
    let mut git = Command::new("git");
    git.args(["clone", "--quiet"]).arg(world.repo.git_dir().unwrap()).arg(into);
    assert!(git.status().unwrap().success(), "git clone");
}

/// The folder of one of GitHub's actions: itself where `ACT_ACTIONS` holds it, else what stands in for it.
fn stand_in(action: &str) -> PathBuf {
    let name = action.trim_start_matches("actions/");
    let theirs = std::env::var_os("ACT_ACTIONS").map(|folder| PathBuf::from(folder).join(name));
    let folder = theirs
        .filter(|folder| folder.exists())
        .unwrap_or_else(|| root().join("tests/readme/actions").join(name));
    assert!(folder.join("action.yml").exists(), "nothing stands in for {action}");
    folder
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("`{name}` is not set: run .ci/act"))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
