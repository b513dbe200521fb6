//! Every REST operation the fake has, and the permission each needs: one table.
//!
//! Permissions are those of GitHub's page "Permissions required for GitHub Apps"; several in one row are
//! alternatives. The templates are those of GitHub's published description; `{+x}` takes several segments.

use std::collections::BTreeMap;

use super::{Answer, Call, Refusal};
use super::{
    actions, apps, checks, commits, contents, deployments, git_objects, git_refs, issues, merging, pulls,
    releases, repos, reviews, statuses, users,
};
use crate::state::World;
use crate::token::Level::{self, Read, Write};
use crate::token::{Token, TokenKind};

type Needs = &'static [(&'static str, Level)];

/// One operation.
pub(crate) struct Operation {
    pub method: &'static str,
    template: &'static str,
    /// Alternatives; empty where any valid token will do.
    pub needs: Needs,
    pub run: fn(&mut World, &Call) -> Answer,
}

const NONE: Needs = &[];
const METADATA: Needs = &[("metadata", Read)];
const CONTENTS: Needs = &[("contents", Read)];
const CONTENTS_W: Needs = &[("contents", Write)];
const PULLS: Needs = &[("pull_requests", Read)];
const PULLS_W: Needs = &[("pull_requests", Write)];
const ISSUES: Needs = &[("issues", Read), ("pull_requests", Read)];
/// To read an issue that is a pull request, leave to read pull requests is not enough.
const ISSUES_ALONE: Needs = &[("issues", Read)];
const ISSUES_W: Needs = &[("issues", Write), ("pull_requests", Write)];
const CHECKS: Needs = &[("checks", Read)];
const CHECKS_W: Needs = &[("checks", Write)];
const STATUSES: Needs = &[("statuses", Read)];
const STATUSES_W: Needs = &[("statuses", Write)];
const DEPLOYMENTS: Needs = &[("deployments", Read)];
const DEPLOYMENTS_W: Needs = &[("deployments", Write)];
const ACTIONS: Needs = &[("actions", Read)];

macro_rules! operations {
    ($($method:ident $template:literal $needs:ident $run:path;)*) => {
        /// The table; the first match wins.
        pub(crate) static OPERATIONS: &[Operation] = &[$(
            Operation { method: stringify!($method), template: $template, needs: $needs, run: $run },
        )*];
    };
}

operations! {
    GET "/user" NONE users::me;
    GET "/users/{username}" NONE users::get;
    GET "/rate_limit" NONE users::rate_limit;
    GET "/meta" NONE users::meta;
    GET "/repos/{owner}/{repo}/installation" NONE apps::installation;
    POST "/app/installations/{installation_id}/access_tokens" NONE apps::access_token;
    DELETE "/installation/token" NONE apps::revoke;
    GET "/repos/{owner}/{repo}" METADATA repos::get;
    GET "/repos/{owner}/{repo}/branches" CONTENTS repos::branches;
    GET "/repos/{owner}/{repo}/branches/{+branch}" CONTENTS repos::branch;
    GET "/repos/{owner}/{repo}/tags" METADATA repos::tags;
    GET "/repos/{owner}/{repo}/collaborators/{username}/permission" METADATA repos::permission;
    GET "/repos/{owner}/{repo}/git/ref/{+ref}" CONTENTS git_refs::get;
    GET "/repos/{owner}/{repo}/git/matching-refs/{+ref}" CONTENTS git_refs::matching;
    POST "/repos/{owner}/{repo}/git/refs" CONTENTS_W git_refs::create;
    PATCH "/repos/{owner}/{repo}/git/refs/{+ref}" CONTENTS_W git_refs::update;
    DELETE "/repos/{owner}/{repo}/git/refs/{+ref}" CONTENTS_W git_refs::delete;
    POST "/repos/{owner}/{repo}/git/blobs" CONTENTS_W git_objects::create_blob;
    GET "/repos/{owner}/{repo}/git/blobs/{file_sha}" CONTENTS git_objects::blob;
    POST "/repos/{owner}/{repo}/git/trees" CONTENTS_W git_objects::create_tree;
    GET "/repos/{owner}/{repo}/git/trees/{+tree_sha}" CONTENTS git_objects::tree;
    POST "/repos/{owner}/{repo}/git/commits" CONTENTS_W git_objects::create_commit;
    GET "/repos/{owner}/{repo}/git/commits/{commit_sha}" CONTENTS git_objects::commit;
    POST "/repos/{owner}/{repo}/git/tags" CONTENTS_W git_objects::create_tag;
    GET "/repos/{owner}/{repo}/git/tags/{tag_sha}" CONTENTS git_objects::tag;
    GET "/repos/{owner}/{repo}/contents" CONTENTS contents::get;
    GET "/repos/{owner}/{repo}/contents/{+path}" CONTENTS contents::get;
    GET "/repos/{owner}/{repo}/compare/{+basehead}" CONTENTS commits::compare;
    GET "/repos/{owner}/{repo}/commits" CONTENTS commits::list;
    GET "/repos/{owner}/{repo}/commits/{commit_sha}/pulls" PULLS commits::pulls;
    GET "/repos/{owner}/{repo}/commits/{+ref}/check-runs" CHECKS checks::of_commit;
    GET "/repos/{owner}/{repo}/commits/{+ref}/check-suites" CHECKS checks::suites;
    GET "/repos/{owner}/{repo}/commits/{+ref}/statuses" STATUSES statuses::list;
    GET "/repos/{owner}/{repo}/commits/{+ref}/status" STATUSES statuses::combined;
    GET "/repos/{owner}/{repo}/commits/{+ref}" CONTENTS commits::get;
    POST "/repos/{owner}/{repo}/statuses/{sha}" STATUSES_W statuses::create;
    GET "/repos/{owner}/{repo}/pulls" PULLS pulls::list;
    POST "/repos/{owner}/{repo}/pulls" PULLS_W pulls::create;
    GET "/repos/{owner}/{repo}/pulls/{pull_number}" PULLS pulls::get;
    PATCH "/repos/{owner}/{repo}/pulls/{pull_number}" PULLS_W pulls::update;
    GET "/repos/{owner}/{repo}/pulls/{pull_number}/files" PULLS pulls::files;
    GET "/repos/{owner}/{repo}/pulls/{pull_number}/commits" PULLS pulls::commits;
    GET "/repos/{owner}/{repo}/pulls/{pull_number}/reviews" PULLS reviews::list;
    POST "/repos/{owner}/{repo}/pulls/{pull_number}/reviews" PULLS_W reviews::create;
    GET "/repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers" PULLS reviews::requested;
    POST "/repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers" PULLS_W reviews::request;
    DELETE "/repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers" PULLS_W reviews::unrequest;
    GET "/repos/{owner}/{repo}/pulls/{pull_number}/merge" PULLS merging::merged;
    PUT "/repos/{owner}/{repo}/pulls/{pull_number}/merge" CONTENTS_W merging::merge;
    PUT "/repos/{owner}/{repo}/pulls/{pull_number}/update-branch" PULLS_W merging::update_branch;
    GET "/repos/{owner}/{repo}/labels" ISSUES issues::labels;
    POST "/repos/{owner}/{repo}/labels" ISSUES_W issues::create_label;
    GET "/repos/{owner}/{repo}/labels/{name}" ISSUES issues::label;
    GET "/repos/{owner}/{repo}/issues/{issue_number}" ISSUES_ALONE issues::get;
    GET "/repos/{owner}/{repo}/issues/{issue_number}/events" ISSUES issues::events;
    PATCH "/repos/{owner}/{repo}/issues/{issue_number}" ISSUES_W issues::update;
    GET "/repos/{owner}/{repo}/issues/{issue_number}/labels" ISSUES issues::labels_of;
    POST "/repos/{owner}/{repo}/issues/{issue_number}/labels" ISSUES_W issues::add_labels;
    PUT "/repos/{owner}/{repo}/issues/{issue_number}/labels" ISSUES_W issues::set_labels;
    DELETE "/repos/{owner}/{repo}/issues/{issue_number}/labels" ISSUES_W issues::clear_labels;
    DELETE "/repos/{owner}/{repo}/issues/{issue_number}/labels/{name}" ISSUES_W issues::remove_label;
    POST "/repos/{owner}/{repo}/issues/{issue_number}/assignees" ISSUES_W issues::assign;
    GET "/repos/{owner}/{repo}/issues/{issue_number}/comments" ISSUES issues::comments;
    POST "/repos/{owner}/{repo}/issues/{issue_number}/comments" ISSUES_W issues::add_comment;
    PATCH "/repos/{owner}/{repo}/issues/comments/{comment_id}" ISSUES_W issues::edit_comment;
    DELETE "/repos/{owner}/{repo}/issues/comments/{comment_id}" ISSUES_W issues::delete_comment;
    POST "/repos/{owner}/{repo}/check-runs" CHECKS_W checks::create;
    GET "/repos/{owner}/{repo}/check-runs/{check_run_id}" CHECKS checks::get;
    PATCH "/repos/{owner}/{repo}/check-runs/{check_run_id}" CHECKS_W checks::update;
    GET "/repos/{owner}/{repo}/check-runs/{check_run_id}/annotations" CHECKS checks::annotations;
    GET "/repos/{owner}/{repo}/deployments" DEPLOYMENTS deployments::list;
    POST "/repos/{owner}/{repo}/deployments" DEPLOYMENTS_W deployments::create;
    GET "/repos/{owner}/{repo}/deployments/{deployment_id}" DEPLOYMENTS deployments::get;
    GET "/repos/{owner}/{repo}/deployments/{deployment_id}/statuses" DEPLOYMENTS deployments::statuses;
    POST "/repos/{owner}/{repo}/deployments/{deployment_id}/statuses" DEPLOYMENTS_W deployments::add_status;
    GET "/repos/{owner}/{repo}/actions/workflows" ACTIONS actions::workflows;
    GET "/repos/{owner}/{repo}/actions/workflows/{workflow_id}" ACTIONS actions::workflow;
    GET "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs" ACTIONS actions::runs_of_workflow;
    GET "/repos/{owner}/{repo}/actions/runs" ACTIONS actions::runs;
    GET "/repos/{owner}/{repo}/actions/runs/{run_id}" ACTIONS actions::run;
    GET "/repos/{owner}/{repo}/actions/runs/{run_id}/jobs" ACTIONS actions::jobs;
    GET "/repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}" ACTIONS actions::attempt;
    GET "/repos/{owner}/{repo}/releases" CONTENTS releases::list;
    GET "/repos/{owner}/{repo}/releases/latest" CONTENTS releases::latest;
    GET "/repos/{owner}/{repo}/releases/tags/{+tag}" CONTENTS releases::by_tag;
}

/// What an App does as itself: it signs these with its key, and no token will do.
const SIGNED: [&str; 2] =
    ["/repos/{owner}/{repo}/installation", "/app/installations/{installation_id}/access_tokens"];

impl Operation {
    /// Whether an App's signature takes the place of a token.
    pub fn is_signed(&self) -> bool {
        SIGNED.contains(&self.template)
    }

    /// The path as GitHub's description writes it.
    pub fn template(&self) -> String {
        let template = self.template.replace("{+", "{");
        if template.ends_with("/contents") { template + "/{path}" } else { template }
    }

    /// `pull_requests=write`; alternatives are separated by `; `.
    pub fn accepted(&self) -> String {
        accepted(self.needs)
    }
}

/// The value of `X-Accepted-GitHub-Permissions`.
pub(crate) fn accepted(needs: &[(&str, Level)]) -> String {
    needs.iter().map(|(name, level)| format!("{name}={}", level.word())).collect::<Vec<_>>().join("; ")
}

/// The operation of a request, and what its path names.
pub(crate) fn find(method: &str, path: &str) -> Option<(&'static Operation, BTreeMap<&'static str, String>)> {
    let given: Vec<&str> = path.trim_matches('/').split('/').collect();
    OPERATIONS
        .iter()
        .filter(|operation| operation.method == method)
        .find_map(|operation| Some((operation, matched(operation.template, &given)?)))
}

fn matched(template: &'static str, given: &[&str]) -> Option<BTreeMap<&'static str, String>> {
    let wanted: Vec<&'static str> = template.trim_matches('/').split('/').collect();
    let wide = wanted.iter().position(|segment| segment.starts_with("{+"));
    let spare = given.len().checked_sub(wanted.len())?;
    if wide.is_none() && spare > 0 {
        return None;
    }
    let mut params = BTreeMap::new();
    let mut rest = given.iter();
    for (index, segment) in wanted.into_iter().enumerate() {
        let take = if wide == Some(index) { spare + 1 } else { 1 };
        let here: Vec<String> = rest.by_ref().take(take).map(|part| decoded(part)).collect();
        let here = here.join("/");
        match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if !here.is_empty() => {
                params.insert(name.trim_start_matches('+'), here);
            }
            None if segment == here => {}
            _ => return None,
        }
    }
    Some(params)
}

/// Undoes percent-encoding.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut ahead = rest.clone();
            let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
            if let (Some(high), Some(low)) = (digit(ahead.next()), digit(ahead.next()))
                && let Ok(value) = u8::try_from(high * 16 + low)
            {
                bytes.push(value);
                rest = ahead;
                continue;
            }
        }
        bytes.push(byte);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Refuses a token that lacks what is needed; a public repository can be read by everybody.
pub(crate) fn permit(token: &Token, needs: &[(&str, Level)], private: bool) -> Result<(), Refusal> {
    let enough = |(name, level): &(&str, Level)| token.level(name) >= *level || !private && *level == Read;
    if needs.is_empty() || needs.iter().any(enough) {
        return Ok(());
    }
    let message = match token.kind {
        TokenKind::User => "Resource not accessible by personal access token",
        TokenKind::Actions | TokenKind::App => "Resource not accessible by integration",
    };
    Err(Refusal::new(403, message).header("x-accepted-github-permissions", accepted(needs)))
}
