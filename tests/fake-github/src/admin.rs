//! The admin API.
use crate::rest::{Refusal, Reply};
use crate::server::{Incoming, Shared};

/// Answers `/_fake/…`.
pub(crate) fn answer(_: &Shared, _: &Incoming) -> Reply {
    Refusal::not_found().into_reply()
}
