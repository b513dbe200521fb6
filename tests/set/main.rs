//! `promote set` from outside: the real binary on real files, as a pipeline's step runs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests may"
)]

mod agreed;
mod limits;
mod place;
mod replacing;
