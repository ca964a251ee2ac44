//! The store.

use std::sync::Arc;

use beakerhelpers_container::{Kind, Name, Place, clean, failure, list, replace};
use beakerhelpers_core::{
    CleanupMode, Cutoff, DeletePlan, Deleted, Finding, Progress, Query, Record, Records, Result, SaveMode, SessionId,
    SessionStore, SetupMode, SetupOutcome, StoreConfig, StoreInfo, Tidied,
};

use crate::reader::{EXTENSION, Files, load};
use crate::{CAPABILITIES, FILE};

/// Sessions in files, as `beaker/container.py`, `FileNamespaceManager`, has them (1.2 to 1.14.1).
#[derive(Debug)]
pub struct FileStore {
    place: Arc<Place>,
}

impl FileStore {
    /// Describes a store. No file is touched before the first call.
    ///
    /// # Errors
    ///
    /// `Config` where the options do not say where the files are.
    pub fn new(config: &StoreConfig) -> Result<Self> {
        Ok(Self { place: Arc::new(Place::new(config, Kind::FILE)?) })
    }

    fn files(&self) -> Result<Files> {
        Files::open(self.place.clone())
    }
}

impl SessionStore for FileStore {
    fn info(&self) -> StoreInfo {
        StoreInfo::new(FILE.name, self.place.location(), CAPABILITIES)
    }

    fn load(&self, id: &SessionId) -> Result<Option<Record>> {
        let tree = self.place.open()?;
        let Some(name) = Name::of(id.as_str(), EXTENSION) else { return Ok(None) };
        let Some(folder) = tree.folder(&name)? else { return Ok(None) };
        let locks = self.place.locks();
        locks.read(locks.open()?.as_ref(), id.as_str(), || load(&folder, &name.file(), id))
    }

    fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
        let saving = self.place.for_saving(record, EXTENSION)?;
        let file = [record.id.as_str(), EXTENSION].concat();
        let (folder, _lock) = saving.lock(mode, |folder| {
            let there = folder.facts(&file).map_err(|errno| failure("look for the file of a session", errno))?;
            Ok(there.is_some())
        })?;
        replace(&folder, &file, record.payload.bytes(), saving.accessed())
    }

    fn delete(&self, id: &SessionId) -> Result<bool> {
        self.place.refuse_to_write()?;
        let tree = self.place.open()?;
        let Some(name) = Name::of(id.as_str(), EXTENSION) else { return Ok(false) };
        let Some(folder) = tree.folder(&name)? else { return Ok(false) };
        let locks = self.place.locks();
        let _lock = locks.to_delete(locks.open()?.as_ref(), id.as_str())?;
        let file = name.file();
        // A folder or a pipe of this name is no session.
        let there = folder.facts(&file).map_err(|errno| failure("look for the file of a session", errno))?;
        if there.is_none() {
            return Ok(false);
        }
        folder.unlink(&file).map_err(|errno| failure("delete the file of a session", errno))
    }

    fn has(&self, id: &SessionId) -> Result<bool> {
        let tree = self.place.open()?;
        let Some(name) = Name::of(id.as_str(), EXTENSION) else { return Ok(false) };
        let Some(folder) = tree.folder(&name)? else { return Ok(false) };
        let facts = folder.facts(name.file()).map_err(|errno| failure("look for the file of a session", errno))?;
        Ok(facts.is_some())
    }

    fn setup(&self, mode: SetupMode) -> Result<SetupOutcome> {
        self.place.setup(&self.files()?, mode)
    }

    fn check(&self) -> Result<Vec<Finding>> {
        self.place.check(&self.files()?)
    }

    fn iter(&self, query: Query) -> Records<'_> {
        match self.files() {
            Ok(files) => list(&self.place, files, query),
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }

    fn delete_old(&self, cutoff: Cutoff, plan: &DeletePlan, progress: &mut dyn Progress) -> Result<Deleted> {
        clean(&self.place, &self.files()?, cutoff, plan, progress)
    }

    fn tidy_offline(&self, mode: CleanupMode) -> Result<Tidied> {
        self.place.tidy(mode)
    }
}
