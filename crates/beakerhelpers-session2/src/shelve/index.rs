//! The lines of an index: `'key', (512, 99)`, the key as Python's `repr` writes it, in Latin-1.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read};

/// What is longer is no line of an index.
const LONGEST: u64 = 1 << 20;

/// Reads an index: of equal keys the last one counts.
///
/// # Errors
///
/// `InvalidData` for what Python does not write.
pub(super) fn read(mut reader: impl BufRead) -> io::Result<BTreeMap<Vec<u8>, (u64, u64)>> {
    let mut index = BTreeMap::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(index);
        }
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        let (key, place) = entry(text).ok_or(io::ErrorKind::InvalidData)?;
        index.insert(key, place);
    }
}

fn entry(line: &[u8]) -> Option<(Vec<u8>, (u64, u64))> {
    let (quote, mut rest) = line.split_first().filter(|(quote, _)| matches!(**quote, b'\'' | b'"'))?;
    let mut key = Vec::new();
    loop {
        let (byte, after) = rest.split_first()?;
        rest = after;
        match *byte {
            byte if byte == *quote => break,
            b'\\' => {
                let (escape, after) = rest.split_first()?;
                rest = after;
                key.push(match *escape {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'x' => {
                        let (hex, after) = rest.split_at_checked(2)?;
                        rest = after;
                        u8::from_str_radix(str::from_utf8(hex).ok()?, 16).ok()?
                    }
                    other @ (b'\\' | b'\'' | b'"') => other,
                    _ => return None,
                });
            }
            byte => key.push(byte),
        }
    }
    let numbers = str::from_utf8(rest).ok()?.strip_prefix(", (")?.strip_suffix(')')?;
    let (at, len) = numbers.split_once(", ")?;
    // Python 2 may have written a `long`.
    let number = |text: &str| text.strip_suffix('L').unwrap_or(text).parse().ok();
    Some((key, (number(at)?, number(len)?)))
}

/// The whole index as text.
pub(super) fn text(index: &BTreeMap<Vec<u8>, (u64, u64)>) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, (at, len)) in index {
        out.push(b'\'');
        for byte in key {
            match byte {
                b'\\' | b'\'' => out.extend_from_slice(&[b'\\', *byte]),
                b' '..=b'~' => out.push(*byte),
                _ => out.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
            }
        }
        out.extend_from_slice(format!("', ({at}, {len})\n").as_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let keys: [&[u8]; 6] = [b"", b"0f1e", b"it's", b"back\\slash \"", "\u{104}\n\t\0".as_bytes(), &[0xff, 0x7f]];
        let index: BTreeMap<_, _> =
            keys.iter().enumerate().map(|(n, key)| (key.to_vec(), (n as u64 * 512, 7))).collect();
        assert_eq!(read(&*text(&index)).expect("it is an index"), index);
    }

    #[test]
    fn python_s_lines_are_read() {
        // Python 3 writes what it can print as it is; Python 2 may write a `long`.
        let lines = b"'a', (0, 5)\r\n\"it's\", (512, 1)\n'\xe9\\xc4\\n', (1024L, 2)\n\n'a', (1536, 9)\n";
        let index = read(&lines[..]).expect("it is an index");
        assert_eq!(index.len(), 3);
        assert_eq!(
            (index[&b"a"[..]], index[&b"it's"[..]], index[&b"\xe9\xc4\n"[..]]),
            ((1536, 9), (512, 1), (1024, 2))
        );
        for damaged in ["a, (1, 2)", "'a', (1, 2", "'a'", "'a", "'a', (1)", "'a\\q', (1, 2)", "'a', (-1, 2)", "'\\x1"] {
            assert!(read(damaged.as_bytes()).is_err(), "{damaged}");
        }
    }
}
