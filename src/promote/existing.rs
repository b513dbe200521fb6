//! What GitHub has of a promotion: its branch, told from git, and its pull requests.
//!
//! Whose work a branch is follows from commits and trees; prose is never parsed.

use percent_encoding::percent_decode_str;

use crate::failure::Result;
use crate::git::{CommitInfo, History};
use crate::github::GitHub;
use crate::github::pulls::{PullRequest, PullState};
use crate::names::{BranchName, CommitSha, RepoPath};
use crate::overlay::FileEdit;
use crate::proposal::reconcile::{Branch, ClosedPull, Consent, Content, Existing, Ground, OpenPull};

/// A branch with more commits than this is not ours.
const MOST_COMMITS: usize = 200;

/// What is looked for on the branch.
#[derive(Debug, Clone, Copy)]
pub struct Mark<'a> {
    /// The app, as in the trailer `Promote-App`.
    pub app: &'a str,
    /// The target, as in the trailer `Promote-Target`.
    pub target: &'a str,
    /// The target's overlay: our commit touches nothing else.
    pub folder: &'a RepoPath,
    /// The digest of the plan at hand, and the files that it would commit.
    pub proposed: Option<(&'a str, &'a [FileEdit])>,
}

/// Reads the branch.
///
/// # Errors
/// When git cannot be read.
pub fn branch(
    history: &History,
    head: Option<&CommitSha>,
    base: &CommitSha,
    mark: &Mark<'_>,
) -> Result<Option<Branch>> {
    let Some(head) = head else { return Ok(None) };
    let content = content(history, head, base, mark)?;
    Ok(Some(Branch { head: head.clone(), content }))
}

fn content(history: &History, head: &CommitSha, base: &CommitSha, mark: &Mark<'_>) -> Result<Content> {
    if history.is_ancestor(head, base)? {
        return Ok(Content::Nothing);
    }
    let (commits, _) = history.commits_between(Some(base), head, &[], MOST_COMMITS)?;
    let mut ours: Option<(CommitInfo, String)> = None;
    for commit in &commits {
        match commit.parents.as_slice() {
            [_] => match digest_of(commit, mark) {
                Some(digest) if ours.is_none() => ours = Some((commit.clone(), digest)),
                _ => return Ok(Content::Person(commit.author_name.clone())),
            },
            [first, second] if is_update(history, commit, first, second, base)? => {}
            _ => return Ok(Content::Person(commit.author_name.clone())),
        }
    }
    let Some((commit, digest)) = ours else { return Ok(Content::Nothing) };
    let parent = commit.parents.first().cloned();
    let Some(parent) = parent else { return Ok(Content::Person(commit.author_name)) };
    let changed = history.changed_paths(&commit.sha)?;
    let mut ground = Ground::Same;
    for path in &changed {
        if !mark.folder.contains(path) {
            return Ok(Content::Person(commit.author_name));
        }
        if blob(history, &parent, path)? != blob(history, base, path)? {
            ground = Ground::Moved;
        }
    }
    if let Some((wanted, edits)) =
        mark.proposed.filter(|(wanted, _)| *wanted == digest && ground == Ground::Same)
    {
        // The same plan on the same ground has the same bytes, or somebody amended our commit.
        for edit in edits {
            if blob(history, head, &edit.path)?.as_deref() != Some(edit.after.as_slice()) {
                tracing::debug!(plan = wanted, file = %edit.path, "our commit was amended");
                return Ok(Content::Person(commit.author_name));
            }
        }
    }
    Ok(Content::Ours { digest, ground })
}

/// GitHub's "Update branch": a merge of base that brings nothing but what base has.
fn is_update(
    history: &History,
    merge: &CommitInfo,
    first: &CommitSha,
    second: &CommitSha,
    base: &CommitSha,
) -> Result<bool> {
    if !history.is_ancestor(second, base)? || history.is_ancestor(first, base)? {
        return Ok(false);
    }
    for path in history.changed_paths(&merge.sha)? {
        if blob(history, &merge.sha, &path)? != blob(history, second, &path)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn blob(history: &History, commit: &CommitSha, path: &RepoPath) -> Result<Option<Vec<u8>>> {
    Ok(history.file(commit, path)?.map(|file| file.bytes))
}

/// The plan's digest, where a commit is this promotion's.
fn digest_of(commit: &CommitInfo, mark: &Mark<'_>) -> Option<String> {
    let is = |name: &str, value: &str| trailer(&commit.message, name).as_deref() == Some(value);
    if !is("Promote-App", mark.app) || !is("Promote-Target", mark.target) {
        return None;
    }
    trailer(&commit.message, "Promote-Plan")
}

/// The value of a trailer in a message's last paragraph.
pub fn trailer(message: &str, name: &str) -> Option<String> {
    let last = message.trim_end().rsplit("\n\n").next()?;
    let prefix = format!("{name}: ");
    let value = last.lines().find_map(|line| line.strip_prefix(&prefix))?;
    // As it was written: a sign that GitHub would read as a mention or an issue is percent-encoded.
    Some(percent_decode_str(value.trim()).decode_utf8_lossy().into_owned())
}

/// The pull requests of a branch, sorted out.
#[derive(Debug, Default)]
pub struct Pulls {
    /// The open one.
    pub open: Option<PullRequest>,
    /// The newest, where it was closed without a merge.
    pub closed: Option<PullRequest>,
}

/// Reads the pull requests from `branch` to `base`.
///
/// # Errors
/// When GitHub refuses or cannot be reached.
pub async fn pulls(github: &GitHub, branch: &BranchName, base: &BranchName) -> Result<Pulls> {
    let all = github.pull_requests(branch, base).await?;
    let open = all.iter().find(|pull| pull.state == PullState::Open).cloned();
    let closed = all.into_iter().next().filter(|newest| newest.state == PullState::Closed);
    Ok(Pulls { closed: closed.filter(|_| open.is_none()), open })
}

/// The closed pull request, where it was a person who closed it.
///
/// # Errors
/// When GitHub refuses or cannot be reached.
pub async fn closed_by_person(github: &GitHub, closed: &PullRequest) -> Result<Option<ClosedPull>> {
    let by_bot = |(login, kind): &(String, String)| kind == "Bot" || login.ends_with("[bot]");
    if github.closed_by(closed.number).await?.as_ref().is_none_or(by_bot) {
        return Ok(None);
    }
    let message = match &closed.head {
        Some(head) => github.commit_message(head).await?,
        None => None,
    };
    let tag = message.and_then(|commit| trailer(&commit.message, "Promote-Tag"));
    Ok(Some(ClosedPull { number: closed.number, tag }))
}

/// All of it, as reconciling wants it.
pub fn existing(
    branch: Option<Branch>,
    open: Option<&PullRequest>,
    closed: Option<ClosedPull>,
    consent: Consent,
) -> Existing {
    let open = open.map(|open| OpenPull {
        number: open.number,
        title: open.title.clone(),
        body: open.body.clone(),
        consent,
    });
    Existing { branch, open, closed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailer_stands_in_the_last_paragraph() {
        let message = "Promote x\n\nPromote-Plan: forged\n\nPromote-App: x\nPromote-Plan: abc\n";
        assert_eq!(trailer(message, "Promote-Plan").as_deref(), Some("abc"));
        assert_eq!(trailer(message, "Promote-Tag"), None);
        assert_eq!(trailer("x\n\nPromote-Tag: agent%401.2.0", "Promote-Tag").as_deref(), Some("agent@1.2.0"));
    }
}
