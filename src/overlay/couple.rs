//! Couples: one versioned thing in the source overlay, the same thing in the target, and what moves.
//!
//! A tag and its digest are one thing and move together (rule 6). What only one side has is left where
//! it is, but for a digest beside a promoted tag. Nothing is edited here; edits are values.

use std::collections::BTreeMap;

use super::document::{Document, Node, ScalarStyle, Value};
use super::edit::Edit;
use super::image::{ImageReference, has_one_name, tag_and_digest};
use super::key_path::{KeyPath, Step};
use super::movement::Missing;
use super::pins::{Member, Pin, PinKind, PinRules};
use super::quoting::is_string;
use super::reading::{Reading, Role, text_of};
use super::remote::RemoteRef;
use super::unpinned::{is_another_image, no_pin, unpinned};
use crate::failure::{Failure, Kind, Place, Problem, Result};

/// One versioned thing that the target gets from the source.
pub(super) struct Couple<'r> {
    /// The source's pins of it.
    pub(super) source: Vec<&'r Pin>,
    /// The image's repository as the target says it, else as the source does.
    pub(super) repository: Option<String>,
    /// What it is called in the target.
    pub(super) artifact: String,
    /// The target's values by part, before and after.
    pub(super) before: Parts,
    pub(super) after: Parts,
    /// What leads from the one to the other.
    pub(super) edits: Vec<Edit>,
}

/// Where each part of a versioned thing stands, and its version-bearing text.
pub(super) type Parts = BTreeMap<Member, (KeyPath, String)>;

/// Everything two overlays say about each other's pins.
#[derive(Default)]
pub(super) struct Couples<'r> {
    pub(super) found: Vec<Couple<'r>>,
    /// Pins of the source that the target does not get.
    pub(super) left: Vec<&'r Pin>,
    pub(super) warnings: Vec<Problem>,
    problems: Vec<Problem>,
}

/// Finds for each of the source's pins what becomes of it in the target.
pub(super) fn couples<'r>(
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
    let Couples { problems, .. } = &mut meeting.met;
    match Failure::several(Kind::Overlay, std::mem::take(problems)) {
        Some(failure) => Err(failure),
        None => Ok(meeting.met),
    }
}

impl Couple<'_> {
    /// The group that both sides share.
    pub(super) fn group(&self) -> Option<&(String, String)> {
        self.source.first().map(|pin| &pin.group)
    }

    /// The tag or version after the promotion.
    pub(super) fn version_after(&self) -> Option<&str> {
        version_in(&self.after)
    }

    /// The digest after the promotion.
    pub(super) fn digest_after(&self) -> Option<&str> {
        digest_in(&self.after)
    }
}

/// The tag or version among the parts; a revision where there is nothing else.
pub(super) fn version_in(parts: &Parts) -> Option<&str> {
    let of = |member| parts.get(&member).map(|(_, value)| value.as_str());
    let whole = of(Member::Whole).and_then(|value| tag_and_digest(value).0);
    of(Member::Version).or(whole).or_else(|| of(Member::Revision)).filter(|value| !value.is_empty())
}

/// The digest among the parts.
pub(super) fn digest_in(parts: &Parts) -> Option<&str> {
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
                let (tag, digest) = tag_and_digest(&pin.value);
                let version = ImageReference { repository: "", tag, digest };
                ImageReference::parse(&whole).map(|image| image.with_version_of(&version))
            }
            (PinKind::RemoteRef, PinKind::RemoteRef) => {
                RemoteRef::parse(&whole).map(|remote| remote.at(&pin.value))
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

    fn shapes_differ(&mut self, pin: &Pin, place: Place) {
        let failure = no_pin(self.source, self.target, pin, place);
        self.met.problems.extend(failure.into_problems());
    }

    fn text_at(&self, pin: &Pin) -> String {
        let document = self.target.file_of(pin).map(|file| &file.document);
        let text = document.and_then(|document| Some(text_of(document, document.read(&pin.key)?)));
        text.unwrap_or_default().to_owned()
    }

    /// A list on the way to a value whose items can only be told apart by their places, and differ in number.
    fn uncertain_list(&self, pin: &Pin, theirs: &Pin) -> Option<KeyPath> {
        let (source, target) = (self.source.file_of(pin)?, self.target.file_of(theirs)?);
        let is_nameless = |step: &Step| matches!(step, Step::Index(_));
        // Other files' lists have names of their own: URLs and charts.
        let lists = pin
            .key
            .steps
            .iter()
            .enumerate()
            .filter(|(_, step)| source.role == Role::Values && is_nameless(step));
        let mut lists = lists.filter_map(|(depth, _)| {
            Some(KeyPath { document: pin.key.document, steps: pin.key.steps.get(..depth)?.to_vec() })
        });
        let count =
            |document: &Document, list: &KeyPath| document.read(list).map_or(0, |list| list.items().len());
        lists.find(|list| count(&source.document, list) != count(&target.document, list))
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

/// Whether some reader takes a plain scalar for something else than text: `1.10` for 1.1.
pub(super) fn is_number(node: &Node) -> bool {
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
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        reason = "tests may"
    )]
    use super::super::testing::{after, changes, moved, moved_by, warnings};
    use super::*;

    #[test]
    fn one_value_is_one_line_and_everything_else_stays_the_targets() {
        let source = "image: {repository: stage.io/acme/agent, tag: v1.8.0}\nreplicas: 1\nhost: staging\n";
        let target = "\
# Production. Ask #agents before editing.
image:
  repository: ghcr.io/acme/agent   # the mirror
  tag: 'v1.7.3'     # promoted by a pull request

replicas:   6
host: agents.acme.example
";
        let moved = moved("values.yaml", source, target);
        assert_eq!(after(&moved), target.replace("v1.7.3", "v1.8.0"));
        assert_eq!(changes(&moved), ["4 image.tag v1.7.3 -> v1.8.0"]);
        assert_eq!(warnings(&moved), [""; 0]);
        assert_eq!(moved.files[0].mode, 0o100_644);
        assert_eq!(moved.files[0].before, target.as_bytes());
    }

    /// Name of the rule, source, target, target afterwards (empty: nothing changes).
    type Row = (&'static str, &'static str, &'static str, &'static str);

    fn holds(name: &str, rows: &[Row]) {
        for (rule, source, target, expected) in rows {
            assert_eq!(after(&moved(name, source, target)), *expected, "{rule}");
        }
    }

    #[test]
    fn values_move_by_identity_and_registries_stay() {
        holds(
            "values.yaml",
            &[
                (
                    "list items match by name, id or key, whatever their order",
                    "l: [{name: a, image: {tag: a2}}, {id: b, image: {tag: b2}}, {key: c, image: {tag: c2}}]\n",
                    "l: [{key: c, image: {tag: c1}}, {name: a, image: {tag: a1}}, {id: b, image: {tag: b1}}]\n",
                    "l: [{key: c, image: {tag: c2}}, {name: a, image: {tag: a2}}, {id: b, image: {tag: b2}}]\n",
                ),
                (
                    "of a one-string image only tag and digest move",
                    "image: stage.io:5000/acme/a:v2@sha256:bb\n",
                    "image: \"prod.io/mirror/acme/a:v1@sha256:aa\" # x\n",
                    "image: \"prod.io/mirror/acme/a:v2@sha256:bb\" # x\n",
                ),
                (
                    "a one-string image gets the digest that the source has",
                    "image: a:v2@sha256:bb\n",
                    "image: p.io/a:v1\n",
                    "image: p.io/a:v2@sha256:bb\n",
                ),
                (
                    "models and prompts move, datasets do not",
                    "model: {name: m, version: 2026-09-15, revision: r2, digest: sha256:bb}\nprompt: {version: v2}\ndataset: {version: v2}\n",
                    "model: {name: m, version: 2026-05-01, revision: r1, digest: sha256:aa}\nprompt: {version: v1}\ndataset: {version: v1}\n",
                    "model: {name: m, version: \"2026-09-15\", revision: r2, digest: sha256:bb}\nprompt: {version: v2}\ndataset: {version: v1}\n",
                ),
                (
                    "an image of another name is another image",
                    "app: {image: {repository: acme/app-next, tag: v2, digest: sha256:bb}}\n",
                    "app: {image: {repository: acme/app, tag: v1, digest: sha256:aa}}\n",
                    "",
                ),
                ("so is a one-string one", "image: acme/proxy:v2\n", "image: acme/app:v1\n", ""),
                (
                    "so is a model",
                    "model: {name: large, version: v2}\n",
                    "model: {name: small, version: v1}\n",
                    "",
                ),
                (
                    "a mirror is not",
                    "image: {registry: stage.io, repository: x/app, tag: v2}\n",
                    "image: {registry: prod.io, repository: y/app, tag: v1}\n",
                    "image: {registry: prod.io, repository: y/app, tag: v2}\n",
                ),
                (
                    "an empty tag is promoted, for policy to judge",
                    "image: {tag: ''}\n",
                    "image: {tag: 'v1'}\n",
                    "image: {tag: ''}\n",
                ),
                ("null is empty", "image: {tag: }\n", "image: {tag: 'v1'}\n", "image: {tag: ''}\n"),
                ("null and empty are equal", "image: {tag: }\n", "image: {tag: ''}\n", ""),
                ("the same value is no change", "image: {tag: \"v1\"}\n", "image: {tag: v1}\n", ""),
                (
                    "CRLF and a missing newline survive",
                    "image: {tag: v2}",
                    "a: 1\r\nimage:\r\n  tag: v1",
                    "a: 1\r\nimage:\r\n  tag: v2",
                ),
            ],
        );
    }

    #[test]
    fn kustomizations_and_charts_move_by_name() {
        holds(
            "kustomization.yaml",
            &[
                (
                    "images match by name whatever their order, newName stays",
                    "images:\n- {name: a, newName: stage.io/a, newTag: v2}\n- {name: b, newTag: w2, digest: sha256:bb}\n",
                    "images:\n- name: b\n  newTag: w1\n  digest: sha256:aa\n- name: a\n  newName: prod.io/a\n  newTag: v1\n",
                    "images:\n- name: b\n  newTag: w2\n  digest: sha256:bb\n- name: a\n  newName: prod.io/a\n  newTag: v2\n",
                ),
                (
                    "an image that is renamed to another is another",
                    "images: [{name: a, newName: x/next, newTag: v2}]\n",
                    "images: [{name: a, newName: x/a, newTag: v1}]\n",
                    "",
                ),
                (
                    "charts match by name",
                    "helmCharts: [{name: r, version: 2.0.0}, {name: pg, releaseName: x, version: 5.0.0}, {name: pg, releaseName: y, version: 6.0.0}]\n",
                    "helmCharts: [{name: pg, releaseName: y, version: 4.0.0}, {name: pg, releaseName: x, version: 3.0.0}, {name: r, version: 1.0.0}]\n",
                    "helmCharts: [{name: pg, releaseName: y, version: 6.0.0}, {name: pg, releaseName: x, version: 5.0.0}, {name: r, version: 2.0.0}]\n",
                ),
                (
                    "of a remote resource the ref moves and the query stays",
                    "resources: [../base, 'https://h/a//p?ref=v2']\ncomponents: ['github.com/b?ref=w2']\n",
                    "resources: ['https://h/a//p?ref=v1&x=y', ../base, ./more]\ncomponents: ['github.com/b?timeout=9&ref=w1']\n",
                    "resources: ['https://h/a//p?ref=v2&x=y', ../base, ./more]\ncomponents: ['github.com/b?timeout=9&ref=w2']\n",
                ),
                (
                    "another path of one repository is another resource",
                    "resources: ['https://h/a//p?ref=v2']\n",
                    "resources: ['https://h/a//q?ref=v1']\n",
                    "",
                ),
            ],
        );
        holds(
            "Chart.yaml",
            &[(
                "dependencies match by name, the chart's own version stays",
                "version: 2.0.0\nappVersion: v2\ndependencies: [{name: a, version: 2.0.0}, {name: b, version: 3.0.0}]\n",
                "version: 1.0.0\nappVersion: v1\ndependencies: [{name: b, version: 1.0.0}, {name: a, version: 1.0.0}]\n",
                "version: 1.0.0\nappVersion: v1\ndependencies: [{name: b, version: 3.0.0}, {name: a, version: 2.0.0}]\n",
            )],
        );
    }

    #[test]
    fn tag_and_digest_move_together() {
        let both = "image:\n  tag: v2\n  digest: sha256:bb\n";
        let tag = "image:\n  tag: v2\n";
        let old = "image:\n  tag: v1 # t\n  digest: sha256:aa\n  pullPolicy: Always\n";
        let old_tag = "image:\n  tag: v1 # t\n  pullPolicy: Always\n";
        holds(
            "values.yaml",
            &[
                (
                    "both to both",
                    both,
                    old,
                    "image:\n  tag: v2 # t\n  digest: sha256:bb\n  pullPolicy: Always\n",
                ),
                (
                    "the digest is added beside the tag",
                    both,
                    old_tag,
                    "image:\n  tag: v2 # t\n  digest: sha256:bb\n  pullPolicy: Always\n",
                ),
                ("a stale digest goes", tag, old, "image:\n  tag: v2 # t\n  pullPolicy: Always\n"),
                (
                    "an empty digest is no digest",
                    "image: {tag: v2, digest: ''}\n",
                    "image: {tag: v1}\n",
                    "image: {tag: v2}\n",
                ),
                (
                    "an empty digest empties",
                    "image: {tag: v2, digest: ''}\n",
                    "image: {tag: v1, digest: 'sha256:aa'}\n",
                    "image: {tag: v2, digest: ''}\n",
                ),
                (
                    "an empty digest is not stale",
                    tag,
                    "image: {tag: v1, digest: ''}\n",
                    "image: {tag: v2, digest: ''}\n",
                ),
                (
                    "models as well",
                    "model: {version: v2}\n",
                    "model: {version: v1, digest: sha256:aa}\n",
                    "model: {version: v2}\n",
                ),
                ("one-string images as well", "image: a:v2\n", "image: a:v1@sha256:aa\n", "image: a:v2\n"),
                ("beside an unchanged tag it stays", tag, "image: {tag: v2, digest: sha256:aa}\n", ""),
                ("in one string as well", "image: a:v2\n", "image: a:v2@sha256:aa\n", ""),
                (
                    "one side by tag, the other by digest",
                    "image: {digest: sha256:bb}\n",
                    "image: {tag: v1}\n",
                    "",
                ),
            ],
        );
        holds(
            "kustomization.yaml",
            &[(
                "a stale digest goes",
                "images: [{name: a, newTag: v2}]\n",
                "images:\n  - name: a\n    digest: sha256:aa\n    newTag: v1\n",
                "images:\n  - name: a\n    newTag: v2\n",
            )],
        );
    }

    #[test]
    fn what_happens_to_a_digest_alone_is_said() {
        let table = [
            (
                "image: {tag: v2}\n",
                "image: {tag: v1, digest: sha256:aa}\n",
                "`prod/values.yaml:1:26`: the digest of `image.digest` is removed: it would win over the new tag, and staging has none",
            ),
            (
                "image: {tag: v1}\n",
                "image: {tag: v1, digest: sha256:aa}\n",
                "`prod/values.yaml:1:26`: the digest of `image.digest` stays unproven: staging has none beside `image.tag`",
            ),
            (
                "image: a:v2\n",
                "image: a:v1@sha256:aa\n",
                "`prod/values.yaml:1:8`: the digest of `image` is removed: it would win over the new tag, and staging has none",
            ),
            (
                "image: {digest: sha256:bb}\n",
                "image: {tag: v1}\n",
                "`prod/values.yaml:1:14`: `image.tag` is left alone: staging pins `image.digest` instead",
            ),
            (
                "l: [{image: {tag: v2}}, {}]\n",
                "l: [{image: {tag: v1}}]\n",
                "`prod/values.yaml:1:19`: `l[0].image.tag` is not promoted: the items of `l` have no names, and there are not as many in staging",
            ),
            (
                "image: {repository: x/b, tag: v2}\n",
                "image: {repository: x/a, tag: v1}\n",
                "`prod/values.yaml:1:31`: `image.tag` is not promoted: it is `x/b` in staging and `x/a` in prod",
            ),
        ];
        for (source, target, said) in table {
            let moved = moved("values.yaml", source, target);
            assert_eq!(warnings(&moved), [said]);
            assert!(!moved.warnings[0].hints.is_empty());
        }
    }

    #[test]
    fn own_patterns_promote_what_the_default_set_would_not() {
        let source =
            "app: {image: {repository: x/next, tag: v2}}\nbuild: {id: b2}\nother: {image: {tag: v2}}\n";
        let target =
            "app: {image: {repository: x/app, tag: v1}}\nbuild: {id: b1}\nother: {image: {tag: v1}}\n";
        let files = |text| [("values.yaml", text)];
        let moved =
            moved_by(&files(source), &files(target), &["app.image.tag", "build.*", "no.such"], Missing::List);
        let moved = moved.unwrap();
        assert_eq!(changes(&moved), ["1 app.image.tag v1 -> v2", "2 build.id b1 -> b2"]);
        assert_eq!(warnings(&moved), ["`staging`: `no.such` in `pins` names nothing"]);
    }

    #[test]
    fn numeric_tags_arrive_as_text_and_the_source_is_told_to_quote_them() {
        for tag in ["1.10", "1e3", "0123", "yes", "12:30:45", "0x1F", "2026-01-02", "0e1", "1_000"] {
            for source in [format!("image: {{tag: {tag}}}\n"), format!("image: {{tag: '{tag}'}}\n")] {
                let plain = moved("values.yaml", &source, "image:\n  tag: v1\n");
                assert_eq!(after(&plain), format!("image:\n  tag: \"{tag}\"\n"));
                assert_eq!(warnings(&plain).len(), usize::from(!source.contains('\'')), "{source}");
                let quoted = moved("values.yaml", &source, "image:\n  tag: 'v1'\n");
                assert_eq!(after(&quoted), format!("image:\n  tag: '{tag}'\n"));
                let number = moved("values.yaml", &source, &format!("image:\n  tag: {tag}\n"));
                assert_eq!(after(&number), format!("image:\n  tag: \"{tag}\"\n"), "a number becomes text");
            }
            let source = format!("images: [{{name: a, newTag: {tag}}}]\n");
            let moved = moved("kustomization.yaml", &source, "images:\n- name: a\n  newTag: v1\n");
            assert_eq!(after(&moved), format!("images:\n- name: a\n  newTag: \"{tag}\"\n"));
        }
    }
}
