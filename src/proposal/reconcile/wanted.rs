//! What the promotion wants of GitHub.

use crate::proposal::{CheckText, Draft};

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// A release, or none.
    pub what: What<'a>,
    /// What the check of an open promotion says while its release is not successful.
    pub held: &'a CheckText,
}

/// A release, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What<'a> {
    /// This release.
    Release(Release<'a>),
    /// The target runs what could be promoted, or something newer.
    Nothing,
    /// No release is successful now, and the open promotion, if there is one, is not proven any more.
    Unproven,
}

/// A release as its pull request should show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release<'a> {
    /// The tag, as it stands in the trailers of the commit.
    pub tag: &'a str,
    /// [`crate::proposal::plan_digest`] of the plan.
    pub digest: &'a str,
    /// The title, with what people added to the one that is there.
    pub title: &'a str,
    /// The body, with what people added to the one that is there.
    pub body: &'a str,
    /// What its check says.
    pub check: &'a CheckText,
    /// Whether it is opened as a draft.
    pub draft: Draft,
    /// Whether policy keeps it from being merged.
    pub blocked: bool,
    /// Whether it is to merge by itself once it may.
    pub auto_merge: bool,
    /// Whether somebody asked for this release by name.
    pub asked: Asked,
}

/// Whether a release was asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// `tag` names it.
    ByName,
    /// It was found.
    No,
}
