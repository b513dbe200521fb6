//! The events of an issue: who closed a pull request, opened it again, made a draft of it or marked it ready.

use fake_github::Token;
use serde_json::{Value, json};

use crate::client::{Ground, ground};

fn events(ground: &Ground, number: u64) -> Vec<(String, String)> {
    let all = ground.get(&format!("/issues/{number}/events"));
    assert_eq!(all.status, 200, "{}", all.text);
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    all.body
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (word(&event["event"]), word(&event["actor"]["login"])))
        .collect()
}

#[test]
fn what_somebody_did_to_a_pull_request_is_told_in_order() {
    let ground = ground();
    ground.github.add_token(Token::user("u", "carol"));
    let number = ground.pull("promote");
    let id = ground.repo.pull_json(number).unwrap()["node_id"].clone();
    let mark = |token: &str, mutation: &str| {
        let query = format!(
            "mutation($id: ID!) {{ {mutation}(input: {{pullRequestId: $id}}) {{ clientMutationId }} }}"
        );
        let answer = ground.graphql_as(token, &query, json!({ "id": id }));
        assert!(answer["errors"].is_null(), "{answer}");
    };
    mark("t", "convertPullRequestToDraft");
    // What it is already is no event.
    mark("t", "convertPullRequestToDraft");
    mark("u", "markPullRequestReadyForReview");
    ground.repo.mark_draft(number, "alice").unwrap();
    ground.repo.mark_draft(number, "bob").unwrap();
    ground.repo.close(number, "bob").unwrap();
    ground.repo.reopen(number, "alice").unwrap();
    ground.repo.mark_ready(number, "alice").unwrap();
    assert_eq!(ground.rest("PATCH", &format!("/pulls/{number}"), json!({ "state": "closed" })).status, 200);
    let told = [
        ("convert_to_draft", "github-actions[bot]"),
        ("ready_for_review", "carol"),
        ("convert_to_draft", "alice"),
        ("closed", "bob"),
        ("reopened", "alice"),
        ("ready_for_review", "alice"),
        ("closed", "github-actions[bot]"),
    ];
    assert_eq!(events(&ground, number), told.map(|(event, actor)| (event.to_owned(), actor.to_owned())));
}

#[test]
fn an_event_has_its_time_and_the_fields_of_githubs_description() {
    let ground = ground();
    let number = ground.pull("promote");
    ground.repo.mark_draft(number, "alice").unwrap();
    ground.github.set_now("2026-11-22T12:30:00Z".parse().unwrap());
    ground.repo.close(number, "bob").unwrap();
    let all = ground.get(&format!("/issues/{number}/events")).body;
    assert_eq!(
        (&all[0]["created_at"], &all[1]["created_at"]),
        (&json!("2026-11-22T10:00:00Z"), &json!("2026-11-22T12:30:00Z"))
    );
    for field in ["node_id", "url", "commit_id", "commit_url", "performed_via_github_app"] {
        assert!(all[0].as_object().unwrap().contains_key(field), "{field}");
    }
    assert_ne!((&all[0]["id"], &all[0]["node_id"]), (&all[1]["id"], &all[1]["node_id"]));
}

#[test]
fn a_merge_closes_and_the_admin_api_names_who_marked_it() {
    let ground = ground();
    let number = ground.pull("promote");
    for (act, actor) in [("draft", "alice"), ("ready", "bob")] {
        let path = format!("/_fake/repos/{}/pulls/{number}/{act}", crate::client::NAME);
        let done = ground.raw("POST", &path, &[], &json!({ "actor": actor }).to_string()).unwrap();
        assert_eq!(done.status, 200, "{}", done.text);
    }
    ground.repo.merge(number, "carol", "squash").unwrap();
    let told = [("convert_to_draft", "alice"), ("ready_for_review", "bob"), ("closed", "carol")];
    assert_eq!(events(&ground, number), told.map(|(event, actor)| (event.to_owned(), actor.to_owned())));
}
