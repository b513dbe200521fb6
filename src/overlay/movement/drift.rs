//! Drift: keys that one overlay has and the other lacks.
//!
//! Shape alone counts: values belong to their environments, and so do list items that have no name.
//! Drift is shown, never applied.

use std::collections::{BTreeMap, HashMap};

use crate::names::RepoPath;
use crate::overlay::editor::document::{Document, Node, Value};
use crate::overlay::editor::key_path::KeyPath;
use crate::overlay::pins::Pin;
use crate::overlay::pins::files::Shape;
use crate::overlay::pins::parts::Part;
use crate::plan::{Drift, Side};

/// How a whole file is listed that the other overlay lacks.
const WHOLE_FILE: &str = "*";

/// A file as it is or will be.
#[derive(Clone, Copy)]
pub(in crate::overlay) struct Seen<'d> {
    pub(in crate::overlay) path: &'d RepoPath,
    pub(in crate::overlay) document: &'d Document,
    pub(in crate::overlay) shape: Option<Shape>,
    pub(in crate::overlay) parts: &'d [Part],
}

/// What differs in shape, sorted; `left` are the source's pins that the target does not get.
pub(in crate::overlay) fn drift(
    source: &BTreeMap<&str, Seen<'_>>,
    target: &BTreeMap<&str, Seen<'_>>,
    left: &[&Pin],
) -> Vec<Drift> {
    let mut found = BTreeMap::new();
    for pin in left {
        found.insert((pin.file.clone(), pin.key.to_string(), Side::Source), true);
    }
    for (here, there, side) in [(source, target, Side::Source), (target, source, Side::Target)] {
        for (name, file) in here.iter().filter(|(_, file)| file.shape != Some(Shape::Lock)) {
            let keys = match there.get(name) {
                Some(other) => lacking(*file, *other),
                None => vec![WHOLE_FILE.to_owned()],
            };
            for key in keys {
                found.entry((file.path.clone(), key, side)).or_insert(false);
            }
        }
    }
    found.into_iter().map(|((file, key, side), pin)| Drift { file, key, side, pin }).collect()
}

/// The topmost keys of `here` that `there` lacks, by their paths in the file.
fn lacking(here: Seen<'_>, there: Seen<'_>) -> Vec<String> {
    let mut lacking = Vec::new();
    for part in here.parts {
        let Some(root) = here.document.read(&part.base) else { continue };
        let base = there.parts.iter().find(|other| other.name == part.name).map(|other| &other.base);
        let mut comparison = Comparison {
            here: here.document,
            there: there.document,
            from: &part.base,
            base,
            lacking: Vec::new(),
        };
        comparison.node(&KeyPath::root(0), root, base.and_then(|base| there.document.read(base)));
        lacking.extend(comparison.lacking);
    }
    lacking
}

struct Comparison<'d> {
    here: &'d Document,
    there: &'d Document,
    /// Where the part stands here and, if it is there, there.
    from: &'d KeyPath,
    base: Option<&'d KeyPath>,
    lacking: Vec<String>,
}

impl<'d> Comparison<'d> {
    /// What an alias stands for is compared where it is written.
    fn node(&mut self, path: &KeyPath, here: &'d Node, there: Option<&'d Node>) {
        let there = there.map(|node| self.there.resolved(node));
        match &here.value {
            Value::Mapping { entries, .. } => {
                for entry in entries {
                    let Some(key) = self.here.key_text(entry).filter(|key| *key != "<<") else { continue };
                    self.child(&path.key(key), &entry.value, there.and_then(|node| node.get(key)));
                }
            }
            Value::Sequence { items, .. } => {
                let Some(there) = there.filter(|node| matches!(node.value, Value::Sequence { .. })) else {
                    return;
                };
                let known = identities(self.there, there.items());
                for ((field, value), item) in identities(self.here, items) {
                    self.child(&path.item(field, value), item, known.get(&(field, value)).copied());
                }
            }
            Value::Scalar { .. } | Value::Alias { .. } => {}
        }
    }

    fn child(&mut self, path: &KeyPath, here: &'d Node, there: Option<&'d Node>) {
        match there.or_else(|| self.base.and_then(|base| self.there.read(&base.join(path)))) {
            Some(there) => self.node(path, here, Some(there)),
            None => self.lacking.push(self.from.join(path).to_string()),
        }
    }
}

/// The items of a list that have a name of their own, by it.
fn identities<'d>(document: &'d Document, items: &'d [Node]) -> BTreeMap<(&'static str, &'d str), &'d Node> {
    let fields = ["name", "id", "key"];
    let identity =
        |item: &'d Node, field: &str| document.resolved(document.resolved(item).get(field)?).as_str();
    let mut count: HashMap<(&str, &str), usize> = HashMap::new();
    for item in items {
        for field in fields {
            if let Some(value) = identity(item, field) {
                *count.entry((field, value)).or_default() += 1;
            }
        }
    }
    let named = items.iter().filter_map(|item| {
        let unique = |field: &&'static str| {
            identity(item, field).filter(|value| count.get(&(*field, *value)) == Some(&1))
        };
        let field = fields.iter().find(|field| unique(field).is_some())?;
        Some(((*field, unique(field)?), item))
    });
    named.collect()
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
    use crate::overlay::Missing;
    use crate::overlay::testing::{moved, moved_by};

    fn lines(drift: &[Drift]) -> Vec<String> {
        let line = |drift: &Drift| {
            let sign = if drift.side == Side::Source { '+' } else { '-' };
            let pin = if drift.pin { " (pin)" } else { "" };
            format!("{sign} {} {}{pin}", drift.file.file_name(), drift.key)
        };
        drift.iter().map(line).collect()
    }

    #[test]
    fn keys_that_one_side_lacks_are_listed_at_the_top_and_values_are_not() {
        let source = "\
image: {repository: a, tag: v1}
replicas: 1
features: {streaming: {on: true, size: 3}, old: 1}
env:
- {name: A, value: 1, more: x}
- {name: B, value: 2}
- {value: nameless}
hosts: [a, b, c]
sidecar: {image: {repository: s, tag: v9, pullPolicy: Always}}
";
        let target = "\
replicas: 6
image: {tag: v1, repository: b/a}
env: [{name: A, value: 9}, {name: C}]
hosts: [x]
features: {old: {now: deep}}
tls: {on: true}
";
        assert_eq!(
            lines(&moved("values.yaml", source, target).drift),
            [
                "- values.yaml env[name=C]",
                "- values.yaml features.old.now",
                "- values.yaml tls",
                "+ values.yaml env[name=A].more",
                "+ values.yaml env[name=B]",
                "+ values.yaml features.streaming",
                "+ values.yaml sidecar",
                "+ values.yaml sidecar.image.tag (pin)",
            ]
        );
    }

    #[test]
    fn a_file_that_one_side_lacks_is_listed_with_its_pins() {
        let values = ("values.yaml", "image: {tag: v1}\n");
        let kustomization = ("kustomization.yaml", "images: [{name: a, newTag: v1}]\n");
        let moved = |source: &[_], target: &[_]| moved_by(source, target, &[], Missing::List).unwrap().drift;
        assert_eq!(
            lines(&moved(&[values, kustomization], &[values])),
            ["+ kustomization.yaml *", "+ kustomization.yaml images[name=a].newTag (pin)"]
        );
        assert_eq!(
            lines(&moved(&[values], &[values, ("Chart.yaml", "name: x"), ("Chart.lock", "")])),
            ["- Chart.yaml *"]
        );
    }

    #[test]
    fn what_is_merged_or_aliased_is_there_and_what_moves_is_no_drift() {
        let table = [
            ("a: {x: 1, y: 2}\n", "b: &b {x: 1, y: 2}\na: *b\n", vec!["- values.yaml b"]),
            ("a: {x: 1, y: 2}\n", "b: &b {x: 1}\na: {<<: *b, y: 3}\n", vec!["- values.yaml b"]),
            ("image: {tag: v2, digest: sha256:bb}\n", "image: {tag: v1}\n", vec![]),
            ("image: {tag: v2}\n", "image: {tag: v1, digest: sha256:bb}\n", vec![]),
            ("a: {x: 1}\n", "a:\n", vec!["+ values.yaml a.x"]),
            ("a: 1\n", "", vec!["+ values.yaml a"]),
        ];
        for (source, target, expected) in table {
            assert_eq!(lines(&moved("values.yaml", source, target).drift), expected, "{source}");
        }
    }
}
