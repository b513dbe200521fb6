//! Commits: as git objects, as history entries, as what events carry.

use git2::{Commit, Signature, Time};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{node, user};
use crate::rest::Refusal;
use crate::state::{RepoState, Site, stamp};
use crate::store::FileChange;

fn when(time: Time) -> String {
    Timestamp::from_second(time.seconds()).map(stamp).unwrap_or_default()
}

/// Name, e-mail and date of a signature.
pub(crate) fn git_user(signature: &Signature<'_>) -> Value {
    json!({
        "name": String::from_utf8_lossy(signature.name_bytes()),
        "email": String::from_utf8_lossy(signature.email_bytes()),
        "date": when(signature.when()),
    })
}

/// Whether GitHub signed a commit.
fn verification(repo: &RepoState, sha: &str) -> Value {
    verified(sha, if repo.verified.contains(sha) { "valid" } else { "unsigned" })
}

/// What a test said that GitHub found out about an annotated tag's signature.
pub(crate) fn tag_verification(repo: &RepoState, sha: &str) -> Value {
    verified(sha, repo.tag_verification.get(sha).copied().unwrap_or("unsigned"))
}

fn verified(sha: &str, reason: &str) -> Value {
    let (signed, valid) = (reason != "unsigned", reason == "valid");
    let signature = "-----BEGIN PGP SIGNATURE-----\n\nfake\n-----END PGP SIGNATURE-----\n";
    json!({
        "verified": valid,
        "reason": reason,
        "signature": signed.then_some(signature),
        "payload": signed.then(|| format!("what was signed of {sha}\n")),
        "verified_at": valid.then_some("2024-01-01T00:00:00Z"),
    })
}

fn message(commit: &Commit<'_>) -> String {
    String::from_utf8_lossy(commit.message_raw_bytes()).trim_end_matches('\n').to_owned()
}

fn parents(site: &Site, repo: &RepoState, commit: &Commit<'_>, kind: &str) -> Vec<Value> {
    commit
        .parent_ids()
        .map(|oid| {
            json!({
                "sha": oid.to_string(),
                "url": format!("{}/{kind}/{oid}", repo.api(&site.base)),
                "html_url": format!("{}/commit/{oid}", repo.html(&site.base)),
            })
        })
        .collect()
}

/// The account behind a signature, where GitHub knows its e-mail.
pub(crate) fn account(site: &Site, signature: &Signature<'_>) -> Value {
    let email = String::from_utf8_lossy(signature.email_bytes()).into_owned();
    if email == "noreply@github.com" {
        return user(site, "web-flow");
    }
    if let Some(local) = email.strip_suffix("@users.noreply.github.com") {
        let login = local.rsplit('+').next().unwrap_or(local);
        return user(site, login);
    }
    match site.people.iter().find(|(_, person)| person.email == email) {
        Some((login, _)) => user(site, login),
        None => Value::Null,
    }
}

/// `git-commit`
pub(crate) fn git_commit(site: &Site, repo: &RepoState, commit: &Commit<'_>) -> Value {
    let (api, html) = (repo.api(&site.base), repo.html(&site.base));
    let sha = commit.id().to_string();
    json!({
        "sha": sha,
        "node_id": node("C", &sha),
        "url": format!("{api}/git/commits/{sha}"),
        "html_url": format!("{html}/commit/{sha}"),
        "author": git_user(&commit.author()),
        "committer": git_user(&commit.committer()),
        "tree": {
            "sha": commit.tree_id().to_string(),
            "url": format!("{api}/git/trees/{}", commit.tree_id()),
        },
        "message": message(commit),
        "parents": parents(site, repo, commit, "git/commits"),
        "verification": verification(repo, &sha),
    })
}

/// `commit`
pub(crate) fn commit(site: &Site, repo: &RepoState, commit: &Commit<'_>) -> Value {
    let (api, html) = (repo.api(&site.base), repo.html(&site.base));
    let sha = commit.id().to_string();
    json!({
        "sha": sha,
        "node_id": node("C", &sha),
        "commit": {
            "author": git_user(&commit.author()),
            "committer": git_user(&commit.committer()),
            "message": message(commit),
            "tree": {
                "sha": commit.tree_id().to_string(),
                "url": format!("{api}/git/trees/{}", commit.tree_id()),
            },
            "url": format!("{api}/git/commits/{sha}"),
            "comment_count": 0,
            "verification": verification(repo, &sha),
        },
        "url": format!("{api}/commits/{sha}"),
        "html_url": format!("{html}/commit/{sha}"),
        "comments_url": format!("{api}/commits/{sha}/comments"),
        "author": account(site, &commit.author()),
        "committer": account(site, &commit.committer()),
        "parents": parents(site, repo, commit, "commits"),
    })
}

/// `commit` with `stats` and `files`.
pub(crate) fn commit_with_files(
    site: &Site,
    repo: &RepoState,
    object: &Commit<'_>,
) -> Result<Value, Refusal> {
    let mut shown = commit(site, repo, object);
    let files = repo.store.changes_of(object)?;
    let additions: usize = files.iter().map(|file| file.additions).sum();
    let deletions: usize = files.iter().map(|file| file.deletions).sum();
    let sha = object.id().to_string();
    if let Some(shown) = shown.as_object_mut() {
        shown.insert(
            "stats".to_owned(),
            json!({ "total": additions + deletions, "additions": additions, "deletions": deletions }),
        );
        let files = files.iter().map(|file| diff_entry(site, repo, &sha, file)).collect();
        shown.insert("files".to_owned(), Value::Array(files));
    }
    Ok(shown)
}

/// `diff-entry`
pub(crate) fn diff_entry(site: &Site, repo: &RepoState, at: &str, file: &FileChange) -> Value {
    let (api, html) = (repo.api(&site.base), repo.html(&site.base));
    let name = &file.filename;
    let mut shown = json!({
        "sha": file.sha,
        "filename": name,
        "status": file.status,
        "additions": file.additions,
        "deletions": file.deletions,
        "changes": file.additions + file.deletions,
        "blob_url": format!("{html}/blob/{at}/{name}"),
        "raw_url": format!("{html}/raw/{at}/{name}"),
        "contents_url": format!("{api}/contents/{name}?ref={at}"),
    });
    if let Some(shown) = shown.as_object_mut() {
        if let Some(patch) = &file.patch {
            shown.insert("patch".to_owned(), json!(patch));
        }
        if let Some(previous) = &file.previous {
            shown.insert("previous_filename".to_owned(), json!(previous));
        }
    }
    shown
}

/// `simple-commit`: the head commit of runs, suites and pushes.
pub(crate) fn simple_commit(repo: &RepoState, sha: &str) -> Value {
    let Some(commit) = repo.store.commit(sha) else { return Value::Null };
    let person = |signature: &Signature<'_>| {
        json!({
            "name": String::from_utf8_lossy(signature.name_bytes()),
            "email": String::from_utf8_lossy(signature.email_bytes()),
        })
    };
    json!({
        "id": sha,
        "tree_id": commit.tree_id().to_string(),
        "message": message(&commit),
        "timestamp": when(commit.author().when()),
        "author": person(&commit.author()),
        "committer": person(&commit.committer()),
    })
}
