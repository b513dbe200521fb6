//! What of a Helm values file is a pin: image tags and digests, one-string images, models and prompts.
//!
//! Repositories, registries and datasets are none: staging's may be mirrors or synthetic.

use super::image::ImageReference;
use super::scope::Scope;
use super::{Meaning, Member, PinKind};
use crate::overlay::editor::document::Node;
use crate::overlay::editor::key_path::{KeyPath, Step};

/// What a scalar of a values file is, or nothing where it is no pin.
pub(in crate::overlay) fn meaning(scope: &Scope<'_>, path: &KeyPath, node: &Node) -> Option<Meaning> {
    let Some(Step::Key(key)) = path.steps.last() else { return None };
    if is_of_dataset(path) {
        return None;
    }
    if is_image_key(key) {
        let image = ImageReference::parse(scope.text_of(node))?;
        let value = image.version()?;
        return Some(Meaning {
            kind: PinKind::ImageReference,
            artifact: image.repository.to_owned(),
            repository: Some(image.repository.to_owned()),
            value,
            group: path.to_string(),
            settled: 0,
            member: Member::Whole,
        });
    }
    let above = path.parent()?;
    let above_key = match above.steps.last() {
        Some(Step::Key(key)) => key.as_str(),
        _ => "",
    };
    let (kind, member) = match (above_key, key.as_str()) {
        ("model", "version" | "tag") => (PinKind::ModelVersion, Member::Version),
        ("model", "revision") => (PinKind::ModelRevision, Member::Revision),
        ("model", "digest") => (PinKind::ModelDigest, Member::Digest),
        ("prompt", "version" | "tag") => (PinKind::PromptVersion, Member::Version),
        ("prompt", "digest") => (PinKind::PromptDigest, Member::Digest),
        (_, "tag") => (PinKind::ImageTag, Member::Version),
        (_, "digest") => (PinKind::ImageDigest, Member::Digest),
        _ => return None,
    };
    let is_image = matches!(kind, PinKind::ImageTag | PinKind::ImageDigest);
    let mapping = Mapping::at(scope, &above)?;
    if above_key != "model" && above_key != "prompt" && !is_image_key(above_key) {
        ["repository", "image", "name"].iter().find(|sibling| mapping.get(sibling).is_some())?;
    }
    let repository = if is_image { mapping.repository() } else { None };
    let name = repository.clone().or_else(|| mapping.text("name").map(str::to_owned));
    Some(Meaning {
        kind,
        artifact: name.unwrap_or_else(|| if above.steps.is_empty() { path } else { &above }.to_string()),
        repository,
        value: scope.text_of(node).to_owned(),
        group: above.to_string(),
        settled: 0,
        member,
    })
}

/// Whether something stands below `dataset`, `datasets`, `evalDataset`, …: data is the environment's own.
fn is_of_dataset(path: &KeyPath) -> bool {
    path.steps.iter().any(|step| match step {
        Step::Key(key) => {
            let key = key.to_ascii_lowercase();
            key.ends_with("dataset") || key.ends_with("datasets")
        }
        _ => false,
    })
}

/// Whether a key holds an image: `image`, `initImage`, ….
pub(in crate::overlay) fn is_image_key(key: &str) -> bool {
    key == "image" || key.ends_with("Image")
}

/// The repository that a mapping's tag belongs to, registry included, where the mapping says it.
pub(in crate::overlay) fn repository_of(scope: &Scope<'_>, path: &KeyPath) -> Option<String> {
    Mapping::at(scope, path)?.repository()
}

/// A mapping found once and asked several times; what it inherits by `<<` is in it.
struct Mapping<'s, 'd> {
    scope: &'s Scope<'d>,
    path: &'s KeyPath,
    node: &'d Node,
}

impl<'s, 'd> Mapping<'s, 'd> {
    fn at(scope: &'s Scope<'d>, path: &'s KeyPath) -> Option<Self> {
        Some(Self { scope, path, node: scope.read(path)? })
    }

    fn get(&self, key: &str) -> Option<&'d Node> {
        let own = self.node.get(key).map(|node| self.scope.resolved(node));
        own.or_else(|| self.node.get("<<").and_then(|_| self.scope.read(&self.path.key(key))))
    }

    fn text(&self, key: &str) -> Option<&'d str> {
        self.get(key)?.as_str().filter(|text| !text.is_empty())
    }

    fn repository(&self) -> Option<String> {
        let repository = ["repository", "image", "name"].iter().find_map(|key| self.text(key))?;
        let repository = ImageReference::parse(repository).map_or(repository, |image| image.repository);
        match self.text("registry") {
            Some(registry) if !repository.starts_with(&format!("{registry}/")) => {
                Some(format!("{}/{repository}", registry.trim_end_matches('/')))
            }
            _ => Some(repository.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        reason = "tests may"
    )]
    use crate::overlay::testing::listed;

    #[test]
    fn tags_and_digests_of_images_are_pins_at_any_depth() {
        let text = "\
# the app
image:
  registry: ghcr.io
  repository: acme/agent # ours
  tag: \"v1.8.0\"
  digest: sha256:aa
initImage: {tag: 'v2', pullPolicy: Always}
replicas: 3
jobs:
  - name: nightly
    run:
      repository: r.io/acme/job
      tag: 1.10
  - id: hourly
    sidecar: {image: acme/proxy, tag: v3}
  - {key: k, parts: [{name: acme/part, digest: sha256:bb}]}
deep: {er: [[{image: {tag: v4}}]]}
";
        assert_eq!(
            listed("values.yaml", text, &[]),
            [
                "image.tag ImageTag ghcr.io/acme/agent = v1.8.0",
                "image.digest ImageDigest ghcr.io/acme/agent = sha256:aa",
                "initImage.tag ImageTag initImage = v2",
                "jobs[name=nightly].run.tag ImageTag r.io/acme/job = 1.10",
                "jobs[id=hourly].sidecar.tag ImageTag acme/proxy = v3",
                "jobs[key=k].parts[name=acme/part].digest ImageDigest acme/part = sha256:bb",
                "deep.er[0][0].image.tag ImageTag deep.er[0][0].image = v4",
            ]
        );
    }

    #[test]
    fn one_string_images_pin_tag_and_digest_alone() {
        let text = "\
image: localhost:5000/acme/agent:v1.8.0@sha256:aa
worker: {image: acme/worker@sha256:bb}
containers:
  - {name: proxy, image: 'envoy:v1.31'}
busyboxImage: busybox:1.36
untagged: {image: acme/bare}
templated: {image: '{{ .Values.registry }}/x:v1'}
images: [acme/listed:v1]
";
        assert_eq!(
            listed("values.yaml", text, &[]),
            [
                "image ImageReference localhost:5000/acme/agent = v1.8.0@sha256:aa",
                "worker.image ImageReference acme/worker = sha256:bb",
                "containers[name=proxy].image ImageReference envoy = v1.31",
                "busyboxImage ImageReference busybox = 1.36",
            ]
        );
    }

    #[test]
    fn models_and_prompts_are_pins_and_datasets_are_not() {
        let text = "\
model: {name: scoring, version: 2026-09-15, revision: r7, digest: sha256:aa, temperature: 0.2}
agents:
  - name: triage
    model: {version: '3'}
    prompt: {name: triage, version: v12, digest: sha256:bb}
dataset: {name: synthetic, version: v9, tag: v9, digest: 'sha256:cc', uri: s3://x}
evalDataset: {name: golden, tag: v9, digest: 'sha256:cc'}
golden_dataset: {image: 'acme/golden:v9'}
datasets:
  - {name: train, tag: v9, digest: 'sha256:cc'}
  - {repository: acme/test, tag: v9}
models: {version: v1}
last: {model: {name: big, tag: v3}}
";
        assert_eq!(
            listed("values.yaml", text, &[]),
            [
                "model.version ModelVersion scoring = 2026-09-15",
                "model.revision ModelRevision scoring = r7",
                "model.digest ModelDigest scoring = sha256:aa",
                "agents[name=triage].model.version ModelVersion agents[name=triage].model = 3",
                "agents[name=triage].prompt.version PromptVersion triage = v12",
                "agents[name=triage].prompt.digest PromptDigest triage = sha256:bb",
                "last.model.tag ModelVersion big = v3",
            ]
        );
    }

    #[test]
    fn repositories_registries_and_lone_tags_are_no_pins() {
        let text = "\
app: {image: {repository: acme/a, registry: ghcr.io, pullPolicy: Always}}
tag: v1
labels: {tag: blue}
version: v1
nested: {image: {tag: {deep: v1}}}
";
        assert_eq!(listed("values.yaml", text, &[]), [""; 0]);
    }

    #[test]
    fn empty_and_null_pins_are_kept_as_empty() {
        let text = "a: {image: {tag: ''}}\nb: {image: {tag: ~}}\nc: {image: {tag: }}\n";
        assert_eq!(
            listed("values.yaml", text, &[]),
            [
                "a.image.tag ImageTag a.image = ",
                "b.image.tag ImageTag b.image = ",
                "c.image.tag ImageTag c.image = "
            ]
        );
    }

    #[test]
    fn a_repository_is_read_through_merges_and_aliases() {
        let text = "\
base: &base {repository: acme/agent, pullPolicy: Always}
api: {<<: *base, tag: v1}
job: {repository: &r acme/job, tag: v2}
job2: {repository: *r, tag: v3}
";
        assert_eq!(
            listed("values.yaml", text, &[]),
            [
                "api.tag ImageTag acme/agent = v1",
                "job.tag ImageTag acme/job = v2",
                "job2.tag ImageTag acme/job = v3",
            ]
        );
    }
}
