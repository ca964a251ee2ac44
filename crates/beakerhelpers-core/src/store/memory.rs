//! Sessions in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{
    CleanupMode, Cutoff, DeletePlan, Deleted, Finding, Order, Pace, Progress, Query, Records, SaveMode, SetupMode,
    SetupOutcome,
};
use crate::{Capabilities, Error, ErrorKind, Record, Result, SessionId, SessionStore, StoreInfo, Timestamp};

/// Keeps sessions in the memory of this process: for tests, for single processes, and as the model that every other
/// store is compared with.
#[derive(Default)]
pub struct MemoryStore(Mutex<State>);

#[derive(Default)]
struct State {
    /// Each record with the number of its creation, for [`Order::Newest`].
    records: BTreeMap<SessionId, (u64, Record)>,
    created: u64,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whatever panics while the lock is held does so before the map changes, so it is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at so many records after one, up to the last that may go. What is not old is kept.
    fn find(
        &self,
        after: Option<&SessionId>,
        cutoff: Cutoff,
        records: usize,
        may_delete: u64,
        so_far: &mut Deleted,
    ) -> Found {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut found = Found::default();
        for (id, (_, record)) in self.state().records.range((start, Bound::Unbounded)).take(records) {
            if found.old.len() as u64 >= may_delete {
                break;
            }
            found.last = Some(id.clone());
            match record.accessed {
                Some(accessed) if accessed < cutoff.at() => found.old.push((id.clone(), accessed)),
                accessed => {
                    so_far.kept += 1;
                    so_far.unknown += u64::from(accessed.is_none());
                }
            }
        }
        found
    }

    /// Tests the age of records that were found old again, hands them over and deletes them, all in one step. Tells how
    /// many went, and how many are still there because they were touched.
    fn take_old(
        &self,
        found: &[(SessionId, Timestamp)],
        cutoff: Cutoff,
        plan: &DeletePlan,
        progress: &mut dyn Progress,
    ) -> Result<(u64, u64)> {
        let records = &mut self.state().records;
        let there = found.iter().filter_map(|(id, _)| records.get(id).map(|(_, record)| record.clone()));
        let (old, touched): (Vec<_>, Vec<_>) =
            there.partition(|record| record.accessed.is_some_and(|accessed| accessed < cutoff.at()));
        if plan.mode == CleanupMode::Delete {
            if plan.archive && !old.is_empty() {
                progress.archive(&old)?;
            }
            for record in &old {
                records.remove(&record.id);
            }
        }
        Ok((old.len() as u64, touched.len() as u64))
    }
}

/// What a look at some records found.
#[derive(Default)]
struct Found {
    last: Option<SessionId>,
    old: Vec<(SessionId, Timestamp)>,
}

impl SessionStore for MemoryStore {
    fn info(&self) -> StoreInfo {
        let capabilities = Capabilities::ALL
            .with_multiprocess_safe(false)
            .with_index(false)
            .with_local_times(false)
            .with_expiry(false)
            .with_tidy(false);
        StoreInfo::new("memory", "memory of this process".to_owned(), capabilities)
    }

    fn load(&self, id: &SessionId) -> Result<Option<Record>> {
        Ok(self.state().records.get(id).map(|(_, record)| record.clone()))
    }

    fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
        let state = &mut *self.state();
        match state.records.get_mut(&record.id) {
            Some(_) if mode == SaveMode::Create => {
                Err(Error::new(ErrorKind::AlreadyExists, "a session with this id exists already"))
            }
            Some((_, existing)) => {
                let created = existing.created;
                *existing = record.clone();
                existing.created = created;
                Ok(())
            }
            None => {
                state.created += 1;
                state.records.insert(record.id.clone(), (state.created, record.clone()));
                Ok(())
            }
        }
    }

    fn delete(&self, id: &SessionId) -> Result<bool> {
        Ok(self.state().records.remove(id).is_some())
    }

    fn setup(&self, mode: SetupMode) -> Result<SetupOutcome> {
        Ok(match mode {
            SetupMode::IfMissing => SetupOutcome::Existing,
            SetupMode::Recreate => {
                self.state().records.clear();
                SetupOutcome::Recreated
            }
        })
    }

    fn check(&self) -> Result<Vec<Finding>> {
        Ok(Vec::new())
    }

    fn iter(&self, query: Query) -> Records<'_> {
        let mut records: Vec<_> = self.state().records.values().cloned().collect();
        if query.order == Order::Newest {
            records.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        }
        let active = move |record: &Record| match (query.active, record.accessed) {
            (Some(cutoff), Some(accessed)) => accessed >= cutoff.at(),
            _ => true,
        };
        let limit = query.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        Box::new(records.into_iter().map(|(_, record)| record).filter(active).take(limit).map(Ok))
    }

    fn delete_old(&self, cutoff: Cutoff, plan: &DeletePlan, progress: &mut dyn Progress) -> Result<Deleted> {
        let mut pace = Pace::start(plan);
        let mut so_far = Deleted::default();
        let mut last: Option<SessionId> = None;
        loop {
            let may_delete = pace.may_delete(so_far.deleted);
            let found = self.find(last.as_ref(), cutoff, pace.batch_size(), may_delete, &mut so_far);
            if found.last.is_none() && may_delete > 0 {
                return Ok(so_far);
            }
            last = found.last.or(last);
            for (_, accessed) in &found.old {
                progress.old(*accessed);
            }
            let (deleted, touched) = self.take_old(&found.old, cutoff, plan, progress)?;
            so_far.deleted += deleted;
            so_far.kept += touched;
            if let Some(ended) = pace.batch_done(None, &so_far, progress) {
                so_far.ended = ended;
                return Ok(so_far);
            }
        }
    }

    fn vacuum(&self) -> Result<()> {
        // The memory of a record goes back with the record.
        Ok(())
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryStore({} records)", self.state().records.len())
    }
}
