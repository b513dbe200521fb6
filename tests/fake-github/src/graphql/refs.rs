//! `updateRefs`: several refs, all or none, each compared with what the caller saw.

use git2::{ObjectType, Oid};
use serde_json::Value;

use super::Fault;
use crate::rest::git_refs::{is_ref_name, unprotected};
use crate::state::RepoState;
use crate::store::full;

/// One move, checked.
struct Move {
    name: String,
    after: Option<Oid>,
}

/// Moves the refs of an input's `refUpdates`.
pub(super) fn update(repo: &RepoState, updates: &Value) -> Result<(), Fault> {
    let updates = updates.as_array().filter(|updates| !updates.is_empty());
    let updates = updates.ok_or_else(|| Fault::new("UNPROCESSABLE", "refUpdates must not be empty"))?;
    let moves = updates.iter().map(|update| checked(repo, update)).collect::<Result<Vec<_>, _>>()?;
    for Move { name, after } in moves {
        match after {
            Some(oid) => {
                repo.store.git.reference(&name, oid, true, "updateRefs")?;
            }
            None => repo.store.git.find_reference(&name)?.delete()?,
        }
    }
    Ok(())
}

fn checked(repo: &RepoState, update: &Value) -> Result<Move, Fault> {
    let text = |name: &str| update.get(name).and_then(Value::as_str);
    let refused = |message: String| Fault::new("UNPROCESSABLE", message);
    let name = text("name").unwrap_or_default();
    if !is_ref_name(name) {
        return Err(refused(format!("{name} is not a valid fully qualified ref name")));
    }
    unprotected(repo, name)?;
    let oid = |text: &str| full(text).ok_or_else(|| refused(format!("{text} is not a valid GitObjectID")));
    let after = oid(text("afterOid").unwrap_or_default())?;
    let current = repo.store.git.refname_to_id(name).ok();
    if let Some(before) = text("beforeOid") {
        let before = Some(oid(before)?).filter(|before| !before.is_zero());
        if before != current {
            let shown = |oid: Option<Oid>| oid.unwrap_or(Oid::ZERO_SHA1).to_string();
            return Err(Fault::new(
                "STALE_DATA",
                format!(
                    "{name} does not point at the expected object: expected {}, is {}",
                    shown(before),
                    shown(current)
                ),
            ));
        }
    }
    if after.is_zero() {
        current.ok_or_else(|| refused(format!("Reference {name} does not exist")))?;
        return Ok(Move { name: name.to_owned(), after: None });
    }
    let sha = after.to_string();
    let kind = if name.starts_with("refs/heads/") { ObjectType::Commit } else { ObjectType::Any };
    if !repo.store.has(&sha, kind) {
        return Err(refused(format!("Object {sha} does not exist")));
    }
    let force = update.get("force").and_then(Value::as_bool).unwrap_or(false);
    if let (Some(current), false) = (current, force)
        && !repo.store.is_ancestor(&current.to_string(), &sha)
    {
        return Err(refused(format!("Update to {name} is not a fast forward")));
    }
    Ok(Move { name: name.to_owned(), after: Some(after) })
}
