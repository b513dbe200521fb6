//! Event payloads in GitHub's shape, for the state as it is.

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::repo::Repo;
use crate::shape;
use crate::state::{RepoState, Site};
use crate::traffic::Origin;

/// What every payload ends with.
fn framed(site: &Site, repo: &RepoState, sender: &str, own: Value) -> Value {
    let mut payload = own;
    if let Some(payload) = payload.as_object_mut() {
        payload.insert("repository".to_owned(), shape::repo_whole(site, repo));
        if site.organisations.contains(&repo.owner) {
            payload.insert("organization".to_owned(), organisation(site, &repo.owner));
        }
        payload.insert("sender".to_owned(), shape::user(site, sender));
    }
    payload
}

fn organisation(site: &Site, login: &str) -> Value {
    let id = shape::user_id(login);
    let api = format!("{}/api/v3/orgs/{login}", site.base);
    json!({
        "login": login,
        "id": id,
        "node_id": shape::node("O", id),
        "url": api,
        "repos_url": format!("{api}/repos"),
        "events_url": format!("{api}/events"),
        "hooks_url": format!("{api}/hooks"),
        "issues_url": format!("{api}/issues"),
        "members_url": format!("{api}/members{{/member}}"),
        "public_members_url": format!("{api}/public_members{{/member}}"),
        "avatar_url": format!("{}/avatars/u/{id}", site.base),
        "description": "",
    })
}

/// A commit as `push` carries it.
fn pushed(site: &Site, repo: &RepoState, sha: &str) -> Value {
    let mut shown = shape::simple_commit(repo, sha);
    let commit = repo.store.commit(sha);
    let files = commit.as_ref().and_then(|commit| repo.store.changes_of(commit).ok()).unwrap_or_default();
    let named = |status: &[&str]| -> Vec<&str> {
        files.iter().filter(|file| status.contains(&file.status)).map(|file| file.filename.as_str()).collect()
    };
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("distinct".to_owned(), json!(true));
        shown.insert("url".to_owned(), json!(format!("{}/commit/{sha}", repo.html(&site.base))));
        shown.insert("added".to_owned(), json!(named(&["added", "renamed"])));
        shown.insert("removed".to_owned(), json!(named(&["removed"])));
        shown.insert("modified".to_owned(), json!(named(&["modified", "changed"])));
    }
    shown
}

const ZERO: &str = "0000000000000000000000000000000000000000";

impl Repo {
    /// Makes a payload, and records it as what the fake says GitHub sends.
    fn made(
        &self,
        name: &str,
        make: impl FnOnce(&mut Site, &mut RepoState) -> anyhow::Result<Value>,
    ) -> anyhow::Result<Value> {
        let payload = self.with(make)?;
        self.record_event(Origin::Made, name, &payload);
        Ok(payload)
    }

    /// `workflow_run`, action `completed`.
    pub fn event_workflow_run(&self, run: u64) -> anyhow::Result<Value> {
        self.made("workflow_run", |site, repo| {
            let state = repo.runs.iter().find(|other| other.id == run).context("no such run")?;
            let workflow =
                repo.workflows.iter().find(|(id, _)| *id == state.workflow).context("no workflow")?;
            let action = if state.fact.status == "completed" { "completed" } else { "requested" };
            let own = json!({
                "action": action,
                "workflow_run": shape::run(site, repo, state, None),
                "workflow": shape::workflow(site, repo, workflow.0, &workflow.1),
            });
            Ok(framed(site, repo, &state.fact.actor, own))
        })
    }

    /// `workflow_dispatch` of `.github/workflows/promote.yml` on the default branch; `inputs` may be null.
    pub fn event_workflow_dispatch(&self, inputs: &Value) -> anyhow::Result<Value> {
        self.made("workflow_dispatch", |site, repo| {
            let own = json!({
                "inputs": inputs,
                "ref": format!("refs/heads/{}", repo.default_branch),
                "workflow": ".github/workflows/promote.yml",
            });
            Ok(framed(site, repo, "alice", own))
        })
    }

    /// `push` of a tag.
    pub fn event_push_tag(&self, tag: &str) -> anyhow::Result<Value> {
        let after =
            self.with(|_, repo| Ok(repo.store.git.refname_to_id(&format!("refs/tags/{tag}"))?.to_string()))?;
        self.push(&format!("refs/tags/{tag}"), ZERO, &after)
    }

    /// `push` that deleted a tag or branch, named in full.
    pub fn event_push_deleted(&self, full_ref: &str, before: &str) -> anyhow::Result<Value> {
        self.push(full_ref, before, ZERO)
    }

    /// `push` of a branch whose tip moved from `before` (40 zeros for a new branch) to where it is now.
    pub fn event_push_branch(&self, branch: &str, before: &str) -> anyhow::Result<Value> {
        let after = self.resolve(&format!("refs/heads/{branch}"))?;
        self.push(&format!("refs/heads/{branch}"), before, &after)
    }

    fn push(&self, full: &str, before: &str, after: &str) -> anyhow::Result<Value> {
        self.made("push", |site, repo| {
            let (created, deleted) = (before == ZERO, after == ZERO);
            let peeled = repo.store.resolve(full).map(|commit| commit.id().to_string());
            let head = if deleted { None } else { peeled };
            let commits: Vec<Value> = match (&head, full.starts_with("refs/tags/")) {
                (Some(head), false) => {
                    let (base, head) =
                        (crate::store::full(before), crate::store::full(head).context("no head")?);
                    let base = base.filter(|oid| !oid.is_zero());
                    let mut between = repo.store.between(base, head)?;
                    between.reverse();
                    between.iter().map(|oid| pushed(site, repo, &oid.to_string())).collect()
                }
                _ => Vec::new(),
            };
            let (old, new) = (before.get(..12).unwrap_or(before), after.get(..12).unwrap_or(after));
            let own = json!({
                "ref": full,
                "before": before,
                "after": after,
                "pusher": { "name": "alice", "email": site.email("alice") },
                "created": created,
                "deleted": deleted,
                "forced": false,
                "base_ref": null,
                "compare": format!("{}/compare/{old}...{new}", repo.html(&site.base)),
                "commits": commits,
                "head_commit": head.map(|sha| pushed(site, repo, &sha)),
            });
            Ok(framed(site, repo, "alice", own))
        })
    }

    /// `create` of a tag: the ref comes without its prefix.
    pub fn event_create_tag(&self, tag: &str) -> anyhow::Result<Value> {
        self.made("create", |site, repo| {
            let own = json!({
                "ref": tag,
                "ref_type": "tag",
                "master_branch": repo.default_branch,
                "description": repo.settings.description,
                "pusher_type": "user",
            });
            Ok(framed(site, repo, "alice", own))
        })
    }

    /// `release`, action `published`.
    pub fn event_release(&self, tag: &str) -> anyhow::Result<Value> {
        self.made("release", |site, repo| {
            let release = repo.releases.iter().find(|release| release.fact.tag_name == tag);
            let release = release.with_context(|| format!("no release `{tag}`"))?;
            let own = json!({ "action": "published", "release": shape::release(site, repo, release) });
            Ok(framed(site, repo, &release.fact.author, own))
        })
    }

    /// `schedule`
    pub fn event_schedule(&self, cron: &str) -> anyhow::Result<Value> {
        self.made("schedule", |site, repo| {
            let own = json!({ "schedule": cron, "workflow": ".github/workflows/promote.yml" });
            Ok(framed(site, repo, "alice", own))
        })
    }

    /// `repository_dispatch`
    pub fn event_repository_dispatch(&self, event_type: &str, payload: &Value) -> anyhow::Result<Value> {
        self.made("repository_dispatch", |site, repo| {
            let own = json!({
                "action": event_type,
                "branch": repo.default_branch,
                "client_payload": payload,
                "installation": { "id": 1, "node_id": shape::node("MDIzOk", 1) },
            });
            Ok(framed(site, repo, "alice", own))
        })
    }

    /// `deployment_status` of a deployment's latest status.
    pub fn event_deployment_status(&self, deployment: u64) -> anyhow::Result<Value> {
        self.made("deployment_status", |site, repo| {
            let state =
                repo.deployments.iter().find(|other| other.id == deployment).context("no deployment")?;
            let status = state.statuses.last().context("the deployment has no status")?;
            let own = json!({
                "action": "created",
                "deployment_status": shape::deployment_status(site, repo, state, status),
                "deployment": shape::deployment(site, repo, state),
                "check_run": null,
                "workflow": null,
                "workflow_run": null,
            });
            Ok(framed(site, repo, &state.fact.creator, own))
        })
    }

    /// `pull_request` with any action.
    pub fn event_pull_request(&self, number: u64, action: &str) -> anyhow::Result<Value> {
        self.made("pull_request", |site, repo| {
            let issue = repo.issue(number).context("no such pull request")?;
            let own = json!({
                "action": action,
                "number": number,
                "pull_request": shape::pull(site, repo, issue),
            });
            Ok(framed(site, repo, &issue.author, own))
        })
    }
}
