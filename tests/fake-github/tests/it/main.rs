//! The fake held against what is known of GitHub; one binary, so that it links once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::format_push_string,
    clippy::needless_pass_by_value,
    clippy::too_many_lines,
    clippy::manual_string_new,
    reason = "tests may"
)]

mod apps;
mod client;
mod enterprise;
mod faults;
mod flow;
mod issue_events;
mod operations;
mod ran;
mod refusals;
mod saved;
mod travel;
