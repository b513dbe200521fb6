//! What a person sees of a hostile promotion: the page as it is rendered, not its Markdown.
//!
//! The fake GitHub's pages make live what GitHub makes live (mentions, issue numbers, closing words), so that a leak
//! shows. `cargo test --test flow rendered -- --ignored` opens them in a headless Chromium as well, and leaves pictures
//! in the folder that `PICTURES` names.

use std::path::Path;
use std::process::Command;

use fake_github::{CheckRun, Commit};
use regex::Regex;

use crate::scene::{Scene, Start, values};

/// Texts that try what text can: each is a subject, an author or a value somewhere.
fn hostile() -> Vec<String> {
    let mut texts: Vec<String> = [
        "feat: closes #1, fixes acme/agent#2, resolves GH-3",
        "fix: @acme/everyone @alice cc @bob,",
        "feat: <!-- hidden --> <img src=https://evil.example/x onerror=alert(1)> <script>alert(1)</script>",
        "fix: a | b | c \\| d ` e `` f ``` g",
        "feat: [click](https://evil.example/phish) ![x](https://evil.example/x.png) <https://evil.example>",
        "fix: https://evil.example/a www.evil.example evil@evil.example ftp://evil.example",
        "feat: [x]: https://evil.example 'y' [x] [^1] :tada: $`x`$ $$y$$",
        "fix: </details></td></table><h1>owned</h1> &lt;b&gt; &#64;alice",
        "feat: \u{202e}desrever\u{2066} \u{200b}zero\u{feff} \u{7}bell \u{1b}[31mred",
        "fix: deadbeefcafe1234 acme/agent@deadbeefcafe1234 3f1c9ab",
        "> [!CAUTION] quote me",
        "- [ ] task 1. list # heading --- === ***",
        "feat!: ~~struck~~ **bold** __bold__ *em* _em_",
        "<!-- promote:end --> <!-- promote:begin --> <!-- promote:closed -->",
    ]
    .map(str::to_owned)
    .into();
    texts.push(format!("feat: {} the end", "long | `x` ".repeat(7_000)));
    texts
}

/// A promotion with all of them, and a body of its own that a person wrote around it.
fn scene() -> Scene {
    let scene = Scene::new();
    for (at, text) in hostile().iter().enumerate() {
        let file = format!("src/{at}.py");
        let commit = Commit::new(text).file(&file, text);
        scene.repo.commit(&if at % 2 == 0 { commit.by("alice") } else { commit.by("bob") }).unwrap();
    }
    for tag in ["v1.8.1", "v1.9.0"] {
        scene.release(tag, "2026-09-15", Some("failure"));
    }
    let model = "2026|09`15 @alice #12 <b>";
    scene.feature("last");
    let record = values("v2.0.0", "2026-05-01").replace("\"2026-05-01\"", &format!("'{model}'"));
    let commit = scene.commit("record", &[("environments/staging/values.yaml", &record)]);
    scene.tagged("v2.0.0", &commit, Some("success"));
    let name = "golden | set` <img src=x> @alice #12";
    scene.repo.add_check_run(CheckRun::new(name, &commit).concluded("success")).unwrap();
    let evidence = format!("workflow: staging.yml\ncheck: {name}");
    let run = scene.runs(&Start::inputs(&[("evidence", &evidence), ("reason", &hostile()[2])]));
    assert_eq!(run.output("pull-request-number"), "1", "{}", run.said());
    assert_eq!(run.output("tag"), "v2.0.0");
    scene.repo.set_job_summary(scene.promote_run, &run.summary).unwrap();
    scene
}

/// The addresses of the pull request, of its check, and of the job summary.
fn pages(scene: &Scene) -> [(&'static str, String); 2] {
    let (url, run) = (scene.repo.url().trim_end_matches(".git").to_owned(), scene.promote_run);
    [("pull request", format!("{url}/pull/1")), ("job summary", format!("{url}/actions/runs/{run}"))]
}

fn page(address: &str) -> String {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = promote::http::Client::new(
        &std::collections::BTreeMap::new(),
        std::time::Duration::from_secs(30),
        std::time::Duration::ZERO,
    );
    let request = client.unwrap().get(address.parse().unwrap());
    runtime.block_on(async { request.send().await.unwrap().text().await.unwrap() })
}

/// What is wrong with a page as it is rendered.
fn problems(html: &str, home: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for live in ["class=\"mention\"", "issue-link", "<img", "<script>alert", "<h1>owned", "task-list"] {
        if html.contains(live) {
            let at = html.find(live).unwrap();
            let from = html.floor_char_boundary(at.saturating_sub(200));
            wrong.push(format!("`{live}` is live: {}", &html[from..html.ceil_char_boundary(at + 200)]));
        }
    }
    if Regex::new(r"<[a-z][^>]* on[a-z]+=").unwrap().is_match(html) {
        wrong.push("a handler of an event".to_owned());
    }
    let links = Regex::new(r#"(?:href|src)="([^"]*)""#).unwrap();
    for link in links.captures_iter(html) {
        let to = &link[1];
        if to.contains("://") && !to.starts_with(home) {
            wrong.push(format!("a foreign link: {to}"));
        }
    }
    let (tables, rows) =
        (Regex::new(r"(?s)<table.*?</table>").unwrap(), Regex::new(r"(?s)<tr.*?</tr>").unwrap());
    for table in tables.find_iter(html) {
        let cells = |row: &str| row.matches("<td").count() + row.matches("<th").count();
        let counts: Vec<usize> = rows.find_iter(table.as_str()).map(|row| cells(row.as_str())).collect();
        if counts.iter().any(|count| *count != counts[0]) {
            wrong.push(format!("a broken table, cells by row {counts:?}: {}", table.as_str()));
        }
    }
    if html.matches("<details").count() != html.matches("</details>").count() {
        wrong.push("a fold that is not closed".to_owned());
    }
    wrong
}

/// The part of a page that outside text is in.
fn body_of(html: &str) -> &str {
    let at = html.find("<main").unwrap_or_else(|| panic!("nothing is shown in {html}"));
    &html[at..]
}

#[test]
fn a_hostile_promotion_looks_like_any_other() {
    let scene = scene();
    for (name, address) in pages(&scene) {
        let html = page(&address);
        let wrong = problems(body_of(&html), scene.github.url());
        assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
    }
    let body = scene.repo.pull(1).unwrap().body;
    assert!(body.chars().count() <= 65_536);
    // What is hidden is shown by its number, and what does not fit is counted.
    for said in ["‹U+202E›", "‹U+001B›", "‹U+200B›", "…"] {
        assert!(body.contains(said), "{said}: {body}");
    }
    assert_eq!(scene.repo.pull(1).unwrap().title, "Promote agent v2.0.0 to prod");
    // Our marks stand once on a line of their own, whatever the subjects say: the next text takes the place of all of it.
    for (mark, times) in
        [("<!-- promote:begin -->", 1), ("<!-- promote:end -->", 1), ("<!-- promote:closed -->", 0)]
    {
        assert_eq!(body.lines().filter(|line| line.trim() == mark).count(), times, "{mark}: {body}");
    }
    scene
        .repo
        .edit(
            1,
            "Promote agent v2.0.0 to prod",
            &format!("Seen.\n\n{}\n\nBye.", body.replacen("prod", "x", 1)),
        )
        .unwrap();
    let again = Start::inputs(&[("evidence", "workflow: staging.yml"), ("reason", "another")]);
    scene.runs(&again).ended("blocked", 1);
    let body = scene.repo.pull(1).unwrap().body;
    assert!(
        body.starts_with("Seen.\n\n<!-- promote:begin -->") && body.ends_with("<!-- promote:end -->\n\nBye."),
        "{body}"
    );
    assert_eq!(scene.runs(&again).writes(), [""; 0]);
}

#[test]
#[ignore = "needs chromium; `PICTURES` names the folder for what it shows"]
fn chromium_shows_the_same() {
    let scene = scene();
    let folder = std::env::var("PICTURES").unwrap_or_else(|_| env!("CARGO_TARGET_TMPDIR").to_owned());
    for (name, address) in pages(&scene) {
        let chromium = |arguments: &[&str]| {
            let profile = tempfile::tempdir().unwrap();
            let output = Command::new("chromium")
                .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"])
                .arg(format!("--user-data-dir={}", profile.path().display()))
                .args(arguments)
                .arg(&address)
                .output();
            output.expect("`chromium` is not installed: apt-get install chromium")
        };
        let picture = Path::new(&folder).join(format!("hostile {name}.png"));
        chromium(&["--window-size=1100,1900", &format!("--screenshot={}", picture.display())]);
        assert!(picture.is_file(), "{} was not made", picture.display());
        let dom = String::from_utf8(chromium(&["--dump-dom"]).stdout).unwrap();
        let wrong = problems(body_of(&dom), scene.github.url());
        assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
    }
}
