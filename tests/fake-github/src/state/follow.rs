//! Pull requests follow the refs: a push shows as a new head, a merge by git as merged.
//!
//! A head that becomes part of its base closes the pull request when the head moved, and merges it when the base did;
//! a deleted head branch closes it. That is what GitHub does, and what rule 10 of the design has to live with.

use jiff::Timestamp;

use super::{IssueState, RepoState};

/// Brings every open pull request in line with the branches.
pub(super) fn follow_refs(now: Timestamp, repo: &mut RepoState) {
    let store = &repo.store;
    for issue in repo.issues.iter_mut().filter(|issue| issue.state == IssueState::Open) {
        let Some(pull) = issue.pull.as_mut() else { continue };
        let Some(base) = store.branch(&pull.base_ref) else {
            issue.state = IssueState::Closed;
            issue.closed_at = Some(now);
            continue;
        };
        let Some(head) = store.branch(&pull.head_ref) else {
            issue.state = IssueState::Closed;
            issue.closed_at = Some(now);
            pull.auto_merge = None;
            continue;
        };
        let (head, base) = (head.to_string(), base.to_string());
        let moved = head != pull.head_sha;
        if moved {
            pull.head_sha.clone_from(&head);
            pull.base_sha.clone_from(&base);
            issue.updated_at = now;
            // GitHub turns auto-merge off only when someone without write access pushes: it stays on here.
        }
        if store.is_ancestor(&head, &base) {
            issue.state = IssueState::Closed;
            issue.closed_at = Some(now);
            issue.updated_at = now;
            pull.auto_merge = None;
            if !moved {
                pull.merged_at = Some(now);
                pull.merge_commit_sha = Some(base);
            }
        }
    }
}
