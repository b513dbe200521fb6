//! The smallest HTTP client that can ask everything: one connection per request, no features.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use fake_github::{Commit, FakeGitHub, Options, Repo, Token};
use serde_json::{Value, json};

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub text: String,
    pub body: Value,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (given, value) = line.split_once(':')?;
            given.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

/// A fake with one repository of one commit and a job's token `t`.
pub struct Ground {
    pub github: FakeGitHub,
    pub repo: Repo,
    pub first: String,
}

pub const NAME: &str = "acme/gitops";

pub fn ground() -> Ground {
    ground_with(&Options { now: Some("2026-11-22T10:00:00Z".parse().unwrap()), ..Options::default() })
}

pub fn ground_with(options: &Options) -> Ground {
    let github = FakeGitHub::start(options).unwrap();
    github.add_token(Token::actions("t"));
    let repo = github.create_repo(NAME).unwrap();
    let first =
        repo.commit(&Commit::new("feat: begin").file("a.txt", "one\n").file("dir/b.txt", "two\n")).unwrap();
    Ground { github, repo, first }
}

impl Ground {
    /// A raw request; `None` when the connection was dropped without an answer.
    pub fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Option<Reply> {
        let host = self.github.url().trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).unwrap();
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, text) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let body = serde_json::from_str(text).unwrap_or(Value::Null);
        Some(Reply { status, head: head.to_owned(), text: text.to_owned(), body })
    }

    /// REST below the repository, with the job's token.
    pub fn rest(&self, method: &str, path: &str, body: Value) -> Reply {
        self.rest_as("t", method, path, body)
    }

    pub fn rest_as(&self, token: &str, method: &str, path: &str, body: Value) -> Reply {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let bearer = format!("Bearer {token}");
        let headers = [("user-agent", "test"), ("authorization", bearer.as_str())];
        let path = if path.starts_with("//") {
            format!("/api/v3{}", &path[1..])
        } else {
            format!("/api/v3/repos/{NAME}{path}")
        };
        self.raw(method, &path, &headers, &text).unwrap()
    }

    pub fn get(&self, path: &str) -> Reply {
        self.rest("GET", path, Value::Null)
    }

    pub fn graphql(&self, query: &str, variables: Value) -> Value {
        self.graphql_as("t", query, variables)
    }

    pub fn graphql_as(&self, token: &str, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let bearer = format!("Bearer {token}");
        let headers = [("user-agent", "test"), ("authorization", bearer.as_str())];
        let reply = self.raw("POST", "/api/graphql", &headers, &body).unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.body
    }

    /// A commit by API that changes `a.txt` on top of `parent`; not on any branch yet.
    pub fn api_commit(&self, parent: &str, content: &str) -> String {
        let tree = self.rest(
            "POST",
            "/git/trees",
            json!({ "base_tree": parent, "tree": [
                { "path": "a.txt", "mode": "100644", "type": "blob", "content": content }
            ] }),
        );
        assert_eq!(tree.status, 201, "{}", tree.text);
        let commit = self.rest(
            "POST",
            "/git/commits",
            json!({ "message": format!("chore: {content}"), "tree": tree.body["sha"], "parents": [parent] }),
        );
        assert_eq!(commit.status, 201, "{}", commit.text);
        commit.body["sha"].as_str().unwrap().to_owned()
    }

    /// A branch with one API commit on main.
    pub fn branch(&self, name: &str, content: &str) -> String {
        let main = self.repo.resolve("main").unwrap();
        let sha = self.api_commit(&main, content);
        let made = self.rest("POST", "/git/refs", json!({ "ref": format!("refs/heads/{name}"), "sha": sha }));
        assert_eq!(made.status, 201, "{}", made.text);
        sha
    }

    /// A pull request of a new branch into main.
    pub fn pull(&self, branch: &str) -> u64 {
        self.branch(branch, branch);
        let made = self.rest("POST", "/pulls", json!({ "title": branch, "head": branch, "base": "main" }));
        assert_eq!(made.status, 201, "{}", made.text);
        made.body["number"].as_u64().unwrap()
    }
}
