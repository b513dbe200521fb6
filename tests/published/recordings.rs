//! Recordings of the real GitHub (`@octokit/fixtures`), replayed and read by promote's own client.

use std::collections::BTreeMap;

use http::StatusCode;
use promote::github::checks::Check;
use promote::github::client::{Client, Refusal};
use promote::names::{BranchName, CommitSha};
use promote::release::evidence::Promoting;
use promote::settings::Required;
use serde_json::{Value, json};

use crate::replay::{Asked, Recorded, fits, recorded};
use crate::{block_on, client, github, json_of, package};

const OWNER: &str = "octokit-fixture-org";

fn scenario(name: &str) -> Vec<Recorded> {
    let path = package(&format!("fixtures/scenarios/api.github.com/{name}/normalized-fixture.json"));
    json_of(&path).as_array().unwrap().iter().map(Recorded::of).collect()
}

fn scenarios() -> Vec<String> {
    let folders = std::fs::read_dir(package("fixtures/scenarios/api.github.com")).unwrap();
    let mut names: Vec<String> =
        folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The recording of a scenario whose method and path are these.
fn only(name: &str, method: &str, path: &str) -> Vec<Recorded> {
    let wanted = |one: &Recorded| one.method == method && one.path.starts_with(path);
    let found: Vec<Recorded> = scenario(name).into_iter().filter(wanted).collect();
    assert!(!found.is_empty(), "{name} has no {method} {path}");
    found
}

/// A recorded answer given to another request, where GitHub documents the same object for both.
fn as_answer_to(mut known: Recorded, method: &str, path: &str) -> Recorded {
    (known.method, known.path, known.answer.status) = (method.to_owned(), path.to_owned(), 200);
    known
}

/// Sends what was recorded as the client sends such a request.
async fn asked(client: &Client, one: &Recorded) -> Result<Value, Refusal> {
    let list = one.answer.body.starts_with('[');
    match one.method.as_str() {
        "GET" if list => client.beginning::<Value>(&one.path, "").await.map(Value::Array),
        "GET" => client.get(&one.path, "").await,
        "DELETE" => client.delete(&one.path, "").await,
        method => client.write(&method.parse().unwrap(), &one.path, &one.sent, "").await,
    }
}

/// How the client took a recording.
fn taken(url: &str, one: &Recorded) -> &'static str {
    let answer = block_on(asked(&client(url), one));
    let status = StatusCode::from_u16(u16::try_from(one.answer.status).unwrap()).unwrap();
    let about = format!("{} {} {status}", one.method, one.path);
    match answer {
        Ok(_) if status.is_redirection() => "redirected, and followed",
        Ok(body) => {
            assert!(status.is_success() && one.readable, "{about} was taken for {body}");
            let due: Value = serde_json::from_str(&one.answer.body).unwrap_or(Value::Null);
            // Addresses are those of the replay; all else is as it was recorded.
            let local = |host: &str, text: &str| text.replace(host, url);
            let due = local("https://api.github.com", &local("https://api.github.com:443", &due.to_string()));
            assert_eq!(body.to_string(), due, "{about}");
            "decoded"
        }
        Err(refusal) if status.is_client_error() => {
            assert_eq!(refusal.status, Some(status), "{about}");
            let said: Value = serde_json::from_str(&one.answer.body).unwrap();
            let said = said["message"].as_str().unwrap();
            assert!(refusal.message.starts_with(said), "{about}: {}", refusal.message);
            "refused, with GitHub's words"
        }
        // A write is not sent to another address; an archive is on another host, where the token must not go.
        Err(refusal) if status.is_redirection() => {
            assert!(one.method != "GET" || one.path.contains("/tarball/"), "{about}: {}", refusal.message);
            "redirected, and not followed"
        }
        Err(refusal) => {
            assert!(
                !one.readable && refusal.message.contains("cannot be read"),
                "{about}: {}",
                refusal.message
            );
            "not JSON, and said to be unreadable"
        }
    }
}

#[test]
#[ignore = "needs the published payloads: npm ci --prefix tests/contract"]
fn the_client_reads_every_recorded_answer() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in scenarios() {
        let exchanges = scenario(&name);
        for one in &exchanges {
            // With those that follow it, since a redirect or a page leads to one of them.
            let from = exchanges.iter().position(|other| std::ptr::eq(other, one)).unwrap();
            let server = recorded(exchanges.get(from..).unwrap());
            let how = taken(&server.url, one);
            *counts.entry(how).or_default() += 1;
        }
    }
    println!("recordings, as plain JSON: {counts:?}");
    assert_eq!(counts["decoded"], 61, "{counts:?}");
    assert_eq!(counts["refused, with GitHub's words"], 3, "{counts:?}");
}

/// The operations of `docs/operations.md`, as method and path template.
fn operations() -> Vec<(String, String)> {
    let page = include_str!("../../docs/operations.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    rows.filter_map(|row| row.split_once(' '))
        .map(|(method, path)| (method.to_owned(), path.to_owned()))
        .collect()
}

#[test]
#[ignore = "needs the published payloads: npm ci --prefix tests/contract"]
fn what_is_recorded_of_promotes_own_operations_is_known() {
    let operations = operations();
    let all: Vec<Recorded> = scenarios().iter().flat_map(|name| scenario(name)).collect();
    let ours = |one: &&Recorded| {
        let path = one.path.split('?').next().unwrap();
        // What only leads to another address is followed above.
        let answered = (200..300).contains(&one.answer.status);
        answered && operations.iter().any(|(method, template)| *method == one.method && fits(template, path))
    };
    let mut found: Vec<String> = all
        .iter()
        .filter(ours)
        .map(|one| {
            format!("{} {}", one.method, one.path.strip_prefix("/repos/octokit-fixture-org/").unwrap())
        })
        .collect();
    found.sort();
    assert_eq!(found, READ_BY_THE_PRODUCT);
    println!(
        "{} of {} recordings are decoded by the product's types; the rest as plain JSON only",
        found.len(),
        all.len()
    );
}

/// The recordings that the tests below give to the function of the product which asks for such a thing in earnest.
const READ_BY_THE_PRODUCT: [&str; 8] = [
    "DELETE git-refs/git/refs/heads/test",
    "GET create-status/commits/0000000000000000000000000000000000000001/statuses",
    "GET hello-world",
    "PATCH git-refs/git/refs/heads/test",
    "POST add-labels-to-issue/issues/1/labels",
    "POST create-status/statuses/0000000000000000000000000000000000000001",
    "POST create-status/statuses/0000000000000000000000000000000000000001",
    "POST git-refs/git/refs",
];

#[test]
#[ignore = "needs the published payloads: npm ci --prefix tests/contract"]
fn every_recorded_page_is_read() {
    let pages = scenario("paginate-issues");
    let server = recorded(&pages);
    let path = format!("/repos/{OWNER}/paginate-issues/issues");
    let issues: Vec<Value> = block_on(client(&server.url).list(&path, None, "issues: read")).unwrap();
    let numbers: Vec<u64> = issues.iter().map(|issue| issue["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=13).rev().collect::<Vec<_>>());
    let first = format!("GET {path}?per_page=100");
    let page = |page: u64| format!("GET /repositories/1000/issues?per_page=3&page={page}");
    server.was_asked(&[
        (&first, Value::Null),
        (&page(2), Value::Null),
        (&page(3), Value::Null),
        (&page(4), Value::Null),
        (&page(5), Value::Null),
    ]);
}

#[test]
#[ignore = "needs the published payloads: npm ci --prefix tests/contract"]
fn recorded_statuses_are_evidence_and_stand_for_a_check() {
    let sha = CommitSha::parse("0000000000000000000000000000000000000001").unwrap();
    let server = recorded(&scenario("create-status"));
    let github = github(&server.url, &format!("{OWNER}/create-status"));
    let required = [Required::Status { context: "example/1".into(), creator: None }];
    let promoting = Promoting::default();
    let ran = block_on(github.ran(&sha, &required, &promoting)).unwrap();
    let states: Vec<(&str, &str)> =
        ran.statuses.iter().map(|status| (status.context.as_str(), status.state.as_str())).collect();
    assert_eq!(states, [("example/2", "success"), ("example/1", "failure")]);
    assert!(ran.statuses.iter().all(|status| status.at.is_some() && status.creator.is_some()));
    let asked = format!("GET /repos/{OWNER}/create-status/commits/{sha}/statuses?per_page=100");
    server.was_asked(&[(&asked, Value::Null)]);

    // The recording has no check runs: where those are refused, a status is written.
    let mut refused = only("errors", "POST", "/");
    for one in &mut refused {
        one.path = format!("/repos/{OWNER}/create-status/check-runs");
        one.answer.status = 403;
    }
    refused.extend(only("create-status", "POST", "/"));
    let server = recorded(&refused);
    let github = crate::github(&server.url, &format!("{OWNER}/create-status"));
    let check = Check {
        conclusion: "failure".into(),
        title: "blocked".into(),
        summary: String::new(),
        annotations: Vec::new(),
        disarmed: false,
    };
    block_on(github.write_check(&sha, None, &check, None)).unwrap();
    block_on(github.write_check(&sha, None, &check, None)).unwrap();
    let tried = json!({
        "name": "promotion", "status": "completed", "conclusion": "failure", "head_sha": sha,
        "output": { "title": "blocked", "summary": "" }, "external_id": "promote",
    });
    let written =
        json!({ "state": "failure", "context": "promotion", "description": "blocked", "target_url": null });
    let check_runs = format!("POST /repos/{OWNER}/create-status/check-runs");
    let statuses = format!("POST /repos/{OWNER}/create-status/statuses/{sha}");
    server.was_asked(&[
        (&check_runs, tried.clone()),
        (&statuses, written.clone()),
        (&check_runs, tried),
        (&statuses, written),
    ]);
}

#[test]
#[ignore = "needs the published payloads: npm ci --prefix tests/contract"]
fn recorded_refs_are_made_moved_and_deleted() {
    let slug = format!("{OWNER}/git-refs");
    let at = format!("/repos/{slug}/git/ref/heads/test");
    let repository =
        as_answer_to(only("get-repository", "GET", "/").remove(0), "GET", &format!("/repos/{slug}"));
    let node: Value = serde_json::from_str(&repository.answer.body).unwrap();
    let node = node["node_id"].as_str().unwrap().to_owned();
    let made = only("git-refs", "POST", "/").remove(0);
    let moved = only("git-refs", "PATCH", "/").remove(0);
    let sha = |one: &Recorded| {
        let body: Value = serde_json::from_str(&one.answer.body).unwrap();
        CommitSha::parse(body["object"]["sha"].as_str().unwrap()).unwrap()
    };
    let (first, second) = (sha(&made), sha(&moved));
    let branch = BranchName::parse("test").unwrap();
    let read = format!("GET {at}");
    let run = |recordings: &[Recorded],
               before: Option<&CommitSha>,
               after: Option<&CommitSha>,
               write: Asked| {
        let server = recorded(recordings);
        block_on(github(&server.url, &slug).move_branch(&branch, before, after)).unwrap();
        // It was asked for by GraphQL first, of which there are no recordings.
        let due = [
            (format!("GET /repos/{slug}"), Value::Null),
            ("POST /graphql".to_owned(), update(&node, before, after)),
            (read.clone(), Value::Null),
            write,
        ];
        let due: Vec<(&str, Value)> = due.iter().map(|(line, body)| (line.as_str(), body.clone())).collect();
        let unknown: &[&str] = if before.is_some() { &["POST /graphql"] } else { &["POST /graphql", &read] };
        server.was_asked_in_vain(&due, unknown);
    };
    let made_by = json!({ "ref": "refs/heads/test", "sha": first });
    let moved_by = json!({ "sha": second, "force": true });
    let one = format!("/repos/{slug}/git/refs/heads/test");
    run(
        &[repository.clone(), made.clone()],
        None,
        Some(&first),
        (format!("POST /repos/{slug}/git/refs"), made_by),
    );
    run(
        &[repository.clone(), as_answer_to(made, "GET", &at), moved.clone()],
        Some(&first),
        Some(&second),
        (format!("PATCH {one}"), moved_by),
    );
    let mut deleted = only("git-refs", "DELETE", "/");
    deleted.extend([repository, as_answer_to(moved, "GET", &at)]);
    run(&deleted, Some(&second), None, (format!("DELETE {one}"), Value::Null));
}

/// What is sent to move the branch `test` in one step, from where it was only.
fn update(node: &str, before: Option<&CommitSha>, after: Option<&CommitSha>) -> Value {
    let sha = |sha: Option<&CommitSha>| sha.map_or_else(|| "0".repeat(40), ToString::to_string);
    let update =
        json!({ "name": "refs/heads/test", "beforeOid": sha(before), "afterOid": sha(after), "force": true });
    json!({
        "query": "mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }",
        "variables": { "input": { "repositoryId": node, "refUpdates": [update] } },
    })
}

#[test]
#[ignore = "needs the published payloads: npm ci --prefix tests/contract"]
fn recorded_labels_are_added() {
    let server = recorded(&scenario("add-labels-to-issue"));
    let github = github(&server.url, &format!("{OWNER}/add-labels-to-issue"));
    block_on(github.add_labels(1, &["promotion".to_owned()])).unwrap();
    let path = format!("POST /repos/{OWNER}/add-labels-to-issue/issues/1/labels");
    server.was_asked(&[(&path, json!({ "labels": ["promotion"] }))]);
}
