//! Evidence of one release: what is required of it, what ran, and whether its parent may vouch for it.

use std::collections::HashSet;

use crate::failure::{Failure, Kind, Result};
use crate::names::{CommitSha, RepoPath};
use crate::overlay::{Missing, Pin, PinKind, movement, pins};
use crate::plan;
use crate::release::Release;
use crate::release::evidence::survey::{Certainty, ruled_out};
use crate::release::evidence::{Judgement, Ran, Rules, Run, Silence, denied_where_recorded, judge};
use crate::release::shortfall::{Shortfall, code};
use crate::settings::{self, EvidenceAt, Promotion, Required, Requirement, Trigger};

use super::observe::World;
use super::walk::Asking;

impl World<'_> {
    /// Judges a release by what ran on its commit or, where that is asked for and allowed, on its parent.
    ///
    /// # Errors
    /// When git or GitHub refuse, and when nobody knows what is required.
    pub async fn judged(
        &self,
        release: &Release,
        promotion: &Promotion,
        all: &[Release],
        asking: Asking,
    ) -> Result<Judgement> {
        let required = self.required(promotion, release).await?;
        let rules = self.rules(release, promotion, &required);
        let certainty = match promotion.evidence_at {
            EvidenceAt::Tag => Certainty::OfVerdict,
            EvidenceAt::Parent => Certainty::OfSilence,
        };
        let judgement = self.judged_on(&release.commit, &rules, asking, certainty).await?;
        // Where something ran on the tagged commit and was no success, the parent cannot mend it.
        if judgement.silence == Silence::Spoken || promotion.evidence_at == EvidenceAt::Tag {
            return Ok(judgement);
        }
        match self.parent_that_vouches(release, promotion, all)? {
            Ok(parent) => self.judged_on(&parent, &rules, asking, Certainty::OfVerdict).await,
            Err(why) => {
                let mut judgement = judgement;
                if let Some(last) = judgement.shortfalls.last_mut() {
                    last.reason = format!("{}, and its parent cannot vouch: {why}", last.reason);
                }
                Ok(judgement)
            }
        }
    }

    /// What speaks against a release on the later commit that recorded its version.
    ///
    /// # Errors
    /// When GitHub refuses, and when nobody knows what is required.
    pub async fn denied_on(
        &self,
        recorded: &CommitSha,
        release: &Release,
        promotion: &Promotion,
    ) -> Result<Option<Shortfall>> {
        let required = self.required(promotion, release).await?;
        let ran = self.ran(recorded, &required).await?;
        Ok(denied_where_recorded(&ran, &self.rules(release, promotion, &required)))
    }

    fn rules<'r>(
        &'r self,
        release: &'r Release,
        promotion: &'r Promotion,
        required: &'r [Required],
    ) -> Rules<'r> {
        Rules {
            required,
            tag: &release.tag,
            refs: &self.refs,
            patterns: &self.patterns,
            trunk: self.repository.trunk.as_str(),
            promoting: &self.promoting,
            soak: promotion.soak,
            now: self.now,
        }
    }

    /// Judges what ran on one commit: by a survey where that rules it out, else by all that GitHub knows.
    async fn judged_on(
        &self,
        commit: &CommitSha,
        rules: &Rules<'_>,
        asking: Asking,
        certainty: Certainty,
    ) -> Result<Judgement> {
        let key = heard_as(commit, rules.required);
        if asking == Asking::Search
            && !self.heard.borrow().contains_key(&key)
            && let Some(Some(seen)) = self.seen.borrow().get(&key)
            && let Some(judgement) = ruled_out(seen, rules, certainty)
        {
            return Ok(judgement);
        }
        Ok(judge(&self.ran(commit, rules.required).await?, rules))
    }

    /// Looks at what ran on the next releases, at once, where the server can tell.
    ///
    /// It is a matter of economy alone: where it fails, each is asked about by itself.
    ///
    /// # Errors
    /// When git cannot be read, and when nobody knows what is required.
    pub async fn look_ahead<'r>(
        &self,
        promotion: &Promotion,
        ahead: impl Iterator<Item = &'r Release>,
        most: usize,
    ) -> Result<()> {
        let mut ahead = ahead.peekable();
        let Some(&next) = ahead.peek() else { return Ok(()) };
        let required = self.required(promotion, next).await?;
        let is_known = |commit: &CommitSha| {
            let key = heard_as(commit, &required);
            self.seen.borrow().contains_key(&key) || self.heard.borrow().contains_key(&key)
        };
        if self.one_by_one.get()
            || is_known(&next.commit)
            || self.ruled_out_by_name(next, promotion)?.is_some()
        {
            return Ok(());
        }
        let mut commits = self.commits_ahead(promotion, ahead, most)?;
        let mut once = HashSet::new();
        commits.retain(|commit| !is_known(commit) && once.insert(commit.clone()));
        if commits.len() < 2 {
            return Ok(());
        }
        tracing::debug!(commits = commits.len(), "asking about the next releases at once");
        match self.github.survey(&commits, &required).await {
            Ok(mut found) => {
                // One of which not all was told is not asked about so again.
                let seen = commits.iter().map(|commit| (heard_as(commit, &required), found.remove(commit)));
                self.seen.borrow_mut().extend(seen);
            }
            Err(refusal) => {
                tracing::debug!(
                    why = refusal.message,
                    "many commits cannot be asked about at once: asking one by one"
                );
                self.one_by_one.set(true);
            }
        }
        Ok(())
    }

    /// The commits on which evidence of the next releases may be: theirs and, where that is asked for, their parents.
    fn commits_ahead<'r>(
        &self,
        promotion: &Promotion,
        ahead: impl Iterator<Item = &'r Release>,
        most: usize,
    ) -> Result<Vec<CommitSha>> {
        let mut commits = Vec::new();
        let mut releases = 0;
        for release in ahead {
            if releases == most {
                break;
            }
            if self.ruled_out_by_name(release, promotion)?.is_some() {
                continue;
            }
            releases += 1;
            commits.push(release.commit.clone());
            if promotion.evidence_at == EvidenceAt::Parent {
                commits.extend(self.history.commit(&release.commit)?.parents.into_iter().take(1));
            }
        }
        Ok(commits)
    }

    /// The direct parent, where the tagged commit changes only this app's image pins (rule 2); else why it cannot vouch.
    fn parent_that_vouches(
        &self,
        release: &Release,
        promotion: &Promotion,
        all: &[Release],
    ) -> Result<std::result::Result<CommitSha, String>> {
        let parent = match self.records_images_only(&release.commit, promotion)? {
            Ok(parent) => parent,
            Err(why) => return Ok(Err(format!("its commit {why}"))),
        };
        if let Some(other) = all.iter().find(|other| other.commit == parent) {
            return Ok(Err(format!("that one is a release itself, {}", code(&other.tag))));
        }
        Ok(match self.records_images_only(&parent, promotion)? {
            Ok(_) => Err("that one records images as well, and nothing else".to_owned()),
            Err(_) => Ok(parent),
        })
    }

    /// The parent of a commit that does nothing but move image pins of the source overlay; else what it does.
    fn records_images_only(
        &self,
        commit: &CommitSha,
        promotion: &Promotion,
    ) -> Result<std::result::Result<CommitSha, String>> {
        let info = self.history.commit(commit)?;
        let [parent] = info.parents.as_slice() else { return Ok(Err("has not one parent".to_owned())) };
        let changed = self.history.changed_paths(commit)?;
        let (after, before) =
            (self.overlay(&promotion.source, commit)?, self.overlay(&promotion.source, parent)?);
        let known = |path: &RepoPath| after.files.iter().any(|file| file.path == *path);
        if changed.is_empty() {
            return Ok(Err("changes nothing".to_owned()));
        }
        if let Some(other) = changed.iter().find(|path| !known(path)) {
            return Ok(Err(format!("changes {}, too", code(other.as_str()))));
        }
        if before.files.is_empty() {
            return Ok(Err("made the overlay".to_owned()));
        }
        let rules = &promotion.pins;
        let Ok(movement) = movement(&after, &before, rules, None, Missing::List) else {
            return Ok(Err("does more than move image pins".to_owned()));
        };
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
            pins(&after, rules)?.into_iter().chain(pins(&before, rules)?).filter(image).collect();
        let of_an_image = |change: &plan::Change| {
            images.iter().any(|pin| pin.file == change.file && pin.key.to_string() == change.key)
        };
        if let Some(other) = movement.changes.iter().find(|change| !of_an_image(change)) {
            return Ok(Err(format!("moves {}, too", code(&other.key))));
        }
        Ok(match changed.iter().find(|path| !explains(path)) {
            Some(path) => {
                Err(format!("changes more of {} than the values of image pins", code(path.as_str())))
            }
            None => Ok(parent.clone()),
        })
    }

    async fn ran(&self, commit: &CommitSha, required: &[Required]) -> Result<Ran> {
        let key = heard_as(commit, required);
        if let Some(ran) = self.heard.borrow().get(&key) {
            return Ok(ran.clone());
        }
        let mut ran = self.github.ran(commit, required, &self.promoting).await?;
        self.names_of_workflows(&mut ran, required).await?;
        self.heard.borrow_mut().insert(key, ran.clone());
        Ok(ran)
    }

    /// The evidence that is required: as asked, or the default of the design.
    async fn required(&self, promotion: &Promotion, newest: &Release) -> Result<Vec<Required>> {
        if let Requirement::All(required) = &promotion.evidence {
            return Ok(required.clone());
        }
        let source = &promotion.source.name;
        if let Some(known) = self.defaults.borrow().get(source) {
            return Ok(known.clone());
        }
        let Some(required) = self.default_of(source).await? else {
            return Err(self.no_default(promotion, newest).await?);
        };
        tracing::info!(
            evidence = required.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            "no evidence is named: the default is required"
        );
        self.defaults.borrow_mut().insert(source.clone(), required.clone());
        Ok(required)
    }

    /// What is required by a workflow's name is judged by the name that Actions lists for the run's file: a run may call
    /// itself as somebody wrote it. A file that is not listed (any more) keeps the name that its runs have.
    async fn names_of_workflows(&self, ran: &mut Ran, required: &[Required]) -> Result<()> {
        let is_name = |one: &Required| matches!(one, Required::Workflow(name) if !Run::is_file(name));
        if ran.runs.is_empty() || !required.iter().any(is_name) {
            return Ok(());
        }
        if self.workflows.borrow().is_none() {
            let workflows = match self.github.workflows().await {
                Err(failure) if failure.kind() == Kind::GitHub => {
                    tracing::debug!(why = %failure, "the workflows cannot be listed");
                    Vec::new()
                }
                workflows => workflows?,
            };
            *self.workflows.borrow_mut() = Some(workflows);
        }
        let workflows = self.workflows.borrow();
        for run in &mut ran.runs {
            let listed = workflows.iter().flatten().find(|workflow| workflow.path == run.path);
            if let Some(workflow) = listed {
                run.name.clone_from(&workflow.name);
            }
        }
        Ok(())
    }

    /// The workflow of the event and the one named as the source environment is; without either the deployment to it.
    ///
    /// Both, where they are two: a green `lint` that starts a promotion must not speak for a staging pipeline that has
    /// not even begun.
    async fn default_of(&self, source: &str) -> Result<Option<Vec<Required>>> {
        let of_event = self.workflow_of_event();
        if of_event.is_some_and(|path| is_named_for(source, path)) {
            return Ok(of_event.map(|path| vec![Required::Workflow(path.to_owned())]));
        }
        let workflows = self.github.workflows().await?;
        let mut paths: Vec<&str> = workflows.iter().map(|workflow| workflow.path.as_str()).collect();
        paths.retain(|path| is_named_for(source, path));
        paths.extend(of_event);
        paths.sort_unstable();
        paths.dedup();
        if !paths.is_empty() {
            return Ok(Some(paths.into_iter().map(|path| Required::Workflow(path.to_owned())).collect()));
        }
        let deployed = self.github.was_deployed_to(source).await?;
        Ok(deployed.then(|| vec![Required::Deployment(source.to_owned())]))
    }

    /// The file of the workflow whose end started this run, unless its runs are no evidence.
    fn workflow_of_event(&self) -> Option<&str> {
        let Trigger::WorkflowRun(run) = self.trigger else { return None };
        let ours = run.origin == settings::Origin::Own && !run.event.starts_with("pull_request");
        run.path.as_deref().filter(|path| ours && self.promoting.path.as_deref() != Some(*path))
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

/// Whether a workflow's file is called as the source environment is.
fn is_named_for(source: &str, path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.strip_prefix(source).is_some_and(|ending| ending == ".yml" || ending == ".yaml")
}

/// What is known of a commit depends on what was asked for.
fn heard_as(commit: &CommitSha, required: &[Required]) -> String {
    format!("{commit} {required:?}")
}
