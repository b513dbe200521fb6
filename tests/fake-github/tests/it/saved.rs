//! A saved state: what comes after it is gone once it is restored, in git as in the API, as often as wanted.

use fake_github::{Commit, Effect, Fault, On};
use serde_json::json;

use crate::client::{NAME, ground};

#[test]
fn what_came_after_a_saved_state_is_gone_once_it_is_restored() {
    let ground = ground();
    let number = ground.pull("promote");
    let saved = ground.github.save().unwrap();
    let head = ground.repo.resolve("promote").unwrap();
    for _ in 0..2 {
        assert_eq!(ground.pull("other"), number + 1);
        ground.repo.close(number, "bob").unwrap();
        ground.repo.commit(&Commit::new("more").file("a.txt", "2\n").branch("promote")).unwrap();
        ground.github.inject(Fault::new(On::default(), Effect::CutBefore)).unwrap();
        ground.github.restore(&saved).unwrap();
        assert!(ground.github.traffic().is_empty());
        let pulls = ground.repo.pulls().unwrap();
        let states: Vec<_> = pulls.iter().map(|pull| (pull.number, pull.state.as_str())).collect();
        assert_eq!(states, [(number, "open")]);
        assert_eq!(
            (ground.repo.resolve("promote").unwrap(), ground.repo.resolve("other").is_err()),
            (head.clone(), true)
        );
        assert_eq!(ground.get("/git/ref/heads/promote").body["object"]["sha"], head.as_str());
    }
}

#[test]
fn git_and_the_api_share_a_restored_repository() {
    let ground = ground();
    let saved = ground.github.save().unwrap();
    let folder = ground.repo.git_dir().unwrap();
    ground.github.restore(&saved).unwrap();
    assert!(folder != ground.repo.git_dir().unwrap());
    ground.rest("POST", "/git/refs", json!({ "ref": "refs/heads/new", "sha": ground.first }));
    let address = format!("{}/{NAME}", ground.github.url()).replace("http://", "http://x:t@");
    let git =
        std::process::Command::new("git").args(["ls-remote", &address, "refs/heads/new"]).output().unwrap();
    let told = String::from_utf8_lossy(&git.stdout).into_owned();
    assert!(told.starts_with(&ground.first), "{told} {}", String::from_utf8_lossy(&git.stderr));
}
