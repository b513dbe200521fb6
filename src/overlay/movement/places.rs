//! Items of lists that are known by their places alone, and when a place is not enough.
//!
//! A place says which item is meant only while both lists are alike: as many items, of the same images, none
//! with a name that another has too. Anything else would give one item the version of another, in silence.

use crate::overlay::editor::document::Node;
use crate::overlay::editor::key_path::{KeyPath, Step};
use crate::overlay::pins::helm;
use crate::overlay::pins::image::has_one_name;
use crate::overlay::pins::reading::Reading;
use crate::overlay::pins::scope::Scope;
use crate::overlay::pins::{Member, Pin};

/// What the items of a list are called by.
const NAMES: [&str; 3] = ["name", "id", "key"];

/// Why a list on the way to two pins does not tell that they are of one item.
pub(super) fn uncertain_list(
    source: &Reading<'_>,
    target: &Reading<'_>,
    pin: &Pin,
    theirs: &Pin,
) -> Option<String> {
    if pin.is_given() {
        return None;
    }
    let (here, there) = (source.scope_of(pin)?, target.scope_of(theirs)?);
    let count = |scope: &Scope<'_>, list: &KeyPath| scope.read(list).map_or(0, |list| list.items().len());
    let lists = nameless_lists(pin).zip(nameless_lists(theirs));
    for ((list, at), (their_list, their_at)) in lists {
        let name = here.in_file(&list);
        let named = name_of(&here, &list.index(at)).or_else(|| name_of(&there, &their_list.index(their_at)));
        if let Some(named) = named {
            return Some(format!("several items of `{name}` are called `{}`", named.escape_debug()));
        }
        let environment = &source.overlay.environment;
        if count(&here, &list) != count(&there, &their_list) {
            return Some(format!(
                "the items of `{name}` have no names, and there are not as many in {environment}"
            ));
        }
        if differ(source, target, pin, &list, (&there, &their_list)) {
            return Some(format!(
                "the items of `{name}` have no names, and at one place there is another image in {environment}"
            ));
        }
    }
    None
}

/// The lists on the way to a pin whose items it knows by their places alone, each with that place.
fn nameless_lists(pin: &Pin) -> impl Iterator<Item = (KeyPath, usize)> {
    let steps = &pin.named.steps;
    steps.iter().enumerate().skip(pin.settled).filter_map(|(depth, step)| match step {
        Step::Index(at) => {
            Some((KeyPath { document: 0, steps: steps.iter().take(depth).cloned().collect() }, *at))
        }
        _ => None,
    })
}

/// What an item is called that is known by its place: not alone by that name, or it would be known by it.
fn name_of<'d>(scope: &Scope<'d>, item: &KeyPath) -> Option<&'d str> {
    let node = scope.read(item)?;
    let named = NAMES.iter().find_map(|field| node.get(field));
    named.map(|node| scope.resolved(node)).and_then(Node::as_str).filter(|name| !name.is_empty())
}

/// Whether some place of a list has one image in the source and another in the target.
fn differ(
    source: &Reading<'_>,
    target: &Reading<'_>,
    of: &Pin,
    list: &KeyPath,
    (there, their_list): (&Scope<'_>, &KeyPath),
) -> bool {
    let in_list = source.pins.iter().filter(|pin| {
        (&pin.group.0, &pin.part) == (&of.group.0, &of.part) && pin.named.below_of(list).is_some()
    });
    in_list.filter_map(|pin| Some((pin, pin.repository.as_deref()?))).any(|(pin, repository)| {
        let counterpart = target.pins.iter().find(|theirs| theirs.is_counterpart_of(pin));
        let theirs = counterpart.and_then(|theirs| theirs.repository.clone()).or_else(|| {
            let place = their_list.join(&pin.named.below_of(list)?);
            let above = if pin.member == Member::Whole { place } else { place.parent()? };
            helm::repository_of(there, &above)
        });
        theirs.is_some_and(|theirs| !has_one_name(repository, &theirs))
    })
}
