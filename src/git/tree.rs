//! Trees: what is in a folder, and the bytes of a file.
//!
//! Walks by tree entries alone. A missing object is an error, never an absent file: a promotion
//! must not take a hole in the checkout for a deleted overlay.

use git2::{ObjectType, Oid, Repository};

use super::store::{Store, Trouble};
use crate::failure::{Failure, Kind};
use crate::names::RepoPath;

/// The mode of a folder.
const TREE: u32 = 0o040_000;
/// Most entries one listing looks at.
const MAX_ENTRIES: usize = 200_000;

/// A file, as git has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeFile {
    /// Path in the repository.
    pub path: RepoPath,
    /// Its bytes; of a symbolic link, where it points.
    pub bytes: Vec<u8>,
    /// Git's mode: `0o100644` or `0o100755`; `0o120000` is a symbolic link.
    pub mode: u32,
}

/// What stands at a path: its id and mode.
pub(super) fn entry(
    repository: &Repository,
    root: Oid,
    path: &RepoPath,
) -> Result<Option<(Oid, u32)>, git2::Error> {
    let mut at = (root, TREE);
    for part in path.as_str().split('/').filter(|part| !part.is_empty()) {
        if at.1 != TREE {
            return Ok(None);
        }
        let tree = repository.find_tree(at.0)?;
        match tree.get_name(part) {
            Some(entry) => at = (entry.id(), mode(&entry)),
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}

fn mode(entry: &git2::TreeEntry<'_>) -> u32 {
    u32::try_from(entry.filemode()).unwrap_or(0)
}

/// The file at a path; folders and submodules are none.
pub(super) fn file(store: &Store, root: Oid, path: &RepoPath) -> Result<Option<TreeFile>, Trouble> {
    match entry(store.repository(), root, path)? {
        Some((id, mode @ (0o100_644 | 0o100_755 | 0o120_000))) => {
            let bytes = store.bytes(id, ObjectType::Blob)?;
            Ok(Some(TreeFile { path: path.clone(), bytes, mode }))
        }
        _ => Ok(None),
    }
}

/// The files below a folder, sorted; `depth` 1 is the folder's own files.
pub(super) fn files_below(
    repository: &Repository,
    root: Oid,
    folder: &RepoPath,
    depth: usize,
) -> Result<Vec<RepoPath>, Trouble> {
    let mut files = Vec::new();
    let mut open = Vec::new();
    let mut seen = 0;
    if let Some((id, TREE)) = entry(repository, root, folder)? {
        open.push((id, folder.clone(), depth));
    }
    while let Some((id, folder, depth)) = open.pop() {
        if depth == 0 {
            continue;
        }
        for entry in &repository.find_tree(id)? {
            seen += 1;
            if seen > MAX_ENTRIES {
                let failure = Failure::new(
                    Kind::Git,
                    format!("`{folder}` and its neighbours hold more than {MAX_ENTRIES} files"),
                );
                return Err(failure.hinted("name a folder closer to the files that are meant").into());
            }
            // A name that is no path of ours can be neither asked for nor promoted.
            let Some(path) = entry.name().ok().and_then(|name| folder.join(name).ok()) else { continue };
            match entry.kind() {
                Some(ObjectType::Tree) => open.push((entry.id(), path, depth - 1)),
                Some(ObjectType::Blob) => files.push(path),
                _ => {}
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// The paths in which two trees differ, sorted.
///
/// A path that has no [`RepoPath`] is reported as the nearest folder that has one: whoever asks "is
/// it only these files?" must not hear yes because a name is odd.
pub(super) fn differing(
    repository: &Repository,
    before: Option<Oid>,
    after: Oid,
) -> Result<Vec<RepoPath>, git2::Error> {
    let before = before.map(|id| repository.find_tree(id)).transpose()?;
    let after = repository.find_tree(after)?;
    let mut options = git2::DiffOptions::new();
    options.include_typechange(true).ignore_submodules(false).skip_binary_check(true);
    let diff = repository.diff_tree_to_tree(before.as_ref(), Some(&after), Some(&mut options))?;
    let mut paths: Vec<RepoPath> = diff
        .deltas()
        .flat_map(|delta| {
            [delta.old_file().path_bytes().map(nearest), delta.new_file().path_bytes().map(nearest)]
        })
        .flatten()
        .flatten()
        .collect();
    paths.sort_unstable();
    paths.dedup();
    Ok(paths)
}

/// The path, or the nearest folder of it that has a [`RepoPath`]; at last the root.
fn nearest(path: &[u8]) -> Option<RepoPath> {
    let mut path = path;
    loop {
        let legal = std::str::from_utf8(path).ok().and_then(|text| RepoPath::parse(text).ok());
        // `./a` and `a/` parse as `a`, but git has no such names: whatever parses is the path itself.
        if legal.is_some() || path.is_empty() {
            return legal;
        }
        let end = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        path = path.get(..end).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use super::*;

    #[test]
    fn an_odd_name_is_reported_as_its_folder() {
        for (path, reported) in [
            (b"a/b.yaml".as_slice(), "a/b.yaml"),
            (b"a/\xff.yaml", "a"),
            (b"a\\b/c", ""),
            (b"a/b\n/c/d", "a"),
            (b"\xff/x", ""),
        ] {
            assert_eq!(nearest(path).unwrap().as_str(), reported);
        }
    }
}
