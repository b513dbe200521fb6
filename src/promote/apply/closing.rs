//! Taking a pull request away: because nothing is left to promote, or because consent was to another release.
//!
//! It says so before it is closed: a run that is cut short must not leave a close that looks like a
//! person's, and the label that tells them apart may be more than the token can make.

use super::beside::Beside;
use super::{Applied, Ground, first_line};
use crate::failure::{Failure, Kind, Result};
use crate::github::git_data::lost_race;
use crate::github::pulls::{PullRequest, PullState};
use crate::names::CommitSha;
use crate::plan::Outcome;
use crate::promote::branch::trailer;
use crate::proposal::{CLOSED, Proposal, closed_body};

const DONE: &str = "Nothing is left to promote: the target runs this release, or a newer one.";

impl Ground<'_> {
    /// Closes the open one and removes its branch; the branch last, so that the next run knows what is left to do.
    pub(super) async fn close(&self, known: Applied) -> Result<Applied> {
        let pull = self.pull()?;
        self.close_as_ours(pull).await?;
        let mut notes: Vec<String> = self.said(pull, DONE).await.into_iter().collect();
        notes.extend(self.swept().await?);
        Ok(Applied { outcome: Outcome::Closed, head: None, wrote: true, notes, ..known })
    }

    /// What a run that closed it did not come to any more.
    pub(super) async fn sweep(&self, known: Applied) -> Result<Applied> {
        let mut notes = Vec::new();
        if let Some(closed) = &self.closed_by_us {
            notes.extend(self.said(closed, DONE).await);
        }
        notes.extend(self.swept().await?);
        Ok(Applied { outcome: Outcome::NothingToPromote, head: None, wrote: true, notes, ..known })
    }

    /// Removes the branch, where it still is where it was read; where GitHub forbids that, it stays.
    async fn swept(&self) -> Result<Option<String>> {
        let Some(head) = &self.head else { return Ok(None) };
        match self.github.move_branch(self.branch, Some(head), None).await {
            Ok(()) => Ok(None),
            Err(failure) if matches!(failure.kind(), Kind::LostRace | Kind::Outage) => Err(failure),
            Err(failure) => Ok(Some(first_line("the branch could not be deleted", &failure))),
        }
    }

    /// Closes the old pull request and opens a fresh one, linked from the old.
    ///
    /// The commit is there before anything is taken away, and the branch moves after the close: auto-merge
    /// and approvals were for the old release.
    pub(super) async fn supersede(&self, proposal: &Proposal) -> Result<Applied> {
        let pull = self.pull()?;
        let commit = self.commit(proposal).await?;
        self.close_as_ours(pull).await?;
        if let Err(failure) = self.github.move_branch(self.branch, self.head.as_ref(), Some(&commit)).await {
            return Err(self.not_moved(pull, failure).await);
        }
        self.opened_afresh(proposal, pull, commit).await
    }

    /// The same where the branch has moved already, and consent was found afterwards.
    pub(super) async fn supersede_on(
        &self,
        proposal: &Proposal,
        pull: &PullRequest,
        head: CommitSha,
    ) -> Result<Applied> {
        self.close_as_ours(pull).await?;
        self.opened_afresh(proposal, pull, head).await
    }

    async fn opened_afresh(
        &self,
        proposal: &Proposal,
        old: &PullRequest,
        head: CommitSha,
    ) -> Result<Applied> {
        let after = Self { open: None, closed_by_us: Some(old.clone()), ..self.clone() };
        // In a box: an update may end here, and begins there.
        let applied = Box::pin(after.open_on(proposal, head)).await?;
        Ok(Applied { outcome: Outcome::Superseded, ..applied })
    }

    /// After a close, the branch did not move: another run was quicker, or a person pushed, or GitHub refused.
    async fn not_moved(&self, pull: &PullRequest, failure: Failure) -> Failure {
        let by_run = match self.github.branch_head(self.branch).await {
            Ok(now) if now == self.head => false,
            // Another run goes on from here; with the old one open, it would take over its approvals.
            Ok(Some(now)) => self.is_ours(&now).await,
            Ok(None) | Err(_) => true,
        };
        // Where nothing has changed, or a person took it over, nothing is taken away.
        let reopened = async {
            self.github.reopen_pull_request(pull.number).await?;
            self.github.rewrite_pull_request(pull.number, &pull.title, &pull.body).await?;
            self.github.unmark_closed(pull.number).await
        };
        if !by_run && let Err(why) = reopened.await {
            tracing::warn!(%why, number = pull.number, "the pull request that was closed could not be opened again");
        }
        failure
    }

    async fn is_ours(&self, commit: &CommitSha) -> bool {
        let message = self.github.commit_message(commit).await;
        message.is_ok_and(|message| message.is_some_and(|it| trailer(&it.message, "Promote-Plan").is_some()))
    }

    async fn close_as_ours(&self, pull: &PullRequest) -> Result<()> {
        let now = self.github.pull_request(pull.number).await?;
        // Whoever closed it meanwhile did so for reasons of their own: it must not look like ours.
        if now.state != PullState::Open {
            return Err(lost_race(self.branch));
        }
        self.github.rewrite_pull_request(pull.number, &now.title, &closed_body(&now.body)).await?;
        self.github.mark_closed(pull.number).await;
        self.github.close_pull_request(pull.number).await
    }

    /// Says below the one that we closed before this what became of it, if nobody did; whether this run did.
    pub(super) async fn link_from_before(&self, pull: &PullRequest, beside: &mut Beside) -> bool {
        let Some(old) = self.closed_by_us.as_ref().filter(|old| old.number < pull.number) else {
            return false;
        };
        let text = format!(
            "An approval is for one release, and what is proposed has changed: {} proposes it.",
            pull.url
        );
        let said = self.github.say_once(old.number, &old.author, &marked(&text), CLOSED).await;
        beside.took("the old pull request could not be commented on", said) == Some(true)
    }

    /// A comment is a courtesy: its failure is a note.
    async fn said(&self, pull: &PullRequest, text: &str) -> Option<String> {
        let said = self.github.say_once(pull.number, &pull.author, &marked(text), CLOSED).await;
        let failed = said.err();
        failed.map(|failure| first_line("the old pull request could not be commented on", &failure))
    }
}

/// A comment of ours on a pull request that we closed.
fn marked(text: &str) -> String {
    format!("{text}\n\n{CLOSED}")
}
