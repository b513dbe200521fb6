//! Code: folders, files, commits, comparisons, releases.

use git2::{Commit, ObjectType, Oid};

use super::{Scene, diff, escaped, mark, markdown};
use crate::shape;

/// A ref and the path behind it; refs may have slashes, so the longest that is known wins.
fn at<'a, 'p>(scene: &Scene<'a>, rest: &'p str) -> Option<(Commit<'a>, &'p str, &'p str)> {
    let mut ends: Vec<usize> = rest.match_indices('/').map(|(at, _)| at).collect();
    ends.push(rest.len());
    ends.into_iter().rev().find_map(|end| {
        let (name, path) = rest.split_at_checked(end)?;
        Some((scene.repo.store.resolve(name)?, name, path.trim_start_matches('/')))
    })
}

fn listing(scene: &Scene<'_>, commit: &Commit<'_>, name: &str, path: &str) -> Option<String> {
    let root = commit.tree().ok()?;
    let tree = if path.is_empty() {
        root
    } else {
        let entry = root.get_path(std::path::Path::new(path)).ok()?;
        scene.repo.store.git.find_tree(entry.id()).ok()?
    };
    let mut rows: Vec<(bool, String)> = tree
        .iter()
        .map(|entry| {
            let file = String::from_utf8_lossy(entry.name_bytes()).into_owned();
            (entry.kind() != Some(ObjectType::Tree), file)
        })
        .collect();
    rows.sort();
    let up = if path.is_empty() { String::new() } else { format!("{path}/") };
    let rows: String = rows
        .iter()
        .map(|(is_file, file)| {
            let (kind, icon) = if *is_file { ("blob", "📄") } else { ("tree", "📁") };
            let file = escaped(file);
            let (root, name, up) = (&scene.root, escaped(name), escaped(&up));
            format!("<div class=row>{icon} <a href=\"{root}/{kind}/{name}/{up}{file}\">{file}</a></div>")
        })
        .collect();
    Some(format!("<div class=box>{rows}</div>"))
}

/// Rows of commits with their Verified badge.
pub(super) fn commit_rows(scene: &Scene<'_>, oids: &[Oid]) -> String {
    let row = |oid: &Oid| {
        let commit = scene.repo.store.git.find_commit(*oid).ok()?;
        let message = String::from_utf8_lossy(commit.message_bytes()).into_owned();
        let sha = oid.to_string();
        let badge =
            if scene.repo.verified.contains(&sha) { "<span class=verified>Verified</span>" } else { "" };
        Some(format!(
            "<div class=row><a href=\"{root}/commit/{sha}\">{}</a><span class=meta style=\"margin:0\">{} · {}</span>\
             <span class=r>{badge} <a class=mono href=\"{root}/commit/{sha}\">{}</a></span></div>",
            escaped(message.lines().next().unwrap_or_default()),
            escaped(&String::from_utf8_lossy(commit.author().name_bytes())),
            when(&commit),
            sha.get(..7).unwrap_or(&sha),
            root = scene.root,
        ))
    };
    format!("<div class=box>{}</div>", oids.iter().filter_map(row).collect::<String>())
}

fn when(commit: &Commit<'_>) -> String {
    let shown = shape::git_user(&commit.committer());
    shown
        .get("date")
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default()
        .replace('T', " ")
        .replace('Z', " UTC")
}

pub(super) fn home(scene: &Scene<'_>) -> Option<String> {
    let (repo, root) = (scene.repo, &scene.root);
    let Some(commit) = repo.store.resolve(&repo.default_branch) else {
        return Some("<h1>This repository is empty.</h1>".to_owned());
    };
    let recent: Vec<Oid> = repo.store.between(None, commit.id()).ok()?.into_iter().take(10).collect();
    let links = |prefix: &str| -> String {
        let name = |(full, _): &(String, Oid)| {
            let name = escaped(full.trim_start_matches(prefix));
            format!("<div><a class=ref href=\"{root}/tree/{name}\">{name}</a></div>")
        };
        repo.store.refs(prefix).iter().rev().map(name).collect()
    };
    Some(format!(
        "<div class=cols><div>{}<h2>Recent commits</h2>{}</div><aside><section><h3>Branches</h3>{}</section>\
         <section><h3>Tags</h3>{}</section><section><h3>Clone</h3><code>{}.git</code></section></aside></div>",
        listing(scene, &commit, &repo.default_branch, "")?,
        commit_rows(scene, &recent),
        links("refs/heads/"),
        links("refs/tags/"),
        escaped(&repo.html(&scene.site.base)),
    ))
}

fn title(name: &str, path: &str) -> String {
    format!("<h1><span class=ref>{}</span> {}</h1>", escaped(name), escaped(path))
}

pub(super) fn tree(scene: &Scene<'_>, rest: &str) -> Option<String> {
    let (commit, name, path) = at(scene, rest)?;
    Some(format!("{}{}", title(name, path), listing(scene, &commit, name, path)?))
}

pub(super) fn raw(scene: &Scene<'_>, rest: &str) -> Option<Vec<u8>> {
    let (commit, _, path) = at(scene, rest)?;
    scene.repo.store.file(&commit, path)
}

pub(super) fn blob(scene: &Scene<'_>, rest: &str) -> Option<String> {
    let (commit, name, path) = at(scene, rest)?;
    let bytes = scene.repo.store.file(&commit, path)?;
    let Ok(text) = String::from_utf8(bytes) else {
        return Some(format!("{}<p>A binary file.</p>", title(name, path)));
    };
    let lines: String = text
        .lines()
        .enumerate()
        .map(|(index, line)| {
            let number = index + 1;
            format!(
                "<tr id=L{number}><td class=num><a href=\"#L{number}\">{number}</a></td><td>{}</td></tr>",
                escaped(line)
            )
        })
        .collect();
    Some(format!("{}<div class=box><table class=code>{lines}</table></div>", title(name, path)))
}

pub(super) fn commits(scene: &Scene<'_>, rest: &str) -> Option<String> {
    let name = if rest.is_empty() { scene.repo.default_branch.as_str() } else { rest };
    let head = scene.repo.store.resolve(name)?.id();
    let all: Vec<Oid> = scene.repo.store.between(None, head).ok()?.into_iter().take(100).collect();
    Some(format!("<h1>Commits</h1>{}", commit_rows(scene, &all)))
}

pub(super) fn commit(scene: &Scene<'_>, rest: &str) -> Option<String> {
    let commit = scene.repo.store.resolve(rest)?;
    let (sha, repo) = (commit.id().to_string(), scene.repo);
    let files = repo.store.changes_of(&commit).ok()?;
    let message = String::from_utf8_lossy(commit.message_bytes()).into_owned();
    let (subject, body) = message.split_once('\n').unwrap_or((&message, ""));
    let checks: String = repo
        .check_runs
        .iter()
        .filter(|check| check.fact.head_sha == sha)
        .map(|check| super::runs::check_row(scene, check))
        .collect();
    let statuses: String =
        repo.statuses.iter().filter(|status| status.fact.sha == sha).map(super::runs::status_row).collect();
    let badge = if repo.verified.contains(&sha) { mark_verified() } else { "" };
    Some(format!(
        "<h1>{}</h1><p class=meta>{} committed {} · <code>{sha}</code> {badge}</p><pre>{}</pre>\
         <div class=box>{checks}{statuses}</div>{}",
        escaped(subject),
        escaped(&String::from_utf8_lossy(commit.author().name_bytes())),
        when(&commit),
        escaped(body.trim()),
        diff::shown(&files, &format!("{}/blob/{sha}", scene.root)),
    ))
}

fn mark_verified() -> &'static str {
    "<span class=verified>Verified</span>"
}

pub(super) fn compare(scene: &Scene<'_>, rest: &str) -> Option<String> {
    let (base_name, head_name) = rest.split_once("...")?;
    let own = format!("{}:", scene.repo.owner);
    let find = |name: &str| scene.repo.store.resolve(name.strip_prefix(own.as_str()).unwrap_or(name));
    let (base, head) = (find(base_name)?, find(head_name)?);
    let between = scene.repo.store.between(Some(base.id()), head.id()).ok()?;
    let files = scene.repo.store.changes_since_fork(&base.id().to_string(), &head.id().to_string()).ok()?;
    Some(format!(
        "<h1>Comparing changes</h1><p class=meta><span class=ref>{}</span> … <span class=ref>{}</span> · {} commits</p>{}{}",
        escaped(base_name),
        escaped(head_name),
        between.len(),
        commit_rows(scene, &between),
        diff::shown(&files, &format!("{}/blob/{}", scene.root, head.id())),
    ))
}

pub(super) fn release(scene: &Scene<'_>, tag: &str) -> Option<String> {
    let commit = scene.repo.store.resolve(&format!("refs/tags/{tag}"))?;
    let release = scene.repo.releases.iter().find(|release| release.fact.tag_name == tag);
    let body = release.and_then(|release| release.fact.body.as_deref()).unwrap_or_default();
    let sha = commit.id().to_string();
    let checks: String = scene
        .repo
        .check_runs
        .iter()
        .filter(|check| check.fact.head_sha == sha)
        .map(|check| format!("{} ", mark(&check.fact.status, check.fact.conclusion.as_deref())))
        .collect();
    Some(format!(
        "<h1>{}</h1><p class=meta>tag <span class=ref>{}</span> at <a class=mono href=\"{}/commit/{sha}\">{}</a> {checks}</p>\
         <div class=\"box\"><div class=\"body md\">{}</div></div>",
        escaped(release.and_then(|release| release.fact.name.as_deref()).unwrap_or(tag)),
        escaped(tag),
        scene.root,
        sha.get(..7).unwrap_or(&sha),
        markdown::rendered(body, &scene.root),
    ))
}
