//! Many cases at once, and one report of those that are not as expected.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Only cases whose name has this part are run.
pub fn wanted(name: &str) -> bool {
    name.contains(&std::env::var("CASE").unwrap_or_default())
}

/// Runs every case, several at a time, and fails with what is wrong; `rewrite` is how the new is taken where it is right.
pub fn run<Case: Sync>(
    cases: &[(String, Case)],
    folder: &str,
    rewrite: &str,
    problem: impl Fn(&str, &Case) -> String + Sync,
) {
    assert!(!cases.is_empty(), "no case is called `{}`", std::env::var("CASE").unwrap_or_default());
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    // A case mostly waits: for git, for the binary, for the fake.
    let workers = std::thread::available_parallelism().map_or(4, |cores| cores.get() * 2);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((name, case)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let problem = problem(name, case);
                    if !problem.is_empty() {
                        failed.lock().unwrap().push((name, problem));
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort();
    let report: Vec<String> =
        failed.iter().map(|(name, problem)| format!("\n==== {folder}/{name}\n{problem}")).collect();
    assert!(
        failed.is_empty(),
        "{} of {} cases are not as expected; where the new is right, `{rewrite}` writes it\n{}",
        failed.len(),
        cases.len(),
        report.concat()
    );
}
