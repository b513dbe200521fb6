//! The life of the promotion pull request.

use fake_github::{Commit, Effect, Fault, On};
use serde_json::json;

use crate::scene::{Scene, Start, digest, git, values};

fn with_three() -> Scene {
    let scene = Scene::new();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    scene.release("v1.8.1", "2026-09-15", Some("failure"));
    scene.release("v1.9.0", "2026-09-15", None);
    scene
}

#[test]
fn every_request_names_the_program_and_its_version() {
    let scene = with_three();
    let run = scene.run();
    assert!(run.requests.len() > 5, "{}", run.said());
    for request in &run.requests {
        let header = |name: &str| request.request_headers.get(name).map(String::as_str);
        assert_eq!(
            header("user-agent"),
            Some(concat!("promote/", env!("CARGO_PKG_VERSION"))),
            "{}",
            request.path
        );
        assert_eq!(header("accept"), Some("application/vnd.github+json"), "{}", request.path);
    }
}

#[test]
fn the_latest_successful_release_is_proposed_and_newer_ones_keep_their_reasons() {
    let scene = with_three();
    let run = scene.run();
    run.ended("created", 0);
    for (name, value) in [
        ("tag", "v1.8.0"),
        ("version", "v1.8.0"),
        ("previous-tag", "v1.7.0"),
        ("previous-version", "v1.7.0"),
        ("pull-request-number", "1"),
        ("branch", "promote/agent/prod"),
        ("changed", "true"),
        ("policy", "pass"),
        ("plan", "promote-plan.json"),
    ] {
        assert_eq!(run.output(name), value, "{name}");
    }
    assert_eq!(run.output("head-sha"), scene.promotion_head());
    assert!(run.output("changelog").contains("what v1.8.0 brings"));

    let pull = scene.repo.pull(1).unwrap();
    assert_eq!(pull.title, "Promote agent v1.8.0 to prod");
    for said in ["`v1.9.0`", "in progress", "`v1.8.1`", "failed", "Staging"] {
        assert!(pull.body.contains(said), "{said}: {}", pull.body);
    }
    assert!(!pull.body.contains("what v1.8.1 brings"));
    assert_eq!(
        scene.prod("promote/agent/prod"),
        scene
            .prod("main")
            .replace("tag: v1.7.0", "tag: v1.8.0")
            .replace(&digest("v1.7.0"), &digest("v1.8.0"))
            .replace("2026-05-01", "2026-09-15")
    );
    assert_eq!(run.plan["schema"], "promotion/v1");
    assert_eq!(run.plan["changes"].as_array().unwrap().len(), 3);
    assert_eq!(run.plan["policy"]["verdict"], "pass");
    assert!(
        run.summary.contains("Promote agent v1.8.0 to prod") || run.summary.contains("v1.8.0"),
        "{}",
        run.summary
    );
}

#[test]
fn a_typical_promotion_takes_15_requests_and_an_unchanged_run_9_and_no_write() {
    let scene = with_three();
    let first = scene.run();
    first.ended("created", 0);
    assert!(first.requests.len() <= 15, "{} requests", first.requests.len());
    let second = scene.run();
    second.ended("unchanged", 0);
    assert_eq!(second.writes(), [""; 0]);
    assert!(second.requests.len() <= 9, "{} requests", second.requests.len());
    assert_eq!(second.output("pull-request-number"), "1");
    assert_eq!(second.output("changed"), "false");
    assert_eq!(second.output("head-sha"), first.output("head-sha"));
    assert!(scene.github.unknown_routes().is_empty(), "{:?}", scene.github.unknown_routes());
}

#[test]
fn a_newer_release_updates_the_pull_request() {
    let scene = with_three();
    scene.run().ended("created", 0);
    let before = scene.promotion_head();
    scene.release("v2.0.0", "2026-09-15", Some("success"));
    let run = scene.run();
    run.ended("updated", 0);
    assert_eq!(run.output("tag"), "v2.0.0");
    assert_eq!(scene.repo.pulls().unwrap().len(), 1);
    assert_eq!(scene.repo.pull(1).unwrap().title, "Promote agent v2.0.0 to prod");
    assert_ne!(scene.promotion_head(), before);
    assert!(scene.prod("promote/agent/prod").contains("tag: v2.0.0"));
}

#[test]
fn an_approval_is_for_one_release() {
    let scene = with_three();
    scene.run().ended("created", 0);
    scene.repo.approve(1, "alice").unwrap();
    scene.run().ended("unchanged", 0);
    scene.release("v2.0.0", "2026-09-15", Some("success"));
    let run = scene.run();
    run.ended("superseded", 0);
    assert_eq!(run.output("pull-request-number"), "2");
    assert_eq!(scene.repo.pull(1).unwrap().state, "closed");
    assert_eq!(scene.repo.pull(2).unwrap().state, "open");
    let comments = run
        .requests
        .iter()
        .filter(|request| request.path.ends_with("/issues/1/comments") && request.is_write());
    let said: Vec<_> = comments.map(|comment| comment.request_body.to_string()).collect();
    assert!(said.len() == 1 && said[0].contains("/acme/agent/pull/2"), "{said:?}");
}

#[test]
fn what_runs_already_is_nothing_to_promote() {
    let scene = Scene::new();
    let run = scene.run();
    run.ended("nothing-to-promote", 0);
    assert_eq!(run.writes(), [""; 0]);
    assert_eq!(run.output("previous-tag"), "v1.7.0");
    assert!(run.summary.contains("v1.7.0"), "{}", run.summary);
}

#[test]
fn a_promotion_that_was_made_by_hand_closes_its_pull_request() {
    let scene = with_three();
    scene.run().ended("created", 0);
    let by_hand = fake_github::Commit::new("fix: by hand")
        .file("environments/prod/values.yaml", &values("v1.8.0", "2026-09-15"));
    scene.repo.commit(&by_hand.by("bob")).unwrap();
    let run = scene.run();
    run.ended("closed", 0);
    assert_eq!(scene.repo.pull(1).unwrap().state, "closed");
    assert!(scene.repo.resolve("promote/agent/prod").is_err());
}

#[test]
fn a_merged_promotion_leaves_nothing_to_do() {
    let scene = with_three();
    scene.run().ended("created", 0);
    scene.repo.merge(1, "bob", "squash").unwrap();
    scene.run().ended("nothing-to-promote", 0);
}

#[test]
fn a_persons_commit_is_left_alone() {
    let scene = with_three();
    scene.run().ended("created", 0);
    let theirs = fake_github::Commit::new("also scale")
        .branch("promote/agent/prod")
        .file("environments/prod/extra.yaml", "a: 1\n");
    let theirs = scene.repo.commit(&theirs.by("bob")).unwrap();
    scene.release("v2.0.0", "2026-09-15", Some("success"));
    let run = scene.run();
    run.ended("unchanged", 0);
    assert_eq!(scene.promotion_head(), theirs);
    assert!(run.stdout.contains("::warning") && run.stdout.contains("Bob"), "{}", run.said());
    assert_eq!(run.writes(), [""; 0]);
}

#[test]
fn an_amended_commit_is_a_persons() {
    let scene = with_three();
    scene.run().ended("created", 0);
    let checkout = scene.checkout(&["--branch", "promote/agent/prod"]);
    let file = checkout.path().join("environments/prod/values.yaml");
    let text = std::fs::read_to_string(&file).unwrap().replace("replicas: 3", "replicas: 9");
    std::fs::write(&file, text).unwrap();
    crate::scene::git(checkout.path(), &["commit", "--quiet", "--all", "--amend", "--no-edit"]);
    crate::scene::git(checkout.path(), &["push", "--quiet", "--force"]);
    let theirs = scene.promotion_head();
    scene.run().ended("unchanged", 0);
    assert_eq!(scene.promotion_head(), theirs);
}

#[test]
fn an_update_of_the_branch_is_not_a_persons_edit() {
    let scene = with_three();
    scene.run().ended("created", 0);
    scene.feature("later");
    scene.repo.update_branch(1, "bob").unwrap();
    let merged = scene.promotion_head();
    let run = scene.run();
    run.ended("unchanged", 0);
    assert_eq!(scene.promotion_head(), merged);
    scene.release("v2.0.0", "2026-09-15", Some("success"));
    scene.run().ended("updated", 0);
}

#[test]
fn a_persons_close_is_respected_until_asked_by_name() {
    let scene = with_three();
    scene.run().ended("created", 0);
    scene.repo.close(1, "bob").unwrap();
    let run = scene.run();
    run.ended("unchanged", 0);
    assert!(run.stdout.contains("somebody closed the promotion of `v1.8.0`"), "{}", run.said());
    assert_eq!(run.writes(), [""; 0]);
    let asked = scene.runs(&Start::dispatch(&scene, &json!({"tag": "v1.8.0"})));
    asked.ended("created", 0);
    assert_eq!(asked.output("pull-request-number"), "2");
}

#[test]
fn a_change_of_the_same_file_on_base_rebuilds_the_commit() {
    let scene = with_three();
    scene.run().ended("created", 0);
    let scaled = scene.prod("main").replace("replicas: 3", "replicas: 9");
    scene
        .repo
        .commit(&fake_github::Commit::new("scale").file("environments/prod/values.yaml", &scaled).by("bob"))
        .unwrap();
    scene.run().ended("updated", 0);
    let promoted = scene.prod("promote/agent/prod");
    assert!(promoted.contains("replicas: 9") && promoted.contains("tag: v1.8.0"), "{promoted}");
    scene.run().ended("unchanged", 0);
}

#[test]
fn a_blocked_promotion_is_there_and_says_what_blocks_it() {
    let scene = Scene::new();
    scene.release("v1.8.0", "latest", Some("success"));
    let run = scene.run();
    run.ended("blocked", 1);
    assert_eq!(run.output("policy"), "deny");
    assert_eq!(run.output("pull-request-number"), "1");
    let pull = scene.repo.pull(1).unwrap();
    assert!(pull.draft);
    assert!(pull.body.contains("model-pinned"), "{}", pull.body);
    let checks = scene.repo.check_runs(&scene.promotion_head()).unwrap();
    let conclusions: Vec<_> = checks.iter().map(|check| check["conclusion"].as_str().unwrap()).collect();
    assert_eq!(conclusions, ["failure"]);
    assert!(
        run.stdout.contains("::error title=policy%3A model-pinned,file=environments/prod/values.yaml"),
        "{}",
        run.said()
    );
    // Again: still blocked, nothing written.
    let again = scene.run();
    again.ended("blocked", 1);
    assert_eq!(again.writes(), [""; 0]);
    // The next release is pinned: the draft is marked as ready.
    scene.release("v1.8.1", "2026-09-15", Some("success"));
    scene.run().ended("updated", 0);
    assert!(!scene.repo.pull(1).unwrap().draft);
}

#[test]
fn where_drafts_are_not_offered_a_blocked_promotion_is_a_plain_one() {
    let scene = Scene::new();
    scene.repo.set(|settings| settings.drafts = false).unwrap();
    scene.release("v1.8.0", "latest", Some("success"));
    scene.run().ended("blocked", 1);
    assert!(!scene.repo.pull(1).unwrap().draft);
}

#[test]
fn rego_on_base_blocks_until_policy_is_turned_off() {
    let scene = with_three();
    scene
        .repo
        .commit(&fake_github::Commit::new("policy").file("policy/x.rego", "package main\n").by("bob"))
        .unwrap();
    let run = scene.run();
    run.ended("blocked", 1);
    assert_eq!(run.output("policy"), "error");
    assert!(scene.repo.pull(1).unwrap().body.contains("policy/x.rego"));
    scene.runs(&Start::inputs(&[("policy-mode", "warn")])).ended("blocked", 1);
    scene.runs(&Start::inputs(&[("policy-mode", "off")])).ended("updated", 0);
}

#[test]
fn a_plan_writes_nothing_to_github_and_shows_all() {
    let scene = with_three();
    for start in [
        Start::inputs(&[("dry-run", "true")]),
        Start::inputs(&[("command", "plan")]),
        Start { arguments: &["plan"], ..Start::default() },
    ] {
        let run = scene.runs(&start);
        run.ended("planned", 0);
        assert_eq!(run.writes(), [""; 0]);
        assert!(run.stdout.contains("+  tag: v1.8.0"), "{}", run.said());
        assert!(run.stdout.contains("2 newer releases were passed over"), "{}", run.said());
        assert_eq!(run.plan["proposed"]["tag"], "v1.8.0");
        assert_eq!(run.output("changed"), "false");
    }
    assert!(scene.repo.pulls().unwrap().is_empty());
}

#[test]
fn a_version_recorded_after_the_tag_is_promoted_from_the_later_commit() {
    let scene = Scene::new();
    let commit = scene.feature("v1.8.0");
    scene.tagged("v1.8.0", &commit, Some("success"));
    let run = scene.run();
    run.ended("nothing-to-promote", 0);
    assert!(run.summary.contains("no overlay carries `v1.8.0`"), "{}", run.summary);
    let record = fake_github::Commit::new("chore: record")
        .file("environments/staging/values.yaml", &values("v1.8.0", "2026-05-01"));
    let recorded = scene.repo.commit(&record.by("bob")).unwrap();
    let run = scene.run();
    run.ended("created", 0);
    assert_eq!(run.plan["source"]["commit"], recorded);
    assert_eq!(run.plan["proposed"]["commit"], commit);
}

#[test]
fn every_page_is_read() {
    let scene = Scene::new();
    // The newest answers of a commit are on its first page; the failed one is on the last.
    let run = scene.release("v1.8.0", "2026-09-15", Some("failure"));
    let commit =
        scene.repo.event_workflow_run(run).unwrap()["workflow_run"]["head_sha"].as_str().unwrap().to_owned();
    for _ in 0..4 {
        scene.ran("v1.8.0", &commit, Some("success"));
    }
    for cap in [None, Some(2), Some(1)] {
        scene.github.set_page_cap(cap);
        let run = scene.run();
        run.ended("nothing-to-promote", 0);
        assert!(run.summary.contains("disagree"), "{cap:?}: {}", run.summary);
    }
}

#[test]
fn a_run_by_hand_takes_15_requests_too() {
    let scene = with_three();
    let first = scene.runs(&Start::dispatch(&scene, &json!({})));
    first.ended("created", 0);
    assert!(first.requests.len() <= 15, "{} requests", first.requests.len());
    let second = scene.runs(&Start::dispatch(&scene, &json!({})));
    second.ended("unchanged", 0);
    assert!(second.requests.len() <= 9, "{} requests", second.requests.len());
}

#[test]
fn a_commit_with_our_message_and_other_files_is_a_persons() {
    let scene = with_three();
    scene.run().ended("created", 0);
    let checkout = scene.checkout(&["--branch", "promote/agent/prod"]);
    std::fs::write(checkout.path().join("environments/prod/evil.yaml"), "kind: ClusterRoleBinding\n")
        .unwrap();
    git(checkout.path(), &["add", "--all"]);
    git(checkout.path(), &["commit", "--quiet", "--amend", "--no-edit"]);
    git(checkout.path(), &["push", "--quiet", "--force"]);
    let theirs = scene.promotion_head();
    let run = scene.run();
    run.ended("unchanged", 0);
    assert_eq!(run.writes(), [""; 0]);
    assert!(run.stdout.contains("::warning"), "{}", run.said());
    // And a newer release does not sweep it away.
    scene.release("v2.0.0", "2026-09-15", Some("success"));
    scene.run().ended("unchanged", 0);
    assert_eq!(scene.promotion_head(), theirs);
}

#[test]
fn a_promotion_whose_evidence_runs_again_is_held_and_not_closed() {
    let scene = Scene::new();
    let staging = scene.release("v1.8.0", "2026-09-15", Some("success"));
    scene.run().ended("created", 0);
    scene.repo.approve(1, "alice").unwrap();
    let head = scene.promotion_head();
    let conclusion = || scene.repo.check_runs(&head).unwrap()[0]["conclusion"].as_str().unwrap().to_owned();
    for (status, conclusion_now) in [("in_progress", None), ("completed", Some("failure"))] {
        scene.repo.set_run(staging, status, conclusion_now).unwrap();
        let run = scene.run();
        run.ended("unchanged", 0);
        assert!(run.stdout.contains("no release is successful now"), "{}", run.said());
        assert_eq!(conclusion(), "failure");
        assert_eq!(scene.repo.pull(1).unwrap().state, "open");
    }
    assert_eq!(scene.run().writes(), [""; 0]);
    // Its text tells the new time of the evidence; the commit, and with it the approval, stays.
    scene.repo.set_run(staging, "completed", Some("success")).unwrap();
    scene.run().ended("updated", 0);
    assert_eq!(conclusion(), "success");
    assert_eq!(scene.promotion_head(), head);
}

#[test]
fn many_prereleases_do_not_hide_a_release() {
    let scene = Scene::new();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    let head = scene.repo.resolve("main").unwrap();
    for number in 0..40 {
        scene.repo.tag(&format!("v2.0.0-rc.{number}"), &head).unwrap();
    }
    let run = scene.run();
    run.ended("created", 0);
    assert_eq!(run.output("tag"), "v1.8.0");
}

#[test]
fn a_close_is_respected_also_after_another_promotion() {
    let scene = Scene::new();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    scene.run().ended("created", 0);
    scene.repo.close(1, "bob").unwrap();
    let newer = scene.release("v1.9.0", "2026-09-15", Some("success"));
    scene.run().ended("created", 0);
    scene.repo.set_run(newer, "completed", Some("failure")).unwrap();
    let run = scene.run();
    run.ended("unchanged", 0);
    assert!(run.stdout.contains("somebody closed the promotion of `v1.8.0` (#1)"), "{}", run.said());
    assert_eq!(scene.repo.pull(2).unwrap().title, "Promote agent v1.9.0 to prod");
    // What is open failed since: it is kept, and cannot be merged on what it was proposed on.
    assert!(run.stdout.contains("the open promotion (#2) is of another release"), "{}", run.said());
    let head = scene.promotion_head();
    let conclusion = || scene.repo.check_runs(&head).unwrap()[0]["conclusion"].as_str().unwrap().to_owned();
    assert_eq!((scene.repo.pull(2).unwrap().state.as_str(), conclusion().as_str()), ("open", "failure"));
    let pairs = ["tag", "pull-request-number", "pull-request-url", "branch", "head-sha"];
    assert_eq!(pairs.map(|name| run.output(name)), ["v1.8.0", "", "", "", ""]);
    assert!(!run.summary.contains("pull request 2"), "{}", run.summary);
    let plan = scene.runs(&Start::inputs(&[("command", "plan")]));
    assert_eq!((plan.output("tag"), plan.output("pull-request-number")), ("v1.8.0", ""));
    assert_eq!(scene.run().writes(), [""; 0]);
    scene.repo.set_run(newer, "completed", Some("success")).unwrap();
    scene.run().ended("updated", 0);
    assert_eq!(conclusion(), "success");
}

#[test]
fn what_was_asked_for_by_name_below_a_closed_promotion_is_kept() {
    let scene = Scene::new();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    scene.release("v1.9.0", "2026-09-15", Some("success"));
    scene.run().ended("created", 0);
    scene.repo.close(1, "bob").unwrap();
    scene.runs(&Start::dispatch(&scene, &json!({"tag": "v1.8.0"}))).ended("created", 0);
    let run = scene.run();
    run.ended("unchanged", 0);
    assert_eq!(run.writes(), [""; 0]);
    assert_eq!((run.output("tag"), run.output("pull-request-number")), ("v1.9.0", ""));
    let checks = scene.repo.check_runs(&scene.promotion_head()).unwrap();
    assert_eq!(checks[0]["conclusion"], "success");
}

#[test]
fn what_a_run_cut_short_did_not_get_to_is_done_by_the_next() {
    let scene = with_three();
    let broken = Effect::Status {
        status: 502,
        body: serde_json::Value::Null,
        headers: std::collections::BTreeMap::default(),
    };
    scene.github.inject(Fault::new(On::request("POST", "/labels$").times(3), broken)).unwrap();
    let labels = Start::inputs(&[("labels", "promotion")]);
    scene.runs(&labels).ended("created", 0);
    scene.github.clear_faults();
    scene.runs(&labels).ended("unchanged", 0);
    assert_eq!(scene.repo.pull_json(1).unwrap()["labels"][0]["name"], "promotion");
    assert_eq!(scene.repo.check_runs(&scene.promotion_head()).unwrap().len(), 1);
    assert_eq!(scene.runs(&labels).writes(), [""; 0]);
}

#[test]
fn a_supersede_takes_nothing_away_before_the_new_commit_is_there() {
    let scene = with_three();
    scene.run().ended("created", 0);
    scene.repo.approve(1, "alice").unwrap();
    scene.release("v2.0.0", "2026-09-15", Some("success"));
    let broken = Effect::Status {
        status: 500,
        body: serde_json::Value::Null,
        headers: std::collections::BTreeMap::default(),
    };
    for on in [On::request("POST", "/git/trees$"), On::graphql("updateRefs")] {
        scene.github.inject(Fault::new(on.times(3), broken.clone())).unwrap();
        assert_eq!(scene.run().code, Some(1));
        assert_eq!(scene.repo.pull(1).unwrap().state, "open");
        assert_eq!(scene.repo.pull_json(1).unwrap()["labels"], json!([]));
        scene.github.clear_faults();
    }
    scene.run().ended("superseded", 0);
}

#[test]
fn a_ready_pull_request_that_becomes_blocked_becomes_a_draft() {
    let scene = with_three();
    scene.run().ended("created", 0);
    scene.release("v2.0.0", "latest", Some("success"));
    scene.run().ended("blocked", 1);
    assert!(scene.repo.pull(1).unwrap().draft);
    // A person marks it ready: it stays so.
    scene.repo.mark_ready(1, "bob").unwrap();
    scene.release("v2.0.1", "latest", Some("success"));
    scene.run().ended("blocked", 1);
    assert!(!scene.repo.pull(1).unwrap().draft);
}

#[test]
fn a_branch_in_the_way_is_named() {
    let scene = with_three();
    let head = scene.repo.resolve("main").unwrap();
    scene.repo.set_ref("refs/heads/promote", &head).unwrap();
    scene.run().failed(&["there is a branch `promote`", "rename or delete that branch"]);
}

#[test]
fn what_was_not_tested_together_is_not_promoted() {
    let scene = Scene::new();
    let commit = scene.feature("v1.8.0");
    scene.repo.tag("v1.7.9", &commit).unwrap();
    scene.tagged("v1.8.0", &commit, Some("success"));
    for (tag, model) in [("v1.7.9", "2026-05-01"), ("v1.7.9", "2026-09-15"), ("v1.8.0", "2026-09-15")] {
        let record = Commit::new("record").file("environments/staging/values.yaml", &values(tag, model));
        scene.repo.commit(&record.by("bob")).unwrap();
    }
    let run = scene.runs(&Start::dispatch(&scene, &json!({"tag": "v1.8.0"})));
    run.failed(&["`model.version` changed", "not tested together"]);
}

#[test]
fn a_persons_draft_stays_one_although_the_promotion_was_held() {
    let scene = Scene::new();
    let staging = scene.release("v1.8.0", "2026-09-15", Some("success"));
    scene.run().ended("created", 0);
    scene.repo.set_run(staging, "in_progress", None).unwrap();
    scene.run().ended("unchanged", 0);
    scene.repo.mark_draft(1, "bob").unwrap();
    scene.release("v1.9.0", "2026-09-15", Some("success"));
    scene.run().ended("updated", 0);
    assert!(scene.repo.pull(1).unwrap().draft);
}

#[test]
fn auto_merge_is_armed_when_it_is_asked_for() {
    let scene = with_three();
    scene.repo.set(|settings| settings.required_approvals = 1).unwrap();
    scene.runs(&Start::inputs(&[("auto-merge", "squash")])).ended("created", 0);
    assert!(scene.repo.pull(1).unwrap().auto_merge);
}

#[test]
fn a_server_without_update_refs_is_served_by_rest() {
    let scene = with_three();
    scene.repo.set(|settings| settings.update_refs = false).unwrap();
    let run = scene.run();
    run.ended("created", 0);
    assert!(run.writes().contains(&"POST /repos/acme/agent/git/refs".to_owned()), "{:?}", run.writes());
    scene.release("v1.10.0", "2026-09-15", Some("success"));
    let run = scene.run();
    run.ended("updated", 0);
    let moved = "PATCH /repos/acme/agent/git/refs/heads/promote/agent/prod".to_owned();
    assert!(run.writes().contains(&moved), "{:?}", run.writes());
    scene.commit("chore: by hand", &[("environments/prod/values.yaml", &values("v1.10.0", "2026-09-15"))]);
    let run = scene.run();
    run.ended("closed", 0);
}
