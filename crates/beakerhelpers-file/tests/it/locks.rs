//! Other processes hold locks; so does Beaker while it saves.

use std::fs::File;
use std::thread;
use std::time::Duration;

use beakerhelpers_core::{DeletePlan, Error, ErrorKind, Query, SaveMode, SessionId, SessionStore, Silent};
use rustix::fs::{FlockOperation, flock};

use crate::support::{HOUR, Place, counts, cutoff, record};

/// The lock file of the id `abc`: the SHA-1 is that of FIPS 180-1.
const LOCK: &str = "data/container_file_lock/a/a9/a9993e364706816aba3e25717850c26c9cd0d89d.lock";

fn hold(place: &Place, how: FlockOperation) -> File {
    let file = File::options().write(true).open(place.path().join(LOCK)).expect("it is there");
    flock(&file, how).expect("it is free");
    file
}

#[test]
fn nobody_saves_reads_or_deletes_while_another_writes() {
    let place = Place::new();
    place.save("abc", 2 * HOUR);
    let held = hold(&place, FlockOperation::LockExclusive);
    let (store, id) = (place.store(), SessionId::new("abc"));
    let errors =
        [store.load(&id).map(drop), store.save(&record("abc", HOUR), SaveMode::Upsert), store.delete(&id).map(drop)];
    for error in errors {
        assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::Unavailable));
    }
    // Whoever holds it is using it.
    assert_eq!(counts(store.delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect("it cleans")), (0, 1));
    // What was written long ago is whole, whoever holds the lock.
    assert_eq!(store.iter(Query::ALL).flatten().count(), 1);
    drop(held);
    assert_eq!(counts(store.delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect("it cleans")), (1, 0));
}

#[test]
fn many_read_at_once() {
    let place = Place::new();
    place.save("abc", Duration::ZERO);
    let _held = hold(&place, FlockOperation::LockShared);
    assert!(place.store().load(&SessionId::new("abc")).expect("it answers").is_some());
    assert_eq!(place.listed().0, ["abc"]);
    let error = place.store().delete(&SessionId::new("abc")).expect_err("somebody reads it");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[test]
fn a_short_wait_is_no_failure() {
    let place = Place::new();
    place.save("abc", HOUR);
    let held = hold(&place, FlockOperation::LockExclusive);
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(30));
            drop(held);
        });
        place.save("abc", Duration::ZERO);
    });
}

/// Beaker up to 1.9.0 writes into the file itself, under the lock.
#[test]
fn a_listing_never_sees_half_of_a_session() {
    let place = Place::new();
    place.save("abc", HOUR);
    for half in [&b""[..], b"\x80\x02}U\x07sess", b"\x80\x02}U\x07a."] {
        let held = hold(&place, FlockOperation::LockExclusive);
        std::fs::write(place.file("a/ab/abc.cache"), half).expect("it can be written");
        thread::scope(|scope| {
            let listing = scope.spawn(|| place.read_only().iter(Query::ALL).collect::<Vec<_>>());
            thread::sleep(Duration::from_millis(50));
            std::fs::write(place.file("a/ab/abc.cache"), crate::support::EMPTY).expect("it can be written");
            drop(held);
            let listed = listing.join().expect("no panic");
            let bytes = |item: &beakerhelpers_core::Result<beakerhelpers_core::Record>| {
                item.as_ref().map(|record| record.payload.bytes().to_vec()).map_err(Error::kind)
            };
            assert_eq!(listed.iter().map(bytes).collect::<Vec<_>>(), [Ok(crate::support::EMPTY.to_vec())]);
        });
    }
}

#[test]
fn only_saving_makes_a_lock_file() {
    let place = Place::new();
    for n in 0..20 {
        place.save(&format!("{n}-old"), 2 * HOUR);
        place.save(&format!("{n}-new"), Duration::ZERO);
    }
    std::fs::remove_dir_all(place.path().join("data/container_file_lock")).expect("it is there");
    let store = place.store();
    assert_eq!(place.listed().0.len(), 40);
    assert!(store.load(&SessionId::new("1-new")).expect("it answers").is_some());
    assert!(store.delete(&SessionId::new("2-new")).expect("it deletes"));
    assert_eq!(counts(store.delete_old(cutoff(), &DeletePlan::default(), &mut Silent).expect("it cleans")), (20, 19));
    assert!(!place.path().join("data/container_file_lock").exists());
    assert_eq!(place.count(".temp"), 0);
}
