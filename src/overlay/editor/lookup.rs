//! From a key path to a node, and from nodes to key paths.
//!
//! `find` is for editing: it refuses every path on which "this value" could mean two things. `read` is
//! for looking: it follows aliases and `<<` as Helm does. Neither changes anything.

use std::collections::HashMap;

use crate::failure::{Failure, Kind, Place, Result};

use super::document::{Document, Entry, Node, Value};
use super::key_path::{KeyPath, Step};

/// The fields that identify a list item, the first that is unique in its list counts.
const IDENTITIES: [&str; 3] = ["name", "id", "key"];
/// Names of more bytes are not compared with one that is missing: that takes time squared.
const LONGEST_MISSPELT: usize = 200;
/// How far `<<` is followed.
const MAX_MERGES: usize = 16;

/// A node and the way down to it.
#[derive(Debug)]
pub(super) struct Located<'d> {
    /// Each collection on the way, with the number of the entry or item taken.
    pub(super) trail: Vec<(&'d Node, usize)>,
    pub(super) node: &'d Node,
}

impl Document {
    /// The node at a path, if exactly that one node can be meant.
    ///
    /// Refuses a missing key, a duplicate key on the path, an item that is not the only one of its name,
    /// an alias at the end or on the way, and a key that is only inherited by `<<`.
    pub fn find(&self, path: &KeyPath) -> Result<&Node> {
        let found = self.locate(path)?;
        if let Value::Alias { anchor } = found.node.value {
            return Err(self.aliased(path, found.node, anchor, "is"));
        }
        Ok(found.node)
    }

    /// The node a reader of the file would see at a path: aliases and `<<` are followed.
    ///
    /// Of duplicate keys the last counts, as for most readers.
    pub fn read(&self, path: &KeyPath) -> Option<&Node> {
        self.follow(path).map(|(_, node)| node)
    }

    /// What [`Document::read`] sees, and the aliases it went through.
    pub(super) fn follow(&self, path: &KeyPath) -> Option<(Vec<&Node>, &Node)> {
        let mut aliases = Vec::new();
        let mut node = self.through(self.roots().get(path.document)?, &mut aliases);
        for step in &path.steps {
            let next = match (step, &node.value) {
                (Step::Key(key), Value::Mapping { entries, .. }) => {
                    let own = entries.iter().rev().find(|entry| self.key_is(entry, key));
                    own.map(|entry| &entry.value).or_else(|| {
                        let (merged, value) = self.inherited(node, key, 0)?;
                        aliases.extend(merged);
                        Some(value)
                    })
                }
                (Step::Key(key), Value::Sequence { items, .. }) => items.get(index_of(key)?),
                (Step::Index(index), Value::Sequence { items, .. }) => items.get(*index),
                (Step::Item { field, value }, Value::Sequence { items, .. }) => {
                    items.iter().find(|item| self.identity(item, field) == Some(value))
                }
                _ => None,
            };
            node = self.through(next?, &mut aliases);
        }
        Some((aliases, node))
    }

    fn through<'d>(&'d self, node: &'d Node, aliases: &mut Vec<&'d Node>) -> &'d Node {
        if matches!(node.value, Value::Alias { .. }) {
            aliases.push(node);
        }
        self.resolved(node)
    }

    /// Every scalar with its path, in the order of the file; an alias of a scalar is listed as the alias.
    ///
    /// List items are addressed by `name`, `id` or `key` where that is unique in the list, else by index.
    /// What stands below a key that is no scalar has no path and is left out.
    pub fn walk(&self) -> impl Iterator<Item = (KeyPath, &Node)> {
        let roots = self.roots().iter().enumerate().map(|(number, root)| (KeyPath::root(number), root));
        roots.flat_map(|(path, root)| self.walk_below(path, root))
    }

    /// The same for what stands at and below one node, whose path is given.
    pub fn walk_below<'d>(
        &'d self,
        path: KeyPath,
        node: &'d Node,
    ) -> impl Iterator<Item = (KeyPath, &'d Node)> {
        let mut open: Vec<(KeyPath, &Node)> = vec![(path, node)];
        std::iter::from_fn(move || {
            loop {
                let (path, node) = open.pop()?;
                match &node.value {
                    Value::Scalar { .. } => return Some((path, node)),
                    Value::Alias { .. } => {
                        if matches!(self.resolved(node).value, Value::Scalar { .. }) {
                            return Some((path, node));
                        }
                    }
                    Value::Mapping { entries, .. } => open.extend(
                        entries
                            .iter()
                            .rev()
                            .filter_map(|entry| Some((path.key(self.key_text(entry)?), &entry.value))),
                    ),
                    Value::Sequence { items, .. } => {
                        let paths = self.item_paths(&path, items);
                        open.extend(paths.into_iter().zip(items).rev());
                    }
                }
            }
        })
    }

    /// The way to a node; the last node may be an alias.
    pub(super) fn locate(&self, path: &KeyPath) -> Result<Located<'_>> {
        let Some(mut node) = self.roots().get(path.document) else { return Err(self.no_document(path)) };
        let mut trail = Vec::with_capacity(path.steps.len());
        let mut here = KeyPath::root(path.document);
        for step in &path.steps {
            if let Value::Alias { anchor } = node.value {
                return Err(self.aliased(path, node, anchor, "is reached through"));
            }
            let number =
                self.child(node, &here, step).map_err(|failure| match self.elsewhere(node, &here, path) {
                    Some(hint) => failure.hinted(hint),
                    None => failure,
                })?;
            trail.push((node, number));
            here.steps.push(step.clone());
            let next = match &node.value {
                Value::Mapping { entries, .. } => entries.get(number).map(|entry| &entry.value),
                _ => node.items().get(number),
            };
            node = next.ok_or_else(|| self.missing(node, &here))?;
        }
        Ok(Located { trail, node })
    }

    fn no_document(&self, path: &KeyPath) -> Failure {
        let place = Place::at(self.path().as_str(), 1, 1);
        let count = self.roots().len();
        if count == 0 {
            let what = if self.text().is_empty() { "the file is empty" } else { "the file has no values" };
            return Failure::at(Kind::Overlay, place, what)
                .hinted("write its first key by hand, such as `image: {}`; then `--add` adds others");
        }
        let message = format!("`{path}` is in document {}, but the file has {count}", path.document);
        Failure::at(Kind::Overlay, place, message).hinted("documents are counted from 0")
    }

    /// Where a path that leads nowhere was probably meant to lead: to a key with dots, or to another document.
    fn elsewhere(&self, node: &Node, here: &KeyPath, path: &KeyPath) -> Option<String> {
        let rest = path.steps.get(here.steps.len()..)?;
        let mut dotted = String::new();
        for (number, step) in rest.iter().enumerate() {
            let Step::Key(key) = step else { break };
            let dot = if number == 0 { "" } else { "." };
            dotted.push_str(dot);
            dotted.push_str(key);
            if number > 0 && node.entries().iter().any(|entry| self.key_is(entry, &dotted)) {
                let below = KeyPath { document: 0, steps: rest.get(number + 1..)?.to_vec() };
                return Some(format!("did you mean `{}`?", here.key(&dotted).join(&below)));
            }
        }
        let others = (0..self.roots().len()).filter(|document| *document != path.document);
        let mut others = others.map(|document| KeyPath { document, steps: path.steps.clone() });
        let other = others.find(|other| self.follow(other).is_some())?;
        Some(format!("document {} has it: `{other}`", other.document))
    }

    /// The text of a key that has one.
    pub(in crate::overlay) fn key_text<'d>(&'d self, entry: &'d Entry) -> Option<&'d str> {
        match &self.resolved(&entry.key).value {
            Value::Scalar { text, .. } if !entry.key.span.is_empty() => Some(text),
            _ => None,
        }
    }

    pub(super) fn key_is(&self, entry: &Entry, key: &str) -> bool {
        self.key_text(entry) == Some(key)
    }

    /// The number of the one entry or item that a step can mean.
    fn child(&self, node: &Node, here: &KeyPath, step: &Step) -> Result<usize> {
        let there = {
            let mut there = here.clone();
            there.steps.push(step.clone());
            there
        };
        match (step, &node.value) {
            (Step::Key(key), Value::Mapping { entries, .. }) => {
                let found = entries.iter().enumerate().filter(|(_, entry)| self.key_is(entry, key));
                let found: Vec<_> = found.map(|(number, entry)| (number, &entry.key)).collect();
                if found.is_empty()
                    && let Some((aliases, _)) = self.inherited(node, key, 0)
                {
                    let from = aliases.first().map_or_else(String::new, |alias| match alias.value {
                        Value::Alias { anchor } => format!(" from `*{}`", self.anchor_name(anchor)),
                        _ => String::new(),
                    });
                    let message = format!("`{there}` is not written here: it is inherited by `<<`{from}");
                    return Err(Failure::at(Kind::Overlay, self.place(node), message).hinted(format!(
                        "add `{there}` here to override it, or set it where it is written"
                    )));
                }
                let number = self.only(&there, node, &found, "is written more than once")?;
                self.refuse_other_spellings(&there, node, key, Some(number))?;
                match self.merge_below(node, key, number) {
                    None => Ok(number),
                    Some(merge) => {
                        let message = format!(
                            "`{there}` is overridden by the `<<` below it, on line {}",
                            merge.key.line
                        );
                        Err(Failure::at(Kind::Overlay, self.place(&node.entries().get(number).unwrap_or(merge).key), message)
                            .hinted("Helm takes what is merged in last, other readers what is written; move `<<` above the keys"))
                    }
                }
            }
            (Step::Key(key), Value::Sequence { items, .. })
                if index_of(key).is_some_and(|i| i < items.len()) =>
            {
                Ok(index_of(key).unwrap_or_default())
            }
            (Step::Index(index), Value::Sequence { items, .. }) if *index < items.len() => Ok(*index),
            (Step::Item { field, value }, Value::Sequence { items, .. }) => {
                let found = items.iter().enumerate();
                let found = found.filter(|(_, item)| self.identity(item, field) == Some(value));
                let found: Vec<_> = found.collect();
                self.only(&there, node, &found, "is more than one item")
            }
            _ => Err(self.missing(node, &there)),
        }
    }

    fn only(&self, there: &KeyPath, node: &Node, found: &[(usize, &Node)], many: &str) -> Result<usize> {
        match found {
            [] => Err(self.missing(node, there)),
            [(number, _)] => Ok(*number),
            [(_, first), (_, second), ..] => {
                let message = format!("`{there}` {many}: at lines {} and {}", first.line, second.line);
                Err(Failure::at(Kind::Overlay, self.place(second), message)
                    .hinted("readers disagree about which one counts; leave one of them"))
            }
        }
    }

    fn missing(&self, node: &Node, there: &KeyPath) -> Failure {
        let (kind, names) = match &node.value {
            Value::Mapping { entries, .. } => {
                ("", entries.iter().filter_map(|entry| self.key_text(entry)).collect::<Vec<_>>())
            }
            Value::Sequence { items, .. } => {
                let message = format!("`{there}` is not there: the list has {} items", items.len());
                return Failure::at(Kind::Overlay, self.place(node), message)
                    .hinted("name an item by what it is (`images[name=acme/agent]`) or by an index from 0");
            }
            Value::Scalar { .. } if node.is_null() => (": there is nothing above it", Vec::new()),
            _ => (": what is above it is a single value", Vec::new()),
        };
        let failure = Failure::at(Kind::Overlay, self.place(node), format!("`{there}` is not there{kind}"));
        let wanted = match there.steps.last() {
            Some(Step::Key(key)) => key.as_str(),
            _ => "",
        };
        let close = names.into_iter().filter(|name| name.len().max(wanted.len()) < LONGEST_MISSPELT);
        let close = close.map(|name| (strsim::jaro_winkler(name, wanted), name));
        match close.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)) {
            Some((_, name)) => {
                let meant = there.parent().unwrap_or_else(|| KeyPath::root(there.document)).key(name);
                failure.hinted(format!("did you mean `{meant}`?"))
            }
            None => failure
                .hinted("name a value that is there; `--add` puts a new key into a mapping that is there"),
        }
    }

    fn aliased(&self, path: &KeyPath, node: &Node, anchor: usize, how: &str) -> Failure {
        let name = self.anchor_name(anchor);
        let line = self.anchored(anchor).map_or(0, |node| node.line);
        Failure::at(Kind::Overlay, self.place(node), format!("`{path}` {how} an alias of `*{name}`"))
            .hinted(format!("set it where `&{name}` stands (line {line}), or write the value out here"))
    }

    /// The `<<` further down in a mapping that brings a key once more: the YAML of Helm lets it win.
    pub(super) fn merge_below<'d>(&'d self, node: &'d Node, key: &str, number: usize) -> Option<&'d Entry> {
        let below = node.entries().iter().skip(number + 1);
        below.filter(|entry| is_merge(entry)).find(|entry| self.merged(entry, key, 0).is_some())
    }

    /// The value that a mapping inherits by `<<`, and the aliases it comes through.
    fn inherited<'d>(&'d self, node: &'d Node, key: &str, depth: usize) -> Option<(Vec<&'d Node>, &'d Node)> {
        if depth > MAX_MERGES {
            return None;
        }
        node.entries().iter().filter(|entry| is_merge(entry)).find_map(|entry| self.merged(entry, key, depth))
    }

    /// What one `<<` brings.
    fn merged<'d>(&'d self, entry: &'d Entry, key: &str, depth: usize) -> Option<(Vec<&'d Node>, &'d Node)> {
        self.sources(entry).iter().find_map(|source| {
            let mut aliases = Vec::new();
            let source = self.through(source, &mut aliases);
            if let Some(entry) = source.entries().iter().find(|entry| self.key_is(entry, key)) {
                return Some((aliases, &entry.value));
            }
            let (deeper, value) = self.inherited(source, key, depth + 1)?;
            aliases.extend(deeper);
            Some((aliases, value))
        })
    }

    fn sources<'d>(&'d self, merge: &'d Entry) -> &'d [Node] {
        match &self.resolved(&merge.value).value {
            Value::Sequence { items, .. } => items,
            _ => std::slice::from_ref(&merge.value),
        }
    }

    /// The mappings that `<<` merges into one.
    pub(super) fn merge_sources<'d>(&'d self, node: &'d Node) -> impl Iterator<Item = &'d Node> {
        let merges = node.entries().iter().filter(|entry| is_merge(entry));
        merges.flat_map(|merge| self.sources(merge)).map(|source| self.resolved(source))
    }

    /// What a list item says it is.
    fn identity<'d>(&'d self, item: &'d Node, field: &str) -> Option<&'d str> {
        let value = self.resolved(item).entries().iter().find(|entry| self.key_is(entry, field))?;
        self.resolved(&value.value).as_str()
    }

    fn item_paths(&self, list: &KeyPath, items: &[Node]) -> Vec<KeyPath> {
        let mut seen: HashMap<(&str, &str), usize> = HashMap::new();
        for item in items {
            for field in IDENTITIES {
                if let Some(value) = self.identity(item, field) {
                    *seen.entry((field, value)).or_default() += 1;
                }
            }
        }
        let path = |(index, item)| {
            let unique = IDENTITIES.iter().find_map(|field| {
                let value = self.identity(item, field)?;
                (seen.get(&(*field, value)) == Some(&1)).then_some((*field, value))
            });
            unique.map_or_else(|| list.index(index), |(field, value)| list.item(field, value))
        };
        items.iter().enumerate().map(path).collect()
    }
}

fn is_merge(entry: &Entry) -> bool {
    entry.key.as_str() == Some("<<")
}

fn index_of(key: &str) -> Option<usize> {
    let canonical = key == "0" || !key.starts_with('0');
    (canonical && key.bytes().all(|b| b.is_ascii_digit())).then(|| key.parse().ok()).flatten()
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
    use super::*;
    use crate::names::RepoPath;

    const FILE: &str = "\
defaults: &d
  tag: v1
  port: &p 80
web:
  <<: *d
  image: {repository: acme/web, tag: v1}
api: *d
images:
- name: acme/web
  newTag: \"1\"
- name: acme/api
  newTag: \"2\"
- {id: x, name: acme/api}
- plain
number: *p
tag: a
tag: b
empty:
---
second: {\"a.b/c\": 1}
";

    fn document() -> Document {
        Document::parse(&RepoPath::parse("values.yaml").unwrap(), FILE.as_bytes()).unwrap()
    }

    #[test]
    fn a_path_finds_the_one_node_it_can_mean() {
        let document = document();
        let table = [
            ("web.image.tag", "v1", 6),
            ("/web/image/tag", "v1", 6),
            ("defaults.port", "80", 3),
            ("images[name=acme/web].newTag", "1", 10),
            ("images[1].newTag", "2", 12),
            ("/images/1/newTag", "2", 12),
            ("images[id=x].name", "acme/api", 13),
            ("images[3]", "plain", 14),
            ("@1.second[\"a.b/c\"]", "1", 20),
        ];
        for (path, text, line) in table {
            let node = document.find(&KeyPath::parse(path).unwrap()).unwrap();
            assert_eq!((node.as_str(), node.line), (Some(text), line), "{path}");
        }
    }

    #[test]
    fn a_path_that_could_mean_two_things_is_refused_with_its_place() {
        let document = document();
        let table = [
            ("tag", "`values.yaml:17:1`: `tag` is written more than once: at lines 16 and 17"),
            ("number", "`values.yaml:15:9`: `number` is an alias of `*p`"),
            ("api.tag", "`values.yaml:7:6`: `api.tag` is reached through an alias of `*d`"),
            (
                "web.tag",
                "`values.yaml:5:3`: `web.tag` is not written here: it is inherited by `<<` from `*d`",
            ),
            (
                "images[name=acme/api].newTag",
                "`images[name=acme/api]` is more than one item: at lines 11 and 13",
            ),
            ("images[name=acme/none]", "`images[name=acme/none]` is not there"),
            ("images[9]", "the list has 4 items"),
            ("/images/01", "`images.01` is not there"),
            ("web.imgae.tag", "did you mean `web.image`?"),
            ("web.image.tag.x", "a single value"),
            ("empty.x", "there is nothing above it"),
            ("@2.x", "the file has 2"),
        ];
        for (path, reason) in table {
            let message = document.find(&KeyPath::parse(path).unwrap()).unwrap_err().to_string();
            assert!(message.contains(reason), "{path}: {message}");
            assert!(message.contains("hint: "), "{path}: {message}");
        }
    }

    #[test]
    fn a_path_that_leads_nowhere_is_told_where_it_was_meant_to_lead() {
        let text = "labels: {app.kubernetes.io/version: v1}\na: 1\n---\nb: {c.d: {e: 1}}\n";
        let document = Document::parse(&RepoPath::parse("values.yaml").unwrap(), text.as_bytes()).unwrap();
        let table = [
            ("labels.app.kubernetes.io/version", "did you mean `labels[\"app.kubernetes.io/version\"]`?"),
            ("@1.b.c.d.e", "did you mean `@1.b[\"c.d\"].e`?"),
            ("b", "document 1 has it: `@1.b`"),
            ("@1.a", "document 0 has it: `a`"),
            ("labels.x", "name a value that is there"),
        ];
        for (path, hint) in table {
            let said = document.find(&KeyPath::parse(path).unwrap()).unwrap_err().to_string();
            assert!(said.contains(&format!("hint: {hint}")), "{path}: {said}");
        }
        for (text, what) in [("", "the file is empty"), ("# c\n", "the file has no values")] {
            let document = Document::parse(&RepoPath::parse("f").unwrap(), text.as_bytes()).unwrap();
            let said = document.find(&KeyPath::root(0).key("a")).unwrap_err().to_string();
            assert!(said.contains(&format!("`f:1:1`: {what}\nhint: write its first key")), "{said}");
        }
    }

    #[test]
    fn reading_follows_aliases_and_merges() {
        let document = document();
        let read = |path: &str| document.read(&KeyPath::parse(path).unwrap()).and_then(Node::as_str);
        assert_eq!(read("web.tag"), Some("v1"));
        assert_eq!(read("api.port"), Some("80"));
        assert_eq!(read("tag"), Some("b"));
        assert_eq!(read("empty"), None);
        assert_eq!(read("nothing.here"), None);
    }

    #[test]
    fn the_walk_names_items_by_what_they_are() {
        let paths: Vec<_> = document().walk().map(|(path, _)| path.to_string()).collect();
        let expected = "defaults.tag defaults.port web.image.repository web.image.tag \
            images[name=acme/web].name images[name=acme/web].newTag images[1].name images[1].newTag \
            images[id=x].id images[id=x].name images[3] number tag tag empty @1.second[\"a.b/c\"]";
        assert_eq!(paths.join(" "), expected);
    }

    #[test]
    fn every_walked_path_finds_its_own_node() {
        let document = document();
        for (path, node) in document.walk().filter(|(_, node)| !matches!(node.value, Value::Alias { .. })) {
            match document.find(&path) {
                Ok(found) => assert!(std::ptr::eq(found, node), "{path}"),
                Err(failure) => assert!(failure.to_string().contains("more than once"), "{path}: {failure}"),
            }
        }
    }
}
