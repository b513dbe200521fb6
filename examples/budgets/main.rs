//! What a promotion costs, against its budgets, as a table in Markdown: `.ci/budgets` prepares and runs this.
//!
//! Measured in one run, by the image's own release binary, bare and in the container: requests, CPU, memory and wall
//! time of the quickstart's promotion and of the unchanged run after it; of a search among 200 and among 20 000 tags;
//! then the start of the container beside that of an empty one, and the image's size. Only the step itself is counted, never the fake GitHub, the engine or git's
//! server. Times of a shared machine are noisy: medians are judged, and measured again before they fail.

#![allow(clippy::print_stdout, reason = "an example talks to the person who runs it")]

mod measure;
#[path = "../quickstart/sample.rs"]
mod sample;
mod search;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use fake_github::runner::Engine;

use measure::{Measured, Subject, Tools, Way};
use table::{Row, Table};

/// REST and GraphQL requests of a typical promotion, and of a run that changes nothing; tests hold them too.
const REQUESTS: (f64, f64) = (15.0, 9.0);
/// Milliseconds of CPU, user and system, by the median run.
const CPU: f64 = 150.0;
/// MiB of memory at most, by the worst run.
const MEMORY: f64 = 64.0;
/// Of a search among 20 000 tags whose newest success is the 25th candidate: API requests, the whole plan's; milliseconds
/// of CPU; MiB.
const SEARCH: (f64, f64, f64) = (12.0, 200.0, 100.0);
/// The tags of the two searches; requests do not grow with them.
const TAGS: [usize; 2] = [200, 20_000];
/// Milliseconds of a container's start beyond that of an empty container, by the medians.
const START: f64 = 15.0;
/// How often times are measured before they fail.
const ROUNDS: usize = 4;
/// MB of files in the image.
const IMAGE: f64 = 16.0;

/// Measures what a promotion costs.
#[derive(Parser)]
struct Arguments {
    /// The image.
    #[arg(long)]
    image: String,
    /// An image that holds the probe alone.
    #[arg(long)]
    empty: String,
    /// The binary of the image, as a file.
    #[arg(long)]
    promote: PathBuf,
    /// `probe.c`, compiled.
    #[arg(long)]
    probe: PathBuf,
    /// The size of all files of the image, in bytes.
    #[arg(long)]
    bytes: u64,
    /// How often each is measured.
    #[arg(long, default_value_t = 11)]
    runs: usize,
    /// Measures the searches alone, for which the binary is enough.
    #[arg(long)]
    searches: bool,
    /// How often the container and the empty one are started, in turns.
    #[arg(long, default_value_t = 21)]
    starts: usize,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let tools = Tools { promote: arguments.promote.canonicalize()?, probe: arguments.probe.canonicalize()? };
    let mut table = Table::default();
    searches(&tools, arguments.runs, &mut table)?;
    if arguments.searches {
        println!("{table}");
        return Ok(if table.is_kept() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let subject = Subject { engine: Engine::find()?, image: arguments.image, empty: arguments.empty, tools };
    for way in [Way::Bare, Way::Container] {
        promotions(&subject, way, arguments.runs, &mut table)?;
    }
    starts(&subject, arguments.starts, &mut table)?;
    #[allow(clippy::cast_precision_loss, reason = "an image has fewer than 2^52 bytes")]
    table.add(Row::new("files of the image, MB", "—").figure(arguments.bytes as f64 / 1e6).at_most(IMAGE));
    println!("{table}");
    table.append_to_summary()?;
    Ok(if table.is_kept() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The rows of a promotion and of the run after it.
fn promotions(subject: &Subject, way: Way, runs: usize, table: &mut Table) -> Result<()> {
    // Not counted: it warms caches.
    measure::promotion(subject, way)?;
    let mut all = Vec::new();
    for _ in 0..ROUNDS {
        for _ in 0..runs {
            all.push(measure::promotion(subject, way)?);
        }
        let cpu =
            |pick: fn(&(Measured, Measured)) -> &Measured| table::median(all.iter().map(|run| pick(run).cpu));
        if cpu(|run| &run.0) <= CPU && cpu(|run| &run.1) <= CPU {
            break;
        }
    }
    let (first, second): (Vec<Measured>, Vec<Measured>) = all.into_iter().unzip();
    for (runs, what, requests) in
        [(first, "a promotion", REQUESTS.0), (second, "an unchanged run", REQUESTS.1)]
    {
        let row = |figure: &str| Row::new(&format!("{what}: {figure}"), way.word());
        let of = |pick: fn(&Measured) -> f64| -> Vec<f64> { runs.iter().map(pick).collect() };
        table.add(row("API requests").worst_of(&of(|run| run.api)).at_most(requests));
        table.add(row("git requests").worst_of(&of(|run| run.git)));
        table.add(row("CPU, ms").median_of(&of(|run| run.cpu)).at_most(CPU));
        table.add(row("peak memory, MiB").worst_of(&of(|run| run.memory)).at_most(MEMORY));
        table.add(row("wall, ms").median_of(&of(|run| run.wall)));
    }
    Ok(())
}

/// The rows of the search among few and among many tags.
fn searches(tools: &Tools, runs: usize, table: &mut Table) -> Result<()> {
    let mut requests = None;
    for tags in TAGS {
        let search = search::Search::among(tags)?;
        let mut all: Vec<Measured> = Vec::new();
        for _ in 0..ROUNDS {
            for _ in 0..runs {
                all.push(search.plan(tools)?);
            }
            if table::median(all.iter().map(|run| run.cpu)) <= SEARCH.1 {
                break;
            }
        }
        let row = |figure: &str| Row::new(&format!("a search among {tags} tags: {figure}"), Way::Bare.word());
        let of = |pick: fn(&Measured) -> f64| -> Vec<f64> { all.iter().map(pick).collect() };
        // No more than among few.
        let budget = *requests.get_or_insert(SEARCH.0);
        table.add(row("API requests").worst_of(&of(|run| run.api)).at_most(budget));
        requests = Some(of(|run| run.api).into_iter().fold(0.0, f64::max));
        table.add(row("git requests").worst_of(&of(|run| run.git)));
        table.add(row("CPU, ms").median_of(&of(|run| run.cpu)).at_most(SEARCH.1));
        table.add(row("peak memory, MiB").worst_of(&of(|run| run.memory)).at_most(SEARCH.2));
        table.add(row("wall, ms").median_of(&of(|run| run.wall)));
    }
    Ok(())
}

/// The rows of the start: bare, of an empty container, and of the image beyond that.
fn starts(subject: &Subject, starts: usize, table: &mut Table) -> Result<()> {
    let bare = (0..starts).map(|_| measure::bare_start(subject)).collect::<Result<Vec<f64>>>()?;
    table.add(Row::new("`promote --version`, ms", Way::Bare.word()).median_of(&bare));
    let (mut empty, mut ours) = (Vec::new(), Vec::new());
    let mut difference = f64::NAN;
    // On a busy machine two medians of the same image differ by as much as the budget: what is over it is measured
    // again, and all together counts.
    for _ in 0..ROUNDS {
        for turn in 0..starts {
            // Whichever comes second finds what the first has warmed.
            let mut both = [(&subject.empty, &mut empty), (&subject.image, &mut ours)];
            both.rotate_left(turn % 2);
            for (image, took) in both {
                took.push(measure::container_start(subject, image)?);
            }
        }
        difference = table::median(ours.iter().copied()) - table::median(empty.iter().copied());
        if difference <= START {
            break;
        }
    }
    let inside = Way::Container.word();
    table.add(Row::new("an empty container, ms", inside).median_of(&empty));
    table.add(Row::new("`promote --version`, ms", inside).median_of(&ours));
    table.add(Row::new("start beyond an empty container, ms", inside).figure(difference).at_most(START));
    Ok(())
}
