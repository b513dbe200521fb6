//! Workflow commands: annotations and masks, with every character escaped that could forge another.

use std::fmt::Write as _;
use std::io::Write as _;

use crate::failure::{Failure, Place};
use crate::secret::Secret;

/// How an annotation is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Something worth knowing.
    Notice,
    /// Something to look at.
    Warning,
    /// Something that failed.
    Error,
}

/// Hides a secret in everything the runner shows from here on.
pub fn mask(secret: &Secret) {
    for line in secret.expose().lines().filter(|line| !line.trim().is_empty()) {
        print(&format!("::add-mask::{}\n", escaped(line)));
    }
}

/// Shows a note beside a line of a file, or of the run.
pub fn annotate(level: Level, place: Option<&Place>, title: &str, message: &str) {
    print(&annotation(level, place, title, message));
}

/// Shows a failure as `error:` and `hint:` lines, and in Actions as annotations too.
pub fn show_failure(failure: &Failure, in_actions: bool) {
    let text: String = failure.to_string().chars().map(visible).collect();
    let _ = std::io::stderr().lock().write_all(format!("{text}\n").as_bytes());
    if in_actions {
        for problem in failure.problems() {
            let mut message = problem.message.clone();
            for hint in &problem.hints {
                let _ = write!(message, "\nhint: {hint}");
            }
            annotate(Level::Error, problem.place.as_ref(), "promote", &message);
        }
    }
}

/// Shows a warning as `warning:` and `hint:` lines.
pub fn show_warning(problem: &crate::failure::Problem) {
    let mut text = format!("warning: {problem}");
    for hint in &problem.hints {
        let _ = write!(text, "\nhint: {hint}");
    }
    let text: String = text.chars().map(visible).collect();
    let _ = std::io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}

/// Prints what was asked for on standard output: a plan, a schema, a diff.
pub fn print(text: &str) {
    // A reader that went away (`| head`) is no error.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// Prints outside text of several lines so that no line of it can be a workflow command.
pub fn print_block(text: &str, in_actions: bool) {
    if !in_actions {
        print(&format!("{text}\n"));
        return;
    }
    // Without a word that cannot be guessed, nothing of others is printed.
    let Ok(token) = super::random_word() else { return };
    print(&format!("::stop-commands::{token}\n{text}\n::{token}::\n"));
}

fn visible(c: char) -> char {
    if c.is_control() && c != '\n' { ' ' } else { c }
}

fn annotation(level: Level, place: Option<&Place>, title: &str, message: &str) -> String {
    let name = match level {
        Level::Notice => "notice",
        Level::Warning => "warning",
        Level::Error => "error",
    };
    let mut properties = format!("title={}", property(title));
    // An input is no file: only what has a line, or looks like a path, is a place for the runner.
    if let Some(place) = place.filter(|place| place.line.is_some()) {
        let _ = write!(properties, ",file={}", property(&place.file));
        if let Some(line) = place.line {
            let _ = write!(properties, ",line={line}");
        }
        if let Some(column) = place.column {
            let _ = write!(properties, ",col={column}");
        }
    }
    let message = match place {
        Some(place) => format!("{place}: {message}"),
        None => message.to_owned(),
    };
    format!("::{name} {properties}::{}\n", escaped(&message))
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_cannot_start_another_command() {
        let hostile = "x\n::set-output name=a::b\r%0A";
        let line = annotation(Level::Error, Some(&Place::at("a:b,c.yaml", 3, 5)), "promote", hostile);
        assert_eq!(line.matches('\n').count(), 1);
        assert_eq!(
            line,
            "::error title=promote,file=a%3Ab%2Cc.yaml,line=3,col=5::a:b,c.yaml:3:5: x%0A::set-output name=a::b%0D%250A\n"
        );
    }
}
