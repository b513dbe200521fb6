//! What counts as a pin: the default set, or what a team's settings name instead.

use super::files::Shape;
use super::pattern::Pattern;
use super::scope::Scope;
use super::template::Template;
use super::{Meaning, Member, Pin, argo, chart, flux, helm, kustomize, own};
use crate::failure::{Failure, Kind, Result};
use crate::overlay::editor::document::Node;
use crate::overlay::editor::key_path::KeyPath;

/// How settings name the default set among patterns of their own.
pub const DEFAULT_SET: &str = "default";

/// What counts as a pin.
#[derive(Debug, Clone, Default)]
pub struct PinRules {
    /// As the settings name them; without any, the default set holds.
    rules: Vec<PinRule>,
}

/// One line of `pins`.
#[derive(Debug, Clone)]
pub struct PinRule {
    /// The keys; absent: the default set.
    keys: Option<Pattern>,
    /// The file, as it is called in every overlay or in one; absent: every file.
    file: Option<String>,
    /// How the value is made; absent: it comes from the source overlay.
    value: Option<Template>,
}

impl PinRule {
    /// The pins that a pattern names; the word `default` names the default set.
    ///
    /// # Errors
    ///
    /// A pattern that names nothing; a `value` that makes none, or that has no keys to go to.
    pub fn new(keys: &str, file: Option<&str>, value: Option<&str>) -> Result<Self> {
        let value = value.map(Template::parse).transpose()?;
        let keys = if keys == DEFAULT_SET { None } else { Some(Pattern::parse(keys)?) };
        if keys.is_none() && value.is_some() {
            return Err(Failure::new(Kind::Settings, "`default` has no `value` of its own")
                .hinted("name the keys that get it"));
        }
        Ok(Self { keys, file: file.map(str::to_owned), value })
    }

    /// As the settings write it.
    pub fn as_str(&self) -> &str {
        self.keys.as_ref().map_or(DEFAULT_SET, Pattern::as_str)
    }

    fn names(&self, place: &Place<'_>) -> bool {
        let here = |file: &String| file == place.name || file == place.file;
        self.file.as_ref().is_none_or(here) && self.keys.as_ref().is_none_or(|keys| keys.names(place.path))
    }
}

/// Where a scalar stands, as far as rules ask.
pub(super) struct Place<'p> {
    /// What its file is called in every overlay, and in this one.
    pub(super) name: &'p str,
    pub(super) file: &'p str,
    /// In its part of the file.
    pub(super) path: &'p KeyPath,
}

impl PinRules {
    /// The rules that `pins:` gives; none mean the default set.
    #[must_use]
    pub fn new(rules: Vec<PinRule>) -> Self {
        Self { rules }
    }

    /// Whether these are a team's own patterns.
    fn are_own(&self) -> bool {
        !self.rules.is_empty()
    }

    /// Whether every pin's value follows from the release, and none comes from the source overlay.
    #[must_use]
    pub fn are_all_given(&self) -> bool {
        self.are_own() && self.rules.iter().all(|rule| rule.value.is_some())
    }

    /// Whether some pin's value follows from the release.
    #[must_use]
    pub fn have_given(&self) -> bool {
        self.rules.iter().any(|rule| rule.value.is_some())
    }

    /// The rules as the settings write them; none where the default set holds.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(PinRule::as_str)
    }

    /// The rules that name none of these pins; of those with a `value`, or of the others.
    pub(in crate::overlay) fn idle(&self, pins: &[Pin], given: Given) -> Vec<&str> {
        let asked = self
            .rules
            .iter()
            .filter(|rule| rule.keys.is_some() && rule.value.is_some() == (given == Given::ByRelease));
        let idle = asked.filter(|rule| !pins.iter().any(|pin| rule.names(&pin.at())));
        idle.map(PinRule::as_str).collect()
    }

    /// What a scalar is, or nothing where it is no pin; how its value is made, where a rule says so; and
    /// what says that it is one.
    pub(super) fn meaning(
        &self,
        shape: Shape,
        scope: &Scope<'_>,
        place: &Place<'_>,
        node: &Node,
    ) -> Option<(Meaning, Option<Template>, Said)> {
        // Even where a rule names it: what fills it in decides.
        if matches!(shape, Shape::Argo | Shape::Flux) && argo::is_filled_in(scope.text_of(node)) {
            return None;
        }
        let known = || match shape {
            Shape::Values => helm::meaning(scope, place.path, node),
            Shape::Kustomization => kustomize::meaning(scope, place.path, node),
            Shape::Chart => chart::meaning(scope, place.path, node),
            Shape::Argo => argo::meaning(scope, place.path, node),
            Shape::Flux => flux::meaning(scope, place.path, node),
            Shape::Lock => None,
        };
        if !self.are_own() {
            return known().map(|meaning| (meaning, None, Said::Default));
        }
        if shape == Shape::Lock {
            return None;
        }
        let named = || self.rules.iter().filter(|rule| rule.names(place));
        let value = named().find_map(|rule| rule.value.clone());
        if named().any(|rule| rule.keys.is_some()) {
            let meaning = known().or_else(|| own::meaning(scope, place.path, node));
            // What has no version yet can be given one.
            let meaning = meaning.or_else(|| value.as_ref().map(|_| own::whole(scope, place.path, node)));
            return meaning.map(|meaning| (meaning, value, Said::Pattern));
        }
        if let Some(meaning) = named().next().and_then(|_| known()) {
            return Some((meaning, value, Said::Default));
        }
        let beside = known().or_else(|| own::meaning(scope, place.path, node))?;
        (beside.member == Member::Digest).then_some((beside, None, Said::Tag))
    }
}

/// What makes a scalar a pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::overlay) enum Said {
    /// The default set.
    Default,
    /// A pattern of the settings: it says more than the default set can guess.
    Pattern,
    /// A pattern that names the tag: the digest beside it goes with it (rule 6), named or not.
    Tag,
}

/// Where a pin's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::overlay) enum Given {
    /// From the source overlay.
    BySource,
    /// From the release, by the `value` of a rule.
    ByRelease,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]
    use super::*;
    use crate::names::CommitSha;
    use crate::overlay::movement::{Missing, Movement, movement};
    use crate::overlay::pins::template::Released;
    use crate::overlay::testing::{changes, overlay, warnings};

    fn rules(lines: &[(&str, Option<&str>, Option<&str>)]) -> PinRules {
        PinRules::new(
            lines.iter().map(|(keys, file, value)| PinRule::new(keys, *file, *value).unwrap()).collect(),
        )
    }

    fn moved(rules: &PinRules, source: &[(&str, &str)], target: &[(&str, &str)]) -> Result<Movement> {
        let commit = CommitSha::parse("3f1c9abd00112233445566778899aabbccddeeff").unwrap();
        let release = Released { tag: "agent/v1.8.0", version: "v1.8.0", commit: &commit };
        movement(&overlay("staging", source), &overlay("prod", target), rules, Some(release), Missing::List)
    }

    #[test]
    fn a_value_is_made_of_the_release_whatever_the_source_has() {
        let rules = rules(&[
            ("default", None, None),
            ("release", None, Some("{version}")),
            ("revision", None, Some("{tag}")),
            ("source.commit", None, Some("{commit}")),
        ]);
        let source = "image: {tag: v1.8.0}\nrevision: main\nrelease: next\n";
        let target = "\
image: {tag: v1.7.3}
release: 'v1.7.3' # ours
revision: agent/v1.7.3
source: {commit: 00112233445566778899aabbccddeeff00112233}
";
        let moved = moved(&rules, &[("values.yaml", source)], &[("values.yaml", target)]).unwrap();
        let expected = "\
image: {tag: v1.8.0}
release: 'v1.8.0' # ours
revision: agent/v1.8.0
source: {commit: 3f1c9abd00112233445566778899aabbccddeeff}
";
        assert_eq!(String::from_utf8(moved.files[0].after.clone()).unwrap(), expected);
        assert_eq!(warnings(&moved), [""; 0]);
    }

    #[test]
    fn a_made_value_is_the_tag_of_an_image_and_takes_a_stale_digest_away() {
        let rules = rules(&[("image", None, Some("{version}"))]);
        let target = "image: r.io/acme/agent:v1.7.3@sha256:aa\n";
        let moved = moved(&rules, &[("values.yaml", "x: 1\n")], &[("values.yaml", target)]).unwrap();
        assert_eq!(changes(&moved), ["1 image r.io/acme/agent:v1.7.3@sha256:aa -> r.io/acme/agent:v1.8.0"]);
        assert!(warnings(&moved)[0].contains("the digest of `image` is removed"), "{:?}", warnings(&moved));
    }

    #[test]
    fn a_made_tag_has_the_sources_digest_only_where_the_source_has_that_tag() {
        let rules = rules(&[("image.tag", None, Some("{version}"))]);
        let target = "image: {repository: r/a, tag: v1.7.3, digest: 'sha256:aa'}\n";
        let table = [
            ("{repository: r/a, tag: v1.8.0, digest: 'sha256:bb'}", "v1.8.0, digest: 'sha256:bb'}"),
            ("{repository: r/a, tag: main, digest: 'sha256:bb'}", "v1.8.0}"),
            ("{repository: r/a, tag: v1.8.0}", "v1.8.0}"),
            ("{repository: r/a, digest: 'sha256:bb'}", "v1.8.0}"),
        ];
        for (image, expected) in table {
            let source = format!("image: {image}\n");
            let moved = moved(&rules, &[("values.yaml", &source)], &[("values.yaml", target)]).unwrap();
            let text = String::from_utf8(moved.files[0].after.clone()).unwrap();
            assert!(text.contains(expected), "{source}{text}");
            assert_eq!(warnings(&moved).len(), usize::from(!expected.contains("bb")), "{source}");
        }
    }

    #[test]
    fn a_value_that_is_no_tag_does_not_go_into_an_image() {
        let rules = rules(&[("image", None, Some("{tag}"))]);
        let target = "image: r.io/acme/agent:v1.7.3\n";
        let said =
            moved(&rules, &[("values.yaml", "x: 1\n")], &[("values.yaml", target)]).unwrap_err().to_string();
        assert!(
            said.contains("values.yaml:1:8`: `agent/v1.8.0` is no tag of an image")
                && said.contains("\nhint: "),
            "{said}"
        );
    }

    #[test]
    fn a_value_fits_the_key_that_gets_it() {
        let target = "image: {repository: r/a, tag: v1.7.3, digest: 'sha256:aa'}\n";
        for (key, value, said) in [
            ("image.tag", "{tag}", "`agent/v1.8.0` is no tag of an image: `image.tag` would be"),
            ("image.digest", "{version}", "`v1.8.0` is no digest: `image.digest` would be"),
        ] {
            let rules = rules(&[(key, None, Some(value))]);
            let failure =
                moved(&rules, &[("values.yaml", "x: 1\n")], &[("values.yaml", target)]).unwrap_err();
            let text = failure.to_string();
            assert!(text.contains(said) && text.contains("\nhint: "), "{text}");
        }
    }

    #[test]
    fn a_made_value_that_the_target_lacks_is_drift_or_added() {
        let rules = rules(&[("source.revision", None, Some("{tag}"))]);
        let source = overlay("staging", &[("values.yaml", "source: {revision: main, path: a}\n")]);
        let target = overlay("prod", &[("values.yaml", "source:\n  path: a\n")]);
        let commit = CommitSha::parse("3f1c9abd00112233445566778899aabbccddeeff").unwrap();
        let release = Released { tag: "agent/v1.8.0", version: "v1.8.0", commit: &commit };
        let moved = |missing| movement(&source, &target, &rules, Some(release), missing).unwrap();
        let listed = moved(Missing::List);
        assert!(listed.drift.iter().any(|drift| drift.pin && drift.key == "source.revision"));
        assert!(listed.files.is_empty());
        assert_eq!(changes(&moved(Missing::Add)), ["3 source.revision · -> agent/v1.8.0"]);
        assert_eq!(warnings(&moved(Missing::Add)), [""; 0]);
    }

    #[test]
    fn beside_a_made_tag_that_is_added_no_digest_of_another_is() {
        let rules = rules(&[("default", None, None), ("image.tag", None, Some("{version}"))]);
        let source = "image: {repository: r/a, tag: main, digest: 'sha256:bb'}\n";
        let source = overlay("staging", &[("values.yaml", source)]);
        let target = overlay("prod", &[("values.yaml", "image:\n  repository: r/a\n")]);
        let commit = CommitSha::parse("3f1c9abd00112233445566778899aabbccddeeff").unwrap();
        let release = Released { tag: "agent/v1.8.0", version: "v1.8.0", commit: &commit };
        let moved = movement(&source, &target, &rules, Some(release), Missing::Add).unwrap();
        assert_eq!(changes(&moved), ["3 image.tag · -> v1.8.0"]);
    }

    #[test]
    fn a_rule_may_name_its_file() {
        let rules = rules(&[("version", Some("Chart.yaml"), None)]);
        let source = [("values.yaml", "version: v2\n"), ("Chart.yaml", "name: a\nversion: v2\n")];
        let target = [("values.yaml", "version: v1\n"), ("Chart.yaml", "name: a\nversion: v1\n")];
        assert_eq!(changes(&moved(&rules, &source, &target).unwrap()), ["2 version v1 -> v2"]);
    }

    #[test]
    fn a_rule_that_names_nothing_is_told_with_its_overlay() {
        let rules = rules(&[
            ("image.tag", None, None),
            ("revison", None, Some("{tag}")),
            ("x", Some("no.yaml"), None),
        ]);
        let files = |tag| format!("image: {{tag: {tag}}}\nrevision: main\nx: 1\n");
        let moved =
            moved(&rules, &[("values.yaml", &files("v2"))], &[("values.yaml", &files("v1"))]).unwrap();
        assert_eq!(
            warnings(&moved),
            ["`prod`: `revison` in `pins` names nothing", "`staging`: `x` in `pins` names nothing"]
        );
    }

    #[test]
    fn the_default_set_is_a_word_among_patterns_and_has_no_value() {
        let said = PinRule::new("default", None, Some("{tag}")).unwrap_err().to_string();
        assert!(said.contains("has no `value`"), "{said}");
        let rules = rules(&[("default", None, None), ("build.id", None, None)]);
        let files = |n| format!("image: {{tag: v{n}}}\nbuild: {{id: b{n}}}\nother: o{n}\n");
        let moved = moved(&rules, &[("values.yaml", &files(2))], &[("values.yaml", &files(1))]).unwrap();
        assert_eq!(changes(&moved), ["1 image.tag v1 -> v2", "2 build.id b1 -> b2"]);
    }
}
