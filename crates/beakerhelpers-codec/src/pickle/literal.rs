//! Strings that one opcode makes.

use std::borrow::Cow;

use super::cursor::Cursor;
use super::writer::text_opcode;
use crate::ascii;

/// A string in a pickle.
#[derive(Debug)]
pub(crate) struct Literal<'s> {
    opcode: u8,
    /// Its bytes; of text, UTF-8.
    pub(crate) content: Cow<'s, [u8]>,
    /// Where the opcode ends.
    pub(crate) end: usize,
}

impl<'s> Literal<'s> {
    /// Reads the string that is made at a place of a pickle.
    pub(crate) fn at(source: &'s [u8], place: usize) -> Option<Self> {
        let mut cursor = Cursor::new(source.get(place..)?);
        let opcode = cursor.byte().ok()?;
        let content = match opcode {
            b'S' => Cow::Owned(ascii::string(cursor.line().ok()?).ok()?),
            b'V' => Cow::Owned(ascii::unicode(cursor.line().ok()?).ok()?),
            b'T' => cursor.bytes_signed4().ok()?.into(),
            b'U' | b'C' | 0x8c => cursor.bytes1().ok()?.into(),
            b'B' | b'X' => cursor.bytes4().ok()?.into(),
            0x8d | 0x8e => cursor.bytes8().ok()?.into(),
            _ => return None,
        };
        Some(Self { opcode, content, end: place.saturating_add(cursor.position()) })
    }

    /// Appends an opcode that makes another string of the same type, which must be ASCII.
    pub(crate) fn write_like(&self, ascii: &[u8], out: &mut Vec<u8>) {
        match self.opcode {
            b'S' => {
                out.extend_from_slice(b"S'");
                out.extend_from_slice(ascii);
                out.extend_from_slice(b"'\n");
            }
            b'V' => {
                out.push(b'V');
                out.extend_from_slice(ascii);
                out.push(b'\n');
            }
            b'T' | b'U' => text_opcode(out, ascii, Some(b'U'), b'T'),
            b'C' | b'B' | 0x8e => text_opcode(out, ascii, Some(b'C'), b'B'),
            // The short form came with protocol 4.
            0x8c | 0x8d => text_opcode(out, ascii, Some(0x8c), b'X'),
            _ => text_opcode(out, ascii, None, b'X'),
        }
    }

    /// Whether a key of a session: text, of Python 2 too.
    pub(crate) fn is_text(&self) -> bool {
        !matches!(self.opcode, b'C' | b'B' | 0x8e)
    }
}

/// Where a class that GLOBAL names ends.
pub(crate) fn global_end(source: &[u8], place: usize) -> Option<usize> {
    let mut cursor = Cursor::new(source.get(place..)?);
    if cursor.byte().ok()? != b'c' {
        return None;
    }
    cursor.line().ok()?;
    cursor.line().ok()?;
    Some(place.saturating_add(cursor.position()))
}

/// The number that an opcode gets from the memo or puts there, and where it ends.
pub(crate) fn memo_number(source: &[u8], place: usize) -> Option<(u8, u32, usize)> {
    let mut cursor = Cursor::new(source.get(place..)?);
    let opcode = cursor.byte().ok()?;
    let number = match opcode {
        b'g' | b'p' => u32::try_from(ascii::index(cursor.line().ok()?).ok()?).ok()?,
        b'h' | b'q' => cursor.byte().ok()?.into(),
        b'j' | b'r' => cursor.u32().ok()?,
        0x94 => 0,
        _ => return None,
    };
    Some((opcode, number, place.saturating_add(cursor.position())))
}
