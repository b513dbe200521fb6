//! A new repository on a fake GitHub: the quickstart's sample, with the README's workflows copied into it.

use fake_github::{
    App, Commit, FakeGitHub, Options, Repo, Token, TokenKind, Workflow as Registered, WorkflowRun,
};
use jiff::Timestamp;
use serde_json::Value;

use crate::sample;
use crate::workflow::{Grants, Workflow, all, of_the_app};

/// The job's token; it is granted what the workflow grants, and nothing else.
pub const JOB_TOKEN: &str = "ghs_job";
/// What the repository's variable and secret hold for the App.
pub const CLIENT_ID: &str = "Iv23promoter";
pub const PRIVATE_KEY: &str = include_str!("../fixtures/app/test-key.pem");

pub struct World {
    pub github: FakeGitHub,
    pub repo: Repo,
    /// The staging run of fraud-agent/v1.8.0, which has just succeeded.
    pub staging_run: u64,
    /// The one of fraud-agent/v1.8.1, which failed.
    pub failed_run: u64,
}

impl World {
    pub fn new() -> Self {
        let github = FakeGitHub::start(&Options::default()).unwrap();
        let sample = sample::create(&github, Timestamp::now()).unwrap();
        let repo = sample.repo;
        let copied = Commit::new("ci: promote (#412)").by("carol");
        let workflows = all();
        let copied = workflows.iter().fold(copied, |commit, one| commit.file(&one.path, &one.text));
        repo.commit(&copied).unwrap();
        let registered = [".github/workflows/promote.yml"];
        for workflow in workflows.iter().filter(|one| !registered.contains(&one.path.as_str())) {
            repo.add_workflow(Registered::new(&workflow.path).name(workflow.name.clone())).unwrap();
        }
        let failed_run = sample.staging_run + 1;
        let world = Self { github, repo, staging_run: sample.staging_run, failed_run };
        world.install_app(&of_the_app());
        world
    }

    /// What GitHub sends when this workflow is to start: the end of a staging run, or a person's dispatch.
    pub fn event(&self, workflow: &Workflow, given: &[(&str, &str)]) -> Value {
        if workflow.event() == "workflow_run" {
            return self.repo.event_workflow_run(self.staging_run).unwrap();
        }
        let inputs = workflow.dispatch_inputs(given);
        let mut payload = self.repo.event_workflow_dispatch(&inputs).unwrap();
        payload["workflow"] = workflow.path.clone().into();
        payload
    }

    /// The run of the workflow itself, going on.
    pub fn started(&self, workflow: &Workflow) -> u64 {
        let head = self.repo.resolve("main").unwrap();
        let run = WorkflowRun::new(&workflow.path, &head).on("main").event(workflow.event());
        self.repo.add_workflow_run(run.unfinished("in_progress")).unwrap()
    }

    /// Installs the App on this repository, with exactly these permissions.
    pub fn install_app(&self, grants: &Grants) {
        let public = include_str!("../fixtures/app/test-key.public.pem");
        let app = App::new("promoter", CLIENT_ID, public).on(&[self.repo.full_name()]);
        let app = grants.iter().fold(app, |app, (name, level)| app.allow(&name.replace('-', "_"), *level));
        self.github.add_app(app).unwrap();
    }

    /// Makes the job's token, with exactly these permissions.
    pub fn grant_job(&self, grants: &Grants) {
        let token = Token::bare(JOB_TOKEN, "github-actions[bot]", TokenKind::Actions);
        let token = token.only(&[self.repo.full_name()]);
        let token =
            grants.iter().fold(token, |token, (name, level)| token.allow(&name.replace('-', "_"), *level));
        self.github.add_token(token);
    }

    /// The files that the promotion on `branch` changes, against main.
    pub fn changed_files(&self, branch: &str) -> Vec<String> {
        let git = std::process::Command::new("git")
            .arg("--git-dir")
            .arg(self.repo.git_dir().unwrap())
            .args(["diff", "--name-only", "main", branch])
            .output()
            .unwrap();
        assert!(git.status.success());
        String::from_utf8(git.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    /// Asserts that one pull request is open, and that it is the sample's promotion by this account.
    pub fn has_the_promotion_of(&self, login: &str) {
        let pulls = self.repo.pulls().unwrap();
        assert_eq!(pulls.len(), 1, "pull requests");
        let pull = &pulls[0];
        assert_eq!(pull.title, "Promote fraud-agent v1.8.0 to prod");
        assert_eq!(pull.author, login);
        let overlay = "environments/prod/fraud-agent";
        let expected = ["kustomization.yaml", "values.yaml"].map(|file| format!("{overlay}/{file}"));
        assert_eq!(self.changed_files("promote/fraud-agent/prod"), expected);
        let head = self.repo.resolve("promote/fraud-agent/prod").unwrap();
        let checks = self.repo.check_runs(&head).unwrap();
        assert_eq!(checks.len(), 1, "checks");
        assert_eq!((&checks[0]["name"], &checks[0]["conclusion"]), (&"promotion".into(), &"success".into()));
        assert!(self.github.unknown_routes().is_empty(), "{:?}", self.github.unknown_routes());
    }

    pub fn has_no_promotion(&self) {
        assert!(self.repo.pulls().unwrap().is_empty(), "a pull request was opened");
        assert!(self.repo.resolve("promote/fraud-agent/prod").is_err(), "a branch was written");
    }
}
