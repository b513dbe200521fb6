//! A part of a file that has rules of its own, seen as if it were all there is.
//!
//! An environment's own values in a file of several, the values inside a `HelmRelease`, one document of
//! many: whatever reads pins there asks by paths that start at the part, and never sees the rest.

use crate::overlay::editor::document::{Document, Node};
use crate::overlay::editor::key_path::KeyPath;

/// A part of a document.
#[derive(Clone)]
pub(in crate::overlay) struct Scope<'d> {
    document: &'d Document,
    base: KeyPath,
}

impl<'d> Scope<'d> {
    /// What stands at and below a path.
    pub(in crate::overlay) fn at(document: &'d Document, base: KeyPath) -> Self {
        Self { document, base }
    }

    /// A part of this part.
    pub(in crate::overlay) fn below(&self, path: &KeyPath) -> Self {
        Self { document: self.document, base: self.base.join(path) }
    }

    /// The path in the file of a path in the part.
    pub(in crate::overlay) fn in_file(&self, path: &KeyPath) -> KeyPath {
        self.base.join(path)
    }

    /// The node that a reader sees at a path of the part: aliases and `<<` are followed.
    pub(in crate::overlay) fn read(&self, path: &KeyPath) -> Option<&'d Node> {
        self.document.read(&self.base.join(path))
    }

    /// What an alias stands for; any other node stands for itself.
    pub(in crate::overlay) fn resolved(&self, node: &'d Node) -> &'d Node {
        self.document.resolved(node)
    }

    /// The text of a scalar, through an alias; empty for null and for what is no scalar.
    pub(in crate::overlay) fn text_of(&self, node: &'d Node) -> &'d str {
        self.document.resolved(node).as_str().unwrap_or_default()
    }

    /// The text under a key of a mapping of the part, where there is some.
    pub(in crate::overlay) fn text_at(&self, path: &KeyPath) -> Option<&'d str> {
        self.read(path)?.as_str().filter(|text| !text.is_empty())
    }

    /// Every scalar of the part, with its path there.
    pub(in crate::overlay) fn walk(&self) -> impl Iterator<Item = (KeyPath, &'d Node)> {
        let document = self.document;
        let root = document.read(&self.base);
        root.into_iter().flat_map(move |root| document.walk_below(KeyPath::root(0), root))
    }
}
