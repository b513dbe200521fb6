//! Addresses in the repository's web pages, and which addresses of others may be linked.
//!
//! Nothing here asks whether a page exists. An address that is no web address, is very long, or would
//! leave a mark on somebody else's issue becomes plain text.

use std::fmt::Write as _;

use url::Url;

use super::markdown::link;
use crate::names::{CommitSha, RepoPath};

/// The longest address that is linked in a pull request, in bytes.
pub const LONGEST: usize = 2_000;

/// The pages of one repository.
#[derive(Debug, Clone)]
pub struct Links<'a> {
    repository: &'a str,
    longest: usize,
}

impl<'a> Links<'a> {
    /// Links below `repository` (`https://github.com/acme/gitops`), none longer than `longest` bytes.
    pub fn of(repository: &'a str, longest: usize) -> Self {
        Self { repository: repository.trim_end_matches('/'), longest }
    }

    /// A commit's page, labelled with its short id.
    pub fn commit(&self, sha: &CommitSha) -> String {
        self.to(&format!("`{}`", sha.short()), &format!("commit/{sha}"))
    }

    /// A tag's page.
    pub fn tag(&self, label: &str, tag: &str) -> String {
        self.to(label, &format!("releases/tag/{}", encoded(tag)))
    }

    /// A pull request, by its number. GitHub leads on to the issue where it is one.
    pub fn pull_request(&self, number: u64) -> String {
        self.to(&number.to_string(), &format!("pull/{number}"))
    }

    /// A folder or file at a revision; of a file, one line.
    pub fn file(&self, label: &str, revision: &str, path: &RepoPath, line: Option<u32>) -> String {
        let anchor = line.map(|line| format!("#L{line}")).unwrap_or_default();
        self.to(label, &format!("blob/{}/{}{anchor}", encoded(revision), encoded(path.as_str())))
    }

    /// What lies between two commits.
    pub fn compare(&self, from: &CommitSha, to: &CommitSha) -> String {
        self.to("compare", &format!("compare/{from}...{to}"))
    }

    /// An address that came from outside, where it may be linked.
    pub fn outside(&self, label: &str, address: Option<&str>) -> String {
        match address {
            Some(address) if !self.marks_another(address) => link(label, address, self.longest),
            _ => label.to_owned(),
        }
    }

    fn to(&self, label: &str, path: &str) -> String {
        if path.len() > self.longest {
            return label.to_owned();
        }
        link(label, &format!("{}/{path}", self.repository), self.longest)
    }

    /// Whether linking the address would show up on an issue or pull request of another repository.
    fn marks_another(&self, address: &str) -> bool {
        let (Ok(url), Ok(own)) = (Url::parse(address), Url::parse(self.repository)) else { return false };
        let mut parts = url.path_segments().into_iter().flatten().filter(|part| !part.is_empty());
        let theirs = [parts.next(), parts.next()].map(|part| part.unwrap_or("").to_ascii_lowercase());
        let mut ours = own.path_segments().into_iter().flatten();
        let ours = [ours.next(), ours.next()].map(|part| part.unwrap_or("").to_ascii_lowercase());
        let host = url.host_str().map(|host| host.trim_start_matches("www."));
        host == own.host_str()
            && theirs != ours
            && parts.next().is_some_and(|page| matches!(page, "issues" | "pull" | "pulls" | "discussions"))
    }
}

/// Percent-encodes what is not plain in a path. What is far too long for a link is not encoded to its end.
fn encoded(path: &str) -> String {
    path.bytes().take(LONGEST + 1).fold(String::with_capacity(path.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use super::*;

    const REPOSITORY: &str = "https://github.com/acme/gitops/";

    #[test]
    fn names_are_encoded_in_addresses() {
        let links = Links::of(REPOSITORY, LONGEST);
        assert_eq!(
            links.tag("x", "@acme/a b#1%)"),
            "[x](https://github.com/acme/gitops/releases/tag/%40acme/a%20b%231%25%29)"
        );
        let path = RepoPath::parse("environments/prod/values.yaml").unwrap();
        assert_eq!(
            links.file("values.yaml:9", "promote/a/prod", &path, Some(9)),
            "[values.yaml:9](https://github.com/acme/gitops/blob/promote/a/prod/environments/prod/values.yaml#L9)"
        );
    }

    #[test]
    fn no_link_marks_an_issue_of_another_repository() {
        let links = Links::of(REPOSITORY, LONGEST);
        for (address, linked) in [
            ("https://github.com/acme/gitops/issues/3", true),
            ("https://github.com/ACME/GitOps/pull/3", true),
            ("https://github.com/acme/app/actions/runs/7", true),
            ("https://ci.example/acme/app/issues/7", true),
            ("https://github.com/acme/app/issues/7", false),
            ("https://github.com//acme/app/pull/7", false),
            ("https://www.github.com/acme/app/discussions/7", false),
        ] {
            assert_eq!(links.outside("x", Some(address)) != "x", linked, "{address}");
        }
    }

    #[test]
    fn a_long_address_is_not_linked() {
        assert_eq!(Links::of(REPOSITORY, 60).tag("x", &"v".repeat(60)), "x");
    }
}
