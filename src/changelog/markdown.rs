//! The changelog as Markdown: for the `changelog` output, and line by line for the pull request.

use std::fmt::Write as _;

use super::{Group, grouped};
use crate::plan::Commit;
use crate::proposal::links::{LONGEST, Links};
use crate::proposal::markdown::{SHOWN, code, quoted, text};

/// Outputs of a job may hold 1 MB in all; this one takes at most this many bytes.
const ROOM: usize = 256 * 1024;

/// Every commit under its heading, with nothing folded. `repository` is its address for people.
///
/// Empty where there is no commit. Beyond 256 KiB the rest is counted, not listed.
pub fn markdown(commits: &[Commit], repository: &str) -> String {
    let links = Links::of(repository, LONGEST);
    let mut out = String::new();
    let mut listed = 0;
    'groups: for (group, members) in grouped(commits) {
        let gap = if out.is_empty() { "" } else { "\n" };
        let _ = write!(out, "{gap}### {}\n\n", group.title());
        for commit in members {
            let line = entry(commit, &links, SHOWN);
            if out.len() + line.len() > ROOM {
                break 'groups;
            }
            out.push_str(&line);
            out.push('\n');
            listed += 1;
        }
    }
    if listed < commits.len() {
        let _ = write!(out, "\n… and {} more\n", commits.len() - listed);
    }
    out
}

/// One commit as a list item: scope, subject, pull request or commit, author, and what breaks. What its
/// author put in backticks is code.
pub fn entry(commit: &Commit, links: &Links<'_>, shown: usize) -> String {
    let scope = commit.scope.as_deref().filter(|_| Group::of(commit) != Group::Dependencies);
    let scope = scope.map(|scope| format!("{}: ", code(scope, shown))).unwrap_or_default();
    let origin = match commit.pull_request {
        Some(number) => links.pull_request(number),
        None => links.commit(&commit.sha),
    };
    let author = text(&commit.author, shown);
    let author = if author.is_empty() { author } else { format!(", {author}") };
    let note = match &commit.breaking_note {
        Some(note) => format!("<br>↳ {}", quoted(note, shown.saturating_mul(3))),
        None => String::new(),
    };
    format!("- {scope}{} ({origin}{author}){note}", quoted(&commit.subject, shown))
}
