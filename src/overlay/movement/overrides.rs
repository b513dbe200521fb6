//! What in an overlay would win over a promoted image, and what a promotion would leave stale.
//!
//! Whoever says last which image runs decides: an item of Kustomize's `images` that stays behind makes a new tag in
//! `values.yaml` a dead letter. Found here, never repaired: a person wrote it. Values over values are `values`' part.

use super::couple::Couple;
use super::images::{ImageWord, image_words};
use crate::failure::{Failure, Kind, Place, Problem, Result};
use crate::overlay::editor::document::Node;
use crate::overlay::editor::key_path::{KeyPath, Step};
use crate::overlay::pins::chart;
use crate::overlay::pins::image::{has_one_name, is_one_image};
use crate::overlay::pins::layer::{Layer, Same};
use crate::overlay::pins::reading::Reading;
use crate::overlay::pins::{Pin, PinKind};

/// Refuses items of lists of images that would win over what is promoted: the target's, since prod would not run
/// it, and the source's, since staging did not.
///
/// Returns warnings about those that perhaps would, since the overlay does not say which image it runs.
pub(in crate::overlay) fn overrides(
    source: &Reading<'_>,
    target: &Reading<'_>,
    couples: &[Couple<'_>],
) -> Result<Vec<Problem>> {
    let (mut problems, mut warnings) = (Vec::new(), Vec::new());
    let words = [(source, image_words(source)), (target, image_words(target))];
    let [(_, in_source), (_, in_target)] = &words;
    for (here, there, of_there) in [(source, target, in_target), (target, source, in_source)] {
        let is_source = std::ptr::eq(here, source);
        for word in if is_source { in_source } else { in_target } {
            let elsewhere = repository_elsewhere(of_there, word);
            let moves = is_promoted(couples, word, is_source);
            for couple in couples {
                let Some(pin) = image_below(couple, word) else { continue };
                let said = Override { here, there, couple, pin, word };
                // Each overlay by its own name for the image: registries differ.
                let own = pin.repository.as_ref().filter(|_| is_source);
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

/// The source's first pin of an image over which an item of a list of images would win.
fn image_below<'c>(couple: &'c Couple<'_>, word: &ImageWord<'_>) -> Option<&'c Pin> {
    couple.source.iter().copied().find(|pin| {
        let is_image = matches!(pin.kind, PinKind::ImageTag | PinKind::ImageDigest | PinKind::ImageReference);
        let is_below = word.layer.wins_over(pin.layer) == Some(Same::Image);
        // A post-renderer sees what its own release makes, and nothing else of any operator's object.
        let is_near = pin.layer < Layer::Text
            || pin.layer == Layer::Kustomization
            || (pin.group.0 == word.file_name && pin.part == word.part.name);
        is_image && is_below && is_near
    })
}

/// Whether what an item pins moves with the promotion.
fn is_promoted(couples: &[Couple<'_>], word: &ImageWord<'_>, in_source: bool) -> bool {
    let is_below = |key: &KeyPath| key.below_of(&word.item).is_some();
    let is_in_file = |couple: &&Couple<'_>| couple.group().is_some_and(|(file, _)| file == word.file_name);
    couples.iter().filter(is_in_file).any(|couple| {
        couple.source.iter().any(|pin| match couple.after.get(&pin.member) {
            Some((key, _)) => is_below(if in_source { &pin.key } else { key }),
            None => false,
        })
    })
}

/// What the other overlay runs under the name of an item.
fn repository_elsewhere<'d>(there: &[ImageWord<'d>], word: &ImageWord<'d>) -> &'d str {
    let is_it = |other: &&ImageWord<'_>| {
        (other.layer, other.file_name, other.name) == (word.layer, word.file_name, word.name)
    };
    there.iter().find(is_it).map_or(word.name, |other| other.repository)
}

/// One item of a list of images against one promoted image.
struct Override<'t, 'o> {
    here: &'t Reading<'o>,
    there: &'t Reading<'o>,
    couple: &'t Couple<'t>,
    pin: &'t Pin,
    word: &'t ImageWord<'t>,
}

impl Override<'_, '_> {
    /// The item makes another image of it, and the other overlay does not.
    fn renamed(&self, repository: &str, elsewhere: &str) -> Option<Problem> {
        let (key, node) = self.word.renamed.as_ref()?;
        let renames = self.names(repository).any(|name| is_one_image(self.word.name, name))
            && !has_one_name(self.word.repository, elsewhere)
            && !has_one_name(self.word.repository, repository);
        renames.then(|| self.problem(key, node, &self.runs(self.word.repository)))
    }

    /// The item gives it another tag or digest.
    fn over(&self, repository: &str) -> Vec<Problem> {
        let is_it = [self.word.name, self.word.repository]
            .iter()
            .any(|called| self.names(repository).any(|name| is_one_image(called, name)));
        let winning = if is_it { self.winning() } else { Vec::new() };
        winning.into_iter().map(|(key, node, text)| self.problem(key, node, &self.runs(text))).collect()
    }

    /// What the promoted image is called: what it is, and the name by which a kustomization knows it.
    fn names<'s>(&'s self, repository: &'s str) -> impl Iterator<Item = &'s str> {
        let known = self.pin.named.steps.iter().rev().find_map(|step| match step {
            Step::Item { field, value } if field == "name" => Some(value.as_str()),
            _ => None,
        });
        let known = known.filter(|_| self.pin.layer == Layer::Kustomization);
        std::iter::once(repository).chain(known)
    }

    fn runs(&self, what: &str) -> String {
        format!("{} runs `{}`", self.here.overlay.environment, what.escape_debug())
    }

    fn perhaps(&self) -> Option<Problem> {
        let (key, node, _) = self.winning().into_iter().next()?;
        let problem = self.problem(key, node, "if they are one image");
        Some(Problem {
            hints: vec!["say the image's `repository` beside its tag, and it is checked".to_owned()],
            ..problem
        })
    }

    /// The tag and digest that differ from what is promoted.
    fn winning(&self) -> Vec<(&KeyPath, &Node, &str)> {
        let promoted =
            [(&self.word.tag, self.couple.version_after()), (&self.word.digest, self.couple.digest_after())];
        let wins = |(said, after): (&'_ Option<(KeyPath, &'_ Node, &'_ str)>, Option<&str>)| {
            said.as_ref().is_some_and(|(_, _, text)| Some(*text) != after)
        };
        let winning = promoted.into_iter().filter(|one| wins(*one));
        winning.filter_map(|(said, _)| said.as_ref().map(|(key, node, text)| (key, *node, *text))).collect()
    }

    fn problem(&self, key: &KeyPath, node: &Node, what: &str) -> Problem {
        let file = self.here.file_of(self.pin).map_or("values.yaml", |file| file.file.path.file_name());
        let line = node.line;
        Problem {
            place: Some(self.word.file.document.place(node)),
            message: format!("`{key}` wins over the promoted `{}` of `{file}`: {what}", self.pin.key),
            hints: vec![format!(
                "remove line {line} of `{}`, or write it in {} as well",
                self.word.file.file.path.as_str(),
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
    use crate::overlay::testing::{changes, moved_by, moved_in, warnings};
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
    fn an_operators_images_win_over_a_kustomizations_and_a_post_renderers_over_values() {
        let kustomization =
            |tag: &str| format!("images: [{{name: agent, newName: ghcr.io/acme/a, newTag: {tag}}}]\n");
        let argo = |images: &str| {
            format!(
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  source: {{repoURL: x/y, kustomize: {{images: [{images}]}}}}\n"
            )
        };
        let flux = |images: &str| {
            format!(
                "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec: {{images: [{images}]}}\n"
            )
        };
        let moved = |staging: &str, prod: &str| {
            let (new, old) = (kustomization("v2"), kustomization("v1"));
            let files = |k, app| [("kustomization.yaml", k), ("app.yaml", app)];
            moved_in(&files(new.as_str(), staging), &files(old.as_str(), prod), Missing::List)
        };
        let table = [
            (
                argo(""),
                argo("'agent=ghcr.io/acme/a:v1'"),
                "app.yaml:4:47`: `spec.source.kustomize.images[0]` wins over the promoted `images[name=agent].newTag` of `kustomization.yaml`: prod runs `v1`",
            ),
            (argo(""), argo("'agent=*:v1'"), "prod runs `v1`"),
            (argo(""), argo("'ghcr.io/acme/a@sha256:aa'"), "prod runs `sha256:aa`"),
            (argo("'agent=*:v3'"), argo(""), "staging runs `v3`"),
            (
                flux(""),
                flux("{name: agent, newTag: v1}"),
                "`spec.images[name=agent].newTag` wins over the promoted `images[name=agent].newTag`",
            ),
            (flux(""), flux("{name: agent, newName: acme/fork}"), "prod runs `acme/fork`"),
        ];
        for (staging, prod, said) in table {
            let failure = moved(&staging, &prod).unwrap_err().to_string();
            assert!(failure.contains(said), "{failure}");
        }
        for prod in [
            argo("'agent=*:v2'"),
            argo("'other:v1'"),
            flux("{name: other, newTag: v1}"),
            flux("{name: agent}"),
        ] {
            assert_eq!(
                changes(&moved(if prod.contains("argo") { ARGO } else { FLUX }, &prod).unwrap()).len(),
                1,
                "{prod}"
            );
        }
        assert_eq!(changes(&moved(&argo("'agent=*:v2'"), &argo("'agent=*:v1'")).unwrap()).len(), 2);

        let release = |tag: &str, images: &str| {
            format!(
                "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec:\n  values: {{image: {{repository: acme/a, tag: {tag}}}}}\n  postRenderers: [{{kustomize: {{images: [{images}]}}}}]\n"
            )
        };
        let (staging, prod) = (release("v2", ""), release("v1", "{name: acme/a, newTag: v0}"));
        let failure =
            moved_in(&[("r.yaml", &staging)], &[("r.yaml", &prod)], Missing::List).unwrap_err().to_string();
        assert!(
            failure.contains(
                "newTag` wins over the promoted `spec.values.image.tag` of `r.yaml`: prod runs `v0`"
            ),
            "{failure}"
        );
    }

    const ARGO: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Application\n";
    const FLUX: &str = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n";

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
