//! What ran on many commits, in one GraphQL request.
//!
//! GraphQL tells less than REST: not from which repository a run came, nor whether a check run is really a job, nor the
//! tag that started a run. So a survey rules out and never proves: what looks successful is asked again, commit by
//! commit (`evidence.rs`). Names go in as variables, since anybody may have chosen them.

use std::collections::HashMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::GitHub;
use super::client::Refusal;
use crate::names::CommitSha;
use crate::release::evidence::{CheckRun, Deployment, DeploymentStatus, Ran, Run, Status};
use crate::settings::Required;

/// GitHub refuses a query that could come to more than 500 000 nodes.
const MOST_NODES: usize = 400_000;
/// How many commits are asked about in one request, at most: more takes GitHub too long.
const MOST_COMMITS: usize = 60;
/// What the statuses, deployments and pages of one commit may come to, in nodes.
const BESIDE_SUITES: usize = 1_200;
/// How many suites of a commit are looked at; more are not surveyed.
const SUITES: usize = 100;
/// How many check runs of one name, in one suite: all attempts, since one that is forged may stand before the real one.
const NAMESAKES: usize = 20;

impl GitHub {
    /// What ran on these commits, as far as the requirement needs it; those of which GitHub did not tell all are left
    /// out.
    ///
    /// # Errors
    /// When GitHub refuses (an older server, a permission that is lacking), or cannot be reached.
    pub async fn survey(
        &self,
        commits: &[CommitSha],
        required: &[Required],
    ) -> Result<HashMap<CommitSha, Ran>, Refusal> {
        let question = Question::of(required);
        let mut seen = HashMap::new();
        for some in commits.chunks(question.commits_at_once()) {
            let mut variables = question.variables.clone();
            variables.insert("owner".to_owned(), json!(self.slug.owner));
            variables.insert("name".to_owned(), json!(self.slug.name));
            let answer = self
                .reader
                .graphql_once(&question.document(some), &Value::Object(variables), "checks: read")
                .await?;
            for (place, commit) in some.iter().enumerate() {
                let found = answer.pointer(&format!("/repository/c{place}")).cloned();
                // A commit that cannot be read as it should is one that nothing is known of.
                let wire = found.and_then(|found| serde_json::from_value::<WireCommit>(found).ok());
                if let Some(ran) = wire.and_then(|wire| wire.into_ran(commit)) {
                    seen.insert(commit.clone(), ran);
                }
            }
        }
        Ok(seen)
    }
}

/// What is asked of each commit.
struct Question {
    /// Selections within a check suite, after those of its run.
    checks: String,
    suites: bool,
    statuses: bool,
    /// The arguments of `deployments`, where they are asked for.
    deployments: Option<&'static str>,
    /// Nodes below one suite.
    width: usize,
    variables: Map<String, Value>,
    declared: String,
}

impl Question {
    fn of(required: &[Required]) -> Self {
        let mut question = Self {
            checks: String::new(),
            suites: false,
            statuses: false,
            deployments: None,
            width: 1,
            variables: Map::new(),
            declared: "$owner: String!, $name: String!".to_owned(),
        };
        let mut environments: Vec<&str> = Vec::new();
        for (place, required) in required.iter().enumerate() {
            match required {
                Required::Workflow(_) => question.suites = true,
                Required::Check { name, .. } => {
                    question.suites = true;
                    question.declare(&format!("check{place}"), "String!", json!(name));
                    let filter =
                        format!("first: {NAMESAKES}, filterBy: {{checkType: ALL, checkName: $check{place}}}");
                    question.ask_checks(&format!("k{place}"), &filter, NAMESAKES);
                }
                Required::Status { .. } => question.statuses = true,
                Required::Deployment(environment) => environments.push(environment),
                Required::Any => {
                    (question.suites, question.statuses) = (true, true);
                    question.ask_checks("all", "first: 100, filterBy: {checkType: ALL}", 100);
                    question.deployments = Some("first: 50, orderBy: {field: CREATED_AT, direction: DESC}");
                }
            }
        }
        // With `any` all of them are asked for, and GraphQL refuses a variable that is declared in vain.
        if !environments.is_empty() && question.deployments.is_none() {
            question.declare("environments", "[String!]", json!(environments));
            question.deployments =
                Some("first: 50, environments: $environments, orderBy: {field: CREATED_AT, direction: DESC}");
        }
        question
    }

    fn declare(&mut self, name: &str, kind: &str, value: Value) {
        let _ = write!(self.declared, ", ${name}: {kind}");
        self.variables.insert(name.to_owned(), value);
    }

    fn ask_checks(&mut self, alias: &str, arguments: &str, width: usize) {
        let _ = write!(
            self.checks,
            " {alias}: checkRuns({arguments}) {{ pageInfo {{ hasNextPage }} nodes {{ name status conclusion startedAt completedAt permalink title }} }}"
        );
        self.width += width;
    }

    fn commits_at_once(&self) -> usize {
        let nodes = if self.suites { SUITES * (1 + self.width) } else { 1 };
        (MOST_NODES / (nodes + BESIDE_SUITES)).clamp(1, MOST_COMMITS)
    }

    fn document(&self, commits: &[CommitSha]) -> String {
        let mut of_commit = "oid".to_owned();
        if self.suites {
            let _ = write!(
                of_commit,
                " checkSuites(first: {SUITES}) {{ pageInfo {{ hasNextPage }} nodes {{ app {{ slug }} branch {{ name }} status conclusion \
                 workflowRun {{ runNumber event url createdAt updatedAt workflow {{ name }} file {{ path }} }}{} }} }}",
                self.checks
            );
        }
        if self.statuses {
            of_commit.push_str(
                " status { contexts { context state description targetUrl createdAt creator { __typename login } } }",
            );
        }
        if let Some(arguments) = self.deployments {
            let _ = write!(
                of_commit,
                " deployments({arguments}) {{ pageInfo {{ hasNextPage }} nodes {{ environment commitOid ref {{ name }} createdAt creator {{ __typename login }} \
                 statuses(first: 20) {{ pageInfo {{ hasNextPage }} nodes {{ state createdAt logUrl environmentUrl }} }} }} }}"
            );
        }
        let mut objects = String::new();
        for (place, commit) in commits.iter().enumerate() {
            let _ = write!(objects, " c{place}: object(oid: \"{commit}\") {{ ...Ran }}");
        }
        format!(
            "query({}) {{ repository(owner: $owner, name: $name) {{{objects} }} }} fragment Ran on Commit {{ {of_commit} }}",
            self.declared
        )
    }
}

/// A field that was asked for and is null is not told; one that was not asked for is not there.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCommit {
    oid: String,
    #[serde(default, deserialize_with = "asked_for")]
    check_suites: Asked<Connection<WireSuite>>,
    /// Null where there is no status.
    status: Option<WireStatus>,
    #[serde(default, deserialize_with = "asked_for")]
    deployments: Asked<Connection<WireDeployment>>,
}

/// The answer to a part of the question; none where that was not asked.
type Asked<T> = Option<Option<T>>;

fn asked_for<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Asked<T>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection<T> {
    page_info: PageInfo,
    // GraphQL may leave single nodes out as null.
    nodes: Vec<Option<T>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
}

impl<T> Connection<T> {
    /// All of it, or nothing where there is more than was told.
    fn whole(self) -> Option<Vec<T>> {
        if self.page_info.has_next_page { None } else { self.nodes.into_iter().collect() }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSuite {
    app: Option<WireApp>,
    branch: Option<WireName>,
    status: String,
    conclusion: Option<String>,
    workflow_run: Option<WireRun>,
    /// The check runs, under the aliases of the question.
    #[serde(flatten)]
    checks: HashMap<String, Value>,
}

#[derive(Deserialize)]
struct WireApp {
    slug: String,
}

#[derive(Deserialize)]
struct WireName {
    name: String,
}

#[derive(Deserialize)]
struct WirePath {
    path: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRun {
    run_number: u64,
    event: String,
    url: String,
    created_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
    workflow: WireName,
    file: Option<WirePath>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCheck {
    name: String,
    status: String,
    conclusion: Option<String>,
    started_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    permalink: Option<String>,
    title: Option<String>,
}

#[derive(Deserialize)]
struct WireStatus {
    contexts: Vec<WireContext>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireContext {
    context: String,
    state: String,
    description: Option<String>,
    target_url: Option<String>,
    created_at: Option<Timestamp>,
    creator: Option<WireActor>,
}

#[derive(Deserialize)]
struct WireActor {
    #[serde(rename = "__typename")]
    kind: String,
    login: String,
}

impl WireActor {
    /// As REST names it, which shows what a bot is.
    fn login(self) -> String {
        let is_bare = self.kind == "Bot" && !self.login.ends_with("[bot]");
        if is_bare { format!("{}[bot]", self.login) } else { self.login }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDeployment {
    #[serde(rename = "ref")]
    reference: Option<WireName>,
    environment: Option<String>,
    commit_oid: String,
    created_at: Option<Timestamp>,
    creator: Option<WireActor>,
    statuses: Option<Connection<WireDeploymentStatus>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDeploymentStatus {
    state: String,
    created_at: Option<Timestamp>,
    log_url: Option<String>,
    environment_url: Option<String>,
}

impl WireCommit {
    /// What it says, in the words of REST; nothing where it does not say all.
    fn into_ran(self, commit: &CommitSha) -> Option<Ran> {
        let mut ran = Ran::nothing(commit);
        if self.oid != commit.as_str() {
            return None;
        }
        for suite in told(self.check_suites)? {
            suite.into(&mut ran)?;
        }
        let statuses = self.status.map_or(Vec::new(), |status| status.contexts);
        ran.statuses = statuses.into_iter().map(WireContext::into_status).collect();
        for deployment in told(self.deployments)? {
            if deployment.commit_oid == commit.as_str() {
                ran.deployments.push(deployment.into_deployment()?);
            }
        }
        Some(ran)
    }
}

/// All of a list that was asked for.
fn told<T>(asked: Asked<Connection<T>>) -> Option<Vec<T>> {
    match asked {
        None => Some(Vec::new()),
        Some(list) => list?.whole(),
    }
}

impl WireSuite {
    /// Its run and its check runs.
    fn into(self, ran: &mut Ran) -> Option<()> {
        let app = self.app.map(|app| app.slug);
        let mut run_id = None;
        // Actions has no suite without a run: here something is not told.
        if self.workflow_run.is_none() && app.as_deref() == Some("github-actions") {
            return None;
        }
        if let Some(run) = self.workflow_run {
            let id = number_of(&run.url).unwrap_or(ran.runs.len() as u64);
            run_id = Some(id);
            ran.runs.push(Run {
                id,
                number: run.run_number,
                name: run.workflow.name,
                path: run.file?.path,
                event: run.event,
                head_branch: self.branch.map(|branch| branch.name),
                status: self.status.to_lowercase(),
                conclusion: self.conclusion.map(|conclusion| conclusion.to_lowercase()),
                foreign: false,
                url: Some(run.url),
                started_at: run.created_at,
                updated_at: run.updated_at,
                check_suite: None,
            });
        }
        for (alias, checks) in self.checks {
            if alias != "all" && !alias.starts_with('k') {
                continue;
            }
            let checks: Connection<WireCheck> = serde_json::from_value(checks).ok()?;
            for check in checks.whole()? {
                let id = ran.checks.len() as u64;
                if let Some(run) = run_id {
                    ran.jobs.insert(id, run);
                }
                ran.checks.push(CheckRun {
                    id,
                    name: check.name,
                    status: check.status.to_lowercase(),
                    conclusion: check.conclusion.map(|conclusion| conclusion.to_lowercase()),
                    app: app.clone(),
                    url: check.permalink,
                    started_at: check.started_at,
                    completed_at: check.completed_at,
                    title: check.title,
                });
            }
        }
        Some(())
    }
}

/// The number at the end of a run's page. GraphQL's own numbers are of 32 bits, and those of runs are larger.
fn number_of(page: &str) -> Option<u64> {
    page.rsplit('/').next()?.parse().ok()
}

impl WireContext {
    fn into_status(self) -> Status {
        Status {
            context: self.context,
            state: self.state.to_lowercase(),
            url: self.target_url.filter(|url| !url.is_empty()),
            creator: self.creator.map(WireActor::login),
            description: self.description,
            at: self.created_at,
        }
    }
}

impl WireDeployment {
    fn into_deployment(self) -> Option<Deployment> {
        let mut statuses = self.statuses?.whole()?;
        statuses.sort_by_key(|status| std::cmp::Reverse(status.created_at));
        // Two of one second have no order.
        if statuses
            .iter()
            .zip(statuses.iter().skip(1))
            .any(|(a, b)| a.created_at == b.created_at && a.state != b.state)
        {
            return None;
        }
        let status = |status: WireDeploymentStatus| DeploymentStatus {
            state: status.state.to_lowercase(),
            url: [status.log_url, status.environment_url].into_iter().flatten().find(|url| !url.is_empty()),
            at: status.created_at,
        };
        Some(Deployment {
            environment: self.environment.unwrap_or_default(),
            reference: self.reference.map(|reference| reference.name),
            // Which runs there are is not asked: what made it is found out where it may be successful.
            run: None,
            creator: self.creator.map(WireActor::login),
            created_at: self.created_at,
            statuses: statuses.into_iter().map(status).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]
    use super::*;

    fn sha() -> CommitSha {
        CommitSha::parse(&"a".repeat(40)).unwrap()
    }

    #[test]
    fn no_name_becomes_part_of_the_document() {
        let hostile = "x\"}) { evil } #";
        let required = [
            Required::Check { name: hostile.into(), app: None },
            Required::Status { context: hostile.into(), creator: None },
            Required::Deployment(hostile.into()),
        ];
        let question = Question::of(&required);
        let document = question.document(&[sha()]);
        assert!(!document.contains("evil"), "{document}");
        assert_eq!(question.variables["check0"], hostile);
        assert_eq!(question.variables["environments"], json!([hostile]));
    }

    #[test]
    fn every_variable_that_is_declared_is_used() {
        let all = [
            Required::Workflow("staging.yml".into()),
            Required::Check { name: "golden-set".into(), app: None },
            Required::Deployment("staging".into()),
            Required::Any,
        ];
        for required in [&all[..3], &all[..], &all[3..], &all[..1]] {
            let question = Question::of(required);
            let document = question.document(&[sha()]);
            for name in question.variables.keys() {
                assert_eq!(document.matches(&format!("${name}")).count(), 2, "{name} in {document}");
            }
            assert!(question.commits_at_once() >= 1 && question.commits_at_once() <= MOST_COMMITS);
        }
    }

    #[test]
    fn a_commit_of_which_not_all_is_told_is_left_out() {
        let suites = |more: bool| json!({"oid": sha(), "checkSuites": {"pageInfo": {"hasNextPage": more}, "nodes": []}});
        let read = |value: Value| serde_json::from_value::<WireCommit>(value).unwrap().into_ran(&sha());
        assert!(read(suites(false)).is_some());
        assert!(read(suites(true)).is_none());
        assert!(read(json!({"oid": "b".repeat(40)})).is_none());
    }
}
