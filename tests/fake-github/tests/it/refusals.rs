//! What GitHub refuses, refused here in its words.

use fake_github::{Level, Token, TokenKind};
use serde_json::{Value, json};

use crate::client::{Ground, ground};

fn first_error(body: &Value) -> &str {
    body["errors"][0]["message"].as_str().unwrap_or_default()
}

#[test]
fn a_second_pull_request_for_the_same_branch_is_refused() {
    let ground = ground();
    ground.pull("promote");
    let again =
        ground.rest("POST", "/pulls", json!({ "title": "t", "head": "acme:promote", "base": "main" }));
    assert_eq!((again.status, again.message()), (422, "Validation Failed"));
    assert_eq!(first_error(&again.body), "A pull request already exists for acme:promote.");
    assert_eq!(again.body["status"], "422");
}

#[test]
fn pull_requests_that_make_no_sense_are_refused() {
    let ground = ground();
    ground.branch("good", "x");
    ground.rest("POST", "/git/refs", json!({ "ref": "refs/heads/same", "sha": ground.first }));
    let open = |change: Value| {
        let mut body = json!({ "title": "t", "head": "good", "base": "main" });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let reply = ground.rest("POST", "/pulls", body);
        assert_eq!(reply.status, 422, "{}", reply.text);
        reply.body
    };
    assert_eq!(first_error(&open(json!({ "head": "same" }))), "No commits between main and same");
    assert_eq!(open(json!({ "head": "none" }))["errors"][0]["field"], "head");
    assert_eq!(open(json!({ "base": "none" }))["errors"][0]["field"], "base");
    assert!(first_error(&open(json!({ "body": "é".repeat(65_537) }))).contains("65536"));
    ground.repo.set(|settings| settings.drafts = false).unwrap();
    assert!(open(json!({ "draft": true }))["message"].as_str().unwrap().contains("Draft"));
    let fits = ground.rest(
        "POST",
        "/pulls",
        json!({ "title": "t", "head": "good", "base": "main", "body": "é".repeat(65_536) }),
    );
    assert_eq!(fits.status, 201);
}

#[test]
fn bad_objects_and_refs_are_refused() {
    let ground = ground();
    let tip = ground.branch("b", "x");
    let zero = "0123456789".repeat(4);
    let cases = [
        ("POST", "/git/refs", json!({ "ref": "refs/heads/b", "sha": tip }), "Reference already exists"),
        ("POST", "/git/refs", json!({ "ref": "refs/heads/c", "sha": zero }), "Object does not exist"),
        (
            "POST",
            "/git/refs",
            json!({ "ref": "heads", "sha": tip }),
            "Reference name must start with 'refs/'",
        ),
        ("PATCH", "/git/refs/heads/b", json!({ "sha": ground.first }), "Update is not a fast forward"),
        ("PATCH", "/git/refs/heads/none", json!({ "sha": tip }), "Reference does not exist"),
        ("DELETE", "/git/refs/heads/none", Value::Null, "Reference does not exist"),
        ("POST", "/git/commits", json!({ "message": "m", "tree": zero }), "Tree SHA does not exist"),
        ("POST", "/git/trees", json!({ "tree": [] }), "Invalid tree info"),
        (
            "POST",
            "/git/trees",
            json!({ "base_tree": zero, "tree": [{ "path": "a", "mode": "100644", "content": "" }] }),
            "base_tree is not a valid tree oid",
        ),
        (
            "POST",
            "/git/trees",
            json!({ "tree": [{ "path": "../a", "mode": "100644", "content": "" }] }),
            "tree.path contains a malformed path component",
        ),
        (
            "POST",
            "/git/trees",
            json!({ "tree": [{ "path": "a", "mode": "1", "content": "" }] }),
            "Must supply a valid tree.mode",
        ),
        (
            "POST",
            "/git/trees",
            json!({ "tree": [{ "path": "a", "mode": "100644", "sha": zero }] }),
            "tree.sha",
        ),
    ];
    for (method, path, body, message) in cases {
        let reply = ground.rest(method, path, body.clone());
        assert_eq!(reply.status, 422, "{method} {path} {body}");
        assert!(reply.message().starts_with(message), "{} is not {message}", reply.message());
    }
    ground.repo.set(|settings| settings.protected_branches = vec!["main".to_owned()]).unwrap();
    assert_eq!(ground.rest("PATCH", "/git/refs/heads/main", json!({ "sha": tip })).status, 422);
}

#[test]
fn checks_know_their_limits_and_their_app() {
    let ground = ground();
    ground.github.add_token(Token::user("u", "alice"));
    let check = |output: Value| json!({ "name": "n", "head_sha": ground.first, "status": "completed", "conclusion": "success", "output": output });
    let note =
        json!({ "path": "a", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m" });
    for output in [
        json!({ "title": "t", "summary": "x".repeat(65_536) }),
        json!({ "title": "t", "summary": "s", "text": "x".repeat(65_536) }),
        json!({ "title": "t", "summary": "s", "annotations": vec![note.clone(); 51] }),
        json!({ "title": "t" }),
    ] {
        assert_eq!(ground.rest("POST", "/check-runs", check(output)).status, 422);
    }
    let good = check(json!({ "title": "t", "summary": "x".repeat(65_535), "annotations": vec![note; 50] }));
    assert_eq!(ground.rest("POST", "/check-runs", good.clone()).status, 201);
    let person = ground.rest_as("u", "POST", "/check-runs", good);
    assert_eq!((person.status, person.message()), (403, "You must authenticate via a GitHub App."));
}

#[test]
fn a_label_is_made_only_for_those_who_may_write_issues() {
    let ground = ground();
    ground.branch("promote", "x");
    let pulls = Token::bare("p", "github-actions[bot]", TokenKind::Actions);
    ground.github.add_token(pulls.allow("pull_requests", Level::Write));
    let new = json!({"title": "t", "head": "promote", "base": "main"});
    assert_eq!(ground.rest_as("p", "POST", "/pulls", new).status, 201);
    let labels = |token: &str, names: &[&str]| {
        ground.rest_as(token, "POST", "/issues/1/labels", json!({ "labels": names }))
    };
    let refused = labels("p", &["new"]);
    let words = "You do not have permission to create labels on this repository.";
    assert_eq!((refused.status, refused.message()), (403, words));
    let issues = Token::bare("i", "github-actions[bot]", TokenKind::Actions);
    ground.github.add_token(issues.allow("issues", Level::Write));
    assert_eq!(labels("i", &["new"]).status, 200);
    assert_eq!(labels("p", &["New"]).status, 200);
    assert_eq!(labels("p", &["new", "newer"]).status, 403);
}

#[test]
fn tokens_may_what_they_were_given() {
    let ground = ground();
    ground.branch("promote", "x");
    let read_only =
        Token::bare("r", "github-actions[bot]", TokenKind::Actions).allow("contents", Level::Read);
    ground.github.add_token(read_only);
    ground.github.add_token(Token::actions("elsewhere").only(&["acme/other"]));
    let refused = |token: &str, method: &str, path: &str, accepted: &str| {
        let reply = ground.rest_as(token, method, path, Value::Null);
        assert_eq!(reply.message(), "Resource not accessible by integration", "{method} {path}");
        assert_eq!((reply.status, reply.header("x-accepted-github-permissions")), (403, Some(accepted)));
    };
    refused("r", "POST", "/pulls", "pull_requests=write");
    refused("r", "GET", "/actions/runs", "actions=read");
    refused("r", "POST", "/issues/1/labels", "issues=write; pull_requests=write");
    refused("r", "POST", "/git/trees", "contents=write");
    assert_eq!(ground.rest_as("r", "GET", "/commits", Value::Null).status, 200);
    assert_eq!(ground.rest_as("elsewhere", "GET", "", Value::Null).status, 404);
    let wrong = ground.rest_as("wrong", "GET", "", Value::Null);
    assert_eq!((wrong.status, wrong.message()), (401, "Bad credentials"));
    let gap = ground.get("/no/such/thing");
    assert_eq!((gap.status, gap.message()), (404, "Not Found"));
    assert_eq!(ground.github.unknown_routes(), ["GET /repos/acme/gitops/no/such/thing"]);
    let nameless = ground.raw("GET", "/api/v3/rate_limit", &[("authorization", "Bearer t")], "").unwrap();
    assert_eq!(nameless.status, 403);
    let recorded = serde_json::to_string(&ground.github.traffic()).unwrap();
    assert!(!recorded.contains("Bearer"), "a secret was recorded");

    ground.repo.set(|settings| settings.actions_may_open_pull_requests = false).unwrap();
    let barred = ground.rest("POST", "/pulls", json!({ "title": "t", "head": "promote", "base": "main" }));
    assert_eq!(barred.status, 403);
    assert_eq!(barred.message(), "GitHub Actions is not permitted to create or approve pull requests.");
    let mutation = "mutation($i: UpdateRefsInput!) { updateRefs(input: $i) { clientMutationId } }";
    let id = ground.graphql("{ repository(owner: \"acme\", name: \"gitops\") { id } }", json!({}));
    let input = json!({ "i": { "repositoryId": id["data"]["repository"]["id"], "refUpdates": [] } });
    assert_eq!(ground.graphql_as("r", mutation, input)["errors"][0]["type"], "FORBIDDEN");
}

#[test]
fn a_public_repository_is_cloned_by_the_token_of_another_and_not_pushed_to() {
    let ground = ground();
    ground.github.add_token(Token::actions("elsewhere").only(&["acme/other"]));
    let status = |service: &str| {
        let path = format!("/acme/gitops/info/refs?service={service}");
        // base64 of `x-access-token:elsewhere`
        let basic = [("authorization", "Basic eC1hY2Nlc3MtdG9rZW46ZWxzZXdoZXJl")];
        ground.raw("GET", &path, &basic, "").unwrap().status
    };
    assert_eq!((status("git-upload-pack"), status("git-receive-pack")), (404, 404));
    ground.repo.set(|settings| settings.private = false).unwrap();
    assert_eq!((status("git-upload-pack"), status("git-receive-pack")), (200, 403));
}

#[test]
fn reviews_need_another_person() {
    let ground = ground();
    let number = ground.pull("promote");
    let path = format!("/pulls/{number}/requested_reviewers");
    let author = ground.rest("POST", &path, json!({ "reviewers": ["github-actions[bot]"] }));
    assert_eq!(author.message(), "Review cannot be requested from pull request author.");
    let stranger = ground.rest("POST", &path, json!({ "reviewers": ["nobody"] }));
    assert_eq!(stranger.status, 422);
    assert!(ground.repo.approve(number, "github-actions[bot]").is_err());
    ground.repo.set(|settings| settings.required_approvals = 1).unwrap();
    assert!(ground.repo.merge(number, "alice", "squash").is_err());
    ground.repo.approve(number, "alice").unwrap();
    ground.repo.merge(number, "alice", "squash").unwrap();
    assert_eq!(ground.repo.pull(number).unwrap().state, "merged");
}

fn pull_mutation(ground: &Ground, name: &str, number: u64) -> Value {
    let id = ground.repo.pull_json(number).unwrap()["node_id"].clone();
    let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    let text = format!(
        "mutation($i: {kind}!) {{ {name}(input: $i) {{ pullRequest {{ isDraft reviewDecision autoMergeRequest {{ mergeMethod }} }} }} }}"
    );
    ground.graphql(&text, json!({ "i": { "pullRequestId": id } }))
}

#[test]
fn auto_merge_and_drafts_follow_the_state() {
    let ground = ground();
    let number = ground.pull("promote");
    let clean = pull_mutation(&ground, "enablePullRequestAutoMerge", number);
    assert_eq!(first_error(&clean), "Pull request is in clean status");
    ground.repo.set(|settings| settings.required_approvals = 1).unwrap();
    let waiting = pull_mutation(&ground, "enablePullRequestAutoMerge", number);
    let shown = &waiting["data"]["enablePullRequestAutoMerge"]["pullRequest"];
    assert_eq!(
        shown,
        &json!({ "isDraft": false, "reviewDecision": "REVIEW_REQUIRED", "autoMergeRequest": { "mergeMethod": "MERGE" } })
    );
    pull_mutation(&ground, "convertPullRequestToDraft", number);
    assert!(ground.repo.pull(number).unwrap().draft);
    pull_mutation(&ground, "markPullRequestReadyForReview", number);
    pull_mutation(&ground, "disablePullRequestAutoMerge", number);
    let pull = ground.repo.pull(number).unwrap();
    assert!(!pull.draft && !pull.auto_merge);
    let unknown = ground.graphql("{ repository(owner: \"acme\", name: \"gitops\") { nope } }", json!({}));
    assert_eq!(unknown["errors"][0]["message"], "Field 'nope' doesn't exist on type 'Repository'");
    ground.repo.set(|settings| settings.update_refs = false).unwrap();
    let id = ground.graphql("{ repository(owner: \"acme\", name: \"gitops\") { id } }", json!({}));
    let old = ground.graphql(
        "mutation($i: UpdateRefsInput!) { updateRefs(input: $i) { clientMutationId } }",
        json!({ "i": { "repositoryId": id["data"]["repository"]["id"], "refUpdates": [] } }),
    );
    assert_eq!(old["errors"][0]["extensions"]["code"], "undefinedField");
}

#[test]
fn a_head_that_falls_back_to_its_base_closes_the_pull_request() {
    let ground = ground();
    let number = ground.pull("promote");
    let main = ground.repo.resolve("main").unwrap();
    ground.rest("PATCH", "/git/refs/heads/promote", json!({ "sha": main, "force": true }));
    assert_eq!(ground.repo.pull(number).unwrap().state, "closed");
    let again = ground.rest("PATCH", &format!("/pulls/{number}"), json!({ "state": "open" }));
    assert_eq!(again.status, 422);
    let other = ground.pull("gone");
    ground.repo.delete_ref("refs/heads/gone").unwrap();
    assert_eq!(ground.repo.pull(other).unwrap().state, "closed");
}
