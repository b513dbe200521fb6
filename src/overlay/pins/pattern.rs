//! Patterns over key paths: `image.{tag,digest}`, `**.tag`, `sidecars[*].image`, `images[name=acme/*].newTag`.
//!
//! A pattern names pins, by `pins:` and `carries:`. It is matched against addresses, never against
//! values, and no pattern, however hostile, takes more than linear space or quadratic time.

use crate::failure::{Failure, Kind, Result};
use crate::overlay::editor::key_path::{KeyPath, Step};

/// How many alternatives `{a,b}` may unfold to; each is matched on its own.
const MOST_ALTERNATIVES: usize = 256;

/// A pattern over key paths.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    alternatives: Vec<Vec<Segment>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    /// `**`: any number of steps, none included.
    AnyDepth,
    /// `*`: one step of any kind.
    AnyStep,
    /// `[*]`: any list item.
    AnyItem,
    /// A key, by name.
    Key(Glob),
    /// A list item, by place.
    Index(usize),
    /// A list item, by a field's value.
    Item { field: String, value: Glob },
}

/// Text in which each `*` between the pieces stands for any text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Glob(Vec<String>);

impl Pattern {
    /// Parses a pattern.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Failure::new(Kind::Settings, format!("`{}` names no pins: {why}", text.escape_debug())).hinted(
                "write key paths such as `image.{tag,digest}`, `**.tag` or `images[name=acme/agent].newTag`",
            )
        };
        let mut alternatives = Vec::new();
        for alternative in unfolded(text).map_err(wrong)? {
            alternatives.push(segments(&alternative).map_err(wrong)?);
        }
        Ok(Self { text: text.to_owned(), alternatives })
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it names this path.
    #[must_use]
    pub fn names(&self, path: &KeyPath) -> bool {
        self.alternatives.iter().any(|segments| reaches_end(segments, &path.steps))
    }
}

/// Follows all ways at once: `reached[n]` says whether the segments so far can have used up `n` steps.
fn reaches_end(segments: &[Segment], steps: &[Step]) -> bool {
    let mut reached = vec![false; steps.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for segment in segments {
        reached = if *segment == Segment::AnyDepth {
            let from = reached.iter().position(|here| *here).unwrap_or(reached.len());
            (0..reached.len()).map(|at| at >= from).collect()
        } else {
            let onward = reached.iter().zip(steps).map(|(here, step)| *here && segment.is(step));
            std::iter::once(false).chain(onward).collect()
        };
    }
    reached.last().copied().unwrap_or(false)
}

impl Segment {
    fn is(&self, step: &Step) -> bool {
        match (self, step) {
            (Self::AnyDepth | Self::AnyStep, _) | (Self::AnyItem, Step::Index(_) | Step::Item { .. }) => true,
            (Self::Key(glob), Step::Key(key)) => glob.is(key),
            (Self::Index(index), Step::Index(at)) => index == at,
            (Self::Item { field, value }, Step::Item { field: f, value: v }) => field == f && value.is(v),
            _ => false,
        }
    }
}

impl Glob {
    fn is(&self, text: &str) -> bool {
        let [first, between @ .., last] = self.0.as_slice() else {
            return self.0.first().is_some_and(|whole| whole == text);
        };
        let middle = text.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str()));
        let Some(mut rest) = middle else { return false };
        between.iter().all(|piece| match rest.split_once(piece.as_str()) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
    }
}

/// `a.{b,c}` as `a.b` and `a.c`; quoted text is left alone.
fn unfolded(text: &str) -> Result<Vec<String>, &'static str> {
    let mut done = Vec::new();
    let mut open = vec![text.to_owned()];
    while let Some(next) = open.pop() {
        let Some((before, choices, after)) = first_braces(&next)? else {
            done.push(next);
            continue;
        };
        open.extend(choices.iter().rev().map(|choice| format!("{before}{choice}{after}")));
        if open.len() + done.len() > MOST_ALTERNATIVES {
            return Err("its braces unfold to too many alternatives");
        }
    }
    Ok(done)
}

/// What stands before the first outermost braces, the choices within, and what follows.
type Braces<'t> = Option<(&'t str, Vec<&'t str>, &'t str)>;

fn first_braces(text: &str) -> Result<Braces<'_>, &'static str> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let (mut opened, mut cuts) = (0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '{' => {
                if depth == 0 {
                    opened = at;
                    cuts.push(at + 1);
                }
                depth += 1;
            }
            ',' if depth == 1 => cuts.push(at + 1),
            '}' if depth == 0 => return Err("a `}` closes nothing"),
            '}' => {
                depth -= 1;
                if depth == 0 {
                    cuts.push(at + 1);
                    let choices = cuts.windows(2).filter_map(|cut| match cut {
                        [from, to] => text.get(*from..to - 1),
                        _ => None,
                    });
                    let around = text.get(..opened).zip(text.get(at + 1..));
                    return Ok(around.map(|(before, after)| (before, choices.collect(), after)));
                }
            }
            _ => {}
        }
    }
    if depth > 0 { Err("a `{` is never closed") } else { Ok(None) }
}

/// The segments of a pattern without braces.
fn segments(text: &str) -> Result<Vec<Segment>, &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    let (mut found, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (segment, after) = bracket(inside)?;
            found.push(segment);
            rest = after;
            continue;
        }
        if !found.is_empty() {
            rest = rest.strip_prefix('.').ok_or("a `.` or `[` is missing")?;
        }
        let end = rest.find(['.', '[', ']', '"']).unwrap_or(rest.len());
        let (key, after) = rest.split_at_checked(end).ok_or("it cannot be read")?;
        found.push(match key {
            "" => return Err("a key is empty or has an unexpected character (quote it: `[\"…\"]`)"),
            "**" => Segment::AnyDepth,
            "*" => Segment::AnyStep,
            key if key.chars().any(char::is_control) => return Err("it has a control character"),
            key => Segment::Key(glob(key)),
        });
        rest = after;
    }
    if found.last() == Some(&Segment::AnyDepth) {
        return Err("after `**` a key must follow");
    }
    Ok(found)
}

/// What stands in brackets, up to and with the closing one.
fn bracket(inside: &str) -> Result<(Segment, &str), &'static str> {
    if let Some((quoted, rest)) = quoted(inside)? {
        let rest = rest.strip_prefix(']').ok_or("a `]` is missing")?;
        return Ok((Segment::Key(Glob(vec![quoted])), rest));
    }
    let (field, rest) = inside
        .find(['=', ']', '[', '"'])
        .and_then(|end| inside.split_at_checked(end))
        .ok_or("a `]` is missing")?;
    if let Some(rest) = rest.strip_prefix(']') {
        let segment = match field.parse() {
            Ok(index) => Segment::Index(index),
            Err(_) if field == "*" => Segment::AnyItem,
            Err(_) => return Err("in brackets stands `*`, an index, a quoted key or `field=value`"),
        };
        return Ok((segment, rest));
    }
    let value = rest.strip_prefix('=').ok_or("a `]` is missing")?;
    if field.is_empty() {
        return Err("the field before `=` is empty");
    }
    let (value, rest) = match quoted(value)? {
        Some((value, rest)) => (Glob(vec![value]), rest.strip_prefix(']').ok_or("a `]` is missing")?),
        None => value.split_once(']').map(|(value, rest)| (glob(value), rest)).ok_or("a `]` is missing")?,
    };
    Ok((Segment::Item { field: field.to_owned(), value }, rest))
}

/// A JSON string at the start of the text, and what follows it.
fn quoted(text: &str) -> Result<Option<(String, &str)>, &'static str> {
    if !text.starts_with('"') {
        return Ok(None);
    }
    let mut escaped = false;
    let end = text.char_indices().skip(1).find_map(|(at, c)| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(at + 1)
    });
    end.and_then(|end| text.split_at_checked(end))
        .and_then(|(string, rest)| Some((serde_json::from_str(string).ok()?, rest)))
        .map(Some)
        .ok_or("a quoted part is not a JSON string")
}

fn glob(text: &str) -> Glob {
    Glob(text.split('*').map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        reason = "tests may"
    )]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pattern_names_paths_by_their_steps() {
        let table = [
            ("image.tag", "image.tag", true),
            ("image.tag", "app.image.tag", false),
            ("image.{tag,digest}", "image.digest", true),
            ("image.{tag,digest}", "image.repository", false),
            ("{image.tag,model.{version,digest}}", "model.digest", true),
            ("{image.tag,model.{version,digest}}", "image.tag", true),
            ("**.tag", "tag", true),
            ("**.tag", "a.b[name=c].image.tag", true),
            ("**.tag", "a.tags", false),
            ("a.**.tag", "a.tag", true),
            ("a.**.b.**.tag", "a.x.b.y.b.tag", true),
            ("*.tag", "image.tag", true),
            ("*.tag", "a.image.tag", false),
            ("*.*", "l[0]", true),
            ("*Image.tag", "initImage.tag", true),
            ("*Image.tag", "Image.tag", true),
            ("*Image.tag", "imageX.tag", false),
            ("a*b*c", "axxbxxc", true),
            ("a*b*c", "ac", false),
            ("ab*ba", "aba", false),
            ("images[name=acme/app].newTag", "images[name=acme/app].newTag", true),
            ("images[name=acme/*].newTag", "images[name=acme/app].newTag", true),
            ("images[name={a,b}].newTag", "images[name=b].newTag", true),
            ("images[name=acme/app].newTag", "images[id=acme/app].newTag", false),
            ("images[*].newTag", "images[0].newTag", true),
            ("images[*].newTag", "images.x.newTag", false),
            ("images[1].newTag", "images[1].newTag", true),
            ("[\"a.b\"].tag", "[\"a.b\"].tag", true),
            ("[\"a{b,c}*\"]", "[\"a{b,c}*\"]", true),
            ("l[name=\"x]*\"].tag", "l[name=\"x]*\"].tag", true),
            ("l[name=\"x]*\"].tag", "l[name=\"x]y\"].tag", false),
        ];
        for (pattern, path, named) in table {
            let path = KeyPath::parse(path).unwrap();
            assert_eq!(Pattern::parse(pattern).unwrap().names(&path), named, "{pattern} on {path}");
        }
    }

    #[test]
    fn what_names_no_pins_is_refused_with_a_reason() {
        let table = [
            ("", "empty"),
            ("a..b", "key is empty"),
            (".a", "key is empty"),
            ("a.", "key is empty"),
            ("a.{b", "never closed"),
            ("a}", "closes nothing"),
            ("a[", "`]` is missing"),
            ("a[x]", "in brackets"),
            ("a[=x]", "field"),
            ("a[n=x", "`]` is missing"),
            ("a[\"x]", "JSON string"),
            ("a.**", "after `**`"),
            ("a[0]b", "`.` or `[`"),
            ("{,}", "empty"),
        ];
        for (pattern, why) in table {
            let failure = Pattern::parse(pattern).unwrap_err().to_string();
            assert!(failure.contains(why), "{pattern}: {failure}");
        }
    }

    #[test]
    fn hostile_patterns_end_quickly() {
        let braces = "{a,b}".repeat(64);
        assert!(Pattern::parse(&braces).unwrap_err().to_string().contains("too many"));
        let nested = format!("{}a{}", "{".repeat(5000), "}".repeat(5000));
        let _ = Pattern::parse(&nested);
        let deep = Pattern::parse(&format!("{}x", "**.a.".repeat(200))).unwrap();
        let path = (0..400).fold(KeyPath::root(0), |path, _| path.key("a"));
        assert!(!deep.names(&path));
        let stars = Pattern::parse(&format!("{}b", "a*".repeat(500))).unwrap();
        assert!(!stars.names(&KeyPath::root(0).key(&"a".repeat(5000))));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_a_pattern_or_refused(text in "[a-c.*{},\\[\\]=\"\\\\0\\PC]{0,24}") {
            let _ = Pattern::parse(&text);
        }

        #[test]
        fn a_path_written_down_names_itself(keys in prop::collection::vec("[a-z]{1,5}", 1..5)) {
            let path = keys.iter().fold(KeyPath::root(0), |path, key| path.key(key));
            prop_assert!(Pattern::parse(&path.to_string()).unwrap().names(&path));
            let deep = format!("**.{}", keys.last().unwrap());
            prop_assert!(Pattern::parse(&deep).unwrap().names(&path));
        }
    }
}
