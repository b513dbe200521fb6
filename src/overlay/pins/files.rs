//! Which files make an overlay, and what each of them is.
//!
//! Without settings these are the usual ones, by their names. With `files` they are those that are named,
//! and what a file is follows from what stands in it, unless `shape` says so. Nothing is read here.

use crate::failure::{Failure, Kind, Result};
use crate::names::RepoPath;
use crate::overlay::editor::document::Node;
use crate::overlay::editor::key_path::{KeyPath, Step};

/// The names of the files of an overlay that are read without settings; others in its folder are nobody's business.
pub const OVERLAY_FILES: &[&str] = &[
    "values.yaml",
    "values.yml",
    "kustomization.yaml",
    "kustomization.yml",
    "Kustomization",
    "Chart.yaml",
    LOCK_FILE,
];

/// What Helm writes beside a `Chart.yaml`: read, and never an overlay by itself.
pub const LOCK_FILE: &str = "Chart.lock";

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
    /// A Flux `HelmRelease`, `HelmChart`, `Kustomization`, `OCIRepository` or `GitRepository`.
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
    /// What it is, where the settings or its name say so.
    pub(in crate::overlay) shape: Option<Shape>,
    usual: bool,
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
            LOCK_FILE => (Self::Lock, LOCK_FILE),
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
        if !rule.is_rooted() {
            RepoPath::parse(&filled(file, "environment", "app")?)?;
        }
        // What holds for one name holds for all: names have no `/`, no dots in a row and no brackets.
        rule.named(&RepoPath::parse("overlay")?, "environment", "app")?;
        Ok(rule)
    }

    /// Whether it is named from the repository's root, and needs no folder of an overlay.
    #[must_use]
    pub fn is_rooted(&self) -> bool {
        self.file.starts_with('/')
    }

    /// Whether both name one place, whatever they say of its shape.
    #[must_use]
    pub fn is_place_of(&self, other: &Self) -> bool {
        (&self.file, &self.at) == (&other.file, &other.at)
    }

    /// Whether each environment has a file, or a part of one, of its own by this name.
    #[must_use]
    pub fn names_environment(&self) -> bool {
        std::iter::once(&self.file).chain(&self.at).any(|text| text.contains("{environment}"))
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
        let at = self.at.as_deref().map(|at| place_named(at, environment, app)).transpose()?;
        let (by_name, plain) = Shape::of_name(path.file_name());
        let shape = self.shape.or_else(|| Some(by_name).filter(|shape| *shape != Shape::Values));
        let name = if plain == path.file_name() {
            self.file.clone()
        } else {
            format!("{}{plain}", self.file.strip_suffix(path.file_name()).unwrap_or_default())
        };
        let name = self.at.iter().fold(name, |name, at| format!("{name} at {at}"));
        Ok(NamedFile { path, name, at, shape, usual: false })
    }
}

impl NamedFile {
    /// The files that an overlay has without settings.
    pub fn usual(folder: &RepoPath) -> Vec<Self> {
        let file = |name: &&str| FileRule::new(name, None, None)?.named(folder, "", "");
        let usual = OVERLAY_FILES.iter().filter_map(|name| file(name).ok());
        usual.map(|named| Self { usual: true, ..named }).collect()
    }

    /// Whether two overlays have a place in common here.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        let within = |one: &Option<KeyPath>, other: &Option<KeyPath>| match (one, other) {
            (Some(one), Some(other)) => one.below_of(other).is_some(),
            (_, None) => true,
            (None, Some(_)) => false,
        };
        self.path == other.path && (within(&self.at, &other.at) || within(&other.at, &self.at))
    }

    /// Whether the settings name it.
    pub(in crate::overlay) fn is_from_settings(&self) -> bool {
        !self.usual
    }
}

/// A path with the names put in. They are put into its steps: a dot in an environment's name parts no keys.
fn place_named(at: &str, environment: &str, app: &str) -> Result<KeyPath> {
    let mut path = KeyPath::parse(at)?;
    for step in &mut path.steps {
        if let Step::Key(text) | Step::Item { value: text, .. } = step {
            *text = filled(text, environment, app)?;
        }
    }
    Ok(path)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]
    use super::*;
    use crate::overlay::movement::{Missing, Movement, movement};
    use crate::overlay::testing::{changes, overlay_of, rules, warnings};

    fn file(name: &str, at: Option<&str>) -> FileRule {
        FileRule::new(name, at, None).unwrap()
    }

    #[test]
    fn a_file_is_named_for_each_environment() {
        let folder = RepoPath::parse("deploy/agent").unwrap();
        let table = [
            ("values.yaml", None, "deploy/agent/values.yaml", "values.yaml"),
            ("values-{environment}.yaml", None, "deploy/agent/values-prod.yaml", "values-{environment}.yaml"),
            ("{environment}/{app}.yaml", None, "deploy/agent/prod/fraud.yaml", "{environment}/{app}.yaml"),
            ("/clusters/{environment}.yaml", None, "clusters/prod.yaml", "/clusters/{environment}.yaml"),
            ("sub/kustomization.yml", None, "deploy/agent/sub/kustomization.yml", "sub/kustomization.yaml"),
            (
                "all.yaml",
                Some("envs.{environment}"),
                "deploy/agent/all.yaml",
                "all.yaml at envs.{environment}",
            ),
        ];
        for (name, at, path, called) in table {
            let named = file(name, at).named(&folder, "prod", "fraud").unwrap();
            assert_eq!((named.path.as_str(), named.name.as_str()), (path, called));
        }
        let at = file("all.yaml", Some("envs.{environment}")).named(&folder, "prod", "fraud").unwrap().at;
        assert_eq!(at.unwrap().to_string(), "envs.prod");
        let at = |at: &str, environment: &str| {
            file("all.yaml", Some(at)).named(&folder, environment, "fraud").unwrap().at.unwrap().to_string()
        };
        assert_eq!(at("envs.{environment}.{app}", "prod.eu"), "envs[\"prod.eu\"].fraud");
        assert_eq!(at("list[cluster={environment}]", "prod.eu"), "list[cluster=prod.eu]");
    }

    #[test]
    fn a_name_that_is_no_file_is_refused_with_a_reason() {
        let table = [
            ("../x.yaml", None, "`../x.yaml` is not a path in the repository"),
            ("", None, "names no file"),
            (".", None, "is not a path in the repository"),
            ("/", None, "names no file"),
            ("values-{env}.yaml", None, "`{env}` in `values-{env}.yaml` stands for nothing"),
            ("values.yaml", Some("a..b"), "`a..b` is not a key path"),
            ("values.yaml", Some("{target}"), "stands for nothing"),
        ];
        for (name, at, why) in table {
            let said = FileRule::new(name, at, None).unwrap_err().to_string();
            assert!(said.contains(why), "{name}: {said}");
        }
    }

    const ALL: &str = "\
# One file for every environment.
common: &common {repository: acme/agent}
environments:
  staging:
    image: {<<: *common, tag: \"1.10\"}
    workers: [{name: a, image: 'r.io/w:v2'}]
  prod:
    image:
      <<: *common
      tag: v1.7.3 # promoted
    workers:
      - name: a
        image: r.io/w:v1
  prod-eu: {image: {repository: acme/agent, tag: v0}}
";

    fn moved(rule: &FileRule, source: &[(&str, &str)], target: &[(&str, &str)]) -> Movement {
        let named = |environment, files| overlay_of(environment, std::slice::from_ref(rule), files);
        let (source, target) = (named("staging", source), named("prod", target));
        movement(&source, &target, &rules(&[]), None, Missing::List).unwrap()
    }

    #[test]
    fn environments_in_one_file_are_parts_of_it() {
        let moved = moved(
            &file("all.yaml", Some("environments.{environment}")),
            &[("all.yaml", ALL)],
            &[("all.yaml", ALL)],
        );
        assert_eq!(
            changes(&moved),
            [
                "10 environments.prod.image.tag v1.7.3 -> 1.10",
                "13 environments.prod.workers[name=a].image r.io/w:v1 -> r.io/w:v2"
            ]
        );
        let expected = ALL.replace("v1.7.3 #", "\"1.10\" #").replace("r.io/w:v1", "r.io/w:v2");
        assert_eq!(String::from_utf8(moved.files[0].after.clone()).unwrap(), expected);
        assert!(moved.drift.is_empty(), "{:?}", moved.drift);
        assert_eq!(warnings(&moved), [""; 0]);
    }

    #[test]
    fn a_part_of_a_file_is_what_the_files_name_says() {
        let text = "staging: {images: [{name: a, newTag: v2}]}\nprod: {images: [{name: a, newTag: v1}]}\n";
        let files = [("kustomization.yaml", text)];
        let moved = moved(&file("kustomization.yaml", Some("{environment}")), &files, &files);
        assert_eq!(changes(&moved), ["2 prod.images[name=a].newTag v1 -> v2"]);
    }

    #[test]
    fn files_of_each_environment_in_one_folder_are_one_file() {
        let rule = file("values-{environment}.yaml", None);
        let moved = moved(
            &rule,
            &[
                ("values-staging.yaml", "image: {tag: v2}\nextra: 1\n"),
                ("values-prod.yaml", "image: {tag: v0}\n"),
            ],
            &[("values-prod.yaml", "image: {tag: v1}\n"), ("values-staging.yaml", "image: {tag: v0}\n")],
        );
        assert_eq!(changes(&moved), ["1 image.tag v1 -> v2"]);
        assert_eq!(moved.files[0].path.file_name(), "values-prod.yaml");
        assert_eq!(moved.drift[0].key, "extra");
    }

    #[test]
    fn a_part_that_is_not_there_or_is_an_alias_is_an_error_with_its_place() {
        let rule = file("all.yaml", Some("environments.{environment}"));
        let table = [
            (
                "environments: {staging: {image: {tag: v2}}}\n",
                "all.yaml:1:15`: `environments.prod` is not there",
            ),
            ("a: &a {image: {tag: v1}}\nenvironments: {staging: *a, prod: *a}\n", "is an alias of `*a`"),
        ];
        for (text, why) in table {
            let named =
                |environment| overlay_of(environment, std::slice::from_ref(&rule), &[("all.yaml", text)]);
            let said = movement(&named("staging"), &named("prod"), &rules(&[]), None, Missing::List)
                .unwrap_err()
                .to_string();
            assert!(said.contains(why) && said.contains("hint: `at` in the settings names"), "{said}");
        }
    }

    #[test]
    fn several_parts_of_a_file_are_edited_at_once_and_one_place_is_not_named_twice() {
        let text = "a: {staging: {image: {tag: v2}}, prod: {image: {tag: v1}}}\nb: {staging: {image: {tag: w2}}, prod: {image: {tag: w1}}}\n";
        let parts = [file("all.yaml", Some("a.{environment}")), file("all.yaml", Some("b.{environment}"))];
        let of = |environment, rules: &[FileRule]| overlay_of(environment, rules, &[("all.yaml", text)]);
        let moved =
            movement(&of("staging", &parts), &of("prod", &parts), &rules(&[]), None, Missing::List).unwrap();
        assert_eq!(changes(&moved), ["1 a.prod.image.tag v1 -> v2", "2 b.prod.image.tag w1 -> w2"]);
        assert_eq!(moved.files.len(), 1);
        let twice = [parts[0].clone(), file("all.yaml", None)];
        let said = movement(&of("staging", &twice), &of("prod", &twice), &rules(&[]), None, Missing::List)
            .unwrap_err();
        assert!(
            said.to_string().contains("is in the overlay twice: by `all.yaml`")
                || said.to_string().contains("is in the overlay twice: by `all.yaml at"),
            "{said}"
        );
    }

    #[test]
    fn a_named_file_that_neither_overlay_has_is_told() {
        let rule = [file("values.yaml", None), file("vlaues.yaml", None)];
        let of = |environment, tag: &str| {
            overlay_of(environment, &rule, &[("values.yaml", &format!("image: {{tag: {tag}}}\n"))])
        };
        let moved =
            movement(&of("staging", "v2"), &of("prod", "v1"), &rules(&[]), None, Missing::List).unwrap();
        assert_eq!(warnings(&moved), ["`prod/vlaues.yaml`: `vlaues.yaml` in `files` is in neither overlay"]);
    }
}
