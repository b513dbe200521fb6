//! The cases that everyone agreed on, each through the binary: written, and only checked.

use std::process::Command;

use crate::place::{Place, Said, Stamp};

const UNCHANGED: &str = "unchanged: every value stands there already\n";

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    op: String,
    ptr: String,
    key: Option<String>,
    value: Option<String>,
    input: String,
    expect: Option<String>,
}

impl Case {
    fn all() -> Vec<Self> {
        let cases: Vec<Self> = serde_json::from_str(include_str!("../overlay-edit-cases.json")).unwrap();
        assert_eq!(cases.len(), 71);
        cases
    }

    /// What a person would type: for `add`, `ptr` names the mapping and `key` the new key.
    fn arguments(&self) -> Vec<String> {
        let Self { ptr, .. } = self;
        let value = self.value.as_deref().unwrap_or_default();
        match self.op.as_str() {
            "set" => vec![format!("{ptr}={value}")],
            "add" => {
                let key = self.key.as_deref().unwrap().replace('~', "~0").replace('/', "~1");
                vec!["--add".to_owned(), format!("{}/{key}={value}", ptr.trim_end_matches('/'))]
            }
            "remove" => vec!["--remove".to_owned(), ptr.clone()],
            other => panic!("{other}"),
        }
    }
}

#[test]
fn every_agreed_case_gives_its_bytes_or_is_refused_and_leaves_the_file() {
    for case in Case::all() {
        let place = Place::with(&case.input);
        let before = place.stamp();
        let said = place.set(&case.arguments());
        match &case.expect {
            Some(expected) => {
                let note = if *expected == case.input { UNCHANGED } else { "" };
                assert_eq!((said.code, &said.stdout[..]), (Some(0), note), "{}: {said:?}", case.name);
                assert_eq!(String::from_utf8(place.bytes()).unwrap(), *expected, "{}", case.name);
            }
            None => left(&case, &place, &said, before),
        }
        assert_eq!(place.names(), [Place::FILE], "{}", case.name);
    }
}

#[test]
fn every_agreed_case_is_checked_without_writing_and_its_diff_makes_the_same_file() {
    for case in Case::all() {
        let place = Place::with(&case.input);
        let before = place.stamp();
        let mut arguments = case.arguments();
        arguments.push("--check".to_owned());
        let said = place.set(&arguments);
        let Some(expected) = &case.expect else {
            left(&case, &place, &said, before);
            continue;
        };
        said.succeeded();
        assert_eq!(
            (place.bytes(), place.stamp()),
            (case.input.clone().into_bytes(), before),
            "{}",
            case.name
        );
        if *expected == case.input {
            assert_eq!(said.stdout, UNCHANGED, "{}", case.name);
            continue;
        }
        std::fs::write(place.path("diff"), &said.stdout).unwrap();
        let applied = place.said(Command::new("git").args(["apply", "--whitespace=nowarn", "diff"]));
        assert_eq!(applied.code, Some(0), "{}: {applied:?}\n{}", case.name, said.stdout);
        assert_eq!(String::from_utf8(place.bytes()).unwrap(), *expected, "{}", case.name);
    }
}

#[track_caller]
fn left(case: &Case, place: &Place, said: &Said, before: Stamp) {
    said.refused("");
    assert_eq!((place.bytes(), place.stamp()), (case.input.clone().into_bytes(), before), "{}", case.name);
}

#[test]
fn all_edits_of_a_call_are_made_or_none() {
    let text = "image:\n  tag: v1 # ours\n  digest: sha256:aa\n";
    let place = Place::with(text);
    place
        .set(&["image.tag=1.10", "--add", "image.pullPolicy=Always", "--remove", "image.digest"])
        .succeeded();
    assert_eq!(place.bytes(), b"image:\n  tag: \"1.10\" # ours\n  pullPolicy: Always\n");

    let place = Place::with(text);
    let before = place.stamp();
    let said = place.set(&["image.tag=v2", "image.digst=v3", "--remove", "nothing"]);
    said.refused("did you mean `image.digest`?");
    assert_eq!(said.stderr.matches("error: ").count(), 2, "every mistake is told: {said:?}");
    assert_eq!((place.bytes(), place.stamp()), (text.as_bytes().to_vec(), before));
}

#[test]
fn a_value_that_stands_there_is_noted_and_not_written_again() {
    let place = Place::with("tag: \"1.10\"\n");
    let before = place.stamp();
    for arguments in [&["tag=1.10"][..], &["tag=1.10", "--check"]] {
        let said = place.set(arguments);
        assert_eq!((said.code, &said.stdout[..]), (Some(0), UNCHANGED));
        assert_eq!(place.stamp(), before);
    }
}

#[test]
fn wrong_usage_is_refused_with_the_way_to_write_it() {
    let place = Place::with("tag: v1\n");
    for arguments in [&["tag"][..], &["tag..x=1"], &["--add", "tag"], &["--remove", "a["], &["/~2=1"]] {
        place.set(arguments).refused_as_a_whole("");
    }
    // What the shell's completion of the command line says.
    let said = place.set(&["--nonsense"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert_eq!(place.bytes(), b"tag: v1\n");
}
