//! Tags that some reader of YAML takes for a number, a date, a truth or nothing: promoted, they stay these very texts.
//!
//! By the real binary, in `values.yaml` and in `kustomization.yaml`. The ignored tests ask the real `kustomize` and
//! the Go library that Helm reads values with; `.ci/editor-tools` makes both and runs them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::scene::{STAGING, Scene};
use fake_github::{Options, Workflow};

/// Colons are no part of a legal tag, but YAML has to carry them.
const TAGS: &[&str] = &[
    "1.10",
    "1e3",
    "0123",
    "yes",
    "12:30:45",
    "0x1F",
    "2026-01-02",
    "0e1",
    "1_000",
    "null",
    "~",
    ".5",
    "0o17",
    "1.0",
    "on",
];

/// How prod writes what it runs so far: the way is kept, but plain would not be a string.
const WAYS: [(&str, &str); 3] = [("old", "\""), ("'old'", "'"), ("\"old\"", "\"")];

/// Staging writes most of them as people do: without quotes.
fn in_staging(tag: &str) -> String {
    if matches!(tag, "null" | "~") { format!("\"{tag}\"") } else { tag.to_owned() }
}

fn values(agent: &str, tags: impl Iterator<Item = String>) -> String {
    let mut text = format!("image:\n  repository: ghcr.io/acme/agent\n  tag: {agent}\nservices:\n");
    for (number, tag) in tags.enumerate() {
        let repository = format!("ghcr.io/acme/chart-{number}");
        writeln!(
            text,
            "  - name: s{number}\n    image:\n      repository: {repository}\n      tag: {tag} # kept"
        )
        .unwrap();
    }
    text
}

fn kustomization(tags: impl Iterator<Item = String>) -> String {
    let mut text = String::from("resources: [deployment.yaml]\nimages:\n");
    for (number, tag) in tags.enumerate() {
        writeln!(text, "- {{name: ghcr.io/acme/part-{number}, newTag: {tag}}} # kept").unwrap();
    }
    text
}

fn deployment() -> String {
    let containers: Vec<_> = (0..TAGS.len())
        .map(|number| format!("      - {{name: c{number}, image: 'ghcr.io/acme/part-{number}:none'}}\n"))
        .collect();
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: agent}}\nspec:\n  selector: {{matchLabels: {{app: a}}}}\n  \
         template:\n    metadata: {{labels: {{app: a}}}}\n    spec:\n      containers:\n{}",
        containers.concat()
    )
}

/// Prod's `values.yaml` and `kustomization.yaml` on the promotion's branch.
fn promoted() -> (String, String) {
    let old = || (0..TAGS.len()).map(|number| WAYS[number % WAYS.len()].0.to_owned());
    let staging = || TAGS.iter().map(|tag| in_staging(tag));
    let deployment = deployment();
    let files = [
        ("environments/staging/values.yaml", values("v1.7.0", old())),
        ("environments/staging/kustomization.yaml", kustomization(old())),
        ("environments/staging/deployment.yaml", deployment.clone()),
        ("environments/prod/values.yaml", values("v1.7.0", old())),
        ("environments/prod/kustomization.yaml", kustomization(old())),
        ("environments/prod/deployment.yaml", deployment),
    ];
    let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let scene = Scene::of(Options::default(), &files);
    scene.repo.add_workflow(Workflow::new(STAGING).name("Staging")).unwrap();
    scene.tagged("v1.7.0", &scene.repo.resolve("main").unwrap(), Some("success"));
    let commit = scene.commit(
        "chore(staging): record v1.8.0",
        &[
            ("environments/staging/values.yaml", &values("v1.8.0", staging())),
            ("environments/staging/kustomization.yaml", &kustomization(staging())),
        ],
    );
    scene.tagged("v1.8.0", &commit, Some("success"));
    scene.run().ended("created", 0);
    let head = scene.promotion_head();
    let file = |name: &str| scene.repo.file(&head, &format!("environments/prod/{name}")).unwrap();
    (file("values.yaml"), file("kustomization.yaml"))
}

#[test]
fn tags_that_look_like_something_else_arrive_as_strings_byte_for_byte() {
    let expected = || {
        TAGS.iter().enumerate().map(|(number, tag)| {
            let quote = WAYS[number % WAYS.len()].1;
            format!("{quote}{tag}{quote}")
        })
    };
    let (values_now, kustomization_now) = promoted();
    assert_eq!(values_now, values("v1.8.0", expected()));
    assert_eq!(kustomization_now, kustomization(expected()));
}

/// The program that a variable names; `.ci/editor-tools` sets it.
fn tool(variable: &str) -> PathBuf {
    match std::env::var_os(variable).map(PathBuf::from) {
        Some(path) if path.is_file() => path,
        found => panic!(
            "`{variable}` names no program ({found:?}): run `.ci/editor-tools strings`, which makes it"
        ),
    }
}

fn said_by(program: &Path, arguments: &[&Path]) -> String {
    let output = Command::new(program).args(arguments).env_clear().output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "needs the real kustomize: `.ci/editor-tools strings`"]
fn the_real_kustomize_renders_exactly_these_tags() {
    let kustomize = tool("KUSTOMIZE");
    let (_, kustomization) = promoted();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kustomization.yaml"), kustomization).unwrap();
    std::fs::write(folder.path().join("deployment.yaml"), deployment()).unwrap();
    let rendered = said_by(&kustomize, &[Path::new("build"), folder.path()]);
    let rendered: Value = serde_yaml::from_str(&rendered).unwrap();
    let containers = rendered["spec"]["template"]["spec"]["containers"].as_array().unwrap();
    let images: Vec<_> = containers.iter().map(|container| container["image"].as_str().unwrap()).collect();
    let expected = TAGS.iter().enumerate().map(|(number, tag)| format!("ghcr.io/acme/part-{number}:{tag}"));
    assert_eq!(images, expected.collect::<Vec<_>>());
}

#[test]
#[ignore = "needs Helm's own YAML library: `.ci/editor-tools strings`"]
fn helms_own_reader_sees_strings_in_the_values_and_did_not_in_stagings() {
    let reader = tool("VALUES_READER");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("values.yaml");
    let tags = |text: &str| -> Vec<Value> {
        std::fs::write(&file, text).unwrap();
        let read: Value = serde_json::from_str(&said_by(&reader, &[&file])).unwrap();
        let services = read["services"].as_array().unwrap();
        services.iter().map(|service| service["image"]["tag"].clone()).collect()
    };
    assert_eq!(tags(&promoted().0), TAGS.iter().map(|tag| Value::from(*tag)).collect::<Vec<_>>());
    // A reader that took everything for a string would show nothing.
    let in_staging = tags(&values("v1.8.0", TAGS.iter().map(|tag| in_staging(tag))));
    let others = in_staging.iter().filter(|tag| !tag.is_string()).count();
    assert!(others > TAGS.len() / 2, "{in_staging:?}");
}
