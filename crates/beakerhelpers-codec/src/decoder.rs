//! From a payload to a session.

mod text;

pub(crate) use self::text::is_base64;

use std::fmt;

use beakerhelpers_core::value::{Draft, NodeId};
use beakerhelpers_core::{Error, ErrorKind, Framing, Payload, Result, Session};
use zeroize::Zeroizing;

use crate::cipher::{Cipher, Sealing};
use crate::fault::Fault;
use crate::json;
use crate::pickle::{Care, Machine};
use crate::settings::Settings;

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
/// It reads what every Beaker release since 1.2 stores, and finds out by itself which form it has. Encrypted sessions
/// need the keys: [`Decoder::with_settings`]. Nothing that a payload says is ever run or imported.
pub struct Decoder {
    settings: Settings,
    machine: Machine,
    json: json::Reader,
    /// The session's text, where it is stored as text.
    text: Vec<u8>,
    /// The bytes that the text stands for, decrypted.
    plain: Vec<u8>,
    /// Where a key is derived from.
    salt: Zeroizing<Vec<u8>>,
    /// How the payload that was decoded last was encrypted.
    sealing: Option<Sealing>,
    /// How the last one was that was encrypted; the next one is encrypted like it, most likely.
    last_sealing: Option<Sealing>,
    max_payload: usize,
}

/// One reading of a payload.
struct Pass<'d> {
    draft: &'d mut Draft,
    care: Care,
    /// The memory that may be kept for the next payload.
    most: usize,
    limits: json::Limits,
}

impl Decoder {
    /// A decoder with the default limits and without keys.
    #[must_use]
    pub fn new() -> Self {
        Self::with_settings(Settings::new())
    }

    /// A decoder that knows what the site's configuration says about its sessions.
    ///
    /// Which form a session has is seen from the session itself, and each form is read: a store holds what several
    /// releases and configurations wrote. For an encrypted session, though, `crypto_type` and `encrypt_nonce_bits` are
    /// taken at their word where they are set: another cipher or nonce is an error, as it is for Beaker, that tells what
    /// was found.
    #[must_use]
    pub fn with_settings(settings: Settings) -> Self {
        Self {
            settings,
            machine: Machine::default(),
            json: json::Reader::default(),
            text: Vec::new(),
            plain: Vec::new(),
            salt: Zeroizing::default(),
            sealing: None,
            last_sealing: None,
            max_payload: 64 << 20,
        }
    }

    /// Sets how many bytes a payload may have; 64 MiB otherwise, and 1 GiB at most.
    /// Decoding takes at most 80 times as much memory, and a fixed 64 KiB, or 1 MiB for JSON. The JSON too may have so
    /// many bytes.
    #[must_use]
    pub fn with_max_payload(mut self, bytes: usize) -> Self {
        self.max_payload = bytes.min(1 << 30);
        self
    }

    /// How the payload that was decoded last was encrypted; `None` where it was not, or could not be decoded.
    pub fn cipher(&self) -> Option<Cipher> {
        self.sealing().map(|sealing| sealing.cipher)
    }

    /// With what the payload that was decoded last was encrypted.
    pub(crate) const fn sealing(&self) -> Option<Sealing> {
        self.sealing
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
    /// What is no session, and what cannot be read to its end, gives a session without keys. [`classes`](crate::classes)
    /// still tells what that referred to.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](beakerhelpers_core::ErrorKind::Corrupt) for what no Beaker can have stored whole, for what exceeds the
    /// limits, and for what the keys do not decrypt; [`Unsupported`](beakerhelpers_core::ErrorKind::Unsupported) for
    /// encrypted sessions that the settings do not allow to decrypt. The messages name places and reasons, never contents.
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
        *session = match draft.finish(NodeId::NONE) {
            Ok(finished) => finished,
            Err(mut draft) => {
                // For the sake of what it refers to: with care, nothing is taken for text that is none.
                let _ = self.read(payload, &mut draft, Care::Now);
                draft.finish(NodeId::NONE).unwrap_or_else(Draft::discard)
            }
        };
        let read = read.map_err(|error| if payload.is_full() { cut_off(payload, error) } else { error });
        read.map(|read| if matches!(read, Read::NotASession) { Found::NotASession } else { Found::Empty })
    }

    /// Decrypts the text of a session, where it is encrypted, and gives the bytes that a serializer made. They are known
    /// to be a session.
    pub(crate) fn open(&mut self, text: &[u8]) -> Result<(Option<Sealing>, &[u8])> {
        self.sealing = None;
        let limits = json::Limits::of(text.len(), self.max_payload);
        let mut pass = Pass { draft: &mut Draft::new(), care: Care::Now, most: usize::MAX, limits };
        match self.read_text(text, &mut pass)? {
            Read::NotASession => Err(corrupt("the session is no dict")),
            Read::Dict(_) | Read::Empty => Ok((self.sealing, &self.plain)),
        }
    }

    fn read(&mut self, payload: &Payload, draft: &mut Draft, care: Care) -> Result<Read> {
        self.sealing = None;
        let bytes = payload.bytes();
        if bytes.is_empty() {
            return Err(corrupt("there are no data"));
        }
        if bytes.len() > self.max_payload {
            return Err(corrupt(format!("{} bytes are more than the limit of {}", bytes.len(), self.max_payload)));
        }
        let most = bytes.len().saturating_mul(40).saturating_add(1 << 20);
        for buffer in [&mut self.text, &mut self.plain] {
            if buffer.capacity() > most {
                *buffer = Vec::new();
            }
        }
        let mut pass = Pass { draft, care, most, limits: json::Limits::of(bytes.len(), self.max_payload) };
        // Of an earlier reading nothing stays, be it what is kept for the sake of globals.
        pass.draft.reset(most);
        // Memcached keeps the text as it is. No pickle is like that: each ends with a dot.
        if matches!(payload.framing(), Framing::Value | Framing::Text) && is_base64(bytes) {
            return self.read_text(bytes, &mut pass);
        }
        let top = self.machine.run(pass.draft, bytes, care).map_err(|fault| damaged("data", fault))?;
        let value = match payload.framing() {
            Framing::Namespace => match namespace(pass.draft, top)? {
                Some(value) => value,
                None => return Ok(if is_empty_dict(pass.draft, top) { Read::Empty } else { Read::NotASession }),
            },
            Framing::Object => return attributes(pass.draft, top),
            _ => top,
        };
        let Some(content) = pass.draft.content(value) else { return root(pass.draft, value) };
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        text.extend_from_slice(content);
        let read = self.read_text(&text, &mut pass);
        self.text = text;
        read
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The buffers hold what the last session held, and keys.
        let Self { settings, sealing, max_payload, .. } = self;
        f.debug_struct("Decoder")
            .field("settings", settings)
            .field("sealing", sealing)
            .field("max_payload", max_payload)
            .finish_non_exhaustive()
    }
}

/// What [`Decoder::read`] found.
#[derive(Clone, Copy, PartialEq, Eq)]
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

/// Judges what the pickle of a session object holds. An object without attributes of its own is a session all the same.
fn attributes(draft: &Draft, top: NodeId) -> Result<Read> {
    let attributes = draft.attributes(top).ok_or_else(|| corrupt("the data are no object"))?;
    Ok(if attributes == NodeId::NONE || is_empty_dict(draft, attributes) {
        Read::Empty
    } else {
        Read::Dict(attributes)
    })
}

/// What is damaged and fills its column is most likely the beginning of something longer: MySQL cuts it without a word
/// where its `sql_mode` is not strict.
fn cut_off(payload: &Payload, error: Error) -> Error {
    if error.kind() != ErrorKind::Corrupt {
        return error;
    }
    corrupt(format!("the session was cut off: the column holds at most {} bytes", payload.room()))
        .with_context("damage", error.message())
        .with_hint(
            "give later ones more room: `ALTER TABLE … MODIFY data MEDIUMBLOB NOT NULL`; this one cannot be restored",
        )
}

fn corrupt(why: impl Into<String>) -> Error {
    Error::corrupt(why)
}

pub(crate) fn damaged(what: &str, fault: Fault) -> Error {
    corrupt(format!("the pickle of the {what} is damaged at byte {}: {}", fault.at, fault.reason))
}
