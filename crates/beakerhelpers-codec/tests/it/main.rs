//! The codec against CPython, against serde-pickle, and against everything that is no session.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod beaker;
mod cookie;
mod cpython;
mod crypto;
mod edit;
mod hostile;
mod json;
mod laws;
mod names;
mod object_dict;
mod objects;
mod payloads;
mod reframe;
mod sealed;
mod typed;

use beakerhelpers_codec::text::Text;
use beakerhelpers_codec::{Decoded, Decoder};
use beakerhelpers_core::{Framing, Payload, Result, Session, Value};

/// Decodes what a database holds.
fn decode(bytes: &[u8]) -> Result<Decoded> {
    Decoder::new().decode(&Payload::new(Framing::Namespace, bytes.to_vec()))
}

/// Decodes what a database holds, which must be a session.
fn session(bytes: &[u8]) -> Session {
    match decode(bytes).unwrap() {
        Decoded::Session(session) => session,
        other => panic!("{other:?}"),
    }
}

fn str_of(value: Value<'_>) -> String {
    let mut out = String::new();
    Text::new().append_str(value, &mut out).unwrap();
    out
}

fn repr_of(value: Value<'_>) -> String {
    let mut out = String::new();
    Text::new().append_repr(value, &mut out).unwrap();
    out
}
