//! The index: one line for each key, as Python prints it, in Latin-1: `'key', (512, 99)`.

use std::collections::BTreeMap;
use std::io::{BufRead, Read};

use beakerhelpers_core::Result;

use crate::error::{damaged, failed};

use super::{BLOCK, NAME};

/// Longer indexes are of no database of one session.
const LONGEST: u64 = 16 << 20;
/// Longer lines are of no key that anybody has.
const LONGEST_LINE: u64 = 1 << 20;

/// Where a value is in the data of a `dbm.dumb` database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub(super) pos: u64,
    pub(super) size: u64,
}

/// What an index tells of one key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) entry: Option<Entry>,
    /// Whether there is no key at all.
    pub(super) is_empty: bool,
}

/// The line of a key. Python reads escapes where it would not write any.
pub(super) fn line(key: &[u8], entry: Entry) -> Vec<u8> {
    let mut line = vec![b'\''];
    for byte in key {
        match byte {
            b'\\' | b'\'' => line.extend([b'\\', *byte]),
            b' '..=b'~' => line.push(*byte),
            _ => line.extend(format!("\\x{byte:02x}").into_bytes()),
        }
    }
    line.extend(format!("', ({}, {})\n", entry.pos, entry.size).into_bytes());
    line
}

/// Looks for a key. Where there are several lines for it, the last one counts: Python adds lines to the file.
pub(super) fn read(file: impl BufRead, key: &[u8]) -> Result<Index> {
    let mut index = Index { entry: None, is_empty: true };
    let mut file = file.take(LONGEST);
    let mut lines = Lines::new(&mut file);
    while let Some((found, entry)) = lines.next()? {
        index.is_empty = false;
        if found == key {
            index.entry = Some(entry);
        }
    }
    if file.limit() == 0 { Err(damaged(NAME, "its index is too long")) } else { Ok(index) }
}

/// The index of a `dbm.dumb` database with all its keys, `.dir`.
#[derive(Clone, Debug, Default)]
pub struct DumbIndex(BTreeMap<Vec<u8>, Entry>);

impl DumbIndex {
    /// Reads an index: of equal keys the last one counts, since Python adds lines to the file.
    ///
    /// # Errors
    ///
    /// `Corrupt` for what Python would not read; what the system says.
    pub fn read(file: impl BufRead) -> Result<Self> {
        let (mut lines, mut index) = (Lines::new(file), BTreeMap::new());
        while let Some((key, entry)) = lines.next()? {
            index.insert(key, entry);
        }
        Ok(Self(index))
    }

    /// Where the value of a key is.
    pub fn get(&self, key: &[u8]) -> Option<Entry> {
        self.0.get(key).copied()
    }

    /// All keys, and where their values are.
    pub(super) fn into_entries(self) -> impl Iterator<Item = (Vec<u8>, Entry)> + Send {
        self.0.into_iter()
    }

    /// Adds a key, or changes where its value is: at a multiple of a block of the data, which end there now. Tells where
    /// that is, and that is where the value belongs.
    pub fn append(&mut self, key: &[u8], data_end: u64, size: u64) -> u64 {
        let pos = data_end.checked_next_multiple_of(BLOCK as u64).unwrap_or(data_end);
        self.0.insert(key.to_vec(), Entry { pos, size });
        pos
    }

    /// Forgets a key, and tells whether it was there.
    pub fn remove(&mut self, key: &[u8]) -> bool {
        self.0.remove(key).is_some()
    }

    /// The whole index as it is written to the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|(key, entry)| line(key, *entry)).collect()
    }
}

/// The lines of an index, one after another.
struct Lines<R> {
    file: R,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    const fn new(file: R) -> Self {
        Self { file, line: Vec::new() }
    }

    fn next(&mut self) -> Result<Option<(Vec<u8>, Entry)>> {
        self.line.clear();
        let read = self.file.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut self.line);
        if read.map_err(|error| failed("read", &error))? == 0 {
            return Ok(None);
        }
        Line(&self.line).entry().ok_or_else(|| damaged(NAME, "a line of its index is none")).map(Some)
    }
}

/// What is left of a line.
struct Line<'l>(&'l [u8]);

impl Line<'_> {
    /// `'key', (pos, size)`.
    fn entry(mut self) -> Option<(Vec<u8>, Entry)> {
        let key = self.text()?;
        self.sign(b',')?;
        self.sign(b'(')?;
        let pos = self.number()?;
        self.sign(b',')?;
        let size = self.number()?;
        self.sign(b')')?;
        self.0.trim_ascii().is_empty().then_some((key, Entry { pos, size }))
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn sign(&mut self, sign: u8) -> Option<()> {
        self.0 = self.0.trim_ascii_start();
        (self.next()? == sign).then_some(())
    }

    /// Digits, after which Python 2 writes an `L` where they are many.
    fn number(&mut self) -> Option<u64> {
        self.0 = self.0.trim_ascii_start();
        let len = self.0.iter().position(|byte| !byte.is_ascii_digit())?;
        let (digits, rest) = self.0.split_at_checked(len)?;
        self.0 = rest.strip_prefix(b"L").unwrap_or(rest);
        str::from_utf8(digits).ok()?.parse().ok()
    }

    /// A string as `repr` writes it.
    fn text(&mut self) -> Option<Vec<u8>> {
        let quote = self.next().filter(|quote| matches!(quote, b'\'' | b'"'))?;
        let mut text = Vec::new();
        loop {
            text.push(match self.next()? {
                b'\n' => return None,
                b'\\' => self.escaped()?,
                byte if byte == quote => return Some(text),
                byte => byte,
            });
        }
    }

    fn escaped(&mut self) -> Option<u8> {
        match self.next()? {
            byte @ (b'\\' | b'\'' | b'"') => Some(byte),
            b'n' => Some(b'\n'),
            b'r' => Some(b'\r'),
            b't' => Some(b'\t'),
            b'x' => {
                let mut digit = || char::from(self.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high << 4 | low).ok()
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use beakerhelpers_core::ErrorKind;
    use proptest::prelude::*;

    use super::*;

    fn entry(text: &[u8]) -> Option<(u64, u64)> {
        let index = read(text, b"session").expect("Python would read it");
        index.entry.map(|entry| (entry.pos, entry.size))
    }

    #[test]
    fn lines_are_read_as_python_reads_them() {
        assert_eq!(entry(b"'session', (0, 345)\n"), Some((0, 345)));
        assert_eq!(entry(b"\"session\" ,  ( 512L,7 ) \r\n"), Some((512, 7)));
        assert_eq!(entry(b"'sess\\x69on', (0, 1)"), Some((0, 1)));
        assert_eq!(entry(b"'session', (0, 1)\n'it\\'s \\xe4', (0, 0)\n'session', (512, 2)\n"), Some((512, 2)));
        assert_eq!(entry(b"'sessio', (0, 1)\n'sessions', (0, 1)\n"), None);
        assert_eq!(read(b"".as_slice(), b"session").ok(), Some(Index { entry: None, is_empty: true }));
    }

    #[test]
    fn what_python_refuses_is_damage() {
        let bad: [&[u8]; 9] = [
            b"\n",
            b"session, (0, 1)",
            b"'session",
            b"'session', (0, 1",
            b"'session', (, 1)",
            b"'session', (0, -1)",
            b"'session', (0, 1), 2",
            b"'session\\q', (0, 1)",
            b"'session', (99999999999999999999, 1)",
        ];
        for text in bad {
            assert_eq!(read(text, b"session").map_err(|error| error.kind()), Err(ErrorKind::Corrupt));
        }
    }

    #[test]
    fn an_endless_index_ends() {
        let endless = std::io::BufReader::new(std::io::repeat(b'\''));
        assert_eq!(read(endless, b"session").map_err(|error| error.kind()), Err(ErrorKind::Corrupt));
    }

    #[test]
    fn all_keys_of_an_index_come_back() {
        let keys: [&[u8]; 6] = [b"", b"0f1e", b"it's", b"back\\slash \"", "\u{104}\n\t\0".as_bytes(), &[0xff, 0x7f]];
        let mut index = DumbIndex::default();
        for (n, key) in keys.iter().enumerate() {
            assert_eq!(index.append(key, n as u64 * 1000, 7), (n as u64 * 1000).next_multiple_of(512));
        }
        let bytes = index.to_bytes();
        let mut read = DumbIndex::read(&*bytes).expect("it is an index");
        assert_eq!(read.0, index.0);
        assert!(read.remove(b"it's") && !read.remove(b"it's") && read.get(b"0f1e").is_some());
        // Python 3 writes what it can print as it is.
        let latin = DumbIndex::read(&b"'\xe9\\xc4\\n', (1024L, 2)\n"[..]).expect("it is an index");
        assert_eq!(latin.get(b"\xe9\xc4\n"), Some(Entry { pos: 1024, size: 2 }));
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_index_or_an_error(text in proptest::collection::vec(prop_oneof![
            4 => proptest::sample::select(b"'\"\\x0123456789,() Lsession\n".to_vec()), 1 => any::<u8>(),
        ], 0..80)) {
            let _ = read(&*text, b"session");
        }

        #[test]
        fn a_written_line_reads_back(pos: u64, size: u64) {
            let text = line(b"session", Entry { pos, size });
            prop_assert_eq!(entry(&text), Some((pos, size)));
        }
    }
}
