//! Answers that get lost after GitHub acted: a connection that says nothing, a gateway that says something else.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use fake_github::{Effect, Fault, On};
use serde_json::{Value, json};

use crate::client::{Ground, NAME, ground};

/// Sends a request that makes a branch and waits so long for an answer; `None` when there was none.
fn answer_within(ground: &Ground, branch: &str, patience: Duration) -> Option<String> {
    let host = ground.github.url().trim_start_matches("http://");
    let body = json!({ "ref": format!("refs/heads/{branch}"), "sha": ground.first }).to_string();
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "POST /api/v3/repos/{NAME}/git/refs HTTP/1.1\r\nhost: {host}\r\nuser-agent: test\r\n\
         authorization: Bearer t\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).unwrap();
    let start = Instant::now();
    while ground.github.traffic().is_empty() {
        assert!(start.elapsed().as_secs() < 10, "nothing came");
        std::thread::sleep(Duration::from_millis(2));
    }
    stream.set_read_timeout(Some(patience)).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).is_ok().then_some(text)
}

#[test]
fn a_request_that_hangs_is_acted_on_only_where_the_fault_says_so() {
    for (what, acted) in [(Effect::Hang, false), (Effect::HangAfter, true)] {
        let ground = ground();
        let name = serde_json::to_string(&what).unwrap();
        ground.github.inject(Fault::new(On::request("POST", "/git/refs$"), what)).unwrap();
        assert_eq!(answer_within(&ground, "one", Duration::from_millis(100)), None, "{name}");
        let traffic = ground.github.traffic();
        assert_eq!((traffic[0].status, traffic[0].fault.as_deref()), (None, Some(name.as_str())));
        assert_eq!(ground.repo.resolve("one").is_ok(), acted, "{name}");
        ground.github.clear_traffic();
        let next = answer_within(&ground, "two", Duration::from_secs(10)).unwrap();
        assert!(next.starts_with("HTTP/1.1 201"), "{next}");
    }
}

#[test]
fn a_gateway_answers_for_a_request_that_was_acted_on() {
    let ground = ground();
    let (body, headers) = (Value::Null, BTreeMap::from([("X-Test".to_owned(), "1".to_owned())]));
    let lost = Effect::StatusAfter { status: 502, body, headers };
    ground.github.inject(Fault::new(On::request("POST", "/git/refs$"), lost)).unwrap();
    let make = || ground.rest("POST", "/git/refs", json!({ "ref": "refs/heads/one", "sha": ground.first }));
    let answer = make();
    assert_eq!((answer.status, answer.header("x-test")), (502, Some("1")));
    assert!(answer.text.contains("Unicorn"), "{}", answer.text);
    assert!(ground.repo.resolve("one").is_ok());
    assert_eq!(make().status, 422);
}

#[test]
fn a_held_request_goes_on_once_the_faults_are_disarmed() {
    for (what, acted) in [(Effect::HoldBefore, false), (Effect::HoldAfter, true)] {
        let ground = ground();
        ground.github.inject(Fault::new(On::request("POST", "/git/refs$"), what)).unwrap();
        let body = json!({ "ref": "refs/heads/one", "sha": ground.first });
        let answer = std::thread::scope(|scope| {
            let asking = scope.spawn(|| ground.rest("POST", "/git/refs", body));
            let start = Instant::now();
            while ground.github.held() == 0 {
                assert!(start.elapsed().as_secs() < 10, "nothing is held");
                std::thread::sleep(Duration::from_millis(2));
            }
            assert_eq!(ground.get("/git/ref/heads/one").status, if acted { 200 } else { 404 });
            let told = ground.raw("GET", "/_fake/held", &[], "").unwrap();
            assert_eq!(told.body, json!({ "requests": 1 }));
            ground.github.clear_faults();
            asking.join().unwrap()
        });
        assert_eq!((answer.status, ground.github.held()), (201, 0));
        assert!(ground.repo.resolve("one").is_ok());
    }
}

#[test]
fn the_admin_api_arms_them_by_name() {
    let ground = ground();
    for what in [
        json!("hang-after"),
        json!("hold-before"),
        json!("hold-after"),
        json!({ "status-after": { "status": 502 } }),
    ] {
        let fault = json!({ "on": { "method": "POST" }, "what": what }).to_string();
        let armed = ground.raw("POST", "/_fake/faults", &[], &fault).unwrap();
        assert_eq!(armed.status, 200, "{}", armed.text);
    }
}
