//! Outside text, made safe for the places Markdown can hold it.
//!
//! Tags, commit subjects, names, YAML values and check names are written by anyone. Whatever they
//! hold, what comes out of here is one run of text: it pings nobody, links nothing, closes no issue,
//! and opens no table cell, fence, comment or HTML. Nothing here knows what a plan is.
//!
//! GitHub looks for mentions, `#12`, commit ids and addresses *after* Markdown is rendered, so a
//! backslash does not stop it; a zero-width space does, and shows nothing.

use std::fmt::Write as _;

use jiff::Timestamp;
use url::Url;

/// What is put into a word to keep GitHub from linking it.
pub const ZERO_WIDTH: char = '\u{200b}';

/// How much of a subject, name or message is shown, in characters.
pub const SHOWN: usize = 120;

/// Text for a paragraph, list item, table cell or link label, at most `max` characters of it.
pub fn text(outside: &str, max: usize) -> String {
    escaped(&defused(&visible(outside, max)))
}

/// A value as inline code, also inside a table cell.
///
/// A pipe would end the cell in spite of the backticks, and its escape shows outside of tables: a
/// value with a pipe is written as text instead.
pub fn code(outside: &str, max: usize) -> String {
    code_of(&visible(outside, max))
}

/// A sentence of ours with names in backticks: the names may hold anything.
pub fn sentence(ours: &str, max: usize) -> String {
    let mut shown = visible(ours, max);
    if shown.matches('`').count() % 2 == 1 && !ours.matches('`').count().is_multiple_of(2) {
        return escaped(&defused(&shown));
    }
    if shown.matches('`').count() % 2 == 1 {
        shown.push('`');
    }
    let mut out = String::with_capacity(shown.len() + 16);
    for (index, part) in shown.split('`').enumerate() {
        if index % 2 == 0 {
            out.push_str(&escaped(&defused(part)));
        } else {
            out.push_str(&code_of(part));
        }
    }
    out
}

/// Outside text whose author may have put names in backticks; longer runs of them are no such marks.
pub fn quoted(outside: &str, max: usize) -> String {
    if outside.contains("``") { text(outside, max) } else { sentence(outside, max) }
}

/// Text for a place without Markdown: a title, a commit message, an annotation. One line.
pub fn plain(outside: &str, max: usize) -> String {
    defused(&visible(outside, max))
}

/// Text within HTML of ours, where Markdown is not read.
pub fn defused_html(outside: &str, max: usize) -> String {
    let mut out = String::new();
    for c in plain(outside, max).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// A link whose label is Markdown already; only the label where the address is not fit for a link.
pub fn link(label: &str, address: &str, max: usize) -> String {
    match destination(address, max) {
        Some(destination) => format!("[{label}]({destination})"),
        None => label.to_owned(),
    }
}

/// Lines as a fenced block that its content cannot close.
pub fn fence(content: &str, language: &str) -> String {
    let mut shown = String::with_capacity(content.len());
    for c in content.replace("\r\n", "\n").chars() {
        match c {
            '\n' | '\t' => shown.push(c),
            c if is_hidden(c) => shown.push_str(&code_point(c)),
            c => shown.push(c),
        }
    }
    let bar = "`".repeat(longest_run(&shown).max(2) + 1);
    let end = if shown.is_empty() || shown.ends_with('\n') { "" } else { "\n" };
    format!("{bar}{language}\n{shown}{end}{bar}")
}

/// A time to the minute, in UTC. Never relative: text that ages would make every run a change.
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// One line of what is really there: white space collapsed, hidden characters shown by their number.
///
/// At most `max` characters, and `…` where there were more.
pub fn visible(outside: &str, max: usize) -> String {
    let mut out = String::new();
    let mut count = 0;
    let mut gap = false;
    let mut chars = outside.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        if c.is_whitespace() {
            gap = count > 0;
            before = ' ';
            continue;
        }
        let joins = matches!(c, '\u{200c}' | '\u{200d}')
            && is_written(before)
            && chars.peek().is_some_and(|&next| is_written(next));
        let hidden = is_hidden(c) && !joins;
        let piece = if hidden { code_point(c) } else { c.to_string() };
        let width = piece.chars().count() + usize::from(gap);
        if count + width > max {
            out.push('…');
            return out;
        }
        if std::mem::take(&mut gap) {
            out.push(' ');
        }
        out.push_str(&piece);
        count += width;
        before = if hidden { ' ' } else { c };
    }
    out
}

/// An address that may stand in a link: http or https, with a host, without a name or password.
pub(super) fn destination(address: &str, max: usize) -> Option<String> {
    if address.len() > max {
        return None;
    }
    let url = Url::parse(address).ok()?;
    let web = matches!(url.scheme(), "http" | "https") && url.has_host();
    if !web || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let mut out = String::with_capacity(address.len());
    for c in url.as_str().chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '(' | ')' | '[' | ']' | '<' | '>' | '|' | '\\' | '`' | '"' | '\'' | '$' | '*' | '{' | '}' => {
                let _ = write!(out, "%{:02X}", u32::from(c));
            }
            c if c.is_ascii_graphic() => out.push(c),
            _ => return None,
        }
    }
    (out.len() <= max).then_some(out)
}

/// Keeps GitHub from seeing a mention, a reference, a commit or an address in what is rendered.
fn defused(shown: &str) -> String {
    let chars: Vec<char> = shown.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or(' ');
    let before = |index: usize, word: &str| {
        let width = word.chars().count();
        index >= width
            && word.chars().enumerate().all(|(n, c)| at(index - width + n).eq_ignore_ascii_case(&c))
    };
    let mut out = String::with_capacity(shown.len() + 8);
    for (index, &c) in chars.iter().enumerate() {
        if c == '.' && before(index, "www") {
            out.push(ZERO_WIDTH);
        }
        out.push(c);
        let breaks = match c {
            '@' => true,
            '#' => at(index + 1).is_alphanumeric(),
            '-' => before(index, "gh") && at(index + 1).is_ascii_digit(),
            ':' => at(index + 1) == '/' && at(index + 2) == '/',
            _ => starts_commit_id(&chars, index),
        };
        if breaks {
            out.push(ZERO_WIDTH);
        }
    }
    out
}

/// Whether a word that GitHub could take for a commit id starts here. Plain numbers and plain words
/// (`20260501`, `defaced`) are left alone, unless they are as long as a whole id.
fn starts_commit_id(chars: &[char], index: usize) -> bool {
    let in_word = |c: &char| c.is_alphanumeric() || *c == '_';
    if index > 0 && chars.get(index - 1).is_some_and(in_word) {
        return false;
    }
    let word: Vec<char> = chars.iter().skip(index).copied().take_while(in_word).take(65).collect();
    let mixed = word.iter().any(char::is_ascii_digit) && word.iter().any(char::is_ascii_alphabetic);
    (7..=64).contains(&word.len()) && word.iter().all(char::is_ascii_hexdigit) && (mixed || word.len() >= 40)
}

/// Puts a backslash before what Markdown would read; a pipe becomes an entity, which no table splits.
fn escaped(defused: &str) -> String {
    let mut out = String::with_capacity(defused.len() + 16);
    let mut only_digits = true;
    let mut chars = defused.chars().peekable();
    while let Some(c) = chars.next() {
        let first = out.is_empty();
        match c {
            '|' => out.push_str("&#124;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '~' | '&' | '$' => out.extend(['\\', c]),
            '#' | '>' | '+' | '-' | '=' | ':' if first => out.extend(['\\', c]),
            '.' | ')' if !first && only_digits => out.extend(['\\', c]),
            '!' if chars.peek().is_none() => out.extend(['\\', c]),
            c => out.push(c),
        }
        only_digits &= c.is_ascii_digit();
    }
    out
}

fn code_of(shown: &str) -> String {
    if shown.contains('|') {
        return escaped(&defused(shown));
    }
    if shown.trim().is_empty() {
        return "`\"\"`".to_owned();
    }
    let bar = "`".repeat(longest_run(shown) + 1);
    let pad = if shown.starts_with('`') || shown.ends_with('`') { " " } else { "" };
    format!("{bar}{pad}{}{pad}{bar}", shown.trim())
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

fn code_point(c: char) -> String {
    format!("‹U+{:04X}›", u32::from(c))
}

/// A character of a script or an emoji, which a joiner may stand between.
fn is_written(c: char) -> bool {
    !c.is_ascii() && !c.is_whitespace() && !is_hidden(c)
}

/// Controls, direction marks and characters without a shape: what makes text lie.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
            | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
#[path = "markdown_tests.rs"]
pub(super) mod tests;
