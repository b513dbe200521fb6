//! Lists of images: who says which image runs, whatever values say.
//!
//! Kustomize's `images`, a `HelmRelease`'s post-renderers, a Flux `Kustomization` and the strings of an Argo CD
//! source are read alike here, pins or not: one that a team's patterns leave out wins all the same.

use crate::overlay::editor::document::Node;
use crate::overlay::editor::key_path::KeyPath;
use crate::overlay::pins::argo;
use crate::overlay::pins::files::Shape;
use crate::overlay::pins::image::named_image;
use crate::overlay::pins::kustomize::image_entry;
use crate::overlay::pins::layer::Layer;
use crate::overlay::pins::parts::Part;
use crate::overlay::pins::reading::{FileReading, Reading};
use crate::overlay::pins::scope::Scope;

/// One image of such a list.
pub(super) struct ImageWord<'r> {
    /// The file, as every overlay calls it.
    pub(super) file_name: &'r str,
    pub(super) file: &'r FileReading<'r>,
    pub(super) part: &'r Part,
    pub(super) layer: Layer,
    /// Where it stands in the file.
    pub(super) item: KeyPath,
    /// What the image is called before.
    pub(super) name: &'r str,
    /// What it is called after.
    pub(super) repository: &'r str,
    /// Where that is said, if it is said.
    pub(super) renamed: Option<(KeyPath, &'r Node)>,
    /// Tag and digest where they are said, each with its place and text.
    pub(super) tag: Option<(KeyPath, &'r Node, &'r str)>,
    pub(super) digest: Option<(KeyPath, &'r Node, &'r str)>,
}

/// Every image of every list of an overlay.
pub(super) fn image_words<'r>(reading: &'r Reading<'_>) -> Vec<ImageWord<'r>> {
    let mut words = Vec::new();
    for (name, file) in &reading.files {
        for part in &file.parts {
            let scope = Scope::at(&file.document, part.base.clone());
            for list in lists(part.shape, &scope) {
                let count = scope.read(&list).map_or(0, |list| list.items().len());
                let places = (0..count).map(|at| list.index(at));
                words.extend(places.filter_map(|place| word(name, file, part, &scope, &place)));
            }
        }
    }
    words
}

/// Where the lists of a part stand.
fn lists(shape: Shape, scope: &Scope<'_>) -> Vec<KeyPath> {
    let (root, spec) = (KeyPath::root(0), KeyPath::root(0).key("spec"));
    match shape {
        Shape::Kustomization => vec![root.key("images")],
        Shape::Argo => {
            argo::sources(scope).iter().map(|source| source.key("kustomize").key("images")).collect()
        }
        Shape::Flux if scope.text_at(&root.key("kind")) == Some("Kustomization") => vec![spec.key("images")],
        Shape::Flux => {
            let list = spec.key("postRenderers");
            let count = scope.read(&list).map_or(0, |list| list.items().len());
            (0..count).map(|at| list.index(at).key("kustomize").key("images")).collect()
        }
        Shape::Values | Shape::Chart | Shape::Lock => Vec::new(),
    }
}

fn word<'r>(
    file_name: &'r str,
    file: &'r FileReading<'r>,
    part: &'r Part,
    scope: &Scope<'r>,
    place: &KeyPath,
) -> Option<ImageWord<'r>> {
    let layer = Layer::of(part.shape, place);
    let common = |item, name, repository| ImageWord {
        file_name,
        file,
        part,
        layer,
        item,
        name,
        repository,
        renamed: None,
        tag: None,
        digest: None,
    };
    if part.shape == Shape::Argo {
        let node = scope.read(place)?;
        let (name, image) = named_image(scope.text_of(node))?;
        let item = scope.in_file(place);
        let said = |text: Option<&'r str>| Some((item.clone(), node, text?));
        let name = name.unwrap_or(image.repository);
        let repository = if image.repository == "*" { name } else { image.repository };
        let renamed = (repository != name).then(|| (item.clone(), node));
        let (tag, digest) = (said(image.tag), said(image.digest));
        return Some(ImageWord { renamed, tag, digest, ..common(item.clone(), name, repository) });
    }
    let list = place.parent()?;
    let entry = image_entry(&scope.below(&list.parent()?), &place.below_of(&list.parent()?)?)?;
    let item = scope.in_file(&list.item("name", entry.name));
    let said = |key: &str| {
        let node = scope.read(&place.key(key))?;
        let text = node.as_str().filter(|text| !text.is_empty())?;
        Some((item.key(key), node, text))
    };
    let renamed = entry.new_name.map(|node| (item.key("newName"), node));
    let (tag, digest) = (said("newTag"), said("digest"));
    Some(ImageWord { renamed, tag, digest, ..common(item.clone(), entry.name, entry.repository) })
}
