//! What is demanded of every payload, whatever it holds. The fuzz targets demand it too: `fuzz/src/lib.rs`.

use std::fmt::Write as _;

use beakerhelpers_codec::text::Text;
use beakerhelpers_codec::{Decoded, Decoder, Found, Settings, classes};
use beakerhelpers_core::{Payload, Result, Session, Value};

/// Memory that a pickle may take, besides 80 times the length of the payload.
pub(super) const FREE: usize = 64 * 1024;

/// Decodes a payload twice, which must give the same in bounded memory, of which `free` does not depend on its length.
/// Prints everything; panics are what is looked for.
pub(super) fn decode(payload: &Payload, settings: &Settings, free: usize) {
    let mut decoder = Decoder::with_settings(settings.clone());
    let (once, again) = (decoder.decode(payload), decoder.decode(payload));
    match (once, again) {
        (Ok(Decoded::Session(once)), Ok(Decoded::Session(again))) => {
            assert!(once.allocated() <= 80 * payload.bytes().len() + free);
            assert_eq!(print(&once, 10_000), print(&again, 10_000));
            let _ = (once.accessed_time(), once.creation_time(), once.is_anonymous(), once.is_deleted());
        }
        (Err(once), Err(again)) => assert_eq!(format!("{once:?}"), format!("{again:?}")),
        (once, again) => assert_eq!(format!("{once:?}"), format!("{again:?}")),
    }
    // Whatever it was.
    let mut session = Session::new();
    let found = decoder.decode_into(payload, &mut session);
    assert_eq!(matches!(found, Ok(Found::Session)), !session.is_empty());
    assert!(classes(&session).iter().all(|class| class.uses > 0 && class.name.len() <= 203));
}

/// Prints keys and values in all ways, each in `max_len` bytes at most.
pub(super) fn print(session: &Session, max_len: usize) -> String {
    let mut out = String::new();
    for value in session.iter().flat_map(|(key, value)| [key, value]) {
        print_value(value, max_len, &mut out);
    }
    out
}

fn print_value(value: Value<'_>, max_len: usize, out: &mut String) {
    let text = Text::new().with_max_len(max_len);
    for (text, append) in [
        (text, Text::append_str as fn(Text, Value<'_>, &mut String) -> Result<()>),
        (text, Text::append_repr),
        (text.with_state(), Text::append_repr),
    ] {
        let before = out.len();
        let written = append(text, value, out);
        let len = out.len() - before;
        assert!(len <= if written.is_ok() { max_len } else { 0 }, "{len} bytes of text");
    }
    write!(out, "{value:?}").expect("a string takes everything");
}
