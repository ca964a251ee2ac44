//! Sessions of the JSON serializer.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use beakerhelpers_codec::{Decoded, Decoder, Encoder, Typed as _};
use beakerhelpers_core::{ErrorKind, Framing, Kind, Payload, Session};
use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample;
use serde_json::Value as Json;

use super::payloads::{check, with_bytes};
use super::{decode, session, str_of};

/// The session of the other payloads, as zlib's fastest, default and best compression have it, in base64.
const SESSIONS: [&[u8]; 3] = [
    b"eAFdjMsKgCAURH9F7joqBZX6GbnYhQwfkbaK/j112XJmzpkHDFpLOdNmigsEK+N6kWKWQqhRDgyMvQiLS/G3c61G0YEtBXSxmvH2\
vhknlr1GmKCmO9NlIvZrOBK1rsH6/QDy+yOU",
    b"eJxdi8sKgCAQRX9FZh2Vgkr9jAw2kOEj0lbRv6cuW557zn3AoLWUM22muECwMq4XKWYphBrlwMDYi7C4FH+eazWKHmwpoIvVxNv7\
NpxY9oowQaU702Ui9iscidrWYv1+8vsjlA==",
    b"eNpdi8sKgCAQRX9FZh2Vgkr9jAw2kOEj0lbRv6cuW557zn3AoLWUM22muECwMq4XKWYphBrlwMDYi7C4FH+eazWKHmwpoIvVxNv7\
NpxY9oowQaU702Ui9iscidrWYv1+8vsjlA==",
];

#[test]
fn a_session_of_the_json_serializer_is_recognised() {
    for text in SESSIONS {
        check(&session(&with_bytes(text)));
        let value = [b"B", &u32::try_from(text.len()).unwrap().to_le_bytes()[..], text, b"."].concat();
        let Ok(Decoded::Session(session)) = Decoder::new().decode(&Payload::new(Framing::Value, value)) else {
            panic!("no session")
        };
        check(&session);
    }
}

#[test]
fn damaged_json_is_corrupt_and_no_message_shows_what_is_in_it() {
    for (text, message) in [
        // What is cut where base64 can be cut.
        (&SESSIONS[1][..100], "the compressed JSON of the session is damaged: it ends early"),
        (b"eJyrVirIzFOyUig2Ti5KLakFACd2BTI=", "the JSON of the session is damaged at byte 8: a value is missing"),
        (b"eJyrVirIzFOyUlD6r1QLABn3BCE=", "the JSON of the session is damaged at byte 9: text is not UTF-8"),
        (b"eJyLVio2Ti5KLVGKBQAR5ANR", "the session is no dict"),
        (b"eJyrVsrPVrIyrAUAEMQDLw==", "the compressed JSON of the session is damaged: its check sum is wrong"),
    ] {
        let error = decode(&with_bytes(text)).unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Corrupt, message));
    }
    for empty in ["eJyrrgUAAXUA+Q==", "eJzLK83JAQAEXwG8"] {
        assert!(matches!(decode(&with_bytes(empty.as_bytes())), Ok(Decoded::Empty)));
    }
}

/// What Beaker would store for this JSON.
pub(super) fn stored(json: &[u8]) -> Vec<u8> {
    with_bytes(BASE64.encode(compress_to_vec_zlib(json, 9)).as_bytes())
}

#[test]
fn bombs_take_no_more_memory_than_they_may() {
    const MANY: usize = 3_000_000;
    let bomb = |open: &str, part: &str, close: &str| {
        [b"{\"a\": ", open.as_bytes(), &part.as_bytes().repeat(MANY), close.as_bytes(), b"}"].concat()
    };
    for json in [
        bomb("\"", "    ", "\""),
        bomb("[", "0,", "0]"),
        bomb("[", "{},", "{}]"),
        bomb("{", "\"\":0,", "\"\":0}"),
        bomb("", "[", ""),
        bomb("\"", "\\n", "\""),
        bomb("", "9", ""),
    ] {
        let stored = stored(&json);
        assert!(stored.len() < 40_000 && json.len() >= MANY);
        let mut session = Session::new();
        let limit = 80 * stored.len() + (1 << 20) + 65_536;
        let payload = Payload::new(Framing::Namespace, stored);
        let error = Decoder::new().decode_into(&payload, &mut session).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.message().contains("it would take too much memory"), "{error}");
        assert!(session.allocated() <= limit, "{} bytes of {limit}", session.allocated());
    }
}

#[test]
fn a_text_limit_is_kept() {
    let stored = stored(format!("{{\"a\": \"{}\"}}", "x".repeat(1000)).as_bytes());
    let decode =
        |limit| Decoder::new().with_max_payload(limit).decode(&Payload::new(Framing::Namespace, stored.clone()));
    assert!(decode(1009).is_ok());
    assert!(
        decode(1008).unwrap_err().message().ends_with("it would take too much memory, more than 1008 bytes of text")
    );
}

#[test]
fn small_json_may_be_compressed_as_well_as_it_can() {
    let json = format!("{{\"a\": [{}0]}}", "0, ".repeat(15_000));
    let stored = stored(json.as_bytes());
    assert!(stored.len() < 200);
    let session = session(&stored);
    assert!(matches!(session.value("a").unwrap().kind(), Kind::List(items) if items.len() == 15_001));
}

#[test]
fn deep_nesting_is_no_problem() {
    const DEPTH: usize = 500_000;
    // Two kinds by turns, with much beside them that cannot be compressed, or it would be a bomb.
    let mut random = 1_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        random.to_be_bytes()[0]
    })
    .take(900_000)
    .collect();
    let deep = ["[{\"\":".repeat(DEPTH), "null".to_owned(), "}]".repeat(DEPTH)].concat();
    let stored = stored(format!("{{\"noise\": \"{}\", \"a\": {deep}}}", BASE64.encode(noise)).as_bytes());
    let printed = str_of(session(&stored).value("a").unwrap());
    assert!(printed.replace("'': ", "\"\":").replace("None", "null") == deep);
}

/// Parts of JSON, whole and broken. No exponents: `serde_json` does not round as well as Python does.
const PARTS: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ",",
    ":",
    ":",
    "\"a\"",
    "\"b\\n\\u00e9\\ud83d\\ude00\"",
    "\"",
    "\\",
    "1",
    "-20",
    "1.5",
    "0",
    "null",
    "true",
    "false",
    " ",
    "\n",
    "\u{1}",
    "é",
    "nul",
];

proptest! {
    #[test]
    fn what_is_no_json_is_refused_and_what_is_is_read(parts in vec(sample::select(&PARTS[..]), 1..12)) {
        let json = format!("{{\"v\": {}}}", parts.concat());
        let theirs: Option<Json> = serde_json::from_str(&json).ok();
        let ours = decode(&stored(json.as_bytes())).ok();
        match (theirs, ours) {
            (None, None) => {}
            (Some(theirs), Some(Decoded::Session(ours))) => {
                prop_assert_eq!(ours.get::<Json>("v").unwrap(), theirs.get("v").cloned());
            }
            (theirs, ours) => panic!("{json}: {theirs:?} {ours:?}"),
        }
    }

    #[test]
    fn any_compressed_bytes_give_a_session_or_an_error(
        json in vec(sample::select(&PARTS[..]), 0..30),
        changes in vec((any::<sample::Index>(), any::<u8>()), 0..4),
        cut in any::<sample::Index>(),
    ) {
        let mut zlib = compress_to_vec_zlib(json.concat().as_bytes(), 6);
        for (at, byte) in changes {
            *at.get_mut(&mut zlib) = byte;
        }
        zlib.truncate(cut.index(zlib.len()) + 1);
        let bytes = with_bytes(BASE64.encode(&zlib).as_bytes());
        let mut session = Session::new();
        let limit = 80 * bytes.len() + (1 << 20) + 65_536;
        let _ = Decoder::new().decode_into(&Payload::new(Framing::Namespace, bytes), &mut session);
        prop_assert!(session.allocated() <= limit);
    }
}

#[test]
fn a_changed_session_keeps_the_text_of_what_has_not_changed() {
    let payload = Payload::new(
        Framing::Namespace,
        stored(br#"{"a": 1E5, "b": {"x": -0, "x": "\u00e9"}, "c": [1.50, 12345678901234567890], "d": null}"#),
    );
    let change = |change: &dyn Fn(&mut Session)| {
        let Ok(Decoded::Session(mut session)) = Decoder::new().decode(&payload) else { panic!("no session") };
        change(&mut session);
        Encoder::new().update(&payload, &session)
    };
    let updated = change(&|session| {
        session.insert("d", &("é", 1)).unwrap();
        session.insert("e", &BTreeMap::from([(7, f64::NAN)])).unwrap();
        assert!(session.remove("a"));
    })
    .unwrap();
    // Where base64 of zlib begins, and before SETITEM and STOP.
    let bytes = updated.bytes();
    let start = bytes.windows(2).position(|pair| pair == b"eJ").unwrap();
    let zlib = BASE64.decode(&bytes[start..bytes.len() - 2]).unwrap();
    let json = String::from_utf8(decompress_to_vec_zlib(&zlib).unwrap()).unwrap();
    assert_eq!(
        json,
        r#"{"b": {"x": -0, "x": "\u00e9"}, "c": [1.50, 12345678901234567890], "d": ["\u00e9", 1], "e": {"7": NaN}}"#
    );
    let error = change(&|session| session.set("when", |draft| draft.bytes(b"s3cret"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.message(), "the value of `when` cannot be stored as JSON: there is no JSON for a `bytes`");
}
