//! Sessions in the state of a Durus `PersistentDict`.

use beakerhelpers_codec::{Decoded, Decoder, ObjectDict};
use beakerhelpers_core::{ErrorKind, Framing, Payload};

/// The class and the state of a dict as Durus 4.3 on Python 3.11 writes them: two sessions that share their class and a
/// list, and a persistent object, whose class is that of the dict: it is taken from the memo of the class's pickle.
const CLASS: &[u8] = b"\x80\x02cdurus.persistent_dict\nPersistentDict\nq\0.";
const STATE: &[u8] = b"\x80\x02}q\x01X\x04\0\0\0dataq\x02}q\x03(X\x01\0\0\0aq\x04cshop\nSession\nq\x05)\x81q\x06}q\x07(\
X\x04\0\0\0userq\x08X\x03\0\0\0joeq\tX\x04\0\0\0cartq\n]q\x0bK\x01aubX\x01\0\0\0bq\x0ch\x05)\x81q\r}q\x0e(\
h\x08X\x03\0\0\0annq\x0fh\nh\x0bubX\x01\0\0\0cq\x10c_codecs\nencode\nq\x11X\x08\0\0\0\0\0\0\0\0\0\0\x07q\x12X\x06\0\0\0latin1q\x13\
\x86q\x14Rq\x15h\0\x86q\x16Qus.";

fn user(payload: &Payload) -> String {
    match Decoder::new().decode(payload).unwrap() {
        Decoded::Session(session) => {
            session.value("user").and_then(beakerhelpers_core::Value::as_str).unwrap().to_owned()
        }
        other => panic!("{other:?}"),
    }
}

fn users(dict: &ObjectDict) -> Vec<String> {
    dict.iter()
        .filter(|(key, _)| *key != "c")
        .map(|(key, payload)| format!("{key}={}", user(&payload.unwrap())))
        .collect()
}

#[test]
fn values_come_out_one_by_one() {
    let dict = ObjectDict::decode(CLASS, STATE).unwrap();
    assert_eq!(users(&dict), ["a=joe", "b=ann"]);
    assert_eq!(dict.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(dict.references(), [[0, 0, 0, 0, 0, 0, 0, 7]]);
    assert_eq!((dict.reference("c"), dict.reference("a")), (Some([0, 0, 0, 0, 0, 0, 0, 7]), None));
    assert!(dict.payload("x").unwrap().is_none());
}

#[test]
fn values_go_in_and_out() {
    let mut dict = ObjectDict::decode(CLASS, STATE).unwrap();
    let joe = dict.payload("a").unwrap().unwrap();
    assert!(dict.remove("a") && !dict.remove("a") && dict.payload("a").unwrap().is_none());
    dict.set("ž", &joe).unwrap();
    let state = dict.encode().unwrap();
    let mut again = ObjectDict::decode(CLASS, &state).unwrap();
    assert_eq!(users(&again), ["b=ann", "ž=joe"]);
    assert_eq!(again.references(), dict.references());
    assert_eq!(again.payload("ž").unwrap().unwrap(), joe, "what it wrote it writes again");
    again.set("a", &joe).unwrap();
    again.remove("b");
    again.set("b", &joe).unwrap();
    assert_eq!(users(&again), ["ž=joe", "a=joe", "b=joe"]);
    assert_eq!(users(&ObjectDict::decode(CLASS, &again.encode().unwrap()).unwrap()), ["ž=joe", "a=joe", "b=joe"]);
}

#[test]
fn what_is_no_object_does_not_go_in() {
    let mut dict = ObjectDict::new();
    for (framing, bytes) in [
        (Framing::Object, &b"K\x01."[..]),
        (Framing::Object, b""),
        (Framing::Object, b"\x80\x02}."),
        (Framing::Value, b"cshop\nSession\n)\x81."),
    ] {
        let error = dict.set("a", &Payload::new(framing, bytes.to_vec())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
    assert_eq!(dict.keys().count(), 0);
    assert_eq!(ObjectDict::decode(CLASS, &dict.encode().unwrap()).unwrap().keys().count(), 0);
}

#[test]
fn what_is_no_dict_is_corrupt() {
    for (class, state) in
        [(CLASS, &b""[..]), (CLASS, b"N."), (CLASS, b"}."), (b"", STATE), (CLASS, b"}U\x04dataK\x01s.")]
    {
        assert_eq!(ObjectDict::decode(class, state).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}

#[test]
fn a_dict_may_refer_to_another() {
    let mut root = ObjectDict::new();
    root.set("sessions", &ObjectDict::reference_to([0, 0, 0, 0, 0, 0, 1, 200])).unwrap();
    let dict = ObjectDict::decode(CLASS, &root.encode().unwrap()).unwrap();
    assert_eq!(dict.references(), root.references());
    assert_eq!(dict.reference("sessions"), Some([0, 0, 0, 0, 0, 0, 1, 200]));
}
