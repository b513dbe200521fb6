//! What must happen so that GitHub equals the proposal, given what is there: one pure table.
//!
//! It respects people (rule 9), keeps an approval for one release (rule 10), and never asks for a
//! move that has nothing new to show. It performs nothing.

use crate::names::CommitSha;

/// What the promotion wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// This release, with this digest of its plan, under this title and body.
    Release {
        /// The tag, as it stands in the trailers of the commit.
        tag: &'a str,
        /// [`super::commit::plan_digest`] of the plan.
        digest: &'a str,
        /// The title.
        title: &'a str,
        /// The body, merged with what people added to the one that is there.
        body: &'a str,
        /// Whether somebody asked for this release by name.
        asked: Asked,
    },
    /// The target runs what could be promoted, or something newer.
    Nothing,
    /// No release is successful now, and the open promotion, if there is one, is not proven any more.
    Unproven,
}

/// Whether a release was asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// `tag` names it.
    ByName,
    /// It was found.
    No,
}

/// What GitHub has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Existing {
    /// The promotion branch.
    pub branch: Option<Branch>,
    /// The open pull request from it.
    pub open: Option<OpenPull>,
    /// The pull request of the wanted release that a person closed without merging.
    pub closed: Option<ClosedPull>,
}

/// The promotion branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Its head: what a move starts from.
    pub head: CommitSha,
    /// What is on it that base lacks.
    pub content: Content,
}

/// What a promotion branch has that base lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Nothing: it was merged, or never written to.
    Nothing,
    /// Our one commit, possibly below merges of base ("Update branch").
    Ours {
        /// What its trailers say of the plan.
        digest: String,
        /// The release it is of.
        tag: String,
        /// Whether base still has the files as they were when it was made.
        ground: Ground,
    },
    /// Somebody's work, named as the log names its author.
    Person(String),
}

impl Content {
    /// The release that our commit is of.
    pub fn tag(&self) -> Option<&str> {
        match self {
            Self::Ours { tag, .. } => Some(tag),
            Self::Nothing | Self::Person(_) => None,
        }
    }
}

/// Whether base still has the edited files as they were under our commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// It has.
    Same,
    /// It changed one of them: the commit must be rebuilt.
    Moved,
}

/// The open pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPull {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Its body.
    pub body: String,
    /// Whether it is approved or merges by itself.
    pub consent: Consent,
    /// Whether the release it is of may still be proposed.
    pub proof: Proof,
}

/// Whether what an open promotion was proposed on still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Its release was passed over now, or its tag is gone.
    Lost,
    /// Nothing speaks against it.
    Holds,
}

/// Whether somebody already said yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// Approved, or auto-merge is armed.
    Given,
    /// Not yet.
    None,
}

/// A pull request that a person closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedPull {
    /// Its number.
    pub number: u64,
    /// The release it was for, where its commit is still known.
    pub tag: Option<String>,
}

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
        /// The branch's part.
        push: Push,
        /// The text's part.
        text: Text,
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
    /// Keep the open one, whose evidence does not hold now, from being merged: its check fails.
    Hold {
        /// Which.
        number: u64,
        /// Why, as warnings.
        why: Vec<String>,
    },
    /// Close the open one: nothing is left to promote.
    Close {
        /// Which.
        number: u64,
    },
}

/// The branch's part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Push {
    /// Commit and move the branch.
    Commit,
    /// The branch is right as it is.
    Keep,
}

/// The text's part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// Write title and body.
    Write,
    /// They are right as they are.
    Keep,
}

/// The action that makes GitHub equal to what is wanted.
pub fn action(wanted: &Wanted<'_>, existing: &Existing) -> Action {
    if let Some(Branch { content: Content::Person(author), .. }) = &existing.branch {
        return left_to(author, existing);
    }
    match (wanted, &existing.open) {
        (Wanted::Nothing | Wanted::Unproven, None) => Action::Rest,
        (Wanted::Nothing, Some(open)) => Action::Close { number: open.number },
        (Wanted::Unproven, Some(open)) => {
            Action::Hold { number: open.number, why: vec![UNPROVEN.to_owned()] }
        }
        (Wanted::Release { tag, asked: Asked::No, .. }, open)
            if was_closed(existing, tag) && (open.is_none() || !is_of(existing, tag)) =>
        {
            respected(existing, tag)
        }
        (Wanted::Release { digest, .. }, None) => Action::Open(push(existing, digest)),
        (Wanted::Release { digest, title, body, .. }, Some(open)) => {
            if changes_release(existing, digest) && open.consent == Consent::Given {
                return Action::Supersede { number: open.number };
            }
            let push = push(existing, digest);
            let same = open.title == *title && same_text(&open.body, body);
            let text = if same { Text::Keep } else { Text::Write };
            match (push, text) {
                (Push::Keep, Text::Keep) => Action::Rest,
                (push, text) => Action::Update { number: open.number, push, text },
            }
        }
    }
}

const UNPROVEN: &str =
    "no release is successful now: the open promotion is kept, and its check fails until one is";

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

/// An approval is for what was shown: the same plan on a moved base is still it.
fn changes_release(existing: &Existing, wanted: &str) -> bool {
    !matches!(&existing.branch, Some(Branch { content: Content::Ours { digest, .. }, .. }) if digest == wanted)
}

/// Whether the branch proposes this release, as it does once it was asked for by name.
fn is_of(existing: &Existing, wanted: &str) -> bool {
    matches!(&existing.branch, Some(Branch { content: Content::Ours { tag, .. }, .. }) if tag == wanted)
}

fn left_to(author: &str, existing: &Existing) -> Action {
    let number = existing.open.as_ref().map(|open| open.number);
    Action::Leave {
        number,
        why: format!("the promotion branch has a commit by {author}: it is left as it is"),
    }
}

fn was_closed(existing: &Existing, tag: &str) -> bool {
    existing.closed.as_ref().is_some_and(|closed| closed.tag.as_deref() == Some(tag))
}

/// What a person closed stays closed; what is open of another release is kept, but not on a proof that is lost.
fn respected(existing: &Existing, tag: &str) -> Action {
    let number = existing.closed.as_ref().map(|closed| closed.number);
    let of = number.map_or(String::new(), |number| format!(" (#{number})"));
    let why = format!(
        "somebody closed the promotion of `{tag}`{of}: it stays closed until `tag: {tag}` asks for it by name"
    );
    match &existing.open {
        Some(OpenPull { number, proof: Proof::Lost, .. }) => {
            let held = format!(
                "the open promotion (#{number}) is of another release, which is not successful now: it is kept, and its check fails until it is"
            );
            Action::Hold { number: *number, why: vec![why, held] }
        }
        _ => Action::Leave { number, why },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::unnecessary_wraps, reason = "tests may")]
    use super::*;

    fn release(digest: &str, asked: Asked) -> Wanted<'_> {
        Wanted::Release { tag: "v1.8.0", digest, title: "Promote", body: "body\n", asked }
    }

    fn on(content: Content) -> Option<Branch> {
        Some(Branch { head: CommitSha::parse(&"a".repeat(40)).unwrap(), content })
    }

    fn ours(digest: &str, ground: Ground) -> Option<Branch> {
        on(Content::Ours { digest: digest.into(), tag: "v1.8.0".into(), ground })
    }

    fn open(body: &str, consent: Consent) -> Option<OpenPull> {
        Some(OpenPull { number: 7, title: "Promote".into(), body: body.into(), consent, proof: Proof::Holds })
    }

    fn failed(body: &str, consent: Consent) -> Option<OpenPull> {
        open(body, consent).map(|open| OpenPull { proof: Proof::Lost, ..open })
    }

    fn closed(tag: &str) -> Option<ClosedPull> {
        Some(ClosedPull { number: 6, tag: Some(tag.into()) })
    }

    #[test]
    fn every_combination_has_one_action() {
        use Asked::{ByName, No};
        use Ground::{Moved, Same};
        let update = |push, text| Action::Update { number: 7, push, text };
        let hold =
            |why: &[&str]| Action::Hold { number: 7, why: why.iter().map(|&why| why.to_owned()).collect() };
        let stays = "somebody closed the promotion of `v1.8.0` (#6): it stays closed until `tag: v1.8.0` asks for it by name";
        let other = "the open promotion (#7) is of another release, which is not successful now: it is kept, and its check fails until it is";
        let newer = || on(Content::Ours { digest: "d".into(), tag: "v1.9.0".into(), ground: Same });
        let person = || on(Content::Person("Bob".into()));
        let leave = |number| left_to("Bob", &Existing { open: number, ..Existing::default() });
        #[rustfmt::skip]
        let table: Vec<(&str, Wanted<'_>, Existing, Action)> = vec![
            ("nothing there", release("d", No), Existing::default(), Action::Open(Push::Commit)),
            ("a merged branch", release("d", No), Existing { branch: on(Content::Nothing), ..Default::default() }, Action::Open(Push::Commit)),
            ("our branch without pull request", release("d", No), Existing { branch: ours("d", Same), ..Default::default() }, Action::Open(Push::Keep)),
            ("an older branch without pull request", release("d", No), Existing { branch: ours("c", Same), ..Default::default() }, Action::Open(Push::Commit)),
            ("up to date", release("d", No), Existing { branch: ours("d", Same), open: open("body\n", Consent::None), closed: None }, Action::Rest),
            ("up to date but for line ends", release("d", No), Existing { branch: ours("d", Same), open: open("body\r\n", Consent::None), closed: None }, Action::Rest),
            ("approved and up to date", release("d", No), Existing { branch: ours("d", Same), open: open("body", Consent::Given), closed: None }, Action::Rest),
            ("old text", release("d", No), Existing { branch: ours("d", Same), open: open("old", Consent::Given), closed: None }, update(Push::Keep, Text::Write)),
            ("base moved below", release("d", No), Existing { branch: ours("d", Moved), open: open("body", Consent::Given), closed: None }, update(Push::Commit, Text::Keep)),
            ("a newer release", release("e", No), Existing { branch: ours("d", Same), open: open("old", Consent::None), closed: None }, update(Push::Commit, Text::Write)),
            ("a newer release under an approval", release("e", No), Existing { branch: ours("d", Same), open: open("old", Consent::Given), closed: None }, Action::Supersede { number: 7 }),
            ("a person's commit", release("d", No), Existing { branch: person(), open: open("body", Consent::None), closed: None }, leave(open("", Consent::None))),
            ("a person's commit, by name", release("d", ByName), Existing { branch: person(), ..Default::default() }, leave(None)),
            ("a person's commit, nothing to promote", Wanted::Nothing, Existing { branch: person(), open: open("body", Consent::None), closed: None }, leave(open("", Consent::None))),
            ("closed by a person", release("d", No), Existing { closed: closed("v1.8.0"), ..Default::default() }, respected(&Existing { closed: closed("v1.8.0"), ..Default::default() }, "v1.8.0")),
            ("closed by a person, asked for by name", release("d", ByName), Existing { closed: closed("v1.8.0"), ..Default::default() }, Action::Open(Push::Commit)),
            ("another release closed by a person", release("d", No), Existing { closed: closed("v1.7.0"), ..Default::default() }, Action::Open(Push::Commit)),
            ("reopened by a person", release("d", No), Existing { branch: ours("d", Same), open: open("body", Consent::None), closed: closed("v1.8.0") }, Action::Rest),
            ("closed by a person, open since by name, changed", release("e", No), Existing { branch: ours("d", Same), open: open("old", Consent::None), closed: closed("v1.8.0") }, update(Push::Commit, Text::Write)),
            ("another release, closed by a person, under an open one that fails now", release("e", No), Existing { branch: newer(), open: failed("old", Consent::None), closed: closed("v1.8.0") }, hold(&[stays, other])),
            ("another release, closed by a person, under an approved one that fails now", release("e", No), Existing { branch: newer(), open: failed("old", Consent::Given), closed: closed("v1.8.0") }, hold(&[stays, other])),
            ("another release, closed by a person, under an open one that was asked for by name", release("e", No), Existing { branch: newer(), open: open("old", Consent::None), closed: closed("v1.8.0") }, respected(&Existing { closed: closed("v1.8.0"), ..Default::default() }, "v1.8.0")),
            ("nothing successful now, nothing there", Wanted::Unproven, Existing::default(), Action::Rest),
            ("nothing successful now, one open", Wanted::Unproven, Existing { branch: ours("d", Same), open: open("body", Consent::Given), closed: None }, hold(&[UNPROVEN])),
            ("nothing to promote, nothing there", Wanted::Nothing, Existing::default(), Action::Rest),
            ("nothing to promote any more", Wanted::Nothing, Existing { branch: ours("d", Same), open: open("body", Consent::None), closed: None }, Action::Close { number: 7 }),
        ];
        for (name, wanted, existing, expected) in table {
            assert_eq!(action(&wanted, &existing), expected, "{name}");
        }
    }
}
