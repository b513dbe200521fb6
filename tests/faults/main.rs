//! What a network, a busy GitHub, a stopped job and other runs do to a promotion, at every one of its requests.
//!
//! Everything runs for real: the binary, the fake GitHub, git over HTTP. After at most one more run, GitHub is as an
//! undisturbed run leaves it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    missing_docs,
    reason = "tests may"
)]

mod concurrent;
mod flows;
mod killed;
mod matrix;
mod newer;
mod pool;
#[path = "../flow/scene.rs"]
#[allow(dead_code, reason = "shared with the tests of the flow, which use all of it")]
mod scene;
mod standing;
mod trial;

/// Says what was counted, also where a test that passes is not heard.
fn say(text: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").unwrap();
}
