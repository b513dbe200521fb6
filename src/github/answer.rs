//! What a successful answer must look like: JSON of the kind that was asked for, and a next page that
//! is on the same API.
//!
//! Sends nothing. An answer that cannot be read is told in one sentence, by the request it answers;
//! another host is never asked, because the token is for this one.

use http::{HeaderMap, Method};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::client::Refusal;
use crate::failure::{Failure, Kind, Result};

/// What an answer is to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Object,
    List,
}

/// The request that is answered, as messages name it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
}

impl Asked<'_> {
    /// Decodes what was answered.
    pub(super) fn decoded<T: DeserializeOwned>(self, body: Value, due: Due) -> Result<T, Refusal> {
        let (fits, what) = match due {
            Due::Object => (body.is_object(), "an object"),
            Due::List => (body.is_array(), "a list"),
        };
        if !fits {
            return Err(self.unreadable(&format!("it is {}, and {what} was due", described(&body))));
        }
        serde_json::from_value(body).map_err(|error| self.unreadable(&why(&error.to_string())).because(error))
    }

    /// The list in an answer: the answer itself, or what it names `items`.
    pub(super) fn list<T: DeserializeOwned>(
        self,
        mut body: Value,
        items: Option<&str>,
    ) -> Result<Vec<T>, Refusal> {
        let Some(items) = items else { return self.decoded(body, Due::List) };
        match body.get_mut(items).map(Value::take) {
            Some(list) => self.decoded(list, Due::List),
            None if body.is_object() => Err(self.unreadable(&format!("`{items}` is missing"))),
            None => self.decoded(body, Due::Object),
        }
    }

    /// A refusal without a status: GitHub may have acted all the same.
    pub(super) fn unreadable(self, why: &str) -> Refusal {
        let path = self.path.split_once('?').map_or(self.path, |(path, _)| path);
        let message = format!("GitHub's answer to `{} {path}` cannot be read: {why}", self.method);
        let hint = "check that `GITHUB_API_URL` is the address of GitHub's API, with nothing between that answers for it";
        Refusal::ambiguous(Failure::new(Kind::GitHub, message.clone()).hinted(hint), message)
    }
}

/// What bytes are that should have been JSON.
pub(super) fn not_json(bytes: &[u8]) -> &'static str {
    match bytes.trim_ascii_start().first() {
        Some(b'<') => "it is a page of HTML, and JSON was due",
        _ => "it is not JSON, or is cut short",
    }
}

fn described(body: &Value) -> &'static str {
    match body {
        Value::Null => "empty",
        Value::Bool(_) | Value::Number(_) => "a number or a yes or no",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The decoder's words without the names of the program's own types.
fn why(said: &str) -> String {
    if let Some(key) = said.strip_prefix("missing field ") {
        return format!("{} is missing", key.split(" at line").next().unwrap_or(key));
    }
    let found = said.strip_prefix("invalid type: ").and_then(|rest| rest.split([' ', ',']).next());
    let found = match found {
        Some("null") => "nothing",
        Some("string") => "a text",
        Some("map") => "an object",
        Some("sequence") => "a list",
        Some("integer" | "floating") => "a number",
        Some("boolean") => "a yes or no",
        _ => return "a value in it is not one that GitHub documents".to_owned(),
    };
    format!("it has {found} where GitHub documents another kind of value")
}

/// The address of an API, if it is one.
///
/// # Errors
/// When it is no address over HTTP.
pub(super) fn api_address(text: &str) -> Result<Url> {
    let wrong = || {
        Failure::new(Kind::Settings, format!("`{}` is not the address of an API", text.escape_debug())).hinted(
            "`GITHUB_API_URL` and `GITHUB_GRAPHQL_URL` are set by the runner, such as `https://api.github.com` or \
             `https://HOST/api/v3`",
        )
    };
    let url = Url::parse(text).map_err(|error| wrong().because(error))?;
    let whole = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if whole { Ok(url) } else { Err(wrong()) }
}

/// The path below `api` of the page after `page`; none where `page` is the last.
///
/// A proxy may stand before a server that tells its own host: what continues the API's path is then
/// asked at the API's address.
///
/// # Errors
/// The address that was named, where it is not on this API.
pub(super) fn next_page(headers: &HeaderMap, api: &Url, page: &str) -> Result<Option<String>, String> {
    let Some(link) = linked(headers) else { return Ok(None) };
    let root = api.path().trim_end_matches('/');
    let here = format!("{}{page}", api.as_str().trim_end_matches('/'));
    let next = Url::parse(&here).and_then(|here| here.join(&link)).map_err(|_| link.clone())?;
    let known =
        next.origin() == api.origin() || (!root.is_empty() && matches!(next.scheme(), "http" | "https"));
    let rest = next.path().strip_prefix(root).filter(|rest| known && rest.starts_with('/'));
    let Some(rest) = rest else { return Err(link) };
    Ok(Some(next.query().map_or_else(|| rest.to_owned(), |query| format!("{rest}?{query}"))))
}

fn linked(headers: &HeaderMap) -> Option<String> {
    let link = headers.get(http::header::LINK)?.to_str().ok()?;
    link.split(',').find_map(|part| {
        let (address, rel) = part.split_once(';')?;
        rel.contains("rel=\"next\"")
            .then(|| address.trim().trim_start_matches('<').trim_end_matches('>').to_owned())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct WirePull {
        #[expect(dead_code, reason = "its kind is what matters")]
        number: u64,
    }

    const GET: Asked<'_> = Asked { method: &Method::GET, path: "/repos/acme/agent/pulls?state=all" };

    fn next(api: &str, link: &str) -> Result<Option<String>, String> {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::LINK, format!(r#"<{link}>; rel="next""#).parse().unwrap());
        next_page(&headers, &api_address(api).unwrap(), "/repos/a/b/pulls?per_page=100")
    }

    #[test]
    fn the_next_page_is_found_whatever_its_place() {
        let mut headers = HeaderMap::new();
        let link =
            r#"<https://api.github.com/a?page=1>; rel="prev", <https://api.github.com/a?page=3>; rel="next""#;
        headers.insert(http::header::LINK, link.parse().unwrap());
        let api = api_address("https://api.github.com").unwrap();
        assert_eq!(next_page(&headers, &api, "/a?page=2"), Ok(Some("/a?page=3".into())));
        assert_eq!(next_page(&HeaderMap::new(), &api, "/a"), Ok(None));
    }

    #[test]
    fn the_next_page_is_on_this_api_or_it_is_not_asked_for() {
        const CLOUD: &str = "https://api.github.com";
        const SERVER: &str = "https://ghe.acme.test/api/v3";
        let cases = [
            (
                CLOUD,
                "https://api.github.com/repositories/1/pulls?page=2",
                Some("/repositories/1/pulls?page=2"),
            ),
            (CLOUD, "?page=2", Some("/repos/a/b/pulls?page=2")),
            (CLOUD, "/repositories/1/pulls?page=2", Some("/repositories/1/pulls?page=2")),
            (CLOUD, "https://evil.test/repos/a/b/pulls?page=2", None),
            (CLOUD, "//evil.test/repos/a/b/pulls?page=2", None),
            (CLOUD, "http://api.github.com/repos/a/b/pulls?page=2", None),
            (CLOUD, "https://api.github.com@evil.test/x", None),
            (CLOUD, "https://api.github.com.evil.test/x", None),
            (CLOUD, "file:///etc/passwd", None),
            (SERVER, "https://ghe.acme.test/api/v3/x?page=2", Some("/x?page=2")),
            (SERVER, "http://inside:8080/api/v3/x?page=2", Some("/x?page=2")),
            (SERVER, "https://evil.test/x?page=2", None),
            (SERVER, "https://ghe.acme.test/x?page=2", None),
            (SERVER, "https://ghe.acme.test/api/v3/../../x", None),
            (SERVER, "https://ghe.acme.test/api/v30/x", None),
            (SERVER, "http://[", None),
        ];
        for (api, link, expected) in cases {
            let found = next(api, link);
            assert_eq!(
                found,
                expected.map_or(Err(link.to_owned()), |path| Ok(Some(path.to_owned()))),
                "{link}"
            );
        }
    }

    #[test]
    fn an_address_is_one_over_http_with_a_host() {
        for bad in [
            "notaurl",
            "",
            "ftp://x",
            "file:///x",
            "api.github.com",
            "https://",
            "https://u:p@x",
            "https://x?y",
        ] {
            let failure = api_address(bad).unwrap_err();
            assert_eq!(failure.kind(), Kind::Settings, "{bad}");
        }
        for good in ["https://api.github.com", "http://127.0.0.1:8080/api/v3", "https://[::1]/api/v3/"] {
            assert!(api_address(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn an_answer_of_another_kind_is_told_in_one_sentence() {
        let list = |body: Value| GET.list::<WirePull>(body, None).unwrap_err();
        let named = |body: Value| GET.list::<WirePull>(body, Some("jobs")).unwrap_err();
        let one = |body: Value| GET.decoded::<WirePull>(body, Due::Object).unwrap_err();
        let cases = [
            (list(json!({})), "it is an object, and a list was due"),
            (list(Value::Null), "it is empty, and a list was due"),
            (list(json!([{}])), "`number` is missing"),
            (list(json!([{"number": "x"}])), "it has a text where GitHub documents another kind of value"),
            (list(json!([null])), "it has nothing where GitHub documents another kind of value"),
            (list(json!([{"number": -1}])), "a value in it is not one that GitHub documents"),
            (named(json!({})), "`jobs` is missing"),
            (named(json!([])), "it is a list, and an object was due"),
            (named(json!({"jobs": null})), "it is empty, and a list was due"),
            (one(json!({})), "`number` is missing"),
            (one(json!("moved")), "it is a text, and an object was due"),
        ];
        for (refusal, why) in cases {
            let expected = format!("GitHub's answer to `GET /repos/acme/agent/pulls` cannot be read: {why}");
            assert_eq!(refusal.message, expected);
            // Whether GitHub acted is not known.
            assert_eq!(refusal.status, None);
            assert!(!Failure::from(refusal).to_string().contains("WirePull"));
        }
    }
}
