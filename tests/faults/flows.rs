//! The promotions that are disturbed: each begins in a state of its own and makes other requests.

use fake_github::{Commit, Exchange, Options, Saved, Surface, Token};
use serde_json::Value;

use crate::scene::{Run, Scene, Start, TOKEN, values};
use crate::standing::Standing;

/// A promotion of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flow {
    /// Nothing is there: commit, branch, pull request, and all that is set on it.
    Create,
    /// A newer release, which is not blocked as the one before is: the same pull request shows it, ready for review.
    Update,
    /// A newer release under an approval and an armed auto-merge.
    Supersede,
    /// The target runs the release by now.
    Close,
}

impl Flow {
    pub const ALL: [Self; 4] = [Self::Create, Self::Update, Self::Supersede, Self::Close];

    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Supersede => "supersede",
            Self::Close => "close",
        }
    }

    /// How an undisturbed run ends.
    pub fn outcome(self) -> &'static str {
        match self {
            Self::Create => "created",
            Self::Update => "updated",
            Self::Supersede => "superseded",
            Self::Close => "closed",
        }
    }

    /// With the longest wait for an answer, since some do not come.
    pub fn inputs(self) -> Vec<(&'static str, &'static str)> {
        let mut inputs = self.patient_inputs();
        inputs.push(("request-timeout", "2s"));
        inputs
    }

    /// Labels that are there and that are missing, a person who may not review, a team, an assignee, auto-merge.
    pub fn patient_inputs(self) -> Vec<(&'static str, &'static str)> {
        let mut inputs = vec![
            ("labels", "promotion, not-there-yet"),
            ("reviewers", "alice, stranger"),
            ("team-reviewers", "ops"),
            ("assignees", "bob"),
        ];
        if matches!(self, Self::Create | Self::Supersede) {
            inputs.push(("auto-merge", "squash"));
        }
        inputs
    }

    /// What was there before the run.
    fn begin(self, scene: &Scene) {
        scene
            .repo
            .set(|settings| {
                settings.required_approvals = 1;
                settings.teams = vec!["ops".to_owned()];
            })
            .unwrap();
        scene.repo.add_label("promotion").unwrap();
        let start = Start { inputs: &self.inputs(), ..Start::default() };
        // One that was passed over, so that a run asks for more evidence.
        match self {
            Self::Create => {
                // It may not make labels, so that they are added one by one.
                scene.github.add_token(Token::actions(TOKEN).deny("issues"));
                scene.release("v1.8.0", "2026-09-15", Some("success"));
                scene.release("v1.8.1", "2026-09-15", Some("failure"));
            }
            Self::Update => {
                scene.release("v1.8.0", "latest", Some("success"));
                scene.runs(&start).ended("blocked", 1);
                scene.release("v1.9.0", "2026-09-15", Some("success"));
            }
            Self::Supersede => {
                scene.release("v1.8.0", "2026-09-15", Some("success"));
                scene.runs(&start).ended("created", 0);
                scene.repo.approve(1, "alice").unwrap();
                scene.release("v1.9.0", "2026-09-15", Some("success"));
            }
            Self::Close => {
                scene.release("v1.8.0", "2026-09-15", Some("success"));
                scene.runs(&start).ended("created", 0);
                let by_hand = Commit::new("fix: by hand")
                    .file("environments/prod/values.yaml", &values("v1.8.0", "2026-09-15"));
                scene.repo.commit(&by_hand.by("bob")).unwrap();
            }
        }
    }
}

/// A flow that can be begun as often as wanted.
pub struct Stage {
    pub flow: Flow,
    pub scene: Scene,
    saved: Saved,
    payload: Value,
}

impl Stage {
    pub fn new(flow: Flow) -> Self {
        // Tens of thousands of requests with faults teach the contract check nothing.
        let scene = Scene::with(Options { record: Some("/dev/null".into()), ..Options::default() });
        flow.begin(&scene);
        let payload = scene.repo.event_workflow_run(scene.newest_staging_run()).unwrap();
        let saved = scene.github.save().unwrap();
        Self { flow, scene, saved, payload }
    }

    /// Returns to the beginning: no fault, no traffic.
    pub fn begin(&self) {
        self.scene.github.restore(&self.saved).unwrap();
    }

    /// A run of this flow, or the next one after it.
    pub fn run(&self) -> Run {
        self.scene.runs(&self.start(&self.flow.inputs()))
    }

    pub fn start<'a>(&self, inputs: &'a [(&'a str, &'a str)]) -> Start<'a> {
        Start { inputs, payload: Some(self.payload.clone()), ..Start::default() }
    }

    /// What an undisturbed run asks for, and where it leaves GitHub.
    pub fn undisturbed(&self) -> Undisturbed {
        self.begin();
        self.run().ended(self.flow.outcome(), 0);
        let requests = self.scene.github.traffic().iter().map(shown).collect();
        Undisturbed { requests, standing: Standing::of(&self.scene) }
    }
}

/// A run that nothing disturbed.
pub struct Undisturbed {
    /// Its requests in order, of REST, GraphQL and git.
    pub requests: Vec<String>,
    pub standing: Standing,
}

/// A request as a list shows it.
pub fn shown(exchange: &Exchange) -> String {
    let query = exchange.request_body["query"].as_str().unwrap_or_default();
    match exchange.surface {
        Surface::Rest => format!("{} {}", exchange.method, exchange.path),
        Surface::Git => format!("git {} {}", exchange.method, exchange.path.rsplit('/').next().unwrap()),
        Surface::GraphQl => {
            let fields = query.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
            let mutations = [
                "updateRefs",
                "enablePullRequestAutoMerge",
                "markPullRequestReadyForReview",
                "convertPullRequestToDraft",
            ];
            let known = fields.clone().find(|field| mutations.contains(field));
            format!("GraphQL {}", known.or(fields.clone().next()).unwrap_or_default())
        }
    }
}
