//! What holds of any bytes, and of any values.

mod change;
mod exercise;
mod frames;

use std::collections::BTreeMap;

use beakerhelpers_codec::{Decoded, Settings, reframe};
use beakerhelpers_core::{Framing, Kind, Payload, Value};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use serde_pickle::{HashableValue, Value as Theirs};

use super::session;

/// Pickles with all sorts of opcodes in them, to be damaged.
const SEEDS: [&[u8]; 4] = [
    b"(dp0\nVsession\np1\n(dp2\nV_accessed_time\np3\nF1795205221.5\nsS'raw'\nS'caf\\xe9'\nsVl\n(lp4\nI1\naL2L\nag4\nas(I1\nI01\nttI2\ns\
g3\n(iexceptions\nKeyError\nss.",
    b"\x80\x02}q\x00X\x07\x00\x00\x00sessionq\x01}q\x02(X\x01\x00\x00\x00acdatetime\ndatetime\nq\x03U\n\x07\xda\x01\x01\n\n\n\0\0\0\
\x85Rq\x04X\x01\x00\x00\x00u(cuuid\nUUID\n)\x81}U\x03int\x8a\x01\x05sb1cuuid\nUUID\n)\x81}U\x03int\x8a\x01\x05sbU\x01oc\
collections\nOrderedDict\n]((U\x01aK\x01lee\x85RU\x01f\x8a\x09\0\0\0\0\0\0\0\0@us.",
    b"\x80\x05\x95\x60\0\0\0\0\0\0\0}\x94\x8c\x07session\x94}\x94(\x8c\x01s\x94\x8f\x94(K\x01M\x00\x02J\x00\0\0\x04\x90\x8c\x01f(K\x01\
\x91\x94\x8c\x01b\x96\x02\0\0\0\0\0\0\0xy\x8c\x01g\x8c\x08builtins\x8c\x07complex\x93G?\xf0\0\0\0\0\0\0G@\0\0\0\0\0\0\0\x86Rus.",
    b"\x80\x04}\x8c\x07session\x8c\x24gAJ9cQAoVQFhcQFLAVUBYnECXXEDSwJhVQFjaANh\x0as.",
];

/// Exercises the bytes in each framing.
fn decode_any(bytes: &[u8]) {
    for framing in [Framing::Namespace, Framing::Value] {
        exercise::decode(&Payload::new(framing, bytes.to_vec()), &Settings::new(), exercise::FREE);
    }
}

/// A byte, most often an opcode.
fn opcode() -> impl Strategy<Value = u8> {
    let opcodes = b"(.012FGIJKLMNPQRSTUVX\\]abcdeghijlopqrstu)}BC\x80\x81\x82\x85\x86\x87\x88\x89\x8a\x8c\x8f\x90\x91\x92\x93\x94\x95\x96\0\x01\n";
    prop_oneof![9 => proptest::sample::select(&opcodes[..]), 1 => any::<u8>()]
}

proptest! {
    #[test]
    fn any_bytes_give_a_value_or_an_error(bytes in vec(any::<u8>(), 0..300)) {
        decode_any(&bytes);
    }

    #[test]
    fn any_opcodes_give_a_value_or_an_error(middle in vec(opcode(), 0..60)) {
        decode_any(&middle);
        // Within a session, among values of all sorts.
        decode_any(&[b"}Vsession\n}(Va\n]q\0Vb\n}q\x01cdatetime\nfoo\nq\x02)", &middle[..], b"us."].concat());
        decode_any(&[b"}Vsession\n}Va\ncbuiltins\nset\nq\0(K\x01lq\x01(", &middle[..], b"tRss."].concat());
    }

    #[test]
    fn damaged_pickles_give_a_value_or_an_error(
        seed in proptest::sample::select(&SEEDS[..]),
        changes in vec((any::<prop::sample::Index>(), opcode()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = seed.to_vec();
        for (at, byte) in changes {
            *at.get_mut(&mut bytes) = byte;
        }
        decode_any(&bytes);
        decode_any(&bytes[..cut.index(bytes.len())]);
    }

    #[test]
    fn what_serde_pickle_writes_is_read(values in btree_map(".*", theirs(), 0..6), protocol in 2_u8..4) {
        let pairs = |values: BTreeMap<String, Theirs>| {
            Theirs::Dict(values.into_iter().map(|(key, value)| (HashableValue::String(key), value)).collect())
        };
        let options = if protocol == 2 { serde_pickle::SerOptions::new().proto_v2() } else { serde_pickle::SerOptions::new() };
        let namespace = pairs(BTreeMap::from([("session".to_owned(), pairs(values.clone()))]));
        let bytes = serde_pickle::value_to_vec(&namespace, options).unwrap();
        if values.is_empty() {
            prop_assert!(matches!(super::decode(&bytes).unwrap(), Decoded::Empty));
            return Ok(());
        }
        let session = session(&bytes);
        prop_assert_eq!(session.len(), values.len());
        for ((key, ours), (name, theirs)) in session.iter().zip(&values) {
            prop_assert_eq!(key.as_str(), Some(name.as_str()));
            prop_assert!(same(ours, theirs), "{:?} {:?}", ours, theirs);
        }
    }
}

fn hashable() -> impl Strategy<Value = HashableValue> {
    let leaf = prop_oneof![
        Just(HashableValue::None),
        any::<bool>().prop_map(HashableValue::Bool),
        any::<i64>().prop_map(HashableValue::I64),
        vec(any::<u8>(), 0..20).prop_map(HashableValue::Bytes),
        ".*".prop_map(HashableValue::String),
    ];
    leaf.prop_recursive(2, 10, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(HashableValue::Tuple),
            btree_set(inner, 0..4).prop_map(HashableValue::FrozenSet),
        ]
    })
}

pub(super) fn theirs() -> impl Strategy<Value = Theirs> {
    let leaf = prop_oneof![
        Just(Theirs::None),
        any::<bool>().prop_map(Theirs::Bool),
        any::<i64>().prop_map(Theirs::I64),
        any::<i32>().prop_map(|value| Theirs::I64(value.into())),
        any::<f64>().prop_map(Theirs::F64),
        vec(any::<u8>(), 0..300).prop_map(Theirs::Bytes),
        ".*".prop_map(Theirs::String),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Theirs::List),
            vec(inner.clone(), 0..6).prop_map(Theirs::Tuple),
            btree_set(hashable(), 0..6).prop_map(Theirs::Set),
            btree_set(hashable(), 0..6).prop_map(Theirs::FrozenSet),
            btree_map(".*".prop_map(HashableValue::String), inner, 0..6).prop_map(Theirs::Dict),
        ]
    })
}

fn same(ours: Value<'_>, theirs: &Theirs) -> bool {
    let hashable = |ours: Value<'_>, theirs: &HashableValue| same(ours, &theirs.clone().into_value());
    match (ours.kind(), theirs) {
        (Kind::None, Theirs::None) => true,
        (Kind::Bool(ours), Theirs::Bool(theirs)) => ours == *theirs,
        (Kind::Int(ours), Theirs::I64(theirs)) => ours == *theirs,
        (Kind::Float(ours), Theirs::F64(theirs)) => ours.to_bits() == theirs.to_bits(),
        // In protocol 2 it writes bytes as Python 2 does.
        (Kind::Bytes(ours) | Kind::Python2Str(ours), Theirs::Bytes(theirs)) => ours == theirs,
        (Kind::Str(ours), Theirs::Bytes(theirs)) => ours.as_bytes() == theirs,
        (Kind::Str(ours), Theirs::String(theirs)) => ours == theirs,
        (Kind::List(ours), Theirs::List(theirs)) | (Kind::Tuple(ours), Theirs::Tuple(theirs)) => {
            ours.len() == theirs.len() && ours.zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Kind::Set(ours), Theirs::Set(theirs)) | (Kind::FrozenSet(ours), Theirs::FrozenSet(theirs)) => {
            ours.len() == theirs.len() && ours.zip(theirs).all(|(ours, theirs)| hashable(ours, theirs))
        }
        (Kind::Dict(ours), Theirs::Dict(theirs)) => {
            ours.len() == theirs.len()
                && ours.zip(theirs).all(|(ours, theirs)| hashable(ours.0, theirs.0) && same(ours.1, theirs.1))
        }
        _ => false,
    }
}

/// Updates the bytes in each framing.
fn update_any(bytes: &[u8], which: usize) {
    for framing in [Framing::Namespace, Framing::Value] {
        change::update(&Payload::new(framing, bytes.to_vec()), which);
    }
}

/// Puts the bytes into other frames.
fn reframe_any(bytes: &[u8]) {
    for framing in [Framing::Namespace, Framing::Value, Framing::Text] {
        frames::reframed(&Payload::new(framing, bytes.to_vec()));
    }
}

proptest! {
    #[test]
    fn any_opcodes_are_reframed_or_refused((before, middle) in (vec(opcode(), 0..20), vec(opcode(), 0..40))) {
        reframe_any(&middle);
        reframe_any(&[b"\x80\x04\x95\x04\0\0\0\0\0\0\0}\x94", &before[..], b"Vsession\n\x94", &middle[..], b"s."].concat());
        reframe_any(&[b"}q\0Vsession\nq\x01}q\x02(", &middle[..], b"h\x01h\0us."].concat());
        reframe_any(&[b"}q\x02(Va\n]q\x03h\x02", &middle[..], b"u."].concat());
    }

    #[test]
    fn damaged_pickles_are_reframed_or_refused(
        seed in proptest::sample::select(&SEEDS[..]),
        changes in vec((any::<prop::sample::Index>(), opcode()), 0..6),
    ) {
        let mut bytes = seed.to_vec();
        for (at, byte) in changes {
            *at.get_mut(&mut bytes) = byte;
        }
        reframe_any(&bytes);
    }

    #[test]
    fn what_serde_pickle_writes_is_reframed(values in btree_map(".*", theirs(), 1..6)) {
        let session = Theirs::Dict(values.into_iter().map(|(key, value)| (HashableValue::String(key), value)).collect());
        let bytes = serde_pickle::value_to_vec(&session, serde_pickle::SerOptions::new()).unwrap();
        let payload = Payload::new(Framing::Value, bytes);
        prop_assert!(reframe(&payload, Framing::Namespace).is_ok());
        frames::reframed(&payload);
    }
}

proptest! {
    #[test]
    fn any_opcodes_are_updated_or_refused(
        (before, middle) in (vec(opcode(), 0..20), vec(opcode(), 0..40)),
        which in 0_usize..128,
    ) {
        update_any(&middle, which);
        update_any(&[b"}Vsession\n}(Va\n]q\0Vb\n}q\x01cdatetime\nfoo\nq\x02)", &middle[..], b"us."].concat(), which);
        update_any(&[b"}q\0(Va\n", &before[..], b"Vb\n", &middle[..], b"Vc\nh\x01u."].concat(), which);
        update_any(&[b"}Vsession\n}Va\ncbuiltins\nset\nq\0(K\x01lq\x01(", &middle[..], b"tRss."].concat(), which);
    }

    #[test]
    fn damaged_pickles_are_updated_or_refused(
        seed in proptest::sample::select(&SEEDS[..]),
        changes in vec((any::<prop::sample::Index>(), opcode()), 0..6),
        which in 0_usize..128,
    ) {
        let mut bytes = seed.to_vec();
        for (at, byte) in changes {
            *at.get_mut(&mut bytes) = byte;
        }
        update_any(&bytes, which);
    }
}
