//! The one state that REST, GraphQL, git, the pages and the driving methods all see.
//!
//! It lives behind a single mutex. Git objects and refs are not here: they are in the bare repositories
//! (`store.rs`), so that an API commit can be cloned and a push shows in the API.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

mod follow;
mod issue;
mod repo;
mod runs;

pub(crate) use issue::{AutoMerge, Comment, Happened, Issue, IssueEvent, IssueState, Label, Pull, Review};
pub use repo::RepoSettings;
pub(crate) use repo::{ByCommit, RepoState};
pub(crate) use runs::{CheckRunState, CheckSuite, DeploymentState, ReleaseState, RunState, StatusState};

use crate::app::Registered;
use crate::enterprise::Enterprise;
use crate::token::Token;

/// The whole fake: the site and its repositories.
pub(crate) struct World {
    pub site: Site,
    pub repos: BTreeMap<String, RepoState>,
    pub root: PathBuf,
}

/// What is not of one repository.
#[derive(Clone)]
pub(crate) struct Site {
    /// `http://127.0.0.1:PORT`
    pub base: String,
    /// The version of GitHub Enterprise Server it plays; none for github.com.
    pub enterprise: Option<Enterprise>,
    pub clock: Clock,
    pub tokens: Vec<Token>,
    pub people: BTreeMap<String, Person>,
    pub organisations: BTreeSet<String>,
    pub apps: BTreeMap<String, u64>,
    /// The Apps whose keys are known.
    pub registered: Vec<Registered>,
    pub limits: RateLimit,
    pub page_cap: Option<usize>,
    ids: BTreeMap<&'static str, u64>,
}

/// A person GitHub knows.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub name: Option<String>,
    pub email: String,
}

/// The primary rate limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateLimit {
    pub limit: u64,
    pub remaining: u64,
    pub reset: Timestamp,
}

/// The time that GitHub writes on things: the machine's, or one that a test fixed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    fixed: Option<Timestamp>,
    ahead: SignedDuration,
}

impl Clock {
    pub fn new(fixed: Option<Timestamp>) -> Self {
        Self { fixed, ahead: SignedDuration::ZERO }
    }

    /// The present, in whole seconds.
    pub fn now(self) -> Timestamp {
        let base = self.fixed.unwrap_or_else(Timestamp::now);
        let moved = base.checked_add(self.ahead).unwrap_or(base);
        Timestamp::from_second(moved.as_second()).unwrap_or(moved)
    }

    /// The present of those who sign: the machine's, as far ahead as this clock was moved. They know nothing of a
    /// moment that a test has fixed.
    pub fn signed(self) -> Timestamp {
        Self { fixed: None, ..self }.now()
    }

    pub fn fix(&mut self, at: Timestamp) {
        self.fixed = Some(at);
        self.ahead = SignedDuration::ZERO;
    }

    pub fn advance(&mut self, by: SignedDuration) {
        self.ahead = self.ahead.checked_add(by).unwrap_or(self.ahead);
    }
}

impl Site {
    pub fn new(base: String, now: Option<Timestamp>, page_cap: Option<usize>) -> Self {
        let clock = Clock::new(now);
        let reset = clock.now().checked_add(SignedDuration::from_hours(1)).unwrap_or(clock.now());
        Self {
            base,
            enterprise: None,
            clock,
            tokens: Vec::new(),
            people: BTreeMap::new(),
            organisations: BTreeSet::new(),
            apps: BTreeMap::from([("github-actions".to_owned(), 15_368)]),
            registered: Vec::new(),
            limits: RateLimit { limit: 5000, remaining: 5000, reset },
            page_cap,
            ids: BTreeMap::new(),
        }
    }

    /// The next id of a kind: deterministic, because each kind counts for itself.
    pub fn next_id(&mut self, kind: &'static str) -> u64 {
        let (index, first) = match kind {
            "repository" => (1, 1_000_001),
            "pull" => (2, 2_000_001),
            "run" => (3, 3_000_000_001),
            "check-run" => (4, 4_000_000_001),
            "check-suite" => (5, 5_000_000_001),
            _ => (9, 9_000_001),
        };
        let _ = index;
        let next = self.ids.entry(kind).or_insert(first);
        let id = *next;
        *next += 1;
        id
    }

    /// The id of an app, registering it when it is new.
    pub fn app_id(&mut self, slug: &str) -> u64 {
        if let Some(id) = self.apps.get(slug) {
            return *id;
        }
        let id = self.next_id("app");
        self.apps.insert(slug.to_owned(), id);
        id
    }

    /// Makes a person known, if they are not.
    pub fn know(&mut self, login: &str) {
        if login.ends_with("[bot]") {
            return;
        }
        self.people
            .entry(login.to_owned())
            .or_insert_with(|| Person { name: None, email: format!("{login}@users.noreply.github.com") });
    }

    /// The e-mail that commits by `login` carry.
    pub fn email(&self, login: &str) -> String {
        match self.people.get(login) {
            Some(person) => person.email.clone(),
            None => format!("{}+{login}@users.noreply.github.com", crate::shape::user_id(login)),
        }
    }
}

impl World {
    /// The repository of a full name, in any letter case.
    pub fn repo(&self, full_name: &str) -> Option<&RepoState> {
        self.repos.get(&full_name.to_lowercase())
    }

    /// The site and one repository, both to be changed.
    pub fn enter(&mut self, full_name: &str) -> Option<(&mut Site, &mut RepoState)> {
        let repo = self.repos.get_mut(&full_name.to_lowercase())?;
        Some((&mut self.site, repo))
    }

    /// Lets pull requests follow the refs, after any of them may have moved.
    pub fn follow_refs(&mut self, full_name: &str) {
        if let Some((site, repo)) = self.enter(full_name) {
            follow::follow_refs(site.clock.now(), repo);
        }
    }
}

/// An instant as GitHub prints it.
pub(crate) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
