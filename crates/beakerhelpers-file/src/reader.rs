//! Reading the file of a session.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;
use std::time::SystemTime;

use beakerhelpers_container::{Facts, Folder, Form, Place, Sessions, Spot, Tree, failure, of_one};
use beakerhelpers_core::{Cutoff, Error, Framing, Payload, Query, Record, Result, SessionId, Timestamp};
use rustix::buffer::spare_capacity;
use rustix::io::{Errno, read};

/// What Beaker calls the file of a session (`beaker/container.py`, `FileNamespaceManager`, 1.14.1).
pub(crate) const EXTENSION: &str = ".cache";
/// The most that a file may have: no session does, and what is read is held in memory.
const LARGEST: u64 = 64 << 20;
/// A file that was written to so short ago may be in the middle of it: Beaker up to 1.9.0 writes in place.
const SETTLED: Duration = Duration::from_secs(10);

/// The files of a place.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) place: Arc<Place>,
    /// The lock files, for many sessions in a row.
    locks: Option<Tree>,
}

impl Files {
    /// Reads lock files from here on.
    pub(crate) fn open(place: Arc<Place>) -> Result<Self> {
        Ok(Self { locks: place.locks().open()?, place })
    }

    /// Reads a session under its lock, if it has one.
    fn read_under_lock(&self, spot: &Spot) -> Result<Option<Record>> {
        self.place.locks().read(self.locks.as_ref(), spot.id(), || self.read_locked(spot)).map_err(of_one)
    }
}

impl Sessions for Files {
    fn form(&self) -> Form {
        Form(&[EXTENSION])
    }

    fn read(&self, spot: &Spot) -> Result<Option<Record>> {
        self.read_active(spot, Query::ALL)
    }

    fn read_active(&self, spot: &Spot, query: Query) -> Result<Option<Record>> {
        let Some((file, facts)) = spot.folder().open(spot.file()).map_err(unreadable)? else { return Ok(None) };
        if is_old(&facts, query.active) {
            return Ok(None);
        }
        if !is_settled(facts.modified) {
            drop(file);
            let record = self.read_under_lock(spot)?;
            return Ok(record.filter(|record| !is_before(record.accessed, query.active)));
        }
        let bytes = contents(&file, &facts)?;
        // A pickle that is whole ends so; what does not may still be written, by a process that stands still.
        if bytes.last() != Some(&b'.') {
            return self.read_under_lock(spot);
        }
        Ok(Some(record(spot.session_id(), &facts, bytes)))
    }

    fn read_locked(&self, spot: &Spot) -> Result<Option<Record>> {
        let opened = spot.folder().open(spot.file()).map_err(unreadable)?;
        let Some((file, facts)) = opened else { return Ok(None) };
        Ok(Some(record(spot.session_id(), &facts, contents(&file, &facts)?)))
    }
}

/// Loads one session while its lock is held, if it has one.
pub(crate) fn load(folder: &Folder, file: &str, id: &SessionId) -> Result<Option<Record>> {
    let opened = folder.open(file).map_err(|errno| failure("read the file of a session", errno))?;
    let Some((file, facts)) = opened else { return Ok(None) };
    Ok(Some(record(id.clone(), &facts, contents(&file, &facts)?)))
}

fn record(id: SessionId, facts: &Facts, bytes: Vec<u8>) -> Record {
    Record::new(id, Payload::new(Framing::Namespace, bytes)).with_times(None, facts.modified)
}

/// Reads all of a file. Its size is where to begin; it may be another one by now.
fn contents(file: &OwnedFd, facts: &Facts) -> Result<Vec<u8>> {
    if facts.size > LARGEST {
        return Err(too_large());
    }
    let expected = usize::try_from(facts.size).map_err(|_| too_large())?;
    // With a byte to spare: a read that does not fill it has met the end.
    let mut bytes = Vec::with_capacity(expected + 1);
    loop {
        match read(file.as_fd(), spare_capacity(&mut bytes)) {
            Ok(0) => return Ok(bytes),
            Ok(_) if bytes.len() == expected => return Ok(bytes),
            Ok(_) if bytes.len() as u64 > LARGEST => return Err(too_large()),
            Ok(_) => bytes.reserve(1),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(unreadable(errno)),
        }
    }
}

fn is_old(facts: &Facts, active: Option<Cutoff>) -> bool {
    is_before(facts.modified, active)
}

fn is_before(accessed: Option<Timestamp>, active: Option<Cutoff>) -> bool {
    accessed.zip(active).is_some_and(|(accessed, cutoff)| accessed < cutoff.at())
}

fn is_settled(modified: Option<Timestamp>) -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
    let settled = now.and_then(|now| i64::try_from(now.saturating_sub(SETTLED).as_micros()).ok());
    modified.zip(settled).is_some_and(|(modified, settled)| modified.as_micros() < settled)
}

fn too_large() -> Error {
    Error::corrupt(format!("the file of a session has more than {} MiB: it is not read", LARGEST >> 20))
}

/// Of one session: others may well be readable.
fn unreadable(errno: Errno) -> Error {
    of_one(failure("read the file of a session", errno))
}
