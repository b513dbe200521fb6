//! The settings file, `.github/promote.yaml`: its shape, and what must hold inside it.
//!
//! The file is read by a walk over its document tree, because serde stops at the first mistake and
//! knows no places: here every mistake is found, with its line and column, and a key that nobody
//! knows is never skipped. The published schema is generated from the same types. Nothing is looked
//! up outside the file: whether a folder exists is decided in `resolve`.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::layer::{AppLayer, At, Changelog, Layer};
use super::reader::{Fields, Reader};
use super::request::{Freeze, Rendered, Required};
use super::values;
use crate::failure::{Failure, Kind, Problem, Result};
use crate::names::{BranchName, RepoPath};
use crate::overlay::editor::document::{Document, Node};
use crate::overlay::{FileRule, PinRule};

/// Settings of `promote`, at the base branch's commit. Every key is optional.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, title = "promote settings")]
pub(super) struct SettingsFile {
    /// What is promoted. Default: one app, named after the repository, or one per folder below the source environment.
    #[schemars(length(min = 1))]
    pub(super) apps: Option<Vec<AppSettings>>,
    /// The environment that releases come from. Default: `staging`.
    pub(super) from: Option<At<String>>,
    /// The environments that releases go to. Default: every target the app names, else `prod`.
    #[schemars(length(min = 1))]
    pub(super) to: Option<At<Vec<String>>>,
    /// The branch that releases come from. Default: the default branch.
    pub(super) trunk: Option<At<BranchName>>,
    /// The branch that pull requests go to. Default: `trunk`.
    pub(super) base: Option<At<BranchName>>,
    #[schemars(flatten)]
    pub(super) every_app: AppLayer,
    #[schemars(flatten)]
    pub(super) everything: Layer,
}

/// One app.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct AppSettings {
    /// Its name; one part of the branch `promote/<app>/<target>`.
    pub(super) name: At<String>,
    /// The environment that its releases come from, where it is another than that of the rest.
    pub(super) from: Option<At<String>>,
    /// Its overlay in the source environment. Default: `environments/<from>/<name>`, or `environments/<from>` for the
    /// only app.
    pub(super) source: Option<At<RepoPath>>,
    /// Where it goes. Default: what `to` says.
    #[schemars(length(min = 1))]
    pub(super) targets: Option<Vec<TargetSettings>>,
    /// What policy should know of it, as `app.labels`; names and texts. (`labels` are the pull request's.)
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    pub(super) app_labels: Option<BTreeMap<String, String>>,
    #[schemars(flatten)]
    pub(super) of_app: AppLayer,
    #[schemars(flatten)]
    pub(super) layer: Layer,
}

/// One environment that an app goes to.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct TargetSettings {
    /// The environment; one part of the branch `promote/<app>/<target>`.
    pub(super) name: At<String>,
    /// Its overlay. Default: where the source overlay is, in this environment.
    pub(super) path: Option<At<RepoPath>>,
    /// Targets of this app that must run the release first, proven by a deployment.
    pub(super) after: Option<At<Vec<String>>>,
    /// Where it runs, for policy.
    pub(super) region: Option<At<String>>,
    #[schemars(flatten)]
    pub(super) layer: Layer,
}

/// What was read, mistakes included.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// What could be read.
    pub(super) settings: SettingsFile,
    /// Every mistake, in the order of the file.
    pub(super) problems: Vec<Problem>,
    /// Settings that this version does not act on yet, in the order of the file.
    pub(super) not_yet: Vec<Problem>,
    /// Whether every app and target has its name: only then can others refer to them.
    pub(super) names: Names,
}

/// Whether names can be referred to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Names {
    /// Every app and target has one.
    #[default]
    Whole,
    /// Some were not legible.
    Broken,
}

/// Reads a settings file.
///
/// # Errors
/// It is not YAML at all; every other mistake is part of the reading.
pub(super) fn read(path: &RepoPath, text: &str) -> Result<Reading> {
    let document = Document::parse(path, text.as_bytes()).map_err(not_yaml)?;
    let mut reader = Reader::new(&document);
    let mut names = Names::Whole;
    let settings = match document.roots() {
        [] => SettingsFile::default(),
        [root, more @ ..] => {
            for extra in more {
                reader.wrong(extra, "the file has a second document; settings are one");
            }
            if root.is_null() { SettingsFile::default() } else { settings(&mut reader, root, &mut names) }
        }
    };
    let (mut problems, mut not_yet) = reader.finish();
    for found in [&mut problems, &mut not_yet] {
        found.sort_by_key(|problem| problem.place.as_ref().map(|place| (place.line, place.column)));
    }
    Ok(Reading { settings, problems, not_yet, names })
}

/// The parser's words at the parser's place; its advice is for overlays.
fn not_yaml(failure: Failure) -> Failure {
    let problems = failure.into_problems().into_iter();
    let hint = || vec!["the settings are plain YAML; `promote schema` says which keys there are".to_owned()];
    let bare = problems.map(|problem| Problem { hints: hint(), ..problem }).collect();
    Failure::several(Kind::Settings, bare).unwrap_or_else(|| Failure::new(Kind::Settings, "not valid YAML"))
}

fn settings<'d>(reader: &mut Reader<'d>, root: &'d Node, names: &mut Names) -> SettingsFile {
    let Some(mut fields) = reader.fields(root, "the settings file") else {
        *names = Names::Broken;
        return SettingsFile::default();
    };
    let settings = SettingsFile {
        apps: fields.take("apps").map(|node| {
            let apps = reader.each(node, "apps", |reader, node| app(reader, node, names));
            reader.not_empty(node, "apps", "name an app, or remove the key");
            unique(reader, &apps, |app| &app.name, "app");
            apps
        }),
        from: reader.one(&mut fields, "from", values::name),
        to: reader.some(&mut fields, "to", values::name),
        trunk: reader.one(&mut fields, "trunk", values::branch),
        base: reader.one(&mut fields, "base", values::branch),
        every_app: app_layer(reader, &mut fields),
        everything: layer(reader, &mut fields),
    };
    reader.no_more(fields);
    settings
}

fn app<'d>(reader: &mut Reader<'d>, node: &'d Node, names: &mut Names) -> Option<AppSettings> {
    let Some(mut fields) = reader.fields(node, "an app") else {
        *names = Names::Broken;
        return None;
    };
    let name = reader.needed(&mut fields, "name", values::name);
    let from = reader.one(&mut fields, "from", values::name);
    let source = reader.one(&mut fields, "source", values::path);
    let targets = fields.take("targets").map(|node| {
        let targets = reader.each(node, "targets", |reader, node| target(reader, node, names));
        reader.not_empty(node, "targets", "name a target, or remove the key");
        unique(reader, &targets, |target| &target.name, "target");
        order(reader, &targets, *names);
        targets
    });
    let app_labels = fields.take("app-labels").map(|node| labels(reader, node));
    let of_app = app_layer(reader, &mut fields);
    let layer = layer(reader, &mut fields);
    reader.no_more(fields);
    if name.is_none() {
        *names = Names::Broken;
    }
    Some(AppSettings { name: name?, from, source, targets, app_labels, of_app, layer })
}

fn target<'d>(reader: &mut Reader<'d>, node: &'d Node, names: &mut Names) -> Option<TargetSettings> {
    let Some(mut fields) = reader.fields(node, "a target") else {
        *names = Names::Broken;
        return None;
    };
    let name = reader.needed(&mut fields, "name", values::name);
    let path = reader.one(&mut fields, "path", values::path);
    reader.later(&fields, "after");
    let after = reader.list(&mut fields, "after", values::name);
    let region = reader.one(&mut fields, "region", values::text);
    let layer = layer(reader, &mut fields);
    reader.no_more(fields);
    if name.is_none() {
        *names = Names::Broken;
    }
    Some(TargetSettings { name: name?, path, after, region, layer })
}

fn app_layer<'d>(reader: &mut Reader<'d>, fields: &mut Fields<'d>) -> AppLayer {
    AppLayer {
        tag_pattern: reader.one(fields, "tag-pattern", values::tag_pattern),
        files: fields.take("files").map(|node| {
            let files = files(reader, node);
            reader.not_empty(node, "files", "name a file, or remove the key");
            reader.at(node, files)
        }),
        pins: fields.take("pins").map(|node| {
            let pins = reader.each(node, "pins", pin_rule);
            reader.not_empty(node, "pins", "give it a value, or remove the key");
            reader.at(node, pins)
        }),
        carries: reader.one(fields, "carries", values::key_pattern),
        changelog: fields.take("changelog").and_then(|node| {
            let mut fields = reader.fields(node, "`changelog`")?;
            let paths = reader.list(&mut fields, "paths", values::path).map(|paths| paths.value);
            reader.no_more(fields);
            Some(reader.at(node, Changelog { paths }))
        }),
    }
}

fn layer<'d>(reader: &mut Reader<'d>, fields: &mut Fields<'d>) -> Layer {
    for key in ["rendered", "freeze", "policy-data"] {
        reader.later(fields, key);
    }
    Layer {
        evidence: fields.take("evidence").map(|node| {
            let evidence = reader.each(node, "evidence", required);
            reader.not_empty(node, "evidence", "name what makes a release successful, or remove the key");
            reader.at(node, evidence)
        }),
        evidence_at: reader.one(fields, "evidence-at", values::word),
        soak: reader.one(fields, "soak", values::duration),
        window: reader.number(fields, "window", values::window),
        prereleases: reader.boolean(fields, "prereleases"),
        add_missing: reader.boolean(fields, "add-missing"),
        require_signed_tag: reader.boolean(fields, "require-signed-tag"),
        rendered: fields.take("rendered").and_then(|node| rendered(reader, node)),
        policy: reader.list(fields, "policy", values::path),
        policy_data: reader.list(fields, "policy-data", values::path),
        policy_mode: reader.one(fields, "policy-mode", values::word),
        draft: reader.boolean(fields, "draft"),
        labels: reader.list(fields, "labels", values::label),
        reviewers: reader.list(fields, "reviewers", values::login),
        team_reviewers: reader.list(fields, "team-reviewers", values::team),
        assignees: reader.list(fields, "assignees", values::login),
        auto_merge: reader.one(fields, "auto-merge", values::word),
        merge_at_once: reader.boolean(fields, "merge-at-once"),
        freeze: fields.take("freeze").map(|node| {
            let windows = reader.each(node, "freeze", freeze);
            reader.at(node, windows)
        }),
    }
}

/// The files of the overlays, each once.
fn files<'d>(reader: &mut Reader<'d>, node: &'d Node) -> Vec<FileRule> {
    let mut seen: Vec<(FileRule, u32)> = Vec::new();
    reader.each(node, "files", |reader, node| {
        let file = file_rule(reader, node)?;
        if let Some((_, line)) = seen.iter().find(|(other, _)| other.is_place_of(&file)) {
            reader.wrong(node, &format!("`files` names one place twice; the other is on line {line}"));
            return None;
        }
        seen.push((file.clone(), node.line));
        Some(file)
    })
}

/// A file of the overlays: its path, or that with what of it is meant and what it is.
fn file_rule<'d>(reader: &mut Reader<'d>, node: &'d Node) -> Option<FileRule> {
    if reader.is_scalar(node) {
        return reader.scalar(node, "files", |text| values::file(text, None, None)).map(|at| at.value);
    }
    let mut fields = reader.fields(node, "a file")?;
    let has_part = fields.has("at");
    let at = reader.one(&mut fields, "at", values::place);
    let shape = reader.one(&mut fields, "shape", values::shape);
    let text = |at: &Option<At<String>>| at.as_ref().map(|at| at.value.clone());
    let (at, shape) = (text(&at), shape.map(|shape| shape.value));
    let file = reader.needed(&mut fields, "file", |text| values::file(text, at.as_deref(), shape));
    reader.no_more(fields);
    file.map(|file| file.value).filter(|_| at.is_some() || !has_part)
}

/// What is promoted: a pattern over keys, or that with its file and how its value is made.
fn pin_rule<'d>(reader: &mut Reader<'d>, node: &'d Node) -> Option<PinRule> {
    if reader.is_scalar(node) {
        return reader.scalar(node, "pins", |text| values::pin(text, None, None)).map(|at| at.value);
    }
    let mut fields = reader.fields(node, "a pin")?;
    let file = reader.one(&mut fields, "file", values::text).map(|file| file.value);
    let value = reader.one(&mut fields, "value", values::template).map(|value| value.value);
    let rule = reader.needed(&mut fields, "key", |text| values::pin(text, file.as_deref(), value.as_deref()));
    reader.no_more(fields);
    rule.map(|rule| rule.value)
}

/// The kinds of evidence, and the key that may stand beside each.
const KINDS: &[(&str, Option<&str>)] =
    &[("workflow", None), ("check", Some("app")), ("status", Some("creator")), ("deployment", None)];

fn required<'d>(reader: &mut Reader<'d>, node: &'d Node) -> Option<Required> {
    if node.entries().is_empty() {
        if node.as_str() == Some("any") {
            return Some(Required::Any);
        }
        let pasted = node.as_str().is_some_and(|text| values::evidence(text).is_ok());
        let hint = if pasted {
            "write it without quotes around the whole: `- workflow: staging.yml`"
        } else {
            values::EVIDENCE_FORMS
        };
        reader.wrong_as(node, "names no evidence", hint);
        return None;
    }
    let mut fields = reader.fields(node, "evidence")?;
    let mut named = Vec::new();
    for (kind, beside) in KINDS {
        let beside = beside.and_then(|key| fields.take(key).map(|node| (key, node)));
        let there = fields.has(kind);
        let name = reader.one(&mut fields, kind, values::text);
        if let (false, Some((key, node))) = (there, beside) {
            reader.wrong(node, &format!("`{key}` stands beside `{kind}` alone"));
        }
        let beside = beside.and_then(|(key, node)| reader.scalar(node, key, values::text)).map(|at| at.value);
        if there {
            named.push((*kind, name.map(|name| name.value), beside));
        }
    }
    let legible = reader.no_more(fields);
    let kind_count = named.len();
    let mut named = named.into_iter();
    match (named.next(), kind_count) {
        (Some((kind, name, beside)), 1) => Some(match kind {
            "workflow" => Required::Workflow(name?),
            "check" => Required::Check { name: name?, app: beside },
            "status" => Required::Status { context: name?, creator: beside },
            _ => Required::Deployment(name?),
        }),
        (None, _) if !legible => None,
        _ => {
            reader.wrong(node, "one item of `evidence` names one kind of evidence");
            None
        }
    }
}

fn rendered<'d>(reader: &mut Reader<'d>, node: &'d Node) -> Option<At<Rendered>> {
    let mut fields = reader.fields(node, "`rendered`")?;
    let before = reader.needed(&mut fields, "before", values::path);
    let after = reader.needed(&mut fields, "after", values::path);
    reader.no_more(fields);
    Some(reader.at(node, Rendered { before: before?.value, after: after?.value }))
}

fn freeze<'d>(reader: &mut Reader<'d>, node: &'d Node) -> Option<Freeze> {
    let mut fields = reader.fields(node, "a freeze")?;
    let from = reader.needed(&mut fields, "from", values::time);
    let until = reader.needed(&mut fields, "until", values::time);
    let reason = reader.needed(&mut fields, "reason", values::text);
    reader.no_more(fields);
    let (from, until) = (from?, until?);
    if until.value <= from.value {
        reader.wrong_at(until.place, format!("`until` is `{}`, which is not after `from`", until.value));
        return None;
    }
    Some(Freeze { from: from.value, until: until.value, reason: reason?.value })
}

fn labels<'d>(reader: &mut Reader<'d>, node: &'d Node) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let Some(fields) = reader.fields(node, "`app-labels`") else { return labels };
    for (key, node) in fields.all() {
        if let Some(text) = reader.scalar(node, key, values::text) {
            labels.insert(key.to_owned(), text.value);
        }
    }
    labels
}

/// Every name once.
fn unique<T>(reader: &mut Reader<'_>, items: &[T], name: impl Fn(&T) -> &At<String>, what: &str) {
    let mut seen: BTreeMap<&str, &At<String>> = BTreeMap::new();
    for item in items {
        let name = name(item);
        match seen.get(name.value.as_str()) {
            Some(first) => {
                let line = first.place.line.unwrap_or_default();
                let message =
                    format!("there are two {what}s named `{}`; the other is on line {line}", name.value);
                reader.wrong_at(name.place.clone(), message);
            }
            None => {
                seen.insert(&name.value, name);
            }
        }
    }
}

/// `after` names other targets of the same app, and never in a circle.
fn order(reader: &mut Reader<'_>, targets: &[TargetSettings], names: Names) {
    let known = || targets.iter().map(|target| target.name.value.as_str());
    let mut done: Vec<&str> = Vec::new();
    for target in targets {
        let Some(after) = target.after.as_ref().filter(|_| names == Names::Whole) else { continue };
        for name in after.value.iter().filter(|name| !known().any(|known| known == *name)) {
            let message = format!("`after`: there is no target {} of this app", values::shown(name));
            reader.wrong_among(after.place.clone(), message, name, known());
        }
    }
    // Whatever is free of unfinished predecessors is finished, until nothing moves.
    loop {
        let next = targets.iter().find(|target| {
            let open = |name: &String| known().any(|known| known == name) && !done.contains(&name.as_str());
            !done.contains(&target.name.value.as_str())
                && !target.after.as_ref().is_some_and(|after| after.value.iter().any(open))
        });
        match next {
            Some(target) => done.push(&target.name.value),
            None => break,
        }
    }
    let stuck = targets.iter().find(|target| !done.contains(&target.name.value.as_str()));
    if let Some(after) = stuck.and_then(|target| target.after.as_ref()) {
        reader.wrong_at(after.place.clone(), "`after`: these targets wait for each other".to_owned());
    }
}

#[cfg(test)]
mod tests;
