//! What ran on a commit, read with all its pages: workflow runs, check runs, statuses, deployments.

use std::collections::HashSet;

use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;

use super::GitHub;
use super::client::{Refusal, encoded};
use crate::failure::Result;
use crate::names::CommitSha;
use crate::release::evidence::{
    CheckRun, Deployment, DeploymentStatus, Promoting, Ran, Run, Status, run_of_page,
};
use crate::settings::Required;

/// The slug of the app that Actions reports as.
const ACTIONS: &str = "github-actions";

/// A workflow that Actions lists.
#[derive(Debug, Clone, Deserialize)]
pub struct Workflow {
    /// Its name.
    pub name: String,
    /// `.github/workflows/staging.yml`.
    pub path: String,
    /// `active`, `disabled_manually`, `deleted`, …
    pub state: Option<String>,
}

impl GitHub {
    /// Every workflow that Actions lists, but for deleted ones.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn workflows(&self) -> Result<Vec<Workflow>> {
        let path = self.path("/actions/workflows");
        let mut workflows: Vec<Workflow> =
            self.reader.list(&path, Some("workflows"), "actions: read").await?;
        workflows.retain(|workflow| workflow.state.as_deref() != Some("deleted"));
        Ok(workflows)
    }

    /// Whether anything was ever deployed to an environment.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn was_deployed_to(&self, environment: &str) -> Result<bool> {
        let path = self.path(&format!("/deployments?environment={}&per_page=1", encoded(environment)));
        let found: Vec<serde_json::Value> = self.reader.beginning(&path, "deployments: read").await?;
        Ok(!found.is_empty())
    }

    /// What `required` needs to know of a commit, and no more.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached; a page that cannot be read is an error, never an empty list.
    pub async fn ran(&self, commit: &CommitSha, required: &[Required], promoting: &Promoting) -> Result<Ran> {
        let mut ran = Ran::nothing(commit);
        let any = required.contains(&Required::Any);
        let needs = |kind: fn(&Required) -> bool| any || required.iter().any(kind);
        if needs(|r| matches!(r, Required::Workflow(_))) {
            ran.runs = self.runs(commit).await?;
        }
        if needs(|r| matches!(r, Required::Check { .. })) {
            self.read_checks(&mut ran, required, promoting).await?;
        }
        if needs(|r| matches!(r, Required::Status { .. })) {
            ran.statuses = self.statuses(commit).await?;
        }
        if any {
            self.read_deployments(&mut ran, None, promoting).await?;
        } else {
            for required in required {
                if let Required::Deployment(environment) = required {
                    self.read_deployments(&mut ran, Some(environment), promoting).await?;
                }
            }
        }
        Ok(ran)
    }

    async fn runs(&self, commit: &CommitSha) -> Result<Vec<Run>> {
        let path = self.path(&format!("/actions/runs?head_sha={commit}"));
        let runs: Vec<WireRun> = self.reader.list(&path, Some("workflow_runs"), "actions: read").await?;
        // GitHub filters by `head_sha`; what says it is of another commit is not believed all the same.
        let of_it = runs.into_iter().filter(|run| run.head_sha == commit.as_str());
        Ok(of_it.map(|run| run.into_run(&self.slug.to_string())).collect())
    }

    /// Check runs, and the jobs that tell real ones by Actions from forged ones.
    ///
    /// A workflow may write a check run of any name, which GitHub then lists in the place of the job that is called so:
    /// such a job is read from its run.
    async fn read_checks(&self, ran: &mut Ran, required: &[Required], promoting: &Promoting) -> Result<()> {
        let path = self.path(&format!("/commits/{}/check-runs?filter=latest", ran.commit));
        let checks: Vec<WireCheck> = self.reader.list(&path, Some("check_runs"), "checks: read").await?;
        let is_named = |wanted: &str| {
            required.iter().any(|r| matches!(r, Required::Check { name, .. } if name == wanted))
        };
        let named = |check: &WireCheck| check.slug() == Some(ACTIONS) && is_named(&check.name);
        let suites: HashSet<u64> = checks.iter().filter(|c| named(c)).filter_map(WireCheck::suite).collect();
        let listed: HashSet<u64> = checks.iter().map(|check| check.id).collect();
        let has_named = checks.iter().any(named);
        ran.checks = checks.into_iter().map(WireCheck::into_check).collect();
        if !has_named {
            return Ok(());
        }
        if ran.runs.is_empty() {
            ran.runs = self.runs(&ran.commit).await?;
        }
        let may_count =
            |run: &&Run| run.counts(promoting) && run.check_suite.is_none_or(|suite| suites.contains(&suite));
        for run in ran.runs.iter().filter(may_count) {
            let path = self.path(&format!("/actions/runs/{}/jobs?filter=latest", run.id));
            let jobs: Vec<WireJob> = self.reader.list(&path, Some("jobs"), "actions: read").await?;
            for job in jobs {
                let check = job.check_run();
                ran.jobs.insert(check, run.id);
                if !listed.contains(&check) && is_named(&job.name) {
                    ran.checks.push(job.into_check(check));
                }
            }
        }
        Ok(())
    }

    pub(super) async fn statuses(&self, commit: &CommitSha) -> Result<Vec<Status>, Refusal> {
        let path = self.path(&format!("/commits/{commit}/statuses"));
        let statuses: Vec<WireStatus> = self.reader.list(&path, None, "statuses: read").await?;
        Ok(newest_first(statuses))
    }

    /// The newest deployment of the commit to each environment by each ref, with its statuses; newest first. Those by runs
    /// that rule 3 rules out stand beside them, and hide none.
    async fn read_deployments(
        &self,
        ran: &mut Ran,
        environment: Option<&str>,
        promoting: &Promoting,
    ) -> Result<()> {
        let filter = environment.map_or(String::new(), |name| format!("&environment={}", encoded(name)));
        let path = self.path(&format!("/deployments?sha={}{filter}", ran.commit));
        let mut deployments: Vec<WireDeployment> = self.reader.list(&path, None, "deployments: read").await?;
        deployments.retain(|d| d.sha == ran.commit.as_str());
        deployments.sort_by_key(|d| std::cmp::Reverse(d.id));
        let mut seen = HashSet::new();
        for deployment in deployments {
            let key = (deployment.environment.clone(), deployment.reference.clone());
            if seen.contains(&key) {
                continue;
            }
            let path = self.path(&format!("/deployments/{}/statuses", deployment.id));
            let mut statuses: Vec<WireDeploymentStatus> =
                self.reader.list(&path, None, "deployments: read").await?;
            statuses.sort_by_key(|status| std::cmp::Reverse(status.id));
            let run = statuses.iter().find_map(WireDeploymentStatus::run);
            if !self.is_made_by_excluded(run, ran, promoting).await? {
                seen.insert(key);
            }
            ran.deployments.push(deployment.into_deployment(run, statuses));
        }
        Ok(())
    }

    /// Whether rule 3 rules out the run that made a deployment; it is read where it is not known yet.
    async fn is_made_by_excluded(
        &self,
        run: Option<u64>,
        ran: &mut Ran,
        promoting: &Promoting,
    ) -> Result<bool> {
        let Some(id) = run else { return Ok(false) };
        if promoting.run == Some(id) {
            return Ok(true);
        }
        let known = |ran: &Ran| ran.runs.iter().chain(&ran.makers).find(|run| run.id == id).cloned();
        if ran.runs.is_empty() {
            ran.runs = self.runs(&ran.commit).await?;
        }
        if known(ran).is_none() {
            ran.makers.extend(self.run(id).await?);
        }
        // One that is gone says nothing against it.
        Ok(known(ran).is_some_and(|run| run.is_excluded(promoting)))
    }

    /// One run; none where it is gone.
    async fn run(&self, id: u64) -> Result<Option<Run>> {
        let path = self.path(&format!("/actions/runs/{id}"));
        match self.reader.get::<WireRun>(&path, "actions: read").await {
            Ok(run) => Ok(Some(run.into_run(&self.slug.to_string()))),
            Err(refusal) if refusal.is(StatusCode::NOT_FOUND) => Ok(None),
            Err(refusal) => Err(refusal.into()),
        }
    }
}

#[derive(Deserialize)]
struct WireRun {
    id: u64,
    #[serde(default)]
    run_number: u64,
    name: Option<String>,
    path: Option<String>,
    event: String,
    head_sha: String,
    head_branch: Option<String>,
    status: Option<String>,
    conclusion: Option<String>,
    html_url: Option<String>,
    run_started_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
    check_suite_id: Option<u64>,
    head_repository: Option<WireRepository>,
}

#[derive(Deserialize)]
struct WireRepository {
    full_name: String,
}

impl WireRun {
    fn into_run(self, repository: &str) -> Run {
        let path = self.path.unwrap_or_default();
        // A reusable workflow's path carries `@ref`.
        let path = path.split_once('@').map_or(path.as_str(), |(path, _)| path).to_owned();
        Run {
            id: self.id,
            number: self.run_number,
            name: self.name.unwrap_or_else(|| path.clone()),
            path,
            event: self.event,
            head_branch: self.head_branch,
            status: self.status.unwrap_or_else(|| "unknown".into()),
            conclusion: self.conclusion,
            foreign: self.head_repository.is_none_or(|head| !head.full_name.eq_ignore_ascii_case(repository)),
            url: self.html_url,
            started_at: self.run_started_at,
            updated_at: self.updated_at,
            check_suite: self.check_suite_id,
        }
    }
}

#[derive(Deserialize)]
struct WireCheck {
    id: u64,
    name: String,
    status: String,
    conclusion: Option<String>,
    html_url: Option<String>,
    details_url: Option<String>,
    started_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    output: Option<WireOutput>,
    app: Option<WireApp>,
    check_suite: Option<WireId>,
}

#[derive(Deserialize)]
struct WireOutput {
    title: Option<String>,
}

#[derive(Deserialize)]
struct WireApp {
    slug: Option<String>,
}

#[derive(Deserialize)]
struct WireId {
    id: u64,
}

impl WireCheck {
    fn slug(&self) -> Option<&str> {
        self.app.as_ref()?.slug.as_deref()
    }

    fn suite(&self) -> Option<u64> {
        self.check_suite.as_ref().map(|suite| suite.id)
    }

    fn into_check(self) -> CheckRun {
        CheckRun {
            app: self.slug().map(str::to_owned),
            id: self.id,
            name: self.name,
            status: self.status,
            conclusion: self.conclusion,
            url: self.html_url.or(self.details_url),
            started_at: self.started_at,
            completed_at: self.completed_at,
            title: self.output.and_then(|output| output.title),
        }
    }
}

#[derive(Deserialize)]
struct WireJob {
    id: u64,
    check_run_url: Option<String>,
    name: String,
    status: String,
    conclusion: Option<String>,
    html_url: Option<String>,
    started_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
}

impl WireJob {
    /// The check run that shows it: the one it names, else the one of its own id.
    fn check_run(&self) -> u64 {
        let named = self.check_run_url.as_deref().and_then(|url| url.rsplit('/').next()?.parse().ok());
        named.unwrap_or(self.id)
    }

    fn into_check(self, id: u64) -> CheckRun {
        CheckRun {
            id,
            name: self.name,
            status: self.status,
            conclusion: self.conclusion,
            app: Some(ACTIONS.to_owned()),
            url: self.html_url,
            started_at: self.started_at,
            completed_at: self.completed_at,
            title: None,
        }
    }
}

#[derive(Deserialize)]
struct WireUser {
    login: String,
}

#[derive(Deserialize)]
struct WireStatus {
    id: Option<u64>,
    context: String,
    state: String,
    target_url: Option<String>,
    description: Option<String>,
    creator: Option<WireUser>,
    created_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
}

/// Ids rise; where a server tells none, the time decides. The order of the list is not relied on.
fn newest_first(mut statuses: Vec<WireStatus>) -> Vec<Status> {
    statuses.sort_by_key(|status| std::cmp::Reverse((status.id, status.updated_at.or(status.created_at))));
    let status = |status: WireStatus| Status {
        context: status.context,
        state: status.state,
        url: status.target_url.filter(|url| !url.is_empty()),
        creator: status.creator.map(|creator| creator.login),
        description: status.description,
        at: status.updated_at.or(status.created_at),
    };
    statuses.into_iter().map(status).collect()
}

#[derive(Deserialize)]
struct WireDeployment {
    id: u64,
    sha: String,
    #[serde(rename = "ref")]
    reference: Option<String>,
    environment: String,
    creator: Option<WireUser>,
    created_at: Option<Timestamp>,
}

impl WireDeployment {
    fn into_deployment(self, run: Option<u64>, statuses: Vec<WireDeploymentStatus>) -> Deployment {
        // A workflow may hand its whole `github.ref` on.
        let bare = |name: String| {
            let short = ["refs/tags/", "refs/heads/"].iter().find_map(|kind| name.strip_prefix(kind));
            short.map_or_else(|| name.clone(), str::to_owned)
        };
        Deployment {
            environment: self.environment,
            reference: self.reference.map(bare),
            run,
            creator: self.creator.map(|creator| creator.login),
            created_at: self.created_at,
            statuses: statuses.into_iter().map(WireDeploymentStatus::into_status).collect(),
        }
    }
}

#[derive(Deserialize)]
struct WireDeploymentStatus {
    id: u64,
    state: String,
    log_url: Option<String>,
    target_url: Option<String>,
    environment_url: Option<String>,
    created_at: Option<Timestamp>,
}

impl WireDeploymentStatus {
    /// The run whose job set it.
    fn run(&self) -> Option<u64> {
        [&self.log_url, &self.target_url].into_iter().flatten().find_map(|page| run_of_page(page))
    }

    fn into_status(self) -> DeploymentStatus {
        let links = [self.log_url, self.target_url, self.environment_url];
        DeploymentStatus {
            state: self.state,
            url: links.into_iter().flatten().find(|url| !url.is_empty()),
            at: self.created_at,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use serde_json::json;

    use super::*;

    #[test]
    fn the_newest_status_comes_first_in_whatever_order_they_are_listed() {
        let newest = |statuses: &[serde_json::Value]| {
            let read =
                statuses.iter().map(|status| serde_json::from_value(status.clone()).unwrap()).collect();
            newest_first(read).into_iter().map(|status| status.state).collect::<Vec<_>>()
        };
        let status = |id: serde_json::Value, state: &str, minute: u8| json!({"id": id, "context": "eval", "state": state, "updated_at": format!("2026-11-20T14:{minute:02}:00Z")});
        // Two of one second, the later of which has the higher id.
        let (first, second) = (status(json!(8), "success", 5), status(json!(9), "failure", 5));
        for listed in [[first.clone(), second.clone()], [second, first]] {
            assert_eq!(newest(&listed), ["failure", "success"]);
        }
        let (first, second) = (status(json!(null), "success", 5), status(json!(null), "failure", 6));
        for listed in [[first.clone(), second.clone()], [second, first]] {
            assert_eq!(newest(&listed), ["failure", "success"]);
        }
    }
}
