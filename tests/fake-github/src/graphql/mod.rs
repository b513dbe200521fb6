//! The GraphQL side: a document in, a projection of the one state out.
//!
//! Only what a promotion client asks for is here; any other field is refused as GitHub refuses unknown ones, so
//! that a gap is loud.

use graphql_parser::query::{
    Definition, Document, FragmentDefinition, OperationDefinition, SelectionSet, Type,
};
use serde_json::{Map, Value, json};

use crate::rest::dispatch::{authenticate, count};
use crate::rest::{Refusal, Reply};
use crate::server::Incoming;
use crate::state::World;
use crate::token::Token;

mod connection;
mod fields;
mod mutations;
mod project;
mod ran;
mod refs;

/// A GraphQL error: GitHub's `type`, the message.
#[derive(Debug)]
pub(crate) struct Fault {
    pub kind: &'static str,
    pub message: String,
}

impl Fault {
    pub fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.errors.first().and_then(|error| error.get("message")).and_then(Value::as_str);
        let kind = match refusal.status {
            403 => "FORBIDDEN",
            404 => "NOT_FOUND",
            _ => "UNPROCESSABLE",
        };
        Self::new(kind, detail.map_or(refusal.message.clone(), str::to_owned))
    }
}

impl From<git2::Error> for Fault {
    fn from(error: git2::Error) -> Self {
        Self::new("UNPROCESSABLE", error.message())
    }
}

/// Why a document cannot be answered at all.
pub(crate) enum Trouble {
    /// The document does not fit the schema.
    Schema { message: String, extensions: Value, path: Vec<String> },
    /// One field of the answer failed.
    Field { fault: Fault, path: Vec<String> },
}

/// What a document is read with.
pub(crate) struct Reading<'a> {
    pub fragments: Vec<&'a FragmentDefinition<'static, String>>,
    pub variables: Map<String, Value>,
    pub token: &'a Token,
}

/// Answers a request; also the caller and the permissions that its mutations need.
pub(crate) fn answer(world: &mut World, request: &Incoming) -> (Reply, Option<String>, Option<String>) {
    if request.header("user-agent").is_none_or(str::is_empty) {
        let message = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header";
        return (Refusal::new(403, message).into_reply(), None, None);
    }
    let token = match authenticate(&world.site, request.header("authorization")) {
        Ok(token) => token,
        Err(refusal) => return (refusal.into_reply(), None, None),
    };
    let login = Some(token.login.clone());
    if let Err(refusal) = count(&mut world.site) {
        let body = json!({ "errors": [{ "type": "RATE_LIMITED", "message": refusal.message }] });
        return (Reply::ok(body), login, None);
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    let Some(text) = body.get("query").and_then(Value::as_str) else {
        let message = "A query attribute must be specified and must be a string.";
        return (Reply::ok(json!({ "errors": [{ "message": message }] })), login, None);
    };
    let document: Document<'static, String> = match graphql_parser::parse_query::<String>(text) {
        Ok(document) => document.into_static(),
        Err(error) => {
            return (Reply::ok(json!({ "errors": [{ "message": error.to_string() }] })), login, None);
        }
    };
    let variables = body.get("variables").and_then(Value::as_object).cloned().unwrap_or_default();
    let name = body.get("operationName").and_then(Value::as_str);
    let (reply, needs) = run(world, &token, &document, variables, name);
    (reply, login, needs)
}

/// The operation of a document: its root type, its selections, its variables' defaults.
struct Operation<'a> {
    root: &'static str,
    selections: &'a SelectionSet<'static, String>,
    defaults: Map<String, Value>,
    /// The variables and their types.
    inputs: Vec<(&'a str, &'a str)>,
}

/// The name of a type without its marks.
fn named<'a>(kind: &'a Type<'static, String>) -> &'a str {
    match kind {
        Type::NamedType(name) => name,
        Type::ListType(inner) | Type::NonNullType(inner) => named(inner),
    }
}

fn operation<'a>(document: &'a Document<'static, String>, name: Option<&str>) -> Option<Operation<'a>> {
    document.definitions.iter().find_map(|definition| {
        let Definition::Operation(operation) = definition else { return None };
        let (root, found, selections, variables) = match operation {
            OperationDefinition::SelectionSet(set) => ("Query", None, set, None),
            OperationDefinition::Query(query) => {
                ("Query", query.name.as_deref(), &query.selection_set, Some(&query.variable_definitions))
            }
            OperationDefinition::Mutation(mutation) => (
                "Mutation",
                mutation.name.as_deref(),
                &mutation.selection_set,
                Some(&mutation.variable_definitions),
            ),
            OperationDefinition::Subscription(_) => return None,
        };
        if name.is_some() && name != found {
            return None;
        }
        let inputs = variables
            .into_iter()
            .flatten()
            .map(|variable| (variable.name.as_str(), named(&variable.var_type)))
            .collect();
        let defaults = variables
            .into_iter()
            .flatten()
            .filter_map(|variable| {
                let default = variable.default_value.as_ref()?;
                Some((variable.name.clone(), project::value_of(default, &Map::new())))
            })
            .collect();
        Some(Operation { root, selections, defaults, inputs })
    })
}

fn run(
    world: &mut World,
    token: &Token,
    document: &Document<'static, String>,
    given: Map<String, Value>,
    name: Option<&str>,
) -> (Reply, Option<String>) {
    let Some(operation) = operation(document, name) else {
        return (Reply::ok(json!({ "errors": [{ "message": "No operation with that name." }] })), None);
    };
    let mut variables = operation.defaults.clone();
    variables.extend(given);
    let fragments = document
        .definitions
        .iter()
        .filter_map(|definition| match definition {
            Definition::Fragment(fragment) => Some(fragment),
            Definition::Operation(_) => None,
        })
        .collect();
    let reading = Reading { fragments, variables, token };
    let mut needs = None;
    let mut all = too_new(world, &operation);
    let (data, troubles) = if operation.root == "Mutation" {
        mutations::run(world, &reading, operation.selections, &mut needs)
    } else {
        project::root(world, &reading, operation.selections)
    };
    all.extend(troubles);
    (
        Reply::ok(shown(data, all)),
        needs.map(|all: mutations::Needs| {
            all.iter().map(|(name, level)| format!("{name}={}", level.word())).collect::<Vec<_>>().join(",")
        }),
    )
}

/// The variables whose types this server's schema does not have yet, in graphql-ruby's words.
fn too_new(world: &World, operation: &Operation<'_>) -> Vec<Trouble> {
    let old = world.site.enterprise.as_ref().is_some_and(|version| !version.has_update_refs());
    let unknown = operation.inputs.iter().filter(|(_, kind)| old && *kind == "UpdateRefsInput");
    let troubles = unknown.map(|(name, kind)| Trouble::Schema {
        message: format!("{kind} isn't a defined input type (on ${name})"),
        extensions: json!({ "code": "variableRequiresValidType", "typeName": kind, "variableName": name }),
        path: vec!["mutation".to_owned()],
    });
    troubles.collect()
}

/// Data and errors as GitHub sends them.
fn shown(data: Value, troubles: Vec<Trouble>) -> Value {
    let mut body = Map::new();
    let schema = troubles.iter().any(|trouble| matches!(trouble, Trouble::Schema { .. }));
    if !schema {
        body.insert("data".to_owned(), data);
    }
    let errors: Vec<Value> = troubles
        .into_iter()
        .map(|trouble| match trouble {
            Trouble::Schema { message, extensions, path } => json!({
                "path": path,
                "extensions": extensions,
                "locations": [{ "line": 1, "column": 1 }],
                "message": message,
            }),
            Trouble::Field { fault, path } => json!({
                "type": fault.kind,
                "path": path,
                "locations": [{ "line": 1, "column": 1 }],
                "message": fault.message,
            }),
        })
        .collect();
    if !errors.is_empty() {
        body.insert("errors".to_owned(), Value::Array(errors));
    }
    Value::Object(body)
}
