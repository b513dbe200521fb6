#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]
use super::*;
use crate::names::RepoPath;
use crate::settings::values;

fn document(text: &str) -> Document {
    Document::parse(&RepoPath::parse("f.yaml").unwrap(), text.as_bytes()).unwrap()
}

/// Reads `key: …` as text, or says what is wrong with it.
fn text(value: &str) -> Result<String, String> {
    let document = document(&format!("key: {value}\n"));
    let mut reader = Reader::new(&document);
    let mut fields = reader.fields(&document.roots()[0], "the file").unwrap();
    let read = reader.one(&mut fields, "key", values::text);
    assert!(reader.no_more(fields));
    read.map(|at| at.value).ok_or_else(|| lines(reader.finish().0))
}

fn lines(problems: Vec<Problem>) -> String {
    let line = |problem: Problem| format!("{problem} | {}", problem.hints.join(" | "));
    problems.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_yaml_takes_for_another_type_is_not_text() {
    for (value, kind) in [
        ("12", "number"),
        ("-3", "number"),
        ("1.10", "number"),
        (".5", "number"),
        ("1e3", "number"),
        ("0x1F", "number"),
        ("0o17", "number"),
        ("-.inf", "number"),
        (".nan", "number"),
        ("true", "boolean"),
        ("FALSE", "boolean"),
    ] {
        let expected = format!(
            "`f.yaml:1:6`: `key`: `{value}` is a {kind} in YAML, not text | put it in quotes: `'{value}'`"
        );
        assert_eq!(text(value), Err(expected));
        assert_eq!(text(&format!("'{value}'")), Ok(value.to_owned()));
    }
    for value in ["yes", "v1", "1.2.3", "24h", "inf", "nan", "2026-12-20", "0b1", "infinity", "1_000", "."] {
        assert_eq!(text(value), Ok(value.to_owned()), "{value}");
    }
}

#[test]
fn what_is_no_text_is_named() {
    for (value, what) in [
        ("", "left empty"),
        ("~", "the null `~`"),
        ("{a: b}", "a mapping"),
        ("[a]", "a list"),
        ("!!str 12", "a value with a YAML tag"),
    ] {
        let message = text(value).unwrap_err();
        assert!(message.ends_with(&format!("`key` must be text, and is {what} | ")), "{message}");
    }
}

#[test]
fn an_alias_stands_for_its_value() {
    let document = document("a: &x text\nb: *x\n");
    let mut reader = Reader::new(&document);
    let mut fields = reader.fields(&document.roots()[0], "the file").unwrap();
    let read = reader.one(&mut fields, "b", values::text).unwrap();
    assert_eq!((read.value.as_str(), read.place.to_string().as_str()), ("text", "f.yaml:2:4"));
}

#[test]
fn every_wrong_key_is_found() {
    let document = document("kei: 1\n<<: {a: b}\nkey: a\nkey: b\n? [x]\n: y\ncolour: red\n");
    let mut reader = Reader::new(&document);
    let mut fields = reader.fields(&document.roots()[0], "the file").unwrap();
    assert_eq!(reader.one(&mut fields, "key", values::text).unwrap().value, "a");
    assert!(fields.take("other").is_none());
    reader.no_more(fields);
    assert_eq!(
        lines(reader.finish().0),
        "`f.yaml:2:1`: merge keys (`<<`) are not read here | write the keys out; an alias may stand for a whole value\n\
         `f.yaml:4:1`: the key `key` stands here twice | \n\
         `f.yaml:5:3`: a key must be text, and is a list | \n\
         `f.yaml:1:1`: the file has no key `kei` | did you mean `key`?\n\
         `f.yaml:7:1`: the file has no key `colour` | allowed: `key`, `other`"
    );
}
