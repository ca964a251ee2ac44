//! A place for databases.

use std::fs;
use std::path::{Path, PathBuf};

use beakerhelpers_codec::{Decoded, Decoder};
use beakerhelpers_core::{Access, Framing, Payload, Record, SessionId, SessionStore, StoreConfig, Timestamp};
use beakerhelpers_dbm::DbmStore;
use tempfile::TempDir;

/// 2026-01-15T12:00:00Z
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_768_478_400);
/// All formats that can be written.
pub(crate) const FORMATS: [&str; 4] = ["dumb", "gnu", "ndbm", "sqlite3"];

/// A directory for data, which is removed when it is dropped.
pub(crate) struct Place(pub(crate) TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        // `/tmp` may be a tmpfs, which hides the age of some.
        Self(tempfile::tempdir_in("/var/tmp").expect("a temporary directory"))
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub(crate) fn config(&self) -> StoreConfig {
        let data = self.data();
        StoreConfig::new("beaker.session").with("type", "dbm").with("data_dir", data.to_str().expect("UTF-8"))
    }

    /// An ini file for it, with more keys as given.
    pub(crate) fn ini(&self, keys: &str) -> PathBuf {
        let ini = self.0.path().join("site.ini");
        // To Beaker the last one means nothing.
        let own =
            "beaker.session.type = dbm\nbeaker.session.data_dir = %(here)s/data\nbeaker.session.dbm_format = dumb\n";
        fs::write(&ini, format!("[app:main]\n{own}{keys}")).expect("an ini file");
        ini
    }

    /// A store that writes new databases in this format, or as it finds them.
    pub(crate) fn store(&self, format: &str) -> DbmStore {
        DbmStore::new(&self.config().with("dbm_format", format)).expect("a store")
    }

    pub(crate) fn reader(&self) -> DbmStore {
        DbmStore::new(&self.config().with_access(Access::ReadOnly)).expect("a store")
    }

    /// The file of an id, its name going on like this.
    pub(crate) fn file(&self, id: &str, suffix: &str) -> PathBuf {
        let folder = self.data().join("container_dbm").join(&id[..1]).join(&id[..2]);
        folder.join(format!("{id}.dbm{suffix}"))
    }

    /// All files below the folder of the databases, by name.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.data().join("container_dbm")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.expect("a readable folder").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push(path.file_name().expect("a name").to_str().expect("UTF-8").to_owned());
                }
            }
        }
        found.sort();
        found
    }
}

pub(crate) fn record(id: &str, value: &[u8], accessed: Timestamp) -> Record {
    Record::new(SessionId::new(id), Payload::new(Framing::Value, value.to_vec())).with_times(None, Some(accessed))
}

pub(crate) fn load(store: &dyn SessionStore, id: &str) -> Option<Record> {
    store.load(&SessionId::new(id)).expect("the store answers")
}

/// What the codec makes of a record: the texts of its keys; `None` where it is no session.
pub(crate) fn texts(record: &Record) -> Option<Vec<(String, String)>> {
    match Decoder::new().decode(&record.payload).expect("it can be decoded") {
        Decoded::Session(session) => {
            let texts = session.iter().filter_map(|(key, value)| {
                let key = key.as_str().filter(|key| !key.starts_with('_'))?;
                Some((key.to_owned(), value.as_str()?.to_owned()))
            });
            Some(texts.collect())
        }
        _ => None,
    }
}

pub(crate) fn set_time(path: &Path, at: Timestamp) {
    let micros = u64::try_from(at.as_micros()).expect("after 1970");
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_micros(micros);
    let file = fs::File::options().write(true).open(path).expect("it is there");
    file.set_modified(time).expect("its time can be set");
}
