//! A workflow of the README, read as GitHub reads it: what starts it, what its job is granted, and its steps.
//!
//! Only what the README's workflows use is known here; anything else is an error, so that a workflow which
//! grows out of this reader is not half read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use fake_github::Level;
use serde_json::{Map, Value, json};

/// What a token is granted: permission to level, named as workflows name them.
pub type Grants = BTreeMap<String, Level>;

pub struct Workflow {
    /// `.github/workflows/promote.yml`.
    pub path: String,
    /// The file as people copy it.
    pub text: String,
    pub name: String,
    on: Value,
    pub job: Job,
}

/// Its one job.
pub struct Job {
    condition: Option<String>,
    pub grants: Grants,
    pub steps: Vec<Step>,
}

pub struct Step {
    pub id: Option<String>,
    /// `acme/promote`.
    pub action: String,
    /// `v1`.
    revision: String,
    pub with: Vec<(String, String)>,
}

/// Every workflow of the README, extracted by the script that the linters use, too.
pub fn all() -> Vec<Workflow> {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let extracted = Command::new(root.join(".ci/readme-workflows")).arg(folder.path()).output().unwrap();
    assert!(extracted.status.success(), "{}", String::from_utf8_lossy(&extracted.stderr));
    let below = folder.path().join(".github/workflows");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(below).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .iter()
        .map(|file| {
            let path = file.strip_prefix(folder.path()).unwrap().to_str().unwrap();
            Workflow::read(path, &std::fs::read_to_string(file).unwrap())
        })
        .collect()
}

/// What the README says that the App needs.
pub fn of_the_app() -> Grants {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (_, needs) = readme.split_once("The App needs ").unwrap();
    let (needs, _) = needs.split_once(';').unwrap();
    let one = |line: &str| line.split_once(": ").map(|(name, level)| (name.to_owned(), json!(level)));
    grants(&needs.split('`').filter_map(one).collect())
}

/// The one named so.
pub fn named(file: &str) -> Workflow {
    let found = all().into_iter().find(|workflow| workflow.path.ends_with(&format!("/{file}")));
    found.unwrap_or_else(|| panic!("the README has no workflow {file}"))
}

impl Workflow {
    fn read(path: &str, text: &str) -> Self {
        let yaml: Value = serde_yaml::from_str(text).unwrap();
        only(path, &yaml, &["name", "on", "permissions", "concurrency", "jobs"]);
        assert_eq!(yaml["permissions"], json!({}), "{path}: a job must name all that it is granted");
        let jobs = yaml["jobs"].as_object().unwrap();
        assert_eq!(jobs.len(), 1, "{path}: one job");
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            name: yaml["name"].as_str().unwrap().to_owned(),
            on: yaml["on"].clone(),
            job: Job::read(path, jobs.values().next().unwrap()),
        }
    }

    /// The event that starts it.
    pub fn event(&self) -> &str {
        let events: Vec<&String> = self.on.as_object().unwrap().keys().collect();
        assert_eq!(events.len(), 1, "{}: one event", self.path);
        events[0]
    }

    /// Whether this event starts it: its filters, then the job's `if`.
    pub fn starts_on(&self, event: &str, payload: &Value) -> bool {
        if event != self.event() {
            return false;
        }
        let filters = &self.on[event];
        let among = |filter: &str, value: &Value| {
            filters[filter].as_array().is_none_or(|allowed| allowed.contains(value))
        };
        let starts = match event {
            "workflow_run" => {
                only(&self.path, filters, &["workflows", "types"]);
                among("workflows", &payload["workflow"]["name"]) && among("types", &payload["action"])
            }
            "workflow_dispatch" => true,
            other => panic!("{}: `{other}` is not known here", self.path),
        };
        let context = json!({"github": {"event": payload}});
        starts && self.job.condition.as_ref().is_none_or(|condition| holds(condition, &context))
    }

    /// The inputs of a dispatch as GitHub completes them: what the person gave, else the default, else nothing.
    pub fn dispatch_inputs(&self, given: &[(&str, &str)]) -> Value {
        let declared = self.on["workflow_dispatch"]["inputs"].as_object().unwrap();
        for (name, _) in given {
            assert!(declared.contains_key(*name), "{}: no input `{name}`", self.path);
        }
        let value = |name: &String, input: &Value| {
            let given = given.iter().find(|(given, _)| given == name).map(|(_, value)| *value);
            let value = given.or_else(|| input["default"].as_str()).unwrap_or_default();
            let options = input["options"].as_array();
            assert!(options.is_none_or(|options| options.contains(&json!(value))), "`{name}`: `{value}`");
            (name.clone(), json!(value))
        };
        declared.iter().map(|(name, input)| value(name, input)).collect::<Map<_, _>>().into()
    }
}

impl Job {
    fn read(path: &str, yaml: &Value) -> Self {
        only(path, yaml, &["name", "if", "runs-on", "timeout-minutes", "permissions", "steps"]);
        assert_eq!(yaml["runs-on"], "ubuntu-latest", "{path}");
        Self {
            condition: yaml["if"].as_str().map(str::to_owned),
            grants: grants(yaml["permissions"].as_object().unwrap()),
            steps: yaml["steps"].as_array().unwrap().iter().map(|step| Step::read(path, step)).collect(),
        }
    }
}

impl Step {
    fn read(path: &str, yaml: &Value) -> Self {
        only(path, yaml, &["id", "uses", "with"]);
        let (action, revision) = yaml["uses"].as_str().and_then(|uses| uses.split_once('@')).unwrap();
        let with = yaml["with"].as_object().into_iter().flatten();
        Self {
            id: yaml["id"].as_str().map(str::to_owned),
            action: action.to_owned(),
            revision: revision.to_owned(),
            with: with.map(|(name, value)| (name.clone(), scalar(value))).collect(),
        }
    }

    /// As `uses:` has it: `acme/promote@…`.
    pub fn uses(&self) -> String {
        format!("{}@{}", self.action, self.revision)
    }
}

/// `text` with each `${{ a.b.c }}` replaced by its value; a name that stands for nothing is empty, as on GitHub.
pub fn filled(text: &str, context: &Value) -> String {
    let Some((before, rest)) = text.split_once("${{") else { return text.to_owned() };
    let (name, after) = rest.split_once("}}").unwrap();
    format!("{before}{}{}", scalar(looked_up(name, context)), filled(after, context))
}

/// Whether `a.b.c == 'text'` is so.
fn holds(condition: &str, context: &Value) -> bool {
    let (left, right) =
        condition.split_once("==").unwrap_or_else(|| panic!("`{condition}` is not known here"));
    let right = right.trim().strip_prefix('\'').and_then(|right| right.strip_suffix('\'')).unwrap();
    looked_up(left, context).as_str() == Some(right)
}

fn looked_up<'a>(name: &str, context: &'a Value) -> &'a Value {
    let name = name.trim();
    assert!(
        name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.')),
        "`{name}` is more than a name"
    );
    name.split('.').fold(context, |value, key| &value[key])
}

fn grants(yaml: &Map<String, Value>) -> Grants {
    let level = |value: &Value| match value.as_str() {
        Some("read") => Level::Read,
        Some("write") => Level::Write,
        other => panic!("{other:?} is no level"),
    };
    yaml.iter().map(|(name, value)| (name.clone(), level(value))).collect()
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn only(path: &str, yaml: &Value, known: &[&str]) {
    for key in yaml.as_object().unwrap().keys() {
        assert!(known.contains(&key.as_str()), "{path}: `{key}` is not known here");
    }
}
