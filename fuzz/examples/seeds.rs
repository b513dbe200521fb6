//! Writes the inputs that fuzzing starts from: generated files, those of the agreed cases, and some paths.

#[path = "../../examples/differential/generator.rs"]
mod generator;

use std::fs;
use std::path::PathBuf;

fn main() -> anyhow::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "corpus".to_owned()));
    for target in ["edit", "paths"] {
        fs::create_dir_all(folder.join(target))?;
    }
    let cases = include_str!("../../tests/overlay-edit-cases.json");
    let cases: Vec<serde_json::Value> = serde_json::from_str(cases)?;
    let inputs = cases.iter().filter_map(|case| case["input"].as_str()).map(str::to_owned);
    for (number, text) in inputs.chain((0..160).map(generator::file)).enumerate() {
        let control =
            [number % 16, number * 7, number * 13, number * 5].map(|n| u8::try_from(n % 256).unwrap_or(0));
        fs::write(folder.join(format!("edit/{number}")), [&control, text.as_bytes()].concat())?;
    }
    let paths = [
        "image.tag",
        "@1.a[0]",
        "/a~1b/0",
        "images[name=acme/x].newTag=1",
        "[\"a.b\"]",
        "**.{tag,digest}\na.tag",
        "a[*].b",
        "*Image.tag\nmyImage.tag",
        "@0",
        "a[n=\"x]\"]",
    ];
    for (number, path) in paths.iter().enumerate() {
        fs::write(folder.join(format!("paths/{number}")), path)?;
    }
    Ok(())
}
