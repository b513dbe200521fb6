//! Servers that refuse, move, break off or are somebody else's.

use promote::failure::{Failure, Kind};
use promote::git::{History, Wanted};
use promote::names::CommitSha;

use crate::server::{Fault, Server};
use crate::world::{Script, World, advance, git, remote};

/// `Basic` of `x-access-token:good`.
const GOOD: &str = "Basic eC1hY2Nlc3MtdG9rZW46Z29vZA==";

fn assert_says(failure: &Failure, parts: &[&str]) {
    let text = failure.to_string();
    assert_eq!(failure.kind(), Kind::Git, "{text}");
    for part in parts {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
}

#[test]
fn a_token_goes_with_every_request_and_is_never_shown() {
    let world = World::small();
    world.server.state.lock().unwrap().token = Some(GOOD.to_owned());
    let remote = remote(&world.server.url, Some("good"));
    History::open(None, &world.scratch(), &remote, &[world.wanted("main")]).unwrap();
    let requests = world.server.requests();
    assert!(requests.len() >= 2);
    assert!(requests.iter().all(|request| request.authorization.as_deref() == Some(GOOD)), "{requests:?}");
    assert!(requests.iter().all(|request| request.agent.starts_with("git/2.0 (promote/")), "{requests:?}");
    assert!(!format!("{remote:?}").contains("good"));
}

#[test]
fn a_refused_token_is_told_apart_from_none() {
    let world = World::small();
    world.server.state.lock().unwrap().token = Some(GOOD.to_owned());
    let wrong = remote(&world.server.url, Some("wrong")).listing().unwrap_err();
    assert_says(&wrong, &["/acme/app`", "401 Unauthorized", "was not accepted"]);
    assert!(!wrong.to_string().contains("wrong"));
    for token in [None, Some("")] {
        let none = remote(&world.server.url, token).listing().unwrap_err();
        assert_says(&none, &["401 Unauthorized", "set input `token`", "contents: read"]);
    }
    assert_eq!(world.server.requests().len(), 3, "a refusal is not asked for again");
}

#[test]
fn refusals_name_what_to_change() {
    let world = World::small();
    let text = "Content-Type: text/plain; charset=utf-8\r\n".to_owned();
    let refusals = [
        (
            Fault::Answer("403 Forbidden", text.clone(), "Your token `x`\x1b[31m lacks it.\nmore"),
            vec!["403 Forbidden", "`Your token x\\u{1b}[31m lacks it.`", "`contents: read`"],
        ),
        (
            Fault::Answer("200 OK", "Content-Type: text/html\r\n".to_owned(), "<html>"),
            vec!["not a git server", "`text/html`", "GITHUB_SERVER_URL"],
        ),
        (
            Fault::Answer("404 Not Found", text, "Repository not found."),
            vec!["404 Not Found", "Repository not found.", "private repository", "contents: read"],
        ),
    ];
    for (fault, says) in refusals {
        world.server.fault(fault.clone());
        world.server.fault(fault);
        assert_says(&remote(&world.server.url, Some("x")).listing().unwrap_err(), &says);
        world.server.state.lock().unwrap().faults.clear();
    }
}

#[test]
fn an_address_that_wants_its_suffix_gets_it() {
    let world = World::small();
    world.server.state.lock().unwrap().only_suffix = true;
    let remote = world.remote();
    remote.listing().unwrap();
    History::open(None, &world.scratch(), &remote, &[world.wanted("main")]).unwrap();
    let requests = world.server.requests();
    assert!(requests[0].line.starts_with("GET /acme/app/info/refs?service=git-upload-pack"));
    assert!(requests[1..].iter().all(|request| request.line.contains("/acme/app.git/")), "{requests:?}");
    assert_eq!(requests.iter().filter(|request| request.line.starts_with("GET")).count(), 2);
}

#[test]
fn a_renamed_repository_is_followed_but_another_server_is_not() {
    let world = World::small();
    let moved = "Location: /acme/app.git/info/refs?service=git-upload-pack\r\n".to_owned();
    world.server.fault(Fault::Answer("301 Moved Permanently", moved, ""));
    let here = world.remote();
    History::open(None, &world.scratch(), &here, &[world.wanted("main")]).unwrap();
    assert!(world.server.requests()[1..].iter().all(|request| request.line.contains("/acme/app.git/")));

    let stranger = Server::start(&world.folder.path().join("srv"));
    let away = format!("Location: {}/acme/app.git/info/refs?service=git-upload-pack\r\n", stranger.url);
    world.server.fault(Fault::Answer("302 Found", away, ""));
    let failure = remote(&world.server.url, Some("good")).listing().unwrap_err();
    assert_says(&failure, &["redirects to", &stranger.url, "the token is not sent"]);
    assert!(stranger.requests().is_empty());
}

#[test]
fn trouble_that_passes_is_waited_for_and_trouble_that_stays_is_told() {
    let world = World::small();
    let bad = || Fault::Answer("502 Bad Gateway", String::new(), "");
    world.server.fault(bad());
    world.server.fault(Fault::Cut(30));
    assert!(world.remote().listing().is_ok());

    for _ in 0..3 {
        world.server.fault(bad());
    }
    let failure = world.remote().listing().unwrap_err();
    assert_says(&failure, &["502 Bad Gateway", "run again"]);
    assert_eq!(world.server.requests().len(), 6);
}

#[test]
fn a_pack_that_breaks_off_is_fetched_again() {
    let world = World::small();
    let remote = world.remote();
    remote.listing().unwrap();
    world.server.fault(Fault::Cut(500));
    world.server.fault(Fault::Answer("503 Service Unavailable", String::new(), ""));
    let history = History::open(None, &world.scratch(), &remote, &[world.wanted("main")]).unwrap();
    assert_eq!(history.in_order(&world.sha("main")).unwrap().len(), 12);
}

#[test]
fn a_server_that_is_down_is_named_with_the_cause() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let failure = remote(&url, None).listing().unwrap_err();
    assert_says(&failure, &[&url, "cannot be reached", "refused", "HTTPS_PROXY"]);
}

#[test]
fn an_untrusted_server_is_not_asked_twice() {
    use std::io::{Read, Write};
    // Whoever answers TLS with something else is as untrusted as one with a certificate of its own.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = std::sync::Arc::clone(&asked);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let failure = remote(&url, None).listing().unwrap_err();
    assert_says(&failure, &["is not trusted: with the TLS of it", "SSL_CERT_FILE"]);
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[test]
fn an_empty_repository_says_what_to_do() {
    let world = World::new(&Script::default());
    assert_says(&world.remote().listing().unwrap_err(), &["the repository is empty", "push a first commit"]);
}

#[test]
fn a_server_address_is_http_and_holds_no_password() {
    for bad in ["", "github.com", "ssh://git@github.com", "file:///srv", "https://user:pass@github.com"] {
        let client = promote::http::Client::new(
            &std::collections::BTreeMap::new(),
            std::time::Duration::from_secs(30),
            std::time::Duration::ZERO,
        )
        .unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let slug = promote::names::RepoSlug::parse("acme/app").unwrap();
        let remote = promote::git::Remote::new(bad, slug, None, client, runtime.handle().clone());
        let text = remote.unwrap_err().to_string();
        assert!(text.contains("GITHUB_SERVER_URL") && !text.contains("pass@"), "{text}");
    }
}

#[test]
fn a_branch_that_moved_on_is_read_as_it_was_listed() {
    let world = World::small();
    let remote = world.remote();
    remote.listing().unwrap();
    let listed = world.wanted("main");
    world.server.fault(Fault::After(|root| advance(&root.join("acme/app.git"), "later")));
    let history = History::open(None, &world.scratch(), &remote, std::slice::from_ref(&listed)).unwrap();
    assert_ne!(world.sha("main"), listed.sha);
    assert_eq!(history.head_of("refs/heads/main"), Some(listed.sha.clone()));
    assert_eq!(history.in_order(&listed.sha).unwrap().len(), 12);
}

#[test]
fn a_branch_that_was_rewritten_is_read_as_it_is_now() {
    let world = World::small();
    let remote = world.remote();
    remote.listing().unwrap();
    let listed = world.wanted("main");
    git(&world.bare(), &["update-ref", "refs/heads/main", "main~1"]);
    let history = History::open(None, &world.scratch(), &remote, &[listed]).unwrap();
    assert_eq!(history.head_of("refs/heads/main"), Some(world.sha("main")));
}

#[test]
fn a_branch_that_is_gone_is_named() {
    let world = World::small();
    let gone =
        Wanted { reference: "refs/heads/gone".to_owned(), sha: CommitSha::parse(&"7".repeat(40)).unwrap() };
    let failure = History::open(None, &world.scratch(), &world.remote(), &[gone]).unwrap_err();
    assert_says(&failure, &["`refs/heads/gone` is not there (any more)"]);
}

#[test]
fn a_scratch_folder_that_is_not_there_is_named() {
    let world = World::small();
    let nowhere = world.folder.path().join("nowhere");
    let failure = History::open(None, &nowhere, &world.remote(), &[world.wanted("main")]).unwrap_err();
    assert_eq!(failure.kind(), Kind::Machine);
    assert!(failure.to_string().contains("RUNNER_TEMP"), "{failure}");
}
