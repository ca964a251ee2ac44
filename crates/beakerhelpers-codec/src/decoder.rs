//! From a payload to a session.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use beakerhelpers_core::value::{Draft, NodeId};
use beakerhelpers_core::{Error, Framing, Payload, Result, Session};

use crate::fault::Fault;
use crate::json;
use crate::pickle::{Care, Machine};

/// What a payload turned out to hold.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Decoded {
    /// A session with at least one key.
    Session(Session),
    /// A session without any key: never saved, or deleted by Beaker before 1.11.
    Empty,
    /// Something else that is stored the same way, such as a Beaker cache.
    NotASession,
}

/// What [`Decoder::decode_into`] found; the session itself is where it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// A session with at least one key.
    Session,
    /// A session without any key: never saved, or deleted by Beaker before 1.11.
    Empty,
    /// Something else that is stored the same way, such as a Beaker cache.
    NotASession,
}

/// Decodes payloads, and keeps its memory from one to the next.
///
/// It reads what every Beaker release since 1.2 stores without encryption, and finds out by itself which form it has.
/// Nothing that a payload says is ever run or imported.
#[derive(Debug)]
pub struct Decoder {
    machine: Machine,
    json: json::Reader,
    /// The session's own pickle, where it is stored as base64.
    inner: Vec<u8>,
    max_payload: usize,
}

impl Decoder {
    /// A decoder with the default limits.
    #[must_use]
    pub fn new() -> Self {
        Self { machine: Machine::default(), json: json::Reader::default(), inner: Vec::new(), max_payload: 64 << 20 }
    }

    /// Sets how many bytes a payload may have; 64 MiB otherwise, and 1 GiB at most.
    /// Decoding takes at most 80 times as much memory, and a fixed 64 KiB, or 1 MiB for JSON. The JSON too may have so
    /// many bytes.
    #[must_use]
    pub fn with_max_payload(mut self, bytes: usize) -> Self {
        self.max_payload = bytes.min(1 << 30);
        self
    }

    /// Decodes a payload.
    ///
    /// # Errors
    ///
    /// See [`Decoder::decode_into`].
    pub fn decode(&mut self, payload: &Payload) -> Result<Decoded> {
        let mut session = Session::new();
        Ok(match self.decode_into(payload, &mut session)? {
            Found::Session => Decoded::Session(session),
            Found::Empty => Decoded::Empty,
            Found::NotASession => Decoded::NotASession,
        })
    }

    /// Decodes a payload into a session, whose memory is used again. What the session held is gone in any case.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](beakerhelpers_core::ErrorKind::Corrupt) for what no Beaker can have stored whole, and for what
    /// exceeds the limits; [`Unsupported`](beakerhelpers_core::ErrorKind::Unsupported) for what encryption made. The
    /// messages name places and reasons, never contents.
    pub fn decode_into(&mut self, payload: &Payload, session: &mut Session) -> Result<Found> {
        let mut draft = std::mem::take(session).into_draft();
        let mut read = self.read(payload, &mut draft, Care::Later);
        if let Ok(Read::Dict(root)) = read {
            match draft.finish(root) {
                Ok(finished) => {
                    *session = finished;
                    return Ok(Found::Session);
                }
                Err(unfinished) => draft = unfinished,
            }
            read = self.read(payload, &mut draft, Care::Now);
            if let Ok(Read::Dict(root)) = read {
                // With care, nothing is taken for text that is none.
                *session = draft.finish(root).map_err(|_| corrupt("text is not UTF-8"))?;
                return Ok(Found::Session);
            }
        }
        *session = draft.discard();
        read.map(|read| if matches!(read, Read::NotASession) { Found::NotASession } else { Found::Empty })
    }

    fn read(&mut self, payload: &Payload, draft: &mut Draft, care: Care) -> Result<Read> {
        let bytes = payload.bytes();
        if bytes.is_empty() {
            return Err(corrupt("there are no data"));
        }
        if bytes.len() > self.max_payload {
            return Err(corrupt(format!("{} bytes are more than the limit of {}", bytes.len(), self.max_payload)));
        }
        let most = bytes.len().saturating_mul(40).saturating_add(1 << 20);
        draft.reset(most);
        if self.inner.capacity() > most {
            self.inner = Vec::new();
        }
        let top = self.machine.run(draft, bytes, care).map_err(|fault| damaged("data", fault))?;
        let value = match payload.framing() {
            Framing::Namespace => match namespace(draft, top)? {
                Some(value) => value,
                None => return Ok(if is_empty_dict(draft, top) { Read::Empty } else { Read::NotASession }),
            },
            _ => top,
        };
        let Some(text) = draft.content(value) else { return root(draft, value) };
        self.inner.clear();
        if BASE64.decode_vec(text, &mut self.inner).is_err() {
            return Err(not_a_pickle(text));
        }
        match *self.inner.as_slice() {
            [0x80, 0..=5, ..] => {}
            // zlib's header: deflate, and a check sum of the first two bytes.
            [first, second, ..] if first & 15 == 8 && u16::from_be_bytes([first, second]).is_multiple_of(31) => {
                draft.reset(most);
                let top = self.json.read(draft, &self.inner, json::Limits::of(bytes.len(), self.max_payload))?;
                return root(draft, top);
            }
            _ => return Err(not_a_pickle(text)),
        }
        draft.reset(most);
        let top = self.machine.run(draft, &self.inner, care).map_err(|fault| damaged("session", fault))?;
        root(draft, top)
    }
}

/// What [`Decoder::read`] found.
enum Read {
    Dict(NodeId),
    Empty,
    NotASession,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

/// The value under `session`; `None` where there is none.
fn namespace(draft: &Draft, top: NodeId) -> Result<Option<NodeId>> {
    let pairs = draft.dict_items(top).ok_or_else(|| corrupt("the data are no dict"))?;
    // Of equal keys the last one counts.
    let pair = pairs.chunks_exact(2).rfind(|pair| pair.first().is_some_and(|key| draft.characters(*key) == b"session"));
    Ok(pair.and_then(|pair| pair.get(1)).copied())
}

fn is_empty_dict(draft: &Draft, id: NodeId) -> bool {
    draft.dict_items(id).is_some_and(<[_]>::is_empty)
}

/// Judges what a session's pickle holds.
fn root(draft: &Draft, id: NodeId) -> Result<Read> {
    if id == NodeId::NONE || is_empty_dict(draft, id) {
        return Ok(Read::Empty);
    }
    if draft.dict_items(id).is_some() {
        return Ok(Read::Dict(id));
    }
    // A cache keeps `(stored, expire, value)`, and may have a key `session` (`beaker/container.py`, 1.14.1).
    if draft.tuple_items(id).is_some_and(|items| items.len() == 3) {
        return Ok(Read::NotASession);
    }
    Err(corrupt("the session is no dict"))
}

fn corrupt(why: impl Into<String>) -> Error {
    Error::corrupt(why)
}

fn damaged(what: &str, fault: Fault) -> Error {
    corrupt(format!("the pickle of the {what} is damaged at byte {}: {}", fault.at, fault.reason))
}

/// Tells encrypted text, a nonce and base64, from damaged text.
fn not_a_pickle(text: &[u8]) -> Error {
    let alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    // A pickle of protocol 2 begins so, and one of 262,144 nonces.
    if text.len() >= 16 && text.iter().all(alphabet) && !text.starts_with(b"gAJ") && !text.starts_with(b"eJ") {
        return Error::unsupported("encrypted sessions cannot be read yet");
    }
    corrupt("the session is text that is not base64, or was cut")
}
