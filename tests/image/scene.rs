//! The quickstart's repository on a fake GitHub, and one step run there: by the image, or by the bare binary.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use fake_github::runner::{Action, Container, Ended, Engine, Launch, Paths, Root, Running, Step, step};
use fake_github::{FakeGitHub, Options, Repo, Token};
use jiff::Timestamp;
use serde_json::Value;

use crate::sample;

pub const TOKEN: &str = "ghs_image0123456789";
/// The user that hosted runners run as.
const RUNNER: u32 = 1001;
const PLAN: &str = "promote-plan.json";

pub struct Scene {
    pub github: FakeGitHub,
    pub repo: Repo,
    pub staging_run: u64,
    pub promote_run: u64,
    workspace: tempfile::TempDir,
}

/// What runs the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Binary,
    Image(Root),
}

/// What actions/checkout did before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checkout {
    None,
    Shallow,
}

/// How the step is started.
pub struct Start<'a> {
    pub by: By,
    pub event: &'a str,
    pub payload: Option<Value>,
    pub with: &'a [(&'a str, &'a str)],
    pub checkout: Checkout,
    /// The job's own `env:`; a value that starts with `RUNNER_TEMP` is in the step's temporary folder.
    pub env: &'a [(&'a str, &'a str)],
}

impl Default for Start<'_> {
    fn default() -> Self {
        Self {
            by: By::Image(Root::ReadOnly),
            event: "workflow_run",
            payload: None,
            with: &[],
            checkout: Checkout::Shallow,
            env: &[],
        }
    }
}

pub fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::find().unwrap())
}

pub fn image() -> &'static str {
    static IMAGE: OnceLock<String> = OnceLock::new();
    IMAGE.get_or_init(|| {
        std::env::var("PROMOTE_IMAGE").expect("PROMOTE_IMAGE names the image; .ci/image makes one")
    })
}

pub fn action() -> Action {
    Action::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml")).unwrap()
}

impl Scene {
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    /// The clock stands still at one moment for all scenes, so that what they make can be compared byte for byte.
    pub fn with(options: Options) -> Self {
        static NOW: OnceLock<Timestamp> = OnceLock::new();
        let now = *NOW.get_or_init(Timestamp::now);
        let github = FakeGitHub::start(&Options { now: Some(now), ..options }).unwrap();
        github.add_token(Token::actions(TOKEN));
        let sample = sample::create(&github, now).unwrap();
        let (staging_run, promote_run) = (sample.staging_run, sample.promote_run);
        Self { github, repo: sample.repo, staging_run, promote_run, workspace: tempfile::tempdir().unwrap() }
    }

    pub fn port(&self) -> u16 {
        self.github.url().rsplit(':').next().unwrap().parse().unwrap()
    }

    pub fn workspace(&self) -> &Path {
        self.workspace.path()
    }

    /// The step after the end of fraud-agent's staging run.
    pub fn run(&self) -> Ended {
        self.runs(&Start::default())
    }

    pub fn runs(&self, start: &Start<'_>) -> Ended {
        self.ends(start, |_, _| ())
    }

    /// Runs a step to its end, with `meanwhile` done while it runs, and holds it to what every step must keep to: the
    /// workspace is as it was but for the plan, nothing in it is another user's, nothing temporary is left, and no
    /// secret is shown.
    pub fn ends(&self, start: &Start<'_>, meanwhile: impl FnOnce(&Running, &str)) -> Ended {
        let step = self.step(start);
        let before = snapshot(self.workspace());
        self.github.clear_traffic();
        let (command, name, paths) = match start.by {
            By::Image(root) => {
                let container = Container { root, ..Container::of(engine(), image()) };
                container.start(&step).unwrap()
            }
            By::Binary => self.bare(&step),
        };
        let running = Running::start(command, paths).unwrap();
        meanwhile(&running, &name);
        let ended = running.end(&step).unwrap();
        let said = format!("code {:?}\n{}\n{}", ended.code, ended.stdout, ended.stderr);

        let after = snapshot(self.workspace());
        let own = fs::metadata(self.workspace()).unwrap().uid();
        for (path, about) in &after {
            assert_eq!(about.owner, (own, own), "{} is another's\n{said}", path.display());
            let known = before.get(path).is_some_and(|known| known == about);
            assert!(known || path == Path::new(PLAN), "{} was changed\n{said}", path.display());
        }
        assert!(before.keys().all(|path| after.contains_key(path)), "a file is gone\n{said}");
        let mut left = step.left_behind().unwrap();
        left.retain(|path| !path.ends_with("ca.pem"));
        assert!(left.is_empty(), "temporary files are left: {left:?}\n{said}");
        assert_eq!(ended.said.leaks, [""; 0], "secrets are shown");
        let masked = ended.stdout.replace(&format!("::add-mask::{TOKEN}\n"), "");
        assert!(!masked.contains(TOKEN) && !ended.stderr.contains(TOKEN), "the token is shown\n{said}");
        assert_eq!(self.github.unknown_routes(), [""; 0]);
        ended
    }

    fn step(&self, start: &Start<'_>) -> Step {
        if start.checkout == Checkout::Shallow && !self.workspace().join(".git").exists() {
            self.check_out();
        }
        let payload = match &start.payload {
            Some(payload) => payload.clone(),
            None => self.repo.event_workflow_run(self.staging_run).unwrap(),
        };
        let inputs = action().with(start.with, TOKEN).unwrap();
        let inputs: Vec<(&str, &str)> =
            inputs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let launch = Launch {
            event: start.event,
            payload: &payload,
            workspace: self.workspace(),
            inputs: &inputs,
            run_id: self.promote_run,
        };
        let mut step = step(&self.repo, &launch).unwrap();
        let temp = step.temp().display().to_string();
        for (name, value) in start.env {
            step.env.push(((*name).to_owned(), value.replace("RUNNER_TEMP", &temp)));
        }
        if let Some(authority) = self.github.ca_file() {
            fs::copy(authority, step.temp().join("ca.pem")).unwrap();
        }
        step.give_to(RUNNER).unwrap();
        step
    }

    fn bare(&self, step: &Step) -> (Command, String, Paths) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_promote"));
        command.current_dir(self.workspace()).env_clear().envs(step.env.iter().cloned());
        (command, String::new(), Paths::of_host(self.workspace().to_owned()))
    }

    /// As actions/checkout does without `persist-credentials`, and as the user it runs as.
    fn check_out(&self) {
        let folder = self.workspace();
        let as_root = fs::metadata("/proc/self").unwrap().uid() == 0;
        if as_root {
            std::os::unix::fs::chown(folder, Some(RUNNER), Some(RUNNER)).unwrap();
        }
        let url = self.repo.url();
        let with_token = url.replacen("://", &format!("://x-access-token:{TOKEN}@"), 1);
        let head = self.repo.resolve("main").unwrap();
        let fetched = format!("+{head}:refs/remotes/origin/main");
        let quiet_fetch = ["fetch", "--quiet", "--no-tags", "--depth=1", &with_token, &fetched];
        for arguments in [
            &["init", "--quiet", "."] as &[&str],
            &["remote", "add", "origin", &url],
            &quiet_fetch,
            &["checkout", "--quiet", "--force", "-B", "main", "refs/remotes/origin/main"],
        ] {
            let mut git = Command::new("git");
            git.args(arguments).current_dir(folder).env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", folder);
            if let Some(authority) = self.github.ca_file() {
                git.env("GIT_SSL_CAINFO", authority);
            }
            if as_root {
                git.uid(RUNNER).gid(RUNNER);
            }
            assert!(git.status().unwrap().success(), "git {arguments:?}");
        }
        // Where git notes what was fetched is no file of a checkout, and has the token's address in it.
        fs::remove_file(folder.join(".git/FETCH_HEAD")).unwrap();
    }

    pub fn plan(&self) -> Value {
        serde_json::from_slice(&fs::read(self.workspace().join(PLAN)).unwrap()).unwrap()
    }

    /// `METHOD path` of every request that was not git's.
    pub fn requests(&self) -> Vec<String> {
        let traffic = self.github.traffic();
        let api = traffic.iter().filter(|exchange| exchange.surface != fake_github::Surface::Git);
        api.map(|exchange| format!("{} {}", exchange.method, exchange.path)).collect()
    }

    pub fn writes(&self) -> Vec<String> {
        let traffic = self.github.traffic();
        let writes = traffic.iter().filter(|exchange| exchange.is_write());
        writes.map(|exchange| format!("{} {}", exchange.method, exchange.path)).collect()
    }

    /// What git says of a revision of the server's repository.
    pub fn show(&self, revision: &str, format: &str) -> String {
        let mut git = Command::new("git");
        git.arg("--git-dir").arg(self.repo.git_dir().unwrap());
        let output =
            git.args(["show", "--no-patch", &format!("--format={format}"), revision]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// What is known of a file.
#[derive(Debug, PartialEq, Eq)]
pub struct About {
    owner: (u32, u32),
    mode: u32,
    changed: (i64, i64),
    bytes: Vec<u8>,
}

/// Everything below a folder, folders too. Times of folders say nothing: the plan is put into one.
fn snapshot(root: &Path) -> BTreeMap<PathBuf, About> {
    let mut found = BTreeMap::new();
    let mut left = vec![root.to_owned()];
    while let Some(path) = left.pop() {
        let about = fs::symlink_metadata(&path).unwrap();
        if about.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let about = About {
            owner: (about.uid(), about.gid()),
            mode: about.mode(),
            changed: if about.is_dir() { (0, 0) } else { (about.mtime(), about.mtime_nsec()) },
            bytes: if about.is_file() { fs::read(&path).unwrap() } else { Vec::new() },
        };
        found.insert(path.strip_prefix(root).unwrap().to_owned(), about);
    }
    found
}
