//! The server's repository: its list of refs, and packs from it.
//!
//! Every request here only reads, so each is tried three times within five seconds where the trouble
//! may pass. Errors say what the server answered and which permission or setting to change.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use git2::{AutotagOption, FetchOptions, Repository};
use reqwest::StatusCode;
use url::Url;

use super::Listing;
use super::listing::{self, Advertisement};
use super::transport::{Exchange, Link, Problem, within};
use crate::failure::{Failure, Kind, Place, Result};
use crate::http;
use crate::names::{CommitSha, RepoSlug};
use crate::secret::Secret;

/// Tries of one request, the first included.
const TRIES: u32 = 3;
/// No further try starts later than this after the first.
const PATIENCE: Duration = Duration::from_secs(5);

/// A repository on a server. Clones share connections and what was learned about the address.
#[derive(Clone)]
pub struct Remote {
    link: Arc<Link>,
    /// Where it should be, as people write it.
    home: Url,
    slug: RepoSlug,
    /// Where it answered, and what it can do.
    known: Arc<Mutex<Option<Known>>>,
}

#[derive(Clone)]
struct Known {
    base: Url,
    capabilities: String,
}

/// Why a fetch brought nothing.
pub(super) enum Refused {
    /// The server, or the way to it.
    Server(Problem),
    /// The server has no such object, or shows it to nobody: its ref was moved or deleted.
    Gone(Problem),
    /// What came does not fit what is here, or is no pack.
    Git(git2::Error),
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("url", &self.home.as_str()).finish_non_exhaustive()
    }
}

impl Remote {
    /// A repository on `server` (`https://github.com`), read with `token` where there is one.
    ///
    /// `runtime` drives the requests; calls block the thread they are made on, which must not be one
    /// that runs async code.
    ///
    /// # Errors
    /// When `server` is not an address of `http` or `https`.
    pub fn new(
        server: &str,
        slug: RepoSlug,
        token: Option<Secret>,
        client: http::Client,
        runtime: tokio::runtime::Handle,
    ) -> Result<Self> {
        let wrong = || {
            let text = server.escape_debug();
            Failure::new(Kind::Settings, format!("`{text}` is not the address of a git server"))
                .hinted("set `GITHUB_SERVER_URL`, as the runner does: `https://github.com`")
        };
        let mut home = Url::parse(server).map_err(|_| wrong())?;
        if !matches!(home.scheme(), "http" | "https")
            || !home.username().is_empty()
            || home.password().is_some()
        {
            // An address with a password is not shown.
            return Err(Failure::new(
                Kind::Settings,
                "the server's address must be `https://HOST` and hold no user or password",
            )
            .hinted("set `GITHUB_SERVER_URL`, as the runner does: `https://github.com`"));
        }
        home.set_query(None);
        home.set_fragment(None);
        home.set_path(&format!("{}/{}/{}", home.path().trim_end_matches('/'), slug.owner, slug.name));
        let token = token.filter(|token| !token.expose().is_empty());
        let link = Arc::new(Link { client, runtime, token });
        Ok(Self { link, home, slug, known: Arc::default() })
    }

    /// Reads the server's branches and tags, in one request.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses, and when the repository is empty.
    pub fn listing(&self) -> Result<Listing> {
        super::prepare()?;
        let listing = self.advertisement().map_err(|problem| self.failure(&problem))?.listing;
        if listing.branches.is_empty() && listing.tags.is_empty() {
            return Err(Failure::at(
                Kind::Git,
                self.place(),
                "the repository is empty: it has no branch and no tag",
            )
            .hinted("push a first commit"));
        }
        Ok(listing)
    }

    /// Owner and name.
    pub(super) fn slug(&self) -> &RepoSlug {
        &self.slug
    }

    /// The repository's address, for messages.
    pub(super) fn place(&self) -> Place {
        Place::of(self.home.as_str())
    }

    fn advertisement(&self) -> Result<Advertisement, Problem> {
        self.patiently(|| {
            let (bytes, base) = self.refs()?;
            let advertisement = listing::parse(&bytes).map_err(|why| Problem::NotGit { why })?;
            let known = Known { base, capabilities: advertisement.capabilities.clone() };
            *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
            Ok(advertisement)
        })
    }

    /// Asks at the address as it is, then with `.git`: some servers want one, some the other.
    fn refs(&self) -> Result<(Vec<u8>, Url), Problem> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known {
            return self.link.refs(&known.base);
        }
        match self.link.refs(&self.home) {
            Err(first @ (Problem::Status { code: StatusCode::NOT_FOUND, .. } | Problem::NotGit { .. })) => {
                let mut with_suffix = self.home.clone();
                with_suffix.set_path(&format!("{}.git", self.home.path()));
                self.link.refs(&with_suffix).map_err(|second| match second {
                    Problem::Status { code: StatusCode::NOT_FOUND, .. } | Problem::NotGit { .. } => first,
                    other => other,
                })
            }
            answer => answer,
        }
    }

    /// Fetches these objects, with everything they need, into `repository`, below `refs/promote/`.
    pub(super) fn fetch_into(&self, repository: &Repository, wanted: &[CommitSha]) -> Result<(), Refused> {
        self.patiently(|| self.try_fetch(repository, wanted))
    }

    fn try_fetch(&self, repository: &Repository, wanted: &[CommitSha]) -> Result<(), Refused> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(known) = known else {
            self.advertisement().map_err(Refused::Server)?;
            return self.try_fetch(repository, wanted);
        };
        // Named by their own id: two wants never share a ref, and a moved branch is not lost.
        let refs: Vec<(String, CommitSha)> =
            wanted.iter().map(|sha| (format!("refs/promote/{sha}"), sha.clone())).collect();
        let exchange = Arc::new(Exchange {
            link: Arc::clone(&self.link),
            base: known.base,
            refs: listing::advertise(&known.capabilities, &refs),
            problem: Mutex::new(None),
        });
        let specs: Vec<String> = refs.iter().map(|(name, _)| format!("+{name}:{name}")).collect();
        let fetched = within(&exchange, || {
            let mut options = FetchOptions::new();
            options.download_tags(AutotagOption::None).update_fetchhead(false);
            repository.remote_anonymous(self.home.as_str())?.fetch(&specs, Some(&mut options), None)
        });
        let problem = exchange.problem.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (fetched, problem) {
            (Ok(()), _) => Ok(()),
            // What upload-pack says of a want that no ref reaches.
            (Err(_), Some(Problem::Refusal { said })) if said.contains("not our ref") => {
                Err(Refused::Gone(Problem::Refusal { said }))
            }
            (Err(_), Some(problem)) => Err(Refused::Server(problem)),
            (Err(error), None) => Err(Refused::Git(error)),
        }
    }

    /// Tries again where it may help, and says so in the log.
    fn patiently<T, E: MayPass>(&self, attempt: impl Fn() -> Result<T, E>) -> Result<T, E> {
        let start = Instant::now();
        let mut tries = 1;
        loop {
            let error = match attempt() {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if let Some(pause) = error.limit().and_then(|limit| self.link.client.budget().take(limit)) {
                tracing::info!(server = %self.home, milliseconds = pause.as_millis(), "the git server limits the rate of requests, waiting");
                std::thread::sleep(pause);
                continue;
            }
            let pause = pause_after(tries);
            if tries == TRIES || !error.may_pass() || start.elapsed() + pause > PATIENCE {
                return Err(error);
            }
            tracing::info!(server = %self.home, "the git server did not answer well, trying again");
            std::thread::sleep(pause);
            tries += 1;
        }
    }

    /// What went wrong, for people.
    pub(super) fn failure(&self, problem: &Problem) -> Failure {
        let at = |message: String| Failure::at(Kind::Git, self.place(), message);
        match problem {
            Problem::Status { code, said, proxy, .. } => {
                let said = said.as_ref().map(|said| format!(", `{said}`")).unwrap_or_default();
                let answered = format!("the git server answered {code}{said}");
                match proxy {
                    Some((whose, hint)) => at(format!("{answered}: {whose}")).hinted(hint),
                    None => at(answered).hinted(self.hint_for(*code)),
                }
            }
            Problem::Elsewhere { to } => {
                at(format!("the git server redirects to `{to}`, another server, where the token is not sent"))
                    .hinted("set `GITHUB_SERVER_URL` to the address that answers itself")
            }
            Problem::Unreachable(trouble) => {
                let failure = at(format!("the git server {}", trouble.cause));
                trouble.hints.iter().fold(failure, Failure::hinted)
            }
            Problem::Cut { cause } => {
                at(format!("the git server's answer broke off: {cause}")).hinted("run again")
            }
            Problem::Refusal { said } => at(format!("the git server refuses: `{said}`"))
                .hinted("give the token `contents: read` on this repository, or run again"),
            Problem::NotGit { why } => at(format!("what answers is not a git server: {why}"))
                .hinted("check `GITHUB_SERVER_URL` and `GITHUB_REPOSITORY`"),
        }
    }

    fn hint_for(&self, code: StatusCode) -> &'static str {
        let token = self.link.token.is_some();
        match code {
            StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND if !token => {
                "set input `token`, and give the job `permissions: contents: read`: \
                 without a token a private repository looks as if it were not there"
            }
            StatusCode::UNAUTHORIZED => {
                "the token was not accepted: check that input `token` is whole and has not expired"
            }
            StatusCode::FORBIDDEN => {
                "grant `contents: read` to the token of input `token`: for the job's own token, under \
                 `permissions:` of the job (another one may have to be authorised for single sign-on)"
            }
            StatusCode::NOT_FOUND => {
                "check `GITHUB_REPOSITORY`, and give the token `contents: read`: \
                 to a token without it, a private repository looks as if it were not there"
            }
            code if code.is_server_error() || code == StatusCode::TOO_MANY_REQUESTS => {
                "this is the server's trouble and may pass: run again"
            }
            _ => "check `GITHUB_SERVER_URL` and `GITHUB_REPOSITORY`",
        }
    }
}

/// A quarter of a second, then a whole one, each give or take a third: many jobs start at once.
fn pause_after(tries: u32) -> Duration {
    let step = Duration::from_millis(if tries == 1 { 250 } else { 1000 });
    let mut byte = [128u8];
    // Without randomness the pause is merely even.
    let _ = getrandom::fill(&mut byte);
    step * (170 + u32::from(byte[0]) * 2 / 3) / 255
}

/// Whether the same request may do better in a moment.
trait MayPass {
    fn may_pass(&self) -> bool;

    /// How many seconds a rate limit asks to wait first.
    fn limit(&self) -> Option<u64>;
}

impl MayPass for Problem {
    fn may_pass(&self) -> bool {
        Problem::may_pass(self)
    }

    fn limit(&self) -> Option<u64> {
        Problem::limit(self)
    }
}

impl MayPass for Refused {
    fn may_pass(&self) -> bool {
        matches!(self, Self::Server(problem) if problem.may_pass())
    }

    fn limit(&self) -> Option<u64> {
        match self {
            Self::Server(problem) => problem.limit(),
            Self::Gone(_) | Self::Git(_) => None,
        }
    }
}
