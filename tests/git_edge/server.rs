//! A git server for one repository: `git http-backend` behind a few lines of HTTP, with faults.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

/// What the server does instead of answering.
#[derive(Clone)]
pub enum Fault {
    /// This answer: status line, headers, body.
    Answer(&'static str, String, &'static str),
    /// The real answer, cut after so many bytes of its body.
    Cut(usize),
    /// The real answer, after the program was run.
    After(fn(&Path)),
}

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub line: String,
    pub authorization: Option<String>,
    pub agent: String,
    pub sent: usize,
}

#[derive(Default)]
pub struct State {
    pub requests: Vec<Request>,
    pub faults: VecDeque<Fault>,
    pub token: Option<String>,
    /// Whether only `acme/app.git` answers.
    pub only_suffix: bool,
}

pub struct Server {
    pub url: String,
    pub state: Arc<Mutex<State>>,
}

impl Server {
    /// Serves `root/acme/app.git`.
    pub fn start(root: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state: Arc<Mutex<State>> = Arc::default();
        let (shared, root) = (Arc::clone(&state), root.to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (shared, root) = (Arc::clone(&shared), root.clone());
                std::thread::spawn(move || answer(stream, &shared, &root));
            }
        });
        Self { url, state }
    }

    pub fn fault(&self, fault: Fault) {
        self.state.lock().unwrap().faults.push_back(fault);
    }

    pub fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap().requests.clone()
    }

    /// How many requests for packs there were, and how many bytes they got.
    pub fn packs(&self) -> (usize, usize) {
        let requests = self.requests();
        let packs = requests.iter().filter(|request| request.line.starts_with("POST"));
        (packs.clone().count(), packs.map(|request| request.sent).sum())
    }
}

fn answer(stream: TcpStream, state: &Mutex<State>, root: &Path) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    let (mut length, mut kind, mut authorization, mut agent) = (0, String::new(), None, String::new());
    reader.read_line(&mut line).unwrap();
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header).unwrap_or(0) == 0 {
            return;
        }
        let Some((name, value)) = header.trim().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "content-type" => value.clone_into(&mut kind),
            "authorization" => authorization = Some(value.to_owned()),
            "user-agent" => value.clone_into(&mut agent),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let target = line.split(' ').nth(1).unwrap_or("/").to_owned();
    let (fault, allowed, only_suffix) = {
        let mut state = state.lock().unwrap();
        let allowed = state.token.is_none() || state.token == authorization;
        (state.faults.pop_front(), allowed, state.only_suffix)
    };
    let (mut head, mut sent) = match &fault {
        Some(Fault::Answer(status, headers, body)) => {
            (format!("HTTP/1.1 {status}\r\n{headers}"), body.as_bytes().to_vec())
        }
        _ if !allowed => {
            ("HTTP/1.1 401 Unauthorized\r\nContent-Type: text/plain\r\n".to_owned(), b"no".to_vec())
        }
        _ if only_suffix && !target.contains(".git/") => {
            ("HTTP/1.1 404 Not Found\r\n".to_owned(), Vec::new())
        }
        _ => {
            if let Some(Fault::After(run)) = &fault {
                run(root);
            }
            backend(root, &line, &target, &kind, &body)
        }
    };
    head.push_str(&format!("Connection: close\r\nContent-Length: {}\r\n\r\n", sent.len()));
    if let Some(Fault::Cut(length)) = fault {
        sent.truncate(length);
    }
    let request = Request { line: line.trim().to_owned(), authorization, agent, sent: sent.len() };
    state.lock().unwrap().requests.push(request);
    let mut stream = stream;
    let _ = stream.write_all(&[head.as_bytes(), &sent].concat());
}

/// The head (without its end) and the body of `git http-backend`'s answer.
fn backend(root: &Path, line: &str, target: &str, kind: &str, body: &[u8]) -> (String, Vec<u8>) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = if path.contains(".git/") { path.to_owned() } else { path.replacen("/app/", "/app.git/", 1) };
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("REQUEST_METHOD", line.split(' ').next().unwrap())
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("CONTENT_TYPE", kind)
        .env("CONTENT_LENGTH", body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let body = body.to_vec();
    let feeding = std::thread::spawn(move || drop(stdin.write_all(&body)));
    let answer = child.wait_with_output().unwrap().stdout;
    feeding.join().unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&answer[..end + 2]).into_owned();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK").to_owned();
    (format!("HTTP/1.1 {status}\r\n{head}"), answer[end + 4..].to_vec())
}
