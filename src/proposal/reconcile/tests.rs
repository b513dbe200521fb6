#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::struct_excessive_bools,
    reason = "tests may"
)]

use serde::Deserialize;

use super::*;
use crate::names::CommitSha;
use crate::proposal::{CheckText, Conclusion};

/// A row of the table that the real client is held to as well, in `tests/flow/reconcile.rs`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Row {
    name: String,
    #[serde(rename = "given")]
    _given: Vec<String>,
    #[serde(rename = "run", default)]
    _run: Vec<String>,
    #[serde(rename = "outcome")]
    _outcome: String,
    #[serde(rename = "again", default)]
    _again: Option<String>,
    #[serde(rename = "title", default)]
    _title: Option<String>,
    wants: String,
    #[serde(default)]
    asked: bool,
    #[serde(default)]
    blocked: bool,
    #[serde(default)]
    draft: bool,
    #[serde(default)]
    auto_merge: bool,
    #[serde(default)]
    has: Has,
    #[serde(default)]
    asks: Vec<String>,
    action: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Has {
    branch: Option<String>,
    plan: Option<String>,
    of: Option<String>,
    base: Option<String>,
    #[serde(default)]
    closed: bool,
    #[serde(default)]
    unswept: bool,
    open: Option<Open>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Open {
    text: Option<String>,
    title: Option<String>,
    #[serde(default)]
    elsewhere: bool,
    #[serde(default)]
    draft: bool,
    #[serde(default)]
    armed: bool,
    #[serde(default)]
    marked: bool,
    #[serde(default)]
    lost: bool,
    approvals: Option<String>,
    check: Option<String>,
    turned: Option<String>,
    #[serde(default)]
    disarmed: bool,
}

const BODY: &str = "<!-- promote:begin -->\nbody\n";

fn rows() -> Vec<Row> {
    serde_yaml::from_str(include_str!("../../../tests/reconcile.yaml")).unwrap()
}

fn text(title: &str, conclusion: Conclusion) -> CheckText {
    CheckText { title: title.into(), summary: format!("of {title}"), conclusion, annotations: Vec::new() }
}

fn seen(text: &CheckText, disarmed: bool) -> Seen {
    let failed = text.conclusion == Conclusion::Failure;
    let (title, summary) = (text.title.clone(), Some(text.summary.clone()));
    Seen::There(SeenCheck { failed, title, summary, disarmed })
}

/// What the row has, everything known.
fn existing(row: &Row, check: &CheckText, held: &CheckText) -> Existing {
    let has = &row.has;
    let is = |field: &Option<String>, value: &str| field.as_deref() == Some(value);
    let content = has.branch.as_deref().map(|branch| match branch {
        "merged" => Content::Nothing,
        "person" => Content::Person("Bob".into()),
        "ours" => Content::Ours {
            digest: if is(&has.plan, "another") { "another" } else { "this" }.into(),
            tag: if is(&has.of, "another") { "v1.7.1" } else { "v1.8.0" }.into(),
            subject: "Promote".into(),
            commit: CommitSha::parse(&"b".repeat(40)).unwrap(),
            ground: if is(&has.base, "moved") { Ground::Moved } else { Ground::Same },
        },
        other => panic!("{}: a branch that is `{other}`", row.name),
    });
    let open = has.open.as_ref().map(|open| OpenPull {
        number: 7,
        title: if is(&open.title, "other") { "Other" } else { "Promote" }.into(),
        body: match open.text.as_deref() {
            None => BODY,
            Some("crlf") => "<!-- promote:begin -->\r\nbody\r\n",
            Some(_) => "<!-- promote:begin -->\nanother",
        }
        .into(),
        place: if open.elsewhere { Place::Elsewhere } else { Place::Here },
        draft: if open.draft { Draft::Yes } else { Draft::No },
        armed: open.armed,
        marked: open.marked,
        proof: if open.lost { Proof::Lost } else { Proof::Holds },
        approvals: Some(Approvals {
            any: open.approvals.is_some(),
            of_another: is(&open.approvals, "of-another"),
        }),
        turned_by: Some(if is(&open.turned, "person") { TurnedBy::Person } else { TurnedBy::Us }),
        check: Some(match open.check.as_deref() {
            None => seen(check, open.disarmed),
            Some("below") => match seen(&text("this", Conclusion::Success), open.disarmed) {
                Seen::There(check) => Seen::Below(check),
                other => other,
            },
            Some("missing") => Seen::Missing,
            Some("unreadable") => Seen::Unreadable,
            Some("held") => seen(held, open.disarmed),
            Some("blocked") => seen(&text("blocked before", Conclusion::Failure), open.disarmed),
            Some("other") => seen(&text("something else", Conclusion::Success), open.disarmed),
            Some("status") => Seen::There(SeenCheck {
                failed: false,
                title: check.title.clone(),
                summary: None,
                disarmed: false,
            }),
            Some(other) => panic!("{}: a check that is `{other}`", row.name),
        }),
    });
    Existing {
        branch: content.map(|content| Branch { head: CommitSha::parse(&"a".repeat(40)).unwrap(), content }),
        open,
        closed: has.closed.then(|| ClosedPull { number: 6, tag: "v1.8.0".into() }),
        unswept: has.unswept.then_some(6),
    }
}

/// The action, and what it asked before: nothing is told that was not asked.
fn asked(wanted: &Wanted<'_>, known: &Existing) -> (Action, Vec<&'static str>) {
    let mut told = known.clone();
    if let Some(open) = &mut told.open {
        (open.approvals, open.check, open.turned_by) = (None, None, None);
    }
    let mut questions = Vec::new();
    loop {
        let question = match action(wanted, &told) {
            Ok(action) => return (action, questions),
            Err(question) => question,
        };
        let (open, answers) = (told.open.as_mut().unwrap(), known.open.as_ref().unwrap());
        questions.push(match question {
            Question::Approvals => {
                open.approvals = answers.approvals;
                "approvals"
            }
            Question::Check => {
                open.check.clone_from(&answers.check);
                "check"
            }
            Question::TurnedBy => {
                open.turned_by = answers.turned_by;
                "turned-by"
            }
        });
        assert!(questions.len() < 4, "{questions:?} and no end");
    }
}

#[test]
fn every_row_has_its_action_and_asks_no_more_than_it_says() {
    let held = text("held", Conclusion::Failure);
    let rows = rows();
    assert!(rows.len() >= 50, "{} rows", rows.len());
    for row in &rows {
        let conclusion = if row.blocked { Conclusion::Failure } else { Conclusion::Success };
        let check = text("this", conclusion);
        let what = match row.wants.as_str() {
            "nothing" => What::Nothing,
            "unproven" => What::Unproven,
            "release" => What::Release(Release {
                tag: "v1.8.0",
                digest: "this",
                title: "Promote",
                body: BODY,
                check: &check,
                draft: if row.draft || row.blocked { Draft::Yes } else { Draft::No },
                blocked: row.blocked,
                auto_merge: row.auto_merge,
                asked: if row.asked { Asked::ByName } else { Asked::No },
            }),
            other => panic!("{}: wants `{other}`", row.name),
        };
        let wanted = Wanted { what, held: &held };
        let (found, asks) = asked(&wanted, &existing(row, &check, &held));
        assert_eq!(found.to_string(), row.action, "{}", row.name);
        assert_eq!(asks, row.asks, "{}", row.name);
    }
}

#[test]
fn rows_have_names_of_their_own() {
    let mut names: Vec<String> = rows().into_iter().map(|row| row.name).collect();
    names.sort();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn who_left_it_and_why_is_said() {
    let held = text("held", Conclusion::Failure);
    let rows = rows();
    let said = |name: &str| {
        let row = rows.iter().find(|row| row.name == name).unwrap();
        let check = text("this", Conclusion::Success);
        let what = match row.wants.as_str() {
            "unproven" => What::Unproven,
            _ => What::Release(Release {
                tag: "v1.8.0",
                digest: "this",
                title: "Promote",
                body: BODY,
                check: &check,
                draft: Draft::No,
                blocked: false,
                auto_merge: false,
                asked: Asked::No,
            }),
        };
        match asked(&Wanted { what, held: &held }, &existing(row, &check, &held)).0 {
            Action::Leave { why, number } => (number, vec![why]),
            Action::Hold { why, number, .. } => (Some(number), why),
            other => panic!("{other}"),
        }
    };
    let stays = "somebody closed the promotion of `v1.8.0` (#6): it stays closed until `tag: v1.8.0` asks for it by name";
    let other = "the open promotion (#7) is of another release, which is not successful now: it is kept, and its check fails until it is";
    let person =
        "the promotion branch has a commit by Bob: it is left as it is until the branch is merged or deleted";
    for (name, number, why) in [
        ("a person's commit on top", Some(7), vec![person]),
        ("a person's branch without a pull request", None, vec![person]),
        ("closed by a person", Some(6), vec![stays]),
        ("closed by a person, and open of another release that fails now", Some(7), vec![stays, other]),
        ("its evidence runs again", Some(7), vec![UNPROVEN]),
    ] {
        assert_eq!(said(name), (number, why.iter().map(|&why| why.to_owned()).collect()), "{name}");
    }
}
