//! New values into a file, and not one other byte.
//!
//! `edited` reads the file once, works out what each edit means (or refuses it, all mistakes together),
//! splices bytes, and gives nothing back unless a second reading proves that exactly the named values
//! changed. It never writes a file and never re-emits YAML.

use crate::failure::{Problem, Result};
use crate::names::RepoPath;

use super::document::Document;
use super::key_path::KeyPath;
use super::planning::Planning;
use super::{proof, splice};

/// One change to a file; values are strings, taken literally.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Gives a scalar that is there a new value.
    Set {
        /// Where it stands.
        key: KeyPath,
        /// What it will be.
        value: String,
    },
    /// Adds a key to a mapping that is there.
    Add {
        /// Where the mapping stands.
        parent: KeyPath,
        /// The new key.
        key: String,
        /// Its value.
        value: String,
    },
    /// Removes a key with its value.
    Remove {
        /// Where the value stands.
        key: KeyPath,
    },
}

/// What to do about aliases that would follow an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchors {
    /// Edit, and warn with the names of those that follow.
    Follow,
    /// Refuse, unless each of those is itself set to the same value in the same call.
    Refuse,
}

/// The file as it will stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What changed, in the order of the edits; an edit that changes nothing is not listed.
    pub changes: Vec<EditedValue>,
    /// What the caller should be told.
    pub warnings: Vec<Problem>,
}

/// One changed value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditedValue {
    /// Where it stands, as it was asked for.
    pub key: KeyPath,
    /// 1-based line in the file as it will stand (where removed: as it stood).
    pub line: u32,
    /// The old text (of a collection: its source); empty where the value was left out, absent where the key is added.
    pub before: Option<String>,
    /// The new text; absent where the key is removed.
    pub after: Option<String>,
}

/// The file with all edits made, or none.
pub fn edited(path: &RepoPath, bytes: &[u8], edits: &[Edit], anchors: Anchors) -> Result<Edited> {
    let document = Document::parse(path, bytes)?;
    let (plan, warnings) = Planning::new(&document, edits, anchors).plan()?;
    let splices = splice::splices(&document, &plan)?;
    let after = splice::spliced(&document, splices)?;
    let lines = proof::proven_lines(&document, &plan, &after)?;
    let changes = plan.changes.iter().enumerate().filter_map(|(edit, change)| {
        let change = change.as_ref()?;
        let line = lines.get(&edit).copied().unwrap_or(change.line);
        Some(EditedValue { line, ..change.clone() })
    });
    let changes = changes.collect();
    Ok(Edited { bytes: after.into_bytes(), changes, warnings })
}

#[cfg(test)]
mod tests;
