//! The fake GitHub as a small program, for browsers, curl, git and clients in other languages.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use fake_github::{FakeGitHub, Options, Tls, Token};

/// A stateful GitHub over real bare git repositories, on the loopback interface.
#[derive(Parser)]
#[command(version, about, after_long_help = include_str!("../ADMIN.txt"))]
struct Arguments {
    /// The port; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Stops after so many minutes without a request.
    #[arg(long, default_value_t = 60)]
    idle_minutes: u64,
    /// Fixes the present (RFC 3339).
    #[arg(long)]
    now: Option<jiff::Timestamp>,
    /// The most entries that a page may have.
    #[arg(long)]
    page_cap: Option<usize>,
    /// Appends every exchange to this file as a line of JSON.
    #[arg(long)]
    record: Option<PathBuf>,
    /// Speaks TLS, and writes the certificate of its own authority to this file, for `SSL_CERT_FILE`.
    #[arg(long, value_name = "FILE")]
    tls: Option<PathBuf>,
    /// Plays a GitHub Enterprise Server of this version, `3.17.0`.
    #[arg(long, value_name = "VERSION")]
    enterprise: Option<String>,
}

#[allow(clippy::print_stdout, reason = "a program says where it listens")]
fn say(line: &str) {
    println!("{line}");
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let Arguments { port, now, page_cap, record, idle_minutes, tls, enterprise } = arguments;
    let tls = tls.map(|file| Tls { ca_file: Some(file), ..Tls::default() });
    let github = FakeGitHub::start(&Options { port, now, page_cap, record, tls, enterprise })?;
    github.add_token(Token::user("fake-token", "alice"));
    say(&format!("pages and git  {}", github.url()));
    say(&format!("REST           {}", github.api_url()));
    say(&format!("GraphQL        {}", github.graphql_url()));
    if let Some(file) = github.ca_file() {
        say(&format!("SSL_CERT_FILE  {}", file.display()));
    }
    say("token          fake-token (alice, everything allowed)");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let limit = Duration::from_secs(idle_minutes.saturating_mul(60));
        loop {
            let left = limit.saturating_sub(github.idle());
            if left.is_zero() {
                say("no request for a while: stopping");
                return;
            }
            tokio::select! {
                _ = tokio::signal::ctrl_c() => return,
                () = tokio::time::sleep(left) => {}
            }
        }
    });
    Ok(())
}
