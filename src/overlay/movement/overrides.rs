//! What in an overlay would win over a promoted tag, and what a promotion would leave stale.
//!
//! Kustomize has the last word on images: an item of `images` that stays behind makes a new tag in
//! `values.yaml` a dead letter. Found here, never repaired: a person wrote it.

use super::couple::Couple;
use crate::failure::{Failure, Kind, Place, Problem, Result};
use crate::overlay::editor::document::Node;
use crate::overlay::editor::key_path::KeyPath;
use crate::overlay::pins::chart;
use crate::overlay::pins::files::Shape;
use crate::overlay::pins::image::{has_one_name, is_one_image};
use crate::overlay::pins::kustomize::{ImageEntry, image_entry};
use crate::overlay::pins::reading::{FileReading, Reading};
use crate::overlay::pins::scope::Scope;
use crate::overlay::pins::{Pin, PinKind};

/// Refuses items of `images` that would win over what is promoted: the target's, since prod would not run
/// it, and the source's, since staging did not.
///
/// Returns warnings about those that perhaps would, since the overlay does not say which image it runs.
pub(in crate::overlay) fn overrides(
    source: &Reading<'_>,
    target: &Reading<'_>,
    couples: &[Couple<'_>],
) -> Result<Vec<Problem>> {
    let (mut problems, mut warnings) = (Vec::new(), Vec::new());
    for (here, there) in [(source, target), (target, source)] {
        for (name, file) in here.files.iter().filter(|(_, file)| file.shape == Some(Shape::Kustomization)) {
            let list = KeyPath::root(0).key("images");
            let scope = Scope::at(&file.document, KeyPath::root(0));
            let count = scope.read(&list).map_or(0, |list| list.items().len());
            for item in (0..count).map(|index| list.index(index)) {
                let Some(entry) = image_entry(&scope, &item) else { continue };
                let elsewhere = repository_elsewhere(there, name, &entry);
                let moves = is_promoted(couples, &(name.clone(), format!("images[{}]", entry.name)));
                for couple in couples {
                    let Some(pin) = image_of_values(couple, target) else { continue };
                    let said = Override { here, there, file, couple, pin, entry: &entry, item: &item };
                    // Each overlay by its own name for the image: registries differ.
                    let own = pin.repository.as_ref().filter(|_| std::ptr::eq(here, source));
                    match own.or(couple.repository.as_ref()) {
                        Some(repository) => {
                            problems.extend(said.renamed(repository, elsewhere));
                            problems.extend(if moves { Vec::new() } else { said.over(repository) });
                        }
                        None if !moves => warnings.extend(said.perhaps()),
                        None => {}
                    }
                }
            }
        }
    }
    match Failure::several(Kind::Overlay, problems) {
        Some(failure) => Err(failure),
        None => Ok(warnings),
    }
}

/// Refuses a changed dependency beside a `Chart.lock`, which only Helm can bring up to date.
pub(in crate::overlay) fn stale_locks(target: &Reading<'_>, couples: &[Couple<'_>]) -> Result<()> {
    let mut problems = Vec::new();
    for couple in couples.iter().filter(|couple| !couple.edits.is_empty()) {
        let Some(pin) = couple.source.first() else { continue };
        let folder = pin.group.0.strip_suffix("Chart.yaml");
        let lock = folder.and_then(|folder| target.files.get(&format!("{folder}Chart.lock")));
        let Some(lock) = lock else { continue };
        let path = lock.file.path.as_str();
        let place = match chart::locked(&lock.document, &couple.artifact) {
            Some((line, column)) => Place::at(path, line, column),
            None => Place::of(path),
        };
        problems.push(Problem {
            place: Some(place),
            message: format!(
                "the lock would be stale: `{}` moves to `{}`",
                couple.artifact.escape_debug(),
                couple.version_after().unwrap_or_default().escape_debug()
            ),
            hints: vec![
                format!(
                    "remove `{path}` (the versions in `Chart.yaml` are promoted), or name the pins to promote by `pins`, without `dependencies`"
                ),
                "only `helm dependency update` can rewrite a lock".to_owned(),
            ],
        });
    }
    Failure::several(Kind::Overlay, problems).map_or(Ok(()), Err)
}

/// The source's first pin of an image that `values.yaml` names.
fn image_of_values<'c>(couple: &'c Couple<'_>, target: &Reading<'_>) -> Option<&'c Pin> {
    couple.source.iter().copied().find(|pin| {
        matches!(pin.kind, PinKind::ImageTag | PinKind::ImageDigest | PinKind::ImageReference)
            && target.part_of(pin).is_some_and(|part| part.shape == Shape::Values)
    })
}

/// Whether what a group pins moves with the promotion.
fn is_promoted(couples: &[Couple<'_>], group: &(String, String)) -> bool {
    let of = couples.iter().filter(|couple| couple.group() == Some(group));
    of.flat_map(|couple| couple.source.iter().map(move |pin| couple.after.contains_key(&pin.member)))
        .any(|is| is)
}

/// What the other overlay runs under the name of an item of `images`.
fn repository_elsewhere<'d>(there: &'d Reading<'_>, file: &str, entry: &ImageEntry<'d>) -> &'d str {
    let Some(file) = there.files.get(file) else { return entry.name };
    let list = KeyPath::root(0).key("images");
    let scope = Scope::at(&file.document, KeyPath::root(0));
    let count = scope.read(&list).map_or(0, |list| list.items().len());
    let mut entries = (0..count).filter_map(|index| image_entry(&scope, &list.index(index)));
    entries.find(|other| other.name == entry.name).map_or(entry.name, |other| other.repository)
}

/// One item of `images` against one promoted image.
struct Override<'t, 'o> {
    here: &'t Reading<'o>,
    there: &'t Reading<'o>,
    file: &'t FileReading<'o>,
    couple: &'t Couple<'t>,
    pin: &'t Pin,
    entry: &'t ImageEntry<'t>,
    item: &'t KeyPath,
}

impl Override<'_, '_> {
    /// The item makes another image of it, and the other overlay does not.
    fn renamed(&self, repository: &str, elsewhere: &str) -> Option<Problem> {
        let node = self.entry.new_name?;
        let renames =
            is_one_image(self.entry.name, repository) && !has_one_name(self.entry.repository, elsewhere);
        renames.then(|| self.problem("newName", node, &self.runs(self.entry.repository)))
    }

    /// The item gives it another tag or digest.
    fn over(&self, repository: &str) -> Vec<Problem> {
        let is_it =
            [self.entry.name, self.entry.repository].iter().any(|name| is_one_image(name, repository));
        let winning = if is_it { self.winning() } else { Vec::new() };
        let problem = |(key, node)| self.problem(key, node, &self.runs(node.as_str().unwrap_or_default()));
        winning.into_iter().map(problem).collect()
    }

    fn runs(&self, what: &str) -> String {
        format!("{} runs `{}`", self.here.overlay.environment, what.escape_debug())
    }

    fn perhaps(&self) -> Option<Problem> {
        let (key, node) = self.winning().into_iter().next()?;
        let problem = self.problem(key, node, "if they are one image");
        Some(Problem {
            hints: vec!["say the image's `repository` beside its tag, and it is checked".to_owned()],
            ..problem
        })
    }

    /// The tag and digest that differ from what is promoted.
    fn winning(&self) -> Vec<(&'static str, &Node)> {
        let promoted = [("newTag", self.couple.version_after()), ("digest", self.couple.digest_after())];
        let wins = |(key, after): (&'static str, Option<&str>)| {
            let node = self.file.document.read(&self.item.key(key))?;
            let value = node.as_str().unwrap_or_default();
            (!value.is_empty() && Some(value) != after).then_some((key, node))
        };
        promoted.into_iter().filter_map(wins).collect()
    }

    fn problem(&self, key: &str, node: &Node, what: &str) -> Problem {
        let named = KeyPath::root(0).key("images").item("name", self.entry.name).key(key);
        let file = self.here.file_of(self.pin).map_or("values.yaml", |file| file.file.path.file_name());
        let line = node.line;
        Problem {
            place: Some(self.file.document.place(node)),
            message: format!("`{named}` wins over the promoted `{}` of `{file}`: {what}", self.pin.key),
            hints: vec![format!(
                "remove line {line} of `{}`, or write it in {} as well",
                self.file.file.path.as_str(),
                self.there.overlay.environment,
            )],
        }
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
    use crate::failure::Result;
    use crate::overlay::testing::{changes, moved_by, warnings};
    use crate::overlay::{Missing, Movement};

    const SOURCE: &str = "image: {repository: ghcr.io/acme/a, tag: v2, digest: sha256:bb}\n";
    const TARGET: &str = "image: {repository: ghcr.io/acme/a, tag: v1, digest: sha256:aa}\n";

    fn with(source: &str, target: &str) -> Result<Movement> {
        let source = [("values.yaml", SOURCE), ("kustomization.yaml", source)];
        moved_by(&source, &[("values.yaml", TARGET), ("kustomization.yaml", target)], &[], Missing::List)
    }

    #[test]
    fn a_line_of_the_target_that_wins_over_what_is_promoted_stops_the_run() {
        let table = [
            (
                "{}",
                "images:\n- name: ghcr.io/acme/a\n  newTag: v1\n",
                "prod/kustomization.yaml:3:11`: `images[name=ghcr.io/acme/a].newTag` wins over the promoted `image.tag` of `values.yaml`: prod runs `v1`",
            ),
            (
                "{}",
                "images:\n- name: acme/a\n  digest: sha256:aa\n",
                "kustomization.yaml:3:11`: `images[name=acme/a].digest` wins over",
            ),
            (
                "{}",
                "images: [{name: app, newName: ghcr.io/acme/a, newTag: v1}]\n",
                "`images[name=app].newTag` wins over",
            ),
            (
                "{}",
                "images: [{name: ghcr.io/acme/a, newName: ghcr.io/acme/fork}]\n",
                "`images[name=ghcr.io/acme/a].newName` wins over the promoted `image.tag` of `values.yaml`: prod runs `ghcr.io/acme/fork`",
            ),
            (
                "images: [{name: ghcr.io/acme/a}]",
                "images: [{name: ghcr.io/acme/a, newTag: v1}]\n",
                "newTag` wins over",
            ),
        ];
        for (source, target, said) in table {
            let failure = with(source, target).unwrap_err().to_string();
            assert!(failure.contains(said), "{failure}");
            assert!(failure.contains("\nhint: remove line "), "{failure}");
        }
    }

    #[test]
    fn what_wins_over_nothing_is_left_alone() {
        let table = [
            ("{}", "images: [{name: acme/proxy, newTag: v1}]"),
            ("{}", "images: [{name: ghcr.io/acme/a, newName: mirror.io/acme/a}]"),
            ("{}", "images: [{name: ghcr.io/acme/a, newTag: v2}]"),
            ("{}", "images: [{name: ghcr.io/acme/a, newTag: ''}]"),
            ("{}", "images: none"),
            ("{}", ""),
        ];
        for (source, target) in table {
            let moved = with(source, target).unwrap();
            assert_eq!(changes(&moved).len(), 2, "{target}");
            assert_eq!(warnings(&moved), [""; 0], "{target}");
        }
    }

    #[test]
    fn an_override_that_both_have_is_promoted_as_well() {
        let entry = |tag: &str| format!("images: [{{name: ghcr.io/acme/a, newTag: {tag}}}]\n");
        assert_eq!(with(&entry("v2"), &entry("v1")).unwrap().changes.len(), 3);
        // Unless the team's own patterns leave it out: then it wins.
        let source = [("values.yaml", SOURCE), ("kustomization.yaml", &entry("v2"))];
        let target = [("values.yaml", TARGET), ("kustomization.yaml", &entry("v1"))];
        let said = moved_by(&source, &target, &["image.*"], Missing::List).unwrap_err().to_string();
        assert!(said.contains("wins over"), "{said}");
    }

    #[test]
    fn what_won_in_the_source_was_tested_there_and_not_the_tag_below_it() {
        let table = [
            (
                "images: [{name: ghcr.io/acme/a, newTag: v3}]",
                "{}",
                "staging/kustomization.yaml:1:41`: `images[name=ghcr.io/acme/a].newTag` wins over the promoted `image.tag` of `values.yaml`: staging runs `v3`\nhint: remove line 1 of `environments/staging/kustomization.yaml`, or write it in prod as well",
            ),
            ("images: [{name: ghcr.io/acme/a, newName: acme/next}]", "{}", "staging runs `acme/next`"),
            (
                "images: [{name: ghcr.io/acme/a, newTag: v2}]",
                "images: [{name: ghcr.io/acme/a, digest: sha256:cc}]",
                "prod runs `sha256:cc`",
            ),
        ];
        for (source, target, said) in table {
            let failure = with(source, target).unwrap_err().to_string();
            assert!(failure.contains(said), "{failure}");
        }
        let source = [
            ("values.yaml", "image: {repository: stage.io/acme/a, tag: v2}"),
            ("kustomization.yaml", "images: [{name: stage.io/acme/a, newTag: v3}]"),
        ];
        let failure =
            moved_by(&source, &[("values.yaml", TARGET)], &[], Missing::List).unwrap_err().to_string();
        assert!(failure.contains("staging runs `v3`"), "{failure}");
        // The same rename in both is the same image in both.
        let renamed = "images: [{name: ghcr.io/acme/a, newName: acme/fork}]";
        assert_eq!(with(renamed, renamed).unwrap().changes.len(), 2);
    }

    #[test]
    fn an_image_that_the_overlay_does_not_name_gives_a_warning() {
        let source = [("values.yaml", "image: {tag: v2}\n")];
        let target = [
            ("values.yaml", "image: {tag: v1}\n"),
            ("kustomization.yaml", "images: [{name: x, newTag: v1}]\n"),
        ];
        let moved = moved_by(&source, &target, &[], Missing::List).unwrap();
        assert_eq!(changes(&moved), ["1 image.tag v1 -> v2"]);
        assert_eq!(
            warnings(&moved),
            [
                "`prod/kustomization.yaml:1:28`: `images[name=x].newTag` wins over the promoted `image.tag` of `values.yaml`: if they are one image"
            ]
        );
    }

    #[test]
    fn a_lock_that_would_be_stale_stops_the_run() {
        let chart = |version: &str| format!("dependencies: [{{name: redis, version: {version}}}]\n");
        let lock = "dependencies:\n- name: redis\n  version: 1.0.0\ndigest: sha256:aa\n";
        let source = [("Chart.yaml", &*chart("2.0.0"))];
        let target = [("Chart.yaml", &*chart("1.0.0")), ("Chart.lock", lock)];
        let said = moved_by(&source, &target, &[], Missing::List).unwrap_err().to_string();
        assert!(said.starts_with("error: `environments/prod/Chart.lock:3:12`: the lock would be stale: `redis` moves to `2.0.0`"), "{said}");
        assert!(said.contains("\nhint: remove `environments/prod/Chart.lock`"), "{said}");
        // Nothing moves, or no lock: nothing is stale.
        assert!(moved_by(&target, &target, &[], Missing::List).unwrap().changes.is_empty());
        assert_eq!(moved_by(&source, &target[..1], &[], Missing::List).unwrap().changes.len(), 1);
        // A lock beside another chart is none of its business.
        let apart = [("Chart.yaml", &*chart("1.0.0")), ("sub/Chart.lock", lock)];
        assert_eq!(moved_by(&source, &apart, &[], Missing::List).unwrap().changes.len(), 1);
    }
}
