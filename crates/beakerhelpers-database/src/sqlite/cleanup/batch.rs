//! One short transaction after the other.

use std::thread;
use std::time::{Duration, Instant};

use beakerhelpers_core::{DeletePlan, Progress, Rest, Result, Zone};
use diesel::result::QueryResult;
use r2d2::PooledConnection;

use super::{count, find};
use crate::cleanup::{Archive, Batch, Found, Table, Want};
use crate::failure::Failure;
use crate::sql::{Age, Form, Sql};
use crate::sqlite::connection::{Connection, Manager, connected, int};
use crate::sqlite::errors::Trouble;
use crate::sqlite::pages::record;
use crate::sqlite::{SqliteStore, files};
use crate::statement::{Piece, Statement};
use crate::times::Clock;

/// How long a transaction may wait for readers to get out of its way before it gives up and lets the others go on: while
/// it waits, nobody else gets in.
const PATIENCE: Duration = Duration::from_millis(50);
/// A writer in WAL mode checkpoints after so many pages (`SQLITE_DEFAULT_WAL_AUTOCHECKPOINT`), the application too: it
/// must not have to do so for what was written here.
const CHECKPOINT_PAGES: u64 = 1000;
/// Who wants no rests wants it done: so many batches share a checkpoint then, which writes most pages once for all.
const HURRIED: u32 = 6;
/// The more, the fewer pages a large batch writes twice; with the rest of a program it is to stay below 32 MB.
const CACHE: &str = "PRAGMA cache_size = -18000";
/// How this connection ends its own transactions on a rollback journal: a journal that is written over, and made void by
/// its header, needs no new blocks and no change of the directory for every batch. It is as durable, and the file's own
/// mode is not touched: other connections go on as they did, and may delete the journal at any time.
const KEEP_JOURNAL: &str = "PRAGMA journal_mode = PERSIST";
/// Deletes the journal, unless somebody writes: who does so deletes it then.
const DROP_JOURNAL: &str = "PRAGMA journal_mode = DELETE";

/// A connection that deletes batches.
pub(super) struct Batches<'s> {
    store: &'s SqliteStore,
    connection: PooledConnection<Manager>,
    sql: Sql<'s>,
    cutoff: Age,
    archive: bool,
    /// The size that the `-wal` file may have; none but in WAL mode.
    wal_limit: Option<u64>,
    /// So many batches at least lie between two checkpoints.
    spacing: u32,
    since_checkpoint: u32,
}

impl<'s> Batches<'s> {
    pub(super) fn start(store: &'s SqliteStore, cutoff: Age, plan: &DeletePlan) -> Result<Self> {
        let mut pooled = store.pooled()?;
        let connection = connected(&mut pooled)?;
        let sql = store.sql(connection)?;
        let wal_limit = prepare(connection).map_err(|error| store.explain(&error))?;
        let spacing = if plan.rest == Rest::For(Duration::ZERO) { HURRIED } else { 1 };
        Ok(Self {
            store,
            connection: pooled,
            sql,
            cutoff,
            archive: plan.archive,
            wal_limit,
            spacing,
            since_checkpoint: 0,
        })
    }

    /// Runs a query on the same connection: what it reads is in memory when the batch that follows wants it.
    fn read<T>(&mut self, query: impl FnOnce(&mut Connection, Sql<'_>) -> QueryResult<T>) -> Result<T> {
        let (store, sql) = (self.store, self.sql);
        let connection = connected(&mut self.connection)?;
        // A batch has left the connection with hardly any patience.
        let found = connection.wait_for(store.opener.wait).and_then(|()| query(connection, sql));
        found.map_err(|error| store.explain(&error))
    }

    /// Moves what readers no longer need from the `-wal` file to the database, if it is time, waiting for nobody.
    fn checkpoint(&mut self) -> Result<()> {
        self.since_checkpoint += 1;
        let limit = self.wal_limit.filter(|_| self.since_checkpoint >= self.spacing);
        if limit.is_none_or(|limit| files::len(&self.store.opener.files.wal) <= limit) {
            return Ok(());
        }
        self.since_checkpoint = 0;
        match connected(&mut self.connection)?.execute("PRAGMA wal_checkpoint(PASSIVE)") {
            Err(error) if Trouble::of_error(&error) != Trouble::Busy => Err(self.store.explain(&error)),
            _ => Ok(()),
        }
    }
}

impl Table for Batches<'_> {
    fn look(&mut self, want: &Want<'_>, clock: &mut Clock) -> Result<Found, Failure> {
        Ok(self.read(|connection, sql| find(connection, sql, want, clock))?)
    }

    fn delete(&mut self, found: &Found, progress: &mut dyn Progress) -> Result<Batch, Failure> {
        let (first, last) = found.range.as_ref().expect("something was found");
        let form = if found.unknown == 0 { Form::Text } else { Form::Exact };
        let store = self.store;
        let mut statement = self.sql.delete_old(first, last, &self.cutoff, form);
        if self.archive {
            statement = self.sql.returning(statement);
        }
        let archive = self.archive;
        let connection = connected(&mut self.connection)?;
        let started = Instant::now();
        loop {
            let outcome = attempt(connection, store.opener.wait, |connection| {
                if archive {
                    hand_over(connection, &statement, store.zone, progress)
                } else {
                    Ok(Ok(connection.change(&statement)?))
                }
            });
            match outcome {
                Ok(Err(error)) => return Err(error.into()),
                Ok(Ok(batch)) => {
                    self.checkpoint()?;
                    return Ok(batch);
                }
                // Somebody reads for long. He, and whoever else wants in, gets as much time as this tried for.
                Err(error) if Trouble::of_error(&error) == Trouble::Busy && started.elapsed() < store.opener.wait => {
                    thread::sleep(PATIENCE);
                }
                Err(error) => return Err(store.explain(&error).into()),
            }
        }
    }

    fn count(&mut self, found: &Found) -> Result<u64, Failure> {
        Ok(self.read(|connection, sql| count(connection, sql, found))?)
    }
}

impl Drop for Batches<'_> {
    /// The connection was made for this work and is not handed on.
    fn drop(&mut self) {
        if let Ok(connection) = &mut *self.connection {
            if self.wal_limit.is_none() {
                // What cannot be deleted now is void, and the next writer deletes it.
                let _ = connection.execute(DROP_JOURNAL);
            }
            connection.broken = true;
        }
    }
}

/// Makes the connection fit for many deletes, and tells how large the `-wal` file may grow.
fn prepare(connection: &mut Connection) -> QueryResult<Option<u64>> {
    connection.execute(CACHE)?;
    let mut wal = false;
    for row in connection.rows(&Statement::new([Piece::Sql("SELECT journal_mode = 'wal' FROM pragma_journal_mode")]))? {
        wal = int(&row?, 0) == Some(1);
    }
    if !wal {
        connection.execute(KEEP_JOURNAL)?;
        return Ok(None);
    }
    // A checkpoint right after the commit is not part of the write lock, and is not to count as if it were.
    connection.execute("PRAGMA wal_autocheckpoint = 0")?;
    let mut page = 4096;
    for row in connection.rows(&Statement::new([Piece::Sql("PRAGMA page_size")]))? {
        page = int(&row?, 0).and_then(|size| u64::try_from(size).ok()).unwrap_or(page);
    }
    Ok(Some(CHECKPOINT_PAGES * page))
}

/// Runs a statement in a transaction of its own. An inner error undoes it too.
fn attempt(
    connection: &mut Connection,
    wait: Duration,
    delete: impl FnOnce(&mut Connection) -> QueryResult<Result<u64>>,
) -> QueryResult<Result<Batch>> {
    connection.execute("BEGIN IMMEDIATE")?;
    let locked = Instant::now();
    let done = connection.wait_for(PATIENCE.min(wait)).and_then(|()| {
        let deleted = match delete(connection)? {
            Ok(deleted) => deleted,
            Err(error) => return Ok(Err(error)),
        };
        connection.execute("COMMIT")?;
        Ok(Ok(Batch::Done { deleted, held: locked.elapsed() }))
    });
    if !matches!(done, Ok(Ok(_))) {
        connection.roll_back();
    }
    connection.wait_for(wait)?;
    done
}

/// Runs a DELETE that returns what it deletes.
fn hand_over(
    connection: &mut Connection,
    statement: &Statement<'_>,
    zone: Zone,
    progress: &mut dyn Progress,
) -> QueryResult<Result<u64>> {
    let mut clock = Clock::new(zone);
    let mut archive = Archive::new(progress);
    for row in connection.rows(statement)? {
        if let Err(error) = archive.push(record(&row?, &mut clock)) {
            return Ok(Err(error));
        }
    }
    Ok(archive.finish())
}
