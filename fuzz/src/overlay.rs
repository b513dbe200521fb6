//! The parts of `overlay` that know nothing of pins in files.

#[path = "../../src/overlay/editor/mod.rs"]
pub mod editor;
pub mod pins;
