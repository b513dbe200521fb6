//! A stateful GitHub over real bare git repositories, for tests and the quickstart.
//!
//! One address serves REST (`/api/v3`), GraphQL (`/api/graphql`), git (by the real `git http-backend`), pages for a
//! person and an admin API (`/_fake`); all see one state. It refuses what GitHub refuses, and records all traffic so
//! that the record can be held against GitHub's published contract. It never leaves the loopback interface.
//!
//! - [`FakeGitHub`] and [`Repo`]: starting and driving it;
//! - [`facts`]: what a test may say has happened;
//! - [`Saved`]: a state to return to;
//! - [`Token`], [`App`], [`Fault`], [`Exchange`]: who calls, what goes wrong, what was said;
//! - [`Tls`], [`Proxy`]: an authority of its own, and the way to a server through somebody else;
//! - [`runner`]: the environment that the Actions runner gives a step, and its files read back.

// Objects of GitHub are long, and `json!` recurses per field.
#![recursion_limit = "512"]
#![allow(clippy::similar_names, reason = "`site` and `suite`, `sha` and `shown` are the words of the trade")]
#![allow(clippy::format_push_string, clippy::format_collect, reason = "pages are small, and read better so")]

mod admin;
mod app;
mod driver;
mod enterprise;
mod events;
pub mod facts;
mod faults;
mod git_http;
mod graphql;
mod pages;
mod proxy;
mod repo;
mod rest;
pub mod runner;
mod saved;
mod server;
mod shape;
mod state;
mod store;
mod tags;
mod tls;
mod token;
mod traffic;

pub use app::App;
pub use driver::{FakeGitHub, Options};
pub use facts::{
    CheckRun, Commit, Deployment, DeploymentStatus, Job, Release, Status, Workflow, WorkflowRun,
};
pub use faults::{Effect, Fault, On};
pub use proxy::{Asked, Manner, Proxy};
pub use repo::{PullView, Repo};
pub use saved::Saved;
pub use state::RepoSettings;
pub use tls::Tls;
pub use token::{Level, Token, TokenKind};
pub use traffic::{Exchange, Surface};
