//! Bad input: each is told with what, where and the next act, before anything is written.

use std::time::{Duration, Instant};

use fake_github::{Commit, Effect, Fault, Level, On, Token};
use serde_json::json;

use crate::scene::{Scene, Start, TOKEN, values};

const PROD: &str = "environments/prod/values.yaml";
const STAGED: &str = "environments/staging/values.yaml";
const SETTINGS: &str = ".github/promote.yaml";

/// A repository with a release that is ready to go.
fn ready() -> Scene {
    let scene = Scene::new();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    scene
}

fn dispatched(scene: &Scene, tag: &str) -> crate::scene::Run {
    scene.runs(&Start::dispatch(scene, &json!({ "tag": tag })))
}

#[test]
fn without_a_token_nothing_is_asked_and_the_other_mistakes_are_told_too() {
    let scene = ready();
    let none = scene.runs(&Start { token: false, ..Start::default() });
    none.refused(&["error: there is no token", "hint: leave `token` out under `with:`", "`GITHUB_TOKEN`"]);
    assert!(scene.github.traffic().is_empty());
    scene
        .runs(&Start { token: false, ..Start::inputs(&[("soak", "1 day")]) })
        .refused(&["there is no token", "input `soak`: `1 day` is not a duration"]);
}

#[test]
fn a_token_that_is_not_accepted_is_said_to_be_so() {
    let scene = ready();
    let wrong = Start { token: false, ..Start::inputs(&[("token", "ghs_wrong")]) };
    let run = scene.runs(&wrong);
    run.refused(&["the git server answered 401", "hint: the token was not accepted", "input `token`"]);
    assert!(!run.said().replace("::add-mask::ghs_wrong", "").contains("ghs_wrong"), "{}", run.said());
    // With another for the pull request, the refusal names the one that was refused.
    scene
        .runs(&Start::inputs(&[("pull-request-token", "ghs_other")]))
        .failed(&["GitHub answered 401", "hint: input `pull-request-token` is not valid here"]);
    scene
        .runs(&Start { token: false, ..Start::inputs(&[("token", "two words")]) })
        .refused(&["input `token` is not a token", "one line without blanks"]);
}

#[test]
fn a_missing_permission_is_named_as_a_workflow_grants_it() {
    let full = Token::actions(TOKEN);
    let mut private = ready();
    private.repo.set(|settings| settings.private = true).unwrap();
    let cases = [
        (full.clone().deny("contents"), "the git server answered 403", "`contents: read`"),
        (
            full.clone().deny("actions"),
            "GitHub answered 403 to `GET /repos/acme/agent/actions/runs`",
            "grant `actions: read`",
        ),
        (
            full.clone().deny("pull_requests"),
            "GitHub answered 403 to `GET /repos/acme/agent/pulls`",
            "grant `pull-requests: read`",
        ),
    ];
    for (token, what, grant) in cases {
        private.github.add_token(token);
        private.run().refused(&[what, grant, "input `token`", "`permissions:`"]);
    }
    for (token, what, grant) in [
        (
            full.clone().allow("contents", Level::Read),
            "`POST /repos/acme/agent/git/trees`",
            "grant `contents: write`",
        ),
        (
            full.clone().allow("pull_requests", Level::Read),
            "`POST /repos/acme/agent/pulls`",
            "grant `pull-requests: write`",
        ),
    ] {
        private.github.add_token(token);
        private.run().failed(&["GitHub answered 403", what, grant]);
        assert!(private.repo.pulls().unwrap().is_empty());
    }
    // What was left half done is taken up.
    private.github.add_token(full);
    private.run().ended("created", 0);
    private = ready();
    private.repo.set(|settings| settings.actions_may_open_pull_requests = false).unwrap();
    private.run().failed(&[
        "not permitted to create or approve pull requests",
        "\"Allow GitHub Actions to create and approve pull requests\"",
        "`pull-request-token`",
    ]);
}

#[test]
fn a_check_that_may_not_be_written_is_a_warning() {
    let scene = ready();
    scene.github.add_token(Token::actions(TOKEN).deny("checks").deny("statuses"));
    let run = scene.run();
    run.ended("created", 0);
    assert!(
        run.stdout.contains("::warning title=promote::the check `promotion` could not be written"),
        "{}",
        run.said()
    );
    assert!(run.stdout.contains("grant `checks: write`"), "{}", run.said());
}

#[test]
fn a_missing_overlay_is_named_with_the_environments_there_are() {
    let scene = ready();
    let gone = |path: &str| scene.repo.commit(&Commit::new("remove").without(path).by("bob")).unwrap();
    gone(PROD);
    scene.run().refused(&[
        "`agent` has an overlay in `environments/staging`, but none in `environments/prod`",
        "hint: add its overlay for `prod`",
        "the environments there are: `staging`",
    ]);
    gone(STAGED);
    scene.run().refused(&[
        "there is no overlay in `environments/staging`",
        "`.github/promote.yaml`",
        "apps: [{name: agent",
    ]);
    scene.commit(
        "other",
        &[("environments/prod/README.md", "nothing here\n"), (STAGED, &values("v1.8.0", "x"))],
    );
    scene.run().refused(&[
        "`environments/prod`: `prod` has no overlay on `main`",
        "`values.yaml` or `kustomization.yaml`",
    ]);
}

#[test]
fn a_tag_pattern_must_be_a_regex_with_a_version() {
    let scene = ready();
    let run = |pattern: &str| scene.runs(&Start::inputs(&[("tag-pattern", pattern)]));
    run("v(").refused(&["input `tag-pattern`: ", "`v(`", "unclosed group"]);
    run("^v.*$").refused(&["input `tag-pattern`: ", "`version`", "(?P<version>"]);
    scene.commit("settings", &[(SETTINGS, "# ours\ntag-pattern: '^v('\n")]);
    scene.run().refused(&["`.github/promote.yaml:2:14`: ", "unclosed group"]);
    scene.commit("settings", &[(SETTINGS, "apps:\n  - name: agent\n    tag-pattern: ^v.*$\n")]);
    scene.run().refused(&["`.github/promote.yaml:3:18`: ", "(?P<version>"]);
}

#[test]
fn every_mistake_of_the_settings_is_told_at_once_with_its_place() {
    let scene = ready();
    scene.commit(
        "settings",
        &[(SETTINGS, "sook: 24h\nsoak: 1 day\ndraft: maybe\npins: ['image.{tag']\ncarries: 'a..b'\n")],
    );
    let run = scene.runs(&Start::inputs(&[("policy-mode", "lax")]));
    run.refused(&[
        "error: input `policy-mode`: `lax` is not a policy mode",
        "error: `.github/promote.yaml:1:1`: ",
        "did you mean `soak`?",
        "error: `.github/promote.yaml:2:7`: `soak`: `1 day` is not a duration",
        "error: `.github/promote.yaml:3:8`: ",
        "error: `.github/promote.yaml:4:8`: ",
        "error: `.github/promote.yaml:5:10`: ",
    ]);
    let annotations: Vec<&str> = run.stdout.lines().filter(|line| line.starts_with("::error")).collect();
    assert_eq!(annotations.len(), 6, "{}", run.said());
    assert!(annotations[2].contains("file=.github/promote.yaml,line=2,col=7"), "{}", annotations[2]);
    scene.commit("settings", &[(SETTINGS, "soak: [\n")]);
    scene.run().refused(&["`.github/promote.yaml:"]);
}

#[test]
fn settings_under_another_name_are_said_to_be_unread() {
    let scene = ready();
    scene.commit("settings", &[(".github/promote.yml", "soak: 24h\n")]);
    let run = scene.run();
    run.ended("created", 0);
    let warning = "::warning title=promote::.github/promote.yml: this file is not read: the settings are in `.github/promote.yaml`";
    assert!(run.stdout.contains(warning), "{}", run.said());
    let named = scene.runs(&Start::inputs(&[("config", ".github/promote.yml")]));
    assert!(!named.stdout.contains("is not read"), "{}", named.said());
}

#[test]
fn several_wrong_inputs_are_told_together_and_unknown_ones_are_warned_of() {
    let scene = ready();
    let run = scene.runs(&Start::inputs(&[("draft", "perhaps"), ("soak", "soon"), ("drafts", "true")]));
    run.refused(&[
        "input `draft`: `perhaps` is not a yes or a no",
        "hint: allowed: `true`",
        "input `soak`: `soon`",
    ]);
    assert!(run.stdout.contains("::warning title=promote::input `drafts`: ignored"), "{}", run.said());
    assert!(run.stdout.contains("did you mean `draft`?"), "{}", run.said());
    scene.runs(&Start::inputs(&[("command", "paln"), ("dry-run", "maybe"), ("base", "a..b")])).refused(&[
        "input `command`: ",
        "did you mean",
        "input `dry-run`: ",
        "input `base`: ",
    ]);
    scene
        .runs(&Start::inputs(&[("app", "agnet"), ("to", "prod-eu")]))
        .refused(&["there is no app `agnet`", "did you mean `agent`?"]);
    scene.runs(&Start::inputs(&[("to", "prod-eu")])).refused(&["`environments/prod-eu`", "`prod`"]);
    scene
        .runs(&Start::inputs(&[("config", "nope.yaml")]))
        .refused(&["there is no file `nope.yaml` on the default branch"]);
}

#[test]
fn an_unknown_branch_is_told_with_those_there_are() {
    let scene = ready();
    for (input, branch) in [("base", "production"), ("trunk", "master")] {
        scene
            .runs(&Start::inputs(&[(input, branch)]))
            .refused(&[&format!("there is no branch `{branch}`"), "branches are `main`"]);
    }
}

#[test]
fn a_release_asked_for_by_name_must_be_one() {
    let scene = ready();
    scene.repo.tag("nightly", "main").unwrap();
    dispatched(&scene, "v9.9.9").refused(&[
        "there is no release `v9.9.9` of `agent`",
        "hint: the newest releases of `agent` are `v1.8.0`, `v1.7.0`",
    ]);
    dispatched(&scene, "nightly").refused(&[
        "the tag `nightly` exists, but",
        "does not match",
        "`tag-pattern`",
    ]);
    dispatched(&scene, "no such tag").refused(&["dispatch input `tag`: `no such tag` cannot be a tag"]);
}

#[test]
fn a_release_that_is_off_trunk_failed_pending_or_untested_is_refused_by_name_and_passed_over_else() {
    let scene = Scene::new();
    scene.release("v1.8.1", "2026-09-15", Some("failure"));
    scene.release("v1.8.2", "2026-09-15", None);
    let untested = scene.feature("untested");
    let untested = {
        scene.commit("record", &[(STAGED, &values("v1.8.3", "2026-09-15"))]);
        let _ = untested;
        scene.repo.resolve("main").unwrap()
    };
    scene.repo.tag("v1.8.3", &untested).unwrap();
    let branch =
        Commit::new("feat: unmerged").branch("feature").file(STAGED, &values("v1.8.4", "2026-09-15"));
    let unmerged = scene.repo.commit(&branch.by("bob")).unwrap();
    scene.tagged("v1.8.4", &unmerged, Some("success"));
    let reasons = [
        ("v1.8.1", "failed"),
        ("v1.8.2", "in progress"),
        ("v1.8.3", "no run of `.github/workflows/staging.yml`"),
        ("v1.8.4", "its commit is not on `main`"),
    ];
    for (tag, reason) in reasons {
        dispatched(&scene, tag).refused(&[&format!("`{tag}` cannot be promoted: "), reason]);
    }
    let run = scene.run();
    run.ended("nothing-to-promote", 0);
    let passed = run.plan["passed_over"].as_array().unwrap();
    for ((tag, reason), passed) in reasons.iter().zip(passed.iter().rev()) {
        assert_eq!(passed["tag"], *tag);
        assert!(passed["reason"].as_str().unwrap().contains(reason), "{passed}");
        assert!(
            run.stderr.contains(&format!("info: this release is passed over tag={tag} why=")),
            "{}",
            run.said()
        );
    }
}

#[test]
fn no_tag_that_is_a_release_is_a_warning() {
    let scene = ready();
    let run = scene.runs(&Start::inputs(&[("tag-pattern", "^release-(?P<version>.+)$")]));
    run.ended("nothing-to-promote", 0);
    assert!(
        run.stdout.contains("::warning title=promote::`agent` has no release: none of 2 tags"),
        "{}",
        run.said()
    );
}

#[test]
fn an_overlay_of_prod_that_cannot_be_edited_is_told_with_its_place() {
    let scene = ready();
    for (text, said) in [
        ("image:\n  tag: [v1\n", vec!["`environments/prod/values.yaml:"]),
        (
            "image:\n  tag: v1.7.0\n  tag: v1.6.0\n",
            vec!["`environments/prod/values.yaml:3:3`", "`image.tag` is written more than once"],
        ),
        (
            "base: &t v1.7.0\nimage:\n  tag: *t\n",
            vec!["`environments/prod/values.yaml:3:8`", "`image.tag`", "alias"],
        ),
    ] {
        scene.commit("break prod", &[(PROD, text)]);
        scene.run().refused(&said);
    }
}

#[test]
fn an_overlay_of_staging_that_cannot_be_read_is_a_reason_to_pass_a_release_over() {
    let scene = ready();
    let broken = scene.commit("chore: record", &[(STAGED, "image: [\n")]);
    scene.tagged("v1.9.0", &broken, Some("success"));
    dispatched(&scene, "v1.9.0").refused(&[
        "`v1.9.0` cannot be promoted: its overlay cannot be used",
        "environments/staging/values.yaml:1:8",
    ]);
    let run = scene.run();
    run.ended("created", 0);
    assert_eq!(run.output("tag"), "v1.8.0");
    assert_eq!(run.plan["passed_over"][0]["tag"], "v1.9.0");
    assert!(run.plan["passed_over"][0]["reason"].as_str().unwrap().contains("cannot be used"));
}

#[test]
fn a_release_that_no_overlay_carries_is_refused_by_name_and_passed_over_else() {
    let scene = ready();
    let commit = scene.feature("nobody recorded it");
    scene.tagged("v1.9.0", &commit, Some("success"));
    dispatched(&scene, "v1.9.0")
        .refused(&["no overlay carries `v1.9.0`", "looked at `image.tag = v1.8.0 (values.yaml:5)`"]);
    let run = scene.run();
    run.ended("created", 0);
    assert_eq!(run.output("tag"), "v1.8.0");
    assert!(run.plan["passed_over"][0]["reason"].as_str().unwrap().contains("no overlay carries `v1.9.0`"));
}

#[test]
fn a_release_whose_image_prod_has_no_place_for_is_refused() {
    let scene = ready();
    scene.commit("no image", &[(PROD, "model:\n  name: scoring\n  version: \"2026-05-01\"\n")]);
    scene.run().refused(&[
        "`environments/staging/values.yaml:5:8`: `image.tag` carries `v1.8.0`, but `environments/prod/values.yaml` has no such pin",
        "hint: write `image.tag` into `environments/prod/values.yaml` once",
        "`add-missing: true`",
    ]);
    scene.commit("another", &[(PROD, "image:\n  repository: docker.io/library/nginx\n  tag: v1.7.0\nmodel:\n  version: \"2026-05-01\"\n")]);
    scene.run().refused(&[
        "`image.tag` carries `v1.8.0`, but in `environments/prod/values.yaml` it stays `v1.7.0`",
        "hint: `environments/prod/values.yaml:3:8`: `image.tag` is not promoted",
    ]);
}

#[test]
fn a_number_that_is_only_quoted_is_no_promotion() {
    let overlay =
        |version: &str| format!("image:\n  tag: v1.7.0\nmodel:\n  name: scoring\n  version: {version}\n");
    let scene = Scene::of(
        fake_github::Options::default(),
        &[(STAGED, &overlay("\"1.10\"")), (PROD, &overlay("1.10"))],
    );
    let commit = scene.repo.resolve("main").unwrap();
    scene.tagged("v1.7.0", &commit, Some("success"));
    let run = scene.run();
    run.ended("nothing-to-promote", 0);
    assert_eq!(run.plan["changes"], json!([]));
}

#[test]
fn two_apps_cannot_claim_one_pin() {
    let scene = ready();
    let app = |name: &str| {
        format!(
            "  - name: {name}\n    source: environments/staging\n    targets: [{{name: prod, path: environments/prod}}]\n"
        )
    };
    scene.commit("settings", &[(SETTINGS, &format!("apps:\n{}{}", app("one"), app("two")))]);
    scene.run().refused(&[
        "error: `environments/prod/values.yaml:5:8`: the apps `one` and `two` both claim `image.tag`",
        "`image.digest`",
        "`model.version`",
        "hint: name the `pins` of each app",
    ]);
}

#[test]
fn an_event_that_cannot_be_read_is_told_with_its_file() {
    let scene = ready();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("event.json");
    let file = file.to_str().unwrap();
    let run = |event: &'static str, text: Option<&str>| {
        if let Some(text) = text {
            std::fs::write(file, text).unwrap();
        }
        scene.runs(&Start { event, environment: &[("GITHUB_EVENT_PATH", file)], ..Start::default() })
    };
    run("schedule", None)
        .refused(&[&format!("`{file}`: the event file cannot be read"), "`GITHUB_EVENT_PATH`"]);
    run("schedule", Some("{\n \"a\": ")).refused(&[&format!("`{file}:2:"), "is not JSON"]);
    run("workflow_run", Some("{\"repository\": {\"id\": 1}}"))
        .refused(&[&format!("`{file}:1:"), "missing field `workflow_run`"]);
    run("workflow_run", Some("[]")).refused(&["is not what GitHub sends"]);
    run("pull_request_target", Some("{}")).refused(&[
        "a promotion cannot act on the event `pull_request_target`",
        "`workflow_run`, `workflow_dispatch`, `push`, `create`, `release`, `schedule`, `repository_dispatch`, `deployment_status`",
    ]);
    scene
        .runs(&Start { environment: &[("GITHUB_EVENT_PATH", "")], ..Start::default() })
        .refused(&["`GITHUB_EVENT_NAME` is `workflow_run`, but `GITHUB_EVENT_PATH` is not set"]);
}

#[test]
fn an_environment_that_is_not_a_runners_is_told() {
    let scene = ready();
    for (variable, value, said) in [
        ("GITHUB_REPOSITORY", "", "`GITHUB_REPOSITORY` is not set"),
        ("GITHUB_REPOSITORY", "agent", "`agent`"),
        ("GITHUB_REPOSITORY", "acme/agent/../x", "acme/agent/../x"),
        ("GITHUB_REPOSITORY", "acme/nothing", "GITHUB_REPOSITORY"),
        ("GITHUB_SERVER_URL", "ftp://x", "GITHUB_SERVER_URL"),
        ("GITHUB_API_URL", "not an address", "`not an address` is not the address of an API"),
        ("GITHUB_API_URL", "notaurl", "`notaurl` is not the address of an API"),
        ("GITHUB_API_URL", "ftp://x", "`ftp://x` is not the address of an API"),
        (
            "GITHUB_OUTPUT",
            "/proc/nowhere/output",
            "`/proc/nowhere/output`: the runner's file cannot be written to",
        ),
        ("GITHUB_WORKSPACE", "/proc", "`/proc`: the workspace cannot be written to"),
        ("GITHUB_WORKSPACE", "/nowhere", "`/nowhere`: the workspace cannot be written to"),
    ] {
        scene
            .runs(&Start { environment: &[(variable, value)], ..Start::default() })
            .refused(&[said, variable]);
    }
}

#[test]
fn a_server_that_is_not_there_ends_the_run_in_seconds() {
    let scene = ready();
    // Bound and dropped: nobody listens.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = format!("http://127.0.0.1:{port}");
    let start = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            scene
                .runs(&Start { environment: &[("GITHUB_SERVER_URL", &nobody)], ..Start::default() })
                .refused(&["the git server cannot be reached", "refused", "`GITHUB_SERVER_URL`"]);
        });
        let other = ready();
        other.runs(&Start { environment: &[("GITHUB_API_URL", &nobody)], ..Start::default() }).refused(&[
            "no answer from http://127.0.0.1",
            "refused",
            "`GITHUB_API_URL`",
        ]);
    });
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}

#[test]
fn an_answer_that_is_not_githubs_is_told_in_one_sentence() {
    let scene = ready();
    let answers = |method: &str, path: &str, body: serde_json::Value, headers: &[(&str, &str)]| {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let on = On::request(method, path).times(9);
        scene.github.inject(Fault::new(on, Effect::Status { status: 200, body, headers })).unwrap();
    };
    answers("GET", "/actions/runs", json!({}), &[]);
    scene.run().refused(&[
        "GitHub's answer to `GET /repos/acme/agent/actions/runs` cannot be read: `workflow_runs` is missing",
        "`GITHUB_API_URL`",
    ]);
    scene.github.clear_faults();
    // The token is for this server alone.
    let elsewhere = [("link", "<http://127.0.0.1:1/repos/acme/agent/actions/runs?page=2>; rel=\"next\"")];
    answers("GET", "/actions/runs", json!({"workflow_runs": []}), &elsewhere);
    scene.run().refused(&["its next page is said to be `http://127.0.0.1:1/", "which is not on this API"]);
    scene.github.clear_faults();
    answers("POST", "/git/trees", json!([]), &[]);
    scene
        .run()
        .failed(&["`POST /repos/acme/agent/git/trees` cannot be read: it is a list, and an object was due"]);
    scene.github.clear_faults();
    scene.run().ended("created", 0);
}

#[test]
fn trouble_that_passes_is_waited_for_and_trouble_that_stays_is_told() {
    let down = |times| {
        Fault::new(
            On::request("GET", "/actions/runs").times(times),
            Effect::Status { status: 502, body: json!({}), headers: std::collections::BTreeMap::default() },
        )
    };
    let limited = Effect::SecondaryLimit { retry_after: 1 };
    let scene = ready();
    scene.github.inject(down(2)).unwrap();
    scene.github.inject(Fault::new(On::request("GET", "/pulls"), limited)).unwrap();
    let run = scene.run();
    run.ended("created", 0);
    assert!(run.stderr.contains("waiting before trying again"), "{}", run.said());
    scene.github.inject(down(100)).unwrap();
    scene
        .run()
        .refused(&["GitHub answered 502 to `GET /repos/acme/agent/actions/runs`", "run it again later"]);
    scene.github.clear_faults();
    scene
        .github
        .inject(Fault::new(
            On::request("GET", "/actions/runs").times(100),
            Effect::SecondaryLimit { retry_after: 3600 },
        ))
        .unwrap();
    let start = Instant::now();
    scene.run().refused(&["GitHub answered 403", "rate limit", "run it again later"]);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn a_run_that_is_told_to_stop_leaves_no_files() {
    for (method, path, signal, code) in [
        ("GET", "/actions/runs", "TERM", 143),
        ("GET", "/actions/runs", "INT", 130),
        ("POST", "/git-upload-pack", "TERM", 143),
    ] {
        let scene = ready();
        scene.github.inject(Fault::new(On::request(method, path), Effect::Hang)).unwrap();
        let start = Instant::now();
        let run = scene.told_to_stop(signal);
        assert_eq!(run.code, Some(code), "{path}: {}", run.said());
        let said = format!("error: stopped by SIG{signal}, before the end\nhint: run it again");
        assert!(run.stderr.contains(&said), "{path}: {}", run.said());
        assert!(start.elapsed() < Duration::from_secs(6), "{path}: {:?}", start.elapsed());
    }
}
