//! The file itself: replaced at once or not touched, whatever it is, and nothing is left beside it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::process::Command;

use crate::place::{Place, Said, names};

const BEFORE: &str = "tag: v1 # ours\n";
const AFTER: &str = "tag: v2 # ours\n";
/// A user who is nobody in particular.
const OTHER: u32 = 1001;

fn am_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0)
}

/// `promote set values.yaml tag=v2`, by a shell that prepares something, and by a user who owns nothing here.
fn by_another_user(place: &Place, prepare: &str) -> Said {
    let line = format!("{prepare} exec \"$0\" set values.yaml tag=v2");
    // The binary may be where only its builder looks.
    let binary = place.path("promote");
    fs::copy(env!("CARGO_BIN_EXE_promote"), &binary).unwrap();
    let mut command = Command::new("sh");
    if am_root() {
        command = Command::new("setpriv");
        let id = OTHER.to_string();
        command.args(["--reuid", &id, "--regid", &id, "--clear-groups", "sh"]);
    }
    let said = place.said(command.args(["-c", &line]).arg(&binary));
    fs::remove_file(binary).unwrap();
    said
}

#[track_caller]
fn is_as_it_was(place: &Place) {
    assert_eq!(place.bytes(), BEFORE.as_bytes());
    assert_eq!(place.names(), [Place::FILE], "something is left");
}

#[test]
fn mode_and_owner_are_kept() {
    for mode in [0o640, 0o600, 0o755, 0o444, 0o2664] {
        let place = Place::with(BEFORE);
        if am_root() {
            chown(place.path(Place::FILE), Some(OTHER), Some(OTHER + 1)).unwrap();
        }
        fs::set_permissions(place.path(Place::FILE), Permissions::from_mode(mode)).unwrap();
        let (_, mode, owner, _) = place.stamp();
        place.set(&["tag=v2"]).succeeded();
        let (_, mode_now, owner_now, _) = place.stamp();
        assert_eq!((mode_now, owner_now), (mode, owner));
        assert_eq!(place.bytes(), AFTER.as_bytes());
        assert_eq!(place.names(), [Place::FILE]);
    }
}

#[test]
fn what_a_link_leads_to_is_replaced_and_the_link_stays() {
    let place = Place::with(BEFORE);
    fs::create_dir(place.path("elsewhere")).unwrap();
    fs::rename(place.path(Place::FILE), place.path("elsewhere/real")).unwrap();
    symlink("elsewhere/real", place.path(Place::FILE)).unwrap();
    place.set(&["tag=v2"]).succeeded();
    assert_eq!(fs::read_link(place.path(Place::FILE)).unwrap().to_str(), Some("elsewhere/real"));
    assert_eq!(fs::read_to_string(place.path("elsewhere/real")).unwrap(), AFTER);
    assert_eq!(names(&place.path("elsewhere")), ["real"]);
}

/// A second name is a second file from then on, as with `git checkout` and `sed -i`: a file that is replaced
/// at once cannot keep both, and what the other name is for is not ours to change.
#[test]
fn the_other_name_of_a_hard_link_keeps_the_old_bytes() {
    let place = Place::with(BEFORE);
    fs::hard_link(place.path(Place::FILE), place.path("other")).unwrap();
    place.set(&["tag=v2"]).succeeded();
    assert_eq!(place.bytes(), AFTER.as_bytes());
    assert_eq!(fs::read_to_string(place.path("other")).unwrap(), BEFORE);
}

#[test]
fn what_is_no_file_is_refused_and_never_waited_for() {
    let place = Place::with(BEFORE);
    fs::create_dir(place.path("folder")).unwrap();
    assert!(Command::new("mkfifo").arg(place.path("pipe")).status().unwrap().success());
    symlink("nowhere", place.path("dangling")).unwrap();
    symlink("loop", place.path("loop")).unwrap();
    for (file, reason) in [
        ("folder", "`folder`: it is not a plain file"),
        ("pipe", "`pipe`: it is not a plain file"),
        ("/dev/zero", "`/dev/zero`: it is not a plain file"),
        ("missing.yaml", "`missing.yaml`: cannot read it: No such file or directory"),
        ("missing/values.yaml", "`missing/values.yaml`: cannot read it: No such file or directory"),
        ("values.yaml/x", "`values.yaml/x`: cannot read it: Not a directory"),
        ("dangling", "`dangling`: cannot read it: No such file or directory"),
        ("loop", "`loop`: cannot read it: "),
    ] {
        place.set_in(file, &["tag=v2"]).refused_as_a_whole(reason);
    }
    assert_eq!(place.bytes(), BEFORE.as_bytes());
    assert_eq!(place.names(), ["dangling", "folder", "loop", "pipe", Place::FILE]);
}

#[test]
fn a_folder_that_takes_no_file_is_named_and_the_file_stays() {
    let place = Place::with(BEFORE);
    let folder = place.path(".");
    if !am_root() {
        fs::set_permissions(&folder, Permissions::from_mode(0o555)).unwrap();
    }
    // Root owns the folder and may write anywhere; another user may not.
    fs::set_permissions(place.path(Place::FILE), Permissions::from_mode(0o666)).unwrap();
    if am_root() {
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        by_another_user(&place, "").refused_as_a_whole("`values.yaml`: cannot write it: Permission denied");
    } else {
        place.set(&["tag=v2"]).refused_as_a_whole("`values.yaml`: cannot write it: Permission denied");
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    }
    is_as_it_was(&place);
}

#[test]
fn a_file_whose_owner_cannot_be_kept_stays_with_its_owner() {
    if !am_root() {
        // Nobody else can make a file of another's.
        return;
    }
    let place = Place::with(BEFORE);
    fs::set_permissions(place.path("."), Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(place.path(Place::FILE), Permissions::from_mode(0o666)).unwrap();
    by_another_user(&place, "").refused_as_a_whole("`values.yaml`: cannot write it: Operation not permitted");
    is_as_it_was(&place);
}

#[test]
fn a_disk_that_is_full_leaves_the_old_file_and_no_half_of_a_new_one() {
    let padding = "# as long as it takes\n".repeat(1000);
    let place = Place::with(format!("{BEFORE}{padding}"));
    // A limit that the shell sets ends a write halfway, as a full disk does.
    let line = "trap '' XFSZ; ulimit -f 8; exec \"$0\" set values.yaml tag=v2";
    let said = place.said(Command::new("sh").args(["-c", line, env!("CARGO_BIN_EXE_promote")]));
    said.refused_as_a_whole("`values.yaml`: cannot write it: File too large");
    assert!(said.stderr.contains("hint: make room"), "{said:?}");
    assert_eq!(place.bytes(), format!("{BEFORE}{padding}").into_bytes());
    assert_eq!(place.names(), [Place::FILE], "something is left");
}

/// Each step reads, edits and replaces; one of two that meet is told, and neither's value is lost unsaid.
#[test]
fn of_two_that_edit_at_once_none_loses_its_edit_unsaid() {
    let keys: Vec<_> = (0..400).map(|number| format!("k{number}: x\n")).collect();
    let keys = keys.concat();
    let place = Place::with(&keys);
    let edits: Vec<_> = (0..8).map(|number| format!("k{number}=v{number}")).collect();
    let said: Vec<Said> = std::thread::scope(|scope| {
        let runs: Vec<_> = edits.iter().map(|edit| scope.spawn(|| place.set(&[edit.as_str()]))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let text = String::from_utf8(place.bytes()).unwrap();
    assert_eq!(text.lines().count(), 400, "every state of the file was a whole one");
    for said in &said {
        match said.code {
            Some(0) => {}
            _ => drop(said.refused_as_a_whole("it was changed by another meanwhile")),
        }
    }
    // Whoever was told of success has its value in the file.
    for (edit, said) in edits.iter().zip(&said).filter(|(_, said)| said.code == Some(0)) {
        let line = edit.replace('=', ": ");
        assert!(text.lines().any(|there| there == line), "{edit}: {said:?}");
    }
    assert!(said.iter().all(|said| said.code == Some(0)), "each waits for the others");
    assert_eq!(place.names(), [Place::FILE]);
}
