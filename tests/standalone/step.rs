//! The step of `standalone/action.yml`, started as the runner starts it: its `env:` with the inputs filled in, its `run:`
//! as a script for bash.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_yaml::Value;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// A runner and what the action's commit says of its release.
pub struct Runner {
    env: Vec<(String, String)>,
    folder: TempDir,
}

/// What the step said, and how it ended.
pub struct Ended {
    pub code: Option<i32>,
    pub said: String,
}

fn source_tree() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("standalone")
}

/// What the release writes for a binary.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
}

impl Runner {
    /// A runner of the source tree's action, which names no release, with these inputs.
    pub fn new(inputs: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let action: Value =
            serde_yaml::from_str(&std::fs::read_to_string(source_tree().join("action.yml")).unwrap())
                .unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let mut env = vec![
            ("PATH".to_owned(), std::env::var("PATH").unwrap()),
            ("RUNNER_OS".to_owned(), "Linux".to_owned()),
            ("RUNNER_ARCH".to_owned(), "X64".to_owned()),
            ("RUNNER_TEMP".to_owned(), path("temp")),
            ("RUNNER_TOOL_CACHE".to_owned(), path("tools")),
            ("GITHUB_ACTION_PATH".to_owned(), source_tree().display().to_string()),
            ("PROMOTE_RETRY_SECONDS".to_owned(), "0".to_owned()),
        ];
        for (name, value) in action["runs"]["steps"][0]["env"].as_mapping().unwrap() {
            let value = value.as_str().unwrap();
            let given = match value.strip_prefix("${{ inputs.").and_then(|rest| rest.strip_suffix(" }}")) {
                Some(input) => inputs.iter().find(|(name, _)| *name == input).map_or("", |(_, value)| value),
                None => value,
            };
            env.push((name.as_str().unwrap().to_owned(), given.to_owned()));
        }
        Self { env, folder }
    }

    /// One of a release whose binary for this runner has this checksum.
    pub fn of_release(mut self, address: &str, checksum: &str) -> Self {
        self.set("PROMOTE_RELEASE", address);
        self.set("PROMOTE_SHA256_X64", checksum);
        self
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.unset(name);
        self.env.push((name.to_owned(), value.to_owned()));
    }

    pub fn unset(&mut self, name: &str) {
        self.env.retain(|(other, _)| other != name);
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Every file that is left in the tool cache.
    pub fn kept(&self) -> Vec<PathBuf> {
        let Ok(releases) = std::fs::read_dir(self.folder().join("tools/promote")) else { return Vec::new() };
        releases
            .flat_map(|release| std::fs::read_dir(release.unwrap().path()).unwrap())
            .map(|file| file.unwrap().path())
            .collect()
    }

    /// Runs the step.
    pub fn runs(&self) -> Ended {
        let action: Value =
            serde_yaml::from_str(&std::fs::read_to_string(source_tree().join("action.yml")).unwrap())
                .unwrap();
        let step = &action["runs"]["steps"][0];
        assert_eq!(step["shell"].as_str(), Some("bash"));
        let script = self.folder().join("step.sh");
        std::fs::write(&script, step["run"].as_str().unwrap()).unwrap();
        let output = Command::new("bash")
            .args(["--noprofile", "--norc", "-e", "-o", "pipefail"])
            .arg(&script)
            .current_dir(self.folder())
            .env_clear()
            .envs(self.env.iter().cloned())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        Ended { code: output.status.code(), said: String::from_utf8(said).unwrap() }
    }
}

impl Ended {
    pub fn well(&self) {
        assert_eq!(self.code, Some(0), "{}", self.said);
    }

    /// It failed in the one way that it has, with an annotation that says this.
    pub fn refused(&self, words: &str) {
        assert_eq!(self.code, Some(1), "{}", self.said);
        let annotation = self.said.lines().find(|line| line.starts_with("::error title=promote::"));
        assert!(
            annotation.is_some_and(|line| line.contains(words)),
            "it did not say `{words}`: {}",
            self.said
        );
        assert!(!self.said.contains("it ran"), "{}", self.said);
    }
}
