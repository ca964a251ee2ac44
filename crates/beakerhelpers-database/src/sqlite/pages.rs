//! Reading rows.

use beakerhelpers_core::{Error, Framing, NaiveTime, Payload, Record, Result, SessionId, Zone};
use diesel::result::QueryResult;
use diesel::row::Row;
use diesel::sqlite::Sqlite;

use super::connection::{Connection, bytes, int, only_text, value};
use super::{SqliteStore, comparable_age};
use crate::pages::{BYTES, Entry, Page, Source, Want};
use crate::sql::{LARGEST_DATA, Sql};
use crate::statement::{Key, KeyColumn, Statement};
use crate::times::Clock;

impl Source for SqliteStore {
    /// Few enough to end a page in the middle of the statement where they are large.
    const MOST: u32 = 1000;

    fn zone(&self) -> Zone {
        self.zone
    }

    fn page(&self, want: &Want<'_>, clock: &mut Clock) -> Result<Page> {
        let old = want.cutoff.map(comparable_age);
        self.read(|connection, sql| {
            let statement = sql.page(want.after, want.way, i64::from(want.rows), old.as_ref(), LARGEST_DATA);
            read_page(connection, &statement, sql, want.cutoff, clock)
        })
    }

    fn again(&self, key: &Key) -> Result<Option<Result<Record>>> {
        self.read(|connection, sql| one(connection, &sql.by_key(key), self.zone))
    }

    fn release(&self) {
        SqliteStore::release(self);
    }
}

fn read_page(
    connection: &mut Connection,
    statement: &Statement<'_>,
    sql: Sql<'_>,
    cutoff: Option<NaiveTime>,
    clock: &mut Clock,
) -> QueryResult<Page> {
    let mut page = Page::default();
    for row in connection.rows(statement)? {
        let row = row?;
        let key = key(&row, sql.key);
        let old = cutoff.is_some_and(|cutoff| accessed(&row).is_some_and(|accessed| accessed < cutoff));
        if !old {
            let left_out = int(&row, 4) == Some(1);
            page.entries.push(if left_out { Entry::Again(key.clone()) } else { Entry::Record(record(&row, clock)) });
            page.bytes += usize::try_from(int(&row, 5).unwrap_or(0)).unwrap_or(0).min(BYTES);
        }
        page.last = Some(key);
        page.rows += 1;
        if page.bytes >= BYTES {
            break;
        }
    }
    Ok(page)
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

pub(crate) fn record<'r>(row: &impl Row<'r, Sqlite>, clock: &mut Clock) -> Result<Record> {
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
