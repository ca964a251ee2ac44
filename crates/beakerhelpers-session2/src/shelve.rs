//! `session2:shelve`: sessions in one dbm database, pickled, by their ids.
//!
//! Most of Python's dbm modules know no locks, and session2 adds none: while a site runs, what one process saves may undo
//! what another one did (`session2/store/ShelveSessionStore.py`, 0.6). Those who use this store keep each other out.

mod dumb;
mod packed;
mod place;
mod shelf;
mod sqlite;

use std::path::PathBuf;
use std::time::Duration;

use beakerhelpers_core::{
    Access, Capabilities, CleanupMode, Cutoff, DeletePlan, Deleted, Error, ErrorKind, Finding, Framing, Payload,
    Progress, Query, Record, Records, Result, SaveMode, SessionId, SessionStore, SetupMode, SetupOutcome, Severity,
    StoreConfig, StoreInfo,
};
use beakerhelpers_dbm_format::{Format, Pair};

use self::place::Place;
use self::shelf::Shelf;
use crate::inside::{self, Inside, Picked};
use crate::list::limited;
use crate::paths::{of_option, shown};

pub(crate) const CAPABILITIES: Capabilities =
    Capabilities::NONE.with_setup(true).with_iter(true).with_delete_old(true).with_archive(true);

/// The option that chooses the format of a new shelve.
pub(crate) const FORMAT_OPTION: &str = "dbm_format";
/// So many sessions are deleted from SQLite at once: Python waits for the end of that.
const SHORT_BATCH: usize = 500;
/// And so many where the whole file is written anew. An archive needs all of them in memory.
const LONG_BATCH: usize = 1 << 20;

pub(crate) fn open(config: &StoreConfig) -> Result<Box<dyn SessionStore>> {
    let name = of_option(config, "filename")?;
    let chosen = config.get(FORMAT_OPTION).map_or(Ok(Format::Dumb), Format::chosen);
    let new = chosen.map_err(|error| error.with_context("at", config.origin(FORMAT_OPTION)))?;
    Ok(Box::new(ShelveStore { name, new, access: config.access(), wait: config.wait() }))
}

/// A shelve. Each call opens it anew.
#[derive(Debug)]
pub(crate) struct ShelveStore {
    name: PathBuf,
    /// How it is written if it is not there yet: any Python can read `dbm.dumb`.
    new: Format,
    access: Access,
    wait: Duration,
}

impl ShelveStore {
    fn shelf(&self, access: Access) -> Result<Box<dyn Shelf>> {
        if access == Access::ReadWrite {
            self.access.refuse_to_write()?;
        }
        shelf::open(&self.name, access, self.wait)
    }

    /// All sessions as they come.
    fn records(&self) -> Result<impl Iterator<Item = Result<(String, Result<Payload>)>> + Send + use<>> {
        let pairs = self.shelf(Access::ReadOnly)?.pairs();
        Ok(pairs.map(|pair| {
            let Pair { key, value } = pair?;
            let id = String::from_utf8(key).map_err(|_| Error::corrupt("a session's id is not UTF-8"))?;
            Ok((id, value.map(payload)))
        }))
    }
}

fn payload(value: Vec<u8>) -> Payload {
    Payload::new(Framing::Object, value)
}

impl SessionStore for ShelveStore {
    fn info(&self) -> StoreInfo {
        StoreInfo::new(crate::SHELVE.name, shown(&self.name), CAPABILITIES).with_framing(Framing::Object)
    }

    fn load(&self, id: &SessionId) -> Result<Option<Record>> {
        let value = self.shelf(Access::ReadOnly)?.value(id.as_str().as_bytes())?;
        Ok(value.map(|value| Record::new(id.clone(), payload(value))))
    }

    fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
        let mut database = self.shelf(Access::ReadWrite)?;
        let key = record.id.as_str().as_bytes();
        if mode == SaveMode::Create && database.has(key)? {
            return Err(Error::new(ErrorKind::AlreadyExists, "a session with this id exists already"));
        }
        database.set(key, record.payload.bytes())?;
        database.commit()
    }

    fn delete(&self, id: &SessionId) -> Result<bool> {
        let mut database = self.shelf(Access::ReadWrite)?;
        let key = id.as_str().as_bytes();
        if !database.has(key)? {
            return Ok(false);
        }
        database.remove(key)?;
        database.commit().map(|()| true)
    }

    fn has(&self, id: &SessionId) -> Result<bool> {
        self.shelf(Access::ReadOnly)?.has(id.as_str().as_bytes())
    }

    fn setup(&self, mode: SetupMode) -> Result<SetupOutcome> {
        self.access.refuse_to_write()?;
        match (mode, self.shelf(Access::ReadWrite)) {
            (_, Err(error)) if error.kind() == ErrorKind::NotSetUp => {
                shelf::create(&self.name, self.new).map(|()| SetupOutcome::Created)
            }
            (SetupMode::IfMissing, Ok(_)) => Ok(SetupOutcome::Existing),
            (SetupMode::Recreate, Ok(database)) => database.clear().map(|()| SetupOutcome::Recreated),
            (_, Ok(_)) => Err(Error::unsupported("this version knows no such way to set up")),
            (_, Err(error)) => Err(error),
        }
    }

    fn check(&self) -> Result<Vec<Finding>> {
        match self.shelf(Access::ReadOnly) {
            Err(error) if error.kind() == ErrorKind::NotSetUp => {
                let finding = Finding::new(Severity::Missing, format!("{}: {}", error.message(), shown(&self.name)));
                Ok(vec![finding.with_hint("`beakerhelpers setup` makes it, and so does the application")])
            }
            other => other.map(|_| Vec::new()),
        }
    }

    fn iter(&self, query: Query) -> Records<'_> {
        let records = match self.records() {
            Ok(records) => records,
            Err(error) => return Box::new(std::iter::once(Err(error))),
        };
        let record = |(id, payload): (String, Result<Payload>)| Ok(Record::new(SessionId::new(id), payload?));
        limited(query, records.map(move |item| item.and_then(record)))
    }

    fn delete_old(&self, cutoff: Cutoff, plan: &DeletePlan, progress: &mut dyn Progress) -> Result<Deleted> {
        if plan.mode != CleanupMode::Count {
            drop(self.shelf(Access::ReadWrite)?);
        }
        inside::run(self, cutoff, plan, progress)
    }
}

impl Inside for ShelveStore {
    fn each(&self, show: &mut dyn FnMut(&str, Result<Payload>)) -> Result<()> {
        for item in self.records()? {
            match item {
                Ok((id, payload)) => show(&id, payload),
                Err(error) if error.kind() == ErrorKind::Corrupt => show("", Err(error)),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn batch(&self, plan: &DeletePlan) -> usize {
        match Place(&self.name).format() {
            Ok(Format::Sqlite3) => SHORT_BATCH,
            Ok(Format::Gnu | Format::Ndbm | Format::Bsddb) if !plan.archive => LONG_BATCH,
            _ => inside::BATCH,
        }
    }

    fn delete_if(
        &self,
        ids: &[String],
        is_old: &dyn Fn(&Payload) -> bool,
        mut archive: Option<&mut dyn Progress>,
    ) -> Result<(u64, u64)> {
        let mut database = self.shelf(Access::ReadWrite)?;
        let value = |id: &str| database.value(id.as_bytes()).ok().flatten().map(payload);
        let Picked { old, kept } = inside::pick(ids, is_old, &mut archive, value)?;
        for id in &old {
            database.remove(id.as_bytes())?;
        }
        if !old.is_empty() {
            database.commit()?;
        }
        Ok((old.len() as u64, kept))
    }
}
