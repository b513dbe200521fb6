//! The pull request's body, within GitHub's limit, in a part of its own between two markers.
//!
//! GitHub refuses more than 65 536 characters. Bytes are counted here, which are never fewer. What does
//! not fit is folded, then shortened, in tiers; what is left out is counted and stands in the job summary.

use std::fmt::Write as _;

use serde_json::json;

use super::markdown::visible;
use super::page::{Context, Limits, Medium, TIERS, View, joined};
use super::plan_digest;
use crate::plan::Plan;

/// What opens our part of a body.
pub const BEGIN: &str = "<!-- promote:begin -->";
/// What closes it.
pub const END: &str = "<!-- promote:end -->";
/// What is in our part of a promotion that we closed ourselves, which is no person's refusal, and in the comment that
/// says why.
pub const CLOSED: &str = "<!-- promote:closed -->";
/// The longest body GitHub takes, in characters; here in bytes.
pub const LIMIT: usize = 65_536;

/// How much of it is ours; the rest is for people who write above or below.
const OURS: usize = 60_000;

/// Our part of the body, markers included: at most 60 000 bytes.
pub fn body(plan: &Plan, context: &Context) -> String {
    TIERS
        .iter()
        .map(|&limits| marked(plan, &page(&View::of(plan, context, Medium::PullRequest, limits))))
        .find(|body| body.len() <= OURS)
        .unwrap_or_else(|| brief_body(plan, context))
}

/// Our part in a few lines, whatever the plan holds: at most 10 000 bytes.
pub fn brief_body(plan: &Plan, context: &Context) -> String {
    let limits = Limits { rows: 0, shown: 0, folded: 0, text: 40, address: 200 };
    let view = View::of(plan, context, Medium::PullRequest, limits);
    marked(
        plan,
        &joined([view.blocked(), view.headline(), "Everything else is in the job summary.".to_owned()]),
    )
}

/// `existing` with our part replaced, and whatever a person wrote around it kept.
///
/// Where the markers are missing or out of order, nothing of the existing text is known to be ours: it
/// is kept whole below our part, without stray markers. A part that differs only in line ends (GitHub's
/// editor writes CRLF) is not replaced, so that it is no change.
pub fn merged_body(existing: &str, ours: &str) -> String {
    let Some((before, part, after)) = parts(existing) else {
        let theirs = without_ours(existing);
        return if theirs.is_empty() { ours.to_owned() } else { format!("{ours}\n\n{theirs}") };
    };
    if part.replace("\r\n", "\n") == ours {
        return existing.to_owned();
    }
    format!("{before}{ours}{after}")
}

/// `existing` with a hidden word in our part that we close it, which the next rewriting takes out again.
///
/// A label would say so too, but a token may not be allowed to make one. Where there is no room, nothing is added.
pub fn closed_body(existing: &str) -> String {
    if says_closed(existing) {
        return existing.to_owned();
    }
    let marked = match parts(existing) {
        Some((before, part, after)) => {
            let open = part.strip_suffix(END).unwrap_or(part);
            format!("{before}{open}{CLOSED}\n{END}{after}")
        }
        None => format!("{existing}\n\n{CLOSED}"),
    };
    if marked.len() <= LIMIT { marked } else { existing.to_owned() }
}

/// Whether a body says that we closed it; no text of others gets there, since `<` is always escaped in ours.
pub fn says_closed(body: &str) -> bool {
    body.lines().any(|line| line.trim_end() == CLOSED)
}

/// What a person wrote: everything but our part and stray markers.
pub(super) fn without_ours(existing: &str) -> String {
    let rest = match parts(existing) {
        Some((before, _, after)) => format!("{before}{after}"),
        None => existing.to_owned(),
    };
    rest.replace(BEGIN, "").replace(END, "").replace(CLOSED, "").trim().to_owned()
}

/// The text before our part, our part with its markers, and the text after it.
fn parts(existing: &str) -> Option<(&str, &str, &str)> {
    let begin = *marks(existing, BEGIN).first()?;
    let (before, rest) = existing.split_at_checked(begin)?;
    let end = *marks(rest, END).first()? + END.len();
    let (part, after) = rest.split_at_checked(end)?;
    let once = marks(part, BEGIN).len() == 1 && marks(before, END).is_empty();
    once.then_some((before, part, after))
}

/// Where a mark stands on a line of its own; in the middle of one it is somebody's text, such as a commit's subject.
fn marks(text: &str, mark: &str) -> Vec<usize> {
    let alone = |(at, _): &(usize, &str)| {
        let (before, rest) = text.split_at_checked(*at).unwrap_or_default();
        let after = rest.strip_prefix(mark).unwrap_or(rest);
        (before.is_empty() || before.ends_with('\n')) && (after.is_empty() || after.starts_with(['\n', '\r']))
    };
    text.match_indices(mark).filter(alone).map(|(at, _)| at).collect()
}

/// The whole page: the answer first, then proofs, then reasons.
fn page(view: &View<'_>) -> String {
    joined([
        view.blocked(),
        view.headline(),
        view.artifacts(),
        view.evidence(),
        view.ledger(),
        view.policy(),
        view.changelog(),
        view.drift(),
        view.way_back(),
    ])
}

fn marked(plan: &Plan, page: &str) -> String {
    format!("{BEGIN}\n{page}\n\n{}\n{END}", machine_comment(plan))
}

/// The promotion in JSON, for people's tools, hidden in a comment that no text in it can close.
fn machine_comment(plan: &Plan) -> String {
    let short = |text: &str| visible(text, 300);
    let release = plan.proposed.as_ref();
    let json = json!({
        "schema": plan.schema,
        "id": short(&plan.id),
        "app": short(&plan.app.name),
        "target": short(&plan.target.environment),
        "tag": release.and_then(|release| release.tag.as_deref()).map(short),
        "commit": release.and_then(|release| release.commit.as_ref()),
        "plan": plan_digest(plan),
    });
    let mut safe = String::new();
    for c in json.to_string().chars() {
        // `--` and `>` could close the comment; `@` and `#` are not trusted to stay unread in one.
        if matches!(c, '<' | '>' | '@' | '#' | '&') || (c == '-' && safe.ends_with('-')) {
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    format!("<!-- promote:{safe} -->")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_within_a_line_is_somebodys_text() {
        let ours = |what: &str| format!("{BEGIN}\n- \\{END} \\{BEGIN} {what}\n\n`{END}`\n{END}");
        let there = format!("above {BEGIN}\n\n{}\n\nbelow {END}", ours("old"));
        let merged = merged_body(&there, &ours("new"));
        assert_eq!(merged, there.replace("old", "new"));
        assert_eq!(merged_body(&merged, &ours("new")), merged);
        let crlf = merged.replace('\n', "\r\n");
        assert_eq!(merged_body(&crlf, &ours("new")), crlf);
    }

    #[test]
    fn a_close_of_ours_is_told_and_gone_with_the_next_text() {
        for body in [format!("above\n{BEGIN}\nold\n{END}\nbelow"), "theirs alone".to_owned(), String::new()] {
            let closed = closed_body(&body);
            assert!(says_closed(&closed) && !says_closed(&body), "{closed}");
            assert!(says_closed(&closed.replace('\n', "\r\n")), "{closed}");
            assert_eq!(closed_body(&closed), closed);
            let ours = format!("{BEGIN}\nnew\n{END}");
            let again = merged_body(&closed, &ours);
            assert!(!says_closed(&again), "{again}");
            assert_eq!(again, merged_body(&body, &ours));
        }
        assert!(!says_closed(&closed_body(&"x".repeat(LIMIT))));
    }
}
