//! The check of a promotion, on the head of its branch; where checks cannot be written, a commit status.

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

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
    /// Notes on lines of the commit, at most 50.
    pub annotations: Vec<CheckNote>,
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
}

/// The name of the check run on the head of a promotion.
pub const CHECK: &str = crate::release::evidence::OURS;

impl GitHub {
    /// The newest promotion check on a commit: the check run, else the status that stands for it.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn check_on(&self, commit: &CommitSha) -> Result<Option<ExistingCheck>> {
        let path = self.path(&format!("/commits/{commit}/check-runs?check_name={CHECK}&filter=latest"));
        let checks: Vec<WireCheck> = self.reader.list(&path, Some("check_runs"), "checks: read").await?;
        if let Some(check) =
            checks.into_iter().filter(|check| check.name == CHECK).max_by_key(|check| check.id)
        {
            let output = check.output.unwrap_or_default();
            return Ok(Some(ExistingCheck {
                id: Some(check.id),
                conclusion: check.conclusion,
                title: output.title.unwrap_or_default(),
                summary: output.summary.unwrap_or_default(),
            }));
        }
        let statuses = self.statuses(commit).await.unwrap_or_default();
        Ok(statuses.into_iter().find(|status| status.context == CHECK).map(|status| ExistingCheck {
            id: None,
            conclusion: Some(status.state),
            title: status.description.unwrap_or_default(),
            summary: String::new(),
        }))
    }

    /// Writes the promotion check of a commit, over the one that is there. Without leave to write checks: a commit status.
    ///
    /// # Errors
    /// When GitHub refuses both, or cannot be reached.
    pub async fn write_check(
        &self,
        commit: &CommitSha,
        existing: Option<u64>,
        check: &Check,
        details: Option<&str>,
    ) -> Result<()> {
        let notes: Vec<Value> = check
            .annotations
            .iter()
            .take(50)
            .map(|note| {
                json!({"path": note.path, "start_line": note.line, "end_line": note.line,
                       "annotation_level": note.level, "message": note.message, "title": note.title})
            })
            .collect();
        let mut body = json!({
            "name": CHECK, "status": "completed", "conclusion": check.conclusion,
            "output": {"title": check.title, "summary": check.summary, "annotations": notes},
        });
        if let Some(details) = details {
            set(&mut body, "details_url", json!(details));
        }
        let (method, path) = match existing {
            Some(id) => (Method::PATCH, self.path(&format!("/check-runs/{id}"))),
            None => (Method::POST, self.path("/check-runs")),
        };
        if existing.is_none() {
            set(&mut body, "head_sha", json!(commit));
        }
        match self.reader.write(&method, &path, &body, "checks: write").await {
            Ok(_) => Ok(()),
            Err(refusal) if refusal.is(StatusCode::FORBIDDEN) => {
                let state = if check.conclusion == "failure" { "failure" } else { "success" };
                let description = as_status(&check.title);
                let body = json!({"state": state, "context": CHECK, "description": description, "target_url": details});
                let path = self.path(&format!("/statuses/{commit}"));
                self.reader
                    .write(&Method::POST, &path, &body, "statuses: write")
                    .await
                    .map(|_| ())
                    .map_err(|_| refusal.into())
            }
            Err(refusal) => Err(refusal.into()),
        }
    }
}

/// What fits into a commit status: 140 characters.
fn as_status(title: &str) -> String {
    title.chars().take(140).collect()
}

impl ExistingCheck {
    /// Whether it says what `check` says.
    pub fn says(&self, check: &Check) -> bool {
        let conclusion = self.conclusion.as_deref() == Some(check.conclusion.as_str());
        let text = match self.id {
            Some(_) => self.title.trim() == check.title.trim() && self.summary.trim() == check.summary.trim(),
            None => self.title.trim() == as_status(&check.title).trim(),
        };
        conclusion && text
    }
}

#[derive(Deserialize)]
struct WireCheck {
    id: u64,
    #[serde(default)]
    name: String,
    conclusion: Option<String>,
    output: Option<WireOutput>,
}

#[derive(Deserialize, Default)]
struct WireOutput {
    title: Option<String>,
    summary: Option<String>,
}
