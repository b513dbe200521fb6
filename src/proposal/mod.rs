//! What do reviewers see?
pub mod markdown;
