//! Sessions that are objects, as session2 pickles them.

use beakerhelpers_codec::{AccessedTime, Decoded, Decoder, Encoder, Settings, classes};
use beakerhelpers_core::{ErrorKind, Framing, Payload, Session, TimeReader, Timestamp};

use super::{repr_of, str_of};

/// What Python 2.7 made of `data/session2.py`: a name, a protocol and a pickle in each line.
const RECORDED: &str = include_str!("../data/session2.txt");

fn object(bytes: &[u8]) -> Payload {
    Payload::new(Framing::Object, bytes.to_vec())
}

fn recorded() -> impl Iterator<Item = (&'static str, Payload)> {
    RECORDED.lines().map(|line| {
        let [name, _, hex] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let bytes: Vec<u8> = hex
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        (name, object(&bytes))
    })
}

fn shown(session: &Session) -> Vec<String> {
    let mut shown: Vec<_> = session.iter().map(|(key, value)| format!("{}={}", str_of(key), repr_of(value))).collect();
    shown.sort();
    shown
}

fn session(payload: &Payload) -> Session {
    match Decoder::new().decode(payload).unwrap() {
        Decoded::Session(session) => session,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_attributes_are_the_session() {
    let mut seen = Vec::new();
    for (name, payload) in recorded() {
        let session = session(&payload);
        let all = shown(&session);
        let (user, accessed) = match name {
            "old-style" => ("user='jos\u{e9}'", 1_118_664_000_250_000),
            "new-style" => ("user='joe'", 1_118_664_060_000_000),
            _ => ("user='joe'", 1_118_664_000_250_000),
        };
        assert!(all.contains(&user.to_owned()), "{name}: {all:?}");
        assert!(all.contains(&"id='0f1e2d3c4b5a6978'".to_owned()), "{name}: {all:?}");
        assert!(all.contains(&"_remote_address='192.0.2.7'".to_owned()), "{name}: {all:?}");
        if name == "userdict" {
            assert!(all.contains(&"data={'cart': [1, 2]}".to_owned()), "{all:?}");
        }
        assert_eq!(session.accessed_time(), Some(Timestamp::from_micros(accessed)), "{name}");
        assert_eq!(session.creation_time(), Some(Timestamp::from_micros(1_118_664_000_250_000)), "{name}");
        assert_eq!(AccessedTime::new(Settings::new()).accessed(&payload).unwrap(), session.accessed_time());
        assert!(!classes(&session).is_empty(), "{name}: its own class is told as well");
        seen.push(name);
    }
    seen.dedup();
    assert_eq!(seen, ["old-style", "userdict", "new-style", "slots"]);
}

#[test]
fn an_object_without_attributes_is_empty_and_what_is_no_object_is_no_session() {
    let mut decoder = Decoder::new();
    for bytes in [
        &b"cshop\nSession\n)\x81."[..],
        b"(ishop\nSession\n.",
        b"cshop\nSession\n)\x81}b.",
        b"cshop\nSession\n)RK\x01b.",
    ] {
        assert!(matches!(decoder.decode(&object(bytes)), Ok(Decoded::Empty)), "{bytes:?}");
    }
    for bytes in [&b"\x80\x02}U\x01aK\x01s."[..], b"N.", b"", b"(ishop\nSession\n}U\x01a", b"gAJ9cQAu"] {
        assert_eq!(decoder.decode(&object(bytes)).unwrap_err().kind(), ErrorKind::Corrupt, "{bytes:?}");
    }
}

#[test]
fn an_object_is_neither_made_nor_changed() {
    let (_, payload) = recorded().next().unwrap();
    let mut changed = session(&payload);
    let mut encoder = Encoder::new();
    // Without changes nothing is to be written.
    assert_eq!(encoder.update(&payload, &changed).unwrap(), payload);
    changed.set("user", |draft| draft.str("ann"));
    for error in
        [encoder.update(&payload, &changed).unwrap_err(), encoder.encode(&changed, Framing::Object).unwrap_err()]
    {
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("session2") && error.hint().is_some(), "{error:?}");
    }
}
