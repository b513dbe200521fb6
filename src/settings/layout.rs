//! Which overlays the repository has, as far as it was listed.
//!
//! A list of paths and questions to it; nothing is read. What was not listed is not known, and what is
//! not known is not called missing.

use std::collections::BTreeSet;

use crate::names::RepoPath;
use crate::overlay::{LOCK_FILE, NamedFile, OVERLAY_FILES};

/// The folder of the environments in the layout that needs no settings.
pub const ENVIRONMENTS: &str = "environments";

/// The files of the repository at the base commit, or those below `environments/`.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    files: BTreeSet<String>,
    whole: bool,
}

/// Whether a folder has files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    There,
    Missing,
    /// It is outside of what was listed.
    Unknown,
}

impl Layout {
    /// The files below `environments/`.
    pub fn below_environments(files: impl IntoIterator<Item = RepoPath>) -> Self {
        Self { files: texts(files), whole: false }
    }

    /// Every file of the commit.
    pub fn whole(files: impl IntoIterator<Item = RepoPath>) -> Self {
        Self { files: texts(files), whole: true }
    }

    /// Whether anything is at or below a path.
    pub(super) fn presence(&self, path: &RepoPath) -> Presence {
        if self.files.contains(path.as_str()) || self.below(path).next().is_some() {
            return Presence::There;
        }
        let listed = self.whole || path.as_str().split('/').next() == Some(ENVIRONMENTS);
        if listed { Presence::Missing } else { Presence::Unknown }
    }

    /// Whether an overlay of these files is there. Outside of what was listed it is taken to be.
    pub(super) fn has_any(&self, files: &[NamedFile]) -> bool {
        files.iter().any(|named| self.presence(&named.path) != Presence::Missing)
    }

    /// Whether a folder is itself an overlay, without settings.
    pub(super) fn is_overlay(&self, folder: &RepoPath) -> bool {
        makes_overlay().any(|file| self.files.contains(&format!("{folder}/{file}")))
    }

    /// The names of the folders directly below one, sorted.
    pub(super) fn folders_below<'a>(&'a self, folder: &'a RepoPath) -> Vec<&'a str> {
        let names: BTreeSet<&str> =
            self.below(folder).filter_map(|rest| rest.split_once('/')).map(|(name, _)| name).collect();
        names.into_iter().collect()
    }

    /// What is below a folder, relative to it.
    fn below<'a>(&'a self, folder: &'a RepoPath) -> impl Iterator<Item = &'a str> {
        let prefix = format!("{folder}/");
        let length = prefix.len();
        let from = self.files.range(prefix.clone()..).take_while(move |file| file.starts_with(&prefix));
        from.filter_map(move |file| file.get(length..))
    }
}

/// The files that make a folder an overlay: a lock alone pins nothing.
fn makes_overlay() -> impl Iterator<Item = &'static str> {
    OVERLAY_FILES.iter().copied().filter(|file| *file != LOCK_FILE)
}

fn texts(files: impl IntoIterator<Item = RepoPath>) -> BTreeSet<String> {
    files.into_iter().map(|file| file.as_str().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use super::*;

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text).unwrap()
    }

    fn files() -> Vec<RepoPath> {
        let files = [
            "environments/prod-eu/a/values.yaml",
            "environments/prod/a/values.yaml",
            "environments/staging/a/kustomization.yaml",
            "environments/staging/b/deep/values.yaml",
            "environments/staging/README.md",
        ];
        files.into_iter().map(path).collect()
    }

    #[test]
    fn a_folder_is_there_when_a_file_is_below_it() {
        let layout = Layout::below_environments(files());
        for (folder, presence) in [
            ("environments/prod", Presence::There),
            ("environments/prod/a/values.yaml", Presence::There),
            ("environments/pro", Presence::Missing),
            ("environments/prod/a/values", Presence::Missing),
            ("deploy/prod", Presence::Unknown),
            ("environments-old/prod", Presence::Unknown),
        ] {
            assert_eq!(layout.presence(&path(folder)), presence, "{folder}");
        }
        assert_eq!(Layout::whole(files()).presence(&path("deploy/prod")), Presence::Missing);
    }

    #[test]
    fn a_folder_with_an_overlay_file_is_an_overlay() {
        let layout = Layout::below_environments(files());
        let staging = path("environments/staging");
        assert_eq!(layout.folders_below(&staging), ["a", "b"]);
        assert!(layout.is_overlay(&staging.join("a").unwrap()));
        assert!(layout.has_any(&NamedFile::usual(&staging.join("a").unwrap())));
        assert!(!layout.has_any(&NamedFile::usual(&staging.join("b").unwrap())));
        assert!(!layout.is_overlay(&staging));
        assert_eq!(layout.folders_below(&path("environments")), ["prod", "prod-eu", "staging"]);
    }
}
