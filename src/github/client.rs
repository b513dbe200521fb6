//! One request to GitHub's API: how it is sent, retried and waited for; `refusal` says what a no means.
//!
//! Octocrab carries it (authentication, base address, TLS by the program's own HTTP client). What it
//! answers is decoded by the files beside this one, leniently: only what is used is asked for.

mod refusal;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use http_body_util::BodyExt;
use octocrab::service::middleware::auth_header::AuthHeaderLayer;
use octocrab::service::middleware::base_uri::BaseUriLayer;
use octocrab::service::middleware::reqwest_connector::ReqwestConnector;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::answer::{Asked, Due, api_address, next_page, not_json};
use crate::failure::{Failure, Kind, Result};
use crate::secret::Secret;
pub use refusal::Refusal;
use refusal::without_query;

/// How often an idempotent request is tried.
const TRIES: u32 = 3;
/// How long all waiting for rate limits may take in one run, in seconds.
const PATIENCE: u64 = 300;
/// GitHub's largest page.
const PER_PAGE: usize = 100;
/// GraphQL's path; REST has none that is called so.
const GRAPHQL: &str = "/graphql";
/// A list longer than this is not read to its end but refused; 10 000 items.
const MOST_PAGES: usize = 100;

/// Where GitHub's API is.
#[derive(Debug, Clone)]
pub struct Address {
    /// `https://api.github.com`, or `https://HOST/api/v3`.
    pub rest: String,
    /// `https://api.github.com/graphql`, or `https://HOST/api/graphql`.
    pub graphql: String,
}

/// A connection with one token.
pub struct Client {
    rest: Octocrab,
    graphql: Octocrab,
    address: Address,
    /// The REST address, parsed.
    api: Url,
    /// The GraphQL address, parsed.
    graphql_api: Url,
    http: crate::http::Client,
    /// The input the token came from, for the hint of a refusal.
    token_input: &'static str,
    waited: AtomicU64,
}

/// A successful answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; `null` where there is none, or where it is not JSON.
    pub body: Value,
    /// What a body is that should have been JSON.
    pub unreadable: Option<&'static str>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("address", &self.address)
            .field("token", &self.token_input)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Connects nothing yet.
    ///
    /// # Errors
    /// When an address is no address, or the token has characters that no token has.
    pub fn new(
        address: &Address,
        token: &Secret,
        token_input: &'static str,
        http: crate::http::Client,
    ) -> Result<Self> {
        let plain = !token.expose().is_empty() && token.expose().bytes().all(|byte| byte.is_ascii_graphic());
        if !plain {
            return Err(Failure::new(Kind::Settings, format!("input `{token_input}` is not a token"))
                .hinted("it must be one line without blanks; `${{ github.token }}` is the job's own"));
        }
        let api = api_address(&address.rest)?;
        let graphql_api = api_address(&address.graphql)?;
        let graphql = address.graphql.strip_suffix("/graphql").unwrap_or(&address.graphql);
        Ok(Self {
            rest: octocrab(&address.rest, token, http.requests())?,
            graphql: octocrab(graphql, token, http.requests())?,
            address: address.clone(),
            api,
            graphql_api,
            http,
            token_input,
            waited: AtomicU64::new(0),
        })
    }

    /// Reads one object.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, needs: &str) -> Result<T, Refusal> {
        let answer = self.send(&Method::GET, path, None, needs).await?;
        Asked { method: &Method::GET, path }.decoded(answer.body, Due::Object)
    }

    /// Reads the beginning of a list, as long as `path` asks for.
    pub async fn beginning<T: DeserializeOwned>(&self, path: &str, needs: &str) -> Result<Vec<T>, Refusal> {
        let answer = self.send(&Method::GET, path, None, needs).await?;
        Asked { method: &Method::GET, path }.list(answer.body, None)
    }

    /// Reads every page of a list; `items` names the list in the answer, where it is not the answer itself.
    pub async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        items: Option<&str>,
        needs: &str,
    ) -> Result<Vec<T>, Refusal> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let mut next = Some(format!("{path}{separator}per_page={PER_PAGE}"));
        let mut all = Vec::new();
        let asked = Asked { method: &Method::GET, path };
        for _ in 0..MOST_PAGES {
            let Some(page) = next else { return Ok(all) };
            let answer = self.send(&Method::GET, &page, None, needs).await?;
            all.extend(asked.list::<T>(answer.body, items)?);
            next = next_page(&answer.headers, &self.api, &page).map_err(|link| {
                let link = link.escape_debug().take(200).collect::<String>().replace('`', "'");
                asked.unreadable(&format!("its next page is said to be `{link}`, which is not on this API"))
            })?;
        }
        Err(asked.unreadable(&format!("the list goes on after {MOST_PAGES} pages")))
    }

    /// Writes, and decodes the answer; one that cannot be read says nothing of whether GitHub acted.
    pub async fn written<T: DeserializeOwned>(
        &self,
        method: &Method,
        path: &str,
        body: &Value,
        needs: &str,
    ) -> Result<T, Refusal> {
        let answer = self.write(method, path, body, needs).await?;
        Asked { method, path }.decoded(answer, Due::Object)
    }

    /// Writes; never tried twice after it may have reached GitHub.
    pub async fn write(
        &self,
        method: &Method,
        path: &str,
        body: &Value,
        needs: &str,
    ) -> Result<Value, Refusal> {
        Ok(self.send(method, path, Some(body), needs).await?.body)
    }

    /// Deletes, without a body: GitHub documents none, and some proxies refuse one.
    pub async fn delete(&self, path: &str, needs: &str) -> Result<Value, Refusal> {
        Ok(self.send(&Method::DELETE, path, None, needs).await?.body)
    }

    /// The name of the input that the token comes from.
    pub fn token_input(&self) -> &'static str {
        self.token_input
    }

    /// Asks GraphQL; its errors are refusals without a status.
    pub async fn graphql(&self, query: &str, variables: &Value, needs: &str) -> Result<Value, Refusal> {
        let body = serde_json::json!({ "query": query, "variables": variables });
        let mut answer = self.send_to(&self.graphql, &Method::POST, GRAPHQL, Some(&body), needs).await?;
        if let Some(errors) =
            answer.body.get("errors").and_then(Value::as_array).filter(|errors| !errors.is_empty())
        {
            let said = errors
                .iter()
                .filter_map(|error| error.get("message")?.as_str())
                .collect::<Vec<_>>()
                .join("; ");
            return Err(Refusal::of_graphql(said));
        }
        match answer.body.get_mut("data").map(Value::take) {
            Some(data) if data.is_object() => Ok(data),
            _ => Err(Asked { method: &Method::POST, path: GRAPHQL }
                .unreadable("it has neither `data` nor `errors`")),
        }
    }

    async fn send(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        needs: &str,
    ) -> Result<Answer, Refusal> {
        self.send_to(&self.rest, method, path, body, needs).await
    }

    async fn send_to(
        &self,
        api: &Octocrab,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        needs: &str,
    ) -> Result<Answer, Refusal> {
        let mut tries = 1;
        loop {
            let result = once(api, method, path, body).await.map_err(|error| {
                let trouble = self.http.trouble(error.as_ref(), self.address_of(path), "GITHUB_API_URL");
                (error, trouble)
            });
            let pause = match &result {
                Ok(answer) if answer.unreadable.is_some() => backoff(method, tries),
                Ok(answer) if answer.status.is_success() => None,
                Ok(answer) => match self.rate_limit_pause(answer) {
                    Some(pause) => Some(pause),
                    None if answer.status.is_server_error() => backoff(method, tries),
                    None => None,
                },
                Err((_, trouble)) if trouble.may_pass => backoff(method, tries),
                Err(_) => None,
            };
            let Some(pause) = pause else {
                return match result {
                    Ok(Answer { unreadable: Some(why), .. }) => Err(Asked { method, path }.unreadable(why)),
                    Ok(answer) if answer.status.is_success() => Ok(answer),
                    Ok(answer) => Err(self.refused(method, path, &answer, needs)),
                    Err((error, trouble)) => Err(self.unreachable(method, path, error, trouble)),
                };
            };
            tracing::info!(
                milliseconds = pause.as_millis(),
                request = %format!("{method} {}", without_query(path)),
                "waiting before trying again"
            );
            tokio::time::sleep(pause).await;
            tries += 1;
        }
    }

    /// The address that a path is below.
    fn address_of(&self, path: &str) -> &Url {
        if path == GRAPHQL { &self.graphql_api } else { &self.api }
    }

    /// How long a limit asks to wait, if that is still within the patience of this run.
    ///
    /// A limited request did not act, so it may be sent again whatever its method.
    fn rate_limit_pause(&self, answer: &Answer) -> Option<Duration> {
        let limited = matches!(answer.status, StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS);
        let number = |name: &str| answer.headers.get(name)?.to_str().ok()?.parse::<u64>().ok();
        let seconds =
            match (number("retry-after"), number("x-ratelimit-remaining"), number("x-ratelimit-reset")) {
                (Some(after), _, _) if limited => after,
                (None, Some(0), Some(reset)) if limited => {
                    let now = std::time::SystemTime::now()
                        .duration_since(std::time::UNIX_EPOCH)
                        .map_or(0, |d| d.as_secs());
                    reset.saturating_sub(now) + 1
                }
                _ => return None,
            };
        let seconds = seconds.max(1);
        let before = self.waited.fetch_add(seconds, Ordering::Relaxed);
        (before + seconds <= PATIENCE).then(|| Duration::from_secs(seconds))
    }
}

/// A second try of an idempotent request, a little later each time, with jitter; five seconds in all.
fn backoff(method: &Method, tries: u32) -> Option<Duration> {
    if !matches!(*method, Method::GET) || tries >= TRIES {
        return None;
    }
    let jitter = getrandom::u32().unwrap_or(0) % 400;
    Some(Duration::from_millis(u64::from(300 * tries * tries + jitter)))
}

/// Octocrab on the program's own HTTP client, which names the program as GitHub asks of everyone: octocrab's
/// ready-made stack would send a `user-agent` of its own.
fn octocrab(base: &str, token: &Secret, http: reqwest::Client) -> Result<Octocrab> {
    let wrong = |error: anyhow::Error| {
        Failure::new(Kind::Settings, format!("`{base}` is not the address of an API"))
            .hinted("`GITHUB_API_URL` and `GITHUB_GRAPHQL_URL` are set by the runner")
            .because(error)
    };
    let uri: Uri = base.parse().map_err(|error: http::uri::InvalidUri| wrong(error.into()))?;
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
        .map_err(|error| Failure::new(Kind::Settings, "the token is not a token").because(error))?;
    bearer.set_sensitive(true);
    let Ok(octocrab) = OctocrabBuilder::new_empty()
        .with_service(ReqwestConnector::new(http))
        .with_layer(&BaseUriLayer::new(uri.clone()))
        .with_layer(&AuthHeaderLayer::new(Some(bearer), uri.clone(), uri))
        .with_auth(AuthState::None)
        .build();
    Ok(octocrab)
}

async fn once(api: &Octocrab, method: &Method, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header(http::header::ACCEPT, "application/vnd.github+json")
        .header("X-GitHub-Api-Version", "2022-11-28");
    let request = api.build_request(request, body)?;
    let response = api.execute(request).await?;
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await?.to_bytes();
    let (body, unreadable) = match serde_json::from_slice(&bytes) {
        Ok(body) => (body, None),
        Err(_) if bytes.is_empty() || !parts.status.is_success() => (Value::Null, None),
        Err(_) => (Value::Null, Some(not_json(&bytes))),
    };
    Ok(Answer { status: parts.status, headers: parts.headers, body, unreadable })
}

/// A path segment or a query value, percent-encoded.
pub fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use super::*;

    #[test]
    fn outside_text_cannot_leave_its_segment() {
        assert_eq!(encoded("a/b?c=d&e f#"), "a%2Fb%3Fc%3Dd%26e%20f%23");
    }

    #[test]
    fn only_reads_are_tried_again() {
        assert!(backoff(&Method::GET, 1).is_some() && backoff(&Method::GET, TRIES).is_none());
        assert!(backoff(&Method::POST, 1).is_none() && backoff(&Method::PATCH, 1).is_none());
    }
}
