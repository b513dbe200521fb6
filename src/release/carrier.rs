//! Which commit's overlay carries a release (rule 1): what was tested is what is promoted.
//!
//! A pipeline records the version before it tags (the tagged commit carries it), or after (the first
//! later trunk commit does); a release of a model or prompt alone is carried by its own commit. Never
//! "whatever staging says now".

use std::rc::Rc;

use super::Release;
use super::shortfall::{Shortfall, code, short};
use crate::failure::Result;
use crate::names::CommitSha;
use crate::overlay::{Carrying, Pin, carrying};
use crate::plan::Standing;

/// The source overlay's pins at one commit.
#[derive(Debug, Clone)]
pub struct Step {
    /// The commit.
    pub commit: CommitSha,
    /// The pins there.
    pub pins: Rc<[Pin]>,
}

/// The commit whose overlay is promoted, and the pins that show it.
#[derive(Debug, Clone)]
pub struct Carrier {
    /// The commit.
    pub commit: CommitSha,
    /// The carrying pins; for a release carried by its own commit, the image's, which did not change.
    pub carrying: Vec<Pin>,
}

/// What the settings say of an overlay's pins, and what else is tagged there.
#[derive(Debug, Clone, Default)]
pub struct Asked<'a> {
    /// Which pin tells a release.
    pub carries: Option<&'a str>,
    /// The team's own patterns of what is a pin.
    pub pins: Vec<&'a str>,
    /// The app's other releases that are tagged on the same commit.
    pub beside: Vec<&'a Release>,
}

/// Finds the commit that carries `release`, or says what was looked at.
///
/// `parent` are the pins at the tagged commit's first parent; `later` are the trunk commits after the
/// tagged one that touch the overlay, oldest first, read only as far as needed.
///
/// # Errors
/// When several images carry the release, or a later overlay cannot be read.
pub fn carrier(
    release: &Release,
    asked: &Asked<'_>,
    at_tag: &Step,
    parent: Option<&[Pin]>,
    later: impl Iterator<Item = Result<Step>>,
) -> Result<Result<Carrier, Shortfall>> {
    let carried = |step: &Step| -> Result<Result<Carrier, Vec<String>>> {
        Ok(match carrying(&step.pins, release.released(), asked.carries)? {
            Carrying::Pins(pins) => {
                Ok(Carrier { commit: step.commit.clone(), carrying: pins.into_iter().cloned().collect() })
            }
            Carrying::None { looked_at } => Err(looked_at),
        })
    };
    let looked_at = match carried(at_tag)? {
        Ok(carrier) => return Ok(Ok(carrier)),
        Err(looked_at) => looked_at,
    };
    let mut moved: Vec<(Pin, CommitSha)> = Vec::new();
    for step in later {
        let step = step?;
        // Which image carries is known only at the end: until then every change is kept.
        for pin in changed(&at_tag.pins, &step.pins) {
            if !moved.iter().any(|(known, _)| is_same_place(known, &pin)) {
                moved.push((pin, step.commit.clone()));
            }
        }
        if let Ok(carrier) = carried(&step)? {
            let carries =
                |pin: &Pin| carrier.carrying.iter().any(|carrying| carrying.artifact == pin.artifact);
            if let Some((pin, commit)) = moved.iter().find(|(pin, _)| !carries(pin)) {
                return Ok(Err(changed_between(pin, commit, &carrier)));
            }
            // A tag that is moved onto the commit of a tested release must not borrow its tests.
            for other in &asked.beside {
                if let Carrying::Pins(_) = carrying(&at_tag.pins, other.released(), asked.carries)? {
                    return Ok(Err(tested_as_another(release, other, &carrier)));
                }
            }
            return Ok(Ok(carrier));
        }
    }
    if let Some(carrier) = by_own_commit(at_tag, parent, asked.carries) {
        return Ok(Ok(carrier));
    }
    Ok(Err(nowhere(release, asked, &looked_at)))
}

/// The pins that differ, or are on one side only.
fn changed(at_tag: &[Pin], now: &[Pin]) -> Vec<Pin> {
    let is_old = |pin: &&Pin| at_tag.iter().any(|old| is_same_place(old, pin) && old.value == pin.value);
    let gone = at_tag.iter().filter(|old| !now.iter().any(|pin| is_same_place(old, pin)));
    // What is made of the release does not come from here, whatever stands there.
    now.iter().filter(|pin| !is_old(pin)).chain(gone).filter(|pin| !pin.is_given()).cloned().collect()
}

fn is_same_place(a: &Pin, b: &Pin) -> bool {
    a.file == b.file && a.key == b.key
}

fn changed_between(pin: &Pin, commit: &CommitSha, carrier: &Carrier) -> Shortfall {
    let reason = format!(
        "{} changed in {} after it was tagged and before {} recorded its version: that was not tested together",
        code(&pin.key.to_string()),
        short(commit),
        short(&carrier.commit),
    );
    Shortfall::new(
        Standing::NotCarried,
        reason,
        "only as another release, tagged on a commit that has all of it",
    )
}

fn tested_as_another(release: &Release, other: &Release, carrier: &Carrier) -> Shortfall {
    let reason = format!(
        "its commit {} carries {}, and {} recorded its version later: what ran there tested {}",
        short(&release.commit),
        code(&other.tag),
        short(&carrier.commit),
        code(&other.tag),
    );
    Shortfall::new(
        Standing::NotCarried,
        reason,
        "once its tag is on a commit that was tested as this release",
    )
}

/// A release that changes only a model, a prompt, a chart or a remote keeps its image tag.
fn by_own_commit(at_tag: &Step, parent: Option<&[Pin]>, carries: Option<&str>) -> Option<Carrier> {
    let parent = parent.filter(|_| carries.is_none())?;
    let same = |a: &Pin, b: &Pin| a.file == b.file && a.key == b.key && a.value == b.value;
    let copied = at_tag.pins.iter().filter(|pin| !pin.is_given());
    let new: Vec<&Pin> = copied.filter(|pin| !parent.iter().any(|old| same(old, pin))).collect();
    if new.is_empty() || new.iter().any(|pin| pin.is_of_image()) {
        return None;
    }
    let carrying = at_tag.pins.iter().filter(|pin| pin.is_of_image()).cloned().collect();
    Some(Carrier { commit: at_tag.commit.clone(), carrying })
}

fn nowhere(release: &Release, asked: &Asked<'_>, looked_at: &[String]) -> Shortfall {
    let listed = |texts: &[&str]| texts.iter().map(|text| code(text)).collect::<Vec<_>>().join(", ");
    let looked_at: Vec<&str> = looked_at.iter().map(String::as_str).collect();
    let why = match (looked_at.is_empty(), asked.pins.is_empty()) {
        (false, _) => format!("looked at {}", listed(&looked_at)),
        (true, true) => "the overlay has no image tag".to_owned(),
        (true, false) => format!("`pins` names nothing in it: {}", listed(&asked.pins)),
    };
    let version = code(release.version.as_str());
    let reason = format!(
        "no overlay carries {version}: neither its commit {} nor a later one on trunk sets a pin to it ({why})",
        short(&release.commit),
    );
    Shortfall::new(
        Standing::NotCarried,
        reason,
        format!("once a later commit on trunk records {version} in the overlay"),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests may")]
    use super::*;
    use crate::names::RepoPath;
    use crate::overlay::{NamedFile, Overlay, OverlayFile, PinRules, pins};
    use crate::release::version::Version;

    fn sha(c: char) -> CommitSha {
        CommitSha::parse(&c.to_string().repeat(40)).unwrap()
    }

    fn step(commit: char, image: &str, model: &str) -> Step {
        let text = format!("image:\n  repository: acme/agent\n  tag: {image}\nmodel:\n  version: {model}\n");
        let path = RepoPath::parse("environments/staging").unwrap();
        let file = OverlayFile {
            path: path.join("values.yaml").unwrap(),
            bytes: text.into_bytes(),
            mode: 0o100_644,
        };
        let named = NamedFile::usual(&path);
        let overlay = Overlay { environment: "staging".into(), path, named, files: vec![file] };
        Step { commit: sha(commit), pins: pins(&overlay, &PinRules::default()).unwrap().into() }
    }

    fn release() -> Release {
        Release {
            tag: "v1.8.0".into(),
            version: Version::parse("v1.8.0"),
            commit: sha('a'),
            object: sha('a'),
            tagged_at: None,
            signed: None,
        }
    }

    fn found(at_tag: &Step, parent: Option<&Step>, later: Vec<Step>) -> Result<String, String> {
        let later = later.into_iter().map(Ok);
        carrier(&release(), &Asked::default(), at_tag, parent.map(|step| &*step.pins), later)
            .unwrap()
            .map(|carrier| carrier.commit.short().to_owned())
            .map_err(|shortfall| shortfall.reason)
    }

    #[test]
    fn the_tagged_commit_carries_what_it_records() {
        assert_eq!(
            found(&step('a', "v1.8.0", "m1"), None, vec![step('b', "v1.9.0", "m2")]),
            Ok("aaaaaaa".into())
        );
    }

    #[test]
    fn a_version_recorded_after_the_tag_comes_from_the_first_commit_that_sets_it() {
        let later = vec![step('b', "v1.8.0", "m1"), step('c', "v1.8.0", "m2")];
        assert_eq!(found(&step('a', "v1.7.0", "m1"), None, later), Ok("bbbbbbb".into()));
    }

    #[test]
    fn no_other_pin_may_change_in_between() {
        for later in [
            vec![step('b', "v1.8.0", "m2")],
            vec![step('b', "v1.7.0", "m2"), step('c', "v1.8.0", "m2")],
            vec![step('b', "v1.7.0", "m2"), step('c', "v1.8.0", "m1")],
            // The image moved before the model did.
            vec![step('9', "v1.7.9", "m1"), step('b', "v1.7.9", "m2"), step('c', "v1.8.0", "m2")],
        ] {
            let reason = found(&step('a', "v1.7.0", "m1"), None, later).unwrap_err();
            assert!(reason.starts_with("`model.version` changed in `bbbbbbb`"), "{reason}");
        }
    }

    #[test]
    fn the_carrying_image_may_pass_through_other_versions() {
        let later = vec![step('b', "v1.7.1", "m1"), step('c', "v1.8.0", "m1")];
        assert_eq!(found(&step('a', "v1.7.0", "m1"), None, later), Ok("ccccccc".into()));
    }

    #[test]
    fn a_release_of_a_model_alone_is_carried_by_its_own_commit() {
        let (at_tag, parent) = (step('a', "v1.7.0", "m2"), step('9', "v1.7.0", "m1"));
        assert_eq!(found(&at_tag, Some(&parent), vec![]), Ok("aaaaaaa".into()));
    }

    #[test]
    fn a_commit_that_records_another_image_carries_nothing() {
        // The recording commit of v1.7.0 was tagged v1.8.0 before the pipeline built it.
        let (at_tag, parent) = (step('a', "v1.7.0", "m1"), step('9', "v1.6.0", "m1"));
        let reason = found(&at_tag, Some(&parent), vec![]).unwrap_err();
        assert!(reason.contains("no overlay carries `v1.8.0`") && reason.contains("image.tag"), "{reason}");
    }
}
