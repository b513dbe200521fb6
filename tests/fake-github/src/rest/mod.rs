//! The REST side: what a call is, what an answer is, what a refusal looks like.
//!
//! Which operations exist and what each needs is in `operations.rs`; the folder's other files hold the
//! operations, one question each.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::state::{RepoState, Site, World};
use crate::token::Token;

pub(crate) mod actions;
mod apps;
pub(crate) mod checks;
mod commits;
mod contents;
pub(crate) mod deployments;
pub(crate) mod dispatch;
mod git_objects;
pub(crate) mod git_refs;
pub(crate) mod issues;
pub(crate) mod merging;
pub(crate) mod operations;
mod paging;
pub(crate) mod pulls;
mod releases;
mod repos;
pub(crate) mod reviews;
pub(crate) mod statuses;
mod users;

pub(crate) use paging::{encoded, page, page_of, wrapped};

/// One request, matched to its operation.
pub(crate) struct Call {
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub params: BTreeMap<&'static str, String>,
    pub body: Value,
    pub accept: String,
    pub token: Token,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: ReplyBody,
}

/// What an answer carries.
#[derive(Debug)]
pub(crate) enum ReplyBody {
    Empty,
    Json(Value),
    Bytes(&'static str, Vec<u8>),
}

/// GitHub's error shape.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub status: u16,
    pub message: String,
    pub errors: Vec<Value>,
    pub headers: Vec<(String, String)>,
}

pub(crate) type Answer = Result<Reply, Refusal>;

impl Reply {
    pub fn ok(body: Value) -> Self {
        Self::json(200, body)
    }

    pub fn created(body: Value) -> Self {
        Self::json(201, body)
    }

    pub fn json(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body: ReplyBody::Json(body) }
    }

    pub fn empty() -> Self {
        Self { status: 204, headers: Vec::new(), body: ReplyBody::Empty }
    }
}

impl Refusal {
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), errors: Vec::new(), headers: Vec::new() }
    }

    pub fn not_found() -> Self {
        Self::new(404, "Not Found")
    }

    pub fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(422, message)
    }

    /// 422 "Validation Failed" on one field; codes are `missing`, `missing_field`, `invalid`, `already_exists`, `custom`.
    pub fn invalid(resource: &str, field: &str, code: &str) -> Self {
        let mut refusal = Self::new(422, "Validation Failed");
        refusal.errors.push(json!({ "resource": resource, "field": field, "code": code }));
        refusal
    }

    /// 422 "Validation Failed" with a message of its own.
    pub fn custom(resource: &str, field: Option<&str>, message: impl Into<String>) -> Self {
        let mut error = json!({ "resource": resource, "code": "custom", "message": message.into() });
        if let (Some(field), Some(object)) = (field, error.as_object_mut()) {
            object.insert("field".to_owned(), json!(field));
        }
        let mut refusal = Self::new(422, "Validation Failed");
        refusal.errors.push(error);
        refusal
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn into_reply(self) -> Reply {
        let mut body = json!({ "message": self.message });
        if let Some(object) = body.as_object_mut() {
            if !self.errors.is_empty() {
                object.insert("errors".to_owned(), Value::Array(self.errors));
            }
            object.insert("documentation_url".to_owned(), json!("https://docs.github.com/rest"));
            object.insert("status".to_owned(), json!(self.status.to_string()));
        }
        Reply { status: self.status, headers: self.headers, body: ReplyBody::Json(body) }
    }
}

impl From<git2::Error> for Refusal {
    fn from(error: git2::Error) -> Self {
        if error.code() == git2::ErrorCode::NotFound {
            Self::not_found()
        } else {
            Self::new(500, format!("git: {}", error.message()))
        }
    }
}

impl Call {
    pub fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    /// A number in the path; anything else is not found.
    pub fn number(&self, name: &str) -> Result<u64, Refusal> {
        self.param(name).parse().map_err(|_| Refusal::not_found())
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn full_name(&self) -> String {
        format!("{}/{}", self.param("owner"), self.param("repo"))
    }

    /// A text of the body.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name).and_then(Value::as_str)
    }

    /// A text the body must have.
    pub fn needed(&self, resource: &str, name: &str) -> Result<&str, Refusal> {
        match self.body.get(name) {
            None | Some(Value::Null) => Err(Refusal::invalid(resource, name, "missing_field")),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(Refusal::invalid(resource, name, "invalid")),
        }
    }

    /// A list of texts in the body; a single text counts as a list of one.
    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        match self.body.get(name)? {
            Value::Array(items) => {
                let name_of = |item: &Value| {
                    item.as_str().or_else(|| item.get("name").and_then(Value::as_str)).map(str::to_owned)
                };
                Some(items.iter().filter_map(name_of).collect())
            }
            Value::String(text) => Some(vec![text.clone()]),
            _ => None,
        }
    }

    pub fn flag(&self, name: &str) -> Option<bool> {
        self.body.get(name).and_then(Value::as_bool)
    }
}

impl World {
    /// The repository a call names, to be read.
    pub fn seen(&self, call: &Call) -> Result<(&Site, &RepoState), Refusal> {
        let repo = self.repo(&call.full_name()).ok_or_else(Refusal::not_found)?;
        Ok((&self.site, repo))
    }

    /// The repository a call names, to be changed.
    pub fn changed(&mut self, call: &Call) -> Result<(&mut Site, &mut RepoState), Refusal> {
        self.enter(&call.full_name()).ok_or_else(Refusal::not_found)
    }
}

/// Refuses a text that is longer than GitHub stores, counted in characters.
pub(crate) fn at_most(resource: &str, field: &str, text: Option<&str>, limit: usize) -> Result<(), Refusal> {
    if text.is_some_and(|text| text.chars().count() > limit) {
        return Err(Refusal::custom(
            resource,
            Some(field),
            format!("{field} is too long (maximum is {limit} characters)"),
        ));
    }
    Ok(())
}
