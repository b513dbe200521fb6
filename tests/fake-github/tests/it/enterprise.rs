//! A server with an address and an authority of its own, an older version of it, and the proxy on the way to it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use fake_github::{Manner, Options, Proxy, Tls};
use serde_json::json;

use crate::client::{NAME, ground_with};

#[test]
fn git_trusts_the_server_by_its_authority_alone() {
    let ground = ground_with(&Options { tls: Some(Tls::default()), ..Options::default() });
    let base = ground.github.url().to_owned();
    assert!(base.starts_with("https://localhost:"), "{base}");
    assert_eq!(ground.github.api_url(), format!("{base}/api/v3"));
    let ask = |authority: &str| {
        let address = format!("{base}/{NAME}").replace("https://", "https://x:t@");
        let mut command = Command::new("git");
        command.args(["ls-remote", &address, "main"]).env("GIT_SSL_CAINFO", authority);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("NO_PROXY", "*");
        let done = command.output().unwrap();
        (done.status.success(), String::from_utf8_lossy(&done.stdout).into_owned())
    };
    let (done, said) = ask(&ground.github.ca_file().unwrap().display().to_string());
    assert!(done && said.starts_with(&ground.first), "{said}");
    let other = ground_with(&Options { tls: Some(Tls::default()), ..Options::default() });
    assert!(!ask(&other.github.ca_file().unwrap().display().to_string()).0);
}

#[test]
fn an_older_server_lacks_what_came_later_and_says_its_version() {
    let query = "mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }";
    for (version, lacks, accepts) in
        [("3.10.4", true, false), ("3.12.9", true, true), ("3.13.0", false, true), ("3.17.2", false, true)]
    {
        let ground = ground_with(&Options { enterprise: Some(version.to_owned()), ..Options::default() });
        let repository = ground.get("");
        assert_eq!(repository.header("x-github-enterprise-version"), Some(version));
        assert_eq!(repository.header("x-accepted-github-permissions").is_some(), accepts, "{version}");
        let input = json!({ "input": { "repositoryId": repository.body["node_id"], "refUpdates": [] } });
        let said = ground.graphql(query, input).to_string();
        let words =
            ["UpdateRefsInput isn't a defined input type (on $input)", "Field 'updateRefs' doesn't exist"];
        assert!(words.iter().all(|word| said.contains(word) == lacks), "{version}: {said}");
    }
    assert!(ground_with(&Options::default()).get("").header("x-github-enterprise-version").is_none());
}

/// What a proxy answers to one request.
fn through(proxy: &Proxy, request: &str) -> String {
    let mut stream = TcpStream::connect(proxy.authority()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn a_proxy_passes_on_to_the_servers_it_knows_and_keeps_a_record() {
    let ground = ground_with(&Options::default());
    let port = ground.github.url().rsplit_once(':').unwrap().1.to_owned();
    let name = format!("ghe.acme.test:{port}");
    let proxy = Proxy::start(Manner::Open, &[&format!("http://{name}")]).unwrap();
    let clear = format!(
        "GET http://{name}/api/v3/repos/{NAME} HTTP/1.1\r\nHost: {name}\r\nuser-agent: test\r\nauthorization: Bearer t\r\n\r\n"
    );
    assert!(through(&proxy, &clear).contains("\"full_name\":\"acme/gitops\""));
    let tunnel = format!(
        "CONNECT {name} HTTP/1.1\r\nHost: {name}\r\n\r\nGET /api/v3/zen HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    );
    let answer = through(&proxy, &tunnel);
    assert!(answer.starts_with("HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 4"), "{answer}");
    assert!(through(&proxy, "CONNECT github.com:443 HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 502"));
    let asked = proxy.asked();
    let seen: Vec<_> = asked.iter().map(|asked| (asked.method.as_str(), asked.authority.as_str())).collect();
    assert_eq!(seen, [("GET", name.as_str()), ("CONNECT", &name), ("CONNECT", "github.com:443")]);
    assert_eq!(asked[0].headers["authorization"], "Bearer t");
}

#[test]
fn a_proxy_may_want_a_password_or_refuse() {
    let ground = ground_with(&Options::default());
    let start = |manner| Proxy::start(manner, &[ground.github.url()]).unwrap();
    let authority = ground.github.url().trim_start_matches("http://");
    let tunnel = |more: &str| {
        format!(
            "CONNECT {authority} HTTP/1.1\r\n{more}\r\nGET / HTTP/1.1\r\nConnection: close\r\nHost: x\r\n\r\n"
        )
    };
    let locked = start(Manner::Password("promote:secret".to_owned()));
    assert!(through(&locked, &tunnel("")).starts_with("HTTP/1.1 407"));
    let known = tunnel("Proxy-Authorization: Basic cHJvbW90ZTpzZWNyZXQ=\r\n");
    assert!(through(&locked, &known).starts_with("HTTP/1.1 200"));
    assert!(through(&start(Manner::Refuse(403)), &tunnel("")).starts_with("HTTP/1.1 403"));
    assert_eq!(through(&start(Manner::Cut), &tunnel("")), "");
}
