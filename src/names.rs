//! Names that obey rules: parsed once at an edge, trusted everywhere else.
//!
//! An illegal one has no constructor, so pure code never asks whether a path climbs out of the
//! repository or whether a branch could be mistaken for an option.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Kind, Result};

/// The id of a commit, tree or blob: 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct CommitSha(String);

impl CommitSha {
    /// Parses a full object id.
    pub fn parse(text: &str) -> Result<Self> {
        let full = matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
        if !full {
            return Err(Failure::new(Kind::Git, format!("`{text}` is not a full commit id")));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first seven digits, as people write it.
    pub fn short(&self) -> &str {
        self.0.get(..7).unwrap_or(&self.0)
    }
}

/// A file or folder of the repository: relative, `/`-separated, never climbing, possibly the root (empty).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct RepoPath(String);

impl RepoPath {
    /// Parses a path; a leading `./` and a trailing `/` are accepted and dropped.
    pub fn parse(text: &str) -> Result<Self> {
        let path = text.strip_prefix("./").unwrap_or(text);
        let path = path.strip_suffix('/').unwrap_or(path);
        let path = if path == "." { "" } else { path };
        let wrong = |why: &str| {
            Err(Failure::new(
                Kind::Settings,
                format!("`{}` is not a path in the repository: {why}", text.escape_debug()),
            ))
        };
        if path.starts_with('/') || path.contains('\\') {
            return wrong("it must be relative, with `/` between its parts");
        }
        if path.chars().any(char::is_control) {
            return wrong("it has a control character");
        }
        let mut parts = path.split('/');
        if !path.is_empty()
            && parts.any(|part| {
                part.is_empty() || part == "." || part == ".." || part.eq_ignore_ascii_case(".git")
            })
        {
            return wrong("it has an empty, `.`, `..` or `.git` part");
        }
        Ok(Self(path.to_owned()))
    }

    /// The path below this one.
    pub fn join(&self, name: &str) -> Result<Self> {
        if self.0.is_empty() { Self::parse(name) } else { Self::parse(&format!("{}/{name}", self.0)) }
    }

    /// The path as written in git.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// Whether `other` is this path or lies below it.
    pub fn contains(&self, other: &RepoPath) -> bool {
        self.0.is_empty()
            || other.0 == self.0
            || other.0.strip_prefix(&self.0).is_some_and(|rest| rest.starts_with('/'))
    }
}

/// A branch, without `refs/heads/`, that `git check-ref-format --branch` would accept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct BranchName(String);

impl BranchName {
    /// Parses a branch name; a leading `refs/heads/` is dropped.
    pub fn parse(text: &str) -> Result<Self> {
        let name = text.strip_prefix("refs/heads/").unwrap_or(text);
        if is_ref_name(name) && !name.starts_with('-') && name != "HEAD" {
            return Ok(Self(name.to_owned()));
        }
        Err(Failure::new(Kind::Settings, format!("`{}` is not a branch name", text.escape_debug())))
    }

    /// The name without `refs/heads/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name with `refs/heads/`.
    pub fn full(&self) -> String {
        format!("refs/heads/{}", self.0)
    }
}

/// The rules of git-check-ref-format(1) for what follows `refs/heads/` or `refs/tags/`.
pub fn is_ref_name(name: &str) -> bool {
    let bad_char =
        |c: char| c.is_control() || matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\' | '\u{7f}');
    !name.is_empty()
        && name != "@"
        && !name.ends_with('.')
        && !name.contains("..")
        && !name.contains("@{")
        && !name.chars().any(bad_char)
        && name.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with('.')
                && std::path::Path::new(part).extension().is_none_or(|e| !e.eq_ignore_ascii_case("lock"))
        })
}

/// `owner/name` of a repository on the server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RepoSlug {
    /// The user or organisation.
    pub owner: String,
    /// The repository's own name.
    pub name: String,
}

impl RepoSlug {
    /// Parses `owner/name`.
    pub fn parse(text: &str) -> Result<Self> {
        let fits = |part: &str| {
            !part.is_empty()
                && part != "."
                && part != ".."
                && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        };
        match text.split_once('/') {
            Some((owner, name)) if fits(owner) && fits(name) => {
                Ok(Self { owner: owner.to_owned(), name: name.to_owned() })
            }
            _ => Err(Failure::new(
                Kind::Settings,
                format!("`{}` is not `owner/name` of a repository", text.escape_debug()),
            )
            .hinted("set `GITHUB_REPOSITORY`, as the runner does")),
        }
    }
}

macro_rules! text_like {
    ($($name:ident),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(|failure| {
                    serde::de::Error::custom(failure.problems().first().map_or(String::new(), |p| p.message.clone()))
                })
            }
        }
    )+};
}
text_like!(CommitSha, RepoPath, BranchName);

impl fmt::Display for RepoSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use super::*;

    #[test]
    fn a_path_never_climbs_out_of_the_repository() {
        for bad in ["/etc/passwd", "../x", "a/../b", "a//b", "a\\b", "a/./b", ".git/config", "a\nb"] {
            assert!(RepoPath::parse(bad).is_err(), "{bad}");
        }
        for (text, path) in [("./a/b/", "a/b"), ("a", "a"), (".", ""), ("", "")] {
            assert_eq!(RepoPath::parse(text).unwrap().as_str(), path);
        }
    }

    #[test]
    fn a_branch_name_is_what_git_accepts() {
        for bad in ["", "-x", "a..b", "a b", "a~1", "a.lock", "x/.y", "HEAD", "a@{1}", "a\u{7}", "/a", "a/"] {
            assert!(BranchName::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(BranchName::parse("refs/heads/promote/a/prod").unwrap().as_str(), "promote/a/prod");
    }

    #[test]
    fn containment_is_by_whole_parts() {
        let folder = RepoPath::parse("environments/prod").unwrap();
        assert!(folder.contains(&RepoPath::parse("environments/prod/values.yaml").unwrap()));
        assert!(!folder.contains(&RepoPath::parse("environments/prod-eu/values.yaml").unwrap()));
    }
}
