//! Deleting by age.

use std::time::{Duration, Instant};

use beakerhelpers_core::{CleanupMode, Cutoff, DeletePlan, Deleted, Pace, Progress, Record, Result, TimeReader};

use crate::connection::Compared;
use crate::key::Key;
use crate::listing::Keys;
use crate::records::{Found, read};
use crate::server::Pinned;
use crate::store::Memcached;

/// Once so many bytes are to be handed over, they are.
const TO_KEEP: usize = 4 << 20;

/// Server by server: copies of one session are judged, and counted, each for itself.
pub(crate) fn delete_old(
    store: &Memcached,
    cutoff: Cutoff,
    plan: &DeletePlan,
    progress: &mut dyn Progress,
) -> Result<Deleted> {
    let times = plan.time_reader()?;
    let mut pace = Pace::start_shared(plan);
    let mut run = Run { cutoff, plan, times, so_far: Deleted::default() };
    for server in store.servers() {
        let mut keys = server.keys()?;
        let mut server = server.pin()?;
        loop {
            let may_delete = pace.may_delete(run.so_far.deleted);
            let mut batch = Batch { server: &mut server, keys: &mut keys, records: pace.batch_size(), may_delete };
            let busy = match run.batch(&mut batch, progress)? {
                Worked::Nothing => break,
                Worked::Looked => None,
                Worked::Deleted(busy) => Some(busy),
            };
            if let Some(ended) = pace.batch_done(busy, &run.so_far, progress) {
                run.so_far.ended = ended;
                return Ok(run.so_far);
            }
        }
    }
    Ok(run.so_far)
}

struct Run<'r> {
    cutoff: Cutoff,
    plan: &'r DeletePlan,
    times: &'r dyn TimeReader,
    so_far: Deleted,
}

struct Batch<'b, 's> {
    server: &'b mut Pinned<'s>,
    keys: &'b mut Keys,
    /// How many may be looked at.
    records: usize,
    may_delete: u64,
}

/// What a batch did.
enum Worked {
    /// There is nothing left.
    Nothing,
    Looked,
    /// It kept the server busy for so long.
    Deleted(Duration),
}

/// A session that was old when it was read.
struct Old {
    key: Key,
    cas: u64,
    /// Where it is to be handed over.
    record: Option<Record>,
}

impl Run<'_> {
    fn batch(&mut self, batch: &mut Batch<'_, '_>, progress: &mut dyn Progress) -> Result<Worked> {
        if batch.may_delete == 0 {
            return Ok(Worked::Looked);
        }
        let entries = batch.keys.some(batch.records)?;
        if entries.is_empty() {
            return Ok(Worked::Nothing);
        }
        batch.server.renew()?;
        let mut found = read(entries, |keys| batch.server.get(keys))?.into_iter();
        let (mut old, mut bytes) = (Vec::new(), 0);
        while (old.len() as u64) < batch.may_delete
            && bytes < TO_KEEP
            && let Some(found) = found.next()
        {
            if let Some(found) = self.judge(found, progress) {
                bytes += found.record.as_ref().map_or(0, |record| record.payload.bytes().len());
                old.push(found);
            }
        }
        batch.keys.put_back(found.map(|found| found.entry));
        if old.is_empty() {
            return Ok(Worked::Looked);
        }
        if old.iter().any(|old| old.cas == 0) {
            return Err(batch.server.cannot_compare());
        }
        if self.plan.mode != CleanupMode::Delete {
            self.so_far.deleted += old.len() as u64;
            return Ok(Worked::Looked);
        }
        if self.plan.archive {
            self.archive(batch.server, &mut old, progress)?;
        }
        let began = Instant::now();
        self.delete(batch.server, &old)?;
        Ok(Worked::Deleted(began.elapsed()))
    }

    /// Gives back what is old; counts what stays.
    fn judge(&mut self, found: Found, progress: &mut dyn Progress) -> Option<Old> {
        let cas = found.cas();
        let key = found.entry.session.as_ref().map(|(key, _)| key.clone());
        let record = found.record()?;
        match record.and_then(|record| Ok((self.times.accessed(&record.payload)?, record))) {
            Ok((Some(accessed), record)) if accessed < self.cutoff.at() => {
                progress.old(accessed);
                return Some(Old { key: key?, cas: cas?, record: self.plan.archive.then_some(record) });
            }
            Ok((accessed, _)) => self.so_far.unknown += u64::from(accessed.is_none()),
            Err(error) => {
                self.so_far.unknown += 1;
                progress.unreadable(&error);
            }
        }
        self.so_far.kept += 1;
        None
    }

    /// Hands over what is still as it was read. What changes after that is handed over and stays: nothing is lost.
    fn archive(&mut self, server: &mut Pinned<'_>, old: &mut Vec<Old>, progress: &mut dyn Progress) -> Result<()> {
        let keys: Vec<&Key> = old.iter().map(|old| &old.key).collect();
        let mut now = server.get(&keys)?.into_iter();
        old.retain(|old| match now.next().flatten() {
            Some(item) if item.cas == old.cas => true,
            there => {
                self.so_far.kept += u64::from(there.is_some());
                false
            }
        });
        let records: Vec<Record> = old.iter_mut().filter_map(|old| old.record.take()).collect();
        if records.is_empty() { Ok(()) } else { progress.archive(&records) }
    }

    fn delete(&mut self, server: &mut Pinned<'_>, old: &[Old]) -> Result<()> {
        let items: Vec<(&Key, u64)> = old.iter().map(|old| (&old.key, old.cas)).collect();
        for compared in server.delete_unchanged(&items)? {
            match compared {
                Compared::Deleted => self.so_far.deleted += 1,
                Compared::Changed => self.so_far.kept += 1,
                Compared::Missing => {}
            }
        }
        Ok(())
    }
}
