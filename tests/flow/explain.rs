//! `promote explain`: why a release is or is not promoted, in a paragraph, for each way it can stand.

use fake_github::{Workflow, WorkflowRun};
use jiff::SignedDuration;

use crate::scene::{Run, STAGING, Scene, Start, values};

fn explained(scene: &Scene, release: &str, more: &[&str]) -> Run {
    let payload = scene.repo.event_schedule("0 6 * * *").unwrap();
    let arguments = [&["explain", release], more].concat();
    let run = scene.runs(&Start {
        event: "schedule",
        payload: Some(payload),
        arguments: &arguments,
        ..Start::default()
    });
    assert_eq!(run.writes(), [""; 0], "{}", run.said());
    run
}

/// The one paragraph that is printed, between the lines that stop workflow commands.
fn paragraph(run: &Run) -> String {
    assert_eq!(run.code, Some(0), "{}", run.said());
    let lines: Vec<&str> = run.stdout.lines().filter(|line| line.starts_with('`')).collect();
    assert_eq!(lines.len(), 1, "{}", run.said());
    lines[0].to_owned()
}

/// v1.8.0 succeeded, v1.8.1 failed, v1.8.2 is going on, v1.8.3-rc.1 succeeded.
fn scene() -> Scene {
    let scene = Scene::new();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    scene.release("v1.8.1", "2026-09-15", Some("failure"));
    scene.release("v1.8.2", "2026-09-15", None);
    scene.release("v1.8.3-rc.1", "2026-09-15", Some("success"));
    scene
}

#[test]
fn every_release_is_told_why_it_stands_where_it_does_and_when_it_could_be_promoted() {
    let scene = scene();
    let told = |release: &str| paragraph(&explained(&scene, release, &[]));
    for (release, parts) in [
        (
            "v1.8.0",
            &[
                "is the latest successful release, and what is promoted to `prod` now: `Staging #2` succeeded at 20",
                "A run opens its pull request.",
            ][..],
        ),
        (
            "v1.8.1",
            &[
                "is not promoted to `prod` now: `Staging` #3 failed.",
                "can be promoted once `Staging` #3 is run again on",
                "Until then `v1.8.0` is promoted in its place.",
            ],
        ),
        (
            "1.8.2",
            &["`v1.8.2` of `agent`", "`Staging` #4 is in progress since", "once `Staging` #4 has succeeded"],
        ),
        ("v1.8.3-rc.1", &["it is a prerelease", "when it is asked for by name, or with `prereleases: true`"]),
        ("v1.7.0", &["is what `prod` runs now; `v1.8.0` is newer and successful, and is promoted."]),
    ] {
        let told = told(release);
        for part in parts {
            assert!(told.contains(part), "`{part}` is not in: {told}");
        }
    }
    let commit = scene.repo.resolve("v1.8.1").unwrap();
    assert_eq!(told(&commit[..10]), told("v1.8.1"));
}

#[test]
fn a_release_that_is_overtaken_behind_or_soaking_says_so() {
    let scene = scene();
    scene.release("v1.9.0", "2026-09-15", Some("success"));
    let told = paragraph(&explained(&scene, "v1.8.0", &[]));
    assert!(told.contains("`v1.9.0` is newer and successful, and is promoted in its place"), "{told}");
    // One that lacks something would be overtaken, too.
    let told = paragraph(&explained(&scene, "v1.8.1", &[]));
    assert!(
        told.contains("A search would then still choose `v1.9.0`, which is newer and successful."),
        "{told}"
    );
    // A prerelease that lies behind the chosen one lacks what it lacks all the same.
    let told = paragraph(&explained(&scene, "v1.8.3-rc.1", &[]));
    assert!(told.contains("it is a prerelease"), "{told}");

    let told = paragraph(&explained(&scene, "v1.9.0", &["--soak", "24h"]));
    let until = (scene.now + SignedDuration::from_hours(4)).strftime("%Y-%m-%d %H:%M UTC").to_string();
    assert!(told.contains(&format!("it soaks until {until}")), "{told}");
    assert!(
        told.contains(&format!("can be promoted from {until} on. Until then no other release is promoted.")),
        "{told}"
    );

    scene.commit("prod runs it", &[("environments/prod/values.yaml", &values("v1.9.0", "2026-09-15"))]);
    let told = paragraph(&explained(&scene, "v1.8.0", &[]));
    assert!(
        told.contains("`prod` runs `v1.9.0`, which is newer, and a run never goes back by itself"),
        "{told}"
    );
    assert!(told.contains("which the rule `no-downgrade` denies"), "{told}");
    let told = paragraph(&explained(&scene, "v1.8.1", &[]));
    assert!(told.contains("Nor can it be asked for by name: `Staging` #3 failed."), "{told}");
    let told = paragraph(&explained(&scene, "v1.9.0", &[]));
    assert!(told.contains("is what `prod` runs now: there is nothing to promote."), "{told}");
}

#[test]
fn what_anybody_named_is_shown_and_never_acts_on_the_terminal() {
    let scene = Scene::new();
    let workflow = ".github/workflows/eval.yml";
    let name = "Eval\u{1b}[2J\u{202e}\n::error::x";
    scene.repo.add_workflow(Workflow::new(workflow).name(name)).unwrap();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    let commit = scene.repo.resolve("v1.8.0").unwrap();
    scene
        .repo
        .add_workflow_run(WorkflowRun::new(workflow, &commit).on("v1.8.0").concluded("failure"))
        .unwrap();
    let run = explained(&scene, "v1.8.0", &["--evidence", "workflow: eval.yml"]);
    let told = paragraph(&run);
    assert!(told.contains("`Eval‹U+001B›[2J‹U+202E› ::error::x` #1 failed"), "{told}");
    assert!(!run.stdout.contains(['\u{1b}', '\u{202e}']), "{}", run.said());
}

#[test]
fn what_a_run_would_do_is_told_too() {
    let scene = scene();
    scene.run().ended("created", 0);
    let told = paragraph(&explained(&scene, "v1.8.0", &[]));
    assert!(told.contains("Its pull request is open and up to date."), "{told}");
    // A model that no rule lets pass.
    let scene = Scene::new();
    scene.release("v1.8.0", "latest", Some("success"));
    let told = paragraph(&explained(&scene, "v1.8.0", &[]));
    assert!(told.contains("Policy blocks its merge: `model-pinned`"), "{told}");
}

#[test]
fn a_release_beyond_the_window_is_out_of_sight() {
    let scene = scene();
    let told = paragraph(&explained(&scene, "v1.8.0", &["--window", "2"]));
    assert!(
        told.contains(
            "is successful, and is not promoted to `prod` now: a search ends before it (`window: 2`)"
        ),
        "{told}"
    );
}

#[test]
fn the_workflow_has_the_paragraph_in_its_summary_and_a_hostile_tag_stays_text() {
    let scene = scene();
    let head = scene.repo.resolve("main").unwrap();
    let hostile = "v9.9.9-@team.#12";
    scene.repo.tag(hostile, &head).unwrap();
    let pattern = "^(?P<version>v.*)$";
    let sent = serde_json::json!({ "command": "explain", "tag": hostile, "policy-mode": "off" });
    let start = Start::dispatch(&scene, &sent);
    let run = scene.runs(&Start { inputs: &[("tag-pattern", pattern)], ..start });
    assert_eq!(run.code, Some(0), "{}", run.said());
    assert!(run.summary.contains("is not promoted to `prod` now: "), "{}", run.summary);
    assert!(run.summary.contains(&format!("`{hostile}`")), "{}", run.summary);
    assert_eq!((run.outputs.len(), run.plan.is_null()), (0, true));
    assert!(run.stdout.contains("ignored: a dispatch cannot set `policy-mode`"), "{}", run.said());
}

#[test]
fn a_release_that_is_none_and_a_missing_name_are_errors() {
    let scene = scene();
    explained(&scene, "v7.7.7", &[])
        .failed(&["there is no release `v7.7.7` of `agent`", "the newest releases of `agent` are"]);
    let run = scene.runs(&Start::inputs(&[("command", "explain")]));
    run.failed(&["`explain` needs the release that it is about", "promote explain VERSION"]);
}

#[test]
fn a_promotion_that_a_person_closed_is_told_to_stay_closed() {
    let scene = scene();
    scene.run().ended("created", 0);
    let number = scene.repo.pulls().unwrap()[0].number;
    scene.repo.close(number, "alice").unwrap();
    let told = paragraph(&explained(&scene, "v1.8.0", &[]));
    assert!(told.contains("A run leaves it alone: "), "{told}");
    // Nothing that ran meanwhile changes it.
    let head = scene.repo.resolve("v1.8.0").unwrap();
    scene.repo.add_workflow_run(WorkflowRun::new(STAGING, &head).on("v1.8.0")).unwrap();
    assert_eq!(explained(&scene, "v1.8.0", &[]).code, Some(0));
}
