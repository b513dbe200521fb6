//! Where a step's folders are: on the machine, and for a step that runs in a container.

use std::path::{Path, PathBuf};

use super::Step;

/// The folders of a step on the machine, and in its container if it runs in one.
#[derive(Clone, Debug)]
pub struct Paths {
    workspace: PathBuf,
    /// In the order in which the runner mounts them.
    mapped: Vec<(PathBuf, &'static str)>,
}

impl Paths {
    /// Of a step that runs on the machine itself.
    #[must_use]
    pub fn of_host(workspace: PathBuf) -> Self {
        Self { workspace, mapped: Vec::new() }
    }

    /// Of a step that runs in a container of its own (`ContainerActionHandler.cs`).
    #[must_use]
    pub fn of_container(step: &Step, workspace: PathBuf) -> Self {
        let temp = step.temp();
        let mapped = vec![
            (temp.clone(), "/github/runner_temp"),
            (temp.join(super::HOME), "/github/home"),
            (temp.join(super::WORKFLOW), "/github/workflow"),
            (temp.join(super::FILE_COMMANDS), "/github/file_commands"),
            (workspace.clone(), "/github/workspace"),
        ];
        Self { workspace, mapped }
    }

    /// What is mounted where, in order.
    #[must_use]
    pub fn mounts(&self) -> &[(PathBuf, &'static str)] {
        &self.mapped
    }

    /// A value of the environment as the container sees it: one that is a mounted folder, or a path in one, is moved.
    /// The last mount is looked at first, since some are inside others.
    #[must_use]
    pub fn to_container(&self, value: &str) -> String {
        let moved =
            self.mapped.iter().rev().find_map(|(host, inside)| moved(value, &host.to_string_lossy(), inside));
        moved.unwrap_or_else(|| value.to_owned())
    }

    /// A path of the container as the machine sees it.
    #[must_use]
    pub fn to_host(&self, path: &str) -> String {
        let moved =
            self.mapped.iter().rev().find_map(|(host, inside)| moved(path, inside, &host.to_string_lossy()));
        moved.unwrap_or_else(|| path.to_owned())
    }

    /// A file that a step names, relative to the workspace where it is in it.
    #[must_use]
    pub fn in_workspace(&self, file: &str) -> String {
        let host = self.to_host(file);
        match Path::new(&host).strip_prefix(&self.workspace) {
            Ok(relative) => relative.to_string_lossy().into_owned(),
            Err(_) => host,
        }
    }
}

fn moved(path: &str, from: &str, to: &str) -> Option<String> {
    let rest = path.strip_prefix(from)?;
    (rest.is_empty() || rest.starts_with('/')).then(|| format!("{to}{rest}"))
}
