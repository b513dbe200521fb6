//! What went wrong, where, and what to do next.
//!
//! One type for the whole crate, because every error ends in the same three places: a line of the
//! log, an annotation, and the job summary. It never holds a secret: tokens have no way into it.

use std::fmt;

/// The part of the promotion that could not go on; decides the exit code and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The command line was used wrongly (exit code 2).
    Usage,
    /// An input, the event or the settings file is not what it must be.
    Settings,
    /// The checkout, or git on the server, lacks something or refused.
    Git,
    /// GitHub's API refused.
    GitHub,
    /// GitHub's API has a problem, or could not be reached: the next run may succeed.
    Outage,
    /// An overlay cannot be read or edited safely.
    Overlay,
    /// The release asked for cannot be promoted.
    Release,
    /// The machine: a file that cannot be written, an environment that is not a runner's.
    Machine,
    /// The ref moved while we worked; looking again may help.
    LostRace,
}

/// A place in a file or the name of an input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// A path relative to the repository, or a phrase such as ``input `tag-pattern` ``.
    pub file: String,
    /// 1-based line.
    pub line: Option<u32>,
    /// 1-based column, in characters.
    pub column: Option<u32>,
}

impl Place {
    /// A whole file, or an input.
    pub fn of(file: impl Into<String>) -> Self {
        Self { file: file.into(), line: None, column: None }
    }

    /// A line and column of a file, both 1-based.
    pub fn at(file: impl Into<String>, line: u32, column: u32) -> Self {
        Self { file: file.into(), line: Some(line), column: Some(column) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        Ok(())
    }
}

/// One problem: where, what, and the next act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, if it is anywhere in particular.
    pub place: Option<Place>,
    /// What is wrong: lower case, values in backticks, no full stop.
    pub message: String,
    /// What to do about it, each a line of its own.
    pub hints: Vec<String>,
}

/// One or several problems of one kind, reported together.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    problems: Vec<Problem>,
    source: Option<anyhow::Error>,
}

/// The result of everything in this crate that can fail.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A failure with one problem that is nowhere in particular.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            problems: vec![Problem { place: None, message: message.into(), hints: Vec::new() }],
            source: None,
        }
    }

    /// A failure with one problem at a place.
    pub fn at(kind: Kind, place: Place, message: impl Into<String>) -> Self {
        let problem = Problem { place: Some(place), message: message.into(), hints: Vec::new() };
        Self { kind, problems: vec![problem], source: None }
    }

    /// Several problems as one failure, or nothing where there are none.
    pub fn several(kind: Kind, problems: Vec<Problem>) -> Option<Self> {
        (!problems.is_empty()).then_some(Self { kind, problems, source: None })
    }

    /// Adds the next act to the last problem.
    #[must_use]
    pub fn hinted(mut self, hint: impl Into<String>) -> Self {
        if let Some(problem) = self.problems.last_mut() {
            problem.hints.push(hint.into());
        }
        self
    }

    /// Adds what a library said, for the debug log.
    #[must_use]
    pub fn because(mut self, source: impl Into<anyhow::Error>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The kind callers branch on.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Every problem, in the order found.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The problems themselves, to be joined with others.
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// What a library said, where one did.
    pub fn cause(&self) -> Option<&anyhow::Error> {
        self.source.as_ref()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            // A phrase has backticks of its own: input `tag-pattern`.
            Some(place) if place.file.contains('`') => write!(f, "{place}: {}", self.message),
            Some(place) => write!(f, "`{place}`: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// `error: …` and `hint: …` lines, as people see them.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "error: {problem}")?;
            for hint in &problem.hints {
                write!(f, "\nhint: {hint}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_printed_with_its_place_and_hint() {
        let failure = Failure::at(
            Kind::Overlay,
            Place::at("environments/prod/values.yaml", 14, 8),
            "`image.tag` is an alias of `*default-tag`",
        )
        .hinted("set `image.tag` itself in prod");
        assert_eq!(
            failure.to_string(),
            "error: `environments/prod/values.yaml:14:8`: `image.tag` is an alias of `*default-tag`\n\
             hint: set `image.tag` itself in prod"
        );
    }

    #[test]
    fn an_input_is_printed_as_the_phrase_it_is() {
        let failure = Failure::at(Kind::Settings, Place::of("input `soak`"), "`1 day` is not a duration");
        assert_eq!(failure.to_string(), "error: input `soak`: `1 day` is not a duration");
    }

    #[test]
    fn no_problems_are_no_failure() {
        assert!(Failure::several(Kind::Settings, Vec::new()).is_none());
    }
}
