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
    super::image(value.map(|value| (KEY, value)))
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
