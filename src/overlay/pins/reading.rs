//! An overlay as it is read: its files, each parsed, with the parts that are pinned and the pins in them.
//!
//! Everything that makes a pin ambiguous is refused here, so that no one behind has to ask.

use std::collections::BTreeMap;

use super::files::{NamedFile, Shape};
use super::layer::Layer;
use super::parts::{Part, parts};
use super::rules::{PinRules, Place as RulePlace, Said};
use super::scope::Scope;
use super::template::Released;
use super::{Member, Overlay, Pin};
use crate::failure::{Failure, Kind, Place, Problem, Result};
use crate::names::RepoPath;
use crate::overlay::OverlayFile;
use crate::overlay::editor::document::{Document, Node, Value};
use crate::overlay::editor::key_path::KeyPath;

/// An overlay, parsed.
pub(in crate::overlay) struct Reading<'o> {
    pub(in crate::overlay) overlay: &'o Overlay,
    /// By what they are called in every overlay of the app: `values.yml` is filed as `values.yaml`.
    pub(in crate::overlay) files: BTreeMap<String, FileReading<'o>>,
    /// Sorted by file and place.
    pub(in crate::overlay) pins: Vec<Pin>,
}

/// A file of an overlay, parsed.
pub(in crate::overlay) struct FileReading<'o> {
    pub(in crate::overlay) file: &'o OverlayFile,
    pub(in crate::overlay) document: Document,
    /// What all of it is, where its name or the settings say so.
    pub(in crate::overlay) shape: Option<Shape>,
    /// What of it is this overlay's.
    pub(in crate::overlay) parts: Vec<Part>,
}

impl<'o> Reading<'o> {
    /// Parses an overlay and finds its pins.
    pub(in crate::overlay) fn of(overlay: &'o Overlay, rules: &PinRules) -> Result<Self> {
        let (mut files, mut pins, mut problems) = (BTreeMap::new(), Vec::new(), Vec::new());
        for named in &overlay.named {
            let Some(file) = overlay.files.iter().find(|file| file.path == named.path) else { continue };
            let reading = match FileReading::of(file, named, &overlay.environment) {
                Ok(reading) => reading,
                Err(failure) => {
                    problems.extend(failure.into_problems());
                    continue;
                }
            };
            problems.extend(reading.pins_into(&mut pins, rules, overlay, named));
            if let Some(other) = files.insert(named.name.clone(), reading) {
                problems.push(side_by_side(&file.path, &other.file.path));
            }
        }
        pins.sort_by(|a: &Pin, b: &Pin| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        problems.extend(doubles(&pins));
        problems.extend(read_twice(&pins));
        problems.sort_by(|a, b| (&a.place, &a.message).cmp(&(&b.place, &b.message)));
        problems.dedup();
        match Failure::several(Kind::Overlay, problems) {
            Some(failure) => Err(failure),
            None => Ok(Self { overlay, files, pins }),
        }
    }

    /// This overlay as the source of a release: what `target` pins by the release is called so by it, and
    /// whatever stands there in this overlay does not count.
    pub(in crate::overlay) fn releasing(mut self, release: Released<'_>, target: &Reading<'_>) -> Self {
        let mut given: Vec<Pin> = target.pins.iter().filter_map(|pin| pin.given(release)).collect();
        let (made, mut others): (Vec<Pin>, Vec<Pin>) = self.pins.drain(..).partition(Pin::is_given);
        // What the target lacks: drift, or added where that is asked for.
        let is_there = |pin: &Pin| target.scope_of(pin).is_some_and(|scope| scope.read(&pin.named).is_some());
        let lacking = made.iter().filter(|pin| !is_there(pin));
        given.extend(lacking.filter_map(|pin| pin.given(release)));
        // A digest beside a tag that the release names belongs to it only if this overlay has that very tag.
        let is_of_it = |digest: &Pin| match given.iter().find(|pin| pin.group == digest.group) {
            Some(version) => {
                made.iter().any(|pin| pin.is_counterpart_of(version) && pin.value == version.value)
            }
            None => true,
        };
        others.retain(|pin| pin.member != Member::Digest || is_of_it(pin));
        others.extend(given);
        self.pins = others;
        self
    }

    /// Calls an object that is the only one of its kind in its file as the other overlay does, where it is the only
    /// one there as well: then they are one, whatever their names.
    pub(in crate::overlay) fn called_as_in(mut self, other: &Reading<'_>) -> Self {
        for (name, file) in &mut self.files {
            let Some(there) = other.files.get(name) else { continue };
            for part in file.parts.iter_mut().filter(|part| part.kind.is_some()) {
                let Some(same) = there.parts.iter().find(|same| same.kind == part.kind) else { continue };
                let called = |pin: &&mut Pin| pin.group.0 == *name && pin.part == part.name;
                for pin in self.pins.iter_mut().filter(called) {
                    let group = pin.group.1.strip_prefix(&part.name).unwrap_or_default();
                    pin.group.1 = format!("{}{group}", same.name);
                    pin.part.clone_from(&same.name);
                }
                part.name.clone_from(&same.name);
            }
        }
        self
    }

    /// The file in which a pin stands or, for a pin of another overlay, would stand.
    pub(in crate::overlay) fn file_of(&self, pin: &Pin) -> Option<&FileReading<'o>> {
        self.files.get(&pin.group.0)
    }

    /// The part of a file in which a pin stands or, for a pin of another overlay, would stand.
    pub(in crate::overlay) fn part_of(&self, pin: &Pin) -> Option<&Part> {
        self.file_of(pin)?.parts.iter().find(|part| part.name == pin.part)
    }

    /// The same, to be read.
    pub(in crate::overlay) fn scope_of(&self, pin: &Pin) -> Option<Scope<'_>> {
        let scope = Scope::at(&self.file_of(pin)?.document, self.part_of(pin)?.base.clone());
        Some(scope.of(&self.overlay.environment))
    }
}

impl<'o> FileReading<'o> {
    fn of(file: &'o OverlayFile, named: &NamedFile, environment: &str) -> Result<Self> {
        if !matches!(file.mode, 0o100_644 | 0o100_755) {
            let what = if file.mode == 0o120_000 { "a symbolic link" } else { "no ordinary file" };
            let place = Place::of(file.path.as_str());
            return Err(Failure::at(Kind::Overlay, place, format!("the file is {what}"))
                .hinted("a promotion edits files where they stand: put the file itself into the overlay"));
        }
        let document = Document::parse(&file.path, &file.bytes)?;
        let parts = parts(&document, named, environment)?;
        Ok(Self { file, document, shape: named.shape, parts })
    }

    /// Adds this file's pins, and returns what is wrong with the others.
    fn pins_into(
        &self,
        pins: &mut Vec<Pin>,
        rules: &PinRules,
        overlay: &Overlay,
        named: &NamedFile,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        // Digests that no rule names, until it is known whether one names their tags.
        let (first, mut beside) = (pins.len(), Vec::new());
        for part in &self.parts {
            let scope = Scope::at(&self.document, part.base.clone()).of(&overlay.environment);
            for (path, node) in scope.walk() {
                let name_in_overlay = overlay.name_of(&self.file.path);
                let at = RulePlace { name: &named.name, file: name_in_overlay, path: &path };
                let Some((meaning, template, said)) = rules.meaning(part.shape, &scope, &at, node) else {
                    continue;
                };
                let key = scope.in_file(&path);
                if said != Said::Tag
                    && let Err(failure) = self.written(&key, node)
                {
                    problems.extend(failure.into_problems());
                    continue;
                }
                let among = if said == Said::Tag { &mut beside } else { &mut *pins };
                among.push(Pin {
                    file: self.file.path.clone(),
                    name_in_overlay: name_in_overlay.to_owned(),
                    key,
                    kind: meaning.kind,
                    artifact: meaning.artifact,
                    value: meaning.value,
                    line: node.line,
                    column: node.column,
                    repository: meaning.repository,
                    layer: Layer::of(part.shape, &path),
                    rank: part.is_values_file.then(|| overlay.rank_of(&named.name)),
                    named: path,
                    settled: meaning.settled,
                    part: part.name.clone(),
                    alone: part.kind.as_ref().map(|kind| format!("{kind}{}", meaning.group)),
                    group: (named.name.clone(), format!("{}{}", part.name, meaning.group)),
                    member: meaning.member,
                    said,
                    template,
                });
            }
        }
        let named = pins.get(first..).unwrap_or_default();
        let is_with = |digest: &Pin, pin: &Pin| pin.member != Member::Digest && pin.group == digest.group;
        beside.retain(|digest| named.iter().any(|pin| is_with(digest, pin)));
        for digest in beside {
            let node = self.document.read(&digest.key);
            match node.map_or(Ok(()), |node| self.written(&digest.key, node)) {
                Ok(()) => pins.push(digest),
                Err(failure) => problems.extend(failure.into_problems()),
            }
        }
        problems
    }

    /// Whether a pin is written where it stands, so that it can be set there.
    fn written(&self, key: &KeyPath, node: &Node) -> Result<()> {
        let hint = |failure: Failure| match node.value {
            Value::Alias { .. } => failure.hinted("or name the pins to promote by `pins`, without this one"),
            _ => failure,
        };
        self.document.find(key).map(drop).map_err(hint)
    }
}

fn side_by_side(one: &RepoPath, other: &RepoPath) -> Problem {
    let (one, other) = if one < other { (one, other) } else { (other, one) };
    Problem {
        place: Some(Place::of(other.as_str())),
        message: format!(
            "`{}` stands beside `{}`: only one of them can count",
            other.file_name(),
            one.file_name()
        ),
        hints: vec![format!("remove `{other}`, or join the two", other = other.as_str())],
    }
}

/// Pins that stand in two parts of an overlay at once: `files` names one place twice.
fn read_twice(pins: &[Pin]) -> Vec<Problem> {
    let mut seen: BTreeMap<(&RepoPath, &KeyPath), &Pin> = BTreeMap::new();
    let mut problems = Vec::new();
    for pin in pins {
        let Some(first) = seen.insert((&pin.file, &pin.key), pin) else { continue };
        problems.push(Problem {
            place: Some(pin.place()),
            message: format!(
                "`{}` is in the overlay twice: by `{}` and by `{}`",
                pin.key,
                first.group.0.escape_debug(),
                pin.group.0.escape_debug()
            ),
            hints: vec!["correct `files` in the settings: every place belongs to one of them".to_owned()],
        });
    }
    problems
}

/// Pins that are called the same, so that another overlay's could be either.
fn doubles(pins: &[Pin]) -> Vec<Problem> {
    let mut seen: BTreeMap<(&(String, String), Member), &Pin> = BTreeMap::new();
    let mut problems = Vec::new();
    for pin in pins {
        let Some(first) = seen.insert((&pin.group, pin.member), pin) else { continue };
        problems.push(Problem {
            place: Some(pin.place()),
            message: format!(
                "`{}` and `{}` (line {}) both pin `{}`",
                pin.key,
                first.key,
                first.line,
                pin.artifact.escape_debug()
            ),
            hints: vec!["leave one of them, or give each a name of its own".to_owned()],
        });
    }
    problems
}
