//! Files that go-yaml, `PyYAML` or a JSON parser read in another way than we do: refused, or written so that all agree.

use super::*;

#[test]
fn a_line_break_that_only_some_readers_know_is_refused_wherever_it_stands() {
    let table = [
        ("image:\n  repository: r\n  tag: v1 # pinned\u{2028}  tag: evil\n", "3:19`", "U+2028", "\\u2028"),
        ("\u{feff}\u{2029}tag: v1\n", "1:1`", "U+2029", "\\u2029"),
        ("a: é\r\rb: \"\u{85}\"\r\ntag: v1\r\n", "3:5`", "U+0085", "\\u0085"),
    ];
    for (input, place, code, escape) in table {
        let message = refusal(input, &[set("tag", "v2")], Anchors::Follow);
        assert!(message.starts_with(&format!("error: `environments/prod/values.yaml:{place}")), "{message}");
        for part in [code, escape, "hint: readers disagree whether this character ends a line"] {
            assert!(message.contains(part), "{message}");
        }
    }
}

#[test]
fn a_tab_before_a_comment_below_a_value_that_gets_quotes_is_refused() {
    let table: &[(&str, Edit)] = &[
        ("tag: v1\n  \t# t\nb: 1\n", set("tag", "1.10")),
        ("tag: v1\n\n\t # t\n", set("tag", "1.10")),
        ("l:\n- v1\n  \t# t\n", set("l[0]", "1.10")),
        ("t:\n \t# t\nb: 1\n", set("t", "1.10")),
        ("t: ~\n \t# t\nb: 1\n", set("t", "1.10")),
        ("a: |\n  x\n \t# t\n", set("a", "1.10")),
        ("a: \"x\"\nt: v\n \t# t\nb: 1\n", remove("t")),
        ("t: v\n \t# t\n", add("@0", "z", "1.10")),
    ];
    for (input, edit) in table {
        let message = refusal(input, std::slice::from_ref(edit), Anchors::Follow);
        assert!(message.contains("has a tab"), "{input:?}: {message}");
    }
}

#[test]
fn what_may_pass_for_a_number_is_quoted_as_value_and_as_key() {
    for text in ["0x_", "0b_", "0o_", "._", ".__", "+_", "-_", "+._", "-._"] {
        assert_eq!(edit_text("a: v\n", &[set("a", text)]).unwrap(), format!("a: \"{text}\"\n"));
        assert_eq!(edit_text("a: v\n", &[add("@0", text, "w")]).unwrap(), format!("a: v\n\"{text}\": w\n"));
    }
}

#[test]
fn an_edit_beside_another_spelling_of_its_key_is_refused_with_its_place() {
    let tagged = "has an explicit tag, so it may be that very key";
    let same = "are one key to some readers";
    let table: &[(&str, Edit, &str, &str)] = &[
        ("tag: v1\n!!binary dGFn: evil\n", set("tag", "v2"), "2:10`", tagged),
        ("tag: v1\nb: 1\n!!int 5: evil\n", remove("tag"), "3:7`", tagged),
        ("a: {tag: v1, !x y: 1}\n", set("a.tag", "v2"), "1:17`", tagged),
        ("a: 1\n!!binary dGFn: evil\n", add("@0", "tag", "v2"), "2:10`", tagged),
        ("k: &k !!binary dGFn\ntag: v1\n*k : evil\n", set("tag", "v2"), "3:1`", tagged),
        ("d: &d {!!binary dGFn: evil}\na:\n  <<: *d\n  tag: v1\n", set("a.tag", "v2"), "1:17`", tagged),
        (
            "d: &d {!!binary dGFn: x}\ne: &e {<<: *d}\na: {<<: [*e], b: {tag: v1}}\n",
            set("a.b.tag", "v"),
            "1:17`",
            tagged,
        ),
        ("on: v1\ntrue: evil\n", set("on", "v2"), "2:1`", same),
        ("on: v1\ntrue: evil\n", set("true", "v2"), "1:1`", same),
        ("Yes: {t: v1}\n\"true\": evil\n", set("Yes.t", "v2"), "2:1`", same),
        ("off: v1\nNO: evil\n", remove("off"), "2:1`", same),
        ("on: v1\n", add("@0", "true", "evil"), "1:1`", same),
        ("~: v1\nnull: evil\n", set("~", "v2"), "2:1`", same),
        ("null: v1\n: evil\n", set("[\"null\"]", "v2"), "2:1`", same),
        ("8: v1\n0x8: evil\n", set("/8", "v2"), "2:1`", same),
        ("\"8\": v1\n010: evil\n", set("/8", "v2"), "2:1`", same),
        ("\"1.1\": v1\n1.10: evil\n", set("/1.1", "v2"), "2:1`", same),
        ("d: &d {true: evil}\na:\n  on: v1\n  <<: *d\n", set("a.on", "v2"), "1:8`", same),
    ];
    for (input, edit, place, reason) in table {
        let message = refusal(input, std::slice::from_ref(edit), Anchors::Follow);
        assert!(message.contains(&format!("values.yaml:{place}")), "{input:?}: {message}");
        assert!(message.contains(reason) && message.contains("hint: "), "{input:?}: {message}");
    }
    let fine: &[(&str, Edit)] = &[
        ("on: v1\nb: 1\n", set("on", "v2")),
        ("on: v1\n\"off\": 1\nno: 2\n", set("on", "v2")),
        ("!!str tag: v1\n!!str b: 1\n", set("tag", "v2")),
        ("a: {!!int 1: x}\ntag: v1\n", set("tag", "v2")),
        ("80: v1\n8080: v1\n", set("/80", "v2")),
        ("on: v1\nyes: 1\ntag: v1\n", set("tag", "v2")),
        ("d: &d {on: v0}\na:\n  <<: *d\n  on: v1\n", set("a.on", "v2")),
        ("true: v1\n", add("@0", "on", "v2")),
    ];
    for (input, edit) in fine {
        let made = edit_text(input, std::slice::from_ref(edit)).map_err(|failure| failure.to_string());
        assert!(made.is_ok(), "{input:?}: {made:?}");
    }
}

#[test]
fn json_stays_json() {
    let table: &[(&str, &[Edit], &str)] = &[
        (
            "{\"image\":{\"tag\":null,\"n\":1,\"ok\":true}}",
            &[set("image.tag", "v1"), set("image.n", "v2"), set("image.ok", "x")],
            "{\"image\":{\"tag\":\"v1\",\"n\":\"v2\",\"ok\":\"x\"}}",
        ),
        ("{\"l\":[1,{\"a\":2}]}", &[set("l[0]", "v"), set("l[1].a", "w")], "{\"l\":[\"v\",{\"a\":\"w\"}]}"),
        ("[1, null]\n", &[set("[1]", "v")], "[1, \"v\"]\n"),
        ("a: [\"x\", 1]\n", &[set("a[1]", "v")], "a: [\"x\", \"v\"]\n"),
        ("a: {\"x\": 1}\n", &[set("a.x", "v")], "a: {\"x\": \"v\"}\n"),
        // Not JSON.
        ("a: {\"x\": z}\n", &[set("a.x", "v")], "a: {\"x\": v}\n"),
        ("a: {x: 1, \"y\": 1}\n", &[set("a.x", "v")], "a: {x: v, \"y\": 1}\n"),
        ("a: [x, \"y\", 1]\n", &[set("a[2]", "v")], "a: [x, \"y\", v]\n"),
        ("\"a\": [1]\n", &[set("a[0]", "v")], "\"a\": [v]\n"),
        ("\"a\": 1\n", &[set("a", "v")], "\"a\": v\n"),
        ("[a, 1]\n", &[set("[1]", "v")], "[a, v]\n"),
    ];
    for (input, edits, expected) in table {
        let output = edit_text(input, edits).map_err(|failure| failure.to_string());
        assert_eq!(output.as_deref(), Ok(*expected), "{input:?}");
    }
}

#[test]
fn a_new_key_stands_below_the_comments_of_what_is_above_it() {
    let table: &[(&str, Edit, &str)] = &[
        (
            "agent:\n  image: x\n  resources: {}\n    # limits:\n    #   cpu: 100m\n",
            add("agent", "tag", "v1"),
            "agent:\n  image: x\n  resources: {}\n    # limits:\n    #   cpu: 100m\n  tag: v1\n",
        ),
        ("a: {}\n\n  # x: 1\n\n# b\nb: 1\n", remove("b"), "a: {}\n\n  # x: 1\n\n# b\n"),
        ("m:\n  a: []\n\n    # x: 1\n\n  # own\nb: 1\n", add("m", "c", "v"), {
            "m:\n  a: []\n\n    # x: 1\n  c: v\n\n  # own\nb: 1\n"
        }),
        (
            "l:\n- a\n# - b\n#   c: d\n# other\n",
            add("@0", "k", "v"),
            "l:\n- a\n# - b\n#   c: d\nk: v\n# other\n",
        ),
        ("l: 1\n# - b\n", add("@0", "k", "v"), "l: 1\nk: v\n# - b\n"),
        ("a: {}\n  # x", add("@0", "k", "v"), "a: {}\n  # x\nk: v"),
    ];
    for (input, edit, expected) in table {
        let output = edit_text(input, std::slice::from_ref(edit)).map_err(|failure| failure.to_string());
        assert_eq!(output.as_deref(), Ok(*expected), "{input:?}");
    }
}

#[test]
fn odd_layouts_are_edited_or_refused_for_a_reason() {
    assert_eq!(edit_text("a: {\n\"b\":\n,v}\n", &[remove("a.b")]).unwrap(), "a: {\nv}\n");
    let table: &[(&str, Edit, &str)] = &[
        ("\u{feff}\u{feff}a: b\n", add("@0", "z", "v"), "1:1`: the file has two byte-order marks"),
        ("2: &2 >\n v\n  ", add("@0", "z", "v"), "without a line ending"),
        ("script: |\n  echo\ntag: v\n    \nc: 2\n", remove("tag"), "take the lines below"),
    ];
    for (input, edit, reason) in table {
        let message = refusal(input, std::slice::from_ref(edit), Anchors::Follow);
        assert!(message.contains(reason) && message.contains("hint: "), "{input:?}: {message}");
    }
}
