//! The projector: selection sets over nodes, with aliases, variables, fragments and `__typename`.

use graphql_parser::query::{Field, Selection, SelectionSet, TypeCondition};
use serde_json::{Map, Value, json};

use super::fields::{Node, Out, is_a, resolve};
use super::{Fault, Reading, Trouble};
use crate::state::World;

/// The arguments of a field, variables filled in.
pub(super) type Arguments = Map<String, Value>;

/// A GraphQL value as JSON.
pub(super) fn value_of(
    value: &graphql_parser::query::Value<'static, String>,
    variables: &Map<String, Value>,
) -> Value {
    use graphql_parser::query::Value as Given;
    match value {
        Given::Variable(name) => variables.get(name).cloned().unwrap_or(Value::Null),
        Given::Int(number) => json!(number.as_i64()),
        Given::Float(number) => json!(number),
        Given::String(text) | Given::Enum(text) => json!(text),
        Given::Boolean(flag) => json!(flag),
        Given::Null => Value::Null,
        Given::List(items) => items.iter().map(|item| value_of(item, variables)).collect(),
        Given::Object(fields) => {
            fields.iter().map(|(name, field)| (name.clone(), value_of(field, variables))).collect()
        }
    }
}

/// The arguments of one field.
pub(super) fn arguments(field: &Field<'static, String>, reading: &Reading<'_>) -> Arguments {
    field
        .arguments
        .iter()
        .map(|(name, value)| (name.clone(), value_of(value, &reading.variables)))
        .filter(|(_, value)| !value.is_null())
        .collect()
}

/// Answers a query.
pub(super) fn root(
    world: &World,
    reading: &Reading<'_>,
    set: &SelectionSet<'static, String>,
) -> (Value, Vec<Trouble>) {
    let mut troubles = Vec::new();
    let data = object(world, reading, &Node::Query, set, &mut Vec::new(), &mut troubles);
    (data, troubles)
}

/// The fields of a selection set that apply to a type, fragments opened.
pub(super) fn flattened<'a>(
    reading: &'a Reading<'_>,
    kind: &str,
    set: &'a SelectionSet<'static, String>,
    into: &mut Vec<&'a Field<'static, String>>,
) {
    for selection in &set.items {
        match selection {
            Selection::Field(field) => into.push(field),
            Selection::InlineFragment(fragment) => {
                let fits =
                    fragment.type_condition.as_ref().is_none_or(|TypeCondition::On(on)| is_a(kind, on));
                if fits {
                    flattened(reading, kind, &fragment.selection_set, into);
                }
            }
            Selection::FragmentSpread(spread) => {
                let found = reading.fragments.iter().find(|fragment| fragment.name == spread.fragment_name);
                if let Some(fragment) = found {
                    let TypeCondition::On(on) = &fragment.type_condition;
                    if is_a(kind, on) {
                        flattened(reading, kind, &fragment.selection_set, into);
                    }
                }
            }
        }
    }
}

/// One object's selected fields.
pub(super) fn object(
    world: &World,
    reading: &Reading<'_>,
    node: &Node,
    set: &SelectionSet<'static, String>,
    path: &mut Vec<String>,
    troubles: &mut Vec<Trouble>,
) -> Value {
    let kind = node.kind();
    let mut fields = Vec::new();
    flattened(reading, kind, set, &mut fields);
    if fields.is_empty() && set.items.is_empty() {
        troubles.push(Trouble::Schema {
            message: format!("Field must have selections (field of type '{kind}' returns an object)"),
            extensions: json!({ "code": "selectionMismatch", "typeName": kind }),
            path: path.clone(),
        });
        return Value::Null;
    }
    let mut shown = Map::new();
    for field in fields {
        let key = field.alias.as_ref().unwrap_or(&field.name).clone();
        path.push(key.clone());
        let value = one(world, reading, node, field, path, troubles);
        path.pop();
        shown.insert(key, value);
    }
    Value::Object(shown)
}

fn one(
    world: &World,
    reading: &Reading<'_>,
    node: &Node,
    field: &Field<'static, String>,
    path: &mut Vec<String>,
    troubles: &mut Vec<Trouble>,
) -> Value {
    if field.name == "__typename" {
        return json!(node.kind());
    }
    let found = resolve(world, reading, node, &field.name, &arguments(field, reading));
    match found {
        Ok(Some(out)) => project(world, reading, &out, field, path, troubles),
        Ok(None) => {
            troubles.push(unknown_field(node.kind(), &field.name, path));
            Value::Null
        }
        Err(fault) => {
            troubles.push(Trouble::Field { fault, path: path.clone() });
            Value::Null
        }
    }
}

/// GitHub's words for a field that a type lacks.
pub(super) fn unknown_field(kind: &str, field: &str, path: &[String]) -> Trouble {
    Trouble::Schema {
        message: format!("Field '{field}' doesn't exist on type '{kind}'"),
        extensions: json!({ "code": "undefinedField", "typeName": kind, "fieldName": field }),
        path: path.to_vec(),
    }
}

fn project(
    world: &World,
    reading: &Reading<'_>,
    out: &Out,
    field: &Field<'static, String>,
    path: &mut Vec<String>,
    troubles: &mut Vec<Trouble>,
) -> Value {
    match out {
        Out::Value(value) => {
            if field.selection_set.items.is_empty() {
                return value.clone();
            }
            if value.is_null() {
                return Value::Null;
            }
            troubles.push(Trouble::Schema {
                message: format!(
                    "Selections can't be made on scalars (field '{}' returns a scalar)",
                    field.name
                ),
                extensions: json!({ "code": "selectionMismatch" }),
                path: path.clone(),
            });
            Value::Null
        }
        Out::One(node) => object(world, reading, node, &field.selection_set, path, troubles),
        Out::Many(nodes) => nodes
            .iter()
            .map(|node| object(world, reading, node, &field.selection_set, path, troubles))
            .collect(),
    }
}

/// A text argument that a field must have.
pub(super) fn needed<'a>(arguments: &'a Arguments, name: &str) -> Result<&'a str, Fault> {
    arguments
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| Fault::new("ARGUMENT", format!("Argument '{name}' is required and was not given")))
}
