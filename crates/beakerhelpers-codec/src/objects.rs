//! Many sessions in one pickle: how session2 keeps them in Durus.

use std::collections::HashSet;
use std::fmt;

use beakerhelpers_core::value::{Draft, Form, Kind, Value};
use beakerhelpers_core::{Error, Framing, Payload, Result, Session};

use crate::decoder::damaged;
use crate::encoder::unwritable;
use crate::pickle::writer::{Scratch, Writer};
use crate::pickle::{Care, Machine};

/// What it decodes has so many bytes at most.
const LARGEST: usize = 1 << 30;
/// So many bytes name an object of Durus.
const OID: usize = 8;

/// The state of a Durus `PersistentDict`: `{'data': {…}}`, each value an object that is pickled with all others, or
/// a reference to a persistent object (`durus/persistent_dict.py`, 4.3; `session2/store/DurusSessionStore.py`, 0.6).
///
/// A value is read and written as a [`Payload`] of [`Framing::Object`]: it comes out as the pickle of the same object,
/// with protocol 2, not with the bytes that it went in with. Keys that are no text are kept, and not shown.
///
/// It takes at most 80 times the memory of the pickle, and each value that is read some microseconds for every thousand
/// sessions: as Durus itself, which writes all of them with each, it is for some thousand.
pub struct ObjectDict {
    /// The dict is its root.
    session: Session,
    removed: HashSet<String>,
    /// The oids that it refers to, put in last ones included.
    references: Vec<[u8; OID]>,
}

impl ObjectDict {
    /// An empty dict.
    #[must_use]
    pub fn new() -> Self {
        Self { session: Session::new(), removed: HashSet::new(), references: Vec::new() }
    }

    /// Reads the state out of a record's data: the pickle of the class, and that of the state behind it, which may refer to
    /// the memo of the first (`durus/serialize.py`, 4.3). Neither is compressed here.
    ///
    /// # Errors
    ///
    /// `Corrupt` for anything else.
    pub fn decode(class: &[u8], state: &[u8]) -> Result<Self> {
        if class.len().saturating_add(state.len()) > LARGEST {
            return Err(Error::corrupt("the dict of all sessions is larger than any that can be read"));
        }
        let Some(class) = class.strip_suffix(b".") else {
            return Err(Error::corrupt("the class of the dict is damaged"));
        };
        // Of both one pickle: the class is made, kept in the memo, and dropped.
        let pickle = [class, b"0", state].concat();
        let mut draft = Draft::new();
        draft.reset(usize::MAX);
        let top = Machine::default()
            .run(&mut draft, &pickle, Care::Now)
            .map_err(|fault| damaged("dict of all sessions", fault))?;
        let pairs = draft.dict_items(top).unwrap_or_default();
        let pair =
            pairs.chunks_exact(2).rfind(|pair| pair.first().is_some_and(|key| draft.characters(*key) == b"data"));
        let data = pair.and_then(|pair| pair.get(1)).copied().filter(|data| draft.dict_items(*data).is_some());
        let data = data.ok_or_else(|| Error::corrupt("the state is not that of a `PersistentDict`"))?;
        let session = draft.finish(data).map_err(|_| Error::corrupt("text is not UTF-8"))?;
        let references = references(&session);
        Ok(Self { session, removed: HashSet::new(), references })
    }

    /// The pickle of the state.
    ///
    /// # Errors
    ///
    /// `Unsupported` where a value cannot be written.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let kept =
            || self.session.iter().filter(|(key, _)| !key.as_str().is_some_and(|key| self.removed.contains(key)));
        let mut out = b"\x80\x02}U\x04data}".to_vec();
        let mut writer = Writer::new(&self.session, 2, 0, Scratch::default());
        writer.survey(kept().flat_map(|(key, value)| [key, value]));
        for (key, value) in kept() {
            for part in [key, value] {
                // The key is a session id.
                writer.write(part, &mut out).map_err(|reason| unwritable(None, reason))?;
            }
            out.push(b's');
        }
        out.extend_from_slice(b"s.");
        Ok(out)
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let keys = self.session.iter().filter_map(|(key, _)| key.as_str());
        keys.filter(|key| !self.removed.contains(*key))
    }

    /// The value of a key.
    ///
    /// # Errors
    ///
    /// `Unsupported` where it cannot be written.
    pub fn payload(&self, key: &str) -> Result<Option<Payload>> {
        if self.removed.contains(key) {
            return Ok(None);
        }
        self.session.value(key).map(|value| self.pickled(value)).transpose()
    }

    /// Keys and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Result<Payload>)> {
        let pairs = self.session.iter().filter_map(|(key, value)| Some((key.as_str()?, value)));
        let pairs = pairs.filter(|(key, _)| !self.removed.contains(*key));
        pairs.map(|(key, value)| (key, self.pickled(value)))
    }

    fn pickled(&self, value: Value<'_>) -> Result<Payload> {
        let mut out = vec![0x80, 2];
        let mut writer = Writer::new(&self.session, 2, 0, Scratch::default());
        writer.survey(std::iter::once(self.session.by_id(value.id())));
        writer.write(self.session.by_id(value.id()), &mut out).map_err(|reason| unwritable(None, reason))?;
        out.push(b'.');
        Ok(Payload::new(Framing::Object, out))
    }

    /// Sets the value of a key.
    ///
    /// # Errors
    ///
    /// `Unsupported` for what is not the pickle of an object.
    pub fn set(&mut self, key: &str, payload: &Payload) -> Result<()> {
        let refuse =
            |why: &str| Error::unsupported(format!("only the pickle of an object can be kept in Durus: {why}"));
        if payload.framing() != Framing::Object {
            return Err(refuse("this is framed otherwise"));
        }
        if self.removed.remove(key) {
            self.session.remove(key);
        }
        self.session.try_set(key, |draft| {
            let top = Machine::default()
                .run(draft, payload.bytes(), Care::Now)
                .map_err(|fault| refuse(&fault.reason.to_string()))?;
            if draft.is_object(top) { Ok(top) } else { Err(refuse("this is another value")) }
        })?;
        self.references = references(&self.session);
        Ok(())
    }

    /// Removes a key, and tells whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        let is_there = !self.removed.contains(key) && self.session.value(key).is_some();
        if is_there {
            self.removed.insert(key.to_owned());
        }
        is_there
    }

    /// The persistent objects that it may refer to, in order, each once.
    pub fn references(&self) -> &[[u8; 8]] {
        &self.references
    }

    /// The oid of the persistent object that a key's value refers to.
    pub fn reference(&self, key: &str) -> Option<[u8; 8]> {
        oid(self.session.value(key)?)
    }

    /// A value that refers to a persistent dict of this oid.
    #[must_use]
    pub fn reference_to(oid: [u8; 8]) -> Payload {
        // The oid is a `str` of Python 2, and bytes in Python 3: in protocol 2 this is both.
        let text: String = oid.iter().map(|byte| char::from(*byte)).collect();
        let mut out = b"\x80\x02c_codecs\nencode\n".to_vec();
        Writer::write_key(&text, &mut out);
        Writer::write_key("latin1", &mut out);
        out.extend_from_slice(b"\x86Rcdurus.persistent_dict\nPersistentDict\n\x86Q.");
        Payload::new(Framing::Object, out)
    }
}

/// Every reference to a persistent object that a pickle makes, used or not.
fn references(session: &Session) -> Vec<[u8; OID]> {
    let mut found: Vec<_> = session.nodes().filter_map(oid).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The oid in `(oid, class)`, by which Durus refers to an object.
fn oid(value: Value<'_>) -> Option<[u8; OID]> {
    let object = value.as_object().filter(|object| object.form() == Form::Persistent)?;
    let Kind::Tuple(mut parts) = object.args().next()?.raw_kind() else { return None };
    let oid = parts.next()?;
    match oid.raw_kind() {
        // Python 2 has no bytes.
        Kind::Bytes(bytes) | Kind::Python2Str(bytes) => bytes.try_into().ok(),
        Kind::Str(text) => text.as_bytes().try_into().ok(),
        _ => None,
    }
}

impl Default for ObjectDict {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ObjectDict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectDict({} keys)", self.session.len())
    }
}
