//! A job that is stopped for good after any of its requests; the next run takes up what it left.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use fake_github::{Effect, Fault, On};

use crate::flows::{Flow, Stage, Undisturbed};
use crate::pool::{each, everyday};
use crate::say;
use crate::trial::short_of;

/// How long a run may take to come to its request.
const PATIENCE: Duration = Duration::from_mins(1);

/// When a run is killed.
#[derive(Clone, Copy, Debug)]
struct Kill {
    flow: Flow,
    /// At which request, from 1.
    index: usize,
    when: When,
}

/// Before or after GitHub acts on the request; in neither case the run learns of it.
#[derive(Clone, Copy, Debug)]
enum When {
    /// It has the answer to the request before this one, and that is all it has.
    Before,
    /// GitHub acted, and the answer is on its way.
    After,
}

#[test]
fn the_next_run_completes_what_a_killed_one_began() {
    let begun = Instant::now();
    let undisturbed: BTreeMap<Flow, Undisturbed> =
        Flow::ALL.into_iter().map(|flow| (flow, Stage::new(flow).undisturbed())).collect();
    let kills: Vec<Kill> = undisturbed
        .iter()
        .flat_map(|(flow, run)| (1..=run.requests.len()).map(|index| (*flow, index)))
        .flat_map(|(flow, index)| [When::Before, When::After].map(|when| Kill { flow, index, when }))
        .collect();
    let kills = everyday(kills);
    let ended = each(&kills, |kill| kill.flow, |kill, stage| kill.ended(stage, &undisturbed[&kill.flow]));
    let failures: String = kills
        .iter()
        .zip(ended)
        .filter_map(|(kill, ended)| {
            let why = ended.unwrap_or_else(Some)?;
            let Kill { flow, index, when } = kill;
            let request = &undisturbed[flow].requests[index - 1];
            Some(format!("{} killed at {index} ({request}), {when:?} it was acted on: {why}\n", flow.name()))
        })
        .collect();
    let seconds = begun.elapsed().as_secs_f64();
    say(&format!("killed at {} points of {} flows, in {seconds:.1} s", kills.len(), undisturbed.len()));
    assert!(failures.is_empty(), "{failures}");
}

impl Kill {
    fn ended(self, stage: &Stage, due: &Undisturbed) -> Option<String> {
        stage.begin();
        let github = &stage.scene.github;
        let what = match self.when {
            When::Before => Effect::Hang,
            When::After => Effect::HangAfter,
        };
        github.inject(Fault::new(On::default().nth(self.index as u64), what)).unwrap();
        let inputs = stage.flow.inputs();
        let mut laid_out = stage.scene.laid_out(&stage.start(&inputs));
        let mut child = laid_out.command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let start = Instant::now();
        while !github.traffic().iter().any(|exchange| exchange.fault.is_some()) {
            if let Some(status) = child.try_wait().unwrap() {
                return Some(format!("it ended by itself, {status}"));
            }
            assert!(start.elapsed() < PATIENCE, "it did not come to its request {}", self.index);
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        github.clear_faults();
        let next = stage.run();
        short_of(&next, &stage.scene, due)
    }
}
