//! The listener: one thread, one runtime, one address for REST, GraphQL, git, pages and the admin API.
//!
//! It knows how a request travels (faults, recording, headers that every answer has), not what any means.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use crate::faults::{Armed, Effect, strike};
use crate::rest::operations::{Operation, find};
use crate::rest::{Refusal, Reply, ReplyBody, dispatch};
use crate::state::{Site, World};
use crate::tls::Identity;
use crate::traffic::{Exchange, Recorder, Surface, json_of, recorded, without_token};
use crate::{admin, git_http, graphql, pages};

/// What all requests and all driving methods share.
pub(crate) struct Shared {
    pub base: String,
    pub world: Mutex<World>,
    pub faults: Mutex<Vec<Armed>>,
    /// How many requests are held now.
    pub held: AtomicUsize,
    pub recorder: Recorder,
    pub last_request: Mutex<Instant>,
}

/// A request, read whole.
pub(crate) struct Incoming {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Takes a lock, whatever became of the thread that held it before.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Incoming {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn query_pairs(&self) -> Vec<(String, String)> {
        let plain = |text: &str| crate::rest::operations::decoded(&text.replace('+', " "));
        self.query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(key, value)| (plain(key), plain(value)))
            .collect()
    }
}

/// A running listener; stops when dropped.
pub(crate) struct Listener {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Binds the port and answers on a thread of its own.
pub(crate) fn listen(
    port: u16,
    identity: Option<Identity>,
    build: impl FnOnce(String) -> anyhow::Result<Shared>,
) -> anyhow::Result<(Listener, Arc<Shared>)> {
    let socket = std::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    socket.set_nonblocking(true)?;
    let address = socket.local_addr()?;
    let base = match &identity {
        Some(identity) => format!("https://{}:{}", identity.host, address.port()),
        None => format!("http://{address}"),
    };
    let shared = Arc::new(build(base)?);
    let acceptor = identity.map(|identity| identity.acceptor);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (stop, stopped) = oneshot::channel();
    let answering = shared.clone();
    let thread = std::thread::Builder::new().name("fake-github".to_owned()).spawn(move || {
        runtime.block_on(async move {
            let Ok(listener) = TcpListener::from_std(socket) else { return };
            tokio::select! {
                () = accept(listener, acceptor, answering) => {}
                _ = stopped => {}
            }
        });
        runtime.shutdown_timeout(Duration::from_millis(200));
    })?;
    Ok((Listener { stop: Some(stop), thread: Some(thread) }, shared))
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let (shared, acceptor) = (shared.clone(), acceptor.clone());
        tokio::spawn(async move {
            match acceptor {
                None => serve(stream, shared).await,
                // Whoever does not trust the certificate goes away here.
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream, shared).await;
                    }
                }
            }
        });
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, shared: Arc<Shared>) {
    let service = hyper::service::service_fn(|request: Request<hyper::body::Incoming>| {
        let shared = shared.clone();
        async move { answer(shared, request).await }
    });
    // A cut connection ends here with an error, which is what was asked for.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// The connection is to be dropped without an answer.
#[derive(Debug)]
struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection was cut on request")
    }
}

impl std::error::Error for Cut {}

/// Where a request goes.
enum Target {
    Api(Surface),
    Git(git_http::GitRequest),
    Admin,
    Page,
}

fn target(request: &Incoming) -> Target {
    let path = request.path.as_str();
    if path == "/api/graphql" {
        Target::Api(Surface::GraphQl)
    } else if path == "/api/v3" || path.starts_with("/api/v3/") {
        Target::Api(Surface::Rest)
    } else if path.starts_with("/_fake/") {
        Target::Admin
    } else if let Some(git) = git_http::git_request(request) {
        Target::Git(git)
    } else {
        Target::Page
    }
}

async fn answer(shared: Arc<Shared>, request: Request<hyper::body::Incoming>) -> Result<Response<Body>, Cut> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(Body::new(body), 256 << 20).await.map_err(|_| Cut)?;
    let incoming = Arc::new(Incoming {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
    });
    *locked(&shared.last_request) = Instant::now();
    match target(&incoming) {
        Target::Admin => Ok(blocking(shared, incoming, admin::answer).await),
        Target::Page => Ok(blocking(shared, incoming, pages::answer).await),
        Target::Api(surface) => travel(shared, incoming, surface, None).await,
        Target::Git(git) => travel(shared, incoming, Surface::Git, Some(git)).await,
    }
}

async fn blocking(
    shared: Arc<Shared>,
    incoming: Arc<Incoming>,
    answer: fn(&Arc<Shared>, &Incoming) -> Reply,
) -> Response<Body> {
    let done = tokio::task::spawn_blocking(move || answer(&shared, &incoming)).await;
    respond(done.unwrap_or_else(|_| Refusal::new(500, "the fake failed on this request").into_reply()))
}

/// A request of one of the recorded surfaces: through the faults, to its answer, into the record.
async fn travel(
    shared: Arc<Shared>,
    incoming: Arc<Incoming>,
    surface: Surface,
    git: Option<git_http::GitRequest>,
) -> Result<Response<Body>, Cut> {
    let effect = strike(&mut locked(&shared.faults), &incoming.method, &incoming.path, &incoming.body);
    let mut exchange = begun(&incoming, surface, effect.as_ref());
    match &effect {
        Some(Effect::CutBefore) => {
            shared.recorder.keep(exchange);
            return Err(Cut);
        }
        Some(Effect::Hang) => return unanswered(&shared, exchange).await,
        Some(Effect::DelayBefore { milliseconds }) => {
            tokio::time::sleep(Duration::from_millis(*milliseconds)).await;
        }
        Some(Effect::HoldBefore) => held(&shared).await,
        _ => {}
    }
    let mut reply = if let Some(reply) = injected(effect.as_ref()) {
        reply
    } else {
        let reply = acted(&shared, &incoming, surface, git, &mut exchange).await;
        instead(effect.as_ref()).unwrap_or(reply)
    };
    if surface != Surface::Git {
        common_headers(&locked(&shared.world).site, &mut reply);
    }
    match &effect {
        Some(Effect::CutAfter) => {
            shared.recorder.keep(exchange);
            return Err(Cut);
        }
        Some(Effect::HangAfter) => return unanswered(&shared, exchange).await,
        Some(Effect::DelayAfter { milliseconds }) => {
            tokio::time::sleep(Duration::from_millis(*milliseconds)).await;
        }
        Some(Effect::HoldAfter) => held(&shared).await,
        _ => {}
    }
    exchange.status = Some(reply.status);
    if let ReplyBody::Json(body) = &reply.body {
        exchange.response_body = without_token(body.clone());
    }
    let response = respond(reply);
    exchange.response_headers = recorded(response.headers());
    shared.recorder.keep(exchange);
    Ok(response)
}

/// Waits until no fault is armed, and is counted meanwhile.
async fn held(shared: &Shared) {
    struct Counted<'a>(&'a AtomicUsize);
    impl Drop for Counted<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
    shared.held.fetch_add(1, Ordering::Relaxed);
    // A client that goes away is not held any more.
    let _counted = Counted(&shared.held);
    while !locked(&shared.faults).is_empty() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The record says that there was no answer, and there is none until the client goes away.
async fn unanswered(shared: &Shared, exchange: Exchange) -> Result<Response<Body>, Cut> {
    shared.recorder.keep(exchange);
    match std::future::pending::<Infallible>().await {}
}

fn begun(incoming: &Incoming, surface: Surface, effect: Option<&Effect>) -> Exchange {
    let path = match surface {
        Surface::Rest => incoming.path.strip_prefix("/api/v3").unwrap_or(&incoming.path),
        _ => &incoming.path,
    };
    // Known before it is acted on, so that faults and refused callers are recorded under their operation too.
    let operation = match surface {
        Surface::Rest => find(&incoming.method, path).map(|(operation, _)| operation),
        _ => None,
    };
    let graphql = (surface == Surface::GraphQl).then(|| "/graphql".to_owned());
    Exchange {
        surface,
        method: incoming.method.clone(),
        path: path.to_owned(),
        query: incoming.query.clone(),
        route: operation.map(Operation::template).or(graphql),
        login: None,
        permission: operation.map(Operation::accepted).filter(|needs| !needs.is_empty()),
        signed: operation.is_some_and(Operation::is_signed),
        request_headers: recorded(&incoming.headers),
        request_body: if surface == Surface::Git { Value::Null } else { json_of(&incoming.body) },
        status: None,
        response_headers: BTreeMap::new(),
        response_body: Value::Null,
        fault: effect.and_then(|effect| serde_json::to_string(effect).ok()),
    }
}

/// The answer that a fault gives in place of acting.
fn injected(effect: Option<&Effect>) -> Option<Reply> {
    match effect? {
        Effect::Status { status, body, headers } => Some(given(*status, body, headers)),
        Effect::SecondaryLimit { retry_after } => {
            let message =
                "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
            Some(Refusal::new(403, message).header("retry-after", retry_after.to_string()).into_reply())
        }
        _ => None,
    }
}

/// The answer that a fault gives in place of the real one, after acting.
fn instead(effect: Option<&Effect>) -> Option<Reply> {
    match effect? {
        Effect::StatusAfter { status, body, headers } => Some(given(*status, body, headers)),
        _ => None,
    }
}

fn given(status: u16, body: &Value, headers: &BTreeMap<String, String>) -> Reply {
    let mut reply = Reply::json(status, body.clone());
    if body.is_null() {
        reply.body = ReplyBody::Bytes("text/html", b"<html><body>Unicorn!</body></html>".to_vec());
    }
    reply.headers = headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect();
    reply
}

async fn acted(
    shared: &Arc<Shared>,
    incoming: &Arc<Incoming>,
    surface: Surface,
    git: Option<git_http::GitRequest>,
    exchange: &mut Exchange,
) -> Reply {
    if let Some(git) = git {
        let (reply, login) = git_http::answer(shared, incoming, &git).await;
        exchange.login = login;
        exchange.permission = Some(format!("contents={}", if git.writes { "write" } else { "read" }));
        return reply;
    }
    let (sharing, request) = (shared.clone(), incoming.clone());
    let done = tokio::task::spawn_blocking(move || {
        let mut world = locked(&sharing.world);
        if surface == Surface::Rest {
            let done = dispatch::answer(&mut world, &request);
            (done.reply, done.login, None)
        } else {
            let (reply, login, needs) = graphql::answer(&mut world, &request);
            (reply, login, needs)
        }
    });
    match done.await {
        Ok((reply, login, needs)) => {
            exchange.login = login;
            exchange.permission = needs.or(exchange.permission.take());
            reply
        }
        Err(_) => Refusal::new(500, "the fake failed on this request").into_reply(),
    }
}

/// Headers that every API answer has.
fn common_headers(site: &Site, reply: &mut Reply) {
    if let Some(enterprise) = &site.enterprise {
        enterprise.mark(reply);
    }
    let limits = site.limits;
    let used = limits.limit.saturating_sub(limits.remaining);
    for (name, value) in [
        ("x-github-media-type", "github.v3; format=json".to_owned()),
        ("x-github-request-id", "FAKE:0000".to_owned()),
        ("x-github-api-version-selected", "2022-11-28".to_owned()),
        ("x-ratelimit-limit", limits.limit.to_string()),
        ("x-ratelimit-remaining", limits.remaining.to_string()),
        ("x-ratelimit-reset", limits.reset.as_second().to_string()),
        ("x-ratelimit-used", used.to_string()),
        ("x-ratelimit-resource", "core".to_owned()),
    ] {
        if !reply.headers.iter().any(|(given, _)| given == name) {
            reply.headers.push((name.to_owned(), value));
        }
    }
}

/// An answer as HTTP.
pub(crate) fn respond(reply: Reply) -> Response<Body> {
    let mut builder = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        builder = builder.header(name, value);
    }
    let response = match reply.body {
        ReplyBody::Empty => builder.body(Body::empty()),
        ReplyBody::Json(body) => builder
            .header("content-type", "application/json; charset=utf-8")
            .body(Body::from(body.to_string())),
        ReplyBody::Bytes("", bytes) => builder.body(Body::from(bytes)),
        ReplyBody::Bytes(kind, bytes) => builder.header("content-type", kind).body(Body::from(bytes)),
    };
    response.unwrap_or_else(|_| Response::new(Body::from(json!({ "message": "bad header" }).to_string())))
}
