//! Promotions by the image: the same as by the bare binary, from whatever the job has checked out.

use std::path::Path;

use fake_github::runner::{Ended, Root};
use fake_github::{Options, Tls};
use serde_json::{Value, json};

use crate::scene::{By, Checkout, Scene, Start, action};

/// Everything a promotion makes, for people and for machines.
struct Made {
    code: Option<i32>,
    commit: [String; 4],
    title: String,
    body: String,
    labels: Vec<String>,
    checks: Value,
    outputs: Vec<(String, String)>,
    summary: String,
    plan: Value,
    said: [String; 2],
    annotations: Vec<String>,
    requests: Vec<String>,
}

impl Made {
    #[track_caller]
    fn is(&self, other: &Self, how: &str) {
        assert_eq!((self.code, &self.said), (other.code, &other.said), "{how}");
        assert_eq!(self.commit, other.commit, "{how}");
        assert_eq!((&self.title, &self.labels), (&other.title, &other.labels), "{how}");
        assert_eq!(self.body, other.body, "{how}");
        assert_eq!(self.checks, other.checks, "{how}");
        assert_eq!(self.outputs, other.outputs, "{how}");
        assert_eq!(self.summary, other.summary, "{how}");
        assert_eq!(self.plan, other.plan, "{how}");
        assert_eq!(self.annotations, other.annotations, "{how}");
        assert_eq!(self.requests, other.requests, "{how}");
    }
}

fn made(scene: &Scene, ended: &Ended) -> Made {
    let pull = scene.repo.pull(1).unwrap();
    let head = scene.repo.resolve("promote/fraud-agent/prod").unwrap();
    let annotations = ended.said.annotations.iter().map(|annotation| format!("{annotation:?}"));
    Made {
        code: ended.code,
        commit: ["%T", "%P", "%an <%ae> %cn <%ce>", "%B"].map(|format| scene.show(&head, format)),
        title: pull.title,
        body: pull.body,
        labels: pull.labels,
        checks: json!(scene.repo.check_runs(&head).unwrap()),
        outputs: ended.left.outputs.clone(),
        summary: ended.left.summary.clone(),
        plan: without_now(scene.plan()),
        // Each stream has an order of its own, both together have none.
        said: [ended.stdout.clone(), ended.stderr.clone()],
        annotations: annotations.collect(),
        requests: scene.requests(),
    }
}

/// The plan without the moment at which it was made, the one thing that has to differ.
fn without_now(mut plan: Value) -> Value {
    for one in plan.as_array_mut().unwrap() {
        let now = one["now"].take();
        now.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    }
    plan
}

/// What is made at one address by one way of running it: the first run, and a second of which nothing comes.
fn twice(port: u16, start: &Start<'_>) -> (Made, Made, u16) {
    let scene = Scene::with(Options { port, ..Options::default() });
    let ended = scene.runs(start);
    assert_eq!(ended.output("outcome"), "created", "{}\n{}", ended.stdout, ended.stderr);
    let first = made(&scene, &ended);
    let again = scene.runs(start);
    assert_eq!((again.output("outcome"), again.output("changed")), ("unchanged", "false"));
    assert_eq!(scene.writes(), [""; 0]);
    (first, made(&scene, &again), scene.port())
}

#[test]
#[ignore = "needs an image: .ci/image, then PROMOTE_IMAGE=… cargo test --test image -- --ignored"]
fn the_image_makes_the_same_promotion_as_the_bare_binary_from_any_checkout() {
    let (first, second, port) = twice(0, &Start { by: By::Binary, ..Start::default() });
    assert_eq!(first.outputs.len(), 14);
    assert!(first.body.contains("v1.8.1") && first.summary.contains("v1.8.0") && !first.plan.is_null());
    for root in [Root::ReadOnly, Root::Writable] {
        for checkout in [Checkout::Shallow, Checkout::None] {
            let start = Start { by: By::Image(root), checkout, ..Start::default() };
            // The same address again, so that not a byte has to differ.
            let (created, unchanged, _) = twice(port, &start);
            created.is(&first, &format!("{root:?} {checkout:?}"));
            unchanged.is(&second, &format!("{root:?} {checkout:?}, again"));
        }
    }
}

#[test]
#[ignore = "needs an image: .ci/image, then PROMOTE_IMAGE=… cargo test --test image -- --ignored"]
fn every_declared_input_is_set_and_every_declared_output_comes_back() {
    let scene = Scene::new();
    let ended = scene.run();
    assert!(ended.succeeded(), "{}", ended.stderr);
    let mut declared = action().outputs;
    let mut set: Vec<String> = ended.left.outputs.iter().map(|(name, _)| name.clone()).collect();
    declared.sort();
    set.sort();
    assert_eq!(set, declared);
    assert!(ended.left.env.is_empty() && ended.left.state.is_empty() && ended.left.path.is_empty());
    assert_eq!(ended.said.dropped, 0);
    // Built beside `action.yml` before a release, pulled after it.
    let image = action().image;
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join(&image).is_file();
    assert!(beside || image.starts_with("docker://"), "{image}");
}

#[test]
#[ignore = "needs an image: .ci/image, then PROMOTE_IMAGE=… cargo test --test image -- --ignored"]
fn inputs_of_the_step_and_of_the_dispatch_arrive() {
    let scene = Scene::new();
    let asked = json!({ "command": "plan", "app": "fraud-agent", "to": "", "tag": "v1.8.0", "reason": "by hand: 100%" });
    let dispatch = |payload: &Value, with: &[(&str, &str)]| {
        let payload = scene.repo.event_workflow_dispatch(payload).unwrap();
        scene.runs(&Start { event: "workflow_dispatch", payload: Some(payload), with, ..Start::default() })
    };
    let planned = dispatch(&asked, &[]);
    assert_eq!((planned.code, planned.output("outcome")), (Some(0), "planned"), "{}", planned.stderr);
    assert_eq!(scene.writes(), [""; 0]);
    let with = [("labels", "promotion\nneeds, review"), ("Draft", "true"), ("reviewers", "bob")];
    let created =
        dispatch(&json!({ "tag": "fraud-agent/v1.8.0", "app": "fraud-agent", "reason": "by hand" }), &with);
    assert_eq!((created.code, created.output("outcome")), (Some(0), "created"), "{}", created.stderr);
    let pull = scene.repo.pull(1).unwrap();
    let labels = ["promotion", "needs", "review"];
    assert!(labels.iter().all(|label| pull.labels.iter().any(|known| known == label)), "{:?}", pull.labels);
    assert!(pull.draft && pull.body.contains("by hand"), "{}", pull.body);
}

#[test]
#[ignore = "needs an image: .ci/image, then PROMOTE_IMAGE=… cargo test --test image -- --ignored"]
fn nothing_to_promote_is_green() {
    let scene = Scene::new();
    let payload = scene.repo.event_workflow_dispatch(&json!({ "app": "support-agent" })).unwrap();
    let ended = scene.runs(&Start { event: "workflow_dispatch", payload: Some(payload), ..Start::default() });
    assert!(ended.succeeded(), "{}", ended.stderr);
    assert_eq!((ended.output("outcome"), ended.output("changed")), ("nothing-to-promote", "false"));
    assert!(scene.repo.pulls().unwrap().is_empty());
}

#[test]
#[ignore = "needs an image: .ci/image, then PROMOTE_IMAGE=… cargo test --test image -- --ignored"]
fn a_server_with_an_authority_of_its_own_is_trusted_by_a_file_of_the_job() {
    let scene = Scene::with(Options { tls: Some(Tls::default()), ..Options::default() });
    assert!(scene.github.url().starts_with("https://"));
    let untrusted = scene.run();
    assert_eq!(untrusted.code, Some(1));
    assert!(untrusted.stderr.contains("SSL_CERT_FILE"), "{}", untrusted.stderr);
    // The path on the machine, as `${{ runner.temp }}` gives it: the runner rewrites it for the container.
    let env = [("SSL_CERT_FILE", "RUNNER_TEMP/ca.pem")];
    for checkout in [Checkout::None, Checkout::Shallow] {
        let ended = scene.runs(&Start { env: &env, checkout, ..Start::default() });
        assert!(ended.succeeded(), "{}", ended.stderr);
    }
    assert_eq!(scene.repo.pulls().unwrap().len(), 1);
}
