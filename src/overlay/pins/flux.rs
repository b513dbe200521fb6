//! What of a Flux object is a pin: chart versions, values, images of post-renderers, refs of sources.
//!
//! Branches and ranges are none that could be carried: what Flux takes for them changes without a commit.

use super::moving::Motion;
use super::scope::Scope;
use super::{Meaning, Member, PinKind};
use super::{helm, kustomize};
use crate::overlay::editor::document::Node;
use crate::overlay::editor::key_path::{KeyPath, Step};

/// What a scalar of a Flux object is, or nothing where it is no pin.
pub(in crate::overlay) fn meaning(scope: &Scope<'_>, path: &KeyPath, node: &Node) -> Option<Meaning> {
    let kind = scope.text_at(&KeyPath::root(0).key("kind"))?;
    let text = scope.text_of(node);
    let keys: Vec<&str> = path.steps.iter().map(key_of).collect();
    if keys.first() != Some(&"spec") {
        return None;
    }
    match (kind, keys.get(1..).unwrap_or_default()) {
        ("HelmRelease", ["values", ..]) => {
            let values = KeyPath::root(0).key("spec").key("values");
            let found = helm::meaning(&scope.below(&values), &path.below_of(&values)?, node)?;
            Some(Meaning { group: format!("values: {}", found.group), settled: 2, ..found })
        }
        ("HelmRelease", ["postRenderers", _, "kustomize", "images", ..]) => image(scope, path, node, 4),
        ("Kustomization", ["images", ..]) => image(scope, path, node, 1),
        ("HelmRelease", ["chart", "spec", "version"]) | ("HelmChart", ["version"]) => {
            versioned(scope, path, (PinKind::ChartVersion, Member::Version), "chart", text)
        }
        ("OCIRepository" | "GitRepository", ["ref", "tag"]) => reference(scope, path, Member::Version, text),
        ("GitRepository", ["ref", "name"]) => whole_ref(scope, path, text),
        // A range belongs to its environment.
        ("OCIRepository" | "GitRepository", ["ref", "semver"])
            if Motion::of(PinKind::ChartVersion, text) == Motion::Fixed =>
        {
            whole_ref(scope, path, text)
        }
        // A commit wins over a tag as a digest does, and goes with it in the same way.
        ("OCIRepository", ["ref", "digest"]) | ("GitRepository", ["ref", "commit"]) => {
            reference(scope, path, Member::Digest, text)
        }
        _ => None,
    }
}

/// What wins over a source's `ref.tag` and is no fixed version itself; nothing for any other path.
pub(in crate::overlay) fn winning_refs<'d>(scope: &Scope<'d>, path: &KeyPath) -> Vec<(KeyPath, &'d Node)> {
    let keys: Vec<&str> = path.steps.iter().map(key_of).collect();
    let above = match (scope.text_at(&KeyPath::root(0).key("kind")), keys.as_slice()) {
        (Some("OCIRepository"), ["spec", "ref", "tag"]) => &["semver"][..],
        (Some("GitRepository"), ["spec", "ref", "tag"]) => &["name", "semver"],
        _ => &[],
    };
    let place = |key: &&str| {
        let path = path.parent()?.key(key);
        let node = scope.read(&path)?;
        node.as_str().is_some_and(|text| !text.is_empty()).then_some((path, node))
    };
    above.iter().filter_map(place).collect()
}

fn key_of(step: &Step) -> &str {
    if let Step::Key(key) = step { key } else { "" }
}

/// An entry of a list that Kustomize's own `images` are like.
fn image(scope: &Scope<'_>, path: &KeyPath, node: &Node, depth: usize) -> Option<Meaning> {
    let above = KeyPath { document: path.document, steps: path.steps.get(..depth)?.to_vec() };
    let found = kustomize::image(&scope.below(&above), &path.below_of(&above)?, node)?;
    let list = if depth > 1 { "postRenderers: " } else { "" };
    Some(Meaning { group: format!("{list}{}", found.group), settled: path.steps.len(), ..found })
}

fn reference(scope: &Scope<'_>, path: &KeyPath, member: Member, text: &str) -> Option<Meaning> {
    let found = versioned(scope, &path.parent()?, (PinKind::RemoteRef, member), "url", text)?;
    Some(Meaning { group: "ref".to_owned(), settled: path.steps.len(), ..found })
}

/// What counts in place of `ref.tag`, and moves by itself.
fn whole_ref(scope: &Scope<'_>, path: &KeyPath, text: &str) -> Option<Meaning> {
    let found = reference(scope, path, Member::Whole, text)?;
    Some(Meaning { group: path.to_string(), ..found })
}

/// A version beside the name of what it is a version of.
fn versioned(
    scope: &Scope<'_>,
    path: &KeyPath,
    (kind, member): (PinKind, Member),
    of: &str,
    text: &str,
) -> Option<Meaning> {
    let named = scope.text_at(&path.parent()?.key(of));
    // A patch leaves out what its base says.
    let named = named.or_else(|| scope.text_at(&KeyPath::root(0).key("metadata").key("name")));
    Some(Meaning {
        kind,
        artifact: named.map_or_else(|| path.to_string(), |name| name.trim_end_matches(".git").to_owned()),
        repository: None,
        value: text.to_owned(),
        group: path.to_string(),
        settled: path.steps.len(),
        member,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]
    use crate::overlay::Missing;
    use crate::overlay::testing::{after, changes, listed_in, moved_in, warnings};

    #[test]
    fn charts_values_images_and_refs_of_flux_objects_are_pins() {
        let text = "\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: agent}
spec:
  chart: {spec: {chart: agent, version: 1.4.2, sourceRef: {kind: HelmRepository, name: acme}}}
  values:
    image: {repository: ghcr.io/acme/agent, tag: v1.8.0, digest: 'sha256:aa'}
    model: {name: scoring, version: '7'}
    templated: {image: {tag: '${tag}'}}
    replicas: 2
  postRenderers:
  - kustomize:
      images: [{name: proxy, newTag: v2}]
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
spec:
  path: ./x
  images: [{name: acme/job, newName: r.io/acme/job, newTag: v3, digest: 'sha256:bb'}]
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
spec: {url: 'oci://ghcr.io/acme/manifests', ref: {tag: v4, digest: 'sha256:cc', semver: '>=1'}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
spec: {url: 'https://git.acme.example/gitops.git', ref: {tag: v5, commit: 3f1c9ab, branch: main}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmChart
spec: {chart: redis, version: 20.1.0}
";
        assert_eq!(
            listed_in("flux.yaml", text, &[]),
            [
                "spec.chart.spec.version ChartVersion agent = 1.4.2",
                "spec.values.image.tag ImageTag ghcr.io/acme/agent = v1.8.0",
                "spec.values.image.digest ImageDigest ghcr.io/acme/agent = sha256:aa",
                "spec.values.model.version ModelVersion scoring = 7",
                "spec.postRenderers[0].kustomize.images[name=proxy].newTag ImageTag proxy = v2",
                "@1.spec.images[name=acme/job].newTag ImageTag r.io/acme/job = v3",
                "@1.spec.images[name=acme/job].digest ImageDigest r.io/acme/job = sha256:bb",
                "@2.spec.ref.tag RemoteRef oci://ghcr.io/acme/manifests = v4",
                "@2.spec.ref.digest RemoteRef oci://ghcr.io/acme/manifests = sha256:cc",
                "@3.spec.ref.tag RemoteRef https://git.acme.example/gitops = v5",
                "@3.spec.ref.commit RemoteRef https://git.acme.example/gitops = 3f1c9ab",
                "@4.spec.version ChartVersion redis = 20.1.0",
            ]
        );
    }

    fn source(kind: &str, reference: &str) -> String {
        format!(
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: {kind}\nspec:\n  url: https://x/acme\n  ref:\n{reference}"
        )
    }

    #[test]
    fn what_wins_over_a_ref_moves_with_it_goes_or_stops_the_run() {
        let table = [
            (
                "OCIRepository",
                "    tag: v2\n    digest: sha256:bb\n",
                "    tag: v1\n",
                "    tag: v2\n    digest: sha256:bb\n",
            ),
            ("OCIRepository", "    tag: v2\n", "    tag: v1\n    digest: sha256:aa\n", "    tag: v2\n"),
            ("GitRepository", "    tag: v2\n", "    tag: v1\n    commit: 3f1c9ab\n", "    tag: v2\n"),
            ("GitRepository", "    commit: 4f1c9ab\n", "    commit: 3f1c9ab\n", "    commit: 4f1c9ab\n"),
        ];
        for (kind, staging, prod, expected) in table {
            let (staging, prod) = (source(kind, staging), source(kind, prod));
            let moved = moved_in(&[("s.yaml", &staging)], &[("s.yaml", &prod)], Missing::List).unwrap();
            assert_eq!(after(&moved), source(kind, expected));
        }
        let refused = [
            (
                "OCIRepository",
                "    tag: v2\n",
                "    tag: v1\n    semver: '>=1'\n",
                "prod/s.yaml:7:13`: `spec.ref.semver` wins over the promoted `spec.ref.tag`",
            ),
            (
                "GitRepository",
                "    tag: v2\n",
                "    tag: v1\n    name: refs/heads/x\n",
                "prod/s.yaml:7:11`: `spec.ref.name` wins",
            ),
            (
                "GitRepository",
                "    tag: v2\n    semver: 1.x\n",
                "    tag: v1\n",
                "staging/s.yaml:7:13`: `spec.ref.semver` wins",
            ),
        ];
        for (kind, staging, prod, said) in refused {
            let (staging, prod) = (source(kind, staging), source(kind, prod));
            let failure = moved_in(&[("s.yaml", &staging)], &[("s.yaml", &prod)], Missing::List)
                .unwrap_err()
                .to_string();
            assert!(failure.contains(said) && failure.contains("\nhint: remove line 7"), "{failure}");
        }
    }

    #[test]
    fn refs_by_full_name_and_exact_versions_move() {
        let table = [
            ("GitRepository", "    name: refs/tags/v1.8.0\n", "    name: refs/tags/v1.7.0\n", true),
            ("GitRepository", "    name: refs/tags/v1.8.0\n", "    name: refs/heads/main\n", true),
            ("GitRepository", "    name: refs/heads/main\n", "    name: refs/tags/v1.7.0\n", false),
            ("OCIRepository", "    semver: 1.8.0\n", "    semver: 1.7.0\n", true),
            ("OCIRepository", "    semver: 1.x\n", "    semver: 1.7.0\n", false),
            ("OCIRepository", "    semver: '1.8'\n", "    semver: 1.7.0\n", false),
        ];
        for (kind, staging, prod, moves) in table {
            let (staging, prod) = (source(kind, staging), source(kind, prod));
            let moved = moved_in(&[("s.yaml", &staging)], &[("s.yaml", &prod)], Missing::List).unwrap();
            assert_eq!(after(&moved), if moves { staging.as_str() } else { "" });
            assert_eq!(warnings(&moved).len(), usize::from(!moves), "{:?}", warnings(&moved));
        }
    }

    #[test]
    fn a_range_takes_the_place_of_nothing_and_that_is_said() {
        let release = |version: &str| {
            format!(
                "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: podinfo}}\nspec:\n  chart:\n    spec:\n      version: {version}\n"
            )
        };
        let table = [
            (
                "'>=1.0.0-alpha'",
                "'>=1.0.0'",
                Some("stays at `>=1.0.0`: `>=1.0.0-alpha` in staging is no fixed version"),
            ),
            ("'*'", "1.2.3", Some("stays at `1.2.3`: `*` in staging is no fixed version")),
            ("1.x", "1.x", None),
        ];
        for (staging, prod, said) in table {
            let (staging, prod) = (release(staging), release(prod));
            let moved = moved_in(&[("r.yaml", &staging)], &[("r.yaml", &prod)], Missing::List).unwrap();
            assert_eq!(changes(&moved), [""; 0]);
            let expected = said.map(|said| format!("`prod/r.yaml:7:16`: `spec.chart.spec.version` {said}"));
            assert_eq!(warnings(&moved), expected.into_iter().collect::<Vec<_>>());
        }
        // The target follows a range, the source none of its own: nothing is added that would not count.
        let (tagged, ranged) =
            (source("OCIRepository", "    tag: v2\n"), source("OCIRepository", "    semver: '>=1'\n"));
        let moved = moved_in(&[("s.yaml", &tagged)], &[("s.yaml", &ranged)], Missing::Add).unwrap();
        assert_eq!(after(&moved), "");
        assert!(moved.drift.iter().any(|drift| drift.pin && drift.key == "spec.ref.tag"));
        let moved = moved_in(&[("s.yaml", &ranged)], &[("s.yaml", &tagged)], Missing::Add).unwrap();
        assert_eq!(
            warnings(&moved),
            ["`prod/s.yaml:6:10`: `spec.ref.tag` stays at `v2`: staging names no fixed version there"]
        );
    }
}
