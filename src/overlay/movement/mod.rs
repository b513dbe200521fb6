//! From the source overlay's pins to the target's files: the one function that the flow asks.
//!
//! It joins what the files beside it decide, has the byte editor make the edits, and describes them.
//! The same two overlays give the same movement, byte for byte; the second time nothing moves.

mod artifacts;
mod couple;
mod drift;
mod fixed;
mod held;
mod images;
mod overrides;
mod places;
mod unpinned;
mod values;

use std::collections::BTreeMap;

use self::artifacts::artifacts;
use self::couple::{Couple, Couples, couples, is_number};
use self::drift::{Seen, drift};
use self::held::{not_held, without_place};
use self::overrides::{overrides, stale_locks};
use self::values::{ignored_sources, overridden_values, unreached, untyped_parameters};
use crate::failure::{Failure, Kind, Place, Problem, Result};
use crate::names::RepoPath;
use crate::overlay::OverlayFile;
use crate::overlay::editor::document::Document;
use crate::overlay::editor::edit::{Anchors, Edit, edited};
use crate::overlay::pins::files::NamedFile;
use crate::overlay::pins::reading::{FileReading, Reading};
use crate::overlay::pins::rules::{Given, PinRules};
use crate::overlay::pins::template::Released;
use crate::overlay::pins::{Overlay, Pin};
use crate::plan::{Artifact, Change, Drift};

/// What happens to a pin that only the source has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// It is listed as drift.
    List,
    /// It is added, where the target has a place for it.
    Add,
}

/// A file of the target, before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEdit {
    /// Path in the repository.
    pub path: RepoPath,
    /// Git's mode, which stays.
    pub mode: u32,
    /// Its bytes as they are.
    pub before: Vec<u8>,
    /// Its bytes as they will be.
    pub after: Vec<u8>,
}

/// Everything that moves from one overlay to another, and what does not.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Movement {
    /// The changed files, sorted by path.
    pub files: Vec<FileEdit>,
    /// Every changed value, sorted by file and line.
    pub changes: Vec<Change>,
    /// What the changes mean.
    pub artifacts: Vec<Artifact>,
    /// What differs in shape.
    pub drift: Vec<Drift>,
    /// What the source pins and the target will not hold; with any, the release does not run there.
    pub lacking: Vec<String>,
    /// What a reviewer should know, sorted by place.
    pub warnings: Vec<Problem>,
}

impl Movement {
    /// Whether any value becomes another; a number that is only quoted is no other version.
    #[must_use]
    pub fn moves(&self) -> bool {
        self.changes.iter().any(|change| change.before != change.after)
    }
}

/// What has to change for the target to run what the source runs; with a `release`, pins that the settings
/// make of it get that value. Without one they are copied as the others are.
///
/// # Errors
///
/// An overlay without files, or that cannot be read; a pin that cannot be set safely; a line of the
/// target that would win over what is promoted; a lock that would be stale. Nothing is half done.
pub fn movement(
    source: &Overlay,
    target: &Overlay,
    rules: &PinRules,
    release: Option<Released<'_>>,
    missing: Missing,
) -> Result<Movement> {
    together([has_files(source), has_files(target)])?;
    let (source, target) = match (Reading::of(source, rules), Reading::of(target, rules)) {
        (Ok(source), Ok(target)) => (source, target),
        (source, target) => {
            together([source.map(drop), target.map(drop)])?;
            return Ok(Movement::default());
        }
    };
    let target = target.called_as_in(&source);
    let mut lacking = without_place(&source, &target, rules);
    let source = match release {
        Some(release) => source.releasing(release, &target),
        None => source,
    };
    let Couples { found: couples, left, mut warnings, .. } = couples(&source, &target, missing)?;
    lacking.extend(not_held(&source, &target, &couples));
    lacking.sort();
    lacking.dedup();
    let over_images = overrides(&source, &target, &couples);
    let over_values = overridden_values(&source, &target, &couples);
    together([
        over_images.map(|said| warnings.extend(said)),
        over_values.map(|said| warnings.extend(said)),
        stale_locks(&target, &couples),
    ])?;
    warnings.extend(numbers(&source, &couples));
    warnings.extend(untyped_parameters(&target, &couples));
    let in_texts = unreached(&source);
    warnings.extend(if in_texts.is_empty() { unreached(&target) } else { in_texts });
    warnings.extend([&source, &target].into_iter().flat_map(ignored_sources));
    warnings.extend(nowhere(&source, &target));
    warnings.extend(idle_patterns(rules, &source, &source.pins, Given::BySource));
    // After the release was asked, the source has what either of the two pins by it.
    let given = if release.is_some() { &source.pins } else { &target.pins };
    warnings.extend(idle_patterns(rules, &target, given, Given::ByRelease));

    let (files, changes, said) = edited_files(&target, &couples)?;
    warnings.extend(said);
    let documents = after_documents(&files)?;
    let after = shapes(&target, &documents);
    let by_name = after.iter().map(|(name, shape)| (*name, shape.document)).collect();
    warnings.sort_by(|a, b| (&a.place, &a.message).cmp(&(&b.place, &b.message)));
    warnings.dedup();
    Ok(Movement {
        artifacts: artifacts(&couples, &by_name),
        drift: drift(&shapes(&source, &BTreeMap::new()), &after, &left),
        lacking,
        files,
        changes,
        warnings,
    })
}

/// Whether there is anything to read at all.
fn has_files(overlay: &Overlay) -> Result<()> {
    if !overlay.files.is_empty() {
        return Ok(());
    }
    let (path, environment) = (overlay.path.as_str(), &overlay.environment);
    let name = |named: &NamedFile| format!("`{}`", overlay.name_of(&named.path));
    let names: Vec<_> = overlay.named.iter().map(name).collect();
    let message = format!("the overlay of `{environment}` has none of {}", names.join(", "));
    let first = overlay.named.first().map_or("values.yaml", |named| named.path.as_str());
    Err(Failure::at(Kind::Overlay, Place::of(path), message)
        .hinted(format!("add `{first}`, or say in the settings where `{environment}` is")))
}

/// All failures of several results as one.
fn together<const N: usize>(results: [Result<()>; N]) -> Result<()> {
    let failures = results.into_iter().filter_map(Result::err);
    Failure::several(Kind::Overlay, failures.flat_map(Failure::into_problems).collect()).map_or(Ok(()), Err)
}

type Edited = (Vec<FileEdit>, Vec<Change>, Vec<Problem>);

/// Every edit of a file at once, each file on its own, all problems together.
fn edited_files(target: &Reading<'_>, couples: &[Couple<'_>]) -> Result<Edited> {
    let (mut files, mut changes, mut warnings, mut problems) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    // A file of several parts is edited once.
    let mut edits: BTreeMap<&RepoPath, (&OverlayFile, Vec<Edit>)> = BTreeMap::new();
    for couple in couples.iter().filter(|couple| !couple.edits.is_empty()) {
        let Some(FileReading { file, .. }) = couple.group().and_then(|(name, _)| target.files.get(name))
        else {
            continue;
        };
        edits.entry(&file.path).or_insert((file, Vec::new())).1.extend(couple.edits.iter().cloned());
    }
    for (file, edits) in edits.values() {
        match edited(&file.path, &file.bytes, edits, Anchors::Refuse) {
            Ok(done) => {
                warnings.extend(done.warnings);
                changes.extend(done.changes.into_iter().map(|change| Change {
                    file: file.path.clone(),
                    key: change.key.to_string(),
                    line: change.line,
                    before: change.before,
                    after: change.after,
                }));
                files.push(FileEdit {
                    path: file.path.clone(),
                    mode: file.mode,
                    before: file.bytes.clone(),
                    after: done.bytes,
                });
            }
            Err(failure) => problems.extend(
                failure
                    .hinted("write the value out in the target, or name the pins to promote by `pins`")
                    .into_problems(),
            ),
        }
    }
    if let Some(failure) = Failure::several(Kind::Overlay, problems) {
        return Err(failure);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    changes.sort_by(|a, b| (&a.file, a.line, &a.key).cmp(&(&b.file, b.line, &b.key)));
    Ok((files, changes, warnings))
}

fn after_documents(files: &[FileEdit]) -> Result<BTreeMap<&RepoPath, Document>> {
    files.iter().map(|file| Ok((&file.path, Document::parse(&file.path, &file.after)?))).collect()
}

/// The files of an overlay, with those that change as they will stand.
fn shapes<'r>(
    reading: &'r Reading<'_>,
    after: &'r BTreeMap<&RepoPath, Document>,
) -> BTreeMap<&'r str, Seen<'r>> {
    let seen = |(name, file): (&'r String, &'r FileReading<'_>)| {
        let document = after.get(&file.file.path).unwrap_or(&file.document);
        (name.as_str(), Seen { path: &file.file.path, document, shape: file.shape, parts: &file.parts })
    };
    reading.files.iter().map(seen).collect()
}

/// Promoted values that other programs read as numbers, dates or booleans: `1.10` is 1.1 to them.
fn numbers(source: &Reading<'_>, couples: &[Couple<'_>]) -> Vec<Problem> {
    let pins = couples.iter().flat_map(|couple| &couple.source).filter(|pin| !pin.is_given());
    pins.filter_map(|pin| {
        let file = source.file_of(pin)?;
        let node = file.document.read(&pin.key)?;
        is_number(node).then(|| Problem {
            place: Some(pin.place()),
            message: format!(
                "`{}` is written without quotes: `{}` is no text to every reader",
                pin.key,
                pin.value.escape_debug()
            ),
            hints: vec![format!(
                "quote it in {}; it is promoted as it is written, as text",
                source.overlay.environment
            )],
        })
    })
    .collect()
}

/// Files that the settings name and neither overlay has: a slip of the pen as often as a plan.
fn nowhere(source: &Reading<'_>, target: &Reading<'_>) -> Vec<Problem> {
    let is_there = |name: &String| source.files.contains_key(name) || target.files.contains_key(name);
    let absent =
        target.overlay.named.iter().filter(|named| named.is_from_settings() && !is_there(&named.name));
    let problem = |named: &NamedFile| Problem {
        place: Some(Place::of(named.path.as_str())),
        message: format!("`{}` in `files` is in neither overlay", named.name.escape_debug()),
        hints: vec!["correct it, or remove it".to_owned()],
    };
    absent.map(problem).collect()
}

fn idle_patterns(rules: &PinRules, reading: &Reading<'_>, pins: &[Pin], given: Given) -> Vec<Problem> {
    let problem = |pattern: &str| Problem {
        place: Some(Place::of(reading.overlay.path.as_str())),
        message: format!("`{}` in `pins` names nothing", pattern.escape_debug()),
        hints: vec!["correct it, or remove it".to_owned()],
    };
    rules.idle(pins, given).into_iter().map(problem).collect()
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
    use crate::overlay::testing::{moved_by, overlay, rules};

    const STAGING: &str = "\
# Staging runs what main built.
image:
  repository: ghcr.io/acme/fraud-agent
  tag: \"v1.8.0\" # written by the staging pipeline
  digest: sha256:b8b8
replicaCount: 1

model:
  name: scoring
  version: 2026-09-15   # golden set 0.94
  digest: sha256:d8d8
prompt: {name: triage, version: v12}
dataset: {name: synthetic, version: v9, tag: v9, digest: sha256:b9b9}

sidecars:
  - name: proxy
    image: docker.io/envoyproxy/envoy:v1.31@sha256:e1e1
  - name: metrics
    image: {repository: quay.io/prometheus/statsd-exporter, tag: v0.27}

features:
  streaming: true
";

    const PROD: &str = "\
# Production: 24/7, two regions.

image:
    repository: registry.prod.acme.example:5000/acme/fraud-agent
    tag: 'v1.7.3'    # do not edit by hand
    pullPolicy: IfNotPresent

replicaCount:   6
resources: { limits: { cpu: \"2\", memory: 4Gi } }

sidecars:
    - image:
        tag: v0.26 # metrics
        repository: mirror.acme.example/statsd-exporter
      name: metrics
    - {name: proxy, image: \"mirror.acme.example/envoy:v1.30\"}

prompt: {name: triage, version: \"v11\", owner: risk}
dataset: {name: production, version: v3, tag: v3, digest: sha256:c3c3}
model:
    version: \"2026-05-01\"
    digest: sha256:c7c7
    name: scoring
";

    #[test]
    fn a_real_promotion_changes_the_promoted_values_and_nothing_else() {
        let moved =
            moved_by(&[("values.yaml", STAGING)], &[("values.yaml", PROD)], &[], Missing::List).unwrap();
        let expected = PROD
            .replace(
                "'v1.7.3'    # do not edit by hand\n",
                "'v1.8.0'    # do not edit by hand\n    digest: sha256:b8b8\n",
            )
            .replace("v0.26 #", "v0.27 #")
            .replace("envoy:v1.30\"", "envoy:v1.31@sha256:e1e1\"")
            .replace("\"v11\"", "\"v12\"")
            .replace("2026-05-01", "2026-09-15")
            .replace("c7c7", "d8d8");
        assert_eq!(String::from_utf8(moved.files[0].after.clone()).unwrap(), expected);
        assert_eq!(moved.changes.len(), 7);
        let drift: Vec<_> = moved.drift.iter().map(|drift| drift.key.as_str()).collect();
        assert_eq!(drift, ["image.pullPolicy", "prompt.owner", "resources", "features"]);
        let said: Vec<_> = moved.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "`environments/staging/values.yaml:10:12`: `model.version` is written without quotes: `2026-09-15` is no text to every reader"
            ]
        );
    }

    #[test]
    fn every_change_names_the_line_where_it_will_stand() {
        let moved =
            moved_by(&[("values.yaml", STAGING)], &[("values.yaml", PROD)], &[], Missing::List).unwrap();
        let text = String::from_utf8(moved.files[0].after.clone()).unwrap();
        let lines: Vec<_> = text.lines().collect();
        for change in &moved.changes {
            let (line, after) = (lines[change.line as usize - 1], change.after.as_ref().unwrap());
            assert!(line.contains(after.as_str()), "{}: {line}", change.key);
        }
        assert!(moved.changes.is_sorted_by_key(|change| change.line));
    }

    #[test]
    fn an_overlay_without_files_is_an_error_that_names_the_folder_and_the_files() {
        let said = moved_by(&[], &[], &[], Missing::List).unwrap_err().to_string();
        for part in [
            "`environments/staging`: the overlay of `staging` has none of `values.yaml`, ",
            "`environments/prod`: the overlay of `prod` has none of ",
            "\nhint: add `environments/prod/values.yaml`",
        ] {
            assert!(said.contains(part), "{said}");
        }
    }

    #[test]
    fn mistakes_of_both_overlays_are_reported_together() {
        let said = moved_by(&[("values.yaml", "a: [")], &[("values.yaml", "b: {")], &[], Missing::List);
        assert_eq!(said.unwrap_err().problems().len(), 2);
    }

    #[test]
    fn a_link_in_either_overlay_is_refused() {
        for linked in [0, 1] {
            let mut overlays =
                [overlay("staging", &[("values.yaml", "a: 1")]), overlay("prod", &[("values.yaml", "a: 1")])];
            overlays[linked].files[0].mode = 0o120_000;
            let said = movement(&overlays[0], &overlays[1], &rules(&[]), None, Missing::List)
                .unwrap_err()
                .to_string();
            assert!(said.contains("a symbolic link"), "{said}");
        }
    }

    #[test]
    fn the_mode_of_a_file_stays() {
        let staging = overlay("staging", &[("values.yaml", "image: {tag: v2}")]);
        let mut prod = overlay("prod", &[("values.yaml", "image: {tag: v1}")]);
        prod.files[0].mode = 0o100_755;
        assert_eq!(
            movement(&staging, &prod, &rules(&[]), None, Missing::List).unwrap().files[0].mode,
            0o100_755
        );
    }

    /// The files of a movement put into the target.
    fn applied(target: &Overlay, movement: &Movement) -> Overlay {
        let mut target = target.clone();
        for edit in &movement.files {
            let file = target.files.iter_mut().find(|file| file.path == edit.path).unwrap();
            assert_eq!(file.bytes, edit.before);
            file.bytes.clone_from(&edit.after);
        }
        target
    }

    fn any_pin() -> impl Strategy<Value = String> {
        let (tag, digest) = ("(v[0-9]|[0-9]\\.10|yes|'')?", "(, digest: 'sha256:[ab]{2}')?");
        let repository = "(, repository: [xy]/[ab])?";
        (tag, digest, repository, 0..5_u8).prop_map(|(tag, digest, repository, shape)| match shape {
            0 => format!("image: {{tag: {tag}{digest}{repository}}}"),
            1 => format!("image: 'r.io/a:v{}'", tag.len()),
            2 => format!("job: {{on: true, image: 'r.io/a:v{}'}}", tag.len()),
            3 => "job: {on: true}".to_owned(),
            _ => format!("model: {{name: m, version: {tag}{digest}}}"),
        })
    }

    fn any_values() -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec(any_pin(), 1..5)
    }

    fn list(items: &[String], reversed: Order) -> String {
        let mut lines: Vec<_> =
            items.iter().enumerate().map(|(n, item)| format!("- name: n{n}\n  {item}\n")).collect();
        if reversed == Order::Reversed {
            lines.reverse();
        }
        format!("# values\nitems:\n{}", lines.concat())
    }

    #[derive(Clone, Copy, PartialEq)]
    enum Order {
        AsIs,
        Reversed,
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_second_time_nothing_moves(source in any_values(), target in any_values(), add in any::<bool>()) {
            let missing = if add { Missing::Add } else { Missing::List };
            let source = overlay("staging", &[("values.yaml", &list(&source, Order::AsIs))]);
            let target = overlay("prod", &[("values.yaml", &list(&target, Order::AsIs))]);
            let Ok(first) = movement(&source, &target, &rules(&[]), None, missing) else { return Ok(()) };
            let target = applied(&target, &first);
            let second = movement(&source, &target, &rules(&[]), None, missing).unwrap();
            prop_assert_eq!(second.changes, vec![]);
            prop_assert!(second.files.is_empty() && second.artifacts.is_empty());
            prop_assert_eq!(second.drift, first.drift);
        }

        #[test]
        fn the_order_of_items_and_files_never_matters(source in any_values(), target in any_values()) {
            let images = |tag: &str, order| {
                let mut items = [format!("{{name: a, newTag: {tag}}}"), format!("{{name: b, newTag: {tag}}}")];
                if order == Order::Reversed { items.reverse(); }
                format!("images: [{}]\n", items.join(", "))
            };
            let both = |name, items: &[String], tag, order| {
                let (values, images) = (list(items, order), images(tag, order));
                let mut files = [("values.yaml", values.as_str()), ("kustomization.yaml", images.as_str())];
                if order == Order::Reversed { files.reverse(); }
                overlay(name, &files)
            };
            let target = both("prod", &target, "v1", Order::AsIs);
            let straight = movement(&both("staging", &source, "v2", Order::AsIs), &target, &rules(&[]), None, Missing::List);
            let reversed = movement(&both("staging", &source, "v2", Order::Reversed), &target, &rules(&[]), None, Missing::List);
            match (straight, reversed) {
                (Ok(straight), Ok(reversed)) => {
                    prop_assert_eq!(straight.files, reversed.files);
                    prop_assert_eq!(straight.changes, reversed.changes);
                    prop_assert_eq!(straight.artifacts, reversed.artifacts);
                    prop_assert_eq!(straight.drift, reversed.drift);
                }
                (straight, reversed) => prop_assert!(straight.is_err() && reversed.is_err()),
            }
        }
    }
}
