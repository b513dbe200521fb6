//! Releases, as pages that people publish.

use super::{Answer, Call, Refusal, Reply, page};
use crate::shape;
use crate::state::{ReleaseState, World};

pub(super) fn list(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let all: Vec<&ReleaseState> = repo.releases.iter().rev().collect();
    Ok(page(site, call, all, |release| shape::release(site, repo, release)))
}

pub(super) fn latest(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let published = |release: &&ReleaseState| !release.fact.draft && !release.fact.prerelease;
    let release = repo.releases.iter().rev().find(published).ok_or_else(Refusal::not_found)?;
    Ok(Reply::ok(shape::release(site, repo, release)))
}

pub(super) fn by_tag(world: &mut World, call: &Call) -> Answer {
    let (site, repo) = world.seen(call)?;
    let wanted = |release: &&ReleaseState| release.fact.tag_name == call.param("tag") && !release.fact.draft;
    let release = repo.releases.iter().find(wanted).ok_or_else(Refusal::not_found)?;
    Ok(Reply::ok(shape::release(site, repo, release)))
}
