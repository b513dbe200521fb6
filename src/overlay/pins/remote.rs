//! Remote Kustomize resources: what of `https://github.com/acme/base//app?ref=v1.8.0&timeout=90s` is a version.
//!
//! Only the ref moves; the URL, its path and the rest of its query stay as the target has them.

/// A remote resource with a ref, taken apart around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemoteRef<'t> {
    /// The URL without its query: what the resource is.
    pub url: &'t str,
    /// The ref as written, possibly empty.
    pub reference: &'t str,
    before: &'t str,
    after: &'t str,
}

impl<'t> RemoteRef<'t> {
    /// Takes a resource apart, or returns nothing where it names no ref.
    ///
    /// Kustomize reads `ref`, and `version` where there is no `ref` (its `api/internal/git/repospec.go`).
    pub fn parse(text: &'t str) -> Option<Self> {
        let (url, query) = text.split_once('?')?;
        if url.is_empty() {
            return None;
        }
        ["ref=", "version="].iter().find_map(|name| {
            let mut at = url.len() + 1;
            for part in query.split('&') {
                if let Some(reference) = part.strip_prefix(name) {
                    let before = text.get(..at + name.len())?;
                    let after = text.get(at + part.len()..)?;
                    return Some(Self { url, reference, before, after });
                }
                at += part.len() + 1;
            }
            None
        })
    }

    /// The same resource at another ref.
    pub fn at(&self, reference: &str) -> String {
        format!("{}{reference}{}", self.before, self.after)
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        reason = "tests may"
    )]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_ref_changes_and_the_rest_of_the_query_stays() {
        let table = [
            ("github.com/a/b?ref=v1", "github.com/a/b", "v1", "github.com/a/b?ref=NEW"),
            ("https://x/a//p?ref=v1&x=y", "https://x/a//p", "v1", "https://x/a//p?ref=NEW&x=y"),
            ("https://x/a//p?timeout=9&ref=v1", "https://x/a//p", "v1", "https://x/a//p?timeout=9&ref=NEW"),
            ("git@x:a/b.git?ref=release/1", "git@x:a/b.git", "release/1", "git@x:a/b.git?ref=NEW"),
            ("x/a?version=v1&ref=v2", "x/a", "v2", "x/a?version=v1&ref=NEW"),
            ("x/a?version=v1", "x/a", "v1", "x/a?version=NEW"),
            ("x/a?ref=", "x/a", "", "x/a?ref=NEW"),
        ];
        for (text, url, reference, moved) in table {
            let remote = RemoteRef::parse(text).unwrap();
            assert_eq!((remote.url, remote.reference), (url, reference), "{text}");
            assert_eq!(remote.at("NEW"), moved);
        }
    }

    #[test]
    fn local_paths_and_urls_without_a_ref_are_not_pinned() {
        for text in
            ["", "../base", "deployment.yaml", "https://x/a//p", "x?timeout=9", "x?href=v1", "?ref=v1"]
        {
            assert_eq!(RemoteRef::parse(text), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_same_ref_gives_the_same_text(text in "(\\PC|[?&=ref]){0,30}") {
            if let Some(remote) = RemoteRef::parse(&text) {
                prop_assert_eq!(remote.at(remote.reference), text.clone());
            }
        }
    }
}
