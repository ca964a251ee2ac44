//! Databases that others are using.

use std::time::Duration;

use beakerhelpers_core::{Access, DeletePlan, ErrorKind, Query, SaveMode, SessionId, Silent};

use crate::child;
use crate::support::{Place, assert_error, cutoff, open, record};

fn filled(journal_mode: &str) -> Place {
    let place = Place::with_table();
    place.sql(&format!("PRAGMA journal_mode = {journal_mode}"));
    place.store().save(&record("old", "2026-11-20 10:00:00"), SaveMode::Create).expect("it saves");
    place
}

/// A wait that is over at once: whether the lock is given up in time must not decide.
fn impatient(place: &Place) -> Box<dyn beakerhelpers_core::SessionStore> {
    open(&place.config().with_wait(Duration::from_millis(1)))
}

#[test]
fn whoever_holds_the_write_lock_is_named() {
    for mode in ["DELETE", "WAL"] {
        let place = filled(mode);
        let other = child::start("write", &place.path());
        let who = format!("(process {})", other.id());
        let store = impatient(&place);
        for error in [
            store.save(&record("new", "2026-11-20 11:30:00"), SaveMode::Upsert).expect_err("it is locked"),
            store.delete(&SessionId::new("old")).expect_err("it is locked"),
            store.delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect_err("it is locked"),
        ] {
            assert_error(&error, ErrorKind::Unavailable, &["locked by another program", &who, "try again"]);
        }
        assert!(store.has(&SessionId::new("old")).expect("a writer stops no reader"), "{mode}");
        drop(other);
        assert!(store.delete(&SessionId::new("old")).expect("the lock is gone"), "{mode}");
    }
}

#[test]
fn a_reader_who_stands_in_the_way_of_a_commit_is_named() {
    let place = filled("DELETE");
    let other = child::start("read", &place.path());
    let who = format!("(process {})", other.id());
    let error = impatient(&place).delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect_err("it waits");
    assert_error(&error, ErrorKind::Unavailable, &["locked by another program", &who]);
    drop(other);
    assert_eq!(
        impatient(&place).delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect("it cleans").deleted,
        1
    );
}

#[test]
fn a_reader_in_wal_mode_stands_in_nobodys_way() {
    let place = filled("WAL");
    let _other = child::start("read", &place.path());
    assert_eq!(
        impatient(&place).delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect("it cleans").deleted,
        1
    );
}

#[test]
fn a_listing_between_two_records_lets_everyone_in() {
    let place = filled("DELETE");
    place.store().save(&record("other", "2026-11-20 11:00:00"), SaveMode::Create).expect("it saves");
    let reader = place.reader();
    let mut listing = reader.iter(Query::ALL);
    assert!(listing.next().is_some_and(|item| item.is_ok()));
    // Any lock at all would stop this one.
    place.sql("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE; DELETE FROM beaker_cache; COMMIT");
    assert!(listing.next().is_some_and(|item| item.is_ok()), "its page was read");
    assert!(listing.next().is_none());
}

#[test]
fn a_store_for_reading_changes_nothing() {
    let place = filled("DELETE");
    let store = open(&place.config().with_access(Access::ReadOnly));
    for error in [
        store.save(&record("new", "2026-11-20 11:30:00"), SaveMode::Upsert).expect_err("it may not"),
        store.delete(&SessionId::new("old")).expect_err("it may not"),
        store.setup(beakerhelpers_core::SetupMode::Recreate).expect_err("it may not"),
        store.delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect_err("it may not"),
    ] {
        assert_error(&error, ErrorKind::Unsupported, &["for reading only"]);
    }
    assert_eq!(store.delete_old(cutoff(), &DeletePlan::dry_run(), &mut Silent).expect("it counts").deleted, 1);
    assert_eq!(place.text("SELECT count(*) FROM beaker_cache"), "1");
}
