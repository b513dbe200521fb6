//! Every row of `tests/reconcile.yaml` with the real client: the fake GitHub is brought into the row's state, the run must
//! log the row's action, and the run after it must find nothing to do.
//!
//! What `given` may say: `release TAG` (with `failure`, `running`, `denied` for one that policy denies), `run` (with
//! `INPUT=VALUE`), `run failing METHOD PATH` and `run failing updateRefs`, `evidence TAG CONCLUSION`, `move TAG`; on base
//! `base changes the overlay`, `base changes elsewhere`, `base runs TAG`, `base has a policy`, `branch NAME`; what people
//! and other apps do to the pull request; and what the repository or the token may not do.

use std::collections::BTreeMap;

use fake_github::{CheckRun, Commit, Effect, Fault, On, Token};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::all;
use crate::scene::{Run, Scene, Start, TOKEN, git, values};

const BRANCH: &str = "promote/agent/prod";
const OVERLAY: &str = "environments/prod/values.yaml";

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Row {
    name: String,
    given: Vec<String>,
    #[serde(default)]
    run: Vec<String>,
    action: String,
    outcome: String,
    /// What the run after it does; `rest`, or the same again where somebody or something is waited for.
    again: Option<String>,
    title: Option<String>,
}

/// The scene of a row, and what must be remembered of it.
struct Given {
    scene: Scene,
    /// The staging run of each release.
    evidence: BTreeMap<String, u64>,
    /// The heads that the promotion branch had.
    heads: Vec<String>,
}

fn inputs(texts: &[String]) -> Vec<(&str, &str)> {
    texts.iter().map(|text| text.split_once('=').unwrap()).collect()
}

/// What the log says is done about the pull request.
fn logged(run: &Run) -> Option<String> {
    let line = run.stderr.lines().rfind(|line| line.contains(" action="))?;
    Some(line.split_once(" action=")?.1.trim().to_owned())
}

impl Given {
    fn new() -> Self {
        let scene = Scene::new();
        scene.repo.set(|settings| settings.teams = vec!["platform".to_owned()]).unwrap();
        Self { scene, evidence: BTreeMap::new(), heads: Vec::new() }
    }

    /// The newest pull request.
    fn number(&self) -> u64 {
        self.scene.repo.pulls().unwrap().last().unwrap().number
    }

    fn head(&self) -> Option<String> {
        self.scene.repo.resolve(BRANCH).ok()
    }

    fn run(&mut self, texts: &[String]) -> Run {
        let run = self.scene.runs(&Start::inputs(&inputs(texts)));
        self.heads.extend(self.head());
        run
    }

    fn release(&mut self, tag: &str, how: &str) {
        let (model, conclusion) = match how {
            "" => ("2026-09-15", Some("success")),
            "failure" => ("2026-09-15", Some("failure")),
            "running" => ("2026-09-15", None),
            "denied" => ("latest", Some("success")),
            other => panic!("a release that is `{other}`"),
        };
        let run = self.scene.release(tag, model, conclusion);
        self.evidence.insert(tag.to_owned(), run);
    }

    fn body(&self, change: impl FnOnce(String) -> String) {
        let pull = self.scene.repo.pull(self.number()).unwrap();
        self.scene.repo.edit(pull.number, &pull.title, &change(pull.body)).unwrap();
    }

    fn on_base(&self, message: &str, path: &str, text: &str) {
        self.scene.repo.commit(&Commit::new(message).file(path, text).by("bob")).unwrap();
    }

    fn amend(&self) {
        let checkout = self.scene.checkout(&["--branch", BRANCH]);
        let file = checkout.path().join(OVERLAY);
        let text = std::fs::read_to_string(&file).unwrap().replace("replicas: 3", "replicas: 9");
        std::fs::write(&file, text).unwrap();
        git(checkout.path(), &["commit", "--quiet", "--all", "--amend", "--no-edit"]);
        git(checkout.path(), &["push", "--quiet", "--force"]);
    }

    fn step(&mut self, step: &str) {
        let repo = self.scene.repo.clone();
        let words: Vec<&str> = step.split(' ').collect();
        match words.as_slice() {
            ["release", tag, how @ ..] => self.release(tag, how.first().unwrap_or(&"")),
            ["run", "failing", what @ ..] => {
                let broken = Effect::Status { status: 500, body: Value::Null, headers: BTreeMap::new() };
                let on = match what {
                    ["updateRefs"] => On::graphql("updateRefs"),
                    [method, path] => On::request(method, path),
                    other => panic!("a fault at {other:?}"),
                };
                self.scene.github.inject(Fault::new(on.times(3), broken)).unwrap();
                self.run(&[]);
                self.scene.github.clear_faults();
            }
            ["run", texts @ ..] => {
                let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
                let run = self.run(&texts);
                assert!(!run.outcome().is_empty(), "`{step}`: {}", run.said());
            }
            ["evidence", tag, "running"] => repo.set_run(self.evidence[*tag], "in_progress", None).unwrap(),
            ["evidence", tag, now] => repo.set_run(self.evidence[*tag], "completed", Some(now)).unwrap(),
            ["move", tag] => {
                let commit = self.scene.feature("moved");
                repo.tag(tag, &commit).unwrap();
                self.scene.ran(tag, &commit, Some("success"));
            }
            ["branch", name] => {
                repo.set_ref(&format!("refs/heads/{name}"), &repo.resolve("main").unwrap()).unwrap();
            }
            ["approve", "the", "head", "before"] => {
                let before = &self.heads[self.heads.len() - 2];
                repo.approve_at(self.number(), "alice", before).unwrap();
            }
            ["close", "as", actor] => repo.close(self.number(), actor).unwrap(),
            ["merge", method] => drop(repo.merge(self.number(), "bob", method).unwrap()),
            ["label", name] => repo.label(self.number(), name).unwrap(),
            ["arm", number] => repo.enable_auto_merge(number.parse().unwrap(), "alice", "squash").unwrap(),
            ["title", title @ ..] => {
                repo.edit(self.number(), &title.join(" "), &repo.pull(self.number()).unwrap().body).unwrap();
            }
            ["deny", names @ ..] => {
                let names = names.join(" ");
                let bare = names.split(", ").fold(Token::actions(TOKEN), Token::deny);
                self.scene.github.add_token(bare);
            }
            ["base", "runs", tag] => self.on_base("fix: by hand", OVERLAY, &values(tag, "2026-09-15")),
            _ => self.plain(step),
        }
    }

    /// The steps that name nothing.
    fn plain(&mut self, step: &str) {
        let repo = &self.scene.repo;
        match step {
            "approve" => {
                repo.approve(self.number(), "alice").unwrap();
            }
            "request changes" => {
                repo.review(self.number(), "alice", "CHANGES_REQUESTED", "no").unwrap();
            }
            "arm" => repo.enable_auto_merge(self.number(), "alice", "squash").unwrap(),
            "disarm" => repo.disable_auto_merge(self.number()).unwrap(),
            "close" => repo.close(self.number(), "bob").unwrap(),
            "reopen" => repo.reopen(self.number(), "bob").unwrap(),
            "ready" => repo.mark_ready(self.number(), "bob").unwrap(),
            "draft" => repo.mark_draft(self.number(), "bob").unwrap(),
            "update the branch" => drop(repo.update_branch(self.number(), "bob").unwrap()),
            "delete the branch" => repo.delete_ref(&format!("refs/heads/{BRANCH}")).unwrap(),
            "commit on the branch" => {
                let theirs =
                    Commit::new("also scale").branch(BRANCH).file("environments/prod/extra.yaml", "a: 1\n");
                repo.commit(&theirs.by("bob")).unwrap();
            }
            "amend the branch" => self.amend(),
            "body in CRLF" => self.body(|body| body.replace('\n', "\r\n")),
            "body around ours" => self.body(|body| format!("Deploy with care.\n\n{body}\n\nSeen by ops.")),
            "body within ours" => self.body(|body| body.replacen("prod", "everywhere", 1)),
            "body says closed" => {
                self.body(|body| {
                    body.replace("<!-- promote:end -->", "<!-- promote:closed -->\n<!-- promote:end -->")
                });
            }
            "check says otherwise" => {
                let head = self.head().unwrap();
                let mut check = CheckRun::new("promotion", &head).concluded("success");
                (check.title, check.summary) = (Some("something else".into()), Some("of old".into()));
                check.external_id = Some("promote".into());
                repo.add_check_run(check).unwrap();
            }
            "base changes the overlay" => {
                let text = self.scene.prod("main").replace("replicas: 3", "replicas: 9");
                self.on_base("scale", OVERLAY, &text);
            }
            "base changes elsewhere" => self.on_base("docs", "README.md", "# hello\n"),
            "base has a policy" => self.on_base("policy", "policy/x.rego", "package main\n"),
            "require an approval" => repo.set(|settings| settings.required_approvals = 1).unwrap(),
            "no drafts" => repo.set(|settings| settings.drafts = false).unwrap(),
            other => panic!("nobody knows the step `{other}`"),
        }
    }

    /// What must hold after any action, whatever the row.
    fn holds_after(&self, row: &Row, before: Option<&String>, run: &Run) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut must = |holds: bool, what: &str| {
            if !holds {
                wrong.push(what.to_owned());
            }
        };
        let pulls = self.scene.repo.pulls().unwrap();
        let open: Vec<_> = pulls.iter().filter(|pull| pull.state == "open").collect();
        let (name, steps) = row.action.split_once(": ").unwrap_or((&row.action, ""));
        let moves = ["commit", "rebuild"].iter().any(|step| steps.split(", ").any(|one| one == *step));
        must(open.len() <= 1, "one pull request at most is open");
        must(logged(run).as_deref() == Some(&row.action), &format!("the action, not {:?}", logged(run)));
        must(run.outcome() == row.outcome, &format!("the outcome, not `{}`", run.outcome()));
        must(run.code == Some(i32::from(row.outcome == "blocked")), "the exit code");
        must(steps.is_empty() || !run.writes().is_empty(), "something is written");
        match name {
            "rest" | "leave" => must(run.writes().is_empty(), &format!("no write, not {:?}", run.writes())),
            "close" | "sweep" => {
                must(self.head().is_none() && open.is_empty(), "branch and pull request are gone");
            }
            "supersede" => must(open.len() == 1 && open[0].number == 2, "the second pull request is open"),
            _ => {}
        }
        if matches!(name, "open" | "update" | "supersede") {
            let expected = row.title.clone().unwrap_or_else(|| "Promote agent v1.8.0 to prod".to_owned());
            let same = open.first().is_some_and(|pull| pull.title == expected);
            must(same || !steps.contains("text"), "the title");
            must(self.scene.prod(BRANCH).contains("tag: v1.8.0"), "the branch has the release");
        }
        if !matches!(name, "close" | "sweep" | "supersede" | "open") {
            must(moves == (self.head().as_ref() != before), "the branch moves only where the action says so");
        }
        wrong
    }
}

#[test]
fn every_row_of_the_table_holds_with_the_real_client() {
    let rows: Vec<Row> = serde_yaml::from_str(include_str!("../reconcile.yaml")).unwrap();
    let rows: Vec<(String, Row)> =
        rows.into_iter().map(|row| (row.name.clone(), row)).filter(|(name, _)| all::wanted(name)).collect();
    all::run(&rows, "tests/reconcile.yaml", "an edit of the row", |_, row| {
        let mut given = Given::new();
        for step in &row.given {
            given.step(step);
        }
        let before = given.head();
        let run = given.run(&row.run);
        let mut wrong = given.holds_after(row, before.as_ref(), &run);
        // The next run of a release that was asked for by name names none, and may find another.
        let by_name = row.run.iter().any(|text| text.starts_with("tag="));
        let again = given.run(if by_name { &[] } else { &row.run });
        if !again.writes().is_empty() && !by_name {
            wrong.push(format!("nothing to do the second time, not {:?}", again.writes()));
        }
        let expected = row.again.clone().unwrap_or_else(|| match row.action.as_str() {
            "leave" => "leave".to_owned(),
            _ => "rest".to_owned(),
        });
        if row.run.is_empty() && logged(&again).as_deref() != Some(&expected) {
            wrong.push(format!("then `{expected}`, not {:?}", logged(&again)));
        }
        if wrong.is_empty() {
            return String::new();
        }
        format!("expected: {}\n{}\n{}\n", wrong.join("\nexpected: "), json!(row.given), run.said())
    });
}
