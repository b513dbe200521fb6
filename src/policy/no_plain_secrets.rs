//! `no-plain-secrets`: no token, private key or inline Secret stands in the target overlay.
//!
//! Every line of every file counts, comments included, whether this promotion touches it or not, and
//! every scalar as YAML reads it (escapes undone, folded lines joined). SOPS, `SealedSecret` and
//! `ExternalSecret` are fine. The value is never printed, not even partly.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::Subject;
use super::secret_manifests::inline_secrets;
use super::token_shapes::tokens_in;
use crate::names::RepoPath;
use crate::overlay::OverlayFile;
use crate::overlay::editor::tokens::{Part, tokens};
use crate::plan::{Finding, Location, Verdict};

pub(super) const NAME: &str = "no-plain-secrets";

/// How many places of one file are named.
const NAMED: usize = 20;

pub(super) fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    subject.files.iter().flat_map(of_file).collect()
}

fn of_file(file: &OverlayFile) -> Vec<Finding> {
    let text = String::from_utf8_lossy(&file.bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut found: BTreeSet<(u32, String)> = BTreeSet::new();
    for (line, content) in (1..).zip(text.lines()) {
        found.extend(tokens_in(content).into_iter().map(|what| (line, what.to_owned())));
    }
    for (lines, what) in tokens_in_scalars(&file.path, text) {
        // A scalar that is written plainly was seen by its lines already.
        if !found.iter().any(|(line, known)| lines.contains(line) && known == what) {
            found.insert((*lines.start(), what.to_owned()));
        }
    }
    for inline in inline_secrets(&file.path, text) {
        found.insert((inline.line, format!("the value of `{}` of a Secret", inline.key)));
    }
    let more = found.len().saturating_sub(NAMED);
    let mut findings: Vec<Finding> = found
        .into_iter()
        .take(NAMED)
        .map(|(line, what)| finding(file, line, format!("{what} stands here in plain text")))
        .collect();
    if more > 0 {
        findings.push(finding(file, 1, format!("{more} more secrets stand in this file in plain text")));
    }
    findings
}

fn finding(file: &OverlayFile, line: u32, message: String) -> Finding {
    Finding {
        rule: NAME.to_owned(),
        level: Verdict::Deny,
        message,
        hint: Some(
            "take it out on the base branch, and revoke it: whoever can read the repository has it; keep it in an \
             ExternalSecret, a SealedSecret or a SOPS file instead"
                .to_owned(),
        ),
        location: Some(Location { file: file.path.clone(), line }),
    }
}

/// Tokens as YAML reads them, with the lines of their scalars: escapes and folds hide nothing.
fn tokens_in_scalars(path: &RepoPath, yaml: &str) -> Vec<(RangeInclusive<u32>, &'static str)> {
    let mut found = Vec::new();
    for token in tokens(path, yaml).map_while(Result::ok) {
        if let Part::Scalar { text, .. } = &token.part {
            let breaks = yaml.get(token.span.clone()).map_or(0, |written| written.matches('\n').count());
            let last = token.line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
            found.extend(tokens_in(text).into_iter().map(|what| (token.line..=last, what)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests may")]

    use proptest::prelude::*;

    use super::*;
    use crate::proposal::sample::{path, plan};

    fn places(text: &str) -> Vec<(u32, String)> {
        let files = [OverlayFile {
            path: path("environments/prod/values.yaml"),
            bytes: text.as_bytes().to_vec(),
            mode: 0o100_644,
        }];
        let plan = plan();
        findings(&Subject { plan: &plan, files: &files })
            .into_iter()
            .map(|finding| {
                assert_eq!(finding.level, Verdict::Deny);
                (finding.location.unwrap().line, finding.message)
            })
            .collect()
    }

    fn lines(text: &str) -> Vec<u32> {
        places(text).into_iter().map(|(line, _)| line).collect()
    }

    /// Put together at run time, so that no scanner of this repository finds a token.
    fn token() -> String {
        format!("gh{}_{}", "p", "a8Kd93LmQz71XcVb5TyU2wEr6PnJs4Hg9fRt")
    }

    #[test]
    fn a_token_is_found_on_any_line_and_never_printed() {
        let token = token();
        let text = format!("a: 1\r\n# old: {token}\r\nb: |\r\n  x\r\n  {token}\r\nc: '{token}'\r\n");
        let found = places(&text);
        assert_eq!(found.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 5, 6]);
        for (_, message) in found {
            assert_eq!(message, "a GitHub token stands here in plain text");
        }
    }

    #[test]
    fn escapes_and_folds_hide_nothing() {
        let token = token();
        assert_eq!(lines(&format!("a: 1\nb: \"\\x67{}\"\n", &token[1..])), [2]);
        assert_eq!(lines(&format!("a: {token}\nb: \"\\x67{}\"\n", &token[1..])), [1, 2]);
        assert_eq!(lines(&format!("a: \"{}\\\n  {}\"\n", &token[..10], &token[10..])), [1]);
    }

    #[test]
    fn inline_values_of_a_secret_are_found() {
        let secret = "apiVersion: v1\ndata:\n  password: aHVudGVyMg==\n  empty: ''\nkind: Secret\nmetadata: {name: x}\n---\nkind: Secret\nstringData: {a: b}\n";
        assert_eq!(
            places(secret),
            [
                (3, "the value of `password` of a Secret stands here in plain text".to_owned()),
                (9, "the value of `a` of a Secret stands here in plain text".to_owned()),
            ]
        );
        assert_eq!(
            lines("extra:\n  - kind: Secret\n    stringData:\n      k: |\n        many\n        lines\n"),
            [4]
        );
        assert_eq!(
            lines("secretGenerator:\n  - name: x\n    literals:\n      - password=hunter2\n      - empty=\n"),
            [4]
        );
    }

    #[test]
    fn what_is_encrypted_or_kept_elsewhere_is_fine() {
        for text in [
            "kind: Secret\ndata:\n  a: ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]\nsops:\n  version: 3.9.0\n",
            "kind: SealedSecret\nspec:\n  encryptedData:\n    a: AgBy3i4OJSWK\n  template: {data: {x: y}}\n",
            "kind: ExternalSecret\nspec:\n  data:\n    - secretKey: a\n  target: {template: {data: {a: '{{ .a }}'}}}\n",
            "kind: Secret\nstringData:\n  a: '{{ .Values.a }}'\n  b: ${B}\n  c: <path:kv/data/x#y>\n",
            "kind: ConfigMap\ndata:\n  a: b\n",
            "kind: Secret\nmetadata: {labels: {data: x}}\n",
            "secretGenerator:\n  - name: x\n    envs: [secret.env]\n",
            "configMapGenerator:\n  - literals: [a=b]\n",
            "kind: Secret\ntype: Opaque\n",
            "x: &a {b: c}\ny: *a\nkind: Secret\n",
        ] {
            assert_eq!(places(text), [], "{text}");
        }
    }

    #[test]
    fn a_file_full_of_secrets_is_counted() {
        let text = format!("x: {}\n", token()).repeat(100);
        let found = places(&text);
        assert_eq!(found.len(), NAMED + 1);
        assert_eq!(found[NAMED].1, "80 more secrets stand in this file in plain text");
    }

    #[test]
    fn what_is_no_yaml_is_still_read_by_line() {
        assert_eq!(lines(&format!("{{ [ :\n\t\"\n{}\n", token())), [3]);
        assert_eq!(lines(&"[".repeat(100_000)), [0; 0]);
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic_or_print_a_value(text in "(kind: Secret|data:|stringData:|secretGenerator:| {0,4}|\n|- |[a-z]: |\\{|\\}|\\[|\\]|&a|\\*a|\\? |hunter2|'|\"|---\n){0,40}") {
            for (_, message) in places(&text) {
                prop_assert!(!message.contains("hunter2 stands"));
            }
        }
    }
}
