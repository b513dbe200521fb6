//! `promote set`: the byte editor on one file of this machine.
//!
//! All edits succeed or none; the file is replaced at once and keeps its mode and owner. What a dev or
//! staging pipeline uses to record a new image tag.

use std::path::Path;

use crate::failure::{Failure, Problem, Result};
use crate::names::RepoPath;
use crate::overlay::editor::edit::{Anchors, edited};
use crate::overlay::editor::set::{edits_of, unified_diff};
use crate::runner::commands::{Audience, Level, one_line, print, print_diff, show};
use crate::runner::environment::Environment;
use crate::runner::files::{Held, read, replace_contents};
use crate::settings::cli::{SetArguments, Writing};

/// Edits the file, or shows what would change.
///
/// # Errors
/// When the file cannot be read or written, and when any edit is refused: then nothing is written.
pub fn set(arguments: &SetArguments) -> Result<u8> {
    let edits = edits_of(&arguments.set, &arguments.add, &arguments.remove)?;
    // From reading to replacing: of two steps that edit one file, the second sees what the first did.
    let _held = Held::file(&arguments.file)?;
    let before = read(&arguments.file)?;
    let named = |failure: Failure| as_typed(failure, &arguments.file);
    let file = edited(&stand_in(&arguments.file)?, &before, &edits, Anchors::Follow).map_err(named)?;
    for warning in as_typed_all(file.warnings, &arguments.file) {
        show(Level::Warning, "promote", &warning, Audience::Terminal);
    }
    if file.bytes == before {
        print("unchanged: every value stands there already\n");
        return Ok(0);
    }
    match arguments.writing {
        Writing::Replace => replace_contents(&arguments.file, &before, &file.bytes)?,
        Writing::Check => {
            let name = arguments.file.display().to_string();
            let (before, after) = (String::from_utf8_lossy(&before), String::from_utf8_lossy(&file.bytes));
            let diff = unified_diff(&one_line(name.trim_start_matches('/')), &before, &after);
            print_diff(&diff, Environment::read().audience);
        }
    }
    Ok(0)
}

/// The editor names files of a repository; on a machine any path may be meant.
fn stand_in(file: &Path) -> Result<RepoPath> {
    let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    RepoPath::parse(&name).or_else(|_| RepoPath::parse("file"))
}

fn as_typed(failure: Failure, file: &Path) -> Failure {
    let kind = failure.kind();
    let problems = as_typed_all(failure.into_problems(), file);
    Failure::several(kind, problems).unwrap_or_else(|| Failure::new(kind, "the file cannot be edited"))
}

fn as_typed_all(mut problems: Vec<Problem>, file: &Path) -> Vec<Problem> {
    for place in problems.iter_mut().filter_map(|problem| problem.place.as_mut()) {
        place.file = file.display().to_string();
    }
    problems
}
