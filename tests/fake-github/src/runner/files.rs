//! The files of file commands, read back as `FileCommandManager.cs` of actions/runner reads them.
//!
//! What the runner refuses is an [`Left::errors`] here, and what came before it in the same file still holds.

use std::path::Path;

use anyhow::{Context as _, bail};

use super::Step;

/// The most that a step's summary may be.
const SUMMARY_LIMIT: u64 = 1024 * 1024;
/// The most that the outputs of a job may be, in UTF-16 as GitHub counts it.
const OUTPUTS_LIMIT: usize = 1024 * 1024;
/// Variables that a file may not set.
const BLOCKED: &str = "NODE_OPTIONS";

/// What a step left in its files.
#[derive(Clone, Debug, Default)]
pub struct Left {
    /// The step's outputs, in order; one that was set again is there twice.
    pub outputs: Vec<(String, String)>,
    /// Variables for the steps after it.
    pub env: Vec<(String, String)>,
    /// State for its own later stages.
    pub state: Vec<(String, String)>,
    /// Folders for the `PATH` of the steps after it.
    pub path: Vec<String>,
    /// The job summary; nothing when it was too long to be taken.
    pub summary: String,
    /// What the runner says as errors.
    pub errors: Vec<String>,
    /// Whether an error of a file fails the step, whatever its exit code.
    pub fails: bool,
}

impl Left {
    /// Reads every file of a step that has ended.
    pub fn read(step: &Step) -> anyhow::Result<Self> {
        let path = text(step, "GITHUB_PATH")?;
        let path = path.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
        let mut left = Self { path, ..Self::default() };
        let env = left.pairs("env", &text(step, "GITHUB_ENV")?);
        for (name, value) in env {
            if name.eq_ignore_ascii_case(BLOCKED) {
                left.errors
                    .push(format!("Can't store {BLOCKED} output parameter using '$GITHUB_ENV' command."));
            } else {
                left.env.push((name, value));
            }
        }
        left.take_summary(step)?;
        left.state = left.pairs("state", &text(step, "GITHUB_STATE")?);
        left.outputs = left.pairs("output", &text(step, "GITHUB_OUTPUT")?);
        if left.outputs.iter().any(|(name, _)| name.is_empty()) {
            left.refuse("output", "Value cannot be null. (Parameter 'name')");
            left.outputs.retain(|(name, _)| !name.is_empty());
        }
        let size: usize = left.outputs.iter().map(|(_, value)| value.encode_utf16().count() * 2).sum();
        if size > OUTPUTS_LIMIT {
            left.refuse("output", &format!("{size} bytes of outputs are more than a job may have"));
        }
        Ok(left)
    }

    fn take_summary(&mut self, step: &Step) -> anyhow::Result<()> {
        let size = std::fs::metadata(path(step, "GITHUB_STEP_SUMMARY")?)?.len();
        if size > SUMMARY_LIMIT {
            self.errors.push(format!(
                "$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of {}k, got {}k.",
                SUMMARY_LIMIT / 1024,
                size / 1024
            ));
        } else {
            self.summary = text(step, "GITHUB_STEP_SUMMARY")?;
        }
        Ok(())
    }

    fn pairs(&mut self, command: &str, text: &str) -> Vec<(String, String)> {
        let (pairs, refused) = pairs(text);
        if let Some(why) = refused {
            self.refuse(command, &why);
        }
        pairs
    }

    fn refuse(&mut self, command: &str, why: &str) {
        self.errors.push(format!("Unable to process file command '{command}' successfully."));
        self.errors.push(why.to_owned());
        self.fails = true;
    }
}

/// Reads a file of file commands: `name=value`, or `name<<DELIMITER` up to a line of it.
pub fn file_command(text: &str) -> anyhow::Result<Vec<(String, String)>> {
    match pairs(text) {
        (pairs, None) => Ok(pairs),
        (_, Some(why)) => bail!("{why}"),
    }
}

pub(super) fn path<'a>(step: &'a Step, name: &str) -> anyhow::Result<&'a Path> {
    step.var(name).map(Path::new).with_context(|| format!("no `{name}`"))
}

/// A file as text; one that was removed says nothing, and what is no UTF-8 is replaced.
pub(super) fn text(step: &Step, name: &str) -> anyhow::Result<String> {
    match std::fs::read(path(step, name)?) {
        Ok(bytes) => {
            Ok(String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes)).into_owned())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error).with_context(|| format!("`{name}` cannot be read")),
    }
}

/// The pairs up to the first mistake, and the mistake.
fn pairs(text: &str) -> (Vec<(String, String)>, Option<String>) {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((line, _)) = next_line(&mut rest) {
        if line.is_empty() {
            continue;
        }
        match pair(line, &mut rest) {
            Ok(pair) => found.push(pair),
            Err(why) => return (found, Some(why)),
        }
    }
    (found, None)
}

fn pair(line: &str, rest: &mut &str) -> Result<(String, String), String> {
    let (equals, heredoc) = (line.find('='), line.find("<<"));
    match (line.split_once("<<"), line.split_once('=')) {
        (Some((name, delimiter)), _) if equals.is_none() || heredoc < equals => {
            if name.is_empty() || delimiter.is_empty() {
                return Err(format!(
                    "Invalid format '{line}'. Name must not be empty and delimiter must not be empty"
                ));
            }
            Ok((name.to_owned(), heredoc_value(delimiter, rest)?))
        }
        (_, Some((name, value))) => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("Invalid format '{line}'")),
    }
}

/// The lines up to the delimiter, without the last line's end: a carriage return is part of a line on Linux.
fn heredoc_value(delimiter: &str, rest: &mut &str) -> Result<String, String> {
    let mut lines = Vec::new();
    loop {
        match next_line(rest) {
            Some((line, _)) if line == delimiter => return Ok(lines.join("\n")),
            Some((line, true)) => lines.push(line),
            Some((_, false)) => return Err("Invalid value. EOF marker missing new line.".to_owned()),
            None => return Err(format!("Invalid value. Matching delimiter not found '{delimiter}'")),
        }
    }
}

/// The next line, and whether it was ended.
fn next_line<'a>(rest: &mut &'a str) -> Option<(&'a str, bool)> {
    if rest.is_empty() {
        return None;
    }
    let (line, after, ended) = match rest.split_once('\n') {
        Some((line, after)) => (line, after, true),
        None => (*rest, "", false),
    };
    *rest = after;
    Some((line, ended))
}

#[cfg(test)]
mod tests {
    use super::pairs;

    #[test]
    fn a_file_is_read_up_to_its_first_mistake() {
        let read = |text: &str| {
            let (pairs, why) = pairs(text);
            let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}:{value:?}")).collect();
            (pairs.join(" "), why.unwrap_or_default())
        };
        for (text, found, why) in [
            ("a=1\n\nb=x<<y=z\n", r#"a:"1" b:"x<<y=z""#, ""),
            ("a<<E\none\n\ntwo=2\nE\nb=", r#"a:"one\n\ntwo=2" b:"""#, ""),
            ("a<<E\nE", r#"a:"""#, ""),
            ("a<<E\r\none\r\nE\r\n", r#"a:"one\r""#, ""),
            ("a=1\nb<<E\nforged", r#"a:"1""#, "Invalid value. EOF marker missing new line."),
            ("b<<E\none\n", "", "Invalid value. Matching delimiter not found 'E'"),
            ("<<E\nE\n", "", "Invalid format '<<E'. Name must not be empty and delimiter must not be empty"),
            ("a=1\nnonsense\nb=2", r#"a:"1""#, "Invalid format 'nonsense'"),
        ] {
            assert_eq!(read(text), (found.to_owned(), why.to_owned()), "{text:?}");
        }
    }
}
