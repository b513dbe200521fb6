//! Apps: where one is installed, the tokens that its installation gives, and their end.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Answer, Call, Refusal, Reply};
use crate::app::Registered;
use crate::shape;
use crate::state::{Site, World, stamp};
use crate::token::{Level, Token, TokenKind};

/// How long a token of an installation is good for.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The App that signed a request.
fn caller<'a>(site: &'a Site, call: &Call) -> Result<&'a Registered, Refusal> {
    let slug = &call.token.login;
    site.registered.iter().find(|known| known.app.slug == *slug).ok_or_else(Refusal::not_found)
}

pub(super) fn installation(world: &mut World, call: &Call) -> Answer {
    let known = caller(&world.site, call)?;
    let (owner, full_name) = (call.param("owner"), call.full_name());
    if !known.app.repositories.iter().any(|name| name.eq_ignore_ascii_case(&full_name)) {
        return Err(Refusal::not_found());
    }
    let id = *known.installations.get(&owner.to_lowercase()).ok_or_else(Refusal::not_found)?;
    let (_, repo) = world.seen(call)?;
    let (owner, created) = (repo.owner.clone(), stamp(repo.created_at));
    let site = &world.site;
    let known = caller(site, call)?;
    let account = shape::user(site, &owner);
    let suspended = known.app.suspended;
    Ok(Reply::ok(json!({
        "id": id,
        "account": account,
        "repository_selection": "selected",
        "access_tokens_url": format!("{}/api/v3/app/installations/{id}/access_tokens", site.base),
        "repositories_url": format!("{}/api/v3/installation/repositories", site.base),
        "html_url": format!("{}/organizations/{owner}/settings/installations/{id}", site.base),
        "app_id": known.id,
        "app_slug": known.app.slug,
        "target_id": shape::user_id(&owner),
        "target_type": account.get("type"),
        "permissions": known.app.granted(),
        "events": [],
        "created_at": created,
        "updated_at": created,
        "single_file_name": null,
        "has_multiple_single_files": false,
        "single_file_paths": [],
        "suspended_by": suspended.then(|| shape::user(site, &owner)),
        "suspended_at": suspended.then_some(created.clone()),
    })))
}

pub(super) fn access_token(world: &mut World, call: &Call) -> Answer {
    let id = call.number("installation_id")?;
    let known = caller(&world.site, call)?;
    let (owner, _) =
        known.installations.iter().find(|(_, known)| **known == id).ok_or_else(Refusal::not_found)?;
    let app = &known.app;
    if app.suspended {
        return Err(Refusal::new(403, "This installation has been suspended"));
    }
    let all = app.repositories_of(owner);
    let repositories: Vec<String> = match call.texts("repositories") {
        None => all.iter().map(|name| (*name).to_owned()).collect(),
        Some(names) => {
            let full = |name: &String| {
                let full = format!("{owner}/{name}");
                all.iter().find(|known| known.eq_ignore_ascii_case(&full)).map(|known| (*known).to_owned())
            };
            names.iter().map(full).collect::<Option<_>>().ok_or_else(|| {
                Refusal::unprocessable(
                    "There is at least one repository that does not exist or is not accessible to the parent \
                     installation.",
                )
            })?
        }
    };
    let permissions = asked_for(call, &app.granted())?;
    let login = app.login();
    let site = &mut world.site;
    let value = format!("ghs_{:0>36}", site.next_id("token"));
    let ends = site.clock.now().checked_add(HOUR).unwrap_or(site.clock.now());
    let shown: Vec<Value> = repositories
        .iter()
        .filter_map(|name| world.repo(name).map(|repo| shape::repo_whole(&world.site, repo)))
        .collect();
    let answer = json!({
        "token": value,
        "expires_at": stamp(ends),
        "permissions": permissions,
        "repository_selection": "selected",
        "repositories": shown,
    });
    world.site.tokens.push(Token {
        value,
        login,
        kind: TokenKind::App,
        permissions,
        repositories: Some(repositories),
    });
    Ok(Reply::created(answer))
}

/// The permissions of a token: all of the App's, or those that are asked for and are among them.
fn asked_for(call: &Call, granted: &BTreeMap<String, Level>) -> Result<BTreeMap<String, Level>, Refusal> {
    let Some(asked) = call.body.get("permissions").and_then(Value::as_object) else {
        return Ok(granted.clone());
    };
    let mut permissions = BTreeMap::from([("metadata".to_owned(), Level::Read)]);
    for (name, level) in asked {
        let level: Level = serde_json::from_value(level.clone())
            .map_err(|_| Refusal::invalid("Integration", "permissions", "invalid"))?;
        if granted.get(name).is_none_or(|most| level > *most) {
            return Err(Refusal::unprocessable(
                "The permissions requested are not granted to this installation.",
            ));
        }
        permissions.insert(name.clone(), level);
    }
    Ok(permissions)
}

pub(super) fn revoke(world: &mut World, call: &Call) -> Answer {
    if call.token.kind == TokenKind::User {
        return Err(Refusal::new(403, "Resource not accessible by personal access token"));
    }
    world.site.tokens.retain(|token| token.value != call.token.value);
    Ok(Reply::empty())
}
