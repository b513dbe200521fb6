//! The sections of a page, each a pure view of the plan: what moves, what proves it, what policy says.
//!
//! The answer comes first and unfolded, proofs after it; a section without content is the empty string.

use std::fmt::Write as _;

use super::markdown::time;
use super::page::{View, counted};
use crate::plan::{
    Artifact, ArtifactKind, ArtifactVersion, Change, Direction, Evidence, Finding, PolicyReport, Release,
    Verdict,
};
use crate::settings::PolicyMode;

impl View<'_> {
    /// What blocks the promotion and who can do what about it.
    pub fn blocked(&self) -> String {
        let Some(report) = self.plan.policy.as_ref().filter(|report| report.verdict.blocks()) else {
            return String::new();
        };
        let blocking: Vec<&Finding> =
            report.findings.iter().filter(|finding| finding.level.blocks()).collect();
        let mut lines =
            vec!["[!CAUTION]".to_owned(), format!("**Blocked**: {}.", objections(report)), String::new()];
        for finding in blocking.iter().take(self.limits.rows) {
            let hint = finding.hint.as_ref().map(|hint| format!("<br>**To do:** {}.", self.sentence(hint)));
            lines.push(format!(
                "- {}: {}{}{}",
                self.code(&finding.rule),
                self.sentence(&finding.message),
                self.place(finding),
                hint.unwrap_or_default()
            ));
        }
        if blocking.len() > self.limits.rows {
            lines.extend([String::new(), self.more(blocking.len() - self.limits.rows)]);
        }
        lines.extend([
            String::new(),
            "Every run of the promotion looks again and updates this page.".to_owned(),
        ]);
        lines.iter().map(|line| format!("> {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
    }

    /// App, versions, way, commits, people, compare: the whole promotion in a line.
    pub fn headline(&self) -> String {
        let plan = self.plan;
        let mut parts = vec![
            format!("**{}** {}", self.text(&plan.app.name), self.versions()),
            format!("{} → **{}**", self.text(&plan.source.environment), self.target()),
        ];
        if !plan.commits.is_empty() {
            let mut authors: Vec<&str> = plan.commits.iter().map(|commit| commit.author.as_str()).collect();
            authors.sort_unstable();
            authors.dedup();
            let at_least = if plan.commits_truncated { "more than " } else { "" };
            let commits = counted(plan.commits.len(), "commit", "commits");
            let people =
                if authors.len() == 1 { "1 person".to_owned() } else { format!("{} people", authors.len()) };
            parts.push(format!("{at_least}{commits} by {people}"));
        }
        parts.extend(self.compare());
        let line = parts.join(" · ");
        let line = if plan.rollback { format!("⏪ **Rollback** · {line}") } else { line };
        match &plan.reason {
            Some(reason) => format!("{line}\n\n**Why:** {}{}", self.sentence(reason), self.asked()),
            None => line,
        }
    }

    fn asked(&self) -> String {
        match &self.plan.actors.requested_by {
            Some(person) => format!(" — asked for by {}", self.text(&format!("@{person}"))),
            None => String::new(),
        }
    }

    fn versions(&self) -> String {
        let shown = |release: &Release| self.code(&release.version);
        match (&self.plan.active, &self.plan.proposed) {
            (Some(_), Some(to)) if self.plan.direction == Direction::Same => {
                format!("{} (the release that runs now, with other pins)", shown(to))
            }
            (Some(from), Some(to)) => format!("{} → {}", shown(from), shown(to)),
            (None, Some(to)) => format!("{} (no release is known to run there now)", shown(to)),
            (Some(from), None) => format!("stays at {}", shown(from)),
            (None, None) => "has no release".to_owned(),
        }
    }

    /// A link to what lies between the two releases, older first.
    pub fn compare(&self) -> Option<String> {
        let (from, to) =
            (self.plan.active.as_ref()?.commit.as_ref()?, self.plan.proposed.as_ref()?.commit.as_ref()?);
        let (older, newer) = if self.plan.rollback { (to, from) } else { (from, to) };
        (older != newer).then(|| self.links.compare(older, newer))
    }

    /// Every artifact before and after, and changed values that belong to none.
    pub fn artifacts(&self) -> String {
        let (moved, kept): (Vec<&Artifact>, Vec<&Artifact>) =
            self.plan.artifacts.iter().partition(|artifact| artifact.from != artifact.to);
        let alone = self.plan.changes.iter().filter(|change| {
            !self
                .plan
                .artifacts
                .iter()
                .flat_map(|artifact| &artifact.locations)
                .any(|location| location.file == change.file && location.line == change.line)
        });
        let rows: Vec<String> = (moved.iter().map(|artifact| self.artifact(artifact)))
            .chain(alone.map(|change| self.value(change)))
            .chain(kept.iter().map(|artifact| self.artifact(artifact)))
            .collect();
        self.table(&format!("| what | {} now | after merge |", self.target()), rows)
    }

    fn artifact(&self, artifact: &Artifact) -> String {
        let what = format!("{} {}", artifact.kind.as_str(), self.code(&artifact.name));
        let now = self.version(&artifact.from);
        if artifact.from == artifact.to {
            return format!("| {what} | {now} | unchanged |");
        }
        let mark = match artifact.kind {
            ArtifactKind::Model => " ⚠️ model changes",
            ArtifactKind::Prompt => " ⚠️ prompt changes",
            _ => "",
        };
        format!("| {what} | {now} | **{}**{mark} |", self.version(&artifact.to))
    }

    fn value(&self, change: &Change) -> String {
        let shown =
            |value: &Option<String>| value.as_deref().map_or("–".to_owned(), |value| self.code(value));
        format!(
            "| value {} | {} | **{}** |",
            self.code(&change.key),
            shown(&change.before),
            shown(&change.after)
        )
    }

    fn version(&self, version: &ArtifactVersion) -> String {
        match versions(version) {
            shown if shown.is_empty() => "–".to_owned(),
            shown => shown.iter().map(|part| self.code(part)).collect::<Vec<_>>().join(" · "),
        }
    }

    /// What proves the release.
    pub fn evidence(&self) -> String {
        let Some(release) = &self.plan.proposed else { return String::new() };
        let commit =
            release.commit.as_ref().map_or_else(|| self.code(&release.version), |sha| self.links.commit(sha));
        let tagged = release.tagged_at.map(|at| format!(", tagged {}", time(at))).unwrap_or_default();
        let signed = match release.signed {
            Some(true) => ", signature verified",
            Some(false) => ", signature **not** verified",
            None => "",
        };
        let pins = self.pins_from(release);
        if self.plan.evidence.is_empty() {
            let icon = if self.plan.rollback { "⏪" } else { "❔" };
            let what = if self.plan.rollback { "having run there before" } else { "none is recorded" };
            return format!("{icon} **Evidence** for {commit}{tagged}{signed}: {what}{pins}");
        }
        let all = self.plan.evidence.iter().all(|evidence| evidence.conclusion == "success");
        let rows = self.plan.evidence.iter().map(|evidence| self.proof(evidence, release)).collect();
        let table = self.table("| | what | result | when |", rows);
        format!(
            "{} **Evidence** for {commit}{tagged}{signed}{pins}\n\n{table}",
            if all { "✅" } else { "❔" }
        )
    }

    /// Names the later commit that recorded the version, where it is not the tagged one.
    fn pins_from(&self, release: &Release) -> String {
        let source = &self.plan.source;
        if self.plan.rollback || release.commit.as_ref() == Some(&source.commit) {
            return String::new();
        }
        format!(
            " · its values are read from {} at {}, which recorded it",
            self.path(&source.path, source.commit.as_str()),
            self.links.commit(&source.commit)
        )
    }

    fn proof(&self, evidence: &Evidence, release: &Release) -> String {
        let icon = if evidence.conclusion == "success" { "✅" } else { "❔" };
        let mut result = self.text(&evidence.conclusion);
        if let Some(summary) = &evidence.summary {
            let _ = write!(result, " · {}", self.text(summary));
        }
        if release.commit.as_ref().is_some_and(|commit| *commit != evidence.commit) {
            let _ = write!(result, " · on its parent {}", self.links.commit(&evidence.commit));
        }
        let what = self.links.outside(&self.text(&evidence.name), evidence.url.as_deref());
        let when = evidence.completed_at.map_or("–".to_owned(), time);
        format!("| {icon} | {what} | {result} | {when} |")
    }

    /// What policy says; what blocks was said at the top and is only counted here.
    pub fn policy(&self) -> String {
        if self.context.mode == PolicyMode::Off {
            return "⏸️ **Policy** is off (`policy-mode: off`): no rule was asked.".to_owned();
        }
        let Some(report) = &self.plan.policy else { return String::new() };
        let rows = report
            .findings
            .iter()
            .filter(|finding| !finding.level.blocks())
            .map(|f| self.finding(f))
            .collect();
        let line = format!("{} **Policy**: {}{}", icon(report.verdict), tally(report), self.manner());
        let table = self.table("| rule | | message |", rows);
        if table.is_empty() { line } else { format!("{line}\n\n{table}") }
    }

    fn manner(&self) -> &'static str {
        if self.context.mode == PolicyMode::Warn {
            " · `policy-mode: warn` lets denials pass as warnings"
        } else {
            ""
        }
    }

    fn finding(&self, finding: &Finding) -> String {
        let hint =
            finding.hint.as_ref().map(|hint| format!("<br>↳ {}", self.sentence(hint))).unwrap_or_default();
        format!(
            "| {} | {} | {}{}{hint} |",
            self.code(&finding.rule),
            icon(finding.level),
            self.sentence(&finding.message),
            self.place(finding)
        )
    }

    fn place(&self, finding: &Finding) -> String {
        finding
            .location
            .as_ref()
            .map(|location| format!(" · {}", self.location(location)))
            .unwrap_or_default()
    }
}

/// What stands against it, in a sentence.
fn objections(report: &PolicyReport) -> String {
    let count = |level| report.findings.iter().filter(|finding| finding.level == level).count();
    let mut parts = Vec::new();
    if count(Verdict::Deny) > 0 {
        parts.push(format!(
            "policy denies this promotion for {}",
            counted(count(Verdict::Deny), "reason", "reasons")
        ));
    }
    if count(Verdict::Error) > 0 {
        let what = counted(count(Verdict::Error), "policy", "policies");
        parts.push(format!("{what} could not be evaluated, which is never a pass"));
    }
    parts.join(", and ")
}

/// `13 passed, 1 warning, 0 denied`.
pub(super) fn tally(report: &PolicyReport) -> String {
    let count = |level| report.findings.iter().filter(|finding| finding.level == level).count();
    let warnings = counted(count(Verdict::Warn), "warning", "warnings");
    let errors = match count(Verdict::Error) {
        0 => String::new(),
        errors => format!(", {errors} could not be evaluated"),
    };
    format!("{} passed, {warnings}, {} denied{errors}", report.passed, count(Verdict::Deny))
}

/// Tag and digest as people read them: of a digest, enough to tell two apart.
pub(super) fn versions(version: &ArtifactVersion) -> Vec<String> {
    let digest = version.digest.as_deref().map(|digest| match digest.split_once(':') {
        Some((algorithm, hex)) if hex.len() > 12 && hex.is_ascii() => {
            format!("{algorithm}:{}…", hex.get(..12).unwrap_or(hex))
        }
        _ => digest.to_owned(),
    });
    version.tag.clone().into_iter().chain(digest).collect()
}

fn icon(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✅",
        Verdict::Warn => "⚠️",
        Verdict::Deny => "⛔",
        Verdict::Error => "❗",
    }
}
