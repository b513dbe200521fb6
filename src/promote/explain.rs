//! `promote explain`: the same look that a run takes, and one paragraph of what it comes to for one release.
//!
//! Nothing is written to GitHub or git.

use std::path::Path;

use super::gathered::Walk;
use super::minted::Minted;
use super::observe::World;
use super::ready::Ready;
use super::report::{self, ExitCode};
use super::repository::Repository;
use super::walk::Asking;
use crate::failure::{Failure, Kind, Result};
use crate::plan::Standing;
use crate::proposal::markdown::{sentence, visible};
use crate::release::Release;
use crate::release::explain::{Explained, Fate, Instead, paragraph};
use crate::release::selection::Candidate;
use crate::runner::commands::{print_block, show_failure};
use crate::runner::environment::Environment;
use crate::runner::files::write_summary;
use crate::settings::{Asked, Event, PolicyMode, Promotion};

/// The longest paragraph in the job summary, in characters.
const LONGEST: usize = 20_000;

/// Explains the release that `tag` names, for each app that has it and each of its targets.
///
/// # Errors
/// When no release is named, and whatever stops a run before anything was decided.
pub async fn explain(
    asked: &Asked,
    event: &Event,
    environment: &Environment,
    minted: &Minted,
) -> Result<ExitCode> {
    let repository = Repository::observed(asked, event, environment, minted).await?;
    let request = &repository.request;
    let Some(name) = request.tag.clone() else {
        return Err(Failure::new(Kind::Settings, "`explain` needs the release that it is about")
            .hinted("name it: `promote explain VERSION`, or `tag` beside `command: explain`"));
    };
    let mut world = repository.world(event, environment);
    let all: Vec<&Promotion> = request.promotions.iter().collect();
    let meant = if asked.names_apps() { all } else { world.having_what_was_asked(all)?.promotions };
    // What was ignored, or is not known, may be what is missing.
    let unknown = super::promoting_is_unknown(&world, request);
    let warnings = request.warnings.iter().chain(&request.not_yet).chain(&repository.unread).chain(&unknown);
    report::warn(&warnings.cloned().collect::<Vec<_>>(), environment.audience);
    // What is explained is what a run does that nobody gave a name.
    world.asked = None;
    let mut paragraphs = Vec::new();
    let mut code = 0;
    for promotion in meant {
        match world.explained(promotion, &repository, &name).await {
            Ok(told) => {
                print_block(&format!("{told}\n"), environment.audience);
                paragraphs.push(format!("{}\n", sentence(&told, LONGEST)));
            }
            Err(failure) => {
                show_failure(&failure, environment.audience);
                paragraphs.push(crate::proposal::failure_page(
                    &promotion.app,
                    &promotion.target.name,
                    &failure,
                ));
                code = 1;
            }
        }
    }
    if let Some(path) = environment.get("GITHUB_STEP_SUMMARY") {
        write_summary(Path::new(path), &paragraphs.join("\n"))?;
    }
    Ok(code)
}

impl World<'_> {
    async fn explained(&self, promotion: &Promotion, repository: &Repository, name: &str) -> Result<String> {
        let target = self.target_overlay(promotion)?;
        let mut walk = self.walk(promotion, &target, None).await?;
        let release = self.asked_for(name, &walk.all, promotion)?.clone();
        let chosen = walk.selection.chosen.clone();
        let is_chosen = chosen.as_ref().is_some_and(|chosen| chosen.release.tag == release.tag);
        let next = if is_chosen {
            Ready::decided(self, promotion, repository).await?.prospects()
        } else {
            Vec::new()
        };
        // What the search found is what is told; only what it did not look at is looked at now.
        let found = walk.selection.others.iter().find(|other| other.release.tag == release.tag).cloned();
        let candidate = match (&chosen, found) {
            (Some(chosen), _) if is_chosen => chosen.clone(),
            (_, Some(found)) => found,
            _ => self.judged_as_in_a_search(&release, promotion, &mut walk).await?,
        };
        let fate = fate(&walk, &candidate, chosen.as_ref(), &next, promotion);
        let explained =
            Explained { app: &promotion.app, target: &promotion.target.name, release: &release, fate };
        // Names in it are anybody's.
        Ok(visible(&paragraph(&explained), LONGEST))
    }

    /// By what a search rules out before it looks at anything, and by what a look comes to.
    async fn judged_as_in_a_search(
        &self,
        release: &Release,
        promotion: &Promotion,
        walk: &mut Walk,
    ) -> Result<Candidate> {
        let mut candidate = self.candidate(release, promotion, walk, Asking::ByName).await?;
        if let Some(shortfall) = self.ruled_out_by_name(release, promotion)?
            && !candidate.shortfalls.contains(&shortfall)
        {
            candidate.shortfalls.insert(0, shortfall);
        }
        Ok(candidate)
    }
}

fn fate<'a>(
    walk: &'a Walk,
    candidate: &'a Candidate,
    chosen: Option<&'a Candidate>,
    next: &'a [String],
    promotion: &Promotion,
) -> Fate<'a> {
    let runs = walk.active_release();
    let is_running = |one: &Candidate| runs.is_some_and(|runs| runs.tag == one.release.tag);
    // What runs is promoted no more.
    let promoted = chosen.filter(|chosen| !is_running(chosen));
    if is_running(candidate) {
        return Fate::Runs { newer: promoted.map(|chosen| chosen.release.tag.as_str()), next };
    }
    if chosen.is_some_and(|chosen| chosen.release.tag == candidate.release.tag) {
        return Fate::Promoted { evidence: &candidate.evidence, next };
    }
    let shortfalls = candidate.shortfalls.as_slice();
    if let Some(runs) = runs.filter(|runs| walk.is_newer(runs, &candidate.release)) {
        // Its name would do for a prerelease, which is its first shortfall.
        let by_name = match shortfalls {
            [first, rest @ ..] if first.standing == Standing::Prerelease => rest,
            all => all,
        };
        let is_same = runs.version.precedence(&candidate.release.version).is_eq();
        let policy = if is_same { PolicyMode::Off } else { promotion.policy.mode };
        return Fate::Behind { runs: &runs.tag, shortfalls: by_name, policy };
    }
    let is_newer = |chosen: &&Candidate| walk.is_newer(&chosen.release, &candidate.release);
    match (shortfalls.is_empty(), promoted) {
        (true, Some(chosen)) => Fate::Overtaken { by: &chosen.release.tag },
        (true, None) => Fate::OutOfSight { window: promotion.window },
        (false, None) => Fate::Lacking { shortfalls, instead: Instead::Nothing },
        (false, Some(chosen)) if is_newer(&chosen) => {
            Fate::Lacking { shortfalls, instead: Instead::Newer(&chosen.release.tag) }
        }
        (false, Some(chosen)) => Fate::Lacking { shortfalls, instead: Instead::Older(&chosen.release.tag) },
    }
}
