//! Every event that starts a promotion leads to the outcome it should.

use fake_github::{Commit, Deployment, Options, Release, Workflow, WorkflowRun};
use serde_json::{Value, json};

use crate::scene::{Run, STAGING, Scene, Start, digest, values};

const SETTINGS: &str = ".github/promote.yaml";
const ZEROS: &str = "0000000000000000000000000000000000000000";

fn ready() -> Scene {
    let scene = Scene::new();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    scene
}

fn on(scene: &Scene, event: &str, payload: Value) -> Run {
    scene.runs(&Start { event, payload: Some(payload), ..Start::default() })
}

/// A run of the staging workflow on the tip of main.
fn staging_run(scene: &Scene) -> WorkflowRun {
    WorkflowRun::new(STAGING, &scene.repo.resolve("main").unwrap()).on("v1.8.0").event("push")
}

type Payload<'a> = Box<dyn Fn(&Scene) -> Value + 'a>;

#[test]
fn every_event_promotes_the_latest_successful_release() {
    let head = |scene: &Scene| scene.repo.resolve("main").unwrap();
    let deployed = |scene: &Scene| {
        scene.repo.add_deployment(Deployment::new("staging", "v1.8.0").became("success")).unwrap()
    };
    let events: [(&str, Payload<'_>); 10] = [
        ("workflow_dispatch", Box::new(|s| s.repo.event_workflow_dispatch(&Value::Null).unwrap())),
        (
            "workflow_dispatch",
            Box::new(|s| s.repo.event_workflow_dispatch(&json!({"tag": "", "dry-run": "false"})).unwrap()),
        ),
        ("push", Box::new(|s| s.repo.event_push_tag("v1.8.0").unwrap())),
        ("push", Box::new(|s| s.repo.event_push_deleted("refs/tags/v1.8.9", &head(s)).unwrap())),
        ("push", Box::new(|s| s.repo.event_push_branch("main", ZEROS).unwrap())),
        ("create", Box::new(|s| s.repo.event_create_tag("v1.8.0").unwrap())),
        (
            "release",
            Box::new(|s| {
                s.repo.add_release(Release::new("v1.8.0")).unwrap();
                s.repo.event_release("v1.8.0").unwrap()
            }),
        ),
        ("schedule", Box::new(|s| s.repo.event_schedule("0 6 * * 1-5").unwrap())),
        (
            "repository_dispatch",
            Box::new(|s| s.repo.event_repository_dispatch("staged", &json!({"nested": {"a": 1}})).unwrap()),
        ),
        ("deployment_status", Box::new(|s| s.repo.event_deployment_status(deployed(s)).unwrap())),
    ];
    for (name, payload) in events {
        let scene = ready();
        let run = on(&scene, name, payload(&scene));
        run.ended("created", 0);
        assert_eq!(run.output("tag"), "v1.8.0", "{name}");
        assert_eq!(run.plan["evidence"][0]["name"], "Staging #2", "{name}");
        assert!(run.requests.len() <= 15, "{name}: {} requests", run.requests.len());
        assert!(
            run.stderr.contains(&format!("info: started event={name} by=alice"))
                || name == "deployment_status",
            "{}",
            run.said()
        );
    }
}

#[test]
fn a_workflow_run_is_evidence_only_of_its_own_kind() {
    // Beside the staging pipeline, a green `lint` says nothing of a release that staging still runs.
    let scene = Scene::new();
    scene.release("v1.8.0", "2026-09-15", None);
    let head = scene.repo.resolve("main").unwrap();
    let lint = WorkflowRun::new(".github/workflows/lint.yml", &head).on("v1.8.0").event("push");
    let linted = scene.repo.add_workflow_run(lint).unwrap();
    let run = on(&scene, "workflow_run", scene.repo.event_workflow_run(linted).unwrap());
    run.ended("nothing-to-promote", 0);
    let why = run.plan["passed_over"][0]["reason"].as_str().unwrap();
    assert!(why.starts_with("`Staging` #2 is in progress"), "{why}");

    // Where no workflow is called as the environment is, the event's own must have succeeded, whatever its name.
    let scene = Scene::of(
        fake_github::Options::default(),
        &[
            ("environments/staging/values.yaml", &crate::scene::values("v1.7.0", "2026-05-01")),
            ("environments/prod/values.yaml", &crate::scene::values("v1.7.0", "2026-05-01")),
        ],
    );
    let lint = ".github/workflows/lint.yml";
    scene.repo.add_workflow(Workflow::new(lint).name("Lint")).unwrap();
    let recorded = [("environments/staging/values.yaml", &*crate::scene::values("v1.8.0", "2026-09-15"))];
    let head = scene.commit("chore(staging): record v1.8.0", &recorded);
    scene.repo.tag("v1.8.0", &head).unwrap();
    let linted =
        scene.repo.add_workflow_run(WorkflowRun::new(lint, &head).on("v1.8.0").event("push")).unwrap();
    let run = on(&scene, "workflow_run", scene.repo.event_workflow_run(linted).unwrap());
    run.ended("created", 0);
    assert_eq!(run.plan["evidence"][0]["name"], "Lint #1");

    // A fork's run and a pull request's are none, and the default holds.
    for foreign in [true, false] {
        let scene = Scene::new();
        scene.release("v1.8.0", "2026-09-15", None);
        let run = staging_run(&scene);
        let run = if foreign {
            run.head_repository(Some("mallory/agent".to_owned()))
        } else {
            run.event("pull_request")
        };
        let id = scene.repo.add_workflow_run(run).unwrap();
        let run = on(&scene, "workflow_run", scene.repo.event_workflow_run(id).unwrap());
        run.ended("nothing-to-promote", 0);
        assert_eq!(run.plan["passed_over"][0]["tag"], "v1.8.0");
    }

    // A failed one promotes what is older and successful.
    let scene = ready();
    scene.release("v1.9.0", "2026-09-15", Some("failure"));
    let run = scene.run();
    run.ended("created", 0);
    assert_eq!(run.output("tag"), "v1.8.0");
    assert!(run.stderr.contains("this release is passed over tag=v1.9.0"), "{}", run.said());
}

#[test]
fn a_dispatch_sets_what_it_may_and_nothing_else() {
    let scene = ready();
    scene.release("v1.9.0", "2026-09-15", Some("success"));
    let commit = scene.repo.resolve("v1.8.0").unwrap();
    for name in ["v1.8.0", "1.8.0", &commit, &commit[..7], "refs/tags/v1.8.0"] {
        let inputs = json!({"tag": name, "dry_run": "true", "reason": "a hotfix", "policy-mode": "off", "evidence": "any", "other": "x"});
        let run = scene.runs(&Start::dispatch(&scene, &inputs));
        run.ended("planned", 0);
        assert_eq!(run.output("tag"), "v1.8.0", "{name}");
        assert_eq!(run.output("policy"), "pass");
        assert_eq!(run.plan["reason"], "a hotfix");
        for ignored in ["policy-mode", "evidence"] {
            let warning = format!(
                "::warning title=promote::dispatch input `{ignored}`: ignored: a dispatch cannot set `{ignored}`"
            );
            assert_eq!(run.stdout.matches(&warning).count(), 1, "{}", run.said());
        }
        assert!(!run.stdout.contains("`other`"), "{}", run.said());
    }
    let payload = json!({"tag": "v1.8.0", "command": "plan", "trunk": "evil"});
    let run =
        on(&scene, "repository_dispatch", scene.repo.event_repository_dispatch("promote", &payload).unwrap());
    run.ended("planned", 0);
    assert!(run.stdout.contains("client payload `trunk`: ignored"), "{}", run.said());
    // An input of the workflow wins over the dispatch.
    let payload = scene.repo.event_workflow_dispatch(&json!({"tag": "v1.8.0"})).unwrap();
    let both = Start {
        event: "workflow_dispatch",
        payload: Some(payload),
        ..Start::inputs(&[("tag", "v1.9.0"), ("dry-run", "true")])
    };
    assert_eq!(scene.runs(&both).output("tag"), "v1.9.0");
}

/// A repository without a staging workflow.
fn without_workflow() -> Scene {
    let now = values("v1.7.0", "2026-05-01");
    let files = [("environments/staging/values.yaml", now.as_str()), ("environments/prod/values.yaml", &now)];
    let scene = Scene::of(Options::default(), &files);
    let first = scene.repo.resolve("main").unwrap();
    scene.repo.tag("v1.7.0", &first).unwrap();
    let commit =
        scene.commit("record", &[("environments/staging/values.yaml", &values("v1.8.0", "2026-09-15"))]);
    scene.repo.tag("v1.8.0", &commit).unwrap();
    scene
}

#[test]
fn evidence_by_default_is_the_workflow_then_the_deployment_then_an_error_that_lists_what_ran() {
    let scene = without_workflow();
    let scheduled = |scene: &Scene| on(scene, "schedule", scene.repo.event_schedule("0 6 * * *").unwrap());
    scheduled(&scene).refused(&[
        "it is not known what makes a release of `agent` successful: there is no workflow `staging.yml` and no deployment to `staging`",
        "hint: nothing ran on `v1.8.0`; set `evidence`",
    ]);
    let head = scene.repo.resolve("main").unwrap();
    scene
        .repo
        .add_workflow_run(WorkflowRun::new(".github/workflows/ci.yml", &head).on("main").event("push"))
        .unwrap();
    scene.repo.add_check_run(fake_github::CheckRun::new("golden set", &head)).unwrap();
    scene.repo.add_status(fake_github::Status::new("ci/evals", &head, "success")).unwrap();
    let run = scheduled(&scene);
    run.refused(&[
        "on `v1.8.0` ran",
        "`workflow: ci.yml`",
        "`check: golden set`",
        "`status: ci/evals`",
        "set `evidence`",
    ]);
    // The lines it names are those that help.
    let lines = "workflow: ci.yml\ncheck: golden set\nstatus: ci/evals";
    let payload = scene.repo.event_schedule("0 6 * * *").unwrap();
    let inputs = [("evidence", lines), ("dry-run", "true")];
    let named = Start { event: "schedule", payload: Some(payload), ..Start::inputs(&inputs) };
    let run = scene.runs(&named);
    run.ended("planned", 0);
    assert_eq!(run.plan["evidence"].as_array().unwrap().len(), 3);
    scene.repo.add_deployment(Deployment::new("staging", "v1.8.0").became("success")).unwrap();
    let run = scheduled(&scene);
    run.ended("created", 0);
    assert_eq!(run.plan["evidence"][0]["kind"], "deployment");
    assert!(
        run.stderr.contains("no evidence is named: the default is required evidence=deployment: staging"),
        "{}",
        run.said()
    );
}

fn app_values(app: &str, tag: &str) -> String {
    format!(
        "image:\n  repository: ghcr.io/acme/{app}\n  tag: {tag}\n  digest: {}\n",
        digest(&format!("{app}{tag}"))
    )
}

/// Two apps below every environment, both at v1.7.0; the next commit records v1.8.0 of both.
fn two_apps(targets: &[&str]) -> Scene {
    let mut files = Vec::new();
    for environment in std::iter::once(&"staging").chain(targets) {
        for app in ["fraud", "support"] {
            files.push((format!("environments/{environment}/{app}/values.yaml"), app_values(app, "v1.7.0")));
        }
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let scene = Scene::of(Options::default(), &files);
    scene.repo.add_workflow(Workflow::new(STAGING).name("Staging")).unwrap();
    let first = scene.repo.resolve("main").unwrap();
    scene.tagged("v1.7.0", &first, Some("success"));
    let (fraud, support) = (app_values("fraud", "v1.8.0"), app_values("support", "v1.8.0"));
    let commit = scene.commit(
        "feat: both",
        &[
            ("environments/staging/fraud/values.yaml", &fraud),
            ("environments/staging/support/values.yaml", &support),
        ],
    );
    scene.tagged("v1.8.0", &commit, Some("success"));
    scene
}

fn promotions(run: &Run) -> Vec<String> {
    let entries: Vec<Value> = serde_json::from_str(run.output("promotions")).unwrap();
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or("-").to_owned();
    entries
        .iter()
        .map(|e| format!("{} {} {}", text(e, "app"), text(e, "target"), text(e, "outcome")))
        .collect()
}

#[test]
fn apps_are_found_below_the_environments_and_promoted_each_on_its_own() {
    let scene = two_apps(&["prod"]);
    let run = scene.run();
    run.ended("created", 0);
    assert_eq!(promotions(&run), ["fraud prod created", "support prod created"]);
    assert_eq!(run.plan.as_array().unwrap().len(), 2);
    assert_eq!(scene.repo.pulls().unwrap().len(), 2);
    for app in ["fraud", "support"] {
        let text = scene
            .repo
            .file(&format!("promote/{app}/prod"), &format!("environments/prod/{app}/values.yaml"))
            .unwrap();
        assert!(text.contains("tag: v1.8.0"), "{text}");
    }
    // What is true of the commit is asked once for both.
    let asked = run.requests.iter().filter(|exchange| exchange.path.contains("/actions/runs")).count();
    assert_eq!(asked, 1);
    assert_eq!(promotions(&scene.run()), ["fraud prod unchanged", "support prod unchanged"]);
}

#[test]
fn one_app_that_cannot_be_promoted_does_not_stop_the_other() {
    let scene = two_apps(&["prod"]);
    scene.commit("break", &[("environments/prod/fraud/values.yaml", "image: [\n")]);
    let run = scene.run();
    run.failed(&["`environments/prod/fraud/values.yaml:1:8`"]);
    assert_eq!(promotions(&run), ["fraud prod -", "support prod created"]);
    assert!(run.summary.contains("fraud → prod failed"), "{}", run.summary);
}

#[test]
fn app_and_to_choose_among_apps_and_targets() {
    let targets = &["prod-eu", "prod-us"];
    let scene = two_apps(targets);
    let app = |name: &str| format!("  - name: {name}\n    targets: [{{name: prod-us}}, {{name: prod-eu}}]\n");
    scene.commit("settings", &[(SETTINGS, &format!("apps:\n{}{}", app("fraud"), app("support")))]);
    let run = |inputs: &Value| {
        let mut inputs = inputs.clone();
        inputs["dry-run"] = json!("true");
        promotions(&scene.runs(&Start::dispatch(&scene, &inputs)))
    };
    assert_eq!(run(&json!({"app": "support", "to": "prod-eu"})), ["support prod-eu planned"]);
    assert_eq!(run(&json!({"app": "fraud"})), ["fraud prod-us planned", "fraud prod-eu planned"]);
    assert_eq!(run(&json!({"to": "prod-us"})), ["fraud prod-us planned", "support prod-us planned"]);
    let all = scene.run();
    all.ended("created", 0);
    assert_eq!(promotions(&all).len(), 4);
    assert_eq!(scene.repo.pulls().unwrap().len(), 4);
    assert_eq!(all.output("branch"), "promote/fraud/prod-us");
    scene
        .runs(&Start::dispatch(&scene, &json!({"app": "fruad", "to": "prod"})))
        .refused(&["there is no app `fruad`", "did you mean `fraud`?"]);
}

#[test]
fn a_release_asked_for_by_name_is_its_own_apps() {
    let scene = two_apps(&["prod"]);
    let app = |name: &str| format!("  - name: {name}\n    tag-pattern: '^{name}/(?P<version>v.+)$'\n");
    scene.commit("settings", &[(SETTINGS, &format!("apps:\n{}{}", app("fraud"), app("support")))]);
    let recorded = scene
        .commit("feat: more", &[("environments/staging/fraud/values.yaml", &app_values("fraud", "v1.9.0"))]);
    scene.tagged("fraud/v1.9.0", &recorded, Some("success"));
    let run = |inputs: &Value| scene.runs(&Start::dispatch(&scene, inputs));

    let named = run(&json!({"tag": "fraud/v1.9.0"}));
    named.ended("created", 0);
    assert_eq!(promotions(&named), ["fraud prod created"]);
    let left =
        "`support` is left alone: `fraud/v1.9.0`, which was asked for by name, is another app's release";
    assert!(named.stdout.contains(&format!("::notice title=promote::{left}")), "{}", named.said());
    assert!(named.summary.contains(left), "{}", named.summary);
    // An app that has no release at all is told so, as it is where nobody asked for one.
    assert!(named.stdout.contains("::warning title=promote::`support` has no release"), "{}", named.said());
    // Whoever names the app as well is told that it has no such release.
    run(&json!({"tag": "fraud/v1.9.0", "app": "support"})).failed(&["it is no release of `support`"]);
    // A release of nobody is an error of everybody.
    run(&json!({"tag": "v9.9.9"}))
        .failed(&["no release `v9.9.9` of `fraud`", "no release `v9.9.9` of `support`"]);
}

#[test]
fn a_tag_of_exactly_that_name_comes_before_a_version_of_another_app() {
    let scene = two_apps(&["prod"]);
    let pattern =
        |app: &str, before: &str| format!("  - name: {app}\n    tag-pattern: '^{before}(?P<version>v.+)$'\n");
    let settings = format!("apps:\n{}{}", pattern("fraud", ""), pattern("support", "support/"));
    scene.commit("settings", &[(SETTINGS, &settings)]);
    for (app, tag) in [("support", "support/v1.9.0"), ("fraud", "v1.9.0")] {
        let file = format!("environments/staging/{app}/values.yaml");
        let commit = scene.commit("feat: more", &[(&file, &app_values(app, "v1.9.0"))]);
        scene.tagged(tag, &commit, Some("success"));
    }
    let run = |tag: &str| scene.runs(&Start::dispatch(&scene, &json!({"tag": tag})));
    // A version that is a release of both, under two tags, is nobody's without the app.
    let unclear = run("1.9.0");
    unclear.refused(&[
        "`1.9.0` means releases of several apps: `v1.9.0` of `fraud`, `support/v1.9.0` of `support`",
        "name one of these tags, or say which app by `app`",
    ]);
    assert_eq!(unclear.writes(), [""; 0]);
    let named = run("v1.9.0");
    named.ended("created", 0);
    assert_eq!(promotions(&named), ["fraud prod created"]);
    assert!(named.summary.contains("`support` is left alone"), "{}", named.summary);
    assert!(!named.stdout.contains("::warning"), "{}", named.said());
}

#[test]
fn a_version_that_several_apps_have_under_one_tag_is_promoted_for_all_of_them() {
    let scene = two_apps(&["prod"]);
    let run = scene.runs(&Start::dispatch(&scene, &json!({"tag": "1.8.0"})));
    assert_eq!(promotions(&run), ["fraud prod created", "support prod created"]);
    assert!(!run.stdout.contains("::notice"), "{}", run.said());
}

#[test]
fn an_app_with_settings_is_promoted_by_them() {
    let file = |environment: &str| format!("deploy/{environment}/agent/values.yaml");
    let text = |image: &str, prompt: &str| {
        format!(
            "image:\n  repository: ghcr.io/acme/agent\n  tag: {image}\nprompt:\n  name: triage\n  version: {prompt}\nother: 1\n"
        )
    };
    let settings = "apps:\n  - name: agent\n    tag-pattern: '^agent/(?P<version>v\\d+\\.\\d+\\.\\d+)$'\n    source: deploy/stage/agent\n    targets: [{name: live, path: deploy/live/agent}]\n    pins: [image.tag]\n    carries: image.tag\n    evidence: [{check: golden set}]\npolicy-mode: warn\n";
    let scene = Scene::of(
        Options::default(),
        &[
            (SETTINGS, settings),
            (&file("stage"), &text("v1.7.0", "p1")),
            (&file("live"), &text("v1.7.0", "p1")),
        ],
    );
    let commit = scene.commit("feat: next", &[(&file("stage"), &text("v1.8.0", "p2"))]);
    scene.repo.tag("agent/v1.8.0", &commit).unwrap();
    scene.repo.tag("v9.0.0", &commit).unwrap();
    scene.repo.add_check_run(fake_github::CheckRun::new("golden set", &commit)).unwrap();
    let run = on(&scene, "push", scene.repo.event_push_tag("agent/v1.8.0").unwrap());
    run.ended("created", 0);
    assert_eq!(run.output("branch"), "promote/agent/live");
    assert_eq!(scene.repo.file("promote/agent/live", &file("live")).unwrap(), text("v1.8.0", "p1"));
    assert_eq!(run.plan["evidence"][0]["kind"], "check_run");
}

#[test]
fn settings_and_target_come_from_the_base_branch() {
    let scene = ready();
    let main = scene.repo.resolve("main").unwrap();
    scene.repo.set_ref("refs/heads/production", &main).unwrap();
    let on_base = Commit::new("settings").branch("production").file(SETTINGS, "policy-mode: off\n");
    scene.repo.commit(&on_base.by("bob")).unwrap();
    scene.commit("settings of trunk", &[(SETTINGS, "soak: nonsense\n")]);
    let run = scene.runs(&Start::inputs(&[("base", "production")]));
    run.ended("created", 0);
    let pull = scene.repo.pull(1).unwrap();
    assert_eq!((pull.base.as_str(), run.output("policy")), ("production", "pass"));
    assert!(scene.prod("promote/agent/prod").contains("tag: v1.8.0"));
    // Named by the settings of the default branch, it is read there again.
    scene.commit("settings of trunk", &[(SETTINGS, "base: production\n")]);
    scene.run().ended("unchanged", 0);
}

#[test]
fn a_policy_folder_that_is_named_must_be_there() {
    let scene = ready();
    scene.runs(&Start::inputs(&[("policy", "policies/prod")])).refused(&[
        "there is no policy folder `policies/prod`",
        "hint: commit it to the base branch, or correct `policy`",
    ]);
}
