//! The editor's own sources, built alone: the rest of `promote` would take minutes to build, and be fuzzed for nothing.

#![allow(dead_code, missing_docs, reason = "only the editor is under test")]

#[path = "../../src/failure.rs"]
pub mod failure;
#[path = "../../src/names.rs"]
pub mod names;
pub mod oracle;
pub mod overlay;
