//! The pull request's title, which is also the subject of its commit.

use super::markdown::plain;
use crate::plan::Plan;

/// What GitHub takes for a title.
const MOST_CHARACTERS: usize = 256;

/// `Promote fraud-agent v1.8.0 to prod-eu`; a rollback says so.
///
/// One line of at most 256 characters, as GitHub wants it, that pings nobody and closes nothing.
pub fn title(plan: &Plan) -> String {
    // Marks that keep a name from pinging someone count as well, and may double it.
    let fits =
        |longest: &usize| titled(plan, |name| plain(name, *longest)).chars().count() <= MOST_CHARACTERS;
    let longest = [60, 45, 30].into_iter().find(fits).unwrap_or(15);
    titled(plan, |name| plain(name, longest))
}

/// `ours` with what a person added to `existing`, where it still has our title or the one `before` it. A title of their own
/// is kept for as long as the release is the same.
pub(super) fn title_over(existing: &str, before: Option<&str>, ours: &str) -> String {
    let added = |to: &str| {
        let (start, end) = existing.split_once(to)?;
        // `… to prod` stands in `… to prod-eu` as well.
        let parted = start.chars().next_back().is_none_or(|c| !c.is_alphanumeric())
            && end
                .chars()
                .next()
                .is_none_or(|c| c.is_whitespace() || matches!(c, ',' | ';' | ':' | ')' | ']' | '!'));
        let whole = format!("{start}{ours}{end}");
        (parted && whole.chars().count() <= MOST_CHARACTERS).then_some(whole)
    };
    let their_own = || {
        let same_release = before == Some(ours) && !existing.trim().is_empty();
        (same_release && !differs_in_a_word(existing, ours)).then(|| existing.to_owned())
    };
    added(ours).or_else(|| added(before?)).or_else(their_own).unwrap_or_else(|| ours.to_owned())
}

/// Whether a title may be one of ours for another release, which a slower run wrote.
fn differs_in_a_word(one: &str, other: &str) -> bool {
    let (one, other): (Vec<&str>, Vec<&str>) = (one.split(' ').collect(), other.split(' ').collect());
    one.len() == other.len() && one.iter().zip(&other).filter(|(a, b)| a != b).count() <= 1
}

/// The same words, with names written as the place needs them.
pub(super) fn titled(plan: &Plan, name: impl Fn(&str) -> String) -> String {
    let (app, target) = (name(&plan.app.name), name(&plan.target.environment));
    match &plan.proposed {
        Some(release) if plan.rollback => {
            format!("Roll back {app} to {} in {target}", name(&release.version))
        }
        Some(release) => format!("Promote {app} {} to {target}", name(&release.version)),
        None => format!("Nothing to promote for {app} to {target}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_added_to_a_title_stays_and_everything_else_is_ours() {
        let (old, new) = ("Promote agent v1.8.0 to prod", "Promote agent v1.9.0 to prod");
        for (existing, expected) in [
            (new, new),
            (old, new),
            ("[hold] Promote agent v1.8.0 to prod", "[hold] Promote agent v1.9.0 to prod"),
            ("[hold] Promote agent v1.9.0 to prod (ops)", "[hold] Promote agent v1.9.0 to prod (ops)"),
            ("Promote agent v1.8.0 to prod-eu", new),
            ("rePromote agent v1.8.0 to prod", new),
            ("Promote agent v1.7.0 to prod", new),
            ("Anything else", new),
            ("", new),
        ] {
            assert_eq!(title_over(existing, Some(old), new), expected, "{existing}");
        }
        assert_eq!(title_over("[hold] Promote agent v1.8.0 to prod", None, new), new);
        for (existing, expected) in [
            ("deploy(agent): v1.9.0, before Monday", "deploy(agent): v1.9.0, before Monday"),
            // Of a slower run, for another release.
            (old, new),
            ("", new),
        ] {
            assert_eq!(title_over(existing, Some(new), new), expected, "{existing}");
        }
        let long = format!("{} {old}", "x".repeat(250));
        assert_eq!(title_over(&long, Some(old), new), new);
    }
}
