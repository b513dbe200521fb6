//! Observe: which commit's overlay carries a release, from local git alone.

use super::observe::World;
use crate::failure::{Failure, Kind, Problem, Result};
use crate::names::CommitSha;
use crate::overlay::{is_told_by_value, pins};
use crate::plan::Standing;
use crate::release::Release;
use crate::release::carrier::{Asked, Carrier, Step, carrier};
use crate::release::shortfall::Shortfall;
use crate::settings::Promotion;

/// How many later trunk commits are looked at for the one that records a release.
const MOST_LATER: usize = 500;

impl World<'_> {
    /// The commit that carries a release, or why none does.
    ///
    /// # Errors
    /// When git cannot be read.
    pub(super) fn carried(
        &self,
        release: &Release,
        promotion: &Promotion,
        all: &[Release],
    ) -> Result<Result<Carrier, Shortfall>> {
        let rules = &promotion.pins;
        // Nothing comes from the source overlay: there is nothing in it that could carry the release.
        if rules.are_all_given() {
            return Ok(Ok(Carrier { commit: release.commit.clone(), carrying: Vec::new() }));
        }
        let step = |commit: &CommitSha| self.step(commit, promotion);
        let at_tag = match step(&release.commit) {
            Ok(at_tag) => at_tag,
            // An overlay that could not be read then is a reason to pass it over, with the place.
            Err(failure) if failure.kind() == Kind::Overlay => return Ok(Err(unreadable(&failure))),
            Err(failure) => return Err(failure),
        };
        // What is copied comes from the release's own commit; what tells it is written, whatever stands there.
        if !at_tag.pins.is_empty() && is_told_by_value(&at_tag.pins, rules, promotion.carries.as_deref()) {
            return Ok(Ok(Carrier { commit: release.commit.clone(), carrying: Vec::new() }));
        }
        let parents = self.history.commit(&release.commit)?.parents;
        let parent = parents.first().and_then(|parent| step(parent).ok());
        // Looked for only where the tagged commit does not carry it: the way from trunk's head may be long.
        let mut later = None;
        let later = std::iter::from_fn(|| {
            let later = later.get_or_insert_with(|| self.later(release, promotion));
            match later {
                Ok(commits) => commits.next().map(|commit| step(&commit)),
                Err(failed) => failed.take().map(Err),
            }
        });
        let is_beside = |other: &&Release| other.commit == release.commit && other.tag != release.tag;
        let asked = Asked {
            carries: promotion.carries.as_deref(),
            pins: rules.patterns().collect(),
            beside: all.iter().filter(is_beside).collect(),
        };
        let found = carrier(release, &asked, &at_tag, parent.as_ref().map(|step| &*step.pins), later);
        match found {
            Err(failure) if failure.kind() == Kind::Overlay => Ok(Err(unreadable(&failure))),
            other => other,
        }
    }

    /// The pins of the source overlay at a commit.
    fn step(&self, commit: &CommitSha, promotion: &Promotion) -> Result<Step> {
        let key = (format!("{} {}", promotion.app, promotion.source.path), commit.clone());
        if let Some(step) = self.steps.borrow().get(&key) {
            return Ok(step.clone());
        }
        let overlay = self.overlay(&promotion.source, commit)?;
        let pins = if overlay.files.is_empty() { Vec::new() } else { pins(&overlay, &promotion.pins)? };
        let step = Step { commit: commit.clone(), pins: pins.into() };
        self.steps.borrow_mut().insert(key, step.clone());
        Ok(step)
    }

    /// The trunk commits after a release that touch the source overlay, oldest first; or why they cannot be told, once.
    fn later(
        &self,
        release: &Release,
        promotion: &Promotion,
    ) -> std::result::Result<std::iter::Take<std::vec::IntoIter<CommitSha>>, Option<Failure>> {
        let later =
            self.history.later_touching(&release.commit, &self.trunk_head, &promotion.source.watched());
        later.map(|later| later.into_iter().take(MOST_LATER)).map_err(Some)
    }
}

fn unreadable(failure: &Failure) -> Shortfall {
    let said = |problem: &Problem| {
        let hints = problem.hints.iter().map(|hint| format!("; {hint}"));
        format!("{problem}{}", hints.collect::<String>())
    };
    let reason = failure.problems().first().map_or_else(String::new, said);
    Shortfall::new(
        Standing::NotCarried,
        format!("its overlay cannot be used: {reason}"),
        "only as another release: what stands in its commit stays",
    )
}
