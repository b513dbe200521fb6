//! What a test may say has happened: runs, checks, statuses, deployments, releases, commits.
//!
//! Each is a plain value with sensible defaults and a builder method per field; the admin API takes the same
//! values as JSON (kebab-case keys).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

macro_rules! fact {
    ($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident : $ty:ty = $default:expr),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty),* }
        impl Default for $name {
            fn default() -> Self { Self { $($field: $default),* } }
        }
        impl $name { $(
            $(#[$fdoc])*
            #[must_use]
            pub fn $field(mut self, value: impl Into<$ty>) -> Self { self.$field = value.into(); self }
        )* }
    };
}

fact! {
    /// A workflow that Actions lists.
    Workflow {
        /// Its file, `.github/workflows/staging.yml`.
        path: String = String::new(),
        /// Its name.
        name: String = String::new(),
        /// `active`, `disabled_manually`, …
        state: String = "active".to_owned(),
    }
}

fact! {
    /// One run of a workflow (its latest attempt).
    WorkflowRun {
        /// The workflow's file; the workflow is listed if it was not.
        path: String = String::new(),
        /// The workflow's name; the file's stem when absent.
        name: Option<String> = None,
        /// The commit it ran on.
        head_sha: String = String::new(),
        /// The branch (or tag) it ran for.
        head_branch: Option<String> = None,
        /// `push`, `workflow_dispatch`, `pull_request`, …
        event: String = "push".to_owned(),
        /// `queued`, `in_progress`, `completed`.
        status: String = "completed".to_owned(),
        /// `success`, `failure`, …; ignored unless completed.
        conclusion: Option<String> = Some("success".to_owned()),
        /// Which attempt the latest is, from 1.
        run_attempt: u64 = 1,
        /// Conclusions of earlier attempts, first to last; `failure` for those not named.
        earlier: Vec<String> = Vec::new(),
        /// The run's number in its workflow; counted when absent.
        run_number: Option<u64> = None,
        /// Who caused it.
        actor: String = "alice".to_owned(),
        /// Full name of the repository of the head commit, where it is a fork.
        head_repository: Option<String> = None,
        /// The title in the list; the commit's subject when absent.
        display_title: Option<String> = None,
        /// When it was created; the present when absent.
        created_at: Option<Timestamp> = None,
        /// When it last changed; as created when absent.
        updated_at: Option<Timestamp> = None,
        /// Its jobs; one named `build` when empty.
        jobs: Vec<Job> = Vec::new(),
    }
}

fact! {
    /// One job of a workflow run; shows as a check run by Actions.
    Job {
        /// Its name.
        name: String = "build".to_owned(),
        /// As a run's.
        status: String = "completed".to_owned(),
        /// As a run's.
        conclusion: Option<String> = Some("success".to_owned()),
        /// When it started.
        started_at: Option<Timestamp> = None,
        /// When it ended.
        completed_at: Option<Timestamp> = None,
    }
}

fact! {
    /// A check run.
    CheckRun {
        /// Its name.
        name: String = String::new(),
        /// The commit it judges.
        head_sha: String = String::new(),
        /// `queued`, `in_progress`, `completed`.
        status: String = "completed".to_owned(),
        /// Its conclusion, when completed.
        conclusion: Option<String> = Some("success".to_owned()),
        /// The app's slug.
        app: String = "checks-app".to_owned(),
        /// An id of the app's own.
        external_id: Option<String> = None,
        /// Where its "Details" link leads.
        details_url: Option<String> = None,
        /// When it started.
        started_at: Option<Timestamp> = None,
        /// When it completed.
        completed_at: Option<Timestamp> = None,
        /// Title of the output.
        title: Option<String> = None,
        /// Summary of the output, Markdown.
        summary: Option<String> = None,
        /// Text of the output, Markdown.
        text: Option<String> = None,
        /// Annotations, as the API gives them.
        annotations: Vec<serde_json::Value> = Vec::new(),
        /// Buttons, as the API gives them.
        actions: Vec<serde_json::Value> = Vec::new(),
    }
}

fact! {
    /// A commit status.
    Status {
        /// The commit.
        sha: String = String::new(),
        /// Its context.
        context: String = "default".to_owned(),
        /// `success`, `pending`, `failure`, `error`.
        state: String = "success".to_owned(),
        /// A sentence.
        description: Option<String> = None,
        /// Where it links to.
        target_url: Option<String> = None,
        /// Who set it.
        creator: String = "ci-app[bot]".to_owned(),
        /// When; the present when absent.
        created_at: Option<Timestamp> = None,
    }
}

fact! {
    /// A deployment.
    Deployment {
        /// Branch, tag or commit that is deployed.
        reference: String = String::new(),
        /// `staging`, `prod`, …
        environment: String = "staging".to_owned(),
        /// A sentence.
        description: Option<String> = None,
        /// What is done.
        task: String = "deploy".to_owned(),
        /// Data for the deployer.
        payload: serde_json::Value = serde_json::json!({}),
        /// Who made it.
        creator: String = "deployer[bot]".to_owned(),
        /// When; the present when absent.
        created_at: Option<Timestamp> = None,
        /// What became of it, oldest first.
        statuses: Vec<DeploymentStatus> = Vec::new(),
    }
}

fact! {
    /// One status of a deployment.
    DeploymentStatus {
        /// `success`, `failure`, `in_progress`, `inactive`, …
        state: String = "success".to_owned(),
        /// A sentence.
        description: String = String::new(),
        /// Where the log is.
        log_url: String = String::new(),
        /// Where the deployed thing is.
        environment_url: String = String::new(),
        /// When; the present when absent.
        created_at: Option<Timestamp> = None,
    }
}

fact! {
    /// A release page.
    Release {
        /// Its tag.
        tag_name: String = String::new(),
        /// Its title.
        name: Option<String> = None,
        /// Its text.
        body: Option<String> = None,
        /// Not published yet.
        draft: bool = false,
        /// Marked as not ready for production.
        prerelease: bool = false,
        /// Who published it.
        author: String = "alice".to_owned(),
    }
}

fact! {
    /// A commit made by a person with git.
    Commit {
        /// The branch it goes to; made from the default branch (or nothing) when new.
        branch: String = "main".to_owned(),
        /// Path to content; `None` deletes.
        files: std::collections::BTreeMap<String, Option<String>> = std::collections::BTreeMap::new(),
        /// The message.
        message: String = "Change".to_owned(),
        /// Login of author and committer.
        author: String = "alice".to_owned(),
        /// When; the present when absent.
        time: Option<Timestamp> = None,
        /// Paths to be made executable.
        executable: Vec<String> = Vec::new(),
    }
}

impl Workflow {
    /// A workflow at `path`, named for its file's stem.
    #[must_use]
    pub fn new(path: &str) -> Self {
        let file = path.rsplit('/').next().unwrap_or(path);
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        Self { path: path.to_owned(), name: stem.to_owned(), ..Self::default() }
    }
}

impl WorkflowRun {
    /// A successful push run of the workflow file `path` on a commit.
    #[must_use]
    pub fn new(path: &str, head_sha: &str) -> Self {
        Self { path: path.to_owned(), head_sha: head_sha.to_owned(), ..Self::default() }
    }

    /// Completed with this conclusion.
    #[must_use]
    pub fn concluded(mut self, conclusion: &str) -> Self {
        "completed".clone_into(&mut self.status);
        self.conclusion = Some(conclusion.to_owned());
        self
    }

    /// Not completed: `queued`, `in_progress`, `waiting`.
    #[must_use]
    pub fn unfinished(mut self, status: &str) -> Self {
        status.clone_into(&mut self.status);
        self.conclusion = None;
        self
    }

    /// For a branch or tag.
    #[must_use]
    pub fn on(mut self, branch: &str) -> Self {
        self.head_branch = Some(branch.to_owned());
        self
    }

    /// Created and last changed at this time.
    #[must_use]
    pub fn at(mut self, time: Timestamp) -> Self {
        self.created_at = Some(time);
        self.updated_at = Some(time);
        self
    }

    /// With one more job.
    #[must_use]
    pub fn job(mut self, job: Job) -> Self {
        self.jobs.push(job);
        self
    }
}

impl Job {
    /// A successful job.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }
}

impl CheckRun {
    /// A successful check run on a commit.
    #[must_use]
    pub fn new(name: &str, head_sha: &str) -> Self {
        Self { name: name.to_owned(), head_sha: head_sha.to_owned(), ..Self::default() }
    }

    /// Completed with this conclusion.
    #[must_use]
    pub fn concluded(mut self, conclusion: &str) -> Self {
        "completed".clone_into(&mut self.status);
        self.conclusion = Some(conclusion.to_owned());
        self
    }

    /// Not completed.
    #[must_use]
    pub fn unfinished(mut self, status: &str) -> Self {
        status.clone_into(&mut self.status);
        self.conclusion = None;
        self
    }
}

impl Status {
    /// A status of a commit.
    #[must_use]
    pub fn new(context: &str, sha: &str, state: &str) -> Self {
        Self { context: context.to_owned(), sha: sha.to_owned(), state: state.to_owned(), ..Self::default() }
    }
}

impl Deployment {
    /// A deployment of a ref to an environment, with no status yet.
    #[must_use]
    pub fn new(environment: &str, reference: &str) -> Self {
        Self { environment: environment.to_owned(), reference: reference.to_owned(), ..Self::default() }
    }

    /// With one more status.
    #[must_use]
    pub fn status(mut self, status: DeploymentStatus) -> Self {
        self.statuses.push(status);
        self
    }

    /// With one more status of this state.
    #[must_use]
    pub fn became(self, state: &str) -> Self {
        self.status(DeploymentStatus { state: state.to_owned(), ..DeploymentStatus::default() })
    }
}

impl Release {
    /// A published release of a tag.
    #[must_use]
    pub fn new(tag: &str) -> Self {
        Self { tag_name: tag.to_owned(), ..Self::default() }
    }
}

impl Commit {
    /// A commit by alice to `main`.
    #[must_use]
    pub fn new(message: &str) -> Self {
        Self { message: message.to_owned(), ..Self::default() }
    }

    /// Writes a file.
    #[must_use]
    pub fn file(mut self, path: &str, content: &str) -> Self {
        self.files.insert(path.to_owned(), Some(content.to_owned()));
        self
    }

    /// Deletes a file.
    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        self.files.insert(path.to_owned(), None);
        self
    }

    /// By this login.
    #[must_use]
    pub fn by(self, login: &str) -> Self {
        self.author(login)
    }

    /// At this time.
    #[must_use]
    pub fn at(mut self, time: Timestamp) -> Self {
        self.time = Some(time);
        self
    }
}
