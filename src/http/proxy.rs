//! Which requests go through a proxy: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in either case.
//!
//! Read here rather than by the HTTP library, which goes around a proxy whose address it cannot read,
//! does not know ports in `NO_PROXY` (the runner does), and takes an empty variable for a set one.

use std::net::IpAddr;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::failure::{Failure, Kind, Result};
use crate::secret::Secret;

/// Variables of a scheme, by precedence.
const HTTPS: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
const HTTP: [&str; 4] = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// A proxy, with what it wants to know of us.
#[derive(Clone)]
pub(super) struct Proxy {
    /// With user and password.
    pub(super) address: Url,
    /// The variable it comes from.
    variable: &'static str,
}

impl Proxy {
    /// Its host and port with the variable that names it, for messages: never its password.
    pub(super) fn shown(&self) -> String {
        let host = self.address.host_str().unwrap_or_default();
        let port = self.address.port_or_known_default().unwrap_or_default();
        format!("`{host}:{port}` (of `{}`)", self.variable)
    }

    /// The variable that names it.
    pub(super) fn variable(&self) -> &'static str {
        self.variable
    }
}

/// The proxies of a run.
#[derive(Clone, Default)]
pub(super) struct Proxies {
    https: Option<Proxy>,
    http: Option<Proxy>,
    around: Vec<Around>,
}

impl Proxies {
    /// Reads what the environment says; empty is unset.
    ///
    /// # Errors
    /// When a variable is no address of a proxy.
    pub(super) fn named(get: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let around = get("NO_PROXY").or_else(|| get("no_proxy")).unwrap_or_default();
        Ok(Self {
            https: first(&get, &HTTPS)?,
            http: first(&get, &HTTP)?,
            around: around.split([',', ';', ' ', '\t', '\n', '\r']).filter_map(Around::parse).collect(),
        })
    }

    /// The proxy for an address, if it is not reached directly.
    pub(super) fn between(&self, address: &Url) -> Option<&Proxy> {
        let proxy = if address.scheme() == "https" { &self.https } else { &self.http };
        proxy.as_ref().filter(|_| !self.around.iter().any(|around| around.has(address)))
    }
}

/// Passwords in the variables, as they stand there and decoded: to be masked, whichever is used.
pub fn passwords(get: impl Fn(&str) -> Option<String>) -> Vec<Secret> {
    let mut found = Vec::new();
    for variable in HTTPS.iter().chain(&HTTP) {
        let Some((user, _)) = get(variable).as_deref().and_then(|text| text.rsplit_once('@')).map(owned)
        else {
            continue;
        };
        let user = user.split_once("://").map_or(user.as_str(), |(_, user)| user);
        let Some((_, password)) = user.split_once(':') else { continue };
        let decoded = percent_decode_str(password).decode_utf8_lossy().into_owned();
        for text in [password.to_owned(), decoded] {
            let secret = Secret::new(text);
            if !secret.expose().is_empty() && !found.contains(&secret) {
                found.push(secret);
            }
        }
    }
    found
}

fn owned((one, other): (&str, &str)) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

fn first(get: impl Fn(&str) -> Option<String>, variables: &[&'static str]) -> Result<Option<Proxy>> {
    let Some((variable, text)) = variables.iter().find_map(|name| Some((*name, get(name)?))) else {
        return Ok(None);
    };
    let text = text.trim();
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let wrong = |what: &str| {
        // The value may hold a password.
        Failure::new(Kind::Settings, format!("`{variable}` {what}")).hinted(
            "write it as `http://HOST:PORT` or `http://USER:PASSWORD@HOST:PORT`, with `@`, `:`, `/`, `#` and `%` of \
             user and password percent-encoded",
        )
    };
    let address = Url::parse(&whole).map_err(|_| wrong("is not the address of a proxy"))?;
    match address.scheme() {
        "http" | "https" if address.has_host() => Ok(Some(Proxy { address, variable })),
        scheme if scheme.starts_with("socks") => {
            Err(wrong("is a SOCKS proxy; only HTTP proxies are supported"))
        }
        _ => Err(wrong("is not the address of a proxy")),
    }
}

/// What `NO_PROXY` names.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Around {
    Everything,
    /// A network; a single address has all its bits.
    Network {
        address: IpAddr,
        bits: u32,
    },
    /// A host and all below it, on one port or every.
    Host {
        name: String,
        port: Option<u16>,
    },
}

impl Around {
    fn parse(entry: &str) -> Option<Self> {
        let entry = entry.trim();
        if entry.is_empty() {
            return None;
        }
        if entry == "*" {
            return Some(Self::Everything);
        }
        let (network, bits) =
            entry.split_once('/').map_or((entry, None), |(network, bits)| (network, Some(bits)));
        if let Ok(address) = network.trim_matches(['[', ']']).parse::<IpAddr>() {
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.map_or(Some(most), |bits| bits.parse().ok())?;
            return (bits <= most).then_some(Self::Network { address, bits });
        }
        let (name, port) = match entry.rsplit_once(':').map(|(name, port)| (name, port.parse())) {
            Some((name, Ok(port))) => (name, Some(port)),
            _ => (entry, None),
        };
        let name = name.trim_start_matches('*').trim_matches(['.', '[', ']']).to_lowercase();
        (!name.is_empty()).then_some(Self::Host { name, port })
    }

    fn has(&self, address: &Url) -> bool {
        let host = address.host_str().unwrap_or_default().trim_matches(['[', ']']);
        match self {
            Self::Everything => true,
            Self::Network { address: network, bits } => {
                host.parse::<IpAddr>().is_ok_and(|host| in_network(host, *network, *bits))
            }
            Self::Host { name, port } => {
                let below = host.strip_suffix(name.as_str());
                below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                    && port.is_none_or(|port| address.port_or_known_default() == Some(port))
            }
        }
    }
}

fn in_network(host: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (host, network) {
        (IpAddr::V4(host), IpAddr::V4(network)) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            host.to_bits() & mask == network.to_bits() & mask
        }
        (IpAddr::V6(host), IpAddr::V6(network)) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            host.to_bits() & mask == network.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use super::*;

    fn proxies(pairs: &[(&str, &str)]) -> Result<Proxies> {
        Proxies::named(get(pairs))
    }

    fn get(pairs: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        let pairs: Vec<(String, String)> =
            pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        move |name| {
            pairs
                .iter()
                .find(|(known, value)| known == name && !value.is_empty())
                .map(|(_, value)| value.clone())
        }
    }

    fn between(pairs: &[(&str, &str)], address: &str) -> Option<String> {
        proxies(pairs).unwrap().between(&Url::parse(address).unwrap()).map(Proxy::shown)
    }

    #[test]
    fn each_scheme_has_its_proxy_and_all_is_for_the_rest() {
        const HTTPS: &str = "https://ghe.acme.test";
        const HTTP: &str = "http://ghe.acme.test";
        let cases = [
            (vec![], HTTPS, None),
            (vec![("HTTPS_PROXY", "http://one:3128")], HTTPS, Some("`one:3128` (of `HTTPS_PROXY`)")),
            (vec![("https_proxy", "one:3128")], HTTPS, Some("`one:3128` (of `https_proxy`)")),
            (vec![("HTTPS_PROXY", "http://one")], HTTP, None),
            (vec![("HTTP_PROXY", "http://one")], HTTPS, None),
            (vec![("http_proxy", "http://one")], HTTP, Some("`one:80` (of `http_proxy`)")),
            (vec![("ALL_PROXY", "https://one")], HTTP, Some("`one:443` (of `ALL_PROXY`)")),
            (
                vec![("ALL_PROXY", "one:1"), ("https_proxy", "two:2")],
                HTTPS,
                Some("`two:2` (of `https_proxy`)"),
            ),
            (
                vec![("HTTPS_PROXY", "one:1"), ("https_proxy", "two:2")],
                HTTPS,
                Some("`one:1` (of `HTTPS_PROXY`)"),
            ),
            (vec![("HTTPS_PROXY", ""), ("all_proxy", "two:2")], HTTPS, Some("`two:2` (of `all_proxy`)")),
        ];
        for (pairs, address, expected) in cases {
            assert_eq!(between(&pairs, address).as_deref(), expected, "{pairs:?} {address}");
        }
    }

    #[test]
    fn no_proxy_names_hosts_what_is_below_them_ports_and_networks() {
        let cases = [
            ("ghe.acme.test", "https://ghe.acme.test", true),
            ("GHE.Acme.Test", "https://ghe.acme.test", true),
            ("acme.test", "https://ghe.acme.test", true),
            (".acme.test", "https://ghe.acme.test", true),
            ("*.acme.test", "https://ghe.acme.test", true),
            (".acme.test", "https://acme.test", true),
            ("acme.test", "https://notacme.test", false),
            ("ghe.acme.test", "https://acme.test", false),
            ("other.test, ghe.acme.test", "https://ghe.acme.test", true),
            ("*", "https://ghe.acme.test", true),
            ("ghe.acme.test:443", "https://ghe.acme.test", true),
            ("ghe.acme.test:8443", "https://ghe.acme.test:8443", true),
            ("ghe.acme.test:8443", "https://ghe.acme.test", false),
            ("127.0.0.1", "http://127.0.0.1:8080", true),
            ("10.0.0.0/8", "https://10.1.2.3", true),
            ("10.0.0.0/8", "https://11.1.2.3", false),
            ("0.0.0.0/0", "https://11.1.2.3", true),
            ("10.0.0.0/33", "https://10.0.0.0", false),
            ("::1", "https://[::1]:8443", true),
            ("[::1]", "https://[::1]:8443", true),
            ("fd00::/8", "https://[fd12::7]", true),
            ("10.0.0.0/8", "https://ghe.acme.test", false),
            ("", "https://ghe.acme.test", false),
            (" , .", "https://ghe.acme.test", false),
        ];
        for (around, address, direct) in cases {
            let pairs = [("HTTPS_PROXY", "one:1"), ("HTTP_PROXY", "one:1"), ("no_proxy", around)];
            assert_eq!(between(&pairs, address).is_none(), direct, "{around} {address}");
        }
    }

    #[test]
    fn what_is_no_proxy_is_said_without_its_value() {
        for (value, says) in [
            ("http://", "not the address of a proxy"),
            ("ftp://user:hunter2@one", "not the address of a proxy"),
            ("http://user:hunter2/x@one:3128", "not the address of a proxy"),
            ("socks5h://user:hunter2@one:1080", "SOCKS"),
        ] {
            let text = proxies(&[("HTTPS_PROXY", value)]).err().unwrap().to_string();
            assert!(
                text.contains(says) && text.contains("`HTTPS_PROXY`") && !text.contains("hunter2"),
                "{text}"
            );
        }
    }

    #[test]
    fn passwords_are_known_as_they_stand_and_decoded() {
        let secrets = |value: &str| {
            let found = passwords(get(&[("https_proxy", value)]));
            found.iter().map(|secret| secret.expose().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(secrets("http://user:p%40ss@one:3128"), ["p%40ss", "p@ss"]);
        assert_eq!(secrets("user:plain@one"), ["plain"]);
        assert_eq!(secrets("http://user:p@ss@one:3128"), ["p@ss"]);
        for none in ["http://one:3128", "http://user@one", "http://user:@one", ""] {
            assert_eq!(secrets(none), [""; 0], "{none}");
        }
    }
}
