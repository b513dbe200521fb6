//! A fixed version in the target where the source follows a branch or a range: it stays, and that is said.
//!
//! What ran in staging under a name that moves is not what the name will mean in prod.

use crate::failure::Problem;
use crate::overlay::editor::document::Node;
use crate::overlay::pins::files::Shape;
use crate::overlay::pins::moving::is_moving_ref;
use crate::overlay::pins::parts::Part;
use crate::overlay::pins::reading::Reading;
use crate::overlay::pins::{Member, Pin, PinKind, argo};

/// What is said where the source's version is none that can be carried.
///
/// Between two kustomizations or charts that both name a branch or a range, the source's is what was tested.
pub(in crate::overlay) fn stays_fixed(
    source: &Reading<'_>,
    target: &Reading<'_>,
    pin: &Pin,
    theirs: &Pin,
) -> Option<Problem> {
    let is_version = is_ref(pin) && pin.member != Member::Digest;
    let stays = target.part_of(theirs).is_some_and(is_operators) || !is_moving_ref(&theirs.value);
    let moves = is_version && pin.value != theirs.value && is_moving_ref(&pin.value) && stays;
    moves.then(|| no_fixed_version(theirs, &in_source(source, &pin.value)))
}

/// What is said where only the target pins it, and an operator's object in the source says something else there, or
/// nothing.
pub(in crate::overlay) fn fixed_there_alone(
    source: &Reading<'_>,
    target: &Reading<'_>,
    theirs: &Pin,
) -> Option<Problem> {
    let part = target.part_of(theirs).filter(|part| is_operators(part) && !theirs.value.is_empty())?;
    let (there, here) = (source.scope_of(theirs)?, target.scope_of(theirs)?);
    let counterpart = match part.shape {
        Shape::Argo => argo::counterpart(&here, &theirs.named, &there)?,
        _ => theirs.named.clone(),
    };
    match there.read(&counterpart).and_then(Node::as_str) {
        Some(text) => Some(no_fixed_version(theirs, &in_source(source, text))),
        None if is_ref(theirs) => {
            let why = format!("{} names no fixed version there", source.overlay.environment);
            Some(no_fixed_version(theirs, &why))
        }
        None => None,
    }
}

fn is_ref(pin: &Pin) -> bool {
    matches!(pin.kind, PinKind::RemoteRef | PinKind::ChartVersion)
}

fn is_operators(part: &Part) -> bool {
    matches!(part.shape, Shape::Argo | Shape::Flux)
}

fn in_source(source: &Reading<'_>, text: &str) -> String {
    format!("`{}` in {} is no fixed version", text.escape_debug(), source.overlay.environment)
}

fn no_fixed_version(theirs: &Pin, why: &str) -> Problem {
    Problem {
        place: Some(theirs.place()),
        message: format!("`{}` stays at `{}`: {why}", theirs.key, theirs.value.escape_debug()),
        hints: vec![
            "name the release by `value: '{tag}'` in `pins`, or pin a fixed version in both overlays"
                .to_owned(),
        ],
    }
}
