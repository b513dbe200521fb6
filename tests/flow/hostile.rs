//! Outside text in the real flow: it breaks no output, no line of the log, and not the pull request.

use crate::scene::{Scene, Start, values};

const SUBJECTS: &[&str] = &[
    "feat: ::set-output name=tag::evil",
    "fix: ##[add-mask]secret and ##[error]x",
    "feat: %0A::error::forged",
    "feat: closes #1, fixes acme/agent#2, @acme/everyone and <!-- hidden --> <img src=x onerror=alert(1)>",
    "fix: a | b ` c $(id) ${{ github.token }} [x](javascript:alert(1))",
    "feat: \u{202e}reversed\u{0007}bell",
];

#[test]
fn hostile_tags_and_subjects_are_text_everywhere() {
    let version = format!("1.8.0+$(id)`|<!--@team%0A{{x}};'\"{}", "x".repeat(120));
    let tag = format!("rel/{version}");
    let scene = Scene::new();
    for subject in SUBJECTS {
        scene.commit(subject, &[("src/x.py", subject)]);
    }
    scene.commit(&format!("feat: {}", "long ".repeat(400)), &[("src/x.py", "long")]);
    let quoted = values("v1.7.0", "2026-09-15")
        .replace("tag: v1.7.0", &format!("tag: '{}'", version.replace('\'', "''")));
    let commit = scene.commit("record", &[("environments/staging/values.yaml", &quoted)]);
    scene.tagged(&tag, &commit, Some("success"));
    let run = scene.runs(&Start::inputs(&[("tag-pattern", "^(?:rel/)?(?P<version>.+)$")]));
    run.ended("created", 0);

    // Outputs: as they are, each under its own name.
    assert_eq!(run.output("tag"), tag);
    assert_eq!(run.output("version"), version);
    let names: Vec<&str> = run.outputs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.iter().filter(|name| **name == "tag").count(), 1);
    assert_eq!(names.len(), 14, "{names:?}");

    // The log: no line is a command that is not ours.
    for line in run.stdout.lines().chain(run.stderr.lines()) {
        assert!(!line.contains("##["), "{line}");
        let command = line.trim_start().strip_prefix("::");
        assert!(
            command.is_none_or(|c| c.starts_with("add-mask::") || c.starts_with("warning title=promote")),
            "{line}"
        );
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
    assert!(
        run.stderr.lines().all(|line| line.starts_with("info: ") || line.starts_with("warning: ")),
        "{}",
        run.stderr
    );

    // The pull request: nobody is called, nothing is hidden or closed.
    let pull = scene.repo.pull(1).unwrap();
    let mut github = comrak::Options::default();
    (github.render.r#unsafe, github.extension.table, github.extension.autolink) = (true, true, true);
    for text in [&pull.body, &run.summary] {
        let page = comrak::markdown_to_html(text, &github);
        for part in ["<img", "javascript:\"", "href=\"javascript", "<!-- hidden", "<!--@"] {
            assert!(!page.contains(part), "{part} in {page}");
        }
    }
    for part in ["closes #1", "fixes acme/agent#2", "@acme/everyone", "@team"] {
        assert!(!pull.body.contains(part), "{part} in {}", pull.body);
    }
    assert!(!pull.title.contains('\n') && pull.title.chars().count() <= 256, "{}", pull.title);
    let page = scene.repo.file("promote/agent/prod", "environments/prod/values.yaml").unwrap();
    assert!(page.contains(&version.replace('\'', "''")) || page.contains(&version), "{page}");
    // Again: the same, byte for byte.
    let again = scene.runs(&Start::inputs(&[("tag-pattern", "^(?:rel/)?(?P<version>.+)$")]));
    again.ended("unchanged", 0);
    assert_eq!(again.writes(), [""; 0]);
}

#[test]
fn a_planned_hostile_release_is_printed_where_no_command_is_read() {
    let scene = Scene::new();
    for subject in SUBJECTS {
        scene.commit(subject, &[("src/x.py", subject)]);
    }
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    let run = scene.runs(&Start::inputs(&[("dry-run", "true")]));
    run.ended("planned", 0);
    let mut stopped: Option<String> = None;
    for line in run.stdout.lines() {
        match &stopped {
            Some(token) if line == format!("::{token}::") => stopped = None,
            Some(_) => {}
            None => match line.strip_prefix("::stop-commands::") {
                Some(token) => stopped = Some(token.to_owned()),
                None => assert!(line.is_empty() || line.starts_with("::add-mask::"), "{line}"),
            },
        }
    }
    assert_eq!(stopped, None);
}
