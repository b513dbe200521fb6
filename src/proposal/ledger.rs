//! The ledger as people read it: every release that was looked at, and why it was not chosen.
//!
//! The pull request has the newer ones below a fold, since its own release's evidence stands above; the job summary has
//! the whole search.

use super::page::{Medium, View, counted, fold, joined};
use crate::plan::{Entry, Evidence, Ledger, Reason, SearchEnd, Standing};

impl View<'_> {
    /// The releases that were looked at.
    pub fn ledger(&self) -> String {
        match self.medium {
            Medium::PullRequest => self.newer(),
            Medium::Summary => self.search(),
        }
    }

    /// Those that were passed over.
    fn newer(&self) -> String {
        let ledger = &self.plan.ledger;
        let entries = unsuccessful(ledger);
        let rows: Vec<String> = entries
            .iter()
            .map(|entry| format!("| {} | {} |", self.release(entry), self.reasons(entry)))
            .collect();
        let count = rows.len();
        let table = self.table("| release | why |", rows);
        if table.is_empty() {
            return table;
        }
        let were = if count == 1 { "was" } else { "were" };
        let what = format!("{} {were} passed over", counted(count, "newer release", "newer releases"));
        fold(&what, &joined([table, unlisted(ledger)]))
    }

    /// The whole search, with how it came to its end.
    fn search(&self) -> String {
        let ledger = &self.plan.ledger;
        let rows: Vec<String> = ledger
            .entries
            .iter()
            .map(|entry| {
                let why = match entry.standing {
                    Standing::Successful => self.proofs(&entry.evidence),
                    _ => self.reasons(entry),
                };
                format!("| {} | {} | {why} |", self.release(entry), word(entry.standing))
            })
            .collect();
        let count = rows.len();
        let table = self.table("| release | | why |", rows);
        if table.is_empty() {
            return table;
        }
        let end = match ledger.ended {
            SearchEnd::Found if count == 1 => "and it is successful".to_owned(),
            SearchEnd::Found => "up to the first successful one".to_owned(),
            SearchEnd::Active => format!("down to what {} runs", self.target()),
            SearchEnd::Exhausted => "and there are no others".to_owned(),
            SearchEnd::Window => format!("up to the end of `window` ({})", ledger.window),
        };
        let looked = format!("**{} looked at**, newest first, {end}", counted(count, "release", "releases"));
        joined([looked, table, unlisted(ledger)])
    }

    fn release(&self, entry: &Entry) -> String {
        self.links.tag(&self.code(&entry.tag), &entry.tag)
    }

    /// Each reason with where it can be seen.
    fn reasons(&self, entry: &Entry) -> String {
        let one = |reason: &Reason| {
            let seen = self.links.outside("see", reason.url.as_deref());
            let seen = if seen == "see" { String::new() } else { format!(" · {seen}") };
            format!("{}{seen}", self.sentence(&reason.text))
        };
        entry.reasons.iter().map(one).collect::<Vec<_>>().join("<br>")
    }

    fn proofs(&self, evidence: &[Evidence]) -> String {
        let one = |proof: &Evidence| self.links.outside(&self.text(&proof.name), proof.url.as_deref());
        let all: Vec<String> = evidence.iter().map(one).collect();
        if all.is_empty() { "–".to_owned() } else { all.join(", ") }
    }
}

fn unsuccessful(ledger: &Ledger) -> Vec<&Entry> {
    ledger.entries.iter().filter(|entry| entry.standing != Standing::Successful).collect()
}

fn unlisted(ledger: &Ledger) -> String {
    match ledger.unlisted {
        0 => String::new(),
        more => format!(
            "… and {more} more without a look at their evidence: prereleases, off trunk, or carried by no overlay."
        ),
    }
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Successful => "✅ successful",
        Standing::Soaking => "⏳ soaking",
        Standing::Pending => "⏳ pending",
        Standing::Missing => "❔ evidence missing",
        Standing::Failed => "❌ failed",
        Standing::NotSigned => "❌ not signed",
        Standing::Prerelease => "– prerelease",
        Standing::NotCarried => "– not carried",
        Standing::OffTrunk => "– off trunk",
    }
}
