//! The examples of `docs/layouts.md`, each as a reader would try it: its settings, its files, its diff.
//!
//! A block that starts with `# PATH` is a file, but for that line; the `diff` of a section is what a promotion from
//! staging to prod makes of them. `UPDATE_LAYOUTS=1` rewrites the diffs: read them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests may")]

use std::path::{Path, PathBuf};

use promote::names::{CommitSha, RepoPath};
use promote::overlay::{
    Carrying, Missing, Overlay, OverlayFile, Pin, PinRules, Released, carried_pin, carrying, movement, pins,
    unified_diff,
};
use promote::settings::{Asked, Environment, Event, Inputs, Layout, resolve};

const SETTINGS: &str = ".github/promote.yaml";

/// A section of the page: its heading, its files by path, and its diff.
struct Example<'p> {
    heading: &'p str,
    files: Vec<(RepoPath, &'p str)>,
    diff: &'p str,
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/layouts.md")
}

fn examples(page: &str) -> Vec<Example<'_>> {
    let sections = page.split("\n## ").skip(1).filter(|section| section.contains("```diff\n"));
    sections
        .map(|section| {
            let mut example =
                Example { heading: section.lines().next().unwrap(), files: Vec::new(), diff: "" };
            // Between fences: text, then a block that its language starts, and so on.
            for block in section.split("```").skip(1).step_by(2) {
                let (language, text) = block.split_once('\n').unwrap();
                match language {
                    "diff" => example.diff = text,
                    "yaml" => {
                        let (name, text) = text.strip_prefix("# ").unwrap().split_once('\n').unwrap();
                        example.files.push((RepoPath::parse(name).unwrap(), text));
                    }
                    other => panic!("{}: a block of `{other}`", example.heading),
                }
            }
            example
        })
        .collect()
}

fn overlay(environment: &Environment, files: &[(RepoPath, &str)]) -> Overlay {
    let is_named = |path: &RepoPath| environment.files.iter().any(|named| named.path == *path);
    let file = |(path, text): &(RepoPath, &str)| OverlayFile {
        path: path.clone(),
        bytes: text.as_bytes().to_vec(),
        mode: 0o100_644,
    };
    Overlay {
        environment: environment.name.clone(),
        path: environment.path.clone(),
        named: environment.files.clone(),
        files: files.iter().filter(|(path, _)| is_named(path)).map(file).collect(),
    }
}

/// What a promotion of v1.8.0 makes of an example's files.
fn diff_of(example: &Example<'_>) -> String {
    let settings = example.files.iter().find(|(path, _)| path.as_str() == SETTINGS);
    let asked = Asked::join(Inputs::default(), Inputs::default(), &Event::local()).unwrap();
    let layout = Layout::whole(example.files.iter().map(|(path, _)| path.clone()));
    let request = resolve(&asked, settings.map(|(path, text)| (path, *text)), &layout, "agent")
        .unwrap_or_else(|failure| panic!("{}: {failure}", example.heading));
    let [promotion] = request.promotions.as_slice() else { panic!("{}: one app", example.heading) };

    let commit = CommitSha::parse(&"3f1c9ab0".repeat(5)).unwrap();
    let release = Released { tag: "agent/v1.8.0", version: "v1.8.0", commit: &commit };
    let rules = &promotion.pins;
    let (source, target) =
        (overlay(&promotion.source, &example.files), overlay(&promotion.target, &example.files));
    let moved = movement(&source, &target, rules, Some(release), Missing::List)
        .unwrap_or_else(|failure| panic!("{}: {failure}", example.heading));
    assert!(moved.warnings.is_empty(), "{}: {:?}", example.heading, moved.warnings);
    assert_carries(example, [&source, &target], rules, release, promotion.carries.as_deref());
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    moved
        .files
        .iter()
        .map(|file| unified_diff(file.path.as_str(), &text(&file.before), &text(&file.after)))
        .collect()
}

/// The example can be promoted at all: staging shows v1.8.0, and prod v1.7.3.
fn assert_carries(
    example: &Example<'_>,
    [source, target]: [&Overlay; 2],
    rules: &PinRules,
    release: Released<'_>,
    carries: Option<&str>,
) {
    let (source, target) = (pins(source, rules).unwrap(), pins(target, rules).unwrap());
    let Carrying::Pins(found) = carrying(&source, release, carries).unwrap() else {
        panic!("{}: nothing carries v1.8.0", example.heading)
    };
    assert_eq!(carried_pin(&target, &found).and_then(Pin::version), Some("v1.7.3"), "{}", example.heading);
}

#[test]
fn every_example_of_the_page_does_what_it_shows() {
    let page_text = std::fs::read_to_string(page()).unwrap();
    let found = examples(&page_text);
    assert!(found.len() > 10, "{} examples", found.len());
    let mut updated = page_text.clone();
    let mut wrong = Vec::new();
    for example in &found {
        let diff = diff_of(example);
        assert!(!diff.is_empty(), "{}: nothing moves", example.heading);
        if diff != example.diff {
            let (before, rest) = updated.split_once(&format!("\n## {}\n", example.heading)).unwrap();
            let rest = rest.replacen(&format!("```diff\n{}", example.diff), &format!("```diff\n{diff}"), 1);
            updated = format!("{before}\n## {}\n{rest}", example.heading);
            wrong.push(format!("## {}\n{diff}", example.heading));
        }
    }
    if std::env::var_os("UPDATE_LAYOUTS").is_some() {
        std::fs::write(page(), updated).unwrap();
        return;
    }
    assert!(wrong.is_empty(), "these diffs are others (UPDATE_LAYOUTS=1 writes them):\n{}", wrong.join("\n"));
}

#[test]
fn every_link_of_the_page_has_its_heading() {
    let page = std::fs::read_to_string(page()).unwrap();
    let anchor = |heading: &str| {
        let kept: String =
            heading.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-').collect();
        kept.to_lowercase().replace(' ', "-")
    };
    let anchors: Vec<String> = page.lines().filter_map(|line| line.strip_prefix("## ")).map(anchor).collect();
    let links = page.split("](#").skip(1).map(|rest| rest.split_once(')').unwrap().0);
    let links: Vec<&str> = links.collect();
    for link in &links {
        assert!(anchors.iter().any(|anchor| anchor == link), "`#{link}`");
    }
    for anchor in &anchors {
        assert!(links.contains(&anchor.as_str()), "nothing links to `#{anchor}`");
    }
}
