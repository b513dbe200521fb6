//! What a real GitHub-flavoured parser makes of escaped text: one run of it, and nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests may"
)]

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options};
use proptest::prelude::*;
use regex::Regex;

use super::*;

/// Everything GitHub turns on, and a little more.
pub fn github() -> Options<'static> {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.alerts = true;
    options.extension.math_dollars = true;
    options.extension.math_code = true;
    options.parse.relaxed_autolinks = true;
    options
}

fn nodes(markdown: &str) -> Vec<NodeValue> {
    let arena = Arena::new();
    let root: &AstNode = comrak::parse_document(&arena, markdown, &github());
    root.descendants().map(|node| node.data.borrow().value.clone()).collect()
}

/// The text of a document that is nothing but one paragraph of text.
fn only_text(markdown: &str) -> Result<String, String> {
    let mut text = String::new();
    for node in nodes(markdown) {
        match node {
            NodeValue::Document | NodeValue::Paragraph => {}
            NodeValue::Text(part) => text.push_str(&part),
            other => return Err(format!("{other:?} in {markdown:?}")),
        }
    }
    Ok(text)
}

/// What GitHub looks for in rendered text, beyond Markdown.
fn linked_by_github(rendered: &str) -> Option<String> {
    let patterns = [
        r"@[A-Za-z0-9]",
        r"#[0-9]",
        r"(?i)\bgh-[0-9]",
        r"(?i)[a-z]://",
        r"(?i)\bwww\.",
        r"\b[0-9a-f]{40}\b",
        r"(?i)(close[sd]?|fix(es|ed)?|resolve[sd]?)[: ]+(#|GH-)[0-9]",
    ];
    patterns.iter().find(|p| Regex::new(p).unwrap().is_match(rendered)).map(|p| (*p).to_owned())
}

const HOSTILE: &[&str] = &[
    "@acme/everyone look",
    "fixes #12, closes GH-12, resolves acme/other#3",
    "see 3f1c9ab and 3f1c9ab3f1c9ab3f1c9ab3f1c9ab3f1c9ab3f1c9",
    "<!-- promote:end --> <img src=x onerror=alert(1)>",
    "![x](http://evil.example/a.png) [y](javascript:alert(1))",
    "http://evil.example www.evil.example mail@evil.example <http://evil.example>",
    "mailto:a@evil.example xmpp:a@evil.example/x ftp://evil.example",
    "a | b || c \\| d \\\\| e",
    "``` code ``` ` `` \\` ~~~ ~~gone~~",
    "# heading",
    "- item",
    "1. item",
    "12) item",
    "> quote",
    "> [!CAUTION]",
    "[^1]: note",
    "[x]: http://evil.example",
    "=== ---",
    "***bold*** __bold__ _x_",
    "$x$ $$y$$ $`z`$",
    "&lt;b&gt; &#64;alice &amp; &copy",
    "ends with a backslash \\",
    "ends with a bang!",
    "| a | b |",
    ":-- | --:",
    "\u{202e}evil\u{2066} \u{0}\u{7}\u{1b}[31m\u{200b}\u{feff}",
    "two\r\nlines\n\n# and more\u{2028}x\u{85}y",
    "    indented",
    "",
];

#[test]
fn hostile_text_is_one_run_of_text() {
    for outside in HOSTILE {
        let rendered = only_text(&text(outside, SHOWN)).unwrap();
        assert_eq!(linked_by_github(&rendered), None, "{outside:?}");
        assert_eq!(rendered.replace(ZERO_WIDTH, ""), visible(outside, SHOWN), "{outside:?}");
    }
}

#[test]
fn a_table_keeps_its_cells() {
    for outside in HOSTILE {
        for cell in [text(outside, SHOWN), code(outside, SHOWN), sentence(outside, SHOWN)] {
            let table = format!("| a | b |\n|:--|:--|\n| x {cell} | y |\n");
            let cells = nodes(&table).iter().filter(|n| matches!(n, NodeValue::TableCell)).count();
            assert_eq!(cells, 4, "{table}");
        }
    }
}

#[test]
fn hidden_characters_are_shown_by_their_number() {
    assert_eq!(visible("a\u{202e}b\u{0}", 99), "a‹U+202E›b‹U+0000›");
    assert_eq!(visible("👩\u{200d}💻 می\u{200c}خواهم", 99), "👩\u{200d}💻 می\u{200c}خواهم");
    assert_eq!(visible("ad\u{200d}min", 99), "ad‹U+200D›min");
}

#[test]
fn what_is_harmless_stays_as_it_is() {
    for plain in ["Raise the limit to 20260501 (see docs)", "a -> b, c: d; e.g. 1.5 + 2 = 3.5 :rocket:"] {
        assert_eq!(text(plain, SHOWN), plain);
    }
}

#[test]
fn long_text_is_cut() {
    let cut = visible(&"x".repeat(70_000), SHOWN);
    assert_eq!(cut.chars().count(), SHOWN + 1);
    assert!(cut.ends_with('…'));
    assert_eq!(visible(&"x".repeat(SHOWN), SHOWN), "x".repeat(SHOWN));
}

#[test]
fn an_address_is_a_web_address_or_no_link() {
    for bad in [
        "javascript:alert(1)",
        "data:text/html,x",
        "https://github.com@evil.example/",
        "//x",
        "x",
        "",
        "https:",
    ] {
        assert_eq!(link("y", bad, 500), "y", "{bad}");
    }
    assert_eq!(
        link("y", "https://ci.example/a b)|(?x=1&copy=2#l", 500),
        "[y](https://ci.example/a%20b%29%7C%28?x=1&amp;copy=2#l)"
    );
    assert_eq!(link("y", &format!("https://ci.example/{}", "x".repeat(500)), 500), "y");
}

#[test]
fn names_in_a_sentence_are_code() {
    assert_eq!(sentence("check `a|b` is `x_y`, not _z_", 200), "check a&#124;b is `x_y`, not \\_z\\_");
    assert_eq!(sentence("odd ` one @bob", 200), format!("odd \\` one @{ZERO_WIDTH}bob"));
    assert_eq!(sentence("cut in `a name that is long`", 12), "cut in `a na…`");
}

#[test]
fn times_are_absolute_and_in_utc() {
    assert_eq!(time("2026-11-20T15:02:59+01:00".parse().unwrap()), "2026-11-20 14:02 UTC");
}

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => proptest::sample::select(vec![
            "`", "``", "\\", "|", "*", "_", "__", "[", "](", ")", "<", ">", "<!--", "-->", "<b>", "@", "#1", "GH-1",
            "http://a.b", "www.a.b", "a@b.c", "&amp;", "&#64;", "$", "~~", "\n", "\r\n\r\n", "- ", "1. ", "# ", "!",
            " ", "\t", "abc1234", "fixes ", "\u{202e}", "\u{200d}", "é", "👩", "://", "ftp://", "{", "}", "^", "=",
            "---", "```", "mailto:", ":", "+", "\"", "'", "(", "x", "0",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[a-z0-9 ]{1,5}",
    ];
    proptest::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_one_run_of_text(outside in hostile()) {
        let rendered = only_text(&text(&outside, SHOWN)).unwrap();
        prop_assert_eq!(linked_by_github(&rendered), None);
        prop_assert_eq!(rendered.replace(ZERO_WIDTH, ""), visible(&outside, SHOWN));
    }

    #[test]
    fn any_value_is_one_piece_of_code(outside in hostile()) {
        let found = nodes(&format!("x {} y", code(&outside, SHOWN)));
        let shown = visible(&outside, SHOWN);
        if shown.contains('|') {
            prop_assert!(found.iter().all(|n| matches!(n, NodeValue::Document | NodeValue::Paragraph | NodeValue::Text(_))));
        } else {
            let code: Vec<_> = found.iter().filter_map(|n| match n {
                NodeValue::Code(code) => Some(code.literal.clone()),
                _ => None,
            }).collect();
            let expected = if shown.is_empty() { "\"\"".to_owned() } else { shown };
            prop_assert_eq!(code, vec![expected]);
            prop_assert_eq!(found.len(), 5);
        }
    }

    #[test]
    fn any_sentence_is_text_and_code(outside in hostile()) {
        for node in nodes(&sentence(&outside, SHOWN)) {
            match node {
                NodeValue::Document | NodeValue::Paragraph | NodeValue::Code(_) => {}
                NodeValue::Text(part) => prop_assert_eq!(linked_by_github(&part), None),
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }

    #[test]
    fn any_link_is_one_link_with_its_label(label in hostile(), address in hostile()) {
        let shown = text(&label, SHOWN);
        let found = nodes(&format!("x {} y", link(&shown, &format!("https://ci.example/{address}"), 2000)));
        let links = found.iter().filter(|n| matches!(n, NodeValue::Link(_))).count();
        prop_assert_eq!(links, 1, "{:?}", found);
        prop_assert!(found.iter().all(|n| matches!(
            n,
            NodeValue::Document | NodeValue::Paragraph | NodeValue::Text(_) | NodeValue::Link(_)
        )));
    }

    #[test]
    fn any_fence_is_closed_by_us_alone(content in hostile()) {
        let found = nodes(&format!("{}\nafter", fence(&content, "diff")));
        prop_assert!(
            matches!(found.as_slice(),
                [NodeValue::Document, NodeValue::CodeBlock(_), NodeValue::Paragraph, NodeValue::Text(after)] if after == "after"),
            "{:?}", found
        );
    }

    #[test]
    fn cells_hold_any_text(outside in hostile()) {
        for cell in [text(&outside, SHOWN), code(&outside, SHOWN), sentence(&outside, SHOWN)] {
            let found = nodes(&format!("| a | b |\n|:--|:--|\n| {cell} | y |\n"));
            let cells = found.iter().filter(|n| matches!(n, NodeValue::TableCell)).count();
            prop_assert_eq!(cells, 4, "{}", cell);
            prop_assert!(found.iter().all(|n| !matches!(
                n,
                NodeValue::Link(_) | NodeValue::Image(_) | NodeValue::HtmlInline(_) | NodeValue::HtmlBlock(_)
            )));
        }
    }
}
