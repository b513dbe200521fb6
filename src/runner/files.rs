//! Files of the runner and the workspace: outputs, job summary, the plan, an edited overlay.
//!
//! Outputs are heredocs with a random delimiter: a guessable one would let a hostile tag forge
//! outputs. The plan is the only file left in the workspace, owned as the workspace is.

use std::fs::{File, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::failure::{Failure, Kind, Place, Result};

/// The plan's file in the workspace.
pub const PLAN_FILE: &str = "promote-plan.json";

/// The job summary may have 1 MiB a step.
const SUMMARY_LIMIT: usize = 1024 * 1024;
/// All outputs of a job may have 1 MiB; one value that is longer is cut.
const OUTPUT_LIMIT: usize = 256 * 1024;

/// Appends outputs to the file that `GITHUB_OUTPUT` names.
///
/// # Errors
/// When the file cannot be written, or no randomness is to be had.
pub fn write_outputs(path: &Path, outputs: &[(&str, String)]) -> Result<()> {
    let mut text = String::new();
    for (name, value) in outputs {
        let delimiter = format!("promote_{}", super::random_word()?);
        let value = cut(value, OUTPUT_LIMIT, "");
        text.push_str(&format!("{name}<<{delimiter}\n{value}\n{delimiter}\n"));
    }
    append(path, &text)
}

/// Appends Markdown to the file that `GITHUB_STEP_SUMMARY` names.
///
/// # Errors
/// When the file cannot be written.
pub fn write_summary(path: &Path, markdown: &str) -> Result<()> {
    let note = "\n\n_The rest is longer than a job summary may be; the plan file has all of it._\n";
    append(path, &format!("{}\n", cut(markdown, SUMMARY_LIMIT - 1024, note)))
}

/// Writes the plan into the workspace, over one that is there.
///
/// # Errors
/// When the workspace cannot be written to.
pub fn write_plan(workspace: &Path, json: &str) -> Result<()> {
    let owner = std::fs::metadata(workspace).map_err(|error| cannot("write to", workspace, error))?;
    replace(&workspace.join(PLAN_FILE), json.as_bytes(), 0o644, (owner.uid(), owner.gid()))
}

/// Replaces a file at once, keeping its mode and owner.
///
/// # Errors
/// When it is not a plain file, or cannot be replaced.
pub fn replace_contents(path: &Path, bytes: &[u8]) -> Result<()> {
    let real = std::fs::canonicalize(path).map_err(|error| cannot("read", path, error))?;
    let now = std::fs::metadata(&real).map_err(|error| cannot("read", path, error))?;
    replace(&real, bytes, now.mode() & 0o7777, (now.uid(), now.gid()))
}

/// Reads a file that somebody named.
///
/// # Errors
/// When it cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| cannot("read", path, error))
}

/// A rename replaces a link itself and never follows it out of the workspace.
fn replace(path: &Path, bytes: &[u8], mode: u32, owner: (u32, u32)) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let replaced = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".promote-").tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().set_permissions(Permissions::from_mode(mode))?;
        let made = file.as_file().metadata()?;
        if (made.uid(), made.gid()) != owner {
            std::os::unix::fs::chown(file.path(), Some(owner.0), Some(owner.1))?;
        }
        file.as_file().sync_all()?;
        file.persist(path).map(drop).map_err(|error| error.error)
    };
    replaced().map_err(|error| cannot("write", path, error))
}

fn append(path: &Path, text: &str) -> Result<()> {
    let mut file: File = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .map_err(|error| cannot("write", path, error))?;
    file.write_all(text.as_bytes()).map_err(|error| cannot("write", path, error))
}

fn cannot(what: &str, path: &Path, error: std::io::Error) -> Failure {
    Failure::at(Kind::Machine, Place::of(path.display().to_string()), format!("cannot {what} it: {error}"))
        .because(error)
}

fn cut<'t>(text: &'t str, limit: usize, note: &str) -> std::borrow::Cow<'t, str> {
    if text.len() <= limit {
        return text.into();
    }
    let mut end = limit.saturating_sub(note.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{note}", text.get(..end).unwrap_or_default()).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]
    use super::*;

    #[test]
    fn an_output_cannot_forge_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        write_outputs(&path, &[("tag", "x\nEOF\noutcome=created".into()), ("outcome", "blocked".into())])
            .unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let delimiter = lines[0].strip_prefix("tag<<").unwrap();
        assert_eq!(lines.iter().position(|line| *line == delimiter), Some(4));
        assert!(lines[5].starts_with("outcome<<promote_"));
        assert_ne!(lines[5].strip_prefix("outcome<<").unwrap(), delimiter);
    }

    #[test]
    fn the_plan_replaces_a_link_and_does_not_follow_it() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        std::fs::write(&victim, "keep").unwrap();
        std::os::unix::fs::symlink(&victim, folder.path().join(PLAN_FILE)).unwrap();
        write_plan(folder.path(), "{}").unwrap();
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "keep");
        assert_eq!(std::fs::read_to_string(folder.path().join(PLAN_FILE)).unwrap(), "{}");
    }

    #[test]
    fn a_replaced_file_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("values.yaml");
        std::fs::write(&path, "a: 1\n").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        replace_contents(&path, b"a: 2\n").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read(&path).unwrap(), b"a: 2\n");
    }

    #[test]
    fn a_cut_falls_between_characters() {
        assert_eq!(cut("ééé", 5, ""), "éé");
        assert_eq!(cut("ééé", 6, "…"), "ééé");
    }
}
