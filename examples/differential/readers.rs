//! The other readers: programs of their own that know nothing of ours, asked by lines of JSON.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

/// A program that reads YAML.
pub struct Reader {
    child: Child,
    asked: Option<ChildStdin>,
    said: BufReader<ChildStdout>,
}

/// A text, and how many places in it are wanted.
#[derive(Serialize)]
pub struct Opening<'t> {
    /// The file's text.
    pub before: &'t str,
    /// How many places are wanted.
    pub limit: usize,
}

/// An edit that was made.
#[derive(Serialize)]
pub struct Made<'t> {
    /// What was asked.
    #[serde(flatten)]
    pub place: &'t Place,
    /// The new key of an `add`.
    pub key: &'t str,
    /// The new value.
    pub value: &'t str,
    /// The file's text afterwards.
    pub after: &'t str,
}

/// Where an edit may be made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Place {
    /// `set`, `add` or `remove`.
    pub op: String,
    /// Counted from 0.
    pub document: usize,
    /// Keys and indexes; of an `add`, those of the mapping.
    #[serde(default)]
    pub path: Vec<String>,
}

/// What a reader says.
#[derive(Debug, Deserialize)]
pub struct Answer {
    /// Why it cannot read the text.
    pub unreadable: Option<String>,
    /// Where the text may be edited.
    #[serde(default)]
    pub places: Vec<Place>,
    /// What is wrong with an edit.
    pub wrong: Option<String>,
}

impl Reader {
    /// Starts a program.
    pub fn start(program: &Path, arguments: &[&Path]) -> Result<Self> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("`{}` does not start", program.display()))?;
        let (Some(asked), Some(said)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("a reader has no pipes")
        };
        Ok(Self { child, asked: Some(asked), said: BufReader::new(said) })
    }

    /// Asks; the answer is read later, so that readers work side by side.
    pub fn ask(&mut self, question: &impl Serialize) -> Result<()> {
        let asked = self.asked.as_mut().context("the reader is closed")?;
        serde_json::to_writer(&mut *asked, question)?;
        asked.write_all(b"\n")?;
        Ok(())
    }

    /// The next answer.
    pub fn answer(&mut self) -> Result<Answer> {
        let mut line = String::new();
        if self.said.read_line(&mut line)? == 0 {
            bail!("a reader ended before it answered")
        }
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // It ends where its input does.
        self.asked = None;
        let _ = self.child.wait();
    }
}
