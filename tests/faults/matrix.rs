//! Every request of every flow, with everything that may happen to it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Instant;

use crate::flows::{Flow, Stage, Undisturbed};
use crate::pool::{CHOICE, each, everyday};
use crate::say;
use crate::trial::{Ended, Trial, effects};

#[test]
fn one_more_run_sets_right_whatever_happened_to_one_request() {
    let begun = Instant::now();
    let undisturbed: BTreeMap<Flow, Undisturbed> =
        Flow::ALL.into_iter().map(|flow| (flow, Stage::new(flow).undisturbed())).collect();
    let all = undisturbed.iter().flat_map(|(flow, run)| {
        (1..=run.requests.len()).flat_map(move |index| {
            effects().into_iter().map(move |effect| Trial { flow: *flow, index, effect })
        })
    });
    let trials = everyday(all.filter(chosen).collect());
    let ended =
        each(&trials, |trial| trial.flow, |trial, stage| trial.ended(stage, &undisturbed[&trial.flow]));
    let ended: Vec<Ended> = ended
        .into_iter()
        .map(|one| one.unwrap_or_else(|said| Ended { failure: Some(said), ..Ended::default() }))
        .collect();
    let (table, failures) = told(&trials, &ended, &undisturbed);
    say(&format!("{table}in {:.1} s", begun.elapsed().as_secs_f64()));
    assert!(failures.is_empty(), "{failures}");
}

fn chosen(trial: &Trial) -> bool {
    let Ok(choice) = std::env::var(CHOICE) else { return true };
    let name = trial.name();
    choice.split(',').any(|pattern| {
        pattern.trim().split('/').zip(name.split('/')).all(|(wanted, part)| wanted == "*" || wanted == part)
    })
}

/// A line per flow, and every failure.
fn told(trials: &[Trial], ended: &[Ended], undisturbed: &BTreeMap<Flow, Undisturbed>) -> (String, String) {
    let mut table = format!(
        "{:<10} {:>8} {:>7} {:>12} {:>12} {:>8}\n",
        "flow", "requests", "effects", "combinations", "second runs", "failures"
    );
    let mut failures = String::new();
    for (flow, run) in undisturbed {
        let of_flow = || trials.iter().zip(ended).filter(|(trial, _)| trial.flow == *flow);
        let second = of_flow().filter(|(_, ended)| ended.second).count();
        let failed: Vec<_> =
            of_flow().filter_map(|(trial, ended)| Some((trial, ended, ended.failure.as_ref()?))).collect();
        let (requests, combinations) = (run.requests.len(), of_flow().count());
        let _ = writeln!(
            table,
            "{:<10} {requests:>8} {:>7} {combinations:>12} {second:>12} {:>8}",
            flow.name(),
            effects().len(),
            failed.len()
        );
        for (trial, ended, why) in failed {
            let _ = writeln!(failures, "{} ({}): {why}", trial.name(), ended.request);
        }
    }
    (table, failures)
}
