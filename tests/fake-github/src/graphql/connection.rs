//! Connections: pages of nodes, and the bounds that GitHub sets to them.

use serde_json::{Value, json};

use super::Fault;
use super::fields::{Node, Out};
use super::project::Arguments;
use crate::state::World;

/// Nodes that one page may have: <https://docs.github.com/graphql/overview/resource-limitations>
const MOST: u64 = 100;

/// A page within GitHub's bounds and the fake's own.
pub(super) fn bounded(
    world: &World,
    field: &str,
    kind: &'static str,
    nodes: Vec<Node>,
    arguments: &Arguments,
) -> Result<Out, Fault> {
    let mut capped = arguments.clone();
    let mut bounds = 0;
    for bound in ["first", "last"] {
        let Some(wanted) = arguments.get(bound).and_then(Value::as_u64) else { continue };
        if wanted > MOST {
            let message = format!(
                "Requesting {wanted} records on the `{field}` connection exceeds the `{bound}` limit of {MOST} records."
            );
            return Err(Fault::new("EXCESSIVE_PAGINATION", message));
        }
        let cap = world.site.page_cap.and_then(|cap| u64::try_from(cap.max(1)).ok());
        capped.insert(bound.to_owned(), json!(cap.map_or(wanted, |cap| wanted.min(cap))));
        bounds += 1;
    }
    if bounds == 0 {
        let message = format!(
            "You must provide a `first` or `last` value to properly paginate the `{field}` connection."
        );
        return Err(Fault::new("MISSING_PAGINATION_BOUNDARIES", message));
    }
    Ok(connection(kind, nodes, &capped))
}

/// A page of nodes; cursors are positions.
pub(super) fn connection(kind: &'static str, nodes: Vec<Node>, arguments: &Arguments) -> Out {
    let number = |name: &str| {
        arguments.get(name).and_then(Value::as_u64).and_then(|value| usize::try_from(value).ok())
    };
    let cursor =
        |name: &str| arguments.get(name).and_then(Value::as_str).and_then(|cursor| cursor.parse().ok());
    let total = nodes.len();
    let mut start: usize = cursor("after").unwrap_or(0).min(total);
    let mut end: usize = cursor("before").unwrap_or(total).clamp(start, total);
    if let Some(first) = number("first") {
        end = end.min(start.saturating_add(first));
    } else if let Some(last) = number("last") {
        start = start.max(end.saturating_sub(last));
    }
    let shown: Vec<Node> = nodes.into_iter().skip(start).take(end.saturating_sub(start)).collect();
    let info = Node::Bag(
        "PageInfo",
        vec![
            ("hasNextPage", Out::Value(json!(end < total))),
            ("hasPreviousPage", Out::Value(json!(start > 0))),
            ("startCursor", Out::text(start.to_string())),
            ("endCursor", Out::text(end.to_string())),
        ],
    );
    let fields = vec![
        ("totalCount", Out::Value(json!(total))),
        ("nodes", Out::Many(shown)),
        ("pageInfo", Out::One(info)),
    ];
    Out::One(Node::Bag(kind, fields))
}

/// Whether an `orderBy` asks for the greatest first.
pub(super) fn descends(arguments: &Arguments) -> bool {
    let order = arguments.get("orderBy").and_then(|order| order.get("direction"));
    order.and_then(Value::as_str) == Some("DESC")
}

/// The texts of a list; a single one counts as a list of one.
pub(super) fn listed(value: Option<&Value>) -> Option<Vec<&str>> {
    match value? {
        Value::Array(items) => Some(items.iter().filter_map(Value::as_str).collect()),
        Value::String(text) => Some(vec![text]),
        _ => None,
    }
}
