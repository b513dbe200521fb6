//! Steps that do not end well: what people are told, and what is left.

use std::process::Command;
use std::time::{Duration, Instant};

use fake_github::runner::{Ended, Running};
use fake_github::{Commit, Effect, Fault, On, WorkflowRun};
use jiff::SignedDuration;

use crate::scene::{Scene, Start, engine};

/// What the runner says is an error, for one place in a file or for none.
fn errors(ended: &Ended) -> Vec<(String, String, String)> {
    let errors = ended.said.annotations.iter().filter(|annotation| annotation.level == "error");
    errors
        .map(|error| {
            (error.property("file").to_owned(), error.property("line").to_owned(), error.message.clone())
        })
        .collect()
}

#[test]
#[ignore = "needs an image: .ci/image, then PROMOTE_IMAGE=… cargo test --test image -- --ignored"]
fn a_blocked_promotion_fails_the_step_with_every_output_and_an_annotation() {
    let scene = Scene::new();
    let path = "environments/staging/fraud-agent/values.yaml";
    let values = scene
        .repo
        .file("main", path)
        .unwrap()
        .replace("v1.9.0", "v2.0.0")
        .replace("\"2026-09-15\"", "latest");
    assert!(values.contains("latest") && values.contains("v2.0.0"), "{values}");
    let commit = Commit::new("chore(staging): record fraud-agent v2.0.0").file(path, &values).by("carol");
    let commit = scene.repo.commit(&commit).unwrap();
    scene.repo.tag("fraud-agent/v2.0.0", &commit).unwrap();
    let run =
        WorkflowRun::new(".github/workflows/staging.yml", &commit).on("fraud-agent/v2.0.0").event("push");
    let run = scene.repo.add_workflow_run(run.concluded("success")).unwrap();
    let payload = scene.repo.event_workflow_run(run).unwrap();
    let ended = scene.runs(&Start { payload: Some(payload), ..Start::default() });
    assert_eq!((ended.code, ended.output("outcome"), ended.output("policy")), (Some(1), "blocked", "deny"));
    assert_eq!((ended.output("tag"), ended.output("pull-request-number")), ("fraud-agent/v2.0.0", "1"));
    let errors = errors(&ended);
    assert!(errors.iter().any(|(_, _, message)| message.contains("latest")), "{errors:?}");
    assert!(ended.left.summary.contains("latest") && scene.repo.pull(1).unwrap().draft);
}

#[test]
#[ignore = "needs an image: .ci/image, then PROMOTE_IMAGE=… cargo test --test image -- --ignored"]
fn a_token_that_github_refuses_is_told_in_an_annotation_and_the_summary() {
    let scene = Scene::new();
    let ended = scene.runs(&Start { with: &[("token", "ghs_unknown")], ..Start::default() });
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let errors = errors(&ended);
    assert!(
        errors.iter().any(|(_, _, message)| message.contains("401") && message.contains("hint: ")),
        "{errors:?}"
    );
    assert!(ended.left.summary.contains("❌"), "{}", ended.left.summary);
    let shown = format!("{}{}{:?}", ended.stdout, ended.stderr, ended.left);
    assert_eq!(
        shown.matches("ghs_unknown").count(),
        shown.matches("::add-mask::ghs_unknown").count(),
        "{shown}"
    );
    assert!(scene.writes().is_empty());
}

#[test]
#[ignore = "needs an image: .ci/image, then PROMOTE_IMAGE=… cargo test --test image -- --ignored"]
fn mistakes_in_the_settings_are_annotated_where_they_are() {
    let scene = Scene::new();
    let settings = "# ours\nsoaks: 24h\napps:\n  - name: fraud-agent\n    policy-mode: never\n";
    let commit = Commit::new("chore: settle").file(".github/promote.yaml", settings).by("bob");
    scene.repo.commit(&commit).unwrap();
    let ended = scene.run();
    assert_eq!(ended.code, Some(1));
    let mut places: Vec<(String, String)> =
        errors(&ended).into_iter().map(|(file, line, _)| (file, line)).collect();
    places.sort();
    let at = |line: &str| (".github/promote.yaml".to_owned(), line.to_owned());
    assert_eq!(places, [at("2"), at("5")], "{}", ended.stdout);
    assert!(scene.writes().is_empty());
}

/// A run that is stuck in a request, and told to stop.
fn stopped(stop: impl FnOnce(&Running, &str)) -> (Ended, Duration) {
    let scene = Scene::new();
    scene
        .github
        .inject(Fault::new(On::request("GET", "/pulls"), Effect::DelayBefore { milliseconds: 60_000 }))
        .unwrap();
    let started = Instant::now();
    let mut told = started;
    let ended = scene.ends(&Start::default(), |running, name| {
        // It has asked for something, and has been waiting for the next answer since.
        while scene.github.traffic().is_empty() || scene.github.idle() < Duration::from_millis(300) {
            assert!(started.elapsed().as_secs() < 60, "it asked for nothing");
            std::thread::sleep(Duration::from_millis(10));
        }
        told = Instant::now();
        stop(running, name);
    });
    (ended, told.elapsed())
}

#[test]
#[ignore = "needs an image: .ci/image, then PROMOTE_IMAGE=… cargo test --test image -- --ignored"]
fn a_cancelled_job_ends_the_container_at_once_and_cleanly() {
    // The runner sends SIGINT to the engine's client, which passes it on; SIGTERM comes 7.5 s later.
    let (ended, took) = stopped(|running, _| {
        assert!(
            Command::new("kill").args(["-s", "INT", &running.id().to_string()]).status().unwrap().success()
        );
    });
    assert_eq!(ended.code, Some(130), "{}\n{}", ended.stdout, ended.stderr);
    assert!(took < Duration::from_secs(7), "{took:?}");
    assert!(errors(&ended).iter().any(|(_, _, message)| message.contains("SIGINT")), "{}", ended.stdout);
}

#[test]
#[ignore = "needs an image: .ci/image, then PROMOTE_IMAGE=… cargo test --test image -- --ignored"]
fn a_stopped_container_ends_before_it_is_killed() {
    let (ended, took) = stopped(|_, name| {
        engine().ask(&["stop", "-t", "10", name]).unwrap();
    });
    assert_eq!(ended.code, Some(143), "{}\n{}", ended.stdout, ended.stderr);
    assert!(took < Duration::from_secs(9), "{took:?}");
    assert!(errors(&ended).iter().any(|(_, _, message)| message.contains("SIGTERM")), "{}", ended.stdout);
}

#[test]
#[ignore = "needs an image: .ci/image, then PROMOTE_IMAGE=… cargo test --test image -- --ignored"]
fn what_a_stopped_run_left_is_taken_up_by_the_next() {
    let scene = Scene::new();
    scene
        .github
        .inject(Fault::new(On::request("POST", "/pulls$"), Effect::DelayAfter { milliseconds: 60_000 }))
        .unwrap();
    let started = Instant::now();
    let ended = scene.ends(&Start::default(), |_, name| {
        while scene.repo.pulls().unwrap().is_empty() {
            assert!(started.elapsed() < Duration::from_mins(1), "no pull request was opened");
            std::thread::sleep(Duration::from_millis(10));
        }
        engine().ask(&["stop", "-t", "10", name]).unwrap();
    });
    assert_eq!(ended.code, Some(143), "{}", ended.stderr);
    scene.github.clear_faults();
    scene.github.advance(SignedDuration::from_secs(1));
    let again = scene.run();
    assert!(again.succeeded(), "{}", again.stderr);
    assert_eq!(again.output("pull-request-number"), "1");
    assert_eq!(scene.repo.pulls().unwrap().len(), 1);
}
