//! Giving free pages back to the system.

use beakerhelpers_core::{Error, ErrorKind, Result};
use diesel::result::QueryResult;

use super::connection::{Connection, int};
use super::{SqliteStore, files};
use crate::statement::{Piece, Statement};

/// `VACUUM` writes the whole file anew, during which nobody else gets in: that is worth it where at least one page in so
/// many is free.
const WORTH_IT: i64 = 4;
/// With `auto_vacuum = incremental` pages go back in steps of so many, and others get in between: some 4 MB, which is
/// done in the time of a batch.
const STEP: i64 = 1000;

/// Gives free pages back, where it is worth it.
///
/// With `auto_vacuum = incremental` this is done in short steps. Otherwise SQLite copies what is left into a temporary
/// file and back, which takes up to twice the room of what is left, and locks the database for as long as it takes.
pub(super) fn run(store: &SqliteStore) -> Result<()> {
    store.refuse_to_write()?;
    let space = store.with(|connection| look(connection).map_err(|error| store.explain(&error)))?;
    match space.auto_vacuum {
        _ if space.free == 0 => Ok(()),
        INCREMENTAL => steps(store),
        _ if space.free * WORTH_IT < space.pages => Ok(()),
        _ => whole(store, &space),
    }
}

/// As `PRAGMA auto_vacuum` tells it.
const INCREMENTAL: i64 = 2;

struct Space {
    pages: i64,
    free: i64,
    page_size: i64,
    auto_vacuum: i64,
}

impl Space {
    /// How many bytes the file has that are not free.
    fn in_use(&self) -> u64 {
        u64::try_from((self.pages - self.free).saturating_mul(self.page_size)).unwrap_or(0)
    }
}

fn look(connection: &mut Connection) -> QueryResult<Space> {
    Ok(Space {
        pages: number(connection, "PRAGMA page_count")?,
        free: number(connection, "PRAGMA freelist_count")?,
        page_size: number(connection, "PRAGMA page_size")?,
        auto_vacuum: number(connection, "PRAGMA auto_vacuum")?,
    })
}

fn number(connection: &mut Connection, pragma: &'static str) -> QueryResult<i64> {
    let statement = Statement::new([Piece::Sql(pragma)]);
    let row = connection.rows(&statement)?.next().transpose()?;
    Ok(row.and_then(|row| int(&row, 0)).unwrap_or(0))
}

/// Each step is a short transaction of its own; one that frees nothing is the last.
fn steps(store: &SqliteStore) -> Result<()> {
    let mut before = i64::MAX;
    loop {
        let free = store.with(|connection| {
            let step = format!("PRAGMA incremental_vacuum({STEP})");
            let done = connection.execute(&step).and_then(|()| number(connection, "PRAGMA freelist_count"));
            done.map_err(|error| store.explain(&error))
        })?;
        if free == 0 || free >= before {
            return Ok(());
        }
        before = free;
    }
}

fn whole(store: &SqliteStore, space: &Space) -> Result<()> {
    let (directory, needed) = (store.opener.files.directory(), space.in_use());
    // The journal, or the WAL, stands beside the database; SQLite's temporary file may well do so, too.
    if let Some(room) = files::room(directory).filter(|room| *room < needed.saturating_mul(2)) {
        return Err(store.at(Error::new(
            ErrorKind::Unavailable,
            format!(
                "there is not enough room to give space back: it takes up to {} MB for a while, and {} MB are free",
                megabytes(needed.saturating_mul(2)),
                room / 1_000_000
            ),
        )
        .with_hint("free some, or leave it: SQLite fills the free pages with new sessions")));
    }
    store.with(|connection| {
        let done = connection.execute("VACUUM");
        // In WAL mode the file shrinks at a checkpoint only, and the `-wal` file has grown to what is left.
        let done = done.and_then(|()| connection.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
        done.map_err(|error| store.explain(&error))
    })
}

fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1_000_000)
}
