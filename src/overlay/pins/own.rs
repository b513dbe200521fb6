//! What a value is that no default knows and only a team's pattern names.
//!
//! Its key and its text say how it moves; where they say nothing, the whole text does.

use super::helm;
use super::image::ImageReference;
use super::remote::RemoteRef;
use super::scope::Scope;
use super::{Meaning, Member, PinKind};
use crate::overlay::editor::document::Node;
use crate::overlay::editor::key_path::{KeyPath, Step};

/// What a scalar is that only a team's pattern names.
pub(in crate::overlay) fn meaning(scope: &Scope<'_>, path: &KeyPath, node: &Node) -> Option<Meaning> {
    let text = scope.text_of(node);
    let pin = |kind, artifact: &str, value: String, group: String, member| Meaning {
        kind,
        artifact: artifact.to_owned(),
        repository: None,
        value,
        group,
        settled: 0,
        member,
    };
    let Some(Step::Key(key)) = path.steps.last() else {
        return Some(whole(scope, path, node));
    };
    if let Some(image) = ImageReference::parse(text).filter(|_| text.contains('/') || helm::is_image_key(key))
    {
        // A repository alone is no version, whoever names it: it belongs to its environment.
        let repository = Some(image.repository.to_owned());
        let whole =
            pin(PinKind::ImageReference, image.repository, image.version()?, path.to_string(), Member::Whole);
        return Some(Meaning { repository, ..whole });
    }
    if let Some(remote) = RemoteRef::parse(text) {
        let value = remote.reference.to_owned();
        return Some(pin(PinKind::RemoteRef, remote.url, value, path.to_string(), Member::Whole));
    }
    let above = path.parent()?;
    let ends = [
        (["tag", "Tag"], PinKind::ImageTag, Member::Version),
        (["digest", "Digest"], PinKind::ImageDigest, Member::Digest),
    ];
    for (names, kind, member) in ends {
        let Some(stem) = names.iter().find_map(|name| key.strip_suffix(name)) else { continue };
        // `workerTag` goes with `workerDigest`, `tag` with `digest`.
        let group = if stem.is_empty() { above.to_string() } else { above.key(stem).to_string() };
        let repository = if stem.is_empty() { helm::repository_of(scope, &above) } else { None };
        let artifact = repository.clone().unwrap_or_else(|| group.clone());
        let named = pin(kind, &artifact, text.to_owned(), group, member);
        return Some(Meaning { repository, ..named });
    }
    Some(whole(scope, path, node))
}

/// A value that moves as a whole.
pub(super) fn whole(scope: &Scope<'_>, path: &KeyPath, node: &Node) -> Meaning {
    Meaning {
        kind: PinKind::Other,
        artifact: path.to_string(),
        repository: None,
        value: scope.text_of(node).to_owned(),
        group: path.to_string(),
        settled: 0,
        member: Member::Whole,
    }
}
