//! Two runs that see different releases: the one that began first is held until the other has promoted the newer one.

use std::time::{Duration, Instant};

use fake_github::{Effect, Exchange, Fault};

use crate::concurrent::{Spot, spots};
use crate::flows::{Flow, Stage};
use crate::pool::{each, everyday};
use crate::say;
use crate::scene::{Run, Start};
use crate::standing::Standing;
use crate::trial::gist;

/// How long the older run may take to come to where it is held.
const PATIENCE: Duration = Duration::from_mins(1);

const NEWER: &str = "v2.0.0";

/// Where the run of the older release is held.
struct Overtaking {
    flow: Flow,
    spot: Spot,
    effect: Effect,
}

#[test]
fn a_run_that_was_overtaken_leaves_the_newer_release() {
    let begun = Instant::now();
    let held = [Effect::HoldBefore, Effect::HoldAfter];
    let all: Vec<Overtaking> = [Flow::Create, Flow::Update, Flow::Supersede]
        .into_iter()
        .flat_map(|flow| spots(flow).into_iter().map(move |spot| (flow, spot)))
        .flat_map(|(flow, spot)| held.clone().map(|effect| Overtaking { flow, spot, effect }))
        .collect();
    let all = everyday(all);
    let ended = each(&all, |one| one.flow, Overtaking::ended);
    let mut failures = String::new();
    for (one, ended) in all.iter().zip(ended) {
        let name = one.name();
        let (outcomes, failure) = ended.unwrap_or_else(|said| (String::new(), Some(said)));
        say(&format!("{name:<70} {outcomes}"));
        if let Some(why) = failure {
            failures += &format!("{name}: {why}\n");
        }
    }
    say(&format!("{} overtaken runs in {:.1} s", all.len(), begun.elapsed().as_secs_f64()));
    assert!(failures.is_empty(), "{failures}");
}

impl Overtaking {
    fn name(&self) -> String {
        let when = if matches!(self.effect, Effect::HoldBefore) { "before" } else { "after" };
        format!("{}, the older held {when} {}", self.flow.name(), self.spot.0)
    }

    /// How the older and the newer run ended, and what is wrong.
    fn ended(&self, stage: &Stage) -> (String, Option<String>) {
        let due = newer_alone(stage);
        stage.begin();
        let (scene, inputs) = (&stage.scene, stage.flow.patient_inputs());
        let staging = scene.release(NEWER, "2026-09-15", None);
        scene.github.inject(Fault::new(self.spot.1(), self.effect.clone())).unwrap();
        let mut laid_out = scene.laid_out(&stage.start(&inputs));
        let (older, newer) = std::thread::scope(|scope| {
            let older = scope.spawn(|| laid_out.command.output().unwrap());
            let start = Instant::now();
            while scene.github.held() == 0 && !older.is_finished() && start.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(5));
            }
            let was_held = scene.github.held() == 1;
            let before = scene.github.traffic();
            scene.repo.set_run(staging, "completed", Some("success")).unwrap();
            let newer = was_held.then(|| scene.runs(&Start::inputs(&inputs)));
            scene.github.clear_faults();
            (older.join().unwrap(), newer.map(|newer| (newer, before)))
        });
        let older = scene.ended(&laid_out, older);
        let Some((newer, mut traffic)) = newer else {
            return (String::new(), Some(format!("it was not held: {}", gist(&older))));
        };
        let mut wrong = Standing::shown(scene).differences(&due);
        wrong.truncate(12);
        traffic.extend(scene.github.traffic());
        if says_more_than_it_wrote(&older, &traffic) {
            wrong.push(format!("the older run says `{}`, and never wrote that title", said(&older)));
        }
        for (name, run) in [("older", &older), ("newer", &newer)] {
            if run.code != Some(0) {
                wrong.push(format!("the {name} run failed"));
            }
        }
        let told = format!("\n    older: {}\n    newer: {}", gist(&older), gist(&newer));
        let told = (!wrong.is_empty()).then(|| format!("{}{told}", wrong.join("\n    ")));
        (format!("{}, then {}", said(&older), said(&newer)), told)
    }
}

/// What is shown where nobody promoted the older release meanwhile.
fn newer_alone(stage: &Stage) -> Standing {
    stage.begin();
    let staging = stage.scene.release(NEWER, "2026-09-15", None);
    stage.scene.repo.set_run(staging, "completed", Some("success")).unwrap();
    let run = stage.scene.runs(&Start::inputs(&stage.flow.patient_inputs()));
    assert_eq!((run.code, run.output("tag")), (Some(0), NEWER), "{}", run.said());
    Standing::shown(&stage.scene)
}

/// Whether a run claims a pull request for its release whose title it never wrote: it may be of another by now.
fn says_more_than_it_wrote(run: &Run, traffic: &[Exchange]) -> bool {
    let claims = ["created", "updated", "superseded"].contains(&run.outcome());
    let wrote = traffic.iter().any(|exchange| {
        let title = exchange.request_body["title"].as_str().unwrap_or_default();
        exchange.path.contains("/pulls")
            && title.contains(run.output("tag"))
            && exchange.status.is_some_and(|status| status < 300)
    });
    claims && !wrote
}

fn said(run: &Run) -> String {
    format!("{} {}", run.outcome(), run.output("tag"))
}
