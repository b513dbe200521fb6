//! Pages for a person.
use crate::rest::{Refusal, Reply};
use crate::server::{Incoming, Shared};

/// Answers with a page.
pub(crate) fn answer(_: &Shared, _: &Incoming) -> Reply {
    Refusal::not_found().into_reply()
}
