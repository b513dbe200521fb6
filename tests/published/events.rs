//! Every payload that `@octokit/webhooks-examples` has, read as the file that a run is started with.

use std::collections::BTreeMap;

use promote::failure::Kind;
use promote::settings::{EVENTS, Event, Fate, Origin, Trigger};
use serde_json::Value;

use crate::{json_of, package};

/// Descriptions of github.com and of the versions of GitHub Enterprise Server that the package knows.
const FOLDERS: [&str; 6] = ["api.github.com", "ghes-31", "ghes-32", "ghes-33", "ghes-34", "ghes-35"];

fn examples() -> Vec<(String, Value)> {
    let lists = FOLDERS.map(|folder| json_of(&package(&format!("webhooks-examples/{folder}/index.json"))));
    let events = lists.iter().flat_map(|list| list.as_array().unwrap());
    let named = events.flat_map(|event| {
        let name = event["name"].as_str().unwrap();
        event["examples"].as_array().unwrap().iter().map(|payload| (name.to_owned(), payload.clone()))
    });
    named.collect()
}

fn parsed(name: &str, payload: &Value) -> promote::failure::Result<Event> {
    Event::parse(name, "/github/workflow/event.json", Some(payload.to_string().as_bytes()))
}

/// What was read, in a line.
fn reading(event: &Event) -> String {
    let fate = |fate: Fate| if fate == Fate::Deleted { "deleted" } else { "there" };
    match &event.trigger {
        Trigger::WorkflowRun(run) => {
            let origin = if run.origin == Origin::Own { "own" } else { "foreign" };
            let ended = run.conclusion.as_deref().unwrap_or("not over");
            format!("run of {}, {}, {ended}, {origin}", run.path.as_deref().unwrap_or("?"), run.event)
        }
        Trigger::Dispatch => format!("dispatch with {:?}", event.dispatch.keys().collect::<Vec<_>>()),
        Trigger::Tag { name, fate: of } => format!("tag {name} is {}", fate(*of)),
        Trigger::Branch { name, fate: of } => format!("branch {name} is {}", fate(*of)),
        Trigger::Release { tag, action } => format!("release {tag} was {action}"),
        Trigger::RepositoryDispatch { action } => format!("sent: {action}"),
        Trigger::DeploymentStatus { environment, state, sha } => {
            format!("{environment} is {state}, commit {}", if sha.is_some() { "known" } else { "unknown" })
        }
        Trigger::Schedule | Trigger::Local => "no webhook".to_owned(),
    }
}

#[test]
#[ignore = "needs the published payloads: npm ci --prefix tests/contract"]
fn every_published_payload_is_read() {
    let mut readings: BTreeMap<String, usize> = BTreeMap::new();
    for (name, payload) in examples().iter().filter(|(name, _)| EVENTS.contains(&name.as_str())) {
        let action = payload["action"].as_str().map_or(String::new(), |action| format!(" {action}"));
        let event = parsed(name, payload).unwrap_or_else(|failure| panic!("{name}{action}: {failure}"));
        assert_eq!(event.sender.as_deref(), payload["sender"]["login"].as_str(), "{name}");
        let branch = event.default_branch.as_ref().map(promote::names::BranchName::as_str);
        assert_eq!(branch, payload["repository"]["default_branch"].as_str(), "{name}");
        *readings.entry(format!("{name}{action}: {}", reading(&event))).or_default() += 1;
    }
    let found: Vec<&str> = readings.keys().map(String::as_str).collect();
    assert_eq!(found, EXPECTED);
    println!(
        "{} payloads of supported events were read, in {} ways",
        readings.values().sum::<usize>(),
        readings.len()
    );
}

/// Event, action and what promote takes it for.
const EXPECTED: [&str; 19] = [
    "create: tag simple-tag is there",
    "deployment_status created: github-pages is in_progress, commit known",
    "deployment_status created: production is success, commit known",
    "deployment_status: production is success, commit known",
    "push: branch master is there",
    "push: tag simple-tag is deleted",
    "push: tag simple-tag is there",
    "release created: release 0.0.1 was created",
    "release deleted: release 0.0.1 was deleted",
    "release edited: release 0.0.1 was edited",
    "release prereleased: release 0.0.1 was prereleased",
    "release published: release 0.0.1 was published",
    "release released: release 0.0.1 was released",
    "repository_dispatch on-demand-test: sent: on-demand-test",
    "workflow_dispatch: dispatch with []",
    "workflow_run completed: run of .github/workflows/syntax.yml, workflow_dispatch, not over, foreign",
    "workflow_run completed: run of .github/workflows/test.yml, repository_dispatch, success, own",
    "workflow_run requested: run of .github/workflows/test.yml, repository_dispatch, action_required, own",
    "workflow_run requested: run of .github/workflows/test.yml, repository_dispatch, not over, own",
];

#[test]
#[ignore = "needs the published payloads: npm ci --prefix tests/contract"]
fn every_other_event_is_refused_with_those_that_can_start_a_promotion() {
    let mut refused = 0;
    for (name, payload) in examples().iter().filter(|(name, _)| !EVENTS.contains(&name.as_str())) {
        let failure = parsed(name, payload).unwrap_err();
        let text = failure.to_string();
        assert_eq!(failure.kind(), Kind::Settings, "{name}");
        assert!(text.contains(&format!("cannot act on the event `{name}`")), "{text}");
        assert!(EVENTS.iter().all(|event| text.contains(&format!("`{event}`"))), "{text}");
        refused += 1;
    }
    assert!(refused > 200, "{refused}");
    println!("{refused} payloads of other events were refused");
}

#[test]
#[ignore = "needs the published payloads: npm ci --prefix tests/contract"]
fn a_published_payload_under_another_name_never_panics() {
    let all = examples();
    let (mut read, mut refused) = (0, 0);
    for (_, payload) in &all {
        for name in EVENTS {
            match parsed(name, payload) {
                Ok(_) => read += 1,
                Err(failure) => {
                    assert!(failure.to_string().contains("/github/workflow/event.json"), "{failure}");
                    refused += 1;
                }
            }
        }
    }
    println!("{} payloads under every name: {read} readings, {refused} clear errors", all.len());
}
