//! `model-pinned`: a model's version is dated, numbered or a digest, never an alias.
//!
//! A vendor moves `gpt-4o` or `…-latest` to other weights without asking; what was evaluated in staging
//! is then not what answers in production. Pinned is what names one set of weights for good:
//!
//! - a digest or revision: `sha256:…`, 40 hex digits, at least 7 of them with letters and digits mixed;
//! - a version by itself: `v3`, `3.1.2`, `2026-05-01`, `1.0.0-rc.1`;
//! - a name with a date or revision: `gpt-4o-2024-08-06`, `claude-sonnet-4-20250514`, `gpt-4-0613`,
//!   `command-r-08-2024`, `gemini-1.5-pro-002`, `…-v1:0`;
//! - a team's own name with a version at its end: `fraud-scorer-v3`, `models:/scoring/7`, `scoring@12`.
//!
//! In a vendor's name the numbers belong to the family: `gpt-4o`, `gemini-2.5-pro`, `deepseek-v3`.

use std::sync::LazyLock;

use regex::Regex;

use super::image_pinned::is_digest;
use super::{Subject, of_artifact};
use crate::plan::{ArtifactKind, ArtifactVersion, Finding, Verdict};

pub(super) const NAME: &str = "model-pinned";

/// Names that move wherever they stand.
const ALIASES: &[&str] =
    &["latest", "default", "current", "newest", "champion", "challenger", "production", "prod", "staging"];

/// Names of channels: they move unless a date or a full version stands beside them.
const CHANNELS: &[&str] = &[
    "stable",
    "preview",
    "beta",
    "alpha",
    "dev",
    "main",
    "master",
    "head",
    "edge",
    "nightly",
    "canary",
    "experimental",
    "exp",
    "live",
    "best",
    "test",
    "release",
    "next",
    "rc",
];

/// Families of vendors, whose numbers are part of the name.
const FAMILIES: &[&str] = &[
    "gpt",
    "chatgpt",
    "o1",
    "o3",
    "o4",
    "o5",
    "claude",
    "gemini",
    "gemma",
    "llama",
    "meta",
    "codellama",
    "mistral",
    "mixtral",
    "ministral",
    "magistral",
    "codestral",
    "pixtral",
    "devstral",
    "deepseek",
    "command",
    "qwen",
    "qwq",
    "grok",
    "phi",
    "palm",
    "jamba",
    "sonar",
    "kimi",
    "glm",
    "nova",
    "yi",
    "falcon",
    "whisper",
    "dall",
    "text",
    "tts",
    "embed",
    "rerank",
    "granite",
    "nemotron",
    "starcoder",
    "dbrx",
    "olmo",
    "minimax",
    "ernie",
    "hunyuan",
    "doubao",
    "seed",
    "sonnet",
    "opus",
    "haiku",
];

/// A date within a name: `2024-08-06`, `20240806`, `08-2024`, `2024-08`.
static DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?:^|[^0-9])(?:(?:19|20)\d{2}[-._]?(?:0[1-9]|1[0-2])(?:[-._]?(?:0[1-9]|[12]\d|3[01]))?|(?:0[1-9]|1[0-2])-20\d{2})(?:[^0-9]|$)",
    )
    .ok()
});

/// A revision at the end of a vendor's name: `-0613` or `-2407` (four digits that are a month and day, or
/// a year and month), `-05-06`, `-002`, `@001`, `-v1:0`.
static REVISION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"[-@:](?:(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])|2[0-9](?:0[1-9]|1[0-2])|0\d{2}|v\d+:\d+)(?:-(?:preview|exp|instruct|chat|base|it))?$")
        .ok()
});

/// A version by itself: numbers, and after three of them a prerelease or build as in `SemVer`.
static VERSION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?:v|r|rev|version|ver)?[-._]?\d+(?:[._]\d+)*(?:-\d+)*$|^v?\d+\.\d+\.\d+[-+][0-9a-z.+-]+$")
        .ok()
});

/// What comes after the name of a team's own model: `-v3`, `-2.1`, `/7`, `@12`, `:v3`.
static NUMBERED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:[-_]v?\d+(?:\.\d+)*|[/@:]v?\d+(?:\.\d+)*)$").ok());

pub(super) fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    let hint = format!(
        "whoever releases `{}` can name a dated, numbered or digest version in {} and tag a new release",
        subject.plan.app.name,
        subject.source()
    );
    subject
        .artifacts(ArtifactKind::Model)
        .filter(|model| !is_pinned(&model.to))
        .map(|model| {
            let message = match model.to.tag.as_deref().map(str::trim) {
                None | Some("") => format!("model `{}` would run without a version", model.name),
                Some(alias) => format!("model `{}` would be `{alias}`, a name that moves", model.name),
            };
            of_artifact(NAME, Verdict::Deny, model, message, hint.clone())
        })
        .collect()
}

fn is_pinned(version: &ArtifactVersion) -> bool {
    let digest = version.digest.as_deref().unwrap_or_default().trim();
    is_digest(digest) || is_revision(digest) || names_one(version.tag.as_deref().unwrap_or_default())
}

/// Whether a name stands for one set of weights.
fn names_one(version: &str) -> bool {
    let version = version.trim().to_ascii_lowercase();
    if is_digest(&version) || is_revision(&version) {
        return true;
    }
    if let Some((_, after)) = version.rsplit_once('@')
        && (is_digest(after) || is_revision(after))
    {
        return true;
    }
    let parts: Vec<&str> = version.split(['-', '_', '.', ':', '/', '@', '+', ' ']).collect();
    let has = |names: &[&str]| parts.iter().any(|part| names.contains(part));
    let matches = |pattern: &LazyLock<Option<Regex>>| {
        LazyLock::force(pattern).as_ref().is_some_and(|regex| regex.is_match(&version))
    };
    if has(ALIASES) {
        return false;
    }
    if matches(&VERSION) || matches(&DATE) {
        return true;
    }
    if is_of_a_family(&version) {
        return matches(&REVISION) || matches_before_preview(&version);
    }
    !has(CHANNELS) && (matches(&NUMBERED) || matches(&REVISION))
}

/// `gpt-4-0125-preview`: the date stands before the channel.
fn matches_before_preview(version: &str) -> bool {
    let Some(rest) = version.strip_suffix("-preview") else { return false };
    let last = rest.rsplit('-').next().unwrap_or_default();
    last.len() == 4 && REVISION.as_ref().is_some_and(|regex| regex.is_match(rest))
}

/// Whether the model, without a vendor or region before it (`us.anthropic.`, `openai/`), is a vendor's.
fn is_of_a_family(version: &str) -> bool {
    let name = version.rsplit('/').next().unwrap_or(version);
    name.split(['-', '.', '_', ':', '@']).any(|part| {
        let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
        FAMILIES.contains(&part) || (!letters.is_empty() && FAMILIES.contains(&letters))
    })
}

/// A commit or content hash: 40 or 64 hex digits, or at least 7 with letters and digits mixed.
fn is_revision(text: &str) -> bool {
    let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mixed =
        text.bytes().any(|byte| byte.is_ascii_digit()) && text.bytes().any(|byte| byte.is_ascii_alphabetic());
    hex && (matches!(text.len(), 40 | 64) || ((7..=64).contains(&text.len()) && mixed))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "tests may")]

    use super::*;
    use crate::proposal::sample::{artifact, digest, plan, tagged};

    #[test]
    fn a_dated_numbered_or_digest_version_is_pinned() {
        for version in [
            "gpt-4o-2024-08-06",
            "gpt-4o-mini-2024-07-18",
            "o1-preview-2024-09-12",
            "gpt-4-0613",
            "gpt-4-0125-preview",
            "gpt-3.5-turbo-1106",
            "claude-sonnet-4-20250514",
            "claude-3-5-sonnet-20240620",
            "claude-3-5-sonnet@20240620",
            "us.anthropic.claude-3-5-sonnet-20240620-v1:0",
            "anthropic.claude-v2:1-v1:0",
            "gemini-1.5-pro-002",
            "gemini-2.5-pro-preview-05-06",
            "text-bison@001",
            "mistral-large-2407",
            "command-r-08-2024",
            "text-embedding-ada-002",
            "amazon.nova-pro-v1:0",
            "2026-05-01",
            "20260501",
            "2026.05.01",
            "v3",
            "3",
            "42",
            "3.1.2",
            "v1.0.0-rc.1",
            "1.0.0-beta",
            "1.2.3+build.7",
            "2026.03.21-1",
            "rev-7",
            "fraud-scorer-v3",
            "fraud-scorer-2.1",
            "scoring_v12",
            "models:/scoring/7",
            "scoring@12",
            "scoring:3",
            "scoring-2026-05-01",
            "3f1c9ab",
            "3f1c9ab3f1c9ab3f1c9ab3f1c9ab3f1c9ab3f1c9a",
            "all-MiniLM-L6-v2",
            "meta-llama/Llama-3.1-8B@3f1c9ab3f1c9ab3f1c9ab3f1c9ab3f1c9ab3f1c9a",
        ] {
            assert!(names_one(version), "{version}");
        }
        assert!(names_one(&digest('a')));
        assert!(is_pinned(&ArtifactVersion { tag: Some("latest".into()), digest: Some(digest('b')) }));
    }

    #[test]
    fn an_alias_or_a_bare_family_name_is_not() {
        for version in [
            "",
            " ",
            "latest",
            "default",
            "stable",
            "preview",
            "gpt-4o",
            "gpt-4o-mini",
            "gpt-4",
            "gpt-4-turbo-preview",
            "gpt-4.1",
            "o1",
            "o3-mini",
            "o1-preview",
            "chatgpt-4o-latest",
            "claude-sonnet",
            "claude-sonnet-4",
            "claude-3-5-sonnet-latest",
            "claude-opus-4-1",
            "gemini-2.5-pro",
            "gemini-flash-latest",
            "gemini-1.5-pro",
            "gemini-2.0-flash-exp",
            "llama3:8b",
            "meta-llama/Llama-3.1-70B-Instruct",
            "deepseek-v3",
            "deepseek-chat",
            "mistral-large",
            "mistral-large-latest",
            "command-r-plus",
            "qwen2.5-72b",
            "grok-4",
            "fraud-scorer",
            "models:/scoring/Production",
            "scoring@champion",
            "v3-latest",
            "2026-05-01-latest",
            "v3-stable",
            "openai/gpt-4o",
            "text-embedding-3-small",
            "sha256:abc",
            "deadbee",
            "main",
            "release-candidate",
        ] {
            assert!(!names_one(version), "{version}");
        }
    }

    #[test]
    fn an_alias_is_denied_where_it_stands() {
        let mut plan = plan();
        plan.artifacts = vec![
            artifact(ArtifactKind::Model, "judge", tagged("gpt-4o-2024-08-06"), tagged("gpt-4o"), 17),
            artifact(ArtifactKind::Image, "agent", tagged("v1"), tagged("latest"), 9),
            artifact(ArtifactKind::Model, "scoring", tagged("1"), ArtifactVersion::default(), 21),
        ];
        let found = findings(&Subject { plan: &plan, files: &[] });
        let told: Vec<_> = found.iter().map(|f| (f.level, f.message.as_str())).collect();
        assert_eq!(
            told,
            [
                (Verdict::Deny, "model `judge` would be `gpt-4o`, a name that moves"),
                (Verdict::Deny, "model `scoring` would run without a version"),
            ]
        );
        assert_eq!(found[0].location.as_ref().map(|l| l.line), Some(17));
    }

    #[test]
    fn every_pattern_compiles() {
        for pattern in [&DATE, &REVISION, &VERSION, &NUMBERED] {
            assert!(pattern.is_some());
        }
    }
}
