//! Which release? Tags read as releases, their evidence judged, the latest successful one chosen.
//!
//! Pure: tags, evidence and the time come in as values; nothing here asks GitHub or git.

pub mod carrier;
pub mod evidence;
pub mod explain;
#[cfg(test)]
mod properties;
pub mod selection;
pub mod shortfall;
pub mod signature;
pub mod version;

use std::collections::HashMap;

use jiff::Timestamp;

use crate::names::CommitSha;
use crate::overlay::Released;
use crate::settings::TagPattern;
use version::Version;

/// A tag, its peeled commit, and the version the tag pattern reads out of it.
#[derive(Debug, Clone)]
pub struct Release {
    /// The tag's name.
    pub tag: String,
    /// The version in it.
    pub version: Version,
    /// The tagged commit, peeled.
    pub commit: CommitSha,
    /// The tag's own object; the commit where the tag is lightweight.
    pub object: CommitSha,
    /// When the tag was made, for annotated tags that are here.
    pub tagged_at: Option<Timestamp>,
    /// Whether GitHub verified its signature, where that was asked.
    pub signed: Option<bool>,
}

impl Release {
    /// What it is called.
    #[must_use]
    pub fn released(&self) -> Released<'_> {
        Released { tag: &self.tag, version: self.version.as_str(), commit: &self.commit }
    }
}

/// A tag as the server lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Its name, without `refs/tags/`.
    pub name: String,
    /// The commit it peels to.
    pub commit: CommitSha,
    /// The object it points at.
    pub object: CommitSha,
}

/// The releases of `app` among `tags`, newest first.
///
/// Where versions tie, the commit that came later comes first, then the name decides. `places` is asked only where some
/// do: it puts the commits of trunk in one order, newest first, in which none comes before what came after it. (Asking
/// two commits for their ancestry is no order: of three, two may be strangers.) A commit without a place comes last.
pub fn releases(
    tags: &[Tag],
    pattern: &TagPattern,
    app: &str,
    places: impl FnOnce() -> HashMap<CommitSha, usize>,
) -> Vec<Release> {
    let mut releases: Vec<Release> = tags.iter().filter_map(|tag| release_of(tag, pattern, app)).collect();
    releases.sort_by(|a, b| b.version.precedence(&a.version).then_with(|| a.tag.cmp(&b.tag)));
    let tie = |a: &Release, b: &Release| a.version.precedence(&b.version).is_eq();
    if releases.iter().zip(releases.iter().skip(1)).any(|(a, b)| tie(a, b)) {
        let places = places();
        let place = |release: &Release| places.get(&release.commit).copied().unwrap_or(usize::MAX);
        for tied in releases.chunk_by_mut(tie) {
            tied.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| a.tag.cmp(&b.tag)));
        }
    }
    releases
}

fn release_of(tag: &Tag, pattern: &TagPattern, app: &str) -> Option<Release> {
    let read = pattern.read(&tag.name)?;
    if read.app.is_some_and(|named| named != app) {
        return None;
    }
    Some(Release {
        tag: tag.name.clone(),
        version: Version::parse(read.version),
        commit: tag.commit.clone(),
        object: tag.object.clone(),
        tagged_at: None,
        signed: None,
    })
}

/// Why no release goes by the name that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotNamed {
    /// No tag, version or commit is called this.
    Unknown,
    /// A tag is called this, but the pattern does not read a release of this app out of it.
    NoRelease,
    /// Several releases are meant: their tags.
    Ambiguous(Vec<String>),
}

/// The release that `name` means: a tag, else a version, else a commit (at least 7 digits).
pub fn named<'r>(releases: &'r [Release], tags: &[Tag], name: &str) -> Result<&'r Release, NotNamed> {
    if let Some(release) = releases.iter().find(|release| release.tag == name) {
        return Ok(release);
    }
    let by_version: Vec<_> = releases.iter().filter(|release| release.version.names(name)).collect();
    let by_commit = || -> Vec<&Release> {
        let name = name.to_ascii_lowercase();
        let hex = name.len() >= 7 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        releases.iter().filter(|release| hex && release.commit.as_str().starts_with(&name)).collect()
    };
    let found = if by_version.is_empty() { by_commit() } else { by_version };
    match found.as_slice() {
        [release] => Ok(release),
        [] if tags.iter().any(|tag| tag.name == name) => Err(NotNamed::NoRelease),
        [] => Err(NotNamed::Unknown),
        several => Err(NotNamed::Ambiguous(several.iter().map(|release| release.tag.clone()).collect())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]
    use super::*;

    fn tag(name: &str, commit: char) -> Tag {
        let commit = CommitSha::parse(&commit.to_string().repeat(40)).unwrap();
        Tag { name: name.into(), commit: commit.clone(), object: commit }
    }

    fn pattern(text: &str) -> TagPattern {
        TagPattern(regex::Regex::new(text).unwrap())
    }

    const DEFAULT: &str = r"^(?:staging[-/])?(?P<version>v?\d+\.\d+\.\d+(?:[-+.][0-9A-Za-z.-]+)?)$";

    #[test]
    fn releases_come_newest_first_whatever_the_order_of_tags() {
        let tags =
            [tag("v1.2.0", 'a'), tag("nonsense", 'b'), tag("staging-v1.10.0", 'c'), tag("v1.9.0", 'd')];
        let mut reversed = tags.to_vec();
        reversed.reverse();
        for tags in [&tags[..], &reversed[..]] {
            let found = releases(tags, &pattern(DEFAULT), "agent", HashMap::new);
            let names: Vec<_> = found.iter().map(|release| release.tag.as_str()).collect();
            assert_eq!(names, ["staging-v1.10.0", "v1.9.0", "v1.2.0"]);
        }
    }

    #[test]
    fn a_tag_of_another_app_is_no_release_of_this_one() {
        let tags = [tag("fraud-agent/v1.0.0", 'a'), tag("support-agent/v2.0.0", 'b')];
        let found =
            releases(&tags, &pattern(r"^(?P<app>[a-z-]+)/(?P<version>v.*)$"), "fraud-agent", HashMap::new);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].version.as_str(), "v1.0.0");
    }

    #[test]
    fn versions_that_tie_are_ordered_by_their_commits() {
        let tags = [tag("1.0.0", 'a'), tag("v1.0.0", 'b')];
        for (newest, place) in [("v1.0.0", [1, 0]), ("1.0.0", [0, 1])] {
            let places = || tags.iter().map(|tag| tag.commit.clone()).zip(place).collect();
            assert_eq!(releases(&tags, &pattern(DEFAULT), "x", places)[0].tag, newest);
        }
    }

    #[test]
    fn many_releases_of_one_version_have_one_order() {
        // Ancestry alone orders no three commits of which two are strangers, and a sort may then never end well.
        let tags: Vec<Tag> =
            ('a'..='f').flat_map(|c| ["v1.0.0+", "1.0.0+"].map(|v| tag(&format!("{v}{c}"), c))).collect();
        let places = || tags.iter().map(|tag| tag.commit.clone()).zip((0..).map(|n| n * 7 % 5)).collect();
        let found = releases(&tags, &pattern(DEFAULT), "x", places);
        let mut turned = tags.clone();
        turned.rotate_left(5);
        let again = releases(&turned, &pattern(DEFAULT), "x", places);
        let names = |found: &[Release]| found.iter().map(|release| release.tag.clone()).collect::<Vec<_>>();
        assert_eq!(names(&found), names(&again));
    }

    #[test]
    fn a_release_is_named_by_tag_version_or_commit() {
        let tags = [tag("staging-v1.0.0", 'a'), tag("staging-v1.1.0", 'b'), tag("other", 'c')];
        let found = releases(&tags, &pattern(DEFAULT), "x", HashMap::new);
        for (name, expected) in [
            ("staging-v1.0.0", Ok("staging-v1.0.0")),
            ("v1.0.0", Ok("staging-v1.0.0")),
            ("1.1.0", Ok("staging-v1.1.0")),
            ("bbbbbbb", Ok("staging-v1.1.0")),
            ("bbbbbb", Err(NotNamed::Unknown)),
            ("v9.9.9", Err(NotNamed::Unknown)),
            ("other", Err(NotNamed::NoRelease)),
        ] {
            assert_eq!(named(&found, &tags, name).map(|release| release.tag.as_str()), expected, "{name}");
        }
    }

    #[test]
    fn a_version_with_two_tags_is_ambiguous_by_name() {
        let tags = [tag("v1.0.0", 'a'), tag("staging-1.0.0", 'b')];
        let found = releases(&tags, &pattern(DEFAULT), "x", HashMap::new);
        assert!(matches!(named(&found, &tags, "1.0.0"), Err(NotNamed::Ambiguous(two)) if two.len() == 2));
    }
}
