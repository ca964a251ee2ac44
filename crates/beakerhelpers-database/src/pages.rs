//! Reading sessions, a page at a time, from any database.

use std::vec;

use beakerhelpers_core::{NaiveTime, Order, Query, Record, Result, Zone};

use crate::sql::Direction;
use crate::statement::Key;
use crate::times::Clock;

/// A page is to hold so many bytes.
pub(crate) const BYTES: usize = 4 * 1024 * 1024;
/// The first page looks at so many rows: how large they are is not known yet.
const FIRST: u32 = 200;
const FEWEST: u32 = 8;

/// Where pages come from.
pub(crate) trait Source {
    /// A page looks at so many rows at most.
    const MOST: u32;

    /// The zone of the table's times.
    fn zone(&self) -> Zone;

    /// Reads a page. All locks are gone, and no statement is open, when it is there.
    fn page(&self, want: &Want<'_>, clock: &mut Clock) -> Result<Page>;

    /// Reads the one row of a key.
    fn again(&self, key: &Key) -> Result<Option<Result<Record>>>;

    /// Nobody wants to read any more for now.
    fn release(&self);
}

/// Which page.
#[derive(Debug)]
pub(crate) struct Want<'a> {
    pub(crate) after: Option<&'a Key>,
    pub(crate) way: Direction,
    pub(crate) rows: u32,
    /// The naive time before which a session is old, and left out.
    pub(crate) cutoff: Option<NaiveTime>,
}

/// Some rows.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) entries: Vec<Entry>,
    /// The key of the last row looked at, `None` where there was no row.
    pub(crate) last: Option<Key>,
    /// How many rows were looked at.
    pub(crate) rows: u32,
    /// How large the contents were.
    pub(crate) bytes: usize,
}

#[derive(Debug)]
pub(crate) enum Entry {
    Record(Result<Record>),
    /// A row whose contents were left out as old, and that turned out not to be: its time is no time.
    Again(Key),
}

/// The records of a query. Rows with the same key can only be those of a view; where a page ends among them, the rest of
/// them is left out. A page is read whole and its statement ended before the first record of it is handed out,
/// so that whoever takes his time with a record holds no lock. After the last one, or once this is dropped, a store that
/// only reads has no connection open: whoever takes his time with all of them is in nobody's way.
pub(crate) struct Pages<'s, S: Source> {
    source: &'s S,
    way: Direction,
    cutoff: Option<NaiveTime>,
    left: u64,
    after: Option<Key>,
    page: vec::IntoIter<Entry>,
    rows: u32,
    ended: bool,
    clock: Clock,
}

impl<'s, S: Source> Pages<'s, S> {
    pub(crate) fn new(source: &'s S, query: Query) -> Self {
        Self {
            source,
            way: if query.order == Order::Newest { Direction::Down } else { Direction::Up },
            cutoff: query.active.map(|cutoff| source.zone().naive_cutoff(cutoff)),
            left: query.limit.unwrap_or(u64::MAX),
            after: None,
            page: Vec::new().into_iter(),
            rows: FIRST.min(S::MOST),
            ended: false,
            clock: Clock::new(source.zone()),
        }
    }

    fn next_page(&mut self) -> Result<()> {
        let most =
            if self.cutoff.is_some() { S::MOST } else { S::MOST.min(u32::try_from(self.left).unwrap_or(S::MOST)) };
        let rows = self.rows.min(most).max(1);
        let want = Want { after: self.after.as_ref(), way: self.way, rows, cutoff: self.cutoff };
        let page = self.source.page(&want, &mut self.clock)?;
        self.ended = page.last.is_none();
        // Eight times as many at most: what is large may come in a heap.
        let fit = u32::try_from(BYTES.saturating_mul(page.rows as usize) / page.bytes.max(1)).unwrap_or(u32::MAX);
        self.rows = fit.clamp(FEWEST, S::MOST).min(rows.saturating_mul(8).max(FEWEST));
        self.after = page.last;
        self.page = page.entries.into_iter();
        Ok(())
    }

    fn advance(&mut self) -> Option<Result<Record>> {
        while self.left > 0 {
            let item = match self.page.next() {
                Some(Entry::Record(record)) => Some(record),
                Some(Entry::Again(key)) => self.source.again(&key).unwrap_or_else(|error| Some(Err(error))),
                None if self.ended => return None,
                None => match self.next_page() {
                    Ok(()) => None,
                    Err(error) => {
                        self.left = 0;
                        Some(Err(error))
                    }
                },
            };
            if let Some(item) = item {
                self.left = self.left.saturating_sub(u64::from(item.is_ok()));
                return Some(item);
            }
        }
        None
    }
}

impl<S: Source> Iterator for Pages<'_, S> {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.advance();
        if item.is_none() || self.left == 0 {
            self.source.release();
        }
        item
    }
}

impl<S: Source> Drop for Pages<'_, S> {
    fn drop(&mut self) {
        self.source.release();
    }
}
