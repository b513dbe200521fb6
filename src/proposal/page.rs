//! What a page is made from: the plan, where it lives, and how much of it fits.

use super::links::{LONGEST, Links};
use super::markdown::{SHOWN, code, defused_html, sentence, text};
use crate::failure::Result;
use crate::names::{BranchName, RepoPath};
use crate::plan::{Location, Plan};
use crate::settings::{PolicyMode, promotion_branch};

/// What the plan does not say and a page needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The promotion's branch.
    pub branch: BranchName,
    /// What a denial does.
    pub mode: PolicyMode,
}

impl Context {
    /// The context of a plan: its branch is `promote/<app>/<target>`.
    pub fn of(plan: &Plan, mode: PolicyMode) -> Result<Self> {
        Ok(Self { branch: promotion_branch(&plan.app.name, &plan.target.environment)?, mode })
    }
}

/// Where a page is shown; decides what is folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Medium {
    /// The pull request.
    PullRequest,
    /// The job summary.
    Summary,
}

/// How much of everything a page shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Rows of each table.
    pub rows: usize,
    /// Commits that are shown unfolded.
    pub shown: usize,
    /// Commits below the fold.
    pub folded: usize,
    /// Characters of a piece of outside text.
    pub text: usize,
    /// Bytes of an address.
    pub address: usize,
}

/// From everything to very little. The first whose page fits is taken.
pub(super) const TIERS: [Limits; 7] = [
    Limits { rows: usize::MAX, shown: 12, folded: usize::MAX, text: SHOWN, address: LONGEST },
    Limits { rows: 100, shown: 12, folded: 300, text: SHOWN, address: LONGEST },
    Limits { rows: 50, shown: 12, folded: 100, text: SHOWN, address: LONGEST },
    Limits { rows: 25, shown: 12, folded: 40, text: SHOWN, address: 1_000 },
    Limits { rows: 10, shown: 8, folded: 10, text: 80, address: 500 },
    Limits { rows: 5, shown: 5, folded: 0, text: 60, address: 300 },
    Limits { rows: 3, shown: 3, folded: 0, text: 40, address: 200 },
];

/// A plan seen through one page.
#[derive(Clone)]
pub(super) struct View<'a> {
    pub plan: &'a Plan,
    pub context: &'a Context,
    pub links: Links<'a>,
    pub limits: Limits,
    pub medium: Medium,
}

impl<'a> View<'a> {
    pub fn of(plan: &'a Plan, context: &'a Context, medium: Medium, limits: Limits) -> Self {
        let links = Links::of(&plan.repository.url, limits.address);
        Self { plan, context, links, limits, medium }
    }

    /// Outside text, as long as this page allows; a dash where there is none, so that emphasis holds.
    pub fn text(&self, outside: &str) -> String {
        match text(outside, self.limits.text) {
            shown if shown.is_empty() => "–".to_owned(),
            shown => shown,
        }
    }

    /// A value as code.
    pub fn code(&self, outside: &str) -> String {
        code(outside, self.limits.text)
    }

    /// A sentence of ours around outside names: longer than a name may be.
    pub fn sentence(&self, ours: &str) -> String {
        sentence(ours, self.limits.text.saturating_mul(5))
    }

    /// Outside text within HTML of ours.
    pub fn html(&self, outside: &str) -> String {
        defused_html(outside, self.limits.text)
    }

    /// The target's name, as a word of a sentence.
    pub fn target(&self) -> String {
        self.text(&self.plan.target.environment)
    }

    /// A link to a line, in the branch where the promotion changes its file and at base elsewhere.
    pub fn location(&self, location: &Location) -> String {
        let label = self.text(&format!("{}:{}", location.file.file_name(), location.line));
        let changed = self.plan.changes.iter().any(|change| change.file == location.file);
        let revision =
            if changed { self.context.branch.as_str() } else { self.plan.repository.commit.as_str() };
        self.links.file(&label, revision, &location.file, Some(location.line))
    }

    /// A link to a file or folder as it is at a commit.
    pub fn path(&self, path: &RepoPath, revision: &str) -> String {
        self.links.file(&self.code(path.as_str()), revision, path, None)
    }

    /// A table; rows beyond the limit are counted below it. Empty without rows.
    pub fn table(&self, head: &str, rows: Vec<String>) -> String {
        if rows.is_empty() {
            return String::new();
        }
        let columns = head.matches('|').count().saturating_sub(1);
        let all = rows.len();
        let mut table = format!("{head}\n|{}", ":--|".repeat(columns));
        for row in rows.into_iter().take(self.limits.rows) {
            table.push('\n');
            table.push_str(&row);
        }
        if all > self.limits.rows {
            table.push_str("\n\n");
            table.push_str(&self.more(all - self.limits.rows));
        }
        table
    }

    /// What stands where something was left out.
    pub fn more(&self, count: usize) -> String {
        match self.medium {
            Medium::PullRequest => format!("… and {count} more, see the job summary."),
            Medium::Summary => format!("… and {count} more, see the plan file."),
        }
    }
}

/// Content below a line that opens it. `summary` is HTML.
pub(super) fn fold(summary: &str, content: &str) -> String {
    format!("<details><summary>{summary}</summary>\n\n{content}\n\n</details>")
}

/// Sections with a blank line between them; empty ones leave none.
pub(super) fn joined(sections: impl IntoIterator<Item = String>) -> String {
    sections.into_iter().filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// `1 release`, `2 releases`.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
