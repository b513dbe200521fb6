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

/// What a scalar of an Argo CD object is, or nothing where it is no pin.
pub(in crate::overlay) fn meaning(scope: &Scope<'_>, path: &KeyPath, node: &Node) -> Option<Meaning> {
    let source = source_above(path)?;
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
    found.retain(|source| scope.read(source).is_some());
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
    steps.iter().all(is_named).then_some(KeyPath { document: 0, steps })
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
    let namesakes = (0..count).filter(|at| named(&list.index(*at)) == name).count();
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
    if text.is_empty() || text == "HEAD" {
        return None;
    }
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
    let value = helm_path(here.text_at(&item.key("name"))?)?;
    let values = values_of_parameters(here, &item.parent()?, (&value, text))?;
    let values = Scope::at(&values, KeyPath::root(0));
    let found = helm::meaning(&values, &value, values.read(&value)?)?;
    Some(Meaning { settled: path.steps.len(), ..found })
}

/// The values that parameters make, one of them with this text.
fn values_of_parameters(here: &Scope<'_>, list: &KeyPath, this: (&KeyPath, &str)) -> Option<Document> {
    let mut values = serde_json::Value::Null;
    for item in here.read(list)?.items() {
        let item = here.resolved(item);
        let text = |key| item.get(key).map(|node| here.text_of(node));
        if let (Some(path), Some(value)) = (text("name").and_then(helm_path), text("value")) {
            put(&mut values, &path.steps, value);
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
        Some((Step::Index(at), rest)) => {
            if !values.is_array() {
                *values = Value::Array(Vec::new());
            }
            if let Value::Array(items) = values {
                items.resize(items.len().max(at + 1), Value::Null);
                if let Some(item) = items.get_mut(*at) {
                    put(item, rest, text);
                }
            }
        }
        Some((Step::Item { .. }, _)) | None => *values = Value::String(text.to_owned()),
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
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use super::helm_path;
    use crate::overlay::Missing;
    use crate::overlay::testing::{after, changes, listed_in, moved_in, warnings};

    const HEAD: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: agent}\n";

    #[test]
    fn a_parameters_name_is_a_path_in_the_values() {
        let table = [
            ("image.tag", Some("image.tag")),
            ("images[0].tag", Some("images[0].tag")),
            ("a[0][1]", Some("a[0][1]")),
            (r"annotations.a\.b/c", Some("annotations[\"a.b/c\"]")),
            ("", None),
            ("a..b", None),
            ("a.", None),
            ("a[99999999999999999999]", None),
            ("a[x]", None),
            ("a[0]b", None),
            ("a=b", None),
            (r"a\", None),
        ];
        for (name, path) in table {
            assert_eq!(helm_path(name).map(|path| path.to_string()).as_deref(), path, "{name}");
        }
    }

    #[test]
    fn revisions_parameters_values_and_images_of_every_source_are_pins() {
        let text = format!(
            "{HEAD}{}",
            "\
spec:
  sources:
  - repoURL: https://charts.acme.example
    chart: agent
    targetRevision: 1.4.2
    helm:
      parameters:
      - {name: image.repository, value: ghcr.io/acme/agent}
      - {name: image.tag, value: v1.8.0}
      - {name: image.digest, value: 'sha256:aa'}
      - {name: 'workers[0].image', value: 'acme/worker:v3'}
      - {name: replicas, value: '3'}
      - {name: model.version, value: '7'}
      - {name: debug.tag, value: x}
      - {name: image.pullPolicy}
      valuesObject:
        proxy: {image: {repository: acme/proxy, tag: v2}}
        replicas: 2
  - repoURL: https://git.acme.example/gitops.git
    targetRevision: release-7
    ref: values
  - {repoURL: 'oci://ghcr.io/acme/charts/redis', targetRevision: 20.1.0, path: .}
  - repoURL: https://git.acme.example/manifests
    targetRevision: HEAD
    path: overlays/staging
    kustomize:
      images:
      - agent=ghcr.io/acme/agent:v1.8.0@sha256:aa
      - acme/proxy:v2
      - acme/bare
      - acme/kept=*:v3
      - acme/own:$ARGOCD_APP_REVISION
"
        );
        assert_eq!(
            listed_in("app.yaml", &text, &[]),
            [
                "spec.sources[0].targetRevision ChartVersion agent = 1.4.2",
                "spec.sources[0].helm.parameters[name=image.tag].value ImageTag ghcr.io/acme/agent = v1.8.0",
                "spec.sources[0].helm.parameters[name=image.digest].value ImageDigest ghcr.io/acme/agent = sha256:aa",
                "spec.sources[0].helm.parameters[name=\"workers[0].image\"].value ImageReference acme/worker = v3",
                "spec.sources[0].helm.parameters[name=model.version].value ModelVersion model = 7",
                "spec.sources[0].helm.valuesObject.proxy.image.tag ImageTag acme/proxy = v2",
                "spec.sources[1].targetRevision RemoteRef https://git.acme.example/gitops = release-7",
                "spec.sources[2].targetRevision ChartVersion redis = 20.1.0",
                "spec.sources[3].kustomize.images[0] ImageReference ghcr.io/acme/agent = v1.8.0@sha256:aa",
                "spec.sources[3].kustomize.images[1] ImageReference acme/proxy = v2",
                "spec.sources[3].kustomize.images[3] ImageReference acme/kept = v3",
            ]
        );
    }

    #[test]
    fn what_generators_fill_in_is_no_pin_even_where_a_pattern_names_it() {
        let text = "\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: agents}
spec:
  generators:
  - list: {elements: [{cluster: staging, tag: v1}]}
  template:
    spec:
      source:
        repoURL: https://git.acme.example/gitops
        targetRevision: '{{ .revision }}'
        helm:
          parameters: [{name: image.tag, value: '{{tag}}'}, {name: job.image.tag, value: v2}]
          valuesObject: {image: {tag: '{{ .tag }}'}}
";
        let job =
            "spec.template.spec.source.helm.parameters[name=job.image.tag].value ImageTag job.image = v2";
        assert_eq!(listed_in("set.yaml", text, &[]), [job]);
        assert_eq!(listed_in("set.yaml", text, &["spec.template.**.value"]), [job]);
    }

    #[test]
    fn sources_are_matched_by_what_they_are() {
        let source = |url: &str, more: &str, revision: &str| {
            format!("  - {{repoURL: 'https://git.acme.example/{url}', {more}, targetRevision: {revision}}}\n")
        };
        let staging = [
            source("charts-staging", "chart: agent", "1.5.0"),
            source("gitops", "path: apps/staging", "v1.8.0"),
            source("gitops.git", "ref: values", "v1.8.1"),
        ];
        let prod = [
            source("gitops", "ref: values", "v1.7.1"),
            source("charts-prod", "chart: agent", "1.4.0"),
            source("gitops", "path: apps/prod", "v1.7.0"),
        ];
        let [staging, prod] =
            [staging, prod].map(|list| format!("{HEAD}spec:\n  sources:\n{}", list.concat()));
        let moved = moved_in(&[("app.yaml", &staging)], &[("app.yaml", &prod)], Missing::List).unwrap();
        assert_eq!(
            changes(&moved),
            [
                "6 spec.sources[0].targetRevision v1.7.1 -> v1.8.1",
                "7 spec.sources[1].targetRevision 1.4.0 -> 1.5.0",
                "8 spec.sources[2].targetRevision v1.7.0 -> v1.8.0",
            ]
        );
        assert_eq!(warnings(&moved), [""; 0]);
    }

    fn application(spec: &str) -> String {
        format!("{HEAD}spec:\n  source:\n    repoURL: https://git.acme.example/gitops\n{spec}")
    }

    #[test]
    fn a_fixed_ref_never_becomes_a_moving_one() {
        let fixed = application("    targetRevision: v1.7.3\n");
        for (staging, said) in [
            ("    targetRevision: main\n", "stays at `v1.7.3`: `main` in staging is no fixed version"),
            ("    targetRevision: HEAD\n", "stays at `v1.7.3`: `HEAD` in staging is no fixed version"),
            ("    targetRevision: 1.x\n", "stays at `v1.7.3`: `1.x` in staging is no fixed version"),
            ("    path: x\n", "stays at `v1.7.3`: staging names no fixed version there"),
        ] {
            let staging = application(staging);
            for missing in [Missing::List, Missing::Add] {
                let moved = moved_in(&[("app.yaml", &staging)], &[("app.yaml", &fixed)], missing).unwrap();
                assert_eq!(changes(&moved), [""; 0]);
                let place = "`prod/app.yaml:7:21`: `spec.source.targetRevision` ";
                assert_eq!(warnings(&moved), [format!("{place}{said}")]);
                assert!(moved.warnings[0].hints[0].contains("value: '{tag}'"));
            }
        }
        // Both follow a branch: nothing to say.
        let main = application("    targetRevision: main\n");
        let moved = moved_in(&[("app.yaml", &main)], &[("app.yaml", &main)], Missing::List).unwrap();
        assert_eq!((changes(&moved).len(), warnings(&moved).len()), (0, 0));
        // A fixed one over a branch is what a promotion is for.
        let moved = moved_in(&[("app.yaml", &fixed)], &[("app.yaml", &main)], Missing::List).unwrap();
        assert_eq!(changes(&moved), ["7 spec.source.targetRevision main -> v1.7.3"]);
    }

    fn parameters(list: &str) -> String {
        application(&format!("    helm:\n      parameters:\n{list}"))
    }

    #[test]
    fn a_parameter_moves_with_its_digest_and_a_stale_one_stops_the_run() {
        let tag = |tag: &str| format!("      - name: image.tag\n        value: {tag}\n");
        let digest = "      - name: image.digest\n        value: sha256:aa\n";
        let (staging, prod) = (parameters(&tag("v1.8.0")), parameters(&(tag("v1.7.3") + digest)));
        let both = parameters(&(tag("v1.8.0") + &digest.replace("aa", "bb")));
        let moved = moved_in(&[("app.yaml", &both)], &[("app.yaml", &prod)], Missing::List).unwrap();
        assert_eq!(after(&moved), both);
        let said = moved_in(&[("app.yaml", &staging)], &[("app.yaml", &prod)], Missing::List).unwrap_err();
        let said = said.to_string();
        assert!(said.contains("prod/app.yaml:12:16`: `spec.source.helm.parameters[name=image.digest].value` would win over the new tag"), "{said}");
        // The other way it would be a new item, which nobody adds unseen.
        let (staging, prod) = (parameters(&(tag("v1.8.0") + digest)), parameters(&tag("v1.7.3")));
        for missing in [Missing::List, Missing::Add] {
            let moved = moved_in(&[("app.yaml", &staging)], &[("app.yaml", &prod)], missing).unwrap();
            assert_eq!(after(&moved), parameters(&tag("v1.8.0")));
            assert!(moved.drift.iter().any(|drift| drift.pin));
            let said = warnings(&moved);
            assert!(said[0].contains("is not added to prod: it would be a new item of a list"), "{said:?}");
        }
    }

    #[test]
    fn what_prod_lacks_is_added_only_where_it_is_the_same_thing() {
        let table = [
            ("    targetRevision: v1.8.0\n", "    path: x\n", "    path: x\n    targetRevision: v1.8.0\n"),
            ("    targetRevision: main\n", "    path: x\n", ""),
            ("    chart: a\n    targetRevision: 1.0.0\n", "    chart: b\n", ""),
            (
                "    chart: a\n    targetRevision: 1.0.0\n",
                "    chart: a\n",
                "    chart: a\n    targetRevision: 1.0.0\n",
            ),
            ("    helm: {parameters: [{name: image.tag, value: v1}]}\n", "    helm: {parameters: []}\n", ""),
            (
                "    helm: {valuesObject: {image: {repository: a/x, tag: v1}}}\n",
                "    helm: {valuesObject: {image: {repository: b/x}}}\n",
                "    helm: {valuesObject: {image: {repository: b/x, tag: v1}}}\n",
            ),
            (
                "    helm: {valuesObject: {image: {repository: a/x, tag: v1}}}\n",
                "    helm: {valuesObject: {image: {repository: b/y}}}\n",
                "",
            ),
            ("    kustomize: {images: ['a:v1']}\n", "    kustomize: {images: ['b:v1']}\n", ""),
        ];
        for (staging, prod, expected) in table {
            let (staging, prod) = (application(staging), application(prod));
            let moved_with =
                |missing| moved_in(&[("app.yaml", &staging)], &[("app.yaml", &prod)], missing).unwrap();
            assert_eq!(after(&moved_with(Missing::List)), "", "{prod}");
            let expected = if expected.is_empty() { String::new() } else { application(expected) };
            assert_eq!(after(&moved_with(Missing::Add)), expected, "{prod}");
        }
    }

    #[test]
    fn names_and_repositories_of_one_string_images_stay() {
        let images = |list: &str| application(&format!("    kustomize:\n      images: [{list}]\n"));
        let staging = images("'agent=stage.io/acme/agent:v2@sha256:bb', 'acme/kept=*:v3'");
        let prod = images("acme/kept=*:v2, 'agent=prod.io/acme/agent:v1'");
        let moved = moved_in(&[("app.yaml", &staging)], &[("app.yaml", &prod)], Missing::List).unwrap();
        assert_eq!(after(&moved), images("acme/kept=*:v3, 'agent=prod.io/acme/agent:v2@sha256:bb'"));
    }
}
