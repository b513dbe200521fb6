//! Repositories and releases.

use serde_json::{Map, Value, json};

use super::{node, user};
use crate::state::{IssueState, ReleaseState, RepoState, Site, stamp};

/// `minimal-repository`, a superset that also fits where events carry a repository.
pub(crate) fn repo_minimal(site: &Site, repo: &RepoState) -> Value {
    let api = repo.api(&site.base);
    let html = repo.html(&site.base);
    let mut shown = Map::new();
    let mut put = |key: &str, value: Value| {
        shown.insert(key.to_owned(), value);
    };
    put("id", json!(repo.id));
    put("node_id", json!(node("R", repo.id)));
    put("name", json!(repo.name));
    put("full_name", json!(repo.full_name()));
    put("private", json!(repo.settings.private));
    put("owner", user(site, &repo.owner));
    put("html_url", json!(html));
    put("description", json!(repo.settings.description));
    put("fork", json!(false));
    put("url", json!(api));
    for (key, path) in ADDRESSES {
        put(key, json!(format!("{api}/{path}")));
    }
    shown.into()
}

/// Addresses that every form of a repository carries.
const ADDRESSES: [(&str, &str); 36] = [
    ("forks_url", "forks"),
    ("keys_url", "keys{/key_id}"),
    ("collaborators_url", "collaborators{/collaborator}"),
    ("teams_url", "teams"),
    ("hooks_url", "hooks"),
    ("issue_events_url", "issues/events{/number}"),
    ("events_url", "events"),
    ("assignees_url", "assignees{/user}"),
    ("branches_url", "branches{/branch}"),
    ("tags_url", "tags"),
    ("blobs_url", "git/blobs{/sha}"),
    ("git_tags_url", "git/tags{/sha}"),
    ("git_refs_url", "git/refs{/sha}"),
    ("trees_url", "git/trees{/sha}"),
    ("statuses_url", "statuses/{sha}"),
    ("languages_url", "languages"),
    ("stargazers_url", "stargazers"),
    ("contributors_url", "contributors"),
    ("subscribers_url", "subscribers"),
    ("subscription_url", "subscription"),
    ("commits_url", "commits{/sha}"),
    ("git_commits_url", "git/commits{/sha}"),
    ("comments_url", "comments{/number}"),
    ("issue_comment_url", "issues/comments{/number}"),
    ("contents_url", "contents/{+path}"),
    ("compare_url", "compare/{base}...{head}"),
    ("merges_url", "merges"),
    ("archive_url", "{archive_format}{/ref}"),
    ("downloads_url", "downloads"),
    ("issues_url", "issues{/number}"),
    ("pulls_url", "pulls{/number}"),
    ("milestones_url", "milestones{/number}"),
    ("notifications_url", "notifications{?since,all,participating}"),
    ("labels_url", "labels{/name}"),
    ("releases_url", "releases{/id}"),
    ("deployments_url", "deployments"),
];

/// `repository`, as pull requests and events carry it.
pub(crate) fn repo_whole(site: &Site, repo: &RepoState) -> Value {
    let html = repo.html(&site.base);
    let mut shown = repo_minimal(site, repo);
    let host = site.base.split_once("://").map_or("", |(_, host)| host);
    let open = repo.issues.iter().filter(|issue| issue.state == IssueState::Open).count();
    let created = stamp(repo.created_at);
    let more = json!({
        "created_at": created,
        "updated_at": created,
        "pushed_at": stamp(site.clock.now()),
        "git_url": format!("git://{host}/{}.git", repo.full_name()),
        "ssh_url": format!("git@{host}:{}.git", repo.full_name()),
        "clone_url": format!("{html}.git"),
        "svn_url": html,
        "homepage": null,
        "size": 0,
        "stargazers_count": 0,
        "watchers_count": 0,
        "language": null,
        "has_issues": true,
        "has_projects": true,
        "has_downloads": true,
        "has_wiki": false,
        "has_pages": false,
        "has_discussions": false,
        "forks_count": 0,
        "mirror_url": null,
        "archived": false,
        "disabled": false,
        "open_issues_count": open,
        "license": null,
        "allow_forking": true,
        "is_template": false,
        "web_commit_signoff_required": false,
        "topics": [],
        "visibility": if repo.settings.private { "private" } else { "public" },
        "forks": 0,
        "open_issues": open,
        "watchers": 0,
        "default_branch": repo.default_branch,
        "permissions": { "admin": false, "maintain": false, "push": true, "triage": true, "pull": true },
        "allow_squash_merge": true,
        "allow_merge_commit": true,
        "allow_rebase_merge": true,
        "allow_auto_merge": repo.settings.auto_merge,
        "delete_branch_on_merge": false,
    });
    if let (Some(object), Value::Object(more)) = (shown.as_object_mut(), more) {
        object.extend(more);
    }
    shown
}

/// `full-repository`: what `GET /repos/{owner}/{repo}` alone tells.
pub(crate) fn repo_full(site: &Site, repo: &RepoState) -> Value {
    let mut shown = repo_whole(site, repo);
    if let Some(object) = shown.as_object_mut() {
        object.insert("network_count".to_owned(), json!(0));
        object.insert("subscribers_count".to_owned(), json!(0));
    }
    shown
}

/// `release`
pub(crate) fn release(site: &Site, repo: &RepoState, release: &ReleaseState) -> Value {
    let (api, html) = (repo.api(&site.base), repo.html(&site.base));
    let (fact, at) = (&release.fact, stamp(release.created_at));
    json!({
        "url": format!("{api}/releases/{}", release.id),
        "assets_url": format!("{api}/releases/{}/assets", release.id),
        "upload_url": format!("{api}/releases/{}/assets{{?name,label}}", release.id),
        "html_url": format!("{html}/releases/tag/{}", fact.tag_name),
        "id": release.id,
        "author": user(site, &fact.author),
        "node_id": node("RE", release.id),
        "tag_name": fact.tag_name,
        "target_commitish": repo.default_branch,
        "name": fact.name.clone().unwrap_or_else(|| fact.tag_name.clone()),
        "draft": fact.draft,
        "prerelease": fact.prerelease,
        "immutable": false,
        "created_at": at,
        "updated_at": at,
        "published_at": if fact.draft { Value::Null } else { json!(at) },
        "assets": [],
        "tarball_url": format!("{api}/tarball/{}", fact.tag_name),
        "zipball_url": format!("{api}/zipball/{}", fact.tag_name),
        "body": fact.body,
    })
}
