//! Lines, columns, colons and commas: the bytes between values, which the parser does not report.
//!
//! Reads only; every position it answers is a character boundary of the text.

use std::ops::Range;

use super::document::{Entry, Node, Value};

/// A text seen as lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout<'t> {
    pub(super) text: &'t str,
}

/// A `|` or `>` scalar: its header (without a comment after it) and the lines of its content.
#[derive(Debug)]
pub(super) struct BlockScalar {
    pub(super) header: Range<usize>,
    pub(super) content: Range<usize>,
}

/// Lines between brackets that hold one entry and nothing else but a comma and a comment.
#[derive(Debug)]
pub(super) struct FlowLine {
    pub(super) start: usize,
    /// Where the next line starts.
    pub(super) end: usize,
    pub(super) comma: Option<usize>,
}

impl<'t> Layout<'t> {
    pub(super) fn slice(&self, range: &Range<usize>) -> &'t str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    fn tail(&self, at: usize) -> &'t str {
        self.text.get(at..).unwrap_or_default()
    }

    fn head(&self, at: usize) -> &'t str {
        self.text.get(..at).unwrap_or_default()
    }

    /// Where the line of a position starts; a byte-order mark is before the first line.
    pub(super) fn line_start(&self, at: usize) -> usize {
        match self.head(at).rfind(['\n', '\r']) {
            Some(end) => end + 1,
            None if self.text.starts_with('\u{feff}') => '\u{feff}'.len_utf8().min(at),
            None => 0,
        }
    }

    /// Where the line of a position ends, before its line ending.
    pub(super) fn line_end(&self, at: usize) -> usize {
        at + self.tail(at).find(['\n', '\r']).unwrap_or(self.tail(at).len())
    }

    /// Where the line after that of a position starts.
    pub(super) fn next_line(&self, at: usize) -> usize {
        let end = self.line_end(at);
        end + line_ending(self.tail(end)).len()
    }

    pub(super) fn is_line_start(&self, at: usize) -> bool {
        at == self.line_start(at)
    }

    /// The column of a position, in characters from 0.
    pub(super) fn column(&self, at: usize) -> usize {
        self.slice(&(self.line_start(at)..at)).chars().count()
    }

    /// The line ending at a position, else that of the line before it, else that of the file.
    pub(super) fn ending_near(&self, at: usize) -> &'static str {
        let here = line_ending(self.tail(self.line_end(at)));
        if !here.is_empty() {
            return here;
        }
        let before = self.head(self.line_start(at));
        let ending = ["\r\n", "\n", "\r"].into_iter().find(|ending| before.ends_with(ending));
        ending.unwrap_or("\n")
    }

    /// The first position from here that is neither blank nor a line ending.
    pub(super) fn skip_blank_lines(&self, at: usize) -> usize {
        let tail = self.tail(at);
        at + tail.find(|c| !matches!(c, ' ' | '\t' | '\n' | '\r')).unwrap_or(tail.len())
    }

    fn skip_blanks(&self, at: usize) -> usize {
        let tail = self.tail(at);
        at + tail.find(|c| !matches!(c, ' ' | '\t')).unwrap_or(tail.len())
    }

    /// What is between blanks and line endings; comments are left out.
    pub(super) fn words(&self, range: Range<usize>) -> impl Iterator<Item = Range<usize>> + use<'t> {
        let layout = *self;
        let mut at = range.start;
        std::iter::from_fn(move || {
            loop {
                at = layout.skip_blank_lines(at);
                if at >= range.end {
                    return None;
                }
                let tail = layout.tail(at);
                if tail.starts_with('#') {
                    at = layout.line_end(at);
                    continue;
                }
                let end = at + tail.find([' ', '\t', '\n', '\r']).unwrap_or(tail.len());
                let word = at..end;
                at = end;
                return Some(word);
            }
        })
    }

    /// Whether the key is written with `?`.
    pub(super) fn is_explicit(&self, entry: &Entry) -> bool {
        let before = self.slice(&(self.line_start(entry.key.start)..entry.key.start));
        before.ends_with([' ', '\t']) && before.trim_end_matches([' ', '\t']).ends_with('?')
    }

    /// Whether a key in a block is written with `?`, which may stand on a line before it: the colon is not beside it.
    pub(super) fn is_explicit_in_block(&self, entry: &Entry) -> bool {
        self.is_explicit(entry) || entry.key.is_block_scalar() || self.colon(entry).is_none()
    }

    /// The colon of an entry, where it is on the line of the key.
    pub(super) fn colon(&self, entry: &Entry) -> Option<usize> {
        let at = self.skip_blanks(entry.key.span.end);
        (self.tail(at).starts_with(':') && !entry.key.span.is_empty()).then_some(at)
    }

    /// The colon of an entry and the blanks after it, where the value is on the same line.
    pub(super) fn after_colon(&self, entry: &Entry) -> Option<&'t str> {
        let gap = self.slice(&(entry.key.span.end..entry.value.start.max(entry.key.span.end)));
        (gap.starts_with(':') && !has_break(gap)).then_some(gap)
    }

    /// Where an entry between brackets ends, its colon included.
    pub(super) fn end(&self, entry: &Entry) -> usize {
        match self.colon(entry) {
            Some(colon) if entry.value.span.is_empty() => entry.value.span.end.max(colon + 1),
            _ => entry.value.span.end,
        }
    }

    /// Whether nothing follows the colon: Go's YAML needs a blank before a comma or bracket there.
    pub(super) fn ends_in_colon(&self, entry: &Entry) -> bool {
        entry.value.span.is_empty() && self.head(self.end(entry)).ends_with(':')
    }

    /// The comma after a position, if only blanks are between.
    pub(super) fn comma(&self, at: usize) -> Option<usize> {
        let at = self.skip_blanks(at);
        self.tail(at).starts_with(',').then_some(at)
    }

    /// The lines of an entry between brackets, if nothing else is on them.
    pub(super) fn own_flow_line(&self, entry: &Entry, end: usize) -> Option<FlowLine> {
        let start = self.line_start(entry.key.start);
        let comma = self.comma(end);
        let rest = comma.map_or(end, |comma| comma + 1);
        let rest = self.slice(&(rest..self.line_end(rest)));
        let is_alone = start > 0
            && self.slice(&(start..entry.key.start)).trim().is_empty()
            && (rest.trim().is_empty()
                || rest.starts_with([' ', '\t']) && rest.trim_start().starts_with('#'));
        is_alone.then(|| FlowLine { start, end: self.next_line(end), comma })
    }

    /// Where the line after an entry in a block starts.
    pub(super) fn after(&self, entry: &Entry) -> usize {
        let (node, lower) = last_value(entry);
        if node.is_block_scalar() {
            let block = self.block_scalar(node, lower);
            return block.map_or_else(|| self.next_line(node.span.end), |block| block.content.end);
        }
        // A value that is left out has no bytes; its key or colon is on its last line.
        let left_out = node.span.is_empty() && node.anchor.is_none();
        self.next_line(if left_out { lower.max(node.start) } else { node.span.end })
    }

    /// The parts of a block scalar; its header is looked for from `lower` on.
    pub(super) fn block_scalar(&self, node: &Node, lower: usize) -> Option<BlockScalar> {
        let Value::Scalar { text, .. } = &node.value else { return None };
        let header =
            self.words(lower..self.text.len()).find(|word| self.slice(word).starts_with(['|', '>']))?;
        let start = self.next_line(header.end);
        let keeps = self.slice(&header).contains('+');
        let mut end = start;
        if !node.span.is_empty() {
            // The parser's span may reach into the blanks of the next line; deeper ones are text.
            end = node.span.end.max(start);
            let is_text = !text.trim_matches('\n').is_empty()
                && self.column(end) >= usize::try_from(node.column).unwrap_or(usize::MAX);
            if !self.is_line_start(end)
                && !is_text
                && self.slice(&(self.line_start(end)..end)).trim().is_empty()
            {
                end = self.line_start(end);
            }
        } else if keeps && !text.is_empty() {
            for _ in 0..text.matches('\n').count() {
                end = self.next_line(end);
            }
        }
        while !keeps && end > start {
            let Some(before) = self.line_before(end) else { break };
            // A line that is indented deeper than the text is text, however blank.
            let blank = self.slice(&(before..self.line_end(before)));
            let is_text = blank.chars().count() >= usize::try_from(node.column).unwrap_or(usize::MAX);
            if before < start || is_text || !blank.trim().is_empty() {
                break;
            }
            end = before;
        }
        Some(BlockScalar { header, content: start..end })
    }

    /// Where a new key of this indentation may stand from a line on: below comments that are indented deeper, and
    /// below commented-out items of a list whose dashes stand there too. They belong to what is above.
    pub(super) fn below_own_comments(&self, line: usize, indent: usize, is_list: bool) -> usize {
        let (mut end, mut is_item) = (line, false);
        loop {
            let next = self.skip_blank_lines(end);
            if !self.is_comment(next) {
                return end;
            }
            let column = self.column(next);
            let text = self.tail(next).trim_start_matches('#');
            let goes_on = is_item && text.starts_with("  ");
            let is_own_item = is_list && column == indent && (goes_on || text.trim_start().starts_with("- "));
            if column <= indent && !is_own_item {
                return end;
            }
            is_item = is_own_item;
            end = self.next_line(next);
        }
    }

    /// Whether there is a tab in the blank lines from the start of a line on, or before a comment there.
    pub(super) fn is_tab_below(&self, line: usize) -> bool {
        let end = self.skip_blank_lines(line);
        let end =
            if end == self.text.len() || self.is_comment(end) { end } else { self.line_start(end).max(line) };
        self.slice(&(line..end)).contains('\t')
    }

    /// Whether a line starts here that has nothing but blanks on it.
    pub(super) fn is_blank_line(&self, start: usize) -> bool {
        start < self.text.len()
            && self.slice(&(start..self.line_end(start))).trim_matches([' ', '\t']).is_empty()
    }

    pub(super) fn is_comment(&self, at: usize) -> bool {
        self.tail(at).starts_with('#')
    }

    /// Where the line before a line's start starts.
    fn line_before(&self, at: usize) -> Option<usize> {
        let head = self.head(at);
        let head = head.strip_suffix("\r\n").or_else(|| head.strip_suffix(['\n', '\r']))?;
        Some(self.line_start(head.len()))
    }
}

/// The value on the last line of an entry in a block, and where the search for what is before it may begin.
pub(super) fn last_value(entry: &Entry) -> (&Node, usize) {
    let (mut node, mut lower) = (&entry.value, entry.key.span.end);
    loop {
        match &node.value {
            Value::Mapping { entries, flow: false } => {
                let Some(last) = entries.last() else { break };
                (node, lower) = (&last.value, last.key.span.end);
            }
            Value::Sequence { items, flow: false } => {
                let Some(last) = items.last() else { break };
                let before = items.len().checked_sub(2).and_then(|before| items.get(before));
                (node, lower) = (last, before.map_or(lower, |before| before.span.end));
            }
            _ => break,
        }
    }
    (node, lower)
}

pub(super) fn has_break(text: &str) -> bool {
    text.contains(['\n', '\r'])
}

fn line_ending(tail: &str) -> &'static str {
    ["\r\n", "\n", "\r"].into_iter().find(|ending| tail.starts_with(ending)).unwrap_or("")
}
