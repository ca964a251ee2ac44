//! The store.

use std::sync::{Arc, OnceLock};

use beakerhelpers_container::{Folder, Form, Kind, Name, Place, Tree, Walk, clean, failure, list};
use beakerhelpers_core::{
    CleanupMode, Cutoff, DeletePlan, Deleted, Finding, Framing, Progress, Query, Record, Records, Result, SaveMode,
    SessionId, SessionStore, SetupMode, SetupOutcome, StoreConfig, StoreInfo, Tidied,
};
use beakerhelpers_dbm_format::{Format, Found};

use crate::content::value_of;
use crate::database::{Database, EXTENSION, FORM, LONGEST_EXTENSION};
use crate::reader::{Reader, record};
use crate::{CAPABILITIES, DBM};

/// The option that chooses the format of new databases.
pub(crate) const FORMAT_OPTION: &str = "dbm_format";
/// So many files are looked at to find out which format the others have.
const SAMPLE: usize = 1000;

/// Sessions in dbm databases, one for each, as `beaker/container.py`, `DBMNamespaceManager`, has them (1.2 to 1.14.1).
#[derive(Debug)]
pub struct DbmStore {
    place: Arc<Place>,
    /// How new databases are written, once that is known.
    new: OnceLock<Format>,
}

impl DbmStore {
    /// Describes a store. No file is touched before the first call.
    ///
    /// # Errors
    ///
    /// `Config` where the options do not say where the databases are, or name a format that there is not.
    pub fn new(config: &StoreConfig) -> Result<Self> {
        let new = match config.get(FORMAT_OPTION) {
            Some(name) => OnceLock::from(
                Format::chosen(name).map_err(|error| error.with_context("at", config.origin(FORMAT_OPTION)))?,
            ),
            None => OnceLock::new(),
        };
        Ok(Self { place: Arc::new(Place::new(config, Kind::DBM)?), new })
    }

    fn reader(&self) -> Result<Reader> {
        Reader::open(self.place.clone())
    }

    /// The folder that a session is in.
    fn folder(&self, id: &SessionId) -> Result<Option<Folder>> {
        let tree = self.place.open()?;
        Name::of(id.as_str(), EXTENSION).map_or(Ok(None), |name| tree.folder(&name))
    }

    /// How new databases are written: as others are. Where there are none, any Python can read `dbm.dumb`.
    fn format(&self, tree: &Tree) -> Result<Format> {
        if let Some(format) = self.new.get() {
            return Ok(*format);
        }
        for spot in Walk::new(tree, Form(&FORM))?.take(SAMPLE) {
            let Ok(spot) = spot else { continue };
            let database = Database::new(spot.folder(), spot.id());
            if let Ok(Found::As(format)) = Format::of(&database) {
                return Ok(*self.new.get_or_init(|| format));
            }
        }
        Ok(Format::Dumb)
    }
}

fn is_there(database: &Database<'_>) -> Result<bool> {
    let standing = database.standing().map_err(|errno| failure("look for a session's database", errno))?;
    Ok(standing.is_some())
}

impl SessionStore for DbmStore {
    fn info(&self) -> StoreInfo {
        StoreInfo::new(DBM.name, self.place.location(), CAPABILITIES).with_framing(Framing::Value)
    }

    fn load(&self, id: &SessionId) -> Result<Option<Record>> {
        let Some(folder) = self.folder(id)? else { return Ok(None) };
        let locks = self.place.locks();
        let database = Database::new(&folder, id.as_str());
        locks.read(locks.open()?.as_ref(), id.as_str(), || record(&database, id.clone()))
    }

    fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
        let saving = self.place.for_saving(record, LONGEST_EXTENSION)?;
        let new = self.format(saving.tree())?;
        let id = record.id.as_str();
        let (folder, _lock) = saving.lock(mode, |folder| is_there(&Database::new(folder, id)))?;
        Database::new(&folder, id).write(value_of(&record.payload), saving.accessed(), new)
    }

    fn delete(&self, id: &SessionId) -> Result<bool> {
        self.place.refuse_to_write()?;
        let Some(folder) = self.folder(id)? else { return Ok(false) };
        let locks = self.place.locks();
        let _lock = locks.to_delete(locks.open()?.as_ref(), id.as_str())?;
        Database::new(&folder, id.as_str()).remove().map_err(|errno| failure("delete a session's database", errno))
    }

    fn has(&self, id: &SessionId) -> Result<bool> {
        let Some(folder) = self.folder(id)? else { return Ok(false) };
        is_there(&Database::new(&folder, id.as_str()))
    }

    fn setup(&self, mode: SetupMode) -> Result<SetupOutcome> {
        self.place.setup(&self.reader()?, mode)
    }

    fn check(&self) -> Result<Vec<Finding>> {
        self.place.check(&self.reader()?)
    }

    fn iter(&self, query: Query) -> Records<'_> {
        match self.reader() {
            Ok(reader) => list(&self.place, reader, query),
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }

    fn delete_old(&self, cutoff: Cutoff, plan: &DeletePlan, progress: &mut dyn Progress) -> Result<Deleted> {
        clean(&self.place, &self.reader()?, cutoff, plan, progress)
    }

    fn tidy_offline(&self, mode: CleanupMode) -> Result<Tidied> {
        self.place.tidy(mode)
    }
}
