//! What must happen so that GitHub equals the proposal, given what is there: one pure table.
//!
//! It respects people (rule 9), keeps an approval for one release (rule 10), and never asks for a
//! move that has nothing new to show. It performs nothing. What it would have to know and was not
//! told it asks for, so that nothing is read from GitHub that would not matter.

mod existing;
mod wanted;

pub use existing::{
    Approvals, Branch, ClosedPull, Content, Existing, Ground, OpenPull, Place, Proof, Seen, SeenCheck,
    TurnedBy,
};
pub use wanted::{Asked, Release, Wanted, What};

use super::{BEGIN, Draft};

/// The one thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing at all.
    Rest,
    /// Open a pull request.
    Open(Push),
    /// Bring the open one up to date.
    Update {
        /// Which.
        number: u64,
        /// What differs, in the order in which it is mended.
        steps: Vec<Step>,
    },
    /// Close the open one, which people consented to for another release, and open a fresh one.
    Supersede {
        /// The old one.
        number: u64,
    },
    /// Leave it to the person who took it over, and say so.
    Leave {
        /// Which pull request, if there is one.
        number: Option<u64>,
        /// Why, as a warning.
        why: String,
    },
    /// Keep the open one, whose evidence does not hold now, from being merged.
    Hold {
        /// Which.
        number: u64,
        /// Why, as warnings.
        why: Vec<String>,
        /// What differs from a held one: [`Step::Disarm`], [`Step::Check`].
        steps: Vec<Step>,
    },
    /// Close the open one: nothing is left to promote.
    Close {
        /// Which.
        number: u64,
    },
    /// Remove the branch of one that we closed: the run that closed it was cut short.
    Sweep {
        /// Which.
        number: u64,
    },
}

/// The branch's part of opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Push {
    /// Commit and move the branch.
    Commit,
    /// The branch is right as it is.
    Keep,
}

/// One part of bringing a pull request up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Commit another plan, and move the branch.
    Commit,
    /// Commit the same plan on a base whose files changed, and move the branch.
    Rebuild,
    /// Write title and body.
    Text,
    /// Take off the label of a close that was not carried through.
    Unmark,
    /// Mark the draft as ready: nothing blocks it any more.
    Ready,
    /// Make it a draft: something blocks it.
    Draft,
    /// Turn auto-merge off.
    Disarm,
    /// Turn auto-merge on again, which was off while it was blocked or held.
    Arm,
    /// Labels, reviewers, assignees, auto-merge: a run was cut short before it came to them.
    Beside,
    /// Write the check.
    Check,
}

/// What must be known before it can be said what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Who approved the open pull request, and of which release.
    Approvals,
    /// What the check on its head says.
    Check,
    /// Who last made it a draft, or ready.
    TurnedBy,
}

/// The action that makes GitHub equal to what is wanted.
///
/// # Errors
/// What has to be known first; answered, it is not asked again.
pub fn action(wanted: &Wanted<'_>, existing: &Existing) -> Result<Action, Question> {
    if let Some(Branch { content: Content::Person(author), .. }) = &existing.branch {
        return Ok(left_to(author, existing));
    }
    match (&wanted.what, &existing.open) {
        (What::Nothing, None) => Ok(existing.unswept.map_or(Action::Rest, |number| Action::Sweep { number })),
        (What::Unproven, None) => Ok(Action::Rest),
        (What::Nothing, Some(open)) => Ok(Action::Close { number: open.number }),
        (What::Unproven, Some(open)) => hold(wanted, open, vec![UNPROVEN.to_owned()]),
        (What::Release(release), open)
            if release.asked == Asked::No
                && was_closed(existing, release.tag)
                && (open.is_none() || !is_of(existing, release.tag)) =>
        {
            respected(wanted, existing, release.tag)
        }
        (What::Release(release), None) => Ok(Action::Open(push(existing, release.digest))),
        (What::Release(release), Some(open)) => over(wanted, release, existing, open),
    }
}

const UNPROVEN: &str =
    "no release is successful now: the open promotion is kept, and its check fails until one is";

/// A release over an open pull request.
fn over(
    wanted: &Wanted<'_>,
    release: &Release<'_>,
    existing: &Existing,
    open: &OpenPull,
) -> Result<Action, Question> {
    let supersede = Ok(Action::Supersede { number: open.number });
    let another = !has_plan(existing, release.digest);
    if open.place == Place::Elsewhere || (another && open.armed) {
        return supersede;
    }
    let approvals = open.approvals()?;
    // Whoever had the old page before them may say yes after the branch has moved on.
    let for_another_release = if another { approvals.any } else { approvals.of_another };
    if for_another_release {
        return supersede;
    }
    let seen = open.check()?;
    let mut steps = Vec::new();
    if another {
        steps.push(Step::Commit);
    } else if push(existing, release.digest) == Push::Commit {
        steps.push(Step::Rebuild);
    }
    if open.title != release.title || !same_text(&open.body, release.body) {
        steps.push(Step::Text);
    }
    if open.marked {
        steps.push(Step::Unmark);
    }
    steps.extend(turned(wanted, release, open, seen)?);
    steps.extend(merged(release, open, seen));
    if *seen == Seen::Missing {
        steps.push(Step::Beside);
    }
    let moves = steps.iter().any(|step| matches!(step, Step::Commit | Step::Rebuild));
    let check = match seen {
        Seen::Missing | Seen::Below(_) => true,
        // Where it cannot be read, it is written whenever anything else is.
        Seen::Unreadable => !steps.is_empty(),
        Seen::There(check) => moves || !check.says(release.check),
    };
    steps.extend(check.then_some(Step::Check));
    if steps.is_empty() {
        return Ok(Action::Rest);
    }
    Ok(Action::Update { number: open.number, steps })
}

/// A draft for being blocked becomes ready, and what becomes blocked a draft; what a person chose stays.
///
/// What it was before is told by the check: what was ready although its check failed was marked so by a
/// person. A promotion that is held fails its check too, and that makes no draft of it.
fn turned(
    wanted: &Wanted<'_>,
    release: &Release<'_>,
    open: &OpenPull,
    seen: &Seen,
) -> Result<Option<Step>, Question> {
    let was_blocked = match seen {
        Seen::There(before) | Seen::Below(before) if before.title != wanted.held.title => before.failed,
        // Held meanwhile, cut short, or not to be read: ours is as it had to be before.
        _ if open.body.contains(BEGIN) => open.draft == Draft::Yes,
        _ => return Ok(None),
    };
    let step = match (open.draft, was_blocked) {
        (Draft::Yes, true) if release.draft == Draft::No && !release.blocked => Step::Ready,
        (Draft::No, false) if release.blocked => Step::Draft,
        _ => return Ok(None),
    };
    Ok((open.turned_by()? == TurnedBy::Us).then_some(step))
}

/// Nothing that is blocked merges by itself; what was off for that is turned on again where it is asked for.
fn merged(release: &Release<'_>, open: &OpenPull, seen: &Seen) -> Option<Step> {
    let disarmed = matches!(seen, Seen::There(check) | Seen::Below(check) if check.disarmed);
    match (release.blocked, open.armed) {
        (true, true) => Some(Step::Disarm),
        // What a person turned off stays off.
        (false, false) if release.auto_merge && disarmed => Some(Step::Arm),
        _ => None,
    }
}

fn hold(wanted: &Wanted<'_>, open: &OpenPull, why: Vec<String>) -> Result<Action, Question> {
    let says = match open.check()? {
        Seen::There(check) => check.says(wanted.held),
        Seen::Missing | Seen::Unreadable | Seen::Below(_) => false,
    };
    let steps = [open.armed.then_some(Step::Disarm), (!says).then_some(Step::Check)];
    Ok(Action::Hold { number: open.number, why, steps: steps.into_iter().flatten().collect() })
}

/// GitHub may store other line ends, and drops trailing blanks.
fn same_text(one: &str, other: &str) -> bool {
    let lines =
        |text: &str| text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    lines(one) == lines(other)
}

fn push(existing: &Existing, wanted: &str) -> Push {
    match &existing.branch {
        Some(Branch { content: Content::Ours { digest, ground: Ground::Same, .. }, .. })
            if digest == wanted =>
        {
            Push::Keep
        }
        _ => Push::Commit,
    }
}

/// Whether the branch has this plan. An approval is for what was shown: the same plan on a moved base is still it.
fn has_plan(existing: &Existing, wanted: &str) -> bool {
    matches!(&existing.branch, Some(Branch { content: Content::Ours { digest, .. }, .. }) if digest == wanted)
}

/// Whether the branch proposes this release, as it does once it was asked for by name.
fn is_of(existing: &Existing, wanted: &str) -> bool {
    matches!(&existing.branch, Some(Branch { content: Content::Ours { tag, .. }, .. }) if tag == wanted)
}

fn left_to(author: &str, existing: &Existing) -> Action {
    let number = existing.open.as_ref().map(|open| open.number);
    Action::Leave {
        number,
        why: format!(
            "the promotion branch has a commit by {author}: it is left as it is until the branch is merged or deleted"
        ),
    }
}

fn was_closed(existing: &Existing, tag: &str) -> bool {
    existing.closed.as_ref().is_some_and(|closed| closed.tag == tag)
}

/// What a person closed stays closed; what is open of another release is kept, but not on a proof that is lost.
fn respected(wanted: &Wanted<'_>, existing: &Existing, tag: &str) -> Result<Action, Question> {
    let number = existing.closed.as_ref().map(|closed| closed.number);
    let of = number.map_or(String::new(), |number| format!(" (#{number})"));
    let why = format!(
        "somebody closed the promotion of `{tag}`{of}: it stays closed until `tag: {tag}` asks for it by name"
    );
    match &existing.open {
        Some(open) if open.proof == Proof::Lost => {
            let held = format!(
                "the open promotion (#{}) is of another release, which is not successful now: it is kept, and its check fails until it is",
                open.number
            );
            hold(wanted, open, vec![why, held])
        }
        _ => Ok(Action::Leave { number, why }),
    }
}

impl Step {
    /// What the log calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Rebuild => "rebuild",
            Self::Text => "text",
            Self::Unmark => "unmark",
            Self::Ready => "ready",
            Self::Draft => "draft",
            Self::Disarm => "disarm",
            Self::Arm => "arm",
            Self::Beside => "beside",
            Self::Check => "check",
        }
    }
}

impl std::fmt::Display for Action {
    /// As the log and the table of the tests have it: `update: commit, text, check`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, steps) = match self {
            Self::Rest => ("rest", Vec::new()),
            Self::Open(Push::Commit) => ("open", vec!["commit"]),
            Self::Open(Push::Keep) => ("open", Vec::new()),
            Self::Update { steps, .. } => ("update", steps.iter().map(|step| step.as_str()).collect()),
            Self::Supersede { .. } => ("supersede", Vec::new()),
            Self::Leave { .. } => ("leave", Vec::new()),
            Self::Hold { steps, .. } => ("hold", steps.iter().map(|step| step.as_str()).collect()),
            Self::Close { .. } => ("close", Vec::new()),
            Self::Sweep { .. } => ("sweep", Vec::new()),
        };
        f.write_str(name)?;
        if !steps.is_empty() {
            write!(f, ": {}", steps.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
