//! From what was asked, what the file says and which overlays there are, to one [`Request`].
//!
//! One line per setting says who wins: an input, the target, its app, the top of the file, the
//! default. Every mistake that can be found is reported at once. Nothing is chosen in silence: a
//! name that fits nothing, or an overlay that is not there, stops the run with what was looked for.

use std::collections::BTreeSet;

use super::apps::{App, overlay, rooted_folder};
use super::asked::Asked;
use super::file::{self, Names, Reading, TargetSettings};
use super::layer::At;
use super::layers::Layers;
use super::layout::{Layout, Presence};
use super::reader::not_yet;
use super::request::{
    DEFAULT_TAG_PATTERN, DEFAULT_WINDOW, Environment, EvidenceAt, Promotion, Request, Requirement, TagPattern,
};
use super::values::{among, quoted, shown};
use crate::failure::{Failure, Kind, Place, Problem, Result};
use crate::names::{BranchName, RepoPath};
use crate::overlay::{FileRule, NamedFile, PinRules};

/// Resolves a request.
///
/// `file` is the settings file's path and text at the base commit, `layout` what stands there, and
/// `repository` the repository's own name, after which a single app is called.
///
/// # Errors
/// Every mistake of inputs and file, together.
pub fn resolve(
    asked: &Asked,
    file: Option<(&RepoPath, &str)>,
    layout: &Layout,
    repository: &str,
) -> Result<Request> {
    let mut problems = asked.problems.clone();
    let mut names = Names::Whole;
    let reading = match file.map(|(path, text)| file::read(path, text)) {
        None => Reading::default(),
        Some(Ok(reading)) => reading,
        Some(Err(failure)) => {
            problems.extend(failure.into_problems());
            names = Names::Broken;
            Reading::default()
        }
    };
    if let (None, Some(named)) = (file, &asked.config_named) {
        let branch = asked.base().map_or("the default branch".to_owned(), |base| format!("`{base}`"));
        let message = format!("there is no file `{}` on {branch}", named.value);
        problems.push(problem(Some(named.place.clone()), message, "commit it there, or leave `config` out"));
    }
    problems.extend(reading.problems.iter().cloned());
    let mut resolving = Resolving { asked, reading: &reading, layout, repository, problems };
    let (trunk, base) = resolving.branches();
    let promotions = match (names, reading.names) {
        (Names::Whole, Names::Whole) => resolving.promotions(),
        // Without every name, what refers to one cannot be judged.
        _ => Vec::new(),
    };
    if let Some(failure) = Failure::several(Kind::Settings, resolving.problems) {
        return Err(failure);
    }
    let everything = asked.everywhere();
    let mut whole =
        Resolving { asked: &everything, reading: &reading, layout, repository, problems: Vec::new() };
    let everywhere = whole.promotions();
    let top = Layers { asked, of_app: Vec::new(), inner: vec![&reading.settings.everything] };
    let alone = |promotion: &Promotion| {
        promotion.pull_request.merge_at_once && promotion.pull_request.auto_merge.is_none()
    };
    let alone = promotions.iter().any(alone).then(|| {
        let message = "`merge-at-once` does nothing without `auto-merge`".to_owned();
        problem(None, message, "name the way to merge too: `auto-merge: squash`")
    });
    let warnings = asked.warnings.iter().cloned().chain(alone).collect();
    Ok(Request {
        command: asked.command,
        dry_run: asked.dry_run,
        reason: asked.reason.clone(),
        tag: asked.tag.clone(),
        promotions,
        everywhere,
        policy: top.policy(),
        pull_request: top.pull_request(),
        freeze: top.freeze(),
        trunk,
        base,
        warnings,
        not_yet: asked_for_later(asked).chain(reading.not_yet).collect(),
    })
}

/// Inputs that this version does not act on yet.
fn asked_for_later(asked: &Asked) -> impl Iterator<Item = Problem> {
    let data = asked.everything.policy_data.as_ref();
    data.map(|data| not_yet("policy-data", data.place.clone())).into_iter()
}

/// A resolution on its way, and what is wrong so far.
pub(super) struct Resolving<'a> {
    pub(super) asked: &'a Asked,
    pub(super) reading: &'a Reading,
    pub(super) layout: &'a Layout,
    pub(super) repository: &'a str,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Resolving<'a> {
    /// Trunk and base: an input, the file, the default.
    fn branches(&mut self) -> (Option<BranchName>, Option<BranchName>) {
        let settings = &self.reading.settings;
        let trunk = self.asked.trunk.clone().or_else(|| settings.trunk.as_ref().map(|at| at.value.clone()));
        let named = settings.base.as_ref().filter(|_| self.asked.base.is_none());
        if let (Some(settled), Some(named)) = (&self.asked.settled, named)
            && named.value != *settled
        {
            let message = format!(
                "the settings on `{settled}` name the base `{}`, but those that led there name `{settled}`",
                named.value
            );
            let hint = "let `base` be the same on both branches, or give it as an input";
            self.problems.push(problem(Some(named.place.clone()), message, hint));
        }
        let base = self.asked.base.clone().or_else(|| self.asked.settled.clone());
        (trunk.clone(), base.or_else(|| named.map(|at| at.value.clone())).or(trunk))
    }

    fn promotions(&mut self) -> Vec<Promotion> {
        let apps = self.selected();
        self.check_targets(&apps);
        let mut promotions = Vec::new();
        for app in &apps {
            for (name, settings) in self.targets(app) {
                promotions.extend(self.promotion(app, &name, settings));
            }
        }
        promotions
    }

    /// The environments asked for, by an input or the file.
    fn to(&self) -> Option<&'a At<Vec<String>>> {
        self.asked.to.as_ref().or(self.reading.settings.to.as_ref())
    }

    /// The targets of an app: those it names, as far as they are asked for; else what is asked for, else `prod`.
    fn targets(&self, app: &App<'a>) -> Vec<(String, Option<&'a TargetSettings>)> {
        let to = self.to();
        let Some(own) = app.settings.and_then(|settings| settings.targets.as_ref()) else {
            let names = to.map_or_else(|| vec!["prod".to_owned()], |to| to.value.clone());
            return names.into_iter().map(|name| (name, None)).collect();
        };
        own.iter()
            .filter(|target| to.is_none_or(|to| to.value.contains(&target.name.value)))
            .map(|target| (target.name.value.clone(), Some(target)))
            .collect()
    }

    /// Whatever `to` names must be a target of an app, and an app asked for by name must have one of them.
    fn check_targets(&mut self, apps: &[App<'a>]) {
        let Some(to) = self.to() else { return };
        let own = |app: &App<'a>| -> Option<Vec<&'a str>> {
            let targets = app.settings?.targets.as_ref()?;
            Some(targets.iter().map(|target| target.name.value.as_str()).collect())
        };
        let known: BTreeSet<&str> = apps.iter().filter_map(own).flatten().collect();
        // An app that names no targets goes wherever `to` says, if its overlay is there.
        let closed = !apps.is_empty() && apps.iter().all(|app| own(app).is_some());
        let whose = match apps {
            [app] => format!("of `{}`", app.name),
            _ => "of any app".to_owned(),
        };
        let unknown: Vec<&String> =
            to.value.iter().filter(|name| closed && !known.contains(name.as_str())).collect();
        for name in &unknown {
            let hint = among("targets", name, known.iter().copied());
            let message = format!("{} is no target {whose}", shown(name));
            self.problems.push(problem(Some(to.place.clone()), message, hint));
        }
        let by_name = self.asked.apps.is_some() && unknown.is_empty();
        let without: Vec<&App<'a>> =
            apps.iter().filter(|app| by_name && self.targets(app).is_empty()).collect();
        for app in without {
            let to_names = quoted(to.value.iter().map(String::as_str));
            let hint = format!("its targets: {}", quoted(own(app).unwrap_or_default().into_iter()));
            let message = format!("`{}` does not go to {to_names}", app.name);
            self.problems.push(problem(Some(to.place.clone()), message, hint));
        }
    }

    fn promotion(
        &mut self,
        app: &App<'a>,
        target: &str,
        named: Option<&'a TargetSettings>,
    ) -> Option<Promotion> {
        let path = self.target_path(app, target, named)?;
        let settings = &self.reading.settings;
        let of_app = [app.settings.map(|app| &app.of_app), Some(&settings.every_app)];
        let inner = [
            named.map(|target| &target.layer),
            app.settings.map(|app| &app.layer),
            Some(&settings.everything),
        ];
        let layers = Layers {
            asked: self.asked,
            of_app: of_app.into_iter().flatten().collect(),
            inner: inner.into_iter().flatten().collect(),
        };
        let files = self.files_of(app.settings);
        let environment = |name: &str, path: &RepoPath, region: Option<String>| {
            let files = named_files(&files, path, name, &app.name)?;
            Some(Environment { name: name.to_owned(), path: path.clone(), region, files })
        };
        let region = named.and_then(|target| target.region.as_ref()).map(|region| region.value.clone());
        let source = environment(&app.from, &app.source, None)?;
        let target_environment = environment(target, &path, region)?;
        if source.files == target_environment.files {
            self.refuse_itself(app, target, named);
            return None;
        }
        let in_both =
            source.files.iter().find(|file| target_environment.files.iter().any(|other| other.meets(file)));
        if let Some(file) = in_both {
            self.refuse_shared(app, file, target);
            return None;
        }
        Some(Promotion {
            app: app.name.clone(),
            app_labels: app.settings.and_then(|app| app.app_labels.clone()).unwrap_or_default(),
            source,
            target: target_environment,
            tag_pattern: match layers.pick_of_app(|layer| layer.tag_pattern.as_ref()) {
                Some(pattern) => pattern,
                None => TagPattern::parse(DEFAULT_TAG_PATTERN).ok()?,
            },
            pins: PinRules::new(layers.pick_of_app(|layer| layer.pins.as_ref()).unwrap_or_default()),
            carries: layers.pick_of_app(|layer| layer.carries.as_ref()),
            changelog_paths: layers
                .pick_of_app(|layer| layer.changelog.as_ref())
                .and_then(|changelog| changelog.paths)
                .unwrap_or_default(),
            evidence: layers
                .pick(|layer| layer.evidence.as_ref())
                .map_or(Requirement::Default, Requirement::All),
            evidence_at: layers.pick(|layer| layer.evidence_at.as_ref()).unwrap_or(EvidenceAt::Tag),
            soak: layers.pick(|layer| layer.soak.as_ref()).filter(|soak| !soak.is_zero()),
            window: layers.pick(|layer| layer.window.as_ref()).unwrap_or(DEFAULT_WINDOW),
            prereleases: layers.pick(|layer| layer.prereleases.as_ref()).unwrap_or_default(),
            add_missing: layers.pick(|layer| layer.add_missing.as_ref()).unwrap_or_default(),
            require_signed_tag: layers.pick(|layer| layer.require_signed_tag.as_ref()).unwrap_or_default(),
            after: named.and_then(|target| target.after.clone()).map(|after| after.value).unwrap_or_default(),
            rendered: layers.pick(|layer| layer.rendered.as_ref()),
            policy: layers.policy(),
            pull_request: layers.pull_request(),
            freeze: layers.freeze(),
        })
    }

    /// Source and target are the same files.
    fn refuse_itself(&mut self, app: &App<'a>, target: &str, named: Option<&TargetSettings>) {
        let place = named
            .and_then(|target| target.path.as_ref())
            .map(|path| path.place.clone())
            .or_else(|| named.map(|target| target.name.place.clone()))
            .or_else(|| self.to().map(|to| to.place.clone()))
            .or_else(|| app.place.clone());
        let message = format!("`{}` would be promoted from `{}` to itself", app.name, app.source);
        let mut same = problem(place, message, "`from` and `to` are two environments, with a folder each");
        if app.from != target {
            same.hints.push("or with files of their own: `files: ['values-{environment}.yaml']`".to_owned());
        }
        self.problems.push(same);
    }

    /// A file of both would be set back to what it was at the release.
    fn refuse_shared(&mut self, app: &App<'a>, file: &NamedFile, target: &str) {
        let own = app.settings.and_then(|app| app.of_app.files.as_ref());
        let files = own.or(self.reading.settings.every_app.files.as_ref());
        let place = files.map(|files| files.place.clone()).or_else(|| app.place.clone());
        let message = format!("`{}` is in the overlays of both `{}` and `{target}`", file.path, app.from);
        let hint = "leave it out of `files`, or give each environment its own: `values-{environment}.yaml`, or a part \
                    of one file by `at: 'environments.{environment}'`";
        self.problems.push(problem(place, message, hint));
    }

    /// The target's overlay: as named, else where the source's is, in the other environment.
    fn target_path(
        &mut self,
        app: &App<'a>,
        target: &str,
        named: Option<&TargetSettings>,
    ) -> Option<RepoPath> {
        let named_path = named.and_then(|target| target.path.as_ref());
        let place = named_path
            .map(|path| path.place.clone())
            .or_else(|| named.map(|target| target.name.place.clone()))
            .or_else(|| self.to().map(|to| to.place.clone()))
            .or_else(|| app.place.clone());
        let files = self.files_of(app.settings);
        let path = match (named_path, &app.rest) {
            (Some(path), _) => path.value.clone(),
            (None, Some(rest)) => overlay(target, Some(rest).filter(|rest| !rest.is_empty()))?,
            // Files that are named for each environment may stand in one folder.
            (None, None) if files.iter().all(FileRule::is_rooted) && !files.is_empty() => {
                rooted_folder(&files, target, &app.name)?
            }
            (None, None) if files.iter().any(FileRule::names_environment) => app.source.clone(),
            (None, None) => {
                let message = format!("the overlay of `{}` in `{target}` is not named", app.name);
                let hint = format!("name its folder: `targets: [{{name: {target}, path: PATH}}]`");
                self.problems.push(problem(place, message, hint));
                return None;
            }
        };
        let is_there = if files.is_empty() {
            self.layout.presence(&path) != Presence::Missing
        } else {
            self.layout.has_any(&named_files(&files, &path, target, &app.name)?)
        };
        if !is_there {
            let message = format!("`{}` has an overlay in `{}`, but none in `{path}`", app.name, app.source);
            let hint = format!(
                "add its overlay for `{target}`, or say where it is: `targets: [{{name: {target}, path: PATH}}]`"
            );
            let mut missing = problem(place, message, hint);
            missing.hints.extend(self.environments());
            self.problems.push(missing);
            return None;
        }
        Some(path)
    }
}

/// The files of one environment's overlay: as they are named, else the usual ones.
fn named_files(
    rules: &[FileRule],
    folder: &RepoPath,
    environment: &str,
    app: &str,
) -> Option<Vec<NamedFile>> {
    if rules.is_empty() {
        return Some(NamedFile::usual(folder));
    }
    // That they can be named was found when they were read.
    rules.iter().map(|rule| rule.named(folder, environment, app).ok()).collect()
}

/// A problem with its hint.
pub(super) fn problem(place: Option<Place>, message: String, hint: impl Into<String>) -> Problem {
    Problem { place, message, hints: vec![hint.into()] }
}

#[cfg(test)]
mod tests;
