//! What do reviewers see?
pub mod links;
pub mod markdown;
