//! The index: one line for each key, as Python prints it.

use std::io::BufRead;

use beakerhelpers_core::Result;

use crate::format::content::{damaged, failed};

use super::NAME;

/// Longer indexes are of no database of sessions.
const LONGEST: u64 = 16 << 20;

/// Where a value is in the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::format) struct Entry {
    pub(in crate::format) pos: u64,
    pub(in crate::format) size: u64,
}

/// What an index tells of one key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) entry: Option<Entry>,
    /// Whether there is no key at all.
    pub(super) is_empty: bool,
}

/// The line of a key of plain ASCII letters.
pub(super) fn line(key: &[u8], entry: Entry) -> String {
    format!("'{}', ({}, {})\n", String::from_utf8_lossy(key), entry.pos, entry.size)
}

/// Looks for a key. Where there are several lines for it, the last one counts: Python adds lines to the file.
pub(super) fn read(file: impl BufRead, key: &[u8]) -> Result<Index> {
    let mut index = Index { entry: None, is_empty: true };
    let mut lines = file.take(LONGEST);
    let mut text = Vec::new();
    loop {
        text.clear();
        let read = lines.read_until(b'\n', &mut text).map_err(|error| failed("read", &error))?;
        if read == 0 {
            break;
        }
        index.is_empty = false;
        let (is_key, entry) = Line(&text).entry(key).ok_or_else(|| damaged(NAME, "a line of its index is none"))?;
        if is_key {
            index.entry = Some(entry);
        }
    }
    if lines.limit() == 0 { Err(damaged(NAME, "its index is too long")) } else { Ok(index) }
}

/// What is left of a line.
struct Line<'l>(&'l [u8]);

impl Line<'_> {
    /// `'key', (pos, size)`: whether the key is the one that is looked for, and the two numbers.
    fn entry(mut self, key: &[u8]) -> Option<(bool, Entry)> {
        let is_key = self.text(key)?;
        self.sign(b',')?;
        self.sign(b'(')?;
        let pos = self.number()?;
        self.sign(b',')?;
        let size = self.number()?;
        self.sign(b')')?;
        self.0.trim_ascii().is_empty().then_some((is_key, Entry { pos, size }))
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

    /// A string as `repr` writes it; whether it is this one.
    fn text(&mut self, wanted: &[u8]) -> Option<bool> {
        let quote = self.next().filter(|quote| matches!(quote, b'\'' | b'"'))?;
        let mut wanted = wanted.iter();
        let mut same = true;
        loop {
            let byte = match self.next()? {
                b'\n' => return None,
                b'\\' => self.escaped()?,
                byte if byte == quote => return Some(same && wanted.next().is_none()),
                byte => byte,
            };
            same &= wanted.next() == Some(&byte);
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
            prop_assert_eq!(entry(text.as_bytes()), Some((pos, size)));
        }
    }
}
