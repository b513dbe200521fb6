//! The same promotion from whatever the runner left, and nothing left behind.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::scene::{Scene, Start, git, snapshot};

fn promoted(prepare: impl Fn(&Scene) -> Option<tempfile::TempDir>) -> (String, String, String, String) {
    let scene = Scene::new();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    let workspace = prepare(&scene);
    let before = workspace.as_ref().map(|workspace| snapshot(workspace.path()));
    let run =
        scene.runs(&Start { workspace: workspace.as_ref().map(tempfile::TempDir::path), ..Start::default() });
    run.ended("created", 0);
    if let (Some(before), Some(workspace)) = (before, &workspace) {
        assert!(before == snapshot(workspace.path()), "the checkout changed");
        let owner = |path: &Path| std::fs::metadata(path).map(|about| (about.uid(), about.gid())).unwrap();
        assert_eq!(owner(&workspace.path().join("promote-plan.json")), owner(workspace.path()));
    }
    let head = scene.promotion_head();
    let show = |format: &str| {
        git(&scene.repo.git_dir().unwrap(), &["show", "--no-patch", &format!("--format={format}"), &head])
    };
    let pull = scene.repo.pull(1).unwrap();
    // Each scene has an address of its own.
    (show("%T"), show("%B"), pull.title, pull.body.replace(scene.github.url(), "https://github.com"))
}

#[test]
fn the_promotion_is_the_same_from_any_workspace_and_leaves_it_as_it_was() {
    let expected = promoted(|_| None);
    let other_user = |workspace: &tempfile::TempDir| {
        let status = std::process::Command::new("chown")
            .args(["-R", "1001:1001"])
            .arg(workspace.path())
            .status()
            .unwrap();
        assert!(status.success(), "only root can give files away");
    };
    let am_root = std::fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0);
    let cases: [(&str, &[&str]); 4] = [
        ("shallow without tags", &["--depth", "1", "--no-tags"]),
        ("deep with tags", &[]),
        ("shallow with two commits", &["--depth", "2"]),
        ("partial", &["--filter=blob:none", "--no-checkout"]),
    ];
    for (name, arguments) in cases {
        let found = promoted(|scene| {
            let workspace = scene.checkout(arguments);
            if name.contains("shallow") {
                git(workspace.path(), &["checkout", "--quiet", "--detach"]);
                if am_root {
                    other_user(&workspace);
                }
            }
            Some(workspace)
        });
        assert_eq!(found, expected, "{name}");
    }
    let not_git = promoted(|_| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("note.txt"), "no git here").unwrap();
        Some(folder)
    });
    assert_eq!(not_git, expected, "not git");
}

#[test]
fn a_file_of_the_checkout_that_is_called_as_the_plan_is_replaced_and_never_followed() {
    let scene = Scene::new();
    let outside = tempfile::NamedTempFile::new().unwrap();
    let workspace = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), workspace.path().join("promote-plan.json")).unwrap();
    scene
        .runs(&Start { workspace: Some(workspace.path()), ..Start::default() })
        .ended("nothing-to-promote", 0);
    assert_eq!(std::fs::read(outside.path()).unwrap(), b"");
}

#[test]
fn a_token_is_masked_for_the_runner_and_never_shown_on_a_terminal() {
    for (in_actions, shown) in [("true", "::add-mask::ghs_secret\n"), ("", "")] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_promote"));
        command.arg("plan").env_clear().env("INPUT_TOKEN", "ghs_secret").env("GITHUB_ACTIONS", in_actions);
        let output = command.output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap().split("::error").next(), Some(shown));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("`GITHUB_REPOSITORY` is not set") && !stderr.contains("ghs_"), "{stderr}");
    }
}
