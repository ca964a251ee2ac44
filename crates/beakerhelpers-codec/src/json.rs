//! The JSON serializer: `zlib.compress(json.dumps(session))` (`beaker/util.py`, `JsonSerializer`, 1.8 to 1.14.1).
//!
//! JSON means Python's here: it has `NaN` and `Infinity`, numbers of any size, and strings with lone surrogates.

mod cursor;
mod inflate;
mod number;
mod parser;
mod string;

use beakerhelpers_core::value::{Draft, NodeId};
use beakerhelpers_core::{Error, Result};

use self::inflate::Inflater;
use self::parser::Parser;

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

/// Reads sessions of the JSON serializer, and keeps its memory from one to the next.
#[derive(Debug, Default)]
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
        let text = self
            .inflater
            .inflate(zlib, limits.text)
            .map_err(|damage| Error::corrupt(format!("the compressed JSON of the session is damaged: {damage}")))?;
        self.parser.parse(draft, text, limits.memory.saturating_sub(text.len())).map_err(|fault| {
            Error::corrupt(format!("the JSON of the session is damaged at byte {}: {}", fault.at, fault.reason))
        })
    }
}
