//! Giving space back.

use std::fs;
use std::time::Duration;

use beakerhelpers_core::{ErrorKind, Payload, SaveMode, SessionId};
use diesel::connection::SimpleConnection;

use crate::support::{Place, assert_error, open, record};

const LARGE: usize = 50_000;

/// A database of so many large sessions, of which so many are deleted; the small one stays.
fn emptied(prepare: &str, sessions: usize, deleted: usize) -> Place {
    emptied_of(LARGE, prepare, sessions, deleted)
}

fn emptied_of(size: usize, prepare: &str, sessions: usize, deleted: usize) -> Place {
    let place = Place::new();
    place.sql(prepare);
    let store = place.store();
    store.setup(beakerhelpers_core::SetupMode::IfMissing).expect("it is set up");
    store.save(&record("small", "2026-11-20 11:59:00"), SaveMode::Create).expect("it saves");
    for n in 0..sessions {
        let mut large = record(&format!("large-{n}"), "2026-11-20 11:59:00");
        large.payload = Payload::new(large.payload.framing(), vec![1; size]);
        store.save(&large, SaveMode::Create).expect("it saves");
    }
    for n in 0..deleted {
        assert!(store.delete(&SessionId::new(format!("large-{n}"))).expect("it deletes"));
    }
    place
}

fn len(place: &Place) -> usize {
    usize::try_from(fs::metadata(place.path()).expect("it is there").len()).expect("small")
}

fn assert_whole(place: &Place, sessions: usize) {
    assert_eq!(place.text("SELECT count(*) FROM beaker_cache"), sessions.to_string());
    assert_eq!(place.text("SELECT integrity_check FROM pragma_integrity_check"), "ok");
    assert!(place.store().has(&SessionId::new("small")).expect("it answers"));
}

#[test]
fn the_file_shrinks_in_every_journal_mode() {
    for prepare in ["", "PRAGMA journal_mode = WAL"] {
        let place = emptied(prepare, 40, 38);
        assert!(len(&place) > 38 * LARGE || place.files().iter().any(|file| file.ends_with("-wal")), "{prepare}");
        place.store().vacuum().expect("there is room");
        assert!(len(&place) < 4 * LARGE, "{} bytes after `{prepare}`", len(&place));
        assert_whole(&place, 3);
        assert_eq!(place.files(), ["sessions.db"]);
        assert_eq!(
            place.text("SELECT journal_mode FROM pragma_journal_mode"),
            if prepare.is_empty() { "delete" } else { "wal" }
        );
    }
}

#[test]
fn few_free_pages_are_left_alone() {
    let place = emptied("", 40, 8);
    let before = len(&place);
    place.store().vacuum().expect("nothing is to be done");
    assert_eq!(len(&place), before);
    assert_whole(&place, 33);
    // A quarter is worth it.
    let place = emptied("", 40, 12);
    let before = len(&place);
    place.store().vacuum().expect("there is room");
    assert!(len(&place) < before - 10 * LARGE);
    assert_whole(&place, 29);
}

#[test]
fn an_incremental_database_shrinks_in_steps() {
    // 20 MB are some 5,000 pages: several steps.
    let place = emptied_of(5_000_000, "PRAGMA auto_vacuum = INCREMENTAL", 4, 4);
    assert_eq!(place.text("SELECT auto_vacuum FROM pragma_auto_vacuum"), "2");
    place.store().vacuum().expect("it shrinks");
    assert!(len(&place) < LARGE, "{} bytes", len(&place));
    assert_eq!(place.text("SELECT freelist_count FROM pragma_freelist_count"), "0");
    assert_whole(&place, 1);
    place.store().vacuum().expect("and nothing is left to be done");
}

#[test]
fn somebody_who_writes_or_reads_is_waited_for_and_named() {
    let place = emptied("", 10, 9);
    let before = len(&place);
    let mut other = place.raw();
    for lock in ["BEGIN IMMEDIATE", "BEGIN; SELECT * FROM beaker_cache"] {
        other.batch_execute(lock).expect("it locks");
        let store = open(&place.config().with_wait(Duration::from_millis(20)));
        assert_error(&store.vacuum().expect_err("it is locked"), ErrorKind::Unavailable, &["locked"]);
        other.batch_execute("ROLLBACK").expect("it unlocks");
        assert_eq!(len(&place), before);
        assert_whole(&place, 2);
    }
    place.store().vacuum().expect("nobody is there");
    assert!(len(&place) < before);
}

#[test]
fn a_store_for_reading_gives_nothing_back() {
    let place = emptied("", 10, 9);
    assert_error(&place.reader().vacuum().expect_err("it reads only"), ErrorKind::Unsupported, &["for reading only"]);
    assert_whole(&place, 2);
}
