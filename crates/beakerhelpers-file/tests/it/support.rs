//! A place for sessions, and what is in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use beakerhelpers_core::{
    Access, Cutoff, Deleted, Error, Framing, Payload, Progress, Query, Record, SaveMode, SessionId, SessionStore,
    SetupMode, StoreConfig, Timestamp,
};
use beakerhelpers_file::FileStore;
use tempfile::TempDir;

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// The pickle of `{'session': {}}`.
pub(crate) const EMPTY: &[u8] = b"\x80\x02}U\x07session}s.";

/// A folder with the ini file of a site, whose sessions are in `data`.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    /// Without anything.
    pub(crate) fn bare() -> Self {
        Self { folder: TempDir::new().expect("a directory") }
    }

    /// Set up.
    pub(crate) fn new() -> Self {
        let place = Self::bare();
        place.store().setup(SetupMode::IfMissing).expect("there is room");
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    fn config(&self) -> StoreConfig {
        let data = self.path().join("data").display().to_string();
        StoreConfig::new("beaker.session").with("data_dir", data).with_wait(Duration::from_millis(200))
    }

    pub(crate) fn store(&self) -> FileStore {
        FileStore::new(&self.config()).expect("it says where")
    }

    pub(crate) fn read_only(&self) -> FileStore {
        FileStore::new(&self.config().with_access(Access::ReadOnly)).expect("it says where")
    }

    /// The file of a session, by its path in the tree.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.path().join("data/container_file").join(path)
    }

    /// Saves a session of this age.
    pub(crate) fn save(&self, id: &str, age: Duration) {
        self.store().save(&record(id, age), SaveMode::Upsert).expect("it takes a session");
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.store().has(&SessionId::new(id)).expect("it answers")
    }

    /// Every file and folder below, with the time of its last change.
    pub(crate) fn everything(&self) -> Vec<(PathBuf, SystemTime)> {
        let (mut all, mut pending) = (Vec::new(), vec![self.path().to_owned()]);
        while let Some(folder) = pending.pop() {
            for entry in fs::read_dir(folder).expect("a readable directory") {
                let path = entry.expect("a readable directory").path();
                let facts = path.symlink_metadata().expect("it is there");
                if facts.is_dir() {
                    pending.push(path.clone());
                }
                all.push((path, facts.modified().expect("a time")));
            }
        }
        all.sort();
        all
    }

    /// How many files have this ending.
    pub(crate) fn count(&self, ending: &str) -> usize {
        self.everything().iter().filter(|(path, _)| path.as_os_str().to_string_lossy().ends_with(ending)).count()
    }

    /// The ids that a listing gives, sorted, and what it cannot read.
    pub(crate) fn listed(&self) -> (Vec<String>, Vec<Error>) {
        let (mut ids, mut errors) = (Vec::new(), Vec::new());
        for item in self.read_only().iter(Query::ALL) {
            match item {
                Ok(record) => ids.push(record.id.as_str().to_owned()),
                Err(error) => errors.push(error),
            }
        }
        ids.sort();
        (ids, errors)
    }
}

/// A session of this age.
pub(crate) fn record(id: &str, age: Duration) -> Record {
    let payload = Payload::new(Framing::Namespace, EMPTY.to_vec());
    Record::new(SessionId::new(id), payload).with_times(None, Some(now().earlier_by(age)))
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

/// An hour ago.
pub(crate) fn cutoff() -> Cutoff {
    Cutoff::ago(now(), HOUR)
}

/// Keeps what a cleanup could not read or delete.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) unreadable: Vec<String>,
    pub(crate) archived: Vec<Record>,
}

impl Progress for Notes {
    fn unreadable(&mut self, error: &Error) {
        self.unreadable.push(error.to_string());
    }

    fn archive(&mut self, records: &[Record]) -> beakerhelpers_core::Result<()> {
        self.archived.extend_from_slice(records);
        Ok(())
    }
}

/// Deleted, and kept.
pub(crate) fn counts(deleted: Deleted) -> (u64, u64) {
    (deleted.deleted, deleted.kept)
}
