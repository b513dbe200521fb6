//! What an older GitHub Enterprise Server does not have yet, by its version.
//!
//! Its versions follow GitHub's own schema by weeks: `updateRefs` came to it in April 2024, after 3.12 was out;
//! `X-Accepted-GitHub-Permissions` was announced in August 2023, after 3.10. Drafts and auto-merge are older than any
//! version in use.

use anyhow::Context as _;

use crate::rest::Reply;

/// A version of GitHub Enterprise Server.
#[derive(Clone, Debug)]
pub(crate) struct Enterprise {
    version: String,
    minor: (u32, u32),
}

impl Enterprise {
    pub fn parse(version: &str) -> anyhow::Result<Self> {
        let mut parts = version.split('.').map(str::parse);
        let (Some(Ok(major)), Some(Ok(minor)), Some(Ok(_)), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None.with_context(|| format!("`{version}` is no version such as `3.17.0`"));
        };
        Ok(Self { version: version.to_owned(), minor: (major, minor) })
    }

    /// Whether its schema has the mutation `updateRefs`.
    pub fn has_update_refs(&self) -> bool {
        self.minor >= (3, 13)
    }

    /// Marks an answer as one of this version.
    pub fn mark(&self, reply: &mut Reply) {
        if self.minor < (3, 11) {
            reply.headers.retain(|(name, _)| name != "x-accepted-github-permissions");
        }
        reply.headers.push(("x-github-enterprise-version".to_owned(), self.version.clone()));
    }
}
