//! What GitHub says of a commit, as values: runs, check runs, statuses, deployments.
//!
//! Nothing is judged here.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::names::CommitSha;

/// A run of a GitHub Actions workflow, its latest attempt.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its id, which is also how it is left out of its own evidence.
    pub id: u64,
    /// The number people know it by.
    pub number: u64,
    /// The workflow's name.
    pub name: String,
    /// The workflow's file: `.github/workflows/staging.yml`.
    pub path: String,
    /// The event that started it.
    pub event: String,
    /// The branch or tag it ran for, where GitHub knows.
    pub head_branch: Option<String>,
    /// `queued`, `in_progress`, `completed`, …
    pub status: String,
    /// Set once it is completed.
    pub conclusion: Option<String>,
    /// Whether its code came from a fork (or from nowhere known).
    pub foreign: bool,
    /// Its page.
    pub url: Option<String>,
    /// When the latest attempt began.
    pub started_at: Option<Timestamp>,
    /// When it last changed: once completed, when it completed.
    pub updated_at: Option<Timestamp>,
    /// The check suite its jobs report to.
    pub check_suite: Option<u64>,
}

/// A check run.
#[derive(Debug, Clone)]
pub struct CheckRun {
    /// Its id; for a job of a workflow run, the job's id.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// `queued`, `in_progress`, `completed`, …
    pub status: String,
    /// Set once it is completed.
    pub conclusion: Option<String>,
    /// The slug of the app that reported it.
    pub app: Option<String>,
    /// Its page.
    pub url: Option<String>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it completed.
    pub completed_at: Option<Timestamp>,
    /// The title of its output.
    pub title: Option<String>,
}

/// A commit status.
#[derive(Debug, Clone)]
pub struct Status {
    /// Its context.
    pub context: String,
    /// `success`, `failure`, `error` or `pending`.
    pub state: String,
    /// What it links to.
    pub url: Option<String>,
    /// Who set it.
    pub creator: Option<String>,
    /// What it says.
    pub description: Option<String>,
    /// When it was set.
    pub at: Option<Timestamp>,
}

/// The newest deployment of the commit to one environment, for one ref.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The environment.
    pub environment: String,
    /// The branch, tag or commit that it was asked for by, where that is known.
    pub reference: Option<String>,
    /// The workflow run that made it, where a job of Actions did.
    pub run: Option<u64>,
    /// Who deployed.
    pub creator: Option<String>,
    /// When it was asked for.
    pub created_at: Option<Timestamp>,
    /// Its statuses, newest first.
    pub statuses: Vec<DeploymentStatus>,
}

/// One status of a deployment.
#[derive(Debug, Clone)]
pub struct DeploymentStatus {
    /// `success`, `failure`, `inactive`, …
    pub state: String,
    /// Its log or environment.
    pub url: Option<String>,
    /// When it was set.
    pub at: Option<Timestamp>,
}

/// What GitHub knows of one commit, as far as the requirement needs it.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The commit.
    pub commit: CommitSha,
    /// Workflow runs.
    pub runs: Vec<Run>,
    /// Check runs, the latest of each name and app.
    pub checks: Vec<CheckRun>,
    /// Jobs of `runs`, by the id of their check run, each with its run's id; in a survey every check run below a run.
    pub jobs: HashMap<u64, u64>,
    /// Runs on other commits that made deployments of this one.
    pub makers: Vec<Run>,
    /// Statuses, newest first.
    pub statuses: Vec<Status>,
    /// Deployments, newest first.
    pub deployments: Vec<Deployment>,
}

impl Ran {
    /// A commit on which nothing ran, as far as is known.
    pub fn nothing(commit: &CommitSha) -> Self {
        Self {
            commit: commit.clone(),
            runs: Vec::new(),
            checks: Vec::new(),
            jobs: HashMap::new(),
            makers: Vec::new(),
            statuses: Vec::new(),
            deployments: Vec::new(),
        }
    }

    pub(super) fn is_silent(&self) -> bool {
        self.runs.is_empty()
            && self.checks.is_empty()
            && self.statuses.is_empty()
            && self.deployments.is_empty()
    }
}

/// The run that a page of Actions is of: `…/actions/runs/7/job/8` is of 7.
pub fn run_of_page(page: &str) -> Option<u64> {
    page.split_once("/actions/runs/")?.1.split(['/', '?', '#']).next()?.parse().ok()
}
