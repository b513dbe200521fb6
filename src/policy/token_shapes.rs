//! What tokens and private keys look like, as far as their makers gave them a shape.
//!
//! Linear-time expressions over one line. A match is named by what it is; its text is never kept, so
//! nothing above can print it.

use std::sync::LazyLock;

use regex::Regex;

/// What it is, and its shape. The group, where there is one, is the part that must look random.
const SHAPES: &[(&str, &str)] = &[
    ("an AWS access key id", r"\b(?:AKIA|ASIA|ABIA|ACCA)([A-Z2-7]{16})\b"),
    (
        "an AWS secret access key",
        r#"(?i)aws_?secret_?access_?key["']?\s*[:=]\s*["']?([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+]|$)"#,
    ),
    ("a GitHub token", r"\bgh[pousr]_([A-Za-z0-9]{30,})"),
    ("a GitHub token", r"\bgithub_pat_([A-Za-z0-9_]{40,})"),
    ("a GitLab token", r"\bgl(?:pat|dt|rt|ptt|ft|soat|cbt|oas)-([A-Za-z0-9_-]{20,})"),
    ("a Slack token", r"\bxox[abeoprs]-([A-Za-z0-9-]{10,})"),
    ("a Slack token", r"\bxapp-\d-([A-Za-z0-9-]{20,})"),
    ("a Slack webhook", r"hooks\.slack\.com/(?:services|workflows)/([A-Za-z0-9/]{20,})"),
    ("a Google API key", r"\bAIza([0-9A-Za-z_-]{35})(?:[^0-9A-Za-z_-]|$)"),
    ("a Google OAuth secret", r"\bGOCSPX-([A-Za-z0-9_-]{20,})"),
    ("an Anthropic key", r"\bsk-ant-([A-Za-z0-9_-]{20,})"),
    ("an OpenAI key", r"\bsk-(?:proj|svcacct|admin|None)-([A-Za-z0-9_-]{20,})"),
    ("an OpenAI key", r"\bsk-([A-Za-z0-9]{32,})"),
    ("an OpenRouter key", r"\bsk-or-v\d-([0-9a-f]{32,})"),
    ("a Hugging Face token", r"\b(?:hf|api_org)_([A-Za-z0-9]{30,})"),
    ("a Stripe key", r"\b[rs]k_live_([0-9A-Za-z]{16,})"),
    ("an npm token", r"\bnpm_([A-Za-z0-9]{36})"),
    ("a PyPI token", r"\bpypi-([A-Za-z0-9_-]{50,})"),
    ("an Azure storage key", r"(?i)AccountKey=([A-Za-z0-9+/]{40,}={0,2})"),
    ("a SendGrid key", r"\bSG\.([A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,})"),
    ("a Databricks token", r"\bdapi([0-9a-f]{32})\b"),
    ("an age secret key", r"\bAGE-SECRET-KEY-1([0-9A-Z]{50,})"),
    ("a JSON Web Token", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.([A-Za-z0-9_-]{16,})"),
    ("a private key", r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
];

static COMPILED: LazyLock<Vec<(&'static str, Regex)>> = LazyLock::new(|| {
    SHAPES.iter().filter_map(|(what, shape)| Some((*what, Regex::new(shape).ok()?))).collect()
});

/// What a line holds, each kind once, in the order of the shapes.
pub(super) fn tokens_in(line: &str) -> Vec<&'static str> {
    let mut found: Vec<&'static str> = Vec::new();
    for (what, shape) in COMPILED.iter() {
        let real = shape
            .captures_iter(line)
            .any(|captures| captures.get(1).is_none_or(|secret| looks_random(secret.as_str())));
        if real && !found.contains(what) {
            found.push(what);
        }
    }
    found
}

/// Placeholders (`xxxxxxxx`, `AKIAIOSFODNN7EXAMPLE`, `your-token-here`) have few different characters, or say
/// what they are.
fn looks_random(secret: &str) -> bool {
    let mut distinct: Vec<u8> = secret.bytes().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let words = secret.to_ascii_lowercase();
    let says_so = ["example", "placeholder", "redacted", "changeme", "your-", "your_", "xxxx", "dummy"]
        .iter()
        .any(|word| words.contains(word));
    distinct.len() >= 6 && !says_so
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Put together at run time, so that no scanner of this repository finds a token.
    fn random(length: usize) -> String {
        "a8Kd93LmQz71XcVb5TyU2wEr6PnJs4Hg".chars().cycle().take(length).collect()
    }

    #[test]
    fn every_shape_compiles() {
        assert_eq!(COMPILED.len(), SHAPES.len());
    }

    #[test]
    fn tokens_are_known_by_their_shape() {
        let upper = "Q3ERT5YUI7OP2ASD";
        let hex = "0123456789abcdef0123456789abcdef";
        for (what, line) in [
            ("an AWS access key id", format!("id: AKIA{upper}")),
            ("an AWS access key id", format!("# old one: 'ASIA{upper}'")),
            ("an AWS secret access key", format!("AWS_SECRET_ACCESS_KEY: \"{}\"", random(40))),
            ("a GitHub token", format!("token: gh{}_{}", "p", random(36))),
            ("a GitHub token", format!("https://x-access-token:gh{}_{}@github.com", "s", random(36))),
            ("a GitHub token", format!("github{}_{}", "_pat", random(82))),
            ("a GitLab token", format!("gl{}-{}", "pat", random(20))),
            ("a Slack token", format!("xo{}-1234-{}", "xb", random(24))),
            ("a Slack webhook", format!("https://hooks.slack.{}/services/T0/B1/{}", "com", random(24))),
            ("a Google API key", format!("key=AI{}{}", "za", random(35))),
            ("an Anthropic key", format!("sk-{}-api03-{}", "ant", random(90))),
            ("an OpenAI key", format!("OPENAI_API_KEY=sk-{}-{}", "proj", random(60))),
            ("an OpenAI key", format!("sk-{}", random(48))),
            ("a Hugging Face token", format!("h{}_{}", "f", random(34))),
            ("a Stripe key", format!("sk_{}_{}", "live", random(24))),
            ("an npm token", format!("//registry/:_authToken=np{}_{}", "m", random(36))),
            ("a PyPI token", format!("py{}-{}", "pi", random(90))),
            ("an Azure storage key", format!("Endpoint=x;Account{}={}==", "Key", random(86))),
            ("a JSON Web Token", format!("e{}{}.e{}{}.{}", "yJ", random(20), "yJ", random(30), random(43))),
            ("a private key", format!("-----BEGIN {}PRIVATE KEY-----", "")),
            ("a private key", format!("\"private_key\": \"-----BEGIN {}PRIVATE KEY-----\\nMII", "RSA ")),
            ("a private key", format!("  -----BEGIN {}PRIVATE KEY-----", "OPENSSH ")),
            ("a private key", format!("-----BEGIN {} PRIVATE KEY BLOCK-----", "PGP")),
            ("a Databricks token", format!("da{}{hex}", "pi")),
        ] {
            assert_eq!(tokens_in(&line), [what], "{line}");
        }
    }

    #[test]
    fn placeholders_references_and_ciphertext_are_no_tokens() {
        for line in [
            "image: ghcr.io/acme/agent:v1",
            "digest: sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "id: AKIAIOSFODNN7EXAMPLE",
            "token: ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "key: sk-your-key-here-your-key-here-your-key",
            "key: sk-learn-pipeline",
            "password: ENC[AES256_GCM,data:Tr7o1dz7,iv:1vngXjXQ=,tag:2fa==,type:str]",
            "-----BEGIN PGP MESSAGE-----",
            "-----BEGIN AGE ENCRYPTED FILE-----",
            "-----BEGIN CERTIFICATE-----",
            "-----BEGIN PUBLIC KEY-----",
            "secretName: github-token",
            "model: hf_model",
        ] {
            assert!(tokens_in(line).is_empty(), "{line}");
        }
    }

    #[test]
    fn a_long_line_is_read_in_a_blink() {
        let started = std::time::Instant::now();
        assert!(tokens_in(&"eyJa.".repeat(200_000)).is_empty());
        assert!(started.elapsed().as_secs() < 5);
    }
}
