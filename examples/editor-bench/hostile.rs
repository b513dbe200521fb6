//! Files that were made to exhaust a reader: what each costs, and that each is answered.

use std::fmt::Write as _;

use anyhow::{Result, ensure};

use crate::time;
use crate::work::Bench;

/// A file, what is asked, and what the answer begins with; an empty one is an edit that is made.
struct Hostile {
    name: &'static str,
    text: Vec<u8>,
    arguments: &'static [&'static str],
    answer: &'static str,
}

/// Prints a row for each; whether memory stayed below the limit.
pub fn table(bench: &Bench, limit: f64) -> Result<bool> {
    println!("\n| hostile file | MB | time | MiB | answer |\n|:--|--:|--:|--:|:--|");
    let mut kept = true;
    for file in all() {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("values.yaml");
        std::fs::write(&path, &file.text)?;
        let (output, usage) = bench.set(folder.path(), file.arguments)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let answer = said.lines().next().unwrap_or_default().trim_start_matches("error: ");
        let left = std::fs::read(&path)?;
        let name = file.name;
        if file.answer.is_empty() {
            ensure!(output.status.success() && left != file.text, "{name} was not edited: {said}");
        } else {
            ensure!(output.status.code() == Some(2) && left == file.text, "{name} was not refused: {said}");
            ensure!(said.contains(file.answer) && said.contains("\nhint: "), "{name} was answered: {said}");
        }
        let answer = if file.answer.is_empty() { "edited" } else { answer };
        #[allow(clippy::cast_precision_loss, reason = "a file has fewer than 2^52 bytes")]
        let megabytes = file.text.len() as f64 / 1e6;
        println!("| {name} | {megabytes:.1} | {} | {:.1} | {answer} |", time(usage.seconds), usage.memory);
        kept &= usage.memory <= limit;
    }
    Ok(kept)
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        let _ = writeln!(text, "{}", line(number));
        text
    })
}

fn all() -> Vec<Hostile> {
    const MILLION: usize = 1_000_000;
    let deep = "nested deeper than 128 levels";
    let values = "the file has more than 1500000 values";
    let anchors = "the file has more than 100000 anchors";
    let of =
        |name, text: String, answer| Hostile { name, text: text.into_bytes(), arguments: &["t=2"], answer };
    let laughs = |first: &str, open: &str, close: &str| {
        let levels = lines(29, |level| {
            let items = vec![format!("*a{level}"); 10].join(", ");
            format!("a{0}: &a{0} {open}{items}{close}", level + 1)
        });
        format!("a0: &a0 {first}\n{levels}t: 1\n")
    };
    vec![
        of("100 000 levels, `[`", "[".repeat(100_000), deep),
        of("500 kB of `{a: {a: …`", "{a: ".repeat(125_000), deep),
        of("the same, closed", format!("{}1{}", "{a: ".repeat(125_000), "}".repeat(125_000)), deep),
        of("100 000 levels, `- - -`", "- ".repeat(100_000), deep),
        of("100 000 levels, `? ? ?`", "? ".repeat(100_000), deep),
        of("a billion laughs", laughs("[x, x, x, x]", "[", "]"), "the file's aliases stand for more"),
        of(
            "a billion laughs through `<<`",
            laughs("{k: x}", "{<<: [", "]}"),
            "the file's aliases stand for more",
        ),
        of("a scalar of 30 MB", format!("t: {}\n", "x".repeat(30 * MILLION)), ""),
        of("a line of 15 MB", format!("t: 1\nl: [{}x]\n", "x, ".repeat(5 * MILLION)), values),
        of("a key of 1 MB", format!("{}: 1\nt: 1\n", "k".repeat(MILLION)), "mapping values are not allowed"),
        of("a million anchors", lines(MILLION, |number| format!("a{number}: &a{number} x")), anchors),
        of(
            "400 000 aliases of one anchor",
            format!("t: &t 1\n{}", lines(400_000, |n| format!("a{n}: *t"))),
            "",
        ),
        of(
            "99 999 anchored lists of an alias",
            format!("t: &t 1\n{}", lines(99_999, |n| format!("a{n}: &a{n} [*t]"))),
            "",
        ),
        of(
            "a key twice among 700 000",
            format!("{}t: 1\nt: 2\n", lines(700_000, |n| format!("k{n}: x"))),
            "`t` is written more than once",
        ),
        of(
            "a million keys and one twice",
            format!("{}t: 1\nt: 2\n", lines(MILLION, |n| format!("k{n}: x"))),
            values,
        ),
        of("a million documents", "---\nt: 1\n".repeat(MILLION), values),
        of("20 MB of comments", format!("{}t: 1\n", "# c\n".repeat(5 * MILLION)), ""),
        of(
            "10 MB of a quote that stays open",
            format!("t: \"{}", "a\n".repeat(5 * MILLION)),
            "unclosed quote",
        ),
        Hostile {
            name: "no UTF-8 after 5 MB",
            text: ["t: 1\n".repeat(MILLION).as_bytes(), b"b: caf\xe9\n"].concat(),
            arguments: &["t=2"],
            answer: "the file is not UTF-8",
        },
        Hostile {
            name: "an anchor removed from under 300 000 aliases",
            text: format!("b: &b 1\n{}", lines(300_000, |n| format!("a{n}: *b"))).into_bytes(),
            arguments: &["--remove", "b"],
            answer: "and 299995 more",
        },
    ]
}
