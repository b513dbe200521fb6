//! The walk over releases, newest first, up to the first success or to what the target runs.
//!
//! Cheap questions come first: the name, then git, then GitHub.

use std::rc::Rc;

use super::gathered::{Carried, Walk};
use super::observe::World;
use crate::failure::{Failure, Kind, Problem, Result};
use crate::overlay::{Overlay, pins};
use crate::plan::{SearchEnd, Standing};
use crate::release::selection::{Candidate, latest_successful};
use crate::release::shortfall::{Shortfall, code, short};
use crate::release::{NotNamed, Release, named, releases, signature};
use crate::settings::Promotion;

/// How many times the window may be filled with releases that no overlay carries: a look through git is cheaper than a
/// request, and not free.
const UNCARRIED: usize = 10;

impl World<'_> {
    /// Walks over the releases of an app, or looks at the one that is asked for by name alone.
    ///
    /// # Errors
    /// When a release asked for by name cannot be promoted, and when git or GitHub refuse.
    pub async fn walk(&self, promotion: &Promotion, target: &Overlay, asked: Option<&str>) -> Result<Walk> {
        let mut walk = self.beginning(promotion, target)?;
        tracing::info!(app = %promotion.app, target = %promotion.target.name, releases = walk.all.len(), "looking for the release to promote");
        if let Some(name) = asked {
            let release = self.asked_for(name, &walk.all, promotion)?.clone();
            let candidate = self.candidate(&release, promotion, &mut walk, Asking::ByName).await?;
            if !candidate.is_successful() {
                return Err(self.not_promotable(&candidate, promotion));
            }
            told(&candidate, 0);
            walk.selection = latest_successful(vec![candidate], promotion.window, SearchEnd::Found);
            return Ok(walk);
        }
        let (candidates, ended) = self.candidates(promotion, &mut walk).await?;
        if ended == SearchEnd::Window {
            walk.warnings.push(window_reached(promotion, &walk));
        }
        walk.selection = latest_successful(candidates, promotion.window, ended);
        Ok(walk)
    }

    /// What is known before the first release is looked at.
    fn beginning(&self, promotion: &Promotion, target: &Overlay) -> Result<Walk> {
        let target_pins = pins(target, &promotion.pins)?;
        let all: Rc<[Release]> = self.releases_of(promotion).into();
        let warnings = self.without_releases(&all, promotion);
        let standing = self.standing(promotion, target, &target_pins, &all)?;
        let selection = latest_successful(Vec::new(), promotion.window, SearchEnd::Exhausted);
        Ok(Walk::beginning(target_pins, all, promotion.carries.clone(), standing, selection, warnings))
    }

    /// Newest first, up to the first success, to what the target runs, or to the end of the window.
    async fn candidates(
        &self,
        promotion: &Promotion,
        walk: &mut Walk,
    ) -> Result<(Vec<Candidate>, SearchEnd)> {
        let mut candidates = Vec::new();
        let all = Rc::clone(&walk.all);
        let window = usize::try_from(promotion.window).unwrap_or(usize::MAX);
        for (place, release) in all.iter().enumerate() {
            if walk.is_behind(release) {
                return Ok((candidates, SearchEnd::Active));
            }
            if walk.judged >= window || walk.uncarried >= window.saturating_mul(UNCARRIED) {
                return Ok((candidates, SearchEnd::Window));
            }
            // The newest is mostly the one; only where it is not, the others are asked about at once.
            if walk.judged > 0 {
                let ahead = all.get(place..).unwrap_or_default();
                self.look_ahead(
                    promotion,
                    ahead.iter().filter(|one| !walk.is_behind(one)),
                    window - walk.judged,
                )
                .await?;
            }
            let candidate = self.candidate(release, promotion, walk, Asking::Search).await?;
            // What speaks against an older release than the one that runs is of no interest.
            if walk.is_behind(release) {
                return Ok((candidates, SearchEnd::Active));
            }
            let done = candidate.is_successful();
            told(&candidate, candidates.len());
            // What runs was chosen once; it is not newer than itself.
            if !done && walk.running_release().is_some_and(|running| running.tag == release.tag) {
                continue;
            }
            candidates.push(candidate);
            if done {
                return Ok((candidates, SearchEnd::Found));
            }
        }
        Ok((candidates, SearchEnd::Exhausted))
    }

    /// Every release of an app, newest first.
    pub(super) fn releases_of(&self, promotion: &Promotion) -> Vec<Release> {
        let places = || {
            // A history that cannot be read stops the run where its commits are asked for.
            let order = self.history.in_order(&self.trunk_head).unwrap_or_default();
            order.into_iter().zip(0..).collect()
        };
        releases(&self.tags, &promotion.tag_pattern, &promotion.app, places)
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

    pub(super) fn asked_for<'r>(
        &self,
        name: &str,
        all: &'r [Release],
        promotion: &Promotion,
    ) -> Result<&'r Release> {
        named(all, &self.tags, name).map_err(|why| {
            let newest: Vec<String> = all.iter().take(5).map(|release| code(&release.tag)).collect();
            let exist = if newest.is_empty() {
                format!("no tag matches the tag pattern {}", code(promotion.tag_pattern.as_str()))
            } else {
                format!("the newest releases of `{}` are {}", promotion.app, newest.join(", "))
            };
            let (asked, name) = (name, code(name));
            match why {
                NotNamed::Unknown => {
                    Failure::new(Kind::Release, format!("there is no release {name} of `{}`", promotion.app))
                        .hinted(exist)
                }
                NotNamed::NoRelease => {
                    let read = promotion.tag_pattern.read(asked).and_then(|read| read.app);
                    let why = match read {
                        Some(other) => format!("it is a release of {}", code(other)),
                        None => format!("it does not match {}", code(promotion.tag_pattern.as_str())),
                    };
                    Failure::new(
                        Kind::Release,
                        format!("the tag {name} exists, but it is no release of `{}`: {why}", promotion.app),
                    )
                    .hinted(format!("{exist}; change `tag-pattern` if it should be one"))
                }
                NotNamed::Ambiguous(tags) => Failure::new(
                    Kind::Release,
                    format!(
                        "{name} means several releases: {}",
                        tags.iter().map(|tag| code(tag)).collect::<Vec<_>>().join(", ")
                    ),
                )
                .hinted("name one of these tags"),
            }
        })
    }

    /// Why a release that was asked for by name cannot be promoted, and what would make it so.
    fn not_promotable(&self, candidate: &Candidate, promotion: &Promotion) -> Failure {
        let tag = code(&candidate.release.tag);
        let failure =
            Failure::new(Kind::Release, format!("{tag} cannot be promoted: {}", candidate.reason()));
        if let Some(url) = candidate.shortfalls.iter().find_map(|shortfall| shortfall.url.as_deref()) {
            return failure.hinted(format!("see {url}"));
        }
        let (source, trunk) = (&promotion.source, &self.repository.trunk);
        failure.hinted(match candidate.standing() {
            Standing::OffTrunk => "merge its commit, or name the branch that it is on by `trunk`".to_owned(),
            Standing::NotCarried => {
                format!("record its version in `{}` on `{trunk}`, and tag a commit that has it", source.path)
            }
            Standing::NotSigned => {
                "sign the tag (`git tag -s`) with a key that GitHub knows, or do without `require-signed-tag`"
                    .to_owned()
            }
            Standing::Soaking => "wait, or change what `soak` asks for".to_owned(),
            _ => format!(
                "have {} succeed on {}, or change what `evidence` requires",
                source.name,
                short(&candidate.release.commit)
            ),
        })
    }

    /// Judges one release: cheap questions first, GitHub last.
    pub(super) async fn candidate(
        &self,
        release: &Release,
        promotion: &Promotion,
        walk: &mut Walk,
        asking: Asking,
    ) -> Result<Candidate> {
        let fails = |shortfall: Shortfall| {
            Ok(Candidate { release: release.clone(), evidence: Vec::new(), shortfalls: vec![shortfall] })
        };
        if asking == Asking::Search
            && let Some(shortfall) = self.ruled_out_by_name(release, promotion)?
        {
            return fails(shortfall);
        }
        if !self.is_on_trunk(&release.commit)? {
            return fails(Shortfall::off_trunk(self.repository.trunk.as_str()));
        }
        let carrier = match self.carried(release, promotion, &walk.all)? {
            Err(shortfall) => {
                walk.uncarried += 1;
                return fails(shortfall);
            }
            Ok(carrier) => carrier,
        };
        let recorded = Some(carrier.commit.clone()).filter(|commit| *commit != release.commit);
        walk.note(Carried { release: release.clone(), carrier });
        if asking == Asking::Search && walk.is_behind(release) {
            return fails(Shortfall::new(Standing::NotCarried, "it is older than what runs", "by name"));
        }
        walk.judged += 1;
        let mut judgement = self.judged(release, promotion, &walk.all, asking).await?;
        if judgement.shortfalls.is_empty()
            && let Some(recorded) = recorded
        {
            judgement.shortfalls.extend(self.denied_on(&recorded, release, promotion).await?);
        }
        let mut release = release.clone();
        // Asked last: each is a request, and says nothing where something else is lacking.
        if judgement.shortfalls.is_empty() && promotion.require_signed_tag {
            match self.signature(&release).await? {
                Ok(()) => release.signed = Some(true),
                Err(shortfall) => {
                    release.signed = Some(false);
                    judgement.shortfalls.push(shortfall);
                }
            }
        }
        Ok(Candidate { release, evidence: judgement.evidence, shortfalls: judgement.shortfalls })
    }

    /// What a name and the settings say without a look at anything else.
    pub(super) fn ruled_out_by_name(
        &self,
        release: &Release,
        promotion: &Promotion,
    ) -> Result<Option<Shortfall>> {
        if release.version.is_prerelease() && !promotion.prereleases {
            return Ok(Some(Shortfall::prerelease()));
        }
        let is_on_trunk = self.is_on_trunk(&release.commit)?;
        Ok((!is_on_trunk).then(|| Shortfall::off_trunk(self.repository.trunk.as_str())))
    }

    /// Whether GitHub verified the tag's signature.
    async fn signature(&self, release: &Release) -> Result<Result<(), Shortfall>> {
        // A lightweight tag is its commit, and cannot be signed.
        if release.object == release.commit {
            return Ok(Err(signature::lightweight()));
        }
        let tag = self.github.tag_object(&release.object).await?;
        Ok(tag.map_or_else(|| Err(signature::gone()), |tag| signature::verified(release, &tag)))
    }
}

/// Why a release is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// The latest successful one is searched.
    Search,
    /// It was asked for by name.
    ByName,
}

fn window_reached(promotion: &Promotion, walk: &Walk) -> Problem {
    let (app, window) = (&promotion.app, promotion.window);
    let (message, hint) = if walk.judged >= usize::try_from(window).unwrap_or(usize::MAX) {
        let message = format!(
            "none of the newest {window} releases of `{app}` is successful, and older ones were not looked at"
        );
        (message, "name an older one with `tag`, widen `window`, or narrow `tag-pattern`")
    } else {
        let message = format!(
            "no overlay carries {} releases of `{app}`, and older ones were not looked at",
            walk.uncarried
        );
        (message, "check `carries` and `pins`, name an older one with `tag`, or widen `window`")
    };
    Problem { place: None, message, hints: vec![hint.into()] }
}

/// Says what was found of a release, so that the job's log alone explains the choice.
fn told(candidate: &Candidate, before: usize) {
    /// There may be thousands that the name rules out, and the ledger counts them.
    const MOST: usize = 100;
    let tag = &candidate.release.tag;
    if candidate.is_successful() {
        let evidence: Vec<&str> = candidate.evidence.iter().map(|evidence| evidence.name.as_str()).collect();
        tracing::info!(%tag, commit = candidate.release.commit.short(), evidence = evidence.join(", "), "this release is successful");
    } else if before < MOST || candidate.standing().is_of_evidence() {
        tracing::info!(%tag, why = candidate.reason(), "this release is passed over");
    } else {
        tracing::debug!(%tag, why = candidate.reason(), "this release is passed over");
    }
}
