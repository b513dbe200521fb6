//! A promotion's way through every surface: REST, GraphQL and git see one state.

use std::process::Command;

use serde_json::{Value, json};

use crate::client::{NAME, ground};

const UPDATE: &str = "mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }";

#[test]
fn an_api_commit_is_signed_compared_and_swapped_and_can_be_cloned() {
    let ground = ground();
    let sha = ground.api_commit(&ground.first, "two");
    let shown = ground.get(&format!("/git/commits/{sha}"));
    assert_eq!(shown.body["verification"]["verified"], true);
    assert_eq!(shown.body["committer"]["email"], "noreply@github.com");

    let id = ground.graphql(
        "query($o: String!, $n: String!) { repository(owner: $o, name: $n) { id main: ref(qualifiedName: \"main\") { ...t } } }
         fragment t on Ref { __typename name target { oid } }",
        json!({ "o": "acme", "n": "gitops" }),
    );
    assert_eq!(id["data"]["repository"]["main"]["target"]["oid"], ground.first.as_str(), "{id}");
    let move_ref = |before: &str, after: &str| {
        ground.graphql(
            UPDATE,
            json!({ "input": { "repositoryId": id["data"]["repository"]["id"], "refUpdates": [
                { "name": "refs/heads/promote", "beforeOid": before, "afterOid": after, "force": true }
            ] } }),
        )
    };
    let zero = "0".repeat(40);
    assert_eq!(move_ref(&zero, &sha)["data"]["updateRefs"]["clientMutationId"], Value::Null);
    assert_eq!(move_ref(&zero, &sha)["errors"][0]["type"], "STALE_DATA");
    assert_eq!(move_ref(&sha, &ground.first)["errors"], Value::Null);
    assert_eq!(ground.repo.resolve("promote").unwrap(), ground.first);
    assert_eq!(move_ref(&ground.first, &zero)["errors"], Value::Null);
    assert!(ground.repo.resolve("promote").is_err());
    assert_eq!(move_ref(&zero, &sha)["errors"], Value::Null);

    let folder = tempfile::tempdir().unwrap();
    let address =
        format!("{}/{NAME}.git", ground.github.url()).replace("http://", "http://x-access-token:t@");
    let git = |arguments: &[&str]| {
        let done = Command::new("git")
            .current_dir(folder.path())
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("HOME", folder.path())
            .args(["-c", "user.name=Bob", "-c", "user.email=bob@acme.example"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    git(&["clone", "-q", "--depth=1", "-b", "promote", &address, "c"]);
    assert_eq!(std::fs::read_to_string(folder.path().join("c/a.txt")).unwrap(), "two");

    let number = ground
        .rest(
            "POST",
            "/pulls",
            json!({ "title": "Promote", "head": "promote", "base": "main", "draft": true }),
        )
        .body["number"]
        .as_u64()
        .unwrap();
    std::fs::write(folder.path().join("c/a.txt"), "three").unwrap();
    git(&["-C", "c", "commit", "-qam", "fix: by hand"]);
    git(&["-C", "c", "push", "-q", "origin", "promote"]);
    let pushed = git(&["-C", "c", "rev-parse", "HEAD"]);
    assert_eq!(ground.repo.pull(number).unwrap().head_sha, pushed);
    git(&["-C", "c", "push", "-q", "-f", "origin", &format!("{pushed}:refs/heads/main")]);
    assert_eq!(ground.repo.pull(number).unwrap().state, "merged");
    assert!(ground.github.unknown_routes().is_empty());
}
