//! Decide → check → propose for one app and target, and the one action that makes GitHub so.
//!
//! What it calls is pure but for the reading of the pull request; nothing is written before
//! [`Ready::applied`].

use super::apply::{Applied, Ground, apply};
use super::branch::{self, Mark};
use super::existing::{self, Pulls};
use super::observe::World;
use super::report::Promoted;
use super::repository::Repository;
use crate::decide::{Decision, decision};
use crate::failure::{Failure, Kind, Problem, Result};
use crate::git::Listing;
use crate::github::checks::ExistingCheck;
use crate::names::{BranchName, CommitSha, RepoPath};
use crate::overlay::{FileEdit, OverlayFile, bare_diff, unified_diff};
use crate::plan::{self, Outcome, Plan};
use crate::policy;
use crate::proposal::reconcile::{self, Action, Asked, Proof, Wanted, What};
use crate::proposal::{self, CheckText, Context, Proposal, plan_digest};
use crate::release::version::Version;
use crate::runner::environment::Environment;
use crate::settings::{self, Promotion};

/// A decided, checked and proposed promotion, with the one action that makes GitHub so.
pub struct Ready {
    plan: Plan,
    context: Context,
    proposal: Option<Proposal>,
    action: Action,
    /// Whether the open pull request is kept for another release than the one that was chosen.
    of_another: bool,
    pulls: Pulls,
    head: Option<CommitSha>,
    /// The title that its pull request was given.
    subject: Option<String>,
    /// The check on the head.
    check: Option<ExistingCheck>,
    held: CheckText,
    digest: String,
    diff: String,
    warnings: Vec<Problem>,
}

impl Ready {
    /// Decide → check → propose, and what to do about what is there.
    ///
    /// # Errors
    /// When anything about this app and target cannot be read or moved safely.
    pub async fn decided(world: &World<'_>, promotion: &Promotion, repository: &Repository) -> Result<Self> {
        let name = settings::promotion_branch(&promotion.app, &promotion.target.name)?;
        nothing_is_in_the_way(&repository.listing, &name)?;
        let head = repository.listing.branches.get(name.as_str()).cloned();
        let mut observation = world.observation(promotion).await?;
        let pulls = existing::pulls(world.github, &name, &world.repository.base).await?;
        existing::seen_at_once(world.github, &name, head.as_ref(), &pulls).await?;
        if let Some(open) = &pulls.open {
            observation.pull_request.number = Some(open.number);
            observation.pull_request.labels.clone_from(&open.labels);
        }
        let target_files = observation.target.files.clone();
        let Decision { mut plan, edits, warnings } = decision(observation)?;
        let files = as_they_will_stand(target_files, &edits);
        if plan.proposed.is_some() {
            plan.policy = Some(policy::report(&plan, &files, &repository.rego, &promotion.policy));
        }
        let context = Context::of(&plan, promotion.policy.mode)?;
        let edited: Vec<OverlayFile> =
            files.into_iter().filter(|file| edits.iter().any(|edit| edit.path == file.path)).collect();
        let proposal = match plan.proposed {
            Some(_) => Some(proposal::proposal(&plan, &edited, &context, &promotion.pull_request)?),
            None => None,
        };
        let digest = plan_digest(&plan);
        let elsewhere = pulls.open.as_ref().and_then(|open| repository.listing.branches.get(&open.base));
        let grounds = std::iter::once(&world.trunk_head).chain(elsewhere);
        let grounds: Vec<_> = grounds.filter(|head| world.history.contains(head)).cloned().collect();
        let mark = Mark {
            app: &promotion.app,
            target: &promotion.target.name,
            folder: &promotion.target.path,
            merged: &pulls.merged,
            grounds: &grounds,
            proposed: proposal.as_ref().map(|_| (digest.as_str(), edits.as_slice())),
        };
        let on_branch = branch::branch(world.history, head.as_ref(), &world.repository.commit, &mark)?;
        let tag_there = on_branch.as_ref().and_then(|branch| branch.content.tag().map(str::to_owned));
        let subject = on_branch.as_ref().and_then(|branch| branch.content.subject().map(str::to_owned));
        let held = proposal::held(&plan);
        let look = Look {
            world,
            plan: &plan,
            promotion,
            proposal: proposal.as_ref(),
            held: &held,
            digest: &digest,
            pulls: &pulls,
        };
        let (action, check) = look.action(on_branch).await?;
        let chosen = plan.proposed.as_ref().and_then(|release| release.tag.as_ref());
        let kept = matches!(action, Action::Leave { .. } | Action::Hold { .. });
        let of_another =
            kept && tag_there.as_ref().zip(chosen).is_some_and(|(there, chosen)| there != chosen);
        Ok(Self {
            diff: diff_of(&edits, plan.policy.as_ref()),
            plan,
            context,
            proposal,
            action,
            of_another,
            pulls,
            head,
            subject,
            check,
            held,
            digest,
            warnings,
        })
    }

    /// Says what was decided, before anything is written.
    pub fn tell(&self) {
        let plan = &self.plan;
        let version = |release: &Option<plan::Release>| {
            release.as_ref().map_or_else(|| "unknown".to_owned(), |release| release.version.clone())
        };
        let (app, target) = (&plan.app.name, &plan.target.environment);
        if plan.proposed.is_none() {
            tracing::info!(%app, %target, runs = version(&plan.active), action = %self.action, "nothing to promote");
            return;
        }
        tracing::info!(
            %app, %target, from = version(&plan.active), to = version(&plan.proposed),
            carried_by = plan.source.commit.short(), changes = plan.changes.len(), commits = plan.commits.len(),
            passed_over = plan.passed_over.len(),
            policy = plan.policy.as_ref().map_or("off", |policy| policy.verdict.as_str()),
            action = %self.action,
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

    /// What a run would do about the release that was chosen, in whole sentences; none where nothing of it differs.
    pub fn prospects(&self) -> Vec<String> {
        if self.proposal.is_none() {
            return Vec::new();
        }
        let doing = match &self.action {
            Action::Rest => "Its pull request is open and up to date.".to_owned(),
            Action::Open(_) => "A run opens its pull request.".to_owned(),
            Action::Update { number, .. } => format!("A run brings pull request {number} up to date."),
            Action::Supersede { number } => {
                format!(
                    "A run closes pull request {number}, which was approved for something else, and opens a fresh one."
                )
            }
            Action::Leave { why, .. } => format!("A run leaves it alone: {why}."),
            Action::Hold { why, .. } => format!("A run holds it: {}.", why.join("; ")),
            Action::Close { number } => format!("A run closes pull request {number}."),
            Action::Sweep { number } => {
                format!("A run removes the branch of pull request {number}, which was closed.")
            }
        };
        let report = self.plan.policy.as_ref().filter(|report| report.verdict.blocks());
        let findings =
            report.into_iter().flat_map(|report| &report.findings).filter(|one| one.level.blocks());
        let blocked: Vec<String> =
            findings.map(|finding| format!("`{}` ({})", finding.rule, finding.message)).collect();
        let blocked =
            (!blocked.is_empty()).then(|| format!("Policy blocks its merge: {}.", blocked.join(", ")));
        std::iter::once(doing).chain(blocked).collect()
    }

    /// What a dry run comes to.
    pub fn planned(self) -> Promoted {
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

    /// Apply: makes GitHub so.
    ///
    /// # Errors
    /// [`crate::failure::Kind::LostRace`] when the branch moved meanwhile; else when GitHub refuses.
    pub async fn applied(self, world: &World<'_>, environment: &Environment) -> Result<Promoted> {
        let ground = Ground {
            github: world.github,
            branch: &self.context.branch,
            head: self.head.clone(),
            base_tree: world
                .history
                .tree_id(&world.repository.commit, &RepoPath::parse("")?)?
                .unwrap_or_default(),
            open: self.pulls.open.clone(),
            subject: self.subject.clone(),
            digest: self.digest.clone(),
            check: self.check.clone(),
            closed_by_us: self.pulls.closed_by_us.clone(),
            held: self.held.clone(),
            history: world.history,
            run_url: environment.run_url(),
        };
        let applied = Box::pin(apply(&ground, &self.action, self.proposal.as_ref())).await?;
        let left = matches!(self.action, Action::Leave { .. } | Action::Hold { .. });
        let blocked = self.plan.policy.as_ref().is_some_and(|policy| policy.verdict.blocks()) && !left;
        let outcome = if blocked { Outcome::Blocked } else { applied.outcome };
        Ok(self.promoted(outcome, applied))
    }

    fn promoted(self, outcome: Outcome, mut applied: Applied) -> Promoted {
        let mut plan = self.plan;
        if self.of_another {
            // One release's tag must not stand beside the pull request of another.
            (plan.pull_request.number, applied.number, applied.url, applied.head) = (None, None, None, None);
        }
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

/// What a promotion wants, and what of it is there.
struct Look<'a> {
    world: &'a World<'a>,
    plan: &'a Plan,
    promotion: &'a Promotion,
    proposal: Option<&'a Proposal>,
    held: &'a CheckText,
    digest: &'a str,
    pulls: &'a Pulls,
}

impl Look<'_> {
    /// The one action that makes GitHub so, and the check on the head, where it was asked for.
    async fn action(&self, branch: Option<reconcile::Branch>) -> Result<(Action, Option<ExistingCheck>)> {
        let github = self.world.github;
        let asked = if self.world.asked.is_some() { Asked::ByName } else { Asked::No };
        let tag = self.plan.proposed.as_ref().and_then(|release| release.tag.as_deref()).unwrap_or_default();
        let before = branch.as_ref().and_then(|branch| branch.content.subject());
        let over = self.pulls.open.as_ref();
        let texts = self.proposal.map(|proposal| {
            let title = over.map(|open| proposal.title_over(&open.title, before));
            let body = over.map(|open| proposal.body_over(&open.body));
            (title.unwrap_or_else(|| proposal.title.clone()), body.unwrap_or_else(|| proposal.body.clone()))
        });
        let what = match (self.proposal, &texts) {
            (Some(proposal), Some((title, body))) => What::Release(reconcile::Release {
                tag,
                digest: self.digest,
                title,
                body,
                check: &proposal.check,
                draft: proposal.draft,
                blocked: proposal.blocked,
                auto_merge: proposal.auto_merge.is_some(),
                asked,
            }),
            _ if is_done(self.plan, self.promotion, branch.as_ref()) => What::Nothing,
            _ => What::Unproven,
        };
        let wanted = Wanted { what, held: self.held };
        let closed = match self.proposal {
            Some(_) if asked == Asked::No => existing::closed_by_person(github, self.pulls, tag).await?,
            _ => None,
        };
        let proof = proof(self.world, self.plan, branch.as_ref());
        let base = &self.world.repository.base;
        let mut there = existing::existing(branch, self.pulls, base, closed, proof);
        let mut check = None;
        loop {
            match reconcile::action(&wanted, &there) {
                Ok(action) => return Ok((action, check)),
                Err(question) => {
                    let author = over.map_or("", |open| open.author.as_str());
                    let history = self.world.history;
                    let found = existing::answer(github, history, &mut there, question, author).await?;
                    check = check.or(found);
                }
            }
        }
    }
}

/// Whether the release that the branch proposes may still be proposed: the walk passed it over, or its tag is gone.
///
/// One that is older than what the walk chose was not looked at, and nothing speaks against it.
fn proof(world: &World<'_>, plan: &Plan, branch: Option<&reconcile::Branch>) -> Proof {
    let Some(tag) = branch.and_then(|branch| branch.content.tag()) else { return Proof::Holds };
    let passed_over = plan.passed_over.iter().any(|release| release.tag == tag);
    let gone = !world.tags.iter().any(|one| one.name == tag);
    if passed_over || gone { Proof::Lost } else { Proof::Holds }
}

/// Whether the target runs what the open promotion is for, or something newer.
///
/// Without a successful release nothing is known to be newer; that is no reason to take a promotion
/// back which waits for a second run of its evidence.
fn is_done(plan: &Plan, promotion: &Promotion, branch: Option<&reconcile::Branch>) -> bool {
    let Some(reconcile::Content::Ours { tag, .. }) = branch.map(|branch| &branch.content) else {
        return true;
    };
    let Some(active) = &plan.active else { return false };
    let is_behind =
        |version: &str| Version::parse(version).precedence(&Version::parse(&active.version)).is_le();
    let proposed = promotion.tag_pattern.read(tag);
    active.tag.as_ref() == Some(tag) || proposed.is_some_and(|proposed| is_behind(proposed.version))
}

/// The branch of a promotion lies below `promote/`: a branch called so, or one below ours, is in its way.
fn nothing_is_in_the_way(listing: &Listing, branch: &BranchName) -> Result<()> {
    let name = branch.as_str();
    let above = name
        .match_indices('/')
        .filter_map(|(at, _)| name.get(..at))
        .find(|above| listing.branches.contains_key(*above));
    let below = format!("{name}/");
    let below = || listing.branches.keys().map(String::as_str).find(|other| other.starts_with(&below));
    match above.or_else(below) {
        None => Ok(()),
        Some(other) => Err(Failure::new(
            Kind::Git,
            format!("the branch `{branch}` cannot be made: there is a branch `{}`", other.escape_debug()),
        )
        .hinted("rename or delete that branch: git cannot have one branch below another")),
    }
}

fn as_they_will_stand(mut files: Vec<OverlayFile>, edits: &[FileEdit]) -> Vec<OverlayFile> {
    for file in &mut files {
        if let Some(edit) = edits.iter().find(|edit| edit.path == file.path) {
            file.bytes.clone_from(&edit.after);
        }
    }
    files
}

/// What changes; where a secret was found, no line around the changes, since a log is read by more people.
fn diff_of(edits: &[FileEdit], report: Option<&plan::PolicyReport>) -> String {
    let one = |edit: &FileEdit| {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let mut findings = report.iter().flat_map(|report| &report.findings);
        let secret = findings.any(|finding| finding.rule == policy::NO_PLAIN_SECRETS);
        let diff = if secret { bare_diff } else { unified_diff };
        diff(edit.path.as_str(), &text(&edit.before), &text(&edit.after))
    };
    edits.iter().map(one).collect()
}
