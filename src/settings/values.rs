//! From text to a value, and what is allowed where the text is none.
//!
//! Inputs and the settings file speak of the same things, so both read them here. A parser knows
//! nothing of where the text stood: its caller adds the place.

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::request::{Command, EvidenceAt, MergeMethod, PolicyMode, Required, TagPattern, promotion_branch};
use crate::failure::{Place, Problem};
use crate::names::{BranchName, RepoPath, is_ref_name};
use crate::overlay::{FileRule, Pattern, PinRule, Shape, Template};

/// What is wrong with a text, without its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// A value, or what is wrong with its text.
pub(super) type Parsed<T> = Result<T, Wrong>;

impl Wrong {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(super) fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The problem at its place.
    pub(super) fn at(self, place: Place) -> Problem {
        Problem { place: Some(place), message: self.message, hints: self.hint.into_iter().collect() }
    }
}

impl From<crate::failure::Failure> for Wrong {
    fn from(failure: crate::failure::Failure) -> Self {
        let problem = failure.into_problems().into_iter().next();
        problem.map_or_else(
            || Self::new("it is not allowed"),
            |problem| Self { message: problem.message, hint: problem.hints.into_iter().next() },
        )
    }
}

/// A closed set of words.
pub(super) trait Word: Copy + 'static {
    /// What the words say, as a phrase that follows "is not".
    const WHAT: &'static str;
    /// Every word and its value.
    const WORDS: &'static [(&'static str, Self)];
}

impl Word for Command {
    const WHAT: &'static str = "a command";
    const WORDS: &'static [(&'static str, Self)] =
        &[("run", Self::Run), ("plan", Self::Plan), ("explain", Self::Explain)];
}

impl Word for EvidenceAt {
    const WHAT: &'static str = "a commit that evidence may be bound to";
    const WORDS: &'static [(&'static str, Self)] = &[("tag", Self::Tag), ("parent", Self::Parent)];
}

impl Word for PolicyMode {
    const WHAT: &'static str = "a policy mode";
    const WORDS: &'static [(&'static str, Self)] =
        &[("enforce", Self::Enforce), ("warn", Self::Warn), ("off", Self::Off)];
}

impl Word for MergeMethod {
    const WHAT: &'static str = "a way to merge";
    const WORDS: &'static [(&'static str, Self)] =
        &[("merge", Self::Merge), ("squash", Self::Squash), ("rebase", Self::Rebase)];
}

/// One of a closed set of words, as they are written.
pub(super) fn word<W: Word>(text: &str) -> Parsed<W> {
    W::WORDS.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
        let words = W::WORDS.iter().map(|(word, _)| *word);
        Wrong::new(format!("{} is not {}", shown(text), W::WHAT)).hinted(among("allowed", text, words))
    })
}

/// A yes or a no, as people write it in a workflow.
pub(super) fn boolean(text: &str) -> Parsed<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(Wrong::new(format!("{} is not a yes or a no", shown(text)))
            .hinted("allowed: `true`, `false`, `yes`, `no`, `on`, `off`, `1`, `0`")),
    }
}

/// The longest soak that makes sense: ten years.
const LONGEST: i64 = 3650 * 86_400;

/// A whole number with a unit: `90s`, `30m`, `24h`, `7d`.
pub(super) fn duration(text: &str) -> Parsed<SignedDuration> {
    let wrong = || {
        Wrong::new(format!("{} is not a duration", shown(text))).hinted(
            "allowed: a whole number with `s`, `m`, `h` or `d`, at most ten years: `90s`, `30m`, `24h`, `7d`",
        )
    };
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(split);
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let seconds = number.parse::<i64>().ok().and_then(|number| number.checked_mul(unit));
    seconds.filter(|seconds| *seconds <= LONGEST).map(SignedDuration::from_secs).ok_or_else(wrong)
}

/// How long an answer may take.
pub(super) fn request_timeout(text: &str) -> Parsed<Duration> {
    within(text, 1..=600, "`1s` to `10m`")
}

/// How long a run waits for rate limits.
pub(super) fn rate_limit_wait(text: &str) -> Parsed<Duration> {
    within(text, 0..=21_600, "`0s` to `6h`")
}

/// A duration of so many seconds.
fn within(text: &str, allowed: RangeInclusive<u64>, named: &str) -> Parsed<Duration> {
    let seconds = u64::try_from(duration(text)?.as_secs()).ok();
    seconds.filter(|seconds| allowed.contains(seconds)).map(Duration::from_secs).ok_or_else(|| {
        Wrong::new(format!("{} is too short or too long", shown(text))).hinted(format!("allowed: {named}"))
    })
}

/// A moment with its offset from UTC.
pub(super) fn time(text: &str) -> Parsed<Timestamp> {
    text.parse().map_err(|_| {
        Wrong::new(format!("{} is not a time", shown(text))).hinted(
            "allowed: date, time and offset, such as `2026-12-20T00:00:00Z` or `2026-12-20T01:00:00+01:00`",
        )
    })
}

/// Text on one line.
pub(super) fn text(text: &str) -> Parsed<String> {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err(Wrong::new(format!("{} is no text", shown(text)))
            .hinted("allowed: at least one character, on one line"));
    }
    Ok(text.to_owned())
}

/// A pattern of release tags.
pub(super) fn tag_pattern(text: &str) -> Parsed<TagPattern> {
    Ok(TagPattern::parse(text)?)
}

/// A pattern over the keys of an overlay.
pub(super) fn key_pattern(text: &str) -> Parsed<String> {
    let pattern = self::text(text)?;
    Pattern::parse(&pattern)?;
    Ok(pattern)
}

/// What is promoted.
pub(super) fn pin(text: &str, file: Option<&str>, value: Option<&str>) -> Parsed<PinRule> {
    Ok(PinRule::new(&self::text(text)?, file, value)?)
}

/// How a pin's value is made.
pub(super) fn template(text: &str) -> Parsed<String> {
    Template::parse(text)?;
    Ok(text.to_owned())
}

/// A file of an overlay.
pub(super) fn file(text: &str, at: Option<&str>, shape: Option<Shape>) -> Parsed<FileRule> {
    Ok(FileRule::new(&self::text(text)?, at, shape)?)
}

/// The place of a part of a file.
pub(super) fn place(text: &str) -> Parsed<String> {
    let text = self::text(text)?;
    FileRule::new("file", Some(&text), None)?;
    Ok(text)
}

/// What a file is.
pub(super) fn shape(text: &str) -> Parsed<Shape> {
    let known = || Shape::NAMED.iter().map(|(name, _)| *name);
    Shape::parse(text).ok_or_else(|| {
        Wrong::new(format!("there is no shape {}", shown(text))).hinted(among("shapes", text, known()))
    })
}

/// A folder or file of the repository.
pub(super) fn path(text: &str) -> Parsed<RepoPath> {
    Ok(RepoPath::parse(text)?)
}

/// A branch.
pub(super) fn branch(text: &str) -> Parsed<BranchName> {
    Ok(BranchName::parse(text)?)
}

/// An app or an environment: one part of the branch `promote/<app>/<target>`.
pub(super) fn name(text: &str) -> Parsed<String> {
    let fits = !text.contains('/')
        && !text.starts_with('-')
        && !text.chars().any(|c| c.is_whitespace() || is_invisible(c))
        && text.len() <= 100
        && promotion_branch(text, "x").is_ok();
    if fits {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(format!("{} cannot be a name: it is no part of a branch name", shown(text))).hinted(
        "allowed: what git allows between two slashes of a branch, such as `fraud-agent` or `prod-eu`",
    ))
}

/// A release asked for by name: a tag, a version or a commit.
pub(super) fn tag(text: &str) -> Parsed<String> {
    let name = text.strip_prefix("refs/tags/").unwrap_or(text);
    let fits = is_ref_name(name)
        && !name.starts_with('-')
        && name.len() <= 255
        && !name.chars().any(|c| c.is_whitespace() || is_invisible(c));
    if fits {
        return Ok(name.to_owned());
    }
    Err(Wrong::new(format!("{} cannot be a tag, a version or a commit", shown(text)))
        .hinted("allowed: what git allows in the name of a tag, such as `v1.8.0` or `fraud-agent/v1.8.0`"))
}

/// A GitHub login, with or without `@`.
pub(super) fn login(text: &str) -> Parsed<String> {
    let login = text.strip_prefix('@').unwrap_or(text);
    let fits = !login.is_empty()
        && login.len() <= 100
        && login.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '[' | ']'));
    if fits {
        return Ok(login.to_owned());
    }
    Err(Wrong::new(format!("{} is not a login", shown(text)))
        .hinted("allowed: letters, digits, `-` and `_`, such as `octocat`"))
}

/// A team's slug, with or without the organisation before it.
pub(super) fn team(text: &str) -> Parsed<String> {
    let team = text.strip_prefix('@').unwrap_or(text);
    let slug = team.split_once('/').map_or(team, |(_, slug)| slug);
    let fits = !slug.is_empty()
        && slug.len() <= 255
        && slug.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if fits {
        return Ok(slug.to_owned());
    }
    Err(Wrong::new(format!("{} is not a team", shown(text)))
        .hinted("allowed: a team's slug, such as `platform` or `acme/platform`"))
}

/// A label; GitHub takes up to 50 characters.
pub(super) fn label(text: &str) -> Parsed<String> {
    if (1..=50).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(format!("{} is not a label", shown(text)))
        .hinted("allowed: 1 to 50 characters on one line"))
}

/// How many releases may be looked at.
pub(super) fn window(text: &str) -> Parsed<u32> {
    const MOST: u32 = 1000;
    text.parse().ok().filter(|window| (1..=MOST).contains(window)).ok_or_else(|| {
        Wrong::new(format!("{} is no number of releases", shown(text)))
            .hinted(format!("allowed: a whole number from 1 to {MOST}"))
    })
}

/// The forms of one piece of evidence.
pub(super) const EVIDENCE_FORMS: &str =
    "allowed: `workflow: staging.yml`, `check: NAME`, `status: CONTEXT`, `deployment: ENVIRONMENT`, `any`";

/// One line of evidence: `workflow: staging.yml`, `check: NAME`, `status: CONTEXT`, `deployment: staging`, `any`.
///
/// Who must have reported it may follow, after a comma: `check: NAME, app: SLUG`, `status: CONTEXT, creator: LOGIN`.
pub(super) fn evidence(line: &str) -> Parsed<Required> {
    let line = line.trim();
    // A line pasted from the settings file is a list item there.
    let line = line.strip_prefix("- ").map_or(line, str::trim_start);
    if line == "any" {
        return Ok(Required::Any);
    }
    let wrong = || Wrong::new(format!("{} names no evidence", shown(line))).hinted(EVIDENCE_FORMS);
    let (kind, name) = line.split_once(':').ok_or_else(wrong)?;
    let name = name.trim();
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(wrong());
    }
    let beside = |key: &str| match name.rsplit_once(',') {
        Some((name, rest)) => match rest.split_once(':').filter(|(found, _)| found.trim() == key) {
            Some((_, who)) => (name.trim_end().to_owned(), Some(who.trim().to_owned())),
            None => (format!("{name},{rest}"), None),
        },
        None => (name.to_owned(), None),
    };
    let required = match kind.trim_end() {
        "workflow" => Required::Workflow(name.to_owned()),
        "check" => {
            let (name, app) = beside("app");
            Required::Check { name, app }
        }
        "status" => {
            let (context, creator) = beside("creator");
            Required::Status { context, creator }
        }
        "deployment" => Required::Deployment(name.to_owned()),
        _ => return Err(wrong()),
    };
    let empty = match &required {
        Required::Check { name, app: who } | Required::Status { context: name, creator: who } => {
            name.is_empty() || who.as_ref().is_some_and(String::is_empty)
        }
        _ => false,
    };
    if empty { Err(wrong()) } else { Ok(required) }
}

/// The items of a list that is separated by commas or newlines, without blanks and repetitions.
pub(super) fn items(text: &str) -> Vec<&str> {
    unrepeated(text.split([',', '\n', '\r']))
}

/// The lines of a list with one item per line, without blanks and repetitions.
pub(super) fn lines(text: &str) -> Vec<&str> {
    unrepeated(text.lines())
}

fn unrepeated<'a>(parts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found = Vec::new();
    for part in parts.map(str::trim).filter(|part| !part.is_empty()) {
        if !found.contains(&part) {
            found.push(part);
        }
    }
    found
}

/// A value in backticks, on one line, not too long.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 120;
    let mut line: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    // `escape_debug` also guards quotes, which need no guard here.
    format!("`{}`", line.replace("\\'", "'").replace("\\\"", "\"").replace("\\\\", "\\"))
}

/// Names in backticks, separated by commas.
pub(super) fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(shown).collect::<Vec<_>>().join(", ")
}

/// Everything that is known, and the one that was probably meant: `` apps: `a`, `b`; did you mean `a`? ``
pub(super) fn among<'a>(label: &str, text: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let near = nearest(text, known.clone());
    let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    format!("{label}: {}{near}", quoted(known))
}

/// The known name that was probably meant.
pub(super) fn nearest<'a>(text: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |s: &str| s.to_lowercase().replace(['_', ' ', '-'], "");
    let text = plain(text);
    known
        .map(|name| (strsim::damerau_levenshtein(&text, &plain(name)), name))
        .filter(|(distance, name)| *distance <= (name.len() / 3).max(1) && *distance < name.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Characters that make two names look like one.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests;
