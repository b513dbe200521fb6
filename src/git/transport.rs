//! Smart HTTP for libgit2, by the program's own HTTP client.
//!
//! libgit2 is built without TLS. It asks this transport for the list of refs, which is answered from
//! what [`super::Remote`] already read, and for packs, which are streamed from the server. The token
//! goes out with every request to the server and nowhere else: redirects to another origin are not
//! followed. What went wrong is kept beside libgit2's error, which has no room for it.

use std::cell::RefCell;
use std::io::{self, Cursor, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use git2::transport::{Service, SmartSubtransport, SmartSubtransportStream, Transport};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER, USER_AGENT};
use reqwest::{RequestBuilder, Response, StatusCode};
use url::Url;

use super::passed_on;
use crate::http;
use crate::secret::Secret;

/// Servers (GitHub among them) tell git from a browser by this beginning.
const GIT_USER_AGENT: &str = concat!("git/2.0 (promote/", env!("CARGO_PKG_VERSION"), ")");

/// How the server is spoken to.
pub(super) struct Link {
    pub(super) client: http::Client,
    pub(super) runtime: tokio::runtime::Handle,
    pub(super) token: Option<Secret>,
}

/// Why a request has no usable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// An answer that is not 200, with the first line of its text, and whether a proxy may have given it.
    Status {
        code: StatusCode,
        said: Option<String>,
        proxy: Option<(String, String)>,
        /// How many seconds a rate limit asks to wait.
        limit: Option<u64>,
    },
    /// A redirect to another origin.
    Elsewhere { to: String },
    /// No answer at all.
    Unreachable(http::Trouble),
    /// The answer broke off.
    Cut { cause: String },
    /// An answer, but not git's.
    NotGit { why: String },
    /// git's own refusal, in its words.
    Refusal { said: String },
}

impl Problem {
    /// Whether the same request may do better in a moment.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Status { code, .. } => code.is_server_error() || *code == StatusCode::TOO_MANY_REQUESTS,
            Self::Unreachable(trouble) => trouble.may_pass,
            Self::Cut { .. } => true,
            Self::Elsewhere { .. } | Self::NotGit { .. } | Self::Refusal { .. } => false,
        }
    }

    /// How many seconds a rate limit asks to wait.
    pub(super) fn limit(&self) -> Option<u64> {
        match self {
            Self::Status { limit, .. } => *limit,
            _ => None,
        }
    }
}

impl Link {
    /// Reads `info/refs` below `base`; returns it with the address that answered in the end.
    pub(super) fn refs(&self, base: &Url) -> Result<(Vec<u8>, Url), Problem> {
        let mut url = below(base, "info/refs");
        url.set_query(Some("service=git-upload-pack"));
        let request = self.client.get(url.clone()).header(ACCEPT, "*/*");
        self.runtime.block_on(async {
            let mut response =
                self.answer(request, &url, "application/x-git-upload-pack-advertisement").await?;
            let moved = response.url().path().strip_suffix("/info/refs").map(|path| {
                let mut moved = response.url().clone();
                moved.set_query(None);
                moved.set_path(path);
                moved
            });
            let mut bytes = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(|error| cut(&error))? {
                bytes.extend_from_slice(&chunk);
                if bytes.len() > MAX_REFS {
                    return Err(Problem::NotGit { why: "its list of refs is longer than 256 MB".to_owned() });
                }
            }
            Ok((bytes, moved.unwrap_or_else(|| base.clone())))
        })
    }

    /// Sends one request; an answer that is not 200 and of this type is a problem.
    async fn answer(&self, request: RequestBuilder, to: &Url, expected: &str) -> Result<Response, Problem> {
        let mut request = request.header(USER_AGENT, GIT_USER_AGENT);
        if let Some(token) = &self.token {
            request = request.basic_auth("x-access-token", Some(token.expose()));
        }
        let unreachable = |error| Problem::Unreachable(self.client.trouble(&error, to, "GITHUB_SERVER_URL"));
        let response = request.send().await.map_err(unreachable)?;
        let kind = header(response.headers().get(CONTENT_TYPE));
        let code = response.status();
        if code.is_redirection() {
            let to = header(response.headers().get(LOCATION));
            let to = response.url().join(&to).ok().map(|to| to.origin().ascii_serialization());
            return Err(Problem::Elsewhere { to: to.unwrap_or_else(|| "nowhere".to_owned()) });
        }
        if code != StatusCode::OK {
            let proxy = self.client.spoken_for(to, code.as_u16());
            let after = header(response.headers().get(RETRY_AFTER)).trim().parse::<u64>().ok();
            let limited = matches!(code, StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS);
            let limit = after.filter(|_| limited).map(|after| after.max(1));
            return Err(Problem::Status { code, said: said(response, &kind).await, proxy, limit });
        }
        if kind != expected {
            let kind = kind.chars().take(80).flat_map(char::escape_debug).collect::<String>();
            return Err(Problem::NotGit { why: format!("its answer is `{kind}`, not `{expected}`") });
        }
        Ok(response)
    }
}

/// Longest list of refs taken; a million refs need about 70 MB.
const MAX_REFS: usize = 256 * 1024 * 1024;

fn cut(error: &reqwest::Error) -> Problem {
    Problem::Cut { cause: http::cause_of(error) }
}

/// `base` with more path.
fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}

fn header(value: Option<&HeaderValue>) -> String {
    String::from_utf8_lossy(value.map(HeaderValue::as_bytes).unwrap_or_default()).into_owned()
}

/// The first line of a plain-text refusal (`Write access to repository not granted.`), escaped.
async fn said(mut response: Response, kind: &str) -> Option<String> {
    if !kind.starts_with("text/plain") {
        return None;
    }
    let chunk = response.chunk().await.ok()??;
    let text = String::from_utf8_lossy(&chunk).into_owned();
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(line.chars().take(200).filter(|c| *c != '`').flat_map(char::escape_debug).collect())
}

/// One fetch: what libgit2 is told the server has, and what went wrong on the way.
pub(super) struct Exchange {
    pub(super) link: Arc<Link>,
    /// Where packs come from.
    pub(super) base: Url,
    /// The list of refs libgit2 sees.
    pub(super) refs: Vec<u8>,
    pub(super) problem: Mutex<Option<Problem>>,
}

thread_local! {
    /// libgit2 makes transports by address alone, on the thread that asked; this is for whom.
    static CURRENT: RefCell<Option<Arc<Exchange>>> = const { RefCell::new(None) };
}

/// Runs `work`, whose fetches go through `exchange`.
pub(super) fn within<T>(exchange: &Arc<Exchange>, work: impl FnOnce() -> T) -> T {
    struct Restore(Option<Arc<Exchange>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.with(|current| current.replace(self.0.take()));
        }
    }
    let _restore = Restore(CURRENT.with(|current| current.replace(Some(Arc::clone(exchange)))));
    work()
}

/// The transport libgit2 gets for every `http` and `https` address.
pub(super) fn for_remote(remote: &git2::Remote<'_>) -> Result<Transport, git2::Error> {
    let exchange = CURRENT.with(|current| current.borrow().clone());
    let exchange = exchange.ok_or_else(|| passed_on("no fetch is under way"))?;
    Transport::smart(remote, true, Subtransport(exchange))
}

struct Subtransport(Arc<Exchange>);

impl SmartSubtransport for Subtransport {
    fn action(&self, _: &str, service: Service) -> Result<Box<dyn SmartSubtransportStream>, git2::Error> {
        match service {
            Service::UploadPackLs => Ok(Box::new(Cursor::new(self.0.refs.clone()))),
            Service::UploadPack => Ok(Box::new(Pack {
                exchange: Arc::clone(&self.0),
                request: Vec::new(),
                response: None,
                chunk: Cursor::default(),
            })),
            Service::ReceivePackLs | Service::ReceivePack => Err(passed_on("nothing is ever pushed")),
        }
    }

    fn close(&self) -> Result<(), git2::Error> {
        Ok(())
    }
}

/// One request for a pack: written first, then read.
struct Pack {
    exchange: Arc<Exchange>,
    request: Vec<u8>,
    response: Option<Response>,
    chunk: Cursor<Vec<u8>>,
}

impl Pack {
    /// The next bytes of the answer; none at its end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        let Some(response) = &mut self.response else {
            let (start, response) = self.send().await?;
            self.response = Some(response);
            return Ok(Some(start));
        };
        Ok(response.chunk().await.map_err(|error| cut(&error))?.map(Vec::from))
    }

    /// Sends the request and looks at the beginning of its answer: libgit2 skips an `ERR` line where
    /// it awaits others, and would only say that the answer is too short.
    async fn send(&mut self) -> Result<(Vec<u8>, Response), Problem> {
        let Exchange { link, base, .. } = &*self.exchange;
        let to = below(base, "git-upload-pack");
        let request = link
            .client
            .post(to.clone())
            .header(CONTENT_TYPE, "application/x-git-upload-pack-request")
            .header(ACCEPT, "application/x-git-upload-pack-result")
            .body(std::mem::take(&mut self.request));
        let mut response = link.answer(request, &to, "application/x-git-upload-pack-result").await?;
        let mut start = Vec::new();
        while start.len() < 1024 {
            if start.len() >= 8 && start.get(4..8) != Some(b"ERR ") {
                break;
            }
            let Some(chunk) = response.chunk().await.map_err(|error| cut(&error))? else { break };
            start.extend_from_slice(&chunk);
        }
        if start.get(4..8) == Some(b"ERR ") {
            let said = String::from_utf8_lossy(start.get(8..).unwrap_or_default()).into_owned();
            let said = said.lines().next().unwrap_or_default();
            let said = said.chars().take(200).filter(|c| *c != '`').flat_map(char::escape_debug).collect();
            return Err(Problem::Refusal { said });
        }
        Ok((start, response))
    }
}

impl Read for Pack {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.chunk.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let exchange = Arc::clone(&self.exchange);
            match exchange.link.runtime.block_on(self.next()) {
                Ok(Some(chunk)) => self.chunk = Cursor::new(chunk),
                Ok(None) => return Ok(0),
                Err(problem) => {
                    *exchange.problem.lock().unwrap_or_else(PoisonError::into_inner) = Some(problem);
                    return Err(io::Error::other("the request failed"));
                }
            }
        }
    }
}

impl Write for Pack {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.request.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
