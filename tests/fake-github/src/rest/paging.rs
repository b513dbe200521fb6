//! Pages and the `Link` header.

use serde_json::{Value, json};

use super::{Call, Reply};
use crate::state::Site;

/// The page a call asked for: which one, and how long.
struct Page {
    number: usize,
    size: usize,
}

fn asked(site: &Site, call: &Call) -> Page {
    let number = call.query("page").and_then(|text| text.parse().ok()).unwrap_or(1).max(1);
    let size: usize = call.query("per_page").and_then(|text| text.parse().ok()).unwrap_or(30);
    let size = size.clamp(1, 100);
    Page { number, size: site.page_cap.map_or(size, |cap| size.min(cap.max(1))) }
}

fn link(site: &Site, call: &Call, page: &Page, total: usize) -> Option<String> {
    let last = total.div_ceil(page.size).max(1);
    let address = |number: usize| {
        let mut query: Vec<String> = call
            .query
            .iter()
            .filter(|(key, _)| key != "page")
            .map(|(key, value)| format!("{}={}", encoded(key), encoded(value)))
            .collect();
        query.push(format!("page={number}"));
        format!("{}/api/v3{}?{}", site.base, call.path, query.join("&"))
    };
    let mut links = Vec::new();
    if page.number > 1 {
        links.push(format!("<{}>; rel=\"prev\"", address((page.number - 1).min(last))));
    }
    if page.number < last {
        links.push(format!("<{}>; rel=\"next\"", address(page.number + 1)));
        links.push(format!("<{}>; rel=\"last\"", address(last)));
    }
    if page.number > 1 {
        links.push(format!("<{}>; rel=\"first\"", address(1)));
    }
    (!links.is_empty()).then(|| links.join(", "))
}

/// Percent-encodes what may not stand in a query.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The asked page of `items`, with the `Link` header to put on the answer.
pub(crate) fn page_of<T>(site: &Site, call: &Call, items: Vec<T>) -> (Vec<T>, Vec<(String, String)>) {
    let page = asked(site, call);
    let total = items.len();
    let headers = link(site, call, &page, total).map(|link| ("link".to_owned(), link)).into_iter().collect();
    let shown = items.into_iter().skip((page.number - 1).saturating_mul(page.size)).take(page.size).collect();
    (shown, headers)
}

/// A page as a bare array.
pub(crate) fn page<T>(site: &Site, call: &Call, items: Vec<T>, shape: impl FnMut(T) -> Value) -> Reply {
    let (shown, headers) = page_of(site, call, items);
    let mut reply = Reply::ok(Value::Array(shown.into_iter().map(shape).collect()));
    reply.headers = headers;
    reply
}

/// A page as `{total_count, <name>: […]}`.
pub(crate) fn wrapped<T>(
    site: &Site,
    call: &Call,
    name: &str,
    items: Vec<T>,
    shape: impl FnMut(T) -> Value,
) -> Reply {
    let total = items.len();
    let (shown, headers) = page_of(site, call, items);
    let mut reply = Reply::ok(json!({
        "total_count": total,
        name: shown.into_iter().map(shape).collect::<Vec<Value>>(),
    }));
    reply.headers = headers;
    reply
}
