//! Many trials at once: most of their time is waiting, for an answer that does not come or a limit to pass.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use crate::flows::{Flow, Stage};

/// How many are tried at once.
const THREADS: usize = 8;

/// Chooses trials by name, to look into one: `FAULTS='create/12/*,close/*/hang' cargo test --test faults`. `*` is all.
pub const CHOICE: &str = "FAULTS";

/// Every third, spread over all: they take minutes, and an everyday run need not try each. `FAULTS` tries all.
pub fn everyday<T>(all: Vec<T>) -> Vec<T> {
    let every = if std::env::var_os(CHOICE).is_some() { 1 } else { 3 };
    all.into_iter().step_by(every).collect()
}

/// Tests take turns: how long one waits for an answer must not depend on the others.
static TURN: Mutex<()> = Mutex::new(());

/// Tries all, each on a stage of its flow that no other thread uses; what comes out is in the order of what went in.
///
/// A trial that panics comes out as what it said.
pub fn each<T: Sync, R: Send>(
    trials: &[T],
    flow: impl Fn(&T) -> Flow + Sync,
    ended: impl Fn(&T, &Stage) -> R + Sync,
) -> Vec<Result<R, String>> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let queue = Mutex::new(trials.iter().enumerate());
    let all = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS.min(trials.len()) {
            scope.spawn(|| {
                let mut stages: BTreeMap<Flow, Stage> = BTreeMap::new();
                loop {
                    let Some((at, trial)) = queue.lock().unwrap().next() else { return };
                    let flow = flow(trial);
                    let result = catch_unwind(AssertUnwindSafe(|| {
                        let stage = stages.entry(flow).or_insert_with(|| Stage::new(flow));
                        ended(trial, stage)
                    }));
                    let result = result.map_err(|panic| {
                        let text = panic.downcast_ref::<String>().cloned();
                        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                            .unwrap_or_default()
                    });
                    all.lock().unwrap().insert(at, result);
                }
            });
        }
    });
    all.into_inner().unwrap().into_values().collect()
}
