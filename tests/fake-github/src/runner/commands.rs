//! Workflow commands on a step's streams, acted on as actions/runner acts on them.
//!
//! Both streams are read, `::name key=value::data` at the start of a line and the older `##[name key=value]data`
//! anywhere in it (`ActionCommand.cs`, `ActionCommandManager.cs`); at most ten annotations of a level are kept
//! (`ExecutionContext.cs`).

use super::Paths;

/// How many annotations of a level a step may have.
const ANNOTATIONS: usize = 10;
/// The most characters of an annotation's message.
const MESSAGE: usize = 4096;
/// The commands that the runner knows.
const KNOWN: &[&str] = &[
    "add-mask",
    "add-matcher",
    "add-path",
    "debug",
    "echo",
    "endgroup",
    "error",
    "group",
    "notice",
    "remove-matcher",
    "save-state",
    "set-env",
    "set-output",
    "stop-commands",
    "warning",
];

/// One annotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// `error`, `warning` or `notice`.
    pub level: String,
    /// What it says, unescaped and masked.
    pub message: String,
    /// `file` (relative to the workspace where it is in it), `line`, `col`, `title`, …
    pub properties: Vec<(String, String)>,
}

impl Annotation {
    /// A property, or nothing.
    #[must_use]
    pub fn property(&self, name: &str) -> &str {
        value_of(&self.properties, name).unwrap_or_default()
    }
}

/// What a step said, as the runner takes it.
#[derive(Clone, Debug)]
pub struct Said {
    /// The log as people see it: masked, with the runner's own marks for groups and annotations.
    pub log: Vec<String>,
    /// The annotations that are shown.
    pub annotations: Vec<Annotation>,
    /// How many annotations were too many of their level, and are in the log alone.
    pub dropped: usize,
    /// What is hidden, in the order it was asked for.
    pub masks: Vec<String>,
    /// The lines, outputs and summaries in which the step itself showed what it had asked to hide.
    pub leaks: Vec<String>,
    /// Whether a command failed, which fails the step whatever its exit code.
    pub fails: bool,
    stopped_by: Option<String>,
    paths: Paths,
}

impl Said {
    /// Nothing yet; `paths` are where the step's folders are for the step and for us.
    #[must_use]
    pub fn new(paths: Paths) -> Self {
        Self {
            log: Vec::new(),
            annotations: Vec::new(),
            dropped: 0,
            masks: Vec::new(),
            leaks: Vec::new(),
            fails: false,
            stopped_by: None,
            paths,
        }
    }

    /// Takes the next line of either stream, without its end.
    pub fn line(&mut self, line: &str) {
        let command = Command::parse(line, self.stopped_by.as_deref());
        let hides =
            matches!(&command, Some(command) if command.name == "add-mask") && self.stopped_by.is_none();
        if !hides && self.masks.iter().any(|mask| line.contains(mask.as_str())) {
            self.leaks.push(line.to_owned());
        }
        match (command, self.stopped_by.is_some()) {
            (Some(command), true)
                if self.stopped_by.as_ref().is_some_and(|by| command.name.eq_ignore_ascii_case(by)) =>
            {
                self.stopped_by = None;
                self.show(line);
            }
            (Some(command), false) => self.act(&command, line),
            _ => self.show(line),
        }
    }

    /// A text without what is hidden.
    #[must_use]
    pub fn masked(&self, text: &str) -> String {
        self.masks.iter().fold(text.to_owned(), |text, mask| text.replace(mask.as_str(), "***"))
    }

    /// An error of the runner's own.
    pub fn error(&mut self, message: &str) {
        self.annotate("error", message, Vec::new());
    }

    fn show(&mut self, line: &str) {
        let line = self.masked(line);
        self.log.push(line);
    }

    fn act(&mut self, command: &Command, line: &str) {
        match command.name.as_str() {
            "stop-commands" => {
                let token = &command.data;
                if token.is_empty() || KNOWN.iter().any(|known| known.eq_ignore_ascii_case(token)) {
                    return self.fail(line, "You cannot use a endToken that is an empty string, the string 'pause-logging', or another workflow command.");
                }
                self.stopped_by = Some(token.clone());
                // The word that starts commands again is hidden too, but its own line is no leak of the step.
                self.show(line);
            }
            "add-mask" => self.mask(&command.data),
            "error" | "warning" | "notice" => {
                let properties = self.placed(command);
                self.annotate(&command.name, &command.data, properties);
            }
            "group" => self.show(&format!("##[group]{}", command.data)),
            "endgroup" => self.show("##[endgroup]"),
            "set-env" | "add-path" => {
                let why = format!("The `{}` command is disabled.", command.name);
                self.fail(line, &why);
            }
            "set-output" | "save-state" => {
                let message =
                    format!("The `{}` command is deprecated and will be disabled soon.", command.name);
                self.annotate("warning", &message, Vec::new());
            }
            // Shown in no log, or with no effect on what this reads back.
            _ => {}
        }
    }

    fn fail(&mut self, line: &str, why: &str) {
        self.error(&format!("Unable to process command '{line}' successfully."));
        self.error(why);
        self.fails = true;
    }

    fn mask(&mut self, secret: &str) {
        if secret.trim().is_empty() {
            let message = "Can't add secret mask for empty string in ##[add-mask] command.";
            return self.annotate("warning", message, Vec::new());
        }
        self.masks.push(secret.to_owned());
        let lines =
            secret.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty() && *line != secret);
        self.masks.extend(lines.map(str::to_owned));
    }

    fn annotate(&mut self, level: &str, message: &str, properties: Vec<(String, String)>) {
        let message: String = self.masked(message).chars().take(MESSAGE).collect();
        self.log.push(format!("##[{level}]{message}"));
        if self.annotations.iter().filter(|known| known.level == level).count() < ANNOTATIONS {
            self.annotations.push(Annotation { level: level.to_owned(), message, properties });
        } else {
            self.dropped += 1;
        }
    }

    /// The properties as they are shown: lines and columns that contradict each other go, and a file of the
    /// workspace is named from there.
    fn placed(&self, command: &Command) -> Vec<(String, String)> {
        let mut properties = command.properties.clone();
        let number = |properties: &[(String, String)], name: &str| -> Option<i64> {
            value_of(properties, name)?.trim().parse().ok()
        };
        for (first, last) in [("line", "endLine"), ("col", "endColumn")] {
            if let (None, Some(end)) = (number(&properties, first), number(&properties, last)) {
                properties.push((first.to_owned(), end.to_string()));
            }
        }
        let [line, end_line, column, end_column] =
            ["line", "endLine", "col", "endColumn"].map(|name| number(&properties, name));
        let mut without = |names: &[&str]| {
            properties.retain(|(name, _)| !names.iter().any(|other| name.eq_ignore_ascii_case(other)));
        };
        if (line.is_none() || (end_line.is_some() && line != end_line)) && column.is_some() {
            without(&["col", "endColumn"]);
        }
        if end_line.is_some() && end_line < line {
            without(&["line", "endLine"]);
        }
        if end_column.is_some() && end_column < column {
            without(&["col", "endColumn"]);
        }
        for (name, value) in &mut properties {
            if name.eq_ignore_ascii_case("file") {
                *value = self.paths.in_workspace(value);
            }
        }
        properties
    }
}

fn value_of<'a>(properties: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = properties.iter().rev().find(|(other, _)| other.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// A command and what it carries.
struct Command {
    name: String,
    properties: Vec<(String, String)>,
    data: String,
}

impl Command {
    fn parse(line: &str, stop: Option<&str>) -> Option<Self> {
        Self::new_form(line, stop).or_else(|| Self::old_form(line, stop))
    }

    fn new_form(line: &str, stop: Option<&str>) -> Option<Self> {
        let (head, data) = line.trim_start().strip_prefix("::")?.split_once("::")?;
        Self::of(head, data, stop, ',', &[("%0D", "\r"), ("%0A", "\n")], &[("%3A", ":"), ("%2C", ",")])
    }

    fn old_form(line: &str, stop: Option<&str>) -> Option<Self> {
        let (_, rest) = line.split_once("##[")?;
        let (head, data) = rest.split_once(']')?;
        Self::of(head, data, stop, ';', &[("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]")], &[])
    }

    fn of(
        head: &str,
        data: &str,
        stop: Option<&str>,
        separator: char,
        everywhere: &[(&str, &str)],
        in_properties: &[(&str, &str)],
    ) -> Option<Self> {
        let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
        let known = KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name));
        if !known && !stop.is_some_and(|stop| stop.eq_ignore_ascii_case(name)) {
            return None;
        }
        let plain = |text: &str, more: &[(&str, &str)]| {
            // The percent sign comes last, or `%250A` would become a line's end.
            let all = everywhere.iter().chain(more).chain(&[("%25", "%")]);
            all.fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
        };
        let properties = properties.trim().split(separator).filter_map(|property| {
            let (name, value) =
                property.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty())?;
            Some((name.to_owned(), plain(value, in_properties)))
        });
        Some(Self {
            name: name.to_ascii_lowercase(),
            properties: properties.collect(),
            data: plain(data, &[]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Paths, Said};

    fn said(lines: &[&str]) -> Said {
        let mut said = Said::new(Paths::of_host("/w".into()));
        for line in lines {
            said.line(line);
        }
        said
    }

    #[test]
    fn an_annotation_is_unescaped_and_names_its_file_from_the_workspace() {
        let said = said(&["::error title=a%3A b,file=/w/x%2Cy.yaml,line=3,col=5::one%0Atwo 100%25 %250A"]);
        let [found] = said.annotations.as_slice() else { unreachable!("one annotation: {said:?}") };
        assert_eq!((found.level.as_str(), found.message.as_str()), ("error", "one\ntwo 100% %0A"));
        let of = |name: &str| found.property(name);
        assert_eq!([of("title"), of("file"), of("line"), of("COL")], ["a: b", "x,y.yaml", "3", "5"]);
        assert_eq!(said.log, ["##[error]one\ntwo 100% %0A"]);
    }

    #[test]
    fn lines_and_columns_that_contradict_each_other_are_dropped() {
        for (given, kept) in [
            ("endLine=4", "endLine=4,line=4"),
            ("col=4", ""),
            ("line=4,endLine=5,col=1", "line=4,endLine=5"),
            ("line=4,endLine=3", ""),
            ("line=4,col=3,endColumn=2", "line=4"),
        ] {
            let said = said(&[&format!("::notice {given}::x")]);
            let found: Vec<String> = said
                .annotations
                .iter()
                .flat_map(|one| &one.properties)
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            assert_eq!(found.join(","), kept, "{given}");
        }
    }

    #[test]
    fn ten_annotations_of_a_level_are_shown() {
        let said = said(&[["::warning::w"; 12].as_slice(), &["::error::e"]].concat());
        assert_eq!((said.annotations.len(), said.dropped, said.log.len()), (11, 2, 13));
    }

    #[test]
    fn what_was_masked_is_hidden_from_then_on_and_showing_it_is_a_leak() {
        let said = said(&[
            "early s3cret",
            "::add-mask::s3cret",
            "late s3cret",
            "::error::s3cret!",
            "##[add-mask]other",
            "other",
        ]);
        assert_eq!(said.log, ["early s3cret", "late ***", "##[error]***!", "***"]);
        assert_eq!(said.leaks, ["late s3cret", "::error::s3cret!", "other"]);
        assert!(!said.fails);
    }

    #[test]
    fn nothing_is_a_command_while_commands_are_stopped() {
        let said = said(&[
            "::stop-commands::word",
            "::error::shown",
            "##[add-mask]shown",
            "::word::",
            "::error::real",
        ]);
        assert_eq!(said.annotations.len(), 1);
        assert_eq!(said.masks.len(), 0);
        assert_eq!(said.log.len(), 5);
    }

    #[test]
    fn groups_are_marked_and_disabled_commands_fail_the_step() {
        let found =
            said(&["::group::a b", "  ::endgroup::", "x ::error::no", "::unknown::x", "::error only"]);
        assert_eq!(
            found.log,
            ["##[group]a b", "##[endgroup]", "x ::error::no", "::unknown::x", "::error only"]
        );
        assert!(!found.fails && said(&["::set-env name=a::b"]).fails && said(&["::stop-commands::"]).fails);
    }
}
