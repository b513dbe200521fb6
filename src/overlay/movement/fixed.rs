//! Where the source follows a branch or a range: the target keeps what it has, and that is said.
//!
//! What ran in staging under a name that moves is not what the name will mean in prod.

use crate::failure::Problem;
use crate::overlay::editor::document::Node;
use crate::overlay::pins::files::Shape;
use crate::overlay::pins::moving::Motion;
use crate::overlay::pins::parts::Part;
use crate::overlay::pins::reading::Reading;
use crate::overlay::pins::{Member, Pin, PinKind, argo};

/// What is said where the source's version is none that can be carried: a branch or a range, whatever the target has.
/// What ran is not what either will choose in the target.
pub(in crate::overlay) fn stays_fixed(source: &Reading<'_>, pin: &Pin, theirs: &Pin) -> Option<Problem> {
    let is_version = is_ref(pin) && pin.member != Member::Digest && !pin.is_given();
    let moves = is_version && pin.value != theirs.value && Motion::of(pin.kind, &pin.value) != Motion::Fixed;
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
        None if is_ref(theirs) => Some(no_fixed_version(theirs, &in_source(source, ""))),
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
    if text.is_empty() {
        return format!("{} names no fixed version there", source.overlay.environment);
    }
    format!("`{}` in {} is no fixed version", text.escape_debug(), source.overlay.environment)
}

fn no_fixed_version(theirs: &Pin, why: &str) -> Problem {
    let value =
        if theirs.value.is_empty() { "nothing".into() } else { format!("`{}`", theirs.value.escape_debug()) };
    Problem {
        place: Some(theirs.place()),
        message: format!("`{}` stays at {value}: {why}", theirs.key),
        hints: vec![
            "name the release by `value: '{tag}'` in `pins`, or pin a fixed version in both overlays"
                .to_owned(),
        ],
    }
}

#[cfg(test)]
mod tests {
    use crate::overlay::testing::{after, moved, warnings};

    #[test]
    fn branches_and_ranges_are_alike_in_kustomizations_and_charts() {
        let resource = |reference: &str| format!("resources: ['github.com/acme/base?ref={reference}']\n");
        let of_kustomize = |version: &str| format!("helmCharts: [{{name: a, version: '{version}'}}]\n");
        let of_helm = |version: &str| format!("dependencies: [{{name: a, version: '{version}'}}]\n");
        let table = [
            ("kustomization.yaml", resource("main"), resource("develop"), false, true),
            ("kustomization.yaml", resource("release-1.8"), resource("v1.7.0"), false, true),
            ("kustomization.yaml", resource("main"), resource("main"), false, false),
            ("kustomization.yaml", resource("v1.8.0"), resource("main"), true, false),
            ("kustomization.yaml", of_kustomize("^1.8.0"), of_kustomize("~1.7.0"), false, true),
            ("kustomization.yaml", of_kustomize("1.8"), of_kustomize("1.7.0"), false, true),
            ("Chart.yaml", of_helm("^1.8.0"), of_helm("~1.7.0"), false, true),
            ("Chart.yaml", of_helm("1.8"), of_helm("1.7.0"), false, true),
            ("Chart.yaml", of_helm("1.8.0"), of_helm("1.7"), true, false),
        ];
        for (file, staging, prod, moves, warns) in table {
            let moved = moved(file, &staging, &prod);
            assert_eq!(after(&moved), if moves { staging.as_str() } else { "" }, "{staging}");
            assert_eq!(!warnings(&moved).is_empty(), warns, "{staging}: {:?}", warnings(&moved));
        }
    }
}
