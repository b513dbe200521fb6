//! Which files make an overlay, and what each of them is.
//!
//! Without settings these are the usual ones, by their names. With `files` they are those that are named,
//! and what a file is follows from what stands in it, unless `shape` says so. Nothing is read here.

use crate::failure::{Failure, Kind, Result};
use crate::names::RepoPath;
use crate::overlay::editor::document::Node;
use crate::overlay::editor::key_path::KeyPath;

/// The names of the files of an overlay that are read without settings; others in its folder are nobody's business.
pub const OVERLAY_FILES: &[&str] = &[
    "values.yaml",
    "values.yml",
    "kustomization.yaml",
    "kustomization.yml",
    "Kustomization",
    "Chart.yaml",
    "Chart.lock",
];

/// What a file, or a part of one, is: it decides which of its values are pins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// Helm values, and whatever names its images as they do, Kubernetes manifests among them.
    Values,
    /// A `kustomization.yaml`.
    Kustomization,
    /// A `Chart.yaml`.
    Chart,
    /// A `Chart.lock`: none of it is a pin.
    Lock,
    /// An Argo CD `Application` or `ApplicationSet`.
    Argo,
    /// A Flux `HelmRelease`, `Kustomization`, `OCIRepository` or `GitRepository`.
    Flux,
}

/// A file of an app's overlays, as the settings name it: `{environment}` and `{app}` stand for their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRule {
    file: String,
    at: Option<String>,
    shape: Option<Shape>,
}

/// A file of one environment's overlay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFile {
    /// Path in the repository.
    pub path: RepoPath,
    /// What the file is called in every overlay of the app, whatever its name in this one.
    pub(in crate::overlay) name: String,
    /// The part of the file that is this environment's; absent: all of it.
    pub(in crate::overlay) at: Option<KeyPath>,
    /// What it is, where the settings say so.
    pub(in crate::overlay) shape: Option<Shape>,
}

impl Shape {
    /// Every shape that settings can name, by its name there.
    pub const NAMED: [(&str, Self); 5] = [
        ("values", Self::Values),
        ("kustomization", Self::Kustomization),
        ("chart", Self::Chart),
        ("argo", Self::Argo),
        ("flux", Self::Flux),
    ];

    /// The shape that settings call so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(name, _)| *name == text).map(|(_, shape)| *shape)
    }

    /// What a file is by its name, and the one name for all names of its kind.
    pub(in crate::overlay) fn of_name(file_name: &str) -> (Self, &str) {
        match file_name {
            "values.yml" => (Self::Values, "values.yaml"),
            "kustomization.yaml" | "kustomization.yml" | "Kustomization" => {
                (Self::Kustomization, "kustomization.yaml")
            }
            "Chart.yaml" => (Self::Chart, "Chart.yaml"),
            "Chart.lock" => (Self::Lock, "Chart.lock"),
            other => (Self::Values, other),
        }
    }

    /// What a Kubernetes object is by its API and kind, where these have a shape of their own.
    pub(in crate::overlay) fn of_object(root: &Node) -> Option<Self> {
        let group = root.get("apiVersion")?.as_str()?.split('/').next()?;
        match (group, root.get("kind")?.as_str()?) {
            ("argoproj.io", "Application" | "ApplicationSet") => Some(Self::Argo),
            ("helm.toolkit.fluxcd.io", "HelmRelease")
            | ("kustomize.toolkit.fluxcd.io", "Kustomization")
            | ("source.toolkit.fluxcd.io", "OCIRepository" | "GitRepository" | "HelmChart") => {
                Some(Self::Flux)
            }
            ("kustomize.config.k8s.io", "Kustomization" | "Component") => Some(Self::Kustomization),
            _ => None,
        }
    }
}

impl FileRule {
    /// A file by its path in the overlay's folder or, where it starts with `/`, in the repository.
    ///
    /// # Errors
    ///
    /// A name that is no path; a place that is no key path; a word in braces that stands for nothing.
    pub fn new(file: &str, at: Option<&str>, shape: Option<Shape>) -> Result<Self> {
        let rule = Self { file: file.to_owned(), at: at.map(str::to_owned), shape };
        // What holds for one name holds for all: names have no `/`, no dots in a row and no brackets.
        rule.named(&RepoPath::parse("overlay")?, "environment", "app")?;
        Ok(rule)
    }

    /// Whether it is named from the repository's root, and needs no folder of an overlay.
    #[must_use]
    pub fn is_rooted(&self) -> bool {
        self.file.starts_with('/')
    }

    /// The file in the overlay of one environment.
    pub fn named(&self, folder: &RepoPath, environment: &str, app: &str) -> Result<NamedFile> {
        let file = filled(&self.file, environment, app)?;
        let path = match file.strip_prefix('/') {
            Some(rooted) => RepoPath::parse(rooted)?,
            None => folder.join(&file)?,
        };
        if path.as_str().is_empty() || path == *folder {
            return Err(Failure::new(Kind::Settings, format!("`{}` names no file", file.escape_debug())));
        }
        let at = self.at.as_deref().map(|at| KeyPath::parse(&filled(at, environment, app)?)).transpose()?;
        let (by_name, plain) = Shape::of_name(path.file_name());
        let shape =
            self.shape.or_else(|| Some(by_name).filter(|shape| at.is_none() && *shape != Shape::Values));
        let name = match plain == path.file_name() {
            true => self.file.clone(),
            false => format!("{}{plain}", self.file.strip_suffix(path.file_name()).unwrap_or_default()),
        };
        let name = self.at.iter().fold(name, |name, at| format!("{name} at {at}"));
        Ok(NamedFile { path, name, at, shape })
    }
}

impl NamedFile {
    /// The files that an overlay has without settings.
    pub fn usual(folder: &RepoPath) -> Vec<Self> {
        let file = |name: &&str| FileRule::new(name, None, None)?.named(folder, "", "");
        OVERLAY_FILES.iter().filter_map(|name| file(name).ok()).collect()
    }
}

/// A text with the names put in for the words in braces.
fn filled(text: &str, environment: &str, app: &str) -> Result<String> {
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (word, after) = after.split_once('}').unwrap_or((after, ""));
        done.push_str(before);
        done.push_str(match word {
            "environment" => environment,
            "app" => app,
            _ => {
                let message =
                    format!("`{{{}}}` in `{}` stands for nothing", word.escape_debug(), text.escape_debug());
                return Err(Failure::new(Kind::Settings, message)
                    .hinted("`{environment}` and `{app}` stand for their names"));
            }
        });
        rest = after;
    }
    done.push_str(rest);
    Ok(done)
}
