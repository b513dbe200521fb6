//! Helm values in several places of one overlay: whose counts, and what of them nobody can edit.
//!
//! A leftover parameter makes a promoted `valuesObject` or `values.yaml` a dead letter, as does a `semver` beside a
//! promoted tag. Found here, never repaired: a person wrote it.

use super::couple::Couple;
use crate::failure::{Failure, Kind, Problem, Result};
use crate::names::RepoPath;
use crate::overlay::editor::document::{Document, Node};
use crate::overlay::editor::key_path::{KeyPath, Step};
use crate::overlay::pins::argo::{helm_path, ignored_source, source_above, sources};
use crate::overlay::pins::files::Shape;
use crate::overlay::pins::image::{ImageReference, has_one_name};
use crate::overlay::pins::layer::{Layer, Same};
use crate::overlay::pins::parts::Part;
use crate::overlay::pins::reading::{FileReading, Reading};
use crate::overlay::pins::scope::Scope;
use crate::overlay::pins::{Member, Pin, PinKind, flux, folder, helm};

/// Values of a chart: a file of them, or what an operator's object holds in one of the ways in which it can.
struct Values<'r> {
    layer: Layer,
    /// The place of a file of values among the others.
    rank: Option<usize>,
    file_name: &'r str,
    file: &'r FileReading<'r>,
    part: &'r Part,
    /// The Argo CD source or the release's root: what has one chart.
    owner: KeyPath,
    scope: Scope<'r>,
    /// Where the values stand in the part.
    base: KeyPath,
    /// What the text says, where they stand as a text.
    text: Option<Document>,
}

/// Refuses values that would win over promoted ones, in the target as well as in the source.
///
/// Returns warnings about those that do if they are of one chart, which an overlay of several does not say.
pub(in crate::overlay) fn overridden_values(
    source: &Reading<'_>,
    target: &Reading<'_>,
    couples: &[Couple<'_>],
) -> Result<Vec<Problem>> {
    let (mut problems, mut warnings) = (Vec::new(), Vec::new());
    for (here, there) in [(source, target), (target, source)] {
        let all = values_of(here);
        let owners = all.iter().filter(|values| values.rank.is_none());
        let owners = owners.map(|values| (values.file_name, &values.part.name, &values.owner));
        let owners: std::collections::BTreeSet<_> = owners.collect();
        let is_source = std::ptr::eq(here, source);
        for couple in couples {
            let Some(pin) = couple.source.first() else { continue };
            for values in all.iter().filter(|values| values.are_above(pin)) {
                let said = values.winning(couple, pin, couples, is_source);
                let problem = |(key, node, text): (String, &Node, String)| Problem {
                    place: Some(values.file.document.place(node)),
                    message: format!(
                        "`{key}` wins over the promoted `{}`: {} runs `{}`",
                        pin.key,
                        here.overlay.environment,
                        text.escape_debug()
                    ),
                    hints: vec![format!(
                        "remove it from `{}` (line {}), or write it in {} as well",
                        values.file.file.path, node.line, there.overlay.environment
                    )],
                };
                let said = said.into_iter().map(problem);
                // Of several charts in one overlay, nobody says whose a file of values is.
                let is_apart = match values.rank {
                    Some(_) => {
                        let file = here.file_of(pin).map(|reading| folder(&reading.file.path));
                        file != Some(folder(&values.file.file.path))
                    }
                    None => owners.len() > 1 && pin.layer == Layer::File,
                };
                if is_apart {
                    warnings.extend(said);
                } else {
                    problems.extend(said);
                }
            }
            problems.extend(winning_refs(here, couple, pin));
        }
    }
    match Failure::several(Kind::Overlay, problems) {
        Some(failure) => Err(failure),
        None => Ok(warnings),
    }
}

/// Pins in values that stand in an object as a text, which no edit reaches.
pub(in crate::overlay) fn unreached(reading: &Reading<'_>) -> Vec<Problem> {
    let texts = values_of(reading).into_iter().filter(|values| values.layer == Layer::Text);
    texts
        .filter_map(|values| {
            let document = values.text.as_ref()?;
            let scope = Scope::at(document, KeyPath::root(0));
            let (path, _) = scope.walk().find(|(path, node)| helm::meaning(&scope, path, node).is_some())?;
            let node = values.scope.read(&values.base)?;
            let key = values.scope.in_file(&values.base);
            Some(Problem {
                place: Some(values.file.document.place(node)),
                message: format!("`{path}` in `{key}` is not promoted: the values stand there as one text"),
                hints: vec![
                    "write them as `valuesObject`, or in a values file that `files` names".to_owned(),
                ],
            })
        })
        .collect()
}

/// Sources that Argo CD passes over, with whatever they pin.
pub(in crate::overlay) fn ignored_sources(reading: &Reading<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in reading.files.values() {
        for part in file.parts.iter().filter(|part| part.shape == Shape::Argo) {
            let scope = Scope::at(&file.document, part.base.clone());
            let Some(source) = ignored_source(&scope) else { continue };
            let Some(node) = scope.read(&source) else { continue };
            problems.push(Problem {
                place: Some(file.document.place(node)),
                message: format!(
                    "`{}` counts for nothing: Argo CD takes `sources` in its place",
                    scope.in_file(&source)
                ),
                hints: vec!["leave one of the two".to_owned()],
            });
        }
    }
    problems
}

/// Promoted parameters that Helm takes for a number, a boolean or nothing: `--set` parses what it gets.
pub(in crate::overlay) fn untyped_parameters(target: &Reading<'_>, couples: &[Couple<'_>]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for couple in couples {
        let Some(pin) = couple.source.first().filter(|pin| pin.layer == Layer::Parameter) else { continue };
        let Some(file) = target.file_of(pin) else { continue };
        for (key, value) in couple.after.values().filter(|(_, value)| is_typed_by_helm(value)) {
            let forced = key.parent().and_then(|item| file.document.read(&item.key("forceString")));
            let (Some(node), false) =
                (file.document.read(key), forced.and_then(Node::as_str) == Some("true"))
            else {
                continue;
            };
            problems.push(Problem {
                place: Some(file.document.place(node)),
                message: format!(
                    "Helm reads `{}` in `{key}` as something else than text",
                    value.escape_debug()
                ),
                hints: vec!["add `forceString: true` to the parameter".to_owned()],
            });
        }
    }
    problems
}

/// What Helm's `--set` makes of a text (`pkg/strvals`, `typedVal`): whole numbers without a zero in front count.
fn is_typed_by_helm(text: &str) -> bool {
    let is_number = text == "0" || !text.starts_with('0') && text.parse::<i64>().is_ok();
    is_number || ["true", "false", "null"].contains(&text.to_ascii_lowercase().as_str())
}

/// A range or name beside a promoted tag that Flux takes in its place.
fn winning_refs(here: &Reading<'_>, couple: &Couple<'_>, pin: &Pin) -> Vec<Problem> {
    let Some((tag, _)) = couple.after.get(&Member::Version).filter(|_| pin.kind == PinKind::RemoteRef) else {
        return Vec::new();
    };
    let (Some(scope), Some(part)) = (here.scope_of(pin), here.part_of(pin)) else { return Vec::new() };
    if part.shape != Shape::Flux {
        return Vec::new();
    }
    let problem = |(path, node): (KeyPath, &Node)| Problem {
        place: here.file_of(pin).map(|file| file.document.place(node)),
        message: format!("`{}` wins over the promoted `{tag}`", scope.in_file(&path)),
        hints: vec![format!("remove line {} in {}", node.line, here.overlay.environment)],
    };
    flux::winning_refs(&scope, &pin.named).into_iter().map(problem).collect()
}

/// Every place of an overlay that holds values for a chart.
fn values_of<'r>(reading: &'r Reading<'_>) -> Vec<Values<'r>> {
    let mut all = Vec::new();
    for (file_name, file) in &reading.files {
        for part in &file.parts {
            let scope = Scope::at(&file.document, part.base.clone());
            let mut add = |layer, owner: KeyPath, base: KeyPath, text| {
                let scope = scope.clone();
                let rank = part.is_values_file.then(|| reading.overlay.rank_of(file_name));
                all.push(Values { layer, rank, file_name, file, part, owner, scope, base, text });
            };
            if part.is_values_file {
                add(Layer::File, KeyPath::root(0), KeyPath::root(0), None);
            }
            for (chart, inline) in
                if part.shape == Shape::Kustomization { inline_values(&scope) } else { Vec::new() }
            {
                add(Layer::Object, chart, inline, None);
            }
            if part.shape == Shape::Flux
                && scope.text_at(&KeyPath::root(0).key("kind")) == Some("HelmRelease")
            {
                add(Layer::Object, KeyPath::root(0), KeyPath::root(0).key("spec").key("values"), None);
            }
            for source in if part.shape == Shape::Argo { sources(&scope) } else { Vec::new() } {
                let helm = source.key("helm");
                if scope.read(&helm).is_none() {
                    continue;
                }
                let object = helm.key("valuesObject");
                let text = scope
                    .text_at(&helm.key("values"))
                    .and_then(|text| Document::parse(&RepoPath::parse("values").ok()?, text.as_bytes()).ok());
                // Argo CD leaves the text out where there is an object.
                if scope.read(&object).is_some() {
                    add(Layer::Object, source.clone(), object, None);
                } else if text.is_some() {
                    add(Layer::Text, source.clone(), helm.key("values"), text);
                }
                add(Layer::Parameter, source, helm.key("parameters"), None);
            }
        }
    }
    all
}

/// The charts of a kustomization that have values beside their file of them, with the place of these. Kustomize takes
/// them for the last word (`HelmChartInflationGenerator.go`), but where `valuesMerge` is `merge`.
fn inline_values(scope: &Scope<'_>) -> Vec<(KeyPath, KeyPath)> {
    let list = KeyPath::root(0).key("helmCharts");
    let count = scope.read(&list).map_or(0, |list| list.items().len());
    let charts = (0..count).map(|at| list.index(at));
    let charts = charts.filter(|chart| scope.text_at(&chart.key("valuesMerge")) != Some("merge"));
    let inline = charts.map(|chart| (chart.clone(), chart.key("valuesInline")));
    inline.filter(|(_, inline)| scope.read(inline).is_some()).collect()
}

impl<'r> Values<'r> {
    /// Whether what they say counts in place of a pin.
    fn are_above(&self, pin: &Pin) -> bool {
        if self.rank.is_some() {
            return pin.rank.is_some() && self.rank > pin.rank;
        }
        let of_one = || {
            let owner = source_above(&pin.named).unwrap_or_else(|| KeyPath::root(0));
            (self.file_name, &self.part.name, &self.owner) == (pin.group.0.as_str(), &pin.part, &owner)
        };
        self.layer.wins_over(pin.layer) == Some(Same::Value) && (pin.layer == Layer::File || of_one())
    }

    /// What they say in place of what is promoted: key, place and text.
    fn winning(
        &self,
        couple: &Couple<'_>,
        pin: &Pin,
        couples: &[Couple<'_>],
        in_source: bool,
    ) -> Vec<(String, &'r Node, String)> {
        let mut winning = Vec::new();
        for (path, promoted) in promoted_values(couple, pin) {
            let Some((key, node, text)) = self.said(&path) else { continue };
            let is_image = pin.kind == PinKind::ImageReference;
            let image = ImageReference::parse(&text).filter(|_| is_image);
            let is_another = image
                .and_then(|image| Some(!has_one_name(image.repository, couple.repository.as_deref()?)))
                .unwrap_or(false);
            let version = image.map_or_else(|| Some(text.clone()), |image| image.version());
            let differs = version.is_some() && version.as_deref() != promoted.as_deref();
            let moves = key.as_ref().is_some_and(|key| self.is_promoted(key, couples, in_source));
            if text.is_empty() || is_another || !differs || moves || self.is_another_image(&path, couple, pin)
            {
                continue;
            }
            let shown = key.unwrap_or_else(|| self.scope.in_file(&self.base));
            winning.push((shown.to_string(), node, text));
        }
        winning
    }

    /// Where these values say something at a path, and what; no key where nobody can edit it.
    fn said(&self, path: &KeyPath) -> Option<(Option<KeyPath>, &'r Node, String)> {
        if let Some(document) = &self.text {
            let text = document.read(path)?.as_str()?.to_owned();
            return Some((None, self.scope.read(&self.base)?, text));
        }
        let key = if self.layer == Layer::Parameter {
            let items = self.scope.read(&self.base)?.items();
            let name = items.iter().find_map(|item| {
                let name = self.scope.resolved(self.scope.resolved(item).get("name")?).as_str()?;
                (helm_path(name)? == *path).then_some(name)
            })?;
            self.base.item("name", name).key("value")
        } else {
            self.base.join(path)
        };
        let node = self.scope.read(&key)?;
        Some((Some(self.scope.in_file(&key)), node, self.scope.text_of(node).to_owned()))
    }

    fn is_promoted(&self, key: &KeyPath, couples: &[Couple<'_>], in_source: bool) -> bool {
        let is_in_file =
            |couple: &&Couple<'_>| couple.group().is_some_and(|(file, _)| file == self.file_name);
        couples.iter().filter(is_in_file).any(|couple| {
            couple.source.iter().any(|pin| match couple.after.get(&pin.member) {
                Some((after, _)) => key == if in_source { &pin.key } else { after },
                None => false,
            })
        })
    }

    /// Whether these values name another image beside: the overlay has two charts with one key.
    fn is_another_image(&self, path: &KeyPath, couple: &Couple<'_>, pin: &Pin) -> bool {
        let above = path.parent().filter(|_| pin.layer == Layer::File).map(|above| above.key("repository"));
        let theirs = above.and_then(|path| self.said(&path)).map(|(_, _, text)| text);
        couple.repository.as_deref().zip(theirs.as_deref()).is_some_and(|(a, b)| !has_one_name(a, b))
    }
}

/// The paths in a chart's values of what is promoted, with what they will say; a digest that is not among them is
/// looked for as well, since charts prefer it to the tag.
fn promoted_values(couple: &Couple<'_>, pin: &Pin) -> Vec<(KeyPath, Option<String>)> {
    let Some(path) = path_in_values(pin) else { return Vec::new() };
    let Some(above) = path.parent() else { return Vec::new() };
    let own = |pin: &&Pin| {
        let (_, value) = couple.after.get(&pin.member)?;
        Some((path_in_values(pin)?, Some(value.clone())))
    };
    let mut values: Vec<_> = couple.source.iter().filter_map(own).collect();
    let is_tag = matches!(pin.kind, PinKind::ImageTag | PinKind::ImageDigest);
    let has_digest = couple.after.contains_key(&Member::Digest);
    if is_tag && !has_digest && matches!(path.steps.last(), Some(Step::Key(key)) if key == "tag") {
        values.push((above.key("digest"), None));
    }
    values
}

/// The path of a pin in the values of a chart.
fn path_in_values(pin: &Pin) -> Option<KeyPath> {
    let steps = &pin.named.steps;
    let below = match pin.layer {
        Layer::File => 0,
        Layer::Object => {
            let is_values =
                |step: &Step| matches!(step, Step::Key(key) if key == "valuesObject" || key == "values");
            steps.iter().position(is_values)? + 1
        }
        _ => return None,
    };
    Some(KeyPath { document: 0, steps: steps.get(below..)?.to_vec() })
}

#[cfg(test)]
mod tests;
