//! The parser's side: a file's text as a stream of tokens, each with its bytes, line and column.
//!
//! The only file that names the parser. It says no more than what stands there, and refuses what no
//! overlay has: other encodings, bottomless nesting, more than is ever read.

use std::borrow::Cow;
use std::ops::Range;

use granit_parser::{Event, Parser, ScanError, Span, StructureStyle, options};

use super::document::ScalarStyle;
use crate::failure::{Failure, Kind, Place, Result};
use crate::names::RepoPath;

/// Deepest nesting that is read. Real overlays stay below 20; 128 levels keep every walk over a tree,
/// dropping it included, within the smallest thread's stack.
pub(super) const MAX_DEPTH: usize = 128;
/// Largest file that is read: a hundred times the largest overlay seen, and what GitHub still shows.
pub(super) const MAX_BYTES: usize = 32 << 20;

/// The file's text, or why it is none.
pub(super) fn text_of<'b>(path: &RepoPath, bytes: &'b [u8]) -> Result<&'b str> {
    let whole = || Place::of(path.as_str());
    if bytes.len() > MAX_BYTES {
        let message = format!("the file has {} MiB; at most {} are read", bytes.len() >> 20, MAX_BYTES >> 20);
        return Err(Failure::at(Kind::Overlay, whole(), message).hinted("split the file"));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Failure::at(Kind::Overlay, whole(), "the file is UTF-16").hinted("save it as UTF-8"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default());
        Failure::at(Kind::Overlay, place_after(path, &before), "the file is not UTF-8")
            .hinted("save it as UTF-8")
            .because(error)
    })?;
    if text.starts_with("\u{feff}\u{feff}") {
        return Err(Failure::at(
            Kind::Overlay,
            Place::at(path.as_str(), 1, 1),
            "the file has two byte-order marks",
        )
        .hinted("save it with one or none"));
    }
    refuse_unseen_breaks(path, text)?;
    Ok(text)
}

/// Line breaks to YAML 1.1, and so to Helm and Kustomize, and text to YAML 1.2: what follows one in a comment is a
/// key to some readers.
fn refuse_unseen_breaks(path: &RepoPath, text: &str) -> Result<()> {
    let Some((at, c)) = text.char_indices().find(|(_, c)| matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}'))
    else {
        return Ok(());
    };
    let code = u32::from(c);
    let message = format!("an invisible line break (U+{code:04X}) stands here");
    let hint = format!(
        "readers disagree whether this character ends a line; take it out, or write it as `\\u{code:04x}` in double quotes"
    );
    Err(Failure::at(Kind::Overlay, place_after(path, text.get(..at).unwrap_or_default()), message)
        .hinted(hint))
}

/// The place right after a text.
fn place_after(path: &RepoPath, before: &str) -> Place {
    let before = before.strip_prefix('\u{feff}').unwrap_or(before);
    let breaks = before.matches(['\n', '\r']).count() - before.matches("\r\n").count();
    let column = before.rsplit(['\n', '\r']).next().map_or(0, |line| line.chars().count());
    let number = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
    Place::at(path.as_str(), number(breaks), number(column))
}

/// One step of the parser through a file.
#[derive(Debug)]
pub struct Token<'t> {
    /// What it is.
    pub part: Part<'t>,
    /// Its bytes in the text.
    pub span: Range<usize>,
    /// 1-based line.
    pub line: u32,
    /// 1-based column, in characters.
    pub column: u32,
    /// Rare, and therefore elsewhere: millions of tokens are passed on.
    pub(super) anchor: Option<Box<NewAnchor>>,
    /// The resolved tag and where it starts.
    pub(super) tag: Option<Box<(String, usize)>>,
}

#[derive(Debug)]
pub(super) struct NewAnchor {
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) start: usize,
}

/// What a token is.
#[derive(Debug, PartialEq, Eq)]
pub enum Part<'t> {
    /// A document begins.
    Document {
        /// Whether with `---`.
        explicit: bool,
        /// What `%YAML` says.
        version: Option<(u32, u32)>,
    },
    /// A scalar.
    Scalar {
        /// Its text after unescaping and folding; empty where it is left out.
        text: Cow<'t, str>,
        /// How it is written.
        style: ScalarStyle,
    },
    /// `*name`.
    Alias {
        /// The number of the anchor.
        anchor: usize,
    },
    /// A list begins.
    Sequence {
        /// Whether as `[…]`.
        flow: bool,
    },
    /// A mapping begins.
    Mapping {
        /// Whether as `{…}`.
        flow: bool,
    },
    /// The innermost list or mapping ends.
    End,
}

/// The tokens of a text, in order; after an error there are no more.
pub fn tokens<'t>(path: &'t RepoPath, text: &'t str) -> impl Iterator<Item = Result<Token<'t>>> + 't {
    let options = options! {
        emit_comments: false,
        block_scalar_eof_without_line_feed: true,
        emit_anchor_events: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut failed = false;
    std::iter::from_fn(move || {
        while !failed {
            let (event, span) = match parser.next_event()? {
                Ok(next) => next,
                Err(error) => {
                    failed = true;
                    return Some(Err(unreadable(path, error)));
                }
            };
            // Looking ahead costs as much as a token, and few nodes have an anchor.
            let is_anchored = event.anchor_id().is_some();
            let Some(mut token) = token_of(event, span) else { continue };
            if is_anchored && let Some(Ok((Event::Anchor(number, name), span))) = parser.peek() {
                let start = offsets(span).start;
                token.anchor = Some(Box::new(NewAnchor { number: *number, name: name.to_string(), start }));
            }
            if token.tag.as_ref().is_some_and(|tag| runs_on(text, tag.1)) {
                failed = true;
                let place = Place::at(path.as_str(), token.line, token.column);
                let message = "a tag runs into a comma or bracket";
                return Some(Err(Failure::at(Kind::Overlay, place, message)
                    .hinted("YAML readers disagree about where such a tag ends; put a blank after it")));
            }
            return Some(Ok(token));
        }
        None
    })
}

/// Whether what is written without a blank after a tag's start is more than the tag to some readers.
fn runs_on(text: &str, start: usize) -> bool {
    let tag = text.get(start..).unwrap_or_default();
    let tag =
        tag.strip_prefix("!<").and_then(|verbatim| verbatim.split_once('>')).map_or(tag, |(_, rest)| rest);
    tag.chars().take_while(|c| !c.is_whitespace()).any(|c| matches!(c, ',' | '[' | ']' | '{' | '}'))
}

fn token_of(event: Event<'_>, span: Span) -> Option<Token<'_>> {
    let mut bytes = offsets(&span);
    let (part, tag) = match event {
        Event::DocumentStart(explicit, version) => {
            (Part::Document { explicit, version: version.map(|v| (v.major, v.minor)) }, None)
        }
        Event::Scalar(text, style, _, tag) => {
            let left_out = bytes.is_empty() && style == granit_parser::ScalarStyle::Plain;
            let text = if left_out { Cow::default() } else { text };
            (Part::Scalar { text, style: style_of(style) }, tag)
        }
        Event::Alias(anchor) => (Part::Alias { anchor }, None),
        Event::SequenceStart(style, _, tag) => (Part::Sequence { flow: style == StructureStyle::Flow }, tag),
        Event::MappingStart(style, _, tag) => (Part::Mapping { flow: style == StructureStyle::Flow }, tag),
        Event::SequenceEnd | Event::MappingEnd => (Part::End, None),
        _ => return None,
    };
    if bytes.end < bytes.start {
        bytes.end = bytes.start;
    }
    let tag = tag.map(|tag| {
        let start = span.tag_start().and_then(|mark| mark.byte_offset()).unwrap_or(bytes.start);
        Box::new((format!("{}{}", tag.handle(), tag.suffix()), start))
    });
    let line = u32::try_from(span.start.line()).unwrap_or(u32::MAX);
    let column = u32::try_from(span.start.col() + 1).unwrap_or(u32::MAX);
    Some(Token { part, span: bytes, line, column, anchor: None, tag })
}

fn style_of(style: granit_parser::ScalarStyle) -> ScalarStyle {
    use granit_parser::ScalarStyle as Theirs;
    match style {
        Theirs::Plain => ScalarStyle::Plain,
        Theirs::SingleQuoted => ScalarStyle::SingleQuoted,
        Theirs::DoubleQuoted => ScalarStyle::DoubleQuoted,
        Theirs::Literal => ScalarStyle::Literal,
        Theirs::Folded => ScalarStyle::Folded,
    }
}

/// Parsing from a string always gives byte offsets.
fn offsets(span: &Span) -> Range<usize> {
    span.byte_range().unwrap_or_default()
}

fn unreadable(path: &RepoPath, error: ScanError) -> Failure {
    use granit_parser::ErrorKind;
    let line = u32::try_from(error.marker().line()).unwrap_or(u32::MAX);
    let column = u32::try_from(error.marker().col() + 1).unwrap_or(u32::MAX);
    let place = Place::at(path.as_str(), line, column);
    match error.kind() {
        ErrorKind::RecursionLimitExceeded => too_deep(place),
        ErrorKind::UnknownAnchor => {
            Failure::at(Kind::Overlay, place, "not valid YAML: an alias without an anchor before it")
        }
        _ => Failure::at(Kind::Overlay, place, format!("not valid YAML: {}", error.info()))
            .hinted("an overlay is plain YAML: templates (`{{ … }}`) must stand in quotes"),
    }
    .because(error)
}

pub(super) fn too_deep(place: Place) -> Failure {
    Failure::at(Kind::Overlay, place, format!("nested deeper than {MAX_DEPTH} levels"))
        .hinted("no overlay is nested so deep; make it flatter")
}
