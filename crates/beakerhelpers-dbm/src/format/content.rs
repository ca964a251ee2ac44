//! What a database holds, and what is wrong with one.

use std::io;

use beakerhelpers_core::{Error, ErrorKind, Framing, Payload};

/// The key of a session in its database (`beaker/session.py`, `Session.save`, 1.14.1).
pub(crate) const KEY: &[u8] = b"session";
/// Larger contents are not read: no session is, and a file can be made to claim any length.
pub(crate) const LARGEST: u64 = 64 << 20;

/// The pickle of an empty dict.
const NOTHING: &[u8] = b"\x80\x02}.";
/// The pickle of a dict without the key of a session.
const NO_SESSION: &[u8] = b"\x80\x02}U\x00Ns.";

/// What a database holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// A session: the value under its key.
    Session(Vec<u8>),
    /// Other keys only. A Beaker cache is like that.
    Others,
    /// Nothing: Beaker creates such a database when it looks for an id that it does not know.
    Empty,
}

impl Content {
    /// What a database holds in which there is no session.
    pub(crate) const fn without_session(is_empty: bool) -> Self {
        if is_empty { Self::Empty } else { Self::Others }
    }

    /// The same as a payload. Where there is no session, it tells of the database as a whole.
    pub(crate) fn into_payload(self) -> Payload {
        match self {
            Self::Session(value) => Payload::new(Framing::Value, value),
            Self::Others => Payload::new(Framing::Namespace, NO_SESSION.to_vec()),
            Self::Empty => Payload::new(Framing::Namespace, NOTHING.to_vec()),
        }
    }

    /// What is to be stored for a payload, so that a database without a session can be put back as one.
    pub(crate) fn value_of(payload: &Payload) -> Option<&[u8]> {
        let is_none = payload.framing() == Framing::Namespace && [NOTHING, NO_SESSION].contains(&payload.bytes());
        (!is_none).then(|| payload.bytes())
    }
}

/// The error for a database that is not as it must be; `why` is a clause.
pub(crate) fn damaged(format: &'static str, why: &str) -> Error {
    Error::corrupt(format!("a session's {format} database is damaged: {why}"))
}

/// The error for a database that may well be in order. It is one record's, and those after it can be read.
pub(crate) fn unreadable(format: &'static str, why: &str) -> Error {
    Error::corrupt(format!("a session's {format} database cannot be read: {why}"))
}

/// The error for a value that is too large to be a session.
pub(crate) fn too_large(size: u64) -> Error {
    Error::corrupt(format!("a session is too large to be one: {size} bytes"))
}

/// Says what could not be done with a file. Its path would tell the id.
pub(crate) fn failed(what: &'static str, error: &io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::PermissionDenied,
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, format!("cannot {what} a session's database: {error}"))
}

/// What an error of reading means: the end of the file is damage, anything else a matter of the system.
pub(crate) fn broken_off(format: &'static str, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => damaged(format, "the file ends too early"),
        _ => failed("read", error),
    }
}
