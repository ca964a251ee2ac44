//! Payloads that are sessions, and the reading of their times.

use beakerhelpers_core::{Error, ErrorKind, Framing, Payload, Record, Result, SessionId, TimeReader, Timestamp};

/// Reads the access time from what [`session_pickle`] makes.
#[derive(Debug)]
pub(super) struct Inside;

/// What it cannot read.
pub(super) const UNREADABLE: &[u8] = b"neither a session nor anything else";

impl TimeReader for Inside {
    fn accessed(&self, payload: &Payload) -> Result<Option<Timestamp>> {
        if payload.bytes() == UNREADABLE {
            return Err(Error::new(ErrorKind::Corrupt, "the payload is damaged"));
        }
        let key = b"_accessed_timeG";
        let found = payload.bytes().windows(key.len() + 8).find_map(|window| window.strip_prefix(key));
        let secs = found.map(|float| f64::from_be_bytes(float.try_into().expect("the window is so long")));
        Ok(secs.and_then(Timestamp::from_epoch_float))
    }
}

/// A record whose payload is a real session of this access time, with a note in it.
pub(super) fn session_record(framing: Framing, id: &str, accessed: Timestamp, note: &[u8]) -> Record {
    let created = Timestamp::from_micros(accessed.as_micros() - 1_000_000);
    Record::new(SessionId::new(id), session_payload(framing, Some((created, accessed)), note))
        .with_times(Some(created), Some(accessed))
}

/// A session of these times, with a note in it if there is one.
pub(super) fn session_payload(framing: Framing, times: Option<(Timestamp, Timestamp)>, note: &[u8]) -> Payload {
    let session = session_pickle(times, note);
    let bytes = match framing {
        // {'session': …}, as Beaker up to 1.11 stores it.
        Framing::Namespace => [b"\x80\x02}U\x07session".as_slice(), &session, b"s."].concat(),
        _ => [b"\x80\x02".as_slice(), &session, b"."].concat(),
    };
    Payload::new(framing, bytes)
}

/// A session dict of these times as a pickle, without the opcodes around it: stores that keep no times read them here.
fn session_pickle(times: Option<(Timestamp, Timestamp)>, note: &[u8]) -> Vec<u8> {
    let mut out = b"}".to_vec();
    let times = times.map(|(created, accessed)| [("_creation_time", created), ("_accessed_time", accessed)]);
    for (key, time) in times.into_iter().flatten() {
        #[expect(clippy::cast_precision_loss, reason = "Beaker keeps floats")]
        let secs = time.as_micros() as f64 / 1e6;
        push_key(&mut out, key);
        out.push(b'G');
        out.extend_from_slice(&secs.to_be_bytes());
        out.push(b's');
    }
    if !note.is_empty() {
        push_key(&mut out, "note");
        out.push(b'T');
        out.extend_from_slice(&u32::try_from(note.len()).expect("a short note").to_le_bytes());
        out.extend_from_slice(note);
        out.push(b's');
    }
    out
}

fn push_key(out: &mut Vec<u8>, key: &str) {
    out.push(b'U');
    out.push(u8::try_from(key.len()).expect("a short key"));
    out.extend_from_slice(key.as_bytes());
}
