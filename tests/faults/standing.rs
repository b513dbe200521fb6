//! Where GitHub stands after all: what two ways to one end must have in common.

use fake_github::PullView;
use serde_json::{Value, json};

use crate::scene::Scene;

/// Everything that a promotion leaves, as lines of text.
///
/// Nothing of it may differ, not even a number: whatever was opened twice would show as one more pull request. Only
/// the address of the fake is another in each, and what is listed in no order is sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing(String);

impl Standing {
    pub fn of(scene: &Scene) -> Self {
        let pulls: Vec<Value> = scene.repo.pulls().unwrap().iter().map(|one| pull(scene, one)).collect();
        Self::told(scene, &json!({"pulls": pulls, "branches": branches(scene)}))
    }

    /// What reviewers see: the text of what is open and the branches, whichever way it came to be opened.
    pub fn shown(scene: &Scene) -> Self {
        let pulls = scene.repo.pulls().unwrap();
        let open = pulls.iter().filter(|pull| pull.state == "open");
        let open = open.map(|pull| {
            json!({
                "title": pull.title, "body": pull.body, "draft": pull.draft,
                "check": check(scene, &pull.head_sha),
            })
        });
        Self::told(scene, &json!({"open": open.collect::<Vec<_>>(), "branches": branches(scene)}))
    }

    fn told(scene: &Scene, all: &Value) -> Self {
        let text = serde_json::to_string_pretty(all).unwrap();
        Self(text.replace(scene.github.url(), "https://github.example").replace("\\n", "\n"))
    }

    /// The lines that differ; none where nothing does.
    pub fn differences(&self, due: &Self) -> Vec<String> {
        let diff = similar::TextDiff::from_lines(&due.0, &self.0);
        let changed = diff.iter_all_changes().filter(|change| change.tag() != similar::ChangeTag::Equal);
        changed.map(|change| format!("{}{}", change.tag(), change.value().trim())).collect()
    }
}

fn sorted(all: &[String]) -> Vec<String> {
    let mut all = all.to_vec();
    all.sort();
    all
}

fn pull(scene: &Scene, pull: &PullView) -> Value {
    let shown = scene.repo.pull_json(pull.number).unwrap();
    let teams: Vec<_> =
        shown["requested_teams"].as_array().unwrap().iter().map(|team| &team["slug"]).collect();
    json!({
        "number": pull.number, "state": pull.state, "title": pull.title, "body": pull.body,
        "draft": pull.draft, "base": pull.base, "head": pull.head, "labels": sorted(&pull.labels),
        "reviewers": sorted(&pull.reviewers), "teams": teams, "assignees": sorted(&pull.assignees),
        "auto-merge": shown["auto_merge"]["merge_method"], "comments": sorted(&pull.comments),
        "check": if pull.state == "open" { check(scene, &pull.head_sha) } else { Value::Null },
    })
}

fn branches(scene: &Scene) -> Vec<Value> {
    let git = git2::Repository::open_bare(scene.repo.git_dir().unwrap()).unwrap();
    let all = scene.repo.refs("refs/heads/").unwrap();
    all.iter().map(|(name, sha)| branch(&git, name, sha)).collect()
}

/// What the newest check of a promotion says.
fn check(scene: &Scene, head: &str) -> Value {
    let checks = scene.repo.check_runs(head).unwrap();
    let newest =
        checks.iter().filter(|check| check["name"] == "promotion").max_by_key(|check| check["id"].as_u64());
    newest.map_or(Value::Null, |check| {
        json!({"conclusion": check["conclusion"], "title": check["output"]["title"], "summary": check["output"]["summary"]})
    })
}

fn branch(git: &git2::Repository, name: &str, sha: &str) -> Value {
    let commit = git.find_commit(git2::Oid::from_str(sha).unwrap()).unwrap();
    let parents: Vec<String> = commit.parent_ids().map(|parent| parent.to_string()).collect();
    json!({"name": name, "tree": commit.tree_id().to_string(), "message": commit.message().ok(), "parents": parents})
}
