#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests may")]
use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::settings::settings_schema;

const EVERYTHING: &str = include_str!("../../../tests/fixtures/settings/everything.yaml");

fn reading(text: &str) -> Reading {
    read(&RepoPath::parse(".github/promote.yaml").unwrap(), text).unwrap()
}

/// Every problem, without the path, with its hints.
fn problems(text: &str) -> Vec<String> {
    let line = |problem: &Problem| {
        let shown = problem.to_string();
        let shown = shown.strip_prefix("`.github/promote.yaml:").unwrap_or(&shown);
        let hints = problem.hints.iter().fold(String::new(), |all, hint| format!("{all} | {hint}"));
        format!("{}{hints}", shown.replacen("`: ", " ", 1))
    };
    reading(text).problems.iter().map(line).collect()
}

fn problem(text: &str) -> String {
    let problems = problems(text);
    assert_eq!(problems.len(), 1, "{text}: {problems:?}");
    problems.into_iter().next().unwrap()
}

#[test]
fn mistakes_in_files_are_told_where_they_are() {
    assert_eq!(
        problem("files: [values.yaml, values.yaml]"),
        "1:22 `files` names one place twice; the other is on line 1"
    );
    assert!(problems("files: [{file: a.yaml, at: x}, {file: a.yaml, at: y}, a.yml]").is_empty());
    let part = problem("files: [{file: a.yaml, at: 'a..b'}, a.yaml]");
    assert!(part.starts_with("1:28 `at`: `a..b` is not a key path"), "{part}");
    let outside = problem("files: [../x.yaml]");
    assert!(outside.starts_with("1:9 ") && outside.contains("`../x.yaml` is not a path"), "{outside}");
}

#[test]
fn a_file_with_every_key_is_read() {
    let reading = reading(EVERYTHING);
    assert_eq!(reading.problems, []);
    assert_eq!(reading.names, Names::Whole);
    let apps = reading.settings.apps.unwrap();
    let agent = &apps[0];
    assert_eq!(agent.name.value, "fraud-agent");
    assert_eq!(agent.name.place.to_string(), ".github/promote.yaml:29:11");
    let pins = agent.of_app.pins.as_ref().unwrap().value.iter();
    assert_eq!(
        pins.map(PinRule::as_str).collect::<Vec<_>>(),
        ["image.{tag,digest}", "model.{version,digest}", "spec.source.targetRevision"]
    );
    assert_eq!(
        agent.layer.evidence.as_ref().unwrap().value,
        [
            Required::Workflow("staging.yml".into()),
            Required::Check { name: "model-validation".into(), app: Some("acme-evals".into()) },
            Required::Check { name: "lint".into(), app: None },
            Required::Status { context: "ci/staging".into(), creator: Some("ci-bot".into()) },
            Required::Deployment("staging".into()),
            Required::Any,
        ]
    );
    let targets = agent.targets.as_ref().unwrap();
    assert_eq!(targets[1].after.as_ref().unwrap().value, ["prod-us"]);
    assert_eq!(targets[1].layer.soak.as_ref().unwrap().value, jiff::SignedDuration::from_hours(168));
    assert_eq!(reading.settings.everything.freeze.unwrap().value[0].reason, "year end");
}

#[test]
fn an_empty_file_sets_nothing() {
    for text in ["", "# nothing yet\n", "---\n", "{}\n", "~\n"] {
        let reading = reading(text);
        assert!(reading.problems.is_empty() && reading.settings.apps.is_none(), "{text:?}");
    }
}

#[test]
fn what_is_not_yaml_is_an_error_with_its_place() {
    let path = RepoPath::parse(".github/promote.yaml").unwrap();
    for (text, place) in [("apps: [\n", ":1:7`"), ("a: b: c\n", ":1:5`")] {
        let failure = read(&path, text).unwrap_err();
        assert_eq!(failure.kind(), Kind::Settings);
        let message = failure.to_string();
        assert!(message.starts_with("error: `.github/promote.yaml"), "{message}");
        assert!(message.contains(place) && message.contains("not valid YAML"), "{message}");
        assert!(!message.contains("overlay"), "{message}");
    }
}

#[test]
fn every_mistake_is_reported_at_once() {
    let text = "\
apps:
  - name: fraud agent
    tag-patern: '^v(?P<version>.*)$'
    soak: 1 day
  - targets: prod
tag-pattern: '^v(?P<version>'
prereleases: yes
";
    assert_eq!(
        problems(text),
        [
            "2:11 `name`: `fraud agent` cannot be a name: it is no part of a branch name | allowed: what git allows \
             between two slashes of a branch, such as `fraud-agent` or `prod-eu`",
            "3:5 an app has no key `tag-patern` | did you mean `tag-pattern`?",
            "4:11 `soak`: `1 day` is not a duration | allowed: a whole number with `s`, `m`, `h` or `d`, at most ten \
             years: `90s`, `30m`, `24h`, `7d`",
            "5:5 an app needs the key `name`",
            "5:14 `targets` must be a list, and is the text `prod` | write it as a list: `targets: [prod]`",
            "6:14 `tag-pattern`: `^v(?P<version>` is not a regular expression: unclosed group | see https://docs.rs/regex/latest/regex/#syntax; the default is `^(?:staging[-/])?(?P<version>v?\\d+\\.\\d+\\.\\d+(?:[-+.][0-9A-Za-z.-]+)?)$`",
            "7:14 `prereleases` must be `true` or `false`, without quotes, and is the text `yes`",
        ]
    );
}

#[test]
fn each_mistake_has_its_message() {
    for (text, message) in [
        ("- a\n", "1:1 the settings file must be a mapping, and is a list"),
        ("a\n", "1:1 the settings file must be a mapping, and is the text `a`"),
        ("{}\n---\n{}\n", "3:1 the file has a second document; settings are one"),
        ("soak:\n", "1:5 `soak` must be text, and is left empty"),
        (
            "soak: 24\n",
            "1:7 `soak`: `24` is not a duration | allowed: a whole number with `s`, `m`, `h` or `d`, at most ten years: `90s`, `30m`, `24h`, `7d`",
        ),
        ("from: 1\n", "1:7 `from`: `1` is a number in YAML, not text | put it in quotes: `'1'`"),
        (
            "tag-pattern: '^v'\n",
            r"1:14 `tag-pattern`: `^v` has no group named `version` | mark the version in it, as in `^(?:staging[-/])?(?P<version>v?\d+\.\d+\.\d+(?:[-+.][0-9A-Za-z.-]+)?)$`",
        ),
        ("apps: []\n", "1:7 `apps` is empty | name an app, or remove the key"),
        ("apps: [{name: a, targets: []}]\n", "1:27 `targets` is empty | name a target, or remove the key"),
        ("to: []\n", "1:5 `to` is empty | give it a value, or remove the key"),
        ("pins: []\n", "1:7 `pins` is empty | give it a value, or remove the key"),
        (
            "evidence: []\n",
            "1:11 `evidence` is empty | name what makes a release successful, or remove the key",
        ),
        (
            "apps: [{name: a}, {name: b}, {name: a}]\n",
            "1:37 there are two apps named `a`; the other is on line 1",
        ),
        (
            "apps: [{name: a, targets: [{name: p}, {name: p}]}]\n",
            "1:46 there are two targets named `p`; the other is on line 1",
        ),
        (
            "apps: [{name: a, source: ../x}]\n",
            "1:26 `source`: `../x` is not a path in the repository: it has an empty, `.`, `..` or `.git` part",
        ),
        (
            "policy: [/etc]\n",
            "1:10 `policy`: `/etc` is not a path in the repository: it must be relative, with `/` between its parts",
        ),
        (
            "policy: policy\n",
            "1:9 `policy` must be a list, and is the text `policy` | write it as a list: `policy: [policy]`",
        ),
        (
            "policy-mode: of\n",
            "1:14 `policy-mode`: `of` is not a policy mode | allowed: `enforce`, `warn`, `off`; did you mean `off`?",
        ),
        (
            "base: 'a b'\n",
            "1:7 `base`: `a b` is not a branch name | allowed: what git allows, such as `main` or `release/prod`",
        ),
        ("draft: 'true'\n", "1:8 `draft` must be `true` or `false`, without quotes, and is the text `true`"),
        ("labels: [[a]]\n", "1:10 `labels` must be text, and is a list"),
        ("changelog: {path: x}\n", "1:13 `changelog` has no key `path` | did you mean `paths`?"),
        (
            "freeze: [{from: 2026-12-20, until: 2027-01-04T00:00:00Z, reason: x}]\n",
            "1:17 `from`: `2026-12-20` is not a time | allowed: date, time and offset, such as `2026-12-20T00:00:00Z` or `2026-12-20T01:00:00+01:00`",
        ),
        (
            "freeze: [{from: 2027-01-04T00:00:00Z, until: 2026-12-20T00:00:00Z, reason: x}]\n",
            "1:46 `until` is `2026-12-20T00:00:00Z`, which is not after `from`",
        ),
        (
            "freeze: [{from: 2026-12-20T00:00:00Z, until: 2027-01-04T00:00:00Z}]\n",
            "1:10 a freeze needs the key `reason`",
        ),
        ("rendered: {before: a}\n", "1:11 `rendered` needs the key `after`"),
        (
            "evidence: [staging.yml]\n",
            "1:12 the text `staging.yml` names no evidence | allowed: `workflow: staging.yml`, `check: NAME`, `status: CONTEXT`, `deployment: ENVIRONMENT`, `any`",
        ),
        ("evidence: [{workflow: a, check: b}]\n", "1:12 one item of `evidence` names one kind of evidence"),
        ("evidence: [{workfow: a}]\n", "1:13 evidence has no key `workfow` | did you mean `workflow`?"),
        ("evidence: [{workflow: a, app: b}]\n", "1:31 `app` stands beside `check` alone"),
        (
            "evidence: [{}]\n",
            "1:12 a mapping names no evidence | allowed: `workflow: staging.yml`, `check: NAME`, `status: CONTEXT`, `deployment: ENVIRONMENT`, `any`",
        ),
        ("evidence: [{check: }]\n", "1:18 `check` must be text, and is left empty"),
        (
            "apps: [{name: a, targets: [{name: p, after: [q]}]}]\n",
            "1:45 `after`: there is no target `q` of this app | allowed: `p`",
        ),
        (
            "apps: [{name: a, targets: [{name: p, after: [p]}]}]\n",
            "1:45 `after`: these targets wait for each other",
        ),
        (
            "apps: [{name: a, targets: [{name: p, after: [q]}, {name: q, after: [p]}]}]\n",
            "1:45 `after`: these targets wait for each other",
        ),
        (
            "window: 0\n",
            "1:9 `window`: `0` is no number of releases | allowed: a whole number from 1 to 1000",
        ),
    ] {
        assert_eq!(problem(text), message, "{text}");
    }
}

#[test]
fn a_number_is_one_and_text_is_text() {
    for (text, message) in [
        (
            "apps: [{name: a, app-labels: {tier: 1}}]\n",
            "1:37 `tier`: `1` is a number in YAML, not text | put it in quotes: `'1'`",
        ),
        (
            "window: 0\n",
            "1:9 `window`: `0` is no number of releases | allowed: a whole number from 1 to 1000",
        ),
        (
            "window: 1.5\n",
            "1:9 `window`: `1.5` is no number of releases | allowed: a whole number from 1 to 1000",
        ),
        ("window: '30'\n", "1:9 `window` must be a number, without quotes, and is the text `30`"),
    ] {
        assert_eq!(problem(text), message, "{text}");
    }
}

#[test]
fn a_name_that_cannot_be_read_is_not_reported_twice() {
    let text = "apps: [{name: a, targets: [{name: 'x y'}, {name: p, after: ['x y']}]}]\n";
    assert!(problems(text).iter().all(|line| line.contains("cannot be a name")), "{:?}", problems(text));
    assert_eq!(reading(text).names, Names::Broken);
}

#[test]
fn what_is_for_later_is_named() {
    let keys = |text: &str| -> Vec<String> {
        reading(text).not_yet.iter().map(|problem| problem.message.clone()).collect()
    };
    let line = |key: &str| format!("`{key}` is read, but this version does not act on it yet");
    assert_eq!(
        keys("require-signed-tag: true\nevidence: [{check: a, app: b}, {status: c, creator: d}]\n"),
        Vec::<String>::new()
    );
    assert_eq!(keys("policy-data: [data]\n"), [line("policy-data")]);
    assert_eq!(keys("soak: 24h\n"), Vec::<String>::new());
}

/// The properties of every object of the schema, by name of the object.
fn properties(schema: &Value) -> Vec<BTreeSet<String>> {
    let keys = |object: &Value| -> BTreeSet<String> {
        object["properties"].as_object().unwrap().keys().cloned().collect()
    };
    let definitions = &schema["definitions"];
    let evidence = definitions["Evidence"]["anyOf"].as_array().unwrap();
    let evidence = evidence.iter().filter(|one| one.get("properties").is_some()).flat_map(keys).collect();
    let mut all = vec![keys(schema), evidence];
    all.extend(
        ["AppSettings", "TargetSettings", "Changelog", "Rendered", "Freeze"]
            .map(|name| keys(&definitions[name])),
    );
    all
}

#[test]
fn the_schema_has_the_keys_that_the_reader_accepts() {
    // A key that resembles nothing makes the reader list what it accepts there.
    let accepted = [
        "zzzzzzzzzzzz: 1\n",
        "evidence: [{zzzzzzzzzzzz: 1}]\n",
        "apps: [{name: a, zzzzzzzzzzzz: 1}]\n",
        "apps: [{name: a, targets: [{name: p, zzzzzzzzzzzz: 1}]}]\n",
        "changelog: {zzzzzzzzzzzz: 1}\n",
        "rendered: {before: a, after: b, zzzzzzzzzzzz: 1}\n",
        "freeze: [{from: 2026-12-20T00:00:00Z, until: 2027-01-04T00:00:00Z, reason: x, zzzzzzzzzzzz: 1}]\n",
    ];
    let schema: Value = serde_json::from_str(&settings_schema()).unwrap();
    for (text, properties) in accepted.iter().zip(properties(&schema)) {
        let line = problem(text);
        let (_, listed) = line.split_once("allowed: ").unwrap();
        let listed: BTreeSet<String> =
            listed.split(", ").map(|key| key.trim_matches('`').to_owned()).collect();
        assert_eq!(listed, properties, "{text}");
    }
}

#[test]
fn the_file_with_every_key_has_every_key() {
    let schema: Value = serde_json::from_str(&settings_schema()).unwrap();
    for key in properties(&schema).into_iter().flatten() {
        assert!(EVERYTHING.contains(&format!("{key}:")), "{key}");
    }
}

#[test]
fn no_object_of_the_schema_is_open_and_nothing_is_null() {
    fn walk(value: &Value) {
        match value {
            Value::Object(object) => {
                if object.contains_key("properties") {
                    assert_eq!(object.get("additionalProperties"), Some(&Value::Bool(false)), "{value}");
                }
                assert_ne!(object.get("type"), Some(&Value::from("null")));
                object.values().for_each(walk);
            }
            Value::Array(items) => items.iter().for_each(walk),
            _ => {}
        }
    }
    let schema = settings_schema();
    assert!(!schema.contains("\"null\""));
    walk(&serde_json::from_str(&schema).unwrap());
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>()) {
        let _ = read(&RepoPath::parse("f").unwrap(), &text);
    }

    #[test]
    fn no_damaged_file_makes_the_reader_panic(start in 0_usize..2000, length in 0_usize..40, patch in "[ -~\n]{0,6}") {
        let mut text = EVERYTHING.to_owned();
        let start = start.min(text.len());
        let end = (start + length).min(text.len());
        if text.is_char_boundary(start) && text.is_char_boundary(end) {
            text.replace_range(start..end, &patch);
            let _ = read(&RepoPath::parse("f").unwrap(), &text);
        }
    }
}

#[test]
fn the_settings_that_the_readme_shows_are_read_without_a_mistake() {
    let readme = include_str!("../../../README.md");
    let blocks = readme.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let settings: Vec<_> = blocks
        .filter(|text| text.starts_with("# .github/promote.yaml") || text.starts_with("pins:"))
        .collect();
    assert_eq!(settings.len(), 2);
    for text in settings {
        assert_eq!(problems(text), [""; 0]);
    }
}
