//! Sorts rows that may be more than fit into memory.
//!
//! Rows are collected in a buffer of fixed size. A full buffer is sorted and becomes a *run*: a sequential, unlinked
//! temporary file that only this user can read, so that neither a crash nor a curious neighbour leaves or finds sessions
//! there. At the end the runs are merged. What fits into the buffer never touches a disk.

mod run;

use std::cmp::Ordering;

use beakerhelpers_core::Result;

use self::run::Run;

/// The size of the buffer. Larger ones make fewer runs, not less work.
const BUFFER: usize = 48 << 20;
/// More runs than this are merged into one, so that neither open files nor read buffers grow with the store.
const MOST_RUNS: usize = 64;

/// Collects rows.
#[derive(Debug)]
pub(crate) struct Sorter {
    buffer: Buffer,
    runs: Vec<Run>,
    capacity: usize,
    limit: u64,
    descending: bool,
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

impl Sorter {
    /// Sorts by key, equal keys in the order in which they come, and keeps the first `limit` rows.
    pub(crate) fn new(descending: bool, limit: u64) -> Self {
        Self::with_capacity(BUFFER, descending, limit)
    }

    fn with_capacity(capacity: usize, descending: bool, limit: u64) -> Self {
        Self { buffer: Buffer::default(), runs: Vec::new(), capacity, limit, descending }
    }

    /// Takes a row.
    pub(crate) fn push(&mut self, key: &[u8], row: &[u8]) -> Result<()> {
        let needed = key.len() + row.len();
        if !self.buffer.entries.is_empty() && self.buffer.size() + needed > self.capacity {
            self.flush()?;
        }
        let start = self.buffer.bytes.len();
        self.buffer.bytes.extend_from_slice(key);
        self.buffer.bytes.extend_from_slice(row);
        let entry = Entry { prefix: prefix(key), key: start, row: start + key.len(), end: start + needed };
        self.buffer.entries.push(entry);
        Ok(())
    }

    /// Ends the collection.
    pub(crate) fn finish(mut self) -> Result<Sorted> {
        if !self.runs.is_empty() && !self.buffer.entries.is_empty() {
            self.flush()?;
        }
        let Self { mut buffer, runs, limit, descending, .. } = self;
        buffer.sort(descending, limit);
        Ok(Sorted { buffer, runs, limit, descending })
    }

    fn flush(&mut self) -> Result<()> {
        self.buffer.sort(self.descending, self.limit);
        let mut run = run::Writer::create()?;
        for entry in &self.buffer.entries {
            run.push(self.buffer.key(entry), self.buffer.row(entry))?;
        }
        self.runs.push(run.finish()?);
        self.buffer.bytes.clear();
        self.buffer.entries.clear();
        if self.runs.len() >= MOST_RUNS {
            let mut runs = std::mem::take(&mut self.runs);
            let mut merged = run::Writer::create()?;
            let mut rows = Merge::new(&mut runs, self.descending, self.limit)?;
            while let Some((key, row)) = rows.next()? {
                merged.push(key, row)?;
            }
            self.runs.push(merged.finish()?);
        }
        Ok(())
    }
}

impl Buffer {
    fn size(&self) -> usize {
        self.bytes.len() + self.entries.len() * size_of::<Entry>()
    }

    fn key(&self, entry: &Entry) -> &[u8] {
        &self.bytes[entry.key..entry.row]
    }

    fn row(&self, entry: &Entry) -> &[u8] {
        &self.bytes[entry.row..entry.end]
    }

    fn sort(&mut self, descending: bool, limit: u64) {
        let mut entries = std::mem::take(&mut self.entries);
        // The order of arrival, which is that of the bytes, decides between equals: no stable sort is needed.
        entries.sort_unstable_by(|a, b| {
            let keys = a.prefix.cmp(&b.prefix).then_with(|| self.key(a).cmp(self.key(b)));
            directed(keys, descending).then(a.key.cmp(&b.key)).then(a.end.cmp(&b.end))
        });
        entries.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
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

fn directed(ordering: Ordering, descending: bool) -> Ordering {
    if descending { ordering.reverse() } else { ordering }
}

/// The rows in order, to be read as often as one likes.
#[derive(Debug)]
pub(crate) struct Sorted {
    buffer: Buffer,
    runs: Vec<Run>,
    limit: u64,
    descending: bool,
}

impl Sorted {
    /// The number of rows, where all of them are in memory.
    pub(crate) fn in_memory(&self) -> Option<usize> {
        self.runs.is_empty().then_some(self.buffer.entries.len())
    }

    /// Hands out every row in order.
    pub(crate) fn each(&mut self, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        if self.runs.is_empty() {
            return self.buffer.entries.iter().try_for_each(|entry| take(self.buffer.row(entry)));
        }
        let mut rows = Merge::new(&mut self.runs, self.descending, self.limit)?;
        while let Some((_, row)) = rows.next()? {
            take(row)?;
        }
        Ok(())
    }
}

/// Runs merged into one order, the earlier run first between equals.
struct Merge<'r> {
    readers: Vec<run::Reader<'r>>,
    /// The readers that have a row, as a binary heap with the one whose row comes next on top.
    heap: Vec<usize>,
    descending: bool,
    left: u64,
    /// The top was handed out and has to move on before the next row.
    taken: bool,
}

impl<'r> Merge<'r> {
    fn new(runs: &'r mut [Run], descending: bool, limit: u64) -> Result<Self> {
        let mut readers = runs.iter_mut().map(Run::read).collect::<Result<Vec<_>>>()?;
        let mut heap = Vec::with_capacity(readers.len());
        for (number, reader) in readers.iter_mut().enumerate() {
            if reader.advance()? {
                heap.push(number);
            }
        }
        let mut merge = Self { readers, heap, descending, left: limit, taken: false };
        for at in (0..merge.heap.len() / 2).rev() {
            merge.sink(at);
        }
        Ok(merge)
    }

    fn next(&mut self) -> Result<Option<(&[u8], &[u8])>> {
        if self.taken {
            self.taken = false;
            if !self.readers[self.heap[0]].advance()? {
                self.heap.swap_remove(0);
            }
            self.sink(0);
        }
        let Some(top) = self.heap.first().filter(|_| self.left > 0) else { return Ok(None) };
        self.left -= 1;
        self.taken = true;
        let reader = &self.readers[*top];
        Ok(Some((reader.key(), reader.row())))
    }

    fn sink(&mut self, mut at: usize) {
        loop {
            let first = (2 * at + 1..=2 * at + 2)
                .filter(|child| *child < self.heap.len())
                .fold(at, |first, child| if self.comes_before(child, first) { child } else { first });
            if first == at {
                return;
            }
            self.heap.swap(at, first);
            at = first;
        }
    }

    fn comes_before(&self, a: usize, b: usize) -> bool {
        let (a, b) = (self.heap[a], self.heap[b]);
        let keys = self.readers[a].key().cmp(self.readers[b].key());
        directed(keys, self.descending).then(a.cmp(&b)) == Ordering::Less
    }
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
            expected.sort_by(|a, b| directed(a.0.cmp(&b.0), descending));
            let expected: Vec<_> = expected.into_iter().map(|(_, row)| row).take(usize::try_from(limit).unwrap()).collect();
            prop_assert_eq!(sorted(capacity, descending, limit, &rows), expected);
        }
    }

    #[test]
    fn more_runs_than_may_be_open_are_merged_in_between() {
        let rows: Vec<_> = (0..500_u32).rev().map(|n| (n.to_be_bytes().to_vec(), n.to_le_bytes().to_vec())).collect();
        let expected: Vec<_> = (0..500_u32).map(|n| n.to_le_bytes().to_vec()).collect();
        assert_eq!(sorted(1, false, u64::MAX, &rows), expected);
    }
}
