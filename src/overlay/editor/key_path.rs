//! Where a value stands in a YAML file: a document, then keys, indexes and items named by what they are.
//!
//! A list item is named by identity (`images[name=acme/agent]`) wherever it has one, so that a path
//! read in one overlay finds the same image in another. A path is an address, never a text search;
//! whether anything stands there is the document's to say.

use std::fmt::{self, Write as _};

use crate::failure::{Failure, Kind, Result};

/// The address of one value in a file.
///
/// Written dotted (`images[name=ghcr.io/acme/agent].newTag`, `annotations["a.b/c"]`, `args[0]`), with
/// `@N` in front for documents after the first (`@1.image.tag`); [`fmt::Display`] and [`KeyPath::parse`]
/// are each other's inverse.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPath {
    /// Which document of the file, counted from 0.
    pub document: usize,
    /// The way down from the document's root.
    pub steps: Vec<Step>,
}

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The value of a mapping's key; of digits alone, also the index of a list item.
    Key(String),
    /// A list item by place, counted from 0.
    Index(usize),
    /// The list item whose `field` is `value`.
    Item {
        /// `name`, `id`, `key`, …
        field: String,
        /// What it must be.
        value: String,
    },
}

impl KeyPath {
    /// Parses a dotted path, or a JSON pointer (RFC 6901) when it starts with `/` or `@N/`.
    pub fn parse(text: &str) -> Result<Self> {
        Parser { text, rest: text }.path()
    }

    /// The root of a document.
    pub fn root(document: usize) -> Self {
        Self { document, steps: Vec::new() }
    }

    /// The value of a key below this path.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.below(Step::Key(key.to_owned()))
    }

    /// The item below this path whose `field` is `value`.
    #[must_use]
    pub fn item(&self, field: impl Into<String>, value: impl Into<String>) -> Self {
        self.below(Step::Item { field: field.into(), value: value.into() })
    }

    /// The item at a place below this path.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.below(Step::Index(index))
    }

    /// The path one step up; the root has none.
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.steps.split_last()?;
        Some(Self { document: self.document, steps: above.to_vec() })
    }

    /// A path that starts where this one ends; the other's document does not matter.
    #[must_use]
    pub fn join(&self, below: &Self) -> Self {
        let steps = self.steps.iter().chain(&below.steps).cloned().collect();
        Self { document: self.document, steps }
    }

    /// What of this path lies below another, as a path of its own, if it does.
    #[must_use]
    pub fn below_of(&self, above: &Self) -> Option<Self> {
        let rest = self.steps.strip_prefix(above.steps.as_slice())?;
        (self.document == above.document).then(|| Self { document: 0, steps: rest.to_vec() })
    }

    fn below(&self, step: Step) -> Self {
        let mut steps = Vec::with_capacity(self.steps.len() + 1);
        steps.extend_from_slice(&self.steps);
        steps.push(step);
        Self { document: self.document, steps }
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let marked = self.document > 0 || self.steps.is_empty();
        if marked {
            write!(f, "@{}", self.document)?;
        }
        for (place, step) in self.steps.iter().enumerate() {
            match step {
                Step::Key(key) if is_bare(key) => {
                    let dot = if marked || place > 0 { "." } else { "" };
                    write!(f, "{dot}{key}")?;
                }
                Step::Key(key) => write!(f, "[{}]", quoted(key))?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Item { field, value } => {
                    write!(f, "[{}=", if is_bare(field) { field.clone() } else { quoted(field) })?;
                    write!(f, "{}]", if is_bare_value(value) { value.clone() } else { quoted(value) })?;
                }
            }
        }
        Ok(())
    }
}

/// Keys that need no quotes; anything else is quoted, so that a hostile key cannot pass for a path.
fn is_bare(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$'))
}

fn is_bare_value(value: &str) -> bool {
    !value.is_empty()
        && value
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '.' | '/' | ':' | '@' | '+'))
}

/// The text as a JSON string, with invisible and direction-changing characters escaped as well.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if is_unseen(c) => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Characters that a reader cannot see, or that change how the others are read.
pub(super) fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

struct Parser<'t> {
    text: &'t str,
    rest: &'t str,
}

impl<'t> Parser<'t> {
    fn path(mut self) -> Result<KeyPath> {
        let mut path = KeyPath::root(0);
        if self.take("@") {
            path.document = self.number("a document's number after `@`")?;
        } else if self.rest.is_empty() {
            return Err(self.wrong("it is empty"));
        }
        if self.rest.starts_with('/') {
            return self.pointer(path);
        }
        let marked = self.rest.len() < self.text.len();
        while !self.rest.is_empty() {
            let step = if self.take("[") {
                self.bracket()?
            } else {
                let first = path.steps.is_empty() && !marked;
                if !first && !self.take(".") {
                    return Err(self.wrong("a `.` or `[` is missing"));
                }
                self.bare_key()?
            };
            path.steps.push(step);
        }
        Ok(path)
    }

    fn pointer(self, mut path: KeyPath) -> Result<KeyPath> {
        for token in self.rest.split('/').skip(1) {
            let mut key = String::with_capacity(token.len());
            let mut chars = token.chars();
            while let Some(c) = chars.next() {
                key.push(match c {
                    '~' => match chars.next() {
                        Some('0') => '~',
                        Some('1') => '/',
                        _ => return Err(self.wrong("`~` in a JSON pointer is written `~0`, and `/` is `~1`")),
                    },
                    c => c,
                });
            }
            path.steps.push(Step::Key(key));
        }
        Ok(path)
    }

    fn bare_key(&mut self) -> Result<Step> {
        let key = self.until(|c| matches!(c, '.' | '[' | ']' | '"') || c.is_control());
        if key.is_empty() {
            return Err(self.wrong("a key is empty or has an unexpected character (quote it: `[\"…\"]`)"));
        }
        Ok(Step::Key(key.to_owned()))
    }

    fn bracket(&mut self) -> Result<Step> {
        let digits = self.rest.split(']').next().unwrap_or_default();
        if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            let index = self.number("an index")?;
            return self.closed(Step::Index(index));
        }
        let is_key = self.rest.starts_with('"');
        let field = if is_key {
            self.string()?
        } else {
            self.until(|c| matches!(c, '=' | ']' | '[' | '"') || c.is_control()).to_owned()
        };
        if !self.take("=") {
            if is_key {
                return self.closed(Step::Key(field));
            }
            return Err(self.wrong("in brackets stands an index, a quoted key or `field=value`"));
        }
        let value = if self.rest.starts_with('"') {
            self.string()?
        } else {
            self.until(|c| matches!(c, ']' | '[' | '"') || c.is_control()).to_owned()
        };
        if !is_key && field.is_empty() {
            return Err(self.wrong("the field before `=` is empty"));
        }
        self.closed(Step::Item { field, value })
    }

    fn closed(&mut self, step: Step) -> Result<Step> {
        if self.take("]") { Ok(step) } else { Err(self.wrong("a `]` is missing")) }
    }

    /// A JSON string at the start of what is left.
    fn string(&mut self) -> Result<String> {
        let mut escaped = false;
        let end = self.rest.char_indices().skip(1).find_map(|(at, c)| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes.then_some(at + 1)
        });
        let parsed = end
            .and_then(|end| self.rest.split_at_checked(end))
            .and_then(|(string, rest)| Some((serde_json::from_str(string).ok()?, rest)));
        let Some((string, rest)) = parsed else {
            return Err(self.wrong("a quoted part is not a JSON string"));
        };
        self.rest = rest;
        Ok(string)
    }

    fn number(&mut self, what: &str) -> Result<usize> {
        let digits = self.until(|c| !c.is_ascii_digit());
        digits.parse().map_err(|_| self.wrong(&format!("{what} must be a number")))
    }

    fn until(&mut self, stop: impl Fn(char) -> bool) -> &'t str {
        let (taken, rest) = self
            .rest
            .split_at_checked(self.rest.find(stop).unwrap_or(self.rest.len()))
            .unwrap_or(("", self.rest));
        self.rest = rest;
        taken
    }

    fn take(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn wrong(&self, why: &str) -> Failure {
        Failure::new(Kind::Usage, format!("`{}` is not a key path: {why}", self.text.escape_debug())).hinted(
            "write it as `image.tag`, `images[name=acme/agent].newTag`, `args[0]`, `annotations[\"a.b/c\"]` or `/image/tag`",
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        reason = "tests may"
    )]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dotted_paths_and_pointers_name_the_same_places() {
        let root = KeyPath::root(0);
        let table = [
            ("image.tag", root.key("image").key("tag")),
            ("/image/tag", root.key("image").key("tag")),
            ("@0.image.tag", root.key("image").key("tag")),
            ("@1/tag", KeyPath::root(1).key("tag")),
            ("@1.tag", KeyPath::root(1).key("tag")),
            ("@1[0]", KeyPath::root(1).index(0)),
            ("@2", KeyPath::root(2)),
            ("/a.b~1c/~0", root.key("a.b/c").key("~")),
            ("/", root.key("")),
            ("[\"a.b/c\"].d", root.key("a.b/c").key("d")),
            ("ann[\"x]\\\"=y\"]", root.key("ann").key("x]\"=y")),
            ("images[name=ghcr.io/acme/agent].newTag", {
                root.key("images").item("name", "ghcr.io/acme/agent").key("newTag")
            }),
            ("l[name=\"a]b\"]", root.key("l").item("name", "a]b")),
            ("l[3][0].x", root.key("l").index(3).index(0).key("x")),
            ("/l/3", root.key("l").key("3")),
        ];
        for (text, path) in table {
            assert_eq!(KeyPath::parse(text).unwrap(), path, "{text}");
            assert_eq!(KeyPath::parse(&path.to_string()).unwrap(), path, "{text} as {path}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [
            "", "a..b", ".a", "a.", "a[", "a[]", "a[b]", "a[0", "a[\"x]", "a[0]b", "@", "@x", "@1a", "/~2",
            "a\nb", "a[=x]",
        ] {
            assert!(KeyPath::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn hostile_keys_are_quoted() {
        let table = [
            ("a.b", r#"["a.b"]"#),
            ("`x`", r#"["`x`"]"#),
            ("a\nb", r#"["a\nb"]"#),
            ("\u{202e}gat", r#"["\u202egat"]"#),
            ("", r#"[""]"#),
            ("@team", r#"["@team"]"#),
        ];
        for (key, shown) in table {
            assert_eq!(KeyPath::root(0).key(key).to_string(), shown);
        }
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            any::<String>().prop_map(Step::Key),
            any::<usize>().prop_map(Step::Index),
            (any::<String>(), any::<String>()).prop_map(|(field, value)| Step::Item { field, value }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_path_survives_being_written_down(document in 0usize..3, steps in prop::collection::vec(any_step(), 0..5)) {
            let path = KeyPath { document, steps };
            prop_assert_eq!(KeyPath::parse(&path.to_string()).unwrap(), path);
        }

        #[test]
        fn any_text_parses_or_is_refused(text in any::<String>()) {
            let _ = KeyPath::parse(&text);
        }
    }
}
