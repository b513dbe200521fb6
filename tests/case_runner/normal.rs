//! What differs from run to run, written as what it means: `<commit 3>`, `<digest v1.8.0>`, `<20h ago>`.
//!
//! The same words may stand in a case, where they become what they mean.

use std::cell::RefCell;
use std::collections::BTreeSet;

use anyhow::Context as _;
use jiff::Timestamp;
use regex::{Captures, Regex};

pub struct Normal {
    server: String,
    now: Timestamp,
    /// Each commit with its number in the history; the start is 0.
    pub commits: Vec<(usize, String)>,
    digests: RefCell<BTreeSet<String>>,
}

impl Normal {
    pub fn new(server: &str, now: Timestamp) -> Self {
        Self { server: server.to_owned(), now, commits: Vec::new(), digests: RefCell::default() }
    }

    /// The text of a case with what its placeholders mean; `<commit 3…>` are the first 7 digits.
    pub fn filled(&self, text: &str) -> anyhow::Result<String> {
        let mut missing = None;
        let filled = regex(r"<commit (\d+)(…?)>").replace_all(text, |found: &Captures<'_>| {
            let sha = self.commits.iter().find(|(number, _)| number.to_string() == found[1]);
            match sha {
                Some((_, sha)) if found[2].is_empty() => sha.clone(),
                Some((_, sha)) => sha[..7].to_owned(),
                None => {
                    missing = Some(found[0].to_owned());
                    String::new()
                }
            }
        });
        let filled = regex("<digest ([^>]+)>").replace_all(&filled, |found: &Captures<'_>| {
            self.digests.borrow_mut().insert(found[1].to_owned());
            digest(&found[1])
        });
        match missing {
            Some(missing) => None.with_context(|| format!("`{missing}` is not there yet")),
            None => Ok(filled.into_owned()),
        }
    }

    /// What was found, with placeholders for what varies.
    pub fn normal(&self, text: &str) -> String {
        let mut text = text.replace(&self.server, "https://github.com");
        for (number, sha) in &self.commits {
            text = text.replace(sha, &format!("<commit {number}>"));
            text = text.replace(&sha[..7], &format!("<commit {number}…>"));
        }
        for name in self.digests.borrow().iter() {
            let digest = digest(name);
            text = text.replace(&digest, &format!("<digest {name}>"));
            text = text.replace(&format!("{}…", &digest[..19]), &format!("<digest {name}…>"));
        }
        let text = regex(r#""plan":"[^"]+""#).replace_all(&text, r#""plan":"<plan>""#);
        let text = regex(r"/actions/runs/\d+(/job/\d+)?").replace_all(&text, "/actions/runs/<run>");
        let text = regex(r"/runs/\d+").replace_all(&text, "/runs/<check>");
        let times = r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?Z| \d\d:\d\d UTC)";
        let text = regex(times).replace_all(&text, |found: &Captures<'_>| self.ago(&found[0]));
        text.into_owned()
    }

    fn ago(&self, time: &str) -> String {
        let iso = time.replace(" UTC", ":00Z").replace(' ', "T");
        let Ok(at) = iso.parse::<Timestamp>() else { return time.to_owned() };
        let minutes = (self.now.as_second() - at.as_second()) / 60;
        let length = |minutes: i64| {
            if minutes % 60 == 0 { format!("{}h", minutes / 60) } else { format!("{minutes}m") }
        };
        if minutes < 0 { format!("<in {}>", length(-minutes)) } else { format!("<{} ago>", length(minutes)) }
    }
}

/// A digest that differs for each name, from its first digits on.
fn digest(name: &str) -> String {
    let (high, low) = name.bytes().fold((0x5eed_u64, 0xd1ce_u64), |(high, low), byte| {
        let mixed = (high ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        (mixed.rotate_left(29), low.wrapping_add(mixed).rotate_left(17))
    });
    format!("sha256:{high:016x}{low:016x}{low:016x}{high:016x}")
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}
