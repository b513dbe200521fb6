#![allow(clippy::unwrap_used, reason = "tests may")]
use proptest::prelude::*;

use super::*;

const PATH: &str = "/github/workflow/event.json";
const SHA: &str = "3f1c9ab0d2e4f6a8b0c2d4e6f8a0b2c4d6e8f0a2";

macro_rules! payload {
    ($file:literal) => {
        include_str!(concat!("../../../tests/fixtures/events/", $file, ".json"))
    };
}

fn parsed(name: &str, json: &str) -> Event {
    Event::parse(name, PATH, Some(json.as_bytes())).unwrap()
}

fn refusal(name: &str, json: Option<&str>) -> String {
    Event::parse(name, PATH, json.map(str::as_bytes)).unwrap_err().to_string()
}

fn sent(event: &Event) -> Vec<(&str, &str)> {
    event.dispatch.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect()
}

#[test]
fn a_workflow_run_is_read_with_the_file_of_its_workflow() {
    let event = parsed("workflow_run", payload!("workflow_run-completed"));
    assert_eq!(
        event.trigger,
        Trigger::WorkflowRun(WorkflowRun {
            id: 7_124_003,
            name: Some("Staging pipeline".into()),
            path: Some(".github/workflows/staging.yml".into()),
            head_sha: CommitSha::parse(SHA).unwrap(),
            head_branch: Some("v1.8.0".into()),
            event: "push".into(),
            conclusion: Some("success".into()),
            origin: Origin::Own,
        })
    );
    assert_eq!(event.name, "workflow_run");
    assert_eq!(event.sender.as_deref(), Some("alice"));
    assert_eq!(event.default_branch.unwrap().as_str(), "main");
}

#[test]
fn a_run_of_a_fork_or_of_a_repository_that_is_gone_is_foreign() {
    for json in [payload!("workflow_run-fork"), payload!("workflow_run-gone")] {
        let Trigger::WorkflowRun(run) = parsed("workflow_run", json).trigger else { unreachable!() };
        assert_eq!(run.origin, Origin::Foreign);
        assert_eq!((run.name, run.head_branch), (None, None));
    }
}

#[test]
fn refs_are_read_without_their_prefix() {
    let tag = |name: &str, fate| Trigger::Tag { name: name.into(), fate };
    let branch = |name: &str, fate| Trigger::Branch { name: name.into(), fate };
    for (name, json, trigger) in [
        ("push", payload!("push-tag-deleted"), tag("fraud-agent/v1.8.0", Fate::Deleted)),
        ("push", payload!("push-branch"), branch("main", Fate::Present)),
        ("create", payload!("create-tag"), tag("v1.8.0", Fate::Present)),
        ("create", payload!("create-branch"), branch("feature/scoring", Fate::Present)),
    ] {
        assert_eq!(parsed(name, json).trigger, trigger, "{name}");
    }
}

#[test]
fn the_other_events_say_what_happened() {
    let deployed = Trigger::DeploymentStatus {
        environment: "staging".into(),
        state: "success".into(),
        sha: Some(CommitSha::parse(SHA).unwrap()),
    };
    let released = Trigger::Release { tag: "v1.8.0".into(), action: "published".into() };
    for (name, json, trigger) in [
        ("release", payload!("release"), released),
        ("schedule", payload!("schedule"), Trigger::Schedule),
        ("deployment_status", payload!("deployment_status"), deployed),
    ] {
        let event = parsed(name, json);
        assert_eq!(event.trigger, trigger, "{name}");
        assert!(event.dispatch.is_empty());
    }
}

#[test]
fn what_a_dispatch_carries_is_text() {
    let event = parsed("workflow_dispatch", payload!("workflow_dispatch"));
    assert_eq!(event.trigger, Trigger::Dispatch);
    assert_eq!(
        sent(&event),
        [("app", "fraud-agent"), ("count", "3"), ("dry_run", "true"), ("tag", ""), ("to", "prod-eu")]
    );
    let event = parsed("repository_dispatch", payload!("repository_dispatch"));
    assert_eq!(event.trigger, Trigger::RepositoryDispatch { action: "promote".into() });
    assert_eq!(sent(&event), [("app", "fraud-agent"), ("dry-run", "yes")]);
}

#[test]
fn a_dispatch_without_inputs_carries_nothing() {
    assert!(parsed("workflow_dispatch", payload!("workflow_dispatch-null")).dispatch.is_empty());
    assert!(parsed("repository_dispatch", r#"{"action": "x"}"#).dispatch.is_empty());
}

#[test]
fn a_setting_that_is_sent_as_an_object_is_refused() {
    assert_eq!(
        refusal("repository_dispatch", Some(r#"{"action": "x", "client_payload": {"dry_run": [true]}}"#)),
        "error: `/github/workflow/event.json`: `client_payload.dry_run` is a list or an object; it must be text\n\
         hint: send it as a string, a number, `true` or `false`"
    );
}

#[test]
fn no_event_is_a_run_outside_actions() {
    assert_eq!(Event::parse("", "", None).unwrap(), Event::local());
}

#[test]
fn an_event_that_a_promotion_cannot_act_on_is_refused_with_those_it_can() {
    for name in ["pull_request", "workflow-run", "PUSH"] {
        assert_eq!(
            refusal(name, Some("{}")),
            format!(
                "error: a promotion cannot act on the event `{name}`\nhint: start the workflow on one of: \
                 `workflow_run`, `workflow_dispatch`, `push`, `create`, `release`, `schedule`, \
                 `repository_dispatch`, `deployment_status`"
            )
        );
    }
}

#[test]
fn a_missing_or_malformed_payload_is_an_error_with_its_place() {
    let runner =
        "\nhint: this file is written by the runner; outside Actions leave `GITHUB_EVENT_NAME` unset";
    let unset = "\nhint: the runner sets `GITHUB_EVENT_NAME` and `GITHUB_EVENT_PATH`; outside Actions leave both unset";
    for (json, message) in [
        (None, format!("`{PATH}`: there is no file with the payload of `push`{unset}")),
        (
            Some(""),
            format!("`{PATH}:1:1`: the event's payload is not JSON: EOF while parsing a value{runner}"),
        ),
        (
            Some("{\n  \"ref\": refs\n}"),
            format!("`{PATH}:2:10`: the event's payload is not JSON: expected value{runner}"),
        ),
        (
            Some("{\n  \"deleted\": false\n}"),
            format!(
                "`{PATH}:3:1`: the event's payload is not what GitHub sends: missing field `ref`{runner}"
            ),
        ),
    ] {
        assert_eq!(refusal("push", json), format!("error: {message}"));
    }
    assert_eq!(
        Event::parse("push", "", None).unwrap_err().to_string(),
        format!("error: the event is `push`, but `GITHUB_EVENT_PATH` names no file{unset}")
    );
    assert_eq!(
        refusal("push", Some(r#"{"ref": "refs/notes/x\ny"}"#)),
        format!(
            "error: `{PATH}`: `refs/notes/x\\ny` was pushed, which is no branch and no tag\nhint: let `on: push` name `branches` or `tags`"
        )
    );
}

proptest! {
    #[test]
    fn no_payload_makes_the_reader_panic(index in 0..EVENTS.len(), bytes in any::<Vec<u8>>()) {
        let _ = Event::parse(EVENTS.get(index).unwrap(), PATH, Some(&bytes));
    }

    #[test]
    fn no_cut_payload_makes_the_reader_panic(index in 0..EVENTS.len(), end in 0_usize..700) {
        let json = payload!("workflow_run-completed").as_bytes();
        let _ = Event::parse(EVENTS.get(index).unwrap(), PATH, json.get(..end));
    }
}
