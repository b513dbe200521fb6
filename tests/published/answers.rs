//! The examples that GitHub's own description gives for every operation, read by promote's client.

use http::StatusCode;
use promote::github::checks::Check;
use promote::github::git_data::NewFile;
use promote::github::pulls::{NewPull, Opened, PullState};
use promote::names::{BranchName, CommitSha};
use promote::release::evidence::Promoting;
use promote::settings::Required;

use crate::replay::examples;
use crate::{block_on, client, github, json_of, package};

/// The commits that the examples are about; each operation's example has one of its own.
const RUN: &str = "acb5820ced9479c074f688cc328bf03f341a511d";
const DEPLOYED: &str = "a84d88e7554fc1fa21bcbc4efae3c782a70d2b9d";
const SLUG: &str = "octocat/Hello-World";

#[test]
#[ignore = "needs the published payloads: npm ci --prefix tests/contract"]
fn the_client_reads_githubs_examples() {
    let server = examples(json_of(&package("openapi/generated/api.github.com.json")));
    let github = github(&server.url, SLUG);
    let commit = |sha: &str| CommitSha::parse(sha).unwrap();
    let promoting = Promoting { path: None, run: None };
    block_on(async {
        let workflows = github.workflows().await.unwrap();
        assert_eq!(workflows[0].path, ".github/workflows/blank.yaml");
        assert!(github.was_deployed_to("production").await.unwrap());

        let required = [
            Required::Workflow("Build".into()),
            Required::Check { name: "mighty_readme".into(), app: None },
            Required::Status { context: "continuous-integration/jenkins".into(), creator: None },
        ];
        let ran = github.ran(&commit(RUN), &required, &promoting).await.unwrap();
        assert_eq!((ran.runs.len(), ran.checks.len(), ran.statuses.len()), (1, 1, 1));
        assert_eq!((ran.runs[0].name.as_str(), ran.runs[0].event.as_str()), ("Build", "push"));
        assert_eq!(ran.checks[0].name, "mighty_readme");
        assert_eq!(ran.statuses[0].context, "continuous-integration/jenkins");
        let required = [Required::Deployment("production".into())];
        let ran = github.ran(&commit(DEPLOYED), &required, &promoting).await.unwrap();
        assert_eq!(ran.deployments[0].statuses[0].state, "success");

        let (head, base) = (BranchName::parse("new-topic").unwrap(), BranchName::parse("master").unwrap());
        let pulls = github.pull_requests(&head, &base).await.unwrap();
        assert_eq!((pulls[0].number, pulls[0].state, pulls[0].draft), (1347, PullState::Open, false));
        let new = NewPull { head: &head, base: &base, title: "t", body: "b", draft: false };
        let (pull, opened) = github.open_pull_request(&new).await.unwrap();
        assert_eq!((pull.number, opened), (1347, Opened::Now));
        assert!(pull.head.is_some() && !pull.labels.is_empty() && !pull.node_id.is_empty());
        assert!(github.is_approved(1).await.unwrap());
        github.closed_by(1).await.unwrap();
        github.rewrite_pull_request(1, "t", "b").await.unwrap();
        github.close_pull_request(1).await.unwrap();
        github.reopen_pull_request(1).await.unwrap();
        github.comment(1, "x").await.unwrap();
        github.assign(1, &["octocat".to_owned()]).await.unwrap();
        assert!(github.request_reviews(1, &["octocat".to_owned()], &[]).await.unwrap().is_empty());

        let file = NewFile { path: "a.yaml", mode: 0o100_644, content: "a: 1\n" };
        let made = github.create_commit(&commit(RUN), RUN, &[file], "x").await.unwrap();
        assert_eq!(
            github.commit_message(&made).await.unwrap().unwrap().message,
            "added readme, because im a good github citizen"
        );
        assert!(github.branch_head(&BranchName::parse("featureA").unwrap()).await.unwrap().is_some());

        let check = Check {
            conclusion: "success".into(),
            title: "t".into(),
            summary: "s".into(),
            annotations: vec![],
        };
        github.write_check(&commit(RUN), None, &check, None).await.unwrap();
        github.write_check(&commit(RUN), Some(4), &check, None).await.unwrap();
        github.check_on(&commit(RUN)).await.unwrap();
    });
    let missed = server.missed.lock().unwrap().clone();
    assert!(missed.is_empty(), "no example for {missed:?}");
    let refusal = block_on(client(&server.url).get::<serde_json::Value>("/no/such/thing", "")).unwrap_err();
    assert!(refusal.is(StatusCode::NOT_FOUND));
}
