//! Who has logged out, and who only seems to have.

use std::time::Duration;

use beakerhelpers_core::Expiry;

use super::*;

const HOUR: Duration = Duration::from_secs(3_600);
const KEPT: [u64; 7] = [0, 0, 0, 1, 0, 0, 0];
const DELETED: [u64; 7] = [0, 0, 0, 0, 1, 0, 0];

/// What Beaker before 1.11 leaves of a session when its visitor logs out.
fn empty(store: &dyn SessionStore, id: &str, accessed: Option<Timestamp>) {
    let record = Record::new(SessionId::new(id), Payload::new(Framing::Namespace, b"}.".to_vec()));
    store.save(&record.with_times(accessed, accessed), SaveMode::Upsert).unwrap();
}

/// What comes of a session that was used in TO so many seconds ago.
fn judged(old: &dyn SessionStore, age: i64) -> [u64; 7] {
    let new = MemoryStore::new();
    put(&new, "joe", &session("joe", age));
    let counted = counts(copy(&Place::new(old).with_timeout(HOUR), &Place::new(&new)));
    assert_eq!(there(&new, "joe").is_some(), counted == KEPT);
    counted
}

#[test]
fn an_empty_record_deletes_only_what_is_certainly_older() {
    let old = MemoryStore::new();
    empty(&old, "joe", Some(seconds_ago(50)));
    for (age, expected) in [(500, DELETED), (51, DELETED), (50, KEPT), (10, KEPT)] {
        assert_eq!(judged(&old, age), expected, "{age}");
    }
    empty(&old, "joe", None);
    assert_eq!(judged(&old, 500), KEPT);
    // Begun after it, whatever else it tells.
    empty(&old, "joe", Some(seconds_ago(50)));
    let new = MemoryStore::new();
    let (used, begun) = [seconds_ago(100), seconds_ago(20)].map(|at| at.as_micros() / 1_000_000).into();
    let odd = Session::from_pairs([("_accessed_time", used.into()), ("_creation_time", begun.into())]);
    put(&new, "joe", &odd);
    assert_eq!(counts(copy(&Place::new(&old), &Place::new(&new))), KEPT);
}

#[test]
fn a_database_that_comes_of_looking_for_a_session_logs_nobody_out() {
    let mut old = Odd::new(Framing::Namespace, |can| can);
    old.info.store_type = "dbm";
    empty(&old, "joe", Some(seconds_ago(50)));
    assert_eq!(judged(&old, 500), KEPT);
    log_out(&old, "joe", Some(seconds_ago(50)));
    assert_eq!(judged(&old, 500), DELETED);
}

#[test]
fn a_log_out_without_a_time_has_that_of_its_lifetime() {
    let old = MemoryStore::new();
    let logged_out_by = |expiry| {
        log_out(&old, "joe", None);
        let record = there(&old, "joe").unwrap().with_expiry(expiry);
        old.save(&record, SaveMode::Upsert).unwrap();
    };
    logged_out_by(Expiry::At(seconds_ago(50 - 3_600 - 120)));
    for (age, expected) in [(500, DELETED), (50, DELETED), (49, KEPT), (10, KEPT)] {
        assert_eq!(judged(&old, age), expected, "{age}");
    }
    // Without a timeout nothing follows of when it will be dropped, nor with another one.
    let new = MemoryStore::new();
    put(&new, "joe", &session("joe", 500));
    assert_eq!(counts(copy(&Place::new(&old), &Place::new(&new))), KEPT);
    for expiry in [Expiry::Usual, Expiry::Never, Expiry::At(seconds_ago(-7_200))] {
        logged_out_by(expiry);
        assert_eq!(judged(&old, 500), KEPT, "{expiry:?}");
    }
}

#[test]
fn who_was_never_copied_or_is_over_is_not_counted() {
    let (old, new) = (MemoryStore::new(), MemoryStore::new());
    log_out(&old, "joe", Some(seconds_ago(50)));
    empty(&old, "ann", Some(seconds_ago(50)));
    put(&new, "ann", &session("over", 3_601));
    assert_eq!(counts(copy(&Place::new(&old).with_timeout(HOUR), &Place::new(&new))), [0; 7]);
}
