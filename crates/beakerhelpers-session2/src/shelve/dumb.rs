//! A shelve of `dbm.dumb`: values in `.dat`, and in `.dir` where they are.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::Duration;

use beakerhelpers_core::{Access, Result};
use beakerhelpers_dbm_format::{DumbIndex, Pair, dumb_pairs, dumb_value};

use super::place::{Others, Place, lock, missing, replace};
use super::shelf::Shelf;
use crate::paths::failed;

/// An open shelve. Values stay where they are, and whoever reads them one by one keeps nobody waiting.
#[derive(Debug)]
pub(super) struct Dumb {
    name: PathBuf,
    data: File,
    index: DumbIndex,
}

impl Dumb {
    pub(super) fn open(place: Place<'_>, access: Access, wait: Duration) -> Result<Self> {
        let name = place.0.to_owned();
        let open = |error| failed("open the shelve", &name, error);
        let writes = access == Access::ReadWrite;
        let data = OpenOptions::new().read(true).write(writes).open(place.file(".dat")).map_err(open)?;
        lock(&data, &name, if writes { Others::Wait } else { Others::Read }, wait)?;
        let Some(index) = beakerhelpers_dbm_format::Files::open(&place, ".dir")? else { return Err(missing()) };
        let index = DumbIndex::read(BufReader::new(index))?;
        if !writes {
            data.unlock().map_err(open)?;
        }
        Ok(Self { name, data, index })
    }

    fn write_index(&self) -> Result<()> {
        let path = Place(&self.name).file(".dir");
        replace(&path, |new| {
            let mut file = OpenOptions::new().write(true).open(new).map_err(|error| self.cannot_write(error))?;
            let written = file.write_all(&self.index.to_bytes()).and_then(|()| file.sync_all());
            written.map_err(|error| self.cannot_write(error))
        })
    }

    fn cannot_write(&self, error: std::io::Error) -> beakerhelpers_core::Error {
        failed("write the shelve", &self.name, error)
    }
}

impl Shelf for Dumb {
    fn has(&mut self, key: &[u8]) -> Result<bool> {
        Ok(self.index.get(key).is_some())
    }

    fn value(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.index.get(key).map(|entry| dumb_value(&self.data, entry)).transpose()
    }

    /// Behind all others, so that the old one is there until the index tells of the new one.
    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let end = self.data.seek(SeekFrom::End(0)).map_err(|error| self.cannot_write(error))?;
        let at = self.index.append(key, end, value.len() as u64);
        let written = self.data.set_len(at).and_then(|()| self.data.seek(SeekFrom::Start(at)));
        let written = written.and_then(|_| self.data.write_all(value)).and_then(|()| self.data.sync_data());
        written.map_err(|error| self.cannot_write(error))
    }

    fn remove(&mut self, key: &[u8]) -> Result<()> {
        self.index.remove(key);
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<()> {
        self.write_index()
    }

    fn clear(mut self: Box<Self>) -> Result<()> {
        self.index = DumbIndex::default();
        self.write_index()?;
        self.data.set_len(0).map_err(|error| self.cannot_write(error))
    }

    fn pairs(self: Box<Self>) -> Box<dyn Iterator<Item = Result<Pair>> + Send> {
        let Self { data, index, .. } = *self;
        Box::new(dumb_pairs(index, data))
    }
}
