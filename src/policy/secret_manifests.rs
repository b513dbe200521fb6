//! Inline values of `kind: Secret` and of a `secretGenerator`, found in the events of a YAML stream.
//!
//! Events, not a tree: neither depth nor aliases cost more than their text. Values are looked at here
//! and forgotten; only their lines leave.

use crate::names::RepoPath;
use crate::overlay::editor::tokens::{Part, tokens};

/// An inline secret: its line, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inline {
    pub line: u32,
    pub key: String,
}

/// A mapping or list that is open while the events go by.
#[derive(Default)]
struct Open {
    is_map: bool,
    /// The key whose value comes next, in a mapping.
    key: Option<String>,
    /// The line of that key.
    line: u32,
    /// Where this collection stands in the one around it.
    under: String,
    is_secret: bool,
    /// Plain values found below `data` and `stringData`, or `literals`.
    values: Vec<Inline>,
    found: Vec<Inline>,
}

/// Every inline value of a Secret; what is not YAML holds none.
pub(super) fn inline_secrets(path: &RepoPath, yaml: &str) -> Vec<Inline> {
    let mut open: Vec<Open> = Vec::new();
    let mut found = Vec::new();
    for token in tokens(path, yaml).map_while(Result::ok) {
        match token.part {
            Part::Mapping { .. } => begin(&mut open, true),
            Part::Sequence { .. } => begin(&mut open, false),
            Part::End => end(&mut open, &mut found),
            Part::Scalar { text, .. } => scalar(&mut open, &text, token.line),
            Part::Alias { .. } => alias(&mut open),
            Part::Document { .. } => {}
        }
    }
    while !open.is_empty() {
        end(&mut open, &mut found);
    }
    found.sort_by_key(|inline| inline.line);
    found
}

fn begin(open: &mut Vec<Open>, is_map: bool) {
    let under = match open.last_mut() {
        // A collection as a key: whatever stands in it, its value has no name.
        Some(parent) if parent.is_map && parent.key.is_none() => {
            parent.key = Some(String::new());
            open.push(Open { is_map, under: "\0key".to_owned(), ..Open::default() });
            return;
        }
        Some(parent) if parent.is_map => parent.key.take().unwrap_or_default(),
        Some(parent) => parent.under.clone(),
        None => String::new(),
    };
    open.push(Open { is_map, under, ..Open::default() });
}

fn scalar(open: &mut [Open], value: &str, line: u32) {
    let Some((here, around)) = open.split_last_mut() else { return };
    if here.is_map && here.key.is_none() {
        here.key = Some(value.to_owned());
        here.line = line;
        return;
    }
    let line = if here.is_map { here.line } else { line };
    let key = if here.is_map { here.key.take().unwrap_or_default() } else { value_name(value) };
    if here.is_map && key == "kind" && value == "Secret" {
        here.is_secret = true;
    }
    let held = if here.is_map { is_data(&here.under) } else { here.under == "literals" };
    let plain = if here.is_map { value } else { value.split_once('=').map_or("", |(_, plain)| plain) };
    if held
        && is_plain(plain)
        && let Some(parent) = around.last_mut()
    {
        parent.values.push(Inline { line, key });
    }
}

/// An alias as the data of a Secret, or as one value of it, is as readable as what it stands for.
fn alias(open: &mut [Open]) {
    let Some((here, around)) = open.split_last_mut() else { return };
    if !here.is_map {
        return;
    }
    let Some(key) = here.key.take() else {
        here.key = Some(String::new());
        return;
    };
    let line = here.line;
    if is_data(&key) {
        here.values.push(Inline { line, key });
    } else if is_data(&here.under)
        && let Some(parent) = around.last_mut()
    {
        parent.values.push(Inline { line, key });
    }
}

fn is_data(key: &str) -> bool {
    matches!(key, "data" | "stringData")
}

/// Decides what a collection's values were, once it is known whether they belong to a Secret.
fn end(open: &mut Vec<Open>, found: &mut Vec<Inline>) {
    let Some(mut closed) = open.pop() else { return };
    let generated = closed.is_map && closed.under == "secretGenerator";
    if closed.is_secret || generated {
        closed.found.append(&mut closed.values);
    }
    match open.last_mut() {
        Some(parent) => parent.found.append(&mut closed.found),
        None => found.append(&mut closed.found),
    }
}

/// The name of a literal `name=value`.
fn value_name(literal: &str) -> String {
    literal.split_once('=').map_or(literal, |(name, _)| name).to_owned()
}

/// Whether a value is there to be read: not empty, not encrypted by SOPS, not filled in by something else.
fn is_plain(value: &str) -> bool {
    let value = value.trim();
    let filled_in =
        ["{{", "${", "$(", "<path:", "ref+", "vault:"].iter().any(|start| value.starts_with(start));
    let angle = value.starts_with('<') && value.ends_with('>');
    !value.is_empty() && !value.starts_with("ENC[") && !filled_in && !angle
}
