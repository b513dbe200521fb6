//! A loopback server that answers as GitHub did, or as GitHub's description says by example.
//!
//! It knows nothing of promote: it looks a request up among recordings or examples and sends what is there. It keeps
//! every request, so that a test can tell a write that was sent from one that was not.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// An answer as it is sent.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u64,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// A request as it came: `METHOD path?query`, and its body; `Null` where it had none.
pub type Asked = (String, Value);

/// What was asked since it was last looked at.
#[derive(Debug, Default)]
struct Seen {
    asked: Vec<Asked>,
    /// Those of them for which there was no answer.
    missed: Vec<String>,
}

/// A running server; its thread ends with the test.
pub struct Replay {
    pub url: String,
    seen: Arc<Mutex<Seen>>,
}

impl Replay {
    /// Answers with what `answer` finds for a method and a path with its query.
    pub fn start(mut answer: impl FnMut(&str, &str) -> Option<Answer> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let (shared, here) = (seen.clone(), url.clone());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let Some((method, path, body)) = request(&stream) else { continue };
                shared.lock().unwrap().asked.push((format!("{method} {path}"), body));
                let found = answer(&method, &path).unwrap_or_else(|| {
                    shared.lock().unwrap().missed.push(format!("{method} {path}"));
                    let body = json!({ "message": "Not Found", "status": "404" }).to_string();
                    Answer { status: 404, headers: vec![json_type()], body }
                });
                let _ = stream.write_all(sent(&found, &here).as_bytes());
            }
        });
        Self { url, seen }
    }

    /// Exactly these requests came since the last call, in this order, and all of them had an answer.
    #[track_caller]
    pub fn was_asked(&self, due: &[(&str, Value)]) {
        self.was_asked_in_vain(due, &[]);
    }

    /// As [`Self::was_asked`], but those of `missed` had no answer.
    #[track_caller]
    pub fn was_asked_in_vain(&self, due: &[(&str, Value)], missed: &[&str]) {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap());
        let due: Vec<Asked> = due.iter().map(|(line, body)| ((*line).to_owned(), body.clone())).collect();
        assert_eq!(seen.asked, due);
        assert_eq!(seen.missed, missed);
    }
}

pub fn json_type() -> (String, String) {
    ("content-type".to_owned(), "application/json; charset=utf-8".to_owned())
}

fn request(stream: &TcpStream) -> Option<(String, String, Value)> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        if header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body).ok()?;
    let body = if body.is_empty() {
        Value::Null
    } else {
        // What is no JSON stays to be seen.
        serde_json::from_slice(&body).unwrap_or_else(|_| json!(String::from_utf8_lossy(&body)))
    };
    Some((method, path, body))
}

/// Addresses of GitHub become those of this server, so that pages and redirects are followed here.
fn sent(answer: &Answer, here: &str) -> String {
    let local =
        |text: &str| text.replace("https://api.github.com:443", here).replace("https://api.github.com", here);
    let body = local(&answer.body);
    let kept = |name: &str| matches!(name, "content-type" | "link" | "location" | "retry-after");
    let headers = answer.headers.iter().filter(|(name, _)| kept(name));
    let headers =
        headers.fold(String::new(), |all, (name, value)| format!("{all}{name}: {}\r\n", local(value)));
    let length =
        if answer.status == 204 { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    format!("HTTP/1.1 {} Replayed\r\n{headers}{length}connection: close\r\n\r\n{body}", answer.status)
}

/// A recorded exchange of `@octokit/fixtures`.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub method: String,
    pub path: String,
    pub sent: Value,
    pub answer: Answer,
    /// Whether the answer is JSON, or nothing.
    pub readable: bool,
}

impl Recorded {
    pub fn of(entry: &Value) -> Self {
        let body = match &entry["response"] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            json => json.to_string(),
        };
        let headers = entry["headers"].as_object().into_iter().flatten();
        let headers = headers.map(|(name, value)| (name.to_lowercase(), plain(value))).collect();
        Self {
            method: entry["method"].as_str().unwrap().to_uppercase(),
            path: entry["path"].as_str().unwrap().to_owned(),
            sent: entry["body"].clone(),
            readable: !entry["response"].is_string() || body.is_empty(),
            answer: Answer { status: entry["status"].as_u64().unwrap(), headers, body },
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Answers as recorded and in order; the last answer to a request stays. The query counts where it was recorded.
pub fn recorded(exchanges: &[Recorded]) -> Replay {
    let mut left = exchanges.to_vec();
    let bare = |path: &str| path.split('?').next().unwrap().trim_end_matches('/').to_owned();
    Replay::start(move |method, path| {
        let same = |known: &Recorded, exact: bool| {
            known.method == method && (known.path == path || !exact && bare(&known.path) == bare(path))
        };
        let exact = left.iter().any(|known| same(known, true));
        let at = left.iter().position(|known| same(known, exact))?;
        let again = left.iter().skip(at + 1).any(|known| same(known, exact));
        Some(if again { left.remove(at).answer } else { left.get(at)?.answer.clone() })
    })
}

/// Answers every operation with the example that GitHub's description has for its success.
pub fn examples(description: Value) -> Replay {
    Replay::start(move |method, path| {
        let path = path.split('?').next()?;
        let found = description["paths"]
            .as_object()?
            .iter()
            .find_map(|(template, item)| fits(template, path).then(|| item.get(method.to_lowercase()))?)?;
        let (status, response) =
            found["responses"].as_object()?.iter().find(|(status, _)| status.starts_with('2'))?;
        let response = behind(&description, response);
        let content = &response["content"]["application/json"];
        let example = content["examples"].as_object().and_then(|all| all.values().next());
        let body = example.map(|example| behind(&description, example)["value"].clone());
        let body = body
            .or_else(|| content.get("example").cloned())
            .map_or_else(String::new, |body| body.to_string());
        Some(Answer { status: status.parse().ok()?, headers: vec![json_type()], body })
    })
}

fn behind<'a>(document: &'a Value, node: &'a Value) -> &'a Value {
    let pointer = node["$ref"].as_str().and_then(|pointer| pointer.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(node)
}

/// Whether a path has a template's form; a ref at its end takes several segments.
pub fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    let open = template.ends_with(&["ref", "{ref}"]) || template.ends_with(&["refs", "{ref}"]);
    (template.len() == path.len() || open && path.len() > template.len())
        && template.iter().zip(&path).all(|(wanted, given)| wanted.starts_with('{') || wanted == given)
}
