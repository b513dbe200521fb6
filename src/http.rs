//! The one HTTP client of the program: one TLS stack, one proxy rule, one place for timeouts.
//!
//! Both edges that speak to a server (git and GitHub's API) use it. It trusts the machine's roots
//! (`SSL_CERT_FILE` and `SSL_CERT_DIR` add or replace them), takes the proxy from `HTTPS_PROXY`,
//! `HTTP_PROXY` and `NO_PROXY`, and never follows a redirect to another origin: a token is for the
//! server it was given for. It sets no credentials itself.

use std::error::Error;
use std::sync::Once;
use std::time::Duration;

use reqwest::redirect::Policy;
use url::Url;

use crate::failure::{Failure, Kind, Result};

/// What the program calls itself.
pub const USER_AGENT: &str = concat!("promote/", env!("CARGO_PKG_VERSION"));

/// Longest wait for a connection, TLS included.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest silence while an answer is awaited or read. GitHub sends a sign of life every 5 s while
/// it packs, so a long clone is not cut.
const SILENCE: Duration = Duration::from_mins(1);
/// Redirects followed within one origin; git itself follows 20, no server needs more than two.
const REDIRECTS: usize = 5;

/// Returns a client with the program's timeouts, roots and proxy; clones of it share connections.
///
/// # Errors
/// When the machine's root certificates cannot be read.
pub fn client() -> Result<reqwest::Client> {
    install_crypto();
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
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
        .build()
        .map_err(|error| {
            let cause = cause_of(&error);
            Failure::new(Kind::Machine, format!("no TLS client can be made: {cause}"))
                .hinted("point `SSL_CERT_FILE` at a bundle of CA certificates")
                .because(error)
        })
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

/// The innermost cause of a request that got no answer, as one phrase without addresses or headers.
pub fn cause_of(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        let (what, limit) = if error.is_connect() { ("connection", CONNECT) } else { ("answer", SILENCE) };
        return format!("no {what} within {} s", limit.as_secs());
    }
    let innermost = causes(error).last().map(ToString::to_string).unwrap_or_default();
    innermost.chars().take(300).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Whether a request failed because the server's certificate or its TLS was not accepted; trying
/// again does not help.
pub fn is_tls(error: &reqwest::Error) -> bool {
    causes(error).any(<dyn Error>::is::<rustls::Error>)
}

/// The error and its causes, outermost first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        match (*error).downcast_ref::<std::io::Error>() {
            // Its `source` skips the error that it wraps.
            Some(wrapper) => wrapper.get_ref().map(|inner| inner as &(dyn Error + 'static)),
            None => (*error).source(),
        }
    })
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
        let error = client().unwrap().get("http://127.0.0.1:9/secret").send().await.unwrap_err();
        let cause = cause_of(&error);
        assert!(cause.contains("refused") && !cause.contains("secret"), "{cause}");
        assert!(!is_tls(&error));
    }
}
