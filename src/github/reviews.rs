//! Who is asked about a pull request, what they said, and what is said to them.

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::GitHub;
use super::client::Refusal;
use super::pulls::{PULLS, WireUser};
use crate::failure::Result;
use crate::names::CommitSha;

/// A review that was submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// The login of whoever gave it, where that is still known.
    pub author: Option<String>,
    /// Whether it approves.
    pub approves: bool,
    /// Whether its author is known to have nothing to do with the repository, so that the approval counts for nothing.
    pub by_stranger: bool,
    /// The head that it was given to, where GitHub still knows it.
    pub commit: Option<CommitSha>,
}

impl GitHub {
    /// The reviews that count, oldest first: of everybody the latest that approves, asks for changes, or was dismissed.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn reviews(&self, number: u64) -> Result<Vec<Review>> {
        let path = self.path(&format!("/pulls/{number}/reviews"));
        let reviews: Vec<WireReview> = self.writer.list(&path, None, "pull-requests: read").await?;
        let mut latest: Vec<Review> = Vec::new();
        for review in reviews {
            // A comment leaves an approval standing; whatever else it may be called does not approve.
            if matches!(review.state.as_str(), "COMMENTED" | "PENDING") {
                continue;
            }
            let author = review.user.map(|user| user.login);
            latest.retain(|before| author.is_none() || before.author != author);
            latest.push(Review {
                author,
                approves: review.state == "APPROVED",
                by_stranger: matches!(
                    review.author_association.as_deref(),
                    Some("NONE" | "FIRST_TIMER" | "FIRST_TIME_CONTRIBUTOR" | "MANNEQUIN")
                ),
                commit: review.commit_id.and_then(|commit| CommitSha::parse(&commit).ok()),
            });
        }
        Ok(latest)
    }

    /// Asks for reviews; people that GitHub does not accept (the author, strangers) are dropped one by one.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn request_reviews(
        &self,
        number: u64,
        users: &[String],
        teams: &[String],
    ) -> Result<Vec<String>> {
        let path = self.path(&format!("/pulls/{number}/requested_reviewers"));
        let all = json!({"reviewers": users, "team_reviewers": teams});
        match self.writer.write(&Method::POST, &path, &all, PULLS).await {
            Ok(_) => return Ok(Vec::new()),
            // A team takes more than a person; whoever can be asked is asked.
            Err(refusal) if may_be_one_of_them(&refusal) => {}
            Err(refusal) => return Err(refusal.into()),
        }
        let each_user = users.iter().map(|user| (user, json!({"reviewers": [user]})));
        let each_team = teams.iter().map(|team| (team, json!({"team_reviewers": [team]})));
        let (mut dropped, mut last) = (Vec::new(), None);
        for (name, body) in each_user.chain(each_team) {
            let asked = async || self.writer.write(&Method::POST, &path, &body, PULLS).await;
            match self.writer.settled(asked).await {
                Err(refusal) if may_be_one_of_them(&refusal) => {
                    dropped.push(name.clone());
                    last = Some(refusal);
                }
                other => drop(other?),
            }
        }
        match last {
            // Nobody may be asked at all: that is no matter of names.
            Some(refusal)
                if refusal.is(StatusCode::FORBIDDEN) && dropped.len() == users.len() + teams.len() =>
            {
                Err(refusal.into())
            }
            _ => Ok(dropped),
        }
    }

    /// Assigns people.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn assign(&self, number: u64, people: &[String]) -> Result<()> {
        let path = self.path(&format!("/issues/{number}/assignees"));
        let body = json!({"assignees": people});
        self.writer.settled(async || self.writer.write(&Method::POST, &path, &body, PULLS).await).await?;
        Ok(())
    }

    /// Says something below a pull request that is said once: not where a comment of its `author`, who is this token,
    /// has the same `mark`; whether it did.
    ///
    /// Two runs may both find nothing and both say it; then the later one takes it back.
    ///
    /// # Errors
    /// When GitHub refuses or cannot be reached.
    pub async fn say_once(&self, number: u64, author: &str, text: &str, mark: &str) -> Result<bool> {
        if self.said(number, author, mark).await?.is_some() {
            return Ok(false);
        }
        let path = self.path(&format!("/issues/{number}/comments"));
        let body = json!({"body": text});
        let look = async || self.said(number, author, mark).await;
        let say = async || self.writer.created::<WireComment>(&path, &body, PULLS, look).await;
        let ours = self.writer.settled(say).await?;
        match self.said(number, author, mark).await? {
            Some(first) if first.id < ours.id => {
                let path = self.path(&format!("/issues/comments/{}", ours.id));
                self.writer.delete(&path, PULLS).await?;
                Ok(false)
            }
            _ => Ok(true),
        }
    }

    /// The first comment of `author` below a pull request that has `mark`.
    async fn said(&self, number: u64, author: &str, mark: &str) -> Result<Option<WireComment>, Refusal> {
        let is_it = |comment: &WireComment| {
            let theirs = comment.user.as_ref().is_some_and(|user| !user.login.eq_ignore_ascii_case(author));
            comment.body.contains(mark) && !theirs
        };
        Ok(self.comments(number).await?.into_iter().find(is_it))
    }

    async fn comments(&self, number: u64) -> Result<Vec<WireComment>, Refusal> {
        let path = self.path(&format!("/issues/{number}/comments"));
        self.writer.settled(async || self.writer.list(&path, None, "pull-requests: read").await).await
    }
}

fn may_be_one_of_them(refusal: &Refusal) -> bool {
    refusal.is(StatusCode::UNPROCESSABLE_ENTITY) || refusal.is(StatusCode::FORBIDDEN)
}

#[derive(Deserialize)]
struct WireReview {
    user: Option<WireUser>,
    state: String,
    author_association: Option<String>,
    commit_id: Option<String>,
}

#[derive(Deserialize)]
struct WireComment {
    id: u64,
    user: Option<WireUser>,
    #[serde(default)]
    body: String,
}
