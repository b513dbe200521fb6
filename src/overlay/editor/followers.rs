//! Which aliases see a change: every `*name` that stands, directly or through others, for what changes.

use std::collections::BTreeSet;

use super::document::{Document, Node, Value};
use super::key_path::KeyPath;

/// A place where an alias stands.
#[derive(Debug)]
pub(super) struct AliasSite<'d> {
    pub(super) path: KeyPath,
    pub(super) node: &'d Node,
    pub(super) anchor: usize,
    /// The anchors around it: their aliases see it too.
    around: Vec<usize>,
    /// Where it is merged by `<<`: the mapping it is merged into.
    merged_into: Option<&'d Node>,
}

/// Every alias of a file.
#[derive(Debug)]
pub(super) struct Followers<'d> {
    document: &'d Document,
    sites: Vec<AliasSite<'d>>,
}

impl<'d> Followers<'d> {
    pub(super) fn of(document: &'d Document) -> Self {
        let mut all = Self { document, sites: Vec::new() };
        if !document.anchors.is_empty() {
            for (number, root) in document.roots().iter().enumerate() {
                all.visit(root, &KeyPath::root(number), &mut Vec::new(), None);
            }
        }
        all
    }

    pub(super) fn sites(&self) -> impl Iterator<Item = &AliasSite<'d>> {
        self.sites.iter()
    }

    /// The aliases that see a scalar.
    pub(super) fn of_value(&self, trail: &[(&'d Node, usize)], node: &'d Node) -> Vec<&AliasSite<'d>> {
        let mut anchors: Vec<(usize, Option<&str>)> =
            node.anchor.map(|anchor| (anchor, None)).into_iter().collect();
        for (above, number) in trail {
            if let Some(anchor) = above.anchor {
                let key = above.entries().get(*number).and_then(|entry| self.document.key_text(entry));
                anchors.push((anchor, key));
            }
        }
        self.reached(anchors)
    }

    /// The aliases that see a mapping gain or lose a key.
    pub(super) fn of_key(
        &self,
        trail: &[(&'d Node, usize)],
        mapping: &'d Node,
        key: &str,
    ) -> Vec<&AliasSite<'d>> {
        let mut anchors: Vec<(usize, Option<&str>)> =
            mapping.anchor.map(|anchor| (anchor, Some(key))).into_iter().collect();
        for (above, number) in trail {
            if let Some(anchor) = above.anchor {
                let key = above.entries().get(*number).and_then(|entry| self.document.key_text(entry));
                anchors.push((anchor, key));
            }
        }
        self.reached(anchors)
    }

    /// The aliases of the anchors, and those of the anchors around these aliases, and so on.
    ///
    /// An alias merged into a mapping that has the key itself, further down, does not see it: of a key above it,
    /// Helm takes what is merged in.
    fn reached(&self, mut anchors: Vec<(usize, Option<&str>)>) -> Vec<&AliasSite<'d>> {
        let mut seen = BTreeSet::new();
        let mut found = BTreeSet::new();
        while let Some((anchor, key)) = anchors.pop() {
            if !seen.insert((anchor, key.map(str::to_owned))) {
                continue;
            }
            for (number, site) in self.sites.iter().enumerate().filter(|(_, site)| site.anchor == anchor) {
                let overridden = site.merged_into.zip(key).is_some_and(|(mapping, key)| {
                    let mut own = mapping.entries().iter().filter(|entry| entry.key.start > site.node.start);
                    own.any(|entry| self.document.key_is(entry, key))
                });
                if !overridden && found.insert(number) {
                    anchors.extend(site.around.iter().map(|around| (*around, None)));
                }
            }
        }
        found.into_iter().filter_map(|number| self.sites.get(number)).collect()
    }

    /// Depth is bounded by the document's.
    fn visit(
        &mut self,
        node: &'d Node,
        path: &KeyPath,
        around: &mut Vec<usize>,
        merged_into: Option<&'d Node>,
    ) {
        if let Some(anchor) = node.anchor {
            around.push(anchor);
        }
        match &node.value {
            Value::Alias { anchor } => self.sites.push(AliasSite {
                path: path.clone(),
                node,
                anchor: *anchor,
                around: around.clone(),
                merged_into,
            }),
            Value::Mapping { entries, .. } => {
                for entry in entries {
                    let key = self.document.key_text(entry).unwrap_or_default();
                    let below = path.key(key);
                    self.visit(&entry.key, &below, around, None);
                    self.visit(&entry.value, &below, around, (key == "<<").then_some(node));
                }
            }
            Value::Sequence { items, .. } => {
                for (index, item) in items.iter().enumerate() {
                    self.visit(item, &path.index(index), around, merged_into);
                }
            }
            Value::Scalar { .. } => {}
        }
        if node.anchor.is_some() {
            around.pop();
        }
    }
}
