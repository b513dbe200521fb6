//! `promote explain`: the same look that a run takes, and one paragraph of what it comes to for one release.
//!
//! Nothing is written to GitHub or git.

use std::path::Path;

use super::gathered::Walk;
use super::observe::World;
use super::ready::Ready;
use super::report::ExitCode;
use super::repository::Repository;
use super::walk::Asking;
use crate::failure::{Failure, Kind, Result};
use crate::plan::SearchEnd;
use crate::proposal::markdown::sentence;
use crate::release::Release;
use crate::release::explain::{Explained, Fate, paragraph};
use crate::release::selection::Candidate;
use crate::runner::commands::{print_block, show_failure};
use crate::runner::environment::Environment;
use crate::runner::files::write_summary;
use crate::settings::{Asked, Event, Promotion};

/// The longest paragraph in the job summary, in characters.
const LONGEST: usize = 20_000;

/// Explains the release that `tag` names, for each app that has it and each of its targets.
///
/// # Errors
/// When no release is named, and whatever stops a run before anything was decided.
pub async fn explain(asked: &Asked, event: &Event, environment: &Environment) -> Result<ExitCode> {
    let repository = Repository::observed(asked, event, environment).await?;
    let request = &repository.request;
    let Some(name) = request.tag.clone() else {
        return Err(Failure::new(Kind::Settings, "`explain` needs the release that it is about")
            .hinted("name it: `promote explain VERSION`, or `tag` beside `command: explain`"));
    };
    let mut world = repository.world(event, environment);
    let all: Vec<&Promotion> = request.promotions.iter().collect();
    let meant = if asked.names_apps() { all } else { world.having_what_was_asked(all)?.promotions };
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
        let candidate = match &chosen {
            Some(chosen) if is_chosen => chosen.clone(),
            _ => self.judged_as_in_a_search(&release, promotion, &mut walk).await?,
        };
        let fate = fate(&walk, &candidate, chosen.as_ref(), &next, promotion.window);
        let explained =
            Explained { app: &promotion.app, target: &promotion.target.name, release: &release, fate };
        Ok(paragraph(&explained))
    }

    /// A search rules out what a name would not: prereleases.
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
    window: u32,
) -> Fate<'a> {
    let runs = walk.active_release();
    let other = chosen.map(|chosen| chosen.release.tag.as_str());
    if other == Some(candidate.release.tag.as_str())
        && runs.is_none_or(|runs| runs.tag != candidate.release.tag)
    {
        return Fate::Promoted { evidence: &candidate.evidence, next };
    }
    match runs {
        Some(runs) if runs.tag == candidate.release.tag => return Fate::Runs,
        Some(runs) if candidate.release.version.precedence(&runs.version).is_lt() => {
            return Fate::Behind { runs: &runs.tag };
        }
        _ => {}
    }
    let is_newer =
        |chosen: &&Candidate| chosen.release.version.precedence(&candidate.release.version).is_gt();
    match (candidate.is_successful(), chosen.filter(is_newer), other) {
        (false, _, instead) => Fate::Lacking { shortfalls: &candidate.shortfalls, instead },
        (true, Some(chosen), _) => Fate::Overtaken { by: &chosen.release.tag },
        (true, None, Some(other)) => Fate::Overtaken { by: other },
        (true, None, None) if walk.selection.ledger.ended == SearchEnd::Window => Fate::OutOfSight { window },
        (true, None, None) => Fate::Promoted { evidence: &candidate.evidence, next },
    }
}
