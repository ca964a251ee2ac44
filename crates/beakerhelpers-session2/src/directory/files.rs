//! Session files and their locks.
//!
//! session2 locks the file itself with `flock`: shared to load, exclusively to save, and not at all to delete
//! (`session2/store/DirectorySessionStore.py`, 0.6; `session3`, 3.4.1). But it empties the file *before* it has the lock,
//! and what it pickled is written when it closes the file, *after* it has let the lock go. So whoever has the lock may
//! still see a file that is empty, or one that ends early. Nothing here empties a file, or writes a part of one.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use beakerhelpers_core::{Error, ErrorKind, Result, Timestamp};

use crate::paths::{failed, is_same, of_one};

/// A file that is not whole is most likely being written: it is looked at again so often, after so long.
const LOOKS: u32 = 10;
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);
/// Unless nobody has touched it for so long: its writer is dead.
const ABANDONED: Duration = Duration::from_secs(5);
/// A lock is held for as long as a session takes to be pickled.
const BETWEEN_TRIES: Duration = Duration::from_millis(2);
/// What is larger is no session: nobody decodes it.
const LARGEST: u64 = 64 << 20;

/// The files of a directory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Files<'a> {
    pub(super) directory: &'a Path,
    /// How long to wait for a lock.
    pub(super) wait: Duration,
}

/// What came of the wish to have a file.
#[derive(Debug)]
pub(super) enum Locked {
    Here(Held),
    Missing,
    /// Somebody else had it for all the time.
    InUse,
    /// It is there, and this user may not open it, or cannot. Others may well be fine.
    Refused(Error),
}

/// A file that is locked until this is dropped.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) file: File,
    pub(super) path: PathBuf,
}

/// What is in a file.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) bytes: Vec<u8>,
    /// When it was written last.
    pub(super) modified: Timestamp,
}

impl<'a> Files<'a> {
    /// The file of an id; `None` where an id can be none: it would be in another directory, or is hidden, as no session
    /// is.
    pub(super) fn path(&self, id: &str) -> Option<PathBuf> {
        let is_name = !id.is_empty() && !id.starts_with('.') && !id.contains(['/', '\0']) && id.len() <= 255;
        let is_name = is_name && (cfg!(unix) || !id.contains(['\\', ':']));
        is_name.then(|| self.directory.join(id))
    }

    /// Opens a file to read it, and locks it against those who write.
    pub(super) fn shared(&self, path: &Path) -> Result<Locked> {
        let file = match self.open(path) {
            Ok(file) => file,
            Err(other) => return Ok(other),
        };
        let is_locked = self.wait_for(&file, File::try_lock_shared, self.wait)?;
        Ok(if is_locked { Locked::Here(Held { file, path: path.to_owned() }) } else { Locked::InUse })
    }

    /// Reads a file; `None` where it is missing.
    ///
    /// # Errors
    ///
    /// `Unavailable` where somebody else has it locked all the time; `Corrupt` for what cannot be opened or read, or is too
    /// large to be a session.
    pub(super) fn read(&self, path: &Path) -> Result<Option<Contents>> {
        let error = |error| failed("read a session", self.directory, error);
        for look in 0.. {
            let mut held = match self.shared(path)? {
                Locked::Here(held) => held,
                Locked::Missing => return Ok(None),
                Locked::InUse => return Err(in_use()),
                Locked::Refused(error) => return Err(of_one(&error)),
            };
            let contents = held.read(self.directory)?;
            let (modified, _) = held.seen().map_err(error)?;
            let ended = contents.modified == modified && contents.bytes.last() == Some(&b'.');
            let abandoned = Timestamp::from(SystemTime::now()).since(modified) > ABANDONED;
            if ended || abandoned || look == LOOKS {
                return Ok(Some(Contents { modified, ..contents }));
            }
            // The writer may wait for the lock that this one has.
            drop(held);
            thread::sleep(BETWEEN_LOOKS);
        }
        unreachable!("the last look returns")
    }

    /// Opens a file that is there, and locks it.
    pub(super) fn lock(&self, path: &Path, wait: Duration) -> Result<Locked> {
        loop {
            // A session that may be read may be deleted by whoever may write the directory.
            let file = match self.open(path) {
                Ok(file) => file,
                Err(other) => return Ok(other),
            };
            if !self.wait_for(&file, File::try_lock, wait)? {
                return Ok(Locked::InUse);
            }
            // While it was waited for, it may have been deleted: what is written to it then is nobody's.
            if is_same(&file, path).map_err(|error| failed("look at a session", self.directory, error))? {
                return Ok(Locked::Here(Held { file, path: path.to_owned() }));
            }
        }
    }

    /// What a file begins as, without a lock: it is nothing else a moment later. `None` for what cannot be opened.
    pub(super) fn kind(&self, path: &Path) -> Result<Option<Kind>> {
        let Ok(file) = self.open(path) else { return Ok(None) };
        kind(&file).map(Some).map_err(|error| failed("read a file", self.directory, error))
    }

    fn open(&self, path: &Path) -> Result<File, Locked> {
        // Whoever opens a FIFO waits for its other end.
        if fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(Locked::Missing);
        }
        File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Locked::Missing,
            _ => Locked::Refused(failed("open a session", self.directory, error)),
        })
    }

    fn wait_for(
        &self,
        file: &File,
        attempt: impl Fn(&File) -> Result<(), TryLockError>,
        wait: Duration,
    ) -> Result<bool> {
        let started = Instant::now();
        loop {
            match attempt(file) {
                Ok(()) => return Ok(true),
                Err(TryLockError::WouldBlock) if started.elapsed() >= wait => return Ok(false),
                Err(TryLockError::WouldBlock) => thread::sleep(BETWEEN_TRIES),
                Err(TryLockError::Error(error)) => return Err(failed("lock a session", self.directory, error)),
            }
        }
    }

    /// The names of the files that may be sessions, in the order of the system, which reads them bit by bit.
    pub(super) fn names(&self) -> Result<impl Iterator<Item = Result<String>> + Send + use<'a>> {
        let directory = self.directory;
        super::setup::need(directory)?;
        let list = move |error| failed("list the directory", directory, error);
        let entries = fs::read_dir(directory).map_err(list)?;
        Ok(entries.filter_map(move |entry| {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return Some(Err(list(error))),
            };
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            let name = entry.file_name().into_string().ok();
            // session2's own ids are 16 hex digits, and an application's are what `str` gives.
            name.filter(|name| is_file && !name.starts_with('.')).map(Ok)
        }))
    }
}

impl Held {
    /// When it was written last, and its size.
    pub(super) fn seen(&self) -> io::Result<(Timestamp, u64)> {
        let metadata = self.file.metadata()?;
        Ok((Timestamp::from(metadata.modified()?), metadata.len()))
    }

    /// What it begins as.
    pub(super) fn kind(&mut self) -> io::Result<Kind> {
        self.file.seek(SeekFrom::Start(0))?;
        kind(&self.file)
    }

    /// What is in it, now that it is locked.
    ///
    /// # Errors
    ///
    /// `Corrupt`: it cannot be read, or is too large to be a session.
    pub(super) fn read(&mut self, directory: &Path) -> Result<Contents> {
        let error = |error| of_one(&failed("read a session", directory, error));
        let before = self.file.metadata().map_err(error)?;
        if before.len() > LARGEST {
            return Err(Error::corrupt("a file is too large to be a session"));
        }
        let bytes = self.bytes(before.len()).map_err(error)?;
        Ok(Contents { bytes, modified: Timestamp::from(before.modified().map_err(error)?) })
    }

    fn bytes(&mut self, len: u64) -> io::Result<Vec<u8>> {
        // One byte more, or the end would have to be asked for.
        let mut bytes = Vec::with_capacity(usize::try_from(len + 1).unwrap_or(0));
        (&self.file).take(LARGEST).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Deletes it, and tells whether it was there.
    pub(super) fn unlink(self) -> io::Result<bool> {
        match fs::remove_file(&self.path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// What a file begins as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The pickle of an object.
    Session,
    /// It has not a byte, as one that is being written, or was when its writer died. Nothing is in it to be lost.
    Empty,
    Other,
}

fn kind(file: &File) -> io::Result<Kind> {
    let mut start = Vec::with_capacity(2);
    file.take(2).read_to_end(&mut start)?;
    // Of protocol 2, which session2 writes, and later, or of one that an application has chosen.
    Ok(match *start {
        [] => Kind::Empty,
        [0x80, 2..=5] | [b'(', b'c' | b'i'] | [b'c', b'c'] => Kind::Session,
        _ => Kind::Other,
    })
}

/// When a session was saved last, and its size; `None` for what is gone.
pub(super) fn saved(directory: &Path, path: &Path) -> Result<Option<(Timestamp, u64)>> {
    let error = |error| failed("look at a session", directory, error);
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some((Timestamp::from(metadata.modified().map_err(error)?), metadata.len()))),
        Err(gone) if gone.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(other) => Err(error(other)),
    }
}

/// Whether this is a file of its own, and no link or directory.
pub(super) fn is_file(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(metadata.is_file()),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(error),
    }
}

pub(super) fn in_use() -> Error {
    Error::new(ErrorKind::Unavailable, "somebody else has the session's file locked").with_hint("try again")
}
