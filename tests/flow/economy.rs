//! How much a search asks of GitHub: the newest release by itself, the others at once, and never more for more tags.

use std::collections::BTreeMap;

use fake_github::{Effect, Exchange, Fault, Level, On, Options, Surface, Token, TokenKind, WorkflowRun};
use serde_json::json;

use crate::scene::{Run, STAGING, Scene, Start, TOKEN};

/// How many releases are looked at in vain.
const FAILED: usize = 8;

/// v1.8.0 succeeded, and so many after it did not.
fn scene(options: Options) -> Scene {
    let scene = Scene::with(options);
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    for patch in 1..=FAILED {
        scene.release(&format!("v1.8.{patch}"), "2026-09-15", Some("failure"));
    }
    scene
}

fn planned(scene: &Scene) -> Run {
    let payload = scene.repo.event_schedule("0 6 * * *").unwrap();
    let inputs = [("command", "plan")];
    let start = Start { event: "schedule", payload: Some(payload), inputs: &inputs, ..Start::default() };
    let run = scene.runs(&start);
    run.ended("planned", 0);
    assert_eq!(run.output("tag"), "v1.8.0", "{}", run.said());
    assert_eq!(run.plan["passed_over"].as_array().unwrap().len(), FAILED);
    run
}

fn queries(run: &Run) -> usize {
    let is_query = |exchange: &&Exchange| exchange.surface == Surface::GraphQl && !exchange.is_write();
    run.requests.iter().filter(is_query).count()
}

fn lists_of_runs(run: &Run) -> usize {
    let is_list = |exchange: &&Exchange| exchange.path.ends_with("/actions/runs");
    run.requests.iter().filter(is_list).count()
}

#[test]
fn the_newest_release_is_asked_about_by_itself_and_the_others_at_once() {
    let run = planned(&scene(Options::default()));
    assert_eq!(
        (queries(&run), lists_of_runs(&run)),
        (1, 2),
        "the newest, all others, and the one that is chosen"
    );
    assert!(run.requests.len() <= 7, "{}", run.requests.len());

    let scene = Scene::new();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    assert_eq!(queries(&scene.run()), 0, "where the newest succeeded, no other is asked about");
}

#[test]
fn what_cannot_be_told_at_once_is_asked_one_by_one_and_the_question_is_not_put_again() {
    // A server that does not know the question.
    let old = scene(Options::default());
    let on = On { path: Some("graphql".into()), times: u64::MAX, ..On::default() };
    for what in [
        Effect::Status { status: 502, body: json!({}), headers: BTreeMap::new() },
        Effect::Status {
            status: 200,
            body: json!({ "errors": [{ "message": "Field 'checkSuites' doesn't exist on type 'Commit'" }] }),
            headers: BTreeMap::new(),
        },
        Effect::Status {
            status: 200,
            body: json!({ "data": { "repository": null } }),
            headers: BTreeMap::new(),
        },
        Effect::Status {
            status: 200,
            body: json!({ "data": { "repository": { "c0": { "oid": "x" }, "c1": null, "c2": [] } } }),
            headers: BTreeMap::new(),
        },
        Effect::CutBefore,
    ] {
        let shown = format!("{what:?}");
        old.github.inject(Fault { on: on.clone(), what }).unwrap();
        let run = planned(&old);
        assert_eq!((queries(&run), lists_of_runs(&run)), (1, FAILED + 1), "{shown}");
        old.github.clear_faults();
    }
    // A token that may not read checks, which runs do not need.
    let bare = scene(Options::default());
    let mut token = Token::bare(TOKEN, "github-actions[bot]", TokenKind::Actions);
    for name in ["actions", "contents", "pull_requests"] {
        token = token.allow(name, Level::Read);
    }
    bare.github.add_token(token);
    let run = planned(&bare);
    assert_eq!((queries(&run), lists_of_runs(&run)), (1, FAILED + 1));
    // Suites that go on on another page.
    let paged = scene(Options { page_cap: Some(1), ..Options::default() });
    for patch in 1..=FAILED {
        let commit = paged.repo.resolve(&format!("v1.8.{patch}")).unwrap();
        paged.repo.add_workflow_run(WorkflowRun::new(STAGING, &commit).on("main")).unwrap();
    }
    assert_eq!(queries(&planned(&paged)), 1);
}

#[test]
fn requests_do_not_grow_with_tags() {
    let few = scene(Options::default());
    let many = scene(Options::default());
    let first = many.repo.resolve("v1.7.0").unwrap();
    for patch in 0..400 {
        many.repo.set_ref(&format!("refs/tags/v1.6.{patch}"), &first).unwrap();
        many.repo.set_ref(&format!("refs/tags/v1.9.0-rc.{patch}"), &first).unwrap();
    }
    let (few, payload) = (planned(&few), many.repo.event_schedule("0 6 * * *").unwrap());
    let inputs = [("command", "plan")];
    let run =
        many.runs(&Start { event: "schedule", payload: Some(payload), inputs: &inputs, ..Start::default() });
    assert_eq!(run.output("tag"), "v1.8.0", "{}", run.said());
    assert_eq!(run.requests.len(), few.requests.len());
    assert_eq!(run.plan["ledger"]["unlisted"], 300);
}
