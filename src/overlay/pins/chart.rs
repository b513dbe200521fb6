//! What of a `Chart.yaml` is a pin: the versions of its dependencies, and when that makes a `Chart.lock` stale.
//!
//! The chart's own `version` and `appVersion` are none. A lock is never rewritten: only Helm can.

use super::scope::Scope;
use super::{Meaning, Member, PinKind};
use crate::overlay::editor::document::{Document, Node};
use crate::overlay::editor::key_path::{KeyPath, Step};

/// What a scalar of a `Chart.yaml` is, or nothing where it is no pin.
pub(in crate::overlay) fn meaning(scope: &Scope<'_>, path: &KeyPath, node: &Node) -> Option<Meaning> {
    versioned_chart(scope, path, node, "dependencies", "alias")
}

/// A chart's version in a list of charts; `second` tells charts of one name apart.
pub(in crate::overlay) fn versioned_chart(
    scope: &Scope<'_>,
    path: &KeyPath,
    node: &Node,
    list: &str,
    second: &str,
) -> Option<Meaning> {
    let [Step::Key(place), Step::Index(_) | Step::Item { .. }, Step::Key(key)] = path.steps.as_slice() else {
        return None;
    };
    if place != list || key != "version" {
        return None;
    }
    let item = scope.read(&path.parent()?)?;
    let name = field(scope, item, "name")?;
    let items = scope.read(&KeyPath::root(0).key(list))?.items();
    let namesakes = items.iter().filter(|other| field(scope, other, "name") == Some(name)).count();
    let group = match field(scope, item, second) {
        Some(second) if namesakes > 1 => format!("{list}[{name} {second}]"),
        _ => format!("{list}[{name}]"),
    };
    Some(Meaning {
        kind: PinKind::ChartVersion,
        artifact: name.to_owned(),
        repository: None,
        value: scope.text_of(node).to_owned(),
        group,
        settled: path.steps.len(),
        member: Member::Version,
    })
}

/// The line and column in a `Chart.lock` at which a dependency's version stands.
pub(in crate::overlay) fn locked(lock: &Document, name: &str) -> Option<(u32, u32)> {
    let path = KeyPath::root(0).key("dependencies");
    let items = lock.read(&path)?.items();
    let lock = Scope::at(lock, KeyPath::root(0));
    let item = items.iter().find(|item| field(&lock, item, "name") == Some(name))?;
    let version = item.get("version").unwrap_or(item);
    Some((version.line, version.column))
}

fn field<'d>(scope: &Scope<'d>, item: &'d Node, key: &str) -> Option<&'d str> {
    scope.resolved(scope.resolved(item).get(key)?).as_str()
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
    fn the_versions_of_dependencies_are_pins_and_the_charts_own_is_not() {
        let text = "\
apiVersion: v2
name: fraud-agent
version: 0.3.0
appVersion: v1.8.0
dependencies:
  - name: agent-chart
    repository: oci://ghcr.io/acme/charts
    version: 1.4.2
  - {name: redis, version: ^20.0.0}
  - {name: redis, alias: cache, version: 19.1.0}
";
        assert_eq!(
            listed("Chart.yaml", text, &[]),
            [
                "dependencies[name=agent-chart].version ChartVersion agent-chart = 1.4.2",
                "dependencies[1].version ChartVersion redis = ^20.0.0",
                "dependencies[2].version ChartVersion redis = 19.1.0",
            ]
        );
        assert_eq!(listed("Chart.lock", text, &[]), [""; 0]);
    }
}
