//! The lower half of a page: what reaches the target, what does not, and the way back.

use super::page::{Medium, View, counted, fold, joined};
use crate::changelog::{Group, entry, grouped};
use crate::plan::{Commit, Drift, Side};

impl View<'_> {
    /// The changelog: what matters is open, the rest below a fold. Of a rollback: what leaves.
    pub fn changelog(&self) -> String {
        if self.plan.proposed.is_none() {
            return String::new();
        }
        let verb = if self.plan.rollback { "leaves" } else { "reaches" };
        let heading = format!("### What {verb} {}", self.target());
        if self.plan.commits.is_empty() {
            return joined([heading, self.no_commits()]);
        }
        let ordered: Vec<(Group, &Commit)> = grouped(&self.plan.commits)
            .into_iter()
            .flat_map(|(group, members)| members.into_iter().map(move |commit| (group, commit)))
            .collect();
        let matter = ordered.iter().filter(|(group, _)| group.matters()).count();
        let open = if matter == 0 { ordered.len() } else { matter }.min(self.limits.shown);
        let (shown, rest) = ordered.split_at_checked(open).unwrap_or((&ordered, &[]));
        joined([heading, self.groups(shown), self.folded(rest), self.whole_list()])
    }

    fn no_commits(&self) -> String {
        match &self.plan.active {
            None => format!(
                "No release is known to run in {} now, so there is nothing to compare with.",
                self.target()
            ),
            Some(_) => "No commit of this app lies between the two releases.".to_owned(),
        }
    }

    fn groups(&self, commits: &[(Group, &Commit)]) -> String {
        joined(commits.chunk_by(|(one, _), (other, _)| one == other).map(|chunk| {
            let title = chunk.first().map_or("", |(group, _)| group.title());
            let entries = chunk.iter().map(|(_, commit)| entry(commit, &self.links, self.limits.text));
            format!("**{title}**\n\n{}", entries.collect::<Vec<_>>().join("\n"))
        }))
    }

    fn folded(&self, rest: &[(Group, &Commit)]) -> String {
        if rest.is_empty() {
            return String::new();
        }
        let listed = rest.get(..self.limits.folded.min(rest.len())).unwrap_or(rest);
        let left = rest.len() - listed.len();
        let left = if left == 0 { String::new() } else { self.more(left) };
        if listed.is_empty() {
            return left;
        }
        let kinds: Vec<String> = rest
            .chunk_by(|(one, _), (other, _)| one == other)
            .filter_map(|chunk| Some(format!("{} {}", chunk.len(), chunk.first()?.0.title().to_lowercase())))
            .collect();
        fold(&format!("{} more: {}", rest.len(), kinds.join(", ")), &joined([self.groups(listed), left]))
    }

    fn whole_list(&self) -> String {
        match (self.plan.commits_truncated, self.compare()) {
            (false, _) => String::new(),
            (true, Some(compare)) => format!("The list was cut here; {compare} shows all of it."),
            (true, None) => "The list was cut here.".to_owned(),
        }
    }

    /// Keys that one overlay has and the other lacks.
    pub fn drift(&self) -> String {
        let of = |side: Side| self.plan.drift.iter().filter(|drift| drift.side == side).count();
        let (source, target) =
            (self.html(&self.plan.source.environment), self.html(&self.plan.target.environment));
        let only = |count: usize, has: &str, lacks: &str| {
            (count > 0).then(|| format!("{} that {has} has and {lacks} lacks", counted(count, "key", "keys")))
        };
        let told = [only(of(Side::Source), &source, &target), only(of(Side::Target), &target, &source)];
        let told: Vec<String> = told.into_iter().flatten().collect();
        let table = self
            .table("| key | only in | |", self.plan.drift.iter().map(|drift| self.drifted(drift)).collect());
        if table.is_empty() {
            return table;
        }
        fold(&format!("Not promoted: {}", told.join(", ")), &table)
    }

    fn drifted(&self, drift: &Drift) -> String {
        let revision = match drift.side {
            Side::Source => &self.plan.source.commit,
            Side::Target => &self.plan.target.commit,
        };
        let pin = match drift.side {
            _ if !drift.pin => String::new(),
            Side::Source => format!("a pin that {} does not have", self.target()),
            Side::Target => "a pin, left as it is".to_owned(),
        };
        format!("| {} | {} | {pin} |", self.code(&drift.key), self.path(&drift.file, revision.as_str()))
    }

    /// How to go back, in words that are true today.
    pub fn way_back(&self) -> String {
        let (Some(active), Some(proposed)) = (&self.plan.active, &self.plan.proposed) else {
            return String::new();
        };
        if self.medium == Medium::Summary {
            return String::new();
        }
        let (before, after) = (self.code(&active.version), self.code(&proposed.version));
        let undo = format!(
            "After the merge, *Revert* at the end of this page (or `git revert` of the merge) opens the way back: it \
             restores every value in the table above, and {before} with them."
        );
        let again = if self.plan.rollback {
            String::new()
        } else {
            format!(
                "A later run would propose {after} again, as long as it is the latest successful release."
            )
        };
        fold("Roll back", joined([undo, again]).as_str())
    }
}
