//! Payloads that are sessions, and the reading of their times.

use beakerhelpers_core::{
    Error, ErrorKind, Framing, Payload, Record, Result, SaveMode, SessionId, SessionStore, TimeReader, Timestamp,
};

/// Reads the access time from what [`Form`] makes.
#[derive(Debug)]
pub(super) struct Inside;

/// A note that keeps it from reading a session: not every store takes what is no session at all.
pub(super) const UNREADABLE: &[u8] = b"as if this session were damaged";

impl TimeReader for Inside {
    fn accessed(&self, payload: &Payload) -> Result<Option<Timestamp>> {
        if payload.bytes().windows(UNREADABLE.len()).any(|bytes| bytes == UNREADABLE) {
            return Err(Error::new(ErrorKind::Corrupt, "the payload is damaged"));
        }
        let in_text = str::from_utf8(payload.bytes()).ok().and_then(|text| text.split_once("'_access_time'\nF"));
        if let Some((_, rest)) = in_text {
            let secs = rest.lines().next().and_then(|secs| secs.parse().ok());
            return Ok(secs.and_then(Timestamp::from_epoch_float));
        }
        let float = |key: &[u8]| {
            let found = payload.bytes().windows(key.len() + 8).find_map(|window| window.strip_prefix(key));
            found.map(|float| f64::from_be_bytes(float.try_into().expect("the window is so long")))
        };
        let secs = float(b"_accessed_timeG").or_else(|| float(b"_access_timeG"));
        Ok(secs.and_then(Timestamp::from_epoch_float))
    }
}

/// How the sessions of a store look.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// A dict in this frame.
    Dict(Framing),
    /// An object, as session2 pickles it.
    Object,
    /// The same with protocol 0, which is text: so session2 has it in PostgreSQL.
    ObjectText,
}

/// When a session was created and last accessed.
type Times = (Timestamp, Timestamp);

impl Form {
    /// Objects are text where the store refuses others: so does session2's table in PostgreSQL.
    pub(super) fn of(store: &dyn SessionStore, framing: Framing) -> Self {
        if framing != Framing::Object {
            return Self::Dict(framing);
        }
        let probe = Self::Object.record("form", Timestamp::from_secs(1_000_000_000), b"");
        let saved = store.save(&probe, SaveMode::Upsert);
        // It may not be set up yet.
        let _ = store.delete(&probe.id);
        let is_text = saved.is_err_and(|error| error.kind() == ErrorKind::Unsupported);
        if is_text { Self::ObjectText } else { Self::Object }
    }

    /// A record whose payload is a real session of this access time, with a note in it.
    pub(super) fn record(self, id: &str, accessed: Timestamp, note: &[u8]) -> Record {
        let created = Timestamp::from_micros(accessed.as_micros() - 1_000_000);
        Record::new(SessionId::new(id), self.payload(Some((created, accessed)), note))
            .with_times(Some(created), Some(accessed))
    }

    /// A session of these times, with a note in it if there is one.
    pub(super) fn payload(self, times: Option<Times>, note: &[u8]) -> Payload {
        match self {
            // {'session': …}, as Beaker up to 1.11 stores it.
            Self::Dict(framing @ Framing::Namespace) => {
                let session = session_pickle(times, note);
                Payload::new(framing, [b"\x80\x02}U\x07session".as_slice(), &session, b"s."].concat())
            }
            Self::Dict(framing) => {
                Payload::new(framing, [b"\x80\x02".as_slice(), &session_pickle(times, note), b"."].concat())
            }
            Self::Object => Payload::new(Framing::Object, object_pickle(times, &text(note))),
            Self::ObjectText => Payload::new(Framing::Object, object_text(times, &text(note)).into_bytes()),
        }
    }
}

/// A text as long as a note: what an object is made of passes through stores that keep text alone.
fn text(note: &[u8]) -> String {
    let is_plain = |byte: u8| (byte.is_ascii_graphic() || byte == b' ') && !matches!(byte, b'\'' | b'\\');
    note.iter().map(|byte| char::from(if is_plain(*byte) { *byte } else { b'a' + byte % 26 })).collect()
}

/// A session dict of these times as a pickle, without the opcodes around it: stores that keep no times read them here.
fn session_pickle(times: Option<Times>, note: &[u8]) -> Vec<u8> {
    let mut out = b"}".to_vec();
    let times = times.map(|(created, accessed)| [("_creation_time", created), ("_accessed_time", accessed)]);
    for (key, time) in times.into_iter().flatten() {
        push_key(&mut out, key);
        push_float(&mut out, time);
        out.push(b's');
    }
    if !note.is_empty() {
        push_key(&mut out, "note");
        out.push(b'T');
        push_content(&mut out, note);
        out.push(b's');
    }
    out
}

/// An object with these attributes as a pickle of protocol 2, as the codec writes it.
fn object_pickle(times: Option<Times>, note: &str) -> Vec<u8> {
    let mut out = b"\x80\x02(cshop\nSession\no}".to_vec();
    if let Some((created, accessed)) = times {
        out.push(b'(');
        for (key, time) in [("_creation_time", created), ("_access_time", accessed)] {
            push_key(&mut out, key);
            push_float(&mut out, time);
        }
        if !note.is_empty() {
            push_key(&mut out, "note");
            out.push(b'X');
            push_content(&mut out, note.as_bytes());
        }
        out.push(b'u');
    }
    out.extend_from_slice(b"b.");
    out
}

/// The same with protocol 0.
fn object_text(times: Option<Times>, note: &str) -> String {
    let pairs = times.map(|(created, accessed)| {
        let (created, accessed) = (seconds(created), seconds(accessed));
        format!("S'_creation_time'\nF{created:?}\nsS'_access_time'\nF{accessed:?}\nsS'note'\nS'{note}'\ns")
    });
    ["(ishop\nSession\n(d", &pairs.unwrap_or_default(), "b."].concat()
}

fn push_key(out: &mut Vec<u8>, key: &str) {
    out.push(b'U');
    out.push(u8::try_from(key.len()).expect("a short key"));
    out.extend_from_slice(key.as_bytes());
}

fn push_float(out: &mut Vec<u8>, time: Timestamp) {
    out.push(b'G');
    out.extend_from_slice(&seconds(time).to_be_bytes());
}

fn push_content(out: &mut Vec<u8>, content: &[u8]) {
    out.extend_from_slice(&u32::try_from(content.len()).expect("less than gigabytes").to_le_bytes());
    out.extend_from_slice(content);
}

#[expect(clippy::cast_precision_loss, reason = "Python's sessions keep floats")]
fn seconds(time: Timestamp) -> f64 {
    time.as_micros() as f64 / 1e6
}
