//! From a request to its operation: who calls, what they may, what GitHub says first.

use serde_json::Value;

use super::operations::{Operation, find, permit};
use super::{Answer, Call, Refusal, Reply};
use crate::app::signed_by;
use crate::server::Incoming;
use crate::state::{Site, World};
use crate::token::Token;

/// An answer with what the recording wants to know.
pub(crate) struct Dispatched {
    pub reply: Reply,
    pub operation: Option<&'static Operation>,
    pub login: Option<String>,
}

/// The secret of an `Authorization` header: `Bearer X`, `token X`, or Basic with the token as the password.
pub(crate) fn secrets(header: Option<&str>) -> Vec<String> {
    use base64::Engine as _;
    let Some((scheme, value)) = header.and_then(|header| header.split_once(' ')) else { return Vec::new() };
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" | "token" => vec![value.trim().to_owned()],
        "basic" => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(value.trim()).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let (user, password) = text.split_once(':').unwrap_or((&text, ""));
            vec![password.to_owned(), user.to_owned()]
        }
        _ => Vec::new(),
    }
}

/// The token of a request.
pub(crate) fn authenticate(site: &Site, header: Option<&str>) -> Result<Token, Refusal> {
    let given = secrets(header);
    if given.iter().all(String::is_empty) {
        return Err(Refusal::new(401, "Requires authentication"));
    }
    let known = site.tokens.iter().find(|token| given.contains(&token.value));
    known.cloned().ok_or_else(|| Refusal::new(401, "Bad credentials"))
}

/// Counts a request against the primary limit.
pub(crate) fn count(site: &mut Site) -> Result<(), Refusal> {
    let now = site.clock.now();
    if now >= site.limits.reset {
        site.limits.remaining = site.limits.limit;
        site.limits.reset = now.checked_add(jiff::SignedDuration::from_hours(1)).unwrap_or(now);
    }
    match site.limits.remaining.checked_sub(1) {
        Some(left) => {
            site.limits.remaining = left;
            Ok(())
        }
        None => Err(Refusal::new(403, "API rate limit exceeded for installation.")),
    }
}

/// Answers a REST request.
pub(crate) fn answer(world: &mut World, request: &Incoming) -> Dispatched {
    let mut done = Dispatched { reply: Reply::empty(), operation: None, login: None };
    let answer = act(world, request, &mut done);
    done.reply = answer.unwrap_or_else(Refusal::into_reply);
    if let Some(operation) = done.operation.filter(|operation| !operation.needs.is_empty()) {
        let header = ("x-accepted-github-permissions".to_owned(), operation.accepted());
        if !done.reply.headers.iter().any(|(name, _)| *name == header.0) {
            done.reply.headers.push(header);
        }
    }
    done
}

fn act(world: &mut World, request: &Incoming, done: &mut Dispatched) -> Answer {
    if request.header("user-agent").is_none_or(str::is_empty) {
        return Err(Refusal::new(
            403,
            "Request forbidden by administrative rules. Please make sure your request has a User-Agent header",
        ));
    }
    let path = request.path.strip_prefix("/api/v3").unwrap_or(&request.path);
    let found = find(&request.method, path);
    let header = request.header("authorization");
    let token = match &found {
        Some((operation, _)) if operation.is_signed() => signed_by(&world.site, header)?,
        _ => authenticate(&world.site, header)?,
    };
    done.login = Some(token.login.clone());
    if path != "/rate_limit" {
        count(&mut world.site)?;
    }
    let (operation, params) = found.ok_or_else(Refusal::not_found)?;
    done.operation = Some(operation);
    let call = Call {
        method: request.method.clone(),
        path: path.to_owned(),
        query: request.query_pairs(),
        params,
        body: body_of(request)?,
        accept: request.header("accept").unwrap_or_default().to_owned(),
        token,
    };
    let full_name = call.full_name();
    if full_name.len() > 1 {
        let private = match world.repo(&full_name) {
            Some(repo) if call.token.sees(&full_name) => repo.settings.private,
            _ => return Err(Refusal::not_found()),
        };
        permit(&call.token, operation.needs, private)?;
    }
    let answer = (operation.run)(world, &call);
    if call.method != "GET" {
        world.follow_refs(&full_name);
    }
    answer
}

fn body_of(request: &Incoming) -> Result<Value, Refusal> {
    if request.body.is_empty() {
        return Ok(Value::Null);
    }
    let body: Value =
        serde_json::from_slice(&request.body).map_err(|_| Refusal::new(400, "Problems parsing JSON"))?;
    if body.is_object() || body.is_array() || body.is_null() {
        Ok(body)
    } else {
        Err(Refusal::new(400, "Body should be a JSON object"))
    }
}
