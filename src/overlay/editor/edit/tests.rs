//! The cases everyone agreed on, edits that meet in one place, and properties over generated files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::format_push_string,
    reason = "tests may"
)]

use proptest::prelude::*;

use super::*;
use crate::overlay::editor::document::{ScalarStyle, Value};
use crate::overlay::editor::quoting;

mod other_readers;

fn path() -> RepoPath {
    RepoPath::parse("environments/prod/values.yaml").unwrap()
}

fn key(text: &str) -> KeyPath {
    KeyPath::parse(text).unwrap()
}

fn set(at: &str, value: &str) -> Edit {
    Edit::Set { key: key(at), value: value.to_owned() }
}

fn add(parent: &str, name: &str, value: &str) -> Edit {
    Edit::Add { parent: key(parent), key: name.to_owned(), value: value.to_owned() }
}

fn remove(at: &str) -> Edit {
    Edit::Remove { key: key(at) }
}

fn edit_text(input: &str, edits: &[Edit]) -> Result<String> {
    Ok(String::from_utf8(edited(&path(), input.as_bytes(), edits, Anchors::Follow)?.bytes).unwrap())
}

fn refusal(input: &str, edits: &[Edit], anchors: Anchors) -> String {
    match edited(&path(), input.as_bytes(), edits, anchors) {
        Err(failure) => failure.to_string(),
        Ok(edited) => panic!("{input:?} became {:?}", String::from_utf8(edited.bytes).unwrap()),
    }
}

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

#[test]
fn every_agreed_case_holds() {
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../../../../tests/overlay-edit-cases.json")).unwrap();
    assert_eq!(cases.len(), 71);
    let mut wrong = Vec::new();
    for case in cases {
        let value = case.value.unwrap_or_default();
        let edit = match case.op.as_str() {
            "set" => set(&case.ptr, &value),
            "add" => add(&case.ptr, &case.key.unwrap(), &value),
            "remove" => remove(&case.ptr),
            other => panic!("{other}"),
        };
        match (edit_text(&case.input, &[edit]), case.expect) {
            (Ok(output), Some(expected)) if output == expected => {}
            (Err(failure), None) => {
                let text = failure.to_string();
                let first = failure.problems().first().unwrap();
                let placed = first.place.as_ref().is_some_and(|place| place.column.is_some());
                if !placed || first.hints.is_empty() || text.contains("safely") {
                    wrong.push(format!("{} ({}): {text}", case.name, case.op));
                }
            }
            (got, expected) => wrong.push(format!("{} ({}): {got:?}, not {expected:?}", case.name, case.op)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[allow(clippy::too_many_lines, reason = "one table")]
fn edits_that_meet_compose() {
    let table: &[(&str, &[Edit], &str)] = &[
        (
            "image:\n  tag: v1 # c\n  pull: x\n",
            &[set("image.tag", "v2"), add("image", "digest", "sha256:aa")],
            "image:\n  tag: v2 # c\n  digest: sha256:aa\n  pull: x\n",
        ),
        (
            "i: {name: a, newTag: v1}\n",
            &[set("i.newTag", "1.10"), add("i", "digest", "sha256:aa")],
            "i: {name: a, newTag: \"1.10\", digest: sha256:aa}\n",
        ),
        ("i: {a: 1, b: 2, c: 3}\n", &[remove("i.a"), remove("i.b")], "i: {c: 3}\n"),
        ("i: {a: 1, b: 2, c: 3}\n", &[remove("i.b"), remove("i.c")], "i: {a: 1}\n"),
        ("i: {a: 1, b: 2, c: 3,}\n", &[remove("i.a"), remove("i.c")], "i: {b: 2,}\n"),
        ("i: {a: 1, b: 2}\n", &[remove("i.b"), add("i", "c", "x"), set("i.a", "w")], "i: {a: w, c: x}\n"),
        ("a: 1\nb: 2\n", &[remove("b"), add("@0", "c", "x"), add("@0", "d", "w")], "a: 1\nc: x\nd: w\n"),
        ("a: 1\nb: 2", &[remove("b"), add("@0", "c", "x")], "a: 1\nc: x\n"),
        ("a: 1\nb: 2", &[remove("b")], "a: 1\n"),
        ("a: 1", &[add("@0", "c", "x"), add("@0", "d", "w")], "a: 1\nc: x\nd: w"),
        ("l:\n- a: 1\n  b: 2\n  c: 3\n", &[remove("l[0].a"), remove("l[0].b")], "l:\n- c: 3\n"),
        ("l:\n- a: 1\n  # about b\n  b: 2\n", &[remove("l[0].a")], "l:\n- # about b\n  b: 2\n"),
        ("a: |\n  x\n", &[set("a", "v"), add("@0", "b", "w")], "a: v\nb: w\n"),
        ("a: |\n  x", &[set("a", "v"), add("@0", "b", "w")], "a: v\nb: w"),
        ("a: | # note\n  x\n\n\nb: 1\n", &[set("a", "v")], "a: v # note\n\n\nb: 1\n"),
        ("a: |+\n  x\n\nb: 1\n", &[remove("a")], "b: 1\n"),
        ("a: |+\n\n\nb: 1\n", &[set("a", "v"), set("b", "w")], "a: v\nb: w\n"),
        ("a: |-\n  x\n\nb: 1\n", &[add("@0", "c", "v"), remove("a")], "\nb: 1\nc: v\n"),
        (
            "- |\n  x\n- >-2\n   y\n-\n- # c\n",
            &[set("[0]", "a"), set("[1]", "b"), set("[2]", "c"), set("[3]", "d")],
            { "- a\n- b\n- c\n- d # c\n" },
        ),
        ("{a, b: , c:\n}\n", &[set("a", "x"), set("b", "w"), set("c", "z")], "{a: x, b: w , c: z\n}\n"),
        ("m: {\n  a: 1, # c\n  b: 2\n}\n", &[add("m", "c", "x"), add("m", "d", "w")], {
            "m: {\n  a: 1, # c\n  b: 2,\n  c: x,\n  d: w\n}\n"
        }),
        (
            "m: {\n  a: 1, # c\n  b: 2, # d\n}\n",
            &[add("m", "c", "x")],
            "m: {\n  a: 1, # c\n  b: 2, # d\n  c: x,\n}\n",
        ),
        ("m: {\n  a: 1,\n  # about b\n  b: 2 # d\n}\n", &[remove("m.b")], "m: {\n  a: 1\n  # about b\n}\n"),
        (
            "m: {\n  a: 1,\n  # about b\n  b: 2 # d\n}\n",
            &[remove("m.a")],
            "m: {\n  # about b\n  b: 2 # d\n}\n",
        ),
        ("m: {\n  a: 1,\n  b: 2\n}\n", &[remove("m.b"), add("m", "c", "x")], "m: {\n  a: 1,\n  c: x\n}\n"),
        (
            "{\"a\":{\"t\":\"1\"}}",
            &[add("a", "d", "2"), set("a.t", "x")],
            "{\"a\":{\"t\":\"x\",\"d\":\"2\"}}",
        ),
        ("a: {}\nb: { }\n", &[add("a", "x", "1"), add("a", "w", "v"), add("b", "z", "v")], {
            "a: {x: \"1\", w: v}\nb: { z: v }\n"
        }),
        ("a: &x\nb: *x\n", &[set("a", "v")], "a: &x v\nb: *x\n"),
        ("a: &x v1\nb: *x\n", &[set("a", "v2"), set("b", "v2")], "a: &x v2\nb: *x\n"),
        ("a: &x v1\nb: *x\nc: 1\n", &[remove("a"), remove("b")], "c: 1\n"),
        ("a: &x 1\nb: &y 2\nc: *y\nd: 3\n", &[remove("a")], "b: &y 2\nc: *y\nd: 3\n"),
        (
            "a:\n    b:\n    - c: 1\nd: 2\n",
            &[add("a", "on", "v")],
            "a:\n    b:\n    - c: 1\n    \"on\": v\nd: 2\n",
        ),
        (
            "a: 1\r\nb:\r\n  c: 1\r\n\r\nd: 2\r\n",
            &[add("b", "x", "w")],
            "a: 1\r\nb:\r\n  c: 1\r\n  x: w\r\n\r\nd: 2\r\n",
        ),
        ("a: 1\rb: 2\r", &[set("b", "x"), add("@0", "c", "w")], "a: 1\rb: x\rc: w\r"),
        (
            "--- \na: 1\n...\n---\nb: 2\n",
            &[add("@0", "c", "x"), set("@1.b", "w")],
            "--- \na: 1\nc: x\n...\n---\nb: w\n",
        ),
        ("--- |\n  x\n--- >\n  y\n", &[set("@0", "a"), set("@1", "b")], "--- a\n--- b\n"),
        ("a: ''\n", &[set("a", "x")], "a: 'x'\n"),
        ("? a\n: 1\nb: 2\n", &[add("@0", "c", "v")], "? a\n: 1\nb: 2\nc: v\n"),
        ("a:\n-\n- b\n", &[set("a[0]", "v")], "a:\n- v\n- b\n"),
        ("a:\n- |\n  x\nb: 1\n", &[add("@0", "c", "v"), set("a[0]", "v")], "a:\n- v\nb: 1\nc: v\n"),
        ("a: v\n \t\nb: 1\n", &[set("a", "w")], "a: w\n \t\nb: 1\n"),
        ("{a: , b: 1}\n", &[remove("b")], "{a: }\n"),
        ("{a:\n  , b: 1}\n", &[remove("b")], "{a: }\n"),
        ("{a: }\n", &[add("@0", "b", "v")], "{a: , b: v }\n"),
        ("{\n  a:\n}\n", &[add("@0", "b", "v")], "{\n  a: ,\n  b: v\n}\n"),
        ("a: |-\n  x", &[add("@0", "b", "v")], "a: |-\n  x\nb: v"),
        ("m: {a: v}\n", &[add("m", "a", "v")], "m: {a: v}\n"),
        ("a: 1.10\n", &[set("a", "1.10")], "a: \"1.10\"\n"),
        ("- a\n-   name: x\n    v: 1\n", &[set("[name=x].v", "z")], "- a\n-   name: x\n    v: z\n"),
    ];
    for (input, edits, expected) in table {
        let output = edit_text(input, edits).map_err(|failure| failure.to_string());
        assert_eq!(output.as_deref(), Ok(*expected), "{input:?} {edits:?}");
    }
}

#[test]
fn edits_below_text_and_beside_merges_leave_them_as_they_are() {
    let table: &[(&str, &[Edit], &str)] = &[
        ("a: |+\n  x\n# c\nb: 1\n\nc: 2\n", &[remove("b")], "a: |+\n  x\n# c\n\nc: 2\n"),
        ("m:\n  a: |\n  b: |\n\n# c\nc: 2\n", &[remove("m.b")], "m:\n  a: |\n\n# c\nc: 2\n"),
        ("a: |\n   x\nb: 1\n  # c\nc: 2\n", &[remove("b")], "a: |\n   x\n  # c\nc: 2\n"),
        ("d: &d {t: x}\na:\n  u: y\n  <<: *d\n", &[set("a.u", "z")], "d: &d {t: x}\na:\n  u: z\n  <<: *d\n"),
        (
            "d: &d {digest: x}\na:\n  tag: y\n  <<: *d\n",
            &[add("a", "digest", "z")],
            "d: &d {digest: x}\na:\n  tag: y\n  <<: *d\n  digest: z\n",
        ),
    ];
    for (input, edits, expected) in table {
        let output = edit_text(input, edits).map_err(|failure| failure.to_string());
        assert_eq!(output.as_deref(), Ok(*expected), "{input:?} {edits:?}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let table: &[(&str, &[Edit], &str)] = &[
        ("a: 1\n", &[set("a", "x"), set("/a", "x")], "`a` is edited twice"),
        ("a: 1\nb: 2\n", &[remove("a"), set("a", "x")], "edited and removed"),
        ("a: {b: 1}\nc: 2\n", &[remove("a"), set("a.b", "x")], "edited and removed"),
        ("a: {b: 1}\nc: 2\n", &[remove("a"), add("a", "x", "y")], "edited and removed"),
        ("a: 1\n", &[add("@0", "b", "x"), add("@0", "b", "y")], "`b` is edited twice"),
        ("a: 1\nb: 2\n", &[remove("a"), remove("a")], "`a` is edited twice"),
        ("a: {b: 1}\n", &[remove("a.b")], "nothing would be left"),
        ("a:\n- b: 1\n", &[remove("a[0].b")], "nothing would be left"),
        ("a: [1, 2]\n", &[remove("a[0]")], "only a mapping's key"),
        ("a: &x {b: 1}\nc: *x\n", &[add("c", "d", "v")], "an alias of `*x`"),
        ("a: &x v1\nb: *x\n", &[set("a", "v2"), set("b", "v3")], "`b` is an alias of `*x`"),
        ("a:\n", &[add("a", "b", "v")], "no mapping"),
        ("a: v\n", &[add("a", "b", "v")], "no mapping"),
        ("", &[set("a", "v")], "the file is empty"),
        ("? a\n: 1\n? b\n: 2\n", &[remove("a")], "`?`"),
        ("? a\n", &[set("a", "v")], "no `:`"),
        ("? a\n: 1\n: 2\n", &[add("@0", "b", "v")], "left out"),
        ("- {a\n  b, c: 1}\n", &[set("[0][\"a b\"]", "v")], "over several lines"),
        ("[a: 1]\n", &[add("[0]", "b", "v")], "without `{`"),
        ("m: {a: 1, # c\n  b: 2}\n", &[remove("m.a")], "a comment beside the key"),
        ("a: [b]\n", &[set("a", "v")], "`a` is a list"),
        ("a: |\n  x", &[add("@0", "b", "v")], "without a line ending"),
        ("a:\n- b: >\n    x", &[add("@0", "c", "v")], "without a line ending"),
        ("a: |\n  x\n   ", &[add("@0", "c", "v")], "without a line ending"),
        ("a: v\n \t\nb: 1\n", &[set("a", "1")], "has a tab"),
        ("a: v\n \t\nb: 1\n", &[remove("a")], "has a tab"),
        ("a: v\n\n\t\nb: 1\n", &[set("a", "1")], "has a tab"),
        ("a: v\n\n\t # c\nb: 1\n", &[set("a", "1")], "has a tab"),
        ("a: |\n  x\n\t", &[set("a", "1")], "has a tab"),
        ("a: v\n \t\nb: 1\n", &[add("@0", "digest", "1"), remove("a")], "has a tab"),
    ];
    for (input, edits, reason) in table {
        let message = refusal(input, edits, Anchors::Follow);
        assert!(message.contains(reason), "{input:?}: {message}");
    }
}

#[test]
fn what_readers_or_layout_make_doubtful_is_refused() {
    let table: &[(&str, &[Edit], &str)] = &[
        ("a: >-\n x\nb: 1\n  \nc: 2\n", &[remove("b")], "take the lines below"),
        ("?\n- a\n:\n- b\n", &[add("@0", "c", "v")], "`?`"),
        ("a:\n  ? - b\nc: 1\n", &[remove("a")], "`?`"),
        ("a:\n- ? >\n    b\n  :\nc: 1\n", &[add("a[0]", "d", "v")], "`?`"),
        ("? x # c\n? |\n  k\n: - a\n", &[add("@0", "d", "v")], "`?`"),
        ("- [ {a: b}:c ]\n", &[add("[0][0]", "d", "v")], "without `{`"),
        ("i: {t: v, !x,H}\n", &[remove("i.H")], "1:13`: a tag runs into a comma"),
        ("i: [!<a,b> v, !x]\n", &[set("i[0]", "v")], "1:17`: a tag runs into a comma or bracket"),
        ("a: |+\n  x\nb: 1\n\nc: 2\n", &[remove("b")], "take the lines below"),
        ("a:\n  k: >+\n    x\nb: 1\nc: 2\n  \nd: 3\n", &[remove("b"), remove("c")], "take the lines below"),
        ("a: |\n  x\n\nb: 1\n\n  # c\nc: 2\n", &[remove("b")], "take the lines below"),
        ("a: >-\n\n  x\nb: 1\nc: 2\n    # c\nd: 2\n", &[remove("b"), remove("c")], "take the lines below"),
        ("d: &d {t: x}\na:\n  t: y\n  <<: *d\n", &[set("a.t", "z")], "3:3`: `a.t` is overridden by the `<<`"),
        ("d: &d {t: {u: x}}\na:\n  t: {u: y}\n  <<: [*d]\n", &[set("a.t.u", "z")], "overridden by the `<<`"),
        ("d: &d {t: x}\na:\n  t: y\n  <<: *d\n", &[remove("a.t")], "overridden by the `<<`"),
        ("{\"q\":#x\n}\n", &[add("@0", "c", "v")], "around the key"),
        ("{\"q\":#x\n}\n", &[set("q", "v")], "around the key"),
    ];
    for (input, edits, reason) in table {
        let message = refusal(input, edits, Anchors::Follow);
        assert!(message.contains(reason), "{input:?}: {message}");
    }
}

#[test]
fn several_refusals_are_reported_together() {
    let message =
        refusal("a: [1]\nb: !!int 1\n", &[set("a", "x"), set("b", "y"), set("c", "z")], Anchors::Follow);
    for reason in ["1:4`: `a` is a list", "2:10`: `b` has an explicit tag", "`c` is not there"] {
        assert!(message.contains(reason), "{message}");
    }
}

#[test]
fn aliases_that_follow_are_named_or_stop_a_promotion() {
    let table: &[(&str, &[Edit], &str)] = &[
        ("a: &x v1\nb: *x\n", &[set("a", "v2")], "`b` (line 2) follow"),
        ("a: &x {t: v1}\nb: *x\n", &[set("a.t", "v2")], "`b` (line 2) follow"),
        ("a: &x {t: v1}\nb: {<<: *x, u: 1}\n", &[set("a.t", "v2")], "`b[\"<<\"]` (line 2) follow"),
        ("a: &x {t: v1}\nb: *x\n", &[add("a", "u", "v2")], "`b` (line 2) follow"),
        ("a: &x {t: v1, u: 1}\nb: *x\n", &[remove("a.u")], "`b` (line 2) follow"),
        ("a: &x {t: v1}\nb: {t: v1, <<: *x}\n", &[set("a.t", "v2")], "`b[\"<<\"]` (line 2) follow"),
        ("a: &x v1\nm: &m {i: *x}\nn: *m\n", &[set("a", "v2"), set("m.i", "v2")], "`n` (line 3) follow"),
    ];
    for (input, edits, reason) in table {
        let message = refusal(input, edits, Anchors::Refuse);
        assert!(message.contains(reason), "{input:?}: {message}");
        let warned = edited(&path(), input.as_bytes(), edits, Anchors::Follow).unwrap();
        assert!(warned.warnings[0].message.contains(reason), "{:?}", warned.warnings);
    }
    let fine: &[(&str, &[Edit])] = &[
        ("a: &x v1\nb: *x\n", &[set("a", "v2"), set("b", "v2")]),
        ("a: &x {t: v1}\nb: {<<: *x, t: 1}\n", &[set("a.t", "v2")]),
        ("a: &x {t: v1}\nb: {<<: *x}\n", &[set("a.t", "v2"), set("b.t", "v2")]),
        ("a: &x v1\nm: &m {i: *x}\nn: *m\n", &[set("a", "v2"), set("m.i", "v2"), set("n.i", "v2")]),
        ("a: &x v1\nb: v1\n", &[set("a", "v2")]),
        ("a: &x v1\nb: *x\n", &[set("a", "v1")]),
    ];
    for (input, edits) in fine {
        let result = edited(&path(), input.as_bytes(), edits, Anchors::Refuse);
        assert!(result.as_ref().is_ok_and(|edited| edited.warnings.is_empty()), "{input:?}: {result:?}");
    }
}

#[test]
fn a_removal_never_leaves_an_alias_dangling() {
    for input in ["a: {b: &x 1, c: 2}\nd: *x\n", "&x a: 1\nd: *x\n", "a: &x {b: 1}\nd: {<<: *x}\n"] {
        let message = refusal(input, &[remove("a")], Anchors::Follow);
        assert!(message.contains("`&x` cannot be removed"), "{message}");
    }
}

#[test]
fn changes_tell_line_before_and_after() {
    let input = "# c\na: |\n  x\n  y\nb: &t 1.9\nc: *t\nd: v\ne: w\n";
    let edits =
        [set("a", "v"), set("b", "1.10"), set("c", "1.10"), set("d", "v"), add("@0", "f", "z"), remove("e")];
    let edited = edited(&path(), input.as_bytes(), &edits, Anchors::Refuse).unwrap();
    let shown: Vec<_> = edited
        .changes
        .iter()
        .map(|c| format!("{}:{} {:?} {:?}", c.key, c.line, c.before.as_deref(), c.after.as_deref()))
        .collect();
    assert_eq!(
        shown,
        [
            r#"a:2 Some("x\ny\n") Some("v")"#,
            r#"b:3 Some("1.9") Some("1.10")"#,
            r#"c:4 Some("1.9") Some("1.10")"#,
            r#"f:6 None Some("z")"#,
            r#"e:8 Some("w") None"#,
        ]
    );
    assert_eq!(String::from_utf8(edited.bytes).unwrap(), "# c\na: v\nb: &t \"1.10\"\nc: *t\nd: v\nf: z\n");
}

// Generated files: a tree of mappings, lists and scalars, written in every way we know of.

#[derive(Debug, Clone)]
enum Tree {
    Scalar(String, u8),
    Map(Vec<(String, Tree)>, bool),
    List(Vec<Tree>, bool),
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9.:/ #,'\"-]{0,12}",
        prop::sample::select(vec![
            "1.10",
            "1e3",
            "0123",
            "yes",
            "12:30:45",
            "0x1F",
            "2026-01-02",
            "~",
            "é☃",
            "a\nb",
            "0x_",
            "\u{2028}"
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ]
}

fn any_tree() -> impl Strategy<Value = Tree> {
    let leaf = (any_text(), 0u8..6).prop_map(|(text, style)| Tree::Scalar(text, style));
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            (prop::collection::btree_map("[a-z.]{1,4}|[é☃]", inner.clone(), 1..4), any::<bool>())
                .prop_map(|(map, flow)| Tree::Map(map.into_iter().collect(), flow)),
            (prop::collection::vec(inner, 1..4), any::<bool>())
                .prop_map(|(items, flow)| Tree::List(items, flow)),
        ]
    })
}

struct Writer {
    out: String,
    anchors: usize,
}

impl Writer {
    fn flow(&mut self, tree: &Tree) {
        match tree {
            Tree::Scalar(text, style) => self.scalar(text, *style, quoting::Context::Flow),
            Tree::Map(entries, _) => {
                self.out.push('{');
                for (number, (name, value)) in entries.iter().enumerate() {
                    self.out.push_str(if number > 0 { ", " } else { "" });
                    self.out.push_str(&quoting::written(name, ScalarStyle::Plain, quoting::Context::Flow));
                    self.out.push_str(": ");
                    self.flow(value);
                }
                self.out.push('}');
            }
            Tree::List(items, _) => {
                self.out.push('[');
                for item in items {
                    self.flow(item);
                    self.out.push_str(", ");
                }
                self.out.push(']');
            }
        }
    }

    fn scalar(&mut self, text: &str, style: u8, context: quoting::Context) {
        if style == 4 {
            self.anchors += 1;
            self.out.push_str(&format!("&a{} ", self.anchors));
        }
        let style = match style {
            1 => ScalarStyle::SingleQuoted,
            2 => ScalarStyle::DoubleQuoted,
            _ => ScalarStyle::Plain,
        };
        self.out.push_str(&quoting::written(text, style, context));
    }

    fn block(&mut self, tree: &Tree, indent: usize) {
        let pad = " ".repeat(indent);
        match tree {
            Tree::Map(entries, false) => {
                for (name, value) in entries {
                    let name = quoting::written(name, ScalarStyle::Plain, quoting::Context::Block);
                    self.out.push_str(&format!("{pad}{name}:"));
                    self.below(value, indent);
                }
            }
            Tree::List(items, false) => {
                for item in items {
                    self.out.push_str(&format!("{pad}-"));
                    self.below(item, indent);
                }
            }
            other => {
                self.out.push_str(&pad);
                self.flow(other);
                self.out.push('\n');
            }
        }
    }

    fn below(&mut self, tree: &Tree, indent: usize) {
        match tree {
            Tree::Map(_, false) | Tree::List(_, false) => {
                self.out.push_str("  # below\n");
                self.block(tree, indent + 2);
            }
            Tree::Scalar(text, 5) if text.chars().all(|c| c.is_ascii_lowercase()) && !text.is_empty() => {
                let pad = " ".repeat(indent + 2);
                self.out.push_str(&format!(" |\n{pad}{text}\n{pad}{text}\n\n"));
            }
            Tree::Scalar(text, 3) => {
                self.out.push(' ');
                self.scalar(text, 0, quoting::Context::Block);
                self.out.push_str(" \t# said 'so', \"twice\": yes\n\n");
            }
            _ => {
                self.out.push(' ');
                self.flow(tree);
                self.out.push('\n');
            }
        }
    }
}

#[derive(Debug, Clone)]
struct File {
    text: String,
}

fn any_file() -> impl Strategy<Value = File> {
    let documents = prop::collection::vec(any_tree(), 1..3);
    (documents, any::<(bool, bool, bool, bool)>()).prop_map(|(trees, (bom, crlf, cut, alias))| {
        let mut writer = Writer { out: String::new(), anchors: 0 };
        for (number, tree) in trees.iter().enumerate() {
            writer.out.push_str(if number > 0 { "---\n" } else { "# top\n" });
            let first = writer.anchors;
            match tree {
                Tree::Map(entries, false) if alias => {
                    writer.block(&Tree::Map(entries.clone(), false), 0);
                    if writer.anchors > first {
                        writer.out.push_str(&format!("ALIAS: *a{}\n", writer.anchors));
                    }
                }
                Tree::Scalar(..) => writer.block(&Tree::List(vec![tree.clone()], false), 0),
                tree => writer.block(tree, 0),
            }
        }
        let mut text = writer.out;
        if cut && text.ends_with('\n') && !text.ends_with("\n\n") {
            text.pop();
        }
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        if bom {
            text.insert(0, '\u{feff}');
        }
        File { text }
    })
}

/// What an independent reading sees: every path with its text, and whether it is a string.
fn seen(text: &str) -> Vec<(String, Option<String>, bool)> {
    let document = Document::parse(&path(), text.as_bytes()).unwrap();
    let all = document.walk().map(|(path, node)| {
        let node = document.resolved(node);
        let Value::Scalar { text, style } = &node.value else { panic!("no scalar at {path}") };
        (path.to_string(), Some(text.clone()), *style != ScalarStyle::Plain || quoting::is_string(text))
    });
    all.collect()
}

fn scalar_paths(text: &str) -> Vec<KeyPath> {
    let document = Document::parse(&path(), text.as_bytes()).unwrap();
    let paths = document.walk().filter(|(_, node)| !matches!(node.value, Value::Alias { .. }));
    paths.map(|(path, _)| path).collect()
}

/// Items are named by index in these files, so that a path stays the same when its value changes.
fn is_steady(path: &KeyPath) -> bool {
    !path.to_string().contains('=')
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_set_changes_exactly_one_path(file in any_file(), pick in any::<prop::sample::Index>(), value in any_text()) {
        let paths = scalar_paths(&file.text);
        let target = pick.get(&paths);
        prop_assume!(is_steady(target));
        let edit = [Edit::Set { key: target.clone(), value: value.clone() }];
        let output = edit_text(&file.text, &edit).unwrap();
        let aliased: Vec<_> = {
            let document = Document::parse(&path(), file.text.as_bytes()).unwrap();
            let followers = document.walk().filter(|(_, node)| matches!(&node.value, Value::Alias { anchor }
                if document.find(target).unwrap().anchor == Some(*anchor)));
            followers.map(|(path, _)| path.to_string()).collect()
        };
        for (before, after) in seen(&file.text).into_iter().zip(seen(&output)) {
            if before.0 == target.to_string() || aliased.contains(&before.0) {
                prop_assert_eq!(after, (before.0, Some(value.clone()), true));
            } else {
                prop_assert_eq!(after, before);
            }
        }
        prop_assert_eq!(seen(&file.text).len(), seen(&output).len());
        prop_assert_eq!(edit_text(&output, &edit).unwrap(), output);
    }

    #[test]
    fn a_set_that_is_set_back_leaves_no_trace(file in any_file(), pick in any::<prop::sample::Index>()) {
        let paths = scalar_paths(&file.text);
        let target = pick.get(&paths);
        prop_assume!(is_steady(target));
        let document = Document::parse(&path(), file.text.as_bytes()).unwrap();
        let Value::Scalar { text: old, style } = document.find(target).unwrap().value.clone() else { panic!() };
        let canonical = match style {
            ScalarStyle::Plain => quoting::is_plain(&old, quoting::Context::Flow),
            ScalarStyle::Literal | ScalarStyle::Folded => false,
            _ => true,
        };
        prop_assume!(canonical);
        let there = edit_text(&file.text, &[Edit::Set { key: target.clone(), value: "v9".to_owned() }]).unwrap();
        let back = edit_text(&there, &[Edit::Set { key: target.clone(), value: old }]).unwrap();
        prop_assert_eq!(back, file.text);
    }

    #[test]
    fn a_key_that_is_added_and_removed_leaves_no_trace(file in any_file(), value in any_text()) {
        let document = Document::parse(&path(), file.text.as_bytes()).unwrap();
        let mut parents: Vec<KeyPath> = scalar_paths(&file.text).iter().filter_map(KeyPath::parent).collect();
        parents.dedup();
        parents.retain(|parent| matches!(document.find(parent).map(|n| &n.value), Ok(Value::Mapping { .. })));
        for parent in parents.iter().take(3) {
            let added = edit_text(&file.text, &[Edit::Add {
                parent: parent.clone(), key: "NEW".to_owned(), value: value.clone(),
            }]).unwrap();
            prop_assert_eq!(seen(&added).len(), seen(&file.text).len() + 1);
            let back = edit_text(&added, &[Edit::Remove { key: parent.key("NEW") }]).unwrap();
            // Without a final newline, the one before the added line stays.
            let stays = back.strip_prefix(&*file.text).is_some_and(|rest| matches!(rest, "\n" | "\r\n"));
            prop_assert!(back == file.text || stays && !file.text.ends_with('\n'), "{:?}: {:?}", parent, back);
        }
    }

    #[test]
    fn edits_at_once_are_the_same_edits_one_after_the_other(
        file in any_file(),
        picks in prop::collection::vec((any::<prop::sample::Index>(), any_text()), 1..4),
        removal in any::<prop::sample::Index>(),
        addition in any::<prop::sample::Index>(),
    ) {
        let paths: Vec<_> = scalar_paths(&file.text).into_iter().filter(is_steady).collect();
        prop_assume!(!paths.is_empty());
        let mut edits: Vec<Edit> = Vec::new();
        for (pick, value) in picks {
            let edit = Edit::Set { key: pick.get(&paths).clone(), value };
            if !edits.iter().any(|other| matches!((other, &edit), (Edit::Set { key: a, .. }, Edit::Set { key: b, .. }) if a == b)) {
                edits.push(edit);
            }
        }
        edits.push(Edit::Remove { key: removal.get(&paths).clone() });
        if let Some(parent) = addition.get(&paths).parent() {
            edits.push(Edit::Add { parent, key: "NEW".to_owned(), value: "1.10".to_owned() });
        }
        // What is refused alone is left out.
        edits.retain(|edit| edit_text(&file.text, std::slice::from_ref(edit)).is_ok());
        let at_once = match edit_text(&file.text, &edits) {
            Ok(at_once) => at_once,
            Err(failure) => {
                prop_assert!(failure.to_string().contains("edited and removed in one call"), "{failure}");
                return Ok(());
            }
        };
        let mut text = file.text.clone();
        for edit in &edits {
            text = edit_text(&text, std::slice::from_ref(edit)).unwrap();
        }
        // What is added may stand above or below the blank lines that what is removed leaves.
        let both = edits.len() > 1 && edits.iter().any(|edit| matches!(edit, Edit::Remove { .. }));
        let lines = |text: &str| text.lines().filter(|line| !line.is_empty() || !both).map(str::to_owned).collect::<Vec<_>>();
        prop_assert_eq!(lines(&text), lines(&at_once));
        prop_assert!(both || text == at_once);
    }

    #[test]
    fn a_removal_takes_its_value_and_nothing_else(file in any_file(), pick in any::<prop::sample::Index>()) {
        let paths = scalar_paths(&file.text);
        let target = pick.get(&paths);
        if let Ok(output) = edit_text(&file.text, &[Edit::Remove { key: target.clone() }]) {
            let mut left = seen(&file.text);
            left.retain(|(path, ..)| *path != target.to_string());
            if is_steady(target) {
                prop_assert_eq!(seen(&output), left);
            }
            prop_assert_eq!(output.matches("# ").count() <= file.text.matches("# ").count(), true);
        }
    }

    #[test]
    fn any_bytes_are_edited_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60), value in any_text()) {
        let edits = [set("a", &value), add("b", "c", &value), remove("[0].d")];
        for edit in &edits {
            let _ = edited(&path(), &bytes, std::slice::from_ref(edit), Anchors::Follow);
        }
    }

    #[test]
    fn any_yaml_like_text_is_edited_or_refused(
        text in "([a-c]|: |\n|- |  |\\{|\\}|\\[|\\]|, |'|\"|#|&x |\\*x|\\||>|---\n|\\? |~|!!str |<<: |\r\n|\t|:){0,24}",
        pick in any::<prop::sample::Index>(),
        value in any_text(),
    ) {
        let Ok(document) = Document::parse(&path(), text.as_bytes()) else { return Ok(()) };
        let paths: Vec<_> = document.walk().map(|(path, _)| path).collect();
        if paths.is_empty() {
            return Ok(());
        }
        let target = pick.get(&paths).clone();
        let _ = edited(&path(), text.as_bytes(), &[Edit::Set { key: target.clone(), value: value.clone() }], Anchors::Follow);
        let _ = edited(&path(), text.as_bytes(), &[Edit::Remove { key: target.clone() }], Anchors::Refuse);
        if let Some(parent) = target.parent() {
            let _ = edited(&path(), text.as_bytes(), &[Edit::Add { parent, key: value, value: text.clone() }], Anchors::Follow);
        }
    }
}
