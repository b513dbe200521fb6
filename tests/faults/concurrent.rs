//! Several runs at once on one repository, in every order that holding one of them can force.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fake_github::{Effect, Fault, On};

use crate::flows::{Flow, Stage, Undisturbed};
use crate::pool::{each, everyday};
use crate::say;
use crate::scene::Run;
use crate::standing::Standing;
use crate::trial::gist;

/// How long all of a round may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// So late are runs that shall all have looked before one of them writes.
const LATE: Effect = Effect::DelayBefore { milliseconds: 400 };

/// Some runs of one flow, and what forces their order.
struct Round {
    flow: Flow,
    runs: usize,
    order: Order,
}

/// What forces the order of several runs.
enum Order {
    /// Nothing does.
    Free,
    /// Each is late at its first such request, so that all have looked at the same.
    AllLate(Spot),
    /// The first that comes to it is held there until all others have ended.
    OneHeld(Spot, Effect),
}

/// A request, by its name.
pub type Spot = (&'static str, fn() -> On);

const TREES: Spot = ("POST git/trees", || On::request("POST", "/git/trees$"));
const MOVE: Spot = ("updateRefs", || On::graphql("updateRefs"));
const OPEN: Spot = ("POST pulls", || On::request("POST", "/pulls$"));
const TEXT: Spot = ("PATCH pulls (text)", || patch("\"body\""));
const CLOSE: Spot = ("PATCH pulls (close)", || patch("\"closed\""));
const LABEL: Spot = ("POST labels", || On::request("POST", "/labels$"));
const READY: Spot = ("markPullRequestReadyForReview", || On::graphql("markPullRequestReadyForReview"));
const CHECK: Spot = ("POST check-runs", || On::request("POST", "/check-runs$"));
const COMMENT: Spot = ("POST comments", || On::request("POST", "/comments$"));

/// Between reading the branches and reading the pull requests.
const LOOK: Spot = ("GET pulls", || On::request("GET", "/pulls$"));

fn patch(body: &str) -> On {
    On { body: Some(body.to_owned()), ..On::request("PATCH", r"/pulls/\d+$") }
}

/// The requests of a flow at which the order of runs matters, the first two before anything is changed for good.
pub fn spots(flow: Flow) -> Vec<Spot> {
    match flow {
        Flow::Create => vec![TREES, MOVE, OPEN, LABEL, CHECK, LOOK],
        Flow::Update => vec![TREES, MOVE, TEXT, READY, CHECK, LOOK],
        Flow::Supersede => vec![TREES, TEXT, CLOSE, MOVE, OPEN, LABEL, CHECK, COMMENT, LOOK],
        Flow::Close => vec![TEXT, CLOSE, MOVE, COMMENT, LOOK],
    }
}

const FLOWS: [Flow; 3] = [Flow::Create, Flow::Update, Flow::Supersede];

#[test]
fn several_runs_at_once_leave_what_one_leaves() {
    let begun = Instant::now();
    let undisturbed: BTreeMap<Flow, Undisturbed> =
        FLOWS.into_iter().map(|flow| (flow, Stage::new(flow).undisturbed())).collect();
    let rounds: Vec<Round> =
        FLOWS.into_iter().flat_map(|flow| [2, 5].map(|runs| (flow, runs))).flat_map(rounds).collect();
    let rounds = everyday(rounds);
    let ended =
        each(&rounds, |round| round.flow, |round, stage| round.ended(stage, &undisturbed[&round.flow]));
    let mut tally: BTreeMap<(Flow, usize, String), usize> = BTreeMap::new();
    let mut failures = String::new();
    for (round, ended) in rounds.iter().zip(ended) {
        let (outcomes, failure) = ended.unwrap_or_else(|said| (String::new(), Some(said)));
        *tally.entry((round.flow, round.runs, outcomes)).or_default() += 1;
        if let Some(why) = failure {
            failures += &format!("{}: {why}\n", round.name());
        }
    }
    for ((flow, runs, outcomes), times) in tally {
        say(&format!("{:<10} {runs} runs, {times:>2} rounds: {outcomes}", flow.name()));
    }
    say(&format!("{} rounds in {:.1} s", rounds.len(), begun.elapsed().as_secs_f64()));
    assert!(failures.is_empty(), "{failures}");
}

fn rounds((flow, runs): (Flow, usize)) -> Vec<Round> {
    let late = [Order::Free, Order::AllLate(spots(flow)[0]), Order::AllLate(spots(flow)[1])];
    let held = spots(flow)
        .into_iter()
        .flat_map(|spot| [Effect::HoldBefore, Effect::HoldAfter].map(|effect| Order::OneHeld(spot, effect)));
    late.into_iter().chain(held).map(|order| Round { flow, runs, order }).collect()
}

impl Round {
    fn name(&self) -> String {
        let order = match &self.order {
            Order::Free => "free".to_owned(),
            Order::AllLate((spot, _)) => format!("all late before {spot}"),
            Order::OneHeld((spot, _), Effect::HoldBefore) => format!("one held before {spot}"),
            Order::OneHeld((spot, _), _) => format!("one held after {spot}"),
        };
        format!("{}, {} runs, {order}", self.flow.name(), self.runs)
    }

    /// How the runs ended, and what is wrong.
    fn ended(&self, stage: &Stage, due: &Undisturbed) -> (String, Option<String>) {
        stage.begin();
        let fault = match &self.order {
            Order::Free => None,
            Order::AllLate((_, on)) => Some(Fault::new(on().times(u64::MAX), LATE)),
            Order::OneHeld((_, on), effect) => Some(Fault::new(on(), effect.clone())),
        };
        if let Some(fault) = fault {
            stage.scene.github.inject(fault).unwrap();
        }
        let runs = self.all_at_once(stage);
        let mut outcomes: Vec<&str> = runs.iter().map(Run::outcome).collect();
        outcomes.sort_unstable();
        let wrong = self.wrong(&runs, stage, due);
        let told = runs.iter().fold(String::new(), |all, run| all + "\n    " + &gist(run));
        (outcomes.join(", "), (!wrong.is_empty()).then(|| format!("{}{told}", wrong.join("\n    "))))
    }

    fn all_at_once(&self, stage: &Stage) -> Vec<Run> {
        let inputs = stage.flow.patient_inputs();
        let mut laid_out: Vec<_> =
            (0..self.runs).map(|_| stage.scene.laid_out(&stage.start(&inputs))).collect();
        let (ended, start) = (AtomicUsize::new(0), Instant::now());
        let outputs: Vec<_> = std::thread::scope(|scope| {
            let running: Vec<_> = laid_out
                .iter_mut()
                .map(|one| {
                    let ended = &ended;
                    scope.spawn(move || {
                        let output = one.command.output().unwrap();
                        ended.fetch_add(1, Ordering::Relaxed);
                        output
                    })
                })
                .collect();
            while ended.load(Ordering::Relaxed) + 1 < self.runs && start.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(5));
            }
            stage.scene.github.clear_faults();
            running.into_iter().map(|one| one.join().unwrap()).collect()
        });
        laid_out.iter().zip(outputs).map(|(one, output)| stage.scene.ended(one, output)).collect()
    }

    /// What is not as it is due, in sentences.
    fn wrong(&self, runs: &[Run], stage: &Stage, due: &Undisturbed) -> Vec<String> {
        let mut wrong = Standing::of(&stage.scene).differences(&due.standing);
        wrong.truncate(12);
        let pulls = stage.scene.repo.pulls().unwrap();
        let open: Vec<String> =
            pulls.iter().filter(|pull| pull.state == "open").map(|pull| pull.number.to_string()).collect();
        if open.len() != 1 {
            wrong.push(format!("{} pull requests are open", open.len()));
        }
        for run in runs {
            let known = ["created", "updated", "unchanged", "superseded"].contains(&run.outcome());
            if run.code != Some(0) || !known {
                wrong.push(format!("a run ended with {:?} and code {:?}", run.outcome(), run.code));
            } else if !open.contains(&run.output("pull-request-number").to_owned()) {
                wrong.push(format!("a run names pull request `{}`", run.output("pull-request-number")));
            }
        }
        // Whoever opened it says so, and nobody else does.
        let opened = runs.iter().filter(|run| ["created", "superseded"].contains(&run.outcome())).count();
        if opened != usize::from(self.flow != Flow::Update) {
            wrong.push(format!("{opened} runs say that they opened a pull request"));
        }
        if runs.iter().all(|run| run.outcome() == "unchanged") {
            wrong.push("no run says that it wrote".to_owned());
        }
        wrong
    }
}
