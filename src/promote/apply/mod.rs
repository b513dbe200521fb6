//! Apply: make GitHub equal to the proposal. Thin: what to do was decided in `proposal::reconcile`.
//!
//! The commit is complete before the branch moves, the branch moves once, the check comes last, and
//! whatever stops in between leaves a state that the next run takes up. What two runs could write
//! over each other, the text, is followed by a look at the branch.

mod beside;
mod closing;

use crate::failure::{Failure, Kind, Result};
use crate::git::History;
use crate::github::GitHub;
use crate::github::checks::{Check, CheckNote, ExistingCheck};
use crate::github::git_data::{NewFile, lost_race};
use crate::github::pulls::{NewPull, Opened, PullRequest, PullState};
use crate::names::{BranchName, CommitSha};
use crate::plan::Outcome;
use crate::proposal::reconcile::{Action, Push, Step};
use crate::proposal::{CheckText, Draft, Proposal};

use super::existing::approvals;
use beside::Beside;

/// What there was to work on.
#[derive(Clone)]
pub struct Ground<'a> {
    /// The server's API.
    pub github: &'a GitHub,
    /// The history that was read.
    pub history: &'a History,
    /// The promotion branch.
    pub branch: &'a BranchName,
    /// Where it was when it was read.
    pub head: Option<CommitSha>,
    /// The title that its pull request was given.
    pub subject: Option<String>,
    /// The tree of the base commit.
    pub base_tree: String,
    /// The digest of the plan that is wanted.
    pub digest: String,
    /// The open pull request.
    pub open: Option<PullRequest>,
    /// The check on the head, where it was looked for and found.
    pub check: Option<ExistingCheck>,
    /// The one before, where we closed it.
    pub closed_by_us: Option<PullRequest>,
    /// What the check says while its release is not successful.
    pub held: CheckText,
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
/// [`crate::failure::Kind::LostRace`] when somebody else was quicker; else when GitHub refuses.
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
        (Action::Rest, Some(_)) => Ok(known),
        (Action::Leave { why, .. }, _) => Ok(Applied { notes: vec![why.clone()], ..known }),
        (Action::Hold { why, steps, .. }, _) => ground.hold(known, why, steps).await,
        (Action::Close { .. }, _) => ground.close(known).await,
        (Action::Sweep { .. }, _) => ground.sweep(known).await,
        (Action::Open(push), Some(proposal)) => ground.open(proposal, *push).await,
        (Action::Update { steps, .. }, Some(proposal)) => ground.update(proposal, steps, known).await,
        (Action::Supersede { .. }, Some(proposal)) => ground.supersede(proposal).await,
        (Action::Open(_) | Action::Update { .. } | Action::Supersede { .. }, None) => {
            Err(Failure::new(Kind::Machine, "there is an action, but no proposal to carry out"))
        }
    }
}

const STILL_ARMED: &str = "auto-merge could not be turned off: the failing check alone blocks it";

impl Ground<'_> {
    /// The pull request that an action is about.
    fn pull(&self) -> Result<&PullRequest> {
        self.open.as_ref().ok_or_else(|| {
            Failure::new(Kind::Machine, "there is an action on a pull request, but no pull request")
        })
    }

    /// Keeps the open pull request from being merged while its release is not successful.
    async fn hold(&self, known: Applied, why: &[String], steps: &[Step]) -> Result<Applied> {
        let mut notes = why.to_vec();
        let mut disarmed = self.check.as_ref().is_some_and(|check| check.disarmed);
        let mut wrote = false;
        if steps.contains(&Step::Disarm) {
            match self.github.disarm(&self.pull()?.node_id).await {
                Ok(()) => {
                    (disarmed, wrote) = (true, true);
                    notes.push("auto-merge was turned off with it".to_owned());
                }
                Err(failure) => notes.push(first_line(STILL_ARMED, &failure)),
            }
        }
        if let (true, Some(head)) = (steps.contains(&Step::Check) || wrote, &self.head) {
            let failed = self.write_check(&self.held, head, self.check.as_ref(), disarmed).await;
            wrote |= failed.is_none();
            notes.extend(failed);
        }
        Ok(Applied { wrote, notes, ..known })
    }

    async fn open(&self, proposal: &Proposal, push: Push) -> Result<Applied> {
        let head = match (push, &self.head) {
            (Push::Keep, Some(head)) => head.clone(),
            _ => self.pushed(proposal).await?,
        };
        self.open_on(proposal, head).await
    }

    async fn open_on(&self, proposal: &Proposal, head: CommitSha) -> Result<Applied> {
        let new = NewPull {
            head: self.branch,
            base: &proposal.base,
            title: &proposal.title,
            body: &proposal.body,
            draft: proposal.draft == Draft::Yes,
        };
        let (pull, opened) = self.github.open_pull_request(&new).await?;
        // Another run opened it, perhaps for another release: it is to be looked at as any that is there.
        if opened == Opened::Before {
            return Err(lost_race(self.branch));
        }
        let mut applied = Applied {
            outcome: Outcome::Created,
            number: Some(pull.number),
            url: Some(pull.url.clone()),
            head: Some(head.clone()),
            wrote: true,
            notes: Vec::new(),
        };
        // What is blocked now is to merge by itself later, as what is turned off for being blocked.
        let mut beside = Beside { disarmed: proposal.merges_later, ..Beside::default() };
        self.set_beside(proposal, &pull, &head, &mut beside).await;
        if self.link_from_before(&pull, &mut beside).await {
            applied.outcome = Outcome::Superseded;
        }
        self.check_last(proposal, &head, None, beside, &mut applied).await;
        Ok(applied)
    }

    /// The check comes last: where it is missing or old, the next run knows that something is left to do.
    async fn check_last(
        &self,
        proposal: &Proposal,
        head: &CommitSha,
        over: Option<&ExistingCheck>,
        beside: Beside,
        applied: &mut Applied,
    ) {
        applied.notes.extend(beside.notes);
        if !beside.unfinished {
            // Only what is blocked stays turned off.
            let before = self.check.as_ref().is_some_and(|check| check.disarmed);
            let disarmed = proposal.blocked && (beside.disarmed || before);
            let failed = self.write_check(&proposal.check, head, over, disarmed).await;
            applied.wrote |= failed.is_none();
            applied.notes.extend(failed);
        }
    }

    async fn update(&self, proposal: &Proposal, steps: &[Step], known: Applied) -> Result<Applied> {
        let has = |step: Step| steps.contains(&step);
        let mut pull = self.pull()?.clone();
        let moves = has(Step::Commit) || has(Step::Rebuild);
        let commit = if moves { Some(self.commit(proposal).await?) } else { None };
        if moves || has(Step::Text) {
            // People act too: what they closed since it was read is left, and what they wrote not written over.
            pull = self.github.pull_request(pull.number).await?;
            if pull.state != PullState::Open {
                return Err(lost_race(self.branch));
            }
        }
        let head = match (commit, &self.head) {
            (Some(commit), head) => {
                self.github.move_branch(self.branch, head.as_ref(), Some(&commit)).await?;
                commit
            }
            (None, Some(head)) => head.clone(),
            (None, None) => return Err(lost_race(self.branch)),
        };
        if has(Step::Commit) && self.was_consented_to(pull.number, &head).await? {
            return self.supersede_on(proposal, &pull, head).await;
        }
        let shows = steps.iter().any(|step| !matches!(step, Step::Beside | Step::Check));
        let mut applied = Applied { head: Some(head.clone()), wrote: shows, ..known };
        if has(Step::Text) {
            let title = proposal.title_over(&pull.title, self.subject.as_deref());
            self.github.rewrite_pull_request(pull.number, &title, &proposal.body_over(&pull.body)).await?;
        }
        let mut beside = Beside::default();
        for step in steps {
            self.turn(proposal, *step, &pull, &head, &mut beside).await;
        }
        if has(Step::Text) {
            self.still_at(&head).await?;
        }
        if has(Step::Beside) {
            self.set_beside(proposal, &pull, &head, &mut beside).await;
            self.link_from_before(&pull, &mut beside).await;
        }
        if has(Step::Check) {
            let over = self.check.as_ref().filter(|_| !moves);
            self.check_last(proposal, &head, over, beside, &mut applied).await;
        } else {
            applied.notes.extend(beside.notes);
        }
        Ok(Applied { outcome: if shows { Outcome::Updated } else { Outcome::Unchanged }, ..applied })
    }

    /// The steps that are courtesies: their failure is a note.
    async fn turn(
        &self,
        proposal: &Proposal,
        step: Step,
        pull: &PullRequest,
        head: &CommitSha,
        beside: &mut Beside,
    ) {
        let (what, done) = match step {
            Step::Unmark => {
                ("the label of a close could not be taken off", self.github.unmark_closed(pull.number).await)
            }
            Step::Ready => {
                ("the pull request could not be marked as ready", self.github.mark_ready(&pull.node_id).await)
            }
            Step::Draft => {
                ("the pull request could not be made a draft", self.github.mark_draft(&pull.node_id).await)
            }
            Step::Disarm => {
                let done = self.github.disarm(&pull.node_id).await;
                beside.disarmed = done.is_ok();
                (STILL_ARMED, done)
            }
            Step::Arm => return self.arm_or_merge(proposal, pull, head, beside).await,
            Step::Commit | Step::Rebuild | Step::Text | Step::Beside | Step::Check => return,
        };
        let unfinished = beside.unfinished;
        beside.took(what, done);
        // What is blocked must fail its check, whether or not the rest could be done.
        beside.unfinished &= unfinished || !proposal.blocked;
    }

    /// Whether somebody said yes to the release before, between our look and our move of the branch to `head`.
    async fn was_consented_to(&self, number: u64, head: &CommitSha) -> Result<bool> {
        if self.github.pull_request(number).await?.auto_merge {
            return Ok(true);
        }
        let seen = approvals(self.github, self.history, number, Some(head), Some(&self.digest)).await?;
        Ok(seen.of_another)
    }

    /// Another run that moved the branch may have had its text written over by ours: then look again.
    async fn still_at(&self, head: &CommitSha) -> Result<()> {
        match self.github.branch_head(self.branch).await? {
            Some(now) if now == *head => Ok(()),
            _ => Err(lost_race(self.branch)),
        }
    }

    /// The branch's new head: one commit on base, one move from where the branch was read.
    async fn pushed(&self, proposal: &Proposal) -> Result<CommitSha> {
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

    async fn write_check(
        &self,
        text: &CheckText,
        head: &CommitSha,
        over: Option<&ExistingCheck>,
        disarmed: bool,
    ) -> Option<String> {
        let check = Check { disarmed, ..check_of(text) };
        let failed = self.github.write_check(head, over, &check, self.run_url.as_deref()).await.err();
        failed.map(|failure| first_line("the check `promotion` could not be written", &failure))
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
        disarmed: false,
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
