//! Commits and tags, read from their raw bytes.
//!
//! Pure. Read here and not by libgit2 because one malformed author line, years ago, must not stop a
//! promotion, and because a walk over all history needs three fields and no more.
//! Nothing in a commit is trusted: text comes back as it is and is escaped where it is shown.

use git2::Oid;
use jiff::Timestamp;

use crate::names::CommitSha;

/// A commit, as people know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitInfo {
    /// Its id.
    pub sha: CommitSha,
    /// Its parents, the first one first.
    pub parents: Vec<CommitSha>,
    /// Who wrote it.
    pub author_name: String,
    /// Their address.
    pub author_email: String,
    /// When it was committed.
    pub committed_at: Timestamp,
    /// The whole message; bytes that are not UTF-8 are replaced.
    pub message: String,
}

/// What an annotated tag says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagInfo {
    /// When it was made; very old tags do not say.
    pub tagged_at: Option<Timestamp>,
    /// Who made it.
    pub tagger: Option<String>,
}

/// What a walk over history needs of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Links {
    pub(super) tree: Oid,
    pub(super) parents: Vec<Oid>,
    /// Seconds since 1970, as the committer's clock had it.
    pub(super) time: i64,
}

/// The links of a commit; `None` when these bytes are none.
pub(super) fn links(bytes: &[u8]) -> Option<Links> {
    let mut tree = None;
    let mut parents = Vec::new();
    let mut time = 0;
    for (key, value) in headers(bytes) {
        match key {
            b"tree" if tree.is_none() => tree = Some(id(value)?),
            b"parent" => parents.push(id(value)?),
            b"committer" => time = Person::parse(value).time.unwrap_or(0),
            _ => {}
        }
    }
    Some(Links { tree: tree?, parents, time })
}

/// The commit `sha` whose bytes these are; `None` when they are none.
pub(super) fn commit_info(sha: CommitSha, bytes: &[u8]) -> Option<CommitInfo> {
    let parents = links(bytes)?.parents.into_iter().map(|parent| super::sha(parent).ok()).collect();
    let author = value(bytes, b"author").map(Person::parse).unwrap_or_default();
    let committer = value(bytes, b"committer").map(Person::parse).unwrap_or_default();
    let latin = value(bytes, b"encoding")
        .is_some_and(|name| name.eq_ignore_ascii_case(b"iso-8859-1") || name.eq_ignore_ascii_case(b"latin1"));
    let text = |bytes: &[u8]| {
        if latin {
            bytes.iter().copied().map(char::from).collect()
        } else {
            String::from_utf8_lossy(bytes).into_owned()
        }
    };
    Some(CommitInfo {
        sha,
        parents: Option::<Vec<_>>::unwrap_or_default(parents),
        author_name: text(author.name),
        author_email: text(author.email),
        committed_at: timestamp(committer.time.unwrap_or(0)),
        message: text(message(bytes)),
    })
}

/// What the tag object points at; `None` when these bytes are no tag.
pub(super) fn tagged(bytes: &[u8]) -> Option<Oid> {
    value(bytes, b"object").and_then(id)
}

/// The tag object's own words.
pub(super) fn tag_info(bytes: &[u8]) -> TagInfo {
    let tagger = value(bytes, b"tagger").map(Person::parse).unwrap_or_default();
    let name = String::from_utf8_lossy(tagger.name).into_owned();
    TagInfo { tagged_at: tagger.time.map(timestamp), tagger: (!name.is_empty()).then_some(name) }
}

/// The header's lines as key and value; continued lines (signatures) are left out.
fn headers(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    bytes.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty()).filter_map(|line| {
        let space = line.iter().position(|byte| *byte == b' ')?;
        let (key, value) = line.split_at_checked(space)?;
        (!key.is_empty()).then_some((key, value.get(1..)?))
    })
}

/// The first value of a header.
fn value<'a>(bytes: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    headers(bytes).find(|(name, _)| *name == key).map(|(_, value)| value)
}

fn id(hex: &[u8]) -> Option<Oid> {
    (hex.len() == 40).then_some(())?;
    Oid::from_str(std::str::from_utf8(hex).ok()?).ok()
}

/// Everything after the first empty line.
fn message(bytes: &[u8]) -> &[u8] {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n");
    end.and_then(|end| bytes.get(end + 2..)).unwrap_or_default()
}

/// Clocks that are out of the calendar's range are taken to its edge.
fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// `Name <address> seconds zone`, as far as it is one.
#[derive(Default)]
struct Person<'a> {
    name: &'a [u8],
    email: &'a [u8],
    time: Option<i64>,
}

impl<'a> Person<'a> {
    fn parse(line: &'a [u8]) -> Self {
        let open = line.iter().position(|byte| *byte == b'<').unwrap_or(line.len());
        let close = line.iter().rposition(|byte| *byte == b'>').unwrap_or(line.len());
        let after = line.get(close + 1..).unwrap_or_default();
        let time =
            std::str::from_utf8(after).ok().and_then(|text| text.split_whitespace().next()?.parse().ok());
        Self {
            name: line.get(..open).unwrap_or_default().trim_ascii(),
            email: line.get(open + 1..close).unwrap_or_default().trim_ascii(),
            time,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use proptest::prelude::*;

    use super::*;

    const TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

    fn sha() -> CommitSha {
        CommitSha::parse(TREE).unwrap()
    }

    #[test]
    fn a_signed_commit_with_two_parents_is_read() {
        let text = format!(
            "tree {TREE}\nparent {TREE}\nparent {TREE}\nauthor A B <a@b.c> 1 +0000\n\
             committer C <c@d> 1700000000 -0330\ngpgsig -----BEGIN\n parent x\n author Mallory <m> 1 +0000\n \n\nfeat: x\n\nbody\n"
        );
        assert_eq!(links(text.as_bytes()).unwrap().parents.len(), 2);
        let info = commit_info(sha(), text.as_bytes()).unwrap();
        assert_eq!((info.author_name.as_str(), info.author_email.as_str()), ("A B", "a@b.c"));
        assert_eq!(info.committed_at.as_second(), 1_700_000_000);
        assert_eq!(info.message, "feat: x\n\nbody\n");
    }

    #[test]
    fn a_malformed_author_does_not_stop_the_reading() {
        for author in
            ["author", "author <>", "author ><", "author A > 9 <", "author A <a> 99999999999999999999 x"]
        {
            let text = format!("tree {TREE}\n{author}\ncommitter C <c> 99999999999999 +0000\n\nm");
            let info = commit_info(sha(), text.as_bytes()).unwrap();
            assert_eq!(info.committed_at, Timestamp::MAX, "{author}");
        }
    }

    #[test]
    fn a_message_in_another_encoding_is_text() {
        let text = [format!("tree {TREE}\nencoding ISO-8859-1\n\n").as_bytes(), b"f\xfcr"].concat();
        assert_eq!(commit_info(sha(), &text).unwrap().message, "für");
        let text = [format!("tree {TREE}\n\n").as_bytes(), b"f\xfcr"].concat();
        assert_eq!(commit_info(sha(), &text).unwrap().message, "f\u{fffd}r");
    }

    #[test]
    fn a_tag_says_who_and_when_where_it_does() {
        let text = format!("object {TREE}\ntype commit\ntag v1\ntagger T <t@t> 1700000000 +0100\n\nv1\n");
        assert_eq!(tagged(text.as_bytes()).unwrap().to_string(), TREE);
        let info = tag_info(text.as_bytes());
        assert_eq!(info.tagger.as_deref(), Some("T"));
        assert_eq!(info.tagged_at.unwrap().as_second(), 1_700_000_000);
        assert_eq!(tag_info(b"object x\n\n"), TagInfo { tagged_at: None, tagger: None });
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), rest in "[<> 0-9a\n-]{0,40}") {
            let _ = links(&bytes);
            let _ = commit_info(sha(), &bytes);
            let _ = tag_info(&bytes);
            let text = format!("tree {TREE}\nauthor {rest}\ncommitter {rest}\n{rest}");
            prop_assert!(commit_info(sha(), text.as_bytes()).is_some() || links(text.as_bytes()).is_none());
        }
    }
}
