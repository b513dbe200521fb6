//! Edge: what does git have? The server's refs, and the history behind them.
//!
//! Reads the server by smart HTTP and, where it is whole, the checkout the runner left. It never
//! writes to the checkout (`.git` included), never pushes, reads no git configuration of the
//! machine, and sends the token to no host but the server's. libgit2's types stay inside.
//!
//! Everything here blocks: call it from `spawn_blocking`, never from async code itself.

mod checkout;
mod graph;
mod history;
mod listing;
mod log;
mod object;
mod remote;
mod store;
mod transport;
mod tree;

use std::sync::OnceLock;

use git2::{ConfigLevel, ErrorClass, ErrorCode, Oid};

pub use history::History;
pub use listing::{ListedTag, Listing};
pub use log::Truncated;
pub use object::{CommitInfo, TagInfo};
pub use remote::Remote;
pub use tree::TreeFile;

use crate::failure::{Failure, Kind, Result};
use crate::names::CommitSha;

/// A ref whose history is needed, and what the listing said it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The full name: `refs/heads/main`.
    pub reference: String,
    /// The commit (or tag object) it showed.
    pub sha: CommitSha,
}

/// Sets libgit2's process-wide options, once, before anything is opened.
fn prepare() -> Result<()> {
    static DONE: OnceLock<Result<(), git2::Error>> = OnceLock::new();
    match DONE.get_or_init(set_global_options) {
        Ok(()) => Ok(()),
        Err(error) => Err(because(Failure::new(Kind::Machine, "libgit2 cannot be set up"), error)),
    }
}

#[allow(
    unsafe_code,
    reason = "libgit2's options and transports are globals without a lock of their own: \
              they are set here only, once, before any other call"
)]
fn set_global_options() -> Result<(), git2::Error> {
    // SAFETY: `prepare` runs this at most once, and every use of libgit2 begins with `prepare`.
    unsafe {
        // The container runs as root, the workspace belongs to the runner's user.
        git2::opts::set_verify_owner_validation(false)?;
        // The machine's own configuration (`insteadOf`, includes, hooks) must not change a plan.
        for level in [ConfigLevel::ProgramData, ConfigLevel::System, ConfigLevel::XDG, ConfigLevel::Global] {
            git2::opts::set_search_path(level, "")?;
        }
        // Trees are looked at once or twice; libgit2 would keep up to 256 MB of them.
        git2::opts::set_cache_max_size(16 * 1024 * 1024)?;
        git2::transport::register("http", transport::for_remote)?;
        git2::transport::register("https", transport::for_remote)
    }
}

/// Adds libgit2's words to a failure.
fn because(failure: Failure, error: &git2::Error) -> Failure {
    failure.because(anyhow::anyhow!("{error}"))
}

/// libgit2's id of a commit.
fn oid(sha: &CommitSha) -> Result<Oid> {
    Oid::from_str(sha.as_str()).map_err(|error| {
        let failure = Failure::new(Kind::Git, format!("`{sha}` is not a SHA-1 commit id"));
        because(failure.hinted("repositories with SHA-256 objects are not supported yet"), &error)
    })
}

/// Our id of a libgit2 object.
fn sha(oid: Oid) -> Result<CommitSha> {
    CommitSha::parse(&oid.to_string())
}

/// An error that libgit2 passes on for us.
fn passed_on(message: &str) -> git2::Error {
    git2::Error::new(ErrorCode::GenericError, ErrorClass::Net, message.replace('\0', ""))
}
