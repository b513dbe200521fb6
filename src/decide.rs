//! Decide: one observation in, one plan out, byte for byte the same each time.
//!
//! Everything that was read stands in the [`Observation`], the time included; nothing is read here.

use jiff::Timestamp;

use crate::changelog::{self, RawCommit};
use crate::failure::{Problem, Result};
use crate::names::CommitSha;
use crate::overlay::{FileEdit, Missing, Movement, Overlay, PinRules, movement};
use crate::plan::{self, Direction, Plan};
use crate::release::carrier::Carrier;
use crate::release::selection::Candidate;
use crate::release::version::Version;
use crate::settings;

/// Everything that was read about one app on its way to one target.
#[derive(Debug)]
pub struct Observation<'a> {
    /// Where.
    pub repository: plan::Repository,
    /// When it was read.
    pub now: Timestamp,
    /// Who started the run.
    pub requested_by: Option<String>,
    /// Why, where they said.
    pub reason: Option<String>,
    /// What was asked.
    pub promotion: &'a settings::Promotion,
    /// The target overlay at base.
    pub target: Overlay,
    /// The release that is to be promoted, unless none is successful.
    pub chosen: Option<Chosen>,
    /// Newer ones.
    pub passed_over: Vec<plan::PassedOver>,
    /// What the target runs.
    pub active: Option<plan::Release>,
    /// Commits between the two, newest first.
    pub commits: Vec<RawCommit>,
    /// Whether there were more.
    pub commits_truncated: bool,
    /// The promotion pull request.
    pub pull_request: plan::PullRequest,
}

/// A successful release with the overlay that carries it.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The release and its evidence.
    pub candidate: Candidate,
    /// The commit whose overlay is promoted.
    pub carrier: Carrier,
    /// That overlay.
    pub source: Overlay,
}

/// The plan, and the files as they will stand.
#[derive(Debug)]
pub struct Decision {
    /// The plan, not yet judged.
    pub plan: Plan,
    /// The edited files.
    pub edits: Vec<FileEdit>,
    /// What should be looked at, though nothing stops.
    pub warnings: Vec<Problem>,
}

/// The plan that follows from an observation.
///
/// # Errors
/// When an overlay cannot be read, or a pin cannot be moved safely.
pub fn decision(observation: Observation<'_>) -> Result<Decision> {
    let movement = match &observation.chosen {
        Some(chosen) => Some(moved(&observation, chosen)?),
        None => None,
    };
    // A release whose pins all stand in the target already is what runs there.
    let movement = movement.filter(|movement| !movement.changes.is_empty());
    Ok(decided(observation, movement))
}

fn moved(observation: &Observation<'_>, chosen: &Chosen) -> Result<Movement> {
    let promotion = observation.promotion;
    let rules = PinRules::new(&promotion.pins)?;
    let missing = if promotion.add_missing { Missing::Add } else { Missing::List };
    movement(&chosen.source, &observation.target, &rules, missing)
}

fn decided(observation: Observation<'_>, movement: Option<Movement>) -> Decision {
    let Observation { repository, now, requested_by, reason, promotion, chosen, passed_over, active, .. } =
        observation;
    let source_commit =
        chosen.as_ref().map_or_else(|| repository.commit.clone(), |chosen| chosen.carrier.commit.clone());
    let (proposed, evidence) = match (&movement, chosen) {
        (Some(_), Some(chosen)) => (Some(release_of(&chosen.candidate)), chosen.candidate.evidence),
        _ => (None, Vec::new()),
    };
    let commits = if proposed.is_some() { changelog::entries(&observation.commits) } else { Vec::new() };
    let mut authors: Vec<String> = commits.iter().map(|commit| commit.author.clone()).collect();
    authors.sort();
    authors.dedup();
    let movement = movement.unwrap_or_default();
    let tag = proposed.as_ref().and_then(|release| release.tag.as_deref()).unwrap_or("nothing");
    let plan = Plan {
        schema: plan::SCHEMA,
        kind: "promotion",
        id: format!("{}:{}->{}:{tag}", promotion.app, promotion.source.name, promotion.target.name),
        now,
        direction: direction(active.as_ref(), proposed.as_ref()),
        rollback: false,
        reason,
        app: plan::App { name: promotion.app.clone(), labels: promotion.app_labels.clone() },
        source: side(&promotion.source, source_commit),
        target: side(&promotion.target, repository.commit.clone()),
        active,
        proposed,
        passed_over,
        evidence,
        artifacts: movement.artifacts,
        changes: movement.changes,
        drift: movement.drift,
        commits_truncated: observation.commits_truncated && !commits.is_empty(),
        commits,
        actors: plan::Actors { requested_by, authors, approvers: Vec::new() },
        pull_request: observation.pull_request,
        overrides: Vec::new(),
        policy: None,
        repository,
    };
    Decision { plan, edits: movement.files, warnings: movement.warnings }
}

fn release_of(candidate: &Candidate) -> plan::Release {
    let release = &candidate.release;
    plan::Release {
        tag: Some(release.tag.clone()),
        version: release.version.as_str().to_owned(),
        commit: Some(release.commit.clone()),
        tagged_at: release.tagged_at,
        signed: None,
    }
}

fn side(environment: &settings::Environment, commit: CommitSha) -> plan::Environment {
    plan::Environment {
        environment: environment.name.clone(),
        path: environment.path.clone(),
        commit,
        region: environment.region.clone(),
    }
}

/// How two releases compare; a version that no tag names is compared all the same when it has numbers.
pub fn direction(active: Option<&plan::Release>, proposed: Option<&plan::Release>) -> Direction {
    let (Some(active), Some(proposed)) = (active, proposed) else { return Direction::Unknown };
    if active.tag.is_some() && active.tag == proposed.tag {
        return Direction::Same;
    }
    if active.tag.is_none()
        && !active.version.trim_start_matches(['v', 'V']).starts_with(|c: char| c.is_ascii_digit())
    {
        return Direction::Unknown;
    }
    match Version::parse(&proposed.version).precedence(&Version::parse(&active.version)) {
        std::cmp::Ordering::Greater => Direction::Upgrade,
        std::cmp::Ordering::Less => Direction::Downgrade,
        std::cmp::Ordering::Equal => Direction::Same,
    }
}
