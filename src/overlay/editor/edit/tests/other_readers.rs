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
