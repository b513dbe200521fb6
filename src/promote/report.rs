//! Report: the same plan for people (job summary, annotations) and for machines (outputs, plan file).

use std::path::Path;

use serde_json::json;

use crate::changelog;
use crate::failure::{Failure, Kind, Place, Problem, Result};
use crate::plan::{Outcome, Plan, Verdict};
use crate::proposal::{Context, Report as Page, SUMMARY_LIMIT, summary};
use crate::runner::commands::{Audience, Level, print, print_block, show, show_failure};
use crate::runner::environment::Environment;
use crate::runner::files::{PLAN_FILE, can_write, write_outputs, write_plan, write_summary};

use super::apply::Applied;

/// One app and target, done.
#[derive(Debug)]
pub struct Promoted {
    /// What was decided, with its verdict.
    pub plan: Plan,
    /// Where its pages live.
    pub context: Context,
    /// How it ended.
    pub outcome: Outcome,
    /// What was written.
    pub applied: Applied,
    /// The unified diff of the overlay.
    pub diff: String,
    /// The pull request's body, as it is or would be.
    pub body: String,
    /// What should be looked at, though nothing stopped.
    pub warnings: Vec<Problem>,
}

/// One app and target that could not be decided or applied.
#[derive(Debug)]
pub struct Failed {
    /// The app.
    pub app: String,
    /// The target.
    pub target: String,
    /// Why.
    pub failure: Failure,
}

/// Everything a run came to.
#[derive(Debug)]
pub struct Report {
    /// Each app and target, in the order of the settings.
    pub promotions: Vec<std::result::Result<Promoted, Failed>>,
    /// What should be looked at, though nothing stopped.
    pub warnings: Vec<Problem>,
    /// What is worth knowing, and no reason to worry.
    pub notices: Vec<Problem>,
}

impl Report {
    /// The promotions, by app and target, whose branch somebody else moved meanwhile.
    pub fn lost_races(&self) -> Vec<(String, String)> {
        let failed = self.promotions.iter().filter_map(|one| one.as_ref().err());
        let lost = failed.filter(|failed| failed.failure.kind() == Kind::LostRace);
        lost.map(|failed| (failed.app.clone(), failed.target.clone())).collect()
    }

    /// A second look failed as a whole: that is why the first promotion that lost its race is not done, and what
    /// the others came to is reported all the same.
    pub fn look_failed(&mut self, failure: Failure) {
        let mut failed = self.promotions.iter_mut().filter_map(|one| one.as_mut().err());
        if let Some(first) = failed.find(|failed| failed.failure.kind() == Kind::LostRace) {
            first.failure = failure;
        }
    }

    /// Takes what a second look came to; what the first one finished stays as it is.
    pub fn replace(&mut self, again: Report) {
        for one in again.promotions {
            if let Some(first) = self.promotions.iter_mut().find(|first| key(first) == key(&one)) {
                *first = one;
            }
        }
    }
}

fn key(one: &std::result::Result<Promoted, Failed>) -> (&str, &str) {
    match one {
        Ok(promoted) => (&promoted.plan.app.name, &promoted.plan.target.environment),
        Err(failed) => (&failed.app, &failed.target),
    }
}

/// The process's exit code: 0, or 1 for errors and blocked promotions.
pub type ExitCode = u8;

/// Writes outputs, summary, annotations and the plan file; prints the plan of a dry run.
///
/// # Errors
/// When a file of the runner or the workspace cannot be written.
pub fn report(report: &Report, environment: &Environment) -> Result<ExitCode> {
    let done: Vec<&Promoted> = report.promotions.iter().filter_map(|one| one.as_ref().ok()).collect();
    let plans: Vec<&Plan> = done.iter().map(|one| &one.plan).collect();
    let plan = plan_json(&plans, report.promotions.len())?;
    write_plan(&environment.workspace, &plan)?;
    if let Some(path) = environment.get("GITHUB_OUTPUT") {
        write_outputs(Path::new(path), &outputs(report)?)?;
    }
    if let Some(path) = environment.get("GITHUB_STEP_SUMMARY") {
        write_summary(Path::new(path), &pages(report))?;
    }
    for promoted in &done {
        tell(promoted, environment);
    }
    for notice in &report.notices {
        show(Level::Notice, "promote", notice, environment.audience);
    }
    warn(&report.warnings, environment.audience);
    let mut code = 0;
    for one in &report.promotions {
        match one {
            Ok(promoted) if promoted.outcome == Outcome::Blocked => code = 1,
            Ok(_) => {}
            Err(failed) => {
                show_failure(&failed.failure, environment.audience);
                code = 1;
            }
        }
    }
    Ok(code)
}

/// Whether everything that a run leaves can be written; asked before the first request.
///
/// # Errors
/// The workspace or a file of the runner cannot be written.
pub fn can_be_written(environment: &Environment) -> Result<()> {
    let named = ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"];
    let files: Vec<(&str, &Path)> =
        named.into_iter().filter_map(|name| Some((name, Path::new(environment.get(name)?)))).collect();
    can_write(&environment.workspace, &files)
}

/// Shows what should be looked at.
pub fn warn(warnings: &[Problem], audience: Audience) {
    for warning in warnings {
        show(Level::Warning, "promote", warning, audience);
    }
}

/// Puts a failure that stopped the whole run into the job summary; the log has it in any case.
pub fn stopped(failure: &Failure, environment: &Environment) {
    if let Some(path) = environment.get("GITHUB_STEP_SUMMARY") {
        // What cannot be written was said, or is about to be.
        let _ = write_summary(Path::new(path), &crate::proposal::stopped_page(failure));
    }
}

fn plan_json(plans: &[&Plan], asked: usize) -> Result<String> {
    // One promotion is one document, as policy tools expect it; several are an array of them.
    let json = match plans {
        [plan] if asked == 1 => serde_json::to_string_pretty(plan),
        plans => serde_json::to_string_pretty(plans),
    };
    json.map(|json| format!("{json}\n"))
        .map_err(|error| Failure::new(Kind::Machine, "the plan cannot be written as JSON").because(error))
}

fn outputs(report: &Report) -> Result<Vec<(&'static str, String)>> {
    let entries: Vec<serde_json::Value> = report.promotions.iter().map(entry).collect();
    let promotions = serde_json::to_string(&entries).map_err(|error| {
        Failure::new(Kind::Machine, "the outputs cannot be written as JSON").because(error)
    })?;
    let first = entries.first().cloned().unwrap_or_default();
    let text = |key: &str| match first.get(key) {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(serde_json::Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    let changelog = report
        .promotions
        .iter()
        .find_map(|one| one.as_ref().ok())
        .map(|one| changelog::markdown(&one.plan.commits, &one.plan.repository.url))
        .unwrap_or_default();
    let names = [
        "outcome",
        "tag",
        "version",
        "previous-tag",
        "previous-version",
        "pull-request-number",
        "pull-request-url",
        "branch",
        "head-sha",
        "changed",
        "policy",
    ];
    let mut outputs: Vec<(&'static str, String)> = names.into_iter().map(|name| (name, text(name))).collect();
    outputs.push(("changelog", changelog));
    outputs.push(("plan", PLAN_FILE.to_owned()));
    outputs.push(("promotions", promotions));
    Ok(outputs)
}

fn entry(one: &std::result::Result<Promoted, Failed>) -> serde_json::Value {
    match one {
        Ok(promoted) => {
            let plan = &promoted.plan;
            let (proposed, active) = (plan.proposed.as_ref(), plan.active.as_ref());
            let has_branch = promoted.applied.head.is_some();
            json!({
                "app": plan.app.name,
                "target": plan.target.environment,
                "outcome": promoted.outcome.as_str(),
                "tag": proposed.and_then(|release| release.tag.clone()),
                "version": proposed.map(|release| release.version.clone()),
                "previous-tag": active.and_then(|release| release.tag.clone()),
                "previous-version": active.map(|release| release.version.clone()),
                "pull-request-number": promoted.applied.number,
                "pull-request-url": promoted.applied.url,
                "branch": has_branch.then(|| promoted.context.branch.as_str()),
                "head-sha": promoted.applied.head,
                "changed": promoted.applied.wrote,
                "policy": plan.policy.as_ref().map(|policy| policy.verdict.as_str()),
            })
        }
        Err(failed) => json!({
            "app": failed.app,
            "target": failed.target,
            "outcome": null,
            "changed": false,
            "error": failed.failure.problems().iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        }),
    }
}

fn pages(report: &Report) -> String {
    let room = SUMMARY_LIMIT / report.promotions.len().max(1);
    let page = |one: &std::result::Result<Promoted, Failed>| match one {
        Ok(promoted) => {
            let notes: Vec<String> = notes(promoted);
            let page = Page {
                outcome: promoted.outcome,
                pull_request_url: promoted.applied.url.as_deref(),
                diff: &promoted.diff,
                notes: &notes,
            };
            summary(&promoted.plan, &promoted.context, &page, room)
        }
        Err(failed) => crate::proposal::failure_page(&failed.app, &failed.target, &failed.failure),
    };
    let notices = crate::proposal::notices_page(report.notices.iter().map(|notice| notice.message.as_str()));
    let pages = report.promotions.iter().map(page).chain((!notices.is_empty()).then_some(notices));
    pages.collect::<Vec<_>>().join("\n---\n\n")
}

/// What people should read, as sentences.
fn notes(promoted: &Promoted) -> Vec<String> {
    let warnings = promoted.warnings.iter().map(|problem| with_hints(problem).replace('\n', ": "));
    promoted.applied.notes.iter().cloned().chain(warnings).collect()
}

fn with_hints(problem: &Problem) -> String {
    let hints = problem.hints.iter().map(|hint| format!("\nhint: {hint}"));
    format!("{}{}", problem.message, hints.collect::<String>())
}

/// The outcome in one line, then annotations; of a dry run also diff and body.
fn tell(promoted: &Promoted, environment: &Environment) {
    let plan = &promoted.plan;
    let release = plan.proposed.as_ref().or(plan.active.as_ref());
    tracing::info!(
        app = %plan.app.name,
        target = %plan.target.environment,
        release = %release.map_or("none", |release| release.tag.as_deref().unwrap_or(&release.version)),
        pull_request = %promoted.applied.url.as_deref().unwrap_or("none"),
        "{}",
        promoted.outcome.as_str()
    );
    if promoted.outcome == Outcome::Planned {
        if !promoted.diff.is_empty() {
            print_block(&promoted.diff, environment.audience);
        }
        print_block(&promoted.body, environment.audience);
    }
    if environment.audience == Audience::Terminal {
        if let Some(url) = &promoted.applied.url {
            print(&format!("{}: {url}\n", promoted.outcome.as_str()));
        } else {
            print(&format!(
                "{} of {}: {}\n",
                plan.app.name,
                plan.target.environment,
                promoted.outcome.as_str()
            ));
        }
    }
    annotations(promoted, environment.audience);
}

fn annotations(promoted: &Promoted, audience: Audience) {
    for note in &promoted.applied.notes {
        let note = Problem { place: None, message: note.clone(), hints: Vec::new() };
        show(Level::Warning, "promote", &note, audience);
    }
    warn(&promoted.warnings, audience);
    for finding in promoted.plan.policy.iter().flat_map(|policy| &policy.findings) {
        let level = if finding.level == Verdict::Warn { Level::Warning } else { Level::Error };
        let place = finding.location.as_ref().map(|location| Place {
            file: location.file.as_str().to_owned(),
            line: Some(location.line),
            column: None,
        });
        let hints = finding.hint.iter().cloned().collect();
        let problem = Problem { place, message: finding.message.clone(), hints };
        show(level, &format!("policy: {}", finding.rule), &problem, audience);
    }
}
