//! `cleanup --archive` and `restore` in each database.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use beakerhelpers_core::command::exit;
use beakerhelpers_testkit::servers::User;
use beakerhelpers_testkit::skip;
use rustix::process::Signal;

use crate::run::finish;
use crate::servers::child::Running;
use crate::servers::place::{KEPT, OLD, Place, ROWS, SLOWLY, on_all, on_each, on_each_own, without_passwords};

/// Where the archive is to be.
fn file(place: &Place<'_>) -> String {
    place.path().join("old.jsonl.gz").to_str().expect("a plain path").to_owned()
}

#[test]
fn every_byte_comes_back() {
    on_all(|place| {
        // An id in other letters is another one's; contents that are no session are contents.
        let (old, data) =
            (place.ago(90 * crate::shop::DAY), "(SELECT data FROM (SELECT data FROM beaker_cache LIMIT 1) d)");
        for id in ["Ąžuolas 👩", "ABC", "{\"a\": ''b''}"] {
            place.sql(&format!(
                "INSERT INTO beaker_cache (namespace, accessed, created, data) VALUES ('{id}', {old}, {old}, {data});"
            ));
        }
        let before = place.rows();
        let file = file(place);
        let summary = place.clean(&["--archive", &file]);
        assert_eq!((&summary["deleted"], &summary["archive"]), (&(ROWS - KEPT + 3).into(), &file.as_str().into()));
        assert_eq!(std::fs::metadata(&file).expect("it is there").permissions().mode() & 0o7777, 0o600);
        assert_eq!(place.count(), KEPT);
        let restored = format!("{} sessions\n", ROWS - KEPT + 3);
        assert_eq!(place.run("restore", &[&file, "--dry-run"]).done(), format!("would restore {restored}"));
        assert_eq!(place.count(), KEPT);
        assert_eq!(place.run("restore", &[&file]).done(), format!("restored {restored}"));
        assert_eq!(place.rows(), before);
        // An archive is written over by nobody.
        let refused = place.run("cleanup", &[OLD, &["--archive", &file]].concat()).failed(exit::USAGE);
        assert!(refused.contains("old.jsonl.gz"), "{refused}");
        assert_eq!(place.rows(), before);
    });
}

/// Whatever is not in the table is in the archive. A restore of it ends with one of these codes: where the end of the archive
/// could not be written, it warns.
fn assert_nothing_is_lost(place: &Place<'_>, before: &[String], codes: &[u8]) {
    let (left, file) = (place.count(), file(place));
    assert!(left < ROWS, "something was deleted");
    let run = place.run("restore", &[&file]);
    assert!(codes.contains(&run.code), "{run:?}");
    assert_eq!(place.rows(), before);
}

#[test]
fn a_killed_cleanup_loses_nothing() {
    on_all(|place| {
        let before = place.rows();
        let file = file(place);
        let args = [OLD, SLOWLY, &["--archive", &file]].concat();
        let mut cleanup = Running::start(place.command("cleanup", &args));
        cleanup.freeze_in_mid_run(place);
        cleanup.send(Signal::KILL);
        assert_eq!(cleanup.end().code, 137);
        assert_nothing_is_lost(place, &before, &[exit::SOME_UNREADABLE]);
    });
}

#[test]
fn a_crash_of_the_server_loses_nothing() {
    on_each_own(|place, server| {
        let before = place.rows();
        let file = file(place);
        let args = [OLD, SLOWLY, &["--archive", &file]].concat();
        let mut cleanup = Running::start(place.command("cleanup", &args));
        cleanup.freeze_in_mid_run(place);
        server.kill();
        cleanup.send(Signal::CONT);
        server.start();
        let run = cleanup.end();
        assert_eq!((run.code, run.stderr.as_str()), (exit::DONE, ""), "{}", run.stdout);
        assert_eq!((place.count(), place.old()), (KEPT, 0));
        // A batch that was undone with the server is in it twice, and comes back once.
        assert_nothing_is_lost(place, &before, &[exit::DONE]);
    });
}

/// Runs a command where there is room for 32 KiB: on a disk of this size, which nobody else sees.
const SMALL_DISK: &str = "mount -t tmpfs -o size=32k none \"$HOME/disk\" || exit 99; \"$0\" \"$@\"; code=$?; \
                          cp \"$HOME/disk/old.jsonl.gz\" \"$HOME/\"; exit $code";
/// The same where nobody may mount disks: no file can get larger. Without the trap the system would end the program.
const SMALL_FILES: &str = "trap '' XFSZ; ulimit -f 64; \"$0\" \"$@\"; code=$?; cp \"$HOME/disk/old.jsonl.gz\" \"$HOME/\"; \
                           exit $code";

/// Makes sure that a cleanup whose archive gets no more room ends with this, and deletes what it has written.
fn assert_no_room(place: &Place<'_>, shell: &[&str], reason: &str) {
    let before = place.rows();
    std::fs::create_dir(place.path().join("disk")).expect("it is ours");
    let archive = place.path().join("disk/old.jsonl.gz");
    let archive = archive.to_str().expect("a plain path");
    let command = place.command("cleanup", &[OLD, &["--batch-size", "150", "--archive", archive]].concat());
    let mut limited = Command::new(shell[0]);
    limited.args(&shell[1..]).arg(command.get_program()).args(command.get_args());
    limited.env("TZ", "UTC").env("HOME", place.path());
    let run = without_passwords(finish(&mut limited));
    assert_eq!(run.code, exit::FAILED, "{run:?}");
    assert!(run.stderr.contains("old.jsonl.gz") && run.stderr.contains(reason), "{run:?}");
    assert!(run.stdout.ends_with("; ended by an error\n"), "{run:?}");
    let deleted = ROWS - place.count();
    assert!(run.stdout.starts_with(&format!("deleted {deleted} sessions ")), "{run:?}");
    assert_nothing_is_lost(place, &before, &[exit::DONE, exit::SOME_UNREADABLE]);
}

#[test]
fn what_there_is_no_room_for_is_not_deleted() {
    on_each(|place| assert_no_room(place, &["sh", "-c", SMALL_FILES], "File too large"));
}

#[test]
fn a_full_disk_ends_a_cleanup() {
    let mount = ["unshare", "--mount", "--map-root-user", "sh", "-c"];
    let tried = Command::new(mount[0]).args(&mount[1..]).arg("mount -t tmpfs none /tmp").output();
    if !tried.is_ok_and(|tried| tried.status.success()) {
        // Then the test above is all there is.
        skip("the system lets nobody but root have a disk of their own (`unshare --mount --map-root-user`)");
        return;
    }
    on_all(|place| assert_no_room(place, &[&mount[..], &[SMALL_DISK]].concat(), "No space left on device"));
}

#[test]
fn a_user_who_may_only_read_archives_nothing() {
    on_each(|place| {
        place.configure(&place.url_for(User::READER, beakerhelpers_testkit::servers::Via::Tcp), "");
        let run = place.run("cleanup", &[OLD, &["--archive", &file(place)]].concat());
        assert_eq!((run.code, run.stdout.as_str()), (exit::FAILED, ""), "{run:?}");
        assert!(!std::path::Path::new(&file(place)).exists(), "where nothing is deleted no archive is left");
        assert_eq!(place.count(), ROWS);
    });
}
