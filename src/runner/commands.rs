//! Workflow commands: annotations and masks, with every character escaped that could forge another.

use std::fmt::Write as _;
use std::io::Write as _;

use crate::failure::{Failure, Place, Problem};
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

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Hides a secret in everything the runner shows from here on.
pub fn mask(secret: &Secret) {
    for line in secret.expose().lines().filter(|line| !line.trim().is_empty()) {
        print(&format!("::add-mask::{}\n", escaped(line)));
    }
}

/// Who reads what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A runner, which makes annotations out of workflow commands.
    Runner,
    /// A person at a terminal.
    Terminal,
}

/// Shows a problem: to a runner as an annotation, to a person as lines.
pub fn show(level: Level, title: &str, problem: &Problem, audience: Audience) {
    match audience {
        Audience::Terminal => say(level.word(), problem),
        Audience::Runner => {
            let mut message = problem.message.clone();
            for hint in &problem.hints {
                let _ = write!(message, "\nhint: {hint}");
            }
            print(&annotation(level, problem.place.as_ref(), title, &message));
        }
    }
}

/// Shows a failure as `error:` and `hint:` lines, and to a runner as annotations too.
pub fn show_failure(failure: &Failure, audience: Audience) {
    for problem in failure.problems() {
        say("error", problem);
        if audience == Audience::Runner {
            show(Level::Error, "promote", problem, audience);
        }
    }
}

/// A problem as a line, and each of its hints as one.
fn say(level: &str, problem: &Problem) {
    let mut text = format!("{level}: {}\n", one_line(&problem.to_string()));
    for hint in &problem.hints {
        let _ = writeln!(text, "hint: {}", one_line(hint));
    }
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Outside text on one line, where it can start no workflow command: the runner reads those of both
/// streams, `::name::` at the start of a line and the older `##[name]` anywhere in it
/// (`ActionCommand.cs` of actions/runner).
pub fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line.replace("##[", "## [")
}

/// Prints what was asked for on standard output: a plan, a schema, a diff.
pub fn print(text: &str) {
    // A reader that went away (`| head`) is no error.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// Prints outside text of several lines so that no line of it can be a workflow command.
pub fn print_block(text: &str, audience: Audience) {
    if audience == Audience::Terminal {
        print(&format!("{text}\n"));
        return;
    }
    // Without a word that cannot be guessed, nothing of others is printed.
    let Ok(token) = super::random_word() else { return };
    print(&format!("::stop-commands::{token}\n{text}\n::{token}::\n"));
}

/// Prints a diff as it is; to a runner that would take a line of it for a command, as a block.
pub fn print_diff(diff: &str, audience: Audience) {
    if audience == Audience::Runner && holds_command(diff) {
        print_block(diff.trim_end_matches('\n'), audience);
    } else {
        print(diff);
    }
}

/// Whether the runner would take a line for a command: it looks past blanks, and anywhere for the old form.
fn holds_command(text: &str) -> bool {
    text.split(['\n', '\r']).any(|line| line.trim_start().starts_with("::") || line.contains("##["))
}

fn annotation(level: Level, place: Option<&Place>, title: &str, message: &str) -> String {
    let name = level.word();
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
    fn a_line_for_people_cannot_hold_a_command() {
        assert_eq!(
            one_line("a\n::set-output name=x::y\r##[add-mask]z"),
            "a ::set-output name=x::y ## [add-mask]z"
        );
    }

    #[test]
    fn a_diff_that_holds_a_command_is_known() {
        for (diff, is) in [
            (" a: 1\n-b: ::x::\n+b: 2\n", false),
            ("   ::stop-commands::x\n", true),
            (" a: ##[add-mask]v\n", true),
            (" a\r::debug::x\n", true),
        ] {
            assert_eq!(holds_command(diff), is, "{diff:?}");
        }
    }

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
