//! Reads typed values out of a YAML tree, and remembers every mistake with its place.
//!
//! Knows nothing of what the settings mean. It never guesses: text that YAML takes for a number is
//! not text, a key that is left empty has no value, a key that nobody asked for is a mistake.

use super::layer::At;
use super::values::{Parsed, Wrong, nearest, quoted, shown};
use crate::failure::{Place, Problem};
use crate::overlay::editor::document::{Document, Node, ScalarStyle, Value};

/// A document and what is wrong with it so far.
pub(super) struct Reader<'d> {
    document: &'d Document,
    problems: Vec<Problem>,
    not_yet: Vec<Problem>,
}

/// The entries of a mapping that nobody has read yet.
pub(super) struct Fields<'d> {
    what: &'static str,
    place: Place,
    entries: Vec<(&'d str, &'d Node, Place)>,
    known: Vec<&'static str>,
}

impl<'d> Fields<'d> {
    /// The value of a key, which is read with this.
    pub(super) fn take(&mut self, key: &'static str) -> Option<&'d Node> {
        self.known.push(key);
        let index = self.entries.iter().position(|(name, ..)| *name == key)?;
        Some(self.entries.remove(index).1)
    }

    /// Whether a key is there and was not read yet.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(name, ..)| *name == key)
    }

    /// Every entry, where keys are free.
    pub(super) fn all(self) -> impl Iterator<Item = (&'d str, &'d Node)> {
        self.entries.into_iter().map(|(key, node, _)| (key, node))
    }
}

impl<'d> Reader<'d> {
    pub(super) fn new(document: &'d Document) -> Self {
        Self { document, problems: Vec::new(), not_yet: Vec::new() }
    }

    /// Every mistake, and every setting that is for later.
    pub(super) fn finish(self) -> (Vec<Problem>, Vec<Problem>) {
        (self.problems, self.not_yet)
    }

    /// The entries of a mapping.
    pub(super) fn fields(&mut self, node: &'d Node, what: &'static str) -> Option<Fields<'d>> {
        let place = self.document.place(node);
        let node = self.document.resolved(node);
        let Value::Mapping { entries, .. } = &node.value else {
            self.wrong_at(place, format!("{what} must be a mapping, and is {}", described(node)));
            return None;
        };
        let mut fields = Fields { what, place, entries: Vec::new(), known: Vec::new() };
        for entry in entries {
            let place = self.document.place(&entry.key);
            match entry.key.as_str() {
                Some("<<") => {
                    let message = "merge keys (`<<`) are not read here".to_owned();
                    self.hinted(place, message, "write the keys out; an alias may stand for a whole value");
                }
                Some(key) if fields.has(key) => {
                    self.wrong_at(place, format!("the key {} stands here twice", shown(key)));
                }
                Some(key) => fields.entries.push((key, &entry.value, place)),
                None => self.wrong_at(place, format!("a key must be text, and is {}", described(&entry.key))),
            }
        }
        Some(fields)
    }

    /// Ends a mapping: what nobody asked for is a mistake. Returns whether there was nothing.
    pub(super) fn no_more(&mut self, fields: Fields<'d>) -> bool {
        let legible = fields.entries.is_empty();
        for (key, _, place) in fields.entries {
            let hint = meant(key, fields.known.iter().copied());
            self.hinted(place, format!("{} has no key {}", fields.what, shown(key)), hint);
        }
        legible
    }

    /// One value, read from its text.
    pub(super) fn one<T>(
        &mut self,
        fields: &mut Fields<'d>,
        key: &'static str,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Option<At<T>> {
        let node = fields.take(key)?;
        self.scalar(node, key, parse)
    }

    /// One value that must be there.
    pub(super) fn needed<T>(
        &mut self,
        fields: &mut Fields<'d>,
        key: &'static str,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Option<At<T>> {
        if !fields.has(key) {
            self.wrong_at(fields.place.clone(), format!("{} needs the key `{key}`", fields.what));
        }
        self.one(fields, key, parse)
    }

    /// A list of values, possibly empty.
    pub(super) fn list<T>(
        &mut self,
        fields: &mut Fields<'d>,
        key: &'static str,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Option<At<Vec<T>>> {
        let node = fields.take(key)?;
        let values = self.each(node, key, |reader, node| reader.scalar(node, key, &parse).map(|at| at.value));
        Some(self.at(node, values))
    }

    /// A list of at least one value.
    pub(super) fn some<T>(
        &mut self,
        fields: &mut Fields<'d>,
        key: &'static str,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Option<At<Vec<T>>> {
        let node = fields.entries.iter().find(|(name, ..)| *name == key).map(|(_, node, _)| *node);
        let list = self.list(fields, key, parse);
        if let Some(node) = node {
            self.not_empty(node, key, "give it a value, or remove the key");
        }
        list
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, fields: &mut Fields<'d>, key: &'static str) -> Option<At<bool>> {
        let node = fields.take(key)?;
        let resolved = self.document.resolved(node);
        match &resolved.value {
            Value::Scalar { text, style: ScalarStyle::Plain } if !resolved.tagged => match text.as_str() {
                "true" | "True" | "TRUE" => return Some(self.at(node, true)),
                "false" | "False" | "FALSE" => return Some(self.at(node, false)),
                _ => {}
            },
            _ => {}
        }
        let message =
            format!("`{key}` must be `true` or `false`, without quotes, and is {}", described(resolved));
        self.wrong(node, &message);
        None
    }

    /// A whole number, without quotes.
    pub(super) fn number<T>(
        &mut self,
        fields: &mut Fields<'d>,
        key: &'static str,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Option<At<T>> {
        let node = fields.take(key)?;
        let resolved = self.document.resolved(node);
        let number = not_text(resolved) == Some("number") && !resolved.tagged;
        let Some(text) = resolved.as_str().filter(|_| number) else {
            let message = format!("`{key}` must be a number, without quotes, and is {}", described(resolved));
            self.wrong(node, &message);
            return None;
        };
        self.parsed(node, key, parse(text))
    }

    /// The items of a list.
    pub(super) fn each<T>(
        &mut self,
        node: &'d Node,
        key: &str,
        mut read: impl FnMut(&mut Self, &'d Node) -> Option<T>,
    ) -> Vec<T> {
        let resolved = self.document.resolved(node);
        let Value::Sequence { items, .. } = &resolved.value else {
            let message = format!("`{key}` must be a list, and is {}", described(resolved));
            let hint = match resolved.as_str() {
                Some(text) => format!("write it as a list: {}", shown(&format!("{key}: [{text}]"))),
                None => "write each item on a line of its own, after `- `".to_owned(),
            };
            self.hinted(self.document.place(node), message, hint);
            return Vec::new();
        };
        items.iter().filter_map(|item| read(self, item)).collect()
    }

    /// Refuses a list without items.
    pub(super) fn not_empty(&mut self, node: &Node, key: &str, hint: &str) {
        if matches!(&self.document.resolved(node).value, Value::Sequence { items, .. } if items.is_empty()) {
            self.hinted(self.document.place(node), format!("`{key}` is empty"), hint);
        }
    }

    /// A value, read from its text.
    pub(super) fn scalar<T>(
        &mut self,
        node: &Node,
        key: &str,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Option<At<T>> {
        let resolved = self.document.resolved(node);
        let text = match &resolved.value {
            Value::Scalar { text, .. } if !resolved.is_null() && !resolved.tagged => text,
            _ => {
                self.wrong(node, &format!("`{key}` must be text, and is {}", described(resolved)));
                return None;
            }
        };
        let parsed = parse(text).and_then(|value| match not_text(resolved) {
            Some(kind) => Err(Wrong::new(format!("{} is a {kind} in YAML, not text", shown(text)))
                .hinted(format!("put it in quotes: `'{text}'`"))),
            None => Ok(value),
        });
        self.parsed(node, key, parsed)
    }

    /// The value with its place, or its mistake noted.
    fn parsed<T>(&mut self, node: &Node, key: &str, parsed: Parsed<T>) -> Option<At<T>> {
        match parsed {
            Ok(value) => Some(self.at(node, value)),
            Err(mut wrong) => {
                wrong.message = format!("`{key}`: {}", wrong.message);
                self.problems.push(wrong.at(self.document.place(node)));
                None
            }
        }
    }

    /// Whether a node is a single value, or an alias of one.
    pub(super) fn is_scalar(&self, node: &Node) -> bool {
        matches!(self.document.resolved(node).value, Value::Scalar { .. })
    }

    /// A value with its place.
    pub(super) fn at<T>(&self, node: &Node, value: T) -> At<T> {
        At::new(value, self.document.place(node))
    }

    /// Notes that this version does not act on a key yet.
    pub(super) fn later(&mut self, fields: &Fields<'d>, key: &str) {
        if let Some((.., place)) = fields.entries.iter().find(|(name, ..)| *name == key) {
            self.not_yet.push(not_yet(key, place.clone()));
        }
    }

    /// A mistake at a node.
    pub(super) fn wrong(&mut self, node: &Node, message: &str) {
        self.wrong_at(self.document.place(node), message.to_owned());
    }

    /// A mistake at a node, which is described.
    pub(super) fn wrong_as(&mut self, node: &Node, message: &str, hint: &str) {
        let what = described(self.document.resolved(node));
        self.hinted(self.document.place(node), format!("{what} {message}"), hint);
    }

    /// A name that is not among those known.
    pub(super) fn wrong_among<'a>(
        &mut self,
        place: Place,
        message: String,
        name: &str,
        known: impl Iterator<Item = &'a str> + Clone,
    ) {
        self.hinted(place, message, meant(name, known));
    }

    /// A mistake at a place.
    pub(super) fn wrong_at(&mut self, place: Place, message: String) {
        self.problems.push(Problem { place: Some(place), message, hints: Vec::new() });
    }

    fn hinted(&mut self, place: Place, message: String, hint: impl Into<String>) {
        self.problems.push(Problem { place: Some(place), message, hints: vec![hint.into()] });
    }
}

/// The known name that was probably meant, else all of them.
fn meant<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(name, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("allowed: {}", quoted(known)),
    }
}

/// What a value is, for a message.
fn described(node: &Node) -> String {
    match &node.value {
        Value::Mapping { .. } => "a mapping".to_owned(),
        Value::Sequence { .. } => "a list".to_owned(),
        Value::Alias { .. } => "an alias".to_owned(),
        Value::Scalar { .. } if node.tagged => "a value with a YAML tag".to_owned(),
        Value::Scalar { text, .. } if node.is_null() && text.is_empty() => "left empty".to_owned(),
        Value::Scalar { text, .. } => match not_text(node) {
            Some(kind) => format!("the {kind} {}", shown(text)),
            None => format!("the text {}", shown(text)),
        },
    }
}

/// What YAML 1.2 takes a plain scalar for, where that is not text (its core schema, 10.3.2).
fn not_text(node: &Node) -> Option<&'static str> {
    let Value::Scalar { text, style: ScalarStyle::Plain } = &node.value else { return None };
    match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => return Some("null"),
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => return Some("boolean"),
        _ => {}
    }
    let digits = |text: &str, radix| !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let number = digits(unsigned, 10)
        || text.strip_prefix("0o").is_some_and(|rest| digits(rest, 8))
        || text.strip_prefix("0x").is_some_and(|rest| digits(rest, 16))
        || matches!(unsigned, ".inf" | ".Inf" | ".INF")
        || matches!(text.as_str(), ".nan" | ".NaN" | ".NAN")
        || unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') && unsigned.parse::<f64>().is_ok();
    number.then_some("number")
}

/// What is said of a setting that this version does not act on yet.
pub(super) fn not_yet(key: &str, place: Place) -> Problem {
    let message = format!("`{key}` is read, but this version does not act on it yet");
    Problem { place: Some(place), message, hints: Vec::new() }
}

#[cfg(test)]
mod tests;
