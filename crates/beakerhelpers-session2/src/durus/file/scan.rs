//! The formats of files, and where a record is in one.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use beakerhelpers_core::{Error, Result};

use super::super::storage::Oid;

/// A file without objects: an empty transaction, and an empty map of offsets (`durus/shelf.py`, 4.3).
pub(super) const EMPTY: &[u8] = b"SHELF-1\n\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0";

/// How a file is made. Numbers are big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Format {
    /// Of Durus since 3.8: `SHELF-1`, a transaction, a map of offsets, transactions. A transaction has its length (8), and
    /// for each record its length (8), its oid and itself (`durus/shelf.py`, 4.3).
    Shelf,
    /// Of Durus up to 3.7: `DFS20`, where the index is (8), transactions, the index with its length (8) before it,
    /// transactions. A transaction has for each record its length (4) and itself, and four zeros at its end
    /// (`durus/file_storage2.py`, 4.3).
    Dfs20,
}

/// What was found in a file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scan {
    /// Where the last record of the object is, and how long.
    pub(super) found: Option<(u64, u64)>,
    /// One more than the largest oid.
    pub(super) free: u64,
    /// The last transaction is complete.
    pub(super) is_whole: bool,
}

impl Format {
    /// # Errors
    ///
    /// `Unsupported` for any other file.
    pub(super) fn of(magic: &[u8]) -> Result<Self> {
        match magic {
            b"SHELF-1\n" => Ok(Self::Shelf),
            _ if magic.starts_with(b"DFS20\0") => Ok(Self::Dfs20),
            _ if magic.starts_with(b"SQLite") => Err(Error::unsupported("Durus's storage in SQLite is not read here")
                .with_hint("run `durus -s` on it, and set `host` and `port` in place of `file`")),
            _ => Err(Error::unsupported("the file is none of Durus").with_hint("correct `file`")),
        }
    }

    /// A transaction of these records.
    pub(super) fn transaction(self, records: &[(Oid, Vec<u8>)]) -> Vec<u8> {
        let mut out = Vec::new();
        for (oid, record) in records {
            match self {
                Self::Shelf => {
                    out.extend_from_slice(&((record.len() + oid.len()) as u64).to_be_bytes());
                    out.extend_from_slice(oid);
                }
                // No record is that long.
                Self::Dfs20 => out.extend_from_slice(&u32::try_from(record.len()).unwrap_or(0).to_be_bytes()),
            }
            out.extend_from_slice(record);
        }
        match self {
            Self::Shelf => [&(out.len() as u64).to_be_bytes()[..], &out].concat(),
            Self::Dfs20 => [&out[..], &[0; 4]].concat(),
        }
    }
}

/// Looks through the first `len` bytes of a file, at the lengths and names of its records alone.
///
/// # Errors
///
/// `InvalidData` for lengths that no file has.
pub(super) fn scan(file: &File, format: Format, len: u64, oid: Oid) -> io::Result<Scan> {
    let mut reader = BufReader::new(file);
    reader.seek(SeekFrom::Start(0))?;
    let mut walk = Walk { reader, at: 0, len, oid, scan: Scan::default() };
    match format {
        Format::Shelf => walk.shelf(),
        Format::Dfs20 => walk.dfs20(),
    }?;
    Ok(walk.scan)
}

struct Walk<'f> {
    reader: BufReader<&'f File>,
    at: u64,
    len: u64,
    oid: Oid,
    scan: Scan,
}

/// What an incomplete transaction has is not there.
#[derive(Clone, Copy, Default)]
struct Seen {
    found: Option<(u64, u64)>,
    free: u64,
}

impl Walk<'_> {
    fn shelf(&mut self) -> io::Result<()> {
        self.skip(8)?;
        self.shelf_transaction()?;
        if self.left() >= 8 {
            let map = self.number()?;
            if map > self.left() {
                return Err(invalid());
            }
            self.skip(map)?;
        }
        while self.left() >= 8 && self.shelf_transaction()? {}
        self.scan.is_whole = self.left() == 0;
        Ok(())
    }

    /// One transaction; `false` where its end is missing.
    fn shelf_transaction(&mut self) -> io::Result<bool> {
        let start = self.at;
        let len = self.number()?;
        if len > self.left() {
            self.at = start;
            return Ok(false);
        }
        let (end, mut seen) = (self.at + len, Seen::default());
        while self.at < end {
            if end - self.at < 16 {
                return Err(invalid());
            }
            let record = self.number()?.checked_sub(8).ok_or_else(invalid)?;
            let oid = self.number()?;
            if record > end - self.at {
                return Err(invalid());
            }
            self.note(&mut seen, oid, (self.at, record));
            self.skip(record)?;
        }
        self.keep(seen);
        Ok(true)
    }

    fn dfs20(&mut self) -> io::Result<()> {
        self.skip(6)?;
        let index = self.number()?;
        let (mut seen, mut whole) = (Seen::default(), self.at);
        while self.left() >= 4 {
            if self.at == index {
                if self.left() < 8 {
                    break;
                }
                let len = self.number()?;
                if len > self.left() {
                    return Err(invalid());
                }
                self.skip(len)?;
                whole = self.at;
                continue;
            }
            let len = u64::from(u32::from_be_bytes(self.bytes()?));
            if len == 0 {
                self.keep(std::mem::take(&mut seen));
                whole = self.at;
                continue;
            }
            if len > self.left() {
                break;
            }
            if len < 12 {
                return Err(invalid());
            }
            let at = self.at;
            let oid = self.number()?;
            self.note(&mut seen, oid, (at, len));
            self.skip(len - 8)?;
        }
        self.scan.is_whole = whole == self.len;
        Ok(())
    }

    fn note(&self, seen: &mut Seen, oid: u64, place: (u64, u64)) {
        seen.free = seen.free.max(oid.saturating_add(1));
        if oid.to_be_bytes() == self.oid {
            seen.found = Some(place);
        }
    }

    fn keep(&mut self, seen: Seen) {
        self.scan.free = self.scan.free.max(seen.free);
        self.scan.found = seen.found.or(self.scan.found);
    }

    const fn left(&self) -> u64 {
        self.len.saturating_sub(self.at)
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        if self.left() < N as u64 {
            return Err(invalid());
        }
        let mut bytes = [0; N];
        self.reader.read_exact(&mut bytes)?;
        self.at += N as u64;
        Ok(bytes)
    }

    fn number(&mut self) -> io::Result<u64> {
        self.bytes().map(u64::from_be_bytes)
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        if bytes > self.left() {
            return Err(invalid());
        }
        self.at += bytes;
        self.reader.seek_relative(i64::try_from(bytes).map_err(|_| invalid())?)
    }
}

fn invalid() -> io::Error {
    io::ErrorKind::InvalidData.into()
}
