//! Where GitHub stands after all: what two ways to one end must have in common.

use std::fmt;

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
        let pulls: Vec<Value> = scene.repo.pulls().unwrap().iter().map(|pull| {
            let shown = scene.repo.pull_json(pull.number).unwrap();
            json!({
                "number": pull.number, "state": pull.state, "title": pull.title, "body": pull.body,
                "draft": pull.draft, "base": pull.base, "head": pull.head, "labels": sorted(&pull.labels),
                "reviewers": sorted(&pull.reviewers), "assignees": sorted(&pull.assignees),
                "teams": shown["requested_teams"].as_array().unwrap().iter().map(|team| &team["slug"]).collect::<Vec<_>>(),
                "auto-merge": shown["auto_merge"]["merge_method"],
                "comments": sorted(&pull.comments),
                "check": if pull.state == "open" { check(scene, &pull.head_sha) } else { Value::Null },
            })
        }).collect();
        let git = git2::Repository::open_bare(scene.repo.git_dir().unwrap()).unwrap();
        let branches: Vec<Value> = scene
            .repo
            .refs("refs/heads/")
            .unwrap()
            .iter()
            .map(|(name, sha)| {
                let (tree, message, parents) = commit(&git, sha);
                json!({"name": name, "tree": tree, "message": message, "parents": parents})
            })
            .collect();
        let all = serde_json::to_string_pretty(&json!({"pulls": pulls, "branches": branches})).unwrap();
        Self(all.replace(scene.github.url(), "https://github.example").replace("\\n", "\n"))
    }

    /// The lines that differ; none where nothing does.
    pub fn differences(&self, due: &Self) -> Vec<String> {
        let diff = similar::TextDiff::from_lines(&due.0, &self.0);
        let changed = diff.iter_all_changes().filter(|change| change.tag() != similar::ChangeTag::Equal);
        changed.map(|change| format!("{}{}", change.tag(), change.value().trim())).collect()
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn sorted(all: &[String]) -> Vec<String> {
    let mut all = all.to_vec();
    all.sort();
    all
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

fn commit(git: &git2::Repository, sha: &str) -> (String, String, Vec<String>) {
    let commit = git.find_commit(git2::Oid::from_str(sha).unwrap()).unwrap();
    let parents = commit.parent_ids().map(|parent| parent.to_string()).collect();
    (commit.tree_id().to_string(), commit.message().unwrap_or_default().to_owned(), parents)
}
