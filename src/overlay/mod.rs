//! What changes? Pins, and the byte edits that move them from one overlay to another.
//!
//! Three questions, a folder each: `editor` changes values in a file and proves that nothing else did,
//! `pins` says which values are versions, `movement` carries them from source to target.

pub mod editor;

mod carrying;
mod movement;
mod pins;
#[cfg(test)]
mod testing;

pub use carrying::{Carrying, carried_pin, carries_release, carrying, given_pins, is_told_by_value};
pub use editor::set::{bare_diff, unified_diff};
pub use movement::{FileEdit, Missing, Movement, movement};
pub use pins::files::{FileRule, LOCK_FILE, NamedFile, OVERLAY_FILES, Shape};
pub use pins::moving::is_moving;
pub use pins::pattern::Pattern;
pub use pins::rules::{DEFAULT_SET, PinRule, PinRules};
pub use pins::template::{Released, Template};
pub use pins::{Overlay, Pin, PinKind, pins, shared_pins};

use crate::names::RepoPath;

/// A file of an overlay, as git has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverlayFile {
    /// Path in the repository.
    pub path: RepoPath,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Git's mode: `0o100644` or `0o100755`; `0o120000` is a symbolic link.
    pub mode: u32,
}
