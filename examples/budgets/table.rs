//! Figures beside their budgets, as Markdown.

use std::fmt;
use std::io::Write as _;

use anyhow::{Context as _, Result};

/// One figure.
#[derive(Debug)]
pub struct Row {
    what: String,
    way: String,
    figure: f64,
    worst: Option<f64>,
    budget: Option<f64>,
}

impl Row {
    pub fn new(what: &str, way: &str) -> Self {
        Self { what: what.to_owned(), way: way.to_owned(), figure: f64::NAN, worst: None, budget: None }
    }

    /// A figure by itself.
    pub fn figure(mut self, figure: f64) -> Self {
        self.figure = figure;
        self
    }

    /// The median, and the worst beside it.
    pub fn median_of(mut self, all: &[f64]) -> Self {
        self.figure = median(all.iter().copied());
        self.worst = all.iter().copied().reduce(f64::max);
        self
    }

    /// The worst of what should not vary.
    pub fn worst_of(mut self, all: &[f64]) -> Self {
        self.figure = all.iter().copied().fold(f64::NAN, f64::max);
        self
    }

    pub fn at_most(mut self, budget: f64) -> Self {
        self.budget = Some(budget);
        self
    }

    /// A figure that is none keeps no budget.
    fn is_kept(&self) -> bool {
        self.budget.is_none_or(|budget| self.figure <= budget)
    }
}

/// The table.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Row>,
}

impl Table {
    pub fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub fn is_kept(&self) -> bool {
        self.rows.iter().all(Row::is_kept)
    }

    /// Appends it to the job summary, where there is one.
    pub fn append_to_summary(&self) -> Result<()> {
        let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
            return Ok(());
        };
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        writeln!(file.context("the job summary cannot be opened")?, "## What a promotion costs\n\n{self}")?;
        Ok(())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | where | figure | worst | budget | |\n|:--|:--|--:|--:|--:|:--|")?;
        for row in &self.rows {
            let worst = row.worst.map_or_else(String::new, short);
            let budget = row.budget.map_or_else(String::new, |budget| format!("≤ {}", short(budget)));
            let sign = match (row.budget, row.is_kept()) {
                (None, _) => "",
                (Some(_), true) => "✅",
                (Some(_), false) => "❌",
            };
            let Row { what, way, figure, .. } = row;
            writeln!(f, "| {what} | {way} | {} | {worst} | {budget} | {sign} |", short(*figure))?;
        }
        Ok(())
    }
}

/// At most one digit after the point, and none where it says nothing.
fn short(figure: f64) -> String {
    format!("{figure:.1}").trim_end_matches(".0").to_owned()
}

/// The middle one, or the mean of the middle two.
pub fn median(all: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = all.collect();
    all.sort_by(f64::total_cmp);
    let at = |index: usize| all.get(index).copied().unwrap_or(f64::NAN);
    f64::midpoint(at(all.len().saturating_sub(1) / 2), at(all.len() / 2))
}
