//! Sessions that real Beaker saved, changed or written anew here, and loaded by real Beaker.

use std::fs;

use beakerhelpers_codec::{Decoded, Decoder, Encoder};
use beakerhelpers_core::{Framing, Payload, Session};
use beakerhelpers_testkit::{OLDER_RELEASES, Python, Request, python};

/// The id of the session: Beaker's file store keeps it under its first characters.
const ID: &str = "ab0123456789";
const FILE: &str = "data/container_file/a/ab/ab0123456789.cache";
const CONTENTS: &str =
    "{'user_name': 'joe', 'cart': [1, {'n': 2}], 'visits': 7, 'raw': b'\\x00\\xff', 'since': (2020, 1)}";

/// Lets Beaker save a session, does something to its payload, and checks what Beaker loads then.
fn round_trip(python: &Python, change: impl FnOnce(&Payload, Session) -> Payload, expected: &[(&str, &str)]) {
    let directory = tempfile::tempdir().unwrap();
    let ini = directory.path().join("site.ini");
    fs::write(&ini, "[app:main]\nbeaker.session.type = file\nbeaker.session.data_dir = %(here)s/data\n").unwrap();
    let site = python.site(&ini);
    site.answer(&[Request::save(ID, CONTENTS)]);
    let file = directory.path().join(FILE);
    let payload = Payload::new(Framing::Namespace, fs::read(&file).unwrap());
    let Decoded::Session(session) = Decoder::new().decode(&payload).unwrap() else { panic!("no session") };
    let changed = change(&payload, session);
    fs::write(&file, changed.bytes()).unwrap();
    let loaded = site.load(&[ID]).pop().flatten().expect("a session");
    let mut seen: Vec<_> =
        loaded.iter().filter(|(key, _)| !key.starts_with('_')).map(|(key, value)| (&**key, &*value.1)).collect();
    seen.sort_unstable();
    assert_eq!(seen, expected);
}

fn update(python: &Python) {
    let change = |payload: &Payload, mut session: Session| {
        session.set("user_name", |draft| draft.str("ann"));
        session.set("tags", |draft| {
            let tag = draft.bytes(b"\xfe");
            draft.set(&[tag])
        });
        assert!(session.remove("visits"));
        Encoder::new().update(payload, &session).unwrap()
    };
    let expected = [
        ("cart", "[1, {'n': 2}]"),
        ("raw", "b'\\x00\\xff'"),
        ("since", "(2020, 1)"),
        ("tags", "{b'\\xfe'}"),
        ("user_name", "ann"),
    ];
    round_trip(python, change, &expected);
}

const UNCHANGED: [(&str, &str); 5] = [
    ("cart", "[1, {'n': 2}]"),
    ("raw", "b'\\x00\\xff'"),
    ("since", "(2020, 1)"),
    ("user_name", "joe"),
    ("visits", "7"),
];

fn encode(python: &Python) {
    let change = |_: &Payload, session: Session| Encoder::new().encode(&session, Framing::Namespace).unwrap();
    round_trip(python, change, &UNCHANGED);
}

#[test]
fn the_current_beaker_loads_what_is_changed_and_what_is_written_anew() {
    let python = python!();
    update(&python);
    encode(&python);
}

#[test]
fn older_beakers_load_what_is_changed() {
    for release in OLDER_RELEASES {
        update(&python!(release));
    }
}

#[test]
fn beakers_since_1_12_load_what_is_written_anew() {
    for release in ["1.12.1", "1.13.0"] {
        encode(&python!(release));
    }
}
