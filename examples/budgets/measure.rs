//! One measurement each: a promotion and the run after it, or a start.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use fake_github::runner::{Action, Container, Engine, Launch, Paths, Root, Running, step};
use fake_github::{FakeGitHub, Options, Surface, Token};
use jiff::Timestamp;

use crate::sample::{self, Sample};

const TOKEN: &str = "ghs_budgets0123456789";
const RUNNER: u32 = 1001;
/// Where the probe is in a container.
const PROBE: &str = "/probe";

/// The image's binary, and the program that measures it.
pub struct Tools {
    pub promote: PathBuf,
    pub probe: PathBuf,
}

/// What is measured.
pub struct Subject {
    pub engine: Engine,
    pub image: String,
    pub empty: String,
    pub tools: Tools,
}

/// Where the step runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Bare,
    Container,
}

impl Way {
    pub fn word(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Container => "container",
        }
    }
}

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Requests to REST and GraphQL.
    pub api: f64,
    /// Requests to git's server.
    pub git: f64,
    /// Milliseconds, user and system.
    pub cpu: f64,
    /// MiB at most.
    pub memory: f64,
    /// Milliseconds.
    pub wall: f64,
}

/// The quickstart's promotion on a GitHub of its own, and the same run again, which changes nothing.
pub fn promotion(subject: &Subject, way: Way) -> Result<(Measured, Measured)> {
    let github = FakeGitHub::start(&Options::default())?;
    github.add_token(Token::actions(TOKEN));
    let sample = sample::create(&github, Timestamp::now())?;
    let workspace = tempfile::tempdir()?;
    let with_token = sample.repo.url().replacen("http://", &format!("http://x-access-token:{TOKEN}@"), 1);
    let mut clone = Command::new("git");
    clone.args(["clone", "--quiet", "--depth", "1", "--no-tags", &with_token]).arg(workspace.path());
    ensure!(clone.status().context("git is not installed")?.success(), "the checkout failed");
    let run = |outcome| one(subject, way, &github, &sample, workspace.path(), outcome);
    Ok((run("created")?, run("unchanged")?))
}

fn one(
    subject: &Subject,
    way: Way,
    github: &FakeGitHub,
    sample: &Sample,
    workspace: &Path,
    outcome: &str,
) -> Result<Measured> {
    let action = Action::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml"))?;
    let inputs = action.with(&[], TOKEN)?;
    let inputs: Vec<_> = inputs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let payload = sample.repo.event_workflow_run(sample.staging_run)?;
    let run_id = sample.promote_run;
    let launch = Launch { event: "workflow_run", payload: &payload, workspace, inputs: &inputs, run_id };
    let step = step(&sample.repo, &launch)?;
    let report = step.temp().join("_runner_file_commands/usage");
    let (command, paths) = match way {
        Way::Bare => {
            let mut command = Command::new(&subject.tools.probe);
            command.arg(&report).arg(&subject.tools.promote);
            command.current_dir(workspace).env_clear().envs(step.env.iter().cloned());
            (command, Paths::of_host(workspace.to_owned()))
        }
        Way::Container => {
            step.give_to(RUNNER)?;
            let container = Container {
                root: Root::ReadOnly,
                entrypoint: &[PROBE, "/github/file_commands/usage", "/promote"],
                files: &[(&subject.tools.probe, PROBE)],
                ..Container::of(&subject.engine, &subject.image)
            };
            let (command, _, paths) = container.start(&step)?;
            (command, paths)
        }
    };
    github.clear_traffic();
    let ended = Running::start(command, paths)?.end(&step)?;
    ensure!(ended.succeeded() && ended.output("outcome") == outcome, "{}\n{}", ended.stdout, ended.stderr);
    let traffic = github.traffic();
    let git = traffic.iter().filter(|exchange| exchange.surface == Surface::Git).count();
    measured(&report, traffic.len() - git, git)
}

/// What the probe reported, with the requests that were counted.
pub fn measured(report: &Path, api: usize, git: usize) -> Result<Measured> {
    let [cpu, memory, wall] = usage(report)?;
    let count = |count: usize| u32::try_from(count).map(f64::from);
    Ok(Measured { api: count(api)?, git: count(git)?, cpu, memory, wall })
}

/// Milliseconds of CPU, MiB, milliseconds of wall time.
fn usage(report: &Path) -> Result<[f64; 3]> {
    let text = std::fs::read_to_string(report).context("the probe reported nothing")?;
    let figures = text.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    let [cpu, memory, wall] = figures.try_into().ok().context("the probe reports three figures")?;
    Ok([cpu / 1000.0, memory / 1024.0, wall / 1000.0])
}

/// Milliseconds of `promote --version`.
pub fn bare_start(subject: &Subject) -> Result<f64> {
    let report = tempfile::NamedTempFile::new()?;
    let mut command = Command::new(&subject.tools.probe);
    command.arg(report.path()).arg(&subject.tools.promote).arg("--version").stdout(Stdio::null());
    ensure!(command.status()?.success(), "`promote --version` failed");
    let [_, _, wall] = usage(report.path())?;
    Ok(wall)
}

/// Milliseconds from the engine's client's start to its end, for `IMAGE --version`; the probe does nothing then.
pub fn container_start(subject: &Subject, image: &str) -> Result<f64> {
    let mut command = subject.engine.command(&["run", "--rm", "--network", "host", image, "--version"]);
    let begun = Instant::now();
    let output = command.output()?;
    let took = begun.elapsed();
    ensure!(output.status.success(), "{image}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(took.as_secs_f64() * 1000.0)
}
