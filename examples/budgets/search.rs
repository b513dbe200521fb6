//! The search for a release among very many tags: the newest success is the 25th candidate.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use fake_github::runner::{Action, Launch, Paths, Running, step};
use fake_github::{Commit, FakeGitHub, Options, Repo, Surface, Token, Workflow, WorkflowRun};

use crate::measure::{Measured, Tools, measured};

const TOKEN: &str = "ghs_budgets0123456789";
const STAGING: &str = ".github/workflows/staging.yml";
const PROMOTE: &str = ".github/workflows/promote.yml";
/// Which candidate is the newest success.
const CANDIDATE: usize = 25;
/// Trunk's commits; the tags are spread over them.
const COMMITS: usize = 2_000;

/// A repository with this many tags.
pub struct Search {
    github: FakeGitHub,
    repo: Repo,
    promoting: u64,
}

impl Search {
    pub fn among(tags: usize) -> Result<Self> {
        let github = FakeGitHub::start(&Options::default())?;
        github.add_token(Token::actions(TOKEN));
        let repo = github.create_repo("acme/gitops")?;
        for path in [STAGING, PROMOTE] {
            repo.add_workflow(Workflow::new(path))?;
        }
        import(&repo, tags)?;
        for number in 1..=CANDIDATE {
            let version = format!("v2.0.{number}");
            let message = format!("chore(staging): record {version}");
            let commit = Commit::new(&message).file("environments/staging/values.yaml", &overlay(&version));
            let sha = repo.commit(&commit)?;
            repo.tag(&version, &sha)?;
            let run = WorkflowRun::new(STAGING, &sha).on(&version);
            // The oldest of them succeeded, the others failed or are not over.
            repo.add_workflow_run(match number {
                1 => run,
                _ if number % 3 == 0 => run.unfinished("in_progress"),
                _ => run.concluded("failure"),
            })?;
        }
        let head = repo.resolve("main")?;
        let promoting = repo.add_workflow_run(WorkflowRun::new(PROMOTE, &head).on("main"))?;
        Ok(Self { github, repo, promoting })
    }

    /// One plan, from a workspace without a checkout.
    pub fn plan(&self, tools: &Tools) -> Result<Measured> {
        let workspace = tempfile::tempdir()?;
        let action = Action::read(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml"))?;
        let inputs = action.with(&[("command", "plan")], TOKEN)?;
        let inputs: Vec<_> = inputs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let payload = self.repo.event_schedule("0 6 * * *")?;
        let launch = Launch {
            event: "schedule",
            payload: &payload,
            workspace: workspace.path(),
            inputs: &inputs,
            run_id: self.promoting,
        };
        let step = step(&self.repo, &launch)?;
        let report = step.temp().join("_runner_file_commands/usage");
        let mut command = Command::new(&tools.probe);
        command.arg(&report).arg(&tools.promote);
        command.current_dir(workspace.path()).env_clear().envs(step.env.iter().cloned());
        self.github.clear_traffic();
        let ended = Running::start(command, Paths::of_host(workspace.path().to_owned()))?.end(&step)?;
        ensure!(
            ended.succeeded() && ended.output("tag") == "v2.0.1",
            "{} was chosen\n{}\n{}",
            ended.output("tag"),
            ended.stdout,
            ended.stderr
        );
        let traffic = self.github.traffic();
        let git = traffic.iter().filter(|exchange| exchange.surface == Surface::Git).count();
        measured(&report, traffic.len() - git, git)
    }
}

fn overlay(version: &str) -> String {
    format!("image:\n  repository: ghcr.io/acme/agent\n  tag: {version}\n")
}

/// History and tags, as one stream: a request each would take minutes.
fn import(repo: &Repo, tags: usize) -> Result<()> {
    let mut stream = String::new();
    for number in 0..COMMITS {
        let version = format!("v1.0.{number}");
        let (staging, prod) = (overlay(&version), overlay("v1.0.0"));
        let from = if number == 0 { String::new() } else { format!("from :{number}\n") };
        write!(
            stream,
            "commit refs/heads/main\nmark :{mark}\ncommitter Alice <alice@acme.example> {time} +0000\ndata 6\nchange\n{from}",
            mark = number + 1,
            time = 1_700_000_000 + number * 60,
        )?;
        for (environment, text) in [("staging", staging), ("prod", prod)] {
            writeln!(
                stream,
                "M 100644 inline environments/{environment}/values.yaml\ndata {}\n{text}",
                text.len()
            )?;
        }
    }
    for tag in 0..tags.saturating_sub(CANDIDATE) {
        writeln!(stream, "reset refs/tags/v1.0.{tag}\nfrom :{}\n", tag % COMMITS + 1)?;
    }
    let mut git = Command::new("git");
    git.arg("-C").arg(repo.git_dir()?).args(["fast-import", "--quiet", "--force"]).stdin(Stdio::piped());
    let mut child = git.spawn().context("git is not installed")?;
    child.stdin.take().context("git takes no input")?.write_all(stream.as_bytes())?;
    ensure!(child.wait()?.success(), "git could not import the history");
    Ok(())
}
