//! A store whose times are inside of the sessions, with and without faults in that.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use beakerhelpers_core::{
    CleanupMode, Cutoff, DeletePlan, Deleted, Ended, Framing, MemoryStore, Progress, Query, Record, Records, Result,
    SaveMode, SessionId, SessionStore, StoreInfo, Timestamp,
};
use beakerhelpers_testkit::conformance::{Subject, cleanup, inside, interference, listing, model, records, run};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    DeletesUnknown,
    DeletesUnreadable,
    DeletesWithoutLookingAgain,
    DoesNothingWithoutReader,
    HidesUnreadable,
    IgnoresReader,
    InventsTimes,
    LeavesOutOld,
}

/// `MemoryStore` as one that keeps no times.
#[derive(Debug)]
struct Inside {
    store: MemoryStore,
    fault: Fault,
    /// What is judged and what is saved come one after the other, as they do on a server.
    step: Mutex<()>,
}

impl Inside {
    fn new(fault: Fault) -> Self {
        Self { store: MemoryStore::new(), fault, step: Mutex::default() }
    }

    fn shown(&self, record: Record) -> Record {
        if self.fault == Fault::InventsTimes { record } else { record.with_times(None, None) }
    }

    fn age(&self, record: &Record, plan: &DeletePlan, progress: &mut dyn Progress) -> Result<Option<Timestamp>> {
        if self.fault == Fault::IgnoresReader {
            return Ok(record.accessed);
        }
        let Some(reader) = plan.times.as_deref() else { return Ok(None) };
        match reader.accessed(&record.payload) {
            Ok(None) if self.fault == Fault::DeletesUnknown => Ok(Some(Timestamp::from_secs(0))),
            Err(_) if self.fault == Fault::DeletesUnreadable => Ok(Some(Timestamp::from_secs(0))),
            Err(_) if self.fault == Fault::HidesUnreadable => Ok(None),
            Err(error) => {
                progress.unreadable(&error);
                Ok(None)
            }
            age => age,
        }
    }

    /// Deletes it if it is still what was judged; `None` where it is gone.
    fn take(&self, judged: &Record, mode: CleanupMode) -> Result<Option<bool>> {
        let _step = self.step.lock().expect("nobody panics");
        let Some(now) = self.store.load(&judged.id)? else { return Ok(None) };
        if now.payload != judged.payload && self.fault != Fault::DeletesWithoutLookingAgain {
            return Ok(Some(false));
        }
        if mode == CleanupMode::Delete {
            self.store.delete(&judged.id)?;
        }
        Ok(Some(true))
    }
}

impl SessionStore for Inside {
    fn info(&self) -> StoreInfo {
        let can = self.store.info().capabilities.with_access_times(false).with_archive(false);
        StoreInfo::new("inside", "memory".to_owned(), can)
    }

    fn load(&self, id: &SessionId) -> Result<Option<Record>> {
        Ok(self.store.load(id)?.map(|record| self.shown(record)))
    }

    fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
        let _step = self.step.lock().expect("nobody panics");
        self.store.save(record, mode)
    }

    fn delete(&self, id: &SessionId) -> Result<bool> {
        self.store.delete(id)
    }

    fn setup(&self, mode: beakerhelpers_core::SetupMode) -> Result<beakerhelpers_core::SetupOutcome> {
        self.store.setup(mode)
    }

    fn check(&self) -> Result<Vec<beakerhelpers_core::Finding>> {
        self.store.check()
    }

    fn vacuum(&self) -> Result<()> {
        self.store.vacuum()
    }

    fn iter(&self, mut query: Query) -> Records<'_> {
        if self.fault != Fault::LeavesOutOld {
            query.active = None;
        }
        Box::new(self.store.iter(query).map(|item| item.map(|record| self.shown(record))))
    }

    fn delete_old(&self, cutoff: Cutoff, plan: &DeletePlan, progress: &mut dyn Progress) -> Result<Deleted> {
        if plan.archive {
            return Err(beakerhelpers_core::Error::unsupported("there is no archive"));
        }
        if !matches!(self.fault, Fault::IgnoresReader | Fault::DoesNothingWithoutReader) {
            plan.time_reader()?;
        }
        let mut done = Deleted::default();
        let all: Vec<Record> = self.store.iter(Query::ALL).collect::<Result<_>>()?;
        for batch in all.chunks(plan.batch_size.unwrap_or(1000)) {
            for record in batch {
                // It may have been touched or deleted since.
                let Some(record) = self.store.load(&record.id)? else { continue };
                let left = plan.limit.is_none_or(|limit| done.deleted < limit);
                match self.age(&record, plan, progress)? {
                    Some(age) if age < cutoff.at() => {
                        if left {
                            progress.old(age);
                            match self.take(&record, plan.mode)? {
                                Some(true) => done.deleted += 1,
                                Some(false) => done.kept += 1,
                                None => {}
                            }
                        }
                    }
                    age => {
                        done.kept += 1;
                        done.unknown += u64::from(age.is_none());
                    }
                }
            }
            if plan.limit.is_some_and(|limit| done.deleted >= limit) {
                done.ended = Ended::Limit;
            } else if plan.max_time.is_some_and(|time| time.is_zero()) {
                done.ended = Ended::MaxTime;
            }
            if progress.batch(&done) == ControlFlow::Break(()) {
                done.ended = Ended::Stopped;
            }
            if done.ended != Ended::Completed {
                break;
            }
        }
        Ok(done)
    }
}

mod without_fault {
    fn open() -> super::Inside {
        super::Inside::new(super::Fault::None)
    }
    beakerhelpers_testkit::conformance!(open, beakerhelpers_core::Framing::Value);
}

type Behaviour = fn(&Subject);

fn finds(fault: Fault, behaviour: Behaviour) -> bool {
    let open = || Inside::new(fault);
    catch_unwind(AssertUnwindSafe(|| run(&open, Framing::Value, behaviour))).is_err()
}

#[test]
fn the_suite_finds_every_fault_of_a_store_without_times() {
    let table: &[(Fault, &[Behaviour])] = &[
        (
            Fault::DeletesUnknown,
            &[cleanup::unknown_times_are_listed_and_never_deleted, model::random_operations_agree_with_memory],
        ),
        (Fault::DeletesUnreadable, &[inside::what_cannot_be_read_is_kept_where_only_it_tells_its_age]),
        (Fault::DeletesWithoutLookingAgain, &[interference::a_session_touched_after_it_was_found_survives]),
        (Fault::DoesNothingWithoutReader, &[inside::without_a_reader_of_ages_it_deletes_by_its_own_or_refuses]),
        (Fault::HidesUnreadable, &[inside::what_cannot_be_read_is_kept_where_only_it_tells_its_age]),
        (
            Fault::IgnoresReader,
            &[
                inside::either_the_store_or_the_session_tells_the_age,
                inside::without_a_reader_of_ages_it_deletes_by_its_own_or_refuses,
            ],
        ),
        (Fault::InventsTimes, &[records::times_are_kept]),
        (Fault::LeavesOutOld, &[listing::active_keeps_the_exact_cutoff]),
    ];
    for (fault, behaviours) in table {
        for (n, behaviour) in behaviours.iter().enumerate() {
            assert!(finds(*fault, *behaviour), "behaviour {n} does not find {fault:?}");
        }
    }
}
