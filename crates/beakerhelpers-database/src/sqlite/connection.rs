//! Opening an SQLite database without doing it any harm.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use beakerhelpers_core::{Access, Error, ErrorKind, Result};
use diesel::connection::{DefaultLoadingMode, LoadConnection, SimpleConnection};
use diesel::result::QueryResult;
use diesel::row::{Field, Row};
use diesel::sqlite::{Sqlite, SqliteConnection, SqliteType};
use diesel::{Connection as _, ConnectionError};

use super::errors::{self, Trouble};
use super::files::{self, Files, Stamp, Want};
use crate::statement::{Key, Statement};

/// How a database is to be opened.
#[derive(Clone, Debug)]
pub(crate) struct Opener {
    pub(crate) files: Files,
    pub(crate) access: Access,
    pub(crate) wait: Duration,
    /// For a relative path: where the file would be if it were relative to the configuration, and what to write then.
    pub(crate) elsewhere: Option<(PathBuf, String)>,
}

/// One open connection.
pub(crate) struct Connection {
    raw: SqliteConnection,
    /// Set where the file is read as if nobody could change it: what the file was like when it was opened.
    frozen: Option<Stamp>,
    /// Whether it must not be used again.
    pub(crate) broken: bool,
}

/// What a look at the database without locks found.
enum Mode {
    Rollback,
    Wal,
}

impl Opener {
    /// Opens the database. No file is created, here or by a later read.
    pub(crate) fn connect(&self) -> Result<Connection> {
        self.check_file()?;
        if self.access == Access::ReadOnly {
            return self.connect_to_read();
        }
        if !files::may(Want::Write, &self.files.main) {
            // SQLite would fall back to reading, and find out in the middle of the work.
            return Err(errors::denied(&self.files, Want::Write));
        }
        self.open("mode=rw", None)
    }

    /// Opens the database and creates the file if it is not there.
    pub(crate) fn create(&self) -> Result<Connection> {
        match self.check_file() {
            Err(error) if error.kind() != ErrorKind::NotSetUp => Err(error),
            _ => self.open("mode=rwc", None),
        }
    }

    /// A reader must leave nothing behind: a `-wal` or `-shm` file of the wrong owner would lock out the application.
    /// SQLite's `mode=ro` alone does create both for a database in WAL mode, and cannot remove them.
    fn connect_to_read(&self) -> Result<Connection> {
        let files = &self.files;
        if matches!(self.mode()?, Mode::Rollback) {
            return self.open("mode=ro", None);
        }
        let stamp = files.stamp().map_err(|error| self.cannot_stat(&error))?;
        if files::len(&files.wal) == 0 {
            // Everything is in the file itself. Who reads it so sees no other process, hence the stamp.
            self.open("mode=ro&immutable=1", Some(stamp))
        } else if files.shm.exists() {
            self.open("mode=ro&readonly_shm=1", None)
        } else if files::belongs_to_us(&files.main) {
            self.open("mode=ro", None)
        } else {
            Err(errors::as_owner(files, "the database was not closed properly and needs its `-shm` file made anew"))
        }
    }

    /// Finds the journal mode without a lock and without a trace: a pager that may not lock refuses a database in WAL
    /// mode before it touches anything (`sqlite3PagerWalSupported` in SQLite's `pager.c`).
    fn mode(&self) -> Result<Mode> {
        let mut probe = self.open("mode=ro&nolock=1", None)?;
        match probe.execute("PRAGMA schema_version") {
            Err(error) if Trouble::of_error(&error) == Trouble::CannotOpen => Ok(Mode::Wal),
            // Without locks a writer may be met in the middle; whatever it is, the real connection will tell.
            _ => Ok(Mode::Rollback),
        }
    }

    fn open(&self, options: &str, frozen: Option<Stamp>) -> Result<Connection> {
        let raw = SqliteConnection::establish(&uri(&self.files.main, options))
            .map_err(|error| errors::explain(&connection_error(&error), &self.files, self.access))?;
        let mut connection = Connection { raw, frozen, broken: false };
        // Python's connections do not enforce foreign keys; those of this build of SQLite would.
        connection
            .wait_for(self.wait)
            .and_then(|()| connection.execute("PRAGMA foreign_keys = OFF"))
            .map_err(|error| errors::explain(&error, &self.files, self.access))?;
        Ok(connection)
    }

    fn check_file(&self) -> Result<()> {
        let path = &self.files.main;
        let error = match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                Error::config("the database is a directory").with_hint("name the file in it")
            }
            Ok(metadata) if !metadata.is_file() => Error::config("the database is not a regular file"),
            Ok(_) if !files::may(Want::Read, path) => return Err(errors::denied(&self.files, Want::Read)),
            Ok(_) => return Ok(()),
            Err(error) => return Err(self.cannot_stat(&error)),
        };
        Err(error.with_context("file", path.display().to_string()))
    }

    fn cannot_stat(&self, error: &io::Error) -> Error {
        let path = &self.files.main;
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                let hint = match &self.elsewhere {
                    Some((there, hint)) if there.is_file() => hint,
                    _ => "correct the URL, or create the database with `beakerhelpers setup`",
                };
                Error::new(ErrorKind::NotSetUp, "the database file does not exist").with_hint(hint)
            }
            io::ErrorKind::PermissionDenied => {
                Error::new(ErrorKind::PermissionDenied, "this user may not look for the database file")
            }
            kind => Error::new(ErrorKind::Unavailable, format!("the database file cannot be found: {kind}")),
        }
        .with_context("file", path.display().to_string())
    }
}

/// Diesel tells of a failure to open in another type.
fn connection_error(error: &ConnectionError) -> diesel::result::Error {
    let message = match error {
        ConnectionError::BadConnection(message) => message.clone(),
        _ => "cannot open the database".to_owned(),
    };
    diesel::result::Error::DatabaseError(diesel::result::DatabaseErrorKind::Unknown, Box::new(message))
}

/// A `file:` URI, in which any path is only a path.
fn uri(path: &Path, options: &str) -> String {
    use std::fmt::Write as _;
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            byte => {
                let _ = write!(uri, "%{byte:02x}");
            }
        }
    }
    uri.push('?');
    uri.push_str(options);
    uri
}

impl Connection {
    /// Runs SQL that has no parameters and whose rows nobody wants.
    pub(crate) fn execute(&mut self, sql: &str) -> QueryResult<()> {
        self.raw.batch_execute(sql)
    }

    /// Sets how long to wait for a lock.
    pub(crate) fn wait_for(&mut self, wait: Duration) -> QueryResult<()> {
        let millis = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        self.execute(&format!("PRAGMA busy_timeout = {millis}"))
    }

    /// Runs a statement and tells how many rows it changed.
    pub(crate) fn change(&mut self, statement: &Statement<'_>) -> QueryResult<u64> {
        let changed = self.raw.execute_returning_count(statement)?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    /// Runs a statement. Its locks are held until the iterator is dropped.
    pub(crate) fn rows<'c, 'q>(
        &'c mut self,
        statement: &'q Statement<'_>,
    ) -> QueryResult<impl Iterator<Item = QueryResult<impl Row<'c, Sqlite> + use<'c, 'q>>> + use<'c, 'q>> {
        LoadConnection::<DefaultLoadingMode>::load(&mut self.raw, statement)
    }

    /// Runs changes in one transaction of their own, which takes the write lock first. An inner error undoes them too.
    pub(crate) fn transaction<T>(
        &mut self,
        changes: impl FnOnce(&mut Self) -> QueryResult<Result<T>>,
    ) -> QueryResult<Result<T>> {
        self.execute("BEGIN IMMEDIATE")?;
        let outcome = changes(self);
        if matches!(outcome, Ok(Ok(_))) {
            let committed = self.execute("COMMIT");
            if committed.is_ok() {
                return outcome;
            }
            self.roll_back();
            return committed.and(outcome);
        }
        self.roll_back();
        outcome
    }

    /// Ends a transaction that SQLite may have ended by itself.
    pub(crate) fn roll_back(&mut self) {
        // A connection that cannot even do that would keep the lock if it were used again.
        self.broken |= self.execute("ROLLBACK").is_err();
    }

    /// Whether the file has changed behind the back of a connection that would not notice.
    pub(crate) fn is_stale(&self, files: &Files) -> bool {
        self.frozen.is_some_and(|stamp| files.stamp().ok() != Some(stamp))
    }
}

/// The number in a column, `None` for NULL.
pub(crate) fn int<'r>(row: &impl Row<'r, Sqlite>, column: usize) -> Option<i64> {
    let field = row.get(column)?;
    field.value().map(|mut value| value.read_long())
}

/// What is in a column as a place in the order of its values.
pub(crate) fn value<'r>(row: &impl Row<'r, Sqlite>, column: usize) -> Key {
    let field = row.get(column);
    // A view may have NULL here. It comes before everything; that which comes after it alone compares like it.
    let Some(mut value) = field.as_ref().and_then(Field::value) else { return Key::Real(f64::NEG_INFINITY) };
    match value.value_type() {
        Some(SqliteType::Long) => Key::Number(value.read_long()),
        Some(SqliteType::Double) => Key::Real(value.read_double()),
        Some(SqliteType::Binary) => Key::Bytes(value.read_blob().to_vec()),
        _ => Key::Text(value.read_blob().to_vec()),
    }
}

/// The bytes in a column, `None` for NULL.
pub(crate) fn bytes<'r, T>(row: &impl Row<'r, Sqlite>, column: usize, read: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let field = row.get(column)?;
    field.value().map(|mut value| read(value.read_blob()))
}

/// The text in a column if it is one, and not a number or bytes.
pub(crate) fn only_text<'r, T>(row: &impl Row<'r, Sqlite>, column: usize, read: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let field = row.get(column)?;
    let mut value = field.value()?;
    (value.value_type() == Some(SqliteType::Text)).then(|| read(value.read_text().as_bytes()))
}

/// What is in a column as text, `None` for NULL.
pub(crate) fn text<'r>(row: &impl Row<'r, Sqlite>, column: usize) -> Option<String> {
    bytes(row, column, |bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// What the pool hands out. A failure is handed out like a connection: the pool would try it again and again
/// until its timeout, and lose the reason.
pub(crate) type Pooled = Result<Connection, Option<Error>>;

/// The connection that there is, or why there is none.
pub(crate) fn connected(pooled: &mut Pooled) -> Result<&mut Connection> {
    pooled.as_mut().map_err(|error| {
        error.take().unwrap_or_else(|| Error::new(ErrorKind::Unavailable, "the database cannot be opened"))
    })
}

/// See [`Pooled`].
#[derive(Debug)]
pub(crate) struct Manager(pub(crate) Opener);

impl r2d2::ManageConnection for Manager {
    type Connection = Pooled;
    type Error = std::convert::Infallible;

    fn connect(&self) -> Result<Self::Connection, Self::Error> {
        Ok(self.0.connect().map_err(Some))
    }

    fn is_valid(&self, _: &mut Self::Connection) -> Result<(), Self::Error> {
        Ok(())
    }

    fn has_broken(&self, connection: &mut Self::Connection) -> bool {
        connection.as_ref().map_or(true, |connection| connection.broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_a_uri_is_nothing_but_a_path() {
        assert_eq!(
            uri(Path::new("/a b/ž?mode=rwc#%2f.db"), "mode=ro"),
            "file:/a%20b/%c5%be%3fmode%3drwc%23%252f.db?mode=ro"
        );
    }
}
