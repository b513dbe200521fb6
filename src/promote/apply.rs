//! Apply: make GitHub equal to the proposal. Thin: what to do was decided in `proposal::reconcile`.
//!
//! The commit is complete before the branch moves, the branch moves once, and whatever stops in
//! between leaves a state that the next run takes up.

use crate::failure::{Failure, Kind, Result};
use crate::github::GitHub;
use crate::github::checks::{Check, CheckNote, ExistingCheck};
use crate::github::git_data::NewFile;
use crate::github::pulls::{NewPull, Opened, PullRequest};
use crate::names::{BranchName, CommitSha};
use crate::plan::Outcome;
use crate::proposal::reconcile::{Action, Push, Text};
use crate::proposal::{CheckText, Draft, Proposal, closed_body};
use crate::settings::MergeMethod;

/// What there was to work on.
#[derive(Debug)]
pub struct Ground<'a> {
    /// The server's API.
    pub github: &'a GitHub,
    /// The promotion branch.
    pub branch: &'a BranchName,
    /// Where it was when it was read.
    pub head: Option<CommitSha>,
    /// The tree of the base commit.
    pub base_tree: String,
    /// The open pull request.
    pub open: Option<PullRequest>,
    /// What its check says while its release is not successful.
    pub held: Check,
    /// The page of this run, for the check.
    pub run_url: Option<String>,
}

/// What became of it.
#[derive(Debug, Clone)]
pub struct Applied {
    /// How it ended; `blocked` is told apart later, by the verdict.
    pub outcome: Outcome,
    /// The pull request's number.
    pub number: Option<u64>,
    /// Its page.
    pub url: Option<String>,
    /// The branch's head.
    pub head: Option<CommitSha>,
    /// Whether anything was written.
    pub wrote: bool,
    /// What a person should read.
    pub notes: Vec<String>,
}

/// Carries out one action.
///
/// # Errors
/// [`crate::failure::Kind::LostRace`] when the branch moved meanwhile; else when GitHub refuses.
pub async fn apply(ground: &Ground<'_>, action: &Action, proposal: Option<&Proposal>) -> Result<Applied> {
    let known = Applied {
        number: ground.open.as_ref().map(|open| open.number),
        url: ground.open.as_ref().map(|open| open.url.clone()),
        head: ground.head.clone(),
        outcome: Outcome::Unchanged,
        wrote: false,
        notes: Vec::new(),
    };
    match (action, proposal) {
        (Action::Rest, None) => Ok(Applied { outcome: Outcome::NothingToPromote, head: None, ..known }),
        (Action::Leave { why, .. }, _) => {
            Ok(Applied { outcome: Outcome::Unchanged, notes: vec![why.clone()], ..known })
        }
        (Action::Hold { why, .. }, _) => ground.hold(known, why).await,
        (Action::Close { number }, _) => close(ground, *number, known).await,
        (Action::Rest, Some(proposal)) => {
            let (wrote, notes) = ground.finish(proposal, ground.head.as_ref()).await;
            Ok(Applied { outcome: Outcome::Unchanged, wrote, notes, ..known })
        }
        (Action::Open(push), Some(proposal)) => ground.open(proposal, *push, Outcome::Created).await,
        (Action::Update { number, push, text }, Some(proposal)) => {
            ground.update(proposal, *number, *push, *text, known).await
        }
        (Action::Supersede { number }, Some(proposal)) => ground.supersede(proposal, *number).await,
        (Action::Open(_) | Action::Update { .. } | Action::Supersede { .. }, None) => {
            Err(Failure::new(Kind::Machine, "there is an action, but no proposal to carry out"))
        }
    }
}

async fn close(ground: &Ground<'_>, number: u64, known: Applied) -> Result<Applied> {
    ground.close_as_ours(number).await?;
    if let Some(head) = &ground.head {
        ground.github.move_branch(ground.branch, Some(head), None).await?;
    }
    let why = "Nothing is left to promote: the target runs this release, or a newer one.";
    let notes = ground.said(number, why).await;
    Ok(Applied { outcome: Outcome::Closed, head: None, wrote: true, notes, ..known })
}

impl Ground<'_> {
    /// Closes the old pull request and opens a fresh one, linked from the old.
    ///
    /// The commit is there before anything is taken away, and the branch moves after the close: auto-merge
    /// and approvals were for the old release.
    async fn supersede(&self, proposal: &Proposal, number: u64) -> Result<Applied> {
        let commit = self.commit(proposal).await?;
        self.close_as_ours(number).await?;
        if let Err(failure) = self.github.move_branch(self.branch, self.head.as_ref(), Some(&commit)).await {
            // Somebody pushed meanwhile, or GitHub refused: nothing has changed, so nothing is taken away.
            self.github.reopen_pull_request(number).await?;
            if let Some(open) = &self.open {
                self.github.rewrite_pull_request(number, &open.title, &open.body).await?;
            }
            return Err(failure);
        }
        let mut applied = self.open_on(proposal, commit, Outcome::Superseded).await?;
        let fresh = applied.url.as_deref().unwrap_or_default();
        let why =
            format!("An approval is for one release, and the proposed release changed: {fresh} proposes it.");
        applied.notes.extend(self.said(number, &why).await);
        Ok(applied)
    }

    /// Closes a pull request that says so first: a run that is cut short must not leave a close that looks like a
    /// person's, and the label that tells them apart may be more than the token can make.
    async fn close_as_ours(&self, number: u64) -> Result<()> {
        if let Some(open) = &self.open {
            self.github.rewrite_pull_request(number, &open.title, &closed_body(&open.body)).await?;
        }
        self.github.close_pull_request(number).await
    }

    /// A comment is a courtesy: its failure is a note.
    async fn said(&self, number: u64, text: &str) -> Vec<String> {
        let failed = self.github.comment(number, text).await.err();
        failed
            .map(|failure| first_line("the old pull request could not be commented on", &failure))
            .into_iter()
            .collect()
    }

    /// Keeps the open pull request from being merged while its release is not successful.
    async fn hold(&self, known: Applied, why: &[String]) -> Result<Applied> {
        let mut notes = why.to_vec();
        let mut wrote = false;
        if let Some(head) = &self.head {
            let existing = self.github.check_on(head).await.ok().flatten();
            if !existing.as_ref().is_some_and(|check| check.says(&self.held)) {
                let id = existing.and_then(|check| check.id);
                match self.github.write_check(head, id, &self.held, self.run_url.as_deref()).await {
                    Ok(()) => wrote = true,
                    Err(failure) => {
                        notes.push(first_line("the check `promotion` could not be written", &failure));
                    }
                }
            }
        }
        Ok(Applied { outcome: Outcome::Unchanged, wrote, notes, ..known })
    }

    async fn open(&self, proposal: &Proposal, push: Push, outcome: Outcome) -> Result<Applied> {
        let head = self.pushed(proposal, push).await?;
        self.open_on(proposal, head, outcome).await
    }

    async fn open_on(&self, proposal: &Proposal, head: CommitSha, outcome: Outcome) -> Result<Applied> {
        let new = NewPull {
            head: self.branch,
            base: &proposal.base,
            title: &proposal.title,
            body: &proposal.body,
            draft: proposal.draft == Draft::Yes,
        };
        let (pull, opened) = self.github.open_pull_request(&new).await?;
        let outcome = if opened == Opened::Now { outcome } else { Outcome::Updated };
        let notes = self.set_metadata_and_check(proposal, &pull, &head).await;
        Ok(Applied {
            outcome,
            number: Some(pull.number),
            url: Some(pull.url),
            head: Some(head),
            wrote: true,
            notes,
        })
    }

    async fn update(
        &self,
        proposal: &Proposal,
        number: u64,
        push: Push,
        text: Text,
        known: Applied,
    ) -> Result<Applied> {
        let before = match &self.head {
            Some(head) => self.github.check_on(head).await.ok().flatten(),
            None => None,
        };
        let head = self.pushed(proposal, push).await?;
        if text == Text::Write {
            let existing = self.open.as_ref().map_or("", |open| open.body.as_str());
            self.github.rewrite_pull_request(number, &proposal.title, &proposal.body_over(existing)).await?;
        }
        let mut notes = Vec::new();
        if let Some(open) = &self.open {
            notes.extend(self.drafted(proposal, open, before.as_ref()).await);
        }
        if self.head.as_ref() == Some(&head) || before.is_none() {
            notes.extend(self.finish(proposal, Some(&head)).await.1);
        } else {
            self.write_check(proposal, &head, None, &mut notes).await;
        }
        Ok(Applied { outcome: Outcome::Updated, head: Some(head), wrote: true, notes, ..known })
    }

    /// Makes a draft of what is blocked now, and ready what was a draft for being blocked.
    ///
    /// Ours is told from a person's by the check before: what was ready although its check failed was
    /// marked so by a person, and what is a draft although it passed was made one.
    async fn drafted(
        &self,
        proposal: &Proposal,
        open: &PullRequest,
        before: Option<&ExistingCheck>,
    ) -> Option<String> {
        let before = before?;
        // A promotion that is held fails its check without being blocked: that made no draft of it.
        let failed = before.conclusion.as_deref() == Some("failure") && before.title != self.held.title;
        let (what, done) = match (open.draft, failed, proposal.draft) {
            (true, true, Draft::No) => ("marked as ready", self.github.mark_ready(&open.node_id).await),
            (false, false, Draft::Yes) => ("made a draft", self.github.mark_draft(&open.node_id).await),
            _ => return None,
        };
        done.err().map(|failure| first_line(&format!("the pull request could not be {what}"), &failure))
    }

    /// The branch's new head: one commit on base, one move from where the branch was read.
    async fn pushed(&self, proposal: &Proposal, push: Push) -> Result<CommitSha> {
        if let (Push::Keep, Some(head)) = (push, &self.head) {
            return Ok(head.clone());
        }
        let commit = self.commit(proposal).await?;
        self.github.move_branch(self.branch, self.head.as_ref(), Some(&commit)).await?;
        Ok(commit)
    }

    /// The commit, on no branch yet.
    async fn commit(&self, proposal: &Proposal) -> Result<CommitSha> {
        let files: Vec<NewFile<'_>> = proposal
            .files
            .iter()
            .map(|file| NewFile { path: file.path.as_str(), mode: file.mode, content: &file.content })
            .collect();
        self.github.create_commit(&proposal.base_commit, &self.base_tree, &files, &proposal.message).await
    }

    /// Everything beside branch and text, the check last: where it is missing, a run was cut short.
    async fn set_metadata_and_check(
        &self,
        proposal: &Proposal,
        pull: &PullRequest,
        head: &CommitSha,
    ) -> Vec<String> {
        let mut metadata = Metadata::default();
        self.set_metadata(proposal, pull, &mut metadata).await;
        // Without its check the next run knows that something is left to do.
        if !metadata.unfinished {
            self.write_check(proposal, head, None, &mut metadata.notes).await;
        }
        metadata.notes
    }

    /// Labels, reviewers, assignees, auto-merge: courtesies, whose failure is a warning.
    async fn set_metadata(&self, proposal: &Proposal, pull: &PullRequest, metadata: &mut Metadata) {
        if !proposal.labels.is_empty() {
            let added = self.github.add_labels(pull.number, &proposal.labels).await;
            metadata.take("labels could not be added", added);
        }
        if !proposal.reviewers.is_empty() || !proposal.team_reviewers.is_empty() {
            let (users, teams) = (&proposal.reviewers, &proposal.team_reviewers);
            let asked = self.github.request_reviews(pull.number, users, teams).await;
            if let Some(dropped) =
                metadata.take("reviews could not be requested", asked).filter(|d| !d.is_empty())
            {
                let names: Vec<_> =
                    dropped.iter().map(|name| format!("`{}`", name.replace('`', "'"))).collect();
                metadata.notes.push(format!(
                    "GitHub did not accept these reviewers (the author of a pull request cannot review it): {}",
                    names.join(", ")
                ));
            }
        }
        if !proposal.assignees.is_empty() {
            let assigned = self.github.assign(pull.number, &proposal.assignees).await;
            metadata.take("nobody could be assigned", assigned);
        }
        if let Some(method) = proposal.auto_merge {
            let method = match method {
                MergeMethod::Merge => "MERGE",
                MergeMethod::Squash => "SQUASH",
                MergeMethod::Rebase => "REBASE",
            };
            let armed = self.github.enable_auto_merge(&pull.node_id, method).await;
            metadata.take("auto-merge could not be armed", armed);
        }
    }

    /// Brings the check up to date and, where there is none, what comes before it; returns whether it wrote.
    async fn finish(&self, proposal: &Proposal, head: Option<&CommitSha>) -> (bool, Vec<String>) {
        let Some(head) = head else { return (false, Vec::new()) };
        let Ok(existing) = self.github.check_on(head).await else { return (false, Vec::new()) };
        let mut notes = Vec::new();
        match (existing, &self.open) {
            (Some(check), _) if check.says(&check_of(&proposal.check)) => return (false, notes),
            (Some(check), _) => self.write_check(proposal, head, check.id, &mut notes).await,
            (None, Some(open)) => notes = self.set_metadata_and_check(proposal, open, head).await,
            (None, None) => self.write_check(proposal, head, None, &mut notes).await,
        }
        (true, notes)
    }

    async fn write_check(
        &self,
        proposal: &Proposal,
        head: &CommitSha,
        existing: Option<u64>,
        notes: &mut Vec<String>,
    ) {
        let check = check_of(&proposal.check);
        if let Err(failure) = self.github.write_check(head, existing, &check, self.run_url.as_deref()).await {
            notes.push(first_line("the check `promotion` could not be written", &failure));
        }
    }
}

/// What came of labels, reviewers, assignees and auto-merge.
#[derive(Debug, Default)]
struct Metadata {
    notes: Vec<String>,
    /// Whether GitHub had a problem, so that the next run should try again.
    unfinished: bool,
}

impl Metadata {
    fn take<T>(&mut self, what: &str, result: Result<T>) -> Option<T> {
        result
            .inspect_err(|failure| {
                self.unfinished |= failure.kind() == Kind::Outage;
                self.notes.push(first_line(what, failure));
            })
            .ok()
    }
}

fn check_of(text: &CheckText) -> Check {
    let notes = text.annotations.iter().map(|note| CheckNote {
        path: note.file.as_str().to_owned(),
        line: note.line,
        level: note.level.as_str(),
        message: note.message.clone(),
        title: note.title.clone(),
    });
    Check {
        conclusion: text.conclusion.as_str().to_owned(),
        title: text.title.clone(),
        summary: text.summary.clone(),
        annotations: notes.collect(),
    }
}

fn first_line(what: &str, failure: &Failure) -> String {
    let Some(problem) = failure.problems().first() else { return what.to_owned() };
    let hint = problem.hints.first().map_or(String::new(), |hint| format!(" ({hint})"));
    format!("{what}: {}{hint}", problem.message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proposal::Conclusion;

    #[test]
    fn a_blocked_proposal_fails_its_check() {
        let text = CheckText {
            title: "blocked".into(),
            summary: String::new(),
            conclusion: Conclusion::Failure,
            annotations: Vec::new(),
        };
        assert_eq!(check_of(&text).conclusion, "failure");
    }
}
