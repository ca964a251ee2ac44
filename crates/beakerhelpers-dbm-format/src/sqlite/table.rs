//! A database of many keys, read and changed where it is.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};
use std::vec;

use beakerhelpers_core::{Access, Error, ErrorKind, Result};
use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::result::{Error as DieselError, QueryResult};
use diesel::sql_query;
use diesel::sql_types::Binary;
use diesel::sqlite::SqliteConnection;

use super::place::Place;
use super::{NAME, has_table, number, value};
use crate::Pair;
use crate::error::damaged;

/// So many keys are looked up at once.
const PAGE: usize = 256;
/// Between two tries to read what others change.
const PAUSE: Duration = Duration::from_millis(5);

/// The table of a database of `dbm.sqlite3` (`Lib/dbm/sqlite3.py`, CPython 3.13).
///
/// Python's own processes may use it at the same time: whatever is read or changed is so in a transaction. Reading creates
/// no file. A file that is made to do harm gives an error: no statement goes on for longer than it has rows to give.
pub struct SqliteTable {
    database: SqliteConnection,
    place: Place,
    wait: Duration,
    /// Whether the table was seen. A new database may be without it for a moment.
    is_seen: bool,
}

impl std::fmt::Debug for SqliteTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteTable").finish_non_exhaustive()
    }
}

impl SqliteTable {
    /// Opens the database in a file, which is there. A statement waits so long for others.
    ///
    /// # Errors
    ///
    /// `Corrupt` where it is no database as Python makes it; `PermissionDenied`, `Unavailable`.
    pub fn open(path: &Path, access: Access, wait: Duration) -> Result<Self> {
        let started = Instant::now();
        loop {
            let place = Place::look(path, access)?;
            match Self::open_place(place, access, wait) {
                Ok(table) => return Ok(table),
                // Whoever opens or closes the database makes and removes the files beside it.
                Err((place, _)) if place.was_changed() && started.elapsed() < wait => thread::sleep(PAUSE),
                Err((_, error)) => return Err(error),
            }
        }
    }

    fn open_place(place: Place, access: Access, wait: Duration) -> Result<Self, (Place, Error)> {
        let open = || {
            let mut database = place.connect(wait)?;
            look_at_schema(&mut database).map_err(|error| explain(&error))??;
            if access == Access::ReadWrite {
                // Python was killed between making the file and the table.
                let table = "CREATE TABLE IF NOT EXISTS Dict (key BLOB UNIQUE NOT NULL, value BLOB NOT NULL)";
                database.batch_execute(table).map_err(|error| explain(&error))?;
            }
            Ok(database)
        };
        match open() {
            Ok(database) => Ok(Self { database, place, wait, is_seen: access == Access::ReadWrite }),
            Err(error) => Err((place, error)),
        }
    }

    /// Whether it has a key, whether or not the value can be read.
    ///
    /// # Errors
    ///
    /// `Corrupt`, `Unavailable`.
    pub fn has(&mut self, key: &[u8]) -> Result<bool> {
        let has = "SELECT 1 AS number FROM Dict INDEXED BY sqlite_autoindex_Dict_1 WHERE key = CAST(? AS BLOB)";
        self.read(|database, _| {
            Ok(Ok(!sql_query(has).bind::<Binary, _>(key).load::<super::Number>(database)?.is_empty()))
        })
        .map(Option::unwrap_or_default)
    }

    /// The value of a key.
    ///
    /// # Errors
    ///
    /// As [`has`](Self::has); `Corrupt` where the value is larger than [`LARGEST`](crate::LARGEST).
    pub fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.read(|database, size| value(database, key, size)).map(Option::flatten)
    }

    /// All pairs in the order of the keys. Some hundred keys are looked up at once, and each value when it is asked for.
    pub fn into_pairs(self) -> SqlitePairs {
        SqlitePairs { table: self, last: None, keys: Vec::new().into_iter(), is_done: false, read: 0 }
    }

    /// Puts a value, in place of the one that there is.
    ///
    /// # Errors
    ///
    /// `PermissionDenied`, `Unavailable`.
    pub fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let put = "REPLACE INTO Dict (key, value) VALUES (?, ?)";
        let put = sql_query(put).bind::<Binary, _>(key).bind::<Binary, _>(value).execute(&mut self.database);
        put.map(drop).map_err(|error| explain(&error))
    }

    /// Removes a key, and tells whether it was there.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub fn remove(&mut self, key: &[u8]) -> Result<bool> {
        let remove = "DELETE FROM Dict WHERE key = CAST(? AS BLOB)";
        let removed = sql_query(remove).bind::<Binary, _>(key).execute(&mut self.database);
        removed.map(|rows| rows > 0).map_err(|error| explain(&error))
    }

    /// Removes all keys.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub fn clear(&mut self) -> Result<()> {
        self.database.batch_execute("DELETE FROM Dict").map_err(|error| explain(&error))
    }

    /// Begins what is to be done as one: nobody else changes the database until it is committed. Where it is not, all is
    /// as before.
    ///
    /// # Errors
    ///
    /// `Unavailable` where others change it for too long; `PermissionDenied`.
    pub fn begin(&mut self) -> Result<()> {
        self.database.batch_execute("BEGIN IMMEDIATE").map_err(|error| explain(&error))
    }

    /// Ends what was begun.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub fn commit(&mut self) -> Result<()> {
        self.database.batch_execute("COMMIT").map_err(|error| explain(&error))
    }

    /// Looks at the table, of which no value is longer than this. Where nothing keeps others from changing the file, it is
    /// looked at again. `None` where there is no table yet.
    fn read<T>(&mut self, look: impl Fn(&mut SqliteConnection, u64) -> QueryResult<Result<T>>) -> Result<Option<T>> {
        let started = Instant::now();
        loop {
            let size = self.place.size();
            let found = self.look_once(|database| look(database, size));
            if self.place.is_unchanged() {
                return found;
            }
            if started.elapsed() > self.wait {
                return Err(Error::new(ErrorKind::Unavailable, "the dbm.sqlite3 database changes all the time")
                    .with_hint("try again"));
            }
            thread::sleep(PAUSE);
            self.place = Place::look(self.place.path(), Access::ReadOnly)?;
            (self.database, self.is_seen) = (self.place.connect(self.wait)?, false);
        }
    }

    fn look_once<T>(
        &mut self,
        look: impl FnOnce(&mut SqliteConnection) -> QueryResult<Result<T>>,
    ) -> Result<Option<T>> {
        if !self.is_seen {
            self.is_seen = has_table(&mut self.database).map_err(|error| explain(&error))??;
        }
        if !self.is_seen {
            return Ok(None);
        }
        look(&mut self.database).map_err(|error| explain(&error))?.map(Some)
    }

    fn keys_after(&mut self, last: Option<&[u8]>) -> Result<Vec<Vec<u8>>> {
        let keys = format!(
            "SELECT key FROM Dict INDEXED BY sqlite_autoindex_Dict_1 WHERE key {} CAST(? AS BLOB) \
             ORDER BY key LIMIT {PAGE}",
            if last.is_some() { ">" } else { ">=" },
        );
        let rows = self.read(|database, _| {
            let rows = sql_query(&keys).bind::<Binary, _>(last.unwrap_or_default()).load::<super::Key>(database);
            rows.map(|rows| Ok(rows.into_iter().map(|row| row.key.unwrap_or_default()).collect::<Vec<_>>()))
        });
        let keys = rows?.unwrap_or_default();
        // Pages that refer to each other in circles would give the same keys without end.
        let befores = last.into_iter().chain(keys.iter().map(Vec::as_slice));
        if befores.zip(keys.iter().skip(usize::from(last.is_none()))).any(|(before, key)| before >= key.as_slice()) {
            return Err(damaged(NAME, "its keys are not in order"));
        }
        Ok(keys)
    }
}

/// Makes sure that there is nothing but the table and its index. What else there may be could have a word in every change.
fn look_at_schema(database: &mut SqliteConnection) -> QueryResult<Result<()>> {
    if let Err(error) = has_table(database)? {
        return Ok(Err(error));
    }
    let all = number(database, "SELECT count(*) AS number FROM sqlite_schema")?;
    Ok(if all <= Some(2) { Ok(()) } else { Err(damaged(NAME, "there is more in it than Python's table")) })
}

/// What SQLite says, in words that do not quote the file.
pub(super) fn explain(error: &DieselError) -> Error {
    let said = error.to_string();
    let says = |words: &[&str]| words.iter().any(|words| said.contains(words));
    if says(&["locked", "busy"]) {
        Error::new(ErrorKind::Unavailable, "others are writing to the dbm.sqlite3 database").with_hint("try again")
    } else if says(&["readonly", "unable to open", "authorization", "access permission"]) {
        Error::new(ErrorKind::PermissionDenied, "this user may not use the dbm.sqlite3 database so")
            .with_hint("run it as the user that the application runs as")
    } else if says(&["full", "I/O error"]) {
        Error::new(
            ErrorKind::Unavailable,
            "the dbm.sqlite3 database cannot be read or written: the disk fails or is full",
        )
    } else {
        super::explain(error)
    }
}

/// All pairs of a table.
#[derive(Debug)]
pub struct SqlitePairs {
    table: SqliteTable,
    last: Option<Vec<u8>>,
    keys: vec::IntoIter<Vec<u8>>,
    is_done: bool,
    /// So many bytes of values were read.
    read: u64,
}

impl SqlitePairs {
    fn find_next(&mut self) -> Result<Option<Pair>> {
        while !self.is_done {
            let Some(key) = self.keys.next() else {
                let keys = self.table.keys_after(self.last.as_deref())?;
                self.is_done = keys.is_empty();
                self.last = keys.last().cloned();
                self.keys = keys.into_iter();
                continue;
            };
            let value = match self.table.get(&key) {
                Ok(Some(value)) => Ok(value),
                // Somebody has removed it meanwhile.
                Ok(None) => continue,
                Err(error) if error.kind() == ErrorKind::Corrupt => Err(error),
                Err(error) => return Err(error),
            };
            self.read = self.read.saturating_add(value.as_ref().map_or(0, Vec::len) as u64);
            // What is written while this goes on comes on top.
            if self.read > self.table.place.size().saturating_mul(2) {
                return Err(damaged(NAME, "parts of it are referred to again and again"));
            }
            return Ok(Some(Pair { key, value }));
        }
        Ok(None)
    }
}

impl Iterator for SqlitePairs {
    type Item = Result<Pair>;

    fn next(&mut self) -> Option<Self::Item> {
        self.find_next().inspect_err(|_| self.is_done = true).transpose()
    }
}
