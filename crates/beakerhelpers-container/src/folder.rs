//! Folders that are open, so that nobody can put others in their place.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use beakerhelpers_core::{Error, Result, Timestamp};
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, Stat, fchown, fstat, linkat, mkdirat, openat, renameat, statat, unlinkat,
};
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
use rustix::fs::{RenameFlags, renameat_with};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::{Name, failure};

/// Symbolic links are not followed: whoever may write below the tree could lead us anywhere.
const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);

/// What is known of a file without reading it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Facts {
    /// When it was last written to, rounded down to microseconds; `None` for a time that no [`Timestamp`] can be.
    pub modified: Option<Timestamp>,
    /// Its size in bytes.
    pub size: u64,
    pub(crate) is_file: bool,
    pub(crate) mode: Mode,
    pub(crate) owner: Owner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    user: u32,
    group: u32,
}

impl Facts {
    #[allow(
        clippy::useless_conversion,
        clippy::unnecessary_fallible_conversions,
        reason = "systems differ in these types"
    )]
    fn new(stat: &Stat) -> Self {
        let nanos = i64::try_from(stat.st_mtime_nsec).unwrap_or(0);
        let micros = i64::from(stat.st_mtime).checked_mul(1_000_000).and_then(|secs| secs.checked_add(nanos / 1000));
        Self {
            modified: micros.map(Timestamp::from_micros),
            size: u64::try_from(stat.st_size).unwrap_or(0),
            is_file: FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile,
            mode: Mode::from_raw_mode(stat.st_mode),
            owner: Owner { user: stat.st_uid, group: stat.st_gid },
        }
    }

    /// Of something that is open.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn of(file: impl AsFd) -> Result<Self, Errno> {
        fstat(file).map(|stat| Self::new(&stat))
    }
}

/// Gives something new to the owner of what it belongs to, where root makes it: the application could not write to it
/// otherwise.
pub(crate) fn give_to(file: impl AsFd, owner: Owner) -> Result<(), Errno> {
    if !geteuid().is_root() || Facts::of(&file)?.owner == owner {
        return Ok(());
    }
    let (user, group) = (rustix::fs::Uid::from_raw(owner.user), rustix::fs::Gid::from_raw(owner.group));
    fchown(file, Some(user), Some(group))
}

/// The root of a tree of folders.
#[derive(Debug)]
pub struct Tree {
    root: OwnedFd,
}

impl Tree {
    /// Opens it; here symbolic links count. `None` where there is no such directory.
    ///
    /// # Errors
    ///
    /// `PermissionDenied`, `Unavailable`, or `NotSetUp` where something else is there.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        match openat(CWD, path, FOLDER.difference(OFlags::NOFOLLOW), Mode::empty()) {
            Ok(root) => Ok(Some(Self { root })),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::NOTDIR) => {
                let error = Error::new(beakerhelpers_core::ErrorKind::NotSetUp, "what should be a folder is none");
                Err(error.with_context("path", path.display().to_string()))
            }
            Err(errno) => {
                Err(failure("open the folder of the sessions", errno).with_context("path", path.display().to_string()))
            }
        }
    }

    /// The folder that a name stands in; `None` where it is not there, or no folder.
    ///
    /// # Errors
    ///
    /// `PermissionDenied` and `Unavailable`.
    pub fn folder(&self, name: &Name) -> Result<Option<Folder>> {
        let opened = Folder::open_in(&self.root, name.upper())
            .and_then(|upper| upper.map_or(Ok(None), |upper| Folder::open_in(&upper, name.lower())));
        opened.map_err(|errno| failure("open a folder of sessions", errno))
    }

    /// The folder that a name stands in, made where it is not there.
    ///
    /// # Errors
    ///
    /// As [`folder`](Self::folder).
    pub fn make_folder(&self, name: &Name) -> Result<Folder> {
        let made = Folder::make_in(&self.root, name.upper()).and_then(|upper| Folder::make_in(&upper, name.lower()));
        made.map_err(|errno| failure("make a folder for sessions", errno))
    }
}

impl AsFd for Tree {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }
}

/// A folder that is open.
#[derive(Debug)]
pub struct Folder(OwnedFd);

impl Folder {
    /// Opens a folder in another. `None` where it is not there, or is something else, such as a symbolic link.
    pub(crate) fn open_in(parent: impl AsFd, name: impl rustix::path::Arg) -> Result<Option<Self>, Errno> {
        match openat(parent, name, FOLDER, Mode::empty()) {
            Ok(folder) => Ok(Some(Self(folder))),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    fn make_in(parent: impl AsFd, name: &str) -> Result<Self, Errno> {
        let parent = parent.as_fd();
        if let Some(folder) = Self::open_in(parent, name)? {
            return Ok(folder);
        }
        let made = mkdirat(parent, name, Mode::from_raw_mode(0o777));
        let folder = Self::open_in(parent, name)?.ok_or(Errno::NOTDIR)?;
        match made {
            Ok(()) => give_to(&folder, Facts::of(parent)?.owner)?,
            // Another process made it.
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
        Ok(folder)
    }

    /// What is known of a regular file in it; `None` where there is none of this name.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn facts(&self, name: impl rustix::path::Arg) -> Result<Option<Facts>, Errno> {
        match statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Facts::new(&stat)).filter(|facts| facts.is_file)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    /// Opens a regular file in it to read; `None` where there is none of this name. Pipes and devices are not waited
    /// for.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn open(&self, name: impl rustix::path::Arg) -> Result<Option<(OwnedFd, Facts)>, Errno> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match openat(&self.0, name, flags, Mode::empty()) {
            Ok(file) => {
                let facts = Facts::of(&file)?;
                Ok(facts.is_file.then_some((file, facts)))
            }
            // A symbolic link; a socket.
            Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    /// Removes a file from it, and tells whether there was one.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn unlink(&self, name: impl rustix::path::Arg) -> Result<bool, Errno> {
        match unlinkat(&self.0, name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    /// A name that no file has, to put files aside under, hidden, each to end as what a killed save leaves behind.
    #[must_use]
    pub fn aside_name() -> String {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        // Files of crashes must not be in the way, whoever left them.
        let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
        format!(".{}-{}-{now}", process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
    }

    /// Gives a file that was put aside its name back. If somebody has made a new one, that counts, and this one goes.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn give_back(&self, aside: &str, name: &str) -> Result<(), Errno> {
        match self.rename_to_new(aside, name) {
            Err(Errno::EXIST) => self.unlink(aside).map(drop),
            given => given,
        }
    }

    /// Renames a file; `EXIST` where there is one of the new name. Only where a file system knows no way to do so in one
    /// step it may be overwritten.
    fn rename_to_new(&self, from: &str, to: &str) -> Result<(), Errno> {
        #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
        match renameat_with(self, from, self, to, RenameFlags::NOREPLACE) {
            Err(errno) if [Errno::INVAL, Errno::NOSYS, Errno::NOTSUP, Errno::OPNOTSUPP].contains(&errno) => {}
            done => return done,
        }
        match linkat(self, from, self, to, AtFlags::empty()) {
            Ok(()) => self.unlink(from).map(drop),
            // A file system without hard links.
            Err(errno) if [Errno::PERM, Errno::NOSYS, Errno::NOTSUP, Errno::OPNOTSUPP].contains(&errno) => {
                renameat(self, from, self, to)
            }
            Err(errno) => Err(errno),
        }
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_given_back_replaces_nothing() {
        let root = tempfile::tempdir().expect("a directory");
        let path = |name: &str| root.path().join("a").join(name);
        fs::create_dir(root.path().join("a")).expect("there is room");
        let tree = Tree::open(root.path()).expect("it can be read").expect("it is there");
        let folder = Folder::open_in(&tree, "a").expect("it can be read").expect("it is there");
        fs::write(path(".aside"), "old").expect("there is room");
        assert_eq!(folder.give_back(".aside", "name"), Ok(()));
        assert_eq!(fs::read(path("name")).ok().as_deref(), Some(&b"old"[..]));
        fs::rename(path("name"), path(".aside")).expect("it is there");
        fs::write(path("name"), "new").expect("there is room");
        assert_eq!(folder.give_back(".aside", "name"), Ok(()));
        assert_eq!(fs::read(path("name")).ok().as_deref(), Some(&b"new"[..]));
        assert!(!path(".aside").exists());
    }
}
