//! Deleting by age, under the eyes of others.

use std::ops::ControlFlow;
use std::time::Duration;

use beakerhelpers_core::{DeletePlan, Deleted, Ended, Progress, Query, Rest, SaveMode, Silent, Timestamp};
use diesel::connection::SimpleConnection;

use crate::child;
use crate::support::{Place, cutoff, record, text};

/// So many old sessions, and as many active ones between them.
fn filled(journal_mode: &str, old: u32) -> Place {
    let place = Place::with_table();
    place.sql(&format!(
        "PRAGMA journal_mode = {journal_mode};
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {})
         INSERT INTO beaker_cache (namespace, accessed, created, data)
         SELECT hex(randomblob(16)), iif(n % 2, '2026-11-20 10:00:00.000000', '2026-11-20 11:00:00.000000'),
                '2026-11-01 00:00:00.000000', zeroblob(400) FROM n",
        2 * old
    ));
    place
}

fn in_a_hurry() -> DeletePlan {
    DeletePlan::default().with_rest(Rest::For(Duration::ZERO))
}

#[test]
fn killed_in_the_middle_it_leaves_a_whole_database_and_a_second_run_goes_on() {
    for mode in ["DELETE", "WAL"] {
        let place = filled(mode, 2000);
        let left = || {
            place
                .text("SELECT count(*) FROM beaker_cache WHERE accessed < '2026-11-20 11'")
                .parse::<u64>()
                .expect("a number")
        };
        let other = child::start("clean", &place.path());
        while left() == 2000 {
            std::thread::yield_now();
        }
        drop(other);
        let before = left();
        assert!(before > 0, "it was killed too late");
        assert_eq!(place.text("SELECT group_concat(integrity_check) FROM pragma_integrity_check"), "ok");
        let done = place.store().delete_old(cutoff(), &in_a_hurry(), &mut Silent).expect("it cleans");
        assert_eq!((done.deleted, done.kept), (before, 2000));
        assert_eq!(place.text("SELECT group_concat(integrity_check) FROM pragma_integrity_check"), "ok");
    }
}

/// Does something between the look at the first batch and its delete.
struct Between<F: FnMut()>(Option<F>);

impl<F: FnMut()> Progress for Between<F> {
    fn old(&mut self, _: Timestamp) {
        if let Some(mut action) = self.0.take() {
            action();
        }
    }
}

#[test]
fn what_is_touched_or_deleted_between_the_look_and_the_delete_is_counted_as_what_it_became() {
    for mode in ["DELETE", "WAL"] {
        let place = filled(mode, 10);
        let mut raw = place.raw();
        let mut meddle = Between(Some(|| {
            raw.batch_execute(
                "UPDATE beaker_cache SET accessed = '2026-11-20 11:59:00.000000' WHERE id = 3;
                 UPDATE beaker_cache SET accessed = '' WHERE id = 5;
                 DELETE FROM beaker_cache WHERE id = 7",
            )
            .expect("no lock is held");
        }));
        let done = place.store().delete_old(cutoff(), &in_a_hurry(), &mut meddle).expect("it cleans");
        assert_eq!((done.deleted, done.kept, done.ended), (7, 12, Ended::Completed));
        assert_eq!(
            text(&mut raw, "SELECT group_concat(id) FROM (SELECT id FROM beaker_cache WHERE id < 8 ORDER BY id)"),
            "2,3,4,5,6"
        );
    }
}

#[test]
fn the_settings_of_the_file_stay() {
    for mode in ["DELETE", "WAL", "PERSIST"] {
        let place = filled(mode, 300);
        let settings = "SELECT (SELECT journal_mode FROM pragma_journal_mode) || (SELECT auto_vacuum FROM pragma_auto_vacuum) \
                        || (SELECT page_size FROM pragma_page_size) || (SELECT user_version FROM pragma_user_version)";
        let before = place.text(settings);
        place.store().delete_old(cutoff(), &in_a_hurry().with_batch_size(50), &mut Silent).expect("it cleans");
        assert_eq!(place.text(settings), before);
        assert!(!place.dir.path().join("sessions.db-journal").exists(), "{mode}: the journal is left");
    }
}

#[test]
fn in_wal_mode_the_log_is_checkpointed_on_the_way() {
    struct Largest<'p>(&'p Place, u64);
    impl Progress for Largest<'_> {
        fn batch(&mut self, _: &Deleted) -> ControlFlow<()> {
            let wal = self.0.dir.path().join("sessions.db-wal");
            self.1 = self.1.max(std::fs::metadata(wal).expect("it is there").len());
            ControlFlow::Continue(())
        }
    }
    let place = filled("WAL", 3000);
    let mut largest = Largest(&place, 0);
    let plan = in_a_hurry().with_rest(Rest::For(Duration::from_nanos(1))).with_batch_size(100);
    let done = place.store().delete_old(cutoff(), &plan, &mut largest).expect("it cleans");
    assert_eq!(done.deleted, 3000);
    // All of it would be four times as much.
    assert!(largest.1 < 6_000_000, "the log grew to {} bytes", largest.1);
}

#[test]
fn two_cleanups_share_the_work() {
    let place = filled("DELETE", 200);
    let stores = [place.store(), place.store()];
    let deleted: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = stores
            .iter()
            .map(|store| scope.spawn(|| store.delete_old(cutoff(), &in_a_hurry().with_batch_size(20), &mut Silent)))
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic").expect("it cleans").deleted).sum()
    });
    assert_eq!(deleted, 200);
    assert_eq!(place.reader().iter(Query::ALL).count(), 200);
}

#[test]
fn a_limit_ends_in_the_middle_of_a_batch() {
    let place = filled("DELETE", 50);
    let done = place.store().delete_old(cutoff(), &in_a_hurry().with_limit(7), &mut Silent).expect("it cleans");
    assert_eq!((done.deleted, done.ended), (7, Ended::Limit));
    assert_eq!(place.text("SELECT count(*) FROM beaker_cache"), "93");
}

#[test]
fn an_index_on_accessed_changes_nothing() {
    let place = filled("DELETE", 100);
    place.sql("CREATE INDEX ix ON beaker_cache (accessed); ANALYZE");
    place.store().save(&record("new", "2026-11-20 11:30:00"), SaveMode::Create).expect("it saves");
    let done = place.store().delete_old(cutoff(), &in_a_hurry().with_batch_size(30), &mut Silent).expect("it cleans");
    assert_eq!((done.deleted, done.kept), (100, 101));
}
