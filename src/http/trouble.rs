//! Why a request got no answer, in the words of whoever must mend it: the certificate, the proxy, or
//! the network.

use std::error::Error;
use std::time::Duration;

use rustls::CertificateError;

use super::proxy::Proxy;
use super::roots;

/// Why there was no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// One clause that follows the server's name, without secrets: `cannot be reached: …`.
    pub cause: String,
    /// What to do about it.
    pub hints: Vec<String>,
    /// Whether the same request may do better in a moment.
    pub may_pass: bool,
}

impl Trouble {
    /// An answer that was not there after `limit`.
    pub fn late(limit: Duration) -> Self {
        Self {
            cause: format!("took longer than {} s", limit.as_secs()),
            hints: vec!["run it again, or set `request-timeout` to more".to_owned()],
            may_pass: true,
        }
    }

    /// Judges an error of the HTTP client for a request that went through `proxy`, to an address that
    /// `variable` names.
    pub(super) fn of(
        error: &(dyn Error + 'static),
        proxy: Option<&Proxy>,
        variable: &str,
        contained: bool,
    ) -> Self {
        // The proxy's own TLS fails before a tunnel is asked for.
        let tunnel = causes(error)
            .find_map(|cause| cause.to_string().strip_prefix("tunnel error: ").map(str::to_owned));
        if let Some(tls) = causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
            let whose = match (proxy, &tunnel) {
                (Some(proxy), Some(_)) => format!("the proxy {}", proxy.shown()),
                _ => "it".to_owned(),
            };
            return Self::certificate(tls, &whose, contained);
        }
        match (proxy, tunnel.as_deref()) {
            (Some(proxy), Some("proxy authorization required")) => Self {
                cause: format!(
                    "cannot be reached: the proxy {} wants a user and a password (407)",
                    proxy.shown()
                ),
                hints: vec![wants_password(proxy)],
                may_pass: false,
            },
            (Some(proxy), Some("unsuccessful")) => Self {
                cause: format!("cannot be reached: the proxy {} refuses to connect to it", proxy.shown()),
                hints: vec![format!(
                    "allow the server there, correct `{}`, or name the server in `NO_PROXY`",
                    proxy.variable()
                )],
                may_pass: false,
            },
            (Some(proxy), _) => Self {
                cause: format!("cannot be reached through the proxy {}: {}", proxy.shown(), phrase(error)),
                hints: vec![format!(
                    "check `{}` and the network, or name the server in `NO_PROXY`",
                    proxy.variable()
                )],
                may_pass: true,
            },
            (None, _) => Self {
                cause: format!("cannot be reached: {}", phrase(error)),
                hints: vec![format!("check `{variable}` and the network; behind a proxy, set `HTTPS_PROXY`")],
                may_pass: true,
            },
        }
    }

    fn certificate(error: &rustls::Error, whose: &str, contained: bool) -> Self {
        let why = match error {
            // A signature is bad when another authority of the same name is trusted.
            rustls::Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadSignature,
            ) => {
                format!("the certificate that {whose} shows is of an authority that is not trusted here")
            }
            other => format!("with the TLS of {whose}: {}", one_line(&other.to_string())),
        };
        let mut hints = vec![
            "point `SSL_CERT_FILE` at a file in PEM form that has the certificate of the server's CA \
             (or of the proxy's that looks into the traffic)"
                .to_owned(),
        ];
        hints.extend(contained.then(|| roots::CONTAINED.to_owned()));
        Self { cause: format!("is not trusted: {why}"), hints, may_pass: false }
    }
}

/// Whether a connection was there, and an answer was not.
pub(super) fn is_late(error: &(dyn Error + 'static)) -> bool {
    let request = causes(error).find_map(|cause| cause.downcast_ref::<reqwest::Error>());
    request.is_some_and(|error| error.is_timeout() && !error.is_connect())
}

/// What to do when a proxy answers 407.
pub(super) fn wants_password(proxy: &Proxy) -> String {
    format!("write `{}` as `http://USER:PASSWORD@HOST:PORT`, the password from a secret", proxy.variable())
}

/// The innermost cause, as one phrase without addresses or headers.
pub(super) fn phrase(error: &(dyn Error + 'static)) -> String {
    let request = causes(error).find_map(|cause| cause.downcast_ref::<reqwest::Error>());
    if request.is_some_and(reqwest::Error::is_timeout) {
        let what = if is_late(error) { "nothing more came" } else { "no connection was made" };
        return format!("{what} within the time that an answer may take (`request-timeout`)");
    }
    one_line(&causes(error).last().map(ToString::to_string).unwrap_or_default())
}

fn one_line(text: &str) -> String {
    text.chars().take(300).map(|c| if c.is_control() { ' ' } else { c }).collect()
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
    use super::*;

    #[test]
    fn an_untrusted_server_is_not_asked_again_and_a_container_is_told_where_files_are() {
        let untrusted = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let outside = Trouble::of(&untrusted, None, "X", false);
        assert!(!outside.may_pass && outside.hints.len() == 1, "{outside:?}");
        let inside = Trouble::of(&untrusted, None, "X", true);
        assert!(inside.hints.iter().any(|hint| hint.contains("`/github/workspace`")), "{inside:?}");
        let expired =
            Trouble::of(&rustls::Error::InvalidCertificate(CertificateError::Expired), None, "X", false);
        assert!(expired.cause.starts_with("is not trusted: with the TLS of it: "), "{expired:?}");
    }
}
