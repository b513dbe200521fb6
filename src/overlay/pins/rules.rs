//! What counts as a pin: the default set, or what a team's settings name instead.

use super::files::Shape;
use super::pattern::Pattern;
use super::scope::Scope;
use super::template::Template;
use super::{Meaning, Pin, chart, helm, kustomize, own};
use crate::failure::{Failure, Kind, Result};
use crate::overlay::editor::document::Node;
use crate::overlay::editor::key_path::KeyPath;

/// How settings name the default set among patterns of their own.
pub const DEFAULT_SET: &str = "default";

/// What counts as a pin.
#[derive(Debug, Clone, Default)]
pub struct PinRules {
    /// As the settings name them; without any, the default set holds.
    rules: Vec<PinRule>,
}

/// One line of `pins`.
#[derive(Debug, Clone)]
pub struct PinRule {
    /// The keys; absent: the default set.
    keys: Option<Pattern>,
    /// The file, as it is called in every overlay or in one; absent: every file.
    file: Option<String>,
    /// How the value is made; absent: it comes from the source overlay.
    value: Option<Template>,
}

impl PinRule {
    /// The pins that a pattern names; the word `default` names the default set.
    ///
    /// # Errors
    ///
    /// A pattern that names nothing; a `value` that makes none, or that has no keys to go to.
    pub fn new(keys: &str, file: Option<&str>, value: Option<&str>) -> Result<Self> {
        let value = value.map(Template::parse).transpose()?;
        let keys = if keys == DEFAULT_SET { None } else { Some(Pattern::parse(keys)?) };
        if keys.is_none() && value.is_some() {
            return Err(Failure::new(Kind::Settings, "`default` has no `value` of its own")
                .hinted("name the keys that get it"));
        }
        Ok(Self { keys, file: file.map(str::to_owned), value })
    }

    /// As the settings write it.
    pub fn as_str(&self) -> &str {
        self.keys.as_ref().map_or(DEFAULT_SET, Pattern::as_str)
    }

    fn names(&self, place: &Place<'_>) -> bool {
        let here = |file: &String| file == place.name || file == place.file;
        self.file.as_ref().is_none_or(here) && self.keys.as_ref().is_none_or(|keys| keys.names(place.path))
    }
}

/// Where a scalar stands, as far as rules ask.
pub(super) struct Place<'p> {
    /// What its file is called in every overlay, and in this one.
    pub(super) name: &'p str,
    pub(super) file: &'p str,
    /// In its part of the file.
    pub(super) path: &'p KeyPath,
}

impl PinRules {
    /// The rules that `pins:` gives; none mean the default set.
    #[must_use]
    pub fn new(rules: Vec<PinRule>) -> Self {
        Self { rules }
    }

    /// Whether these are a team's own patterns, which say more than the default set can guess.
    pub(in crate::overlay) fn are_own(&self) -> bool {
        !self.rules.is_empty()
    }

    /// Whether every pin's value follows from the release, and none comes from the source overlay.
    #[must_use]
    pub fn are_all_given(&self) -> bool {
        self.are_own() && self.rules.iter().all(|rule| rule.value.is_some())
    }

    /// The rules that name none of these pins; of those with a `value`, or of the others.
    pub(in crate::overlay) fn idle(&self, pins: &[Pin], given: Given) -> Vec<&str> {
        let asked = self
            .rules
            .iter()
            .filter(|rule| rule.keys.is_some() && rule.value.is_some() == (given == Given::ByRelease));
        let idle = asked.filter(|rule| !pins.iter().any(|pin| rule.names(&pin.at())));
        idle.map(PinRule::as_str).collect()
    }

    /// What a scalar is, or nothing where it is no pin; and how its value is made, where a rule says so.
    pub(super) fn meaning(
        &self,
        shape: Shape,
        scope: &Scope<'_>,
        place: &Place<'_>,
        node: &Node,
    ) -> Option<(Meaning, Option<Template>)> {
        let known = || match shape {
            Shape::Values => helm::meaning(scope, place.path, node),
            Shape::Kustomization => kustomize::meaning(scope, place.path, node),
            Shape::Chart => chart::meaning(scope, place.path, node),
            Shape::Argo | Shape::Flux | Shape::Lock => None,
        };
        if !self.are_own() {
            return known().map(|meaning| (meaning, None));
        }
        if shape == Shape::Lock {
            return None;
        }
        let named = || self.rules.iter().filter(|rule| rule.names(place));
        let value = named().find_map(|rule| rule.value.clone());
        if named().any(|rule| rule.keys.is_some()) {
            return known().or_else(|| own::meaning(scope, place.path, node)).map(|meaning| (meaning, value));
        }
        named().next().and_then(|_| known()).map(|meaning| (meaning, value))
    }
}

/// Where a pin's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::overlay) enum Given {
    /// From the source overlay.
    BySource,
    /// From the release, by the `value` of a rule.
    ByRelease,
}
