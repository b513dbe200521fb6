//! Which release does an overlay run? The one that its carrying pin says.
//!
//! The carrying pin is named by `carries`, or it is the image tag that equals the release's version. It
//! is never guessed: two different images that carry one release are an error, and none is an answer.

use std::cmp::Reverse;

use crate::failure::{Failure, Kind, Result};
use crate::names::CommitSha;
use crate::overlay::pins::image::{is_one_image, tag_and_digest};
use crate::overlay::pins::pattern::Pattern;
use crate::overlay::pins::rules::PinRules;
use crate::overlay::pins::template::Released;
use crate::overlay::pins::{Pin, PinKind};

/// The shortest abbreviation of a commit that counts (rule 1).
const SHORTEST_COMMIT: usize = 7;

/// Whether and where an overlay carries a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carrying<'p> {
    /// The carrying pin: one, or one image's in several places.
    Pins(Vec<&'p Pin>),
    /// It does not.
    None {
        /// The pins that could have: `image.tag = v1.7.3 (values.yaml:9)`.
        looked_at: Vec<String>,
    },
}

/// Whether a pin's version is the release's: equal but for a leading `v`, or its commit, abbreviated to
/// at least 7 digits, with or without `sha-`. A digest never is.
///
/// A pin whose value the settings make of the release carries it when it has exactly that value.
#[must_use]
pub fn carries_release(pin: &Pin, release: Released<'_>) -> bool {
    if let Some(given) = pin.given(release) {
        return tag_or_all(&given) == tag_or_all(pin);
    }
    pin.version()
        .is_some_and(|pinned| is_version(pinned, release.version) || is_commit(pinned, release.commit))
}

/// A template makes the tag of a one-string image, and leaves its digest to others.
fn tag_or_all(pin: &Pin) -> Option<&str> {
    if pin.kind == PinKind::ImageReference { tag_and_digest(&pin.value).0 } else { Some(&pin.value) }
}

/// The pins that carry a release.
///
/// # Errors
///
/// `carries` that is no pattern, and several different images that carry the release.
pub fn carrying<'p>(pins: &'p [Pin], release: Released<'_>, carries: Option<&str>) -> Result<Carrying<'p>> {
    let able = able_to_carry(pins, carries)?;
    // What a later values file says in its place is what ran.
    let counts = |pin: &&Pin| !pins.iter().any(|later| pin.is_overridden_by(later));
    let found: Vec<&Pin> = able.iter().copied().filter(|pin| carries_release(pin, release)).collect();
    let found: Vec<&Pin> = found.into_iter().filter(counts).collect();
    if found.is_empty() {
        let unnamed = carries
            .filter(|_| able.is_empty())
            .map(|carries| format!("`carries: {}` names none of the pins", carries.escape_debug()));
        let are_digests = !able.is_empty() && able.iter().all(|pin| is_digest_alone(pin));
        let digest = carries.filter(|_| are_digests).map(|carries| {
            format!("`carries: {}` names a digest, which never carries a release", carries.escape_debug())
        });
        let looked = if able.is_empty() { pins.iter().collect() } else { able };
        let looked_at =
            unnamed.into_iter().chain(digest).chain(looked.iter().map(ToString::to_string)).collect();
        return Ok(Carrying::None { looked_at });
    }
    let differ = |a: &Pin, b: &Pin| !is_same_artifact(a, b);
    if found.iter().enumerate().any(|(n, a)| found.iter().skip(n + 1).any(|b| differ(a, b))) {
        let list: Vec<_> = found.iter().map(|pin| format!("`{}` in `{pin}`", pin.artifact)).collect();
        let message =
            format!("several images carry `{}`: {}", release.version.escape_debug(), list.join(", "));
        let first = found.first().map(|pin| pin.named.to_string()).unwrap_or_default();
        return Err(Failure::new(Kind::Overlay, message)
            .hinted(format!("say which one does in the settings, such as `carries: {first}`")));
    }
    Ok(Carrying::Pins(found))
}

/// The pin that says which version the target runs: its counterpart of the source's carrying pin.
///
/// Where they differ, the one that is put in last counts: an operator's images, then a kustomization's, then
/// parameters, then values, a later file of them before an earlier one.
#[must_use]
pub fn carried_pin<'t>(target_pins: &'t [Pin], source_carrying: &[&Pin]) -> Option<&'t Pin> {
    let is_counterpart = |pin: &&Pin| source_carrying.iter().any(|carrying| pin.is_counterpart_of(carrying));
    let counterparts = target_pins.iter().filter(is_counterpart).filter(|pin| pin.version().is_some());
    counterparts.min_by_key(|pin| Reverse((pin.layer, pin.rank)))
}

/// The pins that a release's values are made for, of which any may tell which one runs: where `carries` names some
/// of them, these alone.
#[must_use]
pub fn given_pins<'p>(pins: &'p [Pin], carries: Option<&str>) -> Vec<&'p Pin> {
    let given = || pins.iter().filter(|pin| pin.is_given());
    let pattern = carries.and_then(|carries| Pattern::parse(carries).ok());
    let named = pattern.map(|pattern| given().filter(|pin| pattern.names(&pin.named)).collect());
    named.filter(|named: &Vec<_>| !named.is_empty()).unwrap_or_else(|| given().collect())
}

/// Whether what tells a release is made of it, so that the source overlay has no say: `carries` names such a pin,
/// or without it no image is pinned there.
#[must_use]
pub fn is_told_by_value(source_pins: &[Pin], rules: &PinRules, carries: Option<&str>) -> bool {
    let is_named = |pin: &Pin, carries: &Pattern| pin.is_given() && carries.names(&pin.named);
    match carries.map(Pattern::parse) {
        Some(Ok(carries)) => source_pins.iter().any(|pin| is_named(pin, &carries)),
        Some(Err(_)) => false,
        None => rules.have_given() && !source_pins.iter().any(Pin::is_of_image),
    }
}

fn able_to_carry<'p>(pins: &'p [Pin], carries: Option<&str>) -> Result<Vec<&'p Pin>> {
    let Some(carries) = carries else {
        let is_tag = |pin: &&Pin| matches!(pin.kind, PinKind::ImageTag | PinKind::ImageReference);
        let tags: Vec<&Pin> = pins.iter().filter(is_tag).collect();
        // Without an image, what is made of the release tells it.
        let given = || pins.iter().filter(|pin| pin.is_given()).collect();
        return Ok(if tags.is_empty() { given() } else { tags });
    };
    let pattern = Pattern::parse(carries)?;
    Ok(pins.iter().filter(|pin| pattern.names(&pin.named)).collect())
}

fn is_digest_alone(pin: &Pin) -> bool {
    pin.version().is_none() && pin.digest().is_some()
}

fn is_same_artifact(a: &Pin, b: &Pin) -> bool {
    match (&a.repository, &b.repository) {
        (Some(a), Some(b)) => is_one_image(a, b),
        _ => a.artifact == b.artifact && a.repository == b.repository,
    }
}

fn is_version(pinned: &str, version: &str) -> bool {
    fn bare(text: &str) -> &str {
        text.strip_prefix(['v', 'V'])
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            .unwrap_or(text)
    }
    !version.is_empty() && bare(pinned) == bare(version)
}

fn is_commit(pinned: &str, commit: &CommitSha) -> bool {
    let digits = pinned.strip_prefix("sha-").unwrap_or(pinned);
    digits.len() >= SHORTEST_COMMIT
        && digits.bytes().all(|b| b.is_ascii_hexdigit())
        && commit.as_str().starts_with(&digits.to_ascii_lowercase())
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
    use crate::overlay::testing::{overlay, overlay_of, pins_of, rules};
    use crate::overlay::{FileRule, pins};

    fn of<'r>(version: &'r str, commit: &'r CommitSha) -> Released<'r> {
        Released { tag: version, version, commit }
    }

    fn commit() -> CommitSha {
        CommitSha::parse("3f1c9abd00112233445566778899aabbccddeeff").unwrap()
    }

    #[test]
    fn a_tag_carries_a_version_with_or_without_v_or_an_abbreviated_commit() {
        let table = [
            ("v1.8.0", "1.8.0", true),
            ("1.8.0", "v1.8.0", true),
            ("v1.8.0", "v1.8.0", true),
            ("v1.8.0-rc.1", "v1.8.0", false),
            ("1.8", "1.8.0", false),
            ("1.80", "1.8", false),
            ("1.10", "1.1", false),
            ("", "", false),
            ("3f1c9ab", "v9", true),
            ("sha-3f1c9ab", "v9", true),
            ("3F1C9ABD", "v9", true),
            ("3f1c9a", "v9", false),
            ("sha-3f1c9a", "v9", false),
            ("3f1c9ac", "v9", false),
            ("3f1c9abd00112233445566778899aabbccddeeff", "v9", true),
            ("3f1c9abd00112233445566778899aabbccddeeff0", "v9", false),
            ("vivid", "ivid", false),
        ];
        for (tag, version, carries) in table {
            let pins = pins_of(&[("values.yaml", &format!("image: {{tag: '{tag}'}}"))]);
            assert_eq!(carries_release(&pins[0], of(version, &commit())), carries, "{tag} {version}");
        }
    }

    #[test]
    fn a_digest_never_carries() {
        let text =
            "image: {digest: 3f1c9abd}\nmodel: {digest: 3f1c9abd}\napp: {image: 'a@sha256:3f1c9abd'}\n";
        for pin in pins_of(&[("values.yaml", text)]) {
            assert!(!carries_release(&pin, of("3f1c9abd", &commit())), "{pin}");
        }
    }

    #[test]
    fn the_tag_before_a_digest_carries() {
        for text in ["image: r.io:5/a:v1.8.0@sha256:aa", "image: {tag: 'v1.8.0@sha256:aa'}"] {
            let pins = pins_of(&[("values.yaml", text)]);
            assert!(carries_release(&pins[0], of("1.8.0", &commit())), "{text}");
            assert_eq!((pins[0].version(), pins[0].digest()), (Some("v1.8.0"), Some("sha256:aa")));
        }
    }

    #[test]
    fn carries_that_names_a_digest_is_said_to_be_of_no_use() {
        let files = [("values.yaml", "image: {tag: v1.8.0, digest: 'sha256:aa'}")];
        assert_eq!(
            found(&files, Some("image.digest"))[0],
            "not `carries: image.digest` names a digest, which never carries a release"
        );
    }

    #[test]
    fn the_hint_names_the_pin_as_carries_would() {
        let files = [FileRule::new("all.yaml", Some("{environment}"), None).unwrap()];
        let text =
            "staging: {a: {image: {repository: x/a, tag: v1}}, b: {image: {repository: x/b, tag: v1}}}\n";
        let staging = overlay_of("staging", &files, &[("all.yaml", text)]);
        let pins = pins(&staging, &rules(&[])).unwrap();
        let said = carrying(&pins, of("v1", &commit()), None).unwrap_err().to_string();
        assert!(said.contains("`carries: a.image.tag`"), "{said}");
        assert!(carrying(&pins, of("v1", &commit()), Some("a.image.tag")).is_ok());
    }

    fn found(files: &[(&str, &str)], carries: Option<&str>) -> Vec<String> {
        match carrying(&pins_of(files), of("v1.8.0", &commit()), carries).unwrap() {
            Carrying::Pins(pins) => pins.iter().map(|pin| pin.key.to_string()).collect(),
            Carrying::None { looked_at } => looked_at.iter().map(|pin| format!("not {pin}")).collect(),
        }
    }

    #[test]
    fn the_carrying_pin_is_the_image_tag_that_equals_the_version() {
        let two = "a: {image: {repository: x/a, tag: v1.8.0}}\nb: {image: {repository: x/b, tag: v1.7.0}}\n";
        assert_eq!(found(&[("values.yaml", two)], None), ["a.image.tag"]);
        let model = "image: {tag: v1}\nmodel: {name: m, version: v1.8.0}\n";
        assert_eq!(found(&[("values.yaml", model)], None), ["not image.tag = v1 (values.yaml:1)"]);
        assert_eq!(found(&[("values.yaml", model)], Some("model.version")), ["model.version"]);
        assert_eq!(
            found(&[("values.yaml", model)], Some("image.tag")),
            ["not image.tag = v1 (values.yaml:1)"]
        );
        assert_eq!(
            found(&[("values.yaml", model)], Some("nothing")),
            [
                "not `carries: nothing` names none of the pins",
                "not image.tag = v1 (values.yaml:1)",
                "not model.version = v1.8.0 (values.yaml:2)"
            ]
        );
        assert_eq!(
            found(&[("values.yaml", "image: {tag: '', digest: sha256:aa}")], None),
            ["not image.tag = nothing (values.yaml:1)"]
        );
        assert_eq!(found(&[], None), [""; 0]);
    }

    #[test]
    fn tags_of_one_image_in_several_files_carry_together() {
        let values = "image: {repository: acme/a, tag: v1.8.0}\n";
        let kustomization = "images: [{name: app, newName: ghcr.io/acme/a, newTag: 1.8.0}]\n";
        let files = [("values.yaml", values), ("kustomization.yaml", kustomization)];
        assert_eq!(found(&files, None), ["images[name=app].newTag", "image.tag"]);
    }

    #[test]
    fn several_different_images_are_an_error_that_lists_them() {
        let text = "a: {image: {repository: x/a, tag: v1.8.0}}\nb: {image: {repository: x/b, tag: 1.8.0}}\n";
        let pins = pins_of(&[("values.yaml", text)]);
        let said = carrying(&pins, of("v1.8.0", &commit()), None).unwrap_err().to_string();
        for part in
            ["`x/a`", "`x/b`", "a.image.tag = v1.8.0 (values.yaml:1)", "hint: ", "carries: a.image.tag"]
        {
            assert!(said.contains(part), "{said}");
        }
        assert_eq!(found(&[("values.yaml", text)], Some("b.image.tag")), ["b.image.tag"]);
        // Where no repository is said, only one place is one image.
        let unsaid = pins_of(&[("values.yaml", "aImage: {tag: v1.8.0}\nbImage: {tag: v1.8.0}\n")]);
        assert!(carrying(&unsaid, of("v1.8.0", &commit()), None).is_err());
    }

    #[test]
    fn kustomize_has_the_last_word_wherever_its_file_is_sorted() {
        let files = |values: &str, images: &str| {
            let (values, images) = (
                format!("image: {{repository: a, tag: {values}}}"),
                format!("images: [{{name: a, newTag: {images}}}]"),
            );
            pins_of(&[("app/values.yaml", &values), ("kustomization.yaml", &images)])
        };
        let source = files("v1.8.0", "v1.8.0");
        let Carrying::Pins(carrying) = carrying(&source, of("v1.8.0", &commit()), None).unwrap() else {
            panic!()
        };
        assert_eq!(carried_pin(&files("v1.7.3", "v1.7.2"), &carrying).and_then(Pin::version), Some("v1.7.2"));
    }

    #[test]
    fn what_is_put_in_last_says_what_the_target_runs() {
        let app = |tag: &str, parameter: &str| {
            format!(
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec: {{source: {{repoURL: x/y, helm: {{valuesObject: {{image: {{repository: a, tag: {tag}}}}}, parameters: [{{name: image.repository, value: a}}, {{name: image.tag, value: {parameter}}}]}}}}}}\n"
            )
        };
        let files = [crate::overlay::FileRule::new("app.yaml", None, None).unwrap()];
        let pins_of = |text: &str| {
            pins(&crate::overlay::testing::overlay_of("prod", &files, &[("app.yaml", text)]), &rules(&[]))
                .unwrap()
        };
        let source = pins_of(&app("v1.8.0", "v1.8.0"));
        let Carrying::Pins(carrying) = carrying(&source, of("v1.8.0", &commit()), None).unwrap() else {
            panic!()
        };
        let target = pins_of(&app("v1.7.3", "v1.7.2"));
        assert_eq!(carried_pin(&target, &carrying).and_then(Pin::version), Some("v1.7.2"));
    }

    #[test]
    fn a_later_values_file_says_what_runs() {
        let files = ["values.yaml", "later.yaml"]
            .map(|name| crate::overlay::FileRule::new(name, None, None).unwrap());
        let pins_of = |first: &str, later: &str| {
            let text = |tag: &str| format!("image: {{repository: a, tag: {tag}}}\n");
            let sources = [("values.yaml", text(first)), ("later.yaml", text(later))];
            let sources = sources.each_ref().map(|(name, text)| (*name, text.as_str()));
            pins(&crate::overlay::testing::overlay_of("x", &files, &sources), &rules(&[])).unwrap()
        };
        let source = pins_of("v1.8.0", "v1.8.0");
        let Carrying::Pins(found) = carrying(&source, of("v1.8.0", &commit()), None).unwrap() else {
            panic!()
        };
        assert_eq!(found.len(), 2);
        let target = pins_of("v1.7.3", "v1.6.0");
        assert_eq!(carried_pin(&target, &found).and_then(Pin::version), Some("v1.6.0"));
        let overridden = pins_of("v1.8.0", "v2.0.0");
        let said = carrying(&overridden, of("v1.8.0", &commit()), None).unwrap();
        assert!(matches!(said, Carrying::None { .. }), "{said:?}");
        assert!(matches!(carrying(&overridden, of("v2.0.0", &commit()), None), Ok(Carrying::Pins(_))));
    }

    #[test]
    fn carries_that_is_no_pattern_is_a_settings_error() {
        assert_eq!(carrying(&[], of("v1", &commit()), Some("a..b")).unwrap_err().kind(), Kind::Settings);
    }

    type Row<'t> = (&'t [(&'t str, &'t str)], Option<&'t str>);

    #[test]
    fn the_target_runs_what_the_counterpart_says() {
        let source = pins_of(&[
            ("values.yaml", "image: {repository: a, tag: v1.8.0}"),
            ("kustomization.yaml", "images: [{name: b}, {name: a, newTag: v1.8.0}]"),
        ]);
        let Carrying::Pins(carrying) = carrying(&source, of("v1.8.0", &commit()), None).unwrap() else {
            panic!()
        };
        let table: [Row<'_>; 5] = [
            (&[("values.yaml", "image: {tag: v1.7.3}")], Some("v1.7.3")),
            (
                &[
                    ("values.yaml", "image: {tag: v1.7.3}"),
                    ("kustomization.yml", "images: [{name: a, newTag: v1.7.2}]"),
                ],
                Some("v1.7.2"),
            ),
            (&[("values.yaml", "image: {tag: ''}")], None),
            (&[("values.yaml", "worker: {image: {tag: v1.7.3}}")], None),
            (&[], None),
        ];
        for (files, runs) in table {
            let target = pins(&overlay("prod", files), &rules(&[])).unwrap();
            assert_eq!(carried_pin(&target, &carrying).and_then(Pin::version), runs);
        }
    }
}
