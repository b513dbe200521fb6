//! What of an Argo CD `Application` or `ApplicationSet` is a pin: revisions, Helm parameters and values, images.
//!
//! A source is known by what it is, not by its place in `sources`. What Argo CD or its generators fill in is
//! none, nor are values that stand in the object as a text: nobody can change those as YAML of the file.

use super::helm;
use super::image::named_image;
use super::scope::Scope;
use super::{Meaning, Member, PinKind};
use crate::names::RepoPath;
use crate::overlay::editor::document::{Document, Node};
use crate::overlay::editor::key_path::{KeyPath, Step};

/// The places of a list that a parameter's name may have; Helm allows more, nobody uses them.
const MOST_ITEMS: usize = 1000;
/// How deep a parameter's name goes: Helm's own limit (`pkg/strvals`, `MaxNestedNameLevel`).
const DEEPEST: usize = 30;
/// Among how many sources namesakes are told apart; in longer lists they are refused as doubles.
const MOST_SOURCES: usize = 100;

/// What a scalar of an Argo CD object is, or nothing where it is no pin.
pub(in crate::overlay) fn meaning(scope: &Scope<'_>, path: &KeyPath, node: &Node) -> Option<Meaning> {
    let source = source_above(path).filter(|source| !is_ignored(scope, source))?;
    let below = path.below_of(&source)?;
    let text = scope.text_of(node);
    let here = scope.below(&source);
    let [Step::Key(first), rest @ ..] = below.steps.as_slice() else { return None };
    let (what, found) = match (first.as_str(), rest) {
        ("targetRevision", []) => ("", revision(&here, text)?),
        ("helm", [Step::Key(key), Step::Index(_) | Step::Item { .. }, Step::Key(value)])
            if key == "parameters" && value == "value" =>
        {
            ("helm.parameters: ", parameter(&here, &below, text)?)
        }
        ("helm", [Step::Key(key), ..]) if key == "valuesObject" => {
            let values = KeyPath::root(0).key("helm").key(key);
            let found = helm::meaning(&here.below(&values), &below.below_of(&values)?, node)?;
            ("helm.valuesObject: ", Meaning { settled: 2, ..found })
        }
        ("kustomize", [Step::Key(key), _]) if key == "images" => ("kustomize.", image(&below, text)?),
        _ => return None,
    };
    let group = format!("{}{what}{}", identity(scope, &source), found.group);
    Some(Meaning { group, settled: source.steps.len() + found.settled, ..found })
}

/// The source in which a path ends.
pub(in crate::overlay) fn source_above(path: &KeyPath) -> Option<KeyPath> {
    let is = |at: usize, key: &str| matches!(path.steps.get(at), Some(Step::Key(step)) if step == key);
    if !is(0, "spec") {
        return None;
    }
    // An ApplicationSet makes Applications of its `template`.
    let spec = if is(1, "template") && is(2, "spec") { 3 } else { 1 };
    let end = if is(spec, "source") {
        spec + 1
    } else if is(spec, "sources") || is(spec, "sourceHydrator") && is(spec + 1, "drySource") {
        spec + 2
    } else {
        return None;
    };
    let steps = path.steps.get(..end)?.to_vec();
    Some(KeyPath { document: path.document, steps })
}

/// A `source` beside `sources`, which Argo CD takes in its place (`GetSource`, `HasMultipleSources`).
pub(in crate::overlay) fn ignored_source(scope: &Scope<'_>) -> Option<KeyPath> {
    let spec = KeyPath::root(0).key("spec");
    let found = [spec.key("template").key("spec"), spec].map(|spec| spec.key("source"));
    found.into_iter().find(|source| scope.read(source).is_some() && is_ignored(scope, source))
}

fn is_ignored(scope: &Scope<'_>, source: &KeyPath) -> bool {
    let is_source = matches!(source.steps.last(), Some(Step::Key(key)) if key == "source");
    let list = source.parent().filter(|_| is_source).and_then(|spec| scope.read(&spec.key("sources")));
    list.is_some_and(|list| !list.items().is_empty())
}

/// Every source of an object.
pub(in crate::overlay) fn sources(scope: &Scope<'_>) -> Vec<KeyPath> {
    let mut found = Vec::new();
    let spec = KeyPath::root(0).key("spec");
    for spec in [spec.key("template").key("spec"), spec] {
        let list = spec.key("sources");
        let count = scope.read(&list).map_or(0, |list| list.items().len());
        found.extend((0..count).map(|at| list.index(at)));
        found.extend([spec.key("source"), spec.key("sourceHydrator").key("drySource")]);
    }
    found.retain(|source| scope.read(source).is_some() && !is_ignored(scope, source));
    found
}

/// Where in another environment's object stands what stands here, by what its source is.
pub(in crate::overlay) fn counterpart(
    here: &Scope<'_>,
    path: &KeyPath,
    there: &Scope<'_>,
) -> Option<KeyPath> {
    let source = source_above(path)?;
    let name = identity(here, &source);
    let other = sources(there).into_iter().find(|other| identity(there, other) == name)?;
    Some(other.join(&path.below_of(&source)?))
}

/// The path in a chart's values that a parameter's name means: Helm's `--set` grammar, `a.b[0].c\.d`.
pub(in crate::overlay) fn helm_path(name: &str) -> Option<KeyPath> {
    let mut steps = Vec::new();
    let (mut key, mut is_open) = (String::new(), true);
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if is_open => key.push(chars.next()?),
            '.' => {
                if is_open {
                    steps.push(Step::Key(std::mem::take(&mut key)));
                }
                is_open = true;
            }
            '[' => {
                if is_open {
                    steps.push(Step::Key(std::mem::take(&mut key)));
                }
                is_open = false;
                let index: String = chars.by_ref().take_while(|c| *c != ']').collect();
                steps.push(Step::Index(index.parse().ok().filter(|index| *index < MOST_ITEMS)?));
            }
            ',' | '=' | '{' | '}' => return None,
            c if is_open => key.push(c),
            _ => return None,
        }
    }
    if is_open {
        steps.push(Step::Key(key));
    }
    let is_named = |step: &Step| !matches!(step, Step::Key(key) if key.is_empty());
    (steps.len() <= DEEPEST && steps.iter().all(is_named)).then_some(KeyPath { document: 0, steps })
}

/// Whether the operator or a generator puts something else in the place of a part of it: `{{ .tag }}`,
/// `$ARGOCD_APP_REVISION`, `${tag}`.
pub(in crate::overlay) fn is_filled_in(text: &str) -> bool {
    text.contains("{{") || text.contains('$')
}

/// What a source is called in every environment: a list's places say nothing.
fn identity(scope: &Scope<'_>, source: &KeyPath) -> String {
    let Some(Step::Index(_) | Step::Item { .. }) = source.steps.last() else {
        return format!("{source}: ");
    };
    let Some(list) = source.parent() else { return String::new() };
    let named = |source: &KeyPath| {
        let text = |key| scope.without_environment(scope.text_at(&source.key(key)).unwrap_or_default());
        match text("chart") {
            // Where a chart is pulled from belongs to the environment.
            chart if !chart.is_empty() => chart,
            _ => [plain_url(&text("repoURL")), &text("path"), &text("ref")].join(" "),
        }
    };
    let name = named(source);
    let count = scope.read(&list).map_or(0, |list| list.items().len());
    let namesakes = (0..count.min(MOST_SOURCES)).filter(|at| named(&list.index(*at)) == name).count();
    let second = [source.key("name"), source.key("helm").key("releaseName"), source.key("repoURL")];
    let second = second.iter().find_map(|key| scope.text_at(key)).filter(|_| namesakes > 1);
    let second = second.map(|text| format!(" {}", scope.without_environment(text))).unwrap_or_default();
    format!("{list}[{}{second}]: ", name.trim_end())
}

fn plain_url(url: &str) -> &str {
    let url = url.trim_end_matches('/');
    url.strip_suffix(".git").unwrap_or(url)
}

/// A chart's version, or what of a git repository is deployed.
fn revision(here: &Scope<'_>, text: &str) -> Option<Meaning> {
    let at = |key: &str| here.text_at(&KeyPath::root(0).key(key));
    let url = plain_url(at("repoURL")?);
    let chart = at("chart").or_else(|| url.strip_prefix("oci://").and_then(|url| url.rsplit('/').next()));
    let (kind, member) = match chart {
        Some(_) => (PinKind::ChartVersion, Member::Version),
        None => (PinKind::RemoteRef, Member::Whole),
    };
    Some(Meaning {
        kind,
        artifact: chart.unwrap_or(url).to_owned(),
        repository: None,
        value: text.to_owned(),
        group: "targetRevision".to_owned(),
        settled: 1,
        member,
    })
}

/// A parameter is what a values file would say at its path, with the other parameters for neighbours.
fn parameter(here: &Scope<'_>, path: &KeyPath, text: &str) -> Option<Meaning> {
    let item = path.parent()?;
    let name = here.text_at(&item.key("name"))?;
    let value = helm_path(name)?;
    // The neighbours alone: a long list is read for each of its items.
    let beside = name.rsplit_once('.').map_or("", |(above, _)| above);
    let value = by_keys(&value);
    let values = values_of_parameters(here, &item.parent()?, beside, (&value, text))?;
    let values = Scope::at(&values, KeyPath::root(0));
    let found = helm::meaning(&values, &value, values.read(&value)?)?;
    Some(Meaning { settled: path.steps.len(), ..found })
}

/// A path with keys for the places in lists: a mapping has `[999]` without the items before it.
fn by_keys(path: &KeyPath) -> KeyPath {
    let key = |step: &Step| match step {
        Step::Index(at) => Step::Key(at.to_string()),
        other => other.clone(),
    };
    KeyPath { document: path.document, steps: path.steps.iter().map(key).collect() }
}

/// The values that parameters beside one make, and that one with this text.
fn values_of_parameters(
    here: &Scope<'_>,
    list: &KeyPath,
    beside: &str,
    this: (&KeyPath, &str),
) -> Option<Document> {
    let mut values = serde_json::Value::Null;
    let names_image = |name: &&str| {
        let below = name.strip_prefix(beside).map(|below| below.trim_start_matches('.'));
        below.is_some_and(|below| matches!(below, "registry" | "repository" | "image" | "name"))
    };
    for item in here.read(list)?.items() {
        let item = here.resolved(item);
        let text = |key| item.get(key).map(|node| here.text_of(node));
        let path = text("name").filter(names_image).and_then(helm_path);
        if let (Some(path), Some(value)) = (path, text("value")) {
            put(&mut values, &by_keys(&path).steps, value);
        }
    }
    put(&mut values, &this.0.steps, this.1);
    Document::parse(&RepoPath::parse("parameters").ok()?, values.to_string().as_bytes()).ok()
}

fn put(values: &mut serde_json::Value, steps: &[Step], text: &str) {
    use serde_json::Value;
    match steps.split_first() {
        Some((Step::Key(key), rest)) => {
            if !values.is_object() {
                *values = Value::Object(serde_json::Map::new());
            }
            if let Value::Object(entries) = values {
                put(entries.entry(key.as_str()).or_insert(Value::Null), rest, text);
            }
        }
        Some((Step::Index(_) | Step::Item { .. }, _)) | None => *values = Value::String(text.to_owned()),
    }
}

/// One string: `[name=]repository[:tag][@digest]`.
fn image(path: &KeyPath, text: &str) -> Option<Meaning> {
    let (name, image) = named_image(text)?;
    let repository = if image.repository == "*" { name? } else { image.repository };
    Some(Meaning {
        kind: PinKind::ImageReference,
        artifact: repository.to_owned(),
        repository: Some(repository.to_owned()),
        value: image.version()?,
        group: format!("images[{}]", name.unwrap_or(repository)),
        settled: path.steps.len(),
        member: Member::Whole,
    })
}

#[cfg(test)]
mod tests;
