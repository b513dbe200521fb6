//! What was asked? Inputs, the event and the settings file, resolved into one [`Request`].
//!
//! Reads nothing itself: the environment comes from `runner/`, the file's text from `git.rs`, at
//! the base commit (rule 8).

mod apps;
mod asked;
pub mod cli;
mod event;
mod file;
mod github_app;
mod inputs;
mod layer;
mod layers;
mod layout;
mod private_key;
mod reader;
mod request;
mod resolve;
mod schema;
mod table;
mod values;

pub use asked::{Asked, DEFAULT_CONFIG};
pub use event::{EVENTS, Event, Fate, Origin, Trigger, WorkflowRun};
pub use github_app::GitHubApp;
pub use inputs::{Given, Inputs};
pub use layout::{ENVIRONMENTS, Layout};
pub use private_key::PrivateKey;
pub use request::*;
pub use resolve::resolve;
pub use schema::{plan_schema, settings_schema};
pub use table::{DISPATCH, INPUTS, Input, OUTPUTS, Output, Shape, input_named};
