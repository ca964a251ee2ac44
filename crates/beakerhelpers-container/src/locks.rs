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
    _files: Vec<OwnedFd>,
}

/// What comes of taking a lock without waiting for it.
#[derive(Debug)]
pub enum Taken {
    /// It is held now.
    Lock(Lock),
    /// There is no lock file. None is created.
    NoLockFile,
    /// Another process holds it.
    Held,
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
        let files = open_locks(tree, id, OFlags::RDONLY)?;
        self.wait_for(files, FlockOperation::NonBlockingLockShared)
    }

    /// Reads a session, under the lock of its id if it has one. If a lock file comes while it is read without, it is read
    /// again: whoever made the file may have written meanwhile.
    ///
    /// # Errors
    ///
    /// As [`to_read`](Self::to_read), and what reading says.
    pub fn read<T>(&self, tree: Option<&Tree>, id: &str, read: impl Fn() -> Result<T>) -> Result<T> {
        if let Some(_lock) = self.to_read(tree, id)? {
            return read();
        }
        let unlocked = read();
        // The folder may be new as well.
        match self.to_read(self.open()?.as_ref(), id)? {
            Some(_lock) => read(),
            None => unlocked,
        }
    }

    /// Takes the lock of an id to delete the session. `None` where it has no lock file, which is not created.
    ///
    /// # Errors
    ///
    /// `Unavailable` where another process holds it for too long; `PermissionDenied`.
    pub fn to_delete(&self, tree: Option<&Tree>, id: &str) -> Result<Option<Lock>> {
        let files = open_locks(tree, id, OFlags::WRONLY)?;
        self.wait_for(files, FlockOperation::NonBlockingLockExclusive)
    }

    /// As [`to_delete`](Self::to_delete), without waiting.
    ///
    /// # Errors
    ///
    /// What hinders the lock from being taken, other than a process that holds it.
    pub fn try_to_delete(&self, tree: Option<&Tree>, id: &str) -> Result<Taken> {
        let files = open_locks(tree, id, OFlags::WRONLY)?;
        if files.is_empty() {
            return Ok(Taken::NoLockFile);
        }
        let lock = take(files, FlockOperation::NonBlockingLockExclusive, Some(Instant::now()))?;
        Ok(lock.map_or(Taken::Held, Taken::Lock))
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
        let mut files = vec![file];
        files.extend(open_locks_named(Some(&tree), lock_of_cache(id), OFlags::WRONLY)?);
        self.wait_for(files, FlockOperation::NonBlockingLockExclusive)?
            .ok_or_else(|| Error::new(ErrorKind::Unavailable, "a session has no lock file"))
    }

    fn wait_for(&self, files: Vec<OwnedFd>, how: FlockOperation) -> Result<Option<Lock>> {
        if files.is_empty() {
            return Ok(None);
        }
        let lock = take(files, how, Instant::now().checked_add(self.wait))?;
        lock.map(Some).ok_or_else(|| {
            Error::new(ErrorKind::Unavailable, "another process holds the lock of a session")
                .with_hint("try again; if it stays so, a process of the application hangs in the middle of a save")
        })
    }
}

/// Takes the locks of some files; `None` where another process holds one at the end of the time, if it has one.
fn take(files: Vec<OwnedFd>, how: FlockOperation, until: Option<Instant>) -> Result<Option<Lock>> {
    for file in &files {
        let (mut pause, longest) = PAUSES;
        loop {
            match flock(file, how) {
                Ok(()) => break,
                Err(Errno::WOULDBLOCK) => {}
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(failure("lock a session", errno)),
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return Ok(None);
            }
            thread::sleep(pause);
            pause = longest.min(pause * 2);
        }
    }
    Ok(Some(Lock { _files: files }))
}

/// Opens the lock files of an id that are there.
fn open_locks(tree: Option<&Tree>, id: &str, access: OFlags) -> Result<Vec<OwnedFd>> {
    open_locks_named(tree, [lock_name(id)].into_iter().chain(lock_of_cache(id)), access)
}

fn open_locks_named(
    tree: Option<&Tree>,
    names: impl IntoIterator<Item = Name>,
    access: OFlags,
) -> Result<Vec<OwnedFd>> {
    let Some(tree) = tree else { return Ok(Vec::new()) };
    let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut files = Vec::new();
    for name in names {
        match openat(tree, name.path(), flags, Mode::empty()) {
            Ok(file) => files.push(file),
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(errno) => return Err(failure("open the lock file of a session", errno)),
        }
    }
    Ok(files)
}

/// The lock file of the cache that a file may belong to: a cache's file has its namespace's digest as a name, which its
/// lock file has as well (`beaker/container.py`, 1.14.1).
fn lock_of_cache(name: &str) -> Option<Name> {
    let is_digest = name.len() == 40 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_digest { Name::of(name, LOCK) } else { None }
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
        Ok(()) => Ok(Some(Lock { _files: vec![file] })),
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
        assert!(matches!(locks.try_to_delete(tree.as_ref(), "a"), Ok(Taken::Held)));
        assert!(matches!(locks.try_to_delete(tree.as_ref(), "b"), Ok(Taken::NoLockFile)));
        for result in [locks.to_read(tree.as_ref(), "a"), locks.to_delete(tree.as_ref(), "a")] {
            assert_eq!(result.map(drop).map_err(|error| error.kind()), Err(ErrorKind::Unavailable));
        }
        assert!(locks.to_read(tree.as_ref(), "b").expect("no lock").is_none());
        drop(held);
        let one = locks.to_read(tree.as_ref(), "a").expect("it is free");
        let two = locks.to_read(tree.as_ref(), "a").expect("readers are many");
        assert!(one.is_some() && two.is_some());
    }

    #[test]
    fn what_is_no_lock_file_is_not_taken_for_a_lock_that_is_held() {
        let folder = tempfile::tempdir().expect("a directory");
        let locks = Locks::new(folder.path().to_owned(), Duration::ZERO);
        let file = folder.path().join(lock_name("a").path());
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("there is room");
        std::os::unix::fs::symlink("nowhere", file).expect("there is room");
        let tree = locks.open().expect("it looks");
        assert_eq!(locks.try_to_delete(tree.as_ref(), "a").map_err(|error| error.kind()).err(), Some(ErrorKind::Other));
    }

    #[test]
    fn the_lock_of_a_cache_has_the_name_of_its_file() {
        let folder = tempfile::tempdir().expect("a directory");
        let locks = Locks::new(folder.path().to_owned(), Duration::from_millis(30));
        // As Beaker locks the namespace `abc`.
        let held = locks.to_write("abc").expect("it is free");
        let tree = locks.open().expect("it looks");
        let name = "a9993e364706816aba3e25717850c26c9cd0d89d";
        assert!(matches!(locks.try_to_delete(tree.as_ref(), name), Ok(Taken::Held)));
        assert!(locks.to_read(tree.as_ref(), name).is_err() && locks.to_write(name).is_err());
        drop(held);
        assert!(matches!(locks.try_to_delete(tree.as_ref(), name), Ok(Taken::Lock(_))));
        assert!(locks.to_write(name).is_ok());
    }

    #[test]
    fn what_was_read_without_a_lock_is_read_again_if_there_is_one_now() {
        let folder = tempfile::tempdir().expect("a directory");
        let locks = Locks::new(folder.path().join("locks"), Duration::from_millis(30));
        let reads = std::cell::Cell::new(0);
        let read = || {
            reads.set(reads.get() + 1);
            Ok(reads.get())
        };
        assert_eq!(locks.read(None, "a", read).ok(), Some(1));
        // The lock file comes while it is read for the first time.
        let both = || if reads.get() == 1 { locks.to_write("a").and_then(|_| read()) } else { read() };
        assert_eq!(locks.read(None, "a", both).ok(), Some(3));
        assert_eq!(locks.read(locks.open().expect("it looks").as_ref(), "a", read).ok(), Some(4));
    }
}
