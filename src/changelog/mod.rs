//! Why? The commits between two releases, as entries of a changelog.
//!
//! Conventional Commits are read where a team writes them and never demanded: a subject that follows
//! no convention is kept as it stands. Nothing is escaped here, and no commit is judged; what is left
//! out is what carries nothing (merges of branches) and promotions themselves.

mod group;
mod markdown;

pub use group::{Group, grouped};
pub use markdown::{entry, markdown};

use git_conventional as conventional;
use jiff::Timestamp;

use crate::names::CommitSha;
use crate::plan::Commit;

/// How much of a message is read; what follows is no changelog any more.
const READ: usize = 64 * 1024;

/// The trailers that every promotion's own commit carries, all of them.
const PROMOTION: [&str; 3] = ["Promote-App:", "Promote-Target:", "Promote-Plan:"];

/// A commit as git has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawCommit {
    /// Its id.
    pub sha: CommitSha,
    /// How many parents it has.
    pub parents: usize,
    /// The author's name (or login, where known).
    pub author: String,
    /// When it was committed.
    pub at: Timestamp,
    /// The whole message.
    pub message: String,
}

/// The changelog's entries, in the order of the commits.
///
/// A merged pull request whose title is the subject of one of the commits gives its number to that
/// commit and is not listed a second time.
pub fn entries(commits: &[RawCommit]) -> Vec<Commit> {
    let mut merges = Vec::new();
    let mut entries: Vec<Commit> = Vec::new();
    for raw in commits {
        let message = Message::of(&raw.message);
        if message.is_promotion() || (raw.parents > 1 && message.only_merges()) {
            continue;
        }
        if message.merged.is_some() {
            merges.push(entries.len());
        }
        entries.push(read(raw, &message));
    }
    let told: Vec<usize> = merges.into_iter().filter(|&merge| give_number(&mut entries, merge)).collect();
    let mut index = 0;
    entries.retain(|_| {
        index += 1;
        !told.contains(&(index - 1))
    });
    entries
}

/// Gives a merge's number to the commit with the same words; `false` where there is none.
fn give_number(entries: &mut [Commit], merge: usize) -> bool {
    let Some(merge) = entries.get(merge).cloned() else { return false };
    let same = |entry: &&mut Commit| {
        entry.sha != merge.sha
            && (&entry.subject, &entry.kind, &entry.scope) == (&merge.subject, &merge.kind, &merge.scope)
            && entry.pull_request.is_none_or(|number| Some(number) == merge.pull_request)
    };
    let Some(entry) = entries.iter_mut().find(same) else { return false };
    entry.pull_request = merge.pull_request;
    entry.breaking |= merge.breaking;
    true
}

/// A message, taken apart as far as git and GitHub shape it.
struct Message<'a> {
    /// The line that says what was done: of a merged pull request, its title.
    subject: &'a str,
    /// What follows the subject.
    body: &'a str,
    /// The pull request that this commit merges.
    merged: Option<u64>,
}

impl<'a> Message<'a> {
    fn of(whole: &'a str) -> Self {
        let whole = whole.get(..whole.floor_char_boundary(READ)).unwrap_or(whole).trim();
        let (subject, body) = first_line(whole);
        let Some((number, branch)) = merged_pull_request(subject) else {
            return Self { subject, body, merged: None };
        };
        let (title, rest) = first_line(body);
        let subject = if title.is_empty() { branch } else { title };
        Self { subject, body: rest, merged: Some(number) }
    }

    fn is_promotion(&self) -> bool {
        let trailers = self.body.rsplit("\n\n").next().unwrap_or_default();
        PROMOTION.iter().all(|name| trailers.lines().any(|line| line.starts_with(name)))
    }

    /// `Merge branch 'x' into y` and its like, which say nothing of what was done.
    fn only_merges(&self) -> bool {
        self.merged.is_none()
            && ["branch ", "branches ", "remote-tracking branch", "tag ", "commit "]
                .iter()
                .any(|what| self.subject.strip_prefix("Merge ").is_some_and(|rest| rest.starts_with(what)))
    }
}

fn first_line(text: &str) -> (&str, &str) {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    (line.trim(), rest.trim())
}

/// `Merge pull request #12 from acme/branch`.
fn merged_pull_request(subject: &str) -> Option<(u64, &str)> {
    let rest = subject.strip_prefix("Merge pull request #")?;
    let (number, branch) = rest.split_once(" from ")?;
    Some((number.parse().ok()?, branch.trim()))
}

fn read(raw: &RawCommit, message: &Message<'_>) -> Commit {
    let (subject, suffix) = without_numbers(message.subject);
    let mut commit = Commit {
        sha: raw.sha.clone(),
        subject: if subject.is_empty() { "(no message)".to_owned() } else { subject.to_owned() },
        author: raw.author.trim().to_owned(),
        at: raw.at,
        kind: "other".to_owned(),
        scope: None,
        breaking: false,
        breaking_note: None,
        pull_request: message.merged.or(suffix),
    };
    if let Some(undone) = reverted(subject) {
        undone.clone_into(&mut commit.subject);
        "revert".clone_into(&mut commit.kind);
        return commit;
    }
    if let Ok(parsed) = conventional::Commit::parse(subject)
        && let Some(kind) = known(parsed.type_().as_str())
    {
        kind.clone_into(&mut commit.kind);
        parsed.description().trim().clone_into(&mut commit.subject);
        commit.scope = parsed.scope().map(|scope| scope.as_str().trim().to_owned());
        commit.breaking = parsed.breaking();
    }
    if let Some(note) = breaking_footer(subject, message.body) {
        commit.breaking = true;
        commit.breaking_note = (!note.is_empty() && note != commit.subject).then_some(note);
    }
    commit
}

/// Takes `(#12)` off the end of a subject, as squash merges write it; of several, the last counts.
fn without_numbers(subject: &str) -> (&str, Option<u64>) {
    let mut rest = subject.trim();
    let mut number = None;
    while let Some((before, found)) = rest
        .strip_suffix(')')
        .and_then(|open| open.rsplit_once("(#"))
        .and_then(|(before, digits)| Some((before, digits.parse::<u64>().ok()?)))
    {
        number = number.or(Some(found));
        rest = before.trim_end();
    }
    (rest, number)
}

/// What `Revert "…"` takes back.
fn reverted(subject: &str) -> Option<&str> {
    let quoted = subject.strip_prefix("Revert ")?.trim().strip_prefix('"')?;
    Some(without_numbers(quoted.strip_suffix('"').unwrap_or(quoted)).0)
}

/// The types people agree on, in one spelling each. A word that is none of them is no type:
/// `scoring: lower the threshold` names a folder.
fn known(kind: &str) -> Option<&'static str> {
    let kind = kind.to_ascii_lowercase();
    Some(match kind.as_str() {
        "feat" | "feature" | "features" => "feat",
        "fix" | "bugfix" | "hotfix" => "fix",
        "perf" | "performance" => "perf",
        "security" | "sec" => "security",
        "revert" => "revert",
        "deps" | "dep" => "deps",
        "docs" | "doc" => "docs",
        "refactor" => "refactor",
        "style" => "style",
        "test" | "tests" => "test",
        "build" => "build",
        "ci" => "ci",
        "chore" => "chore",
        _ => return None,
    })
}

/// What `BREAKING CHANGE:` says, to the end of its paragraph; read leniently where the message as a
/// whole follows no convention.
fn breaking_footer(subject: &str, body: &str) -> Option<String> {
    let whole = format!("{subject}\n\n{body}");
    if let Ok(parsed) = conventional::Commit::parse(&whole)
        && let Some(footer) = parsed.footers().iter().find(|footer| footer.breaking())
    {
        return Some(one_line(footer.value()));
    }
    let mut lines = body.lines().map(str::trim);
    let first = lines.find_map(|line| {
        let rest = line.strip_prefix("BREAKING CHANGE").or_else(|| line.strip_prefix("BREAKING-CHANGE"))?;
        rest.trim_start().strip_prefix(':')
    })?;
    let more = lines.take_while(|line| !line.is_empty() && !is_trailer(line));
    Some(one_line(&std::iter::once(first).chain(more).collect::<Vec<_>>().join(" ")))
}

fn is_trailer(line: &str) -> bool {
    line.split_once(": ").is_some_and(|(name, _)| {
        !name.is_empty() && name.contains('-') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
