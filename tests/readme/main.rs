//! The README's workflows, copied as they are into a new repository, do what the README says.
//!
//! Each is read as GitHub reads it, its job's token is granted exactly what its `permissions:` grant, and its steps
//! are run. `.ci/act` runs them once more, by a runner that others wrote and with the image.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "tests may"
)]

mod act;
mod job;
#[path = "../../examples/quickstart/sample.rs"]
#[allow(dead_code, reason = "the quickstart's own run is not needed")]
mod sample;
mod workflow;
mod world;

use fake_github::Level;

use job::Ended;
use workflow::{Grants, Workflow};
use world::World;

/// Whose pull request it is: the App's, where the workflow names one.
fn author(workflow: &Workflow) -> &'static str {
    let names_app = |(name, _): &(String, String)| name == "app-id";
    let by_app = workflow.job.steps.iter().any(|step| step.with.iter().any(names_app));
    if by_app { "promoter[bot]" } else { "github-actions[bot]" }
}

/// Runs the workflow in a new repository, its job's token granted this.
fn run(workflow: &Workflow, grants: &Grants) -> (World, Ended) {
    let world = World::new();
    world.grant_job(grants);
    let payload = world.event(workflow, &[]);
    let ended = job::run(&world, workflow, &payload);
    (world, ended)
}

/// Each permission of a block, lowered by one level.
fn lowered(grants: &Grants) -> Vec<(String, Level, Grants)> {
    let lower = |(name, level): (&String, &Level)| {
        let mut less = grants.clone();
        match level {
            Level::Write => less.insert(name.clone(), Level::Read),
            _ => less.remove(name),
        };
        (name.clone(), *level, less)
    };
    grants.iter().map(lower).collect()
}

#[test]
fn every_workflow_promotes_with_exactly_what_it_is_granted() {
    let workflows = workflow::all();
    assert_eq!(workflows.len(), 3, "workflows of the README");
    for workflow in &workflows {
        let (world, ended) = run(workflow, &workflow.job.grants);
        assert!(ended.succeeded, "{}:\n{}", workflow.path, ended.said);
        assert_eq!(ended.outputs["outcome"], "created", "{}", workflow.path);
        assert!(ended.summary.contains("Promote fraud-agent v1.8.0 to prod"), "{}", ended.summary);
        world.has_the_promotion_of(author(workflow));
    }
}

/// Asserts that a run with less than it needs says which line to add, and did not do what that line allows.
fn falls_short(case: &str, line: &str, world: &World, ended: &Ended) {
    assert!(ended.said.contains(line), "{case}: `{line}` is not named:\n{}", ended.said);
    let head = world.repo.resolve("promote/fraud-agent/prod");
    let checked = head.is_ok_and(|head| !world.repo.check_runs(&head).unwrap().is_empty());
    // A pull request without its check is worth having: that one is a warning.
    assert!(!(ended.succeeded && checked), "{case}: `{line}` is not needed:\n{}", ended.said);
}

#[test]
fn a_job_is_granted_nothing_that_it_does_not_need() {
    for workflow in &workflow::all() {
        for (name, level, less) in lowered(&workflow.job.grants) {
            let (world, ended) = run(workflow, &less);
            falls_short(&workflow.path, &format!("{name}: {}", level.word()), &world, &ended);
        }
    }
}

#[test]
fn an_app_is_granted_nothing_that_it_does_not_need() {
    let workflow = workflow::named("promote-as-app.yml");
    let needs = workflow::of_the_app();
    assert_eq!(needs.len(), 2, "permissions of the App");
    for (name, level, less) in lowered(&needs) {
        let world = World::new();
        world.grant_job(&workflow.job.grants);
        world.install_app(&less);
        let ended = job::run(&world, &workflow, &world.event(&workflow, &[]));
        let line = format!("{}: {}", name, level.word());
        falls_short(&workflow.path, &line, &world, &ended);
        assert!(world.repo.pulls().unwrap().is_empty(), "{}: a pull request without {line}", workflow.path);
    }
}

#[test]
fn a_pipeline_that_failed_or_is_another_starts_nothing() {
    let world = World::new();
    for workflow in workflow::all().iter().filter(|workflow| workflow.event() == "workflow_run") {
        let succeeded = world.repo.event_workflow_run(world.staging_run).unwrap();
        assert!(workflow.starts_on("workflow_run", &succeeded), "{}", workflow.path);
        let failed = world.repo.event_workflow_run(world.failed_run).unwrap();
        assert!(!workflow.starts_on("workflow_run", &failed), "{}", workflow.path);
        let mut other = succeeded;
        other["workflow"]["name"] = "Nightly".into();
        assert!(!workflow.starts_on("workflow_run", &other), "{}", workflow.path);
    }
}

#[test]
fn a_person_promotes_by_hand_what_they_name() {
    let workflow = workflow::named("promote-by-hand.yml");
    let by_hand = |given: &[(&str, &str)]| {
        let world = World::new();
        world.grant_job(&workflow.job.grants);
        let ended = job::run(&world, &workflow, &world.event(&workflow, given));
        (world, ended)
    };
    for writes_nothing in [("command", "plan"), ("dry-run", "true")] {
        let (world, ended) = by_hand(&[writes_nothing, ("app", "fraud-agent")]);
        assert!(ended.succeeded, "{}", ended.said);
        assert_eq!(ended.outputs["outcome"], "planned");
        world.has_no_promotion();
    }
    let named = [("app", "fraud-agent"), ("tag", "fraud-agent/v1.8.0"), ("reason", "finance waits for it")];
    let (world, ended) = by_hand(&named);
    assert!(ended.succeeded, "{}", ended.said);
    world.has_the_promotion_of("github-actions[bot]");
    assert!(world.repo.pull(1).unwrap().body.contains("finance waits for it"));
    let (world, ended) = by_hand(&[("tag", "fraud-agent/v1.8.1")]);
    assert!(!ended.succeeded && ended.said.contains("fraud-agent/v1.8.1"), "{}", ended.said);
    world.has_no_promotion();
}

/// Runs the workflow by act, as its job's token is granted.
fn act(world: &World, workflow: &Workflow, payload: &serde_json::Value) -> Ended {
    world.grant_job(&workflow.job.grants);
    let (ended, took) = act::run(world, workflow, payload);
    let outcome = match ended.outputs.get("outcome").map(|outcome| outcome.as_str().unwrap()) {
        None => "not started",
        Some("") => "failed",
        Some(outcome) => outcome,
    };
    println!("\n  {:<42} {outcome:<12} {:>5.1} s", workflow.path, took.as_secs_f64());
    ended
}

#[test]
#[ignore = "needs act, a container engine and the image: run .ci/act"]
fn act_promotes_by_every_workflow() {
    for workflow in &workflow::all() {
        let world = World::new();
        let payload = world.event(workflow, &[]);
        let ended = act(&world, workflow, &payload);
        assert!(ended.succeeded, "{}:\n{}", workflow.path, ended.said);
        assert_eq!(ended.outputs["outcome"], "created", "{}", workflow.path);
        assert_eq!(ended.outputs["pull-request-number"], "1", "{}", workflow.path);
        assert!(ended.summary.contains("Promote fraud-agent v1.8.0 to prod"), "{}", ended.summary);
        world.has_the_promotion_of(author(workflow));

        let again = act(&world, workflow, &payload);
        assert!(again.succeeded, "{}:\n{}", workflow.path, again.said);
        assert_eq!(again.outputs["changed"], "false", "{}", workflow.path);
    }
}

#[test]
#[ignore = "needs act, a container engine and the image: run .ci/act"]
fn act_gives_a_dispatch_its_inputs() {
    let (world, workflow) = (World::new(), workflow::named("promote-by-hand.yml"));
    let payload = world.event(&workflow, &[("command", "plan")]);
    let planned = act(&world, &workflow, &payload);
    assert!(planned.succeeded, "{}", planned.said);
    assert_eq!(planned.outputs["outcome"], "planned");
    world.has_no_promotion();

    let named = [("app", "fraud-agent"), ("tag", "fraud-agent/v1.8.0"), ("reason", "finance waits for it")];
    let payload = world.event(&workflow, &named);
    let promoted = act(&world, &workflow, &payload);
    assert!(promoted.succeeded, "{}", promoted.said);
    assert!(world.repo.pull(1).unwrap().body.contains("finance waits for it"));
}

#[test]
#[ignore = "needs act, a container engine and the image: run .ci/act"]
fn act_starts_no_job_for_a_pipeline_that_failed() {
    let (world, workflow) = (World::new(), workflow::named("promote.yml"));
    let ended = act(&world, &workflow, &world.repo.event_workflow_run(world.failed_run).unwrap());
    assert!(ended.succeeded && ended.outputs.is_empty(), "{}", ended.said);
    world.has_no_promotion();
}

#[test]
#[ignore = "needs act, a container engine and the image: run .ci/act"]
fn act_fails_a_job_that_is_granted_too_little() {
    let (world, mut workflow) = (World::new(), workflow::named("promote.yml"));
    workflow.job.grants.insert("contents".to_owned(), Level::Read);
    let payload = world.event(&workflow, &[]);
    let ended = act(&world, &workflow, &payload);
    assert!(!ended.succeeded && ended.said.contains("contents: write"), "{}", ended.said);
    world.has_no_promotion();
}
