//! Versions that are not fixed: names that people move, and ranges. What ran under one in staging need not run in prod.
//!
//! Nobody can know every branch by its name; the usual ones are known here, once for tags and for refs.

use super::PinKind;

/// Tags that people move: names of branches, channels and environments.
const MOVING: &[&str] = &[
    "latest",
    "main",
    "master",
    "trunk",
    "head",
    "dev",
    "devel",
    "develop",
    "development",
    "stable",
    "edge",
    "nightly",
    "daily",
    "weekly",
    "snapshot",
    "canary",
    "beta",
    "alpha",
    "rc",
    "next",
    "current",
    "release",
    "lts",
    "rolling",
    "prod",
    "production",
    "staging",
    "stage",
    "test",
    "testing",
    "qa",
    "uat",
    "preview",
    "unstable",
    "default",
];

/// Parts with a digit that name a platform, not a build.
const VARIANTS: &[&str] = &[
    "amd64", "arm64", "aarch64", "x86_64", "x86", "64", "armv7", "cuda11", "cuda12", "cuda13", "py3",
    "debian12",
];

/// `latest`, `main-arm64`, `v3-latest`: a moving name, alone or with a variant. A part with a digit in it
/// (`main-3f1c9ab`, `rc.1`) says which build; beside `latest` it must be as long as a date or commit.
pub fn is_moving(tag: &str) -> bool {
    let tag = tag.to_ascii_lowercase();
    let parts: Vec<&str> = tag.split(['-', '_', '.', '+']).collect();
    let counts = |part: &str| part.bytes().any(|byte| byte.is_ascii_digit()) && !VARIANTS.contains(&part);
    if parts.contains(&"latest") {
        return !parts.iter().any(|part| part.len() >= 6 && counts(part));
    }
    parts.first().is_some_and(|first| MOVING.contains(first)) && !parts.iter().any(|part| counts(part))
}

/// The folders and first words of branches that carry a number: `release-1.8`, `support/2.x`.
const LINES: &[&str] =
    &["release", "releases", "rel", "stable", "maint", "maintenance", "support", "hotfix", "version"];

/// The folders of branches whatever comes below them.
const TOPICS: &[&str] = &["feature", "feat", "fix", "bugfix", "hotfix", "dependabot", "renovate"];

/// Whether a ref or a chart's version means the same tomorrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::overlay) enum Motion {
    /// A tag, a commit, a whole version.
    Fixed,
    /// A branch, as far as its name tells, or nothing: what stands there belongs to the environment.
    Branch,
    /// What the newest of is chosen.
    Range,
}

impl Motion {
    /// What a version of this kind does: a part of a version is a range to Helm, and a tag's name to git.
    pub(in crate::overlay) fn of(kind: PinKind, text: &str) -> Self {
        if is_branch(text) {
            Self::Branch
        } else if is_range(text) || (kind == PinKind::ChartVersion && is_partial(text)) {
            Self::Range
        } else {
            Self::Fixed
        }
    }
}

fn is_branch(text: &str) -> bool {
    if text.is_empty() || text.starts_with("refs/heads/") {
        return true;
    }
    let (folders, name) = text.rsplit_once('/').unwrap_or(("", text));
    let topic = folders.trim_start_matches("origin/").split('/').next().unwrap_or_default();
    is_moving(name) || TOPICS.contains(&topic) || is_line(text) || is_line(name)
}

/// `release-1.8`, `release/v2`, `stable-1.x`: a line of releases, not one of them, which has three numbers.
fn is_line(text: &str) -> bool {
    let text = text.trim_start_matches("origin/").to_ascii_lowercase();
    let Some((word, number)) = text.split_once(['-', '_', '/']) else { return false };
    let parts: Vec<&str> = number.trim_start_matches('v').split(['.', '-', '_']).collect();
    let is_number = |part: &&str| {
        *part == "x" || (1..5).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_open = parts.len() < 3 || parts.last() == Some(&"x");
    LINES.contains(&word) && is_open && parts.iter().all(is_number)
}

/// `^1.2`, `>=1.0.0-0`, `1.x`, `v1.*`: what Helm, Argo CD and Flux choose the newest of.
fn is_range(text: &str) -> bool {
    let wild = |part: &str| matches!(part.trim_start_matches('v'), "x" | "X");
    text.contains(['*', '^', '~', '>', '<', '|', ',', ' ', '=']) || text.split(['.', '-']).any(wild)
}

/// `1`, `v1.5`: Helm takes each for the newest of its kind (`Masterminds/semver`, `Constraint`).
fn is_partial(text: &str) -> bool {
    let core = text.trim_start_matches('v').split(['-', '+']).next().unwrap_or_default();
    let parts: Vec<&str> = core.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.len() < 3 && parts.iter().all(is_number)
}

#[cfg(test)]
mod tests {
    use super::{Motion, PinKind};

    #[test]
    fn branches_and_ranges_move_and_versions_and_commits_do_not() {
        for (kind, motion, texts) in [
            (
                PinKind::RemoteRef,
                Motion::Branch,
                &[
                    "",
                    "HEAD",
                    "main",
                    "master",
                    "refs/heads/release-1.8",
                    "refs/heads/v1.8.0",
                    "origin/main",
                    "latest",
                    "staging",
                    "release-1.8",
                    "release/1.8",
                    "releases/v2",
                    "origin/release-1.8",
                    "stable-1.x",
                    "release-7",
                    "feature/v2.0.0",
                    "Release/1.8",
                ][..],
            ),
            (
                PinKind::RemoteRef,
                Motion::Range,
                &["*", "^1.2.0", "~1.2", "1.x", "v1.*", ">=1.0.0-alpha", "1.2.x", ">1 <2"],
            ),
            (
                PinKind::RemoteRef,
                Motion::Fixed,
                &[
                    "v1.8.0",
                    "1.8",
                    "refs/tags/v1.8.0",
                    "3f1c9ab",
                    "release-1.8.0",
                    "release-1.8.0-rc.1",
                    "release-20260915",
                    "agent/v1.8.0",
                    "1.0.0-rc.1",
                    "main-3f1c9ab",
                    "sha256:aa",
                ],
            ),
            (PinKind::ChartVersion, Motion::Range, &["1", "1.5", "v1.5", "1.5-rc", "1.x", "~1.7.0", "=1.5"]),
            (PinKind::ChartVersion, Motion::Fixed, &["1.5.0", "v1.5.0", "1.5.0-rc.1", "1.5.0+3"]),
        ] {
            for text in texts {
                assert_eq!(Motion::of(kind, text), motion, "{kind:?} {text}");
            }
        }
    }
}
