//! Which bytes change.
//!
//! Turns a plan into replacements of byte ranges: of a value, of whole lines, of an entry between
//! brackets. Knows how YAML is laid out, but is never trusted: what it does is proven afterwards.

use std::ops::Range;

use crate::failure::{Failure, Kind, Result};

use super::document::{Document, Entry, Node, ScalarStyle, Value};
use super::layout::{FlowLine, Layout, has_break, last_value};
use super::planning::{Group, Plan, Set};
use super::proof::broken;
use super::quoting::{Context, is_string, written};

/// Bytes that are replaced.
#[derive(Debug)]
pub(super) struct Splice {
    range: Range<usize>,
    text: String,
    /// A whole line: its ending is `text`'s to be added, after it or, at the end of the file, before it.
    ending: Option<&'static str>,
}

impl Splice {
    fn replace(range: Range<usize>, text: impl Into<String>) -> Self {
        Self { range, text: text.into(), ending: None }
    }

    fn insert(at: usize, text: impl Into<String>) -> Self {
        Self::replace(at..at, text)
    }

    fn line(at: usize, text: String, ending: &'static str) -> Self {
        Self { range: at..at, text, ending: Some(ending) }
    }
}

/// The splices that carry out a plan.
pub(super) fn splices(document: &Document, plan: &Plan<'_>) -> Result<Vec<Splice>> {
    let cutter = Cutter { document, layout: Layout { text: document.text() } };
    let mut splices = Vec::new();
    let mut sets: Vec<_> = plan.sets.values().filter(|set| !set.is_done()).collect();
    sets.sort_by_key(|set| set.edit);
    for set in sets {
        splices.extend(cutter.set(set)?);
    }
    for group in plan.groups.values() {
        let flow = matches!(group.mapping.value, Value::Mapping { flow: true, .. });
        splices.extend(if flow { cutter.flow_group(group)? } else { cutter.block_group(plan, group)? });
    }
    Ok(splices)
}

/// The text with every splice made; two that overlap are an error.
pub(super) fn spliced(document: &Document, mut splices: Vec<Splice>) -> Result<String> {
    let text = document.text();
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    let mut out =
        String::with_capacity(text.len() + splices.iter().map(|splice| splice.text.len() + 2).sum::<usize>());
    let mut from = 0;
    for Splice { range, text: new, ending } in splices {
        out.push_str(text.get(from..range.start).ok_or_else(broken)?);
        match ending {
            Some(ending) if out.is_empty() || out.ends_with(['\n', '\r']) => out.extend([&new, ending]),
            Some(ending) => out.extend([ending, &new]),
            None => out.push_str(&new),
        }
        from = range.end;
    }
    out.push_str(text.get(from..).ok_or_else(broken)?);
    Ok(out)
}

struct Cutter<'d> {
    document: &'d Document,
    layout: Layout<'d>,
}

impl<'d> Cutter<'d> {
    fn refusal(&self, node: &Node, message: &str) -> Failure {
        Failure::at(Kind::Overlay, self.document.place(node), message).hinted("edit this one by hand")
    }

    fn set(&self, set: &Set<'d>) -> Result<Vec<Splice>> {
        let node = set.located.node;
        let trail = &set.located.trail;
        let is_flow = |(above, _): &(&Node, usize)| {
            matches!(above.value, Value::Mapping { flow: true, .. } | Value::Sequence { flow: true, .. })
        };
        let context = if trail.iter().any(is_flow) { Context::Flow } else { Context::Block };
        let Value::Scalar { style, .. } = node.value else { return Err(broken()) };
        let wanted = if is_plain_in_json(self.document, set) { ScalarStyle::DoubleQuoted } else { style };
        let text = written(&set.value, wanted, context);
        let is_quoted = text != set.value;
        if is_quoted && style == ScalarStyle::Plain {
            self.refuse_tab_below(node, self.layout.next_line(node.span.end))?;
        }
        match style {
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let block = self
                    .layout
                    .block_scalar(node, lower_bound(node, trail, self.document))
                    .ok_or_else(broken)?;
                let mut lines = block.content;
                if is_quoted {
                    self.refuse_tab_below(node, lines.end)?;
                }
                if lines.end == self.document.text().len() && !self.layout.is_line_start(lines.end) {
                    lines.start = self.layout.line_end(block.header.start);
                }
                Ok(vec![Splice::replace(block.header, text), Splice::replace(lines, "")])
            }
            _ if !node.span.is_empty() => Ok(vec![Splice::replace(node.span.clone(), text)]),
            _ => {
                let (at, lead) = self.left_out(node, trail, context)?;
                Ok(vec![Splice::insert(at, format!("{lead}{text}"))])
            }
        }
    }

    /// Where a value that is left out would stand, and what comes before it.
    fn left_out(
        &self,
        node: &Node,
        trail: &[(&Node, usize)],
        context: Context,
    ) -> Result<(usize, &'static str)> {
        if node.anchor.is_some() {
            return Ok((node.span.start, " "));
        }
        let Some((above, number)) = trail.last().copied() else {
            return Err(self.refusal(node, "the document is empty, so no value can be set in it"));
        };
        let Some(entry) = above.entries().get(number) else {
            let from = lower_bound(node, trail, self.document);
            let dash =
                self.layout.words(from..node.span.end.max(from)).find(|word| self.layout.slice(word) == "-");
            return dash.map(|dash| (dash.end, " ")).ok_or_else(broken);
        };
        if has_break(self.layout.slice(&entry.key.span)) {
            return Err(self.refusal(node, "the key goes over several lines, so no value can be set for it"));
        }
        match self.layout.colon(entry) {
            Some(colon) => {
                self.refuse_comment_at(node, colon + 1)?;
                Ok((colon + 1, " "))
            }
            None if context == Context::Flow
                && !entry.key.span.is_empty()
                && !self.layout.is_explicit(entry) =>
            {
                Ok((entry.key.span.end, ": "))
            }
            None => Err(self.refusal(node, "the key has no `:`, so no value can be set for it")),
        }
    }

    fn block_group(&self, plan: &Plan<'_>, group: &Group<'d>) -> Result<Vec<Splice>> {
        let entries = group.mapping.entries();
        let mut splices = Vec::new();
        for added in &group.added {
            let entry = added.after.and_then(|after| entries.get(after)).ok_or_else(broken)?;
            self.refuse_explicit_in_block(entry)?;
            let indent = self.layout.column(entry.key.start);
            let key = written(&added.key, ScalarStyle::Plain, Context::Block);
            let value = written(&added.value, ScalarStyle::Plain, Context::Block);
            let ending = self.layout.ending_near(entry.key.start);
            let at = self.layout.after(entry);
            self.refuse_tab_below(&entry.value, at)?;
            self.refuse_open_end(plan, entry, at)?;
            let is_list = matches!(&entry.value.value, Value::Sequence { flow: false, .. });
            let at = self.layout.below_own_comments(at, indent, is_list);
            splices.push(Splice::line(at, format!("{}{key}: {value}", " ".repeat(indent)), ending));
        }
        let mut numbers = group.removed.iter().copied().peekable();
        while let Some(number) = numbers.next() {
            let entry = entries.get(number).ok_or_else(broken)?;
            self.refuse_explicit_in_block(entry)?;
            self.refuse_tab_below(&entry.value, self.layout.after(entry))?;
            self.refuse_joining_above(group, number)?;
            let start = self.layout.line_start(entry.key.start);
            let before = self.layout.slice(&(start..entry.key.start));
            if before.chars().all(|c| c == ' ') {
                splices.push(Splice::replace(start..self.layout.after(entry), ""));
            } else if before.chars().all(|c| matches!(c, ' ' | '\t' | '-')) {
                // The first key of a list item: what comes next moves up to the dash.
                let mut last = entry;
                let mut at = number;
                while numbers.next_if(|next| *next == at + 1).is_some() {
                    at += 1;
                    last = entries.get(at).ok_or_else(broken)?;
                }
                let next = self.layout.skip_blank_lines(self.layout.after(last));
                splices.push(Splice::replace(entry.key.start..next, ""));
            } else {
                return Err(self.refusal(&entry.key, "the key shares its line with what is before it"));
            }
        }
        Ok(splices)
    }

    /// The YAML of Helm and Kustomize reads a tab on a blank line after a plain scalar alone.
    fn refuse_tab_below(&self, node: &Node, line: usize) -> Result<()> {
        if self.layout.is_tab_below(line) {
            return Err(
                self.refusal(node, "the blank line below has a tab, which other YAML readers stumble over")
            );
        }
        Ok(())
    }

    /// Text in a block scalar that the end of the file cuts off would gain a line ending.
    fn refuse_open_end(&self, plan: &Plan<'_>, entry: &Entry, at: usize) -> Result<()> {
        let (last, lower) = last_value(entry);
        let is_cut = at == self.layout.text.len() && !self.layout.is_line_start(at);
        if !is_cut || !last.is_block_scalar() || plan.sets.contains_key(&std::ptr::from_ref(last)) {
            return Ok(());
        }
        let block = self.layout.block_scalar(last, lower).ok_or_else(broken)?;
        if self.layout.slice(&block.header).contains('-') {
            return Ok(());
        }
        Err(self
            .refusal(
                last,
                "the file ends in this text without a line ending; a line after it would change it",
            )
            .hinted("end the file with a line ending first"))
    }

    /// A block scalar would take what is below a removed key for its own: comments that are indented like its
    /// text and, where it keeps them (`|+`), blank lines.
    fn refuse_joining_above(&self, group: &Group<'d>, number: usize) -> Result<()> {
        let entries = group.mapping.entries();
        let entry = entries.get(number).ok_or_else(broken)?;
        let mut start = self.layout.line_start(entry.key.start);
        for (at, before) in entries.iter().enumerate().take(number).rev() {
            if !self.layout.slice(&(self.layout.after(before)..start)).trim().is_empty() {
                break;
            }
            start = self.layout.line_start(before.key.start);
            if group.removed.contains(&at) {
                continue;
            }
            let (last, lower) = last_value(before);
            let block = if last.is_block_scalar() { self.layout.block_scalar(last, lower) } else { None };
            let Some(block) = block else { break };
            let below = self.layout.after(entry);
            let keeps = self.layout.slice(&block.header).contains('+') && self.layout.is_blank_line(below);
            let next = self.layout.skip_blank_lines(below);
            // Text of blanks alone has no column of its own: any deeper than the key would do.
            let is_empty = last.as_str().is_none_or(|text| text.trim_matches('\n').is_empty());
            let deeper = self.layout.column(entry.key.start) + 1;
            let indent = if is_empty { deeper } else { self.layout.column(last.span.start) };
            let mut blank = self.layout.slice(&(below..next)).split(['\n', '\r']);
            let is_text = blank.any(|line| line.chars().count() > indent);
            if keeps || is_text || self.layout.is_comment(next) && self.layout.column(next) >= indent {
                let message = "the text above would take the lines below this key for its own";
                return Err(self.refusal(&entry.key, message));
            }
            break;
        }
        Ok(())
    }

    /// A `#` right after a quoted key's colon is a comment to some readers alone.
    fn refuse_comment_at(&self, node: &Node, at: usize) -> Result<()> {
        if self.layout.is_comment(at) {
            return Err(self.refusal(node, "what stands around the key is not plain enough"));
        }
        Ok(())
    }

    fn refuse_explicit(&self, entry: &Entry) -> Result<()> {
        if self.layout.is_explicit(entry) || entry.key.span.is_empty() {
            return Err(self.refusal(
                &entry.key,
                "beside keys that are written with `?` or left out nothing is added or removed",
            ));
        }
        Ok(())
    }

    /// The same in a block, down to the entry on whose last line this one ends.
    fn refuse_explicit_in_block(&self, entry: &Entry) -> Result<()> {
        self.refuse_explicit(entry)?;
        let mut entry = entry;
        loop {
            if self.layout.is_explicit_in_block(entry) {
                return Err(self.refusal(
                    &entry.key,
                    "beside keys that are written with `?` or left out nothing is added or removed",
                ));
            }
            let mut node = &entry.value;
            while let Value::Sequence { items, flow: false } = &node.value
                && let Some(last) = items.last()
            {
                node = last;
            }
            match &node.value {
                Value::Mapping { entries, flow: false } => match entries.last() {
                    Some(last) => entry = last,
                    None => return Ok(()),
                },
                _ => return Ok(()),
            }
        }
    }

    fn flow_group(&self, group: &Group<'d>) -> Result<Vec<Splice>> {
        let mapping = group.mapping;
        let is_lone = mapping.entries().first().is_some_and(|entry| entry.key.start == mapping.span.start);
        if is_lone || !self.layout.slice(&mapping.span).starts_with('{') {
            return Err(self.refusal(mapping, "a mapping without `{` in a list has one key only"));
        }
        let mut splices = self.flow_removed(group)?;
        let entries = mapping.entries();
        if entries.is_empty() {
            let inner = mapping.span.start + 1..mapping.span.end.saturating_sub(1);
            let new: Vec<_> = group
                .added
                .iter()
                .map(|added| flow_entry(&added.key, &added.value, ScalarStyle::Plain, ": "))
                .collect();
            if !new.is_empty() {
                let lead: String = self.layout.slice(&inner).chars().take_while(|c| *c == ' ').collect();
                splices.push(Splice::insert(inner.start, format!("{lead}{}", new.join(", "))));
            }
            return Ok(splices);
        }
        for order in 0..group.added.len() {
            splices.extend(self.flow_added(group, order)?);
        }
        Ok(splices)
    }

    /// One new entry between brackets, on a line of its own where the one before it has one.
    fn flow_added(&self, group: &Group<'d>, order: usize) -> Result<Vec<Splice>> {
        let entries = group.mapping.entries();
        let added = group.added.get(order).ok_or_else(broken)?;
        let mut splices = Vec::new();
        let number = added.after.ok_or_else(broken)?;
        let entry = entries.get(number).ok_or_else(broken)?;
        self.refuse_explicit(entry)?;
        let style = match entry.key.value {
            Value::Scalar { style: ScalarStyle::DoubleQuoted, .. } => ScalarStyle::DoubleQuoted,
            _ => ScalarStyle::Plain,
        };
        let colon =
            self.layout.after_colon(entry).filter(|gap| *gap == ":" && style == ScalarStyle::DoubleQuoted);
        let colon = colon.unwrap_or(": ");
        let new = flow_entry(&added.key, &added.value, style, colon);
        let is_first_added = !group.added.iter().take(order).any(|other| other.after == added.after);
        let end = self.layout.end(entry);
        self.refuse_comment_at(&entry.key, end)?;
        let stop = if self.layout.ends_in_colon(entry) { " " } else { "" };
        if let Some(line) = self.layout.own_flow_line(entry, end) {
            let indent = self.layout.slice(&(line.start..entry.key.start));
            if is_first_added && line.comma.is_none() {
                splices.push(Splice::insert(end, format!("{stop},")));
            }
            // The last of all has no comma after it, unless the mapping is written that way.
            let is_last = !group.added.iter().skip(order + 1).any(|other| other.after == added.after);
            let goes_on = (number + 1..entries.len()).any(|later| !group.removed.contains(&later));
            let trails =
                entries.last().is_some_and(|last| self.layout.comma(self.layout.end(last)).is_some());
            let comma = if !is_last || goes_on || trails { "," } else { "" };
            let ending = self.layout.ending_near(entry.key.start);
            splices.push(Splice::line(line.end, format!("{indent}{new}{comma}"), ending));
        } else {
            let gap = if colon == ":" { "," } else { ", " };
            splices.push(Splice::insert(end, format!("{stop}{gap}{new}")));
        }
        Ok(splices)
    }

    fn flow_removed(&self, group: &Group<'d>) -> Result<Vec<Splice>> {
        let entries = group.mapping.entries();
        let is_gone = |number: usize| group.removed.contains(&number);
        let mut splices = Vec::new();
        let mut from = 0;
        while from < entries.len() {
            if !is_gone(from) {
                from += 1;
                continue;
            }
            let to = (from..entries.len()).take_while(|number| is_gone(*number)).last().unwrap_or(from);
            let run = entries.get(from..=to).ok_or_else(broken)?;
            for entry in run {
                self.refuse_explicit(entry)?;
                self.refuse_comment_at(&entry.key, self.layout.end(entry))?;
            }
            let before = from.checked_sub(1).and_then(|before| entries.get(before));
            let next = entries.get(to + 1);
            splices.extend(self.flow_run(run, before, next, group)?);
            from = to + 1;
        }
        Ok(splices)
    }

    /// Removes neighbours: as lines where each has its own, else with the commas between.
    fn flow_run(
        &self,
        run: &[Entry],
        before: Option<&Entry>,
        next: Option<&Entry>,
        group: &Group<'d>,
    ) -> Result<Vec<Splice>> {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return Err(broken()) };
        let lines: Option<Vec<_>> =
            run.iter().map(|entry| self.layout.own_flow_line(entry, self.layout.end(entry))).collect();
        // A comma at the start of the next line would stay behind.
        let has_commas = |lines: &Vec<FlowLine>| {
            let needed = if next.is_some() { lines.len() } else { lines.len().saturating_sub(1) };
            lines.iter().take(needed).all(|line| line.comma.is_some())
        };
        if let Some(lines) = lines.filter(has_commas) {
            let mut splices: Vec<_> =
                lines.iter().map(|line| Splice::replace(line.start..line.end, "")).collect();
            let comma_is_left = next.is_none() && lines.last().is_some_and(|line| line.comma.is_none());
            if comma_is_left && let Some(before) = before {
                let end = self.layout.end(before);
                let number = group.mapping.entries().iter().position(|entry| std::ptr::eq(entry, before));
                let is_added_to = group.added.iter().any(|added| added.after == number);
                match self.layout.comma(end) {
                    Some(comma) if !is_added_to => splices.push(Splice::replace(comma..comma + 1, "")),
                    Some(_) => {}
                    None => {
                        return Err(
                            self.refusal(&first.key, "what stands around the key is not plain enough")
                        );
                    }
                }
            }
            return Ok(splices);
        }
        // Go's YAML needs a blank between a colon and what closes the mapping.
        let mut stop = "";
        let range = match (before, next) {
            (_, Some(next)) => first.key.start..next.key.start,
            (Some(before), None) => {
                let gap = self.layout.slice(&(self.layout.end(before)..first.key.start));
                let blank = self.layout.ends_in_colon(before) && gap.starts_with(' ');
                if self.layout.ends_in_colon(before) && !blank {
                    stop = " ";
                }
                self.layout.end(before) + usize::from(blank)..self.layout.end(last)
            }
            (None, None) => return Err(broken()),
        };
        let kept = first.key.start..self.layout.end(last);
        let around = [range.start..kept.start.max(range.start), kept.end.min(range.end)..range.end];
        if around
            .iter()
            .any(|part| has_break(self.layout.slice(part)) && self.layout.slice(part).contains('#'))
        {
            return Err(self.refusal(&first.key, "a comment beside the key would be lost with it"));
        }
        Ok(vec![Splice::replace(range, stop)])
    }
}

/// Whether the value is a number, a truth value or null among strings in double quotes: what JSON has without quotes.
fn is_plain_in_json(document: &Document, set: &Set<'_>) -> bool {
    let Value::Scalar { style: ScalarStyle::Plain, text } = &set.located.node.value else { return false };
    if set.located.node.span.is_empty() || is_string(text) {
        return false;
    }
    let is_double =
        |node: &Node| matches!(node.value, Value::Scalar { style: ScalarStyle::DoubleQuoted, .. });
    let is_bare_text = |node: &Node| match &node.value {
        Value::Scalar { style: ScalarStyle::Plain, text } => is_string(text),
        Value::Scalar { style, .. } => *style != ScalarStyle::DoubleQuoted,
        _ => false,
    };
    // The innermost key tells; a list in no mapping between brackets is told by its own items.
    for (above, number) in set.located.trail.iter().rev() {
        match &above.value {
            Value::Mapping { entries, flow: true } => {
                return entries.get(*number).is_some_and(|entry| is_double(document.resolved(&entry.key)));
            }
            Value::Sequence { items, flow: true } => {
                if items.iter().any(is_bare_text) {
                    return false;
                }
                if items.iter().any(is_double) {
                    return true;
                }
            }
            _ => return false,
        }
    }
    // The whole document is in brackets, and nothing in the lists around the value is not JSON.
    !set.located.trail.is_empty()
}

fn flow_entry(key: &str, value: &str, style: ScalarStyle, colon: &str) -> String {
    format!("{}{colon}{}", written(key, style, Context::Flow), written(value, style, Context::Flow))
}

/// Where the search for what stands before a value may begin: after what comes before it.
fn lower_bound(node: &Node, trail: &[(&Node, usize)], document: &Document) -> usize {
    let Some(((above, number), higher)) = trail.split_last() else {
        let before = document.roots().iter().take_while(|root| !std::ptr::eq(*root, node));
        return before.last().map_or(0, |root| root.span.end);
    };
    if let Some(entry) = above.entries().get(*number) {
        return entry.key.span.end;
    }
    if let Some(before) = number.checked_sub(1).and_then(|before| above.items().get(before)) {
        return before.span.end;
    }
    // A list that is not indented below its key starts, for the parser, after its first dash.
    let key = higher.last().and_then(|(mapping, number)| mapping.entries().get(*number));
    key.map_or(above.start, |entry| entry.key.span.end)
}
