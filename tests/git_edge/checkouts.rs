//! Whatever the runner left in the workspace: the same answers, and nothing in it changes.

use std::path::{Path, PathBuf};

use promote::git::History;
use promote::names::CommitSha;

use crate::world::{World, git, path, snapshot};

/// Prepares a workspace.
type Prepare = fn(&World) -> PathBuf;

/// Every way a workspace can be, and whether its objects spare the fetch.
const WORKSPACES: [(&str, Prepare, bool); 16] = [
    ("deep", |world| world.clone(&[]), true),
    ("deep, detached, without tags", detached, true),
    ("deep, of another user", of_another_user, true),
    ("deep, a worktree's `.git` file", worktree, true),
    ("deep, cloned from another address", renamed, true),
    ("shallow, without tags", |world| world.clone(&["--depth=1", "--no-tags"]), false),
    ("partial", |world| world.clone(&["--filter=blob:none", "--no-checkout"]), false),
    ("treeless", |world| world.clone(&["--filter=tree:0", "--no-checkout"]), false),
    ("a folder that is not there", |world| world.folder.path().join("nowhere"), false),
    ("an empty folder", empty, false),
    ("a folder that is not git", not_git, false),
    ("a `.git` file that points nowhere", dangling, false),
    ("another repository", another, false),
    ("a commit is missing", |world| without(world, "main~5"), false),
    ("a file's content is missing", |world| without(world, "main:environments/prod/values.yaml"), false),
    ("a commit is damaged", damaged, false),
];

fn detached(world: &World) -> PathBuf {
    let checkout = world.clone(&["--no-tags"]);
    git(&checkout, &["checkout", "-q", "--detach", "HEAD"]);
    git(&checkout, &["branch", "-q", "-D", "main"]);
    checkout
}

fn of_another_user(world: &World) -> PathBuf {
    let checkout = world.clone(&[]);
    // Only root can give files away; others test a deep checkout of their own.
    for path in snapshot(&checkout).keys() {
        let _ = std::os::unix::fs::lchown(path, Some(1001), Some(1001));
    }
    checkout
}

fn worktree(world: &World) -> PathBuf {
    let checkout = world.clone(&[]);
    let worktree = world.folder.path().join("worktree");
    git(&checkout, &["worktree", "add", "-q", "--detach", worktree.to_str().unwrap()]);
    worktree
}

fn renamed(world: &World) -> PathBuf {
    let checkout = world.clone(&[]);
    git(&checkout, &["remote", "set-url", "origin", "git@example.com:else/where.git"]);
    checkout
}

fn empty(world: &World) -> PathBuf {
    let folder = world.folder.path().join("empty");
    std::fs::create_dir(&folder).unwrap();
    folder
}

fn not_git(world: &World) -> PathBuf {
    let folder = empty(world);
    std::fs::write(folder.join("README.md"), "hello").unwrap();
    std::fs::create_dir(folder.join(".git")).unwrap();
    folder
}

fn dangling(world: &World) -> PathBuf {
    let folder = empty(world);
    std::fs::write(folder.join(".git"), "gitdir: /host/only/repo/.git/worktrees/x\n").unwrap();
    folder
}

fn another(world: &World) -> PathBuf {
    let folder = empty(world);
    git(&folder, &["init", "-q"]);
    git(&folder, &["commit", "-q", "--allow-empty", "-m", "another"]);
    folder
}

/// A deep checkout whose objects are loose files.
fn loose(world: &World) -> PathBuf {
    let checkout = world.clone(&[]);
    let packs = checkout.join(".git/objects/pack");
    let aside = world.folder.path().join("packs");
    std::fs::rename(&packs, &aside).unwrap();
    std::fs::create_dir(&packs).unwrap();
    for pack in std::fs::read_dir(aside).unwrap().flatten() {
        if pack.path().extension().is_some_and(|end| end == "pack") {
            let unpack = std::process::Command::new("git")
                .args(["unpack-objects", "-q"])
                .current_dir(&checkout)
                .stdin(std::fs::File::open(pack.path()).unwrap())
                .status();
            assert!(unpack.unwrap().success());
        }
    }
    checkout
}

fn object(world: &World, checkout: &Path, name: &str) -> PathBuf {
    let id = git(&world.bare(), &["rev-parse", name]);
    checkout.join(".git/objects").join(&id[..2]).join(&id[2..])
}

fn without(world: &World, name: &str) -> PathBuf {
    let checkout = loose(world);
    std::fs::remove_file(object(world, &checkout, name)).unwrap();
    checkout
}

fn damaged(world: &World) -> PathBuf {
    let checkout = loose(world);
    let (victim, other) = (object(world, &checkout, "main~4"), object(world, &checkout, "main~3"));
    std::fs::remove_file(&victim).unwrap();
    std::fs::copy(other, victim).unwrap();
    checkout
}

fn order_by_git(world: &World) -> Vec<CommitSha> {
    git(&world.bare(), &["rev-list", "--date-order", "main"])
        .lines()
        .map(|id| CommitSha::parse(id).unwrap())
        .collect()
}

#[test]
fn every_workspace_gives_the_same_answers_and_is_left_as_it_was() {
    std::thread::scope(|scope| {
        for (name, prepare, spares) in WORKSPACES {
            scope.spawn(move || {
                let world = World::small();
                let workspace = prepare(&world);
                let folders = [world.folder.path().join("checkout"), workspace.clone()];
                let before = folders.clone().map(|folder| snapshot(&folder));

                let history = world.open(Some(&workspace));
                let main = world.sha("main");
                let values = path("environments/prod/values.yaml");
                assert_eq!(history.head_of("refs/heads/main"), Some(main.clone()), "{name}");
                assert_eq!(history.in_order(&main).unwrap(), order_by_git(&world), "{name}");
                let file = history.file(&main, &values).unwrap().expect(name);
                assert_eq!(file.bytes, b"image:\n  tag: 10\n", "{name}");
                assert_eq!(history.commits_between(None, &main, &[values], 99).unwrap().0.len(), 6, "{name}");
                assert!(history.tag(&world.sha("v1")).unwrap().unwrap().tagged_at.is_some(), "{name}");

                assert!(before == folders.clone().map(|folder| snapshot(&folder)), "{name} was changed");
                if spares {
                    let packs = usize::from(!name.starts_with("deep, detached"));
                    assert!(world.server.packs().0 + packs <= 1, "{name} fetched what it has");
                }
                drop(history);
                assert!(snapshot(&world.scratch()).len() == 1, "{name} left something behind");
            });
        }
    });
}

#[test]
fn a_checkout_that_is_behind_is_completed_and_no_more() {
    let world = World::small();
    let checkout = world.clone(&[]);
    let main = world.advance("new-file");
    let before = snapshot(&checkout);
    let history = world.open(Some(&checkout));
    assert_eq!(history.in_order(&main).unwrap(), order_by_git(&world));
    assert!(history.file(&main, &path("new-file")).unwrap().is_some());
    assert!(before == snapshot(&checkout));
    let (requests, bytes) = world.server.packs();
    assert!(requests <= 2 && bytes < 3000, "{requests} requests, {bytes} bytes");
}

#[test]
fn a_commit_that_only_the_checkout_has_is_not_history() {
    let world = World::small();
    let checkout = world.clone(&[]);
    git(&checkout, &["commit", "-q", "--allow-empty", "-m", "local"]);
    let local = CommitSha::parse(&git(&checkout, &["rev-parse", "HEAD"])).unwrap();
    let history = world.open(Some(&checkout));
    assert!(!history.contains(&local));
    assert!(!history.is_ancestor(&local, &world.sha("main")).unwrap());
    let failure = history.commit(&local).unwrap_err();
    assert!(failure.to_string().contains("is not in the history of `refs/heads/main`"), "{failure}");
}

#[test]
fn a_history_can_go_to_another_thread() {
    fn moves<T: Send>() {}
    moves::<History>();
}
