//! The published JSON Schemas, generated from the types that are read and written.
//!
//! `schema/` holds them as files, for editors and for people's tools; a test holds the files against
//! what is generated here.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{Schema, json_schema};
use serde_json::Value;

use super::file::SettingsFile;
use crate::plan::Plan;

/// The schema of the settings file, as pretty JSON with a final newline.
pub fn settings_schema() -> String {
    // Draft 7 is what every editor's YAML support understands.
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<SettingsFile>();
    RecursiveTransform(never_null).transform(&mut schema);
    pretty(schema)
}

/// The schema of the plan, `promotion/v1`, as pretty JSON with a final newline.
pub fn plan_schema() -> String {
    let mut schema =
        SchemaSettings::draft07().for_serialize().into_generator().into_root_schema_for::<Plan>();
    schema.insert("title".to_owned(), Value::from(crate::plan::SCHEMA));
    for (property, constant) in [("schema", crate::plan::SCHEMA), ("kind", "promotion")] {
        if let Some(Value::Object(property)) = schema.pointer_mut(&format!("/properties/{property}")) {
            property.insert("const".to_owned(), Value::from(constant));
        }
    }
    pretty(schema)
}

fn pretty(mut schema: Schema) -> String {
    RecursiveTransform(one_line).transform(&mut schema);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// An optional key may be left out, not left empty: the reader refuses null.
fn never_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    let null = json_schema!({ "type": "null" }).to_value();
    let Some(Value::Array(choices)) = schema.get_mut("anyOf") else { return };
    if choices.contains(&null) {
        choices.retain(|choice| *choice != null);
        // Keys beside a `$ref` are ignored in draft 7; beside an `allOf` they count.
        if let Some(choices) = schema.remove("anyOf") {
            schema.insert("allOf".to_owned(), choices);
        }
    }
}

/// A comment's line breaks are the source's, not the reader's.
fn one_line(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
}
