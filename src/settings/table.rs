//! The inputs and outputs, one line each.
//!
//! `action.yml`, the flags of the command line and the tables of the README are held against these
//! two lists, so that they cannot drift apart. Names and meanings only: what a value may be is
//! decided where it is read.

/// An input of the action, which is also a flag of `promote run` and `promote plan`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input {
    /// Its name, in kebab case.
    pub name: &'static str,
    /// What holds where it is not given, as a phrase.
    pub default: &'static str,
    /// What it means, in one sentence without a full stop.
    pub meaning: &'static str,
    /// How its text is read.
    pub shape: Shape,
}

/// How an input's text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One value.
    Text,
    /// A value that is never shown.
    Secret,
    /// A private key, of which no line is ever shown.
    Key,
    /// `true` or `false`.
    Flag,
    /// Values separated by commas or newlines.
    List,
    /// One value per line.
    Lines,
}

/// An output of the action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output {
    /// Its name, in kebab case.
    pub name: &'static str,
    /// What it holds, in one sentence without a full stop.
    pub meaning: &'static str,
}

const fn input(name: &'static str, shape: Shape, default: &'static str, meaning: &'static str) -> Input {
    Input { name, default, meaning, shape }
}

/// Every input, in the order in which people meet them.
pub const INPUTS: &[Input] = &[
    input(
        "command",
        Shape::Text,
        "`run`",
        "What to do: `run`; `plan` to decide and show, and write nothing; `explain` to say of `tag` why it is or is not promoted",
    ),
    input(
        "token",
        Shape::Secret,
        "the job's token",
        "Reads releases and their evidence, and writes the check",
    ),
    input(
        "pull-request-token",
        Shape::Secret,
        "`token`",
        "Writes the commit and the pull request: an App's or a person's token, so that other workflows start on them",
    ),
    input(
        "app-id",
        Shape::Text,
        "none",
        "The App that writes in place of `pull-request-token`, by its id or client id; it needs `private-key` as well",
    ),
    input(
        "private-key",
        Shape::Key,
        "none",
        "The App's private key, the .pem file that its page gave: signs for a token of this repository alone, which is revoked in the end",
    ),
    input(
        "config",
        Shape::Text,
        "`.github/promote.yaml`",
        "The settings file, read at the base branch's commit",
    ),
    input("app", Shape::List, "all", "The apps to promote, by name"),
    input("from", Shape::Text, "`staging`", "The environment that releases come from"),
    input(
        "to",
        Shape::List,
        "every target the app names, else `prod`",
        "The environments that releases go to",
    ),
    input(
        "tag",
        Shape::Text,
        "the latest successful release",
        "The release to promote, by name: a tag, a version or a commit",
    ),
    input(
        "tag-pattern",
        Shape::Text,
        r"`^(?:staging[-/])?(?P<version>v?\d+\.\d+\.\d+(?:[-+.][0-9A-Za-z.-]+)?)$`",
        "The tags that are releases: a regular expression with the named group `version` and, optionally, `app`",
    ),
    input(
        "evidence",
        Shape::Lines,
        "the one named as the source environment is (`staging.yml`) and, on `workflow_run`, that workflow; without either the deployment to it",
        "What makes a release successful, one per line: `workflow: staging.yml`, `check: NAME`, `status: CONTEXT`, `deployment: staging`, `any`",
    ),
    input(
        "evidence-at",
        Shape::Text,
        "`tag`",
        "The commit that evidence must be bound to: `tag`, or `parent` to accept the one before a commit that only records the image",
    ),
    input(
        "prereleases",
        Shape::Flag,
        "`false`",
        "Whether releases with a prerelease part are promoted too; one named by `tag` needs no asking",
    ),
    input(
        "soak",
        Shape::Text,
        "none",
        "How long ago the evidence must have completed: a number with `s`, `m`, `h` or `d`, such as `24h`",
    ),
    input(
        "window",
        Shape::Text,
        "`30`",
        "How many releases' evidence is looked at, newest first, before the search is given up",
    ),
    input("trunk", Shape::Text, "the default branch", "The branch that releases come from"),
    input("base", Shape::Text, "`trunk`", "The branch that the pull request goes to"),
    input("policy", Shape::List, "`policy`", "The folders with policies, read at the base branch's commit"),
    input(
        "policy-data",
        Shape::List,
        "none",
        "The folders with data for policies, read at the base branch's commit",
    ),
    input("policy-mode", Shape::Text, "`enforce`", "What a denial does: `enforce`, `warn` or `off`"),
    input("dry-run", Shape::Flag, "`false`", "Whether to decide and show only, and write nothing"),
    input("reason", Shape::Text, "none", "Why, for the pull request and the record"),
    input("draft", Shape::Flag, "`false`", "Whether the pull request is opened as a draft"),
    input("labels", Shape::List, "none", "Labels to put on the pull request"),
    input("reviewers", Shape::List, "none", "People asked to review it, by login"),
    input("team-reviewers", Shape::List, "none", "Teams asked to review it, by slug"),
    input("assignees", Shape::List, "none", "People it is assigned to, by login"),
    input("auto-merge", Shape::Text, "none", "How to merge it once it may be: `merge`, `squash` or `rebase`"),
    input(
        "merge-at-once",
        Shape::Flag,
        "`false`",
        "With `auto-merge`: whether to merge at once what nothing keeps from being merged, where GitHub arms no auto-merge",
    ),
    input(
        "request-timeout",
        Shape::Text,
        "`30s`",
        "How long an answer of GitHub may take before the request is given up and, where that is safe, made again: `1s` to `10m`",
    ),
    input(
        "rate-limit-wait",
        Shape::Text,
        "`5m`",
        "How long a run waits for GitHub's rate limits in all before it gives up; `0s` never waits",
    ),
];

/// The inputs that a dispatch may set (rule 8): what to do now, never how it is judged.
pub const DISPATCH: &[&str] = &["command", "app", "to", "tag", "reason", "dry-run"];

const fn output(name: &'static str, meaning: &'static str) -> Output {
    Output { name, meaning }
}

/// Every output, in the order in which people meet them.
pub const OUTPUTS: &[Output] = &[
    output(
        "outcome",
        "`created`, `updated`, `unchanged`, `superseded`, `closed`, `blocked`, `nothing-to-promote` or `planned`",
    ),
    output("tag", "The tag that is promoted"),
    output("version", "The version that is promoted"),
    output("previous-tag", "The tag that the target runs now"),
    output("previous-version", "The version that the target runs now"),
    output("pull-request-number", "The pull request's number"),
    output("pull-request-url", "The pull request's address"),
    output("branch", "The branch that the promotion is on"),
    output("head-sha", "The commit at the head of that branch"),
    output("changed", "`true` if this run wrote anything, else `false`"),
    output("policy", "The verdict: `pass`, `warn`, `deny` or `error`"),
    output("changelog", "What reaches production, as Markdown"),
    output("plan", "The path of the plan, as JSON (`promotion/v1`)"),
    output("promotions", "Every app and target as a JSON list; the outputs above are of its first entry"),
];

/// The input with that name.
pub fn input_named(name: &str) -> Option<&'static Input> {
    INPUTS.iter().find(|input| input.name == name)
}
