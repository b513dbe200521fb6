//! What the README grants is enough: tokens with exactly the permissions of its workflows.
//!
//! The recording of these runs tells the contract check what the job's token and an App's token are used for.

use std::collections::BTreeMap;

use fake_github::{Effect, Fault, Level, On, Token, TokenKind};
use serde_json::json;

use crate::scene::{Scene, Start, TOKEN, values};

const JOB: &str = "github-actions[bot]";
const APP: &str = "ghs_app";

/// A token that may do this and nothing else.
fn token(value: &str, login: &str, granted: &[(&str, Level)]) -> Token {
    let kind = if login == JOB { TokenKind::Actions } else { TokenKind::App };
    let bare = Token::bare(value, login, kind);
    granted.iter().fold(bare, |token, (name, level)| token.allow(name, *level))
}

/// Opens, updates, supersedes, closes and respects a person's close: what a promotion does in its life.
pub fn lives(scene: &Scene, inputs: &[(&str, &str)]) {
    let run = |outcome: &str| {
        scene.runs(&Start::inputs(inputs)).ended(outcome, 0);
    };
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    run("created");
    run("unchanged");
    scene.release("v1.9.0", "2026-09-15", Some("success"));
    run("updated");
    scene.repo.approve(1, "bob").unwrap();
    scene.release("v1.10.0", "2026-09-15", Some("success"));
    run("superseded");
    let number = scene.repo.pulls().unwrap().iter().map(|pull| pull.number).max().unwrap();
    scene.repo.close(number, "bob").unwrap();
    run("unchanged");
    scene.commit("chore: catch up", &[("environments/prod/values.yaml", &values("v1.10.0", "2026-09-15"))]);
    run("nothing-to-promote");
}

/// What the README's workflows grant to a job that has one token.
const README_JOB: [(&str, Level); 4] = [
    ("actions", Level::Read),
    ("checks", Level::Write),
    ("contents", Level::Write),
    ("pull_requests", Level::Write),
];

#[test]
fn a_job_with_the_readmes_permissions_can_do_everything() {
    let scene = Scene::new();
    scene.github.add_token(token(TOKEN, JOB, &README_JOB));
    scene.repo.add_label("promotion").unwrap();
    lives(&scene, &[("reviewers", "alice"), ("assignees", "bob"), ("labels", "promotion")]);
}

#[test]
fn an_app_writes_with_its_token_and_the_jobs_token_only_reads_and_checks() {
    let scene = Scene::new();
    let job = [("actions", Level::Read), ("checks", Level::Write), ("contents", Level::Read)];
    let app = [("contents", Level::Write), ("pull_requests", Level::Write)];
    scene.github.add_token(token(TOKEN, JOB, &job));
    scene.github.add_token(token(APP, "promoter[bot]", &app));
    lives(&scene, &[("pull-request-token", APP), ("reviewers", "alice"), ("assignees", "bob")]);
    assert_eq!(scene.repo.pull(1).unwrap().author, "promoter[bot]");
}

/// What `pull-requests: write` alone makes of labels that the repository lacks.
#[test]
fn a_label_that_cannot_be_made_is_named_and_the_others_are_added() {
    let scene = Scene::new();
    scene.github.add_token(token(TOKEN, JOB, &README_JOB));
    scene.repo.add_label("there").unwrap();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    let run = scene.runs(&Start::inputs(&[("labels", "there, not there")]));
    run.ended("created", 0);
    assert_eq!(scene.repo.pull(1).unwrap().labels, ["there"]);
    for said in [
        "labels could not be added: the repository has no label `not there`",
        "(create it once (`gh label create \"not there\"`), or grant `issues: write` to this token)",
    ] {
        assert!(run.stdout.contains(said), "{}", run.said());
    }
}

/// A person's token as `pull-request-token`: GitHub calls its close a person's, and lets it make no label.
fn with_a_persons_token(scene: &Scene) -> Start<'static> {
    let bare = Token::bare("ghp_carol", "carol", TokenKind::User);
    scene.github.add_token(bare.allow("contents", Level::Write).allow("pull_requests", Level::Write));
    Start::inputs(&[("pull-request-token", "ghp_carol")])
}

#[test]
fn our_own_close_is_told_from_a_persons_without_a_label() {
    let scene = Scene::new();
    let start = with_a_persons_token(&scene);
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    scene.runs(&start).ended("created", 0);
    scene.repo.approve(1, "bob").unwrap();
    let newer = scene.release("v1.9.0", "2026-09-15", Some("success"));
    scene.runs(&start).ended("superseded", 0);
    let old = scene.repo.pull(1).unwrap();
    assert_eq!((old.state.as_str(), old.labels.len()), ("closed", 0));
    // The newer one fails: the older one is proposed again, since nobody refused it.
    scene.repo.set_run(newer, "completed", Some("failure")).unwrap();
    let run = scene.runs(&start);
    run.ended("updated", 0);
    assert_eq!((run.output("tag"), run.output("pull-request-number")), ("v1.8.0", "2"));
}

#[test]
fn a_label_that_was_never_there_hides_no_failure_of_the_branch() {
    let scene = Scene::new();
    let start = with_a_persons_token(&scene);
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    scene.runs(&start).ended("created", 0);
    let body = scene.repo.pull(1).unwrap().body;
    scene.repo.approve(1, "bob").unwrap();
    scene.release("v1.9.0", "2026-09-15", Some("success"));
    let broken = Effect::Status { status: 500, body: json!({}), headers: BTreeMap::new() };
    scene.github.inject(Fault::new(On::graphql("updateRefs").times(3), broken)).unwrap();
    let run = scene.runs(&start);
    run.failed(&["GitHub answered 500 to `POST /graphql`"]);
    let old = scene.repo.pull(1).unwrap();
    assert_eq!((old.state.as_str(), old.body), ("open", body));
    scene.runs(&start).ended("superseded", 0);
}

#[test]
fn a_plan_needs_no_leave_to_write() {
    let scene = Scene::new();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    let granted = [("actions", Level::Read), ("contents", Level::Read), ("pull_requests", Level::Read)];
    scene.github.add_token(token(TOKEN, JOB, &granted));
    let run = scene.runs(&Start::inputs(&[("command", "plan")]));
    run.ended("planned", 0);
    assert!(run.writes().is_empty(), "{:?}", run.writes());
    assert!(scene.repo.pulls().unwrap().is_empty());
}
