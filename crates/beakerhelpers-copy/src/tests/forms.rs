//! Frames, keys and serializers.

use beakerhelpers_codec::{Decoded, Decoder};
use beakerhelpers_core::Kind;

use super::*;

const KEYS: [(&str, &str); 3] = [("encrypt_key", "k"), ("validate_key", "v"), ("crypto_type", "cryptography")];

fn name(payload: &Payload, settings: &Settings) -> String {
    let decoded = Decoder::with_settings(settings.clone()).decode(payload).unwrap();
    let Decoded::Session(session) = decoded else { panic!("no session") };
    session.value("name").and_then(|name| name.as_str().map(str::to_owned)).unwrap()
}

#[test]
fn a_session_gets_the_frame_of_its_new_and_keeps_its_bytes() {
    let old = MemoryStore::new();
    put(&old, "text", &session("joe", 10));
    let pickle = b"\x80\x02}U\x07session}(U\x04nameU\x03annU\x04cartcshop\nCart\n)\x81us.".to_vec();
    let record = Record::new(SessionId::new("dict"), Payload::new(Framing::Namespace, pickle));
    old.save(&record, SaveMode::Upsert).unwrap();
    let first = [Framing::Value, Framing::Text].map(|framing| Odd::new(framing, |can| can));
    let last = MemoryStore::new();
    for there_first in &first {
        last.setup(beakerhelpers_core::SetupMode::Recreate).unwrap();
        let (from, through, to) = (Place::new(&old), Place::new(there_first), Place::new(&last));
        assert_eq!(counts(copy(&from, &through)), [2, 0, 0, 0, 0, 0, 0]);
        assert_eq!(counts(copy(&from, &through)), [0, 0, 2, 0, 0, 0, 0]);
        assert_eq!(there(there_first, "text").unwrap().payload.framing(), there_first.info().framing);
        assert_eq!(counts(copy(&through, &to)), [2, 0, 0, 0, 0, 0, 0]);
        // There and back: what is equal is not copied again.
        assert_eq!(counts(copy(&to, &from)), [0, 0, 2, 0, 0, 0, 0]);
        let there = there(&last, "dict").unwrap().payload;
        assert!(there.bytes().windows(13).any(|part| part == b"cshop\nCart\n)\x81"));
    }
}

#[test]
fn other_keys_make_other_payloads_of_equal_sessions() {
    let all = [
        settings(&[]),
        settings(&KEYS),
        settings(&[KEYS[0], ("validate_key", "another"), ("crypto_type", "pycryptodome")]),
        settings(&[("data_serializer", "json")]),
        settings(&[KEYS[0], KEYS[1], KEYS[2], ("data_serializer", "json")]),
    ];
    for ours in &all {
        for theirs in &all {
            let (old, new) = (MemoryStore::new(), Odd::new(Framing::Value, |can| can));
            put_with(&old, "joe", &session("joe", 10), ours);
            let from = Place::new(&old).with_settings(ours.clone());
            let to = Place::new(&new).with_settings(theirs.clone());
            assert_eq!(counts(copy(&from, &to)), [1, 0, 0, 0, 0, 0, 0]);
            let payload = there(&new, "joe").unwrap().payload;
            assert_eq!(name(&payload, theirs), "joe");
            assert_eq!(counts(copy(&from, &to)), [0, 0, 1, 0, 0, 0, 0]);
            assert_eq!(there(&new, "joe").unwrap().payload, payload, "it is not encrypted once more");
            put_with(&old, "joe", &session("ann", 5), ours);
            assert_eq!(counts(copy(&from, &to)), [0, 1, 0, 0, 0, 0, 0]);
            assert_eq!(name(&there(&new, "joe").unwrap().payload, theirs), "ann");
        }
    }
}

#[test]
fn what_the_other_serializer_would_change_is_refused() {
    let (old, new) = (MemoryStore::new(), MemoryStore::new());
    let mut with_tuple = session("joe", 10);
    with_tuple.set("pair", |draft| {
        let one = draft.int(1);
        draft.tuple(&[one, one])
    });
    put(&old, "tuple", &with_tuple);
    put(&old, "plain", &session("ann", 10));
    let to = Place::new(&new).with_settings(settings(&[("data_serializer", "json")]));
    assert_eq!(counts(copy(&Place::new(&old), &to)), [1, 0, 0, 0, 0, 0, 1]);
    assert_eq!(there(&new, "tuple"), None);
    let encrypted = MemoryStore::new();
    let to = Place::new(&encrypted).with_settings(settings(&KEYS));
    assert_eq!(counts(copy(&Place::new(&old), &to)), [2, 0, 0, 0, 0, 0, 0]);
    let payload = there(&encrypted, "tuple").unwrap().payload;
    let Decoded::Session(session) = Decoder::with_settings(settings(&KEYS)).decode(&payload).unwrap() else {
        panic!("no session")
    };
    assert!(matches!(session.value("pair").unwrap().kind(), Kind::Tuple(_)));
}

#[test]
fn what_cannot_be_decrypted_is_not_copied_over() {
    let (old, new) = (MemoryStore::new(), MemoryStore::new());
    put_with(&old, "joe", &session("joe", 10), &settings(&KEYS));
    let from = Place::new(&old).with_settings(settings(&KEYS));
    // TO holds what its own keys do not decrypt: nobody knows what it is.
    put_with(&new, "joe", &session("ann", 20), &settings(&[KEYS[0], ("validate_key", "a third"), KEYS[2]]));
    let before = there(&new, "joe");
    let to = Place::new(&new).with_settings(settings(&KEYS));
    assert_eq!(counts(copy(&from, &to)), [0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(there(&new, "joe"), before);
    // FROM without its keys.
    assert_eq!(counts(copy(&Place::new(&old), &Place::new(&MemoryStore::new()))), [0, 0, 0, 0, 0, 0, 1]);
}

#[test]
fn an_object_without_attributes_is_a_session() {
    let old = Odd::new(Framing::Object, |can| can);
    // Otherwise it would be the same place.
    let mut new = Odd::new(Framing::Object, |can| can);
    new.info.location = "elsewhere".to_owned();
    let (from, to) = (Place::new(&old), Place::new(&new));
    let bare = b"\x80\x02cshop\nSession\n)\x81.".to_vec();
    let save = |bytes: &[u8], age| {
        let record = Record::new(SessionId::new("joe"), Payload::new(Framing::Object, bytes.to_vec()));
        old.save(&record.with_times(None, Some(seconds_ago(age))), SaveMode::Upsert).unwrap();
    };
    save(&bare, 10);
    assert_eq!(counts(copy(&from, &to)), [1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(there(&new, "joe").unwrap().payload.bytes(), bare);
    assert_eq!(counts(copy(&from, &to)), [0, 0, 1, 0, 0, 0, 0]);
    // Another class, later.
    let other = b"\x80\x02cshop\nVisitor\n)\x81.".to_vec();
    save(&other, 5);
    assert_eq!(counts(copy(&from, &to)), [0, 1, 0, 0, 0, 0, 0]);
    assert_eq!(there(&new, "joe").unwrap().payload.bytes(), other);
}
