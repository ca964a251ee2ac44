//! Durus's files: records one after the other, and new ones at the end.
//!
//! Whoever writes a file has it locked for as long as it has it open. It is read without a lock: what was once written
//! stays as it is, packing makes another file, and a transaction whose end is missing is none.

mod scan;

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use beakerhelpers_core::{Access, Error, ErrorKind, Result};

pub(super) use self::scan::Format;
use self::scan::{Scan, scan};
use super::PAUSE;
use super::storage::{Commit, LARGEST, Loaded, Oid, Storage};
use crate::paths::{failed, is_same};

/// A file, for one transaction.
#[derive(Debug)]
pub(super) struct Shelf {
    file: File,
    path: PathBuf,
    format: Format,
    /// What is behind it came later.
    len: u64,
    next: u64,
}

/// Opens a file that is there; locks it to write it.
pub(super) fn open(path: &Path, access: Access, wait: Duration) -> Result<Shelf> {
    let error = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Error::new(ErrorKind::NotSetUp, "there is no such file")
            .with_hint("correct `file`, or run `beakerhelpers setup`"),
        _ => failed("open the file of Durus", path, error),
    };
    let started = Instant::now();
    loop {
        let writes = access == Access::ReadWrite;
        let file = OpenOptions::new().read(true).write(writes).open(path).map_err(error)?;
        if !writes || locked(&file, path)? {
            return shelf(file, path);
        }
        if started.elapsed() >= wait {
            return Err(in_use());
        }
        thread::sleep(PAUSE);
    }
}

/// Locks a file, and tells whether it is still the one of this name: whoever packs it makes another.
fn locked(file: &File, path: &Path) -> Result<bool> {
    match file.try_lock() {
        Ok(()) => is_same(file, path).map_err(|error| failed("look at the file of Durus", path, error)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(false),
        Err(std::fs::TryLockError::Error(error)) => Err(failed("lock the file of Durus", path, error)),
    }
}

fn in_use() -> Error {
    Error::new(ErrorKind::Unavailable, "another process has the file of Durus open, and keeps it").with_hint(
        "Durus lets only one process write a file: stop that one, or, where it is a Durus server, set `host` and `port` \
         in place of `file`",
    )
}

fn shelf(mut file: File, path: &Path) -> Result<Shelf> {
    let read = |error| failed("read the file of Durus", path, error);
    let len = file.metadata().map_err(read)?.len();
    let mut magic = Vec::new();
    (&file).take(8).read_to_end(&mut magic).map_err(read)?;
    let format = Format::of(&magic)?;
    file.rewind().map_err(read)?;
    Ok(Shelf { file, path: path.to_owned(), format, len, next: 0 })
}

/// Makes a file with these records.
pub(super) fn create(path: &Path, records: &[(Oid, Vec<u8>)]) -> Result<()> {
    let error = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => in_use(),
        _ => failed("create the file of Durus", path, error),
    };
    let mut file = OpenOptions::new().read(true).write(true).create_new(true).open(path).map_err(error)?;
    file.try_lock().map_err(|_| in_use())?;
    let mut bytes = scan::EMPTY.to_vec();
    bytes.extend(Format::Shelf.transaction(records));
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(error)
}

impl Shelf {
    fn scan(&self, oid: Oid) -> Result<Scan> {
        scan(&self.file, self.format, self.len, oid).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => Error::corrupt("the file of Durus is damaged"),
            _ => failed("read the file of Durus", &self.path, error),
        })
    }
}

impl Storage for Shelf {
    fn load(&mut self, oid: Oid) -> Result<Loaded> {
        let Some((at, len)) = self.scan(oid)?.found else { return Ok(Loaded::Missing) };
        if len > LARGEST {
            return Err(Error::corrupt("a record of Durus is larger than any that is read"));
        }
        let mut record = Vec::new();
        let done = self.file.seek(SeekFrom::Start(at)).and_then(|_| (&self.file).take(len).read_to_end(&mut record));
        done.map_err(|error| failed("read the file of Durus", &self.path, error))?;
        Ok(Loaded::Record(record))
    }

    fn new_oid(&mut self) -> Result<Oid> {
        let free = self.scan([0xff; 8])?.free.max(self.next);
        self.next = free + 1;
        Ok(free.to_be_bytes())
    }

    fn commit(&mut self, records: &[(Oid, Vec<u8>)]) -> Result<Commit> {
        if !self.scan([0xff; 8])?.is_whole {
            return Err(Error::corrupt("the last transaction in the file of Durus is not whole")
                .with_hint("Durus does not open it either: repair it with `durus -s --repair --file …`"));
        }
        let bytes = self.format.transaction(records);
        let error = |error| failed("write the file of Durus", &self.path, error);
        self.file.seek(SeekFrom::Start(self.len)).map_err(error)?;
        match self.file.write_all(&bytes).and_then(|()| self.file.sync_all()) {
            Ok(()) => {
                self.len += bytes.len() as u64;
                Ok(Commit::Done)
            }
            Err(failure) => {
                // A part of a transaction would keep Durus from opening the file.
                self.file.set_len(self.len).map_err(error)?;
                Err(error(failure))
            }
        }
    }
}
