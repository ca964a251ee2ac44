//! The JSON serializer: `zlib.compress(json.dumps(session))` (`beaker/util.py`, `JsonSerializer`, 1.8 to 1.14.1).
//!
//! JSON means Python's here: it has `NaN` and `Infinity`, numbers of any size, and strings with lone surrogates.

#[cfg(test)]
mod beaker;
#[cfg(test)]
mod cpython;
mod cursor;
mod inflate;
mod number;
mod parser;
mod string;
mod update;
mod write;

use std::fmt;

use beakerhelpers_core::value::{Draft, NodeId};
use beakerhelpers_core::{Error, Result, Value};
use miniz_oxide::deflate::compress_to_vec_zlib;

use self::inflate::{Damage, Inflater};
use self::parser::Parser;
use crate::fault::{Fault, Reason};

/// Memory that any session may take; [`MEMORY_FACTOR`] times the length of its payload comes on top. JSON of a few
/// hundred values compresses far better than 1 to 80, and harms nobody.
const FREE_MEMORY: usize = 1 << 20;

/// The JSON, its nodes and the stack take at most this many times the length of the payload.
const MEMORY_FACTOR: usize = 75;

/// How much one session may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes of JSON.
    text: usize,
    /// Bytes of memory for everything.
    memory: usize,
}

impl Limits {
    /// The limits for a payload of this length, however well it is compressed.
    pub(crate) fn of(payload_len: usize, max_text: usize) -> Self {
        let memory = payload_len.saturating_mul(MEMORY_FACTOR).saturating_add(FREE_MEMORY);
        // The texts of a draft are as long as the JSON at most, and a buffer may be twice as long as what is in it.
        Self { text: max_text.min(memory / 4), memory }
    }
}

/// What Beaker would store, before base64 and encryption, for a session with these keys and values.
///
/// # Errors
///
/// [`Unsupported`](beakerhelpers_core::ErrorKind::Unsupported) where JSON cannot hold a value, or a Python program could
/// not read it again; it names the key.
pub(crate) fn write<'a>(pairs: impl IntoIterator<Item = (Value<'a>, Value<'a>)>) -> Result<Vec<u8>> {
    let mut json = String::new();
    write::object(pairs, &mut json)?;
    Ok(compress(&json))
}

/// What Beaker would store for a session that was stored as `zlib` and has changed since, as
/// [`Session::changes`](beakerhelpers_core::Session::changes) tells. A key that has not keeps the text of its value.
///
/// # Errors
///
/// As [`write`] for what has changed, and as [`Reader::read`] for `zlib`.
pub(crate) fn update<'a>(
    zlib: &[u8],
    limits: Limits,
    changes: impl IntoIterator<Item = (&'a str, Option<Value<'a>>)>,
) -> Result<Vec<u8>> {
    let mut inflater = Inflater::default();
    let original = inflater.inflate(zlib, limits.text).map_err(damaged_zlib)?;
    let original = std::str::from_utf8(original)
        .map_err(|error| damaged_json(Fault { at: error.valid_up_to(), reason: Reason::NotUtf8 }))?;
    let mut json = String::with_capacity(original.len());
    update::object(original, changes, &mut json)?;
    Ok(compress(&json))
}

/// Whether bytes begin as Python's `zlib.compress` begins: deflate, a window of 32 KiB, and a check sum of the first two
/// bytes.
pub(crate) fn is_zlib(bytes: &[u8]) -> bool {
    matches!(*bytes, [0x78, second, ..] if u16::from_be_bytes([0x78, second]).is_multiple_of(31))
}

/// As `zlib.compress` does by default.
fn compress(json: &str) -> Vec<u8> {
    compress_to_vec_zlib(json.as_bytes(), 6)
}

fn damaged_zlib(damage: Damage) -> Error {
    Error::corrupt(format!("the compressed JSON of the session is damaged: {damage}"))
}

fn damaged_json(fault: Fault) -> Error {
    Error::corrupt(format!("the JSON of the session is damaged at byte {}: {}", fault.at, fault.reason))
}

/// Reads sessions of the JSON serializer, and keeps its memory from one to the next.
#[derive(Default)]
pub(crate) struct Reader {
    inflater: Inflater,
    parser: Parser,
}

impl Reader {
    /// Reads compressed JSON into a draft.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](beakerhelpers_core::ErrorKind::Corrupt) for what Python would not decompress or load, and for what
    /// exceeds the limits, before it takes the memory.
    pub(crate) fn read(&mut self, draft: &mut Draft, zlib: &[u8], limits: Limits) -> Result<NodeId> {
        if self.inflater.allocated().saturating_add(self.parser.allocated()) > limits.memory {
            *self = Self::default();
        }
        let text = self.inflater.inflate(zlib, limits.text).map_err(damaged_zlib)?;
        // The buffer that the text is in may be twice as long.
        let memory = limits.memory.saturating_sub(text.len().saturating_mul(2));
        self.parser.parse(draft, text, memory).map_err(damaged_json)
    }
}

/// The buffers still hold what was read last.
impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use beakerhelpers_core::{ErrorKind, Session};

    use super::*;

    fn read(zlib: &[u8]) -> Session {
        let mut draft = Draft::new();
        let root = Reader::default().read(&mut draft, zlib, Limits::of(zlib.len(), 1000)).unwrap();
        draft.finish(root).unwrap()
    }

    #[test]
    fn what_is_written_is_read_and_can_be_changed() {
        let zlib = write(&Session::from_pairs([("a", 1.into()), ("b", "x".into()), ("c", ().into())])).unwrap();
        let mut session = read(&zlib);
        session.set("b", |draft| draft.float(2.0));
        assert!(session.remove("a"));
        session.set("a", |draft| draft.str("last"));
        let updated = update(&zlib, Limits::of(zlib.len(), 1000), session.changes()).unwrap();
        assert!(updated.starts_with(b"\x78\x9c"), "the header of the default level");
        let text = Inflater::default().inflate(&updated, 1000).map(<[u8]>::to_vec);
        assert_eq!(text.unwrap(), br#"{"b": 2.0, "c": null, "a": "last"}"#);
    }

    #[test]
    fn what_is_not_whole_cannot_be_changed() {
        for json in [&b"[]"[..], b"{\"a\": \"\xff\"}"] {
            let zlib = compress_to_vec_zlib(json, 6);
            let error = update(&zlib, Limits::of(zlib.len(), 1000), [("a", None)]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
        }
    }
}
