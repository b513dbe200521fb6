//! Every question, with git's own answer as the oracle.

use promote::git::{History, Truncated, Wanted};
use promote::names::{CommitSha, RepoPath};

use crate::world::{Script, World, git, git_with, path};

/// 300 commits on three branches that merge into each other, with every kind of merge: ours, theirs,
/// both, evil; times that repeat nowhere but sometimes run backwards by a little.
fn tangled() -> World {
    let mut script = Script::default();
    let mut heads = [script.commit("main", 1_600_000_000, &[], &[("a/f", Some("0")), ("b/f", Some("0"))]); 3];
    let branches = ["main", "one", "two"];
    let mut random: u64 = 42;
    let mut next = move |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    for number in 1..300_i64 {
        let at = usize::try_from(next(3)).unwrap();
        let time = 1_600_000_000 + number * 60;
        let content = number.to_string();
        let few = next(3).to_string();
        let files: Vec<(&str, Option<&str>)> = match next(6) {
            0 => vec![("a/f", Some(&content))],
            1 => vec![("b/f", Some(&content)), ("c", Some(&few))],
            2 => vec![("a/deep/er", Some(&few))],
            3 => vec![("a/deep", None)],
            4 => vec![("c", Some(&content))],
            _ => vec![],
        };
        let other = usize::try_from(next(3)).unwrap();
        let parents = if next(4) == 0 && heads[other] != heads[at] {
            vec![heads[at], heads[other]]
        } else {
            vec![heads[at]]
        };
        heads[at] = script.commit(branches[at], time, &parents, &files);
    }
    script.commit("main", 1_600_100_000, &[heads[0], heads[1], heads[2]], &[("a/f", Some("end"))]);
    World::new(&script)
}

fn all_of(world: &World) -> (History, Vec<CommitSha>) {
    let history = world.open(None);
    let ids =
        git(&world.bare(), &["rev-list", "main"]).lines().map(|id| CommitSha::parse(id).unwrap()).collect();
    (history, ids)
}

fn log_by_git(world: &World, range: &str, paths: &[&str]) -> Vec<String> {
    let arguments = [&["log", "--date-order", "--format=%H", range, "--"], paths].concat();
    git(&world.bare(), &arguments).lines().map(str::to_owned).collect()
}

fn equals_a_parent(world: &World, id: &str, paths: &[&str]) -> bool {
    let parents = git(&world.bare(), &["log", "-1", "--format=%P", id]);
    let parents: Vec<&str> = parents.split(' ').collect();
    let differs = |parent: &&str| {
        let arguments = [&["diff", "--name-only", parent, id, "--"], paths].concat();
        !git(&world.bare(), &arguments).is_empty()
    };
    parents.len() > 1 && !parents.iter().all(differs)
}

#[test]
fn commits_between_two_are_those_of_git_log() {
    let world = tangled();
    let (history, ids) = all_of(&world);
    let main = world.sha("main");
    for paths in
        [&[][..], &["a"], &["a/f"], &["a/deep"], &["b"], &["a", "c"], &["a/deep/er", "b/f"], &["gone"]]
    {
        let ours: Vec<RepoPath> = paths.iter().map(|text| path(text)).collect();
        for exclude in [None, Some(&ids[3]), Some(&ids[57]), Some(&ids[150]), Some(&ids[250]), Some(&main)] {
            let range = exclude.map_or_else(|| main.to_string(), |exclude| format!("{exclude}..{main}"));
            let (commits, truncated) = history.commits_between(exclude, &main, &ours, 1000).unwrap();
            let found: Vec<String> = commits.iter().map(|commit| commit.sha.to_string()).collect();
            let by_git = log_by_git(&world, &range, paths);
            // git shows a merge that equals an excluded parent; that is no news, and ours does not.
            let news: Vec<String> = by_git
                .into_iter()
                .filter(|id| found.contains(id) || !equals_a_parent(&world, id, paths))
                .collect();
            assert_eq!(found, news, "{range} -- {paths:?}");
            assert_eq!(truncated, Truncated::No);
        }
    }
}

#[test]
fn a_limit_keeps_the_newest_and_says_so() {
    let world = tangled();
    let (history, _) = all_of(&world);
    let main = world.sha("main");
    let (all, _) = history.commits_between(None, &main, &[], 1000).unwrap();
    let (some, truncated) = history.commits_between(None, &main, &[], 7).unwrap();
    assert_eq!((some.as_slice(), truncated), (&all[..7], Truncated::Yes));
    assert_eq!(history.commits_between(None, &main, &[], all.len()).unwrap().1, Truncated::No);
}

#[test]
fn ancestry_is_that_of_git() {
    let world = tangled();
    let (history, ids) = all_of(&world);
    for of in ids.iter().step_by(41) {
        let listed = git(&world.bare(), &["rev-list", of.as_str()]);
        for candidate in &ids {
            let expected = listed.contains(candidate.as_str());
            assert_eq!(history.is_ancestor(candidate, of).unwrap(), expected, "{candidate} of {of}");
        }
    }
    for (one, other) in [(0, 9), (9, 0), (30, 31), (200, 120)] {
        let pair = [ids[one].as_str(), ids[other].as_str()];
        let expected = std::process::Command::new("git")
            .args(["merge-base", "--is-ancestor", pair[0], pair[1]])
            .current_dir(world.bare())
            .status()
            .unwrap()
            .success();
        assert_eq!(history.is_ancestor(&ids[one], &ids[other]).unwrap(), expected);
    }
}

#[test]
fn a_merge_base_is_one_of_gits() {
    let world = tangled();
    let (history, ids) = all_of(&world);
    for (one, other) in ids.iter().step_by(37).zip(ids.iter().skip(5).step_by(29)) {
        let base = history.merge_base(one, other).unwrap().unwrap();
        let all = git(&world.bare(), &["merge-base", "--all", one.as_str(), other.as_str()]);
        assert_eq!(all.lines().next(), Some(base.as_str()), "{one} {other}");
    }
}

#[test]
fn an_unknown_commit_is_nobodys_ancestor_and_has_no_answers() {
    let world = World::small();
    let (history, _) = all_of(&world);
    let (main, unknown) = (world.sha("main"), CommitSha::parse(&"7".repeat(40)).unwrap());
    assert!(!history.is_ancestor(&unknown, &main).unwrap());
    assert!(!history.contains(&CommitSha::parse(&"7".repeat(64)).unwrap()));
    for failure in [
        history.is_ancestor(&main, &unknown).unwrap_err(),
        history.file(&unknown, &path("README.md")).unwrap_err(),
        history.commits_between(Some(&unknown), &main, &[], 9).unwrap_err(),
    ] {
        assert!(
            failure.to_string().contains(&format!("commit `{unknown}` is not in the history")),
            "{failure}"
        );
    }
}

#[test]
fn changed_paths_are_those_against_the_first_parent() {
    let world = tangled();
    let (history, ids) = all_of(&world);
    for id in ids.iter().step_by(7) {
        let parent = format!("{id}^1");
        let root = git(&world.bare(), &["rev-list", "--parents", "-1", id.as_str()]).len() == 40;
        let from = if root { "4b825dc642cb6eb9a060e54bf8d69288fbee4904" } else { &parent };
        let expected =
            git(&world.bare(), &["diff-tree", "-r", "--name-only", "--no-renames", from, id.as_str()]);
        let changed: Vec<String> =
            history.changed_paths(id).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(changed.join("\n"), expected, "{id}");
    }
}

#[test]
fn later_commits_of_trunk_that_touch_a_folder_come_oldest_first() {
    let mut script = Script::default();
    let staging = "environments/staging/values.yaml";
    script.commit("main", 100, &[], &[(staging, Some("1"))]);
    let tagged = script.commit("side", 200, &[1], &[("src", Some("x"))]);
    script.commit("main", 300, &[1], &[("README", Some("x"))]);
    let merge = script.commit("main", 400, &[3, tagged], &[("src", Some("x"))]);
    script.commit("main", 500, &[merge], &[(staging, Some("2"))]);
    script.commit("main", 600, &[5], &[("README", Some("y"))]);
    let side = script.commit("side2", 700, &[6], &[(staging, Some("3"))]);
    script.commit("main", 800, &[6, side], &[(staging, Some("3"))]);
    let world = World::new(&script);
    let history = world.open(None);
    let main = world.sha("main");
    let later = history.later_touching(&world.sha("side"), &main, &[path("environments/staging")]).unwrap();
    assert_eq!(later, [world.sha("main~2"), main.clone()]);
    assert_eq!(history.later_touching(&main, &main, &[path("environments/staging")]).unwrap(), []);
    // The root counts as changed by whatever it adds.
    let all = history.later_touching(&world.sha("main~5"), &main, &[path("")]).unwrap();
    assert_eq!(all.last(), Some(&main));
}

#[test]
fn files_come_with_bytes_and_mode_and_links_are_not_followed() {
    let world = World::small();
    let bare = world.bare();
    let blob = |text: &str| git_with(&bare, &["hash-object", "-w", "--stdin"], text);
    let tree = |entries: &[(&str, &str, &str)]| {
        let lines: Vec<String> = entries
            .iter()
            .map(|(mode, id, name)| {
                let kind = match *mode {
                    "040000" => "tree",
                    "160000" => "commit",
                    _ => "blob",
                };
                format!("{mode} {kind} {id}\t{name}\n")
            })
            .collect();
        git_with(&bare, &["mktree", "--missing"], &lines.concat())
    };
    let inner = tree(&[("100644", &blob("deep"), "deep.yaml")]);
    let prod = tree(&[
        ("100755", &blob("run"), "run.sh"),
        ("100644", &blob("a: 1\r\n"), "values.yaml"),
        ("120000", &blob("../base/kustomization.yaml"), "kustomization.yaml"),
        ("160000", &"1".repeat(40), "submodule"),
        ("040000", &inner, "inner"),
    ]);
    let root = tree(&[("040000", &prod, "prod"), ("120000", &blob("prod"), "link")]);
    let commit = git(&bare, &["commit-tree", &root, "-m", "files"]);
    git(&bare, &["update-ref", "refs/heads/main", &commit]);
    let history = world.open(None);
    let main = world.sha("main");

    let names = ["kustomization.yaml", "Chart.yaml", "values.yaml", "run.sh", "inner", "submodule"];
    let paths: Vec<_> = names.iter().map(|name| path(&format!("prod/{name}"))).collect();
    let files = history.overlay_files(&main, &paths.iter().collect()).unwrap();
    let seen: Vec<(&str, &[u8], u32)> =
        files.iter().map(|file| (file.path.as_str(), file.bytes.as_slice(), file.mode)).collect();
    assert_eq!(
        seen,
        [
            ("prod/kustomization.yaml", b"../base/kustomization.yaml".as_slice(), 0o120_000),
            ("prod/run.sh", b"run", 0o100_755),
            ("prod/values.yaml", b"a: 1\r\n", 0o100_644),
        ]
    );
    let below = |folder: &str, depth| -> Vec<String> {
        history.files_below(&main, &path(folder), depth).unwrap().iter().map(ToString::to_string).collect()
    };
    assert_eq!(below("prod", 1), ["prod/kustomization.yaml", "prod/run.sh", "prod/values.yaml"]);
    assert_eq!(below("", 1), ["link"]);
    assert_eq!(below("", 3).len(), 5);
    assert_eq!(below("gone", 9), [""; 0]);
    assert_eq!(history.file(&main, &path("link/values.yaml")).unwrap(), None);
    assert_eq!(history.tree_id(&main, &path("prod")).unwrap(), Some(prod));
    assert_eq!(history.tree_id(&main, &path("")).unwrap(), Some(root));
    assert_eq!(history.tree_id(&main, &path("prod/gone")).unwrap(), None);
}

#[test]
fn a_commit_is_told_as_it_was_written() {
    let world = World::small();
    let history = world.open(None);
    let commit = history.commit(&world.sha("main")).unwrap();
    assert_eq!((commit.author_name.as_str(), commit.author_email.as_str()), ("A", "a@x"));
    assert_eq!(commit.committed_at.as_second(), 1_700_002_000);
    assert_eq!(commit.parents, [world.sha("main^1"), world.sha("main^2")]);
    assert_eq!(commit.message, "feat: change 12\n");
}

#[test]
fn tags_are_listed_peeled_and_tell_when_they_were_made() {
    let world = World::small();
    let listing = world.remote().listing().unwrap();
    assert_eq!(listing.default_branch.unwrap().as_str(), "main");
    assert_eq!(listing.branches.keys().collect::<Vec<_>>(), ["main", "side"]);
    let tags: Vec<_> = listing.tags.iter().map(|tag| (tag.name.as_str(), &tag.commit, &tag.object)).collect();
    let (v1, light) = (world.sha("v1^{commit}"), world.sha("light"));
    assert_eq!(
        tags,
        [("light", &light, &light), ("nested", &v1, &world.sha("nested")), ("v1", &v1, &world.sha("v1")),]
    );

    let history = world.open(None);
    let fetched = world.server.packs().0;
    assert_eq!(history.tag(&light).unwrap(), None);
    assert_eq!(world.server.packs().0, fetched, "a lightweight tag needs no request");
    let info = history.tag(&world.sha("v1")).unwrap().unwrap();
    assert_eq!((info.tagged_at.unwrap().as_second(), info.tagger.as_deref()), (1_800_000_000, Some("T")));
    assert_eq!(history.tag(&CommitSha::parse(&"7".repeat(40)).unwrap()).unwrap(), None);
}

#[test]
fn more_can_be_fetched_later_tags_and_branches_alike() {
    let world = World::small();
    git(&world.bare(), &["branch", "-q", "other", "main~3"]);
    let other = {
        let tree = git(&world.bare(), &["rev-parse", "other^{tree}"]);
        git(&world.bare(), &["commit-tree", &tree, "-p", "other", "-m", "other"])
    };
    git(&world.bare(), &["update-ref", "refs/heads/other", &other]);
    let history = world.open(None);
    let other = world.sha("other");
    assert!(!history.contains(&other));
    let tags =
        ["v1", "nested"].map(|tag| Wanted { reference: format!("refs/tags/{tag}"), sha: world.sha(tag) });
    history.fetch(&[&[world.wanted("other")], &tags[..]].concat()).unwrap();
    assert!(history.contains(&other) && history.contains(&world.sha("main")));
    assert!(!history.is_ancestor(&other, &world.sha("main")).unwrap());
    let packs = world.server.packs().0;
    for tag in &tags {
        assert!(history.tag(&tag.sha).unwrap().is_some());
    }
    assert_eq!(world.server.packs().0, packs, "tags that were fetched are not fetched again");
}
