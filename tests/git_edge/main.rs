//! The git edge against the real git: its server, its checkouts, its answers as the oracle.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::format_push_string,
    missing_docs,
    reason = "tests may"
)]

mod checkouts;
mod github;
mod questions;
mod server;
mod servers;
mod world;
