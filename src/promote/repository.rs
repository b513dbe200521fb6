//! Observe what all promotions of a run share: the server's refs, the history behind them, and the
//! settings at the base commit (rule 8).
//!
//! Git comes first: it is one request however many tags there are.

use std::cell::{Cell, RefCell};
use std::path::Path;

use jiff::Timestamp;

use super::minted::Minted;
use super::observe::World;
use crate::failure::{Failure, Kind, Place, Problem, Result};
use crate::git::{History, Listing, Remote, Wanted};
use crate::github::client::Address;
use crate::github::{GitHub, Tokens, Writer};
use crate::http;
use crate::names::{BranchName, CommitSha, RepoPath};
use crate::plan;
use crate::release::Tag;
use crate::release::evidence::{Promoting, Refs};
use crate::runner::addresses::{Addresses, is_here};
use crate::runner::environment::Environment;
use crate::settings::{self, Asked, Event, Layout, Request, TagPattern};

/// How deep overlays may lie below `environments/`.
const DEPTH: usize = 8;

/// The repository as it was read, and what was asked of it.
pub struct Repository {
    /// The server's API.
    pub github: GitHub,
    /// The history of trunk, base and the promotion branches.
    pub history: History,
    /// The server's refs.
    pub listing: Listing,
    /// What was asked, with every default filled in.
    pub request: Request,
    /// Where the plan is made.
    pub place: plan::Repository,
    /// The head of trunk.
    pub trunk_head: CommitSha,
    /// Policies at base that this version cannot evaluate yet.
    pub rego: Vec<RepoPath>,
    /// What looks like settings and is none.
    pub unread: Vec<Problem>,
}

impl Repository {
    /// Observe: git, then the settings at the base commit.
    ///
    /// # Errors
    /// When the server cannot be read, and every mistake of the settings.
    pub async fn observed(
        asked: &Asked,
        event: &Event,
        environment: &Environment,
        minted: &Minted,
    ) -> Result<Self> {
        let slug = environment.repository()?;
        let addresses = environment.addresses()?;
        let http = client(asked, environment, addresses)?;
        let token = asked.token()?;
        let address = Address { rest: addresses.api.clone(), graphql: addresses.graphql.clone() };
        // What is no address or no token is told before anything is asked.
        let writer = Some(asked.pull_request_token()?).filter(|other| other.expose() != token.expose());
        let tokens = Tokens { token, writer: writer.map_or(Writer::Reader, Writer::Token) };
        let mut github = GitHub::new(&address, &tokens, slug.clone(), &http)?;
        let runtime = tokio::runtime::Handle::current();
        let remote =
            Remote::new(&addresses.server, slug.clone(), Some(token.clone()), http.clone(), runtime)?;

        let listing = blocking({
            let remote = remote.clone();
            move || remote.listing()
        })
        .await?;
        tracing::info!(repository = %slug, branches = listing.branches.len(), tags = listing.tags.len(), "read the list of branches and tags");
        let default =
            event.default_branch.clone().filter(|branch| listing.branches.contains_key(branch.as_str()));
        let Some(default) = default.or_else(|| listing.default_branch.clone()) else {
            return Err(Failure::new(Kind::Git, format!("`{slug}` has no default branch"))
                .hinted("name one with `trunk`"));
        };
        let first = asked.base().cloned().unwrap_or_else(|| default.clone());
        let (history, first_head) = opened(environment, &remote, &listing, &[&default, &first]).await?;

        let (asked, base, base_head) = match named_by_file(asked, &history, &first, &first_head)? {
            None => (asked.clone(), first, first_head),
            Some(base) => {
                let head = fetched(&history, &listing, &base)?;
                (asked.clone().settled_on(base.clone()), base, head)
            }
        };
        let file = file_at(&history, &base_head, &asked.config)?;
        let unread = unread_settings(&history, &base_head, &asked, file.is_some())?;
        let layout = Layout::below_environments(history.files_below(
            &base_head,
            &RepoPath::parse(settings::ENVIRONMENTS)?,
            DEPTH,
        )?);
        let request = settings::resolve(
            &asked,
            file.as_ref().map(|text| (&asked.config, text.as_str())),
            &layout,
            &slug.name,
        )?;
        // Not before the settings are known to be right.
        if let Some(app) = asked.github_app() {
            let minted = minted.token(&address, &http, app, &slug, environment.audience).await?;
            github =
                GitHub::new(&address, &Tokens { token, writer: Writer::App(minted) }, slug.clone(), &http)?;
        }
        let trunk = request.trunk.clone().unwrap_or(default);
        let trunk_head = fetched(&history, &listing, &trunk)?;
        let repository = plan::Repository {
            url: format!("{}/{slug}", addresses.server),
            owner: slug.owner,
            name: slug.name,
            base,
            commit: base_head.clone(),
            trunk,
        };
        tracing::info!(
            base = %repository.base,
            commit = base_head.short(),
            trunk = %repository.trunk,
            settings = %file.as_ref().map_or("none: the defaults hold", |_| asked.config.as_str()),
            promotions = request.promotions.len(),
            "read the settings"
        );
        let rego = rego_at(&history, &base_head, &request)?;
        Ok(Self { github, history, listing, request, place: repository, trunk_head, rego, unread })
    }

    /// What all promotions of the run have in common.
    pub fn world<'w>(&'w self, event: &'w Event, environment: &Environment) -> World<'w> {
        let tags = self.listing.tags.iter().map(|tag| Tag {
            name: tag.name.clone(),
            commit: tag.commit.clone(),
            object: tag.object.clone(),
        });
        World {
            github: &self.github,
            history: &self.history,
            repository: self.place.clone(),
            trunk_head: self.trunk_head.clone(),
            tags: tags.collect(),
            patterns: {
                let all = self.request.everywhere.iter().chain(&self.request.promotions);
                let mut patterns: Vec<TagPattern> = all.map(|one| one.tag_pattern.clone()).collect();
                patterns.sort_by(|a, b| a.as_str().cmp(b.as_str()));
                patterns.dedup_by(|a, b| a.as_str() == b.as_str());
                patterns
            },
            promoting: Promoting {
                path: environment.workflow_path(),
                name: environment.get("GITHUB_WORKFLOW").map(str::to_owned),
                run: environment.get("GITHUB_RUN_ID").and_then(|id| id.parse().ok()),
            },
            trigger: &event.trigger,
            now: Timestamp::now(),
            requested_by: environment
                .get("GITHUB_TRIGGERING_ACTOR")
                .map(str::to_owned)
                .or_else(|| event.sender.clone()),
            reason: self.request.reason.clone(),
            asked: self.request.tag.clone(),
            refs: Refs::new(
                self.listing.tags.iter().map(|tag| (tag.name.clone(), tag.commit.clone())),
                self.listing.branches.keys().cloned(),
            ),
            heard: RefCell::default(),
            seen: RefCell::default(),
            one_by_one: Cell::default(),
            workflows: RefCell::default(),
            steps: RefCell::default(),
            defaults: RefCell::default(),
        }
    }
}

/// The HTTP client of the run; it is said where a token would be seen on its way.
fn client(asked: &Asked, environment: &Environment, addresses: &Addresses) -> Result<http::Client> {
    let http = http::Client::new(&environment.variables, asked.request_timeout, asked.rate_limit_wait)?;
    if addresses.in_clear().any(|address| !is_here(&address) || http.uses_proxy(&address)) {
        tracing::warn!(server = %addresses.server, "the server's address is not https: the token goes over the network in clear");
    }
    Ok(http)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Failure::new(Kind::Git, "reading git was cut short").because(error)),
    }
}

/// The history of some branches and of every promotion branch, and the head of the last one named.
async fn opened(
    environment: &Environment,
    remote: &Remote,
    listing: &Listing,
    branches: &[&BranchName],
) -> Result<(History, CommitSha)> {
    let mut wanted = Vec::new();
    for branch in branches {
        wanted.push(Wanted { reference: branch.full(), sha: head_in(listing, branch)? });
    }
    for (name, sha) in listing.branches.iter().filter(|(name, _)| name.starts_with("promote/")) {
        wanted.push(Wanted { reference: format!("refs/heads/{name}"), sha: sha.clone() });
    }
    wanted.sort_by(|a, b| a.reference.cmp(&b.reference));
    wanted.dedup();
    let (workspace, temp, remote) = (environment.workspace.clone(), environment.temp.clone(), remote.clone());
    let history = blocking(move || History::open(Some(&workspace), &temp, &remote, &wanted)).await?;
    let last = branches.last().map(|branch| fetched(&history, listing, branch));
    let head = last.unwrap_or_else(|| Err(Failure::new(Kind::Git, "no branch was named")))?;
    Ok((history, head))
}

fn head_in(listing: &Listing, branch: &BranchName) -> Result<CommitSha> {
    listing.branches.get(branch.as_str()).cloned().ok_or_else(|| {
        let mut names: Vec<&str> = listing
            .branches
            .keys()
            .map(String::as_str)
            .filter(|name| !name.starts_with("promote/"))
            .take(5)
            .collect();
        names.sort_unstable();
        Failure::new(Kind::Git, format!("there is no branch `{branch}`"))
            .hinted(format!("branches are `{}`; `trunk` and `base` name the ones to use", names.join("`, `")))
    })
}

/// The head of a branch, fetched if it is not here yet.
fn fetched(history: &History, listing: &Listing, branch: &BranchName) -> Result<CommitSha> {
    let sha = head_in(listing, branch)?;
    if !history.contains(&sha) {
        let wanted = [Wanted { reference: branch.full(), sha: sha.clone() }];
        tokio::task::block_in_place(|| history.fetch(&wanted))?;
    }
    Ok(history.head_of(&branch.full()).unwrap_or(sha))
}

fn named_by_file(
    asked: &Asked,
    history: &History,
    read_on: &BranchName,
    head: &CommitSha,
) -> Result<Option<BranchName>> {
    let text = file_at(history, head, &asked.config)?;
    Ok(text.and_then(|text| asked.base_named_by_file(&asked.config, &text, read_on)))
}

/// A file that is called almost like the settings is a mistake that nobody would see.
fn unread_settings(
    history: &History,
    base: &CommitSha,
    asked: &Asked,
    there_are_settings: bool,
) -> Result<Vec<Problem>> {
    let mut warnings = Vec::new();
    for name in [".github/promote.yml", "promote.yaml", "promote.yml"] {
        let path = RepoPath::parse(name)?;
        let is_read = there_are_settings && asked.config == path;
        // At the root any tool may have such a file; it is suspicious where no settings are.
        let is_suspicious = name.starts_with(".github/") || !there_are_settings;
        if is_read || !is_suspicious || history.file(base, &path)?.is_none() {
            continue;
        }
        let config = &asked.config;
        warnings.push(Problem {
            place: Some(Place::of(name)),
            message: format!("this file is not read: the settings are in `{config}`"),
            hints: vec![format!(
                "rename it to `{}`, or name it by the input `config`",
                settings::DEFAULT_CONFIG
            )],
        });
    }
    Ok(warnings)
}

fn file_at(history: &History, commit: &CommitSha, path: &RepoPath) -> Result<Option<String>> {
    let Some(file) = history.file(commit, path)? else { return Ok(None) };
    String::from_utf8(file.bytes).map(Some).map_err(|error| {
        Failure::at(Kind::Settings, Place::of(path.as_str()), "the settings file is not UTF-8")
            .hinted("save it as UTF-8")
            .because(error)
    })
}

/// The policies at base that this version cannot evaluate yet.
fn rego_at(history: &History, base: &CommitSha, request: &Request) -> Result<Vec<RepoPath>> {
    let mut rego = Vec::new();
    for policy in std::iter::once(&request.policy).chain(request.promotions.iter().map(|p| &p.policy)) {
        for folder in &policy.folders {
            let files = history.files_below(base, folder, DEPTH)?;
            if files.is_empty() && policy.named {
                return Err(Failure::new(
                    Kind::Settings,
                    format!("there is no policy folder `{folder}` on `{}`", base.short()),
                )
                .hinted("commit it to the base branch, or correct `policy`"));
            }
            let is_rego = |file: &RepoPath| Path::new(file.as_str()).extension().is_some_and(|e| e == "rego");
            rego.extend(files.into_iter().filter(is_rego));
        }
    }
    rego.sort();
    rego.dedup();
    Ok(rego)
}
