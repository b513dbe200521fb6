//! What people and other apps do to a promotion, on days when not every answer comes.

use std::collections::BTreeMap;

use fake_github::{CheckRun, Commit, Effect, Fault, On, Token};
use serde_json::{Value, json};

use crate::scene::{Run, Scene, Start};

const OVERLAY: &str = "environments/prod/values.yaml";

fn proposed() -> Scene {
    let scene = Scene::new();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    scene.run().ended("created", 0);
    scene
}

fn status(status: u16, body: Value) -> Effect {
    Effect::Status { status, body, headers: BTreeMap::new() }
}

fn blocked_by_policy(scene: &Scene) {
    scene.repo.commit(&Commit::new("policy").file("policy/x.rego", "package main\n").by("bob")).unwrap();
}

#[test]
fn what_graphql_cannot_do_now_is_done_by_the_next_run() {
    let trouble = json!({"errors": [{"message": "Something went wrong while executing your query on 2026-11-28. Please include `X` when reporting this issue."}]});
    for effect in [status(502, Value::Null), status(200, trouble)] {
        let scene = Scene::new();
        scene.release("v1.7.1", "latest", Some("success"));
        scene.run().ended("blocked", 1);
        scene.release("v1.8.0", "2026-09-15", Some("success"));
        scene.github.inject(Fault::new(On::graphql("markPullRequestReady").times(3), effect)).unwrap();
        let run = scene.run();
        run.ended("updated", 0);
        assert!(run.stdout.contains("could not be marked as ready"), "{}", run.said());
        scene.github.clear_faults();
        scene.run().ended("updated", 0);
        assert!(!scene.repo.pull(1).unwrap().draft);
        assert_eq!(scene.run().writes(), [""; 0]);
    }
}

#[test]
fn a_limit_that_is_not_waited_for_leaves_its_courtesy_to_the_next_run() {
    let scene = Scene::new();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    let start = Start::inputs(&[("labels", "promotion")]);
    let limit = Effect::SecondaryLimit { retry_after: 900 };
    scene.github.inject(Fault::new(On::request("POST", "/labels$"), limit)).unwrap();
    scene.runs(&start).ended("created", 0);
    scene.runs(&start).ended("unchanged", 0);
    assert_eq!(scene.repo.pull(1).unwrap().labels, ["promotion"]);
    assert_eq!(scene.runs(&start).writes(), [""; 0]);
}

#[test]
fn a_check_that_is_called_like_ours_is_not_ours() {
    for (app, id) in [("github-actions", Some("8a6c8f2e")), ("other-ci", None)] {
        let scene = Scene::new();
        let staging = scene.release("v1.8.0", "2026-09-15", Some("success"));
        scene.run().ended("created", 0);
        let head = scene.promotion_head();
        let mut job = CheckRun::new("promotion", &head).concluded("success");
        (job.app, job.external_id) = (app.to_owned(), id.map(str::to_owned));
        let theirs = scene.repo.add_check_run(job).unwrap();
        assert_eq!(scene.run().writes(), [""; 0]);
        scene.repo.set_run(staging, "completed", Some("failure")).unwrap();
        scene.run().ended("unchanged", 0);
        for check in scene.repo.check_runs(&head).unwrap() {
            let expected = if check["id"] == theirs { "success" } else { "failure" };
            assert_eq!(check["conclusion"], expected, "{app}: {check}");
        }
        assert_eq!(scene.run().writes(), [""; 0]);
    }
}

#[test]
fn who_made_it_ready_or_a_draft_must_be_known_before_it_is_changed() {
    let broken = || Fault::new(On::request("GET", "/events$").times(3), status(502, Value::Null));
    let scene = proposed();
    scene.repo.mark_draft(1, "bob").unwrap();
    scene.repo.mark_ready(1, "bob").unwrap();
    blocked_by_policy(&scene);
    scene.github.inject(broken()).unwrap();
    scene.run().refused(&["502", "/issues/1/events"]);
    scene.github.clear_faults();
    scene.run().ended("blocked", 1);
    assert!(!scene.repo.pull(1).unwrap().draft);

    let scene = Scene::new();
    scene.release("v1.7.1", "latest", Some("success"));
    scene.run().ended("blocked", 1);
    scene.repo.mark_ready(1, "bob").unwrap();
    scene.repo.mark_draft(1, "bob").unwrap();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    scene.github.inject(broken()).unwrap();
    scene.run().refused(&["502", "/issues/1/events"]);
    scene.github.clear_faults();
    scene.run().ended("updated", 0);
    assert!(scene.repo.pull(1).unwrap().draft);
}

#[test]
fn a_draft_that_a_persons_token_made_is_made_ready_by_it() {
    let scene = Scene::new();
    scene.github.add_token(Token::user("ghp_carol", "carol"));
    let start = Start::inputs(&[("pull-request-token", "ghp_carol")]);
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    scene.runs(&start).ended("created", 0);
    blocked_by_policy(&scene);
    scene.runs(&start).ended("blocked", 1);
    assert!(scene.repo.pull(1).unwrap().draft);
    let off = Start::inputs(&[("pull-request-token", "ghp_carol"), ("policy-mode", "off")]);
    scene.runs(&off).ended("updated", 0);
    assert!(!scene.repo.pull(1).unwrap().draft);
}

#[test]
fn a_close_is_respected_also_where_it_is_hard_to_see() {
    // A supersede was cut short before its close, and then a person closed it.
    let scene = proposed();
    scene.repo.approve(1, "alice").unwrap();
    let newer = scene.release("v1.9.0", "2026-09-15", Some("success"));
    let on = On { body: Some("\"state\":\"closed\"".to_owned()), ..On::request("PATCH", "/pulls/1$") };
    scene.github.inject(Fault::new(on.times(3), status(502, Value::Null))).unwrap();
    assert_eq!(scene.run().code, Some(1));
    scene.github.clear_faults();
    scene.repo.close(1, "alice").unwrap();
    scene.repo.set_run(newer, "completed", Some("failure")).unwrap();
    let run = scene.run();
    run.ended("unchanged", 0);
    assert!(run.stdout.contains("somebody closed the promotion of `v1.8.0` (#1)"), "{}", run.said());

    // What a person put on top of it cannot be read now.
    let scene = proposed();
    let theirs = Commit::new("more").branch("promote/agent/prod").file("environments/prod/x.yaml", "a: 1\n");
    scene.repo.commit(&theirs.by("bob")).unwrap();
    scene.repo.close(1, "bob").unwrap();
    scene.repo.delete_ref("refs/heads/promote/agent/prod").unwrap();
    let on = On::request("GET", "/pulls/1/commits$").times(3);
    scene.github.inject(Fault::new(on, status(502, Value::Null))).unwrap();
    scene.run().refused(&["502", "/pulls/1/commits"]);
    scene.github.clear_faults();
    scene.run().ended("unchanged", 0);
}

#[test]
fn what_is_closed_while_it_is_rebuilt_stays_where_it_was() {
    let scene = proposed();
    let head = scene.promotion_head();
    let scaled = scene.prod("main").replace("replicas: 3", "replicas: 9");
    scene.repo.commit(&Commit::new("scale").file(OVERLAY, &scaled).by("bob")).unwrap();
    scene.github.inject(Fault::new(On::request("POST", "/git/trees$"), Effect::HoldBefore)).unwrap();
    let run = scene.while_held(|| scene.repo.close(1, "bob").unwrap());
    run.ended("unchanged", 0);
    assert_eq!(scene.promotion_head(), head);
}

#[test]
fn a_pull_request_is_opened_although_its_branch_is_not_known_everywhere_yet() {
    let too_new = json!({"message": "Validation Failed", "errors": [{"resource": "PullRequest", "field": "head", "code": "invalid"}]});
    for effect in [status(422, too_new), status(404, json!({"message": "Not Found"}))] {
        let scene = Scene::new();
        scene.release("v1.8.0", "2026-09-15", Some("success"));
        scene.github.inject(Fault::new(On::request("POST", "/pulls$"), effect)).unwrap();
        scene.run().ended("created", 0);
    }
}

#[test]
fn words_of_others_are_no_marks_of_ours() {
    let scene = proposed();
    scene.repo.approve(1, "alice").unwrap();
    scene.repo.comment(1, "mallory", "nice <!-- promote:closed -->").unwrap();
    scene.release("v1.9.0", "2026-09-15", Some("success"));
    scene.run().ended("superseded", 0);
    let comments = scene.repo.pull(1).unwrap().comments;
    assert!(comments.iter().any(|said| said.contains("/pull/2")), "{comments:?}");

    // A pull request of somebody's own, from our branch to another, with our text copied.
    let scene = Scene::new();
    scene.repo.set_ref("refs/heads/hotfix", &scene.repo.resolve("main").unwrap()).unwrap();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    scene.run().ended("created", 0);
    let body = scene.repo.pull(1).unwrap().body;
    scene.repo.merge(1, "bob", "squash").unwrap();
    scene.repo.open_pull("bob", "promote/agent/prod", "hotfix", "the same to hotfix", &body).unwrap();
    scene.run().ended("nothing-to-promote", 0);
    assert_eq!(scene.repo.pull(2).unwrap().state, "open");
}

#[test]
fn a_team_that_may_not_be_asked_takes_nobody_along() {
    let scene = Scene::new();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    let on = On { body: Some("platform".to_owned()), ..On::request("POST", "/requested_reviewers$") };
    let refused = status(403, json!({"message": "Resource not accessible by integration"}));
    scene.github.inject(Fault::new(on.times(9), refused)).unwrap();
    let run = scene.runs(&Start::inputs(&[("reviewers", "alice"), ("team-reviewers", "platform")]));
    run.ended("created", 0);
    assert_eq!(scene.repo.pull(1).unwrap().reviewers, ["alice"]);
    assert!(run.stdout.contains("`platform`"), "{}", run.said());
}

#[test]
fn what_was_blocked_when_it_was_opened_merges_by_itself_once_it_may() {
    let merges = |more: &[(&'static str, &'static str)]| -> Vec<(&str, &str)> {
        [("auto-merge", "squash")].iter().chain(more).copied().collect()
    };
    let scene = Scene::new();
    scene.repo.set(|settings| settings.required_approvals = 1).unwrap();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    blocked_by_policy(&scene);
    scene.runs(&Start::inputs(&merges(&[]))).ended("blocked", 1);
    let run: Run = scene.runs(&Start::inputs(&merges(&[("policy-mode", "off")])));
    run.ended("updated", 0);
    let pull = scene.repo.pull(1).unwrap();
    assert!(pull.auto_merge && !pull.draft, "{}", run.said());
}

#[test]
fn what_github_leaves_null_is_nothing() {
    let scene = proposed();
    let mut pull = scene.repo.pull_json(1).unwrap();
    for name in ["requested_teams", "requested_reviewers", "labels", "assignees", "auto_merge", "user"] {
        pull[name] = Value::Null;
    }
    scene.github.inject(Fault::new(On::request("GET", "/pulls$"), status(200, json!([pull])))).unwrap();
    let run = scene.run();
    run.ended("unchanged", 0);
    assert_eq!(run.writes(), [""; 0]);
}

#[test]
fn of_two_runs_that_say_the_same_the_later_takes_it_back() {
    let scene = proposed();
    scene.repo.approve(1, "alice").unwrap();
    scene.release("v1.9.0", "2026-09-15", Some("success"));
    scene.github.inject(Fault::new(On::request("POST", "/issues/1/comments$"), Effect::HoldBefore)).unwrap();
    let run = scene.while_held(|| {
        scene.run().ended("unchanged", 0);
    });
    run.ended("superseded", 0);
    assert!(run.writes().iter().any(|write| write.starts_with("DELETE ")), "{:?}", run.writes());
    assert_eq!(scene.repo.pull(1).unwrap().comments.len(), 1);
}
