//! What the target has where only the source has a pin: nothing, a place for one, or something else.
//!
//! Something else is an error, because to pass it over would promote less than was asked, in silence.

use crate::failure::{Failure, Kind, Place, Result};
use crate::overlay::editor::document::Value;
use crate::overlay::editor::edit::Edit;
use crate::overlay::editor::key_path::{KeyPath, Step};
use crate::overlay::pins::files::Shape;
use crate::overlay::pins::image::{ImageReference, has_one_name, tag_and_digest};
use crate::overlay::pins::moving::Motion;
use crate::overlay::pins::reading::Reading;
use crate::overlay::pins::scope::Scope;
use crate::overlay::pins::{Pin, PinKind};
use crate::overlay::pins::{argo, flux, helm, kustomize};

/// A place in the target for what only the source pins.
pub(in crate::overlay) struct Room {
    pub(in crate::overlay) edit: Edit,
    /// The image's repository, where the target says it.
    pub(in crate::overlay) repository: Option<String>,
}

/// The edit that would pin in the target what only the source pins, if there is a place for it.
///
/// An error where the target has something there that is no pin: to pass it over would be silent.
pub(in crate::overlay) fn unpinned(
    source: &Reading<'_>,
    target: &Reading<'_>,
    pin: &Pin,
) -> Result<Option<Room>> {
    let (Some(file), Some(part)) = (target.file_of(pin), target.part_of(pin)) else { return Ok(None) };
    // An index says where something stands in the source, and nothing about the target.
    if pin.named.steps.iter().any(|step| matches!(step, Step::Index(_))) {
        return Ok(None);
    }
    let document = &file.document;
    let scope = Scope::at(document, part.base.clone());
    let key = scope.in_file(&pin.named);
    if document.read(&key).is_some() {
        let there = document.find(&key).map_err(|failure| {
            failure.hinted(format!("{} pins it, so the promotion would set it", source.overlay.environment))
        })?;
        let (tag, digest) = tag_and_digest(&pin.value);
        let version = ImageReference { repository: "", tag, digest };
        let unversioned = ImageReference::parse(scope.text_of(there))
            .filter(|image| pin.kind == PinKind::ImageReference && image.version().is_none());
        return match unversioned {
            Some(image) if !is_another_image(pin, Some(image.repository)) => {
                let edit = Edit::Set { key, value: image.with_version_of(&version) };
                Ok(Some(Room { edit, repository: Some(image.repository.to_owned()) }))
            }
            Some(_) => Ok(None),
            None => Err(no_pin(source, target, pin, document.place(there))),
        };
    }
    let Some(parent) = key.parent() else { return Ok(None) };
    match document.read(&parent) {
        Some(node) if matches!(node.value, Value::Scalar { .. }) && !node.is_null() => {
            Err(no_pin(source, target, pin, document.place(node)))
        }
        Some(node) if !node.entries().is_empty() => {
            document.find(&parent)?;
            let above = pin.named.parent().unwrap_or_else(|| KeyPath::root(0));
            if matches!(part.shape, Shape::Argo | Shape::Flux) {
                let there = scope.of(&target.overlay.environment);
                let is_same = would_be_pin(source, &there, part.shape, pin);
                let edit = is_same.then(|| added(source, pin, parent)).flatten();
                let repository = helm::repository_of(&there, &above);
                return Ok(edit.map(|edit| Room { edit, repository }));
            }
            let repository = match part.shape {
                Shape::Kustomization => {
                    kustomize::image_entry(&scope, &above).map(|entry| entry.repository.to_owned())
                }
                _ => helm::repository_of(&scope, &above),
            };
            let is_same = !is_another_image(pin, repository.as_deref());
            let edit = is_same.then(|| added(source, pin, parent)).flatten();
            Ok(edit.map(|edit| Room { edit, repository }))
        }
        _ => Ok(None),
    }
}

/// Nothing where the pin is a part of its text: the rest of that is the environment's own, and not said here.
fn added(source: &Reading<'_>, pin: &Pin, parent: KeyPath) -> Option<Edit> {
    let text = || source.file_of(pin)?.document.read(&pin.key)?.as_str();
    let is_all =
        pin.kind != PinKind::ImageReference && (pin.is_given() || text() == Some(pin.value.as_str()));
    if !is_all {
        return None;
    }
    let Some(Step::Key(key)) = pin.key.steps.last() else { return None };
    Some(Edit::Add { parent, key: key.clone(), value: pin.value.clone() })
}

/// Whether the source's value would be a pin of the same thing in the target's object, and the one that counts there.
fn would_be_pin(source: &Reading<'_>, there: &Scope<'_>, shape: Shape, pin: &Pin) -> bool {
    let Some(node) = source.file_of(pin).and_then(|file| file.document.read(&pin.key)) else { return false };
    let meaning = match shape {
        Shape::Argo => argo::meaning(there, &pin.named, node),
        _ if !flux::winning_refs(there, &pin.named).is_empty() => None,
        _ => flux::meaning(there, &pin.named, node),
    };
    let fixed = !matches!(pin.kind, PinKind::RemoteRef | PinKind::ChartVersion)
        || Motion::of(pin.kind, &pin.value) == Motion::Fixed;
    meaning.is_some_and(|there| {
        let is_called_so = pin.group.1.ends_with(&there.group) && there.member == pin.member;
        let is_one = match pin.repository {
            Some(_) => !is_another_image(pin, there.repository.as_deref()),
            None => has_one_name(&pin.artifact, &there.artifact),
        };
        fixed && is_called_so && is_one
    })
}

/// The target has something else where the source has a pin.
pub(in crate::overlay) fn no_pin(
    source: &Reading<'_>,
    target: &Reading<'_>,
    pin: &Pin,
    place: Place,
) -> Failure {
    let (source, target) = (&source.overlay.environment, &target.overlay.environment);
    let message =
        format!("`{}` is a pin in {source} but none in {target}, where it is written differently", pin.key);
    Failure::at(Kind::Overlay, place, message).hinted(format!(
        "write it as `{}` does (line {}), or name the pins to promote by `pins`",
        pin.file.as_str(),
        pin.line
    ))
}

/// Whether a repository in the target is another image than the source's pin is of.
pub(in crate::overlay) fn is_another_image(source: &Pin, repository: Option<&str>) -> bool {
    source.repository.as_deref().zip(repository).is_some_and(|(source, target)| !has_one_name(source, target))
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
    use super::*;
    use crate::overlay::Missing;
    use crate::overlay::testing::{after, moved_by, warnings};

    #[test]
    fn what_only_the_source_pins_is_added_where_it_is_asked_for_and_has_a_place() {
        let table = [
            (
                "values.yaml",
                "a: {image: {repository: x/a, tag: v2}}\n",
                "a:\n  image:\n    repository: y/a\n",
                "a:\n  image:\n    repository: y/a\n    tag: v2\n",
            ),
            ("values.yaml", "image: x/a:v2\n", "image: y/a # c\n", "image: y/a:v2 # c\n"),
            (
                "values.yaml",
                "image: {tag: v2, digest: sha256:bb}\n",
                "image:\n  repository: a\n",
                "image:\n  repository: a\n  tag: v2\n  digest: sha256:bb\n",
            ),
            (
                "kustomization.yaml",
                "images: [{name: a, newTag: v2}]\n",
                "images:\n- name: a\n  newName: p/a\n",
                "images:\n- name: a\n  newName: p/a\n  newTag: v2\n",
            ),
            (
                "values.yaml",
                "a: {image: {repository: x/b, tag: v2}}\n",
                "a: {image: {repository: y/a}}\n",
                "",
            ),
            ("values.yaml", "b: {image: {tag: v2}}\n", "a: 1\n", ""),
            ("kustomization.yaml", "resources: ['h/a?ref=v2']\n", "resources: ['h/a']\n", ""),
        ];
        for (name, source, target, expected) in table {
            let files = |text| [(name, text)];
            let moved_with = |missing| moved_by(&files(source), &files(target), &[], missing).unwrap();
            let listed = moved_with(Missing::List);
            assert_eq!(after(&listed), "", "{source}");
            assert!(listed.drift.iter().any(|drift| drift.pin), "{source}");
            let added = moved_with(Missing::Add);
            assert_eq!(after(&added), expected, "{source}");
            assert_eq!(added.drift.iter().any(|drift| drift.pin), expected.is_empty());
            assert_eq!(warnings(&added).is_empty(), !expected.is_empty(), "{source}");
        }
    }

    #[test]
    fn a_one_string_image_is_never_added_without_its_repository() {
        let source = "migrations: {enabled: true, image: 's.io/a/migrate:v3@sha256:aa'}\n";
        let target = "migrations:\n  enabled: true\n";
        let files = |text| [("values.yaml", text)];
        let moved = moved_by(&files(source), &files(target), &[], Missing::Add).unwrap();
        assert_eq!(after(&moved), "");
        assert!(moved.drift.iter().any(|drift| drift.pin && drift.key == "migrations.image"));
        assert_eq!(
            warnings(&moved),
            [
                "`staging/values.yaml:1:36`: `migrations.image` is not added to prod: its registry and repository are not said there"
            ]
        );
    }

    #[test]
    fn an_added_image_is_called_as_the_target_calls_it() {
        let files = |text| [("values.yaml", text)];
        let source = files("image: {repository: stage.io/a, tag: v2}\n");
        let target = files("image:\n  repository: prod.io/a\n");
        let moved = moved_by(&source, &target, &[], Missing::Add).unwrap();
        assert_eq!(moved.artifacts[0].name, "prod.io/a");
    }

    #[test]
    fn what_cannot_be_set_safely_stops_with_place_and_hint() {
        let table = [
            (
                "image: {tag: v2}\n",
                "d: &d {tag: v1}\nimage: {<<: *d, pullPolicy: x}\n",
                "values.yaml:2:8`: `image.tag` is not written here: it is inherited by `<<`",
            ),
            (
                "a: {image: {tag: v2}}\n",
                "b: &b {image: {tag: v1}}\na: *b\n",
                "`a.image.tag` is reached through an alias of `*b`",
            ),
            (
                "image: {tag: v2}\n",
                "image: acme/a:v1\n",
                "values.yaml:1:8`: `image.tag` is a pin in staging but none in prod",
            ),
            (
                "image: acme/a:v1\n",
                "image: {repository: acme/a, tag: v1}\n",
                "values.yaml:1:34`: `image` is a pin in staging but none in prod",
            ),
            (
                "api: {repository: a, tag: v2}\n",
                "api: {tag: v1}\n",
                "values.yaml:1:12`: `api.tag` is a pin in staging but none in prod",
            ),
            ("image: {tag: v2}\n", "image: {tag: &t v1}\nother: *t\n", "values.yaml:1:"),
        ];
        for (source, target, said) in table {
            let files = |text| [("values.yaml", text)];
            let failure = moved_by(&files(source), &files(target), &[], Missing::List).unwrap_err();
            assert_eq!(failure.kind(), Kind::Overlay);
            let text = failure.to_string();
            assert!(text.contains(said) && text.contains("\nhint: "), "{text}");
        }
    }
}
