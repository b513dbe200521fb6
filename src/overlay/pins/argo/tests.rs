#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]
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
            "spec.sources[3].targetRevision RemoteRef https://git.acme.example/manifests = HEAD",
            "spec.sources[3].kustomize.images[0] ImageReference ghcr.io/acme/agent = v1.8.0@sha256:aa",
            "spec.sources[3].kustomize.images[1] ImageReference acme/proxy = v2",
            "spec.sources[3].kustomize.images[3] ImageReference acme/kept = v3",
        ]
    );
}

#[test]
fn long_lists_and_deep_names_take_no_time_to_speak_of() {
    let mut list = String::new();
    for n in 0..1000 {
        list += &format!("      - {{name: a{n}.image.tag, value: v{n}}}\n");
    }
    list += &format!("      - {{name: '{}', value: v1}}\n", "a.".repeat(100_000) + "tag");
    list += &format!("      - {{name: 'a{}', value: v1}}\n", "[999]".repeat(100_000));
    assert_eq!(listed_in("app.yaml", &parameters(&list), &[]).len(), 1000);
    let mut far = String::new();
    for n in 0..1000 {
        far += &format!("      - {{name: 'p{n}[999][999][999].image.tag', value: v{n}}}\n");
    }
    assert_eq!(listed_in("app.yaml", &parameters(&far), &[]).len(), 1000);
    let source = "  - {repoURL: x/y, path: p, targetRevision: v1}\n";
    let many: String = (0..1000).map(|n| source.replace("path: p", &format!("path: p{n}"))).collect();
    assert_eq!(listed_in("app.yaml", &format!("{HEAD}spec:\n  sources:\n{many}"), &[]).len(), 1000);
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
    let job = "spec.template.spec.source.helm.parameters[name=job.image.tag].value ImageTag job.image = v2";
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
    let [staging, prod] = [staging, prod].map(|list| format!("{HEAD}spec:\n  sources:\n{}", list.concat()));
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

#[test]
fn a_branch_is_never_promoted_and_one_of_prod_gives_way_to_a_version() {
    let at = |revision: &str| application(&format!("    targetRevision: {revision}\n"));
    let chart = |version: &str| application(&format!("    chart: agent\n    targetRevision: {version}\n"));
    let stays =
        |theirs: &str, ours: &str| format!("stays at `{theirs}`: `{ours}` in staging is no fixed version");
    let table = [
        (at("main"), at("HEAD"), None, Some(stays("HEAD", "main"))),
        (at("release-1.8"), at("release-1.7"), None, Some(stays("release-1.7", "release-1.8"))),
        (at("release/1.8"), at("v1.7.0"), None, Some(stays("v1.7.0", "release/1.8"))),
        (at("HEAD"), at("HEAD"), None, None),
        (at("v1.8.0"), at("HEAD"), Some("v1.8.0"), None),
        (at("v1.8.0"), at("''"), Some("v1.8.0"), None),
        (
            at("''"),
            at("v1.7.0"),
            None,
            Some("stays at `v1.7.0`: staging names no fixed version there".to_owned()),
        ),
        (chart("'1.5'"), chart("1.4.2"), None, Some(stays("1.4.2", "1.5"))),
        (chart("^1.8.0"), chart("~1.7.0"), None, Some(stays("~1.7.0", "^1.8.0"))),
        (chart("1.8.0"), chart("~1.7.0"), Some("1.8.0"), None),
    ];
    for (staging, prod, expected, said) in table {
        let moved = moved_in(&[("app.yaml", &staging)], &[("app.yaml", &prod)], Missing::List).unwrap();
        assert_eq!(
            moved.changes.first().and_then(|change| change.after.as_deref()),
            expected,
            "{staging}{prod}"
        );
        let warnings = warnings(&moved);
        assert_eq!(warnings.len(), usize::from(said.is_some()), "{warnings:?}");
        assert!(warnings.iter().zip(&said).all(|(warning, said)| warning.ends_with(said)), "{warnings:?}");
    }
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

#[test]
fn a_source_beside_sources_pins_nothing_and_that_is_said() {
    let of = |first: &str, listed: &str| {
        format!(
            "{HEAD}spec:\n  source: {{repoURL: x/y, targetRevision: {first}}}\n  sources:\n  - {{repoURL: x/y, targetRevision: {listed}}}\n"
        )
    };
    let (staging, prod) = (of("v2", "v3"), of("v0", "v1"));
    let moved = moved_in(&[("app.yaml", &staging)], &[("app.yaml", &prod)], Missing::List).unwrap();
    assert_eq!(changes(&moved), ["7 spec.sources[0].targetRevision v1 -> v3"]);
    let said = "/app.yaml:5:11`: `spec.source` counts for nothing: Argo CD takes `sources` in its place";
    assert_eq!(warnings(&moved), ["prod", "staging"].map(|environment| format!("`{environment}{said}")));
}
