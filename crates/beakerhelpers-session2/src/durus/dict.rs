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
    let Some(root) = object(storage, ROOT)? else { return Ok(None) };
    let root = root.ok_or_else(|| missing("the database has no root yet"))?;
    let oid = root.reference(SESSIONS).ok_or_else(|| missing("the database has no dict of sessions"))?;
    let Some(dict) = object(storage, oid)? else { return Ok(None) };
    let dict = dict.ok_or_else(|| Error::corrupt("the dict of sessions is missing, to which the root refers"))?;
    Ok(Some(Sessions { oid, dict }))
}

/// A dict; `None` in place of it where somebody has changed it, and within where there is none.
pub(super) fn object(storage: &mut dyn Storage, oid: Oid) -> Result<Option<Option<ObjectDict>>> {
    Ok(match storage.load(oid)? {
        Loaded::Conflict => None,
        Loaded::Missing => Some(None),
        Loaded::Record(record) => Some(Some(record::dict(&record, oid)?)),
    })
}

fn missing(what: &str) -> Error {
    Error::new(ErrorKind::NotSetUp, what)
        .with_hint("the application makes it when it starts, and so does `beakerhelpers setup`")
}
