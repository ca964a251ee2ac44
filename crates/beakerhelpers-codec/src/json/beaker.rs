//! Real Beaker with `data_serializer = json`, in a file store: what it stores is read here, and what is written here it
//! loads.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use beakerhelpers_core::{Framing, Payload, Session};
use beakerhelpers_testkit::{Python, Request, python};

use crate::text::Text;
use crate::{Decoded, Decoder, Encoder};

const CONTENTS: &str = "{'name': 'jo\u{e3}o \\ud83d', 'n': 2**70, 'x': -1e-7, 'inf': float('inf'), 'cart': [(1, None), \
                        {'a': True}], 'numbers': {1: 2}, 'text': 'x' * 5000}";

/// Where a file store keeps a session (`beaker/container.py`, `FileNamespaceManager`, 1.14.1).
fn file(directory: &Path, id: &str) -> PathBuf {
    let prefix = |len| id.get(..len).unwrap();
    directory.join("container_file").join(prefix(1)).join(prefix(2)).join(format!("{id}.cache"))
}

fn decode(bytes: &[u8]) -> Session {
    let Ok(Decoded::Session(session)) = Decoder::new().decode(&Payload::new(Framing::Namespace, bytes.to_vec())) else {
        panic!("no session")
    };
    session
}

/// The pickle of a namespace with this compressed JSON.
fn namespace(zlib: &[u8]) -> Vec<u8> {
    let text = BASE64.encode(zlib);
    let len = u32::try_from(text.len()).unwrap().to_le_bytes();
    [b"\x80\x02}X\x07\0\0\0sessionX", &len[..], text.as_bytes(), b"s."].concat()
}

fn exchange(python: &Python) {
    let directory = tempfile::tempdir().unwrap();
    let ini = directory.path().join("site.ini");
    let keys = "type = file\nbeaker.session.data_dir = %(here)s\nbeaker.session.data_serializer = json\n";
    fs::write(&ini, format!("[app:main]\nbeaker.session.{keys}")).unwrap();
    let site = python.site(&ini);
    site.answer(&[Request::save("one", CONTENTS), Request::save("two", "{}")]);

    let stored = fs::read(file(directory.path(), "one")).unwrap();
    let mut session = decode(&stored);
    let shown: Vec<_> = session
        .iter()
        .filter(|(key, _)| key.as_str().is_some_and(|key| !key.starts_with('_') && key != "text"))
        .map(|(key, value)| {
            let mut out = format!("{}=", key.as_str().unwrap());
            Text::new().append_repr(value, &mut out).unwrap();
            out
        })
        .collect();
    let expected = [
        "name='joão \\ud83d'",
        "n=1180591620717411303424",
        "x=-1e-07",
        "inf=inf",
        "cart=[[1, None], {'a': True}]",
        "numbers={'1': 2}",
    ];
    assert_eq!(shown, expected);
    assert!(session.accessed_time().is_some() && !session.is_anonymous());

    // The lone surrogate is more than the JSON of these tests' own scripts can carry.
    session.set("name", |draft| draft.str("eva 😀"));
    let whole = super::write(&session).unwrap();
    fs::write(file(directory.path(), "two"), namespace(&whole)).unwrap();
    assert!(session.remove("text"));
    let changed = Encoder::new().update(&Payload::new(Framing::Namespace, stored), &session).unwrap();
    fs::write(file(directory.path(), "one"), changed.bytes()).unwrap();
    let [Some(one), Some(two)] = &site.load(&["one", "two"])[..] else { panic!("Beaker finds no session") };
    let value = |text: &str| text.to_owned();
    assert_eq!((&one["name"], &one["name"]), (&two["name"], &(value("str"), value("eva 😀"))));
    assert_eq!(one["n"], (value("int"), value("1180591620717411303424")));
    assert_eq!((one.get("text"), two["text"].1.len()), (None, 5000));
    assert_eq!((&one["cart"], &one["_creation_time"]), (&two["cart"], &two["_creation_time"]));
    assert_eq!(two["cart"].1, "[[1, None], {'a': True}]");
}

#[test]
fn the_current_beaker_stores_json_and_loads_ours() {
    exchange(&python!());
}

#[test]
fn older_beakers_store_json_and_load_ours() {
    for release in ["1.12.1", "1.13.0"] {
        exchange(&python!(release));
    }
}
