//! How long a run waits, and what it says when that is not enough.

use std::collections::BTreeMap;

use fake_github::{Effect, Fault, On};
use jiff::SignedDuration;
use serde_json::json;

use crate::scene::{Scene, Start};

fn ready() -> Scene {
    let scene = Scene::new();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    scene
}

#[test]
fn a_limit_is_waited_for_at_both_edges_and_said() {
    let scene = ready();
    let limit = || Effect::SecondaryLimit { retry_after: 1 };
    for on in [
        On::request("GET", "/info/refs$"),
        On::request("POST", "/git/trees$"),
        On::request("POST", "/pulls$"),
    ] {
        scene.github.inject(Fault::new(on, limit())).unwrap();
    }
    let run = scene.run();
    run.ended("created", 0);
    assert_eq!(run.stderr.matches("waiting").count(), 3, "{}", run.said());
    assert!(run.stderr.contains("GitHub limits the rate of requests"), "{}", run.said());
}

#[test]
fn a_limit_longer_than_the_budget_ends_the_run_clearly_and_at_once() {
    for (retry_after, inputs, whole) in [
        (600, vec![], "300 s in all"),
        (1, vec![("rate-limit-wait", "0s")], "0 s in all"),
        (11, vec![("rate-limit-wait", "10s")], "10 s in all"),
    ] {
        let scene = ready();
        let limit = Effect::SecondaryLimit { retry_after };
        scene.github.inject(Fault::new(On::request("POST", "/git/trees$").times(9), limit)).unwrap();
        let run = scene.runs(&Start::inputs(&inputs));
        run.failed(&["secondary rate limit", "`rate-limit-wait`", whole]);
        let tries = run.requests.iter().filter(|exchange| exchange.path.ends_with("/git/trees")).count();
        assert_eq!(tries, 1, "{}", run.said());
        scene.github.clear_faults();
        scene.run().ended("created", 0);
    }
}

#[test]
fn the_budget_is_one_for_all_requests() {
    let scene = ready();
    let limit = Effect::SecondaryLimit { retry_after: 1 };
    scene.github.inject(Fault::new(On::request("GET", ".").times(9), limit)).unwrap();
    let run = scene.runs(&Start::inputs(&[("rate-limit-wait", "2s")]));
    assert_eq!(run.code, Some(1), "{}", run.said());
    assert_eq!(run.stderr.matches("waiting").count(), 2, "{}", run.said());
}

#[test]
fn a_primary_limit_that_is_lifted_too_late_ends_the_run_clearly() {
    let scene = ready();
    scene.github.set_rate_limit(0, scene.now + SignedDuration::from_hours(1));
    let run = scene.run();
    run.failed(&["rate limit", "`rate-limit-wait`"]);
}

#[test]
fn an_answer_that_does_not_come_is_asked_for_again_where_that_is_safe() {
    let scene = ready();
    for on in
        [On::request("GET", "/pulls$"), On::request("POST", "/git/commits$"), On::request("POST", "/pulls$")]
    {
        scene.github.inject(Fault::new(on, Effect::Hang)).unwrap();
    }
    let run = scene.runs(&Start::inputs(&[("request-timeout", "1s")]));
    run.ended("created", 0);
    assert!(run.stderr.contains("took longer than 1 s"), "{}", run.said());
    assert_eq!(scene.repo.pulls().unwrap().len(), 1);
}

#[test]
fn a_server_that_never_answers_is_given_up_after_three_tries() {
    let scene = ready();
    scene.github.inject(Fault::new(On::request("GET", "/pulls$").times(9), Effect::Hang)).unwrap();
    let run = scene.runs(&Start::inputs(&[("request-timeout", "1s")]));
    run.refused(&["took longer than 1 s", "set `request-timeout` to more"]);
    let tries = run.requests.iter().filter(|exchange| exchange.path.ends_with("/pulls")).count();
    assert_eq!(tries, 3, "{}", run.said());
}

#[test]
fn what_is_no_wait_is_told_with_what_is_one() {
    let scene = ready();
    for (name, value) in [
        ("request-timeout", "0s"),
        ("request-timeout", "1h"),
        ("rate-limit-wait", "soon"),
        ("rate-limit-wait", "7h"),
    ] {
        let run = scene.runs(&Start::inputs(&[(name, value)]));
        run.refused(&[&format!("input `{name}`"), value, "allowed: "]);
    }
}

#[test]
fn a_creation_whose_answer_is_lost_is_looked_up_before_it_is_made_again() {
    let lost = |status| Effect::StatusAfter { status, body: json!({}), headers: BTreeMap::new() };
    for effect in [Effect::CutAfter, lost(502), lost(500)] {
        let scene = ready();
        scene.github.inject(Fault::new(On::request("POST", "/pulls$"), effect.clone())).unwrap();
        scene.github.inject(Fault::new(On::request("POST", "/check-runs$"), effect)).unwrap();
        let run = scene.run();
        run.ended("created", 0);
        let made = |path: &str| {
            let is = |exchange: &&fake_github::Exchange| {
                exchange.method == "POST" && exchange.path.ends_with(path)
            };
            run.requests.iter().filter(is).count()
        };
        assert_eq!((made("/pulls"), made("/check-runs")), (1, 1), "{}", run.said());
        assert_eq!(scene.repo.check_runs(&scene.promotion_head()).unwrap().len(), 1);
    }
}
