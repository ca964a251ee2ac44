//! Writing an archive.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use beakerhelpers_core::{Cutoff, Error, ErrorKind, Record, Result, StoreInfo};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::line::{self, End, Header, WriteError};

/// A file that takes what a cleanup deletes. It holds session ids and contents: it is as secret as the store.
#[derive(Debug)]
pub struct ArchiveWriter {
    path: PathBuf,
    file: File,
    /// So many bytes are safe.
    safe: u64,
    records: u64,
}

impl ArchiveWriter {
    /// Creates the file, which only this user can read, and writes what the archive is of. What is there already is
    /// never touched.
    ///
    /// # Errors
    ///
    /// `Config` where the file is there already or its directory is not; `PermissionDenied`; `Unavailable` where the
    /// disk is full or fails.
    pub fn create(path: &Path, store: &StoreInfo, cutoff: Cutoff) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| cannot_create(path, error))?;
        let mut archive = Self { path: path.to_owned(), file, safe: 0, records: 0 };
        let begun = archive
            .append(|out| Header::new(store, cutoff).write(out).map_err(WriteError::Io))
            .and_then(|()| sync_directory(path).map_err(|error| archive.cannot_write(error)));
        if begun.is_err() {
            let _ = fs::remove_file(path);
        }
        begun.map(|()| archive)
    }

    /// Writes records. When this returns, they are on disk.
    ///
    /// # Errors
    ///
    /// `Unavailable` where the disk is full or fails, `Unsupported` for a session that is too large for an archive. None
    /// of these records is to be deleted then.
    pub fn write(&mut self, records: &[Record]) -> Result<()> {
        self.append(|out| records.iter().try_for_each(|record| line::write(record, out)))?;
        self.records = self.records.saturating_add(records.len() as u64);
        Ok(())
    }

    /// How many records were written.
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Ends the archive: writes the mark that all is in it that was deleted. One without any session is deleted.
    ///
    /// # Errors
    ///
    /// `Unavailable` where the mark cannot be written; `Other` where the file cannot be deleted.
    pub fn finish(mut self) -> Result<()> {
        if self.records > 0 {
            let end = End { end_after: self.records };
            return self.append(|out| end.write(out).map_err(WriteError::Io)).map_err(|error| {
                let what = "all that was deleted is in the archive, but its end could not be marked";
                at(&self.path, Error::new(error.kind(), what).with_source(error))
                    .with_hint("`beakerhelpers restore` will warn that its end is missing")
            });
        }
        fs::remove_file(&self.path).map_err(|error| {
            at(&self.path, Error::new(ErrorKind::Other, "cannot delete the archive, which is empty").with_source(error))
        })
    }

    /// Appends one gzip member.
    fn append(&mut self, write: impl FnOnce(&mut dyn Write) -> Result<(), WriteError>) -> Result<()> {
        let appended = self.member(write);
        match appended.and_then(|()| self.file.stream_position().map_err(WriteError::Io)) {
            Ok(position) => {
                self.safe = position;
                Ok(())
            }
            Err(error) => {
                // Half a member would be read as a torn end, so that this is only tidy.
                let _ = self.file.set_len(self.safe).and_then(|()| self.file.seek(SeekFrom::Start(self.safe)));
                Err(self.explain(error))
            }
        }
    }

    fn member(&self, write: impl FnOnce(&mut dyn Write) -> Result<(), WriteError>) -> Result<(), WriteError> {
        // The store is locked meanwhile: the fastest level.
        let mut encoder = GzEncoder::new(BufWriter::with_capacity(1 << 16, &self.file), Compression::fast());
        write(&mut encoder)?;
        encoder.finish().and_then(|mut out| out.flush()).map_err(WriteError::Io)?;
        self.file.sync_data().map_err(WriteError::Io)
    }

    fn explain(&self, error: WriteError) -> Error {
        match error {
            WriteError::Io(error) => self.cannot_write(error),
            WriteError::TooLarge => at(
                &self.path,
                Error::unsupported("a session is larger than the 70 MiB that an archive takes: it was not deleted")
                    .with_hint("delete it without `--archive`, or raise `--timeout` above its age"),
            ),
            WriteError::UnknownFraming => {
                at(&self.path, Error::unsupported("this version cannot archive sessions of this store"))
            }
        }
    }

    fn cannot_write(&self, error: io::Error) -> Error {
        let message = if full(&error) { "the disk is full" } else { "cannot write the archive" };
        at(
            &self.path,
            Error::new(ErrorKind::Unavailable, message)
                .with_source(error)
                .with_hint("what could not be archived was not deleted; make room and go on with another archive"),
        )
    }
}

fn cannot_create(path: &Path, error: io::Error) -> Error {
    let error = match error.kind() {
        io::ErrorKind::AlreadyExists => Error::config("there is a file of the archive's name already").with_hint(
            "give another name, `--archive old-%Y-%m-%d.jsonl.gz` for one a day; no archive is written over or added to",
        ),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            Error::config("the directory for the archive does not exist")
        }
        io::ErrorKind::PermissionDenied => {
            Error::new(ErrorKind::PermissionDenied, "this user may not create the archive")
        }
        _ => Error::new(
            ErrorKind::Unavailable,
            if full(&error) { "the disk is full" } else { "cannot create the archive" },
        )
        .with_source(error),
    };
    at(path, error)
}

fn full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

pub(super) fn at(path: &Path, error: Error) -> Error {
    error.with_context("archive", path.display().to_string())
}

/// The name of a new file is safe only when its directory is.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
