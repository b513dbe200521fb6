//! The bare git repository behind one fake repository: refs, objects, history, differences.
//!
//! The API reads and writes here through libgit2 and `git http-backend` serves the same folder; nothing about
//! git is remembered anywhere else. This file knows no HTTP and no JSON.

use std::path::{Path, PathBuf};

use git2::{Commit, DiffFindOptions, DiffOptions, ObjectType, Oid, Repository, Signature, Sort, Time, Tree};
use jiff::Timestamp;

use crate::facts;

/// One bare repository.
pub(crate) struct Store {
    pub git: Repository,
    pub path: PathBuf,
}

/// One file of a difference.
#[derive(Clone, Debug)]
pub(crate) struct FileChange {
    pub sha: String,
    pub filename: String,
    pub previous: Option<String>,
    pub status: &'static str,
    pub additions: usize,
    pub deletions: usize,
    /// Hunks without the file header; absent for binary files.
    pub patch: Option<String>,
}

/// Who is written into a commit, and when.
pub(crate) struct Signer<'a> {
    pub name: &'a str,
    pub email: &'a str,
    pub when: Timestamp,
}

type Git<T> = Result<T, git2::Error>;

impl Store {
    /// Makes an empty bare repository that `git http-backend` may serve.
    pub fn create(path: &Path, default_branch: &str) -> anyhow::Result<Self> {
        let git = Repository::init_bare(path)?;
        git.set_head(&format!("refs/heads/{default_branch}"))?;
        let mut config = git.config()?;
        for (key, value) in [
            ("http.receivepack", "true"),
            ("uploadpack.allowanysha1inwant", "true"),
            ("uploadpack.allowfilter", "true"),
            ("receive.denydeletecurrent", "ignore"),
            ("gc.auto", "0"),
        ] {
            config.set_str(key, value)?;
        }
        Ok(Self { git, path: path.to_owned() })
    }

    /// A copy in another folder.
    pub fn copied(&self, to: &Path) -> anyhow::Result<Self> {
        copy_folder(&self.path, to)?;
        Ok(Self { git: Repository::open_bare(to)?, path: to.to_owned() })
    }

    /// Puts all objects into one file, so that a copy is quickly made.
    pub fn pack(&self) -> anyhow::Result<()> {
        let mut git = std::process::Command::new("git");
        git.current_dir(&self.path).args(["repack", "-a", "-d", "-q", "--keep-unreachable"]);
        anyhow::ensure!(git.status()?.success(), "git repack failed in `{}`", self.path.display());
        Ok(())
    }

    /// Refuses pushes to these branches, as branch protection does.
    pub fn protect(&self, branches: &[String]) -> std::io::Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        let listed: String = branches.iter().map(|name| format!("refs/heads/{name}\n")).collect();
        std::fs::write(self.path.join("protected-refs"), listed)?;
        let hooks = self.path.join("hooks");
        std::fs::create_dir_all(&hooks)?;
        let hook = hooks.join("update");
        std::fs::write(
            &hook,
            "#!/bin/sh\nif grep -qxF \"$1\" \"$GIT_DIR/protected-refs\"; then\n\
             echo \"error: GH006: Protected branch update failed for $1.\" >&2\nexit 1\nfi\n",
        )?;
        std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755))
    }

    /// The tip of a branch.
    pub fn branch(&self, name: &str) -> Option<Oid> {
        self.git.refname_to_id(&format!("refs/heads/{name}")).ok()
    }

    /// A commit named by branch, tag, ref or (abbreviated) sha; tags are peeled.
    pub fn resolve(&self, rev: &str) -> Option<Commit<'_>> {
        for name in
            [format!("refs/heads/{rev}"), format!("refs/tags/{rev}"), format!("refs/{rev}"), rev.to_owned()]
        {
            if let Ok(reference) = self.git.find_reference(&name)
                && let Ok(commit) = reference.peel_to_commit()
            {
                return Some(commit);
            }
        }
        if rev.eq_ignore_ascii_case("HEAD") {
            return self.git.head().ok()?.peel_to_commit().ok();
        }
        if rev.len() < 7 || !rev.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.git.revparse_single(rev).ok()?.peel_to_commit().ok()
    }

    /// A commit by its full sha.
    pub fn commit(&self, sha: &str) -> Option<Commit<'_>> {
        full(sha).and_then(|oid| self.git.find_commit(oid).ok())
    }

    /// All refs below a prefix such as `refs/heads/`, by name.
    pub fn refs(&self, prefix: &str) -> Vec<(String, Oid)> {
        let Ok(found) = self.git.references_glob(&format!("{prefix}*")) else { return Vec::new() };
        let mut refs: Vec<(String, Oid)> = found
            .flatten()
            .filter_map(|reference| Some((reference.name().ok()?.to_owned(), reference.target()?)))
            .collect();
        refs.sort();
        refs
    }

    /// Whether everything in `old` is in `new` too; a commit is its own ancestor.
    pub fn is_ancestor(&self, old: &str, new: &str) -> bool {
        match (full(old), full(new)) {
            (Some(old), Some(new)) => old == new || self.git.graph_descendant_of(new, old).unwrap_or(false),
            _ => false,
        }
    }

    /// Commits reachable from `head` and not from `base`, newest first.
    pub fn between(&self, base: Option<Oid>, head: Oid) -> Git<Vec<Oid>> {
        let mut walk = self.git.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME)?;
        walk.push(head)?;
        if let Some(base) = base {
            walk.hide(base)?;
        }
        walk.collect()
    }

    /// Commits of a history that changed `path` against every parent, newest first.
    pub fn touching(&self, head: Oid, path: &str) -> Git<Vec<Oid>> {
        let entry = |commit: &Commit<'_>| {
            commit.tree().ok().and_then(|tree| tree.get_path(Path::new(path)).ok().map(|entry| entry.id()))
        };
        let mut found = Vec::new();
        for oid in self.between(None, head)? {
            let commit = self.git.find_commit(oid)?;
            let here = entry(&commit);
            let changed = if commit.parent_count() == 0 {
                here.is_some()
            } else {
                commit.parents().all(|parent| entry(&parent) != here)
            };
            if changed {
                found.push(oid);
            }
        }
        Ok(found)
    }

    /// The difference of two trees, with renames found.
    pub fn changes(&self, old: Option<&Tree<'_>>, new: Option<&Tree<'_>>) -> Git<Vec<FileChange>> {
        let mut options = DiffOptions::new();
        options.context_lines(3);
        let mut diff = self.git.diff_tree_to_tree(old, new, Some(&mut options))?;
        diff.find_similar(Some(DiffFindOptions::new().renames(true)))?;
        let mut files = Vec::new();
        for index in 0..diff.deltas().len() {
            let Some(delta) = diff.get_delta(index) else { continue };
            let path = |file: git2::DiffFile<'_>| file.path().map(|path| path.to_string_lossy().into_owned());
            let (status, file) = match delta.status() {
                git2::Delta::Added => ("added", delta.new_file()),
                git2::Delta::Deleted => ("removed", delta.old_file()),
                git2::Delta::Renamed => ("renamed", delta.new_file()),
                git2::Delta::Typechange => ("changed", delta.new_file()),
                _ => ("modified", delta.new_file()),
            };
            let patch = git2::Patch::from_diff(&diff, index)?;
            let (mut additions, mut deletions, mut text) = (0, 0, None);
            if let Some(mut patch) = patch {
                let (_, added, deleted) = patch.line_stats()?;
                (additions, deletions) = (added, deleted);
                let buffer = patch.to_buf()?;
                let all = String::from_utf8_lossy(&buffer).into_owned();
                text = all
                    .find("\n@@ ")
                    .and_then(|at| all.get(at + 1..))
                    .map(|hunks| hunks.trim_end().to_owned());
            }
            files.push(FileChange {
                sha: file.id().to_string(),
                filename: path(file).unwrap_or_default(),
                previous: (status == "renamed").then(|| path(delta.old_file())).flatten(),
                status,
                additions,
                deletions,
                patch: text,
            });
        }
        Ok(files)
    }

    /// What a commit changed against its first parent.
    pub fn changes_of(&self, commit: &Commit<'_>) -> Git<Vec<FileChange>> {
        let parent = commit.parent(0).ok().and_then(|parent| parent.tree().ok());
        self.changes(parent.as_ref(), Some(&commit.tree()?))
    }

    /// What a pull request of `head` into `base` changes: the difference from their merge base.
    pub fn changes_since_fork(&self, base: &str, head: &str) -> Git<Vec<FileChange>> {
        let (base, head) = (Oid::from_str(base)?, Oid::from_str(head)?);
        let fork = self.git.merge_base(base, head).ok();
        let old = fork.and_then(|oid| self.git.find_commit(oid).ok()).and_then(|commit| commit.tree().ok());
        self.changes(old.as_ref(), Some(&self.git.find_commit(head)?.tree()?))
    }

    /// Writes a commit object; moves no ref.
    pub fn write_commit(
        &self,
        author: &Signer<'_>,
        committer: &Signer<'_>,
        message: &str,
        tree: Oid,
        parents: &[Oid],
    ) -> Git<Oid> {
        let parents = parents.iter().map(|oid| self.git.find_commit(*oid)).collect::<Git<Vec<_>>>()?;
        let parents: Vec<&Commit<'_>> = parents.iter().collect();
        let tree = self.git.find_tree(tree)?;
        self.git.commit(None, &author.signature()?, &committer.signature()?, message, &tree, &parents)
    }

    /// Merges two commits' trees; `None` on a conflict.
    pub fn merged_tree(&self, ours: Oid, theirs: Oid) -> Git<Option<Oid>> {
        let (ours, theirs) = (self.git.find_commit(ours)?, self.git.find_commit(theirs)?);
        let mut index = self.git.merge_commits(&ours, &theirs, None)?;
        if index.has_conflicts() {
            return Ok(None);
        }
        index.write_tree_to(&self.git).map(Some)
    }

    /// Commits a person's change to a branch, as a push does.
    pub fn record(&self, fact: &facts::Commit, default_branch: &str, signer: &Signer<'_>) -> Git<Oid> {
        let parent = self.branch(&fact.branch).or_else(|| self.branch(default_branch));
        let base = match parent {
            Some(oid) => Some(self.git.find_commit(oid)?.tree()?),
            None => None,
        };
        let mut index = git2::Index::new()?;
        if let Some(tree) = &base {
            index.read_tree(tree)?;
        }
        for (path, content) in &fact.files {
            match content {
                None => index.remove_path(Path::new(path))?,
                Some(text) => {
                    let executable = fact.executable.iter().any(|other| other == path);
                    let kept = index.get_path(Path::new(path), 0).map(|entry| entry.mode);
                    let mode = if executable { 0o100_755 } else { kept.unwrap_or(0o100_644) };
                    index.add(&entry(path, self.git.blob(text.as_bytes())?, mode))?;
                }
            }
        }
        let tree = index.write_tree_to(&self.git)?;
        let parents: Vec<Oid> = parent.into_iter().collect();
        let oid = self.write_commit(signer, signer, &fact.message, tree, &parents)?;
        self.git.reference(&format!("refs/heads/{}", fact.branch), oid, true, "push")?;
        Ok(oid)
    }

    /// The text of a file at a commit.
    pub fn file(&self, commit: &Commit<'_>, path: &str) -> Option<Vec<u8>> {
        let entry = commit.tree().ok()?.get_path(Path::new(path)).ok()?;
        Some(self.git.find_blob(entry.id()).ok()?.content().to_vec())
    }

    /// Whether any object with this sha and kind is there.
    pub fn has(&self, sha: &str, kind: ObjectType) -> bool {
        full(sha).is_some_and(|oid| self.git.find_object(oid, Some(kind)).is_ok())
    }
}

impl Signer<'_> {
    pub(crate) fn signature(&self) -> Git<Signature<'static>> {
        Signature::new(self.name, self.email, &Time::new(self.when.as_second(), 0))
    }
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy_folder(&path, &target)?;
        } else if path.components().any(|part| part.as_os_str() == "objects") {
            // git never changes an object: it can be in two places.
            std::fs::hard_link(path, target)?;
        } else {
            // `std::fs::copy` asks the file system to copy, which waits for what was just written to reach the disk.
            std::fs::write(&target, std::fs::read(&path)?)?;
            std::fs::set_permissions(&target, entry.metadata()?.permissions())?;
        }
    }
    Ok(())
}

/// A full, 40-digit object name.
pub(crate) fn full(sha: &str) -> Option<Oid> {
    (sha.len() == 40).then(|| Oid::from_str(sha).ok()).flatten()
}

/// An index entry that names nothing but path, object and mode.
pub(crate) fn entry(path: &str, id: Oid, mode: u32) -> git2::IndexEntry {
    let zero = git2::IndexTime::new(0, 0);
    git2::IndexEntry {
        ctime: zero,
        mtime: zero,
        dev: 0,
        ino: 0,
        mode,
        uid: 0,
        gid: 0,
        file_size: 0,
        id,
        flags: 0,
        flags_extended: 0,
        path: path.as_bytes().to_vec(),
    }
}
