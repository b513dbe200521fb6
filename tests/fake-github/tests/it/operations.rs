//! Every operation answered once, so that a recording (`FAKE_GITHUB_RECORD=FILE`) covers the whole contract.

use fake_github::{CheckRun, Commit, Deployment, Job, Release, Status, Token, Workflow, WorkflowRun};
use serde_json::{Value, json};

use crate::client::{Ground, ground};

fn full_ground() -> (Ground, u64, u64) {
    let ground = ground();
    ground.github.add_token(Token::user("u", "alice"));
    ground.github.add_person("bob", "Bob", "bob@acme.example");
    let repo = &ground.repo;
    repo.set(|settings| settings.teams = vec!["ops".to_owned()]).unwrap();
    let sha = &ground.first;
    repo.annotated_tag("v1.0.0", sha, "one", "alice", None).unwrap();
    repo.tag("staging/v1.1.0", sha).unwrap();
    repo.add_workflow(Workflow::new(".github/workflows/staging.yml").name("Staging")).unwrap();
    let run = WorkflowRun::new(".github/workflows/staging.yml", sha).on("main").run_attempt(2_u64);
    let run = repo.add_workflow_run(run.job(Job::new("deploy"))).unwrap();
    let pending = WorkflowRun::new(".github/workflows/ci.yml", sha).unfinished("in_progress");
    repo.add_workflow_run(pending.head_repository("fork/gitops".to_owned())).unwrap();
    repo.add_check_run(CheckRun::new("model-validation", sha).unfinished("queued")).unwrap();
    repo.add_status(Status::new("ci/x", sha, "success")).unwrap();
    let deployment = repo.add_deployment(Deployment::new("staging", "v1.0.0").became("success")).unwrap();
    repo.add_release(Release::new("v1.0.0")).unwrap();
    (ground, run, deployment)
}

#[test]
fn every_operation_answers() {
    let (ground, run, deployment) = full_ground();
    let sha = ground.first.clone();
    let ok = |method: &str, path: &str, body: Value, status: u16| {
        let reply = ground.rest(method, path, body);
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.text);
        reply.body
    };
    let blob = ok("POST", "/git/blobs", json!({ "content": "x" }), 201);
    let tree = ok("GET", "/git/trees/main?recursive=1", Value::Null, 200);
    assert_eq!(tree["tree"][1]["path"], "dir");
    let tag = ok("GET", "/git/ref/tags/v1.0.0", Value::Null, 200);
    assert_eq!(tag["object"]["type"], "tag");
    let tag = tag["object"]["sha"].as_str().unwrap().to_owned();
    let number = ground.pull("promote");
    let head = ground.repo.pull(number).unwrap().head_sha;
    let output = json!({ "title": "t", "summary": "s", "annotations": [
        { "path": "a.txt", "start_line": 1, "end_line": 1, "annotation_level": "warning", "message": "m" }
    ] });
    let check = ok(
        "POST",
        "/check-runs",
        json!({ "name": "promote", "head_sha": head, "conclusion": "success", "output": output }),
        201,
    );
    let check = format!("/check-runs/{}", check["id"]);
    let comment = ok("POST", &format!("/issues/{number}/comments"), json!({ "body": "hello" }), 201);
    ok("POST", "/labels", json!({ "name": "promotion", "color": "1f883d", "description": "d" }), 201);
    ok("POST", &format!("/statuses/{head}"), json!({ "state": "success", "context": "promote" }), 201);
    ok(
        "POST",
        &format!("/pulls/{number}/requested_reviewers"),
        json!({ "reviewers": ["bob"], "team_reviewers": ["ops"] }),
        201,
    );
    ok("PATCH", &check, json!({ "conclusion": "failure" }), 200);
    ok("PATCH", &format!("/issues/comments/{}", comment["id"]), json!({ "body": "bye" }), 200);
    ok("POST", "/git/tags", json!({ "tag": "x", "message": "m", "object": sha, "type": "commit" }), 201);
    ok("PATCH", "/git/refs/heads/promote", json!({ "sha": head, "force": true }), 200);
    for path in [
        "".to_owned(),
        "/branches".into(),
        "/branches/main".into(),
        "/tags".into(),
        "/collaborators/alice/permission".into(),
        "/git/matching-refs/tags/".into(),
        format!("/git/blobs/{}", blob["sha"].as_str().unwrap()),
        format!("/git/commits/{sha}"),
        format!("/git/tags/{tag}"),
        "/contents".into(),
        "/contents/dir".into(),
        "/contents/dir/b.txt?ref=main".into(),
        "/compare/main...promote".into(),
        "/commits".into(),
        "/commits?path=a.txt&sha=main".into(),
        format!("/commits/{head}/pulls"),
        format!("/commits/{sha}/check-runs"),
        "/commits/main/check-suites".into(),
        "/commits/main/statuses".into(),
        "/commits/heads%2Fmain/status".into(),
        "/commits/main".into(),
        "/pulls?state=all&head=acme:promote".into(),
        format!("/pulls/{number}"),
        format!("/pulls/{number}/files"),
        format!("/pulls/{number}/commits"),
        format!("/pulls/{number}/reviews"),
        format!("/pulls/{number}/requested_reviewers"),
        "/labels".into(),
        "/labels/promotion".into(),
        format!("/issues/{number}"),
        format!("/issues/{number}/labels"),
        format!("/issues/{number}/events"),
        format!("/issues/{number}/comments"),
        check.clone(),
        format!("{check}/annotations"),
        "/deployments?environment=staging".into(),
        format!("/deployments/{deployment}"),
        format!("/deployments/{deployment}/statuses"),
        "/actions/workflows".into(),
        "/actions/workflows/staging.yml".into(),
        "/actions/workflows/staging.yml/runs?status=success".into(),
        format!("/actions/runs?head_sha={sha}&event=push&created=%3E2026-01-01"),
        format!("/actions/runs/{run}"),
        format!("/actions/runs/{run}/jobs"),
        format!("/actions/runs/{run}/attempts/1"),
        "/releases".into(),
        "/releases/latest".into(),
        "/releases/tags/v1.0.0".into(),
        "//rate_limit".into(),
        "//users/bob".into(),
        "//meta".into(),
    ] {
        ok("GET", &path, Value::Null, 200);
    }
    let user = |method: &str, path: &str, body: Value, status: u16| {
        let reply = ground.rest_as("u", method, path, body);
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.text);
        reply.body
    };
    user("GET", "//user", Value::Null, 200);
    let made = user("POST", "/deployments", json!({ "ref": "main", "environment": "prod" }), 201);
    user("POST", &format!("/deployments/{}/statuses", made["id"]), json!({ "state": "success" }), 201);
    user("POST", &format!("/pulls/{number}/reviews"), json!({ "event": "APPROVE" }), 200);
    ok("POST", &format!("/issues/{number}/labels"), json!({ "labels": ["promotion", "new"] }), 200);
    ok("PUT", &format!("/issues/{number}/labels"), json!({ "labels": ["promotion", "a b"] }), 200);
    ok("DELETE", &format!("/issues/{number}/labels/a%20b"), Value::Null, 200);
    ok("DELETE", &format!("/issues/{number}/labels"), Value::Null, 204);
    ok("POST", &format!("/issues/{number}/assignees"), json!({ "assignees": ["bob"] }), 201);
    ok("PATCH", &format!("/issues/{number}"), json!({ "title": "T", "labels": ["z"] }), 200);
    ok("PATCH", &format!("/pulls/{number}"), json!({ "body": "B" }), 200);
    ok("DELETE", &format!("/pulls/{number}/requested_reviewers"), json!({ "reviewers": ["bob"] }), 200);
    ok("GET", &format!("/pulls/{number}/merge"), Value::Null, 404);
    ground.repo.commit(&Commit::new("docs: more").file("more.md", "m\n")).unwrap();
    ok("PUT", &format!("/pulls/{number}/update-branch"), json!({}), 202);
    ok("PUT", &format!("/pulls/{number}/merge"), json!({ "merge_method": "squash" }), 200);
    ok("GET", &format!("/pulls/{number}/merge"), Value::Null, 204);
    assert_eq!(ground.repo.file("main", "a.txt").unwrap(), "promote");
    ok("DELETE", "/git/refs/heads/promote", Value::Null, 204);
    assert!(ground.github.unknown_routes().is_empty());
    assert!(ground.github.traffic().iter().all(|exchange| exchange.route.is_some()));
}
