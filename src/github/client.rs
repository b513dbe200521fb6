//! One request to GitHub's API: how it is sent, retried and waited for; `refusal` says what a no means.
//!
//! Octocrab carries it (authentication, base address, TLS by the program's own HTTP client). What it
//! answers is decoded by the files beside this one, leniently: only what is used is asked for.

mod credential;
mod limits;
mod refusal;

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
use crate::http::Trouble;
use crate::secret::Secret;
pub use credential::Credential;
use limits::{limit, says_limited};
pub use refusal::Refusal;
use refusal::{says_trouble, without_query};

/// How often an idempotent request is tried.
const TRIES: u32 = 3;
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
    /// What is shown, for the hint of a refusal.
    credential: Credential,
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
            .field("credential", &self.credential)
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
        credential: Credential,
        http: crate::http::Client,
    ) -> Result<Self> {
        let plain = !token.expose().is_empty() && token.expose().bytes().all(|byte| byte.is_ascii_graphic());
        if !plain {
            return Err(Failure::new(Kind::Settings, format!("{} is not a token", credential.given()))
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
            credential,
        })
    }

    /// Reads one object.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, needs: &str) -> Result<T, Refusal> {
        let answer = self.read(path, needs).await?;
        Asked { method: &Method::GET, path }.decoded(answer.body, Due::Object)
    }

    /// Reads the beginning of a list, as long as `path` asks for.
    pub async fn beginning<T: DeserializeOwned>(&self, path: &str, needs: &str) -> Result<Vec<T>, Refusal> {
        Ok(self.first_page(path, needs).await?.0)
    }

    /// The same, and whether the list goes on.
    pub async fn first_page<T: DeserializeOwned>(
        &self,
        path: &str,
        needs: &str,
    ) -> Result<(Vec<T>, bool), Refusal> {
        let answer = self.read(path, needs).await?;
        let goes_on = self.next(&answer, path)?.is_some();
        Ok((Asked { method: &Method::GET, path }.list(answer.body, None)?, goes_on))
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
            let answer = self.read(&page, needs).await?;
            next = self.next(&answer, &page)?;
            all.extend(asked.list::<T>(answer.body, items)?);
        }
        Err(asked.unreadable(&format!("the list goes on after {MOST_PAGES} pages")))
    }

    /// The page after `page`.
    fn next(&self, answer: &Answer, page: &str) -> Result<Option<String>, Refusal> {
        next_page(&answer.headers, &self.api, page).map_err(|link| {
            let link = link.escape_debug().take(200).collect::<String>().replace('`', "'");
            let why = format!("its next page is said to be `{link}`, which is not on this API");
            Asked { method: &Method::GET, path: page }.unreadable(&why)
        })
    }

    /// Writes what may be written twice, and decodes the answer.
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

    /// Writes what may be written twice: the second time changes nothing more.
    pub async fn write(
        &self,
        method: &Method,
        path: &str,
        body: &Value,
        needs: &str,
    ) -> Result<Value, Refusal> {
        let call = Call { method, path, body: Some(body), needs, again: Again::Safe };
        Ok(self.send(&self.rest, &call).await?.body)
    }

    /// Makes something that a second request would make twice: after an answer that does not tell whether GitHub
    /// acted, `look` says whether it is there, before it is asked for again.
    pub async fn created<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
        needs: &str,
        look: impl AsyncFn() -> Result<Option<T>, Refusal>,
    ) -> Result<T, Refusal> {
        let call = Call { method: &Method::POST, path, body: Some(body), needs, again: Again::Never };
        let mut tries = 1;
        loop {
            let answer = self
                .send(&self.rest, &call)
                .await
                .and_then(|answer| Asked { method: call.method, path }.decoded(answer.body, Due::Object));
            let refusal = match answer {
                Ok(made) => return Ok(made),
                Err(refusal) => refusal,
            };
            if !refusal.is_ambiguous() {
                return Err(refusal);
            }
            let pause = backoff(tries);
            tokio::time::sleep(pause.unwrap_or(Duration::ZERO)).await;
            if let Some(found) = look().await? {
                return Ok(found);
            }
            if pause.is_none() {
                return Err(refusal);
            }
            tries += 1;
        }
    }

    /// Asks a second time where GitHub does not know yet what was made just before.
    pub async fn settled<T>(&self, ask: impl AsyncFn() -> Result<T, Refusal>) -> Result<T, Refusal> {
        self.settled_unless(ask, |_| false).await
    }

    /// The same, unless the refusal is for good.
    pub async fn settled_unless<T>(
        &self,
        ask: impl AsyncFn() -> Result<T, Refusal>,
        for_good: impl Fn(&Refusal) -> bool,
    ) -> Result<T, Refusal> {
        match ask().await {
            Err(refusal) if refusal.may_settle() && !for_good(&refusal) => {
                tokio::time::sleep(backoff(1).unwrap_or_default()).await;
                ask().await
            }
            other => other,
        }
    }

    /// Deletes, without a body: GitHub documents none, and some proxies refuse one.
    pub async fn delete(&self, path: &str, needs: &str) -> Result<Value, Refusal> {
        let call = Call { method: &Method::DELETE, path, body: None, needs, again: Again::Safe };
        Ok(self.send(&self.rest, &call).await?.body)
    }

    /// What it shows GitHub.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Asks GraphQL; its errors are refusals with the status of success.
    ///
    /// Every mutation of ours sets what it sets, or compares before it moves: made twice it does no more.
    pub async fn graphql(&self, query: &str, variables: &Value, needs: &str) -> Result<Value, Refusal> {
        self.graphql_so(query, variables, needs, Again::Safe).await
    }

    /// The same, never made again: for what can be found out another way.
    pub async fn graphql_once(&self, query: &str, variables: &Value, needs: &str) -> Result<Value, Refusal> {
        self.graphql_so(query, variables, needs, Again::Never).await
    }

    async fn graphql_so(
        &self,
        query: &str,
        variables: &Value,
        needs: &str,
        again: Again,
    ) -> Result<Value, Refusal> {
        let body = serde_json::json!({ "query": query, "variables": variables });
        let call = Call { method: &Method::POST, path: GRAPHQL, body: Some(&body), needs, again };
        let mut answer = self.send(&self.graphql, &call).await?;
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

    async fn read(&self, path: &str, needs: &str) -> Result<Answer, Refusal> {
        let call = Call { method: &Method::GET, path, body: None, needs, again: Again::Safe };
        self.send(&self.rest, &call).await
    }

    async fn send(&self, api: &Octocrab, call: &Call<'_>) -> Result<Answer, Refusal> {
        let Call { method, path, needs, .. } = *call;
        let again = |tries| backoff(tries).filter(|_| call.again == Again::Safe);
        let mut tries = 1;
        loop {
            let result = self.once(api, call).await;
            let pause = match &result {
                Ok(answer) if answer.unreadable.is_some() => again(tries),
                Ok(answer) => match limit(answer, now()) {
                    Some(pause) => self.http.budget().take(pause),
                    None if may_pass(call, answer.status) || says_trouble(&answer.body) => again(tries),
                    None => None,
                },
                Err((_, trouble)) if trouble.may_pass => again(tries),
                Err(_) => None,
            };
            let Some(pause) = pause else {
                return match result {
                    Ok(Answer { unreadable: Some(why), .. }) => Err(Asked { method, path }.unreadable(why)),
                    Ok(answer)
                        if answer.status.is_success()
                            && !says_limited(&answer)
                            && !says_trouble(&answer.body) =>
                    {
                        Ok(answer)
                    }
                    Ok(answer) => Err(self.refused(method, path, &answer, needs)),
                    Err((error, trouble)) => Err(self.unreachable(method, path, error, trouble)),
                };
            };
            tracing::info!(
                milliseconds = pause.as_millis(),
                request = %format!("{method} {}", without_query(path)),
                why = %why(&result),
                "waiting before trying again"
            );
            tokio::time::sleep(pause).await;
            tries += 1;
        }
    }

    /// One request, within the time that an answer may take.
    async fn once(&self, api: &Octocrab, call: &Call<'_>) -> Result<Answer, (anyhow::Error, Trouble)> {
        let limit = self.http.patience();
        match tokio::time::timeout(limit, once(api, call.method, call.path, call.body)).await {
            Ok(answer) => answer.map_err(|error| {
                let trouble = self.http.trouble(error.as_ref(), self.address_of(call.path), "GITHUB_API_URL");
                (error, trouble)
            }),
            Err(late) => Err((late.into(), Trouble::late(limit))),
        }
    }

    /// The address that a path is below.
    fn address_of(&self, path: &str) -> &Url {
        if path == GRAPHQL { &self.graphql_api } else { &self.api }
    }
}

/// One request.
#[derive(Debug, Clone, Copy)]
struct Call<'a> {
    method: &'a Method,
    path: &'a str,
    body: Option<&'a Value>,
    needs: &'a str,
    again: Again,
}

/// Whether a request may be sent again after it may have reached GitHub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    /// It reads, or the second time changes nothing more.
    Safe,
    /// It would make a second one.
    Never,
}

/// Whether the same request may do better in a moment. GraphQL says what it refuses with the status of success.
fn may_pass(call: &Call<'_>, status: StatusCode) -> bool {
    status.is_server_error()
        || status == StatusCode::CONFLICT
        || (call.path == GRAPHQL && status == StatusCode::UNPROCESSABLE_ENTITY)
}

/// A second try, a little later each time, with jitter: three tries, within five seconds in all.
fn backoff(tries: u32) -> Option<Duration> {
    let jitter = getrandom::u32().unwrap_or(0) % 400;
    (tries < TRIES).then(|| Duration::from_millis(u64::from(300 * tries * tries + jitter)))
}

/// Why a request is sent again, in a few words.
fn why(result: &Result<Answer, (anyhow::Error, Trouble)>) -> String {
    match result {
        Ok(answer) if limit(answer, 0).is_some() => "GitHub limits the rate of requests".to_owned(),
        Ok(answer) => format!("GitHub answered {}", answer.status.as_u16()),
        Err((_, trouble)) => format!("the server {}", trouble.cause),
    }
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
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
    fn three_tries_take_less_than_five_seconds_of_waiting() {
        let waits: Vec<Duration> = (1..).map_while(backoff).collect();
        assert_eq!(waits.len(), 2);
        assert!(waits.iter().sum::<Duration>() < Duration::from_secs(5), "{waits:?}");
    }
}
