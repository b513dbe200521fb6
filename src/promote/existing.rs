//! What GitHub has of a promotion: its pull requests, and the answers to what reconciling asks.

use super::branch::trailer;
use crate::failure::Result;
use crate::git::History;
use crate::github::GitHub;
use crate::github::checks::{ExistingCheck, Found};
use crate::github::git_data::lost_race;
use crate::github::pulls::{CLOSED_BY_US, Happened, PullRequest, PullState};
use crate::names::{BranchName, CommitSha};
use crate::proposal::reconcile::{
    Approvals, Branch, ClosedPull, Content, Existing, OpenPull, Place, Proof, Question, Seen, SeenCheck,
    TurnedBy,
};
use crate::proposal::{BEGIN, Draft, says_closed};

/// How many closed pull requests are looked at for one of the release at hand.
const MOST_CLOSED: usize = 5;

/// How many merges of base above our commit are looked through.
const MOST_MERGES: usize = 10;

/// The pull requests of a branch, sorted out.
#[derive(Debug, Default)]
pub struct Pulls {
    /// The open one.
    pub open: Option<PullRequest>,
    /// Those that were closed without a merge, and not by us, newest first.
    pub closed: Vec<PullRequest>,
    /// The newest one, where we closed it.
    pub closed_by_us: Option<PullRequest>,
    /// The heads of those that were merged.
    pub merged: Vec<CommitSha>,
}

/// Reads the pull requests from `branch`; the open one goes to `base`, or is ours and goes elsewhere.
///
/// # Errors
/// When GitHub refuses or cannot be reached.
pub async fn pulls(github: &GitHub, branch: &BranchName, base: &BranchName) -> Result<Pulls> {
    let all = github.pull_requests(branch).await?;
    let open = |pull: &&PullRequest| pull.state == PullState::Open;
    let here = |pull: &&PullRequest| pull.base == base.as_str();
    // Whoever copies our text into one of their own has not made it ours.
    let known = |author: &str| {
        all.iter().any(|pull| here(&pull) && pull.body.contains(BEGIN) && pull.author == author)
    };
    let is_ours = |pull: &&PullRequest| pull.body.contains(BEGIN) && (pull.by_bot || known(&pull.author));
    let ours_elsewhere = || all.iter().filter(open).find(is_ours);
    let found = all.iter().filter(open).find(here).or_else(ours_elsewhere).cloned();
    let by_others = |pull: &&PullRequest| pull.state == PullState::Closed && here(pull) && !by_us(pull);
    let newest_done = all.iter().find(|pull| pull.state != PullState::Open);
    Ok(Pulls {
        open: found,
        closed: all.iter().filter(by_others).take(MOST_CLOSED).cloned().collect(),
        closed_by_us: newest_done.filter(|pull| pull.state == PullState::Closed && by_us(pull)).cloned(),
        merged: all
            .iter()
            .filter(|pull| pull.state == PullState::Merged)
            .filter_map(|pull| pull.head.clone())
            .collect(),
    })
}

/// The branch was read before the pull requests. Where their heads differ, another run may have moved it in between, and
/// what is seen of the two does not belong together; or GitHub shows a new head a little later, which is no matter.
///
/// # Errors
/// [`crate::failure::Kind::LostRace`] when the branch is not at `head` any more; else when GitHub cannot be reached.
pub async fn seen_at_once(
    github: &GitHub,
    branch: &BranchName,
    head: Option<&CommitSha>,
    pulls: &Pulls,
) -> Result<()> {
    match &pulls.open {
        Some(open) if open.head.as_ref() != head && github.branch_head(branch).await?.as_ref() != head => {
            Err(lost_race(branch))
        }
        _ => Ok(()),
    }
}

/// The promotion of `tag` that a person closed.
///
/// # Errors
/// When GitHub refuses or cannot be reached.
pub async fn closed_by_person(github: &GitHub, pulls: &Pulls, tag: &str) -> Result<Option<ClosedPull>> {
    // We may have begun to close one that a person then closed: the close tells, not our mark.
    for closed in pulls.closed_by_us.iter().chain(&pulls.closed) {
        if tag_of(github, closed).await?.as_deref() != Some(tag) {
            continue;
        }
        let marked = by_us(closed);
        let Some(happened) = github.happened(closed.number).await? else {
            // Who closed it is not told: what we did not mark is not ours.
            if marked {
                continue;
            }
            return Ok(Some(ClosedPull { number: closed.number, tag: tag.to_owned() }));
        };
        // The token may be a person's, and then its closes are that person's.
        let by_person = |one: &Happened| is_person(one) && !(marked && is_by(one, &closed.author));
        if last(&happened, &["closed"]).is_some_and(by_person) {
            return Ok(Some(ClosedPull { number: closed.number, tag: tag.to_owned() }));
        }
    }
    Ok(None)
}

fn by_us(pull: &PullRequest) -> bool {
    says_closed(&pull.body) || pull.labels.iter().any(|label| label == CLOSED_BY_US)
}

fn is_by(happened: &Happened, login: &str) -> bool {
    happened.by.as_ref().is_some_and(|(by, _)| by.eq_ignore_ascii_case(login))
}

/// The release of a closed promotion: of its head, or of the commit below what was put on top of it.
async fn tag_of(github: &GitHub, closed: &PullRequest) -> Result<Option<String>> {
    let Some(head) = &closed.head else { return Ok(None) };
    let of = |message: &String| trailer(message, "Promote-Tag");
    let message = github.commit_message(head).await?.map(|commit| commit.message);
    match message.as_ref().and_then(of) {
        Some(tag) => Ok(Some(tag)),
        None => Ok(github.messages_of(closed.number).await?.iter().rev().find_map(of)),
    }
}

fn last<'a>(happened: &'a [Happened], what: &[&str]) -> Option<&'a Happened> {
    happened.iter().rfind(|one| what.contains(&one.what.as_str()))
}

fn is_person(happened: &Happened) -> bool {
    happened.by.as_ref().is_some_and(|(login, kind)| kind != "Bot" && !login.ends_with("[bot]"))
}

/// All of it, as reconciling wants it; what costs a request of its own is not asked yet.
pub fn existing(
    branch: Option<Branch>,
    pulls: &Pulls,
    base: &BranchName,
    closed: Option<ClosedPull>,
    proof: Proof,
) -> Existing {
    let open = pulls.open.as_ref().map(|open| OpenPull {
        number: open.number,
        title: open.title.clone(),
        body: open.body.clone(),
        place: if open.base == base.as_str() { Place::Here } else { Place::Elsewhere },
        draft: if open.draft { Draft::Yes } else { Draft::No },
        armed: open.auto_merge,
        marked: open.labels.iter().any(|label| label == CLOSED_BY_US),
        proof,
        approvals: None,
        check: None,
        turned_by: None,
    });
    let is_ours = branch.as_ref().is_some_and(|branch| matches!(branch.content, Content::Ours { .. }));
    let head = branch.as_ref().map(|branch| &branch.head).filter(|_| is_ours);
    let unswept = pulls.closed_by_us.as_ref().filter(|closed| head.is_some() && closed.head.as_ref() == head);
    Existing { unswept: unswept.map(|closed| closed.number), branch, open, closed }
}

/// Finds out what reconciling asks of the open pull request of `author`; returns the check as it was found.
///
/// # Errors
/// When GitHub refuses or cannot be reached.
pub async fn answer(
    github: &GitHub,
    history: &History,
    existing: &mut Existing,
    question: Question,
    author: &str,
) -> Result<Option<ExistingCheck>> {
    let head = existing.branch.as_ref().map(|branch| branch.head.clone());
    let plan = existing.branch.as_ref().and_then(|branch| match &branch.content {
        Content::Ours { digest, .. } => Some(digest.clone()),
        Content::Nothing | Content::Person(_) => None,
    });
    let ours = existing.branch.as_ref().and_then(|branch| branch.content.commit().cloned());
    let Some(open) = &mut existing.open else { return Ok(None) };
    match question {
        Question::Approvals => {
            let approvals = approvals(github, history, open.number, head.as_ref(), plan.as_deref());
            open.approvals = Some(approvals.await?);
        }
        Question::TurnedBy => open.turned_by = Some(turned_by(github, open, author).await?),
        Question::Check => {
            let Some(head) = head else {
                open.check = Some(Seen::Missing);
                return Ok(None);
            };
            let (seen, found) = match github.check_on(&head).await? {
                Found::There(check) => (Seen::There(seen(&check)), Some(check)),
                Found::Unreadable => (Seen::Unreadable, None),
                // "Update branch" puts a head on top that has no check yet.
                Found::Missing => match ours.filter(|ours| *ours != head) {
                    None => (Seen::Missing, None),
                    Some(ours) => match github.check_on(&ours).await? {
                        Found::There(check) => (Seen::Below(seen(&check)), None),
                        Found::Missing | Found::Unreadable => (Seen::Missing, None),
                    },
                },
            };
            open.check = Some(seen);
            return Ok(found);
        }
    }
    Ok(None)
}

fn seen(check: &ExistingCheck) -> SeenCheck {
    SeenCheck {
        failed: check.conclusion.as_deref() == Some("failure"),
        title: check.title.clone(),
        summary: check.id.map(|_| check.summary.clone()),
        disarmed: check.disarmed,
    }
}

/// Who approved, and whether any of them saw another plan than `plan`, which the branch has at `head`.
///
/// # Errors
/// When GitHub refuses or cannot be reached.
pub async fn approvals(
    github: &GitHub,
    history: &History,
    number: u64,
    head: Option<&CommitSha>,
    plan: Option<&str>,
) -> Result<Approvals> {
    let reviews = github.reviews(number).await?;
    let mut approvals = Approvals::default();
    for review in reviews.iter().filter(|review| review.approves) {
        approvals.any = true;
        let Some(commit) = &review.commit else { continue };
        // Below the head there is one commit of ours, and merges of base.
        let below = |head: &CommitSha| head == commit || history.is_ancestor(commit, head).unwrap_or(false);
        if head.is_some_and(below) {
            continue;
        }
        approvals.of_another |= !review.by_stranger && plan_of(github, commit).await?.as_deref() != plan;
    }
    Ok(approvals)
}

/// The plan of a commit that was on the branch: its own, or of the one below merges of base.
async fn plan_of(github: &GitHub, commit: &CommitSha) -> Result<Option<String>> {
    let mut at = Some(commit.clone());
    for _ in 0..MOST_MERGES {
        let Some(commit) = at else { return Ok(None) };
        let Some(found) = github.commit_message(&commit).await? else { return Ok(None) };
        if let Some(plan) = trailer(&found.message, "Promote-Plan") {
            return Ok(Some(plan));
        }
        at = found.parents.first().filter(|_| found.parents.len() > 1).cloned();
    }
    Ok(None)
}

/// Who last made it a draft or ready. Where the server does not tell, the check alone does.
///
/// The token may be the person's who opened it: then a draft of theirs is taken for ours, since it may be, and what they
/// made ready for theirs, since that is never taken back.
async fn turned_by(github: &GitHub, open: &OpenPull, author: &str) -> Result<TurnedBy> {
    let Some(happened) = github.happened(open.number).await? else { return Ok(TurnedBy::Us) };
    let last = last(&happened, &["convert_to_draft", "ready_for_review"]);
    let by_person = |one: &Happened| is_person(one) && !(open.draft == Draft::Yes && is_by(one, author));
    Ok(if last.is_some_and(by_person) { TurnedBy::Person } else { TurnedBy::Us })
}
