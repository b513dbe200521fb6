//! The record of all traffic: complete enough to be held against GitHub's published contract.
//!
//! Secrets never enter it: `authorization` is replaced by the login it stands for, a token that is given by stars.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which side of GitHub a request went to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Surface {
    /// `/api/v3/…`
    Rest,
    /// `/api/graphql`
    GraphQl,
    /// git over HTTP.
    Git,
}

/// One request and its answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Exchange {
    /// Where it went.
    pub surface: Surface,
    /// The method.
    pub method: String,
    /// The path; REST without `/api/v3`.
    pub path: String,
    /// The raw query, without `?`.
    pub query: String,
    /// The operation's path template as in GitHub's description; `None` when the fake has no such operation.
    pub route: Option<String>,
    /// The account that the token stands for.
    pub login: Option<String>,
    /// The permission the operation needs, `pull_requests=write`; alternatives are separated by `; `, what is needed
    /// together by `,`.
    pub permission: Option<String>,
    /// Whether the operation is an App's own, which it signs with its key instead of showing a token.
    #[serde(default)]
    pub signed: bool,
    /// Request headers, names in lower case.
    pub request_headers: BTreeMap<String, String>,
    /// The request's body where it is JSON.
    pub request_body: Value,
    /// The status; `None` when the connection was cut or never answered instead.
    pub status: Option<u16>,
    /// Answer headers, names in lower case.
    pub response_headers: BTreeMap<String, String>,
    /// The answer's body where it is JSON.
    pub response_body: Value,
    /// The fault that struck, if one did.
    pub fault: Option<String>,
}

impl Exchange {
    /// Whether the request could change something: a REST method other than GET, a GraphQL mutation, a git push.
    #[must_use]
    pub fn is_write(&self) -> bool {
        match self.surface {
            Surface::Rest => self.method != "GET" && self.method != "HEAD",
            Surface::GraphQl => {
                let query = self.request_body.get("query").and_then(Value::as_str).unwrap_or_default();
                query.trim_start().starts_with("mutation")
            }
            Surface::Git => self.path.ends_with("/git-receive-pack"),
        }
    }
}

/// Where a payload in the record comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Origin {
    /// The fake made it.
    Made,
    /// A step was started with it, as it was made or altered by a test.
    Delivered,
}

/// The line of an event's payload in a record file; its `surface` tells it from an [`Exchange`].
#[derive(Serialize)]
struct Event<'a> {
    surface: &'static str,
    origin: Origin,
    name: &'a str,
    payload: &'a Value,
}

/// A line of a record file: an exchange or an event, and the fake that it is of (a port may come again).
#[derive(Serialize)]
struct Line<'a, T> {
    fake: &'a str,
    #[serde(flatten)]
    entry: &'a T,
}

/// Names the record file of every fake that is not given one of its own; an absolute path, since each test
/// binary runs in its package's folder.
const RECORD: &str = "FAKE_GITHUB_RECORD";

/// How many fakes this process has started.
static STARTED: AtomicU64 = AtomicU64::new(0);

/// Where exchanges are kept, and appended to a file where one was asked for.
pub(crate) struct Recorder {
    kept: Mutex<Vec<Exchange>>,
    file: Option<Mutex<File>>,
    fake: String,
}

impl Recorder {
    /// Appends to `file`, else to what the environment names, else to nothing.
    pub fn new(file: Option<&Path>) -> std::io::Result<Self> {
        let named = || std::env::var_os(RECORD).filter(|path| !path.is_empty()).map(PathBuf::from);
        let file = file.map(Path::to_owned).or_else(named);
        let open = |path| std::fs::OpenOptions::new().create(true).append(true).open(path);
        let fake = format!("{}-{}", std::process::id(), STARTED.fetch_add(1, Ordering::Relaxed));
        Ok(Self { kept: Mutex::default(), file: file.map(open).transpose()?.map(Mutex::new), fake })
    }

    pub fn keep(&self, exchange: Exchange) {
        self.append(&exchange);
        crate::server::locked(&self.kept).push(exchange);
    }

    /// Appends the payload of an event to the record file; it is no exchange and is not kept.
    pub fn event(&self, origin: Origin, name: &str, payload: &Value) {
        self.append(&Event { surface: "event", origin, name, payload });
    }

    fn append(&self, entry: &impl Serialize) {
        if let (Some(file), Ok(line)) = (&self.file, serde_json::to_string(&Line { fake: &self.fake, entry }))
        {
            // One write per line, so that several fakes can append to one file. A recording that cannot be
            // written must not fail the request; the contract check misses it.
            let _ = crate::server::locked(file).write_all(format!("{line}\n").as_bytes());
        }
    }

    pub fn all(&self) -> Vec<Exchange> {
        crate::server::locked(&self.kept).clone()
    }

    pub fn clear(&self) {
        crate::server::locked(&self.kept).clear();
    }
}

/// Headers without what is secret.
pub(crate) fn recorded(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers
        .iter()
        .map(|(name, value)| {
            let secret = name == "authorization" || name == "cookie";
            let text = if secret {
                "***".to_owned()
            } else {
                String::from_utf8_lossy(value.as_bytes()).into_owned()
            };
            (name.as_str().to_owned(), text)
        })
        .collect()
}

/// A body without the token in it, where an installation gave one.
pub(crate) fn without_token(mut body: Value) -> Value {
    if let Some(token) = body.get_mut("token") {
        *token = Value::from("***");
    }
    body
}

/// A body as JSON, or null.
pub(crate) fn json_of(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or(Value::Null)
}
