//! The rules of couples, as tables of overlays.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests may"
)]
use super::*;
use crate::overlay::testing::{after, changes, moved, moved_by, warnings};

#[test]
fn one_value_is_one_line_and_everything_else_stays_the_targets() {
    let source = "image: {repository: stage.io/acme/agent, tag: v1.8.0}\nreplicas: 1\nhost: staging\n";
    let target = "\
# Production. Ask #agents before editing.
image:
  repository: ghcr.io/acme/agent   # the mirror
  tag: 'v1.7.3'     # promoted by a pull request

replicas:   6
host: agents.acme.example
";
    let moved = moved("values.yaml", source, target);
    assert_eq!(after(&moved), target.replace("v1.7.3", "v1.8.0"));
    assert_eq!(changes(&moved), ["4 image.tag v1.7.3 -> v1.8.0"]);
    assert_eq!(warnings(&moved), [""; 0]);
    assert_eq!(moved.files[0].mode, 0o100_644);
    assert_eq!(moved.files[0].before, target.as_bytes());
}

/// Name of the rule, source, target, target afterwards (empty: nothing changes).
type Row = (&'static str, &'static str, &'static str, &'static str);

fn holds(name: &str, rows: &[Row]) {
    for (rule, source, target, expected) in rows {
        assert_eq!(after(&moved(name, source, target)), *expected, "{rule}");
    }
}

#[test]
fn values_move_by_identity_and_registries_stay() {
    holds(
        "values.yaml",
        &[
            (
                "list items match by name, id or key, whatever their order",
                "l: [{name: a, image: {tag: a2}}, {id: b, image: {tag: b2}}, {key: c, image: {tag: c2}}]\n",
                "l: [{key: c, image: {tag: c1}}, {name: a, image: {tag: a1}}, {id: b, image: {tag: b1}}]\n",
                "l: [{key: c, image: {tag: c2}}, {name: a, image: {tag: a2}}, {id: b, image: {tag: b2}}]\n",
            ),
            (
                "of a one-string image only tag and digest move",
                "image: stage.io:5000/acme/a:v2@sha256:bb\n",
                "image: \"prod.io/mirror/acme/a:v1@sha256:aa\" # x\n",
                "image: \"prod.io/mirror/acme/a:v2@sha256:bb\" # x\n",
            ),
            (
                "a one-string image gets the digest that the source has",
                "image: a:v2@sha256:bb\n",
                "image: p.io/a:v1\n",
                "image: p.io/a:v2@sha256:bb\n",
            ),
            (
                "models and prompts move, datasets do not",
                "model: {name: m, version: 2026-09-15, revision: r2, digest: sha256:bb}\nprompt: {version: v2}\ndataset: {name: d, version: v2, tag: v2, digest: sha256:bb}\n",
                "model: {name: m, version: 2026-05-01, revision: r1, digest: sha256:aa}\nprompt: {version: v1}\ndataset: {name: d, version: v1, tag: v1, digest: sha256:aa}\n",
                "model: {name: m, version: \"2026-09-15\", revision: r2, digest: sha256:bb}\nprompt: {version: v2}\ndataset: {name: d, version: v1, tag: v1, digest: sha256:aa}\n",
            ),
            (
                "an image of another name is another image",
                "app: {image: {repository: acme/app-next, tag: v2, digest: sha256:bb}}\n",
                "app: {image: {repository: acme/app, tag: v1, digest: sha256:aa}}\n",
                "",
            ),
            ("so is a one-string one", "image: acme/proxy:v2\n", "image: acme/app:v1\n", ""),
            (
                "so is a model",
                "model: {name: large, version: v2}\n",
                "model: {name: small, version: v1}\n",
                "",
            ),
            (
                "a mirror is not",
                "image: {registry: stage.io, repository: x/app, tag: v2}\n",
                "image: {registry: prod.io, repository: y/app, tag: v1}\n",
                "image: {registry: prod.io, repository: y/app, tag: v2}\n",
            ),
            ("an empty tag replaces none", "image: {tag: ''}\n", "image: {tag: 'v1'}\n", ""),
            ("null is empty", "image: {tag: }\n", "image: {tag: 'v1'}\n", ""),
            ("null and empty are equal", "image: {tag: }\n", "image: {tag: ''}\n", ""),
            ("the same value is no change", "image: {tag: \"v1\"}\n", "image: {tag: v1}\n", ""),
            (
                "CRLF and a missing newline survive",
                "image: {tag: v2}",
                "a: 1\r\nimage:\r\n  tag: v1",
                "a: 1\r\nimage:\r\n  tag: v2",
            ),
        ],
    );
}

#[test]
fn kustomizations_and_charts_move_by_name() {
    holds(
        "kustomization.yaml",
        &[
            (
                "images match by name whatever their order, newName stays",
                "images:\n- {name: a, newName: stage.io/a, newTag: v2}\n- {name: b, newTag: w2, digest: sha256:bb}\n",
                "images:\n- name: b\n  newTag: w1\n  digest: sha256:aa\n- name: a\n  newName: prod.io/a\n  newTag: v1\n",
                "images:\n- name: b\n  newTag: w2\n  digest: sha256:bb\n- name: a\n  newName: prod.io/a\n  newTag: v2\n",
            ),
            (
                "an image that is renamed to another is another",
                "images: [{name: a, newName: x/next, newTag: v2}]\n",
                "images: [{name: a, newName: x/a, newTag: v1}]\n",
                "",
            ),
            (
                "charts match by name",
                "helmCharts: [{name: r, version: 2.0.0}, {name: pg, releaseName: x, version: 5.0.0}, {name: pg, releaseName: y, version: 6.0.0}]\n",
                "helmCharts: [{name: pg, releaseName: y, version: 4.0.0}, {name: pg, releaseName: x, version: 3.0.0}, {name: r, version: 1.0.0}]\n",
                "helmCharts: [{name: pg, releaseName: y, version: 6.0.0}, {name: pg, releaseName: x, version: 5.0.0}, {name: r, version: 2.0.0}]\n",
            ),
            (
                "of a remote resource the ref moves and the query stays",
                "resources: [../base, 'https://h/a//p?ref=v2']\ncomponents: ['github.com/b?ref=w2']\n",
                "resources: ['https://h/a//p?ref=v1&x=y', ../base, ./more]\ncomponents: ['github.com/b?timeout=9&ref=w1']\n",
                "resources: ['https://h/a//p?ref=v2&x=y', ../base, ./more]\ncomponents: ['github.com/b?timeout=9&ref=w2']\n",
            ),
            (
                "another path of one repository is another resource",
                "resources: ['https://h/a//p?ref=v2']\n",
                "resources: ['https://h/a//q?ref=v1']\n",
                "",
            ),
        ],
    );
    holds(
        "Chart.yaml",
        &[(
            "dependencies match by name, the chart's own version stays",
            "version: 2.0.0\nappVersion: v2\ndependencies: [{name: a, version: 2.0.0}, {name: b, version: 3.0.0}]\n",
            "version: 1.0.0\nappVersion: v1\ndependencies: [{name: b, version: 1.0.0}, {name: a, version: 1.0.0}]\n",
            "version: 1.0.0\nappVersion: v1\ndependencies: [{name: b, version: 3.0.0}, {name: a, version: 2.0.0}]\n",
        )],
    );
}

#[test]
fn tag_and_digest_move_together() {
    let both = "image:\n  tag: v2\n  digest: sha256:bb\n";
    let tag = "image:\n  tag: v2\n";
    let old = "image:\n  tag: v1 # t\n  digest: sha256:aa\n  pullPolicy: Always\n";
    let old_tag = "image:\n  tag: v1 # t\n  pullPolicy: Always\n";
    holds(
        "values.yaml",
        &[
            ("both to both", both, old, "image:\n  tag: v2 # t\n  digest: sha256:bb\n  pullPolicy: Always\n"),
            (
                "the digest is added beside the tag",
                both,
                old_tag,
                "image:\n  tag: v2 # t\n  digest: sha256:bb\n  pullPolicy: Always\n",
            ),
            ("a stale digest goes", tag, old, "image:\n  tag: v2 # t\n  pullPolicy: Always\n"),
            (
                "an empty digest is no digest",
                "image: {tag: v2, digest: ''}\n",
                "image: {tag: v1}\n",
                "image: {tag: v2}\n",
            ),
            (
                "beside an empty digest a stale one goes",
                "image: {tag: v2, digest: ''}\n",
                "image: {tag: v1, digest: 'sha256:aa'}\n",
                "image: {tag: v2}\n",
            ),
            (
                "an empty digest is not stale",
                tag,
                "image: {tag: v1, digest: ''}\n",
                "image: {tag: v2, digest: ''}\n",
            ),
            (
                "models as well",
                "model: {version: v2}\n",
                "model: {version: v1, digest: sha256:aa}\n",
                "model: {version: v2}\n",
            ),
            ("one-string images as well", "image: a:v2\n", "image: a:v1@sha256:aa\n", "image: a:v2\n"),
            ("beside an unchanged tag it stays", tag, "image: {tag: v2, digest: sha256:aa}\n", ""),
            ("in one string as well", "image: a:v2\n", "image: a:v2@sha256:aa\n", ""),
            (
                "a digest alone does not move beside a tag",
                "image: {digest: sha256:bb}\n",
                "image: {tag: v1, digest: sha256:aa}\n",
                "",
            ),
            (
                "nor beside an empty tag",
                "image: {tag: '', digest: sha256:bb}\n",
                "image: {tag: v1, digest: sha256:aa}\n",
                "",
            ),
            (
                "without a tag in the target it does",
                "image: {tag: '', digest: sha256:bb}\n",
                "image: {digest: sha256:aa}\n",
                "image: {digest: sha256:bb}\n",
            ),
            (
                "one side by tag, the other by digest",
                "image: {digest: sha256:bb}\n",
                "image: {tag: v1}\n",
                "",
            ),
        ],
    );
    holds(
        "kustomization.yaml",
        &[(
            "a stale digest goes",
            "images: [{name: a, newTag: v2}]\n",
            "images:\n  - name: a\n    digest: sha256:aa\n    newTag: v1\n",
            "images:\n  - name: a\n    newTag: v2\n",
        )],
    );
}

#[test]
fn what_happens_to_a_digest_alone_is_said() {
    let table = [
        (
            "image: {tag: v2}\n",
            "image: {tag: v1, digest: sha256:aa}\n",
            "`prod/values.yaml:1:26`: the digest of `image.digest` is removed: it would win over the new tag, and staging has none",
        ),
        (
            "image: {tag: v1}\n",
            "image: {tag: v1, digest: sha256:aa}\n",
            "`prod/values.yaml:1:26`: the digest of `image.digest` stays unproven: staging has none beside `image.tag`",
        ),
        (
            "image: a:v2\n",
            "image: a:v1@sha256:aa\n",
            "`prod/values.yaml:1:8`: the digest of `image` is removed: it would win over the new tag, and staging has none",
        ),
        (
            "image: {digest: sha256:bb}\n",
            "image: {tag: v1}\n",
            "`prod/values.yaml:1:14`: `image.tag` is left alone: staging pins `image.digest` instead",
        ),
        (
            "image: {digest: sha256:bb}\n",
            "image: {tag: v1, digest: sha256:aa}\n",
            "`prod/values.yaml:1:14`: `image.tag` is left alone: staging pins `image.digest` instead",
        ),
        (
            "image: {tag: ''}\n",
            "image: {tag: v1}\n",
            "`prod/values.yaml:1:14`: `image.tag` is left alone: staging pins nothing there",
        ),
        (
            "image: {tag: v2, digest: ''}\n",
            "image: {tag: v1, digest: sha256:aa}\n",
            "`prod/values.yaml:1:26`: the digest of `image.digest` is removed: it would win over the new tag, and staging has none",
        ),
        (
            "l: [{name: a, image: {tag: v2}}, {name: a}]\n",
            "l: [{name: a, image: {tag: v1}}, {name: a}]\n",
            "`prod/values.yaml:1:28`: `l[0].image.tag` is not promoted: several items of `l` are called `a`",
        ),
        (
            "l: [{image: {repository: x/a, tag: v2}}, {image: {repository: x/b}}]\n",
            "l: [{image: {repository: y/b, tag: v1}}, {image: {repository: y/a}}]\n",
            "`prod/values.yaml:1:36`: `l[0].image.tag` is not promoted: it is `x/a` in staging and `y/b` in prod",
        ),
        (
            "l: [{image: {tag: v2}}, {}]\n",
            "l: [{image: {tag: v1}}]\n",
            "`prod/values.yaml:1:19`: `l[0].image.tag` is not promoted: the items of `l` have no names, and there are not as many in staging",
        ),
        (
            "image: {repository: x/b, tag: v2}\n",
            "image: {repository: x/a, tag: v1}\n",
            "`prod/values.yaml:1:31`: `image.tag` is not promoted: it is `x/b` in staging and `x/a` in prod",
        ),
    ];
    for (source, target, said) in table {
        let moved = moved("values.yaml", source, target);
        assert_eq!(warnings(&moved), [said]);
        assert!(!moved.warnings[0].hints.is_empty());
    }
}

#[test]
fn own_patterns_promote_what_the_default_set_would_not() {
    let source = "app: {image: {repository: x/next, tag: v2}}\nbuild: {id: b2}\nother: {image: {tag: v2}}\n";
    let target = "app: {image: {repository: x/app, tag: v1}}\nbuild: {id: b1}\nother: {image: {tag: v1}}\n";
    let files = |text| [("values.yaml", text)];
    let moved =
        moved_by(&files(source), &files(target), &["app.image.tag", "build.*", "no.such"], Missing::List);
    let moved = moved.unwrap();
    assert_eq!(changes(&moved), ["1 app.image.tag v1 -> v2", "2 build.id b1 -> b2"]);
    assert_eq!(warnings(&moved), ["`staging`: `no.such` in `pins` names nothing"]);
}

#[test]
fn numeric_tags_arrive_as_text_and_the_source_is_told_to_quote_them() {
    for tag in ["1.10", "1e3", "0123", "yes", "12:30:45", "0x1F", "2026-01-02", "0e1", "1_000"] {
        for source in [format!("image: {{tag: {tag}}}\n"), format!("image: {{tag: '{tag}'}}\n")] {
            let plain = moved("values.yaml", &source, "image:\n  tag: v1\n");
            assert_eq!(after(&plain), format!("image:\n  tag: \"{tag}\"\n"));
            assert_eq!(warnings(&plain).len(), usize::from(!source.contains('\'')), "{source}");
            let quoted = moved("values.yaml", &source, "image:\n  tag: 'v1'\n");
            assert_eq!(after(&quoted), format!("image:\n  tag: '{tag}'\n"));
            let number = moved("values.yaml", &source, &format!("image:\n  tag: {tag}\n"));
            assert_eq!(after(&number), format!("image:\n  tag: \"{tag}\"\n"), "a number becomes text");
        }
        let source = format!("images: [{{name: a, newTag: {tag}}}]\n");
        let moved = moved("kustomization.yaml", &source, "images:\n- name: a\n  newTag: v1\n");
        assert_eq!(after(&moved), format!("images:\n- name: a\n  newTag: \"{tag}\"\n"));
    }
}

#[test]
fn a_digest_goes_with_its_tag_whoever_names_the_pins() {
    let old = "\
image:
  repository: r/a
  tag: v1
  digest: sha256:aa
";
    let table: [(&[&str], &str, &str, &str, &str); 5] = [
        (
            &["image.tag"],
            "values.yaml",
            "image: {repository: r/a, tag: v2, digest: sha256:bb}\n",
            old,
            "v2 sha256:bb",
        ),
        (&["**.tag"], "values.yaml", "image: {repository: r/a, tag: v2}\n", old, "v2"),
        (&["image.tag"], "values.yaml", "image: {tag: v2}\nother: {digest: sha256:cc}\n", old, "v2"),
        (
            &["**.newTag"],
            "kustomization.yaml",
            "images: [{name: a, newTag: v2, digest: sha256:bb}]\n",
            "images:\n- name: a\n  newTag: v1\n  digest: sha256:aa\n",
            "v2 sha256:bb",
        ),
        (&["workerTag"], "values.yaml", "workerTag: v2\n", "workerTag: v1\nworkerDigest: sha256:aa\n", "v2"),
    ];
    for (patterns, name, source, target, expected) in table {
        let moved = moved_by(&[(name, source)], &[(name, target)], patterns, Missing::List).unwrap();
        let text = after(&moved);
        for gone in ["v1", "sha256:aa"] {
            assert!(!text.contains(gone), "{patterns:?}: {text}");
        }
        assert!(expected.split(' ').all(|value| text.contains(value)), "{patterns:?}: {text}");
        let is_removed = warnings(&moved).iter().any(|said| said.contains("is removed: it would win"));
        assert_eq!(is_removed, !expected.contains(' '), "{patterns:?}");
    }
}

#[test]
fn a_digest_whose_tag_nobody_names_is_no_pin() {
    let files = |n: u8| {
        format!("image: {{repository: r/a, tag: v{n}, digest: 'sha256:a{n}'}}\nbuild: {{id: b{n}}}\n")
    };
    let (source, target) = (files(2), files(1));
    let moved =
        moved_by(&[("values.yaml", &source)], &[("values.yaml", &target)], &["build.id"], Missing::List)
            .unwrap();
    assert_eq!(changes(&moved), ["2 build.id b1 -> b2"]);
}

#[test]
fn a_digest_is_never_added_beside_a_tag_that_stays() {
    let files = |text| [("values.yaml", text)];
    for missing in [Missing::List, Missing::Add] {
        let source = files("image: {digest: sha256:bb}\n");
        let moved = moved_by(&source, &files("image: {tag: v5}\n"), &[], missing).unwrap();
        assert_eq!(after(&moved), "");
        assert!(warnings(&moved)[0].contains("is left alone"), "{:?}", warnings(&moved));
    }
}

#[test]
fn items_of_one_name_and_places_of_other_images_never_swap_versions() {
    let table = [
        (
            "jobs: [{name: a, mode: web, image: {repository: r/a, tag: v2}}, {name: a, mode: mig, image: {repository: r/a, tag: v0}}]\n",
            "jobs: [{name: a, mode: mig, image: {repository: r/a, tag: v0}}, {name: a, mode: web, image: {repository: r/a, tag: v1}}]\n",
        ),
        (
            "jobs: [{image: 'r/a:v2'}, {tag: v9, image: r/b}]\n",
            "jobs: [{image: 'r/a:v1'}, {tag: v8, image: r/c}]\n",
        ),
    ];
    for (source, target) in table {
        for patterns in [&[][..], &["**.{tag,image}"]] {
            let files = |text| [("values.yaml", text)];
            let moved = moved_by(&files(source), &files(target), patterns, Missing::List).unwrap();
            assert_eq!(after(&moved), "", "{patterns:?}");
            assert_eq!(warnings(&moved).len(), 2, "{:?}", warnings(&moved));
        }
    }
    let alike = |n: u8| format!("jobs: [{{image: 'r/a:v{n}'}}, {{image: 'r/b:w{n}'}}]\n");
    assert_eq!(changes(&moved("values.yaml", &alike(2), &alike(1))).len(), 2);
}

#[test]
fn only_the_pin_that_a_pattern_names_may_be_another_image() {
    let source = "app: {image: {repository: x/next, tag: v2}}\nproxy: {image: {repository: x/envoy, tag: v2}}\nbuild: b2\n";
    let target = "app: {image: {repository: x/app, tag: v1}}\nproxy: {image: {repository: x/nginx, tag: v1}}\nbuild: b1\n";
    let files = |text| [("values.yaml", text)];
    let moved =
        moved_by(&files(source), &files(target), &["default", "build", "app.image.tag"], Missing::List);
    let moved = moved.unwrap();
    assert_eq!(changes(&moved), ["1 app.image.tag v1 -> v2", "3 build b1 -> b2"]);
    assert!(warnings(&moved)[0].contains("`proxy.image.tag` is not promoted"), "{:?}", warnings(&moved));
}

#[test]
fn an_inherited_digest_that_would_win_stops_the_run() {
    let target = "d: &d {digest: 'sha256:aa', pullPolicy: Always}\nimage: {<<: *d, tag: v1}\n";
    let files = |text| [("values.yaml", text)];
    let source = files("image: {tag: v2}\n");
    let said = moved_by(&source, &files(target), &[], Missing::List).unwrap_err().to_string();
    let expected =
        "values.yaml:1:16`: `image.digest` is inherited by `<<`, and would win over the new `image.tag`";
    assert!(said.contains(expected) && said.contains("\nhint: "), "{said}");
    let unmoved = files("image: {tag: v1}\n");
    assert_eq!(after(&moved_by(&unmoved, &files(target), &[], Missing::List).unwrap()), "");
}

#[test]
fn a_tag_with_a_digest_in_it_moves_as_one() {
    holds(
        "values.yaml",
        &[
            (
                "whole",
                "image: {tag: 'v2@sha256:bb'}\n",
                "image: {tag: 'v1@sha256:aa'}\n",
                "image: {tag: 'v2@sha256:bb'}\n",
            ),
            (
                "a digest beside it goes",
                "image: {tag: 'v2@sha256:bb'}\n",
                "image: {tag: 'v1', digest: 'sha256:aa'}\n",
                "image: {tag: 'v2@sha256:bb'}\n",
            ),
            (
                "or comes",
                "image: {tag: v2, digest: 'sha256:bb'}\n",
                "image:\n  tag: 'v1@sha256:aa'\n",
                "image:\n  tag: 'v2'\n  digest: sha256:bb\n",
            ),
            ("an unproven one stays", "image: {tag: v1}\n", "image: {tag: 'v1@sha256:aa'}\n", ""),
        ],
    );
    let moved = moved("values.yaml", "image: {tag: v2}\n", "image: {tag: 'v1@sha256:aa'}\n");
    assert_eq!(after(&moved), "image: {tag: 'v2'}\n");
    assert!(warnings(&moved)[0].contains("is removed"), "{:?}", warnings(&moved));
}
