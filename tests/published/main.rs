//! What GitHub published of itself, read by promote: payloads of events, recordings of real answers, and the examples
//! of its description. All else here is tested on a GitHub of our own making; this cannot be wrong in our way.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests may"
)]

mod answers;
mod events;
mod recordings;
mod replay;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use promote::github::client::{Address, Client, Credential};
use promote::github::{GitHub, Tokens, Writer};
use promote::names::RepoSlug;
use promote::secret::Secret;
use serde_json::Value;
use tokio::runtime::Runtime;

/// A file or folder of Octokit's packages.
fn package(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract/node_modules/@octokit").join(path)
}

fn json_of(path: &Path) -> Value {
    let bytes = std::fs::read(path).unwrap_or_else(|error| {
        panic!("{}: {error}; `npm ci --prefix tests/contract` installs it", path.display())
    });
    serde_json::from_slice(&bytes).unwrap()
}

fn address(url: &str) -> Address {
    Address { rest: url.to_owned(), graphql: format!("{url}/graphql") }
}

/// One for all tests: a client's work goes on behind its requests.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

fn http() -> promote::http::Client {
    promote::http::Client::new(
        &std::collections::BTreeMap::new(),
        std::time::Duration::from_secs(30),
        std::time::Duration::ZERO,
    )
    .unwrap()
}

fn github(url: &str, slug: &str) -> GitHub {
    let _inside = RUNTIME.enter();
    let token = Secret::new("ghs_published");
    let tokens = Tokens { token: &token, writer: Writer::Reader };
    GitHub::new(&address(url), &tokens, RepoSlug::parse(slug).unwrap(), &http()).unwrap()
}

fn client(url: &str) -> Client {
    let _inside = RUNTIME.enter();
    Client::new(&address(url), &Secret::new("ghs_published"), Credential::Input("token"), http()).unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.block_on(future)
}
