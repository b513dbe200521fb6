//! The mutations a promotion uses.

use graphql_parser::query::SelectionSet;
use serde_json::{Map, Value};

use super::fields::{Node, Out, by_id};
use super::project::{Arguments, arguments, flattened, object, unknown_field};
use super::{Fault, Reading, Trouble, refs};
use crate::rest::operations::permit;
use crate::rest::pulls::{Wanted, open};
use crate::shape;
use crate::state::{AutoMerge, Happened, IssueState, World};
use crate::token::{Level, TokenKind};

/// Marks a mutation that this GitHub is too old for.
const UNKNOWN: &str = "UNKNOWN_MUTATION";

/// Runs the mutations of a document, in order.
pub(super) fn run(
    world: &mut World,
    reading: &Reading<'_>,
    set: &SelectionSet<'static, String>,
    needs: &mut Option<Needs>,
) -> (Value, Vec<Trouble>) {
    let mut fields = Vec::new();
    flattened(reading, "Mutation", set, &mut fields);
    let (mut shown, mut troubles) = (Map::new(), Vec::new());
    for field in fields {
        let key = field.alias.as_ref().unwrap_or(&field.name).clone();
        let mut path = vec![key.clone()];
        let input = arguments(field, reading).get("input").and_then(Value::as_object).cloned();
        let old = world.site.enterprise.as_ref().is_some_and(|version| !version.has_update_refs());
        let mutation = known(&field.name).filter(|_| !(old && field.name == "updateRefs"));
        let Some((payload, need)) = mutation else {
            troubles.push(unknown_field("Mutation", &field.name, &path));
            continue;
        };
        *needs = Some(need);
        let done = act(world, reading, &field.name, &input.unwrap_or_default(), need);
        let value = match done {
            Ok(fields) => object(
                world,
                reading,
                &Node::Bag(payload, fields),
                &field.selection_set,
                &mut path,
                &mut troubles,
            ),
            Err(fault) if fault.kind == UNKNOWN => {
                troubles.push(unknown_field("Mutation", &field.name, &path));
                Value::Null
            }
            Err(fault) => {
                troubles.push(Trouble::Field { fault, path });
                Value::Null
            }
        };
        shown.insert(key, value);
    }
    (Value::Object(shown), troubles)
}

/// The permissions that a mutation needs, all of them.
pub(super) type Needs = &'static [(&'static str, Level)];

/// A mutation's payload type and the permissions it needs.
fn known(name: &str) -> Option<(&'static str, Needs)> {
    let pulls: Needs = &[("pull_requests", Level::Write)];
    let contents: Needs = &[("contents", Level::Write)];
    // It changes the pull request, and what it arms is a merge.
    let both: Needs = &[("pull_requests", Level::Write), ("contents", Level::Write)];
    Some(match name {
        "updateRefs" => ("UpdateRefsPayload", contents),
        "createPullRequest" => ("CreatePullRequestPayload", pulls),
        "convertPullRequestToDraft" => ("ConvertPullRequestToDraftPayload", pulls),
        "markPullRequestReadyForReview" => ("MarkPullRequestReadyForReviewPayload", pulls),
        "enablePullRequestAutoMerge" => ("EnablePullRequestAutoMergePayload", both),
        "disablePullRequestAutoMerge" => ("DisablePullRequestAutoMergePayload", both),
        _ => return None,
    })
}

type Payload = Vec<(&'static str, Out)>;

fn act(
    world: &mut World,
    reading: &Reading<'_>,
    name: &str,
    input: &Arguments,
    needs: Needs,
) -> Result<Payload, Fault> {
    let field =
        if name == "updateRefs" || name == "createPullRequest" { "repositoryId" } else { "pullRequestId" };
    let id = input.get(field).and_then(Value::as_str).unwrap_or_default();
    let missing =
        || Fault::new("NOT_FOUND", format!("Could not resolve to a node with the global id of '{id}'"));
    let node = by_id(world, id).ok_or_else(missing)?;
    let full_name = match &node {
        Node::Repository(name) | Node::Pull(name, _) => name.clone(),
        _ => return Err(missing()),
    };
    if !reading.token.sees(&full_name) {
        return Err(missing());
    }
    for need in needs {
        permit(reading.token, std::slice::from_ref(need), true)?;
    }
    let client =
        ("clientMutationId", Out::Value(input.get("clientMutationId").cloned().unwrap_or(Value::Null)));
    let mut payload = match node {
        Node::Repository(_) if name == "updateRefs" => {
            let repo = world.repo(&full_name).ok_or_else(missing)?;
            if !repo.settings.update_refs {
                return Err(Fault::new(UNKNOWN, ""));
            }
            refs::update(repo, input.get("refUpdates").unwrap_or(&Value::Null))?;
            world.follow_refs(&full_name);
            Vec::new()
        }
        Node::Repository(_) if name == "createPullRequest" => create(world, reading, &full_name, input)?,
        Node::Pull(_, number) if field == "pullRequestId" => {
            change(world, reading, &full_name, number, name, input)?;
            let actor = Out::One(Node::Actor(reading.token.login.clone()));
            vec![("pullRequest", Out::One(Node::Pull(full_name, number))), ("actor", actor)]
        }
        _ => return Err(missing()),
    };
    payload.push(client);
    Ok(payload)
}

fn create(
    world: &mut World,
    reading: &Reading<'_>,
    full_name: &str,
    input: &Arguments,
) -> Result<Payload, Fault> {
    let missing = || Fault::new("NOT_FOUND", "Could not resolve to a Repository.");
    let (site, repo) = world.enter(full_name).ok_or_else(missing)?;
    if reading.token.kind == TokenKind::Actions && !repo.settings.actions_may_open_pull_requests {
        let message =
            "GitHub Actions is not permitted to create or approve pull requests (createPullRequest)";
        return Err(Fault::new("FORBIDDEN", message));
    }
    let text = |name: &str| input.get(name).and_then(Value::as_str);
    let wanted = Wanted {
        title: text("title").unwrap_or_default(),
        body: text("body"),
        head: text("headRefName").unwrap_or_default(),
        base: text("baseRefName").unwrap_or_default(),
        draft: input.get("draft").and_then(Value::as_bool).unwrap_or(false),
        author: &reading.token.login,
    };
    let number = open(site, repo, &wanted)?;
    Ok(vec![("pullRequest", Out::One(Node::Pull(full_name.to_owned(), number)))])
}

fn change(
    world: &mut World,
    reading: &Reading<'_>,
    full_name: &str,
    number: u64,
    name: &str,
    input: &Arguments,
) -> Result<(), Fault> {
    let missing = || Fault::new("NOT_FOUND", "Could not resolve to a PullRequest.");
    let (site, repo) = world.enter(full_name).ok_or_else(missing)?;
    let now = site.clock.now();
    let issue = repo.issue(number).ok_or_else(missing)?;
    let pull = issue.pull.as_ref().ok_or_else(missing)?;
    if issue.state == IssueState::Closed && name != "disablePullRequestAutoMerge" {
        return Err(Fault::new("UNPROCESSABLE", "Pull request is closed"));
    }
    let auto = match name {
        "convertPullRequestToDraft" if !repo.settings.drafts => {
            return Err(Fault::new(
                "UNPROCESSABLE",
                "Draft pull requests are not supported in this repository.",
            ));
        }
        "enablePullRequestAutoMerge" => {
            may_auto_merge(repo.settings.auto_merge, shape::mergeable(repo, issue, pull).1)?;
            let text = |name: &str| input.get(name).and_then(Value::as_str).map(str::to_owned);
            Some(AutoMerge {
                enabled_by: reading.token.login.clone(),
                method: text("mergeMethod").unwrap_or_else(|| "MERGE".to_owned()).to_lowercase(),
                commit_title: text("commitHeadline"),
                commit_message: text("commitBody"),
                enabled_at: now,
            })
        }
        _ => None,
    };
    let issue = repo.issue_mut(number).ok_or_else(missing)?;
    issue.updated_at = now;
    if let Some(what) = mark_of(name) {
        issue.mark(site, what, &reading.token.login);
        return Ok(());
    }
    let pull = issue.pull.as_mut().ok_or_else(missing)?;
    match name {
        "enablePullRequestAutoMerge" => pull.auto_merge = auto,
        _ if pull.auto_merge.is_none() => {
            return Err(Fault::new(
                "UNPROCESSABLE",
                "Pull request Auto merge is not enabled for this pull request",
            ));
        }
        _ => pull.auto_merge = None,
    }
    Ok(())
}

/// What a mutation marks a pull request as, where it is about that.
fn mark_of(mutation: &str) -> Option<Happened> {
    match mutation {
        "convertPullRequestToDraft" => Some(Happened::ConvertedToDraft),
        "markPullRequestReadyForReview" => Some(Happened::ReadyForReview),
        _ => None,
    }
}

fn may_auto_merge(allowed: bool, state: &str) -> Result<(), Fault> {
    let refused = |message: &str| Err(Fault::new("UNPROCESSABLE", message));
    match state {
        _ if !allowed => refused("Auto merge is not allowed for this repository"),
        "clean" => refused("Pull request is in clean status"),
        "draft" => refused("Pull request is in draft state"),
        _ => Ok(()),
    }
}
