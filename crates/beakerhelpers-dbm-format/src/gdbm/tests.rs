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

/// Many pairs, some of them with keys that machines hash in different ways.
fn many() -> Vec<(Vec<u8>, Vec<u8>)> {
    let key = |n: usize| if n.is_multiple_of(10) { format!("ž{n}") } else { format!("key-{n}") };
    (0..900).map(|n| (key(n).into_bytes(), vec![n.to_le_bytes()[0]; n % 40 * 7])).collect()
}

fn in_layout(endian: Endian, layout: Written) -> Vec<u8> {
    let mut options = plain();
    options.endian(endian).layout(layout).block_size(gdbm_native::BlockSize::Exactly(512));
    let pairs = many();
    database(&options, &pairs.iter().map(|(key, value)| (&**key, &**value)).collect::<Vec<_>>())
}

#[test]
fn all_pairs_come_back_from_every_layout() {
    for endian in [Endian::Little, Endian::Big] {
        for layout in [Written::Off32, Written::Off64Align4, Written::Off64Align8] {
            let mut database = Gdbm::open(Cursor::new(in_layout(endian, layout))).expect("it is one");
            let mut walk = Walk::default();
            let mut found: Vec<_> = std::iter::from_fn(|| walk.next(&mut database))
                .map(|pair| pair.expect("it is whole"))
                .map(|pair| (pair.key, pair.value.expect("so is this")))
                .collect();
            found.sort();
            let mut all = many();
            all.sort();
            assert!(found == all, "{endian:?} {layout:?}: {} of {}", found.len(), all.len());
            for (key, value) in all.iter().step_by(50) {
                assert_eq!(database.get(key).expect("it is found").as_ref(), Some(value));
            }
        }
    }
}

#[test]
fn a_database_is_written_anew_in_its_layout() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    for layout in [Written::Off32, Written::Off64Align4, Written::Off64Align8] {
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        let bytes = in_layout(Endian::Big, layout);
        fs::write(&old, &bytes).expect("there is room");
        fs::write(&new, "").expect("there is room");
        let open = |path| crate::Packed::open(fs::File::open(path).expect("it is there")).expect("it is one");
        let added = Some((b"added".as_slice(), b"value".as_slice()));
        open(&old).rewrite(&new, &|key| key.starts_with(b"key-1"), added).expect("it is written");
        let mut expected = many();
        expected.retain(|(key, _)| !key.starts_with(b"key-1"));
        expected.push((b"added".to_vec(), b"value".to_vec()));
        expected.sort();
        let pairs = open(&new).into_pairs().map(|pair| pair.expect("it is whole"));
        let mut found: Vec<_> = pairs.map(|pair| (pair.key, pair.value.expect("so is this"))).collect();
        found.sort();
        assert!(found == expected, "{layout:?}");
        // What tells of the layout: the number at the beginning, and the size of a block.
        assert_eq!(fs::read(&new).expect("it is there")[..8], bytes[..8]);
        let one = image(Some((KEY, b"value")), Some(Gdbm::open(Cursor::new(&bytes)).expect("it is one").layout()));
        assert_eq!(one.expect("an image")[..8], bytes[..8]);
        fs::remove_file(&new).expect("it is there");
    }
}

#[test]
fn what_cannot_be_read_is_not_lost() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    let mut bytes = database(&plain(), &[(b"damaged", b"value"), (b"good", b"value")]);
    // The value ends behind the file.
    let header = Layout::new(&bytes).expect("a header");
    let at = bytes.windows(4).position(|bytes| bytes == b"dama").expect("the beginning of the key");
    bytes[at + 16..at + 20].copy_from_slice(&1_000_000_u32.to_le_bytes());
    assert!(header.is_aligned());
    fs::write(&old, bytes).expect("there is room");
    fs::write(&new, "").expect("there is room");
    let open = || crate::Packed::open(fs::File::open(&old).expect("it is there")).expect("it is one");
    let pairs: Vec<_> = open().into_pairs().map(|pair| pair.expect("a key")).collect();
    assert_eq!(pairs.iter().filter(|pair| pair.value.is_err()).count(), 1);
    let error = open().rewrite(&new, &|key| key == b"good", None).expect_err("it would be lost");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.message().starts_with("nothing was changed"));
    fs::write(&new, "").expect("there is room");
    open().rewrite(&new, &|key| key == b"damaged", None).expect("it is to go");
}

/// Goes through whatever it is, which ends, and gives no more than there is.
fn survive(bytes: Vec<u8>) {
    let len = bytes.len();
    let Ok(mut database) = Gdbm::open(Cursor::new(bytes)) else { return };
    let _ = database.get(b"key-7");
    let mut walk = Walk::default();
    let (mut items, mut given) = (0, 0);
    while let Some(pair) = walk.next(&mut database) {
        items += 1;
        given += pair.and_then(|pair| pair.value).map_or(0, |value| value.len());
        assert!(items <= len && given <= len, "{items} items, {given} bytes of {len}");
    }
}

fn small() -> Vec<u8> {
    let mut options = plain();
    options.block_size(gdbm_native::BlockSize::Exactly(512));
    let pairs = many();
    database(&options, &pairs.iter().take(60).map(|(key, value)| (&**key, &**value)).collect::<Vec<_>>())
}

#[test]
fn any_byte_may_be_another() {
    let good = small();
    for at in (0..good.len()).filter(|at| *at < 1024 || good[*at] != 0).step_by(3) {
        for byte in [0, 1, 0x7f, 0xff] {
            let mut bytes = good.clone();
            bytes[at] = byte;
            survive(bytes);
        }
    }
    for len in (0..good.len()).step_by(61) {
        survive(good[..len].to_vec());
    }
}

proptest! {
    #[test]
    fn many_bytes_may_be_others(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
    ) {
        let mut bytes = small();
        let used: Vec<usize> = (0..bytes.len()).filter(|at| *at < 1024 || bytes[*at] != 0).collect();
        for (at, byte) in changes {
            bytes[used[at.index(used.len())]] = byte;
        }
        survive(bytes);
    }
}
