//! Which commits lie between two releases, and which later ones touch a folder?
//!
//! With paths, history is simplified as `git log -- PATH` does it: a merge that took a path whole
//! from one side is followed to that side only, so that work which never reached the result is not
//! listed. A merge is listed when it differs from all of its parents. Entry ids are compared, never file contents.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use git2::{ObjectType, Oid};

use super::graph::{Index, Marks};
use super::object::{self, CommitInfo};
use super::store::{Store, Trouble, damaged};
use super::tree;
use crate::names::RepoPath;

/// Whether a list was cut at its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truncated {
    /// It is whole.
    No,
    /// There is more than was asked for.
    Yes,
}

/// One commit, for people.
pub(super) fn commit(store: &Store, index: Index) -> Result<CommitInfo, Trouble> {
    let id = store.graph.id(index);
    let bytes = store.bytes(id, ObjectType::Commit)?;
    object::commit_info(super::sha(id)?, &bytes).ok_or_else(|| damaged(id).into())
}

/// The commits that `include` has and `exclude` lacks, newest first, children before parents.
pub(super) fn between(
    store: &mut Store,
    exclude: Option<Index>,
    include: Index,
    paths: &[RepoPath],
    limit: usize,
) -> Result<(Vec<CommitInfo>, Truncated), Trouble> {
    let excluded = exclude.map(|index| store.reach(index)).unwrap_or_default();
    if excluded.has(include) {
        return Ok((Vec::new(), Truncated::No));
    }
    let mut walk = Walk { store, paths, excluded: &excluded, bottom: exclude, entries: HashMap::new() };
    let mut silent = HashSet::new();
    let order = store.graph.ordered(include, |index| {
        let Step { follow, shown } = walk.step(index)?;
        if !shown {
            silent.insert(index);
        }
        Ok::<_, Trouble>(follow.into_iter().filter(|parent| !excluded.has(*parent)).collect())
    })?;
    let shown: Vec<Index> = order.into_iter().filter(|index| !silent.contains(index)).collect();
    let truncated = if shown.len() > limit { Truncated::Yes } else { Truncated::No };
    let commits =
        shown.into_iter().take(limit).map(|index| commit(store, index)).collect::<Result<_, _>>()?;
    Ok((commits, truncated))
}

/// What stands at each path in one commit.
type Entries = Rc<[Option<(Oid, u32)>]>;

/// A walk that simplifies history by paths, as git's `try_to_simplify_commit` does; but a merge that
/// equals one of its parents is never shown, also where that parent is excluded.
struct Walk<'a> {
    store: &'a Store,
    paths: &'a [RepoPath],
    excluded: &'a Marks,
    /// The excluded tip; it counts as part of the range when merges are simplified.
    bottom: Option<Index>,
    entries: HashMap<Index, Entries>,
}

struct Step {
    follow: Vec<Index>,
    shown: bool,
}

impl Walk<'_> {
    fn step(&mut self, index: Index) -> Result<Step, git2::Error> {
        let parents = self.store.graph.parents(index).to_vec();
        if self.paths.is_empty() {
            return Ok(Step { follow: parents, shown: true });
        }
        let here = self.entries_of(index)?;
        if parents.is_empty() {
            return Ok(Step { follow: parents, shown: here.iter().any(Option::is_some) });
        }
        let mut shown = true;
        for parent in &parents {
            if self.entries_of(*parent)? != here {
                continue;
            }
            shown = false;
            if !self.excluded.has(*parent) || self.bottom == Some(*parent) {
                return Ok(Step { follow: vec![*parent], shown });
            }
            // A merge that takes the paths from what is excluded hides nothing of its other sides.
        }
        Ok(Step { follow: parents, shown })
    }

    fn entries_of(&mut self, index: Index) -> Result<Entries, git2::Error> {
        if let Some(entries) = self.entries.get(&index) {
            return Ok(Rc::clone(entries));
        }
        let root = self.store.graph.tree(index);
        let entries: Entries = self
            .paths
            .iter()
            .map(|path| tree::entry(self.store.repository(), root, path))
            .collect::<Result<_, _>>()?;
        self.entries.insert(index, Rc::clone(&entries));
        Ok(entries)
    }
}

/// The commits of `trunk`'s first-parent line that are no ancestors of `after` and change one of
/// these files or folders, oldest first.
pub(super) fn later_touching(
    store: &mut Store,
    after: Index,
    trunk: Index,
    paths: &[RepoPath],
) -> Result<Vec<Index>, Trouble> {
    let before = store.reach(after);
    let mut touching = Vec::new();
    let mut next = Some(trunk).filter(|index| !before.has(*index));
    while let Some(index) = next {
        let parent = store.graph.parents(index).first().copied();
        for path in paths {
            if changes(store, index, parent, path)? {
                touching.push(index);
                break;
            }
        }
        next = parent.filter(|parent| !before.has(*parent));
    }
    touching.reverse();
    Ok(touching)
}

fn changes(
    store: &Store,
    index: Index,
    parent: Option<Index>,
    folder: &RepoPath,
) -> Result<bool, git2::Error> {
    let at = |index: Index| tree::entry(store.repository(), store.graph.tree(index), folder);
    let before = parent.map(at).transpose()?.flatten();
    Ok(at(index)? != before)
}
