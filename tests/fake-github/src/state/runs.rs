//! What ran: the facts that a test or an API call stated, with the ids that GitHub gave them.

use jiff::Timestamp;

use crate::facts::{CheckRun, Deployment, DeploymentStatus, Release, Status, WorkflowRun};

/// All check runs of one app on one commit.
#[derive(Clone, Debug)]
pub(crate) struct CheckSuite {
    pub id: u64,
    pub app: String,
    pub head_sha: String,
    pub head_branch: Option<String>,
    pub created_at: Timestamp,
    /// Positions of its check runs in the repository's.
    pub checks: Vec<usize>,
}

/// A check run.
#[derive(Clone, Debug)]
pub(crate) struct CheckRunState {
    pub id: u64,
    pub suite: u64,
    pub created_at: Timestamp,
    pub fact: CheckRun,
    /// The workflow run whose job this is.
    pub run: Option<u64>,
}

/// A commit status.
#[derive(Clone, Debug)]
pub(crate) struct StatusState {
    pub id: u64,
    pub created_at: Timestamp,
    pub fact: Status,
}

/// A deployment and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct DeploymentState {
    pub id: u64,
    pub sha: String,
    pub created_at: Timestamp,
    pub fact: Deployment,
    pub statuses: Vec<(u64, Timestamp, DeploymentStatus)>,
}

/// A workflow run; its jobs are check runs of the same suite.
#[derive(Clone, Debug)]
pub(crate) struct RunState {
    pub id: u64,
    pub workflow: u64,
    pub suite: u64,
    pub number: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub fact: WorkflowRun,
    /// Markdown of the job summary, where one was given.
    pub summary: Option<String>,
}

/// A release page.
#[derive(Clone, Debug)]
pub(crate) struct ReleaseState {
    pub id: u64,
    pub created_at: Timestamp,
    pub fact: Release,
}
