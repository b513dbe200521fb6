//! Which of a release's pins the target would still not hold: what keeps the release from running there.
//!
//! That nothing changes is no proof that a release runs: what the target lacks, calls by another name or keeps at
//! a version of its own changes nothing either. Nothing is edited here.

use super::couple::Couple;
use super::unpinned::is_another_image;
use crate::overlay::pins::image::tag_and_digest;
use crate::overlay::pins::reading::Reading;
use crate::overlay::pins::rules::{Given, PinRules};
use crate::overlay::pins::{Pin, PinKind};

/// What the release pins and the target does not have with the same value once its edits are made.
pub(in crate::overlay) fn not_held(
    source: &Reading<'_>,
    target: &Reading<'_>,
    couples: &[Couple<'_>],
) -> Vec<String> {
    let pins = source.pins.iter().filter(|pin| !pin.value.is_empty());
    let lacking = pins.filter(|pin| !holds(couples, pin) && !is_of_another(target, pin));
    lacking.map(|pin| pin.key.to_string()).collect()
}

/// What the settings make of the release and the target has no place for; a rule that names nothing there, by its
/// pattern. `source` is the overlay as it is written.
pub(in crate::overlay) fn without_place(
    source: &Reading<'_>,
    target: &Reading<'_>,
    rules: &PinRules,
) -> Vec<String> {
    let has_place = |pin: &&Pin| target.pins.iter().any(|theirs| theirs.is_counterpart_of(pin));
    let given = source.pins.iter().filter(|pin| pin.is_given() && !has_place(pin));
    let idle = rules.idle(&target.pins, Given::ByRelease).into_iter().map(str::to_owned);
    given.map(|pin| pin.key.to_string()).chain(idle).collect()
}

fn holds(couples: &[Couple<'_>], pin: &Pin) -> bool {
    let of_it = |couple: &&Couple<'_>| couple.source.iter().any(|source| source.is_counterpart_of(pin));
    let after = couples.iter().find(of_it).and_then(|couple| couple.after.get(&pin.member));
    after.is_some_and(|(_, value)| {
        // A reference without a digest asks for none.
        let ((tag, digest), (their_tag, theirs)) = (tag_and_digest(&pin.value), tag_and_digest(value));
        let is_reference = pin.kind == PinKind::ImageReference;
        *value == pin.value || is_reference && tag == their_tag && (digest.is_none() || digest == theirs)
    })
}

/// An image that is another one in the target is none of the app's.
fn is_of_another(target: &Reading<'_>, pin: &Pin) -> bool {
    let mut theirs = target.pins.iter().filter(|theirs| theirs.group == pin.group);
    theirs.any(|theirs| is_another_image(pin, theirs.repository.as_deref()))
}

#[cfg(test)]
mod tests {
    use crate::overlay::testing::moved;

    #[test]
    fn what_prod_lacks_calls_otherwise_or_keeps_is_not_held() {
        let image = "image: {repository: r/a, tag: v1}";
        let table: [(&str, &str, &[&str]); 7] = [
            (image, image, &[]),
            (image, "image: {repository: r/a, tag: v0}", &[]),
            (image, "image: {repository: r/b, tag: v0}", &[]),
            ("model: {name: m, version: '2'}", "other: 1", &["model.version"]),
            ("model: {name: m, version: '2'}", "model: {name: n, version: '2'}", &["model.version"]),
            ("image: 'r.io/a:v1'", "image: 'r.io/a:v1@sha256:aa'", &[]),
            ("image: {tag: v1}", "image: {digest: 'sha256:aa'}", &["image.tag"]),
        ];
        for (source, target, lacking) in table {
            assert_eq!(moved("values.yaml", source, target).lacking, lacking, "{source} {target}");
        }
    }
}
