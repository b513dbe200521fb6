//! The action for runners without Docker gets the release's binary, runs nothing else, and is the same action.
//!
//! The script is run as the runner runs it: the `env:` and `run:` of `standalone/action.yml`, by bash.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests may"
)]

mod download;
mod mirror;
mod promotion;
mod step;
