//! Python's `dbm.dumb`: values in `.dat`, and in `.dir` a line for each key with the place of its value
//! (`Lib/dbm/dumb.py`, CPython 3.13; `Lib/dumbdbm.py`, 2.7).

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use beakerhelpers_core::{Access, Error, ErrorKind, Framing, Payload, Result};

use super::index;
use crate::paths::failed;

/// Values begin at multiples of this.
const BLOCK: u64 = 512;
/// What is larger is no session.
const LARGEST: u64 = 1 << 28;
/// What another dbm would call its files.
const OTHERS: [&str; 3] = ["", ".db", ".pag"];
const PAUSE: Duration = Duration::from_millis(5);

/// An open database; one that is open to write keeps out others of these.
#[derive(Debug)]
pub(super) struct Shelf {
    name: PathBuf,
    data: File,
    /// Where each value is, and how long.
    index: BTreeMap<Vec<u8>, (u64, u64)>,
}

fn beside(name: &Path, suffix: &str) -> PathBuf {
    let mut path = name.as_os_str().to_owned();
    path.push(suffix);
    PathBuf::from(path)
}

impl Shelf {
    pub(super) fn open(name: &Path, access: Access, wait: Duration) -> Result<Self> {
        let open = |error| failed("open the shelve", name, error);
        let writes = access == Access::ReadWrite;
        let data = match OpenOptions::new().read(true).write(writes).open(beside(name, ".dat")) {
            Ok(data) => data,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing(name)),
            Err(error) => return Err(open(error)),
        };
        let started = Instant::now();
        loop {
            match if writes { data.try_lock() } else { data.try_lock_shared() } {
                Ok(()) => break,
                Err(fs::TryLockError::WouldBlock) if started.elapsed() < wait => thread::sleep(PAUSE),
                Err(fs::TryLockError::WouldBlock) => {
                    return Err(Error::new(ErrorKind::Unavailable, "another process works on the shelve"));
                }
                Err(fs::TryLockError::Error(error)) => return Err(failed("lock the shelve", name, error)),
            }
        }
        let index = match File::open(beside(name, ".dir")) {
            Ok(file) => index::read(BufReader::new(file)).map_err(|error| match error.kind() {
                io::ErrorKind::InvalidData => Error::corrupt("the index of the shelve is damaged"),
                _ => failed("read the index of the shelve", name, error),
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing(name)),
            Err(error) => return Err(open(error)),
        };
        if !writes {
            // Values stay where they are: whoever reads them one by one keeps nobody waiting.
            data.unlock().map_err(open)?;
        }
        Ok(Self { name: name.to_owned(), data, index })
    }

    /// Makes an empty one.
    pub(super) fn create(name: &Path) -> Result<()> {
        let create = |error| failed("create the shelve", name, error);
        File::create_new(beside(name, ".dat")).map_err(create)?;
        File::create(beside(name, ".dir")).map_err(create)?;
        Ok(())
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.index.keys().map(Vec::as_slice)
    }

    pub(super) fn has(&self, key: &[u8]) -> bool {
        self.index.contains_key(key)
    }

    pub(super) fn value(&self, key: &[u8]) -> Result<Option<Payload>> {
        let Some(&(at, len)) = self.index.get(key) else { return Ok(None) };
        let mut data = &self.data;
        let mut bytes = Vec::new();
        data.seek(SeekFrom::Start(at))
            .and_then(|_| data.take(len.min(LARGEST)).read_to_end(&mut bytes))
            .map_err(|error| failed("read the shelve", &self.name, error))?;
        if bytes.len() as u64 != len {
            return Err(Error::corrupt("a session in the shelve is not whole"));
        }
        Ok(Some(Payload::new(Framing::Object, bytes)))
    }

    /// Sets a value: behind all others, so that the old one is there until the index tells of the new one.
    pub(super) fn set(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let write = |error| failed("write the shelve", &self.name, error);
        let end = self.data.seek(SeekFrom::End(0)).map_err(write)?;
        let at = end.next_multiple_of(BLOCK);
        self.data.set_len(at).map_err(write)?;
        self.data.seek(SeekFrom::Start(at)).and_then(|_| self.data.write_all(value)).map_err(write)?;
        self.index.insert(key.to_vec(), (at, value.len() as u64));
        self.write_index()
    }

    /// Forgets a key, and tells whether it was there; the index is still to be written.
    pub(super) fn remove(&mut self, key: &[u8]) -> bool {
        self.index.remove(key).is_some()
    }

    /// Deletes all.
    pub(super) fn clear(&mut self) -> Result<()> {
        self.index.clear();
        self.write_index()?;
        self.data.set_len(0).map_err(|error| failed("write the shelve", &self.name, error))
    }

    /// Writes the index anew; it takes the name of the old one when it is whole.
    pub(super) fn write_index(&self) -> Result<()> {
        let write = |error| failed("write the index of the shelve", &self.name, error);
        let (path, new) = (beside(&self.name, ".dir"), beside(&self.name, ".dir.new"));
        let mut file = File::create(&new).map_err(write)?;
        file.write_all(&index::text(&self.index)).map_err(write)?;
        let old = fs::metadata(&path).map_err(write)?;
        file.set_permissions(old.permissions()).map_err(write)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            // Where this user may not, the file is the application's already.
            let _ = std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid()));
        }
        fs::rename(&new, &path).map_err(write)
    }
}

/// What is there instead, if anything.
fn missing(name: &Path) -> Error {
    if OTHERS.iter().any(|suffix| beside(name, suffix).is_file()) {
        return Error::unsupported("the shelve was written by a dbm other than `dbm.dumb`, and is not read here")
            .with_hint(
                "copy it once with Python: `shelve.Shelf(dbm.dumb.open(new))` takes the items of `shelve.open(old)`",
            );
    }
    Error::new(ErrorKind::NotSetUp, "there is no shelve of this name").with_hint(
        "correct `filename`; the application makes it with the first session, and so does `beakerhelpers setup`",
    )
}
