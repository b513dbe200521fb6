//! One file on trial: every place that the other readers name is edited, and every edit is shown to them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use anyhow::Result;
use promote::failure::{Failure, Problem};
use promote::names::RepoPath;
use promote::overlay::editor::document::Document;
use promote::overlay::editor::edit::{Anchors, Edit, edited};
use promote::overlay::editor::key_path::KeyPath;

use crate::readers::{Made, Opening, Place, Reader};
use crate::reasons::{Class, class_of};
use crate::tally::{Tally, Wrong};

/// New values, in turn: what pipelines write, and what readers like to take for something else.
const VALUES: &[&str] = &[
    "v9.8.7",
    "1.10",
    "sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945",
    "yes",
    "1e3",
    "0123",
    "12:30:45",
    "0x1F",
    "2026-01-02",
    "~",
    "",
    "a: b # c",
    "it's \"both\"",
    "two\nlines",
    " blanks ",
    "é☃",
    "{{ .Values.tag }}",
    "-",
    "@at",
    "a, b]}",
    "=",
    "<<",
    "\u{feff}\u{2028}\u{0}",
];
const NEW_KEYS: &[&str] = &["digest", "newKey", "on", "1.0", "a: b", "é", "é☃ # x"];
/// A larger text is edited in fewer places.
const TEXT_OF_ALL_EDITS: usize = 12 << 20;
/// No edit of any file takes longer, even unoptimised.
const HANG: Duration = Duration::from_secs(20);

/// The readers, and what they have found so far.
pub struct Trial {
    /// go-yaml, by Kustomize's and by Helm's door.
    pub go: Reader,
    /// `PyYAML`.
    pub python: Reader,
    /// How many edits are made in a file at most.
    pub limit: usize,
    /// What was found.
    pub tally: Tally,
}

impl Trial {
    /// Edits a file in every place, or in as many as the limit allows.
    pub fn try_file(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.tally.files += 1;
        let Ok(text) = std::str::from_utf8(bytes) else {
            self.tally.not_utf8 += 1;
            let path = RepoPath::parse("file.yaml")?;
            if !catch_unwind(|| edited(&path, bytes, &[], Anchors::Follow).is_err()).unwrap_or(false) {
                self.tally.wrong(Wrong {
                    file: name.to_owned(),
                    edit: "none".to_owned(),
                    why: "it is not UTF-8, and was read".to_owned(),
                    before: String::new(),
                    after: None,
                });
            }
            return Ok(());
        };
        let limit = self.limit.min(TEXT_OF_ALL_EDITS / text.len().max(1)).max(8);
        let opening = Opening { before: text, limit };
        self.go.ask(&opening)?;
        self.python.ask(&opening)?;
        let go = self.go.answer()?;
        let python = self.python.answer()?;
        self.tally.unreadable(go.unreadable.is_some(), python.unreadable.is_some());
        let mut places = go.places;
        if go.unreadable.is_some() {
            places = own_places(text, limit);
        }
        let mut shown = Vec::new();
        for (number, place) in places.iter().enumerate() {
            let turn = self.tally.turn + number;
            let value = VALUES[turn % VALUES.len()];
            let key = if place.op == "add" { NEW_KEYS[turn % NEW_KEYS.len()] } else { "" };
            let value = if place.op == "remove" { "" } else { value };
            match self.outcome(text, place, key, value) {
                // To add what stands there changes nothing: the readers are shown it as a value that was set.
                Ok(after) if place.op == "add" && after == text => {
                    let path =
                        place.path.iter().map(String::as_str).chain([key]).map(str::to_owned).collect();
                    let place = Place { op: "set".to_owned(), document: place.document, path };
                    shown.push((place, "", value, after));
                }
                Ok(after) => shown.push((place.clone(), key, value, after)),
                Err(refused) => self.refused(name, text, place, &refused),
            }
        }
        self.tally.turn += places.len();
        self.judge(name, text, &shown)
    }

    /// The text after an edit; a panic and a hang are refusals that no one accepts.
    fn outcome(&mut self, text: &str, place: &Place, key: &str, value: &str) -> Result<String, Vec<Problem>> {
        let begun = Instant::now();
        let made = catch_unwind(AssertUnwindSafe(|| made(text, place, key, value)));
        let took = begun.elapsed();
        self.tally.slowest = self.tally.slowest.max(took);
        let fault =
            |message: &str| vec![Problem { place: None, message: message.to_owned(), hints: Vec::new() }];
        match made {
            Err(_) => Err(fault("it panicked")),
            Ok(_) if took > HANG => Err(fault("it took too long")),
            Ok(Err(failure)) => Err(failure.into_problems()),
            Ok(Ok(bytes)) => String::from_utf8(bytes).map_err(|_| fault("what it made is not UTF-8")),
        }
    }

    fn refused(&mut self, name: &str, text: &str, place: &Place, problems: &[Problem]) {
        for problem in problems {
            let class = class_of(problem);
            if matches!(class, Class::Unknown) {
                self.tally.wrong(Wrong {
                    file: name.to_owned(),
                    edit: format!("{place:?}"),
                    why: format!("refused: {problem} {:?}", problem.hints),
                    before: text.to_owned(),
                    after: None,
                });
            } else {
                self.tally.refused(&place.op, class, &format!("{name}: {problem}"));
            }
        }
    }

    fn judge(&mut self, name: &str, text: &str, shown: &[(Place, &str, &str, String)]) -> Result<()> {
        for (place, key, value, after) in shown {
            let made = Made { place, key, value, after };
            self.go.ask(&made)?;
            self.python.ask(&made)?;
            let answers = [self.go.answer()?, self.python.answer()?];
            let read = answers.iter().filter(|answer| answer.unreadable.is_none()).count();
            let wrong: Vec<_> = answers.iter().filter_map(|answer| answer.wrong.as_deref()).collect();
            if wrong.is_empty() {
                self.tally.made(&place.op, read);
            } else {
                self.tally.wrong(Wrong {
                    file: name.to_owned(),
                    edit: format!("{place:?} {key:?} {value:?}"),
                    why: wrong.join("; "),
                    before: text.to_owned(),
                    after: Some(after.clone()),
                });
            }
        }
        Ok(())
    }
}

fn made(text: &str, place: &Place, key: &str, value: &str) -> Result<Vec<u8>, Failure> {
    let path = RepoPath::parse("file.yaml")?;
    let steps = place.path.iter().map(|step| step.replace('~', "~0").replace('/', "~1"));
    let pointer = std::iter::once(String::new()).chain(steps).collect::<Vec<_>>().join("/");
    let at = KeyPath::parse(&format!("@{}{pointer}", place.document))?;
    let edit = match place.op.as_str() {
        "add" => Edit::Add { parent: at, key: key.to_owned(), value: value.to_owned() },
        "remove" => Edit::Remove { key: at },
        _ => Edit::Set { key: at, value: value.to_owned() },
    };
    Ok(edited(&path, text.as_bytes(), &[edit], Anchors::Follow)?.bytes)
}

/// Where go-yaml cannot read a file, promote's own places have to do.
fn own_places(text: &str, limit: usize) -> Vec<Place> {
    let root = |op: &str| Place { op: op.to_owned(), document: 0, path: Vec::new() };
    let document = RepoPath::parse("file.yaml").and_then(|path| Document::parse(&path, text.as_bytes()));
    let Ok(document) = document else { return vec![root("set"), root("add")] };
    let mut places = vec![root("add")];
    for (path, _) in document.walk().take(limit / 2) {
        use promote::overlay::editor::key_path::Step;
        let steps = path.steps.iter().map(|step| match step {
            Step::Key(key) => Some(key.clone()),
            Step::Index(index) => Some(index.to_string()),
            Step::Item { .. } => None,
        });
        let Some(steps) = steps.collect::<Option<Vec<_>>>() else { continue };
        let place = |op: &str| Place { op: op.to_owned(), document: path.document, path: steps.clone() };
        places.extend([place("set"), place("remove")]);
    }
    places
}
