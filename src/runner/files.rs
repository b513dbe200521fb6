//! Files of the runner and the workspace: outputs, job summary, the plan, an edited overlay.
//!
//! Outputs are heredocs with a random delimiter: a guessable one would let a hostile tag forge
//! outputs. The plan is the only file left in the workspace, owned as the workspace is.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::failure::{Failure, Kind, Place, Problem, Result};

/// The plan's file in the workspace.
pub const PLAN_FILE: &str = "promote-plan.json";

/// The job summary may have 1 MiB a step.
const SUMMARY_LIMIT: usize = 1024 * 1024;
/// All outputs of a job may have 1 MiB; one value that is longer is cut.
const OUTPUT_LIMIT: usize = 256 * 1024;
/// No overlay is longer; what is, was named by mistake.
const READ_LIMIT: u64 = 32 * 1024 * 1024;

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

/// Whether everything that will be written can be: the workspace and the runner's files.
///
/// Asked before anything is written to GitHub, so that no promotion is made and then cannot be told.
///
/// # Errors
/// Every one that cannot be written.
pub fn can_write(workspace: &Path, files: &[(&str, &Path)]) -> Result<()> {
    let mut problems = Vec::new();
    let workspace_takes_files = tempfile::Builder::new().prefix(".promote-").tempfile_in(workspace);
    if let Err(error) = workspace_takes_files {
        problems.push(unwritable("the workspace", "GITHUB_WORKSPACE", workspace, &error));
    }
    // A file or a link there is replaced; a folder cannot be.
    let plan = workspace.join(PLAN_FILE);
    if plan.symlink_metadata().is_ok_and(|there| there.is_dir()) {
        problems.push(Problem {
            place: Some(Place::of(plan.display().to_string())),
            message: "the plan cannot be written: there is a folder of this name".to_owned(),
            hints: vec![
                "remove or rename the folder; `GITHUB_WORKSPACE` says where the plan goes".to_owned(),
            ],
        });
    }
    for (variable, path) in files {
        if let Err(error) = OpenOptions::new().append(true).create(true).open(path) {
            problems.push(unwritable("the runner's file", variable, path, &error));
        }
    }
    Failure::several(Kind::Machine, problems).map_or(Ok(()), Err)
}

fn unwritable(what: &str, variable: &str, path: &Path, error: &std::io::Error) -> Problem {
    Problem {
        place: Some(Place::of(path.display().to_string())),
        message: format!("{what} cannot be written to: {}", without_path(error)),
        hints: vec![format!("`{variable}` must name what this user may write to, as the runner sets it")],
    }
}

/// `tempfile` adds its random path to what the system said.
fn without_path(error: &std::io::Error) -> String {
    error.raw_os_error().map_or_else(
        || error.to_string().split(" at path ").next().unwrap_or_default().to_owned(),
        |code| std::io::Error::from_raw_os_error(code).to_string(),
    )
}

/// A folder for everything temporary, removed on drop.
///
/// # Errors
/// When it cannot be made.
pub fn scratch(temp: &Path) -> Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix("promote-").tempdir_in(temp).map_err(|error| {
        let place = Place::of(temp.display().to_string());
        Failure::at(Kind::Machine, place, format!("no folder can be made in it: {}", without_path(&error)))
            .hinted("set `RUNNER_TEMP` to a folder that can be written to")
            .because(error)
    })
}

/// Replaces a file at once, keeping its mode and owner; where a link leads to it, the link stays.
///
/// # Errors
/// When it is no longer what was read, or cannot be replaced. It is then as it was, and nothing is beside it.
pub fn replace_contents(path: &Path, before: &[u8], after: &[u8]) -> Result<()> {
    let real = std::fs::canonicalize(path).map_err(|error| cannot("read", path, error))?;
    let now = std::fs::metadata(&real).map_err(|error| cannot("read", path, error))?;
    let owner = (now.uid(), now.gid());
    let made = written_beside(&real, after, now.mode() & 0o7777, owner)
        .map_err(|error| cannot("write", path, error))?;
    // As late as can be: what another wrote since then must not be lost.
    if read(path)? != before {
        let place = Place::of(path.display().to_string());
        return Err(Failure::at(Kind::Machine, place, "it was changed by another meanwhile; it stays so")
            .hinted("run it again, and let only one step at a time edit the file"));
    }
    made.persist(&real).map(drop).map_err(|error| cannot("write", path, error.error))
}

/// A file that no other `promote set` edits for as long as this lives. Other programs are not kept off.
pub struct Held(#[expect(dead_code, reason = "it holds by being there")] File);

impl Held {
    /// Waits until the file is nobody else's.
    ///
    /// # Errors
    /// When it is no plain file, or cannot be read.
    pub fn file(path: &Path) -> Result<Self> {
        loop {
            // A pipe would be waited for before it could be held.
            let about = std::fs::metadata(path).map_err(|error| cannot("read", path, error))?;
            if !about.is_file() {
                return Err(no_plain_file(path));
            }
            let file = File::open(path).map_err(|error| cannot("read", path, error))?;
            match file.lock() {
                // Where files cannot be held, what another wrote meanwhile is still found.
                Ok(()) | Err(_) => {}
            }
            // Whoever had it before may have put a new file in its place.
            let held = file.metadata().map_err(|error| cannot("read", path, error))?;
            let now = std::fs::metadata(path).map_err(|error| cannot("read", path, error))?;
            if (held.dev(), held.ino()) == (now.dev(), now.ino()) {
                return Ok(Self(file));
            }
        }
    }
}

/// Reads a file that somebody named, and waits for nobody: a pipe or a device is no file to edit.
///
/// # Errors
/// When it is no plain file, is longer than 32 MiB, or cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let about = std::fs::metadata(path).map_err(|error| cannot("read", path, error))?;
    let refused = |why: &str, hint: &str| {
        Err(Failure::at(Kind::Machine, Place::of(path.display().to_string()), why.to_owned()).hinted(hint))
    };
    if !about.is_file() {
        return Err(no_plain_file(path));
    }
    let too_long = |length: u64| length > READ_LIMIT;
    let long =
        || refused("it is longer than 32 MiB, more than is edited", "name an overlay, such as `values.yaml`");
    if too_long(about.len()) {
        return long();
    }
    // The length may be another by now, and files of `/proc` say none.
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(READ_LIMIT + 1).read_to_end(&mut bytes))
        .map_err(|error| cannot("read", path, error))?;
    if too_long(bytes.len() as u64) { long() } else { Ok(bytes) }
}

fn no_plain_file(path: &Path) -> Failure {
    Failure::at(Kind::Machine, Place::of(path.display().to_string()), "it is not a plain file")
        .hinted("name the file to edit, such as `values.yaml`")
}

/// A rename replaces a link itself and never follows it out of the workspace.
fn replace(path: &Path, bytes: &[u8], mode: u32, owner: (u32, u32)) -> Result<()> {
    written_beside(path, bytes, mode, owner)
        .and_then(|made| made.persist(path).map(drop).map_err(|error| error.error))
        .map_err(|error| cannot("write", path, error))
}

/// A whole file in the same folder, which is removed unless it takes the place.
///
/// Nothing is forced onto the disk: readers see the old file or the new one, and after a power cut git has
/// the old one. Waiting for the disk would take longer than everything else.
fn written_beside(
    path: &Path,
    bytes: &[u8],
    mode: u32,
    owner: (u32, u32),
) -> std::io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".promote-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    let made = file.as_file().metadata()?;
    if (made.uid(), made.gid()) != owner {
        std::os::unix::fs::fchown(file.as_file(), Some(owner.0), Some(owner.1))?;
    }
    // After the owner: a new one takes away the bits that run a file as its owner.
    file.as_file().set_permissions(Permissions::from_mode(mode))?;
    Ok(file)
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
    let hint = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => "name a file that is there",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem if what == "write" => {
            "the new file is made beside the old one: the folder must let this user do that"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "make room: the new file stands beside the old one until it is whole"
        }
        _ => "this user must be allowed to read the file, and to write in its folder with the file's owner",
    };
    let message = format!("cannot {what} it: {}", without_path(&error));
    Failure::at(Kind::Machine, Place::of(path.display().to_string()), message).hinted(hint).because(error)
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
        replace_contents(&path, b"a: 1\n", b"a: 2\n").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read(&path).unwrap(), b"a: 2\n");
    }

    #[test]
    fn what_another_wrote_meanwhile_is_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("values.yaml");
        std::fs::write(&path, "a: 3\n").unwrap();
        let said = replace_contents(&path, b"a: 1\n", b"a: 2\n").unwrap_err().to_string();
        assert!(said.contains("it was changed by another meanwhile") && said.contains("hint: "), "{said}");
        assert_eq!(std::fs::read(&path).unwrap(), b"a: 3\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_in_place_of_the_plan_is_noticed_before_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        assert!(can_write(folder.path(), &[]).is_ok());
        let plan = folder.path().join(PLAN_FILE);
        std::fs::create_dir(&plan).unwrap();
        let said = can_write(folder.path(), &[]).unwrap_err().to_string();
        assert!(
            said.contains("promote-plan.json") && said.contains("there is a folder of this name"),
            "{said}"
        );
        std::fs::remove_dir(&plan).unwrap();
        // A link to a folder is replaced as any link is.
        std::os::unix::fs::symlink("/", &plan).unwrap();
        assert!(can_write(folder.path(), &[]).is_ok());
    }

    #[test]
    fn only_a_plain_file_of_sane_length_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let pipe = std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap();
        assert!(pipe.success());
        File::create(path("long")).unwrap().set_len(READ_LIMIT + 1).unwrap();
        for (path, why) in [
            (path("pipe"), "it is not a plain file"),
            ("/dev/zero".into(), "it is not a plain file"),
            (path("."), "it is not a plain file"),
            (path("long"), "it is longer than 32 MiB"),
            (path("missing"), "cannot read it"),
        ] {
            let said = read(&path).unwrap_err().to_string();
            assert!(said.contains(why), "{said}");
        }
        std::fs::write(path("plain"), "a: 1\n").unwrap();
        assert_eq!(read(&path("plain")).unwrap(), b"a: 1\n");
    }

    #[test]
    fn a_cut_falls_between_characters() {
        assert_eq!(cut("ééé", 5, ""), "éé");
        assert_eq!(cut("ééé", 6, "…"), "ééé");
    }
}
