//! What both programs are asked to do, and whether they did it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, Result, ensure};

use crate::files;
use crate::usage::{Usage, measured};

/// The value that every edit sets.
const NEW: &str = "9.8.7";
const VALUES: &str = "values.yaml";
/// Which services of the larger files are edited.
const SERVICES: [usize; 5] = [3, 150, 300, 450, 600];

/// Some files, and edits of them.
pub struct Task {
    pub name: String,
    /// Name, text, and the text it must become.
    files: Vec<(String, String, String)>,
    ours: Way,
    theirs: Way,
}

/// How a program is started.
enum Way {
    /// With these arguments.
    Once(Vec<String>),
    /// As `$0` of a shell's line.
    Shell(String),
}

impl Task {
    /// All of them; `small` files where there are many.
    pub fn all(small: usize) -> Vec<Self> {
        let mut all = five_edits();
        all.extend(small_files(small));
        all.push(Self {
            name: "one edit of a 10 MB file".to_owned(),
            files: vec![larger(10_000_000, &SERVICES[4..])],
            ours: Way::Once(vec!["set".to_owned(), VALUES.to_owned(), word(SERVICES[4])]),
            theirs: Way::Once(in_place(&SERVICES[4..])),
        });
        all
    }
}

/// yq's best is one call with all assignments; a pipeline that has five things to record makes five.
fn five_edits() -> Vec<Task> {
    let file = larger(200_000, &SERVICES);
    let words = SERVICES.map(word);
    let each = |call: &dyn Fn(usize) -> String| SERVICES.map(call).join(" && ");
    vec![
        Task {
            name: "five edits of a 200 kB file, in one call".to_owned(),
            files: vec![file.clone()],
            ours: Way::Once([&["set".to_owned(), VALUES.to_owned()], &words[..]].concat()),
            theirs: Way::Once(in_place(&SERVICES)),
        },
        Task {
            name: "five edits of a 200 kB file, in five calls".to_owned(),
            files: vec![file],
            ours: Way::Shell(each(&|service| format!("\"$0\" set {VALUES} {}", word(service)))),
            theirs: Way::Shell(each(&|service| format!("\"$0\" -i '{}' {VALUES}", expression(service)))),
        },
    ]
}

/// `yq -i` writes all files into the first, so it takes a loop, as `promote set` does. `yq -s filename` is one process:
/// it splits what it reads into files of the old names, not at once, and with a `---` more in each but the first.
fn small_files(count: usize) -> Vec<Task> {
    let file = |app| {
        let text = files::small(app);
        (format!("app-{app:04}.yaml"), text.clone(), text.replace(&files::tag_of(app), NEW))
    };
    let files: Vec<_> = (0..count).map(file).collect();
    let edit = format!("'.image.tag = \"{NEW}\"'");
    let task = |name: String, theirs: String| Task {
        name,
        files: files.clone(),
        ours: Way::Shell(format!("for f in *.yaml; do \"$0\" set \"$f\" image.tag={NEW}; done")),
        theirs: Way::Shell(theirs),
    };
    vec![
        task(
            format!("one edit of each of {count} small files, each in a loop"),
            format!("for f in *.yaml; do \"$0\" -i {edit} \"$f\"; done"),
        ),
        task(
            "the same, but yq in one process (`yq -s filename`)".to_owned(),
            format!("\"$0\" -s filename {edit} *.yaml"),
        ),
    ]
}

fn larger(bytes: usize, services: &[usize]) -> (String, String, String) {
    let text = files::values(bytes);
    let after = services.iter().fold(text.clone(), |text, service| {
        text.replacen(&format!("tag: \"{}\" ", files::tag_of(*service)), &format!("tag: \"{NEW}\" "), 1)
    });
    (VALUES.to_owned(), text, after)
}

fn word(service: usize) -> String {
    format!("service-{service:05}.image.tag={NEW}")
}

fn expression(service: usize) -> String {
    format!(".service-{service:05}.image.tag = \"{NEW}\"")
}

fn in_place(services: &[usize]) -> Vec<String> {
    let all: Vec<_> = services.iter().map(|service| expression(*service)).collect();
    vec!["-i".to_owned(), all.join(" | "), VALUES.to_owned()]
}

/// The programs.
pub struct Bench {
    promote: PathBuf,
    yq: PathBuf,
    probe: PathBuf,
}

/// What one run took, and how many lines it added and took away.
pub struct Done {
    pub usage: Usage,
    pub lines: (usize, usize),
}

impl Bench {
    pub fn new(promote: PathBuf, yq: PathBuf, probe: PathBuf) -> Self {
        Self { promote, yq, probe }
    }

    pub fn versions(&self) -> Result<String> {
        let said = |program: &Path| -> Result<String> {
            let output = Command::new(program).arg("--version").output()?;
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let bytes = fs::metadata(&self.promote)?.len();
        Ok(format!("{} ({bytes} bytes); {}", said(&self.promote)?, said(&self.yq)?))
    }

    /// Both programs on files of their own, and that both did what was asked.
    pub fn in_turns(&self, task: &Task, run: usize) -> Result<(Done, Done)> {
        let (before, ours, theirs) = (task.laid_out()?, task.laid_out()?, task.laid_out()?);
        let (mut by_us, mut by_them) = (None, None);
        for turn in [run, run + 1] {
            if turn % 2 == 0 {
                by_us = Some(self.run(&self.promote, &task.ours, ours.path())?);
            } else {
                by_them = Some(self.run(&self.yq, &task.theirs, theirs.path())?);
            }
        }
        let (by_us, by_them) = by_us.zip(by_them).context("both had their turn")?;
        // Outside of what is measured, and the same for every run.
        let lines = if run == 0 {
            for (name, _, expected) in &task.files {
                ensure!(
                    fs::read_to_string(ours.path().join(name))? == *expected,
                    "promote left another {name}"
                );
                self.means_the_same(&ours.path().join(name), &theirs.path().join(name))?;
            }
            (changed(before.path(), ours.path())?, changed(before.path(), theirs.path())?)
        } else {
            Default::default()
        };
        Ok((Done { usage: by_us, lines: lines.0 }, Done { usage: by_them, lines: lines.1 }))
    }

    fn run(&self, program: &Path, way: &Way, folder: &Path) -> Result<Usage> {
        let (output, usage) = match way {
            Way::Once(arguments) => {
                let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
                self.measured(folder, program, &arguments)?
            }
            Way::Shell(line) => {
                let program = program.to_str().context("its path is text")?;
                self.measured(folder, Path::new("/bin/sh"), &["-c", line, program])?
            }
        };
        ensure!(
            output.status.success(),
            "{}: {}",
            program.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(usage)
    }

    /// `promote set values.yaml ARGUMENTS…` in a folder, whatever it comes to.
    pub fn set(&self, folder: &Path, arguments: &[&str]) -> Result<(Output, Usage)> {
        self.measured(folder, &self.promote, &[&["set", VALUES], arguments].concat())
    }

    fn measured(&self, folder: &Path, program: &Path, arguments: &[&str]) -> Result<(Output, Usage)> {
        measured(&self.probe, folder, program, arguments)
    }

    /// What starting alone takes: of a program that does nothing, and of both.
    pub fn starts(&self, runs: usize) -> Result<Vec<(&'static str, Usage)>> {
        let folder = tempfile::tempdir()?;
        let programs: [(&str, &Path, &[&str]); 3] = [
            ("does nothing (the probe)", &self.probe, &[]),
            ("says promote's version", &self.promote, &["--version"]),
            ("says yq's version", &self.yq, &["--version"]),
        ];
        let mut table = Vec::new();
        for (name, program, arguments) in programs {
            let all: Result<Vec<Usage>> =
                (0..runs).map(|_| Ok(self.measured(folder.path(), program, arguments)?.1)).collect();
            table.push((name, Usage::summed_up(&all?)));
        }
        Ok(table)
    }

    /// yq, which writes every file its own way, writes both the same.
    fn means_the_same(&self, ours: &Path, theirs: &Path) -> Result<()> {
        let seen = |file: &Path| -> Result<Vec<u8>> {
            let output = Command::new(&self.yq).args(["-o=json", "."]).arg(file).output()?;
            ensure!(output.status.success(), "yq cannot read {}", file.display());
            Ok(output.stdout)
        };
        ensure!(seen(ours)? == seen(theirs)?, "{} is not what yq makes of it", ours.display());
        Ok(())
    }
}

impl Task {
    fn laid_out(&self) -> Result<tempfile::TempDir> {
        let folder = tempfile::tempdir()?;
        for (name, text, _) in &self.files {
            fs::write(folder.path().join(name), text)?;
        }
        Ok(folder)
    }
}

/// How many lines git counts as added and as taken away between two folders.
fn changed(before: &Path, after: &Path) -> Result<(usize, usize)> {
    let output = Command::new("git")
        .args(["-c", "core.quotePath=false", "diff", "--no-index", "--numstat"])
        .args([before, after])
        .output()
        .context("git is not installed")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut all = (0, 0);
    for line in text.lines() {
        let mut figures = line.split('\t').map_while(|figure| figure.parse::<usize>().ok());
        let (added, gone) = figures.next().zip(figures.next()).context("git counts lines")?;
        all = (all.0 + added, all.1 + gone);
    }
    Ok(all)
}
