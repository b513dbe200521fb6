//! Files and folders at a ref.

use git2::{ObjectType, Oid};
use serde_json::{Value, json};

use super::git_objects::lined;
use super::{Answer, Call, Refusal, Reply, ReplyBody};
use crate::state::{RepoState, Site, World};

/// What every form of an entry carries.
fn common(site: &Site, repo: &RepoState, reference: &str, path: &str, oid: Oid, kind: &str) -> Value {
    let (api, html) = (repo.api(&site.base), repo.html(&site.base));
    let url = format!("{api}/contents/{path}?ref={reference}");
    let (git, page) = match kind {
        "dir" => (format!("{api}/git/trees/{oid}"), format!("{html}/tree/{reference}/{path}")),
        _ => (format!("{api}/git/blobs/{oid}"), format!("{html}/blob/{reference}/{path}")),
    };
    let download = (kind == "file").then(|| format!("{html}/raw/{reference}/{path}"));
    let size = repo.store.git.find_blob(oid).map_or(0, |blob| blob.size());
    json!({
        "name": path.rsplit('/').next().unwrap_or(path),
        "path": path,
        "sha": oid.to_string(),
        "size": size,
        "url": url,
        "html_url": page,
        "git_url": git,
        "download_url": download,
        "type": kind,
        "_links": { "self": url, "git": git, "html": page },
    })
}

fn kind_of(kind: Option<ObjectType>, mode: i32) -> &'static str {
    match (kind, mode) {
        (Some(ObjectType::Tree), _) => "dir",
        (_, 0o120_000) => "symlink",
        (_, 0o160_000) => "submodule",
        _ => "file",
    }
}

pub(super) fn get(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let reference = call.query("ref").unwrap_or(&repo.default_branch);
    let commit = repo
        .store
        .resolve(reference)
        .ok_or_else(|| Refusal::new(404, format!("No commit found for the ref {reference}")))?;
    let path = call.param("path").trim_matches('/');
    let root = commit.tree()?;
    let (oid, kind) = if path.is_empty() {
        (root.id(), "dir")
    } else {
        let entry = root.get_path(std::path::Path::new(path))?;
        (entry.id(), kind_of(entry.kind(), entry.filemode()))
    };
    if kind == "dir" {
        let tree = repo.store.git.find_tree(oid)?;
        let list = tree.iter().map(|entry| {
            let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
            let inner = if path.is_empty() { name } else { format!("{path}/{name}") };
            let kind = kind_of(entry.kind(), entry.filemode());
            common(site, repo, reference, &inner, entry.id(), kind)
        });
        return Ok(Reply::ok(Value::Array(list.collect())));
    }
    let blob = repo.store.git.find_blob(oid)?;
    if call.accept.contains("raw") {
        let body = ReplyBody::Bytes("application/vnd.github.raw; charset=utf-8", blob.content().to_vec());
        return Ok(Reply { status: 200, headers: Vec::new(), body });
    }
    let mut shown = common(site, repo, reference, path, oid, kind);
    if let Some(object) = shown.as_object_mut() {
        // Above 1 MB GitHub sends no content here.
        let small = blob.size() <= 1_000_000;
        object.insert("content".to_owned(), json!(if small { lined(blob.content()) } else { String::new() }));
        object.insert("encoding".to_owned(), json!(if small { "base64" } else { "none" }));
    }
    Ok(Reply::ok(shown))
}
