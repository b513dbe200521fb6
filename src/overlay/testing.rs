//! What the tests of this folder share: overlays from text. Compiled for tests alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests may"
)]

use super::{
    FileRule, Missing, Movement, NamedFile, OVERLAY_FILES, Overlay, OverlayFile, Pin, PinRule, PinRules,
    movement, pins,
};
use crate::failure::Result;
use crate::names::RepoPath;
use crate::plan::Change;

/// An overlay at `environments/<environment>` with these files; only the usual ones are part of it.
pub(super) fn overlay(environment: &str, sources: &[(&str, &str)]) -> Overlay {
    let is_usual = |name: &&str| OVERLAY_FILES.contains(&name.rsplit('/').next().unwrap());
    let named: Vec<_> = sources.iter().map(|(name, _)| *name).filter(is_usual).collect();
    let files: Vec<_> = named.iter().map(|name| FileRule::new(name, None, None).unwrap()).collect();
    let mut overlay = overlay_of(environment, &files, sources);
    if sources.is_empty() {
        overlay.named = NamedFile::usual(&overlay.path);
    }
    overlay
}

/// The same with the files that settings name.
pub(super) fn overlay_of(environment: &str, rules: &[FileRule], sources: &[(&str, &str)]) -> Overlay {
    let path = RepoPath::parse(&format!("environments/{environment}")).unwrap();
    let files = sources.iter().map(|(name, text)| OverlayFile {
        path: path.join(name).unwrap(),
        bytes: text.as_bytes().to_vec(),
        mode: 0o100_644,
    });
    let named = rules.iter().map(|rule| rule.named(&path, environment, "app").unwrap());
    Overlay {
        environment: environment.to_owned(),
        named: named.collect(),
        files: files.collect(),
        path: path.clone(),
    }
}

pub(super) fn rules(patterns: &[&str]) -> PinRules {
    PinRules::new(patterns.iter().map(|pattern| PinRule::new(pattern, None, None).unwrap()).collect())
}

/// The pins of a staging overlay with these files, by the default set.
pub(super) fn pins_of(files: &[(&str, &str)]) -> Vec<Pin> {
    pins(&overlay("staging", files), &PinRules::default()).unwrap()
}

/// `key kind artifact = value` of each pin of one file.
pub(super) fn listed(name: &str, text: &str, patterns: &[&str]) -> Vec<String> {
    let pins = pins(&overlay("staging", &[(name, text)]), &rules(patterns)).unwrap();
    pins.iter().map(|pin| format!("{} {:?} {} = {}", pin.key, pin.kind, pin.artifact, pin.value)).collect()
}

/// `key kind artifact = value` of each pin of one file of a staging overlay that only settings name.
pub(super) fn listed_in(name: &str, text: &str, patterns: &[&str]) -> Vec<String> {
    let files = [FileRule::new(name, None, None).unwrap()];
    let pins = pins(&overlay_of("staging", &files, &[(name, text)]), &rules(patterns)).unwrap();
    pins.iter().map(|pin| format!("{} {:?} {} = {}", pin.key, pin.kind, pin.artifact, pin.value)).collect()
}

/// The pins of an overlay whose one file, `all.yaml`, has these documents.
pub(super) fn pins_in(environment: &str, documents: &[String]) -> Vec<Pin> {
    let files = [FileRule::new("all.yaml", None, None).unwrap()];
    let overlay = overlay_of(environment, &files, &[("all.yaml", &documents.join("---\n"))]);
    pins(&overlay, &rules(&[])).unwrap()
}

/// What moves between overlays whose files only settings name.
pub(super) fn moved_in(
    source: &[(&str, &str)],
    target: &[(&str, &str)],
    missing: Missing,
) -> Result<Movement> {
    let mut names: Vec<_> = source.iter().chain(target).map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    let files: Vec<_> = names.iter().map(|name| FileRule::new(name, None, None).unwrap()).collect();
    let (source, target) = (overlay_of("staging", &files, source), overlay_of("prod", &files, target));
    movement(&source, &target, &rules(&[]), None, missing)
}

/// What is said when the pins of these files cannot be read.
pub(super) fn refusal(files: &[(&str, &str)], patterns: &[&str]) -> String {
    pins(&overlay("staging", files), &rules(patterns)).unwrap_err().to_string()
}

/// What moves from a staging overlay to a prod overlay.
pub(super) fn moved_by(
    source: &[(&str, &str)],
    target: &[(&str, &str)],
    patterns: &[&str],
    missing: Missing,
) -> Result<Movement> {
    movement(&overlay("staging", source), &overlay("prod", target), &rules(patterns), None, missing)
}

/// The same, by the default set and in one file.
pub(super) fn moved(name: &str, source: &str, target: &str) -> Movement {
    moved_by(&[(name, source)], &[(name, target)], &[], Missing::List).unwrap()
}

/// `line key before -> after` of each change.
pub(super) fn changes(movement: &Movement) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "·".to_owned());
    let change = |c: &Change| format!("{} {} {} -> {}", c.line, c.key, text(&c.before), text(&c.after));
    movement.changes.iter().map(change).collect()
}

/// The one changed file's text, or nothing where none changed.
pub(super) fn after(movement: &Movement) -> String {
    assert!(movement.files.len() < 2);
    movement.files.first().map_or_else(String::new, |file| String::from_utf8(file.after.clone()).unwrap())
}

/// `place: message` of each warning.
pub(super) fn warnings(movement: &Movement) -> Vec<String> {
    movement.warnings.iter().map(|problem| problem.to_string().replace("environments/", "")).collect()
}
