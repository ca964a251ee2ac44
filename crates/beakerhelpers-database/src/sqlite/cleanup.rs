//! Deleting old sessions under the eyes of a live application.

mod batch;

use beakerhelpers_core::{
    CleanupMode, Cutoff, DeletePlan, Deleted, Ended, NaiveTime, Pace, Progress, Result, Timestamp,
};
use diesel::result::QueryResult;

use super::connection::{Connection, int, only_text};
use super::sql::{Form, Sql};
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
    let mut pace = Pace::start(plan);
    let mut so_far = Deleted::default();
    let deletes = plan.mode != CleanupMode::Count;
    if deletes {
        store.refuse_to_write()?;
    }
    if pace.may_delete(0) == 0 {
        so_far.ended = Ended::Limit;
        return Ok(so_far);
    }
    let naive = store.zone.naive_cutoff(cutoff);
    let text = comparable_text(naive);
    let mut clock = Clock::new(store.zone);
    let mut batches = if deletes { Some(batch::Batches::start(store, plan.rest)?) } else { None };
    let mut after: Option<Key> = None;
    loop {
        let rows = if deletes || plan.batch_size.is_some() { pace.batch_size().min(LARGEST) } else { COUNTED };
        let may_delete = pace.may_delete(so_far.deleted);
        let mut look = |connection: &mut Connection, sql: Sql<'_>| {
            find(connection, sql, after.as_ref(), rows, naive, may_delete, &mut clock)
        };
        let found = match &mut batches {
            Some(batches) => batches.read(look)?,
            None => store.read(&mut look)?,
        };
        let Some((first, last)) = found.range else { return Ok(so_far) };
        for accessed in &found.old {
            progress.old(*accessed);
        }
        let old = u64::try_from(found.old.len()).unwrap_or(u64::MAX);
        so_far.unknown += found.unknown;
        let mut held = None;
        match &mut batches {
            Some(batches) if old > 0 => {
                let form = if found.unknown == 0 { Form::Text } else { Form::Exact };
                let batch = batches.delete(&first, &last, &text, form)?;
                so_far.deleted += batch.deleted;
                so_far.kept += if batch.deleted == old {
                    found.rows - old
                } else {
                    // Some were touched or deleted meanwhile: those that are still there were kept.
                    batches.read(|connection, sql| count(connection, sql, &first, &last))?
                };
                held = Some(batch.held);
            }
            _ => {
                so_far.deleted += old;
                so_far.kept += found.rows - old;
            }
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
        match only_text(&row, 1, NaiveTime::parse).flatten() {
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

fn count(connection: &mut Connection, sql: Sql<'_>, first: &Key, last: &Key) -> QueryResult<u64> {
    let statement = sql.count(first, last);
    let row = connection.rows(&statement)?.next().transpose()?;
    Ok(row.and_then(|row| int(&row, 0)).and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}
