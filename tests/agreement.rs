//! `action.yml`, the README, the command line and the published schemas say what the code says.
//!
//! Nobody can keep five lists of inputs alike by hand; here each is held against the one in the code.
//! `REFRESH=1 cargo test --test agreement` rewrites the tables of the README and the schemas.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests may"
)]

use std::fs;
use std::path::PathBuf;

use promote::settings::{
    DEFAULT_TAG_PATTERN, INPUTS, Input, OUTPUTS, Output, Shape, cli, plan_schema, settings_schema,
};
use serde_yaml::Value;

fn in_repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text_of(path: &str) -> String {
    fs::read_to_string(in_repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn refreshing() -> bool {
    std::env::var_os("REFRESH").is_some()
}

/// The action in its container, and the one for runners without Docker.
const ACTIONS: [&str; 2] = ["action.yml", "standalone/action.yml"];

fn action(path: &str) -> Value {
    serde_yaml::from_str(&text_of(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn keys(mapping: &Value) -> Vec<&str> {
    mapping.as_mapping().unwrap().keys().map(|key| key.as_str().unwrap()).collect()
}

/// The input's description in `action.yml`.
fn described(input: &Input) -> String {
    format!("{}. Default: {}.", input.meaning, input.default)
}

/// The README's table of inputs.
fn inputs_table(inputs: &[Input]) -> String {
    let rows =
        inputs.iter().map(|input| format!("| `{}` | {} | {} |\n", input.name, input.default, input.meaning));
    format!("| input | default | meaning |\n|:--|:--|:--|\n{}", rows.collect::<String>())
}

/// The README's table of outputs.
fn outputs_table(outputs: &[Output]) -> String {
    let rows = outputs.iter().map(|output| format!("| `{}` | {} |\n", output.name, output.meaning));
    format!("| output | meaning |\n|:--|:--|\n{}", rows.collect::<String>())
}

/// Where a marked region of a text is, without its markers.
fn region(text: &str, name: &str) -> std::ops::Range<usize> {
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let start = text.find(&open).unwrap_or_else(|| panic!("README.md lacks the marker `{}`", open.trim()))
        + open.len();
    let length = text[start..].find(&close).unwrap_or_else(|| panic!("README.md lacks the marker `{close}`"));
    start..start + length
}

fn assert_region(name: &str, table: &str) {
    let text = text_of("README.md");
    let range = region(&text, name);
    if refreshing() && text[range.clone()] != *table {
        let mut text = text;
        text.replace_range(range, table);
        fs::write(in_repository("README.md"), text).unwrap();
        return;
    }
    assert!(
        text[range] == *table,
        "the {name} of README.md are not those of the code; `REFRESH=1 cargo test --test agreement` writes:\n{table}"
    );
}

fn assert_schema(path: &str, which: &str, schema: &str) {
    let published = fs::read_to_string(in_repository(path)).unwrap_or_default();
    if refreshing() && published != schema {
        fs::write(in_repository(path), schema).unwrap();
        return;
    }
    assert!(published == schema, "`{path}` is not current: `cargo run -- schema {which} > {path}`");
}

#[test]
fn the_actions_declare_the_inputs_of_the_code() {
    for path in ACTIONS {
        let action = action(path);
        let names: Vec<&str> = INPUTS.iter().map(|input| input.name).collect();
        assert_eq!(keys(&action["inputs"]), names, "{path}");
        for input in INPUTS {
            let declared = &action["inputs"][input.name];
            let name = format!("{path}: {}", input.name);
            assert_eq!(declared["description"].as_str(), Some(described(input).as_str()), "{name}");
            assert_ne!(declared["required"].as_bool(), Some(true), "{name}");
        }
    }
}

#[test]
fn only_the_token_has_a_default_or_the_settings_file_would_be_hidden() {
    for path in ACTIONS {
        let action = action(path);
        for input in INPUTS {
            let default = action["inputs"][input.name]["default"].as_str();
            let expected = (input.name == "token").then_some("${{ github.token }}");
            assert_eq!(default, expected, "{path}: {}", input.name);
        }
    }
}

#[test]
fn the_actions_declare_the_outputs_of_the_code() {
    for path in ACTIONS {
        let action = action(path);
        let names: Vec<&str> = OUTPUTS.iter().map(|output| output.name).collect();
        assert_eq!(keys(&action["outputs"]), names, "{path}");
        for output in OUTPUTS {
            let description = format!("{}.", output.meaning);
            assert_eq!(action["outputs"][output.name]["description"].as_str(), Some(description.as_str()));
        }
    }
}

#[test]
fn the_actions_introduce_themselves() {
    for path in ACTIONS {
        let action = action(path);
        for key in ["name", "description", "author"] {
            assert!(action[key].as_str().is_some_and(|text| !text.is_empty()), "{path}: {key}");
        }
        assert_eq!(keys(&action["branding"]), ["icon", "color"], "{path}");
    }
}

#[test]
fn action_yml_is_a_container_with_no_arguments() {
    let action = action("action.yml");
    assert_eq!(action["runs"]["using"].as_str(), Some("docker"));
    assert_eq!(keys(&action["runs"]), ["using", "image"]);
}

#[test]
fn the_standalone_action_passes_on_every_input_and_output() {
    let action = action("standalone/action.yml");
    assert_eq!(action["runs"]["using"].as_str(), Some("composite"));
    let steps = action["runs"]["steps"].as_sequence().unwrap();
    assert_eq!(steps.len(), 1);
    let env = &steps[0]["env"];
    let (own, inputs): (Vec<&str>, Vec<&str>) =
        keys(env).into_iter().partition(|name| name.starts_with("PROMOTE_"));
    let names: Vec<String> =
        INPUTS.iter().map(|input| format!("INPUT_{}", input.name.to_uppercase())).collect();
    assert_eq!(inputs, names);
    for input in INPUTS {
        let given = env[format!("INPUT_{}", input.name.to_uppercase()).as_str()].as_str();
        assert_eq!(given, Some(format!("${{{{ inputs.{} }}}}", input.name).as_str()));
    }
    for output in OUTPUTS {
        let value = action["outputs"][output.name]["value"].as_str();
        assert_eq!(value, Some(format!("${{{{ steps.promote.outputs.{} }}}}", output.name).as_str()));
    }
    // The release writes these; in the source tree there is nothing to download.
    assert_eq!(own, ["PROMOTE_RELEASE", "PROMOTE_SHA256_X64", "PROMOTE_SHA256_ARM64"]);
    assert!(own.iter().all(|name| env[*name].as_str() == Some("")), "a source tree names no release");
}

#[test]
fn the_flags_of_run_and_plan_are_the_inputs() {
    let command = cli::command();
    let bare = std::iter::once(&command);
    for command in bare.chain(["run", "plan"].map(|name| command.find_subcommand(name).unwrap())) {
        let flags: Vec<&str> = command
            .get_arguments()
            .filter_map(clap::Arg::get_long)
            .filter(|flag| !matches!(*flag, "help" | "version"))
            .collect();
        let names: Vec<&str> = INPUTS.iter().map(|input| input.name).collect();
        assert_eq!(flags, names, "promote {}", command.get_name());
    }
}

fn is_secret(input: &Input) -> bool {
    matches!(input.shape, Shape::Secret | Shape::Key)
}

#[test]
fn names_are_kebab_case_and_texts_fit_a_table() {
    let names = INPUTS.iter().map(|input| input.name).chain(OUTPUTS.iter().map(|output| output.name));
    for name in names {
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{name}");
    }
    let inputs = INPUTS.iter().flat_map(|input| [input.default, input.meaning]);
    for text in inputs.chain(OUTPUTS.iter().map(|output| output.meaning)) {
        assert!(!text.contains(['|', '\n']) && !text.ends_with('.') && !text.is_empty(), "{text}");
    }
    let pattern = INPUTS.iter().find(|input| input.name == "tag-pattern").unwrap().default;
    assert_eq!(pattern, format!("`{DEFAULT_TAG_PATTERN}`"));
    let secrets: Vec<&str> = INPUTS.iter().filter(|input| is_secret(input)).map(|input| input.name).collect();
    assert_eq!(secrets, ["token", "pull-request-token", "private-key"]);
}

#[test]
fn the_readme_has_the_inputs_of_the_code() {
    assert_region("inputs", &inputs_table(INPUTS));
}

#[test]
fn the_readme_has_the_outputs_of_the_code() {
    assert_region("outputs", &outputs_table(OUTPUTS));
}

#[test]
fn the_published_schema_of_the_settings_is_current() {
    assert_schema("schema/promote.schema.json", "settings", &settings_schema());
}

#[test]
fn the_published_schema_of_the_plan_is_current() {
    assert_schema("schema/promotion-v1.schema.json", "plan", &plan_schema());
}
