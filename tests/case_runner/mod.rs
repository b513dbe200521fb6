//! Reads a case, makes its GitHub, runs the binary on it, and writes down what does not vary.

#![allow(dead_code, unused_imports, reason = "each test uses its own part")]

pub mod all;
mod case;
mod history;
mod normal;
mod run;

pub use case::{Case, Expect};
pub use history::Manner;
pub use run::{choice_of, plan_of};

/// The files a case may expect, in the order of [`Expectations`].
pub const EXPECTATIONS: [&str; 4] = ["plan.json", "overlay.diff", "body.md", "said.txt"];

/// The texts of these files; an empty text is no file.
pub type Expectations = [String; 4];

/// Whether a variable asks for something.
pub fn is_set(variable: &str) -> bool {
    std::env::var(variable).is_ok_and(|value| !matches!(value.as_str(), "" | "0"))
}
