//! Keys that differ as text and are one key to some reader: `on` and `true`, `8` and `0x8`, `tag` and `!!binary dGFn`.
//!
//! Refuses an edit beside one, since another value would count than the one that is shown. Knows nothing of duplicates
//! that are spelled alike; those are refused where a path is followed.

use std::collections::HashSet;

use crate::failure::{Failure, Kind, Result};

use super::document::{Document, Entry, Node, ScalarStyle, Value};
use super::key_path::KeyPath;
use super::quoting::is_string;

/// The one tag that leaves a key what it looks like.
const STRING: &str = "tag:yaml.org,2002:str";

impl Document {
    /// Refuses a mapping in which, to some reader, another key may be the one at `there`; merged ones count as well.
    ///
    /// `own` is the entry of that key; a key without one is about to be written as a string.
    pub(super) fn refuse_other_spellings(
        &self,
        there: &KeyPath,
        mapping: &Node,
        key: &str,
        own: Option<usize>,
    ) -> Result<()> {
        let own = own.and_then(|number| mapping.entries().get(number));
        let own_readings = own.map_or_else(|| vec![key.to_owned()], |own| readings(self.resolved(&own.key)));
        // Readings that are not the text itself are never strings.
        let is_plain_string = is_string(key);
        let mut seen = HashSet::new();
        let mut open = vec![mapping];
        while let Some(source) = open.pop() {
            if !seen.insert(std::ptr::from_ref(source)) {
                continue;
            }
            for entry in
                source.entries().iter().filter(|entry| own.is_none_or(|own| !std::ptr::eq(own, *entry)))
            {
                self.refuse_tagged(there, entry)?;
                if is_plain_string {
                    continue;
                }
                let other = self.resolved(&entry.key);
                // A key that is spelled alike overrides what is merged.
                let is_override = !std::ptr::eq(source, mapping) && self.key_is(entry, key);
                if !is_override && readings(other).iter().any(|reading| own_readings.contains(reading)) {
                    return Err(self.same_key(there, entry));
                }
            }
            open.extend(self.merge_sources(source));
        }
        Ok(())
    }

    fn refuse_tagged(&self, there: &KeyPath, entry: &Entry) -> Result<()> {
        let key = self.resolved(&entry.key);
        if !key.tagged || self.tags.get(&key.start).is_some_and(|tag| tag == STRING) {
            return Ok(());
        }
        let message =
            format!("a key beside `{there}` has an explicit tag, so it may be that very key to some readers");
        Err(Failure::at(Kind::Overlay, self.place(&entry.key), message)
            .hinted("write that key without its tag"))
    }

    fn same_key(&self, there: &KeyPath, entry: &Entry) -> Failure {
        let text = self.key_text(entry).unwrap_or_default().escape_debug();
        let message = format!("the key `{text}` and `{there}` are one key to some readers");
        Failure::at(Kind::Overlay, self.place(&entry.key), message).hinted(
            "Helm reads `on` and `yes` as `true`, and numbers by their value; leave one of the two keys",
        )
    }
}

/// What a key may be to a reader, as Helm writes it in JSON: its text and, where it is plain, its value.
fn readings(key: &Node) -> Vec<String> {
    let Value::Scalar { text, style } = &key.value else { return Vec::new() };
    if *style != ScalarStyle::Plain || key.tagged || is_string(text) {
        return vec![text.clone()];
    }
    let lower = text.to_ascii_lowercase();
    let value = match lower.as_str() {
        "true" | "yes" | "on" | "y" => "true".to_owned(),
        "false" | "no" | "off" | "n" => "false".to_owned(),
        "" => return vec!["null".to_owned()],
        "~" | "null" => "null".to_owned(),
        _ => {
            let mut all = numbers(&lower);
            all.push(text.clone());
            return all;
        }
    };
    vec![text.clone(), value]
}

/// The numbers that a plain text may be: one with a leading zero is octal to some readers.
fn numbers(lower: &str) -> Vec<String> {
    let (sign, digits) = match lower.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", lower.strip_prefix('+').unwrap_or(lower)),
    };
    let digits: String = digits.chars().filter(|c| !matches!(c, '_' | ',')).collect();
    let based = [("0x", 16), ("0o", 8), ("0b", 2), ("0", 8)].into_iter().filter_map(|(prefix, radix)| {
        let value = u128::from_str_radix(digits.strip_prefix(prefix)?, radix).ok()?;
        Some(format!("{sign}{value}"))
    });
    let decimal = digits.parse::<f64>().ok().map(|value| format!("{sign}{value}"));
    based.chain(decimal).collect()
}
