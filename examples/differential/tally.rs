//! What was counted, and how it is shown.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::reasons::Class;

/// How many findings are shown in full.
const SHOWN: usize = 5;

/// Counts of a trial.
#[derive(Debug, Default)]
pub struct Tally {
    pub files: usize,
    pub not_utf8: usize,
    /// Files that only one reader could read, or none.
    only_go: usize,
    only_python: usize,
    neither: usize,
    /// By operation: edits that both readers, one or none judged, all without a complaint.
    made: BTreeMap<String, [usize; 3]>,
    refused: BTreeMap<(String, Class), (usize, Vec<String>)>,
    wrong: Vec<Wrong>,
    pub slowest: Duration,
    /// How far the values have turned.
    pub turn: usize,
}

/// An edit that is not what was asked.
#[derive(Debug, Clone)]
pub struct Wrong {
    pub file: String,
    pub edit: String,
    pub why: String,
    pub before: String,
    pub after: Option<String>,
}

impl Tally {
    pub fn unreadable(&mut self, go: bool, python: bool) {
        match (go, python) {
            (true, true) => self.neither += 1,
            (true, false) => self.only_python += 1,
            (false, true) => self.only_go += 1,
            (false, false) => {}
        }
    }

    /// An edit that as many readers found right.
    pub fn made(&mut self, op: &str, readers: usize) {
        let counts = self.made.entry(op.to_owned()).or_default();
        if let Some(count) = counts.get_mut(readers) {
            *count += 1;
        }
    }

    pub fn refused(&mut self, op: &str, class: Class, example: &str) {
        let (count, examples) = self.refused.entry((op.to_owned(), class)).or_default();
        *count += 1;
        if examples.len() < 3 && !examples.iter().any(|known| known == example) {
            examples.push(example.to_owned());
        }
    }

    pub fn wrong(&mut self, wrong: Wrong) {
        self.wrong.push(wrong);
    }

    pub fn found(&self) -> &[Wrong] {
        &self.wrong
    }

    /// Edits that at least one reader found right.
    pub fn judged(&self) -> usize {
        self.made.values().map(|[_, one, both]| one + both).sum()
    }

    /// Both together.
    pub fn join(&mut self, other: Self) {
        self.files += other.files;
        self.not_utf8 += other.not_utf8;
        self.only_go += other.only_go;
        self.only_python += other.only_python;
        self.neither += other.neither;
        for (op, counts) in other.made {
            let mine = self.made.entry(op).or_default();
            for (mine, theirs) in mine.iter_mut().zip(counts) {
                *mine += theirs;
            }
        }
        for (key, (count, examples)) in other.refused {
            let mine = self.refused.entry(key).or_default();
            mine.0 += count;
            mine.1.extend(examples);
            mine.1.truncate(3);
        }
        self.wrong.extend(other.wrong);
        self.slowest = self.slowest.max(other.slowest);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "files     {} ({} not UTF-8)", self.files, self.not_utf8)?;
        writeln!(
            f,
            "unread    {} by PyYAML alone, {} by go-yaml alone, {} by both",
            self.only_go, self.only_python, self.neither
        )?;
        for (op, [none, one, both]) in &self.made {
            writeln!(
                f,
                "{op:<9} {} exact: {both} to both readers, {one} to one; {none} unjudged",
                one + both
            )?;
        }
        for ((op, class), (count, examples)) in &self.refused {
            let (kind, reason) = match class {
                Class::Agreed(reason) => ("agreed", reason),
                Class::Layout(reason) => ("layout", reason),
                Class::File(reason) => ("file", reason),
                Class::Unknown => ("unknown", &"?"),
            };
            writeln!(f, "refused   {op:<7} {count:>6}  {kind}: {reason}")?;
            if !matches!(class, Class::Agreed(_))
                && let Some(example) = examples.first()
            {
                writeln!(f, "            such as {}", example.replace('\n', " "))?;
            }
        }
        writeln!(f, "slowest   {} ms", self.slowest.as_millis())?;
        writeln!(f, "wrong     {}", self.wrong.len())?;
        for Wrong { file, edit, why, before, after } in self.wrong.iter().take(SHOWN) {
            writeln!(f, "\nWRONG {file}\n  {edit}\n  {why}")?;
            if before.len() < 4000 {
                writeln!(f, "--- before\n{before}")?;
                if let Some(after) = after {
                    writeln!(f, "--- after\n{after}")?;
                }
            }
        }
        for Wrong { file, edit, why, .. } in self.wrong.iter().skip(SHOWN).take(200) {
            writeln!(f, "WRONG {file}: {edit}: {why}")?;
        }
        Ok(())
    }
}
