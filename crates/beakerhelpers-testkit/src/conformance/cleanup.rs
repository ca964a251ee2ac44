//! Deleting by age.

use std::ops::ControlFlow;
use std::time::Duration;

use beakerhelpers_core::{CleanupMode, Deleted, Ended, Progress, Query, Record, SaveMode, SessionId, Timestamp};

use super::Subject;
use super::subject::{NOW, before_cutoff, plan};

/// Saves `old` records before the cutoff and `active` ones after it, mixed.
fn fill(s: &Subject, old: usize, active: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..old.max(active) {
        let secs = i64::try_from(n).expect("small");
        if n < old {
            ids.push(s.save(&format!("{:02}-old-{n}", n * 37 % 100), before_cutoff(secs + 1)));
        }
        if n < active {
            ids.push(s.save(&format!("{:02}-active-{n}", n * 53 % 100), before_cutoff(-secs)));
        }
    }
    ids.iter().map(|record| record.id.as_str().to_owned()).collect()
}

fn left(s: &Subject, ids: &[String], kind: &str) -> usize {
    ids.iter().filter(|id| id.contains(kind) && s.has(id)).count()
}

pub fn the_exact_cutoff_is_kept_and_older_goes(s: &Subject) {
    if !s.can().delete_old {
        return;
    }
    for (id, secs) in [("older", 1), ("exact", 0), ("younger", -1), ("ancient", 90_000_000), ("now", -3600)] {
        s.save(id, before_cutoff(secs));
    }
    let done = s.clean(&plan());
    assert_eq!(["older", "exact", "younger", "ancient", "now"].map(|id| s.has(id)), [false, true, true, false, true]);
    assert_eq!((done.deleted, done.kept, done.unknown, done.ended), (2, 3, 0, Ended::Completed));
    assert_eq!(s.clean(&plan()).deleted, 0, "a second run finds nothing");
}

pub fn one_microsecond_decides_where_the_store_keeps_it(s: &Subject) {
    if !s.can().delete_old || !s.can().access_times {
        return;
    }
    let off_by = |micros| Timestamp::from_micros(before_cutoff(0).as_micros() + micros);
    let record = s.save("before", off_by(-1));
    if s.load("before").is_some_and(|stored| stored.accessed == record.accessed) {
        s.save("after", off_by(1));
        assert_eq!(s.clean(&plan()).deleted, 1);
        assert!(!s.has("before") && s.has("after"));
    }
}

pub fn unknown_times_are_listed_and_never_deleted(s: &Subject) {
    if !s.can().delete_old || !s.save_if_supported(&s.timeless("unknown")) {
        return;
    }
    s.save("old", before_cutoff(1));
    let done = s.clean(&plan());
    assert_eq!((done.deleted, done.kept, done.unknown), (1, 1, 1));
    assert!(s.has("unknown"));
    if s.can().iter {
        assert_eq!(s.ids(Query::ALL), ["unknown"]);
    }
}

pub fn an_empty_store_is_clean(s: &Subject) {
    if s.can().delete_old {
        assert_eq!(s.clean(&plan()), Deleted::default());
    }
}

/// Remembers what a cleanup reports.
#[derive(Default)]
struct Notes {
    old: Vec<Timestamp>,
    batches: Vec<Deleted>,
    stop_after: Option<usize>,
}

impl Progress for Notes {
    fn old(&mut self, accessed: Timestamp) {
        self.old.push(accessed);
    }

    fn batch(&mut self, so_far: &Deleted) -> ControlFlow<()> {
        self.batches.push(*so_far);
        if self.stop_after.is_some_and(|batches| self.batches.len() >= batches) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

pub fn batches_of_every_size_delete_the_same(s: &Subject) {
    if !s.can().delete_old {
        return;
    }
    for size in [1, 2, 7, 1000] {
        let ids = fill(s, 20, 10);
        let mut notes = Notes::default();
        let done = s.clean_with(&plan().with_batch_size(size), &mut notes);
        assert_eq!((left(s, &ids, "old"), left(s, &ids, "active")), (0, 10), "batch size {size}");
        assert_eq!((done.deleted, done.kept, done.ended), (20, 10, Ended::Completed), "batch size {size}");
        let mut before = Deleted::default();
        for batch in &notes.batches {
            let scanned = batch.scanned().checked_sub(before.scanned()).expect("counts only grow");
            assert!(scanned <= size as u64, "a batch of {size} looked at {scanned}");
            before = *batch;
        }
        assert_eq!(before.deleted, 20, "the last report is the whole");
    }
}

pub fn a_dry_run_counts_the_same_and_changes_nothing(s: &Subject) {
    if !s.can().delete_old {
        return;
    }
    let ids = fill(s, 9, 4);
    let records: Vec<Record> = ids.iter().filter_map(|id| s.load(id)).collect();
    let (mut dry_notes, mut notes) = (Notes::default(), Notes::default());
    let mut dry = plan().with_batch_size(4);
    dry.mode = CleanupMode::Count;
    let counted = s.clean_with(&dry, &mut dry_notes);
    assert_eq!(counted.deleted, 9);
    assert_eq!(records.len(), 13);
    for record in &records {
        s.assert_stored(record);
    }
    assert_eq!(s.clean_with(&plan().with_batch_size(4), &mut notes), counted);
    dry_notes.old.sort_unstable();
    notes.old.sort_unstable();
    assert_eq!(dry_notes.old, notes.old);
    assert_eq!(left(s, &ids, "old"), 0);
}

pub fn a_limit_is_exact(s: &Subject) {
    if !s.can().delete_old {
        return;
    }
    for (limit, size) in [(0, 5), (1, 1), (3, 2), (4, 2), (5, 100)] {
        let ids = fill(s, 10, 3);
        let plan = plan().with_batch_size(size).with_limit(limit);
        let mut dry = plan.clone();
        dry.mode = CleanupMode::Count;
        for (plan, gone) in [(dry, 0), (plan, limit)] {
            let done = s.clean(&plan);
            assert_eq!((done.deleted, done.ended), (limit, Ended::Limit), "limit {limit}, batch size {size}");
            assert_eq!(left(s, &ids, "old") as u64, 10 - gone, "limit {limit}, batch size {size}");
            assert_eq!(left(s, &ids, "active"), 3);
        }
    }
}

pub fn progress_sees_every_old_one(s: &Subject) {
    if !s.can().delete_old {
        return;
    }
    fill(s, 12, 5);
    let mut notes = Notes::default();
    let done = s.clean_with(&plan().with_batch_size(5), &mut notes);
    notes.old.sort_unstable();
    assert_eq!(notes.old, (1..=12).rev().map(before_cutoff).collect::<Vec<_>>());
    assert_eq!(notes.batches.last().map(|batch| batch.deleted), Some(done.deleted));
}

pub fn whoever_follows_can_stop_it(s: &Subject) {
    if !s.can().delete_old {
        return;
    }
    let ids = fill(s, 10, 0);
    let mut notes = Notes { stop_after: Some(1), ..Notes::default() };
    let done = s.clean_with(&plan().with_batch_size(4), &mut notes);
    assert_eq!((done.ended, notes.batches.len()), (Ended::Stopped, 1));
    assert!((1..=4).contains(&done.deleted), "{} deleted in a batch of 4", done.deleted);
    assert_eq!(left(s, &ids, "old") as u64, 10 - done.deleted, "what was done stays done, the rest is whole");
    assert_eq!(s.clean(&plan()).deleted, 10 - done.deleted, "a second run goes on");
}

pub fn its_time_can_be_over(s: &Subject) {
    if !s.can().delete_old {
        return;
    }
    let ids = fill(s, 10, 0);
    let done = s.clean(&plan().with_batch_size(4).with_max_time(Duration::ZERO));
    assert_eq!(done.ended, Ended::MaxTime);
    assert!(done.deleted <= 4, "{} deleted in a batch of 4", done.deleted);
    assert_eq!(left(s, &ids, "old") as u64, 10 - done.deleted);
    // The ids are free again, the store is whole.
    s.store().delete(&SessionId::new(ids[0].as_str())).expect("it deletes");
    s.store().save(&s.record(&ids[0], NOW), SaveMode::Create).expect("it saves");
}
