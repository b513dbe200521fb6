//! The parts of a file: its documents, or what stands at the place that the settings name.
//!
//! A Kubernetes object is known by its kind and name, whatever its place in the file; any other document by its
//! number. Two that would be called the same are refused: another overlay's could be either.

use super::files::{NamedFile, Shape};
use super::scope::environment_taken_out;
use crate::failure::{Failure, Kind, Place, Problem, Result};
use crate::overlay::editor::document::{Document, Node};
use crate::overlay::editor::key_path::KeyPath;

/// A part of a file that has a shape of its own: a document, or what stands at the place that is named.
pub(in crate::overlay) struct Part {
    /// What it is called in every overlay; nothing for a first document that is no object.
    pub(in crate::overlay) name: String,
    /// Its kind, where the file has no other object of it: two such are one in two overlays, whatever their names.
    pub(in crate::overlay) kind: Option<String>,
    pub(in crate::overlay) base: KeyPath,
    pub(in crate::overlay) shape: Shape,
    /// Whether it is all of a file of Helm values.
    pub(in crate::overlay) is_values_file: bool,
}

/// A document that is a Kubernetes object.
struct Object {
    number: usize,
    /// With its API's group: one kind may be in several.
    kind: String,
    name: String,
    namespace: String,
}

/// What of a file is this overlay's, and what each part is.
pub(super) fn parts(document: &Document, named: &NamedFile, environment: &str) -> Result<Vec<Part>> {
    if let Some(at) = &named.at {
        let node = document.find(at).map_err(|failure| {
            failure.hinted(format!("`at` in the settings names where the values of `{environment}` stand"))
        })?;
        let shape = named.shape.or_else(|| Shape::of_object(node)).unwrap_or(Shape::Values);
        return Ok(vec![Part {
            name: String::new(),
            kind: None,
            base: at.clone(),
            shape,
            is_values_file: false,
        }]);
    }
    let objects = objects(document, environment);
    let mut parts = Vec::new();
    for (number, root) in document.roots().iter().enumerate() {
        let operators = Shape::of_object(root).filter(|shape| matches!(shape, Shape::Argo | Shape::Flux));
        let shape = match (named.shape, operators) {
            (None, Some(shape)) => shape,
            (Some(Shape::Argo | Shape::Flux), other) if other != named.shape => continue,
            (shape, _) => shape.unwrap_or(Shape::Values),
        };
        let object = objects.iter().find(|object| object.number == number);
        let object = object.filter(|_| matches!(shape, Shape::Values | Shape::Argo | Shape::Flux));
        let (name, kind) = match object {
            Some(object) => (object.called(&objects), object.alone(&objects)),
            None if number == 0 => (String::new(), None),
            None => (format!("@{number}."), None),
        };
        let is_values_file = shape == Shape::Values && object.is_none();
        parts.push(Part { name, kind, base: KeyPath::root(number), shape, is_values_file });
    }
    if parts.is_empty()
        && let Some(what @ (Shape::Argo | Shape::Flux)) = named.shape
    {
        return Err(none_of(document, what));
    }
    namesakes(document, &parts)?;
    Ok(parts)
}

fn none_of(document: &Document, what: Shape) -> Failure {
    let kinds = if what == Shape::Argo {
        "Argo CD `Application` or `ApplicationSet`"
    } else {
        "Flux `HelmRelease`, `HelmChart`, `Kustomization`, `OCIRepository` or `GitRepository`"
    };
    let place = Place::of(document.path().as_str());
    Failure::at(Kind::Overlay, place, format!("the file has no {kinds}")).hinted(
        "correct `shape` in the settings, or leave it out: what a file is follows from what stands in it",
    )
}

/// The documents that are Kubernetes objects.
fn objects<'d>(document: &'d Document, environment: &str) -> Vec<Object> {
    let text = |root: &'d Node, path: &[&str]| {
        let step = |node: &'d Node, key: &&str| node.get(key).map(|node| document.resolved(node));
        path.iter().try_fold(document.resolved(root), step).and_then(Node::as_str)
    };
    let object = |(number, root): (usize, &'d Node)| {
        let (api, kind) = (text(root, &["apiVersion"]), text(root, &["kind"])?);
        let name = text(root, &["metadata", "name"]).or_else(|| text(root, &["metadata", "generateName"]));
        // A patch may leave out its API, and a list has no name.
        api.or(name)?;
        let group = api.and_then(|api| api.split_once('/')).map_or("", |(group, _)| group);
        let for_all = |text: Option<&str>| environment_taken_out(text.unwrap_or_default(), environment);
        Some(Object {
            number,
            kind: format!("{kind}.{group}: "),
            name: for_all(name),
            namespace: for_all(text(root, &["metadata", "namespace"])),
        })
    };
    document.roots().iter().enumerate().filter_map(object).collect()
}

impl Object {
    /// By kind and name; by its namespace as well, where the file has several of that name.
    fn called(&self, all: &[Object]) -> String {
        let alike = |other: &&Object| (&other.kind, &other.name) == (&self.kind, &self.name);
        let namespace = if all.iter().filter(alike).count() > 1 { &self.namespace } else { "" };
        format!("{}{namespace}/{}: ", self.kind, self.name)
    }

    fn alone(&self, all: &[Object]) -> Option<String> {
        let of_kind = all.iter().filter(|other| other.kind == self.kind).count();
        (of_kind == 1).then(|| self.kind.clone())
    }
}

/// Refuses objects of one kind and name.
fn namesakes(document: &Document, parts: &[Part]) -> Result<()> {
    let mut problems = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let Some(first) = parts.iter().take(number).find(|other| other.name == part.name) else { continue };
        let root = |part: &Part| document.roots().get(part.base.document);
        let (Some(here), Some(there)) = (root(part), root(first)) else { continue };
        let text = |key: &str| here.get(key).and_then(Node::as_str).unwrap_or_default().to_owned();
        let name = here.get("metadata").and_then(|node| node.get("name")).and_then(Node::as_str);
        problems.push(Problem {
            place: Some(document.place(here)),
            message: format!(
                "the file has two objects `{} {}`; the other starts at {}",
                text("kind").escape_debug(),
                name.unwrap_or_default().escape_debug(),
                document.place(there)
            ),
            hints: vec!["give each a name of its own: objects of two overlays are matched by it".to_owned()],
        });
    }
    Failure::several(Kind::Overlay, problems).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]
    use crate::overlay::testing::{changes, moved_in, overlay_of, pins_in, rules, warnings};
    use crate::overlay::{FileRule, Missing, Released, carried_pin, pins};

    fn deployment(name: &str, image: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec: {{template: {{spec: {{containers: [{{name: app, image: '{image}'}}]}}}}}}\n"
        )
    }

    fn application(name: &str, tag: &str) -> String {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}}}\nspec: {{source: {{repoURL: x/y, helm: {{parameters: [{{name: image.tag, value: {tag}}}]}}}}}}\n"
        )
    }

    fn moves(source: &[String], target: &[String]) -> Vec<String> {
        let (source, target) = (source.join("---\n"), target.join("---\n"));
        let moved = moved_in(&[("all.yaml", &source)], &[("all.yaml", &target)], Missing::List).unwrap();
        assert_eq!(warnings(&moved), [""; 0]);
        changes(&moved)
    }

    #[test]
    fn manifests_are_matched_by_kind_and_name_and_not_by_their_order() {
        let staging = [deployment("web", "acme/app:v2"), deployment("migrate", "acme/app:v2-migrate")];
        let prod = [deployment("migrate", "acme/app:v1-migrate"), deployment("web", "acme/app:v1")];
        let bare = |texts: &[String]| -> Vec<String> {
            texts.iter().map(|text| text.replace("apiVersion: apps/v1\n", "")).collect()
        };
        assert_eq!(moves(&bare(&staging), &bare(&prod)).len(), 2);
        assert!(moves(&bare(&staging), &bare(&prod))[0].ends_with("v1-migrate -> acme/app:v2-migrate"));
        let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n".to_owned();
        let expected = [
            "4 spec.template.spec.containers[name=app].image acme/app:v1-migrate -> acme/app:v2-migrate",
            "9 @1.spec.template.spec.containers[name=app].image acme/app:v1 -> acme/app:v2",
        ];
        assert_eq!(moves(&staging, &prod), expected);
        assert_eq!(moves(&[vec![service], staging.to_vec()].concat(), &prod), expected);
    }

    #[test]
    fn the_only_object_of_its_kind_is_one_in_both_and_one_of_several_is_known_by_name() {
        let tag = "spec.source.helm.parameters[name=image.tag].value";
        let one = |name: &str| vec![application(name, "v1")];
        let only = |name: &str| vec![application(name, "v2")];
        let two = |name: &str| vec![application("other", "v3"), application(name, "v2")];
        let expected = [format!("4 {tag} v1 -> v2")];
        for (source, target) in [
            (only("agent-staging"), one("agent-prod")),
            (only("blue"), one("green")),
            (two("agent-staging"), one("agent-prod")),
            (two("agent"), one("agent")),
        ] {
            assert_eq!(moves(&source, &target), expected);
            let (source, target) = (pins_in("staging", &source), pins_in("prod", &target));
            let carrying: Vec<_> = source.iter().filter(|pin| pin.value == "v2").collect();
            assert_eq!(carried_pin(&target, &carrying).map(|pin| pin.value.as_str()), Some("v1"));
        }
        // Among several, nothing says which of them another name is.
        assert_eq!(moves(&two("blue"), &one("green")), [""; 0]);
        let (source, target) = (pins_in("staging", &two("blue")), pins_in("prod", &one("green")));
        assert_eq!(carried_pin(&target, &source.iter().collect::<Vec<_>>()), None);
    }

    #[test]
    fn what_a_release_gives_reaches_the_only_object_of_its_kind() {
        let file = [FileRule::new("all.yaml", None, None).unwrap()];
        let of = |environment, text: &str| overlay_of(environment, &file, &[("all.yaml", text)]);
        let (source, target) =
            (of("staging", &application("blue", "v2")), of("prod", &application("green", "v1")));
        let rule = crate::overlay::PinRule::new("**.value", None, Some("{version}")).unwrap();
        let given = crate::overlay::PinRules::new(vec![rule]);
        let commit = crate::names::CommitSha::parse(&"3f1c9ab0".repeat(5)).unwrap();
        let release = Released { tag: "v9", version: "v9", commit: &commit };
        let moved = crate::overlay::movement(&source, &target, &given, Some(release), Missing::List).unwrap();
        assert_eq!(changes(&moved), ["4 spec.source.helm.parameters[name=image.tag].value v1 -> v9"]);
    }

    #[test]
    fn an_environments_name_that_is_in_a_name_twice_is_left_there() {
        let all = |names: [&str; 2], tags: [&str; 2]| {
            [application(names[0], tags[0]), application(names[1], tags[1])].join("---\n")
        };
        let file = [FileRule::new("all.yaml", None, None).unwrap()];
        let of = |environment, text: &str| overlay_of(environment, &file, &[("all.yaml", text)]);
        let source = of("a", &all(["a-a-app", "a-b-app"], ["v2", "w2"]));
        let target = of("b", &all(["b-a-app", "b-b-app"], ["v1", "w1"]));
        let moved = crate::overlay::movement(&source, &target, &rules(&[]), None, Missing::List).unwrap();
        assert_eq!(changes(&moved), [""; 0]);
        assert_eq!(moved.drift.iter().filter(|drift| drift.pin).count(), 2);
    }

    #[test]
    fn objects_of_one_name_are_told_apart_by_namespace_or_refused() {
        let file = [FileRule::new("all.yaml", None, None).unwrap()];
        let in_namespace = |name: &str, image: &str| {
            deployment("web", image).replace("name: web", &format!("name: web, namespace: {name}"))
        };
        let staging = [in_namespace("eu", "acme/app:v2"), in_namespace("us", "acme/app:v3")];
        let prod = [in_namespace("us", "acme/app:v0"), in_namespace("eu", "acme/app:v1")];
        assert_eq!(
            moves(&staging, &prod),
            [
                "4 spec.template.spec.containers[name=app].image acme/app:v0 -> acme/app:v3",
                "9 @1.spec.template.spec.containers[name=app].image acme/app:v1 -> acme/app:v2",
            ]
        );
        let twice = [deployment("web", "acme/app:v2"), deployment("web", "acme/app:v3")].join("---\n");
        let said = pins(&overlay_of("staging", &file, &[("all.yaml", &twice)]), &rules(&[])).unwrap_err();
        let said = said.to_string();
        assert!(
            said.starts_with("error: `environments/staging/all.yaml:6:1`: the file has two objects `Deployment web`; the other starts at environments/staging/all.yaml:1:1\nhint: give each a name"),
            "{said}"
        );
    }
}
