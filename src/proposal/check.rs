//! The check run on the promotion's commit: the verdict, and annotations on lines.
//!
//! Annotations are plain text, not Markdown. Their number is not limited here: the caller sends them
//! fifty at a time.

use super::markdown::{code, sentence, visible};
use super::page::{Context, Limits, Medium, TIERS, View, joined};
use super::sections::tally;
use super::verdict;
use crate::names::RepoPath;
use crate::plan::{Change, Finding, Plan, Verdict};
use crate::settings::PolicyMode;

/// GitHub takes 65 535 characters; bytes are counted.
const LONGEST_SUMMARY: usize = 60_000;

/// What a check run says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckText {
    /// One line.
    pub title: String,
    /// Markdown: verdict, findings and evidence.
    pub summary: String,
    /// Whether it is green.
    pub conclusion: Conclusion,
    /// What is said about lines: findings first, then changes.
    pub annotations: Vec<Annotation>,
}

/// How a check ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// Nothing blocks.
    Success,
    /// Something blocks.
    Failure,
}

impl Conclusion {
    /// GitHub's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }
}

/// Something said about one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The file.
    pub file: RepoPath,
    /// 1-based.
    pub line: u32,
    /// How bad it is.
    pub level: Level,
    /// A few words.
    pub title: String,
    /// One line or two, plain text.
    pub message: String,
}

/// How bad an annotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// For information.
    Notice,
    /// To be looked at.
    Warning,
    /// It blocks.
    Failure,
}

impl Level {
    /// GitHub's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }
}

/// The check of a plan.
pub fn check(plan: &Plan, context: &Context) -> CheckText {
    let blocked = verdict(plan).blocks();
    let said = plan.policy.as_ref().map_or("policy was not asked".to_owned(), tally);
    let said = if context.mode == PolicyMode::Off { "policy is off".to_owned() } else { said };
    let findings = plan.policy.iter().flat_map(|report| &report.findings).filter_map(of_finding);
    CheckText {
        title: if blocked { format!("Blocked: {said}") } else { said },
        summary: summary(plan, context),
        conclusion: if blocked { Conclusion::Failure } else { Conclusion::Success },
        annotations: findings.chain(plan.changes.iter().map(of_change)).collect(),
    }
}

/// The check of an open promotion while its release is not successful.
pub fn held(plan: &Plan) -> CheckText {
    let reasons = plan
        .passed_over
        .iter()
        .map(|release| format!("- {}: {}\n", code(&release.tag, 120), sentence(&release.reason, 500)));
    CheckText {
        title: "its release is not successful now".to_owned(),
        summary: format!(
            "What this promotion was proposed on does not hold now:\n\n{}",
            reasons.collect::<String>()
        ),
        conclusion: Conclusion::Failure,
        annotations: Vec::new(),
    }
}

fn summary(plan: &Plan, context: &Context) -> String {
    let small = Limits { rows: 0, shown: 0, folded: 0, text: 40, address: 200 };
    TIERS
        .iter()
        .map(|&limits| {
            let view = View::of(plan, context, Medium::PullRequest, limits);
            joined([view.blocked(), view.headline(), view.policy(), view.evidence()])
        })
        .find(|page| page.len() <= LONGEST_SUMMARY)
        .unwrap_or_else(|| View::of(plan, context, Medium::PullRequest, small).headline())
}

fn of_finding(finding: &Finding) -> Option<Annotation> {
    let location = finding.location.as_ref()?;
    let hint = finding.hint.as_ref().map(|hint| format!("\n{}", visible(hint, 1_000))).unwrap_or_default();
    Some(Annotation {
        file: location.file.clone(),
        line: location.line.max(1),
        level: match finding.level {
            Verdict::Pass => Level::Notice,
            Verdict::Warn => Level::Warning,
            Verdict::Deny | Verdict::Error => Level::Failure,
        },
        title: visible(&finding.rule, 200),
        message: format!("{}{hint}", visible(&finding.message, 1_000)),
    })
}

fn of_change(change: &Change) -> Annotation {
    let shown =
        |value: &Option<String>| value.as_deref().map_or("nothing".to_owned(), |value| visible(value, 300));
    Annotation {
        file: change.file.clone(),
        line: change.line.max(1),
        level: Level::Notice,
        title: visible(&change.key, 200),
        message: format!("{} → {}", shown(&change.before), shown(&change.after)),
    }
}
