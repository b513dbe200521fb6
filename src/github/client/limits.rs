//! GitHub's rate limits: what an answer says of them.
//!
//! A limited request did not act, so it may be sent again whatever its method.

use http::StatusCode;
use serde_json::Value;

use super::Answer;

/// What GitHub asks for where a secondary limit names no time.
const UNNAMED: u64 = 60;

/// How many seconds an answer asks to wait, where a limit was met; `now` is in seconds since 1970.
pub(super) fn limit(answer: &Answer, now: u64) -> Option<u64> {
    let refused = matches!(answer.status, StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS);
    let says = says_limited(answer) || answer.status == StatusCode::TOO_MANY_REQUESTS;
    if !refused && !says {
        return None;
    }
    let number = |name: &str| answer.headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    let spent = number("x-ratelimit-remaining") == Some(0);
    let seconds = match (number("retry-after"), number("x-ratelimit-reset").filter(|_| spent)) {
        (Some(after), _) => after,
        // The last request before a limit may be refused for want of a permission.
        (None, Some(reset)) if says => reset.saturating_sub(now) + 1,
        (None, None) if says => UNNAMED,
        (None, _) => return None,
    };
    Some(seconds.max(1))
}

/// Whether an answer is about a limit in its words: REST refuses, GraphQL answers with the status of success.
pub(super) fn says_limited(answer: &Answer) -> bool {
    let text =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_lowercase();
    if answer.status.is_success() {
        let errors = answer.body.get("errors").and_then(Value::as_array);
        return errors.into_iter().flatten().any(|error| text(error, "type") == "rate_limited");
    }
    let said = text(&answer.body, "message");
    said.contains("rate limit") || said.contains("abuse detection")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use http::HeaderMap;
    use serde_json::json;

    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: Value) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        Answer { status: StatusCode::from_u16(status).unwrap(), headers: map, body, unreadable: None }
    }

    #[test]
    fn an_answer_says_how_long_to_wait() {
        let secondary = || json!({"message": "You have exceeded a secondary rate limit."});
        let primary = || json!({"message": "API rate limit exceeded for installation."});
        let graphql = || json!({"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]});
        let spent = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1030")];
        for (answer, expected) in [
            (answer(403, &[("retry-after", "7")], secondary()), Some(7)),
            (answer(429, &[("retry-after", "0")], secondary()), Some(1)),
            (answer(403, &[], secondary()), Some(60)),
            (answer(429, &[], Value::Null), Some(60)),
            (answer(403, &spent, primary()), Some(31)),
            (answer(200, &spent, graphql()), Some(31)),
            (answer(200, &[], graphql()), Some(60)),
            (answer(200, &spent, json!({"data": {}})), None),
            (answer(403, &[], json!({"message": "Resource not accessible by integration"})), None),
            (answer(403, &spent, json!({"message": "Resource not accessible by integration"})), None),
            (answer(502, &[("retry-after", "7")], Value::Null), None),
        ] {
            assert_eq!(limit(&answer, 1000), expected, "{answer:?}");
        }
    }
}
