//! Unified diffs in colour.

use super::escaped;
use crate::store::FileChange;

/// Every file of a difference; `blob` is the address its names link to, without the path.
pub(super) fn shown(files: &[FileChange], blob: &str) -> String {
    let added: usize = files.iter().map(|file| file.additions).sum();
    let deleted: usize = files.iter().map(|file| file.deletions).sum();
    let mut out = format!(
        "<p class=meta>{} changed file{} with <b class=success>+{added}</b> <b class=failure>−{deleted}</b></p>",
        files.len(),
        if files.len() == 1 { "" } else { "s" }
    );
    for file in files {
        let name = escaped(&file.filename);
        let from = file.previous.as_deref().map(|old| format!("{} → ", escaped(old))).unwrap_or_default();
        out.push_str(&format!(
            "<div class=box><div class=head><a class=mono href=\"{blob}/{name}\"><b>{from}{name}</b></a> \
             <span class=success>+{}</span> <span class=failure>−{}</span> {}</div>{}</div>",
            file.additions,
            file.deletions,
            file.status,
            file.patch.as_deref().map_or_else(|| "<div class=body>No lines to show</div>".to_owned(), table)
        ));
    }
    out
}

fn table(patch: &str) -> String {
    let (mut old, mut new) = (0_usize, 0_usize);
    let mut out = String::from("<table class=diff>");
    for line in patch.lines() {
        let text = escaped(line);
        let number = |shown: bool, number: usize| if shown { number.to_string() } else { String::new() };
        let (class, has_old, has_new) = match line.chars().next() {
            Some('@') => {
                let mut starts = line.split(['-', '+']).skip(1).map(|part| {
                    let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
                    digits.parse().unwrap_or(0)
                });
                (old, new) = (starts.next().unwrap_or(0), starts.next().unwrap_or(0));
                ("hunk", false, false)
            }
            Some('+') => ("add", false, true),
            Some('-') => ("del", true, false),
            Some('\\') => ("hunk", false, false),
            _ => ("", true, true),
        };
        out.push_str(&format!(
            "<tr class=\"{class}\"><td class=num>{}</td><td class=num>{}</td><td>{text}</td></tr>",
            number(has_old, old),
            number(has_new, new)
        ));
        old += usize::from(has_old);
        new += usize::from(has_new);
    }
    out.push_str("</table>");
    out
}
