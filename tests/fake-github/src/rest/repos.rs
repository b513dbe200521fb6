//! The repository, its branches and tags, who may do what.

use serde_json::json;

use super::{Answer, Call, Refusal, Reply, page};
use crate::shape;
use crate::state::World;

pub(super) fn get(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    Ok(Reply::ok(shape::repo_full(site, repo)))
}

pub(super) fn branches(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let api = repo.api(&site.base);
    Ok(page(site, call, repo.store.refs("refs/heads/"), |(name, oid)| {
        let name = name.trim_start_matches("refs/heads/");
        json!({
            "name": name,
            "commit": { "sha": oid.to_string(), "url": format!("{api}/commits/{oid}") },
            "protected": repo.is_protected(name),
        })
    }))
}

pub(super) fn branch(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let name = call.param("branch");
    let tip = repo.store.branch(name).ok_or_else(|| Refusal::new(404, "Branch not found"))?;
    let commit = repo.store.git.find_commit(tip)?;
    let url = format!("{}/branches/{name}", repo.api(&site.base));
    let protected = repo.is_protected(name);
    Ok(Reply::ok(json!({
        "name": name,
        "commit": shape::commit(site, repo, &commit),
        "_links": { "self": url, "html": format!("{}/tree/{name}", repo.html(&site.base)) },
        "protected": protected,
        "protection": {
            "enabled": protected,
            "required_status_checks": { "enforcement_level": "off", "contexts": [], "checks": [] },
        },
        "protection_url": format!("{url}/protection"),
    })))
}

pub(super) fn tags(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let api = repo.api(&site.base);
    // GitHub lists tags by name, last first; that is no version order.
    let mut refs = repo.store.refs("refs/tags/");
    refs.reverse();
    Ok(page(site, call, refs, |(full, _)| {
        let name = full.trim_start_matches("refs/tags/");
        let sha = repo.store.resolve(&full).map(|commit| commit.id().to_string()).unwrap_or_default();
        json!({
            "name": name,
            "zipball_url": format!("{api}/zipball/refs/tags/{name}"),
            "tarball_url": format!("{api}/tarball/refs/tags/{name}"),
            "commit": { "sha": sha, "url": format!("{api}/commits/{sha}") },
            "node_id": shape::node("REF", &full),
        })
    }))
}

pub(super) fn permission(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let login = call.param("username");
    if !site.people.contains_key(login) && !login.ends_with("[bot]") {
        return Err(Refusal::new(404, format!("{login} is not a user")));
    }
    let role = repo.collaborators.get(login).map_or("write", String::as_str);
    let permission = match role {
        "admin" => "admin",
        "write" | "maintain" => "write",
        "read" | "triage" => "read",
        _ => "none",
    };
    let mut user = shape::user(site, login);
    if let Some(user) = user.as_object_mut() {
        user.insert("role_name".to_owned(), json!(role));
        user.insert(
            "permissions".to_owned(),
            json!({
                "pull": permission != "none",
                "triage": permission != "none",
                "push": permission == "write" || permission == "admin",
                "maintain": permission == "admin",
                "admin": permission == "admin",
            }),
        );
    }
    Ok(Reply::ok(json!({ "permission": permission, "role_name": role, "user": user })))
}
