//! Pins: the version-bearing values of an overlay, by the default set or by a team's own patterns.
//!
//! A pin is found by what its key path and its neighbours say. What a value looks like alone makes none; it says
//! how one moves: as a one-string image, as a remote's ref, as it is written.
//! Nothing here changes a file or compares two overlays.

pub mod files;
pub mod moving;
pub mod pattern;

pub(in crate::overlay) mod argo;
pub(in crate::overlay) mod chart;
pub(in crate::overlay) mod flux;
pub(in crate::overlay) mod helm;
pub(in crate::overlay) mod image;
pub(in crate::overlay) mod kustomize;
pub(in crate::overlay) mod layer;
mod own;
pub(in crate::overlay) mod parts;
pub(in crate::overlay) mod reading;
pub(in crate::overlay) mod remote;
pub mod rules;
pub(in crate::overlay) mod scope;
pub mod template;

use self::files::NamedFile;
use self::image::{has_one_name, tag_and_digest, tagged};
use self::layer::Layer;
use self::reading::Reading;
use self::rules::{PinRules, Place as RulePlace, Said};
use self::template::{Released, Template};
use crate::failure::{Place, Result};
use crate::names::RepoPath;
use crate::overlay::OverlayFile;
use crate::overlay::editor::key_path::KeyPath;

/// An environment's folder as it is at one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    /// `staging`, `prod`, …
    pub environment: String,
    /// The folder.
    pub path: RepoPath,
    /// Which files make it; of Helm values, a later one wins over those before it.
    pub named: Vec<NamedFile>,
    /// Those of them that there are, in any order.
    pub files: Vec<OverlayFile>,
}

/// What a pin versions, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PinKind {
    /// An image's tag.
    ImageTag,
    /// An image's digest.
    ImageDigest,
    /// Tag and digest in a one-string image reference.
    ImageReference,
    /// A model's version.
    ModelVersion,
    /// A model's revision.
    ModelRevision,
    /// A model's digest.
    ModelDigest,
    /// A prompt's version.
    PromptVersion,
    /// A prompt's digest.
    PromptDigest,
    /// The version of a Helm chart that an overlay depends on.
    ChartVersion,
    /// The ref of a remote Kustomize resource.
    RemoteRef,
    /// A value that only the settings name.
    Other,
}

/// One version-bearing value of an overlay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Path in the repository.
    pub file: RepoPath,
    /// Path in the overlay.
    pub name_in_overlay: String,
    /// Where it stands in the file.
    pub key: KeyPath,
    /// What it is.
    pub kind: PinKind,
    /// The image's repository, the model's or chart's name, the remote's URL, else a key.
    pub artifact: String,
    /// The version-bearing text alone; empty for null.
    pub value: String,
    /// 1-based line of the value.
    pub line: u32,
    /// 1-based column of the value, in characters.
    pub column: u32,
    /// The image's repository, where the overlay says it.
    pub(in crate::overlay) repository: Option<String>,
    /// Which part of what an operator puts together it is in: the later wins.
    pub(in crate::overlay) layer: Layer,
    /// The place of its file among those of plain Helm values: the later wins.
    pub(in crate::overlay) rank: Option<usize>,
    /// Where it stands in its part of the file: what patterns name.
    pub(in crate::overlay) named: KeyPath,
    /// The part of the file.
    pub(in crate::overlay) part: String,
    /// Its group's second name by the part's kind alone, where the file has no other object of it.
    pub(in crate::overlay) alone: Option<String>,
    /// How many of the first steps there are no places in lists, but have names of their own.
    pub(in crate::overlay) settled: usize,
    /// What it is called in every overlay, whatever its place: the file's name, then what it versions.
    pub(in crate::overlay) group: (String, String),
    /// Which part of its group it is.
    pub(in crate::overlay) member: Member,
    /// What makes it a pin.
    pub(in crate::overlay) said: Said,
    /// How its value is made, where the settings say so; else it comes from the source overlay.
    pub(in crate::overlay) template: Option<Template>,
}

/// The part a pin plays in what is versioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::overlay) enum Member {
    /// A tag or version.
    Version,
    /// A model's revision.
    Revision,
    /// The digest that goes with it.
    Digest,
    /// All there is.
    Whole,
}

/// What a file's own rules say about a scalar.
pub(in crate::overlay) struct Meaning {
    pub(in crate::overlay) kind: PinKind,
    pub(in crate::overlay) artifact: String,
    pub(in crate::overlay) repository: Option<String>,
    pub(in crate::overlay) value: String,
    pub(in crate::overlay) group: String,
    /// How many steps of its path the group's name stands for.
    pub(in crate::overlay) settled: usize,
    pub(in crate::overlay) member: Member,
}

/// The pins of an overlay, sorted by file and place.
///
/// # Errors
///
/// A file that is a link, no UTF-8 or no YAML; a pin that is an alias, is written twice, or whose list
/// item is not the only one of its name. All of them are reported.
pub fn pins(overlay: &Overlay, rules: &PinRules) -> Result<Vec<Pin>> {
    Ok(Reading::of(overlay, rules)?.pins)
}

/// The pins of `a` that are also in `b`: two apps must not claim one.
#[must_use]
pub fn shared_pins<'a>(a: &'a [Pin], b: &[Pin]) -> Vec<&'a Pin> {
    a.iter().filter(|pin| b.iter().any(|other| other.file == pin.file && other.key == pin.key)).collect()
}

/// The folder in which a file stands: files of Helm values in one are taken to be of one chart.
pub(in crate::overlay) fn folder(file: &RepoPath) -> &str {
    file.as_str().rsplit_once('/').map_or("", |(folder, _)| folder)
}

impl Overlay {
    /// A file's path in the overlay; in the repository, where it stands outside of its folder.
    pub(in crate::overlay) fn name_of<'f>(&self, file: &'f RepoPath) -> &'f str {
        let below = file.as_str().strip_prefix(self.path.as_str()).filter(|_| self.path.contains(file));
        below.map_or(file.as_str(), |name| name.trim_start_matches('/'))
    }

    /// The place of a file, by what every overlay calls it, among those that make the overlay.
    pub(in crate::overlay) fn rank_of(&self, name: &str) -> usize {
        self.named.iter().position(|named| named.name == name).unwrap_or_default()
    }
}

impl Pin {
    /// The tag, version or ref, where there is one: what can equal a release's version.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        if let Some(template) = &self.template {
            let tag = if self.kind == PinKind::ImageReference {
                tag_and_digest(&self.value).0?
            } else {
                &self.value
            };
            return template.told(tag).or(Some(tag)).filter(|told| !told.is_empty());
        }
        match self.kind {
            PinKind::ImageDigest | PinKind::ModelDigest | PinKind::PromptDigest => None,
            PinKind::ImageReference => tag_and_digest(&self.value).0,
            PinKind::ImageTag if tagged(&self.value).is_some() => tagged(&self.value).map(|(tag, _)| tag),
            _ => Some(self.value.as_str()).filter(|value| !value.is_empty()),
        }
    }

    /// The digest, where there is one.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        match self.kind {
            PinKind::ImageDigest | PinKind::ModelDigest | PinKind::PromptDigest => {
                Some(self.value.as_str()).filter(|value| !value.is_empty())
            }
            PinKind::ImageReference => tag_and_digest(&self.value).1,
            PinKind::ImageTag => tagged(&self.value).map(|(_, digest)| digest),
            _ => None,
        }
    }

    /// Whether it pins an image, by whatever part.
    #[must_use]
    pub fn is_of_image(&self) -> bool {
        matches!(self.kind, PinKind::ImageTag | PinKind::ImageDigest | PinKind::ImageReference)
    }

    /// Whether its value follows from the release, by the `value` of a rule, and not from the source overlay.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.template.is_some()
    }

    /// The same pin with the value that a release gives it; one without a rule for that has none.
    pub(in crate::overlay) fn given(&self, release: Released<'_>) -> Option<Self> {
        let value = self.template.as_ref()?.filled(release);
        Some(Self { value, ..self.clone() })
    }

    /// Where it stands, as far as rules ask.
    fn at(&self) -> RulePlace<'_> {
        RulePlace { name: &self.group.0, file: &self.name_in_overlay, path: &self.named }
    }

    /// Where it stands.
    #[must_use]
    pub fn place(&self) -> Place {
        Place::at(self.file.as_str(), self.line, self.column)
    }

    /// Whether a later values file of one folder says something else at its place.
    pub(in crate::overlay) fn is_overridden_by(&self, later: &Self) -> bool {
        let is_another = self.repository.as_deref().zip(later.repository.as_deref());
        let is_another = is_another.is_some_and(|(one, other)| !has_one_name(one, other));
        self.rank.is_some()
            && !is_another
            && self.rank < later.rank
            && (&self.named, self.member) == (&later.named, later.member)
            && !later.value.is_empty()
            && self.value != later.value
            && folder(&self.file) == folder(&later.file)
    }

    /// Whether two pins are the same one in two overlays.
    pub(in crate::overlay) fn is_counterpart_of(&self, other: &Self) -> bool {
        let is_only = self.alone.is_some() && self.alone == other.alone;
        let is_called_so = self.group.1 == other.group.1 || is_only;
        self.group.0 == other.group.0 && is_called_so && self.member == other.member
    }
}

/// `image.tag = v1.7.3 (values.yaml:9)`, for people who ask what was looked at.
impl std::fmt::Display for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = if self.value.is_empty() { "nothing" } else { &self.value };
        write!(f, "{} = {} ({}:{})", self.key, value.escape_debug(), self.name_in_overlay, self.line)
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

    use super::files::OVERLAY_FILES;
    use super::*;
    use crate::overlay::testing::{listed, overlay, pins_of, refusal, rules};

    #[test]
    fn own_patterns_replace_the_default_set() {
        let text = "\
image: {repository: acme/a, tag: v1, digest: sha256:aa}
model: {name: m, version: v7}
defaults: {tag: &t v3, apiTag: v4, apiDigest: sha256:cc}
job: {ref: 'ghcr.io/acme/job:v5', base: 'github.com/a/b?ref=v6', repository: acme/job}
flags: [x, y]
";
        let table: [(&[&str], &[&str]); 7] = [
            (
                &["image.{tag,digest}"],
                &["image.tag ImageTag acme/a = v1", "image.digest ImageDigest acme/a = sha256:aa"],
            ),
            (&["model.version"], &["model.version ModelVersion m = v7"]),
            (
                &["defaults.*"],
                &[
                    "defaults.tag ImageTag defaults = v3",
                    "defaults.apiTag ImageTag defaults.api = v4",
                    "defaults.apiDigest ImageDigest defaults.api = sha256:cc",
                ],
            ),
            (
                &["job.*"],
                &["job.ref ImageReference ghcr.io/acme/job = v5", "job.base RemoteRef github.com/a/b = v6"],
            ),
            (&["flags[0]"], &["flags[0] Other flags[0] = x"]),
            (
                &["**.tag"],
                &[
                    "image.tag ImageTag acme/a = v1",
                    // Beside the tag, and therefore moved with it.
                    "image.digest ImageDigest acme/a = sha256:aa",
                    "defaults.tag ImageTag defaults = v3",
                ],
            ),
            (&["image", "nothing.here"], &[]),
        ];
        for (patterns, expected) in table {
            assert_eq!(listed("values.yaml", text, patterns), expected, "{patterns:?}");
        }
    }

    #[test]
    fn aliases_and_doubles_are_refused_with_their_places() {
        let table = [
            ("t: &t v1\nimage:\n  tag: *t\n", "values.yaml:3:8`: `image.tag` is an alias of `*t`"),
            ("image:\n  tag: v1\n  tag: v2\n", "values.yaml:3:3`: `image.tag` is written more than once"),
            ("image: {tag: v1}\nimage: {tag: v2}\n", "`image` is written more than once"),
        ];
        for (text, said) in table {
            let refusal = refusal(&[("values.yaml", text)], &[]);
            assert!(refusal.contains(said) && refusal.contains("\nhint: "), "{refusal}");
        }
        assert_eq!(refusal(&[("values.yaml", table[1].0)], &[]).matches("error: ").count(), 1);
    }

    #[test]
    fn an_alias_is_no_obstacle_where_patterns_name_the_anchor() {
        let text = "defaults: {tag: &t v1}\nimage: {tag: *t}\n";
        assert_eq!(listed("values.yaml", text, &["defaults.tag"]), ["defaults.tag ImageTag defaults = v1"]);
    }

    #[test]
    fn links_and_foreign_encodings_are_refused_and_every_file_is_reported() {
        let mut staging = overlay(
            "staging",
            &[("values.yaml", "a: 1"), ("kustomization.yaml", ""), ("Chart.yaml", "a: [")],
        );
        staging.files[0].mode = 0o120_000;
        staging.files[1].bytes = b"a: \xff".to_vec();
        let said = pins(&staging, &PinRules::default()).unwrap_err().to_string();
        for part in [
            "values.yaml`: the file is a symbolic link",
            "kustomization.yaml:1:4`: the file is not UTF-8",
            "Chart.yaml:",
        ] {
            assert!(said.contains(part), "{said}");
        }
        assert_eq!(said.matches("error: ").count(), 3, "{said}");
    }

    #[test]
    fn pins_know_their_file_and_place() {
        let pins = pins_of(&[
            ("values.yaml", "# c\nimage:\n  tag: \"v1\"\n"),
            ("sub/values.yaml", "image: {tag: v2}\n"),
            ("notes.yaml", "image: {tag: v3}\n"),
        ]);
        let places: Vec<_> =
            pins.iter().map(|pin| (pin.name_in_overlay.as_str(), pin.line, pin.column)).collect();
        assert_eq!(places, [("sub/values.yaml", 1, 14), ("values.yaml", 3, 8)]);
        assert_eq!(pins[1].to_string(), "image.tag = v1 (values.yaml:3)");
        assert_eq!(pins[1].place().to_string(), "environments/staging/values.yaml:3:8");
    }

    #[test]
    fn a_pin_that_two_apps_match_is_found() {
        let shared = overlay("staging", &[("values.yaml", "a: {image: {tag: v1}}\nb: {image: {tag: v2}}\n")]);
        let all = pins(&shared, &PinRules::default()).unwrap();
        let one = pins(&shared, &rules(&["b.**.tag"])).unwrap();
        assert_eq!(
            shared_pins(&all, &one).iter().map(|pin| pin.key.to_string()).collect::<Vec<_>>(),
            ["b.image.tag"]
        );
        let other = overlay("prod", &[("values.yaml", "a: {image: {tag: v1}}\n")]);
        assert!(shared_pins(&all, &pins(&other, &PinRules::default()).unwrap()).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_file_has_pins_or_is_refused(text in "([a-c]: |image|tag: |name: |- |\\{|\\}|\\[|\\]|, |\n|  |&a |\\*a |v1:2@|<<: |\\PC){0,24}") {
            for name in OVERLAY_FILES {
                let _ = pins(&overlay("staging", &[(name, &text)]), &rules(&["**.*"]));
                let _ = pins(&overlay("staging", &[(name, &text)]), &PinRules::default());
            }
        }

        #[test]
        fn the_order_in_which_files_are_read_never_matters(swap in any::<bool>()) {
            let files = [("values.yaml", "image: {tag: v1}"), ("kustomization.yaml", "images: [{name: a, newTag: v1}]")];
            let mut read = overlay("staging", &files);
            let first = pins(&read, &PinRules::default()).unwrap();
            if swap { read.files.reverse(); }
            prop_assert_eq!(first, pins(&read, &PinRules::default()).unwrap());
        }
    }
}
