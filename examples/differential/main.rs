//! Edits, shown to readers that share no code with the editor: `.ci/differential` prepares and runs this.
//!
//! go-yaml (as Kustomize reads, and as Helm does) and `PyYAML` name places in a file, `promote` edits each, and both
//! read the file before and after: the trees must differ at exactly the named place, where the new value stands as a
//! string, and the bytes on no other line. Without folders, the files are generated ones and the repository's own.

#![allow(
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::missing_docs_in_private_items,
    reason = "an example talks to the person who runs it"
)]

mod generator;
mod readers;
mod reasons;
mod tally;
mod trial;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use anyhow::{Context, Result};
use clap::Parser;

use readers::Reader;
use tally::Tally;
use trial::Trial;

/// Holds edits against what other readers of YAML see.
#[derive(Parser)]
struct Arguments {
    /// The reader in Go, built from `check.go`.
    #[arg(long)]
    go: PathBuf,
    /// A Python that has `PyYAML`.
    #[arg(long)]
    python: PathBuf,
    /// How many files are generated.
    #[arg(long, default_value_t = 400)]
    generated: u64,
    /// How many places are edited in a file at most.
    #[arg(long, default_value_t = 80)]
    places: usize,
    /// Folders of files to try instead.
    folders: Vec<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    // A panic is counted where it is caught.
    std::panic::set_hook(Box::new(|_| {}));
    let files = if arguments.folders.is_empty() {
        own_files(arguments.generated)?
    } else {
        real_files(&arguments.folders)?
    };
    let workers = thread::available_parallelism().map_or(2, usize::from);
    let tallies: Vec<Result<Tally>> = thread::scope(|scope| {
        let start = |worker: usize| {
            let (arguments, files) = (&arguments, &files);
            scope.spawn(move || tried(arguments, files.iter().skip(worker).step_by(workers)))
        };
        let running: Vec<_> = (0..workers).map(start).collect();
        running
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|_| anyhow::bail!("a worker panicked")))
            .collect()
    });
    let mut all = Tally::default();
    for tally in tallies {
        all.join(tally?);
    }
    print!("{all}");
    Ok(if all.found().is_empty() && all.judged() > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tried<'f>(arguments: &Arguments, files: impl Iterator<Item = &'f File>) -> Result<Tally> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/differential/check.py");
    let mut trial = Trial {
        go: Reader::start(&arguments.go, &[])?,
        python: Reader::start(&arguments.python, &[&script])?,
        limit: arguments.places,
        tally: Tally::default(),
    };
    for file in files {
        match file {
            File::Text { name, text } => trial.try_file(name, text.as_bytes()),
            File::Path(path) => {
                let bytes = fs::read(path).with_context(|| path.display().to_string())?;
                trial.try_file(&path.display().to_string(), &bytes)
            }
        }?;
    }
    Ok(trial.tally)
}

enum File {
    Text { name: String, text: String },
    Path(PathBuf),
}

/// Generated files, the inputs of the agreed cases, and every YAML file of the repository.
fn own_files(generated: u64) -> Result<Vec<File>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = (0..generated)
        .map(|number| File::Text { name: format!("generated {number}"), text: generator::file(number) })
        .collect();
    let cases: Vec<serde_json::Value> =
        serde_json::from_str(&fs::read_to_string(root.join("tests/overlay-edit-cases.json"))?)?;
    for case in &cases {
        let (Some(name), Some(input)) = (case["name"].as_str(), case["input"].as_str()) else { continue };
        files.push(File::Text { name: format!("case {name}"), text: input.to_owned() });
    }
    let folders = ["action.yml", "standalone", ".github", "tests", "examples", "docs"];
    files.extend(real_files(&folders.map(|folder| root.join(folder)))?);
    Ok(files)
}

/// Every YAML file below the folders, in the order of their names.
fn real_files(folders: &[PathBuf]) -> Result<Vec<File>> {
    let mut found = Vec::new();
    let mut open = folders.to_vec();
    while let Some(path) = open.pop() {
        let about = fs::symlink_metadata(&path).with_context(|| path.display().to_string())?;
        if about.is_dir() {
            if path.ends_with("node_modules") {
                continue;
            }
            for entry in fs::read_dir(&path)? {
                open.push(entry?.path());
            }
        } else if about.is_file() && path.extension().is_some_and(|kind| kind == "yaml" || kind == "yml") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found.into_iter().map(File::Path).collect())
}
