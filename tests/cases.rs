//! Whole plans as folders: `tests/cases/<name>/case.yaml` in; `plan.json`, `overlay.diff`, `body.md` and
//! `said.txt` out. `tests/cases/README.md` says how to add one; none of it needs Rust.
//!
//! Each case is a fake GitHub of its own and one run of the real binary with `command: plan`, which must write
//! nothing. `UPDATE_CASES=1` rewrites what is expected, `CASE=part-of-a-name` runs only those.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    missing_docs,
    reason = "tests may"
)]

mod case_runner;

use std::path::{Path, PathBuf};

use case_runner::{Case, EXPECTATIONS, Expectations, all, is_set, plan_of};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// Every folder with a `case.yaml`, sorted by name.
fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().join("case.yaml").is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// What is wrong with one case; empty when nothing is.
fn problem(name: &str) -> String {
    let folder = folder().join(name);
    let text = std::fs::read_to_string(folder.join("case.yaml")).unwrap();
    let found = Case::parse(&text)
        .map_err(|error| format!("case.yaml: {error}\n"))
        .and_then(|case| plan_of(&case).map_err(|error| format!("{error:#}\n")));
    match found {
        Err(error) => error,
        Ok(found) if is_set("UPDATE_CASES") => {
            rewrite(&folder, &found);
            String::new()
        }
        Ok(found) => difference(&folder, &found),
    }
}

fn expected(folder: &Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).unwrap_or_default()
}

fn rewrite(folder: &Path, found: &Expectations) {
    for (file, text) in EXPECTATIONS.iter().zip(found) {
        let path = folder.join(file);
        if text.is_empty() {
            let _ = std::fs::remove_file(path);
        } else if expected(folder, file) != *text {
            std::fs::write(path, text).unwrap();
        }
    }
}

fn difference(folder: &Path, found: &Expectations) -> String {
    let mut said = String::new();
    for (file, text) in EXPECTATIONS.iter().zip(found) {
        let expected = expected(folder, file);
        if expected != *text {
            let diff = similar::TextDiff::from_lines(&expected, text);
            said += &diff
                .unified_diff()
                .header(&format!("expected {file}"), &format!("found {file}"))
                .to_string();
        }
    }
    said
}

#[test]
fn every_case_gives_the_plan_that_it_expects() {
    let cases: Vec<(String, ())> =
        names().into_iter().filter(|name| all::wanted(name)).map(|name| (name, ())).collect();
    all::run(&cases, "tests/cases", "UPDATE_CASES=1 cargo test --test cases", |name, ()| problem(name));
}

#[test]
fn every_folder_is_a_case_with_a_rule_of_its_own() {
    let folders = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap());
    for entry in folders.filter(|entry| entry.path().is_dir() && entry.file_name() != "starts") {
        let path = entry.path();
        assert!(path.join("case.yaml").is_file(), "{} has no case.yaml", path.display());
        for file in std::fs::read_dir(&path).unwrap() {
            let file = file.unwrap().file_name().into_string().unwrap();
            let known = file == "case.yaml" || EXPECTATIONS.contains(&file.as_str());
            assert!(known, "{}: `{file}` is read by nobody", path.display());
        }
        assert!(
            EXPECTATIONS.iter().any(|file| path.join(file).is_file()),
            "{} expects nothing",
            path.display()
        );
    }
    let mut rules: Vec<String> = names()
        .iter()
        .map(|name| Case::parse(&expected(&folder().join(name), "case.yaml")).unwrap().rule)
        .collect();
    rules.sort();
    for pair in rules.windows(2) {
        assert_ne!(pair[0], pair[1]);
    }
    assert!(rules.iter().all(|rule| rule.ends_with('.')), "{rules:?}");
}

#[test]
fn a_key_that_nobody_knows_is_an_error() {
    let good = "rule: It is so.\nhistory: [{commit: x, ran: [{workflow: a.yml}], tags: [{name: v1}]}]\n";
    Case::parse(good).unwrap();
    for bad in [
        good.replace("rule:", "extra: 1\nrule:"),
        good.replace("commit: x", "commit: x, comit: y"),
        good.replace("workflow: a.yml", "workflow: a.yml, conclusion: success"),
        good.replace("name: v1", "name: v1, anotated: yes"),
        good.replace("rule: It is so.\n", ""),
    ] {
        assert!(Case::parse(&bad).is_err(), "{bad}");
    }
}
