//! Where a shelve is, in which of dbm's formats, and how its files are locked and replaced.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use beakerhelpers_core::{Error, ErrorKind, Result};
use beakerhelpers_dbm_format::{Files, Format, Found, Suffix};

use crate::paths::{failed, is_same, shown};

/// All that a dbm may call its files.
const SUFFIXES: [Suffix; 5] = ["", ".db", ".dat", ".dir", ".pag"];
/// What a file is called until it is whole: one that takes another's place, whose lock keeps others from the name, and one
/// that is the first.
const NEW: &str = ".new";
const FIRST: &str = ".first";
const PAUSE: Duration = Duration::from_millis(5);

/// The name of a shelve, which the names of its files begin with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'p>(pub(super) &'p Path);

impl Place<'_> {
    pub(super) fn file(self, suffix: Suffix) -> PathBuf {
        beside(self.0, suffix)
    }

    /// How the shelve is written.
    pub(super) fn format(self) -> Result<Format> {
        match Format::of(&self)? {
            Found::As(format) => Ok(format),
            Found::Unknown(what) => {
                let error = Error::unsupported(format!("the shelve cannot be read here: it is {what}"));
                Err(error.with_context("at", shown(self.0)).with_hint(
                    "copy it once with Python: `shelve.Shelf(dbm.dumb.open(new))` takes the items of `shelve.open(old)`",
                ))
            }
            Found::Nothing if SUFFIXES.into_iter().any(|suffix| self.file(suffix).exists()) => {
                let error =
                    Error::unsupported("the shelve is not whole: a file of it is empty, or one of two is missing");
                Err(error.with_context("at", shown(self.0)).with_hint(
                    "put back its files from a copy, or remove what is left: the application makes a new one",
                ))
            }
            Found::Nothing => Err(missing()),
        }
    }
}

impl Files for Place<'_> {
    fn open(&self, suffix: Suffix) -> Result<Option<File>> {
        match File::open(self.file(suffix)) {
            Ok(file) => Ok(Some(file)),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(failed("open the shelve", self.0, error)),
        }
    }
}

pub(super) fn missing() -> Error {
    Error::new(ErrorKind::NotSetUp, "there is no shelve of this name").with_hint(
        "correct `filename`; the application makes it with the first session, and so does `beakerhelpers setup`",
    )
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Who else may have a file open meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    Read,
    Wait,
}

/// Locks an open file with `flock`, as libgdbm does it too (`lock.c`, 1.23).
pub(super) fn lock(file: &File, place: &Path, others: Others, wait: Duration) -> Result<()> {
    let started = Instant::now();
    loop {
        match if others == Others::Read { file.try_lock_shared() } else { file.try_lock() } {
            Ok(()) => return Ok(()),
            Err(fs::TryLockError::WouldBlock) if started.elapsed() < wait => thread::sleep(PAUSE),
            Err(fs::TryLockError::WouldBlock) => {
                return Err(Error::new(ErrorKind::Unavailable, "another process has the shelve open")
                    .with_context("at", shown(place))
                    .with_hint("stop the application to change its shelve"));
            }
            Err(fs::TryLockError::Error(error)) => return Err(failed("lock the shelve", place, error)),
        }
    }
}

/// Opens and locks a file that is replaced when it is changed: the one that has the name once the lock is there.
pub(super) fn open_locked(path: &Path, wait: Duration) -> Result<File> {
    let open = |error| failed("open the shelve", path, error);
    let started = Instant::now();
    loop {
        // Where the file is another host's, its lock needs it to be open to write.
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(open)?;
        lock(&file, path, Others::Wait, wait.saturating_sub(started.elapsed()))?;
        if is_same(&file, path).map_err(open)? {
            return Ok(file);
        }
    }
}

/// Puts a new file in the place of another one, once it is written: with its owner and its rights.
pub(super) fn replace(path: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let cannot = |error| failed("write the shelve", path, error);
    let old = fs::metadata(path).map_err(cannot)?;
    let mut private = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut private, 0o600);
    let new = Temporary::create(beside(path, NEW), &mut private).map_err(cannot)?;
    write(&new.0)?;
    give(&new.0, &old).map_err(cannot)?;
    fs::set_permissions(&new.0, old.permissions()).map_err(cannot)?;
    new.rename(path).map_err(cannot)?;
    sync_folder(path).map_err(cannot)
}

/// Makes a file with these contents, where there is none.
pub(super) fn create(path: &Path, contents: &[u8]) -> Result<()> {
    let create = || {
        let new = Temporary::create(beside(path, FIRST), &mut OpenOptions::new())?;
        let mut file = OpenOptions::new().write(true).open(&new.0)?;
        file.write_all(contents)?;
        file.sync_all()?;
        // Unlike a new name this takes nobody's place.
        fs::hard_link(&new.0, path)
    };
    create().map_err(|error| failed("create the shelve", path, error))
}

/// A file that is removed unless it got another name.
struct Temporary(PathBuf);

impl Temporary {
    fn create(new: PathBuf, options: &mut OpenOptions) -> io::Result<Self> {
        // What a killed process left.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        options.write(true).create_new(true).open(&new).map(|_| Self(new))
    }

    fn rename(mut self, path: &Path) -> io::Result<()> {
        fs::rename(&self.0, path)?;
        // From here on its lock is nobody's, and the name may be that of the next one.
        self.0.clear();
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            let _ = fs::remove_file(&self.0);
        }
    }
}

/// Gives a file to the owner of another one.
#[cfg(unix)]
fn give(path: &Path, old: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let new = fs::metadata(path)?;
    if (new.uid(), new.gid()) == (old.uid(), old.gid()) {
        return Ok(());
    }
    std::os::unix::fs::chown(path, Some(old.uid()), Some(old.gid()))
}

#[cfg(not(unix))]
fn give(_: &Path, _: &fs::Metadata) -> io::Result<()> {
    Ok(())
}

/// A new name is on the disk once its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
