//! A state to return to: whoever tries many things from one beginning makes the beginning once.
//!
//! A restored state has the address of the fake it was saved from, which stands in bodies of pull requests.

use std::path::Path;

use crate::driver::FakeGitHub;
use crate::server::{Shared, locked};
use crate::state::{RepoState, World};

/// What a fake knew at one moment, with copies of its bare repositories.
pub struct Saved {
    world: World,
    _folder: tempfile::TempDir,
}

impl FakeGitHub {
    /// Keeps the state as it is now.
    pub fn save(&self) -> anyhow::Result<Saved> {
        let folder = tempfile::Builder::new().prefix("fake-github-saved-").tempdir()?;
        let world = copied(&locked(&self.shared().world), folder.path())?;
        for repo in world.repos.values() {
            repo.store.pack()?;
        }
        Ok(Saved { world, _folder: folder })
    }

    /// Returns to a state that this fake saved, as often as wanted: no fault is armed and no traffic is recorded then.
    pub fn restore(&self, saved: &Saved) -> anyhow::Result<()> {
        let shared: &Shared = self.shared();
        let mut world = locked(&shared.world);
        let root = world.root.clone();
        // A folder of its own: a git of a client that was stopped may still read the old one, which goes with the fake.
        let folder = tempfile::Builder::new().prefix("state-").tempdir_in(&root)?.keep();
        let mut fresh = copied(&saved.world, &folder)?;
        fresh.root = root;
        *world = fresh;
        drop(world);
        locked(&shared.faults).clear();
        shared.recorder.clear();
        Ok(())
    }
}

fn copied(world: &World, root: &Path) -> anyhow::Result<World> {
    let copy = |(name, repo): (&String, &RepoState)| {
        let path = root.join(&repo.owner).join(format!("{}.git", repo.name));
        Ok((name.clone(), repo.copied(&path)?))
    };
    let repos = world.repos.iter().map(copy).collect::<anyhow::Result<_>>()?;
    Ok(World { site: world.site.clone(), repos, root: root.to_owned() })
}
