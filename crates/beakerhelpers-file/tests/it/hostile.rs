//! What may be in a tree that others write to.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;
use std::time::{Duration, SystemTime};

use beakerhelpers_core::{
    DeletePlan, ErrorKind, SaveMode, SessionId, SessionStore, SetupMode, SetupOutcome, Severity, Silent,
};

use crate::support::{EMPTY, HOUR, Notes, Place, counts, cutoff, record};

/// Things of every kind beside two sessions; none of them is one.
fn strange() -> Place {
    let place = Place::new();
    place.save("abc", Duration::ZERO);
    place.save("abd", 2 * HOUR);
    let old = SystemTime::now() - 2 * HOUR;
    let write = |path: &str| {
        let path = place.file(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("there is room");
        let file = File::create(path).expect("there is room");
        file.set_modified(old).expect("it is ours");
    };
    // Elsewhere than Beaker looks for them, of another form, or with another name.
    for path in ["abc.cache", "a/abc.cache", "b/ab/abc.cache", "a/ab/xyz.cache", "a/abc/abc.cache", "a/ab/c/abc.cache"]
    {
        write(path);
    }
    for path in ["a/ab/abc.cache.temp", "a/ab/abc", "a/ab/.cache", "a/ab/README", "./..x/..x.cache", ".a/.a.cache"] {
        write(path);
    }
    let folder = place.file("a/ab");
    fs::create_dir(folder.join("abfolder.cache")).expect("there is room");
    symlink(folder.join("abc.cache"), folder.join("ablink.cache")).expect("there is room");
    symlink("/dev/zero", folder.join("abzero.cache")).expect("there is room");
    symlink("nowhere", folder.join("abdangling.cache")).expect("there is room");
    symlink(&folder, place.file("a/al")).expect("there is room");
    symlink(place.file("a"), place.file("l")).expect("there is room");
    let pipe = Command::new("mkfifo").arg(folder.join("abpipe.cache")).status();
    assert!(pipe.expect("mkfifo starts").success());
    fs::write(folder.join(OsStr::from_bytes(b"ab\xff.cache")), EMPTY).expect("there is room");
    place
}

#[test]
fn what_is_no_session_is_passed_over() {
    let place = strange();
    let before = place.everything();
    let (ids, errors) = place.listed();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(ids, ["abc", "abd"]);
    for id in ["abfolder", "ablink", "abzero", "abdangling", "abpipe", "../..", "./x", ".a", "", "a/b", "a\0b"] {
        let id = SessionId::new(id);
        assert!(place.store().load(&id).expect("it answers").is_none(), "{id:?}");
        assert!(!place.has(id.as_str()) && !place.store().delete(&id).expect("it answers"), "{id:?}");
    }
    assert!(place.everything() == before);
    let done = place.store().delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect("it cleans");
    assert_eq!(counts(done), (1, 1));
    assert_eq!(place.everything().len(), before.len() - 1, "one session went, and nothing else");
    let findings = place.store().check().expect("it looks");
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].severity, Severity::Odd);
    assert_eq!(place.store().setup(SetupMode::Recreate).expect("it is emptied"), SetupOutcome::Recreated);
    assert_eq!(place.everything().len(), before.len() - 2);
}

#[test]
fn ids_that_no_file_can_have_are_refused() {
    let place = Place::new();
    let before = place.everything();
    let long = "x".repeat(245);
    for id in ["", ".", "..", "../../../etc/passwd", "/etc/passwd", "a/b", "a.b", "a\0b", &long] {
        let error = place.store().save(&record(id, HOUR), SaveMode::Upsert).expect_err("no such file");
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{id:?}");
    }
    assert!(place.everything() == before);
    for id in [&long[..244], "a\nb", "a\u{1b}[2J", "-rf", "~", "a b"] {
        place.save(id, HOUR);
        assert!(place.has(id), "{id:?}");
    }
    assert_eq!(place.listed().0.len(), 6);
}

/// Beaker up to 1.13 keeps dots.
#[test]
fn a_dot_in_a_name_is_part_of_the_id() {
    let place = Place::new();
    fs::create_dir_all(place.file("a/a.")).expect("there is room");
    fs::write(place.file("a/a./a.b.cache"), EMPTY).expect("there is room");
    assert_eq!(place.listed().0, ["a.b"]);
    assert!(place.has("a.b") && !place.has("ab"));
    assert!(place.store().delete(&SessionId::new("a.b")).expect("it deletes"));
    assert!(!place.has("a.b"));
}

#[test]
fn a_huge_file_is_named_and_the_rest_is_read() {
    let place = Place::new();
    place.save("abc", Duration::ZERO);
    place.save("abd", 2 * HOUR);
    // A hole: it takes no room.
    let file = File::options().write(true).open(place.file("a/ab/abd.cache")).expect("it is there");
    file.set_len(1 << 40).expect("a large file");
    file.set_modified(SystemTime::now() - 2 * HOUR).expect("it is ours");
    let (ids, errors) = place.listed();
    assert_eq!(ids, ["abc"]);
    assert_eq!(errors.iter().map(beakerhelpers_core::Error::kind).collect::<Vec<_>>(), [ErrorKind::Corrupt]);
    let error = place.store().load(&SessionId::new("abd")).expect_err("it is too large");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let mut notes = Notes::default();
    let plan = DeletePlan::default().with_archive();
    assert_eq!(counts(place.store().delete_old(cutoff(), &plan, &mut notes).expect("it cleans")), (0, 2));
    assert_eq!((notes.unreadable.len(), notes.archived.len()), (1, 0), "what cannot be kept elsewhere stays");
    // By its age alone it can go.
    assert_eq!(
        counts(place.store().delete_old(cutoff(), &DeletePlan::default(), &mut notes).expect("it cleans")),
        (1, 1)
    );
}

#[test]
fn what_a_crash_left_is_replaced() {
    let place = Place::new();
    place.save("abc", HOUR);
    let leftover = place.file("a/ab/abc.cache.temp");
    symlink(place.path().join("victim"), &leftover).expect("there is room");
    place.save("abc", Duration::ZERO);
    assert!(!leftover.exists() && leftover.symlink_metadata().is_err());
    assert!(!place.path().join("victim").exists(), "nobody writes through a link");
    assert!(place.has("abc"));
}

#[test]
fn a_save_keeps_the_permissions() {
    let place = Place::new();
    place.save("abc", HOUR);
    let file = place.file("a/ab/abc.cache");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("it is ours");
    place.save("abc", Duration::ZERO);
    assert_eq!(file.metadata().expect("it is there").permissions().mode() & 0o7777, 0o640);
}

#[test]
fn a_place_that_is_only_read_is_not_written_to() {
    let place = Place::new();
    place.save("abc", 2 * HOUR);
    let before = place.everything();
    let store = place.read_only();
    let id = SessionId::new("abc");
    let errors = [
        store.save(&record("new", HOUR), SaveMode::Upsert),
        store.delete(&id).map(drop),
        store.setup(SetupMode::IfMissing).map(drop),
        store.delete_old(cutoff(), &DeletePlan::default(), &mut Silent).map(drop),
        store.tidy_offline(beakerhelpers_core::CleanupMode::Delete).map(drop),
    ];
    for error in errors {
        assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::Unsupported));
    }
    assert_eq!(counts(store.delete_old(cutoff(), &DeletePlan::dry_run(), &mut Silent).expect("it counts")), (1, 0));
    assert!(store.load(&id).expect("it answers").is_some());
    assert!(place.everything() == before);
}
