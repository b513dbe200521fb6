//! What the tests of this folder share: overlays from text. Compiled for tests alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests may"
)]

use super::{Overlay, OverlayFile, Pin, PinRules, pins};
use crate::names::RepoPath;

/// An overlay at `environments/<environment>` with these files.
pub(super) fn overlay(environment: &str, files: &[(&str, &str)]) -> Overlay {
    let path = RepoPath::parse(&format!("environments/{environment}")).unwrap();
    let files = files.iter().map(|(name, text)| OverlayFile {
        path: path.join(name).unwrap(),
        bytes: text.as_bytes().to_vec(),
        mode: 0o100_644,
    });
    Overlay { environment: environment.to_owned(), files: files.collect(), path: path.clone() }
}

pub(super) fn rules(patterns: &[&str]) -> PinRules {
    let patterns: Vec<_> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
    PinRules::new(&patterns).unwrap()
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

/// What is said when the pins of these files cannot be read.
pub(super) fn refusal(files: &[(&str, &str)], patterns: &[&str]) -> String {
    pins(&overlay("staging", files), &rules(patterns)).unwrap_err().to_string()
}
