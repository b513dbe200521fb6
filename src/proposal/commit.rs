//! The promotion's own commit: a subject, what moves, and trailers for people's tools.
//!
//! Outside text is kept to one line each, so nothing in it can start a trailer of its own.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::markdown::plain;
use super::{ProposedFile, title};
use crate::plan::{Artifact, ArtifactVersion, Plan};

/// How many moves a commit message lists.
const LISTED: usize = 20;

/// The commit's message, without a trailing newline; `files` are what it commits.
pub fn commit_message(plan: &Plan, files: &[ProposedFile]) -> String {
    let mut message = title(plan);
    if let Some(reason) = &plan.reason {
        let _ = write!(message, "\n\nWhy: {}", plain(reason, 500));
    }
    let moves: Vec<String> = moves(plan);
    if !moves.is_empty() {
        message.push_str("\n\n");
        message.push_str(&moves.iter().take(LISTED).cloned().collect::<Vec<_>>().join("\n"));
        if moves.len() > LISTED {
            let _ = write!(message, "\n- and {} more", moves.len() - LISTED);
        }
    }
    message.push_str("\n\n");
    message.push_str(&trailers(plan, files));
    message
}

/// `sha256:…` of what the plan does: app, target, tag, commit and changed values.
///
/// Over JSON without white space, keys sorted. Lines are left out: a comment added above a value does
/// not make it another promotion. Nothing in it ages.
pub fn plan_digest(plan: &Plan) -> String {
    let release = plan.proposed.as_ref();
    let changes: Vec<serde_json::Value> = plan
        .changes
        .iter()
        .map(|change| {
            serde_json::json!({
                "after": change.after,
                "before": change.before,
                "file": change.file,
                "key": change.key,
            })
        })
        .collect();
    let canonical = serde_json::json!({
        "app": plan.app.name,
        "changes": changes,
        "commit": release.and_then(|release| release.commit.as_ref()),
        "tag": release.and_then(|release| release.tag.as_ref()),
        "target": plan.target.environment,
    });
    let hash = Sha256::digest(canonical.to_string().as_bytes());
    hash.iter().fold("sha256:".to_owned(), |out, byte| format!("{out}{byte:02x}"))
}

/// `sha256:…` of the files a commit changes: path, mode and content, in the order of the paths.
///
/// A person who amends our commit keeps its message, and with it this trailer; the files tell.
pub fn files_digest<'f>(files: impl IntoIterator<Item = (&'f str, u32, &'f [u8])>) -> String {
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_unstable();
    let mut hash = Sha256::new();
    for (path, mode, content) in files {
        hash.update(format!("{mode:o} {} {path}\n", content.len()));
        hash.update(content);
    }
    hash.finalize().iter().fold("sha256:".to_owned(), |out, byte| format!("{out}{byte:02x}"))
}

fn moves(plan: &Plan) -> Vec<String> {
    plan.artifacts
        .iter()
        .filter(|artifact| artifact.from != artifact.to)
        .map(|artifact| {
            format!(
                "- {} {}: {} -> {}",
                artifact.kind.as_str(),
                plain(&artifact.name, 120),
                version(&artifact.from, artifact),
                version(&artifact.to, artifact)
            )
        })
        .collect()
}

/// The tag, or where the tag stays the digest, whole: a cut one looks like a commit to link.
fn version(version: &ArtifactVersion, of: &Artifact) -> String {
    let shown = match (&version.tag, &version.digest) {
        (Some(tag), _) if of.from.tag != of.to.tag => Some(tag),
        (tag, digest) => digest.as_ref().or(tag.as_ref()),
    };
    shown.map_or_else(|| "nothing".to_owned(), |shown| plain(shown, 120))
}

fn trailers(plan: &Plan, files: &[ProposedFile]) -> String {
    let mut lines =
        vec![("Promote-App", plan.app.name.clone()), ("Promote-Target", plan.target.environment.clone())];
    if let Some(release) = &plan.proposed {
        lines.push(("Promote-Tag", release.tag.clone().unwrap_or_else(|| release.version.clone())));
        lines.extend(release.commit.as_ref().map(|commit| ("Promote-Commit", commit.to_string())));
    }
    lines.push(("Promote-Plan", plan_digest(plan)));
    let files = files.iter().map(|file| (file.path.as_str(), file.mode, file.content.as_bytes()));
    lines.push(("Promote-Files", files_digest(files)));
    lines.iter().map(|(name, value)| format!("{name}: {}", token(value))).collect::<Vec<_>>().join("\n")
}

/// A value without white space. GitHub would read `@acme/agent@1.0.0` as a mention and `#1` as an issue:
/// both signs, and what is not visible ASCII, are percent-encoded as in an address.
fn token(value: &str) -> String {
    value.bytes().fold(String::with_capacity(value.len()), |mut out, byte| {
        if byte.is_ascii_graphic() && !b"@#%<>".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}
