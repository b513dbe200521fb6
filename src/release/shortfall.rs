//! What a release lacks: a clause for people, a word for tools, and what would mend it.
//!
//! Values alone; what is lacking is found out by those who look.

use jiff::Timestamp;

use crate::names::CommitSha;
use crate::plan::Standing;

/// One thing that a release lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortfall {
    /// What kind of thing.
    pub standing: Standing,
    /// One clause, lower case, names in backticks.
    pub reason: String,
    /// Where to see it.
    pub url: Option<String>,
    /// When the release could be promoted, as the end of "it can be promoted …".
    pub remedy: String,
    /// When it is mended by itself, where that is known.
    pub until: Option<Timestamp>,
}

impl Shortfall {
    /// One that can be seen nowhere in particular.
    pub fn new(standing: Standing, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { standing, reason: reason.into(), url: None, remedy: remedy.into(), until: None }
    }

    /// With the place where it can be seen.
    #[must_use]
    pub fn seen_at(mut self, url: Option<String>) -> Self {
        self.url = url;
        self
    }

    /// A commit that is not on trunk (rule 3).
    pub fn off_trunk(trunk: &str) -> Self {
        let trunk = code(trunk);
        Self::new(
            Standing::OffTrunk,
            format!("its commit is not on {trunk}"),
            format!(
                "once its commit is on {trunk} (merged, not squashed or rebased: evidence is bound to the commit)"
            ),
        )
    }

    /// A prerelease that nobody asked for.
    pub fn prerelease() -> Self {
        Self::new(
            Standing::Prerelease,
            "it is a prerelease (`prereleases: true`, or its name, would make it a candidate)",
            "when it is asked for by name, or with `prereleases: true`",
        )
    }

    /// Evidence that is there and not old enough.
    pub fn soaks(until: Timestamp) -> Self {
        let mut soaks = Self::new(
            Standing::Soaking,
            format!("it soaks until {}", minute(until)),
            format!("from {} on", minute(until)),
        );
        soaks.until = Some(until);
        soaks
    }
}

/// What all of a release's shortfalls come to: the one that takes most to mend; without any, success.
pub fn standing(shortfalls: &[Shortfall]) -> Standing {
    shortfalls.iter().map(|shortfall| shortfall.standing).max().unwrap_or(Standing::Successful)
}

/// Inline code of outside text: a backtick in a name must not end it.
pub fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'"))
}

/// A commit as sentences name it.
pub fn short(commit: &CommitSha) -> String {
    code(commit.short())
}

/// `2026-11-22 13:05 UTC`.
pub fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
