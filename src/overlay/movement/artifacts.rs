//! Changes by what they mean: per image, model, prompt, chart or remote, from which version to which.
//!
//! Tag and digest of one image are one artifact, in however many places they stand; what stays as it
//! is, is none.

use std::collections::BTreeMap;

use super::couple::{Couple, Parts, digest_in, version_in};
use crate::overlay::editor::document::Document;
use crate::overlay::pins::{Member, PinKind};
use crate::plan::{Artifact, ArtifactKind, ArtifactVersion, Location};

/// The artifacts that change, sorted by kind and name; `after` are the target's files as they will stand.
pub(in crate::overlay) fn artifacts(
    couples: &[Couple<'_>],
    after: &BTreeMap<&str, &Document>,
) -> Vec<Artifact> {
    let mut found: BTreeMap<_, Vec<Location>> = BTreeMap::new();
    for couple in couples {
        let Some(pin) = couple.source.first() else { continue };
        let Some(document) = after.get(pin.group.0.as_str()) else { continue };
        for (before, after) in versions(couple) {
            let (from, to) = (version_of(&before), version_of(&after));
            if from == to {
                continue;
            }
            let key = (kind_of(pin.kind), couple.artifact.clone(), key_of(from), key_of(to));
            let places = after.values().filter_map(|(key, _)| document.read(key));
            found
                .entry(key)
                .or_default()
                .extend(places.map(|node| Location { file: document.path().clone(), line: node.line }));
        }
    }
    let artifact = |((kind, name, from, to), mut locations): ((_, _, Key, Key), Vec<Location>)| {
        locations.sort();
        locations.dedup();
        Artifact { kind, name, from: version(from), to: version(to), locations }
    };
    found.into_iter().map(artifact).collect()
}

/// Tag and digest.
type Key = (Option<String>, Option<String>);

/// A model's revision beside its version is a version of its own.
fn versions(couple: &Couple<'_>) -> Vec<(Parts, Parts)> {
    let revises = [&couple.before, &couple.after]
        .iter()
        .any(|parts| parts.contains_key(&Member::Revision) && parts.contains_key(&Member::Version));
    if !revises {
        return vec![(couple.before.clone(), couple.after.clone())];
    }
    let split = |parts: &Parts, revision: bool| -> Parts {
        let is_of = |member: &Member| (*member == Member::Revision) == revision;
        parts
            .iter()
            .filter(|(member, _)| is_of(member))
            .map(|(member, part)| (*member, part.clone()))
            .collect()
    };
    [false, true].map(|revision| (split(&couple.before, revision), split(&couple.after, revision))).to_vec()
}

fn version_of(parts: &Parts) -> ArtifactVersion {
    ArtifactVersion { tag: version_in(parts).map(str::to_owned), digest: digest_in(parts).map(str::to_owned) }
}

fn key_of(version: ArtifactVersion) -> Key {
    (version.tag, version.digest)
}

fn version((tag, digest): Key) -> ArtifactVersion {
    ArtifactVersion { tag, digest }
}

fn kind_of(kind: PinKind) -> ArtifactKind {
    match kind {
        PinKind::ImageTag | PinKind::ImageDigest | PinKind::ImageReference => ArtifactKind::Image,
        PinKind::ModelVersion | PinKind::ModelRevision | PinKind::ModelDigest => ArtifactKind::Model,
        PinKind::PromptVersion | PinKind::PromptDigest => ArtifactKind::Prompt,
        PinKind::ChartVersion => ArtifactKind::Chart,
        PinKind::RemoteRef => ArtifactKind::Remote,
        PinKind::Other => ArtifactKind::Other,
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
    use super::*;
    use crate::overlay::Missing;
    use crate::overlay::testing::{moved, moved_by};

    fn lines(artifacts: &[Artifact]) -> Vec<String> {
        let version = |v: &ArtifactVersion| {
            format!("{}@{}", v.tag.as_deref().unwrap_or("·"), v.digest.as_deref().unwrap_or("·"))
        };
        let line = |a: &Artifact| {
            let places = a.locations.iter().map(|l| format!("{}:{}", l.file.file_name(), l.line));
            let places: Vec<_> = places.collect();
            format!(
                "{:?} {} {} -> {} at {}",
                a.kind,
                a.name,
                version(&a.from),
                version(&a.to),
                places.join(" ")
            )
        };
        artifacts.iter().map(line).collect()
    }

    #[test]
    fn tag_and_digest_are_one_artifact_and_what_stays_is_none() {
        let source = "\
image: {repository: s/a, tag: v2, digest: sha256:bb}
same: {image: {repository: s/same, tag: v1}}
model: {name: m, version: w2, revision: r2, digest: sha256:dd}
prompt: {name: p, version: x2}
other: y/b:z2
otherImage: y/b:z2
";
        let target = "\
image:
  repository: p/a
  tag: v1
same: {image: {repository: s/same, tag: v1}}
model:
  name: m
  revision: r1
  version: w1
  digest: sha256:cc
prompt: {name: p, version: x1}
otherImage: z/b:z1
";
        assert_eq!(
            lines(&moved("values.yaml", source, target).artifacts),
            [
                "Image p/a v1@· -> v2@sha256:bb at values.yaml:3 values.yaml:4",
                "Image z/b z1@· -> z2@· at values.yaml:12",
                "Model m r1@· -> r2@· at values.yaml:8",
                "Model m w1@sha256:cc -> w2@sha256:dd at values.yaml:9 values.yaml:10",
                "Prompt p x1@· -> x2@· at values.yaml:11",
            ]
        );
    }

    #[test]
    fn one_image_in_several_files_is_one_artifact() {
        let values = |tag: &str| format!("image: {{repository: acme/a, tag: {tag}}}\n");
        let kustomization = |tag: &str| {
            format!(
                "resources: ['h/r?ref={tag}']\nimages:\n- name: acme/a\n  newTag: {tag}\n- {{name: b, newTag: x}}\n"
            )
        };
        let (v1, k1) = (values("v1"), kustomization("v1"));
        let (v2, k2) = (values("v2"), kustomization("v2"));
        let chart = |version: &str| format!("dependencies: [{{name: c, version: {version}}}]");
        let (c1, c2) = (chart("1.0.0"), chart("2.0.0"));
        let moved = moved_by(
            &[("values.yaml", &v2), ("kustomization.yaml", &k2), ("Chart.yaml", &c2)],
            &[("Chart.yaml", &c1), ("kustomization.yaml", &k1), ("values.yaml", &v1)],
            &[],
            Missing::List,
        )
        .unwrap();
        assert_eq!(
            lines(&moved.artifacts),
            [
                "Image acme/a v1@· -> v2@· at kustomization.yaml:4 values.yaml:1",
                "Chart c 1.0.0@· -> 2.0.0@· at Chart.yaml:1",
                "Remote h/r v1@· -> v2@· at kustomization.yaml:1",
            ]
        );
        let files: Vec<_> = moved.files.iter().map(|file| file.path.file_name()).collect();
        assert_eq!(files, ["Chart.yaml", "kustomization.yaml", "values.yaml"]);
    }

    #[test]
    fn a_digest_that_goes_is_gone_from_the_artifact() {
        let moved = moved("values.yaml", "image: {tag: v2}\n", "image:\n  tag: v1\n  digest: sha256:aa\n");
        assert_eq!(lines(&moved.artifacts), ["Image image v1@sha256:aa -> v2@· at values.yaml:2"]);
    }
}
