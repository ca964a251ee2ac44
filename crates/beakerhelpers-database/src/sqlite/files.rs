//! What the file system says about a database, asked without ever opening its files: closing a descriptor drops every
//! lock that this process holds on the file, SQLite's among them.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

#[cfg(unix)]
use beakerhelpers_core::escape_controls;

/// The database's file and those that SQLite keeps beside it.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) main: PathBuf,
    pub(crate) journal: PathBuf,
    pub(crate) wal: PathBuf,
    pub(crate) shm: PathBuf,
}

impl Files {
    pub(crate) fn new(main: PathBuf) -> Self {
        let beside = |suffix| {
            let mut path = OsString::from(&main);
            path.push(suffix);
            PathBuf::from(path)
        };
        Self { journal: beside("-journal"), wal: beside("-wal"), shm: beside("-shm"), main }
    }

    /// The directory, in which SQLite creates the files beside it.
    pub(crate) fn directory(&self) -> &Path {
        self.main.parent().unwrap_or(Path::new("."))
    }

    /// Everything that tells one state of the database from another while nobody has it open: any writer changes it.
    pub(crate) fn stamp(&self) -> io::Result<Stamp> {
        let main = fs::metadata(&self.main)?;
        Ok(Stamp { inode: inode(&main), len: main.len(), modified: main.modified()?, wal: len(&self.wal) })
    }
}

/// See [`Files::stamp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    inode: Option<Inode>,
    len: u64,
    modified: SystemTime,
    wal: u64,
}

/// The size of a file, none where it is not there.
pub(crate) fn len(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// How many bytes this user may still write beside a file, as far as the system tells.
#[cfg(unix)]
pub(crate) fn room(directory: &Path) -> Option<u64> {
    let system = rustix::fs::statvfs(directory).ok()?;
    Some(system.f_bavail.saturating_mul(system.f_frsize))
}

#[cfg(not(unix))]
pub(crate) fn room(_: &Path) -> Option<u64> {
    None
}

/// A file as the kernel names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inode {
    pub(crate) major: u64,
    pub(crate) minor: u64,
    pub(crate) number: u64,
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have no such number")]
pub(crate) fn inode(metadata: &Metadata) -> Option<Inode> {
    use std::os::unix::fs::MetadataExt;
    let device = metadata.dev();
    // As glibc's `major` and `minor` take a device number apart.
    let major = ((device >> 8) & 0xfff) | ((device >> 32) & !0xfff);
    let minor = (device & 0xff) | ((device >> 12) & !0xff);
    Some(Inode { major, minor, number: metadata.ino() })
}

#[cfg(not(unix))]
pub(crate) fn inode(_: &Metadata) -> Option<Inode> {
    None
}

/// What is wanted of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    Read,
    Write,
}

/// Whether this process may do that with a file or, to write, create files in a directory.
#[cfg(unix)]
pub(crate) fn may(want: Want, path: &Path) -> bool {
    use rustix::fs::{Access, AtFlags, CWD, accessat};
    let access = match want {
        Want::Read => Access::READ_OK,
        Want::Write if path.is_dir() => Access::WRITE_OK | Access::EXEC_OK,
        Want::Write => Access::READ_OK | Access::WRITE_OK,
    };
    accessat(CWD, path, access, AtFlags::EACCESS).is_ok()
}

#[cfg(not(unix))]
pub(crate) fn may(want: Want, path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| want == Want::Read || !metadata.permissions().readonly())
}

/// Whether files that SQLite would create beside this one end up with its owner: he asks himself, or root, for whom
/// SQLite hands them over (`findCreateFileMode` in its `os_unix.c`).
#[cfg(unix)]
pub(crate) fn belongs_to_us(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let us = rustix::process::geteuid();
    us.is_root() || fs::metadata(path).is_ok_and(|metadata| metadata.uid() == us.as_raw())
}

#[cfg(not(unix))]
pub(crate) fn belongs_to_us(_: &Path) -> bool {
    true
}

/// The owner of a file for a message: "`www-data`", or "the user with the id 33".
#[cfg(unix)]
pub(crate) fn owner(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let uid = fs::metadata(path).ok()?.uid();
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    });
    Some(match name {
        Some(name) => format!("`{}`", escape_controls(name)),
        None => format!("the user with the id {uid}"),
    })
}

#[cfg(not(unix))]
pub(crate) fn owner(_: &Path) -> Option<String> {
    None
}
