//! Beaker's locks: `flock` on a file for each id (`beaker/synchronization.py`, `FileSynchronizer`, 1.2 to 1.14.1).

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use beakerhelpers_core::{Error, ErrorKind, Result};
use rustix::fs::{FlockOperation, Mode, OFlags, flock, openat};
use rustix::io::Errno;
use sha1::{Digest, Sha1};

use crate::folder::{Facts, give_to};
use crate::{Folder, Name, Tree, failure};

/// The first pause between two looks at a lock that another process holds, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));

/// The lock files of a place.
///
/// Beaker makes a lock file when it first looks at an id, never removes one, and locks what it opened without looking
/// whether that is still the file of this name. So whoever removes one beside a live process lets two processes hold the
/// lock of one session.
#[derive(Debug)]
pub struct Locks {
    root: PathBuf,
    wait: Duration,
}

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: OwnedFd,
}

/// What to do while another process holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Wait as long as the place says.
    Bounded,
    /// Do without it.
    Never,
}

impl Locks {
    pub(crate) const fn new(root: PathBuf, wait: Duration) -> Self {
        Self { root, wait }
    }

    /// The folder that they are in.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Opens the folder, for many locks in a row; `None` where there is none.
    ///
    /// # Errors
    ///
    /// `PermissionDenied` and `Unavailable`.
    pub fn open(&self) -> Result<Option<Tree>> {
        Tree::open(&self.root)
    }

    /// Takes the lock of an id to read. `None` where it has no lock file, which is not created: then nobody reads or
    /// writes the session, or has ever.
    ///
    /// # Errors
    ///
    /// `Unavailable` where another process writes for too long; `PermissionDenied`.
    pub fn to_read(&self, tree: Option<&Tree>, id: &str) -> Result<Option<Lock>> {
        let Some(file) = open_lock(tree, &lock_name(id), OFlags::RDONLY)? else { return Ok(None) };
        self.take(file, FlockOperation::NonBlockingLockShared, Wait::Bounded).map(Some)
    }

    /// Takes the lock of an id to delete the session. `None` where it has no lock file, which is not created.
    ///
    /// # Errors
    ///
    /// `Unavailable` where another process holds it, for too long or at all; `PermissionDenied`.
    pub fn to_delete(&self, tree: Option<&Tree>, id: &str, wait: Wait) -> Result<Option<Lock>> {
        let Some(file) = open_lock(tree, &lock_name(id), OFlags::WRONLY)? else { return Ok(None) };
        self.take(file, FlockOperation::NonBlockingLockExclusive, wait).map(Some)
    }

    /// Takes the lock of an id to write, and creates its file and folders where they are missing, as Beaker does.
    ///
    /// # Errors
    ///
    /// `Unavailable` where another process holds it for too long; `PermissionDenied`.
    pub fn to_write(&self, id: &str) -> Result<Lock> {
        let name = lock_name(id);
        let tree = match self.open()? {
            Some(tree) => tree,
            None => crate::setup::make(&self.root)?,
        };
        let folder = tree.make_folder(&name)?;
        let cannot = |errno| failure("create a lock file", errno);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        // As Python's `os.open`, less the execution that no lock file needs.
        let file = openat(&folder, name.file(), flags, Mode::from_raw_mode(0o666)).map_err(cannot)?;
        give_to(&file, Facts::of(&folder).map_err(cannot)?.owner).map_err(cannot)?;
        self.take(file, FlockOperation::NonBlockingLockExclusive, Wait::Bounded)
    }

    fn take(&self, file: OwnedFd, how: FlockOperation, wait: Wait) -> Result<Lock> {
        let until = match wait {
            Wait::Bounded => Instant::now().checked_add(self.wait),
            Wait::Never => Some(Instant::now()),
        };
        let (mut pause, longest) = PAUSES;
        loop {
            match flock(&file, how) {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(Errno::WOULDBLOCK) => {}
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(failure("lock a session", errno)),
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return Err(Error::new(ErrorKind::Unavailable, "another process holds the lock of a session")
                    .with_hint(
                        "try again; if it stays so, a process of the application hangs in the middle of a save",
                    ));
            }
            thread::sleep(pause);
            pause = longest.min(pause * 2);
        }
    }
}

/// Opens a lock file that is there.
fn open_lock(tree: Option<&Tree>, name: &Name, access: OFlags) -> Result<Option<OwnedFd>> {
    let Some(tree) = tree else { return Ok(None) };
    let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match openat(tree, name.path(), flags, Mode::empty()) {
        Ok(file) => Ok(Some(file)),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(errno) => Err(failure("open the lock file of a session", errno)),
    }
}

/// The lock file of an id; its name is a digest, whatever those of the sessions are.
fn lock_name(id: &str) -> Name {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = Sha1::digest(id.as_bytes())
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect::<String>();
    Name::of(&digits, LOCK).expect("40 digits are a name")
}

pub(crate) const LOCK: &str = ".lock";

/// Takes the lock of a file in the tree of locks, whatever session it belongs to; `None` where another process holds it.
pub(crate) fn try_lock_file(folder: &Folder, name: &std::ffi::CStr) -> Result<Option<Lock>, Errno> {
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(folder, name, flags, Mode::empty())?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(Lock { _file: file })),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(errno) => Err(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_named_by_digest() {
        // sha1 of "abc" (FIPS 180-1, appendix A).
        assert_eq!(lock_name("abc").path(), "a/a9/a9993e364706816aba3e25717850c26c9cd0d89d.lock");
    }

    #[test]
    fn only_writing_creates_a_lock_file() {
        let folder = tempfile::tempdir().expect("a directory");
        let locks = Locks::new(folder.path().join("locks"), Duration::from_millis(30));
        assert!(locks.open().expect("it looks").is_none());
        assert!(locks.to_read(None, "a").expect("no lock").is_none());
        let held = locks.to_write("a").expect("it is free");
        let tree = locks.open().expect("it looks");
        for result in [locks.to_read(tree.as_ref(), "a"), locks.to_delete(tree.as_ref(), "a", Wait::Never)] {
            assert_eq!(result.map(drop).map_err(|error| error.kind()), Err(ErrorKind::Unavailable));
        }
        assert!(locks.to_read(tree.as_ref(), "b").expect("no lock").is_none());
        drop(held);
        let one = locks.to_read(tree.as_ref(), "a").expect("it is free");
        let two = locks.to_read(tree.as_ref(), "a").expect("readers are many");
        assert!(one.is_some() && two.is_some());
    }
}
