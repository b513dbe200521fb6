#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may")]
use proptest::prelude::*;

use super::*;

/// The message and hint, as one line.
fn refusal<T: std::fmt::Debug>(parsed: Parsed<T>) -> String {
    let wrong = parsed.unwrap_err();
    format!("{} | {}", wrong.message, wrong.hint.unwrap_or_default())
}

#[test]
fn a_boolean_is_what_people_write() {
    for yes in ["true", "True", "YES", "on", "1"] {
        assert_eq!(boolean(yes), Ok(true), "{yes}");
    }
    for no in ["false", "No", "OFF", "0"] {
        assert_eq!(boolean(no), Ok(false), "{no}");
    }
    assert_eq!(
        refusal(boolean("ja")),
        "`ja` is not a yes or a no | allowed: `true`, `false`, `yes`, `no`, `on`, `off`, `1`, `0`"
    );
}

#[test]
fn a_duration_is_a_number_with_a_unit() {
    for (text, seconds) in [("90s", 90), ("30m", 1800), ("24h", 86_400), ("7d", 604_800), ("0h", 0)] {
        assert_eq!(duration(text).unwrap(), SignedDuration::from_secs(seconds), "{text}");
    }
    for bad in ["", "24", "h", "1.5h", "-1h", "24 h", "24H", "1h30m", "4000d", "99999999999999999999d", "２h"]
    {
        assert!(duration(bad).is_err(), "{bad}");
    }
    assert_eq!(
        refusal(duration("1 day")),
        "`1 day` is not a duration | allowed: a whole number with `s`, `m`, `h` or `d`, at most ten years: \
         `90s`, `30m`, `24h`, `7d`"
    );
}

#[test]
fn a_time_has_its_offset() {
    assert_eq!(time("2026-12-20T01:00:00+01:00").unwrap(), time("2026-12-20T00:00:00Z").unwrap());
    for bad in ["2026-12-20", "2026-12-20T00:00:00", "2026-02-30T00:00:00Z", "tomorrow", ""] {
        assert!(time(bad).is_err(), "{bad}");
    }
    assert!(
        refusal(time("2026-12-20"))
            .contains("allowed: date, time and offset, such as `2026-12-20T00:00:00Z`")
    );
}

#[test]
fn words_are_a_closed_set() {
    assert_eq!(word("plan"), Ok(Command::Plan));
    assert_eq!(word("rebase"), Ok(MergeMethod::Rebase));
    assert_eq!(
        refusal(word::<PolicyMode>("enfroce")),
        "`enfroce` is not a policy mode | allowed: `enforce`, `warn`, `off`; did you mean `enforce`?"
    );
    assert_eq!(
        refusal(word::<Command>("rollback")),
        "`rollback` is not a command | allowed: `run`, `plan`, `explain`"
    );
    assert_eq!(
        refusal(word::<EvidenceAt>("Tag")),
        "`Tag` is not a commit that evidence may be bound to | allowed: `tag`, `parent`; did you mean `tag`?"
    );
}

#[test]
fn evidence_has_five_forms() {
    let check = |name: &str| Required::Check { name: name.into(), app: None };
    for (line, required) in [
        ("workflow: staging.yml", Required::Workflow("staging.yml".into())),
        ("workflow:Staging pipeline", Required::Workflow("Staging pipeline".into())),
        ("- check: model-validation", check("model-validation")),
        ("check: lint: all (a, b)", check("lint: all (a, b)")),
        ("status: ci/staging", Required::Status { context: "ci/staging".into(), creator: None }),
        ("  deployment : staging ", Required::Deployment("staging".into())),
        ("any", Required::Any),
        (
            "check: golden set, app: acme-evals",
            Required::Check { name: "golden set".into(), app: Some("acme-evals".into()) },
        ),
        (
            "status: a, b, creator: ci-bot",
            Required::Status { context: "a, b".into(), creator: Some("ci-bot".into()) },
        ),
        ("workflow: a, app: b", Required::Workflow("a, app: b".into())),
    ] {
        assert_eq!(evidence(line), Ok(required), "{line}");
    }
    for bad in [
        "",
        "staging.yml",
        "check:",
        "check: ",
        "run: x",
        "Any",
        "any: x",
        "check: a, app:",
        "check:, app: b",
    ] {
        assert!(evidence(bad).is_err(), "{bad}");
    }
    assert_eq!(
        refusal(evidence("staging.yml")),
        "`staging.yml` names no evidence | allowed: `workflow: staging.yml`, `check: NAME`, `status: CONTEXT`, \
         `deployment: ENVIRONMENT`, `any`"
    );
}

#[test]
fn a_name_is_one_part_of_a_branch() {
    for good in ["fraud-agent", "a", "prod-eu", "v2.agent", "agent_2"] {
        assert_eq!(name(good), Ok(good.to_owned()));
    }
    for bad in ["", "a/b", "-a", "a b", "a..b", ".a", "a.lock", "a~", "a\n", "x\u{202e}y", "a:b", "@{"] {
        assert!(name(bad).is_err(), "{bad:?}");
    }
    assert_eq!(
        refusal(name("fraud agent")),
        "`fraud agent` cannot be a name: it is no part of a branch name | allowed: what git allows between two \
         slashes of a branch, such as `fraud-agent` or `prod-eu`"
    );
}

#[test]
fn a_release_is_named_by_what_can_be_a_tag() {
    for (text, name) in [
        ("v1.8.0", "v1.8.0"),
        ("refs/tags/fraud-agent/v1.8.0", "fraud-agent/v1.8.0"),
        ("1.8.0+build.5", "1.8.0+build.5"),
        ("3f1c9ab", "3f1c9ab"),
    ] {
        assert_eq!(tag(text), Ok(name.to_owned()));
    }
    for bad in [
        "",
        "-x",
        "--upload-pack=x",
        "a b",
        "a\nb",
        "$(x) y",
        "v1..2",
        "a\u{200b}b",
        "a\u{202e}b",
        "a:b",
        "*",
    ] {
        assert!(tag(bad).is_err(), "{bad:?}");
    }
    assert!(tag(&"v".repeat(256)).is_err());
    assert_eq!(
        refusal(tag("v1\u{202e}\n::error::x")),
        "`v1\\u{202e}\\n::error::x` cannot be a tag, a version or a commit | allowed: what git allows in the \
         name of a tag, such as `v1.8.0` or `fraud-agent/v1.8.0`"
    );
}

#[test]
fn people_teams_and_labels_are_what_github_takes() {
    assert_eq!(login("@octocat"), Ok("octocat".into()));
    assert_eq!(login("dependabot[bot]"), Ok("dependabot[bot]".into()));
    assert_eq!(team("@acme/platform"), Ok("platform".into()));
    assert_eq!(label("size: L ✓"), Ok("size: L ✓".into()));
    assert_eq!(
        refusal(login("octo cat")),
        "`octo cat` is not a login | allowed: letters, digits, `-` and `_`, such as `octocat`"
    );
    assert!(team("a/b/c").is_err() && team("").is_err() && login("@").is_err());
    assert!(label(&"x".repeat(51)).is_err() && label("a\nb").is_err());
}

#[test]
fn lists_drop_blanks_and_repetitions() {
    assert_eq!(items(" a, b\n\nc ,,a\r\n"), ["a", "b", "c"]);
    assert_eq!(lines("check: a, b\r\n\n  any  \nany"), ["check: a, b", "any"]);
    assert!(items(" , \n").is_empty());
}

#[test]
fn what_is_shown_is_one_line_and_short() {
    assert_eq!(shown("a\nb\u{1b}[31m"), "`a\\nb\\u{1b}[31m`");
    assert_eq!(shown(r#"it's "x" \d"#), r#"`it's "x" \d`"#);
    assert_eq!(shown(&"é".repeat(200)).chars().count(), 123);
}

#[test]
fn the_nearest_name_is_close() {
    let known = ["soak", "dry-run", "evidence-at", "to"];
    for (text, near) in [
        ("sok", Some("soak")),
        ("dryRun", Some("dry-run")),
        ("evidence_at", Some("evidence-at")),
        ("evidense-at", Some("evidence-at")),
        ("colour", None),
    ] {
        assert_eq!(nearest(text, known.into_iter()), near, "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic_or_its_message_a_second_line(text in any::<String>()) {
        let results = [
            boolean(&text).map(|_| ()),
            duration(&text).map(|_| ()),
            time(&text).map(|_| ()),
            tag_pattern(&text).map(|_| ()),
            path(&text).map(|_| ()),
            branch(&text).map(|_| ()),
            name(&text).map(|_| ()),
            tag(&text).map(|_| ()),
            login(&text).map(|_| ()),
            team(&text).map(|_| ()),
            label(&text).map(|_| ()),
            evidence(&text).map(|_| ()),
            word::<Command>(&text).map(|_| ()),
        ];
        for wrong in results.into_iter().filter_map(Result::err) {
            prop_assert!(!wrong.message.chars().any(char::is_control), "{:?}", wrong.message);
        }
    }
}
