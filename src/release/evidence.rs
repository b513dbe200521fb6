//! What ran against a commit, and whether it makes a release successful.
//!
//! Fails closed: what is missing, pending, cancelled, skipped, neutral, stale or contradictory is never
//! success; where a soak is asked for, neither is success of unknown time. Runs of forks, of pull
//! requests, of events whose commit need not be the one that was tested, and of the promoting workflow,
//! and check runs by Actions that are no job of a counted run, are no evidence at all (rule 3).

mod answers;
mod counting;
mod facts;
pub mod survey;

use jiff::{SignedDuration, Timestamp};

use super::shortfall::{Shortfall, code, minute, short};
use crate::names::CommitSha;
use crate::plan::{Evidence, Standing};
use crate::settings::{Required, TagPattern};
pub use counting::{Promoting, Refs};
pub use facts::{CheckRun, Deployment, DeploymentStatus, Ran, Run, Status, run_of_page};

use answers::{Answer, State, check_answers, deployment_answers, run_answers, says_nothing, status_answers};

/// What the requirement is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// What must have succeeded.
    pub required: &'a [Required],
    /// The release's tag.
    pub tag: &'a str,
    /// The repository's refs: a run that another tag started says nothing of this one.
    pub refs: &'a Refs,
    /// What the tags of all apps look like: how a tag is known that is gone.
    pub patterns: &'a [TagPattern],
    /// The branch that releases come from.
    pub trunk: &'a str,
    /// The workflow this run belongs to.
    pub promoting: &'a Promoting,
    /// How long ago the evidence must have completed.
    pub soak: Option<SignedDuration>,
    /// When the observation was made.
    pub now: Timestamp,
}

/// The answer for one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What succeeded.
    pub evidence: Vec<Evidence>,
    /// What did not; empty means the release is successful.
    pub shortfalls: Vec<Shortfall>,
    /// Whether another commit may be asked at all.
    pub silence: Silence,
}

/// Whether what lacks has not run, or has said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// Something required did not run on this commit, and nothing that ran is other than successful.
    Missing,
    /// Nothing lacks, or what ran speaks for itself: failed, pending, contradictory, not yet soaked.
    Spoken,
}

/// What our own check and status on a promotion's head are called, which say nothing of a release.
pub const OURS: &str = "promotion";

/// Judges what ran on a commit by the rules.
pub fn judge(ran: &Ran, rules: &Rules<'_>) -> Judgement {
    let mut evidence = Vec::new();
    let mut shortfalls = Vec::new();
    let mut missed = 0;
    for required in rules.required {
        let answers = answers(ran, rules, required);
        if answers.is_empty() {
            missed += 1;
            shortfalls.push(missing(ran, rules, required));
            continue;
        }
        match verdict(answers, &described(required), &ran.commit) {
            Ok(found) => evidence.extend(found),
            Err(shortfall) => shortfalls.push(shortfall),
        }
    }
    let silence = if missed > 0 && shortfalls.len() == missed { Silence::Missing } else { Silence::Spoken };
    if rules.required.is_empty() {
        let none = "no evidence is required, and none is never a pass";
        shortfalls.push(Shortfall::new(Standing::Missing, none, "once `evidence` names what must succeed"));
    }
    evidence.sort_by(|a: &Evidence, b| (a.kind, &a.name, &a.url).cmp(&(b.kind, &b.name, &b.url)));
    evidence.dedup();
    if shortfalls.is_empty() {
        shortfalls.extend(not_soaked(&evidence, rules));
    }
    Judgement { evidence, shortfalls, silence }
}

/// What speaks against a release on the later commit that recorded its version: that nothing ran there is usual, and
/// what was skipped or cancelled there says nothing; what failed or is going on does.
pub fn denied_where_recorded(ran: &Ran, rules: &Rules<'_>) -> Option<Shortfall> {
    const DENIALS: &[&str] = &["failure", "error", "timed_out", "startup_failure", "action_required"];
    let answers = rules.required.iter().flat_map(|required| answers(ran, rules, required));
    let denies = |answer: &Answer| {
        answer.state == State::Pending || DENIALS.contains(&answer.evidence.conclusion.as_str())
    };
    let denial = answers.filter(|answer| answer.state != State::Success).find(denies)?;
    let shortfall = verdict(vec![denial], "what ran", &ran.commit).err()?;
    let reason = format!("{} on {}, which recorded its version", shortfall.reason, short(&ran.commit));
    Some(Shortfall { reason, ..shortfall })
}

fn answers(ran: &Ran, rules: &Rules<'_>, required: &Required) -> Vec<Answer> {
    match required {
        Required::Workflow(workflow) => run_answers(ran, rules, |run| run.is_of(workflow)),
        Required::Check { name, app } => check_answers(ran, rules, |check| {
            check.name == *name && is_theirs(app.as_deref(), check.app.as_deref())
        }),
        Required::Status { context, creator } => status_answers(ran, |status| {
            status.context == *context && is_theirs(creator.as_deref(), status.creator.as_deref())
        }),
        Required::Deployment(environment) => {
            deployment_answers(ran, rules, |deployment| deployment.environment == *environment)
        }
        Required::Any => {
            let mut all = run_answers(ran, rules, |_| true);
            // Jobs of workflow runs are judged as their run; what is left comes from other apps.
            all.extend(check_answers(ran, rules, |check| !check.is_by_actions() && check.name != OURS));
            all.extend(status_answers(ran, |status| status.context != OURS));
            all.extend(deployment_answers(ran, rules, |_| true));
            // A workflow whose condition was not met on this commit is neither success nor failure.
            all.retain(|answer| !says_nothing(&answer.evidence.conclusion));
            all
        }
    }
}

/// Whether the reporter is the one who was asked for; GitHub's logins and slugs know no capitals.
fn is_theirs(asked: Option<&str>, reporter: Option<&str>) -> bool {
    asked.is_none_or(|asked| reporter.is_some_and(|reporter| reporter.eq_ignore_ascii_case(asked)))
}

/// All must agree on success; two answers that disagree under one name are no success.
fn verdict(answers: Vec<Answer>, what: &str, commit: &CommitSha) -> Result<Vec<Evidence>, Shortfall> {
    let worst = answers
        .iter()
        .filter(|answer| answer.state != State::Success)
        .max_by_key(|answer| answer.state == State::Not);
    let Some(worst) = worst else {
        return Ok(answers.into_iter().map(|answer| answer.evidence).collect());
    };
    let outcome = match worst.state {
        State::Pending => {
            let since = worst.since.map_or(String::new(), |since| format!(" since {}", minute(since)));
            format!("{} is {}{since}", worst.label, worst.evidence.conclusion.replace('_', " "))
        }
        _ => format!("{} {}", worst.label, past(&worst.evidence.conclusion)),
    };
    let agreed = answers.iter().find(|answer| answer.state == State::Success);
    let reason = match agreed {
        Some(other) if worst.state == State::Not => {
            format!("{what} disagree: {} succeeded, {outcome}", other.label)
        }
        _ => outcome,
    };
    let (standing, remedy) = match worst.state {
        State::Pending => (Standing::Pending, format!("once {} has succeeded", worst.label)),
        _ => {
            (Standing::Failed, format!("once {} is run again on {} and succeeds", worst.label, short(commit)))
        }
    };
    Err(Shortfall::new(standing, reason, remedy).seen_at(worst.evidence.url.clone()))
}

fn past(conclusion: &str) -> String {
    match conclusion {
        "failure" => "failed".into(),
        "error" => "ended in an error".into(),
        "cancelled" => "was cancelled".into(),
        "skipped" => "was skipped".into(),
        "timed_out" => "timed out".into(),
        "stale" => "went stale".into(),
        other => format!("ended as `{}`, which is not success", other.replace('`', "'")),
    }
}

fn described(required: &Required) -> String {
    match required {
        Required::Workflow(name) => format!("runs of {}", code(name)),
        Required::Check { name, .. } => format!("check runs {}", code(name)),
        Required::Status { context, .. } => format!("statuses {}", code(context)),
        Required::Deployment(environment) => format!("deployments to {}", code(environment)),
        Required::Any => "the results on the commit".into(),
    }
}

fn missing(ran: &Ran, rules: &Rules<'_>, required: &Required) -> Shortfall {
    let on = format!("on {}", short(&ran.commit));
    let none = match required {
        Required::Workflow(name) => format!("no run of {} {on}", code(name)),
        Required::Check { name, .. } => format!("no check run {} {on}", code(name)),
        Required::Status { context, .. } => format!("no status {} {on}", code(context)),
        Required::Deployment(environment) => format!("no deployment to {} {on}", code(environment)),
        Required::Any if ran.is_silent() => format!("nothing ran {on}"),
        Required::Any => format!("nothing that counts ran {on}"),
    };
    let reason = match why_it_does_not_count(ran, rules, required) {
        Some(why) => format!("{none} counts: {why}"),
        None => none,
    };
    let succeeds = match required {
        Required::Any => "something has run".to_owned(),
        required => format!("{} has succeeded", one(required)),
    };
    Shortfall::new(Standing::Missing, reason, format!("once {succeeds} {on}"))
}

/// Why what is there under the name that is required does not count; none where nothing is.
fn why_it_does_not_count(ran: &Ran, rules: &Rules<'_>, required: &Required) -> Option<String> {
    match required {
        Required::Workflow(name) => {
            let run = ran.runs.iter().find(|run| run.is_of(name))?;
            Some(run.objection(rules.promoting).unwrap_or_else(|| match &run.head_branch {
                Some(branch) => format!("it ran for {}", code(branch)),
                None => "it ran for one of several tags, and which is not known".to_owned(),
            }))
        }
        Required::Check { name, app } => {
            let check = ran.checks.iter().find(|check| check.name == *name)?;
            not_theirs(app.as_deref(), check.app.as_deref()).or_else(|| {
                let no_job = "Actions reported it, but it is no job of a workflow run that counts";
                check.is_by_actions().then(|| no_job.to_owned())
            })
        }
        Required::Status { context, creator } => {
            let status = ran.statuses.iter().find(|status| status.context == *context)?;
            not_theirs(creator.as_deref(), status.creator.as_deref())
        }
        Required::Deployment(environment) => {
            let there = ran.deployments.iter().find(|one| one.environment == *environment)?;
            there.objection(ran, rules)
        }
        Required::Any => None,
    }
}

/// One piece of evidence, as a sentence names it.
fn one(required: &Required) -> String {
    match required {
        Required::Workflow(name) => format!("a run of {}", code(name)),
        Required::Check { name, .. } => format!("the check {}", code(name)),
        Required::Status { context, .. } => format!("the status {}", code(context)),
        Required::Deployment(environment) => format!("a deployment to {}", code(environment)),
        Required::Any => "anything".into(),
    }
}

/// Something of this name is there, from somebody else than who was asked for.
fn not_theirs(asked: Option<&str>, reporter: Option<&str>) -> Option<String> {
    let asked = asked.filter(|_| !is_theirs(asked, reporter))?;
    let reporter = reporter.map_or_else(|| "somebody unknown".to_owned(), code);
    Some(format!("{reporter} reported it, not {}", code(asked)))
}

fn not_soaked(evidence: &[Evidence], rules: &Rules<'_>) -> Option<Shortfall> {
    let soak = rules.soak?;
    let Some(last) = evidence.iter().map(|evidence| evidence.completed_at).collect::<Option<Vec<_>>>() else {
        let unknown = "it cannot be told how long its evidence is complete";
        return Some(Shortfall::new(Standing::Soaking, unknown, "once its evidence says when it completed"));
    };
    let done = last.into_iter().max()?.checked_add(soak).ok()?;
    (done > rules.now).then(|| Shortfall::soaks(done))
}

#[cfg(test)]
mod tests;
