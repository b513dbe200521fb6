//! A scene: a fake GitHub with one repository, and the real binary run as the runner runs it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use fake_github::runner::{Launch, Step, step};
use fake_github::{Commit, Exchange, FakeGitHub, Options, Repo, Surface, Token, Workflow, WorkflowRun};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

pub const TOKEN: &str = "ghs_job";
pub const STAGING: &str = ".github/workflows/staging.yml";
pub const PROMOTE: &str = ".github/workflows/promote.yml";

/// A fake GitHub with `acme/agent`, in the layout that needs no settings.
pub struct Scene {
    pub github: FakeGitHub,
    pub repo: Repo,
    pub now: Timestamp,
    pub promote_run: u64,
}

/// The values of one environment.
pub fn values(tag: &str, model: &str) -> String {
    format!(
        "# kept as it is\nreplicas: 3   # ours\nimage:\n  repository: ghcr.io/acme/agent\n  tag: {tag}   # moved\n  digest: {}\n\nmodel:\n  name: scoring\n  version: \"{model}\"\n",
        digest(tag)
    )
}

/// A digest that differs for each tag.
pub fn digest(tag: &str) -> String {
    let digits = tag.bytes().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"));
    format!("sha256:{digits:0<64}")
}

impl Scene {
    /// A repository that runs v1.7.0 in staging and prod.
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    /// The clock of all scenes stands still at one moment, so that what they make can be compared.
    pub fn with(options: Options) -> Self {
        let now = values("v1.7.0", "2026-05-01");
        let scene = Self::of(
            options,
            &[
                ("environments/staging/values.yaml", &now),
                ("environments/prod/values.yaml", &now),
                ("src/agent.py", "VERSION = 1\n"),
            ],
        );
        scene.repo.add_workflow(Workflow::new(STAGING).name("Staging")).unwrap();
        let first = scene.repo.resolve("main").unwrap();
        scene.tagged("v1.7.0", &first, Some("success"));
        scene
    }

    /// A repository with these files, the promoting workflow and nothing else.
    pub fn of(options: Options, files: &[(&str, &str)]) -> Self {
        static NOW: OnceLock<Timestamp> = OnceLock::new();
        let now = *NOW.get_or_init(Timestamp::now);
        let github = FakeGitHub::start(&Options { now: Some(now), ..options }).unwrap();
        github.add_token(Token::actions(TOKEN));
        github.add_person("alice", "Alice", "alice@acme.example");
        github.add_person("bob", "Bob", "bob@acme.example");
        let repo = github.create_repo("acme/agent").unwrap();
        repo.add_workflow(Workflow::new(PROMOTE).name("Promote")).unwrap();
        let commit = Commit::new("feat: begin (#1)").by("alice").at(now - SignedDuration::from_hours(200));
        let commit = files.iter().fold(commit, |commit, (path, text)| commit.file(path, text));
        let first = repo.commit(&commit).unwrap();
        let promote_run = repo
            .add_workflow_run(
                WorkflowRun::new(PROMOTE, &first).on("main").event("workflow_run").unfinished("in_progress"),
            )
            .unwrap();
        Self { github, repo, now, promote_run }
    }

    /// A commit on main.
    pub fn commit(&self, message: &str, files: &[(&str, &str)]) -> String {
        let commit = files.iter().fold(Commit::new(message), |commit, (path, text)| commit.file(path, text));
        self.repo.commit(&commit.by("bob")).unwrap()
    }

    /// A feature, then the commit that records `tag` in staging, tagged, with a staging run that ended so.
    pub fn release(&self, tag: &str, model: &str, conclusion: Option<&str>) -> u64 {
        self.feature(tag);
        let record = Commit::new(&format!("chore(staging): record {tag}"))
            .file("environments/staging/values.yaml", &values(tag, model))
            .by("bob");
        let commit = self.repo.commit(&record).unwrap();
        self.tagged(tag, &commit, conclusion)
    }

    pub fn feature(&self, name: &str) -> String {
        let commit = Commit::new(&format!("feat: what {name} brings (#2)"))
            .file(&format!("src/{name}.py"), "pass\n")
            .by("alice");
        self.repo.commit(&commit).unwrap()
    }

    /// A tag with its staging run; no conclusion is a run that is going on.
    pub fn tagged(&self, tag: &str, commit: &str, conclusion: Option<&str>) -> u64 {
        self.repo.tag(tag, commit).unwrap();
        self.ran(tag, commit, conclusion)
    }

    pub fn ran(&self, tag: &str, commit: &str, conclusion: Option<&str>) -> u64 {
        let run = WorkflowRun::new(STAGING, commit)
            .on(tag)
            .event("push")
            .at(self.now - SignedDuration::from_hours(20));
        let run = match conclusion {
            Some(conclusion) => run.concluded(conclusion),
            None => run.unfinished("in_progress"),
        };
        self.repo.add_workflow_run(run).unwrap()
    }

    /// Runs the binary for the end of a staging run, without a checkout.
    pub fn run(&self) -> Run {
        self.runs(&Start::default())
    }

    pub fn runs(&self, start: &Start<'_>) -> Run {
        self.ends(start, |command| command.output().unwrap())
    }

    /// Sends a signal to a run as soon as it talks to the API.
    pub fn told_to_stop(&self, signal: &str) -> Run {
        self.ends(&Start::default(), |command| {
            let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let start = Instant::now();
            while !self.github.traffic().iter().any(|exchange| exchange.surface == Surface::Git) {
                assert!(start.elapsed().as_secs() < 10, "it asked for nothing");
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(300));
            Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
            child.wait_with_output().unwrap()
        })
    }

    fn ends(&self, start: &Start<'_>, run: impl FnOnce(&mut Command) -> Output) -> Run {
        let mut laid_out = self.laid_out(start);
        self.github.clear_traffic();
        let output = run(&mut laid_out.command);
        self.ended(&laid_out, output)
    }

    /// What a run comes to that a fault holds at one of its requests, while something else happens.
    pub fn while_held(&self, meanwhile: impl FnOnce()) -> Run {
        let mut laid_out = self.laid_out(&Start::default());
        let output = std::thread::scope(|scope| {
            let run = scope.spawn(|| laid_out.command.output().unwrap());
            let start = Instant::now();
            while self.github.held() == 0 {
                assert!(start.elapsed().as_secs() < 30 && !run.is_finished(), "no request is held");
                std::thread::sleep(Duration::from_millis(5));
            }
            meanwhile();
            self.github.clear_faults();
            run.join().unwrap()
        });
        self.ended(&laid_out, output)
    }

    /// A run that only has to be started.
    pub fn laid_out(&self, start: &Start<'_>) -> LaidOut {
        let own = start.workspace.is_none().then(|| tempfile::tempdir().unwrap());
        let workspace = own.as_ref().map(tempfile::TempDir::path).or(start.workspace).unwrap();
        let payload = match &start.payload {
            Some(payload) => payload.clone(),
            None => self.repo.event_workflow_run(self.newest_staging_run()).unwrap(),
        };
        let token = [("token", TOKEN)];
        let inputs: Vec<(&str, &str)> =
            token.into_iter().filter(|_| start.token).chain(start.inputs.iter().copied()).collect();
        let launch = Launch {
            event: start.event,
            payload: &payload,
            workspace,
            inputs: &inputs,
            run_id: self.promote_run,
        };
        let step = step(&self.repo, &launch).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_promote"));
        command.args(start.arguments).current_dir(workspace).env_clear().envs(step.env.iter().cloned());
        for (name, value) in start.environment {
            command.env(name, value);
        }
        LaidOut { command, step, workspace: workspace.to_owned(), _own: own }
    }

    /// What a run came to that ended by itself.
    pub fn ended(&self, laid_out: &LaidOut, output: Output) -> Run {
        let LaidOut { step, workspace, .. } = laid_out;
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        assert!(step.left_behind().unwrap().is_empty(), "temporary files are left");
        let plan = std::fs::read_to_string(workspace.join("promote-plan.json")).ok();
        Run {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            outputs: step.outputs().unwrap(),
            summary: step.summary().unwrap(),
            plan: plan.map_or(Value::Null, |plan| serde_json::from_str(&plan).unwrap()),
            requests: self
                .github
                .traffic()
                .into_iter()
                .filter(|exchange| exchange.surface != Surface::Git)
                .collect(),
        }
    }

    pub fn newest_staging_run(&self) -> u64 {
        // Runs are numbered in the order they were added; the promoting one is the first.
        let mut newest = self.promote_run;
        for id in self.promote_run.. {
            if self.repo.event_workflow_run(id).is_err() {
                break;
            }
            newest = id;
        }
        newest
    }

    /// `key: value` of prod's values on a branch.
    pub fn prod(&self, revision: &str) -> String {
        self.repo.file(revision, "environments/prod/values.yaml").unwrap()
    }

    pub fn promotion_head(&self) -> String {
        self.repo.resolve("promote/agent/prod").unwrap()
    }

    /// A checkout as actions/checkout makes it.
    pub fn checkout(&self, arguments: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let url = self.repo.url().replacen("://", &format!("://x-access-token:{TOKEN}@"), 1);
        let authority = self.github.ca_file().map(|file| ("GIT_SSL_CAINFO", file.as_os_str()));
        git_in(
            folder.path(),
            authority.as_slice(),
            &[&["clone", "--quiet"], arguments, &[&url, "."]].concat(),
        );
        folder
    }
}

/// A run with its environment, files and workspace.
pub struct LaidOut {
    pub command: Command,
    step: Step,
    workspace: PathBuf,
    /// Where it was given no workspace.
    _own: Option<tempfile::TempDir>,
}

/// How the binary is started.
pub struct Start<'a> {
    pub event: &'a str,
    pub payload: Option<Value>,
    pub inputs: &'a [(&'a str, &'a str)],
    pub arguments: &'a [&'a str],
    pub environment: &'a [(&'a str, &'a str)],
    pub workspace: Option<&'a Path>,
    pub token: bool,
}

impl Default for Start<'_> {
    fn default() -> Self {
        Self {
            event: "workflow_run",
            payload: None,
            inputs: &[],
            arguments: &[],
            environment: &[],
            workspace: None,
            token: true,
        }
    }
}

impl<'a> Start<'a> {
    pub fn inputs(inputs: &'a [(&'a str, &'a str)]) -> Self {
        Self { inputs, ..Self::default() }
    }

    pub fn dispatch(scene: &Scene, inputs: &Value) -> Self {
        let payload = scene.repo.event_workflow_dispatch(inputs).unwrap();
        Self { event: "workflow_dispatch", payload: Some(payload), ..Self::default() }
    }
}

/// What a run came to.
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub outputs: Vec<(String, String)>,
    pub summary: String,
    pub plan: Value,
    /// REST and GraphQL, in order.
    pub requests: Vec<Exchange>,
}

impl Run {
    pub fn output(&self, name: &str) -> &str {
        self.outputs.iter().rev().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    pub fn outcome(&self) -> &str {
        self.output("outcome")
    }

    pub fn writes(&self) -> Vec<String> {
        let writes = self.requests.iter().filter(|exchange| exchange.is_write());
        writes.map(|exchange| format!("{} {}", exchange.method, exchange.path)).collect()
    }

    /// Everything that was printed, for messages of failed tests.
    pub fn said(&self) -> String {
        format!("code {:?}\n{}\n{}", self.code, self.stdout, self.stderr)
    }

    #[track_caller]
    pub fn ended(&self, outcome: &str, code: i32) -> &Self {
        assert_eq!((self.outcome(), self.code), (outcome, Some(code)), "{}", self.said());
        self
    }

    /// The run failed, said all of this with the next act, and annotated it.
    #[track_caller]
    pub fn failed(&self, said: &[&str]) -> &Self {
        assert_eq!(self.code, Some(1), "{}", self.said());
        for part in said {
            assert!(self.stderr.contains(part), "`{part}` is not in:\n{}", self.said());
        }
        for line in ["\nerror: ", "\nhint: "] {
            assert!(format!("\n{}", self.stderr).contains(line), "{}", self.said());
        }
        assert!(self.stdout.contains("::error title=promote"), "{}", self.said());
        assert!(self.summary.contains("❌"), "{}\n{}", self.summary, self.said());
        self
    }

    /// The run failed so, before it asked GitHub to write anything.
    #[track_caller]
    pub fn refused(&self, said: &[&str]) -> &Self {
        assert_eq!(self.writes(), [""; 0], "{}", self.said());
        self.failed(said)
    }
}

pub fn git(folder: &Path, arguments: &[&str]) -> String {
    git_in(folder, &[], arguments)
}

fn git_in(folder: &Path, environment: &[(&str, &OsStr)], arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(folder).env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", folder);
    command.envs(environment.iter().copied());
    for (role, name) in [("AUTHOR", "Bob"), ("COMMITTER", "Bob")] {
        command.env(format!("GIT_{role}_NAME"), name).env(format!("GIT_{role}_EMAIL"), "bob@acme.example");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Every file below a folder with its bytes, mode, owner and time, but for the plan.
pub fn snapshot(folder: &Path) -> Vec<(PathBuf, Vec<u8>, String)> {
    use std::os::unix::fs::MetadataExt;
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let about = std::fs::symlink_metadata(&path).unwrap();
            if path.file_name().is_some_and(|name| name == "promote-plan.json") {
                continue;
            }
            if about.is_dir() {
                folders.push(path);
                continue;
            }
            let stamp = format!(
                "{:o} {}:{} {}.{}",
                about.mode(),
                about.uid(),
                about.gid(),
                about.mtime(),
                about.mtime_nsec()
            );
            found.push((path.clone(), std::fs::read(&path).unwrap_or_default(), stamp));
        }
    }
    found.sort();
    found
}
