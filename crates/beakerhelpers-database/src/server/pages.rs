//! Reading rows.

use std::ops::ControlFlow;

use beakerhelpers_core::{Error, Framing, Payload, Record, Result, SessionId, Zone};

use super::ServerStore;
use super::client::{Client, Row};
use crate::failure::Failure;
use crate::pages::{BYTES, Entry, Page, Source, Want};
use crate::sql::{Age, FIRST_TIME, LARGEST_DATA};
use crate::statement::{Key, KeyColumn, Statement};
use crate::times::Clock;

impl<C: Client> Source for ServerStore<C> {
    const MOST: u32 = 5000;

    fn zone(&self) -> Zone {
        self.zone
    }

    fn page(&self, want: &Want<'_>, clock: &mut Clock) -> Result<Page> {
        self.read(|client, sql, layout| {
            let cutoff = want.cutoff.map(|cutoff| layout.cutoff(cutoff));
            let (old, form) = (cutoff.map(Age::Time), self.form(layout));
            let largest = largest(want.rows);
            let statement = sql.page(want.after, want.way, i64::from(want.rows), old.as_ref(), largest);
            let (mut page, mut unreadable) = (Page::default(), None);
            client.rows(&statement, &mut |row| {
                // What is old comes without contents; a row without any has no size, but its time tells.
                let old = cutoff.zip(row.time(2)).is_some_and(|(cutoff, accessed)| accessed < cutoff);
                let key = match key(row, 0, sql.key) {
                    Ok(key) => key,
                    Err(error) => {
                        unreadable = Some(error);
                        return ControlFlow::Break(());
                    }
                };
                if !old {
                    let size = row.int(5).unwrap_or(0);
                    page.bytes += usize::try_from(size).unwrap_or(0).min(BYTES);
                    let left_out = size > largest && size <= LARGEST_DATA;
                    let entry =
                        if left_out { Entry::Again(key.clone()) } else { Entry::Record(record(row, form, clock)) };
                    page.entries.push(entry);
                }
                page.last = Some(if sql.is_sorted(want.way) { created(row, key) } else { key });
                page.rows += 1;
                if page.bytes >= 2 * BYTES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            unreadable.map_or(Ok(page), |error| Err(error.into()))
        })
    }

    fn again(&self, key: &Key) -> Result<Option<Result<Record>>> {
        self.read(|client, sql, layout| one(client, &sql.by_key(key), self.form(layout), self.zone))
    }

    fn release(&self) {}
}

/// What is larger is read on its own: whatever a page ends with, the server sends all of it.
fn largest(rows: u32) -> i64 {
    let most = (16 * BYTES / rows.max(1) as usize).max(16 * 1024);
    i64::try_from(most).unwrap_or(LARGEST_DATA).min(LARGEST_DATA)
}

/// What the contents of a table are like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    pub(crate) framing: Framing,
    /// It holds so many bytes at most.
    pub(crate) room: u64,
}

/// The record of a statement that finds one at most.
pub(crate) fn one<C: Client>(
    client: &mut C,
    statement: &Statement<'_>,
    form: Form,
    zone: Zone,
) -> Result<Option<Result<Record>>, Failure> {
    let mut clock = Clock::new(zone);
    let mut found = None;
    client.rows(statement, &mut |row| {
        found = Some(record(row, form, &mut clock));
        ControlFlow::Break(())
    })?;
    Ok(found)
}

/// A place in the order of creation. What was never created comes last: there is nothing behind it.
fn created(row: &dyn Row, key: Key) -> Key {
    match key {
        Key::Id(id) => Key::Created(row.time(3).unwrap_or(FIRST_TIME), id),
        key => key,
    }
}

/// The key in a column. One that could only be shown, and not be compared with, would lead round in circles.
pub(crate) fn key(row: &dyn Row, column: usize, kind: KeyColumn) -> Result<Key> {
    let key = match kind {
        KeyColumn::Number(_) => row.int(column).map(Key::Number),
        KeyColumn::Namespace => {
            row.bytes(column).and_then(|id| str::from_utf8(id).ok()).map(|id| Key::Id(id.to_owned()))
        }
    };
    key.ok_or_else(|| Error::unsupported("a session's id is not UTF-8, and the table has no other key"))
}

/// The record of a row of [`Sql::page`](crate::sql::Sql::page).
pub(crate) fn record(row: &dyn Row, form: Form, clock: &mut Clock) -> Result<Record> {
    let id = match row.bytes(1).map(str::from_utf8) {
        Some(Ok(id)) => SessionId::new(id),
        Some(Err(_)) => return Err(Error::corrupt("a session's id is not UTF-8")),
        None => return Err(Error::corrupt("a session has no id")),
    };
    let size = row.int(5).unwrap_or(0);
    if size > LARGEST_DATA {
        return Err(Error::corrupt(format!("a session is too large to be one: {size} bytes")));
    }
    let data = row.bytes(6).unwrap_or_default().to_vec();
    let payload = Payload::new(form.framing, data).with_room(form.room);
    let mut time = |column| row.time(column).map(|naive| clock.instant_of(naive));
    let (accessed, created) = (time(2), time(3));
    Ok(Record::new(id, payload).with_times(created, accessed))
}
