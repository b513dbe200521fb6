//! How GitHub shows things: state in, JSON out.
//!
//! Every object has the complete required shape of GitHub's published description, nothing is written to, and ids,
//! node ids and addresses follow from the state alone, so that two runs give the same bytes.

use base64::Engine as _;
use serde_json::{Value, json};

use crate::state::Site;

mod checks;
mod commits;
mod issues;
mod pulls;
mod repos;
mod runs;

pub(crate) use checks::{
    annotations, check_page, check_run, check_suite, check_times, combined, combined_state, deployment,
    deployment_status, status, suite_state,
};
pub(crate) use commits::{
    commit, commit_with_files, diff_entry, git_commit, git_user, simple_commit, tag_verification,
};
pub(crate) use issues::{comment, issue, issue_event, label};
pub(crate) use pulls::{mergeable, pull, pull_simple, review};
pub(crate) use repos::{release, repo_full, repo_minimal, repo_whole};
pub(crate) use runs::{job, run, workflow};

/// A node id: opaque, deterministic.
pub(crate) fn node(prefix: &str, key: impl std::fmt::Display) -> String {
    let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(key.to_string());
    format!("{prefix}_kwDO{encoded}")
}

/// A user's id: a function of the login.
pub(crate) fn user_id(login: &str) -> u64 {
    if login == "github-actions[bot]" {
        return 41_898_282;
    }
    let hash = login.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
    });
    hash % 100_000_000 + 1
}

/// `simple-user`
pub(crate) fn user(site: &Site, login: &str) -> Value {
    let base = &site.base;
    let id = user_id(login);
    let (kind, page) = match login.strip_suffix("[bot]") {
        Some(slug) => ("Bot", format!("{base}/apps/{slug}")),
        None if site.organisations.contains(login) => ("Organization", format!("{base}/{login}")),
        None => ("User", format!("{base}/{login}")),
    };
    let api = format!("{base}/api/v3/users/{}", login.replace('[', "%5B").replace(']', "%5D"));
    json!({
        "login": login,
        "id": id,
        "node_id": node(match kind { "Bot" => "BOT", "Organization" => "O", _ => "U" }, id),
        "avatar_url": format!("{base}/avatars/u/{id}"),
        "gravatar_id": "",
        "url": api,
        "html_url": page,
        "followers_url": format!("{api}/followers"),
        "following_url": format!("{api}/following{{/other_user}}"),
        "gists_url": format!("{api}/gists{{/gist_id}}"),
        "starred_url": format!("{api}/starred{{/owner}}{{/repo}}"),
        "subscriptions_url": format!("{api}/subscriptions"),
        "organizations_url": format!("{api}/orgs"),
        "repos_url": format!("{api}/repos"),
        "events_url": format!("{api}/events{{/privacy}}"),
        "received_events_url": format!("{api}/received_events"),
        "type": kind,
        "user_view_type": "public",
        "site_admin": false,
    })
}

/// `public-user`: what `GET /users/{login}` adds.
pub(crate) fn profile(site: &Site, login: &str) -> Value {
    let mut shown = user(site, login);
    let person = site.people.get(login);
    if let (Some(object), Value::Object(more)) = (
        shown.as_object_mut(),
        json!({
            "name": person.and_then(|person| person.name.clone()),
            "company": null,
            "blog": "",
            "location": null,
            "email": person.map(|person| person.email.clone()),
            "hireable": null,
            "bio": null,
            "public_repos": 0,
            "public_gists": 0,
            "followers": 0,
            "following": 0,
            "created_at": "2020-01-01T00:00:00Z",
            "updated_at": "2020-01-01T00:00:00Z",
        }),
    ) {
        object.extend(more);
    }
    shown
}

/// `integration`: the app behind a check.
pub(crate) fn app(site: &Site, slug: &str) -> Value {
    let id = site.apps.get(slug).copied().unwrap_or_else(|| user_id(slug));
    let name = if slug == "github-actions" { "GitHub Actions" } else { slug };
    json!({
        "id": id,
        "client_id": format!("Iv1.{:016x}", user_id(slug)),
        "slug": slug,
        "node_id": node("A", id),
        "owner": user(site, "github"),
        "name": name,
        "description": null,
        "external_url": format!("{}/apps/{slug}", site.base),
        "html_url": format!("{}/apps/{slug}", site.base),
        "created_at": "2018-07-30T09:30:17Z",
        "updated_at": "2019-12-10T19:04:12Z",
        "permissions": { "checks": "write", "contents": "write", "metadata": "read" },
        "events": [],
    })
}
