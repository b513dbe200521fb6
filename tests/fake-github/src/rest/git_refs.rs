//! Refs by REST. None of these compares before it writes: that is what `updateRefs` of GraphQL is for.

use git2::{ObjectType, Oid};
use serde_json::{Value, json};

use super::{Answer, Call, Refusal, Reply, page};
use crate::shape;
use crate::state::{RepoState, Site, World};
use crate::store::full;

fn shape_ref(site: &Site, repo: &RepoState, name: &str, oid: Oid) -> Value {
    let api = repo.api(&site.base);
    let kind = repo.store.git.find_object(oid, None).ok().and_then(|object| object.kind());
    let kind = kind.map_or("commit", |kind| kind.str());
    json!({
        "ref": name,
        "node_id": shape::node("REF", name),
        "url": format!("{api}/git/{name}"),
        "object": { "sha": oid.to_string(), "type": kind, "url": format!("{api}/git/{kind}s/{oid}") },
    })
}

pub(super) fn get(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let name = format!("refs/{}", call.param("ref"));
    let oid = repo.store.git.refname_to_id(&name)?;
    Ok(Reply::ok(shape_ref(site, repo, &name, oid)))
}

pub(super) fn matching(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let prefix = format!("refs/{}", call.param("ref"));
    Ok(page(site, call, repo.store.refs(&prefix), |(name, oid)| shape_ref(site, repo, &name, oid)))
}

/// The object a ref is to point at; branches take commits only.
fn target(repo: &RepoState, call: &Call, name: &str) -> Result<Oid, Refusal> {
    let sha = call.needed("Reference", "sha")?;
    let oid = full(sha).filter(|oid| repo.store.git.find_object(*oid, None).is_ok());
    let oid = oid.ok_or_else(|| Refusal::unprocessable("Object does not exist"))?;
    if name.starts_with("refs/heads/") && !repo.store.has(sha, ObjectType::Commit) {
        return Err(Refusal::unprocessable("Reference update failed"));
    }
    Ok(oid)
}

/// Refuses what branch protection refuses.
pub(crate) fn unprotected(repo: &RepoState, name: &str) -> Result<(), Refusal> {
    match name.strip_prefix("refs/heads/") {
        Some(branch) if repo.is_protected(branch) => Err(Refusal::unprocessable(
            "Changes must be made through a pull request. Repository rule violations found",
        )),
        _ => Ok(()),
    }
}

/// Whether a name is one that git and GitHub accept for a new ref.
pub(crate) fn is_ref_name(name: &str) -> bool {
    name.starts_with("refs/") && name.matches('/').count() >= 2 && git2::Reference::is_valid_name(name)
}

pub(super) fn create(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    let name = call.needed("Reference", "ref")?;
    if !is_ref_name(name) {
        return Err(Refusal::unprocessable(
            "Reference name must start with 'refs/' and have at least two slashes.",
        ));
    }
    let oid = target(repo, call, name)?;
    if repo.store.git.find_reference(name).is_ok() {
        return Err(Refusal::unprocessable("Reference already exists"));
    }
    unprotected(repo, name)?;
    repo.store
        .git
        .reference(name, oid, false, "api")
        .map_err(|_| Refusal::unprocessable("Reference update failed"))?;
    let mut reply = Reply::created(shape_ref(site, repo, name, oid));
    reply.headers.push(("location".to_owned(), format!("{}/git/{name}", repo.api(&site.base))));
    Ok(reply)
}

pub(super) fn update(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    let name = format!("refs/{}", call.param("ref"));
    let Ok(old) = repo.store.git.refname_to_id(&name) else {
        return Err(Refusal::unprocessable("Reference does not exist"));
    };
    let oid = target(repo, call, &name)?;
    unprotected(repo, &name)?;
    let force = call.flag("force").unwrap_or(false);
    if !force && !repo.store.is_ancestor(&old.to_string(), &oid.to_string()) {
        return Err(Refusal::unprocessable("Update is not a fast forward"));
    }
    repo.store.git.reference(&name, oid, true, "api")?;
    Ok(Reply::ok(shape_ref(site, repo, &name, oid)))
}

pub(super) fn delete(world: &mut World, call: &Call) -> Answer {
    let (_, repo) = world.changed(call)?;
    let name = format!("refs/{}", call.param("ref"));
    let Ok(mut reference) = repo.store.git.find_reference(&name) else {
        return Err(Refusal::unprocessable("Reference does not exist"));
    };
    unprotected(repo, &name)?;
    if name == format!("refs/heads/{}", repo.default_branch) {
        return Err(Refusal::unprocessable("Cannot delete the default branch"));
    }
    reference.delete()?;
    Ok(Reply::empty())
}
