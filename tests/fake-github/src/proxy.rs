//! A forward proxy for tests: `CONNECT` for https, absolute addresses for http.
//!
//! It keeps a record of which authorities were asked for and with what headers, and may demand a password, refuse,
//! wait, or cut. It knows by name the few servers it was told of, and connects to nothing but loopback.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::server::locked;

/// What a proxy does with every request.
#[derive(Clone, Debug, Default)]
pub enum Manner {
    /// Passes it on.
    #[default]
    Open,
    /// Passes it on for who gives this `user:password`; answers 407 to others.
    Password(String),
    /// Answers with this status.
    Refuse(u16),
    /// Passes it on after a while.
    Slow(Duration),
    /// Drops the connection without an answer.
    Cut,
}

/// One request that a proxy was asked to pass on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `CONNECT`, or the method of a request in clear.
    pub method: String,
    /// `host:port` of the server that was asked for.
    pub authority: String,
    /// The headers that the proxy could read, names in lower case.
    pub headers: BTreeMap<String, String>,
}

struct Shared {
    manner: Manner,
    servers: BTreeMap<String, u16>,
    asked: Mutex<Vec<Asked>>,
}

/// A running proxy; stops when dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Proxy {
    /// Starts on a free port of the loopback interface. `servers` are the addresses it leads to, of whatever host:
    /// each is looked for on loopback, on the port it names.
    pub fn start(manner: Manner, servers: &[&str]) -> anyhow::Result<Self> {
        let socket = std::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        let mut known = BTreeMap::new();
        for server in servers {
            let (_, authority) = server.split_once("://").unwrap_or(("", server));
            let port = authority.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
            known.insert(
                authority.to_owned(),
                port.ok_or_else(|| anyhow::anyhow!("`{server}` names no port"))?,
            );
        }
        let shared = Arc::new(Shared { manner, servers: known, asked: Mutex::default() });
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let passing = shared.clone();
        let thread = std::thread::Builder::new().name("proxy".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = TcpListener::from_std(socket) else { return };
                tokio::select! {
                    () = accept(listener, passing) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { address, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Its address, `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its host and port.
    #[must_use]
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// Its address with a user and a password, percent-encoded where need be.
    #[must_use]
    pub fn url_with(&self, user: &str, password: &str) -> String {
        format!("http://{user}:{password}@{}", self.address)
    }

    /// Everything it was asked for, oldest first.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        locked(&self.shared.asked).clone()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let shared = shared.clone();
        // A broken connection is the client's to notice.
        tokio::spawn(async move {
            let _ = pass(stream, &shared).await;
        });
    }
}

/// Reads one request's head, and passes on what follows until either side ends.
async fn pass(mut client: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let (head, rest) = head(&mut client).await?;
    let Some((asked, request)) = read(&head) else { return answer(&mut client, 400).await };
    locked(&shared.asked).push(asked.clone());
    match &shared.manner {
        Manner::Open => {}
        Manner::Cut => return Ok(()),
        Manner::Refuse(status) => return answer(&mut client, *status).await,
        Manner::Slow(wait) => tokio::time::sleep(*wait).await,
        Manner::Password(pair) => {
            let due = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
            if asked.headers.get("proxy-authorization") != Some(&due) {
                return answer(&mut client, 407).await;
            }
        }
    }
    let Some(port) = shared.servers.get(&asked.authority) else { return answer(&mut client, 502).await };
    let mut server = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, *port))).await?;
    server.set_nodelay(true)?;
    match request {
        None => client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?,
        Some(request) => server.write_all(request.as_bytes()).await?,
    }
    server.write_all(&rest).await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

/// The bytes up to the empty line, and those that came with them.
async fn head(client: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = bytes.split_off(at + 4);
            return Ok((String::from_utf8_lossy(&bytes).into_owned(), rest));
        }
        if client.read_buf(&mut bytes).await? == 0 || bytes.len() > 64 << 10 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// What a head asks for; for a request in clear also the head that its server gets: an origin's, on a connection that
/// ends with it, so that the next request comes to the proxy again.
fn read(head: &str) -> Option<(Asked, Option<String>)> {
    let mut lines = head.trim_end().split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let pairs: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(": ")).collect();
    let headers = pairs.iter().map(|(name, value)| (name.to_lowercase(), (*value).to_owned())).collect();
    let asked =
        |authority: &str| Asked { method: method.to_owned(), authority: authority.to_owned(), headers };
    if method == "CONNECT" {
        return Some((asked(target), None));
    }
    let (authority, path) = target.strip_prefix("http://")?.split_once('/')?;
    let mut request = format!("{method} /{path} HTTP/1.1\r\nconnection: close\r\n");
    for (name, value) in pairs {
        if !["connection", "proxy-authorization", "proxy-connection"].contains(&name.to_lowercase().as_str())
        {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    request.push_str("\r\n");
    Some((asked(authority), Some(request)))
}

async fn answer(client: &mut TcpStream, status: u16) -> std::io::Result<()> {
    let more = if status == 407 { "Proxy-Authenticate: Basic realm=\"proxy\"\r\n" } else { "" };
    let text = format!(
        "HTTP/1.1 {status} The proxy says so\r\n{more}Content-Length: 0\r\nConnection: close\r\n\r\n"
    );
    client.write_all(text.as_bytes()).await
}
