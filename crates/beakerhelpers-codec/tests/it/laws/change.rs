//! What is demanded of every payload that is updated. The fuzz targets demand it too: `fuzz/src/lib.rs`.

use beakerhelpers_codec::text::Text;
use beakerhelpers_codec::{Decoded, Decoder, Encoder};
use beakerhelpers_core::{Payload, Session};

/// What is updated decodes to what the session was changed to, or is refused; what was not changed stays as it is.
/// `which` says how it is changed.
pub(super) fn update(payload: &Payload, which: usize) {
    let Ok(Decoded::Session(mut session)) = Decoder::new().decode(payload) else {
        // Not what it was decoded from: anything but a panic.
        let mut session = Session::new();
        change(&mut session, which);
        let _ = Encoder::new().update(payload, &session);
        return;
    };
    let same = Encoder::new().update(payload, &session);
    assert!(same.is_ok_and(|same| same == *payload), "nothing was changed");
    let expected = change(&mut session, which);
    let became = |made: &Payload| format!("{} became {}", payload.bytes().escape_ascii(), made.bytes().escape_ascii());
    let decode = |made: &Payload| match Decoder::new().decode(made) {
        Ok(Decoded::Session(again)) => shown(&again),
        _ => panic!("{}", became(made)),
    };
    let made = [Encoder::new().update(payload, &session), Encoder::new().encode(&session, payload.framing())];
    for made in made.into_iter().flatten() {
        let again = decode(&made);
        assert_eq!(again.len(), expected.len(), "{}", became(&made));
        for (ours, expected) in again.iter().zip(&expected) {
            assert!(ours == expected || is_by_call(ours, expected), "{ours} and not {expected}: {}", became(&made));
        }
    }
}

/// Whether all that differs is that a class in a class is named and not called one: what is written anew in a protocol
/// below 4 gets it by a call of `getattr`, as Python does, which may give anything.
fn is_by_call(ours: &str, expected: &str) -> bool {
    // What is named is shorter, and so it may be within the limit.
    let is_cut = expected.ends_with(" of more than 1000 bytes");
    let named = |text: &str| text.replace("<class '", "").replace("'>", "");
    is_cut || named(ours) == named(expected)
}

/// Changes a session in some way, and says what keys it has now, with what they print.
fn change(session: &mut Session, which: usize) -> Vec<String> {
    let keys: Vec<String> = session.iter().filter_map(|(key, _)| key.as_str()).map(str::to_owned).collect();
    if let Some(key) = keys.get(which % (keys.len() + 1)) {
        if which & 64 == 0 {
            session.remove(key);
        } else {
            session.set(key, |draft| {
                let item = draft.bytes(b"new \xff");
                draft.list(&[item, item])
            });
        }
    }
    session.set("another key", |draft| draft.str("value"));
    shown(session)
}

pub(super) fn shown(session: &Session) -> Vec<String> {
    let text = Text::new().with_max_len(1000);
    let print = |value| {
        let mut out = String::new();
        text.append_repr(value, &mut out).map_or_else(|error| error.to_string(), |()| out)
    };
    session.iter().map(|(key, value)| format!("{} {}", print(key), print(value))).collect()
}
