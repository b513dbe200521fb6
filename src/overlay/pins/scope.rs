//! A part of a file that has rules of its own, seen as if it were all there is.
//!
//! An environment's own values in a file of several, the values inside a `HelmRelease`, one document of
//! many: whatever reads pins there asks by paths that start at the part, and never sees the rest.

use crate::overlay::editor::document::{Document, Node};
use crate::overlay::editor::key_path::KeyPath;

/// A part of a document.
#[derive(Clone)]
pub(in crate::overlay) struct Scope<'d> {
    document: &'d Document,
    base: KeyPath,
    environment: &'d str,
}

impl<'d> Scope<'d> {
    /// What stands at and below a path.
    pub(in crate::overlay) fn at(document: &'d Document, base: KeyPath) -> Self {
        Self { document, base, environment: "" }
    }

    /// The same, of the overlay of an environment.
    pub(in crate::overlay) fn of(self, environment: &'d str) -> Self {
        Self { environment, ..self }
    }

    /// A text as it would stand in every environment's overlay: with `{environment}` for the name.
    pub(in crate::overlay) fn without_environment(&self, text: &str) -> String {
        without_environment(text, self.environment)
    }

    /// A part of this part.
    pub(in crate::overlay) fn below(&self, path: &KeyPath) -> Self {
        Self { base: self.base.join(path), ..self.clone() }
    }

    /// The path in the file of a path in the part.
    pub(in crate::overlay) fn in_file(&self, path: &KeyPath) -> KeyPath {
        self.base.join(path)
    }

    /// The node that a reader sees at a path of the part: aliases and `<<` are followed.
    pub(in crate::overlay) fn read(&self, path: &KeyPath) -> Option<&'d Node> {
        self.document.read(&self.base.join(path))
    }

    /// What an alias stands for; any other node stands for itself.
    pub(in crate::overlay) fn resolved(&self, node: &'d Node) -> &'d Node {
        self.document.resolved(node)
    }

    /// The text of a scalar, through an alias; empty for null and for what is no scalar.
    pub(in crate::overlay) fn text_of(&self, node: &'d Node) -> &'d str {
        self.document.resolved(node).as_str().unwrap_or_default()
    }

    /// The text under a key of a mapping of the part, where there is some.
    pub(in crate::overlay) fn text_at(&self, path: &KeyPath) -> Option<&'d str> {
        self.read(path)?.as_str().filter(|text| !text.is_empty())
    }

    /// Every scalar of the part, with its path there.
    pub(in crate::overlay) fn walk(&self) -> impl Iterator<Item = (KeyPath, &'d Node)> {
        let document = self.document;
        let root = document.read(&self.base);
        root.into_iter().flat_map(move |root| document.walk_below(KeyPath::root(0), root))
    }
}

/// A text with `{environment}` for the environment's name, wherever that stands for itself in it.
pub(in crate::overlay) fn without_environment(text: &str, environment: &str) -> String {
    if environment.is_empty() {
        return text.to_owned();
    }
    let (mut done, mut last) = (String::new(), None);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(environment) {
        let left = before.chars().next_back().or(last.filter(|_| before.is_empty()));
        let joined = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let stands_alone = !joined(left) && !joined(after.chars().next());
        done.push_str(before);
        done.push_str(if stands_alone { "{environment}" } else { environment });
        last = environment.chars().next_back();
        rest = after;
    }
    done.push_str(rest);
    done
}

/// The same for a name, which has the environment's at most once: where it is there twice, either could be a part of
/// what is named, and the name is left as it is.
pub(in crate::overlay) fn environment_taken_out(name: &str, environment: &str) -> String {
    let text = without_environment(name, environment);
    if text.matches("{environment}").count() > 1 { name.to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::without_environment;

    #[test]
    fn an_environments_name_is_taken_out_where_it_stands_alone() {
        let table = [
            ("agent-staging", "staging", "agent-{environment}"),
            ("staging/a/staging", "staging", "{environment}/a/{environment}"),
            ("prestaging", "staging", "prestaging"),
            ("stagingprod", "staging", "stagingprod"),
            ("prodprod-prod", "prod", "prodprod-{environment}"),
            ("agent", "", "agent"),
        ];
        for (text, environment, expected) in table {
            assert_eq!(without_environment(text, environment), expected);
        }
    }
}
