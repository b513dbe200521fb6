//! An overlay as it is read: its files by what they are for, each parsed, with the pins in them.
//!
//! Everything that makes a pin ambiguous is refused here, so that no one behind has to ask.

use std::collections::BTreeMap;

use super::{Member, Overlay, Pin, PinRules};
use crate::failure::{Failure, Kind, Place, Problem, Result};
use crate::names::RepoPath;
use crate::overlay::OverlayFile;
use crate::overlay::editor::document::{Document, Node, Value};

/// What a file of an overlay is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::overlay) enum Role {
    Values,
    Kustomization,
    Chart,
    Lock,
}

/// An overlay, parsed.
pub(in crate::overlay) struct Reading<'o> {
    pub(in crate::overlay) overlay: &'o Overlay,
    /// By role: `values.yml` is filed as `values.yaml`.
    pub(in crate::overlay) files: BTreeMap<String, FileReading<'o>>,
    /// Sorted by file and place.
    pub(in crate::overlay) pins: Vec<Pin>,
}

/// A file of an overlay, parsed.
pub(in crate::overlay) struct FileReading<'o> {
    pub(in crate::overlay) file: &'o OverlayFile,
    pub(in crate::overlay) role: Role,
    pub(in crate::overlay) document: Document,
}

impl Role {
    /// What a file is for, by its name, and the one name for all names of its kind.
    fn of(file_name: &str) -> Option<(Self, &'static str)> {
        match file_name {
            "values.yaml" | "values.yml" => Some((Self::Values, "values.yaml")),
            "kustomization.yaml" | "kustomization.yml" | "Kustomization" => {
                Some((Self::Kustomization, "kustomization.yaml"))
            }
            "Chart.yaml" => Some((Self::Chart, "Chart.yaml")),
            "Chart.lock" => Some((Self::Lock, "Chart.lock")),
            _ => None,
        }
    }
}

impl<'o> Reading<'o> {
    /// Parses an overlay and finds its pins.
    pub(in crate::overlay) fn of(overlay: &'o Overlay, rules: &PinRules) -> Result<Self> {
        let (mut files, mut pins, mut problems) = (BTreeMap::new(), Vec::new(), Vec::new());
        for file in &overlay.files {
            let name = name_in(overlay, &file.path);
            let Some((role, plain)) = Role::of(file.path.file_name()) else { continue };
            let folder = name.strip_suffix(file.path.file_name()).unwrap_or_default();
            let role_name = format!("{folder}{plain}");
            let reading = match FileReading::of(file, role) {
                Ok(reading) => reading,
                Err(failure) => {
                    problems.extend(failure.into_problems());
                    continue;
                }
            };
            problems.extend(reading.pins_into(&mut pins, rules, &name, &role_name));
            if let Some(other) = files.insert(role_name, reading) {
                problems.push(side_by_side(&file.path, &other.file.path));
            }
        }
        pins.sort_by(|a: &Pin, b: &Pin| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        problems.extend(doubles(&pins));
        problems.sort_by(|a, b| (&a.place, &a.message).cmp(&(&b.place, &b.message)));
        problems.dedup();
        match Failure::several(Kind::Overlay, problems) {
            Some(failure) => Err(failure),
            None => Ok(Self { overlay, files, pins }),
        }
    }

    /// The file in which a pin stands or, for a pin of another overlay, would stand.
    pub(in crate::overlay) fn file_of(&self, pin: &Pin) -> Option<&FileReading<'o>> {
        self.files.get(&pin.group.0)
    }
}

impl<'o> FileReading<'o> {
    fn of(file: &'o OverlayFile, role: Role) -> Result<Self> {
        if !matches!(file.mode, 0o100_644 | 0o100_755) {
            let what = if file.mode == 0o120_000 { "a symbolic link" } else { "no ordinary file" };
            let place = Place::of(file.path.as_str());
            return Err(Failure::at(Kind::Overlay, place, format!("the file is {what}"))
                .hinted("a promotion edits files where they stand: put the file itself into the overlay"));
        }
        Ok(Self { file, role, document: Document::parse(&file.path, &file.bytes)? })
    }

    /// Adds this file's pins, and returns what is wrong with the others.
    fn pins_into(&self, pins: &mut Vec<Pin>, rules: &PinRules, name: &str, role_name: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (path, node) in self.document.walk() {
            let Some(meaning) = rules.meaning(self.role, &self.document, &path, node) else { continue };
            if let Err(failure) = self.document.find(&path) {
                let failure = if matches!(node.value, Value::Alias { .. }) {
                    failure.hinted("or name the pins to promote by `pins`, without this one")
                } else {
                    failure
                };
                problems.extend(failure.into_problems());
                continue;
            }
            pins.push(Pin {
                file: self.file.path.clone(),
                name_in_overlay: name.to_owned(),
                key: path,
                kind: meaning.kind,
                artifact: meaning.artifact,
                value: meaning.value,
                line: node.line,
                column: node.column,
                repository: meaning.repository,
                group: (role_name.to_owned(), meaning.group),
                member: meaning.member,
            });
        }
        problems
    }
}

/// The text of a scalar, through an alias; empty for null and for what is no scalar.
pub(in crate::overlay) fn text_of<'d>(document: &'d Document, node: &'d Node) -> &'d str {
    document.resolved(node).as_str().unwrap_or_default()
}

fn name_in(overlay: &Overlay, file: &RepoPath) -> String {
    let folder = overlay.path.as_str();
    let below = file.as_str().strip_prefix(folder).filter(|_| overlay.path.contains(file));
    below.map_or(file.as_str(), |name| name.trim_start_matches('/')).to_owned()
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
