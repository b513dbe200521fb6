//! Observe: read what one promotion needs to know, and no more, in the order that needs least.
//!
//! Git answers before the API is asked, newest releases come first, and the walk stops at the first
//! success. What is read is decided by pure code in `release`; nothing is written.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use crate::changelog::RawCommit;
use crate::decide::{Chosen, Observation};
use crate::failure::{Failure, Kind, Place, Result};
use crate::git::{History, Truncated};
use crate::github::GitHub;
use crate::github::evidence::Workflow;
use crate::names::{CommitSha, RepoPath};
use crate::overlay::{NamedFile, Overlay};
use crate::plan;
use crate::release::Tag;
use crate::release::carrier::Step;
use crate::release::evidence::{Promoting, Ran, Refs};
use crate::release::selection::Candidate;
use crate::settings::{Environment, Promotion, Required, TagPattern, Trigger};

/// A changelog is cut here; the compare page has the rest.
const MOST_COMMITS: usize = 250;

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
    /// Every tag.
    pub tags: Vec<Tag>,
    /// The names of all refs.
    pub refs: Refs,
    /// What the tags of all apps look like, each once.
    pub patterns: Vec<TagPattern>,
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
    /// What a look at many commits showed of each, where it showed all: it rules out, and proves nothing.
    pub seen: RefCell<HashMap<String, Option<Ran>>>,
    /// The workflows that Actions lists, once they were asked for.
    pub workflows: RefCell<Option<Vec<Workflow>>>,
    /// The pins of source overlays at commits, by app: a search may come by the same ones again and again.
    pub steps: RefCell<HashMap<(String, CommitSha), Step>>,
    /// Whether the server cannot tell of many commits at once.
    pub one_by_one: Cell<bool>,
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
        let walk = self.walk(promotion, &target, self.asked.as_deref()).await?;
        let active = walk.active();
        let runs = self.runs(promotion, &target, &walk)?;
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
            ledger: walk.selection.ledger,
            active,
            runs,
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

    pub(super) fn target_overlay(&self, promotion: &Promotion) -> Result<Overlay> {
        let target = self.overlay(&promotion.target, &self.repository.commit)?;
        if target.files.is_empty() {
            let place = Place::of(promotion.target.path.as_str());
            let what = format!("`{}` has no overlay on `{}`", promotion.target.name, self.repository.base);
            let usual = promotion.target.files == NamedFile::usual(&promotion.target.path);
            let file = if usual {
                "a `values.yaml` or `kustomization.yaml` there".to_owned()
            } else {
                let files: Vec<String> =
                    promotion.target.watched().iter().map(|path| format!("`{path}`")).collect();
                files.join(" or ")
            };
            return Err(Failure::at(Kind::Overlay, place, what).hinted(format!(
                "commit {file}, or say in the settings where the overlay of `{}` is",
                promotion.target.name
            )));
        }
        Ok(target)
    }

    pub fn overlay(&self, environment: &Environment, commit: &CommitSha) -> Result<Overlay> {
        let paths: BTreeSet<&RepoPath> = environment.files.iter().map(|named| &named.path).collect();
        Ok(Overlay {
            environment: environment.name.clone(),
            path: environment.path.clone(),
            named: environment.files.clone(),
            files: self.history.overlay_files(commit, &paths)?,
        })
    }

    /// Whether trunk has a commit (rule 3).
    pub fn is_on_trunk(&self, commit: &CommitSha) -> Result<bool> {
        self.history.is_ancestor(commit, &self.trunk_head)
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
        let backwards =
            self.is_on_trunk(active)? && active != proposed && self.history.is_ancestor(proposed, active)?;
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
}
