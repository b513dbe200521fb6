//! Observe: which release stands in the target, where no image's tag can tell.
//!
//! A release of a model or a prompt alone keeps its image tag. Once it was promoted, the tag in the
//! target still names the release before it: taken at its word, an older model would be proposed as
//! "the same release". What tells is that every pin of it stands in the target: that nothing would change
//! is not enough, since what the target lacks changes nothing either. Nothing is written.

use super::observe::World;
use crate::failure::Result;
use crate::overlay::{Missing, Overlay, Pin, PinKind, PinRules, carries_release, movement};
use crate::release::Release;
use crate::release::selection::WINDOW;
use crate::settings::Promotion;

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
        rules: &PinRules,
        target: &Overlay,
        target_pins: &[Pin],
        all: &[Release],
    ) -> Result<Option<Release>> {
        if promotion.carries.is_some() {
            return Ok(None);
        }
        for release in all.iter().take(WINDOW).filter(|release| self.trunk.contains(&release.commit)) {
            if target_pins.iter().any(|pin| tells(pin, release)) {
                return Ok(None);
            }
            let source = self.overlay(&promotion.source, &release.commit)?;
            let stands = movement(&source, target, rules, Some(release.released()), Missing::List)
                .is_ok_and(|movement| movement.changes.is_empty() && movement.lacking.is_empty());
            if !stands {
                continue;
            }
            // The same pins stand at a tag whose version is recorded later: that one does not run yet.
            let own = |carrying: &[Pin]| !carrying.iter().any(|pin| tells(pin, release));
            match self.carried(release, promotion, rules)? {
                Ok(carrier) if carrier.commit == release.commit && own(&carrier.carrying) => {
                    return Ok(Some(release.clone()));
                }
                _ => {}
            }
        }
        Ok(None)
    }
}

/// Whether an image's pin says that this release runs.
fn tells(pin: &Pin, release: &Release) -> bool {
    matches!(pin.kind, PinKind::ImageTag | PinKind::ImageReference)
        && carries_release(pin, release.released())
}
