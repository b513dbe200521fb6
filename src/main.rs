//! Wire, run, exit code.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use promote::failure::{Failure, Kind, Result};
use promote::runner::commands::{Audience, print, show_failure};
use promote::runner::environment::Environment;
use promote::runner::files::scratch;
use promote::runner::log;
use promote::settings::Inputs;
use promote::settings::cli::{self, Invocation, Schema};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let invocation = match cli::parse(std::env::args_os()) {
        Ok(invocation) => invocation,
        Err(usage) => usage.exit(),
    };
    let mut environment = Environment::read();
    end_clearly_on_panic(environment.audience);
    log::start(environment.get("RUNNER_DEBUG") == Some("1"));
    let (result, refused) = match invocation {
        Invocation::Promote(flags) => (promote_with(flags, &mut environment), 1),
        Invocation::Set(arguments) => (promote::set::set(&arguments), 2),
        Invocation::Schema(which) => (Ok(schema(which)), 1),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            show_failure(&failure, environment.audience);
            if let Some(cause) = failure.cause() {
                tracing::debug!(cause = %format!("{cause:#}"), "the cause");
            }
            ExitCode::from(if failure.kind() == Kind::Usage { 2 } else { refused })
        }
    }
}

/// A panic is a fault of ours, told as every error is and ended by the same code. An abort would be a signal, on which
/// the machine may write all memory, tokens included, to a file in the workspace.
fn end_clearly_on_panic(audience: Audience) {
    std::panic::set_hook(Box::new(move |panic| {
        let place =
            panic.location().map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
        let said = panic.payload_as_str().unwrap_or("no message");
        let failure = Failure::new(Kind::Machine, format!("promote has a fault of its own{place}: {said}"))
            .hinted("please report it with this line; nothing is lost, and the next run takes up what this one left");
        show_failure(&failure, audience);
        std::process::exit(1);
    }));
}

fn promote_with(flags: Inputs, environment: &mut Environment) -> Result<u8> {
    // Everything temporary is in one folder, so that whatever ends the run can remove it.
    let scratch = scratch(&environment.temp)?;
    scratch.path().clone_into(&mut environment.temp);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime =
        runtime.map_err(|error| Failure::new(Kind::Machine, "no thread can be started").because(error))?;
    runtime.spawn(end_when_told(environment.temp.clone(), environment.audience));
    runtime.block_on(promote::promote::promote(flags, environment))
}

/// Ends the process on the signals by which a job is cancelled: as process 1 of a container it would
/// not be ended by them otherwise. Nothing waits for what is going on; whatever was half done on
/// GitHub is taken up by the next run.
async fn end_when_told(scratch: PathBuf, audience: Audience) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    let (name, code) = tokio::select! {
        _ = terminate.recv() => ("SIGTERM", 143),
        _ = interrupt.recv() => ("SIGINT", 130),
    };
    let failure = Failure::new(Kind::Machine, format!("stopped by {name}, before the end"))
        .hinted("run it again: it takes up what this run left");
    show_failure(&failure, audience);
    // Git may be writing there at this moment.
    for _ in 0..20 {
        if std::fs::remove_dir_all(&scratch).is_ok() || !scratch.exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    std::process::exit(code);
}

fn schema(which: Schema) -> u8 {
    print(&match which {
        Schema::Settings => promote::settings::settings_schema(),
        Schema::Plan => promote::settings::plan_schema(),
    });
    0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests may")]
    use super::*;

    /// In a process of its own, since the hook ends it.
    #[test]
    fn a_panic_is_an_error_with_its_place_and_exit_code_1() {
        const CHILD: &str = "PROMOTE_TEST_PANICS";
        if std::env::var_os(CHILD).is_some() {
            end_clearly_on_panic(Audience::Runner);
            panic!("what\n::never happens");
        }
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "tests::a_panic_is_an_error_with_its_place_and_exit_code_1", "--nocapture"]);
        let output = child.env(CHILD, "1").output().unwrap();
        let (said, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(1), "{said}{told}");
        let fault = "promote has a fault of its own at src/main.rs:";
        assert!(
            told.contains(&format!("error: {fault}")) && told.contains("hint: please report it"),
            "{told}"
        );
        assert!(said.contains(&format!("::error title=promote::{fault}")), "{said}");
        assert!(!said.lines().any(|line| line.starts_with("::never")), "{said}");
    }
}
