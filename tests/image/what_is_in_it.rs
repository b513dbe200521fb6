//! What the image holds, and what it does not.

use std::process::Command;

use crate::scene::{engine, image};

fn run(options: &[&str], arguments: &[&str]) -> std::process::Output {
    let all = [&["run", "--rm", "--network", "host"], options, &[image()], arguments].concat();
    let mut command: Command = engine().command(&all);
    command.output().unwrap()
}

#[test]
#[ignore = "needs an image: .ci/image, then PROMOTE_IMAGE=… cargo test --test image -- --ignored"]
fn there_is_no_shell() {
    for shell in ["/bin/sh", "/bin/bash", "/bin/busybox", "sh"] {
        let output = run(&["--entrypoint", shell], &["-c", "exit 0"]);
        // 127, and 126 from some engines: the program is not there.
        assert!(matches!(output.status.code(), Some(126 | 127)), "{shell}: {output:?}");
    }
}

#[test]
#[ignore = "needs an image: .ci/image, then PROMOTE_IMAGE=… cargo test --test image -- --ignored"]
fn it_says_what_it_is() {
    for (argument, said) in
        [("--version", concat!("promote ", env!("CARGO_PKG_VERSION"))), ("--help", "Usage: promote")]
    {
        let output = run(&["--read-only"], &[argument]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.contains(said), "{text}");
    }
}

#[test]
#[ignore = "needs an image: .ci/image, then PROMOTE_IMAGE=… cargo test --test image -- --ignored"]
fn it_is_what_a_container_action_must_be() {
    let about = engine().ask(&["image", "inspect", "--format", "{{json .Config}}", image()]).unwrap();
    let about: serde_json::Value = serde_json::from_str(&about).unwrap();
    let empty = |name: &str| about[name].is_null() || about[name] == "";
    // The runner mounts root's folders and says where to work.
    assert!(empty("User") && (empty("WorkingDir") || about["WorkingDir"] == "/"), "{about}");
    assert_eq!(about["Entrypoint"], serde_json::json!(["/promote"]), "{about}");
    assert!(about["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0", "{about}");
}
