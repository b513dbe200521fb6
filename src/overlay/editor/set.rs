//! `promote set`: from the words of a command line to edits, and from two texts to a diff.
//!
//! Pure: it neither reads the command line nor the file, and writes nothing.

use std::fmt::Write as _;

use similar::algorithms::{Capture, Compact, Replace, myers};
use similar::udiff::UnifiedHunkHeader;
use similar::{DiffableStr, group_diff_ops};

use crate::failure::{Failure, Kind, Problem, Result};

use super::edit::Edit;
use super::key_path::{KeyPath, Step};

/// The edits that `KEY=VALUE…`, `--add KEY=VALUE…` and `--remove KEY…` ask for, in this order.
///
/// An argument is split at the first `=` outside brackets (and, in a JSON pointer, at the first `=`);
/// values are strings, taken literally. All mistakes are reported together, as wrong usage.
pub fn edits_of<S: AsRef<str>>(sets: &[S], adds: &[S], removes: &[S]) -> Result<Vec<Edit>> {
    let mut problems = Vec::new();
    let mut edits = Vec::new();
    let words = sets.iter().map(|word| set_of(word.as_ref()));
    let words = words.chain(adds.iter().map(|word| add_of(word.as_ref())));
    let words = words.chain(removes.iter().map(|word| remove_of(word.as_ref())));
    for edit in words {
        match edit {
            Ok(edit) => edits.push(edit),
            Err(failure) => problems.extend(failure.into_problems()),
        }
    }
    if edits.is_empty() && problems.is_empty() {
        problems.push(Problem {
            place: None,
            message: "no edit is named".to_owned(),
            hints: vec!["write `KEY=VALUE`, `--add KEY=VALUE` or `--remove KEY`".to_owned()],
        });
    }
    match Failure::several(Kind::Usage, problems) {
        Some(failure) => Err(failure),
        None => Ok(edits),
    }
}

/// The unified diff between two texts of a file, as `git diff` shows it; empty where they are equal.
pub fn unified_diff(name: &str, before: &str, after: &str) -> String {
    diff_with(name, before, after, 3)
}

/// The same without the lines around the changes, where what stands there must not be shown.
pub fn bare_diff(name: &str, before: &str, after: &str) -> String {
    diff_with(name, before, after, 0)
}

fn diff_with(name: &str, before: &str, after: &str, around: usize) -> String {
    if before == after {
        return String::new();
    }
    // `TextDiff` chooses its algorithm as it runs, which brings all of them: a thirtieth of the binary.
    let (old, new) = (before.tokenize_lines(), after.tokenize_lines());
    let mut found = Compact::new(Replace::new(Capture::new()), &old, &new);
    let Ok(()) = myers::diff(&mut found, &old, 0..old.len(), &new, 0..new.len());
    let mut shown = format!("--- a/{name}\n+++ b/{name}\n");
    let hunks = group_diff_ops(found.into_inner().into_inner().into_ops(), around);
    for hunk in hunks.iter().filter(|hunk| !hunk.is_empty()) {
        let _ = writeln!(shown, "{}", UnifiedHunkHeader::new(hunk));
        for change in hunk.iter().flat_map(|op| op.iter_changes(&old, &new)) {
            let _ = write!(shown, "{}{}", change.tag(), change.value());
            if !change.value().ends_with_newline() {
                shown.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
    shown
}

fn set_of(word: &str) -> Result<Edit> {
    let (key, value) = key_and_value(word)?;
    Ok(Edit::Set { key, value: value.to_owned() })
}

fn add_of(word: &str) -> Result<Edit> {
    let (mut path, value) = key_and_value(word)?;
    match path.steps.pop() {
        Some(Step::Key(key)) => Ok(Edit::Add { parent: path, key, value: value.to_owned() }),
        _ => Err(Failure::new(Kind::Usage, format!("`{}` does not end in a new key", shown(word)))
            .hinted("only keys of mappings are added: `--add image.digest=sha256:…`")),
    }
}

fn remove_of(word: &str) -> Result<Edit> {
    Ok(Edit::Remove { key: KeyPath::parse(word)? })
}

fn key_and_value(word: &str) -> Result<(KeyPath, &str)> {
    let Some((key, value)) = split_at_equals(word) else {
        return Err(Failure::new(Kind::Usage, format!("`{}` has no `=`", shown(word)))
            .hinted("write `KEY=VALUE`, and `KEY=` for an empty value"));
    };
    Ok((KeyPath::parse(key)?, value))
}

/// Splits at the first `=` outside brackets; a quoted part in brackets may hold brackets itself.
fn split_at_equals(word: &str) -> Option<(&str, &str)> {
    if is_pointer(word) {
        return word.split_once('=');
    }
    let (mut in_brackets, mut in_quotes, mut escaped) = (false, false, false);
    for (at, c) in word.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_quotes => escaped = true,
            '"' if in_brackets => in_quotes = !in_quotes,
            '[' if !in_quotes => in_brackets = true,
            ']' if !in_quotes => in_brackets = false,
            '=' if !in_brackets => return Some((word.get(..at)?, word.get(at + 1..)?)),
            _ => {}
        }
    }
    None
}

fn is_pointer(word: &str) -> bool {
    word.strip_prefix('@').unwrap_or("/").trim_start_matches(|c: char| c.is_ascii_digit()).starts_with('/')
        && word.starts_with(['/', '@'])
}

fn shown(word: &str) -> String {
    word.escape_debug().to_string()
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_argument_is_split_at_the_first_equals_outside_brackets() {
        let root = KeyPath::root(0);
        let table = [
            ("image.tag=1.10", root.key("image").key("tag"), "1.10"),
            ("image.tag=", root.key("image").key("tag"), ""),
            ("image.tag=a=b", root.key("image").key("tag"), "a=b"),
            (
                "images[name=acme/x].newTag=a[0]=b",
                root.key("images").item("name", "acme/x").key("newTag"),
                "a[0]=b",
            ),
            ("a[\"x=]\\\"=\"]=v", root.key("a").key("x=]\"="), "v"),
            ("/image/tag=v", root.key("image").key("tag"), "v"),
            ("/a[b=c", root.key("a[b"), "c"),
            ("@1/tag=v", KeyPath::root(1).key("tag"), "v"),
            ("@1.tag=v", KeyPath::root(1).key("tag"), "v"),
            ("t= v \n", root.key("t"), " v \n"),
        ];
        for (word, key, value) in table {
            let edits = edits_of(&[word], &[], &[]).unwrap();
            assert_eq!(edits, [Edit::Set { key, value: value.to_owned() }], "{word}");
        }
    }

    #[test]
    fn the_last_step_of_an_addition_is_the_new_key() {
        let root = KeyPath::root(0);
        let add =
            |parent: KeyPath, key: &str| Edit::Add { parent, key: key.to_owned(), value: "v".to_owned() };
        let edits = edits_of(&[], &["image.digest=v", "/a/b.c=v", "top=v", "@1/x=v"], &[]).unwrap();
        let expected = [
            add(root.key("image"), "digest"),
            add(root.key("a"), "b.c"),
            add(root.clone(), "top"),
            add(KeyPath::root(1), "x"),
        ];
        assert_eq!(edits, expected);
        let edits = edits_of(&[], &[], &["image.digest"]).unwrap();
        assert_eq!(edits, [Edit::Remove { key: root.key("image").key("digest") }]);
    }

    #[test]
    fn every_mistake_is_reported() {
        let failure = edits_of(&["image.tag", "a..b=c"], &["l[0]=x"], &["x["]).unwrap_err();
        let message = failure.to_string();
        assert_eq!(failure.kind(), Kind::Usage);
        for reason in
            ["`image.tag` has no `=`", "`a..b` is not a key path", "does not end in a new key", "`x[`"]
        {
            assert!(message.contains(reason), "{message}");
        }
        assert!(edits_of::<&str>(&[], &[], &[]).unwrap_err().to_string().contains("no edit is named"));
    }

    #[test]
    fn a_diff_reads_as_gits_does() {
        assert_eq!(unified_diff("values.yaml", "a: 1\n", "a: 1\n"), "");
        assert_eq!(
            unified_diff("prod/values.yaml", "a: 1\r\ntag: v1 # c\r\nb: 2", "a: 1\r\ntag: v2 # c\r\nb: 2"),
            "--- a/prod/values.yaml\n+++ b/prod/values.yaml\n@@ -1,3 +1,3 @@\n a: 1\r\n-tag: v1 # c\r\n+tag: v2 # c\r\n b: 2\n\
             \\ No newline at end of file\n"
        );
    }
    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]
        /// Also beyond a hundred lines, from where the library looks at them in another way.
        #[test]
        fn a_diff_is_the_one_that_the_library_would_choose(
            before in "([abc]\r?\n?){0,300}",
            after in "([abc]\r?\n?){0,300}",
            shared in 0_usize..200,
            around in 0_usize..4,
        ) {
            let shared = "the same\n".repeat(shared);
            let (before, after) = (format!("{shared}{before}"), format!("{shared}{after}"));
            let theirs = similar::TextDiff::configure().newline_terminated(true).diff_lines(&before, &after);
            let theirs = theirs.unified_diff().context_radius(around).header("a/x", "b/x").to_string();
            prop_assert_eq!(diff_with("x", &before, &after, around), theirs);
        }
    }
}
