//! Sessions in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{
    CleanupMode, Cutoff, DeletePlan, Deleted, Finding, Order, Pace, Progress, Query, Records, SaveMode, SetupMode,
    SetupOutcome,
};
use crate::{Capabilities, Error, ErrorKind, Record, Result, SessionId, SessionStore, StoreInfo};

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
        // No code that can panic runs while the lock is held, so the map is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tests the age of a record that was found old again and deletes it in the same step.
    fn take_old(&self, id: &SessionId, cutoff: Cutoff, mode: CleanupMode) -> Took {
        let records = &mut self.state().records;
        match records.get(id) {
            None => Took::Nothing,
            Some((_, record)) if record.accessed.is_none_or(|accessed| accessed >= cutoff.at()) => Took::Touched,
            Some(_) => {
                if mode == CleanupMode::Delete {
                    records.remove(id);
                }
                Took::Old
            }
        }
    }
}

/// What became of a record that was found old.
enum Took {
    Old,
    /// It was saved meanwhile.
    Touched,
    /// It was deleted meanwhile.
    Nothing,
}

impl SessionStore for MemoryStore {
    fn info(&self) -> StoreInfo {
        let capabilities = Capabilities::ALL.with_multiprocess_safe(false).with_index(false);
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
            let after = match &last {
                Some(id) => (std::ops::Bound::Excluded(id.clone()), std::ops::Bound::Unbounded),
                None => (std::ops::Bound::Unbounded, std::ops::Bound::Unbounded),
            };
            let batch: Vec<_> = self
                .state()
                .records
                .range(after)
                .take(pace.batch_size())
                .map(|(id, (_, record))| (id.clone(), record.accessed))
                .collect();
            let Some((id, _)) = batch.last() else { return Ok(so_far) };
            last = Some(id.clone());
            for (id, accessed) in batch {
                let old = accessed.filter(|accessed| *accessed < cutoff.at() && pace.may_delete(so_far.deleted) > 0);
                if let Some(accessed) = old {
                    progress.old(accessed);
                }
                match old.map(|_| self.take_old(&id, cutoff, plan.mode)) {
                    Some(Took::Old) => so_far.deleted += 1,
                    Some(Took::Nothing) => {}
                    Some(Took::Touched) | None => {
                        so_far.kept += 1;
                        so_far.unknown += u64::from(accessed.is_none());
                    }
                }
            }
            if let Some(ended) = pace.batch_done(None, &so_far, progress) {
                so_far.ended = ended;
                return Ok(so_far);
            }
        }
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryStore({} records)", self.state().records.len())
    }
}
