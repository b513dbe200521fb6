//! The order in which a changelog is read: what may break first, housekeeping last.

use crate::plan::Commit;

/// A heading of the changelog, in reading order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Whatever is marked as breaking, of any type.
    Breaking,
    /// `security`.
    Security,
    /// `feat`.
    Features,
    /// `fix`.
    Fixes,
    /// `perf`.
    Performance,
    /// `revert`.
    Reverts,
    /// What follows no convention.
    Other,
    /// `deps`, and `build` or `chore` with the scope `deps`.
    Dependencies,
    /// `docs`.
    Documentation,
    /// Everything else that has a type: refactorings, tests, builds, chores.
    Housekeeping,
}

impl Group {
    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Breaking => "Breaking",
            Self::Security => "Security",
            Self::Features => "Features",
            Self::Fixes => "Fixes",
            Self::Performance => "Performance",
            Self::Reverts => "Reverts",
            Self::Other => "Other changes",
            Self::Dependencies => "Dependencies",
            Self::Documentation => "Documentation",
            Self::Housekeeping => "Housekeeping",
        }
    }

    /// Whether a reviewer with one minute should see it.
    pub fn matters(self) -> bool {
        self < Self::Other
    }

    /// Where a commit belongs.
    pub fn of(commit: &Commit) -> Self {
        let of_dependencies = commit.scope.as_deref().is_some_and(|scope| scope.starts_with("deps"));
        match commit.kind.as_str() {
            _ if commit.breaking => Self::Breaking,
            "security" => Self::Security,
            "feat" => Self::Features,
            "fix" => Self::Fixes,
            "perf" => Self::Performance,
            "revert" => Self::Reverts,
            "other" => Self::Other,
            "deps" => Self::Dependencies,
            "build" | "chore" if of_dependencies => Self::Dependencies,
            "docs" => Self::Documentation,
            _ => Self::Housekeeping,
        }
    }
}

/// The commits by group, groups in reading order, commits as they came.
pub fn grouped<'a>(commits: impl IntoIterator<Item = &'a Commit>) -> Vec<(Group, Vec<&'a Commit>)> {
    let mut groups: Vec<(Group, Vec<&Commit>)> = Vec::new();
    for commit in commits {
        let group = Group::of(commit);
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, members)) => members.push(commit),
            None => groups.push((group, vec![commit])),
        }
    }
    groups.sort_by_key(|(group, _)| *group);
    groups
}
