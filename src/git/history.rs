//! The history behind the wanted refs, and every question about it.
//!
//! Answers are the same whether the checkout is deep, shallow, damaged or absent: what the checkout
//! cannot lend whole is fetched, and only commits that a wanted ref reaches are known.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::graph::Index;
use super::store::{Store, Trouble};
use super::{
    CommitInfo, Remote, TagInfo, TreeFile, Truncated, Wanted, because, checkout, log, object, oid, sha, tree,
};
use crate::failure::{Failure, Kind, Result};
use crate::names::{CommitSha, RepoPath};
use crate::overlay::OverlayFile;

/// A history, in a temporary bare repository that is removed on drop.
///
/// Can be moved to another thread, not shared between threads. Every method blocks.
pub struct History {
    remote: Remote,
    scratch: PathBuf,
    store: RefCell<Store>,
}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("History").field("remote", &self.remote).finish_non_exhaustive()
    }
}

impl History {
    /// Opens the history of `wanted`, in a folder of its own below `scratch`.
    ///
    /// Objects are borrowed from the checkout at `workspace` where it is whole, and everything else
    /// is fetched; nothing is fetched when the checkout has all of it. Nothing in the checkout is
    /// changed. Where a ref moved since it was listed and the old commit cannot be had any more, the
    /// new one is taken: compare [`History::head_of`].
    ///
    /// # Errors
    /// When the server cannot be reached or refuses, when a ref is gone, and when `scratch` cannot be
    /// written to.
    pub fn open(
        workspace: Option<&Path>,
        scratch: &Path,
        remote: &Remote,
        wanted: &[Wanted],
    ) -> Result<Self> {
        super::prepare()?;
        let store =
            match workspace.and_then(|workspace| borrowing(workspace, scratch, remote, wanted).transpose()) {
                Some(store) => store?,
                None => fetched(scratch, remote, wanted)?,
            };
        Ok(Self { remote: remote.clone(), scratch: scratch.to_owned(), store: RefCell::new(store) })
    }

    /// Adds the history of more refs, fetching what is not here.
    ///
    /// # Errors
    /// As [`History::open`].
    pub fn fetch(&self, more: &[Wanted]) -> Result<()> {
        self.ask(|store| store.want(&self.remote, more))
    }

    /// What a wanted ref really is here.
    pub fn head_of(&self, reference: &str) -> Option<CommitSha> {
        let store = self.store.borrow();
        store.found.iter().find(|found| found.reference == reference).map(|found| found.sha.clone())
    }

    /// Whether the commit is in the history of anything wanted.
    pub fn contains(&self, commit: &CommitSha) -> bool {
        self.store.borrow().find(commit).is_some()
    }

    /// Whether `ancestor` is `of` or one of its ancestors; an unknown commit is nobody's ancestor.
    ///
    /// The first question about an `of` takes one walk over its history, every further one a look-up.
    ///
    /// # Errors
    /// When `of` is not in the history.
    pub fn is_ancestor(&self, ancestor: &CommitSha, of: &CommitSha) -> Result<bool> {
        self.ask(|store| {
            let of = store.at(of)?;
            Ok(store.find(ancestor).is_some_and(|ancestor| store.is_ancestor(ancestor, of)))
        })
    }

    /// The commit and all its ancestors: newest first, no parent before all of its children.
    ///
    /// # Errors
    /// When the commit is not in the history.
    pub fn in_order(&self, of: &CommitSha) -> Result<Vec<CommitSha>> {
        self.ask(|store| {
            let of = store.at(of)?;
            let order =
                store.graph.ordered(of, |index| Ok::<_, Trouble>(store.graph.parents(index).to_vec()))?;
            Ok(order.into_iter().map(|index| sha(store.graph.id(index))).collect::<Result<_>>()?)
        })
    }

    /// The newest of the best common ancestors, where there is one.
    ///
    /// # Errors
    /// When one of the commits is not in the history.
    pub fn merge_base(&self, one: &CommitSha, other: &CommitSha) -> Result<Option<CommitSha>> {
        self.ask(|store| {
            let (one, other) = (store.at(one)?, store.at(other)?);
            let (one, other) = (store.reach(one), store.reach(other));
            let base = store.graph.merge_base(&one, &other);
            Ok(base.map(|index| sha(store.graph.id(index))).transpose()?)
        })
    }

    /// A file at a commit; folders and submodules are none, a symbolic link is not followed.
    ///
    /// # Errors
    /// When the commit is not in the history, or the file is larger than 64 MB.
    pub fn file(&self, commit: &CommitSha, path: &RepoPath) -> Result<Option<TreeFile>> {
        self.ask(|store| {
            let root = store.graph.tree(store.at(commit)?);
            tree::file(store, root, path)
        })
    }

    /// The names of the files below a folder, sorted; `depth` 1 is the folder's own. A folder that
    /// is not there has none.
    ///
    /// # Errors
    /// When the commit is not in the history, or there are more than 200 000 files.
    pub fn files_below(&self, commit: &CommitSha, folder: &RepoPath, depth: usize) -> Result<Vec<RepoPath>> {
        self.ask(|store| {
            let root = store.graph.tree(store.at(commit)?);
            tree::files_below(store.repository(), root, folder, depth)
        })
    }

    /// Those of the files that there are, in the order of their paths; symbolic links come with mode
    /// `0o120000` and where they point.
    ///
    /// # Errors
    /// As [`History::file`].
    pub fn overlay_files(&self, commit: &CommitSha, paths: &BTreeSet<&RepoPath>) -> Result<Vec<OverlayFile>> {
        let mut files = Vec::new();
        for path in paths {
            if let Some(TreeFile { path, bytes, mode }) = self.file(commit, path)? {
                files.push(OverlayFile { path, bytes, mode });
            }
        }
        Ok(files)
    }

    /// The id of the tree or blob at a path: equal ids are equal content.
    ///
    /// # Errors
    /// When the commit is not in the history.
    pub fn tree_id(&self, commit: &CommitSha, path: &RepoPath) -> Result<Option<String>> {
        self.ask(|store| {
            let root = store.graph.tree(store.at(commit)?);
            Ok(tree::entry(store.repository(), root, path)?.map(|(id, _)| id.to_string()))
        })
    }

    /// One commit.
    ///
    /// # Errors
    /// When it is not in the history.
    pub fn commit(&self, commit: &CommitSha) -> Result<CommitInfo> {
        self.ask(|store| log::commit(store, store.at(commit)?))
    }

    /// The commits that `include` has and `exclude` lacks: newest first, no parent before its
    /// children; at most `limit`. With `paths`, those that change one of them, as `git log -- PATH`
    /// simplifies history.
    ///
    /// # Errors
    /// When one of the commits is not in the history.
    pub fn commits_between(
        &self,
        exclude: Option<&CommitSha>,
        include: &CommitSha,
        paths: &[RepoPath],
        limit: usize,
    ) -> Result<(Vec<CommitInfo>, Truncated)> {
        self.ask(|store| {
            let exclude = exclude.map(|commit| store.at(commit)).transpose()?;
            let include = store.at(include)?;
            log::between(store, exclude, include, paths, limit)
        })
    }

    /// The commits of `trunk`'s first-parent line that came after `after` (are none of its
    /// ancestors) and change `folder`, oldest first.
    ///
    /// # Errors
    /// When one of the commits is not in the history.
    pub fn later_touching(
        &self,
        after: &CommitSha,
        trunk: &CommitSha,
        paths: &[RepoPath],
    ) -> Result<Vec<CommitSha>> {
        self.ask(|store| {
            let (after, trunk) = (store.at(after)?, store.at(trunk)?);
            let touching = log::later_touching(store, after, trunk, paths)?;
            Ok(touching.into_iter().map(|index: Index| sha(store.graph.id(index))).collect::<Result<_>>()?)
        })
    }

    /// The paths that a commit changes against its first parent (a root commit: all its files),
    /// modes included. A path that cannot be a [`RepoPath`] is reported as its nearest folder that can.
    ///
    /// # Errors
    /// When the commit is not in the history.
    pub fn changed_paths(&self, commit: &CommitSha) -> Result<Vec<RepoPath>> {
        self.ask(|store| {
            let index = store.at(commit)?;
            let before = store.graph.parents(index).first().map(|parent| store.graph.tree(*parent));
            Ok(tree::differing(store.repository(), before, store.graph.tree(index))?)
        })
    }

    /// What an annotated tag says of itself; none for a lightweight one, and for one that the server
    /// no longer has. The tag object is fetched when it is not here; several are fetched at once by
    /// [`History::fetch`] before.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub fn tag(&self, object: &CommitSha) -> Result<Option<TagInfo>> {
        if self.contains(object) {
            return Ok(None);
        }
        self.ask(|store| {
            let id = oid(object)?;
            if !store.has_object(id)? && !store.obtain(&self.remote, object)? {
                return Ok(None);
            }
            Ok(store.tag(id)?.map(|bytes| object::tag_info(&bytes)))
        })
    }

    /// Answers from the store; where borrowed objects turn out to be broken, from a fetched one.
    fn ask<T>(&self, answer: impl Fn(&mut Store) -> Result<T, Trouble>) -> Result<T> {
        let mut store = self.store.borrow_mut();
        match answer(&mut store) {
            Ok(answer) => Ok(answer),
            Err(Trouble::Final(failure)) => Err(failure),
            Err(Trouble::Broken(error)) if store.borrows => {
                tracing::debug!(%error, "the checkout's objects are damaged; fetching the history instead");
                let wanted: Vec<Wanted> = store
                    .found
                    .iter()
                    .map(|found| Wanted { reference: found.reference.clone(), sha: found.sha.clone() })
                    .collect();
                *store = fetched(&self.scratch, &self.remote, &wanted)?;
                answer(&mut store).map_err(|trouble| last_word(trouble, &self.remote))
            }
            Err(trouble) => Err(last_word(trouble, &self.remote)),
        }
    }
}

/// A store that borrows from the checkout; none when that cannot lend.
fn borrowing(workspace: &Path, scratch: &Path, remote: &Remote, wanted: &[Wanted]) -> Result<Option<Store>> {
    let checkout = match checkout::whole(workspace, remote.slug()) {
        Ok(checkout) => checkout,
        Err(why) => {
            tracing::debug!(why = %why.escape_debug(), "the checkout is not used for history");
            return Ok(None);
        }
    };
    let open = || -> Result<Store, Trouble> {
        let mut store = Store::new(scratch, Some(&checkout))?;
        store.want(remote, wanted)?;
        Ok(store)
    };
    match open() {
        Ok(store) => Ok(Some(store)),
        Err(Trouble::Final(failure)) => Err(failure),
        Err(Trouble::Broken(error)) => {
            tracing::debug!(%error, "the checkout's history has holes; it is not used");
            Ok(None)
        }
    }
}

/// A store with nothing but what the server sent.
fn fetched(scratch: &Path, remote: &Remote, wanted: &[Wanted]) -> Result<Store> {
    let open = || -> Result<Store, Trouble> {
        let mut store = Store::new(scratch, None)?;
        store.want(remote, wanted)?;
        Ok(store)
    };
    open().map_err(|trouble| last_word(trouble, remote))
}

/// What is said when nothing else can be tried.
fn last_word(trouble: Trouble, remote: &Remote) -> Failure {
    match trouble {
        Trouble::Final(failure) => failure,
        Trouble::Broken(error) => {
            let said: String = error.message().chars().take(300).flat_map(char::escape_debug).collect();
            let failure =
                Failure::at(Kind::Git, remote.place(), format!("the history cannot be read: {said}"));
            because(
                failure.hinted("run again; if it stays, check that the repository can be cloned whole"),
                &error,
            )
        }
    }
}
