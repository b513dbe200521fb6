//! Which aliases see a change: every `*name` that stands, directly or through others, for what changes.
//!
//! Reads only. Each alias and each anchor is looked at once, however many there are of them.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::document::{Document, Node, Value};
use super::key_path::KeyPath;

/// A place where an alias stands.
#[derive(Debug)]
pub(super) struct AliasSite<'d> {
    pub(super) node: &'d Node,
    pub(super) anchor: usize,
    /// The last step down to it.
    step: Option<usize>,
    /// The innermost anchor around it: the aliases of that one see it too.
    around: Option<usize>,
    /// Where it is merged by `<<`: the mapping it is merged into.
    merged_into: Option<&'d Node>,
}

/// An anchor that stands around something, and the one around that.
#[derive(Debug)]
struct Ring {
    anchor: usize,
    outer: Option<usize>,
}

/// One step down from a root, and the step before it.
#[derive(Debug)]
struct Step<'d> {
    into: Into<'d>,
    before: Option<usize>,
}

#[derive(Debug)]
enum Into<'d> {
    Document(usize),
    Key(&'d str),
    Index(usize),
}

/// Every alias of a file.
#[derive(Debug)]
pub(super) struct Followers<'d> {
    document: &'d Document,
    sites: Vec<AliasSite<'d>>,
    /// The aliases of each anchor.
    aliases: HashMap<usize, Vec<usize>>,
    rings: Vec<Ring>,
    steps: Vec<Step<'d>>,
}

/// What is changed under an anchor: one key of it, or all of it.
type Change<'k> = (usize, Option<&'k str>);

impl<'d> Followers<'d> {
    pub(super) fn of(document: &'d Document) -> Self {
        let mut all = Self {
            document,
            sites: Vec::new(),
            aliases: HashMap::new(),
            rings: Vec::new(),
            steps: Vec::new(),
        };
        if !document.anchors.is_empty() {
            for (number, root) in document.roots().iter().enumerate() {
                all.below(Into::Document(number), None, |all, step| all.visit(root, step, None, None));
            }
        }
        for (number, site) in all.sites.iter().enumerate() {
            all.aliases.entry(site.anchor).or_default().push(number);
        }
        all
    }

    pub(super) fn sites(&self) -> impl Iterator<Item = &AliasSite<'d>> {
        self.sites.iter()
    }

    /// Where an alias stands.
    pub(super) fn path(&self, site: &AliasSite<'d>) -> KeyPath {
        let mut steps = Vec::new();
        let mut at = site.step;
        while let Some(step) = at.and_then(|at| self.steps.get(at)) {
            steps.push(&step.into);
            at = step.before;
        }
        steps.iter().rev().fold(KeyPath::root(0), |path, step| match step {
            Into::Document(number) => KeyPath::root(*number),
            Into::Key(key) => path.key(key),
            Into::Index(index) => path.index(*index),
        })
    }

    /// The aliases that see a scalar.
    pub(super) fn of_value(&self, trail: &[(&'d Node, usize)], node: &'d Node) -> Vec<&AliasSite<'d>> {
        let own = node.anchor.map(|anchor| (anchor, None));
        self.reached(own.into_iter().chain(self.above(trail)).collect())
    }

    /// The aliases that see a mapping gain or lose a key.
    pub(super) fn of_key(
        &self,
        trail: &[(&'d Node, usize)],
        mapping: &'d Node,
        key: &str,
    ) -> Vec<&AliasSite<'d>> {
        let own = mapping.anchor.map(|anchor| (anchor, Some(key)));
        self.reached(own.into_iter().chain(self.above(trail)).collect())
    }

    fn above<'s>(&'s self, trail: &'s [(&'d Node, usize)]) -> impl Iterator<Item = Change<'d>> + 's {
        trail.iter().filter_map(|(above, number)| {
            let key = above.entries().get(*number).and_then(|entry| self.document.key_text(entry));
            Some((above.anchor?, key))
        })
    }

    /// The aliases of the anchors, and those of the anchors around these aliases, and so on.
    ///
    /// An alias merged into a mapping that has the key itself, further down, does not see it: of a key above it,
    /// Helm takes what is merged in.
    fn reached<'k>(&self, mut changes: Vec<Change<'k>>) -> Vec<&AliasSite<'d>> {
        let mut seen: HashSet<Change<'k>> = HashSet::new();
        let mut widened = HashSet::new();
        let mut last_own = HashMap::new();
        let mut found = BTreeSet::new();
        while let Some((anchor, key)) = changes.pop() {
            if !seen.insert((anchor, key)) {
                continue;
            }
            for number in self.aliases.get(&anchor).into_iter().flatten() {
                let Some(site) = self.sites.get(*number) else { continue };
                let overridden = site.merged_into.zip(key).is_some_and(|(mapping, key)| {
                    let own = last_own.entry((std::ptr::from_ref(mapping), key)).or_insert_with(|| {
                        let own = mapping.entries().iter().filter(|entry| self.document.key_is(entry, key));
                        own.map(|entry| entry.key.start).max()
                    });
                    own.is_some_and(|own| own > site.node.start)
                });
                if overridden || !found.insert(*number) {
                    continue;
                }
                let mut around = site.around;
                while let Some(ring) = around.filter(|ring| widened.insert(*ring)) {
                    let Some(ring) = self.rings.get(ring) else { break };
                    changes.push((ring.anchor, None));
                    around = ring.outer;
                }
            }
        }
        found.into_iter().filter_map(|number| self.sites.get(number)).collect()
    }

    /// Visits what a step leads to; steps that lead to no alias are forgotten.
    fn below(&mut self, into: Into<'d>, before: Option<usize>, visit: impl FnOnce(&mut Self, Option<usize>)) {
        let (steps, sites) = (self.steps.len(), self.sites.len());
        self.steps.push(Step { into, before });
        visit(self, Some(steps));
        if self.sites.len() == sites {
            self.steps.truncate(steps);
        }
    }

    /// Depth is bounded by the document's.
    fn visit(
        &mut self,
        node: &'d Node,
        step: Option<usize>,
        around: Option<usize>,
        merged_into: Option<&'d Node>,
    ) {
        let around = match node.anchor {
            Some(anchor) => {
                self.rings.push(Ring { anchor, outer: around });
                Some(self.rings.len() - 1)
            }
            None => around,
        };
        match &node.value {
            Value::Alias { anchor } => {
                self.sites.push(AliasSite { node, anchor: *anchor, step, around, merged_into });
            }
            Value::Mapping { entries, .. } => {
                for entry in entries {
                    let key = self.document.key_text(entry).unwrap_or_default();
                    let merged_into = (key == "<<").then_some(node);
                    self.below(Into::Key(key), step, |all, step| {
                        all.visit(&entry.key, step, around, None);
                        all.visit(&entry.value, step, around, merged_into);
                    });
                }
            }
            Value::Sequence { items, .. } => {
                for (index, item) in items.iter().enumerate() {
                    self.below(Into::Index(index), step, |all, step| {
                        all.visit(item, step, around, merged_into);
                    });
                }
            }
            Value::Scalar { .. } => {}
        }
    }
}
