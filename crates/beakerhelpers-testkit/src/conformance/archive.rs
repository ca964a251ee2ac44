//! Handing over what goes.

use beakerhelpers_core::{
    CleanupMode, DeletePlan, Ended, Error, ErrorKind, Progress, Record, Result, SaveMode, Silent, Timestamp,
};

use super::Subject;
use super::subject::{NOW, before_cutoff, cutoff, plan};

/// Keeps what it is handed, up to so many calls; then it fails.
#[derive(Default)]
struct Keeper {
    kept: Vec<Record>,
    calls: usize,
    fails_after: Option<usize>,
}

impl Progress for Keeper {
    fn archive(&mut self, records: &[Record]) -> Result<()> {
        if self.fails_after.is_some_and(|calls| self.calls >= calls) {
            return Err(Error::new(ErrorKind::Other, "the archive is full"));
        }
        self.calls += 1;
        self.kept.extend_from_slice(records);
        Ok(())
    }
}

fn archives(size: Option<usize>) -> DeletePlan {
    let mut plan = plan().with_archive();
    plan.batch_size = size;
    plan
}

/// Saves old records, some of them large, and active ones between them; the old ones by id.
fn fill(s: &Subject) -> Vec<Record> {
    let mut old = Vec::new();
    for n in 0..20 {
        s.save(&format!("{:02}-active", n * 7 % 20), before_cutoff(-i64::from(n)));
        let mut record = s.record(&format!("{:02}-old", n * 3 % 20), before_cutoff(i64::from(n) + 1));
        if n % 5 == 0 {
            record.payload = s.large(&record.payload);
        }
        s.store().save(&record, SaveMode::Upsert).expect("it takes a record");
        old.push(record);
    }
    old.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
    old
}

/// Checks that these are the records, each once, as they were saved and as far as the store keeps them.
#[track_caller]
fn assert_handed_over(s: &Subject, mut kept: Vec<Record>, expected: &[Record]) {
    kept.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
    assert_eq!(kept.len(), expected.len(), "records handed over");
    for (kept, expected) in kept.iter().zip(expected) {
        assert!(kept.id == expected.id, "the ids differ");
        assert!(kept.payload == expected.payload, "the payloads differ");
        if s.can().access_times {
            assert_eq!(kept.accessed, expected.accessed);
            assert!(kept.created.is_none() || kept.created == expected.created, "{:?}", kept.created);
        }
    }
}

pub fn every_deleted_record_is_handed_over_first(s: &Subject) {
    if !s.can().archive {
        return;
    }
    let old = fill(s);
    let mut keeper = Keeper::default();
    let done = s.clean_with(&archives(None), &mut keeper);
    assert_eq!((done.deleted, done.kept, done.ended), (20, 20, Ended::Completed));
    assert_handed_over(s, keeper.kept, &old);
    assert!(old.iter().all(|record| !s.has(record.id.as_str())));
    // They can be put back.
    for record in &old {
        s.store().save(record, SaveMode::Create).expect("the id is free");
        s.assert_stored(record);
    }
}

pub fn batches_of_every_size_hand_over_the_same(s: &Subject) {
    if !s.can().archive {
        return;
    }
    for (size, limit) in [(1, None), (3, None), (7, Some(5)), (1000, Some(5)), (1000, None)] {
        let old = fill(s);
        let mut keeper = Keeper::default();
        let mut plan = archives(Some(size));
        plan.limit = limit;
        let done = s.clean_with(&plan, &mut keeper);
        assert_eq!(done.deleted, limit.unwrap_or(20), "batch size {size}");
        let gone: Vec<_> = old.into_iter().filter(|record| !s.has(record.id.as_str())).collect();
        assert_handed_over(s, keeper.kept, &gone);
    }
}

pub fn a_failing_archive_ends_the_run_and_keeps_its_batch(s: &Subject) {
    if !s.can().archive {
        return;
    }
    for (size, calls) in [(Some(40), 0), (None, 0), (Some(1), 3)] {
        let old = fill(s);
        let mut keeper = Keeper { fails_after: Some(calls), ..Keeper::default() };
        let error = s.store().delete_old(cutoff(), &archives(size), &mut keeper).expect_err("the archive failed");
        assert_eq!((error.kind(), error.message()), (ErrorKind::Other, "the archive is full"));
        let gone: Vec<_> = old.iter().filter(|record| !s.has(record.id.as_str())).cloned().collect();
        assert_eq!(gone.len(), calls, "what was handed over went, the rest stayed; batch size {size:?}");
        assert_handed_over(s, keeper.kept, &gone);
        for record in old.iter().filter(|record| s.has(record.id.as_str())) {
            s.assert_stored(record);
        }
        // Nothing is left locked.
        s.other().save(&s.record("00-active", NOW), SaveMode::Upsert).expect("others go on");
        assert_eq!(s.clean(&plan()).deleted, 20 - calls as u64, "and so does the next run");
    }
}

pub fn a_dry_run_hands_nothing_over(s: &Subject) {
    if !s.can().archive {
        return;
    }
    fill(s);
    let mut plan = archives(None);
    plan.mode = CleanupMode::Count;
    let mut keeper = Keeper { fails_after: Some(0), ..Keeper::default() };
    assert_eq!(s.clean_with(&plan, &mut keeper).deleted, 20);
}

pub fn without_being_asked_nothing_is_handed_over(s: &Subject) {
    if !s.can().delete_old {
        return;
    }
    fill(s);
    let mut keeper = Keeper { fails_after: Some(0), ..Keeper::default() };
    assert_eq!(s.clean_with(&plan(), &mut keeper).deleted, 20);
}

pub fn who_keeps_no_records_loses_none(s: &Subject) {
    if !s.can().archive {
        return;
    }
    let old = fill(s);
    let result = s.store().delete_old(cutoff(), &archives(None), &mut Silent);
    assert_eq!(result.map_err(|error| error.kind()), Err(ErrorKind::Unsupported));
    for record in &old {
        s.assert_stored(record);
    }
}

pub fn what_is_touched_meanwhile_is_not_handed_over(s: &Subject) {
    struct Touch<'s>(&'s Subject, Keeper);
    impl Progress for Touch<'_> {
        fn old(&mut self, accessed: Timestamp) {
            if accessed == before_cutoff(4) {
                self.0.other().save(&self.0.record("09-old", NOW), SaveMode::Upsert).expect("the application saves");
            }
        }

        fn archive(&mut self, records: &[Record]) -> Result<()> {
            self.1.archive(records)
        }
    }
    if !s.can().archive {
        return;
    }
    let mut old = fill(s);
    // The fourth that was saved.
    old.retain(|record| record.id.as_str() != "09-old");
    let mut touch = Touch(s, Keeper::default());
    assert_eq!(s.clean_with(&archives(None), &mut touch).deleted, 19);
    assert!(s.has("09-old"));
    assert_handed_over(s, touch.1.kept, &old);
}
