//! What GitHub knows of one repository beside its git objects.

use std::collections::{BTreeMap, BTreeSet};

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
    pub check_suites: Vec<CheckSuite>,
    pub check_runs: Vec<CheckRunState>,
    pub statuses: Vec<StatusState>,
    pub deployments: Vec<DeploymentState>,
    pub workflows: Vec<(u64, Workflow)>,
    pub runs: Vec<RunState>,
    pub releases: Vec<ReleaseState>,
    /// Commits that GitHub signed itself.
    pub verified: BTreeSet<String>,
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
