//! What the walk over releases gathers: which of them are carried, and which one the target runs.

use std::cell::OnceCell;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::failure::Problem;
use crate::overlay::{Carrying, Pin, carried_pin, carries_release, carrying, given_pins};
use crate::plan;
use crate::release::Release;
use crate::release::carrier::Carrier;
use crate::release::selection::Selection;

/// What the walk over releases gathers.
pub struct Walk {
    target_pins: Vec<Pin>,
    /// Every release of the app, newest first.
    pub all: Rc<[Release]>,
    /// Where each stands in that order; asked only where versions tie.
    places: OnceCell<HashMap<String, usize>>,
    /// The pin that tells a release, where the settings name it.
    carries: Option<String>,
    /// Every release that an overlay carries, as far as was looked.
    pub carriers: Vec<Carried>,
    /// What the target's counterpart of the carrying pin says.
    running: Option<Pin>,
    /// The release that this pin tells.
    told: Option<Release>,
    /// The release that the target runs although no image's tag tells it.
    standing: Option<Release>,
    /// What was chosen, and what was not.
    pub selection: Selection,
    /// What should be looked at, though nothing stops.
    pub warnings: Vec<Problem>,
    /// How many releases GitHub was asked about: what git or the name rules out costs no request.
    pub judged: usize,
    /// How many releases no overlay carries: each takes a look through history.
    pub uncarried: usize,
}

/// A release with the commit whose overlay carries it.
#[derive(Debug)]
pub struct Carried {
    /// The release.
    pub release: Release,
    /// The commit whose overlay carries it.
    pub carrier: Carrier,
}

impl Walk {
    /// What is known before the first release is looked at.
    pub fn beginning(
        target_pins: Vec<Pin>,
        all: Rc<[Release]>,
        carries: Option<String>,
        standing: Option<Release>,
        selection: Selection,
        warnings: Vec<Problem>,
    ) -> Self {
        Self {
            target_pins,
            all,
            places: OnceCell::new(),
            carries,
            carriers: Vec::new(),
            running: None,
            told: None,
            standing,
            selection,
            warnings,
            judged: 0,
            uncarried: 0,
        }
    }

    /// Takes a release that is carried, and what it tells of the target.
    pub fn note(&mut self, carried: Carried) {
        let pins: Vec<&Pin> = carried.carrier.carrying.iter().collect();
        let images: HashSet<&str> = pins.iter().map(|pin| pin.artifact.as_str()).collect();
        // A release carried by its own commit may have several images: none of them tells what runs.
        if self.running.is_none() && images.len() == 1 {
            self.running = carried_pin(&self.target_pins, &pins).cloned();
        } else if self.running.is_none() && pins.is_empty() {
            let given = given_pins(&self.target_pins, self.carries.as_deref());
            // One that tells nothing, such as a label that nobody set yet, must not hide one that does.
            let tells = |pin: &&&Pin| self.all.iter().any(|one| carries_release(pin, one.released()));
            self.running = given.iter().find(tells).or(given.first()).map(|&pin| pin.clone());
        }
        if self.told.is_none()
            && let Some(running) = &self.running
        {
            // Looked for once: it is asked for with every release, and there may be very many.
            let names = |release: &&Release| carries_release(running, release.released());
            // Of `v1.8.0` and `1.8.0` the one that is spelt so.
            let is_spelt = |release: &&Release| running.version() == Some(release.version.as_str());
            let spelt = self.all.iter().filter(names).find(is_spelt);
            self.told = spelt.or_else(|| self.all.iter().find(names)).cloned();
        }
        self.carriers.push(carried);
    }

    /// The release that the target runs, where a tag names it.
    pub fn running_release(&self) -> Option<&Release> {
        self.standing.as_ref().or(self.told.as_ref())
    }

    /// Whether a release is older than what runs: then there is nothing newer left to find.
    pub fn is_behind(&self, release: &Release) -> bool {
        self.running_release().is_some_and(|running| self.is_newer(running, release))
    }

    /// Whether one release is newer than another; of one version, the one that comes first in the order of releases is.
    pub fn is_newer(&self, one: &Release, other: &Release) -> bool {
        match one.version.precedence(&other.version) {
            Ordering::Greater => true,
            Ordering::Less => false,
            Ordering::Equal => {
                let places =
                    self.places.get_or_init(|| self.all.iter().map(|one| one.tag.clone()).zip(0..).collect());
                places.get(&one.tag) < places.get(&other.tag)
            }
        }
    }

    /// The release that the target's pins tell, in whatever way.
    pub fn active_release(&self) -> Option<&Release> {
        let guess = || {
            let tells = |release: &&Release| {
                let carries = self.carries.as_deref();
                // Several images that tell it tell it all the same.
                !matches!(carrying(&self.target_pins, release.released(), carries), Ok(Carrying::None { .. }))
            };
            self.all.iter().find(tells)
        };
        self.running_release().or_else(|| guess().filter(|_| self.running.is_none()))
    }

    /// The release that the target runs, as far as it is known.
    pub fn active(&self) -> Option<plan::Release> {
        match (self.active_release(), self.running.as_ref().and_then(Pin::version)) {
            (Some(release), _) => Some(plan::Release {
                tag: Some(release.tag.clone()),
                version: release.version.as_str().to_owned(),
                commit: Some(release.commit.clone()),
                tagged_at: None,
                signed: None,
            }),
            (None, Some(version)) => Some(plan::Release {
                tag: None,
                version: version.to_owned(),
                commit: None,
                tagged_at: None,
                signed: None,
            }),
            (None, None) => None,
        }
    }
}
