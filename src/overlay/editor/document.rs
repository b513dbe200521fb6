//! A YAML file as it is written: every node with its bytes, line and column.
//!
//! Scalars keep their source text (`1.10` stays `1.10`, never the number 1.1), nothing is expanded,
//! merged or converted, and nothing is ever written back from here.

use std::collections::HashMap;
use std::ops::Range;

use super::tokens::{MAX_DEPTH, Part, Token, text_of, tokens, too_deep};
use crate::failure::{Failure, Kind, Place, Result};
use crate::names::RepoPath;

/// How many nodes aliases may stand for in all. Go's YAML, which Helm and Kustomize read with, gives up
/// in the same order of magnitude.
const MAX_ALIASED: u64 = 1_000_000;
/// How many values are read, keys and collections included. 10 MB of real overlays have 600 000; a file
/// made to have many takes a tenth of a kilobyte of memory for each.
const MAX_VALUES: usize = 1_500_000;
/// How many anchors are read. Real overlays have fewer than a hundred.
const MAX_ANCHORS: usize = 100_000;

/// A whole file, owned.
#[derive(Debug)]
pub struct Document {
    path: RepoPath,
    text: String,
    roots: Vec<Node>,
    /// Of each document: whether it starts with `---`, and what `%YAML` says.
    pub(super) starts: Vec<(bool, Option<(u32, u32)>)>,
    pub(super) anchors: HashMap<usize, Anchor>,
    /// Resolved tags by [`Node::start`].
    pub(super) tags: HashMap<usize, String>,
}

/// A value, where it stands and how it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// 1-based line of the value itself (not of its anchor or tag).
    pub line: u32,
    /// 1-based column, in characters; a byte-order mark is none.
    pub column: u32,
    /// The bytes of the value: quotes and brackets included, anchor and tag not; of a block scalar, its
    /// content without the header; empty for a value that is left out.
    pub span: Range<usize>,
    /// Where the node starts, with its anchor and tag.
    pub start: usize,
    /// The number of the anchor it carries.
    pub anchor: Option<usize>,
    /// Whether it carries an explicit tag.
    pub tagged: bool,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text; a value that is left out is plain and empty.
    Scalar {
        /// The text after unescaping and folding.
        text: String,
        /// How it is written.
        style: ScalarStyle,
    },
    /// Keys and values, in the order of the file, duplicates included.
    Mapping {
        /// The entries.
        entries: Vec<Entry>,
        /// Whether it is written `{…}` (or is a lone `key: value` in `[…]`).
        flow: bool,
    },
    /// A list.
    Sequence {
        /// The items.
        items: Vec<Node>,
        /// Whether it is written `[…]`.
        flow: bool,
    },
    /// `*name`.
    Alias {
        /// The number of the anchor it stands for.
        anchor: usize,
    },
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key: a scalar, as good as always.
    pub key: Node,
    /// The value.
    pub value: Node,
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScalarStyle {
    /// `text`
    Plain,
    /// `'text'`
    SingleQuoted,
    /// `"text"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// An anchor: its name, and the way down to the node that carries it.
#[derive(Debug)]
pub(super) struct Anchor {
    pub(super) name: String,
    /// The document, then child numbers; in a mapping, `2 * entry` is a key and `2 * entry + 1` a value.
    way: Vec<u32>,
    /// How many nodes it stands for.
    weight: u64,
}

impl Document {
    /// Parses a file: UTF-8, with or without a byte-order mark, any number of documents.
    pub fn parse(path: &RepoPath, bytes: &[u8]) -> Result<Self> {
        let text = text_of(path, bytes)?;
        let mut building = Building::new(path);
        for token in tokens(path, text) {
            building.take(token?)?;
        }
        let Building { roots, starts, anchors, tags, .. } = building;
        Ok(Self { path: path.clone(), text: text.to_owned(), roots, starts, anchors, tags })
    }

    /// The root of each document.
    pub fn roots(&self) -> &[Node] {
        &self.roots
    }

    /// The file as it was read, byte-order mark included; [`Node::span`] indexes into it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the file is.
    pub fn path(&self) -> &RepoPath {
        &self.path
    }

    /// A node's place, for messages.
    pub fn place(&self, node: &Node) -> Place {
        Place::at(self.path.as_str(), node.line, node.column)
    }

    /// The name of an anchor, without `&`.
    pub fn anchor_name(&self, anchor: usize) -> &str {
        self.anchors.get(&anchor).map_or("", |anchor| &anchor.name)
    }

    /// What an alias stands for; any other node stands for itself.
    pub fn resolved<'d>(&'d self, node: &'d Node) -> &'d Node {
        let Value::Alias { anchor } = node.value else { return node };
        self.anchored(anchor).unwrap_or(node)
    }

    /// The node that carries an anchor.
    pub fn anchored(&self, anchor: usize) -> Option<&Node> {
        let (document, way) = self.anchors.get(&anchor)?.way.split_first()?;
        way.iter().try_fold(self.roots.get(*document as usize)?, |node, child| node.child(*child as usize))
    }
}

impl Node {
    /// The text of a scalar that is not null.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// Whether it is null: left out, `~` or `null`, plain and without a tag.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, style: ScalarStyle::Plain }
            if !self.tagged && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The first value of a mapping under a key that is written out (aliases and `<<` are not followed).
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key.as_str() == Some(key)).map(|entry| &entry.value)
    }

    /// The entries of a mapping; nothing for other nodes.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Mapping { entries, .. } => entries,
            _ => &[],
        }
    }

    /// The items of a list; nothing for other nodes.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::Sequence { items, .. } => items,
            _ => &[],
        }
    }

    pub(super) fn is_block_scalar(&self) -> bool {
        matches!(self.value, Value::Scalar { style: ScalarStyle::Literal | ScalarStyle::Folded, .. })
    }

    fn child(&self, number: usize) -> Option<&Node> {
        match &self.value {
            Value::Sequence { items, .. } => items.get(number),
            Value::Mapping { entries, .. } => {
                let entry = entries.get(number / 2)?;
                Some(if number.is_multiple_of(2) { &entry.key } else { &entry.value })
            }
            _ => None,
        }
    }

    /// The number the next child will have.
    fn next_child(&self) -> usize {
        self.items().len() + self.entries().len() * 2
    }
}

/// A tree on its way up: open collections on a stack of our own, so that no input decides how deep we call.
struct Building<'p> {
    path: &'p RepoPath,
    roots: Vec<Node>,
    starts: Vec<(bool, Option<(u32, u32)>)>,
    anchors: HashMap<usize, Anchor>,
    tags: HashMap<usize, String>,
    open: Vec<Open>,
    aliased: u64,
    values: usize,
}

struct Open {
    node: Node,
    key: Option<Node>,
    weight: u64,
}

impl<'p> Building<'p> {
    fn new(path: &'p RepoPath) -> Self {
        Self {
            path,
            roots: Vec::new(),
            starts: Vec::new(),
            anchors: HashMap::new(),
            tags: HashMap::new(),
            open: Vec::new(),
            aliased: 0,
            values: 0,
        }
    }

    fn take(&mut self, token: Token<'_>) -> Result<()> {
        let Token { part, span, line, column, anchor, tag } = token;
        let place = || Place::at(self.path.as_str(), line, column);
        self.values += usize::from(part != Part::End);
        if self.values > MAX_VALUES {
            return Err(too_many("values", MAX_VALUES, place()));
        }
        let (value, weight) = match part {
            Part::Document { explicit, version } => {
                self.starts.push((explicit, version));
                return Ok(());
            }
            Part::End => {
                self.close(span.end);
                return Ok(());
            }
            Part::Scalar { text, style } => (Value::Scalar { text: text.into_owned(), style }, 1),
            Part::Alias { anchor } => {
                let weight = self.alias_weight(anchor, &place())?;
                (Value::Alias { anchor }, weight)
            }
            Part::Sequence { flow } => (Value::Sequence { items: Vec::new(), flow }, 1),
            Part::Mapping { flow } => (Value::Mapping { entries: Vec::new(), flow }, 1),
        };
        let start = [Some(span.start), anchor.as_ref().map(|a| a.start), tag.as_ref().map(|t| t.1)];
        let start = start.into_iter().flatten().min().unwrap_or(span.start);
        let node = Node {
            value,
            line,
            column,
            span,
            start,
            anchor: anchor.as_ref().map(|anchor| anchor.number),
            tagged: tag.is_some(),
        };
        if let Some(anchor) = anchor {
            refuse_name(&anchor.name, place())?;
            if self.anchors.len() >= MAX_ANCHORS {
                return Err(too_many("anchors", MAX_ANCHORS, place()));
            }
            let way = self.way();
            self.anchors.insert(anchor.number, Anchor { name: anchor.name, way, weight });
        }
        if let Some(tag) = tag {
            self.tags.insert(start, tag.0);
        }
        if !matches!(node.value, Value::Scalar { .. } | Value::Alias { .. }) {
            if self.open.len() >= MAX_DEPTH {
                return Err(too_deep(Place::at(self.path.as_str(), line, column)));
            }
            self.open.push(Open { node, key: None, weight });
            return Ok(());
        }
        self.attach(node, weight);
        Ok(())
    }

    /// How many nodes an alias stands for, if that is not too many by now.
    fn alias_weight(&mut self, anchor: usize, place: &Place) -> Result<u64> {
        let refuse = |message: String| Failure::at(Kind::Overlay, place.clone(), message);
        if self.open.iter().any(|open| open.node.anchor == Some(anchor)) {
            return Err(refuse("an alias stands inside its own anchor".to_owned())
                .hinted("write out what it should stand for"));
        }
        let weight = self.anchors.get(&anchor).map_or(1, |anchor| anchor.weight);
        self.aliased = self.aliased.saturating_add(weight);
        if self.aliased > MAX_ALIASED {
            return Err(refuse(format!("the file's aliases stand for more than {MAX_ALIASED} values"))
                .hinted("Helm and Kustomize refuse such a file as well; write the values out"));
        }
        Ok(weight)
    }

    /// The way to the node that comes next.
    fn way(&self) -> Vec<u32> {
        let mut way = vec![self.roots.len()];
        way.extend(self.open.iter().map(|open| open.node.next_child() + usize::from(open.key.is_some())));
        way.into_iter().map(|step| u32::try_from(step).unwrap_or(u32::MAX)).collect()
    }

    fn close(&mut self, end: usize) {
        let Some(Open { mut node, weight, .. }) = self.open.pop() else { return };
        let last = match &node.value {
            Value::Mapping { entries, .. } => {
                entries.last().map(|entry| entry.key.span.end.max(entry.value.span.end))
            }
            Value::Sequence { items, .. } => items.last().map(|item| item.span.end),
            _ => None,
        };
        // Most collections are small, and room for growth would be most of what a large file takes.
        match &mut node.value {
            Value::Mapping { entries, .. } => entries.shrink_to_fit(),
            Value::Sequence { items, .. } => items.shrink_to_fit(),
            Value::Scalar { .. } | Value::Alias { .. } => {}
        }
        // Brackets end where the parser says; a block ends with its last value, not where the next token is.
        let bracketed = !node.span.is_empty()
            && matches!(node.value, Value::Mapping { flow: true, .. } | Value::Sequence { flow: true, .. });
        node.span.end = if bracketed { end } else { last.unwrap_or(node.span.end).max(node.span.start) };
        if let Some(anchor) = node.anchor.and_then(|number| self.anchors.get_mut(&number)) {
            anchor.weight = weight;
        }
        self.attach(node, weight);
    }

    fn attach(&mut self, node: Node, weight: u64) {
        let Some(above) = self.open.last_mut() else {
            self.roots.push(node);
            return;
        };
        above.weight = above.weight.saturating_add(weight);
        match &mut above.node.value {
            Value::Mapping { entries, .. } => match above.key.take() {
                Some(key) => entries.push(Entry { key, value: node }),
                None => above.key = Some(node),
            },
            Value::Sequence { items, .. } => items.push(node),
            Value::Scalar { .. } | Value::Alias { .. } => {}
        }
    }
}

fn too_many(what: &str, limit: usize, place: Place) -> Failure {
    Failure::at(Kind::Overlay, place, format!("the file has more than {limit} {what}"))
        .hinted("no overlay has so many; split the file if it is one")
}

fn refuse_name(anchor: &str, place: Place) -> Result<()> {
    if anchor.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
        return Ok(());
    }
    let message = "an anchor's name has more than letters, digits, `-` and `_`";
    Err(Failure::at(Kind::Overlay, place, message)
        .hinted("YAML readers disagree about where such a name ends; rename it"))
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
    use std::fmt::Write as _;
    use std::time::{Duration, Instant};

    use super::super::tokens::MAX_BYTES;
    use super::*;

    fn parsed(text: &str) -> Result<Document> {
        Document::parse(&RepoPath::parse("values.yaml").unwrap(), text.as_bytes())
    }

    #[test]
    fn scalars_keep_their_text_place_and_bytes() {
        let text = "\u{feff}é: {n: 1.10, t: \"a\\tb\"}\r\nl:\r\n- 'it''s' # c\r\n- &x !!str 5\r\n";
        let document = parsed(text).unwrap();
        let root = &document.roots()[0];
        let at = |node: &Node| {
            let style = match &node.value {
                Value::Scalar { style, .. } => *style,
                other => panic!("{other:?}"),
            };
            (
                node.as_str().unwrap().to_owned(),
                node.line,
                node.column,
                text[node.span.clone()].to_owned(),
                style,
            )
        };
        let flow = root.get("é").unwrap();
        assert_eq!(at(flow.get("n").unwrap()), ("1.10".into(), 1, 8, "1.10".into(), ScalarStyle::Plain));
        assert_eq!(
            at(flow.get("t").unwrap()),
            ("a\tb".into(), 1, 17, "\"a\\tb\"".into(), ScalarStyle::DoubleQuoted)
        );
        let list = root.get("l").unwrap().items();
        assert_eq!(at(&list[0]), ("it's".into(), 3, 3, "'it''s'".into(), ScalarStyle::SingleQuoted));
        assert_eq!(at(&list[1]), ("5".into(), 4, 12, "5".into(), ScalarStyle::Plain));
        assert!(list[1].tagged);
        assert_eq!(document.anchor_name(list[1].anchor.unwrap()), "x");
        assert_eq!(&text[list[1].start..list[1].span.start], "&x !!str ");
    }

    #[test]
    fn what_is_left_out_is_null_and_empty() {
        let document = parsed("a:\nb: ~\nc: \"\"\nd: null\ne: !!str\n").unwrap();
        let nulls: Vec<_> = document.roots()[0].entries().iter().map(|entry| entry.value.is_null()).collect();
        assert_eq!(nulls, [true, true, false, true, false]);
    }

    #[test]
    fn anchors_are_found_in_any_document() {
        let document = parsed("a: &x [1, &y {k: &z v}]\nb: [*x, *y, *z]\n---\n? &k q\n: *k\n").unwrap();
        let aliases = document.roots()[0].get("b").unwrap().items();
        assert_eq!(document.resolved(&aliases[0]).items().len(), 2);
        assert_eq!(document.resolved(&aliases[1]).entries().len(), 1);
        assert_eq!(document.resolved(&aliases[2]).as_str(), Some("v"));
        assert_eq!(document.resolved(&document.roots()[1].entries()[0].value).as_str(), Some("q"));
    }

    #[test]
    fn a_block_ends_with_its_last_value() {
        let text = "a:\n  b: 1 # c\n\n# d\ne: [1, {f: 2}, g: 3]\n";
        let document = parsed(text).unwrap();
        let spans: Vec<_> =
            document.roots()[0].entries().iter().map(|entry| &text[entry.value.span.clone()]).collect();
        assert_eq!(spans, ["b: 1", "[1, {f: 2}, g: 3]"]);
    }

    #[test]
    fn files_that_would_exhaust_a_reader_are_refused_at_once() {
        let mut laughs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let items = vec![format!("*a{}", level - 1); 10].join(", ");
            writeln!(laughs, "a{level}: &a{level} [{items}]").unwrap();
        }
        let stairs: String = (0..2000).fold(String::new(), |mut text, level| {
            writeln!(text, "{}a:", " ".repeat(level)).unwrap();
            text
        });
        let table = [
            ("aliases stand for more than", laughs),
            ("nested deeper than 128", "[".repeat(100_000)),
            ("nested deeper than 128", "- ".repeat(100_000)),
            ("nested deeper than 128", "? ".repeat(100_000)),
            ("nested deeper than 128", "{a: ".repeat(125_000)),
            ("nested deeper than 128", stairs),
            ("nested deeper than 128", format!("{}{}x{}", "- ".repeat(70), "[".repeat(70), "]".repeat(70))),
            ("an anchor's name", "a: &an:chor v\n".to_owned()),
            ("inside its own anchor", "a: &r [*r]\n".to_owned()),
            ("without an anchor", "a: *r\n".to_owned()),
            ("MiB", " ".repeat(MAX_BYTES + 1)),
        ];
        for (reason, text) in table {
            let start = Instant::now();
            let message = parsed(&text).unwrap_err().to_string();
            assert!(message.contains(reason), "{message}");
            assert!(start.elapsed() < Duration::from_secs(1), "{reason} took {:?}", start.elapsed());
        }
    }

    #[test]
    fn only_utf8_is_read() {
        let path = RepoPath::parse("values.yaml").unwrap();
        let utf16 = Document::parse(&path, b"\xff\xfea\0").unwrap_err().to_string();
        assert!(utf16.contains("UTF-16"), "{utf16}");
        let latin = Document::parse(&path, b"a: 1\nb: caf\xe9\n").unwrap_err().to_string();
        assert!(latin.starts_with("error: `values.yaml:2:7`: the file is not UTF-8"), "{latin}");
    }

    #[test]
    fn a_template_is_no_yaml_and_says_where() {
        let message = parsed("a: 1\n{{- if .x }}\nb: 1\n").unwrap_err().to_string();
        assert!(message.starts_with("error: `values.yaml:2:"), "{message}");
    }
}
