//! What a no of GitHub means, and the next act: one sentence and a hint for each.
//!
//! Sends nothing.

use http::{Method, StatusCode};
use serde_json::Value;

use super::limits::says_limited;
use super::{Answer, Client, GRAPHQL};
use crate::failure::{Failure, Kind};
use crate::http::{Trouble, same_origin};

/// What GitHub said no to, for callers that can go on.
#[derive(Debug)]
pub struct Refusal {
    /// The status; none when there was no answer, or none that can be read: GitHub may have acted.
    pub status: Option<StatusCode>,
    /// GitHub's message with its details.
    pub message: String,
    failure: Failure,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        refusal.failure
    }
}

impl Refusal {
    /// GraphQL refuses with the status of success.
    pub(super) fn of_graphql(said: String) -> Self {
        let failure = Failure::new(Kind::GitHub, format!("GitHub's GraphQL API refused: {said}"));
        Self { status: Some(StatusCode::OK), message: said, failure }
    }

    /// There was no answer that tells whether GitHub acted.
    pub(in crate::github) fn ambiguous(failure: Failure, message: String) -> Self {
        Self { status: None, message, failure }
    }

    /// Adds what led to it.
    pub(in crate::github) fn because(mut self, source: impl Into<anyhow::Error>) -> Self {
        self.failure = self.failure.because(source);
        self
    }

    /// Whether it must be looked at what GitHub did: no answer that can be read, a problem on its side, a conflict.
    pub fn is_ambiguous(&self) -> bool {
        self.status.is_none_or(|status| status.is_server_error() || status == StatusCode::CONFLICT)
    }

    /// Whether what was asked about may only be too new.
    pub fn may_settle(&self) -> bool {
        self.is(StatusCode::NOT_FOUND) || self.is(StatusCode::UNPROCESSABLE_ENTITY)
    }

    /// Whether GitHub answered with this status.
    pub fn is(&self, status: StatusCode) -> bool {
        self.status == Some(status)
    }
}

impl Client {
    /// What an answer that is no success means.
    pub(super) fn refused(&self, method: &Method, path: &str, answer: &Answer, needs: &str) -> Refusal {
        let (message, status) = (said(&answer.body), answer.status);
        let may_pass = status.is_server_error()
            || status == StatusCode::TOO_MANY_REQUESTS
            || says_limited(answer)
            || says_trouble(&answer.body);
        let kind = if may_pass { Kind::Outage } else { Kind::GitHub };
        let asked = format!("GitHub answered {} to `{method} {}`", status.as_u16(), without_query(path));
        let (what, hint) = if let Some(to) = self.elsewhere(path, answer) {
            let what = format!("{asked}: a redirect to `{to}`, another server, where the token is not sent");
            (what, Some("set `GITHUB_API_URL` to the address that answers itself".to_owned()))
        } else if let Some((whose, hint)) = self.http.spoken_for(self.address_of(path), status.as_u16()) {
            (format!("{asked}: {message}; {whose}"), Some(hint))
        } else {
            (format!("{asked}: {message}"), self.hint_for(&message, answer, needs))
        };
        let failure = Failure::new(kind, what);
        let failure = hint.into_iter().fold(failure, Failure::hinted);
        Refusal { status: Some(status), message, failure }
    }

    /// The origin of another server that a redirect names; a redirect on this one was followed.
    fn elsewhere(&self, path: &str, answer: &Answer) -> Option<String> {
        let to = answer.headers.get(http::header::LOCATION).filter(|_| answer.status.is_redirection())?;
        let here = self.address_of(path);
        let to = here.join(to.to_str().ok()?).ok()?;
        (!same_origin(here, &to)).then(|| to.origin().ascii_serialization())
    }

    fn hint_for(&self, message: &str, answer: &Answer, needs: &str) -> Option<String> {
        let accepted =
            answer.headers.get("x-accepted-github-permissions").and_then(|value| value.to_str().ok());
        Some(match answer.status {
            StatusCode::UNAUTHORIZED => self.credential.when_unknown(message),
            StatusCode::FORBIDDEN if message.contains("not permitted to create or approve pull requests") => {
                "allow it under Settings → Actions → General → \"Allow GitHub Actions to create and approve pull requests\" \
                 (of the repository and of the organisation), or let an App do it: `app-id` and `private-key`, or its token as \
                 `pull-request-token`"
                    .to_owned()
            }
            _ if answer.status == StatusCode::TOO_MANY_REQUESTS || says_limited(answer) => format!(
                "it asks for a longer wait than is left of `rate-limit-wait` ({} s in all); run it again later",
                self.http.budget().whole()
            ),
            StatusCode::FORBIDDEN => {
                let asked = accepted.map(permissions).filter(|asked| !asked.is_empty());
                let asked = asked.unwrap_or_else(|| format!("`{needs}`"));
                self.credential.when_forbidden(&asked)
            }
            StatusCode::NOT_FOUND => self.credential.when_unseen(message, needs),
            status if status.is_server_error() && self.api.host_str() == Some("api.github.com") => {
                "GitHub has a problem (https://www.githubstatus.com); run it again later".to_owned()
            }
            status if status.is_server_error() => "the server has a problem; run it again later".to_owned(),
            status => return self.credential.when_refused(status, message),
        })
    }

    /// What no answer means.
    pub(super) fn unreachable(
        &self,
        method: &Method,
        path: &str,
        error: anyhow::Error,
        trouble: Trouble,
    ) -> Refusal {
        let api = if path == GRAPHQL { &self.address.graphql } else { &self.address.rest };
        let failure = Failure::new(
            Kind::Outage,
            format!("no answer from {api} to `{method} {}`: it {}", without_query(path), trouble.cause),
        );
        let failure = trouble.hints.into_iter().fold(failure, Failure::hinted);
        Refusal { status: None, message: trouble.cause, failure: failure.because(error) }
    }
}

/// Whether GraphQL had a problem of its own, which it tells with the status of success and without a type.
pub(super) fn says_trouble(body: &Value) -> bool {
    let errors = body.get("errors").and_then(Value::as_array);
    errors.into_iter().flatten().any(|error| {
        let said = error.get("message").and_then(Value::as_str).unwrap_or_default();
        error.get("type").is_none() && said.starts_with("Something went wrong while executing your query")
    })
}

/// `message`, and the messages of `errors`, in one line.
fn said(body: &Value) -> String {
    let message = body.get("message").and_then(Value::as_str).unwrap_or("no message").to_owned();
    let details: Vec<String> = body
        .get("errors")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|error| {
            let text = |key: &str| error.get(key).and_then(Value::as_str);
            error.as_str().or_else(|| text("message")).map(str::to_owned).or_else(|| {
                Some(format!("{} {} {}", text("resource")?, text("field").unwrap_or(""), text("code")?))
            })
        })
        .collect();
    let line = if details.is_empty() { message } else { format!("{message} ({})", details.join("; ")) };
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect()
}

/// `pull_requests=write,contents=read; issues=write` as people read it: `pull-requests: write` and `contents: read`
/// or `issues: write`. Alternatives are parted by semicolons, what is needed together by commas.
fn permissions(accepted: &str) -> String {
    let one = |pair: &str| {
        let (name, level) = pair.trim().split_once('=')?;
        Some(format!("`{}: {level}`", name.replace('_', "-")))
    };
    let together = |set: &str| set.split(',').filter_map(one).collect::<Vec<_>>().join(" and ");
    let sets = accepted.split(';').map(together).filter(|set| !set.is_empty());
    sets.collect::<Vec<_>>().join(" or ")
}

/// The path alone, for messages.
pub(super) fn without_query(path: &str) -> &str {
    path.split_once('?').map_or(path, |(path, _)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_named_as_workflows_write_them() {
        for (accepted, shown) in [
            ("pull_requests=write", "`pull-requests: write`"),
            ("issues=write; pull_requests=write", "`issues: write` or `pull-requests: write`"),
            ("contents=write,workflows=write", "`contents: write` and `workflows: write`"),
            (
                "contents=read, checks=write; issues=write;",
                "`contents: read` and `checks: write` or `issues: write`",
            ),
        ] {
            assert_eq!(permissions(accepted), shown);
        }
    }

    #[test]
    fn a_refusal_is_one_line_with_its_details() {
        let body = serde_json::json!({"message": "Validation Failed", "errors": [
            {"message": "A pull request already exists\nfor acme:promote."}, {"resource": "Label", "field": "name", "code": "invalid"}]});
        assert_eq!(
            said(&body),
            "Validation Failed (A pull request already exists for acme:promote.; Label name invalid)"
        );
        assert_eq!(said(&Value::Null), "no message");
    }
}
