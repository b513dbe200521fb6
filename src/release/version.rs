//! Versions and their order.
//!
//! Precedence decides which release is newest, never the date of a tag: re-tagging must not
//! reorder releases. Nothing here knows about git.

use std::cmp::Ordering;
use std::fmt;

use crate::plan::Artifact;

/// A version as somebody wrote it, with an order.
///
/// Semantic versions (with or without a leading `v`) follow semver.org §11, build metadata
/// ignored. Dotted numbers that are no semantic version (`2026.03.21-1`) compare number by number, a
/// trailing `-N` counting up; so do calendar versions that happen to look semantic (`2026.11.21-1`: whether a month
/// has a leading zero must not make it a prerelease) and dates with dashes (`2026-09-15`). A word behind the numbers is
/// a prerelease (`1.8.0.rc1`, `1.8.0b2`), unless it is one that follows a release (`1.8.0.post1`) or is it
/// (`1.8.0.Final`). Anything else compares as text with its digits read as numbers.
#[derive(Debug, Clone)]
pub struct Version {
    text: String,
    rank: Rank,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Names that are no numbers sort below all that are.
    Words(Vec<Word>),
    Numbers(Vec<u64>, Qualifier),
}

/// What follows the numbers, lowest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Qualifier {
    Prerelease(semver::Prerelease),
    None,
    Counter(u64),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    Number(u64),
    Text(String),
}

impl Version {
    /// Reads any text; there is no version that has no order.
    pub fn parse(text: &str) -> Self {
        let bare = without_v(text);
        let rank = semantic(bare).or_else(|| dotted(bare)).unwrap_or_else(|| Rank::Words(words(bare)));
        Self { text: text.to_owned(), rank }
    }

    /// The version as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it has a prerelease part in the sense of semantic versioning.
    pub fn is_prerelease(&self) -> bool {
        matches!(self.rank, Rank::Numbers(_, Qualifier::Prerelease(_)))
    }

    /// Whether both name one version: equal but for a leading `v`.
    pub fn names(&self, other: &str) -> bool {
        without_v(&self.text) == without_v(other)
    }

    /// Order by precedence; equal for versions that differ in build metadata only.
    pub fn precedence(&self, other: &Self) -> Ordering {
        self.rank.cmp(&other.rank)
    }

    /// Order by precedence, where both count by one scheme; names that are no numbers have none, and a date has none
    /// with other numbers.
    pub fn comparison(&self, other: &Self) -> Option<Ordering> {
        let scheme = |version: &Self| match &version.rank {
            Rank::Words(_) => None,
            Rank::Numbers(numbers, _) => Some(is_date(numbers)),
        };
        let are_alike = scheme(self).is_some() && scheme(self) == scheme(other);
        are_alike.then(|| self.precedence(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether a promotion takes an artifact to an older version; digests have no order.
pub fn goes_back(artifact: &Artifact) -> bool {
    let version = |tag: &Option<String>| tag.as_deref().map(Version::parse);
    let (Some(from), Some(to)) = (version(&artifact.from.tag), version(&artifact.to.tag)) else {
        return false;
    };
    to.comparison(&from) == Some(Ordering::Less)
}

/// Whether numbers begin with a year, as calendar versions and dates do (`2026.03.21`, `2026-09-15`, `20260915`).
fn is_date(numbers: &[u64]) -> bool {
    const YEARS: std::ops::Range<u64> = 1970..2200;
    match numbers {
        [day] => YEARS.contains(&(day / 10_000)),
        [year, ..] => YEARS.contains(year),
        [] => false,
    }
}

/// `v1.2.3` and `1.2.3` are one version; `vault` is not `ault`.
fn without_v(text: &str) -> &str {
    match text.strip_prefix(['v', 'V']) {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => rest,
        _ => text,
    }
}

fn semantic(text: &str) -> Option<Rank> {
    let version = semver::Version::parse(text).ok()?;
    let counts = !version.pre.is_empty() && version.pre.bytes().all(|byte| byte.is_ascii_digit());
    if counts && is_date(&[version.major, version.minor]) {
        return None;
    }
    let qualifier = if version.pre.is_empty() { Qualifier::None } else { Qualifier::Prerelease(version.pre) };
    Some(Rank::Numbers(trimmed(vec![version.major, version.minor, version.patch]), qualifier))
}

fn dotted(text: &str) -> Option<Rank> {
    let text = text.split_once('+').map_or(text, |(version, _build)| version);
    let (numbers, rest) = text.split_once('-').map_or((text, None), |(numbers, rest)| (numbers, Some(rest)));
    let (numbers, word) = leading_numbers(numbers)?;
    // `1e3` and `0e12` are a commit's first digits sooner than a version.
    if numbers.len() < 2 && !word.is_empty() {
        return None;
    }
    // A date may be written with dashes: `2026-09-15` is no prerelease of 2026.
    if let Some(date) = rest.filter(|rest| rest.contains('-') && numbers.len() == 1 && word.is_empty())
        && let Some(rest) = date.split('-').map(|part| part.parse().ok()).collect::<Option<Vec<u64>>>()
    {
        return Some(Rank::Numbers(trimmed([numbers, rest].concat()), Qualifier::None));
    }
    let counts = |rest: &str| rest.parse().ok().filter(|_| numbers.len() != 3 || is_date(&numbers));
    let qualifier = match rest {
        None if word.is_empty() => Qualifier::None,
        None => qualifier(word)?,
        Some(rest) if word.is_empty() => match counts(rest) {
            Some(counter) => Qualifier::Counter(counter),
            None => Qualifier::Prerelease(prerelease(rest)?),
        },
        // Whatever the word says, `-SNAPSHOT` behind it is one.
        Some(rest) => match qualifier(word)? {
            Qualifier::None | Qualifier::Counter(_) if rest.parse::<u64>().is_err() => {
                Qualifier::Prerelease(prerelease(rest)?)
            }
            qualifier => qualifier,
        },
    };
    Some(Rank::Numbers(trimmed(numbers), qualifier))
}

/// The numbers that a text begins with, and the word that follows them: `1.8.0rc1` and `1.8.0.rc1` have `rc1`.
fn leading_numbers(text: &str) -> Option<(Vec<u64>, &str)> {
    let mut numbers = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        if number.is_empty() {
            break;
        }
        numbers.push(number.parse().ok()?);
        rest = match after.strip_prefix('.') {
            Some("") => return None,
            Some(next) => next,
            None => {
                rest = after;
                break;
            }
        };
    }
    (!numbers.is_empty()).then_some((numbers, rest))
}

/// What a word behind the numbers says. One that nobody knows is taken for a prerelease: that is told, and can be asked
/// for by name.
fn qualifier(word: &str) -> Option<Qualifier> {
    const BEFORE: &[&str] = &[
        "a",
        "alpha",
        "b",
        "beta",
        "c",
        "rc",
        "cr",
        "dev",
        "pre",
        "preview",
        "snapshot",
        "m",
        "milestone",
        "nightly",
        "canary",
        "next",
        "test",
        "ea",
    ];
    const SAME: &[&str] = &["final", "ga", "release"];
    const AFTER: &[&str] = &["post", "sp", "p", "r", "rev", "patch", "hotfix"];
    let letters = word.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = word.get(letters.len()..)?;
    let name = letters.to_ascii_lowercase();
    if BEFORE.contains(&name.as_str()) {
        let identifiers =
            if number.is_empty() { name } else { format!("{name}.{}", number.trim_start_matches('.')) };
        return prerelease(&identifiers).map(Qualifier::Prerelease);
    }
    if SAME.contains(&name.as_str()) && number.is_empty() {
        return Some(Qualifier::None);
    }
    let counter = if number.is_empty() { Some(1) } else { number.trim_start_matches('.').parse().ok() };
    match counter.filter(|_| AFTER.contains(&name.as_str())) {
        Some(counter) => Some(Qualifier::Counter(counter)),
        None => prerelease(word).map(Qualifier::Prerelease),
    }
}

/// A prerelease part; numbers that are filled up with zeros (`rc.01`) are numbers all the same.
fn prerelease(text: &str) -> Option<semver::Prerelease> {
    let bare = |part: &str| {
        let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
        match part.trim_start_matches('0') {
            "" if is_number => "0".to_owned(),
            trimmed if is_number => trimmed.to_owned(),
            _ => part.replace(|c: char| !c.is_ascii_alphanumeric(), "-"),
        }
    };
    let parts: Vec<String> = text.split('.').filter(|part| !part.is_empty()).map(bare).collect();
    semver::Prerelease::new(&parts.join(".")).ok().filter(|pre| !pre.is_empty())
}

/// `1.2` and `1.2.0` are of equal precedence.
fn trimmed(mut numbers: Vec<u64>) -> Vec<u64> {
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    numbers
}

fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digits = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        words.push(word.parse().map_or_else(|_| Word::Text(word.to_owned()), Word::Number));
        rest = tail;
    }
    words
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]
    use super::*;

    #[test]
    fn versions_are_ordered_by_precedence() {
        let rising = [
            ["nightly-2", "nightly-10"],
            ["nightly-10", "0.0.1"],
            ["1.9.0", "1.10.0"],
            ["v1.9.0", "1.10.0"],
            ["1.0.0-alpha", "1.0.0-alpha.1"],
            ["1.0.0-rc.9", "1.0.0-rc.10"],
            ["1.0.0-rc.1", "v1.0.0"],
            ["1.2", "1.2.1"],
            ["2026.03.21", "2026.03.21-1"],
            ["2026.03.21-2", "2026.03.21-10"],
            ["2026.03.9", "2026.03.21"],
            ["2026.11.21", "2026.11.21-1"],
            ["2026.09.30-3", "2026.10.01"],
            ["2026.9.30-3", "2026.11.21-1"],
            ["2026.11.21-rc.1", "2026.11.21"],
            ["2026-09-15", "2026-11-01"],
            ["2026-09-15", "2026-09-15-2"],
            ["1.9.9.1", "1.9.10"],
            ["41", "412"],
            ["1.8.0-rc.01", "1.8.0"],
            ["1.8.0-rc.09", "1.8.0-rc.10"],
            ["1.8.0.rc9", "1.8.0.rc10"],
            ["1.8.0rc1", "1.8.0"],
            ["1.8.0.dev1", "1.8.0.rc1"],
            ["1.8.0.Final", "1.8.0.post1"],
            ["1.7.9", "1.8.0.rc1"],
            ["1.7.9", "2.0.0.build1"],
            ["1.8-2", "1.8-10"],
        ];
        for [low, high] in rising {
            let (low, high) = (Version::parse(low), Version::parse(high));
            assert_eq!(low.precedence(&high), Ordering::Less, "{low} < {high}");
            assert_eq!(high.precedence(&low), Ordering::Greater, "{high} > {low}");
        }
        for [one, other] in
            [["1.2.0", "v1.2.0"], ["1.2.0+a", "1.2.0+b"], ["1.2", "1.2.0"], ["1.8.0.Final", "1.8.0"]]
        {
            assert_eq!(
                Version::parse(one).precedence(&Version::parse(other)),
                Ordering::Equal,
                "{one} = {other}"
            );
        }
    }

    #[test]
    fn only_versions_of_one_scheme_are_compared() {
        let of = |one: &str, other: &str| Version::parse(one).comparison(&Version::parse(other));
        for (low, high) in [
            ("v1.9.0", "1.10.0"),
            ("2026-05-01", "2026-09-15"),
            ("9", "12"),
            ("v12", "v12.1"),
            ("20260501", "20260915"),
        ] {
            assert_eq!(of(low, high), Some(Ordering::Less), "{low} < {high}");
            assert_eq!(of(high, low), Some(Ordering::Greater), "{high} > {low}");
        }
        for (one, other) in [
            ("main", "v1.2.3"),
            ("v1.2.3", "none"),
            ("a", "b"),
            ("2026-09-15", "v1.2.0"),
            ("v1.2.0", "20260915"),
        ] {
            assert_eq!(of(one, other), None, "{one} {other}");
        }
    }

    #[test]
    fn only_a_semantic_prerelease_is_one() {
        for (text, expected) in [
            ("1.2.3-rc.1", true),
            ("v1.2.3-0", true),
            ("1.2.3", false),
            ("2026.03.21-1", false),
            ("2026.11.21-1", false),
            ("v2026.11.0-12", false),
            ("2026.11.21-rc.1", true),
            ("v1.8.0-rc.01", true),
            ("v1.8.0.rc1", true),
            ("1.8.0.dev1", true),
            ("1.8.0b2", true),
            ("1.8.0.SNAPSHOT", true),
            ("1.8.0.Final", false),
            ("1.8.0.post1", false),
            ("1.8.0.4", false),
            ("1.8.0-01", true),
            ("1.8.0.hotfix1-rc1", true),
            ("1.8.0.Final-SNAPSHOT", true),
            ("1.8.0.rc1.post1", true),
            ("2.0.0.build1", true),
            ("1.8.0-.rc1", true),
            ("1.8-3", false),
            ("0e12", false),
            ("1a2b3c4", false),
            ("2026-09-15", false),
            ("1.2.3+b", false),
        ] {
            assert_eq!(Version::parse(text).is_prerelease(), expected, "{text}");
        }
    }

    #[test]
    fn a_leading_v_is_no_difference() {
        assert!(Version::parse("v1.2.3").names("1.2.3"));
        assert!(!Version::parse("v1.2.3").names("1.2.30"));
        assert!(!Version::parse("vault").names("ault"));
    }
}
