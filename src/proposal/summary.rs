//! The job summary: how the run ended, then the same page without the pull request's limits.

use super::markdown::{code, fence, sentence, text};
use super::page::{Context, Limits, Medium, TIERS, View, counted, joined};
use super::title::titled;
use crate::failure::Failure;
use crate::plan::{Outcome, Plan};

/// The longest summary of one step, in bytes: 1 MiB, less some room for a second promotion's heading.
pub const SUMMARY_LIMIT: usize = 1_000_000;

/// The smallest room a summary is cut to.
const LEAST: usize = 20_000;

/// What a run knows beyond the plan.
#[derive(Debug, Clone)]
pub struct Report<'a> {
    /// How it ended.
    pub outcome: Outcome,
    /// The pull request, where there is one.
    pub pull_request_url: Option<&'a str>,
    /// The unified diff of the target's overlay; empty where nothing changes.
    pub diff: &'a str,
    /// Sentences that a person should read: names in backticks, without a full stop.
    pub notes: &'a [String],
}

/// The part of a promotion that could not be decided or carried out.
pub fn failure_page(app: &str, target: &str, failure: &Failure) -> String {
    let heading = format!("## ❌ {} → {} failed\n\n", text(app, 100), text(target, 100));
    format!("{heading}{}", problems_of(failure))
}

/// The page of a run that could not go on, whatever it was to promote.
pub fn stopped_page(failure: &Failure) -> String {
    format!("## ❌ The promotion stopped\n\n{}", problems_of(failure))
}

/// What is worth knowing of a run beside its promotions, one line for each sentence of ours.
pub fn notices_page<'s>(notices: impl Iterator<Item = &'s str>) -> String {
    let lines: Vec<String> = notices.map(|notice| format!("- {}\n", sentence(notice, 600))).collect();
    lines.concat()
}

fn problems_of(failure: &Failure) -> String {
    let problems = failure.problems().iter().map(|problem| {
        let place = problem
            .place
            .as_ref()
            .map_or(String::new(), |place| format!("{}: ", code(&place.to_string(), 300)));
        let hints = problem.hints.iter().map(|hint| format!("\n  - {}", sentence(hint, 600)));
        format!("- {place}{}{}\n", sentence(&problem.message, 600), hints.collect::<String>())
    });
    problems.collect()
}

/// One promotion's part of the job summary, at most `room` bytes (but never below 20 000).
pub fn summary(plan: &Plan, context: &Context, report: &Report<'_>, room: usize) -> String {
    let room = room.max(LEAST);
    let pages = TIERS.iter().map(|&limits| {
        let view = View::of(plan, context, Medium::Summary, Limits { shown: limits.shown.max(40), ..limits });
        page(&view, report)
    });
    let small = Limits { rows: 0, shown: 0, folded: 0, text: 40, address: 200 };
    let view = View::of(plan, context, Medium::Summary, small);
    let page = pages
        .into_iter()
        .find(|page| page.len() + report.diff.len().min(4_096) + 1_024 <= room)
        .unwrap_or_else(|| joined([first_line(&view, report), view.blocked(), view.headline()]));
    let diff = diff_within(report.diff, room.saturating_sub(page.len() + 1_024));
    format!("{}\n", joined([page, diff]))
}

fn page(view: &View<'_>, report: &Report<'_>) -> String {
    let nothing = view.plan.proposed.is_none();
    let top = [first_line(view, report), notes(view, report), view.blocked()];
    let middle = if nothing {
        vec![why_nothing(view), view.ledger()]
    } else {
        vec![
            view.headline(),
            view.artifacts(),
            view.evidence(),
            view.ledger(),
            view.policy(),
            view.changelog(),
        ]
    };
    joined(top.into_iter().chain(middle).chain([view.drift()]))
}

/// How it ended, with a link to the pull request.
fn first_line(view: &View<'_>, report: &Report<'_>) -> String {
    let what = titled(view.plan, |name| text(name, 60));
    let link = report.pull_request_url.map_or("the pull request".to_owned(), |url| {
        let number = url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let label = if number.bytes().all(|byte| byte.is_ascii_digit()) && !number.is_empty() {
            format!("pull request {number}")
        } else {
            "the pull request".to_owned()
        };
        view.links.outside(&label, Some(url))
    });
    match report.outcome {
        Outcome::Created => format!("### ✅ {what}\n\nOpened {link}."),
        Outcome::Updated => format!("### ✅ {what}\n\nUpdated {link}."),
        Outcome::Unchanged if report.pull_request_url.is_none() => {
            format!("### 💤 {what}\n\nNothing was proposed.")
        }
        Outcome::Unchanged => format!("### ✅ {what}\n\nNothing was changed: {link} stands as it is."),
        Outcome::Superseded => {
            format!("### ✅ {what}\n\nOpened {link} in place of an older one, which was closed.")
        }
        Outcome::Closed => format!("### 🚪 {what}\n\nClosed {link}: nothing is left to promote by it."),
        Outcome::Blocked => {
            format!("### ⛔ Blocked: {what}\n\nIt is proposed in {link}, which says what blocks it.")
        }
        Outcome::NothingToPromote => format!("### 💤 {what}"),
        Outcome::Planned => format!("### 📝 Planned: {what}\n\nNothing was written to GitHub or git."),
    }
}

fn notes(view: &View<'_>, report: &Report<'_>) -> String {
    if report.notes.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = report.notes.iter().map(|note| format!("> - {}", view.sentence(note))).collect();
    format!("> [!WARNING]\n{}", lines.join("\n"))
}

/// Why nothing is promoted, in a sentence.
fn why_nothing(view: &View<'_>) -> String {
    let plan = view.plan;
    let (source, target) = (view.text(&plan.source.environment), view.target());
    let newer = plan.passed_over.len();
    match &plan.active {
        Some(active) => {
            let runs = match &active.tag {
                Some(tag) => format!("{target} runs {}", view.links.tag(&view.code(&active.version), tag)),
                None => format!("{target} runs {}, which no tag names", view.code(&active.version)),
            };
            if newer == 0 {
                return format!("{runs}, and there is no newer release.");
            }
            let them = if newer == 1 { "The only newer one is" } else { "Every newer one is" };
            format!(
                "{runs}, and no newer release has succeeded in {source} yet. {them} listed with its reason."
            )
        }
        None if newer == 0 => format!(
            "No release was found: no tag on {} matches the app's `tag-pattern`.",
            view.code(plan.repository.trunk.as_str())
        ),
        None => format!(
            "None of {} has succeeded in {source}, so nothing can go to {target} yet.",
            counted(newer, "release", "releases")
        ),
    }
}

/// As many lines of the diff as fit, below a fold.
fn diff_within(diff: &str, room: usize) -> String {
    if diff.trim().is_empty() {
        return String::new();
    }
    let fold = |lines: &str, left: usize| {
        let more = if left == 0 { String::new() } else { format!("\n\n… and {left} more lines.") };
        format!(
            "<details open><summary>Diff of the overlay</summary>\n\n{}{more}\n\n</details>",
            fence(lines, "diff")
        )
    };
    let whole = fold(diff, 0);
    if whole.len() <= room {
        return whole;
    }
    let lines: Vec<&str> = diff.lines().collect();
    // A line may grow where hidden characters are shown: halve until it fits.
    let mut kept = lines.len() / 2;
    while kept > 0 {
        let part = fold(&lines.get(..kept).unwrap_or_default().join("\n"), lines.len() - kept);
        if part.len() <= room {
            return part;
        }
        kept /= 2;
    }
    format!("The diff of the overlay has {} and does not fit here.", counted(lines.len(), "line", "lines"))
}
