//! Removing what Beaker leaves behind, while it does not run.

use std::ffi::{CStr, CString};

use beakerhelpers_core::{CleanupMode, Error, ErrorKind, Result, Tidied};
use rustix::fs::{AtFlags, Dir, FileType, unlinkat};
use rustix::io::Errno;

use crate::locks::{LOCK, try_lock_file};
use crate::name::TEMPORARY;
use crate::walk::next;
use crate::{Folder, Place, Tree, failure};

impl Place {
    /// Removes the lock files, what saves that were killed left behind, and the folders that are empty, or counts them:
    /// the whole of a store's [`tidy_offline`](beakerhelpers_core::SessionStore::tidy_offline).
    ///
    /// The application must be stopped. Beaker opens a lock file and then locks it without looking whether it is still the
    /// one of that name, so that two processes would hold the lock of one session; and it makes the folder of a session
    /// when it loads it, and expects it to be there when it saves.
    ///
    /// # Errors
    ///
    /// `Unavailable` where a process holds a lock: the application runs. `Unsupported` where the place was opened to be
    /// read and not only to count; `NotSetUp`; `PermissionDenied`.
    pub fn tidy(&self, mode: CleanupMode) -> Result<Tidied> {
        if mode == CleanupMode::Delete {
            self.refuse_to_write()?;
        }
        let sessions = self.open()?;
        let mut tidied = Tidied::default();
        if let Some(locks) = self.locks().open()? {
            if mode == CleanupMode::Delete {
                // Whoever is seen alive is to be seen before anything is gone.
                sweep_locks(&locks, CleanupMode::Count, &mut Tidied::default())?;
            }
            sweep_locks(&locks, mode, &mut tidied)?;
        }
        sweep(&sessions, mode, &mut tidied, |folder, name| {
            let is_left = name.to_bytes().ends_with(TEMPORARY.as_bytes());
            if is_left {
                remove(folder, name, mode)?;
            }
            Ok(is_left)
        })?;
        Ok(tidied)
    }
}

fn sweep_locks(locks: &Tree, mode: CleanupMode, tidied: &mut Tidied) -> Result<()> {
    sweep(locks, mode, tidied, |folder, name| {
        if !is_lock(name) {
            return Ok(false);
        }
        match try_lock_file(folder, name) {
            // The lock goes with the file: what is opened from here on is another one.
            Ok(Some(lock)) => remove(folder, name, mode).map(|()| drop(lock)).map(|()| true),
            Ok(None) => Err(running()),
            // A symbolic link, a pipe.
            Err(Errno::LOOP | Errno::NXIO) => Ok(false),
            Err(Errno::NOENT) => Ok(true),
            Err(errno) => Err(failure("open a lock file", errno)),
        }
    })
}

fn running() -> Error {
    Error::new(ErrorKind::Unavailable, "a process holds the lock of a session: the application runs")
        .with_hint("stop every process that uses these sessions; without `--offline` a cleanup can run beside them")
}

fn is_lock(name: &CStr) -> bool {
    let digits = name.to_bytes().strip_suffix(LOCK.as_bytes());
    digits.is_some_and(|digits| digits.len() == 40 && digits.iter().all(u8::is_ascii_hexdigit))
}

fn remove(folder: &Folder, name: &CStr, mode: CleanupMode) -> Result<()> {
    if mode == CleanupMode::Count {
        return Ok(());
    }
    folder.unlink(name).map(drop).map_err(|errno| failure("remove what a session left behind", errno))
}

/// Goes through both levels of folders below a root, lets `take` take the files that it wants, and takes the folders in
/// which nothing is left.
fn sweep(
    root: &Tree,
    mode: CleanupMode,
    tidied: &mut Tidied,
    mut take: impl FnMut(&Folder, &CStr) -> Result<bool>,
) -> Result<()> {
    in_folders(root, 1, &mut |upper_name, upper| {
        let mut is_empty = true;
        in_folders(upper, 2, &mut |name, folder| {
            let mut lower_is_empty = true;
            let mut files = read(folder)?;
            while let Some(entry) = next(&mut files).map_err(unreadable)? {
                let is_file = matches!(entry.file_type(), FileType::RegularFile | FileType::Unknown);
                if is_file && take(folder, entry.file_name())? {
                    tidied.files += 1;
                } else {
                    lower_is_empty = false;
                }
            }
            let is_gone = lower_is_empty && take_folder(upper, name, mode, tidied)?;
            is_empty &= is_gone;
            Ok(is_gone)
        })
        .map(|all_gone| is_empty &= all_gone)?;
        if is_empty { take_folder(root, upper_name, mode, tidied) } else { Ok(false) }
    })?;
    Ok(())
}

/// Calls `work` for each folder in a folder whose name has at most so many characters, and tells whether all that was in
/// there is gone afterwards, by what `work` says.
fn in_folders<P: std::os::fd::AsFd>(
    parent: &P,
    chars: usize,
    work: &mut dyn FnMut(&CStr, &Folder) -> Result<bool>,
) -> Result<bool> {
    let mut all_gone = true;
    let mut entries = read(parent)?;
    while let Some(entry) = next(&mut entries).map_err(unreadable)? {
        let name: CString = entry.file_name().to_owned();
        let is_ours = name.to_str().is_ok_and(|name| name.chars().count() <= chars);
        let folder = if is_ours { Folder::open_in(parent, &*name).map_err(unreadable)? } else { None };
        all_gone &= match folder {
            Some(folder) => work(&name, &folder)?,
            None => false,
        };
    }
    Ok(all_gone)
}

fn take_folder(parent: &impl std::os::fd::AsFd, name: &CStr, mode: CleanupMode, tidied: &mut Tidied) -> Result<bool> {
    if mode == CleanupMode::Delete {
        match unlinkat(parent, name, AtFlags::REMOVEDIR) {
            Ok(()) => {}
            // Something came meanwhile.
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOENT) => return Ok(false),
            Err(errno) => return Err(failure("remove an empty folder", errno)),
        }
    }
    tidied.folders += 1;
    Ok(true)
}

fn read(folder: impl std::os::fd::AsFd) -> Result<Dir> {
    Dir::read_from(folder).map_err(unreadable)
}

fn unreadable(errno: Errno) -> Error {
    failure("read a folder", errno)
}
