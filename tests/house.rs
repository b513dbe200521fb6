//! The house plan, held: who may import whom, and what pure files never touch.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What each room may import of ours, besides itself. Tests inside a file are not held to it.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("failure", &[]),
    ("secret", &[]),
    ("names", &["failure"]),
    ("plan", &["names"]),
    ("overlay", &["failure", "names", "plan"]),
    ("settings", &["failure", "names", "plan", "overlay", "secret"]),
    ("release", &["failure", "names", "plan", "overlay", "settings"]),
    ("changelog", &["failure", "names", "plan", "proposal::markdown", "proposal::links"]),
    ("policy", &["failure", "names", "plan", "overlay", "settings", "release", "proposal::markdown"]),
    ("proposal", &["failure", "names", "plan", "overlay", "settings", "changelog"]),
    ("decide", &["failure", "names", "plan", "overlay", "settings", "release", "changelog"]),
    ("http", &["failure", "secret"]),
    ("git", &["failure", "names", "secret", "overlay", "http"]),
    ("github", &["failure", "names", "secret", "settings", "release", "http"]),
    ("runner", &["failure", "names", "secret"]),
];

/// The flows: they call both halves.
const FLOWS: &[&str] = &["promote", "set", "main", "lib"];

/// The edges: all else is pure.
const EDGES: &[&str] = &["http", "git", "github", "runner"];

/// What pure files never name: effects, clocks, and the edges' libraries.
const EFFECTS: &[&str] = &[
    "octocrab",
    "git2",
    "tokio",
    "reqwest",
    "std::env::",
    "std::fs",
    "std::process",
    "std::net",
    "std::thread",
    "Timestamp::now",
    "SystemTime",
    "Instant::now",
    "getrandom",
];

/// The crates that never cross an edge's public signature, and the edge they live in.
const HIDDEN: &[(&str, &str)] = &[("octocrab", "github"), ("git2", "git")];

struct Source {
    room: String,
    path: PathBuf,
    /// Code without comments, and without the tests at the end.
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let is_test = name.ends_with("tests") || name == "testing" || name == "sample";
            if path.extension().is_none_or(|e| e != "rs") || is_test {
                continue;
            }
            let below = path.strip_prefix(&root).unwrap();
            let first = below.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect::<Vec<_>>()
                .join("\n");
            found.push(Source {
                room: first.trim_end_matches(".rs").to_owned(),
                path: below.to_owned(),
                code,
            });
        }
    }
    assert!(found.len() > 30, "the sources were not found");
    found
}

/// `crate::room::part` of every import and path, with the groups of `use crate::{a, b}` opened.
fn imports(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (_, rest) in code.match_indices("crate::").map(|(at, _)| code.split_at(at + "crate::".len())) {
        let end =
            rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':' | '{'))).unwrap_or(rest.len());
        found.push(rest.split_at(end).0.trim_end_matches(['{', ':']).to_owned());
    }
    found
}

#[test]
fn every_room_is_in_the_plan_of_the_house() {
    let known = |room: &str| FLOWS.contains(&room) || MAY_IMPORT.iter().any(|(name, _)| *name == room);
    let strangers: Vec<_> =
        sources().into_iter().filter(|source| !known(&source.room)).map(|source| source.path).collect();
    assert!(strangers.is_empty(), "give these a place in tests/house.rs and lib.rs: {strangers:?}");
}

#[test]
fn a_room_imports_only_what_it_may() {
    let may: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !FLOWS.contains(&source.room.as_str())) {
        for import in imports(&source.code) {
            let allowed = import.split("::").next() == Some(source.room.as_str())
                || may[source.room.as_str()]
                    .iter()
                    .any(|room| import == *room || import.starts_with(&format!("{room}::")));
            if !allowed {
                wrong.push(format!("{} imports crate::{import}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn pure_files_touch_nothing_of_the_world() {
    let mut wrong = Vec::new();
    let outside = |room: &str| EDGES.contains(&room) || FLOWS.contains(&room);
    for source in sources().iter().filter(|source| !outside(&source.room)) {
        for effect in EFFECTS.iter().filter(|effect| source.code.contains(**effect)) {
            wrong.push(format!("{} names {effect}", source.path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn libraries_of_the_edges_stay_behind_them() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (library, edge) in HIDDEN {
            let signature = |line: &&str| {
                let line = line.trim_start();
                line.starts_with("pub ") && line.contains(&format!("{library}::"))
            };
            let public = source.code.lines().find(signature);
            let elsewhere = source.room != *edge && source.code.contains(&format!("{library}::"));
            if public.is_some() || elsewhere {
                wrong.push(format!("{} shows {library}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_runner_prints() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| source.room != "runner") {
        for macro_name in ["println!", "print!", "eprintln!", "eprint!", "stdout()", "stderr()"] {
            if source.code.contains(macro_name) {
                wrong.push(format!("{} uses {macro_name}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn one_file_names_the_yaml_parser() {
    let naming: Vec<_> =
        sources().into_iter().filter(|source| source.code.contains("granit_parser")).collect();
    let files: Vec<_> = naming.iter().map(|source| source.path.to_string_lossy().into_owned()).collect();
    assert_eq!(files, ["overlay/editor/tokens.rs"]);
}
