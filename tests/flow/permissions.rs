//! What the README grants is enough: tokens with exactly the permissions of its workflows.
//!
//! The recording of these runs tells the contract check what the job's token and an App's token are used for.

use fake_github::{Level, Token, TokenKind};

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
fn lives(scene: &Scene, inputs: &[(&str, &str)]) {
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

#[test]
fn a_job_with_the_readmes_permissions_can_do_everything() {
    let scene = Scene::new();
    let granted = [
        ("actions", Level::Read),
        ("checks", Level::Write),
        ("contents", Level::Write),
        ("pull_requests", Level::Write),
    ];
    scene.github.add_token(token(TOKEN, JOB, &granted));
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
