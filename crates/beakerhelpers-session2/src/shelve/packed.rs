//! A shelve of GNU dbm or Berkeley DB: one file, which a change writes anew.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::PathBuf;
use std::time::Duration;

use beakerhelpers_core::{Access, Error, Result};
use beakerhelpers_dbm_format::{Pair, Suffix};

use super::place::{Place, missing, open_locked, replace};
use super::shelf::Shelf;
use crate::paths::{failed, shown};

/// An open shelve. Who only reads it takes no lock: what takes its place is another file.
#[derive(Debug)]
pub(super) struct Packed {
    path: PathBuf,
    database: beakerhelpers_dbm_format::Packed,
    /// Has the lock where it is open to write.
    _file: File,
    removed: BTreeSet<Vec<u8>>,
    added: Option<(Vec<u8>, Vec<u8>)>,
}

impl Packed {
    pub(super) fn open(place: Place<'_>, suffix: Suffix, access: Access, wait: Duration) -> Result<Self> {
        let cannot = |error| failed("open the shelve", place.0, error);
        // Of a link the file that it leads to is to be replaced.
        let path = fs::canonicalize(place.file(suffix)).map_err(cannot)?;
        let file = if access == Access::ReadWrite {
            open_locked(&path, wait)?
        } else {
            match beakerhelpers_dbm_format::Files::open(&place, suffix)? {
                Some(file) => file,
                None => return Err(missing()),
            }
        };
        let database = beakerhelpers_dbm_format::Packed::open(file.try_clone().map_err(cannot)?)
            .map_err(|error| error.with_context("at", shown(place.0)))?;
        Ok(Self { path, database, _file: file, removed: BTreeSet::new(), added: None })
    }

    fn at(&self) -> impl Fn(Error) -> Error + use<> {
        let at = shown(&self.path);
        move |error| error.with_context("at", at.clone())
    }
}

impl Shelf for Packed {
    fn has(&mut self, key: &[u8]) -> Result<bool> {
        self.database.has(key)
    }

    fn value(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.database.get(key)
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.added = Some((key.to_vec(), value.to_vec()));
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> Result<()> {
        self.removed.insert(key.to_vec());
        Ok(())
    }

    fn commit(mut self: Box<Self>) -> Result<()> {
        let at = self.at();
        let Self { path, database, removed, added, .. } = &mut *self;
        let added = added.as_ref().map(|(key, value)| (key.as_slice(), value.as_slice()));
        replace(path, |new| database.rewrite(new, &|key| removed.contains(key), added).map_err(at))
    }

    fn clear(self: Box<Self>) -> Result<()> {
        replace(&self.path, |new| self.database.write_empty(new).map_err(self.at()))
    }

    fn pairs(self: Box<Self>) -> Box<dyn Iterator<Item = Result<Pair>> + Send> {
        Box::new(self.database.into_pairs())
    }
}
