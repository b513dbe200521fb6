//! The check of a promotion, on the head of its branch; where checks cannot be written, a commit status.

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::Refusal;
use super::{GitHub, set};
use crate::failure::Result;
use crate::names::CommitSha;

/// The check run of a promotion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// `success`, `neutral` or `failure`.
    pub conclusion: String,
    /// One line.
    pub title: String,
    /// Markdown.
    pub summary: String,
    /// Notes on lines of the commit.
    pub annotations: Vec<CheckNote>,
    /// Whether auto-merge was turned off because of it.
    pub disarmed: bool,
}

/// A note on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckNote {
    /// Path in the repository.
    pub path: String,
    /// 1-based.
    pub line: u32,
    /// `notice`, `warning` or `failure`.
    pub level: &'static str,
    /// What it says.
    pub message: String,
    /// Its heading.
    pub title: String,
}

/// A check run that is there.
#[derive(Debug, Clone)]
pub struct ExistingCheck {
    /// Its id; a status has none.
    pub id: Option<u64>,
    /// How it ended.
    pub conclusion: Option<String>,
    /// Its title.
    pub title: String,
    /// Its summary.
    pub summary: String,
    /// How many annotations it has.
    pub annotations: usize,
    /// Whether auto-merge was turned off because of it.
    pub disarmed: bool,
}

/// What was found where a check may be.
#[derive(Debug, Clone)]
pub enum Found {
    /// This one.
    There(ExistingCheck),
    /// None.
    Missing,
    /// The token may read neither checks nor statuses.
    Unreadable,
}

/// The name of the check run on the head of a promotion.
pub const CHECK: &str = crate::release::evidence::OURS;

/// What tells our check from a job that is called like it.
const OURS: &str = "promote";
/// The same, where auto-merge was turned off with it.
const DISARMED: &str = "promote-disarmed";

/// How many annotations a request may carry.
const BATCH: usize = 50;
/// How many annotations a check gets; nobody reads more.
const MOST_ANNOTATIONS: usize = 200;
/// What fits into the description of a commit status, in characters.
const STATUS_LENGTH: usize = 140;
const CHECKS: &str = "checks: write";
const STATUSES: &str = "statuses: write";

impl GitHub {
    /// The newest promotion check on a commit: the check run, else the status that stands for it.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn check_on(&self, commit: &CommitSha) -> Result<Found> {
        let checks = self.checks_on(commit).await;
        // A token that may write no checks may not read them either; then there are only statuses.
        let without = match checks {
            Ok(checks) => match checks.into_iter().max_by_key(|check| check.id) {
                Some(check) => return Ok(Found::There(check.existing())),
                None => Found::Missing,
            },
            Err(refusal) if may_not_read(&refusal) => Found::Unreadable,
            Err(refusal) => return Err(refusal.into()),
        };
        match self.status_on(commit).await {
            Ok(Some(status)) => Ok(Found::There(status)),
            Ok(None) => Ok(without),
            Err(refusal) if may_not_read(&refusal) => Ok(without),
            Err(refusal) => Err(refusal.into()),
        }
    }

    async fn checks_on(&self, commit: &CommitSha) -> Result<Vec<WireCheck>, Refusal> {
        let path = self.path(&format!("/commits/{commit}/check-runs?check_name={CHECK}&filter=all"));
        let checks: Vec<WireCheck> = self.reader.list(&path, Some("check_runs"), "checks: read").await?;
        // All of them: the latest of a name would hide ours behind another's. A job of somebody's workflow may be called
        // so too, and Actions gives each an id of its own. A server that keeps no such ids has none of ours either.
        let id = |check: &WireCheck| check.external_id.clone().unwrap_or_default();
        let ours = |check: &WireCheck| [OURS, DISARMED].contains(&id(check).as_str());
        let any = checks.iter().any(ours);
        let is_it =
            |check: &WireCheck| check.name == CHECK && (ours(check) || (!any && id(check).is_empty()));
        Ok(checks.into_iter().filter(is_it).collect())
    }

    async fn status_on(&self, commit: &CommitSha) -> Result<Option<ExistingCheck>, Refusal> {
        let statuses = self.statuses(commit).await?;
        Ok(statuses.into_iter().find(|status| status.context == CHECK).map(|status| ExistingCheck {
            id: None,
            conclusion: Some(if status.state == "error" { "failure".to_owned() } else { status.state }),
            title: status.description.unwrap_or_default(),
            summary: String::new(),
            annotations: 0,
            disarmed: false,
        }))
    }

    /// Writes the promotion check of a commit, over the one that is there. Without leave to write checks: a commit status.
    ///
    /// # Errors
    /// When GitHub refuses both, or cannot be reached.
    pub async fn write_check(
        &self,
        commit: &CommitSha,
        existing: Option<&ExistingCheck>,
        check: &Check,
        details: Option<&str>,
    ) -> Result<()> {
        match self.write_check_run(commit, existing, check, details).await {
            Ok(()) => Ok(()),
            Err(refusal) if refusal.is(StatusCode::FORBIDDEN) => {
                self.write_status(commit, check, details).await.map_err(|_| refusal.into())
            }
            Err(refusal) => Err(refusal.into()),
        }
    }

    async fn write_check_run(
        &self,
        commit: &CommitSha,
        existing: Option<&ExistingCheck>,
        check: &Check,
        details: Option<&str>,
    ) -> Result<(), Refusal> {
        let notes: Vec<Value> = check.annotations.iter().take(MOST_ANNOTATIONS).map(annotation).collect();
        // GitHub adds annotations to those that are there: a check is written over where it needs no more of them.
        let same = existing.filter(|existing| notes.is_empty() || existing.annotations == notes.len());
        if let Some(id) = same.and_then(|existing| existing.id) {
            match self.over_check_run(id, check, &[], details).await {
                // Another app made it.
                Err(refusal) if refusal.is(StatusCode::FORBIDDEN) => {}
                done => return done,
            }
        }
        let mut batches = notes.chunks(BATCH);
        let mut body = body_of(check, batches.next().unwrap_or_default(), details);
        set(&mut body, "head_sha", json!(commit));
        let look = async || {
            let written = |one: &WireCheck| one.says(check);
            Ok(self.checks_on(commit).await?.into_iter().filter(written).max_by_key(|one| one.id))
        };
        let made: WireCheck = self.reader.created(&self.path("/check-runs"), &body, CHECKS, look).await?;
        for batch in batches {
            self.over_check_run(made.id, check, batch, details).await?;
        }
        Ok(())
    }

    async fn over_check_run(
        &self,
        id: u64,
        check: &Check,
        notes: &[Value],
        details: Option<&str>,
    ) -> Result<(), Refusal> {
        let path = self.path(&format!("/check-runs/{id}"));
        self.reader.write(&Method::PATCH, &path, &body_of(check, notes, details), CHECKS).await.map(drop)
    }

    async fn write_status(
        &self,
        commit: &CommitSha,
        check: &Check,
        details: Option<&str>,
    ) -> Result<(), Refusal> {
        let state = if check.conclusion == "failure" { "failure" } else { "success" };
        let description: String = check.title.chars().take(STATUS_LENGTH).collect();
        let body =
            json!({"state": state, "context": CHECK, "description": description, "target_url": details});
        // A second one of the same words would change nothing that anybody sees.
        let path = self.path(&format!("/statuses/{commit}"));
        self.reader.write(&Method::POST, &path, &body, STATUSES).await.map(drop)
    }
}

fn may_not_read(refusal: &Refusal) -> bool {
    refusal.is(StatusCode::FORBIDDEN) || refusal.is(StatusCode::NOT_FOUND)
}

fn annotation(note: &CheckNote) -> Value {
    json!({"path": note.path, "start_line": note.line, "end_line": note.line,
           "annotation_level": note.level, "message": note.message, "title": note.title})
}

fn body_of(check: &Check, notes: &[Value], details: Option<&str>) -> Value {
    let mut output = json!({"title": check.title, "summary": check.summary});
    if !notes.is_empty() {
        set(&mut output, "annotations", json!(notes));
    }
    let mut body = json!({
        "name": CHECK, "status": "completed", "conclusion": check.conclusion, "output": output,
        "external_id": if check.disarmed { DISARMED } else { OURS },
    });
    if let Some(details) = details {
        set(&mut body, "details_url", json!(details));
    }
    body
}

#[derive(Deserialize)]
struct WireCheck {
    id: u64,
    #[serde(default)]
    name: String,
    external_id: Option<String>,
    conclusion: Option<String>,
    output: Option<WireOutput>,
}

#[derive(Deserialize, Default)]
struct WireOutput {
    title: Option<String>,
    summary: Option<String>,
    #[serde(default)]
    annotations_count: usize,
}

impl WireCheck {
    fn existing(self) -> ExistingCheck {
        let output = self.output.unwrap_or_default();
        ExistingCheck {
            id: Some(self.id),
            conclusion: self.conclusion,
            title: output.title.unwrap_or_default(),
            summary: output.summary.unwrap_or_default(),
            annotations: output.annotations_count,
            disarmed: self.external_id.as_deref() == Some(DISARMED),
        }
    }

    fn says(&self, check: &Check) -> bool {
        let is = |text: Option<&String>, wanted: &str| text.is_some_and(|text| text.trim() == wanted.trim());
        let output = self.output.as_ref();
        self.conclusion.as_deref() == Some(check.conclusion.as_str())
            && is(output.and_then(|output| output.title.as_ref()), &check.title)
            && is(output.and_then(|output| output.summary.as_ref()), &check.summary)
    }
}
