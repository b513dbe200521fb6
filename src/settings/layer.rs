//! Settings that may be given in several places, each with where it was given.
//!
//! Inputs, a target, its app and the top of the file all fill the same two structs; which of them
//! wins is decided in `resolve`, in one line per setting. The schema of the file is generated from
//! these types: the comment of a field is what an editor shows.

use jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::request::{EvidenceAt, Freeze, MergeMethod, PolicyMode, Rendered, Required, TagPattern};
use crate::failure::Place;
use crate::names::RepoPath;
use crate::overlay::{FileRule, PinRule, Shape};

/// A value and where it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

impl<T> At<T> {
    pub(super) fn new(value: T, place: Place) -> Self {
        Self { value, place }
    }
}

/// In the file, a value stands for itself.
impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// What may be set for everything, for an app, and for one of its targets.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(super) struct Layer {
    /// What makes a release successful; all of these. Default: the workflow named as the source environment is
    /// (`staging.yml`) and, on `workflow_run`, that workflow; without either the deployment to it.
    #[schemars(length(min = 1))]
    pub(super) evidence: Option<At<Vec<Required>>>,
    /// The commit that evidence must be bound to. Default: `tag`.
    pub(super) evidence_at: Option<At<EvidenceAt>>,
    /// How long ago the evidence must have completed: `90s`, `30m`, `24h`, `7d`. Default: no wait.
    #[schemars(with = "Option<DurationText>")]
    pub(super) soak: Option<At<SignedDuration>>,
    /// How many releases' evidence is looked at, newest first, before the search is given up. Default: `30`.
    #[schemars(range(min = 1, max = 1000))]
    pub(super) window: Option<At<u32>>,
    /// Whether releases with a prerelease part are promoted too. Default: `false`.
    pub(super) prereleases: Option<At<bool>>,
    /// Whether pins that only the source overlay has are added to the target. Default: `false`.
    pub(super) add_missing: Option<At<bool>>,
    /// Whether only tags whose signature GitHub verified are releases. Default: `false`.
    pub(super) require_signed_tag: Option<At<bool>>,
    /// Manifests that an earlier step rendered, for policies that test Kubernetes objects.
    pub(super) rendered: Option<At<Rendered>>,
    /// The folders with policies, read at the base branch's commit. Default: `policy`.
    pub(super) policy: Option<At<Vec<RepoPath>>>,
    /// The folders with data for policies, read at the base branch's commit.
    pub(super) policy_data: Option<At<Vec<RepoPath>>>,
    /// What a denial does. Default: `enforce`.
    pub(super) policy_mode: Option<At<PolicyMode>>,
    /// Whether the pull request is opened as a draft. Default: `false`.
    pub(super) draft: Option<At<bool>>,
    /// Labels to put on the pull request.
    pub(super) labels: Option<At<Vec<String>>>,
    /// People asked to review it, by login.
    pub(super) reviewers: Option<At<Vec<String>>>,
    /// Teams asked to review it, by slug.
    pub(super) team_reviewers: Option<At<Vec<String>>>,
    /// People it is assigned to, by login.
    pub(super) assignees: Option<At<Vec<String>>>,
    /// How to merge it once it may be. Default: it is not merged automatically.
    pub(super) auto_merge: Option<At<MergeMethod>>,
    /// With `auto-merge`: whether what nothing keeps from being merged is merged at once, since GitHub arms no
    /// auto-merge on it. Default: `false`.
    pub(super) merge_at_once: Option<At<bool>>,
    /// Windows in which nothing is promoted; those of the top, the app and the target add up.
    pub(super) freeze: Option<At<Vec<Freeze>>>,
}

/// What may be set for everything and for an app.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(super) struct AppLayer {
    /// The tags that are releases: a regular expression with the named group `version` and, optionally, `app`.
    pub(super) tag_pattern: Option<At<TagPattern>>,
    /// The files that make an overlay. Default: `values.yaml`, `kustomization.yaml` and `Chart.yaml`.
    #[schemars(length(min = 1))]
    pub(super) files: Option<At<Vec<FileRule>>>,
    /// The keys that are promoted, such as `image.{tag,digest}`. Default: image tags and digests, chart, model and
    /// prompt versions, remote refs; `default` in the list means these.
    #[schemars(length(min = 1))]
    pub(super) pins: Option<At<Vec<PinRule>>>,
    /// The key of the pin that shows which release an overlay runs, such as `image.tag`.
    pub(super) carries: Option<At<String>>,
    /// What the changelog is made of.
    #[schemars(with = "Option<Changelog>")]
    pub(super) changelog: Option<At<Changelog>>,
}

/// What the changelog is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Changelog {
    /// Folders whose commits are listed. Default: the whole repository.
    pub(super) paths: Option<Vec<RepoPath>>,
}

/// The schema of a duration, which is text.
pub(super) struct DurationText;

impl JsonSchema for DurationText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9]+[smhd]$", "examples": ["24h"] })
    }
}

impl JsonSchema for TagPattern {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TagPattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // No `format: regex`: `(?P<version>…)` is not a group in the dialect that it stands for.
        json_schema!({ "type": "string", "pattern": "\\(\\?P?<version>" })
    }
}

impl JsonSchema for FileRule {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "File".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let shapes: Vec<&str> = Shape::NAMED.iter().map(|(name, _)| *name).collect();
        let file = "A path in the overlay's folder or, after `/`, in the repository; `{environment}` and `{app}` stand \
                    for their names.";
        json_schema!({
            "description": "A file of an overlay.",
            "anyOf": [
                { "type": "string", "minLength": 1, "description": file },
                {
                    "type": "object",
                    "properties": {
                        "file": { "type": "string", "minLength": 1, "description": file },
                        "at": {
                            "type": "string",
                            "minLength": 1,
                            "description": "The key under which the environment's own values stand, in a file of several: `environments.{environment}`.",
                        },
                        "shape": {
                            "enum": shapes,
                            "description": "What it is. Default: what its name and what stands in it say, else Helm values.",
                        },
                    },
                    "required": ["file"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}

impl JsonSchema for PinRule {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Pin".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let key = "A pattern over keys, such as `image.{tag,digest}`, `**.tag` or `images[name=acme/agent].newTag`.";
        json_schema!({
            "description": "Keys that are promoted.",
            "anyOf": [
                { "type": "string", "minLength": 1, "description": key },
                {
                    "type": "object",
                    "properties": {
                        "key": { "type": "string", "minLength": 1, "description": key },
                        "file": {
                            "type": "string",
                            "minLength": 1,
                            "description": "The file in which it stands, as `files` or the overlay names it. Default: every file.",
                        },
                        "value": {
                            "type": "string",
                            "minLength": 1,
                            "pattern": "\\{(tag|version|commit)\\}",
                            "description": "What it becomes: `{tag}`, `{version}` and `{commit}` stand for what the release is called. Default: what the source overlay has there.",
                        },
                    },
                    "required": ["key"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}

impl JsonSchema for Required {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Evidence".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = |kind: &str, what: &str, with: Option<(&str, &str)>| {
            let mut schema = json_schema!({
                "type": "object",
                "properties": { kind: { "type": "string", "minLength": 1, "description": what } },
                "required": [kind],
                "additionalProperties": false,
            });
            let properties = schema.pointer_mut("/properties").and_then(serde_json::Value::as_object_mut);
            if let (Some((key, what)), Some(properties)) = (with, properties) {
                let text = json_schema!({ "type": "string", "minLength": 1, "description": what });
                properties.insert(key.to_owned(), text.to_value());
            }
            schema.to_value()
        };
        json_schema!({
            "description": "One piece of evidence that a release was tested.",
            "anyOf": [
                one("workflow", "A GitHub Actions workflow, by file name or by name.", None),
                one("check", "A check run, by name.", Some(("app", "The slug of the app that must have reported it."))),
                one("status", "A commit status, by context.", Some(("creator", "The login that must have reported it."))),
                one("deployment", "A deployment, by environment.", None),
                { "const": "any", "description": "At least one success of any kind, and no failure." },
            ],
        })
    }
}
