//! GitHub-flavoured Markdown as GitHub shows it: rendered, sanitised, and with live mentions and issue links.
//!
//! What would ping a person or close an issue on GitHub is a marked link here, so that a leak from outside text is
//! visible.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Renders a body of the repository at `repo` (its page's path, `/acme/gitops`).
pub(super) fn rendered(markdown: &str, repo: &str) -> String {
    let mut options = comrak::Options::default();
    let extension = &mut options.extension;
    extension.table = true;
    extension.strikethrough = true;
    extension.autolink = true;
    extension.tasklist = true;
    extension.footnotes = true;
    extension.alerts = true;
    options.render.r#unsafe = true;
    // In comments and pull request bodies a newline is a line break.
    options.render.hardbreaks = true;
    linked(&sanitised(&comrak::markdown_to_html(markdown, &options)), repo)
}

/// Drops what GitHub's sanitiser drops; comments among it.
fn sanitised(html: &str) -> String {
    let tags: HashSet<&str> = "h1 h2 h3 h4 h5 h6 br b i strong em a pre code img tt div ins del sup sub p ol ul table \
        thead tbody tfoot blockquote dl dt dd kbd q samp var hr ruby rt rp li tr td th s strike summary details \
        caption figure figcaption abbr bdo cite dfn mark small span time wbr picture source input section"
        .split_whitespace()
        .collect();
    let own = |names: &[&'static str]| names.iter().copied().collect::<HashSet<&str>>();
    let attributes = HashMap::from([
        ("a", own(&["href"])),
        ("img", own(&["src", "alt", "width", "height"])),
        ("td", own(&["align", "colspan", "rowspan"])),
        ("th", own(&["align", "colspan", "rowspan"])),
        ("details", own(&["open"])),
        ("input", own(&["type", "checked", "disabled"])),
        ("ol", own(&["start"])),
    ]);
    ammonia::Builder::default()
        .tags(tags)
        .tag_attributes(attributes)
        .generic_attributes(own(&["title", "align", "dir", "id"]))
        .id_prefix(Some("user-content-"))
        .link_rel(Some("nofollow"))
        .clean(html)
        .to_string()
}

/// Makes mentions and issue numbers live wherever GitHub would: in text outside links and code.
fn linked(html: &str, repo: &str) -> String {
    let (mut out, mut rest, mut quiet) = (String::with_capacity(html.len()), html, 0_usize);
    while let Some(at) = rest.find('<') {
        let (text, tail) = rest.split_at(at);
        out.push_str(&if quiet == 0 { live(text, repo) } else { text.to_owned() });
        let end = tail.find('>').map_or(tail.len(), |end| end + 1);
        let (tag, after) = tail.split_at(end);
        for name in ["a", "code", "pre"] {
            if tag.strip_prefix("</").is_some_and(|rest| rest.trim_end_matches('>') == name) {
                quiet = quiet.saturating_sub(1);
            } else if tag
                .strip_prefix('<')
                .and_then(|rest| rest.strip_prefix(name))
                .is_some_and(|rest| rest.starts_with('>') || rest.starts_with(' '))
            {
                quiet += 1;
            }
        }
        out.push_str(tag);
        rest = after;
    }
    out.push_str(&if quiet == 0 { live(rest, repo) } else { rest.to_owned() });
    out
}

static ISSUES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let closing = r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+";
    Regex::new(&format!(r"(?i)(?:({closing})|(^|[\s(\[{{,;:.]))((?:[\w.-]+/[\w.-]+)?#|GH-)(\d+)\b")).ok()
});

static MENTIONS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(^|[\s(\[{,;:.!?*_~])@([A-Za-z0-9][A-Za-z0-9-]{0,38}(?:/[A-Za-z0-9-]+)?)").ok()
});

fn live(text: &str, repo: &str) -> String {
    let (Some(issues), Some(mentions)) = (ISSUES.as_ref(), MENTIONS.as_ref()) else { return text.to_owned() };
    let text = issues.replace_all(text, |found: &Captures<'_>| {
        let part = |index: usize| found.get(index).map_or("", |part| part.as_str());
        let class = if part(1).is_empty() { "issue-link" } else { "issue-link closing" };
        let foreign = part(3).trim_end_matches('#');
        let place = if foreign.contains('/') { format!("/{foreign}") } else { repo.to_owned() };
        let (before, number) = (format!("{}{}", part(1), part(2)), part(4));
        format!("{before}<a class=\"{class}\" href=\"{place}/issues/{number}\">{}{number}</a>", part(3))
    });
    let mentioned = mentions.replace_all(&text, |found: &Captures<'_>| {
        let part = |index: usize| found.get(index).map_or("", |part| part.as_str());
        format!("{}<a class=\"mention\" href=\"/{name}\">@{name}</a>", part(1), name = part(2))
    });
    mentioned.into_owned()
}

#[cfg(test)]
mod tests {
    use super::rendered;

    #[test]
    fn what_would_ping_or_close_on_github_is_live_here() {
        for (markdown, wanted) in [
            ("hi @alice!", "<a class=\"mention\" href=\"/alice\">@alice</a>"),
            ("see #12", "<a class=\"issue-link\" href=\"/o/r/issues/12\">#12</a>"),
            ("fixes #12", "<a class=\"issue-link closing\" href=\"/o/r/issues/12\">#12</a>"),
            ("a/b#3", "href=\"/a/b/issues/3\""),
        ] {
            let html = rendered(markdown, "/o/r");
            assert!(html.contains(wanted), "{markdown}: {html}");
        }
    }

    #[test]
    fn what_is_quiet_on_github_is_quiet_here() {
        for markdown in [
            "`@alice` `#12`",
            "@\u{200b}alice",
            "me@alice.example",
            "it's &#39; foo#12",
            "[#12](https://x.example)",
        ] {
            let html = rendered(markdown, "/o/r");
            assert!(!html.contains("mention") && !html.contains("issue-link"), "{markdown}: {html}");
        }
    }

    #[test]
    fn raw_html_keeps_its_safe_subset_only() {
        let html = rendered(
            "<details><summary>s</summary>\n\nx\n</details>\n<script>alert(1)</script><!-- c --><b onclick=x>b</b>",
            "/o/r",
        );
        assert!(html.contains("<details><summary>s</summary>") && html.contains("<b>b</b>"), "{html}");
        assert!(!html.contains("script") && !html.contains("<!--"), "{html}");
    }
}
