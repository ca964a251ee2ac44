//! What Berkeley DB itself wrote, and bytes that nobody did.

use std::io::Cursor;

use beakerhelpers_core::ErrorKind;
use proptest::prelude::*;

use super::*;
use crate::Content;

const KEY: &[u8] = b"session";

fn read(file: impl Read + Seek) -> Result<Content> {
    let mut database = Hash::open(file)?;
    if let Some(value) = database.get(KEY)? {
        return Ok(Content::Value(value));
    }
    Ok(Content::without_key(Walk::new(&database).next(&mut database).transpose()?.is_none()))
}

fn image(value: Option<&[u8]>) -> Result<Vec<u8>> {
    super::image(value.map(|value| (KEY, value)), None)
}

fn content(bytes: &[u8]) -> Result<Content> {
    read(Cursor::new(bytes))
}

/// Values of every way to be kept: in the bucket, at the limit of it, on one page, on several.
fn values() -> impl Strategy<Value = Vec<u8>> {
    let sizes = prop_oneof![0..40_usize, 1020..1030_usize, 4060..4080_usize, 8130..8150_usize, 0..30_000_usize];
    (sizes, any::<u8>()).prop_map(|(size, first)| (0..size).map(|n| first.wrapping_add(n.to_le_bytes()[0])).collect())
}

#[test]
fn an_empty_database_is_empty() {
    assert_eq!(content(&image(None).expect("an image")).ok(), Some(Content::Empty));
}

#[test]
fn a_chain_that_bites_its_tail_ends() {
    let mut long = image(Some(&[7; 10_000])).expect("an image");
    // The second part of the value refers to the first.
    let next = 4 * 4096 + page::NEXT_AT;
    long[next..next + 4].copy_from_slice(&3_u32.to_le_bytes());
    assert_eq!(content(&long).map_err(|error| error.kind()), Err(ErrorKind::Corrupt));
    let mut bucket = image(None).expect("an image");
    let next = 4096 + page::NEXT_AT;
    bucket[next..next + 4].copy_from_slice(&1_u32.to_le_bytes());
    assert_eq!(content(&bucket).map_err(|error| error.kind()), Err(ErrorKind::Corrupt));
}

/// A file with a hole of a terabyte that counts what is read of it.
struct Sparse(Cursor<Vec<u8>>, u64);

impl Read for Sparse {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        self.1 += bytes.len() as u64;
        match self.0.read(bytes)? {
            0 => Ok(bytes.len()),
            read => Ok(read),
        }
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        if let SeekFrom::End(_) = to { Ok(1 << 40) } else { self.0.seek(to) }
    }
}

#[test]
fn a_chain_takes_no_longer_than_a_large_session() {
    // One byte of the value is on a page that goes on with itself, and the value claims to be large.
    let mut long = image(Some(&[7; 10_000])).expect("an image");
    let part = 3 * 4096;
    long[part + page::OFFSET_AT..part + page::OFFSET_AT + 2].copy_from_slice(&1_u16.to_le_bytes());
    long[part + page::NEXT_AT..part + page::NEXT_AT + 4].copy_from_slice(&3_u32.to_le_bytes());
    let size = 10_000_u32.to_le_bytes();
    let at = long.windows(4).position(|bytes| bytes == size).expect("the value has its size");
    long[at..at + 4].copy_from_slice(&(64_u32 << 20).to_le_bytes());
    let mut bucket = image(None).expect("an image");
    let next = 4096 + page::NEXT_AT;
    bucket[next..next + 4].copy_from_slice(&1_u32.to_le_bytes());
    for bytes in [long, bucket] {
        let mut file = Sparse(Cursor::new(bytes), 0);
        assert_eq!(read(&mut file).map_err(|error| error.kind()), Err(ErrorKind::Corrupt));
        assert!(file.1 <= MOST + 4096, "{} bytes were read", file.1);
    }
}

#[test]
fn the_largest_session_is_read() {
    let value = vec![7; usize::try_from(LARGEST).expect("a size")];
    let image = image(Some(&value)).expect("an image");
    assert!(content(&image).is_ok_and(|content| content == Content::Value(value)));
}

#[test]
fn what_is_no_such_hash_says_what_it_is() {
    let good = image(Some(b"value")).expect("an image");
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        content(&bytes).expect_err("it cannot be read").to_string()
    };
    assert!(changed(16, 10).ends_with("it is a hash of version 10, not of version 8 or 9"));
    assert!(changed(24, 1).contains("encrypted"));
    assert!(changed(22, 9).contains("size of its pages"));
    assert!(changed(0x5c, 0).contains("hashed in another way"));
    assert!(changed(25, 9).contains("no hash"));
}

proptest! {
    #[test]
    fn what_is_written_reads_back(value in values()) {
        let image = image(Some(&value)).expect("an image");
        prop_assert_eq!(content(&image).expect("it is in order"), Content::Value(value));
    }

    #[test]
    fn any_bytes_give_a_content_or_an_error(
        value in values(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..64_usize, any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
        is_cut: bool,
    ) {
        let mut image = image(Some(&value)).expect("an image");
        let pages = image.len() / 4096;
        for (page, at, byte) in changes {
            // Where pages have their headers, and the first its numbers.
            let at = page.index(pages) * 4096 + at * 2 % 128;
            image[at] = byte;
        }
        if is_cut {
            image.truncate(cut.index(image.len()));
        }
        if let Ok(Content::Value(value)) = content(&image) {
            prop_assert!(value.len() <= image.len());
        }
    }
}

/// A key and its value.
type Both = (Vec<u8>, Vec<u8>);

/// A database of many pairs: short ones, long ones, and one with a long key.
fn many(shape: Shape, pairs: usize) -> (Vec<u8>, Vec<Both>) {
    let value = |n: usize| vec![n.to_le_bytes()[0]; n % 40 * 37];
    let mut all: Vec<_> = (0..pairs).map(|n| (format!("key-{n}").into_bytes(), value(n))).collect();
    all.push((vec![b'k'; 2 * shape.page], vec![b'v'; 3 * shape.page]));
    let mut size = Size::new(shape);
    for (key, value) in &all {
        size.add(key, value);
    }
    let mut writer = Writer::new(Cursor::new(Vec::new()), shape, &size).expect("it has room");
    for (key, value) in &all {
        writer.add(key, value).expect("it has room");
    }
    all.sort();
    (writer.finish().expect("it is written").into_inner(), all)
}

fn shape(order: Order, version: u32, page: usize) -> Shape {
    Shape { order, version, page, fill: 40 }
}

#[test]
fn all_pairs_come_back_in_every_shape() {
    for order in [Order::Little, Order::Big] {
        for version in VERSIONS {
            for page in [512, 4096, 1 << 16] {
                let (bytes, all) = many(shape(order, version, page), 700);
                let mut database = Hash::open(Cursor::new(bytes)).expect("it is one");
                let mut walk = Walk::new(&database);
                let mut found: Vec<_> = std::iter::from_fn(|| walk.next(&mut database))
                    .map(|pair| pair.expect("it is whole"))
                    .map(|pair| (pair.key, pair.value.expect("so is this")))
                    .collect();
                found.sort();
                assert!(found == all, "{order:?} {version} {page}");
                for (key, value) in all.iter().step_by(50).chain(all.last()) {
                    assert_eq!(database.get(key).expect("it is found").as_ref(), Some(value));
                }
                assert_eq!(database.get(b"key-").ok(), Some(None));
            }
        }
    }
}

/// A file with next to nothing in it can be as long as it likes.
#[test]
fn a_walk_through_a_hole_ends() {
    let (mut bytes, all) = many(shape(Order::Little, SORTED, 4096), 60);
    for (at, number) in [(LAST_AT, u32::MAX >> 5), (HIGH_AT, u32::MAX >> 5), (LOW_AT, u32::MAX >> 6)] {
        bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }
    for doubling in 0..28 {
        bytes[SPARES_AT + 4 * doubling..][..4].copy_from_slice(&1_u32.to_le_bytes());
    }
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("database");
    std::fs::write(&path, bytes).expect("there is room");
    let file = std::fs::File::options().read(true).write(true).open(&path).expect("it is there");
    // Where no file can be so long, there is nothing to try.
    if file.set_len(1 << 42).is_ok() {
        let items = crate::Packed::open(file).expect("it is one").into_pairs().count();
        assert!(items < 2 * all.len(), "{items} items");
    }
}

#[test]
fn one_pair_is_written_as_it_was() {
    for (order, version, page) in [(Order::Big, 8, 512), (Order::Little, 9, 8192)] {
        let image = super::image(Some((KEY, b"value")), Some(shape(order, version, page))).expect("an image");
        let mut database = Hash::open(Cursor::new(image)).expect("it is one");
        let written = database.shape();
        assert_eq!((written.order, written.version, written.page), (order, version, page));
        assert_eq!(database.get(KEY).expect("it is found").as_deref(), Some(&b"value"[..]));
    }
}

#[test]
fn a_value_that_is_damaged_is_one_of_many() {
    let (mut bytes, all) = many(shape(Order::Little, SORTED, 4096), 700);
    // The last part of the last value, which is behind all others.
    let end = bytes.len() - 4096;
    bytes[end + page::KIND_AT] = Kind::HASH;
    let mut database = Hash::open(Cursor::new(bytes)).expect("it is one");
    let mut walk = Walk::new(&database);
    let pairs: Vec<_> = std::iter::from_fn(|| walk.next(&mut database)).map(|pair| pair.expect("a key")).collect();
    assert_eq!(pairs.len(), all.len());
    assert_eq!(pairs.iter().filter(|pair| pair.value.is_err()).count(), 1);
}

/// Goes through whatever it is, which ends, and gives no more than there is.
fn survive(bytes: Vec<u8>) {
    let len = bytes.len();
    let Ok(mut database) = Hash::open(Cursor::new(bytes)) else { return };
    let _ = database.get(b"key-7");
    let mut walk = Walk::new(&database);
    let (mut items, mut given) = (0, 0);
    while let Some(pair) = walk.next(&mut database) {
        items += 1;
        given += pair.and_then(|pair| pair.value).map_or(0, |value| value.len());
        assert!(items <= len && given <= len, "{items} items, {given} bytes of {len}");
    }
}

#[test]
fn any_byte_may_be_another() {
    let (good, _) = many(shape(Order::Little, SORTED, 512), 60);
    let headers = (0..good.len()).filter(|at| *at < 0xe0 || at % 512 < 40);
    for at in headers {
        for byte in [0, 1, 3, 0x7f, 0xff] {
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
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..64_usize, any::<u8>()), 1..40),
        is_big: bool,
    ) {
        let order = if is_big { Order::Big } else { Order::Little };
        let (mut bytes, _) = many(shape(order, SORTED, 512), 60);
        let pages = bytes.len() / 512;
        for (page, at, byte) in changes {
            bytes[page.index(pages) * 512 + at] = byte;
        }
        survive(bytes);
    }
}
