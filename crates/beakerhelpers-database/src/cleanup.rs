//! Deleting old sessions under the eyes of a live application, batch by batch, in any database.

use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use beakerhelpers_core::{
    CleanupMode, Cutoff, DeletePlan, Deleted, Ended, NaiveTime, Pace, Progress, Record, Result, Timestamp, Zone,
};

use crate::failure::{Backoff, Failure, RESTART};
use crate::sql::Sql;
use crate::statement::{Key, KeyColumn};
use crate::times::Clock;

/// No batch looks at more rows than this, whatever the plan says: their times are held in memory.
const LARGEST: usize = 200_000;
/// A dry run reads this many rows at once where the plan does not say.
const COUNTED: usize = 2000;
/// So many bytes of sessions are kept elsewhere in one batch, and handed over in parts of [`HANDED`].
const ARCHIVED: u64 = 8 * 1024 * 1024;
const HANDED: usize = 2 * 1024 * 1024;
/// While it waits to try again it looks this often whether it is to end.
const SLICE: Duration = Duration::from_millis(50);

/// What a cleanup asks of a database.
pub(crate) trait Table {
    /// Reads keys and access times of some rows, in the order of the keys, in one short statement.
    fn look(&mut self, want: &Want<'_>, clock: &mut Clock) -> Result<Found, Failure>;

    /// Deletes, in one short transaction, what was found and is old still.
    fn delete(&mut self, found: &Found, progress: &mut dyn Progress) -> Result<Batch, Failure>;

    /// How many of the rows are there still, from the first to the last that was found.
    fn count(&mut self, found: &Found) -> Result<u64, Failure>;
}

/// Which rows to look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Want<'a> {
    pub(crate) after: Option<&'a Key>,
    pub(crate) rows: usize,
    /// The naive time before which a session is old.
    pub(crate) cutoff: NaiveTime,
    /// The last row to look at is that of the old one of this number.
    pub(crate) old: u64,
    /// The old ones are to be kept elsewhere: a batch ends where they get large.
    pub(crate) archive: bool,
}

/// What a look at some rows found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The keys of the first and the last of them.
    pub(crate) range: Option<(Key, Key)>,
    pub(crate) rows: u64,
    pub(crate) unknown: u64,
    pub(crate) old: Vec<(Key, Timestamp)>,
    /// How large the old ones are, where they are to be kept elsewhere.
    pub(crate) bytes: u64,
    /// The ids of the old ones, where they are to be deleted by their ids.
    pub(crate) ids: Vec<Key>,
}

impl Found {
    /// Takes a row; `None` is a time that is none. Tells whether these are enough.
    pub(crate) fn push(
        &mut self,
        want: &Want<'_>,
        key: Key,
        accessed: Option<NaiveTime>,
        size: impl FnOnce() -> Option<i64>,
        clock: &mut Clock,
    ) -> bool {
        self.rows += 1;
        match accessed {
            Some(accessed) if accessed < want.cutoff => {
                self.old.push((key.clone(), clock.instant_of(accessed)));
                if want.archive {
                    self.bytes += size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
                }
            }
            Some(_) => {}
            None => self.unknown += 1,
        }
        self.range = Some(match self.range.take() {
            Some((first, _)) => (first, key),
            None => (key.clone(), key),
        });
        self.old.len() as u64 >= want.old || self.bytes >= ARCHIVED
    }

    /// The old ones, and the column that they are to be deleted by.
    pub(crate) fn targets<'a>(&'a self, sql: Sql<'a>) -> (Sql<'a>, impl Iterator<Item = &'a Key>) {
        let by_ids = !self.ids.is_empty();
        let sql = if by_ids { Sql { key: KeyColumn::Namespace, ..sql } } else { sql };
        let keys = self.old.iter().map(|(key, _)| key).take(if by_ids { 0 } else { usize::MAX });
        (sql, self.ids.iter().chain(keys))
    }
}

/// What came of one batch.
#[derive(Debug)]
pub(crate) enum Batch {
    Done {
        deleted: u64,
        /// How long it kept locks.
        held: Duration,
    },
    /// Another cleanup is at work on the table.
    Taken,
}

/// Finds and deletes. `patience` is how long others may be in the way of one batch.
pub(crate) fn run(
    table: &mut impl Table,
    zone: Zone,
    patience: Duration,
    cutoff: Cutoff,
    plan: &DeletePlan,
    mut pace: Pace<'_>,
    progress: &mut dyn Progress,
) -> Result<Deleted> {
    let mut so_far = Deleted::default();
    let is_real = plan.mode != CleanupMode::Count;
    let naive = zone.naive_cutoff(cutoff);
    let mut clock = Clock::new(zone);
    let mut after: Option<Key> = None;
    // Whoever was never there is not waited for.
    let mut absence = Duration::ZERO;
    loop {
        let old = pace.may_delete(so_far.deleted);
        if old == 0 {
            return Ok(ended(so_far, Ended::Limit));
        }
        let rows = if is_real || plan.batch_size.is_some() { pace.batch_size().min(LARGEST) } else { COUNTED };
        let want = Want { after: after.as_ref(), rows, cutoff: naive, old, archive: plan.archive };
        let mut again = Again { backoff: Backoff::start(patience, absence), so_far: &so_far, progress };
        let Some(found) = again.on_failure(|_| table.look(&want, &mut clock))? else {
            return Ok(ended(so_far, Ended::Stopped));
        };
        absence = RESTART;
        let Some((_, last)) = &found.range else { return Ok(so_far) };
        after = Some(last.clone());
        for (_, accessed) in &found.old {
            progress.old(*accessed);
        }
        let old = found.old.len() as u64;
        let (mut deleted, mut kept, mut busy) = (old, found.rows - old, None);
        if is_real && old > 0 {
            let mut again = Again { backoff: Backoff::start(patience, absence), so_far: &so_far, progress };
            match again.on_failure(|progress| table.delete(&found, progress))? {
                Some(Batch::Done { deleted: gone, held }) => (deleted, busy) = (gone, Some(held)),
                Some(Batch::Taken) => return Ok(ended(so_far, Ended::AnotherCleanup)),
                None => return Ok(ended(so_far, Ended::Stopped)),
            }
            if deleted != old {
                // Some were touched or deleted meanwhile: those that are still there were kept.
                let mut again = Again { backoff: Backoff::start(patience, absence), so_far: &so_far, progress };
                kept = again.on_failure(|_| table.count(&found))?.unwrap_or(kept);
            }
        }
        so_far.deleted += deleted;
        so_far.kept += kept;
        so_far.unknown += found.unknown;
        if let Some(why) = pace.batch_done(busy, &so_far, progress) {
            return Ok(ended(so_far, why));
        }
    }
}

/// Hands records over before they are gone.
pub(crate) struct Archive<'a> {
    progress: &'a mut dyn Progress,
    records: Vec<Record>,
    bytes: usize,
    deleted: u64,
}

impl<'a> Archive<'a> {
    pub(crate) fn new(progress: &'a mut dyn Progress) -> Self {
        Self { progress, records: Vec::new(), bytes: 0, deleted: 0 }
    }

    /// Takes a record, or the error that there is instead: what cannot be kept must not go.
    pub(crate) fn push(&mut self, record: Result<Record>) -> Result<()> {
        let record = record.map_err(|error| {
            error.with_hint("an old session cannot be archived; run once without `--archive` to delete it")
        })?;
        self.deleted += 1;
        self.bytes += record.payload.bytes().len();
        self.records.push(record);
        if self.bytes >= HANDED { self.hand_over() } else { Ok(()) }
    }

    /// Hands over the last of them, and tells how many there were.
    pub(crate) fn finish(mut self) -> Result<u64> {
        self.hand_over()?;
        Ok(self.deleted)
    }

    fn hand_over(&mut self) -> Result<()> {
        self.bytes = 0;
        if self.records.is_empty() {
            return Ok(());
        }
        let handed = self.progress.archive(&self.records);
        self.records.clear();
        handed
    }
}

const fn ended(mut so_far: Deleted, why: Ended) -> Deleted {
    so_far.ended = why;
    so_far
}

/// Tries again what failed, for as long as that makes sense and nobody wants it to end.
struct Again<'a> {
    backoff: Backoff,
    so_far: &'a Deleted,
    progress: &'a mut dyn Progress,
}

impl Again<'_> {
    /// `None` where it is to end.
    fn on_failure<T>(&mut self, mut attempt: impl FnMut(&mut dyn Progress) -> Result<T, Failure>) -> Result<Option<T>> {
        loop {
            let failure = match attempt(self.progress) {
                Ok(done) => return Ok(Some(done)),
                Err(failure) => failure,
            };
            let until = Instant::now() + self.backoff.after(failure)?;
            loop {
                if self.progress.batch(self.so_far) == ControlFlow::Break(()) {
                    return Ok(None);
                }
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                thread::sleep(left.min(SLICE));
            }
        }
    }
}
