//! An App writes: by its id and its key, a token of this repository alone is minted, used, and taken back.

use std::collections::BTreeMap;

use fake_github::{App, Commit, Effect, Fault, Level, On, Options, Tls, Token, TokenKind};
use jiff::SignedDuration;
use serde_json::json;

use crate::ghes::meanwhile;
use crate::permissions::lives;
use crate::scene::{Run, Scene, Start, TOKEN};

const KEY: &str = include_str!("../fixtures/app/test-key.pem");
const PKCS8: &str = include_str!("../fixtures/app/test-key.pkcs8.pem");
const ANOTHER: &str = include_str!("../fixtures/app/another-test-key.pem");
const PUBLIC: &str = include_str!("../fixtures/app/test-key.public.pem");
const CLIENT_ID: &str = "Iv23promoter";

/// The inputs of the App.
const INPUTS: [(&str, &str); 2] = [("app-id", CLIENT_ID), ("private-key", KEY)];

/// The App, granted what the README says and no more, and installed nowhere.
fn app() -> App {
    App::new("promoter", CLIENT_ID, PUBLIC)
        .allow("contents", Level::Write)
        .allow("pull_requests", Level::Write)
}

/// A repository with a release that is ready to go, the App on it, and a job that may write nothing but the check.
fn ready() -> Scene {
    let scene = Scene::new();
    scene.github.add_token(job());
    scene.github.add_app(app().on(&["acme/agent"])).unwrap();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    scene
}

fn job() -> Token {
    Token::bare(TOKEN, "github-actions[bot]", TokenKind::Actions)
        .allow("actions", Level::Read)
        .allow("checks", Level::Write)
        .allow("contents", Level::Read)
}

/// The token that a run minted, as the runner was told to mask it.
fn minted(run: &Run) -> String {
    let masked = run.stdout.lines().filter_map(|line| line.strip_prefix("::add-mask::"));
    masked.filter(|masked| masked.starts_with("ghs_0")).collect()
}

/// The two requests that an App signs, and the last one of all.
fn signed(run: &Run) -> Vec<String> {
    let of_apps = |path: &str| path.contains("installation");
    let asked = run.requests.iter().filter(|exchange| of_apps(&exchange.path));
    asked.map(|exchange| format!("{} {}", exchange.method, exchange.route.as_deref().unwrap())).collect()
}

const WHOLE: [&str; 3] = [
    "GET /repos/{owner}/{repo}/installation",
    "POST /app/installations/{installation_id}/access_tokens",
    "DELETE /installation/token",
];

#[test]
fn an_app_writes_with_a_token_of_this_repository_that_ends_with_the_run() {
    let scene = ready();
    scene.github.create_repo("acme/other").unwrap();
    let id = scene.github.add_app(app().on(&["acme/agent", "acme/other"])).unwrap().to_string();
    for (inputs, outcome) in [
        ([("app-id", CLIENT_ID), ("private-key", KEY)], "created"),
        ([("app-id", id.as_str()), ("private-key", PKCS8)], "unchanged"),
    ] {
        let run = scene.runs(&Start::inputs(&inputs));
        run.ended(outcome, 0);
        assert_eq!(signed(&run), WHOLE);
        let [asked, last] = [1, run.requests.len() - 1].map(|at| &run.requests[at]);
        assert_eq!(asked.request_body, json!({"repositories": ["agent"]}));
        let opened = asked.response_body["repositories"].as_array().unwrap();
        assert_eq!((opened.len(), &opened[0]["full_name"]), (1, &json!("acme/agent")));
        assert_eq!((last.path.as_str(), last.status), ("/installation/token", Some(204)));
        // What was minted is good for nothing any more.
        let again = scene.runs(&Start::inputs(&[("pull-request-token", &minted(&run))]));
        again.refused(&["GitHub answered 401"]);
        // Each does its own: the job reads evidence and writes the check, the App all else.
        for exchange in &run.requests {
            let own = exchange.path.contains("check-runs") || exchange.path.contains("/actions/");
            let by_job = exchange.login.as_deref() == Some("github-actions[bot]");
            assert!(!own || by_job, "{} {}", exchange.method, exchange.path);
            assert!(!exchange.path.contains("/pulls") || !by_job, "{} {}", exchange.method, exchange.path);
        }
    }
    assert_eq!(scene.repo.pull(1).unwrap().author, "promoter[bot]");
    assert_eq!(scene.github.unknown_routes(), [""; 0]);
}

#[test]
fn an_app_does_all_that_a_promotion_does_with_what_the_readme_grants() {
    let scene = Scene::new();
    scene.github.add_token(job());
    scene.github.add_app(app().on(&["acme/agent"])).unwrap();
    lives(&scene, &[INPUTS[0], INPUTS[1], ("reviewers", "alice"), ("assignees", "bob")]);
}

#[test]
fn no_line_of_the_key_and_no_minted_token_is_ever_shown() {
    for key in [KEY.to_owned(), KEY.replace('\n', "\\n"), KEY.replace('\n', "\r\n")] {
        let scene = ready();
        let inputs = [("app-id", CLIENT_ID), ("private-key", key.as_str())];
        let debug = [("RUNNER_DEBUG", "1")];
        let run = scene.runs(&Start { environment: &debug, ..Start::inputs(&inputs) });
        run.ended("created", 0);
        let lines: Vec<&str> = KEY.lines().filter(|line| !line.starts_with("-----")).collect();
        let masks: Vec<&str> =
            run.stdout.lines().map_while(|line| line.strip_prefix("::add-mask::")).collect();
        for line in &lines {
            assert!(masks.contains(line), "a line is not masked before anything else is said");
        }
        assert!(masks.iter().all(|mask| mask.len() >= 7), "{masks:?}");
        let token = minted(&run);
        assert_eq!(token.len(), 40);
        let pull = scene.repo.pull(1).unwrap();
        let shown = [
            &run.stdout.lines().filter(|line| !line.starts_with("::add-mask::")).collect::<String>(),
            &run.stderr,
            &run.summary,
            &pull.body,
            &format!("{:?} {}", run.outputs, run.plan),
        ];
        for text in shown {
            for secret in lines.iter().copied().chain([token.as_str(), "eyJ"]) {
                assert!(!text.contains(secret), "`{secret}` is in: {text}");
            }
        }
    }
    // At a terminal a mask would show it.
    let scene = ready();
    let run = scene.runs(&Start { environment: &[("GITHUB_ACTIONS", "")], ..Start::inputs(&INPUTS) });
    run.ended("created", 0);
    assert!(!run.said().contains("add-mask") && !run.said().contains("ghs_0"), "{}", run.said());
}

#[test]
fn a_key_or_an_id_that_github_does_not_take_is_told_with_the_next_act() {
    let hour = SignedDuration::from_hours(1);
    let told = |scene: &Scene, inputs: &[(&str, &str)], said: &[&str]| {
        let run = scene.runs(&Start::inputs(inputs));
        run.failed(said);
        assert!(scene.repo.pulls().unwrap().is_empty() && minted(&run).is_empty(), "{}", run.said());
    };
    let asked = "to `GET /repos/acme/agent/installation`";
    let scene = ready();
    told(
        &scene,
        &[INPUTS[0], ("private-key", ANOTHER)],
        &[
            "GitHub answered 401",
            asked,
            "`private-key` must be a key that the page of the App `Iv23promoter` gave",
        ],
    );
    told(
        &scene,
        &[("app-id", "999"), INPUTS[1]],
        &["GitHub answered 404", asked, "hint: `999` is no App here", "`App ID` or `Client ID`"],
    );
    for ahead in [hour, -hour] {
        let scene = ready();
        scene.github.advance(ahead);
        told(&scene, &INPUTS, &["GitHub answered 401", asked, "hint: set this machine's clock"]);
    }
}

#[test]
fn an_app_that_is_not_here_or_suspended_is_told_with_the_next_act() {
    let scene = ready();
    scene.github.create_repo("acme/other").unwrap();
    for installed in [&[][..], &["acme/other"]] {
        scene.github.add_app(app().on(installed)).unwrap();
        scene.runs(&Start::inputs(&INPUTS)).refused(&[
            "GitHub answered 404 to `GET /repos/acme/agent/installation`",
            "hint: install the App `Iv23promoter` on `acme/agent`: on the App's page, under Install App",
        ]);
    }
    scene.github.add_app(app().on(&["acme/agent"]).suspended()).unwrap();
    let run = scene.runs(&Start::inputs(&INPUTS));
    run.failed(&[
        "GitHub answered 403 to `POST /app/installations/",
        "This installation has been suspended",
        "hint: if the App `Iv23promoter` is suspended, an owner of `acme` lifts that",
    ]);
    assert_eq!(signed(&run), WHOLE[..2]);
}

#[test]
fn a_permission_that_the_app_lacks_is_to_be_granted_to_the_app_and_accepted() {
    for (permission, what, grant) in [
        (
            "contents",
            "403 to `POST /repos/acme/agent/git/trees`",
            "grant `contents: write` to the App `promoter`",
        ),
        (
            "pull_requests",
            "403 to `POST /repos/acme/agent/pulls`",
            "grant `pull-requests: write` to the App `promoter`",
        ),
    ] {
        let scene = ready();
        scene.github.add_app(app().allow(permission, Level::Read).on(&["acme/agent"])).unwrap();
        let run = scene.runs(&Start::inputs(&INPUTS));
        run.failed(&[what, grant, "accept it for its installation: http", "/settings/installations/"]);
        assert!(!run.stderr.contains("pull-request-token"), "{}", run.said());
        // Whatever the outcome, the token ends.
        assert_eq!(signed(&run), WHOLE);
        // The next run takes up what was left.
        scene.github.add_app(app().on(&["acme/agent"])).unwrap();
        scene.runs(&Start::inputs(&INPUTS)).ended("created", 0);
    }
}

#[test]
fn a_label_that_the_app_may_not_make_is_to_be_granted_to_the_app() {
    let scene = ready();
    let run = scene.runs(&Start::inputs(&[INPUTS[0], INPUTS[1], ("labels", "promotion")]));
    run.ended("created", 0);
    for said in
        ["the token of the App `promoter` may not create one", "grant `issues: write` to the App `promoter`"]
    {
        assert!(run.stdout.contains(said), "{}", run.said());
    }
    let scene = ready();
    scene.github.add_app(app().allow("issues", Level::Write).on(&["acme/agent"])).unwrap();
    scene.runs(&Start::inputs(&[INPUTS[0], INPUTS[1], ("labels", "promotion")])).ended("created", 0);
    assert_eq!(scene.repo.pull(1).unwrap().labels, ["promotion"]);
}

#[test]
fn a_token_that_cannot_be_taken_back_is_a_line_of_the_log() {
    let scene = ready();
    let broken = Effect::Status { status: 500, body: json!({}), headers: BTreeMap::new() };
    scene.github.inject(Fault::new(On::request("DELETE", "/installation/token").times(3), broken)).unwrap();
    let run = scene.runs(&Start::inputs(&INPUTS));
    run.ended("created", 0);
    assert!(
        run.stderr.contains("info: the App's token could not be revoked; it ends by itself within the hour"),
        "{}",
        run.said()
    );
    assert!(!run.stdout.contains("::warning") && !run.stdout.contains("::error"), "{}", run.said());
    assert!(!run.stderr.contains(&minted(&run)), "{}", run.said());
}

#[test]
fn a_run_that_looks_again_mints_no_second_token() {
    let scene = ready();
    scene.runs(&Start::inputs(&INPUTS)).ended("created", 0);
    scene.release("v1.9.0", "2026-09-15", Some("success"));
    let delay = Effect::DelayBefore { milliseconds: 700 };
    scene.github.inject(Fault::new(On::graphql("updateRefs"), delay)).unwrap();
    scene.github.clear_traffic();
    let run = std::thread::scope(|scope| {
        let run = scope.spawn(|| scene.runs(&Start::inputs(&INPUTS)));
        meanwhile(&scene.github, "/git/commits");
        let theirs = Commit::new("fix: by hand").file("environments/prod/values.yaml", "a: 1\n").by("bob");
        scene.repo.commit(&theirs.branch("promote/agent/prod")).unwrap();
        run.join().unwrap()
    });
    run.ended("unchanged", 0);
    assert!(run.stderr.contains("looking again"), "{}", run.said());
    assert_eq!(signed(&run), WHOLE);
}

#[test]
fn a_plan_and_an_explanation_mint_and_revoke_and_write_nothing_else() {
    let scene = ready();
    for inputs in
        [&[("command", "plan")][..], &[("dry-run", "true")], &[("command", "explain"), ("tag", "v1.8.0")]]
    {
        let run = scene.runs(&Start::inputs(&[&INPUTS, inputs].concat()));
        assert_eq!(run.code, Some(0), "{}", run.said());
        assert_eq!(signed(&run), WHOLE);
        assert_eq!(run.writes().len(), 2, "{:?}", run.writes());
    }
    assert!(scene.repo.pulls().unwrap().is_empty());
}

#[test]
fn a_mistake_of_the_inputs_is_told_with_all_others_and_nothing_is_minted() {
    let scene = ready();
    for (inputs, said) in [
        (
            &[INPUTS[0]][..],
            &[
                "input `app-id`: the App signs with its key, and `private-key` is not given",
                "a secret that is not there",
            ][..],
        ),
        (&[INPUTS[1]], &["input `private-key`: it is the key of an App, and `app-id` is not given"]),
        (
            &[INPUTS[0], INPUTS[1], ("pull-request-token", "ghp_x")],
            &[
                "input `pull-request-token`: the App of `app-id` and `private-key` mints the token that this would be",
            ],
        ),
        (
            &[INPUTS[0], ("private-key", "the-wrong-secret")],
            &[
                "input `private-key`: this is not the private key of a GitHub App",
                "hint: give it the whole .pem file that the App's page gave",
            ],
        ),
        // Each in the other's place.
        (
            &[("app-id", KEY), ("private-key", CLIENT_ID)],
            &["input `app-id`: this is not the id", "input `private-key`: this is not the private key"],
        ),
        (&INPUTS, &[]),
    ] {
        let run = scene.runs(&Start::inputs(&[inputs, &[("soak", "1 day")]].concat()));
        run.refused(said).refused(&["input `soak`: `1 day` is not a duration"]);
        assert!(run.requests.is_empty(), "{:?}", run.requests);
        for secret in ["the-wrong-secret", "MII"] {
            let shown = run.stderr.contains(secret) || run.summary.contains(secret);
            assert!(!shown, "{}\n{}", run.summary, run.said());
        }
    }
}

#[test]
fn a_dispatch_names_no_app() {
    let scene = ready();
    scene.github.add_token(Token::actions(TOKEN));
    let run = scene.runs(&Start::dispatch(&scene, &json!({"app-id": CLIENT_ID, "private_key": KEY})));
    run.ended("created", 0);
    assert_eq!(signed(&run), [""; 0]);
    assert!(run.stdout.contains("ignored: a dispatch cannot set `private-key`"), "{}", run.said());
    assert!(!run.said().contains("MII"), "{}", run.said());
}

#[test]
fn an_app_of_a_server_of_ones_own_is_asked_there() {
    let options =
        Options { tls: Some(Tls::default()), enterprise: Some("3.17.2".to_owned()), ..Options::default() };
    let scene = Scene::with(options);
    scene.github.add_app(app().on(&["acme/agent"])).unwrap();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    let authority = scene.github.ca_file().unwrap().display().to_string();
    let environment = [("SSL_CERT_FILE", authority.as_str())];
    let run = scene.runs(&Start { environment: &environment, ..Start::inputs(&INPUTS) });
    run.ended("created", 0);
    assert_eq!(signed(&run), WHOLE);
    assert_eq!(scene.repo.pull(1).unwrap().author, "promoter[bot]");
}
