//! Where the server is: its pages and git, its REST API, its GraphQL API.
//!
//! The runner names all three. On a laptop one is enough: the others follow by GitHub's own rules for
//! github.com, for a tenant of GHE.com, and for GitHub Enterprise Server. Where they do not follow, it
//! is an error and never github.com: the token is for the server that was named.

use url::{Host, Url};

use crate::failure::{Place, Problem};

/// The addresses of one server, none with a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// `https://github.com`.
    pub server: String,
    /// `https://api.github.com`.
    pub api: String,
    /// `https://api.github.com/graphql`.
    pub graphql: String,
}

impl Addresses {
    /// Reads `GITHUB_SERVER_URL`, `GITHUB_API_URL` and `GITHUB_GRAPHQL_URL`, and derives what is missing.
    ///
    /// # Errors
    /// When one is no address, when the server does not follow from the API, and when one is of another server: the
    /// token would go there, too.
    pub fn named(get: impl Fn(&str) -> Option<String>) -> Result<Self, Problem> {
        let server = get(SERVER).map(|text| root(&text)).transpose()?;
        let api = get(API).map(|text| address(API, &text)).transpose()?;
        let graphql = get(GRAPHQL).map(|text| address(GRAPHQL, &text)).transpose()?;
        let server = match (server, &api) {
            (Some(server), _) => server,
            (None, Some(api)) => server_of(api)?,
            (None, None) if graphql.is_some() => return Err(alone()),
            (None, None) => address(SERVER, "https://github.com")?,
        };
        if server.scheme() == "http" && is_githubs(&server) {
            let hint = "name it with `https://`";
            return Err(wrong(SERVER, "the token would go over the network in clear".to_owned(), hint));
        }
        for (variable, given) in [(API, &api), (GRAPHQL, &graphql)] {
            given.as_ref().map_or(Ok(()), |given| of_one_server(variable, given, &server))?;
        }
        let api = api.map_or_else(|| api_of(&server), |api| bare(&api));
        let graphql = graphql.map(|graphql| bare(&graphql));
        // An API of GitHub Enterprise Server ends so.
        let graphql = graphql.unwrap_or_else(|| match api.strip_suffix("/api/v3") {
            Some(base) => format!("{base}/api/graphql"),
            None => format!("{api}/graphql"),
        });
        Ok(Self { server: bare(&server), api, graphql })
    }

    /// The addresses that a token goes to in clear, but for this machine itself.
    pub fn in_clear(&self) -> impl Iterator<Item = Url> {
        let all =
            [&self.server, &self.api, &self.graphql].into_iter().filter_map(|text| Url::parse(text).ok());
        all.filter(|url| url.scheme() == "http")
    }
}

/// Whether an address is this machine's own.
pub fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether GitHub itself serves it.
fn is_githubs(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "github.com" || host.ends_with(".github.com") || host.ends_with(".ghe.com")
}

/// An API is where its server has it: a path or a port may be another, a host may not.
fn of_one_server(variable: &str, given: &Url, server: &Url) -> Result<(), Problem> {
    let due = Url::parse(&api_of(server)).ok();
    let same = due.as_ref().is_some_and(|due| due.host_str() == given.host_str());
    if same || (is_here(given) && is_here(server)) {
        return Ok(());
    }
    let message = format!(
        "`{}` is not of the server `{}`, and the token is for that one alone",
        bare(given),
        bare(server)
    );
    Err(wrong(variable, message, "let the three addresses name one server, or set `GITHUB_SERVER_URL` alone"))
}

fn alone() -> Problem {
    wrong(
        GRAPHQL,
        "no server follows from it".to_owned(),
        "name the server by `GITHUB_SERVER_URL`, such as `https://HOST`",
    )
}

const SERVER: &str = "GITHUB_SERVER_URL";
const API: &str = "GITHUB_API_URL";
const GRAPHQL: &str = "GITHUB_GRAPHQL_URL";

fn bare(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

fn wrong(variable: &str, message: String, hint: &str) -> Problem {
    Problem { place: Some(Place::of(format!("`{variable}`"))), message, hints: vec![hint.to_owned()] }
}

/// An address over HTTP with a host and perhaps a path, and nothing else.
fn address(variable: &str, text: &str) -> Result<Url, Problem> {
    let whose = if variable == SERVER { "a server" } else { "an API" };
    let shown = text.escape_debug().to_string().replace('`', "'");
    let url = Url::parse(text.trim());
    let secret = url.as_ref().is_ok_and(|url| !url.username().is_empty() || url.password().is_some());
    let plain = |url: &Url| {
        let http = matches!(url.scheme(), "http" | "https");
        http && url.has_host() && url.query().is_none() && url.fragment().is_none()
    };
    match url {
        Ok(url) if plain(&url) && !secret => Ok(url),
        // An address with a password is not shown.
        _ if secret => Err(wrong(variable, "it must hold no user or password".to_owned(), FORM)),
        _ => Err(wrong(variable, format!("`{shown}` is not the address of {whose}"), FORM)),
    }
}

const FORM: &str = "the runner sets it: `https://github.com`, `https://api.github.com` and `https://api.github.com/graphql`, or \
                    `https://HOST`, `https://HOST/api/v3` and `https://HOST/api/graphql`";

/// The server's address: at the root of its host, as GitHub is served nowhere else.
fn root(text: &str) -> Result<Url, Problem> {
    let url = address(SERVER, text)?;
    if url.path().trim_end_matches('/').is_empty() {
        return Ok(url);
    }
    Err(wrong(
        SERVER,
        format!("it has the path `{}`, and GitHub is served at the root of its host alone", url.path()),
        "name the host alone, as `https://HOST`; the repository goes into `GITHUB_REPOSITORY`, the API into `GITHUB_API_URL`",
    ))
}

fn port(url: &Url) -> String {
    url.port().map_or_else(String::new, |port| format!(":{port}"))
}

/// The API of a server.
fn api_of(server: &Url) -> String {
    let host = server.host_str().unwrap_or_default();
    if host == "github.com" || host.ends_with(".ghe.com") {
        return format!("{}://api.{host}{}", server.scheme(), port(server));
    }
    format!("{}/api/v3", bare(server))
}

/// The server of an API.
fn server_of(api: &Url) -> Result<Url, Problem> {
    let (host, path) = (api.host_str().unwrap_or_default(), api.path().trim_end_matches('/'));
    let below = host.strip_prefix("api.").filter(|host| *host == "github.com" || host.ends_with(".ghe.com"));
    let found = match below {
        Some(host) if path.is_empty() => Some(format!("{}://{host}{}", api.scheme(), port(api))),
        None if path == "/api/v3" => Some(format!("{}://{host}{}", api.scheme(), port(api))),
        _ => None,
    };
    found.and_then(|text| Url::parse(&text).ok()).ok_or_else(|| {
        wrong(
            API,
            format!("from `{}` the server's own address does not follow", bare(api)),
            "set `GITHUB_SERVER_URL` as well, such as `https://HOST`",
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use super::*;

    fn named(server: &str, api: &str, graphql: &str) -> Result<Addresses, Problem> {
        Addresses::named(|name| {
            let value = match name {
                SERVER => server,
                API => api,
                _ => graphql,
            };
            (!value.is_empty()).then(|| value.to_owned())
        })
    }

    #[test]
    fn one_address_is_enough() {
        const CLOUD: [&str; 3] =
            ["https://github.com", "https://api.github.com", "https://api.github.com/graphql"];
        const OWN: [&str; 3] =
            ["https://ghe.acme.test", "https://ghe.acme.test/api/v3", "https://ghe.acme.test/api/graphql"];
        const TENANT: [&str; 3] =
            ["https://acme.ghe.com", "https://api.acme.ghe.com", "https://api.acme.ghe.com/graphql"];
        const PORT: [&str; 3] = [
            "https://ghe.acme.test:8443",
            "https://ghe.acme.test:8443/api/v3",
            "https://ghe.acme.test:8443/api/graphql",
        ];
        let cases = [
            (["", "", ""], CLOUD),
            (["https://github.com", "", ""], CLOUD),
            (["https://github.com/", "https://api.github.com/", ""], CLOUD),
            (["", "https://api.github.com", ""], CLOUD),
            (["https://ghe.acme.test", "", ""], OWN),
            (["HTTPS://GHE.Acme.test:443//", "", ""], OWN),
            (["", "https://ghe.acme.test/api/v3/", ""], OWN),
            (
                [
                    "https://ghe.acme.test",
                    "https://ghe.acme.test/api/v3",
                    "https://ghe.acme.test/api/graphql/",
                ],
                OWN,
            ),
            (["https://ghe.acme.test:8443/", "", ""], PORT),
            (["", "https://ghe.acme.test:8443/api/v3", ""], PORT),
            (["https://acme.ghe.com", "", ""], TENANT),
            (["", "https://api.acme.ghe.com", ""], TENANT),
        ];
        for ([server, api, graphql], [is_server, is_api, is_graphql]) in cases {
            let found = named(server, api, graphql).unwrap();
            let expected =
                Addresses { server: is_server.into(), api: is_api.into(), graphql: is_graphql.into() };
            assert_eq!(found, expected, "{server} {api} {graphql}");
        }
        let apart = named("http://localhost:1", "http://127.0.0.1:2/rest", "").unwrap();
        assert_eq!(apart.graphql, "http://127.0.0.1:2/rest/graphql");
    }

    #[test]
    fn what_does_not_follow_is_never_github_com() {
        let cases = [
            ("", "https://api.acme.test", "", "set `GITHUB_SERVER_URL` as well"),
            ("", "https://ghe.acme.test/prefix/api/v3", "", "set `GITHUB_SERVER_URL` as well"),
            ("https://acme.test/github", "", "", "at the root of its host alone"),
            ("github.com", "", "", "`github.com` is not the address of a server"),
            ("ftp://github.com", "", "", "not the address of a server"),
            ("https://github.com?a", "", "", "not the address of a server"),
            ("https://user:hunter2@github.com", "", "", "must hold no user or password"),
            ("", "https://ghe.acme.test/api/v3#x", "", "`GITHUB_API_URL`"),
            ("", "", "graphql", "`GITHUB_GRAPHQL_URL`"),
        ];
        for (server, api, graphql, says) in cases {
            let problem = named(server, api, graphql).unwrap_err();
            let text = format!("{problem} {:?}", problem.hints);
            assert!(text.contains(says) && !text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn a_token_goes_to_the_server_that_was_named_alone() {
        const GHE: &str = "https://ghe.acme.test";
        let cases = [
            (GHE, "https://api.github.com", ""),
            (GHE, "https://ghe.acme.test.evil.test/api/v3", ""),
            (GHE, "https://ghe.acme.test/api/v3", "https://api.github.com/graphql"),
            ("https://github.com", "https://ghe.acme.test/api/v3", ""),
            ("https://github.com", "https://github.com/api/v3", ""),
            ("https://acme.ghe.com", "https://api.github.com", ""),
            ("https://acme.ghe.com", "https://api.other.ghe.com", ""),
            ("http://127.0.0.1:80", "https://api.github.com", ""),
            ("", "", "https://ghe.acme.test/api/graphql"),
            ("http://github.com", "", ""),
            ("http://acme.ghe.com", "", ""),
        ];
        for (server, api, graphql) in cases {
            let problem = named(server, api, graphql).unwrap_err();
            assert!(
                problem.hints.iter().any(|hint| hint.contains("name")),
                "{server} {api} {graphql}: {problem}"
            );
        }
    }

    #[test]
    fn only_this_machine_is_here() {
        for (address, here) in [
            ("http://localhost:80", true),
            ("http://127.0.0.1:8080", true),
            ("http://[::1]:8080", true),
            ("http://ghe.acme.test", false),
            ("http://127.evil.test", false),
            ("http://127.0.0.1.evil.test", false),
            ("http://localhost.evil.test", false),
        ] {
            assert_eq!(is_here(&Url::parse(address).unwrap()), here, "{address}");
        }
    }
}
