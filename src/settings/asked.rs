//! What flags, inputs and a dispatch ask for, before the settings file is read.
//!
//! The file stands at the base branch's commit (rule 8), so base, tokens and the file's own path must
//! be known first. Where one of these is wrong the run stops at once; every other mistake waits for
//! those of the file, so that all are reported together.

use std::time::Duration;

use super::event::Event;
use super::file;
use super::github_app::{self, GitHubApp};
use super::inputs::{Given, Inputs};
use super::layer::{AppLayer, At, Layer};
use super::private_key::PrivateKey;
use super::request::Command;
use super::values::{self, Parsed};
use crate::failure::{Failure, Kind, Problem, Result};
use crate::names::{BranchName, RepoPath};
use crate::secret::Secret;

/// Where the settings file is unless `config` says otherwise.
pub const DEFAULT_CONFIG: &str = ".github/promote.yaml";

/// What is asked for, by precedence: a flag, an input, a dispatch.
#[derive(Debug, Clone)]
pub struct Asked {
    /// What to do.
    pub command: Command,
    /// Decide and show, write nothing; also on `plan`.
    pub dry_run: bool,
    /// Why, in the words of whoever asked.
    pub reason: Option<String>,
    /// A tag, version or commit asked for by name.
    pub tag: Option<String>,
    /// The settings file.
    pub config: RepoPath,
    /// What should be looked at, though nothing stops.
    pub warnings: Vec<Problem>,
    pub(super) config_named: Option<At<RepoPath>>,
    pub(super) trunk: Option<BranchName>,
    pub(super) base: Option<BranchName>,
    /// The base that the file named when it was read for the first time.
    pub(super) settled: Option<BranchName>,
    pub(super) apps: Option<At<Vec<String>>>,
    pub(super) from: Option<At<String>>,
    pub(super) to: Option<At<Vec<String>>>,
    pub(super) every_app: AppLayer,
    pub(super) everything: Layer,
    pub(super) problems: Vec<Problem>,
    /// How long an answer may take.
    pub request_timeout: Duration,
    /// How long all waiting for rate limits may take.
    pub rate_limit_wait: Duration,
    token: Option<Secret>,
    pull_request_token: Option<Secret>,
    github_app: Option<GitHubApp>,
}

/// How long an answer may take where nothing else was asked; GitHub itself gives up after 10 s.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long all waiting for rate limits may take where nothing else was asked.
const RATE_LIMIT_WAIT: Duration = Duration::from_mins(5);

impl Asked {
    /// The same for every app and target.
    pub(super) fn everywhere(&self) -> Self {
        Self { apps: None, to: None, ..self.clone() }
    }

    /// Whether the apps were chosen by name.
    pub fn names_apps(&self) -> bool {
        self.apps.is_some()
    }

    /// Joins what was asked in the three places.
    ///
    /// # Errors
    /// `command`, `config`, `trunk`, `base`, `request-timeout` or `rate-limit-wait` is not what it must be; the failure has the mistakes of
    /// the other inputs as well. Otherwise those are kept for [`super::resolve`].
    pub fn join(flags: Inputs, environment: Inputs, event: &Event) -> Result<Self> {
        let inputs = flags.or(environment).or(Inputs::from_dispatch(event));
        let mut texts = Texts { inputs: &inputs, problems: Vec::new() };
        let command = texts.one("command", values::word);
        let config_named = texts.one("config", values::path);
        let trunk = texts.one("trunk", values::branch);
        let base = texts.one("base", values::branch);
        let request_timeout = texts.one("request-timeout", values::request_timeout);
        let rate_limit_wait = texts.one("rate-limit-wait", values::rate_limit_wait);
        let unreadable = !texts.problems.is_empty();
        let command = command.map_or(Command::Run, |command| command.value);
        let asked = Self {
            command,
            dry_run: texts.one("dry-run", values::boolean).is_some_and(|dry| dry.value)
                || command != Command::Run,
            reason: texts.text("reason"),
            tag: texts.one("tag", values::tag).map(|tag| tag.value),
            config: match &config_named {
                Some(named) => named.value.clone(),
                None => RepoPath::parse(DEFAULT_CONFIG)?,
            },
            config_named,
            trunk: trunk.map(|trunk| trunk.value),
            base: base.map(|base| base.value),
            settled: None,
            apps: texts.list("app", values::name),
            from: texts.one("from", values::name),
            to: texts.list("to", values::name),
            every_app: AppLayer {
                tag_pattern: texts.one("tag-pattern", values::tag_pattern),
                ..AppLayer::default()
            },
            everything: texts.layer(),
            request_timeout: request_timeout.map_or(REQUEST_TIMEOUT, |timeout| timeout.value),
            rate_limit_wait: rate_limit_wait.map_or(RATE_LIMIT_WAIT, |wait| wait.value),
            token: texts.text("token").map(Secret::new),
            pull_request_token: texts.text("pull-request-token").map(Secret::new),
            github_app: texts.github_app(),
            problems: texts.problems,
            warnings: inputs.warnings,
        };
        match Failure::several(Kind::Settings, asked.problems.clone()) {
            Some(failure) if unreadable => Err(failure),
            _ => Ok(asked),
        }
    }

    /// The token that reads evidence and writes the check.
    ///
    /// # Errors
    /// None was given.
    pub fn token(&self) -> Result<&Secret> {
        self.token.as_ref().ok_or_else(|| {
            let missing = Failure::new(Kind::Settings, "there is no token")
                .hinted("leave `token` out under `with:`, so that the job's own is used, or give it a value")
                .hinted("outside Actions, set `GITHUB_TOKEN` in the environment");
            // Nothing can be read without one, so that the other mistakes are told now.
            let all = missing.into_problems().into_iter().chain(self.problems.iter().cloned());
            Failure::several(Kind::Settings, all.collect())
                .unwrap_or_else(|| Failure::new(Kind::Settings, "there is no token"))
        })
    }

    /// The token that writes commits and the pull request; `token` where no other was given.
    ///
    /// # Errors
    /// Neither was given.
    pub fn pull_request_token(&self) -> Result<&Secret> {
        self.pull_request_token.as_ref().map_or_else(|| self.token(), Ok)
    }

    /// The App whose token writes commits and the pull request, in place of those.
    pub fn github_app(&self) -> Option<&GitHubApp> {
        self.github_app.as_ref()
    }

    /// The branch to read the settings file on; absent: the default branch.
    pub fn base(&self) -> Option<&BranchName> {
        self.base.as_ref().or(self.settled.as_ref()).or(self.trunk.as_ref())
    }

    /// The base that the settings name, where nobody else does and it is not the branch `read_on`
    /// that they were read on: then they must be read again there, and count as they stand there.
    pub fn base_named_by_file(
        &self,
        path: &RepoPath,
        text: &str,
        read_on: &BranchName,
    ) -> Option<BranchName> {
        if self.base.is_some() || self.settled.is_some() {
            return None;
        }
        // A file that is not legible is reported by `resolve`.
        let settings = file::read(path, text).ok()?.settings;
        let trunk = settings.trunk.filter(|_| self.trunk.is_none());
        settings.base.or(trunk).map(|base| base.value).filter(|base| base != read_on)
    }

    /// The same, for settings that are read on the base they named.
    #[must_use]
    pub fn settled_on(mut self, base: BranchName) -> Self {
        self.settled = Some(base);
        self
    }
}

/// Inputs on their way to values.
struct Texts<'a> {
    inputs: &'a Inputs,
    problems: Vec<Problem>,
}

impl Texts<'_> {
    fn text(&self, name: &str) -> Option<String> {
        self.inputs.get(name).map(|given| given.text().to_owned())
    }

    fn one<T>(&mut self, name: &str, parse: impl Fn(&str) -> Parsed<T>) -> Option<At<T>> {
        let given = self.inputs.get(name)?;
        match parse(given.text()) {
            Ok(value) => Some(At::new(value, given.place.clone())),
            Err(wrong) => {
                self.problems.push(wrong.at(given.place.clone()));
                None
            }
        }
    }

    fn list<T>(&mut self, name: &str, parse: impl Fn(&str) -> Parsed<T>) -> Option<At<Vec<T>>> {
        let given = self.inputs.get(name)?;
        self.each(given, values::items(given.text()), parse)
    }

    /// Every item of a list, or nothing where one is wrong or there is none (`,`).
    fn each<T>(
        &mut self,
        given: &Given,
        items: Vec<&str>,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Option<At<Vec<T>>> {
        let before = self.problems.len();
        let mut values = Vec::new();
        for item in items {
            match parse(item) {
                Ok(value) => values.push(value),
                Err(wrong) => self.problems.push(wrong.at(given.place.clone())),
            }
        }
        let legible = self.problems.len() == before && !values.is_empty();
        legible.then(|| At::new(values, given.place.clone()))
    }

    fn github_app(&mut self) -> Option<GitHubApp> {
        let id = self.one("app-id", github_app::id);
        let key = self.one("private-key", PrivateKey::parse);
        let place = |name| self.inputs.get(name).map(|given| given.place.clone());
        let given = github_app::Given {
            id: place("app-id"),
            key: place("private-key"),
            token: place("pull-request-token"),
        };
        self.problems.extend(given.problem());
        Some(GitHubApp { id: id?.value, key: key?.value })
    }

    fn layer(&mut self) -> Layer {
        let evidence = self.inputs.get("evidence");
        Layer {
            evidence: evidence
                .and_then(|given| self.each(given, values::lines(given.text()), values::evidence)),
            evidence_at: self.one("evidence-at", values::word),
            soak: self.one("soak", values::duration),
            window: self.one("window", values::window),
            prereleases: self.one("prereleases", values::boolean),
            policy: self.list("policy", values::path),
            policy_data: self.list("policy-data", values::path),
            policy_mode: self.one("policy-mode", values::word),
            draft: self.one("draft", values::boolean),
            labels: self.list("labels", values::label),
            reviewers: self.list("reviewers", values::login),
            team_reviewers: self.list("team-reviewers", values::team),
            assignees: self.list("assignees", values::login),
            auto_merge: self.one("auto-merge", values::word),
            merge_at_once: self.one("merge-at-once", values::boolean),
            ..Layer::default()
        }
    }
}

#[cfg(test)]
mod tests;
