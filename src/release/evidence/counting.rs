//! Which runs may count at all, and for which tag (rule 3).

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::Rules;
use super::facts::Run;
use crate::names::CommitSha;
use crate::release::shortfall::code;

/// The names of the repository's refs.
#[derive(Debug, Default)]
pub struct Refs {
    tags: HashMap<String, CommitSha>,
    branches: HashSet<String>,
    /// How many tags each commit has; counted when it is first asked for, since it seldom is.
    counts: OnceCell<HashMap<CommitSha, usize>>,
}

impl Refs {
    /// These refs.
    pub fn new(
        tags: impl IntoIterator<Item = (String, CommitSha)>,
        branches: impl IntoIterator<Item = String>,
    ) -> Self {
        let (tags, branches) = (tags.into_iter().collect(), branches.into_iter().collect());
        Self { tags, branches, counts: OnceCell::new() }
    }

    /// Whether another tag than this one is on a commit.
    fn has_other_tag(&self, tag: &str, commit: &CommitSha) -> bool {
        let counts = self.counts.get_or_init(|| {
            let mut counts = HashMap::new();
            for commit in self.tags.values() {
                *counts.entry(commit.clone()).or_default() += 1;
            }
            counts
        });
        let own = usize::from(self.tags.get(tag) == Some(commit));
        counts.get(commit).copied().unwrap_or(0) > own
    }
}

/// The promoting workflow, whose own runs are never evidence.
#[derive(Debug, Clone, Default)]
pub struct Promoting {
    /// `.github/workflows/promote.yml`.
    pub path: Option<String>,
    /// What it is called; asked only where the path is not known, as on old servers.
    pub name: Option<String>,
    /// This run.
    pub run: Option<u64>,
}

/// The events whose runs have the commit that was tested as their head, and need write access.
///
/// Of any other event GitHub says the head of the default branch, whatever the run checked out.
const BOUND: &[&str] = &[
    "push",
    "create",
    "release",
    "workflow_dispatch",
    "repository_dispatch",
    "schedule",
    "deployment",
    "deployment_status",
    "merge_group",
];
/// Events that need no access to the repository; `workflow_run` follows any of them.
const ANYBODYS: &[&str] =
    &["workflow_run", "issue_comment", "issues", "discussion", "discussion_comment", "watch", "fork"];

impl Promoting {
    fn is(&self, run: &Run) -> bool {
        match &self.path {
            Some(path) => *path == run.path,
            // The name of a workflow without one is its path.
            None => self.name.as_ref().is_some_and(|name| *name == run.name || *name == run.path),
        }
    }
}

impl Run {
    /// Whether it may count at all, for any tag.
    pub fn counts(&self, promoting: &Promoting) -> bool {
        self.objection(promoting).is_none()
    }

    /// Why it can be evidence of nothing.
    pub(super) fn objection(&self, promoting: &Promoting) -> Option<String> {
        if promoting.run == Some(self.id) {
            return Some("it is this very run".into());
        }
        if promoting.is(self) {
            return Some("it is the promoting workflow, whose own runs are no evidence".into());
        }
        if self.foreign {
            return Some("it ran for a fork".into());
        }
        if self.event.starts_with("pull_request") {
            return Some("it ran for a pull request".into());
        }
        if BOUND.contains(&self.event.as_str()) {
            return None;
        }
        let why = if ANYBODYS.contains(&self.event.as_str()) {
            "which anybody can cause"
        } else {
            "which does not say which commit was tested"
        };
        Some(format!("it ran for {}, {why}", code(&self.event)))
    }

    /// Whether `workflow` means this run's workflow: a path or file name where it ends as one, else a name.
    ///
    /// A file's name is what reviewers know it by: another workflow that only calls itself `staging.yml` is not it.
    pub fn is_of(&self, workflow: &str) -> bool {
        let ending = Path::new(workflow).extension();
        if !ending.is_some_and(|ending| ending == "yml" || ending == "yaml") {
            return self.name == workflow;
        }
        let file = self.path.rsplit('/').next().unwrap_or(&self.path);
        self.path == workflow || (!workflow.contains('/') && file == workflow)
    }

    /// A run that a tag started speaks for that tag alone, also once that tag is gone.
    pub(super) fn speaks_for(&self, rules: &Rules<'_>, commit: &CommitSha) -> bool {
        let refs = rules.refs;
        let Some(branch) = self.head_branch.as_deref() else {
            // GitHub does not say which: it is plain only where no other tag can have started it.
            return !refs.has_other_tag(rules.tag, commit);
        };
        // Whoever calls a tag as trunk is called must not silence trunk's own runs.
        if branch == rules.tag || branch == rules.trunk {
            return true;
        }
        let for_one_ref = matches!(self.event.as_str(), "create" | "release");
        let gone = || !refs.branches.contains(branch) && rules.pattern.read(branch).is_some();
        !for_one_ref && !refs.tags.contains_key(branch) && !gone()
    }
}
