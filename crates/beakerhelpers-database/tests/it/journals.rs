//! Both journal modes, as live applications and dead ones leave them.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use beakerhelpers_core::{DeletePlan, ErrorKind, Query, SaveMode, SessionId, Silent};

use crate::child;
use crate::support::{Place, assert_error, cutoff, record, text};

fn filled(journal_mode: &str) -> Place {
    let place = Place::with_table();
    place.sql(&format!("PRAGMA journal_mode = {journal_mode}"));
    for (n, time) in ["10:00:00", "10:30:00", "11:30:00"].into_iter().enumerate() {
        place
            .store()
            .save(&record(&format!("s{n}"), &format!("2026-11-20 {time}")), SaveMode::Create)
            .expect("it saves");
    }
    place
}

#[test]
fn the_journal_mode_stays_and_reading_leaves_nothing_behind() {
    for (mode, shown) in [("DELETE", "delete"), ("WAL", "wal"), ("TRUNCATE", "delete")] {
        let place = filled(mode);
        let before = place.files();
        let reader = place.reader();
        assert_eq!(reader.iter(Query::ALL).flatten().count(), 3);
        assert!(reader.has(&SessionId::new("s1")).expect("it reads"));
        assert_eq!(place.files(), before, "while it is open");
        drop(reader);
        assert_eq!(place.files(), before, "afterwards");
        assert_eq!(
            place.store().delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect("it cleans").deleted,
            2
        );
        assert_eq!(place.files(), before);
        assert_eq!(place.text("SELECT journal_mode FROM pragma_journal_mode"), shown);
    }
}

#[test]
fn a_database_in_wal_mode_that_is_at_rest_is_read_as_it_changes() {
    let place = filled("WAL");
    let reader = place.reader();
    assert!(reader.has(&SessionId::new("s0")).expect("it reads"));
    // The application starts, works and stops.
    assert!(place.store().delete(&SessionId::new("s0")).expect("it deletes"));
    assert!(!reader.has(&SessionId::new("s0")).expect("it reads"));
    // It starts and stays.
    let live = place.store();
    live.save(&record("new", "2026-11-20 11:59:00"), SaveMode::Create).expect("it saves");
    assert!(reader.has(&SessionId::new("new")).expect("it reads"));
    assert_eq!(reader.iter(Query::ALL).flatten().count(), 3);
    // It leaves WAL mode.
    drop((live, reader));
    place.sql("PRAGMA journal_mode = DELETE");
    assert_eq!(place.reader().iter(Query::ALL).flatten().count(), 3);
}

/// The locks of this process on these files, as `/proc/locks` lists them.
fn our_locks(paths: &[PathBuf]) -> Vec<String> {
    let us = std::process::id().to_string();
    let inodes: Vec<_> =
        paths.iter().map(|path| format!(":{}", fs::metadata(path).expect("it is there").ino())).collect();
    let locks = fs::read_to_string("/proc/locks").expect("the kernel lists its locks");
    let ours = locks.lines().filter(|lock| {
        let mut fields = lock.split_ascii_whitespace();
        fields.nth(4) == Some(&us) && fields.next().is_some_and(|file| inodes.iter().any(|inode| file.ends_with(inode)))
    });
    ours.map(ToOwned::to_owned).collect()
}

#[test]
fn who_has_listed_a_live_database_in_wal_mode_is_in_nobodys_way() {
    let place = filled("WAL");
    let live = child::start("use wal", &place.path());
    let paths = ["sessions.db", "sessions.db-shm"].map(|name| place.dir.path().join(name));
    let reader = place.reader();
    let mut records = reader.iter(Query::ALL);
    assert!(records.next().is_some());
    assert!(!our_locks(&paths).is_empty(), "while it reads, the test would see its locks");
    assert_eq!(records.by_ref().count(), 2);
    assert!(our_locks(&paths).is_empty(), "at the end: {:?}", our_locks(&paths));
    drop(records);
    let mut limited = reader.iter(Query::newest(1));
    assert!(limited.next().is_some());
    assert!(our_locks(&paths).is_empty(), "at the limit: {:?}", our_locks(&paths));
    let mut dropped = reader.iter(Query::ALL);
    assert!(dropped.next().is_some());
    drop(dropped);
    assert!(our_locks(&paths).is_empty(), "once it is dropped: {:?}", our_locks(&paths));
    // While the reader's process still lives, the application may do what needs the database for itself.
    drop(live);
    assert_eq!(reader.iter(Query::ALL).count(), 3);
    assert_eq!(text(&mut place.raw(), "SELECT journal_mode FROM pragma_journal_mode"), "wal");
    place.sql("PRAGMA journal_mode = DELETE");
    assert_eq!(place.text("SELECT journal_mode FROM pragma_journal_mode"), "delete");
    assert_eq!(place.files(), ["sessions.db"]);
    drop(limited);
}

#[test]
fn another_user_reads_a_live_database_in_wal_mode() {
    let place = filled("WAL");
    let _live = child::start("use wal", &place.path());
    let before = place.files();
    assert_eq!(before, ["sessions.db", "sessions.db-shm", "sessions.db-wal"]);
    assert!(child::list_as_another_user(&place.path()).contains("listed 3"));
    assert_eq!(place.files(), before);
}

#[test]
fn another_user_reads_what_a_dead_application_left_in_wal_mode() {
    let place = filled("WAL");
    drop(child::start("use wal", &place.path()));
    let before = place.files();
    assert_eq!(before, ["sessions.db", "sessions.db-shm", "sessions.db-wal"]);
    assert!(child::list_as_another_user(&place.path()).contains("listed 3"));
    assert_eq!(place.files(), before);
    // Its owner finds the changes that are in the `-wal` file alone.
    let contents = place.reader().load(&SessionId::new("s0")).expect("it reads").expect("it is there").payload;
    assert_eq!(contents.bytes(), [0]);
}

#[test]
fn another_user_reads_a_database_in_wal_mode_at_rest() {
    let place = filled("WAL");
    assert!(child::list_as_another_user(&place.path()).contains("listed 3"));
    assert_eq!(place.files(), ["sessions.db"]);
}

#[test]
fn another_user_is_told_who_can_read_what_he_cannot() {
    let place = filled("WAL");
    drop(child::start("use wal", &place.path()));
    fs::remove_file(place.dir.path().join("sessions.db-shm")).expect("it is there");
    let before = place.files();
    let said = child::list_as_another_user(&place.path());
    assert!(said.contains("PermissionDenied") && said.contains("listed 0"), "{said}");
    assert!(said.contains("run this as"), "{said}");
    assert_eq!(place.files(), before);
    assert_eq!(place.reader().iter(Query::ALL).flatten().count(), 3, "its owner can");
}

#[test]
fn a_half_changed_database_is_not_read_and_not_repaired() {
    let place = filled("DELETE");
    place.sql(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 300)
         INSERT INTO beaker_cache (namespace, accessed, created, data)
         SELECT 'n' || n, '2026-11-20 10:00:00.000000', '2026-11-20 10:00:00.000000', zeroblob(3000) FROM n",
    );
    drop(child::start("write much", &place.path()));
    let before = place.files();
    assert_eq!(before, ["sessions.db", "sessions.db-journal"]);
    let contents = fs::read(place.path()).expect("it is there");
    let reader = place.reader();
    let error = reader.iter(Query::ALL).next().expect("an item").expect_err("it is half changed");
    assert_error(&error, ErrorKind::Unavailable, &["half changed", "sessions.db-journal", "never delete the journal"]);
    assert_eq!(place.files(), before);
    assert!(fs::read(place.path()).expect("it is there") == contents, "not a byte is changed");
    // Who may write restores it by opening it.
    assert_eq!(place.store().iter(Query::ALL).flatten().count(), 303);
    assert_eq!(
        place.text("SELECT count(*) FROM beaker_cache WHERE length(data) = 3000 AND hex(data) NOT GLOB '*[^0]*'"),
        "300"
    );
}

#[test]
fn a_damaged_database_is_said_to_be_damaged() {
    let place = filled("DELETE");
    let mut contents = fs::read(place.path()).expect("it is there");
    for byte in &mut contents[4096..] {
        *byte = 0xaa;
    }
    fs::write(place.path(), contents).expect("it is ours");
    let error = place.reader().iter(Query::ALL).next().expect("an item").expect_err("it is damaged");
    assert_error(&error, ErrorKind::Other, &["damaged", "integrity_check"]);
}
