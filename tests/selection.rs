//! Which release is chosen, as data: `tests/selection/<rule>.yaml` holds tags, history, evidence, event and settings, and
//! what follows from them. `tests/selection/README.md` says how to add one; none of it needs Rust.
//!
//! Each case is one run of the real binary with `command: plan` on a fake GitHub of its own, and a second one on a GitHub
//! that gives one entry a page and knows no GraphQL: neither the order of pages nor a look at many commits at once may
//! decide anything. `UPDATE_SELECTION=1` rewrites what is expected, `CASE=part-of-a-name` runs only those.

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

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use case_runner::{Case, Expect, Manner, all, choice_of, is_set};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/selection")
}

/// The name and text of every case, sorted by name.
fn cases() -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let yaml = entries.filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    yaml.map(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read_to_string(&path).unwrap())
    })
    .collect()
}

fn yaml(expect: &Expect) -> String {
    serde_yaml::to_string(expect).unwrap()
}

/// What is wrong with one case; empty when nothing is.
fn problem(name: &str, text: &str) -> String {
    let found = Case::parse(text).and_then(|case| {
        let found = choice_of(&case, Manner::Usual)?;
        Ok((case.expect.unwrap_or_default(), found, choice_of(&Case::parse(text)?, Manner::Hard)?))
    });
    let (expected, found, hard) = match found {
        Err(error) => return format!("{error:#}\n"),
        Ok(found) => found,
    };
    let differs = |what: &str, expected: &Expect, found: &Expect| {
        let (expected, found) = (yaml(expected), yaml(found));
        let diff = similar::TextDiff::from_lines(&expected, &found);
        diff.unified_diff().context_radius(20).header("expected", what).to_string()
    };
    if hard != found {
        return differs("found one by one, with pages of one entry", &found, &hard);
    }
    if is_set("UPDATE_SELECTION") {
        let kept = text.split("\nexpect:").next().unwrap();
        let mut written = format!("{}\n\nexpect:\n", kept.trim_end());
        for line in yaml(&found).lines() {
            written += &format!("  {line}\n");
        }
        std::fs::write(folder().join(format!("{name}.yaml")), written).unwrap();
        return String::new();
    }
    if found == expected { String::new() } else { differs("found", &expected, &found) }
}

#[test]
fn every_case_has_the_choice_that_it_expects() {
    let cases: Vec<(String, String)> = cases().into_iter().filter(|(name, _)| all::wanted(name)).collect();
    all::run(&cases, "tests/selection", "UPDATE_SELECTION=1 cargo test --test selection", |name, text| {
        problem(name, text)
    });
}

#[test]
fn there_are_enough_cases_each_with_a_rule_of_its_own_and_an_expectation() {
    let cases = cases();
    assert!(cases.len() >= 80, "{}", cases.len());
    let mut rules = BTreeMap::new();
    for (name, text) in &cases {
        let case = Case::parse(text).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        assert!(case.rule.ends_with('.'), "{name}: a rule is a sentence");
        assert!(case.expect.is_some_and(|expect| expect != Expect::default()), "{name} expects nothing");
        if let Some(other) = rules.insert(case.rule, name) {
            panic!("{name} and {other} have one rule");
        }
    }
}
