//! A step's container, started as actions/runner starts the one of a container action.
//!
//! `ContainerActionHandler.cs` and `DockerCommandManager.cs` (`DockerRun`) say how: no user, no terminal, no input; the
//! names of variables on the command line and their values in the client's own environment. Beyond the runner's,
//! only: the machine's network, because the fake GitHub listens on the loopback interface alone, and what a test asks
//! for.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, ensure};

use super::{Paths, Step};

const SOCKET: &str = "/var/run/docker.sock";

/// A container engine that answers.
#[derive(Clone, Debug)]
pub struct Engine {
    program: String,
    is_podman: bool,
}

impl Engine {
    /// `CONTAINER_ENGINE`, else a docker that answers, else podman. `CONTAINERS_CONF` is the caller's.
    pub fn find() -> anyhow::Result<Self> {
        if let Some(program) = std::env::var("CONTAINER_ENGINE").ok().filter(|name| !name.is_empty()) {
            return Self::named(&program);
        }
        Self::named("docker").or_else(|_| Self::named("podman"))
    }

    fn named(program: &str) -> anyhow::Result<Self> {
        let said = |argument: &str| -> anyhow::Result<String> {
            let output = Command::new(program).arg(argument).stdin(Stdio::null()).output();
            let output = output.with_context(|| format!("`{program}` cannot be started"))?;
            let why = String::from_utf8_lossy(&output.stderr);
            ensure!(output.status.success(), "`{program} {argument}` does not answer: {why}");
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        };
        said("info")?;
        let is_podman = said("--version")?.to_lowercase().contains("podman");
        Ok(Self { program: program.to_owned(), is_podman })
    }

    /// A command of the engine's client, with no input.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).stdin(Stdio::null());
        command
    }

    /// What a command of the client prints.
    pub fn ask(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.command(arguments).output()?;
        let why = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{} {arguments:?}: {why}", self.program);
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }
}

/// What the container's root file system lets the step do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// As the runner starts it.
    Writable,
    /// Nothing is written outside the mounts, and there is no `/tmp`.
    ReadOnly,
}

/// A container to be started for a step.
#[derive(Clone, Debug)]
pub struct Container<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// The image.
    pub image: &'a str,
    /// Whether the root is read-only.
    pub root: Root,
    /// A program and its first arguments in the image's own entrypoint's place.
    pub entrypoint: &'a [&'a str],
    /// Further files, mounted read-only.
    pub files: &'a [(&'a Path, &'a str)],
}

impl<'a> Container<'a> {
    /// As the runner starts it.
    #[must_use]
    pub fn of(engine: &'a Engine, image: &'a str) -> Self {
        Self { engine, image, root: Root::Writable, entrypoint: &[], files: &[] }
    }

    /// The command that starts it, the container's name, and where its folders are.
    pub fn start(&self, step: &Step) -> anyhow::Result<(Command, String, Paths)> {
        let workspace = PathBuf::from(step.var("GITHUB_WORKSPACE").context("a step has a workspace")?);
        let paths = Paths::of_container(step, workspace.clone());
        let name = self.name();
        let mut command = self.engine.command(&["run", "--name", &name, "--label", "6a1c2f"]);
        command.args(["--workdir", "/github/workspace", "--rm"]);
        let always = ["GITHUB_ACTIONS", "CI"];
        for (variable, value) in step.env.iter().filter(|(name, _)| !always.contains(&name.as_str())) {
            command.args(["-e", variable]).env(variable, paths.to_container(value));
        }
        for variable in always {
            command.arg("-e").arg(format!("{variable}=true"));
        }
        if let Some(program) = self.entrypoint.first() {
            command.args(["--entrypoint", program]);
        }
        command.args(["--network", "host"]);
        if self.root == Root::ReadOnly {
            command.arg("--read-only");
            // podman would mount a writable /tmp, /run and /var/tmp over it.
            command.args(self.engine.is_podman.then_some("--read-only-tmpfs=false"));
        }
        if Path::new(SOCKET).exists() {
            command.args(["-v", &format!("{SOCKET}:{SOCKET}")]);
        }
        for (host, inside) in paths.mounts() {
            command.arg("-v").arg(format!("{}:{inside}", host.display()));
        }
        for (host, inside) in self.files {
            command.arg("-v").arg(format!("{}:{inside}:ro", host.display()));
        }
        command.arg(self.image).args(self.entrypoint.iter().skip(1));
        command.current_dir(workspace);
        Ok((command, name, paths))
    }

    /// The image's name without what a container's may not have, and six digits of its own.
    fn name(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let plain = self.image.chars().filter(|c| c.is_ascii_alphabetic() || *c == '_').collect::<String>();
        let number = std::process::id().wrapping_mul(64).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        format!("{plain}_{:06x}", number & 0x00ff_ffff)
    }
}

#[cfg(test)]
mod tests {
    use super::{Container, Engine, Root};
    use crate::runner::{Launch, step};

    #[test]
    fn a_container_is_started_as_the_runner_starts_it() -> anyhow::Result<()> {
        let github = crate::FakeGitHub::start(&crate::Options::default())?;
        let repo = github.create_repo("acme/gitops")?;
        let inputs =
            [("token", "ghs_secret"), ("dry-run", ""), ("path", "/w/a b/file"), ("other", "/w/a bc")];
        let payload = serde_json::Value::Null;
        let workspace = std::path::Path::new("/w/a b");
        let launch = Launch { event: "schedule", payload: &payload, workspace, inputs: &inputs, run_id: 1 };
        let step = step(&repo, &launch)?;
        let engine = Engine { program: "docker".to_owned(), is_podman: false };
        let container = Container { root: Root::ReadOnly, ..Container::of(&engine, "localhost/promote:9") };
        let (command, name, _) = container.start(&step)?;

        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
        let all = arguments.join(" ");
        assert!(name.starts_with("localhostpromote_") && name.len() == 23, "{name}");
        assert!(
            all.starts_with(&format!(
                "run --name {name} --label 6a1c2f --workdir /github/workspace --rm -e "
            ))
        );
        let temp = step.temp().display().to_string();
        let end = format!(
            "-e GITHUB_ACTIONS=true -e CI=true --network host --read-only \
             -v {temp}:/github/runner_temp -v {temp}/_github_home:/github/home \
             -v {temp}/_github_workflow:/github/workflow -v {temp}/_runner_file_commands:/github/file_commands \
             -v /w/a b:/github/workspace localhost/promote:9"
        );
        assert!(all.replace("-v /var/run/docker.sock:/var/run/docker.sock ", "").ends_with(&end), "{all}");
        assert!(!all.contains("ghs_secret") && !all.contains("--user") && !all.contains("-t "), "{all}");

        for (variable, value) in [
            ("INPUT_TOKEN", "ghs_secret"),
            ("INPUT_DRY-RUN", ""),
            ("INPUT_PATH", "/github/workspace/file"),
            ("INPUT_OTHER", "/w/a bc"),
            ("HOME", "/github/home"),
            ("RUNNER_TEMP", "/github/runner_temp"),
            ("GITHUB_WORKSPACE", "/github/workspace"),
            ("GITHUB_EVENT_PATH", "/github/workflow/event.json"),
            ("GITHUB_OUTPUT", "/github/file_commands/set_output_6f0a"),
        ] {
            assert!(
                arguments.windows(2).any(|pair| pair == ["-e", variable]),
                "{variable} is not named: {all}"
            );
            let found = command.get_envs().find(|(name, _)| *name == variable).and_then(|(_, value)| value);
            assert_eq!(found, Some(value.as_ref()), "{variable}");
        }
        Ok(())
    }
}
