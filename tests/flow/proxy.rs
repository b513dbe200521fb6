//! Proxies between the run and its server: what goes through, what goes around, and whose fault it was.

use std::time::Duration;

use fake_github::{Manner, Proxy, Tls};

use crate::ghes::{authority, server};
use crate::scene::{Run, Scene, Start};

/// A server whose name nobody resolves: only a proxy leads to it.
fn hidden() -> Scene {
    server(Tls { host: "ghe.acme.test".to_owned(), ca_file: None })
}

fn ready() -> Scene {
    let scene = Scene::new();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    scene
}

fn leading_to(scene: &Scene, manner: Manner) -> Proxy {
    Proxy::start(manner, &[scene.github.url()]).unwrap()
}

fn run(scene: &Scene, pairs: &[(&str, &str)]) -> Run {
    let file = scene.github.ca_file().map(|_| authority(scene)).unwrap_or_default();
    let environment = [&[("SSL_CERT_FILE", file.as_str())], pairs].concat();
    scene.runs(&Start { environment: &environment, ..Start::default() })
}

#[test]
fn api_and_git_go_through_the_proxy_and_it_sees_no_token() {
    let scene = hidden();
    let proxy = leading_to(&scene, Manner::Open);
    let mut expected = "created";
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        run(&scene, &[(variable, &proxy.url()), ("HTTP_PROXY", "http://127.0.0.1:9")]).ended(expected, 0);
        expected = "unchanged";
    }
    let asked = proxy.asked();
    assert!(asked.len() >= 4);
    for one in asked {
        assert_eq!((one.method.as_str(), one.authority.as_str()), ("CONNECT", &scene.github.url()[8..]));
        assert!(!one.headers.contains_key("authorization"), "{one:?}");
    }
}

#[test]
fn a_server_without_tls_is_asked_through_its_own_proxy_and_the_log_warns() {
    let scene = ready();
    let plain = scene.github.url().replace("127.0.0.1", "ghe.acme.test");
    let proxy = Proxy::start(Manner::Open, &[&plain, scene.github.url()]).unwrap();
    // On loopback too: nothing but `NO_PROXY` goes around a proxy.
    for (variable, expected) in [("HTTP_PROXY", "created"), ("http_proxy", "unchanged")] {
        let before = proxy.asked().len();
        let run = run(&scene, &[(variable, &proxy.url())]);
        run.ended(expected, 0);
        assert_eq!(proxy.asked().len() - before, scene.github.traffic().len(), "some of it went around");
        // A proxy may be anywhere, so that what it is given is not on this machine any more.
        assert!(run.stderr.contains("in clear"), "{}", run.said());
    }
    let named = [("GITHUB_SERVER_URL", plain.as_str()), ("GITHUB_API_URL", ""), ("GITHUB_GRAPHQL_URL", "")];
    let run = run(&scene, &[&named[..], &[("ALL_PROXY", &proxy.url())]].concat());
    // The address is another, so that the links of the text are.
    run.ended("updated", 0);
    assert!(run.stderr.contains("warning: the server's address is not https"), "{}", run.said());
}

#[test]
fn a_password_of_the_proxy_is_given_and_never_shown() {
    for scene in [hidden(), ready()] {
        let proxy = leading_to(&scene, Manner::Password("promote:p@ss/word".to_owned()));
        let clean = |run: &Run| {
            for secret in ["p%40ss%2Fword", "p@ss/word"] {
                let escaped = secret.replace('%', "%25");
                let mask = format!("::add-mask::{escaped}\n");
                assert!(run.stdout.contains(&mask), "{}", run.said());
                let rest = run.said().replace(&mask, "");
                assert!(!rest.contains(secret) && !rest.contains(&escaped), "{rest}");
            }
        };
        let right = proxy.url_with("promote", "p%40ss%2Fword");
        let good = run(&scene, &[("ALL_PROXY", &right)]);
        clean(good.ended("created", 0));
        let wrong = proxy.url_with("somebody", "p%40ss%2Fword");
        let before = proxy.asked().len();
        let bad = run(&scene, &[("ALL_PROXY", &wrong)]);
        let proxied =
            format!("the proxy `{}` (of `ALL_PROXY`) wants a user and a password", proxy.authority());
        clean(bad.refused(&[&proxied, "407", "hint: write `ALL_PROXY` as `http://USER:PASSWORD@HOST:PORT`"]));
        assert_eq!(proxy.asked().len(), before + 1, "it asked again");
    }
}

#[test]
fn a_proxy_that_refuses_or_breaks_is_named() {
    let scene = hidden();
    let refusing = leading_to(&scene, Manner::Refuse(403));
    let refuses = format!(
        "cannot be reached: the proxy `{}` (of `HTTPS_PROXY`) refuses to connect",
        refusing.authority()
    );
    let git = run(&scene, &[("HTTPS_PROXY", &refusing.url())]);
    git.refused(&["the git server", &refuses, "hint: allow the server there", "`NO_PROXY`"]);
    assert_eq!(refusing.asked().len(), 1, "it asked again");

    // Git directly, so that the API is the first to be refused.
    let (open, local) = (ready(), server(Tls::default()));
    let (api, file) = (local.github.api_url(), authority(&local));
    let mixed =
        [("GITHUB_API_URL", api.as_str()), ("SSL_CERT_FILE", &file), ("HTTPS_PROXY", &refusing.url())];
    run(&open, &mixed).refused(&[
        &format!("no answer from {api} to `GET "),
        &refuses,
        "hint: allow the server there",
    ]);
    assert_eq!(refusing.asked().len(), 2, "it asked again");

    let cutting = leading_to(&scene, Manner::Cut);
    let through =
        format!("cannot be reached through the proxy `{}` (of `HTTPS_PROXY`): ", cutting.authority());
    run(&scene, &[("HTTPS_PROXY", &cutting.url())]).refused(&[&through, "hint: check `HTTPS_PROXY`"]);

    let clear = leading_to(&open, Manner::Refuse(403));
    run(&open, &[("HTTP_PROXY", &clear.url())]).refused(&[
        "the git server answered 403",
        "it came through the proxy",
        &clear.authority(),
    ]);
    run(&scene, &[("HTTPS_PROXY", "socks5://127.0.0.1:9")]).refused(&["`HTTPS_PROXY` is a SOCKS proxy"]);
    assert!(scene.github.traffic().is_empty());

    let slow = leading_to(&scene, Manner::Slow(Duration::from_millis(200)));
    run(&scene, &[("HTTPS_PROXY", &slow.url())]).ended("created", 0);
}

#[test]
fn no_proxy_leads_around_the_proxy() {
    let (tls, plain) = (server(Tls::default()), ready());
    let port = tls.github.url().rsplit_once(':').unwrap().1;
    let with_port = format!("localhost:{port}");
    let around = [
        (&tls, "localhost"),
        (&tls, with_port.as_str()),
        (&tls, "acme.test, .localhost"),
        (&tls, "*"),
        (&plain, "127.0.0.1"),
        (&plain, "10.0.0.0/8,127.0.0.0/8"),
    ];
    for (index, (scene, entries)) in around.into_iter().enumerate() {
        let refusing = leading_to(scene, Manner::Refuse(403));
        let name = if index % 2 == 0 { "NO_PROXY" } else { "no_proxy" };
        let done = run(scene, &[("ALL_PROXY", &refusing.url()), (name, entries)]);
        assert_eq!((done.code, refusing.asked().len()), (Some(0), 0), "{entries}\n{}", done.said());
    }
    for (scene, entries) in [(&tls, "localhost:1"), (&tls, "notlocalhost"), (&plain, "10.0.0.0/8")] {
        let refusing = leading_to(scene, Manner::Refuse(403));
        run(scene, &[("ALL_PROXY", &refusing.url()), ("NO_PROXY", entries)]).refused(&["the proxy"]);
        assert!(!refusing.asked().is_empty());
    }
}
