//! Decide: one observation in, one plan out, byte for byte the same each time.
//!
//! Everything that was read stands in the [`Observation`], the time included; nothing is read here.

use jiff::Timestamp;

use crate::changelog::{self, RawCommit};
use crate::failure::{Failure, Kind, Place, Problem, Result};
use crate::names::CommitSha;
use crate::overlay::{FileEdit, Missing, Movement, Overlay, Pin, PinRules, carried_pin, movement, pins};
use crate::plan::{self, Direction, Plan};
use crate::release::carrier::Carrier;
use crate::release::selection::{Candidate, passed_over};
use crate::release::shortfall::code;
use crate::release::version::{Version, goes_back};
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
    /// Everything that was looked at.
    pub ledger: plan::Ledger,
    /// What the target runs.
    pub active: Option<plan::Release>,
    /// How much of it is there.
    pub runs: Runs,
    /// Commits between the two, newest first.
    pub commits: Vec<RawCommit>,
    /// Whether there were more.
    pub commits_truncated: bool,
    /// The promotion pull request.
    pub pull_request: plan::PullRequest,
    /// What was odd on the way, though nothing stops.
    pub warnings: Vec<Problem>,
}

/// How much of the active release the target has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// All that is asked: every pin, or the one that also tells the release to be promoted.
    Told,
    /// An image's tag names it, and other pins are not those of it: it may be another that runs.
    InPart,
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
    let mut movement = match &observation.chosen {
        Some(chosen) => moved(&observation, chosen)?,
        None => Movement::default(),
    };
    // What differs in shape, and what a reviewer should know, is told though nothing moves.
    if !movement.moves() {
        let lacks =
            observation.chosen.as_ref().and_then(|chosen| nothing_moves(&observation, chosen, &movement));
        movement.warnings.extend(lacks);
        movement = Movement { files: Vec::new(), changes: Vec::new(), artifacts: Vec::new(), ..movement };
    }
    Ok(decided(observation, movement))
}

/// A successful release of which nothing can be promoted, and which does not run in the target.
fn nothing_moves(observation: &Observation<'_>, chosen: &Chosen, movement: &Movement) -> Option<Problem> {
    let tag = &chosen.candidate.release.tag;
    let runs = observation.active.as_ref().and_then(|active| active.tag.as_ref()) == Some(tag);
    if runs || movement.lacking.is_empty() {
        return None;
    }
    let target = &observation.promotion.target;
    let lacking: Vec<String> = movement.lacking.iter().map(|key| code(key)).collect();
    Some(Problem {
        place: Some(Place::of(target.path.as_str())),
        message: format!(
            "{} is successful, and nothing of it is promoted: `{}` does not get its {}",
            code(tag),
            target.name,
            lacking.join(", ")
        ),
        hints: vec![format!(
            "write it into the overlay of `{}` once, by hand, as `{}` calls it; or correct `pins`",
            target.name, observation.promotion.source.name
        )],
    })
}

fn moved(observation: &Observation<'_>, chosen: &Chosen) -> Result<Movement> {
    let promotion = observation.promotion;
    let rules = &promotion.pins;
    let missing = if promotion.add_missing { Missing::Add } else { Missing::List };
    let release = Some(chosen.candidate.release.released());
    let movement = movement(&chosen.source, &observation.target, rules, release, missing)?;
    carries_after(chosen, &observation.target, &movement, rules)?;
    Ok(movement)
}

/// The target must carry the release in the end: else everything but the image would be promoted.
fn carries_after(chosen: &Chosen, target: &Overlay, movement: &Movement, rules: &PinRules) -> Result<()> {
    let told: Vec<&Pin> =
        chosen.carrier.carrying.iter().filter(|pin| pin.version().is_some_and(|v| !v.is_empty())).collect();
    let Some(first) = told.first() else { return Ok(()) };
    let mut after = target.clone();
    for file in &mut after.files {
        if let Some(edit) = movement.files.iter().find(|edit| edit.path == file.path) {
            file.bytes.clone_from(&edit.after);
        }
    }
    let after = pins(&after, rules)?;
    let carries = |pin: &&&Pin| carried_pin(&after, &[pin]).and_then(Pin::version) == pin.version();
    if told.iter().any(|pin| carries(&pin)) {
        return Ok(());
    }
    Err(not_carried(first, &told, target, movement, &after))
}

fn not_carried(first: &Pin, told: &[&Pin], target: &Overlay, movement: &Movement, after: &[Pin]) -> Failure {
    let (key, file) = (code(&first.key.to_string()), format!("{}/{}", target.path, first.name_in_overlay));
    let missing = match told.iter().find_map(|pin| carried_pin(after, &[pin])?.version()) {
        Some(version) => format!("but in `{file}` it stays {}", code(version)),
        None => format!("but `{file}` has no such pin"),
    };
    let version = code(first.version().unwrap_or_default());
    let message = format!("{key} carries {version}, {missing}: everything else would be promoted without it");
    let mut failure = Failure::at(Kind::Overlay, first.place(), message);
    // Where it was left alone for a reason, that reason is the first thing to look at.
    for warning in movement.warnings.iter().filter(|warning| warning.message.contains(&key)) {
        failure = failure.hinted(warning.to_string());
    }
    failure.hinted(format!(
        "write {key} into `{file}` once, by hand (`add-missing: true` adds it); or say by `carries` what carries a release"
    ))
}

fn decided(observation: Observation<'_>, movement: Movement) -> Decision {
    let Observation { repository, now, requested_by, reason, promotion, chosen, ledger, active, .. } =
        observation;
    let source_commit =
        chosen.as_ref().map_or_else(|| repository.commit.clone(), |chosen| chosen.carrier.commit.clone());
    let (proposed, evidence) = match chosen {
        Some(chosen) if !movement.changes.is_empty() => {
            (Some(release_of(&chosen.candidate)), chosen.candidate.evidence)
        }
        _ => (None, Vec::new()),
    };
    let commits = if proposed.is_some() { changelog::entries(&observation.commits) } else { Vec::new() };
    let mut authors: Vec<String> = commits.iter().map(|commit| commit.author.clone()).collect();
    authors.sort();
    authors.dedup();
    let warnings = observation.warnings.into_iter().chain(movement.warnings).collect();
    let direction = match direction(active.as_ref(), proposed.as_ref()) {
        // What else would be newer than the release that the tag names is what would be taken back.
        Direction::Upgrade
            if observation.runs == Runs::InPart && movement.artifacts.iter().any(goes_back) =>
        {
            Direction::Unknown
        }
        direction => direction,
    };
    let tag = proposed.as_ref().and_then(|release| release.tag.as_deref()).unwrap_or("nothing");
    let plan = Plan {
        schema: plan::SCHEMA,
        kind: "promotion",
        id: format!("{}:{}->{}:{tag}", promotion.app, promotion.source.name, promotion.target.name),
        now,
        direction,
        rollback: false,
        reason,
        app: plan::App { name: promotion.app.clone(), labels: promotion.app_labels.clone() },
        source: side(&promotion.source, source_commit),
        target: side(&promotion.target, repository.commit.clone()),
        active,
        proposed,
        passed_over: passed_over(&ledger),
        ledger,
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
    Decision { plan, edits: movement.files, warnings }
}

fn release_of(candidate: &Candidate) -> plan::Release {
    let release = &candidate.release;
    plan::Release {
        tag: Some(release.tag.clone()),
        version: release.version.as_str().to_owned(),
        commit: Some(release.commit.clone()),
        tagged_at: release.tagged_at,
        signed: release.signed,
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
