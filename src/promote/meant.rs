//! Which apps a release asked for by name is of, where nobody named the app.
//!
//! A name may mean a tag of one app and a version of another: whoever named one release must not promote two.

use super::observe::World;
use crate::failure::{Failure, Kind, Problem, Result};
use crate::release::shortfall::code;
use crate::release::{NotNamed, named};
use crate::settings::Promotion;

/// The promotions that are meant, and what people should know of the others.
pub struct Meant<'p> {
    /// These.
    pub promotions: Vec<&'p Promotion>,
    /// Which apps are left out, one sentence for each.
    pub notices: Vec<Problem>,
    /// What looks like a mistake in the settings of one that is left out.
    pub warnings: Vec<Problem>,
}

impl<'p> Meant<'p> {
    /// All of these, without a word.
    pub fn these(promotions: Vec<&'p Promotion>) -> Self {
        Self { promotions, notices: Vec::new(), warnings: Vec::new() }
    }
}

/// What the name means to one app.
enum Means {
    /// A release's tag is called exactly so.
    Tag,
    /// These tags have such a version, or such a commit.
    Other(Vec<String>),
    /// No release of it.
    Nothing,
}

impl World<'_> {
    /// Of several apps, those that have the release asked for by name; all of them where none has it, so that each says
    /// why. A tag of exactly this name comes before versions and commits.
    ///
    /// # Errors
    /// When several apps have it, by version or commit, under different tags.
    pub fn having_what_was_asked<'p>(&self, promotions: Vec<&'p Promotion>) -> Result<Meant<'p>> {
        let Some(name) = &self.asked else { return Ok(Meant::these(promotions)) };
        let means: Vec<(&Promotion, Means)> =
            promotions.iter().map(|&promotion| (promotion, self.means(name, promotion))).collect();
        let exact = means.iter().any(|(_, means)| matches!(means, Means::Tag));
        if !exact {
            one_tag(name, &means)?;
        }
        let is_meant = |means: &Means| match means {
            Means::Tag => true,
            Means::Other(_) => !exact,
            Means::Nothing => false,
        };
        if !means.iter().any(|(_, means)| is_meant(means)) {
            return Ok(Meant::these(promotions));
        }
        let mut meant = Meant::these(Vec::new());
        for (promotion, means) in &means {
            if is_meant(means) {
                meant.promotions.push(promotion);
                continue;
            }
            let notice = left_alone(promotion, name);
            // An app has one notice, however many targets.
            if meant.notices.iter().all(|other| other.message != notice.message) {
                meant.notices.push(notice);
                meant.warnings.extend(self.without_releases(&self.releases_of(promotion), promotion));
            }
        }
        Ok(meant)
    }

    fn means(&self, name: &str, promotion: &Promotion) -> Means {
        match named(&self.releases_of(promotion), &self.tags, name) {
            Ok(release) if release.tag == name => Means::Tag,
            Ok(release) => Means::Other(vec![release.tag.clone()]),
            Err(NotNamed::Ambiguous(tags)) => Means::Other(tags),
            Err(NotNamed::Unknown | NotNamed::NoRelease) => Means::Nothing,
        }
    }
}

fn left_alone(promotion: &Promotion, name: &str) -> Problem {
    Problem {
        place: None,
        message: format!(
            "{} is left alone: {}, which was asked for by name, is another app's release",
            code(&promotion.app),
            code(name)
        ),
        hints: Vec::new(),
    }
}

/// Several apps have it under one tag, or one app alone; else nobody can tell which was meant.
fn one_tag(name: &str, means: &[(&Promotion, Means)]) -> Result<()> {
    let mut found: Vec<(&str, &str)> = Vec::new();
    for (promotion, means) in means {
        let Means::Other(tags) = means else { continue };
        found.extend(tags.iter().map(|tag| (promotion.app.as_str(), tag.as_str())));
    }
    found.sort_unstable();
    found.dedup();
    let differ = |by: fn(&(&str, &str)) -> String| {
        found.first().is_some_and(|first| found.iter().any(|one| by(one) != by(first)))
    };
    if !differ(|(app, _)| (*app).to_owned()) || !differ(|(_, tag)| (*tag).to_owned()) {
        return Ok(());
    }
    let list: Vec<String> =
        found.iter().map(|(app, tag)| format!("{} of {}", code(tag), code(app))).collect();
    Err(Failure::new(
        Kind::Release,
        format!("{} means releases of several apps: {}", code(name), list.join(", ")),
    )
    .hinted("name one of these tags, or say which app by `app`"))
}
