//! What the types of the schema have: node and field in, value or nodes out.

use serde_json::{Value, json};

use super::connection::{connection, descends, listed};
use super::project::{Arguments, needed};
use super::{Fault, Reading, ran};
use crate::rest::operations::permit;
use crate::shape;
use crate::state::{Issue, RepoState, World, stamp};
use crate::token::Level;

/// An object of the graph.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Query,
    Repository(String),
    /// Repository and full ref name.
    Ref(String, String),
    /// Repository and sha.
    Commit(String, String),
    /// Repository and number.
    Pull(String, u64),
    /// A login.
    Actor(String),
    /// Repository and position among its check suites, as for all that ran.
    Suite(String, usize),
    Check(String, usize),
    Run(String, usize),
    Deployment(String, usize),
    /// Repository, sha, and the positions of the newest status of each context.
    Status(String, String, Vec<usize>),
    /// An object whose fields are all known.
    Bag(&'static str, Vec<(&'static str, Out)>),
}

/// The value of a field.
#[derive(Clone, Debug)]
pub(super) enum Out {
    Value(Value),
    One(Node),
    Many(Vec<Node>),
}

impl Out {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Value(Value::String(text.into()))
    }

    /// A node, or null.
    pub fn maybe(node: Option<Node>) -> Self {
        node.map_or(Self::Value(Value::Null), Self::One)
    }
}

impl Node {
    /// The type's name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Query => "Query",
            Self::Repository(_) => "Repository",
            Self::Ref(..) => "Ref",
            Self::Commit(..) => "Commit",
            Self::Pull(..) => "PullRequest",
            Self::Actor(login) if login.ends_with("[bot]") => "Bot",
            Self::Actor(_) => "User",
            Self::Suite(..) => "CheckSuite",
            Self::Check(..) => "CheckRun",
            Self::Run(..) => "WorkflowRun",
            Self::Deployment(..) => "Deployment",
            Self::Status(..) => "Status",
            Self::Bag(kind, _) => kind,
        }
    }
}

/// Whether a type is, or implements, another.
pub(super) fn is_a(kind: &str, other: &str) -> bool {
    kind == other
        || other == "Node" && kind != "Query"
        || other == "Actor" && (kind == "User" || kind == "Bot")
        || other == "GitObject" && kind == "Commit"
        || other == "MergeQueueEntry" && kind == "PullRequest"
}

pub(super) type Resolved = Result<Option<Out>, Fault>;

/// The value of a field; `None` where the type has no such field.
pub(super) fn resolve(
    world: &World,
    reading: &Reading<'_>,
    node: &Node,
    field: &str,
    arguments: &Arguments,
) -> Resolved {
    match node {
        Node::Query => query(world, reading, field, arguments),
        Node::Repository(name) => repository(world, reading, name, field, arguments),
        Node::Ref(name, full) => reference(world, name, full, field),
        Node::Commit(name, sha) => commit(world, reading, name, sha, field, arguments),
        Node::Pull(name, number) => pull(world, reading, name, *number, field, arguments),
        Node::Actor(login) => Ok(actor(world, login, field)),
        Node::Suite(name, at) => ran::suite(world, reading, name, *at, field, arguments),
        Node::Check(name, at) => ran::check(world, name, *at, field),
        Node::Run(name, at) => ran::run(world, name, *at, field),
        Node::Deployment(name, at) => ran::deployment(world, name, *at, field, arguments),
        Node::Status(name, sha, latest) => ran::status(world, name, sha, latest, field, arguments),
        Node::Bag(_, fields) => {
            Ok(fields.iter().find(|(name, _)| *name == field).map(|(_, out)| out.clone()))
        }
    }
}

fn query(world: &World, reading: &Reading<'_>, field: &str, arguments: &Arguments) -> Resolved {
    match field {
        "repository" => {
            let full = format!("{}/{}", needed(arguments, "owner")?, needed(arguments, "name")?);
            if world.repo(&full).is_none() || !reading.token.sees(&full) {
                let message = format!("Could not resolve to a Repository with the name '{full}'.");
                return Err(Fault::new("NOT_FOUND", message));
            }
            Ok(Some(Out::One(Node::Repository(full))))
        }
        "viewer" => Ok(Some(Out::One(Node::Actor(reading.token.login.clone())))),
        "node" => {
            let id = needed(arguments, "id")?;
            let found = by_id(world, id);
            let missing = || {
                Fault::new("NOT_FOUND", format!("Could not resolve to a node with the global id of '{id}'"))
            };
            found.map(|node| Some(Out::One(node))).ok_or_else(missing)
        }
        "rateLimit" => {
            let limits = world.site.limits;
            Ok(Some(Out::One(Node::Bag(
                "RateLimit",
                vec![
                    ("limit", Out::Value(json!(limits.limit))),
                    ("cost", Out::Value(json!(1))),
                    ("remaining", Out::Value(json!(limits.remaining))),
                    ("resetAt", Out::text(stamp(limits.reset))),
                ],
            ))))
        }
        _ => Ok(None),
    }
}

/// A repository or pull request by its node id.
pub(super) fn by_id(world: &World, id: &str) -> Option<Node> {
    for repo in world.repos.values() {
        if shape::node("R", repo.id) == id {
            return Some(Node::Repository(repo.full_name()));
        }
        for issue in &repo.issues {
            if issue.pull.as_ref().is_some_and(|pull| shape::node("PR", pull.id) == id) {
                return Some(Node::Pull(repo.full_name(), issue.number));
            }
        }
    }
    None
}

pub(super) fn of<'a>(world: &'a World, name: &str) -> Result<&'a RepoState, Fault> {
    world.repo(name).ok_or_else(|| Fault::new("NOT_FOUND", "Could not resolve to a Repository."))
}

/// Refuses to read what the token may not read.
pub(super) fn readable(
    reading: &Reading<'_>,
    repo: &RepoState,
    permission: &'static str,
) -> Result<(), Fault> {
    permit(reading.token, &[(permission, Level::Read)], repo.settings.private)?;
    Ok(())
}

fn repository(
    world: &World,
    reading: &Reading<'_>,
    name: &str,
    field: &str,
    arguments: &Arguments,
) -> Resolved {
    let repo = of(world, name)?;
    let text = |name: &str| arguments.get(name).and_then(Value::as_str);
    let out = match field {
        "id" => Out::text(shape::node("R", repo.id)),
        "databaseId" => Out::Value(json!(repo.id)),
        "name" => Out::text(&repo.name),
        "nameWithOwner" => Out::text(repo.full_name()),
        "url" => Out::text(repo.html(&world.site.base)),
        "isPrivate" => Out::Value(json!(repo.settings.private)),
        "autoMergeAllowed" => Out::Value(json!(repo.settings.auto_merge)),
        "viewerPermission" => Out::text("WRITE"),
        "owner" => Out::One(Node::Actor(repo.owner.clone())),
        "defaultBranchRef" => {
            let full = format!("refs/heads/{}", repo.default_branch);
            Out::maybe(repo.store.branch(&repo.default_branch).map(|_| Node::Ref(repo.full_name(), full)))
        }
        "ref" => {
            readable(reading, repo, "contents")?;
            let given = needed(arguments, "qualifiedName")?;
            let candidates = [given.to_owned(), format!("refs/heads/{given}"), format!("refs/tags/{given}")];
            let found = candidates
                .into_iter()
                .find(|name| name.starts_with("refs/") && repo.store.git.find_reference(name).is_ok());
            Out::maybe(found.map(|full| Node::Ref(repo.full_name(), full)))
        }
        "object" => {
            readable(reading, repo, "contents")?;
            // A sha names the commit, whatever a branch of that name points at.
            let by_sha = text("oid").and_then(|oid| repo.store.commit(oid));
            let wanted = text("oid").or_else(|| text("expression")).unwrap_or_default();
            let found = by_sha.or_else(|| repo.store.resolve(wanted)).map(|commit| commit.id().to_string());
            Out::maybe(found.map(|sha| Node::Commit(repo.full_name(), sha)))
        }
        "pullRequest" => {
            readable(reading, repo, "pull_requests")?;
            let number = arguments.get("number").and_then(Value::as_u64).unwrap_or_default();
            if repo.issue(number).is_none_or(|issue| issue.pull.is_none()) {
                let message = format!("Could not resolve to a PullRequest with the number of {number}.");
                return Err(Fault::new("NOT_FOUND", message));
            }
            Out::One(Node::Pull(repo.full_name(), number))
        }
        "pullRequests" => {
            readable(reading, repo, "pull_requests")?;
            pulls(repo, arguments)
        }
        _ => return Ok(None),
    };
    Ok(Some(out))
}

/// GraphQL's word for the state of a pull request.
fn state_of(issue: &Issue) -> &'static str {
    if issue.pull.as_ref().is_some_and(|pull| pull.merged_at.is_some()) {
        "MERGED"
    } else if issue.state.word() == "open" {
        "OPEN"
    } else {
        "CLOSED"
    }
}

fn pulls(repo: &RepoState, arguments: &Arguments) -> Out {
    let text = |name: &str| arguments.get(name).and_then(Value::as_str);
    let (states, labels) = (listed(arguments.get("states")), listed(arguments.get("labels")));
    let mut found: Vec<&Issue> = repo
        .issues
        .iter()
        .filter(|issue| {
            issue.pull.as_ref().is_some_and(|pull| {
                text("headRefName").is_none_or(|name| pull.head_ref == name)
                    && text("baseRefName").is_none_or(|name| pull.base_ref == name)
            })
        })
        .filter(|issue| states.as_ref().is_none_or(|states| states.contains(&state_of(issue))))
        .filter(|issue| {
            labels
                .as_ref()
                .is_none_or(|wanted| issue.labels.iter().any(|label| wanted.contains(&label.as_str())))
        })
        .collect();
    let order = arguments.get("orderBy");
    if order.and_then(|order| order.get("field")).and_then(Value::as_str) == Some("UPDATED_AT") {
        found.sort_by_key(|issue| (issue.updated_at, issue.number));
    }
    if descends(arguments) {
        found.reverse();
    }
    let nodes = found.into_iter().map(|issue| Node::Pull(repo.full_name(), issue.number)).collect();
    connection("PullRequestConnection", nodes, arguments)
}

fn reference(world: &World, name: &str, full: &str, field: &str) -> Resolved {
    let repo = of(world, name)?;
    let (prefix, short) = match full.strip_prefix("refs/heads/") {
        Some(short) => ("refs/heads/", short),
        None => full.strip_prefix("refs/tags/").map_or(("refs/", full), |short| ("refs/tags/", short)),
    };
    Ok(Some(match field {
        "id" => Out::text(shape::node("REF", full)),
        "name" => Out::text(short),
        "prefix" => Out::text(prefix),
        "target" => {
            // The target of an annotated tag is the tag object: it shows its own sha.
            let own = repo.store.git.refname_to_id(full).ok();
            let commit = repo.store.resolve(full).map(|commit| commit.id());
            match (own, commit) {
                (Some(own), Some(commit)) if own != commit => Out::One(Node::Bag(
                    "Tag",
                    vec![
                        ("oid", Out::text(own.to_string())),
                        ("target", Out::One(Node::Commit(name.to_owned(), commit.to_string()))),
                    ],
                )),
                (_, Some(commit)) => Out::One(Node::Commit(name.to_owned(), commit.to_string())),
                _ => Out::Value(Value::Null),
            }
        }
        "repository" => Out::One(Node::Repository(name.to_owned())),
        _ => return Ok(None),
    }))
}

fn commit(
    world: &World,
    reading: &Reading<'_>,
    name: &str,
    sha: &str,
    field: &str,
    arguments: &Arguments,
) -> Resolved {
    let repo = of(world, name)?;
    let Some(commit) = repo.store.commit(sha) else { return Ok(Some(Out::Value(Value::Null))) };
    let message = String::from_utf8_lossy(commit.message_raw_bytes()).trim_end().to_owned();
    Ok(Some(match field {
        "id" => Out::text(shape::node("C", sha)),
        "oid" => Out::text(sha),
        "abbreviatedOid" => Out::text(sha.chars().take(7).collect::<String>()),
        "message" => Out::text(message),
        "messageHeadline" => Out::text(message.lines().next().unwrap_or_default()),
        "committedDate" => {
            Out::Value(shape::git_user(&commit.committer()).get("date").cloned().unwrap_or(Value::Null))
        }
        "commitUrl" | "url" => Out::text(format!("{}/commit/{sha}", repo.html(&world.site.base))),
        _ => return ran::of_commit(world, reading, name, sha, field, arguments),
    }))
}

fn actor(world: &World, login: &str, field: &str) -> Option<Out> {
    let text = |name: &str| {
        let user = shape::user(&world.site, login);
        Out::Value(user.get(name).cloned().unwrap_or(Value::Null))
    };
    Some(match field {
        // GraphQL shows bots without `[bot]`.
        "login" => Out::text(login.trim_end_matches("[bot]")),
        "id" => text("node_id"),
        "url" => text("html_url"),
        "avatarUrl" => text("avatar_url"),
        _ => return None,
    })
}

fn pull(
    world: &World,
    reading: &Reading<'_>,
    name: &str,
    number: u64,
    field: &str,
    arguments: &Arguments,
) -> Resolved {
    let repo = of(world, name)?;
    let Some((issue, pull)) = repo.issue(number).and_then(|issue| Some((issue, issue.pull.as_ref()?))) else {
        return Ok(Some(Out::Value(Value::Null)));
    };
    let time = |at: Option<jiff::Timestamp>| Out::Value(json!(at.map(stamp)));
    let branch = |branch: &str| {
        let found = repo.store.branch(branch).is_some();
        Out::maybe(found.then(|| Node::Ref(name.to_owned(), format!("refs/heads/{branch}"))))
    };
    Ok(Some(match field {
        "id" => Out::text(shape::node("PR", pull.id)),
        "databaseId" => Out::Value(json!(pull.id)),
        "number" => Out::Value(json!(number)),
        "title" => Out::text(&issue.title),
        "body" => Out::text(issue.body.clone().unwrap_or_default()),
        "url" => Out::text(format!("{}/pull/{number}", repo.html(&world.site.base))),
        "state" => Out::text(state_of(issue)),
        "isDraft" => Out::Value(json!(pull.draft)),
        "merged" => Out::Value(json!(pull.merged_at.is_some())),
        "closed" => Out::Value(json!(issue.state.word() == "closed")),
        "reviewDecision" => Out::Value(json!(pull.decision(repo.settings.required_approvals))),
        "mergeable" => Out::text(match shape::mergeable(repo, issue, pull).0 {
            Some(true) => "MERGEABLE",
            Some(false) => "CONFLICTING",
            None => "UNKNOWN",
        }),
        "mergeStateStatus" => Out::text(shape::mergeable(repo, issue, pull).1.to_uppercase()),
        "headRefName" => Out::text(&pull.head_ref),
        "headRefOid" => Out::text(&pull.head_sha),
        "baseRefName" => Out::text(&pull.base_ref),
        "baseRefOid" => Out::text(&pull.base_sha),
        "headRef" => branch(&pull.head_ref),
        "baseRef" => branch(&pull.base_ref),
        "isCrossRepository" => Out::Value(json!(false)),
        "createdAt" => time(Some(issue.created_at)),
        "updatedAt" => time(Some(issue.updated_at)),
        "closedAt" => time(issue.closed_at),
        "mergedAt" => time(pull.merged_at),
        "author" => Out::One(Node::Actor(issue.author.clone())),
        "repository" => Out::One(Node::Repository(name.to_owned())),
        "mergeCommit" => {
            Out::maybe(pull.merge_commit_sha.clone().map(|sha| Node::Commit(name.to_owned(), sha)))
        }
        "autoMergeRequest" => Out::maybe(pull.auto_merge.as_ref().map(|auto| {
            Node::Bag(
                "AutoMergeRequest",
                vec![
                    ("enabledAt", Out::text(stamp(auto.enabled_at))),
                    ("mergeMethod", Out::text(auto.method.to_uppercase())),
                    ("enabledBy", Out::One(Node::Actor(auto.enabled_by.clone()))),
                    ("commitHeadline", Out::Value(json!(auto.commit_title))),
                    ("commitBody", Out::Value(json!(auto.commit_message))),
                ],
            )
        })),
        "labels" => {
            let nodes = issue.labels.iter().map(|label| Node::Bag("Label", vec![("name", Out::text(label))]));
            connection("LabelConnection", nodes.collect(), arguments)
        }
        "reviews" => {
            readable(reading, repo, "pull_requests")?;
            let wanted = |state: &str| {
                arguments.get("states").is_none_or(|states| match states {
                    Value::Array(list) => list.iter().any(|item| item == state),
                    other => other == state,
                })
            };
            let nodes = pull.reviews.iter().filter(|review| wanted(&review.state)).map(|review| {
                Node::Bag(
                    "PullRequestReview",
                    vec![
                        ("state", Out::text(&review.state)),
                        ("body", Out::text(&review.body)),
                        ("author", Out::One(Node::Actor(review.author.clone()))),
                        ("submittedAt", Out::text(stamp(review.submitted_at))),
                        ("commit", Out::One(Node::Commit(name.to_owned(), review.commit_id.clone()))),
                    ],
                )
            });
            connection("PullRequestReviewConnection", nodes.collect(), arguments)
        }
        "commits" => {
            let commits = crate::store::full(&pull.head_sha)
                .and_then(|head| repo.store.between(crate::store::full(&pull.base_sha), head).ok())
                .unwrap_or_default();
            let node = |oid: &git2::Oid| {
                let commit = Node::Commit(name.to_owned(), oid.to_string());
                Node::Bag("PullRequestCommit", vec![("commit", Out::One(commit))])
            };
            connection("PullRequestCommitConnection", commits.iter().rev().map(node).collect(), arguments)
        }
        _ => return Ok(None),
    }))
}
