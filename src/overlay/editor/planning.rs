//! What edits mean for the nodes of a file, and every reason not to make them.
//!
//! Refuses what could mean two things, what would empty or break something, and, where asked, what an
//! alias elsewhere would silently follow. Decides nothing about bytes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::failure::{Failure, Kind, Problem, Result};

use super::document::{Document, Node, ScalarStyle, Value};
use super::edit::{Anchors, Edit, EditedValue};
use super::followers::{AliasSite, Followers};
use super::key_path::KeyPath;
use super::lookup::Located;
use super::{proof, quoting};

/// The keys that stand right below another one when they are added.
const BESIDE: [(&str, &[&str]); 1] = [("digest", &["newTag", "tag", "version", "revision"])];
/// YAML allows 1024 characters for a key and its quotes.
const MAX_KEY: usize = 500;
/// How many aliases a message names.
const SHOWN: usize = 5;

/// What the edits mean for the nodes of one document; nodes are known by address.
pub(super) struct Plan<'d> {
    /// Scalars that get a new value.
    pub(super) sets: HashMap<*const Node, Set<'d>>,
    /// Mappings that lose or gain keys, in the order of the file.
    pub(super) groups: BTreeMap<usize, Group<'d>>,
    /// By address, the place in `groups`.
    pub(super) grouped: HashMap<*const Node, usize>,
    /// Aliases whose line is wanted, with the edits that named them.
    pub(super) watched: HashMap<*const Node, usize>,
    /// Of each edit, what it changes.
    pub(super) changes: Vec<Option<EditedValue>>,
}

/// A scalar and its new value.
pub(super) struct Set<'d> {
    pub(super) edit: usize,
    pub(super) located: Located<'d>,
    pub(super) value: String,
}

impl Set<'_> {
    /// Whether the value stands there already, as a string.
    pub(super) fn is_done(&self) -> bool {
        is_written(self.located.node, &self.value)
    }
}

/// Whether a value stands there already, as a string.
fn is_written(node: &Node, value: &str) -> bool {
    matches!(&node.value, Value::Scalar { text, style }
        if text == value && !node.tagged && (*style != ScalarStyle::Plain || quoting::is_string(text)))
}

/// What a mapping loses and gains.
pub(super) struct Group<'d> {
    pub(super) mapping: &'d Node,
    pub(super) removed: BTreeSet<usize>,
    pub(super) added: Vec<Added>,
}

/// A new entry.
pub(super) struct Added {
    pub(super) edit: usize,
    /// The entry it comes after; none in an empty mapping.
    pub(super) after: Option<usize>,
    pub(super) key: String,
    pub(super) value: String,
}

/// An entry of a mapping as it will stand.
pub(super) enum Slot<'g> {
    Old(usize),
    New(&'g Added),
}

impl Group<'_> {
    /// The entries as they will stand.
    pub(super) fn slots(&self) -> Vec<Slot<'_>> {
        let after = |entry| self.added.iter().filter(move |added| added.after == entry).map(Slot::New);
        let mut slots: Vec<_> = after(None).collect();
        for entry in 0..self.mapping.entries().len() {
            if !self.removed.contains(&entry) {
                slots.push(Slot::Old(entry));
            }
            slots.extend(after(Some(entry)));
        }
        slots
    }
}

/// A set whose path ends in or leads through an alias: fine if what it stands for is set to the same value.
struct ThroughAlias<'d> {
    edit: usize,
    key: KeyPath,
    value: String,
    aliases: Vec<&'d Node>,
    target: &'d Node,
    otherwise: Failure,
}

/// A mapping that gains or loses a key: the way to it, and the key.
struct Touched<'d> {
    path: KeyPath,
    trail: Vec<(&'d Node, usize)>,
    key: String,
}

/// Edits on their way to a plan, with everything that speaks against them.
pub(super) struct Planning<'d, 'e> {
    document: &'d Document,
    edits: &'e [Edit],
    anchors: Anchors,
    plan: Plan<'d>,
    through: Vec<ThroughAlias<'d>>,
    touched: Vec<(&'d Node, Touched<'d>)>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl<'d, 'e> Planning<'d, 'e> {
    pub(super) fn new(document: &'d Document, edits: &'e [Edit], anchors: Anchors) -> Self {
        let plan = Plan {
            sets: HashMap::new(),
            groups: BTreeMap::new(),
            grouped: HashMap::new(),
            watched: HashMap::new(),
            changes: vec![None; edits.len()],
        };
        Self {
            document,
            edits,
            anchors,
            plan,
            through: Vec::new(),
            touched: Vec::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The plan and what the caller should be told, or every reason against it.
    pub(super) fn plan(mut self) -> Result<(Plan<'d>, Vec<Problem>)> {
        for (number, edit) in self.edits.iter().enumerate() {
            let planned = match edit {
                Edit::Set { key, value } => self.set(number, key, value),
                Edit::Add { parent, key, value } => self.add(number, parent, key, value),
                Edit::Remove { key } => self.remove(number, key),
            };
            self.note(planned);
        }
        self.settle_aliases();
        self.settle_groups();
        self.refuse_lost_edits();
        let followers = Followers::of(self.document);
        self.weigh_followers(&followers);
        match Failure::several(Kind::Overlay, self.problems) {
            Some(failure) => Err(failure),
            None => Ok((self.plan, self.warnings)),
        }
    }

    fn note(&mut self, result: Result<()>) {
        if let Err(failure) = result {
            self.problems.extend(failure.into_problems());
        }
    }

    fn refuse(&mut self, node: &Node, message: String, hint: &str) {
        let failure = self.refusal(node, message, hint);
        self.problems.extend(failure.into_problems());
    }

    fn refusal(&self, node: &Node, message: String, hint: &str) -> Failure {
        Failure::at(Kind::Overlay, self.document.place(node), message).hinted(hint)
    }

    fn set(&mut self, edit: usize, key: &KeyPath, value: &str) -> Result<()> {
        let direct = self.document.locate(key);
        let located = match direct {
            Ok(located) if !matches!(located.node.value, Value::Alias { .. }) => located,
            other => {
                let otherwise = match other {
                    Err(failure) => failure,
                    Ok(_) => self.document.find(key).err().unwrap_or_else(proof::broken),
                };
                return match self.document.follow(key) {
                    Some((aliases, target)) if !aliases.is_empty() => {
                        let (key, value) = (key.clone(), value.to_owned());
                        self.through.push(ThroughAlias { edit, key, value, aliases, target, otherwise });
                        Ok(())
                    }
                    _ => Err(otherwise),
                };
            }
        };
        let node = located.node;
        let Value::Scalar { text, .. } = &node.value else {
            let what = if matches!(node.value, Value::Mapping { .. }) { "a mapping" } else { "a list" };
            return Err(self.refusal(
                node,
                format!("`{key}` is {what}, not a single value"),
                "name a value in it",
            ));
        };
        if node.tagged {
            let message = format!("`{key}` has an explicit tag, which would apply to the new value");
            return Err(self.refusal(node, message, "take the tag out, or edit the file by hand"));
        }
        if self.plan.sets.contains_key(&std::ptr::from_ref(node)) {
            return Err(self.twice(node, key));
        }
        let change = EditedValue {
            key: key.clone(),
            line: node.line,
            before: Some(text.clone()),
            after: Some(value.to_owned()),
        };
        let set = Set { edit, located, value: value.to_owned() };
        self.changed(edit, (!set.is_done()).then_some(change));
        self.plan.sets.insert(std::ptr::from_ref(node), set);
        Ok(())
    }

    fn changed(&mut self, edit: usize, change: Option<EditedValue>) {
        if let Some(slot) = self.plan.changes.get_mut(edit) {
            *slot = change;
        }
    }

    fn twice(&self, node: &Node, key: &KeyPath) -> Failure {
        self.refusal(node, format!("`{key}` is edited twice in one call"), "name each value once")
    }

    fn add(&mut self, edit: usize, parent: &KeyPath, key: &str, value: &str) -> Result<()> {
        let located = self.document.locate(parent)?;
        let mapping = located.node;
        let path = parent.key(key);
        let Value::Mapping { entries, .. } = &mapping.value else {
            // `find` says it best where the parent is an alias.
            self.document.find(parent)?;
            let message = format!("`{parent}` is no mapping, so `{path}` cannot be added");
            return Err(self.refusal(mapping, message, "a key can only be added to a mapping that has one"));
        };
        if let Some(entry) = entries.iter().find(|entry| self.document.key_is(entry, key)) {
            // The second time changes nothing; an alias says no more than that it is equal by now.
            let alike = entries.iter().filter(|entry| self.document.key_is(entry, key)).count();
            if alike == 1 && is_written(&entry.value, value) {
                return Ok(());
            }
            return Err(self.refusal(
                &entry.key,
                format!("`{path}` is already there"),
                "set it instead of adding it",
            ));
        }
        self.document.refuse_other_spellings(&path, mapping, key, None)?;
        if key.chars().count() > MAX_KEY {
            let message = format!("the new key has more than {MAX_KEY} characters");
            return Err(self.refusal(mapping, message, "choose a shorter key"));
        }
        let beside = BESIDE.iter().find(|(name, _)| *name == key).and_then(|(_, siblings)| {
            let is_sibling =
                |sibling: &&str| entries.iter().position(|entry| self.document.key_is(entry, sibling));
            siblings.iter().find_map(is_sibling)
        });
        // Below a `<<` that brings the key as well, or Helm would not see it.
        let beside = beside.filter(|beside| self.document.merge_below(mapping, key, *beside).is_none());
        let after = beside.or(entries.len().checked_sub(1));
        let group = group_of(&mut self.plan, mapping);
        if group.added.iter().any(|added| added.key == key) {
            return Err(self.twice(mapping, &path));
        }
        group.added.push(Added { edit, after, key: key.to_owned(), value: value.to_owned() });
        self.touched
            .push((mapping, Touched { path: path.clone(), trail: located.trail, key: key.to_owned() }));
        let change =
            EditedValue { key: path, line: mapping.line, before: None, after: Some(value.to_owned()) };
        self.changed(edit, Some(change));
        Ok(())
    }

    fn remove(&mut self, edit: usize, key: &KeyPath) -> Result<()> {
        let mut located = self.document.locate(key)?;
        let mapping = located.trail.pop();
        let Some((mapping, number)) =
            mapping.filter(|(above, _)| matches!(above.value, Value::Mapping { .. }))
        else {
            let message = format!("`{key}` is not the key of a mapping");
            return Err(self.refusal(located.node, message, "only a mapping's key can be removed"));
        };
        let node = located.node;
        let name =
            mapping.entries().get(number).and_then(|entry| self.document.key_text(entry)).unwrap_or_default();
        if !group_of(&mut self.plan, mapping).removed.insert(number) {
            return Err(self.twice(node, key));
        }
        let before = match &node.value {
            Value::Scalar { text, .. } => text.as_str(),
            _ => self.document.text().get(node.span.clone()).unwrap_or_default(),
        };
        let change =
            EditedValue { key: key.clone(), line: node.line, before: Some(before.to_owned()), after: None };
        self.touched
            .push((mapping, Touched { path: key.clone(), trail: located.trail, key: name.to_owned() }));
        self.changed(edit, Some(change));
        Ok(())
    }

    /// Sets that go through an alias hold if what it stands for gets the same value by its own name.
    fn settle_aliases(&mut self) {
        let mut seen = BTreeSet::new();
        for through in std::mem::take(&mut self.through) {
            let ThroughAlias { edit, key, value, aliases, target, otherwise } = through;
            let own = self.plan.sets.get(&std::ptr::from_ref(target));
            let Some(own) = own.filter(|own| own.value == value) else {
                self.problems.extend(otherwise.into_problems());
                continue;
            };
            let before = target.as_str().map(str::to_owned);
            if !seen.insert(key.clone()) {
                let failure = self.twice(target, &key);
                self.problems.extend(failure.into_problems());
                continue;
            }
            let line = aliases.first().map_or(target.line, |alias| alias.line);
            let change =
                EditedValue { key, line, before: before.or(Some(String::new())), after: Some(value) };
            let change = (!own.is_done()).then_some(change);
            for alias in &aliases {
                self.plan.watched.insert(std::ptr::from_ref(*alias), edit);
            }
            self.changed(edit, change);
        }
    }

    /// Keys are added after one that stays, and a mapping keeps at least one of its own.
    fn settle_groups(&mut self) {
        let mut emptied = Vec::new();
        for group in self.plan.groups.values_mut() {
            let count = group.mapping.entries().len();
            let kept = (0..count).rev().find(|entry| !group.removed.contains(entry));
            if kept.is_none() && count > 0 {
                emptied.push((group.mapping, !group.added.is_empty()));
            }
            for added in &mut group.added {
                if added.after.is_some_and(|after| group.removed.contains(&after)) {
                    added.after = kept;
                }
            }
        }
        for (mapping, gains) in emptied {
            let message = "nothing would be left of this mapping".to_owned();
            // A new key is written as its neighbours are.
            let hint = if gains {
                "add the new key first, and remove the old one in a second call"
            } else {
                "leave one key, or remove the mapping as a whole"
            };
            self.refuse(mapping, message, hint);
        }
    }

    /// The bytes of each removed entry, with the entry.
    fn removed(&self) -> Vec<std::ops::Range<usize>> {
        let of = |group: &Group<'d>| {
            let entries = group.mapping.entries();
            let removed = group.removed.iter().filter_map(|number| entries.get(*number));
            removed
                .map(|entry| entry.key.start..entry.value.span.end.max(entry.key.span.end) + 1)
                .collect::<Vec<_>>()
        };
        self.plan.groups.values().flat_map(of).collect()
    }

    fn refuse_lost_edits(&mut self) {
        let removed = self.removed();
        if removed.is_empty() {
            return;
        }
        let is_lost = |node: &Node, inside: bool| {
            removed.iter().any(|gone| gone.contains(&node.start) && (inside || gone.start < node.start))
        };
        let sets = self.plan.sets.values().map(|set| set.located.node).filter(|node| is_lost(node, true));
        let groups = self.plan.groups.values().map(|group| group.mapping).filter(|node| is_lost(node, false));
        let lost: Vec<&Node> = sets.chain(groups).collect();
        for node in lost {
            let message = "a value is edited and removed in one call".to_owned();
            self.refuse(node, message, "name each value once");
        }
    }

    /// Aliases see what changes under their anchor: say so, or refuse.
    fn weigh_followers(&mut self, followers: &Followers<'d>) {
        self.refuse_dangling(followers);
        let mut judged = Vec::new();
        for set in self.plan.sets.values().filter(|set| !set.is_done()) {
            let sites = followers.of_value(&set.located.trail, set.located.node);
            if let Some(key) = self.edits.get(set.edit).and_then(|edit| match edit {
                Edit::Set { key, .. } => Some(key.clone()),
                _ => None,
            }) {
                judged.push((set.edit, key, set.located.node, sites));
            }
        }
        for (mapping, Touched { path, trail, key }) in &self.touched {
            let sites = followers.of_key(trail, mapping, key);
            judged.push((usize::MAX, path.clone(), *mapping, sites));
        }
        judged.sort_by_key(|(edit, _, node, _)| (*edit, node.start));
        for (_, key, node, sites) in judged {
            self.judge(followers, &key, node, &sites);
        }
    }

    fn judge(&mut self, followers: &Followers<'d>, key: &KeyPath, node: &Node, sites: &[&AliasSite<'d>]) {
        let is_named =
            |site: &&&AliasSite<'d>| self.plan.watched.contains_key(&std::ptr::from_ref(site.node));
        let follow: Vec<_> = sites.iter().filter(|site| !is_named(site)).collect();
        let Some(first) = follow.first() else { return };
        let name = self.document.anchor_name(first.anchor);
        let shown = |site: &&&AliasSite<'d>| format!("`{}` (line {})", followers.path(site), site.node.line);
        let shown: Vec<_> = follow.iter().take(SHOWN).map(shown).collect();
        let more = follow.len() - shown.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let message = format!("`{key}` stands under the anchor `&{name}`: {}{more} follow", shown.join(", "));
        match self.anchors {
            Anchors::Refuse => {
                let hint = "promote those to the same value as well, or write the value out where it differs";
                self.refuse(node, message, hint);
            }
            Anchors::Follow => self.warnings.push(Problem {
                place: Some(self.document.place(node)),
                message,
                hints: vec!["write the value out where it should not follow".to_owned()],
            }),
        }
    }

    fn refuse_dangling(&mut self, followers: &Followers<'d>) {
        let removed = self.removed();
        let is_gone = |node: &Node| removed.iter().any(|gone| gone.contains(&node.start));
        let mut dangling = Vec::new();
        for site in followers.sites().filter(|site| !is_gone(site.node)) {
            if let Some(anchored) = self.document.anchored(site.anchor).filter(|anchored| is_gone(anchored)) {
                let name = self.document.anchor_name(site.anchor);
                dangling.push((anchored, name, site));
            }
        }
        let more = dangling.len().saturating_sub(SHOWN);
        for (number, (node, name, site)) in dangling.into_iter().take(SHOWN).enumerate() {
            let (path, line) = (followers.path(site), site.node.line);
            let more =
                if more > 0 && number + 1 == SHOWN { format!(", and {more} more") } else { String::new() };
            let message = format!("`&{name}` cannot be removed: `{path}` (line {line}) is its alias{more}");
            self.refuse(node, message, "write the value out at the alias first");
        }
    }
}

fn group_of<'p, 'd>(plan: &'p mut Plan<'d>, mapping: &'d Node) -> &'p mut Group<'d> {
    let next = plan.groups.len();
    let number = *plan.grouped.entry(std::ptr::from_ref(mapping)).or_insert(next);
    plan.groups.entry(number).or_insert_with(|| Group {
        mapping,
        removed: BTreeSet::new(),
        added: Vec::new(),
    })
}
