//! Faults on request: what a network and a busy GitHub do to a client, at a chosen request.

use std::collections::BTreeMap;

use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A fault and the requests it waits for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Fault {
    /// Which requests.
    #[serde(default)]
    pub on: On,
    /// What happens to them.
    pub what: Effect,
}

/// Which requests a fault waits for; what is absent fits everything.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct On {
    /// `GET`, `POST`, …
    pub method: Option<String>,
    /// A regular expression, searched in the path with `/api/v3` in front and without the query.
    pub path: Option<String>,
    /// A regular expression, searched in the request's body (a GraphQL operation's name, say).
    pub body: Option<String>,
    /// The first matching request that is hit, from 1.
    pub nth: u64,
    /// How many matching requests are hit from there on.
    pub times: u64,
}

/// What happens to a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Effect {
    /// Answered with this, and not acted on.
    Status {
        /// The status code.
        status: u16,
        /// The body.
        #[serde(default)]
        body: Value,
        /// More headers.
        #[serde(default)]
        headers: BTreeMap<String, String>,
    },
    /// Acted on, then answered with this, as a gateway does that lost the answer.
    StatusAfter {
        /// The status code.
        status: u16,
        /// The body.
        #[serde(default)]
        body: Value,
        /// More headers.
        #[serde(default)]
        headers: BTreeMap<String, String>,
    },
    /// 403 with GitHub's words about a secondary rate limit, and not acted on.
    SecondaryLimit {
        /// Seconds in `retry-after`.
        retry_after: u64,
    },
    /// The connection drops before anything is done.
    CutBefore,
    /// The request is acted on, then the connection drops without an answer.
    CutAfter,
    /// A wait before the request is acted on.
    DelayBefore {
        /// Its length.
        milliseconds: u64,
    },
    /// A wait between acting and answering.
    DelayAfter {
        /// Its length.
        milliseconds: u64,
    },
    /// Held until the faults are disarmed, then acted on and answered.
    HoldBefore,
    /// Acted on, then held until the faults are disarmed, then answered.
    HoldAfter,
    /// Never answered, and not acted on.
    Hang,
    /// The request is acted on and recorded, and never answered.
    HangAfter,
}

impl Default for On {
    fn default() -> Self {
        Self { method: None, path: None, body: None, nth: 1, times: 1 }
    }
}

impl On {
    /// The next request with this method whose path the expression is found in.
    #[must_use]
    pub fn request(method: &str, path: &str) -> Self {
        Self { method: Some(method.to_owned()), path: Some(path.to_owned()), ..Self::default() }
    }

    /// The next GraphQL request whose body has this text.
    #[must_use]
    pub fn graphql(text: &str) -> Self {
        Self { path: Some("^/api/graphql$".to_owned()), body: Some(regex::escape(text)), ..Self::default() }
    }

    /// Not the next one but the `nth`, from 1.
    #[must_use]
    pub fn nth(mut self, nth: u64) -> Self {
        self.nth = nth;
        self
    }

    /// So many requests in a row.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = times;
        self
    }
}

impl Fault {
    /// `what` happens to the requests `on`.
    #[must_use]
    pub fn new(on: On, what: Effect) -> Self {
        Self { on, what }
    }
}

/// A fault that waits, and how many matching requests it has seen.
pub(crate) struct Armed {
    fault: Fault,
    path: Option<Regex>,
    body: Option<Regex>,
    seen: u64,
}

impl Armed {
    pub fn new(fault: Fault) -> Result<Self, regex::Error> {
        let expression = |text: &Option<String>| text.as_deref().map(Regex::new).transpose();
        Ok(Self { path: expression(&fault.on.path)?, body: expression(&fault.on.body)?, fault, seen: 0 })
    }

    fn strikes(&mut self, method: &str, path: &str, body: &str) -> bool {
        let on = &self.fault.on;
        let fits = on.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.path.as_ref().is_none_or(|wanted| wanted.is_match(path))
            && self.body.as_ref().is_none_or(|wanted| wanted.is_match(body));
        if !fits {
            return false;
        }
        self.seen += 1;
        self.seen >= on.nth && self.seen - on.nth < on.times
    }
}

/// The fault that hits a request, if one does.
pub(crate) fn strike(armed: &mut [Armed], method: &str, path: &str, body: &[u8]) -> Option<Effect> {
    let body = String::from_utf8_lossy(body);
    let mut struck = None;
    for fault in armed {
        if fault.strikes(method, path, &body) && struck.is_none() {
            struck = Some(fault.fault.what.clone());
        }
    }
    struck
}
