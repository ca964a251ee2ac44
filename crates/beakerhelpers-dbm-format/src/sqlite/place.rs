//! The file of a database, and how it is to be opened without doing it any harm.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use beakerhelpers_core::{Access, Error, ErrorKind, Result};
use diesel::connection::{Connection as _, SimpleConnection};
use diesel::result::Error as DieselError;
use diesel::sqlite::SqliteConnection;

use super::{JOURNAL_AT, NAME, NAMES_ANOTHER_FILE, schema, table};
use crate::error::{damaged, failed, unreadable};

/// The byte of the header that stands for a write-ahead log.
const WAL: u8 = 2;
/// No page is larger.
const LARGEST_PAGE: u64 = 1 << 16;
/// What a write-ahead log begins with, and each of its frames (SQLite's file format, section 4.1).
const LOG_HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;

/// A file that was looked at.
pub(super) struct Place {
    path: PathBuf,
    options: &'static str,
    /// Whether the file is read as if nobody could change it.
    is_frozen: bool,
    /// What it was like before.
    stamp: Stamp,
}

/// What shows that a file was changed.
type Stamp = [Option<(u64, SystemTime)>; 2];

impl Place {
    /// Finds out how a file is to be opened. A reader must leave nothing behind: files of the wrong owner beside it would
    /// lock out the application.
    pub(super) fn look(path: &Path, access: Access) -> Result<Self> {
        let stamp = stamp(path);
        let new = |options, is_frozen| Ok(Self { path: path.to_owned(), options, is_frozen, stamp });
        let journal = check(path)?;
        if access == Access::ReadWrite {
            return new("mode=rw", false);
        }
        let [_, log] = stamp;
        if journal != WAL {
            new("mode=ro", false)
        } else if log.is_none_or(|(len, _)| len == 0) {
            // Everything is in the file itself. Who reads it so sees no other process, hence the stamp.
            new("mode=ro&immutable=1", true)
        } else if beside(path, "-shm").exists() {
            new("mode=ro&readonly_shm=1", false)
        } else if is_ours(path) {
            new("mode=ro", false)
        } else {
            Err(Error::new(
                ErrorKind::PermissionDenied,
                "the dbm.sqlite3 database was not closed properly and needs its `-shm` file made anew",
            )
            .with_hint("run it as the user that the application runs as"))
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn connect(&self, wait: Duration) -> Result<SqliteConnection> {
        let uri = uri(&self.path, self.options)?;
        let cannot = |error: String| {
            table::explain(&DieselError::DatabaseError(diesel::result::DatabaseErrorKind::Unknown, Box::new(error)))
        };
        let mut database = SqliteConnection::establish(&uri).map_err(|error| cannot(error.to_string()))?;
        let wait = wait.as_millis().min(i32::MAX.unsigned_abs().into());
        database
            .batch_execute(&format!("PRAGMA busy_timeout = {wait}; PRAGMA trusted_schema = OFF"))
            .map_err(|error| table::explain(&error))?;
        Ok(database)
    }

    /// Whether what was read is what there is.
    pub(super) fn is_unchanged(&self) -> bool {
        !self.is_frozen || !self.was_changed()
    }

    /// Whether somebody has changed the files since they were looked at, or has come or gone.
    pub(super) fn was_changed(&self) -> bool {
        self.stamp != stamp(&self.path)
    }

    /// How large its files are.
    pub(super) fn size(&self) -> u64 {
        stamp(&self.path).into_iter().flatten().fold(0, |sum, (len, _)| sum.saturating_add(len))
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn stamp(path: &Path) -> Stamp {
    let of = |path: &Path| fs::metadata(path).and_then(|facts| Ok((facts.len(), facts.modified()?))).ok();
    [of(path), of(&beside(path, "-wal"))]
}

#[cfg(unix)]
fn is_ours(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    // Root's files get the owner of the database.
    let us = rustix::process::geteuid();
    us.is_root() || fs::metadata(path).is_ok_and(|facts| facts.uid() == us.as_raw())
}

#[cfg(not(unix))]
fn is_ours(_: &Path) -> bool {
    true
}

/// Looks at all that SQLite would trust blindly, and tells the byte of the header for the journal.
fn check(path: &Path) -> Result<u8> {
    let read = |error: io::Error| failed("read", &error);
    let mut first = Vec::new();
    File::open(path).map_err(read)?.take(LARGEST_PAGE).read_to_end(&mut first).map_err(read)?;
    schema::check(&first)?;
    if let Some(mut journal) = open(&beside(path, "-journal"))? {
        let mut end = Vec::new();
        let len = journal.seek(SeekFrom::End(0)).map_err(read)?;
        let at = SeekFrom::Start(len.saturating_sub(NAMES_ANOTHER_FILE.len() as u64));
        journal.seek(at).and_then(|_| journal.take(8).read_to_end(&mut end)).map_err(read)?;
        if end == NAMES_ANOTHER_FILE {
            return Err(damaged(NAME, "its journal names another file"));
        }
    }
    if let Some(log) = open(&beside(path, "-wal"))? {
        check_log(log)?;
    }
    Ok(first.get(JOURNAL_AT).and_then(|journal| journal.first().copied()).unwrap_or_default())
}

fn open(path: &Path) -> Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", &error)),
    }
}

/// The log may have a first page of its own, with another schema.
fn check_log(mut log: File) -> Result<()> {
    let read = |error: io::Error| failed("read", &error);
    let mut header = Vec::new();
    (&log).take(LOG_HEADER).read_to_end(&mut header).map_err(read)?;
    let number = |bytes: &[u8], at: usize| bytes.get(at..)?.first_chunk().copied().map(u32::from_be_bytes);
    let Some(page) = number(&header, 8).map(u64::from).filter(|page| (512..=LARGEST_PAGE).contains(page)) else {
        // SQLite takes it for none.
        return Ok(());
    };
    let mut at = LOG_HEADER;
    loop {
        let mut frame = Vec::new();
        log.seek(SeekFrom::Start(at)).and_then(|_| (&log).take(FRAME_HEADER).read_to_end(&mut frame)).map_err(read)?;
        if frame.len() as u64 != FRAME_HEADER {
            return Ok(());
        }
        if number(&frame, 0) == Some(1) {
            let mut first = Vec::new();
            (&log).take(page).read_to_end(&mut first).map_err(read)?;
            // The last frame may be one that is being written.
            if first.len() as u64 == page {
                schema::check(&first)?;
            }
        }
        at = at.saturating_add(FRAME_HEADER).saturating_add(page);
    }
}

/// The name by which SQLite opens a file in a certain way.
fn uri(path: &Path, options: &str) -> Result<String> {
    let path = path.to_str().ok_or_else(|| unreadable(NAME, "its path is not UTF-8"))?;
    let mut uri = "file:".to_owned();
    for part in path.chars() {
        match part {
            '%' => uri.push_str("%25"),
            '?' => uri.push_str("%3f"),
            '#' => uri.push_str("%23"),
            part => uri.push(part),
        }
    }
    Ok(format!("{uri}?{options}"))
}
