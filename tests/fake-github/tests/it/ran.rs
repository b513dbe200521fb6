//! What ran on commits, asked for by GraphQL; and how GitHub verified a tag.

use fake_github::{
    CheckRun, Commit, Deployment, DeploymentStatus, Job, Options, Status, Token, Workflow, WorkflowRun,
};
use serde_json::{Value, json};

use crate::client::{Ground, ground, ground_with};

/// Two commits, `c0` and `c1`, by one question.
const RAN: &str = "fragment Ran on Commit {
    oid
    checkSuites(first: 50) {
      pageInfo { hasNextPage }
      nodes {
        id databaseId app { slug name databaseId } branch { name } status conclusion url
        commit { oid }
        workflowRun {
          databaseId runNumber event url createdAt updatedAt
          workflow { name state url } file { path url } checkSuite { id }
        }
        check0: checkRuns(first: 20, filterBy: { checkType: LATEST, checkName: $check0 }) {
          pageInfo { hasNextPage }
          nodes { databaseId name status conclusion startedAt completedAt permalink detailsUrl title }
        }
        all: checkRuns(first: 20) { totalCount }
        failed: checkRuns(first: 20, filterBy: { conclusions: [FAILURE], status: COMPLETED }) {
          nodes { name externalId checkSuite { id } }
        }
      }
    }
    status {
      state
      context(name: \"none\") { state }
      contexts { context state description targetUrl createdAt creator { __typename login } }
    }
    deployments(first: 5, environments: [\"staging\"], orderBy: { field: CREATED_AT, direction: DESC }) {
      nodes {
        databaseId environment createdAt updatedAt commitOid commit { oid } state description task
        creator { __typename login }
        latestStatus { state }
        statuses(first: 20) { nodes { state createdAt logUrl environmentUrl description creator { login } } }
      }
    }
  }";

fn asked_as(ground: &Ground, token: &str, shas: [&str; 2]) -> Value {
    let [c0, c1] = shas;
    let query = format!(
        "query($owner: String!, $name: String!, $check0: String!) {{
           repository(owner: $owner, name: $name) {{
             c0: object(oid: \"{c0}\") {{ ...Ran }} c1: object(oid: \"{c1}\") {{ ...Ran }}
           }}
         }} {RAN}"
    );
    ground.graphql_as(token, &query, json!({ "owner": "acme", "name": "gitops", "check0": "deploy" }))
}

fn asked(ground: &Ground, shas: [&str; 2]) -> Value {
    let answer = asked_as(ground, "t", shas);
    assert_eq!(answer["errors"], Value::Null, "{answer}");
    answer["data"]["repository"].clone()
}

#[test]
fn one_question_tells_what_ran_on_two_commits() {
    let ground = ground();
    let (repo, c0) = (&ground.repo, ground.first.as_str());
    repo.tag("v1.0.0", c0).unwrap();
    repo.add_workflow(Workflow::new(".github/workflows/staging.yml").name("Staging")).unwrap();
    let run = WorkflowRun::new(".github/workflows/staging.yml", c0).on("main").job(Job::new("deploy"));
    let run = repo.add_workflow_run(run).unwrap();
    let tagged = WorkflowRun::new(".github/workflows/ci.yml", c0).on("v1.0.0").unfinished("in_progress");
    repo.add_workflow_run(tagged).unwrap();
    // A step of any workflow may say this: GitHub puts it into the suite of a run.
    let forged = CheckRun::new("deploy", c0).app("github-actions").concluded("failure");
    let forged = repo.add_check_run(forged.title("no".to_owned())).unwrap();
    repo.add_check_run(CheckRun::new("lint", c0)).unwrap();
    repo.add_status(Status::new("ci/x", c0, "failure").creator("mallory")).unwrap();
    repo.add_status(Status::new("ci/x", c0, "success").target_url("https://ci.example/1".to_owned()))
        .unwrap();
    let done = DeploymentStatus::default().log_url("https://log.example/1");
    repo.add_deployment(Deployment::new("staging", "v1.0.0").became("in_progress").status(done)).unwrap();
    repo.add_deployment(Deployment::new("prod", "v1.0.0")).unwrap();
    let c1 = repo.commit(&Commit::new("fix: more").file("a.txt", "2\n")).unwrap();

    let found = asked(&ground, [c0, &c1]);
    let [staging, ci, lint] = found["c0"]["checkSuites"]["nodes"].as_array().unwrap().as_slice() else {
        panic!("{found}")
    };
    assert_eq!((&staging["branch"]["name"], &ci["branch"]), (&json!("main"), &Value::Null));
    assert_eq!((&staging["status"], &staging["conclusion"]), (&json!("COMPLETED"), &json!("SUCCESS")));
    assert_eq!((&ci["status"], &ci["conclusion"]), (&json!("IN_PROGRESS"), &Value::Null));
    assert_eq!(
        staging["app"],
        json!({ "slug": "github-actions", "name": "GitHub Actions", "databaseId": 15_368 })
    );
    assert_eq!((&lint["app"]["slug"], &lint["workflowRun"]), (&json!("checks-app"), &Value::Null));
    let shown = &staging["workflowRun"];
    // An `Int` cannot hold the numbers of runs.
    assert!(shown["databaseId"].is_null() && shown["url"].as_str().unwrap().ends_with(&format!("/{run}")));
    assert_eq!(shown["event"], "push");
    assert_eq!(
        (&shown["workflow"]["name"], &shown["workflow"]["state"]),
        (&json!("Staging"), &json!("ACTIVE"))
    );
    assert_eq!(shown["file"]["path"], ".github/workflows/staging.yml");
    assert_eq!(shown["checkSuite"]["id"], staging["id"]);
    let checks = staging["check0"]["nodes"].as_array().unwrap();
    assert_eq!((checks.len(), &staging["all"]["totalCount"]), (1, &json!(2)));
    assert!(checks[0]["permalink"].as_str().unwrap().ends_with(&format!("/{forged}")));
    assert_eq!(checks[0]["title"], "no");
    assert_eq!(staging["failed"]["nodes"][0]["checkSuite"]["id"], staging["id"]);

    let status = &found["c0"]["status"];
    assert_eq!((&status["state"], &status["context"]), (&json!("SUCCESS"), &Value::Null));
    assert_eq!(
        status["contexts"],
        json!([{
            "context": "ci/x", "state": "SUCCESS", "description": null, "targetUrl": "https://ci.example/1",
            "createdAt": "2026-11-22T10:00:00Z", "creator": { "__typename": "Bot", "login": "ci-app" },
        }])
    );
    let [deployment] = found["c0"]["deployments"]["nodes"].as_array().unwrap().as_slice() else {
        panic!("{found}")
    };
    assert_eq!((&deployment["commitOid"], &deployment["state"]), (&json!(c0), &json!("ACTIVE")));
    let states = deployment["statuses"]["nodes"].as_array().unwrap();
    assert_eq!((&states[0]["state"], &states[1]["state"]), (&json!("SUCCESS"), &json!("IN_PROGRESS")));
    assert_eq!((&states[0]["logUrl"], &states[1]["logUrl"]), (&json!("https://log.example/1"), &Value::Null));
    assert_eq!(
        found["c1"],
        json!({
            "oid": c1,
            "checkSuites": { "pageInfo": { "hasNextPage": false }, "nodes": [] },
            "status": null,
            "deployments": { "nodes": [] },
        })
    );
}

#[test]
fn what_a_token_may_not_read_is_null_with_an_error() {
    let ground = ground();
    let sha = ground.first.as_str();
    ground.repo.add_workflow_run(WorkflowRun::new(".github/workflows/ci.yml", sha)).unwrap();
    let refused = |permission: &str| {
        ground.github.add_token(Token::actions("less").deny(permission));
        let answer = asked_as(&ground, "less", [sha, sha]);
        let error = &answer["errors"][0];
        assert_eq!(answer["errors"].as_array().unwrap().len(), 2, "{answer}");
        assert_eq!(
            (&error["type"], &error["message"]),
            (&json!("FORBIDDEN"), &json!("Resource not accessible by integration"))
        );
        let pointer = error["path"].as_array().unwrap().iter();
        let pointer = pointer.map(|part| part.as_str().unwrap()).collect::<Vec<_>>().join("/");
        (pointer, answer["data"]["repository"]["c0"].clone())
    };
    for (permission, field) in
        [("checks", "checkSuites"), ("statuses", "status"), ("deployments", "deployments")]
    {
        let (path, commit) = refused(permission);
        assert_eq!((path, &commit[field]), (format!("repository/c0/{field}"), &Value::Null));
    }
    let (_, commit) = refused("actions");
    let suite = &commit["checkSuites"]["nodes"][0];
    assert_eq!((&suite["workflowRun"], &suite["status"]), (&Value::Null, &json!("COMPLETED")));
}

#[test]
fn pages_of_what_ran_have_bounds_and_the_cap_of_the_fake() {
    let ground = ground_with(&Options { page_cap: Some(2), ..Options::default() });
    let sha = ground.first.as_str();
    for app in ["a", "b", "c"] {
        ground.repo.add_check_run(CheckRun::new("x", sha).app(app)).unwrap();
    }
    let suites = |arguments: &str| {
        ground.graphql(
            &format!(
                "{{ repository(owner: \"acme\", name: \"gitops\") {{ object(oid: \"{sha}\") {{
                     ... on Commit {{ checkSuites{arguments} {{ nodes {{ app {{ slug }} }} pageInfo {{ hasNextPage endCursor }} }} }}
                   }} }} }}"
            ),
            json!({}),
        )
    };
    let page = |arguments: &str| {
        let answer = suites(arguments);
        let page = &answer["data"]["repository"]["object"]["checkSuites"];
        let slugs =
            page["nodes"].as_array().unwrap().iter().map(|suite| suite["app"]["slug"].as_str().unwrap());
        (slugs.collect::<String>(), page["pageInfo"]["hasNextPage"].as_bool().unwrap())
    };
    assert_eq!(page("(first: 100)"), ("ab".to_owned(), true));
    assert_eq!(page("(first: 100, after: \"2\")"), ("c".to_owned(), false));
    assert_eq!(page("(last: 1)"), ("c".to_owned(), false));
    assert_eq!(page("(last: 1, before: \"2\")"), ("b".to_owned(), true));
    for (arguments, kind, message) in [
        (
            "(first: 101)",
            "EXCESSIVE_PAGINATION",
            "Requesting 101 records on the `checkSuites` connection exceeds the `first` limit of 100 records.",
        ),
        (
            "",
            "MISSING_PAGINATION_BOUNDARIES",
            "You must provide a `first` or `last` value to properly paginate the `checkSuites` connection.",
        ),
    ] {
        let answer = suites(arguments);
        assert_eq!(answer["data"]["repository"]["object"]["checkSuites"], Value::Null);
        assert_eq!(
            (&answer["errors"][0]["type"], &answer["errors"][0]["message"]),
            (&json!(kind), &json!(message))
        );
    }
}

#[test]
fn a_tag_is_verified_as_a_test_says() {
    let ground = ground();
    let (repo, sha) = (&ground.repo, ground.first.as_str());
    let tag = repo.annotated_tag("v1.0.0", sha, "one", "alice", None).unwrap();
    let verification = || ground.get(&format!("/git/tags/{tag}")).body["verification"].clone();
    let none = json!({
        "verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null
    });
    assert_eq!(verification(), none);
    repo.verify_tag("v1.0.0", "valid").unwrap();
    let valid = verification();
    assert_eq!((&valid["verified"], &valid["reason"]), (&json!(true), &json!("valid")));
    assert!(
        valid["signature"].is_string() && valid["payload"].is_string() && valid["verified_at"].is_string()
    );
    repo.verify_tag("v1.0.0", "unknown_key").unwrap();
    let unknown = verification();
    assert_eq!((&unknown["verified"], &unknown["verified_at"]), (&json!(false), &Value::Null));
    assert!(unknown["signature"].is_string());

    // A ref of another name than the one inside the object.
    repo.set_ref("refs/tags/v2.0.0", &tag).unwrap();
    let other = ground.get("/git/ref/tags/v2.0.0");
    assert_eq!((&other.body["object"]["type"], &other.body["object"]["sha"]), (&json!("tag"), &json!(tag)));
    assert_eq!(ground.get(&format!("/git/tags/{tag}")).body["tag"], "v1.0.0");
    repo.verify_tag("v2.0.0", "unsigned").unwrap();
    assert_eq!(verification(), none);

    repo.tag("light", sha).unwrap();
    let refused = |name: &str, reason: &str| repo.verify_tag(name, reason).unwrap_err().to_string();
    assert!(refused("light", "valid").contains("lightweight"));
    assert!(refused("v1.0.0", "good").contains("`good` is no reason"));
    assert!(refused("none", "valid").contains("no tag `none`"));
    let admin =
        |body: Value| ground.raw("POST", "/_fake/repos/acme/gitops/tags", &[], &body.to_string()).unwrap();
    let made = json!({ "name": "v3", "target": "main", "message": "m", "verification": "valid" });
    assert_eq!(admin(made).status, 200);
    let v3 = ground.get("/git/ref/tags/v3").body["object"]["sha"].as_str().unwrap().to_owned();
    assert_eq!(ground.get(&format!("/git/tags/{v3}")).body["verification"]["reason"], "valid");
    assert_eq!(admin(json!({ "name": "v4", "target": "main", "verification": "valid" })).status, 422);
}
