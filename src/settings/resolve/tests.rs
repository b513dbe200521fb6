#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]
use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::settings::{Event, Inputs, MergeMethod, PolicyMode, Required};

const EVERYTHING: &str = include_str!("../../../tests/fixtures/settings/everything.yaml");
const ONE: &[&str] = &["environments/staging/values.yaml", "environments/prod/values.yaml"];
const TWO: &[&str] = &[
    "environments/dev/a/values.yaml",
    "environments/staging/a/values.yaml",
    "environments/staging/b/kustomization.yaml",
    "environments/staging/notes/README.md",
    "environments/prod/a/values.yaml",
    "environments/prod/b/kustomization.yaml",
    "environments/prod-eu/a/values.yaml",
    "environments/prod-eu/b/kustomization.yaml",
];

fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

fn asked(given: &[(&str, &str)]) -> Asked {
    let variables =
        given.iter().map(|(name, text)| (format!("INPUT_{}", name.to_uppercase()), (*text).to_owned()));
    Asked::join(Inputs::default(), Inputs::from_env(variables), &Event::local()).unwrap()
}

fn resolved(given: &[(&str, &str)], file: &str, layout: &[&str]) -> Result<Request> {
    let layout = Layout::below_environments(layout.iter().map(|file| path(file)));
    let config = path(".github/promote.yaml");
    resolve(&asked(given), (!file.is_empty()).then_some((&config, file)), &layout, "gitops")
}

/// `app: source -> target`, one per promotion.
fn ways(given: &[(&str, &str)], file: &str, layout: &[&str]) -> Vec<String> {
    let request = resolved(given, file, layout).unwrap();
    let way = |p: &Promotion| {
        format!("{} {}:{} {}:{}", p.app, p.source.name, p.source.path, p.target.name, p.target.path)
    };
    request.promotions.iter().map(way).collect()
}

fn refusal(given: &[(&str, &str)], file: &str, layout: &[&str]) -> String {
    resolved(given, file, layout).unwrap_err().to_string()
}

#[test]
fn a_repository_whose_name_no_branch_can_have_names_its_app_as_near_as_can_be() {
    let layout = Layout::below_environments(
        ["environments/staging/values.yaml", "environments/prod/values.yaml"].iter().map(|file| path(file)),
    );
    for (repository, app) in [
        (".gitops", "gitops"),
        ("x.lock", "x-lock"),
        ("..x.LOCK", "x-LOCK"),
        ("-a", "a"),
        ("a..b", "a-b"),
        ("a.", "a."),
        ("a.b", "a.b"),
    ] {
        let request = resolve(&asked(&[]), None, &layout, repository).unwrap();
        assert_eq!(request.promotions[0].app, app, "{repository}");
    }
}

#[test]
fn an_input_that_is_not_acted_on_yet_is_told() {
    let layout = ["environments/staging/values.yaml", "environments/prod/values.yaml"];
    let request = resolved(&[("policy-data", "data")], "", &layout).unwrap();
    let told: Vec<String> = request.not_yet.iter().map(|problem| problem.message.clone()).collect();
    assert_eq!(told, ["`policy-data` is read, but this version does not act on it yet"]);
}

#[test]
fn without_settings_there_is_one_app_named_after_the_repository() {
    assert_eq!(ways(&[], "", ONE), ["gitops staging:environments/staging prod:environments/prod"]);
    assert_eq!(
        ways(
            &[("from", "dev"), ("to", "staging")],
            "",
            &["environments/dev/Chart.yaml", "environments/staging/x/y"]
        ),
        ["gitops dev:environments/dev staging:environments/staging"]
    );
}

#[test]
fn without_settings_there_is_one_app_per_folder() {
    assert_eq!(
        ways(&[], "", TWO),
        [
            "a staging:environments/staging/a prod:environments/prod/a",
            "b staging:environments/staging/b prod:environments/prod/b",
        ]
    );
    assert_eq!(
        ways(&[("to", "prod-eu, prod"), ("app", "b")], "", TWO),
        [
            "b staging:environments/staging/b prod-eu:environments/prod-eu/b",
            "b staging:environments/staging/b prod:environments/prod/b",
        ]
    );
}

#[test]
fn an_app_of_the_file_follows_the_layout_where_it_says_nothing_else() {
    assert_eq!(
        ways(&[], "apps: [{name: b}]\n", TWO),
        ["b staging:environments/staging/b prod:environments/prod/b"]
    );
    assert_eq!(
        ways(&[], "apps: [{name: x}]\n", ONE),
        ["x staging:environments/staging prod:environments/prod"]
    );
    assert_eq!(
        ways(&[], "apps: [{name: x, source: environments/staging/a, targets: [{name: prod}]}]\n", TWO),
        ["x staging:environments/staging/a prod:environments/prod/a"]
    );
    assert_eq!(
        ways(&[], "apps: [{name: x, source: deploy/s, targets: [{name: p, path: deploy/p}]}]\n", ONE),
        ["x staging:deploy/s p:deploy/p"]
    );
    assert_eq!(
        ways(&[], "from: dev\nto: [prod-eu]\napps: [{name: a}, {name: b, from: staging}]\n", TWO),
        [
            "a dev:environments/dev/a prod-eu:environments/prod-eu/a",
            "b staging:environments/staging/b prod-eu:environments/prod-eu/b",
        ]
    );
}

#[test]
fn to_and_app_choose_among_what_the_file_names() {
    let file = "apps:\n- {name: a, targets: [{name: prod}, {name: prod-eu}]}\n- {name: b, targets: [{name: prod}]}\n";
    let a = "a staging:environments/staging/a";
    let b = "b staging:environments/staging/b";
    for (given, expected) in [
        (
            &[][..],
            vec![
                format!("{a} prod:environments/prod/a"),
                format!("{a} prod-eu:environments/prod-eu/a"),
                format!("{b} prod:environments/prod/b"),
            ],
        ),
        (&[("to", "prod-eu")], vec![format!("{a} prod-eu:environments/prod-eu/a")]),
        (&[("app", "b")], vec![format!("{b} prod:environments/prod/b")]),
        (
            &[("app", "b,a"), ("to", "prod")],
            vec![format!("{a} prod:environments/prod/a"), format!("{b} prod:environments/prod/b")],
        ),
    ] {
        assert_eq!(ways(given, file, TWO), expected, "{given:?}");
    }
}

#[test]
fn a_name_that_fits_nothing_is_refused_with_those_that_would() {
    let file =
        "apps:\n- {name: a, targets: [{name: prod-us, path: x}]}\n- {name: b, targets: [{name: prod}]}\n";
    for (given, file, message) in [
        (
            &[("app", "a,fraud-agent")][..],
            "",
            "error: input `app`: there is no app `fraud-agent`\nhint: apps: `a`, `b`",
        ),
        (&[("app", "aa")], file, "error: input `app`: there is no app `aa`\nhint: apps: `a`, `b`"),
        (
            &[("to", "prod-uk")],
            file,
            "error: input `to`: `prod-uk` is no target of any app\nhint: targets: `prod`, `prod-us`; did you mean `prod-us`?",
        ),
        (
            &[("to", "staging"), ("app", "b")],
            file,
            "error: input `to`: `staging` is no target of `b`\nhint: targets: `prod`",
        ),
        (
            &[("to", "prod"), ("app", "a,b")],
            file,
            "error: input `to`: `a` does not go to `prod`\nhint: its targets: `prod-us`",
        ),
        (
            &[],
            "to: [prdo]\napps: [{name: a, targets: [{name: prod}]}]\n",
            "error: `.github/promote.yaml:1:5`: `prdo` is no target of `a`\nhint: targets: `prod`; did you mean `prod`?",
        ),
    ] {
        assert_eq!(refusal(given, file, TWO), message, "{given:?}");
    }
}

#[test]
fn a_missing_overlay_is_named_with_where_it_was_looked_for() {
    let environments = "hint: the environments there are: `dev`, `prod`, `prod-eu`, `staging`";
    for (given, file, layout, message) in [
        (
            &[][..],
            "",
            &[][..],
            "error: there is no overlay in `environments/staging`: looked for `values.yaml` and `kustomization.yaml` \
             there and in the folders below it\n\
             hint: say where the overlays are, in `.github/promote.yaml`: `apps: [{name: gitops, source: PATH, \
             targets: [{name: prod, path: PATH}]}]`"
                .to_owned(),
        ),
        (
            &[("from", "stage")],
            "",
            TWO,
            format!(
                "error: input `from`: there is no overlay in `environments/stage`: looked for `values.yaml` and \
                 `kustomization.yaml` there and in the folders below it\n{environments}\n\
                 hint: say where the overlays are, in `.github/promote.yaml`: `apps: [{{name: gitops, source: PATH, \
                 targets: [{{name: prod, path: PATH}}]}}]`"
            ),
        ),
        (
            &[("to", "dev")],
            "",
            TWO,
            format!(
                "error: input `to`: `b` has an overlay in `environments/staging/b`, but none in `environments/dev/b`\n\
                 hint: add its overlay for `dev`, or say where it is: `targets: [{{name: dev, path: PATH}}]`\n\
                 {environments}"
            ),
        ),
        (
            &[],
            "apps:\n- name: c\n- name: a\n  source: environments/qa/a\n- name: b\n  targets: [{name: prod, path: environments/x}]\n",
            TWO,
            format!(
                "error: `.github/promote.yaml:2:9`: `c` has no overlay in `environments/staging/c`\n\
                 hint: name its folder: `source: PATH`\n\
                 error: `.github/promote.yaml:4:11`: `source` of `a`: there is nothing in `environments/qa/a`\n\
                 hint: name the folder of its overlay in the source environment\n\
                 error: `.github/promote.yaml:6:32`: `b` has an overlay in `environments/staging/b`, but none in \
                 `environments/x`\n\
                 hint: add its overlay for `prod`, or say where it is: `targets: [{{name: prod, path: PATH}}]`\n\
                 {environments}"
            ),
        ),
        (
            &[],
            "apps: [{name: x, source: deploy/s}]\n",
            ONE,
            "error: `.github/promote.yaml:1:15`: the overlay of `x` in `prod` is not named\n\
             hint: name its folder: `targets: [{name: prod, path: PATH}]`"
                .to_owned(),
        ),
    ] {
        assert_eq!(refusal(given, file, layout), message, "{given:?} {file}");
    }
}

#[test]
fn an_overlay_that_is_not_asked_for_may_be_missing() {
    let file = "apps: [{name: a}, {name: gone}]\n";
    assert_eq!(
        ways(&[("app", "a")], file, TWO),
        ["a staging:environments/staging/a prod:environments/prod/a"]
    );
    assert!(refusal(&[("app", "gone")], file, TWO).contains("`gone` has no overlay in"));
}

#[test]
fn nothing_is_promoted_to_itself() {
    assert_eq!(
        refusal(&[("to", "staging")], "", ONE),
        "error: input `to`: `gitops` would be promoted from `environments/staging` to itself\n\
         hint: `from` and `to` are two environments, with a folder each"
    );
}

#[test]
fn a_file_of_both_overlays_is_refused() {
    let chart = "apps: [{name: x, source: charts/x, files: ['values-{environment}.yaml', Chart.yaml]}]\n";
    assert_eq!(
        refusal(&[], chart, ONE),
        "error: `.github/promote.yaml:1:43`: `charts/x/Chart.yaml` is in the overlays of both `staging` and `prod`\n\
         hint: leave it out of `files`, or give each environment its own: `values-{environment}.yaml`, or a part of one \
         file by `at: 'environments.{environment}'`"
    );
    let part = "files: [{file: /all.yaml, at: '{environment}'}, {file: '/all.yaml', at: staging}]\n";
    assert!(refusal(&[], part, ONE).contains("`all.yaml` is in the overlays of both"));
    let parts = "files: [{file: /all.yaml, at: '{environment}'}]\n";
    assert_eq!(ways(&[], parts, ONE).len(), 1);
}

#[test]
fn an_environment_is_not_renamed_under_a_named_source() {
    let file = "apps: [{name: x, source: deploy/s, targets: [{name: p, path: deploy/p}]}]\n";
    assert_eq!(ways(&[("from", "staging")], file, ONE), ["x staging:deploy/s p:deploy/p"]);
    assert_eq!(
        refusal(&[("from", "dev")], file, ONE),
        "error: input `from`: `x` comes from `staging`, by its `source` `deploy/s`, and not from `dev`\n\
         hint: leave `from` out, or leave out the app's `source`"
    );
}

#[test]
fn names_that_no_branch_can_carry_are_refused() {
    let layout = Layout::below_environments(ONE.iter().map(|file| path(file)));
    let failure = resolve(&asked(&[]), None, &layout, "...").unwrap_err().to_string();
    assert!(failure.contains("`...` cannot be a name"), "{failure}");
    let failure = refusal(&[], "", &["environments/staging/my app/values.yaml"]);
    assert!(
        failure
            .starts_with("error: the folder `my app` of `environments/staging` cannot be the name of an app")
    );
}

#[test]
fn an_explicit_settings_file_must_exist_and_the_usual_one_need_not() {
    assert!(resolved(&[], "", ONE).is_ok());
    assert_eq!(
        refusal(&[("config", "ci/promote.yaml"), ("base", "production")], "", ONE),
        "error: input `config`: there is no file `ci/promote.yaml` on `production`\n\
         hint: commit it there, or leave `config` out"
    );
}

#[test]
fn mistakes_of_inputs_file_and_names_are_reported_together() {
    let failure = resolved(&[("soak", "x"), ("app", "c")], "draft: 1\napps: [{name: a}]\n", TWO).unwrap_err();
    let lines: Vec<String> = failure.problems().iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "input `soak`: `x` is not a duration",
            "`.github/promote.yaml:1:8`: `draft` must be `true` or `false`, without quotes, and is the number `1`",
            "input `app`: there is no app `c`",
        ]
    );
    let failure = refusal(&[("soak", "x"), ("app", "c")], "apps: [\n", TWO);
    assert_eq!(failure.matches("error: ").count(), 2, "{failure}");
}

#[test]
fn the_nearest_setting_wins() {
    let file = |top: &str, app: &str, target: &str| {
        format!("{top}\napps:\n- name: a\n{app}\n  targets:\n  - name: prod\n{target}\n")
    };
    let soak = |given: &[(&str, &str)], text: &str| resolved(given, text, TWO).unwrap().promotions[0].soak;
    let hours = |hours| Some(SignedDuration::from_hours(hours));
    let (top, app, target) = ("soak: 1h", "  soak: 2h", "    soak: 3h");
    for (given, text, expected) in [
        (&[][..], file("", "", ""), None),
        (&[], file(top, "", ""), hours(1)),
        (&[], file(top, app, ""), hours(2)),
        (&[], file(top, app, target), hours(3)),
        (&[("soak", "4h")], file(top, app, target), hours(4)),
        (&[("soak", "0h")], file(top, app, target), None),
    ] {
        assert_eq!(soak(given, &text), expected, "{given:?} {text}");
    }
}

#[test]
fn nothing_asked_gives_the_defaults() {
    let request = resolved(&[], "", ONE).unwrap();
    let one = &request.promotions[0];
    assert_eq!(one.tag_pattern.as_str(), DEFAULT_TAG_PATTERN);
    assert_eq!(one.evidence, Requirement::Default);
    assert_eq!(one.evidence_at, EvidenceAt::Tag);
    assert_eq!(one.policy.folders, [path("policy")]);
    assert_eq!((one.policy.named, one.policy.mode), (false, PolicyMode::Enforce));
    assert!(one.carries.is_none() && one.changelog_paths.is_empty());
    assert!(!one.prereleases && !one.add_missing && !one.require_signed_tag);
    assert_eq!(one.pull_request, request.pull_request);
    assert_eq!((request.base, request.trunk), (None, None));
    assert!(request.not_yet.is_empty() && request.warnings.is_empty());
}

#[test]
fn a_file_with_every_key_reaches_the_request() {
    let layout = ["qa", "staging", "prod-us", "prod-eu"]
        .map(|name| format!("environments/{name}/fraud-agent/values.yaml"));
    let intake =
        ["staging", "prod-us", "prod-eu"].map(|name| format!("environments/{name}/intake-agent/values.yaml"));
    let layout: Vec<&str> = layout.iter().chain(&intake).map(String::as_str).collect();
    let request = resolved(&[], EVERYTHING, &layout).unwrap();
    assert_eq!(request.promotions.len(), 4);
    let eu = &request.promotions[1];
    assert_eq!((eu.source.name.as_str(), eu.target.name.as_str()), ("qa", "prod-eu"));
    assert_eq!(eu.target.region.as_deref(), Some("eu-west-1"));
    assert_eq!(eu.after, ["prod-us"]);
    assert_eq!(eu.app_labels["tier"], "critical");
    assert_eq!(eu.soak, Some(SignedDuration::from_hours(168)));
    assert_eq!(eu.pull_request.reviewers, ["dora"]);
    assert_eq!(eu.pull_request.team_reviewers, ["platform"]);
    assert_eq!(eu.pull_request.auto_merge, Some(MergeMethod::Squash));
    assert_eq!(eu.policy.folders, [path("policy"), path("policies/prod")]);
    assert!(eu.policy.named && eu.require_signed_tag && eu.window == 50);
    assert_eq!(eu.freeze.len(), 1);
    assert_eq!(eu.rendered.as_ref().unwrap().after, path("rendered/after"));
    assert_eq!(eu.changelog_paths, [path("apps/fraud-agent")]);
    assert!(matches!(&eu.evidence, Requirement::All(all) if all.len() == 6 && all.contains(&Required::Any)));
    let intake = &request.promotions[2];
    assert_eq!(intake.pull_request.reviewers, ["alice", "bob"]);
    assert_eq!(intake.evidence, Requirement::Default);
    assert_eq!(intake.changelog_paths, [path("apps")]);
    assert_eq!(request.base.as_ref().unwrap().as_str(), "production");
    assert_eq!(request.trunk.as_ref().unwrap().as_str(), "main");
    let later: Vec<String> = request.not_yet.iter().map(ToString::to_string).collect();
    assert_eq!(
        later,
        [
            "`.github/promote.yaml:9:1`: `rendered` is read, but this version does not act on it yet",
            "`.github/promote.yaml:11:1`: `policy-data` is read, but this version does not act on it yet",
            "`.github/promote.yaml:26:1`: `freeze` is read, but this version does not act on it yet",
            "`.github/promote.yaml:41:9`: `after` is read, but this version does not act on it yet",
        ]
    );
}

#[test]
fn freezes_add_up() {
    let window = |reason: &str| {
        format!("freeze: [{{from: 2026-12-20T00:00:00Z, until: 2027-01-04T00:00:00Z, reason: {reason}}}]")
    };
    let file = format!("{}\napps:\n- name: a\n  {}\n- name: b\n", window("top"), window("app"));
    let request = resolved(&[], &file, TWO).unwrap();
    let reasons = |index: usize| -> Vec<&str> {
        request.promotions[index].freeze.iter().map(|freeze| freeze.reason.as_str()).collect()
    };
    assert_eq!((reasons(0), reasons(1)), (vec!["top", "app"], vec!["top"]));
}

#[test]
fn the_base_is_an_input_or_the_files_or_trunk() {
    let base = |given: &[(&str, &str)], file: &str| {
        resolved(given, file, ONE).unwrap().base.map(|base| base.as_str().to_owned())
    };
    assert_eq!(base(&[], "trunk: develop\n").as_deref(), Some("develop"));
    assert_eq!(base(&[("trunk", "t")], "base: b\n").as_deref(), Some("b"));
    assert_eq!(base(&[("base", "i")], "base: b\n").as_deref(), Some("i"));
}

#[test]
fn two_branches_that_name_two_bases_are_refused() {
    let layout = Layout::below_environments(ONE.iter().map(|file| path(file)));
    let config = path(".github/promote.yaml");
    let on = |text: &str| {
        let asked = asked(&[]).settled_on(BranchName::parse("production").unwrap());
        resolve(&asked, Some((&config, text)), &layout, "gitops")
    };
    assert_eq!(on("{}\n").unwrap().base.unwrap().as_str(), "production");
    assert_eq!(on("base: production\n").unwrap().base.unwrap().as_str(), "production");
    assert_eq!(
        on("base: other\n").unwrap_err().to_string(),
        "error: `.github/promote.yaml:1:7`: the settings on `production` name the base `other`, but those that led \
         there name `production`\nhint: let `base` be the same on both branches, or give it as an input"
    );
}

proptest! {
    #[test]
    fn no_input_makes_a_message_of_two_lines(index in 0..crate::settings::INPUTS.len(), text in any::<String>()) {
        let name = crate::settings::INPUTS[index].name;
        let inputs = Inputs::from_flags([(name, text.as_str())]);
        let layout = Layout::below_environments(ONE.iter().map(|file| path(file)));
        let outcome = Asked::join(inputs, Inputs::default(), &Event::local())
            .and_then(|asked| resolve(&asked, None, &layout, "gitops"));
        for problem in outcome.err().into_iter().flat_map(Failure::into_problems) {
            for line in std::iter::once(problem.to_string()).chain(problem.hints) {
                prop_assert!(!line.chars().any(char::is_control), "{line:?}");
            }
        }
    }
}
