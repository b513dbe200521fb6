//! Who has the last word: what Helm, Kustomize and the operators make of an overlay, in the order in which they do.
//!
//! A value that is promoted counts for nothing where a later layer says something else. Argo CD passes
//! `parameters` after `valuesObject`, that in place of `values`, and these after values files (its
//! `docs/user-guide/helm.md`, *Helm Value Precedence*); Flux merges `values` over `valuesFrom`. Both change images
//! after everything else has been made.

use super::files::Shape;
use crate::overlay::editor::key_path::{KeyPath, Step};

/// What a value is part of, the earlier first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::overlay) enum Layer {
    /// A file of values, a manifest, a chart.
    File,
    /// Values as a text in an Argo CD object: `helm.values`.
    Text,
    /// Values in an operator's object: `helm.valuesObject`, a `HelmRelease`'s `values`.
    Object,
    /// `helm.parameters`.
    Parameter,
    /// `images` of a kustomization.
    Kustomization,
    /// `images` of a `HelmRelease`'s post-renderers.
    PostRenderer,
    /// `images` in an Argo CD source or a Flux `Kustomization`.
    Operator,
}

/// By what two layers mean the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::overlay) enum Same {
    /// The path of a Helm value.
    Value,
    /// The name of an image.
    Image,
}

impl Layer {
    /// The layer of what stands at a path in a part of this shape.
    pub(in crate::overlay) fn of(shape: Shape, path: &KeyPath) -> Self {
        let are = |steps: &[Step], keys: &[&str]| {
            let is = |(step, key): (&Step, &&str)| matches!(step, Step::Key(step) if step == key);
            steps.iter().zip(keys).all(is)
        };
        let has = |keys: &[&str]| path.steps.windows(keys.len()).any(|steps| are(steps, keys));
        let starts = |keys: &[&str]| path.steps.get(..keys.len()).is_some_and(|steps| are(steps, keys));
        match shape {
            Shape::Kustomization if starts(&["images"]) => Self::Kustomization,
            Shape::Argo if has(&["helm", "parameters"]) => Self::Parameter,
            Shape::Argo if has(&["helm", "valuesObject"]) => Self::Object,
            Shape::Argo if has(&["kustomize", "images"]) => Self::Operator,
            Shape::Flux if starts(&["spec", "values"]) => Self::Object,
            Shape::Flux if starts(&["spec", "postRenderers"]) => Self::PostRenderer,
            Shape::Flux if starts(&["spec", "images"]) => Self::Operator,
            _ => Self::File,
        }
    }

    /// Whether what it says counts in place of what another layer says of the same thing.
    pub(in crate::overlay) fn wins_over(self, other: Self) -> Option<Same> {
        match (self, other) {
            (Self::Text | Self::Object | Self::Parameter, Self::File) | (Self::Parameter, Self::Object) => {
                Some(Same::Value)
            }
            (Self::Kustomization, Self::File)
            | (Self::PostRenderer, Self::File | Self::Object)
            | (Self::Operator, Self::File | Self::Kustomization) => Some(Same::Image),
            _ => None,
        }
    }
}
