//! Couples: one versioned thing in the source overlay, the same thing in the target, and what moves.
//!
//! A tag and its digest are one thing and move together (rule 6). What only one side has is left where
//! it is, but for a digest beside a promoted tag. Nothing is edited here; edits are values.

use std::collections::BTreeMap;

use super::Missing;
use super::fixed::{fixed_there_alone, stays_fixed, stays_moving};
use super::unpinned::{is_another_image, no_pin, unpinned};
use crate::failure::{Failure, Kind, Place, Problem, Result};
use crate::overlay::editor::document::{Node, ScalarStyle, Value};
use crate::overlay::editor::edit::Edit;
use crate::overlay::editor::key_path::{KeyPath, Step};
use crate::overlay::editor::quoting::is_string;
use crate::overlay::pins::image::{at_version, has_one_name, named_image, tag_and_digest};
use crate::overlay::pins::layer::Layer;
use crate::overlay::pins::reading::Reading;
use crate::overlay::pins::remote::RemoteRef;
use crate::overlay::pins::rules::PinRules;
use crate::overlay::pins::scope::Scope;
use crate::overlay::pins::{Member, Pin, PinKind};

/// One versioned thing that the target gets from the source.
pub(in crate::overlay) struct Couple<'r> {
    /// The source's pins of it.
    pub(in crate::overlay) source: Vec<&'r Pin>,
    /// The image's repository as the target says it, else as the source does.
    pub(in crate::overlay) repository: Option<String>,
    /// What it is called in the target.
    pub(in crate::overlay) artifact: String,
    /// The target's values by part, before and after.
    pub(in crate::overlay) before: Parts,
    pub(in crate::overlay) after: Parts,
    /// What leads from the one to the other.
    pub(in crate::overlay) edits: Vec<Edit>,
}

/// Where each part of a versioned thing stands, and its version-bearing text.
pub(in crate::overlay) type Parts = BTreeMap<Member, (KeyPath, String)>;

/// Everything two overlays say about each other's pins.
#[derive(Default)]
pub(in crate::overlay) struct Couples<'r> {
    pub(in crate::overlay) found: Vec<Couple<'r>>,
    /// Pins of the source that the target does not get.
    pub(in crate::overlay) left: Vec<&'r Pin>,
    pub(in crate::overlay) warnings: Vec<Problem>,
    problems: Vec<Problem>,
}

/// Finds for each of the source's pins what becomes of it in the target.
pub(in crate::overlay) fn couples<'r>(
    source: &'r Reading<'_>,
    target: &'r Reading<'_>,
    rules: &'r PinRules,
    missing: Missing,
) -> Result<Couples<'r>> {
    let mut meeting = Meeting { source, target, rules, missing, met: Couples::default() };
    let targets = by_group(&target.pins);
    for (group, pins) in by_group(&source.pins) {
        match targets.get(group) {
            Some(counterparts) => meeting.both(&pins, counterparts),
            None => pins.into_iter().for_each(|pin| meeting.source_only(pin)),
        }
    }
    let sources = by_group(&source.pins);
    let target_only = target.pins.iter().filter(|pin| !sources.contains_key(&pin.group));
    meeting.met.warnings.extend(target_only.filter_map(|pin| fixed_there_alone(source, target, pin)));
    let Couples { problems, .. } = &mut meeting.met;
    match Failure::several(Kind::Overlay, std::mem::take(problems)) {
        Some(failure) => Err(failure),
        None => Ok(meeting.met),
    }
}

impl Couple<'_> {
    /// The group that both sides share.
    pub(in crate::overlay) fn group(&self) -> Option<&(String, String)> {
        self.source.first().map(|pin| &pin.group)
    }

    /// The tag or version after the promotion.
    pub(in crate::overlay) fn version_after(&self) -> Option<&str> {
        version_in(&self.after)
    }

    /// The digest after the promotion.
    pub(in crate::overlay) fn digest_after(&self) -> Option<&str> {
        digest_in(&self.after)
    }
}

/// The tag or version among the parts; a revision where there is nothing else.
pub(in crate::overlay) fn version_in(parts: &Parts) -> Option<&str> {
    let of = |member| parts.get(&member).map(|(_, value)| value.as_str());
    let whole = of(Member::Whole).and_then(|value| tag_and_digest(value).0);
    of(Member::Version).or(whole).or_else(|| of(Member::Revision)).filter(|value| !value.is_empty())
}

/// The digest among the parts.
pub(in crate::overlay) fn digest_in(parts: &Parts) -> Option<&str> {
    let of = |member| parts.get(&member).map(|(_, value)| value.as_str());
    let whole = of(Member::Whole).and_then(|value| tag_and_digest(value).1);
    of(Member::Digest).or(whole).filter(|value| !value.is_empty())
}

fn by_group(pins: &[Pin]) -> BTreeMap<&(String, String), Vec<&Pin>> {
    let mut groups: BTreeMap<_, Vec<&Pin>> = BTreeMap::new();
    for pin in pins {
        groups.entry(&pin.group).or_default().push(pin);
    }
    groups
}

struct Meeting<'r, 'o> {
    source: &'r Reading<'o>,
    target: &'r Reading<'o>,
    rules: &'r PinRules,
    missing: Missing,
    met: Couples<'r>,
}

impl<'r> Meeting<'r, '_> {
    /// Both sides pin it.
    fn both(&mut self, source: &[&'r Pin], target: &[&'r Pin]) {
        let (Some(first), Some(theirs)) = (source.first(), target.first()) else { return };
        if !self.rules.are_own() && is_another(first, theirs) {
            self.warn(
                theirs,
                format!(
                    "`{}` is not promoted: it is `{}` in {} and `{}` in {}",
                    theirs.key,
                    first.artifact.escape_debug(),
                    self.source.overlay.environment,
                    theirs.artifact.escape_debug(),
                    self.target.overlay.environment
                ),
                "name it in `pins` to promote it all the same",
            );
            return;
        }
        if (first.member == Member::Whole) != (theirs.member == Member::Whole) {
            self.shapes_differ(first, theirs.place());
            return;
        }
        if let Some(list) = self.uncertain_list(first, theirs) {
            let message = format!(
                "`{}` is not promoted: the items of `{list}` have no names, and there are not as many in {}",
                theirs.key, self.source.overlay.environment
            );
            self.warn(
                theirs,
                message,
                "give the items a `name` in both overlays, and they are matched by it",
            );
            self.met.left.extend(source);
            return;
        }
        if let Some(said) = stays_fixed(self.source, first, theirs) {
            self.met.warnings.push(said);
            return;
        }
        self.met.warnings.extend(stays_moving(self.source, first, theirs));
        let repository = theirs.repository.clone().or_else(|| first.repository.clone());
        let parts: Parts =
            target.iter().map(|pin| (pin.member, (pin.key.clone(), pin.value.clone()))).collect();
        let mut couple = Couple {
            source: source.to_vec(),
            repository,
            artifact: theirs.artifact.clone(),
            before: parts.clone(),
            after: parts,
            edits: Vec::new(),
        };
        for pin in source {
            match target.iter().find(|theirs| theirs.member == pin.member) {
                Some(theirs) => self.set(&mut couple, pin, theirs),
                None => self.beside(&mut couple, pin, target),
            }
        }
        self.stale_digest(&mut couple, source, target);
        self.differently_pinned(source, target);
        self.met.found.push(couple);
    }

    /// The same part in both: the target gets the source's version.
    fn set(&mut self, couple: &mut Couple<'r>, pin: &Pin, theirs: &Pin) {
        if pin.kind == PinKind::ImageReference && pin.digest().is_none() && theirs.digest().is_some() {
            let unchanged = pin.version() == theirs.version();
            self.digest_goes(theirs, pin, unchanged);
            if unchanged {
                return;
            }
        }
        let whole = self.text_at(theirs);
        let text = match (pin.kind, theirs.kind) {
            (PinKind::ImageReference, PinKind::ImageReference) => {
                let text = at_version(&whole, &pin.value);
                if let Some(text) = text.as_deref().filter(|text| named_image(text).is_none()) {
                    return self.no_image(theirs, pin, text);
                }
                text
            }
            (PinKind::RemoteRef, PinKind::RemoteRef) => {
                // A ref that stands alone is all there is.
                Some(
                    RemoteRef::parse(&whole)
                        .map_or_else(|| pin.value.clone(), |remote| remote.at(&pin.value)),
                )
            }
            (PinKind::ImageReference | PinKind::RemoteRef, _)
            | (_, PinKind::ImageReference | PinKind::RemoteRef) => None,
            _ => Some(pin.value.clone()),
        };
        let Some(text) = text else {
            self.shapes_differ(pin, theirs.place());
            return;
        };
        // A number that should have been text is set as well, though its characters are right.
        if text != whole || (!text.is_empty() && self.is_number_at(theirs)) {
            couple.edits.push(Edit::Set { key: theirs.key.clone(), value: text });
        }
        couple.after.insert(theirs.member, (theirs.key.clone(), pin.value.clone()));
    }

    /// The source has a part that the target lacks: only the digest of a promoted tag is added unasked.
    fn beside(&mut self, couple: &mut Couple<'r>, pin: &'r Pin, target: &[&Pin]) {
        let promoted = target.iter().find(|theirs| {
            theirs.member != Member::Digest && couple.source.iter().any(|pin| pin.member == theirs.member)
        });
        let wanted = match (pin.member, promoted) {
            (Member::Digest, Some(_)) => !pin.value.is_empty(),
            _ => self.missing == Missing::Add,
        };
        if wanted && pin.layer == Layer::Parameter {
            self.no_new_item(pin);
            return;
        }
        let place = promoted.or(target.first()).and_then(|theirs| theirs.key.parent());
        match (place, pin.key.steps.last()) {
            (Some(parent), Some(Step::Key(key))) if wanted => {
                couple.after.insert(pin.member, (parent.key(key), pin.value.clone()));
                couple.edits.push(Edit::Add { parent, key: key.clone(), value: pin.value.clone() });
            }
            _ if pin.member == Member::Digest && pin.value.is_empty() => {}
            _ => self.met.left.push(pin),
        }
    }

    /// A digest that only the target has would win over the new tag, silently.
    fn stale_digest(&mut self, couple: &mut Couple<'r>, source: &[&'r Pin], target: &[&'r Pin]) {
        let has = |pins: &[&Pin], member| pins.iter().any(|pin| pin.member == member);
        let Some(digest) = target.iter().find(|pin| pin.member == Member::Digest && !pin.value.is_empty())
        else {
            return;
        };
        let common = source.iter().find(|pin| pin.member != Member::Digest && has(target, pin.member));
        let Some(version) = common.filter(|_| !has(source, Member::Digest)) else { return };
        let unchanged = version_in(&couple.before) == version_in(&couple.after);
        if !unchanged && digest.layer == Layer::Parameter {
            self.stale_parameter(digest);
            return;
        }
        if !unchanged {
            couple.edits.push(Edit::Remove { key: digest.key.clone() });
            couple.after.remove(&Member::Digest);
        }
        self.digest_goes(digest, version, unchanged);
    }

    fn digest_goes(&mut self, digest: &Pin, version: &Pin, unchanged: bool) {
        let source = &self.source.overlay.environment;
        let hint = format!("pin the digest in {source} as well, and it moves with the tag");
        let message = if unchanged {
            format!(
                "the digest of `{}` stays unproven: {source} has none beside `{}`",
                digest.key, version.key
            )
        } else {
            format!(
                "the digest of `{}` is removed: it would win over the new tag, and {source} has none",
                digest.key
            )
        };
        self.warn(digest, message, &hint);
    }

    /// One side has only a tag, the other only a digest: nothing says that they are one release.
    fn differently_pinned(&mut self, source: &[&'r Pin], target: &[&'r Pin]) {
        let common = source.iter().any(|pin| target.iter().any(|theirs| theirs.member == pin.member));
        let (false, Some(first), Some(theirs)) = (common, source.first(), target.first()) else { return };
        let message = format!(
            "`{}` is left alone: {} pins `{}` instead",
            theirs.key, self.source.overlay.environment, first.key
        );
        self.warn(theirs, message, "pin both overlays by tag, or both by tag and digest");
    }

    /// Nothing in the target is called so.
    fn source_only(&mut self, pin: &'r Pin) {
        match unpinned(self.source, self.target, pin) {
            Ok(Some(edit)) if self.missing == Missing::Add => self.added(pin, edit),
            Ok(edit) => {
                if edit.is_none() && self.missing == Missing::Add {
                    let target = &self.target.overlay.environment;
                    let message =
                        format!("`{}` is not added to {target}: what it belongs to is not there", pin.key);
                    self.warn(pin, message, "write it into the target's overlay once, by hand");
                }
                self.met.left.push(pin);
            }
            Err(failure) => self.met.problems.extend(failure.into_problems()),
        }
    }

    fn added(&mut self, pin: &'r Pin, edit: Edit) {
        let key = match &edit {
            Edit::Set { key, .. } | Edit::Remove { key } => key.clone(),
            Edit::Add { parent, key, .. } => parent.key(key),
        };
        let part = (pin.member, (key, pin.value.clone()));
        // Groups come one after the other, so that a tag and its digest meet here again.
        if let Some(couple) = self.met.found.last_mut().filter(|couple| couple.group() == Some(&pin.group)) {
            couple.source.push(pin);
            couple.after.extend([part]);
            couple.edits.push(edit);
            return;
        }
        self.met.found.push(Couple {
            source: vec![pin],
            repository: pin.repository.clone(),
            artifact: pin.artifact.clone(),
            before: Parts::new(),
            after: Parts::from([part]),
            edits: vec![edit],
        });
    }

    /// A parameter without its value would still set it, and items of lists are never removed.
    fn stale_parameter(&mut self, digest: &Pin) {
        let source = &self.source.overlay.environment;
        self.met.problems.push(Problem {
            place: Some(digest.place()),
            message: format!("`{}` would win over the new tag, and {source} has no digest", digest.key),
            hints: vec![format!(
                "remove the parameter (line {}), or write one with the digest in {source} as well",
                digest.line
            )],
        });
    }

    /// A parameter is an item of a list, and only keys are ever added.
    fn no_new_item(&mut self, pin: &'r Pin) {
        let target = &self.target.overlay.environment;
        let message = format!("`{}` is not added to {target}: it would be a new item of a list", pin.key);
        self.warn(pin, message, "write the parameter into the target's overlay once, by hand");
        self.met.left.push(pin);
    }

    /// What settings make of a release need not be what an image can have.
    fn no_image(&mut self, theirs: &Pin, pin: &Pin, text: &str) {
        self.met.problems.push(Problem {
            place: Some(theirs.place()),
            message: format!(
                "`{}` is no tag of an image: `{}` would be `{}`",
                pin.value.escape_debug(),
                theirs.key,
                text.escape_debug()
            ),
            hints: vec!["let `value` in `pins` make a tag, such as `{version}`".to_owned()],
        });
    }

    fn shapes_differ(&mut self, pin: &Pin, place: Place) {
        let failure = no_pin(self.source, self.target, pin, place);
        self.met.problems.extend(failure.into_problems());
    }

    fn text_at(&self, pin: &Pin) -> String {
        let node = self.target.file_of(pin).and_then(|file| file.document.read(&pin.key));
        node.and_then(Node::as_str).unwrap_or_default().to_owned()
    }

    /// A list on the way to a value whose items can only be told apart by their places, and differ in number.
    fn uncertain_list(&self, pin: &Pin, theirs: &Pin) -> Option<KeyPath> {
        if pin.is_given() {
            return None;
        }
        let (source, target) = (self.source.scope_of(pin)?, self.target.scope_of(theirs)?);
        let count = |scope: &Scope<'_>, list: &KeyPath| scope.read(list).map_or(0, |list| list.items().len());
        let mut lists = nameless_lists(pin).zip(nameless_lists(theirs));
        let (list, _) = lists.find(|(here, there)| count(&source, here) != count(&target, there))?;
        Some(source.in_file(&list))
    }

    fn is_number_at(&self, pin: &Pin) -> bool {
        let document = self.target.file_of(pin).map(|file| &file.document);
        document.and_then(|document| document.read(&pin.key)).is_some_and(is_number)
    }

    fn warn(&mut self, pin: &Pin, message: String, hint: &str) {
        let hints = vec![hint.to_owned()];
        self.met.warnings.push(Problem { place: Some(pin.place()), message, hints });
    }
}

/// The lists on the way to a pin whose items it knows by their places alone.
fn nameless_lists(pin: &Pin) -> impl Iterator<Item = KeyPath> {
    let steps = &pin.named.steps;
    let nameless = steps.iter().enumerate().skip(pin.settled);
    let nameless = nameless.filter(|(_, step)| matches!(step, Step::Index(_)));
    nameless.map(|(depth, _)| KeyPath { document: 0, steps: steps.iter().take(depth).cloned().collect() })
}

/// Whether some reader takes a plain scalar for something else than text: `1.10` for 1.1.
pub(in crate::overlay) fn is_number(node: &Node) -> bool {
    matches!(&node.value, Value::Scalar { text, style: ScalarStyle::Plain }
        if !node.is_null() && !node.tagged && !is_string(text))
}

/// Whether two pins at one key version different things: a sidecar is not the app.
fn is_another(source: &Pin, target: &Pin) -> bool {
    if source.repository.is_some() || target.repository.is_some() {
        return is_another_image(source, target.repository.as_deref());
    }
    let named = |pin: &Pin| pin.artifact != pin.group.1 && pin.artifact != pin.key.to_string();
    named(source) && named(target) && !has_one_name(&source.artifact, &target.artifact)
}

#[cfg(test)]
mod tests;
