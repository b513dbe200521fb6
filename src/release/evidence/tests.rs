#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests may")]
//! One table: what ran, what is required, what lacks.

use std::collections::HashMap;

use super::*;

const NOW: &str = "2026-11-22T16:00:00Z";

fn sha() -> CommitSha {
    CommitSha::parse(&"a".repeat(40)).unwrap()
}

fn run(conclusion: Option<&str>) -> Run {
    Run {
        id: 7,
        number: 412,
        name: "Staging pipeline".into(),
        path: ".github/workflows/staging.yml".into(),
        event: "push".into(),
        head_branch: Some("v1.8.0".into()),
        status: if conclusion.is_some() { "completed".into() } else { "in_progress".into() },
        conclusion: conclusion.map(Into::into),
        foreign: false,
        url: Some("https://github.com/acme/gitops/actions/runs/7".into()),
        started_at: Some("2026-11-20T14:00:00Z".parse().unwrap()),
        updated_at: Some("2026-11-20T14:02:00Z".parse().unwrap()),
        check_suite: Some(70),
    }
}

fn check(conclusion: Option<&str>, app: &str, id: u64) -> CheckRun {
    CheckRun {
        id,
        name: "model-validation".into(),
        status: if conclusion.is_some() { "completed".into() } else { "queued".into() },
        conclusion: conclusion.map(Into::into),
        app: Some(app.into()),
        url: None,
        started_at: None,
        completed_at: Some("2026-11-20T14:05:00Z".parse().unwrap()),
        title: Some("golden set 0.94 ≥ 0.90".into()),
    }
}

fn status(state: &str, creator: &str) -> Status {
    Status {
        context: "eval".into(),
        state: state.into(),
        url: None,
        creator: Some(creator.into()),
        description: None,
        at: Some("2026-11-20T14:05:00Z".parse().unwrap()),
    }
}

fn deployment(states: &[&str]) -> Deployment {
    Deployment {
        environment: "staging".into(),
        reference: None,
        run: None,
        creator: None,
        created_at: None,
        statuses: states
            .iter()
            .map(|state| DeploymentStatus { state: (*state).into(), url: None, at: None })
            .collect(),
    }
}

fn ran() -> Ran {
    Ran {
        commit: sha(),
        runs: vec![],
        checks: vec![],
        jobs: HashMap::new(),
        makers: vec![],
        statuses: vec![],
        deployments: vec![],
    }
}

/// What is lacking, as one line; empty means successful.
fn lacks(ran: &Ran, required: &[Required]) -> String {
    lacks_with(ran, required, None)
}

fn lacks_with(ran: &Ran, required: &[Required], soak: Option<SignedDuration>) -> String {
    let tags = [("v1.8.0", sha()), ("v1.7.0", CommitSha::parse(&"7".repeat(40)).unwrap())];
    let refs = Refs::new(
        tags.into_iter().map(|(tag, at)| (tag.to_owned(), at)),
        ["main".to_owned(), "feature".to_owned()],
    );
    let patterns = [TagPattern::parse(crate::settings::DEFAULT_TAG_PATTERN).unwrap()];
    let path = Some(".github/workflows/promote.yml".into());
    let promoting = Promoting { path, name: Some("Promote".into()), run: Some(99) };
    let rules = Rules {
        required,
        tag: "v1.8.0",
        refs: &refs,
        patterns: &patterns,
        trunk: "main",
        promoting: &promoting,
        soak,
        now: NOW.parse().unwrap(),
    };
    judge(ran, &rules).shortfalls.into_iter().map(|s| s.reason).collect::<Vec<_>>().join("; ")
}

fn staging() -> Required {
    Required::Workflow("staging.yml".into())
}

fn validation() -> Required {
    Required::Check { name: "model-validation".into(), app: None }
}

#[test]
fn only_success_is_success() {
    let cases = [
        (Some("success"), ""),
        (Some("failure"), "`Staging pipeline` #412 failed"),
        (Some("cancelled"), "`Staging pipeline` #412 was cancelled"),
        (Some("skipped"), "`Staging pipeline` #412 was skipped"),
        (Some("stale"), "`Staging pipeline` #412 went stale"),
        (Some("neutral"), "`Staging pipeline` #412 ended as `neutral`, which is not success"),
        (Some("action_required"), "`Staging pipeline` #412 ended as `action_required`, which is not success"),
        (None, "`Staging pipeline` #412 is in progress since 2026-11-20 14:00 UTC"),
    ];
    for (conclusion, expected) in cases {
        assert_eq!(lacks(&Ran { runs: vec![run(conclusion)], ..ran() }, &[staging()]), expected);
        // The same of a check run that is a job of that run.
        let job = Ran {
            runs: vec![run(Some("success"))],
            checks: vec![check(conclusion, "github-actions", 5)],
            jobs: HashMap::from([(5, 7)]),
            ..ran()
        };
        assert_eq!(lacks(&job, &[validation()]).is_empty(), conclusion == Some("success"), "{conclusion:?}");
    }
}

#[test]
fn a_run_counts_only_for_this_repository_commit_and_tag() {
    type Change = fn(&mut Run);
    let cases: [(&str, Change, &str); 8] = [
        ("as it is", |_| (), ""),
        ("for a branch", |run| run.head_branch = Some("main".into()), ""),
        ("unknown branch", |run| run.head_branch = None, ""),
        (
            "another tag",
            |run| run.head_branch = Some("v1.7.0".into()),
            "no run of `staging.yml` on `aaaaaaa` counts: it ran for `v1.7.0`",
        ),
        (
            "a fork",
            |run| run.foreign = true,
            "no run of `staging.yml` on `aaaaaaa` counts: it ran for a fork",
        ),
        (
            "a pull request",
            |run| run.event = "pull_request".into(),
            "no run of `staging.yml` on `aaaaaaa` counts: it ran for a pull request",
        ),
        ("this run", |run| run.id = 99, "no run of `staging.yml` on `aaaaaaa` counts: it is this very run"),
        (
            "another workflow",
            |run| run.path = ".github/workflows/lint.yml".into(),
            "no run of `staging.yml` on `aaaaaaa`",
        ),
    ];
    for (name, change, expected) in cases {
        let mut one = run(Some("success"));
        change(&mut one);
        assert_eq!(lacks(&Ran { runs: vec![one], ..ran() }, &[staging()]), expected, "{name}");
    }
}

#[test]
fn only_an_event_whose_head_is_what_was_tested_is_evidence() {
    let none = "no run of `staging.yml` on `aaaaaaa` counts: it ran for";
    let events = [
        ("push", String::new()),
        ("release", String::new()),
        ("workflow_dispatch", String::new()),
        ("repository_dispatch", String::new()),
        ("schedule", String::new()),
        ("deployment_status", String::new()),
        ("merge_group", String::new()),
        ("pull_request_target", format!("{none} a pull request")),
        ("pull_request_review_comment", format!("{none} a pull request")),
        ("issue_comment", format!("{none} `issue_comment`, which anybody can cause")),
        ("workflow_run", format!("{none} `workflow_run`, which anybody can cause")),
        ("watch", format!("{none} `watch`, which anybody can cause")),
        ("check_suite", format!("{none} `check_suite`, which does not say which commit was tested")),
        ("of`tomorrow", format!("{none} `of'tomorrow`, which does not say which commit was tested")),
        ("", format!("{none} ``, which does not say which commit was tested")),
    ];
    for (event, expected) in events {
        let one = Run { event: event.into(), head_branch: None, ..run(Some("success")) };
        assert_eq!(lacks(&Ran { runs: vec![one], ..ran() }, &[staging()]), expected, "{event}");
    }
}

#[test]
fn a_run_that_a_tag_started_speaks_for_that_tag_alone() {
    let cases = [
        ("push", "v1.8.0", true),
        ("push", "main", true),
        ("push", "v1.7.0", false),
        ("workflow_dispatch", "v1.7.0", false),
        ("workflow_dispatch", "main", true),
        ("release", "v1.8.0", true),
        ("release", "main", true),
        ("release", "v1.7.0", false),
        // Gone since.
        ("release", "v1.7.5", false),
        ("create", "v1.7.5", false),
        ("create", "feature", false),
    ];
    for (event, branch, speaks) in cases {
        let one = Run { event: event.into(), head_branch: Some(branch.into()), ..run(Some("success")) };
        let lacking = lacks(&Ran { runs: vec![one], ..ran() }, &[staging()]);
        assert_eq!(lacking.is_empty(), speaks, "{event} {branch}: {lacking}");
        assert!(speaks || lacking.ends_with(&format!("counts: it ran for `{branch}`")), "{lacking}");
    }
}

#[test]
fn success_of_unknown_time_counts_only_where_nothing_must_soak() {
    let ran = Ran { runs: vec![Run { updated_at: None, ..run(Some("success")) }], ..ran() };
    assert_eq!(lacks(&ran, &[staging()]), "");
    assert_eq!(
        lacks_with(&ran, &[staging()], Some(SignedDuration::from_hours(1))),
        "it cannot be told how long its evidence is complete"
    );
}

#[test]
fn the_promoting_workflow_is_no_evidence_of_itself() {
    let mut one = run(Some("success"));
    one.path = ".github/workflows/promote.yml".into();
    let lacking = lacks(&Ran { runs: vec![one], ..ran() }, &[Required::Workflow("promote.yml".into())]);
    assert!(lacking.contains("promoting workflow"), "{lacking}");
}

#[test]
fn answers_that_disagree_are_no_success() {
    let (mut other, one) = (run(Some("failure")), run(Some("success")));
    other.number = 413;
    let expected =
        "runs of `staging.yml` disagree: `Staging pipeline` #412 succeeded, `Staging pipeline` #413 failed";
    for runs in [vec![one.clone(), other.clone()], vec![other, one]] {
        assert_eq!(lacks(&Ran { runs, ..ran() }, &[staging()]), expected);
    }
}

#[test]
fn a_check_run_by_actions_that_is_no_job_is_forged() {
    let forged = Ran { checks: vec![check(Some("success"), "github-actions", 5)], ..ran() };
    assert!(lacks(&forged, &[validation()]).contains("no job of a workflow run"));
    let by_app = Ran { checks: vec![check(Some("success"), "evals", 5)], ..ran() };
    assert_eq!(lacks(&by_app, &[validation()]), "");
    let other_app = Required::Check { name: "model-validation".into(), app: Some("trusted".into()) };
    assert_eq!(
        lacks(&by_app, &[other_app]),
        "no check run `model-validation` on `aaaaaaa` counts: `evals` reported it, not `trusted`"
    );
}

#[test]
fn the_newest_status_of_a_context_and_creator_speaks() {
    let eval =
        |creator: Option<&str>| Required::Status { context: "eval".into(), creator: creator.map(Into::into) };
    let retried = Ran { statuses: vec![status("success", "ci"), status("failure", "ci")], ..ran() };
    assert_eq!(lacks(&retried, &[eval(None)]), "");
    let regressed = Ran { statuses: vec![status("failure", "ci"), status("success", "ci")], ..ran() };
    assert_eq!(lacks(&regressed, &[eval(None)]), "`eval` failed");
    let stranger = Ran { statuses: vec![status("success", "mallory")], ..ran() };
    assert_eq!(
        lacks(&stranger, &[eval(Some("ci"))]),
        "no status `eval` on `aaaaaaa` counts: `mallory` reported it, not `ci`"
    );
}

#[test]
fn a_deployment_that_was_followed_by_another_still_succeeded() {
    let to_staging = Required::Deployment("staging".into());
    for (states, expected) in [
        (&["success"][..], ""),
        (&["inactive", "success", "in_progress"], ""),
        (&["failure", "success"], "the deployment to `staging` failed"),
        (&["in_progress"], "the deployment to `staging` is in progress"),
        (&[], "the deployment to `staging` is pending"),
        (&["inactive"], "the deployment to `staging` ended as `inactive`, which is not success"),
    ] {
        let ran = Ran { deployments: vec![deployment(states)], ..ran() };
        assert_eq!(lacks(&ran, std::slice::from_ref(&to_staging)), expected, "{states:?}");
    }
}

#[test]
fn any_wants_one_success_and_no_failure() {
    assert_eq!(lacks(&ran(), &[Required::Any]), "nothing ran on `aaaaaaa`");
    let good = Ran { runs: vec![run(Some("success"))], statuses: vec![status("success", "ci")], ..ran() };
    assert_eq!(lacks(&good, &[Required::Any]), "");
    let mixed = Ran { statuses: vec![status("pending", "ci")], ..good };
    assert_eq!(lacks(&mixed, &[Required::Any]), "`eval` is pending since 2026-11-20 14:05 UTC");
}

#[test]
fn no_requirement_is_never_a_pass() {
    assert!(!lacks(&Ran { runs: vec![run(Some("success"))], ..ran() }, &[]).is_empty());
}

#[test]
fn soak_is_counted_from_the_last_evidence() {
    let ran = Ran { runs: vec![run(Some("success"))], ..ran() };
    let day = |days: i64| Some(SignedDuration::from_hours(24 * days));
    assert_eq!(lacks_with(&ran, &[staging()], day(2)), "");
    assert_eq!(lacks_with(&ran, &[staging()], day(3)), "it soaks until 2026-11-23 14:02 UTC");
}

#[test]
fn every_required_piece_must_be_there() {
    let half = Ran { runs: vec![run(Some("success"))], ..ran() };
    assert_eq!(lacks(&half, &[staging(), validation()]), "no check run `model-validation` on `aaaaaaa`");
}

#[test]
fn a_job_of_another_tags_run_says_nothing_of_this_one() {
    let with = |branch: &str| {
        let mut of = run(Some("success"));
        of.head_branch = Some(branch.into());
        Ran {
            runs: vec![of],
            checks: vec![check(Some("success"), "github-actions", 5)],
            jobs: HashMap::from([(5, 7)]),
            ..ran()
        }
    };
    assert_eq!(lacks(&with("v1.8.0"), &[validation()]), "");
    assert_ne!(lacks(&with("v1.7.0"), &[validation()]), "");
}
