#![allow(clippy::unwrap_used, reason = "tests may")]
use super::*;
use crate::settings::{INPUTS, Trigger};

const KEY: &str = include_str!("../../../tests/fixtures/app/test-key.pem");

fn env(given: &[(&str, &str)]) -> Inputs {
    Inputs::from_env(
        given.iter().map(|(name, text)| (format!("INPUT_{}", name.to_uppercase()), (*text).to_owned())),
    )
}

fn asked(given: &[(&str, &str)]) -> Result<Asked> {
    Asked::join(Inputs::default(), env(given), &Event::local())
}

fn branch(text: &str) -> BranchName {
    BranchName::parse(text).unwrap()
}

/// A value of each input that is not its default.
const SAMPLES: &[(&str, &str)] = &[
    ("command", "plan"),
    ("token", "ghs_x"),
    ("pull-request-token", "ghp_x"),
    ("app-id", "12345"),
    ("private-key", KEY),
    ("config", "ci/promote.yaml"),
    ("app", "a, b"),
    ("from", "qa"),
    ("to", "prod-eu"),
    ("tag", "v1.8.0"),
    ("tag-pattern", "^(?P<version>.*)$"),
    ("evidence", "check: a"),
    ("evidence-at", "parent"),
    ("prereleases", "true"),
    ("window", "7"),
    ("soak", "24h"),
    ("trunk", "develop"),
    ("base", "production"),
    ("policy", "a"),
    ("policy-data", "b"),
    ("policy-mode", "warn"),
    ("dry-run", "yes"),
    ("reason", "because"),
    ("draft", "on"),
    ("labels", "a"),
    ("reviewers", "b"),
    ("team-reviewers", "c"),
    ("assignees", "d"),
    ("auto-merge", "squash"),
    ("merge-at-once", "true"),
    ("request-timeout", "5s"),
    ("rate-limit-wait", "1h"),
];

#[test]
fn every_input_makes_a_difference() {
    let nothing = format!("{:?}", asked(&[]).unwrap());
    for input in INPUTS {
        let sample = SAMPLES.iter().find(|(name, _)| *name == input.name);
        let (name, text) = *sample.unwrap_or_else(|| unreachable!("no sample of `{}`", input.name));
        // An App's inputs are given together.
        let other = match name {
            "app-id" => ("private-key", KEY),
            "private-key" => ("app-id", "1"),
            _ => (name, text),
        };
        let one = asked(&[(name, text), other]).unwrap();
        assert_eq!(one.problems, [], "{name}");
        assert_ne!(format!("{one:?}"), nothing, "`{name}` is read by nobody");
    }
}

#[test]
fn nothing_asked_is_a_run_with_the_usual_file() {
    let asked = asked(&[]).unwrap();
    assert_eq!((asked.command, asked.dry_run), (Command::Run, false));
    assert_eq!(asked.config.as_str(), DEFAULT_CONFIG);
    assert_eq!(asked.base(), None);
}

#[test]
fn a_plan_writes_nothing() {
    assert!(asked(&[("command", "plan")]).unwrap().dry_run);
    assert!(asked(&[("command", "plan"), ("dry-run", "false")]).unwrap().dry_run);
}

#[test]
fn a_mistake_that_can_wait_for_the_file_waits() {
    let asked = asked(&[("soak", "1 day"), ("evidence", "any\nstaging.yml\nx"), ("labels", "a,b")]).unwrap();
    let places: Vec<String> = asked.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        places,
        [
            "input `evidence`: `staging.yml` names no evidence",
            "input `evidence`: `x` names no evidence",
            "input `soak`: `1 day` is not a duration",
        ]
    );
}

#[test]
fn a_mistake_that_cannot_wait_is_reported_with_the_others() {
    let failure = asked(&[("base", "a b"), ("command", "paln"), ("soak", "1 day")]).unwrap_err();
    assert_eq!(failure.kind(), Kind::Settings);
    assert_eq!(
        failure.to_string(),
        "error: input `command`: `paln` is not a command\n\
         hint: allowed: `run`, `plan`, `explain`; did you mean `plan`?\n\
         error: input `base`: `a b` is not a branch name\n\
         hint: allowed: what git allows, such as `main` or `release/prod`\n\
         error: input `soak`: `1 day` is not a duration\n\
         hint: allowed: a whole number with `s`, `m`, `h` or `d`, at most ten years: `90s`, `30m`, `24h`, `7d`"
    );
}

#[test]
fn a_tag_is_read_as_people_paste_it() {
    for (text, tag) in [(" v1.8.0\n", "v1.8.0"), ("refs/tags/v1.8.0", "v1.8.0")] {
        assert_eq!(asked(&[("tag", text)]).unwrap().tag.as_deref(), Some(tag));
    }
    let hostile = asked(&[("tag", "v1`$(id)`\n::set-output")]).unwrap();
    assert_eq!((hostile.tag, hostile.problems.len()), (None, 1));
}

#[test]
fn flags_and_inputs_are_of_one_mind_about_a_dispatch() {
    let sent = [("tag", "v2"), ("dry_run", "true"), ("policy-mode", "off")];
    let event = Event {
        trigger: Trigger::Dispatch,
        dispatch: sent.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        ..Event::local()
    };
    let asked = Asked::join(Inputs::from_flags([("tag", "v1")]), env(&[("tag", "v3")]), &event).unwrap();
    assert_eq!(asked.tag.as_deref(), Some("v1"));
    assert!(asked.dry_run);
    assert!(asked.everything.policy_mode.is_none());
    assert_eq!(asked.warnings.len(), 1);
}

#[test]
fn a_missing_token_says_where_it_comes_from() {
    let none = asked(&[]).unwrap();
    assert_eq!(
        none.pull_request_token().unwrap_err().to_string(),
        "error: there is no token\n\
         hint: leave `token` out under `with:`, so that the job's own is used, or give it a value\n\
         hint: outside Actions, set `GITHUB_TOKEN` in the environment"
    );
    let one = asked(&[("token", "a\n")]).unwrap();
    assert_eq!((one.token().unwrap().expose(), one.pull_request_token().unwrap().expose()), ("a", "a"));
    let two = asked(&[("token", "a"), ("pull-request-token", "b")]).unwrap();
    assert_eq!((two.token().unwrap().expose(), two.pull_request_token().unwrap().expose()), ("a", "b"));
    assert!(!format!("{two:?}").contains("\"a\""));
}

#[test]
fn an_app_needs_both_its_inputs_and_no_token_beside_them() {
    let told = |given: &[(&str, &str)]| -> Vec<String> {
        asked(given).unwrap().problems.iter().map(ToString::to_string).collect()
    };
    let app = asked(&[("app-id", "12345"), ("private-key", KEY)]).unwrap();
    assert_eq!(app.github_app().map(|app| app.id.as_str()), Some("12345"));
    assert_eq!(told(&[("app-id", "12345"), ("private-key", KEY)]), [""; 0]);
    assert_eq!(
        told(&[("app-id", "12345")]),
        ["input `app-id`: the App signs with its key, and `private-key` is not given"]
    );
    assert_eq!(
        told(&[("private-key", KEY)]),
        ["input `private-key`: it is the key of an App, and `app-id` is not given"]
    );
    let both = "input `pull-request-token`: the App of `app-id` and `private-key` mints the token that this would be";
    for beside in
        [&[("app-id", "12345"), ("private-key", KEY)][..], &[("app-id", "12345")], &[("private-key", KEY)]]
    {
        assert_eq!(told(&[beside, &[("pull-request-token", "ghp_x")]].concat()), [both], "{}", beside.len());
    }
    // Each mistake with the others, and of none is the text shown: the two may be in each other's place.
    assert_eq!(
        told(&[("soak", "1 day"), ("app-id", KEY), ("private-key", "12345")]),
        [
            "input `soak`: `1 day` is not a duration",
            "input `app-id`: this is not the id of a GitHub App",
            "input `private-key`: this is not the private key of a GitHub App",
        ]
    );
    assert!(!format!("{app:?}").contains("MII"));
}

#[test]
fn the_file_is_read_on_the_base_that_is_asked_for() {
    for (given, base) in [
        (&[][..], None),
        (&[("base", "production")], Some("production")),
        (&[("trunk", "develop")], Some("develop")),
        (&[("trunk", "develop"), ("base", "refs/heads/production")], Some("production")),
    ] {
        assert_eq!(asked(given).unwrap().base().map(BranchName::as_str), base, "{given:?}");
    }
}

#[test]
fn the_file_may_name_the_base_where_nobody_else_does() {
    let path = RepoPath::parse(DEFAULT_CONFIG).unwrap();
    let read_on = branch("main");
    for (given, text, base) in [
        (&[][..], "base: production\n", Some("production")),
        (&[], "base: main\n", None),
        (&[], "{}\n", None),
        (&[], "trunk: develop\n", Some("develop")),
        (&[], "trunk: develop\nbase: main\n", None),
        (&[("trunk", "main")], "trunk: develop\n", None),
        (&[("base", "main")], "base: production\n", None),
        (&[], "base: [\n", None),
        (&[], "soak: x\nbase: production\n", Some("production")),
    ] {
        let asked = asked(given).unwrap();
        let named = asked.base_named_by_file(&path, text, &read_on);
        assert_eq!(named.as_ref().map(BranchName::as_str), base, "{given:?} {text}");
    }
    let settled = asked(&[]).unwrap().settled_on(branch("production"));
    assert_eq!(settled.base().unwrap().as_str(), "production");
    assert_eq!(settled.base_named_by_file(&path, "base: other\n", &branch("production")), None);
}
