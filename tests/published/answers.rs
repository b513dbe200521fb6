//! The examples that GitHub's own description gives for every operation, read by promote's client.

use http::StatusCode;
use promote::github::GitHub;
use promote::github::checks::{Check, ExistingCheck};
use promote::github::git_data::NewFile;
use promote::github::pulls::{NewPull, Opened, PullState};
use promote::names::{BranchName, CommitSha};
use promote::release::evidence::Promoting;
use promote::settings::Required;
use serde_json::{Value, json};

use crate::replay::{Replay, examples};
use crate::{block_on, client, github, json_of, package};

/// The commits that the examples are about; each operation's example has one of its own.
const RUN: &str = "acb5820ced9479c074f688cc328bf03f341a511d";
const DEPLOYED: &str = "a84d88e7554fc1fa21bcbc4efae3c782a70d2b9d";
const SLUG: &str = "octocat/Hello-World";

#[test]
#[ignore = "needs the published payloads: npm ci --prefix tests/contract"]
fn the_client_reads_githubs_examples() {
    let server = examples(json_of(&package("openapi/generated/api.github.com.json")));
    let github = github(&server.url, SLUG);
    block_on(async {
        reads_evidence(&server, &github).await;
        opens_a_pull_request(&server, &github).await;
        changes_a_pull_request(&server, &github).await;
        makes_a_commit(&server, &github).await;
        writes_a_check(&server, &github).await;
    });
    let refusal = block_on(client(&server.url).get::<Value>("/no/such/thing", "")).unwrap_err();
    assert!(refusal.is(StatusCode::NOT_FOUND));
    server.was_asked_in_vain(&[("GET /no/such/thing", Value::Null)], &["GET /no/such/thing"]);
}

fn commit(sha: &str) -> CommitSha {
    CommitSha::parse(sha).unwrap()
}

async fn reads_evidence(server: &Replay, github: &GitHub) {
    let promoting = Promoting::default();
    let workflows = github.workflows().await.unwrap();
    assert_eq!(workflows[0].path, ".github/workflows/blank.yaml");
    server.was_asked(&[("GET /repos/octocat/Hello-World/actions/workflows?per_page=100", Value::Null)]);
    assert!(github.was_deployed_to("production").await.unwrap());
    server.was_asked(&[(
        "GET /repos/octocat/Hello-World/deployments?environment=production&per_page=1",
        Value::Null,
    )]);

    let required = [
        Required::Workflow("Build".into()),
        Required::Check { name: "mighty_readme".into(), app: None },
        Required::Status { context: "continuous-integration/jenkins".into(), creator: None },
    ];
    let ran = github.ran(&commit(RUN), &required, &promoting).await.unwrap();
    assert_eq!((ran.runs.len(), ran.checks.len(), ran.statuses.len()), (1, 1, 1));
    assert_eq!((ran.runs[0].name.as_str(), ran.runs[0].event.as_str()), ("Build", "push"));
    assert_eq!(ran.checks[0].name, "mighty_readme");
    assert_eq!(ran.statuses[0].context, "continuous-integration/jenkins");
    let asked = |rest: &str| format!("GET /repos/octocat/Hello-World{rest}");
    server.was_asked(&[
        (&asked(&format!("/actions/runs?head_sha={RUN}&per_page=100")), Value::Null),
        (&asked(&format!("/commits/{RUN}/check-runs?filter=latest&per_page=100")), Value::Null),
        (&asked(&format!("/commits/{RUN}/statuses?per_page=100")), Value::Null),
    ]);

    let required = [Required::Deployment("production".into())];
    let ran = github.ran(&commit(DEPLOYED), &required, &promoting).await.unwrap();
    assert_eq!(ran.deployments[0].statuses[0].state, "success");
    server.was_asked(&[
        (&asked(&format!("/deployments?sha={DEPLOYED}&environment=production&per_page=100")), Value::Null),
        (&asked("/deployments/1/statuses?per_page=100"), Value::Null),
    ]);
}

async fn opens_a_pull_request(server: &Replay, github: &GitHub) {
    let (head, base) = (BranchName::parse("new-topic").unwrap(), BranchName::parse("master").unwrap());
    let pulls = github.pull_requests(&head).await.unwrap();
    assert_eq!((pulls[0].number, pulls[0].state, pulls[0].draft), (1347, PullState::Open, false));
    server.was_asked(&[(
        "GET /repos/octocat/Hello-World/pulls?state=all&head=octocat%3Anew-topic&sort=created&direction=desc&per_page=100",
        Value::Null,
    )]);
    let pull = github.pull_request(1347).await.unwrap();
    assert_eq!((pull.author.as_str(), pull.reviewers.len(), pull.teams.len()), ("octocat", 1, 1));
    server.was_asked(&[("GET /repos/octocat/Hello-World/pulls/1347", Value::Null)]);
    let new = NewPull { head: &head, base: &base, title: "t", body: "b", draft: false };
    let (pull, opened) = github.open_pull_request(&new).await.unwrap();
    assert_eq!((pull.number, opened), (1347, Opened::Now));
    assert!(pull.head.is_some() && !pull.labels.is_empty() && !pull.node_id.is_empty());
    server.was_asked(&[(
        "POST /repos/octocat/Hello-World/pulls",
        json!({
            "title": "t", "head": "new-topic", "base": "master", "body": "b", "draft": false,
            "maintainer_can_modify": false,
        }),
    )]);
}

async fn changes_a_pull_request(server: &Replay, github: &GitHub) {
    const PULL: &str = "PATCH /repos/octocat/Hello-World/pulls/1";
    const LABELS: &str = "POST /repos/octocat/Hello-World/issues/1/labels";
    let reviews = github.reviews(1).await.unwrap();
    assert!(reviews[0].approves && reviews[0].commit.is_some());
    server.was_asked(&[("GET /repos/octocat/Hello-World/pulls/1/reviews?per_page=100", Value::Null)]);
    let happened = github.happened(1).await.unwrap().unwrap();
    assert!(!happened[0].what.is_empty() && happened[0].by.is_some());
    server.was_asked(&[("GET /repos/octocat/Hello-World/issues/1/events?per_page=100", Value::Null)]);
    github.rewrite_pull_request(1, "t", "b").await.unwrap();
    server.was_asked(&[(PULL, json!({ "title": "t", "body": "b" }))]);
    assert!(!github.messages_of(1).await.unwrap()[0].is_empty());
    server.was_asked(&[("GET /repos/octocat/Hello-World/pulls/1/commits?per_page=100", Value::Null)]);
    github.mark_closed(1).await;
    server.was_asked(&[(LABELS, json!({ "labels": ["promote-superseded"] }))]);
    github.close_pull_request(1).await.unwrap();
    server.was_asked(&[(PULL, json!({ "state": "closed" }))]);
    github.reopen_pull_request(1).await.unwrap();
    server.was_asked(&[(PULL, json!({ "state": "open" }))]);
    github.unmark_closed(1).await.unwrap();
    server
        .was_asked(&[("DELETE /repos/octocat/Hello-World/issues/1/labels/promote-superseded", Value::Null)]);
    github.merge(1, &commit(RUN), "squash").await.unwrap();
    server.was_asked(&[(
        "PUT /repos/octocat/Hello-World/pulls/1/merge",
        json!({ "sha": RUN, "merge_method": "squash" }),
    )]);
    github.add_labels(1, &["promotion".to_owned()]).await.unwrap();
    server.was_asked(&[(LABELS, json!({ "labels": ["promotion"] }))]);
    let comments = "GET /repos/octocat/Hello-World/issues/1/comments?per_page=100";
    assert!(github.say_once(1, "octocat", "x", "mark").await.unwrap());
    server.was_asked(&[
        (comments, Value::Null),
        ("POST /repos/octocat/Hello-World/issues/1/comments", json!({ "body": "x" })),
        (comments, Value::Null),
    ]);
    assert!(!github.say_once(1, "octocat", "x", "Me too").await.unwrap());
    server.was_asked(&[(comments, Value::Null)]);
    github.assign(1, &["octocat".to_owned()]).await.unwrap();
    server.was_asked(&[(
        "POST /repos/octocat/Hello-World/issues/1/assignees",
        json!({ "assignees": ["octocat"] }),
    )]);
    assert!(github.request_reviews(1, &["octocat".to_owned()], &[]).await.unwrap().is_empty());
    server.was_asked(&[(
        "POST /repos/octocat/Hello-World/pulls/1/requested_reviewers",
        json!({ "reviewers": ["octocat"], "team_reviewers": [] }),
    )]);
}

async fn makes_a_commit(server: &Replay, github: &GitHub) {
    let file = NewFile { path: "a.yaml", mode: 0o100_644, content: "a: 1\n" };
    let made = github.create_commit(&commit(RUN), RUN, &[file], "x").await.unwrap();
    let entry = json!({ "path": "a.yaml", "mode": "100644", "type": "blob", "content": "a: 1\n" });
    // The tree is the one that GitHub's example of a new tree has.
    let tree = "cd8274d15fa3ae2ab983129fb037999f264ba9a7";
    server.was_asked(&[
        ("POST /repos/octocat/Hello-World/git/trees", json!({ "base_tree": RUN, "tree": [entry] })),
        (
            "POST /repos/octocat/Hello-World/git/commits",
            json!({ "message": "x", "tree": tree, "parents": [RUN] }),
        ),
    ]);
    let message = github.commit_message(&made).await.unwrap().unwrap().message;
    assert_eq!(message, "added readme, because im a good github citizen");
    server.was_asked(&[(&format!("GET /repos/octocat/Hello-World/git/commits/{made}"), Value::Null)]);
    assert!(github.branch_head(&BranchName::parse("featureA").unwrap()).await.unwrap().is_some());
    server.was_asked(&[("GET /repos/octocat/Hello-World/git/ref/heads/featureA", Value::Null)]);
}

async fn writes_a_check(server: &Replay, github: &GitHub) {
    let check = Check {
        conclusion: "success".into(),
        title: "t".into(),
        summary: "s".into(),
        annotations: vec![],
        disarmed: false,
    };
    let mut body = json!({
        "name": "promotion", "status": "completed", "conclusion": "success",
        "output": { "title": "t", "summary": "s" }, "external_id": "promote",
    });
    let there = ExistingCheck {
        id: Some(4),
        conclusion: None,
        title: String::new(),
        summary: String::new(),
        annotations: 2,
        disarmed: false,
    };
    github.write_check(&commit(RUN), Some(&there), &check, None).await.unwrap();
    server.was_asked(&[("PATCH /repos/octocat/Hello-World/check-runs/4", body.clone())]);
    github.write_check(&commit(RUN), None, &check, None).await.unwrap();
    body["head_sha"] = json!(RUN);
    server.was_asked(&[("POST /repos/octocat/Hello-World/check-runs", body)]);
    github.check_on(&commit(RUN)).await.unwrap();
    let path = format!("GET /repos/octocat/Hello-World/commits/{RUN}");
    server.was_asked(&[
        (&format!("{path}/check-runs?check_name=promotion&filter=all&per_page=100"), Value::Null),
        (&format!("{path}/statuses?per_page=100"), Value::Null),
    ]);
}
