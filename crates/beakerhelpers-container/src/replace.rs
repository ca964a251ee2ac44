//! Writing a file so that nobody ever sees half of it.

use std::fs::File;
use std::io::Write;

use beakerhelpers_core::{Result, Timestamp};
use rustix::fs::{Mode, OFlags, Timespec, Timestamps, fchmod, futimens, openat, renameat};
use rustix::io::Errno;

use crate::folder::{Facts, give_to};
use crate::name::TEMPORARY;
use crate::{Folder, failure};

/// Puts a file with these contents and this time in the place of another, or where there was none. The session's lock
/// must be held to write: the temporary file is the one that Beaker has under it (`beaker/util.py`, `safe_write`, 1.9.1
/// to 1.14.1), so that what a crash leaves behind is replaced by the next save of either.
///
/// Owner and permissions of the file stay as they are. Like Beaker it does not wait until the disk has it.
///
/// # Errors
///
/// `PermissionDenied` and `Unavailable`, such as where the disk is full: the old file is whole then.
pub fn replace(folder: &Folder, name: &str, contents: &[u8], modified: Timestamp) -> Result<()> {
    replace_after(folder, name, contents, modified, || Ok(()))
}

/// As [`replace`]. Once the contents are written, and only then, this is done before the file gets its name.
///
/// # Errors
///
/// As [`replace`], and what is done before may fail.
pub fn replace_after(
    folder: &Folder,
    name: &str,
    contents: &[u8],
    modified: Timestamp,
    before: impl FnOnce() -> Result<(), Errno>,
) -> Result<()> {
    let temporary = format!("{name}{TEMPORARY}");
    let written = write(folder, name, &temporary, contents, modified)
        .and_then(|()| before())
        .and_then(|()| renameat(folder, &temporary, folder, name));
    written.map_err(|errno| {
        let _ = folder.unlink(&temporary);
        failure("write the file of a session", errno)
    })
}

fn write(folder: &Folder, name: &str, temporary: &str, contents: &[u8], modified: Timestamp) -> Result<(), Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let create = || openat(folder, temporary, flags, Mode::from_raw_mode(0o666));
    let file = match create() {
        // A save was killed; whatever is there is not written through.
        Err(Errno::EXIST) => {
            folder.unlink(temporary)?;
            create()?
        }
        created => created?,
    };
    match folder.facts(name)? {
        Some(old) => {
            give_to(&file, old.owner)?;
            let mode = Facts::of(&file)?.mode;
            if mode != old.mode {
                fchmod(&file, old.mode)?;
            }
        }
        None => give_to(&file, Facts::of(folder)?.owner)?,
    }
    let mut file = File::from(file);
    file.write_all(contents).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    let micros = modified.as_micros();
    let time = Timespec { tv_sec: micros.div_euclid(1_000_000), tv_nsec: micros.rem_euclid(1_000_000) * 1000 };
    futimens(&file, &Timestamps { last_access: time, last_modification: time })
}
