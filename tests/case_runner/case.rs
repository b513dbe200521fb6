//! `case.yaml` as it is written; a key that is not here is an error.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// One case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    /// The rule that it holds, in a sentence.
    pub rule: String,
    /// What is there before the history: a folder of `starts/`, released as v1.7.0 and running in both
    /// environments; or `nothing`.
    #[serde(default = "one_app")]
    pub start: String,
    /// The workflow files that Actions lists.
    #[serde(default = "staging")]
    pub workflows: Vec<String>,
    /// `.github/promote.yaml`, part of the first commit.
    pub settings: Option<String>,
    /// Commits with what happened to them, oldest first.
    pub history: Vec<Step>,
    /// What starts the run; else the end of the last workflow run.
    pub event: Option<Event>,
    /// Inputs beside `token` and `command`.
    #[serde(default)]
    pub inputs: BTreeMap<String, String>,
    /// What a case of `tests/selection/` expects.
    pub expect: Option<Expect>,
}

/// What is chosen, and why nothing newer; what is not there is expected not to be there.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// The tag that is promoted, the one that runs already, or `nothing`; of several targets, each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen: Option<String>,
    /// Every release that was passed over, newest first: its tag, what it came to, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<String>,
    /// What makes the chosen one successful.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// The commit whose overlay is promoted, where it is not the tagged one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carried_by: Option<String>,
    /// Why the search ended, where it was not at the first success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// Errors and warnings, without their hints.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<String>,
}

/// A commit, its tags, and what ran on it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Step {
    /// The message.
    #[serde(default = "change")]
    pub commit: String,
    /// For short: a commit that records this version's image in staging's `values.yaml` and is tagged so.
    pub release: Option<String>,
    /// Login of the author.
    #[serde(default = "alice")]
    pub by: String,
    /// How old it is: `30m`, `20h`, `3d`.
    pub age: Option<Age>,
    /// The branch; a new one starts at the default branch's head.
    #[serde(default = "main")]
    pub branch: String,
    /// Whole files.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Values of keys of a file that is there.
    #[serde(default)]
    pub set: BTreeMap<String, BTreeMap<String, String>>,
    /// Files that go.
    #[serde(default)]
    pub delete: Vec<String>,
    /// Tags on it.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// As many lightweight tags on it as `count` says; `{}` in `name` is the number.
    pub many_tags: Option<Many>,
    /// Tags that are moved here from where they were.
    #[serde(default)]
    pub moves: Vec<String>,
    /// Tags that are gone, once all that ran here has run.
    #[serde(default)]
    pub untags: Vec<String>,
    /// A branch whose head trunk is moved to afterwards.
    pub forwards: Option<String>,
    /// What ran on it.
    #[serde(default)]
    pub ran: Vec<Ran>,
}

/// Tags that differ by a number.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Many {
    /// With `{}` for the number.
    pub name: String,
    /// How many, from 1.
    pub count: usize,
}

/// A tag: its name, or an annotated one.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Tag {
    Light(String),
    Annotated(Annotated),
}

/// An annotated tag.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Annotated {
    pub name: String,
    /// Its message.
    #[serde(default, rename = "annotated")]
    pub message: String,
    pub age: Option<Age>,
    /// What GitHub says of its signature: `valid`, `unknown_key`, ...; else it has none.
    pub signature: Option<String>,
    /// The ref that its object is put under, in place of its own name.
    pub under: Option<String>,
}

impl Tag {
    pub fn name(&self) -> &str {
        match self {
            Self::Light(name) => name,
            Self::Annotated(tag) => &tag.name,
        }
    }
}

/// One thing that ran on a commit: exactly one of `workflow`, `check`, `status` and `deployment`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ran {
    /// The file of a workflow, `staging.yml`.
    pub workflow: Option<String>,
    /// The name of a check run.
    pub check: Option<String>,
    /// The context of a commit status.
    pub status: Option<String>,
    /// The environment of a deployment.
    pub deployment: Option<String>,
    /// How it ended or what it does: `success`, `failure`, `in_progress`, …; of a deployment all its
    /// states, an hour apart.
    #[serde(default = "success")]
    pub is: Is,
    /// How long ago.
    pub age: Option<Age>,
    /// Of a deployment: the file of the workflow whose run made it.
    pub run_of: Option<String>,
    /// Of a run: the branch or tag it ran for; else the commit's first tag, else its branch. Of a deployment: the ref it
    /// was asked for by; else the commit.
    pub on: Option<String>,
    /// Of a run: what started it; else `push`.
    pub event: Option<String>,
    /// Of a run: that GitHub does not know what it ran for.
    #[serde(default)]
    pub for_nothing: bool,
    /// Of a run: the workflow's name.
    pub name: Option<String>,
    /// Of a run: which attempt the latest is; the earlier ones are all of the other end.
    pub attempt: Option<u64>,
    /// How many of it there are; else one.
    pub times: Option<usize>,
    /// Of a run: the fork it came from.
    pub fork: Option<String>,
    /// Of a run: its jobs.
    #[serde(default)]
    pub jobs: Vec<String>,
    /// Of a check run: the app.
    pub app: Option<String>,
    /// Of a check run: the title of its output.
    pub title: Option<String>,
    /// Of a status or deployment: who set it.
    pub by: Option<String>,
}

/// One state or several.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Is {
    One(String),
    Several(Vec<String>),
}

impl Is {
    pub fn all(&self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one.clone()],
            Self::Several(all) => all.clone(),
        }
    }
}

/// What starts the run.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Event {
    /// `schedule` or `workflow_run`.
    Name(String),
    /// A dispatch with its inputs.
    Dispatch(Dispatch),
    /// Something that happened to a tag.
    Tag(TagEvent),
    /// The end of one of the case's runs.
    Run {
        /// Its number, from 1; 0 is the start's.
        workflow_run: usize,
    },
}

/// What happened to a tag: one of these.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum TagEvent {
    Push(String),
    Deleted(String),
    Create(String),
    Release(String),
}

/// A dispatch with its inputs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dispatch {
    pub workflow_dispatch: BTreeMap<String, Option<String>>,
}

/// How long ago something was.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub struct Age(pub SignedDuration);

impl TryFrom<String> for Age {
    type Error = anyhow::Error;

    fn try_from(text: String) -> anyhow::Result<Self> {
        let what = || format!("`{text}` is no age like `30m`, `20h` or `3d`");
        let digits = text.trim_end_matches(['m', 'h', 'd']);
        let number: i64 = digits.parse().with_context(what)?;
        let minutes = match text.get(digits.len()..) {
            Some("m") => 1,
            Some("h") => 60,
            Some("d") => 24 * 60,
            _ => bail!(what()),
        };
        Ok(Self(SignedDuration::from_mins(number * minutes)))
    }
}

impl Case {
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        Ok(serde_yaml::from_str(text)?)
    }
}

fn change() -> String {
    "change".to_owned()
}

fn one_app() -> String {
    "one-app".to_owned()
}

fn staging() -> Vec<String> {
    vec!["staging.yml".to_owned()]
}

fn alice() -> String {
    "alice".to_owned()
}

fn main() -> String {
    "main".to_owned()
}

fn success() -> Is {
    Is::One("success".to_owned())
}
