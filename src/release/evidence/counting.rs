//! Which runs may count at all, and for which tag (rule 3).

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::Rules;
use super::facts::{CheckRun, Deployment, Ran, Run};
use crate::names::CommitSha;
use crate::release::shortfall::code;
use crate::settings::TagPattern;

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

/// The events that need write access, and whose runs have what they are about as their head.
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
        self.exclusion(promoting).or_else(|| self.doubt())
    }

    /// Whether rule 3 rules out the run and all that it made.
    pub fn is_excluded(&self, promoting: &Promoting) -> bool {
        self.exclusion(promoting).is_some()
    }

    /// Why neither it nor what it made is evidence (rule 3).
    fn exclusion(&self, promoting: &Promoting) -> Option<String> {
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
        None
    }

    /// Why it does not tell which commit was tested.
    fn doubt(&self) -> Option<String> {
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
        if !Self::is_file(workflow) {
            return self.name == workflow;
        }
        let file = self.path.rsplit('/').next().unwrap_or(&self.path);
        self.path == workflow || (!workflow.contains('/') && file == workflow)
    }

    /// Whether a workflow is required by its file.
    pub fn is_file(workflow: &str) -> bool {
        let ending = Path::new(workflow).extension();
        ending.is_some_and(|ending| ending == "yml" || ending == "yaml")
    }

    /// A run that a tag started speaks for that tag alone, also once that tag is gone.
    pub(super) fn speaks_for(&self, rules: &Rules<'_>, commit: &CommitSha) -> bool {
        let Some(branch) = self.head_branch.as_deref() else {
            // GitHub does not say which: it is plain only where no other tag can have started it.
            return !rules.refs.has_other_tag(rules.tag, commit);
        };
        let for_one_ref = matches!(self.event.as_str(), "create" | "release");
        let is_meant = branch == rules.tag || branch == rules.trunk;
        is_meant || (!for_one_ref && !rules.is_of_another_tag(branch))
    }
}

impl CheckRun {
    /// Whether Actions reported it: then it counts as a job of a run alone.
    pub(super) fn is_by_actions(&self) -> bool {
        self.app.as_deref() == Some("github-actions")
    }
}

impl Deployment {
    /// Why it can be no evidence of this release: its run could not be either, or it was made for another tag.
    pub(super) fn objection(&self, ran: &Ran, rules: &Rules<'_>) -> Option<String> {
        if let Some(id) = self.run {
            let here = ran.runs.iter().find(|run| run.id == id);
            let elsewhere = ran.makers.iter().find(|run| run.id == id);
            let why = match (here, elsewhere) {
                _ if rules.promoting.run == Some(id) => Some("this very run made it".to_owned()),
                (Some(run), _) if !run.speaks_for(rules, &ran.commit) => {
                    let reference = run.head_branch.as_deref().unwrap_or("one of several tags");
                    Some(format!("the run that made it ran for {}", code(reference)))
                }
                // What Actions deploys by itself is the head of the run, whatever the run checked out.
                (Some(run), _) => {
                    run.objection(rules.promoting).map(|why| format!("of the run that made it, {why}"))
                }
                // Somebody named this commit on purpose.
                (None, Some(run)) => {
                    run.exclusion(rules.promoting).map(|why| format!("of the run that made it, {why}"))
                }
                // One that is gone says nothing against it; whoever may delete runs may deploy without any.
                (None, None) => None,
            };
            if why.is_some() {
                return why;
            }
        }
        let reference = self.reference.as_deref()?;
        rules.is_of_another_tag(reference).then(|| format!("it was made for {}", code(reference)))
    }
}

impl Rules<'_> {
    /// Whether a ref's name is another tag than the release's, or was one that is gone.
    fn is_of_another_tag(&self, name: &str) -> bool {
        // Whoever calls a tag as trunk is called must not silence trunk's own runs.
        if name == self.tag || name == self.trunk {
            return false;
        }
        let refs = self.refs;
        let was_one = |pattern: &TagPattern| pattern.read(name).is_some();
        refs.tags.contains_key(name) || !refs.branches.contains(name) && self.patterns.iter().any(was_one)
    }
}
