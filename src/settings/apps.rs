//! Which apps there are, and where each has its source overlay: as the file names them, or as the
//! layout shows them.

use std::collections::BTreeSet;

use super::file::AppSettings;
use super::layout::{ENVIRONMENTS, Presence};
use super::resolve::{Resolving, problem};
use super::values::{self, among, quoted, shown};
use crate::failure::{Place, Problem};
use crate::names::RepoPath;
use crate::overlay::FileRule;

/// One app before its targets are known.
pub(super) struct App<'a> {
    pub(super) name: String,
    pub(super) place: Option<Place>,
    pub(super) settings: Option<&'a AppSettings>,
    pub(super) from: String,
    pub(super) source: RepoPath,
    /// What follows the environment in the source's path, where it follows the layout.
    pub(super) rest: Option<String>,
}

impl<'a> Resolving<'a> {
    /// The apps that are asked for; all of them where none is named.
    pub(super) fn selected(&mut self) -> Vec<App<'a>> {
        let apps = match &self.reading.settings.apps {
            Some(apps) => apps.iter().filter_map(|app| self.named(app, apps.len())).collect(),
            None => self.discovered(),
        };
        let Some(asked) = &self.asked.apps else { return apps };
        // An app whose overlay is missing is a name all the same.
        let listed = self.reading.settings.apps.iter().flatten().map(|app| app.name.value.as_str());
        let known: BTreeSet<&str> = apps.iter().map(|app| app.name.as_str()).chain(listed).collect();
        for name in asked.value.iter().filter(|name| !known.is_empty() && !known.contains(name.as_str())) {
            let hint = among("apps", name, known.iter().copied());
            let message = format!("there is no app {}", shown(name));
            self.problems.push(problem(Some(asked.place.clone()), message, hint));
        }
        apps.into_iter().filter(|app| asked.value.contains(&app.name)).collect()
    }

    /// An app of the file, with its source overlay.
    fn named(&mut self, settings: &'a AppSettings, apps: usize) -> Option<App<'a>> {
        // Its overlay matters only where it is asked for.
        let name = &settings.name.value;
        if self.asked.apps.as_ref().is_some_and(|asked| !asked.value.contains(name)) {
            return None;
        }
        let own = settings.from.as_ref().map_or_else(|| self.usual_source(), |at| at.value.clone());
        let from = self.asked.from.as_ref().map_or_else(|| own.clone(), |at| at.value.clone());
        if let (Some(asked), Some(source)) = (&self.asked.from, &settings.source)
            && asked.value != own
        {
            let message = format!(
                "`{name}` comes from `{own}`, by its `source` `{}`, and not from `{from}`",
                source.value
            );
            let hint = "leave `from` out, or leave out the app's `source`";
            self.problems.push(problem(Some(asked.place.clone()), message, hint));
            return None;
        }
        let (source, rest) = match &settings.source {
            Some(source) => {
                if self.layout.presence(&source.value) == Presence::Missing {
                    let message = format!("`source` of `{name}`: there is nothing in `{}`", source.value);
                    let hint = "name the folder of its overlay in the source environment";
                    self.problems.push(problem(Some(source.place.clone()), message, hint));
                    return None;
                }
                (source.value.clone(), rest(&source.value, &from))
            }
            None => self.default_source(settings, &from, apps)?,
        };
        Some(App {
            name: name.clone(),
            place: Some(settings.name.place.clone()),
            settings: Some(settings),
            from,
            source,
            rest,
        })
    }

    /// `environments/<from>/<name>`, or `environments/<from>` for the only app.
    fn default_source(
        &mut self,
        settings: &AppSettings,
        from: &str,
        apps: usize,
    ) -> Option<(RepoPath, Option<String>)> {
        let name = &settings.name.value;
        let own = overlay(from, Some(name)).filter(|own| self.layout.presence(own) == Presence::There);
        if let Some(own) = own {
            return Some((own, Some(name.clone())));
        }
        let files = self.files_of(Some(settings));
        if let Some(folder) = rooted_folder(&files, from, name) {
            return Some((folder, None));
        }
        let shared =
            overlay(from, None).filter(|shared| apps == 1 && self.is_overlay(shared, &files, from, name));
        if let Some(shared) = shared {
            return Some((shared, Some(String::new())));
        }
        let message = format!("`{name}` has no overlay in `{ENVIRONMENTS}/{from}/{name}`");
        let hint = "name its folder: `source: PATH`";
        self.problems.push(problem(Some(settings.name.place.clone()), message, hint));
        None
    }

    /// The apps of the layout that needs no settings.
    fn discovered(&mut self) -> Vec<App<'a>> {
        let from = self.asked.from.as_ref().map_or_else(|| self.usual_source(), |at| at.value.clone());
        let Some(folder) = overlay(&from, None) else { return Vec::new() };
        let app = |name: &str, source: RepoPath, rest: &str| App {
            name: name.to_owned(),
            place: None,
            settings: None,
            from: from.clone(),
            source,
            rest: Some(rest.to_owned()),
        };
        let files = self.files_of(None);
        let only = after(self.repository);
        let rooted = only.as_ref().ok().and_then(|name| rooted_folder(&files, &from, name));
        let of_all = only.as_ref().is_ok_and(|name| self.is_overlay(&folder, &files, &from, name));
        if rooted.is_some() || of_all || (only.is_err() && self.layout.is_overlay(&folder)) {
            return match only {
                Ok(name) => match rooted {
                    Some(folder) => vec![App { rest: None, ..app(&name, folder, "") }],
                    None => vec![app(&name, folder, "")],
                },
                Err(wrong) => {
                    let hint = "name the app in `.github/promote.yaml`: `apps: [{name: NAME}]`";
                    self.problems.push(problem(None, wrong.message, hint));
                    Vec::new()
                }
            };
        }
        let mut apps = Vec::new();
        let before = self.problems.len();
        for name in self.layout.folders_below(&folder) {
            let own = folder.join(name).ok();
            if !own.is_some_and(|own| self.is_overlay(&own, &files, &from, name)) {
                continue;
            }
            if let (Ok(name), Ok(source)) = (values::name(name), folder.join(name)) {
                apps.push(app(&name, source, &name));
                continue;
            }
            let message = format!("the folder {} of `{folder}` cannot be the name of an app", shown(name));
            let hint =
                "rename it, or name the apps in `.github/promote.yaml`: `apps: [{name: NAME, source: PATH}]`";
            self.problems.push(problem(None, message, hint));
        }
        if apps.is_empty() && self.problems.len() == before {
            self.no_overlay(&folder);
        }
        apps
    }

    fn no_overlay(&mut self, folder: &RepoPath) {
        let message = format!(
            "there is no overlay in `{folder}`: looked for `values.yaml` and `kustomization.yaml` there and in the \
             folders below it"
        );
        let from = self.asked.from.as_ref().or(self.reading.settings.from.as_ref());
        let name = after(self.repository).unwrap_or_else(|_| "NAME".to_owned());
        let mut hints: Vec<String> = self.environments().into_iter().collect();
        hints.push(format!(
            "say where the overlays are, in `.github/promote.yaml`: `apps: [{{name: {name}, source: PATH, targets: \
             [{{name: prod, path: PATH}}]}}]`"
        ));
        self.problems.push(Problem { place: from.map(|from| from.place.clone()), message, hints });
    }

    /// The files of an app's overlays, as they are named for it or for all.
    pub(super) fn files_of(&self, app: Option<&AppSettings>) -> Vec<FileRule> {
        let own = app.and_then(|app| app.of_app.files.as_ref());
        let named = own.or(self.reading.settings.every_app.files.as_ref());
        named.map(|files| files.value.clone()).unwrap_or_default()
    }

    /// Whether a folder is an overlay: it has one of the files that are named or, without these, of the usual ones.
    fn is_overlay(&self, folder: &RepoPath, files: &[FileRule], environment: &str, app: &str) -> bool {
        if files.is_empty() {
            return self.layout.is_overlay(folder);
        }
        let named = files.iter().filter_map(|rule| rule.named(folder, environment, app).ok());
        let in_folder: Vec<_> = named.filter(|named| folder.contains(&named.path)).collect();
        self.layout.has_any(&in_folder)
    }

    /// The environments of the layout that needs no settings, as a hint.
    pub(super) fn environments(&self) -> Option<String> {
        let folder = RepoPath::parse(ENVIRONMENTS).ok()?;
        let there = self.layout.folders_below(&folder);
        (!there.is_empty()).then(|| format!("the environments there are: {}", quoted(there.into_iter())))
    }

    /// The environment that releases come from, by the file or by default.
    fn usual_source(&self) -> String {
        self.reading.settings.from.as_ref().map_or_else(|| "staging".to_owned(), |from| from.value.clone())
    }
}

/// The repository's name, or what of it a branch can have: `.gitops` is `gitops`, `x.lock` is `x-lock`.
fn after(repository: &str) -> values::Parsed<String> {
    let fit = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let legal = |text: &str| {
        let dashed: String = text.replace("..", "-").chars().map(fit).collect();
        let name = dashed.trim_start_matches(['.', '-']);
        match name.rsplit_once('.') {
            Some((stem, end)) if end.eq_ignore_ascii_case("lock") => format!("{stem}-{end}"),
            _ => name.to_owned(),
        }
    };
    values::name(repository).or_else(|wrong| values::name(&legal(repository)).map_err(|_| wrong))
}

/// `environments/<environment>`, or the app's folder in it.
pub(super) fn overlay(environment: &str, app: Option<&String>) -> Option<RepoPath> {
    let folder = RepoPath::parse(&format!("{ENVIRONMENTS}/{environment}")).ok()?;
    match app {
        Some(app) => folder.join(app).ok(),
        None => Some(folder),
    }
}

/// Where the first file stands, when all are named from the repository's root: there is no folder to name.
pub(super) fn rooted_folder(files: &[FileRule], environment: &str, app: &str) -> Option<RepoPath> {
    let first = files.first().filter(|_| files.iter().all(FileRule::is_rooted))?;
    let path = first.named(&RepoPath::parse("").ok()?, environment, app).ok()?.path;
    RepoPath::parse(path.as_str().rsplit_once('/').map_or("", |(folder, _)| folder)).ok()
}

/// What follows `environments/<from>` in a path that follows the layout.
fn rest(source: &RepoPath, from: &str) -> Option<String> {
    let folder = format!("{ENVIRONMENTS}/{from}");
    let rest = source.as_str().strip_prefix(&folder)?;
    if rest.is_empty() { Some(String::new()) } else { rest.strip_prefix('/').map(str::to_owned) }
}
