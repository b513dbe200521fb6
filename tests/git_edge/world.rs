//! A bare repository with a history, made by the real git, and its server.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use promote::git::{History, Remote, Wanted};
use promote::http::Client;
use promote::names::{CommitSha, RepoPath, RepoSlug};
use promote::secret::Secret;
use tempfile::TempDir;

use crate::server::Server;

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
});

static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    Client::new(&BTreeMap::new(), std::time::Duration::from_secs(30), std::time::Duration::from_secs(2))
        .unwrap()
});

pub struct World {
    pub folder: TempDir,
    pub server: Server,
}

/// Runs git without any configuration of the machine; returns what it printed.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    git_with(folder, arguments, "")
}

pub fn git_with(folder: &Path, arguments: &[&str], input: &str) -> String {
    use std::io::Write;
    let mut child = Command::new("git")
        .args(["-c", "user.name=T", "-c", "user.email=t@t", "-c", "protocol.file.allow=always"])
        .args(["-c", "safe.directory=*", "-c", "init.defaultBranch=main", "-c", "gc.auto=0"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_AUTHOR_DATE", "1700000000 +0000")
        .env("GIT_COMMITTER_DATE", "1800000000 +0000")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let feeding = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    feeding.join().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// What `git fast-import` takes: commits that name their parents by number.
#[derive(Default)]
pub struct Script {
    text: String,
    pub count: usize,
}

impl Script {
    /// Adds commit number `count` (from 1) to `branch`; a file without content is deleted.
    pub fn commit(
        &mut self,
        branch: &str,
        time: i64,
        parents: &[usize],
        files: &[(&str, Option<&str>)],
    ) -> usize {
        use std::fmt::Write;
        self.count += 1;
        let message = format!("feat: change {}\n", self.count);
        let text = &mut self.text;
        if parents.is_empty() {
            writeln!(text, "reset refs/heads/{branch}").unwrap();
        }
        writeln!(text, "commit refs/heads/{branch}\nmark :{}", self.count).unwrap();
        writeln!(text, "author A <a@x> {time} +0000\ncommitter C <c@x> {time} +0000").unwrap();
        write!(text, "data {}\n{message}", message.len()).unwrap();
        for (index, parent) in parents.iter().enumerate() {
            writeln!(text, "{} :{parent}", if index == 0 { "from" } else { "merge" }).unwrap();
        }
        for (path, content) in files {
            match content {
                Some(content) => {
                    writeln!(text, "M 100644 inline {path}\ndata {}\n{content}", content.len()).unwrap();
                }
                None => writeln!(text, "D {path}").unwrap(),
            }
        }
        self.count
    }
}

impl World {
    /// A repository made by the script, whose `HEAD` is `main`.
    pub fn new(script: &Script) -> Self {
        Self::within(tempfile::tempdir().unwrap(), script)
    }

    fn within(folder: TempDir, script: &Script) -> Self {
        let bare = folder.path().join("srv/acme/app.git");
        std::fs::create_dir_all(&bare).unwrap();
        git(&bare, &["init", "--bare", "-q", "--template="]);
        git(&bare, &["config", "uploadpack.allowFilter", "true"]);
        git_with(&bare, &["fast-import", "--quiet", "--force"], &script.text);
        Self::serving(folder)
    }

    fn serving(folder: TempDir) -> Self {
        std::fs::create_dir_all(folder.path().join("temp")).unwrap();
        let server = Server::start(&folder.path().join("srv"));
        Self { folder, server }
    }

    /// A copy of [`World::make_small`].
    pub fn small() -> Self {
        static MODEL: LazyLock<World> = LazyLock::new(World::make_small);
        let folder = tempfile::tempdir().unwrap();
        copy(&MODEL.folder.path().join("srv"), &folder.path().join("srv"));
        Self::serving(folder)
    }

    /// Twelve commits on `main` with an overlay, one merged branch, and tags.
    fn make_small() -> Self {
        let mut script = Script::default();
        // Enough that a whole fetch can be told from a small one.
        let ballast: String = (0..4000_u64).map(|n| (n * n * 0x9E37_79B9).to_string()).collect();
        let mut last = vec![script.commit("main", 1_700_000_100, &[], &[("ballast", Some(&ballast))])];
        for number in 2..=10 {
            let values = format!("image:\n  tag: {number}\n");
            let read_me = format!("read me {number}");
            let files: &[_] = if number % 3 == 0 {
                &[("README.md", Some(read_me.as_str()))]
            } else {
                &[("environments/prod/values.yaml", Some(values.as_str()))]
            };
            last = vec![script.commit("main", 1_700_000_000 + number * 100, &last, files)];
        }
        let side = script.commit("side", 1_700_000_950, &[9], &[("apps/x", Some("1"))]);
        script.commit("main", 1_700_002_000, &[10, side], &[("apps/x", Some("1"))]);
        // What is static is never dropped: it stays where `cargo clean` finds it.
        let world = Self::within(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap(), &script);
        git(&world.bare(), &["tag", "light", "main~2"]);
        git(&world.bare(), &["tag", "-a", "-m", "v1", "v1", "main~1"]);
        git(&world.bare(), &["tag", "-a", "-m", "nested", "nested", "v1"]);
        world
    }

    pub fn bare(&self) -> PathBuf {
        self.folder.path().join("srv/acme/app.git")
    }

    pub fn scratch(&self) -> PathBuf {
        self.folder.path().join("temp")
    }

    pub fn remote(&self) -> Remote {
        remote(&self.server.url, None)
    }

    pub fn sha(&self, name: &str) -> CommitSha {
        CommitSha::parse(&git(&self.bare(), &["rev-parse", name])).unwrap()
    }

    pub fn wanted(&self, branch: &str) -> Wanted {
        Wanted { reference: format!("refs/heads/{branch}"), sha: self.sha(branch) }
    }

    /// The history of `main`, with the checkout where there is one.
    pub fn open(&self, workspace: Option<&Path>) -> History {
        History::open(workspace, &self.scratch(), &self.remote(), &[self.wanted("main")]).unwrap()
    }

    /// Clones from the server into `checkout`, as actions/checkout would.
    pub fn clone(&self, arguments: &[&str]) -> PathBuf {
        let url = format!("{}/acme/app", self.server.url);
        let target = self.folder.path().join("checkout");
        let mut all = vec!["clone", "-q"];
        all.extend_from_slice(arguments);
        all.extend_from_slice(&[&url, target.to_str().unwrap()]);
        git(self.folder.path(), &all);
        self.server.state.lock().unwrap().requests.clear();
        target
    }

    /// Adds a commit on top of `main` on the server.
    pub fn advance(&self, file: &str) -> CommitSha {
        advance(&self.bare(), file);
        self.sha("main")
    }
}

/// Adds a commit that adds `file`.
pub fn advance(bare: &Path, file: &str) {
    let blob = git_with(bare, &["hash-object", "-w", "--stdin"], file);
    let mut entries = git(bare, &["ls-tree", "main"]);
    entries.push_str(&format!("\n100644 blob {blob}\t{file}\n"));
    let tree = git_with(bare, &["mktree"], &entries);
    let commit = git(bare, &["commit-tree", &tree, "-p", "main", "-m", file]);
    git(bare, &["update-ref", "refs/heads/main", &commit]);
}

pub fn remote(url: &str, token: Option<&str>) -> Remote {
    remote_of(url, RepoSlug::parse("acme/app").unwrap(), token)
}

pub fn remote_of(url: &str, slug: RepoSlug, token: Option<&str>) -> Remote {
    Remote::new(url, slug, token.map(Secret::new), CLIENT.clone(), RUNTIME.handle().clone()).unwrap()
}

pub fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

/// Every file and folder: kind, mode, owner, time of change, bytes.
pub fn snapshot(folder: &Path) -> BTreeMap<PathBuf, (u32, u32, i64, i64, Vec<u8>)> {
    use std::os::unix::fs::MetadataExt;
    let mut all = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        let Ok(about) = path.symlink_metadata() else { continue };
        if about.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let bytes = if about.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
        all.insert(path, (about.mode(), about.uid(), about.mtime(), about.mtime_nsec(), bytes));
    }
    all
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
