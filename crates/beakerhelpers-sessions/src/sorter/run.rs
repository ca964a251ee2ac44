//! Sorted rows in a temporary file.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::PathBuf;

use beakerhelpers_core::{Error, ErrorKind, Result};

use super::Row;

const IO_BUFFER: usize = 64 << 10;
/// What a longer row took is given back once it was handed out.
const SPARE: usize = 64 << 10;

/// A finished run.
#[derive(Debug)]
pub(super) struct Run(File);

/// Writes a run. Each row is the lengths of key and row, four bytes each, then both.
#[derive(Debug)]
pub(super) struct Writer(BufWriter<File>);

/// Reads a run. Of the row that it is at it has the key alone until the row is wanted: many runs are open at once, and rows
/// may be long.
#[derive(Debug)]
pub(super) struct Reader<'r> {
    file: BufReader<&'r mut File>,
    bytes: Vec<u8>,
    key: usize,
    /// How much of the row, behind its key, is still in the file.
    unread: usize,
}

impl Writer {
    pub(super) fn create() -> Result<Self> {
        // Unlinked and readable for this user only: that is what `tempfile` makes.
        let folder = folder();
        let file = tempfile::tempfile_in(&folder)
            .map_err(|error| failed(error).with_context("in", folder.display().to_string()))?;
        Ok(Self(BufWriter::with_capacity(IO_BUFFER, file)))
    }

    pub(super) fn push(&mut self, row: Row<'_>) -> Result<()> {
        let length = |length: usize| {
            u32::try_from(length).map(u64::from).map_err(|_| Error::corrupt("a session is larger than 4 GiB"))
        };
        let lengths = length(row.key)? | length(row.bytes.len() - row.key)? << 32;
        self.0.write_all(&lengths.to_le_bytes()).and_then(|()| self.0.write_all(row.bytes)).map_err(failed)
    }

    pub(super) fn finish(self) -> Result<Run> {
        self.0.into_inner().map(Run).map_err(|error| failed(error.into_error()))
    }
}

impl Run {
    pub(super) fn read(&mut self) -> Result<Reader<'_>> {
        self.0.rewind().map_err(failed)?;
        Ok(Reader { file: BufReader::with_capacity(IO_BUFFER, &mut self.0), bytes: Vec::new(), key: 0, unread: 0 })
    }
}

impl Reader<'_> {
    /// Moves on to the key of the next row; `false` at the end. The row before must have been read.
    pub(super) fn advance(&mut self) -> Result<bool> {
        // At the end too: others may have rows for long.
        if self.bytes.capacity() > SPARE {
            self.bytes = Vec::new();
        }
        if self.file.buffer().is_empty() && std::io::BufRead::fill_buf(&mut self.file).map_err(failed)?.is_empty() {
            return Ok(false);
        }
        let mut lengths = [0; 8];
        self.file.read_exact(&mut lengths).map_err(failed)?;
        let [k0, k1, k2, k3, r0, r1, r2, r3] = lengths;
        self.key = u32::from_le_bytes([k0, k1, k2, k3]) as usize;
        self.unread = u32::from_le_bytes([r0, r1, r2, r3]) as usize;
        self.bytes.resize(self.key, 0);
        self.file.read_exact(&mut self.bytes).map_err(failed)?;
        Ok(true)
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.bytes[..self.key]
    }

    /// The row that it is at.
    pub(super) fn row(&mut self) -> Result<Row<'_>> {
        let unread = std::mem::take(&mut self.unread);
        let from = self.bytes.len();
        self.bytes.resize(from + unread, 0);
        self.file.read_exact(&mut self.bytes[from..]).map_err(failed)?;
        Ok(Row { key: self.key, bytes: &self.bytes })
    }
}

/// Where temporary files go: `/var/tmp` rather than `/tmp`, which many systems keep in memory.
fn folder() -> PathBuf {
    match std::env::var_os("TMPDIR") {
        Some(folder) if !folder.is_empty() => folder.into(),
        _ => Some(PathBuf::from("/var/tmp")).filter(|folder| folder.is_dir()).unwrap_or_else(std::env::temp_dir),
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Other, "cannot sort the sessions in a temporary file")
        .with_source(error)
        .with_hint("make room there, or set `TMPDIR` to a folder that has it")
}
