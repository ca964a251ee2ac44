//! Deleting old sessions. When a session was used last is inside of it.

use std::time::Instant;

use beakerhelpers_codec::ObjectDict;
use beakerhelpers_core::{
    CleanupMode, Cutoff, DeletePlan, Deleted, Pace, Progress, Record, Result, SessionId, TimeReader, Timestamp,
};

use super::{Change, DurusStore};

/// Every batch writes all sessions that are left: there are to be few of them, unless the plan says otherwise.
const BATCH: usize = 5000;

/// Finds in one go, and deletes in transactions that look again.
pub(super) fn run(
    store: &DurusStore,
    cutoff: Cutoff,
    plan: &DeletePlan,
    progress: &mut dyn Progress,
) -> Result<Deleted> {
    let times = plan.time_reader()?;
    let counts = plan.mode == CleanupMode::Count;
    if !counts {
        store.refuse_to_write()?;
    }
    let mut pace = Pace::start_shared(plan);
    let mut so_far = Deleted::default();
    let found = look(&store.read()?, times, progress);
    let mut rest = found.into_iter();
    loop {
        let most = pace.may_delete(so_far.deleted);
        let size = plan.batch_size.map_or(BATCH, |_| pace.batch_size());
        let (mut old, mut looked) = (Vec::new(), 0);
        while looked < size && (old.len() as u64) < most {
            let Some((id, accessed)) = rest.next() else { break };
            looked += 1;
            match accessed {
                Some(accessed) if accessed < cutoff.at() => {
                    progress.old(accessed);
                    old.push(id);
                }
                accessed => {
                    so_far.kept += 1;
                    so_far.unknown += u64::from(accessed.is_none());
                }
            }
        }
        if looked == 0 && most > 0 {
            return Ok(so_far);
        }
        let busy = if counts || old.is_empty() {
            so_far.deleted += old.len() as u64;
            None
        } else {
            let started = Instant::now();
            let (deleted, kept) = delete(store, &old, cutoff, plan, times, progress)?;
            so_far.deleted += deleted;
            so_far.kept += kept;
            Some(started.elapsed())
        };
        if let Some(ended) = pace.batch_done(busy, &so_far, progress) {
            so_far.ended = ended;
            return Ok(so_far);
        }
    }
}

/// All ids, and when each session was used last.
fn look(dict: &ObjectDict, times: &dyn TimeReader, progress: &mut dyn Progress) -> Vec<(String, Option<Timestamp>)> {
    let time = |(id, payload): (&str, Result<_>)| {
        let accessed = payload.and_then(|payload| times.accessed(&payload)).unwrap_or_else(|error| {
            progress.unreadable(&error);
            None
        });
        (id.to_owned(), accessed)
    };
    dict.iter().map(time).collect()
}

/// Deletes, in one transaction, what is old still. Tells how many that were, and how many are there still.
fn delete(
    store: &DurusStore,
    old: &[String],
    cutoff: Cutoff,
    plan: &DeletePlan,
    times: &dyn TimeReader,
    progress: &mut dyn Progress,
) -> Result<(u64, u64)> {
    store.change(|dict| {
        let (mut deleted, mut kept, mut records) = (0, 0, Vec::new());
        for id in old {
            let Ok(Some(payload)) = dict.payload(id) else { continue };
            if !times.accessed(&payload).ok().flatten().is_some_and(|at| at < cutoff.at()) {
                kept += 1;
                continue;
            }
            dict.remove(id);
            deleted += 1;
            if plan.archive {
                records.push(Record::new(SessionId::new(&**id), payload));
            }
        }
        if !records.is_empty() {
            progress.archive(&records)?;
        }
        Ok(if deleted > 0 { Change::Made((deleted, kept)) } else { Change::Nothing((deleted, kept)) })
    })
}
