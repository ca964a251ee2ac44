//! From the root to the dict of the sessions.

use beakerhelpers_codec::ObjectDict;
use beakerhelpers_core::{Error, ErrorKind, Result};

use super::record;
use super::storage::{Loaded, Oid, ROOT, Storage};

/// The key of the dict in the root.
pub(super) const SESSIONS: &str = "sessions";

/// All sessions.
#[derive(Debug)]
pub(super) struct Sessions {
    pub(super) oid: Oid,
    pub(super) dict: ObjectDict,
}

/// Reads all sessions; `None` where somebody else has changed them meanwhile.
///
/// # Errors
///
/// `NotSetUp` where there are none, not even an empty dict.
pub(super) fn read(storage: &mut dyn Storage) -> Result<Option<Sessions>> {
    let root = match object(storage, ROOT)? {
        Object::Dict(root) => root,
        Object::Missing => return Err(missing("the database has no root yet")),
        Object::Conflict => return Ok(None),
    };
    let oid = root.reference(SESSIONS).ok_or_else(|| missing("the database has no dict of sessions"))?;
    match object(storage, oid)? {
        Object::Dict(dict) => Ok(Some(Sessions { oid, dict: *dict })),
        Object::Missing => Err(Error::corrupt("the dict of sessions is missing, to which the root refers")),
        Object::Conflict => Ok(None),
    }
}

/// What there is of a dict.
#[derive(Debug)]
pub(super) enum Object {
    Dict(Box<ObjectDict>),
    Missing,
    /// Somebody has changed it meanwhile.
    Conflict,
}

pub(super) fn object(storage: &mut dyn Storage, oid: Oid) -> Result<Object> {
    Ok(match storage.load(oid)? {
        Loaded::Conflict => Object::Conflict,
        Loaded::Missing => Object::Missing,
        Loaded::Record(record) => Object::Dict(Box::new(record::dict(&record, oid)?)),
    })
}

fn missing(what: &str) -> Error {
    Error::new(ErrorKind::NotSetUp, what)
        .with_hint("the application makes it when it starts, and so does `beakerhelpers setup`")
}
