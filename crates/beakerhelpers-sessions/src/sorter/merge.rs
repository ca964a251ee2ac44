//! Merging what is sorted.

use std::cmp::Ordering;
use std::slice;

use beakerhelpers_core::Result;

use super::run::{Reader, Run};
use super::{Buffer, Entry, Order, Row};

/// Runs, and at last a buffer, merged into one order, the earlier between equals.
pub(super) struct Merge<'r> {
    sources: Vec<Source<'r>>,
    /// The sources that have a row, as a binary heap with the one whose row comes next on top.
    heap: Vec<usize>,
    order: Order,
    left: u64,
    /// The top was handed out and has to move on before the next row.
    taken: bool,
}

enum Source<'r> {
    Run(Reader<'r>),
    Memory { buffer: &'r Buffer, rest: slice::Iter<'r, Entry>, at: Option<&'r Entry> },
}

impl<'r> Merge<'r> {
    pub(super) fn new(runs: &'r mut [Run], buffer: Option<&'r Buffer>, order: Order) -> Result<Self> {
        let mut sources = runs.iter_mut().map(|run| run.read().map(Source::Run)).collect::<Result<Vec<_>>>()?;
        sources.extend(buffer.map(|buffer| Source::Memory { buffer, rest: buffer.entries.iter(), at: None }));
        let mut heap = Vec::with_capacity(sources.len());
        for (number, source) in sources.iter_mut().enumerate() {
            if source.advance()? {
                heap.push(number);
            }
        }
        let mut merge = Self { sources, heap, order, left: order.limit, taken: false };
        for at in (0..merge.heap.len() / 2).rev() {
            merge.sink(at);
        }
        Ok(merge)
    }

    pub(super) fn next(&mut self) -> Result<Option<Row<'_>>> {
        if self.taken {
            self.taken = false;
            if !self.sources[self.heap[0]].advance()? {
                self.heap.swap_remove(0);
            }
            self.sink(0);
        }
        let Some(top) = self.heap.first().filter(|_| self.left > 0) else { return Ok(None) };
        self.left -= 1;
        self.taken = true;
        self.sources[*top].row().map(Some)
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
        let keys = self.sources[a].key().cmp(self.sources[b].key());
        self.order.of(keys).then(a.cmp(&b)) == Ordering::Less
    }
}

impl Source<'_> {
    /// Moves on to the next row; `false` at the end.
    fn advance(&mut self) -> Result<bool> {
        match self {
            Self::Run(reader) => reader.advance(),
            Self::Memory { rest, at, .. } => {
                *at = rest.next();
                Ok(at.is_some())
            }
        }
    }

    /// The key of the row that it is at.
    fn key(&self) -> &[u8] {
        match self {
            Self::Run(reader) => reader.key(),
            Self::Memory { buffer, at, .. } => at.map_or_else(Row::default, |entry| buffer.row(entry)).key(),
        }
    }

    /// The row that it is at.
    fn row(&mut self) -> Result<Row<'_>> {
        match self {
            Self::Run(reader) => reader.row(),
            Self::Memory { buffer, at, .. } => Ok(at.map_or_else(Row::default, |entry| buffer.row(entry))),
        }
    }
}
