//! How requests travel: pages, limits, faults; the runner's files; the admin API; pages for a person.

use fake_github::runner::{Ended, Launch, Paths, Running, file_command, input_name, step};
use fake_github::{Commit, Effect, Fault, On, Options, WorkflowRun};
use serde_json::{Value, json};

use crate::client::{NAME, ground, ground_with};

#[test]
fn pages_link_to_the_next_and_the_last() {
    let ground = ground_with(&Options { page_cap: Some(2), ..Options::default() });
    for index in 0..4 {
        ground.repo.commit(&Commit::new("more").file("a.txt", &index.to_string())).unwrap();
    }
    let mut path = "/commits?per_page=100".to_owned();
    let mut seen = 0;
    loop {
        let reply = ground.get(&path);
        seen += reply.body.as_array().unwrap().len();
        let link = reply.header("link").unwrap().to_owned();
        let Some(next) = link.split(", ").find(|part| part.ends_with("rel=\"next\"")) else { break };
        assert!(link.contains("page=3>; rel=\"last\""), "{link}");
        path = next[next.find("/commits").unwrap()..next.find('>').unwrap()].to_owned();
    }
    assert_eq!(seen, 5);
}

#[test]
fn a_protected_branch_takes_no_push() {
    let ground = ground();
    ground.repo.set(|settings| settings.protected_branches = vec!["main".to_owned()]).unwrap();
    let address = format!("{}/{NAME}", ground.github.url()).replace("http://", "http://x:t@");
    let push = |target: &str, token: &str| {
        let address = address.replace(":t@", &format!(":{token}@"));
        let done = std::process::Command::new("git")
            .current_dir(ground.repo.git_dir().unwrap())
            .env("GIT_TERMINAL_PROMPT", "0")
            .args(["push", "-q", &address, &format!("+{}:refs/heads/{target}", ground.first)])
            .output()
            .unwrap();
        (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    ground.repo.commit(&Commit::new("more").file("a.txt", "2")).unwrap();
    let (done, said) = push("main", "t");
    assert!(!done && said.contains("GH006"), "{said}");
    assert!(push("free", "t").0);
    assert!(!push("other", "wrong").0);
}

#[test]
fn the_primary_limit_runs_out_and_starts_again() {
    let ground = ground();
    ground.github.set_rate_limit(1, "2026-11-22T10:00:30Z".parse().unwrap());
    assert_eq!(ground.get("").header("x-ratelimit-remaining"), Some("0"));
    let out = ground.get("");
    assert_eq!((out.status, out.header("x-ratelimit-remaining")), (403, Some("0")));
    assert!(out.message().starts_with("API rate limit exceeded"));
    ground.github.set_now("2026-11-22T10:01:00Z".parse().unwrap());
    assert_eq!(ground.get("").status, 200);
}

#[test]
fn faults_strike_the_request_they_wait_for() {
    let ground = ground();
    let inject = |on: On, what: Effect| ground.github.inject(Fault::new(on, what)).unwrap();
    let headers = [("user-agent", "test"), ("authorization", "Bearer t")];
    let path = format!("/api/v3/repos/{NAME}/git/refs");
    let create = |name: &str| {
        let body = json!({ "ref": format!("refs/heads/{name}"), "sha": ground.first }).to_string();
        ground.raw("POST", &path, &headers, &body)
    };
    inject(On::request("POST", "/git/refs$").nth(2), Effect::CutBefore);
    inject(On::request("POST", "/git/refs$").nth(3), Effect::CutAfter);
    inject(On::request("POST", "/git/refs$").nth(4), Effect::SecondaryLimit { retry_after: 7 });
    assert_eq!(create("one").unwrap().status, 201);
    assert!(create("two").is_none() && ground.repo.resolve("two").is_err());
    assert!(create("three").is_none() && ground.repo.resolve("three").is_ok());
    let limited = create("four").unwrap();
    assert_eq!((limited.status, limited.header("retry-after")), (403, Some("7")));
    inject(
        On::graphql("viewer").times(2),
        Effect::Status {
            status: 502,
            body: Value::Null,
            headers: [("X-Test".to_owned(), "1".to_owned())].into(),
        },
    );
    let ask = || ground.raw("POST", "/api/graphql", &headers, "{\"query\":\"{viewer{login}}\"}").unwrap();
    assert_eq!((ask().status, ask().status, ask().status), (502, 502, 200));
    inject(On::request("GET", "."), Effect::DelayBefore { milliseconds: 1 });
    assert_eq!(ground.get("").status, 200);
    let faults = ground.github.traffic().iter().filter(|exchange| exchange.fault.is_some()).count();
    assert_eq!(faults, 6);
    assert!(ground.github.traffic().iter().all(|exchange| exchange.route.is_some()));
}

#[test]
fn a_record_file_holds_exchanges_and_events_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("traffic.jsonl");
    let ground = ground_with(&Options { record: Some(record.clone()), ..Options::default() });
    ground.get("/commits");
    let payload = ground.repo.event_push_branch("main", &"0".repeat(40)).unwrap();
    let altered = json!({ "ref": "refs/heads/main" });
    let workspace = std::path::Path::new("/w");
    let launch = Launch { event: "push", payload: &altered, workspace, inputs: &[("token", "t")], run_id: 5 };
    step(&ground.repo, &launch).unwrap();
    let text = std::fs::read_to_string(record).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [exchange, made, delivered] = lines.as_slice() else { panic!("{text}") };
    assert_eq!(
        (&exchange["route"], &exchange["status"]),
        (&json!("/repos/{owner}/{repo}/commits"), &json!(200))
    );
    assert_eq!(exchange["request_headers"]["authorization"], "***");
    assert_eq!(made, &json!({ "surface": "event", "origin": "made", "name": "push", "payload": payload }));
    assert_eq!((&delivered["origin"], &delivered["payload"]), (&json!("delivered"), &altered));
    assert_eq!(ground.github.traffic().len(), 1);
}

#[test]
fn the_runner_lays_out_its_files() {
    let ground = ground();
    let run =
        ground.repo.add_workflow_run(WorkflowRun::new(".github/workflows/s.yml", &ground.first)).unwrap();
    let payload = ground.repo.event_workflow_run(run).unwrap();
    assert_eq!(payload["workflow_run"]["head_sha"], ground.first.as_str());
    let workspace = std::path::Path::new("/w");
    let inputs = [("token", "t"), ("dry-run", "true"), ("two words", "")];
    let step = step(
        &ground.repo,
        &Launch { event: "workflow_run", payload: &payload, workspace, inputs: &inputs, run_id: 5 },
    )
    .unwrap();
    assert_eq!(step.var("INPUT_DRY-RUN"), Some("true"));
    assert_eq!(input_name("two words"), "INPUT_TWO_WORDS");
    assert_eq!(step.var("GITHUB_REF"), Some("refs/heads/main"));
    assert_eq!(step.var("GITHUB_SHA"), Some(ground.first.as_str()));
    assert_eq!(
        step.var("GITHUB_WORKFLOW_REF"),
        Some("acme/gitops/.github/workflows/promote.yml@refs/heads/main")
    );
    let event = std::fs::read_to_string(step.var("GITHUB_EVENT_PATH").unwrap()).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&event).unwrap(), payload);
    std::fs::write(step.var("GITHUB_OUTPUT").unwrap(), "a=1\nb<<X\none=1\ntwo\nX\n").unwrap();
    assert_eq!(step.output("b").unwrap().unwrap(), "one=1\ntwo");
    assert!(file_command("a<<X\nnever closed").is_err() && file_command("nonsense").is_err());
}

/// A step of the shell's, in a workspace with `x.yaml`.
fn ended(script: &str) -> Ended {
    let ground = ground();
    let workspace = tempfile::tempdir().unwrap();
    let payload = Value::Null;
    let launch =
        Launch { event: "schedule", payload: &payload, workspace: workspace.path(), inputs: &[], run_id: 5 };
    let step = step(&ground.repo, &launch).unwrap();
    assert!(step.left_behind().unwrap().is_empty());
    let mut shell = std::process::Command::new("/bin/sh");
    shell.args(["-c", script]).env_clear().envs(step.env.iter().cloned()).current_dir(workspace.path());
    let paths = Paths::of_host(workspace.path().to_owned());
    let ended = Running::start(shell, paths).unwrap().end(&step).unwrap();
    assert_eq!(step.left_behind().unwrap().len(), usize::from(script.contains("$RUNNER_TEMP")));
    ended
}

#[test]
fn the_runner_reads_back_what_a_step_says_and_leaves() {
    let step = ended(
        "echo ::add-mask::s3cret; echo \"::error file=$GITHUB_WORKSPACE/x.yaml,line=2::no%0As3cret\"; echo late >&2
        echo 'a=1' >>$GITHUB_OUTPUT; echo '# s3cret' >>$GITHUB_STEP_SUMMARY; echo 'B=2' >>$GITHUB_ENV
        echo /bin/x >>$GITHUB_PATH; echo 'c=3' >>$GITHUB_STATE; echo left >$RUNNER_TEMP/file; exit 3",
    );
    assert_eq!((step.code, step.succeeded(), step.output("a"), step.output("b")), (Some(3), false, "1", ""));
    let error = &step.said.annotations[0];
    assert_eq!((error.property("file"), error.message.as_str()), ("x.yaml", "no\n***"));
    assert_eq!((step.left.summary.as_str(), step.stderr.as_str()), ("# ***\n", "late\n"));
    assert_eq!((step.left.path.len(), step.left.state.len(), step.left.env.len()), (1, 1, 1));
    // The annotation and the summary.
    assert_eq!(step.said.leaks.len(), 2, "{:?}", step.said.leaks);
}

#[test]
fn a_file_that_the_runner_refuses_fails_a_step_that_exits_with_0() {
    for (script, said) in [
        ("printf 'a=1\\nb<<X\\nforged' >>$GITHUB_OUTPUT", "Invalid value. EOF marker missing new line."),
        ("echo '=1' >>$GITHUB_OUTPUT", "Value cannot be null. (Parameter 'name')"),
        ("echo nonsense >>$GITHUB_ENV", "Invalid format 'nonsense'"),
        (
            "head -c 600000 /dev/zero | tr '\\0' x | sed 's/^/a=/' >>$GITHUB_OUTPUT",
            "1200000 bytes of outputs are more than a job may have",
        ),
    ] {
        let step = ended(script);
        assert_eq!((step.code, step.succeeded()), (Some(0), false), "{script}");
        let last = step.said.annotations.last().map(|annotation| annotation.message.clone());
        assert_eq!(last.as_deref(), Some(said), "{script}");
    }
    let long = ended("head -c 1048577 /dev/zero | tr '\\0' x >>$GITHUB_STEP_SUMMARY");
    assert!(long.succeeded() && long.left.summary.is_empty());
    assert!(long.said.annotations[0].message.contains("supports content up to a size of 1024k, got 1024k"));
}

#[test]
fn the_admin_api_drives_and_the_pages_show() {
    let ground = ground();
    let admin = |method: &str, path: &str, body: Value| {
        let reply = ground.raw(method, &format!("/_fake{path}"), &[], &body.to_string()).unwrap();
        assert_eq!(reply.status, 200, "{method} {path}: {}", reply.text);
        reply.body
    };
    admin(
        "POST",
        "/tokens",
        json!({ "value": "x", "login": "app[bot]", "kind": "app", "permissions": { "contents": "write" } }),
    );
    admin("POST", "/repos", json!({ "name": "acme/two", "settings": { "private": false } }));
    let commit = json!({ "message": "feat: y", "files": { "f.yaml": "a: 1\n" }, "author": "carol" });
    let sha = admin("POST", "/repos/acme/two/commits", commit)["sha"].as_str().unwrap().to_owned();
    let other = json!({ "branch": "next", "message": "feat: <b>", "files": { "f.yaml": "a: 2\n" } });
    admin("POST", "/repos/acme/two/commits", other);
    admin("POST", "/repos/acme/two/tags", json!({ "name": "v1", "target": sha, "message": "m" }));
    let run =
        admin("POST", "/repos/acme/two/runs", json!({ "path": ".github/workflows/s.yml", "head-sha": sha }));
    admin(
        "POST",
        &format!("/repos/acme/two/runs/{}/summary", run["id"]),
        json!({ "markdown": "## Promoted **v1**" }),
    );
    let check = admin(
        "POST",
        "/repos/acme/two/check-runs",
        json!({ "name": "c", "head-sha": sha, "summary": "_fine_" }),
    );
    let pull = json!({ "head": "next", "title": "T <i>", "body": "| a |\n|--|\n| `b` |\n\nfixes #1 @dave" });
    admin("POST", "/repos/acme/two/pulls", pull);
    admin("POST", "/repos/acme/two/pulls/1/approve", json!({ "actor": "dave" }));
    admin("PATCH", "/repos/acme/two/settings", json!({ "drafts": false }));
    admin(
        "POST",
        "/faults",
        json!({ "on": { "method": "GET", "path": "/x" }, "what": { "secondary-limit": { "retry_after": 1 } } }),
    );
    admin("DELETE", "/faults", json!({}));
    let event = admin("POST", "/repos/acme/two/events/push", json!({ "tag": "v1" }));
    assert_eq!(event["ref"], "refs/tags/v1");
    assert!(admin("GET", "/traffic", json!({})).as_array().unwrap().is_empty());
    for (path, wanted) in [
        ("/", "acme/two"),
        ("/acme/two", "feat: y"),
        ("/acme/two/blob/main/f.yaml", "id=L1"),
        ("/acme/two/tree/next", "f.yaml"),
        (&format!("/acme/two/commit/{sha}"), "feat: y"),
        ("/acme/two/compare/main...next", "feat: &lt;b&gt;"),
        ("/acme/two/releases/tag/v1", "v1"),
        ("/acme/two/pulls", "T &lt;i&gt;"),
        ("/acme/two/pull/1", "<code>b</code>"),
        ("/acme/two/pull/1/files", "class=\"add\""),
        (&format!("/acme/two/actions/runs/{}", run["id"]), "Promoted <strong>v1</strong>"),
        (&format!("/acme/two/runs/{}", check["id"]), "<em>fine</em>"),
    ] {
        let page = ground.raw("GET", path, &[], "").unwrap();
        assert_eq!(page.status, 200, "{path}");
        assert!(page.text.contains(wanted), "{path} lacks {wanted}: {}", page.text);
    }
    assert_eq!(ground.raw("GET", "/acme/none", &[], "").unwrap().status, 404);
}
