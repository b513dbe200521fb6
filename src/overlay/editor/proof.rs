//! The second reading: does the edited text mean what was asked, and nothing else?
//!
//! Every token of the new text is held against the old tree: structure, text, style, anchors, aliases,
//! tags and document marks must be equal except at the planned places, where the new value must stand,
//! as a string to every reader. A difference is an error of ours, and nothing is written.

use std::collections::HashMap;

use crate::failure::{Failure, Kind, Place, Result};

use super::document::{Document, Entry, Node, ScalarStyle, Value};
use super::planning::{Group, Plan, Slot};
use super::quoting;
use super::tokens::{Part, Token, tokens};

/// The line of each edit in the new text, once the text is proven.
pub(super) fn proven_lines(document: &Document, plan: &Plan<'_>, after: &str) -> Result<HashMap<usize, u32>> {
    let mut proof = Proof {
        document,
        plan,
        tokens: tokens(document.path(), after),
        anchors: HashMap::new(),
        lines: HashMap::new(),
        last: 1,
    };
    for (root, start) in document.roots().iter().zip(&document.starts) {
        let token = proof.next()?;
        let (explicit, version) = *start;
        proof.hold(token.part == Part::Document { explicit, version })?;
        proof.node(root)?;
    }
    match proof.tokens.next() {
        None => Ok(proof.lines),
        Some(_) => Err(proof.failure()),
    }
}

/// What should not happen has happened.
pub(super) fn broken() -> Failure {
    Failure::new(Kind::Overlay, "the edit cannot be made safely; nothing was written")
        .hinted("edit this value by hand, and please report the file's shape")
}

struct Proof<'a, T> {
    document: &'a Document,
    plan: &'a Plan<'a>,
    tokens: T,
    /// Old numbers of anchors to new ones.
    anchors: HashMap<usize, usize>,
    lines: HashMap<usize, u32>,
    last: u32,
}

impl<'a, T: Iterator<Item = Result<Token<'a>>>> Proof<'a, T> {
    /// Depth is bounded by the document's.
    fn node(&mut self, old: &Node) -> Result<()> {
        let new = self.next()?;
        let anchor = old.anchor.map(|number| self.document.anchor_name(number));
        self.hold(anchor == new.anchor.as_ref().map(|anchor| anchor.name.as_str()))?;
        let tag = self.document.tags.get(&old.start).filter(|_| old.tagged);
        self.hold(tag == new.tag.as_ref().map(|tag| &tag.0))?;
        if let (Some(old), Some(new)) = (old.anchor, &new.anchor) {
            self.anchors.insert(old, new.number);
        }
        let address = std::ptr::from_ref(old);
        if let Some(edit) = self.plan.watched.get(&address) {
            self.lines.insert(*edit, new.line);
        }
        if let Some(set) = self.plan.sets.get(&address) {
            self.lines.insert(set.edit, new.line);
            return self.hold(is_string(&new.part, &set.value));
        }
        match &old.value {
            Value::Scalar { text, style } => {
                self.hold(matches!(&new.part, Part::Scalar { text: t, style: s } if t == text && s == style))
            }
            Value::Alias { anchor } => {
                let number = self.anchors.get(anchor).copied();
                self.hold(matches!(new.part, Part::Alias { anchor } if Some(anchor) == number))
            }
            Value::Sequence { items, flow } => {
                self.hold(new.part == Part::Sequence { flow: *flow })?;
                for item in items {
                    self.node(item)?;
                }
                self.end()
            }
            Value::Mapping { entries, flow } => {
                self.hold(new.part == Part::Mapping { flow: *flow })?;
                self.entries(old, entries)?;
                self.end()
            }
        }
    }

    fn entries(&mut self, mapping: &Node, entries: &[Entry]) -> Result<()> {
        let address = std::ptr::from_ref(mapping);
        let group = self.plan.grouped.get(&address).and_then(|number| self.plan.groups.get(number));
        let slots = group.map_or_else(|| (0..entries.len()).map(Slot::Old).collect(), Group::slots);
        for slot in slots {
            match slot {
                Slot::Old(number) => {
                    let Some(entry) = entries.get(number) else { return Err(self.failure()) };
                    self.node(&entry.key)?;
                    self.node(&entry.value)?;
                }
                Slot::New(added) => {
                    self.string(&added.key)?;
                    let line = self.string(&added.value)?;
                    self.lines.insert(added.edit, line);
                }
            }
        }
        Ok(())
    }

    fn string(&mut self, text: &str) -> Result<u32> {
        let new = self.next()?;
        self.hold(is_string(&new.part, text) && new.anchor.is_none() && new.tag.is_none())?;
        Ok(new.line)
    }

    fn end(&mut self) -> Result<()> {
        let token = self.next()?;
        self.hold(token.part == Part::End)
    }

    fn next(&mut self) -> Result<Token<'a>> {
        match self.tokens.next() {
            Some(Ok(token)) => {
                self.last = token.line;
                Ok(token)
            }
            Some(Err(failure)) => Err(self.failure().because(failure)),
            None => Err(self.failure()),
        }
    }

    fn hold(&self, holds: bool) -> Result<()> {
        if holds { Ok(()) } else { Err(self.failure()) }
    }

    fn failure(&self) -> Failure {
        let place = Place { line: Some(self.last), ..Place::of(self.document.path().as_str()) };
        let mut problems = broken().into_problems();
        for problem in &mut problems {
            problem.place = Some(place.clone());
        }
        Failure::several(Kind::Overlay, problems).unwrap_or_else(broken)
    }
}

/// Whether a token is this text, and a string in YAML 1.1 as in 1.2.
fn is_string(part: &Part<'_>, value: &str) -> bool {
    matches!(part, Part::Scalar { text, style }
        if text == value && (*style != ScalarStyle::Plain || quoting::is_string(text)))
}

#[cfg(test)]
mod tests;
