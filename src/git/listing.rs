//! What refs does the server have? The advertisement of smart HTTP, read into values.
//!
//! Pure: bytes in, values out. Read here and not by libgit2, whose binding panics on names that are
//! not UTF-8; a name that is no legal ref name is left out, since nothing can be done with it.
//! Format: gitprotocol-http(5) and gitprotocol-pack(5), version 0.

use std::collections::{BTreeMap, HashMap};

use crate::names::{BranchName, CommitSha, is_ref_name};

/// The server's branches and tags at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// What `HEAD` points at; none when it is detached or points at a branch that is not there.
    pub default_branch: Option<BranchName>,
    /// Branches by name, without `refs/heads/`.
    pub branches: BTreeMap<String, CommitSha>,
    /// Tags, in the server's order (by name).
    pub tags: Vec<ListedTag>,
}

/// One tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedTag {
    /// The name, without `refs/tags/`.
    pub name: String,
    /// What it finally points at: a commit, but for the rare tag of a tree or blob.
    pub commit: CommitSha,
    /// What the ref itself points at: the tag object, or the commit when the tag is lightweight.
    pub object: CommitSha,
}

/// An advertisement: the listing, and what the server says it can do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Advertisement {
    pub(super) listing: Listing,
    pub(super) capabilities: String,
}

/// One pkt-line: its payload, or the flush between sections.
enum Packet<'a> {
    Flush,
    Line(&'a [u8]),
}

/// Splits the first pkt-line off; `None` when the bytes are cut or no pkt-lines at all.
fn packet(bytes: &[u8]) -> Option<(Packet<'_>, &[u8])> {
    let (length, rest) = bytes.split_at_checked(4)?;
    let length = usize::from_str_radix(std::str::from_utf8(length).ok()?, 16).ok()?;
    if length == 0 {
        return Some((Packet::Flush, rest));
    }
    let (line, rest) = rest.split_at_checked(length.checked_sub(4)?)?;
    Some((Packet::Line(line.strip_suffix(b"\n").unwrap_or(line)), rest))
}

/// Reads an answer of `info/refs?service=git-upload-pack`.
///
/// `Err` says in a phrase what is wrong with it.
pub(super) fn parse(mut bytes: &[u8]) -> Result<Advertisement, String> {
    let cut = || "the list of refs is cut short".to_owned();
    let mut found = Refs::default();
    let mut capabilities = String::new();
    let mut first = true;
    let mut flushes = 0;
    // The first flush ends the service announcement, the second the refs.
    while flushes < 2 {
        let (packet, rest) = packet(bytes).ok_or_else(cut)?;
        bytes = rest;
        let Packet::Line(line) = packet else {
            flushes += 1;
            continue;
        };
        if line.starts_with(b"# ") || line.starts_with(b"shallow ") {
            continue;
        }
        if let Some(said) = line.strip_prefix(b"ERR ") {
            return Err(String::from_utf8_lossy(said).escape_debug().take(300).collect());
        }
        if line.starts_with(b"version 2") {
            return Err("it speaks only version 2 of git's protocol".to_owned());
        }
        let mut parts = line.splitn(2, |byte| *byte == 0);
        let reference = parts.next().unwrap_or_default();
        if std::mem::take(&mut first) {
            capabilities = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
        }
        found.add(reference)?;
    }
    if let Some(format) = capability(&capabilities, "object-format=").find(|format| *format != "sha1") {
        return Err(format!("its objects are `{}`, not SHA-1", format.escape_debug()));
    }
    let head = capability(&capabilities, "symref=HEAD:").next().map(str::to_owned);
    Ok(Advertisement { listing: found.listing(head.as_deref()), capabilities })
}

/// The values of every capability that begins with `prefix`.
fn capability<'a>(capabilities: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    capabilities.split(' ').filter_map(move |word| word.strip_prefix(prefix))
}

#[derive(Default)]
struct Refs {
    branches: BTreeMap<String, CommitSha>,
    tags: Vec<(String, CommitSha)>,
    peeled: HashMap<String, CommitSha>,
}

impl Refs {
    fn add(&mut self, line: &[u8]) -> Result<(), String> {
        let wrong = || {
            let shown: Vec<u8> = line.escape_ascii().take(120).collect();
            format!("`{}` is no line of a list of refs", String::from_utf8_lossy(&shown))
        };
        let mut parts = line.splitn(2, |byte| *byte == b' ');
        let id = parts.next().and_then(|id| std::str::from_utf8(id).ok()).ok_or_else(wrong)?;
        let id = CommitSha::parse(id).map_err(|_| wrong())?;
        let Some(name) = parts.next() else { return Err(wrong()) };
        let Ok(name) = std::str::from_utf8(name) else { return Ok(()) };
        if let Some(branch) = name.strip_prefix("refs/heads/") {
            if is_ref_name(branch) {
                self.branches.insert(branch.to_owned(), id);
            }
        } else if let Some(tag) = name.strip_prefix("refs/tags/") {
            if let Some(tag) = tag.strip_suffix("^{}") {
                self.peeled.insert(tag.to_owned(), id);
            } else if is_ref_name(tag) {
                self.tags.push((tag.to_owned(), id));
            }
        }
        Ok(())
    }

    fn listing(mut self, head: Option<&str>) -> Listing {
        let default_branch = head
            .and_then(|head| head.strip_prefix("refs/heads/"))
            .filter(|branch| self.branches.contains_key(*branch))
            .and_then(|branch| BranchName::parse(branch).ok());
        let peeled = &mut self.peeled;
        let tags = self
            .tags
            .into_iter()
            .map(|(name, object)| {
                let commit = peeled.remove(&name).unwrap_or_else(|| object.clone());
                ListedTag { name, commit, object }
            })
            .collect();
        Listing { default_branch, branches: self.branches, tags }
    }
}

/// An advertisement of exactly these refs, for libgit2 to choose from.
pub(super) fn advertise(capabilities: &str, refs: &[(String, CommitSha)]) -> Vec<u8> {
    let mut bytes = line("# service=git-upload-pack\n");
    bytes.extend_from_slice(b"0000");
    for (index, (name, id)) in refs.iter().enumerate() {
        let said = if index == 0 { format!("\0{capabilities}") } else { String::new() };
        bytes.extend(line(&format!("{id} {name}{said}\n")));
    }
    bytes.extend_from_slice(b"0000");
    bytes
}

fn line(text: &str) -> Vec<u8> {
    format!("{:04x}{text}", text.len() + 4).into_bytes()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]
    use proptest::prelude::*;

    use super::*;

    fn id(digit: char) -> CommitSha {
        CommitSha::parse(&digit.to_string().repeat(40)).unwrap()
    }

    fn raw(lines: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = line("# service=git-upload-pack\n");
        bytes.extend_from_slice(b"0000");
        for text in lines {
            bytes.extend(format!("{:04x}", text.len() + 4).bytes().chain(text.iter().copied()));
        }
        bytes.extend_from_slice(b"0000");
        bytes
    }

    #[test]
    fn branches_tags_and_head_are_read_and_tags_are_peeled() {
        let a = "a".repeat(40);
        let b = "b".repeat(40);
        let bytes = raw(&[
            format!("{a} HEAD\0multi_ack symref=HEAD:refs/heads/main object-format=sha1\n").into_bytes(),
            format!("{a} refs/heads/main\n").into_bytes(),
            format!("{a} refs/pull/1/head\n").into_bytes(),
            format!("{b} refs/tags/v1\n").into_bytes(),
            format!("{a} refs/tags/v1^{{}}\n").into_bytes(),
            format!("{a} refs/tags/v2\n").into_bytes(),
        ]);
        let listing = parse(&bytes).unwrap().listing;
        assert_eq!(listing.default_branch.unwrap().as_str(), "main");
        assert_eq!(listing.branches, BTreeMap::from([("main".to_owned(), id('a'))]));
        assert_eq!(
            listing.tags,
            [
                ListedTag { name: "v1".into(), commit: id('a'), object: id('b') },
                ListedTag { name: "v2".into(), commit: id('a'), object: id('a') },
            ]
        );
    }

    #[test]
    fn a_name_that_is_no_ref_name_is_left_out() {
        let bytes = raw(&[
            [b"a".repeat(40).as_slice(), b" refs/heads/\xff\0caps"].concat(),
            [b"a".repeat(40).as_slice(), b" refs/heads/a..b"].concat(),
            [b"a".repeat(40).as_slice(), b" refs/tags/\x1b[31m"].concat(),
        ]);
        assert_eq!(parse(&bytes).unwrap().listing, Listing::default());
    }

    #[test]
    fn an_empty_repository_lists_nothing() {
        let bytes = raw(&[format!("{} capabilities^{{}}\0caps", "0".repeat(40)).into_bytes()]);
        assert_eq!(parse(&bytes).unwrap().listing, Listing::default());
        assert_eq!(parse(&raw(&[])).unwrap().listing, Listing::default());
    }

    #[test]
    fn a_head_that_is_not_there_is_no_default_branch() {
        let bytes =
            raw(&[format!("{} refs/heads/x\0symref=HEAD:refs/heads/gone", "a".repeat(40)).into_bytes()]);
        assert_eq!(parse(&bytes).unwrap().listing.default_branch, None);
    }

    #[test]
    fn a_list_that_is_cut_or_of_another_kind_is_refused() {
        let whole = raw(&[format!("{} refs/heads/x\0caps", "a".repeat(40)).into_bytes()]);
        for length in 0..whole.len() {
            assert!(parse(&whole[..length]).is_err(), "{length}");
        }
        let sha256 = raw(&[format!("{} refs/heads/x\0object-format=sha256", "a".repeat(64)).into_bytes()]);
        assert!(parse(&sha256).unwrap_err().contains("sha256"));
        assert!(parse(b"<!DOCTYPE html>").is_err());
        assert!(parse(&raw(&[b"ERR access denied".to_vec()])).unwrap_err().contains("access denied"));
    }

    #[test]
    fn what_is_advertised_is_what_is_read() {
        let refs = [("refs/heads/main".to_owned(), id('a')), ("refs/heads/x".to_owned(), id('b'))];
        let read = parse(&advertise("ofs-delta thin-pack", &refs)).unwrap();
        assert_eq!(read.capabilities, "ofs-delta thin-pack");
        assert_eq!(read.listing.branches.len(), 2);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[0-9a-f]{4}.{0,60}") {
            let _ = parse(&bytes);
            let _ = parse(text.as_bytes());
            let _ = parse(&raw(&[bytes]));
        }
    }
}
