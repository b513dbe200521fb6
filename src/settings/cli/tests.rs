#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may")]
use super::*;
use crate::settings::Given;

fn line(arguments: &[&str]) -> Result<Invocation, clap::Error> {
    parse(std::iter::once("promote").chain(arguments.iter().copied()))
}

fn flags(arguments: &[&str]) -> Vec<(&'static str, String)> {
    let Invocation::Promote(inputs) = line(arguments).unwrap() else { panic!("{arguments:?}") };
    let given = |input: &Input| Some((input.name, inputs.get(input.name).map(Given::text)?.to_owned()));
    INPUTS.iter().filter_map(given).collect()
}

fn set(arguments: &[&str]) -> SetArguments {
    match line(arguments).unwrap() {
        Invocation::Set(arguments) => arguments,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_command_line_is_well_formed() {
    command().debug_assert();
}

#[test]
fn no_arguments_are_a_run_that_leaves_everything_to_the_inputs() {
    assert_eq!(flags(&[]), []);
}

#[test]
fn a_subcommand_is_the_command() {
    assert_eq!(flags(&["run"]), [("command", "run".into())]);
    assert_eq!(flags(&["plan", "--tag", "v1.8.0"]), [("command", "plan".into()), ("tag", "v1.8.0".into())]);
    assert_eq!(flags(&["--command", "plan"]), [("command", "plan".into())]);
    assert_eq!(flags(&["plan", "--command", "plan"]), [("command", "plan".into())]);
}

#[test]
fn every_input_is_a_flag_of_run_and_plan_and_of_neither() {
    for input in INPUTS.iter().filter(|input| input.name != "command") {
        let flag = format!("--{}=x", input.name);
        let expected = (input.name, "x".to_owned());
        assert!(flags(&[&flag]).contains(&expected), "{flag}");
        for subcommand in ["run", "plan"] {
            assert!(flags(&[subcommand, &flag]).contains(&expected), "{subcommand} {flag}");
        }
    }
}

#[test]
fn a_yes_or_no_flag_needs_no_value_and_takes_none_from_the_next_argument() {
    assert_eq!(flags(&["--dry-run"]), [("dry-run", "true".into())]);
    assert_eq!(flags(&["--dry-run=no", "--draft"]), [("dry-run", "no".into()), ("draft", "true".into())]);
    assert_eq!(line(&["--dry-run", "no"]).unwrap_err().exit_code(), 2);
}

#[test]
fn a_list_flag_may_be_repeated() {
    assert_eq!(
        flags(&["--evidence", "check: a, b", "--evidence", "any", "--labels", "x,y", "--labels=z"]),
        [("evidence", "check: a, b\nany".into()), ("labels", "x,y\nz".into())]
    );
}

#[test]
fn wrong_usage_exits_with_2() {
    for arguments in [
        &["--tags", "x"][..],
        &["promote"],
        &["--tag"],
        &["--tag", "a", "--tag", "b"],
        &["plan", "--command", "run"],
        &["--tag", "v1", "plan"],
        &["set"],
        &["schema", "everything"],
    ] {
        assert_eq!(line(arguments).unwrap_err().exit_code(), 2, "{arguments:?}");
    }
}

#[test]
fn wrong_usage_says_what_was_meant() {
    let message = |arguments: &[&str]| line(arguments).unwrap_err().to_string();
    assert!(message(&["--dryrun"]).contains("a similar argument exists: '--dry-run'"));
    assert!(message(&["plan", "--command", "run"]).contains("`--command run` contradicts `promote plan`"));
}

#[test]
fn help_and_version_are_no_errors() {
    for arguments in [&["--help"][..], &["-h"], &["--version"], &["plan", "--help"], &["set", "--help"]] {
        assert_eq!(line(arguments).unwrap_err().exit_code(), 0, "{arguments:?}");
    }
    let help = line(&["--help"]).unwrap_err().to_string();
    for input in INPUTS {
        assert!(help.contains(&format!("--{}", input.name)), "{}", input.name);
    }
}

#[test]
fn a_set_takes_every_kind_of_edit_at_once() {
    let arguments = set(&["set", "a/b.yaml", "x=1", "--add", "y=2", "--remove", "z", "--check", "--add=w=3"]);
    assert_eq!(arguments.file, PathBuf::from("a/b.yaml"));
    assert_eq!(arguments.writing, Writing::Check);
    assert_eq!(arguments.set, ["x=1"]);
    assert_eq!(arguments.add, ["y=2", "w=3"]);
    assert_eq!(arguments.remove, ["z"]);
    assert_eq!(set(&["set", "f", "x=1"]).writing, Writing::Replace);
}

#[test]
fn a_schema_is_of_the_settings_unless_asked() {
    assert_eq!(line(&["schema"]).unwrap(), Invocation::Schema(Schema::Settings));
    assert_eq!(line(&["schema", "plan"]).unwrap(), Invocation::Schema(Schema::Plan));
}
