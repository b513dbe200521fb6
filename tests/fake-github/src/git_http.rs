//! git over HTTP: the real `git http-backend` on the same bare repositories.
//!
//! Here only the door is kept: who may fetch, who may push. Everything git is git's own.

use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;

use crate::rest::dispatch::authenticate;
use crate::rest::{Refusal, Reply, ReplyBody};
use crate::server::{Incoming, Shared, locked};
use crate::token::Level;

/// What a git address asks for.
pub(crate) struct GitRequest {
    pub full_name: String,
    pub rest: String,
    pub writes: bool,
}

/// Reads `/{owner}/{repo}[.git]/{info/refs,git-upload-pack,git-receive-pack}`.
pub(crate) fn git_request(request: &Incoming) -> Option<GitRequest> {
    let mut parts = request.path.trim_start_matches('/').splitn(3, '/');
    let (owner, name, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let service = request.query.split('&').find_map(|pair| pair.strip_prefix("service="));
    let writes = match rest {
        "info/refs" => service? == "git-receive-pack",
        "git-upload-pack" => false,
        "git-receive-pack" => true,
        _ => return None,
    };
    let full_name = format!("{owner}/{}", name.trim_end_matches(".git"));
    Some(GitRequest { full_name, rest: rest.to_owned(), writes })
}

/// Whether the caller may; returns the folder and the login.
fn admit(
    shared: &Shared,
    request: &Incoming,
    git: &GitRequest,
) -> Result<(std::path::PathBuf, String), Refusal> {
    let world = locked(&shared.world);
    let ask = |refusal: Refusal| refusal.header("www-authenticate", "Basic realm=\"GitHub\"");
    let repo = world.repo(&git.full_name);
    let token = match authenticate(&world.site, request.header("authorization")) {
        Ok(token) => Some(token),
        Err(refusal) => {
            let anonymous = request.header("authorization").is_none()
                && !git.writes
                && repo.is_some_and(|repo| !repo.settings.private);
            if !anonymous {
                return Err(ask(refusal));
            }
            None
        }
    };
    let missing = || Refusal::new(404, "Repository not found.");
    let repo = repo.ok_or_else(missing)?;
    let Some(token) = token else { return Ok((repo.store.path.clone(), String::new())) };
    // A public repository is there for every token; what a token is granted holds for its own alone.
    let granted = if token.sees(&git.full_name) {
        token.level("contents")
    } else if repo.settings.private {
        return Err(missing());
    } else {
        Level::None
    };
    if granted < Level::Read && repo.settings.private {
        return Err(Refusal::new(403, "Write access to repository not granted."));
    }
    if git.writes && granted < Level::Write {
        return Err(Refusal::new(
            403,
            format!("Permission to {}.git denied to {}.", repo.full_name(), token.login),
        ));
    }
    Ok((repo.store.path.clone(), token.login))
}

/// Answers a git request; the login is for the recording.
pub(crate) async fn answer(shared: &Shared, request: &Incoming, git: &GitRequest) -> (Reply, Option<String>) {
    let (folder, login) = match admit(shared, request, git) {
        Ok(admitted) => admitted,
        Err(refusal) => {
            let (status, headers) = (refusal.status, refusal.headers);
            let text = format!("{}\n", refusal.message).into_bytes();
            return (Reply { status, headers, body: ReplyBody::Bytes("text/plain", text) }, None);
        }
    };
    let reply = match backend(&folder, request, git, &login).await {
        Ok(reply) => reply,
        Err(error) => Refusal::new(500, format!("git http-backend: {error}")).into_reply(),
    };
    if git.writes {
        locked(&shared.world).follow_refs(&git.full_name);
    }
    (reply, Some(login).filter(|login| !login.is_empty()))
}

async fn backend(
    folder: &std::path::Path,
    request: &Incoming,
    git: &GitRequest,
    login: &str,
) -> std::io::Result<Reply> {
    let mut command = tokio::process::Command::new("git");
    command
        .arg("http-backend")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "safe.directory")
        .env("GIT_CONFIG_VALUE_0", "*")
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_TRANSLATED", folder.join(&git.rest))
        .env("PATH_INFO", format!("/{}", git.rest))
        .env("REQUEST_METHOD", &request.method)
        .env("QUERY_STRING", &request.query)
        .env("CONTENT_TYPE", request.header("content-type").unwrap_or_default())
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("REMOTE_ADDR", "127.0.0.1");
    if !login.is_empty() {
        command.env("REMOTE_USER", login);
    }
    if let Some(encoding) = request.header("content-encoding") {
        command.env("HTTP_CONTENT_ENCODING", encoding);
    }
    if let Some(protocol) = request.header("git-protocol") {
        command.env("GIT_PROTOCOL", protocol).env("HTTP_GIT_PROTOCOL", protocol);
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let stdin = child.stdin.take();
    let body = request.body.clone();
    let feed = tokio::spawn(async move {
        if let Some(mut stdin) = stdin {
            // The backend may answer without reading everything.
            let _ = stdin.write_all(&body).await;
        }
    });
    let output = child.wait_with_output().await?;
    let _ = feed.await;
    Ok(cgi(&output.stdout))
}

/// Reads a CGI answer: headers, an empty line, the body.
fn cgi(output: &[u8]) -> Reply {
    let split = output.windows(4).position(|window| window == b"\r\n\r\n");
    let (head, body) = match split {
        Some(at) => (output.get(..at).unwrap_or_default(), output.get(at + 4..).unwrap_or_default()),
        None => (&[][..], output),
    };
    let mut reply = Reply { status: 200, headers: Vec::new(), body: ReplyBody::Empty };
    for line in String::from_utf8_lossy(head).lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        if name.eq_ignore_ascii_case("status") {
            reply.status = value.split(' ').next().and_then(|code| code.parse().ok()).unwrap_or(500);
        } else {
            reply.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
    }
    reply.body = ReplyBody::Bytes("", body.to_vec());
    reply
}
