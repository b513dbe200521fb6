//! Inputs as text: from the environment, the command line and a dispatch, each with where it came from.
//!
//! The highest place that gives a value wins: a flag, then a `with:` input, then what a dispatch may
//! set. Nothing is judged here; an input that nobody knows is a warning, because the runner hands
//! those on as well. Texts are kept as secrets, so that no debug print shows a token.

use std::collections::BTreeMap;

use super::event::{Event, Trigger};
use super::private_key;
use super::table::{DISPATCH, INPUTS, Shape, input_named};
use super::values::{nearest, shown};
use crate::failure::{Place, Problem};
use crate::secret::Secret;

/// What was given for an input, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    text: Secret,
    /// A phrase: ``input `tag` ``, `--tag`.
    pub place: Place,
}

impl Given {
    /// The text, without blanks around it.
    pub fn text(&self) -> &str {
        self.text.expose()
    }
}

/// Texts by input name. What is empty, or blank, was not given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    given: BTreeMap<&'static str, Given>,
    /// What should be looked at, though nothing stops.
    pub warnings: Vec<Problem>,
}

/// `args` and `entrypoint` belong to the runner: it passes them on for every container action.
const OF_THE_RUNNER: &[&str] = &["args", "entrypoint"];

impl Inputs {
    /// Reads `INPUT_…` variables: names upper-cased, spaces as `_`, dashes kept.
    ///
    /// Outside Actions, where nothing gives `token`, `GITHUB_TOKEN` or `GH_TOKEN` does.
    pub fn from_env(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut inputs = Self::default();
        let mut tokens = BTreeMap::new();
        for (variable, text) in variables {
            let Some(name) = variable.strip_prefix("INPUT_") else {
                if matches!(variable.as_str(), "GITHUB_TOKEN" | "GH_TOKEN") && !text.trim().is_empty() {
                    tokens.insert(variable, text);
                }
                continue;
            };
            match INPUTS.iter().find(|input| input.name.to_uppercase() == name) {
                Some(input) => inputs.give(input.name, &text, Place::of(format!("input `{}`", input.name))),
                None => inputs.unknown(&name.to_lowercase()),
            }
        }
        // Sorted by name: `GH_TOKEN`, as of GitHub's own command line, comes first.
        if let (None, Some((variable, text))) = (inputs.get("token"), tokens.into_iter().next()) {
            inputs.give("token", &text, Place::of(variable));
        }
        inputs
    }

    /// Takes the flags of a command line, by input name.
    pub fn from_flags<'a>(flags: impl IntoIterator<Item = (&'static str, &'a str)>) -> Self {
        let mut inputs = Self::default();
        for (name, text) in flags {
            inputs.give(name, text, Place::of(format!("--{name}")));
        }
        inputs
    }

    /// Takes what a dispatch may set (rule 8), under its name or with `_` for `-`; of the other
    /// inputs it says that they were ignored. What is no input of ours is no business of ours.
    pub fn from_dispatch(event: &Event) -> Self {
        let phrase = match event.trigger {
            Trigger::RepositoryDispatch { .. } => "client payload",
            _ => "dispatch input",
        };
        let mut inputs = Self::default();
        // Sorted by name: `dry-run` comes before `dry_run` and wins.
        for (sent, text) in &event.dispatch {
            let kebab = sent.replace('_', "-");
            let Some(input) = input_named(&kebab) else { continue };
            let place = Place::of(format!("{phrase} {}", shown(sent)));
            if DISPATCH.contains(&input.name) {
                if !inputs.given.contains_key(input.name) {
                    inputs.give(input.name, text, place);
                }
            } else if !text.trim().is_empty() {
                inputs.warnings.push(Problem {
                    place: Some(place),
                    message: format!("ignored: a dispatch cannot set `{}`", input.name),
                    hints: vec![format!(
                        "a dispatch sets {} alone; set `{}` in `.github/promote.yaml` or under `with:`",
                        super::values::quoted(DISPATCH.iter().copied()),
                        input.name,
                    )],
                });
            }
        }
        inputs
    }

    /// These inputs, and those of `lower` that are not given here.
    #[must_use]
    pub fn or(mut self, lower: Self) -> Self {
        for (name, given) in lower.given {
            self.given.entry(name).or_insert(given);
        }
        self.warnings.extend(lower.warnings);
        self
    }

    /// What was given for an input.
    pub fn get(&self, name: &str) -> Option<&Given> {
        self.given.get(name)
    }

    /// Every text that must be masked before anything is printed.
    pub fn secrets(&self) -> impl Iterator<Item = Secret> {
        self.given.iter().flat_map(|(name, given)| match input_named(name).map(|input| input.shape) {
            Some(Shape::Secret) => vec![given.text.clone()],
            Some(Shape::Key) => private_key::lines(given.text()).collect(),
            _ => Vec::new(),
        })
    }

    fn give(&mut self, name: &'static str, text: &str, place: Place) {
        let text = text.trim();
        if !text.is_empty() {
            self.given.insert(name, Given { text: Secret::new(text), place });
        }
    }

    fn unknown(&mut self, name: &str) {
        if OF_THE_RUNNER.contains(&name) {
            return;
        }
        let near = nearest(name, INPUTS.iter().map(|input| input.name));
        self.warnings.push(Problem {
            place: Some(Place::of(format!("input {}", shown(name)))),
            message: "ignored: there is no such input".to_owned(),
            hints: near.map(|near| format!("did you mean `{near}`?")).into_iter().collect(),
        });
    }
}

#[cfg(test)]
mod tests;
