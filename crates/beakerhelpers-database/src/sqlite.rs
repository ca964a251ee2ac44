//! Sessions in SQLite.

mod check;
mod cleanup;
mod connection;
mod errors;
mod files;
mod holders;
mod index;
mod layout;
mod pages;
mod setup;
mod vacuum;

use std::fmt;
use std::path::{self, Path};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use beakerhelpers_core::{
    Access, Cutoff, DeletePlan, Deleted, Error, ErrorKind, Finding, IndexOutcome, NaiveTime, Progress, Query, Record,
    Records, Result, SaveMode, SessionId, SessionStore, SetupMode, SetupOutcome, StoreConfig, StoreInfo, Zone,
    escape_controls, save_each,
};
use diesel::result::QueryResult;
use r2d2::PooledConnection;

use crate::pages::Pages;
use crate::sql::{Age, Dialect, Sql};
use crate::statement::{KeyColumn, TableName};
use crate::{Flavor, findings};
use connection::{Connection, Manager, Opener, connected};
use files::Files;

/// So many calls work at once; others wait.
const CONNECTIONS: u32 = 4;
/// So often a read is tried on a file that changes under it. Once is enough where the application has just started.
const RETRIES: usize = 100;

/// A table of sessions in an SQLite database.
pub(crate) struct SqliteStore {
    flavor: Flavor,
    table: TableName,
    zone: Zone,
    opener: Opener,
    prefix: String,
    pool: r2d2::Pool<Manager>,
    key: Mutex<Option<KeyColumn>>,
}

impl SqliteStore {
    /// Describes a store. The file is not touched before the first call.
    ///
    /// # Errors
    ///
    /// `Config` for names that SQLite cannot have.
    pub(crate) fn new(config: &StoreConfig, flavor: Flavor, path: &str) -> Result<Self> {
        let schema = config.get("schema_name");
        if let Some(schema) = schema.filter(|schema| !schema.eq_ignore_ascii_case("main")) {
            return Err(Error::config(format!("an SQLite database has no schema `{}`", escape_controls(schema)))
                .with_context("at", config.origin("schema_name"))
                .with_hint(format!("remove `{}.schema_name`", config.prefix())));
        }
        let table = TableName::new(None, config.get("table_name").unwrap_or("beaker_cache"))
            .map_err(|error| error.with_context("at", config.origin("table_name")))?;
        let main = path::absolute(path).map_err(|_| Error::config("the path of the database is empty"))?;
        let elsewhere = config.base_dir().filter(|_| Path::new(path).is_relative()).map(|base| {
            let hint = format!(
                "a relative path starts at the working directory; the file stands beside the configuration, so write \
                 `sqlite:///%(here)s/{}`",
                escape_controls(path)
            );
            (base.join(path), hint)
        });
        let opener = Opener { files: Files::new(main), access: config.access(), wait: config.wait(), elsewhere };
        let pool = r2d2::Pool::builder()
            .max_size(CONNECTIONS)
            .min_idle(Some(0))
            .test_on_check_out(false)
            .error_handler(Box::new(r2d2::NopErrorHandler))
            // Connections are opened at once or fail at once; what is waited for is another thread's work.
            .connection_timeout(config.wait().max(Duration::from_secs(30)))
            .build_unchecked(Manager(opener.clone()));
        let prefix = config.prefix().to_owned();
        Ok(Self { flavor, table, zone: config.zone(), opener, prefix, pool, key: Mutex::new(None) })
    }

    fn pooled(&self) -> Result<PooledConnection<Manager>> {
        self.pool.get().map_err(|_| Error::new(ErrorKind::Unavailable, "all connections are in use"))
    }

    /// Runs something on a connection.
    fn with<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        work(connected(&mut *self.pooled()?)?)
    }

    /// Runs a query on the table that may have to be run again because the file changed under it.
    fn read<T>(&self, mut query: impl FnMut(&mut Connection, Sql<'_>) -> QueryResult<T>) -> Result<T> {
        self.look(|connection| {
            let sql = self.sql(connection)?;
            query(connection, sql).map_err(|error| self.explain(&error))
        })
    }

    /// As [`read`](Self::read), whatever the table is like.
    fn look<T>(&self, mut query: impl FnMut(&mut Connection) -> Result<T>) -> Result<T> {
        for _ in 0..RETRIES {
            let answer = self.with(|connection| {
                let answer = query(connection);
                connection.broken |= connection.is_stale(&self.opener.files);
                if connection.broken {
                    self.forget_layout();
                    return Ok(None);
                }
                answer.map(Some)
            })?;
            if let Some(answer) = answer {
                return Ok(answer);
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "the database changes faster than it can be read"))
    }

    /// Runs changes in one transaction of their own.
    fn write<T>(&self, changes: impl FnOnce(&mut Connection, Sql<'_>) -> QueryResult<Result<T>>) -> Result<T> {
        self.refuse_to_write()?;
        self.with(|connection| {
            let sql = self.sql(connection)?;
            let outcome = connection.transaction(|connection| changes(connection, sql));
            outcome.map_err(|error| self.explain(&error))?
        })
    }

    /// Saves a record in the transaction that is open.
    fn put(
        &self,
        connection: &mut Connection,
        sql: Sql<'_>,
        record: &Record,
        mode: SaveMode,
    ) -> QueryResult<Result<()>> {
        let Some(accessed) = record.accessed else {
            return Ok(Err(Error::unsupported("a record without an access time cannot be kept in a database")));
        };
        let text = |at| column_age(self.zone.naive_at(at));
        let (accessed, created) = (text(accessed), text(record.created.unwrap_or(accessed)));
        let (id, data) = (record.id.as_str(), record.payload.bytes());
        if mode == SaveMode::Create {
            let taken = connection.rows(&sql.has(id))?.next().transpose()?.is_some();
            if taken {
                return Ok(Err(Error::new(ErrorKind::AlreadyExists, "a session with this id exists already")));
            }
        } else if connection.change(&sql.update(id, &accessed, data))? > 0 {
            return Ok(Ok(()));
        }
        connection.change(&sql.insert(id, &accessed, &created, data)).map(|_| Ok(()))
    }

    fn refuse_to_write(&self) -> Result<()> {
        self.opener.access.refuse_to_write()
    }

    /// The statements for the table as it is; it is looked at once.
    fn sql(&self, connection: &mut Connection) -> Result<Sql<'_>> {
        let known = *self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = known {
            return Ok(Sql::new(&self.table, key, self.flavor, Dialect::Sqlite));
        }
        let key = layout::detect(connection, &self.table)
            .map_err(|error| self.explain(&error))?
            .map_err(|missing| self.at(missing.into_error(&self.table, &self.prefix)))?;
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = Some(key);
        Ok(Sql::new(&self.table, key, self.flavor, Dialect::Sqlite))
    }

    fn forget_layout(&self) {
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Closes what is open and not in use, here and now: the pool would leave that to a thread of its own.
    fn close_idle(&self) {
        while let Some(mut pooled) = self.pool.try_get() {
            if let Ok(connection) = &mut *pooled {
                connection.broken = true;
            }
            drop(pooled);
        }
    }

    /// As [`close_idle`](Self::close_idle), for a store that only reads: in WAL mode SQLite keeps locks for as long as a
    /// connection is open, with which the application cannot tidy up behind itself or leave that mode.
    fn release(&self) {
        if self.opener.access == Access::ReadOnly {
            self.close_idle();
        }
    }

    fn explain(&self, error: &diesel::result::Error) -> Error {
        errors::explain(error, &self.opener.files, self.opener.access)
    }

    fn at(&self, error: Error) -> Error {
        error.with_context("file", self.opener.files.main.display().to_string())
    }
}

impl SessionStore for SqliteStore {
    fn info(&self) -> StoreInfo {
        let store_type = match self.flavor {
            Flavor::Database => crate::DATABASE.name,
            // Nothing else is kept in SQLite.
            Flavor::Sqla | Flavor::Session2 => crate::SQLA.name,
        };
        let location = format!("sqlite:///{}, table {}", self.opener.files.main.display(), self.table);
        StoreInfo::new(store_type, location, crate::CAPABILITIES)
    }

    fn load(&self, id: &SessionId) -> Result<Option<Record>> {
        self.read(|connection, sql| pages::one(connection, &sql.by_id(id.as_str()), self.zone))?.transpose()
    }

    fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
        self.write(|connection, sql| self.put(connection, sql, record, mode))
    }

    /// In one transaction: SQLite makes sure of it on the disk once, not once for each.
    fn save_all(&self, records: &[Record], mode: SaveMode) -> Vec<Result<()>> {
        let together = self.write(|connection, sql| {
            let put = |record| self.put(connection, sql, record, mode);
            records.iter().map(put).collect::<QueryResult<Vec<_>>>().map(Ok)
        });
        together.unwrap_or_else(|_| save_each(self, records, mode))
    }

    fn delete(&self, id: &SessionId) -> Result<bool> {
        self.write(|connection, sql| Ok(Ok(connection.change(&sql.delete(id.as_str()))? > 0)))
    }

    fn has(&self, id: &SessionId) -> Result<bool> {
        self.read(|connection, sql| Ok(connection.rows(&sql.has(id.as_str()))?.next().transpose()?.is_some()))
    }

    fn setup(&self, mode: SetupMode) -> Result<SetupOutcome> {
        self.refuse_to_write()?;
        self.forget_layout();
        setup::run(&self.opener, &self.table, self.flavor, mode)
    }

    fn check(&self) -> Result<Vec<Finding>> {
        let found = self.look(|connection| {
            check::findings(connection, &self.table, self.flavor, &self.prefix).map_err(|error| self.explain(&error))
        });
        self.release();
        match found {
            // The file itself is missing.
            Err(error) if error.kind() == ErrorKind::NotSetUp => Ok(vec![findings::not_set_up(&error)]),
            found => found,
        }
    }

    fn add_index(&self) -> Result<IndexOutcome> {
        self.write(|connection, _| index::add(connection, &self.table))
    }

    fn iter(&self, query: Query) -> Records<'_> {
        Box::new(Pages::new(self, query))
    }

    fn delete_old(&self, cutoff: Cutoff, plan: &DeletePlan, progress: &mut dyn Progress) -> Result<Deleted> {
        cleanup::run(self, cutoff, plan, progress)
    }

    fn vacuum(&self) -> Result<()> {
        vacuum::run(self)
    }
}

/// The end of the process may overtake the pool's thread, and SQLite's files beside the database would stay.
impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.close_idle();
    }
}

/// As SQLAlchemy writes a time: always with six digits.
fn column_age(naive: NaiveTime) -> Age {
    Age::Text(naive.to_string())
}

/// A time to compare the column with, by `<` and `>=` alone. Without the zeros at its end these are right whatever
/// number of digits the column's text has: `10:11:12` is not before `10:11:12`, though as text it is before
/// `10:11:12.000000`.
fn comparable_age(naive: NaiveTime) -> Age {
    let text = naive.to_string();
    Age::Text(text.trim_end_matches('0').trim_end_matches('.').to_owned())
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = self.info();
        f.debug_struct("SqliteStore")
            .field("type", &info.store_type)
            .field("location", &info.location)
            .finish_non_exhaustive()
    }
}
