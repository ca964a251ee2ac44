//! A shelve of `dbm.sqlite3`, which Python's own processes may use meanwhile.

use std::path::Path;
use std::time::Duration;

use beakerhelpers_core::{Access, Result};

use super::shelf::Shelf;

#[cfg(feature = "sqlite")]
pub(super) fn open(path: &Path, access: Access, wait: Duration) -> Result<Box<dyn Shelf>> {
    let at = |error: beakerhelpers_core::Error| error.with_context("at", crate::paths::shown(path));
    let mut table = beakerhelpers_dbm_format::SqliteTable::open(path, access, wait).map_err(at)?;
    if access == Access::ReadWrite {
        table.begin().map_err(at)?;
    }
    Ok(Box::new(table))
}

#[cfg(feature = "sqlite")]
impl Shelf for beakerhelpers_dbm_format::SqliteTable {
    fn has(&mut self, key: &[u8]) -> Result<bool> {
        self.has(key)
    }

    fn value(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.get(key)
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.put(key, value)
    }

    fn remove(&mut self, key: &[u8]) -> Result<()> {
        self.remove(key).map(drop)
    }

    fn commit(mut self: Box<Self>) -> Result<()> {
        Self::commit(&mut self)
    }

    fn clear(mut self: Box<Self>) -> Result<()> {
        Self::clear(&mut self)?;
        Self::commit(&mut self)
    }

    fn pairs(self: Box<Self>) -> Box<dyn Iterator<Item = Result<beakerhelpers_dbm_format::Pair>> + Send> {
        Box::new(self.into_pairs())
    }
}

#[cfg(not(feature = "sqlite"))]
pub(super) fn open(path: &Path, _: Access, _: Duration) -> Result<Box<dyn Shelf>> {
    Err(beakerhelpers_core::Error::unsupported(
        "the shelve is a dbm.sqlite3 database: this program was built without the feature `sqlite` of \
         beakerhelpers-session2",
    )
    .with_context("at", crate::paths::shown(path)))
}
