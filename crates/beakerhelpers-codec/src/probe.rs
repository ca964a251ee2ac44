//! Whether a store refuses to save one session, or any.

use std::time::Duration;

use beakerhelpers_core::{
    ErrorKind, Expiry, Framing, NOBODY, Payload, Record, Result, SaveMode, Session, SessionId, SessionStore, Timestamp,
};

use crate::Encoder;

/// A store that forgets by itself forgets it so soon.
const SOON: Duration = Duration::from_secs(60);

/// Whether a store that has refused to save a session, or to delete one, refuses any.
///
/// It tries the least of sessions, and deletes it at once. An object of session2 cannot be made here: one of these is
/// taken for refused by itself.
///
/// # Errors
///
/// What the store says, unless it refuses.
pub fn refuses_all(store: &dyn SessionStore, now: Timestamp) -> Result<bool> {
    let Some(record) = least(store.info().framing, now) else { return Ok(false) };
    match store.save(&record, SaveMode::Create) {
        Ok(()) => store.delete(&record.id).map(|_| false),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) if error.kind() == ErrorKind::Unsupported => Ok(true),
        Err(error) => Err(error),
    }
}

fn least(framing: Framing, now: Timestamp) -> Option<Record> {
    let secs = now.as_micros() / 1_000_000;
    let session = Session::from_pairs([("_accessed_time", secs.into()), ("_creation_time", secs.into())]);
    let payload: Option<Payload> = Encoder::new().encode(&session, framing).ok();
    let record = Record::new(SessionId::new(NOBODY), payload?).with_times(Some(now), Some(now));
    Some(record.with_expiry(Expiry::At(now.later_by(SOON))))
}
