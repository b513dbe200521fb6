//! How does a value change, and nothing else? Bytes are replaced, then proven.
//!
//! One way through: `document` reads, `lookup` finds, `planning` decides what an edit means or refuses
//! it, `splice` changes bytes, `proof` reads again. `edit` is the door; nothing here knows what a pin is.

pub mod document;
pub mod edit;
pub mod key_path;
pub mod quoting;
pub mod set;
pub mod tokens;

mod followers;
mod layout;
mod lookup;
mod planning;
mod proof;
mod spellings;
mod splice;
