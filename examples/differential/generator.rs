//! Files that no one would write in one place: every way to write YAML that overlays use, mixed by a fixed seed.
//!
//! The same number always gives the same file, so that a finding can be named by its number. What is made is meant to
//! be valid; whether it is, the readers decide.

/// Values as they are written, each on its line.
const SCALARS: &[&str] = &[
    "v1.2.3",
    "1.10",
    "1e3",
    "0123",
    "0x1F",
    "0o17",
    "12:30:45",
    "1_000",
    "2026-01-02",
    "yes",
    "no",
    "On",
    "true",
    "null",
    "~",
    "=",
    ".inf",
    "8080",
    "'1.10'",
    "'it''s'",
    "''",
    "\"\"",
    "\"tab\\t \\u00e9 \\\"q\\\"\"",
    "\"{{ .Values.tag }}\"",
    "ghcr.io/acme/agent:v1.2.3@sha256:0b1c",
    "a b c",
    "a#b",
    "http://example.test/x?y=1&z=2",
    "-x",
    "--flag=1",
    "<html>",
    "é☃ 日本",
    "'# no comment'",
    "\"a: b\"",
    "!!str 5",
    "!custom x",
    "{}",
    "[]",
];
/// What may follow a value on its line.
const TAILS: &[&str] =
    &["", "", "", "", "", " # why", "  #why: 'not'", "\t# tab before", " \t # both", "   "];
/// Lines between entries.
const BETWEEN: &[&str] =
    &["", "", "", "", "", "\n", "# at the start\n", "      # far in: 1\n", "\n\n", "  \n", "#\n", "# é: ☃\n"];
const KEYS: &[&str] = &[
    "tag",
    "image",
    "repository",
    "name",
    "digest",
    "replicas",
    "a.b/c",
    "'quoted key'",
    "\"on\"",
    "with space",
    "ключ",
    "1",
    "null-ish",
    "x-y_z",
    "-dash",
    "$ref",
    "\"a\\\"b\"",
];

struct Maker {
    state: u64,
    out: String,
    anchors: usize,
    /// Names of anchors on scalars and on mappings.
    scalars: Vec<String>,
    mappings: Vec<String>,
}

/// The file of a number.
pub fn file(number: u64) -> String {
    let mut maker = Maker {
        state: number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed,
        out: String::new(),
        anchors: 0,
        scalars: Vec::new(),
        mappings: Vec::new(),
    };
    if number.is_multiple_of(9) {
        maker.out.push_str("# about the file\n\n");
    }
    let documents = if number % 4 == 3 { 3 } else { 1 };
    for document in 0..documents {
        maker.scalars.clear();
        maker.mappings.clear();
        let start = maker.pick(&["---\n", "--- # c\n", "---   \n", "...\n---\n"]);
        if document > 0 || number % 5 == 4 {
            maker.out.push_str(if document == 0 { "---\n" } else { start });
        }
        match number % 16 {
            5 => maker.deep(30),
            11 => maker.flow_document(),
            13 => maker.sequence(0, 3),
            _ => maker.mapping(0, 4),
        }
    }
    let mut text = maker.out;
    if number % 6 == 2 {
        text.truncate(text.trim_end_matches('\n').len());
    }
    if number % 40 == 17 {
        // A line break to readers of YAML 1.1 alone.
        text = text.replacen(" # why", " # why\u{2028}tag: v0", 1);
    }
    if number % 5 == 1 {
        text = text.replace('\n', "\r\n");
    }
    if number % 7 == 3 {
        text.insert(0, '\u{feff}');
    }
    text
}

impl Maker {
    /// splitmix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap_or_default()
    }

    fn pick(&mut self, choices: &[&'static str]) -> &'static str {
        choices[self.below(choices.len())]
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn line(&mut self, text: &str) {
        let mut tail = self.pick(TAILS);
        self.out.push_str(text);
        if self.out.ends_with('-') && tail.contains('\t') {
            // libyaml's offspring cannot read a tab right after a dash.
            tail = " # c";
        }
        self.out.push_str(tail);
        self.out.push('\n');
    }

    /// Keys of one mapping are distinct, but for a few duplicates on purpose.
    fn mapping(&mut self, indent: usize, depth: usize) {
        let count = 1 + self.below(5);
        let from = self.below(KEYS.len());
        // Most files merge first; to Helm, what is merged last wins.
        let merged = self.mappings.last().cloned().filter(|_| self.one_in(2));
        let first = !self.one_in(8);
        if let Some(name) = merged.as_ref().filter(|_| first) {
            self.line(&format!("{}<<: *{name}", " ".repeat(indent)));
        }
        for number in 0..count {
            let between = self.pick(BETWEEN);
            if number > 0 || indent == 0 {
                self.out.push_str(between);
            }
            if number > 0 && self.one_in(60) {
                // Readable below a plain value alone, so not often.
                self.out.push_str(" \t# tab in front\n");
            }
            let pad = " ".repeat(indent);
            let mut key = KEYS[(from + number) % KEYS.len()];
            if number > 0 && self.one_in(40) {
                key = KEYS[from];
            }
            if number > 0 && self.one_in(30) {
                self.complex_key(&pad);
            }
            self.out.push_str(&pad);
            self.out.push_str(key);
            let colon = if self.one_in(25) { " :" } else { ":" };
            self.out.push_str(colon);
            self.value(indent, depth);
        }
        if let Some(name) = merged.filter(|_| !first) {
            self.line(&format!("{}<<: *{name}", " ".repeat(indent)));
        }
    }

    fn complex_key(&mut self, pad: &str) {
        let written = self.pick(&["? [a, b]\n@: c\n", "? plain\n@: v1\n", "? {a: 1}\n@: - x\n@  - y\n"]);
        self.out.push_str(pad);
        self.out.push_str(&written.replace('@', pad));
    }

    fn sequence(&mut self, indent: usize, depth: usize) {
        for _ in 0..=self.below(3) {
            let pad = " ".repeat(indent);
            let between = self.pick(BETWEEN);
            self.out.push_str(between);
            self.out.push_str(&pad);
            self.out.push('-');
            if depth > 0 && self.one_in(2) {
                let gap = if self.one_in(4) { 3 } else { 1 };
                let at = self.out.len() + gap;
                self.out.push_str(&" ".repeat(gap));
                self.mapping(indent + 1 + gap, depth - 1);
                // The first entry stands beside the dash.
                let first = self.out[at..].trim_start_matches([' ', '\n']).to_owned();
                if first.starts_with('#') {
                    self.out.insert(at, '\n');
                } else {
                    self.out.truncate(at);
                    self.out.push_str(&first);
                }
            } else {
                self.value(indent, depth);
            }
        }
    }

    fn value(&mut self, indent: usize, depth: usize) {
        let pad = " ".repeat(indent + 2);
        match self.below(if depth == 0 { 12 } else { 20 }) {
            0 => self.line(""),
            1 => self.block_scalar(&pad),
            2 => {
                self.anchors += 1;
                let name = format!("a{}", self.anchors);
                let value = self.pick(&["v1", "'v1'", "1.5", "", "\"v\""]);
                self.line(&format!(" &{name} {value}"));
                self.scalars.push(name);
            }
            3 => match self.scalars.last().cloned() {
                Some(name) => self.line(&format!(" *{name}")),
                None => self.line(" none"),
            },
            4 => self.several_lines(&pad),
            5 | 6 => {
                let mut flow = " ".to_owned();
                self.flow(&mut flow, 3, &pad);
                self.line(&flow);
            }
            12..=15 => {
                let mut after = String::new();
                if self.one_in(4) {
                    self.anchors += 1;
                    after = format!(" &m{}", self.anchors);
                }
                self.line(&after);
                let deeper = 2 + 2 * self.below(2);
                self.mapping(indent + deeper, depth - 1);
                if let Some(name) = after.strip_prefix(" &") {
                    self.mappings.push(name.to_owned());
                }
            }
            16..=18 => {
                self.line("");
                let deeper = self.below(2) * 2;
                self.sequence(indent + deeper, depth - 1);
            }
            _ => {
                let value = self.pick(SCALARS);
                self.line(&format!(" {value}"));
            }
        }
    }

    fn block_scalar(&mut self, pad: &str) {
        let header = self.pick(&["|", ">", "|-", ">-", "|+", ">+", "|2", "| # c", ">-  "]);
        let body = self.pick(&["text\n", "a\n@b\n", "a\n\n@  more\n@b\n", "# no comment\n", "k: v\n@- x\n"]);
        let end = self.pick(&["", "", "\n", "\n\n"]);
        // `|2` counts from the parent, which stands two to the left of the text.
        self.out.push_str(&format!(" {header}\n{pad}{}{end}", body.replace('@', pad)));
    }

    fn several_lines(&mut self, pad: &str) {
        let text = self.pick(&[
            "one\n@two",
            "'one\n@two'",
            "\"one\n@two\\\n@three\"",
            "\n@one",
            "# c\n@one",
            "\n@'one'",
            "[a,\n@b]",
        ]);
        let text = text.replace('@', pad);
        self.line(&format!(" {text}"));
    }

    fn flow(&mut self, out: &mut String, depth: usize, pad: &str) {
        let is_long = self.one_in(3);
        let json = self.one_in(5);
        let (open, close) = if self.one_in(3) { ('[', ']') } else { ('{', '}') };
        out.push(open);
        let count = self.below(4);
        for number in 0..count {
            if is_long {
                let comment = self.pick(&["", "", " # in flow"]);
                out.push_str(&format!("{comment}\n{pad}"));
            } else if number > 0 && !json {
                out.push(' ');
            }
            if open == '{' {
                let key = ["a", "tag", "\"q\"", "digest"][number];
                let key = if json { format!("\"{}\":", key.trim_matches('"')) } else { format!("{key}: ") };
                out.push_str(&key);
            }
            if depth > 0 && self.one_in(4) {
                self.flow(out, depth - 1, pad);
            } else {
                let value = self.pick(&["v1", "1.10", "'x'", "\"y\"", "yes", "12", "a b", "null"]);
                out.push_str(&if json {
                    format!("\"{}\"", value.trim_matches(['\'', '"']))
                } else {
                    value.to_owned()
                });
            }
            if number + 1 < count || self.one_in(6) {
                out.push(',');
            }
        }
        if is_long {
            let comment = self.pick(&["", "", " # last"]);
            out.push_str(&format!("{comment}\n{pad}"));
        }
        out.push(close);
    }

    fn flow_document(&mut self) {
        let mut flow = String::new();
        self.flow(&mut flow, 5, "  ");
        self.line(&flow);
    }

    fn deep(&mut self, levels: usize) {
        for level in 0..levels {
            let pad = " ".repeat(level);
            let written = if self.one_in(4) { "tag: v1\n@k:" } else { "k:" };
            self.line(&format!("{pad}{}", written.replace('@', &pad)));
        }
        let pad = " ".repeat(levels);
        self.line(&format!("{pad}tag: 1.10"));
    }
}
