//! What of a `kustomization.yaml` is a pin: image tags and digests, chart versions, refs of remote bases.
//!
//! `newName` is none: where an image is pulled from belongs to the environment.

use super::chart::versioned_chart;
use super::remote::RemoteRef;
use super::scope::Scope;
use super::{Meaning, Member, PinKind};
use crate::overlay::editor::document::Node;
use crate::overlay::editor::key_path::{KeyPath, Step};

/// What a scalar of a kustomization is, or nothing where it is no pin.
pub(in crate::overlay) fn meaning(scope: &Scope<'_>, path: &KeyPath, node: &Node) -> Option<Meaning> {
    image(scope, path, node)
        .or_else(|| versioned_chart(scope, path, node, "helmCharts", "releaseName"))
        .or_else(|| remote(scope, path, node))
}

/// The name of an item of `images`, and the repository that it makes run.
pub(in crate::overlay) struct ImageEntry<'d> {
    pub(in crate::overlay) name: &'d str,
    pub(in crate::overlay) repository: &'d str,
    pub(in crate::overlay) new_name: Option<&'d Node>,
}

/// The item of `images` at a path, where it is one.
pub(in crate::overlay) fn image_entry<'d>(scope: &Scope<'d>, item: &KeyPath) -> Option<ImageEntry<'d>> {
    match item.steps.as_slice() {
        [Step::Key(list), Step::Index(_) | Step::Item { .. }] if list == "images" => {}
        _ => return None,
    }
    let name = scope.read(&item.key("name"))?.as_str()?;
    let new_name = scope.read(&item.key("newName"));
    let repository = new_name.and_then(Node::as_str).filter(|text| !text.is_empty()).unwrap_or(name);
    Some(ImageEntry { name, repository, new_name })
}

/// The tag or digest of an item of `images`.
pub(in crate::overlay) fn image(scope: &Scope<'_>, path: &KeyPath, node: &Node) -> Option<Meaning> {
    let (kind, member) = match path.steps.last()? {
        Step::Key(key) if key == "newTag" => (PinKind::ImageTag, Member::Version),
        Step::Key(key) if key == "digest" => (PinKind::ImageDigest, Member::Digest),
        _ => return None,
    };
    let entry = image_entry(scope, &path.parent()?)?;
    Some(Meaning {
        kind,
        artifact: entry.repository.to_owned(),
        repository: Some(entry.repository.to_owned()),
        value: scope.text_of(node).to_owned(),
        group: format!("images[{}]", entry.name),
        settled: path.steps.len(),
        member,
    })
}

fn remote(scope: &Scope<'_>, path: &KeyPath, node: &Node) -> Option<Meaning> {
    let list = match path.steps.as_slice() {
        // `bases` is what old kustomizations call their remote `resources`.
        [Step::Key(list), Step::Index(_)]
            if matches!(list.as_str(), "resources" | "components" | "bases") =>
        {
            list
        }
        _ => return None,
    };
    let remote = RemoteRef::parse(scope.text_of(node))?;
    Some(Meaning {
        kind: PinKind::RemoteRef,
        artifact: remote.url.to_owned(),
        repository: None,
        value: remote.reference.to_owned(),
        group: format!("{list}[{}]", remote.url),
        settled: path.steps.len(),
        member: Member::Whole,
    })
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
    use crate::overlay::testing::{listed, refusal};

    #[test]
    fn images_charts_and_remote_refs_are_pins() {
        let text = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: agents
resources:
  - ../base            # local
  - https://github.com/acme/base//app?ref=v1.8.0&timeout=90s
  - github.com/acme/unpinned
components:
  - git@github.com:acme/parts.git?ref=main
images:
  - name: ghcr.io/acme/agent
    newName: mirror.io/acme/agent
    newTag: \"1.10\"
  - {name: proxy, digest: sha256:aa, newTag: v2}
  - newTag: nameless
helmCharts:
  - {name: redis, repo: https://charts.io, version: 20.1.0}
  - {name: pg, releaseName: a, version: 1.0.0}
  - {name: pg, releaseName: b, version: 2.0.0}
  - {repo: nameless, version: 3.0.0}
";
        assert_eq!(
            listed("kustomization.yaml", text, &[]),
            [
                "resources[1] RemoteRef https://github.com/acme/base//app = v1.8.0",
                "components[0] RemoteRef git@github.com:acme/parts.git = main",
                "images[name=ghcr.io/acme/agent].newTag ImageTag mirror.io/acme/agent = 1.10",
                "images[name=proxy].digest ImageDigest proxy = sha256:aa",
                "images[name=proxy].newTag ImageTag proxy = v2",
                "helmCharts[name=redis].version ChartVersion redis = 20.1.0",
                "helmCharts[1].version ChartVersion pg = 1.0.0",
                "helmCharts[2].version ChartVersion pg = 2.0.0",
            ]
        );
    }

    #[test]
    fn one_image_named_twice_is_refused_with_its_place() {
        let text = "images:\n- {name: a, newTag: v1}\n- {name: a, newTag: v2}\n";
        let said = refusal(&[("kustomization.yaml", text)], &[]);
        assert!(said.starts_with("error: `environments/staging/kustomization.yaml:3:21`: "), "{said}");
        assert!(said.contains("both pin `a`") && said.contains("line 2"), "{said}");
    }

    #[test]
    fn a_kustomization_has_three_names_and_only_one_may_be_there() {
        for name in ["kustomization.yaml", "kustomization.yml", "Kustomization"] {
            assert_eq!(listed(name, "images: [{name: a, newTag: v1}]", &[]).len(), 1, "{name}");
        }
        let said = refusal(&[("kustomization.yml", "{}"), ("Kustomization", "{}")], &[]);
        assert!(said.contains("`kustomization.yml` stands beside `Kustomization`"), "{said}");
    }
}
