//! The proof alone, shown texts that no splice would make: each clause refuses what it is there for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may"
)]

use super::*;
use crate::names::RepoPath;
use crate::overlay::editor::edit::{Anchors, Edit};
use crate::overlay::editor::key_path::KeyPath;
use crate::overlay::editor::planning::Planning;

const BEFORE: &str = "\
tag: v1
other: x
quoted: 'q'
text: |
  t
anchored: &a y
second: &b y
alias: *a
tagged: !t z
map: {k: v, l: w}
list:
- one
- two
---
last: 1
";

fn set() -> Edit {
    Edit::Set { key: KeyPath::parse("tag").unwrap(), value: "v2".to_owned() }
}

fn add() -> Edit {
    Edit::Add { parent: KeyPath::parse("map").unwrap(), key: "m".to_owned(), value: "new".to_owned() }
}

fn remove() -> Edit {
    Edit::Remove { key: KeyPath::parse("map.l").unwrap() }
}

fn proven(edits: &[Edit], after: &str) -> Result<HashMap<usize, u32>> {
    let path = RepoPath::parse("values.yaml").unwrap();
    let document = Document::parse(&path, BEFORE.as_bytes()).unwrap();
    let (plan, _) = Planning::new(&document, edits, Anchors::Follow).plan().unwrap();
    proven_lines(&document, &plan, after)
}

/// The file after an edit, with one place replaced.
fn after(made: (&str, &str), also: (&str, &str)) -> String {
    let text = BEFORE.replacen(made.0, made.1, 1);
    assert!(text.contains(made.1), "{made:?}");
    let wrong = text.replacen(also.0, also.1, 1);
    assert!(also.0 == also.1 || wrong != text, "{also:?}");
    wrong
}

const SET: (&str, &str) = ("tag: v1", "tag: v2");
const ADDED: (&str, &str) = ("l: w}", "l: w, m: new}");
const REMOVED: (&str, &str) = (", l: w}", "}");
const AS_IT_IS: (&str, &str) = ("", "");

#[test]
fn what_was_asked_is_proven_with_its_line() {
    for (edit, made, line) in [(set(), SET, Some(1)), (add(), ADDED, Some(10)), (remove(), REMOVED, None)] {
        let lines = proven(&[edit], &after(made, AS_IT_IS)).unwrap();
        assert_eq!(lines.get(&0).copied(), line);
    }
}

#[test]
fn a_comment_or_blank_line_is_no_difference() {
    proven(&[set()], &after(SET, ("other: x", "# c\n\nother:   x # d"))).unwrap();
}

#[test]
fn any_other_difference_is_refused() {
    let table = [
        ("the edit is not made", ("tag: v2", "tag: v1")),
        ("another value is made", ("tag: v2", "tag: v3")),
        ("text elsewhere", ("other: x", "other: y")),
        ("the text of a key", ("other: x", "others: x")),
        ("the style of a value", ("'q'", "\"q\"")),
        ("the style of a key", ("other: x", "'other': x")),
        ("the style of a block scalar", ("text: |", "text: >")),
        ("the end of a block scalar", ("text: |", "text: |-")),
        ("an anchor renamed", ("&b", "&c")),
        ("an anchor dropped", ("&b ", "")),
        ("an anchor added", ("other: x", "other: &o x")),
        ("an alias to another anchor", ("*a", "*b")),
        ("an alias written out", ("*a", "y")),
        ("an alias instead of a value", ("- two", "- *a")),
        ("a tag changed", ("!t z", "!u z")),
        ("a tag dropped", ("!t z", "z")),
        ("a tag added", ("other: x", "other: !t x")),
        ("a tag on the new value", ("tag: v2", "tag: !!str v2")),
        ("an anchor on the new value", ("tag: v2", "tag: &n v2")),
        ("a key added", ("other: x", "other: x\nmore: z")),
        ("a key removed", ("other: x\n", "")),
        ("keys in another order", ("other: x\nquoted: 'q'", "quoted: 'q'\nother: x")),
        ("a key twice", ("other: x", "other: x\nother: x")),
        ("an item added", ("- two", "- two\n- three")),
        ("an item removed", ("- two\n", "")),
        ("items in another order", ("- one\n- two", "- two\n- one")),
        ("a list in brackets", ("list:\n- one\n- two", "list: [one, two]")),
        ("a mapping without brackets", ("map: {k: v, l: w}", "map:\n  k: v\n  l: w")),
        ("a list instead of a mapping", ("{k: v, l: w}", "[k, v, l, w]")),
        ("a mapping instead of a value", ("other: x", "other: {x: y}")),
        ("a key that a comment takes", ("tag: v2\nother: x", "tag: v2 # \\ other: x")),
        ("a value that a comment takes", ("other: x", "other: # x")),
        ("a document mark added", ("tag: v2", "---\ntag: v2")),
        ("a document mark removed", ("---\n", "")),
        ("a version of YAML", ("tag: v2", "%YAML 1.1\n---\ntag: v2")),
        ("a document added", ("last: 1", "last: 1\n---\nmore: z")),
        ("an empty document added", ("---\n", "---\n---\n")),
        ("a document removed", ("---\nlast: 1\n", "")),
        ("what is no YAML", ("other: x", "other: x: y")),
    ];
    for (what, wrong) in table {
        refused(&set(), &after(SET, wrong), what);
    }
}

#[test]
fn a_new_value_or_key_that_is_no_such_string_is_refused() {
    let number = Edit::Set { key: KeyPath::parse("tag").unwrap(), value: "1.10".to_owned() };
    proven(std::slice::from_ref(&number), &after(("tag: v1", "tag: '1.10'"), AS_IT_IS)).unwrap();
    refused(&number, &after(("tag: v1", "tag: 1.10"), AS_IT_IS), "a number");
    for (what, wrong) in [
        ("no key is added", "l: w}"),
        ("another key is added", "l: w, o: new}"),
        ("another value is added", "l: w, m: old}"),
        ("it is added elsewhere", "m: new, l: w}"),
        ("it is added twice", "l: w, m: new, m: new}"),
        ("its value is a list", "l: w, m: [new]}"),
        ("its value has an anchor", "l: w, m: &m new}"),
        ("its value has a tag", "l: w, m: !t new}"),
        ("its key has a tag", "l: w, !t m: new}"),
        ("its key has an anchor", "l: w, &m m: new}"),
    ] {
        refused(&add(), &after((ADDED.0, wrong), AS_IT_IS), what);
    }
    for (what, wrong) in
        [("nothing is removed", "{k: v, l: w}"), ("all is removed", "{}"), ("another is", "{l: w}")]
    {
        refused(&remove(), &after(("{k: v, l: w}", wrong), AS_IT_IS), what);
    }
}

#[track_caller]
fn refused(edit: &Edit, after: &str, what: &str) {
    let Err(failure) = proven(std::slice::from_ref(edit), after) else {
        panic!("{what} was not seen: {after}");
    };
    let message = failure.to_string();
    assert!(message.contains("cannot be made safely"), "{what}: {message}");
    assert!(message.contains("values.yaml:"), "{what}: {message}");
}
