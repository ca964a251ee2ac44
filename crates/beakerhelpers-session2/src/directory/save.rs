//! Saving: a file beside the others is written whole, and then takes its name.
//!
//! Writing in place would let the end of one save meet the beginning of another: session2 does not honour locks when it
//! writes, and session3 waits for ever for a session that is torn.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use beakerhelpers_core::{Error, ErrorKind, Result, SaveMode, Timestamp};

use super::files::{Files, Locked, in_use};
use crate::paths::failed;

/// Hidden files of this process so far.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A file without a name of its own yet, which is gone when this is dropped.
struct Unnamed(PathBuf);

impl Drop for Unnamed {
    fn drop(&mut self) {
        // Most often it has got its name.
        let _ = fs::remove_file(&self.0);
    }
}

pub(super) fn run(files: &Files<'_>, path: &Path, bytes: &[u8], accessed: Timestamp, mode: SaveMode) -> Result<()> {
    let directory = files.directory;
    let error = |error| failed("write a session", directory, error);
    let (unnamed, file) = written(directory, bytes).map_err(error)?;
    loop {
        match files.lock(path, files.wait)? {
            Locked::Here(_) if mode == SaveMode::Create => return Err(taken()),
            Locked::Here(held) => {
                like(&file, &held.file.metadata().map_err(error)?).map_err(error)?;
                file.set_modified(system_time(accessed)).map_err(error)?;
                return fs::rename(&unnamed.0, path).map_err(error);
            }
            Locked::Missing => {
                own(&file, directory);
                file.set_modified(system_time(accessed)).map_err(error)?;
                match fs::hard_link(&unnamed.0, path) {
                    Ok(()) => return Ok(()),
                    // Something that is no file of its own, or somebody was faster.
                    Err(there) if there.kind() == io::ErrorKind::AlreadyExists => {
                        if !super::files::is_file(path).map_err(error)? {
                            return Err(Error::unsupported("what has the session's name is no file of its own"));
                        }
                        if mode == SaveMode::Create {
                            return Err(taken());
                        }
                    }
                    Err(other) => return Err(error(other)),
                }
            }
            Locked::InUse => return Err(in_use()),
            Locked::Refused(error) => return Err(error),
        }
    }
}

fn taken() -> Error {
    Error::new(ErrorKind::AlreadyExists, "a session with this id exists already")
}

/// A name that nothing has: no session is hidden, and neither other processes, of this machine or in another container, nor
/// those that were killed have used it.
pub(super) fn hidden(directory: &Path) -> PathBuf {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
    directory.join(format!(".beakerhelpers-{}-{now}-{number}", std::process::id()))
}

fn written(directory: &Path, bytes: &[u8]) -> io::Result<(Unnamed, File)> {
    loop {
        let path = hidden(directory);
        let mut file = match OpenOptions::new().write(true).create_new(true).open(&path) {
            // Somebody was as fast.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            opened => opened?,
        };
        let unnamed = Unnamed(path);
        file.write_all(bytes)?;
        return Ok((unnamed, file));
    }
}

/// Lets a file have the rights and the owner of the one that it replaces: the application must still be able to read it.
fn like(file: &File, old: &fs::Metadata) -> io::Result<()> {
    file.set_permissions(old.permissions())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            std::os::unix::fs::fchown(file, Some(old.uid()), Some(old.gid()))?;
        }
    }
    Ok(())
}

/// Gives a new file to the owner of the directory, where this user may: an administrator may.
fn own(file: &File, directory: &Path) {
    #[cfg(unix)]
    if let Ok(metadata) = fs::metadata(directory) {
        use std::os::unix::fs::MetadataExt;
        let _ = std::os::unix::fs::fchown(file, Some(metadata.uid()), Some(metadata.gid()));
    }
    #[cfg(not(unix))]
    let _ = (file, directory);
}

fn system_time(at: Timestamp) -> SystemTime {
    let distance = Duration::from_micros(at.as_micros().unsigned_abs());
    let moved = if at.as_micros() < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    };
    moved.unwrap_or(SystemTime::UNIX_EPOCH)
}
