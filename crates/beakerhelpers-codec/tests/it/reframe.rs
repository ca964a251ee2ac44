//! Sessions in other frames, for CPython, and for what no release of today writes.

use std::fmt::Write as _;
use std::fs;

use beakerhelpers_codec::{Decoded, Decoder, Settings, reframe};
use beakerhelpers_core::{Config, Error, ErrorKind, Framing, Payload};
use beakerhelpers_testkit::{corpus, python};

use super::edit::{hex, made, run};
use super::repr_of;

fn namespace(bytes: &[u8]) -> Payload {
    Payload::new(Framing::Namespace, bytes.to_vec())
}

fn value(bytes: &[u8]) -> Payload {
    Payload::new(Framing::Value, bytes.to_vec())
}

fn refused(payload: &Payload, framing: Framing) -> (ErrorKind, String) {
    let error: Error = reframe(payload, framing).unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn cpython_loads_the_same_from_every_frame_whatever_the_protocol() {
    let python = python!();
    let mut input = String::new();
    for (number, form, protocol, payload) in made(&python) {
        let (framing, other) = match &*form {
            "plain" => (Framing::Value, "value"),
            "base64" => (Framing::Value, "inner"),
            "value" => (Framing::Namespace, "plain"),
            "inner" => (Framing::Namespace, "base64"),
            _ => {
                let (kind, why) = refused(&payload, Framing::Value);
                assert_eq!(kind, ErrorKind::Unsupported);
                assert_eq!(why, "the namespace has other keys beside `session`, which would be lost");
                continue;
            }
        };
        let there = reframe(&payload, framing).unwrap_or_else(|error| panic!("{number} {form} {protocol}: {error}"));
        let back = reframe(&there, payload.framing()).unwrap();
        let through_text = reframe(&reframe(&payload, Framing::Text).unwrap(), framing).unwrap();
        for (name, made) in [(other, &there), (&form, &back), (other, &through_text)] {
            writeln!(input, "{form}|{}|{name}|{}", hex(payload.bytes()), hex(made.bytes())).unwrap();
        }
    }
    let many = input.lines().count();
    assert_eq!(run(&python, "framed", &input).trim(), many.to_string());
    assert!(many > 500, "{many}");
}

#[test]
fn text_is_the_same_text_everywhere() {
    for payload in [
        &b"\x80\x02}q\0X\x07\0\0\0sessionq\x01X\x08\0\0\0gAJ9Lg==q\x02s."[..],
        b"(dp0\nS'session'\np1\nS'gAJ9Lg=='\np2\ns.",
        b"\x80\x04\x95\x19\0\0\0\0\0\0\0}\x94\x8c\x07session\x94\x8c\x08gAJ9Lg==\x94s.",
    ] {
        let payload = namespace(payload);
        let text = reframe(&payload, Framing::Text).unwrap();
        assert_eq!(text.bytes(), b"gAJ9Lg==");
        let alone = reframe(&payload, Framing::Value).unwrap();
        assert_eq!(reframe(&alone, Framing::Text).unwrap(), text);
        for framing in [Framing::Namespace, Framing::Value] {
            let new = reframe(&text, framing).unwrap();
            assert_eq!(reframe(&new, Framing::Text).unwrap(), text);
        }
    }
    assert_eq!(
        reframe(&Payload::new(Framing::Text, b"gAJ9Lg==".to_vec()), Framing::Namespace).unwrap().bytes(),
        b"\x80\x02}q\0X\x07\0\0\0sessionq\x01X\x08\0\0\0gAJ9Lg==q\x02s."
    );
}

#[test]
fn a_dict_keeps_its_bytes() {
    // A class, a reference within, and what is put into the memo by position.
    let alone = value(b"\x80\x04}\x94(\x8c\x01c\x94cshop\nCart\n)\x81\x94\x8c\x01d\x94h\x02u.");
    let there = reframe(&alone, Framing::Namespace).unwrap();
    assert_eq!(
        there.bytes(),
        b"\x80\x04}X\x07\0\0\0session}\x94(\x8c\x01c\x94cshop\nCart\n)\x81\x94\x8c\x01d\x94h\x02us."
    );
    let back = reframe(&there, Framing::Value).unwrap();
    assert_eq!(back.bytes(), b"\x80\x04}q\0(\x8c\x01cq\x01cshop\nCart\n)\x81q\x02\x8c\x01dq\x03h\x02u.");
    assert_eq!(reframe(&alone, Framing::Text).unwrap().bytes(), alone.bytes());
}

#[test]
fn what_refers_to_its_namespace_takes_it_along() {
    // The name of the session is a text in it too, and the namespace is a value of it.
    let payload = namespace(b"\x80\x02}q\0U\x07sessionq\x01}q\x02(U\x01aq\x03h\x01U\x01bq\x04h\0us.");
    for framing in [Framing::Value, Framing::Text] {
        let made = reframe(&payload, framing).unwrap();
        let Decoded::Session(session) = Decoder::new().decode(&made).unwrap() else { panic!("no session") };
        let shown: Vec<_> = session.iter().map(|(key, value)| format!("{}={}", repr_of(key), repr_of(value))).collect();
        assert_eq!(shown, ["'a'='session'", "'b'={'session': {'a': 'session', 'b': {...}}}"]);
    }
}

#[test]
fn what_would_be_lost_is_refused() {
    for (payload, framing, kind, why) in [
        (
            namespace(b"}Vsession\n}sVother\nNs."),
            Framing::Value,
            ErrorKind::Unsupported,
            "the namespace has another key",
        ),
        (namespace(b"}Vother\nNs."), Framing::Value, ErrorKind::Corrupt, "the data hold no session"),
        (namespace(b"}."), Framing::Text, ErrorKind::Corrupt, "the data hold no session"),
        (namespace(b"cos\nabort\n)R0}Vsession\n}s."), Framing::Value, ErrorKind::Unsupported, "the pickle is not made"),
        (namespace(b""), Framing::Value, ErrorKind::Corrupt, "there are no data"),
        (value(b"I1\n}."), Framing::Namespace, ErrorKind::Unsupported, "the pickle is not made"),
        (value(b"(}."), Framing::Namespace, ErrorKind::Unsupported, "the pickle is not made"),
        (value(b"}"), Framing::Namespace, ErrorKind::Corrupt, "the pickle of the data is damaged at byte 1"),
        (value(b"}."), Framing::Object, ErrorKind::Unsupported, "a session that is an object's attributes"),
        (Payload::new(Framing::Object, b"}.".to_vec()), Framing::Text, ErrorKind::Unsupported, "a session that is"),
    ] {
        let (seen, said) = refused(&payload, framing);
        assert!(seen == kind && said.starts_with(why), "{}: {seen:?} {said}", payload.bytes().escape_ascii());
    }
}

#[test]
fn files_of_old_releases_change_their_frames() {
    let mut seen = 0;
    for store in corpus().into_iter().filter(|store| store.backend == "file") {
        let copy = store.copy();
        let config = Config::load(&copy.config()).unwrap().store("beaker.session").unwrap();
        let mut decoder = Decoder::with_settings(Settings::from_config(&config).unwrap());
        for session in &store.sessions {
            let Some(file) = find(copy.path(), &format!("{}.cache", session.id)) else { continue };
            let payload = namespace(&fs::read(file).unwrap());
            let Ok(Decoded::Session(before)) = decoder.decode(&payload) else { continue };
            for framing in [Framing::Value, Framing::Text] {
                let there = reframe(&payload, framing).unwrap();
                let back = reframe(&there, Framing::Namespace).unwrap();
                for made in [there, back] {
                    let Decoded::Session(after) = decoder.decode(&made).unwrap() else { panic!("no session") };
                    let same = before.iter().zip(after.iter()).all(|(ours, theirs)| {
                        (repr_of(ours.0), repr_of(ours.1)) == (repr_of(theirs.0), repr_of(theirs.1))
                    });
                    assert!(same && before.len() == after.len(), "{} {}", store.name, session.name);
                }
            }
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen}");
}

fn find(folder: &std::path::Path, name: &str) -> Option<std::path::PathBuf> {
    fs::read_dir(folder).unwrap().find_map(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() { find(&path, name) } else { path.ends_with(name).then_some(path) }
    })
}
