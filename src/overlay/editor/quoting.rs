//! How a text must be written so that every reader takes it for that text.
//!
//! Helm and Kustomize read a mixture of YAML 1.1 and 1.2, other tools read either: a plain scalar is
//! written only where all of them see a string. In doubt it is quoted; it never becomes a block scalar.

use std::fmt::Write as _;

use super::document::ScalarStyle;
use super::key_path::is_unseen;

/// What surrounds a scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// Indentation.
    Block,
    /// `{…}` or `[…]`.
    Flow,
}

/// The text in the given style, or in the nearest one that can carry it.
///
/// Plain and block scalars become plain where that is safe, else double-quoted.
pub fn written(text: &str, style: ScalarStyle, context: Context) -> String {
    match style {
        ScalarStyle::SingleQuoted if text.chars().all(is_shown) => format!("'{}'", text.replace('\'', "''")),
        ScalarStyle::Plain | ScalarStyle::Literal | ScalarStyle::Folded if is_plain(text, context) => {
            text.to_owned()
        }
        _ => double_quoted(text),
    }
}

/// Whether the text, written plain, is that very string to every reader.
pub fn is_plain(text: &str, context: Context) -> bool {
    let mut chars = text.chars();
    let starts_well = match (chars.next(), chars.next()) {
        (None, _) => false,
        (Some('-'), second) => {
            second.is_some_and(|c| c != ' ' && c != '-' || text.starts_with("--") && text.len() > 2)
        }
        (Some(first), _) => !matches!(
            first,
            '?' | ':'
                | ','
                | '['
                | ']'
                | '{'
                | '}'
                | '#'
                | '&'
                | '*'
                | '!'
                | '|'
                | '>'
                | '\''
                | '"'
                | '%'
                | '@'
                | '`'
                | ' '
        ),
    };
    starts_well
        && !text.ends_with([' ', ':'])
        && !text.starts_with("---")
        && !text.starts_with("...")
        && !text.contains(": ")
        && !text.contains(" #")
        && !(context == Context::Flow && text.contains([',', '[', ']', '{', '}']))
        && text.chars().all(is_shown)
        && is_string(text)
}

/// Whether a plain scalar of this text is a string in YAML 1.1 and in YAML 1.2.
///
/// Sources: yaml.org/type (1.1), YAML 1.2.2 §10.3.2, and where readers go further (Go's `ParseInt`
/// with base 0 takes `0X1F`, Psych takes `1,000`) the readers.
pub fn is_string(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let is_word = matches!(
        lower.as_str(),
        "" | "~"
            | "null"
            | "true"
            | "false"
            | "yes"
            | "no"
            | "on"
            | "off"
            | "y"
            | "n"
            | "="
            | "<<"
            | "."
            | ".nan"
    );
    !is_word && !is_number(&lower) && !is_timestamp(text)
}

/// Integers of any base, floats, infinities and base-60 numbers, in lower case.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned == ".inf" || unsigned == ".nan" {
        return true;
    }
    // Separators are dropped by one reader or another, wherever they stand.
    let digits: String = unsigned.chars().filter(|c| !matches!(c, '_' | ',')).collect();
    is_based(&digits)
        || is_decimal(&digits)
        || is_sexagesimal(&digits)
        || is_almost_number(unsigned, unsigned.len() < text.len())
}

/// What may pass for a number, such as `0x_` or `+_`: readers whose expressions ask for no digit take it for one, and
/// then fail to convert it.
fn is_almost_number(unsigned: &str, is_signed: bool) -> bool {
    let based = ["0x", "0o", "0b"].into_iter().find_map(|base| unsigned.strip_prefix(base));
    let starts = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.' || is_signed && c == '_');
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '_' | ',' | '.' | ':' | 'e' | '+' | '-');
    starts && (unsigned == "." || unsigned.contains('_') && based.unwrap_or(unsigned).chars().all(is_part))
}

fn is_based(text: &str) -> bool {
    let radix = match text.get(..2) {
        Some("0x") => 16,
        Some("0o") => 8,
        Some("0b") => 2,
        _ => return false,
    };
    text.len() > 2 && text.chars().skip(2).all(|c| c.is_digit(radix))
}

/// `1`, `1.`, `.5`, `1.5`, each with or without an exponent.
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once('e').map_or((text, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    !(whole.is_empty() && fraction.is_empty())
        && all_digits(whole)
        && all_digits(fraction)
        && exponent.is_none_or(|exponent| !exponent.is_empty() && all_digits(exponent))
}

/// `12:30:45` and `12:30:45.6`, which YAML 1.1 reads in base 60.
fn is_sexagesimal(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    let mut count = 0;
    let rest = parts.all(|part| {
        count += 1;
        matches!(part.len(), 1 | 2) && all_digits(part)
    });
    rest && count > 0 && !first.is_empty() && all_digits(first) && all_digits(fraction)
}

/// `2026-01-02`, alone or with a time after it.
fn is_timestamp(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let day = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let short = |part: usize| matches!(part, 1 | 2);
    year.len() == 4
        && all_digits(year)
        && short(month.len())
        && all_digits(month)
        && short(day)
        && rest.get(day..).is_some_and(|time| time.is_empty() || time.starts_with(['T', 't', ' ', '\t']))
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a character may stand unescaped: YAML can print it, it breaks no line, and a reviewer sees it.
fn is_shown(c: char) -> bool {
    !is_unseen(c) && !matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// Escapes that JSON has too, as far as it has them: the text may stand in JSON-like flow.
fn double_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_shown(c) => out.push(c),
            c => {
                let code = u32::from(c);
                let _ =
                    if code <= 0xffff { write!(out, "\\u{code:04x}") } else { write!(out, "\\U{code:08x}") };
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_any_reader_takes_for_something_else_is_no_string() {
        let table = "~ null Null NULL true True TRUE false yes Yes YES no No NO on On ON off OFF y Y n N = << . \
            0 1 -1 +1 42 007 0123 0o17 0O17 0x1F 0X1f -0x1F 0b1 0B01 0b1_0 1_000 1__0 +_1 1,000 \
            1. .5 -.5 1.5 1.10 1e3 1E3 1e+3 1.5e-3 1234e56 12e03 0e1 5e0 1_0.5 \
            .inf -.inf +.Inf .INF .nan .NaN .NAN \
            12:30 12:30:45 1:2 190:20:30.15 -12:30 1_2:30 \
            0x_ 0X_ 0b_ 0o_ -0x__ ._ .__ +_ -_ +._ -._ +. 1_e+3 1_.5e \
            2026-01-02 2026-1-2 2001-12-14t21:59:43.10-05:00 2001-12-14T21:59:43Z";
        for text in table.split_whitespace().chain(["", "2001-12-14 21:59:43.10 -5", "2001-12-14 21:59:43"]) {
            assert!(!is_string(text), "{text:?}");
            assert!(!is_plain(text, Context::Block), "{text:?}");
        }
    }

    #[test]
    fn what_every_reader_takes_for_a_string_may_stand_plain() {
        let table = "v1 1.2.3 1.2.3-rc.1 v1.10 1.2.3+build.5 sha256:0b1c sha-1234567 0b1c2 0x 0xfg 1e 1e3a e3 \
            deadbeef 127.0.0.1:162 h:1 12:30:60x 2026.03.21-1 2026-01-02-rc1 26-01-02 latest nope only yess \
            ghcr.io/acme/agent:1.2@sha256:aa a=b a#b http://x/y?z=1 -x --flag=1 ü 日本 a.b _a +a x_1 1.2.3.4 \
            infinity .info ..a <<x $HOME a*b a&b a|b it's a\"b";
        for text in table.split_whitespace().chain(["a b", "a - b", "a:b c"]) {
            assert!(is_string(text), "{text:?}");
            assert!(is_plain(text, Context::Block), "{text:?}");
        }
    }

    #[test]
    fn what_would_not_parse_as_itself_is_not_plain() {
        for text in [
            " a",
            "a ",
            "a: b",
            "a:",
            "a #b",
            "#a",
            "- a",
            "-",
            "--",
            "---",
            "--- a",
            "---a",
            "...",
            "? a",
            "?a",
            ":a",
            "[a",
            "{a",
            "{{ .Values.tag }}",
            "]",
            "}",
            ",a",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            "'a",
            "\"a",
            "%a",
            "@a",
            "`a",
            "a\nb",
            "a\tb",
            "a\rb",
            "a\u{85}b",
            "a\u{2028}b",
            "a\u{7f}",
            "\u{feff}a",
            "a\u{202e}b",
            "a\u{0}",
        ] {
            assert!(!is_plain(text, Context::Block), "{text:?}");
        }
        for text in ["a,b", "a[b", "a]b", "a{b", "a}b"] {
            assert!(is_plain(text, Context::Block), "{text:?}");
            assert!(!is_plain(text, Context::Flow), "{text:?}");
        }
        assert!(is_plain("sha256:ab", Context::Flow));
    }

    #[test]
    fn a_style_is_kept_where_it_can_carry_the_text() {
        use ScalarStyle::{DoubleQuoted, Folded, Literal, Plain, SingleQuoted};
        let table = [
            ("v2", Plain, "v2"),
            ("1.10", Plain, "\"1.10\""),
            ("v2", Literal, "v2"),
            ("a\nb", Folded, "\"a\\nb\""),
            ("it's", SingleQuoted, "'it''s'"),
            ("a\nb", SingleQuoted, "\"a\\nb\""),
            ("a\"\\\u{0}\u{e0001}\u{85}", DoubleQuoted, "\"a\\\"\\\\\\u0000\\U000e0001\\u0085\""),
        ];
        for (text, style, expected) in table {
            assert_eq!(written(text, style, Context::Block), expected);
        }
    }
}
