//! Deleting old sessions from a store that keeps no times: when a session was used last is inside of it.

use std::time::Instant;

use beakerhelpers_core::{
    CleanupMode, Cutoff, DeletePlan, Deleted, Pace, Payload, Progress, Record, Result, SessionId, Timestamp,
};

/// Every batch writes anew what tells of all sessions that are left: there are to be few, unless the plan says otherwise.
pub(crate) const BATCH: usize = 5000;

/// What a cleanup asks of a store.
pub(crate) trait Inside {
    /// Shows every session once, by its id.
    fn each(&self, show: &mut dyn FnMut(&str, Result<Payload>)) -> Result<()>;

    /// How many sessions are looked at before those of them that are old are deleted, unless the plan says otherwise.
    fn batch(&self, _: &DeletePlan) -> usize {
        BATCH
    }

    /// Deletes those of these ids that are old still, in one step; with an archive it hands them over first. Tells how many
    /// it deleted, and how many are there still.
    fn delete_if(
        &self,
        ids: &[String],
        is_old: &dyn Fn(&Payload) -> bool,
        archive: Option<&mut dyn Progress>,
    ) -> Result<(u64, u64)>;
}

/// Finds in one go, and deletes in transactions that look again.
pub(crate) fn run(
    store: &impl Inside,
    cutoff: Cutoff,
    plan: &DeletePlan,
    progress: &mut dyn Progress,
) -> Result<Deleted> {
    let times = plan.time_reader()?;
    let counts = plan.mode == CleanupMode::Count;
    let mut pace = Pace::start_shared(plan);
    let mut so_far = Deleted::default();
    let mut found: Vec<(String, Option<Timestamp>)> = Vec::new();
    store.each(&mut |id, payload| {
        let accessed = payload.and_then(|payload| times.accessed(&payload)).unwrap_or_else(|error| {
            progress.unreadable(&error);
            None
        });
        found.push((id.to_owned(), accessed));
    })?;
    let (mut rest, batch) = (found.into_iter(), store.batch(plan));
    loop {
        let most = pace.may_delete(so_far.deleted);
        let size = plan.batch_size.map_or(batch, |_| pace.batch_size());
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
            let is_old = |payload: &Payload| times.accessed(payload).ok().flatten().is_some_and(|at| at < cutoff.at());
            let archive: Option<&mut dyn Progress> = if plan.archive { Some(progress) } else { None };
            let (deleted, kept) = store.delete_if(&old, &is_old, archive)?;
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

/// What a look at some sessions says.
pub(crate) struct Picked<'i> {
    /// What is to be deleted, and was handed over where there is an archive.
    pub(crate) old: Vec<&'i str>,
    /// So many are there still.
    pub(crate) kept: u64,
}

/// Picks those of these ids that are old still: the first half of [`Inside::delete_if`].
pub(crate) fn pick<'i>(
    ids: &'i [String],
    is_old: &dyn Fn(&Payload) -> bool,
    archive: &mut Option<&mut dyn Progress>,
    mut value: impl FnMut(&str) -> Option<Payload>,
) -> Result<Picked<'i>> {
    let (mut picked, mut records) = (Picked { old: Vec::new(), kept: 0 }, Vec::new());
    for id in ids {
        let Some(payload) = value(id) else { continue };
        if !is_old(&payload) {
            picked.kept += 1;
            continue;
        }
        picked.old.push(&**id);
        if archive.is_some() {
            records.push(Record::new(SessionId::new(&**id), payload));
        }
    }
    match archive {
        Some(archive) if !records.is_empty() => archive.archive(&records)?,
        _ => {}
    }
    Ok(picked)
}
