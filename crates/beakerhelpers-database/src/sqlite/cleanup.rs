//! Deleting old sessions from SQLite.

mod batch;

use beakerhelpers_core::{CleanupMode, Cutoff, DeletePlan, Deleted, NaiveTime, Pace, Progress, Result};
use diesel::result::QueryResult;

use super::connection::{Connection, int, only_text};
use super::{SqliteStore, comparable_age, pages};
use crate::cleanup::{self, Batch, Found, Table, Want};
use crate::failure::Failure;
use crate::sql::Sql;
use crate::times::Clock;

/// Finds and deletes, batch by batch.
pub(crate) fn run(
    store: &SqliteStore,
    cutoff: Cutoff,
    plan: &DeletePlan,
    progress: &mut dyn Progress,
) -> Result<Deleted> {
    let pace = Pace::start(plan);
    if plan.mode == CleanupMode::Count {
        return cleanup::run(&mut Counted(store), store.zone, store.opener.wait, cutoff, plan, pace, progress);
    }
    store.refuse_to_write()?;
    let age = comparable_age(store.zone.naive_cutoff(cutoff));
    let mut batches = batch::Batches::start(store, age, plan)?;
    cleanup::run(&mut batches, store.zone, store.opener.wait, cutoff, plan, pace, progress)
}

/// A table that is only looked at.
struct Counted<'s>(&'s SqliteStore);

impl Table for Counted<'_> {
    fn look(&mut self, want: &Want<'_>, clock: &mut Clock) -> Result<Found, Failure> {
        Ok(self.0.read(|connection, sql| find(connection, sql, want, clock))?)
    }

    fn delete(&mut self, _: &Found, _: &mut dyn Progress) -> Result<Batch, Failure> {
        unreachable!("a run that counts deletes nothing")
    }

    fn count(&mut self, found: &Found) -> Result<u64, Failure> {
        Ok(self.0.read(|connection, sql| count(connection, sql, found))?)
    }
}

fn find(connection: &mut Connection, sql: Sql<'_>, want: &Want<'_>, clock: &mut Clock) -> QueryResult<Found> {
    let mut found = Found::default();
    let statement = sql.times(want.after, i64::try_from(want.rows).unwrap_or(i64::MAX), want.archive);
    for row in connection.rows(&statement)? {
        let row = row?;
        let accessed = only_text(&row, 1, NaiveTime::parse).flatten();
        if found.push(want, pages::key(&row, sql.key), accessed, || int(&row, 2), clock) {
            break;
        }
    }
    Ok(found)
}

fn count(connection: &mut Connection, sql: Sql<'_>, found: &Found) -> QueryResult<u64> {
    let Some((first, last)) = &found.range else { return Ok(0) };
    let statement = sql.count(first, last);
    let row = connection.rows(&statement)?.next().transpose()?;
    Ok(row.and_then(|row| int(&row, 0)).and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}
