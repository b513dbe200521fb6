//! The one HTTP client of the program: one TLS stack, one proxy rule, one place for timeouts.
//!
//! Both edges that speak to a server (git and GitHub's API) use it. It trusts the machine's roots, or
//! those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name in their stead, takes the proxy from
//! `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, and never follows a redirect to another
//! origin: a token is for the server it was given for. It sets no credentials itself.

mod budget;
mod proxy;
mod roots;
mod trouble;

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Once};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, RequestBuilder};
use url::Url;

use crate::failure::{Failure, Kind, Result};
use budget::Budget;
use proxy::Proxies;
pub use proxy::passwords;
pub use trouble::Trouble;

/// What the program calls itself.
pub const USER_AGENT: &str = concat!("promote/", env!("CARGO_PKG_VERSION"));

/// Longest wait for a connection, TLS included.
const CONNECT: Duration = Duration::from_secs(10);
/// Redirects followed within one origin; git itself follows 20, no server needs more than two.
const REDIRECTS: usize = 5;

/// A client with the program's timeouts, roots and proxies; clones of it share connections.
#[derive(Clone)]
pub struct Client {
    requests: reqwest::Client,
    proxies: Arc<Proxies>,
    /// Longest silence while an answer is awaited or read. GitHub sends a sign of life every 5 s while
    /// it packs, so a long clone is not cut.
    silence: Duration,
    budget: Arc<Budget>,
    /// Whether this is a container action, where paths of the machine are not there.
    contained: bool,
}

impl Client {
    /// Makes a client of what the environment's variables say, an empty one being unset; no answer may pause
    /// for longer than `silence`, and all waiting for rate limits takes `limits` at most.
    ///
    /// # Errors
    /// When a proxy is not one, and when there are no root certificates or those named cannot be read.
    pub fn new(variables: &BTreeMap<String, String>, silence: Duration, limits: Duration) -> Result<Self> {
        install_crypto();
        let get = |name: &str| variables.get(name).filter(|value| !value.trim().is_empty()).cloned();
        let proxies = Arc::new(Proxies::named(get)?);
        let ways = Arc::clone(&proxies);
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT.min(silence))
            .read_timeout(silence)
            .redirect(Policy::custom(|attempt| {
                if attempt.previous().len() > REDIRECTS {
                    return attempt.error("too many redirects");
                }
                match attempt.previous().last() {
                    Some(from) if same_origin(from, attempt.url()) => attempt.follow(),
                    _ => attempt.stop(),
                }
            }))
            .referer(false)
            .no_proxy()
            .proxy(reqwest::Proxy::custom(move |address| {
                ways.between(address).map(|proxy| proxy.address.clone())
            }));
        if let Some(roots) = roots::trusted(get)? {
            let roots: Result<Vec<_>, _> = roots.iter().map(|root| Certificate::from_der(root)).collect();
            builder = builder.tls_certs_only(roots.map_err(|error| no_tls(&error))?);
        }
        let requests = builder.build().map_err(|error| no_tls(&error))?;
        Ok(Self {
            requests,
            proxies,
            silence,
            budget: Arc::new(Budget::of(limits)),
            contained: roots::in_container(get),
        })
    }

    /// Begins a request that reads.
    pub fn get(&self, address: Url) -> RequestBuilder {
        self.requests.get(address)
    }

    /// Begins a request with a body.
    pub fn post(&self, address: Url) -> RequestBuilder {
        self.requests.post(address)
    }

    /// The library's own client, for a library that sends requests itself.
    pub fn requests(&self) -> reqwest::Client {
        self.requests.clone()
    }

    /// Whether a request to `address` goes by way of a proxy.
    pub fn uses_proxy(&self, address: &Url) -> bool {
        self.proxies.between(address).is_some()
    }

    /// Why a request to `address`, which `variable` names, got no answer.
    pub fn trouble(&self, error: &(dyn Error + 'static), address: &Url, variable: &str) -> Trouble {
        if trouble::is_late(error) {
            return Trouble::late(self.silence);
        }
        Trouble::of(error, self.proxies.between(address), variable, self.contained)
    }

    /// What is left of the time to wait for rate limits; clones share it.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// How long an answer may take.
    pub fn patience(&self) -> Duration {
        self.silence
    }

    /// Who may have answered in the server's stead, and what to do: a proxy that sees this request in clear.
    pub fn spoken_for(&self, address: &Url, status: u16) -> Option<(String, String)> {
        let proxy = self.proxies.between(address).filter(|_| address.scheme() == "http")?;
        match status {
            407 => Some((
                format!("the proxy {} wants a user and a password", proxy.shown()),
                trouble::wants_password(proxy),
            )),
            403 | 502..=504 => Some((
                format!("it came through the proxy {}, which may have said so itself", proxy.shown()),
                format!(
                    "allow the server there, or name it in `NO_PROXY`; `{}` names the proxy",
                    proxy.variable()
                ),
            )),
            _ => None,
        }
    }
}

/// The innermost cause of an answer that broke off, as one phrase without addresses or headers.
pub fn cause_of(error: &(dyn Error + 'static)) -> String {
    trouble::phrase(error)
}

fn no_tls(error: &reqwest::Error) -> Failure {
    Failure::new(Kind::Machine, format!("no TLS client can be made: {}", cause_of(error)))
        .hinted("point `SSL_CERT_FILE` at a bundle of CA certificates")
}

/// Makes ring the process's cryptography; whoever else installed one first keeps it.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error only says that a provider is already there, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// Whether both addresses have the same scheme, host and port.
pub fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use super::*;

    #[test]
    fn another_scheme_host_or_port_is_another_origin() {
        let at = |text: &str| Url::parse(text).unwrap();
        let home = at("https://github.com/a/b");
        assert!(same_origin(&home, &at("https://github.com:443/c")));
        for other in ["http://github.com/a/b", "https://evil.example/a/b", "https://github.com:8443/a/b"] {
            assert!(!same_origin(&home, &at(other)), "{other}");
        }
    }

    #[tokio::test]
    async fn a_refused_connection_is_told_in_one_phrase() {
        let nobody = Url::parse("http://127.0.0.1:9/secret").unwrap();
        let proxy = BTreeMap::from([("HTTP_PROXY".to_owned(), "http://user:hunter2@127.0.0.1:9".to_owned())]);
        for (variables, says) in [
            (BTreeMap::new(), "cannot be reached: "),
            (proxy, "through the proxy `127.0.0.1:9` (of `HTTP_PROXY`): "),
        ] {
            let client = Client::new(&variables, Duration::from_secs(5), Duration::ZERO).unwrap();
            let error = client.get(nobody.clone()).send().await.unwrap_err();
            let trouble = client.trouble(&error, &nobody, "X");
            assert!(trouble.cause.contains(says) && trouble.cause.contains("refused"), "{trouble:?}");
            assert!(trouble.may_pass && !format!("{trouble:?}").contains("hunter2"), "{trouble:?}");
            assert!(!trouble.cause.contains("secret"), "{trouble:?}");
        }
    }
}
