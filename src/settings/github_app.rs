//! The GitHub App that mints the token that writes, by the inputs `app-id` and `private-key`.
//!
//! A GitHub App is not what the rest of these settings call an app.

use super::private_key::PrivateKey;
use super::values::{Parsed, Wrong};
use crate::failure::{Place, Problem};

/// The longest id; GitHub's own have 20 characters.
const LONGEST: usize = 64;

/// A GitHub App, as it proves to be itself.
#[derive(Debug, Clone)]
pub struct GitHubApp {
    /// Its id or its client id; GitHub takes either.
    pub id: String,
    /// What it signs with.
    pub key: PrivateKey,
}

/// An App's id, `12345`, or its client id, `Iv23li…`. The text is not shown: a key may be in the wrong place.
pub(super) fn id(text: &str) -> Parsed<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if text.len() <= LONGEST && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    Err(Wrong::new("this is not the id of a GitHub App")
        .hinted("its page shows two, `App ID` and `Client ID`; either will do"))
}

/// Where each of the three inputs that name who writes was given.
pub(super) struct Given {
    pub(super) id: Option<Place>,
    pub(super) key: Option<Place>,
    pub(super) token: Option<Place>,
}

impl Given {
    /// What is wrong with them together: an App needs both of its inputs, and no other token beside it.
    pub(super) fn problem(self) -> Option<Problem> {
        let (place, message, hint) = match (self.id, self.key, self.token) {
            (Some(_), _, Some(place)) | (_, Some(_), Some(place)) => (
                place,
                "the App of `app-id` and `private-key` mints the token that this would be",
                "give either this token, or the two inputs of the App",
            ),
            (Some(place), None, None) => (
                place,
                "the App signs with its key, and `private-key` is not given",
                "give `private-key` the App's key, as in `private-key: ${{ secrets.PROMOTE_PRIVATE_KEY }}`; a secret \
                 that is not there, or that this event may not read, is empty",
            ),
            (None, Some(place), None) => (
                place,
                "it is the key of an App, and `app-id` is not given",
                "give `app-id` the App's id or client id, as in `app-id: ${{ vars.PROMOTE_CLIENT_ID }}`; a variable \
                 that is not there is empty",
            ),
            _ => return None,
        };
        Some(Problem { place: Some(place), message: message.to_owned(), hints: vec![hint.to_owned()] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_number_or_a_client_id() {
        for good in ["12345", "Iv1.8a61f9b3a7aba766", "Iv23liGpD9h1sZxYQbCd"] {
            assert_eq!(id(good).as_deref(), Ok(good));
        }
        for bad in ["my app", "-----BEGIN RSA PRIVATE KEY-----\nMIIE", "MIIEpAIBAAKCAQEA+/", &"a".repeat(65)]
        {
            let told = format!("{:?}", id(bad));
            assert!(
                told.contains("is not the id") && !told.contains(bad) && !told.contains("MIIE"),
                "{told}"
            );
        }
    }
}
