//! Reading an archive.

use std::fs::File;
use std::io::{self, BufReader, Seek};
use std::path::{Path, PathBuf};

use beakerhelpers_core::{Error, ErrorKind, Record, Result};

use super::line::{self, End, Header, Source, no_archive};
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
    /// So many lines are in whole batches, the first one among them.
    whole: u64,
    end: ArchiveEnd,
    source: Source,
}

/// How an archive ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArchiveEnd {
    /// With the mark that is written when a cleanup ends: all that it deleted is there.
    Whole,
    /// With a whole batch, and without that mark. Either the cleanup was killed, and all that it deleted is there, or the
    /// file was cut off, and sessions that were deleted are missing.
    Cut,
    /// In the middle of a batch, without that mark. Of that batch a cleanup that was killed while it wrote has deleted
    /// nothing.
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
        let Survey { whole, end } = survey(&mut Lines::new(BufReader::new(&file))).map_err(error_at)?;
        file.rewind().map_err(error_at)?;
        let mut lines = Lines::new(BufReader::new(file));
        let mut line = Vec::new();
        if whole == 0 || !matches!(lines.next(&mut line), Ok(Next::Line)) {
            return Err(at(path, no_archive()));
        }
        let source = Header::read(&line).map_err(|error| at(path, error))?;
        Ok(Self { path: path.to_owned(), lines, line, number: 1, whole, end, source })
    }

    /// Where the sessions were, without password.
    pub fn store(&self) -> &str {
        &self.source.store
    }

    /// The type of the store in which they were, where the archive tells.
    pub fn store_type(&self) -> Option<&str> {
        self.source.store_type.as_deref()
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

/// What is in a file.
struct Survey {
    /// How many lines are in whole members; the end is none of them.
    whole: u64,
    end: ArchiveEnd,
}

/// Looks through all members.
fn survey(lines: &mut Lines<impl io::BufRead>) -> io::Result<Survey> {
    let (mut line, mut read, mut last) = (Vec::new(), 0_u64, None);
    let (mut whole, mut mark) = (0, None);
    let end = loop {
        match lines.next(&mut line) {
            Ok(Next::Line) => (read, last) = (read + 1, End::read(&line)),
            Ok(Next::TooLong) => (read, last) = (read + 1, None),
            Ok(Next::MemberEnd) => (whole, mark) = (read, last.take()),
            Ok(Next::End) => break ArchiveEnd::Cut,
            Err(Trouble::Torn) => break ArchiveEnd::Torn,
            Err(Trouble::Damaged) => break ArchiveEnd::Damaged,
            Err(Trouble::Io(error)) => return Err(error),
        }
    };
    let Some(End { end_after }) = mark else { return Ok(Survey { whole, end }) };
    let whole = whole.saturating_sub(1);
    // The first line is no session.
    let is_all = end == ArchiveEnd::Cut && whole.checked_sub(1) == Some(end_after);
    Ok(Survey { whole, end: if is_all { ArchiveEnd::Whole } else { end } })
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
