//! The token that an App mints for a run: once, however often the run looks, and taken back at its end.

use std::cell::OnceCell;

use crate::failure::Result;
use crate::github::app::InstallationToken;
use crate::github::client::Address;
use crate::http;
use crate::names::RepoSlug;
use crate::runner::commands::{Audience, mask};
use crate::settings::GitHubApp;

/// A token, once it is minted, and the server that gave it.
#[derive(Default)]
pub struct Minted(OnceCell<Given>);

struct Given {
    token: InstallationToken,
    address: Address,
    http: http::Client,
}

impl Minted {
    /// The token of this run; masked before anything else is done with it.
    ///
    /// # Errors
    /// When GitHub gives the App none.
    pub async fn token(
        &self,
        address: &Address,
        http: &http::Client,
        app: &GitHubApp,
        repository: &RepoSlug,
        audience: Audience,
    ) -> Result<&InstallationToken> {
        if let Some(given) = self.0.get() {
            return Ok(&given.token);
        }
        let token = InstallationToken::mint(address, http, app, repository).await?;
        if audience == Audience::Runner {
            mask(token.secret());
        }
        tracing::info!(app = %app.id, %repository, "an App writes: its token is for this repository alone");
        let given = Given { token, address: address.clone(), http: http.clone() };
        Ok(&self.0.get_or_init(|| given).token)
    }

    /// Takes the token back, if there is one.
    pub async fn revoke(self) {
        if let Some(given) = self.0.into_inner() {
            given.token.revoke(&given.address, &given.http).await;
        }
    }
}
