//! Wire, run, exit code.

use std::process::ExitCode;

use promote::failure::{Failure, Kind, Result};
use promote::runner::commands::{print, show_failure};
use promote::runner::environment::Environment;
use promote::runner::log;
use promote::settings::Inputs;
use promote::settings::cli::{self, Invocation, Schema};

fn main() -> ExitCode {
    let invocation = match cli::parse(std::env::args_os()) {
        Ok(invocation) => invocation,
        Err(usage) => usage.exit(),
    };
    let environment = Environment::read();
    log::start(environment.get("RUNNER_DEBUG") == Some("1"));
    let (result, refused) = match invocation {
        Invocation::Promote(flags) => (promote_with(flags, &environment), 1),
        Invocation::Set(arguments) => (promote::set::set(&arguments), 2),
        Invocation::Schema(which) => (Ok(schema(which)), 1),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            show_failure(&failure, environment.in_actions);
            if let Some(cause) = failure.cause() {
                tracing::debug!(cause = %format!("{cause:#}"), "the cause");
            }
            ExitCode::from(if failure.kind() == Kind::Usage { 2 } else { refused })
        }
    }
}

fn promote_with(flags: Inputs, environment: &Environment) -> Result<u8> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime =
        runtime.map_err(|error| Failure::new(Kind::Machine, "no thread can be started").because(error))?;
    runtime.block_on(promote::promote::promote(flags, environment))
}

fn schema(which: Schema) -> u8 {
    print(&match which {
        Schema::Settings => promote::settings::settings_schema(),
        Schema::Plan => promote::settings::plan_schema(),
    });
    0
}
