//! The command line.
//!
//! The flags of `promote run` and `promote plan` are the inputs of the action, made from the same
//! table. Nothing is read but the arguments: what a flag's text means is judged where inputs are, so
//! that a wrong flag and a wrong input are reported together. Only the shape of the command line
//! (unknown flags, missing values) is wrong usage, with exit code 2.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use super::inputs::Inputs;
use super::table::{INPUTS, Input, Shape};

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invocation {
    /// A promotion, or its plan; the flags are inputs of the highest precedence.
    Promote(Inputs),
    /// An edit of one file.
    Set(SetArguments),
    /// A JSON Schema.
    Schema(Schema),
}

/// An edit of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetArguments {
    /// The file, as the shell gave it.
    pub file: PathBuf,
    /// `KEY=VALUE` of keys that get another value, as typed.
    pub set: Vec<String>,
    /// `KEY=VALUE` of keys that are made.
    pub add: Vec<String>,
    /// Keys that are taken away.
    pub remove: Vec<String>,
    /// Whether the file is written.
    pub writing: Writing,
}

/// Whether `promote set` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// The file is replaced.
    Replace,
    /// The difference is shown and nothing is written.
    Check,
}

/// The published JSON Schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Schema {
    /// Of the settings file, `.github/promote.yaml`
    Settings,
    /// Of the plan, `promotion/v1`
    Plan,
}

/// Reads a command line, the program's name first.
///
/// # Errors
/// Wrong usage, and also `--help` and `--version`: the error prints itself and knows its exit code.
pub fn parse(
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<Invocation, clap::Error> {
    let line = CommandLine::try_parse_from(arguments)?;
    match line.subcommand {
        None => Ok(Invocation::Promote(line.flags.inputs(None)?)),
        Some(Sub::Run(flags)) => Ok(Invocation::Promote(flags.inputs(Some("run"))?)),
        Some(Sub::Plan(flags)) => Ok(Invocation::Promote(flags.inputs(Some("plan"))?)),
        Some(Sub::Explain { release, flags }) => Ok(Invocation::Promote(flags.explaining(&release)?)),
        Some(Sub::Set(arguments)) => Ok(Invocation::Set(arguments.read())),
        Some(Sub::Schema { which }) => Ok(Invocation::Schema(which)),
    }
}

/// The command line as clap knows it, for documentation and tests.
pub fn command() -> clap::Command {
    let mut command = CommandLine::command();
    command.build();
    command
}

#[derive(Parser)]
#[command(name = "promote", version, args_conflicts_with_subcommands = true)]
#[command(about = "Moves a tested release from staging to prod in a GitOps repository, as one pull request")]
#[command(after_help = "\
Without a command, `promote` runs a promotion, as it does as an action. Every flag is also an input of the \
action and has the same name; a flag beats an input, which beats `.github/promote.yaml`.

Exit codes: 0; 1 for errors and for a promotion that policy blocks; 2 for wrong usage.")]
struct CommandLine {
    #[command(subcommand)]
    subcommand: Option<Sub>,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Subcommand)]
enum Sub {
    /// Promote: decide, then make GitHub so (the default)
    Run(Flags),
    /// Decide and show the plan, its diff and the pull request; write nothing
    Plan(Flags),
    /// Say of one release, in a paragraph, why it is or is not promoted now, and when it could be
    Explain {
        /// The release: a tag, a version or a commit
        #[arg(value_name = "VERSION")]
        release: String,
        #[command(flatten)]
        flags: Flags,
    },
    /// Edit values of a YAML file and nothing else of it: comments, order, quotes and line endings stay
    Set(SetFlags),
    /// Print a JSON Schema
    Schema {
        /// Which one
        #[arg(value_enum, default_value_t = Schema::Settings)]
        which: Schema,
    },
}

/// The inputs as flags: name and text, in the order of the table.
struct Flags(BTreeMap<&'static str, String>);

impl Flags {
    /// The inputs; `command` is the subcommand that was typed.
    fn inputs(mut self, command: Option<&str>) -> Result<Inputs, clap::Error> {
        if let Some(command) = command {
            let flag = self.0.insert("command", command.to_owned());
            if let Some(flag) = flag.filter(|flag| flag.trim() != command) {
                let message = format!("`--command {flag}` contradicts `promote {command}`");
                return Err(CommandLine::command().error(ErrorKind::ArgumentConflict, message));
            }
        }
        Ok(Inputs::from_flags(self.0.iter().map(|(name, text)| (*name, text.as_str()))))
    }
}

impl Flags {
    /// The inputs of `promote explain RELEASE`.
    fn explaining(mut self, release: &str) -> Result<Inputs, clap::Error> {
        if let Some(tag) = self.0.insert("tag", release.to_owned()).filter(|tag| tag != release) {
            let message = format!("`--tag {tag}` contradicts `promote explain {release}`");
            return Err(CommandLine::command().error(ErrorKind::ArgumentConflict, message));
        }
        self.inputs(Some("explain"))
    }
}

impl Args for Flags {
    /// Not before they are asked for: `promote set` in a loop would pay for thrice thirty flags each time.
    fn augment_args(command: clap::Command) -> clap::Command {
        command.defer(|command| command.args(INPUTS.iter().map(flag)))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

fn flag(input: &Input) -> Arg {
    let help = match input.name {
        // Arguments are seen by every process of the machine, the environment is not.
        "token" => format!("{}. Better given as `GITHUB_TOKEN` in the environment", input.meaning),
        _ => format!("{} [default: {}]", input.meaning, input.default.replace('`', "")),
    };
    let flag = Arg::new(input.name).long(input.name).help(help);
    match input.shape {
        Shape::Text => flag.value_name("VALUE"),
        Shape::Secret => flag.value_name("TOKEN"),
        // It begins with dashes.
        Shape::Key => flag.value_name("PEM").allow_hyphen_values(true),
        Shape::Flag => {
            flag.value_name("true|false").num_args(0..=1).require_equals(true).default_missing_value("true")
        }
        Shape::List => flag.value_name("LIST").action(ArgAction::Append),
        Shape::Lines => flag.value_name("LINE").action(ArgAction::Append),
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let text = |input: &Input| {
            let texts: Vec<&str> = matches.get_many::<String>(input.name)?.map(String::as_str).collect();
            Some((input.name, texts.join("\n")))
        };
        Ok(Self(INPUTS.iter().filter_map(text).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.append(&mut Self::from_arg_matches(matches)?.0);
        Ok(())
    }
}

#[derive(Args)]
#[command(after_help = "\
KEY is a dotted path (`image.tag`, `images[name=acme/agent].newTag`) or, where it starts with `/` or `@N/`, a JSON \
pointer (in document N of the file). Values are strings, taken literally. All edits succeed, or none.")]
struct SetFlags {
    /// The file
    file: PathBuf,
    /// Give an existing key another value
    #[arg(value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Add a key that is not there
    #[arg(long, value_name = "KEY=VALUE")]
    add: Vec<String>,
    /// Remove a key
    #[arg(long, value_name = "KEY")]
    remove: Vec<String>,
    /// Show the difference and write nothing
    #[arg(long)]
    check: bool,
}

impl SetFlags {
    fn read(self) -> SetArguments {
        let writing = if self.check { Writing::Check } else { Writing::Replace };
        SetArguments { file: self.file, set: self.set, add: self.add, remove: self.remove, writing }
    }
}

#[cfg(test)]
mod tests;
