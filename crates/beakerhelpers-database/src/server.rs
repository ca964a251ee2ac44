//! Sessions on a database server: what PostgreSQL, MySQL and MariaDB have in common.

mod ahead;
mod batches;
pub(crate) mod client;
pub(crate) mod layout;
pub(crate) mod pages;
mod pool;
mod transaction;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use beakerhelpers_core::{
    Cutoff, DeletePlan, Deleted, Error, ErrorKind, Finding, IndexOutcome, Progress, Query, Record, Records, Result,
    SaveMode, SessionId, SessionStore, SetupMode, SetupOutcome, StoreConfig, StoreInfo, Timestamp, Zone, save_each,
};

use self::client::{Client, Settings};
use self::layout::Layout;
use self::pages::Form;
use self::pool::Manager;
use self::transaction::transaction;
use crate::Flavor;
use crate::failure::{Backoff, Failure, RESTART, Trouble};
use crate::sql::{Age, Dialect, Sql};
use crate::statement::TableName;

/// Saving tries so often to change a row, and to add it, while others delete it and add it.
const ATTEMPTS: u32 = 10;
/// So many calls work at once; others wait.
const CONNECTIONS: u32 = 4;

/// A table of sessions on a server.
pub(crate) struct ServerStore<C: Client> {
    flavor: Flavor,
    table: TableName,
    zone: Zone,
    target: C::Target,
    settings: Settings,
    prefix: String,
    pool: r2d2::Pool<Manager<C>>,
    layout: Arc<Mutex<Option<Layout>>>,
    /// Nobody waits any more for what this handle reads: the server is asked nothing more.
    abandoned: Arc<AtomicBool>,
}

/// Another handle on the same connections.
impl<C: Client> Clone for ServerStore<C> {
    fn clone(&self) -> Self {
        Self {
            flavor: self.flavor,
            table: self.table.clone(),
            zone: self.zone,
            target: self.target.clone(),
            settings: self.settings,
            prefix: self.prefix.clone(),
            pool: self.pool.clone(),
            layout: Arc::clone(&self.layout),
            abandoned: Arc::clone(&self.abandoned),
        }
    }
}

impl<C: Client> ServerStore<C> {
    /// Describes a store. The server is not asked before the first call.
    ///
    /// # Errors
    ///
    /// `Config` for names that no database can have.
    pub(crate) fn new(config: &StoreConfig, flavor: Flavor, target: C::Target) -> Result<Self> {
        let schema = config.get("schema_name").filter(|schema| !schema.is_empty());
        let usual = if flavor == Flavor::Session2 { "sessions" } else { "beaker_cache" };
        let option = flavor.table_option();
        let table = TableName::new(schema, config.get(option).unwrap_or(usual))
            .map_err(|error| error.with_context("at", config.origin(option)))?;
        // These tell instants, whatever the zone of the configuration.
        let zone = if flavor == Flavor::Session2 { Zone::UTC } else { config.zone() };
        let settings = Settings { access: config.access(), wait: config.wait() };
        let pool = r2d2::Pool::builder()
            .max_size(CONNECTIONS)
            .min_idle(Some(0))
            .test_on_check_out(false)
            .error_handler(Box::new(r2d2::NopErrorHandler))
            // What is waited for is another thread's work: a connection that is handed out is not open yet.
            .connection_timeout(config.wait().max(Duration::from_secs(30)))
            .build_unchecked(Manager::default());
        let prefix = config.prefix().to_owned();
        let (layout, abandoned) = (Arc::default(), Arc::default());
        Ok(Self { flavor, table, zone, target, settings, prefix, pool, layout, abandoned })
    }

    /// Runs something on a connection, once.
    fn with<T>(&self, work: impl FnOnce(&mut C, Sql<'_>, Layout) -> Result<T, Failure>) -> Result<T, Failure> {
        self.on_client(|client| {
            let layout = self.layout(client)?;
            work(client, self.sql(layout), layout)
        })
    }

    fn on_client<T>(&self, work: impl FnOnce(&mut C) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut pooled =
            self.pool.get().map_err(|_| Error::new(ErrorKind::Unavailable, "all connections are in use"))?;
        work(pooled.client(&self.target, self.settings)?)
    }

    fn once<T>(&self, work: impl FnOnce(&mut C) -> Result<T, Failure>) -> Result<T> {
        self.on_client(work).map_err(|failure| failure.error)
    }

    /// Runs something that may be run again.
    fn read<T>(&self, mut work: impl FnMut(&mut C, Sql<'_>, Layout) -> Result<T, Failure>) -> Result<T> {
        // A server that was there before is waited for; one that was not is most likely not where it is looked for.
        let known = self.known_layout().is_some();
        let mut backoff = Backoff::start(self.settings.wait, if known { RESTART } else { Duration::ZERO });
        loop {
            if self.abandoned.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::Unavailable, "nobody waits any more for what is to be read"));
            }
            match self.with(&mut work) {
                Ok(done) => return Ok(done),
                Err(failure) => thread::sleep(backoff.after(failure)?),
            }
        }
    }

    /// Runs a change. One that was undone because others were in the way is tried again; one whose end is not known is
    /// not.
    fn write<T>(&self, mut work: impl FnMut(&mut C, Sql<'_>, Layout) -> Result<T, Failure>) -> Result<T> {
        self.refuse_to_write()?;
        let mut backoff = Backoff::start(self.settings.wait, Duration::ZERO);
        loop {
            match self.with(&mut work) {
                Ok(done) => return Ok(done),
                Err(failure) => thread::sleep(backoff.after(failure)?),
            }
        }
    }

    fn refuse_to_write(&self) -> Result<()> {
        self.settings.access.refuse_to_write()
    }

    fn known_layout(&self) -> Option<Layout> {
        *self.layout.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The table as it is; it is looked at once.
    fn layout(&self, client: &mut C) -> Result<Layout, Failure> {
        if let Some(layout) = self.known_layout() {
            return Ok(layout);
        }
        let layout = layout::detect(client, &self.table, self.flavor, &self.prefix)
            .map_err(|failure| Failure { error: self.at(failure.error), ..failure })?;
        *self.layout.lock().unwrap_or_else(PoisonError::into_inner) = Some(layout);
        Ok(layout)
    }

    fn sql(&self, layout: Layout) -> Sql<'_> {
        Sql::new(&self.table, layout.key, self.flavor, C::DIALECT)
    }

    fn form(&self, layout: Layout) -> Form {
        Form { framing: self.flavor.framing(), room: layout.room }
    }

    /// Refuses what the table cannot hold, and gives the access time that it is to hold.
    fn check(&self, record: &Record, sql: Sql<'_>, layout: Layout) -> Result<Timestamp> {
        let data = record.payload.bytes();
        let Some(accessed) = record.accessed else {
            return Err(Error::unsupported("a record without an access time cannot be kept in a database"));
        };
        if C::DIALECT == Dialect::Postgres && record.id.as_str().contains('\0') {
            return Err(Error::unsupported("PostgreSQL keeps no text with a NUL character in it"));
        }
        if (self.flavor, C::DIALECT) == (Flavor::Session2, Dialect::Postgres) && !is_text(data) {
            return Err(Error::unsupported("session2's table in PostgreSQL keeps text only: pickles of protocol 0"));
        }
        if data.len() as u64 > layout.room {
            return Err(too_large(data.len(), layout.room, sql.columns.data));
        }
        Ok(accessed)
    }

    /// Saves a record that the table can hold.
    fn put(
        &self,
        client: &mut C,
        sql: Sql<'_>,
        record: &Record,
        accessed: Timestamp,
        mode: SaveMode,
    ) -> Result<(), Failure> {
        let age = |at| Age::Time(self.zone.naive_at(at));
        let (accessed, created) = (age(accessed), age(record.created.unwrap_or(accessed)));
        let (id, data) = (record.id.as_str(), record.payload.bytes());
        let update = sql.update(id, &accessed, data);
        for _ in 0..ATTEMPTS {
            if mode != SaveMode::Create && client.change(&update)? > 0 {
                return Ok(());
            }
            match client.change(&sql.insert(id, &accessed, &created, data)) {
                // Somebody was faster: the next round finds it, unless it is deleted before that.
                Err(failure) if failure.trouble == Trouble::Duplicate && mode != SaveMode::Create => {}
                Err(failure) if failure.trouble == Trouble::Duplicate => break,
                done => return done.map(|_| ()),
            }
        }
        Err(taken(client, sql, id)?.into())
    }

    fn at(&self, error: Error) -> Error {
        error.with_context("database", self.target.to_string())
    }
}

impl<C: Client> SessionStore for ServerStore<C> {
    fn info(&self) -> StoreInfo {
        let store_type = match self.flavor {
            Flavor::Database => crate::DATABASE.name,
            Flavor::Sqla => crate::SQLA.name,
            Flavor::Session2 if C::DIALECT == Dialect::Postgres => crate::session2::POSTGRES,
            Flavor::Session2 => crate::session2::MYSQL,
        };
        let can = if self.flavor == Flavor::Session2 { crate::session2::CAPABILITIES } else { crate::CAPABILITIES };
        let location = format!("{}, table {}", self.target, self.table);
        StoreInfo::new(store_type, location, can).with_framing(self.flavor.framing())
    }

    fn load(&self, id: &SessionId) -> Result<Option<Record>> {
        self.read(|client, sql, layout| pages::one(client, &sql.by_id(id.as_str()), self.form(layout), self.zone))?
            .transpose()
    }

    fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
        self.write(|client, sql, layout| {
            let accessed = self.check(record, sql, layout)?;
            self.put(client, sql, record, accessed, mode)
        })
    }

    /// In one transaction, for which the server makes sure of the disk once. Whatever is in the way undoes it.
    fn save_all(&self, records: &[Record], mode: SaveMode) -> Vec<Result<()>> {
        let together = self.write(|client, sql, layout| {
            transaction(client, C::begin_saves, |client, ()| {
                let put = |record| match self.check(record, sql, layout) {
                    Ok(accessed) => self.put(client, sql, record, accessed, mode).map(Ok),
                    Err(refused) => Ok(Err(refused)),
                };
                records.iter().map(put).collect()
            })
        });
        together.unwrap_or_else(|_| save_each(self, records, mode))
    }

    fn delete(&self, id: &SessionId) -> Result<bool> {
        self.write(|client, sql, _| Ok(client.change(&sql.delete(id.as_str()))? > 0))
    }

    fn has(&self, id: &SessionId) -> Result<bool> {
        self.read(|client, sql, _| {
            let mut found = false;
            client.rows(&sql.has(id.as_str()), &mut |_| {
                found = true;
                std::ops::ControlFlow::Break(())
            })?;
            Ok(found)
        })
    }

    fn setup(&self, mode: SetupMode) -> Result<SetupOutcome> {
        self.refuse_to_write()?;
        *self.layout.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.once(|client| client.setup(&self.table, self.flavor, mode))
    }

    fn check(&self) -> Result<Vec<Finding>> {
        self.once(|client| client.check(&self.table, self.flavor, &self.prefix))
    }

    fn add_index(&self) -> Result<IndexOutcome> {
        self.refuse_to_write()?;
        self.once(|client| client.add_index(&self.table, self.flavor))
    }

    fn vacuum(&self) -> Result<()> {
        self.refuse_to_write()?;
        self.once(|client| client.vacuum(&self.table))
    }

    fn replication_lag(&self) -> Result<Option<Duration>> {
        self.once(Client::replication_lag)
    }

    fn iter(&self, query: Query) -> Records<'_> {
        ahead::records(self, query)
    }

    fn delete_old(&self, cutoff: Cutoff, plan: &DeletePlan, progress: &mut dyn Progress) -> Result<Deleted> {
        batches::run(self, cutoff, plan, progress)
    }
}

fn too_large(size: usize, room: u64, column: &str) -> Error {
    Error::unsupported(format!("the session has {size} bytes; the column `{column}` holds at most {room}"))
        .with_hint(format!("in MySQL, `ALTER TABLE … MODIFY {column} MEDIUMBLOB NOT NULL` makes room for 16 MiB"))
}

/// Whether PostgreSQL takes it for text.
fn is_text(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0'))
}

/// The error for an id that is taken, be it by another id that the column takes for the same.
fn taken<C: Client>(client: &mut C, sql: Sql<'_>, id: &str) -> Result<Error, Failure> {
    let mut same = C::DIALECT != Dialect::MySql;
    client.rows(&sql.has(id), &mut |_| {
        same = true;
        std::ops::ControlFlow::Break(())
    })?;
    Ok(Error::new(
        ErrorKind::AlreadyExists,
        if same {
            "a session with this id exists already"
        } else {
            "the table holds another id that it takes for this one: its column ignores case, accents or spaces at the end"
        },
    ))
}

impl<C: Client> fmt::Debug for ServerStore<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = self.info();
        f.debug_struct("ServerStore")
            .field("type", &info.store_type)
            .field("location", &info.location)
            .finish_non_exhaustive()
    }
}
