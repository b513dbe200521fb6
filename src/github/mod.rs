//! The GitHub edge: what is read from its API and what is written to it.
//!
//! Octocrab's types stay inside; what crosses is ours. It decides nothing: which evidence counts and
//! which action is right are pure questions asked elsewhere.

mod answer;
pub mod app;
pub mod checks;
pub mod client;
pub mod evidence;
pub mod git_data;
mod labels;
pub mod merging;
pub mod pulls;
pub mod reviews;
pub mod survey;
pub mod tags;

use crate::failure::Result;
use crate::http;
use crate::names::RepoSlug;
use crate::secret::Secret;
use app::InstallationToken;
use client::{Address, Client, Credential};

/// One repository on one server, with the tokens of this run.
#[derive(Debug)]
pub struct GitHub {
    /// Reads evidence, writes the check.
    reader: Client,
    /// Writes commits and the pull request.
    writer: Client,
    slug: RepoSlug,
}

/// The two tokens of a run.
#[derive(Debug)]
pub struct Tokens<'a> {
    /// Reads evidence, writes the check.
    pub token: &'a Secret,
    /// Writes commits and the pull request.
    pub writer: Writer<'a>,
}

/// Whose token writes commits and the pull request.
#[derive(Debug, Clone, Copy)]
pub enum Writer<'a> {
    /// The reader's.
    Reader,
    /// The one of the input `pull-request-token`.
    Token(&'a Secret),
    /// One that an App minted.
    App(&'a InstallationToken),
}

impl GitHub {
    /// Connects nothing yet.
    ///
    /// # Errors
    /// When an address or a token is not one.
    pub fn new(address: &Address, tokens: &Tokens<'_>, slug: RepoSlug, http: &http::Client) -> Result<Self> {
        let of_input = |token, input| Client::new(address, token, Credential::Input(input), http.clone());
        let reader = of_input(tokens.token, "token")?;
        let writer = match tokens.writer {
            Writer::Reader => of_input(tokens.token, "token")?,
            Writer::Token(token) => of_input(token, "pull-request-token")?,
            Writer::App(minted) => minted.client(address, http)?,
        };
        Ok(Self { reader, writer, slug })
    }

    /// `/repos/{owner}/{name}` and what follows.
    fn path(&self, rest: &str) -> String {
        format!("/repos/{}/{}{rest}", self.slug.owner, self.slug.name)
    }
}

/// Sets a field of a body that is an object.
fn set(body: &mut serde_json::Value, key: &str, value: serde_json::Value) {
    if let Some(body) = body.as_object_mut() {
        body.insert(key.to_owned(), value);
    }
}
