//! Who wins: one setting out of the places that may give it.

use super::asked::Asked;
use super::layer::{AppLayer, At, Layer};
use super::request::{Freeze, PolicyMode, PolicySettings, PullRequestSettings};
use crate::names::RepoPath;

/// The places that a setting may come from, the nearest first.
pub(super) struct Layers<'a> {
    pub(super) asked: &'a Asked,
    /// App, top of the file.
    pub(super) of_app: Vec<&'a AppLayer>,
    /// Target, app, top of the file.
    pub(super) inner: Vec<&'a Layer>,
}

impl Layers<'_> {
    /// The nearest value of a setting.
    pub(super) fn pick<T: Clone>(&self, setting: impl Fn(&Layer) -> Option<&At<T>>) -> Option<T> {
        let mut layers = std::iter::once(&self.asked.everything).chain(self.inner.iter().copied());
        layers.find_map(setting).map(|at| at.value.clone())
    }

    /// The nearest value of a setting that targets do not have.
    pub(super) fn pick_of_app<T: Clone>(&self, setting: impl Fn(&AppLayer) -> Option<&At<T>>) -> Option<T> {
        let mut layers = std::iter::once(&self.asked.every_app).chain(self.of_app.iter().copied());
        layers.find_map(setting).map(|at| at.value.clone())
    }

    pub(super) fn policy(&self) -> PolicySettings {
        let folders = self.pick(|layer| layer.policy.as_ref());
        PolicySettings {
            named: folders.is_some(),
            folders: folders.unwrap_or_else(|| RepoPath::parse("policy").into_iter().collect()),
            data: self.pick(|layer| layer.policy_data.as_ref()).unwrap_or_default(),
            mode: self.pick(|layer| layer.policy_mode.as_ref()).unwrap_or(PolicyMode::Enforce),
        }
    }

    pub(super) fn pull_request(&self) -> PullRequestSettings {
        PullRequestSettings {
            draft: self.pick(|layer| layer.draft.as_ref()).unwrap_or_default(),
            labels: self.pick(|layer| layer.labels.as_ref()).unwrap_or_default(),
            reviewers: self.pick(|layer| layer.reviewers.as_ref()).unwrap_or_default(),
            team_reviewers: self.pick(|layer| layer.team_reviewers.as_ref()).unwrap_or_default(),
            assignees: self.pick(|layer| layer.assignees.as_ref()).unwrap_or_default(),
            auto_merge: self.pick(|layer| layer.auto_merge.as_ref()),
            merge_at_once: self.pick(|layer| layer.merge_at_once.as_ref()).unwrap_or_default(),
        }
    }

    /// The windows of every layer: a freeze of the top is not lifted by one of an app.
    pub(super) fn freeze(&self) -> Vec<Freeze> {
        let layers = self.inner.iter().rev().filter_map(|layer| layer.freeze.as_ref());
        layers.flat_map(|freeze| freeze.value.iter().cloned()).collect()
    }
}
