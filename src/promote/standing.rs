//! Observe: which release stands in the target, where no image's tag can tell.
//!
//! A release of a model or a prompt alone keeps its image tag. Once it was promoted, the tag in the
//! target still names the release before it: taken at its word, an older model would be proposed as
//! "the same release". What tells is that every pin of it stands in the target: that nothing would change
//! is not enough, since what the target lacks changes nothing either. Nothing is written.

use super::gathered::Walk;
use super::observe::World;
use crate::decide::Runs;
use crate::failure::Result;
use crate::names::CommitSha;
use crate::overlay::{Missing, Overlay, Pin, PinKind, carries_release, movement};
use crate::release::Release;
use crate::settings::Promotion;

/// How many releases are compared with what stands in the target.
const COMPARED: usize = 30;

impl World<'_> {
    /// The newest release that is carried by its own commit, and whose pins all stand in the target.
    ///
    /// The search ends at the release that the target's image tag names: older ones do not run.
    ///
    /// # Errors
    /// When git cannot be read.
    pub(super) fn standing(
        &self,
        promotion: &Promotion,
        target: &Overlay,
        target_pins: &[Pin],
        all: &[Release],
    ) -> Result<Option<Release>> {
        if promotion.carries.is_some() {
            return Ok(None);
        }
        for release in all.iter().take(COMPARED) {
            if !self.is_on_trunk(&release.commit)? {
                continue;
            }
            if target_pins.iter().any(|pin| tells(pin, release)) {
                return Ok(None);
            }
            if !self.stands(release, &release.commit, promotion, target)? {
                continue;
            }
            // The same pins stand at a tag whose version is recorded later: that one does not run yet.
            let own = |carrying: &[Pin]| !carrying.iter().any(|pin| tells(pin, release));
            match self.carried(release, promotion, all)? {
                Ok(carrier) if carrier.commit == release.commit && own(&carrier.carrying) => {
                    return Ok(Some(release.clone()));
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// How much of the active release the target has, where the chosen one has no pin that tells it: then an image's
    /// tag, which both have, says less than the other pins do.
    ///
    /// # Errors
    /// When git cannot be read.
    pub(super) fn runs(&self, promotion: &Promotion, target: &Overlay, walk: &Walk) -> Result<Runs> {
        let chosen = walk.selection.chosen.as_ref().map(|candidate| &candidate.release);
        let carried =
            chosen.and_then(|chosen| walk.carriers.iter().find(|one| one.release.tag == chosen.tag));
        let (Some(carried), Some(active)) = (carried, walk.active_release()) else { return Ok(Runs::Told) };
        let pins = &carried.carrier.carrying;
        if pins.is_empty() || pins.iter().any(|pin| carries_release(pin, carried.release.released())) {
            return Ok(Runs::Told);
        }
        let stands = match self.carried(active, promotion, &walk.all)? {
            Ok(carrier) => self.stands(active, &carrier.commit, promotion, target)?,
            Err(_) => false,
        };
        Ok(if stands { Runs::Told } else { Runs::InPart })
    }

    /// Whether the target has every pin that a release has in the overlay at a commit.
    fn stands(
        &self,
        release: &Release,
        commit: &CommitSha,
        promotion: &Promotion,
        target: &Overlay,
    ) -> Result<bool> {
        let source = self.overlay(&promotion.source, commit)?;
        let movement = movement(&source, target, &promotion.pins, Some(release.released()), Missing::List);
        Ok(movement.is_ok_and(|movement| !movement.moves() && movement.lacking.is_empty()))
    }
}

/// Whether an image's pin says that this release runs.
fn tells(pin: &Pin, release: &Release) -> bool {
    matches!(pin.kind, PinKind::ImageTag | PinKind::ImageReference)
        && carries_release(pin, release.released())
}
