//! A database of one pair, as Berkeley DB would make it for Python: pages of 4096 bytes, two buckets.

use beakerhelpers_core::{Error, ErrorKind, Result};

use super::page::{
    BEFORE_AT, ELSEWHERE, ENTRIES_AT, HEADER, HERE, KIND_AT, Kind, NEXT_AT, NUMBER_AT, OFFSET_AT, REFERENCE,
};
use super::{CHARKEY, MAGIC, MAGIC_AT, VERSION, hash};
use crate::format::content::KEY;

const PAGE: usize = 4096;
/// Longer items go to pages of their own.
const LARGEST_ITEM: usize = PAGE / 4;
/// The pages of the two buckets, and the first after them.
const BUCKETS: [u32; 2] = [1, 2];
const FIRST_PART: u32 = 3;

/// The bytes of a database that holds a value under the key of sessions, or nothing.
pub(in crate::format) fn image(value: Option<&[u8]>) -> Result<Vec<u8>> {
    // Berkeley DB tells files apart by it.
    let mut uid = [0; 20];
    getrandom::fill(&mut uid)
        .map_err(|error| Error::new(ErrorKind::Other, "the system gives no random numbers").with_source(error))?;
    let parts: Vec<&[u8]> = match value {
        Some(value) if value.len() > LARGEST_ITEM => value.chunks(PAGE.saturating_sub(HEADER)).collect(),
        _ => Vec::new(),
    };
    let size = value.and_then(|value| u32::try_from(value.len()).ok());
    let last = u32::try_from(parts.len()).ok().and_then(|parts| parts.checked_add(FIRST_PART)?.checked_sub(1));
    let (Some(last), true) = (last, size.is_some() || value.is_none()) else {
        return Err(Error::unsupported("a session is too large for a Berkeley DB database"));
    };
    let mut image = meta(uid, last, value.is_some());
    for (bucket, number) in BUCKETS.into_iter().enumerate() {
        let mut page = PageWriter::new(number, Kind::HASH);
        let is_its = usize::try_from(hash(KEY) & 1) == Ok(bucket);
        if let Some(value) = value.filter(|_| is_its) {
            page.item(&[&[HERE], KEY].concat());
            page.item(&if parts.is_empty() { [&[HERE], value].concat() } else { reference(size.unwrap_or_default()) });
        }
        image.extend(page.bytes);
    }
    let numbers = FIRST_PART..=last;
    for (number, part) in numbers.zip(&parts) {
        let mut page = PageWriter::new(number, Kind::OVERFLOW);
        page.long(BEFORE_AT, if number == FIRST_PART { 0 } else { number.saturating_sub(1) });
        page.long(NEXT_AT, if number == last { 0 } else { number.saturating_add(1) });
        // So many refer to it.
        page.short(ENTRIES_AT, 1);
        page.short(OFFSET_AT, part.len());
        page.put(HEADER, part);
        image.extend(page.bytes);
    }
    Ok(image)
}

fn meta(uid: [u8; 20], last: u32, has_pair: bool) -> Vec<u8> {
    let mut page = PageWriter::new(0, Kind::HASH_META);
    page.short(OFFSET_AT, 0);
    let numbers = [
        (MAGIC_AT, MAGIC),
        (16, VERSION),
        (20, 4096),
        (0x20, last),
        // The last bucket, and the masks that lead from a hash to its bucket.
        (0x48, 1),
        (0x4c, 1),
        (0x50, 0),
        // What `dbm_open` asks for: 40 pairs in a bucket, one pair to begin with, which counts for good.
        (0x54, 40),
        (0x58, 1_u32.saturating_add(has_pair.into())),
        (0x5c, hash(CHARKEY)),
        // Before the buckets there is one page, then one more doubling of buckets without pages between.
        (0x60, 1),
        (0x64, 1),
    ];
    for (at, number) in numbers {
        page.long(at, number);
    }
    page.put(0x34, &uid);
    page.bytes
}

fn reference(size: u32) -> Vec<u8> {
    let mut item = vec![ELSEWHERE, 0, 0, 0];
    item.extend(FIRST_PART.to_le_bytes());
    item.extend(size.to_le_bytes());
    debug_assert_eq!(item.len(), REFERENCE);
    item
}

struct PageWriter {
    bytes: Vec<u8>,
    /// Items are put in from the end.
    free: usize,
    items: usize,
}

impl PageWriter {
    fn new(number: u32, kind: u8) -> Self {
        let mut page = Self { bytes: vec![0; PAGE], free: PAGE, items: 0 };
        // What Berkeley DB writes where it keeps no log.
        page.long(4, 1);
        page.long(NUMBER_AT, number);
        page.put(KIND_AT, &[kind]);
        page.short(OFFSET_AT, PAGE);
        page
    }

    /// Adds an item of at most `LARGEST_ITEM` bytes and its kind; two of them there is always room for.
    fn item(&mut self, item: &[u8]) {
        self.free = self.free.saturating_sub(item.len());
        self.put(self.free, item);
        self.short(HEADER.saturating_add(self.items.saturating_mul(2)), self.free);
        self.items = self.items.saturating_add(1);
        self.short(ENTRIES_AT, self.items);
        self.short(OFFSET_AT, self.free);
    }

    fn short(&mut self, at: usize, number: usize) {
        self.put(at, &u16::try_from(number).unwrap_or_default().to_le_bytes());
    }

    fn long(&mut self, at: usize, number: u32) {
        self.put(at, &number.to_le_bytes());
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        let room = self.bytes.get_mut(at..).and_then(|rest| rest.get_mut(..bytes.len()));
        room.expect("a page has room for what is put on it").copy_from_slice(bytes);
    }
}
