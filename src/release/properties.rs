//! What must hold of a choice whatever was observed: random tags and answers, judged and chosen from as a run does.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::select;

use super::evidence::survey::{Certainty, ruled_out};
use super::evidence::{
    CheckRun, Deployment, DeploymentStatus, Judgement, Promoting, Ran, Refs, Rules, Run, Status, judge,
};
use super::selection::{Candidate, Selection, latest_successful};
use super::{Tag, releases};
use crate::names::CommitSha;
use crate::plan::SearchEnd;
use crate::settings::{DEFAULT_TAG_PATTERN, Required, TagPattern};

/// One thing that GitHub says of a commit.
#[derive(Debug, Clone)]
enum Said {
    Run(Run),
    /// With the run that it is a job of, if it is one.
    Check(CheckRun, Option<u64>),
    Status(Status),
    Deployment(Deployment),
}

impl Said {
    fn is_success(&self) -> bool {
        match self {
            Self::Run(run) => run.status == "completed" && run.conclusion.as_deref() == Some("success"),
            Self::Check(check, _) => {
                check.status == "completed" && check.conclusion.as_deref() == Some("success")
            }
            Self::Status(status) => status.state == "success",
            Self::Deployment(deployment) => {
                deployment.statuses.iter().any(|status| status.state == "success")
            }
        }
    }
}

/// A repository: each commit with its tag and what was said of it.
#[derive(Debug, Clone)]
struct World {
    commits: Vec<(String, Vec<Said>)>,
    required: Vec<Required>,
    soak: Option<SignedDuration>,
}

fn sha(number: usize) -> CommitSha {
    CommitSha::parse(&format!("{:040x}", number + 1)).unwrap()
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + minute * 60).unwrap()
}

fn ended() -> impl Strategy<Value = (String, Option<String>)> {
    let done = |conclusion: &'static str| ("completed".to_owned(), Some(conclusion.to_owned()));
    prop_oneof![
        6 => Just(done("success")),
        4 => select(vec!["failure", "cancelled", "skipped", "neutral", "stale", "action_required", "timed_out"]).prop_map(done),
        2 => select(vec!["queued", "in_progress", "waiting"]).prop_map(|status| (status.to_owned(), None)),
    ]
}

fn said() -> impl Strategy<Value = Said> {
    let run = (
        0..1_000_u64,
        select(vec!["staging.yml", "lint.yml", "promote.yml"]),
        select(vec!["push", "push", "create", "pull_request", "workflow_run", "workflow_dispatch"]),
        select(vec![Some("main"), Some("v1.0.1"), Some("v1.0.2"), Some("v9.9.9"), Some("feature"), None]),
        ended(),
        prop::bool::weighted(0.1),
        0..300_i64,
    )
        .prop_map(|(id, file, event, branch, (status, conclusion), foreign, minute)| {
            Said::Run(Run {
                id,
                number: id,
                name: file.trim_end_matches(".yml").to_owned(),
                path: format!(".github/workflows/{file}"),
                event: event.to_owned(),
                head_branch: branch.map(str::to_owned),
                status,
                conclusion,
                foreign,
                url: None,
                started_at: None,
                updated_at: Some(at(minute)),
                check_suite: None,
            })
        });
    let check = (
        0..1_000_u64,
        select(vec!["evals", "lint"]),
        select(vec!["github-actions", "acme-evals"]),
        ended(),
        prop::option::of(0..1_000_u64),
    )
        .prop_map(|(id, name, app, (status, conclusion), job)| {
            let check = CheckRun {
                id,
                name: name.to_owned(),
                status,
                conclusion,
                app: Some(app.to_owned()),
                url: None,
                started_at: None,
                completed_at: Some(at(1)),
                title: None,
            };
            Said::Check(check, job)
        });
    let status = (
        select(vec!["ci", "security"]),
        select(vec!["success", "failure", "pending"]),
        select(vec!["bot", "mallory"]),
    )
        .prop_map(|(context, state, creator)| {
            Said::Status(Status {
                context: context.to_owned(),
                state: state.to_owned(),
                url: None,
                creator: Some(creator.to_owned()),
                description: None,
                at: Some(at(2)),
            })
        });
    let states = prop::collection::vec(select(vec!["success", "failure", "inactive", "in_progress"]), 0..3);
    let environment = select(vec!["staging", "staging", "eu"]);
    let reference = select(vec![None, Some("main"), Some("v1.0.1"), Some("v1.0.2"), Some("v9.9.9")]);
    let deployment = (states, environment, reference, prop::option::of(0..1_000_u64)).prop_map(
        |(states, environment, reference, run)| {
            let status =
                |state: &&str| DeploymentStatus { state: (*state).to_owned(), url: None, at: Some(at(3)) };
            Said::Deployment(Deployment {
                environment: environment.to_owned(),
                reference: reference.map(str::to_owned),
                run,
                creator: None,
                created_at: None,
                statuses: states.iter().map(status).collect(),
            })
        },
    );
    prop_oneof![4 => run, 2 => check, 2 => status, 1 => deployment]
}

fn required() -> impl Strategy<Value = Vec<Required>> {
    let one = select(vec![
        Required::Workflow("staging.yml".into()),
        Required::Workflow("lint".into()),
        Required::Check { name: "evals".into(), app: None },
        Required::Check { name: "evals".into(), app: Some("acme-evals".into()) },
        Required::Status { context: "ci".into(), creator: None },
        Required::Status { context: "ci".into(), creator: Some("Bot".into()) },
        Required::Deployment("staging".into()),
        Required::Deployment("eu".into()),
        Required::Any,
    ]);
    prop::collection::vec(one, 1..3)
}

fn world() -> impl Strategy<Value = World> {
    let commits = prop::collection::vec(prop::collection::vec(said(), 0..5), 1..6);
    let soak = prop::option::of((0..300_i64).prop_map(SignedDuration::from_mins));
    (commits, required(), soak).prop_map(|(commits, required, soak)| {
        let tagged = commits.into_iter().zip(1..).map(|(said, patch)| (format!("v1.0.{patch}"), said));
        World { commits: tagged.collect(), required, soak }
    })
}

fn ran(number: usize, said: &[Said]) -> Ran {
    let mut ran = Ran::nothing(&sha(number));
    for said in said {
        match said {
            Said::Run(run) => ran.runs.push(run.clone()),
            Said::Check(check, job) => {
                ran.checks.push(check.clone());
                ran.jobs.extend(job.map(|run| (check.id, run)));
            }
            Said::Status(status) => ran.statuses.push(status.clone()),
            Said::Deployment(deployment) => ran.deployments.push(deployment.clone()),
        }
    }
    ran
}

impl World {
    fn tags(&self) -> Vec<Tag> {
        let tag = |(number, (name, _)): (usize, &(String, Vec<Said>))| Tag {
            name: name.clone(),
            commit: sha(number),
            object: sha(number),
        };
        self.commits.iter().enumerate().map(tag).collect()
    }

    fn refs(&self) -> Refs {
        Refs::new(self.tags().into_iter().map(|tag| (tag.name, tag.commit)), ["main".to_owned()])
    }

    fn judged<T>(&self, tag: &str, by: impl FnOnce(&Rules<'_>) -> T) -> T {
        let refs = self.refs();
        let patterns = [TagPattern::parse(DEFAULT_TAG_PATTERN).unwrap()];
        let promoting =
            Promoting { path: Some(".github/workflows/promote.yml".into()), ..Promoting::default() };
        by(&Rules {
            required: &self.required,
            tag,
            refs: &refs,
            patterns: &patterns,
            trunk: "main",
            promoting: &promoting,
            soak: self.soak,
            now: at(200),
        })
    }

    fn judgement(&self, number: usize) -> Judgement {
        let (tag, said) = &self.commits[number];
        self.judged(tag, |rules| judge(&ran(number, said), rules))
    }

    fn selection(&self, tags: &[Tag]) -> Selection {
        let pattern = TagPattern::parse(DEFAULT_TAG_PATTERN).unwrap();
        let candidates = releases(tags, &pattern, "agent", HashMap::new).into_iter().map(|release| {
            let number = self.commits.iter().position(|(tag, _)| *tag == release.tag).unwrap();
            let Judgement { evidence, shortfalls, .. } = self.judgement(number);
            Candidate { release, evidence, shortfalls }
        });
        latest_successful(candidates.collect(), 30, SearchEnd::Exhausted)
    }

    fn chosen(&self) -> Option<String> {
        self.selection(&self.tags()).chosen.map(|candidate| candidate.release.tag)
    }
}

/// What a look at many commits would show of this: all that ran, without what GraphQL does not tell.
fn surveyed(whole: &Ran) -> Ran {
    let mut seen = whole.clone();
    for run in &mut seen.runs {
        run.foreign = false;
        // Tags and branches that are gone have no name there.
        run.head_branch = run.head_branch.take().filter(|branch| branch == "main");
    }
    for deployment in &mut seen.deployments {
        deployment.reference = deployment.reference.take().filter(|reference| reference == "main");
        deployment.run = None;
    }
    // Earlier check runs of the same name are shown as well.
    let earlier: Vec<CheckRun> = seen
        .checks
        .iter()
        .map(|check| {
            let turned = if check.conclusion.as_deref() == Some("success") { "failure" } else { "success" };
            CheckRun {
                id: check.id + 10_000,
                status: "completed".into(),
                conclusion: Some(turned.into()),
                ..check.clone()
            }
        })
        .collect();
    seen.checks.extend(earlier);
    // A check run is shown below a suite, and a suite below its run, whether it is a job or not.
    let first = seen.runs.first().map(|run| run.id);
    for check in &seen.checks {
        seen.jobs.extend(first.map(|run| (check.id, run)));
    }
    let mut contexts = HashSet::new();
    seen.statuses.retain(|status| contexts.insert(status.context.clone()));
    seen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_failing_or_pending_answer_never_makes_a_candidate_chosen(world in world(), place: prop::sample::Index, at: prop::sample::Index, more in said()) {
        prop_assume!(!more.is_success());
        let before = world.chosen();
        let number = place.index(world.commits.len());
        let mut after = world.clone();
        let said = &mut after.commits[number].1;
        said.insert(at.index(said.len() + 1), more);
        let tag = Some(after.commits[number].0.clone());
        prop_assert!(after.chosen() != tag || before == tag);
    }

    #[test]
    fn a_newer_successful_release_is_always_chosen(world in world(), more in prop::collection::vec(said(), 0..6)) {
        let mut after = world;
        let tag = format!("v1.0.{}", after.commits.len() + 1);
        after.commits.push((tag.clone(), more));
        let is_successful = after.judgement(after.commits.len() - 1).shortfalls.is_empty();
        prop_assert_eq!(after.chosen() == Some(tag), is_successful);
    }

    #[test]
    fn the_order_of_tags_and_of_pages_never_matters(world in world(), turn: prop::sample::Index) {
        let mut tags = world.tags();
        let by = turn.index(tags.len());
        tags.rotate_left(by);
        let mut turned = world.clone();
        for (_, said) in &mut turned.commits {
            // Statuses and deployments are put in order where they are read: the newest counts.
            let (mut any, ordered): (Vec<Said>, Vec<Said>) =
                said.drain(..).partition(|said| matches!(said, Said::Run(_) | Said::Check(..)));
            any.reverse();
            said.extend(any);
            said.extend(ordered);
        }
        let (one, other) = (world.selection(&world.tags()), turned.selection(&tags));
        prop_assert_eq!(one.chosen.map(|chosen| chosen.release.tag), other.chosen.map(|chosen| chosen.release.tag));
        let verdicts = |entries: &[crate::plan::Entry]| -> Vec<_> {
            entries.iter().map(|entry| (entry.tag.clone(), entry.evidence.clone())).collect()
        };
        prop_assert_eq!(verdicts(&one.ledger.entries), verdicts(&other.ledger.entries));
    }

    #[test]
    fn a_survey_rules_out_nothing_that_is_successful(world in world()) {
        for (number, (tag, said)) in world.commits.iter().enumerate() {
            let whole = ran(number, said);
            for certainty in [Certainty::OfVerdict, Certainty::OfSilence] {
                let out = world.judged(tag, |rules| ruled_out(&surveyed(&whole), rules, certainty));
                let judgement = world.judgement(number);
                if let Some(out) = out {
                    prop_assert!(!out.shortfalls.is_empty());
                    // A fork's run of such an event is none that GitHub has.
                    if !whole.runs.iter().any(|run| run.foreign) {
                        prop_assert!(!judgement.shortfalls.is_empty(), "{tag} {certainty:?}");
                    }
                    if certainty == Certainty::OfSilence && !whole.runs.iter().any(|run| run.foreign) {
                        prop_assert_eq!(out.silence, judgement.silence);
                    }
                }
            }
        }
    }

    #[test]
    fn missing_evidence_is_never_success(world in world()) {
        let silent = World { commits: world.commits.iter().map(|(tag, _)| (tag.clone(), Vec::new())).collect(), ..world };
        prop_assert_eq!(silent.chosen(), None);
    }
}
