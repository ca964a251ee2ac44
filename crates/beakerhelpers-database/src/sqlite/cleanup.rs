//! Deleting old sessions under the eyes of a live application.

use std::time::{Duration, Instant};

use beakerhelpers_core::{
    CleanupMode, Cutoff, DeletePlan, Deleted, Ended, NaiveTime, Pace, Progress, Result, Timestamp,
};
use diesel::result::QueryResult;

use super::connection::{Connection, bytes, int};
use super::sql::Sql;
use super::{SqliteStore, comparable_text, pages};
use crate::statement::Key;
use crate::times::Clock;

/// No batch looks at more rows than this, whatever the plan says: their times are held in memory.
const LARGEST: usize = 200_000;
/// A dry run reads this many rows at once where the plan does not say.
const COUNTED: usize = 2000;

/// Finds and deletes, batch by batch.
pub(crate) fn run(
    store: &SqliteStore,
    cutoff: Cutoff,
    plan: &DeletePlan,
    progress: &mut dyn Progress,
) -> Result<Deleted> {
    let naive = store.zone.naive_cutoff(cutoff);
    let text = comparable_text(naive);
    let mut clock = Clock::new(store.zone);
    let mut pace = Pace::start(plan);
    let mut so_far = Deleted::default();
    if plan.mode != CleanupMode::Count {
        store.refuse_to_write()?;
    }
    if pace.may_delete(0) == 0 {
        so_far.ended = Ended::Limit;
        return Ok(so_far);
    }
    let mut after: Option<Key> = None;
    loop {
        let rows = match (plan.mode, plan.batch_size) {
            (CleanupMode::Count, None) => COUNTED,
            _ => pace.batch_size().min(LARGEST),
        };
        let may_delete = pace.may_delete(so_far.deleted);
        let found =
            store.read(|connection, sql| find(connection, sql, after.as_ref(), rows, naive, may_delete, &mut clock))?;
        let Some((first, last)) = found.range else { return Ok(so_far) };
        for accessed in &found.old {
            progress.old(*accessed);
        }
        let old = u64::try_from(found.old.len()).unwrap_or(u64::MAX);
        so_far.unknown += found.unknown;
        let mut held = None;
        if plan.mode == CleanupMode::Count || old == 0 {
            so_far.deleted += old;
            so_far.kept += found.rows - old;
        } else {
            let batch = store.with(|connection| {
                let sql = store.sql(connection)?;
                delete(connection, sql, &first, &last, &text).map_err(|error| store.explain(&error))
            })?;
            so_far.deleted += batch.deleted;
            so_far.kept += if batch.deleted == old {
                found.rows - old
            } else {
                // Some were touched or deleted meanwhile: those that are still there were kept.
                store.read(|connection, sql| count(connection, sql, &first, &last))?
            };
            held = Some(batch.held);
        }
        after = Some(last);
        if let Some(ended) = pace.batch_done(held, &so_far, progress) {
            so_far.ended = ended;
            return Ok(so_far);
        }
    }
}

/// What a look at some rows found.
struct Found {
    /// The keys of the first and the last of them.
    range: Option<(Key, Key)>,
    rows: u64,
    unknown: u64,
    old: Vec<Timestamp>,
}

fn find(
    connection: &mut Connection,
    sql: Sql<'_>,
    after: Option<&Key>,
    rows: usize,
    cutoff: NaiveTime,
    may_delete: u64,
    clock: &mut Clock,
) -> QueryResult<Found> {
    let mut found = Found { range: None, rows: 0, unknown: 0, old: Vec::new() };
    let statement = sql.times(after, i64::try_from(rows).unwrap_or(i64::MAX));
    for row in connection.rows(&statement)? {
        let row = row?;
        let key = pages::key(&row, sql.key);
        found.rows += 1;
        match bytes(&row, 1, NaiveTime::parse).flatten() {
            Some(accessed) if accessed < cutoff => found.old.push(clock.instant_of(accessed)),
            Some(_) => {}
            None => found.unknown += 1,
        }
        found.range = Some(match found.range {
            Some((first, _)) => (first, key),
            None => (key.clone(), key),
        });
        if found.old.len() as u64 >= may_delete {
            break;
        }
    }
    Ok(found)
}

struct Batch {
    deleted: u64,
    /// How long the write lock was held.
    held: Duration,
}

fn delete(connection: &mut Connection, sql: Sql<'_>, first: &Key, last: &Key, cutoff: &str) -> QueryResult<Batch> {
    connection.execute("BEGIN IMMEDIATE")?;
    let locked = Instant::now();
    let deleted = connection.change(&sql.delete_old(first, last, cutoff)).and_then(|deleted| {
        connection.execute("COMMIT")?;
        Ok(deleted)
    });
    match deleted {
        Ok(deleted) => Ok(Batch { deleted, held: locked.elapsed() }),
        Err(error) => {
            connection.roll_back();
            Err(error)
        }
    }
}

fn count(connection: &mut Connection, sql: Sql<'_>, first: &Key, last: &Key) -> QueryResult<u64> {
    let statement = sql.count(first, last);
    let row = connection.rows(&statement)?.next().transpose()?;
    Ok(row.and_then(|row| int(&row, 0)).and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}
