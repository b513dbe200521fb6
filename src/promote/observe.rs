//! Observe: read what one promotion needs to know, and no more, in the order that needs least.
//!
//! Git answers before the API is asked, newest releases come first, and the walk stops at the first
//! success. What is read is decided by pure code in `release`; nothing is written.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::changelog::RawCommit;
use crate::decide::{Chosen, Observation};
use crate::failure::{Failure, Kind, Place, Problem, Result};
use crate::git::{History, Truncated};
use crate::github::GitHub;
use crate::names::{CommitSha, RepoPath};
use crate::overlay::{
    Carrying, Missing, OVERLAY_FILES, Overlay, Pin, PinKind, PinRules, carried_version, carrying, movement,
    pins,
};
use crate::plan;
use crate::release::carrier::{Step, carrier};
use crate::release::evidence::{Judgement, Promoting, Ran, Rules, Shortfall, Silence, code, judge};
use crate::release::selection::{Candidate, Selection, WINDOW, latest_successful, off_trunk, prerelease};
use crate::release::{NotNamed, Release, Tag, named, releases};
use crate::settings::{self, Environment, EvidenceAt, Promotion, Required, Requirement, Trigger};

/// A changelog is cut here; the compare page has the rest.
const MOST_COMMITS: usize = 250;
/// How many later trunk commits are looked at for the one that records a release.
const MOST_LATER: usize = 500;

/// What all promotions of a run have in common.
pub struct World<'a> {
    /// The server's API.
    pub github: &'a GitHub,
    /// The history of trunk, base and the promotion branches.
    pub history: &'a History,
    /// Where the plan is made.
    pub repository: plan::Repository,
    /// The head of trunk.
    pub trunk_head: CommitSha,
    /// Every commit of trunk.
    pub trunk: HashSet<CommitSha>,
    /// Every tag.
    pub tags: Vec<Tag>,
    /// The workflow this run belongs to.
    pub promoting: Promoting,
    /// What started the run.
    pub trigger: &'a Trigger,
    /// When the observation was made.
    pub now: Timestamp,
    /// Who started the run.
    pub requested_by: Option<String>,
    /// Why, where they said.
    pub reason: Option<String>,
    /// A release asked for by name.
    pub asked: Option<String>,
    /// What GitHub said of commits, so that two apps ask once.
    pub heard: RefCell<HashMap<String, Ran>>,
    /// What makes a release of a source environment successful by default, found out once.
    pub defaults: RefCell<HashMap<String, Vec<Required>>>,
}

impl World<'_> {
    /// Reads everything about one promotion but its pull request.
    ///
    /// # Errors
    /// When an overlay is missing or cannot be read, when a release asked for by name cannot be
    /// promoted, and when git or GitHub refuse.
    pub async fn observation<'p>(&self, promotion: &'p Promotion) -> Result<Observation<'p>> {
        let target = self.target_overlay(promotion)?;
        let walk = self.walk(promotion, &target).await?;
        let active = walk.active(self);
        let chosen = walk.selection.chosen.and_then(|candidate| {
            let found =
                walk.carriers.into_iter().find(|carried| carried.release.tag == candidate.release.tag)?;
            Some((candidate, found))
        });
        let chosen = match chosen {
            None => None,
            Some((candidate, found)) => {
                let source = self.overlay(&promotion.source, &found.carrier.commit)?;
                let candidate = self.with_tag_time(candidate);
                Some(Chosen { candidate, carrier: found.carrier, source })
            }
        };
        let (commits, truncated) = match (&active, &chosen) {
            (Some(plan::Release { commit: Some(active), .. }), Some(chosen)) => {
                self.commits(active, &chosen.candidate.release.commit, &promotion.changelog_paths)?
            }
            _ => (Vec::new(), Truncated::No),
        };
        Ok(Observation {
            repository: self.repository.clone(),
            now: self.now,
            requested_by: self.requested_by.clone(),
            reason: self.reason.clone(),
            promotion,
            target,
            chosen,
            passed_over: walk.selection.passed_over,
            active,
            commits,
            commits_truncated: truncated == Truncated::Yes,
            pull_request: plan::PullRequest {
                number: None,
                labels: Vec::new(),
                base: self.repository.base.clone(),
            },
            warnings: walk.warnings,
        })
    }

    fn target_overlay(&self, promotion: &Promotion) -> Result<Overlay> {
        let target = self.overlay(&promotion.target, &self.repository.commit)?;
        if target.files.is_empty() {
            let place = Place::of(promotion.target.path.as_str());
            let what = format!("`{}` has no overlay on `{}`", promotion.target.name, self.repository.base);
            return Err(Failure::at(Kind::Overlay, place, what).hinted(format!(
                "commit a `values.yaml` or `kustomization.yaml` there, or name the folder of `{}` in the settings",
                promotion.target.name
            )));
        }
        Ok(target)
    }

    pub fn overlay(&self, environment: &Environment, commit: &CommitSha) -> Result<Overlay> {
        Ok(Overlay {
            environment: environment.name.clone(),
            path: environment.path.clone(),
            files: self.history.overlay_files(commit, &environment.path, OVERLAY_FILES)?,
        })
    }

    fn with_tag_time(&self, mut candidate: Candidate) -> Candidate {
        let release = &mut candidate.release;
        if release.object != release.commit {
            // The time is a courtesy: a tag object that cannot be had is no reason to stop.
            let tag = tokio::task::block_in_place(|| self.history.tag(&release.object));
            release.tagged_at = tag.ok().flatten().and_then(|tag| tag.tagged_at);
        }
        candidate
    }

    /// The commits that reach the target or, going back, that leave it.
    fn commits(
        &self,
        active: &CommitSha,
        proposed: &CommitSha,
        paths: &[RepoPath],
    ) -> Result<(Vec<RawCommit>, Truncated)> {
        let backwards = self.trunk.contains(active)
            && active != proposed
            && self.history.is_ancestor(proposed, active)?;
        let (from, to) = if backwards { (proposed, active) } else { (active, proposed) };
        let from = Some(from).filter(|from| self.history.contains(from));
        if from.is_none() {
            return Ok((Vec::new(), Truncated::No));
        }
        let (commits, truncated) = self.history.commits_between(from, to, paths, MOST_COMMITS)?;
        let raw = commits.into_iter().map(|commit| RawCommit {
            sha: commit.sha,
            parents: commit.parents.len(),
            author: commit.author_name,
            at: commit.committed_at,
            message: commit.message,
        });
        Ok((raw.collect(), truncated))
    }

    async fn walk(&self, promotion: &Promotion, target: &Overlay) -> Result<Walk> {
        let rules = PinRules::new(&promotion.pins)?;
        let target_pins = pins(target, &rules)?;
        let older =
            |one: &CommitSha, other: &CommitSha| self.history.is_ancestor(one, other).unwrap_or(false);
        let all = releases(&self.tags, &promotion.tag_pattern, &promotion.app, older);
        let asked = match &self.asked {
            Some(name) => Some(self.asked_for(name, &all, promotion)?.clone()),
            None => None,
        };
        let by_name = asked.is_some();
        let looked_at = asked.map_or_else(|| all.clone(), |release| vec![release]);
        let warnings = self.without_releases(&all, promotion);
        let standing = self.standing(promotion, &rules, target, &target_pins, &all)?;
        let mut walk = Walk {
            target_pins,
            all,
            carries: promotion.carries.clone(),
            carriers: Vec::new(),
            running: None,
            standing,
            selection: Selection::default(),
            warnings,
        };
        tracing::info!(app = %promotion.app, target = %promotion.target.name, releases = walk.all.len(), "looking for the release to promote");
        let mut candidates = Vec::new();
        for (index, release) in looked_at.into_iter().enumerate() {
            if !by_name && (index >= WINDOW || walk.is_behind(&release)) {
                break;
            }
            let candidate = self.candidate(&release, promotion, &rules, &mut walk, by_name).await?;
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

    /// A pattern that fits no tag is a mistake more often than a beginning.
    fn without_releases(&self, all: &[Release], promotion: &Promotion) -> Vec<Problem> {
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
    ) -> Result<Result<crate::release::carrier::Carrier, Shortfall>> {
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
        let parents = self.history.commit(&release.commit)?.parents;
        let parent = parents.first().and_then(|parent| step(parent).ok());
        let later = self.history.later_touching(&release.commit, &self.trunk_head, &promotion.source.path)?;
        let later = later.iter().take(MOST_LATER).map(step);
        let found = carrier(
            release,
            promotion.carries.as_deref(),
            &at_tag,
            parent.as_ref().map(|step| step.pins.as_slice()),
            later,
        );
        match found {
            Err(failure) if failure.kind() == Kind::Overlay => Ok(Err(unreadable(&failure))),
            other => other,
        }
    }

    async fn judged(&self, release: &Release, promotion: &Promotion, all: &[Release]) -> Result<Judgement> {
        let required = self.required(promotion, release).await?;
        let tags: HashSet<&str> = self.tags.iter().map(|tag| tag.name.as_str()).collect();
        let rules = Rules {
            required: &required,
            tag: &release.tag,
            tags: &tags,
            promoting: &self.promoting,
            soak: promotion.soak,
            now: self.now,
        };
        let judgement = judge(&self.ran(&release.commit, &required).await?, &rules);
        // Where something ran on the tagged commit and was no success, the parent cannot mend it.
        if judgement.silence == Silence::Spoken || promotion.evidence_at == EvidenceAt::Tag {
            return Ok(judgement);
        }
        match self.parent_that_vouches(release, promotion, all)? {
            Some(parent) => Ok(judge(&self.ran(&parent, &required).await?, &rules)),
            None => Ok(judgement),
        }
    }

    /// The direct parent, where the tagged commit changes only this app's image pins (rule 2).
    fn parent_that_vouches(
        &self,
        release: &Release,
        promotion: &Promotion,
        all: &[Release],
    ) -> Result<Option<CommitSha>> {
        let Some(parent) = self.records_images_only(&release.commit, promotion)? else { return Ok(None) };
        let is_release = all.iter().any(|other| other.commit == parent);
        let is_such_itself = self.records_images_only(&parent, promotion)?.is_some();
        Ok(Some(parent).filter(|_| !is_release && !is_such_itself))
    }

    /// The parent of a commit that does nothing but move image pins of the source overlay.
    fn records_images_only(&self, commit: &CommitSha, promotion: &Promotion) -> Result<Option<CommitSha>> {
        let info = self.history.commit(commit)?;
        let [parent] = info.parents.as_slice() else { return Ok(None) };
        let changed = self.history.changed_paths(commit)?;
        let (after, before) =
            (self.overlay(&promotion.source, commit)?, self.overlay(&promotion.source, parent)?);
        let known = |path: &RepoPath| after.files.iter().any(|file| file.path == *path);
        if changed.is_empty() || !changed.iter().all(known) || before.files.is_empty() {
            return Ok(None);
        }
        let rules = PinRules::new(&promotion.pins)?;
        let Ok(movement) = movement(&after, &before, &rules, Missing::List) else { return Ok(None) };
        // Moving the pins, and nothing else, must give exactly the files that were tagged.
        let explains = |path: &RepoPath| {
            let edited =
                movement.files.iter().find(|edit| edit.path == *path).map(|edit| edit.after.as_slice());
            edited == after.files.iter().find(|file| file.path == *path).map(|file| file.bytes.as_slice())
        };
        let image = |pin: &Pin| {
            matches!(pin.kind, PinKind::ImageTag | PinKind::ImageDigest | PinKind::ImageReference)
        };
        let images: Vec<Pin> =
            pins(&after, &rules)?.into_iter().chain(pins(&before, &rules)?).filter(image).collect();
        let of_an_image = |change: &plan::Change| {
            images.iter().any(|pin| pin.file == change.file && pin.key.to_string() == change.key)
        };
        let only = changed.iter().all(explains) && movement.changes.iter().all(of_an_image);
        Ok(only.then(|| parent.clone()))
    }

    async fn ran(&self, commit: &CommitSha, required: &[Required]) -> Result<Ran> {
        let key = format!("{commit} {required:?}");
        if let Some(ran) = self.heard.borrow().get(&key) {
            return Ok(ran.clone());
        }
        let ran = self.github.ran(commit, required, &self.promoting).await?;
        self.heard.borrow_mut().insert(key, ran.clone());
        Ok(ran)
    }
}

/// What the walk over releases gathers.
struct Walk {
    target_pins: Vec<Pin>,
    all: Vec<Release>,
    /// The pin that tells a release, where the settings name it.
    carries: Option<String>,
    carriers: Vec<Carried>,
    /// What the target's counterpart of the carrying pin says.
    running: Option<String>,
    /// The release that the target runs although no image's tag tells it.
    standing: Option<Release>,
    selection: Selection,
    warnings: Vec<Problem>,
}

struct Carried {
    release: Release,
    carrier: crate::release::carrier::Carrier,
}

impl Walk {
    fn note(&mut self, carried: Carried) {
        let pins: Vec<&Pin> = carried.carrier.carrying.iter().collect();
        let images: HashSet<&str> = pins.iter().map(|pin| pin.artifact.as_str()).collect();
        // A release carried by its own commit may have several images: none of them tells what runs.
        if self.running.is_none() && images.len() == 1 {
            self.running = carried_version(&self.target_pins, &pins);
        }
        self.carriers.push(carried);
    }

    /// The release that the target runs, where a tag names it.
    fn running_release(&self) -> Option<&Release> {
        if self.standing.is_some() {
            return self.standing.as_ref();
        }
        let running = self.running.as_deref()?;
        let names =
            |release: &&Release| release.version.names(running) || carries_commit(running, &release.commit);
        self.all.iter().find(names)
    }

    /// Whether a release is older than what runs: then there is nothing newer left to find.
    fn is_behind(&self, release: &Release) -> bool {
        self.running_release().is_some_and(|running| release.version.precedence(&running.version).is_lt())
    }

    fn active(&self, _world: &World<'_>) -> Option<plan::Release> {
        let guess = || {
            let tells = |release: &&Release| {
                let (version, carries) = (release.version.as_str(), self.carries.as_deref());
                // Several images that tell it tell it all the same.
                !matches!(
                    carrying(&self.target_pins, version, &release.commit, carries),
                    Ok(Carrying::None { .. })
                )
            };
            self.all.iter().find(tells)
        };
        let known = self.running_release().or_else(|| guess().filter(|_| self.running.is_none()));
        match (known, &self.running) {
            (Some(release), _) => Some(plan::Release {
                tag: Some(release.tag.clone()),
                version: release.version.as_str().to_owned(),
                commit: Some(release.commit.clone()),
                tagged_at: None,
                signed: None,
            }),
            (None, Some(version)) => Some(plan::Release {
                tag: None,
                version: version.clone(),
                commit: None,
                tagged_at: None,
                signed: None,
            }),
            (None, None) => None,
        }
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

/// A piece of evidence as the settings name it.
fn line_of(required: &Required) -> String {
    match required {
        Required::Workflow(name) => format!("workflow: {name}"),
        Required::Check { name, .. } => format!("check: {name}"),
        Required::Status { context, .. } => format!("status: {context}"),
        Required::Deployment(environment) => format!("deployment: {environment}"),
        Required::Any => "any".to_owned(),
    }
}

fn carries_commit(version: &str, commit: &CommitSha) -> bool {
    let digits = version.strip_prefix("sha-").unwrap_or(version).to_ascii_lowercase();
    digits.len() >= 7 && digits.bytes().all(|b| b.is_ascii_hexdigit()) && commit.as_str().starts_with(&digits)
}

fn unreadable(failure: &Failure) -> Shortfall {
    let said = |problem: &Problem| {
        let hints = problem.hints.iter().map(|hint| format!("; {hint}"));
        format!("{problem}{}", hints.collect::<String>())
    };
    let reason = failure.problems().first().map_or_else(String::new, said);
    Shortfall { reason: format!("its overlay cannot be used: {reason}"), url: None }
}

impl World<'_> {
    /// The evidence that is required: as asked, or the default of the design.
    async fn required(&self, promotion: &Promotion, newest: &Release) -> Result<Vec<Required>> {
        if let Requirement::All(required) = &promotion.evidence {
            return Ok(required.clone());
        }
        if let Trigger::WorkflowRun(run) = self.trigger {
            let ours = run.origin == settings::Origin::Own && !run.event.starts_with("pull_request");
            if let Some(path) =
                run.path.clone().filter(|path| ours && self.promoting.path.as_deref() != Some(path))
            {
                return Ok(vec![Required::Workflow(path)]);
            }
        }
        let source = &promotion.source.name;
        if let Some(known) = self.defaults.borrow().get(source) {
            return Ok(known.clone());
        }
        let Some(required) = self.default_of(source).await? else {
            return Err(self.no_default(promotion, newest).await?);
        };
        tracing::info!(
            evidence = required.iter().map(line_of).collect::<Vec<_>>().join(", "),
            "no evidence is named: the default is required"
        );
        self.defaults.borrow_mut().insert(source.clone(), required.clone());
        Ok(required)
    }

    /// The workflow named as the source environment is, else the deployment to it.
    async fn default_of(&self, source: &str) -> Result<Option<Vec<Required>>> {
        let files = [format!("{source}.yml"), format!("{source}.yaml")];
        let workflows = self.github.workflows().await?;
        let of_source = workflows.iter().find(|workflow| {
            files.iter().any(|file| workflow.path.rsplit('/').next() == Some(file.as_str()))
        });
        if let Some(workflow) = of_source {
            return Ok(Some(vec![Required::Workflow(workflow.path.clone())]));
        }
        let deployed = self.github.was_deployed_to(source).await?;
        Ok(deployed.then(|| vec![Required::Deployment(source.to_owned())]))
    }

    async fn no_default(&self, promotion: &Promotion, newest: &Release) -> Result<Failure> {
        let all = [Required::Any, Required::Check { name: String::new(), app: None }];
        let ran = self.github.ran(&newest.commit, &all, &self.promoting).await?;
        let runs = ran.runs.iter().filter(|run| run.counts(&self.promoting));
        let mut lines: Vec<String> = runs
            .map(|run| format!("workflow: {}", run.path.rsplit('/').next().unwrap_or(&run.name)))
            .chain(ran.checks.iter().map(|check| format!("check: {}", check.name)))
            .chain(ran.statuses.iter().map(|status| format!("status: {}", status.context)))
            .chain(ran.deployments.iter().map(|deployment| format!("deployment: {}", deployment.environment)))
            .map(|line| code(&line))
            .collect();
        lines.sort();
        lines.dedup();
        let source = &promotion.source.name;
        let what = format!(
            "it is not known what makes a release of `{}` successful: there is no workflow `{source}.yml` and no deployment to `{source}`",
            promotion.app
        );
        let failure = Failure::new(Kind::Release, what);
        let on = code(&newest.tag);
        Ok(if lines.is_empty() {
            failure.hinted(format!(
                "nothing ran on {on}; set `evidence` to what must succeed, such as `workflow: FILE`"
            ))
        } else {
            failure.hinted(format!(
                "on {on} ran {}: set `evidence` to the lines that must succeed",
                lines.join(", ")
            ))
        })
    }
}
