//! What GitHub knows of one repository beside its git objects.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CheckRunState, CheckSuite, DeploymentState, Issue, Label, ReleaseState, RunState, StatusState};
use crate::facts::Workflow;
use crate::store::Store;

/// One repository.
pub(crate) struct RepoState {
    pub id: u64,
    pub owner: String,
    pub name: String,
    pub default_branch: String,
    pub created_at: Timestamp,
    pub settings: RepoSettings,
    pub store: Store,
    pub issues: Vec<Issue>,
    pub labels: Vec<Label>,
    pub collaborators: BTreeMap<String, String>,
    /// As ids count up, this and the next lists are sorted by id.
    pub check_suites: Vec<CheckSuite>,
    pub check_runs: Vec<CheckRunState>,
    pub statuses: Vec<StatusState>,
    pub deployments: Vec<DeploymentState>,
    pub by_commit: ByCommit,
    pub workflows: Vec<(u64, Workflow)>,
    pub runs: Vec<RunState>,
    pub releases: Vec<ReleaseState>,
    /// Commits that GitHub signed itself.
    pub verified: BTreeSet<String>,
    /// What GitHub found out about the signatures of tag objects; `unsigned` for those not named.
    pub tag_verification: BTreeMap<String, &'static str>,
}

/// Positions of what there is on each commit: repositories of tests have tens of thousands of each.
#[derive(Clone, Default)]
pub(crate) struct ByCommit {
    suites: BTreeMap<String, Vec<usize>>,
    statuses: BTreeMap<String, Vec<usize>>,
    deployments: BTreeMap<String, Vec<usize>>,
}

/// What the positions name in a list, with the positions.
fn named<'a, T>(all: &'a [T], at: Option<&Vec<usize>>) -> impl DoubleEndedIterator<Item = (usize, &'a T)> {
    at.map_or(&[][..], Vec::as_slice).iter().filter_map(|at| Some((*at, all.get(*at)?)))
}

/// The settings of a repository that change what GitHub allows.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[allow(clippy::struct_excessive_bools, reason = "they mirror the checkboxes of GitHub's settings page")]
pub struct RepoSettings {
    /// Whether the repository is private; a token then needs the permission to read.
    pub private: bool,
    /// Whether the plan has draft pull requests (private repositories of free plans have none).
    pub drafts: bool,
    /// "Allow auto-merge".
    pub auto_merge: bool,
    /// "Allow GitHub Actions to create and approve pull requests".
    pub actions_may_open_pull_requests: bool,
    /// Approvals that the base branch asks for before a merge.
    pub required_approvals: usize,
    /// Branches that nobody may push to or move by API.
    pub protected_branches: Vec<String>,
    /// Teams that may be asked for a review.
    pub teams: Vec<String>,
    /// Whether `updateRefs` exists (older GHES lack it).
    pub update_refs: bool,
    /// The description shown under the name.
    pub description: Option<String>,
}

impl Default for RepoSettings {
    fn default() -> Self {
        Self {
            private: true,
            drafts: true,
            auto_merge: true,
            actions_may_open_pull_requests: true,
            required_approvals: 0,
            protected_branches: Vec::new(),
            teams: Vec::new(),
            update_refs: true,
            description: None,
        }
    }
}

impl RepoState {
    /// The same repository over a copy of its folder.
    pub fn copied(&self, to: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            id: self.id,
            owner: self.owner.clone(),
            name: self.name.clone(),
            default_branch: self.default_branch.clone(),
            created_at: self.created_at,
            settings: self.settings.clone(),
            store: self.store.copied(to)?,
            issues: self.issues.clone(),
            labels: self.labels.clone(),
            collaborators: self.collaborators.clone(),
            check_suites: self.check_suites.clone(),
            check_runs: self.check_runs.clone(),
            statuses: self.statuses.clone(),
            deployments: self.deployments.clone(),
            by_commit: self.by_commit.clone(),
            workflows: self.workflows.clone(),
            runs: self.runs.clone(),
            releases: self.releases.clone(),
            verified: self.verified.clone(),
            tag_verification: self.tag_verification.clone(),
        })
    }

    pub fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// The REST address of the repository.
    pub fn api(&self, base: &str) -> String {
        format!("{base}/api/v3/repos/{}", self.full_name())
    }

    /// The page of the repository.
    pub fn html(&self, base: &str) -> String {
        format!("{base}/{}", self.full_name())
    }

    pub fn next_number(&self) -> u64 {
        self.issues.iter().map(|issue| issue.number).max().unwrap_or(0) + 1
    }

    pub fn issue(&self, number: u64) -> Option<&Issue> {
        self.issues.iter().find(|issue| issue.number == number)
    }

    pub fn issue_mut(&mut self, number: u64) -> Option<&mut Issue> {
        self.issues.iter_mut().find(|issue| issue.number == number)
    }

    pub fn add_suite(&mut self, suite: CheckSuite) {
        let at = self.by_commit.suites.entry(suite.head_sha.clone()).or_default();
        at.push(self.check_suites.len());
        self.check_suites.push(suite);
    }

    pub fn add_check(&mut self, check: CheckRunState) {
        let suite = self.check_suites.binary_search_by_key(&check.suite, |suite| suite.id);
        if let Some(suite) = suite.ok().and_then(|at| self.check_suites.get_mut(at)) {
            suite.checks.push(self.check_runs.len());
        }
        self.check_runs.push(check);
    }

    pub fn add_status(&mut self, status: StatusState) {
        let at = self.by_commit.statuses.entry(status.fact.sha.clone()).or_default();
        at.push(self.statuses.len());
        self.statuses.push(status);
    }

    pub fn add_deployment(&mut self, deployment: DeploymentState) {
        let at = self.by_commit.deployments.entry(deployment.sha.clone()).or_default();
        at.push(self.deployments.len());
        self.deployments.push(deployment);
    }

    /// The check suites of a commit with their positions, oldest first; so are the next.
    pub fn suites_of(&self, sha: &str) -> impl DoubleEndedIterator<Item = (usize, &CheckSuite)> {
        named(&self.check_suites, self.by_commit.suites.get(sha))
    }

    pub fn statuses_of(&self, sha: &str) -> impl DoubleEndedIterator<Item = (usize, &StatusState)> {
        named(&self.statuses, self.by_commit.statuses.get(sha))
    }

    pub fn deployments_of(&self, sha: &str) -> impl DoubleEndedIterator<Item = (usize, &DeploymentState)> {
        named(&self.deployments, self.by_commit.deployments.get(sha))
    }

    /// The check runs of a suite with their positions, oldest first.
    pub fn checks_of(&self, suite: &CheckSuite) -> impl DoubleEndedIterator<Item = (usize, &CheckRunState)> {
        named(&self.check_runs, Some(&suite.checks))
    }

    /// The position of the workflow run that a suite belongs to: every run makes a suite of its own.
    pub fn run_of(&self, suite: &CheckSuite) -> Option<usize> {
        self.runs.binary_search_by_key(&suite.id, |run| run.suite).ok()
    }

    /// The workflow of a path, listing it under its file name when it is new.
    pub fn workflow_of(&mut self, path: &str, name: Option<&str>, new_id: u64) -> u64 {
        if let Some((id, _)) = self.workflows.iter().find(|(_, workflow)| workflow.path == path) {
            return *id;
        }
        let mut workflow = Workflow::new(path);
        if let Some(name) = name {
            name.clone_into(&mut workflow.name);
        }
        self.workflows.push((new_id, workflow));
        new_id
    }

    pub fn is_protected(&self, branch: &str) -> bool {
        self.settings.protected_branches.iter().any(|name| name == branch)
    }
}
