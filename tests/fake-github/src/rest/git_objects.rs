//! Blobs, trees, commits and tag objects: the Git Data API.

use std::path::Path;

use base64::Engine as _;
use git2::{Index, ObjectType, Oid, TreeWalkMode, TreeWalkResult};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Answer, Call, Refusal, Reply};
use crate::shape;
use crate::state::{RepoState, Site, World};
use crate::store::{Signer, entry, full};
use crate::token::TokenKind;

/// Base64 in lines of 60, as GitHub sends it.
pub(super) fn lined(bytes: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    let mut out = String::with_capacity(text.len() + text.len() / 60 + 1);
    for (index, letter) in text.chars().enumerate() {
        if index > 0 && index % 60 == 0 {
            out.push('\n');
        }
        out.push(letter);
    }
    out.push('\n');
    out
}

pub(super) fn create_blob(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    let content = call.needed("Blob", "content")?;
    let bytes = match call.text("encoding").unwrap_or("utf-8") {
        "base64" => {
            let joined: String = content.split_whitespace().collect();
            base64::engine::general_purpose::STANDARD
                .decode(joined)
                .map_err(|_| Refusal::unprocessable("content is not valid Base64"))?
        }
        "utf-8" => content.as_bytes().to_vec(),
        _ => return Err(Refusal::invalid("Blob", "encoding", "invalid")),
    };
    let oid = repo.store.git.blob(&bytes)?;
    Ok(Reply::created(
        json!({ "url": format!("{}/git/blobs/{oid}", repo.api(&site.base)), "sha": oid.to_string() }),
    ))
}

pub(super) fn blob(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let sha = call.param("file_sha");
    let oid = full(sha).ok_or_else(|| {
        Refusal::unprocessable("The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
    })?;
    let blob = repo.store.git.find_blob(oid)?;
    Ok(Reply::ok(json!({
        "sha": sha,
        "node_id": shape::node("B", sha),
        "size": blob.size(),
        "url": format!("{}/git/blobs/{sha}", repo.api(&site.base)),
        "content": lined(blob.content()),
        "encoding": "base64",
    })))
}

fn shape_tree(site: &Site, repo: &RepoState, oid: Oid, recursive: bool) -> Result<Value, Refusal> {
    let api = repo.api(&site.base);
    let tree = repo.store.git.find_tree(oid)?;
    let mut items = Vec::new();
    tree.walk(TreeWalkMode::PreOrder, |folder, entry| {
        let kind = entry.kind().map_or("commit", |kind| kind.str());
        let path = format!("{folder}{}", String::from_utf8_lossy(entry.name_bytes()));
        let mut item = json!({
            "path": path,
            "mode": format!("{:06o}", entry.filemode()),
            "type": kind,
            "sha": entry.id().to_string(),
        });
        if let Some(item) = item.as_object_mut() {
            if let Ok(blob) = repo.store.git.find_blob(entry.id()) {
                item.insert("size".to_owned(), json!(blob.size()));
            }
            item.insert("url".to_owned(), json!(format!("{api}/git/{kind}s/{}", entry.id())));
        }
        items.push(item);
        if recursive { TreeWalkResult::Ok } else { TreeWalkResult::Skip }
    })?;
    Ok(json!({
        "sha": oid.to_string(),
        "url": format!("{api}/git/trees/{oid}"),
        "tree": items,
        "truncated": false,
    }))
}

pub(super) fn tree(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let name = call.param("tree_sha");
    let by_sha = full(name).filter(|_| repo.store.has(name, ObjectType::Tree));
    let oid = match by_sha {
        Some(oid) => oid,
        None => repo.store.resolve(name).ok_or_else(Refusal::not_found)?.tree_id(),
    };
    // Any value of `recursive`, even `0` or `false`, means recursive on GitHub.
    Ok(Reply::ok(shape_tree(site, repo, oid, call.query("recursive").is_some())?))
}

/// Refuses paths that git or GitHub refuse in a tree.
fn check_path(path: &str) -> Result<(), Refusal> {
    let bad =
        |part: &str| part.is_empty() || part == "." || part == ".." || part.eq_ignore_ascii_case(".git");
    if path.split('/').any(bad) || path.contains('\0') {
        let what = if path.starts_with('/') {
            "tree.path cannot start with a slash"
        } else {
            "tree.path contains a malformed path component"
        };
        return Err(Refusal::unprocessable(what));
    }
    Ok(())
}

/// Applies one entry of a `POST git/trees` to the index.
fn apply(repo: &RepoState, index: &mut Index, item: &Value) -> Result<(), Refusal> {
    let field = |name: &str| item.get(name).and_then(Value::as_str);
    let path = field("path").ok_or_else(|| Refusal::unprocessable("tree.path is missing"))?;
    check_path(path)?;
    if item.get("sha").is_some_and(Value::is_null) {
        return index
            .remove_path(Path::new(path))
            .map_err(|_| Refusal::unprocessable("GitRPC::BadObjectState"));
    }
    let Some(mode @ ("100644" | "100755" | "120000" | "160000" | "040000")) = field("mode") else {
        return Err(Refusal::unprocessable(
            "Must supply a valid tree.mode: 100644, 100755, 040000, 160000 or 120000",
        ));
    };
    let bits = u32::from_str_radix(mode, 8).unwrap_or(0o100_644);
    let oid = match (field("sha"), field("content")) {
        (Some(_), Some(_)) => {
            return Err(Refusal::unprocessable("Must supply either tree.sha or tree.content"));
        }
        (None, None) => return Err(Refusal::unprocessable("Must supply either tree.sha or tree.content")),
        (None, Some(content)) => repo.store.git.blob(content.as_bytes())?,
        (Some(sha), None) => {
            let kind = if mode == "040000" { ObjectType::Tree } else { ObjectType::Blob };
            full(sha)
                .filter(|_| mode == "160000" || repo.store.has(sha, kind))
                .ok_or_else(|| Refusal::unprocessable(format!("tree.sha {sha} is not a valid {kind}")))?
        }
    };
    if mode == "040000" {
        let _ = index.remove_dir(Path::new(path), 0);
        let tree = repo.store.git.find_tree(oid)?;
        let mut inside = Index::new()?;
        inside.read_tree(&tree)?;
        for mut found in inside.iter() {
            found.path = [path.as_bytes(), b"/", found.path.as_slice()].concat();
            index.add(&found)?;
        }
        return Ok(());
    }
    Ok(index.add(&entry(path, oid, bits))?)
}

pub(super) fn create_tree(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    let items = call.body.get("tree").and_then(Value::as_array);
    let items = items.ok_or_else(|| Refusal::unprocessable("Invalid tree info"))?;
    if items.is_empty() {
        return Err(Refusal::unprocessable("Invalid tree info"));
    }
    let mut index = Index::new()?;
    if let Some(base) = call.text("base_tree") {
        let tree = full(base).and_then(|oid| {
            let git = &repo.store.git;
            git.find_tree(oid).ok().or_else(|| git.find_commit(oid).ok()?.tree().ok())
        });
        let tree = tree.ok_or_else(|| Refusal::unprocessable("base_tree is not a valid tree oid"))?;
        index.read_tree(&tree)?;
    }
    for item in items {
        apply(repo, &mut index, item)?;
    }
    if index.is_empty() {
        return Err(Refusal::unprocessable("Invalid tree info"));
    }
    let oid = index.write_tree_to(&repo.store.git)?;
    Ok(Reply::created(shape_tree(site, repo, oid, false)?))
}

pub(super) fn commit(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let commit = repo.store.commit(call.param("commit_sha")).ok_or_else(Refusal::not_found)?;
    Ok(Reply::ok(shape::git_commit(site, repo, &commit)))
}

/// A person given in the body: name, e-mail and perhaps a date.
struct Given {
    name: String,
    email: String,
    when: Timestamp,
}

fn given(call: &Call, field: &str, now: Timestamp) -> Result<Option<Given>, Refusal> {
    let Some(value) = call.body.get(field).filter(|value| !value.is_null()) else { return Ok(None) };
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let (Some(name), Some(email)) = (text("name"), text("email")) else {
        return Err(Refusal::unprocessable(format!(
            "Invalid request.\n\n\"email\", \"name\" weren't supplied for {field}."
        )));
    };
    let when = match text("date") {
        None => now,
        Some(date) => date.parse().map_err(|_| Refusal::invalid("Commit", field, "invalid"))?,
    };
    Ok(Some(Given { name, email, when }))
}

pub(super) fn create_commit(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    let message = call.needed("Commit", "message")?;
    let tree = call.needed("Commit", "tree")?;
    let tree = full(tree)
        .filter(|_| repo.store.has(tree, ObjectType::Tree))
        .ok_or_else(|| Refusal::unprocessable("Tree SHA does not exist"))?;
    let mut parents = Vec::new();
    for sha in call.texts("parents").unwrap_or_default() {
        let parent = full(&sha).filter(|_| repo.store.has(&sha, ObjectType::Commit));
        parents.push(
            parent.ok_or_else(|| {
                Refusal::unprocessable("Parent SHA does not exist or is not a commit object")
            })?,
        );
    }
    let now = site.clock.now();
    let login = call.token.login.clone();
    let (author, committer) = (given(call, "author", now)?, given(call, "committer", now)?);
    // GitHub signs what a bot commits in its own name.
    let signed = author.is_none() && committer.is_none() && call.token.kind != TokenKind::User;
    let own = Given { email: site.email(&login), name: login, when: now };
    let author = author.unwrap_or(own);
    let committer = committer.unwrap_or_else(|| {
        if signed {
            Given { name: "GitHub".to_owned(), email: "noreply@github.com".to_owned(), when: now }
        } else {
            Given { name: author.name.clone(), email: author.email.clone(), when: author.when }
        }
    });
    let signer = |given: &Given| -> Result<(), Refusal> {
        let _ = Signer { name: &given.name, email: &given.email, when: given.when }.signature()?;
        Ok(())
    };
    signer(&author)?;
    let oid = repo.store.write_commit(
        &Signer { name: &author.name, email: &author.email, when: author.when },
        &Signer { name: &committer.name, email: &committer.email, when: committer.when },
        message,
        tree,
        &parents,
    )?;
    if signed {
        repo.verified.insert(oid.to_string());
    }
    let commit = repo.store.git.find_commit(oid)?;
    Ok(Reply::created(shape::git_commit(site, repo, &commit)))
}

fn shape_tag(site: &Site, repo: &RepoState, tag: &git2::Tag<'_>) -> Value {
    let api = repo.api(&site.base);
    let sha = tag.id().to_string();
    let kind = tag.target_type().map_or("commit", |kind| kind.str());
    json!({
        "node_id": shape::node("TA", &sha),
        "sha": sha,
        "url": format!("{api}/git/tags/{sha}"),
        "tagger": tag.tagger().map_or_else(|| json!({
            "name": "", "email": "", "date": "",
        }), |tagger| shape::git_user(&tagger)),
        "object": {
            "type": kind,
            "sha": tag.target_id().to_string(),
            "url": format!("{api}/git/{kind}s/{}", tag.target_id()),
        },
        "tag": String::from_utf8_lossy(tag.name_bytes()),
        "message": tag.message_bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default(),
        "verification": shape::tag_verification(repo, &sha),
    })
}

pub(super) fn tag(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let oid = full(call.param("tag_sha")).ok_or_else(Refusal::not_found)?;
    let tag = repo.store.git.find_tag(oid)?;
    Ok(Reply::ok(shape_tag(site, repo, &tag)))
}

pub(super) fn create_tag(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.changed(call)?;
    let (name, message) = (call.needed("Tag", "tag")?, call.needed("Tag", "message")?);
    let object = call.needed("Tag", "object")?;
    let target = full(object)
        .and_then(|oid| repo.store.git.find_object(oid, None).ok())
        .ok_or_else(|| Refusal::unprocessable("Object does not exist"))?;
    let now = site.clock.now();
    let own = Given { email: site.email(&call.token.login), name: call.token.login.clone(), when: now };
    let tagger = given(call, "tagger", now)?.unwrap_or(own);
    let signature = Signer { name: &tagger.name, email: &tagger.email, when: tagger.when }.signature()?;
    // GitHub makes the object only; the ref is a call of its own.
    let oid = repo.store.git.tag_annotation_create(name, &target, &signature, message)?;
    let tag = repo.store.git.find_tag(oid)?;
    Ok(Reply::created(shape_tag(site, repo, &tag)))
}
