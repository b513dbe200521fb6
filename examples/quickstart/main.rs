//! The quickstart: a promotion from end to end on an embedded GitHub, as a runner would start it.
//!
//! `cargo run --example quickstart` keeps the pages open until Ctrl-C; with `-- --once` it ends by itself.
//! It makes the sample repository, starts the real binary with a runner's environment, event and
//! files, and shows what happened. Nothing leaves this machine.

#![allow(clippy::print_stdout, reason = "an example talks to the person who runs it")]

mod sample;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use fake_github::runner::{Launch, step};
use fake_github::{FakeGitHub, Options, Token};
use jiff::Timestamp;

const TOKEN: &str = "ghs_quickstart";

fn main() -> Result<()> {
    let once = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--once") => true,
        Some(other) => bail!("`{other}` is not known: run it with `--once`, or with nothing"),
    };
    let promote = built()?;
    let github = FakeGitHub::start(&Options::default())?;
    github.add_token(Token::actions(TOKEN));
    let sample = sample::create(&github, Timestamp::now())?;
    println!("A GitHub with the sample repository runs at {}\n", sample.repo.url());

    let workspace = tempfile::tempdir()?;
    checkout(&sample.repo.url(), workspace.path())?;
    let payload = sample.repo.event_workflow_run(sample.staging_run)?;
    let launch = Launch {
        event: "workflow_run",
        payload: &payload,
        workspace: workspace.path(),
        inputs: &[("token", TOKEN)],
        run_id: sample.promote_run,
    };
    let step = step(&sample.repo, &launch)?;
    println!("The staging pipeline of fraud-agent/v1.8.0 has just succeeded. The runner starts `promote`:\n");
    let status = Command::new(promote)
        .current_dir(workspace.path())
        .env_clear()
        .envs(step.env.iter().cloned())
        .status()?;
    sample.repo.set_job_summary(sample.promote_run, &step.summary()?)?;
    sample.repo.set_run(
        sample.promote_run,
        "completed",
        Some(if status.success() { "success" } else { "failure" }),
    )?;
    ensure!(status.success(), "promote ended with {status}");

    let output = |name: &str| anyhow::Ok(step.output(name)?.unwrap_or_default());
    let number: u64 = output("pull-request-number")?.parse().context("no pull request was opened")?;
    let url = output("pull-request-url")?;
    let pull = sample.repo.pull(number)?;
    println!("\n{} {} → {}\n", output("outcome")?, output("previous-tag")?, output("tag")?);
    println!("--- the commit ---\n{}", diff(&sample.repo.git_dir()?, &output("head-sha")?)?);
    println!("--- the pull request: {} ---\n{}\n", pull.title, pull.body);
    println!("The pull request: {url}");
    println!("The job summary:  {}/actions/runs/{}", sample.repo.url(), sample.promote_run);
    if !once {
        open(&url);
        println!("\nCtrl-C ends it.");
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(tokio::signal::ctrl_c())?;
    }
    Ok(())
}

/// The real binary, built beside this example: cargo then takes the dependencies as they are here.
fn built() -> Result<PathBuf> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let mut build = Command::new(cargo);
    build.args([
        "build",
        "--quiet",
        "--bin",
        "promote",
        "--example",
        "quickstart",
        "--message-format",
        "json",
    ]);
    // What the outer cargo says of this example would make build scripts run again.
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_this_package(&name.to_string_lossy())) {
        build.env_remove(name);
    }
    let output =
        build.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(std::process::Stdio::inherit()).output()?;
    ensure!(output.status.success(), "the binary could not be built");
    let messages = String::from_utf8(output.stdout)?;
    let executable = messages.lines().rev().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let is_binary = message.pointer("/target/name")?.as_str()? == "promote";
        Some(PathBuf::from(message.get("executable").filter(|_| is_binary)?.as_str()?))
    });
    executable.context("cargo did not say where the binary is")
}

fn is_of_this_package(variable: &str) -> bool {
    let about =
        ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_", "LD_LIBRARY_PATH"];
    about.iter().any(|prefix| variable.starts_with(prefix))
}

/// A checkout as actions/checkout leaves it: one commit deep, without tags.
fn checkout(url: &str, workspace: &Path) -> Result<()> {
    let with_token = url.replacen("http://", &format!("http://x-access-token:{TOKEN}@"), 1);
    let mut clone = Command::new("git");
    clone.args(["clone", "--quiet", "--depth", "1", "--no-tags", &with_token]).arg(workspace);
    ensure!(clone.status().context("git is not installed")?.success(), "the checkout failed");
    Ok(())
}

fn diff(repository: &Path, commit: &str) -> Result<String> {
    let mut show = Command::new("git");
    show.arg("--git-dir").arg(repository).args(["show", "--no-color", commit]);
    Ok(String::from_utf8(show.output()?.stdout)?)
}

/// Opens a page in the person's browser, where there is one.
fn open(url: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let quiet = std::process::Stdio::null;
    let opened = Command::new(opener).arg(url).stdin(quiet()).stdout(quiet()).stderr(quiet()).status();
    if !opened.is_ok_and(|status| status.success()) {
        println!("(no browser could be opened: follow the address)");
    }
}
