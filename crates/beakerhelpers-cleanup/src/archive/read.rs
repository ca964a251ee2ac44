//! Reading an archive.

use std::fs::File;
use std::io::{self, BufReader, Seek};
use std::path::{Path, PathBuf};

use beakerhelpers_core::{Error, ErrorKind, Record, Result};

use super::line::{self, Header, no_archive};
use super::lines::{Lines, Next, Trouble};
use super::write::at;

/// An archive that was looked through: it gives the sessions of all batches whose checksum is right.
///
/// As an iterator it gives a session for each line. An error of the kind `Corrupt` is about one line, and the iteration
/// goes on; any other ends it. No error holds contents.
pub struct ArchiveReader {
    path: PathBuf,
    lines: Lines<BufReader<File>>,
    line: Vec<u8>,
    /// The number of the last line that was read, from 1.
    number: u64,
    /// So many lines are in whole batches.
    whole: u64,
    end: ArchiveEnd,
    store: String,
}

/// How an archive ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArchiveEnd {
    /// With a whole batch.
    Whole,
    /// In the middle of a batch. The cleanup was ended while it wrote, and deleted none of these sessions.
    Torn,
    /// Something changed it: what comes from there on cannot be read.
    Damaged,
}

impl ArchiveReader {
    /// Opens an archive and checks all of it.
    ///
    /// # Errors
    ///
    /// `Config` where there is no such file, or it is no archive; `Unsupported` for one of a later version;
    /// `PermissionDenied` or `Unavailable` where it cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        let error_at = |error: io::Error| at(path, cannot_read(error));
        let mut file = File::open(path).map_err(error_at)?;
        if file.metadata().map_err(error_at)?.is_dir() {
            return Err(at(path, no_archive()));
        }
        let (whole, end) = survey(&mut Lines::new(BufReader::new(&file))).map_err(error_at)?;
        file.rewind().map_err(error_at)?;
        let mut lines = Lines::new(BufReader::new(file));
        let mut line = Vec::new();
        if whole == 0 || !matches!(lines.next(&mut line), Ok(Next::Line)) {
            return Err(at(path, no_archive()));
        }
        let store = Header::read(&line).map_err(|error| at(path, error))?;
        Ok(Self { path: path.to_owned(), lines, line, number: 1, whole, end, store })
    }

    /// Where the sessions were, without password.
    pub fn store(&self) -> &str {
        &self.store
    }

    /// How it ends.
    pub const fn end(&self) -> ArchiveEnd {
        self.end
    }

    /// The number of the line that was read last, from 1.
    pub const fn line(&self) -> u64 {
        self.number
    }

    fn malformed(&self, reason: &str) -> Error {
        Error::corrupt(format!("line {} of the archive is malformed: {reason}", self.number))
    }
}

impl Iterator for ArchiveReader {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.number < self.whole {
            match self.lines.next(&mut self.line) {
                Ok(Next::Line) => {
                    self.number += 1;
                    return Some(line::read(&self.line).map_err(|reason| self.malformed(reason)));
                }
                Ok(Next::TooLong) => {
                    self.number += 1;
                    return Some(Err(self.malformed("it is longer than any session")));
                }
                Ok(Next::MemberEnd) => {}
                Ok(Next::End) | Err(Trouble::Torn | Trouble::Damaged) => {
                    self.number = self.whole;
                    let error = Error::new(ErrorKind::Unavailable, "the archive changed while it was read");
                    return Some(Err(at(&self.path, error)));
                }
                Err(Trouble::Io(error)) => {
                    self.number = self.whole;
                    return Some(Err(at(&self.path, cannot_read(error))));
                }
            }
        }
        None
    }
}

impl std::fmt::Debug for ArchiveReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The line that was read last is somebody's session.
        let Self { path, number, whole, end, .. } = self;
        f.debug_struct("ArchiveReader")
            .field("path", path)
            .field("line", number)
            .field("lines", whole)
            .field("end", end)
            .finish_non_exhaustive()
    }
}

/// Counts the lines of whole members, and tells what comes after them.
fn survey(lines: &mut Lines<impl io::BufRead>) -> io::Result<(u64, ArchiveEnd)> {
    let (mut line, mut read, mut whole) = (Vec::new(), 0, 0);
    loop {
        match lines.next(&mut line) {
            Ok(Next::Line | Next::TooLong) => read += 1,
            Ok(Next::MemberEnd) => whole = read,
            Ok(Next::End) => return Ok((whole, ArchiveEnd::Whole)),
            Err(Trouble::Torn) => return Ok((whole, ArchiveEnd::Torn)),
            Err(Trouble::Damaged) => return Ok((whole, ArchiveEnd::Damaged)),
            Err(Trouble::Io(error)) => return Err(error),
        }
    }
}

fn cannot_read(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Error::config("there is no such archive"),
        io::ErrorKind::PermissionDenied => {
            Error::new(ErrorKind::PermissionDenied, "this user may not read the archive")
        }
        _ => Error::new(ErrorKind::Unavailable, "cannot read the archive").with_source(error),
    }
}
