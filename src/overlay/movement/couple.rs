//! Couples: one versioned thing in the source overlay, the same thing in the target, and what moves.
//!
//! A tag and its digest are one thing and move together (rule 6). What only one side has is left where
//! it is, but for a digest beside a promoted tag. Nothing is edited here; edits are values.

use std::collections::BTreeMap;

use super::Missing;
use super::fixed::{fixed_there_alone, stays_fixed};
use super::places::uncertain_list;
use super::unpinned::{Room, is_another_image, no_pin, unpinned};
use crate::failure::{Failure, Kind, Place, Problem, Result};
use crate::overlay::editor::document::{Node, ScalarStyle, Value};
use crate::overlay::editor::edit::Edit;
use crate::overlay::editor::key_path::{KeyPath, Step};
use crate::overlay::editor::quoting::is_string;
use crate::overlay::pins::image::{
    at_version, has_one_name, is_digest, is_tag, named_image, tag_and_digest, tagged,
};
use crate::overlay::pins::layer::Layer;
use crate::overlay::pins::reading::Reading;
use crate::overlay::pins::remote::RemoteRef;
use crate::overlay::pins::rules::Said;
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
    missing: Missing,
) -> Result<Couples<'r>> {
    let mut meeting = Meeting { source, target, missing, met: Couples::default() };
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
    let version = of(Member::Version).map(|value| tagged(value).map_or(value, |(tag, _)| tag));
    version.or(whole).or_else(|| of(Member::Revision)).filter(|value| !value.is_empty())
}

/// The digest among the parts.
pub(in crate::overlay) fn digest_in(parts: &Parts) -> Option<&str> {
    let of = |member| parts.get(&member).map(|(_, value)| value.as_str());
    let whole = of(Member::Whole).and_then(|value| tag_and_digest(value).1);
    let in_tag = of(Member::Version).and_then(tagged).map(|(_, digest)| digest);
    of(Member::Digest)
        .filter(|value| !value.is_empty())
        .or(whole)
        .or(in_tag)
        .filter(|value| !value.is_empty())
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
    missing: Missing,
    met: Couples<'r>,
}

impl<'r> Meeting<'r, '_> {
    /// Both sides pin it.
    fn both(&mut self, source: &[&'r Pin], target: &[&'r Pin]) {
        let (Some(first), Some(theirs)) = (source.first(), target.first()) else { return };
        let is_named = source.iter().chain(target).any(|pin| pin.said == Said::Pattern);
        if !is_named && is_another(first, theirs) {
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
        if let Some(why) = uncertain_list(self.source, self.target, first, theirs) {
            let message = format!("`{}` is not promoted: {why}", theirs.key);
            self.warn(
                theirs,
                message,
                "give each item a `name` of its own in both overlays, and they are matched by it",
            );
            self.met.left.extend(source);
            return;
        }
        if let Some(said) = stays_fixed(self.source, first, theirs) {
            self.met.warnings.push(said);
            return;
        }
        if self.would_disagree(source, target) {
            return;
        }
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
                Some(theirs) if pin.value.is_empty() && !theirs.value.is_empty() => {
                    // An empty digest is none: what becomes of the target's is said with the tag.
                    if pin.member != Member::Digest {
                        self.left_alone(theirs, "pins nothing there");
                    }
                }
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
        let in_tag = pin.member != Member::Digest && theirs.member == pin.member;
        let beside = couple.source.iter().any(|pin| pin.member == Member::Digest && !pin.value.is_empty());
        if in_tag && !beside && pin.digest().is_none() && theirs.digest().is_some() {
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
        let is_legal = match theirs.kind {
            PinKind::ImageTag => is_tag(&pin.value),
            PinKind::ImageDigest | PinKind::ModelDigest | PinKind::PromptDigest => is_digest(&pin.value),
            _ => true,
        };
        if pin.is_given() && !is_legal {
            return self.no_image(theirs, pin, &pin.value);
        }
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
            // Beside a tag that does not move it would be another release's.
            (Member::Digest, None) => false,
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
            return self.inherited_digest(couple, target);
        };
        let said: Vec<&Pin> = source.iter().copied().filter(|pin| !pin.value.is_empty()).collect();
        let common = said.iter().find(|pin| pin.member != Member::Digest && has(target, pin.member));
        let Some(version) = common.filter(|_| !has(&said, Member::Digest)) else { return };
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

    /// A digest that the target's mapping inherits wins over the new tag as well, and cannot be removed there.
    fn inherited_digest(&mut self, couple: &Couple<'r>, target: &[&'r Pin]) {
        let version = target.iter().find(|pin| pin.member == Member::Version);
        let Some((version, key)) = version.and_then(|pin| Some((pin, digest_beside(&pin.key)?))) else {
            return;
        };
        let Some(file) = self.target.file_of(version) else { return };
        let Some(node) = file.document.read(&key) else { return };
        let moves = version_in(&couple.before) != version_in(&couple.after);
        if !moves || node.as_str().is_none_or(str::is_empty) || couple.after.contains_key(&Member::Digest) {
            return;
        }
        self.met.problems.push(Problem {
            place: Some(file.document.place(node)),
            message: format!("`{key}` is inherited by `<<`, and would win over the new `{}`", version.key),
            hints: vec![format!(
                "write the digest beside the tag (line {}), and it moves with it",
                version.line
            )],
        });
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
        if let (false, Some(first), Some(theirs)) = (common, source.first(), target.first()) {
            self.left_alone(theirs, &format!("pins `{}` instead", first.key));
        }
    }

    /// The source has a digest without a tag, and the target has a tag: with the source's digest beside it, the two
    /// would disagree. Nothing of it moves.
    fn would_disagree(&mut self, source: &[&'r Pin], target: &[&'r Pin]) -> bool {
        let said = |pins: &[&'r Pin], member| {
            pins.iter().copied().find(|pin| pin.member == member && !pin.value.is_empty())
        };
        let (Some(digest), None, Some(tag)) =
            (said(source, Member::Digest), said(source, Member::Version), said(target, Member::Version))
        else {
            return false;
        };
        self.left_alone(tag, &format!("pins `{}` instead", digest.key));
        true
    }

    fn left_alone(&mut self, theirs: &Pin, why: &str) {
        let message = format!("`{}` is left alone: {} {why}", theirs.key, self.source.overlay.environment);
        self.warn(theirs, message, "pin both overlays by tag, or both by tag and digest");
    }

    /// Nothing in the target is called so.
    fn source_only(&mut self, pin: &'r Pin) {
        match unpinned(self.source, self.target, pin) {
            Ok(Some(room)) if self.missing == Missing::Add => self.added(pin, room),
            Ok(room) => {
                if room.is_none() && self.missing == Missing::Add {
                    let target = &self.target.overlay.environment;
                    let why = match pin.kind {
                        PinKind::ImageReference => "its registry and repository are not said there",
                        _ => "what it belongs to is not there",
                    };
                    let message = format!("`{}` is not added to {target}: {why}", pin.key);
                    self.warn(pin, message, "write it into the target's overlay once, by hand");
                }
                self.met.left.push(pin);
            }
            Err(failure) => self.met.problems.extend(failure.into_problems()),
        }
    }

    fn added(&mut self, pin: &'r Pin, room: Room) {
        let Room { edit, repository } = room;
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
            artifact: repository.clone().filter(|_| pin.repository.is_some()).unwrap_or(pin.artifact.clone()),
            repository: repository.or_else(|| pin.repository.clone()),
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
        let (what, hint) = match theirs.member {
            Member::Digest => {
                ("digest", "leave `value` out in `pins`: a digest comes from the source overlay")
            }
            _ => ("tag of an image", "let `value` in `pins` make a tag, such as `{version}`"),
        };
        self.met.problems.push(Problem {
            place: Some(theirs.place()),
            message: format!(
                "`{}` is no {what}: `{}` would be `{}`",
                pin.value.escape_debug(),
                theirs.key,
                text.escape_debug()
            ),
            hints: vec![hint.to_owned()],
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

    fn is_number_at(&self, pin: &Pin) -> bool {
        let document = self.target.file_of(pin).map(|file| &file.document);
        document.and_then(|document| document.read(&pin.key)).is_some_and(is_number)
    }

    fn warn(&mut self, pin: &Pin, message: String, hint: &str) {
        let hints = vec![hint.to_owned()];
        self.met.warnings.push(Problem { place: Some(pin.place()), message, hints });
    }
}

/// Where the digest of a tag would stand: `digest` beside `tag`, `workerDigest` beside `workerTag`.
fn digest_beside(tag: &KeyPath) -> Option<KeyPath> {
    let Some(Step::Key(key)) = tag.steps.last() else { return None };
    let digest = match key.strip_suffix("Tag") {
        Some(stem) if stem != "new" => format!("{stem}Digest"),
        _ => "digest".to_owned(),
    };
    Some(tag.parent()?.key(&digest))
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
