//! What becomes of the files of a shelve.

use std::fs;
use std::path::Path;
use std::time::Duration;

use beakerhelpers_core::{
    Access, ErrorKind, Framing, Payload, Query, Record, SaveMode, SessionId, SessionStore, SetupMode, SetupOutcome,
};

use super::{config, open, opened};

const FORMATS: &[&str] =
    if cfg!(feature = "sqlite") { &["dumb", "gnu", "ndbm", "sqlite3"] } else { &["dumb", "gnu", "ndbm"] };

fn record(id: &str, value: &[u8]) -> Record {
    Record::new(SessionId::new(id), Payload::new(Framing::Object, value.to_vec()))
}

fn names(place: &Path) -> Vec<String> {
    let entries = fs::read_dir(place).expect("it is there");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("it is read").file_name().into_string();
    let mut names: Vec<_> = entries.map(|entry| name(entry).expect("UTF-8")).collect();
    names.sort();
    names
}

fn ids(store: &dyn SessionStore) -> Vec<String> {
    let mut ids: Vec<_> = store.iter(Query::ALL).map(|item| item.expect("it lists").id.as_str().to_owned()).collect();
    ids.sort();
    ids
}

#[test]
fn a_new_shelve_is_written_as_it_is_asked_for() {
    for (format, expected) in
        FORMATS.iter().zip([&["shop.dat", "shop.dir"] as &[_], &["shop"], &["shop.db"], &["shop"]])
    {
        let place = tempfile::tempdir().expect("a temporary directory");
        let name = place.path().join("shop");
        let store = opened(&name, format);
        assert_eq!(store.check().expect("it looks").len(), 1);
        assert_eq!(store.setup(SetupMode::IfMissing).expect("it is made"), SetupOutcome::Created);
        assert_eq!(names(place.path()), expected, "{format}");
        // What is there stays what it is.
        let other = opened(&name, "gnu");
        assert_eq!(other.setup(SetupMode::IfMissing).expect("it is there"), SetupOutcome::Existing);
        other.save(&record("one", b"value"), SaveMode::Create).expect("it saves");
        other.save(&record("two", b"value"), SaveMode::Create).expect("it saves");
        assert!(store.delete(&SessionId::new("one")).expect("it deletes"));
        assert_eq!(ids(&*store), ["two"]);
        assert_eq!(names(place.path()), expected, "{format}");
        assert!(store.check().expect("it looks").is_empty());
    }
}

#[cfg(unix)]
#[test]
fn rights_and_links_stay() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    for (format, file) in FORMATS.iter().zip([".dir", "", ".db", ""]) {
        let place = tempfile::tempdir().expect("a temporary directory");
        let name = place.path().join("shop");
        let store = opened(&name, format);
        store.setup(SetupMode::IfMissing).expect("it is made");
        let path = place.path().join(format!("shop{file}"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("it is ours");
        // Only root may give files away.
        let given = std::os::unix::fs::chown(&path, Some(12345), Some(12346)).is_ok();
        store.save(&record("one", b"value"), SaveMode::Create).expect("it saves");
        assert!(store.delete(&SessionId::new("one")).expect("it deletes"));
        let facts = fs::metadata(&path).expect("it is there");
        assert_eq!(facts.mode() & 0o777, 0o640, "{format}");
        assert!(!given || (facts.uid(), facts.gid()) == (12345, 12346), "{format}");
        if *format == "dumb" {
            continue;
        }
        let (elsewhere, link) = (place.path().join("elsewhere"), place.path().join(format!("link{file}")));
        fs::rename(&path, &elsewhere).expect("it is there");
        symlink(&elsewhere, &link).expect("there is room");
        let linked = opened(&place.path().join("link"), format);
        linked.save(&record("two", b"value"), SaveMode::Create).expect("it saves");
        assert!(fs::symlink_metadata(&link).expect("it is there").is_symlink());
        assert_eq!(ids(&*linked), ["two"]);
    }
}

#[test]
fn a_shelve_that_another_process_changes_is_waited_for() {
    for (format, file) in [("dumb", ".dat"), ("gnu", ""), ("ndbm", ".db")] {
        let place = tempfile::tempdir().expect("a temporary directory");
        let name = place.path().join("shop");
        opened(&name, format).setup(SetupMode::IfMissing).expect("it is made");
        let store = open(&config(&name).with_wait(Duration::from_millis(20)));
        let held = fs::File::open(place.path().join(format!("shop{file}"))).expect("it is there");
        held.lock().expect("nobody has it");
        let error = store.save(&record("one", b"value"), SaveMode::Create).expect_err("it is locked");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        drop(held);
        store.save(&record("one", b"value"), SaveMode::Create).expect("it is free");
        // What a killed process left is in nobody's way.
        fs::write(place.path().join(format!("shop{file}.new")), "half").expect("there is room");
        fs::write(place.path().join("shop.dir.new"), "half").expect("there is room");
        store.save(&record("two", b"value"), SaveMode::Create).expect("it is free");
        assert_eq!(ids(&*store), ["one", "two"]);
    }
}

#[test]
fn nothing_is_changed_where_the_shelve_is_for_reading() {
    for format in FORMATS {
        let place = tempfile::tempdir().expect("a temporary directory");
        let name = place.path().join("shop");
        let writer = opened(&name, format);
        writer.setup(SetupMode::IfMissing).expect("it is made");
        writer.save(&record("one", b"value"), SaveMode::Create).expect("it saves");
        let before = names(place.path());
        let store = open(&config(&name).with_access(Access::ReadOnly));
        assert_eq!(ids(&*store), ["one"]);
        assert!(store.has(&SessionId::new("one")).expect("it answers"));
        for done in [
            store.delete(&SessionId::new("one")).map(drop),
            store.save(&record("two", b"value"), SaveMode::Create),
            store.setup(SetupMode::Recreate).map(drop),
        ] {
            assert_eq!(done.map_err(|error| error.kind()), Err(ErrorKind::Unsupported));
        }
        assert_eq!(names(place.path()), before, "{format}");
    }
}

/// A damaged session can be deleted; as long as it is there, a file that would be written anew without it is not.
#[test]
fn what_cannot_be_read_is_not_lost() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let name = place.path().join("shop");
    let store = opened(&name, "ndbm");
    store.setup(SetupMode::IfMissing).expect("it is made");
    store.save(&record("id-one", b"value"), SaveMode::Create).expect("it saves");
    store.save(&record("id-two", &[7; 10_000]), SaveMode::Create).expect("it saves");
    let path = place.path().join("shop.db");
    let mut bytes = fs::read(&path).expect("it is there");
    // The last part of its value is none any more.
    let end = bytes.len() - 4096;
    bytes[end + 25] = 0;
    fs::write(&path, &bytes).expect("there is room");
    let (listed, failed): (Vec<_>, Vec<_>) = store.iter(Query::ALL).partition(Result::is_ok);
    assert_eq!((listed.len(), failed.len()), (1, 1));
    let error = store.delete(&SessionId::new("id-one")).expect_err("the other one would be lost");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.message().starts_with("nothing was changed") && error.hint().is_some(), "{}", error.report());
    assert!(!error.report().to_string().contains("id-"));
    assert_eq!(fs::read(&path).expect("it is there"), bytes);
    assert!(store.has(&SessionId::new("id-two")).expect("it answers"));
    assert!(store.delete(&SessionId::new("id-two")).expect("it deletes"));
    assert_eq!(ids(&*store), ["id-one"]);
}

#[cfg(not(feature = "sqlite"))]
#[test]
fn a_program_without_sqlite_says_so() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let name = place.path().join("shop");
    fs::write(&name, b"SQLite format 3\0").expect("there is room");
    let error = opened(&name, "dumb").has(&SessionId::new("one")).expect_err("it is not read");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("feature `sqlite`"));
}
