//! What is read out of messages that people, GitHub and git write.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests may"
)]

use proptest::prelude::*;

use super::*;

fn raw(number: u32, parents: usize, message: &str) -> RawCommit {
    RawCommit {
        sha: CommitSha::parse(&format!("{number:040x}")).unwrap(),
        parents,
        author: "Alice Doe".to_owned(),
        at: "2026-11-20T13:00:00Z".parse().unwrap(),
        message: message.to_owned(),
    }
}

fn one(parents: usize, message: &str) -> Option<Commit> {
    entries(&[raw(1, parents, message)]).pop()
}

#[test]
fn subjects_are_read_by_convention_and_kept_without_one() {
    for (message, kind, scope, subject, number) in [
        ("feat: add streaming", "feat", None, "add streaming", None),
        ("Feat(api)!: drop v1 (#7)", "feat", Some("api"), "drop v1", Some(7)),
        (
            "fix(scoring): round half up (#12) (#15)\n\nbody",
            "fix",
            Some("scoring"),
            "round half up",
            Some(15),
        ),
        ("hotfix: stop the leak", "fix", None, "stop the leak", None),
        ("Raise the limit", "other", None, "Raise the limit", None),
        ("scoring: lower the threshold", "other", None, "scoring: lower the threshold", None),
        ("https://example.org is down (#3)", "other", None, "https://example.org is down", Some(3)),
        ("feat:", "other", None, "feat:", None),
        ("", "other", None, "(no message)", None),
        ("chore(deps): bump serde (#9)", "chore", Some("deps"), "bump serde", Some(9)),
        (
            "Revert \"feat(x): add y (#4)\" (#5)\n\nThis reverts commit 3f1c9ab.",
            "revert",
            None,
            "feat(x): add y",
            Some(5),
        ),
        ("Revert \"half a quote", "revert", None, "half a quote", None),
        ("fix: subject directly\nfollowed by a body", "fix", None, "subject directly", None),
        ("fix: not a number (#abc)", "fix", None, "not a number (#abc)", None),
        ("fix: large (#99999999999999999999999)", "fix", None, "large (#99999999999999999999999)", None),
    ] {
        let commit = one(1, message).unwrap();
        assert_eq!(
            (commit.kind.as_str(), commit.scope.as_deref(), commit.subject.as_str(), commit.pull_request),
            (kind, scope, subject, number),
            "{message}"
        );
    }
}

#[test]
fn breaking_changes_are_seen_with_and_without_a_footer() {
    for (message, breaking, note) in [
        ("feat!: x", true, None),
        (
            "feat: x\n\nBREAKING CHANGE: the threshold is\na percentage\n\nSigned-off-by: A <a@b.c>",
            true,
            Some("the threshold is a percentage"),
        ),
        ("feat: x\n\nBREAKING-CHANGE: gone", true, Some("gone")),
        ("Rework it all\n\nWords.\nBREAKING CHANGE: gone\nCo-authored-by: B <b@c.d>", true, Some("gone")),
        ("feat: x\n\nNo BREAKING CHANGE: here", false, None),
        ("feat: x\n\nBREAKING CHANGES happen", false, None),
    ] {
        let commit = one(1, message).unwrap();
        assert_eq!((commit.breaking, commit.breaking_note.as_deref()), (breaking, note), "{message}");
    }
}

#[test]
fn a_merged_pull_request_takes_its_title_and_number() {
    let commit = one(2, "Merge pull request #12 from acme/streaming\n\nfeat: add streaming").unwrap();
    assert_eq!(
        (commit.kind.as_str(), commit.subject.as_str(), commit.pull_request),
        ("feat", "add streaming", Some(12))
    );
    assert_eq!(one(2, "Merge pull request #12 from acme/streaming").unwrap().subject, "acme/streaming");
}

#[test]
fn merges_that_carry_nothing_are_left_out() {
    for message in
        ["Merge branch 'main' into x", "Merge remote-tracking branch 'origin/main'", "Merge tag 'v1'"]
    {
        assert_eq!(one(2, message), None, "{message}");
        assert!(one(1, message).is_some(), "an ordinary commit stays, whatever it is called: {message}");
    }
    assert!(one(2, "Bring in the new scorer").is_some());
}

#[test]
fn a_merge_and_its_only_commit_are_one_entry() {
    let commits = entries(&[
        raw(3, 2, "Merge pull request #12 from acme/x\n\nfix(api): close the socket"),
        raw(2, 1, "fix(api): close the socket"),
        raw(1, 1, "docs: explain"),
    ]);
    assert_eq!(commits.iter().map(|c| c.pull_request).collect::<Vec<_>>(), [Some(12), None]);
    assert_eq!(commits[0].sha.as_str(), format!("{:040x}", 2));
}

#[test]
fn promotions_are_left_out_and_nothing_can_pose_as_one_by_a_word() {
    let trailers =
        "Promote-App: a\nPromote-Target: prod\nPromote-Tag: v1\nPromote-Commit: x\nPromote-Plan: sha256:y";
    assert_eq!(one(1, &format!("Promote a v1 to prod\n\nimage\n\n{trailers}")), None);
    for message in [
        format!("feat: x\n\n{trailers}\n\nmore"),
        "feat: x\n\nPromote-App: a".to_owned(),
        format!("feat: x {trailers}"),
    ] {
        assert!(one(1, &message).is_some(), "{message}");
    }
}

#[test]
fn groups_are_in_reading_order() {
    let commits = entries(&[
        raw(1, 1, "chore: tidy"),
        raw(2, 1, "fix: b"),
        raw(3, 1, "build(deps): bump x"),
        raw(4, 1, "feat: c"),
        raw(5, 1, "docs!: d"),
        raw(6, 1, "Whatever"),
    ]);
    let titles: Vec<_> = grouped(&commits).iter().map(|(group, _)| group.title()).collect();
    assert_eq!(titles, ["Breaking", "Features", "Fixes", "Other changes", "Dependencies", "Housekeeping"]);
}

#[test]
fn the_changelog_is_plain_markdown_that_pings_nobody() {
    let commits = entries(&[
        raw(1, 1, "feat(api)!: thanks @bob | fixes #3 (#12)\n\nBREAKING CHANGE: <b>v1</b> is gone"),
        raw(2, 1, "tidy\u{202e}up"),
    ]);
    insta::assert_snapshot!(markdown(&commits, "https://github.com/acme/app").replace('\u{200b}', "·"), @r"
    ### Breaking

    - `api`: thanks @·bob &#124; fixes #·3 ([12](https://github.com/acme/app/pull/12), Alice Doe)<br>↳ \<b>v1\</b> is gone

    ### Other changes

    - tidy‹U+202E›up ([`0000000`](https://github.com/acme/app/commit/0000000000000000000000000000000000000002), Alice Doe)
    ");
    assert_eq!(markdown(&[], "https://github.com/acme/app"), "");
}

#[test]
fn a_changelog_without_end_is_counted() {
    let commits: Vec<_> = (1..6000).map(|n| raw(n, 1, &format!("feat: {}", "*".repeat(200)))).collect();
    let changelog = markdown(&entries(&commits), "https://github.com/acme/app");
    assert!(changelog.len() < ROOM_AND_A_LINE, "{}", changelog.len());
    assert!(changelog.trim_end().ends_with("more"));
}

const ROOM_AND_A_LINE: usize = 257 * 1024;

proptest! {
    #[test]
    fn any_message_is_one_entry_or_left_out(message in "(feat|fix|Merge pull request #1 from |Revert \"|[a-z]{0,5})?(\\([^)]{0,4}\\))?!?:? ?.{0,20}(\\(#[0-9]{1,4}\\))?(\n|\r\n)*.{0,30}(\nBREAKING CHANGE: .{0,5})?", parents in 0usize..3) {
        prop_assert!(entries(&[raw(1, parents, &message)]).len() <= 1);
        if let Some(commit) = one(1, &message) {
            prop_assert!(!commit.subject.contains('\n'));
            prop_assert!(commit.breaking_note.is_none() || commit.breaking);
        }
    }
}
