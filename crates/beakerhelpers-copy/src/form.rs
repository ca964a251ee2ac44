//! From the form that sessions have in one place to the one that they have in the other.

use beakerhelpers_codec::{Decoder, Encoder, Found, Settings, reframe};
use beakerhelpers_core::{Error, Framing, Payload, Result, Session};

use crate::Place;

/// Decodes what is in either place, and makes payloads for the second one.
#[derive(Debug)]
pub(crate) struct Forms {
    /// Sessions keep their bytes, and get another frame at most.
    kept: bool,
    framing: Framing,
    from: Decoder,
    to: Decoder,
    encoder: Encoder,
    /// Writes sessions only to compare them.
    scribe: Encoder,
    /// What a new payload is read back as.
    again: Session,
}

/// What a payload holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// A session.
    Session,
    /// What Beaker since 1.11 leaves where a visitor has logged out.
    LoggedOut,
    /// No keys at all: its visitor has logged out of an older Beaker, or nothing was ever saved.
    Empty,
    /// Something else, such as a Beaker cache.
    Other,
}

impl Forms {
    pub(crate) fn between(from: &Place<'_>, to: &Place<'_>) -> Result<Self> {
        let (there, framing) = (from.store.info().framing, to.store.info().framing);
        if there != framing && (there == Framing::Object || framing == Framing::Object) {
            return Err(Error::unsupported("sessions of session2 are objects, and those of Beaker are not")
                .with_hint("copy them between stores of session2, or between stores of Beaker"));
        }
        Ok(Self {
            kept: from.settings.agree_with(&to.settings),
            framing,
            from: Decoder::with_settings(from.settings.clone()),
            to: Decoder::with_settings(to.settings.clone()),
            encoder: Encoder::with_settings(to.settings.clone()),
            scribe: Encoder::with_settings(Settings::new()),
            again: Session::new(),
        })
    }

    /// Looks into a payload of the first place.
    pub(crate) fn open(&mut self, payload: &Payload, session: &mut Session) -> Result<Holds> {
        holds(&mut self.from, payload, session)
    }

    /// Looks into a payload of the second place.
    pub(crate) fn open_there(&mut self, payload: &Payload, session: &mut Session) -> Result<Holds> {
        holds(&mut self.to, payload, session)
    }

    /// The payload that a session of the first place has in the second one.
    pub(crate) fn convert(&mut self, payload: &Payload, session: &Session) -> Result<Payload> {
        if self.kept {
            return reframe(payload, self.framing);
        }
        let made = self.encoder.encode(session, self.framing)?;
        let mut again = std::mem::take(&mut self.again);
        let same = holds(&mut self.to, &made, &mut again).map(|_| self.same(session, &again));
        self.again = again;
        if same? {
            return Ok(made);
        }
        Err(Error::unsupported("the session holds values that the serializer of TO would change")
            .with_hint("JSON has no tuples, and no keys but text: let TO have the `data_serializer` of FROM"))
    }

    /// Whether two sessions are equal, value by value.
    pub(crate) fn same(&mut self, one: &Session, other: &Session) -> bool {
        let mut pickled = |session| self.scribe.encode(session, Framing::Value);
        // Equal sessions are written as equal pickles. What cannot be written is taken for different.
        matches!((pickled(one), pickled(other)), (Ok(one), Ok(other)) if one == other)
    }
}

fn holds(decoder: &mut Decoder, payload: &Payload, session: &mut Session) -> Result<Holds> {
    Ok(match decoder.decode_into(payload, session)? {
        Found::NotASession => Holds::Other,
        // session2 deletes what is over: an object without attributes is a session all the same.
        _ if payload.framing() == Framing::Object => Holds::Session,
        Found::Session if session.is_deleted() => Holds::LoggedOut,
        Found::Session => Holds::Session,
        _ => Holds::Empty,
    })
}
