//! A pin's value that follows from the release itself: `{tag}`, `release-{version}`, `{commit}`.
//!
//! For what staging does not pin: it may follow a branch where prod names a tag. The text is made from the
//! release that was tested, and from nothing else.

use regex::Regex;

use crate::failure::{Failure, Kind, Result};
use crate::names::CommitSha;

/// What a release is called.
#[derive(Debug, Clone, Copy)]
pub struct Released<'r> {
    /// Its tag.
    pub tag: &'r str,
    /// The version in the tag.
    pub version: &'r str,
    /// The tagged commit.
    pub commit: &'r CommitSha,
}

/// How a pin's value is made.
#[derive(Debug, Clone)]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
    /// The same, to read a value back.
    reader: Regex,
}

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Tag,
    Version,
    Commit,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// A word in braces that stands for nothing, and a text without any: what never changes is no version.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |why: &str| {
            let message = format!("`{}` makes no value: {why}", text.escape_debug());
            Failure::new(Kind::Settings, message)
                .hinted("`{tag}`, `{version}` and `{commit}` stand for what the release is called")
        };
        let (mut pieces, mut rest, mut reader) = (Vec::new(), text, String::from("^"));
        while let Some((before, after)) = rest.split_once('{') {
            let (word, after) = after.split_once('}').ok_or_else(|| wrong("a `{` is never closed"))?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
                reader.push_str(&regex::escape(before));
            }
            let (piece, pattern) = match word {
                "tag" => (Piece::Tag, "(.+?)"),
                "version" => (Piece::Version, "(.+?)"),
                "commit" => (Piece::Commit, "([0-9a-f]{7,64})"),
                _ => return Err(wrong(&format!("`{{{}}}` stands for nothing", word.escape_debug()))),
            };
            pieces.push(piece);
            reader.push_str(pattern);
            rest = after;
        }
        if pieces.iter().all(|piece| matches!(piece, Piece::Text(_))) {
            return Err(wrong("it would be the same for every release"));
        }
        if text.chars().any(char::is_control) {
            return Err(wrong("it has a control character"));
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        reader.push_str(&regex::escape(rest));
        reader.push('$');
        let reader = Regex::new(&reader).map_err(|error| wrong("it is too long").because(error))?;
        Ok(Self { text: text.to_owned(), pieces, reader })
    }

    /// The template as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The value for a release.
    pub fn filled(&self, release: Released<'_>) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Tag => release.tag.to_owned(),
            Piece::Version => release.version.to_owned(),
            Piece::Commit => release.commit.as_str().to_owned(),
        };
        self.pieces.iter().map(piece).collect()
    }

    /// What a value says of its release: the text that stands where the first name would.
    pub fn told<'t>(&self, value: &'t str) -> Option<&'t str> {
        Some(self.reader.captures(value)?.get(1)?.as_str())
    }
}

/// Equal when they are written alike.
impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Template {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests may")]
    use proptest::prelude::*;

    use super::*;

    const COMMIT: &str = "3f1c9abd00112233445566778899aabbccddeeff";

    #[test]
    fn a_value_is_made_of_the_release_and_read_back() {
        let commit = CommitSha::parse(COMMIT).unwrap();
        let release = Released { tag: "agent/v1.8.0", version: "v1.8.0", commit: &commit };
        let table = [
            ("{tag}", "agent/v1.8.0", "agent/v1.8.0"),
            ("{version}", "v1.8.0", "v1.8.0"),
            ("release-{version}.x", "release-v1.8.0.x", "v1.8.0"),
            ("sha-{commit}", "sha-3f1c9abd00112233445566778899aabbccddeeff", COMMIT),
            ("{version}-{commit}", "v1.8.0-3f1c9abd00112233445566778899aabbccddeeff", "v1.8.0"),
        ];
        for (text, value, told) in table {
            let template = Template::parse(text).unwrap();
            assert_eq!(template.filled(release), value);
            assert_eq!(template.told(value), Some(told), "{text}");
        }
        assert_eq!(Template::parse("r-{version}").unwrap().told("main"), None);
    }

    #[test]
    fn what_makes_no_value_is_refused_with_a_reason() {
        let table = [
            ("v1", "the same for every release"),
            ("", "the same for every release"),
            ("{sha}", "`{sha}` stands for nothing"),
            ("{tag", "never closed"),
            ("{tag}\n", "control character"),
        ];
        for (text, why) in table {
            let said = Template::parse(text).unwrap_err().to_string();
            assert!(said.contains(why) && said.contains("\nhint: "), "{said}");
        }
    }

    proptest! {
        #[test]
        fn any_text_around_a_name_is_kept(before in "[^{}\\p{Cc}]{0,8}", after in "[^{}\\p{Cc}]{0,8}", version in "[a-z0-9.]{1,8}") {
            let commit = CommitSha::parse(COMMIT).unwrap();
            let template = Template::parse(&format!("{before}{{version}}{after}")).unwrap();
            let filled = template.filled(Released { tag: "t", version: &version, commit: &commit });
            prop_assert_eq!(&filled, &format!("{before}{version}{after}"));
            prop_assert_eq!(template.told(&filled), Some(version.as_str()));
        }
    }
}
