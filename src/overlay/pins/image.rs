//! Image references: what of `ghcr.io:443/acme/agent:v1.8.0@sha256:…` is a version, and what is a place.
//!
//! Registries and repositories belong to an environment, tag and digest to a release; nothing here
//! ever carries the former from one overlay to another.

/// A one-string image reference, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageReference<'t> {
    /// Host, port and path: everything that is no version.
    pub repository: &'t str,
    /// The tag, where there is one.
    pub tag: Option<&'t str>,
    /// The digest with its algorithm, where there is one.
    pub digest: Option<&'t str>,
}

impl<'t> ImageReference<'t> {
    /// Takes a reference apart, or returns nothing where the text is none (a template, a URL, a sentence).
    ///
    /// The grammar is that of the distribution project, but for letters' case, which it leaves to registries.
    pub fn parse(text: &'t str) -> Option<Self> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        let (repository, tag) = match name.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
            _ => (name, None),
        };
        let legal = is_repository(repository) && tag.is_none_or(is_tag) && digest.is_none_or(is_digest);
        legal.then_some(Self { repository, tag, digest })
    }

    /// The version-bearing text alone (`v1.8.0`, `v1.8.0@sha256:…` or `sha256:…`), or nothing where there is none.
    pub fn version(&self) -> Option<String> {
        match (self.tag, self.digest) {
            (Some(tag), Some(digest)) => Some(format!("{tag}@{digest}")),
            (Some(only), None) | (None, Some(only)) => Some(only.to_owned()),
            (None, None) => None,
        }
    }

    /// This repository with the tag and digest of `other`.
    pub fn with_version_of(&self, other: &ImageReference<'_>) -> String {
        let mut text = self.repository.to_owned();
        if let Some(tag) = other.tag {
            text.extend([":", tag]);
        }
        if let Some(digest) = other.digest {
            text.extend(["@", digest]);
        }
        text
    }
}

/// A reference with the name of the image that it replaces in front, as `kustomize edit set image` and Argo CD take
/// it: `agent=ghcr.io/acme/agent:v1`. `*` for the repository means the one that is there.
pub fn named_image(text: &str) -> Option<(Option<&str>, ImageReference<'_>)> {
    let (name, reference) = match text.split_once('=') {
        Some((name, reference)) => (Some(name).filter(|name| !name.is_empty()), reference),
        None => (None, text),
    };
    if name.is_none() && text.contains('=') {
        return None;
    }
    let whole = match reference.strip_prefix('*') {
        // Any repository will do to take the rest apart.
        Some(rest) if name.is_some() && rest.starts_with([':', '@']) => {
            let (tag, digest) = tag_and_digest(rest.trim_start_matches([':', '@']));
            ImageReference { repository: "*", tag, digest }
        }
        _ => ImageReference::parse(reference)?,
    };
    Some((name, whole))
}

/// A reference, with or without a name in front, that has the tag and digest of another.
pub fn at_version(text: &str, version: &str) -> Option<String> {
    let (tag, digest) = tag_and_digest(version);
    let (name, image) = named_image(text)?;
    let moved = image.with_version_of(&ImageReference { repository: "", tag, digest });
    Some(name.map_or(moved.clone(), |name| format!("{name}={moved}")))
}

/// Tag and digest of a version-bearing text as [`ImageReference::version`] writes it; an empty one has neither.
pub fn tag_and_digest(version: &str) -> (Option<&str>, Option<&str>) {
    let (tag, digest) = match version.split_once('@') {
        Some((tag, digest)) if is_digest(digest) => (tag, digest),
        _ if is_digest(version) => ("", version),
        _ => (version, ""),
    };
    (Some(tag).filter(|tag| !tag.is_empty()), Some(digest).filter(|digest| !digest.is_empty()))
}

/// The two parts of `v1.8.0@sha256:…`, which charts take for a tag; nothing where a text is not both.
pub fn tagged(text: &str) -> Option<(&str, &str)> {
    text.split_once('@').filter(|(tag, digest)| is_tag(tag) && is_digest(digest))
}

/// Whether two repositories name one image, as far as their texts can tell.
///
/// Charts put registries in front of what values say (`acme/agent` runs as `ghcr.io/acme/agent`), so
/// one may be the end of the other.
pub fn is_one_image(a: &str, b: &str) -> bool {
    a.rsplit('/').zip(b.rsplit('/')).all(|(a, b)| a == b)
}

/// Whether the last path elements of two repositories are equal: mirrors of an app are, a sidecar is not.
pub fn has_one_name(a: &str, b: &str) -> bool {
    last_element(a) == last_element(b)
}

fn last_element(repository: &str) -> &str {
    repository.trim_end_matches('/').rsplit('/').next().unwrap_or(repository)
}

fn is_repository(text: &str) -> bool {
    let (host, path) = match text.split_once('/') {
        Some((host, path)) => (Some(host), path),
        None => (None, text),
    };
    host.is_none_or(is_host) && path.split('/').all(is_path_element)
}

fn is_host(text: &str) -> bool {
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    is_path_element(name)
        && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

fn is_path_element(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// Whether an image can have such a tag.
pub fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// Whether a text is a digest with its algorithm.
pub fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, hex)| {
        !algorithm.is_empty()
            && algorithm.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+'))
            && !hex.is_empty()
            && hex.bytes().all(|b| b.is_ascii_hexdigit())
    })
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
    fn a_reference_is_a_place_and_a_version() {
        let table = [
            ("nginx", ("nginx", None, None)),
            ("nginx:1.27", ("nginx", Some("1.27"), None)),
            ("localhost:5000/app", ("localhost:5000/app", None, None)),
            ("localhost:5000/app:v1", ("localhost:5000/app", Some("v1"), None)),
            ("ghcr.io/acme/app@sha256:0ab1", ("ghcr.io/acme/app", None, Some("sha256:0ab1"))),
            ("r.io:443/a/b_c:v1.8.0@sha256:ff", ("r.io:443/a/b_c", Some("v1.8.0"), Some("sha256:ff"))),
        ];
        for (text, (repository, tag, digest)) in table {
            assert_eq!(
                ImageReference::parse(text),
                Some(ImageReference { repository, tag, digest }),
                "{text}"
            );
        }
    }

    #[test]
    fn templates_urls_and_sentences_are_no_references() {
        for text in [
            "",
            ":v1",
            "app:",
            "app@",
            "{{ .Values.image }}:v1",
            "https://example.com/a:b",
            "a b:c",
            "app:v1@v2",
            "a//b:v1",
            "-a:v1",
            "app:a/b:",
            "./app:v1",
        ] {
            assert_eq!(ImageReference::parse(text), None, "{text}");
        }
    }

    #[test]
    fn only_tag_and_digest_move_the_registry_stays() {
        let table = [
            ("stage.io:5000/x/app:v2@sha256:bb", "prod.io/app:v1", "prod.io/app:v2@sha256:bb"),
            ("stage.io/app:v2", "prod.io/app:v1@sha256:aa", "prod.io/app:v2"),
            ("app@sha256:bb", "prod.io:1/app:v1", "prod.io:1/app@sha256:bb"),
        ];
        for (source, target, moved) in table {
            let (source, target) =
                (ImageReference::parse(source).unwrap(), ImageReference::parse(target).unwrap());
            assert_eq!(target.with_version_of(&source), moved);
        }
    }

    #[test]
    fn a_name_in_front_stays() {
        let table = [
            (
                "agent=ghcr.io/acme/agent:v1",
                Some(("agent", "ghcr.io/acme/agent")),
                "agent=ghcr.io/acme/agent:v2",
            ),
            ("acme/agent=*:v1@sha256:aa", Some(("acme/agent", "*")), "acme/agent=*:v2"),
            ("a=*@sha256:aa", Some(("a", "*")), "a=*:v2"),
            ("acme/agent:v1", Some(("", "acme/agent")), "acme/agent:v2"),
            ("=acme/agent:v1", None, ""),
            ("a=b=c:v1", None, ""),
            ("a=", None, ""),
        ];
        for (text, parts, moved) in table {
            let found = named_image(text).map(|(name, image)| (name.unwrap_or(""), image.repository));
            assert_eq!(found, parts, "{text}");
            assert_eq!(at_version(text, "v2").unwrap_or_default(), moved, "{text}");
        }
    }

    #[test]
    fn a_version_text_has_a_tag_a_digest_or_both() {
        let table = [
            ("", (None, None)),
            ("v1", (Some("v1"), None)),
            ("sha256:aa", (None, Some("sha256:aa"))),
            ("v1@sha256:aa", (Some("v1"), Some("sha256:aa"))),
            ("user@host", (Some("user@host"), None)),
        ];
        for (text, parts) in table {
            assert_eq!(tag_and_digest(text), parts, "{text}");
        }
    }

    #[test]
    fn a_registry_in_front_is_the_same_image_and_another_name_is_not() {
        let table = [
            ("ghcr.io/acme/app", "acme/app", true, true),
            ("app", "ghcr.io/acme/app", true, true),
            ("ghcr.io/acme/app", "ghcr.io/acme/app", true, true),
            ("ghcr.io/acme/app", "mirror.io/acme/app", false, true),
            ("ghcr.io/acme/app", "ghcr.io/acme/proxy", false, false),
            ("ghcr.io/acme/my-app", "app", false, false),
        ];
        for (a, b, one_image, one_name) in table {
            assert_eq!((is_one_image(a, b), has_one_name(a, b)), (one_image, one_name), "{a} {b}");
            assert_eq!(is_one_image(b, a), one_image);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_a_reference_that_reads_back_or_none(text in "[a-zA-Z0-9:/@._ -]{0,40}") {
            if let Some(image) = ImageReference::parse(&text) {
                prop_assert_eq!(image.with_version_of(&image), text.clone());
                let version = image.version().unwrap_or_default();
                prop_assert_eq!(tag_and_digest(&version), (image.tag, image.digest));
            }
        }

        #[test]
        fn any_text_at_all_is_safe(text in any::<String>()) {
            let _ = (ImageReference::parse(&text), tag_and_digest(&text), is_one_image(&text, "a/b"));
        }
    }
}
