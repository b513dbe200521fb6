//! What a step says to the runner: the files of file commands.

use anyhow::bail;

/// Reads a file of file commands as the runner does: `name=value`, or `name<<DELIMITER` up to a line of it.
pub fn file_command(text: &str) -> anyhow::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let (equals, heredoc) = (line.find('='), line.find("<<"));
        if let (Some(at), true) = (heredoc, heredoc < equals || equals.is_none()) {
            let (name, delimiter) =
                (line.get(..at).unwrap_or_default(), line.get(at + 2..).unwrap_or_default());
            if name.is_empty() || delimiter.is_empty() {
                bail!("invalid format `{line}`: name and delimiter must not be empty");
            }
            let mut value = Vec::new();
            loop {
                match lines.next() {
                    Some(end) if end == delimiter => break,
                    Some(more) => value.push(more),
                    None => bail!("invalid value: matching delimiter not found `{delimiter}`"),
                }
            }
            found.push((name.to_owned(), value.join("\n")));
        } else if let Some((name, value)) = line.split_once('=') {
            if name.is_empty() {
                bail!("invalid format `{line}`: name must not be empty");
            }
            found.push((name.to_owned(), value.to_owned()));
        } else {
            bail!("invalid format `{line}`");
        }
    }
    Ok(found)
}
