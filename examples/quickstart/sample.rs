//! The sample repository: two AI agents in three environments, and two weeks of history.
//!
//! The files are in `sample/` beside this one. The newest staging tag of fraud-agent is pending, the
//! next failed, the next is the latest successful one; support-agent runs its newest already.

use std::path::Path;

use anyhow::Result;
use fake_github::{Commit, FakeGitHub, Repo, Workflow, WorkflowRun};
use jiff::{SignedDuration, Timestamp};

const STAGING: &str = ".github/workflows/staging.yml";
const PROMOTE: &str = ".github/workflows/promote.yml";
const FRAUD: &str = "environments/staging/fraud-agent";

/// The repository, and the runs the quickstart needs.
pub struct Sample {
    /// `acme/gitops`.
    pub repo: Repo,
    /// The staging run that has just succeeded: its end starts the promotion.
    pub staging_run: u64,
    /// The run of the promoting workflow itself.
    pub promote_run: u64,
}

/// Makes the repository on a fake GitHub.
pub fn create(github: &FakeGitHub, now: Timestamp) -> Result<Sample> {
    for (login, name) in [("alice", "Alice Anders"), ("bob", "Bob Brandt"), ("carol", "Carol Chen")] {
        github.add_person(login, name, &format!("{login}@acme.example"));
    }
    let repo = github.create_repo("acme/gitops")?;
    repo.add_workflow(Workflow::new(STAGING).name("Staging pipeline"))?;
    repo.add_workflow(Workflow::new(PROMOTE).name("Promote"))?;
    let mut history = History { repo, now, day: 16 };

    let start = history.import()?;
    history.release("fraud-agent/v1.7.3", &start, "success")?;
    history.release("support-agent/v2.3.0", &start, "success")?;

    history.change(
        "feat(fraud-agent): explain each score in one sentence (#401)",
        "alice",
        "EXPLAIN = True",
    )?;
    history.change(
        "fix(fraud-agent): keep the currency when an amount is rounded (#404)",
        "bob",
        "ROUND = 'bank'",
    )?;
    history.change(
        "feat(fraud-agent)!: report the threshold as a percentage (#402)\n\nBREAKING CHANGE: `threshold` is 82 where it was 0.82",
        "alice",
        "PERCENT = True",
    )?;
    history.change(
        "perf(fraud-agent): batch the calls to the feature store (#407)",
        "carol",
        "BATCH = 32",
    )?;
    let tested = history.record(
        &[
            ("values.yaml", "tag: v1.7.3", "tag: v1.8.0"),
            (
                "values.yaml",
                "sha256:7c1d9b0fd0a54b1f7f3a5f6c4f2b9e8d1a6c5b4f3e2d1c0b9a8f7e6d5c4b3a29",
                "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            ("values.yaml", "\"2026-05-01\"", "\"2026-09-15\""),
            ("kustomization.yaml", "\"4.2\"", "\"4.10\""),
        ],
        "v1.8.0",
    )?;
    let staging_run = history.release("fraud-agent/v1.8.0", &tested, "success")?;

    history.change("fix(fraud-agent): ask the feature store a second time (#409)", "bob", "RETRIES = 1")?;
    let failed = history.record(&[("values.yaml", "tag: v1.8.0", "tag: v1.8.1")], "v1.8.1")?;
    history.release("fraud-agent/v1.8.1", &failed, "failure")?;

    history.change(
        "feat(fraud-agent): score card-not-present payments (#411)",
        "alice",
        "CARD_NOT_PRESENT = True",
    )?;
    let newest = history.record(&[("values.yaml", "tag: v1.8.1", "tag: v1.9.0")], "v1.9.0")?;
    history.release("fraud-agent/v1.9.0", &newest, "")?;

    let promote_run =
        WorkflowRun::new(PROMOTE, &newest).on("main").event("workflow_run").unfinished("in_progress").at(now);
    let promote_run = history.repo.add_workflow_run(promote_run)?;
    Ok(Sample { repo: history.repo, staging_run, promote_run })
}

struct History {
    repo: Repo,
    now: Timestamp,
    /// Days before now; every commit is most of a day later than the one before.
    day: i64,
}

impl History {
    fn next(&mut self) -> Timestamp {
        self.day = (self.day - 1).max(0);
        self.now - SignedDuration::from_hours(self.day * 24 + 2)
    }

    fn import(&mut self) -> Result<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart/sample");
        let mut commit =
            Commit::new("feat: two agents, three environments (#398)").by("carol").at(self.next());
        for path in files(&folder, &folder)? {
            let text = std::fs::read_to_string(folder.join(&path))?;
            commit = commit.file(&path, &text);
        }
        self.repo.commit(&commit)
    }

    /// A commit to fraud-agent's sources.
    fn change(&mut self, message: &str, author: &str, line: &str) -> Result<String> {
        let path = "apps/fraud-agent/agent.py";
        let text = format!("{}{line}\n", self.text(path)?);
        let commit = Commit::new(message).file(path, &text).by(author).at(self.next());
        self.repo.commit(&commit)
    }

    /// What the staging pipeline records before it tags.
    fn record(&mut self, moves: &[(&str, &str, &str)], version: &str) -> Result<String> {
        let mut files: Vec<(String, String)> = Vec::new();
        for (file, from, to) in moves {
            let path = format!("{FRAUD}/{file}");
            let before = match files.iter().find(|(known, _)| *known == path) {
                Some((_, text)) => text.clone(),
                None => self.text(&path)?,
            };
            anyhow::ensure!(before.contains(from), "{path} has no {from}");
            files.retain(|(known, _)| *known != path);
            files.push((path, before.replacen(from, to, 1)));
        }
        let message = format!("chore(staging): record fraud-agent {version}");
        let at = self.next();
        let commit =
            files.into_iter().fold(Commit::new(&message), |commit, (path, text)| commit.file(&path, &text));
        self.repo.commit(&commit.by("carol").at(at))
    }

    /// A tag and the staging run that it started; an empty conclusion is a run that is going on.
    fn release(&mut self, tag: &str, commit: &str, conclusion: &str) -> Result<u64> {
        let at = self.now - SignedDuration::from_hours(self.day * 24 + 1);
        self.repo.annotated_tag(tag, commit, tag, "carol", Some(at))?;
        let run = WorkflowRun::new(STAGING, commit).on(tag).event("push").at(at);
        self.repo.add_workflow_run(if conclusion.is_empty() {
            run.unfinished("in_progress")
        } else {
            run.concluded(conclusion)
        })
    }

    fn text(&self, path: &str) -> Result<String> {
        self.repo.file("main", path)
    }
}

/// Every file below `folder`, as paths of the repository.
fn files(folder: &Path, root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, root)?);
        } else {
            found.push(path.strip_prefix(root)?.to_string_lossy().into_owned());
        }
    }
    found.sort();
    Ok(found)
}
