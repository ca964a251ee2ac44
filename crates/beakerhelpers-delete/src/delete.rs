//! Finding and deleting them.

use std::collections::HashSet;
use std::ops::ControlFlow;

use beakerhelpers_core::{
    Error, ErrorKind, Fingerprint, FingerprintKey, Query, Record, Result, SessionId, SessionStore,
};

use crate::selection::{Judge, Selection};

/// What came of a deletion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Condemned {
    /// Sessions that were meant and are deleted, or would be.
    pub sessions: u64,
    /// Ids that were given and are not in the store.
    pub missing: u64,
    /// Sessions that could not be read, so that nobody knows whether they were meant.
    pub unreadable: u64,
}

/// Deletes the sessions that are meant, one by one. A session that is in use is deleted too: its visitor is logged out
/// with the next request.
///
/// # Errors
///
/// `Config` for a selection without any condition. Otherwise what the store says; what was deleted until then stays
/// deleted. A session that cannot be read is counted and kept.
pub fn delete_sessions(store: &dyn SessionStore, selection: &Selection, key: &FingerprintKey) -> Result<Condemned> {
    struct Silent;
    impl Observer for Silent {}
    go(store, selection, key, Mode::Delete, &mut Silent)
}

/// Whether anything is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Count,
    Delete,
}

/// Hears of each session while it happens.
pub(crate) trait Observer {
    /// Another one is about to be looked at. `Break` ends the run.
    fn next(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// This one was deleted, or would be. An error ends the run.
    fn found(&mut self, session: Fingerprint) -> Result<()> {
        let _ = session;
        Ok(())
    }

    /// This one could not be read.
    fn unreadable(&mut self, error: &Error, id: Option<&SessionId>) {
        let _ = (error, id);
    }

    /// After all: no session that was looked at has these keys of conditions, and so many of the fingerprints are not in the
    /// store.
    fn missing(&mut self, keys: &mut dyn Iterator<Item = &str>, fingerprints: u64) {
        let _ = (keys, fingerprints);
    }
}

pub(crate) fn go(
    store: &dyn SessionStore,
    selection: &Selection,
    key: &FingerprintKey,
    mode: Mode,
    observer: &mut dyn Observer,
) -> Result<Condemned> {
    selection.check()?;
    let ids = unique(&selection.ids);
    let mut condemned = Condemned::default();
    if !selection.looks_inside() && selection.fingerprints.is_empty() {
        for id in ids {
            if observer.next().is_break() {
                break;
            }
            // Nothing else matters, so that the session need not even be one that can be read.
            if if mode == Mode::Delete { store.delete(id)? } else { store.has(id)? } {
                condemned.sessions += 1;
                observer.found(id.fingerprint(key))?;
            } else {
                condemned.missing += 1;
            }
        }
        return Ok(condemned);
    }
    let (mut judge, mut was_whole) = (Judge::new(selection, key), true);
    for record in candidates(store, &ids) {
        if observer.next().is_break() {
            was_whole = false;
            break;
        }
        let record = match record {
            Ok(Some(record)) => record,
            Ok(None) => {
                condemned.missing += 1;
                continue;
            }
            // What the store itself cannot do is no fault of one session.
            Err(error) if error.kind() != ErrorKind::Corrupt => return Err(error),
            Err(error) => {
                condemned.pass_over(error, None, observer)?;
                continue;
            }
        };
        let meant = match judge.means(&record) {
            Ok(true) if mode == Mode::Delete => judge.still_means(store, &record.id),
            meant => meant,
        };
        // What the store says to a deletion is not to be told of each session.
        match meant {
            Ok(true) if mode == Mode::Count || store.delete(&record.id)? => {
                condemned.sessions += 1;
                observer.found(record.id.fingerprint(key))?;
            }
            Ok(_) => {}
            Err(error) => condemned.pass_over(error, Some(&record.id), observer)?,
        }
    }
    if was_whole {
        // Of sessions that were not looked at nothing is known.
        let unseen = if ids.is_empty() { judge.unseen.len() as u64 } else { 0 };
        observer.missing(&mut judge.keys.missing(), unseen);
    }
    Ok(condemned)
}

impl Condemned {
    /// Counts what cannot be read; any other error ends the run.
    fn pass_over(&mut self, error: Error, id: Option<&SessionId>, observer: &mut dyn Observer) -> Result<()> {
        if !matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported) {
            return Err(error);
        }
        self.unreadable += 1;
        observer.unreadable(&error, id);
        Ok(())
    }
}

/// The ids in order, each once.
fn unique(ids: &[SessionId]) -> Vec<&SessionId> {
    let mut seen = HashSet::new();
    ids.iter().filter(|id| seen.insert(*id)).collect()
}

/// The records to look at: those of the ids, `None` for one that is not there, else all.
fn candidates<'s>(
    store: &'s dyn SessionStore,
    ids: &'s [&SessionId],
) -> Box<dyn Iterator<Item = Result<Option<Record>>> + 's> {
    if ids.is_empty() {
        Box::new(store.iter(Query::ALL).map(|record| record.map(Some)))
    } else {
        Box::new(ids.iter().map(|id| store.load(id)))
    }
}
