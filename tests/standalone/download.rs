//! What is run, and what is not.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::mirror::{Answer, Mirror};
use crate::step::{Runner, sha256};

/// A program small enough to read.
const PROGRAM: &[u8] = b"#!/usr/bin/env bash\nprintf 'it ran: %s\\n' \"$(printenv INPUT_DRY-RUN)\"; env | grep PROMOTE_ || true\n";

fn runner(mirror: &Mirror) -> Runner {
    Runner::new(&[("dry-run", "true")]).of_release(&mirror.address, &sha256(PROGRAM))
}

#[test]
fn the_binary_is_downloaded_once_and_kept() {
    let mirror = Mirror::of(PROGRAM, &[Answer::Whole]);
    let runner = runner(&mirror);
    for _ in 0..2 {
        let ended = runner.runs();
        ended.well();
        assert!(ended.said.contains("it ran: true"), "an input with a dash arrives: {}", ended.said);
        assert!(
            !ended.said.contains("PROMOTE_"),
            "the program gets no variable of the script: {}",
            ended.said
        );
    }
    assert_eq!(mirror.asked(), ["/acme/promote/releases/download/v1.0.0/promote-linux-amd64"]);
    assert_eq!(runner.kept().len(), 1);
}

#[test]
fn a_binary_with_another_checksum_never_runs_and_is_not_kept() {
    let mirror = Mirror::of(PROGRAM, &[Answer::Whole]);
    let mut runner = runner(&mirror);
    let expected = sha256(b"what was released");
    runner.set("PROMOTE_SHA256_X64", &expected);
    let ended = runner.runs();
    ended.refused(&format!("has SHA-256 {}, and this release's is {expected}", sha256(PROGRAM)));
    ended.refused(&mirror.address);
    assert!(runner.kept().is_empty());
}

#[test]
fn what_an_earlier_job_left_in_the_cache_is_not_trusted() {
    let mirror = Mirror::of(PROGRAM, &[Answer::Whole]);
    let runner = runner(&mirror);
    runner.runs().well();
    let [kept] = <[_; 1]>::try_from(runner.kept()).unwrap();
    std::fs::write(&kept, "#!/bin/sh\necho something else\n").unwrap();
    let ended = runner.runs();
    ended.well();
    assert!(ended.said.contains("it ran") && !ended.said.contains("something else"), "{}", ended.said);
    assert_eq!(mirror.asked().len(), 2);
}

#[test]
fn a_download_that_fails_for_a_moment_is_tried_again() {
    for trouble in [Answer::Status(503), Answer::Status(429), Answer::Cut] {
        let mirror = Mirror::of(PROGRAM, &[trouble, trouble, trouble, Answer::Whole]);
        runner(&mirror).runs().well();
        assert_eq!(mirror.asked().len(), 4);
    }
}

#[test]
fn a_download_that_keeps_failing_says_what_and_where() {
    for (trouble, tries, words) in [
        (Answer::Status(502), 4, "502"),
        (Answer::Status(404), 1, "404"),
        (Answer::Cut, 4, "no whole answer"),
    ] {
        let mirror = Mirror::of(PROGRAM, &[trouble]);
        let runner = runner(&mirror);
        let ended = runner.runs();
        ended.refused(&format!("{}/promote-linux-amd64 could not be downloaded: {words}", mirror.address));
        ended.refused("PROMOTE_DOWNLOAD");
        assert_eq!(mirror.asked().len(), tries, "{words}");
        assert!(runner.kept().is_empty());
    }
}

#[test]
fn a_mirror_is_asked_instead_and_trusted_no_more() {
    let (release, mirror) = (Mirror::of(PROGRAM, &[Answer::Whole]), Mirror::of(PROGRAM, &[Answer::Whole]));
    let mut runner = runner(&release);
    runner.set("PROMOTE_DOWNLOAD", &mirror.address);
    runner.runs().well();
    assert_eq!((release.asked().len(), mirror.asked().len()), (0, 1));
    let forged = Mirror::of(b"#!/bin/sh\necho it ran\n", &[Answer::Whole]);
    let mut runner = self::runner(&release);
    runner.set("PROMOTE_DOWNLOAD", &forged.address);
    runner.runs().refused("has SHA-256");
}

#[test]
fn a_tool_cache_that_cannot_be_written_is_done_without() {
    let mirror = Mirror::of(PROGRAM, &[Answer::Whole]);
    let mut runner = runner(&mirror);
    let file = runner.folder().join("file");
    std::fs::write(&file, "").unwrap();
    let outside = || ["/promote", "/nonexistent"].map(|path| Path::new(path).exists());
    let before = outside();
    for cache in [file.to_str().unwrap(), ""] {
        runner.set("RUNNER_TOOL_CACHE", cache);
        runner.runs().well();
    }
    assert_eq!(outside(), before, "it wrote outside of the runner's folders");
    assert!(runner.folder().join("temp/promote").join(sha256(PROGRAM)).join("promote").exists());
}

#[test]
fn a_file_that_the_runner_has_is_taken_if_it_is_the_release_s() {
    let mirror = Mirror::of(PROGRAM, &[Answer::Whole]);
    let mut runner = runner(&mirror);
    let file = runner.folder().join("promote");
    runner.set("PROMOTE_BINARY", file.to_str().unwrap());
    runner.runs().refused("is no program on this runner");
    std::fs::write(&file, PROGRAM).unwrap();
    runner.runs().refused("is no program on this runner");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
    runner.runs().well();
    std::fs::write(&file, "#!/bin/sh\necho it ran\n").unwrap();
    runner.runs().refused("and this release's is");
    // What was proven in the workspace would be looked for on the PATH.
    runner.set("PROMOTE_BINARY", "promote");
    runner.runs().refused("is no whole path");
    assert!(mirror.asked().is_empty());
}

#[test]
fn a_password_of_the_mirror_is_masked_and_not_shown() {
    let mirror = Mirror::of(PROGRAM, &[Answer::Whole]);
    let mut runner = runner(&mirror);
    let address = mirror.address.replacen("://", "://joe:s3cret@", 1);
    runner.set("PROMOTE_DOWNLOAD", &format!("{address}/elsewhere/"));
    let ended = runner.runs();
    let (masked, rest): (Vec<_>, Vec<_>) =
        ended.said.lines().partition(|line| line.starts_with("::add-mask::"));
    assert_eq!(masked, ["::add-mask::s3cret"], "{}", ended.said);
    assert!(!rest.iter().any(|line| line.contains("s3cret")), "{}", ended.said);
}

#[test]
fn the_source_tree_says_what_to_do() {
    let mut runner = Runner::new(&[]);
    runner.runs().refused("this commit is no release");
    runner.runs().refused("set `PROMOTE_BINARY`");
    let file = runner.folder().join("promote");
    std::fs::write(&file, PROGRAM).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
    runner.set("PROMOTE_BINARY", file.to_str().unwrap());
    runner.runs().well();
}

#[test]
fn other_systems_and_processors_are_refused_by_name() {
    let mirror = Mirror::of(PROGRAM, &[Answer::Whole]);
    for (name, value) in [("RUNNER_OS", "macOS"), ("RUNNER_OS", "Windows"), ("RUNNER_ARCH", "ARM")] {
        let mut runner = runner(&mirror);
        runner.set(name, value);
        runner.runs().refused(&format!("is `{value}`"));
    }
    assert!(mirror.asked().is_empty());
}

#[test]
fn an_arm_runner_gets_its_own_binary() {
    let mirror = Mirror::of(PROGRAM, &[Answer::Whole]);
    let mut runner = runner(&mirror);
    runner.set("RUNNER_ARCH", "ARM64");
    runner.set("PROMOTE_SHA256_X64", &sha256(b"another"));
    runner.set("PROMOTE_SHA256_ARM64", &sha256(PROGRAM));
    runner.runs().well();
    assert!(mirror.asked()[0].ends_with("/promote-linux-arm64"));
}

#[test]
fn a_shell_that_loses_inputs_stops_the_run() {
    let mirror = Mirror::of(PROGRAM, &[Answer::Whole]);
    let mut runner = runner(&mirror);
    runner.unset("INPUT_DRY-RUN");
    runner.runs().refused("inputs with a dash");
    assert!(mirror.asked().is_empty());
}
