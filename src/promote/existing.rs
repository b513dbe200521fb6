//! What GitHub has of a promotion: its branch, told from git, and its pull requests.
//!
//! Whose work a branch is follows from commits and trees; prose is never parsed.

use percent_encoding::percent_decode_str;

use crate::failure::Result;
use crate::git::{CommitInfo, History, TreeFile};
use crate::github::GitHub;
use crate::github::pulls::{CLOSED_BY_US, PullRequest, PullState};
use crate::names::{BranchName, CommitSha, RepoPath};
use crate::overlay::FileEdit;
use crate::proposal::reconcile::{Branch, ClosedPull, Consent, Content, Existing, Ground, OpenPull, Proof};
use crate::proposal::{files_digest, says_closed};

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
    let theirs = || Content::Person(commit.author_name.clone());
    let mut ground = Ground::Same;
    let mut files = Vec::new();
    for path in &changed {
        let (Some(file), true) = (history.file(&commit.sha, path)?, mark.folder.contains(path)) else {
            return Ok(theirs());
        };
        if blob(history, &parent, path)? != blob(history, base, path)? {
            ground = Ground::Moved;
        }
        files.push(file);
    }
    // Whoever amends our commit keeps its message: what it says of its files must be true of them.
    let told = files.iter().map(|file| (file.path.as_str(), file.mode, file.bytes.as_slice()));
    if trailer(&commit.message, "Promote-Files") != Some(files_digest(told)) {
        return Ok(theirs());
    }
    if let Some((_, edits)) = mark.proposed.filter(|(wanted, _)| *wanted == digest && ground == Ground::Same)
    {
        // The same plan on the same ground has the same files, in the commit and below the merges on top of it.
        let same = |file: &TreeFile| {
            edits
                .iter()
                .any(|edit| edit.path == file.path && edit.mode == file.mode && edit.after == file.bytes)
        };
        let mut kept = files.len() == edits.len() && files.iter().all(same);
        for edit in edits {
            kept &= blob(history, head, &edit.path)?.as_deref() == Some(edit.after.as_slice());
        }
        if !kept {
            return Ok(theirs());
        }
    }
    let tag = trailer(&commit.message, "Promote-Tag").unwrap_or_default();
    Ok(Content::Ours { digest, tag, ground })
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
    /// Those that were closed without a merge, and not by us, newest first.
    pub closed: Vec<PullRequest>,
}

/// How many closed pull requests are looked at for one of the release at hand.
const MOST_CLOSED: usize = 5;

/// Reads the pull requests from `branch` to `base`.
///
/// # Errors
/// When GitHub refuses or cannot be reached.
pub async fn pulls(github: &GitHub, branch: &BranchName, base: &BranchName) -> Result<Pulls> {
    let all = github.pull_requests(branch, base).await?;
    let open = all.iter().find(|pull| pull.state == PullState::Open).cloned();
    let by_others = |pull: &PullRequest| {
        let ours = says_closed(&pull.body) || pull.labels.iter().any(|label| label == CLOSED_BY_US);
        pull.state == PullState::Closed && !ours
    };
    Ok(Pulls { closed: all.into_iter().filter(by_others).take(MOST_CLOSED).collect(), open })
}

/// The promotion of `tag` that a person closed.
///
/// # Errors
/// When GitHub refuses or cannot be reached.
pub async fn closed_by_person(github: &GitHub, pulls: &Pulls, tag: &str) -> Result<Option<ClosedPull>> {
    let by_bot = |(login, kind): &(String, String)| kind == "Bot" || login.ends_with("[bot]");
    for closed in &pulls.closed {
        let Some(head) = &closed.head else { continue };
        let message = github.commit_message(head).await?;
        let of = message.and_then(|commit| trailer(&commit.message, "Promote-Tag"));
        if of.as_deref() == Some(tag) && !github.closed_by(closed.number).await?.as_ref().is_none_or(by_bot) {
            return Ok(Some(ClosedPull { number: closed.number, tag: of }));
        }
    }
    Ok(None)
}

/// All of it, as reconciling wants it.
pub fn existing(
    branch: Option<Branch>,
    open: Option<&PullRequest>,
    closed: Option<ClosedPull>,
    consent: Consent,
    proof: Proof,
) -> Existing {
    let open = open.map(|open| OpenPull {
        number: open.number,
        title: open.title.clone(),
        body: open.body.clone(),
        consent,
        proof,
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
