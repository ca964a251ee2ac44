//! Times and lifetimes.

use std::time::Duration;

use beakerhelpers_core::{Expiry, Zone};

use super::*;
use crate::CopyMode;

const HOUR: Duration = Duration::from_secs(3_600);

fn expiry(store: &dyn SessionStore, id: &str) -> Expiry {
    there(store, id).unwrap().expiry
}

fn expiring() -> Odd {
    Odd::new(Framing::Value, |can| can.with_expiry(true).with_access_times(false))
}

#[test]
fn what_is_left_of_a_lifetime_stays() {
    let (old, new) = (MemoryStore::new(), expiring());
    put(&old, "joe", &session("joe", 1_000));
    let to = Place::new(&new);
    assert_eq!(copy(&Place::new(&old), &to.clone().with_timeout(HOUR)).new, 1);
    assert_eq!(expiry(&new, "joe"), Expiry::At(seconds_ago(1_000 - 3_600 - 120)));
    let forever = expiring();
    assert_eq!(copy(&Place::new(&old), &Place::new(&forever)).new, 1);
    assert_eq!(expiry(&forever, "joe"), Expiry::Never);
    // Where FROM drops sessions itself, TO does so at the same instant; what it would keep for ever TO has rules for.
    let third = Odd::new(Framing::Text, |can| can.with_expiry(true));
    assert_eq!(copy(&to, &Place::new(&third).with_timeout(2 * HOUR)).new, 1);
    assert_eq!(expiry(&third, "joe"), expiry(&new, "joe"));
    let fourth = Odd::new(Framing::Text, |can| can.with_expiry(true));
    assert_eq!(copy(&Place::new(&forever), &Place::new(&fourth).with_timeout(HOUR)).new, 1);
    assert_eq!(expiry(&fourth, "joe"), expiry(&new, "joe"));
    // A store that drops nothing is told nothing.
    let fifth = MemoryStore::new();
    assert_eq!(copy(&to, &Place::new(&fifth)).new, 1);
    assert_eq!(expiry(&fifth, "joe"), Expiry::Usual);
}

#[test]
fn what_would_be_dropped_at_once_is_not_even_copied_with_all_others() {
    let (old, new) = (MemoryStore::new(), expiring());
    put(&old, "over", &session("joe", 3_700));
    put(&old, "gone", &session("ann", 3_720));
    let to = Place::new(&new).with_timeout(HOUR);
    assert_eq!(Copy::new().with_all().run(&Place::new(&old), &to, NOW, &mut ()).unwrap().new, 1);
    assert!(there(&new, "over").is_some());
}

#[test]
fn a_store_without_times_gives_those_that_its_sessions_tell() {
    let (old, new) = (Odd::new(Framing::Value, |can| can.with_access_times(false)), MemoryStore::new());
    let joe = session("joe", 10);
    let payload = Encoder::new().encode(&joe, Framing::Value).unwrap();
    old.save(&Record::new(SessionId::new("joe"), payload), SaveMode::Upsert).unwrap();
    assert_eq!(copy(&Place::new(&old), &Place::new(&new)).new, 1);
    let record = there(&new, "joe").unwrap();
    assert_eq!((record.accessed, record.created), (joe.accessed_time(), joe.creation_time()));
    assert_eq!(record.accessed, Some(seconds_ago(10)));
}

#[test]
fn a_row_that_was_only_touched_is_touched_in_the_other_place() {
    let (old, new) = (MemoryStore::new(), MemoryStore::new());
    put(&old, "joe", &session("joe", 100));
    let (from, to) = (Place::new(&old), Place::new(&new));
    copy(&from, &to);
    let record = there(&old, "joe").unwrap();
    old.save(&record.clone().with_times(record.created, Some(seconds_ago(50))), SaveMode::Upsert).unwrap();
    assert_eq!(counts(copy(&from, &to)), [0, 1, 0, 0, 0, 0, 0]);
    assert_eq!(there(&new, "joe").unwrap().accessed, Some(seconds_ago(50)));
    // Back in time it is not set.
    old.save(&record, SaveMode::Upsert).unwrap();
    assert_eq!(counts(copy(&from, &to)), [0, 0, 1, 0, 0, 0, 0]);
    assert_eq!(there(&new, "joe").unwrap().accessed, Some(seconds_ago(50)));
}

#[test]
fn parts_of_a_second_and_the_hour_that_comes_twice_are_no_difference() {
    let (old, new) = (MemoryStore::new(), Odd::new(Framing::Value, |can| can.with_local_times(true)));
    let twice = session("joe", 0);
    put(&old, "joe", &twice);
    let (from, to) = (Place::new(&old), Place::new(&new).with_zone(Zone::parse("Europe/Vilnius").unwrap()));
    copy(&from, &to);
    let verify = || Copy::new().with_mode(CopyMode::Verify).run(&from, &to, NOW, &mut ()).unwrap().wrong_times;
    let shift = |micros: i64, record: &Record| {
        let moved = |at: Option<Timestamp>| at.map(|at| Timestamp::from_micros(at.as_micros() + micros));
        record.clone().with_times(moved(record.created), moved(record.accessed))
    };
    let record = there(&new, "joe").unwrap();
    for (micros, wrong) in [(-999_999, 0), (1_000_000, 1), (3_600_000_000, 1)] {
        new.memory.delete(&record.id).unwrap();
        new.save(&shift(micros, &record), SaveMode::Upsert).unwrap();
        assert_eq!(verify(), wrong, "{micros}");
    }
    // 2026-10-25 00:30 UTC and an hour later are both 03:30 in Vilnius.
    let first = Timestamp::from_secs(1_792_888_200);
    let zone = Zone::parse("Europe/Vilnius").unwrap();
    assert_eq!(zone.naive_at(first), zone.naive_at(first.later_by(HOUR)));
    let at = |at: Timestamp| record.clone().with_times(Some(at), Some(at));
    let payload = there(&old, "joe").unwrap().payload;
    old.delete(&record.id).unwrap();
    old.save(&Record::new(record.id.clone(), payload).with_times(Some(first), Some(first)), SaveMode::Upsert).unwrap();
    new.memory.delete(&record.id).unwrap();
    new.save(&at(first.later_by(HOUR)), SaveMode::Upsert).unwrap();
    assert_eq!(verify(), 0);
}
