//! What changes? Pins, and the byte edits that move them from one overlay to another.

pub mod document;
pub mod edit;
mod followers;
pub mod key_path;
mod layout;
mod lookup;
mod planning;
mod proof;
pub mod quoting;
pub mod set;
mod splice;

mod artifacts;
mod carrying;
mod chart;
mod couple;
mod drift;
mod helm;
mod image;
mod kustomize;
mod movement;
mod overrides;
mod own;
mod pattern;
mod pins;
mod reading;
mod remote;
#[cfg(test)]
mod testing;
mod unpinned;

pub use carrying::{Carrying, carried_version, carries_release, carrying, version_means};
pub use movement::{FileEdit, Missing, Movement, movement};
pub use pattern::Pattern;
pub use pins::{OVERLAY_FILES, Overlay, Pin, PinKind, PinRules, pins, shared_pins};

pub use set::{bare_diff, unified_diff};

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
