#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]
use super::*;

fn env(variables: &[(&str, &str)]) -> Inputs {
    Inputs::from_env(variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())))
}

fn dispatch(trigger: Trigger, sent: &[(&str, &str)]) -> Inputs {
    let sent = sent.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    Inputs::from_dispatch(&Event { trigger, dispatch: sent, ..Event::local() })
}

fn text<'a>(inputs: &'a Inputs, name: &str) -> Option<&'a str> {
    inputs.get(name).map(Given::text)
}

fn warnings(inputs: &Inputs) -> Vec<String> {
    let line = |problem: &Problem| format!("{problem} | {}", problem.hints.join(" | "));
    inputs.warnings.iter().map(line).collect()
}

#[test]
fn names_are_read_as_the_runner_writes_them() {
    let inputs =
        env(&[("INPUT_DRY-RUN", "true"), ("INPUT_TAG", " v1.8.0\n"), ("PATH", "/bin"), ("TAG", "v0")]);
    assert_eq!(text(&inputs, "dry-run"), Some("true"));
    assert_eq!(text(&inputs, "tag"), Some("v1.8.0"));
    assert_eq!(inputs.get("tag").unwrap().place.to_string(), "input `tag`");
    assert!(inputs.warnings.is_empty());
}

#[test]
fn every_input_of_the_table_is_read() {
    for input in INPUTS {
        let inputs = env(&[(&format!("INPUT_{}", input.name.to_uppercase()), "x")]);
        assert_eq!(text(&inputs, input.name), Some("x"), "{}", input.name);
        assert!(inputs.warnings.is_empty(), "{}", input.name);
    }
}

#[test]
fn an_empty_input_was_not_given() {
    for blank in ["", " ", "\n", " \t\r\n"] {
        assert_eq!(env(&[("INPUT_SOAK", blank)]).get("soak"), None);
    }
}

#[test]
fn an_unknown_input_is_a_warning_with_the_name_that_was_meant() {
    let inputs = env(&[
        ("INPUT_DRY_RUN", "true"),
        ("INPUT_POLICY_FOLDER_NAMES", "x"),
        ("INPUT_REVIEWER", "x"),
        ("INPUT_ARGS", "x"),
        ("INPUT_ENTRYPOINT", "x"),
    ]);
    assert_eq!(
        warnings(&inputs),
        [
            "input `dry_run`: ignored: there is no such input | did you mean `dry-run`?",
            "input `policy_folder_names`: ignored: there is no such input | ",
            "input `reviewer`: ignored: there is no such input | did you mean `reviewers`?",
        ]
    );
    assert_eq!(inputs.get("dry-run"), None);
}

#[test]
fn a_dispatch_sets_what_rule_8_allows_and_no_more() {
    let inputs = dispatch(
        Trigger::Dispatch,
        &[("tag", "v1"), ("dry_run", "true"), ("policy-mode", "off"), ("base", ""), ("color", "red")],
    );
    assert_eq!(text(&inputs, "tag"), Some("v1"));
    assert_eq!(text(&inputs, "dry-run"), Some("true"));
    assert_eq!(inputs.get("dry-run").unwrap().place.to_string(), "dispatch input `dry_run`");
    for name in INPUTS.iter().map(|input| input.name).filter(|name| !DISPATCH.contains(name)) {
        let inputs = dispatch(Trigger::Dispatch, &[(name, "x"), (&name.replace('-', "_"), "y")]);
        assert_eq!(inputs.get(name), None, "{name}");
    }
    assert_eq!(
        warnings(&inputs),
        ["dispatch input `policy-mode`: ignored: a dispatch cannot set `policy-mode` | a dispatch sets \
          `command`, `app`, `to`, `tag`, `reason`, `dry-run` alone; set `policy-mode` in \
          `.github/promote.yaml` or under `with:`"]
    );
}

#[test]
fn a_client_payload_is_named_as_one() {
    let inputs = dispatch(Trigger::RepositoryDispatch { action: "promote".into() }, &[("to", "prod-eu")]);
    assert_eq!(inputs.get("to").unwrap().place.to_string(), "client payload `to`");
}

#[test]
fn of_two_spellings_the_dashed_one_wins() {
    let inputs = dispatch(Trigger::Dispatch, &[("dry-run", "false"), ("dry_run", "true")]);
    assert_eq!(text(&inputs, "dry-run"), Some("false"));
}

#[test]
fn a_flag_beats_an_input_beats_a_dispatch() {
    let sources = || {
        (
            Inputs::from_flags([("tag", "flag")]),
            env(&[("INPUT_TAG", "input"), ("INPUT_TO", "input")]),
            dispatch(Trigger::Dispatch, &[("tag", "sent"), ("to", "sent"), ("app", "sent")]),
        )
    };
    let (flags, inputs, sent) = sources();
    let merged = flags.or(inputs).or(sent);
    assert_eq!(["tag", "to", "app"].map(|name| text(&merged, name).unwrap()), ["flag", "input", "sent"]);
    assert_eq!(merged.get("tag").unwrap().place.to_string(), "--tag");
}

#[test]
fn tokens_of_the_environment_serve_where_no_input_gives_one() {
    assert_eq!(text(&env(&[("GITHUB_TOKEN", "b"), ("GH_TOKEN", "a")]), "token"), Some("a"));
    assert_eq!(text(&env(&[("GITHUB_TOKEN", "b"), ("GH_TOKEN", " ")]), "token"), Some("b"));
    assert_eq!(text(&env(&[("GITHUB_TOKEN", "b"), ("INPUT_TOKEN", "i")]), "token"), Some("i"));
    assert_eq!(env(&[("GITHUB_TOKEN", "")]).get("token"), None);
}

#[test]
fn secrets_are_listed_and_never_shown() {
    let inputs = env(&[("INPUT_TOKEN", "ghs_1"), ("INPUT_PULL-REQUEST-TOKEN", "ghp_2"), ("INPUT_TAG", "v1")]);
    let mut secrets: Vec<_> = inputs.secrets().map(|secret| secret.expose().to_owned()).collect();
    secrets.sort_unstable();
    assert_eq!(secrets, ["ghp_2", "ghs_1"]);
    let shown = format!("{inputs:?}");
    assert!(!shown.contains("ghs_1") && !shown.contains("ghp_2"), "{shown}");
}
