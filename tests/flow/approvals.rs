//! An approval of one release never ends on another, whichever way the other one comes, and whenever the yes is said.

use fake_github::{Commit, Effect, Fault, On};

use crate::scene::{Run, Scene, Start, values};

const OVERLAY: &str = "environments/prod/values.yaml";

/// How people say yes.
#[derive(Clone, Copy, Debug)]
enum Yes {
    Approve,
    Arm,
}

impl Yes {
    const ALL: [Self; 2] = [Self::Approve, Self::Arm];

    fn said(self, scene: &Scene) {
        match self {
            Self::Approve => drop(scene.repo.approve(1, "alice").unwrap()),
            Self::Arm => scene.repo.enable_auto_merge(1, "alice", "squash").unwrap(),
        }
    }
}

/// One promotion of v1.8.0, with v1.9.0 still running in staging.
fn proposed() -> (Scene, u64) {
    let scene = Scene::new();
    scene.repo.set(|settings| settings.required_approvals = 1).unwrap();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    let newer = scene.release("v1.9.0", "2026-09-15", None);
    scene.run().ended("created", 0);
    (scene, newer)
}

/// The old one is closed with a link, and what is open has nobody's yes.
#[track_caller]
fn nobody_agreed_to_this(scene: &Scene, run: &Run, tag: &str, inputs: &[(&str, &str)]) {
    run.ended("superseded", 0);
    let (old, new) = (scene.repo.pull(1).unwrap(), scene.repo.pull(2).unwrap());
    assert_eq!((old.state.as_str(), new.state.as_str()), ("closed", "open"), "{}", run.said());
    assert!(old.comments.iter().any(|said| said.contains("/acme/agent/pull/2")), "{:?}", old.comments);
    assert!(!new.auto_merge && new.title.contains(tag), "{new:?}");
    assert!(scene.repo.merge(2, "bob", "squash").is_err(), "it merges without an approval of its own");
    assert_eq!(scene.runs(&Start::inputs(inputs)).writes(), [""; 0]);
}

#[test]
fn it_ends_with_its_release_whichever_way_another_comes() {
    type Way = (&'static str, &'static str, fn(&Scene, u64));
    let ways: [Way; 4] = [
        ("a newer release", "v1.9.0", |scene, newer| {
            scene.repo.set_run(newer, "completed", Some("success")).unwrap();
        }),
        ("the tag on another commit", "v1.8.0", |scene, _| {
            scene.release("v1.8.0", "2026-09-15", Some("success"));
        }),
        ("another value on base", "v1.8.0", |scene, _| {
            let hotfix = Commit::new("fix: hotfix").file(OVERLAY, &values("v1.7.1", "2026-05-01"));
            scene.repo.commit(&hotfix.by("bob")).unwrap();
        }),
        ("an older release by name", "v1.7.5", |scene, _| {
            scene.release("v1.7.5", "2026-09-15", Some("success"));
        }),
    ];
    for (way, tag, comes) in ways {
        for yes in Yes::ALL {
            let (scene, newer) = proposed();
            yes.said(&scene);
            comes(&scene, newer);
            let inputs = [("tag", tag)];
            let inputs: &[_] = if tag == "v1.7.5" { &inputs } else { &[] };
            let run = scene.runs(&Start::inputs(inputs));
            // Closed before the branch moved: at no time was the other one below their yes.
            let at = |part: &str| {
                let is = |exchange: &fake_github::Exchange| {
                    exchange.request_body.to_string().contains(part) && exchange.is_write()
                };
                run.requests.iter().position(is).unwrap_or_else(|| panic!("{part}: {}", run.said()))
            };
            assert!(at(r#""state":"closed""#) < at("updateRefs"), "{way}");
            nobody_agreed_to_this(&scene, &run, tag, inputs);
        }
    }
}

#[test]
fn what_base_changes_around_the_promoted_values_keeps_it() {
    for yes in Yes::ALL {
        let (scene, _) = proposed();
        yes.said(&scene);
        let scaled = scene.prod("main").replace("replicas: 3", "replicas: 9");
        scene.repo.commit(&Commit::new("scale").file(OVERLAY, &scaled).by("bob")).unwrap();
        scene.run().ended("updated", 0);
        let pull = scene.repo.pull(1).unwrap();
        assert_eq!((pull.state.as_str(), scene.repo.pulls().unwrap().len()), ("open", 1));
        assert_eq!(pull.auto_merge, matches!(yes, Yes::Arm));
        scene.run().ended("unchanged", 0);
    }
}

#[test]
fn a_yes_that_comes_while_the_branch_moves_on_is_not_taken_along() {
    // Before the commit is made, before the branch moves, and before it is looked at again.
    let spots = [
        On::request("POST", "/git/trees$"),
        On::graphql("updateRefs"),
        On::request("GET", "/pulls/1$").nth(2),
    ];
    for on in spots {
        for yes in Yes::ALL {
            let (scene, newer) = proposed();
            let head = scene.promotion_head();
            scene.repo.set_run(newer, "completed", Some("success")).unwrap();
            scene.github.inject(Fault::new(on.clone(), Effect::HoldBefore)).unwrap();
            let run = scene.while_held(|| match yes {
                // What is on the reviewer's screen is the head before.
                Yes::Approve => drop(scene.repo.approve_at(1, "alice", &head).unwrap()),
                Yes::Arm => yes.said(&scene),
            });
            nobody_agreed_to_this(&scene, &run, "v1.9.0", &[]);
        }
    }
}

#[test]
fn a_yes_from_an_old_page_is_found_by_the_next_run() {
    let (scene, newer) = proposed();
    let head = scene.promotion_head();
    scene.repo.set_run(newer, "completed", Some("success")).unwrap();
    scene.run().ended("updated", 0);
    scene.repo.approve_at(1, "alice", &head).unwrap();
    let run = scene.run();
    nobody_agreed_to_this(&scene, &run, "v1.9.0", &[]);
}
