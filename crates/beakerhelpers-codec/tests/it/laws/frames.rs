//! What is demanded of every payload that is put into another frame. The fuzz targets demand it too: `fuzz/src/lib.rs`.

use beakerhelpers_codec::{Decoded, Decoder, reframe};
use beakerhelpers_core::{Framing, Payload};

use super::change::shown;

const FRAMINGS: [Framing; 3] = [Framing::Namespace, Framing::Value, Framing::Text];

/// What is put into another frame is the same session, there and on every way back, or it is refused.
pub(super) fn reframed(payload: &Payload) {
    let before = decode(payload);
    for there in FRAMINGS {
        let Ok(made) = reframe(payload, there) else { continue };
        assert_eq!(made.framing(), there);
        // What no decoder reads may become anything but a session.
        let Some(before) = &before else { continue };
        same(before, &made, payload);
        for back in FRAMINGS {
            if let Ok(again) = reframe(&made, back) {
                same(before, &again, payload);
            }
        }
    }
}

fn same(before: &[String], made: &Payload, payload: &Payload) {
    let became = || format!("{} became {}", payload.bytes().escape_ascii(), made.bytes().escape_ascii());
    assert_eq!(decode(made).as_deref(), Some(before), "{}", became());
}

/// What keys a session has, with what they print; none for an empty one.
fn decode(payload: &Payload) -> Option<Vec<String>> {
    match Decoder::new().decode(payload) {
        Ok(Decoded::Session(session)) => Some(shown(&session)),
        Ok(Decoded::Empty) => Some(Vec::new()),
        _ => None,
    }
}
