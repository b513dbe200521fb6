//! The real binary, downloaded and run: the same pull request, outputs and silence as in a container.

use fake_github::runner::{Launch, step};
use fake_github::{Commit, FakeGitHub, Options, Repo, Token, Workflow, WorkflowRun};

use crate::mirror::{Answer, Mirror};
use crate::step::{Ended, Runner, sha256};

const TOKEN: &str = "ghs_job";

/// A repository whose newest release has passed staging, and the run that says so.
fn scene() -> (FakeGitHub, Repo, u64) {
    let github = FakeGitHub::start(&Options::default()).unwrap();
    github.add_token(Token::actions(TOKEN));
    let repo = github.create_repo("acme/agent").unwrap();
    for (path, name) in [("staging", "Staging"), ("promote", "Promote")] {
        repo.add_workflow(Workflow::new(&format!(".github/workflows/{path}.yml")).name(name)).unwrap();
    }
    let values = |tag: &str| format!("image:\n  repository: ghcr.io/acme/agent\n  tag: {tag}\n");
    let first = Commit::new("feat: begin")
        .file("environments/staging/values.yaml", &values("v1.7.0"))
        .file("environments/prod/values.yaml", &values("v1.7.0"));
    let mut run = 0;
    let record =
        Commit::new("chore: record v1.8.0").file("environments/staging/values.yaml", &values("v1.8.0"));
    for (tag, commit) in [("v1.7.0", first), ("v1.8.0", record)] {
        let commit = repo.commit(&commit).unwrap();
        repo.tag(tag, &commit).unwrap();
        let ran = WorkflowRun::new(".github/workflows/staging.yml", &commit).on(tag).event("push");
        run = repo.add_workflow_run(ran.concluded("success")).unwrap();
    }
    (github, repo, run)
}

/// Promotes with these inputs beside the token, and reads the outputs back.
fn promoted(repo: &Repo, run: u64, inputs: &[(&str, &str)]) -> (Ended, Vec<(String, String)>) {
    let binary = std::fs::read(env!("CARGO_BIN_EXE_promote")).unwrap();
    let mirror = Mirror::of(&binary, &[Answer::Whole]);
    let inputs = [&[("token", TOKEN)], inputs].concat();
    let mut runner = Runner::new(&inputs).of_release(&mirror.address, &sha256(&binary));
    let payload = repo.event_workflow_run(run).unwrap();
    let workspace = tempfile::tempdir().unwrap();
    // The runner's own variables alone: every input comes by way of `action.yml`.
    let launch = Launch {
        event: "workflow_run",
        payload: &payload,
        workspace: workspace.path(),
        inputs: &[],
        run_id: 1,
    };
    let launched = step(repo, &launch).unwrap();
    for (name, value) in &launched.env {
        runner.set(name, value);
    }
    let ended = runner.runs();
    assert_eq!(mirror.asked().len(), 1);
    let outputs = launched.outputs().unwrap();
    (ended, outputs)
}

fn value<'a>(outputs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    outputs.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
}

#[test]
fn a_promotion_is_opened_and_the_outputs_are_the_step_s() {
    let (_github, repo, run) = scene();
    let reason = "the fix that\n`finance` $(waits) for, 100%";
    let (ended, outputs) = promoted(&repo, run, &[("reason", reason)]);
    ended.well();
    assert_eq!(value(&outputs, "outcome"), Some("created"));
    assert_eq!(value(&outputs, "pull-request-number"), Some("1"));
    let pull = repo.pull(1).unwrap();
    assert!(pull.title.contains("v1.8.0"), "{}", pull.title);
    assert!(pull.body.contains("$(waits)") && pull.body.contains("100%"), "{}", pull.body);
    assert!(!ended.said.replace(&format!("::add-mask::{TOKEN}"), "").contains(TOKEN), "{}", ended.said);
}

#[test]
fn an_input_with_a_dash_in_its_name_counts() {
    let (_github, repo, run) = scene();
    let (ended, outputs) = promoted(&repo, run, &[("dry-run", "true")]);
    ended.well();
    assert_eq!(value(&outputs, "outcome"), Some("planned"));
    assert!(repo.pulls().unwrap().is_empty());
}
