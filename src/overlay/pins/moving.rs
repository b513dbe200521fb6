//! Versions that are not fixed: names that people move, and ranges. What ran under one in staging need not run in prod.
//!
//! Nobody can know every branch by its name; the usual ones are known here, once for tags and for refs.

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

/// Whether a ref or a chart's version may mean something else tomorrow: a branch, as far as its name tells, or a range.
pub(in crate::overlay) fn is_moving_ref(text: &str) -> bool {
    let name = text.rsplit('/').next().unwrap_or(text);
    text.is_empty() || text.starts_with("refs/heads/") || is_moving(name) || is_range(text)
}

/// `^1.2`, `>=1.0.0-0`, `1.x`, `v1.*`: what Helm, Argo CD and Flux choose the newest of.
fn is_range(text: &str) -> bool {
    let wild = |part: &str| matches!(part.trim_start_matches('v'), "x" | "X");
    text.contains(['*', '^', '~', '>', '<', '|', ',', ' ', '=']) || text.split(['.', '-']).any(wild)
}

#[cfg(test)]
mod tests {
    use super::is_moving_ref;

    #[test]
    fn branches_and_ranges_move_and_versions_and_commits_do_not() {
        for moving in [
            "",
            "HEAD",
            "main",
            "master",
            "refs/heads/release-1.8",
            "origin/main",
            "*",
            "^1.2.0",
            "~1.2",
            "1.x",
            "v1.*",
            ">=1.0.0-alpha",
            "1.2.x",
            ">1 <2",
            "latest",
            "staging",
        ] {
            assert!(is_moving_ref(moving), "{moving}");
        }
        for fixed in [
            "v1.8.0",
            "1.8",
            "refs/tags/v1.8.0",
            "3f1c9ab",
            "release-1.8",
            "agent/v1.8.0",
            "1.0.0-rc.1",
            "main-3f1c9ab",
            "sha256:aa",
        ] {
            assert!(!is_moving_ref(fixed), "{fixed}");
        }
    }
}
