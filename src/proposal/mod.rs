//! What do reviewers see?
pub mod links;
pub mod markdown;
#[cfg(test)]
pub(crate) mod sample;
