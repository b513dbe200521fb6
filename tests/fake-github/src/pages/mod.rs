//! Pages for a person, at the addresses that `html_url`s name, close to how GitHub shows them.
//!
//! Server-side HTML with one embedded stylesheet and nothing from outside; reading needs no token. The pages show the
//! state and never change it.

use std::sync::Arc;

use crate::rest::operations::decoded;
use crate::rest::{Reply, ReplyBody};
use crate::server::{Incoming, Shared, locked};
use crate::state::{RepoState, Site, World};

mod code;
mod diff;
mod markdown;
mod pulls;
mod runs;

/// Answers with a page.
pub(crate) fn answer(shared: &Arc<Shared>, request: &Incoming) -> Reply {
    let world = locked(&shared.world);
    let path = decoded(&request.path);
    let tab = request.query_pairs().into_iter().find(|(key, _)| key == "tab").map(|(_, value)| value);
    match found(&world, path.trim_matches('/'), tab.as_deref()) {
        Some(Page::Html(title, body)) => html(200, &title, &body),
        Some(Page::Raw(bytes)) => Reply {
            status: 200,
            headers: Vec::new(),
            body: ReplyBody::Bytes("text/plain; charset=utf-8", bytes),
        },
        None => {
            html(404, "Not found", "<h1>404</h1><p>This page is not here, or the fake has no such page.</p>")
        }
    }
}

/// A page, or a file as it is.
pub(super) enum Page {
    Html(String, String),
    Raw(Vec<u8>),
}

/// What a repository's page is made from.
pub(super) struct Scene<'a> {
    pub site: &'a Site,
    pub repo: &'a RepoState,
    /// `/owner/name`
    pub root: String,
}

fn found(world: &World, path: &str, tab: Option<&str>) -> Option<Page> {
    if path.is_empty() {
        return Some(Page::Html("Repositories".to_owned(), index(world)));
    }
    let mut parts = path.splitn(4, '/');
    let (owner, name) = (parts.next()?, parts.next());
    let Some(name) = name else {
        return Some(Page::Html(owner.to_owned(), format!("<h1>{}</h1>", escaped(owner))));
    };
    let repo = world.repo(&format!("{owner}/{}", name.trim_end_matches(".git")))?;
    let scene = Scene { site: &world.site, repo, root: format!("/{}", repo.full_name()) };
    let (kind, rest) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let body = match kind {
        "" => code::home(&scene)?,
        "tree" => code::tree(&scene, rest)?,
        "blob" => code::blob(&scene, rest)?,
        "raw" => return code::raw(&scene, rest).map(Page::Raw),
        "commits" => code::commits(&scene, rest)?,
        "commit" => code::commit(&scene, rest)?,
        "compare" => code::compare(&scene, rest)?,
        "releases" => code::release(&scene, rest.strip_prefix("tag/")?)?,
        "pulls" => pulls::list(&scene),
        "pull" | "issues" => pulls::one(&scene, rest, tab)?,
        "runs" => runs::check(&scene, rest.parse().ok()?)?,
        "actions" if rest.is_empty() => runs::list(&scene),
        "actions" => runs::run(&scene, rest.strip_prefix("runs/")?)?,
        _ => return None,
    };
    let title = format!("{path} · {}", repo.full_name());
    Some(Page::Html(title, format!("{}{body}", scene.header())))
}

fn index(world: &World) -> String {
    let rows: String = world
        .repos
        .values()
        .map(|repo| {
            let open = repo.issues.iter().filter(|issue| issue.state.word() == "open").count();
            format!(
                "<div class=row><a href=\"/{name}\"><b>{name}</b></a><span class=r>{open} open pull requests</span></div>",
                name = escaped(&repo.full_name())
            )
        })
        .collect();
    format!("<h1>Repositories</h1><div class=box>{rows}</div>")
}

impl Scene<'_> {
    fn header(&self) -> String {
        let root = &self.root;
        let open = self.repo.issues.iter().filter(|issue| issue.state.word() == "open").count();
        format!(
            "<div class=tabs><a href=\"{root}\"><b>{}</b></a><a href=\"{root}/pulls\">Pull requests<span class=c>{open}</span></a>\
             <a href=\"{root}/actions\">Actions<span class=c>{}</span></a></div>",
            escaped(&self.repo.full_name()),
            self.repo.runs.len()
        )
    }
}

fn html(status: u16, title: &str, body: &str) -> Reply {
    let style = include_str!("style.css");
    let page = format!(
        "<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>{}</title><style>{style}</style></head><body><header><a href=\"/\"><b>fake GitHub</b></a></header>\
         <main>{body}</main></body></html>",
        escaped(title)
    );
    // No script can come from outside text, whatever the sanitiser lets through.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src *".to_owned();
    let headers = vec![("content-security-policy".to_owned(), policy)];
    Reply { status, headers, body: ReplyBody::Bytes("text/html; charset=utf-8", page.into_bytes()) }
}

/// Text that is safe in HTML, attributes included.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// A mark for a conclusion or state.
pub(super) fn mark(status: &str, conclusion: Option<&str>) -> &'static str {
    match (status, conclusion) {
        ("completed", Some("success")) => "<span class=success title=success>✓</span>",
        ("completed", Some("neutral" | "skipped" | "cancelled" | "stale")) => "<span class=neutral>◦</span>",
        ("completed", _) => "<span class=failure title=failure>✗</span>",
        _ => "<span class=pending title=pending>●</span>",
    }
}
