//! Files that were made to exhaust a reader: refused with their place, or edited, and never for long.
//!
//! Nothing here is timed: a run that took time or memory in squares would not end in any patience.
//! `.ci/editor-tools bench` has the larger ones, and their seconds and bytes.

use std::fmt::Write as _;

use crate::place::Place;

#[track_caller]
fn refused(text: impl AsRef<[u8]>, reason: &str) {
    let place = Place::with(&text);
    let before = place.stamp();
    place.set(&["t=2"]).refused(reason);
    assert!(place.bytes() == text.as_ref() && place.stamp() == before, "{reason}");
}

#[track_caller]
fn edited(text: &str, old: &str, new: &str) {
    let place = Place::with(text);
    let said = place.set(&["t=2"]);
    said.succeeded();
    assert!(place.bytes() == text.replacen(old, new, 1).into_bytes(), "{said:?}");
}

#[test]
fn a_hundred_thousand_levels_are_refused_open_or_closed() {
    const LEVELS: usize = 100_000;
    let stairs = (0..2000).fold(String::new(), |mut text, level| {
        writeln!(text, "{}a:", " ".repeat(level)).unwrap();
        text
    });
    for text in [
        "[".repeat(LEVELS),
        format!("{}{}", "[".repeat(LEVELS), "]".repeat(LEVELS)),
        "{a: ".repeat(125_000),
        format!("{}1{}", "{a: ".repeat(125_000), "}".repeat(125_000)),
        "- ".repeat(LEVELS),
        format!("{}x", "- ".repeat(LEVELS)),
        "? ".repeat(LEVELS),
        ": ".repeat(LEVELS),
        "- ? ".repeat(LEVELS / 2),
        "[{a: ".repeat(LEVELS / 2),
        format!("a:\n{}", "- ".repeat(LEVELS)),
        format!("{}{}", "- ".repeat(100), "[".repeat(LEVELS)),
        stairs,
    ] {
        refused(&text, "nested deeper than 128 levels");
    }
}

#[test]
fn aliases_that_stand_for_too_much_are_refused_through_lists_and_merges() {
    for (first, open, close) in
        [("[x, x, x, x, x, x, x, x, x, x]", "[", "]"), ("{k: x, l: x, m: x}", "{<<: [", "]}")]
    {
        let laughs = (1..30).fold(format!("a0: &a0 {first}\n"), |mut text, level| {
            let items = vec![format!("*a{}", level - 1); 10].join(", ");
            writeln!(text, "a{level}: &a{level} {open}{items}{close}").unwrap();
            text
        });
        refused(format!("{laughs}t: 1\n"), "the file's aliases stand for more than 1000000 values");
    }
}

#[test]
fn more_values_and_anchors_than_any_overlay_has_are_refused() {
    refused(format!("t: 1\nl: [{}]\n", "x,".repeat(1_500_000)), "the file has more than 1500000 values");
    let anchors = (0..110_000).fold(String::from("t: 1\n"), |mut text, number| {
        writeln!(text, "a{number}: &a{number}").unwrap();
        text
    });
    refused(anchors, "the file has more than 100000 anchors");
}

#[test]
fn bytes_that_are_no_text_are_refused_where_they_stand() {
    for (text, reason) in [
        (&b"t: 1\nb: caf\xe9\n"[..], "`values.yaml:2:7`: the file is not UTF-8"),
        (b"a: 1\nt: x\0y\n", "`values.yaml:2:5`: not valid YAML: unexpected character"),
        (b"t: 1\n\0", "`values.yaml:2:1`: not valid YAML: unexpected character"),
        (b"t: 1\nb: \x07\n", "`values.yaml:2:4`: not valid YAML: unexpected character"),
    ] {
        refused(text, reason);
    }
    let place = Place::with(b"\xff\xfet\0:\0");
    place.set(&["t=2"]).refused_as_a_whole("the file is UTF-16");
    let place = Place::with(" ".repeat((32 << 20) + 1));
    place.set(&["t=2"]).refused_as_a_whole("it is longer than 32 MiB");
}

#[test]
fn a_key_that_goes_on_is_refused_and_a_value_that_goes_on_is_edited() {
    let long = "x".repeat(1_000_000);
    for quote in ["", "\"", "'"] {
        refused(format!("{quote}{long}{quote}: 1\nt: 1\n"), "mapping values are not allowed");
        let new = if quote.is_empty() { "\"2\"" } else { "2" };
        edited(&format!("t: {quote}{long}{quote}\nu: 1\n"), &long, new);
    }
    edited(&format!("? {long}\n: 1\nt: 1\n"), "t: 1", "t: \"2\"");
    edited(&format!("a: [{}x]\nt: v\n", "x, ".repeat(20_000)), "t: v", "t: \"2\"");
}

#[test]
fn a_key_written_twice_is_refused_among_a_hundred_thousand() {
    let mut keys: String = (0..100_000).fold(String::new(), |mut text, number| {
        writeln!(text, "k{number}: x").unwrap();
        text
    });
    keys.push_str("t: v\n");
    edited(&keys, "t: v", "t: \"2\"");
    refused(format!("{keys}t: w\n"), "`t` is written more than once: at lines 100001 and 100002");
}

#[test]
fn the_first_of_a_hundred_thousand_documents_is_edited() {
    edited(&format!("t: v\n{}", "---\nt: v\n".repeat(100_000)), "t: v", "t: \"2\"");
}

#[test]
fn any_number_of_aliases_follow_in_one_warning() {
    let nested = (0..50_000).fold(String::from("t: &t v\n"), |mut text, number| {
        writeln!(text, "a{number}: &a{number} [*t]").unwrap();
        text
    });
    let merged = format!("t: &t v\nb: &b {{x: *t}}\nm:\n{}", "  <<: *b\n".repeat(50_000));
    for (text, followed) in [(nested, "and 49995 more follow"), (merged, "and 49996 more follow")] {
        let place = Place::with(&text);
        let said = place.set(&["t=w"]);
        said.succeeded();
        assert!(said.stderr.contains(followed) && said.stderr.lines().count() == 2, "{said:?}");
        assert!(place.bytes() == text.replacen("&t v", "&t w", 1).into_bytes());
    }
    let text = format!("b: &b {{x: 1, y: 2}}\nl:\n{}", "- *b\n".repeat(50_000));
    let said = Place::with(text).set(&["--remove", "b"]);
    said.refused("and 49995 more");
    assert_eq!(said.stderr.lines().count(), 10, "{said:?}");
}
