//! Whose word counts for the age of a session: the store's where it keeps access times, else that of the session itself.

use beakerhelpers_core::{DeletePlan, Error, ErrorKind, Progress, SaveMode, Silent};

use super::Subject;
use super::payload::UNREADABLE;
use super::subject::{NOW, before_cutoff, cutoff, plan};

pub fn either_the_store_or_the_session_tells_the_age(s: &Subject) {
    if !s.can().delete_old {
        return;
    }
    // Each is old by one of the two.
    let by_store = s.record("by store", NOW).with_times(Some(before_cutoff(2)), Some(before_cutoff(1)));
    let by_session = s.record("by session", before_cutoff(1)).with_times(Some(before_cutoff(2)), Some(NOW));
    for record in [&by_store, &by_session] {
        s.store().save(record, SaveMode::Create).expect("a fresh id");
    }
    let done = s.clean(&plan());
    assert_eq!((done.deleted, done.kept, done.unknown), (1, 1, 0));
    assert_eq!([s.has("by store"), s.has("by session")], [!s.can().access_times, s.can().access_times]);
}

/// Remembers what cannot be read.
#[derive(Default)]
struct Complaints(Vec<ErrorKind>);

impl Progress for Complaints {
    fn unreadable(&mut self, error: &Error) {
        self.0.push(error.kind());
    }
}

pub fn what_cannot_be_read_is_kept_where_only_it_tells_its_age(s: &Subject) {
    if !s.can().delete_old {
        return;
    }
    let damaged = s.long_record("damaged", before_cutoff(1), UNREADABLE);
    for record in [damaged.clone(), s.record("old", before_cutoff(1)), s.record("active", NOW)] {
        s.store().save(&record, SaveMode::Create).expect("a fresh id");
    }
    let mut complaints = Complaints::default();
    let done = s.clean_with(&plan(), &mut complaints);
    assert!(s.has("active") && !s.has("old"));
    if s.can().access_times {
        assert_eq!((done.deleted, done.kept, done.unknown), (2, 1, 0));
        assert_eq!(complaints.0, [], "nobody needs to read it");
        assert!(!s.has("damaged"));
    } else {
        assert_eq!((done.deleted, done.kept, done.unknown), (1, 2, 1));
        assert_eq!(complaints.0, [ErrorKind::Corrupt]);
        s.assert_stored(&damaged);
    }
}

pub fn without_a_reader_of_ages_it_deletes_by_its_own_or_refuses(s: &Subject) {
    if !s.can().delete_old {
        return;
    }
    let old = s.save("old", before_cutoff(1));
    let result = s.store().delete_old(cutoff(), &DeletePlan::default(), &mut Silent);
    if s.can().access_times {
        assert_eq!(result.expect("it knows the ages").deleted, 1);
    } else {
        assert_eq!(result.map_err(|error| error.kind()), Err(ErrorKind::Unsupported));
        s.assert_stored(&old);
    }
}
