//! What another implementation wrote, in every layout, and bytes that nobody did.

use std::fs;
use std::io::Cursor;

use beakerhelpers_core::ErrorKind;
use gdbm_native::{Endian, Layout as Written, OpenOptions};
use proptest::prelude::*;

use super::layout::Layout;
use super::*;
use crate::Content;

const KEY: &[u8] = b"session";

fn read(file: impl Read + Seek) -> Result<Content> {
    let mut database = Gdbm::open(file)?;
    if let Some(value) = database.get(KEY)? {
        return Ok(Content::Value(value));
    }
    Ok(Content::without_key(Walk::default().next(&mut database).transpose()?.is_none()))
}

/// The bytes of a database with these pairs.
fn database(options: &OpenOptions, pairs: &[(&[u8], &[u8])]) -> Vec<u8> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("database");
    let mut database = options.clone().create(true).lock(false).open(&path).expect("a database");
    for (key, value) in pairs {
        database.insert(*key, *value).expect("it takes a pair");
    }
    database.close().expect("it is written");
    fs::read(path).expect("it is there")
}

fn plain() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.numsync(false);
    options
}

#[test]
fn every_layout_is_read() {
    for endian in [Endian::Little, Endian::Big] {
        for layout in [Written::Off32, Written::Off64Align4, Written::Off64Align8] {
            for numsync in [false, true] {
                let mut options = OpenOptions::new();
                options.endian(endian).layout(layout).numsync(numsync);
                let what = format!("{endian:?} {layout:?} {numsync}");
                let bytes = database(&options, &[(b"a", b"b"), (KEY, b"value"), (b"c", b"d")]);
                assert!(is_magic(*bytes.first_chunk().expect("it is long enough")), "{what}");
                assert_eq!(read(Cursor::new(bytes)).ok(), Some(Content::Value(b"value".to_vec())), "{what}");
                let empty = database(&options, &[]);
                assert_eq!(read(Cursor::new(empty)).ok(), Some(Content::Empty), "{what}");
            }
        }
    }
}

#[test]
fn a_key_is_found_among_many() {
    let keys: Vec<String> = (0..2_000).map(|n| format!("key-{n}")).collect();
    let mut pairs: Vec<(&[u8], &[u8])> = keys.iter().map(|key| (key.as_bytes(), b"other".as_slice())).collect();
    assert_eq!(read(Cursor::new(database(&plain(), &pairs))).ok(), Some(Content::Others));
    pairs.insert(700, (KEY, b"value"));
    assert_eq!(read(Cursor::new(database(&plain(), &pairs))).ok(), Some(Content::Value(b"value".to_vec())));
}

fn place(header: &Layout) -> u64 {
    header.entry(hashes(KEY)[0]).and_then(|entry| header.place(entry)).expect("a place")
}

/// The crate that writes reads all of them, and with them the memory of many files.
#[test]
fn a_thousand_claims_of_the_key_take_the_memory_of_none() {
    let mut bytes = database(&plain(), &[(KEY, &vec![7; 100_000])]);
    let header = Layout::new(&bytes).expect("a header");
    let at =
        usize::try_from(header.offset(&bytes[usize::try_from(place(&header)).expect("small")..]).expect("an offset"))
            .expect("small");
    let first = at + usize::try_from(header.before).expect("small");
    let home = first + usize::try_from(hashes(KEY)[0] % header.elements * 24).expect("small");
    let element = bytes[home..home + 24].to_vec();
    for n in 0..usize::try_from(header.elements).expect("small") {
        let place = first + n * 24;
        bytes[place..place + 24].copy_from_slice(&element);
        // Where no such key is.
        bytes[place + 8] = 1;
    }
    assert_eq!(Gdbm::open(Cursor::new(bytes)).and_then(|mut database| database.get(KEY)).ok(), Some(None));
}

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let changes = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12);
    (0..3_000_usize, changes, proptest::option::of(any::<prop::sample::Index>())).prop_map(|(size, changes, cut)| {
        let value = vec![7; size];
        let mut bytes = database(&plain(), &[(KEY, &value)]);
        // The header, the entry of the directory and the element matter; most of the rest is zero.
        let used: Vec<usize> = (0..bytes.len()).filter(|at| *at < 64 || bytes[*at] != 0).collect();
        for (at, byte) in changes {
            bytes[used[at.index(used.len())]] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes
    })
}

proptest! {
    #[test]
    fn any_bytes_give_a_content_or_an_error(bytes in mutated()) {
        match read(Cursor::new(&bytes)) {
            Ok(Content::Value(value)) => prop_assert!(value.len() <= bytes.len()),
            Ok(_) => {}
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Corrupt),
        }
    }
}
