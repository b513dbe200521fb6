//! Auto-merge and the merge at once, and what people should read where GitHub offers neither.

use std::collections::BTreeMap;

use fake_github::{Effect, Fault, On, Token};
use serde_json::{Value, json};

use crate::scene::{Run, Scene, Start};

fn ready() -> Scene {
    let scene = Scene::new();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    scene
}

#[test]
fn what_nothing_holds_back_is_merged_only_where_that_was_asked_for() {
    let scene = ready();
    let run = scene.runs(&Start::inputs(&[("auto-merge", "squash")]));
    run.ended("created", 0);
    assert!(
        run.stdout.contains("auto-merge was not turned on: nothing that `main` requires"),
        "{}",
        run.said()
    );
    assert!(run.stdout.contains("merge-at-once: true"), "{}", run.said());
    assert_eq!(scene.repo.pull(1).unwrap().state, "open");

    let scene = ready();
    let run = scene.runs(&Start::inputs(&[("auto-merge", "squash"), ("merge-at-once", "true")]));
    run.ended("created", 0);
    assert_eq!(scene.repo.pull(1).unwrap().state, "merged");
    assert!(scene.prod("main").contains("tag: v1.8.0"));
    let merge = run.requests.iter().find(|exchange| exchange.path.ends_with("/merge")).unwrap();
    assert_eq!(merge.request_body, json!({"sha": run.output("head-sha"), "merge_method": "squash"}));
    scene.run().ended("nothing-to-promote", 0);
}

#[test]
fn a_merge_at_once_that_names_no_way_is_told_to() {
    let scene = ready();
    let run = scene.runs(&Start::inputs(&[("merge-at-once", "true")]));
    run.ended("created", 0);
    assert!(run.stdout.contains("`merge-at-once` does nothing without `auto-merge`"), "{}", run.said());
}

#[test]
fn what_waits_for_an_approval_is_armed_and_not_merged() {
    let scene = ready();
    scene.repo.set(|settings| settings.required_approvals = 1).unwrap();
    let start = Start::inputs(&[("auto-merge", "rebase"), ("merge-at-once", "true")]);
    scene.runs(&start).ended("created", 0);
    let pull = scene.repo.pull(1).unwrap();
    assert_eq!((pull.state.as_str(), pull.auto_merge), ("open", true));
    assert_eq!(scene.runs(&start).writes(), [""; 0]);
}

#[test]
fn what_is_blocked_is_neither_armed_nor_merged() {
    let scene = Scene::new();
    scene.release("v1.8.0", "latest", Some("success"));
    scene.runs(&Start::inputs(&[("auto-merge", "squash"), ("merge-at-once", "true")])).ended("blocked", 1);
    let pull = scene.repo.pull(1).unwrap();
    assert_eq!((pull.state.as_str(), pull.auto_merge, pull.draft), ("open", false, true));
}

#[test]
fn where_auto_merge_is_not_allowed_that_is_said() {
    let scene = ready();
    scene.repo.set(|settings| settings.auto_merge = false).unwrap();
    let run = scene.runs(&Start::inputs(&[("auto-merge", "merge")]));
    run.ended("created", 0);
    assert!(run.stdout.contains("auto-merge could not be turned on"), "{}", run.said());
}

#[test]
fn the_author_is_not_asked_to_review_and_nobody_is_asked_twice() {
    let scene = ready();
    scene.github.add_token(Token::user("ghp_carol", "carol"));
    let start = Start::inputs(&[
        ("pull-request-token", "ghp_carol"),
        ("reviewers", "alice, Carol"),
        ("assignees", "bob"),
        ("labels", "promotion"),
    ]);
    let broken = Effect::Status { status: 500, body: json!({}), headers: BTreeMap::new() };
    scene.github.inject(Fault::new(On::request("POST", "/check-runs$").times(3), broken)).unwrap();
    let asked = |run: &Run, path: &str| -> Vec<Value> {
        let here =
            run.requests.iter().filter(|exchange| exchange.path.ends_with(path) && exchange.is_write());
        here.map(|exchange| exchange.request_body.clone()).collect()
    };
    let run = scene.runs(&start);
    run.ended("created", 0);
    assert_eq!(
        asked(&run, "/requested_reviewers"),
        [json!({"reviewers": ["alice"], "team_reviewers": []})],
        "{}",
        run.said()
    );
    // The run was cut short before its check: nobody is called a second time.
    scene.github.clear_faults();
    let again = scene.runs(&start);
    again.ended("unchanged", 0);
    for path in ["/requested_reviewers", "/assignees", "/labels"] {
        assert_eq!(asked(&again, path), [] as [Value; 0], "{}", again.said());
    }
    assert_eq!(asked(&again, "/check-runs").len(), 1);
}
