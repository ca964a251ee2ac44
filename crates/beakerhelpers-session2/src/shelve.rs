//! `session2:shelve`: sessions in one dbm database, pickled, by their ids.
//!
//! Python's dbm modules know no locks, and session2 adds none: while a site runs, what one process saves may undo what
//! another one did (`session2/store/ShelveSessionStore.py`, 0.6). Those who use this store keep each other out.

mod dumb;
mod index;

use std::path::PathBuf;
use std::time::Duration;

use beakerhelpers_core::{
    Access, Capabilities, CleanupMode, Cutoff, DeletePlan, Deleted, Error, ErrorKind, Finding, Framing, Payload,
    Progress, Query, Record, Records, Result, SaveMode, SessionId, SessionStore, SetupMode, SetupOutcome, Severity,
    StoreConfig, StoreInfo,
};

use self::dumb::Shelf;
use crate::inside::{self, Inside, Picked};
use crate::list::limited;
use crate::paths::{of_option, shown};

pub(crate) const CAPABILITIES: Capabilities =
    Capabilities::NONE.with_setup(true).with_iter(true).with_delete_old(true).with_archive(true);

pub(crate) fn open(config: &StoreConfig) -> Result<Box<dyn SessionStore>> {
    let name = of_option(config, "filename")?;
    Ok(Box::new(ShelveStore { name, access: config.access(), wait: config.wait() }))
}

/// A shelve. Each call opens it anew.
#[derive(Debug)]
pub(crate) struct ShelveStore {
    name: PathBuf,
    access: Access,
    wait: Duration,
}

impl ShelveStore {
    fn shelf(&self, access: Access) -> Result<Shelf> {
        if access == Access::ReadWrite {
            self.access.refuse_to_write()?;
        }
        Shelf::open(&self.name, access, self.wait)
    }
}

impl SessionStore for ShelveStore {
    fn info(&self) -> StoreInfo {
        StoreInfo::new(crate::SHELVE.name, shown(&self.name), CAPABILITIES).with_framing(Framing::Object)
    }

    fn load(&self, id: &SessionId) -> Result<Option<Record>> {
        let payload = self.shelf(Access::ReadOnly)?.value(id.as_str().as_bytes())?;
        Ok(payload.map(|payload| Record::new(id.clone(), payload)))
    }

    fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
        let mut database = self.shelf(Access::ReadWrite)?;
        let key = record.id.as_str().as_bytes();
        if mode == SaveMode::Create && database.has(key) {
            return Err(Error::new(ErrorKind::AlreadyExists, "a session with this id exists already"));
        }
        database.set(key, record.payload.bytes())
    }

    fn delete(&self, id: &SessionId) -> Result<bool> {
        let mut database = self.shelf(Access::ReadWrite)?;
        Ok(database.remove(id.as_str().as_bytes()) && database.write_index().map(|()| true)?)
    }

    fn has(&self, id: &SessionId) -> Result<bool> {
        Ok(self.shelf(Access::ReadOnly)?.has(id.as_str().as_bytes()))
    }

    fn setup(&self, mode: SetupMode) -> Result<SetupOutcome> {
        self.access.refuse_to_write()?;
        match (mode, Shelf::open(&self.name, Access::ReadWrite, self.wait)) {
            (_, Err(error)) if error.kind() == ErrorKind::NotSetUp => {
                Shelf::create(&self.name).map(|()| SetupOutcome::Created)
            }
            (SetupMode::IfMissing, Ok(_)) => Ok(SetupOutcome::Existing),
            (SetupMode::Recreate, Ok(mut database)) => database.clear().map(|()| SetupOutcome::Recreated),
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
        let database = match self.shelf(Access::ReadOnly) {
            Ok(database) => database,
            Err(error) => return Box::new(std::iter::once(Err(error))),
        };
        let keys: Vec<_> = database.keys().map(<[u8]>::to_vec).collect();
        let records = keys.into_iter().filter_map(move |key| {
            let Ok(id) = String::from_utf8(key) else {
                return Some(Err(Error::corrupt("a session's id is not UTF-8")));
            };
            let payload = database.value(id.as_bytes()).transpose()?;
            Some(payload.map(|payload| Record::new(SessionId::new(id), payload)))
        });
        limited(query, records)
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
        let database = self.shelf(Access::ReadOnly)?;
        for key in database.keys() {
            let Ok(id) = str::from_utf8(key) else {
                show("", Err(Error::corrupt("a session's id is not UTF-8")));
                continue;
            };
            if let Some(payload) = database.value(key).transpose() {
                show(id, payload);
            }
        }
        Ok(())
    }

    fn delete_if(
        &self,
        ids: &[String],
        is_old: &dyn Fn(&Payload) -> bool,
        mut archive: Option<&mut dyn Progress>,
    ) -> Result<(u64, u64)> {
        let mut database = self.shelf(Access::ReadWrite)?;
        let value = |id: &str| database.value(id.as_bytes()).ok().flatten();
        let Picked { old, kept } = inside::pick(ids, is_old, &mut archive, value)?;
        for id in &old {
            database.remove(id.as_bytes());
        }
        if !old.is_empty() {
            database.write_index()?;
        }
        Ok((old.len() as u64, kept))
    }
}
