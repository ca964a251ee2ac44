//! Sorts rows that may be more than fit into memory.
//!
//! Rows are collected in a buffer of fixed size. A full buffer is sorted and becomes a *run*: a sequential, unlinked
//! temporary file that only this user can read, so that neither a crash nor a curious neighbour leaves or finds sessions
//! there. A thread does that while another buffer is filled, so that the store is not kept waiting. At the end the runs
//! and what is in the last buffer are merged. What fits into one buffer never touches a disk.

mod background;
mod merge;
mod run;

use std::cmp::Ordering;
use std::sync::mpsc::{self, SyncSender};
use std::{io, mem, panic, thread};

use beakerhelpers_core::{Error, ErrorKind, Result};

use self::background::Background;
use self::merge::Merge;
use self::run::Run;

/// The size of a buffer, of which there are two. Larger ones make fewer runs, not less work.
const BUFFER: usize = 8 << 20;

/// So many bytes of rows are merged at once, and so many times that may wait to be printed.
const PRINTED: usize = 128 << 10;
const WAITING: usize = 2;

/// Collects rows.
#[derive(Debug)]
pub(crate) struct Sorter {
    buffer: Buffer,
    capacity: usize,
    order: Order,
    /// `None` before the first buffer is full.
    background: Option<Background>,
}

/// Which rows come first, and how many of them are wanted.
#[derive(Clone, Copy, Debug)]
struct Order {
    descending: bool,
    limit: u64,
}

/// Rows in memory: their bytes one after the other, and where each begins.
#[derive(Debug, Default)]
struct Buffer {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

/// One row. The first bytes of its key decide most comparisons without a look at the row.
#[derive(Clone, Copy, Debug)]
struct Entry {
    prefix: u64,
    key: usize,
    row: usize,
    end: usize,
}

/// A row behind its key.
#[derive(Clone, Copy, Debug, Default)]
struct Row<'r> {
    /// The length of the key.
    key: usize,
    bytes: &'r [u8],
}

impl<'r> Row<'r> {
    fn key(self) -> &'r [u8] {
        &self.bytes[..self.key]
    }

    fn row(self) -> &'r [u8] {
        &self.bytes[self.key..]
    }
}

impl Sorter {
    /// Sorts by key, equal keys in the order in which they come, and keeps the first `limit` rows.
    pub(crate) fn new(descending: bool, limit: u64) -> Self {
        Self::with_capacity(BUFFER, descending, limit)
    }

    fn with_capacity(capacity: usize, descending: bool, limit: u64) -> Self {
        Self { buffer: Buffer::default(), capacity, order: Order { descending, limit }, background: None }
    }

    /// Takes a row.
    pub(crate) fn push(&mut self, key: &[u8], row: &[u8]) -> Result<()> {
        let needed = key.len() + row.len();
        if !self.buffer.entries.is_empty() && self.buffer.size() + needed > self.capacity {
            let background = match &mut self.background {
                Some(background) => background,
                none => none.insert(Background::start(self.order)?),
            };
            background.store(&mut self.buffer)?;
        }
        let start = self.buffer.bytes.len();
        self.buffer.bytes.extend_from_slice(key);
        self.buffer.bytes.extend_from_slice(row);
        let entry = Entry { prefix: prefix(key), key: start, row: start + key.len(), end: start + needed };
        self.buffer.entries.push(entry);
        Ok(())
    }

    /// Ends the collection.
    pub(crate) fn finish(self) -> Result<Sorted> {
        let Self { mut buffer, order, background, .. } = self;
        buffer.sort(order);
        let runs = background.map_or_else(|| Ok(Vec::new()), Background::finish)?;
        Ok(Sorted { buffer, runs, order })
    }
}

impl Buffer {
    fn size(&self) -> usize {
        self.bytes.len() + self.entries.len() * size_of::<Entry>()
    }

    fn row(&self, entry: &Entry) -> Row<'_> {
        Row { key: entry.row - entry.key, bytes: &self.bytes[entry.key..entry.end] }
    }

    fn sort(&mut self, order: Order) {
        let mut entries = std::mem::take(&mut self.entries);
        // The order of arrival, which is that of the bytes, decides between equals: no stable sort is needed.
        entries.sort_unstable_by(|a, b| {
            let keys = a.prefix.cmp(&b.prefix).then_with(|| self.row(a).key().cmp(self.row(b).key()));
            order.of(keys).then(a.key.cmp(&b.key)).then(a.end.cmp(&b.end))
        });
        entries.truncate(usize::try_from(order.limit).unwrap_or(usize::MAX));
        self.entries = entries;
    }
}

/// The first eight bytes of a key as a number that compares as they do; a shorter key as if filled up with zeros.
fn prefix(key: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let length = key.len().min(8);
    bytes[..length].copy_from_slice(&key[..length]);
    u64::from_be_bytes(bytes)
}

impl Order {
    const fn of(self, keys: Ordering) -> Ordering {
        if self.descending { keys.reverse() } else { keys }
    }
}

/// The rows in order, to be read as often as one likes.
#[derive(Debug)]
pub(crate) struct Sorted {
    /// Those that came last, or all.
    buffer: Buffer,
    runs: Vec<Run>,
    order: Order,
}

impl Sorted {
    /// The number of rows, where all of them are in memory.
    pub(crate) fn in_memory(&self) -> Option<usize> {
        self.runs.is_empty().then_some(self.buffer.entries.len())
    }

    /// Hands out every row in order.
    pub(crate) fn each(&mut self, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        if self.runs.is_empty() {
            return self.buffer.entries.iter().try_for_each(|entry| take(self.buffer.row(entry).row()));
        }
        let Self { buffer, runs, order } = self;
        thread::scope(|scope| {
            // While some are printed, a thread merges the next.
            let (send, merged) = mpsc::sync_channel(WAITING);
            let merge = move || merge_all(runs, buffer, *order, &send);
            let merging = thread::Builder::new().name("merge".to_owned()).spawn_scoped(scope, merge);
            let merging = merging.map_err(no_thread)?;
            for rows in merged {
                let Rows { bytes, ends } = rows;
                let mut start = 0;
                for end in ends {
                    take(&bytes[start..end])?;
                    start = end;
                }
            }
            merging.join().unwrap_or_else(|failure| panic::resume_unwind(failure))
        })
    }
}

/// Rows in order, one after the other.
#[derive(Default)]
struct Rows {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

fn merge_all(runs: &mut [Run], buffer: &Buffer, order: Order, send: &SyncSender<Rows>) -> Result<()> {
    let mut merge = Merge::new(runs, Some(buffer), order)?;
    let mut rows = Rows::default();
    while let Some(row) = merge.next()? {
        rows.bytes.extend_from_slice(row.row());
        rows.ends.push(rows.bytes.len());
        let size = rows.bytes.len() + rows.ends.len() * size_of::<usize>();
        if size >= PRINTED && send.send(mem::take(&mut rows)).is_err() {
            // Nobody wants more.
            return Ok(());
        }
    }
    let _ = send.send(rows);
    Ok(())
}

/// The error where the system gives no more threads.
pub(crate) fn no_thread(error: io::Error) -> Error {
    Error::new(ErrorKind::Other, "cannot start a thread").with_source(error)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sorted(capacity: usize, descending: bool, limit: u64, rows: &[(Vec<u8>, Vec<u8>)]) -> Vec<Vec<u8>> {
        let mut sorter = Sorter::with_capacity(capacity, descending, limit);
        for (key, row) in rows {
            sorter.push(key, row).unwrap();
        }
        let mut rows = sorter.finish().unwrap();
        let mut out = Vec::new();
        for _ in 0..2 {
            out.clear();
            rows.each(|row| {
                out.push(row.to_vec());
                Ok(())
            })
            .unwrap();
        }
        out
    }

    proptest! {
        #[test]
        fn any_rows_come_back_in_order(
            rows in prop::collection::vec((prop::collection::vec(0_u8..3, 0..10), prop::collection::vec(any::<u8>(), 0..20)), 0..300),
            capacity in prop::sample::select(vec![1, 100, 1_000, 1 << 20]),
            descending in any::<bool>(),
            limit in prop::sample::select(vec![0, 1, 7, u64::MAX]),
        ) {
            let mut expected = rows.clone();
            expected.sort_by(|a, b| Order { descending, limit }.of(a.0.cmp(&b.0)));
            let expected: Vec<_> = expected.into_iter().map(|(_, row)| row).take(usize::try_from(limit).unwrap()).collect();
            prop_assert_eq!(sorted(capacity, descending, limit, &rows), expected);
        }
    }

    #[test]
    fn more_runs_than_may_be_open_are_merged_in_between() {
        // Each row is a run, and a thousand come to each key: more than two levels of merging have to keep in order.
        let row = |n: u32| (vec![u8::try_from(n / 1_000).unwrap()], n.to_le_bytes().to_vec());
        let rows: Vec<_> = (0..5_000).rev().map(row).collect();
        let mut expected = rows.clone();
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        let expected: Vec<_> = expected.into_iter().map(|(_, row)| row).collect();
        assert_eq!(sorted(1, false, u64::MAX, &rows), expected);
    }
}
