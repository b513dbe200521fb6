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
