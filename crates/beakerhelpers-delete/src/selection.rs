//! Which sessions are meant.

use std::collections::HashSet;

use beakerhelpers_codec::{Condition, Decoder, Found, Settings, Sought};
use beakerhelpers_core::{Error, Fingerprint, FingerprintKey, Record, Result, Session, SessionId, SessionStore};

/// The sessions that are meant: those that satisfy every kind of condition that is given.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Selection {
    /// One of these ids.
    pub ids: Vec<SessionId>,
    /// One of these fingerprints.
    pub fingerprints: Vec<Fingerprint>,
    /// All of these.
    pub conditions: Vec<Condition>,
    /// Those that have logged out: Beaker since 1.11 leaves `_domain` and `_path` of a session, and no time by which a
    /// cleanup could tell its age ([`Session::is_deleted`]).
    pub logged_out: bool,
    /// What the configuration says about the form of the sessions, which is needed to look into encrypted ones.
    pub settings: Settings,
}

impl Selection {
    /// Refuses a selection without any condition, which would mean every session.
    ///
    /// # Errors
    ///
    /// `Config` for it.
    pub fn check(&self) -> Result<()> {
        if !self.ids.is_empty() || !self.fingerprints.is_empty() || self.looks_inside() {
            return Ok(());
        }
        Err(Error::config("which sessions? no condition is given, and all of them are never meant").with_hint(
            "give `--id`, `--fingerprint`, `--where` or `--logged-out`; `beakerhelpers cleanup` deletes by age",
        ))
    }
}

impl Selection {
    /// Whether the contents of sessions matter.
    pub(crate) const fn looks_inside(&self) -> bool {
        self.logged_out || !self.conditions.is_empty()
    }
}

/// Tells which records are meant, those of the right ids given.
pub(crate) struct Judge<'s> {
    selection: &'s Selection,
    key: &'s FingerprintKey,
    decoder: Decoder,
    session: Session,
    /// The keys of the conditions.
    pub(crate) keys: Sought<'s>,
    /// Which of the fingerprints no record had.
    pub(crate) unseen: HashSet<Fingerprint>,
}

impl<'s> Judge<'s> {
    pub(crate) fn new(selection: &'s Selection, key: &'s FingerprintKey) -> Self {
        Self {
            selection,
            key,
            decoder: Decoder::with_settings(selection.settings.clone()),
            session: Session::default(),
            keys: Sought::new(selection.conditions.iter().map(Condition::key)),
            unseen: selection.fingerprints.iter().copied().collect(),
        }
    }

    /// Whether the record is meant. A session is decoded only where its contents matter.
    pub(crate) fn means(&mut self, record: &Record) -> Result<bool> {
        let Selection { fingerprints, conditions, .. } = self.selection;
        if !fingerprints.is_empty() {
            let fingerprint = record.id.fingerprint(self.key);
            self.unseen.remove(&fingerprint);
            if !fingerprints.contains(&fingerprint) {
                return Ok(false);
            }
        }
        if !self.selection.looks_inside() {
            return Ok(true);
        }
        if self.decoder.decode_into(&record.payload, &mut self.session)? != Found::Session {
            return Ok(false);
        }
        self.keys.look(&self.session);
        if self.selection.logged_out && !self.session.is_deleted() {
            return Ok(false);
        }
        for condition in conditions {
            if !condition.holds(&self.session)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the record of this id still is what was meant: records are read ahead by pages.
    pub(crate) fn still_means(&mut self, store: &dyn SessionStore, id: &SessionId) -> Result<bool> {
        if !self.selection.looks_inside() {
            return Ok(true);
        }
        store.load(id)?.map_or(Ok(false), |record| self.means(&record))
    }
}
