//! What do reviewers see? The pull request as a value: branch, files, commit, title, body, check.
//!
//! Everything here is a view of the plan and holds nothing that ages, so the same plan makes the same
//! bytes. Nothing is read back out of prose, and nothing here knows what exists on GitHub.

mod body;
mod check;
mod commit;
mod ledger;
pub mod links;
pub mod markdown;
mod page;
pub mod reconcile;
mod sections;
mod summary;
mod title;
mod why;

#[cfg(test)]
pub(crate) mod sample;

pub use body::{BEGIN, CLOSED, END, LIMIT, body, brief_body, closed_body, merged_body, says_closed};
pub use check::{Annotation, CheckText, Conclusion, Level, check, held};
pub use commit::{commit_message, files_digest, plan_digest};
pub use page::Context;
pub use summary::{Report, SUMMARY_LIMIT, failure_page, notices_page, stopped_page, summary};
pub use title::title;

use crate::failure::{Failure, Kind, Place, Result};
use crate::names::{BranchName, CommitSha, RepoPath};
use crate::overlay::OverlayFile;
use crate::plan::{Plan, Verdict};
use crate::settings::{MergeMethod, PullRequestSettings};

/// A promotion pull request as data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The branch it lives on.
    pub branch: BranchName,
    /// The branch it goes to.
    pub base: BranchName,
    /// The commit its own one stands on.
    pub base_commit: CommitSha,
    /// The files its commit changes, whole.
    pub files: Vec<ProposedFile>,
    /// The commit's message.
    pub message: String,
    /// The pull request's title.
    pub title: String,
    /// The pull request's body: our marked part, with room left for a person's additions.
    pub body: String,
    /// The same in a few lines, for where a person's additions leave no room for `body`.
    pub brief: String,
    /// Labels to put on it, sorted.
    pub labels: Vec<String>,
    /// Whether it is opened as a draft.
    pub draft: Draft,
    /// Users asked to review.
    pub reviewers: Vec<String>,
    /// Teams asked to review.
    pub team_reviewers: Vec<String>,
    /// Users it is assigned to.
    pub assignees: Vec<String>,
    /// How to merge it once it may be; never where it is blocked.
    pub auto_merge: Option<MergeMethod>,
    /// Whether it is to merge by itself once nothing blocks it.
    pub merges_later: bool,
    /// Whether it is merged at once where nothing keeps it from being merged.
    pub merge_at_once: bool,
    /// Whether policy keeps it from being merged.
    pub blocked: bool,
    /// What its check says.
    pub check: CheckText,
}

/// A file as it will stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedFile {
    /// Path in the repository.
    pub path: RepoPath,
    /// Git's mode, as it was.
    pub mode: u32,
    /// The whole content.
    pub content: String,
}

/// Whether a pull request is opened as a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draft {
    /// As a draft.
    Yes,
    /// Ready for review.
    No,
}

/// The pull request that a plan asks for.
///
/// `edited` are the target's files that change, as they will stand. Fails where the plan proposes
/// nothing, or where a file is not UTF-8 and cannot be sent as text.
pub fn proposal(
    plan: &Plan,
    edited: &[OverlayFile],
    context: &Context,
    manners: &PullRequestSettings,
) -> Result<Proposal> {
    if plan.proposed.is_none() {
        return Err(Failure::new(
            Kind::Release,
            "there is nothing to promote, so there is nothing to propose",
        ));
    }
    let blocked = verdict(plan).blocks();
    let mut labels = manners.labels.clone();
    labels.sort();
    labels.dedup();
    let files: Vec<ProposedFile> = edited.iter().map(proposed_file).collect::<Result<_>>()?;
    Ok(Proposal {
        branch: context.branch.clone(),
        base: plan.repository.base.clone(),
        base_commit: plan.repository.commit.clone(),
        message: commit_message(plan, &files),
        files,
        title: title(plan),
        body: body(plan, context),
        brief: brief_body(plan, context),
        labels,
        draft: if blocked || manners.draft { Draft::Yes } else { Draft::No },
        reviewers: manners.reviewers.clone(),
        team_reviewers: manners.team_reviewers.clone(),
        assignees: manners.assignees.clone(),
        auto_merge: manners.auto_merge.filter(|_| !blocked),
        merges_later: blocked && manners.auto_merge.is_some(),
        merge_at_once: manners.merge_at_once,
        blocked,
        check: check(plan, context),
    })
}

impl Proposal {
    /// The title to write over `existing`, which had `before` as ours: what a person added to it is kept.
    pub fn title_over(&self, existing: &str, before: Option<&str>) -> String {
        title::title_over(existing, before, &self.title)
    }

    /// The body to write over `existing`: a person's additions outside our part are kept.
    ///
    /// At most [`LIMIT`] bytes. Where a person wrote so much that `body` does not fit beside it, `brief`
    /// stands in; only where that does not fit either is the person's text cut at its end.
    pub fn body_over(&self, existing: &str) -> String {
        let whole = merged_body(existing, &self.body);
        if whole.len() <= LIMIT {
            return whole;
        }
        let mut brief = merged_body(existing, &self.brief);
        if brief.len() > LIMIT {
            brief = merged_body("", &self.brief);
            let theirs = body::without_ours(existing);
            let room = LIMIT.saturating_sub(brief.len() + "\n\n…".len());
            brief.push_str("\n\n");
            brief.push_str(theirs.get(..theirs.floor_char_boundary(room)).unwrap_or_default());
            brief.push('…');
        }
        brief
    }
}

fn verdict(plan: &Plan) -> Verdict {
    plan.policy.as_ref().map_or(Verdict::Pass, |report| report.verdict)
}

fn proposed_file(file: &OverlayFile) -> Result<ProposedFile> {
    let content = String::from_utf8(file.bytes.clone()).map_err(|wrong| {
        Failure::at(
            Kind::Overlay,
            Place::of(file.path.as_str()),
            "the file is not UTF-8, so it cannot be proposed",
        )
        .hinted("save it as UTF-8")
        .because(wrong)
    })?;
    Ok(ProposedFile { path: file.path.clone(), mode: file.mode, content })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
