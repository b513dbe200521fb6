//! The flow: observe → decide → check → propose → apply → report.
//!
//! The only place that calls both halves, the pure one and the edges. It reads like the README and
//! decides nothing itself. Everything is decided for all apps before the first write.

mod apply;
mod existing;
mod observe;
mod report;
mod standing;

use std::cell::RefCell;
use std::path::Path;

use jiff::Timestamp;

use crate::decide::{Decision, decision};
use crate::failure::{Failure, Kind, Place, Problem, Result};
use crate::git::{History, Listing, Remote, Wanted};
use crate::github::client::Address;
use crate::github::{GitHub, Tokens};
use crate::names::{BranchName, CommitSha, RepoPath};
use crate::overlay::{OverlayFile, PinRules, pins, shared_pins};
use crate::plan::{self, Outcome, Plan};
use crate::policy;
use crate::proposal::reconcile::{self, Action, Asked as ByName, Consent, Push};
use crate::proposal::{self, Context, Proposal, plan_digest};
use crate::release::Tag;
use crate::release::evidence::Promoting;
use crate::runner::commands::mask;
use crate::runner::environment::Environment;
use crate::settings::{self, Asked, Event, Inputs, Layout, Promotion, Request};

use apply::{Applied, Ground, apply};
use existing::{Mark, Pulls};
use observe::World;
pub use report::ExitCode;
use report::{Failed, Promoted, Report};

/// How often a run looks again after somebody else moved the branch.
const LOOKS: u32 = 3;
/// How deep overlays may lie below `environments/`.
const DEPTH: usize = 8;

/// Runs one promotion, from the environment to the exit code.
///
/// # Errors
/// Whatever stops the run before anything was decided: inputs, event, settings, git, GitHub.
pub async fn promote(flags: Inputs, environment: &Environment) -> Result<ExitCode> {
    let inputs = Inputs::from_env(environment.variables.clone());
    // A runner reads the mask and hides it; a terminal would show the secret itself.
    if environment.in_actions {
        inputs.secrets().chain(flags.secrets()).for_each(mask);
    }
    let outcome = promoted(flags, inputs, environment).await;
    if let Err(failure) = &outcome {
        report::stopped(failure, environment);
    }
    outcome
}

async fn promoted(flags: Inputs, inputs: Inputs, environment: &Environment) -> Result<ExitCode> {
    report::can_be_written(environment)?;
    let event = event(environment)?;
    let asked = Asked::join(flags, inputs, &event)?;
    let mut looks = 1;
    loop {
        match run(&asked, &event, environment).await {
            Err(failure) if failure.kind() == Kind::LostRace && looks < LOOKS => {
                tracing::warn!("the promotion branch moved while this run looked at it: looking again");
                looks += 1;
            }
            Err(failure) => {
                // What was ignored may be what is missing.
                report::warn(&asked.warnings);
                return Err(failure);
            }
            Ok(report) => return report::report(&report, environment),
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

async fn run(asked: &Asked, event: &Event, environment: &Environment) -> Result<Report> {
    let repository = observed(asked, event, environment).await?;
    let request = &repository.request;
    let world = repository.world(event, environment)?;
    world.no_pin_has_two_owners(&request.promotions)?;

    let mut decided = Vec::new();
    for promotion in &request.promotions {
        let outcome = world.decided(promotion, &repository.listing).await;
        if let Ok(ready) = &outcome {
            ready.tell();
        }
        decided.push((promotion, outcome));
    }
    let mut promotions = Vec::new();
    for (promotion, outcome) in decided {
        let done = match outcome {
            Ok(ready) if request.dry_run => Ok(ready.planned()),
            Ok(ready) => ready.applied(&world, environment).await,
            Err(failure) => Err(failure),
        };
        promotions.push(match done {
            Err(failure) if failure.kind() == Kind::LostRace => return Err(failure),
            Err(failure) => {
                Err(Failed { app: promotion.app.clone(), target: promotion.target.name.clone(), failure })
            }
            Ok(promoted) => Ok(promoted),
        });
    }
    let warnings: Vec<Problem> =
        request.warnings.iter().chain(&request.not_yet).chain(&repository.unread).cloned().collect();
    Ok(Report { promotions, warnings })
}

/// The repository as it was read, and what was asked of it.
struct Observed {
    github: GitHub,
    history: History,
    listing: Listing,
    request: Request,
    repository: plan::Repository,
    trunk_head: CommitSha,
    rego: Vec<RepoPath>,
    /// What looks like settings and is none.
    unread: Vec<Problem>,
}

/// Observe: git, then the settings at the base commit.
async fn observed(asked: &Asked, event: &Event, environment: &Environment) -> Result<Observed> {
    let slug = environment.repository()?;
    let http = crate::http::client()?;
    let token = asked.token()?;
    let separate = Some(asked.pull_request_token()?).filter(|other| other.expose() != token.expose());
    let address = Address { rest: environment.api.clone(), graphql: environment.graphql.clone() };
    let tokens = Tokens { token, pull_request: separate };
    let github = GitHub::new(&address, &tokens, slug.clone(), &http)?;
    let runtime = tokio::runtime::Handle::current();
    let remote = Remote::new(&environment.server, slug.clone(), Some(token.clone()), http, runtime)?;

    let listing = blocking({
        let remote = remote.clone();
        move || remote.listing()
    })
    .await?;
    tracing::info!(repository = %slug, branches = listing.branches.len(), tags = listing.tags.len(), "read the list of branches and tags");
    let default =
        event.default_branch.clone().filter(|branch| listing.branches.contains_key(branch.as_str()));
    let Some(default) = default.or_else(|| listing.default_branch.clone()) else {
        return Err(Failure::new(Kind::Git, format!("`{slug}` has no default branch"))
            .hinted("name one with `trunk`"));
    };
    let first = asked.base().cloned().unwrap_or_else(|| default.clone());
    let (history, first_head) = opened(environment, &remote, &listing, &[&default, &first]).await?;

    let (asked, base, base_head) = match named_by_file(asked, &history, &first, &first_head)? {
        None => (asked.clone(), first, first_head),
        Some(base) => {
            let head = fetched(&history, &listing, &base)?;
            (asked.clone().settled_on(base.clone()), base, head)
        }
    };
    let file = file_at(&history, &base_head, &asked.config)?;
    let unread = unread_settings(&history, &base_head, &asked, file.is_some())?;
    let layout = Layout::below_environments(history.files_below(
        &base_head,
        &RepoPath::parse(settings::ENVIRONMENTS)?,
        DEPTH,
    )?);
    let request = settings::resolve(
        &asked,
        file.as_ref().map(|text| (&asked.config, text.as_str())),
        &layout,
        &slug.name,
    )?;
    let trunk = request.trunk.clone().unwrap_or(default);
    let trunk_head = fetched(&history, &listing, &trunk)?;
    let repository = plan::Repository {
        url: format!("{}/{slug}", environment.server),
        owner: slug.owner,
        name: slug.name,
        base,
        commit: base_head.clone(),
        trunk,
    };
    tracing::info!(
        base = %repository.base,
        commit = base_head.short(),
        trunk = %repository.trunk,
        settings = %file.as_ref().map_or("none: the defaults hold", |_| asked.config.as_str()),
        promotions = request.promotions.len(),
        "read the settings"
    );
    let rego = rego_at(&history, &base_head, &request)?;
    Ok(Observed { github, history, listing, request, repository, trunk_head, rego, unread })
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Failure::new(Kind::Git, "reading git was cut short").because(error)),
    }
}

/// The history of some branches and of every promotion branch, and the head of the last one named.
async fn opened(
    environment: &Environment,
    remote: &Remote,
    listing: &Listing,
    branches: &[&BranchName],
) -> Result<(History, CommitSha)> {
    let mut wanted = Vec::new();
    for branch in branches {
        wanted.push(Wanted { reference: branch.full(), sha: head_in(listing, branch)? });
    }
    for (name, sha) in listing.branches.iter().filter(|(name, _)| name.starts_with("promote/")) {
        wanted.push(Wanted { reference: format!("refs/heads/{name}"), sha: sha.clone() });
    }
    wanted.sort_by(|a, b| a.reference.cmp(&b.reference));
    wanted.dedup();
    let (workspace, temp, remote) = (environment.workspace.clone(), environment.temp.clone(), remote.clone());
    let history = blocking(move || History::open(Some(&workspace), &temp, &remote, &wanted)).await?;
    let last = branches.last().map(|branch| fetched(&history, listing, branch));
    let head = last.unwrap_or_else(|| Err(Failure::new(Kind::Git, "no branch was named")))?;
    Ok((history, head))
}

fn head_in(listing: &Listing, branch: &BranchName) -> Result<CommitSha> {
    listing.branches.get(branch.as_str()).cloned().ok_or_else(|| {
        let mut names: Vec<&str> = listing
            .branches
            .keys()
            .map(String::as_str)
            .filter(|name| !name.starts_with("promote/"))
            .take(5)
            .collect();
        names.sort_unstable();
        Failure::new(Kind::Git, format!("there is no branch `{branch}`"))
            .hinted(format!("branches are `{}`; `trunk` and `base` name the ones to use", names.join("`, `")))
    })
}

/// The head of a branch, fetched if it is not here yet.
fn fetched(history: &History, listing: &Listing, branch: &BranchName) -> Result<CommitSha> {
    let sha = head_in(listing, branch)?;
    if !history.contains(&sha) {
        let wanted = [Wanted { reference: branch.full(), sha: sha.clone() }];
        tokio::task::block_in_place(|| history.fetch(&wanted))?;
    }
    Ok(history.head_of(&branch.full()).unwrap_or(sha))
}

fn named_by_file(
    asked: &Asked,
    history: &History,
    read_on: &BranchName,
    head: &CommitSha,
) -> Result<Option<BranchName>> {
    let text = file_at(history, head, &asked.config)?;
    Ok(text.and_then(|text| asked.base_named_by_file(&asked.config, &text, read_on)))
}

/// A file that is called almost like the settings is a mistake that nobody would see.
fn unread_settings(
    history: &History,
    base: &CommitSha,
    asked: &Asked,
    there_are_settings: bool,
) -> Result<Vec<Problem>> {
    let mut warnings = Vec::new();
    for name in [".github/promote.yml", "promote.yaml", "promote.yml"] {
        let path = RepoPath::parse(name)?;
        let is_read = there_are_settings && asked.config == path;
        // At the root any tool may have such a file; it is suspicious where no settings are.
        let is_suspicious = name.starts_with(".github/") || !there_are_settings;
        if is_read || !is_suspicious || history.file(base, &path)?.is_none() {
            continue;
        }
        let config = &asked.config;
        warnings.push(Problem {
            place: Some(Place::of(name)),
            message: format!("this file is not read: the settings are in `{config}`"),
            hints: vec![format!(
                "rename it to `{}`, or name it by the input `config`",
                settings::DEFAULT_CONFIG
            )],
        });
    }
    Ok(warnings)
}

fn file_at(history: &History, commit: &CommitSha, path: &RepoPath) -> Result<Option<String>> {
    let Some(file) = history.file(commit, path)? else { return Ok(None) };
    String::from_utf8(file.bytes).map(Some).map_err(|error| {
        Failure::at(Kind::Settings, Place::of(path.as_str()), "the settings file is not UTF-8")
            .hinted("save it as UTF-8")
            .because(error)
    })
}

/// The policies at base that this version cannot evaluate yet.
fn rego_at(history: &History, base: &CommitSha, request: &Request) -> Result<Vec<RepoPath>> {
    let mut rego = Vec::new();
    for policy in std::iter::once(&request.policy).chain(request.promotions.iter().map(|p| &p.policy)) {
        for folder in &policy.folders {
            let files = history.files_below(base, folder, DEPTH)?;
            if files.is_empty() && policy.named {
                return Err(Failure::new(
                    Kind::Settings,
                    format!("there is no policy folder `{folder}` on `{}`", base.short()),
                )
                .hinted("commit it to the base branch, or correct `policy`"));
            }
            let is_rego = |file: &RepoPath| Path::new(file.as_str()).extension().is_some_and(|e| e == "rego");
            rego.extend(files.into_iter().filter(is_rego));
        }
    }
    rego.sort();
    rego.dedup();
    Ok(rego)
}

impl Observed {
    fn world<'w>(&'w self, event: &'w Event, environment: &Environment) -> Result<SharedWorld<'w>> {
        let tags = self.listing.tags.iter().map(|tag| Tag {
            name: tag.name.clone(),
            commit: tag.commit.clone(),
            object: tag.object.clone(),
        });
        let world = World {
            github: &self.github,
            history: &self.history,
            repository: self.repository.clone(),
            trunk_head: self.trunk_head.clone(),
            trunk: self.history.ancestors(&self.trunk_head)?,
            tags: tags.collect(),
            promoting: Promoting {
                path: environment.workflow_path(),
                run: environment.get("GITHUB_RUN_ID").and_then(|id| id.parse().ok()),
            },
            trigger: &event.trigger,
            now: Timestamp::now(),
            requested_by: environment
                .get("GITHUB_TRIGGERING_ACTOR")
                .map(str::to_owned)
                .or_else(|| event.sender.clone()),
            reason: self.request.reason.clone(),
            asked: self.request.tag.clone(),
            heard: RefCell::default(),
            defaults: RefCell::default(),
        };
        Ok(SharedWorld { world, rego: &self.rego })
    }
}

/// What all promotions share, and the policies found beside the settings.
struct SharedWorld<'w> {
    world: World<'w>,
    rego: &'w [RepoPath],
}

/// A decided, checked and proposed promotion, with the one action that makes GitHub so.
struct Ready {
    plan: Plan,
    context: Context,
    proposal: Option<Proposal>,
    action: Action,
    pulls: Pulls,
    head: Option<CommitSha>,
    diff: String,
    warnings: Vec<Problem>,
}

impl SharedWorld<'_> {
    /// Every pin has exactly one owning app.
    fn no_pin_has_two_owners(&self, promotions: &[Promotion]) -> Result<()> {
        let mut owned: Vec<(&Promotion, Vec<crate::overlay::Pin>)> = Vec::new();
        let mut problems = Vec::new();
        for promotion in promotions {
            let overlay = self.world.overlay(&promotion.target, &self.world.repository.commit)?;
            // What cannot be read is reported by the promotion itself.
            let Ok(found) = PinRules::new(&promotion.pins).and_then(|rules| pins(&overlay, &rules)) else {
                continue;
            };
            for (other, theirs) in owned.iter().filter(|(other, _)| other.app != promotion.app) {
                problems.extend(shared_pins(&found, theirs).into_iter().map(|pin| Problem {
                    place: Some(Place::at(pin.file.as_str(), pin.line, pin.column)),
                    message: format!(
                        "the apps `{}` and `{}` both claim `{}`",
                        other.app, promotion.app, pin.key
                    ),
                    hints: vec![
                        "name the `pins` of each app in the settings, so that every pin has one owner".into(),
                    ],
                }));
            }
            owned.push((promotion, found));
        }
        Failure::several(Kind::Settings, problems).map_or(Ok(()), Err)
    }

    /// Decide → check → propose, and what to do about what is there.
    async fn decided(&self, promotion: &Promotion, listing: &Listing) -> Result<Ready> {
        let world = &self.world;
        let branch = settings::promotion_branch(&promotion.app, &promotion.target.name)?;
        let mut observation = world.observation(promotion).await?;
        let pulls = existing::pulls(world.github, &branch, &world.repository.base).await?;
        if let Some(open) = &pulls.open {
            observation.pull_request.number = Some(open.number);
            observation.pull_request.labels.clone_from(&open.labels);
        }
        let target_files = observation.target.files.clone();
        let Decision { mut plan, edits, warnings } = decision(observation)?;
        let files = as_they_will_stand(target_files, &edits);
        if plan.proposed.is_some() {
            plan.policy = Some(policy::report(&plan, &files, self.rego, &promotion.policy));
        }
        let context = Context::of(&plan, promotion.policy.mode)?;
        let edited: Vec<OverlayFile> =
            files.into_iter().filter(|file| edits.iter().any(|edit| edit.path == file.path)).collect();
        let proposal = match plan.proposed {
            Some(_) => Some(proposal::proposal(&plan, &edited, &context, &promotion.pull_request)?),
            None => None,
        };
        let digest = plan_digest(&plan);
        let mark = Mark {
            app: &promotion.app,
            target: &promotion.target.name,
            folder: &promotion.target.path,
            proposed: proposal.as_ref().map(|_| (digest.as_str(), edits.as_slice())),
        };
        let head = listing.branches.get(branch.as_str()).cloned();
        let on_branch = existing::branch(world.history, head.as_ref(), &world.repository.commit, &mark)?;
        let action = self.action(&plan, proposal.as_ref(), on_branch, &pulls, &digest).await?;
        Ok(Ready {
            diff: diff_of(&edits, plan.policy.as_ref()),
            plan,
            context,
            proposal,
            action,
            pulls,
            head,
            warnings,
        })
    }

    async fn action(
        &self,
        plan: &Plan,
        proposal: Option<&Proposal>,
        branch: Option<reconcile::Branch>,
        pulls: &Pulls,
        digest: &str,
    ) -> Result<Action> {
        let github = self.world.github;
        let body = match (proposal, &pulls.open) {
            (Some(proposal), Some(open)) => proposal.body_over(&open.body),
            (Some(proposal), None) => proposal.body.clone(),
            (None, _) => String::new(),
        };
        let tag = plan.proposed.as_ref().and_then(|release| release.tag.as_deref()).unwrap_or_default();
        let asked = if self.world.asked.is_some() { ByName::ByName } else { ByName::No };
        let wanted = match proposal {
            Some(proposal) => {
                reconcile::Wanted::Release { tag, digest, title: &proposal.title, body: &body, asked }
            }
            None => reconcile::Wanted::Nothing,
        };
        let closed = match &pulls.closed {
            Some(closed) if proposal.is_some() && asked == ByName::No => {
                existing::closed_by_person(github, closed).await?
            }
            _ => None,
        };
        let armed = pulls.open.as_ref().is_some_and(|open| open.auto_merge);
        let consent = if armed { Consent::Given } else { Consent::None };
        let mut existing = existing::existing(branch, pulls.open.as_ref(), closed, consent);
        let action = reconcile::action(&wanted, &existing);
        // Reviews are asked for only where an approval would matter.
        if let (Action::Update { number, push: Push::Commit, .. }, Some(open)) = (&action, &mut existing.open)
            && github.is_approved(*number).await?
        {
            open.consent = Consent::Given;
            return Ok(reconcile::action(&wanted, &existing));
        }
        Ok(action)
    }
}

fn as_they_will_stand(mut files: Vec<OverlayFile>, edits: &[crate::overlay::FileEdit]) -> Vec<OverlayFile> {
    for file in &mut files {
        if let Some(edit) = edits.iter().find(|edit| edit.path == file.path) {
            file.bytes.clone_from(&edit.after);
        }
    }
    files
}

/// What changes; where a secret was found, no line around the changes, since a log is read by more people.
fn diff_of(edits: &[crate::overlay::FileEdit], report: Option<&plan::PolicyReport>) -> String {
    let one = |edit: &crate::overlay::FileEdit| {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let mut findings = report.iter().flat_map(|report| &report.findings);
        let secret = findings.any(|finding| finding.rule == policy::NO_PLAIN_SECRETS);
        let diff = if secret { crate::overlay::bare_diff } else { crate::overlay::unified_diff };
        diff(edit.path.as_str(), &text(&edit.before), &text(&edit.after))
    };
    edits.iter().map(one).collect()
}

impl Ready {
    /// Says what was decided, before anything is written.
    fn tell(&self) {
        let plan = &self.plan;
        let version = |release: &Option<plan::Release>| {
            release.as_ref().map_or_else(|| "unknown".to_owned(), |release| release.version.clone())
        };
        let (app, target) = (&plan.app.name, &plan.target.environment);
        if plan.proposed.is_none() {
            tracing::info!(%app, %target, runs = version(&plan.active), "nothing to promote");
            return;
        }
        tracing::info!(
            %app, %target, from = version(&plan.active), to = version(&plan.proposed),
            carried_by = plan.source.commit.short(), changes = plan.changes.len(), commits = plan.commits.len(),
            passed_over = plan.passed_over.len(),
            policy = plan.policy.as_ref().map_or("off", |policy| policy.verdict.as_str()),
            "decided what to promote"
        );
        for change in &plan.changes {
            tracing::info!(
                file = %change.file, line = change.line, key = change.key,
                before = change.before.as_deref().unwrap_or("absent"),
                after = change.after.as_deref().unwrap_or("removed"),
                "this value changes"
            );
        }
    }

    fn planned(self) -> Promoted {
        let applied = Applied {
            number: self.pulls.open.as_ref().map(|open| open.number),
            url: self.pulls.open.as_ref().map(|open| open.url.clone()),
            head: None,
            outcome: Outcome::Planned,
            wrote: false,
            notes: Vec::new(),
        };
        self.promoted(Outcome::Planned, applied)
    }

    async fn applied(self, world: &SharedWorld<'_>, environment: &Environment) -> Result<Promoted> {
        let world = &world.world;
        let ground = Ground {
            github: world.github,
            branch: &self.context.branch,
            head: self.head.clone(),
            base_tree: world
                .history
                .tree_id(&world.repository.commit, &RepoPath::parse("")?)?
                .unwrap_or_default(),
            open: self.pulls.open.clone(),
            run_url: environment.run_url(),
        };
        let applied = apply(&ground, &self.action, self.proposal.as_ref()).await?;
        let left = matches!(self.action, Action::Leave { .. });
        let blocked = self.plan.policy.as_ref().is_some_and(|policy| policy.verdict.blocks()) && !left;
        let outcome = if blocked { Outcome::Blocked } else { applied.outcome };
        Ok(self.promoted(outcome, applied))
    }

    fn promoted(self, outcome: Outcome, applied: Applied) -> Promoted {
        let mut plan = self.plan;
        plan.pull_request.number = applied.number.or(plan.pull_request.number);
        Promoted {
            body: self.proposal.map(|proposal| proposal.body).unwrap_or_default(),
            plan,
            context: self.context,
            outcome,
            applied,
            diff: self.diff,
            warnings: self.warnings,
        }
    }
}
