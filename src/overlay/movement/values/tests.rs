#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]
use crate::failure::Result;
use crate::overlay::testing::{changes, moved_in, warnings};
use crate::overlay::{Missing, Movement};

const VALUES: [&str; 2] =
    ["image: {repository: ghcr.io/acme/a, tag: v2}\n", "image: {repository: ghcr.io/acme/a, tag: v1}\n"];

fn helm(lines: &str) -> String {
    let head =
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  source:\n    repoURL: https://x/y\n";
    format!("{head}    helm:\n{lines}")
}

fn with(staging: &str, prod: &str) -> Result<Movement> {
    let files = |values, app| [("values.yaml", values), ("app.yaml", app)];
    moved_in(&files(VALUES[0], staging), &files(VALUES[1], prod), Missing::List)
}

#[test]
fn whatever_counts_after_a_promoted_value_stops_the_run() {
    let none = helm("      valueFiles: [values.yaml]\n");
    let table = [
        (
            helm("      parameters: [{name: image.tag, value: v1}]\n"),
            "prod/app.yaml:7:45`: `spec.source.helm.parameters[name=image.tag].value` wins over the promoted `image.tag`: prod runs `v1`",
        ),
        (
            helm("      parameters: [{name: image.digest, value: 'sha256:aa'}]\n"),
            "`spec.source.helm.parameters[name=image.digest].value` wins over the promoted `image.tag`",
        ),
        (
            helm("      valuesObject: {image: {tag: v1}}\n"),
            "prod/app.yaml:7:35`: `spec.source.helm.valuesObject.image.tag` wins over",
        ),
        (
            helm("      values: |\n        image: {tag: v1}\n"),
            "`spec.source.helm.values` wins over the promoted `image.tag`: prod runs `v1`",
        ),
        (helm("      parameters: [{name: image.tag, value: '{{tag}}'}]\n"), "prod runs `{{tag}}`"),
    ];
    for (app, said) in table {
        let failure = with(&none, &app).unwrap_err().to_string();
        assert!(failure.contains(said) && failure.contains("\nhint: remove it from"), "{failure}");
        // What wins in staging was tested there, and not the value below it.
        let failure = with(&app, &none).unwrap_err().to_string();
        assert!(failure.contains("staging runs `"), "{failure}");
    }
    let release =
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec: {values: {image: {tag: v1}}}\n";
    let failure = with(&none, release).unwrap_err().to_string();
    assert!(failure.contains("`spec.values.image.tag` wins over the promoted `image.tag`"), "{failure}");
}

#[test]
fn parameters_count_after_values_objects_and_these_in_place_of_a_text() {
    let both = |tag: &str| format!("      valuesObject: {{image: {{repository: a, tag: {tag}}}}}\n");
    let over = helm(&(both("v1") + "      parameters: [{name: image.tag, value: v0}]\n"));
    let failure = with(&helm(&both("v2")), &over).unwrap_err().to_string();
    assert!(
        failure.contains("parameters[name=image.tag].value` wins over the promoted `spec.source.helm.valuesObject.image.tag`"),
        "{failure}"
    );
    let unread = helm(&(both("v1") + "      values: 'image: {tag: v0}'\n"));
    let moved = moved_in(&[("app.yaml", &helm(&both("v2")))], &[("app.yaml", &unread)], Missing::List);
    assert_eq!(changes(&moved.unwrap()).len(), 1);
}

#[test]
fn what_moves_too_or_is_of_another_image_wins_over_nothing() {
    let parameter = |tag: &str| helm(&format!("      parameters: [{{name: image.tag, value: {tag}}}]\n"));
    assert_eq!(changes(&with(&parameter("v2"), &parameter("v1")).unwrap()).len(), 2);
    let none = helm("      valueFiles: [values.yaml]\n");
    for prod in [
        parameter("v2"),
        parameter("''"),
        helm("      parameters: [{name: job.image.tag, value: v1}]\n"),
        helm("      valuesObject: {image: {repository: acme/other, tag: v1}}\n"),
        helm("      values: 'not: [yaml'\n"),
    ] {
        let moved = with(&none, &prod).unwrap();
        assert_eq!(changes(&moved).len(), 1, "{prod}");
        assert_eq!(warnings(&moved), [""; 0], "{prod}");
    }
}

#[test]
fn of_two_charts_nobody_knows_whose_a_values_file_is() {
    let prod = helm("      parameters: [{name: image.tag, value: v1}]\n")
        .replace("  source:\n    repoURL", "  sources:\n  - repoURL")
        + "  - {repoURL: 'https://x/z', helm: {releaseName: z}}\n";
    let moved = with(&helm("      valueFiles: [values.yaml]\n"), &prod).unwrap();
    assert_eq!(changes(&moved).len(), 1);
    assert!(warnings(&moved)[0].contains("wins over the promoted `image.tag`"));
}

#[test]
fn pins_in_a_text_are_named_once_with_the_way_out() {
    let text =
        helm("      values: |\n        image: {repository: a, tag: v1}\n        job: {image: 'a:v1'}\n");
    let moved = moved_in(&[("app.yaml", &text)], &[("app.yaml", &text)], Missing::List).unwrap();
    let said = warnings(&moved);
    assert_eq!(
        said,
        [
            "`staging/app.yaml:8:9`: `image.tag` in `spec.source.helm.values` is not promoted: the values stand there as one text"
        ]
    );
    assert!(moved.warnings.iter().any(|problem| problem.hints.concat().contains("valuesObject")));
}

#[test]
fn helm_reads_a_parameter_of_digits_as_a_number() {
    let parameter = |tag: &str, more: &str| {
        helm(&format!("      parameters: [{{name: image.tag, value: '{tag}'{more}}}]\n"))
    };
    let table = [
        ("20260915", "", true),
        ("-7", "", true),
        ("true", "", true),
        ("20260915", ", forceString: true", false),
        ("1.10", "", false),
        ("0123", "", false),
        ("v1", "", false),
    ];
    for (tag, more, warns) in table {
        let (staging, prod) = (parameter(tag, ""), parameter("v0", more));
        let moved = moved_in(&[("app.yaml", &staging)], &[("app.yaml", &prod)], Missing::List).unwrap();
        let said = warnings(&moved);
        assert_eq!(said.iter().any(|said| said.contains("as something else than text")), warns, "{said:?}");
    }
}

const FILES: [&str; 2] = ["values-1.yaml", "values-2.yaml"];

fn in_files(staging: [&str; 2], prod: [&str; 2]) -> Result<Movement> {
    let files = |texts: [&'static str; 2]| [(FILES[0], texts[0]), (FILES[1], texts[1])];
    let leak = |texts: [&str; 2]| texts.map(|text| &*Box::leak(text.to_owned().into_boxed_str()));
    moved_in(&files(leak(staging)), &files(leak(prod)), Missing::List)
}

#[test]
fn a_leftover_in_a_later_values_file_stops_the_run_in_either_overlay() {
    let prod = in_files([VALUES[0], "replicas: 1\n"], [VALUES[1], "image:\n  tag: v0\n"]);
    let said = prod.unwrap_err().to_string();
    assert!(said.contains("prod/values-2.yaml:2:8`: `image.tag` wins over the promoted `image.tag`: prod runs `v0`\nhint: remove it from `environments/prod/values-2.yaml` (line 2)"), "{said}");
    let staging = in_files([VALUES[0], "image: {tag: v3-exp}\n"], [VALUES[1], "replicas: 1\n"]);
    let said = staging.unwrap_err().to_string();
    assert!(said.contains("staging/values-2.yaml:1:14`: `image.tag` wins over"), "{said}");
    let digest = in_files([VALUES[0], "{}\n"], [VALUES[1], "image: {digest: 'sha256:aa'}\n"]);
    assert!(digest.unwrap_err().to_string().contains("`image.digest` wins over the promoted `image.tag`"));
    // What is promoted itself, says the same, names another image or comes first is no leftover.
    let others = [
        ("image: {tag: v3}\n", "image: {tag: v0}\n", 2),
        ("{}\n", "image: {tag: v2}\n", 1),
        ("{}\n", "image: {repository: acme/other, tag: v0}\n", 1),
        ("{}\n", "other: {image: {tag: v0}}\n", 1),
    ];
    for (staging, prod, moves) in others {
        let moved = in_files([VALUES[0], staging], [VALUES[1], prod]).unwrap();
        assert_eq!((changes(&moved).len(), warnings(&moved).len()), (moves, 0), "{prod}");
    }
    let first = in_files(["{}\n", VALUES[0]], ["image: {tag: v0}\n", VALUES[1]]).unwrap();
    assert_eq!((changes(&first).len(), warnings(&first).len()), (1, 0));
    // In folders of their own they may be of two charts.
    let files = |texts: [&'static str; 2]| [("a/values.yaml", texts[0]), ("b/values.yaml", texts[1])];
    let (staging, prod) = (files([VALUES[0], "{}\n"]), files([VALUES[1], "image: {tag: v0}\n"]));
    let moved = moved_in(&staging, &prod, Missing::List).unwrap();
    assert!(warnings(&moved)[0].contains("wins over the promoted `image.tag`: prod runs `v0`"));
}

#[test]
fn values_in_a_kustomization_count_after_the_file_unless_they_are_merged_below_it() {
    let chart = |more: &str| format!("helmCharts:\n- name: agent\n  valuesFile: values.yaml\n{more}");
    let with = |more: &str| {
        let prod = chart(more);
        moved_in(
            &[("values.yaml", VALUES[0]), ("kustomization.yaml", &chart(""))],
            &[("values.yaml", VALUES[1]), ("kustomization.yaml", &prod)],
            Missing::List,
        )
    };
    let inline = "  valuesInline: {image: {tag: v0}}\n";
    for more in [inline.to_owned(), format!("{inline}  valuesMerge: replace\n")] {
        let said = with(&more).unwrap_err().to_string();
        assert!(said.contains("prod/kustomization.yaml:4:31`: `helmCharts[0].valuesInline.image.tag` wins over the promoted `image.tag`: prod runs `v0`"), "{said}");
    }
    assert_eq!(changes(&with(&format!("{inline}  valuesMerge: merge\n")).unwrap()).len(), 1);
    assert_eq!(changes(&with("  valuesInline: {image: {tag: v2}}\n").unwrap()).len(), 1);
}
