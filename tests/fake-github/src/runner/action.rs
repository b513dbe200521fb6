//! What `action.yml` declares, as the runner merges it with a step's `with:`.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

/// A container action.
#[derive(Clone, Debug)]
pub struct Action {
    /// Its inputs with their defaults, in the file's order.
    pub inputs: Vec<(String, String)>,
    /// The names of its outputs.
    pub outputs: Vec<String>,
    /// `Dockerfile`, or `docker://` and an image.
    pub image: String,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    inputs: serde_yaml::Mapping,
    #[serde(default)]
    outputs: serde_yaml::Mapping,
    runs: Runs,
}

/// Other keys would change how the container is started, which is for [`super::Container`] to learn first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Runs {
    using: String,
    image: String,
}

impl Action {
    /// Reads an `action.yml`.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{}", path.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let file: File = serde_yaml::from_str(text)?;
        ensure!(file.runs.using == "docker", "`{}` is no container action", file.runs.using);
        let name = |name: &serde_yaml::Value| name.as_str().context("a name is text").map(str::to_owned);
        let mut inputs = Vec::new();
        for (input, about) in &file.inputs {
            let default = match about.get("default") {
                None | Some(serde_yaml::Value::Null) => String::new(),
                Some(serde_yaml::Value::String(text)) => text.clone(),
                Some(serde_yaml::Value::Bool(value)) => value.to_string(),
                Some(serde_yaml::Value::Number(value)) => value.to_string(),
                Some(_) => bail!("the default of an input is one value"),
            };
            inputs.push((name(input)?, default));
        }
        let outputs = file.outputs.keys().map(name).collect::<anyhow::Result<_>>()?;
        Ok(Self { inputs, outputs, image: file.runs.image })
    }

    /// What a step is given: every declared input, by what is given or else its default. Names are compared without
    /// case. The runner warns of an input that is not declared; here it is an error, since only a mistake gives one.
    pub fn with(&self, given: &[(&str, &str)], token: &str) -> anyhow::Result<Vec<(String, String)>> {
        for (name, _) in given {
            let declared = self.inputs.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
            ensure!(declared, "Unexpected input(s) '{name}'");
        }
        let value = |name: &str, default: &str| -> anyhow::Result<String> {
            if let Some((_, value)) = given.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
                return Ok((*value).to_owned());
            }
            let Some(inner) = default.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}")) else {
                ensure!(!default.contains("${{"), "only a whole expression is known, not `{default}`");
                return Ok(default.to_owned());
            };
            ensure!(inner.trim() == "github.token", "only `github.token` is known, not `{default}`");
            Ok(token.to_owned())
        };
        self.inputs.iter().map(|(name, default)| Ok((name.clone(), value(name, default)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Action;

    #[test]
    fn every_declared_input_is_given_by_the_step_or_by_its_default() {
        let text = "
inputs:
  token: { default: '${{ github.token }}' }
  dry-run: { description: x }
  times: { default: 3 }
outputs: { tag: {} }
runs: { using: docker, image: Dockerfile }
";
        let Ok(action) = Action::parse(text) else { unreachable!("it is an action") };
        let of = |given: &[(&str, &str)]| {
            let all = action.with(given, "ghs_1").map_err(|error| error.to_string())?;
            Ok(all.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(of(&[]), Ok("token=ghs_1 dry-run= times=3".to_owned()));
        assert_eq!(of(&[("Dry-Run", "true"), ("token", "")]), Ok("token= dry-run=true times=3".to_owned()));
        assert_eq!(of(&[("dryrun", "")]), Err("Unexpected input(s) 'dryrun'".to_owned()));
        let with_arguments = text.replace("image: Dockerfile", "image: Dockerfile, args: [a]");
        assert!(Action::parse(&with_arguments).is_err());
    }
}
