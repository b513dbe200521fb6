//! Patterns over paths.

#[path = "../../../src/overlay/pins/pattern.rs"]
pub mod pattern;
