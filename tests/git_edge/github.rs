//! The same against the fake GitHub: private repositories, its tokens, its refs.

use fake_github::{Commit, FakeGitHub, Level, Options, Repo, Token, TokenKind};
use promote::git::{History, Remote, Wanted};
use promote::names::{CommitSha, RepoSlug};

use crate::world::{self, path};

fn start() -> (FakeGitHub, Repo) {
    let github = FakeGitHub::start(&Options::default()).unwrap();
    github.add_token(Token::actions("ghs_job"));
    github
        .add_token(Token::bare("ghs_blind", "blind[bot]", TokenKind::Actions).allow("issues", Level::Write));
    let repo = github.create_repo("acme/gitops").unwrap();
    let values = Commit::new("feat: x").file("environments/prod/values.yaml", "a: 1\n");
    let first = repo.commit(&values).unwrap();
    repo.annotated_tag("v1.0.0", &first, "one", "alice", None).unwrap();
    repo.commit(&Commit::new("fix: y").file("environments/prod/values.yaml", "a: 2\n")).unwrap();
    (github, repo)
}

fn remote(github: &FakeGitHub, token: Option<&str>) -> Remote {
    world::remote_of(github.url(), RepoSlug::parse("acme/gitops").unwrap(), token)
}

#[test]
fn a_private_repository_is_read_with_the_jobs_token() {
    let (github, repo) = start();
    let remote = remote(&github, Some("ghs_job"));
    let listing = remote.listing().unwrap();
    assert_eq!(listing.default_branch.as_ref().map(promote::names::BranchName::as_str), Some("main"));
    let main = listing.branches["main"].clone();
    assert_eq!(main, CommitSha::parse(&repo.resolve("main").unwrap()).unwrap());

    let scratch = tempfile::tempdir().unwrap();
    let wanted = [Wanted { reference: "refs/heads/main".to_owned(), sha: main.clone() }];
    let history = History::open(None, scratch.path(), &remote, &wanted).unwrap();
    let tag = &listing.tags[0];
    assert!(tag.object != tag.commit && history.is_ancestor(&tag.commit, &main).unwrap());
    let file = history.file(&tag.commit, &path("environments/prod/values.yaml")).unwrap().unwrap();
    assert_eq!(file.bytes, b"a: 1\n");
    assert!(history.tag(&tag.object).unwrap().unwrap().tagged_at.is_some());
}

#[test]
fn a_private_repository_is_not_there_for_others() {
    let (github, _) = start();
    for (token, says) in [
        (None, "set input `token`"),
        (Some("ghs_unknown"), "was not accepted"),
        (Some("ghs_blind"), "contents: read"),
    ] {
        let text = remote(&github, token).listing().unwrap_err().to_string();
        assert!(text.contains(says), "{token:?}: {text}");
    }
}
