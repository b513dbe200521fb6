//! Any bytes as a file, any place of it, any new value: never a panic, and whatever is given back is right.
//!
//! The first four bytes choose what is done where; the rest is the file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use promote_fuzz::failure::Failure;
use promote_fuzz::names::RepoPath;
use promote_fuzz::oracle::complaint;
use promote_fuzz::overlay::editor::document::{Document, Value};
use promote_fuzz::overlay::editor::edit::{Anchors, Edit, edited};
use promote_fuzz::overlay::editor::key_path::KeyPath;

const VALUES: [&str; 16] = [
    "v2",
    "1.10",
    "yes",
    "",
    "a: b # c",
    "two\nlines",
    " x ",
    "~",
    "'\"",
    "{{ x }}",
    "- a",
    "é☃",
    "0x1F",
    "a,b]}",
    "\u{0}\u{feff}",
    "<<",
];

fuzz_target!(|input: &[u8]| {
    let Some((control, bytes)) = input.split_at_checked(4) else { return };
    let path = RepoPath::parse("values.yaml").unwrap();
    let Ok(document) = Document::parse(&path, bytes) else { return };
    let places: Vec<KeyPath> = document.walk().map(|(path, _)| path).take(300).collect();
    if places.is_empty() {
        return;
    }
    let before = std::str::from_utf8(bytes).unwrap();
    let place = |byte: u8| &places[usize::from(byte) % places.len()];
    let value = VALUES[usize::from(control[3] & 15)];
    let first = edit_of(control[0] & 3, place(control[1]), value);
    let second = edit_of((control[0] >> 2) & 3, place(control[2]), VALUES[usize::from(control[3] >> 4)]);
    for edit in [&first, &second] {
        let made = edited(&path, bytes, std::slice::from_ref(edit), Anchors::Follow);
        judge(before, std::slice::from_ref(edit), &made.map(|made| made.bytes));
    }
    let both = [first, second];
    let together = edited(&path, bytes, &both, Anchors::Refuse).map(|made| made.bytes);
    judge(before, &both, &together);
    if let (Ok(together), [Edit::Set { .. }, Edit::Set { .. }]) = (&together, &both) {
        let one = edited(&path, bytes, &both[..1], Anchors::Follow).unwrap().bytes;
        // An item that is named by what was set has another name now.
        if let Ok(other) = edited(&path, &one, &both[1..], Anchors::Follow) {
            assert_eq!(String::from_utf8_lossy(&other.bytes), String::from_utf8_lossy(together));
        }
    }
});

fn edit_of(kind: u8, place: &KeyPath, value: &str) -> Edit {
    let value = value.to_owned();
    let parent = place.parent().unwrap_or_else(|| place.clone());
    match kind {
        0 | 1 => Edit::Set { key: place.clone(), value },
        2 => Edit::Add { parent, key: "digest".to_owned(), value },
        _ => Edit::Remove { key: place.clone() },
    }
}

fn judge(before: &str, edits: &[Edit], made: &Result<Vec<u8>, Failure>) {
    match made {
        Ok(after) => {
            let after = std::str::from_utf8(after).expect("what is written is UTF-8");
            if let Some(complaint) = complaint(before, after, edits) {
                panic!("{edits:?}\n{before:?}\nbecame\n{after:?}\n{complaint}");
            }
            if edits.len() == 1 {
                stays_around(before, after, &edits[0]);
            }
        }
        // Among the refusals are those of the editor's own proof: it stopped what would have been wrong.
        Err(failure) => assert!(!failure.to_string().is_empty()),
    }
}

/// The same set again changes nothing, and what stands around a value stays.
fn stays_around(before: &str, after: &str, edit: &Edit) {
    let Edit::Set { key, .. } = edit else { return };
    let path = RepoPath::parse("values.yaml").unwrap();
    if let Ok(again) = edited(&path, after.as_bytes(), std::slice::from_ref(edit), Anchors::Follow) {
        assert_eq!(String::from_utf8_lossy(&again.bytes), after, "the same edit twice");
    }
    let document = Document::parse(&path, before.as_bytes()).unwrap();
    let Ok(node) = document.find(key) else { return };
    let Value::Scalar { .. } = node.value else { panic!("{key} is no scalar") };
    let text = &before[node.span.clone()];
    // A plain or quoted value: all bytes around it stay.
    let (head, tail) = (&before[..node.span.start], &before[node.span.end..]);
    let is_block =
        before[node.start..node.span.end].starts_with(['|', '>']) || text.is_empty() || !is_inline(head);
    if !is_block {
        assert!(after.starts_with(head) && after.ends_with(tail), "{key}: {before:?} became {after:?}");
    }
}

/// Whether something stands before a value on its line, or the line begins a document: a block scalar's text is alone.
fn is_inline(head: &str) -> bool {
    head.rsplit(['\n', '\r']).next().is_some_and(|line| !line.trim().is_empty())
}
