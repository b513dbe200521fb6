//! Who calls, who exists, how much is left.

use serde_json::{Value, json};

use super::{Answer, Call, Refusal, Reply};
use crate::shape;
use crate::state::{Site, World};
use crate::token::TokenKind;

pub(super) fn me(world: &mut World, call: &Call) -> Answer {
    // Installation tokens have no user.
    if call.token.kind != TokenKind::User {
        return Err(Refusal::new(403, "Resource not accessible by integration"));
    }
    Ok(Reply::ok(shape::profile(&world.site, &call.token.login)))
}

pub(super) fn get(world: &mut World, call: &Call) -> Answer {
    let login = call.param("username");
    let site = &world.site;
    let known = site.people.contains_key(login)
        || site.organisations.contains(login)
        || site.tokens.iter().any(|token| token.login == login);
    if known { Ok(Reply::ok(shape::profile(site, login))) } else { Err(Refusal::not_found()) }
}

/// One bucket of the rate limit.
fn bucket(site: &Site) -> Value {
    let limits = site.limits;
    json!({
        "limit": limits.limit,
        "used": limits.limit.saturating_sub(limits.remaining),
        "remaining": limits.remaining,
        "reset": limits.reset.as_second(),
    })
}

#[allow(clippy::unnecessary_wraps, reason = "the signature of an operation")]
pub(super) fn rate_limit(world: &mut World, _: &Call) -> Answer {
    let core = bucket(&world.site);
    Ok(Reply::ok(json!({
        "resources": { "core": core, "search": core, "graphql": core },
        "rate": core,
    })))
}

#[allow(clippy::unnecessary_wraps, reason = "the signature of an operation")]
pub(super) fn meta(_: &mut World, _: &Call) -> Answer {
    Ok(Reply::ok(json!({ "verifiable_password_authentication": false, "installed_version": "3.19.0" })))
}
