//! One disturbance of one run, and whether at most one more run sets it right.

use std::collections::BTreeMap;

use fake_github::{Effect, Fault, On};
use serde_json::{Value, json};

use crate::flows::{Flow, Stage, Undisturbed, shown};
use crate::scene::Run;
use crate::standing::Standing;

/// What happens to a request, by the name that the table shows.
pub type Named = (&'static str, Effect);

const LIMIT: &str = "403-limit";

/// Everything that may happen to one request.
pub fn effects() -> Vec<Named> {
    let body =
        |message: &str| json!({ "message": message, "documentation_url": "https://docs.github.com/rest" });
    let status = |status, body| Effect::Status { status, body, headers: BTreeMap::new() };
    vec![
        // The client's patience ends before GitHub saw the request, and after GitHub acted on it.
        ("hang", Effect::Hang),
        ("hang-after", Effect::HangAfter),
        ("500", status(500, body("Server Error"))),
        ("502", status(502, Value::Null)),
        ("502-after", Effect::StatusAfter { status: 502, body: Value::Null, headers: BTreeMap::new() }),
        (LIMIT, Effect::SecondaryLimit { retry_after: 1 }),
        ("409", status(409, body("Conflict"))),
        ("422", status(422, body("Validation Failed"))),
        ("cut", Effect::CutBefore),
        ("cut-after", Effect::CutAfter),
    ]
}

/// A request of a flow and what happens to it.
#[derive(Clone, Debug)]
pub struct Trial {
    pub flow: Flow,
    /// Which request of the run, from 1.
    pub index: usize,
    pub effect: Named,
}

/// What a trial came to.
#[derive(Debug, Default)]
pub struct Ended {
    /// The request that was hit, as it was.
    pub request: String,
    /// Whether it took another run.
    pub second: bool,
    /// What is wrong after that.
    pub failure: Option<String>,
}

impl Trial {
    /// `create/12/hang-after`: the name by which one is chosen.
    pub fn name(&self) -> String {
        format!("{}/{}/{}", self.flow.name(), self.index, self.effect.0)
    }

    /// Disturbs a run, lets another follow where it is needed, and compares.
    pub fn ended(&self, stage: &Stage, due: &Undisturbed) -> Ended {
        stage.begin();
        let on = On::default().nth(self.index as u64);
        stage.scene.github.inject(Fault::new(on, self.effect.1.clone())).unwrap();
        let first = stage.run();
        let traffic = stage.scene.github.traffic();
        let Some(request) = traffic.iter().find(|exchange| exchange.fault.is_some()).map(shown) else {
            return Ended { failure: Some("no request was hit".to_owned()), ..Ended::default() };
        };
        stage.scene.github.clear_faults();
        // The API's limit is waited for; git knows no such answer.
        if self.effect.0 == LIMIT && !request.starts_with("git ") {
            return Ended { request, failure: short_of(&first, &stage.scene, due), second: false };
        }
        if Standing::of(&stage.scene) == due.standing {
            return Ended { request, ..Ended::default() };
        }
        let second = stage.run();
        let failure = short_of(&second, &stage.scene, due);
        let failure = failure.map(|what| format!("{what}\n    first run: {}", gist(&first)));
        Ended { request, second: true, failure }
    }
}

/// What the last run lacks of a good end.
pub fn short_of(last: &Run, scene: &crate::scene::Scene, due: &Undisturbed) -> Option<String> {
    let mut differences = Standing::of(scene).differences(&due.standing);
    if last.code != Some(0) {
        differences.insert(0, "the last run failed".to_owned());
    }
    let shown = differences.iter().take(12).fold(String::new(), |all, line| all + "\n    " + line);
    (!differences.is_empty()).then(|| format!("{shown}\n    last run: {}", gist(last)))
}

/// How a run ended, and what it said of it that not every run of these flows says.
pub fn gist(run: &Run) -> String {
    let known = ["request-timeout", "`stranger`", "not-there-yet"];
    let marks = ["error: ", "::error", "::warning"];
    let said = run.stderr.lines().chain(run.stdout.lines());
    let said = said.filter(|line| marks.iter().any(|mark| line.starts_with(mark)));
    let said = said.filter(|line| !known.iter().any(|known| line.contains(known)));
    let said: Vec<String> = said.map(|line| line.chars().take(250).collect()).collect();
    format!("{:?}, code {:?}: {}", run.outcome(), run.code, said.join(" | "))
}
