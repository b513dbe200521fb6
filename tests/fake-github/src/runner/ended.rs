//! A step that runs, and what it came to: its exit code, what it said, what it left.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

use anyhow::Context as _;

use super::{Left, Paths, Said, Step};

/// A step that runs.
pub struct Running {
    child: Child,
    lines: Receiver<(Stream, Vec<u8>)>,
    paths: Paths,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Output,
    Error,
}

/// What a step came to.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The exit code; nothing when a signal ended it.
    pub code: Option<i32>,
    /// What it said, as the runner takes it.
    pub said: Said,
    /// What it left in the runner's files.
    pub left: Left,
    /// Its standard output as it was.
    pub stdout: String,
    /// Its standard error as it was.
    pub stderr: String,
}

impl Running {
    /// Starts a step's program: `command` has its folder and its environment.
    pub fn start(mut command: Command, paths: Paths) -> anyhow::Result<Self> {
        let shown = command.get_program().display().to_string();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("{shown} cannot be started"))?;
        let (sender, lines) = channel();
        read(Stream::Output, child.stdout.take().context("standard output")?, sender.clone());
        read(Stream::Error, child.stderr.take().context("standard error")?, sender);
        Ok(Self { child, lines, paths })
    }

    /// The process that was started: for a container, the engine's client.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end, and reads everything as the runner does: the streams as they come, the files at the end.
    pub fn end(mut self, step: &Step) -> anyhow::Result<Ended> {
        let mut said = Said::new(self.paths);
        let (mut stdout, mut stderr) = (String::new(), String::new());
        for (stream, bytes) in self.lines {
            let line = String::from_utf8_lossy(&bytes);
            let whole = if stream == Stream::Output { &mut stdout } else { &mut stderr };
            whole.push_str(&line);
            let line = line.strip_suffix('\n').unwrap_or(&line);
            said.line(line.strip_suffix('\r').unwrap_or(line));
        }
        let code = self.child.wait()?.code();
        let mut left = Left::read(step)?;
        for error in &left.errors {
            said.error(error);
        }
        // An output that shows what is hidden is not passed on, and in a summary it is hidden: neither should be.
        let shows = |text: &&str| said.masks.iter().any(|mask| text.contains(mask.as_str()));
        let texts = left.outputs.iter().map(|(_, value)| value.as_str()).chain([left.summary.as_str()]);
        let leaks: Vec<String> = texts.filter(shows).map(str::to_owned).collect();
        said.leaks.extend(leaks);
        left.summary = said.masked(&left.summary);
        Ok(Ended { code, said, left, stdout, stderr })
    }
}

/// Sends each line with its end, as it comes. To the runner, which reads as .NET does, a lone carriage return ends one.
fn read(stream: Stream, from: impl Read + Send + 'static, to: Sender<(Stream, Vec<u8>)>) {
    std::thread::spawn(move || {
        let mut from = BufReader::new(from);
        loop {
            let mut line = Vec::new();
            match from.read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) => {
                    if lines_of(&line).any(|line| to.send((stream, line.to_owned())).is_err()) {
                        break;
                    }
                }
            }
        }
    });
}

/// A line as it was written, at each carriage return that no line feed follows.
fn lines_of(written: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = written;
    std::iter::from_fn(move || {
        let lone =
            rest.windows(2).position(|pair| pair.first() == Some(&b'\r') && pair.last() != Some(&b'\n'));
        let (line, more) = rest.split_at(lone.map_or(rest.len(), |at| at + 1));
        rest = more;
        (!line.is_empty()).then_some(line)
    })
}

impl Ended {
    /// Whether the runner shows the step green: its exit code alone does not say so.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.code == Some(0) && !self.said.fails && !self.left.fails
    }

    /// One output, or nothing.
    #[must_use]
    pub fn output(&self, name: &str) -> &str {
        let found = self.left.outputs.iter().rev().find(|(other, _)| other == name);
        found.map_or("", |(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::lines_of;

    #[test]
    fn a_lone_carriage_return_ends_a_line() {
        for (written, lines) in [
            ("one\n", vec!["one\n"]),
            ("one\r\n", vec!["one\r\n"]),
            ("a\r::error::b\n", vec!["a\r", "::error::b\n"]),
            ("\r\rx", vec!["\r", "\r", "x"]),
            ("x\r", vec!["x\r"]),
        ] {
            let found: Vec<&[u8]> = lines_of(written.as_bytes()).collect();
            assert_eq!(found, lines.iter().map(|line| line.as_bytes()).collect::<Vec<_>>(), "{written:?}");
        }
    }
}
