//! `promote set` beside yq v4, as ratios, and files that were made to exhaust a reader: `.ci/editor-tools` runs this.
//!
//! Both programs are started as a user starts them, one after the other in turns, on files that are made here and
//! are the same every time. What each leaves is held against what was asked, so that no figure is of work not done.
//! Times of a shared machine are noisy and only shown; memory is not, and fails where it is over its limit.

#![allow(clippy::print_stdout, reason = "an example talks to the person who runs it")]

mod files;
mod hostile;
mod usage;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use usage::{Usage, median};
use work::{Bench, Task};

/// MiB at most for one edit of 10 MB, and for any file that is refused.
const MEMORY: f64 = 300.0;

/// Measures the editor beside yq.
#[derive(Parser)]
struct Arguments {
    /// An optimised `promote`.
    #[arg(long)]
    promote: PathBuf,
    /// yq v4.
    #[arg(long)]
    yq: PathBuf,
    /// `examples/budgets/probe.c`, compiled.
    #[arg(long)]
    probe: PathBuf,
    /// How often each is measured.
    #[arg(long, default_value_t = 7)]
    runs: usize,
    /// How many small files there are.
    #[arg(long, default_value_t = 1000)]
    files: usize,
}

fn main() -> Result<ExitCode> {
    let Arguments { promote, yq, probe, runs, files } = Arguments::parse();
    let bench = Bench::new(promote.canonicalize()?, yq.canonicalize()?, probe.canonicalize()?);
    println!("{}", bench.versions()?);
    println!("medians of {runs} runs; memory is the most that any run took\n");
    println!(
        "| operation | promote | yq | ratio | ratio of CPU | promote, MiB | yq, MiB | lines, promote | lines, yq |"
    );
    println!("|:--|--:|--:|--:|--:|--:|--:|--:|--:|");
    let mut kept = true;
    for task in Task::all(files) {
        let mut taken = (Vec::new(), Vec::new());
        let mut lines = ((0, 0), (0, 0));
        // The first is not counted: it warms caches.
        for run in 0..=runs {
            // Whichever comes second finds what the first has warmed.
            let (ours, theirs) = bench.in_turns(&task, run)?;
            if run == 0 {
                lines = (ours.lines, theirs.lines);
            } else {
                taken.0.push(ours.usage);
                taken.1.push(theirs.usage);
            }
        }
        let (ours, theirs) = (Usage::summed_up(&taken.0), Usage::summed_up(&taken.1));
        println!(
            "| {} | {} | {} | {:.1} | {:.1} | {:.1} | {:.1} | {} | {} |",
            task.name,
            time(ours.seconds),
            time(theirs.seconds),
            theirs.seconds / ours.seconds,
            theirs.cpu / ours.cpu,
            ours.memory,
            theirs.memory,
            added_and_gone(lines.0),
            added_and_gone(lines.1),
        );
        kept &= ours.memory <= MEMORY;
    }
    println!("\n| one process that | median | MiB |\n|:--|--:|--:|");
    for (name, usage) in bench.starts(runs * 5)? {
        println!("| {name} | {} | {:.1} |", time(usage.seconds), usage.memory);
    }
    kept &= hostile::table(&bench, MEMORY)?;
    println!("\nmemory is {} {MEMORY} MiB", if kept { "never over" } else { "over the limit of" });
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn added_and_gone((added, gone): (usize, usize)) -> String {
    format!("+{added} −{gone}")
}

/// Seconds, for people.
pub fn time(seconds: f64) -> String {
    if seconds >= 1.0 { format!("{seconds:.2} s") } else { format!("{:.2} ms", seconds * 1000.0) }
}

/// The middle of all times, and the most of all memory.
impl Usage {
    fn summed_up(all: &[Self]) -> Self {
        Self {
            seconds: median(all.iter().map(|usage| usage.seconds)),
            cpu: median(all.iter().map(|usage| usage.cpu)),
            memory: all.iter().map(|usage| usage.memory).fold(0.0, f64::max),
        }
    }
}
