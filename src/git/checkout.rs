//! May the checkout lend its objects? Only when it is whole.
//!
//! Opened to read where its objects are and which refs it has; nothing in it is written, and
//! whatever is odd about it (another owner's, shallow, partial, a worktree of a folder that is not
//! mounted, a format libgit2 does not know, no git at all) only means that history is fetched.

use std::path::Path;

use git2::{Oid, Repository, RepositoryOpenFlags};

use crate::names::RepoSlug;

/// Most refs offered to the server as "we have this".
const TIPS: usize = 64;

/// A checkout whose objects can be borrowed.
pub(super) struct Checkout {
    /// Its object folder.
    pub(super) objects: String,
    /// What its refs point at, `HEAD` first; empty when it is a checkout of another repository, since
    /// asking the server about those commits is a waste.
    pub(super) tips: Vec<Oid>,
}

/// The checkout at `workspace`, or why it cannot lend objects.
pub(super) fn whole(workspace: &Path, slug: &RepoSlug) -> Result<Checkout, String> {
    let nowhere: [&Path; 0] = [];
    let repository = Repository::open_ext(workspace, RepositoryOpenFlags::NO_SEARCH, nowhere)
        .map_err(|error| format!("it is no git checkout: {}", error.message()))?;
    let common = repository.commondir();
    for folder in [common, repository.path()] {
        if folder.join("shallow").exists() {
            return Err("it is shallow".to_owned());
        }
    }
    let objects = common.join("objects");
    let config = repository.config().map_err(|error| format!("its configuration: {}", error.message()))?;
    if is_partial(&config, &objects)? {
        return Err("it is a partial clone".to_owned());
    }
    let objects = objects.to_str().ok_or("its path is not UTF-8")?.to_owned();
    let tips = if is_of(&config, slug)? { tips(&repository) } else { Vec::new() };
    Ok(Checkout { objects, tips })
}

/// Whether objects may be missing on purpose (`--filter=blob:none`).
fn is_partial(config: &git2::Config, objects: &Path) -> Result<bool, String> {
    let mut partial = config.get_entry("extensions.partialclone").is_ok();
    each(config, r"remote\..*\.(promisor|partialclonefilter)", |_| partial = true)?;
    let packs = std::fs::read_dir(objects.join("pack")).into_iter().flatten().flatten();
    Ok(partial
        || packs.map(|entry| entry.path()).any(|path| path.extension().is_some_and(|end| end == "promisor")))
}

/// Whether one of its remotes is this repository, whatever the protocol.
fn is_of(config: &git2::Config, slug: &RepoSlug) -> Result<bool, String> {
    let mut same = false;
    each(config, r"remote\..*\.url", |url| {
        let url = url.trim_end_matches('/');
        let mut parts = url.strip_suffix(".git").unwrap_or(url).rsplit(['/', ':']);
        let name = parts.next().unwrap_or_default();
        let owner = parts.next().unwrap_or_default();
        same |= name.eq_ignore_ascii_case(&slug.name) && owner.eq_ignore_ascii_case(&slug.owner);
    })?;
    Ok(same)
}

fn each(config: &git2::Config, keys: &str, mut see: impl FnMut(&str)) -> Result<(), String> {
    let said = |error: git2::Error| format!("its configuration: {}", error.message());
    config
        .entries(Some(keys))
        .map_err(said)?
        // A key without `=` has no value, and the binding panics when asked for it.
        .for_each(|entry| {
            see(&String::from_utf8_lossy(if entry.has_value() { entry.value_bytes() } else { b"" }));
        })
        .map_err(said)
}

fn tips(repository: &Repository) -> Vec<Oid> {
    let head = repository.head().ok().and_then(|head| head.target());
    let refs = ["refs/remotes/*", "refs/heads/*", "refs/tags/*"].into_iter().filter_map(|glob| {
        let refs = repository.references_glob(glob).ok()?;
        Some(refs.flatten().filter_map(|one| one.target()).collect::<Vec<_>>())
    });
    head.into_iter().chain(refs.flatten()).take(TIPS).collect()
}
