//! The flow: observe → decide → check → propose → apply → report.
//!
//! The only place that calls both halves, the pure one and the edges. It reads like the README and
//! decides nothing itself. Everything is decided for all apps before the first write.

mod apply;
mod branch;
mod carried;
mod evidence;
mod existing;
mod explain;
mod gathered;
mod meant;
mod minted;
mod observe;
mod ready;
mod report;
mod repository;
mod standing;
mod walk;

use crate::failure::{Failure, Kind, Place, Problem, Result};
use crate::http;
use crate::overlay::{Pin, pins, shared_pins};
use crate::runner::commands::{Audience, mask};
use crate::runner::environment::Environment;
use crate::settings::{Asked, Command, Event, Inputs, Promotion, Request, Required, Requirement};

use meant::Meant;
use minted::Minted;
use observe::World;
use ready::Ready;
pub use report::ExitCode;
use report::{Failed, Report};
use repository::Repository;

/// How often a run looks again after somebody else moved the branch.
const LOOKS: u32 = 3;

/// Runs one promotion, from the environment to the exit code.
///
/// # Errors
/// Whatever stops the run before anything was decided: inputs, event, settings, git, GitHub.
pub async fn promote(flags: Inputs, environment: &Environment) -> Result<ExitCode> {
    let inputs = Inputs::from_env(environment.variables.clone());
    // A runner reads the mask and hides it; a terminal would show the secret itself.
    if environment.audience == Audience::Runner {
        inputs.secrets().chain(flags.secrets()).for_each(|secret| mask(&secret));
        http::passwords(|name| environment.get(name).map(str::to_owned)).iter().for_each(mask);
    }
    let minted = Minted::default();
    // The whole flow is too large a value for the stack.
    let outcome = Box::pin(promoted(flags, inputs, environment, &minted)).await;
    minted.revoke().await;
    if let Err(failure) = &outcome {
        report::stopped(failure, environment);
    }
    outcome
}

async fn promoted(
    flags: Inputs,
    inputs: Inputs,
    environment: &Environment,
    minted: &Minted,
) -> Result<ExitCode> {
    let event = event(environment)?;
    let asked = Asked::join(flags, inputs, &event)?;
    if asked.command == Command::Explain {
        return explain::explain(&asked, &event, environment, minted).await;
    }
    report::can_be_written(environment)?;
    let mut report = match run(&asked, &event, environment, minted, &Which::All).await {
        Ok(report) => report,
        Err(failure) => {
            // What was ignored may be what is missing.
            report::warn(&asked.warnings, environment.audience);
            return Err(failure);
        }
    };
    for _ in 1..LOOKS {
        let lost = report.lost_races();
        if lost.is_empty() {
            break;
        }
        tracing::warn!("a promotion branch moved while this run looked at it: looking again");
        match run(&asked, &event, environment, minted, &Which::Only(lost)).await {
            Ok(again) => report.replace(again),
            Err(failure) => {
                report.look_failed(failure);
                break;
            }
        }
    }
    report::report(&report, environment)
}

/// Which promotions a look is about.
enum Which {
    /// Every one that was asked for.
    All,
    /// These, by app and target.
    Only(Vec<(String, String)>),
}

impl Which {
    fn has(&self, promotion: &Promotion) -> bool {
        match self {
            Self::All => true,
            Self::Only(these) => {
                these.iter().any(|(app, target)| *app == promotion.app && *target == promotion.target.name)
            }
        }
    }
}

fn event(environment: &Environment) -> Result<Event> {
    let event = match environment.event()? {
        Some((name, path, payload)) => Event::parse(&name, &path, Some(&payload))?,
        None => Event::local(),
    };
    tracing::info!(event = %if event.name.is_empty() { "none" } else { &event.name }, by = %event.sender.as_deref().unwrap_or("nobody in particular"), "started");
    Ok(event)
}

/// One look: everything is decided before the first write.
async fn run(
    asked: &Asked,
    event: &Event,
    environment: &Environment,
    minted: &Minted,
    which: &Which,
) -> Result<Report> {
    let repository = Repository::observed(asked, event, environment, minted).await?;
    let request = &repository.request;
    let world = repository.world(event, environment);
    no_pin_has_two_owners(&world, request)?;

    let all: Vec<&Promotion> = request.promotions.iter().collect();
    let meant = if asked.names_apps() { Meant::these(all) } else { world.having_what_was_asked(all)? };
    let mut decided = Vec::new();
    for promotion in meant.promotions.iter().copied().filter(|promotion| which.has(promotion)) {
        let ready = Ready::decided(&world, promotion, &repository).await;
        decided.push((promotion, ready.inspect(Ready::tell)));
    }
    let mut promotions = Vec::new();
    for (promotion, ready) in decided {
        let done = match ready {
            Ok(ready) if request.dry_run => Ok(ready.planned()),
            Ok(ready) => ready.applied(&world, environment).await,
            Err(failure) => Err(failure),
        };
        let (app, target) = (promotion.app.clone(), promotion.target.name.clone());
        promotions.push(done.map_err(|failure| Failed { app, target, failure }));
    }
    let unknown = promoting_is_unknown(&world, request);
    let warnings = request.warnings.iter().chain(&request.not_yet).chain(&repository.unread).chain(&unknown);
    let warnings = warnings.chain(&meant.warnings).cloned().collect();
    Ok(Report { promotions, warnings, notices: meant.notices })
}

/// Outside Actions nobody says which workflow promotes, and with `any` its own runs would count.
fn promoting_is_unknown(world: &World<'_>, request: &Request) -> Option<Problem> {
    let any = |promotion: &Promotion| matches!(&promotion.evidence, Requirement::All(all) if all.contains(&Required::Any));
    let unknown = world.promoting.path.is_none() && world.promoting.name.is_none();
    (unknown && request.promotions.iter().any(any)).then(|| Problem {
        place: None,
        message: "`evidence` is `any`, and which workflow promotes is not known here: its own runs count".to_owned(),
        hints: vec!["set `GITHUB_WORKFLOW_REF` as Actions does: `OWNER/REPO/.github/workflows/promote.yml@refs/heads/main`".to_owned()],
    })
}

/// Every pin has exactly one owning app, among all that the settings name.
fn no_pin_has_two_owners(world: &World<'_>, request: &Request) -> Result<()> {
    let pins_of = |promotion: &Promotion| -> Result<Vec<Pin>> {
        let overlay = world.overlay(&promotion.target, &world.repository.commit)?;
        // What cannot be read is reported by the promotion itself.
        Ok(pins(&overlay, &promotion.pins).unwrap_or_default())
    };
    let mut problems = Vec::new();
    for promotion in &request.promotions {
        let files = promotion.target.watched();
        let share = |other: &&Promotion| {
            other.app != promotion.app && other.target.watched().iter().any(|file| files.contains(file))
        };
        let others: Vec<&Promotion> = request.everywhere.iter().filter(share).collect();
        if others.is_empty() {
            continue;
        }
        let ours = pins_of(promotion)?;
        for other in others {
            problems.extend(shared_pins(&ours, &pins_of(other)?).into_iter().map(|pin| {
                let (first, second) =
                    (other.app.as_str().min(&promotion.app), other.app.as_str().max(&promotion.app));
                Problem {
                    place: Some(Place::at(pin.file.as_str(), pin.line, pin.column)),
                    message: format!("the apps `{}` and `{}` both claim `{}`", first, second, pin.key),
                    hints: vec![
                        "name the `pins` of each app in the settings, so that every pin has one owner".into(),
                    ],
                }
            }));
        }
    }
    problems.sort_by(|a, b| (&a.place, &a.message).cmp(&(&b.place, &b.message)));
    problems.dedup();
    Failure::several(Kind::Settings, problems).map_or(Ok(()), Err)
}
