//! The times that a session itself tells, for stores that keep none beside it.

use std::sync::{Mutex, PoisonError};

use beakerhelpers_core::{Payload, Result, Session, TimeReader, Timestamp};

use crate::{Decoder, Found, Settings};

/// Reads `_accessed_time`, which every release of Beaker since 1.2 keeps in the session (`beaker/session.py`, 1.14.1), and
/// session2's `_access_time` ([`Session::accessed_time`]).
#[derive(Debug)]
pub struct AccessedTime(Mutex<(Decoder, Session)>);

impl AccessedTime {
    /// Reads sessions of the form that the settings tell.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self(Mutex::new((Decoder::with_settings(settings), Session::new())))
    }
}

impl TimeReader for AccessedTime {
    fn accessed(&self, payload: &Payload) -> Result<Option<Timestamp>> {
        // A decoder begins anew with each payload, whatever became of the last one.
        let (decoder, session) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(match decoder.decode_into(payload, session)? {
            Found::Session => session.accessed_time(),
            Found::Empty | Found::NotASession => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use beakerhelpers_core::{ErrorKind, Framing};

    use super::*;

    #[test]
    fn a_large_session_leaves_room_for_small_ones() {
        let reader = AccessedTime::new(Settings::new());
        let time = [b"U\x0e_accessed_timeG".as_slice(), &1_000_000_000.5_f64.to_be_bytes(), b"s"].concat();
        let small = [b"\x80\x02}".as_slice(), &time, b"."].concat();
        let list = [b"\x80\x02}U\x01a](".as_slice(), &b"K\x01".repeat(50_000), b"es", &time, b"."].concat();
        let text =
            [b"\x80\x02}U\x01aT".as_slice(), &300_000_u32.to_le_bytes(), &b"x".repeat(300_000), b"s", &time, b"."];
        for large in [list, text.concat()] {
            for bytes in [&small, &large, &small, &small, &large, &small] {
                let read = reader.accessed(&Payload::new(Framing::Value, bytes.clone()));
                assert_eq!(read.expect("it is whole"), Some(Timestamp::from_micros(1_000_000_000_500_000)));
            }
        }
    }

    #[test]
    fn the_time_is_that_of_the_session() {
        let reader = AccessedTime::new(Settings::new());
        let read =
            |bytes: &[u8]| reader.accessed(&Payload::new(Framing::Value, bytes.to_vec())).map_err(|error| error.kind());
        let pickle = [b"\x80\x02}U\x0e_accessed_timeG".as_slice(), &1_000_000_000.5_f64.to_be_bytes(), b"s."].concat();
        assert_eq!(read(&pickle), Ok(Some(Timestamp::from_micros(1_000_000_000_500_000))));
        assert_eq!(read(b"\x80\x02}."), Ok(None));
        assert_eq!(read(b"\x80\x02}U\x01aK\x01s."), Ok(None));
        assert_eq!(read(b"\x80\x02}"), Err(ErrorKind::Corrupt));
        assert_eq!(read(&pickle), Ok(Some(Timestamp::from_micros(1_000_000_000_500_000))));
    }
}
