//! Whose work a promotion branch is, told from git: commits and trees; prose is never parsed.

use percent_encoding::percent_decode_str;

use crate::failure::Result;
use crate::git::{CommitInfo, History, TreeFile};
use crate::names::{CommitSha, RepoPath};
use crate::overlay::FileEdit;
use crate::proposal::files_digest;
use crate::proposal::reconcile::{Branch, Content, Ground};

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
    /// The heads of its pull requests that were merged.
    pub merged: &'a [CommitSha],
    /// Other heads that its commit may stand on: of trunk, and of the base that its pull request goes to.
    pub grounds: &'a [CommitSha],
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
    let mut found = content(history, head, base, mark)?;
    // Where another base is asked for than it was made for, the commits below ours are no person's edit.
    for ground in mark.grounds.iter().filter(|ground| *ground != base) {
        if !matches!(found, Content::Person(_)) {
            break;
        }
        if let Content::Ours { digest, tag, subject, commit, .. } = content(history, head, ground, mark)? {
            found = Content::Ours { digest, tag, subject, commit, ground: Ground::Moved };
        }
    }
    Ok(Some(Branch { head: head.clone(), content: found }))
}

fn content(history: &History, head: &CommitSha, base: &CommitSha, mark: &Mark<'_>) -> Result<Content> {
    // What was squashed or rebased is no ancestor of base, and yet it is merged, whoever's it was.
    if mark.merged.contains(head) || history.is_ancestor(head, base)? {
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
    let subject = commit.message.lines().next().unwrap_or_default().to_owned();
    Ok(Content::Ours { digest, tag, subject, commit: commit.sha, ground })
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
