//! Whole pages: as people see them, as hostile text leaves them, and within their limits.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests may"
)]

use comrak::Arena;
use comrak::nodes::NodeValue;
use proptest::prelude::*;
use regex::Regex;

use super::sample::{at, finding, hostile, judged, location, path, plan, tagged};
use super::*;
use crate::changelog;
use crate::plan::Outcome;
use crate::plan::{Direction, PolicyReport, SearchEnd, Side};
use crate::settings::PolicyMode;

const DIFF: &str = "--- a/environments/prod-eu/fraud-agent/values.yaml\n+++ b/environments/prod-eu/fraud-agent/values.yaml\n@@ -9 +9 @@\n-  tag: v1.7.3 # ``` keep\n+  tag: v1.8.0 # ``` keep\n";

fn context() -> Context {
    Context { branch: BranchName::parse("promote/fraud-agent/prod-eu").unwrap(), mode: PolicyMode::Enforce }
}

fn typical() -> Plan {
    judged(
        vec![finding(
            "image-digest",
            Verdict::Warn,
            "image `ghcr.io/acme/fraud-agent` has no digest",
            "record the digest beside the tag in `environments/staging/fraud-agent`, and it is promoted with it",
            9,
        )],
        5,
    )
}

fn blocked() -> Plan {
    let mut plan = judged(
        vec![
            finding(
                "rego",
                Verdict::Error,
                "this version cannot evaluate Rego yet, so `policy/prod.rego` said nothing",
                "whoever maintains the workflow can set `policy-mode: off`",
                1,
            ),
            finding(
                "model-pinned",
                Verdict::Deny,
                "model `scoring` would be `latest`, a name that moves",
                "whoever releases `fraud-agent` can name a dated, numbered or digest version in `environments/staging/fraud-agent` and tag a new release",
                17,
            ),
            finding(
                "image-digest",
                Verdict::Warn,
                "image `ghcr.io/acme/fraud-agent` has no digest",
                "record the digest",
                9,
            ),
        ],
        4,
    );
    plan.policy.as_mut().unwrap().findings[0].location =
        Some(crate::plan::Location { file: path("policy/prod.rego"), line: 1 });
    plan.artifacts[1].to = tagged("latest");
    plan
}

fn nothing() -> Plan {
    let mut plan = plan();
    plan.active = plan.proposed.take();
    plan.id = "fraud-agent:staging->prod-eu:nothing".to_owned();
    plan.direction = Direction::Unknown;
    plan.artifacts.clear();
    plan.evidence.clear();
    plan.changes.clear();
    plan.commits.clear();
    plan.ledger.entries.pop();
    plan.ledger.ended = SearchEnd::Active;
    plan
}

fn report(outcome: Outcome) -> Report<'static> {
    Report {
        outcome,
        pull_request_url: Some("https://github.com/acme/gitops/pull/431"),
        diff: DIFF,
        notes: &[],
    }
}

/// Zero-width spaces shown, so that snapshots can be read.
fn shown(text: &str) -> String {
    text.replace('\u{200b}', "·")
}

/// The block structure and the tags of a page, without its words.
fn skeleton(markdown: &str) -> Vec<String> {
    let arena = Arena::new();
    let root = comrak::parse_document(&arena, markdown, &super::markdown::tests::github());
    let tag = Regex::new(r"(?s)<!--.*?-->|<[^>]*>").unwrap();
    let comment = Regex::new(r"(?s)promote:\{.*\}").unwrap();
    let tags = |html: &str| {
        let all: Vec<_> =
            tag.find_iter(html).map(|found| comment.replace(found.as_str(), "json").into_owned()).collect();
        format!("html {}", all.join(" "))
    };
    root.descendants()
        .filter_map(|node| match &node.data.borrow().value {
            NodeValue::Text(_) | NodeValue::Code(_) | NodeValue::Link(_) | NodeValue::SoftBreak => None,
            NodeValue::HtmlBlock(block) => Some(tags(&block.literal)),
            NodeValue::HtmlInline(html) => Some(tags(html)),
            other => Some(format!("{other:?}").chars().take_while(|c| c.is_alphanumeric()).collect()),
        })
        .collect()
}

#[test]
fn a_typical_body() {
    insta::assert_snapshot!(shown(&body(&typical(), &context())));
}

#[test]
fn a_blocked_body_starts_with_what_blocks_it() {
    insta::assert_snapshot!(shown(&body(&blocked(), &context())));
}

#[test]
fn a_summary_of_nothing_says_why() {
    let report = Report { pull_request_url: None, diff: "", ..report(Outcome::NothingToPromote) };
    insta::assert_snapshot!(shown(&summary(&nothing(), &context(), &report, SUMMARY_LIMIT)));
}

#[test]
fn a_summary_of_a_new_pull_request() {
    let notes = ["no one reviews: `reviewers` is not set".to_owned()];
    let report = Report { notes: &notes, ..report(Outcome::Created) };
    insta::assert_snapshot!(shown(&summary(&typical(), &context(), &report, SUMMARY_LIMIT)));
}

#[test]
fn a_hostile_body() {
    let plan = hostile(
        "@acme/all fixes #12 | `x`\n\n# a <!-- promote:end --> </details>![i](http://e.x)\u{202e}",
        2,
    );
    insta::assert_snapshot!(shown(&body(&plan, &context())));
}

#[test]
fn a_rollback_says_so_first_and_lists_what_leaves() {
    let mut plan = typical();
    plan.rollback = true;
    plan.direction = Direction::Downgrade;
    plan.reason = Some("v1.8.0 answers in @everyone's language".to_owned());
    std::mem::swap(&mut plan.active, &mut plan.proposed);
    let body = body(&plan, &context());
    let lines: Vec<&str> = body.lines().collect();
    assert_eq!(
        shown(lines[1]),
        "⏪ **Rollback** · **fraud-agent** `v1.8.0` → `v1.7.3` · staging → **prod-eu** · 23 commits by 4 people · [compare](https://github.com/acme/gitops/compare/77aa11bb22cc33dd44ee55ff6600778899aabbcc...3f1c9ab0d2e4f60718293a4b5c6d7e8f90a1b2c3)"
    );
    assert_eq!(shown(lines[3]), "**Why:** v1.8.0 answers in @·everyone's language — asked for by @·alice");
    assert!(body.contains("### What leaves prod-eu"));
    assert!(!body.contains("A later run would propose"));
    assert_eq!(title(&plan), "Roll back fraud-agent to v1.7.3 in prod-eu");
}

#[test]
fn every_reason_for_nothing_is_told() {
    let told = |plan: &Plan| {
        let report = Report { pull_request_url: None, diff: "", ..report(Outcome::NothingToPromote) };
        summary(plan, &context(), &report, SUMMARY_LIMIT).lines().nth(2).unwrap().to_owned()
    };
    let mut plan = nothing();
    assert!(told(&plan).ends_with(
        "and no newer release has succeeded in staging yet. Every newer one is listed with its reason."
    ));
    plan.passed_over.truncate(1);
    assert!(told(&plan).ends_with("The only newer one is listed with its reason."));
    plan.passed_over.clear();
    assert!(told(&plan).ends_with("and there is no newer release."));
    plan.active.as_mut().unwrap().tag = None;
    assert_eq!(told(&plan), "prod-eu runs `v1.8.0`, which no tag names, and there is no newer release.");
    plan.active = None;
    assert_eq!(told(&plan), "No release was found: no tag on `main` matches the app's `tag-pattern`.");
    plan.passed_over = super::sample::plan().passed_over;
    assert_eq!(told(&plan), "None of 2 releases has succeeded in staging, so nothing can go to prod-eu yet.");
}

#[test]
fn the_summary_says_how_the_search_ended_and_what_it_does_not_list() {
    let told = |plan: &Plan| {
        let report = Report { pull_request_url: None, diff: "", ..report(Outcome::NothingToPromote) };
        let page = summary(plan, &context(), &report, SUMMARY_LIMIT);
        page.lines().find(|line| line.contains("looked at**")).unwrap_or_default().to_owned()
    };
    let mut plan = nothing();
    for (ended, said) in [
        (SearchEnd::Active, "**2 releases looked at**, newest first, down to what prod-eu runs"),
        (SearchEnd::Exhausted, "**2 releases looked at**, newest first, and there are no others"),
        (SearchEnd::Window, "**2 releases looked at**, newest first, up to the end of `window` (30)"),
        (SearchEnd::Found, "**2 releases looked at**, newest first, up to the first successful one"),
    ] {
        plan.ledger.ended = ended;
        assert_eq!(told(&plan), said);
    }
    plan = typical();
    plan.ledger.unlisted = 300;
    assert!(body(&plan, &context()).contains("… and 300 more without a look at their evidence"));
}

#[test]
fn nothing_on_a_page_ages() {
    let mut later = typical();
    later.now = at("2031-01-01T00:00:00Z");
    assert_eq!(body(&typical(), &context()), body(&later, &context()));
    assert_eq!(commit_message(&typical(), &[]), commit_message(&later, &[]));
    assert_eq!(check(&typical(), &context()), check(&later, &context()));
    assert!(!body(&typical(), &context()).contains("16:40"));
}

#[test]
fn policy_that_is_off_or_only_warns_is_said() {
    let off = Context { mode: PolicyMode::Off, ..context() };
    let mut plan = typical();
    plan.policy = Some(PolicyReport { verdict: Verdict::Pass, passed: 0, findings: Vec::new() });
    assert!(body(&plan, &off).contains("**Policy** is off (`policy-mode: off`)"));
    assert_eq!(check(&plan, &off).title, "policy is off");
    let warn = Context { mode: PolicyMode::Warn, ..context() };
    assert!(body(&typical(), &warn).contains("`policy-mode: warn` lets denials pass as warnings"));
}

#[test]
fn values_recorded_after_the_tag_and_evidence_of_the_parent_are_named() {
    let mut plan = typical();
    plan.source.commit = CommitSha::parse(super::sample::BASE).unwrap();
    plan.evidence[0].commit = CommitSha::parse(super::sample::ACTIVE).unwrap();
    plan.proposed.as_mut().unwrap().signed = Some(true);
    let body = body(&plan, &context());
    assert!(
        body.contains("signature verified · its values are read from [`environments/staging/fraud-agent`]")
    );
    assert!(body.contains("success · on its parent [`77aa11b`]"));
}

#[test]
fn a_changed_value_of_no_artifact_has_its_own_row() {
    let mut plan = typical();
    let mut change = plan.changes[0].clone();
    change.key = "limits.daily".to_owned();
    change.line = 30;
    change.before = None;
    change.after = Some("10".to_owned());
    plan.changes.push(change);
    assert!(body(&plan, &context()).contains("| value `limits.daily` | – | **`10`** |"));
}

#[test]
fn a_repository_without_conventions_still_shows_its_commits() {
    let mut plan = typical();
    plan.commits = changelog::entries(&[
        super::sample::raw(1, "bob", "Raise it"),
        super::sample::raw(2, "bob", "Lower it"),
    ]);
    let body = body(&plan, &context());
    assert!(body.contains("**Other changes**\n\n- Raise it ("), "{body}");
    assert!(!body.contains(" more: "));
}

#[test]
fn a_blocked_promotion_is_a_draft_that_never_merges_itself() {
    let manners = PullRequestSettings {
        labels: vec!["b".into(), "a".into(), "b".into()],
        auto_merge: Some(MergeMethod::Squash),
        ..PullRequestSettings::default()
    };
    let file = OverlayFile { path: location(1).file, bytes: b"a: 1\n".to_vec(), mode: 0o100_755 };
    let open = proposal(&typical(), std::slice::from_ref(&file), &context(), &manners).unwrap();
    assert_eq!((open.draft, open.auto_merge), (Draft::No, Some(MergeMethod::Squash)));
    assert_eq!(open.labels, ["a", "b"]);
    assert_eq!(
        open.files,
        [ProposedFile { path: location(1).file, mode: 0o100_755, content: "a: 1\n".into() }]
    );
    assert_eq!(open.check.conclusion, Conclusion::Success);
    let held = proposal(&blocked(), &[file], &context(), &manners).unwrap();
    assert_eq!((held.draft, held.auto_merge), (Draft::Yes, None));
    assert_eq!(held.check.conclusion, Conclusion::Failure);
    assert_eq!(held.check.title, "Blocked: 4 passed, 1 warning, 1 denied, 1 could not be evaluated");
}

#[test]
fn nothing_and_what_is_not_text_cannot_be_proposed() {
    let manners = PullRequestSettings::default();
    assert!(proposal(&nothing(), &[], &context(), &manners).is_err());
    let file = OverlayFile { path: location(1).file, bytes: vec![0xff], mode: 0o100_644 };
    let failure = proposal(&typical(), &[file], &context(), &manners).unwrap_err();
    assert_eq!(
        failure.to_string(),
        "error: `environments/prod-eu/fraud-agent/values.yaml`: the file is not UTF-8, so it cannot be proposed\nhint: save it as UTF-8"
    );
}

#[test]
fn the_check_annotates_findings_and_changes() {
    let check = check(&blocked(), &context());
    let told: Vec<_> = check.annotations.iter().map(|a| (a.level, a.line, a.title.as_str())).collect();
    assert_eq!(
        told,
        [
            (Level::Failure, 1, "rego"),
            (Level::Failure, 17, "model-pinned"),
            (Level::Warning, 9, "image-digest"),
            (Level::Notice, 9, "image.tag"),
            (Level::Notice, 17, "model.version"),
        ]
    );
    assert_eq!(check.annotations[3].message, "v1.7.3 → v1.8.0");
}

#[test]
fn the_commit_message_says_what_moves() {
    insta::assert_snapshot!(commit_message(&typical(), &[]));
}

#[test]
fn the_digest_is_of_what_the_plan_does_and_nothing_else() {
    let digest = plan_digest(&typical());
    let mut same = typical();
    same.now = at("2030-01-01T00:00:00Z");
    same.commits.clear();
    same.evidence.clear();
    same.policy = None;
    same.changes[0].line = 99;
    assert_eq!(plan_digest(&same), digest);
    let different: [fn(&mut Plan); 6] = [
        |plan| plan.app.name.push('x'),
        |plan| plan.target.environment.push('x'),
        |plan| plan.proposed.as_mut().unwrap().tag = None,
        |plan| plan.proposed.as_mut().unwrap().commit = None,
        |plan| plan.changes[0].after = None,
        |plan| plan.changes[1].key.push('x'),
    ];
    for bend in different {
        let mut other = typical();
        bend(&mut other);
        assert_ne!(plan_digest(&other), digest);
    }
    assert_eq!(digest.len(), "sha256:".len() + 64);
}

#[test]
fn a_persons_additions_survive() {
    let (old, new) = (body(&typical(), &context()), body(&blocked(), &context()));
    for (existing, expected) in [
        (String::new(), new.clone()),
        (format!("Above\r\n\r\n{old}\r\n\r\nBelow"), format!("Above\r\n\r\n{new}\r\n\r\nBelow")),
        (old.clone(), new.clone()),
        ("Only a person's".to_owned(), format!("{new}\n\nOnly a person's")),
        (format!("{END} x {BEGIN} y"), format!("{new}\n\nx  y")),
        (format!("a {BEGIN} b"), format!("{new}\n\na  b")),
        (format!("{BEGIN}{BEGIN}{END}z"), format!("{new}\n\nz")),
    ] {
        let merged = merged_body(&existing, &new);
        assert_eq!(merged, expected);
        assert_eq!(merged_body(&merged, &new), merged, "a second time changes nothing");
    }
    let by_editor = format!("Mine\n\n{old}").replace('\n', "\r\n");
    assert_eq!(merged_body(&by_editor, &old), by_editor, "line ends alone are no change");
}

#[test]
fn a_body_fits_beside_whatever_a_person_wrote() {
    let proposal = proposal(&hostile("x", 400), &[], &context(), &PullRequestSettings::default()).unwrap();
    for length in [0, 3_000, 20_000, 56_000, 65_536] {
        let theirs = "é".repeat(length / 2);
        let body = proposal.body_over(&theirs);
        assert!(body.len() <= LIMIT, "{length}: {}", body.len());
        assert!(body.contains(BEGIN) && body.contains(END) && body.contains(&"é".repeat(length * 2 / 5)));
    }
}

#[test]
fn the_machine_comment_is_json_that_closes_nothing() {
    let plan = hostile("--> <!-- \"@a\" #1 \\ --", 1);
    let body = body(&plan, &context());
    let line = body.lines().find(|line| line.starts_with("<!-- promote:{")).unwrap();
    let json = line.strip_prefix("<!-- promote:").unwrap().strip_suffix(" -->").unwrap();
    assert!(!json.contains("--") && !json.contains('>') && !json.contains('@'));
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(value["tag"], "--> <!-- \"@a\" #1 \\ --");
    assert_eq!(value["schema"], "promotion/v1");
    assert_eq!(value["plan"], plan_digest(&plan));
}

#[test]
fn a_diff_cannot_leave_its_fence() {
    let diff = "+```\n+</details>\n+````\u{202e}\n".repeat(3);
    let report = Report { diff: &diff, ..report(Outcome::Planned) };
    let page = summary(&typical(), &context(), &report, SUMMARY_LIMIT);
    let plain = Report { diff: "+x\n", ..report };
    assert_eq!(skeleton(&page), skeleton(&summary(&typical(), &context(), &plain, SUMMARY_LIMIT)));
    assert!(page.contains("`````diff"));
}

#[test]
fn outcomes_have_the_words_of_the_output() {
    let words = [
        (Outcome::Created, "created"),
        (Outcome::Updated, "updated"),
        (Outcome::Unchanged, "unchanged"),
        (Outcome::Superseded, "superseded"),
        (Outcome::Closed, "closed"),
        (Outcome::Blocked, "blocked"),
        (Outcome::NothingToPromote, "nothing-to-promote"),
        (Outcome::Planned, "planned"),
    ];
    for (outcome, word) in words {
        assert_eq!(outcome.as_str(), word);
        assert!(summary(&typical(), &context(), &report(outcome), SUMMARY_LIMIT).starts_with("### "));
    }
}

fn pieces() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        "`",
        "```",
        "|",
        "*",
        "_",
        "[",
        "](",
        ")",
        "<",
        ">",
        "<!--",
        "-->",
        "</details>",
        "<b>",
        "@a",
        "#1",
        "\n",
        "\n\n",
        "\r\n",
        "- ",
        "1. ",
        "# ",
        "!",
        " ",
        "\\",
        "&lt;",
        "http://a.b",
        "x",
        "0",
        "\u{202e}",
        "é",
        "--",
        "$",
        "~~",
        "> ",
        "promote:end",
        ":",
        "=",
        "\"",
        "'",
    ]);
    proptest::collection::vec(piece, 1..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn no_text_changes_the_shape_of_a_page(text in pieces()) {
        let (good, bad) = (hostile("x", 3), hostile(&text, 3));
        prop_assert_eq!(skeleton(&body(&bad, &context())), skeleton(&body(&good, &context())));
        prop_assert_eq!(skeleton(&brief_body(&bad, &context())), skeleton(&brief_body(&good, &context())));
        let report = report(Outcome::Created);
        prop_assert_eq!(
            skeleton(&summary(&bad, &context(), &report, SUMMARY_LIMIT)),
            skeleton(&summary(&good, &context(), &report, SUMMARY_LIMIT))
        );
        prop_assert_eq!(
            skeleton(&changelog::markdown(&bad.commits, &bad.repository.url)),
            skeleton(&changelog::markdown(&good.commits, &good.repository.url))
        );
        let whole = body(&bad, &context());
        prop_assert_eq!((whole.matches(BEGIN).count(), whole.matches(END).count()), (1, 1));
    }

    #[test]
    fn no_text_forges_a_trailer_or_a_second_line_of_the_title(text in pieces(), more in "(\n\n?(Co-authored-by|Promote-Tag): x)?") {
        let message = commit_message(&hostile(&format!("{text}{more}{text}"), 2), &[]);
        let trailer = Regex::new("^[A-Za-z-]+: ?").unwrap();
        let trailers: Vec<&str> = message.lines().filter(|l| trailer.is_match(l)).map(|l| l.split(':').next().unwrap()).collect();
        prop_assert_eq!(trailers, ["Why", "Promote-App", "Promote-Target", "Promote-Tag", "Promote-Commit", "Promote-Plan", "Promote-Files"]);
        let last = message.rsplit("\n\n").next().unwrap();
        prop_assert_eq!(last.lines().count(), 6);
        let pings = Regex::new("@[a-z]|#[0-9]").unwrap();
        prop_assert!(!pings.is_match(&message));
        prop_assert!(!title(&hostile(&text, 1)).contains('\n'));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn every_page_keeps_its_limit(text in pieces(), repeat in 1usize..60, rows in 0usize..250, room in 0usize..200_000) {
        let plan = hostile(&text.repeat(repeat), rows);
        prop_assert!(body(&plan, &context()).len() <= 60_000);
        prop_assert!(brief_body(&plan, &context()).len() <= 10_000);
        prop_assert!(check(&plan, &context()).summary.len() <= 60_000);
        prop_assert!(title(&plan).chars().count() <= 256);
        let report = report(Outcome::Created);
        prop_assert!(summary(&plan, &context(), &report, room).len() <= room.max(20_000));
    }
}

#[test]
fn the_worst_text_keeps_every_limit() {
    for text in ["\u{202e}", "|", "é", "👩", "&", "\u{1d173}", "a|", "@a", "#1"] {
        let plan = hostile(&text.repeat(2_000), 60);
        assert!(title(&plan).chars().count() <= 256, "{text}");
        assert!(body(&plan, &context()).len() <= 60_000, "{text}");
        assert!(
            brief_body(&plan, &context()).len() <= 10_000,
            "{text}: {}",
            brief_body(&plan, &context()).len()
        );
    }
}

#[test]
fn what_is_left_out_is_counted() {
    let mut plan = typical();
    let one = plan.commits[0].clone();
    plan.commits = std::iter::repeat_n(one, 1_000).collect();
    plan.drift = (0..300)
        .map(|n| crate::plan::Drift {
            file: location(1).file,
            key: format!("k{n}"),
            side: Side::Target,
            pin: n == 0,
        })
        .collect();
    let body = body(&plan, &context());
    assert!(body.contains("988 more: 988 breaking"), "{body}");
    assert!(body.contains(" more, see the job summary."));
    let whole = summary(&plan, &context(), &report(Outcome::Created), SUMMARY_LIMIT);
    assert!(!whole.contains("see the plan file"));
}
