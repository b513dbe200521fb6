//! Starting a fake GitHub and driving what is not of one repository.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use jiff::{SignedDuration, Timestamp};

use crate::app::{App, register};
use crate::enterprise::Enterprise;
use crate::faults::{Armed, Fault};
use crate::repo::Repo;
use crate::server::{Listener, Shared, listen, locked};
use crate::state::{Person, RepoSettings, RepoState, Site, World};
use crate::store::Store;
use crate::tls::{Identity, Tls};
use crate::token::Token;
use crate::traffic::{Exchange, Recorder, Surface};

/// How a fake GitHub starts.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The port; 0 takes a free one.
    pub port: u16,
    /// A fixed present, so that times are the same in every run.
    pub now: Option<Timestamp>,
    /// The most entries that a page may have, whatever `per_page` asks for.
    pub page_cap: Option<usize>,
    /// A file to which every exchange and event is appended as a line of JSON; else the one that the
    /// environment names as `FAKE_GITHUB_RECORD`.
    pub record: Option<PathBuf>,
    /// Speaks TLS, at an `https` address.
    pub tls: Option<Tls>,
    /// Plays a GitHub Enterprise Server of this version, `3.17.0`, with what that version lacks.
    pub enterprise: Option<String>,
}

/// A running fake GitHub; stops when dropped.
pub struct FakeGitHub {
    // Declared first, so that the listener stops before the folder goes.
    _listener: Listener,
    shared: Arc<Shared>,
    ca_file: Option<PathBuf>,
    _folder: tempfile::TempDir,
}

impl FakeGitHub {
    /// Starts on the loopback interface, on a thread of its own.
    pub fn start(options: &Options) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("fake-github-").tempdir()?;
        let (root, options) = (folder.path().to_owned(), options.clone());
        let identity = options.tls.as_ref().map(|tls| Identity::new(tls, &root)).transpose()?;
        let ca_file = identity.as_ref().map(|identity| identity.ca_file.clone());
        let enterprise = options.enterprise.as_deref().map(Enterprise::parse).transpose()?;
        let (listener, shared) = listen(options.port, identity, |base| {
            let mut site = Site::new(base.clone(), options.now, options.page_cap);
            site.enterprise = enterprise;
            let world = World { site, repos: std::collections::BTreeMap::new(), root };
            Ok(Shared {
                base,
                world: Mutex::new(world),
                faults: Mutex::default(),
                held: AtomicUsize::default(),
                recorder: Recorder::new(options.record.as_deref())?,
                last_request: Mutex::new(Instant::now()),
            })
        })?;
        Ok(Self { _listener: listener, shared, ca_file, _folder: folder })
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The certificate of the authority that vouches for this server, for `SSL_CERT_FILE`; none without TLS.
    #[must_use]
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// The server address, `http://127.0.0.1:PORT`; git and pages are below it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.shared.base
    }

    /// The REST address, as in `GITHUB_API_URL`.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("{}/api/v3", self.shared.base)
    }

    /// The GraphQL address, as in `GITHUB_GRAPHQL_URL`.
    #[must_use]
    pub fn graphql_url(&self) -> String {
        format!("{}/api/graphql", self.shared.base)
    }

    /// Makes an empty repository `owner/name` whose default branch is `main`; the owner becomes an organisation.
    pub fn create_repo(&self, full_name: &str) -> anyhow::Result<Repo> {
        create_repo(&self.shared, full_name, RepoSettings::default())?;
        Ok(Repo::new(self.shared.clone(), full_name))
    }

    /// A repository that was made before.
    pub fn repo(&self, full_name: &str) -> anyhow::Result<Repo> {
        let known = locked(&self.shared.world).repo(full_name).is_some();
        if known {
            Ok(Repo::new(self.shared.clone(), full_name))
        } else {
            bail!("no repository `{full_name}`")
        }
    }

    /// Accepts a token from now on; one of the same value is replaced.
    pub fn add_token(&self, token: Token) {
        add_token(&self.shared, token);
    }

    /// Registers an App, or replaces the one of the same slug; returns its id.
    pub fn add_app(&self, app: App) -> anyhow::Result<u64> {
        register(&mut locked(&self.shared.world).site, app)
    }

    /// Makes a person known: their login can be asked for reviews and maps from this e-mail.
    pub fn add_person(&self, login: &str, name: &str, email: &str) {
        let person = Person { name: Some(name.to_owned()), email: email.to_owned() };
        locked(&self.shared.world).site.people.insert(login.to_owned(), person);
    }

    /// Arms a fault.
    pub fn inject(&self, fault: Fault) -> anyhow::Result<()> {
        inject(&self.shared, fault)
    }

    /// Disarms all faults.
    pub fn clear_faults(&self) {
        locked(&self.shared.faults).clear();
    }

    /// How many requests faults hold now.
    #[must_use]
    pub fn held(&self) -> usize {
        self.shared.held.load(Ordering::Relaxed)
    }

    /// Every REST, GraphQL and git exchange since the start or the last clearing, oldest first.
    #[must_use]
    pub fn traffic(&self) -> Vec<Exchange> {
        self.shared.recorder.all()
    }

    /// Forgets the recorded exchanges (a record file keeps them).
    pub fn clear_traffic(&self) {
        self.shared.recorder.clear();
    }

    /// REST requests that met no operation of the fake, as `METHOD path`: a test should see none.
    #[must_use]
    pub fn unknown_routes(&self) -> Vec<String> {
        unknown_routes(&self.shared)
    }

    /// Fixes the present.
    pub fn set_now(&self, now: Timestamp) {
        locked(&self.shared.world).site.clock.fix(now);
    }

    /// Moves the present forward.
    pub fn advance(&self, by: SignedDuration) {
        locked(&self.shared.world).site.clock.advance(by);
    }

    /// The present, in whole seconds.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        locked(&self.shared.world).site.clock.now()
    }

    /// Sets what is left of the primary rate limit and when it starts again.
    pub fn set_rate_limit(&self, remaining: u64, reset: Timestamp) {
        let mut world = locked(&self.shared.world);
        world.site.limits.remaining = remaining;
        world.site.limits.reset = reset;
    }

    /// Caps the length of pages, or lets them be as long as asked.
    pub fn set_page_cap(&self, cap: Option<usize>) {
        locked(&self.shared.world).site.page_cap = cap;
    }

    /// How long ago the last request came.
    #[must_use]
    pub fn idle(&self) -> Duration {
        locked(&self.shared.last_request).elapsed()
    }
}

pub(crate) fn unknown_routes(shared: &Shared) -> Vec<String> {
    let all = shared.recorder.all();
    let unknown = |exchange: &&Exchange| {
        exchange.surface == Surface::Rest && exchange.route.is_none() && exchange.status == Some(404)
    };
    all.iter().filter(unknown).map(|exchange| format!("{} {}", exchange.method, exchange.path)).collect()
}

pub(crate) fn add_token(shared: &Shared, token: Token) {
    let mut world = locked(&shared.world);
    let site = &mut world.site;
    site.know(&token.login);
    if let (Some(slug), true) = (token.app_slug(), token.kind == crate::token::TokenKind::App) {
        site.app_id(slug);
    }
    site.tokens.retain(|other| other.value != token.value);
    site.tokens.push(token);
}

pub(crate) fn inject(shared: &Shared, fault: Fault) -> anyhow::Result<()> {
    let armed = Armed::new(fault).context("the fault's expressions")?;
    locked(&shared.faults).push(armed);
    Ok(())
}

pub(crate) fn create_repo(shared: &Shared, full_name: &str, settings: RepoSettings) -> anyhow::Result<()> {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let (owner, name) = full_name.split_once('/').context("a repository is named `owner/name`")?;
    if !plain(owner) || !plain(name) || name.to_lowercase().ends_with(".git") {
        bail!("`{full_name}` is no repository name");
    }
    let mut world = locked(&shared.world);
    if world.repo(full_name).is_some() {
        bail!("`{full_name}` is there already");
    }
    let path = world.root.join(owner).join(format!("{name}.git"));
    let store = Store::create(&path, "main")?;
    store.protect(&settings.protected_branches)?;
    let site = &mut world.site;
    if !site.people.contains_key(owner) {
        site.organisations.insert(owner.to_owned());
    }
    let repo = RepoState {
        id: site.next_id("repository"),
        owner: owner.to_owned(),
        name: name.to_owned(),
        default_branch: "main".to_owned(),
        created_at: site.clock.now(),
        settings,
        store,
        issues: Vec::new(),
        labels: Vec::new(),
        collaborators: std::collections::BTreeMap::new(),
        check_suites: Vec::new(),
        check_runs: Vec::new(),
        statuses: Vec::new(),
        deployments: Vec::new(),
        by_commit: crate::state::ByCommit::default(),
        workflows: Vec::new(),
        runs: Vec::new(),
        releases: Vec::new(),
        verified: std::collections::BTreeSet::new(),
        tag_verification: std::collections::BTreeMap::new(),
    };
    world.repos.insert(full_name.to_lowercase(), repo);
    Ok(())
}
