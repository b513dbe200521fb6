//! Who calls, and what they may do.
//!
//! A token's value never leaves this module in a recording or a debug print.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of account a token speaks for; GitHub treats them differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenKind {
    /// The `GITHUB_TOKEN` of a job.
    Actions,
    /// An installation token of a GitHub App.
    App,
    /// A person's token.
    User,
}

/// How much a permission allows; a greater level includes the lesser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing.
    None,
    /// Reading.
    Read,
    /// Writing, and reading.
    Write,
    /// Administration.
    Admin,
}

impl Level {
    /// The word in `X-Accepted-GitHub-Permissions`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// A token that the fake accepts.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Token {
    /// The secret itself.
    pub value: String,
    /// The account: `github-actions[bot]`, `my-app[bot]`, `alice`.
    pub login: String,
    /// The kind of account.
    pub kind: TokenKind,
    /// Permission to level; what is not named is not granted. `*` stands for all.
    #[serde(default)]
    pub permissions: BTreeMap<String, Level>,
    /// Full names of the repositories it sees; all when absent.
    #[serde(default)]
    pub repositories: Option<Vec<String>>,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("value", &"***")
            .field("login", &self.login)
            .field("kind", &self.kind)
            .field("permissions", &self.permissions)
            .finish_non_exhaustive()
    }
}

impl Token {
    /// A job's token with what a promotion needs: contents, pull requests, checks, statuses and issues to write,
    /// actions and deployments to read.
    #[must_use]
    pub fn actions(value: &str) -> Self {
        Self::bare(value, "github-actions[bot]", TokenKind::Actions)
            .allow("contents", Level::Write)
            .allow("pull_requests", Level::Write)
            .allow("actions", Level::Read)
            .allow("checks", Level::Write)
            .allow("statuses", Level::Write)
            .allow("deployments", Level::Read)
            .allow("issues", Level::Write)
    }

    /// An installation token of the app `slug`, with the same permissions as [`Token::actions`].
    #[must_use]
    pub fn app(value: &str, slug: &str) -> Self {
        let mut token = Self::actions(value);
        token.kind = TokenKind::App;
        token.login = format!("{slug}[bot]");
        token
    }

    /// A person's token with every permission.
    #[must_use]
    pub fn user(value: &str, login: &str) -> Self {
        Self::bare(value, login, TokenKind::User).allow("*", Level::Admin)
    }

    /// A token that may read metadata and nothing else.
    #[must_use]
    pub fn bare(value: &str, login: &str, kind: TokenKind) -> Self {
        let permissions = BTreeMap::from([("metadata".to_owned(), Level::Read)]);
        Self { value: value.to_owned(), login: login.to_owned(), kind, permissions, repositories: None }
    }

    /// Sets one permission.
    #[must_use]
    pub fn allow(mut self, permission: &str, level: Level) -> Self {
        self.permissions.insert(permission.to_owned(), level);
        self
    }

    /// Takes one permission away.
    #[must_use]
    pub fn deny(mut self, permission: &str) -> Self {
        self.permissions.remove(permission);
        self
    }

    /// Limits the token to these repositories (full names).
    #[must_use]
    pub fn only(mut self, repositories: &[&str]) -> Self {
        self.repositories = Some(repositories.iter().map(|name| (*name).to_owned()).collect());
        self
    }

    /// The level granted for a permission.
    #[must_use]
    pub fn level(&self, permission: &str) -> Level {
        let named = self.permissions.get(permission).or_else(|| self.permissions.get("*"));
        named.copied().unwrap_or(if permission == "metadata" { Level::Read } else { Level::None })
    }

    /// Whether a repository exists for this token.
    #[must_use]
    pub fn sees(&self, full_name: &str) -> bool {
        match &self.repositories {
            None => true,
            Some(names) => names.iter().any(|name| name.eq_ignore_ascii_case(full_name)),
        }
    }

    /// The app behind a bot's token.
    #[must_use]
    pub fn app_slug(&self) -> Option<&str> {
        self.login.strip_suffix("[bot]")
    }
}
