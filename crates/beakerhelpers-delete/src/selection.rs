//! Which sessions are meant.

use beakerhelpers_codec::{Condition, Decoder, Found, Settings};
use beakerhelpers_core::{Error, Fingerprint, FingerprintKey, Record, Result, Session, SessionId};

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
        if !self.ids.is_empty() || !self.fingerprints.is_empty() || !self.conditions.is_empty() {
            return Ok(());
        }
        Err(Error::config("which sessions? no condition is given, and all of them are never meant")
            .with_hint("give `--id`, `--fingerprint` or `--where`; `beakerhelpers cleanup` deletes by age"))
    }
}

/// Tells which records are meant, those of the right ids given.
pub(crate) struct Judge<'s> {
    selection: &'s Selection,
    key: &'s FingerprintKey,
    decoder: Decoder,
    session: Session,
}

impl<'s> Judge<'s> {
    pub(crate) fn new(selection: &'s Selection, key: &'s FingerprintKey) -> Self {
        Self {
            selection,
            key,
            decoder: Decoder::with_settings(selection.settings.clone()),
            session: Session::default(),
        }
    }

    /// Whether the record is meant. A session is decoded only where its contents matter.
    pub(crate) fn means(&mut self, record: &Record) -> Result<bool> {
        let Selection { fingerprints, conditions, .. } = self.selection;
        if !fingerprints.is_empty() && !fingerprints.contains(&record.id.fingerprint(self.key)) {
            return Ok(false);
        }
        if conditions.is_empty() {
            return Ok(true);
        }
        if self.decoder.decode_into(&record.payload, &mut self.session)? != Found::Session {
            return Ok(false);
        }
        for condition in conditions {
            if !condition.holds(&self.session)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
