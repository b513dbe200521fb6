//! Makes the repository of a case on a fake GitHub.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use fake_github::{
    CheckRun, Commit, Deployment, DeploymentStatus, Effect, FakeGitHub, Fault, Job, On, Options, Release,
    Repo, Status, Token, Workflow, WorkflowRun,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::case::{Case, Event, Ran, Step, Tag, TagEvent};
use super::normal::Normal;

pub const TOKEN: &str = "ghs_job";
const WORKFLOWS: &str = ".github/workflows/";

/// A repository with the history of a case.
pub struct Made {
    pub github: FakeGitHub,
    pub repo: Repo,
    pub normal: Normal,
    pub promoting: u64,
    /// The name and payload of what starts the run.
    pub event: (&'static str, Value),
}

/// How the server answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// As GitHub does.
    Usual,
    /// One entry a page, and no GraphQL.
    Hard,
}

/// Makes all of it, oldest first.
pub fn made(case: &Case, manner: Manner) -> anyhow::Result<Made> {
    // Whole minutes: times are told to the minute, and compared with this one.
    let now = Timestamp::from_second(Timestamp::now().as_second() / 60 * 60)?;
    let page_cap = (manner == Manner::Hard).then_some(1);
    let github = FakeGitHub::start(&Options { now: Some(now), page_cap, ..Options::default() })?;
    if manner == Manner::Hard {
        let on = On { path: Some("graphql".to_owned()), times: u64::MAX, ..On::default() };
        let body = json!({ "message": "This server is old." });
        github.inject(Fault { on, what: Effect::Status { status: 404, body, headers: BTreeMap::new() } })?;
    }
    github.add_token(Token::actions(TOKEN));
    for (login, name) in [("alice", "Alice"), ("bob", "Bob")] {
        github.add_person(login, name, &format!("{login}@acme.example"));
    }
    let repo = github.create_repo("acme/agent")?;
    repo.add_workflow(Workflow::new(&format!("{WORKFLOWS}promote.yml")).name("Promote"))?;
    for file in &case.workflows {
        repo.add_workflow(Workflow::new(&format!("{WORKFLOWS}{file}")).name(titled(file)))?;
    }
    let normal = Normal::new(github.url(), now);
    let mut making = Making { repo, normal, now, runs: Vec::new() };
    let first = making.start(case)?;
    let steps = case.history.iter().enumerate();
    for (index, step) in steps {
        let settings = case.settings.as_ref().filter(|_| index == 0 && first.is_none());
        making.step(index + 1, step, settings).with_context(|| format!("commit {}", index + 1))?;
    }
    let first = making.normal.commits.first().context("there is no commit")?.1.clone();
    let run =
        WorkflowRun::new(&format!("{WORKFLOWS}promote.yml"), &first).on("main").unfinished("in_progress");
    let promoting = making.repo.add_workflow_run(run)?;
    let event = making.event(case.event.as_ref())?;
    Ok(Made { github, repo: making.repo, normal: making.normal, promoting, event })
}

/// `staging.yml` is called `Staging`.
fn titled(file: &str) -> String {
    let stem = file.split('.').next().unwrap_or(file);
    let (first, rest) = stem.split_at(1);
    format!("{}{rest}", first.to_uppercase())
}

struct Making {
    repo: Repo,
    normal: Normal,
    now: Timestamp,
    /// Ids, in the order of the case.
    runs: Vec<u64>,
}

impl Making {
    /// The commit that everything begins with, if the case wants one.
    fn start(&mut self, case: &Case) -> anyhow::Result<Option<String>> {
        if case.start == "nothing" {
            return Ok(None);
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/starts").join(&case.start);
        let mut commit =
            Commit::new("feat: begin (#1)").by("alice").at(self.now - SignedDuration::from_hours(200));
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(&root)?.to_str().context("a name in UTF-8")?.to_owned();
                    commit = commit.file(&name, &self.normal.filled(&std::fs::read_to_string(&path)?)?);
                }
            }
        }
        if let Some(settings) = &case.settings {
            commit = commit.file(".github/promote.yaml", settings);
        }
        let sha = self.repo.commit(&commit)?;
        self.normal.commits.push((0, sha.clone()));
        self.repo.tag("v1.7.0", &sha)?;
        if let Some(file) = case.workflows.first() {
            let at = self.now - SignedDuration::from_hours(190);
            let run = WorkflowRun::new(&format!("{WORKFLOWS}{file}"), &sha).on("v1.7.0").at(at);
            self.runs.push(self.repo.add_workflow_run(run)?);
        }
        Ok(Some(sha))
    }

    fn step(&mut self, number: usize, step: &Step, settings: Option<&String>) -> anyhow::Result<()> {
        let age = step
            .age
            .map_or_else(|| SignedDuration::from_hours(96 - i64::try_from(number).unwrap_or(0)), |age| age.0);
        let message = match &step.release {
            Some(version) => format!("release {version}"),
            None => self.normal.filled(&step.commit)?,
        };
        let mut commit = Commit::new(&message).branch(step.branch.as_str()).by(&step.by).at(self.now - age);
        if let Some(settings) = settings {
            commit = commit.file(".github/promote.yaml", settings);
        }
        for (path, text) in &step.files {
            commit = commit.file(path, &self.normal.filled(text)?);
        }
        if let Some(version) = &step.release {
            let path = "environments/staging/values.yaml";
            let branch = if self.repo.resolve(&step.branch).is_ok() { &step.branch } else { "main" };
            let version = version.rsplit('/').next().unwrap_or(version);
            let text = with_value(&self.repo.file(branch, path)?, "image.tag", &format!("'{version}'"))?;
            let digest = self.normal.filled(&format!("<digest {version}>"))?;
            commit = commit.file(path, &with_value(&text, "image.digest", &digest)?);
        }
        for (path, values) in &step.set {
            let branch = if self.repo.resolve(&step.branch).is_ok() { &step.branch } else { "main" };
            let mut text = self.repo.file(branch, path)?;
            for (key, value) in values {
                text = with_value(&text, key, &self.normal.filled(value)?)
                    .with_context(|| format!("`set` of `{path}`"))?;
            }
            commit = commit.file(path, &text);
        }
        for path in &step.delete {
            commit = commit.without(path);
        }
        let sha = self.repo.commit(&commit)?;
        self.normal.commits.push((number, sha.clone()));
        for tag in &step.tags {
            let name = self.normal.filled(tag.name())?;
            match tag {
                Tag::Light(_) => self.repo.tag(&name, &sha)?,
                Tag::Annotated(tag) => {
                    let at = tag.age.map(|age| self.now - age.0);
                    let object = self.repo.annotated_tag(&name, &sha, &tag.message, "alice", at)?;
                    if let Some(reason) = &tag.signature {
                        self.repo.verify_tag(&name, reason)?;
                    }
                    if let Some(other) = &tag.under {
                        self.repo.set_ref(&format!("refs/tags/{other}"), &object)?;
                        self.repo.delete_ref(&format!("refs/tags/{name}"))?;
                    }
                }
            }
        }
        if let Some(version) = step.release.as_ref().filter(|_| step.tags.is_empty()) {
            self.repo.tag(version, &sha)?;
        }
        for number in 1..=step.many_tags.as_ref().map_or(0, |many| many.count) {
            let name = &step.many_tags.as_ref().context("there are many")?.name;
            self.repo.set_ref(&format!("refs/tags/{}", name.replace("{}", &number.to_string())), &sha)?;
        }
        for tag in &step.moves {
            self.repo.set_ref(&format!("refs/tags/{tag}"), &sha)?;
        }
        let first_tag = step.tags.first().map(|tag| self.normal.filled(tag.name())).transpose()?;
        let on = first_tag.or(step.release.clone()).unwrap_or_else(|| step.branch.clone());
        for ran in &step.ran {
            for _ in 0..ran.times.unwrap_or(1) {
                self.ran(ran, &sha, &on)?;
            }
        }
        for tag in &step.untags {
            self.repo.delete_ref(&format!("refs/tags/{tag}"))?;
        }
        if let Some(branch) = &step.forwards {
            let head = self.repo.resolve(branch)?;
            self.repo.set_ref("refs/heads/main", &head)?;
        }
        Ok(())
    }

    fn ran(&mut self, ran: &Ran, sha: &str, on: &str) -> anyhow::Result<()> {
        let at = self.now - ran.age.map_or(SignedDuration::from_hours(20), |age| age.0);
        let states = ran.is.all();
        let state = states.first().context("`is` has no state")?.as_str();
        let going = matches!(state, "queued" | "in_progress" | "waiting" | "requested" | "pending");
        match (&ran.workflow, &ran.check, &ran.status, &ran.deployment) {
            (Some(file), None, None, None) => {
                let mut run = WorkflowRun::new(&format!("{WORKFLOWS}{file}"), sha)
                    .on(ran.on.as_deref().unwrap_or(on))
                    .event(ran.event.as_deref().unwrap_or("push"))
                    .name(ran.name.clone().unwrap_or_else(|| titled(file)))
                    .at(at);
                run.head_repository.clone_from(&ran.fork);
                if ran.for_nothing {
                    run.head_branch = None;
                }
                if let Some(attempt) = ran.attempt {
                    let other = if state == "success" { "failure" } else { "success" };
                    let before = usize::try_from(attempt.saturating_sub(1))?;
                    run = run.run_attempt(attempt).earlier(vec![other.to_owned(); before]);
                }
                run = if going { run.unfinished(state) } else { run.concluded(state) };
                for name in &ran.jobs {
                    let mut job = Job::new(name);
                    job.status.clone_from(&run.status);
                    job.conclusion.clone_from(&run.conclusion);
                    run = run.job(job);
                }
                self.runs.push(self.repo.add_workflow_run(run)?);
            }
            (None, Some(name), None, None) => {
                let mut check = CheckRun::new(name, sha).started_at(at);
                check = if going { check.unfinished(state) } else { check.concluded(state).completed_at(at) };
                check.title.clone_from(&ran.title);
                if let Some(app) = &ran.app {
                    check.app.clone_from(app);
                }
                self.repo.add_check_run(check)?;
            }
            (None, None, Some(context), None) => {
                let mut status = Status::new(context, sha, state).created_at(at);
                if let Some(by) = &ran.by {
                    status.creator.clone_from(by);
                }
                self.repo.add_status(status)?;
            }
            (None, None, None, Some(environment)) => {
                let reference = ran.on.as_deref().unwrap_or(sha);
                let mut deployment = Deployment::new(environment, reference).created_at(at);
                let log_url = match &ran.run_of {
                    None => String::new(),
                    Some(file) => {
                        let run = WorkflowRun::new(&format!("{WORKFLOWS}{file}"), sha)
                            .on(on)
                            .event(ran.event.as_deref().unwrap_or("push"))
                            .at(at);
                        let run = self.repo.add_workflow_run(run)?;
                        format!("{}/actions/runs/{run}/job/1", self.repo.url())
                    }
                };
                for (hours, state) in (0..).zip(states) {
                    let at = at + SignedDuration::from_hours(hours);
                    deployment = deployment.status(
                        DeploymentStatus::default().state(state).created_at(at).log_url(log_url.clone()),
                    );
                }
                if let Some(by) = &ran.by {
                    deployment.creator.clone_from(by);
                }
                self.repo.add_deployment(deployment)?;
            }
            _ => bail!("`ran` names exactly one of `workflow`, `check`, `status` and `deployment`"),
        }
        Ok(())
    }

    fn event(&self, event: Option<&Event>) -> anyhow::Result<(&'static str, Value)> {
        let schedule = || Ok(("schedule", self.repo.event_schedule("0 6 * * *")?));
        match (event, self.runs.last().copied()) {
            (Some(Event::Tag(TagEvent::Push(tag))), _) => Ok(("push", self.repo.event_push_tag(tag)?)),
            (Some(Event::Tag(TagEvent::Deleted(tag))), _) => {
                let before = self.normal.commits.last().context("there is no commit")?.1.clone();
                Ok(("push", self.repo.event_push_deleted(&format!("refs/tags/{tag}"), &before)?))
            }
            (Some(Event::Tag(TagEvent::Create(tag))), _) => Ok(("create", self.repo.event_create_tag(tag)?)),
            (Some(Event::Tag(TagEvent::Release(tag))), _) => {
                self.repo.add_release(Release::new(tag))?;
                Ok(("release", self.repo.event_release(tag)?))
            }
            (Some(Event::Run { workflow_run }), _) => {
                let run = self.runs.get(*workflow_run).context("there is no run of that number")?;
                Ok(("workflow_run", self.repo.event_workflow_run(*run)?))
            }
            (Some(Event::Dispatch(dispatch)), _) => {
                let filled = |value: &String| self.normal.filled(value);
                let inputs: BTreeMap<&String, Option<String>> = dispatch
                    .workflow_dispatch
                    .iter()
                    .map(|(name, value)| Ok((name, value.as_ref().map(filled).transpose()?)))
                    .collect::<anyhow::Result<_>>()?;
                Ok(("workflow_dispatch", self.repo.event_workflow_dispatch(&json!(inputs))?))
            }
            (Some(Event::Name(name)), _) if name == "schedule" => schedule(),
            (Some(Event::Name(name)), _) if name != "workflow_run" => bail!("no event is called `{name}`"),
            (_, Some(run)) => Ok(("workflow_run", self.repo.event_workflow_run(run)?)),
            (None, None) => schedule(),
            (Some(_), None) => bail!("there is no workflow run whose end could be the event"),
        }
    }
}

/// The text with the value of a key in block style (`image.tag`) replaced by what stands there as it is written.
fn with_value(text: &str, key: &str, value: &str) -> anyhow::Result<String> {
    let mut parents: Vec<(usize, &str)> = Vec::new();
    let mut found = 0;
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        let content = line.trim_start_matches([' ', '-']);
        let indent = line.len() - content.len();
        let Some((name, rest)) = content.split_once(':').filter(|_| !content.starts_with('#')) else {
            out += line;
            continue;
        };
        parents.retain(|(depth, _)| *depth < indent);
        parents.push((indent, name));
        let path: Vec<&str> = parents.iter().map(|(_, name)| *name).collect();
        if path.join(".") == key {
            found += 1;
            // The comment stays, with the blanks before it.
            let end = rest.find(" #").unwrap_or(rest.len());
            let kept = rest[..end].trim_end().len();
            let before = &line[..=indent + name.len()];
            out += &format!("{before} {value}{}", &rest[kept..]);
        } else {
            out += line;
        }
    }
    match found {
        1 => Ok(out),
        0 => bail!("no key `{key}` in block style"),
        _ => bail!("`{key}` stands there {found} times: write the whole file"),
    }
}
