//! The real binary against the fake GitHub, end to end: few runs, each for a rule of the design.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::single_match_else,
    missing_docs,
    reason = "tests may"
)]

#[path = "../case_runner/all.rs"]
mod all;
mod app;
mod approvals;
mod bad_input;
mod economy;

mod events;
mod evidence;
mod explain;
mod ghes;
mod hostile;
mod merging;
mod network;
mod people;
mod permissions;
mod proxy;
mod pull_request;
mod reconcile;
mod rendered;
mod scene;
mod strings;
mod workspace;
