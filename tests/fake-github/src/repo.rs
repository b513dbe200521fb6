//! Driving one repository: what people, other workflows and other tools do to it.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use jiff::Timestamp;
use serde_json::Value;

use crate::facts::{CheckRun, Commit, Deployment, DeploymentStatus, Release, Status, Workflow, WorkflowRun};
use crate::rest::merging::{How, merge_pull, update_head};
use crate::rest::pulls::{Wanted, open, set_state};
use crate::rest::{Refusal, actions, checks, deployments, issues, reviews, statuses};
use crate::server::{Shared, locked};
use crate::shape;
use crate::state::{
    AutoMerge, Comment, Happened, Issue, IssueState, Pull, ReleaseState, RepoSettings, RepoState, Site,
};
use crate::store::{Signer, full};
use crate::traffic::Origin;

/// One repository of a running fake GitHub.
#[derive(Clone)]
pub struct Repo {
    shared: Arc<Shared>,
    full_name: String,
}

/// A pull request as a test wants to see it.
#[derive(Clone, Debug)]
pub struct PullView {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Its body; empty when it has none.
    pub body: String,
    /// `open`, `closed` or `merged`.
    pub state: String,
    /// Whether it is a draft.
    pub draft: bool,
    /// Its head branch.
    pub head: String,
    /// Its head commit.
    pub head_sha: String,
    /// Its base branch.
    pub base: String,
    /// Login of who opened it.
    pub author: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// Logins asked for a review.
    pub reviewers: Vec<String>,
    /// Logins assigned.
    pub assignees: Vec<String>,
    /// Bodies of its comments, oldest first.
    pub comments: Vec<String>,
    /// Whether it merges by itself when it may.
    pub auto_merge: bool,
    /// Its page.
    pub url: String,
}

fn refused(refusal: &Refusal) -> anyhow::Error {
    let detail = refusal.errors.first().map(|error| match error.get("message").and_then(Value::as_str) {
        Some(message) => message.to_owned(),
        None => error.to_string(),
    });
    anyhow!(
        "{} {}{}",
        refusal.status,
        refusal.message,
        detail.map(|text| format!(": {text}")).unwrap_or_default()
    )
}

impl Repo {
    pub(crate) fn new(shared: Arc<Shared>, full_name: &str) -> Self {
        Self { shared, full_name: full_name.to_owned() }
    }

    /// Does something to the site and the repository, then lets pull requests follow the refs.
    pub(crate) fn with<T>(
        &self,
        act: impl FnOnce(&mut Site, &mut RepoState) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let mut world = locked(&self.shared.world);
        let (site, repo) = world.enter(&self.full_name).context("the repository is gone")?;
        let done = act(site, repo)?;
        world.follow_refs(&self.full_name);
        Ok(done)
    }

    pub(crate) fn record_event(&self, origin: Origin, name: &str, payload: &Value) {
        self.shared.recorder.event(origin, name, payload);
    }

    /// `owner/name`
    #[must_use]
    pub fn full_name(&self) -> &str {
        &self.full_name
    }

    /// The page of the repository; with `.git` appended, its clone address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/{}", self.shared.base, self.full_name)
    }

    /// The server address, `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn server_url(&self) -> &str {
        &self.shared.base
    }

    /// The bare repository's folder.
    pub fn git_dir(&self) -> anyhow::Result<PathBuf> {
        self.with(|_, repo| Ok(repo.store.path.clone()))
    }

    /// The repository's id, as in `GITHUB_REPOSITORY_ID`.
    pub fn id(&self) -> anyhow::Result<u64> {
        self.with(|_, repo| Ok(repo.id))
    }

    /// Changes the settings.
    pub fn set(&self, change: impl FnOnce(&mut RepoSettings)) -> anyhow::Result<()> {
        self.with(|_, repo| {
            change(&mut repo.settings);
            Ok(repo.store.protect(&repo.settings.protected_branches)?)
        })
    }

    /// Gives a person a role: `admin`, `write`, `read`, `none`.
    pub fn set_role(&self, login: &str, role: &str) -> anyhow::Result<()> {
        self.with(|site, repo| {
            site.know(login);
            repo.collaborators.insert(login.to_owned(), role.to_owned());
            Ok(())
        })
    }

    /// Commits to a branch as a person's push does; returns the sha.
    pub fn commit(&self, commit: &Commit) -> anyhow::Result<String> {
        self.with(|site, repo| {
            site.know(&commit.author);
            let person = site.people.get(&commit.author);
            let name = person.and_then(|person| person.name.clone()).unwrap_or_else(|| commit.author.clone());
            let email = site.email(&commit.author);
            let when = commit.time.unwrap_or(site.clock.now());
            let signer = Signer { name: &name, email: &email, when };
            Ok(repo.store.record(commit, &repo.default_branch, &signer)?.to_string())
        })
    }

    /// Points a full ref name at a commit, making it or moving it by force.
    ///
    /// Outside of `refs/heads/`, the sha of a tag object is taken as it is: so a tag gets a ref of another name.
    pub fn set_ref(&self, name: &str, target: &str) -> anyhow::Result<()> {
        self.with(|_, repo| {
            let tag = full(target).filter(|oid| repo.store.git.find_tag(*oid).is_ok());
            let oid = match tag.filter(|_| !name.starts_with("refs/heads/")) {
                Some(tag) => tag,
                None => repo.store.resolve(target).with_context(|| format!("no commit `{target}`"))?.id(),
            };
            repo.store.git.reference(name, oid, true, "push")?;
            Ok(())
        })
    }

    /// Deletes a ref by its full name.
    pub fn delete_ref(&self, name: &str) -> anyhow::Result<()> {
        self.with(|_, repo| Ok(repo.store.git.find_reference(name)?.delete()?))
    }

    /// Makes another (existing) branch the default.
    pub fn set_default_branch(&self, name: &str) -> anyhow::Result<()> {
        self.with(|_, repo| {
            repo.store.git.set_head(&format!("refs/heads/{name}"))?;
            name.clone_into(&mut repo.default_branch);
            Ok(())
        })
    }

    /// The commit that a branch, tag, ref or sha names.
    pub fn resolve(&self, rev: &str) -> anyhow::Result<String> {
        self.with(|_, repo| {
            let commit = repo.store.resolve(rev).with_context(|| format!("no commit `{rev}`"))?;
            Ok(commit.id().to_string())
        })
    }

    /// The text of a file at a commit.
    pub fn file(&self, rev: &str, path: &str) -> anyhow::Result<String> {
        self.with(|_, repo| {
            let commit = repo.store.resolve(rev).with_context(|| format!("no commit `{rev}`"))?;
            let bytes = repo.store.file(&commit, path).with_context(|| format!("no `{path}` at `{rev}`"))?;
            Ok(String::from_utf8(bytes)?)
        })
    }

    /// The refs below a prefix such as `refs/heads/`, with their shas.
    pub fn refs(&self, prefix: &str) -> anyhow::Result<Vec<(String, String)>> {
        self.with(|_, repo| {
            Ok(repo.store.refs(prefix).into_iter().map(|(name, oid)| (name, oid.to_string())).collect())
        })
    }

    /// Lists a workflow; returns its id.
    pub fn add_workflow(&self, workflow: Workflow) -> anyhow::Result<u64> {
        self.with(|site, repo| {
            let id = site.next_id("workflow");
            repo.workflows.retain(|(_, other)| other.path != workflow.path);
            repo.workflows.push((id, workflow));
            Ok(id)
        })
    }

    /// States that a workflow ran; returns the run's id.
    pub fn add_workflow_run(&self, run: WorkflowRun) -> anyhow::Result<u64> {
        self.with(|site, repo| {
            site.know(&run.actor);
            Ok(actions::add(site, repo, run))
        })
    }

    /// Changes a run's status and conclusion, and those of its jobs.
    pub fn set_run(&self, id: u64, status: &str, conclusion: Option<&str>) -> anyhow::Result<()> {
        self.with(|site, repo| {
            let now = site.clock.now();
            let run = repo.runs.iter_mut().find(|run| run.id == id).context("no such run")?;
            status.clone_into(&mut run.fact.status);
            run.fact.conclusion = conclusion.map(str::to_owned);
            run.updated_at = now;
            for check in repo.check_runs.iter_mut().filter(|check| check.run == Some(id)) {
                status.clone_into(&mut check.fact.status);
                check.fact.conclusion = conclusion.map(str::to_owned);
                check.fact.completed_at = conclusion.map(|_| now);
            }
            Ok(())
        })
    }

    /// Sets the Markdown that a run's page shows as its job summary.
    pub fn set_job_summary(&self, run: u64, markdown: &str) -> anyhow::Result<()> {
        self.with(|_, repo| {
            let run = repo.runs.iter_mut().find(|other| other.id == run).context("no such run")?;
            run.summary = Some(markdown.to_owned());
            Ok(())
        })
    }

    /// States that an app checked a commit; returns the check run's id.
    pub fn add_check_run(&self, check: CheckRun) -> anyhow::Result<u64> {
        self.with(|site, repo| Ok(checks::add(site, repo, check)))
    }

    /// Sets a commit status; returns its id.
    pub fn add_status(&self, status: Status) -> anyhow::Result<u64> {
        self.with(|site, repo| Ok(statuses::add(site, repo, status)))
    }

    /// States a deployment; returns its id.
    pub fn add_deployment(&self, deployment: Deployment) -> anyhow::Result<u64> {
        self.with(|site, repo| deployments::add(site, repo, deployment).map_err(|refusal| refused(&refusal)))
    }

    /// Adds a status to a deployment.
    pub fn add_deployment_status(&self, deployment: u64, status: DeploymentStatus) -> anyhow::Result<u64> {
        self.with(|site, repo| {
            let (id, at) = (site.next_id("deployment-status"), status.created_at.unwrap_or(site.clock.now()));
            let found = repo.deployments.iter_mut().find(|other| other.id == deployment);
            found.context("no such deployment")?.statuses.push((id, at, status));
            Ok(id)
        })
    }

    /// Publishes a release page; returns its id.
    pub fn add_release(&self, release: Release) -> anyhow::Result<u64> {
        self.with(|site, repo| {
            let (id, created_at) = (site.next_id("release"), site.clock.now());
            site.know(&release.author);
            repo.releases.push(ReleaseState { id, created_at, fact: release });
            Ok(id)
        })
    }

    /// Opens a pull request as a person; returns its number.
    pub fn open_pull(
        &self,
        author: &str,
        head: &str,
        base: &str,
        title: &str,
        body: &str,
    ) -> anyhow::Result<u64> {
        self.with(|site, repo| {
            site.know(author);
            let wanted = Wanted { title, body: Some(body), head, base, draft: false, author };
            open(site, repo, &wanted).map_err(|refusal| refused(&refusal))
        })
    }

    /// Reviews a pull request: `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`.
    pub fn review(&self, number: u64, author: &str, state: &str, body: &str) -> anyhow::Result<u64> {
        self.with(|site, repo| {
            site.know(author);
            reviews::submit(site, repo, number, author, state, body).map_err(|refusal| refused(&refusal))
        })
    }

    /// Approves a pull request as it was at a commit: what was on the reviewer's screen when the head moved on.
    pub fn approve_at(&self, number: u64, author: &str, commit: &str) -> anyhow::Result<u64> {
        let id = self.approve(number, author)?;
        self.change(number, |_, pull, _| {
            for review in pull.reviews.iter_mut().filter(|review| review.id == id) {
                commit.clone_into(&mut review.commit_id);
            }
        })?;
        Ok(id)
    }

    /// Approves a pull request.
    pub fn approve(&self, number: u64, author: &str) -> anyhow::Result<u64> {
        self.review(number, author, "APPROVED", "")
    }

    /// Closes a pull request.
    pub fn close(&self, number: u64, actor: &str) -> anyhow::Result<()> {
        self.with(|site, repo| {
            set_state(site, repo, number, IssueState::Closed, actor).map_err(|refusal| refused(&refusal))
        })
    }

    /// Reopens a pull request.
    pub fn reopen(&self, number: u64, actor: &str) -> anyhow::Result<()> {
        self.with(|site, repo| {
            set_state(site, repo, number, IssueState::Open, actor).map_err(|refusal| refused(&refusal))
        })
    }

    /// Merges a pull request with `merge`, `squash` or `rebase`; returns the base's new tip.
    pub fn merge(&self, number: u64, actor: &str, method: &str) -> anyhow::Result<String> {
        self.with(|site, repo| {
            site.know(actor);
            let how = How { method, title: None, message: None };
            merge_pull(site, repo, number, actor, &how).map_err(|refusal| refused(&refusal))
        })
    }

    /// Presses "Update branch": merges the base into the head; returns the head's new tip.
    pub fn update_branch(&self, number: u64, actor: &str) -> anyhow::Result<String> {
        self.with(|site, repo| {
            site.know(actor);
            update_head(site, repo, number, actor).map_err(|refusal| refused(&refusal))
        })
    }

    /// Comments on a pull request or issue.
    pub fn comment(&self, number: u64, author: &str, body: &str) -> anyhow::Result<u64> {
        self.with(|site, repo| {
            site.know(author);
            let (id, now) = (site.next_id("comment"), site.clock.now());
            let issue = repo.issue_mut(number).context("no such pull request")?;
            let (author, body) = (author.to_owned(), body.to_owned());
            issue.comments.push(Comment { id, author, body, created_at: now, updated_at: now });
            Ok(id)
        })
    }

    /// Gives the repository a label.
    pub fn add_label(&self, name: &str) -> anyhow::Result<()> {
        self.with(|site, repo| issues::describe(site, repo, name).map_err(|refusal| refused(&refusal)))
    }

    /// Puts a label on a pull request.
    pub fn label(&self, number: u64, name: &str) -> anyhow::Result<()> {
        self.with(|site, repo| {
            issues::describe(site, repo, name).map_err(|refusal| refused(&refusal))?;
            let issue = repo.issue_mut(number).context("no such pull request")?;
            issue.labels.push(name.to_owned());
            Ok(())
        })
    }

    /// Edits the text of a pull request as a person.
    pub fn edit(&self, number: u64, title: &str, body: &str) -> anyhow::Result<()> {
        self.change(number, |issue, _, _| {
            title.clone_into(&mut issue.title);
            issue.body = Some(body.to_owned());
        })
    }

    /// Marks a pull request ready for review.
    pub fn mark_ready(&self, number: u64, actor: &str) -> anyhow::Result<()> {
        self.mark(number, Happened::ReadyForReview, actor)
    }

    /// Makes a pull request a draft.
    pub fn mark_draft(&self, number: u64, actor: &str) -> anyhow::Result<()> {
        self.mark(number, Happened::ConvertedToDraft, actor)
    }

    fn mark(&self, number: u64, what: Happened, actor: &str) -> anyhow::Result<()> {
        self.with(|site, repo| {
            site.know(actor);
            let now = site.clock.now();
            let issue = repo.issue_mut(number).context("no such pull request")?;
            issue.mark(site, what, actor);
            issue.updated_at = now;
            Ok(())
        })
    }

    /// Enables auto-merge as a person, whatever the state.
    pub fn enable_auto_merge(&self, number: u64, actor: &str, method: &str) -> anyhow::Result<()> {
        let auto = |enabled_at| AutoMerge {
            enabled_by: actor.to_owned(),
            method: method.to_lowercase(),
            commit_title: None,
            commit_message: None,
            enabled_at,
        };
        self.change(number, |_, pull, now| pull.auto_merge = Some(auto(now)))
    }

    /// Turns auto-merge off.
    pub fn disable_auto_merge(&self, number: u64) -> anyhow::Result<()> {
        self.change(number, |_, pull, _| pull.auto_merge = None)
    }

    fn change(&self, number: u64, act: impl FnOnce(&mut Issue, &mut Pull, Timestamp)) -> anyhow::Result<()> {
        self.with(|site, repo| {
            let now = site.clock.now();
            let issue = repo.issue_mut(number).context("no such pull request")?;
            let Some(mut pull) = issue.pull.take() else { bail!("`#{number}` is an issue") };
            act(issue, &mut pull, now);
            issue.pull = Some(pull);
            issue.updated_at = now;
            Ok(())
        })
    }

    /// All pull requests, oldest first.
    pub fn pulls(&self) -> anyhow::Result<Vec<PullView>> {
        let url = self.url();
        self.with(|_, repo| {
            let view = |issue: &Issue| issue.pull.as_ref().map(|pull| viewed(&url, issue, pull));
            Ok(repo.issues.iter().filter_map(view).collect())
        })
    }

    /// One pull request.
    pub fn pull(&self, number: u64) -> anyhow::Result<PullView> {
        let all = self.pulls()?;
        all.into_iter()
            .find(|pull| pull.number == number)
            .with_context(|| format!("no pull request {number}"))
    }

    /// A pull request as REST shows it.
    pub fn pull_json(&self, number: u64) -> anyhow::Result<Value> {
        self.with(|site, repo| {
            let issue = repo.issue(number).context("no such pull request")?;
            Ok(shape::pull(site, repo, issue))
        })
    }

    /// The check runs of a commit as REST shows them, oldest first.
    pub fn check_runs(&self, sha: &str) -> anyhow::Result<Vec<Value>> {
        self.with(|site, repo| {
            let here = repo.check_runs.iter().filter(|check| check.fact.head_sha == sha);
            Ok(here.map(|check| shape::check_run(site, repo, check)).collect())
        })
    }

    /// The annotations of a check run as REST shows them.
    pub fn annotations(&self, check_run: u64) -> anyhow::Result<Vec<Value>> {
        self.with(|site, repo| {
            let check =
                repo.check_runs.iter().find(|check| check.id == check_run).context("no such check run")?;
            Ok(shape::annotations(site, repo, check))
        })
    }
}

fn viewed(url: &str, issue: &Issue, pull: &Pull) -> PullView {
    let state = if pull.merged_at.is_some() { "merged" } else { issue.state.word() };
    PullView {
        number: issue.number,
        title: issue.title.clone(),
        body: issue.body.clone().unwrap_or_default(),
        state: state.to_owned(),
        draft: pull.draft,
        head: pull.head_ref.clone(),
        head_sha: pull.head_sha.clone(),
        base: pull.base_ref.clone(),
        author: issue.author.clone(),
        labels: issue.labels.clone(),
        reviewers: pull.reviewers.clone(),
        assignees: issue.assignees.clone(),
        comments: issue.comments.iter().map(|comment| comment.body.clone()).collect(),
        auto_merge: pull.auto_merge.is_some(),
        url: format!("{url}/pull/{}", issue.number),
    }
}
