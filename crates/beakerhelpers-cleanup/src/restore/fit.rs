//! From the form that sessions have in an archive to the one that they have in a store.

use beakerhelpers_codec::{Decoder, Settings, reframe};
use beakerhelpers_core::{Error, Framing, Record, Result, Session, SessionStore};

use crate::archive::ArchiveReader;

/// Makes records fit a store.
pub(super) struct Fit {
    framing: Framing,
    /// What a store of this type gave, one of this type takes back, whatever its frame: dbm has two.
    same_type: bool,
    /// Whether the store keeps times beside its sessions, which the archive of one that does not lacks.
    needs_times: bool,
    decoder: Decoder,
    session: Session,
}

impl Fit {
    pub(super) fn new(archive: &ArchiveReader, store: &dyn SessionStore, settings: &Settings) -> Self {
        let info = store.info();
        Self {
            framing: info.framing,
            same_type: archive.store_type() == Some(info.store_type),
            needs_times: info.capabilities.access_times,
            decoder: Decoder::with_settings(settings.clone()),
            session: Session::new(),
        }
    }

    /// Puts the session into the store's frame; its own bytes stay what they are.
    ///
    /// # Errors
    ///
    /// `Unsupported` where no session of the archive can be in the store; `Corrupt` where this one cannot.
    pub(super) fn record(&mut self, mut record: Record, line: u64) -> Result<Record> {
        let from = record.payload.framing();
        if from != self.framing && !self.same_type {
            if from == Framing::Object || self.framing == Framing::Object {
                return Err(Error::unsupported("sessions of session2 are objects, and those of Beaker are not")
                    .with_hint("restore the archive into a store of the kind that it is of"));
            }
            record.payload = reframe(&record.payload, self.framing).map_err(|error| of_line(line, &error))?;
        }
        let lacks_times = record.accessed.is_none() || (record.created.is_none() && !self.same_type);
        if self.needs_times && lacks_times {
            // What cannot be read tells no time; the store says what it makes of that.
            if self.decoder.decode_into(&record.payload, &mut self.session).is_ok() {
                record = record.with_times_of(&self.session);
            }
        }
        Ok(record)
    }
}

/// An error of one line.
pub(super) fn of_line(line: u64, error: &Error) -> Error {
    Error::corrupt(format!("line {line} of the archive: {error}"))
}
