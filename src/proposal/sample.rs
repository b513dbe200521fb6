//! Plans for tests: a typical one, and ways to bend it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests may"
)]

use jiff::Timestamp;

use crate::changelog::{self, RawCommit};
use crate::names::{BranchName, CommitSha, RepoPath};
use crate::plan::{
    Actors, App, Artifact, ArtifactKind, ArtifactVersion, Change, Direction, Drift, Entry, Environment,
    Evidence, EvidenceKind, Finding, Ledger, Location, PassedOver, Plan, PolicyReport, PullRequest, Reason,
    Release, Repository, SCHEMA, SearchEnd, Side, Standing, Verdict,
};

/// The tagged commit of the proposed release.
pub const PROPOSED: &str = "3f1c9ab0d2e4f60718293a4b5c6d7e8f90a1b2c3";
/// The tagged commit of the active release.
pub const ACTIVE: &str = "77aa11bb22cc33dd44ee55ff6600778899aabbcc";
/// The head of base.
pub const BASE: &str = "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3";

/// A path.
pub fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

/// A time.
pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// `sha256:` and 64 times the digit.
pub fn digest(digit: char) -> String {
    format!("sha256:{}", digit.to_string().repeat(64))
}

/// A tag without a digest.
pub fn tagged(tag: &str) -> ArtifactVersion {
    ArtifactVersion { tag: Some(tag.to_owned()), digest: None }
}

/// An artifact on a line of prod's values.
pub fn artifact(
    kind: ArtifactKind,
    name: &str,
    from: ArtifactVersion,
    to: ArtifactVersion,
    line: u32,
) -> Artifact {
    Artifact { kind, name: name.to_owned(), from, to, locations: vec![location(line)] }
}

/// A line of prod's values.
pub fn location(line: u32) -> Location {
    Location { file: path("environments/prod-eu/fraud-agent/values.yaml"), line }
}

/// A commit as git has it; `number` makes its id.
pub fn raw(number: u32, author: &str, message: &str) -> RawCommit {
    RawCommit {
        sha: CommitSha::parse(&format!("{number:08x}{number:032x}")).unwrap(),
        parents: 1,
        author: author.to_owned(),
        at: at("2026-11-18T09:00:00Z"),
        message: message.to_owned(),
    }
}

fn environment(name: &str, commit: &str) -> Environment {
    Environment {
        environment: name.to_owned(),
        path: path(&format!("environments/{name}/fraud-agent")),
        commit: CommitSha::parse(commit).unwrap(),
        region: None,
    }
}

fn release(version: &str, commit: &str, tagged_at: &str) -> Release {
    Release {
        tag: Some(format!("fraud-agent/{version}")),
        version: version.to_owned(),
        commit: Some(CommitSha::parse(commit).unwrap()),
        tagged_at: Some(at(tagged_at)),
        signed: None,
    }
}

fn change(key: &str, line: u32, before: &str, after: &str) -> Change {
    Change {
        file: location(line).file,
        key: key.to_owned(),
        line,
        before: Some(before.to_owned()),
        after: Some(after.to_owned()),
    }
}

fn evidence(kind: EvidenceKind, name: &str, run: u32, completed: &str, summary: Option<&str>) -> Evidence {
    Evidence {
        kind,
        name: name.to_owned(),
        conclusion: "success".to_owned(),
        commit: CommitSha::parse(PROPOSED).unwrap(),
        url: Some(format!("https://github.com/acme/gitops/actions/runs/{run}")),
        completed_at: Some(at(completed)),
        app: Some("github-actions".to_owned()),
        summary: summary.map(str::to_owned),
    }
}

fn commits() -> Vec<RawCommit> {
    let mut commits = vec![
        raw(
            1,
            "alice",
            "feat(scoring)!: the threshold is now a percentage (#402)\n\nBREAKING CHANGE: `0.85` becomes `85`",
        ),
        raw(2, "bob", "feat: stream partial answers (#398)"),
        raw(3, "alice", "feat(tools): look up merchants by id (#396)"),
        raw(4, "Carol Ng", "fix: close idle connections (#401)"),
        raw(5, "bob", "fix(retry): give up after the third 429 (#399)"),
        raw(6, "dependabot[bot]", "perf: cache embeddings per session (#397)"),
    ];
    for number in 7..=23 {
        let message = match number % 3 {
            0 => format!("chore(deps): bump library-{number} (#{})", 350 + number),
            1 => format!("docs: explain the score of example {number}"),
            _ => format!("refactor: split module {number} (#{})", 350 + number),
        };
        commits.push(raw(number, "bob", &message));
    }
    commits
}

/// A typical promotion, as policy gets it: `policy` is still to be asked.
pub fn plan() -> Plan {
    Plan {
        schema: SCHEMA,
        kind: "promotion",
        id: "fraud-agent:staging->prod-eu:fraud-agent/v1.8.0".to_owned(),
        now: at("2026-11-22T16:40:00Z"),
        direction: Direction::Upgrade,
        rollback: false,
        reason: None,
        repository: Repository {
            owner: "acme".to_owned(),
            name: "gitops".to_owned(),
            url: "https://github.com/acme/gitops".to_owned(),
            base: BranchName::parse("main").unwrap(),
            commit: CommitSha::parse(BASE).unwrap(),
            trunk: BranchName::parse("main").unwrap(),
        },
        app: App { name: "fraud-agent".to_owned(), labels: std::collections::BTreeMap::new() },
        source: environment("staging", PROPOSED),
        target: environment("prod-eu", BASE),
        active: Some(release("v1.7.3", ACTIVE, "2026-11-02T08:00:00Z")),
        proposed: Some(release("v1.8.0", PROPOSED, "2026-11-20T13:40:00Z")),
        passed_over: passed_over(&ledger()),
        ledger: ledger(),
        evidence: vec![
            evidence(EvidenceKind::WorkflowRun, "Staging pipeline #412", 412, "2026-11-20T14:02:11Z", None),
            evidence(
                EvidenceKind::CheckRun,
                "model-validation",
                77,
                "2026-11-20T13:58:40Z",
                Some("golden set 0.94 ≥ 0.90"),
            ),
        ],
        artifacts: vec![
            artifact(ArtifactKind::Image, "ghcr.io/acme/fraud-agent", tagged("v1.7.3"), tagged("v1.8.0"), 9),
            artifact(ArtifactKind::Model, "scoring", tagged("2026-05-01"), tagged("2026-09-15"), 17),
        ],
        changes: vec![
            change("image.tag", 9, "v1.7.3", "v1.8.0"),
            change("model.version", 17, "2026-05-01", "2026-09-15"),
        ],
        drift: vec![Drift {
            file: path("environments/staging/fraud-agent/values.yaml"),
            key: "features.streaming".to_owned(),
            side: Side::Source,
            pin: false,
        }],
        commits: changelog::entries(&commits()),
        commits_truncated: false,
        actors: Actors {
            requested_by: Some("alice".to_owned()),
            authors: vec!["bob".to_owned()],
            approvers: Vec::new(),
        },
        pull_request: PullRequest {
            number: None,
            labels: Vec::new(),
            base: BranchName::parse("main").unwrap(),
        },
        overrides: Vec::new(),
        policy: None,
    }
}

fn ledger() -> Ledger {
    let entry = |tag: &str, standing: Standing, reasons: Vec<Reason>| Entry {
        tag: format!("fraud-agent/{tag}"),
        version: tag.to_owned(),
        commit: CommitSha::parse(PROPOSED).unwrap(),
        standing,
        reasons,
        soaks_until: None,
        evidence: Vec::new(),
    };
    let reason = |text: &str, url: &str| Reason { text: text.to_owned(), url: Some(url.to_owned()) };
    let pending = reason(
        "check `model-validation` is pending since 2026-11-22 13:05 UTC",
        "https://github.com/acme/gitops/runs/9",
    );
    let failed =
        reason("workflow `Staging pipeline #415` failed", "https://github.com/acme/gitops/actions/runs/415");
    Ledger {
        window: 30,
        ended: SearchEnd::Found,
        entries: vec![
            entry("v1.9.0", Standing::Pending, vec![pending]),
            entry("v1.8.1", Standing::Failed, vec![failed]),
            entry("v1.8.0", Standing::Successful, Vec::new()),
        ],
        unlisted: 0,
    }
}

/// The releases of a ledger that were not chosen, each with its first reason.
pub fn passed_over(ledger: &Ledger) -> Vec<PassedOver> {
    let passed = |entry: &Entry| {
        let reason = entry.reasons.first()?;
        Some(PassedOver { tag: entry.tag.clone(), reason: reason.text.clone(), url: reason.url.clone() })
    };
    ledger.entries.iter().filter_map(passed).collect()
}

/// A finding on a line of prod's values.
pub fn finding(rule: &str, level: Verdict, message: &str, hint: &str, line: u32) -> Finding {
    Finding {
        rule: rule.to_owned(),
        level,
        message: message.to_owned(),
        hint: Some(hint.to_owned()),
        location: Some(location(line)),
    }
}

/// The typical plan with what policy says of it.
pub fn judged(findings: Vec<Finding>, passed: u32) -> Plan {
    let verdict = findings.iter().map(|finding| finding.level).max().unwrap_or(Verdict::Pass);
    Plan { policy: Some(PolicyReport { verdict, passed, findings }), ..plan() }
}

/// A plan whose every text is `hostile`, as far as names allow it.
pub fn hostile(hostile: &str, rows: usize) -> Plan {
    let many = |n: usize| std::iter::repeat_n((), n);
    let text = hostile.to_owned();
    let version = ArtifactVersion { tag: Some(text.clone()), digest: Some(text.clone()) };
    let nobody = ArtifactVersion::default();
    let mut plan = judged(
        many(rows)
            .map(|()| finding(hostile, Verdict::Deny, hostile, hostile, 3))
            .chain(many(rows).map(|()| finding(hostile, Verdict::Warn, hostile, hostile, 4)))
            .collect(),
        3,
    );
    plan.id.clone_from(&text);
    plan.app.name.clone_from(&text);
    plan.reason = Some(text.clone());
    plan.actors.requested_by = Some(text.clone());
    plan.source.environment.clone_from(&text);
    plan.target.environment.clone_from(&text);
    for release in [&mut plan.active, &mut plan.proposed].into_iter().flatten() {
        release.tag = Some(text.clone());
        release.version.clone_from(&text);
    }
    let commit = plan.commits[0].clone();
    plan.commits = (0..rows)
        .map(|n| {
            let mut commit = commit.clone();
            commit.kind = ["feat", "other", "docs"][n % 3].to_owned();
            commit.breaking = n % 2 == 0;
            commit.subject.clone_from(&text);
            commit.author.clone_from(&text);
            commit.scope = Some(text.clone());
            commit.breaking_note = Some(text.clone());
            commit
        })
        .collect();
    let reason = || Reason { text: text.clone(), url: Some(format!("https://x.example/{text}")) };
    let hostile_entry = |entry: &Entry| Entry { tag: text.clone(), reasons: vec![reason()], ..entry.clone() };
    let first = plan.ledger.entries.first().map(hostile_entry);
    plan.ledger.entries = many(rows).filter_map(|()| first.clone()).collect();
    plan.passed_over = passed_over(&plan.ledger);
    plan.evidence = many(rows)
        .map(|()| Evidence {
            summary: Some(text.clone()),
            conclusion: text.clone(),
            ..evidence(EvidenceKind::Status, hostile, 1, "2026-11-20T13:58:40Z", None)
        })
        .collect();
    plan.artifacts = many(rows)
        .map(|()| artifact(ArtifactKind::Model, hostile, nobody.clone(), version.clone(), 9))
        .collect();
    plan.changes = many(rows).map(|()| change(hostile, 9, hostile, hostile)).collect();
    plan.drift = many(rows).map(|()| Drift { key: text.clone(), ..plan.drift[0].clone() }).collect();
    plan
}
