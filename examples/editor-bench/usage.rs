//! What a program takes: time from start to end, and memory at most, its children's included.

use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context as _, Result};

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    pub seconds: f64,
    /// Seconds of CPU, user and system: what is left of a time on a machine that others use as well.
    pub cpu: f64,
    /// MiB.
    pub memory: f64,
}

/// Runs a program by the probe, which is tiny: what the kernel counts for a program begins with what started it.
pub fn measured(probe: &Path, folder: &Path, program: &Path, arguments: &[&str]) -> Result<(Output, Usage)> {
    let report = tempfile::NamedTempFile::new()?;
    let mut command = Command::new(probe);
    command.arg(report.path()).arg(program).args(arguments).current_dir(folder);
    let output = command.output().context("the probe cannot be started")?;
    let text = std::fs::read_to_string(report.path())?;
    let figures = text.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    let [cpu, kib, wall] = figures.try_into().ok().context("the probe reports three figures")?;
    Ok((output, Usage { seconds: wall / 1e6, cpu: cpu / 1e6, memory: kib / 1024.0 }))
}

/// The middle one, or the mean of the middle two.
pub fn median(all: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = all.collect();
    all.sort_by(f64::total_cmp);
    let at = |index: usize| all.get(index).copied().unwrap_or(f64::NAN);
    f64::midpoint(at(all.len().saturating_sub(1) / 2), at(all.len() / 2))
}
