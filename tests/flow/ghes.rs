//! A GitHub Enterprise Server: an address and an authority of its own, and a version that lacks what came later.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use fake_github::{Commit, Effect, FakeGitHub, Fault, Level, On, Options, Surface, Tls, Token};
use serde_json::json;

use crate::scene::{Run, Scene, Start, TOKEN};

/// A server with TLS, and a release that is ready to go.
pub fn server(tls: Tls) -> Scene {
    let scene =
        Scene::with(Options { tls: Some(tls), enterprise: Some("3.17.2".to_owned()), ..Options::default() });
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    scene
}

/// The file that makes the server trusted.
pub fn authority(scene: &Scene) -> String {
    scene.github.ca_file().unwrap().display().to_string()
}

fn trusting(scene: &Scene, more: &[(&str, &str)]) -> Run {
    let file = authority(scene);
    let environment = [&[("SSL_CERT_FILE", file.as_str())], more].concat();
    scene.runs(&Start { environment: &environment, ..Start::default() })
}

#[test]
fn a_promotion_needs_the_servers_address_and_its_authority_alone() {
    let scene = server(Tls::default());
    let run = trusting(&scene, &[]);
    run.ended("created", 0);
    let made = run.requests.iter().find(|exchange| exchange.path.ends_with("/git/commits")).unwrap();
    assert_eq!(made.response_body["verification"]["verified"], json!(true));
    assert!(
        run.requests
            .iter()
            .all(|exchange| exchange.response_headers["x-github-enterprise-version"] == "3.17.2")
    );
    assert!(scene.github.traffic().iter().any(|exchange| exchange.surface == Surface::Git));
    assert_eq!(scene.github.unknown_routes(), [""; 0]);

    let again = trusting(&scene, &[]);
    again.ended("unchanged", 0);
    assert_eq!(again.writes(), [""; 0], "{}", again.said());
    for arguments in [&["--depth", "1", "--no-tags"][..], &[]] {
        let (workspace, file) = (scene.checkout(arguments), authority(&scene));
        let environment = [("SSL_CERT_FILE", file.as_str())];
        let start =
            Start { workspace: Some(workspace.path()), environment: &environment, ..Start::default() };
        scene.runs(&start).ended("unchanged", 0);
    }
}

#[test]
fn every_link_is_to_the_server_itself() {
    let scene = server(Tls::default());
    scene.release("v1.9.0", "latest", Some("success"));
    let run = trusting(&scene, &[]);
    run.ended("blocked", 1);
    let pull = scene.repo.pull_json(1).unwrap().to_string();
    let checks = format!("{:?}", scene.repo.check_runs(&scene.promotion_head()).unwrap());
    let outputs = format!("{:?}", run.outputs);
    let plan = run.plan.to_string();
    for (what, text) in [
        ("pull request", scene.repo.pull(1).unwrap().body),
        ("check", checks),
        ("summary", run.summary.clone()),
        ("outputs", outputs),
        ("plan", plan),
    ] {
        assert!(text.contains(scene.github.url()), "{what}: {text}");
        assert!(!text.contains("https://github.com") && !text.contains("api.github.com"), "{what}: {text}");
    }
    assert!(pull.contains(scene.github.url()));
    assert!(!run.said().contains("github.com"), "{}", run.said());
}

/// A run that is over at once, whatever it says.
fn at_once(run: impl FnOnce() -> Run) -> Run {
    let start = Instant::now();
    let run = run();
    assert!(start.elapsed() < Duration::from_secs(5), "it took {:?}\n{}", start.elapsed(), run.said());
    assert!(!run.stderr.contains("again"), "it tried again\n{}", run.said());
    run
}

#[test]
fn a_server_of_an_unknown_authority_is_asked_once_and_told_nothing() {
    let (scene, other) = (server(Tls::default()), server(Tls::default()));
    let foreign = authority(&other);
    let says = ["is not trusted: the certificate that it shows is of an authority that is not trusted here"];
    let hint = "hint: point `SSL_CERT_FILE` at a file in PEM form";
    let run =
        |pairs: &[(&str, &str)]| at_once(|| scene.runs(&Start { environment: pairs, ..Start::default() }));
    run(&[("SSL_CERT_FILE", &foreign)]).refused(&says).refused(&["the git server is not trusted", hint]);
    // Whatever authorities the machine has, this one is not among them.
    run(&[]).refused(&["`SSL_CERT_FILE`"]);
    assert!(scene.github.traffic().is_empty());
    // Git by another address, so that the API is the first to be distrusted.
    let open = Scene::new();
    open.release("v1.8.0", "2026-09-15", Some("success"));
    let (api, graphql) = (scene.github.api_url(), scene.github.graphql_url());
    let mixed =
        [("GITHUB_API_URL", api.as_str()), ("GITHUB_GRAPHQL_URL", &graphql), ("SSL_CERT_FILE", &foreign)];
    let run = at_once(|| open.runs(&Start { environment: &mixed, ..Start::default() }));
    run.refused(&says).refused(&[&format!("no answer from {api} to `GET "), hint]);
}

#[test]
fn certificates_that_cannot_be_read_are_said_to_be_so() {
    let scene = server(Tls::default());
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let written = |name: &str, text: &str| {
        std::fs::write(path(name), text).unwrap();
        path(name)
    };
    let run = |name: &str, value: &str| {
        at_once(|| scene.runs(&Start { environment: &[(name, value)], ..Start::default() }))
    };
    let cases = [
        (path("gone.pem"), "cannot be read: No such file"),
        (path(""), "cannot be read: Is a directory"),
        (written("empty.pem", ""), "is empty"),
        (written("words.pem", "trust me\n"), "has no certificate in PEM form"),
    ];
    for (file, what) in &cases {
        let hint = "hint: `SSL_CERT_FILE` must lead to CA certificates in PEM form";
        run("SSL_CERT_FILE", file).refused(&[what, "`SSL_CERT_FILE` names it", hint]);
    }
    run("SSL_CERT_DIR", &path("")).refused(&["has no file with a certificate", "`SSL_CERT_DIR` names it"]);
    assert!(scene.github.traffic().is_empty());
    std::fs::copy(authority(&scene), path("acme.pem")).unwrap();
    run("SSL_CERT_DIR", &format!("/nowhere:{}", path(""))).ended("created", 0);
    // An empty variable is an unset one: the machine's own authorities count.
    run("SSL_CERT_FILE", "").refused(&["`SSL_CERT_FILE`"]);
}

#[test]
fn one_address_is_enough_for_all() {
    let scene = server(Tls::default());
    let (url, api) = (scene.github.url().to_owned(), scene.github.api_url());
    let (slashed, slashed_api) = (format!("{url}/"), format!("{api}//"));
    let upper = url.replace("https://localhost", "HTTPS://LocalHost");
    let cases = [
        (url.as_str(), ""),
        (&slashed, ""),
        ("", &api),
        ("", &slashed_api),
        (&slashed, &slashed_api),
        (&upper, ""),
    ];
    for (index, (server, api)) in cases.into_iter().enumerate() {
        let named = [("GITHUB_SERVER_URL", server), ("GITHUB_API_URL", api), ("GITHUB_GRAPHQL_URL", "")];
        let run = trusting(&scene, &named);
        run.ended(if index == 0 { "created" } else { "unchanged" }, 0);
        assert_eq!(
            run.writes().iter().any(|write| write == "POST /api/graphql"),
            index == 0,
            "{}",
            run.said()
        );
        assert_eq!(run.plan["repository"]["url"], json!(scene.repo.url().trim_end_matches(".git")));
    }
}

#[test]
fn an_address_that_is_none_is_told_before_anything_is_asked() {
    let scene = server(Tls::default());
    let url = scene.github.url().to_owned();
    let (prefixed, apart) = (format!("{url}/github"), format!("{url}/rest"));
    let cases = [
        (prefixed.as_str(), "", "`GITHUB_SERVER_URL`: it has the path `/github`", "name the host alone"),
        // Never github.com instead: the token is for this server.
        ("", apart.as_str(), "the server's own address does not follow", "set `GITHUB_SERVER_URL` as well"),
        (
            "localhost",
            "",
            "`GITHUB_SERVER_URL`: `localhost` is not the address of a server",
            "`https://HOST`",
        ),
    ];
    for (server, api, what, hint) in cases {
        let named = [("GITHUB_SERVER_URL", server), ("GITHUB_API_URL", api), ("GITHUB_GRAPHQL_URL", "")];
        at_once(|| trusting(&scene, &named)).refused(&[what, hint]);
    }
    assert!(scene.github.traffic().is_empty());
}

/// A server from before `updateRefs`.
fn older() -> Scene {
    let scene = Scene::with(Options { enterprise: Some("3.10.4".to_owned()), ..Options::default() });
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    scene
}

#[test]
fn an_older_server_moves_the_branch_by_rest_after_a_fresh_read() {
    let scene = older();
    let by_rest = |run: &Run, write: &str| {
        assert!(run.stderr.contains("warning: this server has no `updateRefs`"), "{}", run.said());
        assert!(run.writes().iter().any(|made| made.starts_with(write)), "{:?}", run.writes());
    };
    let created = scene.run();
    by_rest(created.ended("created", 0), "POST /repos/acme/agent/git/refs");
    let first = scene.promotion_head();
    scene.run().ended("unchanged", 0);
    scene.release("v1.9.0", "2026-09-15", Some("success"));
    by_rest(scene.run().ended("updated", 0), "PATCH /repos/acme/agent/git/refs/heads/promote/agent/prod");
    assert_ne!(scene.promotion_head(), first);
    assert!(scene.prod("promote/agent/prod").contains("v1.9.0"));
    // Such a server does not say which permission it wants: the permission is known all the same.
    scene.github.add_token(Token::actions(TOKEN).allow("pull_requests", Level::None));
    scene.run().refused(&["GitHub answered 403", "grant `pull-requests: read`"]);
}

#[test]
fn a_race_on_an_older_server_is_lost_and_looked_at_again() {
    let scene = older();
    scene.run().ended("created", 0);
    scene.release("v1.9.0", "2026-09-15", Some("success"));
    let delay = Effect::DelayBefore { milliseconds: 700 };
    scene.github.inject(Fault::new(On::graphql("updateRefs"), delay)).unwrap();
    scene.github.clear_traffic();
    let run = std::thread::scope(|scope| {
        let run = scope.spawn(|| scene.run());
        meanwhile(&scene.github, "/git/commits");
        let theirs = Commit::new("fix: by hand").file("environments/prod/values.yaml", "a: 1\n").by("bob");
        scene.repo.commit(&theirs.branch("promote/agent/prod")).unwrap();
        run.join().unwrap()
    });
    run.ended("unchanged", 0);
    assert!(run.stderr.contains("a promotion branch moved while this run looked at it"), "{}", run.said());
    assert!(run.stdout.contains("::warning"), "{}", run.said());
    assert_eq!(scene.prod("promote/agent/prod"), "a: 1\n");
}

/// Waits until something was posted at a path.
pub fn meanwhile(github: &FakeGitHub, path: &str) {
    let start = Instant::now();
    while !github.traffic().iter().any(|exchange| exchange.method == "POST" && exchange.path.ends_with(path))
    {
        assert!(start.elapsed().as_secs() < 10, "nothing was posted at {path}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn where_an_older_server_has_no_drafts_the_failing_check_blocks() {
    let scene = older();
    scene.repo.set(|settings| settings.drafts = false).unwrap();
    scene.release("v1.9.0", "latest", Some("success"));
    let run = scene.run();
    run.ended("blocked", 1);
    assert!(run.stderr.contains("this repository has no draft pull requests"), "{}", run.said());
    assert!(!scene.repo.pull(1).unwrap().draft);
    let checks = format!("{:?}", scene.repo.check_runs(&scene.promotion_head()).unwrap());
    assert!(checks.contains("failure"), "{checks}");
}

#[test]
fn a_token_never_goes_to_another_server() {
    let scene = Scene::new();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    let stranger = FakeGitHub::start(&Options::default()).unwrap();
    let elsewhere = |method: &str, path: &str, status: u16| {
        let headers = BTreeMap::from([("location".to_owned(), format!("{}{path}", stranger.url()))]);
        let effect = Effect::Status { status, body: json!({}), headers };
        scene.github.clear_faults();
        scene.github.inject(Fault::new(On::request(method, path).times(9), effect)).unwrap();
        scene.run()
    };
    let named = format!("redirect to `{}`, another server, where the token is not sent", stranger.url());
    elsewhere("GET", "/repos/acme/agent/pulls", 302).refused(&[&named, "hint: set `GITHUB_API_URL`"]);
    elsewhere("POST", "/repos/acme/agent/git/trees", 307).failed(&[&named]);
    elsewhere("GET", "/acme/agent/info/refs", 301).refused(&["the git server redirects to", stranger.url()]);
    elsewhere("POST", "/acme/agent/git-upload-pack", 307).refused(&["the git server redirects to"]);

    let link = format!("<{}/api/v3/repos/acme/agent/pulls?page=2>; rel=\"next\"", stranger.url());
    let page = |api: &Path| {
        // Below another path: what continues the API's own would be asked at the API's address.
        let link = link.replace("/api/v3", &api.display().to_string());
        let headers = BTreeMap::from([("link".to_owned(), link)]);
        let effect = Effect::Status { status: 200, body: json!([]), headers };
        scene.github.clear_faults();
        scene.github.inject(Fault::new(On::request("GET", "/repos/acme/agent/pulls$"), effect)).unwrap();
        scene.run()
    };
    page(Path::new("/rest")).refused(&["its next page is said to be", "which is not on this API"]);
    page(Path::new("/api/v3")).ended("created", 0);
    assert!(stranger.traffic().is_empty(), "{:?}", stranger.traffic());
}

#[test]
fn trouble_of_the_server_is_not_githubs() {
    let scene = Scene::new();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    let broken = Effect::Status { status: 503, body: json!({}), headers: BTreeMap::new() };
    scene.github.inject(Fault::new(On::request("POST", "/git/trees$").times(3), broken)).unwrap();
    let run = scene.run();
    run.failed(&["GitHub answered 503", "hint: the server has a problem; run it again later"]);
    assert!(!run.said().contains("githubstatus"), "{}", run.said());
}
