//! Reading sessions, a page at a time.

use std::vec;

use beakerhelpers_core::{Error, Framing, NaiveTime, Order, Payload, Query, Record, Result, SessionId, Zone};
use diesel::result::QueryResult;
use diesel::row::Row;
use diesel::sqlite::Sqlite;

use super::connection::{Connection, bytes, int, only_text, value};
use super::sql::{Direction, LARGEST_DATA, Sql};
use super::{SqliteStore, comparable_text};
use crate::statement::{Key, KeyColumn, Statement};
use crate::times::Clock;

/// A page ends after so many rows looked at, or so many bytes read.
const ROWS: u32 = 1000;
const BYTES: usize = 4 * 1024 * 1024;

/// The records of a query. Rows with the same key can only be those of a view; where a page ends among them, the rest of
/// them is left out. A page is read whole and its statement ended before the first record of it is handed out,
/// so that whoever takes his time with a record holds no lock. After the last one, or once this is dropped, a store that
/// only reads has no connection open: whoever takes his time with all of them is in nobody's way.
pub(crate) struct Pages<'s> {
    store: &'s SqliteStore,
    way: Direction,
    /// The naive time before which a session is old.
    cutoff: Option<NaiveTime>,
    left: u64,
    after: Option<Key>,
    page: vec::IntoIter<Entry>,
    ended: bool,
    clock: Clock,
}

enum Entry {
    Record(Result<Record>),
    /// A row whose contents were left out as old, and that turned out not to be: its time is no time.
    Again(Key),
}

impl<'s> Pages<'s> {
    pub(crate) fn new(store: &'s SqliteStore, query: Query) -> Self {
        Self {
            store,
            way: if query.order == Order::Newest { Direction::Down } else { Direction::Up },
            cutoff: query.active.map(|cutoff| store.zone.naive_cutoff(cutoff)),
            left: query.limit.unwrap_or(u64::MAX),
            after: None,
            page: Vec::new().into_iter(),
            ended: false,
            clock: Clock::new(store.zone),
        }
    }

    fn next_page(&mut self) -> Result<()> {
        let rows = if self.cutoff.is_some() { ROWS } else { ROWS.min(u32::try_from(self.left).unwrap_or(ROWS)) };
        let old = self.cutoff.map(comparable_text);
        let (way, cutoff, after, clock) = (self.way, self.cutoff, self.after.as_ref(), &mut self.clock);
        let (page, last) = self.store.read(|connection, sql| {
            let statement = sql.page(after, way, i64::from(rows), old.as_deref());
            read_page(connection, &statement, sql, cutoff, clock)
        })?;
        self.ended = last.is_none();
        self.after = last;
        self.page = page.into_iter();
        Ok(())
    }

    fn advance(&mut self) -> Option<Result<Record>> {
        while self.left > 0 {
            let item = match self.page.next() {
                Some(Entry::Record(record)) => Some(record),
                Some(Entry::Again(key)) => self.again(&key),
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

    fn again(&mut self, key: &Key) -> Option<Result<Record>> {
        let zone = self.store.zone;
        self.store
            .read(|connection, sql| one(connection, &sql.by_key(key), zone))
            .unwrap_or_else(|error| Some(Err(error)))
    }
}

impl Iterator for Pages<'_> {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.advance();
        if item.is_none() || self.left == 0 {
            self.store.release();
        }
        item
    }
}

impl Drop for Pages<'_> {
    fn drop(&mut self) {
        self.store.release();
    }
}

/// The entries of a page and the key of its last row, none where there was no row.
fn read_page(
    connection: &mut Connection,
    statement: &Statement<'_>,
    sql: Sql<'_>,
    cutoff: Option<NaiveTime>,
    clock: &mut Clock,
) -> QueryResult<(Vec<Entry>, Option<Key>)> {
    let (mut page, mut last, mut size) = (Vec::new(), None, 0);
    for row in connection.rows(statement)? {
        let row = row?;
        let key = key(&row, sql.key);
        let old = cutoff.is_some_and(|cutoff| accessed(&row).is_some_and(|accessed| accessed < cutoff));
        if !old {
            let left_out = int(&row, 4) == Some(1);
            page.push(if left_out { Entry::Again(key.clone()) } else { Entry::Record(record(&row, clock)) });
            size += usize::try_from(int(&row, 5).unwrap_or(0)).unwrap_or(0).min(BYTES);
        }
        last = Some(key);
        if size >= BYTES {
            break;
        }
    }
    Ok((page, last))
}

/// The record of a statement that finds one at most.
pub(crate) fn one(
    connection: &mut Connection,
    statement: &Statement<'_>,
    zone: Zone,
) -> QueryResult<Option<Result<Record>>> {
    let mut clock = Clock::new(zone);
    let mut rows = connection.rows(statement)?;
    Ok(rows.next().transpose()?.map(|row| record(&row, &mut clock)))
}

/// The key of a row, its first column.
pub(crate) fn key<'r>(row: &impl Row<'r, Sqlite>, column: KeyColumn) -> Key {
    match column {
        KeyColumn::Number(_) => Key::Number(int(row, 0).unwrap_or_default()),
        KeyColumn::Namespace => value(row, 0),
    }
}

fn accessed<'r>(row: &impl Row<'r, Sqlite>) -> Option<NaiveTime> {
    only_text(row, 2, NaiveTime::parse).flatten()
}

fn record<'r>(row: &impl Row<'r, Sqlite>, clock: &mut Clock) -> Result<Record> {
    let id = match bytes(row, 1, |id| str::from_utf8(id).map(SessionId::new)) {
        Some(Ok(id)) => id,
        Some(Err(_)) => return Err(Error::corrupt("a session's id is not UTF-8")),
        None => return Err(Error::corrupt("a session has no id")),
    };
    if let Some(size) = int(row, 5).filter(|size| *size > LARGEST_DATA) {
        return Err(Error::corrupt(format!("a session is too large to be one: {size} bytes")));
    }
    let data = bytes(row, 6, <[u8]>::to_vec).unwrap_or_default();
    let accessed = only_text(row, 2, |text| clock.read(text)).flatten();
    let created = only_text(row, 3, |text| clock.read(text)).flatten();
    Ok(Record::new(id, Payload::new(Framing::Namespace, data)).with_times(created, accessed))
}
