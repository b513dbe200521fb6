//! The log: one sentence a line, on standard error; outside text in it can neither break a line nor
//! start a workflow command.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{self as output, FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use super::commands::one_line;

/// Starts the log; `RUNNER_DEBUG=1` shows everything of ours.
pub fn start(debug: bool) {
    // Octocrab reports refused requests as errors of its own; ours say what to do about them.
    let ours = Targets::new().with_target("promote", if debug { Level::DEBUG } else { Level::INFO });
    let sentences = output::layer().with_writer(std::io::stderr).event_format(Sentence);
    let _ = tracing_subscriber::registry().with(ours).with(sentences).try_init();
}

struct Sentence;

impl<S, N> FormatEvent<S, N> for Sentence
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warning",
            Level::INFO => "info",
            Level::DEBUG => "debug",
            Level::TRACE => "trace",
        };
        let mut fields = Fields::default();
        event.record(&mut fields);
        writeln!(writer, "{level}: {}", one_line(&format!("{}{}", fields.message, fields.rest)))
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    rest: String,
}

impl Fields {
    fn add(&mut self, field: &Field, value: &str) {
        let value: String = value
            .chars()
            .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
            .collect();
        if field.name() == "message" {
            self.message = value;
        } else {
            self.rest.push_str(&format!(" {}={value}", field.name()));
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, &format!("{value:?}"));
    }
}
