//! What an edit may be refused for. Any other reason, or one that does not say where and what next, is a finding.

use promote::failure::Problem;

/// Why an edit was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// It could mean two things, or would break something: the agreed reasons.
    Agreed(&'static str),
    /// What stands around it is written in a way that is not edited.
    Layout(&'static str),
    /// The file is not read at all.
    File(&'static str),
    /// No one expects this.
    Unknown,
}

const AGREED: &[(&str, &str)] = &[
    ("is written more than once", "duplicate key"),
    ("are one key to some readers", "key spelled in another way"),
    ("is overridden by the `<<` below it", "overridden by <<"),
    ("an alias of `*", "alias"),
    ("is not written here: it is inherited by `<<`", "inherited by <<"),
    ("has an explicit tag", "explicit tag"),
    ("is a mapping, not a single value", "not a scalar"),
    ("is a list, not a single value", "not a scalar"),
    ("nothing would be left of this mapping", "would empty a mapping"),
    ("cannot be removed: ", "would leave an alias dangling"),
    ("is not the key of a mapping", "not a mapping's key"),
    ("is no mapping, so", "not a mapping"),
    ("is already there", "key is there"),
];

const LAYOUT: &[(&str, &str)] = &[
    ("the blank line below has a tab", "tab on the blank line below"),
    ("beside keys that are written with `?`", "`?` or left-out key beside it"),
    ("the key shares its line with what is before it", "key shares its line"),
    ("a comment beside the key would be lost", "comment in brackets would be lost"),
    ("the key goes over several lines", "key over several lines"),
    ("the key has no `:`", "key without `:`"),
    ("the document is empty", "empty document"),
    ("the file ends in this text without a line ending", "text cut off by the file's end"),
    ("a mapping without `{`", "lone pair in a list"),
    ("would take the lines below", "block scalar above would take the lines below"),
    ("what stands around the key is not plain enough", "around the key"),
];

const FILE: &[(&str, &str)] = &[
    ("not valid YAML", "not valid YAML"),
    ("nested deeper than", "nested too deep"),
    ("aliases stand for more than", "alias bomb"),
    ("an alias stands inside its own anchor", "alias inside its anchor"),
    ("an anchor's name has more than", "anchor's name"),
    ("two byte-order marks", "two byte-order marks"),
    ("an invisible line break", "invisible line break"),
    ("a tag runs into a comma or bracket", "tag runs on"),
];

/// The class of a refusal.
pub fn class_of(problem: &Problem) -> Class {
    let placed = problem.place.as_ref().is_some_and(|place| place.line.is_some() && place.column.is_some());
    if problem.message.contains("the file is empty") || problem.message.contains("the file has no values") {
        return Class::File("empty file");
    }
    let find = |table: &[(&str, &'static str)]| {
        table.iter().find(|(part, _)| problem.message.contains(part)).map(|(_, name)| *name)
    };
    if !placed {
        return Class::Unknown;
    }
    if let Some(name) = find(FILE) {
        return Class::File(name);
    }
    if problem.hints.is_empty() {
        return Class::Unknown;
    }
    find(AGREED).map(Class::Agreed).or_else(|| find(LAYOUT).map(Class::Layout)).unwrap_or(Class::Unknown)
}
