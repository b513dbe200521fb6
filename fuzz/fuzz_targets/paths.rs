//! Any text as a key path, a pattern, or an argument of `promote set`: never a panic, and what is printed reads back.

#![no_main]

use libfuzzer_sys::fuzz_target;
use promote_fuzz::overlay::editor::key_path::KeyPath;
use promote_fuzz::overlay::editor::set::edits_of;
use promote_fuzz::overlay::pins::pattern::Pattern;

fuzz_target!(|text: &str| {
    if let Ok(path) = KeyPath::parse(text) {
        let printed = path.to_string();
        assert_eq!(KeyPath::parse(&printed).as_ref().ok(), Some(&path), "{text:?} prints as {printed:?}");
        assert!(!printed.chars().any(char::is_control), "{printed:?}");
    }
    let (pattern, path) = text.split_once('\n').unwrap_or((text, text));
    if let (Ok(pattern), Ok(path)) = (Pattern::parse(pattern), KeyPath::parse(path)) {
        let _ = pattern.names(&path);
    }
    let _ = edits_of(&[text], &[text], &[text]);
});
