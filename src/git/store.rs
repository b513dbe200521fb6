//! Where objects are: a temporary bare repository, which may borrow from the checkout.
//!
//! What it calls history is proven whole: every commit from the wanted refs back to the roots was
//! read. Whether objects came from the checkout or the server makes no difference to any answer.
//! The folder is removed on drop.

use std::path::Path;

use git2::{ErrorClass, ErrorCode, ObjectType, Oid, Repository, RepositoryInitOptions};
use tempfile::TempDir;

use super::checkout::Checkout;
use super::graph::{Graph, Index, Marks};
use super::object::{self, Links};
use super::remote::{Refused, Remote};
use super::transport::Problem;
use super::{Wanted, because, oid};
use crate::failure::{Failure, Kind, Result};
use crate::names::CommitSha;

/// Largest object read whole; a file of an overlay is far below.
const MAX_OBJECT: usize = 64 * 1024 * 1024;
/// How deep tags may point at tags.
const MAX_TAGS: usize = 16;

/// Why an answer cannot be given.
pub(super) enum Trouble {
    /// An object is missing or damaged; elsewhere it may be whole.
    Broken(git2::Error),
    /// Nothing will change it.
    Final(Failure),
}

impl From<git2::Error> for Trouble {
    fn from(error: git2::Error) -> Self {
        Self::Broken(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Final(failure)
    }
}

/// A wanted ref, and what was found for it.
pub(super) struct Found {
    pub(super) reference: String,
    pub(super) sha: CommitSha,
    /// The commit it peels to; none for a tag of a tree or blob.
    tip: Option<Index>,
}

pub(super) struct Store {
    // Before its folder, so that its files are closed when that is removed.
    repository: Repository,
    pub(super) graph: Graph,
    pub(super) found: Vec<Found>,
    /// Everything that the wanted refs reach.
    ours: Marks,
    /// The last few answers of `ancestors`.
    asked: Vec<(Index, Marks)>,
    pub(super) borrows: bool,
    _folder: TempDir,
}

impl Store {
    /// An empty store below `scratch`, borrowing from the checkout where one is given.
    pub(super) fn new(scratch: &Path, checkout: Option<&Checkout>) -> Result<Self, Trouble> {
        let folder =
            tempfile::Builder::new().prefix("promote-git-").tempdir_in(scratch).map_err(|error| {
                let folder = scratch.display();
                Failure::new(Kind::Machine, format!("no folder can be made in `{folder}`: {error}"))
                    .hinted("set `RUNNER_TEMP` to a folder that can be written to")
            })?;
        let mut options = RepositoryInitOptions::new();
        options.bare(true).external_template(false).no_reinit(true);
        let repository = Repository::init_opts(folder.path(), &options).map_err(|error| {
            let failure = Failure::new(
                Kind::Machine,
                format!(
                    "no temporary repository can be made in `{}`: {}",
                    scratch.display(),
                    error.message()
                ),
            );
            because(failure, &error)
        })?;
        let mut store = Self {
            repository,
            graph: Graph::default(),
            found: Vec::new(),
            ours: Marks::default(),
            asked: Vec::new(),
            borrows: checkout.is_some(),
            _folder: folder,
        };
        if let Some(checkout) = checkout {
            store.repository.odb()?.add_disk_alternate(&checkout.objects)?;
            for tip in &checkout.tips {
                // What is broken or not a commit is not offered to the server.
                if let Ok(Some(index)) = store.load(*tip) {
                    store.offer(store.graph.id(index))?;
                }
            }
        }
        Ok(store)
    }

    /// Makes sure that all of `wanted` is here with its whole history, fetching what is not.
    pub(super) fn want(&mut self, remote: &Remote, wanted: &[Wanted]) -> Result<(), Trouble> {
        let mut now = wanted.to_vec();
        if let Err(gone) = self.fetch(remote, &now)? {
            now = as_they_are_now(remote, wanted)?;
            if now == wanted {
                return Err(remote.failure(&gone).into());
            }
            tracing::warn!("a branch moved while it was read; going on with what it is now");
            self.fetch(remote, &now)?.map_err(|gone| remote.failure(&gone))?;
        }
        for Wanted { reference, sha } in now {
            let id = oid(&sha)?;
            let tip = self.load(id)?;
            self.offer(id)?;
            self.found.retain(|found| found.reference != reference);
            self.found.push(Found { reference, sha, tip });
        }
        self.ours = self.graph.reach(self.found.iter().filter_map(|found| found.tip));
        Ok(())
    }

    /// Fetches what of `wanted` is not here; the inner error says that the server has it no more.
    fn fetch(&self, remote: &Remote, wanted: &[Wanted]) -> Result<Result<(), Problem>, Trouble> {
        let odb = self.repository.odb()?;
        let mut missing: Vec<CommitSha> = Vec::new();
        for Wanted { sha, .. } in wanted {
            if !odb.exists(oid(sha)?) && !missing.contains(sha) {
                missing.push(sha.clone());
            }
        }
        if missing.is_empty() { Ok(Ok(())) } else { self.fetch_all(remote, &missing) }
    }

    fn fetch_all(&self, remote: &Remote, missing: &[CommitSha]) -> Result<Result<(), Problem>, Trouble> {
        match remote.fetch_into(&self.repository, missing) {
            Ok(()) => Ok(Ok(())),
            Err(Refused::Gone(problem)) => Ok(Err(problem)),
            Err(Refused::Git(error)) => Err(error.into()),
            Err(Refused::Server(problem)) => Err(remote.failure(&problem).into()),
        }
    }

    /// Lets later fetches say that this is here.
    fn offer(&self, id: Oid) -> Result<(), git2::Error> {
        self.repository.reference(&format!("refs/promote/{id}"), id, true, "").map(drop)
    }

    /// Loads the commit an object peels to, with all its ancestors.
    fn load(&mut self, id: Oid) -> Result<Option<Index>, git2::Error> {
        let odb = self.repository.odb()?;
        let mut id = id;
        for _ in 0..MAX_TAGS {
            let object = odb.read(id)?;
            match object.kind() {
                ObjectType::Commit => {
                    let read = |id| links(&odb, id);
                    return self.graph.load(id, read).map(Some);
                }
                ObjectType::Tag => id = object::tagged(object.data()).ok_or_else(|| damaged(id))?,
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Where a commit of the wanted history is.
    pub(super) fn find(&self, sha: &CommitSha) -> Option<Index> {
        let id = oid(sha).ok()?;
        self.graph.find(id).filter(|index| self.ours.has(*index))
    }

    /// Like [`Store::find`], for commits that must be there.
    pub(super) fn at(&self, sha: &CommitSha) -> Result<Index> {
        self.find(sha).ok_or_else(|| {
            let names: Vec<String> =
                self.found.iter().map(|found| format!("`{}`", found.reference)).collect();
            Failure::new(Kind::Git, format!("commit `{sha}` is not in the history of {}", names.join(" or ")))
                .hinted("check that it was pushed, and that the branch was not rewritten since")
        })
    }

    /// The commit and all its ancestors.
    pub(super) fn reach(&mut self, of: Index) -> Marks {
        /// One for trunk, one for base, a few for the releases between.
        const KEPT: usize = 6;
        if let Some((_, marks)) = self.asked.iter().find(|(asked, _)| *asked == of) {
            return marks.clone();
        }
        let marks = self.graph.reach([of]);
        if self.asked.len() == KEPT {
            self.asked.remove(1);
        }
        self.asked.push((of, marks.clone()));
        marks
    }

    /// Whether one commit is the other or one of its ancestors.
    pub(super) fn is_ancestor(&mut self, ancestor: Index, of: Index) -> bool {
        if let Some((_, marks)) = self.asked.iter().find(|(asked, _)| *asked == of) {
            return marks.has(ancestor);
        }
        self.reach(of).has(ancestor)
    }

    /// An object's bytes.
    pub(super) fn bytes(&self, id: Oid, kind: ObjectType) -> Result<Vec<u8>, Trouble> {
        let odb = self.repository.odb()?;
        let (length, found) = odb.read_header(id)?;
        if found != kind {
            return Err(Trouble::Broken(damaged(id)));
        }
        if length > MAX_OBJECT {
            let failure = Failure::new(Kind::Git, format!("git object `{id}` is too large: {length} bytes"));
            return Err(failure.hinted("files above 64 MB are not read").into());
        }
        Ok(odb.read(id)?.data().to_vec())
    }

    /// Whether an object is here at all.
    pub(super) fn has_object(&self, id: Oid) -> Result<bool, Trouble> {
        Ok(self.repository.odb()?.exists(id))
    }

    /// Fetches one object by its id; says whether it could be had.
    pub(super) fn obtain(&self, remote: &Remote, object: &CommitSha) -> Result<bool, Trouble> {
        Ok(self.fetch_all(remote, std::slice::from_ref(object))?.is_ok())
    }

    /// A tag object's bytes; none when the object is something else.
    pub(super) fn tag(&self, id: Oid) -> Result<Option<Vec<u8>>, Trouble> {
        let (_, kind) = self.repository.odb()?.read_header(id)?;
        if kind == ObjectType::Tag { self.bytes(id, kind).map(Some) } else { Ok(None) }
    }

    /// libgit2's view, for trees.
    pub(super) fn repository(&self) -> &Repository {
        &self.repository
    }
}

fn links(odb: &git2::Odb<'_>, id: Oid) -> Result<Links, git2::Error> {
    let object = odb.read(id)?;
    let commit = (object.kind() == ObjectType::Commit).then(|| object::links(object.data())).flatten();
    commit.ok_or_else(|| damaged(id))
}

/// What libgit2 would have said of an object that is not what it must be.
pub(super) fn damaged(id: Oid) -> git2::Error {
    git2::Error::new(ErrorCode::Invalid, ErrorClass::Odb, format!("object {id} is damaged"))
}

/// The same refs with what the server says now; a ref that is gone is an error.
fn as_they_are_now(remote: &Remote, wanted: &[Wanted]) -> Result<Vec<Wanted>> {
    let listing = remote.listing()?;
    let now = |reference: &str| -> Option<CommitSha> {
        if let Some(branch) = reference.strip_prefix("refs/heads/") {
            return listing.branches.get(branch).cloned();
        }
        let tag = reference.strip_prefix("refs/tags/")?;
        listing.tags.iter().find(|listed| listed.name == tag).map(|listed| listed.object.clone())
    };
    wanted
        .iter()
        .map(|one| match now(&one.reference) {
            Some(sha) => Ok(Wanted { reference: one.reference.clone(), sha }),
            None => Err(Failure::at(
                Kind::Git,
                remote.place(),
                format!("`{}` is not there (any more)", one.reference.escape_debug()),
            )
            .hinted("run again; if it was deleted on purpose, name another branch")),
        })
        .collect()
}
