//! What the runner says: where the server is, which repository, which run, which files to write.
//!
//! Read once, at the start. Outside Actions the same names work, so that the binary runs locally
//! exactly as it does in a job.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::failure::{Failure, Kind, Place, Problem, Result};
use crate::names::RepoSlug;

use super::addresses::Addresses;
use super::commands::Audience;

/// The environment of one run.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Every variable; inputs are read from here.
    pub variables: BTreeMap<String, String>,
    addresses: std::result::Result<Addresses, Problem>,
    /// Where the checkout is, if there is one.
    pub workspace: PathBuf,
    /// Where temporary files go.
    pub temp: PathBuf,
    /// Who started us and reads what is printed.
    pub audience: Audience,
}

impl Environment {
    /// Reads the process's environment.
    pub fn read() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self::from_variables(std::env::vars_os().filter_map(text).collect())
    }

    /// The same from a map, for tests.
    pub fn from_variables(variables: BTreeMap<String, String>) -> Self {
        let get = |name: &str| variables.get(name).filter(|value| !value.is_empty()).cloned();
        Self {
            addresses: Addresses::named(get),
            workspace: get("GITHUB_WORKSPACE").map_or_else(|| PathBuf::from("."), PathBuf::from),
            temp: get("RUNNER_TEMP").map_or_else(std::env::temp_dir, PathBuf::from),
            audience: match get("GITHUB_ACTIONS").as_deref() {
                Some("true") => Audience::Runner,
                _ => Audience::Terminal,
            },
            variables,
        }
    }

    /// Where the server is.
    ///
    /// # Errors
    /// When a variable is no address, or what is missing does not follow from the others.
    pub fn addresses(&self) -> Result<&Addresses> {
        self.addresses.as_ref().map_err(|problem| {
            let place = problem.place.clone().unwrap_or_else(|| Place::of("the server's address"));
            let failure = Failure::at(Kind::Settings, place, problem.message.clone());
            problem.hints.iter().fold(failure, Failure::hinted)
        })
    }

    /// A variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The repository the run is about.
    ///
    /// # Errors
    /// When `GITHUB_REPOSITORY` is missing or is not `owner/name`.
    pub fn repository(&self) -> Result<RepoSlug> {
        match self.get("GITHUB_REPOSITORY") {
            Some(text) => RepoSlug::parse(text),
            None => Err(Failure::new(
                Kind::Settings,
                "`GITHUB_REPOSITORY` is not set, so it is not known which repository this is about",
            )
            .hinted("run as a step of a workflow, or set `GITHUB_REPOSITORY=owner/name` and `INPUT_TOKEN`")),
        }
    }

    /// The event's name and bytes; nothing outside Actions.
    ///
    /// # Errors
    /// When the event file is named but cannot be read.
    pub fn event(&self) -> Result<Option<(String, String, Vec<u8>)>> {
        let Some(name) = self.get("GITHUB_EVENT_NAME") else { return Ok(None) };
        let Some(path) = self.get("GITHUB_EVENT_PATH") else {
            return Err(Failure::new(
                Kind::Settings,
                format!("`GITHUB_EVENT_NAME` is `{name}`, but `GITHUB_EVENT_PATH` is not set"),
            )
            .hinted("the runner sets both; outside a workflow leave both unset"));
        };
        let bytes = std::fs::read(path).map_err(|error| {
            Failure::at(Kind::Settings, Place::of(path), format!("the event file cannot be read: {error}"))
                .hinted("`GITHUB_EVENT_PATH` must name the event's JSON file, as the runner does")
                .because(error)
        })?;
        Ok(Some((name.to_owned(), path.to_owned(), bytes)))
    }

    /// The file of the workflow this run belongs to, from `owner/repo/.github/workflows/x.yml@ref`.
    pub fn workflow_path(&self) -> Option<String> {
        let reference = self.get("GITHUB_WORKFLOW_REF")?;
        let path = reference.split_once('@').map_or(reference, |(path, _)| path);
        let mut parts = path.splitn(3, '/');
        parts.nth(2).map(str::to_owned)
    }

    /// The page of this run.
    pub fn run_url(&self) -> Option<String> {
        Some(format!(
            "{}/{}/actions/runs/{}",
            self.addresses.as_ref().ok()?.server,
            self.get("GITHUB_REPOSITORY")?,
            self.get("GITHUB_RUN_ID")?
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment::from_variables(pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect())
    }

    #[test]
    fn the_workflow_is_known_by_its_file() {
        let set = environment(&[(
            "GITHUB_WORKFLOW_REF",
            "acme/gitops/.github/workflows/promote.yml@refs/heads/main",
        )]);
        assert_eq!(set.workflow_path().as_deref(), Some(".github/workflows/promote.yml"));
        assert_eq!(environment(&[]).workflow_path(), None);
    }

    #[test]
    fn an_empty_variable_is_unset() {
        assert!(environment(&[("GITHUB_REPOSITORY", "")]).repository().is_err());
    }
}
