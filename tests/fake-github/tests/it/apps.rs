//! Apps: whose signature is taken, what the token that it gets may do, and that it ends.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use fake_github::{App, Level, Token};
use jiff::{SignedDuration, Timestamp};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use crate::client::{Ground, NAME, ground};

const KEY: &str = include_str!("../../../fixtures/app/test-key.pem");
const ANOTHER: &str = include_str!("../../../fixtures/app/another-test-key.pem");
const PUBLIC: &str = include_str!("../../../fixtures/app/test-key.public.pem");
const CLIENT_ID: &str = "Iv23promoter";
const INSTALLATION: &str = "/installation";

fn app() -> App {
    App::new("promoter", CLIENT_ID, PUBLIC)
        .allow("contents", Level::Write)
        .allow("pull_requests", Level::Read)
}

fn signed_with(key: &str, header: &Value, claims: &Value) -> String {
    let base64: String = key.lines().filter(|line| !line.starts_with("-----")).collect();
    let pair = RsaKeyPair::from_der(&STANDARD.decode(base64).unwrap()).unwrap();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// What an App signs: issued so many seconds ago, and good for so many from now.
fn jwt(issuer: &Value, ago: i64, ahead: i64) -> String {
    let now = Timestamp::now().as_second();
    let claims = json!({"iat": now - ago, "exp": now + ahead, "iss": issuer});
    signed_with(KEY, &json!({"alg": "RS256", "typ": "JWT"}), &claims)
}

fn good() -> String {
    jwt(&json!(CLIENT_ID), 60, 540)
}

fn installed() -> (Ground, u64) {
    let ground = ground();
    let id = ground.github.add_app(app().on(&[NAME])).unwrap();
    (ground, id)
}

#[test]
fn a_signature_must_be_the_apps_and_of_this_moment() {
    let (ground, id) = installed();
    let iss = json!(CLIENT_ID);
    let (soon, late) = ("must be a numeric value representing the future time", "is too far in the future");
    let undecodable = "A JSON web token could not be decoded";
    let claims = json!({"iat": 1, "exp": 2, "iss": CLIENT_ID});
    let cases = [
        (good(), 200, ""),
        (jwt(&json!(id), 60, 540), 200, ""),
        (jwt(&json!(id.to_string()), 0, 590), 200, ""),
        (jwt(&iss, 60, 660), 401, late),
        (jwt(&iss, 660, -60), 401, soon),
        (jwt(&iss, -60, 540), 401, "'Issued at' claim ('iat')"),
        (jwt(&json!("Iv23nobody"), 60, 540), 404, "Integration not found"),
        (jwt(&json!(null), 60, 540), 401, "'Issuer' claim ('iss')"),
        (signed_with(ANOTHER, &json!({"alg": "RS256"}), &claims), 401, undecodable),
        (signed_with(KEY, &json!({"alg": "none"}), &claims), 401, undecodable),
        (signed_with(KEY, &json!({"alg": "RS256"}), &claims), 401, soon),
        (good() + "A", 401, undecodable),
        ("x.y.z".to_owned(), 401, undecodable),
        // A token is no signature.
        ("t".to_owned(), 401, undecodable),
    ];
    for (jwt, status, message) in cases {
        let reply = ground.rest_as(&jwt, "GET", INSTALLATION, Value::Null);
        assert_eq!(reply.status, status, "{message}: {}", reply.text);
        assert!(reply.message().contains(message), "{message}: {}", reply.text);
    }
    ground.github.advance(SignedDuration::from_hours(1));
    assert!(ground.rest_as(&good(), "GET", INSTALLATION, Value::Null).message().contains(soon));
}

#[test]
fn a_signature_is_no_token() {
    let (ground, _) = installed();
    for (method, path) in [("GET", ""), ("GET", "/pulls"), ("DELETE", "//installation/token")] {
        let reply = ground.rest_as(&good(), method, path, Value::Null);
        assert_eq!((reply.status, reply.message()), (401, "Bad credentials"), "{method} {path}");
    }
}

#[test]
fn a_token_opens_what_was_asked_for_until_it_is_revoked() {
    let (ground, _) = installed();
    let other = ground.github.create_repo("acme/other").unwrap();
    for name in [NAME, "acme/other"] {
        ground.github.repo(name).unwrap().set(|settings| settings.private = true).unwrap();
    }
    ground.github.add_app(app().on(&[NAME, other.full_name()])).unwrap();
    let installation = ground.rest_as(&good(), "GET", INSTALLATION, Value::Null).body;
    assert_eq!(
        (&installation["app_slug"], &installation["suspended_at"]),
        (&json!("promoter"), &Value::Null)
    );
    let path = format!("//app/installations/{}/access_tokens", installation["id"]);
    let mint = |body: Value| ground.rest_as(&good(), "POST", &path, body);
    let minted = mint(json!({"repositories": ["gitops"]}));
    assert_eq!(minted.status, 201, "{}", minted.text);
    assert_eq!(
        minted.body["permissions"],
        json!({"contents": "write", "metadata": "read", "pull_requests": "read"})
    );
    let token = minted.body["token"].as_str().unwrap();
    let asked = |method: &str, path: &str, body: Value| ground.rest_as(token, method, path, body).status;
    assert_eq!(asked("GET", "/pulls", Value::Null), 200);
    assert_eq!(asked("GET", "//repos/acme/other", Value::Null), 404);
    assert_eq!(asked("POST", "/git/blobs", json!({"content": "x"})), 201);
    assert_eq!(asked("POST", "/pulls", json!({"title": "t", "head": "a", "base": "main"})), 403);
    // No token is in the record.
    assert!(!format!("{:?}", ground.github.traffic()).contains(token));
    assert_eq!(asked("DELETE", "//installation/token", Value::Null), 204);
    for path in ["/pulls", "//installation/token"] {
        let method = if path == "/pulls" { "GET" } else { "DELETE" };
        assert_eq!(asked(method, path, Value::Null), 401, "{path}");
    }
    let all = mint(Value::Null);
    assert_eq!(all.body["repositories"].as_array().unwrap().len(), 2, "{}", all.text);
    let less = mint(json!({"permissions": {"contents": "read"}}));
    assert_eq!(less.body["permissions"], json!({"contents": "read", "metadata": "read"}));
}

#[test]
fn an_installation_gives_no_more_than_it_has() {
    let (ground, _) = installed();
    ground.github.create_repo("acme/other").unwrap();
    let installation = ground.rest_as(&good(), "GET", INSTALLATION, Value::Null).body;
    let path = format!("//app/installations/{}/access_tokens", installation["id"]);
    let mint = |path: &str, body: Value| {
        let reply = ground.rest_as(&good(), "POST", path, body);
        (reply.status, reply.message().to_owned())
    };
    for (body, message) in [
        (json!({"repositories": ["other"]}), "not accessible to the parent installation"),
        (json!({"permissions": {"issues": "read"}}), "not granted to this installation"),
        (json!({"permissions": {"pull_requests": "write"}}), "not granted to this installation"),
    ] {
        let (status, told) = mint(&path, body);
        assert!(status == 422 && told.contains(message), "{status} {told}");
    }
    assert_eq!(mint("//app/installations/1/access_tokens", Value::Null).0, 404);
    assert_eq!(ground.rest_as(&good(), "GET", "//repos/acme/other/installation", Value::Null).status, 404);
    ground.github.add_app(app().on(&[NAME]).suspended()).unwrap();
    let suspended = ground.rest_as(&good(), "GET", INSTALLATION, Value::Null).body;
    assert!(suspended["suspended_at"].is_string(), "{suspended}");
    assert_eq!(mint(&path, Value::Null), (403, "This installation has been suspended".to_owned()));
    // A person has no installation to end.
    ground.github.add_token(Token::user("u", "alice"));
    assert_eq!(ground.rest_as("u", "DELETE", "//installation/token", Value::Null).status, 403);
}

#[test]
fn an_app_is_registered_with_the_public_half_of_its_key_alone() {
    let (ground, id) = installed();
    for wrong in [KEY, "", "-----BEGIN RSA PUBLIC KEY-----\n%\n-----END RSA PUBLIC KEY-----"] {
        assert!(ground.github.add_app(App::new("other", "Iv23other", wrong)).is_err());
    }
    // By its slug it is the one that was there.
    assert_eq!(ground.github.add_app(app()).unwrap(), id);
    assert_eq!(ground.rest_as(&good(), "GET", INSTALLATION, Value::Null).status, 404);
}
