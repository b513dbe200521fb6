#![allow(clippy::unwrap_used, reason = "tests may")]
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::*;

const KEY: &str = include_str!("../../../tests/fixtures/app/test-key.pem");
const PKCS8: &str = include_str!("../../../tests/fixtures/app/test-key.pkcs8.pem");
const ELLIPTIC: &str = include_str!("../../../tests/fixtures/app/elliptic-test-key.pem");
const PUBLIC: &str = include_str!("../../../tests/fixtures/app/test-key.public.pem");

/// Base64 in lines of 76 characters, as `base64` writes it.
fn wrapped(text: &str) -> String {
    let encoded = STANDARD.encode(text);
    encoded.as_bytes().chunks(76).flat_map(|line| [str::from_utf8(line).unwrap(), "\n"]).collect()
}

/// Every spelling of the test key that is taken.
fn spellings() -> Vec<(&'static str, String)> {
    vec![
        ("as GitHub gives it", KEY.to_owned()),
        ("PKCS#8", PKCS8.to_owned()),
        ("without the last line's end", KEY.trim_end().to_owned()),
        ("as Windows ends lines", KEY.replace('\n', "\r\n")),
        ("with `\\n`", KEY.replace('\n', "\\n")),
        ("with `\\r\\n`", KEY.replace('\n', "\\r\\n")),
        ("indented", KEY.replace('\n', "\n    ")),
        ("after what openssl says", format!("Bag Attributes\n    localKeyID: 01\n{KEY}")),
        ("in base64", STANDARD.encode(KEY)),
        ("in base64 without padding", STANDARD_NO_PAD.encode(KEY)),
        ("in lines of base64", wrapped(KEY)),
        ("PKCS#8 as Windows ends lines, in base64", STANDARD.encode(PKCS8.replace('\n', "\r\n"))),
    ]
}

#[test]
fn a_key_is_read_in_every_spelling_that_secrets_have() {
    let expected = PrivateKey::parse(KEY).unwrap();
    for (what, text) in spellings() {
        let key = PrivateKey::parse(&text).unwrap_or_else(|wrong| unreachable!("{what}: {wrong:?}"));
        assert_eq!(key.pair().public().as_ref(), expected.pair().public().as_ref(), "{what}");
        assert_eq!(format!("{key:?}"), "***", "{what}");
    }
}

#[test]
fn anything_else_is_told_what_is_expected_and_never_shown() {
    let half: String = KEY.lines().take(12).flat_map(|line| [line, "\n"]).collect();
    let without = |number: usize| -> String {
        let lines = KEY.lines().enumerate().filter(|(index, _)| *index != number);
        lines.flat_map(|(_, line)| [line, "\n"]).collect()
    };
    for (what, text) in [
        ("a word", "hunter2hunter2".to_owned()),
        ("a marker alone", "-----BEGIN RSA PRIVATE KEY-----".to_owned()),
        ("its first half", half),
        ("a line is missing", without(5)),
        ("no beginning", without(0)),
        ("no end", without(KEY.lines().count() - 1)),
        ("blanks for the ends of lines", KEY.replace('\n', " ")),
        ("under a password", KEY.replace("RSA PRIVATE", "ENCRYPTED PRIVATE")),
        ("another kind of key", ELLIPTIC.to_owned()),
        ("a public key", PUBLIC.to_owned()),
        ("base64 of something else", STANDARD.encode("hunter2")),
        ("base64 of bytes", STANDARD.encode([0xff_u8; 40])),
    ] {
        let wrong = PrivateKey::parse(&text).map(drop).unwrap_err();
        assert_eq!(wrong.message, "this is not the private key of a GitHub App", "{what}");
        let hint = wrong.hint.clone().unwrap();
        assert!(hint.contains("the whole .pem file"), "{what}: {hint}");
        for line in pieces(&text).filter(|line| line.len() >= SHORT && !is_marker(line)) {
            assert!(!format!("{wrong:?}").contains(line), "{what}");
        }
    }
}

#[test]
fn every_line_is_masked_in_the_spelling_given_and_as_pem_but_no_marker() {
    let pem: Vec<&str> = KEY.lines().filter(|line| !line.starts_with("-----")).collect();
    for (what, text) in spellings() {
        let masked: Vec<String> = lines(&text).map(|line| line.expose().to_owned()).collect();
        let expected: Vec<&str> = if what.starts_with("PKCS#8") {
            PKCS8.lines().filter(|line| !line.starts_with("-----")).collect()
        } else {
            pem.clone()
        };
        for line in pieces(&text).filter(|line| !is_marker(line)).chain(expected) {
            assert!(masked.iter().any(|masked| masked == line), "{what}: {line}");
        }
        assert!(masked.iter().all(|line| line.len() >= SHORT && !is_marker(line)), "{what}: {masked:?}");
        assert!(masked.iter().all(|line| !line.contains(LINE_ENDS)), "{what}");
    }
}

#[test]
fn what_is_no_key_is_masked_all_the_same_but_for_short_lines() {
    let masked = |text: &str| lines(text).map(|line| line.expose().to_owned()).collect::<Vec<_>>();
    assert_eq!(masked("hunter2"), ["hunter2"]);
    assert_eq!(masked("long enough\nYw==\n"), ["long enough"]);
    assert_eq!(masked("-----BEGIN RSA PRIVATE KEY-----"), [""; 0]);
    assert_eq!(masked(" \n"), [""; 0]);
}
