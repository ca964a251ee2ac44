//! What a database holds, as a payload.

use beakerhelpers_core::{Framing, Payload};
use beakerhelpers_dbm_format::Content;

/// The key of a session in its database (`beaker/session.py`, `Session.save`, 1.14.1).
pub(crate) const KEY: &[u8] = b"session";

/// The pickle of an empty dict.
const NOTHING: &[u8] = b"\x80\x02}.";
/// The pickle of a dict without the key of a session. A Beaker cache is like that.
const NO_SESSION: &[u8] = b"\x80\x02}U\x00Ns.";

/// What a database holds as a payload. Where there is no session, it tells of the database as a whole: Beaker creates an
/// empty one when it looks for an id that it does not know.
pub(crate) fn into_payload(content: Content) -> Payload {
    match content {
        Content::Value(value) => Payload::new(Framing::Value, value),
        Content::Others => Payload::new(Framing::Namespace, NO_SESSION.to_vec()),
        Content::Empty => Payload::new(Framing::Namespace, NOTHING.to_vec()),
    }
}

/// What is to be stored for a payload, so that a database without a session can be put back as one.
pub(crate) fn value_of(payload: &Payload) -> Option<&[u8]> {
    let is_none = payload.framing() == Framing::Namespace && [NOTHING, NO_SESSION].contains(&payload.bytes());
    (!is_none).then(|| payload.bytes())
}
