//! The walk over releases, newest first, up to the first success or to what the target runs.
//!
//! Cheap questions come first: the name, then git, then GitHub.

use std::collections::HashSet;

use super::observe::World;
use crate::failure::{Failure, Kind, Problem, Result};
use crate::names::CommitSha;
use crate::overlay::{
    Carrying, Overlay, Pin, PinRules, carried_pin, carries_release, carrying, given_pins, is_told_by_value,
    pins,
};
use crate::plan;
use crate::release::carrier::{Asked, Carrier, Step, carrier};
use crate::release::evidence::{Shortfall, code};
use crate::release::selection::{Candidate, Selection, WINDOW, latest_successful, off_trunk, prerelease};
use crate::release::{NotNamed, Release, named, releases};
use crate::settings::Promotion;

/// How many later trunk commits are looked at for the one that records a release.
const MOST_LATER: usize = 500;

impl World<'_> {
    /// Walks over the releases of an app.
    ///
    /// # Errors
    /// When a release asked for by name cannot be promoted, and when git or GitHub refuse.
    pub async fn walk(&self, promotion: &Promotion, target: &Overlay) -> Result<Walk> {
        let rules = &promotion.pins;
        let target_pins = pins(target, rules)?;
        let all = self.releases_of(promotion);
        let asked = match &self.asked {
            Some(name) => Some(self.asked_for(name, &all, promotion)?.clone()),
            None => None,
        };
        let by_name = asked.is_some();
        let looked_at = asked.map_or_else(|| all.clone(), |release| vec![release]);
        let warnings = self.without_releases(&all, promotion);
        let standing = self.standing(promotion, rules, target, &target_pins, &all)?;
        let mut walk = Walk {
            target_pins,
            all,
            carries: promotion.carries.clone(),
            carriers: Vec::new(),
            running: None,
            standing,
            selection: Selection::default(),
            warnings,
            judged: 0,
        };
        tracing::info!(app = %promotion.app, target = %promotion.target.name, releases = walk.all.len(), "looking for the release to promote");
        let mut candidates = Vec::new();
        for release in looked_at {
            if !by_name && walk.is_behind(&release) {
                break;
            }
            if !by_name && walk.judged >= WINDOW {
                walk.warnings.push(window_reached(promotion));
                break;
            }
            let candidate = self.candidate(&release, promotion, rules, &mut walk, by_name).await?;
            // What speaks against an older release than the one that runs is of no interest.
            if !by_name && walk.is_behind(&release) {
                break;
            }
            let done = candidate.is_successful();
            if by_name && !done {
                return Err(self.not_promotable(&candidate, &walk, promotion));
            }
            told(&candidate);
            // What runs was chosen once; it is not newer than itself.
            if !done && walk.running_release().is_some_and(|running| running.tag == release.tag) {
                continue;
            }
            candidates.push(candidate);
            if done {
                break;
            }
        }
        walk.selection = latest_successful(candidates);
        Ok(walk)
    }

    /// Every release of an app, newest first.
    pub(super) fn releases_of(&self, promotion: &Promotion) -> Vec<Release> {
        let older =
            |one: &CommitSha, other: &CommitSha| self.history.is_ancestor(one, other).unwrap_or(false);
        releases(&self.tags, &promotion.tag_pattern, &promotion.app, older)
    }

    /// A pattern that fits no tag is a mistake more often than a beginning.
    pub(super) fn without_releases(&self, all: &[Release], promotion: &Promotion) -> Vec<Problem> {
        if !all.is_empty() || self.tags.is_empty() {
            return Vec::new();
        }
        let some: Vec<String> = self.tags.iter().rev().take(3).map(|tag| code(&tag.name)).collect();
        vec![Problem {
            place: None,
            message: format!(
                "`{}` has no release: none of {} tags (such as {}) matches {}",
                promotion.app,
                self.tags.len(),
                some.join(", "),
                code(promotion.tag_pattern.as_str())
            ),
            hints: vec!["set `tag-pattern` to what the tags of its releases look like".into()],
        }]
    }

    fn asked_for<'r>(&self, name: &str, all: &'r [Release], promotion: &Promotion) -> Result<&'r Release> {
        named(all, &self.tags, name).map_err(|why| {
            let newest: Vec<String> = all.iter().take(5).map(|release| code(&release.tag)).collect();
            let exist = if newest.is_empty() {
                format!("no tag matches the tag pattern {}", code(promotion.tag_pattern.as_str()))
            } else {
                format!("the newest releases of `{}` are {}", promotion.app, newest.join(", "))
            };
            let name = code(name);
            match why {
                NotNamed::Unknown => Failure::new(Kind::Release, format!("there is no release {name} of `{}`", promotion.app)).hinted(exist),
                NotNamed::NoRelease => {
                    let pattern = code(promotion.tag_pattern.as_str());
                    Failure::new(Kind::Release, format!("the tag {name} exists, but it is no release of `{}`: it does not match {pattern}", promotion.app))
                        .hinted(format!("{exist}; change `tag-pattern` if it should be one"))
                }
                NotNamed::Ambiguous(tags) => Failure::new(Kind::Release, format!("{name} means several releases: {}", tags.iter().map(|tag| code(tag)).collect::<Vec<_>>().join(", ")))
                    .hinted("name one of these tags"),
            }
        })
    }

    /// Why a release that was asked for by name cannot be promoted, and what would make it so.
    fn not_promotable(&self, candidate: &Candidate, walk: &Walk, promotion: &Promotion) -> Failure {
        let release = &candidate.release;
        let (tag, source) = (code(&release.tag), &promotion.source);
        let failure =
            Failure::new(Kind::Release, format!("{tag} cannot be promoted: {}", candidate.reason()));
        if let Some(url) = candidate.shortfalls.iter().find_map(|shortfall| shortfall.url.as_deref()) {
            return failure.hinted(format!("see {url}"));
        }
        failure.hinted(if !self.trunk.contains(&release.commit) {
            "merge its commit, or name the branch that it is on by `trunk`".to_owned()
        } else if !walk.carriers.iter().any(|carried| carried.release.tag == release.tag) {
            format!(
                "record its version in `{}` on `{}`, and tag a commit that has it",
                source.path, self.repository.trunk
            )
        } else {
            format!(
                "have {} succeed on {}, or change what `evidence` requires",
                source.name,
                code(release.commit.short())
            )
        })
    }

    /// Judges one release: cheap questions first, GitHub last.
    async fn candidate(
        &self,
        release: &Release,
        promotion: &Promotion,
        rules: &PinRules,
        walk: &mut Walk,
        by_name: bool,
    ) -> Result<Candidate> {
        let fails = |shortfall: Shortfall| {
            Ok(Candidate { release: release.clone(), evidence: Vec::new(), shortfalls: vec![shortfall] })
        };
        if release.version.is_prerelease() && !promotion.prereleases && !by_name {
            return fails(prerelease());
        }
        if !self.trunk.contains(&release.commit) {
            return fails(off_trunk(self.repository.trunk.as_str()));
        }
        match self.carried(release, promotion, rules)? {
            Err(shortfall) => return fails(shortfall),
            Ok(carrier) => walk.note(Carried { release: release.clone(), carrier }),
        }
        if !by_name && walk.is_behind(release) {
            return fails(Shortfall { reason: "it is older than what runs".into(), url: None });
        }
        walk.judged += 1;
        let judgement = self.judged(release, promotion, &walk.all).await?;
        Ok(Candidate {
            release: release.clone(),
            evidence: judgement.evidence,
            shortfalls: judgement.shortfalls,
        })
    }

    pub(super) fn carried(
        &self,
        release: &Release,
        promotion: &Promotion,
        rules: &PinRules,
    ) -> Result<Result<Carrier, Shortfall>> {
        // Nothing comes from the source overlay: there is nothing in it that could carry the release.
        if rules.are_all_given() {
            return Ok(Ok(Carrier { commit: release.commit.clone(), carrying: Vec::new() }));
        }
        let step = |commit: &CommitSha| -> Result<Step> {
            let overlay = self.overlay(&promotion.source, commit)?;
            let pins = if overlay.files.is_empty() { Vec::new() } else { pins(&overlay, rules)? };
            Ok(Step { commit: commit.clone(), pins })
        };
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
        let later =
            self.history.later_touching(&release.commit, &self.trunk_head, &promotion.source.watched())?;
        let later = later.iter().take(MOST_LATER).map(step);
        let found = carrier(
            release,
            &Asked { carries: promotion.carries.as_deref(), pins: rules.patterns().collect() },
            &at_tag,
            parent.as_ref().map(|step| step.pins.as_slice()),
            later,
        );
        match found {
            Err(failure) if failure.kind() == Kind::Overlay => Ok(Err(unreadable(&failure))),
            other => other,
        }
    }
}

/// What the walk over releases gathers.
pub struct Walk {
    target_pins: Vec<Pin>,
    all: Vec<Release>,
    /// The pin that tells a release, where the settings name it.
    carries: Option<String>,
    /// Every release that an overlay carries, as far as was looked.
    pub carriers: Vec<Carried>,
    /// What the target's counterpart of the carrying pin says.
    running: Option<Pin>,
    /// The release that the target runs although no image's tag tells it.
    standing: Option<Release>,
    /// What was chosen, and what was not.
    pub selection: Selection,
    /// What should be looked at, though nothing stops.
    pub warnings: Vec<Problem>,
    /// How many releases GitHub was asked about: what git or the name rules out costs no request.
    judged: usize,
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
    fn note(&mut self, carried: Carried) {
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
        self.carriers.push(carried);
    }

    /// The release that the target runs, where a tag names it.
    fn running_release(&self) -> Option<&Release> {
        if self.standing.is_some() {
            return self.standing.as_ref();
        }
        let running = self.running.as_ref()?;
        let names = |release: &&Release| carries_release(running, release.released());
        self.all.iter().find(names)
    }

    /// Whether a release is older than what runs: then there is nothing newer left to find.
    fn is_behind(&self, release: &Release) -> bool {
        self.running_release().is_some_and(|running| release.version.precedence(&running.version).is_lt())
    }

    /// The release that the target's pins tell, in whatever way.
    pub(super) fn active_release(&self) -> Option<&Release> {
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

fn window_reached(promotion: &Promotion) -> Problem {
    Problem {
        place: None,
        message: format!(
            "none of the newest {WINDOW} releases of `{}` is successful, and older ones were not looked at",
            promotion.app
        ),
        hints: vec!["name an older one with `tag`, or narrow `tag-pattern`".into()],
    }
}

/// Says what was found of a release, so that the job's log alone explains the choice.
fn told(candidate: &Candidate) {
    let tag = &candidate.release.tag;
    if candidate.is_successful() {
        let evidence: Vec<&str> = candidate.evidence.iter().map(|evidence| evidence.name.as_str()).collect();
        tracing::info!(%tag, commit = candidate.release.commit.short(), evidence = evidence.join(", "), "this release is successful");
    } else {
        tracing::info!(%tag, why = candidate.reason(), "this release is passed over");
    }
}

fn unreadable(failure: &Failure) -> Shortfall {
    let said = |problem: &Problem| {
        let hints = problem.hints.iter().map(|hint| format!("; {hint}"));
        format!("{problem}{}", hints.collect::<String>())
    };
    let reason = failure.problems().first().map_or_else(String::new, said);
    Shortfall { reason: format!("its overlay cannot be used: {reason}"), url: None }
}
