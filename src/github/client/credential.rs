//! What a client shows GitHub, and the next act where GitHub does not take it: each its own.
//!
//! The secret itself is not here.

use http::StatusCode;

use crate::names::RepoSlug;

/// What a client shows GitHub.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A token that this input gave.
    Input(&'static str),
    /// The signature of an App, by its id or client id, that asks for a token of its installation on a repository.
    Signature {
        /// The App.
        app: String,
        /// Where it is to be installed.
        repository: RepoSlug,
    },
    /// A token that the installation of an App gave.
    Installation {
        /// The App, by the name in its address.
        app: String,
        /// The page where the installation's permissions are accepted.
        page: Option<String>,
    },
}

impl Credential {
    /// What was given, where it is no token: ``input `token` ``.
    pub(super) fn given(&self) -> String {
        match self {
            Self::Input(input) => format!("input `{input}`"),
            Self::Signature { app, .. } => format!("the signature of the App `{app}`"),
            Self::Installation { app, .. } => format!("what GitHub gave the App `{app}`"),
        }
    }

    /// The next act where GitHub does not know it, or takes it no more (401).
    pub(super) fn when_unknown(&self, said: &str) -> String {
        match self {
            Self::Input(input) => {
                format!("input `{input}` is not valid here; `${{{{ github.token }}}}` is the job's own token")
            }
            Self::Signature { .. } if said.contains("'exp'") || said.contains("'iat'") => {
                "set this machine's clock: by it, the App's signature is not of this moment".to_owned()
            }
            Self::Signature { app, .. } => format!(
                "`private-key` must be a key that the page of the App `{app}` gave and still lists; if it is, set this \
                 machine's clock"
            ),
            Self::Installation { app, .. } => format!(
                "the token of the App `{app}` is taken no more: it ends after an hour, and with the App's installation; \
                 run it again"
            ),
        }
    }

    /// The next act where it may not (403); `asked` is the permission, as people read it.
    pub(super) fn when_forbidden(&self, asked: &str) -> String {
        match self {
            Self::Input(input) => format!(
                "grant {asked} to the token of input `{input}`: for the job's own token, under `permissions:` of the job"
            ),
            Self::Signature { app, repository } => format!(
                "if the App `{app}` is suspended, an owner of `{}` lifts that under Settings → GitHub Apps, or the \
                 App's owner on its own page",
                repository.owner
            ),
            Self::Installation { .. } => format!("grant {asked} to {}", self.grantee()),
        }
    }

    /// The next act where something is not there for it (404, or 422 of a signature); `needs` is the permission to see it.
    pub(super) fn when_unseen(&self, said: &str, needs: &str) -> String {
        match self {
            Self::Input(input) => {
                format!(
                    "it does not exist, or the token of input `{input}` may not see it (it needs `{needs}`)"
                )
            }
            // Of an id that is nobody's.
            Self::Signature { app, .. } if said.contains("Integration not found") => {
                format!(
                    "`{app}` is no App here: the App's page shows what `app-id` must be, `App ID` or `Client ID`"
                )
            }
            Self::Signature { app, repository } => format!(
                "install the App `{app}` on `{repository}`: on the App's page, under Install App, choose `{}`, and among \
                 its repositories `{}`",
                repository.owner, repository.name
            ),
            Self::Installation { app, .. } => {
                format!("it does not exist, or the App `{app}` may not see it (it needs `{needs}`)")
            }
        }
    }

    /// The next act of a status that only an App's signature meets with.
    pub(super) fn when_refused(&self, status: StatusCode, said: &str) -> Option<String> {
        let unseen = matches!(self, Self::Signature { .. }) && status == StatusCode::UNPROCESSABLE_ENTITY;
        unseen.then(|| self.when_unseen(said, ""))
    }

    /// Whose its token is: ``input `token` ``, ``the App `promoter` ``.
    pub fn source(&self) -> String {
        match self {
            Self::Input(input) => format!("input `{input}`"),
            Self::Signature { app, .. } | Self::Installation { app, .. } => format!("the App `{app}`"),
        }
    }

    /// Whom a permission is granted to, and how.
    pub fn grantee(&self) -> String {
        match self {
            Self::Installation { app, page } => format!(
                "the App `{app}` (on its page, under Permissions), and accept it for its installation{}",
                page.as_ref().map_or_else(String::new, |page| format!(": {page}"))
            ),
            _ => "this token".to_owned(),
        }
    }
}
