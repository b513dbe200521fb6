//! What started this run: the event the runner names and its payload.
//!
//! Everything in a payload is outside text: it is read into types here, and the few values that may
//! act as settings are picked out by name (rule 8). A payload never decides policy, and an event
//! that a promotion cannot act on is refused by name instead of being guessed at.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::table::DISPATCH;
use crate::failure::{Failure, Kind, Place, Result};
use crate::names::{BranchName, CommitSha};

/// The events a promotion can act on.
pub const EVENTS: &[&str] = &[
    "workflow_run",
    "workflow_dispatch",
    "push",
    "create",
    "release",
    "schedule",
    "repository_dispatch",
    "deployment_status",
];

/// What started this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The event's name, as GitHub has it; empty for a run outside Actions.
    pub name: String,
    /// What happened.
    pub trigger: Trigger,
    /// The login of whoever caused it.
    pub sender: Option<String>,
    /// The repository's default branch, where the payload says it.
    pub default_branch: Option<BranchName>,
    /// What a `workflow_dispatch` or `repository_dispatch` carried, values as text, `null` left out.
    pub dispatch: BTreeMap<String, String>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// A workflow run was requested, started or completed.
    WorkflowRun(WorkflowRun),
    /// A person, or a person's tool, started the workflow.
    Dispatch,
    /// A tag was pushed, created or deleted.
    Tag {
        /// Without `refs/tags/`.
        name: String,
        /// Whether it is gone.
        fate: Fate,
    },
    /// A branch was pushed, created or deleted.
    Branch {
        /// Without `refs/heads/`.
        name: String,
        /// Whether it is gone.
        fate: Fate,
    },
    /// Something happened to a release.
    Release {
        /// Its tag.
        tag: String,
        /// `published`, `created`, …
        action: String,
    },
    /// The clock.
    Schedule,
    /// An event that somebody sent through the API.
    RepositoryDispatch {
        /// Its type, chosen by the sender.
        action: String,
    },
    /// A deployment reported.
    DeploymentStatus {
        /// Where to.
        environment: String,
        /// `success`, `failure`, …
        state: String,
        /// What was deployed.
        sha: Option<CommitSha>,
    },
    /// No event: somebody runs the program on a machine of their own.
    Local,
}

/// Whether a ref is there after the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was made or moved.
    Present,
    /// It was deleted.
    Deleted,
}

/// The run that a `workflow_run` event is about; never the run that it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowRun {
    /// Its id.
    pub id: u64,
    /// The workflow's name.
    pub name: Option<String>,
    /// The workflow's file, without the ref behind it: `.github/workflows/staging.yml`.
    pub path: Option<String>,
    /// The commit it ran on.
    pub head_sha: CommitSha,
    /// The branch, or (not promised anywhere) the tag that it ran for.
    pub head_branch: Option<String>,
    /// What had started it.
    pub event: String,
    /// How it ended; absent while it has not.
    pub conclusion: Option<String>,
    /// Where its commit comes from.
    pub origin: Origin,
}

/// Whose commit a workflow ran on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// This repository's.
    Own,
    /// A fork's, or that of a repository that is gone: never evidence (rule 3).
    Foreign,
}

impl Event {
    /// A run outside Actions.
    pub fn local() -> Self {
        Self {
            name: String::new(),
            trigger: Trigger::Local,
            sender: None,
            default_branch: None,
            dispatch: BTreeMap::new(),
        }
    }

    /// Reads the payload of the event `name` from the bytes of the file at `path`; an empty name is
    /// a run outside Actions.
    ///
    /// # Errors
    /// The event is not one of [`EVENTS`]; the file is missing, is not JSON, or lacks what every
    /// payload of this event has.
    pub fn parse(name: &str, path: &str, payload: Option<&[u8]>) -> Result<Self> {
        let name = name.trim();
        if name.is_empty() {
            return Ok(Self::local());
        }
        if !EVENTS.contains(&name) {
            return Err(Failure::new(
                Kind::Settings,
                format!("a promotion cannot act on the event `{}`", name.escape_debug()),
            )
            .hinted(format!(
                "start the workflow on one of: {}",
                super::values::quoted(EVENTS.iter().copied())
            )));
        }
        let file = File { path, bytes: payload.ok_or_else(|| missing(name, path))? };
        let common: Common = file.read()?;
        let (trigger, dispatch) = file.trigger(name)?;
        Ok(Self {
            name: name.to_owned(),
            trigger,
            sender: common.sender.map(|sender| sender.login),
            default_branch: common
                .repository
                .and_then(|repository| repository.default_branch)
                .and_then(|branch| BranchName::parse(&branch).ok()),
            dispatch,
        })
    }
}

fn missing(name: &str, path: &str) -> Failure {
    let failure = if path.is_empty() {
        Failure::new(Kind::Settings, format!("the event is `{name}`, but `GITHUB_EVENT_PATH` names no file"))
    } else {
        Failure::at(Kind::Settings, Place::of(path), format!("there is no file with the payload of `{name}`"))
    };
    failure.hinted(
        "the runner sets `GITHUB_EVENT_NAME` and `GITHUB_EVENT_PATH`; outside Actions leave both unset",
    )
}

const HINT: &str = "this file is written by the runner; outside Actions leave `GITHUB_EVENT_NAME` unset";

/// The payload's file.
struct File<'a> {
    path: &'a str,
    bytes: &'a [u8],
}

impl File<'_> {
    fn read<T: DeserializeOwned>(&self) -> Result<T> {
        // Serde takes a list for a struct, and then misses its fields.
        if self.bytes.trim_ascii_start().first() == Some(&b'[') {
            return Err(self
                .wrong("the event's payload is not what GitHub sends: a list, not an object")
                .hinted(HINT));
        }
        serde_json::from_slice(self.bytes).map_err(|error| {
            let text = error.to_string();
            let what = text.split(" at line ").next().unwrap_or(&text);
            let position = |n: usize| u32::try_from(n.max(1)).unwrap_or(u32::MAX);
            let place = Place::at(self.path, position(error.line()), position(error.column()));
            let message = if error.is_data() {
                format!("the event's payload is not what GitHub sends: {what}")
            } else {
                format!("the event's payload is not JSON: {what}")
            };
            Failure::at(Kind::Settings, place, message).hinted(HINT)
        })
    }

    fn wrong(&self, message: impl Into<String>) -> Failure {
        Failure::at(Kind::Settings, Place::of(self.path), message)
    }

    fn trigger(&self, name: &str) -> Result<(Trigger, BTreeMap<String, String>)> {
        let trigger = match name {
            "workflow_run" => self.workflow_run()?,
            "push" => self.push()?,
            "create" => {
                let create: Create = self.read()?;
                match create.ref_type.as_str() {
                    "tag" => Trigger::Tag { name: create.name, fate: Fate::Present },
                    _ => Trigger::Branch { name: create.name, fate: Fate::Present },
                }
            }
            "release" => {
                let payload: ReleaseEvent = self.read()?;
                Trigger::Release { tag: payload.release.tag_name, action: payload.action }
            }
            "schedule" => Trigger::Schedule,
            "deployment_status" => {
                let payload: DeploymentStatusEvent = self.read()?;
                Trigger::DeploymentStatus {
                    environment: payload.deployment.environment,
                    state: payload.deployment_status.state,
                    sha: payload.deployment.sha.and_then(|sha| CommitSha::parse(&sha).ok()),
                }
            }
            "repository_dispatch" => {
                let payload: RepositoryDispatch = self.read()?;
                let sent = self.texts("client_payload", payload.client_payload)?;
                return Ok((Trigger::RepositoryDispatch { action: payload.action }, sent));
            }
            _ => {
                let payload: WorkflowDispatch = self.read()?;
                return Ok((Trigger::Dispatch, self.texts("inputs", payload.inputs)?));
            }
        };
        Ok((trigger, BTreeMap::new()))
    }

    fn workflow_run(&self) -> Result<Trigger> {
        let payload: WorkflowRunEvent = self.read()?;
        let run = payload.workflow_run;
        let own = payload.repository.id;
        let origin = match run.head_repository.map(|head| head.id) {
            Some(head) if head == own => Origin::Own,
            _ => Origin::Foreign,
        };
        // Old servers say the file of the workflow alone, not of the run.
        let path = run.path.or_else(|| payload.workflow?.path).filter(|path| !path.is_empty());
        let head_sha = CommitSha::parse(&run.head_sha).map_err(|_| {
            self.wrong(format!(
                "`workflow_run.head_sha` is `{}`, not a commit id",
                run.head_sha.escape_debug()
            ))
            .hinted(HINT)
        })?;
        Ok(Trigger::WorkflowRun(WorkflowRun {
            id: run.id,
            name: run.name.filter(|name| !name.is_empty()),
            path: path.map(|path| path.split('@').next().unwrap_or_default().to_owned()),
            head_sha,
            head_branch: run.head_branch,
            event: run.event,
            conclusion: run.conclusion,
            origin,
        }))
    }

    fn push(&self) -> Result<Trigger> {
        let push: Push = self.read()?;
        let fate = if push.deleted { Fate::Deleted } else { Fate::Present };
        if let Some(name) = push.name.strip_prefix("refs/tags/") {
            return Ok(Trigger::Tag { name: name.to_owned(), fate });
        }
        match push.name.strip_prefix("refs/heads/") {
            Some(name) => Ok(Trigger::Branch { name: name.to_owned(), fate }),
            None => Err(self
                .wrong(format!("`{}` was pushed, which is no branch and no tag", push.name.escape_debug()))
                .hinted("let `on: push` name `branches` or `tags`")),
        }
    }

    /// Scalars as text. What is nested belongs to somebody else, unless it stands where a setting goes.
    fn texts(&self, key: &str, sent: Option<BTreeMap<String, Value>>) -> Result<BTreeMap<String, String>> {
        let mut texts = BTreeMap::new();
        for (name, value) in sent.unwrap_or_default() {
            let text = match value {
                Value::Null => continue,
                Value::Bool(yes) => yes.to_string(),
                Value::Number(number) => number.to_string(),
                Value::String(text) => text,
                Value::Array(_) | Value::Object(_) => {
                    if DISPATCH.contains(&name.replace('_', "-").as_str()) {
                        return Err(self
                            .wrong(format!("`{key}.{name}` is a list or an object; it must be text"))
                            .hinted("send it as a string, a number, `true` or `false`"));
                    }
                    continue;
                }
            };
            texts.insert(name, text);
        }
        Ok(texts)
    }
}

#[derive(Deserialize)]
struct Common {
    sender: Option<User>,
    repository: Option<CommonRepository>,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

#[derive(Deserialize)]
struct CommonRepository {
    default_branch: Option<String>,
}

#[derive(Deserialize)]
struct RepositoryId {
    id: u64,
}

#[derive(Deserialize)]
struct WorkflowRunEvent {
    workflow_run: RunPayload,
    workflow: Option<WorkflowPayload>,
    repository: RepositoryId,
}

#[derive(Deserialize)]
struct WorkflowPayload {
    path: Option<String>,
}

#[derive(Deserialize)]
struct RunPayload {
    id: u64,
    name: Option<String>,
    path: Option<String>,
    head_sha: String,
    head_branch: Option<String>,
    event: String,
    conclusion: Option<String>,
    head_repository: Option<RepositoryId>,
}

#[derive(Deserialize)]
struct Push {
    #[serde(rename = "ref")]
    name: String,
    #[serde(default)]
    deleted: bool,
}

#[derive(Deserialize)]
struct Create {
    #[serde(rename = "ref")]
    name: String,
    ref_type: String,
}

#[derive(Deserialize)]
struct ReleaseEvent {
    action: String,
    release: ReleasePayload,
}

#[derive(Deserialize)]
struct ReleasePayload {
    tag_name: String,
}

#[derive(Deserialize)]
struct DeploymentStatusEvent {
    deployment: DeploymentPayload,
    deployment_status: StatusPayload,
}

#[derive(Deserialize)]
struct DeploymentPayload {
    environment: String,
    sha: Option<String>,
}

#[derive(Deserialize)]
struct StatusPayload {
    state: String,
}

#[derive(Deserialize)]
struct WorkflowDispatch {
    inputs: Option<BTreeMap<String, Value>>,
}

#[derive(Deserialize)]
struct RepositoryDispatch {
    action: String,
    client_payload: Option<BTreeMap<String, Value>>,
}

#[cfg(test)]
mod tests;
